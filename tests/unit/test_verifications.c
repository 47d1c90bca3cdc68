/* SPDX-License-Identifier: ISC */
/*
 * How often public-key operations are done: once for what is fetched or loaded, never for a hit
 * (VS-25, SL-17). The linker puts the two functions below in front of the real ones, for the whole
 * program (unit_relay_LDFLAGS), so that nothing can verify uncounted.
 */
#include <openssl/asn1.h>

#include "core/record.h"
#include "core/verify.h"
#include "relay_kit.h"

static struct {
	unsigned responses, signatures;
} n_verified;

err_t __real_verify_response(struct slice der, const struct verify_question *question,
			     struct verdict *out);
err_t __wrap_verify_response(struct slice der, const struct verify_question *question,
			     struct verdict *out);
int __real_ASN1_item_verify(const ASN1_ITEM *it, const X509_ALGOR *alg,
			    const ASN1_BIT_STRING *signature, const void *data, EVP_PKEY *key);
int __wrap_ASN1_item_verify(const ASN1_ITEM *it, const X509_ALGOR *alg,
			    const ASN1_BIT_STRING *signature, const void *data, EVP_PKEY *key);

err_t __wrap_verify_response(struct slice der, const struct verify_question *question,
			     struct verdict *out)
{
	n_verified.responses++;
	return __real_verify_response(der, question, out);
}

int __wrap_ASN1_item_verify(const ASN1_ITEM *it, const X509_ALGOR *alg,
			    const ASN1_BIT_STRING *signature, const void *data, EVP_PKEY *key)
{
	n_verified.signatures++;
	return __real_ASN1_item_verify(it, alg, signature, data, key);
}

/* Since the last time. */
static void expect_verified_at(int line, unsigned n)
{
	cr_expect_eq(n_verified.responses, n, "line %d: %u responses", line, n_verified.responses);
	cr_expect_eq(n_verified.signatures, n, "line %d: %u signatures", line,
		     n_verified.signatures);
	n_verified.responses = n_verified.signatures = 0;
}

#define expect_verified(n) expect_verified_at(__LINE__, n)

/* Whoever can be answered from memory, by each way there is to ask. */
static void hit_in_every_way(const char *serial, struct slice response, const char *verdict)
{
	struct slice der = kit_about(serial, NO_EXTS);

	for (unsigned i = 0; i < 50; i++) {
		kit_expect(kit_send(der, 0), response, verdict);
		kit_expect(kit_get(HTTP_GET, der, EMPTY), response, verdict);
		kit_expect(kit_get(HTTP_HEAD, der, EMPTY), EMPTY, verdict);
		kit_expect(kit_get(HTTP_GET, der, slice_text("*")), EMPTY, verdict); /* 304 */
		kit_expect(kit_send(der, HTTP_NO_CACHE), response, verdict);
		kit_expect(kit_send(der, HTTP_ONLY_IF_CACHED), response, verdict);
		kit_expect(kit_send(kit_about(serial, kit_nonce("0102030405060708")), 0), response,
			   verdict);
		kit_expect(kit_send(kit_about(serial, kit_ext("2a0304", false, EMPTY)), 0),
			   response, verdict);
	}
	stage_pass(0);
}

Test(verifications, VS_25_SL_17_hits_do_no_public_key_operation)
{
	struct slice response;

	kit_prepare();
	kit.policy.nonce = NONCE_IGNORE;
	kit_start();
	response = kit_store("01", 0, PKI_DAY);
	expect_verified(1);
	hit_in_every_way("01", response, KIT_HIT(86400));
	expect_verified(0);
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}

Test(verifications, VS_25_once_for_all_who_wait)
{
	struct connection *clients[20];
	struct slice response;

	kit_open();
	for (unsigned i = 0; i < N_ELEMENTS(clients); i++)
		clients[i] = kit_ask("01");
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	for (unsigned i = 0; i < N_ELEMENTS(clients); i++)
		cr_expect(slice_eq(stage_body(clients[i]), response));
	expect_verified(1);
	kit_close();
}

Test(verifications, VS_25_once_for_what_a_store_gives)
{
	uint8_t header[RECORD_HEADER_LEN];
	struct record record = {.fetched_at = PKI_NOW - 50, .refresh_at = PKI_NOW + 3600};
	struct cache_key key;

	kit_prepare();
	kit.policy.nonce = NONCE_IGNORE;
	kit_start();
	record.der = kit_good("01", -100, PKI_DAY);
	record_put_header(header, &record);
	kit_key("01", &key);
	store_put(kit.backs[0]->stores[0], key_bytes(&key),
		  CAT(slice_of(header, sizeof(header)), record.der), INT64_MAX);
	kit_expect(kit_ask("01"), record.der, KIT_HIT_DISK(86400));
	expect_verified(1);
	hit_in_every_way("01", record.der, KIT_HIT(86400));
	expect_verified(0);
	kit_close();
}

Test(verifications, VS_25_once_for_each_refresh_and_never_for_failures)
{
	struct slice response;

	kit_open();
	response = kit_store("01", 0, PKI_DAY);
	expect_verified(1);
	stage_pass(12 * 3600 * 1000);
	for (unsigned i = 0; i < 20; i++) /* each while the refresh is under way */
		kit_expect(kit_ask("01"), response, KIT_HIT(43200));
	expect_verified(0);
	kit_tick();
	kit_answer(kit_good("01", 0, PKI_DAY));
	expect_verified(1);
	kit_ask("02");
	kit_refuse(500);
	for (unsigned i = 0; i < 20; i++)
		kit_expect(kit_ask("02"), TRY_LATER, KIT_NEGATIVE);
	expect_verified(0);
	kit_close();
}
