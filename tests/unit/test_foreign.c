/* SPDX-License-Identifier: ISC */
/*
 * Requests and responses that others have collected, if the Debian package
 * python3-cryptography-vectors is installed: libcrypto reads the same from what is accepted. Rules
 * RP-30, SL-16, VS-01.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>

#include "../fuzz/compare_request.h"
#include "../fuzz/compare_response.h"
#include "build.h"

#define DIRECTORY "/usr/lib/python3/dist-packages/cryptography_vectors/x509/ocsp"

static const struct {
	const char *name;
	err_t expected;
} known[] = {
    {"ocsp-army.deps.mil-resp.der", OK},
    {"ocsp-army.inapplicable-req.der", OK},
    {"ocsp-army.revoked-req.der", OK},
    {"ocsp-army.valid-req.der", OK},
    {"req-duplicate-ext.der", ERR_REQ_DER},
    {"req-ext-nonce.der", OK},
    {"req-ext-unknown-oid.der", OK},
    {"req-invalid-hash-alg.der", ERR_REQ_HASH},
    {"req-multi-sha1.der", OK},
    {"req-sha1.der", OK},
    {"resp-delegate-unknown-cert.der", OK},
    {"resp-invalid-signature-oid.der", OK},
    {"resp-responder-key-hash.der", OK},
    {"resp-response-type-unknown-oid.der", ERR_RSP_TYPE},
    {"resp-revoked-no-next-update.der", OK},
    {"resp-revoked-reason.der", OK},
    {"resp-revoked.der", OK},
    {"resp-sct-extension.der", OK},
    {"resp-sha256.der", OK},
    {"resp-single-extension-reason.der", OK},
    {"resp-successful-no-response-bytes.der", ERR_RSP_STATUS},
    {"resp-unauthorized.der", OK},
    {"resp-unknown-extension.der", OK},
    {"resp-unknown-hash-alg.der", OK},
    {"resp-unknown-response-status.der", ERR_RSP_STATUS},
};

static struct slice file_of(const char *name)
{
	static uint8_t octets[1 << 16];
	char path[1000];
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), DIRECTORY "/%s", name);
	file = fopen(path, "rb");
	cr_assert_not_null(file, "%s", path);
	len = fread(octets, 1, sizeof(octets), file);
	fclose(file);
	return build_exact(slice_of(octets, len));
}

/* Of a file that came after Debian 12: whatever it was. */
static err_t expected_of(const char *name, err_t was)
{
	for (size_t i = 0; i < N_ELEMENTS(known); i++) {
		if (strcmp(known[i].name, name) == 0)
			return known[i].expected;
	}
	return was;
}

static err_t read_request(struct slice octets, const char *name)
{
	static const struct ocsp_request_limits limits = {.max_certids = 8, .max_extensions = 16};
	struct ocsp_request request;
	err_t e = ocsp_request_parse(octets, &limits, &request);

	if (e == OK)
		cr_expect(is_same_request(&request), "%s", name);
	return e;
}

static err_t read_response(struct slice octets, const char *name)
{
	struct response response;
	err_t e = response_parse(octets, &response);

	if (e == OK)
		cr_expect(is_same_response(&response), "%s", name);
	return e;
}

Test(foreign, RP_30_VS_01_vectors_of_python3_cryptography)
{
	DIR *directory = opendir(DIRECTORY);
	struct dirent *entry;
	unsigned n = 0;

	if (!directory)
		cr_skip_test("python3-cryptography-vectors is not installed");
	while ((entry = readdir(directory)) != NULL) {
		const char *name = entry->d_name;
		struct slice octets;
		err_t e;

		if (!strstr(name, ".der"))
			continue;
		octets = file_of(name);
		e = strstr(name, "req") ? read_request(octets, name) : read_response(octets, name);
		cr_expect_eq(e, expected_of(name, e), "%s: %s", name, err_row(e)->label);
		free((void *)(uintptr_t)octets.p);
		n++;
	}
	closedir(directory);
	cr_expect_gt(n, 20);
}
