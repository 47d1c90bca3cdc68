/* SPDX-License-Identifier: ISC */
/* Networks: what is one, and who is inside. */
#include "io/networks.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

#define MAX_ITEMS 4

static err_t new_networks(const char *const *texts, struct networks **out, size_t *out_bad)
{
	char *items[MAX_ITEMS];
	struct text_list list = {.items = items};

	for (; list.n < MAX_ITEMS && texts[list.n]; list.n++)
		items[list.n] = (char *)(uintptr_t)texts[list.n];
	return networks_new(&list, out, out_bad);
}

static bool has(const struct networks *networks, const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return networks_has(networks, (struct sockaddr *)&v4);
	cr_assert_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1, "%s", text);
	return networks_has(networks, (struct sockaddr *)&v6);
}

Test(networks, who_is_inside)
{
	static const struct {
		const char *networks[MAX_ITEMS];
		const char *inside[5], *outside[5];
	} rows[] = {
	    {{"10.0.0.0/8"},
	     {"10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"},
	     {"11.0.0.0", "::1"}},
	    {{"10.1.2.3/8"}, {"10.9.9.9"}, {"11.1.2.3"}},
	    {{"192.0.2.128/25"}, {"192.0.2.128", "192.0.2.255"}, {"192.0.2.127", "192.0.3.128"}},
	    {{"192.0.2.1"}, {"192.0.2.1"}, {"192.0.2.0", "192.0.2.3"}},
	    {{"0.0.0.0/0"}, {"1.2.3.4", "::ffff:1.2.3.4"}, {"::1", "2001:db8::1"}},
	    {{"::/0"}, {"::1", "2001:db8::1"}, {"1.2.3.4", "::ffff:1.2.3.4"}},
	    {{"2001:db8::/33"}, {"2001:db8:7fff::"}, {"2001:db8:8000::", "2001:db9::"}},
	    {{"::1"}, {"::1"}, {"::2", "127.0.0.1"}},
	    {{"::ffff:10.0.0.0/104"}, {"10.1.1.1", "::ffff:10.1.1.1"}, {"11.0.0.1"}},
	    {{"10.0.0.0/8", "::1", "172.16.0.0/12"},
	     {"10.0.0.1", "::1", "172.31.0.1"},
	     {"172.32.0.1"}},
	    {{NULL}, {NULL}, {"127.0.0.1", "::1"}},
	};
	const struct sockaddr local = {.sa_family = AF_UNIX}, other = {.sa_family = AF_UNSPEC};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct networks *networks;
		size_t bad;

		cr_assert_eq(new_networks(rows[i].networks, &networks, &bad), OK);
		for (const char *const *text = rows[i].inside; *text; text++)
			cr_expect(has(networks, *text), "%s in %s", *text, rows[i].networks[0]);
		for (const char *const *text = rows[i].outside; *text; text++)
			cr_expect_not(has(networks, *text), "%s in %s", *text, rows[i].networks[0]);
		cr_expect(networks_has(networks, &local));
		cr_expect_not(networks_has(networks, &other));
		networks_free(networks);
	}
}

Test(networks, what_is_none_is_pointed_out)
{
	static const char *const bad_ones[] = {
	    "",
	    "/",
	    "/8",
	    "10.0.0.0/",
	    "10.0.0.0/33",
	    "10.0.0.0/-1",
	    "10.0.0/8",
	    "10.0.0.0 ",
	    "::1/129",
	    "::1/1 ",
	    "localhost",
	    "::1/08x",
	    "[::1]",
	    "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/1",
	};

	for (size_t i = 0; i < N_ELEMENTS(bad_ones); i++) {
		const char *const texts[] = {"10.0.0.0/8", bad_ones[i], "::1", NULL};
		struct networks *networks = NULL;
		size_t bad = 99;

		cr_expect_eq(new_networks(texts, &networks, &bad), ERR_SYNTAX, "%s", bad_ones[i]);
		cr_expect_eq(bad, 1, "%s", bad_ones[i]);
		cr_expect_null(networks);
	}
	networks_free(NULL);
}
