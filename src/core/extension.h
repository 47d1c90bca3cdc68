/* SPDX-License-Identifier: ISC */
/* The extensions that OCSP requests and responses may carry (RFC 6960 4.4), told by their OID, and
 * the one OID that some of them and the response speak of. */
#ifndef OCSPRELAY_CORE_EXTENSION_H
#define OCSPRELAY_CORE_EXTENSION_H

#include "base/bytes.h"
#include "core/der.h"

/* Those below 1.3.6.1.5.5.7.48.1, by their last arc. */
enum extension_arc {
	EXTENSION_OTHER = 0,
	EXTENSION_NONCE = 2,
	EXTENSION_CRL_ID = 3,
	EXTENSION_ACCEPTABLE_RESPONSES = 4,
	EXTENSION_ARCHIVE_CUTOFF = 6,
	EXTENSION_SERVICE_LOCATOR = 7,
	EXTENSION_PREFERRED_ALGORITHMS = 8,
	EXTENSION_EXTENDED_REVOKE = 9
};

/* The arc of an extension listed above, else EXTENSION_OTHER. */
static inline enum extension_arc extension_arc_of(struct slice oid)
{
	static const uint8_t prefix[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01};
	uint8_t arc;

	if (oid.len != sizeof(prefix) + 1 || memcmp(oid.p, prefix, sizeof(prefix)) != 0)
		return EXTENSION_OTHER;
	arc = oid.p[sizeof(prefix)];
	if (arc < EXTENSION_NONCE || arc > EXTENSION_EXTENDED_REVOKE || arc == 5)
		return EXTENSION_OTHER;
	return (enum extension_arc)arc;
}

/* True for what RFC 6960 4.4 names, the CRL entry extensions of its 4.4.5 included, and for the SCT
 * list of RFC 6962 3.3: being critical does no harm to these. */
static inline bool extension_is_known(struct slice oid)
{
	static const uint8_t sct_list[] = {0x2b, 0x06, 0x01, 0x04, 0x01,
					   0xd6, 0x79, 0x02, 0x04, 0x05};
	/* 2.5.29: reasonCode 21, invalidityDate 24, certificateIssuer 29 (RFC 5280 5.3) */
	static const uint8_t crl_entry[][3] = {
	    {0x55, 0x1d, 0x15}, {0x55, 0x1d, 0x18}, {0x55, 0x1d, 0x1d}};

	if (extension_arc_of(oid) != EXTENSION_OTHER ||
	    slice_eq(oid, slice_of(sct_list, sizeof(sct_list))))
		return true;
	for (size_t i = 0; i < N_ELEMENTS(crl_entry); i++) {
		if (slice_eq(oid, slice_of(crl_entry[i], sizeof(crl_entry[i]))))
			return true;
	}
	return false;
}

/* id-pkix-ocsp-basic (RFC 6960 4.2.1): what clients accept and responders send. */
static inline bool extension_is_ocsp_basic(struct slice oid)
{
	static const uint8_t basic[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};

	return slice_eq(oid, slice_of(basic, sizeof(basic)));
}

/* The nonce in the value of a nonce extension: that of the OCTET STRING that should be there, or
 * all of the value where the encoder left it out (RFC 2560 was vague; rule NO-03). */
static inline struct slice extension_nonce(struct slice value)
{
	struct der der = der_of(value);
	struct slice inner;

	if (der_read(&der, DER_OCTET_STRING, &inner) == OK && der_is_done(&der))
		return inner;
	return value;
}

#endif
