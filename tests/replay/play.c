/* SPDX-License-Identifier: ISC */
/*
 * Replay tests: whole relays on a virtual clock, with scripted responders, stores and clients. A
 * play is a text; README.md tells its language. One process for each play; the exit status is 0 if
 * all went as written.
 *
 *	play FILE...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authority.h"
#include "base/bytes.h"
#include "client.h"
#include "house.h"
#include "io/clock.h"
#include "oracle.h"
#include "responder.h"
#include "script.h"
#include "shelf.h"
#include "stage.h"
#include "tally.h"

static struct {
	bool is_open; /* the curtain: everything has been declared, the relays run */
	int64_t ms_first;
} play;

static void run(struct words *words);

/* --- before it begins ------------------------------------------------------------------------- */

static void add_responder(struct words *words)
{
	size_t responder = responder_count();

	responder_add(words_next(words, "a name"));
	if (words->n > 0)
		responder_behave(responder, words);
}

static void add_issuer(struct words *words)
{
	struct authority_issuer *issuer = authority_add_issuer(words_next(words, "a name"));
	size_t responder;

	if (!words_take(words, "asks"))
		script_fail("'asks' and its responders are missing");
	while (words->n > 0) {
		if (!responder_find(words_next(words, "a responder"), &responder) ||
		    issuer->n_responders == MAX_ASKERS)
			script_fail("these are no responders, or too many");
		issuer->responders[issuer->n_responders++] = responder_url(responder);
	}
}

static void add_certs(struct words *words, size_t n)
{
	const char *name = words_next(words, "a name"), *of;
	size_t issuer = 0;

	if (words_take(words, "of")) {
		of = words_next(words, "an issuer");
		while (issuer < authority.n_issuers &&
		       strcmp(authority.issuers[issuer].name, of) != 0)
			issuer++;
		if (issuer == authority.n_issuers)
			script_fail("there is no issuer '%s'", of);
	}
	words_end(words);
	authority_add_certs(name, n, issuer);
}

static void add_certificate(struct words *words)
{
	add_certs(words, 1);
}

static void add_certificates(struct words *words)
{
	add_certs(words, (size_t)words_number(words));
}

static void add_store(struct words *words)
{
	const char *name = words_next(words, "a name");
	bool is_shared = words_take(words, "redis");

	if (!is_shared && !words_take(words, "disk"))
		script_fail("a store is disk or redis");
	words_end(words);
	shelf_add(name, is_shared);
}

static void add_relay(struct words *words)
{
	size_t relay = house_count(), shelf;

	house_add(words_next(words, "a name"));
	if (words_take(words, "with")) {
		while (words->n > 0) {
			if (!shelf_find(words_next(words, "a store"), &shelf))
				script_fail("there is no such store");
			house_add_store(relay, shelf);
		}
	}
	words_end(words);
}

/* One issuer, one relay, one disk, unless something else was said. */
static void fill_in(void)
{
	if (authority.n_issuers == 0) {
		struct authority_issuer *issuer = authority_add_issuer("ca");

		for (;
		     issuer->n_responders < responder_count() && issuer->n_responders < MAX_ASKERS;
		     issuer->n_responders++)
			issuer->responders[issuer->n_responders] =
			    responder_url(issuer->n_responders);
	}
	if (house_count() == 0) {
		shelf_add("disk", false);
		house_add("relay");
		house_add_store(0, 0);
	}
}

static void open_play(void)
{
	if (play.is_open)
		return;
	play.is_open = true;
	fill_in();
	oracle_open();
	client_open();
	for (size_t i = 0; i < house_count(); i++)
		house_start(i);
	stage_pass(10);
}

/* --- while it lasts --------------------------------------------------------------------------- */

static void wait_until(struct words *words)
{
	stage_pass(words_duration(words));
	words_end(words);
}

static void at_time(struct words *words)
{
	int64_t ms = play.ms_first + words_duration(words) - clock_mono_ms();

	if (ms < 0)
		script_fail("that is over");
	stage_pass(ms);
	if (words_take(words, ":"))
		run(words);
	else
		words_end(words);
}

static void every_time(struct words *words)
{
	int64_t ms_each = words_duration(words), ms_end;

	if (!words_take(words, "for"))
		script_fail("'every 1h for 2d: ...' is meant");
	ms_end = clock_mono_ms() + words_duration(words);
	if (!words_take(words, ":"))
		script_fail("'every 1h for 2d: ...' is meant");
	while (clock_mono_ms() < ms_end) {
		int64_t ms_next = clock_mono_ms() + ms_each;
		struct words again = *words;

		run(&again);
		if (clock_mono_ms() < ms_next)
			stage_pass(ms_next - clock_mono_ms());
	}
}

static void set_clock(struct words *words)
{
	if (!words_take(words, "jumps"))
		script_fail("'clock jumps +8d' is meant");
	stage_set_wall(clock_wall() + words_duration(words) / 1000);
	words_end(words);
}

static void set_status(struct words *words, enum cert_status status)
{
	const char *name = words_next(words, "a certificate");
	struct cert_range range;

	if (!authority_find(name, &range))
		script_fail("there is no certificate '%s'", name);
	words_end(words);
	for (size_t i = 0; i < range.n; i++)
		authority_set_status(range.first + i, status);
}

static void revoke_cert(struct words *words)
{
	set_status(words, CERT_REVOKED);
}

static void reinstate_cert(struct words *words)
{
	set_status(words, CERT_GOOD);
}

static void disown_cert(struct words *words)
{
	set_status(words, CERT_UNKNOWN);
}

static size_t take_relay(struct words *words)
{
	const char *name = words_next(words, "a relay");
	size_t relay;

	if (!house_find(name, &relay))
		script_fail("there is no relay '%s'", name);
	words_end(words);
	return relay;
}

static void stop_relay(struct words *words)
{
	size_t relay = take_relay(words);

	client_hang_up(relay);
	house_stop(relay);
	if (!house_has_memory(relay))
		oracle_forget(relay);
}

static void kill_relay(struct words *words)
{
	shelf_ignore(true);
	stop_relay(words);
	shelf_ignore(false);
}

static void start_relay(struct words *words)
{
	house_start(take_relay(words));
	stage_pass(10);
}

static void restart_relay(struct words *words)
{
	struct words again = *words;

	stop_relay(words);
	start_relay(&again);
}

static void count_anew(struct words *words)
{
	words_end(words);
	tally_count();
}

/* --- the whole -------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	bool is_declaration;
	void (*run)(struct words *);
} statements[] = {{"responder", true, add_responder},
		  {"issuer", true, add_issuer},
		  {"certificate", true, add_certificate},
		  {"certificates", true, add_certificates},
		  {"store", true, add_store},
		  {"relay", true, add_relay},
		  {"set", true, house_set},
		  {"ask", false, client_ask},
		  {"send", false, client_send},
		  {"load", false, client_load},
		  {"wait", false, wait_until},
		  {"at", false, at_time},
		  {"every", false, every_time},
		  {"clock", false, set_clock},
		  {"revoke", false, revoke_cert},
		  {"reinstate", false, reinstate_cert},
		  {"disown", false, disown_cert},
		  {"stop", false, stop_relay},
		  {"kill", false, kill_relay},
		  {"start", false, start_relay},
		  {"restart", false, restart_relay},
		  {"count", false, count_anew},
		  {"rehearse", false, house_rehearse},
		  {"expect", false, tally_expect}};

static void run(struct words *words)
{
	const char *first = words_next(words, "a statement");
	size_t i;

	for (size_t n = 0; n < N_ELEMENTS(statements); n++) {
		if (strcmp(statements[n].name, first) != 0)
			continue;
		if (statements[n].is_declaration && play.is_open)
			script_fail("'%s' comes too late: the play has begun", first);
		if (!statements[n].is_declaration)
			open_play();
		statements[n].run(words);
		return;
	}
	if (responder_find(first, &i))
		responder_behave(i, words);
	else if (shelf_find(first, &i))
		shelf_behave(i, words);
	else
		script_fail("'%s' is no statement, responder or store", first);
}

static int perform(const char *path)
{
	struct words words;

	stage.random = 1;
	stage_open(PKI_NOW);
	play.ms_first = clock_mono_ms();
	authority_now();
	tally_open();
	script_open(path);
	while (script_next(&words))
		run(&words);
	open_play();
	for (size_t i = 0; i < house_count(); i++) {
		if (house_is_running(i)) {
			client_hang_up(i);
			house_stop(i);
		}
	}
	client_close();
	oracle_close();
	responder_close();
	shelf_close();
	authority_close();
	stage_close();
	return 0;
}

/* In a process of its own. */
static bool succeeds(const char *path)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		exit(perform(path));
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	int n_failed = 0;

	if (argc == 2)
		return perform(argv[1]);
	for (int i = 1; i < argc; i++) {
		bool is_ok = succeeds(argv[i]);

		printf("%s  %s\n", is_ok ? "ok    " : "FAILED", argv[i]);
		n_failed += !is_ok;
	}
	return n_failed > 0;
}
