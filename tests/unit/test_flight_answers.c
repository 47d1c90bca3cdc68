/* SPDX-License-Identifier: ISC */
/* Answers that count for more than the question: under other keys (NK-07, NK-08), and those that
 * only say that nothing is new (HC-04, CL-20). */
#include "relay/flight.h"

#include "relay_kit.h"

#define ETAG "\"5f2a\""

static struct connection *ask_as(const char *serial, enum hash_alg alg)
{
	const struct slice certid = kit_certid(kit.ca, serial, alg);

	return kit_post(kit_request(&certid, 1, NO_EXTS), 0);
}

static struct pki_single single_as(const char *hash, enum cert_status status)
{
	return (struct pki_single){.serial = "01",
				   .hash = hash,
				   .status = status,
				   .revoked_at = PKI_NOW - PKI_DAY,
				   .this_update = clock_wall(),
				   .next_update = clock_wall() + PKI_DAY};
}

/* --- other keys ------------------------------------------------------------------------------- */

Test(flight_answers, NK_07_response_with_two_certids_answers_both)
{
	struct connection *client;
	struct slice both;

	kit_open();
	both = kit_signed(
	    (struct pki_single[]){single_as("sha1", CERT_GOOD), single_as("sha256", CERT_GOOD)}, 2,
	    NO_EXTS);
	client = ask_as("01", HASH_SHA1);
	kit_answer(both);
	kit_expect(client, both, KIT_MISS);
	kit_expect(ask_as("01", HASH_SHA256), both, KIT_HIT(86400));
	kit_expect(ask_as("01", HASH_SHA1), both, KIT_HIT(86400));
	cr_expect_eq(stage_stores.n_puts, 2);
	ask_as("01", HASH_SHA384);
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(flight_answers, NK_08_other_hash_is_kept_under_its_own_key_and_the_asked_one)
{
	struct connection *client;
	struct slice sha1;

	kit_open();
	client = ask_as("01", HASH_SHA1);
	kit_refuse(500);
	kit_expect(client, TRY_LATER, "ocsprelay; fwd=miss; fwd-status=500");
	sha1 = kit_signed((struct pki_single[]){single_as("sha1", CERT_GOOD)}, 1, NO_EXTS);
	client = ask_as("01", HASH_SHA256);
	kit_answer(sha1);
	kit_expect(client, sha1, KIT_MISS);
	kit_expect(ask_as("01", HASH_SHA256), sha1, KIT_HIT(86400));
	kit_expect(ask_as("01", HASH_SHA1), sha1, KIT_HIT(86400));
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(flight_answers, NK_07_CL_16_each_key_protects_its_own_past)
{
	struct slice revoked, older;
	struct connection *client;
	struct pki_single singles[2];

	kit_open();
	revoked = kit_signed((struct pki_single[]){single_as("sha256", CERT_REVOKED)}, 1, NO_EXTS);
	client = ask_as("01", HASH_SHA256);
	kit_answer(revoked);
	kit_expect(client, revoked, KIT_MISS);
	singles[0] = single_as("sha1", CERT_GOOD);
	singles[1] = single_as("sha256", CERT_GOOD);
	singles[0].this_update = singles[1].this_update -= 3600;
	older = kit_signed(singles, 2, NO_EXTS);
	client = ask_as("01", HASH_SHA1);
	kit_answer(older);
	kit_expect(ask_as("01", HASH_SHA256), revoked, KIT_HIT(86400));
	kit_close();
}

Test(flight_answers, NK_07_what_may_not_be_kept_is_kept_under_no_key)
{
	struct connection *client;
	struct slice both;
	struct pki_single singles[2];

	kit_open();
	singles[0] = single_as("sha1", CERT_GOOD);
	singles[1] = single_as("sha256", CERT_GOOD);
	singles[0].next_update = singles[1].next_update = -1;
	both = kit_signed(singles, 2, NO_EXTS);
	client = ask_as("01", HASH_SHA1);
	kit_answer(both);
	cr_expect(slice_eq(stage_body(client), both));
	ask_as("01", HASH_SHA256);
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

/* --- what nothing older gets past (CL-16) ------------------------------------------------------
 */

static struct slice status_at(enum cert_status is, int64_t from, struct slice exts)
{
	struct pki_single single = single_as("sha1", is);

	single.this_update += from;
	return kit_signed(&single, 1, exts);
}

/* Whatever keeps an answer from being stored does not keep a client from being protected. */
Test(flight_answers, CL_16_F4_answer_that_is_not_kept_is_compared_all_the_same)
{
	struct slice revoked, older;
	struct connection *client;
	static const struct upstream_hints no_store = {.flags = HINT_NO_STORE};

	kit_open();
	client = kit_ask("01");
	revoked = status_at(CERT_REVOKED, 0, NO_EXTS);
	kit_answer(revoked);
	for (unsigned i = 0; i < 2; i++) {
		stage_pass(61 * 1000);
		client = kit_post(kit_about("01", NO_EXTS), HTTP_NO_CACHE);
		older =
		    status_at(CERT_GOOD, -3600, i == 0 ? NO_EXTS : kit_nonce("0102030405060708"));
		kit_end(&(struct upstream_answer){.http_status = 200,
						  .body = older,
						  .hints = i == 0 ? no_store
								  : (struct upstream_hints){0}});
		cr_expect(slice_eq(stage_body(client), revoked), "%u", i);
	}
	cr_expect_eq(counter_sum(METRIC_ROLLBACKS_REFUSED, kit.issuer->slot, 0, 0), 2);
	kit_close();
}

Test(flight_answers, CL_16_NO_04_answer_made_for_a_nonce_goes_to_its_client)
{
	struct connection *client;
	struct slice fresh;

	kit_open();
	kit_ask("01");
	kit_answer(status_at(CERT_REVOKED, 0, NO_EXTS));
	client = kit_post(kit_about("01", kit_nonce("0102030405060708")), 0);
	fresh = status_at(CERT_GOOD, -3600, kit_nonce("0102030405060708"));
	kit_answer(fresh);
	cr_expect(slice_eq(stage_body(client), fresh));
	kit_close();
}

static void forget(void)
{
	struct cache_key key;

	kit_key("01", &key);
	cr_assert(cache_remove(kit.common.cache, key_bytes(&key),
			       cache_hash(kit.common.cache, key_bytes(&key))));
}

/* After a restart, say: memory is empty, and the disk has something newer. */
Test(flight_answers, CL_16_stores_are_looked_into_before_something_is_kept)
{
	struct slice revoked;
	struct connection *client;
	struct pki_single singles[2];

	kit_open();
	kit_ask("01");
	revoked = status_at(CERT_REVOKED, 0, NO_EXTS);
	kit_answer(revoked);
	forget();
	/* a nonce's flight, whose responder does without */
	client = kit_post(kit_about("01", kit_nonce("0102030405060708")), 0);
	kit_answer(status_at(CERT_GOOD, -3600, NO_EXTS));
	cr_expect(slice_eq(stage_body(client), revoked));
	forget();
	kit_expect(kit_ask("01"), revoked, KIT_HIT_DISK(86400));
	/* the twin of another key's answer */
	forget();
	singles[0] = single_as("sha256", CERT_GOOD);
	singles[1] = single_as("sha1", CERT_GOOD);
	singles[0].this_update = singles[1].this_update -= 3600;
	ask_as("01", HASH_SHA256);
	kit_answer(kit_signed(singles, 2, NO_EXTS));
	cr_expect(slice_eq(stage_body(kit_ask("01")), revoked));
	forget();
	kit_expect(kit_ask("01"), revoked, KIT_HIT_DISK(86400));
	kit_close();
}

Test(flight_answers, NO_06_copy_on_disk_is_a_fallback_too)
{
	struct connection *client;
	struct slice response;

	kit_open();
	response = kit_store("01", 0, PKI_DAY);
	forget();
	client = kit_post(kit_about("01", kit_nonce("0102030405060708")), 0);
	kit_refuse(500);
	kit_expect(client, response, "ocsprelay; hit; ttl=86400; detail=nonce-fallback");
	kit_close();
}

/* Memory is full of others when the refresh ends. */
static void evict(void)
{
	struct cache_key key;
	struct entry *entry;

	kit_key("01", &key);
	for (unsigned i = 0; i < 5000; i++) {
		entry = cache_peek(kit.common.cache, key_bytes(&key),
				   cache_hash(kit.common.cache, key_bytes(&key)));
		if (entry == NULL)
			return;
		atomic_store(&entry->marks, 0);
		entry_unref(entry);
		kit_store(kit_serial(i), 0, PKI_DAY);
	}
	cr_assert_fail("nothing is evicted");
}

Test(flight_answers, CL_16_refresh_is_compared_with_what_it_began_with)
{
	struct slice revoked;

	kit_prepare();
	kit.settings.cache.memory = 1 << 20;
	kit.n_stores = 0;
	kit_start();
	kit_ask("01");
	revoked = status_at(CERT_REVOKED, 0, NO_EXTS);
	kit_answer(revoked);
	stage_pass(61 * 1000);
	kit_post(kit_about("01", NO_EXTS), HTTP_NO_CACHE);
	evict();
	stage_answer_ok(1, status_at(CERT_GOOD, -3600, NO_EXTS));
	stage_pass(0);
	cr_expect(slice_eq(stage_body(kit_ask("01")), revoked));
	kit_close();
}

/* What was taken out on purpose is not put back by whoever still holds it. */
Test(flight_answers, CL_23_refresh_does_not_undo_a_purge)
{
	struct slice older;

	kit_prepare();
	kit.n_stores = 0;
	kit_start();
	kit_ask("01");
	kit_answer(status_at(CERT_REVOKED, 0, NO_EXTS));
	stage_pass(61 * 1000);
	kit_post(kit_about("01", NO_EXTS), HTTP_NO_CACHE);
	forget();
	older = status_at(CERT_GOOD, -3600, NO_EXTS);
	kit_answer(older);
	cr_expect(slice_eq(stage_body(kit_ask("01")), older));
	kit_close();
}

/* --- not modified ----------------------------------------------------------------------------- */

static const struct stage_request *last_request(void)
{
	return &stage_upstream.requests[stage_upstream.n_requests - 1];
}

static struct slice store_with_etag(int64_t until)
{
	struct slice response = kit_good("01", 0, until);

	kit_ask("01");
	kit_end(&(struct upstream_answer){.http_status = 200, .body = response, .etag = ETAG});
	return response;
}

static void answer_304(void)
{
	kit_end(&(struct upstream_answer){.err = ERR_UP_REDIRECT, .http_status = 304});
}

/* A hit that is due for a refresh starts one behind itself. */
static void start_refresh(void)
{
	stage_pass(12 * 3600 * 1000);
	kit_ask("01");
	kit_tick();
}

Test(flight_answers, HC_04_CL_20_not_modified_moves_the_refresh_and_nothing_else)
{
	struct slice response;

	kit_open();
	response = store_with_etag(2 * PKI_DAY);
	start_refresh();
	cr_assert_eq(stage_upstream.n_requests, 2);
	cr_expect_str_eq(last_request()->etag, ETAG);
	cr_expect_not(last_request()->post);
	answer_304();
	cr_expect_eq(counter_sum(METRIC_REFRESHES, kit.issuer->slot, LABEL_OUTCOME_OK, 0), 1);
	kit_expect(kit_ask("01"), response, KIT_HIT(129600));
	cr_expect_eq(stage_upstream.n_requests, 2, "refreshed just now");
	start_refresh(); /* conditional again, by what the one before confirmed */
	cr_expect_str_eq(last_request()->etag, ETAG);
	answer_304();
	stage_pass(PKI_DAY * 1000);
	kit_ask("01");
	cr_expect_str_eq(last_request()->etag, "");
	kit_close();
}

Test(flight_answers, CL_20_not_modified_does_not_outlive_the_end)
{
	struct connection *client;

	kit_prepare();
	kit.policy.expiry_margin = 0;
	kit_start();
	store_with_etag(PKI_DAY);
	stage_pass((PKI_DAY - 1) * 1000);
	kit_ask("01");
	kit_tick();
	cr_expect_str_eq(last_request()->etag, ETAG);
	stage_pass(1000);
	answer_304();
	client = kit_ask("01");
	cr_expect_eq(stage_answers(client), 0);
	cr_expect_str_eq(last_request()->etag, "");
	kit_close();
}

Test(flight_answers, HC_04_last_margin_is_unconditional)
{
	kit_open();
	store_with_etag(1000);
	stage_pass(800 * 1000);
	kit_ask("01");
	cr_assert_eq(stage_upstream.n_requests, 2);
	cr_expect_str_eq(last_request()->etag, "");
	kit_close();
}

Test(flight_answers, HC_04_etag_is_for_the_responder_that_gave_it)
{
	kit_prepare();
	kit.urls[1] = KIT_URL(2);
	kit_start();
	store_with_etag(2 * PKI_DAY);
	start_refresh();
	cr_expect_str_eq(last_request()->etag, ETAG);
	kit_refuse(500);
	cr_assert_eq(stage_upstream.n_requests, 3);
	cr_expect_str_eq(last_request()->etag, "");
	kit_close();
}

/* Whoever says so unasked has not answered. */
Test(flight_answers, HC_04_EM_11_not_modified_without_a_condition_is_a_failure)
{
	struct connection *client;

	kit_open();
	client = kit_ask("01");
	answer_304();
	cr_expect(slice_eq(stage_body(client), TRY_LATER));
	kit_close();
}

/* A client that says no-cache wants the octets. */
Test(flight_answers, HC_04_HS_25_no_cache_is_unconditional)
{
	kit_open();
	store_with_etag(2 * PKI_DAY);
	stage_pass(61 * 1000);
	kit_post(kit_about("01", NO_EXTS), HTTP_NO_CACHE);
	cr_assert_eq(stage_upstream.n_requests, 2);
	cr_expect_str_eq(last_request()->etag, "");
	kit_close();
}
