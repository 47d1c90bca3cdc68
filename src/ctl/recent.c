/* SPDX-License-Identifier: ISC */
/* A short list in the order of what came last, oldest first; its fields are rendered when they
 * come.
 */
#include "ctl/recent.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/dates.h"
#include "ctl/log_fold.h"
#include "ctl/log_line.h"
#include "io/clock.h"

struct happening {
	uint64_t id; /* of what is folded; 0: never */
	enum log_event event;
	int64_t first, last; /* wall clock */
	uint64_t n;
	char *fields; /* inside of a JSON object; owned */
};

struct recent {
	pthread_mutex_t mutex;
	size_t n;
	struct happening happenings[RECENT_MAX];
};

/* --- fields ----------------------------------------------------------------------------------- */

/* At most max octets, and no part of a character. */
static struct slice cut(struct slice text, size_t max)
{
	size_t len = max;

	if (text.len <= max)
		return text;
	while (len > max - 4 && (text.p[len] & 0xc0) == 0x80)
		len--;
	return slice_take(text, len);
}

static void put_hex(struct buf *out, struct slice octets)
{
	char text[RECENT_VALUE_MAX + 1] = "";

	hex_encode(text, slice_take(octets, RECENT_VALUE_MAX / 2));
	buf_printf(out, "\"%s\"", text);
}

static void put_field(struct buf *out, const struct log_field *field)
{
	buf_printf(out, "%s\"%s\":", out->len > 0 ? "," : "", field->name);
	switch (field->type) {
	case LOG_FIELD_NUMBER:
		buf_printf(out, "%" PRId64, field->number);
		return;
	case LOG_FIELD_BYTES:
		put_hex(out, field->bytes);
		return;
	case LOG_FIELD_TEXT:
		buf_text(out, "\"");
		buf_json(out, cut(field->bytes, RECENT_VALUE_MAX));
		buf_text(out, "\"");
		return;
	}
}

/* The text is the caller's; NULL without memory. */
static char *render(const struct log_field *fields)
{
	struct buf out;
	size_t len = 0;
	char *text;

	buf_init(&out, RECENT_FIELDS_MAX);
	for (; out.err == OK && fields->name != NULL; fields++) {
		put_field(&out, fields);
		if (out.err == OK)
			len = out.len;
	}
	text = len > 0 ? strndup((const char *)out.p, len) : strdup("");
	buf_fini(&out);
	return text;
}

/* --- the list --------------------------------------------------------------------------------- */

/* Under the mutex. The one of this id that may come again, or n. */
static size_t find(const struct recent *recent, uint64_t id, int64_t now)
{
	size_t i = 0;

	while (i < recent->n && (id == 0 || recent->happenings[i].id != id ||
				 now - recent->happenings[i].last > RECENT_AGAIN))
		i++;
	return i;
}

/* Under the mutex. */
static struct happening take_out(struct recent *recent, size_t i)
{
	struct happening happening = recent->happenings[i];

	recent->n--;
	memmove(&recent->happenings[i], &recent->happenings[i + 1],
		(recent->n - i) * sizeof(happening));
	return happening;
}

void recent_add(struct recent *recent, enum log_event event, const struct log_field *fields,
		int64_t now)
{
	uint64_t id = log_fold_applies(event) ? log_fold_id(event, fields) : 0;
	struct happening added = {
	    .id = id, .event = event, .first = now, .last = now, .n = 1, .fields = render(fields)};
	char *dropped = NULL;
	size_t i;

	if (added.fields == NULL)
		return;
	pthread_mutex_lock(&recent->mutex);
	i = find(recent, id, now);
	if (i < recent->n) {
		struct happening before = take_out(recent, i);

		added.first = before.first;
		added.n += before.n;
		dropped = before.fields;
	} else if (recent->n == RECENT_MAX) {
		dropped = take_out(recent, 0).fields;
	}
	recent->happenings[recent->n++] = added;
	pthread_mutex_unlock(&recent->mutex);
	free(dropped);
}

static void put_happening(const struct happening *happening, struct buf *out)
{
	const struct log_row *row = log_row(happening->event);
	char first[ISO_DATE_SIZE], last[ISO_DATE_SIZE];

	date_to_iso(first, happening->first);
	date_to_iso(last, happening->last);
	buf_printf(out,
		   "{\"first\":\"%s\",\"last\":\"%s\",\"count\":%" PRIu64
		   ",\"level\":\"%s\",\"event\":\"%s\",\"text\":\"",
		   first, last, happening->n, log_level_names[row->level], row->name);
	buf_json(out, slice_text(row->text));
	buf_printf(out, "\",\"fields\":{%s}}", happening->fields);
}

void recent_json(struct recent *recent, struct buf *out)
{
	buf_text(out, "{\"events\":[");
	pthread_mutex_lock(&recent->mutex);
	for (size_t i = recent->n; i-- > 0;) {
		buf_text(out, i + 1 < recent->n ? ",\n" : "\n");
		put_happening(&recent->happenings[i], out);
	}
	pthread_mutex_unlock(&recent->mutex);
	buf_text(out, "]}\n");
}

/* --- wiring ----------------------------------------------------------------------------------- */

static void on_event(void *arg, enum log_event event, const struct log_field *fields)
{
	if (log_row(event)->level <= LEVEL_NOTICE)
		recent_add(arg, event, fields, clock_wall());
}

struct recent *recent_new(void)
{
	struct recent *recent = calloc(1, sizeof(*recent));

	if (recent == NULL)
		return NULL;
	if (pthread_mutex_init(&recent->mutex, NULL) != 0) {
		free(recent);
		return NULL;
	}
	log_add_tap(on_event, recent);
	return recent;
}

void recent_free(struct recent *recent)
{
	if (recent == NULL)
		return;
	log_remove_tap(recent);
	for (size_t i = 0; i < recent->n; i++)
		free(recent->happenings[i].fields);
	pthread_mutex_destroy(&recent->mutex);
	free(recent);
}
