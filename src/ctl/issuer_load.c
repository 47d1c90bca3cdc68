/* SPDX-License-Identifier: ISC */
/*
 * Building the issuer table, in this order: the certificates of the sections, those of issuer_dir
 * (so that a section's options win for the same identity), then what certificates teach about their
 * issuers (all of which are known by then), then labels and counters.
 *
 * CA certificates teach as well: an intermediate's AIA names the responder of the CA above it. That
 * the CA above is not known is worth a word only for leaves, which are there for nothing else.
 */
#include "ctl/issuer_load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "base/log.h"
#include "core/dates.h"
#include "core/upstream_url.h"
#include "ctl/certificate.h"
#include "ctl/config.h"
#include "ctl/watch_load.h"
#include "io/clock.h"
#include "io/files.h"

#define NAME_SIZE  256
#define LABEL_SIZE 2048 /* rendered for the counters */
#define MAX_LEARNT 8	/* responders of one issuer; a bundle may name a root's by many URLs */

struct teacher {
	X509 *cert;	  /* a reference */
	const char *path; /* borrowed */
};

struct loading {
	const struct settings *settings;
	struct buf *messages;
	struct issuers *table;
	struct issuer_origin *origins; /* one per issuer of the table, in its order */
	struct teacher *teachers;
	size_t n_teachers;
	err_t err; /* first failure: ERR_NO_MEMORY */
};

/* Says what is wrong with a file, or with one certificate of it (who; NULL: the file). */
static PRINTF_LIKE(4, 5) void complain(struct loading *loading, const char *path, const char *who,
				       const char *fmt, ...)
{
	char what[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	buf_printf(loading->messages, "%s: %s%s%s\n", path, who ? who : "", who ? ": " : "", what);
	LOG(CERTIFICATE_SKIPPED, LOG_TEXT("file", path), LOG_TEXT("subject", who ? who : ""),
	    LOG_TEXT("reason", what));
}

/* About a file that is of use all the same. */
static void warn(struct loading *loading, const char *path, const char *what)
{
	buf_printf(loading->messages, "%s: warning: %s\n", path, what);
	LOG(CERTIFICATE_SKIPPED, LOG_TEXT("file", path), LOG_TEXT("reason", what));
}

static void fail(struct loading *loading, err_t err)
{
	if (!loading->err)
		loading->err = err;
}

/* True for OK; a lack of memory ends the loading. */
static bool is_fine(struct loading *loading, err_t err)
{
	if (err == ERR_NO_MEMORY)
		fail(loading, err);
	return err == OK;
}

static void name_of(const X509_NAME *name, char dst[NAME_SIZE])
{
	certificate_name(name, dst, NAME_SIZE);
}

/* --- issuers --- */

/* The options of a section, or those of defaults { }, on a new issuer. */
static err_t apply_options(const struct loading *loading, const struct settings_section *section,
			   struct issuer *issuer)
{
	const struct settings_issuer *options =
	    section ? &section->issuer : &loading->settings->defaults;
	err_t err = OK;

	settings_policy(options, &issuer->policy);
	if (options->proxy[0]) {
		issuer->proxy = strdup(strcmp(options->proxy, "none") == 0 ? "" : options->proxy);
		if (!issuer->proxy)
			return ERR_NO_MEMORY;
	}
	for (size_t i = 0; section && !err && i < section->own.responders.n; i++)
		err = issuer_add_responder(issuer, section->own.responders.items[i]);
	return err;
}

static err_t add_origin(struct loading *loading, const struct issuer_origin *origin)
{
	size_t n = issuers_count(loading->table);
	struct issuer_origin *origins = loading->origins;

	/* Doubles, at every power of two. */
	if ((n & (n - 1)) == 0)
		origins = reallocarray(origins, n > 0 ? 2 * n : 1, sizeof(*origins));
	if (!origins)
		return ERR_NO_MEMORY;
	loading->origins = origins;
	origins[n] = *origin;
	for (size_t i = 0; origin->section && i < n; i++)
		origins[n].number += origins[i].section == origin->section;
	return issuers_add(loading->table, origin->issuer);
}

static err_t new_issuer(struct loading *loading, X509 *cert, const struct settings_section *section,
			const char *path)
{
	struct issuer_origin origin = {.section = section, .number = 1};
	err_t err = issuer_new(cert, "", &origin.issuer);

	if (err)
		return err;
	origin.path = strdup(path);
	err = origin.path ? apply_options(loading, section, origin.issuer) : ERR_NO_MEMORY;
	if (!err)
		err = add_origin(loading, &origin);
	if (err) {
		free(origin.path);
		issuer_free(origin.issuer);
	}
	return err;
}

/* The section that a known issuer belongs to, if that is another one than section. */
static const struct settings_section *rival(const struct loading *loading,
					    const struct settings_section *section,
					    const struct issuer *known)
{
	for (size_t i = 0; section && known && i < issuers_count(loading->table); i++) {
		const struct issuer_origin *origin = &loading->origins[i];

		if (origin->issuer == known && origin->section != section)
			return origin->section;
	}
	return NULL;
}

static void take_ca(struct loading *loading, X509 *cert, const struct settings_section *section,
		    const char *path)
{
	const struct settings_section *other;
	char name[NAME_SIZE];
	uint8_t id[ISSUER_ID_LEN];
	struct issuer *known = NULL;
	err_t err = ERR_CERTIFICATE;

	name_of(X509_get_subject_name(cert), name);
	if (issuer_id_of(cert, id)) {
		known = issuers_by_id(loading->table, id);
		err =
		    known ? issuer_add_cert(known, cert) : new_issuer(loading, cert, section, path);
	}
	if (!is_fine(loading, err) && !loading->err)
		complain(loading, path, name, "cannot be used as an issuer");
	other = rival(loading, section, known);
	if (other)
		complain(loading, path, name, "belongs to issuer \"%s\", whose options count",
			 other->name);
}

static void add_teacher(struct loading *loading, X509 *cert, const char *path)
{
	size_t n = loading->n_teachers;
	struct teacher *teachers = loading->teachers;

	if ((n & (n - 1)) == 0)
		teachers = reallocarray(teachers, n > 0 ? 2 * n : 1, sizeof(*teachers));
	if (!teachers || X509_up_ref(cert) != 1) {
		fail(loading, ERR_NO_MEMORY);
		return;
	}
	loading->teachers = teachers;
	teachers[loading->n_teachers++] = (struct teacher){.cert = cert, .path = path};
}

/* What keeps a file from being of use, in words. */
static void complain_of_file(struct loading *loading, const char *path, err_t err)
{
	complain(loading, path, NULL, "%s",
		 err == ERR_SYSTEM ? strerror(errno) : err_row(err)->text);
}

/* False: the file was of no use, which has been said. */
static bool read_file(struct loading *loading, const char *path, struct certificates *out)
{
	err_t err = certificates_read(path, out);

	if (!is_fine(loading, err)) {
		if (!loading->err)
			complain_of_file(loading, path, err);
		return false;
	}
	if (out->n_bad > 0)
		complain(loading, path, NULL, "%zu of %zu certificates cannot be read", out->n_bad,
			 out->n_bad + out->n);
	if (certificates_doubt(out))
		warn(loading, path, certificates_doubt(out));
	return true;
}

static void take_file(struct loading *loading, const char *path,
		      const struct settings_section *section)
{
	struct certificates found;

	if (!read_file(loading, path, &found))
		return;
	for (size_t i = 0; i < found.n && !loading->err; i++) {
		if (certificate_is_ca(found.items[i]))
			take_ca(loading, found.items[i], section, path);
		add_teacher(loading, found.items[i], path);
	}
	certificates_free(&found);
}

static void take_directory(struct loading *loading, const char *path, struct text_list *out_files)
{
	static const char *const suffixes[] = {".pem", ".crt", ".cer", ".der", NULL};
	err_t err;

	if (path[0] == '\0')
		return;
	err = directory_list(path, suffixes, out_files);
	if (!is_fine(loading, err) && !loading->err)
		complain_of_file(loading, path, err);
	for (size_t i = 0; i < out_files->n && !loading->err; i++)
		take_file(loading, out_files->items[i], NULL);
}

static void take_trusted(struct loading *loading, const char *path,
			 const struct settings_section *section)
{
	struct certificates found;

	if (!read_file(loading, path, &found))
		return;
	for (size_t i = 0; i < issuers_count(loading->table); i++) {
		if (loading->origins[i].section != section)
			continue;
		for (size_t c = 0; c < found.n && !loading->err; c++) {
			err_t err = issuer_add_trusted(loading->origins[i].issuer, found.items[c]);

			if (!is_fine(loading, err) && !loading->err)
				complain(loading, path, NULL, "certificate %zu: %s", c + 1,
					 err_row(err)->text);
		}
	}
	certificates_free(&found);
}

/* --- what certificates teach --- */

static const X509_NAME *subject_of(const struct issuer *issuer)
{
	return X509_get_subject_name(issuer->certs[0]);
}

static int by_subject(const void *a, const void *b)
{
	const struct issuer_origin *left = a, *right = b;
	int order = X509_NAME_cmp(subject_of(left->issuer), subject_of(right->issuer));

	return order ? order : memcmp(left->issuer->id, right->issuer->id, ISSUER_ID_LEN);
}

static bool is_same_encoding(const X509_NAME *a, const X509_NAME *b)
{
	const unsigned char *a_der, *b_der;
	size_t a_len, b_len;

	return X509_NAME_get0_der(a, &a_der, &a_len) == 1 &&
	       X509_NAME_get0_der(b, &b_der, &b_len) == 1 &&
	       slice_eq(slice_of(a_der, a_len), slice_of(b_der, b_len));
}

/*
 * Who has issued cert, by name and signature; NULL: none of ours. Origins are sorted by subject.
 * Where one key has two encodings of its name, that of cert goes first.
 */
static const struct issuer_origin *issuer_of(const struct loading *loading, X509 *cert)
{
	const X509_NAME *name = X509_get_issuer_name(cert);
	size_t n = issuers_count(loading->table), low = 0, high = n;
	const struct issuer_origin *found = NULL;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (X509_NAME_cmp(subject_of(loading->origins[middle].issuer), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n; low++) {
		const struct issuer_origin *origin = &loading->origins[low];

		if (X509_NAME_cmp(subject_of(origin->issuer), name) != 0)
			break;
		if (!issuer_has_issued(origin->issuer, cert))
			continue;
		if (is_same_encoding(subject_of(origin->issuer), name))
			return origin;
		found = found ? found : origin;
	}
	return found;
}

static void complain_of_leaf(struct loading *loading, const struct teacher *teacher)
{
	const X509_NAME *subject = X509_get_subject_name(teacher->cert);
	const X509_NAME *issuer = X509_get_issuer_name(teacher->cert);
	char name[NAME_SIZE], issuer_name[NAME_SIZE];

	name_of(subject, name);
	name_of(issuer, issuer_name);
	if (X509_NAME_cmp(subject, issuer) == 0)
		complain(loading, teacher->path, name, "is no CA certificate (RFC 5280 4.2.1.9)");
	else
		complain(loading, teacher->path, name, "its issuer is not known: %s", issuer_name);
}

/* An URL that is learnt has to be as good as one that is configured. */
static void learn_responder(struct loading *loading, const struct teacher *teacher,
			    struct issuer *issuer)
{
	char *url = issuer_responder_of(teacher->cert);
	char name[NAME_SIZE];

	if (!url || issuer->n_responders >= MAX_LEARNT) {
		free(url);
		return;
	}
	if (upstream_url_check(url) == OK) {
		(void)is_fine(loading, issuer_add_responder(issuer, url));
	} else {
		name_of(X509_get_subject_name(teacher->cert), name);
		complain(loading, teacher->path, name, "its responder's URL cannot be used");
	}
	free(url);
}

static void learn_from(struct loading *loading, const struct teacher *teacher)
{
	const struct issuer_origin *origin = issuer_of(loading, teacher->cert);

	if (!origin) {
		if (!certificate_is_ca(teacher->cert))
			complain_of_leaf(loading, teacher);
		return;
	}
	(void)is_fine(loading, issuer_add_name_of(origin->issuer, teacher->cert));
	if (!origin->section || origin->section->own.responders.n == 0)
		learn_responder(loading, teacher, origin->issuer);
}

/* --- the whole --- */

static void set_slots(struct issuer *issuer)
{
	char labels[LABEL_SIZE];
	size_t len;

	counter_label(labels, sizeof(labels), "issuer", issuer->label);
	issuer->slot = counter_slot(SCOPE_ISSUER, labels);
	len = strlen(labels);
	labels[len++] = ',';
	for (size_t i = 0; i < issuer->n_responders; i++) {
		counter_label(labels + len, sizeof(labels) - len, "responder",
			      issuer->responders[i].url);
		issuer->responders[i].slot = counter_slot(SCOPE_RESPONDER, labels);
	}
}

static void announce(struct loading *loading, const struct issuer_origin *origin, int64_t now)
{
	const struct issuer *issuer = origin->issuer;
	char until[ISO_DATE_SIZE];

	date_to_iso(until, issuer_not_after(issuer));
	LOG(ISSUER, LOG_TEXT("issuer", issuer->label), LOG_TEXT("not_after", until),
	    LOG_NUMBER("responders", issuer->n_responders));
	if (issuer_valid_until(issuer, now) != INT64_MIN)
		return;
	buf_printf(loading->messages, "%s: %s: not valid now, notAfter is %s\n", origin->path,
		   issuer->label, until);
	LOG(ISSUER_EXPIRED, LOG_TEXT("issuer", issuer->label), LOG_TEXT("not_after", until));
}

static void finish(struct loading *loading)
{
	size_t n = issuers_count(loading->table);
	int64_t now = clock_wall();

	if (n > 1)
		qsort(loading->origins, n, sizeof(*loading->origins), by_subject);
	for (size_t i = 0; i < loading->n_teachers && !loading->err; i++)
		learn_from(loading, &loading->teachers[i]);
	if (!loading->err)
		loading->err = issuer_labels_set(loading->origins, n);
	for (size_t i = 0; i < n && !loading->err; i++) {
		set_slots(loading->origins[i].issuer);
		announce(loading, &loading->origins[i], now);
	}
	if (n == 0)
		LOG(NO_ISSUERS, LOG_TEXT("issuer_dir", loading->settings->top.issuer_dir));
	if (!loading->err)
		loading->err = issuers_seal(loading->table);
}

struct issuers *issuer_load_explained(const struct settings *settings, struct hash_key key,
				      struct buf *messages, struct issuer_origin **out_origins)
{
	struct loading loading = {.settings = settings, .messages = messages};
	struct text_list files = {.items = NULL};

	loading.table = issuers_new(key);
	if (!loading.table)
		return NULL;
	for (size_t i = 0; i < settings->n_issuers; i++) {
		const struct settings_section *section = &settings->issuers[i];

		for (size_t f = 0; f < section->own.certificate.n; f++)
			take_file(&loading, section->own.certificate.items[f], section);
		for (size_t f = 0; f < section->own.trusted_responders.n; f++)
			take_trusted(&loading, section->own.trusted_responders.items[f], section);
	}
	take_directory(&loading, settings->top.issuer_dir, &files);
	if (!loading.err)
		finish(&loading);
	if (!loading.err)
		loading.err = watch_load(settings, loading.table, messages);
	for (size_t i = 0; i < loading.n_teachers; i++)
		X509_free(loading.teachers[i].cert);
	free(loading.teachers);
	text_list_free(&files);
	if (loading.err) {
		issuer_origins_free(loading.origins, issuers_count(loading.table));
		issuers_unref(loading.table);
		return NULL;
	}
	*out_origins = loading.origins;
	return loading.table;
}

struct issuers *issuer_load(const struct settings *settings, struct hash_key key,
			    struct buf *messages)
{
	struct issuer_origin *origins;
	struct issuers *issuers = issuer_load_explained(settings, key, messages, &origins);

	if (issuers)
		issuer_origins_free(origins, issuers_count(issuers));
	return issuers;
}
