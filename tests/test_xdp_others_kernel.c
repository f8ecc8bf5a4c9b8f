// SPDX-License-Identifier: BSD-2-Clause
/*
 * hook/xdp.c where it is not alone, or not on a kernel as young as this one:
 * on one before 5.7, without capabilities, with others who act meanwhile, and with
 * another network namespace.
 *
 * sendto() below stands before the C library's.  For kernels before 5.7, it puts
 * a flag that no kernel knows beside XDP_FLAGS_REPLACE, so that this one
 * refuses what those refuse, and with the same error.  And it lets somebody else
 * act just before or after a request.
 */
#define _GNU_SOURCE	/* unshare */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/sys.h"
#include "netlink/link.h"
#include "tests/xdpbed.h"

Suite *suite_xdp_others_kernel(void);

/* ------------------------------------- an older kernel, and somebody else */

static bool before_5_7;

/* What somebody else does when so many requests of that type have come. */
static struct {
	uint16_t type;
	int count;
	bool after;		/* the kernel has answered */
	void (*act)(int fd);
	int fd;
} meanwhile;

/* Where link_new_xdp puts the flags: behind nlmsghdr, ifinfomsg, IFLA_XDP, and IFLA_XDP_FD. */
static ssize_t send_now(int fd, const void *message, size_t size, int flags, const struct sockaddr *to,
			socklen_t to_size)
{
	enum { FLAGS = 12 };
	uint32_t words[LINK_BUFFER / 4];
	const struct nlmsghdr *nlh = message;

	if (before_5_7 && size >= 4 * FLAGS && size <= sizeof(words) && nlh->nlmsg_type == RTM_SETLINK) {
		memcpy(words, message, size);
		if (words[FLAGS] & XDP_FLAGS_REPLACE)
			words[FLAGS] |= 1u << 30;
		return syscall(SYS_sendto, fd, words, size, flags, to, to_size);
	}
	return syscall(SYS_sendto, fd, message, size, flags, to, to_size);
}

__attribute__((visibility("default")))	/* libmnl is to see it */
ssize_t sendto(int fd, const void *message, size_t size, int flags, const struct sockaddr *to, socklen_t to_size)
{
	const struct nlmsghdr *nlh = message;
	bool now = meanwhile.count && size >= sizeof(*nlh) && nlh->nlmsg_type == meanwhile.type && !--meanwhile.count;
	ssize_t n;

	if (now && !meanwhile.after)
		meanwhile.act(meanwhile.fd);
	n = send_now(fd, message, size, flags, to, to_size);
	if (now && meanwhile.after)
		meanwhile.act(meanwhile.fd);
	return n;
}

/* Before 5.7: what is there is looked at, and then replaced, or removed. */
START_TEST(old_kernel)
{
	struct bpfstamp_hook hook = xdpbed_hook(xdpbed_modes[_i], NULL);
	int drop = xdpbed_ours(XDP_DROP), pass = xdpbed_ours(XDP_PASS), other = xdpbed_foreign();

	if (!xdpbed_records("replacing on an old kernel"))
		return;
	before_5_7 = true;
	OK(xdpbed_attach(&hook, drop));
	OK(xdpbed_attach(&hook, pass));
	ck_assert_uint_eq(xdpbed.made.id, xdpbed_id(pass));
	xdpbed_passes();
	OK(xdpbed_detach(&hook));
	xdpbed_has(0, BPFSTAMP_XDP_ANY);
	xdpbed_put(other, xdpbed_flags[_i]);
	xdpbed_says(xdpbed_attach(&hook, pass), EBUSY, "which bpfstamp did not attach");
	hook.force = true;
	OK(xdpbed_attach(&hook, pass));
	OK(xdpbed_detach(&hook));
	xdpbed_nothing_left(3);
}
END_TEST

/* -------------------------------------------------------------- privilege */

static void keep(uint64_t capabilities)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = (uint32_t)capabilities, .permitted = (uint32_t)capabilities },
		{ .effective = (uint32_t)(capabilities >> 32), .permitted = (uint32_t)(capabilities >> 32) },
	};

	ck_assert_int_eq((int)syscall(SYS_capset, &header, data), 0);
}

#define BIT(capability) (1ull << (capability))

/* A pin is all it takes to replace and to remove; a program alone says nothing without CAP_SYS_ADMIN. */
START_TEST(unprivileged)
{
	struct bpfstamp_hook link = xdpbed_hook(BPFSTAMP_XDP_GENERIC, XDPBED_PIN);
	struct bpfstamp_hook plain = xdpbed_hook(BPFSTAMP_XDP_GENERIC, NULL);
	int drop = xdpbed_ours(XDP_DROP), pass = xdpbed_ours(XDP_PASS);

	if (!xdpbed_links("links without CAP_SYS_ADMIN"))
		return;
	keep(BIT(CAP_NET_ADMIN) | BIT(39) | BIT(CAP_DAC_OVERRIDE));	/* 39: CAP_BPF */
	OK(xdpbed_attach(&link, drop));
	OK(xdpbed_attach(&link, pass));
	xdpbed_has(xdpbed_id(pass), BPFSTAMP_XDP_GENERIC);
	ck_assert(xdpbed_show().last.id == xdpbed_id(pass) && !*xdpbed_show().last.name && !xdpbed_show().last.ours);
	OK(xdpbed_detach(&link));
	OK(xdpbed_attach(&plain, drop));
	xdpbed_says(xdpbed_attach(&plain, pass), EBUSY,
		    "; whose it is cannot be told without CAP_SYS_ADMIN; use --force");
	xdpbed_has(xdpbed_id(drop), BPFSTAMP_XDP_GENERIC);
	plain.force = true;
	OK(xdpbed_attach(&plain, pass));
	xdpbed_has(xdpbed_id(pass), BPFSTAMP_XDP_GENERIC);
	OK(xdpbed_detach(&plain));
	keep(BIT(39));
	xdpbed_says(xdpbed_attach(&plain, drop), EPERM, "; needs the capability CAP_NET_ADMIN");
	xdpbed_nothing_left(2);
}
END_TEST

/* ---------------------------------------------------- others meanwhile */

/* Two processes replace each other's programs; none of them fails, and one program and its link are left. */
START_TEST(two_owners)
{
	struct bpfstamp_hook hook = xdpbed_hook(BPFSTAMP_XDP_GENERIC, _i ? XDPBED_PIN : NULL);
	int programs[2] = { xdpbed_ours(XDP_DROP), xdpbed_ours(XDP_PASS) }, status;
	struct link_info link;
	pid_t pid[2];

	if ((_i && !xdpbed_links("two owners of a link")) || (!_i && !xdpbed_records("two owners")))
		return;
	OK(xdpbed_attach(&hook, programs[0]));
	for (int p = 0; p < 2; p++) {
		pid[p] = fork();
		if (pid[p])
			continue;
		bpfstamp_net_close(xdpbed.net);
		status = bpfstamp_net_open(&xdpbed.net, NULL, &netns.err);
		for (int i = 0; i < 100 && !status; i++)
			status = xdpbed_attach(&hook, programs[p]);
		if (status)
			fprintf(stderr, "owner %d: %s\n", p, netns.err.text);
		_exit(status ? 1 : 0);
	}
	for (int p = 0; p < 2; p++)
		ck_assert(waitpid(pid[p], &status, 0) == pid[p] && status == 0);
	link = xdpbed_va();
	ck_assert(link.xdp.skb == xdpbed_id(programs[0]) || link.xdp.skb == xdpbed_id(programs[1]));
	OK(xdpbed_detach(&hook));
	xdpbed_nothing_left(2);
}
END_TEST

static void put_there(int fd)
{
	xdpbed_put(fd, XDP_FLAGS_SKB_MODE);
}

/* A foreign program comes in the place of ours between the look at that and what we do. */
START_TEST(changed_meanwhile)
{
	struct bpfstamp_hook hook = xdpbed_hook(BPFSTAMP_XDP_GENERIC, NULL);
	int drop = xdpbed_ours(XDP_DROP), pass = xdpbed_ours(XDP_PASS), other = xdpbed_foreign();

	if (!xdpbed_records("a change meanwhile"))
		return;
	OK(xdpbed_attach(&hook, drop));
	meanwhile.type = RTM_SETLINK;
	meanwhile.count = _i ? 1 : 2;	/* attach asks to put it where nothing is, first */
	meanwhile.act = put_there;
	meanwhile.fd = other;
	xdpbed_says(_i ? xdpbed_detach(&hook) : xdpbed_attach(&hook, pass), EBUSY,
		    ", which bpfstamp did not attach; use --force");
	ck_assert_int_eq(meanwhile.count, 0);
	xdpbed_has(xdpbed_id(other), BPFSTAMP_XDP_GENERIC);
	put_there(-1);
	xdpbed_nothing_left(3);
}
END_TEST

static void put_in_link(int fd)
{
	int link = sys_obj_get(XDPBED_PIN);

	ck_assert_int_eq(sys_link_update(link, fd, -1), 0);
	close(link);
}

static void repin(int fd)
{
	ck_assert_int_eq(unlink(XDPBED_PIN), 0);
	ck_assert_int_eq(sys_obj_pin(XDPBED_PIN, fd), 0);
}

/* Somebody else's pin comes in the place of ours after the look at that: it stays. */
START_TEST(pin_changes)
{
	struct bpfstamp_hook hook = xdpbed_hook(BPFSTAMP_XDP_GENERIC, XDPBED_PIN);
	int drop = xdpbed_ours(XDP_DROP), link;

	if (!xdpbed_links("a pin that changes"))
		return;
	OK(xdpbed_attach(&hook, drop));
	link = sys_obj_get(XDPBED_PIN);
	meanwhile.type = RTM_GETLINK;
	meanwhile.count = 2;
	meanwhile.act = repin;
	meanwhile.fd = drop;
	xdpbed_says(xdpbed_detach(&hook), ENOENT, "the pin " XDPBED_PIN " was removed, or is of another link by now");
	ck_assert_int_eq(meanwhile.count, 0);
	ck_assert(bpffs_has(XDPBED_PIN));
	xdpbed_has(xdpbed_id(drop), BPFSTAMP_XDP_GENERIC);
	ck_assert_int_eq(unlink(XDPBED_PIN), 0);
	ck_assert_int_eq(sys_obj_pin(XDPBED_PIN, link), 0);
	close(link);
	OK(xdpbed_detach(&hook));
	xdpbed_nothing_left(1);
}
END_TEST

/* Another program comes into our link before the look at the interface, or after that. */
START_TEST(link_changes)
{
	struct bpfstamp_hook hook = xdpbed_hook(BPFSTAMP_XDP_GENERIC, XDPBED_PIN);
	int drop = xdpbed_ours(XDP_DROP), pass = xdpbed_ours(XDP_PASS), third = xdpbed_ours(XDP_DROP);

	if (!xdpbed_links("a link that changes"))
		return;
	OK(xdpbed_attach(&hook, drop));
	meanwhile.type = RTM_GETLINK;
	meanwhile.count = 1;
	meanwhile.after = _i;
	meanwhile.act = put_in_link;
	meanwhile.fd = third;
	OK(xdpbed_attach(&hook, pass));
	ck_assert_int_eq(meanwhile.count, 0);
	xdpbed_has(xdpbed_id(pass), BPFSTAMP_XDP_GENERIC);
	OK(xdpbed_detach(&hook));
	xdpbed_nothing_left(3);
}
END_TEST

/* In another namespace, whose va has the same index as ours; its pin is not taken for one of ours. */
START_TEST(other_namespace)
{
	struct bpfstamp_hook hook = xdpbed_hook(BPFSTAMP_XDP_GENERIC, XDPBED_PIN);
	int drop = xdpbed_ours(XDP_DROP), here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	char text[64];

	if (!xdpbed_links("a link in another namespace"))
		return;
	bpfstamp_net_close(xdpbed.net);
	snprintf(text, sizeof(text), "ip link add va index %d type veth peer name vb", netns.ifindex);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	netns_run(text);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", here);
	OK(bpfstamp_net_open(&xdpbed.net, text, &netns.err));
	OK(xdpbed_attach(&hook, drop));
	xdpbed_has(xdpbed_id(drop), BPFSTAMP_XDP_GENERIC);		/* netns.rtnl is still there */
	ck_assert_ptr_null(strstr(netns_output("ip link show dev va"), "xdp"));
	bpfstamp_net_close(xdpbed.net);
	OK(bpfstamp_net_open(&xdpbed.net, NULL, &netns.err));
	xdpbed_says(xdpbed_attach(&hook, drop), EBUSY, " of another network namespace: choose another --link-pin");
	xdpbed_says(xdpbed_detach(&hook), EBUSY, " of another network namespace");
	bpfstamp_net_close(xdpbed.net);
	OK(bpfstamp_net_open(&xdpbed.net, text, &netns.err));
	OK(xdpbed_detach(&hook));
	close(here);
	xdpbed_has(0, BPFSTAMP_XDP_ANY);
	ck_assert(!bpffs_has(XDPBED_PIN));
}
END_TEST

/* One program on two interfaces of the same index: held by a link there, not here. */
START_TEST(same_program)
{
	struct bpfstamp_hook hook = xdpbed_hook(BPFSTAMP_XDP_GENERIC, XDPBED_PIN);
	int drop = xdpbed_ours(XDP_DROP);
	struct bpfstamp_plan plan;
	char text[64];

	if (!xdpbed_links("a link elsewhere") || !xdpbed_records("a link elsewhere"))
		return;
	OK(xdpbed_attach(&hook, drop));
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	snprintf(text, sizeof(text), "ip link add va index %d type veth peer name vb", netns.ifindex);
	netns_run(text);
	bpfstamp_net_close(xdpbed.net);
	OK(bpfstamp_net_open(&xdpbed.net, NULL, &netns.err));
	hook.pin = NULL;
	OK(xdpbed_attach(&hook, drop));
	ck_assert_uint_eq(xdpbed_show().last.id, xdpbed_id(drop));
	ck_assert_uint_eq(xdpbed_show().last.link, 0);
	OK(xdpbed_check(&hook, &plan));
	ck_assert_uint_eq(plan.there.link, 0);
	OK(xdpbed_detach(&hook));
	ck_assert_uint_eq(xdpbed_show().count, 0);
	xdpbed_has(xdpbed_id(drop), BPFSTAMP_XDP_GENERIC);		/* there */
}
END_TEST

Suite *suite_xdp_others_kernel(void)
{
	Suite *s = suite_create("xdp_others_kernel");
	TCase *tc;

	if (!xdpbed_usable("xdp_others_kernel"))
		return s;
	tc = tcase_create("xdp");
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, xdpbed_setup, xdpbed_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, old_kernel, 0, 2);
	tcase_add_test(tc, unprivileged);
	tcase_add_loop_test(tc, two_owners, 0, 2);
	tcase_add_loop_test(tc, changed_meanwhile, 0, 2);
	tcase_add_loop_test(tc, link_changes, 0, 2);
	tcase_add_test(tc, pin_changes);
	tcase_add_test(tc, other_namespace);
	tcase_add_test(tc, same_program);
	return s;
}
