/* SPDX-License-Identifier: ISC */
/* What check has understood, for programs. */
#include "cmd/check.h"

#include <string.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "core/dates.h"
#include "ctl/certificate.h"

#define NAME_SIZE 512

/* Ends an array or object whose members each left a comma behind. */
static void json_end(struct check *check, const char *end)
{
	if (check->out.len > 0 && check->out.p[check->out.len - 1] == ',')
		check->out.len--;
	buf_text(&check->out, end);
}

static void json_string(struct check *check, struct slice value)
{
	buf_text(&check->out, "\"");
	buf_json(&check->out, value);
	buf_text(&check->out, "\",");
}

static void json_text(struct check *check, const char *name, const char *value)
{
	buf_printf(&check->out, "\"%s\":", name);
	json_string(check, slice_text(value));
}

/* "section.option": a string, or an array of strings for a list. */
static void json_deviation(struct check *check, const struct check_deviation *deviation)
{
	const void *member = (const char *)deviation->base + deviation->row->offset;
	const struct text_list *list = member;

	buf_printf(&check->out, "\"%s%s%s\":", deviation->section, deviation->section[0] ? "." : "",
		   deviation->row->name);
	if (deviation->row->type == OPTION_IS_TEXT) {
		json_string(check, slice_text(*(char *const *)member));
	} else if (deviation->row->type == OPTION_IS_LIST) {
		buf_text(&check->out, "[");
		for (size_t i = 0; i < list->n; i++)
			json_string(check, slice_text(list->items[i]));
		json_end(check, "],");
	} else {
		json_string(check, deviation->value);
	}
}

static void json_number(struct check *check, const char *name, size_t n)
{
	buf_printf(&check->out, "\"%s\":%zu,", name, n);
}

static void json_hash(struct check *check, const char *name, const uint8_t *hash, size_t len)
{
	char hex[2 * MAX_DIGEST_LEN + 1] = "";

	hex_encode(hex, slice_of(hash, len));
	json_text(check, name, hex);
}

static void json_issuer(struct check *check, const struct issuer_origin *origin)
{
	const struct issuer *issuer = origin->issuer;
	char name[NAME_SIZE], from[ISO_DATE_SIZE], until[ISO_DATE_SIZE];

	certificate_name(X509_get_subject_name(issuer->certs[0]), name, sizeof(name));
	date_to_iso(from, issuer_not_before(issuer));
	date_to_iso(until, issuer_not_after(issuer));
	buf_text(&check->out, "{");
	json_text(check, "label", issuer->label);
	json_text(check, "subject", name);
	json_text(check, "section", origin->section ? origin->section->name : "");
	json_text(check, "file", origin->path);
	json_text(check, "not_before", from);
	json_text(check, "not_after", until);
	buf_printf(&check->out, "\"valid\":%s,",
		   issuer_valid_until(issuer, check->now) == INT64_MIN ? "false" : "true");
	json_number(check, "certificates", issuer->n_certs);
	json_number(check, "watched", check_watched(check, issuer));
	json_number(check, "names", issuer->n_names);
	json_number(check, "trusted_responders", issuer->n_trusted);
	json_hash(check, "issuer_id", issuer->id, ISSUER_ID_LEN);
	json_hash(check, "key_sha1", issuer->key_hash[HASH_SHA1], hash_algs[HASH_SHA1].len);
	json_hash(check, "key_sha256", issuer->key_hash[HASH_SHA256], hash_algs[HASH_SHA256].len);
	buf_text(&check->out, "\"responders\":[");
	for (size_t i = 0; i < issuer->n_responders; i++)
		json_string(check, slice_text(issuer->responders[i].url));
	json_end(check, "],\"options\":{");
	check_each_issuer_option(check, origin, json_deviation);
	json_end(check, "}},");
}

/* The lines of messages that are warnings, or those that are none. */
static void put_lines(struct check *check, const struct buf *messages, bool are_warnings)
{
	static const char mark[] = ": warning: ";
	struct slice rest = buf_slice(messages);

	while (rest.len > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.p) : rest.len;
		bool is_warning = memmem(rest.p, len, mark, sizeof(mark) - 1) != NULL;

		if (is_warning == are_warnings)
			json_string(check, slice_take(rest, len));
		rest = slice_skip(rest, len + 1);
	}
}

static void put_messages(struct check *check)
{
	buf_text(&check->out, "\"errors\":[");
	put_lines(check, &check->config_messages, false);
	json_end(check, "],\"warnings\":[");
	put_lines(check, &check->config_messages, true);
	put_lines(check, &check->file_messages, true);
	json_end(check, "],\"faults\":[");
	put_lines(check, &check->file_messages, false);
	json_end(check, "],");
}

static void put_trial(struct check *check, const struct check_trial *trial)
{
	buf_text(&check->out, "{");
	json_text(check, "issuer", trial->issuer->label);
	json_text(check, "url", trial->url);
	buf_printf(&check->out, "\"works\":%s,", trial->works ? "true" : "false");
	json_text(check, "about", trial->about);
	json_text(check, "method", trial->post ? "POST" : "GET");
	json_text(check, "address", trial->address);
	json_number(check, "http_status", trial->http_status);
	json_number(check, "bytes", trial->bytes);
	json_number(check, "microseconds", (size_t)trial->us_taken);
	if (trial->err == OK) {
		json_text(check, "status", label_text(DIM_FROM, (unsigned)trial->cert_status));
	} else {
		json_text(check, "reason", err_row(trial->err)->label);
		json_text(check, "text", err_row(trial->err)->text);
	}
	if (trial->detail[0] != '\0')
		json_text(check, "detail", trial->detail);
	json_end(check, "},");
}

void check_json(struct check *check)
{
	buf_text(&check->out, "{");
	json_text(check, "configuration", check->config);
	put_messages(check);
	buf_text(&check->out, "\"options\":{");
	if (check->settings)
		check_each_setting(check, json_deviation);
	json_end(check, "},\"issuers\":[");
	for (size_t i = 0; i < check->n; i++)
		json_issuer(check, &check->origins[i]);
	json_end(check, "]");
	if (check->online) {
		buf_text(&check->out, ",\"online\":[");
		for (size_t i = 0; i < check->n_trials; i++)
			put_trial(check, &check->trials[i]);
		json_end(check, "]");
	}
	buf_text(&check->out, "}\n");
}
