/* SPDX-License-Identifier: ISC */
/* The program that is run after staples have changed, so that their servers take them up. */
#ifndef OCSPRELAY_CMD_STAPLE_HOOK_H
#define OCSPRELAY_CMD_STAPLE_HOOK_H

#include "cmd/staples.h"

struct staple_hook;

struct staple_hook_opts {
	struct loop *loop;
	const char *command; /* kept: the path of a program, or a line for /bin/sh */
	bool is_shell;
	void (*done)(void *arg, const char *what_failed); /* NULL: nothing */
	void *arg;
};

/* NULL without memory. */
struct staple_hook *staple_hook_new(const struct staple_hook_opts *opts);
void staple_hook_free(struct staple_hook *hook); /* kills it if it runs; NULL is fine */

/*
 * Runs it for the staples that are news, with their paths as arguments, in one call or, of very
 * many, in some, one after the other. Those for which it succeeded are news no longer. done is
 * called once, maybe before this returns, with what failed first; until then the list must stay.
 */
void staple_hook_run(struct staple_hook *hook, const struct staples *staples);

#endif
