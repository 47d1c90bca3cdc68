/* SPDX-License-Identifier: ISC */
/*
 * OCSP responses for people and programs: the lines that users of openssl s_client -status know,
 * and the same as JSON. What is printed is what the response says; whether it is to be believed is
 * the verdict's to say.
 */
#ifndef OCSPRELAY_CMD_RESPONSE_TEXT_H
#define OCSPRELAY_CMD_RESPONSE_TEXT_H

#include "base/buf.h"
#include "core/response.h"
#include "core/verify.h"

/* What openssl calls it: good, revoked, unknown. Static. */
const char *response_cert_status(enum cert_status status);

/* Appends the whole response; out remembers failure. */
void response_text(const struct response *response, struct buf *out);

/* Appends members of a JSON object, without braces, each ending in a comma. */
void response_members(const struct response *response, struct buf *out);

/* The judgement: err, and with OK what verdict says, at now. Text lines, or JSON members without
 * braces, the last without a comma. */
void verdict_text(err_t err, const struct verdict *verdict, int64_t now, struct buf *out);
void verdict_members(err_t err, const struct verdict *verdict, int64_t now, struct buf *out);

#endif
