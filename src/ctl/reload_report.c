/* SPDX-License-Identifier: ISC */
/* Comparing the old with the new, table by table. */
#include "ctl/reload_report.h"

#include <stdio.h>

#include "base/bytes.h"
#include "ctl/config.h"
#include "ctl/option_value.h"

static void put_item(struct buf *out, bool *is_first, struct slice text)
{
	buf_text(out, *is_first ? "\"" : ",\"");
	buf_json(out, text);
	buf_text(out, "\"");
	*is_first = false;
}

static void put_messages(const struct buf *messages, struct buf *out)
{
	struct slice rest = buf_slice(messages);
	bool is_first = true;

	buf_text(out, ",\"messages\":[");
	while (rest.len > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.p) : rest.len;

		put_item(out, &is_first, slice_take(rest, len));
		rest = slice_skip(rest, len + 1);
	}
	buf_text(out, "]}\n");
}

/* The labels of those in one table that are not in the other. */
static void put_without(const char *name, const struct issuers *in, const struct issuers *other,
			struct buf *out)
{
	bool is_first = true;

	buf_printf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < issuers_count(in); i++) {
		const struct issuer *issuer = issuers_at(in, i);

		if (issuers_by_id(other, issuer->id) == NULL)
			put_item(out, &is_first, slice_text(issuer->label));
	}
	buf_text(out, "]");
}

static void put_options(const struct reload_report *report, struct buf *out)
{
	bool is_first = true;

	buf_text(out, ",\"changed\":[");
	for (const struct option_section *section = option_sections; section->name; section++) {
		enum option_group group = section->groups[0];
		const void *was, *is;

		if (section->is_titled)
			continue;
		was = settings_group(report->was, group);
		is = settings_group(report->is, group);
		for (size_t i = 0; i < option_tables[group].n; i++) {
			const struct option_row *row = &option_tables[group].rows[i];
			char name[128];
			int len = snprintf(name, sizeof(name), "%s%s%s", section->name,
					   *section->name ? "." : "", row->name);

			if (!option_value_is_same(row, was, is))
				put_item(out, &is_first, slice_of(name, (size_t)len));
		}
	}
	buf_text(out, "]");
}

void reload_report_json(const struct reload_report *report, struct buf *out)
{
	buf_printf(out, "{\"result\":\"ok\",\"issuers\":%zu", issuers_count(report->has));
	put_without("added", report->has, report->had, out);
	put_without("removed", report->had, report->has, out);
	put_options(report, out);
	put_messages(report->messages, out);
}

void reload_report_error(err_t err, const struct buf *messages, struct buf *out)
{
	buf_printf(out, "{\"result\":\"error\",\"error\":\"%s\"", err_row(err)->text);
	put_messages(messages, out);
}
