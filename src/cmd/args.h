/* SPDX-License-Identifier: ISC */
/*
 * The arguments of a subcommand, by rows: each names an option (or an operand) and the member of
 * the command's own struct that takes its value. --help and --version are options of every
 * command; their text is the command's row of tbl/commands.h.
 *
 *	struct query_args { const char *url, *cert; bool nonce; uint64_t timeout; };
 *	static const struct args_row rows[] = {
 *	    {"url", 0, ARGS_TEXT, offsetof(struct query_args, url)},
 *	    {"nonce", 0, ARGS_FLAG, offsetof(struct query_args, nonce)},
 *	    {"timeout", 0, ARGS_SECONDS, offsetof(struct query_args, timeout)},
 *	    {"CERT.pem", 0, ARGS_OPERAND, offsetof(struct query_args, cert)},
 *	};
 *	static const struct args_spec spec = {"query", rows, N_ELEMENTS(rows)};
 *	struct query_args args = {.timeout = 10};
 *	int status = args_read(&spec, argc, argv, &args);
 *
 *	if (status != ARGS_GO)
 *		return status;
 */
#ifndef OCSPRELAY_CMD_ARGS_H
#define OCSPRELAY_CMD_ARGS_H

#include "types.h"

enum args_type {
	ARGS_FLAG,    /* bool, true when given */
	ARGS_TEXT,    /* const char *, borrowed from argv; untouched when not given */
	ARGS_NUMBER,  /* uint64_t, decimal, at most 2^31 - 1; untouched when not given */
	ARGS_SECONDS, /* the same, for how long to wait: 1 to 3600 */
	ARGS_TEXTS,   /* struct args_texts: each value of an option that may be given again */
	ARGS_OPERAND, /* const char *: what stands without an option, in the order of the rows;
			 needed */
	ARGS_OPERANDS /* struct args_texts: all the rest of that, or none; the last row */
};

struct args_texts { /* borrowed from argv, the array is owned; {0} before args_read */
	const char **items;
	size_t n;
};

/* Also when args_read has refused. */
void args_texts_fini(struct args_texts *texts);

struct args_row {
	const char *name; /* without dashes; of an operand: as in the usage line */
	char letter;	  /* short form, or 0 */
	enum args_type type;
	size_t offset; /* of the member */
};

struct args_spec {
	const char *command; /* a row of tbl/commands.h */
	const struct args_row *rows;
	size_t n_rows; /* at most 30 */
};

#define ARGS_GO (-1)

/*
 * Fills the struct at out. ARGS_GO; or the exit status to return at once: EXIT_OK after --help or
 * --version (printed on standard output), EXIT_USAGE after one line on standard error. Any other
 * option that is given twice counts with its last value. Main thread only.
 */
MUST_CHECK int args_read(const struct args_spec *spec, int argc, char **argv, void *out);

/* Prints "ocsprelay COMMAND: TEXT (see ...)" on standard error; returns EXIT_USAGE. command NULL:
 * the program itself. */
int args_usage(const char *command, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The lines that --help and --version print; command NULL: of the program, with all commands. */
void args_print_help(const char *command);
void args_print_version(void);

#endif
