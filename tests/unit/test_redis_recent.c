/* SPDX-License-Identifier: ISC */
/* Which keys a copy may lack. */
#include <criterion/criterion.h>

#include "base/bytes.h"
#include "io/redis_recent.h"

Test(redis_recent, a_key_is_settled_until_it_is_noted_and_when_time_has_passed)
{
	struct redis_recent *recent = redis_recent_new();
	unsigned one = redis_recent_slot(slice_text("one")),
		 two = redis_recent_slot(slice_text("two"));

	cr_assert_neq(one, two);
	cr_expect(redis_recent_is_settled(recent, one, 0, 3000), "a clock may begin at 0");
	redis_recent_note(recent, one, 5000);
	cr_expect_not(redis_recent_is_settled(recent, one, 5000, 3000));
	cr_expect_not(redis_recent_is_settled(recent, one, 8000, 3000));
	cr_expect(redis_recent_is_settled(recent, one, 8001, 3000));
	cr_expect(redis_recent_is_settled(recent, two, 5000, 3000));
	redis_recent_free(recent);
}

Test(redis_recent, all_keys_are_noted_at_once)
{
	struct redis_recent *recent = redis_recent_new();
	unsigned one = redis_recent_slot(slice_text("one"));

	redis_recent_note_all(recent, 5000);
	cr_expect_not(redis_recent_is_settled(recent, one, 8000, 3000));
	cr_expect(redis_recent_is_settled(recent, one, 8001, 3000));
	redis_recent_free(recent);
}
