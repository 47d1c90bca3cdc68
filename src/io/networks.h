/* SPDX-License-Identifier: ISC */
/* Lists of networks in CIDR form, and whether an address is in one. */
#ifndef OCSPRELAY_IO_NETWORKS_H
#define OCSPRELAY_IO_NETWORKS_H

#include <sys/socket.h>

#include "err.h"
#include "settings.h"

struct networks;

/* "10.0.0.0/8", "2001:db8::/32", "::1"; bits behind the prefix do not matter. ERR_SYNTAX: *out_bad
 * is the index of the first item that is no network. ERR_NO_MEMORY. */
MUST_CHECK err_t networks_new(const struct text_list *items, struct networks **out,
			      size_t *out_bad);
void networks_free(struct networks *networks);

/* Unix sockets are always inside; an IPv4-mapped IPv6 address counts as IPv4. */
bool networks_has(const struct networks *networks, const struct sockaddr *address);

#endif
