/* SPDX-License-Identifier: ISC */
/* struct settings as a whole: its defaults, its end, and an issuer's part of it as a policy. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/config.h"
#include "ctl/option_value.h"

static const size_t group_offsets[] = {
    [GROUP_TOP] = offsetof(struct settings, top),
    [GROUP_CACHE] = offsetof(struct settings, cache),
    [GROUP_REDIS] = offsetof(struct settings, redis),
    [GROUP_LOG] = offsetof(struct settings, log),
    [GROUP_LIMITS] = offsetof(struct settings, limits),
    [GROUP_ISSUER] = offsetof(struct settings, defaults),
};

void *settings_group(struct settings *settings, enum option_group group)
{
	assert(group < N_ELEMENTS(group_offsets));
	return (char *)settings + group_offsets[group];
}

struct settings *settings_default(void)
{
	struct settings *settings = calloc(1, sizeof(*settings));

	for (unsigned group = 0; settings && group < N_ELEMENTS(group_offsets); group++) {
		if (option_group_init(group, settings_group(settings, group)) != OK) {
			settings_free(settings);
			return NULL;
		}
	}
	return settings;
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	for (unsigned group = 0; group < N_ELEMENTS(group_offsets); group++)
		option_group_fini(group, settings_group(settings, group));
	for (size_t i = 0; i < settings->n_issuers; i++) {
		struct settings_section *section = &settings->issuers[i];

		option_group_fini(GROUP_ISSUER, &section->issuer);
		option_group_fini(GROUP_ISSUER_OWN, &section->own);
		free(section->name);
		free(section->file);
	}
	free(settings->issuers);
	for (size_t i = 0; i < settings->n_places; i++)
		free(settings->places[i].file);
	free(settings->places);
	free(settings->admin_token);
	free(settings->redis_password);
	free(settings->sentinel_password);
	free(settings);
}

const struct settings_place *settings_place(const struct settings *settings, const char *option,
					    size_t i)
{
	for (size_t n = 0; n < settings->n_places; n++) {
		if (strcmp(settings->places[n].option, option) == 0 && i-- == 0)
			return &settings->places[n];
	}
	return NULL;
}

/* Rounded up: a short time must not become none. */
static int64_t seconds(int64_t ms)
{
	return (ms + 999) / 1000;
}

void settings_policy(const struct settings_issuer *options, struct policy *out)
{
	*out = (struct policy){
	    .method = (enum upstream_method)options->method,
	    .nonce = (enum nonce_policy)options->nonce,
	    .weak_signature = (enum weak_policy)options->weak_signature,
	    .refresh_ratio = options->refresh_ratio,
	    .min_refresh_interval = seconds(options->min_refresh_interval),
	    .max_refresh_interval = seconds(options->max_refresh_interval),
	    .expiry_margin = seconds(options->expiry_margin),
	    .clock_skew = seconds(options->clock_skew),
	    .no_next_update_ttl = seconds(options->no_next_update_ttl),
	    .unknown_max_ttl = seconds(options->unknown_max_ttl),
	    .neg_ttl_unauthorized = seconds(options->neg_ttl_unauthorized),
	    .neg_ttl_error = seconds(options->neg_ttl_error),
	    .max_inflight = (unsigned)options->max_inflight,
	    .ms_connect = options->connect_timeout,
	    .ms_attempt = options->attempt_timeout,
	    .ms_deadline = options->request_deadline,
	    .ms_probe = options->probe_interval,
	    .runway_warning = options->runway_warning / 1000,
	};
}
