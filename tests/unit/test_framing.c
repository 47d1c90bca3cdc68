/* SPDX-License-Identifier: ISC */
/* Framing: what it says of octets that come one by one and move meanwhile. */
#include "io/framing.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static const struct http_limits limits = {
    .max_request_line = 8192,
    .max_header_bytes = 16384,
    .max_headers = 64,
    .max_request_body = 100,
};

/* The octets that a caller keeps, at another place each time. */
static void move(struct octets *in, const char *more, size_t n_more)
{
	uint8_t *p = malloc(in->len + n_more);

	cr_assert_not_null(p);
	if (in->len > 0)
		memcpy(p, in->p, in->len);
	memcpy(p + in->len, more, n_more);
	free(in->p);
	in->p = p;
	in->len += n_more;
}

static err_t feed(struct framing *framing, struct octets *in, const char *text, struct framed *out)
{
	err_t e = ERR_AGAIN;

	for (; *text && e == ERR_AGAIN; text++) {
		move(in, text, 1);
		e = framing_next(framing, &limits, in, out);
	}
	return e;
}

static const struct row {
	const char *text;
	err_t e;
	const char *target, *body; /* NULL: no request */
	bool is_skippable;
} rows[] = {
    {"GET /t HTTP/1.1\r\nHost: a\r\n\r\n", OK, "/t", "", false},
    {"\r\nGET /t HTTP/1.1\r\nHost: a\r\n\r\n", OK, "/t", "", false},
    {"POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", OK, "/t", "abc", false},
    {"POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "1;x\r\na\r\n2\r\nbc\r\n0\r\nT: t\r\n\r\n",
     OK, "/t", "abc", false},
    {"OPTIONS /t HTTP/1.1\r\nHost: a\r\n\r\n", ERR_HTTP_METHOD, "/t", NULL, true},
    {"PUT /t HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", ERR_HTTP_METHOD, "/t", NULL, false},
    {"GET /t HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", ERR_HTTP_EXPECT, "/t", NULL, true},
    {"POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", ERR_HTTP_BODY_SIZE, NULL, NULL,
     false},
    {"POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", ERR_HTTP_CHUNK, NULL,
     NULL, false},
};

static void check(const struct row *row, err_t e, const struct framed *framed)
{
	cr_assert_eq(e, row->e, "%s: %s", row->text, err_row(e)->label);
	cr_assert_eq(framed->has_request, row->target != NULL, "%s", row->text);
	if (row->target)
		cr_assert(slice_eq(framed->request.target, slice_text(row->target)));
	if (row->body)
		cr_assert(slice_eq(framed->body, slice_text(row->body)), "%s", row->text);
}

Test(framing, RP_20_RP_22_octet_by_octet_and_at_once_are_the_same)
{
	for (const struct row *row = rows; row < rows + N_ELEMENTS(rows); row++) {
		struct framing framing = {0}, zero = {0};
		struct octets in = {0};
		struct framed framed;

		check(row, feed(&framing, &in, row->text, &framed), &framed);
		cr_assert_eq(framed.len, in.len, "%s", row->text);
		cr_assert_eq(memcmp(&framing, &zero, sizeof(zero)), 0, "%s", row->text);
		free(in.p);

		/* With the next message behind it, of which nothing is touched. */
		in = (struct octets){0};
		move(&in, row->text, strlen(row->text));
		move(&in, "NEXT", 4);
		check(row, framing_next(&framing, &limits, &in, &framed), &framed);
		if (row->e == OK || row->is_skippable)
			cr_assert(slice_eq(slice_skip(slice_of(in.p, in.len), framed.len),
					   slice_text("NEXT")));
		else
			cr_assert_eq(framed.len, in.len);
		free(in.p);
	}
}

Test(framing, RP_22_overhead_of_chunks_is_not_kept)
{
	static const char head[] =
	    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
	struct framing framing = {0};
	struct octets in = {0};
	struct framed framed;

	move(&in, head, strlen(head));
	for (unsigned i = 0; i < 100; i++) {
		cr_assert_eq(feed(&framing, &in, "1;extension\r\nx\r\n", &framed), ERR_AGAIN);
		cr_assert_leq(in.len, strlen(head) + i + 1);
	}
	cr_assert_eq(feed(&framing, &in, "0\r\n\r\n", &framed), OK);
	cr_assert_eq(framed.body.len, 100);
	free(in.p);
}

Test(framing, HS_17_continue_is_due_only_while_nothing_of_the_body_is_here)
{
	static const char head[] =
	    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";

	for (size_t n_body = 0; n_body < 3; n_body++) {
		struct framing framing = {0};
		struct octets in = {0};
		struct framed framed;

		move(&in, head, strlen(head));
		move(&in, "abc", n_body);
		cr_assert_eq(framing_next(&framing, &limits, &in, &framed), ERR_AGAIN);
		cr_assert_eq(framing.is_continue_due, n_body == 0);
		free(in.p);
	}
}

Test(framing, SL_01_a_line_without_end_is_refused_though_no_line_end_comes)
{
	struct framing framing = {0};
	struct octets in = {0};
	struct framed framed;
	err_t e = ERR_AGAIN;

	while (e == ERR_AGAIN) {
		move(&in, "aaaaaaaaaaaaaaaa", 16);
		e = framing_next(&framing, &limits, &in, &framed);
		cr_assert_leq(in.len, 8192 + 2048);
	}
	cr_assert_eq(e, ERR_HTTP_LINE_SIZE);
	free(in.p);
}
