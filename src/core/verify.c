/* SPDX-License-Identifier: ISC */
/*
 * The verdict on a response, from cheap to dear: syntax, what it is about, nonce, times, and only
 * then who signed it, which is core/signer.c. Everything that is checked here is checked before the
 * first public-key operation, and nothing found here counts before the last one has succeeded.
 */
#include "core/verify.h"

#include "base/bytes.h"
#include "core/dates.h"

#define CERTIFICATE_HOLD 6 /* CRLReason, RFC 5280 5.3.1 */
#define DAY		 86400

/* --- what it is about --- */

/* The SingleResponses for one certificate, or for all that were asked about, taken together. */
struct match {
	bool is_found;
	bool has_critical;
	unsigned algs;	    /* 1 << enum hash_alg: by which the matching CertIDs name it */
	bool is_disordered; /* nextUpdate before thisUpdate */
	bool lacks_next;    /* one without nextUpdate */
	struct single strictest;
	int64_t this_update, last_this_update; /* earliest and latest */
	int64_t next_update;		       /* earliest */
};

static const struct match no_match = {
    .this_update = INT64_MAX, .last_this_update = INT64_MIN, .next_update = TIME_NEVER};

static bool is_stricter(const struct single *a, const struct single *b)
{
	static const int severity[] = {[CERT_GOOD] = 0, [CERT_UNKNOWN] = 1, [CERT_REVOKED] = 2};

	if (a->status != b->status)
		return severity[a->status] > severity[b->status];
	return a->status == CERT_REVOKED && a->revoked_at < b->revoked_at;
}

static void add_single(struct match *match, const struct single *single)
{
	if (!match->is_found || is_stricter(single, &match->strictest))
		match->strictest = *single;
	match->is_found = true;
	match->has_critical |= single->has_critical;
	if (single->this_update < match->this_update)
		match->this_update = single->this_update;
	if (single->this_update > match->last_this_update)
		match->last_this_update = single->this_update;
	if (!single->has_next_update) {
		match->lacks_next = true;
		return;
	}
	match->is_disordered |= single->next_update < single->this_update;
	if (single->next_update < match->next_update)
		match->next_update = single->next_update;
}

/* Whether single speaks of the issuer's certificate with this serial, recomputed under whatever
 * algorithm it names it by (rule NK-08). */
static bool is_about(const struct single *single, const struct issuer *issuer, struct slice serial)
{
	return slice_eq(single->certid.serial, serial) &&
	       issuer_is_named_by(issuer, &single->certid);
}

/* first: the SingleResponses for certids[0]; all: those for any of the asked. */
static err_t match_singles(const struct response *response, const struct verify_question *question,
			   struct match *first, struct match *all)
{
	for (unsigned i = 0; i < question->n_certids; i++) {
		const struct certid *asked = &question->certids[i];
		struct der cursor = der_of(response->singles);
		bool is_answered = false;
		struct single single;

		/* The caller chose the issuer by this CertID; a mistake there must not pass. */
		if (!issuer_is_named_by(question->issuer, asked))
			return ERR_RSP_CERTID;
		while (response_next_single(&cursor, &single) == OK) {
			if (!is_about(&single, question->issuer, asked->serial))
				continue;
			is_answered = true;
			add_single(all, &single);
			if (i > 0)
				continue;
			add_single(first, &single);
			first->algs |= 1U << single.certid.alg;
		}
		if (!is_answered)
			return ERR_RSP_CERTID;
	}
	return all->is_found ? OK : ERR_RSP_CERTID;
}

/* Only algorithms that can be recomputed can tell. */
static bool has_other_issuers(const struct response *response, const struct issuer *issuer)
{
	struct der cursor = der_of(response->singles);
	struct single single;

	while (response_next_single(&cursor, &single) == OK) {
		if (single.certid.alg != N_HASH_ALGS && !issuer_is_named_by(issuer, &single.certid))
			return true;
	}
	return false;
}

/* --- nonce and times --- */

static err_t check_nonce(const struct response *response, struct slice sent)
{
	if (sent.len == 0 || !(response->flags & RESPONSE_NONCE))
		return OK;
	return slice_eq(response->nonce, sent) ? OK : ERR_RSP_NONCE;
}

/* RFC 6960 3.2 (5) and (6). The skew forgives a clock that is ahead of ours; nobody is forgiven for
 * what has ended, since clients would have to refuse it. */
static err_t check_times(const struct match *all, int64_t produced_at, int64_t now, int64_t skew)
{
	const int64_t latest = time_add(now, skew);

	if (all->is_disordered)
		return ERR_RSP_ORDER;
	if (all->last_this_update > latest)
		return ERR_RSP_FUTURE;
	if (produced_at > latest)
		return ERR_RSP_PRODUCED;
	if (all->next_update <= now)
		return ERR_RSP_EXPIRED;
	return OK;
}

/* --- the verdict --- */

static err_t unsuccessful(enum ocsp_status status)
{
	switch (status) {
	case OCSP_MALFORMED_REQUEST:
		return ERR_UP_MALFORMED;
	case OCSP_INTERNAL_ERROR:
		return ERR_UP_INTERNAL;
	case OCSP_TRY_LATER:
		return ERR_UP_TRY_LATER;
	case OCSP_SIG_REQUIRED:
		return ERR_UP_SIG_REQUIRED;
	case OCSP_UNAUTHORIZED:
		return ERR_UP_UNAUTHORIZED;
	default:
		return ERR_RSP_STATUS;
	}
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* RFC 6960 2.2: how a responder says "never issued" to those who do not know the extension. */
static bool is_never_issued(const struct single *single, unsigned response_flags)
{
	return single->status == CERT_REVOKED && single->reason == CERTIFICATE_HOLD &&
	       single->revoked_at >= 0 && single->revoked_at < DAY &&
	       (response_flags & RESPONSE_EXTENDED_REVOKE);
}

/* Weak signatures (rule VS-20) and delegates without nocheck (VS-16) are matters of policy. */
static err_t judge_signer(const struct signer *signer, enum weak_policy policy, unsigned *flags)
{
	if (signer->kind == SIGNER_DELEGATE && !delegate_has_nocheck(signer->delegate))
		*flags |= VERDICT_NO_NOCHECK;
	if (signer->is_recalled)
		*flags |= VERDICT_RECALLED;
	if (signer->has_unreadable)
		*flags |= VERDICT_UNREADABLE;
	if (!signer->is_weak || policy == WEAK_ACCEPT)
		return OK;
	if (policy != WEAK_PASS_UNCACHED)
		return ERR_RSP_WEAK;
	*flags |= VERDICT_WEAK;
	return OK;
}

static unsigned flags_of(const struct response *response, const struct verify_question *question,
			 const struct match *first, const struct match *all)
{
	const int64_t skew = question->issuer->policy.clock_skew;
	unsigned flags = 0;

	if (all->lacks_next)
		flags |= VERDICT_NO_NEXT_UPDATE;
	if (response->flags & RESPONSE_NONCE)
		flags |= VERDICT_NONCE;
	if (is_never_issued(&first->strictest, response->flags))
		flags |= VERDICT_NEVER_ISSUED;
	if (!(first->algs & 1U << question->certids[0].alg))
		flags |= VERDICT_OTHER_HASH;
	if (has_other_issuers(response, question->issuer))
		flags |= VERDICT_MIXED_ISSUERS;
	if (time_add(response->produced_at, skew) < all->last_this_update)
		flags |= VERDICT_EARLY_PRODUCED;
	return flags;
}

static struct verdict verdict_of(const struct response *response,
				 const struct verify_question *question, const struct match *first,
				 const struct match *all)
{
	const struct single *strictest = &first->strictest;

	return (struct verdict){
	    .status = strictest->status,
	    .flags = flags_of(response, question, first, all),
	    .algs = first->algs,
	    .reason = strictest->reason,
	    .revoked_at = strictest->revoked_at,
	    .this_update = first->this_update,
	    .next_update = first->next_update,
	    .produced_at = response->produced_at,
	    .tail = (size_t)(response->signature.p + response->signature.len - response->der.p),
	};
}

/* Everything that costs nothing. */
static err_t judge_statement(const struct response *response,
			     const struct verify_question *question, struct match *first,
			     struct match *all)
{
	const int64_t skew = question->issuer->policy.clock_skew;
	err_t e;

	if ((e = match_singles(response, question, first, all)) != OK)
		return e;
	if ((response->flags & RESPONSE_CRITICAL) || all->has_critical)
		return ERR_RSP_CRITICAL;
	if ((e = check_nonce(response, question->nonce)) != OK)
		return e;
	return check_times(all, response->produced_at, question->now, skew);
}

err_t verify_response(struct slice der, const struct verify_question *question, struct verdict *out)
{
	const struct issuer *issuer = question->issuer;
	struct match first = no_match, all = no_match;
	struct response response;
	struct verdict verdict;
	struct signer signer;
	int64_t valid_until;
	err_t e = response_parse(der, &response);

	if (e != OK)
		return e;
	if (response.status != OCSP_SUCCESSFUL)
		return unsuccessful(response.status);
	if ((e = judge_statement(&response, question, &first, &all)) != OK)
		return e;
	valid_until = issuer_valid_until(issuer, question->now);
	if (valid_until == INT64_MIN)
		return ERR_RSP_ISSUER_TIME;
	e = signer_find(&response,
			&(struct signer_question){
			    .issuer = issuer, .known = question->known, .now = question->now},
			&signer);
	if (e != OK)
		return e;
	verdict = verdict_of(&response, question, &first, &all);
	verdict.signer = signer.kind;
	verdict.hard_expiry = earlier(all.next_update, earlier(valid_until, signer.not_after));
	e = judge_signer(&signer, issuer->policy.weak_signature, &verdict.flags);
	if (e == OK)
		*out = verdict;
	if (e == OK && signer.delegate && question->known)
		delegate_set_use(question->known, signer.delegate);
	delegate_unref(signer.delegate);
	return e;
}
