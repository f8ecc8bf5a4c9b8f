// SPDX-License-Identifier: BSD-2-Clause
/*
 * The addresses and routes of netlink/linkmake.h, on the running kernel: on va of
 * tests/netns.h, read back by `ip`; and on a veth pair into a second namespace,
 * a pod, which sends packets by them.  Both namespaces end with the process.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/rtnetlink.h>

#include "netlink/inside.h"
#include "netlink/linkmake.h"
#include "tests/netns.h"

Suite *suite_linkmake_addr(void);

#define DEV netns.ifindex, "va"

static bool says(const char *command, const char *text)
{
	return strstr(netns_output("%s", command), text) != NULL;
}

static void parse(const char *text, int *family, uint8_t address[16])
{
	*family = strchr(text, ':') ? AF_INET6 : AF_INET;
	ck_assert_int_eq(inet_pton(*family, text, address), 1);
}

static int give(struct rtnl *rtnl, int ifindex, const char *dev, const char *text, uint8_t prefix)
{
	uint8_t address[16];
	int family;

	parse(text, &family, address);
	return linkmake_address(rtnl, ifindex, dev, family, address, prefix, &netns.err);
}

typedef int route_fn(struct rtnl *rtnl, int ifindex, const char *dev, int family, const void *dst, uint8_t prefix,
		     const void *gateway, struct bpfstamp_err *err);

static int do_route(route_fn *fn, struct rtnl *rtnl, int ifindex, const char *dev, const char *to, uint8_t prefix,
		    const char *by)
{
	uint8_t address[16], gateway[16];
	int family;

	if (by)
		parse(by, &family, gateway);
	parse(to, &family, address);
	return fn(rtnl, ifindex, dev, family, address, prefix, by ? gateway : NULL, &netns.err);
}

#define lead(...) do_route(linkmake_route, __VA_ARGS__)
#define leads(...) do_route(linkmake_check_route, __VA_ARGS__)

START_TEST(addresses)
{
	for (int i = 0; i < 2; i++) {
		OK(give(&netns.rtnl, DEV, "10.1.0.2", 24));
		OK(give(&netns.rtnl, DEV, "10.1.0.2", 16));
		OK(give(&netns.rtnl, DEV, "10.1.0.3", 32));
		OK(give(&netns.rtnl, DEV, "2001:db8::2", 64));
		OK(give(&netns.rtnl, DEV, "2001:db8::3", 128));
	}
	REFUSED(give(&netns.rtnl, DEV, "2001:db8::2", 63), EEXIST, "give va the address 2001:db8::2/63: ",
		"it has that address with the prefix /64 already");
	REFUSED(give(&netns.rtnl, DEV, "2001:db8::3", 64), EEXIST, "give va the address 2001:db8::3/64: ",
		"it has that address with the prefix /128 already");
	REFUSED(give(&netns.rtnl, DEV, "10.1.0.4", 33), EINVAL, "give va the address 10.1.0.4/33: ", "");
	REFUSED(give(&netns.rtnl, DEV, "2001:db8::4", 129), EINVAL, "give va the address 2001:db8::4/129: ", "");
	REFUSED(give(&netns.rtnl, 12345, "gone", "10.1.0.4", 24), ENODEV, "give gone the address 10.1.0.4/24: ", "");
	ck_assert(says("ip -o -4 addr show va | grep -c inet", "3\n"));
	ck_assert(says("ip -o -6 addr show va | grep -c nodad", "2\n"));
	ck_assert(says("ip -o -4 addr show va", " 10.1.0.2/24 ") && says("ip -o -4 addr show va", " 10.1.0.2/16 "));
	ck_assert(says("ip -o -6 addr show va", " 2001:db8::2/64 "));
	ck_assert(says("ip -o -6 addr show va", " 2001:db8::3/128 "));
}
END_TEST

START_TEST(no_ipv6)
{
	netns_run("echo 1 >/proc/sys/net/ipv6/conf/va/disable_ipv6");
	REFUSED(give(&netns.rtnl, DEV, "2001:db8::2", 64), EACCES, "give va the address 2001:db8::2/64: ",
		"; IPv6 is disabled on it: set net.ipv6.conf.va.disable_ipv6 to 0");
}
END_TEST

static void both_up(void)
{
	netns_run("ip link set va up && ip link set vb up");
	OK(give(&netns.rtnl, DEV, "10.1.0.2", 24));
	OK(give(&netns.rtnl, DEV, "2001:db8::2", 64));
}

/* The same route again, and none in the place of another's. */
START_TEST(default_route)
{
	static const char *const to[] = { "0.0.0.0", "::" }, *const by[] = { "10.1.0.1", "2001:db8::1" };
	static const char *const other[] = { "10.1.0.9", "2001:db8::9" };
	static const char *const show[] = { "ip -4 route show default", "ip -6 route show default" };
	int vb = netns_ifindex("vb");
	char before[1024];

	both_up();
	for (int again = 0; again < 2; again++)
		OK(lead(&netns.rtnl, DEV, to[_i], 0, by[_i]));
	strcpy(before, netns_output("%s", show[_i]));
	ck_assert_ptr_nonnull(strstr(before, by[_i]));
	OK(leads(&netns.rtnl, DEV, to[_i], 0, by[_i]));
	REFUSED(leads(&netns.rtnl, DEV, to[_i], 0, other[_i]), ENOENT, "look for the route to ",
		_i ? "::/0 through va: there is none by 2001:db8::9" : "0.0.0.0/0 through va: there is none by 10.1.0.9");
	REFUSED(leads(&netns.rtnl, DEV, to[_i], 0, NULL), ENOENT, "look for the route to ",
		"/0 through va: there is none without a gateway");
	REFUSED(leads(&netns.rtnl, vb, "vb", to[_i], 0, by[_i]), ENOENT, "look for the route to ", by[_i]);
	REFUSED(lead(&netns.rtnl, DEV, to[_i], 0, other[_i]), EEXIST, "make the route to ",
		"/0 through va: another route leads there already");
	REFUSED(lead(&netns.rtnl, DEV, to[_i], 0, NULL), EEXIST, "make the route to ",
		"/0 through va: another route leads there already");
	REFUSED(lead(&netns.rtnl, vb, "vb", to[_i], 0, NULL), EEXIST, "make the route to ",
		"/0 through vb: another route leads there already");
	ck_assert_str_eq(netns_output("%s", show[_i]), before);
}
END_TEST

/* Bits behind the prefix do not make another destination; another prefix, or another metric, does. */
START_TEST(direct_route)
{
	both_up();
	for (int again = 0; again < 2; again++) {
		OK(lead(&netns.rtnl, DEV, "10.9.1.2", 16, NULL));
		OK(lead(&netns.rtnl, DEV, "10.9.1.2", 17, NULL));
		OK(lead(&netns.rtnl, DEV, "10.9.1.2", 32, NULL));
		OK(lead(&netns.rtnl, DEV, "2001:db8:9::2", 48, NULL));
		OK(lead(&netns.rtnl, DEV, "2001:db8:9::2", 128, NULL));
		/* What came with the address leads there as well. */
		OK(lead(&netns.rtnl, DEV, "10.1.0.0", 24, NULL));
	}
	OK(leads(&netns.rtnl, DEV, "10.9.1.2", 17, NULL));
	OK(leads(&netns.rtnl, DEV, "2001:db8:9::2", 48, NULL));
	REFUSED(leads(&netns.rtnl, DEV, "10.9.1.2", 18, NULL), ENOENT, "look for the route to 10.9.0.0/18 through va: ",
		"there is none without a gateway");
	ck_assert(says("ip -4 route", "10.9.0.0/16 dev va scope link"));
	ck_assert(says("ip -4 route", "10.9.0.0/17 dev va scope link"));
	ck_assert(says("ip -4 route", "10.9.1.2 dev va scope link"));
	ck_assert(says("ip -6 route", "2001:db8:9::/48 dev va metric 1024"));
	ck_assert(says("ip -6 route", "2001:db8:9::2 dev va metric 1024"));
	netns_run("ip route add 10.10.0.0/16 dev va metric 5 && ip route add 10.10.0.0/16 dev vb");
	REFUSED(lead(&netns.rtnl, DEV, "10.10.0.0", 16, NULL), EEXIST, "make the route to 10.10.0.0/16 through va: ",
		"another route leads there already");
	netns_run("ip route add 10.13.0.0/16 dev va table 100 && ip -6 route add 2001:db8:13::/48 dev va table 1000");
	OK(leads(&netns.rtnl, DEV, "10.13.0.0", 16, NULL));
	OK(leads(&netns.rtnl, DEV, "2001:db8:13::", 48, NULL));
	REFUSED(leads(&netns.rtnl, DEV, "10.13.0.0", 17, NULL), ENOENT, "look for the route to 10.13.0.0/17 through va: ",
		"there is none without a gateway");
	netns_run("ip route add 10.13.0.0/16 dev vb");
	REFUSED(lead(&netns.rtnl, DEV, "10.13.0.0", 16, NULL), EEXIST, "make the route to 10.13.0.0/16 through va: ",
		"another route leads there already");
	netns_run("ip route add blackhole 10.11.0.0/16");
	REFUSED(lead(&netns.rtnl, DEV, "10.11.0.0", 16, NULL), EEXIST, "make the route to 10.11.0.0/16 through va: ",
		"another route leads there already");
	if (system("exec ip route add 10.12.0.0/16 via inet6 2001:db8::1 dev va 2>/dev/null") == 0)
		REFUSED(lead(&netns.rtnl, DEV, "10.12.0.0", 16, NULL), EEXIST,
			"make the route to 10.12.0.0/16 through va: ", "another route leads there already");
}
END_TEST

START_TEST(route_refused)
{
	REFUSED(lead(&netns.rtnl, DEV, "10.9.0.0", 16, NULL), ENETDOWN, "make the route to 10.9.0.0/16 through va: ",
		"; va is not up");
	both_up();
	REFUSED(lead(&netns.rtnl, DEV, "0.0.0.0", 0, "192.0.2.1"), ENETUNREACH,
		"make the route to 0.0.0.0/0 through va: ",
		"; va is not up, or no address and no route of it leads to the gateway");
	REFUSED(lead(&netns.rtnl, DEV, "::", 0, "2001:db8:7::1"), EHOSTUNREACH, "make the route to ::/0 through va: ",
		"; va is not up, or no address and no route of it leads to the gateway");
	REFUSED(lead(&netns.rtnl, DEV, "10.9.0.0", 33, NULL), EINVAL, "make the route to 10.9.0.0/33 ", "");
	REFUSED(lead(&netns.rtnl, DEV, "2001:db8:9::", 129, NULL), EINVAL, "make the route to 2001:db8:9::/129 ", "");
	REFUSED(lead(&netns.rtnl, 12345, "gone", "10.9.0.0", 16, NULL), ENODEV, "make the route to 10.9.0.0/16 ", "");
	ck_assert(!says("ip route", "10.9.") && !says("ip route", "default"));
}
END_TEST

/* The gateway of a pod whose address has no network: a route to it, then one by it. */
START_TEST(gateway_alone)
{
	netns_run("ip link set va up && ip link set vb up");
	OK(give(&netns.rtnl, DEV, "10.1.0.2", 32));
	OK(lead(&netns.rtnl, DEV, "169.254.1.1", 32, NULL));
	OK(lead(&netns.rtnl, DEV, "0.0.0.0", 0, "169.254.1.1"));
	ck_assert(says("ip route get 192.0.2.1", "via 169.254.1.1 dev va src 10.1.0.2"));
}
END_TEST

/* ---------------------------------------------------------------- packets */

static int udp_socket(void *family, struct bpfstamp_err *err)
{
	(void)err;
	return socket(*(int *)family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static socklen_t address_of(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(9999) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(9999) };

	memset(out, 0, sizeof(*out));
	if (strchr(text, ':')) {
		ck_assert_int_eq(inet_pton(AF_INET6, text, &a6.sin6_addr), 1);
		memcpy(out, &a6, sizeof(a6));
		return sizeof(a6);
	}
	ck_assert_int_eq(inet_pton(AF_INET, text, &a4.sin_addr), 1);
	memcpy(out, &a4, sizeof(a4));
	return sizeof(a4);
}

/* A packet of the pod to an address of the node comes from the pod's address. */
static void expect_packet(int pod, const char *to, const char *source)
{
	int family = strchr(to, ':') ? AF_INET6 : AF_INET;
	const struct timeval patience = { .tv_sec = 5 };
	struct sockaddr_storage address, from, expected;
	int sender = inside(pod, udp_socket, &family, &netns.err), receiver = udp_socket(&family, NULL);
	socklen_t size = address_of(to, &address), from_size = sizeof(from);
	char text[8] = "";

	ck_assert(sender >= 0 && receiver >= 0);
	setsockopt(receiver, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	ck_assert_int_eq(bind(receiver, (struct sockaddr *)&address, size), 0);
	ck_assert_msg(sendto(sender, "stamp", 5, 0, (struct sockaddr *)&address, size) == 5, "%s: %s", to,
		      strerror(errno));
	ck_assert_msg(recvfrom(receiver, text, sizeof(text), 0, (struct sockaddr *)&from, &from_size) == 5, "%s: %s",
		      to, strerror(errno));
	ck_assert_str_eq(text, "stamp");
	address_of(source, &expected);
	if (family == AF_INET)
		ck_assert_mem_eq(&((struct sockaddr_in *)&from)->sin_addr,
				 &((struct sockaddr_in *)&expected)->sin_addr, 4);
	else
		ck_assert_mem_eq(&((struct sockaddr_in6 *)&from)->sin6_addr,
				 &((struct sockaddr_in6 *)&expected)->sin6_addr, 16);
	close(sender);
	close(receiver);
}

/* All at once, as a plugin does it: a pod's IPv6 address can be used without waiting. */
START_TEST(packets)
{
	static const char *const far[] = { "10.7.0.1", "10.9.0.1", "2001:db8:7::1", "2001:db8:9::1" };
	int pod = netns_another(), host;
	struct link_info eth0;
	struct rtnl rtnl;

	OK(rtnl_open(&rtnl, pod, &netns.err));
	OK(linkmake_veth(&netns.rtnl, "bs01", "eth0", pod, 0, &netns.err));
	host = netns_ifindex("bs01");
	OK(link_find(&rtnl, 0, "eth0", &eth0, &netns.err));
	OK(linkmake_up(&netns.rtnl, host, "bs01", &netns.err));
	OK(linkmake_up(&rtnl, eth0.ifindex, "eth0", &netns.err));
	OK(give(&netns.rtnl, host, "bs01", "10.1.0.1", 24));
	OK(give(&netns.rtnl, host, "bs01", "2001:db8::1", 64));
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		OK(give(&netns.rtnl, host, "bs01", far[i], i < 2 ? 32 : 128));
	OK(give(&rtnl, eth0.ifindex, "eth0", "10.1.0.2", 24));
	OK(give(&rtnl, eth0.ifindex, "eth0", "2001:db8::2", 64));
	expect_packet(pod, "10.1.0.1", "10.1.0.2");
	expect_packet(pod, "2001:db8::1", "2001:db8::2");
	OK(lead(&rtnl, eth0.ifindex, "eth0", "0.0.0.0", 0, "10.1.0.1"));
	OK(lead(&rtnl, eth0.ifindex, "eth0", "::", 0, "2001:db8::1"));
	expect_packet(pod, "10.7.0.1", "10.1.0.2");
	expect_packet(pod, "2001:db8:7::1", "2001:db8::2");
	/* By a gateway that nobody has, if it were not for the direct routes. */
	netns_run("ip addr del 10.1.0.1/24 dev bs01 && ip addr del 2001:db8::1/64 dev bs01");
	netns_run("ip route add 10.1.0.2/32 dev bs01 && ip -6 route add 2001:db8::2/128 dev bs01");
	OK(lead(&rtnl, eth0.ifindex, "eth0", "10.9.0.0", 16, NULL));
	OK(lead(&rtnl, eth0.ifindex, "eth0", "2001:db8:9::", 48, NULL));
	expect_packet(pod, "10.9.0.1", "10.1.0.2");
	expect_packet(pod, "2001:db8:9::1", "2001:db8::2");
	rtnl_close(&rtnl);
	close(pod);
}
END_TEST

/* ---------------------------------------------- other answers of the kernel */

/* The socket's rights are those of its owner, and the sender's. */
START_TEST(not_allowed)
{
	ck_assert_int_eq(seteuid(65534), 0);
	REFUSED(give(&netns.rtnl, DEV, "10.1.0.2", 24), EPERM, "give va the address 10.1.0.2/24: ",
		"; needs CAP_NET_ADMIN in the namespace of the interface");
	REFUSED(lead(&netns.rtnl, DEV, "10.9.0.0", 16, NULL), EPERM, "make the route to 10.9.0.0/16 through va: ",
		"; needs CAP_NET_ADMIN in the namespace of the interface");
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

/* As a kernel without IPv6 answers. */
START_TEST(no_family)
{
	netns.fault = (struct netns_fault){ .kind = NETNS_MAKE_UP, .times = 1, .code = -EOPNOTSUPP };
	FAILS(give(&netns.rtnl, DEV, "2001:db8::2", 64), EOPNOTSUPP, "give va the address 2001:db8::2/64: Operation "
	      "not supported; the kernel has no such address family, or it is disabled");
}
END_TEST

/* Lists that were interrupted are read again, 10 times in all. */
START_TEST(interrupted)
{
	both_up();
	OK(lead(&netns.rtnl, DEV, "10.9.0.0", 16, NULL));
	netns.fault = (struct netns_fault){ .kind = NETNS_INTERRUPT_DUMP, .after = 1, .times = 9 };
	OK(lead(&netns.rtnl, DEV, "10.9.0.0", 16, NULL));
	ck_assert_int_eq(netns.fault.times, 0);
	netns.fault = (struct netns_fault){ .kind = NETNS_INTERRUPT_DUMP, .after = 1, .times = 10 };
	FAILS(lead(&netns.rtnl, DEV, "10.9.0.0", 16, NULL), EINTR, "make the route to 10.9.0.0/16 through va: "
	      "look up what is there: the table changed during the dump, try again");
}
END_TEST

/* What is there cannot be read: neither the same nor another. */
START_TEST(malformed)
{
	static const struct netns_message an_address[] = { { .type = RTM_NEWADDR }, { 0 } };
	static const struct netns_message a_route[] = { { .type = RTM_NEWROUTE }, { 0 } };
	static const struct netns_message silence[] = { { .type = NLMSG_ERROR }, { 0 } };

	both_up();
	OK(lead(&netns.rtnl, DEV, "10.9.0.0", 16, NULL));
	netns.fault = (struct netns_fault){ .kind = NETNS_SAY, .after = 1, .times = 1, .say = an_address };
	FAILS(give(&netns.rtnl, DEV, "2001:db8::2", 64), EBADMSG, "give va the address 2001:db8::2/64: look up "
	      "what is there: malformed description of an address");
	netns.fault = (struct netns_fault){ .kind = NETNS_SAY, .after = 1, .times = 1, .say = a_route };
	FAILS(lead(&netns.rtnl, DEV, "10.9.0.0", 16, NULL), EBADMSG, "make the route to 10.9.0.0/16 through va: "
	      "look up what is there: malformed description of a route");
	netns.fault = (struct netns_fault){ .kind = NETNS_SAY, .after = 1, .times = 1, .say = silence };
	FAILS(give(&netns.rtnl, DEV, "2001:db8::2", 64), EBADMSG, "…");
}
END_TEST

Suite *suite_linkmake_addr(void)
{
	Suite *s = suite_create("linkmake_addr");
	TCase *tc = tcase_create("linkmake_addr");

	suite_add_tcase(s, tc);
	if (!netns_usable("linkmake_addr"))
		return s;
	tcase_add_checked_fixture(tc, netns_setup, netns_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, addresses);
	tcase_add_test(tc, no_ipv6);
	tcase_add_loop_test(tc, default_route, 0, 2);
	tcase_add_test(tc, direct_route);
	tcase_add_test(tc, route_refused);
	tcase_add_test(tc, gateway_alone);
	tcase_add_test(tc, packets);
	tcase_add_test(tc, not_allowed);
	tcase_add_test(tc, no_family);
	tcase_add_test(tc, interrupted);
	tcase_add_test(tc, malformed);
	return s;
}
