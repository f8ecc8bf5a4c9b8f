// SPDX-License-Identifier: BSD-2-Clause
/*
 * A veth pair of our own.
 *
 * The node's end is called "bs" and 13 hexadecimal digits of a hash of network,
 * container and interface, so that it is known without having been told: who
 * was killed between making it and saying so has not lost it.  A pair of that
 * name that leads into the pod, as its interface of that name, is the pair; one
 * that leads elsewhere is what is left of a pod that is no more.  The node's end is up
 * only while the pod's programs are attached: without them the node would take what
 * the pod sends for its own.
 *
 * The pod's end gets the addresses that IPAM gave, and its routes: by the
 * gateway that a route says, else by that of an address of its family, else
 * directly.  A gateway that is in none of the pod's subnets gets a route to
 * itself first.  A route that is to have more than that is refused.  The node's end
 * gets no address: programs answer for whatever the pod asks for, and routes of the
 * node are its owner's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/veth.h"
#include "loader/err.h"
#include "netlink/inside.h"
#include "netlink/linkmake.h"

/* FNV-1a of a string and its NUL. */
static uint64_t hash(uint64_t h, const char *text)
{
	do
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	while (*text++);
	return h;
}

void veth_name(char name[VETH_NAME], const struct cni_config *c, const struct cni_request *r)
{
	uint64_t h = hash(hash(hash(0xcbf29ce484222325, c->name), r->container), r->ifname);

	snprintf(name, VETH_NAME, "bs%013" PRIx64, (h ^ h >> 52) & 0xfffffffffffff);
}

/* ------------------------------------------------------------------ make */

/* Whether both ends are there, and of one another; ENODEV where there is nothing of that name. */
static int find(const char *name, const char *ifname, struct pod *pod, bool *there, struct bpfstamp_err *err)
{
	struct bpfstamp_err why;

	*there = false;
	if (link_find(pod_node(pod), 0, name, &pod->host, err))
		return -1;
	if (link_find(pod_inside(pod), 0, ifname, &pod->end, &why)) {
		if (why.code == ENODEV)
			return 0;
		*err = why;
		return -1;
	}
	return pod_is_pair(pod, there, err);
}

static int make(const char *name, const struct cni_config *c, const char *ifname, struct pod *pod,
		struct bpfstamp_err *err)
{
	bool there;

	if (linkmake_veth(pod_node(pod), name, ifname, pod_netns_fd(pod), c->mtu, err) ||
	    find(name, ifname, pod, &there, err))
		return -1;
	return there ? 0 : err_set(err, ENODEV, "%s was moved away as soon as it was made", ifname);
}

/* ADD may be repeated with another one. */
static int set_mtu(struct rtnl *rtnl, struct link_info *link, const struct cni_config *c, struct bpfstamp_err *err)
{
	if (!c->mtu || link->mtu == c->mtu)
		return 0;
	if (linkmake_mtu(rtnl, link->ifindex, link->name, c->mtu, err))
		return -1;
	link->mtu = c->mtu;
	return 0;
}

int veth_make(const char *name, const struct cni_config *c, const struct cni_request *r, struct pod *pod,
	      struct bpfstamp_err *err)
{
	bool there;

	if (find(name, r->ifname, pod, &there, err)) {
		if (err->code != ENODEV)
			return -1;
		there = false;
	} else if (!there && veth_remove(name, pod, err)) {
		return -1;
	}
	if (!there && make(name, c, r->ifname, pod, err))
		return -1;
	if (set_mtu(pod_node(pod), &pod->host, c, err) || set_mtu(pod_inside(pod), &pod->end, c, err))
		return -1;
	return pod->end.up ? 0 : linkmake_up(pod_inside(pod), pod->end.ifindex, r->ifname, err);
}

int veth_set_up(const struct pod *pod, struct bpfstamp_err *err)
{
	return pod->host.up ? 0 : linkmake_up(pod_node(pod), pod->host.ifindex, pod->host.name, err);
}

int veth_remove(const char *name, const struct pod *pod, struct bpfstamp_err *err)
{
	struct link_info link;

	if (link_find(pod_node(pod), 0, name, &link, err) ||
	    linkmake_delete(pod_node(pod), link.ifindex, name, err))
		return err->code == ENODEV ? 0 : -1;
	return 0;
}

/* ------------------------------------------------------------- configure */

static int family_of(bool ipv6)
{
	return ipv6 ? AF_INET6 : AF_INET;
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int rest = bits % 8;

	return !memcmp(a, b, bits / 8) && (!rest || !((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)));
}

static bool is_near(const struct cni_result *result, bool ipv6, const uint8_t *address)
{
	for (size_t i = 0; i < result->ip_count; i++)
		if (result->ips[i].ipv6 == ipv6 &&
		    same_prefix(result->ips[i].address, address, result->ips[i].prefix))
			return true;
	return false;
}

static const uint8_t *gateway_of(const struct cni_result *result, const struct cni_route *route)
{
	if (route->has_gateway)
		return route->gateway;
	for (size_t i = 0; i < result->ip_count; i++)
		if (result->ips[i].ipv6 == route->ipv6 && result->ips[i].has_gateway)
			return result->ips[i].gateway;
	return NULL;
}

typedef int route_fn(struct rtnl *rtnl, int ifindex, const char *dev, int family, const void *dst, uint8_t prefix,
		     const void *gateway, struct bpfstamp_err *err);

/* Make or check a route, and before it the one to its gateway, where that needs one. */
static int do_route(route_fn *fn, const struct cni_result *result, const struct cni_route *route, const char *ifname,
		    const struct pod *pod, struct bpfstamp_err *err)
{
	const uint8_t *gateway = gateway_of(result, route), whole = route->ipv6 ? 128 : 32;
	int family = family_of(route->ipv6), ifindex = pod->end.ifindex;
	struct rtnl *rtnl = pod_inside(pod);

	if (gateway && !is_near(result, route->ipv6, gateway) &&
	    fn(rtnl, ifindex, ifname, family, gateway, whole, NULL, err))
		return -1;
	return fn(rtnl, ifindex, ifname, family, route->dst, route->prefix, gateway, err);
}

/* A route that is another than the one that is asked for is worse than none. */
static int refuse_more(const struct cni_result *result, struct bpfstamp_err *err)
{
	for (size_t i = 0; i < result->route_count; i++)
		if (result->routes[i].more)
			return err_set(err, CNI_ERROR + CNI_CONFIG, "ipam: routes[%zu].%s of its result is not "
				       "supported: a route can have dst and gw", i, result->routes[i].more);
	return 0;
}

int veth_configure(const struct cni_result *result, const struct cni_request *r, const struct pod *pod,
		   struct bpfstamp_err *err)
{
	if (refuse_more(result, err))
		return -1;
	for (size_t i = 0; i < result->ip_count; i++) {
		const struct cni_ip *ip = &result->ips[i];

		if (linkmake_address(pod_inside(pod), pod->end.ifindex, r->ifname, family_of(ip->ipv6), ip->address,
				     ip->prefix, err))
			return -1;
	}
	for (size_t i = 0; i < result->route_count; i++)
		if (do_route(linkmake_route, result, &result->routes[i], r->ifname, pod, err))
			return -1;
	return 0;
}

/* ----------------------------------------------------------------- check */

struct checking {
	const struct cni_result *result;
	const char *ifname;
};

static bool is_address(const struct sockaddr *there, const struct cni_ip *ip)
{
	if (!there || there->sa_family != family_of(ip->ipv6))
		return false;
	if (ip->ipv6)
		return !memcmp(&((const struct sockaddr_in6 *)(const void *)there)->sin6_addr, ip->address, 16);
	return !memcmp(&((const struct sockaddr_in *)(const void *)there)->sin_addr, ip->address, 4);
}

static bool has_address(const struct ifaddrs *list, const char *ifname, const struct cni_ip *ip)
{
	for (; list; list = list->ifa_next)
		if (!strcmp(list->ifa_name, ifname) && is_address(list->ifa_addr, ip))
			return true;
	return false;
}

static int check_addresses(void *arg, struct bpfstamp_err *err)
{
	const struct checking *c = arg;
	char text[INET6_ADDRSTRLEN];
	struct ifaddrs *list;
	int ret = 0;

	if (getifaddrs(&list))
		return err_set(err, errno, "cannot list the addresses of %s: %s", c->ifname, strerror(errno));
	for (size_t i = 0; !ret && i < c->result->ip_count; i++) {
		const struct cni_ip *ip = &c->result->ips[i];

		if (has_address(list, c->ifname, ip))
			continue;
		inet_ntop(family_of(ip->ipv6), ip->address, text, sizeof(text));
		ret = err_set(err, EADDRNOTAVAIL, "%s of the pod does not have its address %s any more", c->ifname,
			      text);
	}
	freeifaddrs(list);
	return ret;
}

static bool has_route(const struct cni_result *result, const struct cni_route *route)
{
	const struct cni_route *r = result->routes;

	for (const struct cni_route *end = r + result->route_count; r < end; r++)
		if (r->ipv6 == route->ipv6 && r->prefix == route->prefix && !memcmp(r->dst, route->dst, sizeof(r->dst)) &&
		    r->has_gateway == route->has_gateway &&
		    !memcmp(r->gateway, route->gateway, sizeof(r->gateway)) && !r->more)
			return true;
	return false;
}

int veth_check(const struct cni_result *result, const struct cni_result *ipam, const struct cni_config *c,
	       const struct cni_request *r, const struct pod *pod, struct bpfstamp_err *err)
{
	struct checking checking = { .result = result, .ifname = r->ifname };

	if (c->mtu && pod->host.mtu != c->mtu)
		return err_set(err, ESTALE, "the MTU of %s is %u, and that of the configuration %u: ADD again",
			       pod->host.name, pod->host.mtu, c->mtu);
	if (inside(pod_netns_fd(pod), check_addresses, &checking, err))
		return -1;
	for (size_t i = 0; i < ipam->route_count; i++)
		if (has_route(result, &ipam->routes[i]) &&
		    do_route(linkmake_check_route, ipam, &ipam->routes[i], r->ifname, pod, err))
			return -1;
	return 0;
}
