/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interfaces, by rtnetlink
 * (include/uapi/linux/if_link.h).  link_new_… build requests in plain buffers
 * and link_parse reads answers, without a socket; the others talk.
 */
#ifndef NETLINK_LINK_H
#define NETLINK_LINK_H

#include "netlink/rtnl.h"

struct link_info {
	int ifindex;
	char name[16];
	char kind[16];		/* "veth", "netkit", …, cut where it is longer; "" where the kernel tells none */
	int peer;		/* index of a veth's or netkit's other end, in the namespace where that is; 0: none */
	int32_t peer_netnsid;	/* of that namespace (link_netnsid); -1: the same one, or not told */
	bool up;
	bool external;		/* a VXLAN device whose tunnels come from metadata */
	uint16_t port;		/* of a VXLAN device, host byte order */
	uint32_t mtu;
	uint8_t mac[6];		/* of an Ethernet device, else 0 */
	struct { uint32_t skb, drv, hw; } xdp;	/* ids of the XDP programs: generic, native, offloaded; 0: none */
};

#define LINK_BUFFER 256u	/* bytes that hold any request built here */

/* Build a request at buf (LINK_BUFFER bytes, aligned to 4); returns its header, which is at buf. */
struct nlmsghdr *link_new_get(void *buf, int ifindex, const char *name);	/* by index where name is NULL */
struct nlmsghdr *link_new_dump(void *buf);

/*
 * Put XDP program fd on an interface (-1: none), as XDP_FLAGS_* say.  With XDP_FLAGS_REPLACE only
 * in the place of the program expected (-1: of none).
 */
struct nlmsghdr *link_new_xdp(void *buf, int ifindex, int fd, uint32_t flags, int expected);

/* Read RTM_NEWLINK; -1 where it is none, or malformed. */
int link_parse(const struct nlmsghdr *nlh, struct link_info *out);

/* Call fn with each interface; a dump that is interrupted is started anew before fn has seen any of it. */
typedef int link_fn(const struct link_info *link, void *arg, struct bpfstamp_err *err);
int link_each(struct rtnl *rtnl, link_fn *fn, void *arg, struct bpfstamp_err *err);

/*
 * Ask for what link_new_xdp builds.  dev is how errors call the interface.  EBUSY, EEXIST: what is there is in the
 * way, or not what was expected; EINVAL: what was asked for, or the kernel knows no XDP_FLAGS_REPLACE (before 5.7).
 */
int link_set_xdp(struct rtnl *rtnl, int ifindex, const char *dev, int fd, uint32_t flags, int expected,
		 struct bpfstamp_err *err);

/* By name or alternative name or, where name is NULL, by index; ENODEV. */
int link_find(struct rtnl *rtnl, int ifindex, const char *name, struct link_info *out, struct bpfstamp_err *err);

/*
 * The index of an interface by its name, as link_find tells it, but from fewer words of the kernel.  canonical gets
 * what it is called, which differs from an alternative name; or is NULL, which spares a system call.
 */
int link_index(struct rtnl *rtnl, const char *name, int *ifindex, char *canonical, struct bpfstamp_err *err);

/* The number that the socket's namespace has for another, by an fd of that; -1: it has none for it. */
int link_netnsid(struct rtnl *rtnl, int netns_fd, int32_t *out, struct bpfstamp_err *err);

/* By index, in the namespace that has that number; EINVAL where there is none (any more). */
int link_find_beyond(struct rtnl *rtnl, int32_t netnsid, int ifindex, struct link_info *out,
		     struct bpfstamp_err *err);

/* What the kernel calls the socket's namespace, and no other until it is booted anew; 0 before Linux 5.14. */
uint64_t link_netns_cookie(const struct rtnl *rtnl);

#endif
