/* SPDX-License-Identifier: ISC */
/* The sink with real targets: files, a pipe that nobody reads, levels, reopening, folding. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "base/log.h"
#include "ctl/log_line.h"
#include "ctl/log_sink.h"

static char directory[] = "/tmp/test_log_sink.XXXXXX";
static char path[PATH_MAX], rotated[PATH_MAX];
static char text[1 << 20];

static void make_directory(void)
{
	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/log", directory);
	snprintf(rotated, sizeof(rotated), "%s/log.1", directory);
}

static void remove_directory(void)
{
	log_sink_close();
	unlink(path);
	unlink(rotated);
	rmdir(directory);
}

TestSuite(log_sink, .init = make_directory, .fini = remove_directory);

static struct settings_log settings_of(const char *level)
{
	return (struct settings_log){.level = (char *)(uintptr_t)level, .target = path};
}

static const char *contents(const char *name)
{
	FILE *file = fopen(name, "r");
	size_t n;

	if (!file)
		return "(no file)";
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

static unsigned count(const char *in, const char *word)
{
	unsigned n = 0;

	for (in = strstr(in, word); in; in = strstr(in + 1, word))
		n++;
	return n;
}

Test(log_sink, levels_are_named)
{
	cr_expect_eq(log_level_named("error"), LEVEL_ERROR);
	cr_expect_eq(log_level_named("warning"), LEVEL_WARNING);
	cr_expect_eq(log_level_named("notice"), LEVEL_NOTICE);
	cr_expect_eq(log_level_named("info"), LEVEL_INFO);
	cr_expect_eq(log_level_named("debug"), LEVEL_DEBUG);
	cr_expect_eq(log_level_named(""), -1);
	cr_expect_eq(log_level_named("Error"), -1);
}

Test(log_sink, lines_are_appended_to_a_file_that_only_its_group_reads)
{
	struct settings_log settings = settings_of("notice");
	struct stat status;

	umask(0);
	cr_assert_eq(log_sink_open(&settings), OK);
	LOG(READY, LOG_TEXT("address", "a"));
	LOG(DRAIN, LOG_TEXT("address", "b"));
	contents(path);
	cr_expect_eq(count(text, "\n"), 2, "%s", text);
	cr_expect_not_null(strstr(text, "event=ready msg=serving address=a\nts="));
	cr_expect_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0640);
}

Test(log_sink, level_decides_what_is_written)
{
	struct settings_log settings = settings_of("warning");

	cr_assert_eq(log_sink_open(&settings), OK);
	LOG(READY, LOG_NUMBER("n", 1));
	LOG(ISSUER, LOG_NUMBER("n", 1));
	LOG(CLOCK, LOG_NUMBER("n", 1));
	LOG(CERTIFICATE_SKIPPED, LOG_NUMBER("n", 1));
	contents(path);
	cr_expect_eq(count(text, "\n"), 2, "%s", text);
	cr_expect_eq(count(text, "level=error event=clock"), 1);
	cr_expect_eq(count(text, "level=warning event=certificate-skipped"), 1);
}

Test(log_sink, access_log_is_a_switch_of_its_own)
{
	struct settings_log settings = settings_of("error");

	cr_assert_eq(log_sink_open(&settings), OK);
	LOG(ACCESS, LOG_NUMBER("n", 1));
	cr_expect_str_eq(contents(path), "");
	settings.access = LOG_ACCESS_ON;
	cr_assert_eq(log_sink_open(&settings), OK);
	for (int i = 0; i < 20; i++)
		LOG(ACCESS, LOG_NUMBER("n", i));
	cr_expect_eq(count(contents(path), "event=access"), 20);
}

Test(log_sink, json_is_one_object_per_line)
{
	struct settings_log settings = settings_of("notice");

	settings.format = LOG_FORMAT_JSON;
	cr_assert_eq(log_sink_open(&settings), OK);
	LOG(READY, LOG_TEXT("v", "a\"\nb"));
	contents(path);
	cr_expect_eq(count(text, "\n"), 1);
	cr_expect_eq(text[0], '{');
	cr_expect_not_null(strstr(text, ",\"v\":\"a\\\"\\u000ab\"}\n"), "%s", text);
}

Test(log_sink, opening_again_follows_a_rotated_file)
{
	struct settings_log settings = settings_of("notice");

	cr_assert_eq(log_sink_open(&settings), OK);
	LOG(READY, LOG_NUMBER("n", 1));
	cr_assert_eq(rename(path, rotated), 0);
	LOG(READY, LOG_NUMBER("n", 2));
	cr_assert_eq(log_sink_open(&settings), OK);
	LOG(READY, LOG_NUMBER("n", 3));
	cr_expect_eq(count(contents(rotated), "event=ready"), 2);
	cr_expect_eq(count(contents(path), " n=3\n"), 1);
}

Test(log_sink, target_that_cannot_be_opened_leaves_the_old_one)
{
	struct settings_log settings = settings_of("notice");
	struct settings_log broken = settings_of("debug");

	cr_assert_eq(log_sink_open(&settings), OK);
	broken.target = directory;
	errno = 0;
	cr_expect_eq(log_sink_open(&broken), ERR_SYSTEM);
	cr_expect_eq(errno, EISDIR);
	LOG(READY, LOG_NUMBER("n", 1));
	LOG(ISSUER, LOG_NUMBER("n", 1));
	cr_expect_eq(count(contents(path), "\n"), 1, "%s", text);
}

/* Who may write to the directory of the log could else have root append to any file. */
Test(log_sink, SL_16_root_follows_no_symbolic_link)
{
	struct settings_log settings = settings_of("notice");

	cr_assert_eq(symlink(rotated, path), 0);
	if (geteuid() == 0) {
		errno = 0;
		cr_expect_eq(log_sink_open(&settings), ERR_SYSTEM);
		cr_expect_eq(errno, ELOOP);
		cr_expect_neq(access(rotated, F_OK), 0);
		cr_assert_eq(chown(directory, 65534, 65534), 0);
		cr_assert_eq(seteuid(65534), 0);
		if (eaccess(directory, W_OK) != 0)
			cr_skip_test("this machine's root directory is closed to other users");
	}
	cr_expect_eq(log_sink_open(&settings), OK, "anybody else does");
	LOG(READY, LOG_NUMBER("n", 1));
	cr_expect_eq(count(contents(rotated), "event=ready"), 1);
}

Test(log_sink, repeated_events_are_folded_and_told_at_the_end)
{
	struct settings_log settings = settings_of("info");

	cr_assert_eq(log_sink_open(&settings), OK);
	for (int i = 0; i < 412; i++)
		LOG(FETCH_FAILED, LOG_TEXT("responder", "http://x/"), LOG_REASON(ERR_UP_TIMEOUT),
		    LOG_NUMBER("n", i));
	log_sink_tick();
	cr_expect_eq(count(contents(path), "\n"), 5);
	log_sink_close();
	contents(path);
	cr_expect_eq(count(text, "\n"), 6);
	cr_expect_not_null(strstr(text, "level=info event=folded msg=\"repeated events folded\" "
					"name=fetch-failed count=407 reason=upstream-timeout "
					"responder=http://x/\n"),
			   "%s", text);
}

Test(log_sink, full_pipe_loses_lines_and_holds_nobody_up)
{
	struct settings_log settings = settings_of("notice");
	static char filler[1 << 16];
	int ends[2], real = dup(STDERR_FILENO);

	settings.target = (char *)(uintptr_t) "stderr";
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	cr_assert_eq(log_sink_open(&settings), OK);
	LOG(STATUS_CHANGED, LOG_NUMBER("n", 1));
	cr_expect_eq(counter_sum(METRIC_LOG_DROPPED, 0, 0, 0), 0);
	cr_assert_eq(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	while (write(ends[1], filler, sizeof(filler)) > 0)
		continue;
	cr_assert_eq(fcntl(ends[1], F_SETFL, 0), 0);
	LOG(STATUS_CHANGED, LOG_NUMBER("n", 2));
	LOG(STATUS_CHANGED, LOG_NUMBER("n", 3));
	cr_expect_eq(counter_sum(METRIC_LOG_DROPPED, 0, 0, 0), 2);
	dup2(real, STDERR_FILENO);
	close(real);
	close(ends[0]);
	close(ends[1]);
}

static void *log_much(void *arg)
{
	for (int i = 0; i < 200; i++)
		LOG(STATUS_CHANGED, LOG_TEXT("thread", arg), LOG_TEXT("v", "with blanks in it"));
	counter_thread_end();
	return NULL;
}

Test(log_sink, threads_do_not_tear_each_others_lines)
{
	struct settings_log settings = settings_of("notice");
	pthread_t threads[4];
	char *line, *rest = text;

	cr_assert_eq(log_sink_open(&settings), OK);
	for (size_t i = 0; i < N_ELEMENTS(threads); i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, log_much, "t"), 0);
	for (size_t i = 0; i < N_ELEMENTS(threads); i++)
		pthread_join(threads[i], NULL);
	contents(path);
	cr_expect_eq(count(text, "\n"), 800);
	while ((line = strsep(&rest, "\n")) && *line) {
		cr_expect_eq(strncmp(line, "ts=", 3), 0, "%s", line);
		cr_expect_not_null(strstr(line, " thread=t v=\"with blanks in it\""), "%s", line);
	}
}

Test(log_sink, closed_sink_writes_nothing)
{
	struct settings_log settings = settings_of("notice");

	cr_assert_eq(log_sink_open(&settings), OK);
	log_sink_close();
	LOG(READY, LOG_NUMBER("n", 1));
	log_sink_tick();
	cr_expect_str_eq(contents(path), "");
}
