/* SPDX-License-Identifier: ISC */
/* Writing bundles and taking them apart. */
#include "core/bundle.h"

#include <inttypes.h>

#include "base/bytes.h"

static const struct {
	const char *word; /* what the line begins with */
	bool is_end, is_complete;
} lines[] = {
    {"record ", false, false},
    {"end ", true, true},
    {"incomplete ", true, false},
};

void bundle_put_head(struct buf *out)
{
	buf_text(out, BUNDLE_HEAD);
}

void bundle_put_record(struct buf *out, const struct cache_key *key, struct slice record)
{
	char text[KEY_TEXT_SIZE];

	key_text(text, key);
	buf_printf(out, "record %zu %s\n", record.len, text);
	buf_append(out, record.p, record.len);
	buf_text(out, "\n");
}

void bundle_put_end(struct buf *out, uint64_t count, bool is_complete)
{
	buf_printf(out, "%s%" PRIu64 "\n", lines[is_complete ? 1 : 2].word, count);
}

/* A line without its line feed, off the front of *rest. */
static err_t cut_line(struct slice *rest, struct slice *out)
{
	const struct slice head = slice_take(*rest, BUNDLE_LINE_MAX);
	const uint8_t *end = head.len > 0 ? memchr(head.p, '\n', head.len) : NULL;

	if (end == NULL)
		return head.len < BUNDLE_LINE_MAX ? ERR_AGAIN : ERR_SYNTAX;
	*out = slice_take(head, (size_t)(end - head.p));
	*rest = slice_skip(*rest, out->len + 1);
	return OK;
}

static bool begins_with(struct slice text, const char *word)
{
	return slice_eq(slice_take(text, strlen(word)), slice_text(word));
}

err_t bundle_read_head(struct slice *rest)
{
	static const struct slice head = {(const uint8_t *)BUNDLE_HEAD, sizeof(BUNDLE_HEAD) - 1};
	struct slice after = *rest, line;
	err_t err = cut_line(&after, &line);

	if (err == OK && !slice_eq(slice_take(*rest, head.len), head))
		err = begins_with(line, "ocsprelay-bundle ") ? ERR_RECORD_VERSION : ERR_SYNTAX;
	if (err == OK)
		*rest = after;
	return err;
}

/* "LENGTH KEY" of a line, and what follows it. */
static err_t read_record(struct slice line, struct slice *rest, size_t max_record,
			 struct bundle_item *item)
{
	const uint8_t *blank = line.len > 0 ? memchr(line.p, ' ', line.len) : NULL;
	size_t digits = blank ? (size_t)(blank - line.p) : 0;
	uint64_t len;

	if (decimal_decode(slice_take(line, digits), SIZE_MAX / 2, &len) != OK || len == 0)
		return ERR_SYNTAX;
	if (len > max_record)
		return ERR_TOO_LONG;
	if (rest->len <= len)
		return ERR_AGAIN;
	if (rest->p[len] != '\n')
		return ERR_SYNTAX;
	item->key = slice_skip(line, digits + 1);
	item->record = slice_take(*rest, len);
	*rest = slice_skip(*rest, len + 1);
	return OK;
}

err_t bundle_read(struct slice *rest, size_t max_record, struct bundle_item *out)
{
	struct slice after = *rest, line;
	struct bundle_item item = {.is_end = false};
	err_t err = cut_line(&after, &line);
	size_t i = 0;

	if (err != OK)
		return err;
	while (i < N_ELEMENTS(lines) && !begins_with(line, lines[i].word))
		i++;
	if (i == N_ELEMENTS(lines))
		return ERR_SYNTAX;
	line = slice_skip(line, strlen(lines[i].word));
	item.is_end = lines[i].is_end;
	item.is_complete = lines[i].is_complete;
	err = item.is_end ? decimal_decode(line, UINT64_MAX / 16, &item.count)
			  : read_record(line, &after, max_record, &item);
	if (err != OK)
		return err;
	*rest = after;
	*out = item;
	return OK;
}

bool bundle_skip(struct slice *rest)
{
	const uint8_t *feed;

	while (rest->len > 0 && (feed = memchr(rest->p, '\n', rest->len)) != NULL) {
		struct slice line = slice_skip(*rest, (size_t)(feed - rest->p) + 1);

		for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
			size_t len = strlen(lines[i].word);
			struct slice front = slice_take(line, len);

			if (memcmp(front.p, lines[i].word, front.len) != 0)
				continue;
			/* a word cut off by the end of what is here may still become one */
			if (front.len < len)
				return false;
			*rest = line;
			return true;
		}
		*rest = line;
	}
	*rest = slice_skip(*rest, rest->len);
	return false;
}
