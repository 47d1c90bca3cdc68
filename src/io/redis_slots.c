/* SPDX-License-Identifier: ISC */
/* What the cluster specification says of slots; nodes are believed only within the bounds. */
#include "io/redis_slots.h"

#include "base/bytes.h"

static uint16_t crc16(struct slice text)
{
	uint16_t crc = 0;

	for (size_t i = 0; i < text.len; i++) {
		crc = (uint16_t)(crc ^ (uint16_t)(text.p[i] << 8));
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
	}
	return crc;
}

unsigned redis_slot(struct slice key)
{
	const uint8_t *open = key.len > 0 ? memchr(key.p, '{', key.len) : NULL, *close;
	struct slice tag;

	if (open) {
		tag = slice_skip(key, (size_t)(open - key.p) + 1);
		close = tag.len > 0 ? memchr(tag.p, '}', tag.len) : NULL;
		if (close && close != tag.p)
			key = slice_take(tag, (size_t)(close - tag.p));
	}
	return crc16(key) % REDIS_SLOTS;
}

/* --- the map ---------------------------------------------------------------------------------- */

static struct slice text_of(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING ? slice_of(reply->str, (size_t)reply->len)
						 : slice_of(NULL, 0);
}

/* What a node does not know of itself is where it was asked. */
static bool make_address(struct slice host, uint64_t port, const struct redis_address *asked,
			 struct redis_address *out)
{
	if (host.len == 0 || slice_eq(host, slice_text("?")))
		host = slice_text(asked->host);
	return redis_address_make(out, host, port);
}

static unsigned node_at(struct redis_map *map, const struct redis_address *address)
{
	for (size_t i = 0; i < map->n; i++) {
		if (redis_address_eq(&map->nodes[i], address))
			return (unsigned)i;
	}
	if (map->n == REDIS_MAX_NODES)
		return REDIS_NO_NODE;
	map->nodes[map->n] = *address;
	return (unsigned)map->n++;
}

static bool is_slot(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_INTEGER && reply->integer >= 0 &&
	       reply->integer < REDIS_SLOTS;
}

/* first, last, [host, port, ...] of the master, and of its replicas. */
static err_t read_range(const redisReply *range, const struct redis_address *asked,
			struct redis_map *map)
{
	struct redis_address address;
	const redisReply *master;
	unsigned node;

	if (range->type != REDIS_REPLY_ARRAY || range->elements < 3 ||
	    !is_slot(range->element[0]) || !is_slot(range->element[1]))
		return ERR_SYNTAX;
	master = range->element[2];
	if (master->type != REDIS_REPLY_ARRAY || master->elements < 2 ||
	    master->element[1]->type != REDIS_REPLY_INTEGER ||
	    !make_address(text_of(master->element[0]), (uint64_t)master->element[1]->integer, asked,
			  &address))
		return ERR_SYNTAX;
	node = node_at(map, &address);
	for (long long slot = range->element[0]->integer; slot <= range->element[1]->integer;
	     slot++)
		map->node_of[slot] = (uint8_t)node;
	return OK;
}

err_t redis_map_read(const redisReply *reply, const struct redis_address *asked,
		     struct redis_map *out)
{
	if (reply->type != REDIS_REPLY_ARRAY)
		return ERR_SYNTAX;
	out->n = 0;
	memset(out->node_of, REDIS_NO_NODE, sizeof(out->node_of));
	for (size_t i = 0; i < reply->elements; i++) {
		err_t err = read_range(reply->element[i], asked, out);

		if (err != OK)
			return err;
	}
	return out->n > 0 ? OK : ERR_SYNTAX;
}

/* --- redirections ----------------------------------------------------------------------------- */

static struct slice cut_word(struct slice *text)
{
	const uint8_t *end = text->len > 0 ? memchr(text->p, ' ', text->len) : NULL;
	struct slice word = slice_take(*text, end ? (size_t)(end - text->p) : text->len);

	*text = slice_skip(*text, word.len + 1);
	return word;
}

/* The last colon: IPv6 addresses come without brackets. */
static bool cut_port(struct slice *host, uint64_t *out_port)
{
	const uint8_t *colon = host->len > 0 ? memrchr(host->p, ':', host->len) : NULL;
	size_t len;

	if (!colon)
		return false;
	len = (size_t)(colon - host->p);
	if (decimal_decode(slice_skip(*host, len + 1), 65535, out_port) != OK)
		return false;
	*host = slice_take(*host, len);
	return true;
}

enum redis_redirection redis_redirection(struct slice error, const struct redis_address *asked,
					 unsigned *out_slot, struct redis_address *out)
{
	struct slice word = cut_word(&error), slot = cut_word(&error);
	uint64_t number, port;
	bool has_moved = slice_eq(word, slice_text("MOVED"));

	if ((!has_moved && !slice_eq(word, slice_text("ASK"))) ||
	    decimal_decode(slot, REDIS_SLOTS - 1, &number) != OK || !cut_port(&error, &port) ||
	    !make_address(error, port, asked, out))
		return REDIS_STAY;
	*out_slot = (unsigned)number;
	return has_moved ? REDIS_MOVED : REDIS_ASK;
}
