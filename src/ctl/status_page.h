/* SPDX-License-Identifier: ISC */
/*
 * The status page: one HTML document with its style and its scripts inside, made of the files in
 * src/ctl/page, which the build puts into the program. It holds no data: its script asks the API.
 * Immutable once made.
 */
#ifndef OCSPRELAY_CTL_STATUS_PAGE_H
#define OCSPRELAY_CTL_STATUS_PAGE_H

#include "base/buf.h"

/* The files, from page/embed.sh. */
#define PAGE_FILE(name)                           \
	extern const unsigned char page_##name[]; \
	extern const size_t page_##name##_len
PAGE_FILE(status_html);
PAGE_FILE(status_css);
PAGE_FILE(words_js);
PAGE_FILE(draw_js);
PAGE_FILE(status_js);
#undef PAGE_FILE

struct status_page;

struct status_page *status_page_new(void);	 /* NULL without memory */
void status_page_free(struct status_page *page); /* NULL is fine */

struct slice status_page_html(const struct status_page *page);

/* The Content-Security-Policy under which it works: this very style and this very script, the API
 * of where it came from, and nothing else. */
const char *status_page_policy(const struct status_page *page);

#endif
