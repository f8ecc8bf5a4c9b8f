// SPDX-License-Identifier: BSD-2-Clause
/*
 * tcmsg_attr_name(): every byte of a request is asked about, so that the
 * attributes' ends, their padding and what is nested are told apart.  The
 * offsets are counted from the layout of the message, not computed by what is
 * tested.
 */
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

#include "netlink/tcmsg.h"

Suite *suite_netlink_attr(void);

static uint32_t buffer[TCMSG_BUFFER / 4];

/* Compare the names of all bytes, and of some beyond; runs[] ends with the message. */
struct run {
	uint32_t end;
	const char *name;
};

static void check_names(const struct nlmsghdr *nlh, const struct run *runs)
{
	struct nlmsghdr *copy = malloc(nlh->nlmsg_len);
	const char *name;

	memcpy(copy, nlh, nlh->nlmsg_len);
	for (uint32_t at = 0; at < nlh->nlmsg_len + 8; at++) {
		while (runs->end && at >= runs->end)
			runs++;
		name = tcmsg_attr_name(copy, at);
		ck_assert_msg(!name == !runs->name && (!name || !strcmp(name, runs->name)), "byte %u is %s, not %s",
			      at, name, runs->name);
	}
	ck_assert_ptr_null(tcmsg_attr_name(copy, UINT32_MAX));
	free(copy);
}

START_TEST(names_of_a_filter)
{
	static const struct run runs[] = {
		{ 36, NULL },
		{ 44, "TCA_KIND" },
		{ 52, "TCA_CHAIN" },
		{ 56, "TCA_OPTIONS" },
		{ 64, "TCA_BPF_FD" },
		{ 64 + 4 + 5, "TCA_BPF_NAME" },	/* "four" and its end */
		{ 76, "TCA_OPTIONS" },		/* padding */
		{ 84, "TCA_BPF_FLAGS" },
		{ 92, "TCA_BPF_FLAGS_GEN" },
		{ 0, NULL },
	};
	struct tc_filter f = {
		.ifindex = 1, .parent = 0xffff0000u | TC_EGRESS, .handle = 1, .prio = 1, .protocol = ETH_P_ALL,
		.chain = 7, .kind = "bpf", .fd = 4, .name = "four", .direct_action = true,
		.gen_flags = TCA_CLS_FLAGS_SKIP_SW,
	};
	struct nlmsghdr *nlh = tcmsg_filter_new(buffer, &f, true);

	ck_assert_uint_eq(nlh->nlmsg_len, 92);
	check_names(nlh, runs);
}
END_TEST

START_TEST(names_of_a_qdisc)
{
	static const struct run runs[] = {
		{ 36, NULL }, { 47, "TCA_KIND" }, { 48, NULL }, { 56, "TCA_INGRESS_BLOCK" },
		{ 64, "TCA_EGRESS_BLOCK" }, { 0, NULL },
	};
	struct nlmsghdr *nlh = tcmsg_clsact_new(buffer, 1);

	mnl_attr_put_u32(nlh, TCA_INGRESS_BLOCK, 1);
	mnl_attr_put_u32(nlh, TCA_EGRESS_BLOCK, 2);
	check_names(nlh, runs);
}
END_TEST

/* Attributes without a name here, and one that says it is longer than the request. */
START_TEST(names_unknown)
{
	struct nlmsghdr *nlh = tcmsg_clsact_del(buffer, 1);
	struct nlattr *kind = mnl_nlmsg_get_payload_offset(nlh, sizeof(struct tcmsg));

	mnl_attr_put_u32(nlh, TCA_RATE, 1);
	mnl_attr_put_u32(nlh, 0x3fff, 1);
	ck_assert_ptr_null(tcmsg_attr_name(nlh, 48));
	ck_assert_ptr_null(tcmsg_attr_name(nlh, 56));
	kind->nla_len = 29;
	ck_assert_ptr_null(tcmsg_attr_name(nlh, 36));
	kind->nla_len = 28;
	ck_assert_str_eq(tcmsg_attr_name(nlh, 36), "TCA_KIND");
	kind->nla_len = 3;
	ck_assert_ptr_null(tcmsg_attr_name(nlh, 36));
}
END_TEST

/* Attributes of other requests have the same numbers and other meanings. */
START_TEST(names_of_others)
{
	static const struct {
		uint16_t type;
		bool named;
	} types[] = {
		{ RTM_NEWQDISC - 1, false }, { RTM_NEWQDISC, true }, { RTM_GETQDISC, true }, { RTM_NEWTFILTER, true },
		{ RTM_GETTFILTER, true }, { RTM_GETTFILTER + 1, false }, { RTM_NEWLINK, false },
	};
	struct nlmsghdr *nlh = tcmsg_clsact_new(buffer, 1);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		nlh->nlmsg_type = types[i].type;
		ck_assert_int_eq(tcmsg_attr_name(nlh, 36) != NULL, types[i].named);
	}
}
END_TEST

Suite *suite_netlink_attr(void)
{
	Suite *s = suite_create("netlink_attr");
	TCase *tc = tcase_create("names");

	suite_add_tcase(s, tc);
	tcase_add_test(tc, names_of_a_filter);
	tcase_add_test(tc, names_of_a_qdisc);
	tcase_add_test(tc, names_unknown);
	tcase_add_test(tc, names_of_others);
	return s;
}
