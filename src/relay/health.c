/* SPDX-License-Identifier: ISC */
/* Looking through issuers for those whom a responder's health concerns: when it changes, not else.
 */
#include "relay/health.h"

#include <string.h>

#include "base/counters.h"

bool health_is_rehearsed(const struct common *common, const struct issuer *issuer, int64_t ms_now)
{
	return trouble_rehearsal_left(common->trouble, issuer->slot, ms_now) > 0;
}

/* Really. */
static bool has_none(const struct common *common, const struct issuer *issuer, int64_t ms_now)
{
	for (size_t i = 0; i < issuer->n_responders; i++) {
		if (!responder_get(common->responders, issuer->responders[i].url, ms_now).is_down)
			return false;
	}
	return issuer->n_responders > 0;
}

bool health_is_down(const struct common *common, const struct issuer *issuer, int64_t ms_now)
{
	return health_is_rehearsed(common, issuer, ms_now) || has_none(common, issuer, ms_now);
}

static uint64_t sum(unsigned slot, const unsigned *statuses, size_t n_statuses)
{
	int64_t n = 0;

	for (size_t i = 0; i < n_statuses; i++)
		n += counter_sum(METRIC_RESPONSES, slot, statuses[i], 0);
	return n > 0 ? (uint64_t)n : 0;
}

uint64_t health_answers(unsigned slot)
{
	static const unsigned statuses[] = {LABEL_STATUS_GOOD, LABEL_STATUS_REVOKED,
					    LABEL_STATUS_UNKNOWN};

	return sum(slot, statuses, N_ELEMENTS(statuses));
}

uint64_t health_errors(unsigned slot)
{
	static const unsigned statuses[] = {LABEL_STATUS_TRY_LATER, LABEL_STATUS_INTERNAL_ERROR};

	return sum(slot, statuses, N_ELEMENTS(statuses));
}

static bool has_responder(const struct issuer *issuer, const char *url)
{
	for (size_t i = 0; i < issuer->n_responders; i++) {
		if (url == NULL || strcmp(issuer->responders[i].url, url) == 0)
			return true;
	}
	return url == NULL;
}

uint64_t health_saved(const struct common *common, const struct issuers *issuers, const char *url)
{
	uint64_t n = 0;

	for (size_t i = 0; i < issuers_count(issuers); i++) {
		const struct issuer *issuer = issuers_at(issuers, i);

		if (has_responder(issuer, url))
			n += trouble_saved(common->trouble, issuer->slot,
					   health_answers(issuer->slot));
	}
	return n;
}

void health_note(const struct common *common, const struct issuers *issuers, const char *url,
		 int64_t ms_now)
{
	for (size_t i = 0; i < issuers_count(issuers); i++) {
		const struct issuer *issuer = issuers_at(issuers, i);

		if (has_responder(issuer, url))
			trouble_note(common->trouble, issuer->slot,
				     has_none(common, issuer, ms_now),
				     health_answers(issuer->slot));
	}
}
