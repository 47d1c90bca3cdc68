/* SPDX-License-Identifier: ISC */
/* An LMDB store in a directory of its own, with one handle; what it counts and logs. */
#ifndef OCSPRELAY_TESTS_STORE_KIT_H
#define OCSPRELAY_TESTS_STORE_KIT_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <lmdb.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "base/log.h"
#include "io/store_kind.h"
#include "io/store_lmdb.h"

#define FAR_OFF INT64_C(4102444800) /* 2100-01-01 */

struct kit {
	char directory[64];
	struct store_lmdb_opts opts;
	struct store_shared *shared;
	struct store *store;
};

/* Waits for what another thread brings about; a minute is for ever. */
#define KIT_WAIT(condition)                                    \
	do {                                                   \
		int tries = 60000;                             \
                                                               \
		while (!(condition) && tries-- > 0)            \
			poll(NULL, 0, 1);                      \
		cr_assert(condition, "never: %s", #condition); \
	} while (0)

static atomic_uint kit_events[N_EVENTS];
static char kit_reason[200]; /* of the last STORE_FAILED */

static inline void kit_log(void *arg, enum log_event event, const struct log_field *fields)
{
	(void)arg;
	for (; fields->name; fields++) {
		if (event == EVENT_STORE_FAILED && strcmp(fields->name, "reason") == 0)
			snprintf(kit_reason, sizeof(kit_reason), "%.*s", (int)fields->bytes.len,
				 (const char *)fields->bytes.p);
	}
	atomic_fetch_add(&kit_events[event], 1);
}

static inline void kit_open(struct kit *kit)
{
	kit->shared = store_lmdb_open(kit->directory, &kit->opts);
	cr_assert_not_null(kit->shared);
	kit->store = store_attach(kit->shared, NULL);
	cr_assert_not_null(kit->store);
}

/* Where more matters than that it can be read. */
static inline void kit_open_and_wait(struct kit *kit)
{
	unsigned before = atomic_load(&kit_events[EVENT_STORE_OPEN]);

	kit_open(kit);
	KIT_WAIT(atomic_load(&kit_events[EVENT_STORE_OPEN]) > before);
}

static inline void kit_close(struct kit *kit)
{
	store_detach(kit->store);
	store_close(kit->shared);
}

/* A new empty directory; opens nothing. Pauses are short. */
static inline void kit_init(struct kit *kit)
{
	log_set_sink(kit_log, NULL);
	*kit = (struct kit){
	    .opts = {.map_size = (size_t)1 << 30, .ms_pause = 5, .ms_idle = 5, .max_expired = 256},
	};
	snprintf(kit->directory, sizeof(kit->directory), "/tmp/ocsprelay-test-XXXXXX");
	cr_assert_not_null(mkdtemp(kit->directory));
}

static inline const char *kit_path(const struct kit *kit, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", kit->directory, name);
	return path;
}

static inline void kit_fini(struct kit *kit)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "old.mdb"};
	size_t i;

	for (i = 0; i < N_ELEMENTS(names); i++)
		unlink(kit_path(kit, names[i]));
	rmdir(kit->directory);
}

static inline int64_t kit_count(const struct kit *kit, unsigned op, unsigned result)
{
	return counter_sum(METRIC_STORE_OPERATIONS, kit->shared->slot, op, result);
}

#define PUTS(kit, result)    kit_count(kit, LABEL_OP_PUT, LABEL_STORE_RESULT_##result)
#define GETS(kit, result)    kit_count(kit, LABEL_OP_GET, LABEL_STORE_RESULT_##result)
#define DELETES(kit, result) kit_count(kit, LABEL_OP_DELETE, LABEL_STORE_RESULT_##result)

static inline void kit_put(struct kit *kit, const char *key, const char *record,
			   int64_t hard_expiry)
{
	store_put(kit->store, slice_text(key), slice_text(record), hard_expiry);
}

/* Puts and waits until it is counted as stored. */
static inline void kit_store(struct kit *kit, const char *key, const char *record)
{
	int64_t before = PUTS(kit, OK);

	kit_put(kit, key, record, FAR_OFF);
	KIT_WAIT(PUTS(kit, OK) == before + 1);
}

static inline err_t kit_get(struct kit *kit, const char *key, struct slice *out_record)
{
	struct store_read *read = NULL;
	err_t err = store_get(kit->store, slice_text(key), NULL, NULL, out_record, &read);

	cr_assert_null(read);
	cr_assert_neq(err, ERR_AGAIN);
	return err;
}

static inline void kit_expect(struct kit *kit, const char *key, const char *record)
{
	struct slice got = {NULL, 0};

	cr_expect_eq(kit_get(kit, key, &got), OK, "%s", key);
	cr_expect(slice_eq(got, slice_text(record)), "%s: %.*s", key, (int)got.len,
		  (const char *)got.p);
}

static inline void kit_expect_none(struct kit *kit, const char *key)
{
	struct slice got = {NULL, 7};

	cr_expect_eq(kit_get(kit, key, &got), ERR_NOT_FOUND, "%s", key);
	cr_expect_eq(got.len, 7, "untouched");
}

/* Rows of one tree of a closed store. */
static inline size_t kit_rows(const struct kit *kit, const char *tree)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_stat stat;

	cr_assert_eq(mdb_env_create(&env), 0);
	cr_assert_eq(mdb_env_set_maxdbs(env, 2), 0);
	cr_assert_eq(mdb_env_open(env, kit->directory, MDB_RDONLY, 0), 0);
	cr_assert_eq(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	cr_assert_eq(mdb_dbi_open(txn, tree, 0, &dbi), 0);
	cr_assert_eq(mdb_stat(txn, dbi, &stat), 0);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	return stat.ms_entries;
}

#endif
