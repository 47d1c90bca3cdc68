/* SPDX-License-Identifier: ISC */
/*
 * A bundle: stored records on their way from one relay to another, as a file or in parts. Lines of
 * ASCII, each ended by a line feed, with records between them:
 *
 *	ocsprelay-bundle 1
 *	record LENGTH KEY	KEY as in key_text; then LENGTH octets (record.h) and a line feed
 *	...
 *	end COUNT		or "incomplete COUNT", when a store could not be read to its end
 *
 * Nothing in it is trusted: what it claims of a record is what the record is verified against.
 */
#ifndef OCSPRELAY_CORE_BUNDLE_H
#define OCSPRELAY_CORE_BUNDLE_H

#include "base/buf.h"
#include "core/key.h"
#include "err.h"

#define BUNDLE_HEAD "ocsprelay-bundle 1\n"

/* The longest line, with its line feed. */
#define BUNDLE_LINE_MAX (KEY_TEXT_SIZE + 32)

/* Append to out, which remembers failure. */
void bundle_put_head(struct buf *out);
void bundle_put_record(struct buf *out, const struct cache_key *key, struct slice record);
void bundle_put_end(struct buf *out, uint64_t count, bool is_complete);

struct bundle_item {
	bool is_end;
	/* of the end */
	uint64_t count;
	bool is_complete;
	/* else; borrowed */
	struct slice key;    /* as it stands there */
	struct slice record; /* not empty */
};

/*
 * The functions below cut their part off the front of *rest, or leave *rest as it is: ERR_AGAIN:
 * octets are missing behind it. ERR_SYNTAX. ERR_TOO_LONG: a record longer than max_record.
 * ERR_RECORD_VERSION: a bundle of another version.
 */
MUST_CHECK err_t bundle_read_head(struct slice *rest);
MUST_CHECK err_t bundle_read(struct slice *rest, size_t max_record, struct bundle_item *out);

/* After a failure, when something is damaged: cuts off what is in front of the next line that may
 * begin an item, at least one octet. False: there is none, and *rest is what may become the
 * beginning of one. */
bool bundle_skip(struct slice *rest);

#endif
