/* SPDX-License-Identifier: ISC */
/* TLS for Redis, where hiredis brings it (hiredis_ssl); elsewhere rediss:// is refused. */
#ifndef OCSPRELAY_IO_REDIS_TLS_H
#define OCSPRELAY_IO_REDIS_TLS_H

#include <hiredis/hiredis.h>

#include "types.h"

struct redis_tls;
struct redis_tls_session;

bool redis_tls_is_there(void); /* in this build */

/* Trusts the certificates that the system trusts. NULL without memory, or without TLS. Shared by
 * all connections of a store, on any thread. */
struct redis_tls *redis_tls_new(void);
void redis_tls_free(struct redis_tls *tls); /* NULL is fine */

/* After the connection is made, before the first octet. The server's certificate must name host, a
 * name or an address. NULL: it cannot begin. The session lives as long as context, whose it is. */
struct redis_tls_session *redis_tls_start(const struct redis_tls *tls, redisContext *context,
					  const char *host);

/* Until then nothing can be sent before something has come. */
bool redis_tls_is_ready(const struct redis_tls_session *session);

/* What is wrong with the server's certificate, or NULL. */
const char *redis_tls_fault(const struct redis_tls_session *session);

#endif
