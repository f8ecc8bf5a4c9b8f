/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both ends of a pod's veth pair, and the namespaces that they are in.
 */
#ifndef CNI_POD_H
#define CNI_POD_H

#include <sys/types.h>

#include "cni/config.h"
#include "cni/kept.h"
#include "netlink/link.h"

struct pod {
	struct bpfstamp_net *node, *inside;	/* inside: NULL where the namespace is gone, or was not asked for */
	ino_t inode;				/* of inside */
	uint64_t cookie;			/* the same, for ever; 0: before Linux 5.14 */
	struct link_info host, end;		/* host: on the node; ifindex 0: not looked for yet */
};

/* The sockets of the two namespaces. */
struct rtnl *pod_node(const struct pod *p);
struct rtnl *pod_inside(const struct pod *p);
int pod_netns_fd(const struct pod *p);

/* Note in a state which namespace it is; and whether it is the one of the state. */
void pod_note_netns(const struct pod *p, struct kept *k);
bool pod_is_of(const struct pod *p, const struct kept *k);

/* Open both namespaces; a pod's that is not there is CNI_ENVIRONMENT. */
int pod_open(struct pod *p, const char *netns, struct bpfstamp_err *err);

/*
 * The same where it is no error that the pod's is gone: it is that of the state, at a path that we are told ("": at
 * none) or at the one that the state has.
 */
int pod_open_left(struct pod *p, const char *told, const struct kept *k, struct bpfstamp_err *err);
void pod_close(struct pod *p);	/* also of {0} */

/* Find CNI_IFNAME and its other end, which has to be here. */
int pod_find_ends(struct pod *p, const char *ifname, struct bpfstamp_err *err);

/* Whether both ends, as the kernel told of them, are of one another: the pod's inside, the other one here. */
int pod_is_pair(const struct pod *p, bool *pair, struct bpfstamp_err *err);

/* Whose the interface of the node is that has an index of the state now; *host where there is one. */
enum pod_whose { POD_NOBODYS, POD_OURS, POD_ANOTHERS };
int pod_find_left(const struct pod *p, const struct kept *k, int ifindex, struct link_info *host,
		  enum pod_whose *whose, struct bpfstamp_err *err);

/* Whether the other end of an interface of the node has that MAC address. */
bool pod_leads_to(const struct pod *p, const struct link_info *host, const uint8_t mac[6]);

#endif
