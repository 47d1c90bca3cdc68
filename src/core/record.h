/* SPDX-License-Identifier: ISC */
/*
 * The value under a key in any store: a fixed header, big endian, then the DER as received.
 *
 *	0  version (1)   1  flags (0)   2  reserved (0, 0)   4  length of the DER
 *	8  fetched-at    16 refresh hint (wall clock seconds)   24 DER
 *
 * Nothing in it is trusted: the DER is verified again when it is read (rule VS-24), and the hints
 * only ever bring a refresh forward.
 */
#ifndef OCSPRELAY_CORE_RECORD_H
#define OCSPRELAY_CORE_RECORD_H

#include "err.h"
#include "types.h"

#define RECORD_VERSION	  1
#define RECORD_HEADER_LEN 24

struct record {
	int64_t fetched_at;
	int64_t refresh_at;
	struct slice der;
};

/* The DER is at most UINT32_MAX octets long; the caller appends it. */
void record_put_header(uint8_t dst[RECORD_HEADER_LEN], const struct record *record);

/* out->der borrows from bytes. ERR_RECORD_VERSION (the version is checked first; also for flags or
 * reserved octets, which this version never sets), ERR_RECORD_LENGTH (too short, length field and
 * size differ, DER empty or above max_der). */
MUST_CHECK err_t record_parse(struct slice bytes, size_t max_der, struct record *out);

#endif
