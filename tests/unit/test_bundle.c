/* SPDX-License-Identifier: ISC */
/* Bundles: what is written is read again, in whatever pieces; damage is found and passed over. */
#include <criterion/criterion.h>

#include "build.h"
#include "core/bundle.h"

#define MAX_RECORD 100
#define ID	   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY	   ID ":s1:0a"
#define HEAD	   "ocsprelay-bundle 1\n"

static struct cache_key key_of(const char *text)
{
	struct cache_key key;

	cr_assert_eq(key_from_text(slice_text(text), &key), OK);
	return key;
}

/* Of two records, the second with a line feed and what looks like an end inside. */
static struct buf written(void)
{
	const struct cache_key first = key_of(KEY), second = key_of(ID ":s256:00ff");
	struct buf buf;

	buf_init(&buf, 1000);
	bundle_put_head(&buf);
	bundle_put_record(&buf, &first, slice_text("abc"));
	bundle_put_record(&buf, &second, slice_text("x\nend 0\n"));
	bundle_put_end(&buf, 2, true);
	cr_assert_eq(buf.err, OK);
	return buf;
}

Test(bundle, is_written_so)
{
	struct buf buf = written();

	cr_expect(
	    slice_eq(buf_slice(&buf), slice_text(HEAD "record 3 " KEY "\nabc\n"
						      "record 8 " ID ":s256:00ff\nx\nend 0\n\n"
						      "end 2\n")));
	buf_fini(&buf);
}

Test(bundle, is_read_however_little_is_there)
{
	struct buf buf = written();

	for (size_t n = 0; n <= buf.len; n++) {
		struct slice exact = build_exact(slice_take(buf_slice(&buf), n)), rest = exact;
		struct bundle_item items[3];
		unsigned n_items = 0;
		err_t err = bundle_read_head(&rest);

		while (err == OK && n_items < 3 &&
		       (err = bundle_read(&rest, MAX_RECORD, &items[n_items])) == OK)
			n_items++;
		cr_expect_eq(err, n == buf.len ? OK : ERR_AGAIN, "%zu", n);
		if (n == buf.len) {
			cr_expect_eq(rest.len, 0);
			cr_expect(slice_eq(items[0].key, slice_text(KEY)));
			cr_expect(slice_eq(items[0].record, slice_text("abc")));
			cr_expect(slice_eq(items[1].record, slice_text("x\nend 0\n")));
			cr_expect(items[2].is_end && items[2].is_complete && items[2].count == 2);
		}
		free((void *)exact.p);
	}
	buf_fini(&buf);
}

Test(bundle, heads)
{
	static const struct {
		const char *text;
		err_t err;
	} rows[] = {
	    {HEAD, OK},
	    {"", ERR_AGAIN},
	    {"ocsprelay-bundle 1", ERR_AGAIN},
	    {"ocsprelay-bundle 2\n", ERR_RECORD_VERSION},
	    {"ocsprelay-bundle 10\n", ERR_RECORD_VERSION},
	    {"ocsprelay-bundle\n", ERR_SYNTAX},
	    {"ocsprelay-bundle 1\r\n", ERR_RECORD_VERSION},
	    {"PK\003\004\n", ERR_SYNTAX},
	    {"\n", ERR_SYNTAX},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice rest = slice_text(rows[i].text);

		cr_expect_eq(bundle_read_head(&rest), rows[i].err, "%zu", i);
		cr_expect_eq(rest.len, rows[i].err == OK ? 0 : strlen(rows[i].text), "%zu", i);
	}
}

Test(bundle, items)
{
	static const struct {
		const char *text;
		err_t err;
	} rows[] = {
	    {"end 0\n", OK},
	    {"incomplete 7\n", OK},
	    {"record 1 k\na\n", OK},
	    {"record 1 k\nab", ERR_SYNTAX},
	    {"record 3 k\na\n", ERR_AGAIN},
	    {"record 1 k\na", ERR_AGAIN},
	    {"record 0 k\n\n", ERR_SYNTAX},
	    {"record 101 k\n", ERR_TOO_LONG},
	    {"record 99999999999999999999999 k\n", ERR_SYNTAX},
	    {"record -1 k\n", ERR_SYNTAX},
	    {"record 1\na\n", ERR_SYNTAX},
	    {"record  1 k\na\n", ERR_SYNTAX},
	    {"Record 1 k\na\n", ERR_SYNTAX},
	    {"end\n", ERR_SYNTAX},
	    {"end x\n", ERR_SYNTAX},
	    {"end 1 2\n", ERR_SYNTAX},
	    {"\n", ERR_SYNTAX},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice exact = build_exact(slice_text(rows[i].text)), rest = exact;
		struct bundle_item item;

		cr_expect_eq(bundle_read(&rest, MAX_RECORD, &item), rows[i].err, "%zu", i);
		cr_expect_eq(rest.len, rows[i].err == OK ? 0 : exact.len, "%zu", i);
		free((void *)exact.p);
	}
}

Test(bundle, lines_have_an_end)
{
	char line[BUNDLE_LINE_MAX + 1];
	struct slice rest = slice_of(line, sizeof(line));
	struct bundle_item item;

	memset(line, 'r', sizeof(line));
	cr_expect_eq(bundle_read(&rest, MAX_RECORD, &item), ERR_SYNTAX);
	rest.len = BUNDLE_LINE_MAX - 1;
	cr_expect_eq(bundle_read(&rest, MAX_RECORD, &item), ERR_AGAIN);
}

Test(bundle, what_is_damaged_is_passed_over)
{
	static const struct {
		const char *text, *rest;
		bool found;
	} rows[] = {
	    {"rec0rd 1 k\na\nrecord 1 k\nb\n", "record 1 k\nb\n", true},
	    {"record 1 k\nabc\nend 2\n", "end 2\n", true},
	    {"x\nincomplete 2\n", "incomplete 2\n", true},
	    {"x\ny\nrec", "y\nrec", false},
	    {"x\n", "x\n", false},
	    {"abc", "", false},
	    {"a\nb\nc", "", false},
	    {"", "", false},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice exact = build_exact(slice_text(rows[i].text)), rest = exact;

		cr_expect_eq(bundle_skip(&rest), rows[i].found, "%zu", i);
		cr_expect(slice_eq(rest, slice_text(rows[i].rest)), "%zu: %.*s", i, (int)rest.len,
			  (const char *)rest.p);
		free((void *)exact.p);
	}
}
