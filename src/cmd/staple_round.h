/* SPDX-License-Identifier: ISC */
/* Asking the relay about all certificates whose staples are due, some at once. */
#ifndef OCSPRELAY_CMD_STAPLE_ROUND_H
#define OCSPRELAY_CMD_STAPLE_ROUND_H

#include "cmd/staples.h"

struct staple_round;

struct staple_round_opts {
	struct loop *loop;
	struct question_way way;				  /* its texts are kept */
	void (*progress)(void *arg, size_t n_done, size_t n_all); /* NULL: nobody looks */
	void (*done)(void *arg); /* all of a round have been asked */
	void *arg;
};

/* NULL without memory. */
struct staple_round *staple_round_new(const struct staple_round_opts *opts);
void staple_round_free(struct staple_round *round); /* NULL is fine */

/* Begins a round; done is called once, later. The list must not change until then. staple->is_asked
 * says of each whether it was due. */
void staple_round_start(struct staple_round *round, struct staples *staples);

#endif
