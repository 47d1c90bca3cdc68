/* SPDX-License-Identifier: ISC */
/* Secrets that the configuration names files for. */
#ifndef OCSPRELAY_CTL_SECRET_H
#define OCSPRELAY_CTL_SECRET_H

#include "settings.h"

/*
 * Reads what redis.password_file holds, its first line, into settings->redis_password. A file that
 * cannot be read is logged (CONFIG), and what previous (may be NULL) has read from the same path
 * stays: the file may be root's, and the relay is not root any more.
 */
void secret_read(struct settings *settings, const struct settings *previous);

#endif
