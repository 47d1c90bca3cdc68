/* SPDX-License-Identifier: ISC */
/* ocsprelay rehearse: has a running relay behave as if an issuer's responders were down. */
#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "cmd/remote.h"
#include "cmd/span.h"
#include "ctl/json_member.h"

struct rehearse_args {
	struct remote_args remote;
	const char *issuer, *length;
	bool stop;
};

static void put_body(const struct rehearse_args *args, struct buf *out)
{
	buf_text(out, "{");
	json_member_text(out, "issuer", args->issuer);
	buf_text(out, ",");
	if (args->stop)
		buf_text(out, "\"stop\":true");
	else
		json_member_text(out, "for", args->length);
	buf_text(out, "}");
}

/* What is said to be wrong is an exit status, too: there was nothing to stop. */
static int print(const struct rehearse_args *args, const json_t *told)
{
	const json_t *rehearsal = json_object_get(told, "rehearsal");
	const char *name = remote_text(told, "issuer");
	char left[SPAN_TEXT];

	if (args->remote.json)
		return json_is_object(rehearsal) ? EXIT_OK : EXIT_NO;
	if (!json_is_object(rehearsal)) {
		printf("%s: no outage is rehearsed\n", name);
		return EXIT_NO;
	}
	if (args->stop) {
		printf("%s: ended; %" PRId64 " answers came from the cache, %" PRId64
		       " clients got an error\n",
		       name, remote_number(rehearsal, "saved"), remote_number(rehearsal, "failed"));
		return EXIT_OK;
	}
	span_text(left, remote_number(rehearsal, "seconds_left"));
	printf("%s: for %s from now no responder is asked; --stop ends it\n", name, left);
	return EXIT_OK;
}

static int run(const struct rehearse_args *args)
{
	struct remote remote;
	struct buf body;
	json_t *told = NULL;
	int status = remote_open("rehearse", &args->remote, &remote);

	buf_init(&body, 65536);
	put_body(args, &body);
	if (status == ARGS_GO)
		status = remote_object(&remote, "/api/v1/rehearse", "application/json",
				       buf_slice(&body), &told);
	if (status == ARGS_GO)
		status = print(args, told);
	json_decref(told);
	buf_fini(&body);
	remote_close(&remote);
	return status;
}

int cmd_rehearse(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    REMOTE_ROWS(rehearse_args),
	    {"issuer", 0, ARGS_TEXT, offsetof(struct rehearse_args, issuer)},
	    {"for", 0, ARGS_TEXT, offsetof(struct rehearse_args, length)},
	    {"stop", 0, ARGS_FLAG, offsetof(struct rehearse_args, stop)},
	};
	static const struct args_spec spec = {"rehearse", rows, N_ELEMENTS(rows)};
	struct rehearse_args args = {.remote = REMOTE_ARGS};
	int status = args_read(&spec, argc, argv, &args);

	if (status != ARGS_GO)
		return status;
	if (args.issuer == NULL)
		return args_usage("rehearse", "--issuer is missing");
	if (args.stop == (args.length != NULL))
		return args_usage("rehearse", "either --for or --stop is needed");
	return run(&args);
}
