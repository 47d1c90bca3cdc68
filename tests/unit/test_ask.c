/* SPDX-License-Identifier: ISC */
/* Asks: what they own, and what they borrow. */
#include "relay/ask.h"

#include "relay_kit.h"

static struct ask *new_ask(struct slice der)
{
	struct cache_key key;

	kit_key("01", &key);
	return ask_new(&(struct ask_question){.kind = ASK_REFRESH,
					      .issuers = kit.issuers,
					      .issuer = kit.issuer,
					      .key = &key,
					      .hash = 77,
					      .der = der});
}

Test(ask, holds_a_question_of_its_own)
{
	struct slice der, lent;
	struct ask *ask;

	kit_open();
	der = kit_about("01", kit_nonce("0102030405060708"));
	lent = stage_copy(der);
	ask = new_ask(lent);
	stage_release(lent);
	cr_assert_not_null(ask);
	cr_expect(slice_eq(ask->request.der, der));
	cr_expect(slice_eq(ask->request.nonce, HEX("0102030405060708")));
	cr_expect_eq(ask->request.n_certids, 1);
	cr_expect(slice_eq(ask->request.certids[0].serial, HEX("01")));
	cr_expect(ask->may_store);
	cr_expect_not(ask->no_cache);
	cr_expect_null(ask->home);
	ask_free(ask);
	ask_free(NULL);
	kit_close();
}

Test(ask, is_not_made_of_what_is_no_request)
{
	kit_open();
	cr_expect_null(new_ask(EMPTY));
	cr_expect_null(new_ask(UNAUTHORIZED));
	kit_close();
}

Test(ask, without_a_home_ends_where_it_is)
{
	struct ask *ask;

	kit_open();
	ask = new_ask(kit_about("01", NO_EXTS));
	back_send_home(ask, ERR_OVERLOAD_WAITERS);
	kit_close();
}

Test(ask, dropped_frees_all_that_it_holds)
{
	struct cache_key key;
	struct ask *ask;

	kit_open();
	kit_store("01", 0, PKI_DAY);
	kit_key("01", &key);
	ask = new_ask(kit_about("01", NO_EXTS));
	ask->entry = cache_get(kit.common.cache, key_bytes(&key),
			       cache_hash(kit.common.cache, key_bytes(&key)));
	ask->fallback = entry_ref(ask->entry);
	ask_drop(NULL, &ask->message);
	kit_close();
}

Test(ask, NK_06_key_becomes_the_request_that_we_would_write)
{
	kit_open();
	for (unsigned alg = 0; alg < N_HASH_ALGS; alg++) {
		struct slice certid = kit_certid(kit.ca, "120d", (enum hash_alg)alg);
		struct cache_key key;
		struct ask *ask;

		key_make(&key, kit.issuer->id, (enum hash_alg)alg, HEX("120d"));
		ask = ask_from_key(ASK_REFRESH, kit.issuers, &key, 5);
		cr_assert_not_null(ask);
		cr_expect(slice_eq(ask->request.der, kit_request(&certid, 1, NO_EXTS)), "%u", alg);
		cr_expect_eq(ask->kind, ASK_REFRESH);
		cr_expect_eq(ask->issuer, kit.issuer);
		cr_expect_eq(ask->hash, 5);
		ask_free(ask);
		key.issuer_id[0] ^= 1;
		cr_expect_null(ask_from_key(ASK_REFRESH, kit.issuers, &key, 5));
	}
	kit_close();
}
