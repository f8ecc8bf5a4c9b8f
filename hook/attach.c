// SPDX-License-Identifier: BSD-2-Clause
/*
 * From a hook as the caller describes it to the kind of hook that does the
 * work: the interface is looked up once, and BPFSTAMP_AUTO decided.
 *
 * AUTO comes to clsact where a filter of bpfstamp stands there already, so that
 * a program is not run twice after the kernel, or a bpffs, has come to allow TCX.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hook/hook.h"
#include "loader/err.h"

struct resolved {
	struct bpfstamp_hook hook;	/* a copy, of a type that is not AUTO */
	struct hook_place place;
	char dev[32];
	const struct hook_ops *ops;
};

/* Which directions go with which kinds of hooks. */
static bool is_direction_of(enum bpfstamp_hook_type type, enum bpfstamp_direction direction)
{
	switch (type) {
	case BPFSTAMP_NETKIT:
		return direction == BPFSTAMP_PRIMARY || direction == BPFSTAMP_PEER;
	case BPFSTAMP_XDP:
		return direction == BPFSTAMP_INGRESS;
	default:
		return direction == BPFSTAMP_INGRESS || direction == BPFSTAMP_EGRESS;
	}
}

static int check_hook(const struct bpfstamp_hook *hook, struct bpfstamp_err *err)
{
	static const char *const directions[] = {
		[BPFSTAMP_CLSACT] = "clsact has the directions ingress and egress",
		[BPFSTAMP_TCX] = "TCX has the directions ingress and egress",
		[BPFSTAMP_NETKIT] = "netkit has the directions primary and peer",
		[BPFSTAMP_XDP] = "XDP has the direction ingress only",
		[BPFSTAMP_AUTO] = "clsact and TCX have the directions ingress and egress",
	};

	if (!is_direction_of(hook->type, hook->direction))
		return err_set(err, EINVAL, "%s", directions[hook->type]);
	if (hook->block && (hook->type != BPFSTAMP_CLSACT || hook->dev))
		return err_set(err, EINVAL, "only clsact has shared blocks, and a block is given instead of an interface");
	if (!hook->block && !hook->dev)
		return err_set(err, EINVAL, "no interface is given");
	if (hook->type == BPFSTAMP_XDP && hook->existing == BPFSTAMP_APPEND)
		return err_set(err, EINVAL, "an interface has one XDP program: nothing can be appended");
	return 0;
}

static const struct hook_ops *ops_of(enum bpfstamp_hook_type type)
{
	if (type == BPFSTAMP_CLSACT)
		return &hook_clsact;
	return type == BPFSTAMP_XDP ? &hook_xdp : &hook_links;
}

static enum bpfstamp_hook_type decide(struct bpfstamp_net *net, struct resolved *r)
{
	struct bpfstamp_err ignored;
	struct bpfstamp_plan plan;

	r->hook.type = BPFSTAMP_CLSACT;
	if (!hook_clsact.check(net, &r->place, "", &plan, &ignored) && plan.occupied && plan.there.ours)
		return BPFSTAMP_CLSACT;
	r->hook.type = BPFSTAMP_TCX;
	return hook_links_usable(net, &r->place) ? BPFSTAMP_TCX : BPFSTAMP_CLSACT;
}

static int resolve(struct resolved *r, struct bpfstamp_net *net, const struct bpfstamp_hook *hook,
		   struct bpfstamp_err *err)
{
	struct link_info link = { 0 };

	if (check_hook(hook, err) || (hook->dev && link_find(&net->rtnl, 0, hook->dev, &link, err)))
		return -1;
	r->hook = *hook;
	if (hook->dev)
		snprintf(r->dev, sizeof(r->dev), "%s", link.name);
	else
		snprintf(r->dev, sizeof(r->dev), "block %u", hook->block);
	r->place = (struct hook_place){ .hook = &r->hook, .ifindex = link.ifindex, .dev = r->dev };
	if (r->hook.type == BPFSTAMP_AUTO)
		r->hook.type = decide(net, r);
	r->ops = ops_of(r->hook.type);
	return 0;
}

int bpfstamp_attach(struct bpfstamp_net *net, const struct bpfstamp_hook *hook, int fd, const char *name,
		    struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct bpfstamp_attachment made;
	struct resolved r;

	if (resolve(&r, net, hook, err) || r.ops->attach(net, &r.place, fd, name, &made, err))
		return -1;
	if (out)
		*out = made;
	return 0;
}

int bpfstamp_attach_check(struct bpfstamp_net *net, const struct bpfstamp_hook *hook, const char *name,
			  struct bpfstamp_plan *out, struct bpfstamp_err *err)
{
	struct bpfstamp_plan plan = { 0 };
	struct resolved r;

	if (resolve(&r, net, hook, err))
		return -1;
	plan.type = r.hook.type;
	plan.ifindex = r.place.ifindex;
	if (r.ops->check(net, &r.place, name, &plan, err))
		return -1;
	*out = plan;
	return 0;
}

int bpfstamp_detach(struct bpfstamp_net *net, const struct bpfstamp_hook *hook, bool dry,
		    struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct bpfstamp_attachment gone;
	struct resolved r;

	if (resolve(&r, net, hook, err) || r.ops->detach(net, &r.place, dry, &gone, err))
		return -1;
	if (out)
		*out = gone;
	return 0;
}
