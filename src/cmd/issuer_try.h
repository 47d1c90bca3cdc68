/* SPDX-License-Identifier: ISC */
/* Asking the responder that was found, once, whether it answers for the leaf. */
#ifndef OCSPRELAY_CMD_ISSUER_TRY_H
#define OCSPRELAY_CMD_ISSUER_TRY_H

#include "cmd/issuer_find.h"
#include "core/verify.h"

/* found has leaf and responder; issuer is its issuer. Waits for the answer, so many seconds at
 * most. OK: verified, and *out is what it says; else why not, and detail says more. After
 * upstream_global_init. */
#define ISSUER_TRY_DETAIL 256
MUST_CHECK err_t issuer_try(const struct issuer_found *found, const struct issuer *issuer,
			    unsigned seconds, struct verdict *out, char detail[ISSUER_TRY_DETAIL]);

#endif
