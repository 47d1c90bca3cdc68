/* SPDX-License-Identifier: ISC */
/* What the programs of the benchmark share: sockets on loopback, the clock, and giving up. */
#ifndef OCSPRELAY_BENCH_NET_H
#define OCSPRELAY_BENCH_NET_H

#include <stddef.h>
#include <stdint.h>

#define PATH_SIZE 512

_Noreturn void fail(const char *what); /* with errno's text */

int net_listen(uint16_t port); /* does not block */

/* Does not block, and may not be connected yet. Further connections come from further addresses
 * of 127.0.0.0/8, 20,000 each: the number says which one this is. */
int net_connect(uint16_t port, unsigned number);
int net_connect_blocking(uint16_t port, unsigned number); /* connected, and blocks */

int64_t now_ns(void); /* monotonic */

/* The answers that material.c makes: this, then a slot for each. */
struct answers {
	uint64_t slot; /* octets of each */
	uint64_t count;
};

struct answer {
	uint32_t len;
	uint8_t der[];
};

/* The serial number of the answer of that index, by which the responder finds it again. */
#define SERIAL_LEN 16
void serial_put(uint8_t dst[SERIAL_LEN], uint64_t index);
uint64_t serial_index(const uint8_t serial[SERIAL_LEN]);

/* The whole file, read only; never unmapped. */
const void *map_file(const char *directory, const char *name, size_t *out_len);

#endif
