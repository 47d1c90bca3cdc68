/* SPDX-License-Identifier: ISC */
/* Lines of 80 columns: where they break, and what is not broken. */
#include "cmd/fold.h"

#include <criterion/criterion.h>
#include <string.h>

#include "types.h"

#define TEN   "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define HEX   FIFTY TEN "0123"

Test(fold, lines_break_at_spaces_and_words_stay_whole)
{
	static const struct {
		const char *begun, *text, *expected;
	} rows[] = {
	    {"  name  ", "short", "  name  short"},
	    {"  name  ", FIFTY " " TEN " " TEN, "  name  " FIFTY " " TEN " " TEN}, /* 80 columns */
	    {"  name  ", FIFTY " " TEN " " TEN "0 end",
	     "  name  " FIFTY " " TEN "\n        " TEN "0 end"},
	    {"before\n  name  ", HEX TEN " end", "before\n  name\n    " HEX TEN "\n        end"},
	    {"  name  ", "a " HEX TEN, "  name  a\n    " HEX TEN},
	    {"    ", HEX TEN TEN, "    " HEX TEN TEN},
	    {"  name  ", "\033[1;31m" FIFTY "\033[0m \303\274" TEN " " TEN,
	     "  name  \033[1;31m" FIFTY "\033[0m \303\274" TEN "\n        " TEN},
	    {"  name  ", "two  spaces", "  name  two  spaces"},
	    {"  name  ", "", "  name  "},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct buf out;

		buf_init(&out, 4096);
		buf_text(&out, rows[i].begun);
		fold_printf(&out, 8, "%s", rows[i].text);
		buf_append(&out, "", 1);
		cr_assert_eq(out.err, OK);
		cr_expect_str_eq((const char *)out.p, rows[i].expected, "row %zu: %s", i,
				 (const char *)out.p);
		buf_fini(&out);
	}
}
