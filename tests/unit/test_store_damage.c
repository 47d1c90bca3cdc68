/* SPDX-License-Identifier: ISC */
/* The store on disk when the disk, or somebody, does it harm. */
#include "base/buf.h"
#include "io/files.h"
#include "store_kit.h"

#define N_RECORDS 500

static void write_file(const char *path, const void *p, size_t len)
{
	FILE *file = fopen(path, "wb");

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(p, 1, len, file), len);
	fclose(file);
}

/* Overwrites part of a file in place. */
static void spoil(const char *path, off_t offset, const void *p, size_t len)
{
	int fd = open(path, O_WRONLY);

	cr_assert_geq(fd, 0);
	cr_assert_eq(pwrite(fd, p, len, offset), (ssize_t)len);
	close(fd);
}

/* Records of several pages' worth, in a store that is closed again. */
static void fill(struct kit *kit)
{
	char key[16], record[600];
	unsigned i;

	memset(record, 'r', sizeof(record) - 1);
	record[sizeof(record) - 1] = '\0';
	kit_open(kit);
	for (i = 0; i < N_RECORDS; i++) {
		snprintf(key, sizeof(key), "key-%u", i);
		kit_put(kit, key, record, FAR_OFF + i);
	}
	kit_close(kit);
}

/* A failing store takes all calls. */
static void expect_down(struct kit *kit)
{
	struct slice record = {NULL, 7};

	KIT_WAIT(!store_is_up(kit->shared));
	cr_expect_eq(counter_sum(METRIC_STORE_UP, kit->shared->slot, 0, 0), 0);
	cr_expect_eq(kit_get(kit, "a", &record), ERR_STORE_FAULT);
	cr_expect_eq(record.len, 7);
	cr_expect_gt(GETS(kit, ERROR), 0);
	cr_expect_eq(atomic_load(&kit_events[EVENT_STORE_FAILED]), 1);
}

static void expect_back(struct kit *kit)
{
	struct slice record;

	KIT_WAIT(atomic_load(&kit_events[EVENT_STORE_BACK]) == 1);
	cr_expect(store_is_up(kit->shared));
	cr_expect_eq(counter_sum(METRIC_STORE_UP, kit->shared->slot, 0, 0), 1);
	kit_put(kit, "back", "again", FAR_OFF);
	KIT_WAIT(kit_get(kit, "back", &record) == OK);
	cr_expect(slice_eq(record, slice_text("again")));
}

Test(store_damage, a_directory_that_cannot_be_made_is_tried_again)
{
	struct kit kit;
	char parent[64];

	kit_init(&kit);
	snprintf(parent, sizeof(parent), "%s", kit.directory);
	strcat(kit.directory, "/sub/store");
	kit_open(&kit);
	expect_down(&kit);
	kit_put(&kit, "a", "one", FAR_OFF);
	store_delete(kit.store, slice_text("b"));
	cr_expect_str_eq(kit_reason, "No such file or directory");

	strcat(parent, "/sub");
	cr_assert_eq(mkdir(parent, 0700), 0);
	expect_back(&kit);
	kit_expect(&kit, "a", "one"); /* it has waited */
	kit_close(&kit);
	kit_fini(&kit);
	rmdir(parent);
	*strrchr(parent, '/') = '\0';
	rmdir(parent);
}

Test(store_damage, a_store_that_never_opens_closes)
{
	struct kit kit;

	kit_init(&kit);
	kit_fini(&kit);
	snprintf(kit.directory, sizeof(kit.directory), "/proc/self/none");
	kit.opts.ms_pause = 60000;
	kit_open(&kit);
	expect_down(&kit);
	kit_put(&kit, "a", "one", FAR_OFF);
	cr_expect_eq(PUTS(&kit, DROPPED), 0);
	store_detach(kit.store);
	store_close(kit.shared);
	cr_expect_eq(
	    counter_sum(METRIC_STORE_OPERATIONS, 1, LABEL_OP_PUT, LABEL_STORE_RESULT_DROPPED), 1,
	    "what was never written is counted");
}

Test(store_damage, a_queue_that_is_full_drops_and_counts)
{
	static char record[1 << 20];
	struct kit kit;
	unsigned i;

	memset(record, 'r', sizeof(record) - 1);
	kit_init(&kit);
	kit_fini(&kit);
	snprintf(kit.directory, sizeof(kit.directory), "/proc/self/none");
	kit.opts.ms_pause = 60000;
	kit_open(&kit);
	for (i = 0; i < 65537; i++)
		kit_put(&kit, "a", "", FAR_OFF);
	cr_expect_eq(PUTS(&kit, DROPPED), 1, "by number");
	kit_close(&kit);

	kit_open(&kit);
	for (i = 0; i < 64; i++)
		kit_put(&kit, "a", record, FAR_OFF);
	cr_expect_eq(PUTS(&kit, DROPPED), 1 + 65536 + 1, "by octets");
	kit_close(&kit);
}

Test(store_damage, garbage_in_place_of_the_file_is_left_alone)
{
	static const char garbage[] = "This is no database.";
	char path[128], away[128];
	struct kit kit;
	struct buf buf;

	kit_init(&kit);
	snprintf(path, sizeof(path), "%s", kit_path(&kit, "data.mdb"));
	snprintf(away, sizeof(away), "%s", kit_path(&kit, "old.mdb"));
	write_file(path, garbage, sizeof(garbage));
	kit_open(&kit);
	expect_down(&kit);
	KIT_WAIT(GETS(&kit, ERROR) > 0);

	cr_assert_eq(rename(path, away), 0);
	expect_back(&kit);
	kit_close(&kit);
	buf_init(&buf, 100);
	cr_assert_eq(file_read(away, &buf), OK);
	cr_expect(slice_eq(buf_slice(&buf), slice_of(garbage, sizeof(garbage))));
	buf_fini(&buf);
	kit_fini(&kit);
}

Test(store_damage, meta_pages_that_cannot_be_are_refused)
{
	static const struct {
		off_t offset; /* in each meta page */
		size_t len;
		uint64_t value;
	} rows[] = {
	    {40, 4, 0},		 /* page size */
	    {40, 4, 100},	 /* not a power of two */
	    {40, 4, UINT32_MAX}, /* too large */
	    {40, 4, 8192},	 /* not where the second one is */
	    {128, 8, 1000000},	 /* root of the main tree */
	    {80, 8, 1000000},	 /* root of the tree of free pages */
	    {128, 8, UINT64_MAX - 1},
	};
	size_t i, page;

	for (i = 0; i < N_ELEMENTS(rows); i++) {
		struct kit kit;

		kit_init(&kit);
		atomic_store(&kit_events[EVENT_STORE_FAILED], 0);
		atomic_store(&kit_events[EVENT_STORE_BACK], 0);
		fill(&kit);
		for (page = 0; page < 2; page++)
			spoil(kit_path(&kit, "data.mdb"), (off_t)(page * 4096) + rows[i].offset,
			      &rows[i].value, rows[i].len);
		kit_open(&kit);
		expect_down(&kit);
		kit_close(&kit);
		kit_fini(&kit);
	}
}

/* What a copy on a disk that filled up looks like. */
Test(store_damage, a_file_without_its_trees_is_refused)
{
	struct kit kit;

	kit_init(&kit);
	fill(&kit);
	cr_assert_eq(truncate(kit_path(&kit, "data.mdb"), 2 * 4096), 0);
	kit_open(&kit);
	expect_down(&kit);
	kit_close(&kit);
	kit_fini(&kit);
}

Test(store_damage, a_value_that_is_none_of_ours_is_not_found)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val key = {1, (void *)(uintptr_t) "a"}, value = {3, (void *)(uintptr_t) "odd"};
	struct kit kit;

	kit_init(&kit);
	fill(&kit);
	cr_assert_eq(mdb_env_create(&env), 0);
	cr_assert_eq(mdb_env_set_maxdbs(env, 2), 0);
	cr_assert_eq(mdb_env_open(env, kit.directory, 0, 0640), 0);
	cr_assert_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
	cr_assert_eq(mdb_dbi_open(txn, "records", 0, &dbi), 0);
	cr_assert_eq(mdb_put(txn, dbi, &key, &value, 0), 0);
	cr_assert_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);

	kit_open(&kit);
	kit_expect_none(&kit, "a");
	kit_store(&kit, "a", "one");
	kit_expect(&kit, "a", "one");
	kit_close(&kit);
	kit_fini(&kit);
}

/* --- full ------------------------------------------------------------------------------------- */

/* Puts until one fails; how many did not. */
static unsigned fill_up(struct kit *kit, int64_t hard_expiry)
{
	static char record[4000];
	char key[16];
	unsigned n = 0;
	int64_t stored;

	memset(record, 'r', sizeof(record) - 1);
	while (PUTS(kit, ERROR) == 0) {
		stored = PUTS(kit, OK);
		snprintf(key, sizeof(key), "key-%u", n);
		kit_put(kit, key, record, hard_expiry);
		KIT_WAIT(PUTS(kit, OK) > stored || PUTS(kit, ERROR) > 0);
		n += PUTS(kit, OK) > stored;
	}
	return n;
}

Test(store_damage, a_full_store_makes_room_by_removing_what_has_expired)
{
	struct kit kit;
	unsigned n, i;
	char key[16], record[4000];

	memset(record, 'n', sizeof(record) - 1);
	record[sizeof(record) - 1] = '\0';
	kit_init(&kit);
	kit.opts.map_size = 1 << 20;
	kit.opts.ms_idle = 60000;
	kit.opts.max_expired = 0;
	kit_open(&kit);
	n = fill_up(&kit, 1000);
	kit_close(&kit);
	atomic_store(&kit_events[EVENT_STORE_FAILED], 0);

	kit.opts.max_expired = 2; /* less than a commit needs */
	kit_open(&kit);
	for (i = 0; i < n / 2; i++) {
		snprintf(key, sizeof(key), "new-%u", i);
		kit_store(&kit, key, record);
	}
	cr_expect_eq(atomic_load(&kit_events[EVENT_STORE_FAILED]), 0, "%s", kit_reason);
	cr_expect(store_is_up(kit.shared));
	kit_expect(&kit, "new-0", record);
	kit_close(&kit);
	kit_fini(&kit);
}

/* One failure is logged, not one for each attempt. */
Test(store_damage, a_store_that_stays_full_says_so_once)
{
	struct kit kit;
	int64_t errors;
	int i;

	kit_init(&kit);
	kit.opts.map_size = 1 << 20;
	kit.opts.ms_pause = 1;
	kit_open(&kit);
	fill_up(&kit, FAR_OFF);
	for (i = 0; i < 5; i++) {
		static char record[100000];

		memset(record, 'r', sizeof(record) - 1);
		errors = PUTS(&kit, ERROR);
		kit_put(&kit, "large", record, FAR_OFF);
		KIT_WAIT(PUTS(&kit, ERROR) > errors);
	}
	cr_expect_leq(atomic_load(&kit_events[EVENT_STORE_FAILED]),
		      1 + atomic_load(&kit_events[EVENT_STORE_BACK]));
	kit_close(&kit);
	kit_fini(&kit);
}
