/* SPDX-License-Identifier: ISC */
/* News of the fleet: what is read as such is written again with the same meaning. */
#include "base/bytes.h"
#include "core/news.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct news news, again;
	char text[NEWS_MAX];

	if (news_read(slice_of(data, len), &news) != OK)
		return 0;
	if (news_read(slice_of(text, news_write(text, &news)), &again) != OK ||
	    again.kind != news.kind || !slice_eq(again.sender, news.sender) ||
	    memcmp(&again.key, &news.key, sizeof(again.key)) != 0 ||
	    again.this_update != news.this_update || again.produced_at != news.produced_at)
		__builtin_trap();
	return 0;
}
