/* SPDX-License-Identifier: ISC */
/*
 * ocsprelay export: writes what a running relay has into a bundle. The file appears under its name
 * only when it is whole.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "cmd/progress.h"
#include "cmd/remote.h"
#include "core/bundle.h"

#define TAIL 64 /* octets that hold the last line and the end of the one before */

struct export_args {
	struct remote_args remote;
	const char *tier, *file;
};

struct export
{
	struct remote remote;
	struct progress progress;
	FILE *file;
	uint64_t n_octets;
	char tail[TAIL];
	size_t tail_len;
};

static void keep_tail(struct export *export, struct slice octets)
{
	size_t keep;

	octets = slice_skip(octets, octets.len > TAIL ? octets.len - TAIL : 0);
	keep = TAIL - octets.len < export->tail_len ? TAIL - octets.len : export->tail_len;
	memmove(export->tail, export->tail + export->tail_len - keep, keep);
	memcpy(export->tail + keep, octets.p, octets.len);
	export->tail_len = keep + octets.len;
}

static bool on_part(void *arg, struct slice octets)
{
	struct export *export = arg;

	if (octets.len == 0)
		return true;
	if (fwrite(octets.p, 1, octets.len, export->file) != octets.len)
		return false;
	export->n_octets += octets.len;
	keep_tail(export, octets);
	progress_show(&export->progress, export->n_octets, 0);
	return true;
}

/* The last line says whether that was all. */
static int judge(const struct export *export, struct bundle_item *end)
{
	size_t at = export->tail_len > 0 ? export->tail_len - 1 : 0;
	struct slice line;

	while (at > 0 && export->tail[at - 1] != '\n')
		at--;
	line = slice_of(export->tail + at, export->tail_len - at);
	if (bundle_read(&line, 1, end) != OK || !end->is_end) {
		remote_say(&export->remote, "the relay's answer was cut short");
		return EXIT_NO_ANSWER;
	}
	if (end->is_complete)
		return EXIT_OK;
	remote_say(&export->remote, "incomplete: a store could not be read to its end");
	return EXIT_NO;
}

static int ask(struct export *export, const struct export_args *args)
{
	struct admin_call call = {.path = "/api/v1/export"};
	struct bundle_item end;
	char path[64], amount[PROGRESS_TEXT];
	int status;

	if (args->tier != NULL) {
		snprintf(path, sizeof(path), "/api/v1/export?tier=%s", args->tier);
		call.path = path;
	}
	progress_init(&export->progress, PROGRESS_OCTETS, args->remote.json);
	status = remote_stream(&export->remote, &call, on_part, export);
	progress_end(&export->progress);
	if (status == ARGS_GO)
		status = judge(export, &end);
	if (fflush(export->file) != 0 || ferror(export->file)) {
		remote_say(&export->remote, "%s: cannot be written: %s", args->file,
			   strerror(errno));
		return EXIT_NO_ANSWER;
	}
	if (status != EXIT_OK && status != EXIT_NO)
		return status;
	progress_amount(amount, PROGRESS_OCTETS, export->n_octets);
	if (args->remote.json && export->file != stdout)
		printf("{\"exported\":%" PRIu64 ",\"octets\":%" PRIu64 ",\"complete\":%s}\n",
		       end.count, export->n_octets, end.is_complete ? "true" : "false");
	else if (export->file != stdout)
		printf("%s: %" PRIu64 " answers, %s\n", args->file, end.count, amount);
	return status;
}

static int export_to(struct export *export, const struct export_args *args)
{
	char *part = NULL;
	int status = EXIT_NO_ANSWER;

	if (asprintf(&part, "%s.part", args->file) < 0)
		return status;
	export->file = fopen(part, "wbe");
	if (export->file == NULL) {
		remote_say(&export->remote, "%s: cannot be written: %s", part, strerror(errno));
	} else {
		status = ask(export, args);
		if (fclose(export->file) != 0 && status != EXIT_NO_ANSWER)
			status = EXIT_NO_ANSWER;
		if ((status != EXIT_OK && status != EXIT_NO) || rename(part, args->file) != 0) {
			unlink(part);
			status = status == EXIT_OK || status == EXIT_NO ? EXIT_NO_ANSWER : status;
		}
	}
	free(part);
	return status;
}

static bool is_tier(const char *word)
{
	return strcmp(word, "memory") == 0 || strcmp(word, "disk") == 0 ||
	       strcmp(word, "redis") == 0;
}

int cmd_export(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    REMOTE_ROWS(export_args),
	    {"tier", 0, ARGS_TEXT, offsetof(struct export_args, tier)},
	    {"FILE", 0, ARGS_OPERAND, offsetof(struct export_args, file)},
	};
	static const struct args_spec spec = {"export", rows, N_ELEMENTS(rows)};
	struct export_args args = {.remote = REMOTE_ARGS};
	struct export export = {.file = stdout};
	int status = args_read(&spec, argc, argv, &args);

	if (status != ARGS_GO)
		return status;
	if (args.tier != NULL && !is_tier(args.tier))
		return args_usage("export", "--tier: memory, disk or redis");
	status = remote_open("export", &args.remote, &export.remote);
	if (status == ARGS_GO)
		status =
		    strcmp(args.file, "-") == 0 ? ask(&export, &args) : export_to(&export, &args);
	remote_close(&export.remote);
	return status;
}
