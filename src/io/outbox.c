/* SPDX-License-Identifier: ISC */
/*
 * The thread's outbox and the rests of slow connections are both arrays of pieces, sent from the
 * front by sendmsg. A rest is one allocation: the pieces, their owners, and copies of the heads,
 * since those lie in the thread's buffer, which the next turn overwrites.
 */
#include "io/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct outbox_rest {
	struct outbox_rest *next;
	struct outbox_pieces pieces; /* arrays behind this struct */
	_Alignas(max_align_t) uint8_t memory[];
};

void outbox_init(struct outbox *outbox)
{
	outbox->pieces = (struct outbox_pieces){.iov = outbox->iov, .owners = outbox->owners};
	outbox->heads_len = 0;
	outbox->n_octets = 0;
}

char *outbox_room(struct outbox *outbox)
{
	if (outbox->pieces.end + 3 > OUTBOX_PIECES || outbox->n_octets >= OUTBOX_OCTETS ||
	    outbox->heads_len + MAX_REPLY_ERROR > sizeof(outbox->heads))
		return NULL;
	return outbox->heads + outbox->heads_len;
}

static void add_piece(struct outbox *outbox, struct slice octets, struct entry *owner)
{
	struct outbox_pieces *pieces = &outbox->pieces;

	/* sendmsg only reads; iovec serves both directions. */
	pieces->iov[pieces->end].iov_base = (void *)(uintptr_t)octets.p;
	pieces->iov[pieces->end].iov_len = octets.len;
	pieces->owners[pieces->end] = owner;
	pieces->end++;
	outbox->n_octets += octets.len;
}

void outbox_add(struct outbox *outbox, size_t head_len, struct entry *entry)
{
	struct slice head, tail;

	add_piece(outbox, slice_of(outbox->heads + outbox->heads_len, head_len), NULL);
	outbox->heads_len += head_len;
	if (!entry)
		return;
	head = entry_head(entry);
	tail = entry_tail(entry);
	/* The owner stands at the last piece: the pieces go in order. */
	add_piece(outbox, head, tail.len > 0 ? NULL : entry);
	if (tail.len > 0)
		add_piece(outbox, tail, entry);
}

void outbox_add_static(struct outbox *outbox, struct slice octets)
{
	add_piece(outbox, octets, NULL);
}

/* The first n octets are done with. */
static void advance(struct outbox_pieces *pieces, size_t n)
{
	while (pieces->first < pieces->end && n >= pieces->iov[pieces->first].iov_len) {
		n -= pieces->iov[pieces->first].iov_len;
		if (pieces->owners[pieces->first])
			entry_unref(pieces->owners[pieces->first]);
		pieces->first++;
	}
	if (n > 0) {
		struct iovec *iov = &pieces->iov[pieces->first];

		iov->iov_base = (uint8_t *)iov->iov_base + n;
		iov->iov_len -= n;
	}
}

/* Sends what the socket takes at once. */
static err_t send_pieces(struct outbox_pieces *pieces, int fd)
{
	struct msghdr message = {.msg_iov = pieces->iov + pieces->first,
				 .msg_iovlen = pieces->end - pieces->first};
	ssize_t n;

	do
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0) {
		advance(pieces, (size_t)n);
		return OK;
	}
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? OK : ERR_SYSTEM;
}

static void drop_pieces(struct outbox_pieces *pieces)
{
	for (; pieces->first < pieces->end; pieces->first++)
		entry_unref(pieces->owners[pieces->first]);
}

void outbox_clear(struct outbox *outbox)
{
	drop_pieces(&outbox->pieces);
	outbox_init(outbox);
}

static bool is_head(const struct outbox *outbox, const struct iovec *iov)
{
	uintptr_t p = (uintptr_t)iov->iov_base, heads = (uintptr_t)outbox->heads;

	return p >= heads && p < heads + sizeof(outbox->heads);
}

/* Moves the unsent pieces into a new rest; NULL without memory. */
static struct outbox_rest *save_rest(struct outbox *outbox)
{
	struct outbox_pieces *from = &outbox->pieces;
	size_t n = from->end - from->first;
	size_t heads_len = 0;
	struct outbox_rest *rest;
	uint8_t *heads;

	for (size_t i = from->first; i < from->end; i++)
		heads_len += is_head(outbox, &from->iov[i]) ? from->iov[i].iov_len : 0;
	rest = malloc(sizeof(*rest) + n * (sizeof(*from->iov) + sizeof(*from->owners)) + heads_len);
	if (!rest)
		return NULL;
	rest->next = NULL;
	rest->pieces.iov = (struct iovec *)(void *)rest->memory;
	rest->pieces.owners = (struct entry **)(void *)(rest->pieces.iov + n);
	rest->pieces.first = 0;
	rest->pieces.end = n;
	heads = (uint8_t *)(rest->pieces.owners + n);
	for (size_t i = 0; i < n; i++) {
		struct iovec *iov = &rest->pieces.iov[i];

		*iov = from->iov[from->first + i];
		rest->pieces.owners[i] = from->owners[from->first + i];
		if (is_head(outbox, iov)) {
			memcpy(heads, iov->iov_base, iov->iov_len);
			iov->iov_base = heads;
			heads += iov->iov_len;
		}
	}
	from->first = from->end;
	return rest;
}

err_t outbox_send(struct outbox *outbox, int fd, struct outbox_rest **rest)
{
	struct outbox_pieces *pieces = &outbox->pieces;
	err_t e = OK;

	if (pieces->end == 0)
		return OK;
	if (!*rest)
		e = send_pieces(pieces, fd);
	if (e == OK && pieces->first < pieces->end) {
		while (*rest)
			rest = &(*rest)->next;
		*rest = save_rest(outbox);
		e = *rest ? OK : ERR_SYSTEM;
	}
	outbox_clear(outbox);
	return e;
}

err_t outbox_rest_send(struct outbox_rest **rest, int fd)
{
	while (*rest) {
		struct outbox_rest *first = *rest;
		err_t e = send_pieces(&first->pieces, fd);

		if (e != OK)
			return e;
		if (first->pieces.first < first->pieces.end)
			return OK;
		*rest = first->next;
		free(first);
	}
	return OK;
}

void outbox_rest_free(struct outbox_rest *rest)
{
	while (rest) {
		struct outbox_rest *next = rest->next;

		drop_pieces(&rest->pieces);
		free(rest);
		rest = next;
	}
}
