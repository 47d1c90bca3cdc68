/* SPDX-License-Identifier: ISC */
/*
 * Cells lie in chunks: one chunk holds a metric's cells for SLOTS_PER_CHUNK neighbouring slots,
 * and a thread's block points to its chunks. Only the owner allocates chunks and writes cells; it
 * publishes a chunk with a release store, so that a reader which finds the pointer also finds the
 * zeroes behind it. A cell is read and written with relaxed atomics: sums need no order.
 *
 * The lock guards the list of blocks, the common sums and the slot labels. Adding to a cell that
 * exists takes no lock; readers, a thread's first and last count, and counter_slot do.
 *
 * A histogram is a metric whose second dimension is the bucket, with the sum of all observations
 * as one value more.
 */
#include "base/counters.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/list.h"

#define MAX_SLOTS	4096
#define SLOTS_PER_CHUNK 16
#define N_CHUNKS	(MAX_SLOTS / SLOTS_PER_CHUNK)

const uint64_t counter_bucket_bounds[N_BUCKETS] = {
    25,	   50,	   100,	   250,	    1000,    2500,     10000,
    25000, 100000, 250000, 1000000, 2500000, 10000000, UINT64_MAX,
};

static const struct metric_row metrics[] = {
#define METRIC(id, name, type, scope, dim1, dim2, help) \
	[METRIC_##id] = {name, help, METRIC_TYPE_##type, SCOPE_##scope, {DIM_##dim1, DIM_##dim2}},
#include "tbl/counters.h"
#undef METRIC
};

/* The rows of tbl/labels.h in one array: each dimension's name, then its values. */
static const char *const label_rows[] = {
#define LABEL_DIM(dim, name) name,
#define LABEL(dim, id, text) text,
#include "tbl/labels.h"
#undef LABEL_DIM
#undef LABEL
};

enum label_position {
#define LABEL_DIM(dim, name) POSITION_##dim,
#define LABEL(dim, id, text) POSITION_##dim##_##id,
#include "tbl/labels.h"
#undef LABEL_DIM
#undef LABEL
	POSITION_END
};

/* Where each dimension starts in label_rows; the next one's start is its end. */
static const unsigned label_starts[N_DIMS + 1] = {
#define LABEL_DIM(dim, name) [DIM_##dim] = POSITION_##dim,
#define LABEL(dim, id, text)
#include "tbl/labels.h"
#undef LABEL_DIM
#undef LABEL
    [N_DIMS] = POSITION_END,
};

struct chunk {
	unsigned n_slots;
	unsigned n_a, n_b; /* values of the dimensions */
	_Atomic uint64_t cells[];
};

/* Owned by one thread; others read it under the lock. */
struct block {
	struct list link; /* in blocks */
	_Atomic(struct chunk *) chunks[N_METRICS][N_CHUNKS];
};

struct slots {
	unsigned n; /* registered, slot 0 not counted */
	uint64_t hashes[MAX_SLOTS];
	const char *labels[MAX_SLOTS]; /* owned, never freed */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list blocks = {&blocks, &blocks}; /* living threads */
static struct block ended;			/* sums of the threads that have ended */
static struct slots slots[N_SCOPES];
static _Thread_local struct block *own;

static const char *const no_labels[N_SCOPES] = {
    [SCOPE_NONE] = "",
    [SCOPE_ISSUER] = "issuer=\"\"",
    [SCOPE_RESPONDER] = "issuer=\"\",responder=\"\"",
    [SCOPE_TIER] = "tier=\"\"",
};

const struct metric_row *metric_row(enum metric metric)
{
	assert((unsigned)metric < N_METRICS);
	return &metrics[metric];
}

/* Whether the values of a dimension are the rows of tbl/errors.h. */
static bool is_of_errors(enum label_dim dim)
{
	return dim == DIM_REASON || dim == DIM_UPSTREAM_RESULT;
}

unsigned label_count(enum label_dim dim)
{
	assert((unsigned)dim < N_DIMS);
	if (dim == DIM_NONE)
		return 1;
	if (is_of_errors(dim))
		return N_ERRORS;
	return label_starts[dim + 1] - label_starts[dim] - 1;
}

const char *label_name(enum label_dim dim)
{
	assert((unsigned)dim < N_DIMS);
	if (dim == DIM_NONE)
		return "";
	if (is_of_errors(dim))
		return dim == DIM_REASON ? "reason" : "result";
	return label_rows[label_starts[dim]];
}

const char *label_text(enum label_dim dim, unsigned value)
{
	assert(value < label_count(dim));
	if (dim == DIM_NONE)
		return "";
	return is_of_errors(dim) ? err_row((err_t)value)->label
				 : label_rows[label_starts[dim] + 1 + value];
}

/* Under the lock: the slot of these labels, 0 if there is none. */
static unsigned find_slot(const struct slots *table, const char *labels, uint64_t hash)
{
	for (unsigned slot = 1; slot <= table->n; slot++) {
		if (table->hashes[slot] == hash && strcmp(table->labels[slot], labels) == 0)
			return slot;
	}
	return 0;
}

/* Under the lock. */
static unsigned add_slot(struct slots *table, const char *labels, uint64_t hash)
{
	char *copy;

	if (table->n + 1 >= MAX_SLOTS)
		return 0;
	copy = strdup(labels);
	if (!copy)
		return 0;
	table->n++;
	table->hashes[table->n] = hash;
	table->labels[table->n] = copy;
	return table->n;
}

unsigned counter_slot(enum counter_scope scope, const char *labels)
{
	/* Only saves string comparisons: a collision costs one, so the key need not be secret. */
	static const struct hash_key key;
	uint64_t hash = hash_bytes(&key, labels, strlen(labels));
	unsigned slot;

	assert((unsigned)scope < N_SCOPES);
	if (scope == SCOPE_NONE || strcmp(labels, no_labels[scope]) == 0)
		return 0;
	pthread_mutex_lock(&lock);
	slot = find_slot(&slots[scope], labels, hash);
	if (slot == 0)
		slot = add_slot(&slots[scope], labels, hash);
	pthread_mutex_unlock(&lock);
	return slot;
}

unsigned counter_slots(enum counter_scope scope)
{
	unsigned n;

	assert((unsigned)scope < N_SCOPES);
	pthread_mutex_lock(&lock);
	n = slots[scope].n + 1;
	pthread_mutex_unlock(&lock);
	return n;
}

const char *counter_slot_labels(enum counter_scope scope, unsigned slot)
{
	const char *labels;

	assert((unsigned)scope < N_SCOPES && slot < MAX_SLOTS);
	if (slot == 0)
		return no_labels[scope];
	pthread_mutex_lock(&lock);
	labels = slots[scope].labels[slot];
	pthread_mutex_unlock(&lock);
	assert(labels);
	return labels;
}

/* How the first character of a label value is written; n_in: octets of it, n_out: of the text. */
static const char *escape(struct slice value, size_t *n_in, size_t *n_out)
{
	uint32_t code;

	*n_in = utf8_decode(value, &code);
	*n_out = 2;
	if (*n_in == 0) {
		/* One octet that is not UTF-8 would cost the scraper the whole page. */
		*n_in = 1;
		*n_out = 1;
		return "?";
	}
	if (code == '\\')
		return "\\\\";
	if (code == '"')
		return "\\\"";
	if (code == '\n')
		return "\\n";
	*n_out = *n_in;
	return (const char *)value.p;
}

void counter_label(char *dst, size_t cap, const char *name, const char *value)
{
	size_t len = strlen(name);
	struct slice rest = slice_text(value);

	if (cap == 0)
		return;
	*dst = '\0';
	if (cap < len + sizeof("=\"\""))
		return;
	memcpy(dst, name, len);
	dst[len++] = '=';
	dst[len++] = '"';
	while (rest.len > 0) {
		size_t n_in, n_out;
		const char *text = escape(rest, &n_in, &n_out);

		if (n_out > cap - len - sizeof("\""))
			break;
		memcpy(dst + len, text, n_out);
		len += n_out;
		rest = slice_skip(rest, n_in);
	}
	dst[len++] = '"';
	dst[len] = '\0';
}

/* The calling thread's block, made at its first count. NULL: no memory. */
static struct block *make_block(void)
{
	struct block *block = calloc(1, sizeof(*block));

	if (!block)
		return NULL;
	pthread_mutex_lock(&lock);
	list_append(&blocks, &block->link);
	pthread_mutex_unlock(&lock);
	return block;
}

/* The chunk of the calling thread that add found missing. NULL: no memory. */
static __attribute__((noinline)) struct chunk *make_chunk(enum metric metric, unsigned slot)
{
	const struct metric_row *row = metric_row(metric);
	unsigned n_slots = row->scope == SCOPE_NONE ? 1 : SLOTS_PER_CHUNK;
	unsigned n_a = label_count(row->dim[0]);
	unsigned n_b =
	    row->type == METRIC_TYPE_HISTOGRAM ? N_BUCKETS + 1 : label_count(row->dim[1]);
	size_t n_cells = (size_t)n_slots * n_a * n_b;
	struct chunk *chunk;

	assert(slot < (n_slots == 1 ? 1 : MAX_SLOTS));
	if (!own)
		own = make_block();
	if (!own)
		return NULL;
	chunk = calloc(1, sizeof(*chunk) + n_cells * sizeof(chunk->cells[0]));
	if (!chunk)
		return NULL;
	chunk->n_slots = n_slots;
	chunk->n_a = n_a;
	chunk->n_b = n_b;
	atomic_store_explicit(&own->chunks[metric][slot / SLOTS_PER_CHUNK], chunk,
			      memory_order_release);
	return chunk;
}

static _Atomic uint64_t *cell_of(struct chunk *chunk, unsigned slot, unsigned a, unsigned b)
{
	slot %= SLOTS_PER_CHUNK;
	assert(slot < chunk->n_slots && a < chunk->n_a && b < chunk->n_b);
	return &chunk->cells[(slot * chunk->n_a + a) * chunk->n_b + b];
}

/* Unsigned, so that a gauge may go below zero and nothing ever overflows. */
static void add(enum metric metric, unsigned slot, unsigned a, unsigned b, uint64_t n)
{
	struct chunk *chunk = NULL;
	_Atomic uint64_t *cell;

	assert((unsigned)metric < N_METRICS && slot < MAX_SLOTS);
	if (own)
		chunk = atomic_load_explicit(&own->chunks[metric][slot / SLOTS_PER_CHUNK],
					     memory_order_relaxed);
	if (!chunk)
		chunk = make_chunk(metric, slot);
	if (!chunk)
		return;
	cell = cell_of(chunk, slot, a, b);
	atomic_store_explicit(cell, atomic_load_explicit(cell, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

void counter_add(enum metric metric, unsigned slot, unsigned a, unsigned b, int64_t n)
{
	add(metric, slot, a, b, (uint64_t)n);
}

void counter_observe(enum metric metric, unsigned slot, unsigned a, uint64_t us)
{
	unsigned bucket = 0;

	assert(metric_row(metric)->type == METRIC_TYPE_HISTOGRAM);
	while (us > counter_bucket_bounds[bucket])
		bucket++;
	add(metric, slot, a, bucket, 1);
	add(metric, slot, a, N_BUCKETS, us);
}

/* Under the lock. */
static uint64_t cell_in(struct block *block, enum metric metric, unsigned slot, unsigned a,
			unsigned b)
{
	struct chunk *chunk = atomic_load_explicit(&block->chunks[metric][slot / SLOTS_PER_CHUNK],
						   memory_order_acquire);

	if (!chunk)
		return 0;
	return atomic_load_explicit(cell_of(chunk, slot, a, b), memory_order_relaxed);
}

/* Under the lock. */
static uint64_t sum_of(enum metric metric, unsigned slot, unsigned a, unsigned b)
{
	uint64_t sum;

	assert((unsigned)metric < N_METRICS && slot < MAX_SLOTS);
	sum = cell_in(&ended, metric, slot, a, b);
	for (struct list *node = blocks.next; node != &blocks; node = node->next)
		sum += cell_in(LIST_ENTRY(node, struct block, link), metric, slot, a, b);
	return sum;
}

int64_t counter_sum(enum metric metric, unsigned slot, unsigned a, unsigned b)
{
	uint64_t sum;

	pthread_mutex_lock(&lock);
	sum = sum_of(metric, slot, a, b);
	pthread_mutex_unlock(&lock);
	return (int64_t)sum;
}

void counter_histogram(enum metric metric, unsigned slot, unsigned a, struct histogram *out)
{
	assert(metric_row(metric)->type == METRIC_TYPE_HISTOGRAM);
	pthread_mutex_lock(&lock);
	for (unsigned bucket = 0; bucket < N_BUCKETS; bucket++)
		out->n[bucket] = sum_of(metric, slot, a, bucket);
	out->sum_us = sum_of(metric, slot, a, N_BUCKETS);
	pthread_mutex_unlock(&lock);
}

/*
 * Under the lock: the thread's chunk becomes the common one where there is none yet, otherwise its
 * cells are added there. So folding needs no memory and cannot fail.
 */
static void fold_chunk(struct chunk *chunk, _Atomic(struct chunk *) *common)
{
	size_t n_cells = (size_t)chunk->n_slots * chunk->n_a * chunk->n_b;
	struct chunk *sums = atomic_load_explicit(common, memory_order_relaxed);

	if (!sums) {
		atomic_store_explicit(common, chunk, memory_order_relaxed);
		return;
	}
	for (size_t i = 0; i < n_cells; i++) {
		uint64_t n = atomic_load_explicit(&chunk->cells[i], memory_order_relaxed);

		n += atomic_load_explicit(&sums->cells[i], memory_order_relaxed);
		atomic_store_explicit(&sums->cells[i], n, memory_order_relaxed);
	}
	free(chunk);
}

void counter_thread_end(void)
{
	struct block *block = own;

	if (!block)
		return;
	own = NULL;
	pthread_mutex_lock(&lock);
	list_remove(&block->link);
	for (unsigned metric = 0; metric < N_METRICS; metric++) {
		for (unsigned i = 0; i < N_CHUNKS; i++) {
			struct chunk *chunk =
			    atomic_load_explicit(&block->chunks[metric][i], memory_order_relaxed);

			if (chunk)
				fold_chunk(chunk, &ended.chunks[metric][i]);
		}
	}
	pthread_mutex_unlock(&lock);
	free(block);
}
