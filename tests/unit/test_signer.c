/* SPDX-License-Identifier: ISC */
/* Who may sign a response, and with which keys and algorithms. */
#include "core/signer.h"

#include <pthread.h>

#include <openssl/objects.h>

#include "scene.h"

#define WITH_USAGE(usage) usage "\nextendedKeyUsage=OCSPSigning\nnoCheck=ignored\n"
#define WITH_EKU(eku)	  "keyUsage=digitalSignature\nextendedKeyUsage=" eku "\nnoCheck=ignored\n"
#define NO_AKI		  WITH_USAGE("keyUsage=digitalSignature")

/* A proper delegate; what is changed in it makes it another. */
static struct pki_cert delegate_of(const struct scene *s)
{
	return (struct pki_cert){.name = "Responder",
				 .key = DELEGATE_KEY,
				 .issuer = s->ca,
				 .signed_by = CA_KEY,
				 .exts = PKI_DELEGATE_EXTS};
}

/* A change by which a delegate signs that differs in fields of d. */
#define DELEGATE(name, ...)                             \
	static X509 *name##_cert(const struct scene *s) \
	{                                               \
		struct pki_cert d = delegate_of(s);     \
		__VA_ARGS__;                            \
		return pki_cert(&d);                    \
	}                                               \
	CHANGE(name, scene_sign_as(s, name##_cert(s), DELEGATE_KEY))

/* An unrelated CA's certificate. */
static X509 *other_ca(const char *name)
{
	return pki_cert(&(struct pki_cert){.name = name, .key = OTHER_KEY, .exts = PKI_CA_EXTS});
}

/* --- who --- */

CHANGE(nothing, (void)s)
CHANGE(by_name, s->response.is_by_name = true)
CHANGE(issuer_signs, scene_sign_as_issuer(s))
CHANGE(issuer_signs_by_name, scene_sign_as_issuer(s); s->response.is_by_name = true)
CHANGE(issuer_signs_embedded, scene_sign_as(s, s->ca, CA_KEY))
CHANGE(issuer_named_other_signs, scene_sign_as_issuer(s); s->response.key = OTHER_KEY)

/* The issuer is known by its cross certificate only. */
static void cross_certificate(struct scene *s)
{
	X509 *cross = pki_cert(&(struct pki_cert){.name = "Test CA",
						  .key = CA_KEY,
						  .issuer = other_ca("Root"),
						  .signed_by = OTHER_KEY,
						  .exts = PKI_CA_EXTS});

	scene_set_issuer(s, cross);
}

CHANGE(cross_and_issuer_signs, cross_certificate(s); scene_sign_as(s, s->ca, CA_KEY))

/* A name compares as RFC 5280 7.1 says, whatever its string type and case. */
static void name_in_other_words(struct scene *s)
{
	X509_NAME *name = pki_name("RESPONDER", V_ASN1_PRINTABLESTRING);

	s->response.responder = pki_cert(&(struct pki_cert){.subject = name, .key = DELEGATE_KEY});
	s->response.is_by_name = true;
}

DELEGATE(below_sibling_ca, d.issuer = other_ca("Sibling"); d.signed_by = OTHER_KEY)
DELEGATE(sub_ca, d.name = "Sub CA"; d.key = OTHER_KEY; d.exts = PKI_CA_EXTS)
DELEGATE(below_sub_ca, d.issuer = sub_ca_cert(s); d.signed_by = OTHER_KEY)
CHANGE(below_embedded_sub_ca, below_sub_ca(s);
       s->response.certs = CAT(s->response.certs, pki_der(sub_ca_cert(s))))
/* Same name, and the certificate says which key it means. */
DELEGATE(below_previous_key, d.issuer = other_ca("Test CA"); d.signed_by = OTHER_KEY)
DELEGATE(below_previous_key_unsaid, d.signed_by = OTHER_KEY; d.exts = NO_AKI)
DELEGATE(self_signed, d.issuer = NULL; d.signed_by = DELEGATE_KEY; d.exts = NO_AKI)
DELEGATE(namesake, d.name = "Test CA"; d.issuer = NULL; d.signed_by = DELEGATE_KEY; d.exts = NO_AKI)
DELEGATE(critical_extension, d.exts = PKI_DELEGATE_EXTS "1.2.3.4=critical,DER:0500\n")
DELEGATE(critical_nocheck, d.exts = "extendedKeyUsage=critical,OCSPSigning\n"
				    "noCheck=critical,ignored\n")
DELEGATE(no_extensions, d.exts = NULL)
DELEGATE(no_eku, d.exts = "keyUsage=digitalSignature\nnoCheck=ignored\n")
DELEGATE(any_eku, d.exts = WITH_EKU("anyExtendedKeyUsage"))
DELEGATE(server_eku, d.exts = WITH_EKU("serverAuth"))
DELEGATE(server_and_ocsp_eku, d.exts = WITH_EKU("serverAuth,OCSPSigning"))
DELEGATE(usage_encipherment, d.exts = WITH_USAGE("keyUsage=keyEncipherment"))
DELEGATE(usage_non_repudiation, d.exts = WITH_USAGE("keyUsage=nonRepudiation"))
DELEGATE(usage_absent, d.exts = WITH_USAGE(""))
DELEGATE(no_nocheck, d.exts = "extendedKeyUsage=OCSPSigning\n")

/* --- when --- */

DELEGATE(ended_an_hour_ago, d.not_after = PKI_NOW - PKI_HOUR)
DELEGATE(ends_now, d.not_after = PKI_NOW)
DELEGATE(ends_next_second, d.not_after = PKI_NOW + 1)
DELEGATE(begins_at_skew, d.not_before = PKI_NOW + 300)
DELEGATE(begins_beyond_skew, d.not_before = PKI_NOW + 301)
CHANGE(expired_and_renewed, ended_an_hour_ago(s);
       s->response.certs = CAT(s->response.certs, pki_der(scene_delegate(s, PKI_DELEGATE_EXTS))))

static void issuer_lives(struct scene *s, int64_t from, int64_t to)
{
	scene_set_issuer(s, pki_cert(&(struct pki_cert){.name = "Test CA",
							.key = CA_KEY,
							.not_before = from,
							.not_after = to,
							.exts = PKI_CA_EXTS}));
}

CHANGE(issuer_ended, issuer_lives(s, 0, PKI_NOW - PKI_HOUR))
CHANGE(issuer_ends_now, issuer_lives(s, 0, PKI_NOW))
CHANGE(issuer_begins_beyond_skew, issuer_lives(s, PKI_NOW + 301, 0))
CHANGE(issuer_begins_at_skew, issuer_lives(s, PKI_NOW + 300, 0))
CHANGE(issuer_renewed, issuer_lives(s, 0, PKI_NOW - PKI_DAY);
       cr_assert_eq(issuer_add_cert(s->issuer, s->ca), OK))

/* --- which certificate --- */

DELEGATE(other_key, d.key = OTHER_KEY)
DELEGATE(other_name, d.name = "Somebody")
CHANGE(wrong_key_named, s->response.responder = other_key_cert(s))
CHANGE(wrong_name_named, s->response.responder = other_name_cert(s); s->response.is_by_name = true)
CHANGE(nothing_embedded, s->response.certs = EMPTY)
CHANGE(namesakes_embedded, s->response.is_by_name = true;
       s->response.certs = CAT(pki_der(other_key_cert(s)), pki_der(s->ca), s->response.certs))
CHANGE(broken_embedded, s->response.certs = HEX("3000"))
CHANGE(broken_beside, s->response.certs = CAT(HEX("3000"), s->response.certs))
CHANGE(key_of_another, s->response.key = OTHER_KEY)
CHANGE(another_kind_of_key, s->response.key = pki_key(PKI_ED25519, 0))

/* ecdsa-with-SHA256, 1.2.840.10045.4.3.2, made 1.2.840.10045.4.3.99 */
static struct slice rename_algorithm(struct slice der)
{
	uint8_t *copy = memcpy(build_take(der.len), der.p, der.len);
	uint8_t *oid = memmem(copy, der.len, "\x2a\x86\x48\xce\x3d\x04\x03\x02", 8);

	oid[7] = 99;
	return slice_of(copy, der.len);
}

CHANGE(unknown_algorithm, s->mangle = rename_algorithm)

/* --- trusted by the operator --- */

static void trust(struct scene *s, X509 *cert)
{
	cr_assert_eq(issuer_add_trusted(s->issuer, cert), OK);
}

static X509 *foreigner(int64_t not_after)
{
	return pki_cert(
	    &(struct pki_cert){.name = "Foreigner", .key = OTHER_KEY, .not_after = not_after});
}

CHANGE(trusted_signs, scene_sign_as(s, foreigner(0), OTHER_KEY); s->response.certs = EMPTY;
       trust(s, s->response.responder))
CHANGE(trusted_by_name, trusted_signs(s); s->response.is_by_name = true)
CHANGE(trusted_beside, trust(s, foreigner(0)))
CHANGE(trusted_ended, scene_sign_as(s, foreigner(PKI_NOW - PKI_HOUR), OTHER_KEY);
       trust(s, s->response.responder))
CHANGE(trusted_delegate_not_embedded, s->response.certs = EMPTY; trust(s, s->response.responder))
CHANGE(untrusted_foreigner, scene_sign_as(s, foreigner(0), OTHER_KEY))
CHANGE(trusted_issues, trust(s, other_ca("Sibling")); below_sibling_ca(s))

/* "TRUSTED CERTIFICATE": what OpenSSL would then think of the issuer must not matter. */
static void issuer_distrusted(struct scene *s)
{
	X509 *marked = X509_dup(s->ca);

	cr_assert_eq(X509_add1_trust_object(marked, OBJ_nid2obj(NID_server_auth)), 1);
	cr_assert_eq(X509_add1_reject_object(marked, OBJ_nid2obj(NID_anyExtendedKeyUsage)), 1);
	scene_set_issuer(s, marked);
	X509_free(marked);
}

static const struct scene_row signer_rows[] = {
    {"VS-12", "delegate", nothing, OK, 0},
    {"VS-12", "delegate by name", by_name, OK, 0},
    {"VS-12", "delegate of another name", other_name, OK, 0},
    {"VS-12", "issuer", issuer_signs, OK, 0},
    {"VS-12", "issuer by name", issuer_signs_by_name, OK, 0},
    {"VS-12", "issuer, embedded", issuer_signs_embedded, OK, 0},
    {"VS-12", "issuer by its cross certificate", cross_certificate, OK, 0},
    {"VS-12", "issuer, other certificate embedded", cross_and_issuer_signs, OK, 0},
    {"VS-12", "issuer with trust settings", issuer_distrusted, OK, 0},
    {"VS-12", "below a sibling", below_sibling_ca, ERR_RSP_SIGNER_ISSUER, 0},
    {"VS-12", "below a sub-CA", below_sub_ca, ERR_RSP_SIGNER_ISSUER, 0},
    {"VS-12", "below an embedded sub-CA", below_embedded_sub_ca, ERR_RSP_SIGNER_ISSUER, 0},
    {"VS-12", "sub-CA itself", sub_ca, ERR_RSP_SIGNER_EKU, 0},
    {"VS-12", "below the previous key", below_previous_key, ERR_RSP_SIGNER_ISSUER, 0},
    {"VS-12", "below the previous key, unsaid", below_previous_key_unsaid, ERR_RSP_SIGNER_CHAIN, 0},
    {"VS-12", "below itself", self_signed, ERR_RSP_SIGNER_ISSUER, 0},
    {"VS-12", "below itself, CA's name", namesake, ERR_RSP_SIGNER_ISSUER, 0},
    {"VS-12", "unknown critical extension", critical_extension, ERR_RSP_SIGNER_CHAIN, 0},
    {"VS-12", "unrelated", untrusted_foreigner, ERR_RSP_SIGNER_ISSUER, 0},
    {"VS-12", "trusted", trusted_signs, OK, 0},
    {"VS-12", "trusted by name", trusted_by_name, OK, 0},
    {"VS-12", "trusted beside the delegate", trusted_beside, OK, 0},
    {"VS-12", "below a trusted one", trusted_issues, ERR_RSP_SIGNER_ISSUER, 0},
    {"VS-13", "no extensions", no_extensions, ERR_RSP_SIGNER_EKU, 0},
    {"VS-13", "no extended key usage", no_eku, ERR_RSP_SIGNER_EKU, 0},
    {"VS-13", "any usage", any_eku, ERR_RSP_SIGNER_EKU, 0},
    {"VS-13", "another usage", server_eku, ERR_RSP_SIGNER_EKU, 0},
    {"VS-13", "another usage, too", server_and_ocsp_eku, OK, 0},
    {"VS-14", "ended an hour ago", ended_an_hour_ago, ERR_RSP_SIGNER_TIME, 0},
    {"VS-14", "ends now", ends_now, ERR_RSP_SIGNER_TIME, 0},
    {"VS-14", "ends in a second", ends_next_second, OK, 0},
    {"VS-14", "begins at the skew", begins_at_skew, OK, 0},
    {"VS-14", "begins beyond the skew", begins_beyond_skew, ERR_RSP_SIGNER_TIME, 0},
    {"VS-14", "trusted, but ended", trusted_ended, ERR_RSP_SIGNER_TIME, 0},
    {"VS-14", "issuer ended", issuer_ended, ERR_RSP_ISSUER_TIME, 0},
    {"VS-14", "issuer ends now", issuer_ends_now, ERR_RSP_ISSUER_TIME, 0},
    {"VS-14", "issuer not yet valid", issuer_begins_beyond_skew, ERR_RSP_ISSUER_TIME, 0},
    {"VS-14", "issuer begins at the skew", issuer_begins_at_skew, OK, 0},
    {"VS-14", "issuer renewed", issuer_renewed, OK, 0},
    {"VS-15", "key encipherment", usage_encipherment, ERR_RSP_SIGNER_USAGE, 0},
    {"VS-15", "non-repudiation", usage_non_repudiation, OK, 0},
    {"VS-15", "no key usage", usage_absent, OK, 0},
    {"VS-16", "no nocheck", no_nocheck, OK, VERDICT_NO_NOCHECK},
    {"VS-16", "critical nocheck", critical_nocheck, OK, 0},
    {"VS-17", "wrong byKey", wrong_key_named, ERR_RSP_RESPONDER_ID, 0},
    {"VS-17", "wrong byName", wrong_name_named, ERR_RSP_RESPONDER_ID, 0},
    {"VS-17", "name in other words", name_in_other_words, OK, 0},
    {"VS-17", "signer last of three", namesakes_embedded, OK, 0},
    {"VS-17", "expired one first", expired_and_renewed, OK, 0},
    {"VS-17", "unreadable", broken_embedded, ERR_RSP_SIGNER_CERT, 0},
    {"VS-17", "unreadable one first", broken_beside, OK, VERDICT_UNREADABLE},
    {"VS-18", "not embedded", nothing_embedded, ERR_RSP_RESPONDER_ID, 0},
    {"VS-18", "not embedded, trusted", trusted_delegate_not_embedded, OK, 0},
    {"VS-19", "issuer named, other signs", issuer_named_other_signs, ERR_RSP_SIGNATURE, 0},
    {"VS-19", "key of another", key_of_another, ERR_RSP_SIGNATURE, 0},
    {"VS-19", "certificate of another", other_key, ERR_RSP_SIGNATURE, 0},
    {"VS-19", "another kind of key", another_kind_of_key, ERR_RSP_SIGNATURE, 0},
    {"VS-20", "unknown algorithm", unknown_algorithm, ERR_RSP_ALGORITHM, 0},
};

Test(signer, each_signer_by_its_rule)
{
	scene_play(signer_rows, N_ELEMENTS(signer_rows));
}

Test(signer, VS_12_kind_tells_who_signed)
{
	static const struct {
		void (*change)(struct scene *scene);
		enum signer_kind expected;
	} rows[] = {
	    {issuer_signs, SIGNER_ISSUER},   {issuer_signs_embedded, SIGNER_ISSUER},
	    {nothing, SIGNER_DELEGATE},	     {trusted_beside, SIGNER_DELEGATE},
	    {trusted_signs, SIGNER_TRUSTED}, {trusted_delegate_not_embedded, SIGNER_TRUSTED},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct scene scene;
		struct verdict verdict;

		scene_init(&scene);
		rows[i].change(&scene);
		cr_assert_eq(scene_verify(&scene, scene_der(&scene), &verdict), OK, "row %zu", i);
		cr_expect_eq(verdict.signer, rows[i].expected, "row %zu", i);
		scene_fini(&scene);
	}
}

/* --- algorithms --- */

enum {
	STRONG,
	WEAK,
	FORBIDDEN
};
static const struct {
	const char *what;
	enum pki_key_kind key;
	const EVP_MD *(*md)(void);
	bool is_pss;
	int expected;
} algorithms[] = {
    {"RSA 2048", PKI_RSA2048, EVP_sha256, false, STRONG},
    {"RSA 2048, SHA-512", PKI_RSA2048, EVP_sha512, false, STRONG},
    {"RSA-PSS", PKI_RSA2048, EVP_sha256, true, STRONG},
    {"P-256", PKI_P256, EVP_sha256, false, STRONG},
    {"P-256, SHA-384", PKI_P256, EVP_sha384, false, STRONG},
    {"Ed25519", PKI_ED25519, EVP_sha256, false, STRONG},
    {"RSA 2048, SHA-1", PKI_RSA2048, EVP_sha1, false, WEAK},
    {"RSA-PSS, SHA-1", PKI_RSA2048, EVP_sha1, true, WEAK},
    {"P-256, SHA-1", PKI_P256, EVP_sha1, false, WEAK},
    {"RSA 1024", PKI_RSA1024, EVP_sha256, false, WEAK},
    {"P-224", PKI_P224, EVP_sha256, false, WEAK},
    {"RSA 2048, MD5", PKI_RSA2048, EVP_md5, false, FORBIDDEN},
};
static const struct {
	enum weak_policy policy;
	err_t weak;
	unsigned flags;
} policies[] = {
    {WEAK_PASS_UNCACHED, OK, VERDICT_WEAK}, {WEAK_ACCEPT, OK, 0}, {WEAK_REJECT, ERR_RSP_WEAK, 0}};

Test(signer, VS_20_algorithms_under_each_policy)
{
	for (size_t i = 0; i < N_ELEMENTS(algorithms) * N_ELEMENTS(policies); i++) {
		const size_t row = i / N_ELEMENTS(policies), policy = i % N_ELEMENTS(policies);
		const err_t expected[] = {OK, policies[policy].weak, ERR_RSP_ALGORITHM};
		EVP_PKEY *key = pki_key(algorithms[row].key, 1);
		struct pki_cert d;
		struct scene scene, *s = &scene;
		struct verdict verdict;
		err_t e;

		scene_init(s);
		d = delegate_of(s);
		d.key = key;
		scene_sign_as(s, pki_cert(&d), key);
		s->response.md = algorithms[row].md();
		s->response.is_pss = algorithms[row].is_pss;
		s->issuer->policy.weak_signature = policies[policy].policy;
		e = scene_judge(s, &verdict);
		cr_expect_eq(e, expected[algorithms[row].expected], "%s, policy %zu: %s",
			     algorithms[row].what, policy, err_row(e)->label);
		if (e == OK)
			cr_expect_eq(verdict.flags,
				     algorithms[row].expected == WEAK ? policies[policy].flags : 0,
				     "%s, policy %zu", algorithms[row].what, policy);
		scene_fini(s);
	}
}

Test(signer, VS_20_only_the_response_is_judged_not_the_certificates)
{
	struct scene scene, *s = &scene;
	struct verdict verdict;
	struct pki_cert d;

	scene_init(s);
	s->ca = pki_cert(&(struct pki_cert){.name = "Test CA",
					    .key = pki_key(PKI_RSA1024, 0),
					    .md = EVP_sha1(),
					    .exts = PKI_CA_EXTS});
	for (size_t i = 0; i < N_ELEMENTS(s->singles); i++)
		s->singles[i].issuer = s->ca;
	s->asked[0] = pki_certid(s->ca, "01", HASH_SHA1);
	scene_set_issuer(s, s->ca);
	d = delegate_of(s);
	d.signed_by = pki_key(PKI_RSA1024, 0);
	d.md = EVP_sha1();
	scene_sign_as(s, pki_cert(&d), DELEGATE_KEY);
	cr_assert_eq(scene_verify(s, scene_der(s), &verdict), OK);
	cr_expect_eq(verdict.flags, 0);
	scene_fini(s);
}

/* --- flipped bits; all of them are in test_mutations.c --- */

static err_t reason_of_flip(struct scene *s, struct slice der, size_t at)
{
	uint8_t *copy = memcpy(build_take(der.len), der.p, der.len);
	struct verdict verdict;

	copy[at] ^= 1;
	return scene_verify(s, slice_of(copy, der.len), &verdict);
}

Test(signer, VS_19_reasons_of_a_flipped_bit)
{
	struct scene scene;
	struct response response;
	struct slice der;

	scene_init(&scene);
	der = scene_der(&scene);
	cr_assert_eq(response_parse(der, &response), OK);
	/* the last digit of producedAt; the end of the signature; that of the certificate's */
	cr_expect_eq(reason_of_flip(&scene, der, (size_t)(response.singles.p - der.p) - 6),
		     ERR_RSP_SIGNATURE);
	cr_expect_eq(
	    reason_of_flip(&scene, der,
			   (size_t)(response.signature.p - der.p) + response.signature.len - 1),
	    ERR_RSP_SIGNATURE);
	cr_expect_eq(reason_of_flip(&scene, der, der.len - 1), ERR_RSP_SIGNER_CHAIN);
	scene_fini(&scene);
}

/* --- memory --- */

/* Each allocation of a verification fails in turn. */
static unsigned count_acceptances(void (*change)(struct scene *s))
{
	unsigned n_accepted = 0;
	bool was_reached = true;
	struct scene scene;
	struct verdict verdict;
	struct slice der;

	scene_init(&scene);
	change(&scene);
	der = scene_der(&scene);
	for (long n = 1; was_reached; n++) {
		pki_openssl_fail_at(n);
		n_accepted += scene_verify(&scene, der, &verdict) == OK;
		was_reached = pki_openssl_fail_at(0) == 0;
	}
	scene_fini(&scene);
	return n_accepted;
}

Test(signer, without_memory_nothing_is_accepted_that_otherwise_is_not)
{
	static void (*const refused[])(struct scene *) = {no_eku,
							  usage_encipherment,
							  critical_extension,
							  below_sibling_ca,
							  self_signed,
							  below_embedded_sub_ca,
							  ended_an_hour_ago,
							  key_of_another,
							  issuer_named_other_signs};

	cr_expect_gt(count_acceptances(nothing), 0);
	for (size_t i = 0; i < N_ELEMENTS(refused); i++)
		cr_expect_eq(count_acceptances(refused[i]), 0, "row %zu", i);
}

/* --- threads --- */

struct job {
	const struct scene *scene;
	struct slice der;
	err_t result;
};

static void *verify_often(void *arg)
{
	struct job *job = arg;
	struct verdict verdict;

	for (int i = 0; job->result == OK && i < 25; i++)
		job->result = verify_response(job->der, &job->scene->question, &verdict);
	return NULL;
}

Test(signer, an_issuer_is_shared_by_threads)
{
	struct scene scene;
	struct job jobs[4];
	pthread_t threads[4];

	scene_init(&scene);
	scene_set_issuer(&scene, scene.ca);
	for (size_t i = 0; i < 4; i++) {
		if (i == 2)
			scene_sign_as_issuer(&scene);
		jobs[i] = (struct job){.scene = &scene, .der = scene_der(&scene), .result = OK};
	}
	for (size_t i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, verify_often, &jobs[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
		cr_expect_eq(jobs[i].result, OK, "%s", err_row(jobs[i].result)->text);
	}
	scene_fini(&scene);
}
