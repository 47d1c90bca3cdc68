/* SPDX-License-Identifier: ISC */
/* Without hiredis_ssl there is none, and rediss:// is refused by the configuration. */
#include "io/redis_tls.h"

bool redis_tls_is_there(void)
{
	return false;
}

struct redis_tls *redis_tls_new(const char **out_reason)
{
	*out_reason = "built without hiredis_ssl";
	return NULL;
}

void redis_tls_free(struct redis_tls *tls)
{
	(void)tls;
}

bool redis_tls_start(struct redis_tls *tls, redisContext *context, const char *host)
{
	(void)tls;
	(void)context;
	(void)host;
	return false;
}
