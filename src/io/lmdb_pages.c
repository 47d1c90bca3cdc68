/* SPDX-License-Identifier: ISC */
/*
 * A walk down the trees: free pages, main, and those that main names. Each page must say its own
 * number, be of the kind that its depth asks for, and hold its nodes exactly: every one within the
 * page, all together as long as the used space. No key is compared: a tree in the wrong order gives
 * wrong answers, which the verification of records finds, but nothing worse.
 *
 * One buffer per level, so that a page is still there when its children have been looked at.
 */
#include "io/lmdb_pages.h"

#include <errno.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/lmdb_format.h"

#define N_BUFFERS   32 /* what LMDB itself allows */
#define MAX_KEY_LEN 511
#define ASK_EVERY   1024 /* pages */

struct walk {
	int fd;
	lmdb_pages_fn *is_unwanted;
	void *arg;
	struct lmdb_meta meta;
	size_t page_size, n_pages;
	size_t n_seen;	/* more than there are: a circle */
	uint8_t *pages; /* N_BUFFERS of them */
};

/* Where in the walk a page is. */
struct place {
	const struct lmdb_tree *tree;
	unsigned level;	 /* in its tree; 0: the root */
	unsigned buffer; /* in walk->pages */
	bool is_free;	 /* the tree is that of free pages */
};

static int check_page(struct walk *walk, const struct place *place, size_t number);
static int check_tree(struct walk *walk, const struct lmdb_tree *tree, unsigned buffer);

static int read_at(const struct walk *walk, void *dst, size_t len, size_t page)
{
	ssize_t n = pread(walk->fd, dst, len, (off_t)(page * walk->page_size));

	if (n < 0)
		return errno;
	return (size_t)n == len ? 0 : MDB_CORRUPTED;
}

/* Counts n pages from number on. */
static int see(struct walk *walk, size_t number, size_t n)
{
	if (number < LMDB_TREES || number >= walk->n_pages || n > walk->n_pages - number ||
	    n > walk->n_pages - walk->n_seen)
		return MDB_CORRUPTED;
	if (walk->n_seen / ASK_EVERY != (walk->n_seen + n) / ASK_EVERY &&
	    walk->is_unwanted(walk->arg))
		return ECANCELED;
	walk->n_seen += n;
	return 0;
}

static size_t data_len(const struct lmdb_node *node)
{
	bool is_little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	size_t low = node->halves[is_little ? 0 : 1], high = node->halves[is_little ? 1 : 0];

	return low | high << 16;
}

static size_t child_of(const struct lmdb_node *node)
{
	return data_len(node) | (sizeof(size_t) > 4 ? (size_t)((uint64_t)node->flags << 32) : 0);
}

/* A run of overflow pages; of free pages, also the list in it. */
static int check_big(struct walk *walk, const uint8_t *data, size_t len, bool is_free)
{
	size_t number, n_wanted = (LMDB_PAGE_HEADER_LEN - 1 + len) / walk->page_size + 1;
	struct {
		struct lmdb_page page;
		size_t n_free;
	} head;
	int rc;

	memcpy(&number, data, sizeof(number));
	if ((rc = see(walk, number, n_wanted)) != 0 ||
	    (rc = read_at(walk, &head, sizeof(head), number)) != 0)
		return rc;
	if (head.page.number != number || head.page.flags != LMDB_PAGE_OVERFLOW ||
	    head.page.u.n_pages != n_wanted)
		return MDB_CORRUPTED;
	return !is_free || head.n_free < len / sizeof(size_t) ? 0 : MDB_CORRUPTED;
}

/* Data within the page: the list of free pages has its length in front. */
static int check_small(struct walk *walk, const uint8_t *data, const struct lmdb_node *node,
		       const struct place *place)
{
	size_t len = data_len(node), n_free;
	struct lmdb_tree tree;

	if (place->is_free) {
		if (len < sizeof(n_free))
			return MDB_CORRUPTED;
		memcpy(&n_free, data, sizeof(n_free));
		return n_free < len / sizeof(size_t) ? 0 : MDB_CORRUPTED;
	}
	if (!(node->flags & LMDB_NODE_TREE))
		return 0;
	if (len != sizeof(tree) || place->tree != &walk->meta.trees[LMDB_TREE_MAIN])
		return MDB_CORRUPTED;
	memcpy(&tree, data, sizeof(tree));
	return check_tree(walk, &tree, place->buffer + 1);
}

static bool is_leaf(const struct place *place)
{
	return place->level + 1u == place->tree->depth;
}

/* What a node takes in its page; 0: more than there is from offset on, or what no node is. */
static size_t node_len(const struct walk *walk, const struct place *place,
		       const struct lmdb_node *node, size_t offset)
{
	size_t room = walk->page_size - offset;
	size_t len = sizeof(*node) + node->key_len;

	if (is_leaf(place) && node->flags & ~(LMDB_NODE_BIG | LMDB_NODE_TREE))
		return 0; /* duplicates, which no tree of ours has */
	if (is_leaf(place))
		len += node->flags & LMDB_NODE_BIG ? sizeof(size_t) : data_len(node);
	return node->key_len > MAX_KEY_LEN || len > room ? 0 : (len + 1) & ~(size_t)1;
}

/* What is below a node. */
static int follow(struct walk *walk, const struct place *place, const struct lmdb_node *node,
		  const uint8_t *data)
{
	struct place below = *place;

	if (!is_leaf(place)) {
		below.level++;
		below.buffer++;
		return check_page(walk, &below, child_of(node));
	}
	if (node->flags & LMDB_NODE_BIG)
		return check_big(walk, data, data_len(node), place->is_free);
	return check_small(walk, data, node, place);
}

static int check_nodes(struct walk *walk, const struct place *place, const uint8_t *page,
		       const struct lmdb_page *head)
{
	const uint8_t *offsets = page + LMDB_PAGE_HEADER_LEN;
	size_t n = (head->u.bounds.lower - LMDB_PAGE_HEADER_LEN) / sizeof(uint16_t);
	size_t used = 0, i, len;
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++) {
		struct lmdb_node node;
		uint16_t offset;

		memcpy(&offset, offsets + i * sizeof(offset), sizeof(offset));
		if (offset < head->u.bounds.upper || offset % 2 != 0 ||
		    offset + sizeof(node) > walk->page_size)
			return MDB_CORRUPTED;
		memcpy(&node, page + offset, sizeof(node));
		len = node_len(walk, place, &node, offset);
		if (len == 0)
			return MDB_CORRUPTED;
		used += len;
		rc = follow(walk, place, &node, page + offset + sizeof(node) + node.key_len);
	}
	if (rc == 0 && used != walk->page_size - head->u.bounds.upper)
		return MDB_CORRUPTED;
	return rc;
}

static int check_page(struct walk *walk, const struct place *place, size_t number)
{
	uint8_t *page = walk->pages + place->buffer * walk->page_size;
	struct lmdb_page head;
	int rc;

	if (place->buffer >= N_BUFFERS || place->level >= place->tree->depth)
		return MDB_CORRUPTED;
	if ((rc = see(walk, number, 1)) != 0 ||
	    (rc = read_at(walk, page, walk->page_size, number)) != 0)
		return rc;
	memcpy(&head, page, sizeof(head));
	if (head.number != number ||
	    head.flags != (is_leaf(place) ? LMDB_PAGE_LEAF : LMDB_PAGE_BRANCH) ||
	    head.u.bounds.lower < LMDB_PAGE_HEADER_LEN || head.u.bounds.lower % 2 != 0 ||
	    head.u.bounds.lower > head.u.bounds.upper || head.u.bounds.upper > walk->page_size)
		return MDB_CORRUPTED;
	return check_nodes(walk, place, page, &head);
}

static int check_tree(struct walk *walk, const struct lmdb_tree *tree, unsigned buffer)
{
	struct place root = {
	    .tree = tree, .buffer = buffer, .is_free = tree == &walk->meta.trees[LMDB_TREE_FREE]};

	return tree->root == LMDB_NO_PAGE ? 0 : check_page(walk, &root, tree->root);
}

static int check_trees(struct walk *walk)
{
	int rc;

	walk->pages = malloc(N_BUFFERS * walk->page_size);
	if (!walk->pages)
		return ENOMEM;
	rc = check_tree(walk, &walk->meta.trees[LMDB_TREE_FREE], 0);
	if (rc == 0)
		rc = check_tree(walk, &walk->meta.trees[LMDB_TREE_MAIN], 0);
	free(walk->pages);
	return rc;
}

int lmdb_pages_check(int fd, size_t transaction, lmdb_pages_fn *is_unwanted, void *arg)
{
	struct walk walk = {.fd = fd, .is_unwanted = is_unwanted, .arg = arg};
	int rc = read_at(&walk, &walk.meta, sizeof(walk.meta), 0);

	/* The page size is the same in both; lmdb_file_check has seen to it that it is one. */
	walk.page_size = walk.meta.trees[LMDB_TREE_FREE].page_size;
	if (rc == 0)
		rc = read_at(&walk, &walk.meta, sizeof(walk.meta), transaction & 1);
	if (rc != 0)
		return rc;
	if (walk.meta.transaction != transaction)
		return EAGAIN;
	walk.n_pages = walk.meta.last_page + 1;
	return check_trees(&walk);
}
