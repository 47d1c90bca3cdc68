/* SPDX-License-Identifier: ISC */
/* What check has understood, for people: tables, and a block for each issuer. */
#include "cmd/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "core/dates.h"
#include "ctl/certificate.h"

#define NAME_SIZE 512

static void text_deviation(struct check *check, const struct check_deviation *deviation)
{
	buf_printf(&check->out, "  option       %s%s%s = %.*s (default %.*s)\n", deviation->section,
		   deviation->section[0] ? "." : "", deviation->row->name,
		   (int)deviation->value.len, (const char *)deviation->value.p,
		   (int)deviation->initial.len, (const char *)deviation->initial.p);
}

static void text_hash(struct check *check, const char *name, const uint8_t *hash, size_t len)
{
	char hex[2 * MAX_DIGEST_LEN + 1] = "";

	hex_encode(hex, slice_of(hash, len));
	buf_printf(&check->out, "  %-12s %s\n", name, hex);
}

static void text_responders(struct check *check, const struct issuer_origin *origin)
{
	const struct issuer *issuer = origin->issuer;
	bool is_given = origin->section && origin->section->own.responders.n > 0;

	for (size_t i = 0; i < issuer->n_responders; i++)
		buf_printf(&check->out, "  responder    %s%s\n", issuer->responders[i].url,
			   is_given ? "" : " (learnt from a certificate)");
	if (issuer->n_responders == 0)
		buf_text(&check->out, "  responder    none: requests are answered unauthorized\n");
	if (issuer->n_trusted > 0)
		buf_printf(&check->out, "  trusted      %zu responder certificates\n",
			   issuer->n_trusted);
}

static void text_issuer(struct check *check, const struct issuer_origin *origin)
{
	const struct issuer *issuer = origin->issuer;
	char name[NAME_SIZE], from[ISO_DATE_SIZE], until[ISO_DATE_SIZE];

	certificate_name(X509_get_subject_name(issuer->certs[0]), name, sizeof(name));
	date_to_iso(from, issuer_not_before(issuer));
	date_to_iso(until, issuer_not_after(issuer));
	buf_printf(&check->out, "issuer %s\n  subject      %s\n", issuer->label, name);
	if (origin->section)
		buf_printf(&check->out, "  section      %s:%u\n", origin->section->file,
			   origin->section->line);
	buf_printf(&check->out, "  file         %s\n", origin->path);
	if (issuer->n_certs > 1)
		buf_printf(&check->out, "  certificates %zu\n", issuer->n_certs);
	if (check_watched(check, issuer) > 0)
		buf_printf(&check->out, "  watched      %zu\n", check_watched(check, issuer));
	if (issuer->n_names > 1)
		buf_printf(&check->out, "  names        %zu encodings\n", issuer->n_names);
	buf_printf(&check->out, "  valid        %s to %s%s\n", from, until,
		   issuer_valid_until(issuer, check->now) == INT64_MIN ? ", not now" : "");
	text_hash(check, "issuer-id", issuer->id, ISSUER_ID_LEN);
	text_hash(check, "key sha1", issuer->key_hash[HASH_SHA1], hash_algs[HASH_SHA1].len);
	text_hash(check, "key sha256", issuer->key_hash[HASH_SHA256], hash_algs[HASH_SHA256].len);
	text_responders(check, origin);
	check_each_issuer_option(check, origin, text_deviation);
	buf_text(&check->out, "\n");
}

static void print_messages(const struct buf *messages)
{
	if (messages->len > 0)
		fwrite(messages->p, 1, messages->len, stderr);
}

/* --- tables ----------------------------------------------------------------------------------- */

#define MAX_COLUMNS 6
#define CELL_SIZE   160

struct table {
	size_t n_columns;
	size_t widths[MAX_COLUMNS];
	char (*rows)[MAX_COLUMNS][CELL_SIZE];
	size_t n;
};

/* False without memory. */
static bool table_init(struct table *table, size_t n_columns, size_t max_rows)
{
	*table =
	    (struct table){.n_columns = n_columns, .rows = calloc(max_rows, sizeof(*table->rows))};
	return table->rows != NULL;
}

static void table_print(struct table *table, struct check *check)
{
	for (size_t row = 0; row < table->n; row++) {
		for (size_t i = 0; i < table->n_columns; i++) {
			size_t len = strlen(table->rows[row][i]);

			if (len > table->widths[i])
				table->widths[i] = len;
		}
	}
	for (size_t row = 0; row < table->n; row++) {
		buf_text(&check->out, " ");
		for (size_t i = 0; i + 1 < table->n_columns; i++)
			buf_printf(&check->out, " %-*s ", (int)table->widths[i],
				   table->rows[row][i]);
		buf_printf(&check->out, " %s\n", table->rows[row][table->n_columns - 1]);
	}
	buf_text(&check->out, "\n");
	free(table->rows);
}

static PRINTF_LIKE(3, 4) void put_cell(struct table *table, size_t column, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(table->rows[table->n][column], CELL_SIZE, fmt, args);
	va_end(args);
}

/* One line for each: what fits on a screen of them. The id is cut as key hashes are elsewhere. */
static void put_issuers(struct check *check)
{
	static const char *const titles[] = {"ISSUER",	     "ID",	"RESPONDERS",
					     "CERTIFICATES", "WATCHED", "VALID UNTIL"};
	struct table table;

	if (check->n == 0 || !table_init(&table, MAX_COLUMNS, check->n + 1))
		return;
	for (size_t i = 0; i < MAX_COLUMNS; i++)
		put_cell(&table, i, "%s", titles[i]);
	for (size_t i = 0; i < check->n; i++) {
		const struct issuer *issuer = check->origins[i].issuer;
		char until[ISO_DATE_SIZE], id[2 * ISSUER_ID_LEN + 1] = "";

		table.n++;
		hex_encode(id, slice_of(issuer->id, ISSUER_ID_LEN));
		date_to_iso(until, issuer_not_after(issuer));
		put_cell(&table, 0, "%s", issuer->label);
		put_cell(&table, 1, "%.16s", id);
		put_cell(&table, 2, "%zu", issuer->n_responders);
		put_cell(&table, 3, "%zu", issuer->n_certs);
		put_cell(&table, 4, "%zu", check_watched(check, issuer));
		put_cell(&table, 5, "%s", until);
	}
	table.n++;
	buf_text(&check->out, "issuers\n");
	table_print(&table, check);
}

static void put_trial(struct table *table, const struct check_trial *trial)
{
	put_cell(table, 0, "%s", trial->works ? "works" : "FAILS");
	put_cell(table, 1, "%s", trial->issuer->label);
	put_cell(table, 2, "%s", trial->url);
	put_cell(table, 3, "%s", trial->address[0] ? trial->address : "-");
	if (trial->http_status > 0)
		put_cell(table, 4, "HTTP %u, %.1f ms", trial->http_status,
			 (double)trial->us_taken / 1000);
	else
		put_cell(table, 4, "-");
	if (trial->err == OK)
		put_cell(table, 5, "%s, about %s",
			 label_text(DIM_FROM, (unsigned)trial->cert_status), trial->about);
	else if (trial->works)
		put_cell(table, 5, "%s, about %s", err_row(trial->err)->label, trial->about);
	else
		put_cell(table, 5, "%s%s%s", err_row(trial->err)->text,
			 trial->detail[0] ? ": " : "", trial->detail);
	table->n++;
}

static void put_trials(struct check *check)
{
	struct table table;

	if (check->n_trials == 0 || !table_init(&table, MAX_COLUMNS, check->n_trials))
		return;
	for (size_t i = 0; i < check->n_trials; i++)
		put_trial(&table, &check->trials[i]);
	buf_text(&check->out, "responders, tried now\n");
	table_print(&table, check);
}

void check_text(struct check *check)
{
	print_messages(&check->config_messages);
	print_messages(&check->file_messages);
	if (!check->settings)
		return;
	buf_text(&check->out, "settings\n");
	check_each_setting(check, text_deviation);
	buf_text(&check->out, "  other options as by default\n\n");
	put_issuers(check);
	for (size_t i = 0; i < check->n; i++)
		text_issuer(check, &check->origins[i]);
	if (check->n == 0)
		buf_text(&check->out, "no issuer: every request is answered unauthorized\n\n");
	put_trials(check);
	buf_printf(
	    &check->out, "%s: issuers: %zu, warnings: %zu, faults: %zu\n", check->config, check->n,
	    check_count(&check->config_messages, true) + check_count(&check->file_messages, true),
	    check_count(&check->file_messages, false));
}
