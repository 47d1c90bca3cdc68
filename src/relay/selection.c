/* SPDX-License-Identifier: ISC */
/* Reading, matching and gathering what is selected. */
#include "relay/selection.h"

#include <stdlib.h>

#include "base/bytes.h"

#define MAX_SERIAL_TEXT (3 * MAX_SERIAL_LEN + 2)

err_t selection_set_issuer(struct selection *selection, const struct issuers *issuers,
			   struct slice text)
{
	for (size_t i = 0; i < issuers_count(issuers); i++) {
		const struct issuer *issuer = issuers_at(issuers, i);

		if (!slice_eq(slice_text(issuer->label), text))
			continue;
		memcpy(selection->issuer_id, issuer->id, ISSUER_ID_LEN);
		selection->has_issuer = true;
		return OK;
	}
	if (hex_decode(selection->issuer_id, ISSUER_ID_LEN, text) != OK)
		return ERR_ISSUER_UNKNOWN;
	selection->has_issuer = true;
	return OK;
}

/* Serials are compared without the zeros that DER, or people, put in front; one octet stays. */
static struct slice strip(struct slice serial)
{
	while (serial.len > 1 && serial.p[0] == 0)
		serial = slice_skip(serial, 1);
	return serial;
}

err_t selection_set_serial(struct selection *selection, struct slice text)
{
	char digits[MAX_SERIAL_TEXT + 1];
	uint8_t octets[MAX_SERIAL_TEXT / 2 + 1];
	size_t n = 0;
	struct slice serial;

	if (text.len > 2 && text.p[0] == '0' && (text.p[1] | 0x20) == 'x')
		text = slice_skip(text, 2);
	if (text.len == 0 || text.len > MAX_SERIAL_TEXT)
		return ERR_REQ_SERIAL;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] != ':')
			digits[1 + n++] = (char)text.p[i];
		else if (i % 3 != 2 || i + 1 == text.len)
			return ERR_REQ_SERIAL;
	}
	digits[0] = '0'; /* for an odd number of them */
	serial = slice_of(digits + (n % 2 == 0), n + n % 2);
	if (hex_decode(octets, serial.len / 2, serial) != OK)
		return ERR_REQ_SERIAL;
	serial = strip(slice_of(octets, serial.len / 2));
	if (serial.len > MAX_SERIAL_LEN)
		return ERR_REQ_SERIAL;
	memcpy(selection->serial, serial.p, serial.len);
	selection->serial_len = (uint8_t)serial.len;
	return OK;
}

bool selection_of_news(const struct news *news, struct selection *out)
{
	struct selection selection = {.has_issuer = news->kind != NEWS_PURGE_ALL};
	struct slice serial = strip(slice_of(news->key.serial, news->key.serial_len));

	if (news->kind == NEWS_STORED)
		return false;
	memcpy(selection.issuer_id, news->key.issuer_id, ISSUER_ID_LEN);
	if (news->kind == NEWS_PURGE_KEY) {
		memcpy(selection.serial, serial.p, serial.len);
		selection.serial_len = (uint8_t)serial.len;
	}
	*out = selection;
	return true;
}

bool selection_has(const struct selection *selection, const struct cache_key *key)
{
	if (selection->has_issuer &&
	    memcmp(selection->issuer_id, key->issuer_id, ISSUER_ID_LEN) != 0)
		return false;
	return selection->serial_len == 0 ||
	       slice_eq(slice_of(selection->serial, selection->serial_len),
			strip(slice_of(key->serial, key->serial_len)));
}

/* As a CA writes it (X.690 8.3), with a zero before a first bit of 1; and as those CAs do who take
 * the number for an unsigned one (RP-38). */
static void each_form(const uint8_t id[ISSUER_ID_LEN], struct slice serial, selection_fn *fn,
		      void *arg)
{
	uint8_t padded[MAX_SERIAL_LEN] = {0};
	struct cache_key key;

	for (unsigned alg = 0; alg < N_HASH_ALGS; alg++) {
		key_make(&key, id, (enum hash_alg)alg, serial);
		fn(arg, &key);
		if (serial.p[0] < 0x80 || serial.len == MAX_SERIAL_LEN)
			continue;
		memcpy(padded + 1, serial.p, serial.len);
		key_make(&key, id, (enum hash_alg)alg, slice_of(padded, serial.len + 1));
		fn(arg, &key);
	}
}

void selection_each_key(const struct selection *selection, const struct issuers *issuers,
			selection_fn *fn, void *arg)
{
	const struct slice serial = slice_of(selection->serial, selection->serial_len);

	if (selection->has_issuer) {
		each_form(selection->issuer_id, serial, fn, arg);
		return;
	}
	for (size_t i = 0; i < issuers_count(issuers); i++)
		each_form(issuers_at(issuers, i)->id, serial, fn, arg);
}

/* --- gathering -------------------------------------------------------------------------------- */

struct harvest {
	const struct selection *selection;
	int64_t now, until;
	struct gathering *out;
	size_t cap;
	bool has_failed;
};

static bool is_wanted(const struct harvest *harvest, const struct entry *entry)
{
	struct cache_key key;

	if (entry->hard_expiry <= harvest->now || entry->hard_expiry >= harvest->until)
		return false;
	entry_key(entry, &key);
	return selection_has(harvest->selection, &key);
}

static void take(void *arg, struct entry *entry)
{
	struct harvest *harvest = arg;
	struct gathering *out = harvest->out;

	if (harvest->has_failed || !is_wanted(harvest, entry))
		return;
	if (out->n == harvest->cap) {
		size_t cap = harvest->cap ? 2 * harvest->cap : 1024;
		struct entry **longer = realloc(out->entries, cap * sizeof(struct entry *));

		if (longer == NULL) {
			harvest->has_failed = true;
			return;
		}
		out->entries = longer;
		harvest->cap = cap;
	}
	out->entries[out->n++] = entry_ref(entry);
}

static int by_expiry(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;

	if (x->hard_expiry != y->hard_expiry)
		return x->hard_expiry < y->hard_expiry ? -1 : 1;
	return 0;
}

err_t selection_gather(const struct selection *selection, struct cache *cache, int64_t now,
		       int64_t until, struct gathering *out)
{
	struct harvest harvest = {.selection = selection, .now = now, .until = until, .out = out};

	*out = (struct gathering){.entries = NULL};
	cache_each(cache, take, &harvest);
	if (harvest.has_failed) {
		gathering_fini(out);
		return ERR_NO_MEMORY;
	}
	if (out->n > 0)
		qsort(out->entries, out->n, sizeof(struct entry *), by_expiry);
	return OK;
}

void gathering_fini(struct gathering *gathering)
{
	for (size_t i = 0; i < gathering->n; i++)
		entry_unref(gathering->entries[i]);
	free(gathering->entries);
	*gathering = (struct gathering){.entries = NULL};
}
