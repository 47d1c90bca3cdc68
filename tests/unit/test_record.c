/* SPDX-License-Identifier: ISC */
/* The stored record (section 6 of the interface; rules SL-14, VS-24): the exact layout, and that
 * everything else is refused. */
#include <criterion/criterion.h>

#include "build.h"
#include "core/record.h"

#define MAX_DER 1000
#define HEADER_HEX         \
	"01000000"         \
	"00000005"         \
	"0000000065a1b2c3" \
	"0000000165a1b2c3"

static err_t verdict(struct slice in)
{
	struct slice exact = build_exact(in);
	struct record record = {.fetched_at = -5};
	err_t e = record_parse(exact, MAX_DER, &record);

	if (e != OK)
		cr_expect(record.fetched_at == -5 && record.der.p == NULL);
	free((void *)exact.p);
	return e;
}

/* What is written, with the DER behind it. */
static struct slice written(const struct record *record)
{
	uint8_t header[RECORD_HEADER_LEN];

	record_put_header(header, record);
	return CAT(slice_of(header, sizeof(header)), record->der);
}

Test(record, NK_11_layout_of_version_1)
{
	struct record record = {
	    .fetched_at = 0x65a1b2c3, .refresh_at = 0x165a1b2c3, .der = HEX("30030a0106")};

	cr_expect(slice_eq(written(&record), HEX(HEADER_HEX "30030a0106")));
}

Test(record, SL_14_what_is_written_is_read_again)
{
	const int64_t times[] = {0, 1, -1, INT64_MAX, INT64_MIN, 1767225600};
	const size_t lengths[] = {1, 5, 255, 256, MAX_DER};

	for (size_t i = 0; i < N_ELEMENTS(times); i++) {
		for (size_t j = 0; j < N_ELEMENTS(lengths); j++) {
			struct record in = {.fetched_at = times[i],
					    .refresh_at = times[N_ELEMENTS(times) - 1 - i],
					    .der = build_fill(0x30, lengths[j])};
			struct record out;

			cr_assert_eq(record_parse(written(&in), MAX_DER, &out), OK);
			cr_expect_eq(out.fetched_at, in.fetched_at);
			cr_expect_eq(out.refresh_at, in.refresh_at);
			cr_expect(slice_eq(out.der, in.der));
		}
	}
}

Test(record, SL_14_every_cut_is_refused)
{
	struct slice whole = HEX(HEADER_HEX "30030a0106");

	cr_expect_eq(verdict(whole), OK);
	for (size_t n = 0; n < whole.len; n++)
		cr_expect_eq(verdict(slice_take(whole, n)), ERR_RECORD_LENGTH, "%zu", n);
	cr_expect_eq(verdict(CAT(whole, HEX("00"))), ERR_RECORD_LENGTH);
}

Test(record, NK_11_unknown_versions_are_not_parsed)
{
	struct slice rest = HEX("00000000000005000000000000000000000000000000000030030a0106");

	for (unsigned version = 0; version < 256; version++) {
		uint8_t octet = (uint8_t)version;

		if (version != RECORD_VERSION) {
			cr_expect_eq(verdict(CAT(slice_of(&octet, 1), rest)), ERR_RECORD_VERSION);
			cr_expect_eq(verdict(slice_of(&octet, 1)), ERR_RECORD_VERSION);
		}
	}
}

Test(record, flags_and_reserved_octets_are_zero_in_version_1)
{
	for (size_t i = 1; i < 4; i++) {
		struct slice copy = HEX(HEADER_HEX "30030a0106");

		((uint8_t *)copy.p)[i] = 1;
		cr_expect_eq(verdict(copy), ERR_RECORD_VERSION, "%zu", i);
	}
}

Test(record, SL_14_length_must_be_true_and_within_limits)
{
	struct record largest = {.der = build_fill(1, MAX_DER)};
	struct record larger = {.der = build_fill(1, MAX_DER + 1)};
	struct record empty = {.der = EMPTY};
	struct slice lie = HEX("0100000000000006"
			       "0000000065a1b2c30000000165a1b2c330030a0106");

	cr_expect_eq(verdict(written(&largest)), OK);
	cr_expect_eq(verdict(written(&larger)), ERR_RECORD_LENGTH);
	cr_expect_eq(verdict(written(&empty)), ERR_RECORD_LENGTH);
	cr_expect_eq(verdict(lie), ERR_RECORD_LENGTH);
}
