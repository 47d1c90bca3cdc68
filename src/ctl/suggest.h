/* SPDX-License-Identifier: ISC */
/* "Did you mean": the candidate that is closest to a misspelt word. */
#ifndef OCSPRELAY_CTL_SUGGEST_H
#define OCSPRELAY_CTL_SUGGEST_H

#include "types.h"

struct suggestion {
	const char *word; /* what was written; borrowed */
	const char *best; /* borrowed from the candidates; NULL while none is close */
	unsigned distance;
};

/* Zero-initialise with .word set, try each candidate, read .best. */
void suggestion_try(struct suggestion *suggestion, const char *candidate);

#endif
