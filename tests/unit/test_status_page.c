/* SPDX-License-Identifier: ISC */
/* The status page is whole, and its policy allows what is in it and nothing else. */
#include "ctl/status_page.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/base64.h"
#include "core/digest.h"

static struct status_page *page;

static void set_up(void)
{
	page = status_page_new();
	cr_assert_not_null(page);
}

static void tear_down(void)
{
	status_page_free(page);
}

TestSuite(status_page, .init = set_up, .fini = tear_down);

static const uint8_t *find(struct slice in, const char *text)
{
	const uint8_t *found = memmem(in.p, in.len, text, strlen(text));

	cr_assert_not_null(found, "%s", text);
	return found;
}

Test(status_page, policy_has_the_digests_of_what_is_between_the_tags)
{
	static const char *const tags[] = {"style", "script"};
	struct slice html = status_page_html(page);

	for (size_t i = 0; i < N_ELEMENTS(tags); i++) {
		char open[16], close[16], base64[64] = "", directive[128];
		uint8_t digest[SHA256_LEN];
		const uint8_t *start, *end;

		snprintf(open, sizeof(open), "<%s>", tags[i]);
		snprintf(close, sizeof(close), "</%s>", tags[i]);
		start = find(html, open) + strlen(open);
		end = find(html, close);
		cr_assert_gt(end - start, 1000);
		cr_assert(digest_sha256(slice_of(start, (size_t)(end - start)), digest));
		base64_encode(base64, slice_of(digest, sizeof(digest)));
		snprintf(directive, sizeof(directive), "%s-src 'sha256-%s';", tags[i], base64);
		cr_expect_not_null(strstr(status_page_policy(page), directive), "%s in %s",
				   directive, status_page_policy(page));
	}
}

Test(status_page, policy_forbids_the_rest)
{
	static const char *const directives[] = {
	    "default-src 'none';", "connect-src 'self';",    "base-uri 'none';",
	    "form-action 'none';", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
	};
	const char *policy = status_page_policy(page);

	for (size_t i = 0; i < N_ELEMENTS(directives); i++)
		cr_expect_not_null(strstr(policy, directives[i]), "%s", directives[i]);
	cr_expect_null(strstr(policy, "unsafe"));
	cr_expect_null(strchr(policy, '*'));
	cr_expect_null(strstr(policy, "http"));
}

Test(status_page, is_whole_and_needs_nothing_from_outside)
{
	static const char *const never[] = {
	    "@style@",	      "@script@",	"src=",	   "innerHTML", "outerHTML", "eval(",
	    "insertAdjacent", "document.write", "@import", "url(",	"setHTML",   "srcdoc"};
	struct slice html = status_page_html(page);

	cr_expect_eq(find(html, "<!DOCTYPE html>"), html.p);
	cr_expect_eq(find(html, "</html>\n") + 8, html.p + html.len);
	find(html, "<noscript>");
	find(html, "ocsprelay status");
	for (size_t i = 0; i < N_ELEMENTS(never); i++)
		cr_expect_null(memmem(html.p, html.len, never[i], strlen(never[i])), "%s",
			       never[i]);
}
