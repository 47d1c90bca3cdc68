/* SPDX-License-Identifier: ISC */
/* Which candidate is offered for a misspelt word, and when none is. */
#include <criterion/criterion.h>

#include "ctl/suggest.h"

static const char *best_for(const char *word)
{
	static const char *const candidates[] = {"listen",	 "limits",	"threads",
						 "back_threads", "max_waiters", "max_inflight",
						 "config",	 "log"};
	struct suggestion suggestion = {.word = word};

	for (size_t i = 0; i < N_ELEMENTS(candidates); i++)
		suggestion_try(&suggestion, candidates[i]);
	return suggestion.best ? suggestion.best : "(none)";
}

Test(suggest, closest_candidate_is_offered)
{
	static const struct {
		const char *word, *best;
	} cases[] = {
	    {"listn", "listen"},   /* a letter less */
	    {"lissten", "listen"}, /* a letter more */
	    {"lixten", "listen"},  /* another letter */
	    {"litsen", "listen"},  /* two swapped */
	    {"thraeds", "threads"},
	    {"back-threads", "back_threads"},
	    {"max_waiter", "max_waiters"},
	    {"limit", "limits"},
	    {"conf", "config"}, /* the beginning of a word */
	    {"lgo", "log"},
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++)
		cr_expect_str_eq(best_for(cases[i].word), cases[i].best, "%s: %s", cases[i].word,
				 best_for(cases[i].word));
}

Test(suggest, nothing_is_offered_for_what_is_far)
{
	static const char *const words[] = {
	    "", "x", "purple", "certificate",
	    "a_word_that_is_longer_than_every_name_that_an_option_can_have"};

	for (size_t i = 0; i < N_ELEMENTS(words); i++)
		cr_expect_str_eq(best_for(words[i]), "(none)", "%s: %s", words[i],
				 best_for(words[i]));
}
