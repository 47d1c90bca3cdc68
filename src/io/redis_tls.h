/* SPDX-License-Identifier: ISC */
/* TLS for Redis, where hiredis brings it. */
#ifndef OCSPRELAY_IO_REDIS_TLS_H
#define OCSPRELAY_IO_REDIS_TLS_H

#include <hiredis/hiredis.h>

#include "types.h"

struct redis_tls;

bool redis_tls_is_there(void); /* in this build */

/* Certificates are checked against those that the system trusts. NULL: *out_reason says why. The
 * result is shared by all connections of a store, on any thread. */
struct redis_tls *redis_tls_new(const char **out_reason);
void redis_tls_free(struct redis_tls *tls); /* NULL is fine */

/* Before the first octet. The certificate must name host. False: context->errstr says why. */
MUST_CHECK bool redis_tls_start(struct redis_tls *tls, redisContext *context, const char *host);

#endif
