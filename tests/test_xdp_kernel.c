// SPDX-License-Identifier: BSD-2-Clause
/*
 * hook/xdp.c against the running kernel: on the veth pair of tests/netns.h, with
 * packets of a type of their own sent from vb and counted on va, and with links pinned in a
 * bpffs of the test's own.
 *
 * "Ours" is a program with a record, which takes Linux 5.10 to leave;
 * "foreign" is one that the test puts there itself, by netlink or as a link.  What
 * others do meanwhile is in tests/test_xdp_others_kernel.c.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook/hook.h"
#include "loader/sys.h"
#include "tests/xdpbed.h"

Suite *suite_xdp_kernel(void);

/* By netlink and by a link, in each mode, of which veth's own choice is native. */
START_TEST(life)
{
	enum bpfstamp_xdp_mode mode = xdpbed_modes[_i % 3], actual = mode ? mode : BPFSTAMP_XDP_NATIVE;
	struct bpfstamp_hook hook = xdpbed_hook(mode, _i / 3 ? XDPBED_PIN : NULL);
	int drop = xdpbed_ours(XDP_DROP), pass = xdpbed_ours(XDP_PASS);
	struct bpfstamp_plan plan;
	struct xdpbed_shown shown;

	if ((hook.pin && !xdpbed_links("a life by a link")) || (!hook.pin && !xdpbed_records("a life by netlink")))
		return;
	xdpbed_passes();
	OK(xdpbed_check(&hook, &plan));
	ck_assert(!plan.occupied);
	OK(xdpbed_attach(&hook, drop));
	xdpbed_drops();
	xdpbed_has(xdpbed_id(drop), actual);
	ck_assert_uint_eq(xdpbed.made.id, xdpbed_id(drop));
	ck_assert_int_eq(xdpbed.made.xdp_mode, actual);
	ck_assert_str_eq(xdpbed.made.name, "the name");
	ck_assert_str_eq(xdpbed.made.pin, hook.pin ? XDPBED_PIN : "");
	ck_assert_int_eq(xdpbed.made.link != 0, hook.pin != NULL);
	ck_assert(xdpbed.made.ours && xdpbed.made.has_tag);
	ck_assert(xdpbed.made.ifindex == netns.ifindex && xdpbed.made.direction == BPFSTAMP_INGRESS);
	OK(xdpbed_check(&hook, &plan));
	ck_assert(plan.occupied && plan.there.ours);
	ck_assert(plan.there.id == xdpbed.made.id && plan.there.xdp_mode == actual);
	shown = xdpbed_show();
	ck_assert_uint_eq(shown.count, 1);
	ck_assert_uint_eq(shown.last.id, xdpbed.made.id);
	ck_assert_uint_eq(shown.last.link, xdpbed.made.link);
	ck_assert_int_eq(shown.last.xdp_mode, actual);
	ck_assert_mem_eq(shown.last.tag, xdpbed.made.tag, sizeof(xdpbed.made.tag));
	ck_assert_int_eq(strncmp(shown.last.name, "drop_all_packet", 15), 0);
	OK(xdpbed_attach(&hook, pass));
	xdpbed_passes();
	xdpbed_has(xdpbed_id(pass), actual);
	hook.existing = BPFSTAMP_KEEP;
	xdpbed_says(xdpbed_attach(&hook, drop), EEXIST, "XDP of va has program ");
	bpfobj_says(&netns.err, " already, which is kept");
	xdpbed_has(xdpbed_id(pass), actual);
	OK(bpfstamp_detach(xdpbed.net, &hook, true, &xdpbed.made, &netns.err));
	xdpbed_has(xdpbed_id(pass), actual);
	OK(xdpbed_detach(&hook));
	ck_assert_uint_eq(xdpbed.made.id, xdpbed_id(pass));
	xdpbed_nothing_left(2);
	ck_assert_uint_eq(xdpbed_show().count, 0);
	xdpbed_says(xdpbed_detach(&hook), ENOENT,
		    hook.pin ? "no link is pinned at " XDPBED_PIN : "XDP of va has no program");
}
END_TEST

/* What ip says, and that it can remove what is there. */
START_TEST(ip_agrees)
{
	struct bpfstamp_hook hook = xdpbed_hook(_i ? BPFSTAMP_XDP_NATIVE : BPFSTAMP_XDP_GENERIC, NULL);
	int drop = xdpbed_ours(XDP_DROP);
	const char *said;
	char id[32];

	OK(xdpbed_attach(&hook, drop));
	said = netns_output("ip -d link show dev va");
	snprintf(id, sizeof(id), "prog/xdp id %u", xdpbed.made.id);
	ck_assert_msg(strstr(said, id) != NULL, "%s", said);
	ck_assert_ptr_nonnull(strstr(said, _i ? " xdp " : " xdpgeneric "));
	said = netns_output("ip -j link show dev va");
	snprintf(id, sizeof(id), "\"id\":%u,", xdpbed.made.id);
	ck_assert_msg(strstr(said, _i ? "\"xdp\":{\"mode\":1,\"prog\":{" : "\"xdp\":{\"mode\":2,\"prog\":{"),
		      "%s", said);
	ck_assert_msg(strstr(said, id) != NULL, "%s", said);
	netns_run(_i ? "ip link set dev va xdpdrv off" : "ip link set dev va xdpgeneric off");
	xdpbed_nothing_left(1);
	FAILS(xdpbed_detach(&hook), ENOENT, "XDP of va has no program");
}
END_TEST

/* A foreign program by netlink is neither replaced nor removed, by whatever and in whatever mode, but with force. */
START_TEST(foreign_program)
{
	enum bpfstamp_xdp_mode there = _i & 1 ? BPFSTAMP_XDP_NATIVE : BPFSTAMP_XDP_GENERIC;
	struct bpfstamp_hook hook = xdpbed_hook(xdpbed_modes[_i / 2 % 3], _i / 6 ? XDPBED_PIN : NULL);
	enum bpfstamp_xdp_mode then = hook.xdp_mode;
	int other = xdpbed_foreign(), pass = xdpbed_ours(XDP_PASS), tc = netns_program(BPF_PROG_TYPE_SCHED_CLS);
	struct bpfstamp_plan plan;
	const char *text = there == BPFSTAMP_XDP_NATIVE ?
		" in native mode, which bpfstamp did not attach; use --force" :
		" in generic mode, which bpfstamp did not attach; use --force";

	if (hook.pin && !xdpbed_links("a link in the place of a foreign program"))
		return;
	xdpbed_put(other, xdpbed_flags[_i & 1]);
	xdpbed_drops();
	xdpbed_says(xdpbed_attach(&hook, pass), EBUSY, text);
	hook.existing = BPFSTAMP_KEEP;
	xdpbed_says(xdpbed_attach(&hook, pass), EBUSY, text);
	xdpbed_says(xdpbed_check(&hook, &plan), EBUSY, text);
	hook.existing = BPFSTAMP_REPLACE;
	if (!hook.pin)
		xdpbed_says(xdpbed_detach(&hook), hook.xdp_mode && hook.xdp_mode != there ? ENOENT : EBUSY,
			    hook.xdp_mode && hook.xdp_mode != there ?
			    "has no program of that id, name or mode" : text);
	xdpbed_has(xdpbed_id(other), there);
	hook.force = true;
	xdpbed_says(xdpbed_attach(&hook, tc), EINVAL, "program the name is of type sched_cls; XDP takes xdp");
	xdpbed_has(xdpbed_id(other), there);
	OK(xdpbed_check(&hook, &plan));
	ck_assert(plan.occupied && !plan.there.ours && plan.there.id == xdpbed_id(other));
	OK(xdpbed_attach(&hook, pass));
	/* In any mode, netlink replaces it in the one that it has; a link is new. */
	if (then == BPFSTAMP_XDP_ANY)
		then = hook.pin ? BPFSTAMP_XDP_NATIVE : there;
	xdpbed_has(xdpbed_id(pass), then);
	xdpbed_passes();
	OK(xdpbed_detach(&hook));
	xdpbed_nothing_left(3);
	if (hook.pin)
		return;
	xdpbed_put(other, xdpbed_flags[_i & 1]);
	hook.xdp_mode = BPFSTAMP_XDP_ANY;
	OK(xdpbed_detach(&hook));
	xdpbed_nothing_left(3);
}
END_TEST

static int link_to(int fd, uint32_t flags)
{
	union bpf_attr attr;
	int link;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)fd;
	attr.link_create.target_ifindex = (uint32_t)netns.ifindex;
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = flags;
	link = sys_link_create(&attr);
	ck_assert_int_ge(link, 0);
	return link;
}

START_TEST(foreign_link)
{
	struct bpfstamp_hook hook = xdpbed_hook(BPFSTAMP_XDP_ANY, _i ? XDPBED_PIN : NULL);
	int other = xdpbed_foreign(), pass = xdpbed_ours(XDP_PASS), link;
	struct bpf_link_info info = { 0 };
	char text[128];

	if (!xdpbed_links("a foreign link"))
		return;
	link = link_to(other, XDP_FLAGS_SKB_MODE);
	ck_assert_int_eq(sys_link_info(link, &info), 0);
	snprintf(text, sizeof(text), " in generic mode by link %u, which bpfstamp did not attach; use --force",
		 info.id);
	xdpbed_says(xdpbed_attach(&hook, pass), EBUSY, text);
	ck_assert_uint_eq(xdpbed_show().last.link, info.id);
	ck_assert(!xdpbed_show().last.ours);
	xdpbed_has(xdpbed_id(other), BPFSTAMP_XDP_GENERIC);
	hook.force = true;
	OK(xdpbed_attach(&hook, pass));
	xdpbed_has(xdpbed_id(pass), BPFSTAMP_XDP_NATIVE);
	OK(xdpbed_detach(&hook));
	close(link);
	xdpbed_nothing_left(2);
	link = link_to(other, XDP_FLAGS_SKB_MODE);
	hook.pin = NULL;
	OK(xdpbed_detach(&hook));
	close(link);
	xdpbed_nothing_left(2);
}
END_TEST

/* Ours in another mode, or held in another way, is not replaced in one step, and so only with force. */
START_TEST(other_mode)
{
	struct bpfstamp_hook hook = xdpbed_hook(BPFSTAMP_XDP_GENERIC, _i ? XDPBED_PIN : NULL);
	int drop = xdpbed_ours(XDP_DROP), pass = xdpbed_ours(XDP_PASS);

	if ((_i && !xdpbed_links("another mode of a link")) || (!_i && !xdpbed_records("another mode")))
		return;
	OK(xdpbed_attach(&hook, drop));
	hook.xdp_mode = BPFSTAMP_XDP_NATIVE;
	xdpbed_says(xdpbed_attach(&hook, pass), EBUSY, " in generic mode");
	bpfobj_says(&netns.err, "another mode cannot take its place in one step: detach it first, or use --force");
	xdpbed_has(xdpbed_id(drop), BPFSTAMP_XDP_GENERIC);
	hook.force = true;
	OK(xdpbed_attach(&hook, pass));
	xdpbed_has(xdpbed_id(pass), BPFSTAMP_XDP_NATIVE);
	xdpbed_passes();
	/* The driver refuses: what was there is put back. */
	hook.xdp_mode = BPFSTAMP_XDP_GENERIC;
	OK(xdpbed_attach(&hook, drop));
	netns_run("ip link set vb mtu 9000");
	hook.xdp_mode = BPFSTAMP_XDP_NATIVE;
	xdpbed_says(xdpbed_attach(&hook, pass), ERANGE, _i ?
		    "attach to XDP of va by a link: Numerical result out of range" :
		    "lower the MTU, use a program that takes fragments (section xdp.frags), or --xdp-mode generic");
	xdpbed_has(xdpbed_id(drop), BPFSTAMP_XDP_GENERIC);
	xdpbed_drops();
	hook.xdp_mode = BPFSTAMP_XDP_ANY;
	OK(xdpbed_detach(&hook));
	xdpbed_nothing_left(2);
}
END_TEST

START_TEST(from_netlink_to_link)
{
	struct bpfstamp_hook plain = xdpbed_hook(BPFSTAMP_XDP_GENERIC, NULL);
	struct bpfstamp_hook link = xdpbed_hook(BPFSTAMP_XDP_GENERIC, XDPBED_PIN);
	const char *held = "; what a link holds is replaced by its pin (--link-pin), or with --force";
	int drop = xdpbed_ours(XDP_DROP), pass = xdpbed_ours(XDP_PASS);
	struct bpfstamp_plan plan;

	if (!xdpbed_links("from netlink to a link") || !xdpbed_records("from netlink to a link"))
		return;
	OK(xdpbed_attach(&plain, drop));
	xdpbed_says(xdpbed_attach(&link, pass), EBUSY,
		    "a new link cannot take its place in one step: detach it first, or use --force");
	ck_assert(!bpffs_has(XDPBED_PIN) && !bpffs_has(BPFFS "/folder"));
	link.force = true;
	OK(xdpbed_attach(&link, pass));
	xdpbed_has(xdpbed_id(pass), BPFSTAMP_XDP_GENERIC);
	xdpbed_says(xdpbed_attach(&plain, drop), EBUSY, held);
	xdpbed_says(xdpbed_check(&plain, &plan), EBUSY, held);
	xdpbed_has(xdpbed_id(pass), BPFSTAMP_XDP_GENERIC);
	plain.force = true;
	OK(xdpbed_attach(&plain, drop));
	xdpbed_has(xdpbed_id(drop), BPFSTAMP_XDP_GENERIC);
	OK(xdpbed_detach(&plain));
	unlink(XDPBED_PIN);
	xdpbed_nothing_left(2);
}
END_TEST

/* Its device is deleted and made anew, with another index and with the same. */
START_TEST(device_gone)
{
	struct bpfstamp_hook hook = xdpbed_hook(BPFSTAMP_XDP_GENERIC, XDPBED_PIN);
	int drop = xdpbed_ours(XDP_DROP), other = xdpbed_foreign();
	char command[128];
	uint32_t link;

	if (!xdpbed_links("a link of a device that is gone"))
		return;
	OK(xdpbed_attach(&hook, drop));
	link = xdpbed.made.link;
	netns_run("ip link del va");
	FAILS(xdpbed_attach(&hook, drop), ENODEV, "no such device 'va'");
	snprintf(command, sizeof(command), "ip link add va index %d up type veth peer name vb && ip link set vb up",
		 _i ? netns.ifindex : 7777);
	netns_run(command);
	netns.ifindex = netns_ifindex("va");
	ck_assert(bpffs_has(XDPBED_PIN));
	if (_i) {
		xdpbed_put(other, XDP_FLAGS_SKB_MODE);
		xdpbed_says(xdpbed_attach(&hook, drop), EBUSY, "which bpfstamp did not attach");
		xdpbed_put(-1, XDP_FLAGS_SKB_MODE);
	}
	hook.existing = BPFSTAMP_KEEP;
	OK(xdpbed_attach(&hook, drop));
	ck_assert_uint_ne(xdpbed.made.link, link);
	xdpbed_has(xdpbed_id(drop), BPFSTAMP_XDP_GENERIC);
	xdpbed_drops();
	netns_run("ip link del va && ip link add va up type veth peer name vb");
	OK(xdpbed_detach(&hook));
	ck_assert_uint_eq(xdpbed.made.id, xdpbed_id(drop));
	ck_assert_int_eq(xdpbed.made.ifindex, 0);
	xdpbed_nothing_left(2);
}
END_TEST

/* Between the look-up of the interface and the attachment. */
START_TEST(gone_meanwhile)
{
	struct bpfstamp_hook hook = xdpbed_hook(BPFSTAMP_XDP_ANY, _i ? XDPBED_PIN : NULL);
	struct hook_place place = { .hook = &hook, .ifindex = 4242, .dev = "va" };
	int drop = xdpbed_ours(XDP_DROP);

	if (_i && !xdpbed_links("a link on a device that is gone"))
		return;
	xdpbed_says(hook_xdp.attach(xdpbed.net, &place, drop, "x", &xdpbed.made, &netns.err), ENODEV,
		    _i ? "va is gone: " : "attach to XDP of va: ");
	xdpbed_says(hook_xdp.detach(xdpbed.net, &place, false, &xdpbed.made, &netns.err), ENODEV, "va is gone: ");
	ck_assert(!bpffs_has(BPFFS "/folder"));
	xdpbed_nothing_left(1);
}
END_TEST

START_TEST(pin_of_something_else)
{
	struct bpfstamp_hook hook = xdpbed_hook(BPFSTAMP_XDP_GENERIC, BPFFS "/pin"), vb = hook;
	int drop = xdpbed_ours(XDP_DROP);

	ck_assert_int_eq(sys_obj_pin(BPFFS "/pin", drop), 0);
	xdpbed_says(xdpbed_attach(&hook, drop), EEXIST, BPFFS "/pin is the pin of something else than a link of XDP: "
		    "remove it, or choose another --link-pin");
	xdpbed_says(xdpbed_detach(&hook), EEXIST, "is the pin of something else");
	ck_assert(bpffs_has(BPFFS "/pin"));
	xdpbed_has(0, BPFSTAMP_XDP_ANY);
	hook.pin = "/dev/null";
	xdpbed_says(xdpbed_attach(&hook, drop), EACCES, "cannot open the pin /dev/null: ");
	hook.pin = "/tmp/no_bpffs";
	xdpbed_says(xdpbed_attach(&hook, drop), EINVAL, "is not in a bpffs");
	hook.pin = BPFFS "/with.dot";
	if (!xdpbed_links("pins of links"))
		return;
	xdpbed_says(xdpbed_attach(&hook, drop), EPERM, "a bpffs allows no dot in a name");
	xdpbed_has(0, BPFSTAMP_XDP_ANY);
	hook.pin = vb.pin = XDPBED_PIN;
	vb.dev = "vb";
	OK(xdpbed_attach(&vb, drop));
	xdpbed_says(xdpbed_attach(&hook, drop), EBUSY, ", which is not on va but on interface ");
	xdpbed_says(xdpbed_detach(&hook), EBUSY, ", which is not on va but on interface ");
	xdpbed_put(drop, XDP_FLAGS_SKB_MODE);
	xdpbed_says(xdpbed_attach(&hook, drop), EBUSY, ", which is not on va but on interface ");
	xdpbed_put(-1, XDP_FLAGS_SKB_MODE);
	xdpbed_has(0, BPFSTAMP_XDP_ANY);
	OK(xdpbed_detach(&vb));
	xdpbed_nothing_left(1);
}
END_TEST

START_TEST(guards)
{
	struct bpfstamp_hook hook = xdpbed_hook(BPFSTAMP_XDP_GENERIC, _i ? XDPBED_PIN : NULL);
	const char *text = _i ? "the link pinned at " XDPBED_PIN " holds program " :
		"XDP of va has no program of that id, ";
	int drop = xdpbed_ours(XDP_DROP);

	if ((_i && !xdpbed_links("guards of a link")) || (!_i && !xdpbed_records("guards")))
		return;
	OK(xdpbed_attach(&hook, drop));
	hook.id = xdpbed_id(drop) + 1;
	xdpbed_says(xdpbed_detach(&hook), ENOENT, text);
	hook.id = 0;
	hook.program = "pass_all_packets";
	xdpbed_says(xdpbed_detach(&hook), ENOENT, text);
	hook.program = NULL;
	hook.xdp_mode = BPFSTAMP_XDP_NATIVE;
	xdpbed_says(xdpbed_detach(&hook), ENOENT, text);
	xdpbed_has(xdpbed_id(drop), BPFSTAMP_XDP_GENERIC);
	hook.xdp_mode = BPFSTAMP_XDP_GENERIC;
	hook.id = xdpbed_id(drop);
	hook.program = "drop_all_packets";
	OK(xdpbed_detach(&hook));
	xdpbed_nothing_left(1);
}
END_TEST

START_TEST(refused)
{
	struct bpfstamp_hook hook = xdpbed_hook(BPFSTAMP_XDP_OFFLOAD, NULL);
	int drop = xdpbed_ours(XDP_DROP), tc = netns_program(BPF_PROG_TYPE_SCHED_CLS);

	ck_assert_int_eq(xdpbed_attach(&hook, drop), -1);
	bpfobj_says(&netns.err, "attach to XDP of va: ");
	bpfobj_says(&netns.err, "only a device that can offload takes a program so");
	hook.xdp_mode = BPFSTAMP_XDP_NATIVE;
	hook.dev = "lo";
	xdpbed_says(xdpbed_attach(&hook, drop), EOPNOTSUPP, "; --xdp-mode generic works on any device");
	hook.dev = "va";
	hook.xdp_mode = BPFSTAMP_XDP_ANY;
	xdpbed_says(xdpbed_attach(&hook, tc), EINVAL, "program the name is of type sched_cls; XDP takes xdp");
	hook.existing = BPFSTAMP_APPEND;
	xdpbed_says(xdpbed_attach(&hook, drop), EINVAL, "nothing can be appended");
	hook.existing = BPFSTAMP_REPLACE;
	netns_run("ip link set vb mtu 9000");
	xdpbed_says(xdpbed_attach(&hook, drop), ERANGE, "lower the MTU");
	hook.pin = XDPBED_PIN;
	xdpbed_says(xdpbed_attach(&hook, drop), bpffs_kernel(509) ? ERANGE : EOPNOTSUPP, bpffs_kernel(509) ?
		    "; the kernel says why only without --link-pin" : "(Linux 5.9): leave --link-pin out");
	ck_assert(!bpffs_has(BPFFS "/folder"));
	xdpbed_nothing_left(2);
}
END_TEST

Suite *suite_xdp_kernel(void)
{
	Suite *s = suite_create("xdp_kernel");
	TCase *tc;

	if (!xdpbed_usable("xdp_kernel"))
		return s;
	tc = tcase_create("xdp");
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, xdpbed_setup, xdpbed_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, life, 0, 6);
	tcase_add_loop_test(tc, ip_agrees, 0, 2);
	tcase_add_loop_test(tc, foreign_program, 0, 12);
	tcase_add_loop_test(tc, foreign_link, 0, 2);
	tcase_add_loop_test(tc, other_mode, 0, 2);
	tcase_add_test(tc, from_netlink_to_link);
	tcase_add_loop_test(tc, device_gone, 0, 2);
	tcase_add_loop_test(tc, gone_meanwhile, 0, 2);
	tcase_add_test(tc, pin_of_something_else);
	tcase_add_loop_test(tc, guards, 0, 2);
	tcase_add_test(tc, refused);
	return s;
}
