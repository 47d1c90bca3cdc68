/* SPDX-License-Identifier: ISC */
/* The ways that sentinels show: to the master, and to replicas that are as good; with sentinels, a
 * master and replicas that say what a row of a table says. */
#include "io/redis_route.h"

#include "base/bytes.h"
#include "base/counters.h"
#include "base/log.h"
#include "core/key.h"
#include "io/clock.h"
#include "io/store.h"
#include "redis_peer.h"

#define MS_TIMEOUT 2000 /* where it does not matter how fast the machine is */
#define HISTORY	   "0123456789012345678901234567890123456789"

enum who {
	MASTER,
	REPLICA,
	OTHER, /* replica */
	SENTINEL,
	SENTINEL_TOO,
	N_PEERS
};

/* What a replica does. */
struct row {
	const char *name;
	const char *flags; /* as the sentinel sees it; NULL: it is fine */
	const char *role, *history;
	unsigned offset;  /* the master's is 100 */
	const char *read; /* the reply to GETRANGE */
	bool is_read;	  /* it is asked, at least */
};

struct scene {
	struct peer peers[N_PEERS];
	const struct row *_Atomic row;
	const char *sentinel_says; /* the first one, to everything; NULL: it works */
	atomic_uint n_reads[N_PEERS], n_infos[N_PEERS];
	_Atomic enum who master;
	char said[N_PEERS][1024];
	struct redis_common *common;
	struct loop *loop;
	struct redis_route *route;
	err_t err;
	char reply[64];
	unsigned n_replies;
};

static struct scene *scene;
static atomic_uint n_events[N_EVENTS];

static void on_event(void *arg, enum log_event event, const struct log_field *fields)
{
	(void)arg;
	(void)fields;
	atomic_fetch_add(&n_events[event], 1);
}

/* --- what the peers say ----------------------------------------------------------------------- */

static const char *say_position(char *said, const char *role, const char *history, unsigned offset)
{
	char info[512];

	snprintf(info, sizeof(info),
		 "# Replication\r\nrole:%s\r\nmaster_replid:%s\r\nmaster_repl_offset:%u\r\n"
		 "slave_repl_offset:%u\r\n",
		 role, history, offset, offset);
	snprintf(said, 1024, "$%zu\r\n%s\r\n", strlen(info), info);
	return said;
}

static const char *serve(enum who who, const char *command)
{
	const struct row *row = scene->row;
	bool is_master = who == MASTER;

	if (!is_master && !row->read && atomic_load(&scene->n_reads[who]) > 0)
		return NULL; /* it hangs */
	if (strcmp(command, "ROLE") == 0)
		return "*1\r\n$6\r\nmaster\r\n";
	if (strcmp(command, "INFO") == 0) {
		atomic_fetch_add(&scene->n_infos[who], 1);
		return say_position(scene->said[who], is_master ? "master" : row->role,
				    is_master ? HISTORY : row->history,
				    is_master ? 100 : row->offset);
	}
	if (strcmp(command, "GETRANGE") == 0) {
		atomic_fetch_add(&scene->n_reads[who], 1);
		return is_master ? "$6\r\nmaster\r\n" : row->read;
	}
	return strcmp(command, "PING") == 0 ? "+PONG\r\n" : NULL;
}

static size_t add_replica(char *said, const char *flags, unsigned port)
{
	char digits[8];
	int len = snprintf(digits, sizeof(digits), "%u", port);

	return (size_t)sprintf(said,
			       "*8\r\n$2\r\nip\r\n$9\r\n127.0.0.1\r\n$4\r\nport\r\n$%d\r\n%s\r\n"
			       "$5\r\nflags\r\n$%zu\r\n%s\r\n$18\r\nmaster-link-status\r\n$2\r\nok"
			       "\r\n",
			       len, digits, strlen(flags), flags);
}

static const char *guide(enum who who, const char *command)
{
	char *said = scene->said[who], digits[8];
	size_t len;

	if (strcmp(command, "SENTINEL get-master-addr-by-name") == 0) {
		int n = snprintf(digits, sizeof(digits), "%u",
				 scene->peers[atomic_load(&scene->master)].port);

		snprintf(said, 1024, "*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%s\r\n", n, digits);
		return said;
	}
	if (strcmp(command, "SENTINEL replicas") == 0) {
		len = (size_t)sprintf(said, "*2\r\n");
		len += add_replica(said + len, scene->row->flags ? scene->row->flags : "slave",
				   scene->peers[REPLICA].port);
		add_replica(said + len, scene->row->flags ? scene->row->flags : "slave",
			    scene->peers[OTHER].port);
		return said;
	}
	return strcmp(command, "PING") == 0 ? "+PONG\r\n" : NULL;
}

static const char *answer(void *arg, const char *command, unsigned n)
{
	enum who who = (enum who)((struct peer *)arg - scene->peers);

	(void)n;
	if (who == SENTINEL && scene->sentinel_says)
		return scene->sentinel_says;
	return who >= SENTINEL ? guide(who, command) : serve(who, command);
}

/* --- the scene -------------------------------------------------------------------------------- */

static void scene_open(struct scene *made, const struct row *row, const char *sentinel_says)
{
	char text[128];
	struct redis_url url;
	const struct store_opts opts = {
	    .ms_timeout = MS_TIMEOUT, .prefix = "test", .max_record = 1000, .has_copies = true};

	memset(made, 0, sizeof(*made));
	memset(n_events, 0, sizeof(n_events));
	scene = made;
	scene->row = row;
	scene->sentinel_says = sentinel_says;
	for (size_t i = 0; i < N_PEERS; i++)
		peer_open(&scene->peers[i], answer, &scene->peers[i]);
	log_set_sink(on_event, NULL);
	snprintf(text, sizeof(text), "redis+sentinel://127.0.0.1:%u,127.0.0.1:%u/m",
		 scene->peers[SENTINEL].port, scene->peers[SENTINEL_TOO].port);
	cr_assert_null(redis_url_parse(text, &url));
	scene->common = redis_common_new(&url, &opts);
	scene->loop = loop_new();
	scene->route = redis_route_new(scene->loop, scene->common);
	cr_assert_not_null(scene->route);
}

static void scene_close(void)
{
	redis_route_free(scene->route);
	loop_free(scene->loop);
	redis_common_free(scene->common);
	for (size_t i = 0; i < N_PEERS; i++)
		peer_close(&scene->peers[i]);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

#define RUN_UNTIL(condition)                                                  \
	do {                                                                  \
		for (int tries = 30000; !(condition) && tries > 0; tries--) { \
			timer_start(scene->loop, 1, stop_loop, scene->loop);  \
			loop_run(scene->loop);                                \
		}                                                             \
		cr_assert(condition, "never: %s", #condition);                \
	} while (0)

static void on_reply(void *arg, err_t err, const redisReply *reply)
{
	(void)arg;
	scene->err = err;
	scene->n_replies++;
	snprintf(scene->reply, sizeof(scene->reply), "%s", reply ? reply->str : "");
}

static struct redis_task *start_read(void)
{
	const struct slice words[] = {slice_text("GETRANGE"), slice_text("key"), slice_text("0"),
				      slice_text("1000")};

	return redis_route_call(scene->route,
				&(struct redis_order){.key = slice_text("key"),
						      .command = redis_command(words, 4),
						      .trouble = REDIS_TROUBLE_READ,
						      .may_be_copy = true,
						      .slot = redis_recent_slot(slice_text("key")),
						      .fn = on_reply});
}

/* Whose answer it is; nobody's, a moment later, while no server is up. */
static const char *read_once(void)
{
	unsigned before = scene->n_replies;

	if (!start_read()) {
		timer_start(scene->loop, 1, stop_loop, scene->loop);
		loop_run(scene->loop);
		return "nobody";
	}
	RUN_UNTIL(scene->n_replies > before);
	return scene->err == OK ? scene->reply : "nobody";
}

static unsigned count(atomic_uint counts[N_PEERS], enum who who)
{
	return atomic_load(&counts[who]);
}

/* --- copies ----------------------------------------------------------------------------------- */

#define READ_COPY "$4\r\ncopy\r\n"

static const struct row good = {"good", NULL, "slave", HISTORY, 100, READ_COPY, true};

Test(redis_route, replicas_are_read_in_turn)
{
	struct scene made;
	unsigned at_master;

	scene_open(&made, &good, NULL);
	while (count(made.n_reads, REPLICA) == 0 || count(made.n_reads, OTHER) == 0)
		read_once();
	at_master = count(made.n_reads, MASTER);
	for (unsigned i = 0; i < 10; i++)
		cr_expect_str_eq(read_once(), "copy");
	cr_expect_geq(count(made.n_reads, REPLICA), 5);
	cr_expect_geq(count(made.n_reads, OTHER), 5);
	cr_expect_eq(count(made.n_reads, MASTER), at_master);
	scene_close();
}

/* What a replica lacks, or does not say, the master is asked for; one that may be behind is not
 * even asked. */
Test(redis_route, EM_24_the_master_is_asked_where_a_replica_will_not_do)
{
	static const struct row rows[] = {
	    {"lacks it", NULL, "slave", HISTORY, 100, "$0\r\n\r\n", true},
	    {"refuses", NULL, "slave", HISTORY, 100, "-MASTERDOWN no\r\n", true},
	    {"has something else", NULL, "slave", HISTORY, 100, "-WRONGTYPE x\r\n", true},
	    {"hangs up", NULL, "slave", HISTORY, 100, PEER_HANG_UP, true},
	    {"hangs", NULL, "slave", HISTORY, 100, NULL, true},
	    {"is ahead", NULL, "slave", HISTORY, 101, "$0\r\n\r\n", true},
	    {"is behind", NULL, "slave", HISTORY, 99, READ_COPY, false},
	    {"has another history", NULL, "slave", "other", 100, READ_COPY, false},
	    {"is a master", NULL, "master", HISTORY, 100, READ_COPY, false},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct scene made;

		scene_open(&made, &rows[i], NULL);
		if (rows[i].is_read)
			while (count(made.n_reads, REPLICA) + count(made.n_reads, OTHER) == 0)
				read_once();
		else
			RUN_UNTIL(count(made.n_infos, REPLICA) >= 2 &&
				  count(made.n_infos, OTHER) >= 2);
		cr_expect_str_eq(read_once(), "master", "%s", rows[i].name);
		if (!rows[i].is_read)
			cr_expect_eq(count(made.n_reads, REPLICA), 0, "%s", rows[i].name);
		scene_close();
	}
}

/* However well it answers, and whatever the sentinel thinks of it. */
Test(redis_route, CL_17_a_replica_that_stays_behind_is_not_read_any_more)
{
	static const struct row late = {"late", NULL, "slave", HISTORY, 99, READ_COPY, true};
	struct scene made;

	scene_open(&made, &good, NULL);
	while (strcmp(read_once(), "copy") != 0)
		;
	atomic_store(&made.row, &late);
	RUN_UNTIL(strcmp(read_once(), "master") == 0);
	RUN_UNTIL(atomic_load(&n_events[EVENT_STORE_SERVER_FAILED]) == 2);
	atomic_store(&made.row, &good);
	RUN_UNTIL(strcmp(read_once(), "copy") == 0);
	RUN_UNTIL(atomic_load(&n_events[EVENT_STORE_SERVER_BACK]) == 2);
	scene_close();
}

Test(redis_route, replicas_that_the_sentinel_finds_ill_are_let_alone)
{
	static const struct row row = {"ill", "slave,s_down", "slave", HISTORY,
				       100,   READ_COPY,      false};
	struct scene made;
	unsigned n;

	scene_open(&made, &row, NULL);
	RUN_UNTIL((n = atomic_load(&made.peers[SENTINEL].n_commands)) >= 5);
	cr_expect_str_eq(read_once(), "master");
	cr_expect_eq(atomic_load(&made.peers[REPLICA].n_connections), 0);
	scene_close();
}

Test(redis_route, what_was_written_lately_is_read_from_the_master)
{
	struct scene made;
	unsigned slot = redis_recent_slot(slice_text("key")), n;

	scene_open(&made, &good, NULL);
	while (strcmp(read_once(), "copy") != 0)
		;
	redis_recent_note(made.common->recent, slot, clock_mono_ms());
	n = count(made.n_reads, REPLICA) + count(made.n_reads, OTHER);
	cr_expect_str_eq(read_once(), "master");
	cr_expect_eq(count(made.n_reads, REPLICA) + count(made.n_reads, OTHER), n);
	redis_recent_note(made.common->recent, slot, 0);
	cr_expect_str_eq(read_once(), "copy");
	redis_recent_note_all(made.common->recent, clock_mono_ms());
	cr_expect_str_eq(read_once(), "master");
	cr_expect_eq(count(made.n_reads, REPLICA) + count(made.n_reads, OTHER), n + 1);
	scene_close();
}

Test(redis_route, what_is_written_while_a_replica_is_asked_is_read_from_the_master)
{
	struct scene made;
	unsigned n;

	scene_open(&made, &good, NULL);
	while (strcmp(read_once(), "copy") != 0)
		;
	n = made.n_replies;
	cr_assert_not_null(start_read());
	redis_recent_note(made.common->recent, redis_recent_slot(slice_text("key")),
			  clock_mono_ms());
	RUN_UNTIL(made.n_replies > n);
	cr_expect_str_eq(made.reply, "master");
	scene_close();
}

/* A replica takes half of the time at most, the master the other half. */
Test(redis_route, EM_24_both_are_asked_in_the_time_of_one_look_up)
{
	static const struct row row = {"hangs", NULL, "slave", HISTORY, 100, NULL, true};
	struct scene made;
	int64_t begun = 0;

	scene_open(&made, &row, NULL);
	RUN_UNTIL(strcmp(read_once(), "master") == 0);
	while (count(made.n_reads, REPLICA) + count(made.n_reads, OTHER) == 0) {
		begun = clock_mono_ms();
		cr_expect_str_eq(read_once(), "master");
	}
	cr_expect_geq(clock_mono_ms() - begun, MS_TIMEOUT / 2);
	cr_expect_eq(atomic_load(&n_events[EVENT_STORE_FAILED]), 0);
	scene_close();
}

static void on_record(void *arg, err_t err, struct slice record)
{
	(void)arg;
	scene->err = err;
	scene->n_replies++;
	snprintf(scene->reply, sizeof(scene->reply), "%.*s", (int)record.len,
		 (const char *)record.p);
}

/* Who does not hear news does not know what a replica lacks. */
Test(redis_route, CL_17_a_store_that_does_not_listen_reads_from_the_master)
{
	struct scene made;
	char url[128];
	const struct store_opts opts = {
	    .ms_timeout = MS_TIMEOUT, .prefix = "test", .max_record = 1000, .has_copies = true};
	struct store_shared *shared;
	struct store *store;
	struct store_read *read;
	struct slice record;
	struct cache_key key;

	scene_open(&made, &good, NULL);
	redis_route_free(made.route); /* its connections are for the store */
	snprintf(url, sizeof(url), "redis+sentinel://127.0.0.1:%u/m", made.peers[SENTINEL].port);
	shared = store_open(url, &opts);
	store = store_attach(shared, made.loop);
	key_make(&key, (const uint8_t[ISSUER_ID_LEN]){1}, HASH_SHA1, slice_text("1"));
	cr_expect(store_has_copies(store));
	RUN_UNTIL(count(made.n_infos, REPLICA) >= 2 && count(made.n_infos, OTHER) >= 2);
	for (unsigned i = 1; i <= 4; i++) {
		cr_assert_eq(
		    store_get_copy(store, key_bytes(&key), on_record, NULL, &record, &read),
		    ERR_AGAIN);
		RUN_UNTIL(made.n_replies == i);
		cr_expect_str_eq(made.reply, "master");
	}
	cr_expect_eq(count(made.n_reads, REPLICA) + count(made.n_reads, OTHER), 0);
	store_detach(store);
	store_close(shared);
	made.route = redis_route_new(made.loop, made.common);
	scene_close();
}

/* --- the master, the sentinels ---------------------------------------------------------------- */

/* A server that says nothing more is given up for another one: who waits for it hears so at once.
 */
Test(redis_route, EM_24_calls_at_a_master_that_is_given_up_fail)
{
	static const struct row row = {"ill", "slave,s_down", "slave", HISTORY, 100, NULL, false};
	struct scene made;
	const struct slice words[] = {slice_text("HANG")};

	scene_open(&made, &row, NULL);
	RUN_UNTIL(strcmp(read_once(), "master") == 0);
	cr_assert_not_null(
	    redis_route_call(made.route, &(struct redis_order){.command = redis_command(words, 1),
							       .pace = REDIS_PATIENT,
							       .trouble = REDIS_TROUBLE_READ,
							       .fn = on_reply}));
	made.n_replies = 0;
	atomic_store(&made.master, OTHER);
	RUN_UNTIL(made.n_replies == 1);
	cr_expect_eq(made.err, ERR_STORE_FAULT);
	scene_close();
}

Test(redis_route, EM_24_a_sentinel_that_refuses_is_told_of_once_and_the_next_one_asked)
{
	static const char *const said[] = {"-WRONGPASS no\r\n", "-NOAUTH no\r\n", PEER_HANG_UP};

	for (size_t i = 0; i < N_ELEMENTS(said); i++) {
		struct scene made;

		scene_open(&made, &good, said[i]);
		while (strcmp(read_once(), "copy") != 0)
			;
		cr_expect_eq(atomic_load(&n_events[EVENT_STORE_SERVER_FAILED]), 1, "%s", said[i]);
		cr_expect_eq(atomic_load(&n_events[EVENT_STORE_FAILED]), 0, "%s", said[i]);
		scene_close();
	}
}
