/* SPDX-License-Identifier: ISC */
/* ocsprelay status: a running relay at a glance, once or again and again. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "cmd/paint.h"
#include "cmd/remote.h"
#include "cmd/screen.h"
#include "cmd/status_text.h"
#include "core/dates.h"
#include "io/clock.h"

#define PATH	    "/api/v1/status"
#define MAX_TEXT    16777216
#define SECONDS	    2
#define MAX_SECONDS 86400

struct status_args {
	struct remote_args remote;
	bool watch;
	struct args_texts operands;
};

struct watch {
	struct remote *remote;
	int64_t ms_every;
	bool is_terminal;
	json_t *before; /* what was told last, or NULL */
	int64_t ms_before;
	struct buf page;	/* of that */
	char said[REMOTE_SAID]; /* what went wrong since */
};

static int show_once(struct remote *remote)
{
	struct status_text text = {.has_colours = paint_is_wanted()};
	json_t *told = NULL;
	struct buf page;
	int status = remote_object(remote, PATH, NULL, slice_of(NULL, 0), &told);

	if (status != ARGS_GO)
		return status;
	buf_init(&page, MAX_TEXT);
	text.told = told;
	status_text(&text, &page);
	if (!remote->json)
		fwrite(page.p, 1, page.len, stdout);
	buf_fini(&page);
	json_decref(told);
	return EXIT_OK;
}

/* Numbers of another process are not to be compared. */
static bool is_same_relay(const json_t *a, const json_t *b)
{
	return a != NULL && remote_number(a, "pid") == remote_number(b, "pid") &&
	       strcmp(remote_text(a, "started_at"), remote_text(b, "started_at")) == 0;
}

/* Takes told. */
static void take(struct watch *watch, json_t *told)
{
	int64_t ms_now = clock_mono_ms();
	const struct status_text text = {
	    .told = told,
	    .before = is_same_relay(watch->before, told) ? watch->before : NULL,
	    .ms_between = ms_now - watch->ms_before,
	    .has_colours = paint_is_wanted()};
	char now[ISO_DATE_SIZE];

	date_to_iso(now, clock_wall());
	buf_reset(&watch->page);
	buf_printf(&watch->page, "%s", now);
	if (watch->is_terminal)
		buf_printf(&watch->page, "   every %" PRId64 " s, q ends", watch->ms_every / 1000);
	buf_text(&watch->page, "\n");
	status_text(&text, &watch->page);
	json_decref(watch->before);
	watch->before = told;
	watch->ms_before = ms_now;
}

/* What went wrong, above what was told last. */
static bool show_failure(struct watch *watch)
{
	struct buf page;
	bool is_seen;

	if (!watch->is_terminal) {
		fprintf(stderr, "ocsprelay status: %s\n", watch->said);
		return true;
	}
	for (char *p = watch->said; *p != '\0'; p++)
		*p = iscntrl((unsigned char)*p) ? '?' : *p;
	buf_init(&page, MAX_TEXT);
	buf_printf(&page, "%s%s%s\ntrying again every %" PRId64 " s, q ends\n\n", paint(PAINT_BAD),
		   watch->said, paint(PAINT_NONE), watch->ms_every / 1000);
	buf_append(&page, watch->page.p, watch->page.len);
	is_seen = screen_show(buf_slice(&page));
	buf_fini(&page);
	return is_seen;
}

static bool look(struct watch *watch)
{
	json_t *told = NULL;

	if (remote_object(watch->remote, PATH, NULL, slice_of(NULL, 0), &told) != ARGS_GO)
		return show_failure(watch);
	take(watch, told);
	if (watch->remote->json)
		return fflush(stdout) == 0; /* it has been printed as it came */
	if (!watch->is_terminal)
		buf_text(&watch->page, "\n");
	return screen_show(buf_slice(&watch->page));
}

static int watch_on(struct remote *remote, int64_t seconds)
{
	struct watch watch = {.remote = remote, .ms_every = seconds * 1000};

	buf_init(&watch.page, MAX_TEXT);
	watch.is_terminal = !remote->json && screen_open();
	remote->said = watch.said;
	while (look(&watch) && screen_wait(watch.ms_every))
		continue;
	remote->said = NULL;
	screen_close();
	json_decref(watch.before);
	buf_fini(&watch.page);
	return EXIT_OK;
}

/* ARGS_GO; *out: 0 for once. */
static int read_seconds(const struct status_args *args, int64_t *out)
{
	uint64_t seconds = SECONDS;
	const char *word = args->operands.n > 0 ? args->operands.items[0] : NULL;

	if (word != NULL && (!args->watch || args->operands.n > 1))
		return args_usage("status", "\"%s\" is too much",
				  args->operands.items[args->watch ? 1 : 0]);
	if (word != NULL &&
	    (decimal_decode(slice_text(word), MAX_SECONDS, &seconds) != OK || seconds == 0))
		return args_usage("status", "--watch: \"%s\" is no number of seconds from 1 to %d",
				  word, MAX_SECONDS);
	*out = args->watch ? (int64_t)seconds : 0;
	return ARGS_GO;
}

int cmd_status(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    REMOTE_ROWS(status_args),
	    {"watch", 0, ARGS_FLAG, offsetof(struct status_args, watch)},
	    {"SECONDS", 0, ARGS_OPERANDS, offsetof(struct status_args, operands)},
	};
	static const struct args_spec spec = {"status", rows, N_ELEMENTS(rows)};
	struct status_args args = {.remote = REMOTE_ARGS};
	struct remote remote;
	int64_t seconds = 0;
	int status = args_read(&spec, argc, argv, &args);

	if (status == ARGS_GO)
		status = read_seconds(&args, &seconds);
	args_texts_fini(&args.operands);
	if (status != ARGS_GO)
		return status;
	status = remote_open("status", &args.remote, &remote);
	if (status == ARGS_GO)
		status = seconds > 0 ? watch_on(&remote, seconds) : show_once(&remote);
	remote_close(&remote);
	return status;
}
