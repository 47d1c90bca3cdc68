/* SPDX-License-Identifier: ISC */
/*
 * Faults of syntax: each is said once, the statement that has it becomes blank, and reading goes on
 * where another one must begin, so that one fault hides no other.
 */
#ifndef OCSPRELAY_CTL_CONFIG_FAULT_H
#define OCSPRELAY_CTL_CONFIG_FAULT_H

#include "ctl/config_scan.h"

struct config_reader;

/* A string or comment begins with this token and does not end; nor does the fault. */
void config_fault_open(struct config_reader *reader, const struct config_token *token);

/* Says what is missing in front of the next token, and of what name. */
void config_fault_missing(struct config_reader *reader, const char *what, const char *name);

/* Says that the next token cannot stand here. */
void config_fault_unexpected(struct config_reader *reader);

/*
 * Blanks the statement of this section that began at start (in the text), and what follows up to
 * the first word of a line that must begin another one, or to the end of the section. So many
 * braces of the statement are open.
 */
void config_fault_skip(struct config_reader *reader, const struct option_section *section,
		       size_t start, unsigned depth);

/* Looks ahead: whether what comes must begin a statement of this section; while braces are open,
 * only of an option that is known. */
bool config_fault_is_over(const struct config_scan *scan, const struct option_section *section,
			  unsigned depth);

#endif
