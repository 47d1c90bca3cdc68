/* SPDX-License-Identifier: ISC */
/*
 * A reply that comes later, or in parts: each part is sent when the one before has been taken, so a
 * client that reads slowly costs one part of memory; one that goes away is told of at once.
 */
#ifndef OCSPRELAY_CTL_ADMIN_REPLY_H
#define OCSPRELAY_CTL_ADMIN_REPLY_H

#include "base/buf.h"
#include "base/list.h"

struct admin_reply;
struct evhttp_request;

struct admin_reply_ops {
	/* The part has been taken, and the reply goes on: send or end. May be NULL if there are no
	 * parts. */
	void (*more)(void *arg);
	/* The client is gone, or all comes to its end: the reply is void. */
	void (*gone)(void *arg);
	void *arg;
};

/* Kept in replies until it is void. NULL without memory: the request has been answered so. */
struct admin_reply *admin_reply_new(struct list *replies, struct evhttp_request *request,
				    const struct admin_reply_ops *ops);

/* All at once; the reply is void. */
void admin_reply_whole(struct admin_reply *reply, int code, const char *type,
		       const struct buf *page);

/* Or in parts: begins (200), one part at a time, ends; then it is void. */
void admin_reply_begin(struct admin_reply *reply, const char *type);
void admin_reply_part(struct admin_reply *reply, const struct buf *part);
void admin_reply_end(struct admin_reply *reply);

/* Before evhttp_free. */
void admin_replies_drop(struct list *replies);

#endif
