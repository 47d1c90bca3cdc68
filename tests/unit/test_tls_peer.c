/* SPDX-License-Identifier: ISC */
/* What may stand for a TLS server. What it presents is seen by tests/e2e/test_warm.py. */
#include <criterion/criterion.h>

#include "base/bytes.h"
#include "io/tls_peer.h"

Test(tls_peer, addresses)
{
	static const struct {
		const char *address;
		bool is_good;
	} rows[] = {
	    {"www.example", true},   {"www.example:8443", true},
	    {"192.0.2.1", true},     {"192.0.2.1:1", true},
	    {"[2001:db8::1]", true}, {"[2001:db8::1]:636", true},
	    {"localhost", true},     {"", false},
	    {":443", false},	     {"a:b", false},
	    {"a:65536", false},	     {"a:-1", false},
	    {"a/b", false},	     {"a?b", false},
	    {"a#b", false},	     {"u@a", false},
	    {"u:p@a", false},	     {"a b", false},
	    {"2001:db8::1", false},  {"a\r\nb", false},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(tls_peer_check(rows[i].address), rows[i].is_good, "\"%s\"",
			     rows[i].address);
}
