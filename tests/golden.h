/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of netlink/ against what they have to be: those of tcmsg.h as bytes, those
 * of link.h and linkmake.h as words of the host's byte order, as the kernel reads them.
 */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <stddef.h>
#include <stdint.h>

#include "include/bytes.h"

struct nlmsghdr;

/* A buffer (TCMSG_BUFFER bytes) that is not zero, which shows a byte that a builder forgot. */
void *golden_dirty(void);

/* Compare the message at the start of that buffer with golden, of at most 256 bytes. */
void golden_check(const struct nlmsghdr *nlh, const uint8_t *golden, size_t size);

/* Two fields in one word, or four characters. */
#define GOLDEN_PAIR(bits, first, second) \
	((uint32_t)(BYTES_HOST_BIG ? (first) : (second)) << (bits) | (uint32_t)(BYTES_HOST_BIG ? (second) : (first)))
#define HALVES(first, second) GOLDEN_PAIR(16, first, second)
#define CHARS(a, b, c, d) HALVES(GOLDEN_PAIR(8, a, b), GOLDEN_PAIR(8, c, d))

/* Compare the message nlh, which has to be at buffer, with size bytes of words. */
void golden_words(const struct nlmsghdr *nlh, const void *buffer, const uint32_t *golden, size_t size);

#endif
