/* SPDX-License-Identifier: ISC */
/* Reading the certificate, judging what is in the file, changing it. */
#include "cmd/staple.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "cmd/subject.h"
#include "ctl/certificate.h"
#include "io/file_replace.h"
#include "io/files.h"

#define MAX_STAPLE 1048576

/* --- the certificate -------------------------------------------------------------------------- */

struct staple *staple_new(const char *path, const char *directory)
{
	struct staple *staple = calloc(1, sizeof(*staple));
	const char *slash = strrchr(path, '/');
	int n;

	if (staple == NULL)
		return NULL;
	staple->cert_path = strdup(path);
	n = directory ? asprintf(&staple->path, "%s/%s" STAPLE_SUFFIX, directory,
				 slash ? slash + 1 : path)
		      : asprintf(&staple->path, "%s" STAPLE_SUFFIX, path);
	if (n < 0)
		staple->path = NULL;
	if (staple->cert_path == NULL || staple->path == NULL) {
		staple_free(staple);
		return NULL;
	}
	return staple;
}

static void forget_certificate(struct staple *staple)
{
	X509_free(staple->cert);
	issuer_free(staple->own_issuer);
	staple->cert = NULL;
	staple->own_issuer = NULL;
	staple->why[0] = staple->detail[0] = '\0';
}

void staple_free(struct staple *staple)
{
	if (staple == NULL)
		return;
	forget_certificate(staple);
	free(staple->cert_path);
	free(staple->path);
	free(staple->told);
	free(staple);
}

static PRINTF_LIKE(2, 3) void say_why(struct staple *staple, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(staple->why, sizeof(staple->why), fmt, args);
	va_end(args);
}

static const struct issuer *issuer_in_table(const struct issuers *table, X509 *cert)
{
	for (size_t i = 0; table != NULL && i < issuers_count(table); i++) {
		if (issuer_has_issued(issuers_at(table, i), cert))
			return issuers_at(table, i);
	}
	return NULL;
}

/* HAProxy has the issuer there. */
static struct issuer *issuer_beside(const char *cert_path, X509 *cert)
{
	struct certificates found = {.n = 0};
	struct issuer *issuer = NULL;
	char *path;

	if (asprintf(&path, "%s.issuer", cert_path) < 0)
		return NULL;
	if (certificates_read_regular(path, &found) == OK) {
		issuer = subject_issuer_among(&found, cert);
		certificates_free(&found);
	}
	free(path);
	return issuer;
}

/* The first that is of no CA; in a PKCS#7 they have no order. Else the first. */
static X509 *leaf_of(const struct certificates *own)
{
	for (size_t i = 0; i < own->n; i++) {
		if (!certificate_is_ca(own->items[i]))
			return own->items[i];
	}
	return own->items[0];
}

/* The relay's own idea of an issuer goes before what lies about: it has its options, too. */
static const struct issuer *find_issuer(struct staple *staple, const struct certificates *own,
					const struct staple_sources *sources)
{
	X509 *cert = leaf_of(own);
	const struct issuer *known;

	if (sources->given != NULL) {
		staple->own_issuer = subject_issuer_among(sources->given, cert);
		return staple->own_issuer;
	}
	known = issuer_in_table(sources->table, cert);
	if (known != NULL)
		return known;
	staple->own_issuer = subject_issuer_among(own, cert);
	if (staple->own_issuer == NULL)
		staple->own_issuer = issuer_beside(staple->cert_path, cert);
	return staple->own_issuer;
}

static void take_certificate(struct staple *staple, const struct certificates *own,
			     const struct staple_sources *sources)
{
	const struct issuer *issuer = find_issuer(staple, own, sources);
	X509 *cert = leaf_of(own);
	char name[128];
	err_t err;

	if (issuer == NULL) {
		certificate_name(X509_get_issuer_name(cert), name, sizeof(name));
		say_why(staple, "no CA certificate at hand has issued it; its issuer is %s", name);
		return;
	}
	err = question_make(issuer, cert, &staple->question);
	if (err != OK) {
		say_why(staple, "%s", err_row(err)->text);
		return;
	}
	X509_up_ref(cert);
	staple->cert = cert;
}

static bool stamp_of(const char *path, struct staple_stamp *out)
{
	struct stat found;

	if (stat(path, &found) != 0)
		return false;
	*out = (struct staple_stamp){.dev = found.st_dev,
				     .ino = found.st_ino,
				     .size = found.st_size,
				     .ns_changed = (int64_t)found.st_mtim.tv_sec * 1000000000 +
						   found.st_mtim.tv_nsec};
	return true;
}

static bool is_same_file(const struct staple_stamp *a, const struct staple_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->ns_changed == b->ns_changed;
}

void staple_read(struct staple *staple, const struct staple_sources *sources)
{
	struct certificates own = {.n = 0};
	struct staple_stamp stamp = {.size = -1};
	err_t err;

	if (stamp_of(staple->cert_path, &stamp) && staple->cert != NULL &&
	    is_same_file(&stamp, &staple->stamp))
		return;
	if (staple->cert != NULL || !is_same_file(&stamp, &staple->stamp))
		staple->due = 0;
	staple->stamp = stamp;
	forget_certificate(staple);
	err = certificates_read_regular(staple->cert_path, &own);
	if (err == OK)
		take_certificate(staple, &own, sources);
	else
		say_why(staple, "%s", err == ERR_SYSTEM ? strerror(errno) : err_row(err)->text);
	certificates_free(&own);
}

void staple_forget(struct staple *staple)
{
	forget_certificate(staple);
	staple->stamp = (struct staple_stamp){.size = -1};
	staple->n_failures = 0;
	staple->due = 0;
}

bool staple_is_no_leaf(const char *path)
{
	struct certificates own = {.n = 0};
	err_t err = certificates_read_regular(path, &own);
	bool is_no_leaf = err != OK && err != ERR_SYSTEM && err != ERR_NO_MEMORY;

	if (err == OK)
		is_no_leaf = certificate_is_ca(leaf_of(&own));
	certificates_free(&own);
	return is_no_leaf;
}

/* --- the staple ------------------------------------------------------------------------------- */

/* What the file has; not read if it is anything else than a file. */
static void read_held(const struct staple *staple, const struct staple_answer *answer,
		      struct staple_held *held)
{
	struct buf octets;

	*held = (struct staple_held){.is_valid = false};
	if (staple->cert == NULL)
		return;
	buf_init(&octets, MAX_STAPLE);
	if (file_read_regular(staple->path, &octets) == OK) {
		held->is_valid = question_judge(&staple->question, buf_slice(&octets), answer->now,
						&held->is) == OK;
		held->is_same = slice_eq(buf_slice(&octets), answer->der);
	}
	buf_fini(&octets);
}

static void stands(struct staple *staple, enum staple_did did, const struct verdict *is)
{
	static const int exits[] = {
	    [CERT_GOOD] = EXIT_OK, [CERT_REVOKED] = EXIT_NO, [CERT_UNKNOWN] = EXIT_UNKNOWN};

	staple->did = did;
	staple->is_there = true;
	staple->is = *is;
	staple->status = is->status;
	staple->exit = exits[is->status];
}

/* The staple at hand, if any, is what there is. */
static void not_renewed(struct staple *staple, const struct staple_held *held)
{
	staple->did = STAPLE_DID_NOTHING;
	staple->is_there = held->is_valid;
	staple->is = held->is;
	staple->exit = EXIT_NO_ANSWER;
}

static void write_staple(struct staple *staple, const struct staple_answer *answer,
			 const struct verdict *is, const struct staple_held *held)
{
	err_t err = file_replace(staple->path, answer->der);

	if (err == OK) {
		stands(staple, STAPLE_DID_WRITE, is);
		staple->is_news = true;
		return;
	}
	not_renewed(staple, held);
	say_why(staple, "cannot write %s: %s", staple->path,
		err == ERR_SYSTEM ? strerror(errno) : err_row(err)->text);
	if (is->status == CERT_REVOKED)
		staple->exit = EXIT_NO;
}

static void remove_staple(struct staple *staple, const struct verdict *is,
			  const struct staple_held *held)
{
	bool is_removed = unlink(staple->path) == 0;

	if (is_removed || errno == ENOENT) {
		stands(staple, STAPLE_DID_REMOVE, is);
		staple->is_there = false;
		staple->is_news = is_removed;
		return;
	}
	not_renewed(staple, held);
	say_why(staple, "revoked, but cannot remove %s: %s", staple->path, strerror(errno));
	staple->exit = EXIT_NO;
}

static void apply(struct staple *staple, const struct staple_answer *answer,
		  const struct verdict *is, const struct staple_held *held)
{
	switch (staple_rule(is, held)) {
	case STAPLE_WRITE:
		write_staple(staple, answer, is, held);
		break;
	case STAPLE_SAME:
		stands(staple, STAPLE_DID_LEAVE, is);
		break;
	case STAPLE_OLDER:
		stands(staple, STAPLE_DID_KEEP, &held->is);
		say_why(staple, "the relay has an older answer");
		break;
	case STAPLE_REMOVE:
		remove_staple(staple, is, held);
		break;
	case STAPLE_UNKNOWN:
		not_renewed(staple, held);
		staple->exit = EXIT_UNKNOWN;
		say_why(staple, "the CA does not know the certificate: status unknown");
		break;
	case STAPLE_ENDLESS:
		not_renewed(staple, held);
		say_why(staple, "the answer has no nextUpdate: servers would staple it for ever");
		break;
	}
}

static void set_due(struct staple *staple, int64_t now, uint32_t chance)
{
	if (staple->did != STAPLE_DID_NOTHING) {
		staple->n_failures = 0;
		staple->due = staple_rule_next(&staple->is, now, chance);
		return;
	}
	staple->n_failures++;
	staple->due = staple_rule_retry(staple->n_failures, now, chance);
}

/* err_row speaks of the CA's responders, and who was asked is a relay. */
static void say_error(struct staple *staple, err_t err, const char *detail)
{
	static const struct {
		err_t err;
		const char *text;
	} texts[] = {
	    {ERR_UP_UNREACHABLE, "the relay cannot be reached"},
	    {ERR_UP_TIMEOUT, "the relay did not answer in time"},
	    {ERR_UP_TRY_LATER, "the relay says tryLater: it has no answer and can get none now"},
	    {ERR_UP_UNAUTHORIZED, "the relay says unauthorized: it does not know the issuer, or "
				  "the CA does not know the certificate"},
	};
	const char *text = err_row(err)->text;

	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		if (texts[i].err == err)
			text = texts[i].text;
	}
	say_why(staple, "%s", text);
	snprintf(staple->detail, sizeof(staple->detail), "%s", detail);
	text_make_plain(staple->detail);
}

void staple_take(struct staple *staple, const struct staple_answer *answer)
{
	struct staple_held held;
	struct verdict is;
	err_t err = answer->err;

	staple->why[0] = staple->detail[0] = '\0';
	read_held(staple, answer, &held);
	if (err == OK)
		err = question_judge(&staple->question, answer->der, answer->now, &is);
	if (err == OK) {
		apply(staple, answer, &is, &held);
	} else {
		not_renewed(staple, &held);
		say_error(staple, err, answer->detail);
	}
	set_due(staple, answer->now, answer->chance);
}

void staple_take_none(struct staple *staple, int64_t now, uint32_t chance)
{
	const struct staple_answer none = {.now = now};
	struct staple_held held;

	read_held(staple, &none, &held);
	not_renewed(staple, &held);
	set_due(staple, now, chance);
}
