/* SPDX-License-Identifier: ISC */
/* The table of delegates that have signed: for whom, how many, how large, how long. */
#include "state/delegates.h"

#include <pthread.h>

#include "scene.h"

static const struct hash_key hash_key = {.k0 = 1, .k1 = 2};

/* A scene of the CA of this name, whose response and question fit together. */
static struct scene *scene_of(struct scene *s, const char *ca_name)
{
	scene_init(s);
	s->ca = pki_cert(&(struct pki_cert){.name = ca_name, .key = CA_KEY, .exts = PKI_CA_EXTS});
	scene_set_issuer(s, s->ca);
	s->singles[0].issuer = s->ca;
	s->asked[0] = pki_certid(s->ca, "01", HASH_SHA1);
	scene_sign_as(s, scene_delegate(s, PKI_DELEGATE_EXTS), DELEGATE_KEY);
	return s;
}

static err_t judge(struct delegates *delegates, const struct scene *s)
{
	struct verdict verdict;

	return delegates_verify(delegates, scene_der(s), &s->question, &verdict);
}

/* Whether the responder of this scene is understood when it embeds nothing. */
static bool is_known(struct delegates *delegates, const struct scene *s)
{
	struct scene bare = *s;

	bare.question.certids = bare.asked;
	bare.response.certs = EMPTY;
	bare.response.singles = bare.singles;
	return judge(delegates, &bare) == OK;
}

/* Seen with its certificate. */
static void show(struct delegates *delegates, const struct scene *s)
{
	cr_assert_eq(judge(delegates, s), OK);
}

Test(delegates, VS_18_delegate_is_known_once_seen_to_its_issuer_alone)
{
	struct delegates *delegates = delegates_new(1 << 20, hash_key);
	struct scene ours, theirs;

	scene_of(&ours, "Test CA");
	scene_of(&theirs, "Other CA");
	cr_expect_not(is_known(delegates, &ours));
	show(delegates, &ours);
	cr_expect(is_known(delegates, &ours));
	cr_expect_not(is_known(delegates, &theirs));
	cr_expect_eq(delegates_octets(delegates), ours.response.certs.len);
	scene_fini(&ours);
	scene_fini(&theirs);
	delegates_free(delegates);
}

Test(delegates, VS_18_issuer_of_a_reload_knows_whom_the_old_one_knew)
{
	struct delegates *delegates = delegates_new(1 << 20, hash_key);
	struct scene scene, *s = scene_of(&scene, "Test CA");

	show(delegates, s);
	scene_set_issuer(s, s->ca); /* the old one is freed */
	cr_expect(is_known(delegates, s));
	scene_fini(s);
	delegates_free(delegates);
}

Test(delegates, four_of_an_issuer_are_known)
{
	static const char *const names[] = {"a", "b", "c", "d", "e"};
	struct delegates *delegates = delegates_new(1 << 20, hash_key);
	struct scene scene, *s = scene_of(&scene, "Test CA");
	X509 *certs[N_ELEMENTS(names)];

	s->response.is_by_name = true;
	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		certs[i] = pki_cert(&(struct pki_cert){.name = names[i],
						       .key = DELEGATE_KEY,
						       .issuer = s->ca,
						       .signed_by = CA_KEY,
						       .exts = PKI_DELEGATE_EXTS});
		scene_sign_as(s, certs[i], DELEGATE_KEY);
		show(delegates, s);
	}
	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		s->response.responder = certs[i];
		cr_expect_eq(is_known(delegates, s), i > 0, "%s", names[i]);
	}
	scene_fini(s);
	delegates_free(delegates);
}

Test(delegates, issuer_that_was_not_used_for_longest_makes_room)
{
	struct scene a, b, c;
	struct delegates *delegates;

	scene_of(&a, "CA a");
	scene_of(&b, "CA b");
	scene_of(&c, "CA c");
	delegates = delegates_new(2 * a.response.certs.len + 100, hash_key);
	show(delegates, &a);
	show(delegates, &b);
	cr_expect(is_known(delegates, &a));
	show(delegates, &c);
	cr_expect_not(is_known(delegates, &b));
	cr_expect(is_known(delegates, &a));
	cr_expect(is_known(delegates, &c));
	cr_expect_eq(delegates_octets(delegates), a.response.certs.len + c.response.certs.len);
	delegates_free(delegates);
	delegates = delegates_new(10, hash_key);
	show(delegates, &a);
	cr_expect_eq(delegates_octets(delegates), 0);
	delegates_free(delegates);
	scene_fini(&a);
	scene_fini(&b);
	scene_fini(&c);
}

Test(delegates, huge_certificate_is_accepted_and_not_remembered)
{
	static char exts[20000] = PKI_DELEGATE_EXTS "nsComment=";
	struct delegates *delegates = delegates_new(1 << 20, hash_key);
	struct scene scene, *s = scene_of(&scene, "Test CA");

	memset(exts + strlen(exts), 'x', MAX_DELEGATE_LEN);
	scene_sign_as(s, scene_delegate(s, exts), DELEGATE_KEY);
	show(delegates, s);
	cr_expect_not(is_known(delegates, s));
	scene_fini(s);
	delegates_free(delegates);
}

/* --- threads --- */

struct job {
	struct delegates *delegates;
	struct verify_question question;
	struct slice ders[2];
	err_t result;
};

static void *verify_often(void *arg)
{
	struct job *job = arg;
	struct verdict verdict;

	for (unsigned i = 0; job->result == OK && i < 50; i++)
		job->result =
		    delegates_verify(job->delegates, job->ders[i % 2], &job->question, &verdict);
	return NULL;
}

Test(delegates, threads_share_what_they_know)
{
	struct delegates *delegates = delegates_new(1 << 20, hash_key);
	struct scene scene, *s = scene_of(&scene, "Test CA");
	struct job job = {.delegates = delegates, .question = s->question}, jobs[4];
	pthread_t threads[4];

	job.ders[0] = scene_der(s);
	s->response.is_by_name = true;
	scene_sign_as(s, scene_delegate(s, PKI_DELEGATE_EXTS "nsComment=another"), DELEGATE_KEY);
	job.ders[1] = scene_der(s);
	for (size_t i = 0; i < 4; i++) {
		jobs[i] = job;
		cr_assert_eq(pthread_create(&threads[i], NULL, verify_often, &jobs[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
		cr_expect_eq(jobs[i].result, OK, "%s", err_row(jobs[i].result)->text);
	}
	scene_fini(s);
	delegates_free(delegates);
}
