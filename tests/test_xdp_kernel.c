// SPDX-License-Identifier: BSD-2-Clause
/*
 * hook/xdp.c against the running kernel: on the veth pair of tests/netns.h, with
 * packets of a type of their own sent from vb and counted on va, and with links pinned in a
 * bpffs of the test's own.
 *
 * "Ours" is a program with a record, which takes Linux 5.10 to leave;
 * "foreign" is one that the test puts there itself, by netlink or as a link.
 *
 * sendto() below stands before the C library's.  For kernels before 5.7, it puts
 * a flag that no kernel knows beside XDP_FLAGS_REPLACE, so that this one
 * refuses what those refuse, and with the same error.  And it lets somebody else
 * act just before or after a request.
 */
#define _GNU_SOURCE	/* unshare */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include "hook/hook.h"
#include "loader/record.h"
#include "loader/sys.h"
#include "netlink/link.h"
#include "tests/bpffs.h"
#include "tests/netns.h"

Suite *suite_xdp_kernel(void);

enum { DROP = 1, PASS = 2, ETHERTYPE = 0x88b5 };
#define PIN BPFFS "/folder/pin"

static struct bpfstamp_net *net;
static struct bpfstamp_attachment made;
static int fds_before;

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

/* -------------------------------------------------------------- programs */

/* A program with a record that always comes to that verdict. */
static int ours(uint32_t verdict)
{
	return bpffs_recorded("xdp", verdict == DROP ? "drop_all_packets" : "pass_all_packets", (int32_t)verdict);
}

static int foreign(void)
{
	return netns_program(BPF_PROG_TYPE_XDP);	/* "aborted": drops */
}

static uint32_t id_of(int fd)
{
	struct bpf_prog_info info = { 0 };

	ck_assert_int_eq(sys_prog_info(fd, &info), 0);
	return info.id;
}

/* Whether programs by netlink can be known to be ours. */
static bool records(const char *what)
{
	int fd = ours(PASS);
	bool known = record_is_there(fd);

	close(fd);
	if (!known)
		printf("SKIP %s: no records (Linux 5.10)\n", what);
	return known;
}

static bool links(const char *what)
{
	return bpfobj_kernel_has(what, 5, 9, "links of XDP");
}

/* ----------------------------------------------------------------- hooks */

static struct bpfstamp_hook on_va(enum bpfstamp_xdp_mode mode, const char *pin)
{
	return (struct bpfstamp_hook){
		.type = BPFSTAMP_XDP, .dev = "va", .direction = BPFSTAMP_INGRESS, .xdp_mode = mode, .pin = pin,
	};
}

static int attach(const struct bpfstamp_hook *hook, int fd)
{
	return bpfstamp_attach(net, hook, fd, "the name", &made, &netns.err);
}

static int detach(const struct bpfstamp_hook *hook)
{
	return bpfstamp_detach(net, hook, false, &made, &netns.err);
}

static int check(const struct bpfstamp_hook *hook, struct bpfstamp_plan *plan)
{
	return bpfstamp_attach_check(net, hook, "the name", plan, &netns.err);
}

static void put_foreign(int fd, uint32_t flags)
{
	OK(link_set_xdp(&netns.rtnl, netns.ifindex, "va", fd, flags, -1, &netns.err));
}

static struct link_info va(void)
{
	struct link_info link;

	OK(link_find(&netns.rtnl, 0, "va", &link, &netns.err));
	return link;
}

/* The only program on va is that one, in that mode; 0: none. */
static void has(uint32_t id, enum bpfstamp_xdp_mode mode)
{
	struct link_info link = va();

	ck_assert_uint_eq(link.xdp.skb, mode == BPFSTAMP_XDP_GENERIC ? id : 0);
	ck_assert_uint_eq(link.xdp.drv, mode == BPFSTAMP_XDP_NATIVE ? id : 0);
	ck_assert_uint_eq(link.xdp.hw, 0);
}

struct shown {
	unsigned int count;
	struct bpfstamp_attachment last;
};

static int see(const struct bpfstamp_attachment *a, void *arg)
{
	struct shown *shown = arg;

	if (a->type != BPFSTAMP_XDP)
		return 0;
	shown->count++;
	shown->last = *a;
	return 0;
}

static struct shown show(void)
{
	struct shown shown = { 0 };

	OK(bpfstamp_show(net, "va", NULL, see, &shown, &netns.err));
	return shown;
}

/* The error holds that, whatever ids are in it. */
static void says(int status, int code, const char *text)
{
	ck_assert_int_eq(status, -1);
	ck_assert_msg(netns.err.code == code, "code %d: %s", netns.err.code, netns.err.text);
	bpfobj_says(&netns.err, text);
}

/* --------------------------------------------------------------- packets */

static int packet_socket(const char *dev)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE), .sll_ifindex = netns_ifindex(dev),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERTYPE));

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Whether a packet from vb comes in at va; one that is lost is waited for shorter than one that should come. */
static bool comes_through(bool expected)
{
	uint8_t packet[64] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, ETHERTYPE >> 8, ETHERTYPE & 0xff,
	};
	int from = packet_socket("vb"), to = packet_socket("va"), ready;
	struct pollfd waiting = { .fd = to, .events = POLLIN };

	ck_assert_int_eq((int)send(from, packet, sizeof(packet), 0), sizeof(packet));
	ready = poll(&waiting, 1, expected ? 10000 : 100);
	close(from);
	close(to);
	return ready == 1;
}

#define PASSES() ck_assert(comes_through(true))
#define DROPS() ck_assert(!comes_through(false))

/* --------------------------------------------------------------- fixture */

static void setup(void)
{
	netns_setup();
	bpffs_setup();
	netns_run("ip link set va up && ip link set vb up");
	OK(bpfstamp_net_open(&net, NULL, &netns.err));
	fds_before = bpffs_open_fds();
}

static void teardown(void)
{
	bpfstamp_net_close(net);
	netns_teardown();
}

/* Programs are the test's to close; nothing else may be open, or pinned. */
static void nothing_left(int programs)
{
	ck_assert_int_eq(bpffs_open_fds(), fds_before + programs);
	ck_assert(!bpffs_has(PIN));
	has(0, BPFSTAMP_XDP_ANY);
}

/* ----------------------------------------------------------------- tests */

static const enum bpfstamp_xdp_mode modes[] = { BPFSTAMP_XDP_GENERIC, BPFSTAMP_XDP_NATIVE, BPFSTAMP_XDP_ANY };

/* By netlink and by a link, in each mode, of which veth's own choice is native. */
START_TEST(life)
{
	enum bpfstamp_xdp_mode mode = modes[_i % 3], actual = mode ? mode : BPFSTAMP_XDP_NATIVE;
	struct bpfstamp_hook hook = on_va(mode, _i / 3 ? PIN : NULL);
	int drop = ours(DROP), pass = ours(PASS);
	struct bpfstamp_plan plan;
	struct shown shown;

	if ((hook.pin && !links("a life by a link")) || (!hook.pin && !records("a life by netlink")))
		return;
	PASSES();
	OK(check(&hook, &plan));
	ck_assert(!plan.occupied);
	OK(attach(&hook, drop));
	DROPS();
	has(id_of(drop), actual);
	ck_assert_uint_eq(made.id, id_of(drop));
	ck_assert_int_eq(made.xdp_mode, actual);
	ck_assert_str_eq(made.name, "the name");
	ck_assert_str_eq(made.pin, hook.pin ? PIN : "");
	ck_assert_int_eq(made.link != 0, hook.pin != NULL);
	ck_assert(made.ours && made.has_tag && made.ifindex == netns.ifindex && made.direction == BPFSTAMP_INGRESS);
	OK(check(&hook, &plan));
	ck_assert(plan.occupied && plan.there.ours && plan.there.id == made.id && plan.there.xdp_mode == actual);
	shown = show();
	ck_assert_uint_eq(shown.count, 1);
	ck_assert_uint_eq(shown.last.id, made.id);
	ck_assert_uint_eq(shown.last.link, made.link);
	ck_assert_int_eq(shown.last.xdp_mode, actual);
	ck_assert_mem_eq(shown.last.tag, made.tag, sizeof(made.tag));
	ck_assert_int_eq(strncmp(shown.last.name, "drop_all_packet", 15), 0);
	OK(attach(&hook, pass));
	PASSES();
	has(id_of(pass), actual);
	hook.existing = BPFSTAMP_KEEP;
	says(attach(&hook, drop), EEXIST, "XDP of va has program ");
	bpfobj_says(&netns.err, " already, which is kept");
	has(id_of(pass), actual);
	OK(bpfstamp_detach(net, &hook, true, &made, &netns.err));
	has(id_of(pass), actual);
	OK(detach(&hook));
	ck_assert_uint_eq(made.id, id_of(pass));
	nothing_left(2);
	ck_assert_uint_eq(show().count, 0);
	says(detach(&hook), ENOENT, hook.pin ? "no link is pinned at " PIN : "XDP of va has no program");
}
END_TEST

/* What ip says, and that it can remove what is there. */
START_TEST(ip_agrees)
{
	struct bpfstamp_hook hook = on_va(_i ? BPFSTAMP_XDP_NATIVE : BPFSTAMP_XDP_GENERIC, NULL);
	int drop = ours(DROP);
	const char *said;
	char id[32];

	OK(attach(&hook, drop));
	said = netns_output("ip -d link show dev va");
	snprintf(id, sizeof(id), "prog/xdp id %u", made.id);
	ck_assert_msg(strstr(said, id) != NULL, "%s", said);
	ck_assert_ptr_nonnull(strstr(said, _i ? " xdp " : " xdpgeneric "));
	said = netns_output("ip -j link show dev va");
	snprintf(id, sizeof(id), "\"id\":%u,", made.id);
	ck_assert_msg(strstr(said, _i ? "\"xdp\":{\"mode\":1,\"prog\":{" : "\"xdp\":{\"mode\":2,\"prog\":{"),
		      "%s", said);
	ck_assert_msg(strstr(said, id) != NULL, "%s", said);
	netns_run(_i ? "ip link set dev va xdpdrv off" : "ip link set dev va xdpgeneric off");
	nothing_left(1);
	FAILS(detach(&hook), ENOENT, "XDP of va has no program");
}
END_TEST

static const uint32_t flags_of[] = { XDP_FLAGS_SKB_MODE, XDP_FLAGS_DRV_MODE };

/* A foreign program by netlink is neither replaced nor removed, by whatever and in whatever mode, but with force. */
START_TEST(foreign_program)
{
	enum bpfstamp_xdp_mode there = _i & 1 ? BPFSTAMP_XDP_NATIVE : BPFSTAMP_XDP_GENERIC;
	struct bpfstamp_hook hook = on_va(modes[_i / 2 % 3], _i / 6 ? PIN : NULL);
	enum bpfstamp_xdp_mode then = hook.xdp_mode;
	int other = foreign(), pass = ours(PASS), tc = netns_program(BPF_PROG_TYPE_SCHED_CLS);
	struct bpfstamp_plan plan;
	const char *text = there == BPFSTAMP_XDP_NATIVE ?
		" in native mode, which bpfstamp did not attach; use --force" :
		" in generic mode, which bpfstamp did not attach; use --force";

	if (hook.pin && !links("a link in the place of a foreign program"))
		return;
	put_foreign(other, flags_of[_i & 1]);
	DROPS();
	says(attach(&hook, pass), EBUSY, text);
	hook.existing = BPFSTAMP_KEEP;
	says(attach(&hook, pass), EBUSY, text);
	says(check(&hook, &plan), EBUSY, text);
	hook.existing = BPFSTAMP_REPLACE;
	if (!hook.pin)
		says(detach(&hook), hook.xdp_mode && hook.xdp_mode != there ? ENOENT : EBUSY,
		     hook.xdp_mode && hook.xdp_mode != there ? "has no program of that id, name or mode" : text);
	has(id_of(other), there);
	hook.force = true;
	says(attach(&hook, tc), EINVAL, "program the name is of type sched_cls; XDP takes xdp");
	has(id_of(other), there);
	OK(check(&hook, &plan));
	ck_assert(plan.occupied && !plan.there.ours && plan.there.id == id_of(other));
	OK(attach(&hook, pass));
	/* In any mode, netlink replaces it in the one that it has; a link is new. */
	if (then == BPFSTAMP_XDP_ANY)
		then = hook.pin ? BPFSTAMP_XDP_NATIVE : there;
	has(id_of(pass), then);
	PASSES();
	OK(detach(&hook));
	nothing_left(3);
	if (hook.pin)
		return;
	put_foreign(other, flags_of[_i & 1]);
	hook.xdp_mode = BPFSTAMP_XDP_ANY;
	OK(detach(&hook));
	nothing_left(3);
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
	struct bpfstamp_hook hook = on_va(BPFSTAMP_XDP_ANY, _i ? PIN : NULL);
	int other = foreign(), pass = ours(PASS), link;
	struct bpf_link_info info = { 0 };
	char text[128];

	if (!links("a foreign link"))
		return;
	link = link_to(other, XDP_FLAGS_SKB_MODE);
	ck_assert_int_eq(sys_link_info(link, &info), 0);
	snprintf(text, sizeof(text), " in generic mode by link %u, which bpfstamp did not attach; use --force",
		 info.id);
	says(attach(&hook, pass), EBUSY, text);
	ck_assert_uint_eq(show().last.link, info.id);
	ck_assert(!show().last.ours);
	has(id_of(other), BPFSTAMP_XDP_GENERIC);
	hook.force = true;
	OK(attach(&hook, pass));
	has(id_of(pass), BPFSTAMP_XDP_NATIVE);
	OK(detach(&hook));
	close(link);
	nothing_left(2);
	link = link_to(other, XDP_FLAGS_SKB_MODE);
	hook.pin = NULL;
	OK(detach(&hook));
	close(link);
	nothing_left(2);
}
END_TEST

/* Ours in another mode, or held in another way, is not replaced in one step, and so only with force. */
START_TEST(other_mode)
{
	struct bpfstamp_hook hook = on_va(BPFSTAMP_XDP_GENERIC, _i ? PIN : NULL);
	int drop = ours(DROP), pass = ours(PASS);

	if ((_i && !links("another mode of a link")) || (!_i && !records("another mode")))
		return;
	OK(attach(&hook, drop));
	hook.xdp_mode = BPFSTAMP_XDP_NATIVE;
	says(attach(&hook, pass), EBUSY, " in generic mode");
	bpfobj_says(&netns.err, "another mode cannot take its place in one step: detach it first, or use --force");
	has(id_of(drop), BPFSTAMP_XDP_GENERIC);
	hook.force = true;
	OK(attach(&hook, pass));
	has(id_of(pass), BPFSTAMP_XDP_NATIVE);
	PASSES();
	/* The driver refuses: what was there is put back. */
	hook.xdp_mode = BPFSTAMP_XDP_GENERIC;
	OK(attach(&hook, drop));
	netns_run("ip link set vb mtu 9000");
	hook.xdp_mode = BPFSTAMP_XDP_NATIVE;
	says(attach(&hook, pass), ERANGE, _i ? "attach to XDP of va by a link: Numerical result out of range" :
	     "lower the MTU, use a program that takes fragments (section xdp.frags), or --xdp-mode generic");
	has(id_of(drop), BPFSTAMP_XDP_GENERIC);
	DROPS();
	hook.xdp_mode = BPFSTAMP_XDP_ANY;
	OK(detach(&hook));
	nothing_left(2);
}
END_TEST

START_TEST(from_netlink_to_link)
{
	struct bpfstamp_hook plain = on_va(BPFSTAMP_XDP_GENERIC, NULL), link = on_va(BPFSTAMP_XDP_GENERIC, PIN);
	int drop = ours(DROP), pass = ours(PASS);
	struct bpfstamp_plan plan;

	if (!links("from netlink to a link") || !records("from netlink to a link"))
		return;
	OK(attach(&plain, drop));
	says(attach(&link, pass), EBUSY,
	     "a new link cannot take its place in one step: detach it first, or use --force");
	ck_assert(!bpffs_has(PIN) && !bpffs_has(BPFFS "/folder"));
	link.force = true;
	OK(attach(&link, pass));
	has(id_of(pass), BPFSTAMP_XDP_GENERIC);
	says(attach(&plain, drop), EBUSY, "; what a link holds is replaced by its pin (--link-pin), or with --force");
	says(check(&plain, &plan), EBUSY, "; what a link holds is replaced by its pin (--link-pin), or with --force");
	has(id_of(pass), BPFSTAMP_XDP_GENERIC);
	plain.force = true;
	OK(attach(&plain, drop));
	has(id_of(drop), BPFSTAMP_XDP_GENERIC);
	OK(detach(&plain));
	unlink(PIN);
	nothing_left(2);
}
END_TEST

/* Its device is deleted and made anew, with another index and with the same. */
START_TEST(device_gone)
{
	struct bpfstamp_hook hook = on_va(BPFSTAMP_XDP_GENERIC, PIN);
	int drop = ours(DROP), other = foreign();
	char command[128];
	uint32_t link;

	if (!links("a link of a device that is gone"))
		return;
	OK(attach(&hook, drop));
	link = made.link;
	netns_run("ip link del va");
	FAILS(attach(&hook, drop), ENODEV, "no such device 'va'");
	snprintf(command, sizeof(command), "ip link add va index %d up type veth peer name vb && ip link set vb up",
		 _i ? netns.ifindex : 7777);
	netns_run(command);
	netns.ifindex = netns_ifindex("va");
	ck_assert(bpffs_has(PIN));
	if (_i) {
		put_foreign(other, XDP_FLAGS_SKB_MODE);
		says(attach(&hook, drop), EBUSY, "which bpfstamp did not attach");
		put_foreign(-1, XDP_FLAGS_SKB_MODE);
	}
	hook.existing = BPFSTAMP_KEEP;
	OK(attach(&hook, drop));
	ck_assert_uint_ne(made.link, link);
	has(id_of(drop), BPFSTAMP_XDP_GENERIC);
	DROPS();
	netns_run("ip link del va && ip link add va up type veth peer name vb");
	OK(detach(&hook));
	ck_assert_uint_eq(made.id, id_of(drop));
	ck_assert_int_eq(made.ifindex, 0);
	nothing_left(2);
}
END_TEST

/* Between the look-up of the interface and the attachment. */
START_TEST(gone_meanwhile)
{
	struct bpfstamp_hook hook = on_va(BPFSTAMP_XDP_ANY, _i ? PIN : NULL);
	struct hook_place place = { .hook = &hook, .ifindex = 4242, .dev = "va" };
	int drop = ours(DROP);

	if (_i && !links("a link on a device that is gone"))
		return;
	says(hook_xdp.attach(net, &place, drop, "x", &made, &netns.err), ENODEV, _i ? "va is gone: " :
	     "attach to XDP of va: ");
	says(hook_xdp.detach(net, &place, false, &made, &netns.err), ENODEV, "va is gone: ");
	ck_assert(!bpffs_has(BPFFS "/folder"));
	nothing_left(1);
}
END_TEST

START_TEST(pin_of_something_else)
{
	struct bpfstamp_hook hook = on_va(BPFSTAMP_XDP_GENERIC, BPFFS "/pin"), vb = hook;
	int drop = ours(DROP);

	ck_assert_int_eq(sys_obj_pin(BPFFS "/pin", drop), 0);
	says(attach(&hook, drop), EEXIST, BPFFS "/pin is the pin of something else than a link of XDP: remove it, or "
	     "choose another --link-pin");
	says(detach(&hook), EEXIST, "is the pin of something else");
	ck_assert(bpffs_has(BPFFS "/pin"));
	has(0, BPFSTAMP_XDP_ANY);
	hook.pin = "/dev/null";
	says(attach(&hook, drop), EACCES, "cannot open the pin /dev/null: ");
	hook.pin = "/tmp/no_bpffs";
	says(attach(&hook, drop), EINVAL, "is not in a bpffs");
	hook.pin = BPFFS "/with.dot";
	if (!links("pins of links"))
		return;
	says(attach(&hook, drop), EPERM, "a bpffs allows no dot in a name");
	has(0, BPFSTAMP_XDP_ANY);
	hook.pin = vb.pin = PIN;
	vb.dev = "vb";
	OK(attach(&vb, drop));
	says(attach(&hook, drop), EBUSY, ", which is not on va but on interface ");
	says(detach(&hook), EBUSY, ", which is not on va but on interface ");
	put_foreign(drop, XDP_FLAGS_SKB_MODE);
	says(attach(&hook, drop), EBUSY, ", which is not on va but on interface ");
	put_foreign(-1, XDP_FLAGS_SKB_MODE);
	has(0, BPFSTAMP_XDP_ANY);
	OK(detach(&vb));
	nothing_left(1);
}
END_TEST

START_TEST(guards)
{
	struct bpfstamp_hook hook = on_va(BPFSTAMP_XDP_GENERIC, _i ? PIN : NULL);
	const char *text = _i ? "the link pinned at " PIN " holds program " : "XDP of va has no program of that id, ";
	int drop = ours(DROP);

	if ((_i && !links("guards of a link")) || (!_i && !records("guards")))
		return;
	OK(attach(&hook, drop));
	hook.id = id_of(drop) + 1;
	says(detach(&hook), ENOENT, text);
	hook.id = 0;
	hook.program = "pass_all_packets";
	says(detach(&hook), ENOENT, text);
	hook.program = NULL;
	hook.xdp_mode = BPFSTAMP_XDP_NATIVE;
	says(detach(&hook), ENOENT, text);
	has(id_of(drop), BPFSTAMP_XDP_GENERIC);
	hook.xdp_mode = BPFSTAMP_XDP_GENERIC;
	hook.id = id_of(drop);
	hook.program = "drop_all_packets";
	OK(detach(&hook));
	nothing_left(1);
}
END_TEST

START_TEST(refused)
{
	struct bpfstamp_hook hook = on_va(BPFSTAMP_XDP_OFFLOAD, NULL);
	int drop = ours(DROP), tc = netns_program(BPF_PROG_TYPE_SCHED_CLS);

	ck_assert_int_eq(attach(&hook, drop), -1);
	bpfobj_says(&netns.err, "attach to XDP of va: ");
	bpfobj_says(&netns.err, "only a device that can offload takes a program so");
	hook.xdp_mode = BPFSTAMP_XDP_NATIVE;
	hook.dev = "lo";
	says(attach(&hook, drop), EOPNOTSUPP, "; --xdp-mode generic works on any device");
	hook.dev = "va";
	hook.xdp_mode = BPFSTAMP_XDP_ANY;
	says(attach(&hook, tc), EINVAL, "program the name is of type sched_cls; XDP takes xdp");
	hook.existing = BPFSTAMP_APPEND;
	says(attach(&hook, drop), EINVAL, "nothing can be appended");
	hook.existing = BPFSTAMP_REPLACE;
	netns_run("ip link set vb mtu 9000");
	says(attach(&hook, drop), ERANGE, "lower the MTU");
	hook.pin = PIN;
	says(attach(&hook, drop), bpffs_kernel(509) ? ERANGE : EOPNOTSUPP, bpffs_kernel(509) ?
	     "; the kernel says why only without --link-pin" : "(Linux 5.9): leave --link-pin out");
	ck_assert(!bpffs_has(BPFFS "/folder"));
	nothing_left(2);
}
END_TEST

/* Before 5.7: what is there is looked at, and then replaced, or removed. */
START_TEST(old_kernel)
{
	struct bpfstamp_hook hook = on_va(modes[_i], NULL);
	int drop = ours(DROP), pass = ours(PASS), other = foreign();

	if (!records("replacing on an old kernel"))
		return;
	before_5_7 = true;
	OK(attach(&hook, drop));
	OK(attach(&hook, pass));
	ck_assert_uint_eq(made.id, id_of(pass));
	PASSES();
	OK(detach(&hook));
	has(0, BPFSTAMP_XDP_ANY);
	put_foreign(other, flags_of[_i]);
	says(attach(&hook, pass), EBUSY, "which bpfstamp did not attach");
	hook.force = true;
	OK(attach(&hook, pass));
	OK(detach(&hook));
	nothing_left(3);
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
	struct bpfstamp_hook link = on_va(BPFSTAMP_XDP_GENERIC, PIN), plain = on_va(BPFSTAMP_XDP_GENERIC, NULL);
	int drop = ours(DROP), pass = ours(PASS);

	if (!links("links without CAP_SYS_ADMIN"))
		return;
	keep(BIT(CAP_NET_ADMIN) | BIT(39) | BIT(CAP_DAC_OVERRIDE));	/* 39: CAP_BPF */
	OK(attach(&link, drop));
	OK(attach(&link, pass));
	has(id_of(pass), BPFSTAMP_XDP_GENERIC);
	ck_assert(show().last.id == id_of(pass) && !*show().last.name && !show().last.ours);
	OK(detach(&link));
	OK(attach(&plain, drop));
	says(attach(&plain, pass), EBUSY, "; whose it is cannot be told without CAP_SYS_ADMIN; use --force");
	has(id_of(drop), BPFSTAMP_XDP_GENERIC);
	plain.force = true;
	OK(attach(&plain, pass));
	has(id_of(pass), BPFSTAMP_XDP_GENERIC);
	OK(detach(&plain));
	keep(BIT(39));
	says(attach(&plain, drop), EPERM, "; needs the capability CAP_NET_ADMIN");
	nothing_left(2);
}
END_TEST

/* ---------------------------------------------------- others meanwhile */

/* Two processes replace each other's programs; none of them fails, and one program and its link are left. */
START_TEST(two_owners)
{
	struct bpfstamp_hook hook = on_va(BPFSTAMP_XDP_GENERIC, _i ? PIN : NULL);
	int programs[2] = { ours(DROP), ours(PASS) }, status;
	struct link_info link;
	pid_t pid[2];

	if ((_i && !links("two owners of a link")) || (!_i && !records("two owners")))
		return;
	OK(attach(&hook, programs[0]));
	for (int p = 0; p < 2; p++) {
		pid[p] = fork();
		if (pid[p])
			continue;
		bpfstamp_net_close(net);
		status = bpfstamp_net_open(&net, NULL, &netns.err);
		for (int i = 0; i < 100 && !status; i++)
			status = attach(&hook, programs[p]);
		if (status)
			fprintf(stderr, "owner %d: %s\n", p, netns.err.text);
		_exit(status ? 1 : 0);
	}
	for (int p = 0; p < 2; p++)
		ck_assert(waitpid(pid[p], &status, 0) == pid[p] && status == 0);
	link = va();
	ck_assert(link.xdp.skb == id_of(programs[0]) || link.xdp.skb == id_of(programs[1]));
	OK(detach(&hook));
	nothing_left(2);
}
END_TEST

static void put_there(int fd)
{
	put_foreign(fd, XDP_FLAGS_SKB_MODE);
}

/* A foreign program comes in the place of ours between the look at that and what we do. */
START_TEST(changed_meanwhile)
{
	struct bpfstamp_hook hook = on_va(BPFSTAMP_XDP_GENERIC, NULL);
	int drop = ours(DROP), pass = ours(PASS), other = foreign();

	if (!records("a change meanwhile"))
		return;
	OK(attach(&hook, drop));
	meanwhile.type = RTM_SETLINK;
	meanwhile.count = _i ? 1 : 2;	/* attach asks to put it where nothing is, first */
	meanwhile.act = put_there;
	meanwhile.fd = other;
	says(_i ? detach(&hook) : attach(&hook, pass), EBUSY, ", which bpfstamp did not attach; use --force");
	ck_assert_int_eq(meanwhile.count, 0);
	has(id_of(other), BPFSTAMP_XDP_GENERIC);
	put_there(-1);
	nothing_left(3);
}
END_TEST

static void put_in_link(int fd)
{
	int link = sys_obj_get(PIN);

	ck_assert_int_eq(sys_link_update(link, fd, -1), 0);
	close(link);
}

static void repin(int fd)
{
	ck_assert_int_eq(unlink(PIN), 0);
	ck_assert_int_eq(sys_obj_pin(PIN, fd), 0);
}

/* Somebody else's pin comes in the place of ours after the look at that: it stays. */
START_TEST(pin_changes)
{
	struct bpfstamp_hook hook = on_va(BPFSTAMP_XDP_GENERIC, PIN);
	int drop = ours(DROP), link;

	if (!links("a pin that changes"))
		return;
	OK(attach(&hook, drop));
	link = sys_obj_get(PIN);
	meanwhile.type = RTM_GETLINK;
	meanwhile.count = 2;
	meanwhile.act = repin;
	meanwhile.fd = drop;
	says(detach(&hook), ENOENT, "the pin " PIN " was removed, or is of another link by now");
	ck_assert_int_eq(meanwhile.count, 0);
	ck_assert(bpffs_has(PIN));
	has(id_of(drop), BPFSTAMP_XDP_GENERIC);
	ck_assert_int_eq(unlink(PIN), 0);
	ck_assert_int_eq(sys_obj_pin(PIN, link), 0);
	close(link);
	OK(detach(&hook));
	nothing_left(1);
}
END_TEST

/* Another program comes into our link before the look at the interface, which is the second, or after that. */
START_TEST(link_changes)
{
	struct bpfstamp_hook hook = on_va(BPFSTAMP_XDP_GENERIC, PIN);
	int drop = ours(DROP), pass = ours(PASS), third = ours(DROP);

	if (!links("a link that changes"))
		return;
	OK(attach(&hook, drop));
	meanwhile.type = RTM_GETLINK;
	meanwhile.count = 2;
	meanwhile.after = _i;
	meanwhile.act = put_in_link;
	meanwhile.fd = third;
	OK(attach(&hook, pass));
	ck_assert_int_eq(meanwhile.count, 0);
	has(id_of(pass), BPFSTAMP_XDP_GENERIC);
	OK(detach(&hook));
	nothing_left(3);
}
END_TEST

/* In another namespace, whose va has the same index as ours; its pin is not taken for one of ours. */
START_TEST(other_namespace)
{
	struct bpfstamp_hook hook = on_va(BPFSTAMP_XDP_GENERIC, PIN);
	int drop = ours(DROP), here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	char text[64];

	if (!links("a link in another namespace"))
		return;
	bpfstamp_net_close(net);
	snprintf(text, sizeof(text), "ip link add va index %d type veth peer name vb", netns.ifindex);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	netns_run(text);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", here);
	OK(bpfstamp_net_open(&net, text, &netns.err));
	OK(attach(&hook, drop));
	has(id_of(drop), BPFSTAMP_XDP_GENERIC);		/* netns.rtnl is still there */
	ck_assert_ptr_null(strstr(netns_output("ip link show dev va"), "xdp"));
	bpfstamp_net_close(net);
	OK(bpfstamp_net_open(&net, NULL, &netns.err));
	says(attach(&hook, drop), EBUSY, " of another network namespace: choose another --link-pin");
	says(detach(&hook), EBUSY, " of another network namespace");
	bpfstamp_net_close(net);
	OK(bpfstamp_net_open(&net, text, &netns.err));
	OK(detach(&hook));
	close(here);
	has(0, BPFSTAMP_XDP_ANY);
	ck_assert(!bpffs_has(PIN));
}
END_TEST

/* One program on two interfaces of the same index: held by a link there, not here. */
START_TEST(same_program)
{
	struct bpfstamp_hook hook = on_va(BPFSTAMP_XDP_GENERIC, PIN);
	int drop = ours(DROP);
	struct bpfstamp_plan plan;
	char text[64];

	if (!links("a link elsewhere") || !records("a link elsewhere"))
		return;
	OK(attach(&hook, drop));
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	snprintf(text, sizeof(text), "ip link add va index %d type veth peer name vb", netns.ifindex);
	netns_run(text);
	bpfstamp_net_close(net);
	OK(bpfstamp_net_open(&net, NULL, &netns.err));
	hook.pin = NULL;
	OK(attach(&hook, drop));
	ck_assert_uint_eq(show().last.id, id_of(drop));
	ck_assert_uint_eq(show().last.link, 0);
	OK(check(&hook, &plan));
	ck_assert_uint_eq(plan.there.link, 0);
	OK(detach(&hook));
	ck_assert_uint_eq(show().count, 0);
	has(id_of(drop), BPFSTAMP_XDP_GENERIC);		/* there */
}
END_TEST

Suite *suite_xdp_kernel(void)
{
	Suite *s = suite_create("xdp_kernel");
	TCase *tc;

	if (!netns_usable("test_xdp_kernel") || !bpffs_usable("test_xdp_kernel"))
		return s;
	tc = tcase_create("xdp");
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
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
