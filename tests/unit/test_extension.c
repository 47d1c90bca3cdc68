/* SPDX-License-Identifier: ISC */
/* What the extensions of a request do (rules RP-40 to RP-45 and section 7's syntax), and which of
 * them are known. */
#include <criterion/criterion.h>

#include "core/extension.h"
#include "request_parts.h"

Test(extension, RP_40_unknown_extensions_are_ignored_unless_critical)
{
	struct slice value = HEX("0500");

	cr_expect_eq(parsed(with_exts(ext(UNKNOWN_OID, NOT_CRITICAL, value))).flags, 0);
	cr_expect_eq(parsed(with_exts(ext(UNKNOWN_OID, "010100", value))).flags, 0,
		     "explicit FALSE");
	cr_expect_eq(parsed(with_exts(ext(UNKNOWN_OID, CRITICAL, value))).flags, REQUEST_CRITICAL);
	cr_expect_eq(verdict(with_exts(ext(UNKNOWN_OID, "010101", value))), ERR_REQ_DER,
		     "BER's TRUE");
}

Test(extension, RP_40_every_extension_of_RFC_6960_may_be_critical)
{
	const char *known[] = {"2b0601050507300103",
			       "2b0601050507300106",
			       LOCATOR_OID,
			       "2b0601050507300109",
			       "551d15",
			       "551d18",
			       "551d1d"};
	const char *unknown[] = {"2b0601050507300101", "2b0601050507300105", "2b060105050730010a",
				 "2b06010505073001", "551d14"};

	for (size_t i = 0; i < N_ELEMENTS(known); i++)
		cr_expect_eq(parsed(with_exts(ext(known[i], CRITICAL, EMPTY))).flags, 0, "%s",
			     known[i]);
	for (size_t i = 0; i < N_ELEMENTS(unknown); i++)
		cr_expect_eq(parsed(with_exts(ext(unknown[i], CRITICAL, EMPTY))).flags,
			     REQUEST_CRITICAL, "%s", unknown[i]);
}

Test(extension, RP_43_RP_44_single_request_extensions)
{
	struct slice value = HEX("0500");

	cr_expect_eq(parsed(with_single_exts(ext(UNKNOWN_OID, NOT_CRITICAL, value))).flags, 0);
	cr_expect_eq(parsed(with_single_exts(ext(UNKNOWN_OID, CRITICAL, value))).flags,
		     REQUEST_CRITICAL);
	cr_expect_eq(parsed(with_single_exts(ext(LOCATOR_OID, CRITICAL, value))).flags, 0);
	cr_expect_eq(parsed(with_single_exts(ext(NONCE_OID, NOT_CRITICAL, value))).flags, 0);
	cr_expect_eq(parsed(with_single_exts(ext(NONCE_OID, CRITICAL, value))).flags,
		     REQUEST_CRITICAL);
}

Test(extension, RP_41_acceptable_responses)
{
	const struct {
		const char *value_hex;
		err_t e;
		unsigned flags;
	} rows[] = {
	    {"300b06092b0601050507300101", OK, 0},
	    {"300f06022a0306092b0601050507300101", OK, 0},
	    {"300406022a03", OK, REQUEST_NOT_BASIC},
	    {"3000", OK, REQUEST_NOT_BASIC},
	    {"", ERR_REQ_DER, 0},
	    {"06092b0601050507300101", ERR_REQ_DER, 0},
	    {"30020500", ERR_REQ_DER, 0},
	    {"30020600", ERR_REQ_DER, 0},
	    {"300b06092b06010505073001010500", ERR_REQ_DER, 0},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice der = with_exts(ext(ACCEPTABLE_OID, CRITICAL, HEX(rows[i].value_hex)));

		cr_expect_eq(verdict(der), rows[i].e, "%s", rows[i].value_hex);
		if (rows[i].e == OK)
			cr_expect_eq(parsed(der).flags, rows[i].flags, "%s", rows[i].value_hex);
	}
}

Test(extension, RP_42_preferred_signature_algorithms)
{
	cr_expect_eq(parsed(with_exts(ext(PREFERRED_OID, NOT_CRITICAL, HEX("3000")))).flags,
		     REQUEST_PREFERS_ALGS);
}

Test(extension, RP_45_NO_01_length_of_a_nonce)
{
	const struct {
		size_t len;
		err_t e;
	} rows[] = {{0, ERR_REQ_NONCE}, {1, OK},   {8, OK},
		    {32, OK},		{128, OK}, {129, ERR_REQ_NONCE}};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice nonce = build_fill(0xaa, rows[i].len);
		struct slice raw = ext(NONCE_OID, NOT_CRITICAL, nonce);
		struct slice proper = ext(NONCE_OID, NOT_CRITICAL, TLV(0x04, nonce));

		cr_expect_eq(verdict(with_exts(proper)), rows[i].e, "%zu", rows[i].len);
		cr_expect_eq(verdict(with_exts(raw)), rows[i].e, "raw, %zu", rows[i].len);
		if (rows[i].e != OK)
			continue;
		cr_expect(slice_eq(parsed(with_exts(proper)).nonce, nonce));
		cr_expect(slice_eq(parsed(with_exts(raw)).nonce, nonce));
		cr_expect(slice_eq(parsed(with_exts(proper)).nonce_ext, proper));
	}
}

Test(extension, NO_03_nonce_without_octet_string_is_kept_verbatim)
{
	struct ocsp_request request = parsed(BASE64(TV4_raw));

	cr_expect_eq(request.flags, REQUEST_NONCE);
	cr_expect(slice_eq(request.nonce, HEX("0102030405060708")));
	cr_expect(
	    slice_eq(request.nonce_ext, HEX("301506092b060105050730010204080102030405060708")));
	request = parsed(with_exts(ext(NONCE_OID, NOT_CRITICAL, HEX("0402aabbcc"))));
	cr_expect(slice_eq(request.nonce, HEX("0402aabbcc")), "no OCTET STRING: more behind it");
}

Test(extension, NO_11_critical_nonce_is_a_nonce)
{
	struct ocsp_request request = parsed(with_exts(ext(NONCE_OID, CRITICAL, HEX("0401aa"))));

	cr_expect_eq(request.flags, REQUEST_NONCE);
	cr_expect(slice_eq(request.nonce, HEX("aa")));
}

Test(extension, NO_03_two_nonces_are_refused)
{
	struct slice nonce = ext(NONCE_OID, NOT_CRITICAL, HEX("0401aa"));

	cr_expect_eq(verdict(with_exts(CAT(nonce, nonce))), ERR_REQ_DER);
}

Test(extension, RP_30_extension_lists_are_not_empty)
{
	struct slice requests = TLV(0x30, TLV(0x30, tv1()));

	cr_expect_eq(verdict(with_exts(EMPTY)), ERR_REQ_DER);
	cr_expect_eq(verdict(with_single_exts(EMPTY)), ERR_REQ_DER);
	cr_expect_eq(verdict(TLV(0x30, TLV(0x30, requests, HEX("a200")))), ERR_REQ_DER);
}

Test(extension, SL_04_max_extensions_per_list)
{
	struct slice one = ext(UNKNOWN_OID, NOT_CRITICAL, EMPTY);

	cr_expect_eq(verdict(with_exts(build_repeat(one, 16))), OK);
	cr_expect_eq(verdict(with_exts(build_repeat(one, 17))), ERR_REQ_EXTENSIONS);
	cr_expect_eq(verdict(with_single_exts(build_repeat(one, 16))), OK);
	cr_expect_eq(verdict(with_single_exts(build_repeat(one, 17))), ERR_REQ_EXTENSIONS);
}
