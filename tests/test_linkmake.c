// SPDX-License-Identifier: BSD-2-Clause
/*
 * netlink/linkmake.h without a socket, and what link_parse() reads of the
 * interfaces that it makes.  Requests are compared with whole messages: what
 * iproute2 6.1 was seen to send for the command at each, but for what stands
 * there.  A message is written down as words of the host's byte order, as the
 * kernel reads them; addresses and ports are bytes.
 *
 * Answers are what a 6.18 kernel was seen to send, shortened.  Each is cut after
 * every byte and gets wrong sizes, and is parsed in a heap block of exactly its size.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <check.h>
#include <linux/rtnetlink.h>

#include "netlink/linkmake.h"
#include "tests/golden.h"

Suite *suite_linkmake(void);

#define IFINDEX 0x01020304
#define NESTED 0x8000u

static uint32_t buffer[LINKMAKE_BUFFER / 4];

/* A buffer that is not zero shows a byte that a builder forgot. */
static void *dirty(void)
{
	return memset(buffer, 0xaa, sizeof(buffer));
}

#define IS(nlh, ...) \
	golden_words(nlh, buffer, (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }))

#define CREATE 0x601		/* NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL */
#define MESSAGE(size, type) size, HALVES(type, CREATE), 0, 0
#define ANY_LINK 0, 0, 0, 0
#define BS01 HALVES(9, 3), CHARS('b', 's', '0', '1'), 0
#define ETH0 HALVES(9, 3), CHARS('e', 't', 'h', '0'), 0
#define VETH HALVES(9, 1), CHARS('v', 'e', 't', 'h'), 0

/* link add bs01 mtu 1400 type veth peer name eth0 …: ip sends kinds without the 0 at their end, and another order. */
START_TEST(veth)
{
	IS(linkmake_new_veth(dirty(), "bs01", "eth0", 7, 1400), MESSAGE(120, 16), ANY_LINK, BS01, HALVES(8, 4), 1400,
	   HALVES(68, NESTED | 18), VETH,
	   HALVES(52, NESTED | 2), HALVES(48, NESTED | 1), ANY_LINK, ETH0, HALVES(8, 4), 1400, HALVES(8, 28), 7);
	IS(linkmake_new_veth(dirty(), "bs01", "eth0", 0, 0), MESSAGE(104, 16), ANY_LINK, BS01,
	   HALVES(60, NESTED | 18), VETH,
	   HALVES(44, NESTED | 2), HALVES(40, NESTED | 1), ANY_LINK, ETH0, HALVES(8, 28), 0);
	IS(linkmake_new_veth(dirty(), "bs01", "eth0", -1, 0), MESSAGE(96, 16), ANY_LINK, BS01,
	   HALVES(52, NESTED | 18), VETH,
	   HALVES(36, NESTED | 2), HALVES(32, NESTED | 1), ANY_LINK, ETH0);
}
END_TEST

/* Every request has room with the longest names. */
START_TEST(room)
{
	ck_assert_uint_eq(linkmake_new_veth(dirty(), "exactly15chars_", "exactly15chars2", INT32_MAX, UINT32_MAX)
			  ->nlmsg_len, 120 + 16);
	for (size_t i = 120 + 16; i < sizeof(buffer); i++)
		ck_assert_uint_eq(((const uint8_t *)buffer)[i], 0);
}
END_TEST

/* link add bs01 type vxlan dstport 4789 external */
START_TEST(vxlan)
{
	IS(linkmake_new_vxlan(dirty(), "bs01", 4789, 0), MESSAGE(88, 16), ANY_LINK, BS01,
	   HALVES(44, NESTED | 18), HALVES(10, 1), CHARS('v', 'x', 'l', 'a'), CHARS('n', 0, 0, 0),
	   HALVES(28, NESTED | 2), HALVES(5, 25), CHARS(1, 0, 0, 0), HALVES(5, 7), 0,
	   HALVES(6, 15), CHARS(0x12, 0xb5, 0, 0));
	IS(linkmake_new_vxlan(dirty(), "bs01", 0xfffe, 1450), MESSAGE(96, 16), ANY_LINK, BS01, HALVES(8, 4), 1450,
	   HALVES(44, NESTED | 18), HALVES(10, 1), CHARS('v', 'x', 'l', 'a'), CHARS('n', 0, 0, 0),
	   HALVES(28, NESTED | 2), HALVES(5, 25), CHARS(1, 0, 0, 0), HALVES(5, 7), 0,
	   HALVES(6, 15), CHARS(0xff, 0xfe, 0, 0));
}
END_TEST

/* link set … mtu 1400: ip asks for RTM_NEWLINK, which does the same here. */
START_TEST(mtu)
{
	IS(linkmake_new_mtu(dirty(), IFINDEX, 1400), 40, HALVES(19, 1), 0, 0, 0, IFINDEX, 0, 0, HALVES(8, 4), 1400);
	IS(linkmake_new_mtu(dirty(), 1, UINT32_MAX), 40, HALVES(19, 1), 0, 0, 0, 1, 0, 0, HALVES(8, 4), UINT32_MAX);
}
END_TEST

static const uint8_t pod4[4] = { 10, 1, 0, 2 }, gateway4[4] = { 10, 1, 0, 1 }, none4[4];
static const uint8_t pod6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 2 }, gateway6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 1 };
#define POD4 CHARS(10, 1, 0, 2)
#define POD6 CHARS(0x20, 1, 0x0d, 0xb8), 0, 0, CHARS(0, 0, 0, 2)
#define GATEWAY6 CHARS(0x20, 1, 0x0d, 0xb8), 0, 0, CHARS(0, 0, 0, 1)

/* addr add 10.1.0.2/24 dev …; addr add 2001:db8::2/64 dev … nodad */
START_TEST(address)
{
	IS(linkmake_new_address(dirty(), IFINDEX, AF_INET, pod4, 24), MESSAGE(40, 20),
	   CHARS(2, 24, 0, 0), IFINDEX, HALVES(8, 2), POD4, HALVES(8, 1), POD4);
	IS(linkmake_new_address(dirty(), IFINDEX, AF_INET6, pod6, 64), MESSAGE(64, 20),
	   CHARS(10, 64, 2, 0), IFINDEX, HALVES(20, 2), POD6, HALVES(20, 1), POD6);
}
END_TEST

/*
 * route add default via 10.1.0.1 dev …, 10.9.0.0/16 dev …, default via 2001:db8::1 dev …, 2001:d80::/25 dev …; for
 * IPv6, ip sends the destination ::, too, and no scope.
 */
START_TEST(route)
{
	static const uint8_t net4[4] = { 10, 9, 255, 255 };

	IS(linkmake_new_route(dirty(), IFINDEX, AF_INET, none4, 0, gateway4), MESSAGE(44, 24),
	   CHARS(2, 0, 0, 0), CHARS(254, 3, 0, 1), 0, HALVES(8, 5), CHARS(10, 1, 0, 1), HALVES(8, 4), IFINDEX);
	IS(linkmake_new_route(dirty(), IFINDEX, AF_INET, net4, 16, NULL), MESSAGE(44, 24),
	   CHARS(2, 16, 0, 0), CHARS(254, 3, 253, 1), 0, HALVES(8, 1), CHARS(10, 9, 0, 0), HALVES(8, 4), IFINDEX);
	IS(linkmake_new_route(dirty(), IFINDEX, AF_INET6, pod6, 0, gateway6), MESSAGE(56, 24),
	   CHARS(10, 0, 0, 0), CHARS(254, 3, 0, 1), 0, HALVES(20, 5), GATEWAY6, HALVES(8, 4), IFINDEX);
	IS(linkmake_new_route(dirty(), IFINDEX, AF_INET6, pod6, 25, NULL), MESSAGE(56, 24),
	   CHARS(10, 25, 0, 0), CHARS(254, 3, 253, 1), 0, HALVES(20, 1), CHARS(0x20, 1, 0x0d, 0x80), 0, 0, 0,
	   HALVES(8, 4), IFINDEX);
}
END_TEST

/* The destination ends with its prefix, at every bit; nothing is read or written behind an impossible one. */
START_TEST(prefixes)
{
	uint8_t ones[16], dst[16];
	const uint32_t *words = buffer;

	memset(ones, 0xff, sizeof(ones));
	for (unsigned int prefix = 1; prefix <= 255; prefix++) {
		linkmake_new_route(dirty(), IFINDEX, AF_INET6, ones, (uint8_t)prefix, NULL);
		memcpy(dst, words + 8, sizeof(dst));
		for (unsigned int bit = 0; bit < 128; bit++)
			ck_assert_uint_eq(dst[bit / 8] >> (7 - bit % 8) & 1, bit < prefix);
		linkmake_new_route(dirty(), IFINDEX, AF_INET, ones, (uint8_t)prefix, NULL);
		memcpy(dst, words + 8, 4);
		for (unsigned int bit = 0; bit < 32; bit++)
			ck_assert_uint_eq(dst[bit / 8] >> (7 - bit % 8) & 1, bit < prefix);
	}
}
END_TEST

/* --------------------------------------------------------------- answers */

/* Parse a copy of exactly that size; a refusal must leave *out. */
static int parse(const uint32_t *message, size_t size, struct link_info *out)
{
	struct link_info before;
	struct nlmsghdr *copy = malloc(size);
	int ret;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, message, size);
	copy->nlmsg_len = (uint32_t)size;
	memset(out, 0x5a, sizeof(*out));
	before = *out;
	ret = link_parse(copy, out);
	free(copy);
	if (ret)
		ck_assert_mem_eq(&before, out, sizeof(before));
	return ret;
}

#define NEWLINK(flags) 0, HALVES(16, 0), 0, 0, 0, IFINDEX, flags, 0
#define PARSE(...) \
	parse((const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }), &link)
#define VXLAN HALVES(10, 1), CHARS('v', 'x', 'l', 'a'), CHARS('n', 0, 0, 0)
#define EXTERNAL HALVES(5, 25), CHARS(1, 0, 0, 0)
#define PORT HALVES(6, 15), CHARS(0x12, 0xb5, 0, 0)

START_TEST(answer_veth)
{
	static const uint8_t mac[6] = { 2, 3, 4, 5, 6, 7 };
	struct link_info link;

	ck_assert_int_eq(PARSE(NEWLINK(0x1043), BS01, HALVES(8, 4), 1400, HALVES(10, 1), CHARS(2, 3, 4, 5),
			       CHARS(6, 7, 0, 0), HALVES(8, 5), 77, HALVES(16, 18), VETH), 0);
	ck_assert_int_eq(link.ifindex, IFINDEX);
	ck_assert_str_eq(link.kind, "veth");
	ck_assert_int_eq(link.peer, 77);
	ck_assert(link.up && !link.external);
	ck_assert_uint_eq(link.port, 0);
	ck_assert_uint_eq(link.mtu, 1400);
	ck_assert_mem_eq(link.mac, mac, sizeof(mac));
	ck_assert_int_eq(PARSE(NEWLINK(0x1042), BS01), 0);
	ck_assert(!link.up && !link.peer && !link.mtu && !link.external && !*link.kind);
	ck_assert_mem_eq(link.mac, ((const uint8_t[6]){ 0 }), 6);
	/* The kind's string does not end. */
	ck_assert_int_eq(PARSE(NEWLINK(0x1042), BS01, HALVES(12, 18), HALVES(8, 1), CHARS('v', 'e', 't', 'h')), -1);
}
END_TEST

/* What a device stands on is no peer. */
START_TEST(kinds_with_peers)
{
	struct link_info link;

	ck_assert_int_eq(PARSE(NEWLINK(0), BS01, HALVES(8, 5), 77, HALVES(16, 18),
			       HALVES(11, 1), CHARS('n', 'e', 't', 'k'), CHARS('i', 't', 0, 0)), 0);
	ck_assert_int_eq(link.peer, 77);
	ck_assert_int_eq(PARSE(NEWLINK(0), BS01, HALVES(8, 5), 77, HALVES(16, 18),
			       HALVES(12, 1), CHARS('m', 'a', 'c', 'v'), CHARS('l', 'a', 'n', 0)), 0);
	ck_assert_str_eq(link.kind, "macvlan");
	ck_assert_int_eq(link.peer, 0);
	ck_assert_int_eq(PARSE(NEWLINK(0), BS01, HALVES(8, 5), 77, HALVES(12, 18),
			       HALVES(8, 1), CHARS('v', 'e', 't', 0)), 0);
	ck_assert_int_eq(link.peer, 0);
	ck_assert_int_eq(PARSE(NEWLINK(0), BS01, HALVES(8, 5), 77), 0);
	ck_assert_int_eq(link.peer, 0);
}
END_TEST

static const uint32_t vxlan_answer[] = {
	NEWLINK(0x43), BS01, HALVES(8, 4), 1500, HALVES(10, 1), CHARS(2, 3, 4, 5), CHARS(6, 7, 0, 0),
	HALVES(8, 5), 9,
	HALVES(44, 18), VXLAN, HALVES(28, 2), EXTERNAL, HALVES(8, 99), 1, PORT,
};

START_TEST(answer_vxlan)
{
	struct link_info link;

	ck_assert_int_eq(parse(vxlan_answer, sizeof(vxlan_answer), &link), 0);
	ck_assert_str_eq(link.kind, "vxlan");
	ck_assert(link.external && link.up);
	ck_assert_uint_eq(link.port, 4789);
	ck_assert_uint_eq(link.mtu, 1500);
	ck_assert_int_eq(link.peer, 0);
	/* Data in front of its kind, with the flag that nested attributes may have, and not external. */
	ck_assert_int_eq(PARSE(NEWLINK(0), BS01, HALVES(36, NESTED | 18), HALVES(20, NESTED | 2),
			       HALVES(5, 25), 0, PORT, VXLAN), 0);
	ck_assert(!link.external);
	ck_assert_uint_eq(link.port, 4789);
	/* Without data; and of another kind, whose attributes of the same numbers are something else. */
	ck_assert_int_eq(PARSE(NEWLINK(0), BS01, HALVES(16, 18), VXLAN), 0);
	ck_assert(!link.external && !link.port);
	ck_assert_int_eq(PARSE(NEWLINK(0), BS01, HALVES(28, 18), HALVES(6, 1), CHARS('x', 0, 0, 0), HALVES(16, 2),
			       HALVES(12, 25), 1, 1), 0);
	ck_assert(!link.external && !link.port);
	ck_assert_int_eq(PARSE(NEWLINK(0), BS01, HALVES(28, 18), HALVES(6, 1), CHARS('x', 0, 0, 0), HALVES(16, 2),
			       UINT32_MAX, UINT32_MAX, UINT32_MAX), 0);
}
END_TEST

/* Cut after every byte: what is left is read only where it is whole attributes. */
START_TEST(cut)
{
	struct link_info link;
	bool whole;

	for (uint32_t size = NLMSG_HDRLEN; size < sizeof(vxlan_answer); size++) {
		whole = (size >= 41 && size <= 44) || size == 52 || (size >= 62 && size <= 64) || size == 72;
		ck_assert_msg((parse(vxlan_answer, size, &link) == 0) == whole, "%u bytes", size);
		if (whole)
			ck_assert_uint_eq(link.mtu, size >= 52 ? 1500 : 0);
	}
}
END_TEST

/* Words of vxlan_answer where attributes begin that have one right size. */
static const struct {
	size_t word;
	uint16_t right;
} sizes[] = { { 11, 8 }, { 16, 8 }, { 23, 5 }, { 27, 6 } };

START_TEST(wrong_sizes)
{
	uint32_t message[sizeof(vxlan_answer) / 4];
	struct link_info link;
	uint16_t type;

	memcpy(&type, (const uint8_t *)&vxlan_answer[sizes[_i].word] + 2, sizeof(type));
	for (uint16_t size = 0; size < 100; size++) {
		memcpy(message, vxlan_answer, sizeof(message));
		message[sizes[_i].word] = HALVES(size, type);
		ck_assert_msg((parse(message, sizeof(message), &link) == 0) == (size == sizes[_i].right),
			      "size %u", size);
	}
}
END_TEST

/* Addresses of other sizes, as tunnels have them, are passed over. */
START_TEST(other_macs)
{
	static const uint8_t none[6];
	struct link_info link;

	for (uint16_t size = 0; size <= 32; size++) {
		uint32_t message[] = {
			NEWLINK(0), BS01, HALVES(size, 1), 0x01010101, 0x01010101, 0x01010101, 0x01010101,
			0x01010101, 0x01010101, 0x01010101,
		};
		size_t end = 44 + (size > 4 ? size : 4u);

		ck_assert_msg((parse(message, end, &link) == 0) == (size >= 4), "size %u", size);
		if (size == 10)
			ck_assert_uint_eq(link.mac[5], 1);
		else if (size >= 4)
			ck_assert_mem_eq(link.mac, none, sizeof(none));
	}
}
END_TEST

Suite *suite_linkmake(void)
{
	Suite *s = suite_create("linkmake");
	TCase *tc = tcase_create("linkmake");

	suite_add_tcase(s, tc);
	tcase_add_test(tc, veth);
	tcase_add_test(tc, room);
	tcase_add_test(tc, vxlan);
	tcase_add_test(tc, mtu);
	tcase_add_test(tc, address);
	tcase_add_test(tc, route);
	tcase_add_test(tc, prefixes);
	tcase_add_test(tc, answer_veth);
	tcase_add_test(tc, kinds_with_peers);
	tcase_add_test(tc, answer_vxlan);
	tcase_add_test(tc, cut);
	tcase_add_loop_test(tc, wrong_sizes, 0, sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_test(tc, other_macs);
	return s;
}
