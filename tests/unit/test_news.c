/* SPDX-License-Identifier: ISC */
/* News of the fleet, written and read. */
#include "core/news.h"

#include <criterion/criterion.h>

#define ID "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct news news_of(enum news_kind kind)
{
	struct news news = {.kind = kind,
			    .sender = slice_text("ocsprelay-4f2a"),
			    .key = {.alg = HASH_SHA256, .serial_len = 2, .serial = {0x12, 0x0d}},
			    .this_update = 1790000000,
			    .produced_at = INT64_C(253402300799)};

	for (size_t i = 0; i < ISSUER_ID_LEN; i++)
		news.key.issuer_id[i] = (uint8_t)i;
	return news;
}

Test(news, NK_11_written_and_read_back)
{
	static const struct {
		enum news_kind kind;
		const char *text;
	} rows[] = {
	    {NEWS_STORED, "1 ocsprelay-4f2a stored " ID ":s256:120d 1790000000 253402300799"},
	    {NEWS_PURGE_ALL, "1 ocsprelay-4f2a purge all"},
	    {NEWS_PURGE_ISSUER, "1 ocsprelay-4f2a purge " ID},
	    {NEWS_PURGE_KEY, "1 ocsprelay-4f2a purge " ID ":s256:120d"},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		const struct news news = news_of(rows[i].kind);
		struct news got;
		char text[NEWS_MAX];
		size_t len = news_write(text, &news);

		cr_expect(slice_eq(slice_of(text, len), slice_text(rows[i].text)), "%s",
			  rows[i].text);
		cr_assert_eq(news_read(slice_of(text, len), &got), OK, "%s", rows[i].text);
		cr_expect_eq(got.kind, rows[i].kind);
		cr_expect(slice_eq(got.sender, news.sender));
		if (rows[i].kind == NEWS_STORED || rows[i].kind == NEWS_PURGE_KEY)
			cr_expect(key_eq(&got.key, &news.key), "%s", rows[i].text);
		cr_expect_arr_eq(got.key.issuer_id,
				 rows[i].kind == NEWS_PURGE_ALL ? (uint8_t[32]){0}
								: news.key.issuer_id,
				 ISSUER_ID_LEN);
		cr_expect_eq(got.this_update, rows[i].kind == NEWS_STORED ? 1790000000 : 0);
	}
}

/* The longest that there can be. */
Test(news, longest_message_fits)
{
	struct news news = news_of(NEWS_STORED), got;
	char sender[NEWS_SENDER_MAX], text[NEWS_MAX];

	memset(sender, 'x', sizeof(sender));
	news.sender = slice_of(sender, sizeof(sender));
	news.key.serial_len = MAX_SERIAL_LEN;
	news.this_update = news.produced_at = INT64_MAX;
	cr_assert_eq(news_read(slice_of(text, news_write(text, &news)), &got), OK);
	cr_expect(key_eq(&got.key, &news.key));
	cr_expect_eq(got.produced_at, INT64_MAX);
}

Test(news, SL_14_anything_else_is_no_news)
{
	static const char *const texts[] = {
	    "",
	    "1",
	    "1 a",
	    "1 a purge",
	    "1 a purge ",
	    "1 a purge everything",
	    "1 a purge all ",
	    " 1 a purge all",
	    "1  a purge all",
	    "2 a purge all",
	    "11 a purge all",
	    "1 a\x01 purge all",
	    "1 \xc3\xa4 purge all",
	    "1 a PURGE all",
	    "1 a purge " ID ":",
	    "1 a purge " ID ":s256",
	    "1 a purge " ID ":s256:",
	    "1 a purge " ID ":md5:00",
	    "1 a purge " ID "0",
	    "1 a stored " ID ":s1:00",
	    "1 a stored " ID ":s1:00 1",
	    "1 a stored " ID ":s1:00 1 ",
	    "1 a stored " ID ":s1:00 1 2 ",
	    "1 a stored " ID ":s1:00 1 2 3",
	    "1 a stored " ID ":s1:00 -1 2",
	    "1 a stored " ID ":s1:00 1 9223372036854775808",
	    "1 a stored " ID " 1 2",
	};
	struct news news = {.this_update = 7};

	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		cr_expect_eq(news_read(slice_text(texts[i]), &news), ERR_SYNTAX, "%s", texts[i]);
		cr_expect_eq(news.this_update, 7);
	}
}
