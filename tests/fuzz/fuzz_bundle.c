/* SPDX-License-Identifier: ISC */
/* Bundles: reading them ends, stays inside, and what is read is written again octet by octet. */
#include "base/bytes.h"
#include "core/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct bundle_item *item, struct slice octets)
{
	struct cache_key key;
	struct buf again;

	buf_init(&again, octets.len + 64);
	if (!item->is_end && key_from_text(item->key, &key) == OK)
		bundle_put_record(&again, &key, item->record);
	/* leading zeros of a length, and capitals of a key, are read, too */
	if (again.len > 0 && again.len == octets.len && item->record.len > 0 &&
	    memcmp(again.p + again.len - item->record.len - 1, item->record.p, item->record.len))
		__builtin_trap();
	buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct slice rest = slice_of(data, len), before;
	struct bundle_item item;
	err_t err = bundle_read_head(&rest);

	while (rest.len > 0) {
		before = rest;
		err = bundle_read(&rest, 1024, &item);
		if (err == OK)
			check(&item, slice_take(before, before.len - rest.len));
		else if (rest.p != before.p || !bundle_skip(&rest))
			break;
		if (rest.p + rest.len != data + len || rest.len >= before.len)
			__builtin_trap();
	}
	return 0;
}
