/* SPDX-License-Identifier: ISC */
/*
 * The rules of staples in files: which answer takes the place of which, and when to ask again.
 * Pure: the time and chance are parameters.
 *
 * What a server staples is believed until it ends. So a file never gets what is not verified, and
 * what is good never outlives the news that the certificate is revoked: a revoked answer takes its
 * place, and visitors are told.
 */
#ifndef OCSPRELAY_CMD_STAPLE_RULE_H
#define OCSPRELAY_CMD_STAPLE_RULE_H

#include "core/verify.h"

enum staple_step {
	STAPLE_WRITE,
	STAPLE_SAME,	/* the file has it */
	STAPLE_OLDER,	/* the file has a later answer, which stays */
	STAPLE_UNKNOWN, /* the CA does not know the certificate: the file stays as it is */
	STAPLE_ENDLESS, /* no nextUpdate: a server would staple it for ever; the file stays */
	STAPLE_REMOVE,	/* revoked and endless: what the file says is wrong, and this cannot be put
			 * in its place */
};

struct staple_held {	   /* what the file has */
	bool is_valid;	   /* verified; else the rest does not count */
	bool is_same;	   /* octet by octet */
	struct verdict is; /* as judged now */
};

/* answer: of a response that was verified now. */
enum staple_step staple_rule(const struct verdict *answer, const struct staple_held *held);

/* When to ask again for what is there: about the middle of its validity, or, when that has passed,
 * ever sooner the nearer the end is; within the hour in any case, because the relay may have learnt
 * meanwhile that the certificate is revoked. chance: 32 random bits. Later than now. */
int64_t staple_rule_next(const struct verdict *is, int64_t now, uint32_t chance);

/* When to ask again after so many failures (at least 1) in sequence: soon first, then every five
 * minutes. Later than now. */
int64_t staple_rule_retry(unsigned n_failures, int64_t now, uint32_t chance);

#endif
