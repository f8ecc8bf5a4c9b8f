// SPDX-License-Identifier: BSD-2-Clause
/*
 * Addresses and routes of interfaces:
 *
 *   RTM_NEWADDR   ifaddrmsg { family, prefixlen, flags, scope, index } | IFA_LOCAL, IFA_ADDRESS
 *   RTM_NEWROUTE  rtmsg { family, dst_len, …, table, protocol, scope, type } | RTA_DST, RTA_GATEWAY, RTA_OIF
 *
 * Both are made exclusively, because to replace would change what is somebody
 * else's: a default route through another interface, for one.  EEXIST then
 * may mean that the very same is there, which is as good as made, or that
 * something else is in the way, which is an error:
 *
 *   IPv4 address   the kernel refuses only the same address with the same prefix
 *   IPv6 address   it refuses the same address with any prefix, and is asked for that
 *   route          it refuses the same destination and metric through whatever; the
 *                  routes of the interface are read to see whether ours is among them
 *
 * A route that is only looked for may be in any table: whoever chooses among several
 * interfaces by rules moves the routes of each to a table of its own.
 *
 * An IPv6 address is used at once, without duplicate address detection: who
 * gives out the addresses sees to it that they are different, and a pod
 * should not wait a second for its network.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "loader/err.h"
#include "netlink/linkmake.h"

#define ADDRESS_SIZE 16
#define IPV6_METRIC 1024	/* that the kernel gives to a route made without one; IPv4: 0 */
#define VIA_SIZE 18		/* of an IPv6 gateway of an IPv4 route */
#define DUMP_ATTEMPTS 10

static uint16_t size_of(int family)
{
	return family == AF_INET6 ? 16 : 4;
}

static struct nlmsghdr *request(void *buf, uint16_t type, uint16_t flags, const void *head, size_t head_size)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(memset(buf, 0, LINKMAKE_BUFFER));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	memcpy(mnl_nlmsg_put_extra_header(nlh, head_size), head, head_size);
	return nlh;
}

/*
 * The payload of an answer's attribute that has that type and size, behind a header of head_size bytes; NULL
 * where there is none.
 */
static const void *attribute(const struct nlmsghdr *nlh, size_t head_size, uint16_t type, size_t size)
{
	const struct nlattr *attr;
	uint32_t step;

	for (size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(head_size); at < nlh->nlmsg_len; at += step) {
		attr = (const void *)((const char *)nlh + at);
		if (!mnl_attr_ok(attr, (int)(nlh->nlmsg_len - at)))
			return NULL;
		if (mnl_attr_get_type(attr) == type && mnl_attr_get_payload_len(attr) == size)
			return mnl_attr_get_payload(attr);
		step = MNL_ALIGN(attr->nla_len);
	}
	return NULL;
}

static const char *text_of(int family, const void *address, char text[INET6_ADDRSTRLEN])
{
	return inet_ntop(family, address, text, INET6_ADDRSTRLEN) ? text : "?";
}

static int explain(const char *dev, struct bpfstamp_err *err)
{
	switch (err->code) {
	case EPERM:
		return err_hint(err, "; needs CAP_NET_ADMIN in the namespace of the interface");
	case EACCES:
		return err_hint(err, "; IPv6 is disabled on it: set net.ipv6.conf.%s.disable_ipv6 to 0", dev);
	case EOPNOTSUPP:
		return err_hint(err, "; the kernel has no such address family, or it is disabled");
	case ENETUNREACH:
	case EHOSTUNREACH:
		return err_hint(err, "; %s is not up, or no address and no route of it leads to the gateway",
				dev);
	case ENETDOWN:
		return err_hint(err, "; %s is not up", dev);
	default:
		return -1;
	}
}

/* -------------------------------------------------------------- addresses */

struct nlmsghdr *linkmake_new_address(void *buf, int ifindex, int family, const void *address, uint8_t prefix)
{
	const struct ifaddrmsg head = {
		.ifa_family = (uint8_t)family, .ifa_prefixlen = prefix, .ifa_index = (uint32_t)ifindex,
		.ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0,
	};
	struct nlmsghdr *nlh = request(buf, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));

	mnl_attr_put(nlh, IFA_LOCAL, size_of(family), address);
	mnl_attr_put(nlh, IFA_ADDRESS, size_of(family), address);
	return nlh;
}

static int take_prefix(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	struct ifaddrmsg head;

	if (nlh->nlmsg_type != RTM_NEWADDR || nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(head))
		return err_set(err, EBADMSG, "malformed description of an address");
	memcpy(&head, mnl_nlmsg_get_payload(nlh), sizeof(head));
	*(int *)arg = head.ifa_prefixlen;
	return 0;
}

/* The interface has the IPv6 address: is it with that prefix? */
static int check_prefix(struct rtnl *rtnl, int ifindex, const void *address, uint8_t prefix, const char *what,
			struct bpfstamp_err *err)
{
	const struct ifaddrmsg head = { .ifa_family = AF_INET6, .ifa_index = (uint32_t)ifindex };
	uint32_t buf[LINKMAKE_BUFFER / 4];
	struct nlmsghdr *nlh = request(buf, RTM_GETADDR, 0, &head, sizeof(head));
	int found = -1;

	mnl_attr_put(nlh, IFA_ADDRESS, size_of(AF_INET6), address);
	if (rtnl_talk(rtnl, nlh, take_prefix, &found, err, "%s: look up what is there", what))
		return -1;
	if (found == prefix)
		return 0;
	return err_set(err, EEXIST, "%s: it has that address with the prefix /%d already", what, found);
}

int linkmake_address(struct rtnl *rtnl, int ifindex, const char *dev, int family, const void *address,
		     uint8_t prefix, struct bpfstamp_err *err)
{
	char text[INET6_ADDRSTRLEN], what[128];
	uint32_t buf[LINKMAKE_BUFFER / 4];

	snprintf(what, sizeof(what), "give %s the address %s/%u", dev, text_of(family, address, text), prefix);
	if (!rtnl_talk(rtnl, linkmake_new_address(buf, ifindex, family, address, prefix), NULL, NULL, err, "%s",
		       what))
		return 0;
	if (err->code != EEXIST)
		return explain(dev, err);
	return family == AF_INET6 ? check_prefix(rtnl, ifindex, address, prefix, what, err) : 0;
}

/* ----------------------------------------------------------------- routes */

struct route {
	int ifindex, family;
	uint8_t prefix;
	uint8_t dst[ADDRESS_SIZE];	/* nothing behind the prefix */
	const void *gateway;		/* or NULL */
	uint8_t table;			/* where it is looked for; RT_TABLE_UNSPEC: in all */
	bool found;			/* among those that the kernel has */
};

/* The kernel refuses an IPv4 destination with bits behind its prefix, and drops those of an IPv6 one. */
static struct route route_of(int ifindex, int family, const void *dst, uint8_t prefix, const void *gateway)
{
	struct route r = {
		.ifindex = ifindex, .family = family, .prefix = prefix, .gateway = gateway, .table = RT_TABLE_MAIN,
	};

	memcpy(r.dst, dst, size_of(family));
	for (unsigned int bit = prefix; bit < 8u * size_of(family); bit++)
		r.dst[bit / 8] &= (uint8_t)~(0x80u >> bit % 8);
	return r;
}

static struct nlmsghdr *new_route(void *buf, const struct route *r)
{
	const struct rtmsg head = {
		.rtm_family = (uint8_t)r->family, .rtm_dst_len = r->prefix, .rtm_table = r->table,
		.rtm_protocol = RTPROT_BOOT, .rtm_scope = r->gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
	};
	struct nlmsghdr *nlh = request(buf, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));

	if (r->prefix)
		mnl_attr_put(nlh, RTA_DST, size_of(r->family), r->dst);
	if (r->gateway)
		mnl_attr_put(nlh, RTA_GATEWAY, size_of(r->family), r->gateway);
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)r->ifindex);
	return nlh;
}

struct nlmsghdr *linkmake_new_route(void *buf, int ifindex, int family, const void *dst, uint8_t prefix,
				    const void *gateway)
{
	struct route r = route_of(ifindex, family, dst, prefix, gateway);

	return new_route(buf, &r);
}

/* The attribute is there with that value; or, where the value is NULL, it is not there. */
static bool has(const struct nlmsghdr *nlh, uint16_t type, size_t size, const void *value)
{
	const void *there = attribute(nlh, sizeof(struct rtmsg), type, size);

	return there && value ? !memcmp(there, value, size) : there == value;
}

/* What the kernel leaves out of its answers is 0. */
static int take_route(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	struct route *r = arg;
	const uint32_t metric = IPV6_METRIC;
	size_t size = size_of(r->family);
	struct rtmsg head;

	if (nlh->nlmsg_type != RTM_NEWROUTE || nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(head))
		return err_set(err, EBADMSG, "malformed description of a route");
	memcpy(&head, mnl_nlmsg_get_payload(nlh), sizeof(head));
	if (head.rtm_family == r->family && head.rtm_dst_len == r->prefix &&
	    (r->table == RT_TABLE_UNSPEC || head.rtm_table == r->table) && head.rtm_type == RTN_UNICAST &&
	    has(nlh, RTA_DST, size, r->prefix ? r->dst : NULL) &&
	    has(nlh, RTA_GATEWAY, size, r->gateway) && has(nlh, RTA_VIA, VIA_SIZE, NULL) &&
	    has(nlh, RTA_OIF, sizeof(r->ifindex), &r->ifindex) &&
	    has(nlh, RTA_PRIORITY, sizeof(metric), r->family == AF_INET6 ? &metric : NULL))
		r->found = true;
	return 0;
}

/* Kernels before 5.0 do not look at what is asked for, and tell of all routes of the family. */
static int look_for(struct rtnl *rtnl, struct route *r, const char *what, struct bpfstamp_err *err)
{
	const struct rtmsg head = { .rtm_family = (uint8_t)r->family, .rtm_table = r->table };
	uint32_t buf[LINKMAKE_BUFFER / 4];
	struct nlmsghdr *nlh = request(buf, RTM_GETROUTE, NLM_F_DUMP, &head, sizeof(head));
	int status = -1;

	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)r->ifindex);
	for (unsigned int attempt = 1; attempt <= DUMP_ATTEMPTS; attempt++) {
		r->found = false;
		status = rtnl_talk(rtnl, nlh, take_route, r, err, "%s: look up what is there", what);
		if (!status || err->code != EINTR)
			break;
	}
	return status;
}

int linkmake_route(struct rtnl *rtnl, int ifindex, const char *dev, int family, const void *dst, uint8_t prefix,
		   const void *gateway, struct bpfstamp_err *err)
{
	struct route r = route_of(ifindex, family, dst, prefix, gateway);
	char text[INET6_ADDRSTRLEN], what[128];
	uint32_t buf[LINKMAKE_BUFFER / 4];

	snprintf(what, sizeof(what), "make the route to %s/%u through %s", text_of(family, r.dst, text), prefix, dev);
	if (!rtnl_talk(rtnl, new_route(buf, &r), NULL, NULL, err, "%s", what))
		return 0;
	if (err->code != EEXIST)
		return explain(dev, err);
	if (look_for(rtnl, &r, what, err))
		return -1;
	return r.found ? 0 : err_set(err, EEXIST, "%s: another route leads there already", what);
}

int linkmake_check_route(struct rtnl *rtnl, int ifindex, const char *dev, int family, const void *dst, uint8_t prefix,
			 const void *gateway, struct bpfstamp_err *err)
{
	struct route r = route_of(ifindex, family, dst, prefix, gateway);
	char to[INET6_ADDRSTRLEN], by[INET6_ADDRSTRLEN], what[128];

	r.table = RT_TABLE_UNSPEC;
	snprintf(what, sizeof(what), "look for the route to %s/%u through %s", text_of(family, r.dst, to), prefix, dev);
	if (look_for(rtnl, &r, what, err))
		return -1;
	if (r.found)
		return 0;
	return err_set(err, ENOENT, "%s: there is none%s%s", what, gateway ? " by " : " without a gateway",
		       gateway ? text_of(family, gateway, by) : "");
}
