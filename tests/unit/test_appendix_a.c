/* SPDX-License-Identifier: ISC */
/*
 * Appendix A of the conformance table: every request vector by POST and, in several spellings, by
 * GET; which of them ask the same (rules NK-04, RP-31, RP-32); and what libcrypto's decoder thinks
 * of each, which is why the relay has one of its own (RP-30).
 */
#include "core/get_target.h"
#include "request_parts.h"

#include <openssl/ocsp.h>
#include <stdio.h>

static const struct vector {
	const char *name, *base64;
	err_t expected;
	const char *asks_as; /* the vector that asks the same */
	bool is_refused_by_libcrypto;
} vectors[] = {
    {"TV1", TV1, OK, "TV1", false},
    {"TV2 NK-04", TV2, OK, "TV1", false},
    {"TV3", TV3, OK, "TV3", false},
    {"TV3b NK-04", TV3b, OK, "TV3", false},
    {"TV4", TV4, OK, "TV1", false},
    {"TV4_0 NO-01", TV4_0, ERR_REQ_NONCE, NULL, false},
    {"TV4_8 NO-02", TV4_8, OK, "TV1", false},
    {"TV4_129 NO-01", TV4_129, ERR_REQ_NONCE, NULL, false},
    {"TV4_raw NO-03", TV4_raw, OK, "TV1", false},
    {"TV5 RP-34", TV5, OK, "TV1", false}, /* first of two */
    {"TV6 RP-31", TV6, OK, "TV1", false},
    {"TV6b RP-31", TV6b, ERR_REQ_VERSION, NULL, false},
    {"TV7a RP-30", TV7a, ERR_REQ_DER, NULL, false},
    {"TV7b RP-30", TV7b, ERR_REQ_DER, NULL, false},
    {"TV8neg RP-38", TV8neg, OK, NULL, false},
    {"TV8zero RP-38", TV8zero, OK, NULL, false},
    {"TV8nonmin RP-39", TV8nonmin, ERR_REQ_SERIAL, NULL, true},
    {"TV9 RP-25", TV9, ERR_REQ_TRAILING, NULL, false},
    {"TV11 RP-32", TV11, OK, "TV1", false},
    {"TV12 RP-36", TV12, ERR_REQ_DIGEST, NULL, false},
    {"TV13 RP-35", TV13, ERR_REQ_EMPTY, NULL, false},
};

static const struct vector *vector_named(const char *name)
{
	for (size_t i = 0; i < N_ELEMENTS(vectors); i++) {
		if (strcmp(vectors[i].name, name) == 0)
			return &vectors[i];
	}
	return NULL;
}

static void expect_same_question(const char *name, const struct certid *a, const struct certid *b)
{
	cr_expect(a->alg == b->alg && slice_eq(a->name_hash, b->name_hash) &&
		      slice_eq(a->key_hash, b->key_hash) && slice_eq(a->serial, b->serial),
		  "%s", name);
}

static void check_question(const struct vector *vector, const struct ocsp_request *request)
{
	struct ocsp_request other;

	if (!vector->asks_as)
		return;
	other = parsed(BASE64(vector_named(vector->asks_as)->base64));
	expect_same_question(vector->name, &request->certids[0], &other.certids[0]);
}

Test(appendix_a, RP_30_by_post)
{
	for (size_t i = 0; i < N_ELEMENTS(vectors); i++) {
		struct ocsp_request request;
		err_t e = parse(BASE64(vectors[i].base64), &request);

		cr_expect_eq(e, vectors[i].expected, "%s: %s", vectors[i].name, err_row(e)->label);
		if (e == OK)
			check_question(&vectors[i], &request);
	}
	cr_expect_eq(verdict(HEX(TV_RFC_HEX)), ERR_REQ_HASH, "TV-RFC RP-37");
	cr_expect_eq(BASE64(TV1).len, 83);
	cr_expect_eq(BASE64(TV4_129).len, 240);
}

/* --- GET -------------------------------------------------------------------------------------- */

/* The text with characters replaced as from and to say: {"+", "%2B"}, ... */
struct spelling {
	const char *rule;
	const char *plus, *slash, *equals;
};

static const struct spelling spellings[] = {
    {"RP-02", "+", "/", "="},	    {"RP-02", "%2B", "%2F", "%3D"},
    {"RP-02", "%2b", "%2f", "%3d"}, {"RP-03", "%20", "/", "="},
    {"RP-07", "-", "_", ""},	    {"RP-08", "%252B", "%252F", "%253D"},
};

static struct slice spelled(const char *base64, const struct spelling *spelling)
{
	static char target[4000];
	char *p = stpcpy(target, "/");

	for (; *base64 != '\0'; base64++) {
		if (*base64 == '+')
			p = stpcpy(p, spelling->plus);
		else if (*base64 == '/')
			p = stpcpy(p, spelling->slash);
		else if (*base64 == '=')
			p = stpcpy(p, spelling->equals);
		else
			*p++ = *base64;
	}
	return slice_of(target, (size_t)(p - target));
}

static void check_get(const struct vector *vector, const struct spelling *spelling)
{
	static uint8_t scratch[8000];
	struct slice target = spelled(vector->base64, spelling);
	struct ocsp_request request;
	err_t e = get_target_decode(target, &limits, scratch, &request);

	cr_expect_eq(e, vector->expected, "%s %s: %s", vector->name, spelling->rule,
		     err_row(e)->label);
	if (e != OK)
		return;
	cr_expect(slice_eq(request.der, BASE64(vector->base64)), "%s", vector->name);
	check_question(vector, &request);
}

Test(appendix_a, RP_01_RP_02_RP_03_RP_07_RP_08_by_get)
{
	const struct spelling *escaped = &spellings[1];

	for (size_t i = 0; i < N_ELEMENTS(vectors); i++) {
		for (size_t j = 0; j < N_ELEMENTS(spellings); j++)
			check_get(&vectors[i], &spellings[j]);
	}
	cr_expect(slice_eq(spelled(TV1, escaped), slice_text("/" TV1_enc)));
}

/* --- libcrypto -------------------------------------------------------------------------------- */

Test(appendix_a, RP_30_libcrypto_is_no_judge)
{
	for (size_t i = 0; i < N_ELEMENTS(vectors); i++) {
		struct slice der = BASE64(vectors[i].base64);
		const uint8_t *p = der.p;
		OCSP_REQUEST *theirs = d2i_OCSP_REQUEST(NULL, &p, (long)der.len);

		cr_expect_eq(theirs == NULL, vectors[i].is_refused_by_libcrypto, "%s",
			     vectors[i].name);
		OCSP_REQUEST_free(theirs);
	}
}
