/* SPDX-License-Identifier: ISC */
/* From certificate to request, from response to verdict. */
#include "cmd/question.h"

#include "base/bytes.h"
#include "core/upstream_url.h"

err_t question_make(const struct issuer *issuer, X509 *cert, struct question *out)
{
	err_t err = issuer_certid(issuer, cert, HASH_SHA1, &out->asked);

	out->issuer = issuer;
	if (err == OK)
		err = ocsp_request_encode(&out->asked.certid, slice_of(NULL, 0), out->der,
					  sizeof(out->der), &out->der_len);
	return err;
}

struct transfer *question_ask(struct upstream *upstream, const struct question *question,
			      const struct question_way *way, upstream_fn *fn, void *arg)
{
	struct slice der = slice_of(question->der, question->der_len);
	const struct upstream_request request = {.url = way->url,
						 .proxy = way->proxy,
						 .der = der,
						 .post = upstream_url_get_len(way->url, der) >
							 MAX_GET_URL_LEN,
						 .ms_connect = way->ms_limit,
						 .ms_attempt = way->ms_limit};

	return upstream_start(upstream, &request, fn, arg);
}

err_t question_judge(const struct question *question, struct slice der, int64_t now,
		     struct verdict *out)
{
	const struct verify_question asked = {.certids = &question->asked.certid,
					      .n_certids = 1,
					      .issuer = question->issuer,
					      .now = now};

	return verify_response(der, &asked, out);
}
