/* SPDX-License-Identifier: ISC */
/* The live test: the configured responders are asked, in order, as the relay would. */
#include "cmd/explain.h"

#include "base/bytes.h"
#include "cmd/response_text.h"
#include "cmd/trial.h"
#include "core/ocsp_request.h"

#define MAX_RESPONSE_TEXT 4194304

/* What the answer says, whether or not it is to be believed: the members of query's object. */
static json_t *response_object(struct slice der)
{
	struct response response;
	struct buf text;
	json_t *object = NULL;

	buf_init(&text, MAX_RESPONSE_TEXT);
	if (der.len > 0 && response_parse(der, &response) == OK) {
		buf_text(&text, "{");
		response_members(&response, &text);
		text.len--; /* the last comma */
		buf_text(&text, "}");
		object = json_loadb((const char *)text.p, text.len, 0, NULL);
	}
	buf_fini(&text);
	return object;
}

static void on_attempt(void *arg, const struct trial_attempt *attempt)
{
	struct explain *explain = arg;
	const struct upstream_answer *answer = attempt->answer;
	json_t *object = json_object(), *response = response_object(answer->body);

	explain_put(object, "url", attempt->url);
	explain_put(object, "method", attempt->post ? "POST" : "GET");
	json_object_set_new(object, "no_cache", json_boolean(attempt->no_cache));
	explain_put(object, "address", answer->address);
	json_object_set_new(object, "http_status", json_integer(answer->http_status));
	json_object_set_new(object, "bytes", json_integer((json_int_t)answer->body.len));
	json_object_set_new(object, "microseconds", json_integer(answer->us_taken));
	json_object_set_new(object, "accepted", json_boolean(attempt->err == OK));
	if (attempt->err != OK) {
		explain_put(object, "reason", err_row(attempt->err)->label);
		explain_put(object, "text", err_row(attempt->err)->text);
	}
	if (answer->detail[0] != '\0')
		explain_put(object, "detail", answer->detail);
	if (response != NULL)
		json_object_set_new(object, "response", response);
	json_array_append_new(json_object_get(explain->root, "attempts"), object);
	if (attempt->err == OK) {
		explain->verdict = *attempt->verdict;
		explain->lifetime = *attempt->lifetime;
		explain->hints = answer->hints;
	}
}

/* In the words of a client that has the certificate. */
static struct ask *make_ask(const struct explain *explain)
{
	uint8_t der[MAX_MINIMAL_REQUEST_LEN];
	struct ask_question question = {.kind = ASK_SHARED,
					.issuers = explain->issuers,
					.issuer = explain->issuer,
					.key = &explain->key};

	if (ocsp_request_encode(&explain->asked.certid, slice_of(NULL, 0), der, sizeof(der),
				&question.der.len) != OK)
		return NULL;
	question.der.p = der;
	return ask_new(&question);
}

void explain_test(struct explain *explain)
{
	struct ask *ask = make_ask(explain);

	json_object_set_new(explain->root, "attempts", json_array());
	explain->is_tested = true;
	explain->err = ERR_NO_MEMORY;
	if (ask != NULL)
		explain->err = trial_run(&(struct trial_opts){
		    .ask = ask,
		    .max_response = explain->settings->limits.max_upstream_response,
		    .n = explain->issuer->n_responders,
		    .fn = on_attempt,
		    .arg = explain});
	ask_free(ask);
}
