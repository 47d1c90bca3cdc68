/* SPDX-License-Identifier: ISC */
/* Several relays behind one store: one fetches, the others take what it stored. */
#include "relay/fleet.h"

#include "core/news.h"
#include "core/record.h"
#include "relay/ask.h"
#include "relay/flight.h"
#include "relay_kit.h"

#define HIT_REDIS(ttl) "ocsprelay; hit; ttl=" #ttl "; detail=redis"

static struct cache_key key; /* of the certificate 01 */

/* A store of our own, and one that is shared. */
static void open_fleet(void)
{
	kit_prepare();
	kit.n_stores = 2;
	kit.shared_store = 2;
	kit_start();
	kit_key("01", &key);
	stage_pass(0);
}

static struct store_shared *shared(void)
{
	return kit.common.stores[kit.shared_store - 1];
}

/* Another relay stores a response that it fetched so many seconds ago. */
static void store_with_hint(struct slice response, int64_t ago, int64_t refresh_in)
{
	struct record record = {.fetched_at = clock_wall() - ago,
				.refresh_at = clock_wall() + refresh_in,
				.der = response};
	struct store *store = store_attach(shared(), kit.main_loop);
	uint8_t header[RECORD_HEADER_LEN];

	record_put_header(header, &record);
	store_put(store, key_bytes(&key), CAT(slice_of(header, sizeof(header)), response),
		  clock_wall() + PKI_DAY);
	store_detach(store);
}

static void store_elsewhere(struct slice response, int64_t ago)
{
	store_with_hint(response, ago, 3600);
}

static void tell(const char *sender, int64_t this_update)
{
	struct news news = {.kind = NEWS_STORED,
			    .sender = slice_text(sender),
			    .key = key,
			    .this_update = this_update,
			    .produced_at = this_update};
	char text[NEWS_MAX];

	stage_say(shared(), slice_of(text, news_write(text, &news)));
	stage_pass(0);
}

static struct slice signed_as(enum cert_status status, int64_t from)
{
	return kit_signed(&(struct pki_single){.serial = "01",
					       .status = status,
					       .this_update = clock_wall() + from,
					       .next_update = clock_wall() + from + PKI_DAY,
					       .revoked_at = PKI_NOW - PKI_DAY},
			  1, NO_EXTS);
}

/* --- whose turn it is ------------------------------------------------------------------------- */

Test(fleet, lease_is_held_while_fetching_and_given_up_after_storing)
{
	struct connection *client;
	struct slice response;

	open_fleet();
	client = kit_ask("01");
	cr_assert_eq(stage_upstream.n_requests, 1);
	cr_expect(stage_is_leased(shared(), key_bytes(&key)));
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	kit_expect(client, response, KIT_MISS);
	cr_expect_not(stage_is_leased(shared(), key_bytes(&key)));
	cr_expect_neq(stage_record(shared(), key_bytes(&key)).len, 0);
	kit_close();
}

Test(fleet, failure_gives_the_lease_up_too)
{
	open_fleet();
	kit_ask("01");
	kit_refuse(500);
	cr_expect_not(stage_is_leased(shared(), key_bytes(&key)));
	kit_close();
}

Test(fleet, who_comes_second_waits_for_news_of_the_first)
{
	struct connection *client, *other;
	struct slice response;

	open_fleet();
	stage_lease_elsewhere(shared(), key_bytes(&key));
	client = kit_ask("01");
	other = kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, 0);
	response = kit_good("01", 0, PKI_DAY);
	store_elsewhere(response, 0);
	tell("another", clock_wall());
	kit_expect(client, response, HIT_REDIS(86400));
	kit_expect(other, response, HIT_REDIS(86400));
	cr_expect_eq(stage_upstream.n_requests, 0);
	/* and our own store has it, too */
	cr_expect_neq(stage_record(kit.common.stores[0], key_bytes(&key)).len, 0);
	kit_close();
}

Test(fleet, lost_news_are_found_by_looking)
{
	struct connection *client;
	struct slice response;

	open_fleet();
	stage_lease_elsewhere(shared(), key_bytes(&key));
	client = kit_ask("01");
	stage_pass(200);
	response = kit_good("01", 0, PKI_DAY);
	store_elsewhere(response, 0);
	stage_pass(50);
	cr_expect(slice_eq(stage_body(client), response));
	cr_expect_eq(stage_upstream.n_requests, 0);
	kit_close();
}

Test(fleet, who_dies_is_replaced)
{
	open_fleet();
	stage_lease_elsewhere(shared(), key_bytes(&key));
	kit_ask("01");
	stage_pass(1000);
	cr_expect_eq(stage_upstream.n_requests, 0);
	stage_lease_elsewhere(shared(), EMPTY);
	stage_pass(250);
	cr_expect_eq(stage_upstream.n_requests, 1);
	cr_expect(stage_is_leased(shared(), key_bytes(&key)));
	kit_close();
}

/* What memory holds by then is the very record. */
Test(fleet, VS_24_CL_08_ending_record_of_the_only_store_is_fetched_first)
{
	struct connection *client;
	struct slice new;

	kit_prepare();
	kit.n_stores = 1;
	kit.shared_store = 1;
	kit_start();
	kit_key("01", &key);
	stage_pass(0);
	store_with_hint(kit_good("01", -1000, 200), 1000, -100);
	client = kit_ask("01");
	cr_expect_eq(stage_answers(client), 0);
	cr_assert_eq(stage_upstream.n_requests, 1);
	new = kit_good("01", 0, PKI_DAY);
	kit_answer(new);
	kit_expect(client, new, KIT_MISS);
	kit_close();
}

/* Between our look into the store and our lease another one may have come and gone. */
Test(fleet, store_is_looked_into_again_with_the_lease)
{
	struct connection *client;
	struct slice response;

	open_fleet();
	stage_stores.is_slow = true;
	stage_stores.ms = 1000;
	client = kit_send(kit_about("01", NO_EXTS), 0);
	stage_pass(0);
	stage_pass(1000); /* our store */
	stage_stores.is_slow = false;
	stage_pass(1000); /* the shared one had nothing, the lease is asked for */
	response = kit_good("01", 0, PKI_DAY);
	cr_expect_eq(stage_upstream.n_requests, 1, "nothing came meanwhile");
	kit_answer(response);
	cr_expect(slice_eq(stage_body(client), response));
	cr_expect_eq(stage_stores.n_gets, 3);
	kit_close();
}

Test(fleet, EM_24_nobody_waits_for_a_store_that_is_down)
{
	struct connection *client;
	struct slice response;

	open_fleet();
	stage_stores.err = ERR_STORE_FAULT;
	client = kit_ask("01");
	cr_assert_eq(stage_upstream.n_requests, 1);
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	kit_expect(client, response, KIT_MISS);
	kit_close();
}

Test(fleet, EM_24_store_that_fails_while_waiting_ends_the_wait)
{
	open_fleet();
	stage_lease_elsewhere(shared(), key_bytes(&key));
	kit_ask("01");
	stage_stores.err = ERR_STORE_FAULT;
	stage_pass(250);
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}

Test(fleet, HC_09_patience_ends_before_the_clients)
{
	open_fleet();
	stage_lease_elsewhere(shared(), key_bytes(&key));
	kit_ask("01");
	stage_pass(3900);
	cr_expect_eq(stage_upstream.n_requests, 0);
	stage_pass(250);
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}

Test(fleet, NO_04_what_is_for_one_client_takes_no_lease)
{
	open_fleet();
	stage_lease_elsewhere(shared(), key_bytes(&key));
	kit_post(kit_about("01", kit_nonce("0102030405060708")), 0);
	cr_expect_eq(stage_upstream.n_requests, 1);
	cr_expect_eq(stage_stores.n_leases, 0);
	kit_close();
}

/* --- refreshes -------------------------------------------------------------------------------- */

Test(fleet, CL_07_refresh_takes_what_another_has_fetched)
{
	struct slice first, second;

	open_fleet();
	first = kit_store("01", 0, PKI_DAY);
	stage_pass(12 * 3600 * 1000);
	second = kit_good("01", 0, PKI_DAY);
	store_elsewhere(second, 0);
	kit_expect(kit_ask("01"), first, KIT_HIT(43200));
	kit_tick();
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_expect(kit_ask("01"), second, KIT_HIT(86400));
	cr_expect_eq(counter_sum(METRIC_REFRESHES, kit.issuer->slot, LABEL_OUTCOME_OK, 0), 1);
	kit_close();
}

/* Where the CA has nothing newer yet, each relay would ask it a minute after the one before. */
Test(fleet, CL_07_refresh_of_another_that_brought_nothing_newer_counts)
{
	struct slice first;

	open_fleet();
	first = kit_store("01", 0, PKI_DAY);
	stage_pass(12 * 3600 * 1000);
	store_with_hint(first, 0, 60);
	kit_ask("01");
	kit_tick();
	kit_ask("01");
	stage_pass(290 * 1000);
	cr_expect_eq(stage_upstream.n_requests, 1);
	stage_pass(12 * 3600 * 1000);
	cr_expect_gt(stage_upstream.n_requests, 1);
	kit_close();
}

Test(fleet, CL_07_refresh_fetches_when_the_store_has_what_we_have)
{
	open_fleet();
	kit_store("01", 0, PKI_DAY);
	stage_pass(12 * 3600 * 1000);
	kit_ask("01");
	kit_tick();
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

/* While the ask was on its way, news brought what it is for. */
Test(fleet, CL_07_HC_11_refresh_that_news_was_faster_than_fetches_nothing)
{
	struct slice second;
	struct ask *ask;

	open_fleet();
	kit_store("01", 0, PKI_DAY);
	stage_pass(12 * 3600 * 1000);
	ask = ask_from_key(ASK_REFRESH, kit.rules->issuers, &key,
			   cache_hash(kit.common.cache, key_bytes(&key)));
	second = kit_good("01", 0, PKI_DAY);
	store_elsewhere(second, 0);
	tell("another", clock_wall());
	flight_join(kit.backs[0], ask);
	stage_pass(0);
	cr_expect_eq(stage_upstream.n_requests, 1);
	cr_expect_eq(stage_stores.n_leases, 1, "that of the first fetch");
	kit_expect(kit_ask("01"), second, KIT_HIT(86400));
	kit_close();
}

/* --- news ------------------------------------------------------------------------------------- */

Test(fleet, what_is_stored_is_told)
{
	struct news news;

	open_fleet();
	kit_store("01", -100, PKI_DAY);
	cr_expect_eq(stage_stores.n_published, 1);
	cr_assert_eq(news_read(slice_text(stage_stores.published), &news), OK);
	cr_expect_eq(news.kind, NEWS_STORED);
	cr_expect(key_eq(&news.key, &key));
	cr_expect_eq(news.this_update, PKI_NOW - 100);
	cr_expect(slice_eq(news.sender, slice_text(kit.common.pseudonym)));
	kit_close();
}

Test(fleet, CL_17_newer_status_is_taken_at_once_and_noticed)
{
	struct slice revoked;

	open_fleet();
	kit_store("01", -100, PKI_DAY);
	revoked = signed_as(CERT_REVOKED, -10);
	store_elsewhere(revoked, 0);
	tell("another", clock_wall() - 10);
	cr_expect(slice_eq(stage_body(kit_ask("01")), revoked));
	cr_expect_eq(stage_upstream.n_requests, 1);
	cr_expect_eq(kit.n_events[EVENT_STATUS_CHANGED], 1);
	cr_expect_eq(stage_stores.n_published, 1, "what others said is not repeated");
	kit_close();
}

Test(fleet, news_that_is_faster_than_its_record_is_waited_for)
{
	struct slice revoked;

	open_fleet();
	kit_store("01", -100, PKI_DAY);
	tell("another", clock_wall() - 10);
	stage_pass(300);
	revoked = signed_as(CERT_REVOKED, -10);
	store_elsewhere(revoked, 0);
	stage_pass(150);
	cr_expect(slice_eq(stage_body(kit_ask("01")), revoked));
	kit_close();
}

Test(fleet, CL_17_news_during_a_look_into_the_store_is_not_lost)
{
	struct slice good, revoked;
	struct connection *client;

	open_fleet();
	good = signed_as(CERT_GOOD, -100);
	store_elsewhere(good, 50);
	stage_stores.is_slow = true;
	stage_stores.ms = 20;
	client = kit_send(kit_about("01", NO_EXTS), 0);
	stage_pass(0);
	stage_pass(20); /* our store has nothing, the shared one is being asked */
	tell("another", clock_wall() - 10);
	stage_pass(20);
	cr_expect(slice_eq(stage_body(client), good), "it was asked too early");
	revoked = signed_as(CERT_REVOKED, -10);
	store_elsewhere(revoked, 0);
	stage_pass(150);
	stage_pass(20);
	cr_expect(slice_eq(stage_body(kit_ask("01")), revoked));
	cr_expect_eq(kit.n_events[EVENT_STATUS_CHANGED], 1);
	kit_close();
}

/* A store that is slow at this moment has the record a little later. */
Test(fleet, EM_24_news_outlives_a_fault_of_the_store)
{
	struct slice revoked;

	open_fleet();
	kit_store("01", -100, PKI_DAY);
	revoked = signed_as(CERT_REVOKED, -10);
	store_elsewhere(revoked, 0);
	stage_stores.err = ERR_STORE_FAULT;
	tell("another", clock_wall() - 10);
	stage_pass(5000);
	stage_stores.err = OK;
	stage_pass(1000);
	cr_expect(slice_eq(stage_body(kit_ask("01")), revoked));
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}

Test(fleet, SL_14_news_without_a_record_comes_to_nothing)
{
	struct slice response;
	unsigned n_gets;

	open_fleet();
	response = kit_store("01", -100, PKI_DAY);
	tell("another", clock_wall() - 10);
	stage_pass(60 * 1000);
	n_gets = stage_stores.n_gets;
	stage_pass(60 * 1000);
	cr_expect_eq(stage_stores.n_gets, n_gets);
	cr_expect(slice_eq(stage_body(kit_ask("01")), response));
	kit_close();
}

/* An older or forged record under this key changes nothing (CL-16, VS-24). */
Test(fleet, CL_16_VS_24_what_news_points_at_is_judged)
{
	struct slice response, forged;
	uint8_t *octets;

	open_fleet();
	response = kit_store("01", -100, PKI_DAY);
	store_elsewhere(signed_as(CERT_GOOD, -3600), 0);
	tell("another", clock_wall());
	cr_expect(slice_eq(stage_body(kit_ask("01")), response));
	cr_expect(slice_eq(slice_skip(stage_record(shared(), key_bytes(&key)), RECORD_HEADER_LEN),
			   response),
		  "nor is it left there");
	forged = signed_as(CERT_REVOKED, -10);
	octets = (uint8_t *)(uintptr_t)forged.p;
	octets[forged.len - 5] ^= 1;
	store_elsewhere(forged, 0);
	tell("another", clock_wall());
	stage_pass(1000);
	cr_expect(slice_eq(stage_body(kit_ask("01")), response));
	cr_expect_geq(kit.n_events[EVENT_RECORD_REFUSED], 1);
	kit_close();
}

Test(fleet, news_that_is_ours_or_old_or_none_is_not_looked_after)
{
	static const char *const words[] = {"", "1 a stored", "2 a purge all", "\xff"};
	unsigned n_gets;

	open_fleet();
	kit_store("01", -100, PKI_DAY);
	n_gets = stage_stores.n_gets;
	tell(kit.common.pseudonym, clock_wall());
	tell("another", clock_wall() - 100);
	tell("another", clock_wall() - 200);
	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		stage_say(shared(), slice_text(words[i]));
		stage_pass(0);
	}
	cr_expect_eq(stage_stores.n_gets, n_gets);
	kit_close();
}

/* What memory does not hold must not come back older. */
Test(fleet, CL_16_what_only_our_own_store_has_is_brought_up_to_date)
{
	struct slice revoked;

	open_fleet();
	kit_store("01", -100, PKI_DAY);
	cr_assert(cache_remove(kit.common.cache, key_bytes(&key),
			       cache_hash(kit.common.cache, key_bytes(&key))));
	revoked = signed_as(CERT_REVOKED, -10);
	store_elsewhere(revoked, 0);
	tell("another", clock_wall() - 10);
	kit_expect(kit_ask("01"), revoked, KIT_HIT(86390));
	cr_expect(slice_eq(
	    slice_skip(stage_record(kit.common.stores[0], key_bytes(&key)), RECORD_HEADER_LEN),
	    revoked));
	kit_close();
}

Test(fleet, news_for_another_back_thread_is_left_to_it)
{
	struct slice revoked;

	kit_prepare();
	kit.n_stores = 2;
	kit.shared_store = 2;
	kit.common.n_backs = 3;
	kit_start();
	kit_key("01", &key);
	kit_store("01", -100, PKI_DAY);
	revoked = signed_as(CERT_REVOKED, -10);
	store_elsewhere(revoked, 0);
	stage_stores.n_gets = 0;
	stage_stores.is_slow = true;
	tell("another", clock_wall() - 10);
	cr_expect_eq(stage_stores.n_gets, 1);
	stage_pass(0);
	cr_expect(slice_eq(stage_body(kit_ask("01")), revoked));
	kit_close();
}

Test(fleet, SL_14_news_of_what_nobody_here_has_asked_for_is_left_alone)
{
	open_fleet();
	store_elsewhere(signed_as(CERT_GOOD, -10), 0);
	tell("another", clock_wall() - 10);
	stage_pass(1000);
	cr_expect_eq(stage_stores.n_puts, 1, "that was the other");
	kit_expect(kit_ask("01"),
		   slice_skip(stage_record(shared(), key_bytes(&key)), RECORD_HEADER_LEN),
		   HIT_REDIS(86389));
	kit_close();
}

/* Whoever may write to the store and to its channel must not empty ours. */
Test(fleet, SL_14_forged_news_takes_nothing_away)
{
	struct slice response;

	open_fleet();
	response = kit_store("01", -100, PKI_DAY);
	cr_assert(cache_remove(kit.common.cache, key_bytes(&key),
			       cache_hash(kit.common.cache, key_bytes(&key))));
	store_elsewhere(signed_as(CERT_GOOD, -3600), 0); /* older */
	tell("another", clock_wall());
	stage_pass(2000);
	cr_expect(slice_eq(stage_body(kit_ask("01")), response));
	cr_expect(slice_eq(
	    slice_skip(stage_record(kit.common.stores[0], key_bytes(&key)), RECORD_HEADER_LEN),
	    response));
	kit_close();
}

/* --- news that was missed --------------------------------------------------------------------- */

static void forget(void)
{
	cr_assert(cache_remove(kit.common.cache, key_bytes(&key),
			       cache_hash(kit.common.cache, key_bytes(&key))));
}

/* As after a restart: who was away does not know what was said. */
Test(fleet, CL_16_own_record_from_before_is_compared_with_the_shared_one)
{
	struct slice response, revoked;

	open_fleet();
	response = kit_store("01", -100, PKI_DAY);
	forget();
	stage_pass(1000);
	stage_listen(shared(), true);
	kit_expect(kit_ask("01"), response, "ocsprelay; hit; ttl=86399; detail=redis");
	forget();
	revoked = signed_as(CERT_REVOKED, -10);
	store_elsewhere(revoked, 0);
	cr_expect(slice_eq(stage_body(kit_ask("01")), revoked));
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}

Test(fleet, EM_24_own_record_is_good_enough_when_the_shared_store_is_down)
{
	struct slice response;

	open_fleet();
	response = kit_store("01", -100, PKI_DAY);
	forget();
	stage_drop(shared());
	kit_expect(kit_ask("01"), response, KIT_HIT_DISK(86400));
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}

Test(fleet, own_record_that_came_while_we_listened_is_believed)
{
	struct slice response;

	open_fleet();
	stage_listen(shared(), true);
	stage_pass(1000);
	response = kit_store("01", -100, PKI_DAY);
	forget();
	stage_stores.n_gets = 0;
	kit_expect(kit_ask("01"), response, KIT_HIT_DISK(86400));
	cr_expect_eq(stage_stores.n_gets, 1);
	kit_close();
}

Test(fleet, CL_17_what_was_missed_is_caught_up_with)
{
	struct slice revoked;

	open_fleet();
	stage_listen(shared(), true);
	stage_pass(1000);
	kit_store("01", -100, PKI_DAY);
	kit_store("02", -100, PKI_DAY);
	stage_listen(shared(), false);
	stage_pass(1000);
	revoked = signed_as(CERT_REVOKED, -10);
	store_elsewhere(revoked, 0);
	stage_pass(1000);
	stage_stores.n_gets = 0;
	stage_listen(shared(), true);
	stage_pass(1000);
	cr_expect_eq(stage_stores.n_gets, 2, "one look for each that is held");
	kit_expect(kit_ask("01"), revoked, KIT_HIT(86388));
	cr_expect_eq(kit.n_events[EVENT_STATUS_CHANGED], 1);
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

/* --- purges ----------------------------------------------------------------------------------- */

static void tell_purge(const char *sender, enum news_kind kind)
{
	const struct news news = {.kind = kind, .sender = slice_text(sender), .key = key};
	char text[NEWS_MAX];

	stage_say(shared(), slice_of(text, news_write(text, &news)));
	stage_pass(0);
}

Test(fleet, CL_23_what_another_purges_is_gone_here_too)
{
	static const enum news_kind kinds[] = {NEWS_PURGE_ALL, NEWS_PURGE_ISSUER, NEWS_PURGE_KEY};

	open_fleet();
	for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
		struct slice response = kit_store("01", (int64_t)i, PKI_DAY);

		tell_purge(kit.common.pseudonym, kinds[i]);
		cr_expect(slice_eq(stage_body(kit_ask("01")), response), "our own words");
		tell_purge("another", kinds[i]);
		cr_expect_eq(stage_record(kit.common.stores[0], key_bytes(&key)).len, 0);
		cr_expect_neq(stage_record(shared(), key_bytes(&key)).len, 0,
			      "that is for who said so");
		store_elsewhere(EMPTY, 0);
	}
	kit_close();
}

Test(fleet, CL_23_purge_of_another_key_spares_this_one)
{
	struct slice response;

	open_fleet();
	response = kit_store("01", 0, PKI_DAY);
	key.serial[0] ^= 1;
	tell_purge("another", NEWS_PURGE_KEY);
	key.serial[0] ^= 1;
	key.issuer_id[0] ^= 1;
	tell_purge("another", NEWS_PURGE_ISSUER);
	cr_expect(slice_eq(stage_body(kit_ask("01")), response));
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}
