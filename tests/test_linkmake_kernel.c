// SPDX-License-Identifier: BSD-2-Clause
/*
 * The devices of netlink/linkmake.h, made by the running kernel in the namespace
 * of tests/netns.h, which is the node here, and in a second one, the pod: they are
 * read back by link_find() and `ip`.  Both namespaces end with the process.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink/linkmake.h"
#include "tests/bpffs.h"
#include "tests/netns.h"

Suite *suite_linkmake_kernel(void);

enum { VXLAN_PORT = 4789 };

static struct {
	int netns;
	struct rtnl rtnl;
} pod;

static void setup(void)
{
	netns_setup();
	pod.netns = netns_another();
	OK(rtnl_open(&pod.rtnl, pod.netns, &netns.err));
}

static void teardown(void)
{
	rtnl_close(&pod.rtnl);
	close(pod.netns);
	netns_teardown();
}

static struct link_info find(struct rtnl *rtnl, const char *name)
{
	struct link_info link;

	OK(link_find(rtnl, 0, name, &link, &netns.err));
	return link;
}

static bool is_there(struct rtnl *rtnl, const char *name)
{
	struct bpfstamp_err err;
	struct link_info link;
	int status = link_find(rtnl, 0, name, &link, &err);

	ck_assert(!status || err.code == ENODEV);
	return !status;
}

static bool says(const char *command, const char *text)
{
	return strstr(netns_output("%s", command), text) != NULL;
}

/* No two namespaces have the same, not even one after the other. */
START_TEST(cookies)
{
	uint64_t here = link_netns_cookie(&netns.rtnl), there = link_netns_cookie(&pod.rtnl);

	if (!bpffs_kernel(514)) {
		ck_assert_uint_eq(here, 0);
		return;
	}
	ck_assert_uint_ne(here, 0);
	ck_assert_uint_ne(here, there);
	teardown();
	setup();
	ck_assert_uint_ne(link_netns_cookie(&netns.rtnl), here);
	ck_assert_uint_ne(link_netns_cookie(&pod.rtnl), there);
}
END_TEST

static int make_veth(const char *name, const char *peer)
{
	return linkmake_veth(&netns.rtnl, name, peer, pod.netns, 1400, &netns.err);
}

/* Interfaces that come and go in the pod move its indexes on, so that the two ends have different ones. */
START_TEST(veth)
{
	struct link_info host, end, beyond;
	int32_t number;
	char mac[32];

	for (int i = 0; i < 2; i++) {
		OK(linkmake_veth(&pod.rtnl, "one", "two", -1, 0, &netns.err));
		OK(linkmake_delete(&pod.rtnl, find(&pod.rtnl, "one").ifindex, "one", &netns.err));
		ck_assert(!is_there(&pod.rtnl, "two"));
	}
	OK(make_veth("bs0123456789abc", "eth0"));
	host = find(&netns.rtnl, "bs0123456789abc");
	end = find(&pod.rtnl, "eth0");
	ck_assert(!is_there(&netns.rtnl, "eth0") && !is_there(&pod.rtnl, "bs0123456789abc"));
	ck_assert_int_ne(host.ifindex, end.ifindex);
	ck_assert_int_eq(host.peer, end.ifindex);
	ck_assert_int_eq(end.peer, host.ifindex);
	OK(link_netnsid(&netns.rtnl, pod.netns, &number, &netns.err));
	ck_assert_int_ge(number, 0);
	ck_assert_int_eq(host.peer_netnsid, number);
	OK(link_find_beyond(&netns.rtnl, number, host.peer, &beyond, &netns.err));
	ck_assert_str_eq(beyond.name, "eth0");
	ck_assert_mem_eq(beyond.mac, end.mac, 6);
	ck_assert_int_eq(link_find_beyond(&netns.rtnl, number, 9999, &beyond, &netns.err), -1);
	ck_assert_int_eq(netns.err.code, ENODEV);
	ck_assert_int_eq(link_find_beyond(&netns.rtnl, 77, host.peer, &beyond, &netns.err), -1);
	ck_assert_int_eq(netns.err.code, EINVAL);
	ck_assert_str_eq(host.kind, "veth");
	ck_assert_uint_eq(host.mtu, 1400);
	ck_assert_uint_eq(end.mtu, 1400);
	ck_assert(!host.up && !end.up && !host.external);
	ck_assert_mem_ne(host.mac, end.mac, 6);
	ck_assert_uint_eq(end.mac[0] & 3, 2);
	snprintf(mac, sizeof(mac), "ether %02x:%02x:%02x:%02x:%02x:%02x ", host.mac[0], host.mac[1], host.mac[2],
		 host.mac[3], host.mac[4], host.mac[5]);
	ck_assert(says("ip -o link show bs0123456789abc", mac));
	OK(linkmake_up(&netns.rtnl, host.ifindex, host.name, &netns.err));
	ck_assert(find(&netns.rtnl, host.name).up && !find(&pod.rtnl, "eth0").up);
	OK(linkmake_mtu(&pod.rtnl, end.ifindex, "eth0", 1300, &netns.err));
	ck_assert_uint_eq(find(&pod.rtnl, "eth0").mtu, 1300);
	ck_assert_uint_eq(find(&netns.rtnl, host.name).mtu, 1400);
	REFUSED(linkmake_mtu(&pod.rtnl, end.ifindex, "eth0", 100000, &netns.err), EINVAL,
		"set the MTU of eth0 to 100000: ", "");
	REFUSED(linkmake_mtu(&pod.rtnl, 9999, "gone", 1300, &netns.err), ENODEV, "set the MTU of gone to 1300: ", "");
	OK(linkmake_delete(&netns.rtnl, host.ifindex, host.name, &netns.err));
	ck_assert(!is_there(&pod.rtnl, "eth0"));
}
END_TEST

/* In the same namespace the kernel's MTU is taken, and the peer of the fixture's pair is told, too. */
START_TEST(veth_here)
{
	struct link_info one, two;

	OK(linkmake_veth(&netns.rtnl, "one", "two", -1, 0, &netns.err));
	one = find(&netns.rtnl, "one");
	two = find(&netns.rtnl, "two");
	ck_assert_int_eq(one.peer_netnsid, -1);
	ck_assert_int_eq(one.peer, two.ifindex);
	ck_assert_int_eq(two.peer, one.ifindex);
	ck_assert_uint_eq(one.mtu, 1500);
	ck_assert_int_eq(find(&netns.rtnl, "va").peer, find(&netns.rtnl, "vb").ifindex);
}
END_TEST

START_TEST(veth_refused)
{
	const char *const names[] = { "", "exactly_16_chars", "bs%d", "%" };

	OK(make_veth("bs01", "eth0"));
	REFUSED(make_veth("bs01", "eth1"), EEXIST, "make the veth pair bs01 and eth1: ",
		"; there is an interface of that name already");
	REFUSED(make_veth("bs02", "eth0"), EEXIST, "make the veth pair bs02 and eth0: ",
		"; there is an interface of the peer's name where that belongs");
	REFUSED(linkmake_veth(&netns.rtnl, "bs02", "eth1", pod.netns, 67, &netns.err), EINVAL,
		"make the veth pair bs02 and eth1: ", "");
	REFUSED(linkmake_veth(&netns.rtnl, "bs02", "eth1", 12345, 0, &netns.err), EBADF,
		"make the veth pair bs02 and eth1: ", "");
	REFUSED(make_veth("bs/2", "eth1"), EINVAL, "make the veth pair bs/2 and eth1: ", "");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		REFUSED(make_veth(names[i], "eth1"), EINVAL, "'",
			"' cannot be the name of an interface: it must have 1 to 15 characters, none of them %");
		REFUSED(make_veth("bs02", names[i]), EINVAL, "'", "none of them %");
	}
	ck_assert(!is_there(&netns.rtnl, "bs02") && !is_there(&pod.rtnl, "eth1"));
	ck_assert_int_eq(find(&netns.rtnl, "bs01").peer, find(&pod.rtnl, "eth0").ifindex);
}
END_TEST

START_TEST(deleted_already)
{
	int ifindex;

	OK(make_veth("bs01", "eth0"));
	ifindex = find(&netns.rtnl, "bs01").ifindex;
	OK(linkmake_delete(&netns.rtnl, ifindex, "bs01", &netns.err));
	REFUSED(linkmake_delete(&netns.rtnl, ifindex, "bs01", &netns.err), ENODEV, "delete bs01: ", "No such device");
	REFUSED(linkmake_up(&netns.rtnl, ifindex, "bs01", &netns.err), ENODEV, "set bs01 up: ", "");
	REFUSED(linkmake_delete(&netns.rtnl, 1, "lo", &netns.err), EOPNOTSUPP, "delete lo: ", "");
}
END_TEST

/* A socket at the port of a VXLAN device: -1 with EADDRINUSE where that has one itself. */
static int bind_port(int family)
{
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(VXLAN_PORT) };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(VXLAN_PORT) };
	int fd = socket(family, SOCK_DGRAM, 0), one = 1, status;

	ck_assert_int_ge(fd, 0);
	if (family == AF_INET6)
		ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)), 0);
	status = family == AF_INET6 ? bind(fd, (struct sockaddr *)&a6, sizeof(a6)) :
		bind(fd, (struct sockaddr *)&a4, sizeof(a4));
	if (!status)
		return fd;
	ck_assert_int_eq(errno, EADDRINUSE);
	close(fd);
	return -1;
}

static bool no_vxlan(void)
{
	if (system("exec ip link add vxprobe type vxlan external dstport 1 2>/dev/null") == 0) {
		netns_run("ip link del vxprobe");
		return false;
	}
	printf("SKIP linkmake_kernel: no VXLAN devices\n");
	return true;
}

START_TEST(vxlan)
{
	struct link_info link;
	int fd;

	if (no_vxlan())
		return;
	OK(linkmake_vxlan(&netns.rtnl, "vx", VXLAN_PORT, _i ? 1450 : 0, &netns.err));
	if (_i)
		netns_run("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6");
	link = find(&netns.rtnl, "vx");
	ck_assert_str_eq(link.kind, "vxlan");
	ck_assert(link.external && !link.up);
	ck_assert_uint_eq(link.port, VXLAN_PORT);
	ck_assert_uint_eq(link.mtu, _i ? 1450 : 1500);
	ck_assert_int_eq(link.peer, 0);
	ck_assert(says("ip -d link show vx", "external") && says("ip -d link show vx", "nolearning"));
	fd = bind_port(AF_INET);
	ck_assert_int_ge(fd, 0);
	REFUSED(linkmake_up(&netns.rtnl, link.ifindex, "vx", &netns.err), EADDRINUSE, "set vx up: ",
		"; another device or a program has its UDP port");
	close(fd);
	OK(linkmake_up(&netns.rtnl, link.ifindex, "vx", &netns.err));
	ck_assert(find(&netns.rtnl, "vx").up);
	ck_assert_int_eq(bind_port(AF_INET), -1);
	if (!_i)
		ck_assert_int_eq(bind_port(AF_INET6), -1);
	REFUSED(linkmake_vxlan(&netns.rtnl, "vx", 4790, 0, &netns.err), EEXIST,
		"make the VXLAN device vx on port 4790: ",
		"; there is an interface of that name already");
	REFUSED(linkmake_vxlan(&netns.rtnl, "vx2", VXLAN_PORT, 0, &netns.err), EEXIST,
		"make the VXLAN device vx2 on port 4789: ", "; another VXLAN device in external mode has that port");
	REFUSED(linkmake_vxlan(&netns.rtnl, "", VXLAN_PORT, 0, &netns.err), EINVAL, "'' cannot be ", "");
	ck_assert(!is_there(&netns.rtnl, "vx2"));
	OK(linkmake_delete(&netns.rtnl, link.ifindex, "vx", &netns.err));
	fd = bind_port(AF_INET);
	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

/* A device that has a VNI of its own, and others that stand on one, are told as what they are. */
START_TEST(others)
{
	struct link_info link;

	if (no_vxlan())
		return;
	netns_run("ip link add vni type vxlan id 7 dev va dstport 4790");
	link = find(&netns.rtnl, "vni");
	ck_assert_str_eq(link.kind, "vxlan");
	ck_assert(!link.external);
	ck_assert_uint_eq(link.port, 4790);
	ck_assert_int_eq(link.peer, 0);
	ck_assert_int_eq(find(&netns.rtnl, "lo").peer, 0);
	if (system("exec ip link add link va name vlan type vlan id 5 2>/dev/null") == 0)
		ck_assert_int_eq(find(&netns.rtnl, "vlan").peer, 0);
}
END_TEST

/* ---------------------------------------------- other answers of the kernel */

/* The socket's rights are those of its owner, and the sender's. */
START_TEST(not_allowed)
{
	int va = netns.ifindex;

	ck_assert_int_eq(seteuid(65534), 0);
	REFUSED(make_veth("bs01", "eth0"), EPERM, "make the veth pair bs01 and eth0: ",
		"; needs CAP_NET_ADMIN in the network namespaces of all that is made");
	REFUSED(linkmake_vxlan(&netns.rtnl, "vx", VXLAN_PORT, 0, &netns.err), EPERM, "make the VXLAN device vx ",
		"; needs CAP_NET_ADMIN in the network namespaces of all that is made");
	REFUSED(linkmake_up(&netns.rtnl, va, "va", &netns.err), EPERM, "set va up: ",
		"; needs CAP_NET_ADMIN in the namespace of the interface");
	REFUSED(linkmake_delete(&netns.rtnl, va, "va", &netns.err), EPERM, "delete va: ",
		"; needs CAP_NET_ADMIN in the namespace of the interface");
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert(!find(&netns.rtnl, "va").up && !is_there(&netns.rtnl, "bs01"));
}
END_TEST

static void refuse(int code)
{
	netns.fault = (struct netns_fault){ .kind = NETNS_MAKE_UP, .times = 1, .code = -code };
}

/* As a kernel without the modules answers. */
START_TEST(not_there)
{
	refuse(EOPNOTSUPP);
	FAILS(make_veth("bs01", "eth0"), EOPNOTSUPP, "make the veth pair bs01 and eth0: Operation not supported; "
	      "the kernel has no veth devices (module veth)");
	refuse(EOPNOTSUPP);
	FAILS(linkmake_vxlan(&netns.rtnl, "vx", VXLAN_PORT, 0, &netns.err), EOPNOTSUPP, "make the VXLAN device vx on "
	      "port 4789: Operation not supported; the kernel has no vxlan devices (module vxlan)");
}
END_TEST

Suite *suite_linkmake_kernel(void)
{
	Suite *s = suite_create("linkmake_kernel");
	TCase *tc = tcase_create("linkmake_kernel");

	suite_add_tcase(s, tc);
	if (!netns_usable("linkmake_kernel"))
		return s;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, cookies);
	tcase_add_test(tc, veth);
	tcase_add_test(tc, veth_here);
	tcase_add_test(tc, veth_refused);
	tcase_add_test(tc, deleted_already);
	tcase_add_loop_test(tc, vxlan, 0, 2);
	tcase_add_test(tc, others);
	tcase_add_test(tc, not_allowed);
	tcase_add_test(tc, not_there);
	return s;
}
