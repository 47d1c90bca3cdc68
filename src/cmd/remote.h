/* SPDX-License-Identifier: ISC */
/*
 * The running relay, as commands speak to it: where its admin listener is, by which token, and what
 * becomes of its answers. What goes wrong is said here.
 */
#ifndef OCSPRELAY_CMD_REMOTE_H
#define OCSPRELAY_CMD_REMOTE_H

#include <jansson.h>

#include "base/buf.h"
#include "cmd/args.h"
#include "ctl/config.h"
#include "io/admin_client.h"

struct remote_args { /* member "remote" of a command's own */
	const char *config, *admin, *token_file;
	bool json;
	char *said; /* REMOTE_SAID octets, for what would be said; NULL: on standard error */
};

#define REMOTE_SAID 512

#define REMOTE_ARGS                           \
	{                                     \
		.config = CONFIG_DEFAULT_PATH \
	}
#define REMOTE_ROWS(type)                                                           \
	{"config", 'c', ARGS_TEXT, offsetof(struct type, remote.config)},           \
	    {"admin", 0, ARGS_TEXT, offsetof(struct type, remote.admin)},           \
	    {"token-file", 0, ARGS_TEXT, offsetof(struct type, remote.token_file)}, \
	{                                                                           \
		"json", 0, ARGS_FLAG, offsetof(struct type, remote.json)            \
	}

struct remote {
	const char *command;
	bool json;
	char *said;
	char *address;	  /* of its admin listener */
	char *token_file; /* NULL: none is named */
	int token_errno;  /* why it could not be read; 0: it was */
	struct admin_client *client;
};

/* ARGS_GO, or EXIT_USAGE when it has been said what is wrong with them. */
MUST_CHECK int remote_check(const char *command, const struct remote_args *args);

/* ARGS_GO; or the exit status, when it has been said why. To be closed in either case. Checks args
 * itself. */
MUST_CHECK int remote_open(const char *command, const struct remote_args *args, struct remote *out);
void remote_close(struct remote *remote);

/* Prints "ocsprelay COMMAND: TEXT" on standard error; or writes TEXT where the arguments say. */
void remote_say(const struct remote *remote, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A call whose answer goes to part, which is only called with what was asked for (200). ARGS_GO or
 * the exit status, when it has been said why. */
typedef bool remote_part_fn(void *arg, struct slice octets);
MUST_CHECK int remote_stream(struct remote *remote, const struct admin_call *call,
			     remote_part_fn *part, void *arg);

/* The same, whose answer is lines of JSON: each that can be read, and its text. */
typedef void remote_line_fn(void *arg, const json_t *told, struct slice line);
MUST_CHECK int remote_lines(struct remote *remote, const struct admin_call *call,
			    remote_line_fn *fn, void *arg);

/* The same, whose answer is one JSON object: with --json it is printed as it is, and *out is what
 * it says; to be freed with json_decref. type NULL: GET. */
MUST_CHECK int remote_object(struct remote *remote, const char *path, const char *type,
			     struct slice body, json_t **out);

/* A whole command that takes no options but those above: makes one such call and prints what was
 * answered. Its exit status. */
struct remote_command {
	const char *name, *path;
	const char *type, *body; /* NULL: GET */
	void (*print)(const json_t *told);
};
int remote_command(const struct remote_command *command, int argc, char **argv);

/* {"issuer":...,"serial":...,"all":true}, of what is given. */
void remote_selection(const char *issuer, const char *serial, bool all, struct buf *out);

/* Members of what was answered; "" and 0 for those that are not there. */
const char *remote_text(const json_t *object, const char *name);
int64_t remote_number(const json_t *object, const char *name);

#endif
