/* SPDX-License-Identifier: ISC */
/* Bundles are believed nothing: what verifies is kept, the rest is told. */
#include "relay/importing.h"

#include "core/bundle.h"
#include "core/record.h"
#include "relay_kit.h"

static struct {
	struct desk *desk;
	struct buf bundle;
	unsigned n_done;
	struct importing_count count;
	err_t errs[8];
	size_t n_errs;
	bool has_key;
} play;

static void on_refused(void *arg, const struct cache_key *key, err_t err)
{
	cr_expect_eq(arg, &play);
	cr_assert_lt(play.n_errs, N_ELEMENTS(play.errs));
	play.has_key = key != NULL;
	play.errs[play.n_errs++] = err;
}

static void on_done(void *arg, const struct importing_count *count)
{
	cr_expect_eq(arg, &play);
	play.n_done++;
	play.count = *count;
}

static void open_desk(void)
{
	kit_open();
	play.desk = desk_new(&kit.common, kit.main_loop, kit.rules);
	cr_assert_not_null(play.desk);
	buf_init(&play.bundle, 1 << 20);
	bundle_put_head(&play.bundle);
}

static void close_desk(void)
{
	stage_pass(0);
	desk_free(play.desk);
	buf_fini(&play.bundle);
	kit_close();
}

/* A record of this DER under the key of this serial of this issuer. */
static void put_of(const struct issuer *issuer, const char *serial, struct slice der)
{
	struct record record = {
	    .fetched_at = clock_wall() - 50, .refresh_at = clock_wall() + 3600, .der = der};
	uint8_t header[RECORD_HEADER_LEN];
	struct cache_key key;

	record_put_header(header, &record);
	key_make(&key, issuer->id, HASH_SHA1, HEX(serial));
	bundle_put_record(&play.bundle, &key, CAT(slice_of(header, sizeof(header)), der));
}

static void put(const char *serial, struct slice der)
{
	put_of(kit.issuer, serial, der);
}

static struct importing *start(void)
{
	struct importing *importing = NULL;

	cr_assert_eq(importing_start(play.desk, buf_slice(&play.bundle),
				     &(struct importing_ops){
					 .refused = on_refused, .done = on_done, .arg = &play},
				     &importing),
		     OK);
	return importing;
}

static void import(void)
{
	start();
	memset(play.bundle.p, 'x', play.bundle.len);
	cr_expect_eq(play.n_done, 0, "called from inside");
	stage_pass(0);
	cr_expect_eq(play.n_done, 1);
}

Test(importing, good_ones_are_served_and_stored)
{
	struct slice response;
	struct cache_key key;

	open_desk();
	response = kit_good("01", -100, PKI_DAY);
	put("01", response);
	put("02", kit_good("02", -100, PKI_DAY));
	bundle_put_end(&play.bundle, 2, true);
	import();
	cr_expect_eq(play.count.n_kept, 2);
	cr_expect_eq(play.count.n_refused + play.count.n_older, 0);
	kit_expect(kit_ask("01"), response, KIT_HIT(86400));
	cr_expect_eq(stage_upstream.n_requests, 0);
	kit_key("02", &key);
	cr_expect_gt(stage_record(kit.common.stores[0], key_bytes(&key)).len, 0);
	close_desk();
}

Test(importing, VS_24_bad_ones_are_refused_one_by_one)
{
	struct slice forged;

	open_desk();
	forged = kit_good("03", -100, PKI_DAY);
	((uint8_t *)(uintptr_t)forged.p)[forged.len - 1] ^= 1;
	put("01", kit_good("02", -100, PKI_DAY));
	put("03", forged);
	put("04", kit_good("04", -2 * PKI_DAY, -PKI_DAY));
	put_of(issuers_at(kit.issuers, 1), "05", kit_good("05", -100, PKI_DAY));
	put("06", kit_good("06", -100, PKI_DAY));
	bundle_put_end(&play.bundle, 5, true);
	import();
	cr_expect_eq(play.count.n_kept, 1);
	cr_expect_eq(play.count.n_refused, 4);
	cr_expect_eq(play.errs[0], ERR_RSP_CERTID);
	cr_expect_eq(play.errs[1], ERR_RSP_SIGNATURE);
	cr_expect_eq(play.errs[2], ERR_RSP_EXPIRED);
	cr_expect_eq(play.errs[3], ERR_RSP_CERTID);
	cr_expect(play.has_key);
	close_desk();
}

Test(importing, issuer_that_is_not_configured)
{
	struct issuer stranger;

	open_desk();
	stranger = *kit.issuer;
	stranger.id[0] ^= 1;
	put_of(&stranger, "01", kit_good("01", -100, PKI_DAY));
	bundle_put_end(&play.bundle, 1, true);
	import();
	cr_expect_eq(play.count.n_refused, 1);
	cr_expect_eq(play.errs[0], ERR_ISSUER_UNKNOWN);
	close_desk();
}

Test(importing, CL_16_older_ones_do_not_replace)
{
	struct slice newer;

	open_desk();
	newer = kit_store("01", -100, PKI_DAY);
	put("01", kit_good("01", -5000, PKI_DAY));
	bundle_put_end(&play.bundle, 1, true);
	import();
	cr_expect_eq(play.count.n_older, 1);
	cr_expect_eq(play.count.n_kept + play.count.n_refused, 0);
	kit_expect(kit_ask("01"), newer, KIT_HIT(86400));
	close_desk();
}

Test(importing, damage_costs_what_is_damaged)
{
	open_desk();
	put("01", kit_good("01", -100, PKI_DAY));
	buf_text(&play.bundle, "rec");
	put("02", kit_good("02", -100, PKI_DAY));
	put("03", kit_good("03", -100, PKI_DAY));
	import();
	cr_expect_eq(play.count.n_kept, 2);
	cr_expect_eq(play.count.n_refused, 2, "the second one, and the end is missing");
	cr_expect_eq(play.errs[0], ERR_SYNTAX);
	cr_expect_eq(play.errs[1], ERR_SYNTAX);
	cr_expect_not(play.has_key);
	close_desk();
}

Test(importing, what_is_no_bundle)
{
	static const struct {
		const char *text;
		err_t err;
	} rows[] = {
	    {"", ERR_SYNTAX}, {"{}", ERR_SYNTAX}, {"ocsprelay-bundle 2\n", ERR_RECORD_VERSION}};
	struct importing *importing = NULL;

	open_desk();
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(importing_start(play.desk, slice_text(rows[i].text),
					     &(struct importing_ops){.done = on_done}, &importing),
			     rows[i].err, "%zu", i);
	cr_expect_null(importing);
	close_desk();
}

Test(importing, cancelled_it_tells_nobody)
{
	struct importing *importing;

	open_desk();
	put("01", kit_good("01", -100, PKI_DAY));
	bundle_put_end(&play.bundle, 1, true);
	importing = start();
	importing_cancel(importing);
	importing_cancel(NULL);
	stage_pass(0);
	cr_expect_eq(play.n_done, 0);
	close_desk();
}

Test(importing, ends_with_the_relay)
{
	open_desk();
	put("01", kit_good("01", -100, PKI_DAY));
	bundle_put_end(&play.bundle, 1, true);
	stage_hold(kit.backs[0]->asks, true);
	start();
	stage_pass(0);
	front_free(kit.front);
	kit.front = NULL;
	back_free(kit.backs[0]);
	kit.backs[0] = NULL;
	desk_free(play.desk);
	buf_fini(&play.bundle);
	cr_expect_eq(play.n_done, 0);
	kit_close();
}
