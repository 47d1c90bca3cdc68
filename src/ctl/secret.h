/* SPDX-License-Identifier: ISC */
/* Secrets that the configuration names files for. */
#ifndef OCSPRELAY_CTL_SECRET_H
#define OCSPRELAY_CTL_SECRET_H

#include "settings.h"

/*
 * Reads the first lines of what redis.password_file, redis.sentinel_password_file and
 * admin_token_file name into settings->redis_password, sentinel_password and admin_token. A file
 * that cannot be read, or that everybody can, is logged (CONFIG); in the place of the former stays
 * what previous (may be NULL) has read from the same path: the file may be root's, and the relay is
 * not root any more.
 */
void secret_read(struct settings *settings, struct settings *previous);

/* The first line of a file, to be freed; NULL if it cannot be read. */
char *secret_of_file(const char *path);

#endif
