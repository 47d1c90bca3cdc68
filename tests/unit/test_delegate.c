/* SPDX-License-Identifier: ISC */
/*
 * Delegates that signed before: who is known need not be embedded (VS-18), is asked all the same
 * questions, and is not decoded again.
 */
#include "core/delegate.h"

#include "scene.h"

static struct delegate_set known;

/* A scene whose question knows whom it has seen. */
static struct scene *meet(struct scene *s)
{
	scene_init(s);
	known = (struct delegate_set){.n = 0};
	s->question.known = &known;
	return s;
}

static void part(struct scene *s)
{
	delegate_set_fini(&known);
	scene_fini(s);
}

/* The scene's response as it stands, in a word. */
static err_t judge(const struct scene *s)
{
	struct verdict verdict;

	return scene_verify(s, scene_der(s), &verdict);
}

static struct slice first_known(void)
{
	return known.n > 0 ? delegate_der(known.items[0]) : EMPTY;
}

static X509 *delegate_named(const struct scene *s, const char *name, const char *exts)
{
	return pki_cert(&(struct pki_cert){
	    .name = name, .key = DELEGATE_KEY, .issuer = s->ca, .signed_by = CA_KEY, .exts = exts});
}

/* --- who gets known --- */

Test(delegate, VS_18_not_embedded_is_fine_once_seen)
{
	for (int is_by_name = 0; is_by_name < 2; is_by_name++) {
		struct scene scene, *s = meet(&scene);
		const struct slice embedded = s->response.certs;
		struct verdict verdict;

		s->response.is_by_name = is_by_name;
		s->response.certs = EMPTY;
		cr_expect_eq(judge(s), ERR_RSP_RESPONDER_ID);
		s->response.certs = embedded;
		cr_expect_eq(judge(s), OK);
		cr_expect(slice_eq(first_known(), embedded));
		s->response.certs = EMPTY;
		cr_assert_eq(scene_verify(s, scene_der(s), &verdict), OK);
		cr_expect_eq(verdict.signer, SIGNER_DELEGATE);
		s->response.certs = pki_der(s->ca); /* something else is */
		cr_expect_eq(judge(s), OK);
		part(s);
	}
}

Test(delegate, VS_18_only_a_delegate_whose_response_was_accepted_gets_known)
{
	struct scene scene, *s = meet(&scene);
	X509 *foreigner = pki_cert(&(struct pki_cert){.name = "Foreigner", .key = OTHER_KEY});

	s->response.key = OTHER_KEY;
	cr_expect_eq(judge(s), ERR_RSP_SIGNATURE);
	s->response.key = DELEGATE_KEY;
	s->response.md = EVP_sha1();
	s->issuer->policy.weak_signature = WEAK_REJECT;
	cr_expect_eq(judge(s), ERR_RSP_WEAK);
	scene_sign_as_issuer(s);
	s->response.md = NULL;
	cr_expect_eq(judge(s), OK);
	scene_sign_as(s, foreigner, OTHER_KEY);
	cr_assert_eq(issuer_add_trusted(s->issuer, foreigner), OK);
	cr_expect_eq(judge(s), OK);
	cr_expect_eq(known.n, 0);
	part(s);
}

/* --- what a known one is asked --- */

Test(delegate, VS_18_known_is_asked_for_his_signature)
{
	struct scene scene, *s = meet(&scene);

	cr_assert_eq(judge(s), OK);
	s->response.certs = EMPTY;
	s->response.key = OTHER_KEY;
	cr_expect_eq(judge(s), ERR_RSP_SIGNATURE);
	s->response.responder = delegate_named(s, "Somebody", PKI_DELEGATE_EXTS);
	s->response.is_by_name = true;
	cr_expect_eq(judge(s), ERR_RSP_RESPONDER_ID);
	part(s);
}

Test(delegate, VS_14_VS_18_known_is_asked_for_his_time)
{
	for (int is_embedded = 0; is_embedded < 2; is_embedded++) {
		struct scene scene, *s = meet(&scene);
		struct pki_cert short_lived = {.name = "Responder",
					       .key = DELEGATE_KEY,
					       .issuer = s->ca,
					       .signed_by = CA_KEY,
					       .not_after = PKI_NOW + PKI_HOUR,
					       .exts = PKI_DELEGATE_EXTS};
		struct verdict verdict;

		scene_sign_as(s, pki_cert(&short_lived), DELEGATE_KEY);
		cr_assert_eq(judge(s), OK);
		if (!is_embedded)
			s->response.certs = EMPTY;
		s->question.now = PKI_NOW + PKI_HOUR - 1;
		cr_assert_eq(scene_verify(s, scene_der(s), &verdict), OK);
		cr_expect_eq(verdict.hard_expiry, PKI_NOW + PKI_HOUR);
		s->question.now++;
		cr_expect_eq(judge(s), ERR_RSP_SIGNER_TIME);
		part(s);
	}
}

Test(delegate, VS_16_VS_18_known_is_told_without_nocheck)
{
	static const char no_nocheck[] =
	    "keyUsage=digitalSignature\nextendedKeyUsage=OCSPSigning\n";
	struct scene scene, *s = meet(&scene);
	struct verdict verdict;

	scene_sign_as(s, scene_delegate(s, no_nocheck), DELEGATE_KEY);
	cr_assert_eq(judge(s), OK);
	s->response.certs = EMPTY;
	cr_assert_eq(scene_verify(s, scene_der(s), &verdict), OK);
	cr_expect_eq(verdict.flags, VERDICT_NO_NOCHECK | VERDICT_RECALLED);
	part(s);
}

/* --- whose delegate it is --- */

/* The same identity by another certificate, as after a reload. */
static void renew_issuer(struct scene *s)
{
	s->ca = pki_cert(&(struct pki_cert){
	    .name = "Test CA", .key = CA_KEY, .serial = "02", .exts = PKI_CA_EXTS});
	scene_set_issuer(s, s->ca);
}

#define BOUND_TO_SERIAL                                             \
	"keyUsage=digitalSignature\nextendedKeyUsage=OCSPSigning\n" \
	"noCheck=ignored\nauthorityKeyIdentifier=keyid,issuer:always\n"

Test(delegate, VS_12_VS_18_known_is_asked_for_the_issuers_certificate_of_now)
{
	for (int is_embedded = 0; is_embedded < 2; is_embedded++) {
		struct scene scene, *s = meet(&scene);

		scene_sign_as(s, scene_delegate(s, BOUND_TO_SERIAL), DELEGATE_KEY);
		cr_assert_eq(judge(s), OK);
		if (!is_embedded)
			s->response.certs = EMPTY;
		cr_expect(delegate_is_below(known.items[0], s->issuer));
		renew_issuer(s);
		cr_expect_not(delegate_is_below(known.items[0], s->issuer));
		cr_expect_eq(judge(s), ERR_RSP_SIGNER_ISSUER);
		part(s);
	}
}

Test(delegate, VS_18_known_goes_on_below_a_renewed_issuer_after_a_new_check)
{
	struct scene scene, *s = meet(&scene);
	struct slice embedded = s->response.certs;
	struct delegate *shared;

	cr_assert_eq(judge(s), OK);
	shared = delegate_ref(known.items[0]);
	renew_issuer(s);
	s->response.certs = EMPTY;
	cr_expect_eq(judge(s), OK);
	cr_expect_eq(known.n, 1, "once in the set");
	cr_expect(slice_eq(first_known(), embedded));
	cr_expect(delegate_is_below(known.items[0], s->issuer));
	cr_expect_not(delegate_is_below(shared, s->issuer), "others may look at this one");
	delegate_unref(shared);
	part(s);
}

Test(delegate, VS_18_another_object_of_the_issuers_certificate_is_the_same_issuer)
{
	struct scene scene, *s = meet(&scene);
	X509 *again = X509_dup(s->ca);

	cr_assert_eq(judge(s), OK);
	scene_set_issuer(s, again);
	cr_expect(delegate_is_below(known.items[0], s->issuer));
	X509_free(again);
	part(s);
}

Test(delegate, VS_12_VS_18_known_of_another_issuer_is_nobody)
{
	struct scene scene, *s = meet(&scene);

	cr_assert_eq(judge(s), OK);
	s->ca =
	    pki_cert(&(struct pki_cert){.name = "Other CA", .key = OTHER_KEY, .exts = PKI_CA_EXTS});
	scene_set_issuer(s, s->ca);
	s->singles[0].issuer = s->ca;
	s->asked[0] = pki_certid(s->ca, "01", HASH_SHA1);
	cr_expect_eq(judge(s), ERR_RSP_SIGNER_ISSUER);
	s->response.certs = EMPTY;
	cr_expect_eq(judge(s), ERR_RSP_SIGNER_ISSUER);
	part(s);
}

/* --- what it saves --- */

static long allocations(const struct scene *s, struct slice der)
{
	struct verdict verdict;
	const long many = 1000000;

	pki_openssl_fail_at(many);
	cr_assert_eq(scene_verify(s, der, &verdict), OK);
	return many - pki_openssl_fail_at(0);
}

Test(delegate, known_is_not_decoded_and_checked_again)
{
	struct scene scene, *s = meet(&scene);
	struct slice der = scene_der(s);
	long n_first, n_again;

	allocations(s, der); /* fills OpenSSL's caches */
	delegate_set_fini(&known);
	n_first = allocations(s, der);
	n_again = allocations(s, der);
	cr_expect_lt(n_again, n_first / 4, "%ld after %ld", n_again, n_first);
	part(s);
}

/* --- sets --- */

Test(delegate, a_set_holds_the_latest_four_and_each_certificate_once)
{
	static const char *const names[] = {"a", "b", "c", "d", "e"};
	static const struct {
		unsigned used;
		const char *names;
	} rows[] = {{0, "a"},	 {1, "ba"},   {0, "ab"},   {0, "ab"},	{2, "cab"},
		    {3, "dcab"}, {1, "bdca"}, {4, "ebdc"}, {0, "aebd"}, {4, "eabd"}};
	struct slice ders[N_ELEMENTS(names)];
	struct scene scene;
	long held;

	scene_init(&scene);
	for (size_t i = 0; i < N_ELEMENTS(names); i++)
		ders[i] = pki_der(delegate_named(&scene, names[i], NULL));
	held = pki_openssl_holds();
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct delegate *used;

		cr_assert_eq(delegate_new(ders[rows[i].used], &used), OK);
		delegate_set_use(&known, used);
		delegate_unref(used);
		cr_assert_eq(known.n, strlen(rows[i].names), "row %zu", i);
		for (unsigned k = 0; k < known.n; k++)
			cr_expect(
			    slice_eq(delegate_der(known.items[k]), ders[rows[i].names[k] - 'a']),
			    "row %zu, place %u", i, k);
	}
	delegate_set_fini(&known);
	cr_expect_eq(pki_openssl_holds(), held, "leaks");
	scene_fini(&scene);
}

Test(delegate, nothing_leaks)
{
	struct scene scene, *s = meet(&scene);
	struct slice der = scene_der(s);
	struct verdict verdict;
	long held;

	cr_assert_eq(scene_verify(s, der, &verdict), OK);
	delegate_set_fini(&known);
	held = pki_openssl_holds();
	for (int i = 0; i < 3; i++)
		cr_assert_eq(scene_verify(s, der, &verdict), OK);
	delegate_set_fini(&known);
	cr_expect_eq(pki_openssl_holds(), held);
	part(s);
}
