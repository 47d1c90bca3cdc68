/* SPDX-License-Identifier: ISC */
/* The view of an OCSPResponse: the syntax side of section 4 of the conformance table. */
#include <criterion/criterion.h>

#include "response_parts.h"

Test(response, VS_01_bare_errors)
{
	const struct {
		const char *hex;
		err_t e;
		enum ocsp_status status;
	} rows[] = {
	    {"30030a0101", OK, OCSP_MALFORMED_REQUEST},
	    {"30030a0102", OK, OCSP_INTERNAL_ERROR},
	    {"30030a0103", OK, OCSP_TRY_LATER},
	    {"30030a0105", OK, OCSP_SIG_REQUIRED},
	    {"30030a0106", OK, OCSP_UNAUTHORIZED},
	    {"30070a0106a0023000", OK, OCSP_UNAUTHORIZED}, /* with bytes: as bare */
	    {"30100a0103a00b300906012a0404deadbeef", OK, OCSP_TRY_LATER},
	    {"30030a0100", ERR_RSP_STATUS, 0},
	    {"30030a0104", ERR_RSP_STATUS, 0},
	    {"30030a0107", ERR_RSP_STATUS, 0},
	    {"30040a020100", ERR_RSP_STATUS, 0},
	    {"30030a01ff", ERR_RSP_DER, 0},
	    {"30040a020001", ERR_RSP_DER, 0},
	    {"3003020101", ERR_RSP_DER, 0},
	    {"30020a00", ERR_RSP_DER, 0},
	    {"3000", ERR_RSP_DER, 0},
	    {"", ERR_RSP_DER, 0},
	    {"30030a010100", ERR_RSP_TRAILING, 0},
	    {"30050a01010500", ERR_RSP_DER, 0},
	    {"30090a0106a00230000500", ERR_RSP_DER, 0},
	    {"30050a0106a000", ERR_RSP_DER, 0},
	    {"3081030a0101", ERR_RSP_DER, 0},
	    {"30800a01010000", ERR_RSP_DER, 0},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice in = HEX(rows[i].hex);

		cr_expect_eq(verdict(in), rows[i].e, "%s", rows[i].hex);
		if (rows[i].e == OK) {
			struct response response = parsed(in);

			cr_expect_eq(response.status, rows[i].status, "%s", rows[i].hex);
			cr_expect(slice_eq(response.der, in) && response.n_singles == 0);
		}
	}
}

Test(response, VS_01_error_bodies)
{
	const enum ocsp_status all[] = {OCSP_MALFORMED_REQUEST, OCSP_INTERNAL_ERROR, OCSP_TRY_LATER,
					OCSP_SIG_REQUIRED, OCSP_UNAUTHORIZED};

	for (size_t i = 0; i < N_ELEMENTS(all); i++) {
		struct slice body = response_error(all[i]);

		cr_expect_eq(body.len, 5);
		cr_expect_eq(parsed(body).status, all[i]);
	}
	cr_expect(slice_eq(response_error(OCSP_NONE), HEX("30030a0102")));
	cr_expect(slice_eq(response_error((enum ocsp_status)4), HEX("30030a0102")));
	cr_expect(slice_eq(response_error(OCSP_SUCCESSFUL), HEX("30030a0102")));
}

Test(response, VS_02_view_of_a_successful_response)
{
	struct parts parts = usual();
	struct response response = parsed(whole(&parts));

	cr_expect_eq(response.status, OCSP_SUCCESSFUL);
	cr_expect(slice_eq(response.der, whole(&parts)));
	cr_expect(slice_eq(response.tbs, tbs_of(&parts)));
	cr_expect_null(response.name.p);
	cr_expect(slice_eq(response.key_hash, HEX(TV_KEY_SHA1)));
	cr_expect_eq(response.produced_at, TIME_T);
	cr_expect(slice_eq(response.singles, good()));
	cr_expect_eq(response.n_singles, 1);
	cr_expect_eq(response.flags, 0);
	cr_expect_eq(response.nonce.len, 0);
	cr_expect(slice_eq(response.sig_alg, HEX(ALG_HEX)));
	cr_expect(slice_eq(response.signature, HEX("aabbccdd")));
	cr_expect_eq(response.certs.len, 0);
	cr_expect_eq(response.n_certs, 0);
}

Test(response, VS_01_SL_16_every_cut_and_every_addition_is_refused)
{
	struct parts parts = usual();
	struct slice der = whole(&parts);

	cr_expect_eq(verdict(CAT(der, HEX("00"))), ERR_RSP_TRAILING);
	for (size_t n = 0; n < der.len; n++)
		cr_expect_eq(verdict(slice_take(der, n)), ERR_RSP_DER, "%zu", n);
}

Test(response, SL_16_no_octet_can_be_anything_without_harm)
{
	struct parts parts = usual();
	struct slice der;
	struct slice copy;

	parts.certs = TLV(0xa0, TLV(0x30, HEX("3000")));
	der = whole(&parts);
	copy = CAT(der);
	for (size_t i = 0; i < 256 * der.len; i++) {
		uint8_t *p = (uint8_t *)copy.p + i / 256;

		*p = (uint8_t)i;
		(void)verdict(copy); /* sanitizers judge */
		*p = der.p[i / 256];
	}
}

Test(response, VS_02_type_and_shape)
{
	struct parts parts = usual();
	struct slice basic = TLV(0x30, tbs_of(&parts), parts.alg, parts.bits);
	struct slice status = HEX("0a0100");
	struct slice octets = TLV(0x04, basic);

	cr_expect_eq(verdict(wrapped(basic)), OK);
	cr_expect_eq(verdict(TLV(0x30, status, TLV(0xa0, TLV(0x30, HEX("06012a"), octets)))),
		     ERR_RSP_TYPE);
	cr_expect_eq(verdict(TLV(0x30, status, TLV(0xa0, TLV(0x30, octets)))), ERR_RSP_DER);
	cr_expect_eq(verdict(TLV(0x30, status, TLV(0xa0, TLV(0x30, HEX(BASIC_OID))))), ERR_RSP_DER);
	cr_expect_eq(
	    verdict(TLV(0x30, status, TLV(0xa0, TLV(0x30, HEX(BASIC_OID), octets, HEX("0500"))))),
	    ERR_RSP_DER);
	cr_expect_eq(verdict(wrapped(CAT(basic, HEX("00")))), ERR_RSP_DER);
	cr_expect_eq(verdict(wrapped(EMPTY)), ERR_RSP_DER);
	cr_expect_eq(verdict(wrapped(TLV(0x30, EMPTY))), ERR_RSP_DER);
	cr_expect_eq(verdict(wrapped(TLV(0x30, tbs_of(&parts)))), ERR_RSP_DER);
	cr_expect_eq(verdict(wrapped(TLV(0x30, tbs_of(&parts), parts.alg))), ERR_RSP_DER);
}

Test(response, VS_02_version)
{
	const struct {
		const char *hex;
		err_t e;
	} rows[] = {
	    {"", OK},
	    {"a003020100", OK},
	    {"a003020101", ERR_RSP_VERSION},
	    {"a0030201ff", ERR_RSP_VERSION},
	    {"a00402020080", ERR_RSP_VERSION},
	    {"a00402020000", ERR_RSP_DER},
	    {"a000", ERR_RSP_DER},
	    {"a0050201000500", ERR_RSP_DER},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct parts parts = usual();

		parts.version = HEX(rows[i].hex);
		cr_expect_eq(verdict(whole(&parts)), rows[i].e, "%s", rows[i].hex);
	}
}

Test(response, VS_17_responder_id_by_name_or_by_key)
{
	struct slice name = HEX("300d310b3009060355040a0c024341");
	struct parts parts = usual();
	struct response response;
	const struct slice wrong[] = {
	    EMPTY,
	    HEX("a100"),
	    TLV(0xa1, name, name),
	    TLV(0xa1, HEX("3100")),
	    TLV(0xa1, HEX("0500")),
	    TLV(0xa2, TLV(0x04, build_fill(1, 19))),
	    TLV(0xa2, TLV(0x04, build_fill(1, 21))),
	    TLV(0xa2, TLV(0x04, build_fill(1, 32))),
	    TLV(0x82, build_fill(1, 20)), /* IMPLICIT */
	    TLV(0xa2, TLV(0x04, build_fill(1, 20)), HEX("0500")),
	    TLV(0xa3, name),
	    CAT(TLV(0xa1, name), HEX(KEY_HEX)),
	};

	parts.id = TLV(0xa1, name);
	response = parsed(whole(&parts));
	cr_expect(slice_eq(response.name, name));
	cr_expect_eq(response.key_hash.len, 0);
	for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
		parts.id = wrong[i];
		cr_expect_eq(verdict(whole(&parts)), ERR_RSP_DER, "%zu", i);
	}
}

Test(response, VS_06_times_are_whole_seconds_of_UTC)
{
	const char *wrong[] = {"20260101000000.5Z",   "20260101000000",	 "202601010000Z",
			       "20260101000000+0000", "20260230000000Z", "20260101000060Z"};

	for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
		struct slice t = TLV(0x18, slice_text(wrong[i]));
		struct slice right = HEX(TIME_HEX);
		struct slice status = HEX(GOOD_HEX);
		struct parts parts = usual();

		parts.produced = t;
		cr_expect_eq(verdict(whole(&parts)), ERR_RSP_TIME, "%s", wrong[i]);
		cr_expect_eq(verdict_of_single(TLV(0x30, tv1(), status, t)), ERR_RSP_TIME);
		cr_expect_eq(verdict_of_single(TLV(0x30, tv1(), status, right, TLV(0xa0, t))),
			     ERR_RSP_TIME);
		cr_expect_eq(verdict_of_single(TLV(0x30, tv1(), TLV(0xa1, t), right)),
			     ERR_RSP_TIME);
	}
}

Test(response, VS_03_status_of_a_certificate)
{
	const struct {
		const char *hex;
		err_t e;
		enum cert_status status;
		int reason;
	} rows[] = {
	    {"8000", OK, CERT_GOOD, -1},
	    {"8200", OK, CERT_UNKNOWN, -1},
	    {"a111" TIME_HEX, OK, CERT_REVOKED, -1},
	    {"a116" TIME_HEX "a0030a0100", OK, CERT_REVOKED, 0},
	    {"a116" TIME_HEX "a0030a0106", OK, CERT_REVOKED, 6},
	    {"a116" TIME_HEX "a0030a0108", OK, CERT_REVOKED, 8},
	    {"a116" TIME_HEX "a0030a010a", OK, CERT_REVOKED, 10},
	    {"a116" TIME_HEX "a0030a0107", ERR_RSP_DER, 0, 0},
	    {"a116" TIME_HEX "a0030a010b", ERR_RSP_DER, 0, 0},
	    {"a116" TIME_HEX "a0030a01ff", ERR_RSP_DER, 0, 0},
	    {"a116" TIME_HEX "a003020101", ERR_RSP_DER, 0, 0},
	    {"a113" TIME_HEX "a000", ERR_RSP_DER, 0, 0},
	    {"a118" TIME_HEX "a0030a01010500", ERR_RSP_DER, 0, 0},
	    {"a118" TIME_HEX "a0050a01010500", ERR_RSP_DER, 0, 0},
	    {"a100", ERR_RSP_DER, 0, 0},
	    {"800100", ERR_RSP_DER, 0, 0},
	    {"820100", ERR_RSP_DER, 0, 0},
	    {"a000", ERR_RSP_DER, 0, 0},
	    {"a200", ERR_RSP_DER, 0, 0},
	    {"8100", ERR_RSP_DER, 0, 0},
	    {"8300", ERR_RSP_DER, 0, 0},
	    {"0500", ERR_RSP_DER, 0, 0},
	    {"", ERR_RSP_DER, 0, 0},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice der = single_with(tv1(), rows[i].hex, NEXT_HEX, EMPTY);
		struct single single;

		cr_expect_eq(verdict_of_single(der), rows[i].e, "%s", rows[i].hex);
		if (rows[i].e != OK)
			continue;
		single = first_single(der);
		cr_expect_eq(single.status, rows[i].status, "%s", rows[i].hex);
		cr_expect_eq(single.reason, rows[i].reason, "%s", rows[i].hex);
		cr_expect_eq(single.revoked_at, single.status == CERT_REVOKED ? TIME_T : 0);
	}
}

Test(response, VS_03_fields_of_a_single_response)
{
	struct single single = first_single(good());

	cr_expect_eq(single.certid.alg, HASH_SHA1);
	cr_expect(slice_eq(single.certid.serial, HEX(TV_SERIAL)));
	cr_expect_eq(single.this_update, TIME_T);
	cr_expect(single.has_next_update);
	cr_expect_eq(single.next_update, NEXT_T);
	cr_expect_not(single.has_critical);
}

Test(response, CL_04_next_update_may_be_missing)
{
	struct single single = first_single(single_with(tv1(), GOOD_HEX, "", EMPTY));

	cr_expect_not(single.has_next_update);
	cr_expect_eq(single.next_update, TIME_NEVER);
	cr_expect_eq(verdict_of_single(single_with(tv1(), GOOD_HEX, "a000", EMPTY)), ERR_RSP_DER);
	cr_expect_eq(verdict_of_single(single_with(tv1(), GOOD_HEX, NEXT_HEX NEXT_HEX, EMPTY)),
		     ERR_RSP_DER);
}

Test(response, VS_05_certids_that_are_not_ours_do_no_harm)
{
	struct slice md5 = certid_of("06082a864886f70d02050500", build_fill(1, 16),
				     build_fill(2, 16), HEX("020107"));
	struct slice long_serial = certid_of(SHA1_NULL, build_fill(1, 20), build_fill(2, 20),
					     TLV(0x02, build_fill(1, 41)));
	struct slice wrong_digest =
	    certid_of(SHA1_NULL, build_fill(1, 19), build_fill(2, 20), HEX("020107"));
	struct slice wrong_serial =
	    certid_of(SHA1_NULL, build_fill(1, 20), build_fill(2, 20), HEX("02020007"));

	cr_expect_eq(first_single(single_with(md5, GOOD_HEX, "", EMPTY)).certid.alg, N_HASH_ALGS);
	cr_expect_eq(first_single(single_with(long_serial, GOOD_HEX, "", EMPTY)).certid.alg,
		     N_HASH_ALGS);
	cr_expect_eq(verdict_of_single(single_with(wrong_digest, GOOD_HEX, "", EMPTY)),
		     ERR_RSP_DER);
	cr_expect_eq(verdict_of_single(single_with(wrong_serial, GOOD_HEX, "", EMPTY)),
		     ERR_RSP_DER);
}

Test(response, SL_05_number_of_single_responses)
{
	const struct {
		size_t n;
		err_t e;
	} rows[] = {{0, ERR_RSP_SINGLES},   {1, OK}, {64, OK}, {1024, OK}, {1025, ERR_RSP_SINGLES},
		    {2000, ERR_RSP_SINGLES}};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct parts parts = usual();

		parts.singles = TLV(0x30, build_repeat(good(), rows[i].n));
		cr_expect_eq(verdict(whole(&parts)), rows[i].e, "%zu", rows[i].n);
		if (rows[i].e == OK)
			cr_expect_eq(parsed(whole(&parts)).n_singles, rows[i].n);
	}
}

Test(response, SL_05_number_and_form_of_embedded_certificates)
{
	struct slice cert = HEX("3003020101");

	for (size_t n = 0; n <= MAX_RESPONSE_CERTS + 1; n++) {
		struct parts parts = usual();
		struct response response;
		struct der cursor;
		struct slice each;

		parts.certs = TLV(0xa0, TLV(0x30, build_repeat(cert, n)));
		if (n > MAX_RESPONSE_CERTS) {
			cr_expect_eq(verdict(whole(&parts)), ERR_RSP_CERTS);
			break;
		}
		response = parsed(whole(&parts));
		cr_expect_eq(response.n_certs, n);
		cursor = der_of(response.certs);
		for (size_t i = 0; i < n; i++) {
			cr_assert_eq(response_next_cert(&cursor, &each), OK);
			cr_expect(slice_eq(each, cert));
		}
		cr_expect_eq(response_next_cert(&cursor, &each), ERR_NOT_FOUND);
	}
}

Test(response, VS_02_what_stands_behind_the_signed_part)
{
	const struct {
		const char *alg_hex, *bits_hex, *certs_hex;
	} rows[] = {
	    {ALG_HEX, "0300", ""},
	    {ALG_HEX, "030501aabbcc00", ""},
	    {ALG_HEX, "0405aabbccddee", ""},
	    {"3000", BITS_HEX, ""},
	    {"0500", BITS_HEX, ""},
	    {ALG_HEX, BITS_HEX, "a000"},
	    {ALG_HEX, BITS_HEX, "a0020500"},
	    {ALG_HEX, BITS_HEX, "a00430020500"},
	    {ALG_HEX, BITS_HEX, "a00230000500"},
	    {ALG_HEX, BITS_HEX, "0500"},
	    {ALG_HEX, BITS_HEX, "a0023000a0023000"},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct parts parts = usual();

		parts.alg = HEX(rows[i].alg_hex);
		parts.bits = HEX(rows[i].bits_hex);
		parts.certs = HEX(rows[i].certs_hex);
		cr_expect_eq(verdict(whole(&parts)), ERR_RSP_DER, "%zu", i);
	}
}

Test(response, VS_21_VS_22_extensions_of_either_list)
{
	const struct {
		const char *oid_hex, *critical_hex;
		bool is_unknown_critical;
	} rows[] = {
	    {UNKNOWN_OID, NOT_CRITICAL, false},
	    {UNKNOWN_OID, "010100", false},
	    {UNKNOWN_OID, CRITICAL, true},
	    {"2b0601050507300103", CRITICAL, false}, /* CrlID */
	    {"2b0601050507300105", CRITICAL, true},  /* nocheck: of certificates */
	    {"2b0601050507300106", CRITICAL, false}, /* archive cutoff */
	    {LOCATOR_OID, CRITICAL, false},
	    {SCT_LIST_OID, CRITICAL, false},
	    {"551d15", CRITICAL, false}, /* reasonCode */
	    {"551d18", CRITICAL, false}, /* invalidityDate */
	    {"551d1d", CRITICAL, false}, /* certificateIssuer */
	    {"551d13", CRITICAL, true},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice list =
		    TLV(0xa1, TLV(0x30, ext(rows[i].oid_hex, rows[i].critical_hex, HEX("0500"))));
		struct parts parts = usual();
		struct single single = first_single(single_with(tv1(), GOOD_HEX, NEXT_HEX, list));

		parts.extensions = list;
		cr_expect_eq(parsed(whole(&parts)).flags,
			     rows[i].is_unknown_critical ? RESPONSE_CRITICAL : 0, "%s",
			     rows[i].oid_hex);
		cr_expect_eq(single.has_critical, rows[i].is_unknown_critical, "%s",
			     rows[i].oid_hex);
	}
}

Test(response, VS_21_extension_lists_are_well_formed)
{
	struct slice one = ext(UNKNOWN_OID, NOT_CRITICAL, EMPTY);
	const struct slice wrong[] = {HEX("a100"),
				      HEX("a1023000"),
				      TLV(0xa1, one),
				      TLV(0xa1, TLV(0x30, HEX("0500"))),
				      TLV(0xa1, TLV(0x30, one), HEX("0500")),
				      CAT(TLV(0xa1, TLV(0x30, one)), HEX("0500")),
				      TLV(0xa2, TLV(0x30, one))};

	for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
		struct parts parts = usual();

		parts.extensions = wrong[i];
		cr_expect_eq(verdict(whole(&parts)), ERR_RSP_DER, "%zu", i);
		cr_expect_eq(verdict_of_single(single_with(tv1(), GOOD_HEX, NEXT_HEX, wrong[i])),
			     ERR_RSP_DER, "%zu", i);
	}
}

Test(response, VS_23_NO_03_nonce)
{
	struct slice proper = ext(NONCE_OID, NOT_CRITICAL, HEX("0402aabb"));
	struct slice raw = ext(NONCE_OID, CRITICAL, HEX("aabb"));
	struct parts parts = usual();
	struct response response;

	parts.extensions = TLV(0xa1, TLV(0x30, proper));
	response = parsed(whole(&parts));
	cr_expect_eq(response.flags, RESPONSE_NONCE);
	cr_expect(slice_eq(response.nonce, HEX("aabb")));
	parts.extensions = TLV(0xa1, TLV(0x30, raw));
	cr_expect(slice_eq(parsed(whole(&parts)).nonce, HEX("aabb")));
	parts.extensions = TLV(0xa1, TLV(0x30, proper, raw));
	cr_expect_eq(verdict(whole(&parts)), ERR_RSP_DER);
}

Test(response, CL_14_extended_revoke_is_noted)
{
	struct parts parts = usual();

	parts.extensions = TLV(0xa1, TLV(0x30, ext(EXTENDED_OID, NOT_CRITICAL, HEX("0500"))));
	cr_expect_eq(parsed(whole(&parts)).flags, RESPONSE_EXTENDED_REVOKE);
}
