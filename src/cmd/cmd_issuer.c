/* SPDX-License-Identifier: ISC */
/*
 * ocsprelay issuer add: from certificates to the file in issuer_dir that makes their issuer and its
 * responder known. In this order: what is given, what is known, what was found; then everything
 * that may keep it from being written; then the file.
 *
 * A file that the operator names is believed. What a TLS server presents may be anybody's: before a
 * CA of which nothing else is known is taken from there, the operator is shown it and says yes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "cmd/issuer_file.h"
#include "cmd/issuer_given.h"
#include "cmd/issuer_try.h"
#include "cmd/remote.h"
#include "cmd/response_text.h"
#include "ctl/certificate.h"
#include "io/file_replace.h"
#include "io/files.h"
#include "io/tls_peer.h"
#include "io/upstream.h"

#define MAX_FILE (16 << 20)

struct issuer_args {
	struct remote_args remote; /* but for its config */
	struct issuer_given_args given;
	const char *action, *name;
	bool dry_run, online, yes, replace, reload;
	uint64_t timeout;
};

struct adding {
	const struct issuer_args *args;
	struct issuer_given given;
	struct issuer_found found;
	const struct issuer *known; /* of the table: the same issuer; NULL: it is new */
	char *path;		    /* of the file to be */
	struct buf content;
	bool is_extended; /* it is there, and has a part of that */
};

static PRINTF_LIKE(1, 2) void say(const char *fmt, ...)
{
	va_list args;

	fputs("ocsprelay issuer: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static const char *why(err_t err)
{
	return err == ERR_SYSTEM ? strerror(errno) : err_row(err)->text;
}

/* --- what was found --------------------------------------------------------------------------- */

static int missing(const struct adding *adding)
{
	char name[256], *url = issuer_find_elsewhere(adding->found.leaf);

	certificate_name(X509_get_issuer_name(adding->found.leaf), name, sizeof(name));
	say("the certificate of the issuer is missing: %s", name);
	if (url != NULL)
		say("the leaf says that it lies at %s (not fetched: give its file, too)", url);
	free(url);
	return EXIT_NO_ANSWER;
}

/* The issuer itself, new or known. */
static const struct issuer *issuer_of(const struct adding *adding)
{
	return adding->found.issuer ? adding->found.issuer : adding->known;
}

static void print_responder(const struct adding *adding)
{
	static const char *const texts[] = {
	    [RESPONDER_IS_NAMED] = "",
	    [RESPONDER_IS_NOT_NAMED] = "none: the leaf names none; a section may (responders)",
	    [RESPONDER_IS_UNUSABLE] = "none: the URL that the leaf names cannot be used",
	    [RESPONDER_HAS_NO_LEAF] = "not known: a leaf of this issuer tells it; give one, too",
	};

	printf("  responder    %s\n", adding->found.responder ? adding->found.responder
							      : texts[adding->found.responder_is]);
}

static void print_found(const struct adding *adding)
{
	const struct issuer *issuer = issuer_of(adding);
	struct buf text;
	char name[256];

	buf_init(&text, MAX_FILE);
	for (size_t i = 0; i < issuer->n_certs; i++) {
		buf_text(&text, i == 0 ? "issuer\n" : "issuer, another certificate of it\n");
		issuer_file_describe(issuer->certs[i], "  ", &text);
	}
	if (text.err == OK)
		printf("%.*s", (int)text.len, (const char *)text.p);
	buf_fini(&text);
	if (adding->found.leaf != NULL) {
		certificate_name(X509_get_subject_name(adding->found.leaf), name, sizeof(name));
		printf("  leaf         %s\n", name);
	}
	print_responder(adding);
}

static int find(struct adding *adding)
{
	struct issuer_found *found = &adding->found;

	issuer_find(&adding->given.certs, found);
	if (found->issuer != NULL)
		adding->known = issuers_by_id(adding->given.table, found->issuer->id);
	else if (found->leaf != NULL)
		adding->known = issuer_find_known(adding->given.table, found->leaf);
	if (issuer_of(adding) == NULL && found->leaf == NULL) {
		say("the CA's certificate cannot be used as an issuer");
		return EXIT_NO_ANSWER;
	}
	if (issuer_of(adding) == NULL)
		return missing(adding);
	print_found(adding);
	return ARGS_GO;
}

/* --- what may keep it from being written ------------------------------------------------------ */

/* Whether each certificate of the issuer is from a file, or known. To have the key of a known one
 * is not enough: anybody can make such a certificate, and the latest end of all counts. */
static bool is_vouched_for(const struct adding *adding)
{
	const struct issuer *issuer = adding->found.issuer;

	for (size_t i = 0; i < issuer->n_certs; i++) {
		const X509 *cert = issuer->certs[i];

		if (!issuer_given_is_of_file(&adding->given, cert) &&
		    (adding->known == NULL || !issuer_find_has(adding->known, cert)))
			return false;
	}
	return true;
}

static int confirm(const struct adding *adding)
{
	const struct issuer_args *args = adding->args;
	char answer[16] = "";

	if (args->yes || (args->dry_run && !args->online) || is_vouched_for(adding))
		return ARGS_GO;
	if (!isatty(STDIN_FILENO)) {
		say("%s may be anybody: compare the fingerprint with one that you trust, then "
		    "give --yes",
		    adding->args->given.tls);
		return EXIT_USAGE;
	}
	printf("%s may be anybody. Is this the fingerprint of a CA that you trust? [y/N] ",
	       adding->args->given.tls);
	fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
		return ARGS_GO;
	say("not added");
	return EXIT_NO;
}

static int try_online(const struct adding *adding)
{
	char detail[ISSUER_TRY_DETAIL];
	struct verdict verdict;
	err_t err;

	if (!adding->args->online)
		return ARGS_GO;
	if (adding->found.responder == NULL) {
		say("--online: there is no responder to ask");
		return EXIT_NO_ANSWER;
	}
	err = issuer_try(&adding->found, issuer_of(adding), (unsigned)adding->args->timeout,
			 &verdict, detail);
	if (err != OK) {
		say("%s: %s%s%s", adding->found.responder, err_row(err)->text, *detail ? ": " : "",
		    detail);
		return EXIT_NO_ANSWER;
	}
	printf("  online       it says that the leaf is %s\n",
	       response_cert_status(verdict.status));
	return ARGS_GO;
}

static char *make_path(const struct adding *adding)
{
	const char *name = adding->args->name, *dot = name ? strrchr(name, '.') : NULL;
	bool has_suffix = dot != NULL && (strcmp(dot, ".pem") == 0 || strcmp(dot, ".crt") == 0 ||
					  strcmp(dot, ".cer") == 0);
	char *own = name ? NULL : issuer_file_name(issuer_of(adding)), *path = NULL;

	if (name == NULL)
		name = own;
	if (name == NULL || asprintf(&path, "%s/%s%s", adding->given.directory, name,
				     own != NULL || has_suffix ? "" : ".pem") < 0)
		path = NULL;
	free(own);
	return path;
}

static void say_what_differs(const char *path, struct slice there)
{
	struct certificates found = {.n = 0};
	struct buf text;

	say("%s is there and has other certificates; --replace, or another --name", path);
	if (certificates_parse(there, &found) != OK)
		return;
	buf_init(&text, MAX_FILE);
	for (size_t i = 0; i < found.n; i++) {
		buf_text(&text, "there\n");
		issuer_file_describe(found.items[i], "  ", &text);
	}
	if (text.err == OK)
		fprintf(stderr, "%.*s", (int)text.len, (const char *)text.p);
	buf_fini(&text);
	certificates_free(&found);
}

/* Nothing is lost of a file that has a part of what was found, as one of the CA alone has. */
static bool extend(struct adding *adding, struct slice there)
{
	struct buf whole;

	buf_init(&whole, 2 * MAX_FILE);
	adding->is_extended = issuer_file_extend(&adding->found, there, &whole) && whole.err == OK;
	if (adding->is_extended) {
		buf_fini(&adding->content);
		adding->content = whole;
	} else {
		buf_fini(&whole);
	}
	return adding->is_extended;
}

/* EXIT_OK: it is there already. */
static int compare(struct adding *adding)
{
	int status = EXIT_NO;
	struct buf there;
	err_t err;

	buf_init(&there, MAX_FILE);
	err = file_read(adding->path, &there);
	if (err == ERR_SYSTEM && errno == ENOENT) {
		status = ARGS_GO;
	} else if (err == OK &&
		   issuer_file_is_same(buf_slice(&there), buf_slice(&adding->content))) {
		printf("  file         %s: there already\n", adding->path);
		status = EXIT_OK;
	} else if (adding->args->replace || (err == OK && extend(adding, buf_slice(&there)))) {
		status = ARGS_GO;
	} else {
		say_what_differs(adding->path, buf_slice(&there));
	}
	buf_fini(&there);
	return status;
}

/* --- the file --------------------------------------------------------------------------------- */

static int reload(const struct issuer_args *args)
{
	struct remote_args remote_args = args->remote;
	struct remote remote;
	json_t *told = NULL;
	int status;

	remote_args.config = args->given.config ? args->given.config : CONFIG_DEFAULT_PATH;
	status = remote_open("issuer", &remote_args, &remote);
	if (status == ARGS_GO)
		status = remote_object(&remote, "/api/v1/reload", "application/json",
				       slice_text("{}"), &told);
	if (status == ARGS_GO) {
		printf("reloaded, %lld issuers\n", (long long)remote_number(told, "issuers"));
		status = EXIT_OK;
	}
	json_decref(told);
	remote_close(&remote);
	return status;
}

static int write_file(const struct adding *adding)
{
	err_t err;

	if (adding->args->dry_run) {
		printf("  file         %s: would be %s\n\n%.*s", adding->path,
		       adding->is_extended ? "extended" : "written", (int)adding->content.len,
		       (const char *)adding->content.p);
		return EXIT_OK;
	}
	err = file_replace(adding->path, buf_slice(&adding->content));
	if (err != OK) {
		say("%s: %s", adding->path, why(err));
		return EXIT_NO_ANSWER;
	}
	printf("  file         %s: %s\n", adding->path,
	       adding->is_extended ? "extended" : "written");
	if (adding->args->reload) {
		fflush(stdout);
		return reload(adding->args);
	}
	puts("next: ocsprelay reload");
	return EXIT_OK;
}

/* A leaf that teaches something new of a known issuer brings that issuer's certificates. */
static int borrow_known(struct adding *adding)
{
	err_t err = issuer_new(adding->known->certs[0], "issuer", &adding->found.issuer);

	for (size_t i = 1; i < adding->known->n_certs && err == OK; i++)
		err = issuer_add_cert(adding->found.issuer, adding->known->certs[i]);
	if (err != OK)
		say("%s", err_row(err)->text);
	return err == OK ? ARGS_GO : EXIT_NO_ANSWER;
}

static int prepare(struct adding *adding)
{
	int status = adding->found.issuer ? ARGS_GO : borrow_known(adding);

	if (status != ARGS_GO)
		return status;
	adding->path = make_path(adding);
	issuer_file_write(&adding->found, &adding->content);
	if (adding->path != NULL && adding->content.err == OK)
		return compare(adding);
	say("%s", err_row(ERR_NO_MEMORY)->text);
	return EXIT_NO_ANSWER;
}

/* The responder of a CA that nobody vouches for is not contacted before somebody does. */
static int add(struct adding *adding)
{
	int status = issuer_given_read(&adding->args->given, &adding->given);

	if (status == ARGS_GO)
		status = find(adding);
	if (status != ARGS_GO)
		return status;
	if (adding->known != NULL && issuer_find_is_old(&adding->found, adding->known)) {
		printf("known already: issuer \"%s\", from %s\n", adding->known->label,
		       issuer_given_path(&adding->given, adding->known));
		status = try_online(adding);
		return status == ARGS_GO ? EXIT_OK : status;
	}
	status = prepare(adding);
	if (status == ARGS_GO)
		status = confirm(adding);
	if (status == ARGS_GO)
		status = try_online(adding);
	return status == ARGS_GO ? write_file(adding) : status;
}

static int run(const struct issuer_args *args)
{
	struct adding adding = {.args = args};
	int status = EXIT_NO_ANSWER;

	buf_init(&adding.content, MAX_FILE);
	if (upstream_global_init() == OK) {
		status = add(&adding);
		upstream_global_fini();
	}
	issuer_found_fini(&adding.found);
	issuer_given_fini(&adding.given);
	buf_fini(&adding.content);
	free(adding.path);
	return status;
}

static int check(const struct issuer_args *args)
{
	if (strcmp(args->action, "add") != 0)
		return args_usage("issuer", "\"%s\": only add is there to be done", args->action);
	if (args->given.paths.n == 0 && args->given.tls == NULL)
		return args_usage("issuer", "which certificates? files or --tls");
	if (args->given.tls != NULL && !tls_peer_check(args->given.tls))
		return args_usage("issuer", "--tls: \"%s\" is no HOST:PORT", args->given.tls);
	if (args->name != NULL && !issuer_file_may_be(args->name))
		return args_usage("issuer", "--name: \"%s\" is no name of a file", args->name);
	return remote_check("issuer", &args->remote);
}

int cmd_issuer(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    {"config", 'c', ARGS_TEXT, offsetof(struct issuer_args, given.config)},
	    {"admin", 0, ARGS_TEXT, offsetof(struct issuer_args, remote.admin)},
	    {"token-file", 0, ARGS_TEXT, offsetof(struct issuer_args, remote.token_file)},
	    {"tls", 0, ARGS_TEXT, offsetof(struct issuer_args, given.tls)},
	    {"dir", 0, ARGS_TEXT, offsetof(struct issuer_args, given.directory)},
	    {"name", 0, ARGS_TEXT, offsetof(struct issuer_args, name)},
	    {"online", 0, ARGS_FLAG, offsetof(struct issuer_args, online)},
	    {"dry-run", 0, ARGS_FLAG, offsetof(struct issuer_args, dry_run)},
	    {"yes", 0, ARGS_FLAG, offsetof(struct issuer_args, yes)},
	    {"replace", 0, ARGS_FLAG, offsetof(struct issuer_args, replace)},
	    {"reload", 0, ARGS_FLAG, offsetof(struct issuer_args, reload)},
	    {"timeout", 0, ARGS_SECONDS, offsetof(struct issuer_args, timeout)},
	    {"add", 0, ARGS_OPERAND, offsetof(struct issuer_args, action)},
	    {"CERT.pem", 0, ARGS_OPERANDS, offsetof(struct issuer_args, given.paths)},
	};
	static const struct args_spec spec = {"issuer", rows, N_ELEMENTS(rows)};
	struct issuer_args args = {.timeout = 10};
	int status = args_read(&spec, argc, argv, &args);

	if (status == ARGS_GO)
		status = check(&args);
	args.given.seconds = (unsigned)args.timeout;
	if (status == ARGS_GO)
		status = run(&args);
	args_texts_fini(&args.given.paths);
	return status;
}
