/* SPDX-License-Identifier: ISC */
/*
 * A staple: a certificate in a file, and the file beside it from which its server takes the
 * response that it staples. What is done to that file follows cmd/staple_rule.h.
 */
#ifndef OCSPRELAY_CMD_STAPLE_H
#define OCSPRELAY_CMD_STAPLE_H

#include <sys/types.h>

#include "cmd/question.h"
#include "cmd/staple_rule.h"
#include "ctl/certificates.h"
#include "state/issuers.h"

#define STAPLE_SUFFIX ".ocsp" /* HAProxy's; the others are told the name */

struct staple_stamp { /* tells whether a file is still the one that was read */
	dev_t dev;
	ino_t ino;
	off_t size;
	int64_t ns_changed;
};

enum staple_did {
	STAPLE_DID_NOTHING, /* no staple, or the one that is there could not be renewed: err or why
			     */
	STAPLE_DID_WRITE,
	STAPLE_DID_LEAVE,  /* it is as it should be */
	STAPLE_DID_KEEP,   /* another answer came, but the one at hand counts */
	STAPLE_DID_REMOVE, /* the certificate is revoked, and what says so cannot be stapled */
	N_STAPLE_DID
};

struct staple {
	char *cert_path, *path; /* of the certificate, of the staple; owned */
	struct staple_stamp stamp;
	X509 *cert; /* NULL: cannot be asked about, why says why */
	struct issuer *own_issuer;
	struct question question;
	char why[256];
	char detail[256]; /* what the transfer said to it, different each time; may be "" */

	/* what the last look gave */
	enum staple_did did;
	bool is_there;	   /* a valid staple; */
	struct verdict is; /* this */
	enum cert_status status;
	int exit; /* of enum command_exit */

	int64_t due;	     /* when to ask next; 0: at once */
	unsigned n_failures; /* in sequence */
	bool is_asked;	     /* at this moment, or already in this round */
	bool is_news;	     /* the hook has still to be told of the file */
	char *told;	     /* the line that was printed last */
};

struct staple_sources { /* where issuers are looked for, in this order, before the own file and
			 * FILE.issuer */
	const struct certificates *given; /* of --issuer; NULL: none, else no other place counts */
	const struct issuers *table;	  /* of the configuration; NULL: none */
};

/* path: of the certificate; directory: where the staple goes, NULL: beside it. NULL without
 * memory. */
struct staple *staple_new(const char *path, const char *directory);
void staple_free(struct staple *staple); /* NULL is fine */

/* Reads the certificate (the first of the file that is of no CA) and finds its issuer, if the file
 * is another one than last time. Such a staple is due at once. Without success staple->cert is
 * NULL. */
void staple_read(struct staple *staple, const struct staple_sources *sources);

/* So that the next staple_read reads it, and it is due. */
void staple_forget(struct staple *staple);

/* Whether the file has no certificate to ask about by what it is: none at all, or of CAs only. Of
 * directories such files are left out. */
bool staple_is_no_leaf(const char *path);

/* What came: a response, or err (detail: what more there is to say, may be ""). Writes or leaves
 * the file, and sets what the last look gave and when to ask next. */
struct staple_answer {
	err_t err;
	const char *detail; /* not NULL */
	struct slice der;
	int64_t now;
	uint32_t chance;
};
void staple_take(struct staple *staple, const struct staple_answer *answer);

/* Nothing could be asked. */
void staple_take_none(struct staple *staple, int64_t now, uint32_t chance);

#endif
