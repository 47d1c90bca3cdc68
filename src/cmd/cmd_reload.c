/* SPDX-License-Identifier: ISC */
/* ocsprelay reload: as SIGHUP, and says what came of it. */
#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "cmd/remote.h"

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
	static const struct remote_command command = {.name = "reload",
						      .path = "/api/v1/reload",
						      .type = "application/json",
						      .body = "{}",
						      .print = print};

	return remote_command(&command, argc, argv);
}
