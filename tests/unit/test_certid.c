/* SPDX-License-Identifier: ISC */
/* CertID: its five algorithms, what makes one malformed, and the form that goes upstream. */
#include <criterion/criterion.h>

#include <openssl/objects.h>

#include "core/certid.h"
#include "parts.h"

#define MD5_NULL "06082a864886f70d02050500"

static err_t read_certid(struct slice in, struct certid *out)
{
	struct der der = der_of(in);
	err_t e = certid_read(&der, out);

	cr_expect_eq(der.p, e == OK || e == ERR_REQ_HASH ? in.p + in.len : in.p);
	return e;
}

static err_t verdict(struct slice in)
{
	struct certid certid = {.alg = HASH_SHA512};
	err_t e = read_certid(in, &certid);

	if (e != OK)
		cr_expect(certid.alg == HASH_SHA512 && certid.serial.len == 0);
	return e;
}

/* With digests of n octets. */
static struct slice certid_sized(const char *alg_hex, size_t n)
{
	return certid_of(alg_hex, build_fill(1, n), build_fill(2, n), HEX("020107"));
}

Test(certid, RP_37_the_five_algorithms_are_those_of_libcrypto)
{
	for (unsigned i = 0; i < N_HASH_ALGS; i++) {
		const EVP_MD *md = EVP_get_digestbyname(hash_algs[i].name);
		const ASN1_OBJECT *oid = md ? OBJ_nid2obj(EVP_MD_get_type(md)) : NULL;

		cr_assert(oid, "%s", hash_algs[i].name);
		cr_expect_eq((int)hash_algs[i].len, EVP_MD_get_size(md), "%s", hash_algs[i].name);
		cr_expect(slice_eq(hash_algs[i].oid, slice_of(OBJ_get0_data(oid), OBJ_length(oid))),
			  "%s", hash_algs[i].name);
		cr_expect_eq(hash_alg_named(hash_algs[i].name), i);
	}
	cr_expect_eq(hash_alg_named("md5"), N_HASH_ALGS);
	cr_expect_eq(hash_alg_named(""), N_HASH_ALGS);
}

Test(certid, NK_04_parameters_are_NULL_or_absent)
{
	const struct {
		const char *alg_hex;
		err_t e;
	} rows[] = {
	    {"06052b0e03021a0500", OK},
	    {"06052b0e03021a", OK},
	    {"06052b0e03021a020101", ERR_REQ_PARAMETERS},
	    {"06052b0e03021a3000", ERR_REQ_PARAMETERS},
	    {"06052b0e03021a8000", ERR_REQ_PARAMETERS},
	    {"06052b0e03021a050100", ERR_REQ_DER},
	    {"06052b0e03021a05000500", ERR_REQ_DER},
	    {"06082a864886f70d0205020101", ERR_REQ_HASH},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(verdict(certid_sized(rows[i].alg_hex, 20)), rows[i].e, "%s",
			     rows[i].alg_hex);
}

Test(certid, RP_36_digest_length_must_match)
{
	for (unsigned i = 0; i < N_HASH_ALGS; i++) {
		struct slice alg = TLV(0x30, TLV(0x06, hash_algs[i].oid), HEX("0500"));
		size_t len = hash_algs[i].len;
		struct slice right = TLV(0x04, build_fill(1, len));
		struct slice less = TLV(0x04, build_fill(1, len - 1));
		struct slice more = TLV(0x04, build_fill(1, len + 1));
		struct slice serial = HEX("020107");
		struct certid certid;

		cr_assert_eq(read_certid(TLV(0x30, alg, right, right, serial), &certid), OK);
		cr_expect_eq(certid.alg, i);
		cr_expect_eq(verdict(TLV(0x30, alg, less, right, serial)), ERR_REQ_DIGEST);
		cr_expect_eq(verdict(TLV(0x30, alg, right, less, serial)), ERR_REQ_DIGEST);
		cr_expect_eq(verdict(TLV(0x30, alg, more, right, serial)), ERR_REQ_DIGEST);
		cr_expect_eq(verdict(TLV(0x30, alg, right, more, serial)), ERR_REQ_DIGEST);
	}
}

Test(certid, RP_38_RP_39_serials_are_opaque_minimal_integers)
{
	const struct {
		struct slice serial;
		err_t e;
	} rows[] = {
	    {HEX("020100"), OK},
	    {HEX("0202ff01"), OK},
	    {TLV(0x02, build_fill(1, 21)), OK},
	    {TLV(0x02, build_fill(1, 40)), OK},
	    {TLV(0x02, build_fill(1, 41)), ERR_REQ_SERIAL},
	    {HEX("0200"), ERR_REQ_SERIAL},
	    {HEX("02020001"), ERR_REQ_SERIAL},
	    {HEX("0202ffff"), ERR_REQ_SERIAL},
	    {HEX("0a0101"), ERR_REQ_DER},
	    {EMPTY, ERR_REQ_DER},
	    {HEX("0201010500"), ERR_REQ_DER},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(verdict(certid_of(SHA1_NULL, HEX(TV_NAME_SHA1), HEX(TV_KEY_SHA1),
					       rows[i].serial)),
			     rows[i].e, "%zu", i);
}

Test(certid, RP_37_other_algorithms_are_told_from_nonsense)
{
	struct slice md5 = certid_sized(MD5_NULL, 16);
	struct certid certid;

	cr_expect_eq(verdict(md5), ERR_REQ_HASH);
	cr_expect_eq(verdict(slice_take(md5, md5.len - 1)), ERR_REQ_DER);
	cr_expect_eq(read_certid(certid_of(MD5_NULL, build_fill(1, 16), build_fill(2, 16),
					   TLV(0x02, build_fill(1, 41))),
				 &certid),
		     ERR_REQ_SERIAL);
}

Test(certid, VS_03_a_response_may_name_what_we_cannot)
{
	struct slice serial = build_fill(1, 41);
	struct slice in[] = {
	    certid_sized(MD5_NULL, 16),
	    certid_of(SHA1_NULL, build_fill(1, 20), build_fill(2, 20), TLV(0x02, serial)),
	};

	for (size_t i = 0; i < N_ELEMENTS(in); i++) {
		struct der der = der_of(in[i]);
		struct certid certid;

		cr_assert_eq(certid_read_any(&der, &certid), OK);
		cr_expect(der_is_done(&der));
		cr_expect_eq(certid.alg, N_HASH_ALGS);
		cr_expect_eq(certid.name_hash.len, i == 0 ? 16 : 20);
		cr_expect_eq(certid.key_hash.p[0], 2);
		cr_expect(slice_eq(certid.serial, i == 0 ? HEX("07") : serial));
	}
}

Test(certid, NK_05_encodes_with_explicit_NULL)
{
	uint8_t dst[MAX_CERTID_LEN];
	struct certid certid;

	cr_assert_eq(read_certid(certid_of("06052b0e03021a", HEX(TV_NAME_SHA1), HEX(TV_KEY_SHA1),
					   TLV(0x02, HEX(TV_SERIAL))),
				 &certid),
		     OK);
	cr_expect(slice_eq(slice_of(dst, certid_encode(dst, &certid)), tv1()));
}

Test(certid, every_encoding_is_read_again)
{
	for (unsigned i = 0; i < N_HASH_ALGS; i++) {
		const struct certid written = {.alg = (enum hash_alg)i,
					       .name_hash = build_fill(1, hash_algs[i].len),
					       .key_hash = build_fill(2, hash_algs[i].len),
					       .serial = build_fill(3, MAX_SERIAL_LEN)};
		uint8_t dst[MAX_CERTID_LEN];
		size_t len = certid_encode(dst, &written);
		struct certid certid;

		cr_assert_leq(len, sizeof(dst));
		cr_assert_eq(read_certid(slice_of(dst, len), &certid), OK);
		cr_expect_eq(certid.alg, i);
		cr_expect(slice_eq(certid.name_hash, written.name_hash) &&
			  slice_eq(certid.key_hash, written.key_hash) &&
			  slice_eq(certid.serial, written.serial));
	}
}
