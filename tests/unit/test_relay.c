/* SPDX-License-Identifier: ISC */
/* Start, reload, drain and end of the whole, on a stage whose threads' loops end at once: the test
 * delivers the mail of all of them. */
#include "relay/relay.h"

#include "relay_kit.h"

static struct {
	struct relay *relay;
	unsigned n_done;
	struct settings *old; /* to be freed when a reload is through */
} play;

/* With so many stores, on the heap, so that whoever uses them too long is seen. */
static struct settings *settings_with(size_t n_stores)
{
	struct settings *settings = calloc(1, sizeof(*settings));

	*settings = kit.settings;
	settings->top.threads = 2;
	settings->top.back_threads = 2;
	settings->top.store.items = calloc(n_stores + 1, sizeof(char *));
	for (; settings->top.store.n < n_stores; settings->top.store.n++) {
		char url[32];

		snprintf(url, sizeof(url), "lmdb:/store%zu", settings->top.store.n);
		settings->top.store.items[settings->top.store.n] = strdup(url);
	}
	return settings;
}

static void free_settings(struct settings *settings)
{
	for (size_t i = 0; i < settings->top.store.n; i++)
		free(settings->top.store.items[i]);
	free(settings->top.store.items);
	free(settings);
}

static void on_done(void *arg)
{
	cr_expect_eq(arg, &play);
	play.n_done++;
	if (play.old != NULL)
		free_settings(play.old);
	play.old = NULL;
}

static struct settings *open_relay(size_t n_stores)
{
	struct settings *settings;
	struct issuers *issuers;

	kit_prepare();
	settings = settings_with(n_stores);
	issuers = kit_issuers();
	kit.main_loop = loop_new();
	play.relay = relay_new(&(struct relay_opts){.loop = kit.main_loop,
						    .settings = settings,
						    .issuers = issuers,
						    .hash_key = kit_hash_key});
	cr_assert_not_null(play.relay);
	issuers_unref(issuers);
	return settings;
}

static void close_relay(struct settings *settings)
{
	relay_free(play.relay);
	loop_free(kit.main_loop);
	free_settings(settings);
	stage_close();
#ifdef KIT_FINDS_LEAKS
	cr_expect_eq(__lsan_do_recoverable_leak_check(), 0, "leaks");
#endif
}

Test(relay, is_made_and_freed_without_a_start)
{
	close_relay(open_relay(1));
}

Test(relay, starts_and_ends)
{
	struct settings *settings = open_relay(2);

	cr_assert_eq(relay_start(play.relay), OK);
	cr_expect_eq(relay_stores(play.relay), 2);
	cr_expect(relay_store(play.relay, 0).is_up);
	cr_expect_str_eq(relay_store(play.relay, 1).name, "lmdb:/store1");
	cr_expect_not(relay_is_draining(play.relay));
	cr_expect_eq(relay_negative_count(play.relay), 0);
	cr_expect_eq(issuers_count(relay_issuers(play.relay)), 2);
	close_relay(settings);
}

Test(relay, without_memory_it_does_not_start)
{
	struct settings *settings = open_relay(1);

	stage.has_no_memory = true;
	cr_expect_neq(relay_start(play.relay), OK);
	stage.has_no_memory = false;
	close_relay(settings);
}

static void reload(struct settings *old, struct settings *new)
{
	struct issuers *issuers = kit_issuers();

	play.old = old;
	cr_assert_eq(relay_reload(play.relay, new, issuers, on_done, &play), OK);
	cr_expect_eq(relay_issuers(play.relay), issuers);
	issuers_unref(issuers);
}

/* The old settings are freed as soon as that is allowed. */
Test(relay, reload_is_through_when_every_thread_has_obeyed)
{
	struct settings *first = open_relay(1), *second = settings_with(1),
			*third = settings_with(1);

	cr_assert_eq(relay_start(play.relay), OK);
	reload(first, second);
	cr_expect_eq(play.n_done, 0);
	stage_pass(0);
	cr_expect_eq(play.n_done, 1);
	reload(second, third);
	stage_pass(0);
	cr_expect_eq(play.n_done, 2);
	stage_pass(1000);
	close_relay(third);
}

Test(relay, reload_does_not_change_the_stores)
{
	struct settings *first = open_relay(2), *second = settings_with(0);

	cr_assert_eq(relay_start(play.relay), OK);
	reload(first, second);
	stage_pass(0);
	cr_expect_eq(relay_stores(play.relay), 2);
	cr_expect_str_eq(relay_store(play.relay, 1).name, "lmdb:/store1");
	close_relay(second);
}

Test(relay, pulse_is_felt_when_every_thread_has_turned)
{
	struct settings *settings = open_relay(1);

	cr_assert_eq(relay_start(play.relay), OK);
	cr_assert_eq(relay_pulse(play.relay, on_done, &play), OK);
	cr_assert_eq(relay_pulse(play.relay, on_done, &play), OK, "one is out already");
	cr_expect_eq(play.n_done, 0);
	stage_pass(0);
	cr_expect_eq(play.n_done, 1);
	cr_assert_eq(relay_pulse(play.relay, on_done, &play), OK);
	stage_pass(0);
	cr_expect_eq(play.n_done, 2);
	cr_assert_eq(relay_pulse(play.relay, on_done, &play), OK, "and ends in the middle of it");
	close_relay(settings);
}

Test(relay, ends_in_the_middle_of_a_reload)
{
	struct settings *first = open_relay(1), *second = settings_with(1);

	cr_assert_eq(relay_start(play.relay), OK);
	reload(first, second);
	relay_free(play.relay);
	play.relay = NULL;
	cr_expect_eq(play.n_done, 0);
	free_settings(first);
	close_relay(second);
}

Test(relay, EM_25_drains)
{
	struct settings *settings = open_relay(1);

	cr_assert_eq(relay_start(play.relay), OK);
	relay_drain(play.relay, on_done, &play);
	cr_expect(relay_is_draining(play.relay));
	cr_expect_eq(play.n_done, 0);
	stage_pass(0);
	cr_expect_eq(play.n_done, 1);
	relay_drain(play.relay, on_done, &play);
	stage_pass(20000);
	cr_expect_eq(play.n_done, 1);
	close_relay(settings);
}

Test(relay, ends_in_the_middle_of_a_drain)
{
	struct settings *settings = open_relay(1);

	cr_assert_eq(relay_start(play.relay), OK);
	relay_drain(play.relay, on_done, &play);
	close_relay(settings);
	cr_expect_eq(play.n_done, 0);
}

Test(relay, drains_before_it_has_started)
{
	struct settings *settings = open_relay(1);

	relay_drain(play.relay, on_done, &play);
	stage_pass(0);
	cr_expect_eq(play.n_done, 1);
	close_relay(settings);
}
