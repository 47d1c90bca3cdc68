/* SPDX-License-Identifier: ISC */
/* The first line of a file; nothing of it is ever shown. */
#include "ctl/secret.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/log.h"
#include "io/files.h"

#define MAX_SECRET 4096

static char *first_line(const struct buf *content)
{
	struct slice text = buf_slice(content);
	const uint8_t *end = text.len > 0 ? memchr(text.p, '\n', text.len) : NULL;
	size_t len = end ? (size_t)(end - text.p) : text.len;

	if (len > 0 && text.p[len - 1] == '\r')
		len--;
	return len > 0 ? strndup((const char *)text.p, len) : strdup("");
}

void secret_read(struct settings *settings, const struct settings *previous)
{
	const char *path = settings->redis.password_file;
	struct buf content;
	err_t err;

	if (path[0] == '\0')
		return;
	buf_init(&content, MAX_SECRET);
	err = file_read(path, &content);
	if (err == OK) {
		settings->redis_password = first_line(&content);
	} else {
		LOG(CONFIG, LOG_TEXT("what", "password_file: cannot be read"),
		    LOG_TEXT("file", path),
		    LOG_TEXT("reason", err == ERR_SYSTEM ? strerror(errno) : err_row(err)->text));
		if (previous && previous->redis_password &&
		    strcmp(previous->redis.password_file, path) == 0)
			settings->redis_password = strdup(previous->redis_password);
	}
	if (content.p)
		explicit_bzero(content.p, content.cap);
	buf_fini(&content);
}
