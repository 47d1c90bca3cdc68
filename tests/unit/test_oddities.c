/* SPDX-License-Identifier: ISC */
/* Oddities of answers that are let pass: what is one, what is none, and that it is told. */
#include "relay/oddities.h"

#include "relay_kit.h"

static int64_t n_odd(unsigned oddity)
{
	return counter_sum(METRIC_RESPONSE_ODDITIES, kit.issuer->slot, oddity, 0);
}

/* Of all kinds; whatever is counted is told. */
static int64_t n_all(void)
{
	int64_t n = 0;

	for (unsigned i = 0; i < label_count(DIM_ODDITY); i++)
		n += n_odd(i);
	cr_expect_eq(kit.n_events[EVENT_RESPONSE_ODD], n);
	return n;
}

/* --- the response ----------------------------------------------------------------------------- */

/* What a test spoils of a response in order. */
struct statement {
	struct pki_single singles[2];
	size_t n_singles;
	int64_t produced; /* seconds from now */
	const char *delegate_exts;
	struct slice exts;
};

static struct slice signed_by_delegate(const struct statement *statement)
{
	X509 *delegate = pki_cert(&(struct pki_cert){.name = "Responder",
						     .key = pki_key(PKI_P256, 2),
						     .issuer = kit.ca,
						     .signed_by = pki_key(PKI_P256, 0),
						     .exts = statement->delegate_exts});

	return pki_response(
	    &(struct pki_response){.singles = statement->singles,
				   .n_singles = statement->n_singles,
				   .responder = delegate,
				   .key = pki_key(PKI_P256, 2),
				   .produced_at = clock_wall() + statement->produced,
				   .exts = statement->exts,
				   .certs = pki_der(delegate)});
}

static struct statement usual(void)
{
	struct statement statement = {.n_singles = 1, .delegate_exts = PKI_DELEGATE_EXTS};

	for (size_t i = 0; i < 2; i++)
		statement.singles[i] = (struct pki_single){.issuer = kit.ca,
							   .serial = "01",
							   .this_update = clock_wall(),
							   .next_update = clock_wall() + PKI_DAY};
	return statement;
}

static void lives(struct statement *s, int64_t seconds)
{
	s->singles[0].next_update = s->singles[0].this_update + seconds;
}

static void nothing(struct statement *s)
{
	(void)s;
}

static void other_issuer_too(struct statement *s)
{
	s->singles[1].issuer = kit.other_ca;
	s->n_singles = 2;
}

static void other_hash(struct statement *s)
{
	s->singles[0].hash = "sha256";
}

static void produced_at_skew(struct statement *s)
{
	s->produced = -300;
}

static void produced_early(struct statement *s)
{
	s->produced = -301;
}

static void lives_8_hours(struct statement *s)
{
	lives(s, 8 * PKI_HOUR);
}

static void lives_less(struct statement *s)
{
	lives(s, 8 * PKI_HOUR - 1);
}

static void lives_10_days(struct statement *s)
{
	lives(s, 10 * PKI_DAY);
}

static void lives_more(struct statement *s)
{
	lives(s, 10 * PKI_DAY + 1);
}

static void has_no_end(struct statement *s)
{
	s->singles[0].next_update = -1;
}

static void without_nocheck(struct statement *s)
{
	s->delegate_exts = "keyUsage=digitalSignature\nextendedKeyUsage=OCSPSigning\n";
}

static struct slice padding(size_t len)
{
	uint8_t *zeros = build_take(len);

	memset(zeros, 0, len);
	return kit_ext("2a03", false, slice_of(zeros, len));
}

/* Larger responses have headers of the same length. */
static void has_octets(struct statement *s, size_t len)
{
	size_t before;

	s->exts = padding(15000);
	before = signed_by_delegate(s).len;
	s->exts = padding(15000 + len - before);
}

static void large(struct statement *s)
{
	has_octets(s, 16384 + 16);
}

static void not_large(struct statement *s)
{
	has_octets(s, 16384 - 16);
}

Test(oddities, each_of_an_accepted_response_by_its_rule)
{
	static const struct {
		const char *rule;
		void (*change)(struct statement *s);
		int oddity; /* -1: none */
	} rows[] = {
	    {"nothing", nothing, -1},
	    {"VS-05", other_issuer_too, LABEL_ODDITY_MIXED_ISSUERS},
	    {"NK-08", other_hash, LABEL_ODDITY_OTHER_HASH},
	    {"VS-08", produced_early, LABEL_ODDITY_EARLY_PRODUCED_AT},
	    {"VS-08 at the skew", produced_at_skew, -1},
	    {"VS-11 10 days", lives_10_days, -1},
	    {"VS-11 more", lives_more, LABEL_ODDITY_VALIDITY_INTERVAL},
	    {"VS-11 8 hours", lives_8_hours, -1},
	    {"VS-11 less", lives_less, LABEL_ODDITY_VALIDITY_INTERVAL},
	    {"VS-11 no nextUpdate", has_no_end, -1},
	    {"VS-16", without_nocheck, LABEL_ODDITY_NO_NOCHECK},
	    {"HC-15", large, LABEL_ODDITY_SIZE},
	    {"HC-15 almost", not_large, -1},
	};

	kit_open();
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct statement statement = usual();
		int64_t before = n_all();
		const char *serial = kit_serial((unsigned)i);

		statement.singles[0].serial = serial;
		rows[i].change(&statement);
		kit_ask(serial);
		kit_answer(signed_by_delegate(&statement));
		cr_expect_eq(kit.n_events[EVENT_RESPONSE_REFUSED], 0, "%s", rows[i].rule);
		cr_expect_eq(n_all() - before, rows[i].oddity >= 0, "%s", rows[i].rule);
		if (rows[i].oddity >= 0)
			cr_expect_geq(n_odd((unsigned)rows[i].oddity), 1, "%s", rows[i].rule);
	}
	cr_expect_eq(n_odd(LABEL_ODDITY_VALIDITY_INTERVAL), 2);
	kit_close();
}

Test(oddities, of_a_refused_response_nothing_is_told)
{
	struct statement statement;

	kit_open();
	statement = usual();
	lives(&statement, 30 * PKI_DAY);
	kit_ask("02");
	kit_answer(signed_by_delegate(&statement));
	cr_expect_eq(kit.n_events[EVENT_RESPONSE_REFUSED], 1);
	cr_expect_eq(n_all(), 0);
	kit_close();
}

/* --- the responder's clock -------------------------------------------------------------------- */

static void answer_with_date(const char *serial, int64_t ahead, int64_t age)
{
	kit_ask(serial);
	kit_end(&(struct upstream_answer){.http_status = 200,
					  .body = kit_good(serial, 0, PKI_DAY),
					  .date = clock_wall() + ahead,
					  .age = age});
}

Test(oddities, SL_18_date_further_away_than_the_skew)
{
	static const struct {
		int64_t ahead, age;
		bool is_odd;
	} rows[] = {
	    {0, 0, false},
	    {300, 0, false},
	    {301, 0, true},
	    {PKI_HOUR, 0, true},
	    {PKI_HOUR, 9, true},
	    {-301, 0, false},
	    {-302, 0, true},
	    {-PKI_HOUR, 0, true},
	    {-600, 299, false},
	    {-600, 298, true},
	    {-PKI_DAY, PKI_DAY, false},
	    {0, PKI_DAY, false},
	    {-PKI_DAY, 0, true},
	};

	kit_open();
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int64_t before = n_all();

		answer_with_date(kit_serial((unsigned)i), rows[i].ahead, rows[i].age);
		cr_expect_eq(n_all() - before, rows[i].is_odd, "row %zu", i);
	}
	cr_expect_eq(n_odd(LABEL_ODDITY_CLOCK), n_all());
	kit_close();
}

Test(oddities, SL_18_slow_answer_is_not_an_early_clock)
{
	kit_open();
	kit_ask("01");
	stage_pass(4000);
	kit_end(&(struct upstream_answer){
	    .http_status = 200, .body = kit_good("01", 0, PKI_DAY), .date = clock_wall() - 304});
	cr_expect_eq(n_all(), 0);
	kit_close();
}

Test(oddities, SL_18_date_does_not_move_our_time)
{
	struct slice response;
	struct connection *client;

	kit_open();
	response = kit_good("01", 0, PKI_DAY);
	client = kit_ask("01");
	kit_end(&(struct upstream_answer){
	    .http_status = 200, .body = response, .date = clock_wall() + 2 * PKI_DAY});
	kit_expect(client, response, KIT_MISS);
	kit_expect(kit_ask("01"), response, KIT_HIT(86400));
	kit_close();
}

/* A clock of ours that is late makes responses look as if from the future: just then it helps. */
Test(oddities, SL_18_is_told_of_refused_answers_too_and_needs_a_date)
{
	kit_open();
	kit_ask("01");
	kit_end(&(struct upstream_answer){.http_status = 200,
					  .body = kit_good("01", PKI_HOUR, PKI_DAY),
					  .date = clock_wall() + PKI_HOUR});
	cr_expect_eq(kit.n_events[EVENT_RESPONSE_REFUSED], 1);
	cr_expect_eq(n_odd(LABEL_ODDITY_CLOCK), 1);
	kit_ask("02");
	kit_refuse(500);
	cr_expect_eq(n_all(), 1);
	kit_close();
}
