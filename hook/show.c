// SPDX-License-Identifier: BSD-2-Clause
/*
 * Everything that is attached, in the order in which packets meet it: a packet
 * that comes in passes XDP, then the links of TCX, then the filters of clsact;
 * one that goes out the links of TCX before the filters (kernel:
 * net/core/dev.c).  A netkit device runs its own programs when it sends.
 */
#include <errno.h>

#include "hook/hook.h"
#include "loader/err.h"

int hook_tell(const struct hook_show *show, const struct bpfstamp_attachment *a, struct bpfstamp_err *err)
{
	return show->fn(a, show->arg) ? err_set(err, ECANCELED, "stopped by the caller") : 0;
}

static int show_link(const struct link_info *link, void *arg, struct bpfstamp_err *err)
{
	const struct hook_show *show = arg;

	if (hook_xdp_show(show, link, err) ||
	    hook_links_show(show, link, BPFSTAMP_TCX, BPFSTAMP_INGRESS, err) ||
	    hook_clsact_show(show, link, BPFSTAMP_INGRESS, err) ||
	    hook_links_show(show, link, BPFSTAMP_NETKIT, BPFSTAMP_PRIMARY, err) ||
	    hook_links_show(show, link, BPFSTAMP_NETKIT, BPFSTAMP_PEER, err) ||
	    hook_links_show(show, link, BPFSTAMP_TCX, BPFSTAMP_EGRESS, err) ||
	    hook_clsact_show(show, link, BPFSTAMP_EGRESS, err))
		return -1;
	return 0;
}

int bpfstamp_show(struct bpfstamp_net *net, const char *dev, const char *pin_path, bpfstamp_attachment_fn *fn,
		  void *arg, struct bpfstamp_err *err)
{
	struct hook_show show = { .net = net, .pin_path = pin_path, .fn = fn, .arg = arg };
	struct link_info link;

	if (dev)
		return link_find(&net->rtnl, 0, dev, &link, err) || show_link(&link, &show, err) ? -1 : 0;
	return link_each(&net->rtnl, show_link, &show, err) || hook_links_show_defunct(&show, err) ? -1 : 0;
}
