/* SPDX-License-Identifier: ISC */
/*
 * Rehearsals of outages: for a while an issuer's responders are not asked, as if they were down,
 * and the end tells what that meant for clients. It is this relay's own affair: what others of its
 * fleet fetch meanwhile arrives as ever. The responders' health stays what it was. Main thread
 * only.
 */
#ifndef OCSPRELAY_RELAY_REHEARSALS_H
#define OCSPRELAY_RELAY_REHEARSALS_H

#include "relay/common.h"
#include "state/issuers.h"

struct rehearsals;

struct rehearsals *rehearsals_new(const struct common *common, struct loop *loop);
void rehearsals_free(struct rehearsals *rehearsals); /* ends them silently; NULL is fine */

/* From now on for so long; one that is on goes on so long from now. ERR_NO_MEMORY. */
MUST_CHECK err_t rehearsals_begin(struct rehearsals *rehearsals, const struct issuer *issuer,
				  int64_t ms);

struct rehearsal_status {
	int64_t ms_left;
	uint64_t n_saved;  /* signed answers that clients were given since it began */
	uint64_t n_failed; /* clients that were told to try later, or of an error */
};

/* False: there is none. */
bool rehearsals_get(const struct rehearsals *rehearsals, const struct issuer *issuer,
		    struct rehearsal_status *out);

/* Ends at once; *out tells how it was. False: there was none. */
bool rehearsals_stop(struct rehearsals *rehearsals, const struct issuer *issuer,
		     struct rehearsal_status *out);

#endif
