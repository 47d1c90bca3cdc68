/* SPDX-License-Identifier: ISC */
/*
 * Edit distance where inserting, deleting, replacing a letter and swapping two neighbours cost one
 * each (optimal string alignment). A candidate is close when no more than a third of the word is
 * wrong; that a word is the start of the candidate ("conf" for "config") counts as close as well.
 */
#include "ctl/suggest.h"

#include <string.h>

#define MAX_WORD 48 /* longer than any name that we have */
#define TOO_FAR	 (MAX_WORD + 1)

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][MAX_WORD + 1]; /* of i - 2, i - 1, i, in turn */

	for (unsigned j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a_len; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *above = rows[(i - 1) % 3];
		const unsigned *above_that = rows[(i + 1) % 3];

		row[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			row[j] = least(above[j], row[j - 1]) + 1;
			row[j] = least(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], above_that[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

void suggestion_try(struct suggestion *suggestion, const char *candidate)
{
	size_t len = strlen(suggestion->word), candidate_len = strlen(candidate);
	unsigned d;

	if (len == 0 || len > MAX_WORD || candidate_len > MAX_WORD)
		return;
	d = distance(suggestion->word, len, candidate, candidate_len);
	if (d > (len + 2) / 3) {
		if (len < 3 || strncmp(candidate, suggestion->word, len) != 0)
			return;
		d = TOO_FAR;
	}
	if (!suggestion->best || d < suggestion->distance) {
		suggestion->best = candidate;
		suggestion->distance = d;
	}
}
