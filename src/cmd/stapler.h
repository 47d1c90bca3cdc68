/* SPDX-License-Identifier: ISC */
/*
 * Who keeps the files from which servers staple. Goes in rounds: look which certificates there
 * are, ask the relay about those whose staples are due, change files, run the hook. One round; or,
 * as a service, one whenever something is due or a certificate has changed.
 */
#ifndef OCSPRELAY_CMD_STAPLER_H
#define OCSPRELAY_CMD_STAPLER_H

#include "cmd/staple_relay.h"
#include "cmd/staples.h"

struct stapler_args {
	struct staple_relay_args relay;
	const char *dir;  /* of all staples; NULL: each beside its certificate */
	const char *hook; /* NULL: none */
	bool shell, follow, json;
	uint64_t timeout; /* seconds for each answer */
	struct args_texts certs;
};

/* All rounds; its exit status, when it has been said what went wrong. args are borrowed. Main
 * thread only: it has the signals, and a loop of its own. */
int stapler_run(const struct stapler_args *args);

#endif
