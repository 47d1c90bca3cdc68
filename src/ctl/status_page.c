/* SPDX-License-Identifier: ISC */
/* Putting the page together: status.html has a line @style@ and a line @script@. */
#include "ctl/status_page.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/base64.h"
#include "core/digest.h"

#define MAX_HTML   1048576
#define MAX_POLICY 1024

struct status_page {
	struct buf html, policy;
};

struct part {
	const unsigned char *p;
	const size_t *len;
};

static const struct part style[] = {{page_status_css, &page_status_css_len}};
static const struct part script[] = {{page_words_js, &page_words_js_len},
				     {page_draw_js, &page_draw_js_len},
				     {page_status_js, &page_status_js_len}};

static const struct {
	const char *mark;
	const char *directive;
	const struct part *parts;
	size_t n;
} insertions[] = {
    {"@style@", "style-src", style, N_ELEMENTS(style)},
    {"@script@", "script-src", script, N_ELEMENTS(script)},
};

/* Trusted types: no text ever becomes markup, by whatever mistake. */
static const char rest_of_policy[] =
    "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/* CSP 3 2.3.1: 'sha256-BASE64' of the octets between the tags. */
static void put_source(struct buf *policy, const char *directive, struct slice octets)
{
	uint8_t digest[SHA256_LEN] = {0};
	char text[64] = "";

	if (!digest_sha256(octets, digest))
		policy->err = ERR_NO_MEMORY;
	base64_encode(text, slice_of(digest, sizeof(digest)));
	buf_printf(policy, "%s 'sha256-%.*s'; ", directive, (int)base64_len(sizeof(digest)), text);
}

static void put_html(struct status_page *page)
{
	struct slice rest = slice_of(page_status_html, page_status_html_len);

	for (size_t i = 0; i < N_ELEMENTS(insertions); i++) {
		size_t mark_len = strlen(insertions[i].mark), start;
		const uint8_t *mark = memmem(rest.p, rest.len, insertions[i].mark, mark_len);
		size_t before = mark != NULL ? (size_t)(mark - rest.p) : rest.len;

		buf_append(&page->html, rest.p, before);
		start = page->html.len;
		for (size_t j = 0; j < insertions[i].n; j++)
			buf_append(&page->html, insertions[i].parts[j].p,
				   *insertions[i].parts[j].len);
		if (page->html.err == OK)
			put_source(&page->policy, insertions[i].directive,
				   slice_skip(buf_slice(&page->html), start));
		rest = slice_skip(rest, before + mark_len);
	}
	buf_append(&page->html, rest.p, rest.len);
}

struct status_page *status_page_new(void)
{
	struct status_page *page = calloc(1, sizeof(*page));

	if (page == NULL)
		return NULL;
	buf_init(&page->html, MAX_HTML);
	buf_init(&page->policy, MAX_POLICY);
	buf_text(&page->policy, "default-src 'none'; ");
	put_html(page);
	buf_append(&page->policy, rest_of_policy, sizeof(rest_of_policy)); /* with its NUL */
	if (page->html.err != OK || page->policy.err != OK) {
		status_page_free(page);
		return NULL;
	}
	return page;
}

void status_page_free(struct status_page *page)
{
	if (page == NULL)
		return;
	buf_fini(&page->html);
	buf_fini(&page->policy);
	free(page);
}

struct slice status_page_html(const struct status_page *page)
{
	return buf_slice(&page->html);
}

const char *status_page_policy(const struct status_page *page)
{
	return (const char *)page->policy.p;
}
