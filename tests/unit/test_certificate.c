/* SPDX-License-Identifier: ISC */
/* What a certificate is called, whoever has named it. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "ctl/certificate.h"
#include "pki.h"

/* Of eight bits, which terminals in UTF-8 obey, too; whoever runs a server chooses its names. */
Test(certificate, names_have_no_escapes_of_terminals)
{
	X509 *evil = pki_cert(&(struct pki_cert){.name = "CA \xc2\x9b"
							 "2K\033[1m \xe2\x80\xae\xc3\xbc",
						 .key = pki_key(PKI_P256, 0),
						 .exts = PKI_CA_EXTS});
	char name[64], *label = certificate_label(evil);

	certificate_name(X509_get_subject_name(evil), name, sizeof(name));
	cr_expect_str_eq(name, "CN=CA ?2K\\1B[1m ?\xc3\xbc");
	cr_expect_str_eq(label, "CA ?2K?[1m ?\xc3\xbc");
	certificate_name(X509_get_subject_name(evil), name,
			 sizeof("CN=CA \xc2\x9b"
				"2K\\1B[1m \xe2\x80\xae\xc3"));
	cr_expect_str_eq(name, "CN=CA ?2K\\1B[1m ??"); /* cut inside of a character */
	free(label);
}
