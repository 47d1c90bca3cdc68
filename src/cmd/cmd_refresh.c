/* SPDX-License-Identifier: ISC */
/* ocsprelay refresh: has a running relay fetch now what it has in memory. */
#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "cmd/progress.h"
#include "cmd/remote.h"

#define MAX_BODY 65536

struct refresh_args {
	struct remote_args remote;
	const char *issuer, *serial;
	bool all;
};

struct refresh {
	struct remote remote;
	struct progress progress;
	bool is_done;
	int64_t n_all, n_fetched, n_failed;
};

static void on_line(void *arg, const json_t *told, struct slice line)
{
	struct refresh *refresh = arg;

	if (refresh->remote.json)
		printf("%.*s\n", (int)line.len, (const char *)line.p);
	if (json_object_get(told, "reason") != NULL) {
		if (!refresh->remote.json) {
			progress_end(&refresh->progress);
			printf("%s %s (%s): %s\n", remote_text(told, "issuer"),
			       remote_text(told, "serial"), remote_text(told, "hash"),
			       remote_text(told, "text"));
		}
	} else {
		refresh->n_all = remote_number(told, "all");
		refresh->n_fetched = remote_number(told, "fetched");
		refresh->n_failed = remote_number(told, "failed");
		refresh->is_done = json_is_true(json_object_get(told, "done"));
		progress_show(&refresh->progress,
			      (uint64_t)(refresh->n_fetched + refresh->n_failed),
			      (uint64_t)refresh->n_all);
	}
}

static int run(const struct refresh_args *args)
{
	struct refresh refresh = {.n_all = 0};
	struct admin_call call = {.path = "/api/v1/refresh", .type = "application/json"};
	struct buf body;
	int status = remote_open("refresh", &args->remote, &refresh.remote);

	buf_init(&body, MAX_BODY);
	remote_selection(args->issuer, args->serial, args->all, &body);
	call.body = buf_slice(&body);
	progress_init(&refresh.progress, PROGRESS_ANSWERS, args->remote.json);
	if (status == ARGS_GO)
		status = remote_lines(&refresh.remote, &call, on_line, &refresh);
	progress_end(&refresh.progress);
	if (status == ARGS_GO && !refresh.is_done) {
		remote_say(&refresh.remote, "the relay has not told the end of it");
		status = EXIT_NO_ANSWER;
	}
	if (status == ARGS_GO) {
		if (!refresh.remote.json)
			printf("%" PRId64 " of %" PRId64 " fetched, %" PRId64 " failed\n",
			       refresh.n_fetched, refresh.n_all, refresh.n_failed);
		status = refresh.n_failed == 0 ? EXIT_OK : EXIT_NO;
	}
	buf_fini(&body);
	remote_close(&refresh.remote);
	return status;
}

int cmd_refresh(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    REMOTE_ROWS(refresh_args),
	    {"issuer", 0, ARGS_TEXT, offsetof(struct refresh_args, issuer)},
	    {"serial", 0, ARGS_TEXT, offsetof(struct refresh_args, serial)},
	    {"all", 0, ARGS_FLAG, offsetof(struct refresh_args, all)},
	};
	static const struct args_spec spec = {"refresh", rows, N_ELEMENTS(rows)};
	struct refresh_args args = {.remote = REMOTE_ARGS};
	int status = args_read(&spec, argc, argv, &args);

	if (status != ARGS_GO)
		return status;
	if (args.all == (args.issuer != NULL || args.serial != NULL))
		return args_usage("refresh", "what? --issuer, --serial or both; or --all");
	return run(&args);
}
