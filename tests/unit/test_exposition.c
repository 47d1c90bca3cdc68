/* SPDX-License-Identifier: ISC */
/* Which format a client gets, and what stands above the samples in each. */
#include "ctl/exposition.h"

#include <criterion/criterion.h>

#include "base/bytes.h"

#define OM   "application/openmetrics-text"
#define TEXT "text/plain"

Test(exposition, openmetrics_for_those_who_ask_for_it)
{
	static const struct {
		const char *accept;
		enum exposition format;
	} rows[] = {
	    {NULL, EXPOSITION_TEXT},
	    {"", EXPOSITION_TEXT},
	    {"*/*", EXPOSITION_TEXT},
	    {TEXT, EXPOSITION_TEXT},
	    {"application/*", EXPOSITION_TEXT},
	    {"text/html, " TEXT ";q=0.5", EXPOSITION_TEXT},
	    {OM, EXPOSITION_OPENMETRICS},
	    {"Application/OpenMetrics-Text", EXPOSITION_OPENMETRICS},
	    {OM "; version=1.0.0; charset=utf-8", EXPOSITION_OPENMETRICS},
	    {OM ";version=\"1.0.0\"", EXPOSITION_OPENMETRICS},
	    {OM ";version=0.0.1", EXPOSITION_TEXT},
	    {OM ";version=2.0.0", EXPOSITION_TEXT},
	    {OM ";q=0", EXPOSITION_TEXT},
	    {OM ";q=0, */*", EXPOSITION_TEXT},
	    {OM "," TEXT, EXPOSITION_OPENMETRICS},
	    {OM ";q=0.5," TEXT ";q=0.6", EXPOSITION_TEXT},
	    {OM ";q=0.6," TEXT ";q=0.5", EXPOSITION_OPENMETRICS},
	    {OM ";q=0.501 , " TEXT " ; Q=0.5", EXPOSITION_OPENMETRICS},
	    {OM ";q=0.5, text/*;q=0.7", EXPOSITION_TEXT},
	    {OM ";q=0.5, text/*;q=0.7, " TEXT ";q=0.1", EXPOSITION_OPENMETRICS},
	    {OM ";q=0.5, */*;q=0.7", EXPOSITION_TEXT},
	    {OM ";q=1.001", EXPOSITION_TEXT},
	    {OM ";q=abc", EXPOSITION_TEXT},
	    {OM ";q=0.1234", EXPOSITION_TEXT},
	    {OM ";q=", EXPOSITION_TEXT},
	    {",;,;q=1," OM ";", EXPOSITION_OPENMETRICS},
	    /* Prometheus 2.42 */
	    {OM ";version=1.0.0," OM ";version=0.0.1;q=0.75," TEXT ";version=0.0.4;q=0.5,*/*;q=0.1",
	     EXPOSITION_OPENMETRICS},
	    /* Prometheus 3 */
	    {OM ";version=1.0.0;escaping=allow-utf-8;q=0.6," OM ";version=0.0.1;q=0.5," TEXT
		";version=1.0.0;escaping=allow-utf-8;q=0.4," TEXT ";version=0.0.4;q=0.3,*/*;q=0.2",
	     EXPOSITION_OPENMETRICS},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(exposition_choose(rows[i].accept), rows[i].format, "%s",
			     rows[i].accept ? rows[i].accept : "no Accept");
}

Test(exposition, heads_name_family_type_and_unit)
{
	static const struct {
		struct family family;
		const char *text, *openmetrics;
	} rows[] = {
	    {{FAMILY_COUNTER, "p_", "asked_total", "Help"},
	     "# HELP p_asked_total Help\n# TYPE p_asked_total counter\n",
	     "# HELP p_asked Help\n# TYPE p_asked counter\n"},
	    {{FAMILY_COUNTER, "", "cpu_seconds_total", "Help"},
	     "# HELP cpu_seconds_total Help\n# TYPE cpu_seconds_total counter\n",
	     "# HELP cpu_seconds Help\n# TYPE cpu_seconds counter\n# UNIT cpu_seconds seconds\n"},
	    {{FAMILY_LONELY, "p_", "open_total", "Help"},
	     "# HELP p_open_total Help\n# TYPE p_open_total counter\n",
	     "# HELP p_open_total Help\n# TYPE p_open_total unknown\n"},
	    {{FAMILY_GAUGE, "p_", "cache_bytes", "Help"},
	     "# HELP p_cache_bytes Help\n# TYPE p_cache_bytes gauge\n",
	     "# HELP p_cache_bytes Help\n# TYPE p_cache_bytes gauge\n"
	     "# UNIT p_cache_bytes bytes\n"},
	    {{FAMILY_HISTOGRAM, "p_", "took_seconds", "Help"},
	     "# HELP p_took_seconds Help\n# TYPE p_took_seconds histogram\n",
	     "# HELP p_took_seconds Help\n# TYPE p_took_seconds histogram\n"
	     "# UNIT p_took_seconds seconds\n"},
	    {{FAMILY_QUANTILES, "p_", "left", "Help"},
	     "# HELP p_left Help\n# TYPE p_left summary\n",
	     "# HELP p_left Help\n# TYPE p_left gauge\n"},
	    {{FAMILY_INFO, "p_", "build_info", "Help"},
	     "# HELP p_build_info Help\n# TYPE p_build_info gauge\n",
	     "# HELP p_build Help\n# TYPE p_build info\n"},
	};
	struct buf out;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		buf_init(&out, 4096);
		exposition_head(&out, EXPOSITION_TEXT, &rows[i].family);
		exposition_end(&out, EXPOSITION_TEXT);
		cr_expect(slice_eq(buf_slice(&out), slice_text(rows[i].text)), "%s", rows[i].text);
		buf_reset(&out);
		exposition_head(&out, EXPOSITION_OPENMETRICS, &rows[i].family);
		cr_expect(slice_eq(buf_slice(&out), slice_text(rows[i].openmetrics)), "%s",
			  rows[i].openmetrics);
		buf_fini(&out);
	}
	buf_init(&out, 16);
	exposition_end(&out, EXPOSITION_OPENMETRICS);
	cr_expect(slice_eq(buf_slice(&out), slice_text("# EOF\n")));
	buf_fini(&out);
}
