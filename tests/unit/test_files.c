/* SPDX-License-Identifier: ISC */
/* Files and directories read whole. */
#include "io/files.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

static char directory[] = "/tmp/ocsprelay-test-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void make(const char *name, size_t len)
{
	FILE *file = fopen(path_of(name), "wb");
	size_t i;

	cr_assert_not_null(file);
	for (i = 0; i < len; i++)
		fputc((int)(i % 251), file);
	fclose(file);
}

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(directory));
}

static void tear_down(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_expect_eq(system(command), 0);
}

TestSuite(files, .init = set_up, .fini = tear_down);

Test(files, a_file_is_appended_whole)
{
	struct buf buf;
	size_t i;

	make("a", 100000);
	buf_init(&buf, 200000);
	cr_assert_eq(buf_text(&buf, "x"), OK);
	cr_assert_eq(file_read(path_of("a"), &buf), OK);
	cr_assert_eq(buf.len, 100001);
	for (i = 0; i < 100000; i++)
		cr_assert_eq(buf.p[i + 1], i % 251);
	make("empty", 0);
	cr_assert_eq(file_read(path_of("empty"), &buf), OK);
	cr_assert_eq(buf.len, 100001);
	buf_fini(&buf);
}

Test(files, a_file_has_at_most_the_size_of_the_buffer)
{
	struct buf buf;

	make("a", 1000);
	buf_init(&buf, 1000);
	cr_expect_eq(file_read(path_of("a"), &buf), OK);
	buf_fini(&buf);
	buf_init(&buf, 999);
	cr_expect_eq(file_read(path_of("a"), &buf), ERR_TOO_LONG);
	buf_fini(&buf);
}

Test(files, what_cannot_be_read_says_why)
{
	struct buf buf;

	buf_init(&buf, 1000);
	cr_expect_eq(file_read(path_of("none"), &buf), ERR_SYSTEM);
	cr_expect_eq(errno, ENOENT);
	cr_expect_eq(file_read(directory, &buf), ERR_SYSTEM);
	cr_expect_eq(errno, EISDIR);
	buf_fini(&buf);
}

Test(files, a_dash_is_standard_input)
{
	struct buf buf;

	make("-", 5);
	cr_assert_not_null(freopen(path_of("-"), "rb", stdin));
	buf_init(&buf, 1000);
	cr_expect_eq(file_read("-", &buf), OK);
	cr_expect_eq(buf.len, 5);
	buf_fini(&buf);
}

Test(files, the_files_of_a_directory_in_order_of_name)
{
	static const char *const suffixes[] = {".pem", ".der", NULL};
	static const char *const expected[] = {"B.pem", "a.der", "a.pem", "dangling.pem",
					       "link.pem"};
	struct text_list list = {.n = 0};
	size_t i;

	make("a.pem", 1);
	make("B.pem", 1);
	make("a.der", 1);
	make("a.txt", 1);
	make(".hidden.pem", 1);
	make(".pem", 1);
	make("pem", 1);
	make("a.pem.bak", 1);
	cr_assert_eq(mkdir(path_of("directory.pem"), 0700), 0);
	cr_assert_eq(mkfifo(path_of("fifo.pem"), 0600), 0);
	cr_assert_eq(symlink("a.txt", path_of("link.pem")), 0);
	cr_assert_eq(symlink("nowhere", path_of("dangling.pem")), 0);
	cr_assert_eq(directory_list(directory, suffixes, &list), OK);
	cr_assert_eq(list.n, N_ELEMENTS(expected));
	for (i = 0; i < list.n; i++)
		cr_expect_str_eq(list.items[i], path_of(expected[i]));
	text_list_free(&list);
	cr_expect_eq(list.n, 0);
	text_list_free(&list);
}

Test(files, an_empty_directory_and_none)
{
	static const char *const suffixes[] = {".pem", NULL};
	struct text_list list = {.n = 7};

	cr_expect_eq(directory_list(path_of("none"), suffixes, &list), ERR_SYSTEM);
	cr_expect_eq(errno, ENOENT);
	cr_expect_eq(list.n, 7, "untouched");
	cr_expect_eq(directory_list(directory, suffixes, &list), OK);
	cr_expect_eq(list.n, 0);
	text_list_free(&list);
}

/* What may be anybody's is never waited for. */
Test(files, only_a_regular_file_is_read_where_that_is_asked_for, .timeout = 10)
{
	struct buf out;

	make("some", 300);
	cr_assert_eq(mkfifo(path_of("pipe"), 0600), 0);
	cr_assert_eq(symlink("some", path_of("link")), 0);
	buf_init(&out, 1000);
	cr_expect_eq(file_read_regular(path_of("some"), &out), OK);
	cr_expect_eq(file_read_regular(path_of("link"), &out), OK);
	cr_expect_eq(out.len, 600);
	cr_expect(file_read_regular(path_of("pipe"), &out) == ERR_SYSTEM && errno == EINVAL);
	cr_expect(file_read_regular(directory, &out) == ERR_SYSTEM && errno == EISDIR);
	cr_expect(file_read_regular(path_of("none"), &out) == ERR_SYSTEM && errno == ENOENT);
	cr_expect_eq(file_read_regular(path_of("some"), &out), OK);
	cr_expect_eq(file_read_regular(path_of("some"), &out), ERR_TOO_LONG);
	buf_fini(&out);
}
