/* SPDX-License-Identifier: ISC */
/* LOAD and CHECK: what becomes of what a store gives (VS-24), and of what it is given. */
#include "relay/flight.h"

#include "core/record.h"
#include "relay_kit.h"

static struct cache_key key;

static void open_with(size_t n_stores)
{
	kit_prepare();
	kit.n_stores = n_stores;
	kit_start();
	kit_key("01", &key);
}

/* A record of serial 01 is in the i-th store. Times are seconds from now. */
static void put(size_t i, struct slice der, int64_t fetched, int64_t refresh)
{
	struct record record = {
	    .fetched_at = clock_wall() + fetched, .refresh_at = clock_wall() + refresh, .der = der};
	uint8_t header[RECORD_HEADER_LEN];

	record_put_header(header, &record);
	store_put(kit.backs[0]->stores[i], key_bytes(&key),
		  CAT(slice_of(header, sizeof(header)), der), INT64_MAX);
	stage_stores.n_puts = 0;
}

static bool is_in(size_t i)
{
	return stage_record(kit.common.stores[i], key_bytes(&key)).len > 0;
}

static int64_t n_refused(void)
{
	return counter_sum(METRIC_STORE_OPERATIONS, 0, LABEL_OP_GET, LABEL_STORE_RESULT_REFUSED);
}

Test(flight_stores, VS_24_HS_24_valid_record_is_served)
{
	struct slice response;

	open_with(1);
	response = kit_good("01", -100, PKI_DAY);
	put(0, response, -50, 3600);
	kit_expect(kit_ask("01"), response, KIT_HIT_DISK(86400));
	kit_expect(kit_ask("01"), response, KIT_HIT(86400));
	cr_expect_eq(stage_upstream.n_requests, 0);
	cr_expect_eq(stage_stores.n_gets, 1);
	cr_expect_eq(stage_stores.n_puts, 0);
	kit_close();
}

Test(flight_stores, HC_11_one_look_for_all_who_wait)
{
	struct connection *clients[10];
	struct slice response;

	open_with(1);
	response = kit_good("01", -100, PKI_DAY);
	put(0, response, -50, 3600);
	stage_stores.is_slow = true;
	for (unsigned i = 0; i < 10; i++)
		clients[i] = kit_send(kit_about("01", NO_EXTS), 0);
	stage_pass(0);
	for (unsigned i = 0; i < 10; i++)
		kit_expect(clients[i], response, KIT_HIT_DISK(86400));
	cr_expect_eq(stage_stores.n_gets, 1);
	kit_close();
}

Test(flight_stores, VS_24_tampered_record_is_deleted_and_fetched)
{
	struct slice response, tampered;
	struct connection *client;

	open_with(1);
	response = kit_good("01", -100, PKI_DAY);
	tampered = CAT(response);
	((uint8_t *)(uintptr_t)tampered.p)[tampered.len - 5] ^= 1;
	put(0, tampered, -50, 3600);
	client = kit_ask("01");
	cr_expect_eq(stage_stores.n_deletes, 1);
	cr_expect_not(is_in(0));
	cr_expect_eq(n_refused(), 1);
	cr_expect_eq(kit.n_events[EVENT_RECORD_REFUSED], 1);
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_answer(response);
	kit_expect(client, response, KIT_MISS);
	cr_expect(is_in(0));
	kit_close();
}

Test(flight_stores, VS_24_no_record_is_believed)
{
	struct slice good, rows[5];

	open_with(1);
	good = kit_good("01", -100, PKI_DAY);
	rows[0] = kit_good("02", -100, PKI_DAY);	       /* of another certificate */
	rows[1] = kit_good("01", 1000, PKI_DAY);	       /* from the future */
	rows[2] = UNAUTHORIZED;				       /* no answer at all */
	rows[3] = CAT(good, build_fill(0, 1));		       /* something behind it */
	rows[4] = CAT(good, build_fill(0, 131073 - good.len)); /* too large for any answer */
	for (unsigned i = 0; i < N_ELEMENTS(rows); i++) {
		struct connection *client;

		put(0, rows[i], -50, 3600);
		client = kit_ask("01");
		cr_expect_eq(stage_answers(client), 0, "row %u", i);
		cr_expect_not(is_in(0), "row %u", i);
		cr_expect_eq(n_refused(), i + 1);
		kit_refuse(500);
		cr_expect(slice_eq(stage_body(client), TRY_LATER), "row %u", i);
		stage_pass(5000);
	}
	kit_close();
}

Test(flight_stores, VS_24_record_of_another_version)
{
	struct slice response;

	open_with(1);
	response = kit_good("01", -100, PKI_DAY);
	store_put(kit.backs[0]->stores[0], key_bytes(&key),
		  CAT(HEX("02"), build_fill(0, RECORD_HEADER_LEN - 1), response), INT64_MAX);
	kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, 1);
	cr_expect_not(is_in(0));
	kit_close();
}

Test(flight_stores, CL_02_expired_record_is_deleted_and_fetched)
{
	open_with(1);
	put(0, kit_good("01", -PKI_DAY, 10), -PKI_DAY / 2, 0);
	stage_pass(10 * 1000);
	kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, 1);
	cr_expect_not(is_in(0));
	cr_expect_eq(n_refused(), 0, "no fault of the store's");
	kit_close();
}

/* Kept for a short time because we say so: that time began when it was fetched. */
Test(flight_stores, CL_13_unknown_does_not_live_longer_over_a_restart)
{
	const struct pki_single unknown = {.serial = "01",
					   .status = CERT_UNKNOWN,
					   .this_update = PKI_NOW - 250,
					   .next_update = PKI_NOW + PKI_DAY};
	struct slice response;

	open_with(1);
	response = kit_signed(&unknown, 1, NO_EXTS);
	put(0, response, -250, 3600);
	kit_expect(kit_ask("01"), response, KIT_HIT_DISK(50));
	stage_pass(50 * 1000);
	put(0, response, -300, 3600);
	kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}

Test(flight_stores, VS_24_hints_of_a_record_lengthen_nothing)
{
	struct connection *client;
	struct slice response;

	open_with(1);
	response = kit_good("01", -100, PKI_DAY);
	put(0, response, PKI_YEAR, PKI_YEAR); /* fetched, and to be refreshed, in a year */
	client = kit_ask("01");
	kit_expect(client, response, KIT_HIT_DISK(86400));
	cr_expect_str_eq(stage_field(client, "Cache-Control"),
			 "max-age=43150, public, no-transform, must-revalidate");
	kit_close();
}

Test(flight_stores, CL_07_due_record_is_served_and_refreshed_behind)
{
	struct slice old, new;

	open_with(1);
	old = kit_good("01", -100, PKI_DAY);
	put(0, old, -100, -10);
	kit_expect(kit_ask("01"), old, KIT_HIT_DISK(86400));
	kit_tick();
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_expect(kit_ask("01"), old, KIT_HIT(86400));
	cr_expect_eq(stage_upstream.n_requests, 1);
	new = kit_good("01", 0, PKI_DAY);
	kit_answer(new);
	kit_expect(kit_ask("01"), new, KIT_HIT(86400));
	kit_close();
}

Test(flight_stores, VS_24_CL_08_ending_record_is_fetched_first)
{
	struct connection *client;
	struct slice new;

	open_with(1);
	put(0, kit_good("01", -1000, 200), -1000, -100);
	client = kit_ask("01");
	cr_expect_eq(stage_answers(client), 0);
	new = kit_good("01", 0, PKI_DAY);
	kit_answer(new);
	kit_expect(client, new, KIT_MISS);
	kit_close();
}

Test(flight_stores, VS_24_CL_08_CL_18_ending_record_is_the_fallback)
{
	struct connection *client;
	struct slice old;

	open_with(1);
	old = kit_good("01", -1000, 200);
	put(0, old, -1000, -100);
	client = kit_ask("01");
	kit_refuse(503);
	kit_expect(client, old, KIT_HIT_DISK(200));
	kit_expect(kit_ask("01"), old, KIT_HIT(200));
	cr_expect_eq(stage_upstream.n_requests, 1);
	cr_expect_eq(negative_count(kit.common.negative), 0);
	kit_close();
}

Test(flight_stores, stores_are_asked_in_order)
{
	struct slice response;

	open_with(3);
	response = kit_good("01", -100, PKI_DAY);
	put(0, kit_good("02", -100, PKI_DAY), -50, 3600);
	put(2, response, -50, 3600);
	kit_expect(kit_ask("01"), response, KIT_HIT_DISK(86400));
	cr_expect_eq(stage_stores.n_gets, 3);
	for (size_t i = 0; i < 3; i++) /* copied up */
		cr_expect(is_in(i));
	kit_close();
}

/* The one behind may hold the successor of what is about to end. */
Test(flight_stores, CL_08_further_store_may_have_a_newer_one)
{
	struct slice ending, newer;

	open_with(2);
	ending = kit_good("01", -100, 200);
	newer = kit_good("01", -10, PKI_DAY);
	put(0, ending, -50, 0);
	put(1, newer, -5, 3600);
	kit_expect(kit_ask("01"), newer, KIT_HIT_DISK(86400));
	cr_expect_eq(stage_upstream.n_requests, 0);
	kit_close();
}

Test(flight_stores, slow_stores_are_asked_in_order)
{
	struct connection *client;
	struct slice response;

	open_with(2);
	stage_stores.is_slow = true;
	response = kit_good("01", -100, PKI_DAY);
	put(1, response, -50, 3600);
	client = kit_ask("01");
	kit_expect(client, response, KIT_HIT_DISK(86400));
	kit_ask("02");
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}

Test(flight_stores, EM_24_failing_store_is_gone_around)
{
	struct connection *client;
	struct slice response;

	open_with(2);
	response = kit_good("01", -100, PKI_DAY);
	put(0, response, -50, 3600);
	stage_stores.err = ERR_STORE_FAULT;
	client = kit_ask("01");
	cr_expect_eq(stage_stores.n_gets, 2);
	cr_expect_eq(stage_stores.n_deletes, 0);
	kit_answer(response);
	kit_expect(client, response, KIT_MISS);
	kit_close();
}

Test(flight_stores, written_through_as_received)
{
	struct slice response, bytes;
	struct record record;

	open_with(2);
	response = kit_store("01", -100, PKI_DAY);
	cr_expect_eq(stage_stores.n_puts, 2);
	for (size_t i = 0; i < 2; i++) {
		bytes = stage_record(kit.common.stores[i], key_bytes(&key));
		cr_assert_eq(record_parse(bytes, 131072, &record), OK);
		cr_expect(slice_eq(record.der, response));
		cr_expect_eq(record.fetched_at, PKI_NOW);
		cr_expect_eq(record.refresh_at, PKI_NOW + 43150);
	}
	kit_close();
}

Test(flight_stores, refreshes_do_not_look_into_stores)
{
	open_with(1);
	kit_store("01", 0, PKI_DAY);
	stage_stores.n_gets = 0;
	stage_pass(12 * 3600 * 1000);
	kit_ask("01");
	kit_tick();
	cr_expect_eq(stage_upstream.n_requests, 2);
	cr_expect_eq(stage_stores.n_gets, 0);
	kit_close();
}

Test(flight_stores, CL_19_failures_are_not_stored)
{
	open_with(1);
	kit_ask("01");
	kit_answer(UNAUTHORIZED);
	cr_expect_eq(stage_stores.n_puts, 0);
	kit_close();
}
