/* SPDX-License-Identifier: ISC */
/* The life of a staple's file over days, on a clock of its own. */
#include "cmd/staple.h"

#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "cmd/staples.h"
#include "io/files.h"
#include "pki.h"

static char directory[] = "/tmp/test_staple.XXXXXX";
static X509 *ca, *leaf;
static struct staple *staple;

static void write_certificate(const char *serial)
{
	FILE *file;

	leaf = pki_cert(&(struct pki_cert){.name = "leaf",
					   .key = pki_key(PKI_P256, 1),
					   .issuer = ca,
					   .signed_by = pki_key(PKI_P256, 0),
					   .serial = serial,
					   .exts = "basicConstraints=CA:FALSE\n"});
	file = fopen("new.pem", "w");
	cr_assert(file != NULL && PEM_write_X509(file, leaf) == 1 &&
		  PEM_write_X509(file, ca) == 1 && fclose(file) == 0);
	cr_assert_eq(rename("new.pem", "a.pem"), 0);
}

static void begin(void)
{
	const struct staple_sources none = {.table = NULL};

	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(chdir(directory), 0);
	ca = pki_cert(
	    &(struct pki_cert){.name = "CA", .key = pki_key(PKI_P256, 0), .exts = PKI_CA_EXTS});
	write_certificate("01");
	staple = staple_new("a.pem", NULL);
	cr_assert_not_null(staple);
	staple_read(staple, &none);
	cr_assert_not_null(staple->cert, "%s", staple->why);
}

static void end(void)
{
	char command[64];

	staple_free(staple);
	cr_expect_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_expect_eq(system(command), 0);
}

/* A response made at made, for two days, comes at now. */
static enum staple_did take(enum cert_status status, int64_t made, int64_t now)
{
	const struct pki_single single = {.issuer = ca,
					  .status = status,
					  .revoked_at = made - 1,
					  .this_update = made,
					  .next_update = made + 2 * PKI_DAY};
	const struct pki_response response = {.singles = &single,
					      .n_singles = 1,
					      .responder = ca,
					      .key = pki_key(PKI_P256, 0),
					      .produced_at = made};

	staple_take(staple, &(struct staple_answer){
				.detail = "", .der = pki_response(&response), .now = now});
	return staple->did;
}

static enum staple_did take_nothing(int64_t now)
{
	staple_take(staple,
		    &(struct staple_answer){.err = ERR_UP_UNREACHABLE, .detail = "", .now = now});
	return staple->did;
}

static void expect_due(int64_t now, int64_t least, int64_t most)
{
	cr_expect(staple->due >= now + least && staple->due <= now + most, "%ld",
		  (long)(staple->due - now));
}

Test(staple, an_outage_leaves_the_file_and_is_over_when_an_answer_comes)
{
	int64_t now = PKI_NOW;
	struct stat before, after;

	begin();
	cr_expect_eq(take(CERT_GOOD, now - PKI_HOUR, now), STAPLE_DID_WRITE);
	cr_expect_eq(staple->exit, EXIT_OK);
	expect_due(now, 3240, 3600);
	cr_assert_eq(stat("a.pem.ocsp", &before), 0);
	for (unsigned i = 1; i < 12; i++) {
		now += PKI_HOUR;
		cr_expect_eq(take_nothing(now), STAPLE_DID_NOTHING);
		cr_expect(staple->is_there && staple->exit == EXIT_NO_ANSWER);
		expect_due(now, 1, 300);
		cr_expect_eq(staple->n_failures, i);
	}
	now = PKI_NOW + 2 * PKI_DAY - PKI_HOUR; /* it ends now */
	cr_expect_eq(take_nothing(now), STAPLE_DID_NOTHING);
	cr_expect(!staple->is_there);
	cr_expect_eq(take(CERT_GOOD, PKI_NOW - PKI_HOUR, now), STAPLE_DID_NOTHING);
	cr_assert_eq(stat("a.pem.ocsp", &after), 0);
	cr_expect_eq(before.st_ino, after.st_ino);
	cr_expect_eq(take(CERT_GOOD, now + PKI_HOUR, now), STAPLE_DID_NOTHING); /* of the future */
	cr_expect_eq(take(CERT_GOOD, now, now), STAPLE_DID_WRITE);
	cr_expect(staple->is_there && staple->n_failures == 0);
	end();
}

Test(staple, revoked_stays_until_a_later_answer_says_otherwise)
{
	int64_t now = PKI_NOW;

	begin();
	cr_expect_eq(take(CERT_GOOD, now - 30, now), STAPLE_DID_WRITE);
	cr_expect(staple->is_news);
	staple->is_news = false;
	cr_expect_eq(take(CERT_REVOKED, now - 20, now), STAPLE_DID_WRITE);
	cr_expect(staple->is_news && staple->exit == EXIT_NO);
	cr_expect_eq(take(CERT_GOOD, now - 25, now), STAPLE_DID_KEEP);
	cr_expect_eq(staple->exit, EXIT_NO);
	cr_expect_eq(take(CERT_UNKNOWN, now - 10, now), STAPLE_DID_NOTHING);
	cr_expect(staple->exit == EXIT_UNKNOWN && staple->is.status == CERT_REVOKED);
	cr_expect_eq(take(CERT_GOOD, now - 5, now), STAPLE_DID_WRITE);
	cr_expect_eq(staple->exit, EXIT_OK);
	end();
}

/* The staple of the former certificate counts for nothing then. */
Test(staple, another_certificate_is_read_and_due_at_once)
{
	const struct staple_sources none = {.table = NULL};
	int64_t now = PKI_NOW;

	begin();
	cr_expect_eq(take(CERT_GOOD, now - 30, now), STAPLE_DID_WRITE);
	staple_read(staple, &none);
	cr_expect_gt(staple->due, now);
	write_certificate("02");
	staple_read(staple, &none);
	cr_expect_eq(staple->due, 0);
	cr_expect_eq(take(CERT_GOOD, now - 20, now), STAPLE_DID_NOTHING); /* about the former */
	cr_expect(!staple->is_there);
	cr_assert_eq(unlink("a.pem"), 0);
	staple_read(staple, &none);
	cr_expect_null(staple->cert);
	staple_take_none(staple, now, 0);
	cr_expect(staple->exit == EXIT_NO_ANSWER && *staple->why != '\0');
	end();
}

/* In a directory of somebody else a pipe would hold up the staples of all. */
Test(staple, pipes_in_the_way_are_not_waited_for, .timeout = 10)
{
	const struct staple_sources none = {.table = NULL};

	begin();
	cr_assert_eq(mkfifo("a.pem.ocsp", 0644), 0);
	cr_expect_eq(take(CERT_GOOD, PKI_NOW - 30, PKI_NOW), STAPLE_DID_WRITE);
	cr_assert_eq(unlink("a.pem"), 0);
	cr_assert_eq(mkfifo("a.pem", 0644), 0);
	cr_expect(!staple_is_no_leaf("a.pem"));
	staple_read(staple, &none);
	cr_expect(staple->cert == NULL && *staple->why != '\0');
	end();
}

Test(staple, the_issuer_beside_it_is_no_pipe, .timeout = 10)
{
	const struct staple_sources none = {.table = NULL};
	FILE *file;

	begin();
	file = fopen("a.pem", "w");
	cr_assert(file != NULL && PEM_write_X509(file, leaf) == 1 && fclose(file) == 0);
	cr_assert_eq(mkfifo("a.pem.issuer", 0644), 0);
	staple_read(staple, &none);
	cr_expect(staple->cert == NULL && *staple->why != '\0');
	end();
}

/* After a clash those of before go on, also if they are to be read anew (SIGHUP). */
Test(staple, a_clash_stops_nobody_who_was_there)
{
	const struct staple_sources none = {.table = NULL};
	const char *paths[] = {"a.pem", "x"};
	const struct args_texts operands = {.items = paths, .n = 2};
	struct staples staples;

	begin();
	cr_assert_eq(mkdir("x", 0755), 0);
	staples_init(&staples, &operands, ".");
	cr_assert_eq(staples_read(&staples, &none), OK);
	cr_assert(staples.n == 1 && staples.items[0]->cert != NULL);
	cr_assert_eq(link("a.pem", "x/a.pem"), 0);
	staple_forget(staples.items[0]);
	cr_expect_eq(staples_read(&staples, &none), ERR_BUSY);
	cr_expect(staples.n == 1 && staples.items[0]->cert != NULL);
	staples_fini(&staples);
	end();
}
