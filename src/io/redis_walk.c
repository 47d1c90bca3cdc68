/* SPDX-License-Identifier: ISC */
/*
 * Walks and purges: SCAN over one server after the other; each batch of names is fetched, or
 * deleted, before the next one is asked for, in small pipelines, so that look-ups on the same
 * connection get their turn.
 */
#include <stdio.h>
#include <stdlib.h>

#include "io/redis_parts.h"

#define BATCH	     "128" /* names that SCAN looks at */
#define MAX_FETCHES  32	   /* commands under way */
#define PATTERN_SIZE (2 * 64 + 8 + 2 * ISSUER_ID_LEN)

/* A name of the batch. */
struct fetch {
	struct list link;
	struct walk *walk;
	struct redis_task *task; /* under way, or NULL */
	bool is_answered;
	struct cache_key key;
	uint8_t *record; /* owned; that of a walk which is paused */
	size_t record_len;
	size_t name_len;
	char name[];
};

struct walk {
	struct store_walk walk; /* first */
	struct list link;
	struct redis_handle *handle;
	struct store_walk_ops ops;
	bool is_purge, is_paused, is_inside, is_cancelled;
	err_t err;
	uint64_t n;
	char pattern[PATTERN_SIZE];
	struct redis_address *nodes; /* owned */
	size_t n_nodes, node;	     /* how many, and the one at hand */
	char cursor[24];	     /* of its SCAN */
	struct redis_task *scan;     /* under way */
	struct list fetches;	     /* in the order of the batch */
	size_t n_under_way;
	struct timer *turn;
};

static void go_on(struct walk *walk);

/* --- names and nodes -------------------------------------------------------------------------- */

static void fetch_free(struct fetch *fetch)
{
	if (fetch->task) {
		redis_task_drop(fetch->task);
		fetch->walk->n_under_way--;
	}
	list_remove(&fetch->link);
	free(fetch->record);
	free(fetch);
}

static void walk_free(struct walk *walk)
{
	redis_task_drop(walk->scan);
	while (!list_is_empty(&walk->fetches))
		fetch_free(LIST_ENTRY(walk->fetches.next, struct fetch, link));
	timer_cancel(walk->turn);
	list_remove(&walk->link);
	free(walk->nodes);
	free(walk);
}

static void finish(struct walk *walk)
{
	struct store_walk_ops ops = walk->ops;
	uint64_t n = walk->n;
	err_t err = walk->err;

	if (walk->is_purge)
		redis_note(&walk->handle->store, slice_of(NULL, 0));
	redis_count(walk->handle, walk->is_purge ? LABEL_OP_PURGE : LABEL_OP_WALK,
		    err == OK ? LABEL_STORE_RESULT_OK : LABEL_STORE_RESULT_ERROR);
	walk_free(walk);
	if (ops.done)
		ops.done(ops.arg, err, n);
}

/* The connection to the node at hand, or NULL. */
static struct redis_link *link_of(const struct walk *walk)
{
	struct redis_link *links[REDIS_MAX_NODES];
	size_t n = redis_route_nodes(walk->handle->route, links);

	for (size_t i = 0; i < n; i++) {
		if (redis_address_eq(redis_link_address(links[i]), &walk->nodes[walk->node]))
			return links[i];
	}
	return NULL;
}

static void next_node(struct walk *walk)
{
	walk->node++;
	strcpy(walk->cursor, "0");
}

/* --- the batch -------------------------------------------------------------------------------- */

/* A name that is no record of ours is passed over, unless it is to go. */
static void add_name(struct walk *walk, struct slice name)
{
	size_t head_len = strlen(walk->handle->common->prefix) + strlen(":" REDIS_RECORDS ":");
	struct fetch *fetch = calloc(1, sizeof(*fetch) + name.len);

	if (!fetch) {
		walk->err = ERR_STORE_FAULT;
		return;
	}
	fetch->walk = walk;
	memcpy(fetch->name, name.p, name.len);
	fetch->name_len = name.len;
	list_init(&fetch->link);
	if (key_from_text(slice_skip(name, head_len), &fetch->key) != OK && !walk->is_purge)
		free(fetch);
	else
		list_append(&walk->fetches, &fetch->link);
}

static bool take_batch(struct walk *walk, const redisReply *reply)
{
	const redisReply *cursor, *names;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return false;
	cursor = reply->element[0];
	names = reply->element[1];
	if (cursor->type != REDIS_REPLY_STRING || (size_t)cursor->len >= sizeof(walk->cursor) ||
	    names->type != REDIS_REPLY_ARRAY)
		return false;
	snprintf(walk->cursor, sizeof(walk->cursor), "%s", cursor->str);
	for (size_t i = 0; i < names->elements; i++) {
		const redisReply *name = names->element[i];

		if (name->type == REDIS_REPLY_STRING && name->len > 0)
			add_name(walk, slice_of(name->str, (size_t)name->len));
	}
	if (strcmp(walk->cursor, "0") == 0)
		next_node(walk);
	return true;
}

static void on_scanned(void *arg, err_t err, const redisReply *reply)
{
	struct walk *walk = arg;

	walk->scan = NULL;
	if (err != OK || !take_batch(walk, reply)) {
		walk->err = ERR_STORE_FAULT;
		next_node(walk);
	}
	go_on(walk);
}

static bool scan(struct walk *walk)
{
	struct redis_link *link = link_of(walk);
	struct slice words[] = {slice_text("SCAN"),  slice_text(walk->cursor),
				slice_text("MATCH"), slice_text(walk->pattern),
				slice_text("COUNT"), slice_text(BATCH)};

	if (!link)
		return false;
	walk->scan = redis_route_call(walk->handle->route,
				      &(struct redis_order){.link = link,
							    .command = redis_command(words, 6),
							    .pace = REDIS_PATIENT,
							    .trouble = REDIS_TROUBLE_READ,
							    .fn = on_scanned,
							    .arg = walk});
	return walk->scan != NULL;
}

/* --- records ---------------------------------------------------------------------------------- */

static void keep(struct fetch *fetch, const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_STRING || reply->len == 0)
		return; /* gone meanwhile, or no record */
	fetch->record = malloc((size_t)reply->len);
	if (!fetch->record) {
		fetch->walk->err = ERR_STORE_FAULT;
		return;
	}
	memcpy(fetch->record, reply->str, (size_t)reply->len);
	fetch->record_len = (size_t)reply->len;
}

static void on_fetched(void *arg, err_t err, const redisReply *reply)
{
	struct fetch *fetch = arg;
	struct walk *walk = fetch->walk;

	fetch->task = NULL;
	fetch->is_answered = true;
	walk->n_under_way--;
	if (err != OK || (reply->type == REDIS_REPLY_ERROR && walk->is_purge))
		walk->err = ERR_STORE_FAULT;
	else if (!walk->is_purge)
		keep(fetch, reply);
	else if (reply->type == REDIS_REPLY_INTEGER && reply->integer == 1)
		walk->n++;
	go_on(walk);
}

static struct slice make_command(const struct fetch *fetch)
{
	char digits[20];
	size_t max = fetch->walk->handle->common->max_record;
	struct slice name = slice_of(fetch->name, fetch->name_len);

	if (fetch->walk->is_purge)
		return redis_command((struct slice[]){slice_text("DEL"), name}, 2);
	return redis_command((struct slice[]){slice_text("GETRANGE"), name, slice_text("0"),
					      slice_of(digits, decimal_encode(digits, max))},
			     4);
}

static void start_fetch(struct fetch *fetch)
{
	struct walk *walk = fetch->walk;

	fetch->task =
	    redis_route_call(walk->handle->route,
			     &(struct redis_order){.key = slice_of(fetch->name, fetch->name_len),
						   .command = make_command(fetch),
						   .pace = REDIS_PATIENT,
						   .trouble = walk->is_purge ? REDIS_TROUBLE_WRITE
									     : REDIS_TROUBLE_READ,
						   .is_removal = walk->is_purge,
						   .fn = on_fetched,
						   .arg = fetch});
	if (fetch->task) {
		walk->n_under_way++;
	} else {
		fetch->is_answered = true;
		walk->err = ERR_STORE_FAULT;
	}
}

/* Shows what has come, in order. False: the walk is over. */
static bool see_some(struct walk *walk)
{
	walk->is_inside = true;
	while (!list_is_empty(&walk->fetches) && !walk->is_paused && !walk->is_cancelled) {
		struct fetch *fetch = LIST_ENTRY(walk->fetches.next, struct fetch, link);

		if (!fetch->is_answered)
			break;
		if (fetch->record) {
			walk->n++;
			walk->ops.see(walk->ops.arg, key_bytes(&fetch->key),
				      slice_of(fetch->record, fetch->record_len));
		}
		fetch_free(fetch);
	}
	walk->is_inside = false;
	if (walk->is_cancelled)
		walk_free(walk);
	else
		return true;
	return false;
}

static void start_fetches(struct walk *walk)
{
	for (struct list *node = walk->fetches.next;
	     node != &walk->fetches && walk->n_under_way < MAX_FETCHES; node = node->next) {
		struct fetch *fetch = LIST_ENTRY(node, struct fetch, link);

		if (!fetch->task && !fetch->is_answered)
			start_fetch(fetch);
	}
}

static void go_on(struct walk *walk)
{
	if (!see_some(walk) || walk->is_paused || walk->scan)
		return;
	start_fetches(walk);
	if (walk->n_under_way > 0)
		return;
	if (!list_is_empty(&walk->fetches) && !see_some(walk))
		return; /* those that could not even be asked for */
	while (walk->node < walk->n_nodes) {
		if (scan(walk))
			return;
		walk->err = ERR_STORE_FAULT;
		next_node(walk);
	}
	finish(walk);
}

static void on_turn(void *arg)
{
	struct walk *walk = arg;

	walk->turn = NULL;
	go_on(walk);
}

/* --- the store's functions -------------------------------------------------------------------- */

static bool take_nodes(struct walk *walk)
{
	struct redis_link *links[REDIS_MAX_NODES];
	size_t n = redis_route_nodes(walk->handle->route, links);

	walk->nodes = calloc(n + 1, sizeof(*walk->nodes));
	if (!walk->nodes)
		return false;
	for (size_t i = 0; i < n; i++)
		walk->nodes[i] = *redis_link_address(links[i]);
	walk->n_nodes = n;
	return true;
}

/* A prefix of the configuration has nothing that SCAN would not take as it is. */
static void make_pattern(struct walk *walk, struct slice prefix)
{
	char hex[2 * ISSUER_ID_LEN + 1] = "";

	hex_encode(hex, prefix);
	snprintf(walk->pattern, sizeof(walk->pattern), "%s:%s:%s*", walk->handle->common->prefix,
		 REDIS_RECORDS, hex);
}

static err_t begin(struct redis_handle *handle, struct slice prefix, struct walk model,
		   struct store_walk **out_walk)
{
	struct walk *walk;

	walk = calloc(1, sizeof(*walk));
	if (!walk)
		return ERR_NO_MEMORY;
	*walk = model;
	walk->walk = (struct store_walk){.kind = handle->store.kind};
	walk->handle = handle;
	list_init(&walk->fetches);
	list_append(&handle->walks, &walk->link);
	if (walk->is_purge)
		redis_note(&handle->store, slice_of(NULL, 0));
	make_pattern(walk, prefix);
	strcpy(walk->cursor, "0");
	walk->turn = timer_start(handle->loop, 0, on_turn, walk);
	if (!walk->turn || !take_nodes(walk)) {
		walk_free(walk);
		return ERR_NO_MEMORY;
	}
	*out_walk = &walk->walk;
	return OK;
}

err_t redis_walk(struct store *store, struct slice prefix, const struct store_walk_ops *ops,
		 struct store_walk **out_walk)
{
	return begin((struct redis_handle *)store, prefix, (struct walk){.ops = *ops}, out_walk);
}

err_t redis_purge(struct store *store, struct slice prefix, const struct store_walk_ops *ops,
		  struct store_walk **out_walk)
{
	return begin((struct redis_handle *)store, prefix,
		     (struct walk){.ops = *ops, .is_purge = true}, out_walk);
}

void redis_walk_pause(struct store_walk *store_walk)
{
	((struct walk *)store_walk)->is_paused = true;
}

void redis_walk_resume(struct store_walk *store_walk)
{
	struct walk *walk = (struct walk *)store_walk;

	if (!walk->is_paused)
		return;
	walk->is_paused = false;
	if (!walk->is_inside && !walk->turn)
		walk->turn = timer_start(walk->handle->loop, 0, on_turn, walk);
}

void redis_walk_cancel(struct store_walk *store_walk)
{
	struct walk *walk = (struct walk *)store_walk;

	if (walk->is_purge)
		walk->ops.done = NULL;
	else if (walk->is_inside)
		walk->is_cancelled = true;
	else
		walk_free(walk);
}

void redis_walks_fini(struct redis_handle *handle)
{
	while (!list_is_empty(&handle->walks))
		walk_free(LIST_ENTRY(handle->walks.next, struct walk, link));
}
