/* SPDX-License-Identifier: ISC */
/* What check has understood, for people: tables, and a block for each issuer. */
#include "cmd/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "cmd/fold.h"
#include "core/dates.h"
#include "ctl/certificate.h"

#define NAME_SIZE 512
#define INDENT	  15 /* of what stands behind names */

static PRINTF_LIKE(3, 4) void line(struct check *check, const char *name, const char *fmt, ...)
{
	va_list args;

	buf_printf(&check->out, "  %-12s ", name);
	va_start(args, fmt);
	fold_vprintf(&check->out, INDENT, fmt, args);
	va_end(args);
	buf_text(&check->out, "\n");
}

static void text_deviation(struct check *check, const struct check_deviation *deviation)
{
	line(check, "option", "%s%s%s = %.*s (default %.*s)", deviation->section,
	     deviation->section[0] ? "." : "", deviation->row->name, (int)deviation->value.len,
	     (const char *)deviation->value.p, (int)deviation->initial.len,
	     (const char *)deviation->initial.p);
}

static void text_hash(struct check *check, const char *name, const uint8_t *hash, size_t len)
{
	char hex[2 * MAX_DIGEST_LEN + 1] = "";

	hex_encode(hex, slice_of(hash, len));
	line(check, name, "%s", hex);
}

static void text_responders(struct check *check, const struct issuer_origin *origin)
{
	const struct issuer *issuer = origin->issuer;
	bool is_given = origin->section && origin->section->own.responders.n > 0;

	for (size_t i = 0; i < issuer->n_responders; i++)
		line(check, "responder", "%s%s", issuer->responders[i].url,
		     is_given ? "" : " (learnt from a certificate)");
	if (issuer->n_responders == 0)
		line(check, "responder", "none: requests are answered unauthorized");
	if (issuer->n_trusted > 0)
		line(check, "trusted", "%zu responder certificates", issuer->n_trusted);
}

static void text_issuer(struct check *check, const struct issuer_origin *origin)
{
	const struct issuer *issuer = origin->issuer;
	char name[NAME_SIZE], from[ISO_DATE_SIZE], until[ISO_DATE_SIZE];

	certificate_name(X509_get_subject_name(issuer->certs[0]), name, sizeof(name));
	date_to_iso(from, issuer_not_before(issuer));
	date_to_iso(until, issuer_not_after(issuer));
	buf_printf(&check->out, "issuer %s\n", issuer->label);
	line(check, "subject", "%s", name);
	if (origin->section)
		line(check, "section", "%s:%u", origin->section->file, origin->section->line);
	line(check, "file", "%s", origin->path);
	if (issuer->n_certs > 1)
		line(check, "certificates", "%zu", issuer->n_certs);
	if (check_watched(check, issuer) > 0)
		line(check, "watched", "%zu", check_watched(check, issuer));
	if (issuer->n_names > 1)
		line(check, "names", "%zu encodings", issuer->n_names);
	line(check, "valid", "%s to %s%s", from, until,
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

/* --- the issuers, one line for each ----------------------------------------------------------- */

#define ISSUER_REST "  %-8s  %10s  %5s  %7s  %s\n" /* behind the name, which is in all lines */
#define MAX_LABEL   (FOLD_COLUMNS - 2 - 50)
#define NUMBER_SIZE 24

static size_t label_columns(const struct issuer *issuer)
{
	return fold_columns(issuer->label, strlen(issuer->label));
}

/* Names may be of any length: what stands behind the longest ones stands below them. */
static size_t width_of(const struct check *check)
{
	size_t width = strlen("ISSUER");

	for (size_t i = 0; i < check->n; i++) {
		size_t columns = label_columns(check->origins[i].issuer);

		width = columns > width && columns <= MAX_LABEL ? columns : width;
	}
	return width;
}

static void put_name(struct check *check, const char *name, size_t columns, size_t width)
{
	buf_printf(&check->out, "  %s", name);
	if (columns > width) {
		buf_text(&check->out, "\n  ");
		columns = 0;
	}
	buf_printf(&check->out, "%*s", (int)(width - columns), "");
}

/* The id and the date are cut: the blocks below have all of them. */
static void put_issuer(struct check *check, const struct issuer *issuer, size_t width)
{
	char until[ISO_DATE_SIZE], id[2 * ISSUER_ID_LEN + 1] = "";
	char responders[NUMBER_SIZE], certs[NUMBER_SIZE], watched[NUMBER_SIZE];

	hex_encode(id, slice_of(issuer->id, ISSUER_ID_LEN));
	id[8] = '\0';
	date_to_iso(until, issuer_not_after(issuer));
	until[10] = '\0';
	snprintf(responders, sizeof(responders), "%zu", issuer->n_responders);
	snprintf(certs, sizeof(certs), "%zu", issuer->n_certs);
	snprintf(watched, sizeof(watched), "%zu", check_watched(check, issuer));
	put_name(check, issuer->label, label_columns(issuer), width);
	buf_printf(&check->out, ISSUER_REST, id, responders, certs, watched, until);
}

static void put_issuers(struct check *check)
{
	const size_t width = width_of(check);

	if (check->n == 0)
		return;
	buf_text(&check->out, "issuers\n");
	put_name(check, "ISSUER", strlen("ISSUER"), width);
	buf_printf(&check->out, ISSUER_REST, "ID", "RESPONDERS", "CERTS", "WATCHED", "UNTIL");
	for (size_t i = 0; i < check->n; i++)
		put_issuer(check, check->origins[i].issuer, width);
	buf_text(&check->out, "\n");
}

/* --- the responders --------------------------------------------------------------------------- */

#define TRIAL_INDENT 9

static void put_trial(struct check *check, const struct check_trial *trial)
{
	struct buf *out = &check->out;

	buf_printf(out, "  %s  ", trial->works ? "works" : "FAILS");
	fold_printf(out, TRIAL_INDENT, "%s", trial->url);
	buf_printf(out, "\n%*s", TRIAL_INDENT, "");
	fold_printf(out, TRIAL_INDENT, "%s, ", trial->issuer->label);
	if (trial->address[0] != '\0')
		fold_printf(out, TRIAL_INDENT, "%s, ", trial->address);
	if (trial->http_status > 0)
		fold_printf(out, TRIAL_INDENT, "HTTP %u, %.1f ms, ", trial->http_status,
			    (double)trial->us_taken / 1000);
	if (trial->err == OK)
		fold_printf(out, TRIAL_INDENT, "%s, about %s",
			    label_text(DIM_FROM, (unsigned)trial->cert_status), trial->about);
	else if (trial->works)
		fold_printf(out, TRIAL_INDENT, "%s, about %s", err_row(trial->err)->label,
			    trial->about);
	else
		fold_printf(out, TRIAL_INDENT, "%s%s%s", err_row(trial->err)->text,
			    trial->detail[0] ? ": " : "", trial->detail);
	buf_text(out, "\n");
}

static void put_trials(struct check *check)
{
	if (check->n_trials == 0)
		return;
	buf_text(&check->out, "responders, tried now\n");
	for (size_t i = 0; i < check->n_trials; i++)
		put_trial(check, &check->trials[i]);
	buf_text(&check->out, "\n");
}

/* The name of the file may be long. */
static void put_sum(struct check *check)
{
	size_t warnings =
	    check_count(&check->config_messages, true) + check_count(&check->file_messages, true);
	char sum[128];

	snprintf(sum, sizeof(sum), "issuers: %zu, warnings: %zu, faults: %zu", check->n, warnings,
		 check_count(&check->file_messages, false));
	buf_printf(&check->out, "%s:%s%s\n", check->config,
		   strlen(check->config) + 2 + strlen(sum) > FOLD_COLUMNS ? "\n  " : " ", sum);
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
	put_sum(check);
}
