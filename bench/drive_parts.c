/* SPDX-License-Identifier: ISC */
/* The requests, the answers and the times of drive.c. */
#include "drive.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_DRAWN (1U << 20)

/* --- what is asked ---------------------------------------------------------------------------- */

static uint64_t state = 7;

static double uniform(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (double)(state >> 11) * 0x1p-53;
}

/* Draws from the first n numbers, the k-th as often as 1 / (k + 1)^exponent. */
static uint32_t *draw(uint64_t n, double exponent)
{
	double *sums = calloc(n, sizeof(double)), sum = 0;
	uint32_t *drawn = calloc(N_DRAWN, sizeof(*drawn));

	if (sums == NULL || drawn == NULL)
		fail("calloc");
	for (uint64_t k = 0; k < n; k++)
		sums[k] = sum += pow((double)(k + 1), -exponent);
	for (size_t i = 0; i < N_DRAWN; i++) {
		const double wanted = uniform() * sum;
		uint64_t low = 0, high = n - 1;

		while (low < high) {
			const uint64_t middle = (low + high) / 2;

			if (sums[middle] < wanted)
				low = middle + 1;
			else
				high = middle;
		}
		drawn[i] = (uint32_t)low;
	}
	free(sums);
	return drawn;
}

void choice_init(struct choice *choice, const struct options *options)
{
	*choice = (struct choice){.options = options};
	choice->request = map_file(options->directory, "request", &choice->request_len);
	if (options->exponent > 0)
		choice->drawn = draw(options->n_certificates, options->exponent);
	snprintf(choice->host, sizeof(choice->host), " HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n",
		 options->port);
}

static char *put_base64(char *dst, const uint8_t *octets, size_t len)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		const uint32_t bits = (uint32_t)octets[i] << 16 |
				      (i + 1 < len ? (uint32_t)octets[i + 1] << 8 : 0) |
				      (i + 2 < len ? octets[i + 2] : 0);

		for (size_t j = 0; j < 4; j++) {
			const char c = i + j > len ? '=' : digits[bits >> (18 - 6 * j) & 63];

			if (c == '+' || c == '/' || c == '=')
				dst += sprintf(dst, "%%%02X", (unsigned)c);
			else
				*dst++ = c;
		}
	}
	return dst;
}

size_t choice_next(struct choice *choice, char dst[MAX_REQUEST])
{
	const uint64_t number = choice->number++;
	uint8_t der[256];
	char *end = dst;

	memcpy(der, choice->request, choice->request_len);
	serial_put(der + choice->request_len - SERIAL_LEN,
		   choice->options->first + (choice->drawn != NULL
						 ? choice->drawn[number % N_DRAWN]
						 : number % choice->options->n_certificates));
	end = stpcpy(stpcpy(end, choice->options->method), " /");
	end = put_base64(end, der, choice->request_len);
	end = stpcpy(end, choice->host);
	return (size_t)(end - dst);
}

/* --- what comes back -------------------------------------------------------------------------- */

bool answer_is_whole(const struct connection *connection, bool is_head, bool *out_is_good)
{
	const char *octets = connection->answer,
		   *body = memmem(octets, connection->answer_len, "\r\n\r\n", 4), *field;
	char head[MAX_ANSWER];
	size_t head_len;

	if (body == NULL)
		return false;
	head_len = (size_t)(body + 4 - octets);
	memcpy(head, octets, head_len);
	head[head_len - 1] = '\0';
	field = strcasestr(head, "\r\nContent-Length:");
	*out_is_good = memcmp(head, "HTTP/1.1 200", 12) == 0;
	return is_head || connection->answer_len - head_len >=
			      (field != NULL ? strtoul(field + 17, NULL, 10) : 0);
}

/* --- how long it took ------------------------------------------------------------------------- */

void times_add(struct times *times, int64_t ns)
{
	if (times->n == times->size) {
		times->size = times->size * 2 + 65536;
		times->us = realloc(times->us, times->size * sizeof(*times->us));
		if (times->us == NULL)
			fail("realloc");
	}
	times->us[times->n++] = (uint32_t)(ns / 1000);
}

static int compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static unsigned quantile(const struct times *times, double part)
{
	return times->n == 0 ? 0 : times->us[(size_t)(part * (double)(times->n - 1))];
}

void times_print(const struct times *times)
{
	if (times->n > 0)
		qsort(times->us, times->n, sizeof(*times->us), compare);
	printf("p50=%u p99=%u p999=%u max=%u\n", quantile(times, 0.5), quantile(times, 0.99),
	       quantile(times, 0.999), quantile(times, 1));
}
