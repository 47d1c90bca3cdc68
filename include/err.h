/* SPDX-License-Identifier: ISC */
/*
 * err_t: one value per reason why something is refused or failed. Every value is a row of
 * tbl/errors.h, which holds its text and what a client, the caches and the log see of it; the
 * error mapping of the whole relay is that table.
 */
#ifndef OCSPRELAY_ERR_H
#define OCSPRELAY_ERR_H

#include "types.h"

typedef enum err {
	OK = 0,
#define ERROR(id, label, http, ocsp, negative, level, text) ERR_##id,
#include "tbl/errors.h"
#undef ERROR
	N_ERRORS
} err_t;

/* OCSPResponseStatus, RFC 6960 4.2.1. OCSP_NONE: the answer is plain HTTP, not OCSP. */
enum ocsp_status {
	OCSP_SUCCESSFUL = 0,
	OCSP_MALFORMED_REQUEST = 1,
	OCSP_INTERNAL_ERROR = 2,
	OCSP_TRY_LATER = 3,
	OCSP_SIG_REQUIRED = 5,
	OCSP_UNAUTHORIZED = 6,
	OCSP_NONE = 255
};

/* How long a failure may be repeated to others without asking again (rule CL-19). */
enum negative_class {
	NEGATIVE_NONE,	       /* not kept */
	NEGATIVE_ERROR,	       /* neg_ttl_error */
	NEGATIVE_MALFORMED,    /* 30 s */
	NEGATIVE_SIG_REQUIRED, /* 300 s */
	NEGATIVE_UNAUTHORIZED  /* neg_ttl_unauthorized */
};

enum log_level {
	LEVEL_ERROR,
	LEVEL_WARNING,
	LEVEL_NOTICE,
	LEVEL_INFO,
	LEVEL_DEBUG
};

struct err_row {
	const char *label; /* lower-case-with-dashes: metrics, logs, --json */
	const char *text;  /* for people; names the clause of the standard where there is one */
	uint16_t http;	   /* status of the client's answer; 0 = never reaches a client */
	uint8_t ocsp;	   /* enum ocsp_status */
	uint8_t negative;  /* enum negative_class */
	uint8_t level;	   /* enum log_level */
};

/* The row of err; for OK and out-of-range values a row that says so. Never NULL. Any thread. */
const struct err_row *err_row(err_t err);

#endif
