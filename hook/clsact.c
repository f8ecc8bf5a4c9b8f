// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life of a filter on clsact, as bpfstamp.h offers it.
 *
 * Whose a filter is stands in its name: bpfstamp calls its filters
 * "bpfstamp:PROGRAM" (TCA_BPF_NAME is free text), which survives the process
 * that attached it and is seen by every other tool.  Only such filters are
 * replaced or removed, unless the caller forces it.
 *
 * Attaching first asks the kernel to create, exclusively: on a new interface
 * that is all.  Only where something is there is it looked at, and replaced by
 * one message if it is ours, so no packet passes unfiltered.
 *
 * clsact is deleted only if this very call created it, the filter then failed,
 * and nobody has put one of his own on it meanwhile.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <stdio.h>
#include <string.h>

#include "hook/hook.h"
#include "loader/err.h"
#include "netlink/tc.h"

#define OURS "bpfstamp:"
#define CLSACT_MAJOR 0xffff0000u

static bool is_ours(const struct tc_filter *f)
{
	return !strcmp(f->kind, "bpf") && !strncmp(f->name, OURS, strlen(OURS));
}

static void describe(struct bpfstamp_attachment *out, const struct tc_filter *f, const char *dev)
{
	bool ours = is_ours(f);

	*out = (struct bpfstamp_attachment){
		.type = BPFSTAMP_CLSACT,
		.ifindex = f->ifindex,
		.direction = (f->parent & 0xffff) == TC_EGRESS ? BPFSTAMP_EGRESS : BPFSTAMP_INGRESS,
		.prio = f->prio, .protocol = f->protocol, .handle = f->handle, .chain = f->chain, .ours = ours,
		.id = f->id, .has_tag = f->has_tag,
	};
	snprintf(out->dev, sizeof(out->dev), "%s", dev);
	memcpy(out->kind, f->kind, sizeof(out->kind));
	memcpy(out->tag, f->tag, sizeof(out->tag));
	snprintf(out->name, sizeof(out->name), "%s", f->name + (ours ? strlen(OURS) : 0));
}

/* The filter that a hook names. */
static int name_filter(const struct hook_place *place, struct tc_filter *f, struct bpfstamp_err *err)
{
	const struct bpfstamp_hook *hook = place->hook;

	*f = (struct tc_filter){
		.ifindex = place->ifindex,
		.parent = CLSACT_MAJOR | (hook->direction == BPFSTAMP_EGRESS ? TC_EGRESS : TC_INGRESS),
		.handle = hook->handle, .prio = hook->prio, .kind = "bpf",
		.protocol = hook->protocol ? hook->protocol : ETH_P_ALL,
		.direct_action = true,
	};
	if (!hook->prio || !hook->handle)
		return err_set(err, EINVAL, "prio and handle of a filter must not be 0");
	return 0;
}

static int not_ours(const struct tc_filter *f, const char *dev, struct bpfstamp_err *err)
{
	err_set(err, EEXIST, "prio %u handle 0x%x on %s is taken by a filter of another program: %s", f->prio, f->handle,
		dev, f->kind);
	if (*f->name)
		err_hint(err, " '%s'", f->name);
	return err_hint(err, !strcmp(f->kind, "bpf") ? "; choose another prio or handle, or use --force" :
			"; choose another prio");
}

struct seeking {
	const struct tc_filter *f;
	const char *dev;
};

static int prio_of_another(const struct tc_filter *there, void *arg, struct bpfstamp_err *err)
{
	const struct seeking *s = arg;

	if (there->prio != s->f->prio || there->chain != s->f->chain ||
	    (!strcmp(there->kind, s->f->kind) && there->protocol == s->f->protocol))
		return 0;
	return err_set(err, EEXIST, "prio %u on %s is taken by a %s filter of protocol 0x%04x; "
		       "choose another prio", there->prio, s->dev, there->kind, there->protocol);
}

/* A prio belongs to one kind of filter and one protocol, whatever the handle. */
static int check_prio(struct bpfstamp_net *net, const struct tc_filter *f, const char *dev,
		      struct bpfstamp_err *err)
{
	struct seeking s = { .f = f, .dev = dev };

	return tc_filter_each(&net->rtnl, f->ifindex, f->parent, dev, prio_of_another, &s, err);
}

/* Replace what is there, if it is ours or the caller says so. */
static int replace(struct bpfstamp_net *net, const struct tc_filter *f, const struct hook_place *place,
		   struct tc_filter *made, struct bpfstamp_err *err)
{
	struct tc_filter there;

	if (!place->hook->force) {
		if (tc_filter_find(&net->rtnl, f, place->dev, &there, err))
			return -1;
		if (!is_ours(&there))
			return not_ours(&there, place->dev, err);
	}
	return tc_filter_set(&net->rtnl, f, false, place->dev, made, err);
}

static void undo_clsact(struct bpfstamp_net *net, int ifindex, const char *dev)
{
	struct bpfstamp_err ignored;
	bool empty;

	if (!tc_clsact_empty(&net->rtnl, ifindex, dev, &empty, &ignored) && empty)
		tc_clsact_delete(&net->rtnl, ifindex, dev, &ignored);
}

static int attach(struct bpfstamp_net *net, const struct hook_place *place, int fd, const char *name,
		  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct tc_filter f, made;
	struct bpfstamp_err why;
	bool created;
	int ret;

	if (name_filter(place, &f, err))
		return -1;
	f.fd = fd;
	snprintf(f.name, sizeof(f.name), OURS "%s", name);
	if (tc_clsact_ensure(&net->rtnl, f.ifindex, place->dev, &created, err))
		return -1;
	ret = tc_filter_set(&net->rtnl, &f, true, place->dev, &made, err);
	if (ret && err->code == EEXIST)
		ret = replace(net, &f, place, &made, err);
	if (ret && err->code == EINVAL && check_prio(net, &f, place->dev, &why) && why.code == EEXIST)
		*err = why;
	if (ret) {
		if (created)
			undo_clsact(net, f.ifindex, place->dev);
		return -1;
	}
	describe(out, &made, place->dev);
	return 0;
}

static int find_clsact(const struct tc_qdisc *q, void *arg, struct bpfstamp_err *err)
{
	bool *clsact = arg;

	if (q->parent != TC_H_CLSACT)
		return 0;
	if (strcmp(q->kind, "clsact") != 0)
		return err_set(err, EEXIST, "the interface has qdisc %s where clsact is wanted", q->kind);
	*clsact = true;
	return 0;
}

/* Whether clsact is there, and the filter of the place; what is not ours to touch is an error. */
static int look(struct bpfstamp_net *net, const struct hook_place *place, const struct tc_filter *f, bool *clsact,
		bool *filter, struct tc_filter *there, struct bpfstamp_err *err)
{
	*clsact = *filter = false;
	if (tc_qdisc_each(&net->rtnl, f->ifindex, find_clsact, clsact, err))
		return err_wrap(err, "%s", place->dev);
	if (!*clsact)
		return 0;
	*filter = !tc_filter_find(&net->rtnl, f, place->dev, there, err);
	if (!*filter)
		return err->code == ENOENT ? 0 : -1;
	if (!is_ours(there) && (!place->hook->force || strcmp(there->kind, "bpf") != 0))
		return not_ours(there, place->dev, err);
	return 0;
}

static int check(struct bpfstamp_net *net, const struct hook_place *place, const char *name,
		 struct bpfstamp_plan *out, struct bpfstamp_err *err)
{
	struct tc_filter f, there;

	(void)name;
	if (name_filter(place, &f, err) || look(net, place, &f, &out->clsact, &out->occupied, &there, err))
		return -1;
	if (out->occupied)
		describe(&out->there, &there, place->dev);
	return out->clsact && !out->occupied ? check_prio(net, &f, place->dev, err) : 0;
}

static int detach(struct bpfstamp_net *net, const struct hook_place *place, bool dry,
		  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct tc_filter f, there;
	bool clsact, filter;

	if (name_filter(place, &f, err) || look(net, place, &f, &clsact, &filter, &there, err))
		return -1;
	if (!filter)
		return err_set(err, ENOENT, "no filter at prio %u handle 0x%x on %s of %s", f.prio, f.handle,
			       place->hook->direction == BPFSTAMP_EGRESS ? "egress" : "ingress", place->dev);
	if (!dry && tc_filter_delete(&net->rtnl, &there, place->dev, err))
		return -1;
	describe(out, &there, place->dev);
	return 0;
}

const struct hook_ops hook_clsact = { .check = check, .attach = attach, .detach = detach };

/* ------------------------------------------------------------------ show */

struct showing {
	const struct hook_show *show;
	const char *dev;
};

static int show_one(const struct tc_filter *f, void *arg, struct bpfstamp_err *err)
{
	const struct showing *s = arg;
	struct bpfstamp_attachment a;

	describe(&a, f, s->dev);
	return hook_tell(s->show, &a, err);
}

int hook_clsact_show(const struct hook_show *show, const struct link_info *link, enum bpfstamp_direction direction,
		     struct bpfstamp_err *err)
{
	struct showing s = { .show = show, .dev = link->name };
	uint32_t parent = CLSACT_MAJOR | (direction == BPFSTAMP_EGRESS ? TC_EGRESS : TC_INGRESS);

	return tc_filter_each(&show->net->rtnl, link->ifindex, parent, link->name, show_one, &s, err);
}

int bpfstamp_clsact_delete(struct bpfstamp_net *net, const char *dev, bool dry, struct bpfstamp_err *err)
{
	struct link_info link;
	bool empty;

	if (link_find(&net->rtnl, 0, dev, &link, err) || tc_clsact_empty(&net->rtnl, link.ifindex, dev, &empty, err))
		return -1;
	if (!empty)
		return err_set(err, EBUSY, "clsact of %s has filters: it stays", dev);
	return dry ? 0 : tc_clsact_delete(&net->rtnl, link.ifindex, dev, err);
}

int bpfstamp_show_block(struct bpfstamp_net *net, uint32_t block, bpfstamp_attachment_fn *fn, void *arg,
			struct bpfstamp_err *err)
{
	(void)net; (void)block; (void)fn; (void)arg;
	return err_set(err, ENOSYS, "shared blocks are not shown yet");
}
