/* SPDX-License-Identifier: ISC */
/*
 * The data file of LMDB 0.9 (data version 1), as far as it is checked here: in the machine's own
 * sizes and byte order. Page n is at n times the page size; pages 0 and 1 are meta pages, of which
 * the one with the higher transaction counts.
 */
#ifndef OCSPRELAY_IO_LMDB_FORMAT_H
#define OCSPRELAY_IO_LMDB_FORMAT_H

#include "types.h"

#define LMDB_MAGIC    0xbeefc0deu
#define LMDB_VERSION  1
#define LMDB_MIN_PAGE 512u
#define LMDB_MAX_PAGE 32768u
#define LMDB_NO_PAGE  SIZE_MAX /* root of an empty tree */

enum lmdb_page_flags {
	LMDB_PAGE_BRANCH = 1,
	LMDB_PAGE_LEAF = 2,
	LMDB_PAGE_OVERFLOW = 4
};

/* Then, in branches and leaves, an offset for each node; the nodes fill the page from its end. */
struct lmdb_page {
	size_t number;
	uint16_t unused, flags;
	union {
		struct {
			uint16_t lower, upper; /* of the free space */
		} bounds;
		uint32_t n_pages; /* of a run of overflow pages */
	} u;
};

#define LMDB_PAGE_HEADER_LEN (sizeof(size_t) + 8)

/* The head of a node; key and data follow. low and high: the data's length, or with flags the
 * child's number. */
struct lmdb_node {
	uint16_t halves[2]; /* low and high, in the byte order */
	uint16_t flags, key_len;
};

enum lmdb_node_flags {
	LMDB_NODE_BIG = 1, /* the data is the number of its first overflow page */
	LMDB_NODE_TREE = 2 /* the data is a struct lmdb_tree */
};

struct lmdb_tree {
	uint32_t page_size; /* in a meta page's first tree; unused elsewhere */
	uint16_t flags, depth;
	size_t n_branches, n_leaves, n_overflow, n_entries, root;
};

enum {
	LMDB_TREE_FREE,
	LMDB_TREE_MAIN,
	LMDB_TREES
};

struct lmdb_meta {
	uint8_t page_header[LMDB_PAGE_HEADER_LEN];
	uint32_t magic, version;
	void *address;
	size_t map_size;
	struct lmdb_tree trees[LMDB_TREES];
	size_t last_page, transaction;
};

#endif
