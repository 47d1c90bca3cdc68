/* SPDX-License-Identifier: ISC */
/* What is told of single requests: which have a line in the access log, what is in it, and the id
 * that their clients are told. */
#include <stdlib.h>
#include <string.h>

#include "relay_kit.h"
#include "stage.h"
#include "stage_clients.h"

static void open_kit(enum log_access access)
{
	kit_prepare();
	kit.settings.log.access = (int)access;
	kit_start();
	kit_store("01", 0, PKI_DAY);
	kit.n_events[EVENT_ACCESS] = 0;
}

static void hit(void)
{
	stage_hang_up(kit_send(kit_about("01", NO_EXTS), 0));
}

/* Refused without asking anybody. */
static void refused(void)
{
	stage_hang_up(kit_send(kit_about("01", NO_EXTS), HTTP_LOOP));
}

static bool has(const char *field)
{
	return strstr(kit.said[EVENT_ACCESS], field) != NULL;
}

Test(access, line_tells_all_of_a_request)
{
	struct connection *client;
	char octets[32];

	open_kit(LOG_ACCESS_ON);
	client = kit_get(HTTP_GET, kit_about("01", NO_EXTS), EMPTY);
	cr_expect_eq(kit.n_events[EVENT_ACCESS], 1);
	cr_expect(has(" client=192.0.2.7 method=get http=200 issuer="), "%s",
		  kit.said[EVENT_ACCESS]);
	cr_expect(has(" result=hit status=good octets="));
	cr_expect_eq(strspn(kit.said[EVENT_ACCESS], "id=0123456789abcdef"), strlen("id=") + 16);
	/* the head is not known here; it is more than the body, and less than a kilobyte with it */
	cr_assert_eq(sscanf(strstr(kit.said[EVENT_ACCESS], "octets="), "octets=%31[0-9]", octets),
		     1);
	cr_expect_gt(atol(octets), (long)stage_body(client).len + 200);
	cr_expect_lt(atol(octets), (long)stage_body(client).len + MAX_REPLY_HEAD);
	stage_hang_up(kit_get(HTTP_HEAD, kit_about("01", NO_EXTS), EMPTY));
	cr_expect(has("method=head http=200"));
	stage_hang_up(kit_get(HTTP_GET, kit_about("01", NO_EXTS), slice_text("*")));
	cr_expect(has("method=get http=304"));
	refused();
	cr_expect(has("http=508 issuer= result=rejected status=loop octets="), "%s",
		  kit.said[EVENT_ACCESS]);
	kit_close();
}

Test(access, off_logs_nothing)
{
	open_kit(LOG_ACCESS_OFF);
	hit();
	refused();
	cr_expect_eq(kit.n_events[EVENT_ACCESS], 0);
	kit_close();
}

Test(access, errors_logs_only_what_got_no_response)
{
	open_kit(LOG_ACCESS_ERRORS);
	hit();
	cr_expect_eq(kit.n_events[EVENT_ACCESS], 0);
	refused();
	cr_expect_eq(kit.n_events[EVENT_ACCESS], 1);
	kit_close();
}

Test(access, sample_is_one_in_so_many_and_every_error)
{
	open_kit(LOG_ACCESS_ON);
	kit.settings.log.access_sample = 10;
	for (unsigned i = 0; i < 100; i++)
		hit();
	cr_expect_eq(kit.n_events[EVENT_ACCESS], 10);
	for (unsigned i = 0; i < 100; i++)
		refused();
	cr_expect_eq(kit.n_events[EVENT_ACCESS], 110);
	kit_close();
}

/* Whether this is the id of the last line. */
static void expect_id_of(const struct connection *client, const char *before)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "detail=%sid:%.16s", before,
		 kit.said[EVENT_ACCESS] + strlen("id="));
	cr_expect_not_null(strstr(stage_field(client, "Cache-Status"), expected), "%s: %s",
			   expected, stage_field(client, "Cache-Status"));
}

Test(access, id_is_told_to_the_client_if_that_is_wanted)
{
	struct connection *client;
	char before[KIT_SAID];

	open_kit(LOG_ACCESS_ON);
	kit.settings.log.request_id = true;
	client = kit_send(kit_about("01", NO_EXTS), 0);
	expect_id_of(client, "l1/");
	memcpy(before, kit.said[EVENT_ACCESS], sizeof(before));
	client = kit_send(kit_about("01", NO_EXTS), 0);
	expect_id_of(client, "l1/");
	cr_expect_neq(strncmp(before, kit.said[EVENT_ACCESS], strlen("id=") + 16), 0);
	client = kit_send(kit_about("01", NO_EXTS), HTTP_LOOP);
	expect_id_of(client, "");
	kit_close();
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* How many of 16 digits differ. */
static unsigned count_changes(const char *id, const char *other)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 16; i++)
		n += id[i] != other[i];
	return n;
}

/* Else a client could subtract two of its ids, and learn what the thread has to do. */
Test(access, ids_are_not_counted_and_all_different)
{
	uint64_t ids[1000];
	char before[KIT_SAID], text[17] = "";

	open_kit(LOG_ACCESS_ON);
	hit();
	for (size_t i = 0; i < N_ELEMENTS(ids); i++) {
		memcpy(before, kit.said[EVENT_ACCESS], sizeof(before));
		hit();
		cr_expect_gt(
		    count_changes(before + strlen("id="), kit.said[EVENT_ACCESS] + strlen("id=")),
		    7);
		memcpy(text, kit.said[EVENT_ACCESS] + strlen("id="), 16);
		ids[i] = strtoull(text, NULL, 16);
	}
	qsort(ids, N_ELEMENTS(ids), sizeof(ids[0]), by_number);
	for (size_t i = 1; i < N_ELEMENTS(ids); i++)
		cr_assert_neq(ids[i], ids[i - 1]);
	kit_close();
}

Test(access, id_is_told_without_a_log)
{
	struct connection *client;

	open_kit(LOG_ACCESS_OFF);
	kit.settings.log.request_id = true;
	client = kit_send(kit_about("01", NO_EXTS), 0);
	cr_expect_not_null(strstr(stage_field(client, "Cache-Status"), "; detail=l1/id:"));
	cr_expect_eq(kit.n_events[EVENT_ACCESS], 0);
	kit_close();
}
