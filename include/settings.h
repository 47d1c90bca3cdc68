/* SPDX-License-Identifier: ISC */
/*
 * The settings of a running relay: one struct member per row of tbl/options.h. ctl fills them
 * from the file; every floor reads what it needs. Immutable once the relay has started; a reload
 * makes a new one.
 */
#ifndef OCSPRELAY_SETTINGS_H
#define OCSPRELAY_SETTINGS_H

#include "types.h"

struct text_list {
	char **items; /* owned, and each item */
	size_t n;
};

#define OPTION_TYPE_TEXT   char *
#define OPTION_TYPE_LIST   struct text_list
#define OPTION_TYPE_NUMBER uint64_t
#define OPTION_TYPE_RATIO  double
#define OPTION_TYPE_SIZE   uint64_t
#define OPTION_TYPE_TIME   int64_t
#define OPTION_TYPE_FLAG   bool
#define OPTION_TYPE_CHOICE int

#define OPTION(name, type, def, min, max, help) OPTION_TYPE_##type name;

struct settings_top {
#define OPTIONS_TOP
#include "tbl/options.h"
#undef OPTIONS_TOP
};

struct settings_cache {
#define OPTIONS_CACHE
#include "tbl/options.h"
#undef OPTIONS_CACHE
};

struct settings_redis {
#define OPTIONS_REDIS
#include "tbl/options.h"
#undef OPTIONS_REDIS
};

enum settings_read_from { /* redis.read_from */
	READ_FROM_MASTER,
	READ_FROM_REPLICAS
};

struct settings_log {
#define OPTIONS_LOG
#include "tbl/options.h"
#undef OPTIONS_LOG
};

enum log_access { /* words of the option access, in its order */
	LOG_ACCESS_OFF,
	LOG_ACCESS_ON,
	LOG_ACCESS_ERRORS
};

struct settings_limits {
#define OPTIONS_LIMITS
#include "tbl/options.h"
#undef OPTIONS_LIMITS
};

struct settings_issuer {
#define OPTIONS_ISSUER
#include "tbl/options.h"
#undef OPTIONS_ISSUER
};

struct settings_issuer_own {
#define OPTIONS_ISSUER_OWN
#include "tbl/options.h"
#undef OPTIONS_ISSUER_OWN
};

#undef OPTION

struct settings_section {
	char *name;
	unsigned line; /* of the section in its file, for messages */
	char *file;
	struct settings_issuer issuer; /* defaults section applied */
	struct settings_issuer_own own;
};

struct settings_place {	    /* a word of an option that stands in the file, outside of issuers */
	const char *option; /* its name; static */
	char *file;
	unsigned line;
};

struct settings {
	struct settings_top top;
	struct settings_cache cache;
	struct settings_redis redis;
	struct settings_log log;
	struct settings_limits limits;
	struct settings_issuer defaults;
	struct settings_section *issuers;
	size_t n_issuers;
	struct settings_place *places; /* in the order of the file; for messages */
	size_t n_places;
	char *admin_token;	 /* owned; what admin_token_file holds; NULL before it is read */
	char *redis_password;	 /* owned; what redis.password_file holds; NULL before it is read */
	char *sentinel_password; /* owned; the same of redis.sentinel_password_file */
};

#endif
