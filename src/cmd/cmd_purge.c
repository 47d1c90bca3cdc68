/* SPDX-License-Identifier: ISC */
/* ocsprelay purge: has a running relay forget answers, in memory, in its stores and in its fleet.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cmd/commands.h"
#include "cmd/remote.h"

struct purge_args {
	struct remote_args remote;
	const char *issuer, *serial;
	bool all;
};

/* False: one of them failed. */
static bool print_stores(const json_t *stores, bool is_shown)
{
	bool is_good = true;
	size_t i;
	json_t *store;

	json_array_foreach(stores, i, store)
	{
		const json_t *removed = json_object_get(store, "removed");
		bool ok = json_is_true(json_object_get(store, "ok"));

		is_good = is_good && ok;
		if (!is_shown)
			continue;
		printf("%s: ", remote_text(store, "store"));
		if (!ok)
			puts("failed, something may still be there");
		else if (removed != NULL)
			printf("%" PRId64 " removed\n", (int64_t)json_integer_value(removed));
		else
			puts("removed");
	}
	return is_good;
}

static int run(const struct purge_args *args)
{
	struct remote remote;
	struct buf body;
	json_t *told = NULL;
	int status = remote_open("purge", &args->remote, &remote);

	buf_init(&body, 65536);
	remote_selection(args->issuer, args->serial, args->all, &body);
	if (status == ARGS_GO)
		status = remote_object(&remote, "/api/v1/purge", "application/json",
				       buf_slice(&body), &told);
	if (status == ARGS_GO) {
		if (!remote.json)
			printf("memory: %" PRId64 " removed, and %" PRId64 " remembered failures\n",
			       remote_number(told, "entries"), remote_number(told, "failures"));
		status =
		    print_stores(json_object_get(told, "stores"), !remote.json) ? EXIT_OK : EXIT_NO;
	}
	json_decref(told);
	buf_fini(&body);
	remote_close(&remote);
	return status;
}

int cmd_purge(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    REMOTE_ROWS(purge_args),
	    {"issuer", 0, ARGS_TEXT, offsetof(struct purge_args, issuer)},
	    {"serial", 0, ARGS_TEXT, offsetof(struct purge_args, serial)},
	    {"all", 0, ARGS_FLAG, offsetof(struct purge_args, all)},
	};
	static const struct args_spec spec = {"purge", rows, N_ELEMENTS(rows)};
	struct purge_args args = {.remote = REMOTE_ARGS};
	int status = args_read(&spec, argc, argv, &args);

	if (status != ARGS_GO)
		return status;
	if (args.all == (args.issuer != NULL || args.serial != NULL))
		return args_usage("purge", "what? --issuer, --serial or both; or --all");
	return run(&args);
}
