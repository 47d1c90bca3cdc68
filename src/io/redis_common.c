/* SPDX-License-Identifier: ISC */
/* Who says what of which server, and what the log and the gauge make of it. */
#include "io/redis_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "base/log.h"

struct redis_server {
	struct list link;
	enum redis_standing standing;
	unsigned n_witnesses;
	unsigned n_troubles[N_REDIS_TROUBLES]; /* witnesses who say so */
	bool is_logged;
	char name[];
};

struct redis_common *redis_common_new(const struct redis_url *url, const struct store_opts *opts)
{
	struct redis_common *common = calloc(1, sizeof(*common));
	char label[32];

	if (!common)
		return NULL;
	counter_label(label, sizeof(label), "tier", "redis");
	common->shared.slot = counter_slot(SCOPE_TIER, label);
	common->url = *url;
	common->ms_timeout = opts->ms_timeout;
	common->max_record = opts->max_record;
	common->prefix = strdup(opts->prefix);
	common->sentinel_user = strdup(opts->sentinel_user ? opts->sentinel_user : "");
	common->passwords[STORE_PASSWORD] = strdup(opts->password ? opts->password : "");
	common->passwords[STORE_SENTINEL_PASSWORD] =
	    strdup(opts->sentinel_password ? opts->sentinel_password : "");
	if (opts->has_copies && url->mode == REDIS_MODE_SENTINEL)
		common->recent = redis_recent_new();
	list_init(&common->servers);
	pthread_mutex_init(&common->lock, NULL);
	if (asprintf(&common->channel, "%s:news", opts->prefix) < 0)
		common->channel = NULL;
	if (!common->prefix || !common->sentinel_user || !common->passwords[STORE_PASSWORD] ||
	    !common->passwords[STORE_SENTINEL_PASSWORD] || !common->channel ||
	    (opts->has_copies && url->mode == REDIS_MODE_SENTINEL && !common->recent)) {
		redis_common_free(common);
		return NULL;
	}
	return common;
}

static void set_up(struct redis_common *common, bool is_up)
{
	if (atomic_exchange(&common->is_up, is_up) != is_up)
		counter_add(METRIC_STORE_UP, common->shared.slot, 0, 0, is_up ? 1 : -1);
}

void redis_common_free(struct redis_common *common)
{
	set_up(common, false);
	redis_tls_free(common->tls);
	pthread_mutex_destroy(&common->lock);
	free(common->prefix);
	free(common->channel);
	redis_recent_free(common->recent);
	free(common->sentinel_user);
	for (size_t i = 0; i < N_STORE_SECRETS; i++)
		free(common->passwords[i]);
	free(common);
}

void redis_common_set_password(struct redis_common *common, enum store_secret which,
			       const char *password)
{
	char *copy = strdup(password ? password : ""), *old;

	if (!copy)
		return;
	pthread_mutex_lock(&common->lock);
	old = common->passwords[which];
	common->passwords[which] = copy;
	pthread_mutex_unlock(&common->lock);
	free(old);
}

char *redis_common_password(struct redis_common *common, enum store_secret which)
{
	char *copy;

	pthread_mutex_lock(&common->lock);
	copy = strdup(common->passwords[which]);
	pthread_mutex_unlock(&common->lock);
	return copy;
}

/* --- health, all under the lock --------------------------------------------------------------- */

static bool is_in_trouble(const struct redis_server *server)
{
	for (size_t i = 0; i < N_REDIS_TROUBLES; i++) {
		if (server->n_troubles[i] > 0)
			return true;
	}
	return false;
}

/* The store is as well as before. */
static void review_aside(struct redis_server *server, const char *reason)
{
	if (reason && !server->is_logged) {
		LOG(STORE_SERVER_FAILED, LOG_TEXT("store", "redis"),
		    LOG_TEXT("server", server->name), LOG_TEXT("reason", reason));
		server->is_logged = true;
	}
	if (is_in_trouble(server))
		return;
	if (server->is_logged && server->n_witnesses > 0)
		LOG(STORE_SERVER_BACK, LOG_TEXT("store", "redis"),
		    LOG_TEXT("server", server->name));
	server->is_logged = false;
}

static unsigned count_in_trouble(const struct redis_common *common)
{
	unsigned n = 0;

	for (struct list *node = common->servers.next; node != &common->servers;
	     node = node->next) {
		const struct redis_server *server = LIST_ENTRY(node, struct redis_server, link);

		n += server->standing == REDIS_NEEDED && is_in_trouble(server);
	}
	return n;
}

/* After each change. server has brought it about, for that reason if it is for the worse. */
static void review(struct redis_common *common, struct redis_server *server, const char *reason)
{
	bool is_well;

	if (server->standing == REDIS_ASIDE) {
		review_aside(server, reason);
		return;
	}
	common->n_in_trouble = count_in_trouble(common);
	is_well = common->n_in_trouble == 0 && common->n_up > 0;
	if (reason && !server->is_logged) {
		LOG(STORE_FAILED, LOG_TEXT("store", "redis"), LOG_TEXT("server", server->name),
		    LOG_TEXT("reason", reason));
		server->is_logged = common->is_failing = true;
	}
	if (!is_in_trouble(server))
		server->is_logged = false;
	if (is_well && common->is_failing && server->n_witnesses == 0)
		LOG(STORE_BACK, LOG_TEXT("store", "redis")); /* without that server */
	else if (is_well && common->is_failing)
		LOG(STORE_BACK, LOG_TEXT("store", "redis"), LOG_TEXT("server", server->name));
	else if (is_well && !common->has_opened)
		LOG(STORE_OPEN, LOG_TEXT("store", "redis"), LOG_TEXT("server", server->name));
	if (is_well) {
		common->has_opened = true;
		common->is_failing = false;
	}
	set_up(common, is_well);
}

static struct redis_server *find(struct redis_common *common, enum redis_standing standing,
				 const char *name)
{
	struct redis_server *server;

	for (struct list *node = common->servers.next; node != &common->servers;
	     node = node->next) {
		server = LIST_ENTRY(node, struct redis_server, link);
		if (server->standing == standing && strcmp(server->name, name) == 0)
			return server;
	}
	server = calloc(1, sizeof(*server) + strlen(name) + 1);
	if (!server)
		return NULL;
	server->standing = standing;
	memcpy(server->name, name, strlen(name) + 1);
	list_append(&common->servers, &server->link);
	return server;
}

bool redis_witness_init(struct redis_witness *witness, struct redis_common *common,
			enum redis_standing standing, const char *server)
{
	*witness = (struct redis_witness){.common = common};
	pthread_mutex_lock(&common->lock);
	witness->server = find(common, standing, server);
	if (witness->server)
		witness->server->n_witnesses++;
	pthread_mutex_unlock(&common->lock);
	return witness->server != NULL;
}

static void set(struct redis_witness *witness, enum redis_trouble trouble, bool is_there)
{
	witness->server->n_troubles[trouble] +=
	    (unsigned)is_there - (unsigned)witness->has[trouble];
	witness->has[trouble] = is_there;
}

static void set_link(struct redis_witness *witness, bool is_up)
{
	if (witness->server->standing == REDIS_NEEDED)
		witness->common->n_up += (unsigned)is_up - (unsigned)witness->is_up;
	witness->is_up = is_up;
}

void redis_witness_tell(struct redis_witness *witness, enum redis_trouble trouble,
			const char *reason)
{
	struct redis_common *common = witness->common;
	bool is_up = trouble == REDIS_TROUBLE_LINK ? !reason : witness->is_up;

	if (!witness->server)
		return; /* it has nothing to say */
	if (is_up == witness->is_up && !reason && !witness->has[trouble])
		return; /* nothing new: the usual case, without the lock */
	pthread_mutex_lock(&common->lock);
	set(witness, trouble, reason != NULL);
	set_link(witness, is_up);
	review(common, witness->server, reason);
	pthread_mutex_unlock(&common->lock);
}

/* What nobody is connected to any more is no trouble, and nobody's business. */
void redis_witness_fini(struct redis_witness *witness)
{
	struct redis_common *common = witness->common;
	struct redis_server *server = witness->server;

	if (!server)
		return;
	pthread_mutex_lock(&common->lock);
	for (unsigned i = 0; i < N_REDIS_TROUBLES; i++)
		set(witness, i, false);
	set_link(witness, false);
	server->n_witnesses--;
	review(common, server, NULL);
	if (server->n_witnesses == 0) {
		list_remove(&server->link);
		free(server);
	}
	pthread_mutex_unlock(&common->lock);
	witness->server = NULL;
}
