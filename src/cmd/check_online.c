/* SPDX-License-Identifier: ISC */
/*
 * Every responder of every issuer is asked once, as the relay would ask it: about a certificate
 * that is at hand, watched or in issuer_dir, else about a serial number that nobody has. One after
 * the other; each takes no longer than the attempts of a fetch may, and one that cannot be reached
 * is not tried again for the next issuer.
 */
#include "cmd/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/progress.h"
#include "cmd/trial.h"
#include "core/dates.h"
#include "ctl/certificates.h"
#include "ctl/issued.h"
#include "io/entropy.h"
#include "io/files.h"
#include "io/upstream.h"

#define SERIAL_LEN 16

struct subject_key { /* what an issuer's responders are asked about */
	struct cache_key key;
	const char *about; /* NULL: nothing is at hand */
};

static void take_key(struct check *check, struct subject_key *keys, const struct cache_key *key,
		     const char *about)
{
	for (size_t i = 0; i < check->n; i++) {
		if (keys[i].about == NULL &&
		    memcmp(check->origins[i].issuer->id, key->issuer_id, ISSUER_ID_LEN) == 0)
			keys[i] = (struct subject_key){.key = *key, .about = about};
	}
}

static void take_watched(struct check *check, struct subject_key *keys)
{
	const struct watched *watched = issuers_watched(check->issuers);

	for (size_t i = 0; i < watched_count(watched); i++)
		take_key(check, keys, &watched_at(watched, i)->key, "a watched certificate");
}

/* Of one that has expired a responder may rightly know nothing. */
static void take_file(struct check *check, struct subject_key *keys, const char *path)
{
	struct certificates found;

	if (certificates_read(path, &found) != OK)
		return; /* which has been said */
	for (size_t i = 0; i < found.n; i++) {
		struct issuer_validity validity;
		struct cache_key key;

		if (issuer_validity_of(found.items[i], &validity) &&
		    issuer_is_valid_at(&validity, check->now, 0) &&
		    issued_key(check->issuers, found.items[i], &key) == OK &&
		    !issued_is_top(check->issuers, found.items[i], &key))
			take_key(check, keys, &key, "a certificate of issuer_dir");
	}
	certificates_free(&found);
}

static void take_directory(struct check *check, struct subject_key *keys)
{
	static const char *const suffixes[] = {".pem", ".crt", ".cer", ".der", NULL};
	const char *path = check->settings->top.issuer_dir;
	struct text_list files = {.items = NULL};

	if (*path != '\0' && directory_list(path, suffixes, &files) == OK) {
		for (size_t i = 0; i < files.n; i++)
			take_file(check, keys, files.items[i]);
	}
	text_list_free(&files);
}

/* Positive, and as long as those that CAs draw at random. */
static void make_up(const struct issuer *issuer, struct subject_key *out)
{
	uint8_t serial[SERIAL_LEN];

	entropy_fill(serial, sizeof(serial));
	serial[0] = (serial[0] & 0x3f) | 0x40;
	key_make(&out->key, issuer->id, HASH_SHA1, slice_of(serial, sizeof(serial)));
	out->about = "a made-up serial number";
}

/* --- trying ----------------------------------------------------------------------------------- */

static void on_attempt(void *arg, const struct trial_attempt *attempt)
{
	struct check_trial *trial = arg;
	const struct upstream_answer *answer = attempt->answer;

	trial->post = attempt->post;
	trial->http_status = answer->http_status;
	trial->bytes = answer->body.len;
	trial->us_taken = answer->us_taken;
	trial->cert_status = attempt->err == OK ? (int)attempt->verdict->status : -1;
	snprintf(trial->address, sizeof(trial->address), "%s", answer->address);
	snprintf(trial->detail, sizeof(trial->detail), "%s", answer->detail);
}

/* Another issuer's trial of the same responder found that it cannot be reached; NULL: none did. */
static const struct check_trial *unreached(const struct check *check, const char *url)
{
	for (size_t i = 0; i < check->n_trials; i++) {
		const struct check_trial *trial = &check->trials[i];

		if (trial->err != OK && trial->http_status == 0 && strcmp(trial->url, url) == 0)
			return trial;
	}
	return NULL;
}

/* That it says unauthorized of what nobody has issued is an answer in order. */
static err_t try_one(struct check *check, const struct issuer *issuer, size_t responder,
		     const struct subject_key *key, bool is_made_up)
{
	struct check_trial *trial = &check->trials[check->n_trials];
	const struct check_trial *known;
	struct ask *ask;

	*trial = (struct check_trial){
	    .issuer = issuer, .url = issuer->responders[responder].url, .about = key->about};
	known = unreached(check, trial->url);
	if (known != NULL) {
		*trial = *known;
		trial->issuer = issuer;
		trial->about = key->about;
		check->n_trials++;
		return OK;
	}
	ask = ask_from_key(ASK_SHARED, check->issuers, &key->key, 0);
	if (ask == NULL)
		return ERR_NO_MEMORY;
	trial->err = trial_run(
	    &(struct trial_opts){.ask = ask,
				 .max_response = check->settings->limits.max_upstream_response,
				 .first = responder,
				 .n = 1,
				 .fn = on_attempt,
				 .arg = trial});
	ask_free(ask);
	trial->works = trial->err == OK || (is_made_up && trial->err == ERR_UP_UNAUTHORIZED);
	check->n_trials++;
	return trial->err == ERR_NO_MEMORY ? ERR_NO_MEMORY : OK;
}

static size_t count_responders(const struct check *check)
{
	size_t n = 0;

	for (size_t i = 0; i < check->n; i++)
		n += check->origins[i].issuer->n_responders;
	return n;
}

static err_t try_all(struct check *check, struct subject_key *keys)
{
	const size_t n_all = count_responders(check);
	struct progress progress;
	err_t err = OK;

	progress_init(&progress, PROGRESS_ANSWERS, check->json);
	for (size_t i = 0; i < check->n && err == OK; i++) {
		const struct issuer *issuer = check->origins[i].issuer;
		bool is_made_up = keys[i].about == NULL;

		if (is_made_up)
			make_up(issuer, &keys[i]);
		for (size_t r = 0; r < issuer->n_responders && err == OK; r++) {
			progress_show(&progress, check->n_trials, n_all);
			err = try_one(check, issuer, r, &keys[i], is_made_up);
		}
	}
	progress_end(&progress);
	return err;
}

err_t check_online(struct check *check)
{
	struct subject_key *keys = calloc(check->n + 1, sizeof(*keys));
	err_t err = ERR_NO_MEMORY;

	check->trials = calloc(count_responders(check) + 1, sizeof(*check->trials));
	if (keys != NULL && check->trials != NULL && upstream_global_init() == OK) {
		take_watched(check, keys);
		take_directory(check, keys);
		err = try_all(check, keys);
		upstream_global_fini();
	}
	free(keys);
	return err;
}
