/* SPDX-License-Identifier: ISC */
/*
 * What relays of a fleet tell each other, as one line of ASCII:
 *
 *	1 SENDER stored KEY THIS-UPDATE PRODUCED-AT
 *	1 SENDER purge all
 *	1 SENDER purge ISSUER-ID
 *	1 SENDER purge KEY
 *
 * KEY and ISSUER-ID as in key_text, times in seconds since 1970. Whoever may write to the store may
 * say anything, so a message is a reason to look and never an answer.
 */
#ifndef OCSPRELAY_CORE_NEWS_H
#define OCSPRELAY_CORE_NEWS_H

#include "core/key.h"
#include "err.h"

#define NEWS_MAX	512 /* octets of a message; longer ones are none */
#define NEWS_SENDER_MAX 64

enum news_kind {
	NEWS_STORED,
	NEWS_PURGE_ALL,
	NEWS_PURGE_ISSUER,
	NEWS_PURGE_KEY
};

struct news {
	enum news_kind kind;
	struct slice sender;		  /* of printable ASCII without blanks, not empty */
	struct cache_key key;		  /* STORED, PURGE_KEY; its issuer_id alone: PURGE_ISSUER */
	int64_t this_update, produced_at; /* STORED; not negative */
};

/* Octets written, no NUL. The sender is at most NEWS_SENDER_MAX octets long. */
size_t news_write(char dst[NEWS_MAX], const struct news *news);

/* sender borrows from text. ERR_SYNTAX for what news_write does not write, and for other versions.
 */
MUST_CHECK err_t news_read(struct slice text, struct news *out);

#endif
