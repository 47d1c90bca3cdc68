/* SPDX-License-Identifier: ISC */
/* Making and freeing asks. */
#include "relay/ask.h"

#include <stdlib.h>
#include <string.h>

struct ask *ask_new(const struct ask_question *question)
{
	const struct ocsp_request_limits limits = {.max_certids = MAX_CERTIDS,
						   .max_extensions = UINT32_MAX};
	const struct slice der = question->der, signed_der = question->signed_der;
	struct ask *ask = malloc(sizeof(*ask) + der.len + signed_der.len);

	if (ask == NULL)
		return NULL;
	memset(ask, 0, sizeof(*ask));
	if (der.len > 0)
		memcpy(ask->der, der.p, der.len);
	if (signed_der.len > 0)
		memcpy(ask->der + der.len, signed_der.p, signed_der.len);
	ask->signed_der = slice_of(ask->der + der.len, signed_der.len);
	/* parsed anew, so that the view borrows from the ask's own octets */
	if (ocsp_request_parse(slice_of(ask->der, der.len), &limits, &ask->request) != OK) {
		free(ask);
		return NULL;
	}
	ask->kind = question->kind;
	ask->may_store = true;
	ask->is_background = question->kind == ASK_REFRESH;
	ask->verdict = REPLY_MISS;
	ask->issuers = issuers_ref(question->issuers);
	ask->issuer = question->issuer;
	ask->key = *question->key;
	ask->hash = question->hash;
	return ask;
}

struct ask *ask_from_key(enum ask_kind kind, struct issuers *issuers, const struct cache_key *key,
			 uint64_t hash)
{
	const struct issuer *issuer = issuers_by_id(issuers, key->issuer_id);
	const size_t len = hash_algs[key->alg].len;
	struct ask_question question = {
	    .kind = kind, .issuers = issuers, .issuer = issuer, .key = key, .hash = hash};
	uint8_t der[MAX_MINIMAL_REQUEST_LEN];
	struct certid certid = {.alg = (enum hash_alg)key->alg,
				.serial = slice_of(key->serial, key->serial_len)};

	if (issuer == NULL)
		return NULL;
	certid.name_hash = slice_of(issuer->names[0].hash[key->alg], len);
	certid.key_hash = slice_of(issuer->key_hash[key->alg], len);
	if (ocsp_request_encode(&certid, slice_of(NULL, 0), der, sizeof(der), &question.der.len) !=
	    OK)
		return NULL;
	question.der.p = der;
	return ask_new(&question);
}

bool ask_give(struct ask *ask, struct slice record)
{
	uint8_t *copy = malloc(record.len > 0 ? record.len : 1);

	if (copy == NULL)
		return false;
	if (record.len > 0)
		memcpy(copy, record.p, record.len);
	ask->given = slice_of(copy, record.len);
	return true;
}

void ask_free(struct ask *ask)
{
	if (ask == NULL)
		return;
	timer_cancel(ask->deadline);
	entry_unref(ask->entry);
	entry_unref(ask->fallback);
	issuers_unref(ask->issuers);
	free((void *)(uintptr_t)ask->given.p);
	free(ask);
}

void ask_drop(void *arg, struct message *message)
{
	(void)arg;
	ask_free((struct ask *)message);
}
