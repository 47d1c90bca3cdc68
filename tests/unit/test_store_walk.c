/* SPDX-License-Identifier: ISC */
/* All records of the store on disk, one after the other, or away with them. */
#include "core/key.h"
#include "store_kit.h"

#define N_RECORDS  3000
#define N_ISSUERS  3
#define RECORD_LEN 100

struct walker {
	struct loop *loop;
	struct store_walk *walk;
	bool seen[N_RECORDS];
	unsigned n_seen, n_done, cancel_at, pause_at;
	uint64_t n;
	err_t err;
};

static void make_key(uint8_t key[ISSUER_ID_LEN + 4], unsigned i)
{
	memset(key, (int)(i % N_ISSUERS), ISSUER_ID_LEN);
	put_u32(key + ISSUER_ID_LEN, i);
}

static void on_resume(void *arg)
{
	struct walker *walker = arg;

	store_walk_resume(walker->walk);
}

static void see(void *arg, struct slice key, struct slice record)
{
	struct walker *walker = arg;
	unsigned i = get_u32(key.p + ISSUER_ID_LEN);

	cr_assert_lt(i, N_RECORDS);
	cr_expect_eq(key.len, ISSUER_ID_LEN + 4);
	cr_expect_eq(record.len, RECORD_LEN);
	cr_expect_eq(record.p[0], i % 251);
	cr_expect_not(walker->seen[i], "twice: %u", i);
	walker->seen[i] = true;
	walker->n_seen++;
	if (walker->n_seen == walker->pause_at) {
		store_walk_pause(walker->walk);
		timer_start(walker->loop, 5, on_resume, walker);
	}
	if (walker->n_seen == walker->cancel_at) {
		store_walk_cancel(walker->walk);
		loop_stop(walker->loop);
	}
}

static void done(void *arg, err_t err, uint64_t n)
{
	struct walker *walker = arg;

	walker->n_done++;
	walker->err = err;
	walker->n = n;
	loop_stop(walker->loop);
}

struct scene {
	struct kit kit;
	struct walker walker;
	struct store_walk_ops ops;
};

static void on_give_up(void *arg)
{
	cr_assert_fail("never done: %s", (const char *)arg);
}

static void scene_init(struct scene *scene)
{
	uint8_t key[ISSUER_ID_LEN + 4], record[RECORD_LEN] = {0};

	memset(scene, 0, sizeof(*scene));
	kit_init(&scene->kit);
	scene->kit.shared = store_lmdb_open(scene->kit.directory, &scene->kit.opts);
	scene->walker.loop = loop_new();
	scene->kit.store = store_attach(scene->kit.shared, scene->walker.loop);
	scene->ops = (struct store_walk_ops){.see = see, .done = done, .arg = &scene->walker};
	for (unsigned i = 0; i < N_RECORDS; i++) {
		make_key(key, i);
		record[0] = (uint8_t)(i % 251);
		store_put(scene->kit.store, slice_of(key, sizeof(key)),
			  slice_of(record, sizeof(record)), FAR_OFF);
	}
	KIT_WAIT(PUTS(&scene->kit, OK) == N_RECORDS);
}

static void scene_run(struct scene *scene, const char *what)
{
	struct timer *limit =
	    timer_start(scene->walker.loop, 60000, on_give_up, (void *)(uintptr_t)what);

	loop_run(scene->walker.loop);
	timer_cancel(limit);
}

static void scene_fini(struct scene *scene)
{
	kit_close(&scene->kit);
	loop_free(scene->walker.loop);
	kit_fini(&scene->kit);
}

static void walk(struct scene *scene, struct slice prefix)
{
	struct walker *walker = &scene->walker;

	memset(walker->seen, 0, sizeof(walker->seen));
	walker->n_seen = walker->n_done = 0;
	cr_assert_eq(store_walk(scene->kit.store, prefix, &scene->ops, &walker->walk), OK);
	cr_expect_eq(walker->n_seen + walker->n_done, 0, "nothing from inside");
	scene_run(scene, "walk");
}

static void purge(struct scene *scene, struct slice prefix)
{
	struct walker *walker = &scene->walker;

	walker->n_done = 0;
	cr_assert_eq(store_purge(scene->kit.store, prefix, &scene->ops, &walker->walk), OK);
	scene_run(scene, "purge");
	cr_expect_eq(walker->n_done, 1);
	cr_expect_eq(walker->err, OK);
}

Test(store_walk, each_record_comes_once)
{
	static const uint8_t issuer[ISSUER_ID_LEN] = {0};
	struct scene scene;
	struct walker *walker = &scene.walker;

	scene_init(&scene);
	walk(&scene, slice_of(NULL, 0));
	cr_expect_eq(walker->n_done, 1);
	cr_expect_eq(walker->err, OK);
	cr_expect_eq(walker->n, N_RECORDS);
	cr_expect_eq(walker->n_seen, N_RECORDS);
	walk(&scene, slice_of(issuer, sizeof(issuer)));
	cr_expect_eq(walker->n, N_RECORDS / N_ISSUERS);
	cr_expect_eq(walker->n_seen, N_RECORDS / N_ISSUERS);
	cr_expect_eq(kit_count(&scene.kit, LABEL_OP_WALK, LABEL_STORE_RESULT_OK), 2);
	scene_fini(&scene);
}

Test(store_walk, it_can_pause_and_end_at_any_record)
{
	struct scene scene;
	struct walker *walker = &scene.walker;

	scene_init(&scene);
	for (unsigned at = 1; at <= N_RECORDS; at += 599) {
		walker->pause_at = at;
		walk(&scene, slice_of(NULL, 0));
		cr_expect_eq(walker->n_seen, N_RECORDS, "paused at %u", at);
		cr_expect_eq(walker->n_done, 1);
	}
	walker->pause_at = 0;
	for (unsigned at = 1; at <= N_RECORDS; at += 599) {
		walker->cancel_at = at;
		walk(&scene, slice_of(NULL, 0));
		cr_expect_eq(walker->n_seen, at);
		cr_expect_eq(walker->n_done, 0, "cancelled at %u", at);
	}
	scene_fini(&scene);
}

Test(store_walk, expired_records_are_left_out)
{
	struct scene scene;
	uint8_t key[ISSUER_ID_LEN + 4], record[RECORD_LEN] = {0};

	scene_init(&scene);
	kit_close(&scene.kit);
	scene.kit.opts.max_expired = 0;
	scene.kit.shared = store_lmdb_open(scene.kit.directory, &scene.kit.opts);
	scene.kit.store = store_attach(scene.kit.shared, scene.walker.loop);
	make_key(key, 7);
	store_put(scene.kit.store, slice_of(key, sizeof(key)), slice_of(record, sizeof(record)), 1);
	KIT_WAIT(PUTS(&scene.kit, OK) == N_RECORDS + 1);
	walk(&scene, slice_of(NULL, 0));
	cr_expect_eq(scene.walker.n_seen, N_RECORDS - 1);
	cr_expect_not(scene.walker.seen[7]);
	scene_fini(&scene);
}

Test(store_walk, a_purge_takes_what_was_put_before_it)
{
	static const uint8_t issuer[ISSUER_ID_LEN] = {0};
	struct scene scene;
	struct walker *walker = &scene.walker;
	uint8_t key[ISSUER_ID_LEN + 4], record[RECORD_LEN] = {0};

	scene_init(&scene);
	make_key(key,
		 N_RECORDS); /* of the first issuer; not yet written when the purge is asked for */
	store_put(scene.kit.store, slice_of(key, sizeof(key)), slice_of(record, sizeof(record)),
		  FAR_OFF);
	purge(&scene, slice_of(issuer, sizeof(issuer)));
	cr_expect_eq(walker->n, N_RECORDS / N_ISSUERS + 1);
	walk(&scene, slice_of(NULL, 0));
	cr_expect_eq(walker->n_seen, N_RECORDS - N_RECORDS / N_ISSUERS);
	for (unsigned i = 0; i < N_RECORDS; i++)
		cr_expect_eq(walker->seen[i], i % N_ISSUERS != 0, "%u", i);
	purge(&scene, slice_of(NULL, 0));
	cr_expect_eq(walker->n, N_RECORDS - N_RECORDS / N_ISSUERS);
	walk(&scene, slice_of(NULL, 0));
	cr_expect_eq(walker->n_seen, 0);
	kit_close(&scene.kit);
	cr_expect_eq(kit_rows(&scene.kit, "records"), 0);
	cr_expect_eq(kit_rows(&scene.kit, "expiry"), 0);
	loop_free(scene.walker.loop);
	kit_fini(&scene.kit);
}

Test(store_walk, walks_and_purges_are_dropped_with_their_handle)
{
	struct scene scene;
	struct walker *walker = &scene.walker;

	scene_init(&scene);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(
		    store_walk(scene.kit.store, slice_of(NULL, 0), &scene.ops, &walker->walk), OK);
		cr_assert_eq(
		    store_purge(scene.kit.store, slice_of(NULL, 0), &scene.ops, &walker->walk), OK);
	}
	store_walk_cancel(walker->walk);
	scene_fini(&scene);
	cr_expect_eq(walker->n_seen + walker->n_done, 0);
}

Test(store_walk, nobody_shares_a_store_on_disk)
{
	struct scene scene;
	struct store_lease *lease = NULL;
	struct store_walk *none = NULL;

	scene_init(&scene);
	cr_expect_not(store_is_shared(scene.kit.store));
	cr_expect_eq(store_lease(scene.kit.store, slice_text("key"),
				 &(struct store_lease_ops){.ms = 1}, &lease),
		     ERR_STORE_ALONE);
	cr_expect_eq(store_publish(scene.kit.store, slice_text("x")), ERR_STORE_ALONE);
	cr_expect_eq(store_subscribe(scene.kit.store, NULL, NULL), ERR_STORE_ALONE);
	cr_expect_eq(store_walk(scene.kit.store, slice_text("x"), &scene.ops, &none), ERR_SYNTAX);
	cr_expect_eq(store_purge(scene.kit.store, slice_text("x"), &scene.ops, &none), ERR_SYNTAX);
	store_release(NULL);
	store_walk_cancel(NULL);
	scene_fini(&scene);
}
