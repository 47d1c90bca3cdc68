/* SPDX-License-Identifier: ISC */
/* Making and freeing notices. */
#include "relay/notice.h"

#include <stdlib.h>

struct notice *notice_new(enum notice_kind kind, struct rules *rules)
{
	struct notice *notice = calloc(1, sizeof(*notice));

	if (notice == NULL)
		return NULL;
	notice->kind = kind;
	notice->rules = rules ? rules_ref(rules) : NULL;
	return notice;
}

void notice_free(struct notice *notice)
{
	if (notice == NULL)
		return;
	rules_unref(notice->rules);
	free(notice);
}

void notice_drop(void *arg, struct message *message)
{
	(void)arg;
	notice_free((struct notice *)message);
}
