/* SPDX-License-Identifier: ISC */
/* OCSPRequest: section 1.3 of the conformance table, limits, and the minimal request. What its
 * extensions do is in test_extension.c, the vectors of appendix A are in test_appendix_a.c. */
#include <criterion/criterion.h>

#include "request_parts.h"

static struct slice request_of(struct slice certid)
{
	return TLV(0x30, TLV(0x30, TLV(0x30, TLV(0x30, certid))));
}

static struct slice with_signature(struct slice signature)
{
	return TLV(0x30, TLV(0x30, TLV(0x30, TLV(0x30, tv1()))), TLV(0xa0, signature));
}

Test(ocsp_request, SL_16_every_cut_of_a_vector_is_refused)
{
	const char *vectors[] = {TV1, TV3, TV4, TV4_raw, TV5, TV6, TV11};

	cr_expect_eq(verdict(EMPTY), ERR_REQ_EMPTY);
	for (size_t v = 0; v < N_ELEMENTS(vectors); v++) {
		struct slice der = BASE64(vectors[v]);

		for (size_t n = 1; n < der.len; n++)
			cr_expect_eq(verdict(slice_take(der, n)), ERR_REQ_DER, "%zu:%zu", v, n);
	}
}

Test(ocsp_request, SL_16_no_octet_of_a_vector_can_be_anything_without_harm)
{
	const char *vectors[] = {TV1, TV4, TV5, TV6, TV11};

	for (size_t v = 0; v < N_ELEMENTS(vectors); v++) {
		struct slice der = BASE64(vectors[v]);
		struct slice copy = CAT(der);

		for (size_t i = 0; i < 256 * der.len; i++) {
			uint8_t *p = (uint8_t *)copy.p + i / 256;

			*p = (uint8_t)i;
			(void)verdict(copy); /* sanitizers judge */
			*p = der.p[i / 256];
		}
	}
}

Test(ocsp_request, a_refused_request_leaves_the_result_untouched)
{
	struct ocsp_request request = {.n_certids = 77};

	cr_expect_eq(parse(BASE64(TV9), &request), ERR_REQ_TRAILING);
	cr_expect_eq(parse(HEX(TV_RFC_HEX), &request), ERR_REQ_HASH);
	cr_expect_eq(request.n_certids, 77);
}

Test(ocsp_request, RP_30_fields_of_TV1_and_TV3)
{
	struct ocsp_request request = parsed(BASE64(TV1));

	cr_expect_eq(request.n_certids, 1);
	cr_expect_eq(request.flags, 0);
	cr_expect_eq(request.nonce.len, 0);
	cr_expect_eq(request.nonce_ext.len, 0);
	cr_expect_eq(request.der.len, 83);
	cr_expect_eq(request.certids[0].alg, HASH_SHA1);
	cr_expect(slice_eq(request.certids[0].name_hash, HEX(TV_NAME_SHA1)));
	cr_expect(slice_eq(request.certids[0].key_hash, HEX(TV_KEY_SHA1)));
	cr_expect(slice_eq(request.certids[0].serial, HEX(TV_SERIAL)));
	request = parsed(BASE64(TV3));
	cr_expect_eq(request.certids[0].alg, HASH_SHA256);
	cr_expect(slice_eq(request.certids[0].name_hash, HEX(TV_NAME_SHA256)));
	cr_expect(slice_eq(request.certids[0].key_hash, HEX(TV_KEY_SHA256)));
	cr_expect(slice_eq(request.certids[0].serial, HEX(TV_SERIAL)));
}

Test(ocsp_request, RP_31_version_is_v1_or_absent)
{
	struct slice list = TLV(0x30, TLV(0x30, tv1()));
	const struct {
		const char *version_hex;
		err_t e;
	} rows[] = {
	    {"a003020100", OK},
	    {"a003020101", ERR_REQ_VERSION},
	    {"a0030201ff", ERR_REQ_VERSION},
	    {"a00702050100000000", ERR_REQ_VERSION},
	    {"a00402020080", ERR_REQ_VERSION},
	    {"a00402020000", ERR_REQ_DER},
	    {"a0020200", ERR_REQ_DER},
	    {"a000", ERR_REQ_DER},
	    {"a0030a0100", ERR_REQ_DER},
	    {"a006020100020100", ERR_REQ_DER},
	    {"800100", ERR_REQ_DER},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(verdict(TLV(0x30, TLV(0x30, HEX(rows[i].version_hex), list))),
			     rows[i].e, "%s", rows[i].version_hex);
}

Test(ocsp_request, RP_32_requestor_name_is_skipped_but_has_to_be_one_name)
{
	struct slice list = TLV(0x30, TLV(0x30, tv1()));
	const struct {
		const char *name_hex;
		err_t e;
	} rows[] = {
	    {"a1028200", OK},	       /* dNSName */
	    {"a106a40430023000", OK},  /* directoryName */
	    {"a103880142", OK},	       /* registeredID */
	    {"a1028900", ERR_REQ_DER}, /* no such choice */
	    {"a1023000", ERR_REQ_DER}, /* no GeneralName */
	    {"a1020500", ERR_REQ_DER},
	    {"a1024200", ERR_REQ_DER},
	    {"a100", ERR_REQ_DER},	   /* nothing */
	    {"a10482008200", ERR_REQ_DER}, /* two */
	    {"a1028201", ERR_REQ_DER},	   /* cut */
	    {"a103828100", ERR_REQ_DER},   /* long form of a short length */
	    {"8100", ERR_REQ_DER},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(verdict(TLV(0x30, TLV(0x30, HEX(rows[i].name_hex), list))), rows[i].e,
			     "%s", rows[i].name_hex);
}

Test(ocsp_request, RP_33_signature_is_noted_and_must_be_well_formed)
{
	struct slice alg = TLV(0x30, HEX("06092a864886f70d01010b0500"));
	struct slice bits = HEX("030200aa");
	struct slice cert = HEX("3000");
	const struct {
		const char *name;
		struct slice signature;
		err_t e;
	} rows[] = {
	    {"no certificates", TLV(0x30, alg, bits), OK},
	    {"none in the list", TLV(0x30, alg, bits, TLV(0xa0, TLV(0x30, EMPTY))), OK},
	    {"two", TLV(0x30, alg, bits, TLV(0xa0, TLV(0x30, cert, cert))), OK},
	    {"absent parameters", TLV(0x30, HEX("300506032a0304"), bits), OK},
	    {"nothing", EMPTY, ERR_REQ_DER},
	    {"empty", TLV(0x30, EMPTY), ERR_REQ_DER},
	    {"no bits", TLV(0x30, alg), ERR_REQ_DER},
	    {"empty bits", TLV(0x30, alg, HEX("0300")), ERR_REQ_DER},
	    {"8 unused bits", TLV(0x30, alg, HEX("030208aa")), ERR_REQ_DER},
	    {"octets for bits", TLV(0x30, alg, HEX("040200aa")), ERR_REQ_DER},
	    {"no algorithm", TLV(0x30, bits), ERR_REQ_DER},
	    {"more behind", TLV(0x30, alg, bits, HEX("0500")), ERR_REQ_DER},
	    {"empty [0]", TLV(0x30, alg, bits, HEX("a000")), ERR_REQ_DER},
	    {"no certificate", TLV(0x30, alg, bits, TLV(0xa0, TLV(0x30, HEX("0500")))),
	     ERR_REQ_DER},
	    {"more behind certificates",
	     TLV(0x30, alg, bits, TLV(0xa0, TLV(0x30, cert)), HEX("0500")), ERR_REQ_DER},
	    {"two signatures", CAT(TLV(0x30, alg, bits), TLV(0x30, alg, bits)), ERR_REQ_DER},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(verdict(with_signature(rows[i].signature)), rows[i].e, "%s",
			     rows[i].name);
	cr_expect_eq(parsed(with_signature(rows[0].signature)).flags, REQUEST_SIGNED);
}

Test(ocsp_request, RP_30_nothing_may_stand_where_the_grammar_has_nothing)
{
	struct slice list = TLV(0x30, TLV(0x30, tv1()));
	struct slice null = HEX("0500");

	cr_expect_eq(verdict(TLV(0x30, TLV(0x30, list), null)), ERR_REQ_DER);
	cr_expect_eq(verdict(TLV(0x30, TLV(0x30, list, null))), ERR_REQ_DER);
	cr_expect_eq(verdict(TLV(0x30, TLV(0x30, TLV(0x30, TLV(0x30, tv1(), null))))), ERR_REQ_DER);
	cr_expect_eq(verdict(TLV(0x30, TLV(0x30, TLV(0x30, null)))), ERR_REQ_DER);
	cr_expect_eq(verdict(TLV(0x30, EMPTY)), ERR_REQ_DER);
	cr_expect_eq(verdict(TLV(0x30, TLV(0x30, EMPTY))), ERR_REQ_DER);
	cr_expect_eq(verdict(TLV(0x31, TLV(0x30, list))), ERR_REQ_DER);
}

Test(ocsp_request, RP_34_two_certids_in_their_order)
{
	struct ocsp_request request = parsed(BASE64(TV5));

	cr_expect_eq(request.n_certids, 2);
	cr_expect(slice_eq(request.certids[0].serial, HEX(TV_SERIAL)));
	cr_expect(slice_eq(request.certids[1].serial, HEX("01")));
}

Test(ocsp_request, RP_34_SL_04_more_than_max_certids)
{
	struct slice one = TLV(0x30, tv1());
	struct ocsp_request_limits two = {.max_certids = 2, .max_extensions = 16};
	struct ocsp_request request;

	cr_expect_eq(verdict(TLV(0x30, TLV(0x30, TLV(0x30, build_repeat(one, 8))))), OK);
	cr_expect_eq(verdict(TLV(0x30, TLV(0x30, TLV(0x30, build_repeat(one, 9))))),
		     ERR_REQ_CERTIDS);
	cr_expect_eq(ocsp_request_parse(TLV(0x30, TLV(0x30, TLV(0x30, build_repeat(one, 3)))), &two,
					&request),
		     ERR_REQ_CERTIDS);
}

Test(ocsp_request, RP_37_unsupported_hash_only_if_all_else_is_in_order)
{
	struct slice md5 =
	    certid_of("06082a864886f70d0205", build_fill(1, 16), build_fill(2, 16), HEX("020101"));
	struct slice null = HEX("0500");

	cr_expect_eq(verdict(request_of(md5)), ERR_REQ_HASH);
	cr_expect_eq(verdict(TLV(0x30, TLV(0x30, TLV(0x30, TLV(0x30, md5), TLV(0x30, tv1()))))),
		     ERR_REQ_HASH);
	cr_expect_eq(verdict(TLV(0x30, TLV(0x30, TLV(0x30, TLV(0x30, md5, null))))), ERR_REQ_DER);
	cr_expect_eq(verdict(TLV(0x30, TLV(0x30, TLV(0x30, TLV(0x30, md5))), null)), ERR_REQ_DER);
	cr_expect_eq(verdict(CAT(request_of(md5), null)), ERR_REQ_TRAILING);
}

Test(ocsp_request, SL_04_at_most_512_elements)
{
	struct slice exts = build_repeat(ext(UNKNOWN_OID, NOT_CRITICAL, EMPTY), 16);
	struct slice one = TLV(0x30, tv1(), TLV(0xa0, TLV(0x30, exts)));
	struct slice oids = build_repeat(HEX("06012a"), 600);
	struct slice certs = build_repeat(HEX("3000"), 600);

	cr_expect_eq(verdict(TLV(0x30, TLV(0x30, TLV(0x30, build_repeat(one, 6))))), OK);
	cr_expect_eq(verdict(TLV(0x30, TLV(0x30, TLV(0x30, build_repeat(one, 7))))),
		     ERR_REQ_EXTENSIONS);
	cr_expect_eq(verdict(with_exts(ext(ACCEPTABLE_OID, NOT_CRITICAL, TLV(0x30, oids)))),
		     ERR_REQ_EXTENSIONS);
	cr_expect_eq(verdict(with_signature(TLV(0x30, HEX("300506032a0304"), HEX("030200aa"),
						TLV(0xa0, TLV(0x30, certs))))),
		     ERR_REQ_DER);
}

Test(ocsp_request, SL_04_depth_inside_an_unknown_extension_is_harmless)
{
	struct slice deep = EMPTY;

	for (int i = 0; i < 500; i++)
		deep = TLV(0x30, deep);
	cr_expect_eq(verdict(with_exts(ext(UNKNOWN_OID, NOT_CRITICAL, deep))), OK);
	cr_expect_eq(verdict(with_exts(ext(UNKNOWN_OID, NOT_CRITICAL, build_fill(0x30, 9999)))),
		     OK);
}

/* --- the minimal request --------------------------------------------------------------------- */

static struct slice encoded(const struct certid *certid, struct slice nonce_ext)
{
	size_t cap = MAX_MINIMAL_REQUEST_LEN + nonce_ext.len;
	uint8_t *dst = build_take(cap);
	size_t len = 0;

	cr_assert_eq(ocsp_request_encode(certid, nonce_ext, dst, cap, &len), OK);
	return slice_of(dst, len);
}

Test(ocsp_request, NK_05_NK_06_every_form_of_TV1_goes_upstream_as_TV1)
{
	const char *same[] = {TV1, TV2, TV4, TV6, TV11};

	for (size_t i = 0; i < N_ELEMENTS(same); i++) {
		struct ocsp_request request = parsed(BASE64(same[i]));

		cr_expect(slice_eq(encoded(&request.certids[0], EMPTY), BASE64(TV1)), "%zu", i);
	}
}

Test(ocsp_request, NK_05_absent_parameters_of_SHA_256_become_NULL)
{
	struct ocsp_request request = parsed(BASE64(TV3b));

	cr_expect(slice_eq(encoded(&request.certids[0], EMPTY), BASE64(TV3)));
}

Test(ocsp_request, NO_03_nonce_extension_goes_upstream_verbatim)
{
	const char *same[] = {TV4, TV4_raw, TV4_8};

	for (size_t i = 0; i < N_ELEMENTS(same); i++) {
		struct ocsp_request request = parsed(BASE64(same[i]));

		cr_expect(
		    slice_eq(encoded(&request.certids[0], request.nonce_ext), BASE64(same[i])));
	}
}

Test(ocsp_request, encode_says_when_it_does_not_fit)
{
	struct ocsp_request request = parsed(BASE64(TV1));
	uint8_t dst[83];
	size_t len = 99;

	cr_expect_eq(ocsp_request_encode(&request.certids[0], EMPTY, dst, 82, &len), ERR_TOO_LONG);
	cr_expect_eq(len, 99);
	cr_expect_eq(ocsp_request_encode(&request.certids[0], EMPTY, dst, 83, &len), OK);
	cr_expect_eq(len, 83);
}

Test(ocsp_request, the_largest_minimal_request_is_within_its_bound)
{
	struct certid largest = {.alg = HASH_SHA512,
				 .name_hash = build_fill(1, 64),
				 .key_hash = build_fill(2, 64),
				 .serial = build_fill(3, MAX_SERIAL_LEN)};
	struct slice nonce_ext = ext(NONCE_OID, NOT_CRITICAL, TLV(0x04, build_fill(4, 128)));
	struct ocsp_request request = parsed(encoded(&largest, nonce_ext));

	cr_expect(slice_eq(request.certids[0].serial, largest.serial));
	cr_expect_eq(request.nonce.len, 128);
}
