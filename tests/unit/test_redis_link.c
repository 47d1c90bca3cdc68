/* SPDX-License-Identifier: ISC */
/* A connection to a server that behaves, and to many that do not. */
#include <errno.h>

#include "base/bytes.h"
#include "io/clock.h"
#include "io/redis_link.h"
#include "redis_peer.h"

#define MS_TIMEOUT 50

struct scene {
	struct peer peer;
	struct redis_common *common;
	struct loop *loop;
	struct redis_link *link;
	unsigned n_up, n_down, stop_at_down;
	char reason[200];
	err_t err;
	char reply[64];
	unsigned n_replies;
	int64_t ms;
};

static void on_up(void *arg)
{
	struct scene *scene = arg;

	scene->n_up++;
	loop_stop(scene->loop);
}

static void on_down(void *arg, const char *reason)
{
	struct scene *scene = arg;

	snprintf(scene->reason, sizeof(scene->reason), "%s", reason);
	if (++scene->n_down >= scene->stop_at_down)
		loop_stop(scene->loop);
}

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

static void scene_open(struct scene *scene, const char *user, const char *password,
		       peer_answer_fn *answer)
{
	char text[128];
	struct redis_url url;
	struct store_opts opts = {
	    .ms_timeout = MS_TIMEOUT, .password = password, .prefix = "test", .max_record = 100000};

	memset(scene, 0, sizeof(*scene));
	scene->stop_at_down = 1;
	peer_open(&scene->peer, answer, scene);
	snprintf(text, sizeof(text), "redis://%s127.0.0.1:%u", user, scene->peer.port);
	cr_assert_null(redis_url_parse(text, &url));
	scene->common = redis_common_new(&url, &opts);
	scene->loop = loop_new();
	scene->link = redis_link_new(
	    &(struct redis_link_opts){.loop = scene->loop,
				      .common = scene->common,
				      .address = url.seeds[0],
				      .ops = {.up = on_up, .down = on_down, .arg = scene}});
	cr_assert_not_null(scene->link);
	cr_expect_not(redis_link_is_up(scene->link));
}

static void scene_close(struct scene *scene)
{
	redis_link_free(scene->link);
	loop_free(scene->loop);
	redis_common_free(scene->common);
	peer_close(&scene->peer);
}

static void on_reply(void *arg, err_t err, const redisReply *reply)
{
	struct scene *scene = arg;

	scene->err = err;
	scene->n_replies++;
	snprintf(scene->reply, sizeof(scene->reply), "%s", reply ? reply->str : "");
	loop_stop(scene->loop);
}

static struct redis_call *call(struct scene *scene, const char *word)
{
	struct slice words = slice_text(word), command = redis_command(&words, 1);
	struct redis_call *made =
	    redis_link_call(scene->link, command, REDIS_QUICK, on_reply, scene);

	redis_command_free(command);
	return made;
}

/* --- a log-in that goes wrong ------------------------------------------------------------------
 */

static const char *said; /* to everything */

static const char *say(void *arg, const char *command, unsigned n)
{
	(void)arg;
	(void)command;
	(void)n;
	return said;
}

Test(redis_link, a_server_that_does_not_behave_is_hung_up_on)
{
	static const struct {
		const char *said, *reason;
	} rows[] = {
	    {NULL, "no answer in time"},
	    {PEER_HANG_UP, "connection closed by the server"},
	    {PEER_FLOOD, "a reply is too long"},
	    {"-WRONGPASS invalid\r\n", "WRONGPASS invalid"},
	    {"-NOAUTH required\r\n", "NOAUTH required"},
	    {"-LOADING it\r\n", "LOADING it"},
	    {"+OK\r\n", "no reply to PING"},
	    {":1\r\n", "no reply to PING"},
	    {"$-1\r\n", "no reply to PING"},
	    {"*0\r\n", "no reply to PING"},
	    {"HTTP/1.1 400 Bad Request\r\n\r\n", "not the protocol of Redis"},
	    {"$x\r\n", "not the protocol of Redis"},
	    {"$-2\r\n", "not the protocol of Redis"},
	    {"*100000\r\n", "a reply has too many members"},
	    {"*2000000000\r\n", "a reply has too many members"},
	    {"*99999999999999999999\r\n", "not the protocol of Redis"},
	    {"+PONG\r\n+PONG\r\n", "a reply that nobody asked for"},
	    {"+PONG\r\n*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\nx\r\n",
	     "a reply that nobody asked for"},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct scene scene;

		said = rows[i].said;
		scene_open(&scene, "", "", say);
		while (scene.n_down == 0)
			run(&scene);
		cr_expect_eq(strncmp(scene.reason, rows[i].reason, strlen(rows[i].reason)), 0,
			     "%s: %s, not %s", said ? said : "nothing", scene.reason,
			     rows[i].reason);
		cr_expect_not(redis_link_is_up(scene.link));
		cr_expect_null(call(&scene, "GET"));
		cr_expect_lt(atomic_load(&scene.peer.n_flooded), 16 << 20);
		scene_close(&scene);
	}
}

Test(redis_link, a_server_that_is_away_is_asked_ever_less_often)
{
	struct scene scene;
	int64_t begun = clock_mono_ms();

	said = PEER_HANG_UP;
	scene_open(&scene, "", "", say);
	scene.stop_at_down = 5;
	run(&scene);
	cr_expect_geq(clock_mono_ms() - begun, (50 + 100 + 200 + 400) / 2);
	scene_close(&scene);
}

/* --- a log-in that does not --------------------------------------------------------------------
 */

struct script {
	const char *command, *said;
};

/* Each command is one of the script's, in this order; GET is answered by its number. */
static const struct script *script;

static const char *play(void *arg, const char *command, unsigned n)
{
	(void)arg;
	if (strcmp(command, "PING") == 0)
		return "+PONG\r\n";
	if (!script[n].command || strcmp(script[n].command, command) != 0)
		return "-ERR not in the script\r\n";
	return script[n].said;
}

Test(redis_link, logs_in_with_user_and_password)
{
	static const struct script auth[] = {{"AUTH", "+OK\r\n"}, {NULL, NULL}};
	struct scene scene;

	script = auth;
	scene_open(&scene, "me@", "secret", play);
	run(&scene);
	cr_expect_eq(scene.n_up, 1, "%s", scene.reason);
	cr_expect_eq(atomic_load(&scene.peer.n_commands), 2, "AUTH, PING");
	cr_expect(atomic_load(&scene.common->is_up));
	scene_close(&scene);
}

static const char *answer_late(void *arg, const char *command, unsigned n)
{
	(void)arg;
	if (strcmp(command, "PING") == 0)
		return "+PONG\r\n";
	if (n == 1)
		return NULL;		/* to the first */
	return "+first\r\n+second\r\n"; /* with the second */
}

Test(redis_link, a_late_reply_is_not_taken_for_the_next_one)
{
	struct scene scene;
	int64_t begun;

	scene_open(&scene, "", "", answer_late);
	run(&scene);
	cr_assert_eq(scene.n_up, 1);
	begun = clock_mono_ms();
	cr_assert_not_null(call(&scene, "FIRST"));
	run(&scene);
	cr_expect_eq(scene.err, ERR_STORE_FAULT);
	cr_expect_geq(clock_mono_ms() - begun, MS_TIMEOUT);
	cr_assert_not_null(call(&scene, "SECOND"));
	run(&scene);
	cr_expect_eq(scene.err, OK);
	cr_expect_str_eq(scene.reply, "second");
	cr_expect_eq(scene.n_replies, 2);
	scene_close(&scene);
}

static const char *answer_ping_only(void *arg, const char *command, unsigned n)
{
	(void)arg;
	(void)n;
	return strcmp(command, "PING") == 0 ? "+PONG\r\n" : NULL;
}

Test(redis_link, EM_24_a_server_that_hangs_costs_a_few_timeouts_and_then_nothing)
{
	struct scene scene;
	unsigned n_asked = 0;

	scene_open(&scene, "", "", answer_ping_only);
	run(&scene);
	while (redis_link_is_up(scene.link)) {
		cr_assert_not_null(call(&scene, "GET"));
		run(&scene);
		cr_expect_eq(scene.err, ERR_STORE_FAULT);
		cr_assert_leq(++n_asked, 5);
	}
	cr_expect_eq(scene.n_replies, n_asked);
	cr_expect_null(call(&scene, "GET"), "at once");
	scene_close(&scene);
}

Test(redis_link, a_call_that_is_dropped_is_not_told)
{
	struct scene scene;

	scene_open(&scene, "", "", answer_ping_only);
	run(&scene);
	redis_call_drop(call(&scene, "GET"));
	run(&scene); /* until it is taken for hanging */
	cr_expect_eq(scene.n_down, 1);
	cr_expect_eq(scene.n_replies, 0);
	scene_close(&scene);
}

Test(redis_link, what_is_too_much_is_refused)
{
	struct scene scene;
	unsigned n = 0;

	scene_open(&scene, "", "", answer_ping_only);
	run(&scene);
	while (call(&scene, "GET"))
		cr_assert_leq(++n, 100000);
	cr_expect_geq(n, 1000);
	scene_close(&scene);
}
