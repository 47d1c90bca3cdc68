/* SPDX-License-Identifier: ISC */
/* Finding a certificate and its issuer in files. */
#include "cmd/subject.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool complain(const char *command, const char *path, const char *what)
{
	fprintf(stderr, "ocsprelay %s: %s: %s\n", command, path, what);
	return false;
}

bool subject_certificates(const char *command, const char *path, struct certificates *out)
{
	err_t err = certificates_read(path, out);

	if (err != OK)
		return complain(command, path,
				err == ERR_SYSTEM ? strerror(errno) : err_row(err)->text);
	if (certificates_doubt(out))
		fprintf(stderr, "ocsprelay %s: warning: %s: %s\n", command, path,
			certificates_doubt(out));
	return true;
}

struct issuer *subject_issuer_among(const struct certificates *from, X509 *cert)
{
	struct issuer *issuer = NULL;

	for (size_t i = 0; i < from->n; i++) {
		if (issuer != NULL) {
			if (issuer_add_cert(issuer, from->items[i]) != OK)
				continue; /* another identity */
		} else if (issuer_new(from->items[i], "issuer", &issuer) == OK && cert != NULL &&
			   !issuer_has_issued(issuer, cert)) {
			issuer_free(issuer);
			issuer = NULL;
		}
	}
	return issuer;
}

static bool add_trusted(const char *command, const char *path, struct issuer *issuer)
{
	struct certificates trusted = {.n = 0};
	err_t err = OK;

	if (!subject_certificates(command, path, &trusted))
		return false;
	for (size_t i = 0; err == OK && i < trusted.n; i++)
		err = issuer_add_trusted(issuer, trusted.items[i]);
	certificates_free(&trusted);
	return err == OK || complain(command, path, err_row(err)->text);
}

bool subject_read(const char *command, const char *cert_path, const char *issuer_path,
		  const char *trusted_path, struct subject *out)
{
	struct certificates own = {.n = 0}, cas = {.n = 0};
	struct subject subject = {.cert = NULL};
	bool ok = false;

	if (cert_path != NULL) {
		if (!subject_certificates(command, cert_path, &own))
			goto out;
		subject.cert = certificates_subject(&own);
		X509_up_ref(subject.cert);
	}
	if (issuer_path != NULL && !subject_certificates(command, issuer_path, &cas))
		goto out;
	subject.issuer = subject_issuer_among(issuer_path ? &cas : &own, subject.cert);
	if (subject.issuer == NULL) {
		complain(command, issuer_path ? issuer_path : cert_path,
			 !subject.cert ? "holds no CA certificate"
			 : !issuer_path
			     ? "does not hold its CA's certificate, too: give --issuer"
			     : "holds no CA certificate that has issued the certificate");
		goto out;
	}
	if (subject.cert != NULL && issuer_add_name_of(subject.issuer, subject.cert) != OK) {
		complain(command, cert_path, "its issuer's name cannot be used");
		goto out;
	}
	if (trusted_path != NULL && !add_trusted(command, trusted_path, subject.issuer))
		goto out;
	*out = subject;
	subject = (struct subject){.cert = NULL};
	ok = true;
out:
	subject_fini(&subject);
	certificates_free(&own);
	certificates_free(&cas);
	return ok;
}

void subject_fini(struct subject *subject)
{
	X509_free(subject->cert);
	issuer_free(subject->issuer);
}
