// SPDX-License-Identifier: BSD-2-Clause
/*
 * netlink/tc.h against the running kernel.  Each test has a network namespace
 * of its own (tests/netns.h).  What was set is compared with what `tc` reads
 * back, and what `tc` set is read back here; kernels that lack a module, races
 * and a missing echo are made up.  The kernel's words are compared only where
 * they have been the same since 4.19.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include "netlink/tc.h"
#include "tests/netns.h"

Suite *suite_tc_kernel(void);

#define MANY 4000

static struct bpf_prog_info info_of(int fd)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info = (uintptr_t)&info;
	attr.info.info_len = sizeof(info);
	ck_assert_int_eq((int)syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)), 0);
	return info;
}

static int ensure(bool *created)
{
	return tc_clsact_ensure(&netns.rtnl, netns.ifindex, "va", created, &netns.err);
}

static int delete_clsact(void)
{
	return tc_clsact_delete(&netns.rtnl, netns.ifindex, "va", &netns.err);
}

static int delete_filter(const struct tc_filter *f)
{
	return tc_filter_delete(&netns.rtnl, f, "va", &netns.err);
}

static int find(const struct tc_filter *f, struct tc_filter *out)
{
	return tc_filter_find(&netns.rtnl, f, "va", out, &netns.err);
}

static bool shown(const char *what, const char *text)
{
	return strstr(netns_output("tc %s", what), text);
}

START_TEST(clsact_twice)
{
	bool created = true;

	netns_clsact();
	OK(ensure(&created));
	ck_assert(!created);
	ck_assert(shown("qdisc show dev va", "qdisc clsact ffff: parent ffff:fff1"));
}
END_TEST

START_TEST(clsact_gone)
{
	FAILS(delete_clsact(), ENOENT, "…");
	netns_clsact();
	OK(delete_clsact());
	ck_assert(!shown("qdisc show dev va", "clsact"));
	FAILS(delete_clsact(), ENOENT, "…");
	netns_clsact();
}
END_TEST

START_TEST(ingress_in_the_way)
{
	bool created = true;

	netns_run("tc qdisc add dev va ingress");
	FAILS(ensure(&created), EEXIST,
	      "add clsact to va: a qdisc 'ingress' is in its place");
	ck_assert(created);
	FAILS(delete_clsact(), EINVAL, "delete clsact of va: …");
	ck_assert(shown("qdisc show dev va", "qdisc ingress ffff:"));
}
END_TEST

START_TEST(filter_life)
{
	struct tc_filter f = netns_filter(1), g = f, found;
	uint32_t first;

	netns_clsact();
	OK(netns_set(&f, true, &g));
	first = info_of(f.fd).id;
	ck_assert_uint_eq(g.id, first);
	ck_assert_str_eq(g.name, "stamped");
	FAILS(netns_set(&f, true, &g), EEXIST,
	      "add filter on va egress, prio 1 handle 0x1: Filter already exists (File exists)");
	f.fd = netns_program(BPF_PROG_TYPE_SCHED_CLS);
	strcpy(f.name, "again");
	OK(netns_set(&f, false, &f));
	ck_assert_uint_ne(f.id, first);
	OK(find(&f, &found));
	ck_assert_uint_eq(found.id, f.id);
	ck_assert_str_eq(found.name, "again");
	ck_assert(found.direct_action && found.has_tag);
	OK(delete_filter(&f));
	FAILS(delete_filter(&f), ENOENT, "delete filter of va egress, prio 1 handle 0x1: …");
	FAILS(find(&f, &found), ENOENT,
	      "va egress has no filter of prio 1 handle 0x1");
}
END_TEST

/* What is read back is what tc reads. */
START_TEST(readback)
{
	struct tc_filter f = netns_filter(0x2a), g;
	struct bpf_prog_info info = info_of(f.fd);
	char expected[64], tag[17];
	const char *json;

	netns_clsact();
	f.prio = 49152;
	f.protocol = ETH_P_IP;
	OK(netns_set(&f, true, &g));
	ck_assert_int_eq(g.ifindex, netns.ifindex);
	ck_assert_uint_eq(g.parent, EGRESS);
	ck_assert_uint_eq(g.handle, 0x2a);
	ck_assert_uint_eq(g.prio, 49152);
	ck_assert_uint_eq(g.protocol, ETH_P_IP);
	ck_assert_mem_eq(g.tag, info.tag, sizeof(g.tag));
	json = netns_output("tc -j filter show dev va egress");
	for (int i = 0; i < 8; i++)
		snprintf(tag + 2 * i, 3, "%02x", g.tag[i]);
	ck_assert_ptr_nonnull(strstr(json, tag));
	snprintf(expected, sizeof(expected), "\"id\":%u,", g.id);
	ck_assert_ptr_nonnull(strstr(json, expected));
	ck_assert_ptr_nonnull(strstr(json, "\"protocol\":\"ip\",\"pref\":49152,\"kind\":\"bpf\""));
	ck_assert_ptr_nonnull(strstr(json, "\"handle\":\"0x2a\",\"bpf_name\":\"stamped\""));
	ck_assert_ptr_nonnull(strstr(json, "\"direct-action\":true"));
	ck_assert_str_eq(netns_output("tc filter show dev va ingress"), "");
}
END_TEST

START_TEST(place_is_whole)
{
	struct tc_filter f = netns_filter(1);

	netns_clsact();
	f.prio = _i == 0 ? 0 : 1;
	f.protocol = _i == 1 ? 0 : ETH_P_ALL;
	f.handle = _i == 2 ? 0 : 1;
	FAILS(netns_set(&f, false, &f), EINVAL, "set the filter of va: a prio, …");
	FAILS(delete_filter(&f), EINVAL, "delete the filter of va: a prio, …");
	ck_assert_str_eq(netns_output("tc filter show dev va egress"), "");
}
END_TEST

/* Nothing stands at a place that differs in one thing, whatever the kernel calls it. */
START_TEST(found_nowhere_else)
{
	struct tc_filter f = netns_filter(1), g;

	FAILS(find(&f, &g), ENOENT,
	      "va egress has no filter of prio 1 handle 0x1");
	netns_clsact();
	FAILS(find(&f, &g), ENOENT,
	      "va egress has no filter of prio 1 handle 0x1");
	OK(netns_set(&f, true, &f));
	g = f;
	f.handle += _i == 0;
	f.prio = (uint16_t)(f.prio + (_i == 1));
	f.protocol = _i == 2 ? ETH_P_IP : ETH_P_ALL;
	f.chain += _i == 3;
	f.parent = _i == 4 ? INGRESS : EGRESS;
	FAILS(find(&f, &g), ENOENT, "va …");
	FAILS(delete_filter(&f), ENOENT, "…");
	ck_assert(shown("filter show dev va egress", "stamped"));
}
END_TEST

START_TEST(chains)
{
	struct tc_filter f = netns_filter(1), g;

	netns_clsact();
	f.chain = 7;
	OK(netns_set(&f, true, &g));
	ck_assert_uint_eq(g.chain, 7);
	ck_assert(shown("filter show dev va egress chain 7", "stamped"));
	OK(find(&f, &g));
	ck_assert_uint_eq(g.chain, 7);
	OK(delete_filter(&f));
	ck_assert_str_eq(netns_output("tc filter show dev va egress"), "");
}
END_TEST

/* matchall where the kernel has it, else u32: the last filter of either is found by its own handle. */
static bool add_foreign_filter(void)
{
	return system("tc filter add dev va egress prio 1 protocol all matchall 2>/dev/null") == 0 ||
	       system("tc filter add dev va egress prio 1 protocol all u32 match u32 0 0 2>/dev/null") == 0;
}

START_TEST(foreign_filter_at_the_prio)
{
	struct tc_filter f = netns_filter(1), g;
	struct netns_seen seen;

	netns_clsact();
	if (!add_foreign_filter()) {
		printf("SKIP foreign filter: neither matchall nor u32\n");
		return;
	}
	FAILS(netns_set(&f, false, &g), EINVAL,
	      "set filter on va egress, prio 1 handle 0x1: "
	      "Specified filter kind does not match existing one (Invalid argument)");
	seen = netns_see_all();
	ck_assert_uint_eq(seen.filters - seen.others, 0);
	ck_assert_uint_ge(seen.others, 1);
	f.handle = seen.other.handle;
	OK(find(&f, &g));
	ck_assert_str_eq(g.kind, seen.other.kind);
	ck_assert_uint_eq(g.handle, seen.other.handle);
	FAILS(delete_filter(&f), EINVAL, "delete filter of va egress, …");
	OK(delete_filter(&g));
}
END_TEST

static size_t count(void)
{
	size_t n;

	OK(tc_clsact_count(&netns.rtnl, netns.ifindex, "va", &n, &netns.err));
	return n;
}

START_TEST(empty)
{
	struct tc_filter f = netns_filter(1);

	ck_assert_uint_eq(count(), 0);
	netns_clsact();
	ck_assert_uint_eq(count(), 0);
	f.parent = _i ? EGRESS : INGRESS;
	OK(netns_set(&f, true, &f));
	ck_assert_uint_eq(count(), 1);
	OK(delete_filter(&f));
	ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(many_filters)
{
	struct netns_seen seen, some = { .stop_at = 3 };

	netns_filters(MANY);
	seen = netns_see_all();
	ck_assert_uint_eq(seen.filters, MANY);
	ck_assert_uint_eq(seen.handles, MANY * (MANY + 1) / 2);
	FAILS(tc_filter_each(&netns.rtnl, netns.ifindex, EGRESS, "va", netns_see, &some, &netns.err),
	      ECANCELED, "enough");
	ck_assert_uint_eq(some.filters, 3);
	OK(tc_filter_each(&netns.rtnl, netns.ifindex, INGRESS, "va", netns_see, &some, &netns.err));
	ck_assert_uint_eq(some.filters, 3);
	ck_assert_uint_eq(netns_see_all().filters, MANY);
}
END_TEST

static int count_qdisc(const struct tc_qdisc *q, void *arg, struct bpfstamp_err *e)
{
	unsigned int *count = arg;

	(void)e;
	*count += !strcmp(q->kind, "clsact");
	return 0;
}

START_TEST(qdiscs)
{
	unsigned int all = 0, one = 0, none = 0;
	int loopback;

	netns_clsact();
	netns_run("tc qdisc add dev vb clsact");
	loopback = netns_ifindex("lo");
	OK(tc_qdisc_each(&netns.rtnl, 0, count_qdisc, &all, &netns.err));
	OK(tc_qdisc_each(&netns.rtnl, netns.ifindex, count_qdisc, &one, &netns.err));
	OK(tc_qdisc_each(&netns.rtnl, loopback, count_qdisc, &none, &netns.err));
	ck_assert_uint_eq(all, 2);
	ck_assert_uint_eq(one, 1);
	ck_assert_uint_eq(none, 0);
}
END_TEST

#define GONE ": No such device; the interface is gone, or is in another network namespace"

/* Some kernels have words for this; none is asked for, so that the text is the same on all. */
static void no_words(void)
{
	int off = 0;

	mnl_socket_setsockopt(netns.rtnl.socket, NETLINK_EXT_ACK, &off, sizeof(off));
}

START_TEST(device_missing)
{
	struct tc_filter f = netns_filter(1);
	bool flag;

	no_words();
	f.ifindex = 4242;
	FAILS(tc_clsact_ensure(&netns.rtnl, 4242, "vx", &flag, &netns.err), ENODEV, "add clsact to vx" GONE);
	FAILS(tc_clsact_delete(&netns.rtnl, 4242, "vx", &netns.err), ENODEV, "delete clsact of vx" GONE);
	FAILS(tc_filter_set(&netns.rtnl, &f, false, "vx", &f, &netns.err), ENODEV,
	      "set filter on vx egress, prio 1 handle 0x1" GONE);
	FAILS(tc_filter_delete(&netns.rtnl, &f, "vx", &netns.err), ENODEV,
	      "delete filter of vx egress, prio 1 handle 0x1" GONE);
	FAILS(tc_filter_find(&netns.rtnl, &f, "vx", &f, &netns.err), ENODEV,
	      "look up filter of vx egress, prio 1 handle 0x1" GONE);
}
END_TEST

START_TEST(no_clsact)
{
	struct tc_filter f = netns_filter(1);

	FAILS(netns_set(&f, false, &f), EINVAL,
	      "set filter on va egress, prio 1 handle 0x1: Parent Qdisc …");
}
END_TEST

/* A program of another type, a file, nothing. */
START_TEST(no_program)
{
	static const int codes[] = { EINVAL, EINVAL, EBADF };
	struct tc_filter f = netns_filter(1);

	netns_clsact();
	f.fd = 999;
	if (_i == 0)
		f.fd = netns_program(BPF_PROG_TYPE_SOCKET_FILTER);
	if (_i == 1)
		f.fd = open("/dev/null", O_RDONLY);
	FAILS(netns_set(&f, false, &f), codes[_i],
	      "set filter on va egress, prio 1 handle 0x1: …");
	ck_assert_ptr_nonnull(strstr(netns.err.text, strerror(codes[_i])));
	ck_assert_str_eq(netns_output("tc filter show dev va egress"), "");
}
END_TEST

static void drop_capability(unsigned int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	ck_assert_int_eq((int)syscall(SYS_capget, &header, data), 0);
	data[capability / 32].effective &= ~(1u << capability % 32);
	ck_assert_int_eq((int)syscall(SYS_capset, &header, data), 0);
}

START_TEST(no_capability)
{
	struct tc_filter f = netns_filter(1);
	bool flag;

	netns_clsact();
	drop_capability(CAP_NET_ADMIN);
	FAILS(ensure(&flag), EPERM,
	      "add clsact to va: Operation not permitted; "
	      "needs CAP_NET_ADMIN in the namespace of the interface");
	FAILS(netns_set(&f, false, &f), EPERM, "set filter on va egress, …");
	ck_assert_ptr_nonnull(strstr(netns.err.text, "; needs CAP_NET_ADMIN in the namespace"));
	ck_assert_uint_eq(netns_see_all().filters, 0);
}
END_TEST

START_TEST(no_echo)
{
	struct tc_filter f = netns_filter(1), g;

	netns_clsact();
	netns.fault.kind = NETNS_HIDE_ECHO;
	netns.fault.times = 1;
	OK(netns_set(&f, true, &g));
	ck_assert_int_eq(netns.fault.times, 0);
	ck_assert_uint_eq(g.id, info_of(f.fd).id);
	ck_assert_uint_eq(g.handle, 1);
}
END_TEST

/* A kernel without the module answers ENOENT. */
START_TEST(no_module)
{
	struct tc_filter f = netns_filter(1);
	bool created;

	netns.fault = (struct netns_fault){ .kind = NETNS_MAKE_UP, .times = 2, .code = -ENOENT };
	FAILS(ensure(&created), ENOENT,
	      "add clsact to va: No such file or directory; "
	      "the kernel lacks clsact (module sch_ingress, CONFIG_NET_SCH_INGRESS)");
	FAILS(netns_set(&f, true, &f), ENOENT,
	      "add filter on va egress, prio 1 handle 0x1: No such file or directory; "
	      "the kernel lacks bpf filters (module cls_bpf, CONFIG_NET_CLS_BPF)");
}
END_TEST

/* clsact is there at the creation, gone at the look, and so on: once, or always. */
START_TEST(clsact_races)
{
	static const int codes[] = {
		-EEXIST, -ENOENT, -EEXIST, -ENOENT, -EEXIST, -ENOENT, -EEXIST, -ENOENT, -EEXIST, -ENOENT,
		-EEXIST, -ENOENT, -EEXIST, -ENOENT, -EEXIST, -ENOENT, -EEXIST, -ENOENT, -EEXIST, -ENOENT,
	};
	bool created = true;

	netns.fault = (struct netns_fault){ .kind = NETNS_MAKE_UP, .times = _i ? 20 : 2, .codes = codes };
	if (_i) {
		FAILS(ensure(&created), EAGAIN,
		      "add clsact to va: somebody keeps adding and deleting it");
		ck_assert(created);
	} else {
		OK(ensure(&created));
		ck_assert(!created);
	}
	ck_assert_int_eq(netns.fault.times, 0);
}
END_TEST

Suite *suite_tc_kernel(void)
{
	Suite *s = suite_create("tc_kernel");
	TCase *tc;

	if (!netns_usable("test_tc_kernel"))
		return s;
	tc = tcase_create("tc");
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, netns_setup, netns_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, clsact_twice);
	tcase_add_test(tc, clsact_gone);
	tcase_add_test(tc, ingress_in_the_way);
	tcase_add_test(tc, filter_life);
	tcase_add_test(tc, readback);
	tcase_add_loop_test(tc, place_is_whole, 0, 3);
	tcase_add_loop_test(tc, found_nowhere_else, 0, 5);
	tcase_add_test(tc, chains);
	tcase_add_test(tc, foreign_filter_at_the_prio);
	tcase_add_loop_test(tc, empty, 0, 2);
	tcase_add_test(tc, many_filters);
	tcase_add_test(tc, qdiscs);
	tcase_add_test(tc, device_missing);
	tcase_add_test(tc, no_clsact);
	tcase_add_loop_test(tc, no_program, 0, 3);
	tcase_add_test(tc, no_capability);
	tcase_add_test(tc, no_echo);
	tcase_add_test(tc, no_module);
	tcase_add_loop_test(tc, clsact_races, 0, 2);
	return s;
}
