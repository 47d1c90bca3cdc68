/* SPDX-License-Identifier: ISC */
/* Which certificate it is, who has issued it as the relay's configuration sees it, and by which
 * rules its answers are fetched and kept. */
#include "cmd/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "cmd/subject.h"
#include "core/dates.h"
#include "ctl/certificate.h"
#include "ctl/certificates.h"
#include "ctl/option_value.h"
#include "state/issuers.h"

#define NAME_SIZE 512
#define MAX_VALUE 65536

static void put_hex(json_t *object, const char *name, struct slice octets)
{
	char hex[2 * MAX_DIGEST_LEN + 1] = "";

	hex_encode(hex, slice_take(octets, MAX_DIGEST_LEN));
	explain_put(object, name, hex);
}

static void put_name(json_t *object, const char *name, const X509_NAME *of)
{
	char text[NAME_SIZE];

	certificate_name(of, text, sizeof(text));
	explain_put(object, name, text);
}

/* --- the certificate -------------------------------------------------------------------------- */

static void put_certificate(struct explain *explain)
{
	json_t *object = json_object();
	struct issuer_validity validity;
	BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(explain->cert), NULL);
	char *hex = serial ? BN_bn2hex(serial) : NULL, *url = issuer_responder_of(explain->cert);

	explain_put(object, "file", explain->args->cert);
	put_name(object, "subject", X509_get_subject_name(explain->cert));
	put_name(object, "issuer", X509_get_issuer_name(explain->cert));
	explain_put(object, "serial", hex ? hex : "");
	if (issuer_validity_of(explain->cert, &validity)) {
		explain_put_time(object, "not_before", validity.not_before);
		explain_put_time(object, "not_after", validity.not_after);
		if (explain->now > validity.not_after)
			explain_find(explain, "the certificate itself has expired: responders may "
					      "know nothing of it any more");
	}
	if (url != NULL)
		explain_put(object, "responder", url);
	json_object_set_new(explain->root, "certificate", object);
	free(url);
	OPENSSL_free(hex);
	BN_free(serial);
}

/* --- the issuer ------------------------------------------------------------------------------- */

static const struct issuer_origin *origin_of(const struct explain *explain,
					     const struct issuer *issuer)
{
	for (size_t i = 0; i < issuers_count(explain->issuers); i++) {
		if (explain->origins[i].issuer == issuer)
			return &explain->origins[i];
	}
	return NULL;
}

/* One in the table, which knows more of it, if it is there. */
static bool take_candidate(struct explain *explain, X509 *candidate)
{
	struct issuer *issuer = NULL;

	if (issuer_new(candidate, "", &issuer) != OK)
		return false;
	if (!issuer_has_issued(issuer, explain->cert)) {
		issuer_free(issuer);
		return false;
	}
	explain->issuer = issuers_by_id(explain->issuers, issuer->id);
	if (explain->issuer != NULL) {
		issuer_free(issuer);
	} else {
		explain->stranger = issuer;
		explain->issuer = issuer;
	}
	return true;
}

static bool take_candidates(struct explain *explain, const struct certificates *from)
{
	for (size_t i = 0; i < from->n; i++) {
		if (take_candidate(explain, from->items[i]))
			return true;
	}
	return false;
}

/* Of several that differ in how their name is encoded only, the one that requests will name. */
static void find_configured(struct explain *explain)
{
	for (size_t i = 0; i < issuers_count(explain->issuers); i++) {
		const struct issuer *issuer = issuers_at(explain->issuers, i), *named;
		struct certid_of_cert asked;

		if (!issuer_has_issued(issuer, explain->cert))
			continue;
		if (explain->issuer == NULL)
			explain->issuer = issuer;
		if (issuer_certid(issuer, explain->cert, HASH_SHA1, &asked) == OK &&
		    issuers_find(explain->issuers, &asked.certid, &named) == OK) {
			explain->issuer = named;
			return;
		}
	}
}

/* What the relay says to a request about it without looking for an answer. */
static err_t refusal_of(struct explain *explain)
{
	const struct issuer *found;
	err_t err;

	if (explain->issuer == NULL || explain->stranger != NULL)
		return ERR_ISSUER_UNKNOWN;
	err = issuers_find(explain->issuers, &explain->asked.certid, &found);
	if (err == OK && explain->issuer->n_responders == 0)
		err = ERR_ISSUER_NO_RESPONDER;
	return err;
}

static err_t make_key(struct explain *explain)
{
	enum hash_alg alg = hash_alg_named(explain->args->hash);
	char text[KEY_TEXT_SIZE];
	json_t *object;
	err_t err;

	if (explain->issuer == NULL)
		return OK;
	err = issuer_certid(explain->issuer, explain->cert, alg, &explain->asked);
	if (err != OK)
		return err;
	key_make(&explain->key, explain->issuer->id, alg, explain->asked.certid.serial);
	key_text(text, &explain->key);
	object = json_object();
	explain_put(object, "text", text);
	explain_put(object, "hash", explain->args->hash);
	put_hex(object, "issuer_name_hash", explain->asked.certid.name_hash);
	put_hex(object, "issuer_key_hash", explain->asked.certid.key_hash);
	json_object_set_new(explain->root, "key", object);
	return OK;
}

static void put_responders(const struct explain *explain, const struct issuer_origin *origin,
			   json_t *object)
{
	json_t *list = json_array();
	bool is_given = origin && origin->section && origin->section->own.responders.n > 0;

	for (size_t i = 0; i < explain->issuer->n_responders; i++)
		json_array_append_new(list, json_string(explain->issuer->responders[i].url));
	json_object_set_new(object, "responders", list);
	json_object_set_new(object, "responders_learnt", json_boolean(!is_given));
}

static void put_issuer(struct explain *explain, const struct issuer_origin *origin)
{
	const struct issuer *issuer = explain->issuer;
	json_t *object = json_object();

	json_object_set_new(object, "configured", json_boolean(origin != NULL));
	if (origin != NULL) {
		explain_put(object, "name", issuer->label);
		explain_put(object, "file", origin->path);
	}
	put_name(object, "subject", X509_get_subject_name(issuer->certs[0]));
	put_hex(object, "id", slice_of(issuer->id, ISSUER_ID_LEN));
	if (origin != NULL && origin->section != NULL) {
		json_t *section = json_object();

		explain_put(section, "name", origin->section->name);
		explain_put(section, "file", origin->section->file);
		json_object_set_new(section, "line", json_integer(origin->section->line));
		json_object_set_new(object, "section", section);
	}
	explain_put_time(object, "not_after", issuer_not_after(issuer));
	put_responders(explain, origin, object);
	json_object_set_new(explain->root, "issuer", object);
}

/* --- the rule --------------------------------------------------------------------------------- */

static void put_option(json_t *object, const struct option_row *row, const void *base,
		       const void *defaults)
{
	struct buf value, initial;
	json_t *option = json_object();

	buf_init(&value, MAX_VALUE);
	buf_init(&initial, MAX_VALUE);
	option_value_print(row, base, &value);
	option_value_print(row, defaults, &initial);
	json_object_set_new(option, "value", json_stringn((const char *)value.p, value.len));
	json_object_set_new(option, "default", json_stringn((const char *)initial.p, initial.len));
	json_object_set_new(object, row->name, option);
	buf_fini(&value);
	buf_fini(&initial);
}

static void put_options(struct explain *explain, const struct issuer_origin *origin)
{
	const struct option_table *table = &option_tables[GROUP_ISSUER];
	const struct settings_issuer *options =
	    origin->section ? &origin->section->issuer : &explain->settings->defaults;
	json_t *object = json_object();

	for (size_t i = 0; i < table->n; i++)
		put_option(object, &table->rows[i], options, &explain->defaults->defaults);
	json_object_set_new(explain->root, "options", object);
}

/* --- findings --------------------------------------------------------------------------------- */

/* The relay never goes where the certificate points, only where the configuration does. */
static void compare_responder(struct explain *explain)
{
	char *url = issuer_responder_of(explain->cert);

	for (size_t i = 0; url != NULL && i < explain->issuer->n_responders; i++) {
		if (strcmp(explain->issuer->responders[i].url, url) == 0) {
			free(url);
			url = NULL;
		}
	}
	if (url != NULL)
		explain_find(explain,
			     "the certificate names the responder %s, which the configuration does "
			     "not: it is never asked",
			     url);
	free(url);
}

/* A file that could not be read may be just the one. */
static void note_faults(struct explain *explain)
{
	struct slice rest = buf_slice(&explain->faults);

	for (unsigned n = 0; rest.len > 0 && n < 20; n++) {
		const uint8_t *end = memchr(rest.p, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.p) : rest.len;

		explain_find(explain, "%.*s", (int)len, (const char *)rest.p);
		rest = slice_skip(rest, len + 1);
	}
}

static int fail(const char *path, const char *what)
{
	fprintf(stderr, "ocsprelay explain: %s: %s\n", path, what);
	return EXIT_NO_ANSWER;
}

static int put_all(struct explain *explain)
{
	const struct issuer_origin *origin = NULL;
	err_t err;

	put_certificate(explain);
	err = make_key(explain);
	if (err == ERR_NO_MEMORY)
		return fail(explain->args->cert, err_row(err)->text);
	explain->refusal = err != OK ? err : refusal_of(explain);
	if (explain->issuer != NULL) {
		origin = origin_of(explain, explain->issuer);
		put_issuer(explain, origin);
		if (explain->stranger == NULL)
			compare_responder(explain);
	}
	if (origin != NULL)
		put_options(explain, origin);
	else
		note_faults(explain);
	return ARGS_GO;
}

int explain_subject(struct explain *explain)
{
	const char *path = explain->args->cert, *issuer = explain->args->issuer;
	struct certificates own = {.n = 0}, cas = {.n = 0};
	int status = EXIT_NO_ANSWER;

	if (!subject_certificates("explain", path, &own) ||
	    (issuer != NULL && !subject_certificates("explain", issuer, &cas)))
		goto out;
	explain->cert = certificates_subject(&own);
	X509_up_ref(explain->cert);
	if (issuer != NULL && !take_candidates(explain, &cas)) {
		fail(issuer, "holds no CA certificate that has issued the certificate");
		goto out;
	}
	if (explain->issuer == NULL)
		find_configured(explain);
	if (explain->issuer == NULL)
		(void)take_candidates(explain, &own);
	status = put_all(explain);
out:
	certificates_free(&own);
	certificates_free(&cas);
	return status;
}
