/* SPDX-License-Identifier: ISC */
/*
 * Running code that reads a memory-mapped file which others can damage or cut short. Where that
 * means SIGBUS, SIGSEGV or a failed assertion inside a library, the call is abandoned and the
 * process lives on. What the call had allocated or locked by then stays so.
 */
#ifndef OCSPRELAY_IO_FAULT_GUARD_H
#define OCSPRELAY_IO_FAULT_GUARD_H

#define FAULT_CAUGHT (-1) /* no errno, and no code of LMDB's */

typedef int fault_guard_fn(void *arg);

/* Once or more often, before the first run. Any thread. */
void fault_guard_install(void);

/* What fn returns, or FAULT_CAUGHT. fn takes no locks of ours and leaves no pointers to its stack
 * behind. Any thread; may be nested. */
int fault_guard_run(fault_guard_fn *fn, void *arg);

/* From code below fn: abandons the innermost run of this thread. Returns if there is none. */
void fault_guard_abandon(void);

#endif
