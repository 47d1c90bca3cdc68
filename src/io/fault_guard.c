/* SPDX-License-Identifier: ISC */
/*
 * A jump out of the signal handler, to where the thread entered the guarded call. Only faults that
 * the kernel raises for this thread's own instruction are taken; all others, and those outside of a
 * guarded call, go to whoever had the signal before, a sanitizer for instance.
 */
#include "io/fault_guard.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

struct guard {
	sigjmp_buf jump;
	struct guard *outer;
};

/* Rule 35: a signal handler has no argument of ours; it can only find its thread's guard here. */
static _Thread_local struct guard *current;

static struct sigaction before_bus, before_segv;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code > 0)
		fault_guard_abandon();
	/* The instruction faults again when this returns; what was sent by kill does not. */
	sigaction(number, number == SIGBUS ? &before_bus : &before_segv, NULL);
	if (info->si_code <= 0)
		raise(number);
}

static void install(void)
{
	/* SA_NODEFER: the jump restores no mask, so the signal must not be blocked meanwhile. */
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};

	sigemptyset(&action.sa_mask);
	action.sa_sigaction = on_fault;
	sigaction(SIGBUS, &action, &before_bus);
	sigaction(SIGSEGV, &action, &before_segv);
}

void fault_guard_install(void)
{
	pthread_once(&once, install);
}

int fault_guard_run(fault_guard_fn *fn, void *arg)
{
	struct guard guard;
	int result;

	guard.outer = current;
	if (sigsetjmp(guard.jump, 0) != 0) {
		current = guard.outer;
		return FAULT_CAUGHT;
	}
	current = &guard;
	result = fn(arg);
	current = guard.outer;
	return result;
}

void fault_guard_abandon(void)
{
	if (current)
		siglongjmp(current->jump, 1);
}
