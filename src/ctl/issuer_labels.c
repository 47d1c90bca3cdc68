/* SPDX-License-Identifier: ISC */
/* Labels: first what each would like to be called, then what has to be added. */
#include "ctl/issuer_labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ctl/certificate.h"

#define SHORT_ID_LEN 4

void issuer_origins_free(struct issuer_origin *origins, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(origins[i].path);
	free(origins);
}

/* Takes label. */
static err_t set(struct issuer *issuer, char *label)
{
	if (!label)
		return ERR_NO_MEMORY;
	free(issuer->label);
	issuer->label = label;
	return OK;
}

static char *id_label(const struct issuer *issuer, const char *before, const char *behind)
{
	char id[2 * SHORT_ID_LEN + 1] = "";
	char *label;

	hex_encode(id, slice_of(issuer->id, SHORT_ID_LEN));
	return asprintf(&label, "%s%s%s", before, id, behind) < 0 ? NULL : label;
}

static char *wanted_label(const struct issuer_origin *origin)
{
	char *label;

	if (!origin->section) {
		label = certificate_label(origin->issuer->certs[0]);
		return label ? label : id_label(origin->issuer, "", "");
	}
	if (origin->number == 1)
		return strdup(origin->section->name);
	return asprintf(&label, "%s (%u)", origin->section->name, origin->number) < 0 ? NULL
										      : label;
}

static int by_label(const void *a, const void *b)
{
	const struct issuer_origin *const *left = a, *const *right = b;

	return strcmp((*left)->issuer->label, (*right)->issuer->label);
}

/* Those of sorted[0 .. n) have one label: all but a section's add their id to it. */
static err_t tell_apart(const struct issuer_origin *const *sorted, size_t n)
{
	err_t err = OK;

	for (size_t i = 0; n > 1 && i < n && !err; i++) {
		struct issuer *issuer = sorted[i]->issuer;
		char before[512];

		if (sorted[i]->section)
			continue;
		snprintf(before, sizeof(before), "%s (", issuer->label);
		err = set(issuer, id_label(issuer, before, ")"));
	}
	return err;
}

err_t issuer_labels_set(const struct issuer_origin *origins, size_t n)
{
	const struct issuer_origin **sorted = calloc(n + 1, sizeof(*sorted));
	err_t err = sorted ? OK : ERR_NO_MEMORY;
	size_t end;

	for (size_t i = 0; i < n && !err; i++) {
		err = set(origins[i].issuer, wanted_label(&origins[i]));
		sorted[i] = &origins[i];
	}
	if (!err && n > 1)
		qsort(sorted, n, sizeof(*sorted), by_label);
	for (size_t start = 0; start < n && !err; start = end) {
		for (end = start + 1; end < n && by_label(&sorted[start], &sorted[end]) == 0; end++)
			continue;
		err = tell_apart(sorted + start, end - start);
	}
	free(sorted);
	return err;
}
