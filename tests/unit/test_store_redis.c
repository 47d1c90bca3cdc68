/* SPDX-License-Identifier: ISC */
/* What a fleet does with a store in Redis: two handles as two relays, and a real redis-server at a
 * Unix socket. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "core/key.h"
#include "io/clock.h"
#include "io/store.h"

#define N_RECORDS 500
#define FAR_OFF	  INT64_C(4102444800) /* 2100-01-01 */

struct scene {
	char directory[64], url[128];
	pid_t server;
	struct loop *loop;
	struct store_shared *shared;
	struct store *stores[2];

	/* What was told last. */
	err_t err;
	unsigned n_told, n_seen, n_done, stop_after, pause_at, cancel_at;
	uint64_t n;
	struct store_walk *walk;
	unsigned n_news[3];
	char message[64];
	bool seen[N_RECORDS];
};

static void give_up(void *arg)
{
	(void)arg;
	cr_assert_fail("nothing happened");
}

static void run(struct scene *scene)
{
	struct timer *limit = timer_start(scene->loop, 30000, give_up, NULL);

	loop_run(scene->loop);
	timer_cancel(limit);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

/* Until condition, looked at between turns of the loop. */
#define RUN_UNTIL(scene, condition)                                              \
	do {                                                                     \
		for (int tries = 30000; !(condition) && tries > 0; tries--) {    \
			timer_start((scene)->loop, 1, stop_loop, (scene)->loop); \
			loop_run((scene)->loop);                                 \
		}                                                                \
		cr_assert(condition, "never: %s", #condition);                   \
	} while (0)

static void start_server(struct scene *scene)
{
	char socket[100];

	snprintf(socket, sizeof(socket), "%s/sock", scene->directory);
	scene->server = fork();
	if (scene->server == 0) { /* which a test that fails must not leave behind */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!freopen("/dev/null", "w", stdout))
			_exit(127);
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket,
		       "--save", "", "--logfile", "/dev/null", "--dir", scene->directory, NULL);
		_exit(127);
	}
}

static void scene_open(struct scene *scene)
{
	const struct store_opts opts = {.ms_timeout = 1000, .prefix = "t", .max_record = 1000};

	if (system("command -v redis-server >/dev/null") != 0)
		cr_skip_test("redis-server is not installed");
	memset(scene, 0, sizeof(*scene));
	snprintf(scene->directory, sizeof(scene->directory), "/tmp/ocsprelay-test-XXXXXX");
	cr_assert_not_null(mkdtemp(scene->directory));
	snprintf(scene->url, sizeof(scene->url), "redis+unix:%s/sock", scene->directory);
	start_server(scene);
	scene->loop = loop_new();
	cr_assert_null(store_check(scene->url));
	scene->shared = store_open(scene->url, &opts);
	cr_assert_not_null(scene->shared);
	for (unsigned i = 0; i < 2; i++) {
		scene->stores[i] = store_attach(scene->shared, scene->loop);
		cr_assert_not_null(scene->stores[i]);
	}
	cr_expect(store_is_shared(scene->stores[0]));
	cr_expect_str_eq(store_name(scene->stores[0]), "redis");
	RUN_UNTIL(scene, store_is_up(scene->shared));
}

static void scene_close(struct scene *scene)
{
	char path[100];

	store_detach(scene->stores[0]);
	store_detach(scene->stores[1]);
	store_close(scene->shared);
	loop_free(scene->loop);
	kill(scene->server, SIGKILL);
	waitpid(scene->server, NULL, 0);
	snprintf(path, sizeof(path), "%s/sock", scene->directory);
	unlink(path);
	rmdir(scene->directory);
}

static int64_t count(const struct scene *scene, unsigned op, unsigned result)
{
	return counter_sum(METRIC_STORE_OPERATIONS, store_slot(scene->stores[0]), op, result);
}

static struct cache_key make_key(unsigned i)
{
	uint8_t issuer[ISSUER_ID_LEN], serial[4];
	struct cache_key key;

	memset(issuer, (int)(i % 2), sizeof(issuer));
	put_u32(serial, i);
	key_make(&key, issuer, HASH_SHA1, slice_of(serial, sizeof(serial)));
	return key;
}

static void fill(struct scene *scene)
{
	for (unsigned i = 0; i < N_RECORDS; i++) {
		struct cache_key key = make_key(i);

		store_put(scene->stores[0], key_bytes(&key), slice_of(&i, sizeof(i)), FAR_OFF);
	}
	RUN_UNTIL(scene, count(scene, LABEL_OP_PUT, LABEL_STORE_RESULT_OK) == N_RECORDS);
}

/* --- leases ----------------------------------------------------------------------------------- */

static void on_lease(void *arg, err_t err)
{
	struct scene *scene = arg;

	scene->err = err;
	scene->n_told++;
	loop_stop(scene->loop);
}

static struct store_lease *lease(struct scene *scene, unsigned relay, int64_t ms, err_t expected)
{
	struct cache_key key = make_key(1);
	struct store_lease *lease = NULL;
	const struct store_lease_ops ops = {.fn = on_lease, .arg = scene, .ms = ms};

	cr_assert_eq(store_lease(scene->stores[relay], key_bytes(&key), &ops, &lease), ERR_AGAIN);
	run(scene);
	cr_expect_eq(scene->err, expected, "%s", err_row(scene->err)->label);
	return lease;
}

Test(store_redis, one_of_a_fleet_has_the_lease)
{
	struct scene scene;
	struct store_lease *held;

	scene_open(&scene);
	held = lease(&scene, 0, 60000, OK);
	lease(&scene, 1, 60000, ERR_BUSY);
	lease(&scene, 0, 60000, ERR_BUSY);
	store_release(held);
	held = lease(&scene, 1, 60000, OK);
	cr_expect_eq(count(&scene, LABEL_OP_LEASE, LABEL_STORE_RESULT_OK), 2);
	cr_expect_eq(count(&scene, LABEL_OP_LEASE, LABEL_STORE_RESULT_REFUSED), 2);
	scene_close(&scene);
}

/* What another gets for a lease that store 0 has, until it is OK or ms have passed. */
static err_t ask_again(struct scene *scene, int64_t ms)
{
	struct cache_key key = make_key(1);
	struct store_lease *other = NULL;
	const struct store_lease_ops ops = {.fn = on_lease, .arg = scene, .ms = 60000};
	int64_t begun = clock_mono_ms();

	do {
		cr_assert_eq(store_lease(scene->stores[1], key_bytes(&key), &ops, &other),
			     ERR_AGAIN);
		run(scene);
	} while (scene->err == ERR_BUSY && clock_mono_ms() - begun < ms);
	return scene->err;
}

Test(store_redis, a_lease_lasts_while_its_holder_lives)
{
	struct scene scene;

	scene_open(&scene);
	lease(&scene, 0, 2000, OK);
	cr_expect_eq(ask_again(&scene, 3500), ERR_BUSY, "renewed");
	store_detach(scene.stores[0]);
	scene.stores[0] = NULL;
	cr_expect_eq(ask_again(&scene, 30000), OK, "lapsed");
	scene_close(&scene);
}

Test(store_redis, a_lease_that_may_be_anothers_is_not_given_back)
{
	struct scene scene;
	struct store_lease *held;

	scene_open(&scene);
	held = lease(&scene, 0, 2000, OK);
	poll(NULL, 0, 1100); /* the loop, which would renew it, does not turn */
	store_release(held);
	lease(&scene, 1, 60000, ERR_BUSY);
	scene_close(&scene);
}

Test(store_redis, a_lease_that_is_released_before_it_was_granted_is_given_back)
{
	struct scene scene;
	struct cache_key key = make_key(1);
	struct store_lease *asked = NULL, *held;
	const struct store_lease_ops ops = {.fn = on_lease, .arg = &scene, .ms = 60000};
	unsigned n = 0;

	scene_open(&scene);
	cr_assert_eq(store_lease(scene.stores[0], key_bytes(&key), &ops, &asked), ERR_AGAIN);
	store_release(asked);
	do { /* behind it on the same connection, as long as it has not come back */
		held = NULL;
		cr_assert_leq(++n, 1000, "it never comes back");
		cr_assert_eq(store_lease(scene.stores[0], key_bytes(&key), &ops, &held), ERR_AGAIN);
		run(&scene);
	} while (scene.err == ERR_BUSY);
	cr_expect_eq(scene.err, OK);
	scene_close(&scene);
}

Test(store_redis, nobody_knows_of_leases_while_the_server_hangs)
{
	struct scene scene;
	struct cache_key key = make_key(1);
	struct store_lease *asked = NULL;
	const struct store_lease_ops ops = {.fn = on_lease, .arg = &scene, .ms = 60000};

	scene_open(&scene);
	kill(scene.server, SIGSTOP);
	cr_assert_eq(store_lease(scene.stores[0], key_bytes(&key), &ops, &asked), ERR_AGAIN);
	run(&scene);
	cr_expect_eq(scene.err, ERR_STORE_FAULT);
	RUN_UNTIL(&scene, !store_is_up(scene.shared));
	kill(scene.server, SIGCONT);
	scene_close(&scene);
}

/* --- news ------------------------------------------------------------------------------------- */

static void on_news(void *arg, enum store_news what, struct slice message)
{
	struct scene *scene = arg;

	scene->n_news[what]++;
	if (what == STORE_NEWS_MESSAGE)
		snprintf(scene->message, sizeof(scene->message), "%.*s", (int)message.len,
			 (const char *)message.p);
}

Test(store_redis, what_one_says_all_hear)
{
	static uint8_t octets[STORE_NEWS_MAX + 1];
	struct scene scene;

	scene_open(&scene);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(store_subscribe(scene.stores[i], on_news, &scene), OK);
	cr_expect_eq(scene.n_news[STORE_NEWS_BACK], 0, "nothing from inside");
	RUN_UNTIL(&scene, scene.n_news[STORE_NEWS_BACK] == 2);
	cr_expect_eq(store_publish(scene.stores[0], slice_text("hear, hear")), OK);
	RUN_UNTIL(&scene, scene.n_news[STORE_NEWS_MESSAGE] == 2);
	cr_expect_str_eq(scene.message, "hear, hear");
	cr_expect_eq(store_publish(scene.stores[0], slice_of(octets, sizeof(octets))),
		     ERR_TOO_LONG);
	scene_close(&scene);
}

Test(store_redis, listeners_are_told_when_they_may_have_missed_something)
{
	struct scene scene;

	scene_open(&scene);
	cr_assert_eq(store_subscribe(scene.stores[0], on_news, &scene), OK);
	RUN_UNTIL(&scene, scene.n_news[STORE_NEWS_BACK] == 1);
	kill(scene.server, SIGKILL);
	waitpid(scene.server, NULL, 0);
	RUN_UNTIL(&scene, scene.n_news[STORE_NEWS_LOST] == 1);
	RUN_UNTIL(&scene, !store_is_up(scene.shared));
	cr_expect_eq(store_publish(scene.stores[1], slice_text("x")), ERR_STORE_FAULT);
	start_server(&scene);
	RUN_UNTIL(&scene, scene.n_news[STORE_NEWS_BACK] == 2);
	cr_expect_eq(scene.n_news[STORE_NEWS_LOST], 1, "once");
	scene_close(&scene);
}

/* --- walks ------------------------------------------------------------------------------------ */

static void on_resume(void *arg)
{
	struct scene *scene = arg;

	store_walk_resume(scene->walk);
}

static void see(void *arg, struct slice bytes, struct slice record)
{
	struct scene *scene = arg;
	struct cache_key key, expected;
	unsigned i;

	cr_assert_eq(record.len, sizeof(i));
	memcpy(&i, record.p, sizeof(i));
	cr_assert_lt(i, N_RECORDS);
	expected = make_key(i);
	cr_expect_eq(key_from_bytes(bytes, &key), OK);
	cr_expect(key_eq(&key, &expected));
	scene->seen[i] = true;
	if (++scene->n_seen == scene->pause_at) {
		store_walk_pause(scene->walk);
		timer_start(scene->loop, 5, on_resume, scene);
	}
	if (scene->n_seen == scene->cancel_at) {
		store_walk_cancel(scene->walk);
		loop_stop(scene->loop);
	}
}

static void done(void *arg, err_t err, uint64_t n)
{
	struct scene *scene = arg;

	scene->n_done++;
	scene->err = err;
	scene->n = n;
	loop_stop(scene->loop);
}

static unsigned walk(struct scene *scene, struct slice prefix)
{
	const struct store_walk_ops ops = {.see = see, .done = done, .arg = scene};
	unsigned n = 0;

	memset(scene->seen, 0, sizeof(scene->seen));
	scene->n_seen = scene->n_done = 0;
	cr_assert_eq(store_walk(scene->stores[1], prefix, &ops, &scene->walk), OK);
	run(scene);
	for (unsigned i = 0; i < N_RECORDS; i++)
		n += scene->seen[i];
	return n;
}

static uint64_t purge(struct scene *scene, struct slice prefix)
{
	const struct store_walk_ops ops = {.done = done, .arg = scene};

	cr_assert_eq(store_purge(scene->stores[1], prefix, &ops, &scene->walk), OK);
	run(scene);
	cr_expect_eq(scene->err, OK);
	return scene->n;
}

Test(store_redis, each_record_is_seen)
{
	static const uint8_t issuer[ISSUER_ID_LEN] = {0};
	struct scene scene;

	scene_open(&scene);
	fill(&scene);
	cr_expect_eq(walk(&scene, slice_of(NULL, 0)), N_RECORDS);
	cr_expect_eq(scene.n_done, 1);
	cr_expect_eq(scene.err, OK);
	cr_expect_eq(scene.n, scene.n_seen);
	cr_expect_eq(walk(&scene, slice_of(issuer, sizeof(issuer))), N_RECORDS / 2);
	scene_close(&scene);
}

Test(store_redis, a_walk_can_pause_and_end_at_any_record)
{
	struct scene scene;

	scene_open(&scene);
	fill(&scene);
	for (unsigned at = 1; at <= N_RECORDS; at += 83) {
		scene.pause_at = at;
		cr_expect_eq(walk(&scene, slice_of(NULL, 0)), N_RECORDS, "paused at %u", at);
	}
	scene.pause_at = 0;
	for (unsigned at = 1; at <= N_RECORDS; at += 83) {
		scene.cancel_at = at;
		walk(&scene, slice_of(NULL, 0));
		cr_expect_eq(scene.n_seen, at);
		cr_expect_eq(scene.n_done, 0, "cancelled at %u", at);
	}
	scene_close(&scene);
}

Test(store_redis, a_purge_takes_an_issuer_or_all)
{
	static const uint8_t issuer[ISSUER_ID_LEN] = {0};
	struct scene scene;

	scene_open(&scene);
	fill(&scene);
	cr_expect_eq(purge(&scene, slice_of(issuer, sizeof(issuer))), N_RECORDS / 2);
	cr_expect_eq(walk(&scene, slice_of(NULL, 0)), N_RECORDS / 2);
	cr_expect_eq(purge(&scene, slice_of(NULL, 0)), N_RECORDS / 2);
	cr_expect_eq(walk(&scene, slice_of(NULL, 0)), 0);
	scene_close(&scene);
}

Test(store_redis, a_walk_of_a_server_that_dies_ends)
{
	struct scene scene;
	const struct store_walk_ops ops = {.see = see, .done = done, .arg = &scene};

	scene_open(&scene);
	fill(&scene);
	kill(scene.server, SIGKILL);
	cr_assert_eq(store_walk(scene.stores[0], slice_of(NULL, 0), &ops, &scene.walk), OK);
	run(&scene);
	cr_expect_eq(scene.err, ERR_STORE_FAULT);
	scene_close(&scene);
}

Test(store_redis, what_is_under_way_is_forgotten_with_the_handle)
{
	struct scene scene;
	struct cache_key key = make_key(1);
	const struct store_walk_ops ops = {.see = see, .done = done, .arg = &scene};
	const struct store_lease_ops lease_ops = {.fn = on_lease, .arg = &scene, .ms = 1000};
	struct store_lease *asked = NULL;
	struct store_read *read = NULL;
	struct slice record;

	scene_open(&scene);
	fill(&scene);
	cr_expect_eq(store_get(scene.stores[0], key_bytes(&key), NULL, NULL, &record, &read),
		     ERR_AGAIN);
	cr_expect_eq(store_lease(scene.stores[0], key_bytes(&key), &lease_ops, &asked), ERR_AGAIN);
	cr_expect_eq(store_walk(scene.stores[0], slice_of(NULL, 0), &ops, &scene.walk), OK);
	cr_expect_eq(store_subscribe(scene.stores[0], on_news, &scene), OK);
	store_delete(scene.stores[0], key_bytes(&key));
	cr_expect_eq(store_publish(scene.stores[0], slice_text("x")), OK);
	scene_close(&scene);
	cr_expect_eq(scene.n_told + scene.n_done + scene.n_seen, 0);
}
