/* SPDX-License-Identifier: ISC */
/* Members and parameters, one row each. */
#include "ctl/admin_body.h"

#include <jansson.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "ctl/option_value.h"
#include "ctl/suggest.h"

void admin_body_no_issuer(const struct issuers *issuers, const char *text, struct buf *why)
{
	struct suggestion suggestion = {.word = text};

	for (size_t i = 0; i < issuers_count(issuers); i++)
		suggestion_try(&suggestion, issuers_at(issuers, i)->label);
	buf_printf(why, "issuer: no issuer \"%s\" is configured", text);
	if (suggestion.best != NULL)
		buf_printf(why, ", did you mean \"%s\"?", suggestion.best);
}

static err_t set_issuer(struct selection *selection, const struct issuers *issuers,
			const char *text, struct buf *why)
{
	err_t err = selection_set_issuer(selection, issuers, slice_text(text));

	if (err != OK)
		admin_body_no_issuer(issuers, text, why);
	return err == OK ? OK : ERR_SYNTAX;
}

static err_t set_serial(struct selection *selection, const char *text, struct buf *why)
{
	err_t err = selection_set_serial(selection, slice_text(text));

	if (err != OK)
		buf_printf(why, "serial: \"%s\" is no serial number in hexadecimal", text);
	return err == OK ? OK : ERR_SYNTAX;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static err_t read_member(const char *name, json_t *value, const struct issuers *issuers,
			 struct selection *selection, struct buf *why)
{
	if (strcmp(name, "all") == 0 && json_is_boolean(value))
		return OK;
	if (strcmp(name, "issuer") == 0 && json_is_string(value))
		return set_issuer(selection, issuers, json_string_value(value), why);
	if (strcmp(name, "serial") == 0 && json_is_string(value))
		return set_serial(selection, json_string_value(value), why);
	buf_printf(why,
		   "%s: not known, or of the wrong type; there are \"issuer\", \"serial\" and "
		   "\"all\": true",
		   name);
	return ERR_SYNTAX;
}

static err_t read_object(json_t *root, const struct issuers *issuers, struct selection *selection,
			 struct buf *why)
{
	bool is_all = json_is_true(json_object_get(root, "all")), is_some;
	const char *name;
	json_t *value;
	err_t err = OK;

	json_object_foreach(root, name, value)
	{
		if (err == OK)
			err = read_member(name, value, issuers, selection, why);
	}
	is_some = selection->has_issuer || selection->serial_len > 0;
	if (err != OK || is_all != is_some)
		return err;
	buf_text(why, is_all ? "all, and only some: what is meant?"
			     : "nothing is selected: an issuer, a serial or all");
	return ERR_SYNTAX;
}

err_t admin_body_read(struct evhttp_request *request, const struct issuers *issuers,
		      struct selection *out, struct buf *why)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(request);
	size_t len = evbuffer_get_length(body);
	struct selection selection = {.has_issuer = false};
	json_error_t fault;
	json_t *root = json_loadb((const char *)evbuffer_pullup(body, -1), len,
				  JSON_REJECT_DUPLICATES, &fault);
	err_t err = ERR_SYNTAX;

	if (json_is_object(root))
		err = read_object(root, issuers, &selection, why);
	else
		buf_printf(why, "the body is no JSON object%s%s", root ? "" : ": ",
			   root ? "" : fault.text);
	json_decref(root);
	if (err == OK)
		*out = selection;
	return err;
}

/* --- the query -------------------------------------------------------------------------------- */

static const struct option_row expiring = {
    .name = "expiring", .type = OPTION_IS_TIME, .min = 0, .max = 1e13};
static const struct option_row limit = {
    .name = "limit", .type = OPTION_IS_NUMBER, .min = 1, .max = 1e12};

static err_t read_value(const struct option_row *row, const char *word, void *out, struct buf *why)
{
	char *item = (char *)(uintptr_t)word;
	const struct text_list words = {.items = &item, .n = 1};
	err_t err;

	buf_printf(why, "%s: ", row->name);
	err = option_value_check(row, word, why);
	return err == OK ? option_value_store(row, out, &words) : err;
}

/* Its range is as good as none, so examples tell more. */
static err_t read_expiring(const char *word, int64_t *out, struct buf *why)
{
	err_t err = read_value(&expiring, word, out, why);

	if (err == ERR_SYNTAX) {
		buf_reset(why);
		buf_printf(why, "expiring: \"%.64s\" is no time, such as 90s, 30m, 6h or 2d", word);
	}
	return err;
}

static err_t read_parameter(const struct evkeyval *pair, const struct issuers *issuers,
			    struct admin_query *query, struct buf *why)
{
	if (strcmp(pair->key, "issuer") == 0)
		return set_issuer(&query->selection, issuers, pair->value, why);
	if (strcmp(pair->key, "serial") == 0)
		return set_serial(&query->selection, pair->value, why);
	if (strcmp(pair->key, "expiring") == 0)
		return read_expiring(pair->value, &query->ms_expiring, why);
	if (strcmp(pair->key, "limit") == 0)
		return read_value(&limit, pair->value, &query->limit, why);
	if (strcmp(pair->key, "tier") == 0 && strlen(pair->value) < sizeof(query->tier)) {
		strcpy(query->tier, pair->value);
		return OK;
	}
	buf_printf(why, "%s: not known", pair->key);
	return ERR_SYNTAX;
}

err_t admin_query_read(struct evhttp_request *request, const struct issuers *issuers,
		       struct admin_query *out, struct buf *why)
{
	const char *text = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));
	struct admin_query query = {.ms_expiring = INT64_MAX, .limit = UINT64_MAX};
	struct evkeyvalq pairs;
	err_t err = OK;

	if (text != NULL && *text != '\0') {
		if (evhttp_parse_query_str(text, &pairs) != 0) {
			buf_text(why, "the query of the URL cannot be read");
			return ERR_SYNTAX;
		}
		for (struct evkeyval *pair = pairs.tqh_first; pair != NULL && err == OK;
		     pair = pair->next.tqe_next) {
			buf_reset(why);
			err = read_parameter(pair, issuers, &query, why);
		}
		evhttp_clear_headers(&pairs);
	}
	if (err == OK)
		*out = query;
	return err;
}
