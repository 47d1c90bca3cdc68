/* SPDX-License-Identifier: ISC */
/* What the running relay says about the certificate. That it cannot be asked is no fault here. */
#include "cmd/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "core/dates.h"

/* What clients are served until it ends: what memory has, or else what a store does. */
static void find_held(struct explain *explain, const json_t *told)
{
	size_t i;
	json_t *tier;

	json_array_foreach(json_object_get(told, "tiers"), i, tier)
	{
		int64_t end;

		if (explain->held == NULL && json_is_true(json_object_get(tier, "held")) &&
		    date_from_iso(slice_text(remote_text(tier, "expires_at")), &end) == OK &&
		    end > explain->now)
			explain->held = tier;
	}
}

/* Whether both lists name the same responders in the same order. */
static bool has_same_responders(const struct issuer *issuer, const json_t *responders)
{
	size_t i;
	json_t *one;

	if (json_array_size(responders) != issuer->n_responders)
		return false;
	json_array_foreach(responders, i, one)
	{
		if (strcmp(remote_text(one, "url"), issuer->responders[i].url) != 0)
			return false;
	}
	return true;
}

/* The relay may have been started, or have read its files, before they became what they are. */
static void compare(struct explain *explain, const json_t *told)
{
	const json_t *issuer = json_object_get(told, "issuer");

	if (strcmp(remote_text(told, "version"), PACKAGE_VERSION) != 0)
		explain_find(explain, "the running relay is version %s, this command %s",
			     remote_text(told, "version"), PACKAGE_VERSION);
	if (explain->stranger != NULL)
		return;
	if (!json_is_object(issuer))
		explain_find(explain, "the running relay does not know the issuer: it has another "
				      "configuration, or needs a reload");
	else if (!has_same_responders(explain->issuer, json_object_get(issuer, "responders")))
		explain_find(explain, "the running relay has other responders for the issuer: it "
				      "has another configuration, or needs a reload");
	if (remote_number(issuer, "rehearsal_seconds_left") > 0)
		explain_find(explain, "an outage of the issuer's responders is rehearsed: the "
				      "relay asks none of them");
}

static int ask(struct explain *explain, char said[REMOTE_SAID], json_t **out)
{
	struct remote_args args = explain->args->remote;
	char text[KEY_TEXT_SIZE], path[KEY_TEXT_SIZE + 64];
	struct remote remote;
	int status;

	args.json = false;
	args.said = said;
	if (args.token_file == NULL)
		args.token_file = explain->settings->top.admin_token_file;
	if (args.admin == NULL)
		args.admin = explain->settings->top.admin;
	if (*args.admin == '\0') {
		snprintf(said, REMOTE_SAID, "admin = \"\": the relay cannot be asked");
		return EXIT_NO_ANSWER;
	}
	key_text(text, &explain->key);
	snprintf(path, sizeof(path), "/api/v1/explain?key=%s", text);
	status = remote_open("explain", &args, &remote);
	if (status == ARGS_GO)
		status = remote_object(&remote, path, NULL, (struct slice){.len = 0}, out);
	remote_close(&remote);
	return status;
}

void explain_relay(struct explain *explain)
{
	char said[REMOTE_SAID] = "";
	json_t *told = NULL, *object;

	if (explain->key.serial_len == 0)
		return; /* without an issuer there is nothing to ask for */
	if (ask(explain, said, &told) == ARGS_GO) {
		find_held(explain, told);
		compare(explain, told);
		object = told;
		json_object_set_new(object, "answers", json_true());
	} else {
		object = json_object();
		json_object_set_new(object, "answers", json_false());
		explain_put(object, "why", said[0] != '\0' ? said : "it cannot be asked");
	}
	json_object_set_new(explain->root, "relay", object);
}
