/* SPDX-License-Identifier: ISC */
/* ocsprelay reload: as SIGHUP, and says what came of it. */
#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "ctl/commands.h"
#include "ctl/remote.h"

struct reload_args {
	struct remote_args remote;
};

static void print_items(const json_t *told, const char *name, const char *what)
{
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(told, name), i, item)
	    printf("%s: %s\n", what, json_string_value(item));
}

static void print(const json_t *told)
{
	print_items(told, "messages", "note");
	print_items(told, "changed", "option changed");
	print_items(told, "added", "issuer added");
	print_items(told, "removed", "issuer removed");
	printf("reloaded, %" PRId64 " issuers\n", remote_number(told, "issuers"));
}

int cmd_reload(int argc, char **argv)
{
	static const struct args_row rows[] = {REMOTE_ROWS(reload_args)};
	static const struct args_spec spec = {"reload", rows, N_ELEMENTS(rows)};
	struct reload_args args = {.remote = REMOTE_ARGS};
	struct remote remote;
	json_t *told = NULL;
	int status = args_read(&spec, argc, argv, &args);

	if (status != ARGS_GO)
		return status;
	status = remote_open("reload", &args.remote, &remote);
	if (status == ARGS_GO)
		status = remote_object(&remote, "/api/v1/reload", "application/json",
				       slice_text("{}"), &told);
	if (status == ARGS_GO) {
		if (!remote.json)
			print(told);
		status = EXIT_OK;
	}
	json_decref(told);
	remote_close(&remote);
	return status;
}
