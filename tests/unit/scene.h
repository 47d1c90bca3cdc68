/* SPDX-License-Identifier: ISC */
/*
 * A response, the question that it answers, and the issuer that it is judged by: in order as
 * scene_init leaves them, then spoiled by the test in one point.
 */
#ifndef OCSPRELAY_TESTS_SCENE_H
#define OCSPRELAY_TESTS_SCENE_H

#include <criterion/criterion.h>
#include <openssl/err.h>

#include "build.h"
#include "core/dates.h"
#include "core/verify.h"
#include "pki.h"

#define CA_KEY	     pki_key(PKI_P256, 0)
#define DELEGATE_KEY pki_key(PKI_P256, 1)
#define OTHER_KEY    pki_key(PKI_P256, 2)

struct scene {
	X509 *ca;
	struct issuer *issuer;
	struct pki_single singles[4];
	struct pki_response response;
	struct certid asked[2];
	struct verify_question question;
	struct slice (*mangle)(struct slice der); /* the finished response; may be NULL */
};

/* A certificate below the scene's CA. */
static inline X509 *scene_delegate(const struct scene *scene, const char *exts)
{
	return pki_cert(&(struct pki_cert){.name = "Responder",
					   .key = DELEGATE_KEY,
					   .issuer = scene->ca,
					   .signed_by = CA_KEY,
					   .exts = exts});
}

/* From now on this one signs, named by its key, embedded. */
static inline void scene_sign_as(struct scene *scene, X509 *cert, EVP_PKEY *key)
{
	scene->response.responder = cert;
	scene->response.key = key;
	scene->response.certs = pki_der(cert);
}

static inline void scene_sign_as_issuer(struct scene *scene)
{
	scene_sign_as(scene, scene->ca, CA_KEY);
	scene->response.certs = EMPTY;
}

static inline void scene_set_issuer(struct scene *scene, X509 *cert)
{
	err_t e;

	issuer_free(scene->issuer);
	scene->issuer = NULL;
	e = issuer_new(cert, "test", &scene->issuer);
	cr_assert_eq(e, OK, "%s", err_row(e)->text);
	scene->question.issuer = scene->issuer;
}

/* good for serial 01, thisUpdate and producedAt yesterday, nextUpdate tomorrow, by a delegate. */
static inline void scene_init(struct scene *scene)
{
	*scene = (struct scene){
	    .ca =
		pki_cert(&(struct pki_cert){.name = "Test CA", .key = CA_KEY, .exts = PKI_CA_EXTS}),
	    .response = {.singles = scene->singles, .n_singles = 1},
	    .question = {.certids = scene->asked, .n_certids = 1, .now = PKI_NOW},
	};
	for (size_t i = 0; i < N_ELEMENTS(scene->singles); i++)
		scene->singles[i].issuer = scene->ca;
	scene->asked[0] = pki_certid(scene->ca, "01", HASH_SHA1);
	scene_set_issuer(scene, scene->ca);
	scene_sign_as(scene, scene_delegate(scene, PKI_DELEGATE_EXTS), DELEGATE_KEY);
}

static inline struct slice scene_der(const struct scene *scene)
{
	struct slice der = pki_response(&scene->response);

	return scene->mangle ? scene->mangle(der) : der;
}

/* Verifies, and looks at what holds of every verification. */
static inline err_t scene_verify(const struct scene *scene, struct slice der, struct verdict *out)
{
	struct slice exact = build_exact(der); /* a read beyond the end is seen */
	struct verdict untouched;
	err_t e;

	memset(out, 0xa5, sizeof(*out));
	memset(&untouched, 0xa5, sizeof(untouched));
	e = verify_response(exact, &scene->question, out);
	free((void *)exact.p);
	cr_expect_eq(ERR_peek_error(), 0, "OpenSSL's error queue is not empty");
	if (e != OK)
		cr_expect_eq(memcmp(out, &untouched, sizeof(untouched)), 0, "out was touched");
	else
		cr_expect_gt(out->hard_expiry, scene->question.now);
	return e;
}

/* The scene's response, verified twice: the second time OpenSSL's caches are filled, and whatever
 * it then holds more than before has leaked. */
static inline err_t scene_judge(const struct scene *scene, struct verdict *out)
{
	struct slice der = scene_der(scene);
	err_t e = scene_verify(scene, der, out);
	long held = pki_openssl_holds();

	cr_expect_eq(scene_verify(scene, der, out), e);
	cr_expect_eq(pki_openssl_holds(), held, "%s: leaks", err_row(e)->label);
	return e;
}

static inline void scene_fini(struct scene *scene)
{
	issuer_free(scene->issuer);
}

/* A named change of a scene, in a line; and one of the finished response, as an expression of der.
 */
#define CHANGE(name, ...)                 \
	static void name(struct scene *s) \
	{                                 \
		__VA_ARGS__;              \
	}
#define MANGLE(name, expression)                         \
	static struct slice name##_der(struct slice der) \
	{                                                \
		(void)der;                               \
		return expression;                       \
	}                                                \
	CHANGE(name, s->mangle = name##_der)

/* One way to spoil (or vary) a scene, what must come of it, and the rule that says so. */
struct scene_row {
	const char *rule, *what;
	void (*change)(struct scene *scene);
	err_t expected;
	unsigned flags; /* of the verdict, when expected is OK */
};

static inline void scene_play(const struct scene_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct scene_row *row = &rows[i];
		struct scene scene;
		struct verdict verdict;
		err_t e;

		scene_init(&scene);
		row->change(&scene);
		e = scene_judge(&scene, &verdict);
		cr_expect_eq(e, row->expected, "%s %s: %s, not %s", row->rule, row->what,
			     err_row(e)->label, err_row(row->expected)->label);
		if (e == OK && row->expected == OK)
			cr_expect_eq(verdict.flags, row->flags, "%s %s: flags %#x, not %#x",
				     row->rule, row->what, verdict.flags, row->flags);
		scene_fini(&scene);
	}
}

#endif
