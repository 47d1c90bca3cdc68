/* SPDX-License-Identifier: ISC */
/* Rendering runways. */
#include "ctl/runway_json.h"

#include <inttypes.h>

#include "base/bytes.h"
#include "relay/rehearsals.h"
#include "relay/relay.h"
#include "relay/runways.h"

void rehearsal_json(const struct rehearsal_status *status, struct buf *out)
{
	buf_printf(out,
		   "{\"seconds_left\":%" PRId64 ",\"saved\":%" PRIu64 ",\"failed\":%" PRIu64 "}",
		   (status->ms_left + 999) / 1000, status->n_saved, status->n_failed);
}

void runway_members(struct relay *relay, const struct issuer *issuer, struct buf *out)
{
	struct runway_of of = runways_get(relay_runways(relay), issuer);
	struct rehearsal_status rehearsal;

	buf_printf(out, "\"down\":%s,\"rehearsal\":",
		   relay_is_issuer_down(relay, issuer) ? "true" : "false");
	if (rehearsals_get(relay_rehearsals(relay), issuer, &rehearsal))
		rehearsal_json(&rehearsal, out);
	else
		buf_text(out, "null");
	if (of.n == 0) {
		buf_text(out, ",\"runway\":null");
		return;
	}
	buf_printf(out,
		   ",\"runway\":{\"answers\":%" PRIu64 ",\"first\":%" PRId64 ",\"median\":%" PRId64
		   ",\"last\":%" PRId64 "}",
		   of.n, of.first, of.median, of.last);
}

void runway_json(struct relay *relay, struct buf *out)
{
	const struct issuers *issuers = relay_issuers(relay);
	char id[2 * ISSUER_ID_LEN + 1] = {0};

	buf_text(out, "{\"issuers\":[");
	for (size_t i = 0; i < issuers_count(issuers); i++) {
		const struct issuer *issuer = issuers_at(issuers, i);

		hex_encode(id, slice_of(issuer->id, ISSUER_ID_LEN));
		buf_printf(out, "%s{\"name\":\"", i ? "," : "");
		buf_json(out, slice_text(issuer->label));
		buf_printf(out, "\",\"id\":\"%s\",", id);
		runway_members(relay, issuer, out);
		buf_text(out, "}");
	}
	buf_text(out, "]}\n");
}
