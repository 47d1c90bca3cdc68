/* SPDX-License-Identifier: ISC */
/* The hook of very many staples: in how many calls it is told of them, and which it is told again.
 */
#include "cmd/staple_hook.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/loop.h"

#define MAX_STAPLES 1200

static char directory[] = "/tmp/test_staple_hook.XXXXXX";
static struct loop *loop;
static struct staple_hook *hook;
static struct staple staples[MAX_STAPLES];
static struct staple *items[MAX_STAPLES];
static struct staples list = {.items = items};
static char failed[128];

static void on_done(void *arg, const char *what_failed)
{
	(void)arg;
	snprintf(failed, sizeof(failed), "%s", what_failed ? what_failed : "");
	loop_stop(loop);
}

/* n staples, all of them news, whose paths are so long. */
static void begin(const char *lines, size_t n, int len)
{
	FILE *file;

	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(chdir(directory), 0);
	file = fopen("hook", "w");
	cr_assert_not_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", lines);
	cr_assert(fclose(file) == 0 && chmod("hook", 0755) == 0);
	loop = loop_new();
	hook = staple_hook_new(
	    &(struct staple_hook_opts){.loop = loop, .command = "./hook", .done = on_done});
	cr_assert(loop != NULL && hook != NULL);
	list.n = n;
	for (size_t i = 0; i < n; i++) {
		items[i] = &staples[i];
		staples[i].is_news = true;
		cr_assert(asprintf(&staples[i].path, "%0*zu", len, i) > 0);
	}
}

static void run(void)
{
	staple_hook_run(hook, &list);
	loop_run(loop);
}

static void end(void)
{
	char command[64];

	for (size_t i = 0; i < list.n; i++)
		free(staples[i].path);
	staple_hook_free(hook);
	loop_free(loop);
	cr_expect_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_expect_eq(system(command), 0);
}

/* What the calls have written to the file out, and no more of it. */
static void expect(const char *text)
{
	char found[512] = "";
	FILE *file = fopen("out", "r");

	if (file != NULL) {
		found[fread(found, 1, sizeof(found) - 1, file)] = '\0';
		fclose(file);
		cr_assert_eq(unlink("out"), 0);
	}
	cr_expect_str_eq(found, text);
}

static size_t count_news(void)
{
	size_t n = 0;

	for (size_t i = 0; i < list.n; i++)
		n += staples[i].is_news;
	return n;
}

#define TELL "echo $# $OCSPRELAY_STAPLES $OCSPRELAY_REVOKED >>out"

Test(staple_hook, some_hundred_files_for_each_call)
{
	begin(TELL, 1100, 6);
	staples[3].is.status = staples[1099].is.status = CERT_REVOKED;
	staples[4].is_news = staples[500].is_news = false;
	run();
	expect("500 500 1\n500 500 0\n98 98 1\n");
	cr_expect_str_eq(failed, "");
	cr_expect_eq(count_news(), 0);
	staples[7].is_news = true;
	run();
	expect("1 1 0\n");
	end();
}

/* 65536 octets, with the end of each. */
Test(staple_hook, long_names_come_in_smaller_portions)
{
	begin(TELL, 40, 4095);
	run();
	expect("16 16 0\n16 16 0\n8 8 0\n");
	end();
}

Test(staple_hook, a_call_that_fails_keeps_no_other_from_its_files)
{
	begin(TELL "\ntest $1 != 000500", 1200, 6);
	run();
	expect("500 500 0\n500 500 0\n200 200 0\n");
	cr_expect_str_eq(failed, "exit status 1");
	cr_expect_eq(count_news(), 500);
	cr_expect(!staples[499].is_news && staples[500].is_news && !staples[1000].is_news);
	run();
	expect("500 500 0\n");
	cr_expect_str_eq(failed, "exit status 1");
	end();
}

Test(staple_hook, what_cannot_be_run_is_tried_once)
{
	begin(TELL, 1200, 6);
	cr_assert_eq(unlink("hook"), 0);
	run();
	cr_expect_str_eq(failed, "cannot be run: No such file or directory");
	cr_expect_eq(count_news(), 1200);
	end();
}
