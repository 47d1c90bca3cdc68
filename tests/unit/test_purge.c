/* SPDX-License-Identifier: ISC */
/* What is purged is gone from memory, remembered failures and stores; the rest stays. */
#include "relay/purge.h"

#include "relay_kit.h"

static struct {
	unsigned n_done;
	struct purge_result result;
	struct purge_store stores[2];
} play;

static void on_done(void *arg, const struct purge_result *result)
{
	cr_expect_eq(arg, &play);
	play.n_done++;
	play.result = *result;
	memcpy(play.stores, result->stores, kit.common.n_stores * sizeof(play.stores[0]));
}

static struct purge *start(const struct selection *selection, bool spare_shared)
{
	return purge_start(&(struct purge_opts){.common = &kit.common,
						.loop = kit.backs[0]->loop,
						.stores = kit.backs[0]->stores,
						.issuers = kit.issuers,
						.spare_shared = spare_shared},
			   selection, on_done, &play);
}

static void purge(const struct selection *selection, bool spare_shared)
{
	memset(&play, 0, sizeof(play));
	cr_assert_not_null(start(selection, spare_shared));
	cr_expect_eq(play.n_done, 0, "called from inside");
	stage_pass(0);
	cr_expect_eq(play.n_done, 1);
}

static bool is_in_memory(const char *serial)
{
	struct cache_key key;
	struct entry *entry;

	kit_key(serial, &key);
	entry = cache_get(kit.common.cache, key_bytes(&key),
			  cache_hash(kit.common.cache, key_bytes(&key)));
	entry_unref(entry);
	return entry != NULL;
}

static bool is_stored(const char *serial)
{
	struct cache_key key;

	kit_key(serial, &key);
	return stage_record(kit.common.stores[0], key_bytes(&key)).len > 0;
}

/* Two answers and a remembered failure; shared_store 1: in a store of a fleet. */
static void open_filled(size_t shared_store)
{
	struct cache_key failed;

	kit_prepare();
	kit.shared_store = shared_store;
	kit_start();
	kit_store("01", -100, PKI_DAY);
	kit_store("f2", -100, PKI_DAY);
	kit_key("03", &failed);
	negative_put(kit.common.negative, key_bytes(&failed), ERR_UP_HTTP, INT64_MAX, 0);
}

Test(purge, all)
{
	const struct selection all = {.has_issuer = false};

	open_filled(0);
	purge(&all, false);
	cr_expect_eq(play.result.n_entries, 2);
	cr_expect_eq(play.result.n_failures, 1);
	cr_expect_eq(play.stores[0].err, OK);
	cr_expect_eq(play.stores[0].n, 2);
	cr_expect_not(is_in_memory("01") || is_in_memory("f2") || is_stored("01"));
	cr_expect_eq(negative_count(kit.common.negative), 0);
	kit_ask("01");
	cr_expect_eq(stage_upstream.n_pending, 1, "it is a miss");
	kit_close();
}

Test(purge, one_issuer)
{
	struct selection other = {.has_issuer = false}, own = other;

	open_filled(0);
	cr_assert_eq(selection_set_issuer(&other, kit.issuers, slice_text("other")), OK);
	cr_assert_eq(selection_set_issuer(&own, kit.issuers, slice_text("test")), OK);
	purge(&other, false);
	cr_expect_eq(play.result.n_entries + play.result.n_failures + play.stores[0].n, 0);
	cr_expect(is_in_memory("01") && is_stored("01"));
	purge(&own, false);
	cr_expect_eq(play.result.n_entries, 2);
	cr_expect_eq(play.stores[0].n, 2);
	cr_expect_not(is_in_memory("01") || is_stored("01"));
	kit_close();
}

Test(purge, one_serial_however_it_is_written)
{
	struct selection selection = {.has_issuer = false};

	open_filled(0);
	cr_assert_eq(selection_set_serial(&selection, slice_text("00:F2")), OK);
	purge(&selection, false);
	cr_expect_eq(play.result.n_entries, 1);
	cr_expect_not(is_in_memory("f2") || is_stored("f2"));
	cr_expect(is_in_memory("01") && is_stored("01"));
	cr_assert_eq(selection_set_serial(&selection, slice_text("3")), OK);
	purge(&selection, false);
	cr_expect_eq(play.result.n_failures, 1);
	cr_expect(is_in_memory("01") && is_stored("01"));
	kit_close();
}

Test(purge, stores_of_all_are_spared_when_another_relay_purges)
{
	const struct selection all = {.has_issuer = false};

	open_filled(1);
	purge(&all, true);
	cr_expect(play.stores[0].is_spared && is_stored("01"));
	cr_expect_not(is_in_memory("01"));
	purge(&all, false);
	cr_expect_not(play.stores[0].is_spared || is_stored("01"));
	kit_close();
}

Test(purge, a_store_that_fails_is_told)
{
	struct selection selection = {.has_issuer = false};

	open_filled(0);
	stage_stores.err = ERR_STORE_FAULT;
	purge(&selection, false);
	cr_expect_eq(play.result.n_entries, 2);
	cr_expect_eq(play.stores[0].err, ERR_STORE_FAULT);
	cr_assert_eq(selection_set_serial(&selection, slice_text("01")), OK);
	purge(&selection, false);
	cr_expect_eq(play.stores[0].err, ERR_STORE_FAULT);
	stage_stores.err = OK;
	kit_close();
}

/* A flight that has read the store puts into memory what is purged there the moment after. */
Test(purge, what_a_look_up_brings_meanwhile_goes_too)
{
	const struct selection all = {.has_issuer = false};
	struct cache_key key;
	struct entry *entry, *current;
	int old_status;

	open_filled(0);
	kit_key("01", &key);
	entry = cache_get(kit.common.cache, key_bytes(&key),
			  cache_hash(kit.common.cache, key_bytes(&key)));
	memset(&play, 0, sizeof(play));
	cr_assert_not_null(start(&all, false));
	cr_expect_eq(cache_put(kit.common.cache, entry, clock_wall(), &current, &old_status),
		     CACHE_STORED);
	entry_unref(current);
	entry_unref(entry);
	stage_pass(0);
	cr_expect_eq(play.n_done, 1);
	cr_expect_not(is_in_memory("01"));
	kit_close();
}

Test(purge, cancelled_it_tells_nobody)
{
	const struct selection all = {.has_issuer = false};

	open_filled(0);
	memset(&play, 0, sizeof(play));
	purge_cancel(start(&all, false));
	purge_cancel(NULL);
	stage_pass(0);
	cr_expect_eq(play.n_done, 0);
	cr_expect_not(is_in_memory("01"));
	stage.has_no_memory = true;
	cr_expect_null(start(&all, false));
	stage.has_no_memory = false;
	kit_close();
}
