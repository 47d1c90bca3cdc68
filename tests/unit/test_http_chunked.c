/* SPDX-License-Identifier: ISC */
/* The chunked decoder: what it accepts, what it refuses, and that cuts make no difference. */
#include "core/http_chunked.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "guard.h"

#define MAX_BODY 100

/* Decodes text in pieces of step octets, as they would arrive; the body goes to out. */
static err_t decode_in_steps(struct slice text, size_t step, struct http_chunked *chunked,
			     char out[GUARD_SIZE])
{
	uint8_t *buffer = malloc(text.len);
	size_t len = 0;
	err_t e = ERR_AGAIN;

	*chunked = (struct http_chunked){.state = 0};
	while (e == ERR_AGAIN && len < text.len) {
		size_t n = step < text.len - len ? step : text.len - len;
		uint8_t *guarded;

		memcpy(buffer + len, text.p + len, n);
		len += n;
		guarded = guard_copy(slice_of(buffer, len));
		e = http_chunked_decode(chunked, guarded, len, MAX_BODY);
		memcpy(buffer, guarded, len);
		cr_assert(chunked->n_decoded <= chunked->n_read && chunked->n_read <= len);
	}
	memcpy(out, buffer, chunked->n_decoded);
	out[chunked->n_decoded] = '\0';
	free(buffer);
	return e;
}

static const struct row {
	const char *rule;
	const char *text;
	err_t err;
	const char *body;
	size_t n_left; /* octets of the next message */
} rows[] = {
    {"RP-22", "5\r\nhello\r\n0\r\n\r\n", OK, "hello", 0},
    {"RP-22", "0\r\n\r\n", OK, "", 0},
    {"RP-22", "1\r\na\r\n1\r\nb\r\n00\r\n\r\nGET /", OK, "ab", 5},
    {"RP-22", "00000a\r\n0123456789\r\n0\r\n\r\n\r\n", OK, "0123456789", 2},
    {"RP-22", "A\r\n01234\r\n789\r\n0\r\n\r\n", OK, "01234\r\n789", 0},
    {"RP-22", "5\r\nhello\r\n0\r\n", ERR_AGAIN, NULL, 0},
    {"RP-22", "5\r\nhell", ERR_AGAIN, NULL, 0},
    {"RP-22", "FFFFFFFF\r\n", ERR_HTTP_BODY_SIZE, NULL, 0},
    {"RP-22", "10000000000000005\r\nhello\r\n0\r\n\r\n", ERR_HTTP_BODY_SIZE, NULL, 0},
    {"SL-03", "65\r\n", ERR_HTTP_BODY_SIZE, NULL, 0}, /* 101 */
    {"SL-03", "64\r\n", ERR_AGAIN, NULL, 0},
    {"SL-03", "5\r\nhello\r\n60\r\n", ERR_HTTP_BODY_SIZE, NULL, 0}, /* 5 + 96 */
    {"SL-03", "5\r\nhello\r\n5f\r\n", ERR_AGAIN, NULL, 0},
    {"RP-23", "5;x=y\r\nhello\r\n0;z\r\n\r\n", OK, "hello", 0},
    {"RP-23", "5;x=\"a;b\"\r\nhello\r\n0\r\n\r\n", OK, "hello", 0},
    {"RP-23", "5 \t;x\r\nhello\r\n0\r\n\r\n", OK, "hello", 0},
    {"RP-22", "5\r\nhello\r\n0\r\nX: y\r\nZ:\r\n\r\n", OK, "hello", 0},
    {"RP-22", "\r\n0\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"RP-22", ";x\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"RP-22", "+5\r\nhello\r\n0\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"RP-22", " 5\r\nhello\r\n0\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"RP-22", "5 \r\nhello\r\n0\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"RP-22", "5 5\r\nhello\r\n0\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"RP-22", "0x5\r\nhello\r\n0\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"RP-22", "5\nhello\n0\n\n", ERR_HTTP_CHUNK, NULL, 0},
    {"RP-22", "5\r\nhello\n0\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"RP-22", "5\r\nhellox\r\n0\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"RP-22", "5\r\nhello\r0\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"RP-22", "5\r\nhello\rx0\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"RP-22", "5\rhello", ERR_HTTP_CHUNK, NULL, 0},
    {"RP-22", "0\r\n\rx", ERR_HTTP_CHUNK, NULL, 0},
    {"RP-22", "0\r\n\n", ERR_HTTP_CHUNK, NULL, 0},
    {"HS-13", "5;a\nb\r\nhello\r\n0\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"HS-13", "5;a\rb\r\nhello\r\n0\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"HS-11", "0\r\nX : y\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"HS-11", "0\r\n: y\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"HS-11", "0\r\nGET / HTTP/1.1\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"HS-12", "0\r\nX: y\r\n z\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
    {"HS-13", "0\r\nX: y\rz\r\n\r\n", ERR_HTTP_CHUNK, NULL, 0},
};

Test(http_chunked, RP_22_RP_23_HS_11_HS_12_HS_13_SL_03_the_same_however_it_is_cut)
{
	static char body[GUARD_SIZE];
	struct http_chunked chunked;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice text = slice_text(rows[i].text);

		for (size_t step = 1; step <= text.len; step++) {
			err_t e = decode_in_steps(text, step, &chunked, body);

			cr_assert(e == rows[i].err, "%s: %s instead of %s, step %zu of\n%s",
				  rows[i].rule, err_row(e)->label, err_row(rows[i].err)->label,
				  step, rows[i].text);
			if (e == OK)
				cr_assert(strcmp(body, rows[i].body) == 0, "%s: \"%s\"",
					  rows[i].rule, body);
			if (e == OK && step == text.len)
				cr_assert(text.len - chunked.n_read == rows[i].n_left, "%s",
					  rows[i].text);
		}
	}
}

Test(http_chunked, RP_22_nothing_follows_a_finished_or_refused_body)
{
	struct http_chunked chunked = {.state = 0};
	uint8_t good[] = "0\r\n\r\nx", bad[] = "x0\r\n\r\n";

	cr_assert(http_chunked_decode(&chunked, good, sizeof(good) - 1, MAX_BODY) == OK);
	cr_assert(http_chunked_decode(&chunked, good, sizeof(good) - 1, MAX_BODY) == OK);
	cr_expect(chunked.n_read == 5);
	chunked = (struct http_chunked){.state = 0};
	cr_assert(http_chunked_decode(&chunked, bad, sizeof(bad) - 1, MAX_BODY) == ERR_HTTP_CHUNK);
	cr_assert(http_chunked_decode(&chunked, bad, sizeof(bad) - 1, MAX_BODY) == ERR_HTTP_CHUNK);
}

Test(http_chunked, RP_22_raw_octets_may_be_moved_down_between_calls)
{
	struct http_chunked chunked = {.state = 0};
	uint8_t buffer[64] = "3;ext\r\nabc\r\n4\r\nde";

	cr_assert(http_chunked_decode(&chunked, buffer, 17, MAX_BODY) == ERR_AGAIN);
	cr_assert(chunked.n_decoded == 5 && chunked.n_read == 17);
	chunked.n_read = chunked.n_decoded;
	memcpy(buffer + 5, "fg\r\n0\r\n\r\n", 9);
	cr_assert(http_chunked_decode(&chunked, buffer, 14, MAX_BODY) == OK);
	cr_expect(chunked.n_decoded == 7 && memcmp(buffer, "abcdefg", 7) == 0);
}

/* What a client can add to a body without adding to it. */
static void check_overhead(const char *before, const char *repeated, const char *after)
{
	static uint8_t text[4 * MAX_CHUNKED_OVERHEAD];
	struct http_chunked chunked = {.state = 0};
	size_t len = strlen(before), n = strlen(repeated);
	err_t e;

	memcpy(text, before, len);
	for (; len + n <= sizeof(text); len += n)
		memcpy(text + len, repeated, n);
	e = http_chunked_decode(&chunked, text, len, 3 * MAX_CHUNKED_OVERHEAD);
	cr_expect(e == ERR_HTTP_CHUNK, "%s %s: %s", before, repeated, err_row(e)->label);
	cr_expect(chunked.n_read < 3 * MAX_CHUNKED_OVERHEAD);

	/* and half of it is fine */
	chunked = (struct http_chunked){.state = 0};
	len = strlen(before);
	memcpy(text, before, len);
	for (; len + n <= MAX_CHUNKED_OVERHEAD / 2; len += n)
		memcpy(text + len, repeated, n);
	memcpy(text + len, after, strlen(after));
	cr_expect(http_chunked_decode(&chunked, text, len + strlen(after), MAX_BODY * 100) == OK,
		  "%s %s", before, repeated);
}

Test(http_chunked, SL_03_what_is_not_body_is_bounded)
{
	check_overhead("1;", "x", "\r\na\r\n0\r\n\r\n");
	check_overhead("", "1;xxxx\r\na\r\n", "0\r\n\r\n");
	check_overhead("0\r\n", "X: y\r\n", "\r\n");
	check_overhead("", "0", "\r\n\r\n");
	check_overhead("1 ", " ", ";\r\na\r\n0\r\n\r\n");
}

Test(http_chunked, RP_22_a_size_beyond_64_bits_does_not_wrap)
{
	struct http_chunked chunked = {.state = 0};
	uint8_t buffer[] = "10000000000000005\r\nhello";

	cr_expect(http_chunked_decode(&chunked, buffer, sizeof(buffer) - 1, UINT64_MAX) ==
		  ERR_HTTP_BODY_SIZE);
}
