/* SPDX-License-Identifier: ISC */
/*
 * Which certificates a TLS server presents, for the command line. It need not be trusted, and is
 * not: its certificates are only a way to say what a relay shall ask about, and the relay asks for
 * those that its own issuers have signed.
 */
#ifndef OCSPRELAY_IO_TLS_PEER_H
#define OCSPRELAY_IO_TLS_PEER_H

#include "base/buf.h"

/* Whether address is "host", "host:port" or "[address]:port". */
bool tls_peer_check(const char *address);

/*
 * Appends the server's certificates to out in PEM, its own first, and sends it nothing but the
 * handshake, with host as the server's name (RFC 6066 3). Port 443 unless address says another one.
 * Waits for it, so many seconds at most. ERR_UP_UNREACHABLE: detail says why; ERR_NO_MEMORY,
 * ERR_TOO_LONG. After upstream_global_init.
 */
#define TLS_PEER_DETAIL 256
MUST_CHECK err_t tls_peer_read(const char *address, unsigned seconds, struct buf *out,
			       char detail[TLS_PEER_DETAIL]);

#endif
