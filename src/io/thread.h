/* SPDX-License-Identifier: ISC */
/* What a thread is called, and how much it makes way for others. */
#ifndef OCSPRELAY_IO_THREAD_H
#define OCSPRELAY_IO_THREAD_H

/* Verification and the disk come in bursts, which are not to keep clients from their hits where
 * threads have to share a core. */
enum thread_patience {
	THREAD_PROMPT,
	THREAD_PATIENT, /* a third of the others' weight; all, if they sleep */
};

/* The first act of a thread. name: at most 15 characters, as ps and perf show it. */
void thread_begin(const char *name, enum thread_patience patience);

#endif
