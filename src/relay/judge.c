/* SPDX-License-Identifier: ISC */
/* Octets to verdicts and entries. */
#include "relay/judge.h"

#include "core/record.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "relay/back.h"

/* By whom this thread trusts now, and not when the ask began: a reload may have come in between
 * (relay_reload). One that is configured no more answers those who wait, and then nobody. */
static err_t judge(const struct judge *judge, const struct ask *question, struct slice der,
		   struct verdict *out)
{
	const struct issuer *current = issuers_by_id(judge->rules->issuers, question->issuer->id);
	const struct verify_question about = {.certids = question->request.certids,
					      .n_certids = question->request.n_certids,
					      .nonce = question->request.nonce,
					      .issuer = current ? current : question->issuer,
					      .now = clock_wall()};

	return delegates_verify(judge->common->delegates, der, &about, out);
}

err_t judge_response(const struct back *back, const struct ask *question, struct slice der,
		     struct verdict *out)
{
	return judge(&(struct judge){back->common, back->rules}, question, der, out);
}

err_t judge_record(const struct back *back, const struct ask *question, struct slice bytes,
		   struct entry **out)
{
	return judge_record_by(&(struct judge){back->common, back->rules}, question, bytes, out);
}

err_t judge_record_by(const struct judge *by, const struct ask *question, struct slice bytes,
		      struct entry **out)
{
	const struct upstream_hints no_hints = {.flags = 0};
	const int64_t now = clock_wall();
	struct record record;
	struct verdict verdict;
	struct lifetime lifetime;
	err_t err;

	err = record_parse(bytes, by->rules->settings->limits.max_upstream_response, &record);
	if (err == OK)
		err = judge(by, question, record.der, &verdict);
	if (err != OK)
		return err;
	if (record.fetched_at > now)
		record.fetched_at = now;
	lifetime = freshness_lifetime(&verdict, &question->issuer->policy, &no_hints,
				      record.fetched_at, entropy_jitter());
	if (now >= lifetime.hard_expiry)
		return lifetime.hard_expiry < verdict.hard_expiry ? ERR_RECORD_OUTLIVED
								  : ERR_RSP_EXPIRED;
	if (!lifetime.may_store)
		return ERR_RECORD_UNKEPT;
	if (record.refresh_at < lifetime.refresh_at)
		lifetime.refresh_at = record.refresh_at;
	*out = entry_new(&(struct entry_parts){.key = &question->key,
					       .verdict = &verdict,
					       .lifetime = &lifetime,
					       .der = record.der},
			 by->common->tails);
	return *out == NULL ? ERR_NO_MEMORY : OK;
}
