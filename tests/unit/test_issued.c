/* SPDX-License-Identifier: ISC */
/* Certificates as the issuer table sees them: by which key, and about which nobody asks. */
#include <criterion/criterion.h>
#include <string.h>

#include "ctl/issued.h"
#include "pki.h"

#define KEY(i) pki_key(PKI_P256, i)

static X509 *cert(const char *name, unsigned key, X509 *issuer, unsigned signed_by)
{
	return pki_cert(&(struct pki_cert){.name = name,
					   .key = KEY(key),
					   .issuer = issuer,
					   .signed_by = issuer ? KEY(signed_by) : NULL,
					   .exts = PKI_CA_EXTS});
}

static struct issuers *table_of(X509 *const *cas, size_t n)
{
	struct issuers *issuers = issuers_new((struct hash_key){1, 2});

	for (size_t i = 0; i < n; i++) {
		struct issuer *issuer = NULL;

		cr_assert_eq(issuer_new(cas[i], NULL, &issuer), OK);
		cr_assert_eq(issuers_add(issuers, issuer), OK);
	}
	cr_assert_eq(issuers_seal(issuers), OK);
	return issuers;
}

Test(issued, a_chain_by_what_the_table_knows_of_it)
{
	X509 *root = cert("root", 0, NULL, 0), *ca = cert("CA", 1, root, 0);
	X509 *leaf = cert("leaf", 2, ca, 1), *namesake = cert("CA", 3, root, 0);
	X509 *forged = cert("forged", 4, namesake, 3);
	X509 *const both[] = {ca, root};
	const struct {
		size_t n; /* of both */
		X509 *cert;
		err_t err;
		bool is_top;
	} rows[] = {
	    {1, leaf, OK, false},
	    {1, forged, ERR_ISSUER_UNKNOWN, false},
	    {1, ca, ERR_ISSUER_UNKNOWN, true},
	    {1, namesake, ERR_ISSUER_UNKNOWN, false},
	    {1, root, ERR_ISSUER_UNKNOWN, false},
	    {2, leaf, OK, false},
	    {2, ca, OK, false},
	    {2, namesake, OK, false},
	    {2, root, OK, true},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct issuers *issuers = table_of(both, rows[i].n);
		struct cache_key key;
		err_t err = issued_key(issuers, rows[i].cert, &key);

		cr_expect_eq(err, rows[i].err, "row %zu", i);
		cr_expect_eq(issued_is_top(issuers, rows[i].cert, err == OK ? &key : NULL),
			     rows[i].is_top, "row %zu", i);
		if (rows[i].cert == leaf)
			cr_expect_arr_eq(key.issuer_id, issuers_at(issuers, 0)->id, ISSUER_ID_LEN);
		issuers_unref(issuers);
	}
}
