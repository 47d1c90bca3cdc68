/* SPDX-License-Identifier: ISC */
/* The LMDB store with its measures as parameters. For tests; everybody else uses store_open. */
#ifndef OCSPRELAY_IO_STORE_LMDB_H
#define OCSPRELAY_IO_STORE_LMDB_H

#include "io/store.h"

struct store_lmdb_opts {
	size_t map_size; /* octets, the ceiling of the file */
	int64_t
	    ms_gather; /* between transactions: what comes in so short a time is written by one */
	int64_t ms_pause;   /* between attempts while it fails */
	int64_t ms_idle;    /* between looks for expired records while nothing is written */
	size_t max_expired; /* records removed by one transaction because they expired; 0: none */
};

/* As store_open("lmdb:" directory). */
struct store_shared *store_lmdb_open(const char *directory, const struct store_lmdb_opts *opts);

#endif
