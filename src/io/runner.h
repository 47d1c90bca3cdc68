/* SPDX-License-Identifier: ISC */
/*
 * Runs programs, some at once, the others after them: without a shell, in a process group of their
 * own, with nothing of ours but what they are given: no descriptors, no environment, no ignored
 * signals; /dev/null is their input and, unless they shall be heard, output. Who takes too long is
 * killed. Nothing waits for them. All on the loop's thread.
 */
#ifndef OCSPRELAY_IO_RUNNER_H
#define OCSPRELAY_IO_RUNNER_H

#include "err.h"
#include "io/loop.h"
#include "settings.h"

#define RUNNER_AT_ONCE 4
#define RUNNER_WAITING 64

struct runner;

struct runner_job {
	const char *program;   /* absolute path */
	struct text_list args; /* behind the program's name */
	struct text_list env;  /* NAME=value; items[n] is NULL */
	bool is_heard;	       /* its output and errors go where our errors go */
	const char *what;      /* for whoever is told of its end; static */
	int64_t ms_limit;
};

struct runner_end {
	const char *what;
	int error;	 /* errno: it could not be started; else 0 */
	int exit_status; /* -1: it died of a signal, */
	int signal;	 /* this one */
	bool is_killed;	 /* it took too long */
};

typedef void runner_fn(void *arg, const struct runner_end *end);

/* fn is told of every end. NULL without memory. */
struct runner *runner_new(struct loop *loop, runner_fn *fn, void *arg);

/* Kills those that run and forgets those that wait; fn is not called. NULL is fine. */
void runner_free(struct runner *runner);

/* Now, when fn may be told of the end before this returns, or when others have ended. Takes
 * job->args and job->env, copies program. ERR_BUSY: too many wait, and ERR_NO_MEMORY: they have
 * been freed. */
MUST_CHECK err_t runner_add(struct runner *runner, const struct runner_job *job);

#endif
