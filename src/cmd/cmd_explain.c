/* SPDX-License-Identifier: ISC */
/*
 * ocsprelay explain: all about one certificate, as a relay of this configuration sees it: its key,
 * issuer and rule, what the running relay has of it, what the responders say now, and what comes of
 * that. A relay that does not run, or does not answer, is one line of it.
 *
 * Exit: by the verdict; see explain_verdict.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/commands.h"
#include "cmd/explain.h"
#include "core/dates.h"
#include "ctl/issuer_load.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/upstream.h"

#define MAX_MESSAGES 1048576
#define MAX_FINDING  2048

void explain_put(json_t *object, const char *name, const char *text)
{
	json_t *value = json_string(text);

	json_object_set_new(object, name, value ? value : json_string("?"));
}

void explain_put_time(json_t *object, const char *name, int64_t t)
{
	char iso[ISO_DATE_SIZE];

	date_to_iso(iso, t);
	explain_put(object, name, iso);
}

void explain_find(struct explain *explain, const char *fmt, ...)
{
	char text[MAX_FINDING];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	json_array_append_new(explain->findings, json_string(text));
}

/* ARGS_GO, or the exit status when it has been said why. */
static int read_configuration(struct explain *explain)
{
	struct buf messages;
	err_t err;

	buf_init(&messages, MAX_MESSAGES);
	err = config_load(explain->args->remote.config, &explain->settings, &messages);
	if (err != OK)
		fwrite(messages.p, 1, messages.len, stderr);
	buf_fini(&messages);
	if (err != OK)
		return EXIT_CONFIG;
	explain->defaults = settings_default();
	explain->issuers = issuer_load_explained(explain->settings, entropy_hash_key(),
						 &explain->faults, &explain->origins);
	return explain->defaults != NULL && explain->issuers != NULL ? ARGS_GO : EXIT_NO_ANSWER;
}

static void print(const struct explain *explain)
{
	if (explain->args->remote.json) {
		json_dumpf(explain->root, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		explain_text(explain->root);
	}
}

static int run(struct explain *explain)
{
	int status = read_configuration(explain);

	if (status == ARGS_GO)
		status = explain_subject(explain);
	if (status != ARGS_GO)
		return status;
	explain_relay(explain);
	if (!explain->args->offline && explain->refusal == OK)
		explain_test(explain);
	status = explain_verdict(explain);
	json_object_set(explain->root, "findings", explain->findings);
	print(explain);
	return status;
}

static int explain(const struct explain_args *args)
{
	struct explain explain = {.args = args, .now = clock_wall()};
	int status = EXIT_NO_ANSWER;

	buf_init(&explain.faults, MAX_MESSAGES);
	explain.root = json_object();
	explain.findings = json_array();
	if (upstream_global_init() == OK) {
		status = run(&explain);
		upstream_global_fini();
	}
	json_decref(explain.root);
	json_decref(explain.findings);
	X509_free(explain.cert);
	issuer_free(explain.stranger);
	if (explain.issuers != NULL)
		issuer_origins_free(explain.origins, issuers_count(explain.issuers));
	issuers_unref(explain.issuers);
	settings_free(explain.settings);
	settings_free(explain.defaults);
	buf_fini(&explain.faults);
	return status;
}

int cmd_explain(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    REMOTE_ROWS(explain_args),
	    {"issuer", 0, ARGS_TEXT, offsetof(struct explain_args, issuer)},
	    {"hash", 0, ARGS_TEXT, offsetof(struct explain_args, hash)},
	    {"offline", 0, ARGS_FLAG, offsetof(struct explain_args, offline)},
	    {"CERT.pem", 0, ARGS_OPERAND, offsetof(struct explain_args, cert)},
	};
	static const struct args_spec spec = {"explain", rows, N_ELEMENTS(rows)};
	struct explain_args args = {.remote = REMOTE_ARGS, .hash = "sha1"};
	int status = args_read(&spec, argc, argv, &args);

	if (status != ARGS_GO)
		return status;
	if (hash_alg_named(args.hash) == N_HASH_ALGS)
		return args_usage("explain", "--hash: sha1, sha224, sha256, sha384 or sha512");
	status = remote_check("explain", &args.remote);
	return status == ARGS_GO ? explain(&args) : status;
}
