/* SPDX-License-Identifier: ISC */
/* The first lines of files; nothing of them is ever shown. */
#include "ctl/secret.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/log.h"
#include "io/files.h"

#define MAX_SECRET 4096

static char **password_path(struct settings *settings)
{
	return &settings->redis.password_file;
}

static char **password(struct settings *settings)
{
	return &settings->redis_password;
}

static char **sentinel_password_path(struct settings *settings)
{
	return &settings->redis.sentinel_password_file;
}

static char **sentinel_password(struct settings *settings)
{
	return &settings->sentinel_password;
}

static char **token_path(struct settings *settings)
{
	return &settings->top.admin_token_file;
}

static char **token(struct settings *settings)
{
	return &settings->admin_token;
}

static char *first_line(const struct buf *content)
{
	struct slice text = buf_slice(content);
	const uint8_t *end = text.len > 0 ? memchr(text.p, '\n', text.len) : NULL;
	size_t len = end ? (size_t)(end - text.p) : text.len;

	if (len > 0 && text.p[len - 1] == '\r')
		len--;
	return len > 0 ? strndup((const char *)text.p, len) : strdup("");
}

static const struct {
	const char *name; /* of the option */
	char **(*path)(struct settings *settings);
	char **(*secret)(struct settings *settings);
} secrets[] = {
    {"password_file", password_path, password},
    {"sentinel_password_file", sentinel_password_path, sentinel_password},
    {"admin_token_file", token_path, token},
};

/* Whoever may read the file may do what the secret allows. */
static void warn_if_open(const char *name, const char *path)
{
	if (file_is_open(path))
		LOG(CONFIG, LOG_TEXT("what", "a secret that others can read"),
		    LOG_TEXT("option", name), LOG_TEXT("file", path));
}

char *secret_of_file(const char *path)
{
	struct buf content;
	char *line = NULL;
	err_t err;

	buf_init(&content, MAX_SECRET);
	err = file_read(path, &content);
	if (err == OK)
		line = first_line(&content);
	else if (err != ERR_SYSTEM)
		errno = EFBIG;
	if (content.p)
		explicit_bzero(content.p, content.cap);
	buf_fini(&content);
	return line;
}

static void read_one(const char *name, const char *path, char **out)
{
	*out = secret_of_file(path);
	if (*out != NULL)
		warn_if_open(name, path);
	else
		LOG(CONFIG, LOG_TEXT("what", "a secret cannot be read"), LOG_TEXT("option", name),
		    LOG_TEXT("file", path), LOG_TEXT("reason", strerror(errno)));
}

void secret_read(struct settings *settings, struct settings *previous)
{
	for (size_t i = 0; i < N_ELEMENTS(secrets); i++) {
		const char *path = *secrets[i].path(settings);
		char **secret = secrets[i].secret(settings);

		if (path[0] == '\0')
			continue;
		read_one(secrets[i].name, path, secret);
		if (*secret == NULL && previous && *secrets[i].secret(previous) &&
		    strcmp(*secrets[i].path(previous), path) == 0)
			*secret = strdup(*secrets[i].secret(previous));
	}
}
