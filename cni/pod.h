/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both ends of a pod's veth pair, and the namespaces that they are in.
 */
#ifndef CNI_POD_H
#define CNI_POD_H

#include <sys/types.h>

#include "cni/config.h"
#include "netlink/link.h"

struct pod {
	struct bpfstamp_net *node, *inside;	/* inside: NULL where the namespace is gone, or was not asked for */
	ino_t inode;				/* of inside */
	struct link_info host, end;		/* host: on the node; ifindex 0: not looked for yet */
};

/* The sockets of the two namespaces. */
struct rtnl *pod_node(const struct pod *p);
struct rtnl *pod_inside(const struct pod *p);
int pod_netns_fd(const struct pod *p);
ino_t pod_netns_inode(const struct pod *p);

/* Open both namespaces; a pod's that is not there is CNI_ENVIRONMENT. */
int pod_open(struct pod *p, const char *netns, struct bpfstamp_err *err);

/*
 * The same where it is no error that the pod's is gone: it is that of inode, at a path that we are told or at
 * the one that the state keeps; "" is none.
 */
int pod_open_left(struct pod *p, const char *told, const char *kept, ino_t inode, struct bpfstamp_err *err);
void pod_close(struct pod *p);	/* also of {0} */

/* Find CNI_IFNAME and its other end, which has to be here. */
int pod_find_ends(struct pod *p, const char *ifname, struct bpfstamp_err *err);

#endif
