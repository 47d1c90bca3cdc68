/* SPDX-License-Identifier: ISC */
/* The store on disk while all is well, and when the process is killed. */
#include <signal.h>
#include <sys/wait.h>

#include "store_kit.h"

Test(store, the_words_of_the_configuration_are_checked)
{
	static const char *const bad[] = {"",	     "lmdb",	   "lmdb:",	  "lmdb:relative",
					  "LMDB:/a", "/var/lib/a", "nosql://a/0", "lmdb//a"};
	char url[PATH_MAX + 10] = "lmdb:/";
	size_t i;

	cr_expect_null(store_check("lmdb:/var/lib/ocsprelay"));
	for (i = 0; i < N_ELEMENTS(bad); i++)
		cr_expect_not_null(store_check(bad[i]), "%s", bad[i]);
	memset(url + 6, 'a', PATH_MAX);
	cr_expect_not_null(store_check(url));
	cr_expect_null(store_open("nosql://a/0", NULL));
	store_close(NULL);
	store_detach(NULL);
	store_cancel(NULL);
}

Test(store_lmdb, what_is_put_is_got)
{
	struct kit kit;

	kit_init(&kit);
	kit_open_and_wait(&kit);
	cr_expect(store_is_up(kit.shared));
	cr_expect_eq(counter_sum(METRIC_STORE_UP, kit.shared->slot, 0, 0), 1);
	cr_expect_eq(atomic_load(&kit_events[EVENT_STORE_OPEN]), 1);
	cr_expect_str_eq(counter_slot_labels(SCOPE_TIER, store_slot(kit.store)), "tier=\"lmdb\"");
	cr_expect_str_eq(store_name(kit.store), "disk", "HS-24");

	kit_expect_none(&kit, "a");
	kit_store(&kit, "a", "one");
	kit_store(&kit, "b", "");
	kit_expect(&kit, "a", "one");
	kit_expect(&kit, "b", "");
	kit_expect_none(&kit, "ab");
	kit_store(&kit, "a", "another one");
	kit_expect(&kit, "a", "another one");

	cr_expect_eq(GETS(&kit, OK), 3);
	cr_expect_eq(GETS(&kit, NOT_FOUND), 2);
	cr_expect_eq(PUTS(&kit, OK), 3);
	kit_close(&kit);
	cr_expect_eq(kit_rows(&kit, "records"), 2);
	cr_expect_eq(kit_rows(&kit, "expiry"), 2, "the old row of an overwritten record goes");
	kit_fini(&kit);
}

Test(store_lmdb, commits_and_reads_are_timed)
{
	struct kit kit;
	struct histogram puts, gets;
	uint64_t n_puts = 0, n_gets = 0;
	size_t i;

	kit_init(&kit);
	kit_open(&kit);
	kit_store(&kit, "a", "one");
	kit_expect(&kit, "a", "one");
	counter_histogram(METRIC_STORE_SECONDS, kit.shared->slot, LABEL_OP_PUT, &puts);
	counter_histogram(METRIC_STORE_SECONDS, kit.shared->slot, LABEL_OP_GET, &gets);
	for (i = 0; i < N_BUCKETS; i++) {
		n_puts += puts.n[i];
		n_gets += gets.n[i];
	}
	cr_expect_eq(n_puts, 1, "%u", (unsigned)n_puts);
	cr_expect_eq(n_gets, 1);
	kit_close(&kit);
	kit_fini(&kit);
}

Test(store_lmdb, large_records_and_the_longest_key)
{
	static uint8_t record[1 << 20];
	static const uint8_t key[256] = {0xff, 0x00};
	struct slice got = {NULL, 0};
	struct store_read *read = NULL;
	struct kit kit;
	size_t i;

	for (i = 0; i < sizeof(record); i++)
		record[i] = (uint8_t)(i * 31);
	kit_init(&kit);
	kit_open(&kit);
	store_put(kit.store, slice_of(key, sizeof(key)), slice_of(record, sizeof(record)), FAR_OFF);
	KIT_WAIT(PUTS(&kit, OK) == 1);
	cr_expect_eq(store_get(kit.store, slice_of(key, sizeof(key)), NULL, NULL, &got, &read), OK);
	cr_expect(slice_eq(got, slice_of(record, sizeof(record))));
	kit_close(&kit);
	kit_fini(&kit);
}

Test(store_lmdb, a_key_that_no_store_takes_is_dropped)
{
	static const uint8_t key[257];
	struct kit kit;

	kit_init(&kit);
	kit_open(&kit);
	store_put(kit.store, slice_of(key, sizeof(key)), slice_text("x"), FAR_OFF);
	store_put(kit.store, slice_of(key, 0), slice_text("x"), FAR_OFF);
	store_delete(kit.store, slice_of(key, 0));
	cr_expect_eq(PUTS(&kit, DROPPED), 2);
	cr_expect_eq(DELETES(&kit, DROPPED), 1);
	kit_close(&kit);
	kit_fini(&kit);
}

Test(store_lmdb, a_closed_store_has_what_was_queued)
{
	struct kit kit;
	char key[16];
	unsigned i;

	kit_init(&kit);
	kit_open(&kit);
	for (i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "key-%u", i);
		kit_put(&kit, key, key, FAR_OFF);
	}
	kit_close(&kit);
	cr_expect_eq(counter_sum(METRIC_STORE_UP, 1, 0, 0), 0);
	kit_open(&kit);
	for (i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "key-%u", i);
		kit_expect(&kit, key, key);
	}
	kit_close(&kit);
	kit_fini(&kit);
}

Test(store_lmdb, the_default_store_opens_where_the_map_does_not_fit)
{
	struct kit kit;
	char url[80];

	kit_init(&kit);
	snprintf(url, sizeof(url), "lmdb:%s", kit.directory);
	kit.shared = store_open(url, NULL);
	kit.store = store_attach(kit.shared, NULL);
	cr_expect(store_is_up(kit.shared));
	kit_store(&kit, "a", "one");
	kit_close(&kit);

	kit.opts.map_size = (size_t)1 << 60; /* no machine has that */
	kit_open(&kit);
	cr_expect(store_is_up(kit.shared), "%s", kit_reason);
	kit_expect(&kit, "a", "one");
	kit_close(&kit);
	kit_fini(&kit);
}

Test(store_lmdb, the_directory_is_made_and_closed_to_others)
{
	struct kit kit;
	struct stat status;

	kit_init(&kit);
	rmdir(kit.directory);
	umask(0);
	kit_open(&kit);
	cr_assert(store_is_up(kit.shared));
	cr_expect_eq(stat(kit.directory, &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0750);
	cr_expect_eq(stat(kit_path(&kit, "data.mdb"), &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0640);
	kit_close(&kit);
	kit_fini(&kit);
}

Test(store_lmdb, writes_are_done_in_order)
{
	struct kit kit;

	kit_init(&kit);
	kit_open(&kit);
	kit_put(&kit, "a", "one", FAR_OFF);
	store_delete(kit.store, slice_text("a"));
	kit_put(&kit, "a", "two", FAR_OFF);
	kit_put(&kit, "b", "one", FAR_OFF);
	store_delete(kit.store, slice_text("b"));
	kit_close(&kit);
	kit_open(&kit);
	kit_expect(&kit, "a", "two");
	kit_expect_none(&kit, "b");
	kit_close(&kit);
	kit_fini(&kit);
}

/* --- expiry ----------------------------------------------------------------------------------- */

Test(store_lmdb, F3_an_expired_record_is_not_found)
{
	struct kit kit;

	kit_init(&kit);
	kit_open(&kit);
	kit_put(&kit, "a", "one", 1000);
	kit_put(&kit, "b", "two", -5);
	KIT_WAIT(PUTS(&kit, OK) == 2);
	kit_expect_none(&kit, "a");
	kit_expect_none(&kit, "b");
	kit_close(&kit);
	kit_fini(&kit);
}

/* A closed store of n records that have expired. */
static void fill_with_expired(struct kit *kit, unsigned n)
{
	size_t max_expired = kit->opts.max_expired;
	char key[16];
	unsigned i;

	kit->opts.max_expired = 0;
	kit_open(kit);
	for (i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "%u", i);
		kit_put(kit, key, "x", 1000 + i);
	}
	kit_close(kit);
	cr_assert_eq(kit_rows(kit, "records"), n);
	kit->opts.max_expired = max_expired;
}

Test(store_lmdb, expired_records_are_removed_by_the_next_commits)
{
	struct kit kit;

	kit_init(&kit);
	kit.opts.ms_idle = 60000;
	kit.opts.max_expired = 10;
	fill_with_expired(&kit, 45);
	kit_open(&kit);
	kit_store(&kit, "a", "kept");
	kit_close(&kit); /* more than one transaction removes */
	cr_expect_eq(kit_rows(&kit, "records"), 1);
	cr_expect_eq(kit_rows(&kit, "expiry"), 1);
	kit_fini(&kit);
}

/* Asked by another process: one must not open an environment twice. */
static bool has_no_records(const struct kit *kit)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(kit_rows(kit, "records") == 0 && kit_rows(kit, "expiry") == 0 ? 0 : 1);
	cr_assert_eq(waitpid(child, &status, 0), child);
	return status == 0;
}

Test(store_lmdb, expired_records_are_removed_while_nothing_is_written)
{
	struct kit kit;

	kit_init(&kit);
	kit.opts.ms_idle = 1;
	kit.opts.max_expired = 10;
	fill_with_expired(&kit, 100);
	kit_open(&kit);
	KIT_WAIT(has_no_records(&kit));
	kit_close(&kit);
	kit_fini(&kit);
}

static uint64_t n_transactions(unsigned slot)
{
	struct histogram histogram;
	uint64_t n = 0;

	counter_histogram(METRIC_STORE_SECONDS, slot, LABEL_OP_PUT, &histogram);
	for (unsigned i = 0; i < N_BUCKETS; i++)
		n += histogram.n[i];
	return n;
}

Test(store_lmdb, what_comes_soon_after_a_write_is_gathered)
{
	struct slice got;
	struct kit kit;
	unsigned slot;

	kit_init(&kit);
	kit.opts.ms_gather = 60000;
	kit_open(&kit);
	slot = kit.shared->slot;
	kit_store(&kit, "alone", "x");
	for (int i = 0; i < 8; i++) {
		kit_put(&kit, "gathered", "y", FAR_OFF);
		for (int n = 0; n < 5000; n++) /* a writer that does not wait comes first */
			cr_assert_eq(kit_get(&kit, "gathered", &got), ERR_NOT_FOUND);
	}
	kit_close(&kit); /* writes what there is */
	cr_expect_eq(n_transactions(slot), 2);
	cr_expect_eq(kit_rows(&kit, "records"), 2);
	kit_fini(&kit);
}

Test(store_lmdb, a_flood_is_not_gathered_for_long)
{
	struct kit kit;

	kit_init(&kit);
	kit.opts.ms_gather = 60000;
	kit_open(&kit);
	kit_store(&kit, "alone", "x");
	for (int i = 0; i < 8192; i++)
		kit_put(&kit, "one of many", "y", FAR_OFF);
	KIT_WAIT(PUTS(&kit, OK) == 8193);
	kit_close(&kit);
	kit_fini(&kit);
}

Test(store_lmdb, a_new_expiry_replaces_the_old_one)
{
	struct kit kit;

	kit_init(&kit);
	kit_open(&kit);
	kit_put(&kit, "a", "short", 1000);
	kit_put(&kit, "a", "long", FAR_OFF);
	kit_put(&kit, "b", "long", FAR_OFF);
	kit_put(&kit, "b", "short", 1000);
	KIT_WAIT(PUTS(&kit, OK) == 4);
	kit_store(&kit, "c", "x");
	kit_expect(&kit, "a", "long");
	kit_close(&kit);
	cr_expect_eq(kit_rows(&kit, "records"), 2);
	cr_expect_eq(kit_rows(&kit, "expiry"), 2);
	kit_fini(&kit);
}

/* --- several processes ------------------------------------------------------------------------ */

/* Puts records for ever, and writes the number of those counted as stored to the pipe. */
static void put_until_killed(struct kit *kit, int pipe_fd)
{
	uint32_t n = 0, stored;
	char key[16];

	kit_open(kit);
	for (;;) {
		snprintf(key, sizeof(key), "key-%u", n++);
		kit_put(kit, key, key, FAR_OFF);
		if (n % 16 == 0)
			poll(NULL, 0, 1);
		stored = (uint32_t)PUTS(kit, OK);
		if (write(pipe_fd, &stored, sizeof(stored)) != sizeof(stored))
			_exit(1);
	}
}

Test(store_lmdb, what_is_counted_as_stored_survives_kill_9)
{
	struct kit kit;
	int fds[2];
	uint32_t stored = 0, last, i;
	char key[16];
	pid_t child;

	kit_init(&kit);
	cr_assert_eq(pipe(fds), 0);
	child = fork();
	if (child == 0)
		put_until_killed(&kit, fds[1]);
	close(fds[1]);
	while (stored < 500)
		cr_assert_eq(read(fds[0], &stored, sizeof(stored)), sizeof(stored));
	cr_assert_eq(kill(child, SIGKILL), 0);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	while (read(fds[0], &last, sizeof(last)) == sizeof(last))
		stored = last; /* said before it died */
	close(fds[0]);

	kit_open(&kit);
	cr_assert(store_is_up(kit.shared), "%s", kit_reason);
	for (i = 0; i < stored; i++) {
		snprintf(key, sizeof(key), "key-%u", i);
		kit_expect(&kit, key, key);
	}
	kit_store(&kit, "next", "works");
	kit_close(&kit);
	kit_fini(&kit);
}

Test(store_lmdb, two_processes_share_a_directory)
{
	struct kit kit;
	int to_child[2], to_parent[2], status;
	char octet;
	pid_t child;

	kit_init(&kit);
	cr_assert_eq(pipe(to_child), 0);
	cr_assert_eq(pipe(to_parent), 0);
	child = fork();
	if (child == 0) {
		kit_open(&kit);
		kit_store(&kit, "a", "from the child");
		(void)!write(to_parent[1], "", 1);
		(void)!read(to_child[0], &octet, 1);
		kit_expect(&kit, "b", "from the parent");
		kit_close(&kit);
		_exit(0);
	}
	cr_assert_eq(read(to_parent[0], &octet, 1), 1);
	kit_open(&kit);
	kit_expect(&kit, "a", "from the child");
	kit_store(&kit, "b", "from the parent");
	cr_assert_eq(write(to_child[1], "", 1), 1);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0);
	kit_store(&kit, "c", "still works");
	kit_expect(&kit, "a", "from the child");
	kit_close(&kit);
	kit_fini(&kit);
}
