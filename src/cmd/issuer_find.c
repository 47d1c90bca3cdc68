/* SPDX-License-Identifier: ISC */
/* By signature, never by name alone. */
#include "cmd/issuer_find.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "cmd/subject.h"
#include "core/upstream_url.h"
#include "ctl/certificate.h"

static X509 *leaf_among(const struct certificates *from)
{
	for (size_t i = 0; i < from->n; i++) {
		if (!certificate_is_ca(from->items[i]))
			return from->items[i];
	}
	return NULL;
}

static void find_responder(struct issuer_found *found)
{
	char *url;

	if (found->leaf == NULL) {
		found->responder_is = RESPONDER_HAS_NO_LEAF;
		return;
	}
	url = issuer_responder_of(found->leaf);
	if (url == NULL) {
		found->responder_is = RESPONDER_IS_NOT_NAMED;
	} else if (upstream_url_check(url) != OK) {
		found->responder_is = RESPONDER_IS_UNUSABLE;
		free(url);
	} else {
		found->responder_is = RESPONDER_IS_NAMED;
		found->responder = url;
	}
}

void issuer_find(const struct certificates *from, struct issuer_found *out)
{
	*out = (struct issuer_found){.leaf = leaf_among(from)};
	out->issuer = subject_issuer_among(from, out->leaf);
	find_responder(out);
}

void issuer_found_fini(struct issuer_found *found)
{
	issuer_free(found->issuer);
	free(found->responder);
}

const struct issuer *issuer_find_known(const struct issuers *table, X509 *cert)
{
	for (size_t i = 0; i < issuers_count(table); i++) {
		if (issuer_has_issued(issuers_at(table, i), cert))
			return issuers_at(table, i);
	}
	return NULL;
}

bool issuer_find_has(const struct issuer *known, const X509 *cert)
{
	for (size_t i = 0; i < known->n_certs; i++) {
		if (X509_cmp(known->certs[i], cert) == 0)
			return true;
	}
	return false;
}

static bool has_responder(const struct issuer *known, const char *url)
{
	for (size_t i = 0; i < known->n_responders; i++) {
		if (strcmp(known->responders[i].url, url) == 0)
			return true;
	}
	return false;
}

bool issuer_find_is_old(const struct issuer_found *found, const struct issuer *known)
{
	struct certid_of_cert about;

	for (size_t i = 0; found->issuer != NULL && i < found->issuer->n_certs; i++) {
		if (!issuer_find_has(known, found->issuer->certs[i]))
			return false;
	}
	if (found->responder != NULL && !has_responder(known, found->responder))
		return false;
	return found->leaf == NULL || (issuer_certid(known, found->leaf, HASH_SHA1, &about) == OK &&
				       issuer_is_named_by(known, &about.certid));
}

/* Only what a terminal shows as it is. */
static char *plain_text(const ASN1_IA5STRING *text)
{
	const unsigned char *p = ASN1_STRING_get0_data(text);
	size_t len = (size_t)ASN1_STRING_length(text);

	for (size_t i = 0; i < len; i++) {
		if (p[i] <= ' ' || p[i] > '~')
			return NULL;
	}
	return strndup((const char *)p, len);
}

char *issuer_find_elsewhere(X509 *leaf)
{
	AUTHORITY_INFO_ACCESS *all = X509_get_ext_d2i(leaf, NID_info_access, NULL, NULL);
	char *url = NULL;

	for (int i = 0; url == NULL && i < sk_ACCESS_DESCRIPTION_num(all); i++) {
		const ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(all, i);

		if (OBJ_obj2nid(one->method) == NID_ad_ca_issuers && one->location->type == GEN_URI)
			url = plain_text(one->location->d.uniformResourceIdentifier);
	}
	AUTHORITY_INFO_ACCESS_free(all);
	ERR_clear_error();
	return url;
}
