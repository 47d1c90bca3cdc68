/* SPDX-License-Identifier: ISC */
/* Whom to ask next, and how. */
#include "relay/attempts.h"

#include "core/upstream_url.h"
#include "relay/health.h"

#define MANY_FAILURES 5	    /* in a row: the responder is broken (HC-12); */
#define RIGHT	      4	    /* the weight of what a responder may rightly say */
#define MS_PER_PROBE  30000 /* then one flight of all issuers finds out whether it works again */

void attempts_init(struct attempts *attempts, const struct common *common,
		   const struct ask *question)
{
	*attempts = (struct attempts){
	    .common = common, .question = question, .no_cache = question->no_cache};
}

const char *attempts_url(const struct attempts *attempts)
{
	return attempts->question->issuer->responders[attempts->responder].url;
}

bool attempts_is_broken(const struct responder_state *state)
{
	return state->n_failures >= MANY_FAILURES;
}

/* The next responder is asked as if there had been none before. */
static void go_to_next(struct attempts *attempts)
{
	attempts->responder++;
	attempts->is_asked = attempts->is_post_retry = attempts->post = false;
	attempts->no_cache = attempts->question->no_cache;
}

/* GET while the rules allow it (HC-01); whatever is not the plain question goes by POST. */
static bool wants_post(const struct attempts *attempts, const struct responder_state *state)
{
	const struct ask *question = attempts->question;
	enum upstream_method method = question->issuer->policy.method;

	if (attempts->post || method == METHOD_POST || question->kind == ASK_ALONE)
		return true;
	if (method == METHOD_GET)
		return false;
	return state->wants_post || upstream_url_get_len(attempts_url(attempts),
							 question->request.der) > MAX_GET_URL_LEN;
}

/* A broken responder is asked by one flight now and then, which finds out whether it works again;
 * not by one of a client's own words, since its failure tells nothing. The others leave it out,
 * unless there is nobody else (HC-12). */
static bool is_left_out(const struct attempts *attempts, const struct responder_state *state,
			int64_t ms_now)
{
	return attempts_is_broken(state) && !attempts->is_asked && !attempts->takes_broken &&
	       (ask_is_verbatim(attempts->question) ||
		!responder_take_probe(attempts->common->responders, attempts_url(attempts), ms_now,
				      MS_PER_PROBE));
}

static uint64_t bit_of(const struct attempts *attempts)
{
	return attempts->responder < 64 ? UINT64_C(1) << attempts->responder : 0;
}

/* From where it stands on. */
static bool find(struct attempts *attempts, int64_t ms_now)
{
	struct responder_state state;

	for (; attempts->responder < attempts->question->issuer->n_responders;
	     go_to_next(attempts)) {
		if (attempts->takes_broken && !(attempts->left_out & bit_of(attempts)))
			continue; /* it has been asked */
		state = responder_get(attempts->common->responders, attempts_url(attempts), ms_now);
		if (state.ms_not_before > ms_now)
			continue; /* it asked to be left alone (HC-14) */
		if (is_left_out(attempts, &state, ms_now)) {
			attempts->left_out |= bit_of(attempts);
			continue;
		}
		attempts->post = wants_post(attempts, &state);
		attempts->is_asked = true;
		return true;
	}
	return false;
}

/* The redirects are what Go's http.ServeMux (cfssl's, too) answers if the request has two slashes
 * in its base64, to a path with one of them (HC-08: nobody goes there). */
static bool refuses_get(err_t err, unsigned status)
{
	return err == ERR_UP_MALFORMED ||
	       (err == ERR_UP_REDIRECT && (status == 301 || status == 307)) ||
	       (err == ERR_UP_HTTP && (status == 400 || status == 404 || status == 405 ||
				       status == 414 || status == 501));
}

/* How much an error tells: most what a responder may rightly say, then its troubles, then an answer
 * that is none, and least that there was none. */
static unsigned weight_of(err_t err)
{
	switch (err) {
	case OK:
		return 0;
	case ERR_UP_MALFORMED:
	case ERR_UP_SIG_REQUIRED:
	case ERR_UP_UNAUTHORIZED:
		return RIGHT;
	case ERR_UP_INTERNAL:
	case ERR_UP_TRY_LATER:
		return 3;
	default:
		return err >= ERR_RSP_DER && err <= ERR_RSP_SIGNATURE ? 2 : 1;
	}
}

/* What a responder may rightly say is an answer; after a failure of all others even one that does
 * not work is better than nobody. */
bool attempts_next(struct attempts *attempts, int64_t ms_now)
{
	if (health_is_rehearsed(attempts->common, attempts->question->issuer, ms_now)) {
		if (attempts->err == OK)
			attempts->err = ERR_UP_REHEARSAL;
		return false;
	}
	if (find(attempts, ms_now))
		return true;
	if (attempts->left_out != 0 && !attempts->takes_broken &&
	    weight_of(attempts->err) < RIGHT) {
		attempts->takes_broken = true;
		attempts->responder = 0;
		if (find(attempts, ms_now))
			return true;
	}
	if (attempts->err == OK)
		attempts->err = ERR_UP_TRY_LATER;
	return false;
}

/* This responder is done with. What clients get is the error that tells most, of equals the first;
 * and it is kept no longer than until any of the responders may be asked again (CL-19). */
static void give_up(struct attempts *attempts, const struct upstream_answer *answer, err_t err)
{
	if (attempts->err == OK || answer->retry_after < attempts->retry_after)
		attempts->retry_after = answer->retry_after;
	if (weight_of(err) > weight_of(attempts->err)) {
		attempts->err = err;
		attempts->http_status = answer->http_status;
	}
	go_to_next(attempts);
}

bool attempts_note_failure(struct attempts *attempts, const struct upstream_answer *answer,
			   err_t err)
{
	bool may_choose = attempts->question->issuer->policy.method == METHOD_AUTO;

	if (may_choose && !attempts->post && refuses_get(err, answer->http_status)) {
		attempts->post = attempts->is_post_retry = true; /* HC-01 */
		return false;
	}
	if (err == ERR_RSP_EXPIRED && !(attempts->post && attempts->no_cache)) {
		attempts->post = attempts->no_cache = true; /* a stale copy on the way? VS-09 */
		return false;
	}
	give_up(attempts, answer, err);
	return true;
}
