/* SPDX-License-Identifier: ISC */
/*
 * The table of folds. Few different events repeat at a time, so a search through all slots is fine.
 * When more repeat than there are slots, the one whose minute began first makes room: then more is
 * written than needed, nothing is lost.
 */
#include "ctl/log_fold.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

const char *const log_fold_fields[FOLD_FIELDS] = {"reason", "responder", "issuer",
						  "what",   "store",	 "for"};

/* Events that are written each time: they follow from what the operator did, or are asked for. */
static const bool is_never_folded[N_EVENTS] = {
    [EVENT_START] = true,
    [EVENT_READY] = true,
    [EVENT_DRAIN] = true,
    [EVENT_STOP] = true,
    [EVENT_CONFIG] = true,
    [EVENT_ISSUER] = true,
    [EVENT_CERTIFICATE_SKIPPED] = true,
    [EVENT_LISTEN] = true,
    [EVENT_LISTEN_FAILED] = true,
    [EVENT_RELOAD] = true,
    [EVENT_RELOAD_FAILED] = true,
    [EVENT_REHEARSAL_BEGUN] = true,
    [EVENT_REHEARSAL_ENDED] = true,
    [EVENT_ADMIN] = true,
    [EVENT_STATUS_CHANGED] = true,
    [EVENT_ACCESS] = true,
};

/* Said by every answer alike. */
static bool is_habit(enum log_event event)
{
	return event == EVENT_RESPONSE_ODD;
}

/* So many are written before folding begins. */
static uint64_t after_of(enum log_event event)
{
	return is_habit(event) ? 1 : FOLD_AFTER;
}

bool log_fold_applies(enum log_event event)
{
	return !is_never_folded[event];
}

static struct slice field_named(const struct log_field *fields, const char *name)
{
	for (; fields->name; fields++) {
		if (fields->type == LOG_FIELD_TEXT && strcmp(fields->name, name) == 0)
			return fields->bytes;
	}
	return slice_of(NULL, 0);
}

/* The key need not be secret: values of these fields come from the configuration. */
uint64_t log_fold_id(enum log_event event, const struct log_field *fields)
{
	uint64_t id = (uint64_t)event + 1;

	for (size_t i = 0; i < FOLD_FIELDS; i++) {
		struct slice value = field_named(fields, log_fold_fields[i]);

		id = hash_bytes(&(struct hash_key){id, i}, value.p, value.len);
	}
	return id ? id : 1;
}

/* What has to be told of a fold. */
static void report(const struct log_fold *fold, struct log_fold *out)
{
	*out = *fold;
	out->n = fold->n > after_of(fold->event) ? fold->n - after_of(fold->event) : 0;
}

static bool is_over(const struct log_fold *fold, int64_t ms_now)
{
	return ms_now - (is_habit(fold->event) ? FOLD_HABIT_MS : FOLD_MS) >= fold->ms_start;
}

/* The slot of this id, or else the one that makes room for it: free, or the oldest. */
static struct log_fold *slot_for(struct log_folds *folds, uint64_t id)
{
	struct log_fold *oldest = &folds->slots[0];

	for (size_t i = 0; i < FOLD_SLOTS; i++) {
		struct log_fold *slot = &folds->slots[i];

		if (slot->id == id)
			return slot;
		if (oldest->id != 0 && (slot->id == 0 || slot->ms_start < oldest->ms_start))
			oldest = slot;
	}
	return oldest;
}

bool log_fold_admits(struct log_folds *folds, enum log_event event, const struct log_field *fields,
		     int64_t ms_now, struct log_fold *out_due)
{
	uint64_t id = log_fold_id(event, fields);
	struct log_fold *slot = slot_for(folds, id);

	out_due->n = 0;
	if (slot->id != id || is_over(slot, ms_now)) {
		report(slot, out_due);
		*slot = (struct log_fold){.id = id, .event = event, .ms_start = ms_now};
		for (size_t i = 0; i < FOLD_FIELDS; i++) {
			struct slice value = field_named(fields, log_fold_fields[i]);

			snprintf(slot->values[i], sizeof(slot->values[i]), "%.*s", (int)value.len,
				 value.p ? (const char *)value.p : "");
		}
	}
	slot->n++;
	return slot->n <= after_of(event);
}

bool log_fold_due(struct log_folds *folds, int64_t ms_now, struct log_fold *out)
{
	for (size_t i = 0; i < FOLD_SLOTS; i++) {
		struct log_fold *slot = &folds->slots[i];

		if (slot->id == 0 || !is_over(slot, ms_now))
			continue;
		report(slot, out);
		slot->id = 0;
		if (out->n > 0)
			return true;
	}
	return false;
}
