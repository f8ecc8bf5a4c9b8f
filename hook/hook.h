/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kinds of hooks, each in a file of its own, behind one table of what can
 * be done with any of them (bpfstamp.h has the contract).  This folder is the
 * only one that uses both netlink/, for filters and XDP, and loader/, for bpf(2).
 */
#ifndef HOOK_HOOK_H
#define HOOK_HOOK_H

#include <sys/types.h>

#include "include/bpfstamp.h"
#include "netlink/link.h"
#include "netlink/rtnl.h"

struct bpfstamp_net {
	struct rtnl rtnl;
	int netns_fd;		/* -1: the thread's own */
	bool replacing;		/* the last filter took the place of another one */
};

/* The inode of the namespace, which names it in pins. */
int hook_netns(const struct bpfstamp_net *net, ino_t *out, struct bpfstamp_err *err);

/* A hook on an interface that is there. */
struct hook_place {
	const struct bpfstamp_hook *hook;
	int ifindex;		/* 0 where hook->block is given */
	const char *dev;	/* how errors call the interface, or the block */
};

/* out of attach may be NULL. */
struct hook_ops {
	int (*check)(struct bpfstamp_net *net, const struct hook_place *place, const char *name,
		     struct bpfstamp_plan *out, struct bpfstamp_err *err);
	int (*attach)(struct bpfstamp_net *net, const struct hook_place *place, int fd, const char *name,
		      struct bpfstamp_attachment *out, struct bpfstamp_err *err);
	int (*detach)(struct bpfstamp_net *net, const struct hook_place *place, bool dry,
		      struct bpfstamp_attachment *out, struct bpfstamp_err *err);
};

extern const struct hook_ops hook_clsact;
extern const struct hook_ops hook_links;	/* TCX and netkit */
extern const struct hook_ops hook_xdp;

/* Whether the program is none that goes to such a hook; then *err says so. */
bool hook_wrong_type(enum bpfstamp_hook_type hook, int fd, const char *name, struct bpfstamp_err *err);

/* Where an attachment is told to; a caller's function and what it wants to be called with. */
struct hook_show {
	struct bpfstamp_net *net;
	const char *pin_path;
	bpfstamp_attachment_fn *fn;
	void *arg;
};

/* Call show->fn; ECANCELED where it wants no more. */
int hook_tell(const struct hook_show *show, const struct bpfstamp_attachment *a, struct bpfstamp_err *err);

/* What is attached to one hook of an interface, in order; an interface that is gone has nothing. */
int hook_clsact_show(const struct hook_show *show, const struct link_info *link, enum bpfstamp_direction direction,
		     struct bpfstamp_err *err);
int hook_links_show(const struct hook_show *show, const struct link_info *link, enum bpfstamp_hook_type type,
		    enum bpfstamp_direction direction, struct bpfstamp_err *err);
int hook_xdp_show(const struct hook_show *show, const struct link_info *link, struct bpfstamp_err *err);

/* The links that bpfstamp pinned below show->pin_path, and whose device is gone. */
int hook_links_show_defunct(const struct hook_show *show, struct bpfstamp_err *err);

/* Whether clsact has a filter of bpfstamp in that direction; decides BPFSTAMP_AUTO, where it is to append. */
bool hook_clsact_has_ours(struct bpfstamp_net *net, const struct hook_place *place);

/* Whether the kernel has TCX, and a bpffs is where its link would be pinned: decides BPFSTAMP_AUTO. */
bool hook_links_usable(struct bpfstamp_net *net, const struct hook_place *place);

#endif
