/* SPDX-License-Identifier: ISC */
/* Programs that are run: what they are given, how many at once, and how they end. */
#include "io/runner.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/buf.h"
#include "io/clock.h"
#include "io/files.h"

static char directory[] = "/tmp/test_runner.XXXXXX";
static struct loop *loop;
static struct runner *runner;
static struct runner_end ends[256];
static size_t n_ends, n_expected;

static void on_end(void *arg, const struct runner_end *end)
{
	(void)arg;
	ends[n_ends++] = *end;
	if (n_ends == n_expected)
		loop_stop(loop);
}

static void begin(void)
{
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(chdir(directory), 0);
	loop = loop_new();
	runner = runner_new(loop, on_end, NULL);
	cr_assert(loop != NULL && runner != NULL);
}

static void end(void)
{
	char command[64];

	runner_free(runner);
	loop_free(loop);
	cr_expect_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_expect_eq(system(command), 0);
}

/* A program of its own name, whose lines these are. */
static const char *script(const char *name, const char *lines)
{
	static char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", lines);
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(chmod(path, 0755), 0);
	return path;
}

static err_t add(const char *program, int64_t ms_limit)
{
	static const char *const entries[] = {"PATH=/usr/bin:/bin", "WHAT=a b $(c) ;\"d"};
	struct runner_job job = {.program = program, .what = "test", .ms_limit = ms_limit};

	job.env.items = calloc(3, sizeof(char *));
	for (; job.env.n < 2; job.env.n++)
		job.env.items[job.env.n] = strdup(entries[job.env.n]);
	return runner_add(runner, &job);
}

static void wait_for(size_t n)
{
	n_expected = n;
	if (n_ends < n)
		loop_run(loop);
	cr_assert_eq(n_ends, n);
}

static void expect_file(const char *name, const char *text)
{
	struct buf content;

	buf_init(&content, 65536);
	cr_assert_eq(file_read(name, &content), OK, "%s", name);
	cr_expect(slice_eq(buf_slice(&content), slice_text(text)), "%s: %.*s", name,
		  (int)content.len, (const char *)content.p);
	buf_fini(&content);
}

Test(runner, environment_is_what_was_given_and_no_shell_reads_it)
{
	begin();
	setenv("SECRET", "x", 1);
	cr_assert_eq(
	    add(script("p", "printf %s \"$WHAT\" >what; printf %s \"$SECRET\" >secret"), 60000),
	    OK);
	wait_for(1);
	cr_expect_eq(ends[0].exit_status, 0);
	cr_expect_str_eq(ends[0].what, "test");
	cr_expect_eq(ends[0].error, 0);
	expect_file("what", "a b $(c) ;\"d");
	expect_file("secret", "");
	end();
}

Test(runner, arguments_are_what_was_given_and_what_is_heard_goes_to_our_errors)
{
	static const char *const words[] = {"a b", "", "$(c);\"d"};
	struct runner_job job = {.what = "test", .ms_limit = 60000, .is_heard = true};
	int fd;

	begin();
	fd = open("heard", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	job.program = script("p", "printf '<%s>' \"$@\"; printf error >&2; exit 3");
	job.env.items = calloc(1, sizeof(char *));
	job.args.items = calloc(N_ELEMENTS(words), sizeof(char *));
	for (; job.args.n < N_ELEMENTS(words); job.args.n++)
		job.args.items[job.args.n] = strdup(words[job.args.n]);
	cr_assert_eq(runner_add(runner, &job), OK);
	wait_for(1);
	cr_expect_eq(ends[0].exit_status, 3);
	expect_file("heard", "<a b><><$(c);\"d>error");
	end();
}

/* Neither descriptors, even one that would be inherited, nor ignored or blocked signals (those of a
 * child of the shell, which itself blocks some while it waits). */
Test(runner, nothing_of_ours_is_inherited)
{
	sigset_t all;
	int fd;

	begin();
	fd = open("/dev/null", O_RDONLY);
	cr_assert_geq(fd, 3);
	cr_assert_eq(fcntl(fd, F_DUPFD, 100), 100);
	signal(SIGPIPE, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	cr_assert_eq(
	    add(script("p", "ls -l /proc/$$/fd | sed -n 's/.* \\([012]\\) -> /\\1 /p' >files\n"
			    "[ -e /proc/$$/fd/100 ] && echo 100 >>files\n"
			    "sed -n 's/^Sig\\(Ign\\|Blk\\):.*\\(....\\)$/\\2/p' /proc/self/status "
			    ">signals\n"
			    "cat; echo x; echo y >&2"),
		60000),
	    OK);
	wait_for(1);
	cr_expect_eq(ends[0].exit_status, 0);
	expect_file("files", "0 /dev/null\n1 /dev/null\n2 /dev/null\n");
	expect_file("signals", "0000\n0000\n");
	end();
}

Test(runner, end_is_told)
{
	static const struct {
		const char *lines;
		int exit_status, signal;
	} rows[] = {{"exit 0", 0, 0}, {"exit 3", 3, 0}, {"kill -9 $$", -1, SIGKILL}};

	begin();
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		cr_assert_eq(add(script("p", rows[i].lines), 60000), OK);
		wait_for(i + 1);
		cr_expect_eq(ends[i].error, 0);
		cr_expect_eq(ends[i].exit_status, rows[i].exit_status, "%s", rows[i].lines);
		cr_expect_eq(ends[i].signal, rows[i].signal, "%s", rows[i].lines);
		cr_expect_not(ends[i].is_killed);
	}
	end();
}

Test(runner, what_cannot_be_run_has_ended)
{
	begin();
	cr_assert_eq(add("/nonexistent/program", 60000), OK);
	wait_for(1);
	cr_expect_eq(ends[0].error, ENOENT);
	cr_assert_eq(add(directory, 60000), OK);
	wait_for(2);
	cr_expect_eq(ends[1].error, EACCES);
	end();
}

/* With whatever it has started, or else its end would not be seen. */
Test(runner, who_takes_too_long_is_killed_with_all_of_its_group)
{
	int fd;

	begin();
	cr_assert_eq(mkfifo("alive", 0600), 0);
	fd = open("alive", O_RDONLY | O_NONBLOCK);
	cr_assert_geq(fd, 0);
	cr_assert_eq(add(script("p", "exec 5>alive\nsleep 1000 &\nsleep 1000"), 300), OK);
	wait_for(1);
	cr_expect(ends[0].is_killed);
	cr_expect_eq(ends[0].signal, SIGKILL);
	cr_expect_eq(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 10000), 1,
		     "somebody still holds it open");
	close(fd);
	end();
}

static void count(void *arg)
{
	struct stat started;

	(void)arg;
	if (stat("started", &started) == 0)
		cr_expect_leq(started.st_size, RUNNER_AT_ONCE, "a fifth one runs");
	cr_expect_eq(close(open("go", O_WRONLY | O_CREAT, 0600)), 0);
}

/* Five want to run and four may, until the test says go. */
Test(runner, four_run_at_once_and_64_wait)
{
	const char *path;

	begin();
	path = script("p", "printf x >>started; while ! [ -e go ]; do sleep 0.01; done");
	for (unsigned i = 0; i < RUNNER_AT_ONCE + RUNNER_WAITING; i++)
		cr_assert_eq(add(path, 60000), OK, "%u", i);
	cr_expect_eq(add(path, 60000), ERR_BUSY);
	timer_start(loop, 200, count, NULL);
	wait_for(RUNNER_AT_ONCE + RUNNER_WAITING);
	cr_expect_eq(add(path, 60000), OK);
	wait_for(RUNNER_AT_ONCE + RUNNER_WAITING + 1);
	end();
}

Test(runner, end_of_the_runner_ends_them)
{
	begin();
	for (unsigned i = 0; i < 2 * RUNNER_AT_ONCE; i++)
		cr_assert_eq(add(script("p", "sleep 1000"), 60000), OK);
	end();
	cr_expect_eq(n_ends, 0);
	runner_free(NULL);
}
