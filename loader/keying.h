/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a key is put together: once without memory, to measure it, and then at its place.
 */
#ifndef LOADER_KEYING_H
#define LOADER_KEYING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct keying {
	uint8_t *at;	/* NULL: it is only measured */
	size_t size;	/* so far */
};

static inline void keying_append(struct keying *k, const void *bytes, size_t size)
{
	if (k->at && size)
		memcpy(k->at + k->size, bytes, size);
	k->size += size;
}

static inline void keying_append32(struct keying *k, uint32_t value)
{
	keying_append(k, &value, sizeof(value));
}

#endif
