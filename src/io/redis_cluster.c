/* SPDX-License-Identifier: ISC */
/*
 * The masters of a cluster. The map of slots is read from any node that answers: at the start from
 * one of the configured ones, later from one of the map itself. It is read anew when a node says
 * that a slot has moved, and again and again while a master is lost, until a replica has taken its
 * place.
 *
 * A node that a redirection names, and that the map does not (it has no slots yet), is connected to
 * as well, and given up when it is not named any more.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "io/clock.h"
#include "io/redis_route.h"

#define MS_AGAIN  500	/* between readings while something is wrong */
#define MS_MOVED  50	/* and at least, however many slots move */
#define MS_IN_USE 60000 /* a node that only redirections name */

struct node {
	struct redis_link *link;
	bool is_in_map;
	int64_t ms_named;
};

struct cluster {
	struct redis_route route;     /* first */
	struct redis_witness witness; /* for the configured nodes */
	size_t n_tried;		      /* seeds, in all */
	unsigned n_silent;	      /* of them, in a row */
	struct redis_link *seed;      /* or NULL */
	struct redis_call *call;      /* CLUSTER SLOTS */
	struct redis_address asked;   /* by it */
	bool is_stale;		      /* the map is to be read anew, also while it is being read */
	struct timer *next;	      /* reading */
	int64_t ms_next, ms_read;     /* when it will be, when the last one was */
	struct redis_map map;
	size_t n_nodes;
	struct node nodes[REDIS_MAX_NODES]; /* those of the map first, in its order */
};

static void refresh(void *arg);

/* Or sooner, if that is planned. */
static void refresh_in(struct cluster *cluster, int64_t ms)
{
	int64_t at = clock_mono_ms() + ms;

	cluster->is_stale = true;
	if (cluster->call || (cluster->next && cluster->ms_next <= at))
		return; /* what comes after the call will see that it is stale */
	timer_cancel(cluster->next);
	cluster->ms_next = at;
	cluster->next = timer_start(cluster->route.loop, ms, refresh, cluster);
}

/* --- nodes ------------------------------------------------------------------------------------ */

static void on_node_down(void *arg, const char *reason)
{
	(void)reason;
	refresh_in(arg, MS_AGAIN / 5);
}

static struct node *find_node(struct cluster *cluster, const struct redis_address *address)
{
	for (size_t i = 0; i < cluster->n_nodes; i++) {
		if (redis_address_eq(redis_link_address(cluster->nodes[i].link), address))
			return &cluster->nodes[i];
	}
	return NULL;
}

static struct redis_link *open_node(struct cluster *cluster, const struct redis_address *address)
{
	return redis_link_new(
	    &(struct redis_link_opts){.loop = cluster->route.loop,
				      .common = cluster->route.common,
				      .address = *address,
				      .ops = {.down = on_node_down, .arg = cluster}});
}

/* The node that a redirection named. */
static struct redis_link *named_node(struct cluster *cluster, const struct redis_address *address)
{
	struct node *node = find_node(cluster, address);
	struct redis_link *link;

	if (!node && cluster->n_nodes < REDIS_MAX_NODES) {
		link = open_node(cluster, address);
		if (!link)
			return NULL;
		node = &cluster->nodes[cluster->n_nodes++];
		*node = (struct node){.link = link};
	}
	if (!node)
		return NULL;
	node->ms_named = clock_mono_ms();
	return node->link;
}

/* The nodes of the map, with the connections that there were, or new ones. Without memory none of
 * the new ones is left. */
static bool open_nodes(struct cluster *cluster, const struct redis_map *map, struct node *nodes)
{
	for (size_t n = 0; n < map->n; n++) {
		struct node *old = find_node(cluster, &map->nodes[n]);

		nodes[n] =
		    (struct node){.link = old ? old->link : open_node(cluster, &map->nodes[n]),
				  .is_in_map = true};
		if (nodes[n].link)
			continue;
		while (n-- > 0) {
			if (!find_node(cluster, &map->nodes[n]))
				redis_link_free(nodes[n].link);
		}
		return false;
	}
	return true;
}

static bool has_link(const struct node *nodes, size_t n, const struct redis_link *link)
{
	for (size_t i = 0; i < n; i++) {
		if (nodes[i].link == link)
			return true;
	}
	return false;
}

/* What the map has not goes, but for what redirections have named lately; last of all, since who
 * waits for it hears then, and may go on. */
static bool take_map(struct cluster *cluster, const struct redis_map *map)
{
	struct node nodes[REDIS_MAX_NODES];
	struct redis_link *gone[REDIS_MAX_NODES];
	size_t n = map->n, n_gone = 0;
	int64_t then = clock_mono_ms() - MS_IN_USE;

	if (!open_nodes(cluster, map, nodes))
		return false;
	for (size_t i = 0; i < cluster->n_nodes; i++) {
		const struct node *old = &cluster->nodes[i];

		if (has_link(nodes, map->n, old->link))
			continue;
		if (n < REDIS_MAX_NODES && !old->is_in_map && old->ms_named > then)
			nodes[n++] = *old;
		else
			gone[n_gone++] = old->link;
	}
	memcpy(cluster->nodes, nodes, n * sizeof(*nodes));
	cluster->n_nodes = n;
	cluster->map = *map;
	while (n_gone > 0)
		redis_link_retire(gone[--n_gone]);
	return true;
}

/* --- the map ---------------------------------------------------------------------------------- */

static void tell(struct cluster *cluster, const char *reason)
{
	redis_witness_tell(&cluster->witness, REDIS_TROUBLE_READ, reason);
}

static bool is_whole(const struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->n_nodes; i++) {
		if (cluster->nodes[i].is_in_map && !redis_link_is_up(cluster->nodes[i].link))
			return false;
	}
	return cluster->map.n > 0;
}

static void on_map(void *arg, err_t err, const redisReply *reply)
{
	struct cluster *cluster = arg;
	struct redis_map *map = malloc(sizeof(*map));
	bool was_stale = cluster->is_stale;

	cluster->call = NULL;
	cluster->is_stale = false;
	if (err == OK && reply->type == REDIS_REPLY_ERROR)
		tell(cluster, reply->str);
	if (err == OK && map && redis_map_read(reply, &cluster->asked, map) == OK &&
	    take_map(cluster, map)) {
		cluster->n_silent = 0;
		tell(cluster, NULL);
		redis_link_free(cluster->seed);
		cluster->seed = NULL;
	} else {
		was_stale = true;
	}
	free(map);
	if (was_stale || !is_whole(cluster))
		refresh_in(cluster, MS_AGAIN);
}

static void on_seed_down(void *arg, const char *reason)
{
	struct cluster *cluster = arg;
	size_t n = cluster->route.common->url.n_seeds;

	redis_link_free(cluster->seed);
	cluster->seed = NULL;
	if (++cluster->n_silent >= n)
		tell(cluster, reason);
	refresh_in(cluster, cluster->n_silent % n ? 0 : MS_AGAIN);
}

static void on_seed_up(void *arg)
{
	refresh_in(arg, 0);
}

/* The configured nodes, one after the other, while no node of the map is there to be asked. */
static void open_seed(struct cluster *cluster)
{
	const struct redis_url *url = &cluster->route.common->url;

	cluster->seed = redis_link_new(&(struct redis_link_opts){
	    .loop = cluster->route.loop,
	    .common = cluster->route.common,
	    .role = REDIS_ROLE_SEED,
	    .address = url->seeds[cluster->n_tried++ % url->n_seeds],
	    .ops = {.up = on_seed_up, .down = on_seed_down, .arg = cluster}});
	if (!cluster->seed)
		refresh_in(cluster, MS_AGAIN);
}

/* Somebody who can be asked; another one each time. */
static struct redis_link *somebody(struct cluster *cluster)
{
	size_t first = cluster->n_tried++;

	for (size_t i = 0; i < cluster->n_nodes; i++) {
		struct redis_link *link = cluster->nodes[(first + i) % cluster->n_nodes].link;

		if (redis_link_is_up(link))
			return link;
	}
	return cluster->seed && redis_link_is_up(cluster->seed) ? cluster->seed : NULL;
}

static void refresh(void *arg)
{
	struct cluster *cluster = arg;
	struct redis_link *link = somebody(cluster);
	struct slice command;

	cluster->next = NULL;
	if (!link) {
		if (!cluster->seed)
			open_seed(cluster);
		return; /* which tells when it is up, or down */
	}
	command = redis_command((struct slice[]){slice_text("CLUSTER"), slice_text("SLOTS")}, 2);
	cluster->asked = *redis_link_address(link);
	cluster->call = redis_link_call(link, command, REDIS_PATIENT, on_map, cluster);
	redis_command_free(command);
	cluster->is_stale = false;
	cluster->ms_read = clock_mono_ms();
	if (!cluster->call)
		refresh_in(cluster, MS_AGAIN);
}

/* --- the route -------------------------------------------------------------------------------- */

static void cluster_free(struct redis_route *route)
{
	struct cluster *cluster = (struct cluster *)route;

	timer_cancel(cluster->next);
	redis_link_free(cluster->seed);
	for (size_t i = 0; i < cluster->n_nodes; i++)
		redis_link_free(cluster->nodes[i].link);
	redis_witness_fini(&cluster->witness);
	free(cluster);
}

static struct redis_route *cluster_new(struct loop *loop, struct redis_common *common)
{
	struct cluster *cluster = calloc(1, sizeof(*cluster));

	if (!cluster)
		return NULL;
	redis_route_init(&cluster->route, loop, common);
	memset(cluster->map.node_of, REDIS_NO_NODE, sizeof(cluster->map.node_of));
	refresh_in(cluster, 0);
	if (!cluster->next ||
	    !redis_witness_init(&cluster->witness, common, REDIS_NEEDED, "cluster")) {
		cluster_free(&cluster->route);
		return NULL;
	}
	return &cluster->route;
}

/* Without a key any node will do. */
static struct redis_link *cluster_pick(struct redis_route *route, struct slice key)
{
	struct cluster *cluster = (struct cluster *)route;
	unsigned node;

	if (key.len == 0)
		return somebody(cluster);
	node = cluster->map.node_of[redis_slot(key)];
	return node < cluster->n_nodes ? cluster->nodes[node].link : NULL;
}

static struct redis_link *cluster_redirect(struct redis_route *route, struct redis_link *from,
					   struct slice error, bool *out_asking)
{
	struct cluster *cluster = (struct cluster *)route;
	struct redis_address address;
	unsigned slot;
	enum redis_redirection what =
	    redis_redirection(error, redis_link_address(from), &slot, &address);

	if (what == REDIS_STAY)
		return NULL;
	if (what == REDIS_MOVED)
		refresh_in(cluster, clock_mono_ms() - cluster->ms_read < MS_MOVED ? MS_MOVED : 0);
	*out_asking = what == REDIS_ASK;
	return named_node(cluster, &address);
}

static size_t cluster_nodes(struct redis_route *route, struct redis_link *links[REDIS_MAX_NODES])
{
	struct cluster *cluster = (struct cluster *)route;
	size_t n = 0;

	for (size_t i = 0; i < cluster->n_nodes; i++) {
		if (cluster->nodes[i].is_in_map)
			links[n++] = cluster->nodes[i].link;
	}
	return n;
}

static bool cluster_address(struct redis_route *route, unsigned n, struct redis_address *out)
{
	struct cluster *cluster = (struct cluster *)route;

	if (cluster->map.n == 0)
		return false;
	*out = cluster->map.nodes[n % cluster->map.n];
	return true;
}

const struct redis_route_kind redis_route_cluster = {
    .new = cluster_new,
    .free = cluster_free,
    .pick = cluster_pick,
    .redirect = cluster_redirect,
    .nodes = cluster_nodes,
    .address = cluster_address,
};
