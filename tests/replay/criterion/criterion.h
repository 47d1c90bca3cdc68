/* SPDX-License-Identifier: ISC */
/* What the stage asserts, in a program that is no unit test: it fails the play at hand, and needs
 * no Criterion. */
#ifndef OCSPRELAY_TESTS_REPLAY_CRITERION_H
#define OCSPRELAY_TESTS_REPLAY_CRITERION_H

#include "script.h"

#define CR_CHECK(cond, ...) \
	((cond) ? (void)0 : script_fail("%s:%d: not so: %s", __FILE__, __LINE__, #cond))

#define cr_assert(...)		   CR_CHECK(__VA_ARGS__, 0)
#define cr_assert_not(...)	   cr_assert(!__VA_ARGS__)
#define cr_assert_null(p, ...)	   cr_assert((p) == NULL)
#define cr_assert_not_null(p, ...) cr_assert((p) != NULL)
#define cr_expect		   cr_assert
#define cr_expect_not_null	   cr_assert_not_null
#define cr_expect_eq(a, b, ...)	   cr_assert((a) == (b))

#endif
