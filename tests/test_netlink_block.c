// SPDX-License-Identifier: BSD-2-Clause
/*
 * Messages about shared blocks, without a socket: netlink/tcmsg.h as in
 * test_netlink.c.  The requests are what iproute2 6.1 was seen to send, but for
 * the asked-for echo and NLA_F_NESTED.
 */
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

#include "netlink/tcmsg.h"
#include "tests/golden.h"

Suite *suite_netlink_block(void);

/* Of a shared block: no interface, and the block in place of the parent, which is not looked at. */
#define BPF_KIND 8, 0, 1, 0, 'b', 'p', 'f', 0
#define BLOCK_TCMSG \
	0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, \
	1, 0, 0, 0,			/* handle */ \
	0x78, 0x56, 0x34, 0x12,		/* block */ \
	0x00, 0x03, 0x01, 0x00

START_TEST(block_filters)
{
	static const uint8_t new[] = {
		0x48, 0, 0, 0, 0x2c, 0, 0x09, 0x06,
		0, 0, 0, 0, 0, 0, 0, 0,
		BLOCK_TCMSG, BPF_KIND,
		8, 0, 11, 0, 7, 0, 0, 0,		/* TCA_CHAIN */
		0x14, 0, 2, 0x80,			/* TCA_OPTIONS */
		8, 0, 6, 0, 4, 0, 0, 0,			/* TCA_BPF_FD */
		8, 0, 9, 0, 2, 0, 0, 0,			/* TCA_BPF_FLAGS_GEN: SKIP_SW */
	};
	static const uint8_t del[] = {
		0x34, 0, 0, 0, 0x2d, 0, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, BLOCK_TCMSG, BPF_KIND,
		8, 0, 11, 0, 7, 0, 0, 0,
	};
	static const uint8_t get[] = {
		0x34, 0, 0, 0, 0x2e, 0, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, BLOCK_TCMSG, BPF_KIND,
		8, 0, 11, 0, 7, 0, 0, 0,
	};
	static const uint8_t dump[] = {
		0x24, 0, 0, 0, 0x2e, 0, 0x01, 0x03, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x78, 0x56, 0x34, 0x12, 0, 0, 0, 0,
	};
	struct tc_filter f = {
		.block = 0x12345678, .ifindex = 3, .parent = 0xffff0000u | TC_EGRESS, .handle = 1, .prio = 1,
		.protocol = ETH_P_ALL, .chain = 7, .kind = "bpf", .fd = 4, .gen_flags = TCA_CLS_FLAGS_SKIP_SW,
	};

	golden_check(tcmsg_filter_new(golden_dirty(), &f, true), new, sizeof(new));
	golden_check(tcmsg_filter_del(golden_dirty(), &f), del, sizeof(del));
	golden_check(tcmsg_filter_get(golden_dirty(), &f), get, sizeof(get));
	golden_check(tcmsg_block_dump(golden_dirty(), 0x12345678), dump, sizeof(dump));
}
END_TEST

static struct nlmsghdr *answer(uint16_t type, int ifindex, uint32_t parent, const char *kind)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(golden_dirty());
	struct tcmsg *tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));

	nlh->nlmsg_type = type;
	tcm->tcm_ifindex = ifindex;
	tcm->tcm_handle = 5;
	tcm->tcm_parent = parent;
	mnl_attr_put_strz(nlh, TCA_KIND, kind);
	return nlh;
}

START_TEST(filter_of_a_block)
{
	struct nlmsghdr *nlh = answer(RTM_NEWTFILTER, -1, 22, "bpf");
	struct tc_filter f;

	mnl_attr_put_u32(nlh, TCA_CHAIN, 3);
	ck_assert_int_eq(tcmsg_parse_filter(nlh, &f), 0);
	ck_assert_uint_eq(f.block, 22);
	ck_assert_int_eq(f.ifindex, 0);
	ck_assert_uint_eq(f.parent, 0);
	ck_assert_uint_eq(f.handle, 5);
	ck_assert_uint_eq(f.chain, 3);
	nlh = answer(RTM_NEWTFILTER, 7, 22, "bpf");
	ck_assert_int_eq(tcmsg_parse_filter(nlh, &f), 0);
	ck_assert_uint_eq(f.block, 0);
	ck_assert_int_eq(f.ifindex, 7);
	ck_assert_uint_eq(f.parent, 22);
}
END_TEST

START_TEST(qdisc_of_blocks)
{
	struct nlmsghdr *nlh = answer(RTM_NEWQDISC, 7, TC_H_CLSACT, "clsact");
	struct tc_qdisc q;

	ck_assert_int_eq(tcmsg_parse_qdisc(nlh, &q), 0);
	ck_assert_uint_eq(q.ingress_block, 0);
	ck_assert_uint_eq(q.egress_block, 0);
	mnl_attr_put_u32(nlh, TCA_INGRESS_BLOCK, 22);
	mnl_attr_put_u32(nlh, TCA_EGRESS_BLOCK, UINT32_MAX);
	ck_assert_int_eq(tcmsg_parse_qdisc(nlh, &q), 0);
	ck_assert_uint_eq(q.ingress_block, 22);
	ck_assert_uint_eq(q.egress_block, UINT32_MAX);
	mnl_attr_put_u16(nlh, _i ? TCA_INGRESS_BLOCK : TCA_EGRESS_BLOCK, 22);
	ck_assert_int_eq(tcmsg_parse_qdisc(nlh, &q), -1);
}
END_TEST

Suite *suite_netlink_block(void)
{
	Suite *s = suite_create("netlink_block");
	TCase *tc = tcase_create("blocks");

	suite_add_tcase(s, tc);
	tcase_add_test(tc, block_filters);
	tcase_add_test(tc, filter_of_a_block);
	tcase_add_loop_test(tc, qdisc_of_blocks, 0, 2);
	return s;
}
