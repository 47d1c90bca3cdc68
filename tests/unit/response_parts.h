/* SPDX-License-Identifier: ISC */
/* Responses for the tests of their reader: how to read them, and how to put some together. */
#ifndef OCSPRELAY_TESTS_RESPONSE_PARTS_H
#define OCSPRELAY_TESTS_RESPONSE_PARTS_H

#include <criterion/criterion.h>

#include "core/dates.h"
#include "core/response.h"
#include "parts.h"

#define BASIC_OID    "06092b0601050507300101"
#define TIME_HEX     "180f32303236303130313030303030305a" /* 20260101000000Z */
#define TIME_T	     1767225600
#define NEXT_HEX     "a011180f32303236303130383030303030305a" /* a week later */
#define NEXT_T	     (TIME_T + 7 * 86400)
#define KEY_HEX	     "a2160414511f11bdc70ee104d8ccaecc0407819cdd51d9f6"
#define ALG_HEX	     "300d06092a864886f70d01010b0500"
#define BITS_HEX     "030500aabbccdd"
#define GOOD_HEX     "8000"
#define EXTENDED_OID "2b0601050507300109"
#define SCT_LIST_OID "2b06010401d679020405"

/* The message as tests take it apart: parts that a test replaces by what it tries. */
struct parts {
	struct slice version, id, produced, singles, extensions; /* of the ResponseData */
	struct slice alg, bits, certs;				 /* behind it */
};

static inline struct slice single_with(struct slice certid, const char *status_hex,
				       const char *next_hex, struct slice extensions)
{
	return TLV(0x30, certid, HEX(status_hex), HEX(TIME_HEX), HEX(next_hex), extensions);
}

static inline struct slice good(void)
{
	return single_with(tv1(), GOOD_HEX, NEXT_HEX, EMPTY);
}

static inline struct parts usual(void)
{
	return (struct parts){.id = HEX(KEY_HEX),
			      .produced = HEX(TIME_HEX),
			      .singles = TLV(0x30, good()),
			      .alg = HEX(ALG_HEX),
			      .bits = HEX(BITS_HEX)};
}

static inline struct slice tbs_of(const struct parts *parts)
{
	return TLV(0x30, parts->version, parts->id, parts->produced, parts->singles,
		   parts->extensions);
}

static inline struct slice wrapped(struct slice basic)
{
	return TLV(0x30, HEX("0a0100"), TLV(0xa0, TLV(0x30, HEX(BASIC_OID), TLV(0x04, basic))));
}

static inline struct slice whole(const struct parts *parts)
{
	return wrapped(TLV(0x30, tbs_of(parts), parts->alg, parts->bits, parts->certs));
}

/* From memory of its own, so that a read beyond the end is seen. */
static inline err_t verdict(struct slice in)
{
	struct slice exact = build_exact(in);
	struct response response = {.n_singles = 77};
	err_t e = response_parse(exact, &response);

	if (e != OK)
		cr_expect_eq(response.n_singles, 77, "touched");
	free((void *)exact.p);
	return e;
}

static inline struct response parsed(struct slice in)
{
	struct response response;
	err_t e = response_parse(in, &response);

	cr_assert_eq(verdict(in), OK);
	cr_assert_eq(e, OK, "%s", err_row(e)->text);
	return response;
}

static inline struct single first_single(struct slice single_der)
{
	struct parts parts = usual();
	struct response response;
	struct der cursor;
	struct single single;

	parts.singles = TLV(0x30, single_der);
	response = parsed(whole(&parts));
	cursor = der_of(response.singles);
	cr_assert_eq(response_next_single(&cursor, &single), OK);
	cr_expect_eq(response_next_single(&cursor, &single), ERR_NOT_FOUND);
	return single;
}

static inline err_t verdict_of_single(struct slice single_der)
{
	struct parts parts = usual();

	parts.singles = TLV(0x30, single_der);
	return verdict(whole(&parts));
}

#endif
