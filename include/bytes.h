/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Integers of either byte order at any address: the one place where the bytes
 * of an object become numbers and back.  big tells the order of the bytes.
 * Internal (not installed).
 *
 * Freestanding code includes this header for the mem* and str* functions too:
 * where there is no C library's <string.h> it declares those that are used.
 * The copies below are __builtin_memcpy because a freestanding compiler makes
 * a call of a plain memcpy, where a move of one register is meant.
 */
#ifndef INCLUDE_BYTES_H
#define INCLUDE_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#if __STDC_HOSTED__
#include <string.h>
#else
#include <stddef.h>

void *memchr(const void *s, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *s, int c, size_t n);
char *strchr(const char *s, int c);
int strcmp(const char *a, const char *b);
size_t strlen(const char *s);
int strncmp(const char *a, const char *b, size_t n);
#endif

#define BYTES_HOST_BIG (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

static inline uint16_t bytes_get16(const void *p, bool big)
{
	uint16_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return big == BYTES_HOST_BIG ? v : __builtin_bswap16(v);
}

static inline uint32_t bytes_get32(const void *p, bool big)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return big == BYTES_HOST_BIG ? v : __builtin_bswap32(v);
}

static inline uint64_t bytes_get64(const void *p, bool big)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return big == BYTES_HOST_BIG ? v : __builtin_bswap64(v);
}

static inline void bytes_put16(void *p, uint16_t v, bool big)
{
	v = big == BYTES_HOST_BIG ? v : __builtin_bswap16(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline void bytes_put32(void *p, uint32_t v, bool big)
{
	v = big == BYTES_HOST_BIG ? v : __builtin_bswap32(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline void bytes_put64(void *p, uint64_t v, bool big)
{
	v = big == BYTES_HOST_BIG ? v : __builtin_bswap64(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

#endif
