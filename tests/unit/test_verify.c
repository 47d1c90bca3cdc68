/* SPDX-License-Identifier: ISC */
/*
 * The verdict: what a response is about, its times, and what is reported of it. Who may sign is
 * tested in test_signer.c.
 */
#include "core/verify.h"

#include "scene.h"

#define UNKNOWN_CRITICAL     HEX("300c06022a030101ff04030203ff")
#define UNKNOWN_NOT_CRITICAL HEX("300906022a0304030203ff")
#define EXTENDED_REVOKE	     HEX("300f06092b060105050730010904020500")

static struct slice nonce_ext(const char *hex)
{
	return TLV(0x30, HEX("06092b0601050507300102"), TLV(0x04, TLV(0x04, HEX(hex))));
}

static struct verdict verdict_of(struct scene *scene)
{
	struct verdict verdict;
	err_t e = scene_verify(scene, scene_der(scene), &verdict);

	cr_assert_eq(e, OK, "%s", err_row(e)->text);
	return verdict;
}

/* --- refusals --- */

CHANGE(nothing, (void)s)
MANGLE(status_4, HEX("30030a0104"))
MANGLE(success_without_bytes, HEX("30030a0100"))
MANGLE(trailing_octet, CAT(der, HEX("00")))
MANGLE(cut_short, slice_take(der, der.len - 1))
MANGLE(empty, EMPTY)

static struct slice other_type(struct slice der)
{
	uint8_t *copy = memcpy(build_take(der.len), der.p, der.len);
	uint8_t *oid = memmem(copy, der.len, "\x2b\x06\x01\x05\x05\x07\x30\x01\x01", 9);

	oid[8] = 0x07;
	return slice_of(copy, der.len);
}

CHANGE(not_basic, s->mangle = other_type)
CHANGE(version_2, s->response.version = 1)
CHANGE(no_singles, s->response.n_singles = 0)
CHANGE(other_serial, s->singles[0].serial = "02")

/* The serial is right, the CA is not: numbers 1, 2, 3 of two private CAs. */
CHANGE(other_issuer, s->singles[0].issuer = pki_cert(&(struct pki_cert){
			 .name = "Other CA", .key = OTHER_KEY, .exts = PKI_CA_EXTS}))
CHANGE(same_name_other_key, s->singles[0].issuer = pki_cert(&(struct pki_cert){
				.name = "Test CA", .key = OTHER_KEY, .exts = PKI_CA_EXTS}))
CHANGE(same_key_other_name, s->singles[0].name = pki_name("Other CA", V_ASN1_UTF8STRING))
CHANGE(unknown_hash, s->singles[0].hash = "md5")
CHANGE(one_of_two_missing, s->asked[1] = pki_certid(s->ca, "02", HASH_SHA1);
       s->question.n_certids = 2)
CHANGE(asked_of_another_issuer, other_issuer(s);
       s->asked[0] = pki_certid(s->singles[0].issuer, "01", HASH_SHA1);
       s->singles[0].issuer = s->ca)
CHANGE(asked_nothing, s->question.n_certids = 0)
CHANGE(fraction, s->singles[0].next_update_text = "20260102000000.5Z")
CHANGE(offset, s->singles[0].next_update_text = "20260102000000+0100")
CHANGE(this_update_at_skew, s->singles[0].this_update = PKI_NOW + 300)
CHANGE(this_update_beyond_skew, s->singles[0].this_update = PKI_NOW + 301)
CHANGE(this_update_beyond_small_skew, s->issuer->policy.clock_skew = 10;
       s->singles[0].this_update = PKI_NOW + 11)
CHANGE(produced_at_skew, s->response.produced_at = PKI_NOW + 300)
CHANGE(produced_beyond_skew, s->response.produced_at = PKI_NOW + 301)
CHANGE(produced_before_this_update, s->response.produced_at = PKI_NOW - PKI_DAY - 301)
CHANGE(produced_slightly_before, s->response.produced_at = PKI_NOW - PKI_DAY - 300)
CHANGE(expires_now, s->singles[0].next_update = PKI_NOW)
CHANGE(expires_next_second, s->singles[0].next_update = PKI_NOW + 1)
CHANGE(expired_for_the_second_asked, s->singles[1].serial = "02";
       s->singles[1].next_update = PKI_NOW - 1; s->response.n_singles = 2;
       s->asked[1] = pki_certid(s->ca, "02", HASH_SHA1); s->question.n_certids = 2)
CHANGE(expired_for_others, expired_for_the_second_asked(s); s->question.n_certids = 1)
CHANGE(next_before_this, s->singles[0].this_update = PKI_NOW + 100;
       s->singles[0].next_update = PKI_NOW + 99)
CHANGE(next_equals_this, s->singles[0].this_update = s->singles[0].next_update = PKI_NOW + 100)
CHANGE(thirty_days, s->singles[0].next_update = PKI_NOW + 29 * PKI_DAY)
CHANGE(critical_in_response, s->response.exts = UNKNOWN_CRITICAL)
CHANGE(critical_in_single, s->singles[0].exts = UNKNOWN_CRITICAL)
CHANGE(critical_in_another_single, s->singles[1].serial = "02";
       s->singles[1].exts = UNKNOWN_CRITICAL; s->response.n_singles = 2)
CHANGE(not_critical, s->response.exts = s->singles[0].exts = UNKNOWN_NOT_CRITICAL)

/* CrlID and ArchiveCutoff with empty values, the SCT list of RFC 6962, all critical. */
CHANGE(known_extensions, s->response.exts = HEX("301206092b06010505073001030101ff04023000");
       s->singles[0].exts = CAT(HEX("301206092b06010505073001060101ff04020500"),
				HEX("3013060a2b06010401d6790204050101ff04020400")))
CHANGE(other_nonce, s->response.exts = nonce_ext("0102030405060709");
       s->question.nonce = HEX("0102030405060708"))
CHANGE(shorter_nonce, s->response.exts = nonce_ext("01020304050607");
       s->question.nonce = HEX("0102030405060708"))
CHANGE(same_nonce, s->response.exts = nonce_ext("0102030405060708");
       s->question.nonce = HEX("0102030405060708"))
CHANGE(no_nonce, s->question.nonce = HEX("0102030405060708"))
CHANGE(unsolicited_nonce, s->response.exts = nonce_ext("0102030405060708"))
CHANGE(another_issuers_single, other_issuer(s); s->singles[1] = s->singles[0];
       s->singles[0].issuer = s->ca; s->response.n_singles = 2)
CHANGE(two_unknown_hashes, another_issuers_single(s); s->singles[1].hash = "md5")
CHANGE(sha256_single, s->singles[0].hash = "sha256")
CHANGE(dual_response, s->singles[1].hash = "sha256"; s->response.n_singles = 2)
CHANGE(no_next_update, s->singles[0].next_update = -1)
CHANGE(dual_one_without_next_update, dual_response(s); s->singles[1].next_update = -1)

static void learnt_name(struct scene *s)
{
	X509_NAME *name = pki_name("Test CA", V_ASN1_PRINTABLESTRING);
	X509 *leaf =
	    pki_cert(&(struct pki_cert){.name = "leaf", .key = OTHER_KEY, .issuer_name = name});

	cr_assert_eq(issuer_add_name_of(s->issuer, leaf), OK);
	s->singles[0].name = name;
}

Test(verify, each_refusal_by_its_rule)
{
	static const struct scene_row rows[] = {
	    {"VS-01", "status 4", status_4, ERR_RSP_STATUS, 0},
	    {"VS-01", "successful without bytes", success_without_bytes, ERR_RSP_STATUS, 0},
	    {"VS-01", "an octet too many", trailing_octet, ERR_RSP_TRAILING, 0},
	    {"VS-01", "an octet too few", cut_short, ERR_RSP_DER, 0},
	    {"VS-01", "nothing at all", empty, ERR_RSP_DER, 0},
	    {"VS-02", "another responseType", not_basic, ERR_RSP_TYPE, 0},
	    {"VS-02", "version 2", version_2, ERR_RSP_VERSION, 0},
	    {"VS-03", "no SingleResponse", no_singles, ERR_RSP_SINGLES, 0},
	    {"VS-03", "another serial", other_serial, ERR_RSP_CERTID, 0},
	    {"VS-03", "another issuer, same serial", other_issuer, ERR_RSP_CERTID, 0},
	    {"VS-03", "key of a namesake", same_name_other_key, ERR_RSP_CERTID, 0},
	    {"VS-03", "another name of the key", same_key_other_name, ERR_RSP_CERTID, 0},
	    {"VS-03", "CertID by MD5", unknown_hash, ERR_RSP_CERTID, 0},
	    {"VS-03", "one of two missing", one_of_two_missing, ERR_RSP_CERTID, 0},
	    {"VS-03", "asked about another issuer", asked_of_another_issuer, ERR_RSP_CERTID, 0},
	    {"VS-03", "asked nothing", asked_nothing, ERR_RSP_CERTID, 0},
	    {"VS-06", "fraction of a second", fraction, ERR_RSP_TIME, 0},
	    {"VS-06", "time zone", offset, ERR_RSP_TIME, 0},
	    {"VS-07", "T beyond the skew", this_update_beyond_skew, ERR_RSP_FUTURE, 0},
	    {"VS-07", "T beyond a small skew", this_update_beyond_small_skew, ERR_RSP_FUTURE, 0},
	    {"VS-08", "P beyond the skew", produced_beyond_skew, ERR_RSP_PRODUCED, 0},
	    {"VS-09", "N is now", expires_now, ERR_RSP_EXPIRED, 0},
	    {"VS-09", "second answer expired", expired_for_the_second_asked, ERR_RSP_EXPIRED, 0},
	    {"VS-10", "N before T", next_before_this, ERR_RSP_ORDER, 0},
	    {"VS-21", "critical in the response", critical_in_response, ERR_RSP_CRITICAL, 0},
	    {"VS-21", "critical in the answer", critical_in_single, ERR_RSP_CRITICAL, 0},
	    {"NO-05", "another nonce", other_nonce, ERR_RSP_NONCE, 0},
	    {"NO-05", "part of the nonce", shorter_nonce, ERR_RSP_NONCE, 0},
	};

	scene_play(rows, N_ELEMENTS(rows));
}

Test(verify, each_tolerance_by_its_rule)
{
	static const struct scene_row rows[] = {
	    {"VS-12", "a delegate's good", nothing, OK, 0},
	    {"VS-05", "another CA's certificate, too", another_issuers_single, OK,
	     VERDICT_MIXED_ISSUERS},
	    {"VS-05", "expired for others", expired_for_others, OK, 0},
	    {"VS-05", "who knows whose", two_unknown_hashes, OK, 0},
	    {"VS-07", "T at the skew", this_update_at_skew, OK, VERDICT_EARLY_PRODUCED},
	    {"VS-08", "P at the skew", produced_at_skew, OK, 0},
	    {"VS-08", "P before T", produced_before_this_update, OK, VERDICT_EARLY_PRODUCED},
	    {"VS-08", "P before T by the skew", produced_slightly_before, OK, 0},
	    {"VS-09", "N in a second", expires_next_second, OK, 0},
	    {"VS-10", "N equals T", next_equals_this, OK, VERDICT_EARLY_PRODUCED},
	    {"VS-11", "30 days", thirty_days, OK, 0},
	    {"VS-21", "critical for others", critical_in_another_single, OK, 0},
	    {"VS-22", "unknown extensions", not_critical, OK, 0},
	    {"VS-22", "known extensions", known_extensions, OK, 0},
	    {"VS-23", "nonce not asked for", unsolicited_nonce, OK, VERDICT_NONCE},
	    {"NO-04", "nonce echoed", same_nonce, OK, VERDICT_NONCE},
	    {"NO-04", "nonce not echoed", no_nonce, OK, 0},
	    {"NK-02", "CertID by a learnt name", learnt_name, OK, 0},
	    {"NK-07", "both hashes", dual_response, OK, 0},
	    {"NK-08", "another hash", sha256_single, OK, VERDICT_OTHER_HASH},
	    {"CL-04", "no nextUpdate", no_next_update, OK, VERDICT_NO_NEXT_UPDATE},
	    {"CL-04", "one without", dual_one_without_next_update, OK, VERDICT_NO_NEXT_UPDATE},
	};

	scene_play(rows, N_ELEMENTS(rows));
}

Test(verify, VS_01_unsuccessful_statuses_have_their_own_reason)
{
	static const struct {
		const char *der;
		err_t expected;
	} rows[] = {
	    {"30030a0101", ERR_UP_MALFORMED},
	    {"30030a0102", ERR_UP_INTERNAL},
	    {"30030a0103", ERR_UP_TRY_LATER},
	    {"30030a0105", ERR_UP_SIG_REQUIRED},
	    {"30030a0106", ERR_UP_UNAUTHORIZED},
	    {"30030a0107", ERR_RSP_STATUS},
	    /* with responseBytes: the bare error */
	    {"30140a0103a00f300d06092b06010505073001010400", ERR_UP_TRY_LATER},
	};
	struct scene scene;
	struct verdict verdict;

	scene_init(&scene);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(scene_verify(&scene, HEX(rows[i].der), &verdict), rows[i].expected,
			     "%s", rows[i].der);
	scene_fini(&scene);
}

/* --- the verdict's fields --- */

Test(verify, VS_04_the_strictest_of_several_wins)
{
	static const struct {
		enum cert_status a, b, expected;
	} rows[] = {
	    {CERT_GOOD, CERT_REVOKED, CERT_REVOKED},	{CERT_REVOKED, CERT_GOOD, CERT_REVOKED},
	    {CERT_GOOD, CERT_UNKNOWN, CERT_UNKNOWN},	{CERT_UNKNOWN, CERT_GOOD, CERT_UNKNOWN},
	    {CERT_REVOKED, CERT_UNKNOWN, CERT_REVOKED}, {CERT_UNKNOWN, CERT_REVOKED, CERT_REVOKED},
	    {CERT_GOOD, CERT_GOOD, CERT_GOOD},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct scene scene;
		struct verdict verdict;

		scene_init(&scene);
		scene.response.n_singles = 3; /* the third is another's */
		scene.singles[0].status = rows[i].a;
		scene.singles[1].status = rows[i].b;
		scene.singles[0].reason = scene.singles[1].reason = 1 + 1;
		scene.singles[0].revoked_at = scene.singles[1].revoked_at = PKI_NOW - PKI_YEAR;
		scene.singles[2].serial = "02";
		scene.singles[2].status = CERT_REVOKED;
		verdict = verdict_of(&scene);
		cr_expect_eq(verdict.status, rows[i].expected, "row %zu", i);
		cr_expect_eq(verdict.reason, rows[i].expected == CERT_REVOKED ? 1 : -1);
		cr_expect_eq(verdict.revoked_at,
			     rows[i].expected == CERT_REVOKED ? PKI_NOW - PKI_YEAR : 0);
		scene_fini(&scene);
	}
}

Test(verify, VS_04_the_earliest_times_of_several_count)
{
	for (unsigned first = 0; first < 2; first++) {
		struct scene scene;
		struct verdict verdict;

		scene_init(&scene);
		dual_response(&scene);
		scene.singles[first].this_update = PKI_NOW - 5 * PKI_HOUR;
		scene.singles[first].next_update = PKI_NOW + 5 * PKI_HOUR;
		scene.singles[!first].this_update = PKI_NOW - 3 * PKI_HOUR;
		scene.singles[!first].next_update = PKI_NOW + 3 * PKI_HOUR;
		scene.response.produced_at = PKI_NOW - 2 * PKI_HOUR;
		verdict = verdict_of(&scene);
		cr_expect_eq(verdict.this_update, PKI_NOW - 5 * PKI_HOUR);
		cr_expect_eq(verdict.next_update, PKI_NOW + 3 * PKI_HOUR);
		cr_expect_eq(verdict.produced_at, PKI_NOW - 2 * PKI_HOUR);
		scene_fini(&scene);
	}
}

Test(verify, RP_34_of_several_asked_the_first_is_told_and_all_limit)
{
	struct scene scene;
	struct verdict verdict;

	scene_init(&scene);
	scene.response.n_singles = 2;
	scene.singles[1].serial = "02";
	scene.singles[1].status = CERT_REVOKED;
	scene.singles[1].next_update = PKI_NOW + PKI_HOUR;
	scene.asked[1] = pki_certid(scene.ca, "02", HASH_SHA512);
	scene.question.n_certids = 2;
	verdict = verdict_of(&scene);
	cr_expect_eq(verdict.status, CERT_GOOD);
	cr_expect_eq(verdict.flags, 0);
	cr_expect_eq(verdict.next_update, PKI_NOW + PKI_DAY);
	cr_expect_eq(verdict.hard_expiry, PKI_NOW + PKI_HOUR);
	scene_fini(&scene);
}

Test(verify, VS_05_only_the_asked_of_a_batch_of_50)
{
	static const char hex[] = "0123456789abcdef";
	struct pki_single batch[50];
	char serials[50][3];
	struct scene scene;
	struct verdict verdict;

	scene_init(&scene);
	for (unsigned i = 0; i < 50; i++) {
		memcpy(serials[i], (char[]){hex[(i + 1) / 16], hex[(i + 1) % 16], '\0'}, 3);
		batch[i] = (struct pki_single){
		    .issuer = scene.ca, .serial = serials[i], .status = CERT_REVOKED};
	}
	batch[41].status = CERT_UNKNOWN;
	scene.asked[0] = pki_certid(scene.ca, serials[41], HASH_SHA1);
	scene.response.singles = batch;
	scene.response.n_singles = 50;
	verdict = verdict_of(&scene);
	cr_expect_eq(verdict.status, CERT_UNKNOWN);
	scene_fini(&scene);
}

Test(verify, CL_03_hard_expiry_is_the_earliest_of_three)
{
	static const struct {
		int64_t next_update, signer, issuer, expected; /* hours from now; 0: later */
	} rows[] = {
	    {3, 6, 9, 3}, {9, 3, 6, 3}, {6, 9, 3, 3}, {-1, 6, 9, 6}, {-1, 9, 6, 6},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct scene scene;
		struct verdict verdict;

		scene_init(&scene);
		scene.ca =
		    pki_cert(&(struct pki_cert){.name = "Test CA",
						.not_after = PKI_NOW + rows[i].issuer * PKI_HOUR,
						.exts = PKI_CA_EXTS});
		scene_set_issuer(&scene, scene.ca);
		scene_sign_as(
		    &scene,
		    pki_cert(&(struct pki_cert){.name = "Responder",
						.key = DELEGATE_KEY,
						.issuer = scene.ca,
						.signed_by = CA_KEY,
						.not_after = PKI_NOW + rows[i].signer * PKI_HOUR,
						.exts = PKI_DELEGATE_EXTS}),
		    DELEGATE_KEY);
		scene.singles[0].next_update =
		    rows[i].next_update < 0 ? -1 : PKI_NOW + rows[i].next_update * PKI_HOUR;
		verdict = verdict_of(&scene);
		cr_expect_eq(verdict.hard_expiry, PKI_NOW + rows[i].expected * PKI_HOUR, "row %zu",
			     i);
		if (rows[i].next_update < 0)
			cr_expect_eq(verdict.next_update, TIME_NEVER);
		scene_fini(&scene);
	}
}

Test(verify, CL_14_never_issued_takes_all_three_signs)
{
	for (unsigned signs = 0; signs < 16; signs++) {
		const bool is_revoked = signs & 8, has_all = signs == 15;
		struct scene scene;
		struct verdict verdict;

		scene_init(&scene);
		scene.singles[0].status = is_revoked ? CERT_REVOKED : CERT_GOOD;
		scene.singles[0].reason = (signs & 1 ? 6 : 1) + 1;
		scene.singles[0].revoked_at = signs & 2 ? 0 : PKI_NOW - PKI_YEAR;
		scene.response.exts = signs & 4 ? EXTENDED_REVOKE : EMPTY;
		verdict = verdict_of(&scene);
		cr_expect_eq(verdict.flags, has_all ? VERDICT_NEVER_ISSUED : 0, "%#x", signs);
		scene_fini(&scene);
	}
}

Test(verify, tail_is_what_follows_the_signature)
{
	struct scene scene;
	struct verdict verdict;
	struct slice der;

	scene_init(&scene);
	der = scene_der(&scene);
	cr_assert_eq(scene_verify(&scene, der, &verdict), OK);
	cr_expect(slice_eq(slice_skip(der, verdict.tail),
			   TLV(DER_CONTEXT_0, TLV(DER_SEQUENCE, scene.response.certs))));
	scene_sign_as_issuer(&scene);
	der = scene_der(&scene);
	cr_assert_eq(scene_verify(&scene, der, &verdict), OK);
	cr_expect_eq(verdict.tail, der.len);
	scene_fini(&scene);
}
