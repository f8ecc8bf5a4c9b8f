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
 *
 * So may they be after the pod is gone.  A plugin that makes the pair in the pod's namespace
 * and then moves one end to the node hands out the same few numbers again at once,
 * because the kernel lets an interface keep its number where that is free; names of
 * interfaces are another's as soon as a pod of the same name comes back, and MAC addresses may be
 * the same for all.  What decides is the pod's namespace: an interface of the node is the pod's
 * only while its other end is in there, whatever it is called by now.  A pair ends with the
 * namespace of either end, so where that of the state cannot be found any more, what
 * has the number is either another's, or will end with that namespace, and is left alone.
 *
 * A namespace is known by its cookie, which the kernel gives once; its inode may be given
 * to the next namespace, and only has to do on kernels that tell no cookie.
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

void pod_note_netns(const struct pod *p, struct kept *k)
{
	k->netns_inode = p->inode;
	k->netns_cookie = p->cookie;
}

bool pod_is_of(const struct pod *p, const struct kept *k)
{
	return p->inode == k->netns_inode && (!p->cookie || !k->netns_cookie || p->cookie == k->netns_cookie);
}

static int note_inside(struct pod *p, struct bpfstamp_err *err)
{
	p->cookie = link_netns_cookie(pod_inside(p));
	return hook_netns(p->inside, &p->inode, err);
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
	if (note_inside(p, err) || hook_netns(p->node, &node, err)) {
		pod_close(p);
		return -1;
	}
	if (p->inode != node)
		return 0;
	pod_close(p);
	return err_set(err, CNI_ERROR + CNI_ENVIRONMENT, "CNI_NETNS: %s is the network namespace of the node itself",
		       netns);
}

int pod_open_left(struct pod *p, const char *told, const struct kept *k, struct bpfstamp_err *err)
{
	const char *const paths[] = { told, k->netns };
	struct bpfstamp_err ignored;

	memset(p, 0, sizeof(*p));
	if (bpfstamp_net_open(&p->node, NULL, err))
		return -1;
	for (size_t i = 0; i < 2 && !p->inside; i++) {
		if (!*paths[i] || bpfstamp_net_open(&p->inside, paths[i], &ignored)) {
			p->inside = NULL;
		} else if (note_inside(p, &ignored) || !pod_is_of(p, k)) {
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

/* Whether the other end of an interface of the node is inside. */
static int leads_inside(const struct pod *p, const struct link_info *host, bool *leads, struct bpfstamp_err *err)
{
	int32_t netnsid;

	if (link_netnsid(pod_node(p), pod_netns_fd(p), &netnsid, err))
		return -1;
	*leads = host->peer && netnsid >= 0 && host->peer_netnsid == netnsid;
	return 0;
}

int pod_is_pair(const struct pod *p, bool *pair, struct bpfstamp_err *err)
{
	if (leads_inside(p, &p->host, pair, err))
		return -1;
	*pair = *pair && p->host.peer == p->end.ifindex && p->end.peer == p->host.ifindex;
	return 0;
}

int pod_find_ends(struct pod *p, const char *ifname, struct bpfstamp_err *err)
{
	bool pair;

	if (link_find(pod_inside(p), 0, ifname, &p->end, err))
		return err_wrap(err, "the pod has no interface %s", ifname);
	if (!p->end.peer)
		return err_set(err, ENODEV, "%s of the pod (%s) has no other end on the node: it has to be one of a "
			       "pair, as veth is", ifname, *p->end.kind ? p->end.kind : "of no kind");
	if (link_find(pod_node(p), p->end.peer, NULL, &p->host, err))
		return err_wrap(err, "the other end of %s of the pod (index %d) is not on the node", ifname,
				p->end.peer);
	if (pod_is_pair(p, &pair, err))
		return -1;
	if (pair)
		return 0;
	return err_set(err, ENODEV, "the other end of %s of the pod is not on the node, where index %d is %s", ifname,
		       p->end.peer, p->host.name);
}

int pod_find_left(const struct pod *p, const struct kept *k, int ifindex, struct link_info *host,
		  enum pod_whose *whose, struct bpfstamp_err *err)
{
	bool ours = false;

	*whose = POD_NOBODYS;
	if (link_find(pod_node(p), ifindex, NULL, host, err))
		return err->code == ENODEV ? 0 : -1;
	if (p->inside && leads_inside(p, host, &ours, err))
		return -1;
	if (ours && ifindex == k->ifindex && k->end)
		ours = host->peer == k->end;
	*whose = ours ? POD_OURS : POD_ANOTHERS;
	return 0;
}

bool pod_leads_to(const struct pod *p, const struct link_info *host, const uint8_t mac[6])
{
	struct bpfstamp_err ignored;
	struct link_info end;

	return host->peer && host->peer_netnsid >= 0 &&
	       !link_find_beyond(pod_node(p), host->peer_netnsid, host->peer, &end, &ignored) &&
	       !memcmp(end.mac, mac, sizeof(end.mac));
}
