/* SPDX-License-Identifier: ISC */
/*
 * No octet of a response may change, and none may be added or go: not of what is signed, not of
 * what is around it (rules VS-01, VS-19, VS-20). The one exception, by which nothing is believed
 * that was not signed: what is inside of embedded certificates from which nothing was taken.
 */
#include "random.h"
#include "scene.h"

#define RSA_KEY	    pki_key(PKI_RSA2048, 1)
#define ED25519_KEY pki_key(PKI_ED25519, 1)

/* --- whose responses -------------------------------------------------------------------------- */

static void delegate_signs(struct scene *s, EVP_PKEY *key)
{
	scene_sign_as(s,
		      pki_cert(&(struct pki_cert){.name = "Responder",
						  .key = key,
						  .issuer = s->ca,
						  .signed_by = CA_KEY,
						  .exts = PKI_DELEGATE_EXTS}),
		      key);
}

static void rsa_issuer_signs(struct scene *s)
{
	s->ca = pki_cert(&(struct pki_cert){.name = "RSA CA", .key = RSA_KEY, .exts = PKI_CA_EXTS});
	s->singles[0].issuer = s->ca;
	s->asked[0] = pki_certid(s->ca, "01", HASH_SHA1);
	scene_set_issuer(s, s->ca);
	scene_sign_as(s, s->ca, RSA_KEY);
	s->response.certs = EMPTY;
}

CHANGE(ec_issuer, scene_sign_as_issuer(s))
CHANGE(rsa_issuer, rsa_issuer_signs(s))
CHANGE(ec_delegate, delegate_signs(s, DELEGATE_KEY))
CHANGE(ec_delegate_by_name, delegate_signs(s, DELEGATE_KEY); s->response.is_by_name = true)
CHANGE(rsa_delegate, delegate_signs(s, RSA_KEY))
CHANGE(pss_delegate, delegate_signs(s, RSA_KEY); s->response.is_pss = true)
CHANGE(ed25519_delegate, delegate_signs(s, ED25519_KEY))
CHANGE(ec_delegate_below_rsa, rsa_issuer_signs(s);
       scene_sign_as(s,
		     pki_cert(&(struct pki_cert){.name = "Responder",
						 .key = DELEGATE_KEY,
						 .issuer = s->ca,
						 .signed_by = RSA_KEY,
						 .exts = PKI_DELEGATE_EXTS}),
		     DELEGATE_KEY))

static const struct signing {
	const char *name;
	void (*change)(struct scene *scene);
} signings[] = {
    {"EC issuer", ec_issuer},
    {"RSA issuer", rsa_issuer},
    {"EC delegate", ec_delegate},
    {"EC delegate by name", ec_delegate_by_name},
    {"RSA delegate", rsa_delegate},
    {"RSA-PSS delegate", pss_delegate},
    {"Ed25519 delegate", ed25519_delegate},
    {"EC delegate below RSA", ec_delegate_below_rsa},
};

/* The scene, and its response, which is in order. */
static struct slice begin(struct scene *scene, const struct signing *signing)
{
	struct verdict verdict;
	struct slice der;

	scene_init(scene);
	signing->change(scene);
	der = scene_der(scene);
	cr_assert_eq(scene_verify(scene, der, &verdict), OK, "%s", signing->name);
	return der;
}

/* --- one bit ---------------------------------------------------------------------------------- */

/* Of large responses every third, which is two or three in each octet. */
static void flip_every_bit(const struct signing *signing)
{
	struct scene scene;
	struct slice der = begin(&scene, signing);
	const size_t step = der.len > 700 ? 3 : 1;
	uint8_t *copy = memcpy(build_take(der.len), der.p, der.len);
	struct verdict verdict;

	for (size_t i = 0; i < 8 * der.len; i += step) {
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
		cr_expect_neq(scene_verify(&scene, slice_of(copy, der.len), &verdict), OK,
			      "%s: octet %zu of %zu, bit %zu", signing->name, i / 8, der.len,
			      i % 8);
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	scene_fini(&scene);
}

/* One test each, for Criterion runs them side by side. */
#define FLIP(row, signer)                                        \
	Test(mutations, VS_19_any_bit_of_a_response_by_##signer) \
	{                                                        \
		flip_every_bit(&signings[row]);                  \
	}
FLIP(0, an_ec_issuer)
FLIP(1, an_rsa_issuer)
FLIP(2, an_ec_delegate)
FLIP(3, an_ec_delegate_by_name)
FLIP(4, an_rsa_delegate)
FLIP(5, a_pss_delegate)
FLIP(6, an_ed25519_delegate)
FLIP(7, an_ec_delegate_below_rsa)

/* --- several octets --------------------------------------------------------------------------- */

enum {
	N_CASES = 1000
};

Test(mutations, VS_19_octets_changed_added_and_removed_by_chance)
{
	static uint8_t room[4096];

	for (size_t i = 0; i < N_ELEMENTS(signings); i++) {
		struct scene scene;
		struct slice der = begin(&scene, &signings[i]);
		struct verdict verdict;

		for (uint64_t seed = first_seed(); seed < first_seed() + N_CASES; seed++) {
			struct chance chance = {.state = seed};
			struct slice changed = mutated(der, room, sizeof(room), &chance);

			if (slice_eq(changed, der))
				continue;
			cr_expect_neq(scene_verify(&scene, changed, &verdict), OK, "%s, seed %llu",
				      signings[i].name, (unsigned long long)seed);
		}
		scene_fini(&scene);
	}
}

Test(mutations, VS_01_every_cut_of_a_response)
{
	for (size_t i = 0; i < N_ELEMENTS(signings); i++) {
		struct scene scene;
		struct slice der = begin(&scene, &signings[i]);
		struct verdict verdict;

		for (size_t n = 0; n < der.len; n++)
			cr_expect_eq(scene_verify(&scene, slice_take(der, n), &verdict),
				     ERR_RSP_DER, "%s, %zu octets", signings[i].name, n);
		scene_fini(&scene);
	}
}

/* --- the same in BER -------------------------------------------------------------------------- */

enum ber {
	LONG_LENGTH, /* in one octet more than it takes */
	INDEFINITE_LENGTH
};

/* Writes elements anew, one of them in BER; the lengths around it grow as they must. */
struct writer {
	enum ber form;
	unsigned n_seen, target; /* elements are counted from the outside in */
	bool is_done;
};

static struct slice rewrite_all(struct writer *writer, struct slice content);

static bool is_der_throughout(struct slice content)
{
	struct der der = der_of(content);
	struct slice inner;
	uint8_t tag;

	while (!der_is_done(&der)) {
		if (der_read_any(&der, &tag, &inner, NULL) != OK ||
		    (tag & 0x20 && !is_der_throughout(inner)))
			return false;
	}
	return true;
}

/* Whether an OCTET STRING is one around DER: the response in ResponseBytes, extension values. A
 * hash may begin like an element by chance. */
static bool holds_der(struct slice content)
{
	return content.len > 0 && is_der_throughout(content);
}

static struct slice in_ber(enum ber form, uint8_t tag, struct slice content)
{
	size_t size = content.len < 0x80 ? 0 : content.len < 0x100 ? 1 : 2;
	uint8_t header[5] = {tag, 0x80};
	size_t n = 2;

	if (form == INDEFINITE_LENGTH)
		return CAT(slice_of(memcpy(build_take(2), header, 2), 2), content, HEX("0000"));
	header[1] = (uint8_t)(0x80 + size + 1);
	for (size_t i = size + 1; i-- > 0;)
		header[n++] = (uint8_t)(content.len >> 8 * i);
	return CAT(slice_of(memcpy(build_take(n), header, n), n), content);
}

static struct slice rewrite(struct writer *writer, uint8_t tag, struct slice content)
{
	const bool is_constructed = tag & 0x20;
	const bool is_target =
	    writer->n_seen++ == writer->target && (is_constructed || writer->form == LONG_LENGTH);

	if (is_constructed || (tag == DER_OCTET_STRING && holds_der(content)))
		content = rewrite_all(writer, content);
	writer->is_done |= is_target;
	return is_target ? in_ber(writer->form, tag, content) : build_tlv(tag, content);
}

static struct slice rewrite_all(struct writer *writer, struct slice content)
{
	struct der der = der_of(content);
	struct slice out = EMPTY;

	while (!der_is_done(&der)) {
		struct slice inner;
		uint8_t tag;

		cr_assert_eq(der_read_any(&der, &tag, &inner, NULL), OK);
		out = CAT(out, rewrite(writer, tag, inner));
	}
	return out;
}

Test(mutations, VS_01_VS_19_any_element_in_ber)
{
	for (size_t i = 0; i < 2 * N_ELEMENTS(signings); i++) {
		const struct signing *signing = &signings[i / 2];
		struct writer writer = {.form = (enum ber)(i % 2), .target = UINT32_MAX};
		struct scene scene;
		struct slice der = begin(&scene, signing);
		struct verdict verdict;
		unsigned n_elements;

		cr_assert(slice_eq(rewrite_all(&writer, der), der));
		n_elements = writer.n_seen;
		cr_assert_gt(n_elements, 20);
		for (unsigned target = 0; target < n_elements; target++) {
			size_t mark = build_used;
			struct slice changed;

			writer = (struct writer){.form = (enum ber)(i % 2), .target = target};
			changed = rewrite_all(&writer, der);
			if (writer.is_done)
				cr_expect_neq(scene_verify(&scene, changed, &verdict), OK,
					      "%s: element %u of %u, form %zu", signing->name,
					      target, n_elements, i % 2);
			build_used = mark;
		}
		scene_fini(&scene);
	}
}

/* --- certificates without a say --------------------------------------------------------------- */

/* Field by field: what is between them is anybody's. What has lost its delegate's certificate, or
 * has one that is none, may be delivered, but it is not kept. */
static bool is_same_verdict(const struct verdict *a, const struct verdict *b)
{
	return a->status == b->status && a->signer == b->signer &&
	       (a->flags & ~(unsigned)(VERDICT_RECALLED | VERDICT_UNREADABLE)) == b->flags &&
	       a->algs == b->algs && a->reason == b->reason && a->revoked_at == b->revoked_at &&
	       a->this_update == b->this_update && a->next_update == b->next_update &&
	       a->produced_at == b->produced_at && a->hard_expiry == b->hard_expiry &&
	       a->tail == b->tail;
}

/* Flips every third bit of der: wherever that is let pass it was between these offsets, and the
 * verdict is the same. Of how many flips between them how many were. */
struct passes {
	unsigned n, of;
};

static struct passes count_passes(struct scene *scene, struct slice der, size_t from, size_t to)
{
	uint8_t *copy = memcpy(build_take(der.len), der.p, der.len);
	struct passes passes = {.n = 0};
	struct verdict before, verdict;

	cr_assert_eq(scene_verify(scene, der, &before), OK);
	for (size_t i = 0; i < 8 * der.len; i += 3) {
		const bool is_between = i / 8 >= from && i / 8 < to;

		copy[i / 8] ^= (uint8_t)(1 << i % 8);
		if (scene_verify(scene, slice_of(copy, der.len), &verdict) == OK) {
			cr_expect(is_between, "octet %zu, not %zu to %zu", i / 8, from, to);
			cr_expect(is_same_verdict(&verdict, &before), "octet %zu", i / 8);
			passes.n++;
		}
		passes.of += is_between;
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	return passes;
}

/* Nobody signs the certificates into a response; the header of each is the list's and may not
 * change. */
Test(mutations, VS_17_VS_19_certificates_of_others_prove_nothing)
{
	const size_t header = 4; /* of a certificate of 256 octets or more */
	struct slice der, other;
	struct passes passes;
	struct scene scene;
	size_t from;

	scene_init(&scene);
	other = pki_der(
	    pki_cert(&(struct pki_cert){.name = "Other", .key = OTHER_KEY, .exts = PKI_CA_EXTS}));
	cr_assert_geq(other.len, 260);
	scene.response.certs = CAT(other, scene.response.certs);
	der = scene_der(&scene);
	from = der.len - scene.response.certs.len + header;
	passes = count_passes(&scene, der, from, from + other.len - header);
	cr_expect_eq(passes.n, passes.of);
	scene_fini(&scene);
}

/* A delegate that is remembered need not be embedded, so what is embedded instead of it is a
 * certificate of another, too: one whose subject or key is not the delegate's any more. */
Test(mutations, VS_18_VS_19_beside_a_remembered_delegate_only_its_certificate_may_differ)
{
	for (unsigned is_by_name = 0; is_by_name < 2; is_by_name++) {
		struct delegate_set known = {.n = 0};
		struct verdict verdict;
		struct passes passes;
		struct scene scene;
		struct slice der;

		scene_init(&scene);
		scene.response.is_by_name = is_by_name;
		scene.question.known = &known;
		der = scene_der(&scene);
		cr_assert_eq(scene_verify(&scene, der, &verdict), OK);
		cr_assert_eq(known.n, 1);
		passes = count_passes(&scene, der, der.len - scene.response.certs.len, der.len);
		cr_expect(passes.n > 0 && passes.n < passes.of);
		delegate_set_fini(&known);
		scene_fini(&scene);
	}
}
