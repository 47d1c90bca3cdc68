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
	ask->verdict = REPLY_MISS;
	ask->issuers = issuers_ref(question->issuers);
	ask->issuer = question->issuer;
	ask->key = *question->key;
	ask->hash = question->hash;
	return ask;
}

void ask_free(struct ask *ask)
{
	if (ask == NULL)
		return;
	timer_cancel(ask->deadline);
	entry_unref(ask->entry);
	entry_unref(ask->fallback);
	issuers_unref(ask->issuers);
	free(ask);
}

void ask_drop(void *arg, struct message *message)
{
	(void)arg;
	ask_free((struct ask *)message);
}
