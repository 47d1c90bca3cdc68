/* SPDX-License-Identifier: ISC */
/* Random octets from the kernel: keys of hash tables, jitter, names of instances. */
#ifndef OCSPRELAY_IO_ENTROPY_H
#define OCSPRELAY_IO_ENTROPY_H

#include "base/hash.h"
#include "types.h"

/* Fills dst. Aborts the process if the kernel has none: nothing could be trusted then. */
void entropy_fill(void *dst, size_t len);
struct hash_key entropy_hash_key(void);

/* 32 bits for jitter: quick, per thread, not for secrets. */
uint32_t entropy_jitter(void);

#endif
