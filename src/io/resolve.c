/* SPDX-License-Identifier: ISC */
/*
 * A thread for each name, for as long as getaddrinfo takes: names are asked for when a connection
 * is made, which is rare. The thread cannot be stopped, so the job belongs to both sides, and the
 * last one frees it; the loop's side lets go of it at once when it loses interest.
 *
 * What is an address needs no thread, only another turn of the loop.
 */
#include "io/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/event.h"
#include "io/wake.h"

struct job {
	pthread_mutex_t lock; /* for n_owners, and for waking only those who still wait */
	unsigned n_owners;
	bool is_wanted;
	struct wake wake; /* of the loop's side */
	char *host;
	char port[6];
	struct resolve_answer answer; /* the thread's until it has rung */
};

struct resolve {
	struct job *job;
	struct event event;
	resolve_fn *fn;
	void *arg;
};

static void job_ref(struct job *job)
{
	pthread_mutex_lock(&job->lock);
	job->n_owners++;
	pthread_mutex_unlock(&job->lock);
}

static void job_unref(struct job *job)
{
	bool is_last;

	pthread_mutex_lock(&job->lock);
	is_last = --job->n_owners == 0;
	pthread_mutex_unlock(&job->lock);
	if (!is_last)
		return;
	pthread_mutex_destroy(&job->lock);
	free(job->host);
	free(job);
}

static struct job *job_new(const char *host, uint16_t port)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->host = strdup(host);
	if (!job->host || wake_init(&job->wake) != OK) {
		free(job->host);
		free(job);
		return NULL;
	}
	snprintf(job->port, sizeof(job->port), "%u", port);
	pthread_mutex_init(&job->lock, NULL);
	job->n_owners = 1;
	job->is_wanted = true;
	return job;
}

static void ask(struct job *job, int flags)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};
	struct addrinfo *infos = NULL;
	int rc = getaddrinfo(job->host, job->port, &hints, &infos);

	if (rc != 0) {
		job->answer.reason = gai_strerror(rc);
		return;
	}
	for (struct addrinfo *info = infos; info && job->answer.n < RESOLVE_MAX;
	     info = info->ai_next) {
		if (info->ai_addrlen > sizeof(job->answer.addresses[0]))
			continue;
		memcpy(&job->answer.addresses[job->answer.n], info->ai_addr, info->ai_addrlen);
		job->answer.lens[job->answer.n++] = info->ai_addrlen;
	}
	freeaddrinfo(infos);
}

static void ring(struct job *job)
{
	pthread_mutex_lock(&job->lock);
	if (job->is_wanted)
		wake_ring(&job->wake);
	pthread_mutex_unlock(&job->lock);
}

static void *run(void *arg)
{
	struct job *job = arg;

	ask(job, 0);
	ring(job);
	job_unref(job);
	return NULL;
}

static bool is_address(const char *host)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool start_thread(struct job *job)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int rc;

	if (pthread_attr_init(&attributes) != 0)
		return false;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	job_ref(job);
	rc = pthread_create(&thread, &attributes, run, job);
	if (rc != 0)
		job_unref(job);
	pthread_attr_destroy(&attributes);
	return rc == 0;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct resolve *resolve = arg;
	struct resolve copy = *resolve;

	(void)fd;
	(void)what;
	job_ref(resolve->job); /* for the answer, beyond resolve's end */
	resolve_cancel(resolve);
	copy.fn(copy.arg, &copy.job->answer);
	job_unref(copy.job);
}

struct resolve *resolve_start(struct loop *loop, const char *host, uint16_t port, resolve_fn *fn,
			      void *arg)
{
	struct resolve *resolve = calloc(1, sizeof(*resolve));

	if (!resolve)
		return NULL;
	resolve->fn = fn;
	resolve->arg = arg;
	resolve->job = job_new(host, port);
	if (!resolve->job) {
		free(resolve);
		return NULL;
	}
	if (event_assign(&resolve->event, loop_base(loop), resolve->job->wake.fd, EV_READ, on_wake,
			 resolve) != 0 ||
	    event_add(&resolve->event, NULL) != 0)
		goto fail;
	if (is_address(host)) {
		ask(resolve->job, AI_NUMERICHOST);
		ring(resolve->job);
	} else if (!start_thread(resolve->job)) {
		goto fail;
	}
	return resolve;
fail:
	resolve_cancel(resolve);
	return NULL;
}

void resolve_cancel(struct resolve *resolve)
{
	struct job *job;

	if (!resolve)
		return;
	job = resolve->job;
	event_del(&resolve->event);
	pthread_mutex_lock(&job->lock);
	job->is_wanted = false;
	wake_fini(&job->wake);
	pthread_mutex_unlock(&job->lock);
	job_unref(job);
	free(resolve);
}
