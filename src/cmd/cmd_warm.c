/* SPDX-License-Identifier: ISC */
/*
 * ocsprelay warm: has a running relay fetch what it lacks about some certificates. They are sent
 * some at a time, so that tens of thousands need no more of the relay than a few.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "cmd/progress.h"
#include "cmd/remote.h"
#include "cmd/sources.h"
#include "io/tls_peer.h"

#define SLICE	    262144 /* octets that are sent at once; or one certificate that is longer */
#define MAX_AT_ONCE 200	   /* certificates, so that the relay has room to tell of each */
#define MAX_REASONS ((size_t)1 << 28)
#define NAME_SIZE   256

struct warm_args {
	struct remote_args remote;
	struct args_texts peers, paths;
	uint64_t timeout;
};

struct warm_count {
	int64_t n_all, n_there, n_fetched, n_failed;
};

struct warm {
	struct remote remote;
	struct progress progress;
	struct sources sources;
	size_t first, end;	    /* of the certificates, those that are being sent */
	struct warm_count now, sum; /* of these, of all before */
	bool is_done;		    /* these */
	struct buf reasons;	    /* JSON objects with commas between them */
};

/* --- telling ---------------------------------------------------------------------------------- */

static void add_reason(struct buf *reasons, const json_t *told, const char *where,
		       const char *subject)
{
	char *rest = json_dumps(told, JSON_COMPACT);

	buf_text(reasons, reasons->len > 0 ? ",{\"source\":\"" : "{\"source\":\"");
	buf_json(reasons, slice_text(where));
	if (*subject != '\0') {
		buf_text(reasons, "\",\"subject\":\"");
		buf_json(reasons, slice_text(subject));
	}
	buf_text(reasons, "\",");
	buf_text(reasons, rest ? rest + 1 : "}");
	free(rest);
}

/* told: an object of ours that has "reason" and "text". */
static void note_reason(struct warm *warm, const json_t *told, const char *where,
			const char *subject)
{
	progress_end(&warm->progress);
	if (warm->remote.json)
		add_reason(&warm->reasons, told, where, subject);
	else
		printf("%s: %s%s%s\n", where, subject, *subject != '\0' ? ": " : "",
		       remote_text(told, "text"));
}

/* What could not even be sent. */
static void on_failed(void *arg, const char *where, const char *what)
{
	struct warm *warm = arg;
	json_t *told = json_pack("{s:s, s:s}", "reason", "source", "text", what);

	warm->sum.n_all++;
	warm->sum.n_failed++;
	note_reason(warm, told, where, "");
	json_decref(told);
}

static void on_reason(struct warm *warm, const json_t *told)
{
	size_t i = warm->first + (size_t)remote_number(told, "certificate");
	json_t *ours = json_deep_copy(told);
	char subject[NAME_SIZE];

	json_object_del(ours, "certificate");
	json_object_del(ours, "subject");
	if (i < warm->end) {
		sources_subject(&warm->sources, i, subject, sizeof(subject));
		note_reason(warm, ours, sources_where(&warm->sources, i), subject);
	}
	json_decref(ours);
}

static void on_line(void *arg, const json_t *told, struct slice line)
{
	struct warm *warm = arg;
	struct warm_count *now = &warm->now;

	(void)line;
	if (json_object_get(told, "reason") != NULL) {
		on_reason(warm, told);
		return;
	}
	*now = (struct warm_count){.n_all = remote_number(told, "all"),
				   .n_there = remote_number(told, "there"),
				   .n_fetched = remote_number(told, "fetched"),
				   .n_failed = remote_number(told, "failed")};
	warm->is_done = json_is_true(json_object_get(told, "done"));
	progress_show(&warm->progress,
		      warm->first + (uint64_t)(now->n_there + now->n_fetched + now->n_failed),
		      warm->sources.n);
}

static int tell(const struct warm *warm)
{
	const struct warm_count *sum = &warm->sum;

	if (warm->remote.json)
		printf("{\"all\":%" PRId64 ",\"there\":%" PRId64 ",\"fetched\":%" PRId64
		       ",\"failed\":%" PRId64 ",\"reasons\":[%.*s]}\n",
		       sum->n_all, sum->n_there, sum->n_fetched, sum->n_failed,
		       (int)warm->reasons.len, (const char *)warm->reasons.p);
	else
		printf("%" PRId64 " of %" PRId64 " warm: %" PRId64 " were there, %" PRId64
		       " fetched; %" PRId64 " failed\n",
		       sum->n_there + sum->n_fetched, sum->n_all, sum->n_there, sum->n_fetched,
		       sum->n_failed);
	return sum->n_failed == 0 ? EXIT_OK : EXIT_NO;
}

/* --- sending ---------------------------------------------------------------------------------- */

/* Where the slice ends that begins with first. */
static size_t end_of_slice(const struct sources *sources, size_t first)
{
	size_t end = first + 1;

	while (end < sources->n && end - first < MAX_AT_ONCE &&
	       sources_pem(sources, first, end + 1).len <= SLICE)
		end++;
	return end;
}

/* ARGS_GO or the exit status. */
static int send_slice(struct warm *warm)
{
	struct admin_call call = {.path = "/api/v1/warm",
				  .type = "application/pem-certificate-chain"};
	int status;

	warm->end = end_of_slice(&warm->sources, warm->first);
	warm->now = (struct warm_count){.n_all = 0};
	warm->is_done = false;
	call.body = sources_pem(&warm->sources, warm->first, warm->end);
	status = remote_lines(&warm->remote, &call, on_line, warm);
	if (status == ARGS_GO && !warm->is_done) {
		remote_say(&warm->remote, "the relay has not told the end of it");
		status = EXIT_NO_ANSWER;
	}
	warm->sum.n_all += warm->now.n_all;
	warm->sum.n_there += warm->now.n_there;
	warm->sum.n_fetched += warm->now.n_fetched;
	warm->sum.n_failed += warm->now.n_failed;
	warm->first = warm->end;
	return status == EXIT_USAGE ? EXIT_NO_ANSWER : status;
}

static int gather(struct warm *warm, const struct warm_args *args)
{
	err_t err = OK;

	for (size_t i = 0; i < args->paths.n && err == OK; i++)
		err = sources_add_path(&warm->sources, args->paths.items[i]);
	for (size_t i = 0; i < args->peers.n && err == OK; i++)
		err =
		    sources_add_peer(&warm->sources, args->peers.items[i], (unsigned)args->timeout);
	if (err == OK)
		return ARGS_GO;
	remote_say(&warm->remote, "%s", err_row(err)->text);
	return EXIT_NO_ANSWER;
}

static int run(const struct warm_args *args)
{
	struct warm warm = {.first = 0};
	int status = remote_open("warm", &args->remote, &warm.remote);

	buf_init(&warm.reasons, MAX_REASONS);
	sources_init(&warm.sources, on_failed, &warm);
	progress_init(&warm.progress, PROGRESS_ANSWERS, args->remote.json);
	if (status == ARGS_GO)
		status = gather(&warm, args);
	while (status == ARGS_GO && warm.first < warm.sources.n)
		status = send_slice(&warm);
	progress_end(&warm.progress);
	if (status == ARGS_GO)
		status = tell(&warm);
	sources_fini(&warm.sources);
	buf_fini(&warm.reasons);
	remote_close(&warm.remote);
	return status;
}

static int check(const struct warm_args *args)
{
	if (args->paths.n + args->peers.n == 0)
		return args_usage("warm", "which certificates? files, directories or --tls");
	for (size_t i = 0; i < args->peers.n; i++) {
		if (!tls_peer_check(args->peers.items[i]))
			return args_usage("warm", "--tls: \"%s\" is no HOST:PORT",
					  args->peers.items[i]);
	}
	return ARGS_GO;
}

int cmd_warm(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    REMOTE_ROWS(warm_args),
	    {"tls", 0, ARGS_TEXTS, offsetof(struct warm_args, peers)},
	    {"timeout", 0, ARGS_SECONDS, offsetof(struct warm_args, timeout)},
	    {"PATH", 0, ARGS_OPERANDS, offsetof(struct warm_args, paths)},
	};
	static const struct args_spec spec = {"warm", rows, N_ELEMENTS(rows)};
	struct warm_args args = {.remote = REMOTE_ARGS, .timeout = 10};
	int status = args_read(&spec, argc, argv, &args);

	if (status == ARGS_GO)
		status = check(&args);
	if (status == ARGS_GO)
		status = run(&args);
	args_texts_fini(&args.peers);
	args_texts_fini(&args.paths);
	return status;
}
