/* SPDX-License-Identifier: ISC */
/*
 * What must hold for every answer that any client gets, whatever the play expects of it:
 *
 *	its octets were signed by the CA, about the certificate and hash that were asked about;
 *	it has not expired by the relay's clock;
 *	a relay does not go back behind an answer that it gave and that is still valid: never an
 *	older one, so never good after revoked;
 *	it is no error while an answer that this relay gave, or kept in its stores, is still valid.
 */
#ifndef OCSPRELAY_TESTS_REPLAY_ORACLE_H
#define OCSPRELAY_TESTS_REPLAY_ORACLE_H

#include "authority.h"

struct seen { /* an answer */
	size_t relay, cert;
	enum hash_alg alg;
	unsigned http_status;
	struct slice body;
	const char *cache_status;
	bool is_signed;
	struct statement said; /* if it is */
	const char *status;    /* good, revoked, unknown, tryLater ... */
	const char *verdict;   /* hit, miss, collapsed, refreshed, bypass or none */
	int64_t ms_taken;
};

void oracle_open(void);
void oracle_close(void);

/* Completes seen from its first part, and fails the play if it breaks a law. */
void oracle_judge(struct seen *seen);

/* The relay has lost what it knew, stores included. */
void oracle_forget(size_t relay);

#endif
