/* SPDX-License-Identifier: ISC */
/* What drive.c is made of: what is asked, what comes back, and how long that took. */
#ifndef OCSPRELAY_BENCH_DRIVE_H
#define OCSPRELAY_BENCH_DRIVE_H

#include <stdbool.h>

#include "net.h"

#define MAX_REQUEST 1024
#define MAX_ANSWER  8192

struct options {
	uint16_t port;
	const char *directory, *method;
	unsigned n_connections, n_idle;
	double seconds, rate, exponent;
	uint64_t n_requests, first, n_certificates;
};

struct connection {
	int fd;
	unsigned number;
	bool is_open;
	int64_t due; /* of the request under way; 0: none */
	size_t answer_len;
	char answer[MAX_ANSWER];
};

/* Has all of an answer come, and is it a 200? That to HEAD has no body. */
bool answer_is_whole(const struct connection *connection, bool is_head, bool *out_is_good);

/* Which certificate is asked about next. */
struct choice {
	const struct options *options;
	const uint8_t *request; /* DER, the serial number at its end */
	size_t request_len;
	uint64_t number;
	uint32_t *drawn; /* by Zipf's law, used again and again; NULL: one after the other */
	char host[64];
};

void choice_init(struct choice *choice, const struct options *options);
/* A whole request; its length. */
size_t choice_next(struct choice *choice, char dst[MAX_REQUEST]);

struct times {
	uint32_t *us;
	size_t n, size;
};

void times_add(struct times *times, int64_t ns);
void times_print(const struct times *times); /* p50= p99= p999= max= and a line feed */

#endif
