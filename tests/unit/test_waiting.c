/* SPDX-License-Identifier: ISC */
/* Clients that wait: signed requests whose responder wants the signature. */
#include "relay/waiting.h"

#include "relay_kit.h"

/* The request for serial with something in the place of a signature (RFC 6960 4.1.1). */
static struct slice signed_about(const char *serial)
{
	struct slice tbs = slice_skip(kit_about(serial, NO_EXTS), 2);
	struct slice algorithm = TLV(DER_SEQUENCE, TLV(DER_OID, HEX("2a864886f70d01010b")));

	return TLV(
	    DER_SEQUENCE, tbs,
	    TLV(DER_CONTEXT_0, TLV(DER_SEQUENCE, algorithm, TLV(DER_BIT_STRING, HEX("00010203")))));
}

static const struct stage_request *request(size_t i)
{
	cr_assert_lt(i, stage_upstream.n_requests);
	return &stage_upstream.requests[i];
}

Test(waiting, RP_33_signature_goes_to_the_responder_that_wants_it)
{
	struct connection *client;
	struct slice response;

	kit_open();
	client = kit_post(signed_about("01"), 0);
	cr_expect(slice_eq(request(0)->der, kit_about("01", NO_EXTS)));
	kit_answer(SIG_REQUIRED);
	cr_expect_eq(stage_answers(client), 0);
	cr_expect(slice_eq(request(1)->der, signed_about("01")));
	cr_expect(request(1)->post);
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	kit_expect(client, response, "ocsprelay; fwd=bypass; fwd-status=200; detail=request");
	cr_expect_eq(stage_stores.n_puts, 0);
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(waiting, RP_33_EM_16_unsigned_request_hears_that_a_signature_is_wanted)
{
	struct connection *client, *with_signature;
	struct slice response;

	kit_open();
	client = kit_ask("01");
	kit_answer(SIG_REQUIRED);
	kit_expect(client, SIG_REQUIRED, "ocsprelay; fwd=miss; fwd-status=200");
	kit_expect(kit_ask("01"), SIG_REQUIRED, KIT_NEGATIVE);
	/* which a signed one does not take for its answer */
	with_signature = kit_post(signed_about("01"), 0);
	cr_expect(slice_eq(request(1)->der, signed_about("01")));
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	cr_expect(slice_eq(stage_body(with_signature), response));
	kit_expect(kit_ask("01"), SIG_REQUIRED, KIT_NEGATIVE);
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(waiting, RP_33_signature_that_does_not_please_is_sent_once)
{
	struct connection *client;

	kit_open();
	client = kit_post(signed_about("01"), 0);
	kit_answer(SIG_REQUIRED);
	kit_answer(SIG_REQUIRED);
	kit_expect(client, SIG_REQUIRED, "ocsprelay; fwd=bypass; fwd-status=200");
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(waiting, RP_33_HC_09_both_requests_share_one_deadline)
{
	struct connection *client;

	kit_prepare();
	kit.policy.ms_attempt = 60000;
	kit_start();
	client = kit_post(signed_about("01"), 0);
	stage_pass(7000);
	kit_answer(SIG_REQUIRED);
	stage_pass(999);
	cr_expect_eq(stage_answers(client), 0);
	stage_pass(1);
	cr_expect(slice_eq(stage_body(client), TRY_LATER));
	kit_answer(kit_good("01", 0, PKI_DAY));
	cr_expect_eq(stage_answers(client), 1);
	kit_close();
}

Test(waiting, RP_33_client_that_leaves_is_forgotten)
{
	struct connection *client;

	kit_open();
	client = kit_post(signed_about("01"), 0);
	kit_answer(SIG_REQUIRED);
	stage_hang_up(client);
	kit_answer(kit_good("01", 0, PKI_DAY));
	cr_expect_eq(counter_sum(METRIC_WAITERS, 0, 0, 0), 0);
	kit_close();
}

Test(waiting, RP_33_F4_valid_answer_needs_no_signature)
{
	struct slice response;

	kit_open();
	response = kit_store("01", 0, PKI_DAY);
	kit_expect(kit_post(signed_about("01"), 0), response, KIT_HIT(86400));
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}
