/* SPDX-License-Identifier: ISC */
/* Certificates, their true status over time, and a memory of all that was signed. */
#include "authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "core/dates.h"
#include "io/clock.h"
#include "script.h"

#define MAX_GROUPS  64
#define MAX_CHANGES 1024
#define SERIAL_LEN  4 /* 70 and the number */

struct authority authority;

static struct {
	struct group {
		char name[32];
		struct cert_range range;
		size_t issuer;
	} groups[MAX_GROUPS];
	size_t n_groups;
	struct change {
		size_t cert;
		enum cert_status status;
		int64_t at;
	} changes[MAX_CHANGES];
	size_t n_changes;
	struct memory {
		uint64_t hash; /* 0: free */
		struct statement said;
	} * memory;
	size_t n_memory, n_remembered;
} own;

int64_t authority_now(void)
{
	static int64_t ms_first;

	if (ms_first == 0)
		ms_first = clock_mono_ms();
	return PKI_NOW + (clock_mono_ms() - ms_first) / 1000;
}

struct authority_issuer *authority_add_issuer(const char *name)
{
	struct authority_issuer *issuer = &authority.issuers[authority.n_issuers];

	if (authority.n_issuers == MAX_ISSUERS)
		script_fail("too many issuers");
	issuer->name = strdup(name);
	issuer->cert =
	    pki_cert(&(struct pki_cert){.name = issuer->name,
					.key = pki_key(PKI_P256, (unsigned)authority.n_issuers),
					.exts = PKI_CA_EXTS});
	authority.n_issuers++;
	return issuer;
}

void authority_add_certs(const char *name, size_t n, size_t issuer)
{
	struct group *group = &own.groups[own.n_groups++];

	if (own.n_groups == MAX_GROUPS)
		script_fail("too many names of certificates");
	snprintf(group->name, sizeof(group->name), "%s", name);
	group->range = (struct cert_range){.first = authority.n_certs, .n = n};
	group->issuer = issuer;
	authority.n_certs += n;
}

static const struct group *group_of(size_t cert)
{
	for (size_t i = 0; i < own.n_groups; i++) {
		if (cert - own.groups[i].range.first < own.groups[i].range.n)
			return &own.groups[i];
	}
	return NULL;
}

/* "shop17" of the group "shop". */
static bool find_member(const struct group *group, const char *name, struct cert_range *out)
{
	size_t len = strlen(group->name), i;
	char *end;

	if (strncmp(name, group->name, len) != 0 || group->range.n == 1)
		return false;
	i = strtoul(name + len, &end, 10);
	if (end == name + len || *end != '\0' || i == 0 || i > group->range.n)
		return false;
	*out = (struct cert_range){.first = group->range.first + i - 1, .n = 1};
	return true;
}

bool authority_find(const char *name, struct cert_range *out)
{
	for (size_t i = 0; i < own.n_groups; i++) {
		if (strcmp(own.groups[i].name, name) == 0) {
			*out = own.groups[i].range;
			return true;
		}
		if (find_member(&own.groups[i], name, out))
			return true;
	}
	return false;
}

const char *authority_name(size_t cert)
{
	static char name[64];
	const struct group *group = group_of(cert);

	if (group == NULL)
		return "?";
	snprintf(name, sizeof(name), "%s", group->name);
	if (group->range.n > 1)
		snprintf(name, sizeof(name), "%s%zu", group->name, cert - group->range.first + 1);
	return name;
}

void authority_set_status(size_t cert, enum cert_status status)
{
	if (own.n_changes == MAX_CHANGES)
		script_fail("too many changes of status");
	own.changes[own.n_changes++] =
	    (struct change){.cert = cert, .status = status, .at = authority_now()};
}

/* Also since when. */
static enum cert_status status_at(size_t cert, int64_t at, int64_t *out_since)
{
	enum cert_status status = CERT_GOOD;

	for (size_t i = 0; i < own.n_changes; i++) {
		if (own.changes[i].cert == cert && own.changes[i].at <= at) {
			status = own.changes[i].status;
			*out_since = own.changes[i].at;
		}
	}
	return status;
}

static const char *serial_of(size_t cert)
{
	static char text[2 * SERIAL_LEN + 1];

	snprintf(text, sizeof(text), "70%06zx", cert & 0xffffff);
	return text;
}

struct certid authority_certid(size_t cert, enum hash_alg alg)
{
	static struct certid hashes[MAX_ISSUERS][N_HASH_ALGS];
	static uint8_t serial[SERIAL_LEN];
	size_t issuer = group_of(cert)->issuer;
	struct certid certid = hashes[issuer][alg];

	if (certid.name_hash.len == 0) {
		certid = pki_certid(authority.issuers[issuer].cert, "70", alg);
		hashes[issuer][alg] = certid;
	}
	for (size_t i = 0; i < SERIAL_LEN; i++)
		serial[i] = i == 0 ? 0x70 : (uint8_t)(cert >> (8 * (SERIAL_LEN - 1 - i)));
	certid.serial = slice_of(serial, SERIAL_LEN);
	return certid;
}

bool authority_is_asked(const struct certid *certid, size_t *out_cert)
{
	size_t cert = 0;
	struct certid ours;

	if (certid->serial.len != SERIAL_LEN || certid->serial.p[0] != 0x70)
		return false;
	for (size_t i = 1; i < SERIAL_LEN; i++)
		cert = cert << 8 | certid->serial.p[i];
	if (cert >= authority.n_certs)
		return false;
	ours = authority_certid(cert, certid->alg);
	*out_cert = cert;
	return slice_eq(ours.key_hash, certid->key_hash) &&
	       slice_eq(ours.name_hash, certid->name_hash);
}

/* --- responses -------------------------------------------------------------------------------- */

static uint64_t hash_of(struct slice octets)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

	for (size_t i = 0; i < octets.len; i++)
		hash = (hash ^ octets.p[i]) * UINT64_C(1099511628211);
	return hash | 1;
}

static struct memory *find_memory(uint64_t hash)
{
	size_t i = (hash >> 20) & (own.n_memory - 1);

	while (own.memory[i].hash != 0 && own.memory[i].hash != hash)
		i = (i + 1) & (own.n_memory - 1);
	return &own.memory[i];
}

static void grow_memory(void)
{
	struct memory *old = own.memory;
	size_t n_old = own.n_memory;

	own.n_memory = n_old > 0 ? 2 * n_old : 1024;
	own.memory = calloc(own.n_memory, sizeof(*own.memory));
	if (own.memory == NULL)
		abort();
	for (size_t i = 0; i < n_old; i++) {
		if (old[i].hash != 0)
			*find_memory(old[i].hash) = old[i];
	}
	free(old);
}

static void remember(struct slice response, const struct statement *said)
{
	uint64_t hash = hash_of(response);

	if (2 * ++own.n_remembered > own.n_memory)
		grow_memory();
	*find_memory(hash) = (struct memory){.hash = hash, .said = *said};
}

bool authority_recall(struct slice response, struct statement *out)
{
	const struct memory *memory = own.n_memory > 0 ? find_memory(hash_of(response)) : NULL;

	if (memory == NULL || memory->hash == 0)
		return false;
	*out = memory->said;
	return true;
}

struct slice authority_sign(const struct authority_order *order)
{
	const size_t issuer = group_of(order->cert)->issuer;
	X509 *cert = authority.issuers[issuer].cert;
	struct pki_single single = {.issuer = cert,
				    .serial = serial_of(order->cert),
				    .hash = hash_algs[order->alg].name,
				    .this_update = order->at,
				    .next_update =
					order->valid > 0 ? order->at + order->valid : -1};
	const struct pki_response response = {.singles = &single,
					      .n_singles = 1,
					      .responder = cert,
					      .key = pki_key(PKI_P256, (unsigned)issuer),
					      .produced_at = order->at,
					      .exts = order->nonce_ext};
	struct slice octets;

	single.status = status_at(order->cert, order->at, &single.revoked_at);
	octets = pki_response_alone(&response);
	if (order->is_broken)
		((uint8_t *)(uintptr_t)octets.p)[octets.len - 1] ^= 1;
	remember(octets, &(struct statement){.cert = order->cert,
					     .alg = order->alg,
					     .status = single.status,
					     .this_update = order->at,
					     .next_update =
						 order->valid > 0 ? single.next_update : TIME_NEVER,
					     .is_broken = order->is_broken});
	return octets;
}

void authority_close(void)
{
	free(own.memory);
	for (size_t i = 0; i < authority.n_issuers; i++)
		free((void *)(uintptr_t)authority.issuers[i].name);
}
