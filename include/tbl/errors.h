/* SPDX-License-Identifier: ISC */
/*
 * Every error, and all that follows from it.
 *
 * ERROR(id, label, HTTP status, OCSP status, negative cache class, log level, text)
 *
 * An HTTP status with OCSP_NONE is answered as text/plain and, except 405 and 417, closes the
 * connection. Conditions below OCSP are plain HTTP errors; above it the HTTP status is 200 (400
 * for malformedRequest). 0: the condition never is the answer of a client.
 */
/* clang-format off */

/* HTTP: the message itself (rules EM-01 to EM-06, RFC 9112) */
ERROR(HTTP_SYNTAX,       "http-syntax",       400, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "malformed HTTP request (RFC 9112 2.2, 3, 5)")
ERROR(HTTP_HOST,         "http-host",         400, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "HTTP/1.1 needs exactly one valid Host field (RFC 9112 3.2)")
ERROR(HTTP_LENGTH,       "http-length",       400, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "invalid, repeated or missing Content-Length (RFC 9112 6.3)")
ERROR(HTTP_SMUGGLING,    "http-smuggling",    400, OCSP_NONE, NEGATIVE_NONE, LEVEL_INFO,  "Content-Length together with Transfer-Encoding (RFC 9112 6.1)")
ERROR(HTTP_BODY,         "http-body",         400, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "GET and HEAD carry no body (RFC 9110 9.3.1)")
ERROR(HTTP_CHUNK,        "http-chunk",        400, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "malformed chunked body (RFC 9112 7.1)")
ERROR(HTTP_CODING,       "http-coding",       501, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "Transfer-Encoding other than chunked (RFC 9112 6.1)")
ERROR(HTTP_METHOD,       "http-method",       405, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "method not allowed: GET, HEAD and POST are (RFC 9110 15.5.6)")
ERROR(HTTP_UNKNOWN,      "http-unknown",      501, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "method unknown (RFC 9110 15.6.2)")
ERROR(HTTP_VERSION,      "http-version",      505, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "only HTTP/1.0 and HTTP/1.1 are spoken (RFC 9112 2.3)")
ERROR(HTTP_LINE_SIZE,    "http-line-size",    414, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "request line longer than max_request_line (RFC 9112 3)")
ERROR(HTTP_HEADER_SIZE,  "http-header-size",  431, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "header section larger than max_header_bytes or max_headers (RFC 6585 5)")
ERROR(HTTP_BODY_SIZE,    "http-body-size",    413, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "body larger than max_request_body (RFC 9110 15.5.14)")
ERROR(HTTP_EXPECT,       "http-expect",       417, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "expectation unknown (RFC 9110 10.1.1)")
ERROR(HTTP_TIMEOUT,      "http-timeout",      408, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "the request did not arrive in time (RFC 9110 15.5.9)")

/* The OCSP request (rules EM-07, EM-08, RP-xx) */
ERROR(REQ_TARGET,        "req-target",        400, OCSP_MALFORMED_REQUEST, NEGATIVE_NONE, LEVEL_DEBUG, "the GET target holds no base64 OCSPRequest (RFC 6960 A.1)")
ERROR(REQ_DER,           "req-der",           400, OCSP_MALFORMED_REQUEST, NEGATIVE_NONE, LEVEL_DEBUG, "the request is not DER of an OCSPRequest (RFC 6960 4.1.1)")
ERROR(REQ_TRAILING,      "req-trailing",      400, OCSP_MALFORMED_REQUEST, NEGATIVE_NONE, LEVEL_DEBUG, "octets after the OCSPRequest (RFC 6960 4.1.1)")
ERROR(REQ_EMPTY,         "req-empty",         400, OCSP_MALFORMED_REQUEST, NEGATIVE_NONE, LEVEL_DEBUG, "no Request in the list, or no body at all (RFC 6960 4.1.1)")
ERROR(REQ_VERSION,       "req-version",       400, OCSP_MALFORMED_REQUEST, NEGATIVE_NONE, LEVEL_DEBUG, "version other than v1 (RFC 6960 4.1.1)")
ERROR(REQ_DIGEST,        "req-digest",        400, OCSP_MALFORMED_REQUEST, NEGATIVE_NONE, LEVEL_DEBUG, "hash length does not match its algorithm (RFC 6960 4.1.1)")
ERROR(REQ_PARAMETERS,    "req-parameters",    400, OCSP_MALFORMED_REQUEST, NEGATIVE_NONE, LEVEL_DEBUG, "hash algorithm parameters other than NULL or absent (RFC 4055 2.1)")
ERROR(REQ_SERIAL,        "req-serial",        400, OCSP_MALFORMED_REQUEST, NEGATIVE_NONE, LEVEL_DEBUG, "serial number not a minimal INTEGER, or longer than 40 octets (X.690 8.3)")
ERROR(REQ_NONCE,         "req-nonce",         400, OCSP_MALFORMED_REQUEST, NEGATIVE_NONE, LEVEL_DEBUG, "nonce of 0 or more than 128 octets (RFC 9654 2.1)")
ERROR(REQ_NONCE_POLICY,  "req-nonce-policy",  400, OCSP_MALFORMED_REQUEST, NEGATIVE_NONE, LEVEL_DEBUG, "a nonce, where the configuration says nonce = reject")
ERROR(REQ_CERTIDS,       "req-certids",       400, OCSP_MALFORMED_REQUEST, NEGATIVE_NONE, LEVEL_DEBUG, "more than max_certids Requests")
ERROR(REQ_EXTENSIONS,    "req-extensions",    400, OCSP_MALFORMED_REQUEST, NEGATIVE_NONE, LEVEL_DEBUG, "more than max_extensions extensions")
ERROR(REQ_HASH,          "req-hash",          200, OCSP_UNAUTHORIZED,      NEGATIVE_NONE, LEVEL_DEBUG, "hash algorithm not supported: SHA-1, 224, 256, 384, 512 are")
ERROR(ISSUER_UNKNOWN,    "issuer-unknown",    200, OCSP_UNAUTHORIZED,      NEGATIVE_NONE, LEVEL_DEBUG, "no configured issuer has these hashes")
ERROR(ISSUER_NAME,       "issuer-name",       200, OCSP_UNAUTHORIZED,      NEGATIVE_NONE, LEVEL_WARNING, "issuer key known, but under another encoding of its name: put a leaf certificate into issuer_dir")
ERROR(ISSUER_SEVERAL,    "issuer-several",    200, OCSP_UNAUTHORIZED,      NEGATIVE_NONE, LEVEL_DEBUG, "CertIDs of several issuers in one request")
ERROR(ISSUER_NO_RESPONDER, "issuer-no-responder", 200, OCSP_UNAUTHORIZED,  NEGATIVE_NONE, LEVEL_WARNING, "this issuer has no responder: none configured, none learnt from a leaf certificate")

/* Reaching the responder (rules EM-09 to EM-11) */
ERROR(UP_UNREACHABLE,    "upstream-unreachable", 200, OCSP_TRY_LATER, NEGATIVE_ERROR, LEVEL_INFO, "responder unreachable: DNS, connection or TLS failed")
ERROR(UP_TIMEOUT,        "upstream-timeout",     200, OCSP_TRY_LATER, NEGATIVE_ERROR, LEVEL_INFO, "responder did not answer within attempt_timeout")
ERROR(UP_HTTP,           "upstream-http",        200, OCSP_TRY_LATER, NEGATIVE_ERROR, LEVEL_INFO, "responder answered with an HTTP error")
ERROR(UP_REDIRECT,       "upstream-redirect",    200, OCSP_TRY_LATER, NEGATIVE_ERROR, LEVEL_INFO, "responder answered with a redirect, which is never followed")
ERROR(UP_FRAMING,        "upstream-framing",     200, OCSP_TRY_LATER, NEGATIVE_ERROR, LEVEL_INFO, "responder's message was cut short or badly framed (RFC 9112 6.3)")
ERROR(UP_SIZE,           "upstream-size",        200, OCSP_TRY_LATER, NEGATIVE_ERROR, LEVEL_INFO, "responder's answer is larger than max_upstream_response")
ERROR(UP_CODED,          "upstream-coded",       200, OCSP_TRY_LATER, NEGATIVE_ERROR, LEVEL_INFO, "responder's answer has a content coding that was not asked for")
ERROR(UP_REHEARSAL,      "upstream-rehearsal",   200, OCSP_TRY_LATER, NEGATIVE_ERROR, LEVEL_INFO, "an outage of the responders is rehearsed: none is asked")
ERROR(DEADLINE,          "deadline",             200, OCSP_TRY_LATER, NEGATIVE_NONE,  LEVEL_INFO, "no answer within request_deadline; the fetch goes on")
ERROR(OVERLOAD_WAITERS,  "overload-waiters",     200, OCSP_TRY_LATER, NEGATIVE_NONE,  LEVEL_WARNING, "too many clients wait for one answer (max_waiters)")
ERROR(OVERLOAD_UPSTREAM, "overload-upstream",    200, OCSP_TRY_LATER, NEGATIVE_NONE,  LEVEL_WARNING, "too many fetches wait for this issuer's responders (max_inflight)")
ERROR(OVERLOAD_CLIENT,   "overload-client",      200, OCSP_TRY_LATER, NEGATIVE_NONE,  LEVEL_WARNING, "this client's address asks for too much that needs a fetch (miss_rate_per_client)")
ERROR(OVERLOAD_MAILBOX,  "overload-mailbox",     200, OCSP_TRY_LATER, NEGATIVE_NONE,  LEVEL_WARNING, "the queue to the back thread is full")

/* What the responder said (rules EM-14 to EM-17); unsigned, never in front of a signed answer */
ERROR(UP_MALFORMED,      "upstream-malformed",      400, OCSP_MALFORMED_REQUEST, NEGATIVE_MALFORMED,    LEVEL_INFO, "responder says malformedRequest (RFC 6960 4.2.1)")
ERROR(UP_INTERNAL,       "upstream-internal-error", 200, OCSP_INTERNAL_ERROR,    NEGATIVE_ERROR,        LEVEL_INFO, "responder says internalError (RFC 6960 2.3)")
ERROR(UP_TRY_LATER,      "upstream-try-later",      200, OCSP_TRY_LATER,         NEGATIVE_ERROR,        LEVEL_INFO, "responder says tryLater (RFC 6960 2.3)")
ERROR(UP_SIG_REQUIRED,   "upstream-sig-required",   200, OCSP_SIG_REQUIRED,      NEGATIVE_SIG_REQUIRED, LEVEL_INFO, "responder says sigRequired (RFC 6960 2.3)")
ERROR(UP_UNAUTHORIZED,   "upstream-unauthorized",   200, OCSP_UNAUTHORIZED,      NEGATIVE_UNAUTHORIZED, LEVEL_INFO, "responder says unauthorized (RFC 6960 2.3)")

/* Why a response is refused (rules EM-12, EM-13, VS-xx) */
ERROR(RSP_DER,           "der",                200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "not DER of an OCSPResponse (RFC 6960 4.2.1)")
ERROR(RSP_TRAILING,      "trailing",           200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "octets after the OCSPResponse (RFC 6960 4.2.1)")
ERROR(RSP_STATUS,        "status",             200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "responseStatus undefined, or successful without responseBytes (RFC 6960 4.2.1)")
ERROR(RSP_TYPE,          "type",               200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "responseType is not id-pkix-ocsp-basic (RFC 6960 4.2.1)")
ERROR(RSP_VERSION,       "version",            200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "BasicOCSPResponse version other than v1 (RFC 6960 4.2.1)")
ERROR(RSP_SINGLES,       "singles",            200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "no SingleResponse, or more than 1024 (RFC 6960 4.2.1)")
ERROR(RSP_CERTS,         "certs",              200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "more than 10 embedded certificates")
ERROR(RSP_CERTID,        "certid",             200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "no SingleResponse for the certificate that was asked about (RFC 6960 3.2 (1))")
ERROR(RSP_TIME,          "time",               200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "time is not YYYYMMDDHHMMSSZ (RFC 6960 4.2.2.1, RFC 5280 4.1.2.5.2)")
ERROR(RSP_FUTURE,        "future",             200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "thisUpdate lies in the future (RFC 6960 3.2 (5))")
ERROR(RSP_PRODUCED,      "produced-future",    200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "producedAt lies in the future (RFC 6960 2.4)")
ERROR(RSP_ORDER,         "order",              200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "nextUpdate before thisUpdate (RFC 6960 4.2.2.1)")
ERROR(RSP_EXPIRED,       "expired",            200, OCSP_TRY_LATER,      NEGATIVE_ERROR, LEVEL_WARNING, "nextUpdate has passed (RFC 6960 3.2 (6))")
ERROR(RSP_CRITICAL,      "critical",           200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "unknown critical extension (RFC 6960 4.1.2)")
ERROR(RSP_NONCE,         "nonce",              200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "the nonce is not the one that was sent (RFC 9654 2.1)")
ERROR(RSP_RESPONDER_ID,  "responder-id",       200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "responderID names no certificate at hand: neither issuer nor embedded nor trusted (RFC 6960 4.2.2.3)")
ERROR(RSP_SIGNER_CERT,   "signer-cert",        200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "embedded signer certificate cannot be read (RFC 5280 4.1)")
ERROR(RSP_SIGNER_ISSUER, "signer-issuer",      200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "signer was not issued directly by the CA that issued the certificate (RFC 6960 4.2.2.2)")
ERROR(RSP_SIGNER_EKU,    "signer-eku",         200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "signer lacks extended key usage id-kp-OCSPSigning (RFC 6960 4.2.2.2)")
ERROR(RSP_SIGNER_USAGE,  "signer-key-usage",   200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "signer's key usage forbids signatures (RFC 5280 4.2.1.3)")
ERROR(RSP_SIGNER_TIME,   "signer-expired",     200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "signer's certificate has expired or is not yet valid (RFC 6960 4.2.2.2)")
ERROR(RSP_SIGNER_CHAIN,  "signer-chain",       200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "signer's certificate does not verify under the issuer (RFC 5280 6.1)")
ERROR(RSP_ISSUER_TIME,   "issuer-expired",     200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "the issuer's certificate has expired or is not yet valid (RFC 5280 6.1.3)")
ERROR(RSP_ALGORITHM,     "algorithm",          200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "signature algorithm forbidden or unknown (RFC 6960 4.3)")
ERROR(RSP_WEAK,          "weak-signature",     200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "weak signature, and weak_signature = reject")
ERROR(RSP_SIGNATURE,     "signature",          200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR, LEVEL_WARNING, "signature does not verify (RFC 6960 3.2 (2))")

/* What a store gave (rule VS-24) */
ERROR(RECORD_VERSION,    "record-version",     0, OCSP_NONE, NEGATIVE_NONE, LEVEL_WARNING, "stored record of an unknown version")
ERROR(RECORD_LENGTH,     "record-length",      0, OCSP_NONE, NEGATIVE_NONE, LEVEL_WARNING, "stored record of the wrong length")
ERROR(RECORD_UNKEPT,     "record-unkept",      0, OCSP_NONE, NEGATIVE_NONE, LEVEL_WARNING, "a response that is not to be kept")
ERROR(STORE_FAULT,       "store-fault",        0, OCSP_NONE, NEGATIVE_NONE, LEVEL_ERROR,   "the store failed")
ERROR(STORE_ALONE,       "store-alone",        0, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG,   "no other relay uses this store")

/* The relay itself */
ERROR(LOOP,              "loop",               508, OCSP_TRY_LATER,      NEGATIVE_NONE, LEVEL_WARNING, "the request has passed through this relay already (RFC 9110 7.6.3)")
ERROR(ONLY_IF_CACHED,    "only-if-cached",     504, OCSP_TRY_LATER,      NEGATIVE_NONE, LEVEL_DEBUG,   "only-if-cached, and nothing is (RFC 9111 5.2.1.7)")
ERROR(NO_MEMORY,         "no-memory",          200, OCSP_INTERNAL_ERROR, NEGATIVE_NONE, LEVEL_ERROR,   "out of memory")
ERROR(INTERNAL,          "internal",           200, OCSP_INTERNAL_ERROR, NEGATIVE_NONE, LEVEL_ERROR,   "internal fault")
ERROR(AGAIN,             "again",              0, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "not finished yet")
ERROR(BUSY,              "busy",               0, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "somebody else has it")
ERROR(NOT_FETCHED,       "not-fetched",        0, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "the fetch failed, the log says why; what was there is still valid")
ERROR(NOT_KEPT,          "not-kept",           0, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "answered, but the answer is not to be kept: the responder or the policy says so")
ERROR(NOT_FOUND,         "not-found",          0, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "not there")
ERROR(TOO_LONG,          "too-long",           0, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "does not fit")
ERROR(SYNTAX,            "syntax",             0, OCSP_NONE, NEGATIVE_NONE, LEVEL_DEBUG, "malformed value")
ERROR(SYSTEM,            "system",             0, OCSP_NONE, NEGATIVE_NONE, LEVEL_ERROR, "a system call failed")
ERROR(CERTIFICATE,       "certificate",        0, OCSP_NONE, NEGATIVE_NONE, LEVEL_WARNING, "no certificate could be read")
ERROR(CERTIFICATE_KEY,   "certificate-key",    0, OCSP_NONE, NEGATIVE_NONE, LEVEL_WARNING, "is a private key, not a certificate")
ERROR(CERTIFICATE_REQ,   "certificate-request", 0, OCSP_NONE, NEGATIVE_NONE, LEVEL_WARNING, "is a certificate request, not a certificate")
ERROR(CERTIFICATE_CRL,   "certificate-crl",    0, OCSP_NONE, NEGATIVE_NONE, LEVEL_WARNING, "is a revocation list (CRL), not a certificate")
ERROR(CERTIFICATE_PKCS12, "certificate-pkcs12", 0, OCSP_NONE, NEGATIVE_NONE, LEVEL_WARNING, "is a PKCS#12 file, not a certificate (openssl pkcs12 -nokeys takes them out)")
ERROR(CERTIFICATE_PUBLIC, "certificate-public-key", 0, OCSP_NONE, NEGATIVE_NONE, LEVEL_WARNING, "is a public key, not a certificate")
