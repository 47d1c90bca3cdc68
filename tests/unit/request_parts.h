/* SPDX-License-Identifier: ISC */
/* Requests for the tests of their reader: how to read them, and how to put some together. */
#ifndef OCSPRELAY_TESTS_REQUEST_PARTS_H
#define OCSPRELAY_TESTS_REQUEST_PARTS_H

#include <criterion/criterion.h>

#include "core/ocsp_request.h"
#include "parts.h"

static const struct ocsp_request_limits limits = {.max_certids = 8, .max_extensions = 16};

/* From memory of its own, so that a read beyond the end is seen. The result then borrows from
 * in, not from that. */
static inline err_t parse(struct slice in, struct ocsp_request *out)
{
	struct slice exact = build_exact(in);
	err_t e = ocsp_request_parse(exact, &limits, out);

	free((void *)exact.p);
	if (e == OK)
		cr_assert_eq(ocsp_request_parse(in, &limits, out), OK);
	return e;
}

static inline err_t verdict(struct slice in)
{
	struct ocsp_request request;

	return parse(in, &request);
}

static inline struct ocsp_request parsed(struct slice in)
{
	struct ocsp_request request;
	err_t e = parse(in, &request);

	cr_assert_eq(e, OK, "%s", err_row(e)->text);
	return request;
}

static inline struct slice with_exts(struct slice exts)
{
	return TLV(0x30, TLV(0x30, TLV(0x30, TLV(0x30, tv1())), TLV(0xa2, TLV(0x30, exts))));
}

static inline struct slice with_single_exts(struct slice exts)
{
	return TLV(0x30, TLV(0x30, TLV(0x30, TLV(0x30, tv1(), TLV(0xa0, TLV(0x30, exts))))));
}

#endif
