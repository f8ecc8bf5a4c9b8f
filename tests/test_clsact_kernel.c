// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp.h's attach, detach and show of clsact against the running kernel, in
 * a network namespace for each test.  `tc` makes what others make, and tells
 * what is there.  What others do meanwhile, and answers that are lost, are in
 * tests/test_clsact_races_kernel.c.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>

#include "netlink/tc.h"
#include "tests/clsactbed.h"

Suite *suite_clsact_kernel(void);

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

START_TEST(replace)
{
	uint32_t first;

	OK(clsactbed_attach("one"));
	ck_assert(clsactbed.a.ours && clsactbed.a.type == BPFSTAMP_CLSACT);
	ck_assert_int_eq(clsactbed.a.direction, BPFSTAMP_EGRESS);
	ck_assert_str_eq(clsactbed.a.name, "one");
	ck_assert_str_eq(clsactbed.a.dev, "va");
	ck_assert_int_eq(clsactbed.a.ifindex, netns.ifindex);
	ck_assert_uint_eq(clsactbed.a.protocol, ETH_P_ALL);
	first = clsactbed.a.id;
	OK(clsactbed_attach("two"));
	ck_assert_uint_ne(clsactbed.a.id, first);
	ck_assert_uint_eq(clsactbed_filters("dev va egress"), 1);
	ck_assert(clsactbed_tells("bpfstamp:two", "filter show dev va egress"));
	OK(clsactbed_detach());
	ck_assert_str_eq(clsactbed.a.name, "two");
	FAILS(clsactbed_detach(), ENOENT, "no filter at prio 1 handle 0x1 on egress of va");
}
END_TEST

static uint32_t waits_of(int (*attach)(const char *name), const char *name)
{
	uint32_t before = netns.waits;

	OK(attach(name));
	return netns.waits - before;
}

static int attach_quietly(const char *name)
{
	return bpfstamp_attach(clsactbed.net, &clsactbed.hook, netns_program(BPF_PROG_TYPE_SCHED_CLS), name, NULL,
			       &netns.err);
}

/*
 * What an attach receives: two answers on a new interface, and, from the second time on, two in the place of
 * another one of ours; and an echo for who wants to be told.
 */
START_TEST(answers)
{
	ck_assert_uint_eq(waits_of(attach_quietly, "one"), 2);
	ck_assert_uint_eq(waits_of(attach_quietly, "two"), 3);
	ck_assert_uint_eq(waits_of(attach_quietly, "three"), 2);
	ck_assert_uint_eq(waits_of(clsactbed_attach, "four"), 3);
	ck_assert(clsactbed_tells("bpfstamp:four", "filter show dev va egress"));
	clsactbed.hook.dev = "vb";
	ck_assert_uint_eq(waits_of(attach_quietly, "five"), 3);
	clsactbed.hook.direction = BPFSTAMP_INGRESS;
	ck_assert_uint_eq(waits_of(attach_quietly, "six"), 5);
	ck_assert(clsactbed_tells("bpfstamp:five", "filter show dev vb egress"));
	ck_assert(clsactbed_tells("bpfstamp:six", "filter show dev vb ingress"));
	clsactbed.hook.existing = BPFSTAMP_KEEP;
	FAILS(attach_quietly("seven"), EEXIST, "prio 1 handle 0x1 on ingress of vb has the program 'six' …");
	ck_assert_uint_eq(clsactbed_filters("dev vb ingress"), 1);
}
END_TEST

/* The same refusals, whether the last attach replaced something or not; and nothing is changed. */
START_TEST(refused_in_either_order)
{
	OK(clsactbed_attach("one"));
	foreign(2, 2);
	clsactbed.hook.prio = 2;
	clsactbed.hook.handle = 2;
	clsactbed.net->replacing = _i;
	FAILS(clsactbed_attach("two"), EEXIST, "prio 2 handle 0x2 on va is taken by a filter of another program: …");
	netns_run("tc qdisc add dev vb ingress");
	netns_run("tc filter add dev vb ingress prio 2 protocol all u32 match u32 0 0");
	clsactbed.hook.dev = "vb";
	clsactbed.net->replacing = _i;
	FAILS(clsactbed_attach("two"), EEXIST, "add clsact to vb: a qdisc 'ingress' is in its place");
	clsactbed.hook.force = true;
	clsactbed.net->replacing = _i;
	FAILS(clsactbed_attach("two"), EEXIST, "add clsact to vb: a qdisc 'ingress' is in its place");
	clsactbed.hook.dev = "va";
	clsactbed.net->replacing = _i;
	OK(clsactbed_attach("three"));
	ck_assert(clsactbed_tells("bpfstamp:three", "filter show dev va egress"));
	ck_assert_uint_eq(clsactbed_filters("dev va egress"), 2);
	ck_assert(!clsactbed_tells("bpfstamp", "filter show dev vb ingress"));
}
END_TEST

START_TEST(keep)
{
	clsactbed.hook.existing = BPFSTAMP_KEEP;
	OK(clsactbed_attach("one"));
	FAILS(clsactbed_attach("two"), EEXIST,
	      "prio 1 handle 0x1 on egress of va has the program 'one' of bpfstamp already (id …");
	ck_assert(clsactbed_tells("bpfstamp:one", "filter show dev va egress"));
	clsactbed.hook.force = true;
	FAILS(clsactbed_attach("two"), EEXIST, "prio 1 handle 0x1 on egress of va has the program 'one' …");
	foreign(1, 2);
	clsactbed.hook.force = false;
	clsactbed.hook.handle = 2;
	FAILS(clsactbed_attach("two"), EEXIST,
	      "prio 1 handle 0x2 on va is taken by a filter of another program: bpf 'stamped'; choose another …");
	ck_assert_uint_eq(clsactbed_filters("dev va egress"), 2);
}
END_TEST

/* Chain by chain, whoever has the prios, and whatever hook->prio says. */
START_TEST(append)
{
	static const uint16_t prios[] = { 1, 2, 3, 1001 };

	clsactbed.hook.existing = BPFSTAMP_APPEND;
	clsactbed.hook.prio = 0;
	for (int i = 0; i < 4; i++) {
		OK(clsactbed_attach("one"));
		ck_assert_uint_eq(clsactbed.a.prio, prios[i]);
		ck_assert_uint_eq(clsactbed.a.handle, 1);
		if (i == 2)
			foreign(1000, 7);
	}
	clsactbed.hook.chain = 5;
	OK(clsactbed_attach("chained"));
	ck_assert_uint_eq(clsactbed.a.prio, 1);
	ck_assert_uint_eq(clsactbed.a.chain, 5);
	clsactbed.hook.chain = 0;
	foreign(UINT16_MAX, 1);
	FAILS(clsactbed_attach("one"), ENOSPC,
	      "prio 65535 of chain 0 on egress of va is taken: nothing can be put …");
	ck_assert_uint_eq(clsactbed_filters("dev va egress"), 7);
	clsactbed.hook.chain = 5;
	OK(clsactbed_attach("chained"));
	ck_assert_uint_eq(clsactbed.a.prio, 2);
}
END_TEST

/* A prio that is announced counts, also where its filters are another's kind. */
START_TEST(append_behind_others)
{
	clsactbed.hook.existing = BPFSTAMP_APPEND;
	OK(clsactbed_attach("one"));
	netns_run("tc filter add dev va egress prio 9 protocol ip u32 match u32 0 0");
	OK(clsactbed_attach("two"));
	ck_assert_uint_eq(clsactbed.a.prio, 10);
}
END_TEST

/* ------------------------------------------------------ chains and blocks */

START_TEST(chain_and_flags)
{
	clsactbed.hook.chain = 7;
	clsactbed.hook.skip_hw = true;
	clsactbed.hook.protocol = ETH_P_IP;
	clsactbed.hook.direction = BPFSTAMP_INGRESS;
	OK(clsactbed_attach("one"));
	ck_assert_uint_eq(clsactbed.a.chain, 7);
	ck_assert(clsactbed.a.skip_hw && !clsactbed.a.skip_sw && !clsactbed.a.in_hw);
	ck_assert(clsactbed_tells("\"protocol\":\"ip\",\"pref\":1,\"kind\":\"bpf\",\"chain\":7,"
				  "\"options\":{\"handle\":\"0x1\",\"bpf_name\":\"bpfstamp:one\","
				  "\"direct-action\":true,\"skip_hw\":true,\"not_in_hw\":true",
				  "filter show dev va ingress"));
	clsactbed.hook.chain = 8;
	FAILS(clsactbed_detach(), ENOENT, "no filter at prio 1 handle 0x1 chain 8 on ingress of va");
	clsactbed.hook.chain = 7;
	OK(clsactbed_detach());
	ck_assert(clsactbed.a.skip_hw && clsactbed.a.chain == 7);
	ck_assert_uint_eq(clsactbed_filters("dev va ingress"), 0);
}
END_TEST

START_TEST(flags_refused)
{
	clsactbed.hook.skip_sw = true;
	ck_assert_int_eq(clsactbed_attach("one"), -1);
	ck_assert_ptr_nonnull(strstr(netns.err.text, "; does the interface offload programs? Without --skip-sw"));
	ck_assert(!clsactbed_tells("clsact", "qdisc show dev va"));
	clsactbed.hook.skip_hw = true;
	netns.fault = (struct netns_fault){ .kind = NETNS_FAIL, .code = EIO, .times = 1 };
	FAILS(clsactbed_attach("one"), EINVAL, "with skip_sw and skip_hw a filter would run nowhere: …");
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

	OK(bpfstamp_show(clsactbed.net, dev, NULL, show, &shown, &netns.err));
	return shown;
}

static int show_block(uint32_t block, struct shown *shown)
{
	*shown = (struct shown){ 0 };
	return bpfstamp_show_block(clsactbed.net, block, show, shown, &netns.err);
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
	clsactbed.hook.dev = NULL;
	clsactbed.hook.block = 22;
	clsactbed.hook.chain = 3;
	OK(clsactbed_attach("one"));
	ck_assert_int_eq(clsactbed.a.ifindex, 0);
	ck_assert_str_eq(clsactbed.a.dev, "");
	ck_assert_uint_eq(clsactbed.a.block, 22);
	ck_assert_int_eq((int)clsactbed.a.direction, 0);
	OK(clsactbed_attach("two"));
	ck_assert(clsactbed_tells("\"block\":22,\"protocol\":\"all\",\"pref\":1,\"kind\":\"bpf\",\"chain\":3,"
				  "\"options\":{\"handle\":\"0x1\",\"bpf_name\":\"bpfstamp:two\"",
				  "filter show dev vb ingress"));
	OK(show_block(22, &shown));
	ck_assert_uint_eq(shown.count, 1);
	ck_assert_str_eq(shown.last.name, "two");
	ck_assert_uint_eq(shown.last.block, 22);
	ck_assert_uint_eq(shown.last.id, clsactbed.a.id);
	shown = show_dev("vb");
	ck_assert_uint_eq(shown.count, 1);
	ck_assert_uint_eq(shown.last.block, 22);
	ck_assert_str_eq(shown.last.dev, "vb");
	ck_assert_int_eq(shown.last.ifindex, netns_ifindex("vb"));
	ck_assert_int_eq(shown.last.direction, BPFSTAMP_INGRESS);
	FAILS(bpfstamp_clsact_delete(clsactbed.net, "vb", false, &netns.err), EBUSY,
	      "clsact of vb has 1 filter: it stays");
	OK(clsactbed_detach());
	ck_assert_uint_eq(clsactbed.a.block, 22);
	FAILS(clsactbed_detach(), ENOENT, "no filter at prio 1 handle 0x1 chain 3 on block 22");
	OK(show_block(22, &shown));
	ck_assert_uint_eq(shown.count, 0);
	clsactbed.hook.existing = BPFSTAMP_APPEND;
	OK(clsactbed_attach("three"));
	OK(clsactbed_attach("four"));
	ck_assert_uint_eq(clsactbed.a.prio, 2);
}
END_TEST

START_TEST(block_through_the_device)
{
	struct bpfstamp_plan plan;

	make_block();
	FAILS(clsactbed_attach("one"), EOPNOTSUPP, "add filter on va egress, prio 1 handle 0x1: …");
	ck_assert_ptr_nonnull(strstr(netns.err.text, "; use --block 23 instead of --dev va"));
	clsactbed.hook.direction = BPFSTAMP_INGRESS;
	FAILS(clsactbed_attach("one"), EOPNOTSUPP, "add filter on va ingress, prio 1 handle 0x1: …");
	ck_assert_ptr_nonnull(strstr(netns.err.text, "; use --block 22 instead of --dev va"));
	FAILS(clsactbed_detach(), EOPNOTSUPP,
	      "ingress of va has the shared block 22 in place of its own filters; use --block 22 …");
	FAILS(clsactbed_check("one", &plan), EOPNOTSUPP, "ingress of va has the shared …");
	ck_assert(clsactbed_tells("\"ingress_block\":22", "-d qdisc show dev va"));
	clsactbed.hook.dev = "vb";
	clsactbed.hook.direction = BPFSTAMP_EGRESS;
	OK(clsactbed_attach("one"));
	ck_assert_uint_eq(clsactbed.a.block, 0);
}
END_TEST

START_TEST(block_missing)
{
	struct bpfstamp_plan plan;
	struct shown shown;

	clsactbed.hook.dev = NULL;
	clsactbed.hook.block = 77;
	FAILS(clsactbed_attach("one"), ENOENT, "no interface has the shared block 77; 'tc qdisc add …");
	FAILS(clsactbed_detach(), ENOENT, "no interface has the shared block 77; …");
	FAILS(clsactbed_check("one", &plan), ENOENT, "no interface has the shared …");
	FAILS(show_block(77, &shown), ENOENT, "no interface has the shared block 77");
	clsactbed.hook.existing = BPFSTAMP_APPEND;
	FAILS(clsactbed_attach("one"), ENOENT, "no interface has the shared block 77; …");
}
END_TEST

/* ------------------------------------------------------------- detaching */

START_TEST(guards)
{
	uint32_t id;

	OK(clsactbed_attach("one"));
	id = clsactbed.a.id;
	clsactbed.hook.id = id + 1;
	FAILS(clsactbed_detach(), ESTALE, "prio 1 handle 0x1 on egress of va has the program 'one' of id …");
	clsactbed.hook.id = id;
	clsactbed.hook.program = "two";
	FAILS(clsactbed_detach(), ESTALE, "prio 1 handle 0x1 on egress of va has the program 'one' of id …");
	ck_assert_ptr_nonnull(strstr(netns.err.text, ", not 'two' of id "));
	clsactbed.hook.program = "one";
	memset(&clsactbed.a, 0, sizeof(clsactbed.a));
	OK(bpfstamp_detach(clsactbed.net, &clsactbed.hook, true, &clsactbed.a, &netns.err));
	ck_assert_uint_eq(clsactbed.a.id, id);
	ck_assert_uint_eq(clsactbed_filters("dev va egress"), 1);
	OK(clsactbed_detach());
	ck_assert_uint_eq(clsactbed_filters("dev va egress"), 0);
}
END_TEST

START_TEST(others_stay)
{
	foreign(1, 1);
	FAILS(clsactbed_detach(), EEXIST,
	      "prio 1 handle 0x1 on va is taken by a filter of another program: bpf 'stamped'; …");
	FAILS(clsactbed_attach("one"), EEXIST, "prio 1 handle 0x1 on va is taken by …");
	ck_assert(clsactbed_tells("stamped", "filter show dev va egress"));
	clsactbed.hook.force = true;
	clsactbed.hook.program = "another";
	FAILS(clsactbed_detach(), ESTALE, "prio 1 handle 0x1 on egress of va has the program 'stamped' of id …");
	clsactbed.hook.program = NULL;
	if (_i) {
		OK(clsactbed_attach("one"));
		ck_assert(clsactbed_tells("bpfstamp:one", "filter show dev va egress"));
	} else {
		OK(clsactbed_detach());
		ck_assert(!clsactbed.a.ours);
		ck_assert_str_eq(clsactbed.a.name, "stamped");
	}
	ck_assert_uint_eq(clsactbed_filters("dev va egress"), (unsigned int)_i);
	netns_run("tc filter add dev va egress prio 9 protocol all u32 match u32 0 0");
	clsactbed.hook.prio = 9;
	clsactbed.hook.handle = 0x80000800;
	FAILS(clsactbed_detach(), EEXIST,
	      "prio 9 handle 0x80000800 on va is taken by a filter of another program: u32; choose …");
	FAILS(clsactbed_attach("one"), EEXIST, "prio 9 on va is taken by a u32 filter of protocol 0x0003; …");
}
END_TEST

START_TEST(clsact_delete)
{
	FAILS(clsactbed_delete(false), ENOENT, "va has no clsact");
	OK(clsactbed_attach("one"));
	FAILS(clsactbed_delete(false), EBUSY, "clsact of va has 1 filter: it stays");
	foreign(3, 1);
	clsactbed.hook.direction = BPFSTAMP_INGRESS;
	OK(clsactbed_attach("one"));
	FAILS(clsactbed_delete(true), EBUSY, "clsact of va has 3 filters: it stays");
	OK(clsactbed_detach());
	netns_run("tc filter del dev va egress");
	OK(clsactbed_delete(true));
	ck_assert(clsactbed_tells("clsact", "qdisc show dev va"));
	OK(clsactbed_delete(false));
	ck_assert(!clsactbed_tells("clsact", "qdisc show dev va"));
	netns_run("tc qdisc add dev va ingress");
	FAILS(clsactbed_delete(false), EINVAL, "delete clsact of va: a qdisc 'ingress' is in its place, and stays");
	FAILS(clsactbed_attach("one"), EEXIST, "add clsact to va: a qdisc 'ingress' is in its place");
	ck_assert(clsactbed_tells("ingress", "qdisc show dev va"));
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
	FAILS(clsactbed_attach("one"), EEXIST, "prio 1 handle 0x1 on va is taken by a filter of another program: …");
	close(f.fd);
}
END_TEST

START_TEST(plans)
{
	struct bpfstamp_plan plan = { 0 };

	OK(clsactbed_check("one", &plan));
	ck_assert(!plan.clsact && !plan.occupied);
	ck_assert_str_eq(netns_output("tc qdisc show dev va | grep clsact"), "");
	OK(clsactbed_attach("one"));
	clsactbed.hook.existing = BPFSTAMP_KEEP;
	OK(clsactbed_check("one", &plan));
	ck_assert(plan.clsact && plan.occupied && plan.there.ours);
	ck_assert_uint_eq(plan.there.id, clsactbed.a.id);
	clsactbed.hook.existing = BPFSTAMP_APPEND;
	OK(clsactbed_check("one", &plan));
	ck_assert(plan.clsact && !plan.occupied);
	foreign(UINT16_MAX, 1);
	FAILS(clsactbed_check("one", &plan), ENOSPC, "prio 65535 of chain 0 …");
}
END_TEST

Suite *suite_clsact_kernel(void)
{
	Suite *s = suite_create("clsact_kernel");
	TCase *tc;

	if (!netns_usable("clsact_kernel"))
		return s;
	tc = tcase_create("places");
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, clsactbed_setup, clsactbed_teardown);
	tcase_add_test(tc, replace);
	tcase_add_test(tc, answers);
	tcase_add_loop_test(tc, refused_in_either_order, 0, 2);
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
	return s;
}
