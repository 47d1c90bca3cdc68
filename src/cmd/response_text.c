/* SPDX-License-Identifier: ISC */
/* Rendering responses and verdicts; layout and words as openssl prints them where it has them. */
#include "cmd/response_text.h"

#include <inttypes.h>

#include <openssl/x509.h>

#include "base/bytes.h"
#include "cmd/span.h"
#include "core/dates.h"
#include "ctl/json_member.h"

#define MAX_SHOWN_LEN 64 /* octets: digests and serials are not longer */

/* CRLReason, RFC 5280 5.3.1 */
static const char *const reasons[] = {
    "unspecified",   "keyCompromise",	     "cACompromise",	"affiliationChanged",
    "superseded",    "cessationOfOperation", "certificateHold", NULL,
    "removeFromCRL", "privilegeWithdrawn",   "aACompromise"};

static const char *const signers[] = {[SIGNER_ISSUER] = "issuer",
				      [SIGNER_DELEGATE] = "delegated responder",
				      [SIGNER_TRUSTED] = "trusted responder"};

const char *response_cert_status(enum cert_status status)
{
	static const char *const texts[] = {
	    [CERT_GOOD] = "good", [CERT_REVOKED] = "revoked", [CERT_UNKNOWN] = "unknown"};

	return texts[status];
}

static const char *status_name(enum ocsp_status status)
{
	switch (status) {
	case OCSP_SUCCESSFUL:
		return "successful";
	case OCSP_MALFORMED_REQUEST:
		return "malformedrequest";
	case OCSP_INTERNAL_ERROR:
		return "internalerror";
	case OCSP_TRY_LATER:
		return "trylater";
	case OCSP_SIG_REQUIRED:
		return "sigrequired";
	case OCSP_UNAUTHORIZED:
		return "unauthorized";
	case OCSP_NONE:
		break;
	}
	return "undefined";
}

static void put_hex(struct buf *out, struct slice bytes)
{
	char hex[2 * MAX_SHOWN_LEN];
	struct slice shown = slice_take(bytes, MAX_SHOWN_LEN);

	hex_encode(hex, shown);
	for (size_t i = 0; i < 2 * shown.len; i++) {
		if (hex[i] >= 'a')
			hex[i] = (char)(hex[i] - 'a' + 'A');
	}
	buf_append(out, hex, 2 * shown.len);
}

/* A positive number without the octet 00 that DER puts before a high bit. */
static void put_serial(struct buf *out, struct slice serial)
{
	put_hex(out, slice_skip(serial, serial.len > 1 && serial.p[0] == 0 ? 1 : 0));
}

/* Nov  2 12:00:00 2026 GMT, from the parts of an IMF-fixdate: Mon, 02 Nov 2026 12:00:00 GMT */
static void put_date(struct buf *out, int64_t t)
{
	char http[HTTP_DATE_LEN];

	date_to_http(http, t);
	if (http[5] == '0')
		http[5] = ' ';
	buf_printf(out, "%.3s %.2s %.8s %.4s GMT", http + 8, http + 5, http + 17, http + 12);
}

/* CN = ..., O = ...; empty when libcrypto cannot read it. */
static void put_name(struct buf *out, struct slice der)
{
	const unsigned char *p = der.p;
	X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der.len);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (name != NULL && bio != NULL &&
	    X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		len = BIO_get_mem_data(bio, &text);
		buf_append(out, text, (size_t)len);
	}
	BIO_free(bio);
	X509_NAME_free(name);
}

static void put_responder_id(struct buf *out, const struct response *response)
{
	if (response->name.p != NULL)
		put_name(out, response->name);
	else
		put_hex(out, response->key_hash);
}

static const char *reason_name(int reason)
{
	if (reason < 0 || (size_t)reason >= N_ELEMENTS(reasons) || reasons[reason] == NULL)
		return "unspecified";
	return reasons[reason];
}

static const char *alg_name(enum hash_alg alg)
{
	return alg < N_HASH_ALGS ? hash_algs[alg].name : "other";
}

static void put_single(struct buf *out, const struct single *single)
{
	buf_printf(out, "    Certificate ID:\n      Hash Algorithm: %s\n      Issuer Name Hash: ",
		   alg_name(single->certid.alg));
	put_hex(out, single->certid.name_hash);
	buf_text(out, "\n      Issuer Key Hash: ");
	put_hex(out, single->certid.key_hash);
	buf_text(out, "\n      Serial Number: ");
	put_serial(out, single->certid.serial);
	buf_printf(out, "\n    Cert Status: %s\n", response_cert_status(single->status));
	if (single->status == CERT_REVOKED) {
		buf_text(out, "    Revocation Time: ");
		put_date(out, single->revoked_at);
		if (single->reason >= 0)
			buf_printf(out, "\n    Revocation Reason: %s (0x%x)",
				   reason_name(single->reason), (unsigned)single->reason);
		buf_text(out, "\n");
	}
	buf_text(out, "    This Update: ");
	put_date(out, single->this_update);
	if (single->has_next_update) {
		buf_text(out, "\n    Next Update: ");
		put_date(out, single->next_update);
	}
	buf_text(out, "\n");
}

void response_text(const struct response *response, struct buf *out)
{
	struct der cursor = der_of(response->singles);
	struct single single;

	buf_printf(out, "OCSP Response Data:\n    OCSP Response Status: %s (0x%x)\n",
		   status_name(response->status), (unsigned)response->status);
	if (response->status != OCSP_SUCCESSFUL)
		return;
	buf_text(out, "    Response Type: Basic OCSP Response\n    Version: 1 (0x0)\n"
		      "    Responder Id: ");
	put_responder_id(out, response);
	buf_text(out, "\n    Produced At: ");
	put_date(out, response->produced_at);
	buf_text(out, "\n    Responses:\n");
	while (response_next_single(&cursor, &single) == OK)
		put_single(out, &single);
}

/* --- JSON ---------------------------------------------------------------------------------------
 */

static void put_single_object(struct buf *out, const struct single *single)
{
	buf_printf(out, "{\"hash_algorithm\":\"%s\",\"issuer_name_hash\":\"",
		   alg_name(single->certid.alg));
	put_hex(out, single->certid.name_hash);
	buf_text(out, "\",\"issuer_key_hash\":\"");
	put_hex(out, single->certid.key_hash);
	buf_text(out, "\",\"serial\":\"");
	put_serial(out, single->certid.serial);
	buf_printf(out, "\",\"cert_status\":\"%s\",", response_cert_status(single->status));
	if (single->status == CERT_REVOKED) {
		json_member_time(out, "revocation_time", single->revoked_at);
		buf_text(out, ",");
		if (single->reason >= 0)
			buf_printf(out, "\"revocation_reason\":\"%s\",",
				   reason_name(single->reason));
	}
	json_member_time(out, "this_update", single->this_update);
	if (single->has_next_update) {
		buf_text(out, ",");
		json_member_time(out, "next_update", single->next_update);
	}
	buf_text(out, "}");
}

void response_members(const struct response *response, struct buf *out)
{
	struct der cursor = der_of(response->singles);
	const char *separator = "";
	struct single single;
	struct buf id;

	buf_printf(out, "\"response_status\":\"%s\",", status_name(response->status));
	if (response->status != OCSP_SUCCESSFUL)
		return;
	buf_init(&id, 65536);
	put_responder_id(&id, response);
	buf_text(out, "\"response_type\":\"basic\",\"version\":1,\"responder_id\":\"");
	buf_json(out, buf_slice(&id));
	buf_text(out, "\",");
	buf_fini(&id);
	json_member_time(out, "produced_at", response->produced_at);
	buf_text(out, ",\"responses\":[");
	while (response_next_single(&cursor, &single) == OK) {
		buf_text(out, separator);
		put_single_object(out, &single);
		separator = ",";
	}
	buf_text(out, "],");
}

/* --- verdicts -----------------------------------------------------------------------------------
 */

static bool has_end(const struct verdict *verdict)
{
	return !(verdict->flags & VERDICT_NO_NEXT_UPDATE);
}

void verdict_text(err_t err, const struct verdict *verdict, int64_t now, struct buf *out)
{
	char span[SPAN_TEXT];

	if (err != OK) {
		buf_printf(out, "Verdict: refused: %s: %s\n", err_row(err)->label,
			   err_row(err)->text);
		return;
	}
	buf_printf(out, "Verdict: accepted, signed by the %s\n", signers[verdict->signer]);
	span_text(span, now - verdict->this_update);
	buf_printf(out, "Age: %s", span);
	if (has_end(verdict)) {
		buf_text(out, "\nValid until: ");
		put_date(out, verdict->hard_expiry);
		span_text(span, verdict->hard_expiry - now);
		buf_printf(out, " (%s left)", span);
	} else {
		buf_text(out, "\nValid until: not said; answered, but not stored");
	}
	if (verdict->flags & VERDICT_WEAK)
		buf_text(out, "\nWeak signature: answered, but not stored");
	if (verdict->flags & VERDICT_NONCE)
		buf_text(out, "\nNonce: present; answered, but not stored");
	buf_text(out, "\n");
}

void verdict_members(err_t err, const struct verdict *verdict, int64_t now, struct buf *out)
{
	buf_printf(out, "\"accepted\":%s", err == OK ? "true" : "false");
	if (err != OK) {
		buf_printf(out, ",\"reason\":\"%s\",", err_row(err)->label);
		json_member_text(out, "text", err_row(err)->text);
		return;
	}
	buf_printf(out, ",\"status\":\"%s\",\"signer\":\"%s\",\"age\":%" PRId64,
		   response_cert_status(verdict->status), signers[verdict->signer],
		   now - verdict->this_update);
	if (has_end(verdict)) {
		buf_text(out, ",");
		json_member_time(out, "valid_until", verdict->hard_expiry);
		buf_printf(out, ",\"time_left\":%" PRId64, verdict->hard_expiry - now);
	}
	buf_printf(out, ",\"weak_signature\":%s,\"nonce\":%s",
		   verdict->flags & VERDICT_WEAK ? "true" : "false",
		   verdict->flags & VERDICT_NONCE ? "true" : "false");
}
