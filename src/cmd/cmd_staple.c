/* SPDX-License-Identifier: ISC */
/* ocsprelay staple: keeps the files from which servers staple (cmd/stapler.h). */
#include <string.h>
#include <sys/stat.h>

#include "cmd/commands.h"
#include "cmd/stapler.h"
#include "core/upstream_url.h"
#include "ctl/hook.h"

static int check(const struct stapler_args *args)
{
	const char *doubt = args->hook && !args->shell ? hook_doubt(args->hook) : NULL;
	struct stat found;

	if (args->certs.n == 0)
		return args_usage("staple", "which certificates? files or directories");
	if (args->relay.url != NULL && upstream_url_check(args->relay.url) != OK)
		return args_usage("staple",
				  "--url: http:// or https:// with a host, no user, query "
				  "or fragment");
	if (args->shell && args->hook == NULL)
		return args_usage("staple", "--shell: for which --hook?");
	if (args->hook != NULL && !args->shell && strchr(args->hook, '/') == NULL)
		return args_usage("staple",
				  "--hook: \"%s\" is no path; with --shell it is a line "
				  "for /bin/sh",
				  args->hook);
	if (doubt != NULL)
		return args_usage("staple", "--hook: %s: %s", args->hook, doubt);
	if (args->dir != NULL && (stat(args->dir, &found) != 0 || !S_ISDIR(found.st_mode)))
		return args_usage("staple", "--dir: %s is no directory", args->dir);
	return ARGS_GO;
}

int cmd_staple(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    {"config", 'c', ARGS_TEXT, offsetof(struct stapler_args, relay.config)},
	    {"url", 0, ARGS_TEXT, offsetof(struct stapler_args, relay.url)},
	    {"issuer", 0, ARGS_TEXT, offsetof(struct stapler_args, relay.issuer)},
	    {"dir", 0, ARGS_TEXT, offsetof(struct stapler_args, dir)},
	    {"hook", 0, ARGS_TEXT, offsetof(struct stapler_args, hook)},
	    {"shell", 0, ARGS_FLAG, offsetof(struct stapler_args, shell)},
	    {"follow", 0, ARGS_FLAG, offsetof(struct stapler_args, follow)},
	    {"timeout", 0, ARGS_SECONDS, offsetof(struct stapler_args, timeout)},
	    {"json", 0, ARGS_FLAG, offsetof(struct stapler_args, json)},
	    {"CERT.pem", 0, ARGS_OPERANDS, offsetof(struct stapler_args, certs)},
	};
	static const struct args_spec spec = {"staple", rows, N_ELEMENTS(rows)};
	struct stapler_args args = {.timeout = 10};
	int status = args_read(&spec, argc, argv, &args);

	if (status == ARGS_GO)
		status = check(&args);
	if (status == ARGS_GO)
		status = stapler_run(&args);
	args_texts_fini(&args.certs);
	return status;
}
