/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making, changing and removing interfaces, addresses and routes, by rtnetlink
 * (include/uapi/linux/if_link.h, if_addr.h, rtnetlink.h).  linkmake_new_… build requests in plain
 * buffers (LINKMAKE_BUFFER bytes, aligned to 4), without a socket; the others talk.
 *
 * Names that builders take are below IFNAMSIZ bytes; the others prove that.  Addresses are in network
 * order, 4 bytes for AF_INET and 16 for AF_INET6.  Errors name what was to be made and carry the
 * kernel's own words.
 */
#ifndef NETLINK_LINKMAKE_H
#define NETLINK_LINKMAKE_H

#include "netlink/link.h"

#define LINKMAKE_BUFFER 512u

/* A veth pair: name in the socket's namespace, peer in that of peer_netns (an fd, or -1); mtu 0: the kernel's. */
struct nlmsghdr *linkmake_new_veth(void *buf, const char *name, const char *peer, int peer_netns, uint32_t mtu);
int linkmake_veth(struct rtnl *rtnl, const char *name, const char *peer, int peer_netns, uint32_t mtu,
		  struct bpfstamp_err *err);

/* A VXLAN device in external (collect-metadata) mode, of both address families where the kernel has IPv6. */
struct nlmsghdr *linkmake_new_vxlan(void *buf, const char *name, uint16_t port, uint32_t mtu);
int linkmake_vxlan(struct rtnl *rtnl, const char *name, uint16_t port, uint32_t mtu, struct bpfstamp_err *err);

int linkmake_up(struct rtnl *rtnl, int ifindex, const char *dev, struct bpfstamp_err *err);

struct nlmsghdr *linkmake_new_mtu(void *buf, int ifindex, uint32_t mtu);
int linkmake_mtu(struct rtnl *rtnl, int ifindex, const char *dev, uint32_t mtu, struct bpfstamp_err *err);

/* ENODEV where it is gone already. */
int linkmake_delete(struct rtnl *rtnl, int ifindex, const char *dev, struct bpfstamp_err *err);

/*
 * Of an interface; the same address again is no error; EEXIST: it has that IPv6 address with another
 * prefix.  IPv6: without duplicate address detection.
 */
struct nlmsghdr *linkmake_new_address(void *buf, int ifindex, int family, const void *address, uint8_t prefix);
int linkmake_address(struct rtnl *rtnl, int ifindex, const char *dev, int family, const void *address, uint8_t prefix,
		     struct bpfstamp_err *err);

/*
 * Through an interface, by a gateway (NULL: directly); prefix 0: the default route.  The same route
 * again is no error; EEXIST: another one of the same metric leads there.
 */
struct nlmsghdr *linkmake_new_route(void *buf, int ifindex, int family, const void *dst, uint8_t prefix,
				    const void *gateway);
int linkmake_route(struct rtnl *rtnl, int ifindex, const char *dev, int family, const void *dst, uint8_t prefix,
		   const void *gateway, struct bpfstamp_err *err);

/* Whether that route is there, in whatever table; ENOENT: it is not, or it is another. */
int linkmake_check_route(struct rtnl *rtnl, int ifindex, const char *dev, int family, const void *dst, uint8_t prefix,
			 const void *gateway, struct bpfstamp_err *err);

#endif
