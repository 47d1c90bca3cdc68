/* SPDX-License-Identifier: ISC */
/*
 * Where the syntax of a configuration is broken. What is certain to be a statement again, or the
 * end of a section, depends on no guess about what was meant before: braces that a fault has left
 * open are forgotten as soon as a known option is given a value.
 */
#include "ctl/config_fault.h"

#include "ctl/config_statements.h"

static struct config_report *report_of(const struct config_reader *reader)
{
	return reader->scan.text->report;
}

void config_fault_open(struct config_reader *reader, const struct config_token *token)
{
	config_report_add(report_of(reader), CONFIG_ERROR, 0,
			  "syntax: the %s that begins here does not end",
			  *token->p == '/' ? "comment" : "string");
	reader->scan.text->is_cut = true;
}

bool config_fault_is_over(const struct config_scan *scan, const struct option_section *section,
			  unsigned depth)
{
	struct config_scan ahead = *scan;
	struct config_token token;
	char name[CONFIG_NAME_SIZE];

	ahead.text = NULL;
	token = config_scan_look(&ahead);
	if (!config_token_is_value(&token))
		return false;
	config_token_text(&token, name, sizeof(name));
	if (section == option_sections && name[0] && option_section_named(name))
		return config_scan_is_section(scan);
	config_scan_keep(&ahead, &token);
	token = config_scan_look(&ahead);
	return (config_token_is_mark(&token, '=') || config_token_is_mark(&token, '+')) &&
	       (depth == 0 || option_row_named(section, name) != NULL);
}

void config_fault_missing(struct config_reader *reader, const char *what, const char *name)
{
	struct config_token token = config_scan_look(&reader->scan);

	if (token.type == TOKEN_BROKEN) {
		config_fault_open(reader, &token);
		return;
	}
	config_report_add(report_of(reader), CONFIG_ERROR, 0, "syntax: missing %s '%s'", what,
			  name);
	reader->scan.text->is_broken = true;
}

void config_fault_unexpected(struct config_reader *reader)
{
	struct config_token token = config_scan_look(&reader->scan);
	char text[CONFIG_NAME_SIZE];

	if (token.type == TOKEN_BROKEN) {
		config_fault_open(reader, &token);
		return;
	}
	config_token_text(&token, text, sizeof(text));
	if (token.type == TOKEN_END)
		config_report_add(report_of(reader), CONFIG_ERROR, 0,
				  "syntax: premature end of file");
	else
		config_report_add(report_of(reader), CONFIG_ERROR, 0,
				  "syntax: unexpected token '%s'", text);
	reader->scan.text->is_broken = true;
}

void config_fault_skip(struct config_reader *reader, const struct option_section *section,
		       size_t start, unsigned depth)
{
	struct config_scan *scan = &reader->scan;
	unsigned line = 0;

	config_text_blank(scan->text, start);
	for (;;) {
		struct config_token token = config_scan_look(scan);

		if (token.type == TOKEN_END ||
		    (scan->line > line && config_fault_is_over(scan, section, depth)) ||
		    (config_token_is_mark(&token, '}') && depth == 0 && reader->n_open > 0))
			return;
		if (token.type == TOKEN_BROKEN) {
			config_fault_open(reader, &token);
			return;
		}
		depth += config_token_is_mark(&token, '{');
		depth -= config_token_is_mark(&token, '}') && depth > 0;
		config_scan_blank(scan, &token);
		line = scan->line;
	}
}
