/* SPDX-License-Identifier: ISC */
/* ocsprelay list: what a running relay has in memory, what expires first at first. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "cmd/remote.h"
#include "cmd/span.h"
#include "core/dates.h"
#include "io/clock.h"

#define DEFAULT_LIMIT 1000 /* lines for people; with --json all */

struct list_args {
	struct remote_args remote;
	const char *issuer, *serial, *expiring;
	uint64_t limit; /* 0: not given */
};

static const struct column {
	const char *title, *member;
	int sign; /* of a time: 1 counts from now, -1 up to now; 0: a text */
} columns[] = {
    {"SERIAL", "serial", 0},	     {"HASH", "hash", 0},
    {"STATUS", "status", 0},	     {"AGE", "this_update", -1},
    {"EXPIRES IN", "expires_at", 1}, {"REFRESH IN", "refresh_at", 1},
    {"ISSUER", "issuer", 0},
};

/* What stands there; dst is room for it. */
static const char *cell(const struct column *column, const json_t *entry, char dst[SPAN_TEXT])
{
	const char *text = remote_text(entry, column->member);
	int64_t t;

	if (column->sign == 0 || date_from_iso(slice_text(text), &t) != OK)
		return text;
	span_text(dst, column->sign * (t - clock_wall()));
	return dst;
}

static void widen(size_t widths[N_ELEMENTS(columns)], const json_t *entry)
{
	for (size_t i = 0; i < N_ELEMENTS(columns); i++) {
		char room[SPAN_TEXT];
		size_t len = strlen(cell(&columns[i], entry, room));

		if (len > widths[i])
			widths[i] = len;
	}
}

static void print_row(const size_t widths[N_ELEMENTS(columns)], const json_t *entry)
{
	for (size_t i = 0; i < N_ELEMENTS(columns); i++) {
		char room[SPAN_TEXT];
		const char *text = entry ? cell(&columns[i], entry, room) : columns[i].title;
		bool is_last = i + 1 == N_ELEMENTS(columns);

		printf("%*s%s",
		       is_last		 ? 0
		       : columns[i].sign ? (int)widths[i]
					 : -(int)widths[i],
		       text, is_last ? "\n" : "  ");
	}
}

static void print(const json_t *told)
{
	const json_t *entries = json_object_get(told, "entries");
	size_t widths[N_ELEMENTS(columns)], n = json_array_size(entries), i;
	json_t *entry;

	for (i = 0; i < N_ELEMENTS(columns); i++)
		widths[i] = strlen(columns[i].title);
	json_array_foreach(entries, i, entry) widen(widths, entry);
	if (n > 0)
		print_row(widths, NULL);
	json_array_foreach(entries, i, entry) print_row(widths, entry);
	if ((int64_t)n < remote_number(told, "matching"))
		printf("%zu of %" PRId64 ", see --limit\n", n, remote_number(told, "matching"));
}

/* Everything but letters, digits and a few signs as %XX (RFC 3986 2.1). */
static void put_value(struct buf *out, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(out, "%s=", name);
	for (; *value != '\0'; value++) {
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
			   *value) != NULL)
			buf_append(out, value, 1);
		else
			buf_printf(out, "%%%02X", (unsigned char)*value);
	}
	buf_text(out, "&");
}

static int run(const struct list_args *args)
{
	uint64_t limit = args->limit > 0 || args->remote.json ? args->limit : DEFAULT_LIMIT;
	struct remote remote;
	struct buf path;
	json_t *told = NULL;
	int status = remote_open("list", &args->remote, &remote);

	buf_init(&path, 65536);
	buf_text(&path, "/api/v1/entries?");
	put_value(&path, "issuer", args->issuer);
	put_value(&path, "serial", args->serial);
	put_value(&path, "expiring", args->expiring);
	if (limit > 0)
		buf_printf(&path, "limit=%" PRIu64, limit);
	buf_append(&path, "", 1);
	if (status == ARGS_GO && path.err != OK)
		status = args_usage("list", "too long");
	if (status == ARGS_GO)
		status = remote_object(&remote, (const char *)path.p, NULL,
				       (struct slice){.len = 0}, &told);
	if (status == ARGS_GO) {
		if (!remote.json)
			print(told);
		status = EXIT_OK;
	}
	json_decref(told);
	buf_fini(&path);
	remote_close(&remote);
	return status;
}

int cmd_list(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    REMOTE_ROWS(list_args),
	    {"issuer", 0, ARGS_TEXT, offsetof(struct list_args, issuer)},
	    {"serial", 0, ARGS_TEXT, offsetof(struct list_args, serial)},
	    {"expiring", 0, ARGS_TEXT, offsetof(struct list_args, expiring)},
	    {"limit", 0, ARGS_NUMBER, offsetof(struct list_args, limit)},
	};
	static const struct args_spec spec = {"list", rows, N_ELEMENTS(rows)};
	struct list_args args = {.remote = REMOTE_ARGS};
	int status = args_read(&spec, argc, argv, &args);

	return status == ARGS_GO ? run(&args) : status;
}
