/* SPDX-License-Identifier: ISC */
/* ocsprelay runway: how long the answers in use would last without their responders. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/paint.h"
#include "cmd/remote.h"
#include "cmd/span.h"

#define BAR 30 /* columns */

/* In the columns of the bar, for the longest of all. */
static size_t columns(int64_t seconds, int64_t longest)
{
	return (size_t)((double)BAR * (double)seconds / (double)longest + 0.5);
}

/* All are there until the first runs out (#), half of them until the median (=), some until the
 * last (-). */
static void print_bar(const json_t *runway, int64_t longest)
{
	size_t first = columns(remote_number(runway, "first"), longest);
	size_t median = columns(remote_number(runway, "median"), longest);
	size_t last = columns(remote_number(runway, "last"), longest);

	printf("  ");
	for (size_t i = 0; i < last; i++)
		putchar(i < first ? '#' : i < median ? '=' : '-');
}

static void print_state(const json_t *issuer)
{
	const json_t *rehearsal = json_object_get(issuer, "rehearsal");
	bool is_down = json_is_true(json_object_get(issuer, "down"));
	char left[SPAN_TEXT], text[SPAN_TEXT + 16] = "up";

	if (json_is_object(rehearsal)) {
		span_text(left, remote_number(rehearsal, "seconds_left"));
		snprintf(text, sizeof(text), "rehearsal %s", left);
	} else if (is_down) {
		strcpy(text, "down");
	}
	printf("%s%-17s%s", is_down ? paint(PAINT_BAD) : "", text,
	       is_down ? paint(PAINT_NONE) : "");
}

static void print_issuer(const json_t *issuer, int width, int64_t longest)
{
	static const char *const members[] = {"first", "median", "last"};
	const json_t *runway = json_object_get(issuer, "runway");
	bool is_terminal = isatty(STDOUT_FILENO) == 1;
	char text[SPAN_TEXT] = "-";

	printf("%-*s  ", width, remote_text(issuer, "name"));
	print_state(issuer);
	printf("  %8" PRId64, remote_number(runway, "answers"));
	for (size_t i = 0; i < N_ELEMENTS(members); i++) {
		if (json_is_object(runway))
			span_text(text, remote_number(runway, members[i]));
		printf("  %7s", text);
	}
	if (is_terminal && longest > 0)
		print_bar(runway, longest);
	putchar('\n');
}

static void print(const json_t *told)
{
	const json_t *issuers = json_object_get(told, "issuers");
	int64_t longest = 0;
	size_t i, width = strlen("ISSUER");
	json_t *issuer;

	json_array_foreach(issuers, i, issuer)
	{
		size_t len = strlen(remote_text(issuer, "name"));
		int64_t last = remote_number(json_object_get(issuer, "runway"), "last");

		if (len > width)
			width = len;
		if (last > longest)
			longest = last;
	}
	printf("%-*s  %-17s  %8s  %7s  %7s  %7s\n", (int)width, "ISSUER", "RESPONDERS", "IN USE",
	       "FIRST", "MEDIAN", "LAST");
	json_array_foreach(issuers, i, issuer) print_issuer(issuer, (int)width, longest);
}

int cmd_runway(int argc, char **argv)
{
	static const struct remote_command command = {
	    .name = "runway", .path = "/api/v1/runway", .print = print};

	return remote_command(&command, argc, argv);
}
