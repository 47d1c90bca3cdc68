/* SPDX-License-Identifier: ISC */
/* Reading copies of the shared store, which may be a moment behind: good enough for a client's
 * first look, and for nothing that somebody has just written. */
#include "relay/lookup.h"

#include "core/news.h"
#include "core/record.h"
#include "relay_kit.h"

#define HIT_REDIS(ttl) "ocsprelay; hit; ttl=" #ttl "; detail=redis"

static struct cache_key key; /* of the certificate 01 */

/* A shared store behind so many others. */
static void open_behind(size_t n_own)
{
	kit_prepare();
	kit.n_stores = n_own + 1;
	kit.shared_store = n_own + 1;
	kit_start();
	kit_key("01", &key);
	stage_pass(0);
}

static void open_relay(void)
{
	open_behind(0);
}

static struct slice record_due_in(struct slice response, int64_t refresh)
{
	struct record record = {
	    .fetched_at = clock_wall() - 50, .refresh_at = clock_wall() + refresh, .der = response};
	uint8_t header[RECORD_HEADER_LEN];

	record_put_header(header, &record);
	return CAT(slice_of(header, sizeof(header)), response);
}

static struct slice record_of(struct slice response)
{
	return record_due_in(response, 3600);
}

static void put(struct slice response)
{
	store_put(kit.backs[0]->stores[0], key_bytes(&key), record_of(response), INT64_MAX);
	stage_stores.n_puts = 0;
}

static struct slice revoked_since(int64_t from)
{
	return kit_signed(&(struct pki_single){.serial = "01",
					       .status = CERT_REVOKED,
					       .this_update = clock_wall() + from,
					       .next_update = clock_wall() + from + PKI_DAY,
					       .revoked_at = PKI_NOW - PKI_DAY},
			  1, NO_EXTS);
}

static void expect_untouched(void)
{
	cr_expect_eq(stage_stores.n_deletes, 0);
	cr_expect_eq(stage_stores.n_puts, 0);
	cr_expect_eq(
	    counter_sum(METRIC_STORE_OPERATIONS, 0, LABEL_OP_GET, LABEL_STORE_RESULT_REFUSED), 0);
	cr_expect_eq(kit.n_events[EVENT_ROLLBACK_REFUSED], 0);
	cr_expect_eq(kit.n_events[EVENT_RECORD_REFUSED], 0);
}

Test(lookup_copies, a_good_copy_is_served)
{
	struct slice response;

	open_relay();
	response = kit_good("01", -100, PKI_DAY);
	stage_stores.copy = record_of(response);
	kit_expect(kit_ask("01"), response, HIT_REDIS(86400));
	cr_expect_eq(stage_stores.n_copies, 1);
	cr_expect_eq(stage_stores.n_gets, 1);
	cr_expect_eq(stage_upstream.n_requests, 0);
	kit_close();
}

/* It says nothing about the store: what is there is neither deleted nor passed over. */
Test(lookup_copies, VS_24_the_store_is_asked_where_a_copy_is_no_good)
{
	static const char *const serials[] = {"01", "02", "03"};

	open_relay();
	for (unsigned i = 0; i < N_ELEMENTS(serials); i++) {
		struct slice response = kit_good(serials[i], -100, PKI_DAY);
		struct slice copies[] = {slice_text("garbage"),
					 record_of(kit_good(serials[i], -1000, -500)),
					 record_of(kit_good("04", -100, PKI_DAY))};

		kit_key(serials[i], &key);
		put(response);
		stage_stores.copy = copies[i];
		kit_expect(kit_ask(serials[i]), response, HIT_REDIS(86400));
		cr_expect_eq(stage_stores.n_copies, i + 1);
		cr_expect_eq(stage_stores.n_gets, 2 * (i + 1));
	}
	cr_expect_eq(stage_upstream.n_requests, 0);
	expect_untouched();
	kit_close();
}

Test(lookup_copies, CL_08_CL_16_the_successor_of_a_copy_that_is_about_to_end_is_in_the_store)
{
	struct slice response;

	open_relay();
	response = kit_good("01", -100, PKI_DAY);
	put(response);
	stage_stores.copy = record_due_in(kit_good("01", -1000, 200), -100);
	kit_expect(kit_ask("01"), response, HIT_REDIS(86400));
	cr_expect_eq(stage_upstream.n_requests, 0);
	expect_untouched();
	kit_close();
}

static void never(void *arg)
{
	(void)arg;
	cr_assert_fail("stage stores answer at once");
}

/* A look-up on its way while something newer comes into memory. */
Test(lookup_copies, CL_16_a_copy_older_than_memory_is_no_rollback)
{
	struct lookup lookup;
	struct entry *entry = NULL;
	struct ask *question;
	struct slice revoked;
	const char *name;

	open_relay();
	kit_ask("01");
	revoked = revoked_since(-10);
	kit_answer(revoked);
	stage_stores.n_puts = 0;
	stage_stores.copy = record_of(kit_good("01", -100, PKI_DAY));
	question = ask_from_key(ASK_SHARED, kit.backs[0]->rules->issuers, &key,
				cache_hash(kit.common.cache, key_bytes(&key)));
	lookup_init(&lookup, kit.backs[0], question, never, NULL);
	cr_expect_eq(lookup_ask(&lookup), STEP_NEXT);
	cr_expect_not(lookup_check(&lookup, &entry, &name));
	cr_expect_null(entry);
	cr_expect_eq(lookup_ask(&lookup), STEP_NEXT);
	cr_assert(lookup_check(&lookup, &entry, &name));
	cr_expect_eq(entry->status, CERT_REVOKED);
	cr_expect_eq(lookup_ask(&lookup), STEP_DONE);
	cr_expect_eq(stage_stores.n_copies, 1);
	expect_untouched();
	entry_unref(entry);
	ask_free(question);
	kit_close();
}

static void tell(const char *sender)
{
	struct news news = {.kind = NEWS_STORED,
			    .sender = slice_text(sender),
			    .key = key,
			    .this_update = clock_wall() - 10,
			    .produced_at = clock_wall() - 10};
	char text[NEWS_MAX];

	stage_say(kit.common.stores[kit.shared_store - 1], slice_of(text, news_write(text, &news)));
	stage_pass(0);
}

Test(lookup_copies, CL_17_what_news_announces_is_taken_from_the_store)
{
	struct slice revoked;

	open_relay();
	stage_stores.copy = record_of(kit_good("01", -100, PKI_DAY));
	kit_ask("01");
	cr_expect_eq(stage_stores.n_copies, 1);
	revoked = revoked_since(-10);
	put(revoked);
	tell("another");
	cr_expect(slice_eq(stage_body(kit_ask("01")), revoked));
	cr_expect_eq(stage_stores.n_copies, 1);
	cr_expect_eq(stage_stores.n_notes, 1, "copies may not have it yet");
	tell(kit.common.pseudonym);
	cr_expect_eq(stage_stores.n_notes, 2, "nor what is our own");
	kit_close();
}

/* Also where memory has nothing to compare with any more. */
Test(lookup_copies, CL_16_CL_17_what_only_our_own_store_has_is_compared_with_the_store)
{
	struct slice good;

	open_behind(1);
	good = kit_good("01", -100, PKI_DAY);
	put(good);
	stage_stores.copy = record_of(good);
	tell("another");
	cr_expect_eq(stage_stores.n_copies, 0);
	cr_expect_gt(stage_stores.n_gets, 2, "the store was asked");
	kit_close();
}

/* A copy that lacks what the one with the lease has stored would cost the CA a second fetch. */
Test(lookup_copies, what_another_one_fetches_is_taken_from_the_store)
{
	struct connection *client;
	struct slice response;

	open_relay();
	stage_lease_elsewhere(kit.common.stores[0], key_bytes(&key));
	stage_stores.copy = slice_text("garbage");
	client = kit_ask("01");
	cr_expect_eq(stage_stores.n_copies, 1);
	response = kit_good("01", -100, PKI_DAY);
	put(response);
	stage_pass(250);
	kit_expect(client, response, HIT_REDIS(86400));
	cr_expect_eq(stage_stores.n_copies, 1);
	cr_expect_eq(stage_upstream.n_requests, 0);
	kit_close();
}
