// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp.h's attach, detach and show of clsact against the running kernel, in
 * a network namespace for each test.  `tc` makes what others make, and tells
 * what is there.
 *
 * Races and lost answers are had by doing something, or losing an answer, at
 * the first receive of a call, in the next run at the second, and so on past the
 * last: whichever step of the call is hit, it must end well, or say why not,
 * and leave what it says.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>

#include "hook/hook.h"
#include "netlink/tc.h"
#include "tests/netns.h"

Suite *suite_clsact_kernel(void);

#define RECEIVES 14	/* more than any call here makes */

static struct bpfstamp_net *net;
static struct bpfstamp_hook hook;
static struct bpfstamp_attachment a;

static void setup(void)
{
	netns_setup();
	OK(bpfstamp_net_open(&net, NULL, &netns.err));
	hook = (struct bpfstamp_hook){
		.type = BPFSTAMP_CLSACT, .dev = "va", .direction = BPFSTAMP_EGRESS, .prio = 1, .handle = 1,
	};
}

static void teardown(void)
{
	bpfstamp_net_close(net);
	netns_teardown();
}

static int program(void)
{
	return netns_program(BPF_PROG_TYPE_SCHED_CLS);
}

static int attach(int fd, const char *name)
{
	memset(&a, 0x5a, sizeof(a));
	return bpfstamp_attach(net, &hook, fd, name, &a, &netns.err);
}

static int detach(void)
{
	return bpfstamp_detach(net, &hook, false, &a, &netns.err);
}

/* A filter of somebody else on egress of va. */
static void foreign(uint16_t prio, uint32_t handle)
{
	struct tc_filter f = netns_filter(handle);
	bool created;

	OK(tc_clsact_ensure(&netns.rtnl, netns.ifindex, "va", &created, &netns.err));
	f.prio = prio;
	OK(netns_set(&f, true, &f));
	close(f.fd);
}

static bool tells(const char *text, const char *what)
{
	return strstr(netns_output("tc -j %s", what), text);
}

static unsigned int count_filters(const char *where)
{
	return (unsigned int)atoi(netns_output("tc filter show %s | grep -c handle", where));
}

START_TEST(replace)
{
	uint32_t first;

	OK(attach(program(), "one"));
	ck_assert(a.ours && a.type == BPFSTAMP_CLSACT && a.direction == BPFSTAMP_EGRESS);
	ck_assert_str_eq(a.name, "one");
	ck_assert_str_eq(a.dev, "va");
	ck_assert_int_eq(a.ifindex, netns.ifindex);
	ck_assert_uint_eq(a.protocol, ETH_P_ALL);
	first = a.id;
	OK(attach(program(), "two"));
	ck_assert_uint_ne(a.id, first);
	ck_assert_uint_eq(count_filters("dev va egress"), 1);
	ck_assert(tells("bpfstamp:two", "filter show dev va egress"));
	OK(detach());
	ck_assert_str_eq(a.name, "two");
	FAILS(detach(), ENOENT, "no filter at prio 1 handle 0x1 on egress of va");
}
END_TEST

START_TEST(keep)
{
	hook.existing = BPFSTAMP_KEEP;
	OK(attach(program(), "one"));
	FAILS(attach(program(), "two"), EEXIST,
	      "prio 1 handle 0x1 on egress of va has the program 'one' of bpfstamp already (id …");
	ck_assert(tells("bpfstamp:one", "filter show dev va egress"));
	hook.force = true;
	FAILS(attach(program(), "two"), EEXIST, "prio 1 handle 0x1 on egress of va has the program 'one' …");
	foreign(1, 2);
	hook.force = false;
	hook.handle = 2;
	FAILS(attach(program(), "two"), EEXIST,
	      "prio 1 handle 0x2 on va is taken by a filter of another program: bpf 'stamped'; choose another …");
	ck_assert_uint_eq(count_filters("dev va egress"), 2);
}
END_TEST

/* Chain by chain, whoever has the prios, and whatever hook->prio says. */
START_TEST(append)
{
	static const uint16_t prios[] = { 1, 2, 3, 1001 };

	hook.existing = BPFSTAMP_APPEND;
	hook.prio = 0;
	for (int i = 0; i < 4; i++) {
		OK(attach(program(), "one"));
		ck_assert_uint_eq(a.prio, prios[i]);
		ck_assert_uint_eq(a.handle, 1);
		if (i == 2)
			foreign(1000, 7);
	}
	hook.chain = 5;
	OK(attach(program(), "chained"));
	ck_assert_uint_eq(a.prio, 1);
	ck_assert_uint_eq(a.chain, 5);
	hook.chain = 0;
	foreign(UINT16_MAX, 1);
	FAILS(attach(program(), "one"), ENOSPC, "prio 65535 of chain 0 on egress of va is taken: nothing can be put …");
	ck_assert_uint_eq(count_filters("dev va egress"), 7);
	hook.chain = 5;
	OK(attach(program(), "chained"));
	ck_assert_uint_eq(a.prio, 2);
}
END_TEST

/* A prio that is announced counts, also where its filters are another's kind. */
START_TEST(append_behind_others)
{
	hook.existing = BPFSTAMP_APPEND;
	OK(attach(program(), "one"));
	netns_run("tc filter add dev va egress prio 9 protocol ip u32 match u32 0 0");
	OK(attach(program(), "two"));
	ck_assert_uint_eq(a.prio, 10);
}
END_TEST

/* ------------------------------------------------------ chains and blocks */

START_TEST(chain_and_flags)
{
	hook.chain = 7;
	hook.skip_hw = true;
	hook.protocol = ETH_P_IP;
	hook.direction = BPFSTAMP_INGRESS;
	OK(attach(program(), "one"));
	ck_assert_uint_eq(a.chain, 7);
	ck_assert(a.skip_hw && !a.skip_sw && !a.in_hw);
	ck_assert(tells("\"protocol\":\"ip\",\"pref\":1,\"kind\":\"bpf\",\"chain\":7,\"options\":{\"handle\":\"0x1\","
			"\"bpf_name\":\"bpfstamp:one\",\"direct-action\":true,\"skip_hw\":true,\"not_in_hw\":true",
			"filter show dev va ingress"));
	hook.chain = 8;
	FAILS(detach(), ENOENT, "no filter at prio 1 handle 0x1 chain 8 on ingress of va");
	hook.chain = 7;
	OK(detach());
	ck_assert(a.skip_hw && a.chain == 7);
	ck_assert_uint_eq(count_filters("dev va ingress"), 0);
}
END_TEST

START_TEST(flags_refused)
{
	hook.skip_sw = true;
	ck_assert_int_eq(attach(program(), "one"), -1);
	ck_assert_ptr_nonnull(strstr(netns.err.text, "; does the interface offload programs? Without --skip-sw"));
	ck_assert(!tells("clsact", "qdisc show dev va"));
	hook.skip_hw = true;
	netns.fault = (struct netns_fault){ .kind = NETNS_FAIL, .code = EIO, .times = 1 };
	FAILS(attach(program(), "one"), EINVAL, "with skip_sw and skip_hw a filter would run nowhere: …");
	ck_assert_int_eq(netns.fault.times, 1);
}
END_TEST

struct shown {
	unsigned int count;
	struct bpfstamp_attachment last;
};

static int show(const struct bpfstamp_attachment *s, void *arg)
{
	struct shown *shown = arg;

	shown->count++;
	shown->last = *s;
	return 0;
}

static struct shown show_dev(const char *dev)
{
	struct shown shown = { 0 };

	OK(bpfstamp_show(net, dev, NULL, show, &shown, &netns.err));
	return shown;
}

static int show_block(uint32_t block, struct shown *shown)
{
	*shown = (struct shown){ 0 };
	return bpfstamp_show_block(net, block, show, shown, &netns.err);
}

static void make_block(void)
{
	netns_run("tc qdisc add dev va ingress_block 22 egress_block 23 clsact");
	netns_run("tc qdisc add dev vb ingress_block 22 clsact");
}

START_TEST(block)
{
	struct shown shown;

	make_block();
	hook.dev = NULL;
	hook.block = 22;
	hook.chain = 3;
	OK(attach(program(), "one"));
	ck_assert_int_eq(a.ifindex, 0);
	ck_assert_str_eq(a.dev, "");
	ck_assert_uint_eq(a.block, 22);
	ck_assert_int_eq((int)a.direction, 0);
	OK(attach(program(), "two"));
	ck_assert(tells("\"block\":22,\"protocol\":\"all\",\"pref\":1,\"kind\":\"bpf\",\"chain\":3,\"options\":{"
			"\"handle\":\"0x1\",\"bpf_name\":\"bpfstamp:two\"", "filter show dev vb ingress"));
	OK(show_block(22, &shown));
	ck_assert_uint_eq(shown.count, 1);
	ck_assert_str_eq(shown.last.name, "two");
	ck_assert_uint_eq(shown.last.block, 22);
	ck_assert_uint_eq(shown.last.id, a.id);
	shown = show_dev("vb");
	ck_assert_uint_eq(shown.count, 1);
	ck_assert_uint_eq(shown.last.block, 22);
	ck_assert_str_eq(shown.last.dev, "vb");
	ck_assert_int_eq(shown.last.ifindex, netns_ifindex("vb"));
	ck_assert_int_eq(shown.last.direction, BPFSTAMP_INGRESS);
	FAILS(bpfstamp_clsact_delete(net, "vb", false, &netns.err), EBUSY, "clsact of vb has 1 filter: it stays");
	OK(detach());
	ck_assert_uint_eq(a.block, 22);
	FAILS(detach(), ENOENT, "no filter at prio 1 handle 0x1 chain 3 on block 22");
	OK(show_block(22, &shown));
	ck_assert_uint_eq(shown.count, 0);
	hook.existing = BPFSTAMP_APPEND;
	OK(attach(program(), "three"));
	OK(attach(program(), "four"));
	ck_assert_uint_eq(a.prio, 2);
}
END_TEST

START_TEST(block_through_the_device)
{
	struct bpfstamp_plan plan;

	make_block();
	FAILS(attach(program(), "one"), EOPNOTSUPP, "add filter on va egress, prio 1 handle 0x1: …");
	ck_assert_ptr_nonnull(strstr(netns.err.text, "; use --block 23 instead of --dev va"));
	hook.direction = BPFSTAMP_INGRESS;
	FAILS(attach(program(), "one"), EOPNOTSUPP, "add filter on va ingress, prio 1 handle 0x1: …");
	ck_assert_ptr_nonnull(strstr(netns.err.text, "; use --block 22 instead of --dev va"));
	FAILS(detach(), EOPNOTSUPP, "ingress of va has the shared block 22 in place of its own filters; use --block 22 …");
	FAILS(bpfstamp_attach_check(net, &hook, "one", &plan, &netns.err), EOPNOTSUPP, "ingress of va has the shared …");
	ck_assert(tells("\"ingress_block\":22", "-d qdisc show dev va"));
	hook.dev = "vb";
	hook.direction = BPFSTAMP_EGRESS;
	OK(attach(program(), "one"));
	ck_assert_uint_eq(a.block, 0);
}
END_TEST

START_TEST(block_missing)
{
	struct bpfstamp_plan plan;
	struct shown shown;

	hook.dev = NULL;
	hook.block = 77;
	FAILS(attach(program(), "one"), ENOENT, "no interface has the shared block 77; 'tc qdisc add …");
	FAILS(detach(), ENOENT, "no interface has the shared block 77; …");
	FAILS(bpfstamp_attach_check(net, &hook, "one", &plan, &netns.err), ENOENT, "no interface has the shared …");
	FAILS(show_block(77, &shown), ENOENT, "no interface has the shared block 77");
	hook.existing = BPFSTAMP_APPEND;
	FAILS(attach(program(), "one"), ENOENT, "no interface has the shared block 77; …");
}
END_TEST

/* ------------------------------------------------------------- detaching */

START_TEST(guards)
{
	uint32_t id;

	OK(attach(program(), "one"));
	id = a.id;
	hook.id = id + 1;
	FAILS(detach(), ESTALE, "prio 1 handle 0x1 on egress of va has the program 'one' of id …");
	hook.id = id;
	hook.program = "two";
	FAILS(detach(), ESTALE, "prio 1 handle 0x1 on egress of va has the program 'one' of id …");
	ck_assert_ptr_nonnull(strstr(netns.err.text, ", not 'two' of id "));
	hook.program = "one";
	memset(&a, 0, sizeof(a));
	OK(bpfstamp_detach(net, &hook, true, &a, &netns.err));
	ck_assert_uint_eq(a.id, id);
	ck_assert_uint_eq(count_filters("dev va egress"), 1);
	OK(detach());
	ck_assert_uint_eq(count_filters("dev va egress"), 0);
}
END_TEST

START_TEST(others_stay)
{
	foreign(1, 1);
	FAILS(detach(), EEXIST, "prio 1 handle 0x1 on va is taken by a filter of another program: bpf 'stamped'; …");
	FAILS(attach(program(), "one"), EEXIST, "prio 1 handle 0x1 on va is taken by …");
	ck_assert(tells("stamped", "filter show dev va egress"));
	hook.force = true;
	hook.program = "another";
	FAILS(detach(), ESTALE, "prio 1 handle 0x1 on egress of va has the program 'stamped' of id …");
	hook.program = NULL;
	if (_i) {
		OK(attach(program(), "one"));
		ck_assert(tells("bpfstamp:one", "filter show dev va egress"));
	} else {
		OK(detach());
		ck_assert(!a.ours);
		ck_assert_str_eq(a.name, "stamped");
	}
	ck_assert_uint_eq(count_filters("dev va egress"), (unsigned int)_i);
	netns_run("tc filter add dev va egress prio 9 protocol all u32 match u32 0 0");
	hook.prio = 9;
	hook.handle = 0x80000800;
	FAILS(detach(), EEXIST, "prio 9 handle 0x80000800 on va is taken by a filter of another program: u32; choose …");
	FAILS(attach(program(), "one"), EEXIST, "prio 9 on va is taken by a u32 filter of protocol 0x0003; …");
}
END_TEST

static int delete_clsact(bool dry)
{
	return bpfstamp_clsact_delete(net, "va", dry, &netns.err);
}

START_TEST(clsact_delete)
{
	FAILS(delete_clsact(false), ENOENT, "va has no clsact");
	OK(attach(program(), "one"));
	FAILS(delete_clsact(false), EBUSY, "clsact of va has 1 filter: it stays");
	foreign(3, 1);
	hook.direction = BPFSTAMP_INGRESS;
	OK(attach(program(), "one"));
	FAILS(delete_clsact(true), EBUSY, "clsact of va has 3 filters: it stays");
	OK(detach());
	netns_run("tc filter del dev va egress");
	OK(delete_clsact(true));
	ck_assert(tells("clsact", "qdisc show dev va"));
	OK(delete_clsact(false));
	ck_assert(!tells("clsact", "qdisc show dev va"));
	netns_run("tc qdisc add dev va ingress");
	FAILS(delete_clsact(false), EINVAL, "delete clsact of va: a qdisc 'ingress' is in its place, and stays");
	FAILS(attach(program(), "one"), EEXIST, "add clsact to va: a qdisc 'ingress' is in its place");
	ck_assert(tells("ingress", "qdisc show dev va"));
}
END_TEST

/* The kernel tells its filters for egress, too, where they do not run. */
START_TEST(ingress_qdisc)
{
	struct tc_filter f = netns_filter(1), seen;

	netns_run("tc qdisc add dev va ingress");
	f.parent = INGRESS;
	OK(netns_set(&f, true, &seen));
	ck_assert_uint_eq(show_dev("va").count, 1);
	ck_assert_int_eq(show_dev("va").last.direction, BPFSTAMP_INGRESS);
	close(f.fd);
}
END_TEST

/* As long as the kernel takes it. */
START_TEST(longest_foreign_name)
{
	struct tc_filter f = netns_filter(1), seen;

	netns_clsact();
	memset(f.name, 'x', sizeof(f.name) - 1);
	OK(netns_set(&f, true, &seen));
	ck_assert_uint_eq(strlen(seen.name), 256);
	ck_assert_uint_eq(strlen(show_dev("va").last.name), 255);
	FAILS(attach(program(), "one"), EEXIST, "prio 1 handle 0x1 on va is taken by a filter of another program: …");
	close(f.fd);
}
END_TEST

START_TEST(plans)
{
	struct bpfstamp_plan plan = { 0 };

	OK(bpfstamp_attach_check(net, &hook, "one", &plan, &netns.err));
	ck_assert(!plan.clsact && !plan.occupied);
	ck_assert_str_eq(netns_output("tc qdisc show dev va | grep clsact"), "");
	OK(attach(program(), "one"));
	hook.existing = BPFSTAMP_KEEP;
	OK(bpfstamp_attach_check(net, &hook, "one", &plan, &netns.err));
	ck_assert(plan.clsact && plan.occupied && plan.there.ours);
	ck_assert_uint_eq(plan.there.id, a.id);
	hook.existing = BPFSTAMP_APPEND;
	OK(bpfstamp_attach_check(net, &hook, "one", &plan, &netns.err));
	ck_assert(plan.clsact && !plan.occupied);
	foreign(UINT16_MAX, 1);
	FAILS(bpfstamp_attach_check(net, &hook, "one", &plan, &netns.err), ENOSPC, "prio 65535 of chain 0 …");
}
END_TEST

/* ------------------------------------------------- races and lost answers */

static bool run(void *command)
{
	return system(command) != -1;
}

/* Have command run, or an answer lost, at receive number after of what follows. */
static void disturb(const char *command, int after)
{
	static char copy[256];

	snprintf(copy, sizeof(copy), "%s", command ? command : "");
	netns.fault = (struct netns_fault){
		.kind = command ? NETNS_CALL : NETNS_FAIL, .code = ENOBUFS, .after = after, .times = 1,
		.call = run, .arg = copy,
	};
}

/* On an interface without clsact, then in place of an old program, then behind it. */
START_TEST(attach_lost)
{
	bool old = _i / RECEIVES > 0, behind = _i / RECEIVES == 2;

	if (old)
		OK(attach(program(), "old"));
	hook.existing = behind ? BPFSTAMP_APPEND : BPFSTAMP_REPLACE;
	disturb(NULL, _i % RECEIVES);
	OK(attach(program(), "new"));
	ck_assert_uint_eq(a.prio, behind ? 2 : 1);
	ck_assert_uint_eq(count_filters("dev va egress"), behind ? 2 : 1);
	ck_assert(tells("bpfstamp:new", "filter show dev va egress"));
}
END_TEST

START_TEST(keep_lost)
{
	OK(attach(program(), "old"));
	hook.existing = BPFSTAMP_KEEP;
	disturb(NULL, _i);
	FAILS(attach(program(), "new"), EEXIST, "prio 1 handle 0x1 on egress of va has the program 'old' of bpfstamp …");
	ck_assert(tells("bpfstamp:old", "filter show dev va egress"));
}
END_TEST

START_TEST(detach_lost)
{
	OK(attach(program(), "old"));
	disturb(NULL, _i);
	OK(detach());
	ck_assert_uint_eq(count_filters("dev va egress"), 0);
	disturb(NULL, _i);
	OK(delete_clsact(false));
	ck_assert(!tells("clsact", "qdisc show dev va"));
}
END_TEST

/* Somebody deletes clsact: made anew, unless the filter was there already and went with it. */
START_TEST(clsact_goes)
{
	if (_i % 2)
		OK(attach(program(), "old"));
	disturb("tc qdisc del dev va clsact 2>/dev/null", _i / 2);
	OK(attach(program(), "new"));
	ck_assert_uint_eq(a.prio, 1);
	netns.fault.kind = NETNS_NONE;
	ck_assert(tells("clsact", "qdisc show dev va") == (count_filters("dev va egress") == 1));
}
END_TEST

static bool delete_always(void *arg)
{
	(void)arg;
	netns.fault.times = 1;
	return system("tc qdisc del dev va clsact 2>/dev/null") != -1;
}

/* It is not tried for ever; nothing is left. */
START_TEST(clsact_goes_always)
{
	netns.fault = (struct netns_fault){ .kind = NETNS_CALL, .times = 1, .call = delete_always };
	FAILS(attach(program(), "new"), EAGAIN, "va: somebody keeps deleting clsact");
	netns.fault.kind = NETNS_NONE;
	ck_assert_str_eq(netns_output("tc qdisc show dev va | grep clsact"), "");
}
END_TEST

/* The filter that is to be replaced goes meanwhile. */
START_TEST(filter_goes)
{
	OK(attach(program(), "old"));
	disturb("tc filter del dev va egress prio 1 handle 1 protocol all bpf 2>/dev/null", _i);
	OK(attach(program(), "new"));
	ck_assert_uint_le(count_filters("dev va egress"), 1);
	ck_assert(!tells("bpfstamp:old", "filter show dev va egress"));
}
END_TEST

START_TEST(device_goes)
{
	int status;

	if (_i % 2)
		OK(attach(program(), "old"));
	disturb("ip link del va", _i / 2);
	status = attach(program(), "new");
	if (status)
		ck_assert_msg(netns.err.code == ENODEV, "%d: %s", netns.err.code, netns.err.text);
	else
		ck_assert_int_ge(_i / 2, 3);
}
END_TEST

static bool another_appends(void *arg)
{
	const struct bpfstamp_hook *what = arg;
	struct bpfstamp_net *other;
	int status;

	if (!what)
		return system("tc filter add dev va egress prio 2 protocol ip u32 match u32 0 0 2>/dev/null") != -1;
	OK(bpfstamp_net_open(&other, NULL, &netns.err));
	status = bpfstamp_attach(other, what, program(), "other", NULL, &netns.err);
	bpfstamp_net_close(other);
	return status == 0;
}

/* Another process appends: one of ours, or one of another kind, which makes EINVAL instead of EEXIST. */
START_TEST(append_races)
{
	struct bpfstamp_hook what = hook;

	OK(attach(program(), "old"));
	what.existing = hook.existing = BPFSTAMP_APPEND;
	netns.fault = (struct netns_fault){
		.kind = NETNS_CALL, .after = _i / 2, .times = 1, .call = another_appends, .arg = _i % 2 ? &what : NULL,
	};
	OK(attach(program(), "new"));
	ck_assert(tells("bpfstamp:new", "filter show dev va egress"));
	ck_assert_uint_ge(a.prio, 2);
	ck_assert_uint_le(a.prio, 3);
}
END_TEST

static TCase *places(void)
{
	TCase *tc = tcase_create("places");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, replace);
	tcase_add_test(tc, keep);
	tcase_add_test(tc, append);
	tcase_add_test(tc, append_behind_others);
	tcase_add_test(tc, chain_and_flags);
	tcase_add_test(tc, flags_refused);
	tcase_add_test(tc, block);
	tcase_add_test(tc, block_through_the_device);
	tcase_add_test(tc, block_missing);
	tcase_add_test(tc, guards);
	tcase_add_loop_test(tc, others_stay, 0, 2);
	tcase_add_test(tc, clsact_delete);
	tcase_add_test(tc, ingress_qdisc);
	tcase_add_test(tc, longest_foreign_name);
	tcase_add_test(tc, plans);
	return tc;
}

static TCase *disturbances(void)
{
	TCase *tc = tcase_create("disturbances");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, attach_lost, 0, 3 * RECEIVES);
	tcase_add_loop_test(tc, keep_lost, 0, RECEIVES);
	tcase_add_loop_test(tc, detach_lost, 0, RECEIVES);
	tcase_add_loop_test(tc, clsact_goes, 0, 2 * RECEIVES);
	tcase_add_test(tc, clsact_goes_always);
	tcase_add_loop_test(tc, filter_goes, 0, RECEIVES);
	tcase_add_loop_test(tc, device_goes, 0, 2 * RECEIVES);
	tcase_add_loop_test(tc, append_races, 0, 2 * RECEIVES);
	return tc;
}

Suite *suite_clsact_kernel(void)
{
	Suite *s = suite_create("clsact_kernel");

	if (!netns_usable("test_clsact_kernel"))
		return s;
	suite_add_tcase(s, places());
	suite_add_tcase(s, disturbances());
	return s;
}
