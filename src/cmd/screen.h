/* SPDX-License-Identifier: ISC */
/*
 * A page that is drawn again and again on the terminal of standard output, on a screen of its own,
 * until somebody presses q or Ctrl-C. One at a time: what the terminal was like is kept for a
 * signal, which gives it back, too. Without a terminal pages are printed one below the other.
 */
#ifndef OCSPRELAY_CMD_SCREEN_H
#define OCSPRELAY_CMD_SCREEN_H

#include "types.h"

/* Takes the terminal, if there is one; whether there is. */
bool screen_open(void);

/* Shows the lines of page, cut to what there is room for. False: nobody can see it any more. */
bool screen_show(struct slice page);

/* False: it is to end. */
bool screen_wait(int64_t ms);

/* Gives the terminal back. */
void screen_close(void);

#endif
