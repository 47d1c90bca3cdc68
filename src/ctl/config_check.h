/* SPDX-License-Identifier: ISC */
/* What a value has to be beyond its type, and which values do not go together. */
#ifndef OCSPRELAY_CTL_CONFIG_CHECK_H
#define OCSPRELAY_CTL_CONFIG_CHECK_H

#include "ctl/config_report.h"
#include "settings.h"

/* One word of the option of this name: NULL, or what is allowed instead. */
const char *config_check_word(const char *option, const char *word);

/* A reason to think twice about a word that is allowed, or NULL. */
const char *config_doubt_word(const char *option, const char *word);

/* A reason to think twice about the empty list, or NULL. */
const char *config_doubt_empty(const char *option);

/* True for lists in which a word must not stand twice. */
bool config_is_unique(const char *option);

struct config_places {	       /* lines of the text */
	size_t defaults;       /* where that section begins; 0: there is none */
	size_t redis;	       /* the same */
	const size_t *issuers; /* where each issuer section begins */
};

/* The settings as a whole. */
void config_check_settings(const struct settings *settings, const struct config_places *places,
			   struct config_report *report);

#endif
