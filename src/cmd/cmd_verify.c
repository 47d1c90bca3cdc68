/* SPDX-License-Identifier: ISC */
/*
 * ocsprelay verify: judges a response file through the very function that the daemon uses, at any
 * time. What was asked comes from a certificate, from a request file, or, without both, from the
 * response itself: then it only has to be about the issuer.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "cmd/args.h"
#include "cmd/commands.h"
#include "cmd/response_text.h"
#include "cmd/subject.h"
#include "core/dates.h"
#include "core/ocsp_request.h"
#include "io/clock.h"
#include "io/files.h"

struct verify_args {
	const char *issuer, *cert, *request, *at, *trusted, *response;
	bool json;
};

struct asked { /* with all that it borrows from */
	struct certid_of_cert of_cert;
	struct buf request_der;
	struct ocsp_request request;
	struct single single;
	const struct certid *certids;
	unsigned n_certids;
};

static int fail(const char *path, const char *what)
{
	fprintf(stderr, "ocsprelay verify: %s: %s\n", path, what);
	return EXIT_NO_ANSWER;
}

/* The first SingleResponse that is about this issuer. */
static bool find_single(const struct issuer *issuer, struct slice der, struct asked *asked)
{
	struct response response;
	struct der cursor;

	if (response_parse(der, &response) != OK || response.status != OCSP_SUCCESSFUL)
		return false;
	cursor = der_of(response.singles);
	while (response_next_single(&cursor, &asked->single) == OK) {
		if (issuer_is_named_by(issuer, &asked->single.certid))
			return true;
	}
	return false;
}

static int find_asked(const struct verify_args *args, const struct subject *subject,
		      struct slice der, struct asked *asked)
{
	const struct ocsp_request_limits limits = {.max_certids = MAX_CERTIDS,
						   .max_extensions = 256};
	err_t err;

	if (args->request != NULL) {
		if (file_read(args->request, &asked->request_der) != OK)
			return fail(args->request, "cannot be read");
		err = ocsp_request_parse(buf_slice(&asked->request_der), &limits, &asked->request);
		if (err != OK)
			return fail(args->request, err_row(err)->text);
		asked->certids = asked->request.certids;
		asked->n_certids = asked->request.n_certids;
	} else if (subject->cert != NULL) {
		err = issuer_certid(subject->issuer, subject->cert, HASH_SHA1, &asked->of_cert);
		if (err != OK)
			return fail(args->cert, err_row(err)->text);
		asked->certids = &asked->of_cert.certid;
		asked->n_certids = 1;
	} else if (find_single(subject->issuer, der, asked)) {
		asked->certids = &asked->single.certid;
		asked->n_certids = 1;
	}
	return EXIT_OK;
}

static err_t judge(const struct asked *asked, const struct issuer *issuer, struct slice der,
		   int64_t now, struct verdict *out)
{
	const struct verify_question question = {.certids = asked->certids,
						 .n_certids = asked->n_certids,
						 .nonce = asked->request.nonce,
						 .issuer = issuer,
						 .now = now};
	struct response response;
	err_t err = response_parse(der, &response);

	if (err == OK && response.status == OCSP_SUCCESSFUL && asked->n_certids == 0)
		return ERR_RSP_CERTID;
	return verify_response(der, &question, out);
}

static void print(const struct verify_args *args, struct slice der, err_t err,
		  const struct verdict *verdict, int64_t now)
{
	struct response response;
	struct buf out;

	buf_init(&out, MAX_DER_FILE);
	if (args->json)
		buf_text(&out, "{");
	if (response_parse(der, &response) == OK)
		(args->json ? response_members : response_text)(&response, &out);
	(args->json ? verdict_members : verdict_text)(err, verdict, now, &out);
	if (args->json)
		buf_text(&out, "}\n");
	if (out.len > 0)
		fwrite(out.p, 1, out.len, stdout);
	buf_fini(&out);
}

static int verify(const struct verify_args *args, int64_t now)
{
	struct subject subject = {.cert = NULL};
	struct asked asked = {.n_certids = 0};
	struct verdict verdict = {.flags = 0};
	struct buf der;
	int status = EXIT_NO_ANSWER;
	err_t err;

	buf_init(&der, MAX_DER_FILE);
	buf_init(&asked.request_der, MAX_DER_FILE);
	if (!subject_read("verify", args->cert, args->issuer, args->trusted, &subject))
		goto out;
	if (file_read(args->response, &der) != OK) {
		fail(args->response, "cannot be read");
		goto out;
	}
	status = find_asked(args, &subject, buf_slice(&der), &asked);
	if (status != EXIT_OK)
		goto out;
	err = judge(&asked, subject.issuer, buf_slice(&der), now, &verdict);
	print(args, buf_slice(&der), err, &verdict, now);
	status = err == OK ? EXIT_OK : EXIT_NO;
out:
	buf_fini(&der);
	buf_fini(&asked.request_der);
	subject_fini(&subject);
	return status;
}

int cmd_verify(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    {"issuer", 0, ARGS_TEXT, offsetof(struct verify_args, issuer)},
	    {"cert", 0, ARGS_TEXT, offsetof(struct verify_args, cert)},
	    {"request", 0, ARGS_TEXT, offsetof(struct verify_args, request)},
	    {"at", 0, ARGS_TEXT, offsetof(struct verify_args, at)},
	    {"trusted", 0, ARGS_TEXT, offsetof(struct verify_args, trusted)},
	    {"json", 0, ARGS_FLAG, offsetof(struct verify_args, json)},
	    {"RESPONSE.der", 0, ARGS_OPERAND, offsetof(struct verify_args, response)},
	};
	static const struct args_spec spec = {"verify", rows, N_ELEMENTS(rows)};
	struct verify_args args = {.issuer = NULL};
	int status = args_read(&spec, argc, argv, &args);
	int64_t now = clock_wall();

	if (status != ARGS_GO)
		return status;
	if (args.issuer == NULL)
		return args_usage("verify", "--issuer is needed");
	if (args.cert != NULL && args.request != NULL)
		return args_usage("verify", "--cert and --request exclude each other");
	if (args.at != NULL && date_from_iso(slice_text(args.at), &now) != OK)
		return args_usage("verify", "--at: %s is no time", args.at);
	return verify(&args, now);
}
