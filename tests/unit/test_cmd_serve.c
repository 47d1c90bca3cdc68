/* SPDX-License-Identifier: ISC */
/*
 * What "serve" refuses to begin with. The clock is the test's: the linker puts it in front of the
 * real one (unit_cmd_LDFLAGS). There is nothing to listen on, so no daemon comes of any of this.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/args.h"
#include "cmd/commands.h"
#include "core/dates.h"
#include "io/clock.h"

int64_t __real_clock_wall(void);
int64_t __wrap_clock_wall(void);

static int64_t wall; /* 0: the real one */

int64_t __wrap_clock_wall(void)
{
	return wall != 0 ? wall : __real_clock_wall();
}

static char directory[] = "/tmp/ocsprelay-test-XXXXXX";

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(directory));
}

static void tear_down(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	cr_expect_eq(system(command), 0);
}

TestSuite(cmd_serve, .init = set_up, .fini = tear_down);

static FILE *open_file(const char *name, const char *mode)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, mode);
	cr_assert_not_null(file, "%s", path);
	return file;
}

/* Serves in vain at this time; gives the exit status, and what was logged. */
static int serve_at(const char *iso, char log[static 4096])
{
	char path[64];
	char *argv[] = {(char[]){"serve"}, (char[]){"-c"}, path, NULL};
	FILE *file = open_file("ocsprelay.conf", "w");
	int status;

	fprintf(file,
		"listen = {\"unix:%s/not/there\"}\n"
		"admin = \"\"\nuser = \"\"\nissuer_dir = \"\"\nstore = {}\n"
		"log { target = \"%s/log\" }\n",
		directory, directory);
	fclose(file);
	snprintf(path, sizeof(path), "%s/ocsprelay.conf", directory);
	cr_assert_eq(date_from_iso(slice_text(iso), &wall), OK);
	status = cmd_serve(3, argv);
	wall = 0;
	file = open_file("log", "r");
	log[fread(log, 1, 4095, file)] = '\0';
	fclose(file);
	return status;
}

Test(cmd_serve, CL_21_does_not_start_before_it_was_released)
{
	char log[4096];

	cr_expect_eq(serve_at("2020-02-29T12:34:56Z", log), EXIT_FAILURE);
	cr_expect_not_null(strstr(log, "event=clock"), "%s", log);
	cr_expect_not_null(strstr(log, "2020-02-29T12:34:56Z"), "%s", log);
	cr_expect_null(strstr(log, "event=start"), "%s", log);
}

Test(cmd_serve, CL_21_any_later_time_is_believed)
{
	char log[4096];

	cr_expect_eq(serve_at("2100-01-01T00:00:00Z", log), EXIT_FAILURE);
	cr_expect_null(strstr(log, "event=clock"), "%s", log);
	cr_expect_not_null(strstr(log, "event=start"), "%s", log);
	cr_expect_not_null(strstr(log, "event=listen-failed"), "%s", log);
}
