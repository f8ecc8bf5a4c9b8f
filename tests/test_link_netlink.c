// SPDX-License-Identifier: BSD-2-Clause
/*
 * netlink/link.h without a socket.  Requests are compared with whole messages,
 * of which the ones that set XDP are what `ip link set dev … xdp…` of iproute2
 * 6.1 was seen to send, but for what stands at each.  A message is written down
 * as words of the host's byte order, as the kernel reads them.
 *
 * An answer is what a 6.18 kernel was seen to send, shortened.  It is cut after
 * every byte, and its attributes get wrong sizes; every message is parsed in a heap
 * block of exactly its size, so that a sanitizer sees a byte read too many, and a
 * refused message must leave the output as it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "netlink/link.h"
#include "tests/golden.h"

Suite *suite_link_netlink(void);

#define IFINDEX 0x01020304
#define NESTED 0x8000u

static uint32_t buffer[LINK_BUFFER / 4];

/* A buffer that is not zero shows a byte that a builder forgot. */
static void *dirty(void)
{
	return memset(buffer, 0xaa, sizeof(buffer));
}

#define IS(nlh, ...) \
	golden_words(nlh, buffer, (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }))

/* nlmsghdr and ifinfomsg; the type of the message is 18 for GETLINK, 19 for SETLINK, 16 for NEWLINK. */
#define HEADER(size, type, flags, ifindex) size, HALVES(type, flags), 0, 0, 0, ifindex, 0, 0
#define REQUEST 1
#define DUMP 0x301
#define SKIP_STATISTICS HALVES(8, 29), 8

START_TEST(get)
{
	char longest[129] = "";

	IS(link_new_get(dirty(), IFINDEX, NULL), HEADER(40, 18, REQUEST, IFINDEX), SKIP_STATISTICS);
	IS(link_new_get(dirty(), IFINDEX, "va"), HEADER(48, 18, REQUEST, 0), SKIP_STATISTICS,
	   HALVES(7, 3), CHARS('v', 'a', 0, 0));
	IS(link_new_get(dirty(), 0, "exactly15chars_"), HEADER(60, 18, REQUEST, 0), SKIP_STATISTICS, HALVES(20, 3),
	   CHARS('e', 'x', 'a', 'c'), CHARS('t', 'l', 'y', '1'), CHARS('5', 'c', 'h', 'a'), CHARS('r', 's', '_', 0));
	IS(link_new_get(dirty(), 0, "exactly_16_chars"), HEADER(64, 18, REQUEST, 0), SKIP_STATISTICS, HALVES(21, 53),
	   CHARS('e', 'x', 'a', 'c'), CHARS('t', 'l', 'y', '_'), CHARS('1', '6', '_', 'c'), CHARS('h', 'a', 'r', 's'),
	   0);
	memset(longest, 'n', 127);
	ck_assert_uint_eq(link_new_get(dirty(), 0, longest)->nlmsg_len, 40 + 4 + 128);
}
END_TEST

START_TEST(dump)
{
	IS(link_new_dump(dirty()), HEADER(40, 18, REQUEST | DUMP, 0), SKIP_STATISTICS);
}
END_TEST

/* IFLA_XDP is 43; in it, _FD is 1, _FLAGS 3, _EXPECTED_FD 8.  ip sends no NLA_F_NESTED, and -1 without flags. */
START_TEST(xdp)
{
	IS(link_new_xdp(dirty(), IFINDEX, 7, XDP_FLAGS_SKB_MODE, -1), HEADER(52, 19, REQUEST, IFINDEX),
	   HALVES(20, NESTED | 43), HALVES(8, 1), 7, HALVES(8, 3), 2);
	IS(link_new_xdp(dirty(), IFINDEX, 7, XDP_FLAGS_UPDATE_IF_NOEXIST, 99), HEADER(52, 19, REQUEST, IFINDEX),
	   HALVES(20, NESTED | 43), HALVES(8, 1), 7, HALVES(8, 3), 1);
	IS(link_new_xdp(dirty(), IFINDEX, 7, XDP_FLAGS_UPDATE_IF_NOEXIST | XDP_FLAGS_HW_MODE, -1),
	   HEADER(52, 19, REQUEST, IFINDEX), HALVES(20, NESTED | 43), HALVES(8, 1), 7, HALVES(8, 3), 9);
	IS(link_new_xdp(dirty(), IFINDEX, 7, XDP_FLAGS_DRV_MODE | XDP_FLAGS_REPLACE, 6),
	   HEADER(60, 19, REQUEST, IFINDEX),
	   HALVES(28, NESTED | 43), HALVES(8, 1), 7, HALVES(8, 3), 20, HALVES(8, 8), 6);
	IS(link_new_xdp(dirty(), IFINDEX, -1, XDP_FLAGS_SKB_MODE | XDP_FLAGS_REPLACE, 6),
	   HEADER(60, 19, REQUEST, IFINDEX),
	   HALVES(28, NESTED | 43), HALVES(8, 1), UINT32_MAX, HALVES(8, 3), 18, HALVES(8, 8), 6);
}
END_TEST

/* --------------------------------------------------------------- answers */

/* Parse a copy of exactly that size; a refusal must leave *out. */
static int parse(const void *message, size_t size, struct link_info *out)
{
	struct link_info before;
	struct nlmsghdr *copy = malloc(size);
	int ret;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, message, size);
	memset(out, 0x5a, sizeof(*out));
	before = *out;
	ret = link_parse(copy, out);
	free(copy);
	if (ret)
		ck_assert_mem_eq(&before, out, sizeof(before));
	else
		ck_assert(memchr(out->name, '\0', sizeof(out->name)) && memchr(out->kind, '\0', sizeof(out->kind)));
	return ret;
}

/* Programs of all modes, as netdevsim may have them: ATTACHED is MULTI, and there is no PROG_ID. */
static const uint32_t multi[] = {
	HEADER(96, 16, 0, IFINDEX),
	HALVES(7, 3), CHARS('v', 'a', 0, 0),
	HALVES(8, 4), 1500,
	HALVES(36, 43), HALVES(5, 2), CHARS(4, 0, 0, 0), HALVES(8, 6), 11, HALVES(8, 5), 12, HALVES(8, 7), 13,
	HALVES(12, 18), HALVES(6, 1), CHARS('x', 0, 0, 0),
};

START_TEST(answer)
{
	struct link_info link;

	ck_assert_int_eq(parse(multi, sizeof(multi), &link), 0);
	ck_assert_int_eq(link.ifindex, IFINDEX);
	ck_assert_str_eq(link.name, "va");
	ck_assert_str_eq(link.kind, "x");
	ck_assert_uint_eq(link.xdp.skb, 11);
	ck_assert_uint_eq(link.xdp.drv, 12);
	ck_assert_uint_eq(link.xdp.hw, 13);
}
END_TEST

/* A message with IFLA_XDP { ATTACHED, PROG_ID, more }. */
static int parse_xdp(uint8_t attached, uint32_t prog_id, uint16_t more, uint32_t more_id, struct link_info *link)
{
	const uint32_t message[] = {
		HEADER(68, 16, 0, IFINDEX), HALVES(7, 3), CHARS('v', 'a', 0, 0),
		HALVES(28, 43),
		HALVES(5, 2), CHARS(attached, 0, 0, 0), HALVES(8, 4), prog_id, HALVES(8, more), more_id,
	};

	ck_assert_uint_eq(message[0], sizeof(message));
	return parse(message, sizeof(message), link);
}

/* What kernels before 4.19 say, and later ones beside the id by its mode. */
static const struct {
	uint8_t attached;
	uint32_t prog_id;
	uint16_t more;
	uint32_t more_id, skb, drv, hw;
} programs[] = {
	{ 0, 0, 99, 0, 0, 0, 0 },
	{ XDP_ATTACHED_DRV, 5, 99, 6, 0, 5, 0 },
	{ XDP_ATTACHED_SKB, 5, 99, 6, 5, 0, 0 },
	{ XDP_ATTACHED_HW, 5, 99, 6, 0, 0, 5 },
	{ XDP_ATTACHED_MULTI, 5, 99, 6, 0, 0, 0 },
	{ 200, 5, 99, 6, 0, 0, 0 },
	{ XDP_ATTACHED_DRV, 5, IFLA_XDP_DRV_PROG_ID, 5, 0, 5, 0 },
	{ XDP_ATTACHED_SKB, 5, IFLA_XDP_SKB_PROG_ID, 5, 5, 0, 0 },
	{ XDP_ATTACHED_HW, 5, IFLA_XDP_HW_PROG_ID, 5, 0, 0, 5 },
	{ XDP_ATTACHED_HW, UINT32_MAX, 99, 0, 0, 0, UINT32_MAX },
};

START_TEST(old_answers)
{
	struct link_info link;

	ck_assert_int_eq(parse_xdp(programs[_i].attached, programs[_i].prog_id, programs[_i].more,
				   programs[_i].more_id, &link), 0);
	ck_assert_uint_eq(link.xdp.skb, programs[_i].skb);
	ck_assert_uint_eq(link.xdp.drv, programs[_i].drv);
	ck_assert_uint_eq(link.xdp.hw, programs[_i].hw);
}
END_TEST

/* Cut after every byte: what is left is read only where it is whole attributes. */
START_TEST(cut)
{
	uint32_t message[sizeof(multi) / 4];
	struct link_info link;
	bool whole;

	for (uint32_t size = NLMSG_HDRLEN; size < sizeof(multi); size++) {
		memcpy(message, multi, sizeof(multi));
		message[0] = size;
		whole = size == 32 + 7 || size == 40 || size == 48 || size == 84;
		ck_assert_msg((parse(message, size, &link) == 0) == whole, "%u bytes", size);
		if (whole)
			ck_assert_str_eq(link.name, "va");
		if (whole)
			ck_assert_uint_eq(link.xdp.hw, size == 84 ? 13 : 0);
	}
}
END_TEST

static const size_t attributes[] = { 13, 15, 17, 19, 8, 22 };	/* words of multi; the last two are of strings */

/* Every other size of every attribute that is read; a string may have more behind its end, if that ends in 0, too. */
START_TEST(wrong_sizes)
{
	size_t at = attributes[_i];
	uint32_t message[sizeof(multi) / 4];
	struct link_info link;
	uint16_t size, right;

	memcpy(&right, &multi[at], sizeof(right));
	for (unsigned int i = 0; i < 200; i++) {
		size = (uint16_t)i;
		memcpy(message, multi, sizeof(multi));
		memcpy(&message[at], &size, sizeof(size));
		if (!parse(message, sizeof(multi), &link))
			ck_assert_msg(size == right || (_i >= 4 && size > 4 && size <= sizeof(multi) - 4 * at),
				      "word %zu: size %u", at, size);
		else
			ck_assert_uint_ne(size, right);
	}
}
END_TEST

#define NAMED(...) \
	parse((const uint32_t[]){ HEADER(sizeof((const uint32_t[]){ __VA_ARGS__ }) + 32, 16, 0, 1), __VA_ARGS__ }, \
	      sizeof((const uint32_t[]){ __VA_ARGS__ }) + 32, &link)

START_TEST(hostile)
{
	const uint32_t other[] = { HEADER(40, 17, 0, 1), HALVES(7, 3), CHARS('v', 'a', 0, 0) };
	struct link_info link;

	ck_assert_int_eq(NAMED(HALVES(8, 3), CHARS('v', 'a', 'b', 0)), 0);
	ck_assert_str_eq(link.name, "vab");
	ck_assert_int_eq(NAMED(HALVES(8, 3), CHARS('v', 'a', 'b', 'c')), -1);
	ck_assert_int_eq(NAMED(HALVES(4, 3)), -1);
	ck_assert_int_eq(NAMED(HALVES(5, 3), 0), -1);
	ck_assert_int_eq(NAMED(HALVES(8, 4), 1500), -1);
	ck_assert_int_eq(NAMED(HALVES(20, 3), CHARS('1', '2', '3', '4'), CHARS('5', '6', '7', '8'),
			       CHARS('9', '0', '1', '2'), CHARS('3', '4', '5', 0)), 0);
	ck_assert_int_eq(NAMED(HALVES(21, 3), CHARS('1', '2', '3', '4'), CHARS('5', '6', '7', '8'),
			       CHARS('9', '0', '1', '2'), CHARS('3', '4', '5', '6'), 0), -1);
	/* A kind may be longer than those that are looked for. */
	ck_assert_int_eq(NAMED(HALVES(7, 3), CHARS('v', 'a', 0, 0), HALVES(28, 18), HALVES(24, 1),
			       CHARS('1', '2', '3', '4'), CHARS('5', '6', '7', '8'), CHARS('9', '0', '1', '2'),
			       CHARS('3', '4', '5', '6'), CHARS('7', '8', '9', 0)), 0);
	ck_assert_str_eq(link.kind, "123456789012345");
	ck_assert_int_eq(NAMED(HALVES(7, 3), CHARS('v', 'a', 0, 0), HALVES(12, 18), HALVES(8, 1),
			       CHARS('1', '2', '3', '4')), -1);
	/* Sizes of ATTACHED and of an id; and what nobody knows is passed over, of any size. */
	ck_assert_int_eq(NAMED(HALVES(7, 3), CHARS('v', 'a', 0, 0), HALVES(12, 43), HALVES(8, 2), 1), -1);
	ck_assert_int_eq(NAMED(HALVES(7, 3), CHARS('v', 'a', 0, 0), HALVES(12, 43), HALVES(5, 6), 1), -1);
	ck_assert_int_eq(NAMED(HALVES(7, 3), CHARS('v', 'a', 0, 0), HALVES(8, 43), HALVES(4, 6)), -1);
	ck_assert_int_eq(NAMED(HALVES(7, 3), CHARS('v', 'a', 0, 0), HALVES(12, 43), HALVES(5, 77), 1), 0);
	ck_assert_int_eq(NAMED(HALVES(7, 3), CHARS('v', 'a', 0, 0), HALVES(4, 43)), 0);
	ck_assert_int_eq(parse(other, sizeof(other), &link), -1);
}
END_TEST

Suite *suite_link_netlink(void)
{
	Suite *s = suite_create("link_netlink");
	TCase *tc = tcase_create("link_netlink");

	suite_add_tcase(s, tc);
	tcase_add_test(tc, get);
	tcase_add_test(tc, dump);
	tcase_add_test(tc, xdp);
	tcase_add_test(tc, answer);
	tcase_add_loop_test(tc, old_answers, 0, sizeof(programs) / sizeof(programs[0]));
	tcase_add_test(tc, cut);
	tcase_add_loop_test(tc, wrong_sizes, 0, sizeof(attributes) / sizeof(attributes[0]));
	tcase_add_test(tc, hostile);
	return s;
}
