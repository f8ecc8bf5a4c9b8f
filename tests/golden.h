/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of netlink/tcmsg.h against the bytes that they have to be.
 */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;

/* A buffer (TCMSG_BUFFER bytes) that is not zero, which shows a byte that a builder forgot. */
void *golden_dirty(void);

/* Compare the message at the start of that buffer with golden, of at most 256 bytes. */
void golden_check(const struct nlmsghdr *nlh, const uint8_t *golden, size_t size);

#endif
