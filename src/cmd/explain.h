/* SPDX-License-Identifier: ISC */
/*
 * An explanation: all that there is to say of one certificate, gathered part by part into one JSON
 * object, which is what --json prints and what the text for people is made of. Each part has a
 * file.
 */
#ifndef OCSPRELAY_CMD_EXPLAIN_H
#define OCSPRELAY_CMD_EXPLAIN_H

#include <jansson.h>

#include "cmd/remote.h"
#include "core/freshness.h"
#include "ctl/issuer_labels.h"

struct explain_args {
	struct remote_args remote;
	const char *issuer, *hash, *cert;
	bool offline;
};

struct explain {
	const struct explain_args *args;
	struct settings *settings, *defaults;
	struct issuers *issuers;
	struct issuer_origin *origins; /* as many as issuers */
	struct buf faults;	       /* of files, as lines */
	int64_t now;

	X509 *cert;
	const struct issuer *issuer; /* NULL: none is known that has issued it */
	struct issuer *stranger;     /* of a file, owned: one that is not configured */
	struct certid_of_cert asked; /* with issuer */
	struct cache_key key;	     /* with issuer */
	err_t refusal;		     /* why the relay would not even fetch, or OK */

	const json_t *held; /* of a tier: what clients are served now, or NULL */
	bool is_tested;
	err_t err; /* what the test came to; with OK what follows */
	struct verdict verdict;
	struct lifetime lifetime;
	struct upstream_hints hints;

	json_t *root, *findings;
};

/* A member that is text; what is not UTF-8 is left out of it. */
void explain_put(json_t *object, const char *name, const char *text);
void explain_put_time(json_t *object, const char *name, int64_t t);

/* Adds a sentence about what is worth a look. */
void explain_find(struct explain *explain, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Reads the certificate and finds its issuer: "certificate", "key", "issuer", "options". ARGS_GO or
 * the exit status, when it has been said why. */
MUST_CHECK int explain_subject(struct explain *explain);

/* What the running relay has: "relay". */
void explain_relay(struct explain *explain);

/* Asks the responders: "attempts". */
void explain_test(struct explain *explain);

/* What comes of it all: "verdict"; the exit status. */
int explain_verdict(struct explain *explain);

/* The text for people. */
void explain_text(const json_t *root);

#endif
