/* SPDX-License-Identifier: ISC */
/*
 * What `ocsprelay check` has understood of a configuration, and how its parts tell it. Each part
 * has a file.
 */
#ifndef OCSPRELAY_CMD_CHECK_H
#define OCSPRELAY_CMD_CHECK_H

#include "base/buf.h"
#include "ctl/issuer_labels.h"
#include "ctl/option_rows.h"
#include "state/issuers.h"

#define CHECK_MAX_OUTPUT (256 << 20) /* thousands of issuers, a kilobyte each */

/* What a responder said when it was tried. */
struct check_trial {
	const struct issuer *issuer;
	const char *url;   /* the issuer's */
	const char *about; /* which certificate it was asked about */
	bool works;
	err_t err;	 /* OK: signed, and in order */
	int cert_status; /* with OK */
	bool post;
	unsigned http_status; /* 0: no answer */
	size_t bytes;
	int64_t us_taken;
	char address[64], detail[256];
};

struct check {
	const char *config;
	bool json, online;
	struct settings *settings; /* NULL: refused */
	struct settings *defaults;
	struct issuers *issuers;       /* NULL without settings */
	struct issuer_origin *origins; /* in the order of their labels */
	size_t n;
	int64_t now;
	struct buf config_messages, file_messages; /* lines; a warning has ": warning: " in it */
	struct check_trial *trials; /* with online, one per responder of each issuer */
	size_t n_trials;
	struct buf out;
};

struct check_deviation {     /* an option that is not as by default */
	const char *section; /* "" for the top level */
	const struct option_row *row;
	const void *base;	     /* of the group's struct */
	struct slice value, initial; /* as in the file */
};

typedef void check_deviation_fn(struct check *check, const struct check_deviation *deviation);

/* Those of the whole relay; and of an issuer, by its section or by defaults { }. */
void check_each_setting(struct check *check, check_deviation_fn *print);
void check_each_issuer_option(struct check *check, const struct issuer_origin *origin,
			      check_deviation_fn *print);

/* How many certificates of an issuer are watched. */
size_t check_watched(const struct check *check, const struct issuer *issuer);

/* How many lines are warnings, or are none. */
size_t check_count(const struct buf *messages, bool are_warnings);

/* Adds warnings of what is legal but unwise. */
void check_doubts(struct check *check);

/* Of settings that are refused: what they name, and is not there. */
void check_absent(struct check *check, const struct settings *settings);

/* Tries every responder. ERR_NO_MEMORY. */
MUST_CHECK err_t check_online(struct check *check);

/* Into out; the text for people says messages on standard error. */
void check_text(struct check *check);
void check_json(struct check *check);

#endif
