/* SPDX-License-Identifier: ISC */
/* The statements of one file of the configuration, on their way into the text for libConfuse. */
#ifndef OCSPRELAY_CTL_CONFIG_STATEMENTS_H
#define OCSPRELAY_CTL_CONFIG_STATEMENTS_H

#include "ctl/config_scan.h"

struct config_reader {
	struct config_scan scan;
	const struct config_chain *chain; /* of the caller's */
	unsigned n_open;		  /* sections that were begun in this file */
	/* Puts in the files that match pattern; called when the include has been taken. */
	void (*include)(struct config_reader *reader, const struct option_section *section,
			const char *pattern);
};

/* Reads statements of a section up to the end of the file, or to a } that is not taken, or to where
 * the text is cut; inside a section of the file also up to the next one, where a } is missing. */
void config_statements_read(struct config_reader *reader, const struct option_section *section);

#endif
