/* SPDX-License-Identifier: ISC */
/* From certificate to key, by way of the issuers. */
#include "ctl/issued.h"

#include <string.h>

static const struct issuer *issuer_of(const struct issuers *issuers, X509 *cert)
{
	for (size_t i = 0; i < issuers_count(issuers); i++) {
		if (issuer_has_issued(issuers_at(issuers, i), cert))
			return issuers_at(issuers, i);
	}
	return NULL;
}

err_t issued_key(const struct issuers *issuers, X509 *cert, struct cache_key *out)
{
	const struct issuer *issuer = issuer_of(issuers, cert);
	struct certid_of_cert about;
	err_t err = issuer ? issuer_certid(issuer, cert, HASH_SHA1, &about) : ERR_ISSUER_UNKNOWN;

	if (err == OK)
		key_make(out, issuer->id, HASH_SHA1, about.certid.serial);
	return err;
}

const char *issued_why(err_t err)
{
	switch (err) {
	case ERR_ISSUER_UNKNOWN:
		return "its issuer is not known";
	case ERR_REQ_SERIAL:
		return "its serial number is too long";
	default:
		return err_row(err)->text;
	}
}

bool issued_is_top(const struct issuers *issuers, X509 *cert, const struct cache_key *key)
{
	uint8_t id[ISSUER_ID_LEN];

	return issuer_id_of(cert, id) && issuers_by_id(issuers, id) != NULL &&
	       (key == NULL || memcmp(key->issuer_id, id, sizeof(id)) == 0);
}
