/* SPDX-License-Identifier: ISC */
/* The calendar: a ring of days, so to speak, each a second long. */
#include "state/due.h"

#include <pthread.h>
#include <stdlib.h>

struct day {
	struct due_item *items;
	uint32_t n, cap;
};

struct due {
	pthread_mutex_t mutex; /* for all below */
	int64_t today;	       /* the earliest day that may have something */
	size_t n;
	struct day days[DUE_HORIZON]; /* of a time: its remainder */
};

struct due *due_new(int64_t now)
{
	struct due *due = calloc(1, sizeof(*due));

	if (due == NULL)
		return NULL;
	due->today = now;
	if (pthread_mutex_init(&due->mutex, NULL) != 0) {
		free(due);
		return NULL;
	}
	return due;
}

void due_free(struct due *due)
{
	if (due == NULL)
		return;
	for (size_t i = 0; i < DUE_HORIZON; i++)
		free(due->days[i].items);
	pthread_mutex_destroy(&due->mutex);
	free(due);
}

static struct day *day_of(struct due *due, int64_t at)
{
	return &due->days[(uint64_t)at % DUE_HORIZON];
}

static bool grow(struct day *day)
{
	uint32_t cap = day->cap + day->cap / 2 + 4;
	struct due_item *items = realloc(day->items, cap * sizeof(*items));

	if (items == NULL)
		return false;
	day->items = items;
	day->cap = cap;
	return true;
}

void due_add(struct due *due, struct due_item item, int64_t at)
{
	struct day *day;

	pthread_mutex_lock(&due->mutex);
	if (at < due->today)
		at = due->today;
	if (at - due->today >= DUE_HORIZON)
		at = due->today + DUE_HORIZON - 1;
	day = day_of(due, at);
	if (day->n < day->cap || grow(day)) {
		day->items[day->n++] = item;
		due->n++;
	}
	pthread_mutex_unlock(&due->mutex);
}

/* A day that is over gives its memory back: the next one of its number is hours away. */
static void end_day(struct due *due)
{
	struct day *day = day_of(due, due->today++);

	free(day->items);
	*day = (struct day){.n = 0};
}

size_t due_take(struct due *due, int64_t now, struct due_item *out, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&due->mutex);
	if (due->n == 0 && now > due->today)
		due->today = now;
	while (due->today <= now && n < max) {
		struct day *day = day_of(due, due->today);

		while (day->n > 0 && n < max)
			out[n++] = day->items[--day->n];
		if (day->n > 0 || due->today == now)
			break;
		end_day(due);
	}
	due->n -= n;
	pthread_mutex_unlock(&due->mutex);
	return n;
}

size_t due_count(struct due *due)
{
	size_t n;

	pthread_mutex_lock(&due->mutex);
	n = due->n;
	pthread_mutex_unlock(&due->mutex);
	return n;
}
