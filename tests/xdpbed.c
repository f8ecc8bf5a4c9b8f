// SPDX-License-Identifier: BSD-2-Clause
/*
 * Packets are told from the interfaces' own chatter by their Ethernet type.
 * Generic XDP runs before the packet socket on va sees them, as native XDP does.
 */
#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loader/record.h"
#include "loader/sys.h"
#include "tests/xdpbed.h"

enum { ETHERTYPE = 0x88b5 };

struct xdpbed xdpbed;

const enum bpfstamp_xdp_mode xdpbed_modes[3] = { BPFSTAMP_XDP_GENERIC, BPFSTAMP_XDP_NATIVE, BPFSTAMP_XDP_ANY };
const uint32_t xdpbed_flags[2] = { XDP_FLAGS_SKB_MODE, XDP_FLAGS_DRV_MODE };

/* -------------------------------------------------------------- programs */

int xdpbed_ours(uint32_t verdict)
{
	return bpffs_recorded("xdp", verdict == XDP_DROP ? "drop_all_packets" : "pass_all_packets", (int32_t)verdict);
}

int xdpbed_foreign(void)
{
	return netns_program(BPF_PROG_TYPE_XDP);	/* "aborted": drops */
}

uint32_t xdpbed_id(int program)
{
	struct bpf_prog_info info = { 0 };

	ck_assert_int_eq(sys_prog_info(program, &info), 0);
	return info.id;
}

bool xdpbed_records(const char *what)
{
	int fd = xdpbed_ours(XDP_PASS);
	bool known = record_is_there(fd);

	close(fd);
	if (!known)
		printf("SKIP %s: no records (Linux 5.10)\n", what);
	return known;
}

bool xdpbed_links(const char *what)
{
	return bpfobj_kernel_has(what, 5, 9, "links of XDP");
}

/* ----------------------------------------------------------------- hooks */

struct bpfstamp_hook xdpbed_hook(enum bpfstamp_xdp_mode mode, const char *pin)
{
	return (struct bpfstamp_hook){
		.type = BPFSTAMP_XDP, .dev = "va", .direction = BPFSTAMP_INGRESS, .xdp_mode = mode, .pin = pin,
	};
}

int xdpbed_attach(const struct bpfstamp_hook *hook, int program)
{
	return bpfstamp_attach(xdpbed.net, hook, program, "the name", &xdpbed.made, &netns.err);
}

int xdpbed_detach(const struct bpfstamp_hook *hook)
{
	return bpfstamp_detach(xdpbed.net, hook, false, &xdpbed.made, &netns.err);
}

int xdpbed_check(const struct bpfstamp_hook *hook, struct bpfstamp_plan *plan)
{
	return bpfstamp_attach_check(xdpbed.net, hook, "the name", plan, &netns.err);
}

void xdpbed_put(int program, uint32_t flags)
{
	OK(link_set_xdp(&netns.rtnl, netns.ifindex, "va", program, flags, -1, &netns.err));
}

struct link_info xdpbed_va(void)
{
	struct link_info link;

	OK(link_find(&netns.rtnl, 0, "va", &link, &netns.err));
	return link;
}

void xdpbed_has(uint32_t id, enum bpfstamp_xdp_mode mode)
{
	struct link_info link = xdpbed_va();

	ck_assert_uint_eq(link.xdp.skb, mode == BPFSTAMP_XDP_GENERIC ? id : 0);
	ck_assert_uint_eq(link.xdp.drv, mode == BPFSTAMP_XDP_NATIVE ? id : 0);
	ck_assert_uint_eq(link.xdp.hw, 0);
}

static int see(const struct bpfstamp_attachment *a, void *arg)
{
	struct xdpbed_shown *shown = arg;

	if (a->type != BPFSTAMP_XDP)
		return 0;
	shown->count++;
	shown->last = *a;
	return 0;
}

struct xdpbed_shown xdpbed_show(void)
{
	struct xdpbed_shown shown = { 0 };

	OK(bpfstamp_show(xdpbed.net, "va", NULL, see, &shown, &netns.err));
	return shown;
}

void xdpbed_says(int status, int code, const char *text)
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

/* One that is lost is waited for shorter than one that should come. */
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

void xdpbed_passes(void)
{
	ck_assert(comes_through(true));
}

void xdpbed_drops(void)
{
	ck_assert(!comes_through(false));
}

/* --------------------------------------------------------------- fixture */

bool xdpbed_usable(const char *suite)
{
	return netns_usable(suite) && bpffs_usable(suite);
}

void xdpbed_setup(void)
{
	netns_setup();
	bpffs_setup();
	netns_run("ip link set va up && ip link set vb up");
	OK(bpfstamp_net_open(&xdpbed.net, NULL, &netns.err));
	xdpbed.fds = bpffs_open_fds();
}

void xdpbed_teardown(void)
{
	bpfstamp_net_close(xdpbed.net);
	netns_teardown();
}

void xdpbed_nothing_left(int programs)
{
	ck_assert_int_eq(bpffs_open_fds(), xdpbed.fds + programs);
	ck_assert(!bpffs_has(XDPBED_PIN));
	xdpbed_has(0, BPFSTAMP_XDP_ANY);
}
