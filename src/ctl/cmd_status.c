/* SPDX-License-Identifier: ISC */
/* ocsprelay status: a running relay at a glance. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/progress.h"
#include "ctl/remote.h"
#include "ctl/span.h"

static void print_relay(const json_t *told)
{
	char up[SPAN_TEXT];

	span_text(up, remote_number(told, "uptime"));
	printf("relay      %s, pid %" PRId64 ", up %s%s\n", remote_text(told, "version"),
	       remote_number(told, "pid"), up,
	       json_is_true(json_object_get(told, "draining")) ? ", draining" : "");
	printf("clients    %" PRId64 " connections, %" PRId64 " waiting, %" PRId64 " fetches\n",
	       remote_number(told, "connections"), remote_number(told, "waiters"),
	       remote_number(told, "inflight"));
}

/* A request counts for the ratio if an answer might have been there. */
static void print_requests(json_t *requests)
{
	static const char *const misses[] = {"miss", "collapsed", "negative"};
	int64_t all = 0, missed = 0, hits = remote_number(requests, "hit");
	const char *name;
	json_t *n;

	json_object_foreach(requests, name, n) all += json_integer_value(n);
	for (size_t i = 0; i < N_ELEMENTS(misses); i++)
		missed += remote_number(requests, misses[i]);
	hits += remote_number(requests, "refreshed");
	printf("requests   %" PRId64, all);
	json_object_foreach(requests, name, n)
	{
		if (json_integer_value(n) > 0)
			printf(", %" PRId64 " %s", (int64_t)json_integer_value(n), name);
	}
	if (hits + missed > 0)
		printf(" (hit ratio %.1f %%)", 100.0 * (double)hits / (double)(hits + missed));
	putchar('\n');
}

static void print_cache(const json_t *cache)
{
	char used[PROGRESS_TEXT], max[PROGRESS_TEXT];

	progress_amount(used, PROGRESS_OCTETS, (uint64_t)remote_number(cache, "bytes"));
	progress_amount(max, PROGRESS_OCTETS, (uint64_t)remote_number(cache, "max_bytes"));
	printf("memory     %" PRId64 " answers, %s of %s, %" PRId64 " evicted, %" PRId64
	       " failures remembered\n",
	       remote_number(cache, "entries"), used, max, remote_number(cache, "evictions"),
	       remote_number(cache, "negative_entries"));
}

static const char *health(const json_t *of)
{
	return json_is_true(json_object_get(of, "up")) ? "up" : "down";
}

static void print_rehearsal(const json_t *rehearsal)
{
	char left[SPAN_TEXT];

	if (!json_is_object(rehearsal))
		return;
	span_text(left, remote_number(rehearsal, "seconds_left"));
	printf("           an outage is rehearsed for %s more: %" PRId64
	       " answers from the cache, %" PRId64 " errors\n",
	       left, remote_number(rehearsal, "saved"), remote_number(rehearsal, "failed"));
}

static void print_runway(const json_t *runway)
{
	char first[SPAN_TEXT], median[SPAN_TEXT], last[SPAN_TEXT];

	if (!json_is_object(runway))
		return;
	span_text(first, remote_number(runway, "first"));
	span_text(median, remote_number(runway, "median"));
	span_text(last, remote_number(runway, "last"));
	printf("           runway of %" PRId64 " answers in use: first %s, median %s, last %s\n",
	       remote_number(runway, "answers"), first, median, last);
}

static void print_issuer(const json_t *issuer)
{
	size_t i;
	json_t *responder;

	printf("issuer     %s, until %s\n", remote_text(issuer, "name"),
	       remote_text(issuer, "not_after"));
	json_array_foreach(json_object_get(issuer, "responders"), i, responder)
	{
		printf("           %-4s %s", health(responder), remote_text(responder, "url"));
		if (remote_number(responder, "failures") > 0)
			printf(", %" PRId64 " failures in a row",
			       remote_number(responder, "failures"));
		putchar('\n');
	}
	print_rehearsal(json_object_get(issuer, "rehearsal"));
	print_runway(json_object_get(issuer, "runway"));
}

static void print_watched(const json_t *watched)
{
	int64_t n = remote_number(watched, "certificates");
	const json_t *cold = json_object_get(watched, "cold");
	const json_t *skipped = json_object_get(watched, "skipped");
	size_t i;
	json_t *one;

	if (n == 0 && json_array_size(skipped) == 0)
		return;
	printf("watched    %" PRId64 " certificates, %zu of them without an answer\n", n,
	       json_array_size(cold));
	json_array_foreach(cold, i, one) printf("  cold     %s\n", json_string_value(one));
	json_array_foreach(skipped, i, one) printf("  skipped  %s\n", json_string_value(one));
}

static void print(const json_t *told)
{
	size_t i;
	json_t *one;

	print_relay(told);
	print_requests(json_object_get(told, "requests"));
	print_cache(json_object_get(told, "cache"));
	json_array_foreach(json_object_get(told, "stores"), i, one)
	    printf("store      %-4s %s\n", health(one), remote_text(one, "store"));
	print_watched(json_object_get(told, "watched"));
	json_array_foreach(json_object_get(told, "issuers"), i, one) print_issuer(one);
}

int cmd_status(int argc, char **argv)
{
	static const struct remote_command command = {
	    .name = "status", .path = "/api/v1/status", .print = print};

	return remote_command(&command, argc, argv);
}
