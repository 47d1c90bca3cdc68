/* SPDX-License-Identifier: ISC */
/*
 * The configuration file (libConfuse syntax) into struct settings, by the rows of tbl/options.h.
 * Every error is reported, not only the first, as  file:line: option: what is wrong, what is
 * allowed.
 */
#ifndef OCSPRELAY_CTL_CONFIG_H
#define OCSPRELAY_CTL_CONFIG_H

#include "base/buf.h"
#include "core/policy.h"
#include "ctl/option_rows.h"
#include "err.h"
#include "settings.h"

#define CONFIG_DEFAULT_PATH SYSCONFDIR "/ocsprelay/ocsprelay.conf"

/*
 * Reads path ("-": standard input). OK: *out is filled, to be freed by settings_free; messages may
 * hold warnings, as  file:line: warning: option: what. ERR_SYNTAX, ERR_SYSTEM, ERR_NO_MEMORY:
 * messages holds at least one line of error, *out is untouched. Main thread only (libConfuse keeps
 * global state).
 */
MUST_CHECK err_t config_load(const char *path, struct settings **out, struct buf *messages);

/* The same, but after ERR_SYNTAX *out is what could be understood, to look for further faults in
 * it; untouched where the syntax is at fault. */
MUST_CHECK err_t config_read(const char *path, struct settings **out, struct buf *messages);

/* Where the i-th word of an option stands, that is no issuer's; NULL: nowhere, it is the default.
 */
const struct settings_place *settings_place(const struct settings *settings, const char *option,
					    size_t i);

/* The documented defaults, as an empty file gives; NULL without memory. */
struct settings *settings_default(void);
void settings_free(struct settings *settings); /* NULL is fine */

/* The struct of a group in settings: of the defaults section for GROUP_ISSUER, none for
 * GROUP_ISSUER_OWN. */
void *settings_group(struct settings *settings, enum option_group group);

/* An issuer's options as the policy of the core. */
void settings_policy(const struct settings_issuer *options, struct policy *out);

#endif
