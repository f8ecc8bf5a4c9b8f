// SPDX-License-Identifier: BSD-2-Clause
/*
 * Facts of a pod, from the kernel.
 *
 * One socket a namespace is made, and serves interfaces and programs alike:
 * what a socket costs, in a namespace that a thread has to enter for it, is much
 * of what an ADD costs.  That is why the library's struct bpfstamp_net is looked
 * into here, and nowhere else in the plugin.
 *
 * The kernel tells the index of the other end of a pair, but as one of the
 * namespace that that end is in.  Whether this is the node's is seen by asking the
 * interface that has the index here for its other end, and for the namespace of that:
 * indexes alone may be the same by chance.
 */
#include <errno.h>
#include <string.h>

#include "cni/pod.h"
#include "hook/hook.h"
#include "loader/err.h"

struct rtnl *pod_node(const struct pod *p)
{
	return &p->node->rtnl;
}

struct rtnl *pod_inside(const struct pod *p)
{
	return &p->inside->rtnl;
}

int pod_netns_fd(const struct pod *p)
{
	return p->inside->netns_fd;
}

ino_t pod_netns_inode(const struct pod *p)
{
	return p->inode;
}

int pod_open(struct pod *p, const char *netns, struct bpfstamp_err *err)
{
	ino_t node;

	memset(p, 0, sizeof(*p));
	if (bpfstamp_net_open(&p->node, NULL, err))
		return -1;
	if (bpfstamp_net_open(&p->inside, netns, err)) {
		pod_close(p);
		if (err->code == ENOENT || err->code == EINVAL || err->code == ESRCH)
			err->code = CNI_ERROR + CNI_ENVIRONMENT;
		return err_wrap(err, "CNI_NETNS");
	}
	if (hook_netns(p->inside, &p->inode, err) || hook_netns(p->node, &node, err)) {
		pod_close(p);
		return -1;
	}
	if (p->inode != node)
		return 0;
	pod_close(p);
	return err_set(err, CNI_ERROR + CNI_ENVIRONMENT, "CNI_NETNS: %s is the network namespace of the node itself",
		       netns);
}

int pod_open_left(struct pod *p, const char *told, const char *kept, ino_t inode, struct bpfstamp_err *err)
{
	const char *const paths[] = { told, kept };
	struct bpfstamp_err ignored;

	memset(p, 0, sizeof(*p));
	if (bpfstamp_net_open(&p->node, NULL, err))
		return -1;
	for (size_t i = 0; i < 2 && !p->inside; i++) {
		if (!*paths[i] || bpfstamp_net_open(&p->inside, paths[i], &ignored)) {
			p->inside = NULL;
		} else if (hook_netns(p->inside, &p->inode, &ignored) || p->inode != inode) {
			bpfstamp_net_close(p->inside);
			p->inside = NULL;
		}
	}
	return 0;
}

void pod_close(struct pod *p)
{
	bpfstamp_net_close(p->inside);
	bpfstamp_net_close(p->node);
	p->inside = p->node = NULL;
}

int pod_find_ends(struct pod *p, const char *ifname, struct bpfstamp_err *err)
{
	int32_t netnsid;

	if (link_find(pod_inside(p), 0, ifname, &p->end, err))
		return err_wrap(err, "the pod has no interface %s", ifname);
	if (!p->end.peer)
		return err_set(err, ENODEV, "%s of the pod (%s) has no other end on the node: it has to be one of a "
			       "pair, as veth is", ifname, *p->end.kind ? p->end.kind : "of no kind");
	if (link_find(pod_node(p), p->end.peer, NULL, &p->host, err))
		return err_wrap(err, "the other end of %s of the pod (index %d) is not on the node", ifname,
				p->end.peer);
	if (link_netnsid(pod_node(p), pod_netns_fd(p), &netnsid, err))
		return -1;
	if (p->host.peer == p->end.ifindex && netnsid >= 0 && p->host.peer_netnsid == netnsid)
		return 0;
	return err_set(err, ENODEV, "the other end of %s of the pod is not on the node, where index %d is %s", ifname,
		       p->end.peer, p->host.name);
}
