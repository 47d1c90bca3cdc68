/* SPDX-License-Identifier: ISC */
/* A file that is replaced: whole, with its mode, or not at all. */
#include "io/file_replace.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/files.h"

static char directory[] = "/tmp/test_file_replace.XXXXXX";

static void begin(void)
{
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(chdir(directory), 0);
}

static void end(void)
{
	char command[64];

	cr_expect_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_expect_eq(system(command), 0);
}

static void expect(const char *path, const char *text, mode_t mode)
{
	struct buf content;
	struct stat found;

	buf_init(&content, 65536);
	cr_assert_eq(file_read(path, &content), OK);
	cr_expect(slice_eq(buf_slice(&content), slice_text(text)), "%s", path);
	cr_assert_eq(lstat(path, &found), 0);
	cr_expect(S_ISREG(found.st_mode));
	cr_expect_eq(found.st_mode & 07777, mode, "%s: %o", path, found.st_mode);
	buf_fini(&content);
}

static size_t count_files(void)
{
	DIR *here = opendir(".");
	size_t n = 0;

	cr_assert_not_null(here);
	for (const struct dirent *entry; (entry = readdir(here)) != NULL;)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(here);
	return n;
}

Test(file_replace, a_new_file_is_for_all_to_read_and_one_that_was_there_keeps_its_mode)
{
	char whole[128];

	begin();
	umask(0077);
	snprintf(whole, sizeof(whole), "%s/b", directory);
	cr_expect_eq(file_replace("a", slice_text("one")), OK);
	cr_expect_eq(file_replace(whole, slice_text("two")), OK);
	expect("a", "one", 0644);
	expect("b", "two", 0644);
	cr_assert_eq(chmod("a", 0640), 0);
	cr_expect_eq(file_replace("a", slice_text("longer than before")), OK);
	expect("a", "longer than before", 0640);
	cr_expect_eq(file_replace("a", slice_of(NULL, 0)), OK);
	expect("a", "", 0640);
	cr_expect_eq(count_files(), 2);
	end();
}

/* Who could read the file still can. */
Test(file_replace, the_owner_and_group_stay)
{
	struct stat found;

	if (geteuid() != 0)
		cr_skip("only root gives files away");
	begin();
	cr_assert_eq(file_replace("a", slice_text("old")), OK);
	cr_assert_eq(chown("a", 12345, 54321), 0);
	cr_assert_eq(chmod("a", 0440), 0);
	cr_expect_eq(file_replace("a", slice_text("new")), OK);
	expect("a", "new", 0440);
	cr_assert_eq(stat("a", &found), 0);
	cr_expect(found.st_uid == 12345 && found.st_gid == 54321);
	end();
}

/* What the link points to is not touched, nor its mode taken. */
Test(file_replace, a_link_is_replaced)
{
	begin();
	cr_assert_eq(file_replace("there", slice_text("old")), OK);
	cr_assert_eq(chmod("there", 0600), 0);
	cr_assert_eq(symlink("there", "link"), 0);
	cr_expect_eq(file_replace("link", slice_text("new")), OK);
	expect("link", "new", 0644);
	expect("there", "old", 0600);
	end();
}

Test(file_replace, what_was_there_stays_when_it_fails)
{
	struct rlimit limit = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY};

	begin();
	cr_expect_eq(file_replace("none/a", slice_text("x")), ERR_SYSTEM);
	cr_expect_eq(errno, ENOENT);
	cr_assert_eq(mkdir("directory", 0755), 0);
	cr_expect_eq(file_replace("directory", slice_text("x")), ERR_SYSTEM);
	cr_expect(errno == EISDIR || errno == EEXIST || errno == ENOTEMPTY);
	cr_assert_eq(file_replace("a", slice_text("old")), OK);
	signal(SIGXFSZ, SIG_IGN); /* as a full disk */
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_expect_eq(file_replace("a", slice_text("more than ten octets")), ERR_SYSTEM);
	cr_expect_eq(errno, EFBIG);
	expect("a", "old", 0644);
	cr_expect_eq(count_files(), 2);
	limit.rlim_cur = RLIM_INFINITY;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	end();
}

/* As a service that is root and may do this one thing of all that root may. */
static bool keep_only_chown(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
	    {.effective = 1U << CAP_CHOWN, .permitted = 1U << CAP_CHOWN}};

	return syscall(SYS_capset, &header, data) == 0;
}

Test(file_replace, who_may_give_files_away_and_nothing_else_keeps_owner_group_and_mode)
{
	struct stat found;

	begin();
	cr_expect_eq(file_replace("a", slice_text("one")), OK);
	if (chown("a", 12345, 23456) != 0 || !keep_only_chown()) {
		end();
		cr_skip_test("not root");
	}
	cr_expect_eq(file_replace("a", slice_text("two")), OK);
	cr_assert_eq(stat("a", &found), 0);
	cr_expect(found.st_uid == 12345 && found.st_gid == 23456);
	cr_expect_eq(found.st_mode & 07777, 0644, "%o", found.st_mode);
	end();
}
