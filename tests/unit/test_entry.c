/* SPDX-License-Identifier: ISC */
/* Entries: what goes in comes out, small, shared, and refreshed by one at a time. */
#include <criterion/criterion.h>

#include <pthread.h>

#include "core/dates.h"
#include "entries.h"

#define CERTIFICATE "the signer's certificate"

static struct entry *entry_with(struct tails *tails, const struct verdict *verdict,
				const struct lifetime *lifetime, struct slice der)
{
	const struct cache_key key = key_number(7);
	const struct entry_parts parts = {
	    .key = &key, .verdict = verdict, .lifetime = lifetime, .der = der};

	return entry_new(&parts, tails);
}

Test(entry, HS_03_keeps_the_whole_response_and_its_digest)
{
	/* SHA-256 of "abc", FIPS 180-4 examples */
	static const uint8_t digest[SHA256_LEN] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
						   0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
						   0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
						   0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
	struct tails *tails = tails_new(entries_hash_key);

	for (size_t cut = 0; cut <= 4; cut++) { /* 4: beyond the end, as good as none */
		const struct verdict verdict = {.tail = cut};
		const struct lifetime lifetime = {.may_store = true};
		struct entry *entry = entry_with(tails, &verdict, &lifetime, slice_text("abc"));
		struct slice head = entry_head(entry), tail = entry_tail(entry);

		cr_expect_eq(head.len, cut < 3 ? cut : 3);
		cr_expect_eq(head.len + tail.len, 3);
		cr_expect_eq(entry->der_len, 3);
		cr_expect_arr_eq(head.p, "abc", head.len);
		cr_expect_arr_eq(tail.p, &"abc"[head.len], tail.len);
		cr_expect_arr_eq(entry->sha256, digest, SHA256_LEN);
		entry_unref(entry);
	}
	cr_expect_eq(tails_memory(tails), 0);
	tails_free(tails);
}

/* Whether the serial is in the response's own part, nowhere, or only where it cannot be used. */
Test(entry, key_comes_back_wherever_its_serial_was_found)
{
	struct tails *tails = tails_new(entries_hash_key);
	const struct cache_key key = key_number(7);
	uint8_t inside[40] = {0}, elsewhere[40] = {0};
	const struct {
		struct slice der;
		size_t tail;
	} rows[] = {
	    {slice_of(inside, sizeof(inside)), 40},
	    {slice_of(elsewhere, sizeof(elsewhere)), 40},
	    {slice_of(inside, sizeof(inside)), 20},
	    {slice_of(inside, sizeof(inside)), 0},
	    {slice_of(NULL, 0), 0},
	};

	memcpy(inside + 24, key.serial, key.serial_len);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		const struct verdict verdict = {.tail = rows[i].tail};
		const struct lifetime lifetime = {.may_store = true};
		struct entry *entry = entry_with(tails, &verdict, &lifetime, rows[i].der);
		struct cache_key got;

		entry_key(entry, &got);
		cr_expect(key_eq(&got, &key), "%zu", i);
		cr_expect(entry_has_key(entry, key_bytes(&key)), "%zu", i);
		cr_expect_eq(entry_head(entry).len, rows[i].tail, "%zu", i);
		entry_unref(entry);
	}
	tails_free(tails);
}

Test(entry, NK_03_has_no_other_key_than_its_own)
{
	struct tails *tails = tails_new(entries_hash_key);
	struct entry *entry = entry_of(tails, &(struct entry_spec){.n = 7});
	const struct cache_key key = key_number(7);
	struct cache_key alg = key, issuer = key, serial = key, shorter = key, longer = key;

	alg.alg = HASH_SHA256;
	issuer.issuer_id[31] ^= 1;
	serial.serial[15] ^= 1;
	shorter.serial_len--;
	longer.serial_len++;
	cr_expect(entry_has_key(entry, key_bytes(&key)));
	cr_expect_not(entry_has_key(entry, key_bytes(&alg)));
	cr_expect_not(entry_has_key(entry, key_bytes(&issuer)));
	cr_expect_not(entry_has_key(entry, key_bytes(&serial)));
	cr_expect_not(entry_has_key(entry, key_bytes(&shorter)));
	cr_expect_not(entry_has_key(entry, key_bytes(&longer)));
	cr_expect_not(entry_has_key(entry, slice_of(NULL, 0)));
	entry_unref(entry);
	tails_free(tails);
}

/* Wherever the serial is. */
Test(entry, HC_04_etag_and_responder_are_kept_beside_it)
{
	struct tails *tails = tails_new(entries_hash_key);
	const struct cache_key key = key_number(7);
	uint8_t der[40] = {0}, copy[40];

	for (unsigned i = 0; i < 4; i++) {
		const struct verdict verdict = {.tail = 30};
		const struct lifetime lifetime = {.may_store = true};
		const struct slice etag = i & 1 ? slice_text("\"etag\"") : slice_of(NULL, 0);
		const struct entry_parts parts = {.key = &key,
						  .verdict = &verdict,
						  .lifetime = &lifetime,
						  .der = slice_of(der, sizeof(der)),
						  .responder = 300,
						  .etag = etag};
		struct entry *entry = entry_new(&parts, tails);

		cr_expect(entry_has_key(entry, key_bytes(&key)), "%u", i);
		cr_expect(slice_eq(entry_etag(entry), etag), "%u", i);
		cr_expect_eq(entry->responder, 300);
		entry_copy_der(entry, copy);
		cr_expect_arr_eq(copy, der, sizeof(der));
		entry_unref(entry);
		if (i == 1)
			memcpy(der + 5, key.serial, key.serial_len);
	}
	cr_expect_eq(tails_memory(tails), 0);
	tails_free(tails);
}

Test(entry, CL_16_CL_17_what_may_take_the_place_of_what)
{
	static const struct {
		const char *what;
		int64_t old[2], new[2]; /* T, P */
		enum cert_status was, is;
		int64_t now;
		bool may;
	} rows[] = {
	    {"newer", {10, 10}, {11, 11}, CERT_REVOKED, CERT_GOOD, 50, true},
	    {"older", {10, 10}, {9, 20}, CERT_GOOD, CERT_GOOD, 50, false},
	    {"older, revoked", {10, 10}, {9, 20}, CERT_GOOD, CERT_REVOKED, 50, false},
	    {"signed anew", {10, 10}, {10, 11}, CERT_GOOD, CERT_GOOD, 50, true},
	    {"the same", {10, 10}, {10, 10}, CERT_GOOD, CERT_GOOD, 50, true},
	    {"signed before", {10, 10}, {10, 9}, CERT_GOOD, CERT_GOOD, 50, false},
	    {"revoked at once", {10, 10}, {10, 11}, CERT_GOOD, CERT_REVOKED, 50, true},
	    {"revocation undone", {10, 10}, {10, 11}, CERT_REVOKED, CERT_GOOD, 50, false},
	    {"forgotten", {10, 10}, {10, 11}, CERT_REVOKED, CERT_UNKNOWN, 50, false},
	    {"revoked again", {10, 10}, {10, 11}, CERT_REVOKED, CERT_REVOKED, 50, true},
	    {"ended", {10, 10}, {9, 9}, CERT_REVOKED, CERT_GOOD, 100, true},
	};
	struct tails *tails = tails_new(entries_hash_key);

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		const struct verdict was = {.status = rows[i].was,
					    .this_update = rows[i].old[0],
					    .produced_at = rows[i].old[1]};
		const struct verdict is = {.status = rows[i].is,
					   .this_update = rows[i].new[0],
					   .produced_at = rows[i].new[1]};
		const struct lifetime lifetime = {.hard_expiry = 100};
		struct entry *old = entry_with(tails, &was, &lifetime, slice_text("old"));
		struct entry *new = entry_with(tails, &is, &lifetime, slice_text("new"));

		cr_expect_eq(entry_may_replace(old, new, rows[i].now), rows[i].may, "%s",
			     rows[i].what);
		entry_unref(old);
		entry_unref(new);
	}
	tails_free(tails);
}

Test(entry, keeps_verdict_and_lifetime)
{
	struct tails *tails = tails_new(entries_hash_key);
	const struct verdict verdict = {
	    .status = CERT_REVOKED,
	    .flags = VERDICT_OTHER_HASH | VERDICT_EARLY_PRODUCED,
	    .this_update = INT64_C(1790000000),
	    .produced_at = INT64_C(253402300799), /* the last second of the year 9999 */
	};
	const struct lifetime lifetime = {
	    .fetched_at = -1,
	    .refresh_at = ENTRY_TIME_MAX + 1,
	    .hard_expiry = TIME_NEVER,
	    .may_store = true,
	};
	struct entry *entry = entry_with(tails, &verdict, &lifetime, slice_text("der"));

	cr_expect_eq(entry->status, CERT_REVOKED);
	cr_expect_eq(entry->flags, VERDICT_OTHER_HASH | VERDICT_EARLY_PRODUCED);
	cr_expect_eq(entry->this_update, INT64_C(1790000000));
	cr_expect_eq(entry->produced_at, INT64_C(253402300799));
	cr_expect_eq(entry->fetched_at, 0);
	cr_expect_eq(entry->refresh_at, ENTRY_TIME_MAX);
	cr_expect_eq(entry->hard_expiry, ENTRY_TIME_MAX);
	cr_expect_eq(entry->marks, 0);
	entry_unref(entry);
	tails_free(tails);
}

Test(entry, CL_04_NO_09_reusable_if_kept_and_ending)
{
	const struct {
		bool may_store;
		unsigned flags;
		bool is_reusable;
	} rows[] = {
	    {true, 0, true},
	    {true, VERDICT_WEAK, true}, /* weak_signature = accept */
	    {true, VERDICT_NO_NEXT_UPDATE, false},
	    {false, 0, false},
	    {false, VERDICT_NONCE, false},
	};
	struct tails *tails = tails_new(entries_hash_key);

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		const struct verdict verdict = {.flags = rows[i].flags};
		const struct lifetime lifetime = {.may_store = rows[i].may_store};
		struct entry *entry = entry_with(tails, &verdict, &lifetime, slice_text("der"));

		cr_expect_eq(entry->is_reusable, rows[i].is_reusable, "%zu", i);
		entry_unref(entry);
	}
	tails_free(tails);
}

Test(entry, P5_shared_tail_is_not_counted_and_lives_as_long_as_needed)
{
	struct tails *tails = tails_new(entries_hash_key);
	const struct slice tail = slice_text(CERTIFICATE);
	struct entry *one = entry_of(tails, &(struct entry_spec){.n = 1, .tail = tail});
	size_t memory = tails_memory(tails);
	struct entry *two = entry_of(tails, &(struct entry_spec){.n = 2, .tail = tail});
	struct entry *none = entry_of(tails, &(struct entry_spec){.n = 1});

	cr_expect_eq(entry_tail(one).p, entry_tail(two).p);
	cr_expect_eq(entry_memory(one), entry_memory(none));
	entry_unref(none);
	cr_expect_eq(tails_memory(tails), memory);
	entry_unref(entry_ref(one));
	entry_unref(one);
	cr_expect(slice_eq(entry_tail(two), tail));
	entry_unref(two);
	entry_unref(NULL);
	cr_expect_eq(tails_memory(tails), 0);
	tails_free(tails);
}

Test(entry, claim_is_given_once_until_its_time)
{
	struct tails *tails = tails_new(entries_hash_key);
	struct entry *entry = entry_of(tails, &(struct entry_spec){.n = 1});

	cr_expect(entry_claim_refresh(entry, 100, 400));
	cr_expect_not(entry_claim_refresh(entry, 100, 400));
	cr_expect_not(entry_claim_refresh(entry, 399, 700));
	cr_expect(entry_claim_refresh(entry, 400, 700));
	cr_expect_not(entry_claim_refresh(entry, 400, 700));
	entry_unref(entry);
	tails_free(tails);
}

static atomic_uint n_claims;

static void *claim(void *arg)
{
	for (int64_t now = 1; now <= 1000; now++)
		atomic_fetch_add(&n_claims, entry_claim_refresh(arg, now * 10, now * 10 + 5));
	return NULL;
}

Test(entry, claim_is_given_to_one_thread_only)
{
	struct tails *tails = tails_new(entries_hash_key);
	struct entry *entry = entry_of(tails, &(struct entry_spec){.n = 1});
	pthread_t threads[4];

	for (size_t i = 0; i < N_ELEMENTS(threads); i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, claim, entry), 0);
	for (size_t i = 0; i < N_ELEMENTS(threads); i++)
		pthread_join(threads[i], NULL);
	cr_expect_leq(n_claims, 1000);
	cr_expect_geq(n_claims, 1);
	cr_expect_not(entry_claim_refresh(entry, 10000, 10005));
	entry_unref(entry);
	tails_free(tails);
}
