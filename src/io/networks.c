/* SPDX-License-Identifier: ISC */
/* A few prefixes in an array, asked once per connection. */
#include "io/networks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct network {
	uint8_t len; /* octets: 4 or 16 */
	uint8_t n_bits;
	uint8_t bytes[16];
};

struct networks {
	size_t n;
	struct network items[];
};

#define MAPPED_BITS 96 /* of ::ffff:0:0/96, where IPv6 keeps IPv4 */

static const uint8_t mapped_prefix[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

/* An address in ::ffff:0:0/96 becomes the IPv4 address. */
static bool unmap(uint8_t bytes[16])
{
	if (memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) != 0)
		return false;
	memmove(bytes, bytes + sizeof(mapped_prefix), 4);
	return true;
}

static err_t parse(const char *text, struct network *out)
{
	struct network network = {.len = 4};
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	size_t address_len = slash ? (size_t)(slash - text) : strlen(text);
	uint64_t n_bits;

	if (address_len >= sizeof(address))
		return ERR_SYNTAX;
	memcpy(address, text, address_len);
	address[address_len] = '\0';
	if (inet_pton(AF_INET, address, network.bytes) != 1) {
		network.len = 16;
		if (inet_pton(AF_INET6, address, network.bytes) != 1)
			return ERR_SYNTAX;
	}
	n_bits = network.len * 8U;
	if (slash && decimal_decode(slice_text(slash + 1), n_bits, &n_bits) != OK)
		return ERR_SYNTAX;
	if (network.len == 16 && n_bits >= MAPPED_BITS && unmap(network.bytes)) {
		network.len = 4;
		n_bits -= MAPPED_BITS;
	}
	network.n_bits = (uint8_t)n_bits;
	*out = network;
	return OK;
}

err_t networks_new(const struct text_list *items, struct networks **out, size_t *out_bad)
{
	struct networks *networks =
	    calloc(1, sizeof(*networks) + items->n * sizeof(struct network));

	if (!networks)
		return ERR_NO_MEMORY;
	networks->n = items->n;
	for (size_t i = 0; i < items->n; i++) {
		if (parse(items->items[i], &networks->items[i]) != OK) {
			free(networks);
			*out_bad = i;
			return ERR_SYNTAX;
		}
	}
	*out = networks;
	return OK;
}

void networks_free(struct networks *networks)
{
	free(networks);
}

static bool is_in(const struct network *network, struct slice address)
{
	size_t n_whole = network->n_bits / 8, n_rest = network->n_bits % 8;

	if (network->len != address.len || memcmp(network->bytes, address.p, n_whole) != 0)
		return false;
	return n_rest == 0 || (network->bytes[n_whole] ^ address.p[n_whole]) >> (8 - n_rest) == 0;
}

bool networks_has(const struct networks *networks, const struct sockaddr *address)
{
	uint8_t bytes[16];
	struct slice slice = {.p = bytes, .len = 4};

	if (address->sa_family == AF_UNIX)
		return true;
	if (address->sa_family == AF_INET) {
		memcpy(bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	} else if (address->sa_family == AF_INET6) {
		memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
		if (!unmap(bytes))
			slice.len = 16;
	} else {
		return false;
	}
	for (size_t i = 0; i < networks->n; i++) {
		if (is_in(&networks->items[i], slice))
			return true;
	}
	return false;
}
