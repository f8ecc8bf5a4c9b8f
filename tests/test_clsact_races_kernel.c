// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp.h's attach and detach of clsact against the running kernel, while
 * others change what is there, or answers are lost.
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

#include <linux/bpf.h>

#include "tests/clsactbed.h"

Suite *suite_clsact_races_kernel(void);

#define RECEIVES 12	/* more than any call here makes */

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

/* Whether the next attach expects to replace, and so looks first; or to be the first on the interface. */
static void expect_to_replace(bool expected)
{
	clsactbed.net->replacing = expected;
}

/*
 * On an interface without clsact, then in place of an old program, each as expected
 * and not; then behind it.
 */
START_TEST(attach_lost)
{
	int kind = _i / RECEIVES;
	bool old = kind > 1, behind = kind == 4;

	if (old)
		OK(clsactbed_attach("old"));
	clsactbed.hook.existing = behind ? BPFSTAMP_APPEND : BPFSTAMP_REPLACE;
	expect_to_replace(kind % 2);
	disturb(NULL, _i % RECEIVES);
	OK(clsactbed_attach("new"));
	ck_assert_uint_eq(clsactbed.a.prio, behind ? 2 : 1);
	ck_assert_uint_eq(clsactbed_filters("dev va egress"), behind ? 2 : 1);
	ck_assert(clsactbed_tells("bpfstamp:new", "filter show dev va egress"));
}
END_TEST

START_TEST(keep_lost)
{
	OK(clsactbed_attach("old"));
	clsactbed.hook.existing = BPFSTAMP_KEEP;
	expect_to_replace(_i / RECEIVES);
	disturb(NULL, _i % RECEIVES);
	FAILS(clsactbed_attach("new"), EEXIST,
	      "prio 1 handle 0x1 on egress of va has the program 'old' of bpfstamp …");
	ck_assert(clsactbed_tells("bpfstamp:old", "filter show dev va egress"));
}
END_TEST

START_TEST(detach_lost)
{
	OK(clsactbed_attach("old"));
	disturb(NULL, _i);
	OK(clsactbed_detach());
	ck_assert_uint_eq(clsactbed_filters("dev va egress"), 0);
	disturb(NULL, _i);
	OK(clsactbed_delete(false));
	ck_assert(!clsactbed_tells("clsact", "qdisc show dev va"));
}
END_TEST

/* Somebody deletes clsact: made anew, unless the filter was there already and went with it. */
START_TEST(clsact_goes)
{
	if (_i % 2)
		OK(clsactbed_attach("old"));
	expect_to_replace(_i / 2 % 2);
	disturb("tc qdisc del dev va clsact 2>/dev/null", _i / 4);
	OK(clsactbed_attach("new"));
	ck_assert_uint_eq(clsactbed.a.prio, 1);
	netns.fault.kind = NETNS_NONE;
	ck_assert(clsactbed_tells("clsact", "qdisc show dev va") == (clsactbed_filters("dev va egress") == 1));
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
	FAILS(clsactbed_attach("new"), EAGAIN, "va: somebody keeps deleting clsact");
	netns.fault.kind = NETNS_NONE;
	ck_assert_str_eq(netns_output("tc qdisc show dev va | grep clsact"), "");
}
END_TEST

/* The filter that is to be replaced goes meanwhile. */
START_TEST(filter_goes)
{
	OK(clsactbed_attach("old"));
	expect_to_replace(_i % 2);
	disturb("tc filter del dev va egress prio 1 handle 1 protocol all bpf 2>/dev/null", _i / 2);
	OK(clsactbed_attach("new"));
	ck_assert_uint_le(clsactbed_filters("dev va egress"), 1);
	ck_assert(!clsactbed_tells("bpfstamp:old", "filter show dev va egress"));
}
END_TEST

START_TEST(device_goes)
{
	int status;

	if (_i % 2)
		OK(clsactbed_attach("old"));
	expect_to_replace(_i / 2 % 2);
	disturb("ip link del va", _i / 4);
	status = clsactbed_attach("new");
	if (status)
		ck_assert_msg(netns.err.code == ENODEV, "%d: %s", netns.err.code, netns.err.text);
	else
		ck_assert_int_ge(_i / 4, 1);
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
	status = bpfstamp_attach(other, what, netns_program(BPF_PROG_TYPE_SCHED_CLS), "other", NULL, &netns.err);
	bpfstamp_net_close(other);
	return status == 0;
}

/* Another process appends: one of ours, or one of another kind, which makes EINVAL instead of EEXIST. */
START_TEST(append_races)
{
	struct bpfstamp_hook what = clsactbed.hook;

	OK(clsactbed_attach("old"));
	what.existing = clsactbed.hook.existing = BPFSTAMP_APPEND;
	netns.fault = (struct netns_fault){
		.kind = NETNS_CALL, .after = _i / 2, .times = 1, .call = another_appends,
		.arg = _i % 2 ? &what : NULL,
	};
	OK(clsactbed_attach("new"));
	ck_assert(clsactbed_tells("bpfstamp:new", "filter show dev va egress"));
	ck_assert_uint_ge(clsactbed.a.prio, 2);
	ck_assert_uint_le(clsactbed.a.prio, 3);
}
END_TEST

Suite *suite_clsact_races_kernel(void)
{
	Suite *s = suite_create("clsact_races_kernel");
	TCase *tc;

	if (!netns_usable("clsact_races_kernel"))
		return s;
	tc = tcase_create("disturbances");
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, clsactbed_setup, clsactbed_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, attach_lost, 0, 5 * RECEIVES);
	tcase_add_loop_test(tc, keep_lost, 0, 2 * RECEIVES);
	tcase_add_loop_test(tc, detach_lost, 0, RECEIVES);
	tcase_add_loop_test(tc, clsact_goes, 0, 4 * RECEIVES);
	tcase_add_test(tc, clsact_goes_always);
	tcase_add_loop_test(tc, filter_goes, 0, 2 * RECEIVES);
	tcase_add_loop_test(tc, device_goes, 0, 4 * RECEIVES);
	tcase_add_loop_test(tc, append_races, 0, 2 * RECEIVES);
	return s;
}
