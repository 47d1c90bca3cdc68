/* SPDX-License-Identifier: ISC */
/* Looking for oddities, and telling them. */
#include "relay/oddities.h"

#include "base/bytes.h"
#include "base/counters.h"
#include "base/log.h"
#include "io/clock.h"

#define HOUR	     3600
#define MIN_INTERVAL (8 * HOUR) /* rule VS-11 */
#define MAX_INTERVAL (240 * HOUR)
#define LARGE	     16384 /* rule HC-15 */

static void tell(const struct ask *question, size_t responder, unsigned oddity)
{
	static const char *const texts[] = {
#define ODDITY(id, label, text) text,
#include "tbl/oddities.h"
#undef ODDITY
	};
	const struct issuer *issuer = question->issuer;

	counter_add(METRIC_RESPONSE_ODDITIES, issuer->slot, oddity, 0, 1);
	LOG(RESPONSE_ODD, LOG_TEXT("issuer", issuer->label),
	    LOG_TEXT("responder", issuer->responders[responder].url),
	    LOG_TEXT("what", label_text(DIM_ODDITY, oddity)), LOG_TEXT("why", texts[oddity]));
}

/* Caches on the way keep the Date of the responder and say by Age how long ago that was; the answer
 * may have taken a while, too. A Date ahead of our clock has no such excuse. */
static bool has_other_clock(const struct upstream_answer *answer, int64_t skew)
{
	const int64_t now = clock_wall(), taken = answer->us_taken / 1000000 + 1;

	if (answer->date == 0)
		return false;
	return answer->date > time_add(now, skew) ||
	       time_add(answer->date, answer->age + skew + taken) < now;
}

void oddities_of_answer(const struct ask *question, size_t responder,
			const struct upstream_answer *answer)
{
	if (has_other_clock(answer, question->issuer->policy.clock_skew))
		tell(question, responder, LABEL_ODDITY_CLOCK);
}

static bool has_odd_interval(const struct verdict *verdict)
{
	const int64_t interval = verdict->next_update - verdict->this_update;

	return !(verdict->flags & VERDICT_NO_NEXT_UPDATE) &&
	       (interval < MIN_INTERVAL || interval > MAX_INTERVAL);
}

void oddities_of_response(const struct ask *question, size_t responder,
			  const struct verdict *verdict, size_t len)
{
	const struct {
		bool is_found;
		unsigned oddity;
	} rows[] = {
	    {verdict->flags & VERDICT_MIXED_ISSUERS, LABEL_ODDITY_MIXED_ISSUERS},      /* VS-05 */
	    {verdict->flags & VERDICT_OTHER_HASH, LABEL_ODDITY_OTHER_HASH},	       /* NK-08 */
	    {verdict->flags & VERDICT_EARLY_PRODUCED, LABEL_ODDITY_EARLY_PRODUCED_AT}, /* VS-08 */
	    {has_odd_interval(verdict), LABEL_ODDITY_VALIDITY_INTERVAL},	       /* VS-11 */
	    {verdict->flags & VERDICT_NO_NOCHECK, LABEL_ODDITY_NO_NOCHECK},	       /* VS-16 */
	    {len > LARGE, LABEL_ODDITY_SIZE},					       /* HC-15 */
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (rows[i].is_found)
			tell(question, responder, rows[i].oddity);
	}
}
