// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whole messages: of tc byte by byte, others word by word.
 *
 * Fields of netlink are in the host's byte order.  The golden bytes of tc are written
 * down as on a little-endian host; on another one they are turned field by field
 * before they are compared, by a walk through the message of its own: nothing of
 * netlink/ takes part.
 */
#include <string.h>

#include <check.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

#include "include/bytes.h"
#include "netlink/tcmsg.h"
#include "tests/golden.h"

static uint32_t request[TCMSG_BUFFER / 4];

void *golden_dirty(void)
{
	return memset(request, 0xaa, sizeof(request));
}

static void turn(uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size / 2; i++) {
		uint8_t byte = bytes[i];

		bytes[i] = bytes[size - 1 - i];
		bytes[size - 1 - i] = byte;
	}
}

/* Attributes of four bytes are numbers, but for the kind, and the name of a filter. */
static void turn_attributes(uint8_t *at, const uint8_t *end, uint16_t text)
{
	while (at < end) {
		uint16_t len = (uint16_t)(at[0] | at[1] << 8), type = (uint16_t)(at[2] | at[3] << 8);

		turn(at, 2);
		turn(at + 2, 2);
		if (type & NLA_F_NESTED)
			turn_attributes(at + 4, at + len, TCA_BPF_NAME);
		else if (len == 8 && type != text)
			turn(at + 4, 4);
		at += NLMSG_ALIGN(len);
	}
}

/* The golden bytes are those of a little-endian host; turn them into those of a big-endian one. */
static void turn_message(uint8_t *bytes, size_t size)
{
	static const uint8_t fields[] = { 4, 2, 2, 4, 4, 1, 1, 2, 4, 4, 4 };
	uint8_t *at = bytes;

	for (size_t i = 0; i < sizeof(fields); at += fields[i++])
		turn(at, fields[i]);
	/* The upper half of tcm_info is a number, and the lower a protocol in network order. */
	turn(at, 4);
	turn(at + 2, 2);
	turn_attributes(at + 4, bytes + size, TCA_KIND);
}

void golden_check(const struct nlmsghdr *nlh, const uint8_t *golden, size_t size)
{
	const uint8_t *bytes = (const uint8_t *)nlh;
	uint8_t expected[256];

	ck_assert_ptr_eq(nlh, request);
	ck_assert_uint_eq(nlh->nlmsg_len, size);
	ck_assert_uint_le(size, sizeof(expected));
	memcpy(expected, golden, size);
	if (BYTES_HOST_BIG)
		turn_message(expected, size);
	for (size_t i = 0; i < size; i++)
		ck_assert_msg(bytes[i] == expected[i], "byte %zu is %02x, not %02x", i, bytes[i], expected[i]);
}

void golden_words(const struct nlmsghdr *nlh, const void *buffer, const uint32_t *golden, size_t size)
{
	const uint32_t *words = buffer;

	ck_assert_ptr_eq(nlh, buffer);
	ck_assert_uint_eq(nlh->nlmsg_len, size);
	for (size_t i = 0; i < size / 4; i++)
		ck_assert_msg(words[i] == golden[i], "word %zu is 0x%08x, not 0x%08x", i, words[i], golden[i]);
}
