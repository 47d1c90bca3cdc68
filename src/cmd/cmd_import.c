/* SPDX-License-Identifier: ISC */
/*
 * ocsprelay import: hands a bundle to a running relay, some records at a time, and tells what
 * became of each that was not taken. What is damaged in the file is passed over.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "cmd/progress.h"
#include "cmd/remote.h"
#include "core/bundle.h"
#include "core/record.h"

#define PIECE	   65536  /* of the file, at a time */
#define SLICE	   262144 /* of a bundle, sent at once; or one record that is larger */
#define MAX_RECORD ((size_t)(16 << 20) + RECORD_HEADER_LEN) /* what may be configured */
#define MAX_HERE   (MAX_RECORD + BUNDLE_LINE_MAX + 2 * PIECE)

struct import_args {
	struct remote_args remote;
	const char *file;
};

struct import {
	struct remote remote;
	struct progress progress;
	FILE *file;
	const char *path;
	uint64_t n_octets, n_all; /* of the file; n_all 0: nobody knows */
	struct buf here;	  /* what has been read and not been cut up */
	struct buf slice;	  /* a bundle to be sent */
	uint64_t n_in_slice;
	bool is_at_end, is_skipping, has_end, is_incomplete;
	int64_t n_kept, n_older, n_refused;
	struct buf reasons; /* JSON objects with commas between them */
};

/* --- sending ---------------------------------------------------------------------------------- */

static void add_reason(struct import *import, const char *text, size_t len)
{
	buf_text(&import->reasons, import->reasons.len > 0 ? "," : "");
	buf_append(&import->reasons, text, len);
}

static void print_reason(const json_t *reason)
{
	if (json_object_get(reason, "serial") != NULL)
		printf("%s %s (%s): ", remote_text(reason, "issuer"), remote_text(reason, "serial"),
		       remote_text(reason, "hash"));
	printf("refused: %s\n", remote_text(reason, "text"));
}

static void note_answer(struct import *import, const json_t *told)
{
	size_t i;
	json_t *reason;

	import->n_kept += remote_number(told, "kept");
	import->n_older += remote_number(told, "older");
	import->n_refused += remote_number(told, "refused");
	progress_end(&import->progress);
	json_array_foreach(json_object_get(told, "reasons"), i, reason)
	{
		char *text = json_dumps(reason, JSON_COMPACT);

		if (import->remote.json && text != NULL)
			add_reason(import, text, strlen(text));
		else
			print_reason(reason);
		free(text);
	}
}

static bool on_answer(void *arg, struct slice octets)
{
	return buf_append(arg, octets.p, octets.len) == OK;
}

/* What has been gathered, if there is anything. ARGS_GO or the exit status. */
static int send_slice(struct import *import)
{
	struct admin_call call = {.path = "/api/v1/import",
				  .type = "application/x-ocsprelay-bundle"};
	struct buf answer;
	json_t *told;
	int status;

	if (import->n_in_slice == 0)
		return ARGS_GO;
	bundle_put_end(&import->slice, import->n_in_slice, true);
	call.body = buf_slice(&import->slice);
	buf_init(&answer, 256 * SLICE);
	status = remote_stream(&import->remote, &call, on_answer, &answer);
	if (status == ARGS_GO) {
		told = json_loadb((const char *)answer.p, answer.len, 0, NULL);
		note_answer(import, told);
		json_decref(told);
	}
	buf_fini(&answer);
	buf_reset(&import->slice);
	bundle_put_head(&import->slice);
	import->n_in_slice = 0;
	return status == EXIT_USAGE ? EXIT_NO_ANSWER : status;
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool read_piece(struct import *import)
{
	uint8_t piece[PIECE];
	size_t n = fread(piece, 1, sizeof(piece), import->file);

	import->n_octets += n;
	import->is_at_end = n == 0;
	if (buf_append(&import->here, piece, n) == OK && !ferror(import->file))
		return true;
	remote_say(&import->remote, "%s: cannot be read: %s", import->path, strerror(errno));
	return false;
}

static void refuse(struct import *import)
{
	static const char damaged[] =
	    "{\"reason\":\"syntax\",\"text\":\"the bundle is damaged here\"}";

	import->n_refused++;
	if (import->remote.json)
		add_reason(import, damaged, sizeof(damaged) - 1);
	else
		puts("refused: the bundle is damaged here");
}

/* One item off the front of *rest: into the slice, or passed over. ERR_AGAIN: more is needed. */
static err_t take_item(struct import *import, struct slice *rest)
{
	const uint8_t *begin = rest->p;
	struct bundle_item item;
	err_t err;

	if (import->is_skipping) {
		import->is_skipping = !bundle_skip(rest);
		return import->is_skipping ? ERR_AGAIN : OK;
	}
	err = bundle_read(rest, MAX_RECORD, &item);
	if (err == ERR_AGAIN && import->is_at_end && rest->len > 0)
		err = ERR_SYNTAX;
	if (err == ERR_AGAIN)
		return err;
	if (err != OK) {
		refuse(import);
		import->is_skipping = true;
	} else if (item.is_end) {
		import->has_end = true;
		import->is_incomplete = !item.is_complete;
	} else {
		buf_append(&import->slice, begin, (size_t)(rest->p - begin));
		import->n_in_slice++;
	}
	return OK;
}

/* All items that are here. ARGS_GO or the exit status. */
static int take_items(struct import *import)
{
	struct slice rest = buf_slice(&import->here);
	int status = ARGS_GO;

	while (status == ARGS_GO && !import->has_end && take_item(import, &rest) == OK) {
		if (import->slice.len >= SLICE)
			status = send_slice(import);
	}
	memmove(import->here.p, rest.p, rest.len);
	import->here.len = rest.len;
	return status;
}

static int read_head(struct import *import)
{
	struct slice rest;
	err_t err;

	if (!read_piece(import))
		return EXIT_NO_ANSWER;
	rest = buf_slice(&import->here);
	err = bundle_read_head(&rest);
	if (err != OK) {
		remote_say(&import->remote, "%s: %s", import->path,
			   err == ERR_RECORD_VERSION ? "is a bundle of an unknown version"
						     : "is no bundle");
		return EXIT_NO_ANSWER;
	}
	memmove(import->here.p, rest.p, rest.len);
	import->here.len = rest.len;
	bundle_put_head(&import->slice);
	return ARGS_GO;
}

static int import_all(struct import *import)
{
	int status = read_head(import);

	while (status == ARGS_GO && !import->has_end) {
		status = take_items(import);
		if (import->is_at_end || import->has_end || status != ARGS_GO)
			break;
		progress_show(&import->progress, import->n_octets, import->n_all);
		if (!read_piece(import))
			status = EXIT_NO_ANSWER;
	}
	if (status == ARGS_GO)
		status = send_slice(import);
	if (status == ARGS_GO && !import->has_end && !import->is_skipping)
		refuse(import); /* its end is missing */
	progress_end(&import->progress);
	return status;
}

/* --- telling ---------------------------------------------------------------------------------- */

static int tell(const struct import *import)
{
	if (import->is_incomplete)
		remote_say(&import->remote,
			   "the bundle says that it is incomplete: when it was made, a store could "
			   "not be read to its end");
	if (import->remote.json)
		printf("{\"kept\":%" PRId64 ",\"older\":%" PRId64 ",\"refused\":%" PRId64
		       ",\"reasons\":[%.*s]}\n",
		       import->n_kept, import->n_older, import->n_refused, (int)import->reasons.len,
		       (const char *)import->reasons.p);
	else
		printf("%" PRId64 " imported, %" PRId64 " older than what is there, %" PRId64
		       " refused\n",
		       import->n_kept, import->n_older, import->n_refused);
	return import->n_refused == 0 ? EXIT_OK : EXIT_NO;
}

static int run(const struct import_args *args)
{
	bool is_stdin = strcmp(args->file, "-") == 0;
	struct import import = {.path = args->file,
				.file = is_stdin ? stdin : fopen(args->file, "rbe")};
	int error = errno;
	struct stat stat_of;
	int status = remote_open("import", &args->remote, &import.remote);

	buf_init(&import.here, MAX_HERE);
	buf_init(&import.slice, MAX_HERE + SLICE);
	buf_init(&import.reasons, INT32_MAX);
	if (status == ARGS_GO && import.file == NULL) {
		remote_say(&import.remote, "%s: cannot be read: %s", args->file, strerror(error));
		status = EXIT_NO_ANSWER;
	}
	if (status == ARGS_GO) {
		if (fstat(fileno(import.file), &stat_of) == 0 && S_ISREG(stat_of.st_mode))
			import.n_all = (uint64_t)stat_of.st_size;
		progress_init(&import.progress, PROGRESS_OCTETS, args->remote.json);
		status = import_all(&import);
	}
	if (status == ARGS_GO)
		status = tell(&import);
	if (import.file != NULL && !is_stdin)
		fclose(import.file);
	buf_fini(&import.reasons);
	buf_fini(&import.slice);
	buf_fini(&import.here);
	remote_close(&import.remote);
	return status;
}

int cmd_import(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    REMOTE_ROWS(import_args),
	    {"FILE", 0, ARGS_OPERAND, offsetof(struct import_args, file)},
	};
	static const struct args_spec spec = {"import", rows, N_ELEMENTS(rows)};
	struct import_args args = {.remote = REMOTE_ARGS};
	int status = args_read(&spec, argc, argv, &args);

	return status == ARGS_GO ? run(&args) : status;
}
