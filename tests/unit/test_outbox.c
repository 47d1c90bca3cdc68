/* SPDX-License-Identifier: ISC */
/* The outbox: order, references, and what a socket does not take. */
#include "io/outbox.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "entries.h"

static struct outbox outbox;
static struct tails *tails;
static struct entry *entry;
static int fds[2];
static char got[1 << 20];
static size_t n_got;

static void setup(void)
{
	int small = 1;

	outbox_init(&outbox);
	tails = tails_new(entries_hash_key);
	entry = entry_of(tails, &(struct entry_spec){.own_len = 3000, .tail = slice_text("TAIL")});
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	cr_assert_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
}

static void teardown(void)
{
	cr_expect_eq(atomic_load(&entry->n_refs), 1);
	entry_unref(entry);
	tails_free(tails);
	close(fds[0]);
	close(fds[1]);
}

TestSuite(outbox, .init = setup, .fini = teardown);

static bool add(const char *text, bool with_entry)
{
	char *room = outbox_room(&outbox);

	if (!room)
		return false;
	memcpy(room, text, strlen(text));
	outbox_add(&outbox, strlen(text), with_entry ? entry_ref(entry) : NULL);
	return true;
}

static void pull(void)
{
	ssize_t n;

	while ((n = recv(fds[1], got + n_got, sizeof(got) - n_got, 0)) > 0)
		n_got += (size_t)n;
}

static void expect_answers(unsigned n)
{
	const char *at = got;
	struct slice head = entry_head(entry);
	char text[16];

	for (unsigned i = 0; i < n; i++) {
		size_t len = (size_t)snprintf(text, sizeof(text), "<%u>", i);

		cr_assert_eq(memcmp(at, text, len), 0, "answer %u", i);
		at += len;
		cr_assert_eq(memcmp(at, head.p, head.len), 0);
		at += head.len;
		cr_assert_eq(memcmp(at, "TAIL", 4), 0);
		at += 4;
	}
	cr_assert_eq((size_t)(at - got), n_got);
}

Test(outbox, what_the_socket_takes_leaves_nothing)
{
	struct outbox_rest *rest = NULL;

	cr_assert_eq(outbox_send(&outbox, fds[0], &rest), OK, "nothing to send");
	cr_assert(add("<0>", false));
	outbox_add_static(&outbox, slice_text("static"));
	cr_assert_eq(outbox_send(&outbox, fds[0], &rest), OK);
	cr_assert_null(rest);
	pull();
	cr_assert_eq(n_got, strlen("<0>static"));
	cr_assert_eq(memcmp(got, "<0>static", n_got), 0);
}

/* SL-07: three outboxes in a row, whose thread's buffer is overwritten meanwhile. */
Test(outbox, SL_07_rests_keep_their_order_and_references)
{
	struct outbox_rest *rest = NULL;
	char text[16];
	unsigned n = 0;

	for (unsigned round = 0; round < 3; round++) {
		for (snprintf(text, sizeof(text), "<%u>", n); add(text, true);
		     snprintf(text, sizeof(text), "<%u>", n))
			n++;
		cr_assert_leq(outbox.n_octets, OUTBOX_OCTETS + entry->der_len + 8);
		cr_assert_eq(outbox_send(&outbox, fds[0], &rest), OK);
		cr_assert_not_null(rest);
		memset(outbox.heads, 'x', sizeof(outbox.heads));
	}
	while (rest) {
		pull();
		cr_assert_eq(outbox_rest_send(&rest, fds[0]), OK);
	}
	pull();
	expect_answers(n);
}

Test(outbox, it_is_full_by_answers_octets_or_pieces)
{
	static const char head[1500];
	unsigned n;

	for (n = 0; add("<>", false); n++)
		continue;
	cr_assert_geq(n, OUTBOX_ANSWERS);
	outbox_clear(&outbox);
	for (n = 0; add("<>", true); n++)
		continue;
	cr_assert_leq(n, OUTBOX_OCTETS / 3000 + 1);
	outbox_clear(&outbox);
	cr_assert_eq(atomic_load(&entry->n_refs), 1);
	for (n = 0; outbox_room(&outbox); n++) {
		memcpy(outbox_room(&outbox), head, sizeof(head));
		outbox_add(&outbox, sizeof(head), NULL);
	}
	cr_assert_leq(outbox.heads_len, OUTBOX_HEADS);
	outbox_clear(&outbox);
}

Test(outbox, a_broken_connection_drops_all)
{
	struct outbox_rest *rest = NULL;

	while (add("<>", true))
		continue;
	cr_assert_eq(outbox_send(&outbox, fds[0], &rest), OK);
	cr_assert_not_null(rest);
	shutdown(fds[1], SHUT_RD);
	close(fds[1]);
	cr_assert_eq(outbox_rest_send(&rest, fds[0]), ERR_SYSTEM);
	outbox_rest_free(rest);
	rest = NULL;
	cr_assert(add("<>", true));
	cr_assert_eq(outbox_send(&outbox, fds[0], &rest), ERR_SYSTEM);
	cr_assert_null(rest);
	cr_assert_eq(outbox.pieces.end, 0);
	fds[1] = dup(fds[0]);
}
