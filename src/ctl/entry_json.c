/* SPDX-License-Identifier: ISC */
/* Rendering; all strings of the outside are escaped by buf_json. */
#include "ctl/entry_json.h"

#include "base/bytes.h"
#include "base/counters.h"
#include "ctl/json_member.h"

static void put_hex(struct buf *out, const char *name, struct slice octets)
{
	char text[2 * MAX_SERIAL_LEN + 1] = {0};

	hex_encode(text, octets);
	buf_printf(out, "\"%s\":\"%s\"", name, text);
}

void key_json(const struct cache_key *key, const struct issuers *issuers, struct buf *out)
{
	const struct issuer *issuer = issuers_by_id(issuers, key->issuer_id);
	struct slice serial = slice_of(key->serial, key->serial_len);

	while (serial.len > 1 && serial.p[0] == 0)
		serial = slice_skip(serial, 1);
	if (issuer != NULL) {
		json_member_text(out, "issuer", issuer->label);
	} else {
		put_hex(out, "issuer", slice_of(key->issuer_id, ISSUER_ID_LEN));
	}
	buf_text(out, ",");
	put_hex(out, "serial", serial);
	buf_printf(out, ",\"hash\":\"%s\"", hash_algs[key->alg].name);
}

void entry_json(const struct entry *entry, const struct issuers *issuers, struct buf *out)
{
	const struct {
		const char *name;
		int64_t t;
	} times[] = {{"this_update", entry->this_update},
		     {"produced_at", entry->produced_at},
		     {"expires_at", entry->hard_expiry},
		     {"refresh_at", entry->refresh_at},
		     {"fetched_at", entry->fetched_at}};
	struct cache_key key;

	entry_key(entry, &key);
	key_json(&key, issuers, out);
	buf_printf(out, ",\"status\":\"%s\"", label_text(DIM_FROM, entry->status));
	for (size_t i = 0; i < N_ELEMENTS(times); i++) {
		buf_text(out, ",");
		json_member_time(out, times[i].name, times[i].t);
	}
	buf_printf(out, ",\"bytes\":%u", entry->der_len);
}
