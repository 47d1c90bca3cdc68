/* SPDX-License-Identifier: ISC */
/* News: words separated by one blank each, read exactly as they are written. */
#include "core/news.h"

#include <assert.h>

#include "base/bytes.h"

#define NEWS_VERSION "1"

static_assert(sizeof(NEWS_VERSION) + NEWS_SENDER_MAX + sizeof(" stored ") + KEY_TEXT_SIZE + 2 * 21 <
		  NEWS_MAX,
	      "the longest message fits");

static char *put(char *p, struct slice octets)
{
	memcpy(p, octets.p, octets.len);
	return p + octets.len;
}

static char *put_key(char *p, const struct cache_key *key)
{
	key_text(p, key);
	return p + strlen(p);
}

static char *put_time(char *p, int64_t t)
{
	*p++ = ' ';
	return p + decimal_encode(p, (uint64_t)t);
}

size_t news_write(char dst[NEWS_MAX], const struct news *news)
{
	const struct slice id = slice_of(news->key.issuer_id, ISSUER_ID_LEN);
	char *p = put(dst, slice_text(NEWS_VERSION " "));

	p = put(p, news->sender);
	p = put(p, slice_text(news->kind == NEWS_STORED ? " stored " : " purge "));
	switch (news->kind) {
	case NEWS_STORED:
		p = put_time(put_time(put_key(p, &news->key), news->this_update),
			     news->produced_at);
		break;
	case NEWS_PURGE_ALL:
		p = put(p, slice_text("all"));
		break;
	case NEWS_PURGE_ISSUER:
		hex_encode(p, id);
		p += 2 * id.len;
		break;
	case NEWS_PURGE_KEY:
		p = put_key(p, &news->key);
		break;
	}
	return (size_t)(p - dst);
}

/* Cuts the first word and the blank behind it off text; at the end there is no blank. */
static struct slice cut_word(struct slice *text)
{
	struct slice word;
	size_t n = 0;

	while (n < text->len && text->p[n] != ' ')
		n++;
	word = slice_take(*text, n);
	*text = slice_skip(*text, n + 1);
	return word;
}

static bool is_sender(struct slice word)
{
	for (size_t i = 0; i < word.len; i++) {
		if (word.p[i] < '!' || word.p[i] > '~')
			return false;
	}
	return word.len > 0 && word.len <= NEWS_SENDER_MAX;
}

static err_t read_time(struct slice word, int64_t *out)
{
	uint64_t n;

	if (decimal_decode(word, INT64_MAX, &n) != OK)
		return ERR_SYNTAX;
	*out = (int64_t)n;
	return OK;
}

static err_t read_stored(struct slice text, struct news *news)
{
	news->kind = NEWS_STORED;
	if (key_from_text(cut_word(&text), &news->key) != OK ||
	    read_time(cut_word(&text), &news->this_update) != OK)
		return ERR_SYNTAX;
	return read_time(text, &news->produced_at);
}

static err_t read_purge(struct slice text, struct news *news)
{
	news->kind = NEWS_PURGE_ALL;
	if (slice_eq(text, slice_text("all")))
		return OK;
	news->kind = NEWS_PURGE_ISSUER;
	if (hex_decode(news->key.issuer_id, ISSUER_ID_LEN, text) == OK)
		return OK;
	news->kind = NEWS_PURGE_KEY;
	return key_from_text(text, &news->key);
}

err_t news_read(struct slice text, struct news *out)
{
	struct news news = {.kind = NEWS_STORED};
	struct slice word;
	err_t err = ERR_SYNTAX;

	if (text.len > NEWS_MAX || !slice_eq(cut_word(&text), slice_text(NEWS_VERSION)))
		return ERR_SYNTAX;
	news.sender = cut_word(&text);
	word = cut_word(&text);
	if (slice_eq(word, slice_text("stored")))
		err = read_stored(text, &news);
	else if (slice_eq(word, slice_text("purge")))
		err = read_purge(text, &news);
	if (err != OK || !is_sender(news.sender))
		return ERR_SYNTAX;
	*out = news;
	return OK;
}
