/* SPDX-License-Identifier: ISC */
/* The DER reader: what it takes, and above all what it does not (rules RP-30, RP-39). */
#include <criterion/criterion.h>

#include "build.h"

/* Reads one element of the tag from memory that ends where der ends. */
static err_t read_one(struct slice in, uint8_t tag, size_t *out_len)
{
	struct slice exact = build_exact(in);
	struct der der = der_of(exact);
	struct slice content = {.p = NULL, .len = SIZE_MAX};
	err_t e = der_read(&der, tag, &content);

	if (e == OK)
		cr_expect_eq(der.p, content.p + content.len);
	else
		cr_expect(der.p == exact.p && content.len == SIZE_MAX);
	*out_len = content.len;
	free((void *)exact.p);
	return e;
}

Test(der, RP_30_lengths_are_definite_and_minimal)
{
	const struct {
		const char *header_hex;
		size_t n_content; /* octets that follow */
		err_t e;
	} rows[] = {
	    {"0400", 0, OK},
	    {"0401", 1, OK},
	    {"047f", 127, OK},
	    {"048180", 128, OK},
	    {"0481ff", 255, OK},
	    {"04820100", 256, OK},
	    {"0483010000", 65536, OK},
	    {"0480", 0, ERR_RSP_DER}, /* indefinite */
	    {"04800000", 0, ERR_RSP_DER},
	    {"04817f", 127, ERR_RSP_DER},   /* fits the short form */
	    {"04820080", 128, ERR_RSP_DER}, /* leading zero */
	    {"04820000", 0, ERR_RSP_DER},
	    {"048400000001", 1, ERR_RSP_DER},
	    {"04850000000001", 1, ERR_RSP_DER}, /* more octets than we count with */
	    {"04850100000000", 0, ERR_RSP_DER},
	    {"04ff", 0, ERR_RSP_DER}, /* reserved */
	    {"0484ffffffff", 100, ERR_RSP_DER},
	    {"04", 0, ERR_RSP_DER},
	    {"0401", 0, ERR_RSP_DER},
	    {"0481", 0, ERR_RSP_DER},
	    {"048180", 127, ERR_RSP_DER},
	    {"048201", 0, ERR_RSP_DER},
	    {"", 0, ERR_RSP_DER},
	    {"0500", 0, ERR_RSP_DER}, /* another tag */
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice in = CAT(HEX(rows[i].header_hex), build_fill(7, rows[i].n_content));
		size_t len;

		cr_expect_eq(read_one(in, DER_OCTET_STRING, &len), rows[i].e, "%s",
			     rows[i].header_hex);
		if (rows[i].e == OK)
			cr_expect_eq(len, rows[i].n_content, "%s", rows[i].header_hex);
	}
}

Test(der, empty_input_has_no_element)
{
	struct der der = der_of(EMPTY);
	struct slice content;

	cr_expect(der_is_done(&der));
	cr_expect_not(der_is_next(&der, 0));
	cr_expect_eq(der_read(&der, DER_NULL, &content), ERR_RSP_DER);
	cr_expect_eq(der_read_any(&der, NULL, NULL, NULL), ERR_RSP_DER);
}

Test(der, RP_39_integers_are_minimal)
{
	const struct {
		const char *hex;
		err_t e;
	} rows[] = {
	    {"020100", OK},
	    {"02017f", OK},
	    {"0201ff", OK},
	    {"02020080", OK},
	    {"0202ff7f", OK},
	    {"0202ff01", OK},
	    {"0200", ERR_RSP_DER},
	    {"0202007f", ERR_RSP_DER},
	    {"02020000", ERR_RSP_DER},
	    {"0202ff80", ERR_RSP_DER},
	    {"0202ffff", ERR_RSP_DER},
	    {"0a0100", ERR_RSP_DER},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice in = HEX(rows[i].hex);
		struct der der = der_of(in);
		struct slice content;

		cr_expect_eq(der_read_integer(&der, DER_INTEGER, &content), rows[i].e, "%s",
			     rows[i].hex);
		cr_expect_eq(der.p, rows[i].e == OK ? in.p + in.len : in.p, "%s", rows[i].hex);
	}
}

Test(der, small_numbers_have_31_bits)
{
	const struct {
		const char *hex;
		err_t e;
		uint32_t value;
	} rows[] = {
	    {"0a0100", OK, 0},
	    {"0a017f", OK, 127},
	    {"0a020080", OK, 128},
	    {"0a047fffffff", OK, 0x7fffffff},
	    {"0a0500ffffffff", ERR_RSP_DER, 0},
	    {"0a0480000000", ERR_RSP_DER, 0},
	    {"0a01ff", ERR_RSP_DER, 0},
	    {"0a020001", ERR_RSP_DER, 0},
	    {"020100", ERR_RSP_DER, 0},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct der der = der_of(HEX(rows[i].hex));
		uint32_t value = 0;

		cr_expect_eq(der_read_small(&der, DER_ENUMERATED, &value), rows[i].e, "%s",
			     rows[i].hex);
		cr_expect_eq(value, rows[i].value, "%s", rows[i].hex);
	}
}

Test(der, object_identifiers_are_complete_and_minimal)
{
	const struct {
		const char *hex;
		err_t e;
	} rows[] = {
	    {"06012a", OK},
	    {"06092b0601050507300101", OK},
	    {"06032a8648", OK},
	    {"06022a86", ERR_RSP_DER}, /* cut */
	    {"06042a864880", ERR_RSP_DER},
	    {"06032a8001", ERR_RSP_DER}, /* padded */
	    {"06028001", ERR_RSP_DER},
	    {"0600", ERR_RSP_DER},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice in = HEX(rows[i].hex);
		struct der der = der_of(in);
		struct slice content;

		cr_expect_eq(der_read_oid(&der, &content), rows[i].e, "%s", rows[i].hex);
		cr_expect_eq(der.p, rows[i].e == OK ? in.p + in.len : in.p, "%s", rows[i].hex);
	}
}

Test(der, any_element_must_be_possible_for_its_type)
{
	const struct {
		const char *hex;
		err_t e;
	} rows[] = {
	    {"0500", OK},
	    {"050100", ERR_RSP_DER},
	    {"010100", OK},
	    {"0101ff", OK},
	    {"010101", ERR_RSP_DER},
	    {"0100", ERR_RSP_DER},
	    {"030100", OK},
	    {"030200aa", OK},
	    {"0300", ERR_RSP_DER},
	    {"030101", ERR_RSP_DER},
	    {"030208aa", ERR_RSP_DER},
	    {"02020001", ERR_RSP_DER},
	    {"0a0100", OK},
	    {"06012a", OK},
	    {"0600", ERR_RSP_DER},
	    {"1e020041", OK},
	    {"1e0141", ERR_RSP_DER},
	    {"1c0400000041", OK},
	    {"1c0141", ERR_RSP_DER},
	    {"3000", OK},
	    {"3100", OK},
	    {"1000", ERR_RSP_DER},
	    {"1100", ERR_RSP_DER},
	    {"2400", ERR_RSP_DER},
	    {"0000", ERR_RSP_DER},
	    {"1f0100", ERR_RSP_DER},
	    {"9f0100", ERR_RSP_DER},
	    {"bf0100", ERR_RSP_DER},
	    {"0c0141", OK},
	    {"a000", OK},
	    {"8000", OK},
	    {"4000", OK},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice in = HEX(rows[i].hex);
		struct der der = der_of(in);
		struct slice tlv = EMPTY;
		struct slice content = EMPTY;
		uint8_t tag = 0;

		cr_expect_eq(der_read_any(&der, &tag, &content, &tlv), rows[i].e, "%s",
			     rows[i].hex);
		if (rows[i].e != OK) {
			cr_expect(der.p == in.p && tlv.len == 0, "%s", rows[i].hex);
			continue;
		}
		cr_expect(slice_eq(tlv, in) && tag == in.p[0], "%s", rows[i].hex);
		cr_expect_eq(content.len, in.len - 2, "%s", rows[i].hex);
	}
}

Test(der, booleans_are_00_or_FF)
{
	for (unsigned value = 0; value < 256; value++) {
		uint8_t in[] = {0x01, 0x01, (uint8_t)value};
		struct der der = der_of(slice_of(in, sizeof(in)));
		bool is_true = value == 0;
		err_t e = der_read_boolean(&der, &is_true);

		cr_expect_eq(e, value == 0 || value == 255 ? OK : ERR_RSP_DER, "%u", value);
		if (e == OK)
			cr_expect_eq(is_true, value == 255);
	}
}

Test(der, explicit_tags_hold_exactly_one_element)
{
	const struct {
		const char *hex;
		err_t e;
	} rows[] = {
	    {"a003020100", OK},
	    {"a000", ERR_RSP_DER},
	    {"a006020100020100", ERR_RSP_DER},
	    {"a0030a0100", ERR_RSP_DER},
	    {"a103020100", ERR_RSP_DER},
	    {"a003020200", ERR_RSP_DER},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice in = HEX(rows[i].hex);
		struct der der = der_of(in);
		struct slice content = EMPTY;

		cr_expect_eq(der_read_explicit(&der, 0xa0, DER_INTEGER, &content), rows[i].e, "%s",
			     rows[i].hex);
		cr_expect_eq(der.p, rows[i].e == OK ? in.p + in.len : in.p, "%s", rows[i].hex);
		cr_expect_eq(content.len, rows[i].e == OK ? 1 : 0, "%s", rows[i].hex);
	}
}

Test(der, algorithm_identifiers)
{
	const struct {
		const char *hex;
		err_t e;
		size_t n_parameters;
	} rows[] = {
	    {"300306012a", OK, 0},
	    {"300506012a0500", OK, 2},
	    {"300706012a02020123", OK, 4},
	    {"300706012a05000500", ERR_RSP_DER, 0},
	    {"300606012a050100", ERR_RSP_DER, 0},
	    {"30020500", ERR_RSP_DER, 0},
	    {"3000", ERR_RSP_DER, 0},
	    {"310306012a", ERR_RSP_DER, 0},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice in = HEX(rows[i].hex);
		struct der der = der_of(in);
		struct algorithm algorithm = {.oid = EMPTY};

		cr_expect_eq(der_read_algorithm(&der, &algorithm), rows[i].e, "%s", rows[i].hex);
		cr_expect_eq(algorithm.parameters.len, rows[i].n_parameters, "%s", rows[i].hex);
		if (rows[i].e == OK)
			cr_expect(slice_eq(algorithm.tlv, in) && der_is_done(&der), "%s",
				  rows[i].hex);
		else
			cr_expect(der.p == in.p && algorithm.tlv.len == 0, "%s", rows[i].hex);
	}
}

Test(der, RP_40_extensions)
{
	const struct {
		const char *hex;
		err_t e;
		bool is_critical;
	} rows[] = {
	    {"300606012a040107", OK, false},
	    {"300906012a0101ff040107", OK, true},
	    {"300906012a010100040107", OK, false}, /* explicit default */
	    {"300906012a010101040107", ERR_RSP_DER, false},
	    {"300306012a", ERR_RSP_DER, false},
	    {"3003040107", ERR_RSP_DER, false},
	    {"300806012a0401070500", ERR_RSP_DER, false},
	    {"300906012a0401070101ff", ERR_RSP_DER, false},
	    {"300606012a240107", ERR_RSP_DER, false},
	    {"3000", ERR_RSP_DER, false},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice in = HEX(rows[i].hex);
		struct der der = der_of(in);
		struct extension extension = {.oid = EMPTY};

		cr_expect_eq(der_read_extension(&der, &extension), rows[i].e, "%s", rows[i].hex);
		if (rows[i].e != OK) {
			cr_expect(der.p == in.p && extension.oid.len == 0, "%s", rows[i].hex);
			continue;
		}
		cr_expect_eq(extension.is_critical, rows[i].is_critical, "%s", rows[i].hex);
		cr_expect(slice_eq(extension.oid, HEX("2a")) &&
			  slice_eq(extension.value, HEX("07")) && slice_eq(extension.tlv, in));
	}
}

Test(der, headers_written_are_read_again)
{
	const size_t lengths[] = {0,	 1,	127,	  128,	     255,	256,
				  65535, 65536, 0xffffff, 0x1000000, 0xffffffff};
	uint8_t header[16];

	for (size_t i = 0; i < N_ELEMENTS(lengths); i++)
		cr_expect_eq(der_put_header(header, DER_SEQUENCE, lengths[i]),
			     der_header_len(lengths[i]), "%zu", lengths[i]);
	cr_expect(slice_eq(slice_of(header, 6), HEX("3084ffffffff")));
	for (size_t i = 0; i < 8; i++) {
		size_t len;

		cr_expect_eq(read_one(TLV(0x30, build_fill(1, lengths[i])), 0x30, &len), OK);
		cr_expect_eq(len, lengths[i]);
	}
}
