/* SPDX-License-Identifier: ISC */
/* The guard around code that reads mapped files. */
#include "io/fault_guard.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile char sink;

/* A page of a file that has none. */
static void *map_nothing(void)
{
	FILE *file = tmpfile();
	void *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);

	cr_assert_neq(p, MAP_FAILED);
	fclose(file);
	return p;
}

static int read_at(void *arg)
{
	sink = *(volatile char *)arg;
	return 7;
}

static int abandon(void *arg)
{
	(void)arg;
	fault_guard_abandon();
	return 7;
}

/* Survives a fault of its own run, then runs into another one. */
static int nest(void *arg)
{
	if (fault_guard_run(read_at, arg) != FAULT_CAUGHT)
		return 7;
	return read_at(arg);
}

static int give_number(void *arg)
{
	return *(int *)arg;
}

Test(fault_guard, a_result_is_passed_on)
{
	int numbers[] = {0, -30798, 28};
	size_t i;

	fault_guard_install();
	for (i = 0; i < 3; i++)
		cr_expect_eq(fault_guard_run(give_number, &numbers[i]), numbers[i]);
}

Test(fault_guard, a_fault_ends_the_call_again_and_again)
{
	void *nothing = map_nothing();
	void *forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int number = 3, i;

	fault_guard_install();
	fault_guard_install();
	for (i = 0; i < 10; i++) {
		cr_expect_eq(fault_guard_run(read_at, nothing), FAULT_CAUGHT, "SIGBUS");
		cr_expect_eq(fault_guard_run(read_at, forbidden), FAULT_CAUGHT, "SIGSEGV");
		cr_expect_eq(fault_guard_run(abandon, NULL), FAULT_CAUGHT);
		cr_expect_eq(fault_guard_run(nest, nothing), FAULT_CAUGHT);
		cr_expect_eq(fault_guard_run(give_number, &number), 3);
	}
}

Test(fault_guard, abandoning_nothing_does_nothing)
{
	fault_guard_abandon();
	cr_expect_eq(abandon(NULL), 7);
}

static void *fault_often(void *arg)
{
	int i;

	for (i = 0; i < 100; i++) {
		if (fault_guard_run(read_at, arg) != FAULT_CAUGHT)
			return arg;
	}
	return NULL;
}

Test(fault_guard, each_thread_has_its_own)
{
	void *nothing = map_nothing(), *result;
	pthread_t threads[4];
	int i;

	fault_guard_install();
	for (i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, fault_often, nothing), 0);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		cr_expect_null(result);
	}
}

/* Faults of others stay what they were. */
static int how_it_dies(void (*fn)(void *), void *arg)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		fault_guard_install();
		fn(arg);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void fault_outside(void *arg)
{
	int number = 3;

	(void)fault_guard_run(give_number, &number);
	read_at(arg);
}

static int kill_self(void *arg)
{
	raise(*(int *)arg);
	return 0;
}

static void be_killed_inside(void *arg)
{
	(void)fault_guard_run(kill_self, arg);
}

Test(fault_guard, a_fault_outside_of_it_kills)
{
	int number = SIGSEGV;

	cr_expect_eq(how_it_dies(fault_outside, map_nothing()), SIGBUS);
	cr_expect_eq(how_it_dies(be_killed_inside, &number), SIGSEGV);
}
