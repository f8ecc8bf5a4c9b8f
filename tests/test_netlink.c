// SPDX-License-Identifier: BSD-2-Clause
/*
 * netlink/tcmsg.h without a socket.  Requests are compared with whole messages
 * byte by byte: the ones for clsact and for `bpf da` are what iproute2 6.1 was
 * seen to send, but for the asked-for echo and the flag NLA_F_NESTED (0x8000),
 * which it leaves out of TCA_OPTIONS (tests/golden.h).
 *
 * Answers are what a 6.18 kernel was seen to send.  Each is then cut after
 * every byte and given attributes of wrong sizes; every message is parsed in a
 * heap block of exactly its size, so that a sanitizer sees a byte read too
 * many, and a refused message must leave the output as it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

#include "netlink/tcmsg.h"
#include "tests/golden.h"

Suite *suite_netlink(void);

#define IFINDEX 0x01020304
#define EGRESS (0xffff0000u | TC_EGRESS)

#define CLSACT_TCMSG \
	0, 0, 0, 0, 4, 3, 2, 1,		/* family; ifindex */ \
	0, 0, 0xff, 0xff,		/* handle ffff:0 */ \
	0xf1, 0xff, 0xff, 0xff,		/* parent ffff:fff1 */ \
	0, 0, 0, 0			/* info */
#define CLSACT_KIND 0x0b, 0, 1, 0, 'c', 'l', 's', 'a', 'c', 't', 0, 0	/* TCA_KIND, padded */

START_TEST(clsact_new)
{
	static const uint8_t golden[] = {
		0x30, 0, 0, 0, 0x24, 0, 0x01, 0x06,	/* RTM_NEWQDISC; REQUEST CREATE EXCL */
		0, 0, 0, 0, 0, 0, 0, 0,			/* seq, pid */
		CLSACT_TCMSG, CLSACT_KIND,
	};

	golden_check(tcmsg_clsact_new(golden_dirty(), IFINDEX), golden, sizeof(golden));
}
END_TEST

START_TEST(clsact_del)
{
	static const uint8_t golden[] = {
		0x30, 0, 0, 0, 0x25, 0, 0x01, 0,	/* RTM_DELQDISC; REQUEST */
		0, 0, 0, 0, 0, 0, 0, 0,
		CLSACT_TCMSG, CLSACT_KIND,
	};

	golden_check(tcmsg_clsact_del(golden_dirty(), IFINDEX), golden, sizeof(golden));
}
END_TEST

START_TEST(clsact_get)
{
	static const uint8_t golden[] = {
		0x24, 0, 0, 0, 0x26, 0, 0x09, 0,	/* RTM_GETQDISC; REQUEST ECHO; no kind */
		0, 0, 0, 0, 0, 0, 0, 0,
		CLSACT_TCMSG,
	};

	golden_check(tcmsg_clsact_get(golden_dirty(), IFINDEX), golden, sizeof(golden));
}
END_TEST

START_TEST(qdisc_dump)
{
	static const uint8_t golden[] = {
		0x24, 0, 0, 0, 0x26, 0, 0x01, 0x03,	/* RTM_GETQDISC; REQUEST DUMP */
		0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	};

	golden_check(tcmsg_qdisc_dump(golden_dirty(), IFINDEX), golden, sizeof(golden));
}
END_TEST

static struct tc_filter place(void)
{
	return (struct tc_filter){
		.ifindex = IFINDEX, .parent = EGRESS, .handle = 1, .prio = 1, .protocol = ETH_P_ALL,
		.kind = "bpf", .fd = 4,
	};
}

#define EGRESS_TCMSG \
	0, 0, 0, 0, 4, 3, 2, 1,		/* family; ifindex */ \
	1, 0, 0, 0,			/* handle */ \
	0xf3, 0xff, 0xff, 0xff,		/* parent ffff:fff3 */ \
	0x00, 0x03, 0x01, 0x00		/* protocol all (network order), prio 1 */
#define BPF_KIND 8, 0, 1, 0, 'b', 'p', 'f', 0

START_TEST(filter_replace)
{
	static const uint8_t golden[] = {
		0x54, 0, 0, 0, 0x2c, 0, 0x09, 0x04,	/* RTM_NEWTFILTER; REQUEST ECHO CREATE */
		0, 0, 0, 0, 0, 0, 0, 0,
		EGRESS_TCMSG, BPF_KIND,
		0x28, 0, 2, 0x80,			/* TCA_OPTIONS, nested */
		8, 0, 6, 0, 4, 0, 0, 0,			/* TCA_BPF_FD */
		0x11, 0, 7, 0, 'n', 'l', 'p', ':', '[', '*', 'f', 's', 'o', 'b', 'j', ']', 0, 0, 0, 0,
		8, 0, 8, 0, 1, 0, 0, 0,			/* TCA_BPF_FLAGS: ACT_DIRECT */
	};
	struct tc_filter f = place();

	f.direct_action = true;
	strcpy(f.name, "nlp:[*fsobj]");
	golden_check(tcmsg_filter_new(golden_dirty(), &f, false), golden, sizeof(golden));
}
END_TEST

START_TEST(filter_exclusive)
{
	static const uint8_t golden[] = {
		0x48, 0, 0, 0, 0x2c, 0, 0x09, 0x06,	/* REQUEST ECHO CREATE EXCL */
		0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 4, 3, 2, 1,
		0x78, 0x56, 0x34, 0x12,			/* handle */
		0xf2, 0xff, 0xff, 0xff,			/* parent ffff:fff2 */
		0x08, 0x00, 0xfe, 0xca,			/* protocol ip, prio 0xcafe */
		BPF_KIND,
		8, 0, 11, 0, 7, 0, 0, 0,		/* TCA_CHAIN */
		0x14, 0, 2, 0x80,			/* TCA_OPTIONS */
		8, 0, 6, 0, 0xff, 0, 0, 0,		/* TCA_BPF_FD */
		8, 0, 9, 0, 1, 0, 0, 0,			/* TCA_BPF_FLAGS_GEN: SKIP_HW */
	};
	struct tc_filter f = place();

	f.parent = 0xffff0000u | TC_INGRESS;
	f.handle = 0x12345678;
	f.prio = 0xcafe;
	f.protocol = ETH_P_IP;
	f.chain = 7;
	f.fd = 255;
	f.gen_flags = TCA_CLS_FLAGS_SKIP_HW;
	golden_check(tcmsg_filter_new(golden_dirty(), &f, true), golden, sizeof(golden));
}
END_TEST

START_TEST(filter_del)
{
	static const uint8_t golden[] = {
		0x34, 0, 0, 0, 0x2d, 0, 0x01, 0,	/* RTM_DELTFILTER; REQUEST */
		0, 0, 0, 0, 0, 0, 0, 0,
		EGRESS_TCMSG, BPF_KIND,
		8, 0, 11, 0, 9, 0, 0, 0,		/* TCA_CHAIN */
	};
	struct tc_filter f = place();

	f.chain = 9;
	golden_check(tcmsg_filter_del(golden_dirty(), &f), golden, sizeof(golden));
}
END_TEST

START_TEST(filter_get)
{
	static const uint8_t golden[] = {
		0x2c, 0, 0, 0, 0x2e, 0, 0x01, 0,	/* RTM_GETTFILTER; REQUEST */
		0, 0, 0, 0, 0, 0, 0, 0,
		EGRESS_TCMSG, BPF_KIND,
	};
	static const uint8_t any_kind[] = {
		0x24, 0, 0, 0, 0x2e, 0, 0x01, 0,
		0, 0, 0, 0, 0, 0, 0, 0,
		EGRESS_TCMSG,
	};
	struct tc_filter f = place();

	golden_check(tcmsg_filter_get(golden_dirty(), &f), golden, sizeof(golden));
	f.kind[0] = '\0';
	golden_check(tcmsg_filter_get(golden_dirty(), &f), any_kind, sizeof(any_kind));
}
END_TEST

START_TEST(filter_dump)
{
	static const uint8_t golden[] = {
		0x24, 0, 0, 0, 0x2e, 0, 0x01, 0x03,	/* RTM_GETTFILTER; REQUEST DUMP */
		0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 4, 3, 2, 1, 0, 0, 0, 0,
		0xf3, 0xff, 0xff, 0xff,			/* parent */
		0, 0, 0, 0,
	};

	golden_check(tcmsg_filter_dump(golden_dirty(), IFINDEX, EGRESS), golden, sizeof(golden));
}
END_TEST

START_TEST(longest_request_fits)
{
	struct tc_filter f = place();
	const struct nlmsghdr *nlh;

	f.chain = f.gen_flags = f.handle = UINT32_MAX;
	f.direct_action = true;
	memset(f.name, 'x', sizeof(f.name) - 1);
	nlh = tcmsg_filter_new(golden_dirty(), &f, true);
	ck_assert_uint_eq(nlh->nlmsg_len, 16 + 20 + 8 + 8 + 4 + 8 + 264 + 8 + 8);
	ck_assert_uint_le(nlh->nlmsg_len, TCMSG_BUFFER);
}
END_TEST

/* What a kernel answers, built into buffer. */
static struct nlmsghdr *answer(uint16_t type, uint32_t handle, uint32_t parent, uint32_t info)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(golden_dirty());
	struct tcmsg *tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));

	nlh->nlmsg_type = type;
	tcm->tcm_ifindex = IFINDEX;
	tcm->tcm_handle = handle;
	tcm->tcm_parent = parent;
	tcm->tcm_info = info;
	return nlh;
}

static struct nlmsghdr *clsact_answer(void)
{
	struct nlmsghdr *nlh = answer(RTM_NEWQDISC, 0xffff0000, TC_H_CLSACT, 1);

	mnl_attr_put_strz(nlh, TCA_KIND, "clsact");
	mnl_attr_put_u8(nlh, TCA_HW_OFFLOAD, 0);
	return nlh;
}

static const uint8_t tag[8] = { 0x59, 0xf4, 0xa9, 0x31, 0x74, 0x4d, 0xcd, 0xc6 };

static struct nlmsghdr *bpf_answer(void)
{
	struct nlmsghdr *nlh = answer(RTM_NEWTFILTER, 5, EGRESS, 0xabcd0000 | htobe16(ETH_P_IPV6));
	struct nlattr *options;

	mnl_attr_put_strz(nlh, TCA_KIND, "bpf");
	mnl_attr_put_u32(nlh, TCA_CHAIN, 3);
	options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	mnl_attr_put_strz(nlh, TCA_BPF_NAME, "nlp:[*fsobj]");
	mnl_attr_put_u32(nlh, TCA_BPF_ID, 106);
	mnl_attr_put(nlh, TCA_BPF_TAG, sizeof(tag), tag);
	mnl_attr_put_u32(nlh, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_put_u32(nlh, TCA_BPF_FLAGS_GEN, TCA_CLS_FLAGS_NOT_IN_HW);
	mnl_attr_nest_end(nlh, options);
	return nlh;
}

/* Parse in a block of exactly the message's size; what is refused must not be written. */
static int parse_qdisc(const struct nlmsghdr *nlh, struct tc_qdisc *out)
{
	struct nlmsghdr *copy = malloc(nlh->nlmsg_len);
	struct tc_qdisc before;
	int status;

	memset(out, 0x5a, sizeof(*out));
	before = *out;
	memcpy(copy, nlh, nlh->nlmsg_len);
	status = tcmsg_parse_qdisc(copy, out);
	free(copy);
	if (status)
		ck_assert_mem_eq(out, &before, sizeof(before));
	return status;
}

static int parse_filter(const struct nlmsghdr *nlh, struct tc_filter *out)
{
	struct nlmsghdr *copy = malloc(nlh->nlmsg_len);
	struct tc_filter before;
	int status;

	memset(out, 0x5a, sizeof(*out));
	before = *out;
	memcpy(copy, nlh, nlh->nlmsg_len);
	status = tcmsg_parse_filter(copy, out);
	free(copy);
	if (status)
		ck_assert_mem_eq(out, &before, sizeof(before));
	return status;
}

START_TEST(qdisc_good)
{
	struct nlmsghdr *nlh = clsact_answer();
	struct tc_qdisc q;

	ck_assert_int_eq(parse_qdisc(nlh, &q), 0);
	ck_assert_int_eq(q.ifindex, IFINDEX);
	ck_assert_uint_eq(q.handle, 0xffff0000);
	ck_assert_uint_eq(q.parent, 0xfffffff1);
	ck_assert_str_eq(q.kind, "clsact");
	nlh->nlmsg_type = RTM_DELQDISC;
	ck_assert_int_eq(parse_qdisc(nlh, &q), 0);
	nlh->nlmsg_type = RTM_GETQDISC;
	ck_assert_int_eq(parse_qdisc(nlh, &q), -1);
	nlh->nlmsg_type = RTM_NEWTFILTER;
	ck_assert_int_eq(parse_qdisc(nlh, &q), -1);
}
END_TEST

/* A whole message ends behind the kind (its padding may be missing) or behind the last attribute. */
START_TEST(qdisc_cut)
{
	struct nlmsghdr *nlh = clsact_answer();
	uint32_t whole = nlh->nlmsg_len;
	struct tc_qdisc q;

	ck_assert_uint_eq(whole, 56);
	for (uint32_t n = sizeof(*nlh); n <= whole; n++) {
		nlh->nlmsg_len = n;
		ck_assert_msg((parse_qdisc(nlh, &q) == 0) == (n == 47 || n == 48 || n >= 53), "%u bytes", n);
	}
}
END_TEST

START_TEST(filter_good)
{
	struct nlmsghdr *nlh = bpf_answer();
	struct tc_filter f;

	ck_assert_int_eq(parse_filter(nlh, &f), 0);
	ck_assert_int_eq(f.ifindex, IFINDEX);
	ck_assert_uint_eq(f.parent, EGRESS);
	ck_assert_uint_eq(f.handle, 5);
	ck_assert_uint_eq(f.chain, 3);
	ck_assert_uint_eq(f.block, 0);
	ck_assert_uint_eq(f.prio, 0xabcd);
	ck_assert_uint_eq(f.protocol, ETH_P_IPV6);
	ck_assert_str_eq(f.kind, "bpf");
	ck_assert_int_eq(f.fd, -1);
	ck_assert_uint_eq(f.id, 106);
	ck_assert_uint_eq(f.gen_flags, TCA_CLS_FLAGS_NOT_IN_HW);
	ck_assert(f.direct_action && f.has_tag);
	ck_assert_mem_eq(f.tag, tag, sizeof(tag));
	ck_assert_str_eq(f.name, "nlp:[*fsobj]");
	nlh->nlmsg_type = RTM_DELTFILTER;
	ck_assert_int_eq(parse_filter(nlh, &f), 0);
	nlh->nlmsg_type = RTM_NEWQDISC;
	ck_assert_int_eq(parse_filter(nlh, &f), -1);
}
END_TEST

START_TEST(filter_of_old_kernel)
{
	struct nlmsghdr *nlh = answer(RTM_NEWTFILTER, 0, EGRESS, 0);
	struct tc_filter f;

	ck_assert_int_eq(parse_filter(nlh, &f), -1);
	mnl_attr_put_strz(nlh, TCA_KIND, "bpf");
	ck_assert_int_eq(parse_filter(nlh, &f), 0);
	mnl_attr_put(nlh, TCA_OPTIONS, 0, NULL);
	ck_assert_int_eq(parse_filter(nlh, &f), 0);
	ck_assert_uint_eq(f.id, 0);
	ck_assert_uint_eq(f.chain, 0);
	ck_assert_uint_eq(f.gen_flags, 0);
	ck_assert(!f.direct_action && !f.has_tag);
	ck_assert_str_eq(f.name, "");
}
END_TEST

START_TEST(filter_cut)
{
	struct nlmsghdr *nlh = bpf_answer();
	uint32_t whole = nlh->nlmsg_len;
	struct tc_filter f;
	bool good;

	ck_assert_uint_eq(whole, 112);
	for (uint32_t n = sizeof(*nlh); n <= whole; n++) {
		nlh->nlmsg_len = n;
		good = n == 44 || n == 52 || n == 112;
		ck_assert_msg((parse_filter(nlh, &f) == 0) == good, "%u bytes", n);
	}
}
END_TEST

/* The message is cut with its last attribute, so that only what is nested is incomplete. */
START_TEST(filter_options_cut)
{
	struct nlmsghdr *nlh = bpf_answer();
	struct nlattr *options = (void *)((char *)nlh + 52);
	struct tc_filter f;
	bool good;

	ck_assert_uint_eq(options->nla_len, 60);
	for (uint16_t n = 4; n <= 60; n++) {
		options->nla_len = n;
		nlh->nlmsg_len = 52u + n;
		good = n == 4 || (n >= 21 && n <= 24) || n == 32 || n == 44 || n == 52 || n == 60;
		ck_assert_msg((parse_filter(nlh, &f) == 0) == good, "%u bytes", n);
	}
}
END_TEST

/* One attribute of some size, good or not; nested: inside TCA_OPTIONS of a bpf filter. */
static const struct {
	uint16_t type;
	bool nested, terminated;
	uint16_t size, good_from, good_to;
} sizes[] = {
	{ TCA_KIND, false, true, 20, 1, 16 },
	{ TCA_KIND, false, false, 20, 1, 0 },
	{ TCA_CHAIN, false, true, 9, 4, 4 },
	{ TCA_BPF_ID, true, true, 9, 4, 4 },
	{ TCA_BPF_FLAGS, true, true, 9, 4, 4 },
	{ TCA_BPF_FLAGS_GEN, true, true, 9, 4, 4 },
	{ TCA_BPF_TAG, true, true, 17, 8, 8 },
	{ TCA_BPF_NAME, true, true, 260, 1, 257 },
	{ TCA_BPF_NAME, true, false, 260, 1, 0 },
	{ TCA_BPF_ACT, true, false, 9, 0, 9 },
	{ TCA_BPF_ID + 1, true, false, 9, 0, 9 },
	{ 0x3fff, true, false, 9, 0, 9 },
	{ TCA_STATS2, false, false, 9, 0, 9 },
	{ TCA_EXT_WARN_MSG, false, false, 9, 0, 9 },
};

START_TEST(filter_attribute_sizes)
{
	struct nlattr *options = NULL;
	struct nlmsghdr *nlh;
	struct tc_filter f;
	char payload[512];
	bool good;

	for (uint16_t n = 0; n <= sizes[_i].size; n++) {
		memset(payload, 'x', sizeof(payload));
		if (n && sizes[_i].terminated)
			payload[n - 1] = '\0';
		nlh = answer(RTM_NEWTFILTER, 1, EGRESS, 0);
		if (sizes[_i].nested || sizes[_i].type != TCA_KIND)
			mnl_attr_put_strz(nlh, TCA_KIND, "bpf");
		if (sizes[_i].nested)
			options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
		mnl_attr_put(nlh, sizes[_i].type, n, payload);
		if (sizes[_i].nested)
			mnl_attr_nest_end(nlh, options);
		good = n >= sizes[_i].good_from && n <= sizes[_i].good_to;
		ck_assert_msg((parse_filter(nlh, &f) == 0) == good, "type %u, %u bytes", sizes[_i].type, n);
	}
}
END_TEST

/* Lengths below the header, beyond the room, and a rest that is no attribute. */
static const struct {
	uint16_t length, room;
} broken[] = { { 0, 8 }, { 3, 8 }, { 9, 8 }, { 0xffff, 8 }, { 4, 5 }, { 4, 7 }, { 4, 8 } };

START_TEST(broken_attributes)
{
	struct nlattr garbage[2] = { { .nla_len = broken[_i].length, .nla_type = 0x3ffe } };
	struct nlmsghdr *nlh = bpf_answer();
	struct tc_qdisc q;
	struct tc_filter f;

	memcpy(mnl_nlmsg_get_payload_tail(nlh), garbage, sizeof(garbage));
	nlh->nlmsg_len += broken[_i].room;
	ck_assert_int_eq(parse_filter(nlh, &f), -1);

	nlh = answer(RTM_NEWTFILTER, 1, EGRESS, 0);
	mnl_attr_put_strz(nlh, TCA_KIND, "bpf");
	mnl_attr_put(nlh, TCA_OPTIONS, broken[_i].room, garbage);
	ck_assert_int_eq(parse_filter(nlh, &f), -1);

	nlh = clsact_answer();
	memcpy(mnl_nlmsg_get_payload_tail(nlh), garbage, sizeof(garbage));
	nlh->nlmsg_len += broken[_i].room;
	ck_assert_int_eq(parse_qdisc(nlh, &q), -1);
}
END_TEST

START_TEST(options_of_others_are_theirs)
{
	struct nlmsghdr *nlh = answer(RTM_NEWTFILTER, 0x80000800, EGRESS, 0);
	struct tc_filter f;

	mnl_attr_put_strz(nlh, TCA_KIND, "u32");
	mnl_attr_put(nlh, TCA_OPTIONS, 7, "\xff\xff\xff\xff\xff\xff\xff");
	ck_assert_int_eq(parse_filter(nlh, &f), 0);
	ck_assert_str_eq(f.kind, "u32");
	ck_assert_uint_eq(f.handle, 0x80000800);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static TCase *requests(void)
{
	TCase *tc = tcase_create("requests");

	tcase_add_test(tc, clsact_new);
	tcase_add_test(tc, clsact_del);
	tcase_add_test(tc, clsact_get);
	tcase_add_test(tc, qdisc_dump);
	tcase_add_test(tc, filter_replace);
	tcase_add_test(tc, filter_exclusive);
	tcase_add_test(tc, filter_del);
	tcase_add_test(tc, filter_get);
	tcase_add_test(tc, filter_dump);
	tcase_add_test(tc, longest_request_fits);
	return tc;
}

static TCase *answers(void)
{
	TCase *tc = tcase_create("answers");

	tcase_add_test(tc, qdisc_good);
	tcase_add_test(tc, qdisc_cut);
	tcase_add_test(tc, filter_good);
	tcase_add_test(tc, filter_of_old_kernel);
	tcase_add_test(tc, filter_cut);
	tcase_add_test(tc, filter_options_cut);
	tcase_add_loop_test(tc, filter_attribute_sizes, 0, COUNT(sizes));
	tcase_add_loop_test(tc, broken_attributes, 0, COUNT(broken));
	tcase_add_test(tc, options_of_others_are_theirs);
	return tc;
}

Suite *suite_netlink(void)
{
	Suite *s = suite_create("netlink");

	suite_add_tcase(s, requests());
	suite_add_tcase(s, answers());
	return s;
}
