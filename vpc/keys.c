// SPDX-License-Identifier: BSD-2-Clause
/*
 * All keys of a hash map that others change meanwhile.
 *
 * The kernel tells the key behind a given one, in the order of its buckets.  If
 * the given one was removed since, it starts again from the first; and an entry
 * that is overwritten moves to the front of its bucket, so that who is inside that
 * bucket passes it by.  So a walk may tell keys twice and may miss some that were there
 * all the time.  Walks are repeated until two in a row have brought nothing new (one was
 * too few for entries that another thread overwrites without a pause), and what was
 * told twice is dropped: a key that was there throughout is missed only if it was
 * moved under every walk.
 *
 * Both loops are bounded: a map that changes faster than it can be read is an error.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/err.h"
#include "loader/sys.h"
#include "vpc/vpc.h"

enum { FIRST_ROOM = 64, WALKS_MAX = 32, WALKS_IN_VAIN = 2, TIMES_MAX = 8 };

struct keys {
	uint8_t *bytes;
	size_t size;		/* of one */
	size_t count, room;
};

static bool add_key(struct keys *k, const uint8_t *key)
{
	size_t room = k->room ? 2 * k->room : FIRST_ROOM;
	uint8_t *more;

	if (k->count == k->room) {
		more = reallocarray(k->bytes, room, k->size);
		if (!more)
			return false;
		k->bytes = more;
		k->room = room;
	}
	memcpy(k->bytes + k->count++ * k->size, key, k->size);
	return true;
}

static void sort(struct keys *k, vpc_compare *compare)
{
	size_t kept = 0;

	if (k->count)
		qsort(k->bytes, k->count, k->size, compare);
	for (size_t i = 0; i < k->count; i++) {
		const uint8_t *key = k->bytes + i * k->size;

		if (kept && !compare(k->bytes + (kept - 1) * k->size, key))
			continue;
		memmove(k->bytes + kept++ * k->size, key, k->size);
	}
	k->count = kept;
}

/* Append what one walk tells. */
static int walk(const struct vpc_map *map, struct keys *k)
{
	uint64_t most = (uint64_t)TIMES_MAX * map->room;
	uint8_t key[VPC_KEY_MAX], next[VPC_KEY_MAX];
	bool first = true;

	for (; !sys_map_next(map->fd, first ? NULL : key, next); first = false) {
		if (!most--)
			errno = EAGAIN;
		else if (!add_key(k, next))
			errno = ENOMEM;
		else
			errno = 0;
		if (errno)
			return -1;
		memcpy(key, next, k->size);
	}
	return errno == ENOENT ? 0 : -1;
}

static int read_keys(const struct vpc_map *map, struct keys *k, vpc_compare *compare)
{
	size_t before;
	int in_vain = 0;

	for (int walks = 0; walks < WALKS_MAX; walks++) {
		before = k->count;
		if (walk(map, k))
			return -1;
		sort(k, compare);
		in_vain = k->count == before ? in_vain + 1 : 0;
		if (in_vain == WALKS_IN_VAIN)
			return 0;
	}
	errno = EAGAIN;
	return -1;
}

int vpc_keys(const struct vpc_map *map, vpc_compare *compare, void **keys, size_t *count, struct bpfstamp_err *err)
{
	struct keys k = { .size = map->key_size };
	int code;

	if (!read_keys(map, &k, compare)) {
		*keys = k.bytes;
		*count = k.count;
		return 0;
	}
	code = errno;
	free(k.bytes);
	if (code == EAGAIN)
		return err_set(err, code, "cannot list %s: it changes faster than it can be read; try again",
			       map->name);
	return err_set(err, code, "cannot list %s: %s", map->name, strerror(code));
}
