/* SPDX-License-Identifier: ISC */
/*
 * ocsprelay query: asks a relay or a CA's responder about one certificate, verifies the answer as
 * the daemon would, and prints it. The exit status is the certificate's status.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cmd/args.h"
#include "cmd/commands.h"
#include "cmd/response_text.h"
#include "cmd/subject.h"
#include "core/ocsp_request.h"
#include "core/upstream_url.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/loop.h"
#include "io/upstream.h"

#define NONCE_LEN 32 /* RFC 9654 2.1 */

struct query_args {
	const char *url, *issuer, *hash, *method, *out, *cert;
	bool nonce, json;
	uint64_t timeout;
};

struct query {
	const struct query_args *args;
	struct subject subject;
	char *url;
	struct certid_of_cert asked;
	uint8_t der[MAX_MINIMAL_REQUEST_LEN + MAX_NONCE_LEN + 64];
	size_t der_len;
	struct slice nonce;
	struct loop *loop;
	int status; /* the exit status */
};

static int fail(const char *what, const char *detail)
{
	fprintf(stderr, "ocsprelay query: %s%s%s\n", what, *detail ? ": " : "", detail);
	return EXIT_NO_ANSWER;
}

/* A nonce extension (RFC 9654 2.1): SEQUENCE { OID, OCTET STRING { OCTET STRING } }. */
static size_t make_nonce(uint8_t dst[NONCE_LEN + 32])
{
	static const uint8_t head[] = {0x30, NONCE_LEN + 15, 0x06,	    0x09, 0x2b,	    0x06,
				       0x01, 0x05,	     0x05,	    0x07, 0x30,	    0x01,
				       0x02, 0x04,	     NONCE_LEN + 2, 0x04, NONCE_LEN};

	memcpy(dst, head, sizeof(head));
	entropy_fill(dst + sizeof(head), NONCE_LEN);
	return sizeof(head) + NONCE_LEN;
}

static bool build_request(struct query *query)
{
	const struct ocsp_request_limits limits = {.max_certids = 1, .max_extensions = 1};
	enum hash_alg alg = hash_alg_named(query->args->hash);
	uint8_t nonce[NONCE_LEN + 32];
	size_t nonce_len = query->args->nonce ? make_nonce(nonce) : 0;
	struct ocsp_request parsed;

	if (issuer_certid(query->subject.issuer, query->subject.cert, alg, &query->asked) != OK ||
	    ocsp_request_encode(&query->asked.certid, slice_of(nonce, nonce_len), query->der,
				sizeof(query->der), &query->der_len) != OK ||
	    ocsp_request_parse(slice_of(query->der, query->der_len), &limits, &parsed) != OK)
		return false;
	query->nonce = parsed.nonce; /* borrows from query->der */
	return true;
}

/* False: the file is not whole, which has been said. */
static bool save(const char *path, struct slice body)
{
	FILE *file = fopen(path, "wb");
	bool ok = file != NULL && fwrite(body.p, 1, body.len, file) == body.len;
	int error = errno;

	if (file != NULL && fclose(file) != 0 && ok) {
		error = errno;
		ok = false;
	}
	if (!ok)
		fail(path, strerror(error));
	return ok;
}

static void json_begin(const struct query *query, struct buf *out)
{
	buf_text(out, "{\"url\":\"");
	buf_json(out, slice_text(query->url));
	buf_text(out, "\",");
}

static void write_out(const struct buf *out)
{
	if (out->len > 0)
		fwrite(out->p, 1, out->len, stdout);
}

/* There is no response to speak of: a line for people, and for programs an object too. */
static int print_failure(const struct query *query, const struct upstream_answer *answer)
{
	const char *detail = answer->detail;
	char status[32], text[512];
	struct buf out;

	if (*detail == '\0' && answer->http_status != 0) {
		snprintf(status, sizeof(status), "status %u", answer->http_status);
		detail = status;
	}
	if (query->args->json) {
		buf_init(&out, MAX_DER_FILE);
		json_begin(query, &out);
		verdict_members(answer->err, NULL, 0, &out);
		buf_text(&out, "}\n");
		write_out(&out);
		buf_fini(&out);
	}
	snprintf(text, sizeof(text), "%s%s%s", err_row(answer->err)->text, *detail ? ": " : "",
		 detail);
	return fail(query->url, text);
}

static void print(const struct query *query, const struct upstream_answer *answer, err_t err,
		  const struct verdict *verdict)
{
	bool json = query->args->json;
	struct response response;
	struct buf out;

	buf_init(&out, MAX_DER_FILE);
	if (json)
		json_begin(query, &out);
	if (response_parse(answer->body, &response) == OK)
		(json ? response_members : response_text)(&response, &out);
	(json ? verdict_members : verdict_text)(err, verdict, clock_wall(), &out);
	if (json) {
		buf_text(&out, ",\"cache_status\":\"");
		buf_json(&out, slice_text(answer->cache_status));
		buf_text(&out, "\"}\n");
	} else {
		if (query->args->nonce && err == OK && !(verdict->flags & VERDICT_NONCE))
			buf_text(&out, "Nonce: sent, not returned\n");
		buf_printf(&out, "Asked: %s\n", query->url);
		if (*answer->cache_status)
			buf_printf(&out, "Relay: %s\n", answer->cache_status);
	}
	write_out(&out);
	buf_fini(&out);
}

static void on_answer(void *arg, const struct upstream_answer *answer)
{
	static const int exits[] = {
	    [CERT_GOOD] = EXIT_OK, [CERT_REVOKED] = EXIT_NO, [CERT_UNKNOWN] = EXIT_UNKNOWN};
	struct query *query = arg;
	const struct verify_question question = {.certids = &query->asked.certid,
						 .n_certids = 1,
						 .nonce = query->nonce,
						 .issuer = query->subject.issuer,
						 .now = clock_wall()};
	struct verdict verdict = {.flags = 0};
	err_t err;

	loop_stop(query->loop);
	if (answer->err != OK) {
		query->status = print_failure(query, answer);
		return;
	}
	err = verify_response(answer->body, &question, &verdict);
	print(query, answer, err, &verdict);
	query->status = err == OK ? exits[verdict.status] : EXIT_NO_ANSWER;
	if (query->args->out != NULL && !save(query->args->out, answer->body))
		query->status = EXIT_NO_ANSWER;
}

static bool wants_post(const struct query *query)
{
	if (strcmp(query->args->method, "auto") != 0)
		return strcmp(query->args->method, "post") == 0;
	return query->args->nonce ||
	       upstream_url_get_len(query->url, slice_of(query->der, query->der_len)) >
		   MAX_GET_URL_LEN;
}

static int ask(struct query *query)
{
	struct upstream_opts opts = {
	    .max_response = 1048576, .via = "ocsprelay-query", .max_connections = 1};
	struct upstream_request request = {.url = query->url,
					   .proxy = "",
					   .der = slice_of(query->der, query->der_len),
					   .post = wants_post(query),
					   .ms_connect = (int64_t)query->args->timeout * 1000,
					   .ms_attempt = (int64_t)query->args->timeout * 1000};
	struct upstream *upstream = NULL;

	query->status = EXIT_NO_ANSWER;
	if (upstream_global_init() != OK)
		return fail("cannot initialise the HTTP client", "");
	query->loop = loop_new();
	opts.loop = query->loop;
	if (query->loop != NULL)
		upstream = upstream_new(&opts);
	if (upstream != NULL && upstream_start(upstream, &request, on_answer, query) != NULL)
		loop_run(query->loop);
	upstream_free(upstream);
	loop_free(query->loop);
	upstream_global_fini();
	return query->status;
}

static int run(const struct query_args *args)
{
	struct query query = {.args = args};
	int status = EXIT_NO_ANSWER;

	if (!subject_read("query", args->cert, args->issuer, NULL, &query.subject))
		return status;
	query.url = args->url ? strdup(args->url) : issuer_responder_of(query.subject.cert);
	if (query.url == NULL)
		fail(args->cert, "names no responder; give --url");
	else if (upstream_url_check(query.url) != OK)
		fail(args->cert, "its responder's URL cannot be used; give --url");
	else if (!build_request(&query))
		fail(args->cert, "no request can be made for it");
	else
		status = ask(&query);
	free(query.url);
	subject_fini(&query.subject);
	return status;
}

static bool is_method(const char *text)
{
	return strcmp(text, "auto") == 0 || strcmp(text, "get") == 0 || strcmp(text, "post") == 0;
}

int cmd_query(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    {"url", 0, ARGS_TEXT, offsetof(struct query_args, url)},
	    {"issuer", 0, ARGS_TEXT, offsetof(struct query_args, issuer)},
	    {"nonce", 0, ARGS_FLAG, offsetof(struct query_args, nonce)},
	    {"hash", 0, ARGS_TEXT, offsetof(struct query_args, hash)},
	    {"method", 0, ARGS_TEXT, offsetof(struct query_args, method)},
	    {"out", 0, ARGS_TEXT, offsetof(struct query_args, out)},
	    {"timeout", 0, ARGS_SECONDS, offsetof(struct query_args, timeout)},
	    {"json", 0, ARGS_FLAG, offsetof(struct query_args, json)},
	    {"CERT.pem", 0, ARGS_OPERAND, offsetof(struct query_args, cert)},
	};
	static const struct args_spec spec = {"query", rows, N_ELEMENTS(rows)};
	struct query_args args = {.hash = "sha1", .method = "auto", .timeout = 10};
	int status = args_read(&spec, argc, argv, &args);

	if (status != ARGS_GO)
		return status;
	if (hash_alg_named(args.hash) == N_HASH_ALGS)
		return args_usage("query", "--hash: sha1, sha224, sha256, sha384 or sha512");
	if (!is_method(args.method))
		return args_usage("query", "--method: auto, get or post");
	if (args.url != NULL && upstream_url_check(args.url) != OK)
		return args_usage("query", "--url: http:// or https:// with a host, no user, query "
					   "or fragment");
	return run(&args);
}
