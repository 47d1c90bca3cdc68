/* SPDX-License-Identifier: ISC */
/* From configuration to listener, from HTTP status to exit status. */
#include "cmd/remote.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "ctl/json_member.h"
#include "ctl/secret.h"
#include "io/sockets.h"
#include "io/upstream.h"

#define MAX_MESSAGES 1048576
#define MAX_ANSWER   ((size_t)1 << 30)
#define MAX_ERROR    65536
#define MAX_LINE     65536

void remote_say(const struct remote *remote, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (remote->said != NULL) {
		vsnprintf(remote->said, REMOTE_SAID, fmt, args);
	} else {
		fprintf(stderr, "ocsprelay %s: ", remote->command);
		vfprintf(stderr, fmt, args);
		fputc('\n', stderr);
	}
	va_end(args);
}

/* Without one that can be read the relay says whether it is needed. */
static int connect_to(struct remote *remote, const char *address, const char *token_file)
{
	char *token = NULL;

	if (token_file && *token_file) {
		errno = 0;
		token = secret_of_file(token_file);
		remote->token_errno = token ? 0 : errno;
		remote->token_file = strdup(token_file);
	}
	remote->client = admin_client_new(address, token);
	free(token);
	remote->address = strdup(address);
	if (remote->client != NULL && remote->address != NULL)
		return ARGS_GO;
	remote_say(remote, "the HTTP client cannot be set up");
	return EXIT_NO_ANSWER;
}

static int open_configured(struct remote *remote, const struct remote_args *args)
{
	struct settings *settings = NULL;
	struct buf messages;
	int status = EXIT_CONFIG;

	buf_init(&messages, MAX_MESSAGES);
	if (config_load(args->config, &settings, &messages) != OK) {
		fwrite(messages.p, 1, messages.len, stderr);
	} else if (settings->top.admin[0] == '\0') {
		remote_say(remote, "%s: admin = \"\": the relay cannot be asked", args->config);
	} else {
		status = connect_to(remote, settings->top.admin,
				    args->token_file ? args->token_file
						     : settings->top.admin_token_file);
	}
	buf_fini(&messages);
	settings_free(settings);
	return status;
}

int remote_check(const char *command, const struct remote_args *args)
{
	if (args->admin != NULL &&
	    (sockets_check(args->admin) != OK || strcmp(args->admin, "systemd") == 0))
		return args_usage(command, "--admin: host:port or unix:/path");
	return ARGS_GO;
}

int remote_open(const char *command, const struct remote_args *args, struct remote *out)
{
	int status = remote_check(command, args);

	*out = (struct remote){.command = command, .json = args->json, .said = args->said};
	if (status != ARGS_GO)
		return status;
	if (upstream_global_init() != OK)
		return EXIT_NO_ANSWER;
	return args->admin ? connect_to(out, args->admin, args->token_file)
			   : open_configured(out, args);
}

void remote_close(struct remote *remote)
{
	admin_client_free(remote->client);
	free(remote->address);
	free(remote->token_file);
	upstream_global_fini();
}

/* --- calls ------------------------------------------------------------------------------------ */

struct call {
	remote_part_fn *part;
	void *arg;
	struct buf error;
};

static bool on_part(void *arg, unsigned status, struct slice octets)
{
	struct call *call = arg;

	if (status == 200)
		return call->part(call->arg, octets);
	return buf_append(&call->error, octets.p, octets.len) == OK;
}

static void say_lines(const json_t *messages)
{
	size_t i;
	json_t *line;

	json_array_foreach(messages, i, line) fprintf(stderr, "%s\n", json_string_value(line));
}

/* What the relay says to who has no token, and what has become of ours. */
static void say_forbidden(struct remote *remote, const char *text)
{
	if (remote->token_file == NULL)
		remote_say(remote, "%s: --token-file FILE, or -c with its configuration", text);
	else if (remote->token_errno != 0)
		remote_say(remote, "%s: %s: %s", text, remote->token_file,
			   strerror(remote->token_errno));
	else
		remote_say(remote, "%s: the one in %s is refused", text, remote->token_file);
}

/* Every text in it, for it goes to terminals, and who answers may be somebody else. */
static void make_plain(json_t *value)
{
	char *text = json_is_string(value) ? strdup(json_string_value(value)) : NULL;
	const char *name;
	json_t *member;
	size_t i;

	if (text != NULL) {
		text_make_plain(text);
		(void)json_string_set(value, text);
		free(text);
	}
	json_object_foreach(value, name, member) make_plain(member);
	json_array_foreach(value, i, member) make_plain(member);
}

/* NULL: it is none. */
static json_t *read_json(struct slice text)
{
	json_t *root = json_loadb((const char *)text.p, text.len, 0, NULL);

	make_plain(root);
	return root;
}

/* What the relay says to what it does not do. Without a word of why it is no relay that speaks. */
static int refused(struct remote *remote, const char *path, unsigned status,
		   const struct buf *error)
{
	static const struct {
		unsigned status;
		int exit;
	} exits[] = {{400, EXIT_USAGE}, {422, EXIT_CONFIG}};
	json_t *root = read_json(buf_slice(error));
	const char *text = remote_text(root, "error");
	int exit = EXIT_NO_ANSWER;

	if (status == 422 && remote->json)
		fwrite(error->p, 1, error->len, stdout);
	say_lines(json_object_get(root, "messages"));
	if (status == 404)
		remote_say(remote,
			   "the relay has no %.*s: it is of another version, or that is not its "
			   "admin listener",
			   (int)strcspn(path, "?"), path);
	else if (*text == '\0')
		remote_say(remote, "HTTP status %u from %s: is that its admin listener?", status,
			   remote->address);
	else if (status == 403)
		say_forbidden(remote, text);
	else
		remote_say(remote, "%s", text);
	for (size_t i = 0; i < N_ELEMENTS(exits); i++) {
		if (exits[i].status == status && root != NULL)
			exit = exits[i].exit;
	}
	json_decref(root);
	return exit;
}

int remote_stream(struct remote *remote, const struct admin_call *call, remote_part_fn *part,
		  void *arg)
{
	struct call own = {.part = part, .arg = arg};
	struct admin_call copy = *call;
	int exit = ARGS_GO;
	const char *detail;
	unsigned status;
	err_t err;

	copy.part = on_part;
	copy.arg = &own;
	buf_init(&own.error, MAX_ERROR);
	err = admin_client_call(remote->client, &copy, &status, &detail);
	if (err != OK) {
		exit = EXIT_NO_ANSWER;
		remote_say(remote, "%s %s%s%s",
			   err == ERR_UP_UNREACHABLE ? "the relay cannot be reached at"
						     : "the answer was cut short of the relay at",
			   remote->address, *detail ? ": " : "", detail);
	} else if (status != 200) {
		exit = refused(remote, call->path, status, &own.error);
	}
	buf_fini(&own.error);
	return exit;
}

struct lines {
	remote_line_fn *fn;
	void *arg;
	struct buf line; /* so much of it as is here */
};

static void end_line(struct lines *lines)
{
	json_t *told = read_json(buf_slice(&lines->line));

	if (told != NULL)
		lines->fn(lines->arg, told, buf_slice(&lines->line));
	json_decref(told);
	buf_reset(&lines->line);
}

static bool on_lines(void *arg, struct slice octets)
{
	struct lines *lines = arg;
	const uint8_t *end;

	while (octets.len > 0 && (end = memchr(octets.p, '\n', octets.len)) != NULL) {
		size_t len = (size_t)(end - octets.p);

		if (buf_append(&lines->line, octets.p, len) != OK)
			return false;
		end_line(lines);
		octets = slice_skip(octets, len + 1);
	}
	return buf_append(&lines->line, octets.p, octets.len) == OK;
}

int remote_lines(struct remote *remote, const struct admin_call *call, remote_line_fn *fn,
		 void *arg)
{
	struct lines lines = {.fn = fn, .arg = arg};
	int status;

	buf_init(&lines.line, MAX_LINE);
	status = remote_stream(remote, call, on_lines, &lines);
	buf_fini(&lines.line);
	return status;
}

static bool on_object(void *arg, struct slice octets)
{
	return buf_append(arg, octets.p, octets.len) == OK;
}

int remote_object(struct remote *remote, const char *path, const char *type, struct slice body,
		  json_t **out)
{
	const struct admin_call call = {.path = path, .type = type, .body = body};
	struct buf answer;
	json_t *root = NULL;
	int status;

	buf_init(&answer, MAX_ANSWER);
	status = remote_stream(remote, &call, on_object, &answer);
	if (status == ARGS_GO) {
		root = read_json(buf_slice(&answer));
		if (!json_is_object(root)) {
			remote_say(remote, "the relay's answer cannot be read");
			json_decref(root);
			status = EXIT_NO_ANSWER;
		} else {
			if (remote->json)
				fwrite(answer.p, 1, answer.len, stdout);
			*out = root;
		}
	}
	buf_fini(&answer);
	return status;
}

void remote_selection(const char *issuer, const char *serial, bool all, struct buf *out)
{
	const char *const members[][2] = {{"issuer", issuer}, {"serial", serial}};
	const char *comma = "";

	buf_text(out, "{");
	for (size_t i = 0; i < N_ELEMENTS(members); i++) {
		if (members[i][1] == NULL)
			continue;
		buf_text(out, comma);
		json_member_text(out, members[i][0], members[i][1]);
		comma = ",";
	}
	if (all)
		buf_printf(out, "%s\"all\":true", comma);
	buf_text(out, "}");
}

const char *remote_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

int64_t remote_number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

struct command_args {
	struct remote_args remote;
};

int remote_command(const struct remote_command *command, int argc, char **argv)
{
	static const struct args_row rows[] = {REMOTE_ROWS(command_args)};
	const struct args_spec spec = {command->name, rows, N_ELEMENTS(rows)};
	struct command_args args = {.remote = REMOTE_ARGS};
	struct remote remote;
	json_t *told = NULL;
	int status = args_read(&spec, argc, argv, &args);

	if (status != ARGS_GO)
		return status;
	status = remote_open(command->name, &args.remote, &remote);
	if (status == ARGS_GO)
		status = remote_object(&remote, command->path, command->type,
				       slice_text(command->body), &told);
	if (status == ARGS_GO) {
		if (!remote.json)
			command->print(told);
		status = EXIT_OK;
	}
	json_decref(told);
	remote_close(&remote);
	return status;
}
