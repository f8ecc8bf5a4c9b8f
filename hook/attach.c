// SPDX-License-Identifier: BSD-2-Clause
/*
 * From a hook as the caller describes it to the kind of hook that does the
 * work: the interface is looked up once, and BPFSTAMP_AUTO decided.
 *
 * AUTO comes to clsact where a filter of bpfstamp stands there already, so that
 * a program is not run twice after the kernel, or a bpffs, has come to allow TCX; and to
 * append, where one stands at any prio, since what TCX has runs before all of clsact.
 *
 * Two things that all kinds of hooks have in common are told here.  A program
 * of the wrong type is EINVAL to the kernel, like much else, so its type is
 * looked at then.  And an interface may go while something is done with it, to
 * which the kernel says ENODEV, EINVAL or ENOENT, depending on the hook and the
 * moment: after a failure the index is looked up again, because indexes are not
 * used twice as long as there are others.
 *
 * Who takes an index on purpose (`ip link add … index 7`) within the microseconds
 * between the look-up of a name and the request, gets the program: the kernel
 * takes no names here, and to look again afterwards would cost every attach a
 * system call.
 *
 * What nobody asks to be told (out is NULL) the kernel is not asked for either.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "hook/hook.h"
#include "loader/err.h"
#include "loader/sys.h"

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
		return err_set(err, EINVAL, "only clsact has shared blocks, and a block is given instead of an "
			       "interface");
	if (!hook->block && !hook->dev)
		return err_set(err, EINVAL, "no interface is given");
	if (hook->skip_sw && hook->skip_hw)
		return err_set(err, EINVAL, "with skip_sw and skip_hw a filter would run nowhere: give one of them "
			       "at most");
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
	if (r->hook.existing == BPFSTAMP_APPEND ? hook_clsact_has_ours(net, &r->place) :
	    !hook_clsact.check(net, &r->place, "", &plan, &ignored) && plan.occupied && plan.there.ours)
		return BPFSTAMP_CLSACT;
	r->hook.type = BPFSTAMP_TCX;
	return hook_links_usable(net, &r->place) ? BPFSTAMP_TCX : BPFSTAMP_CLSACT;
}

/* How to look an interface up; only to attach may the kernel load a module for it, as link_index may make it do. */
enum seek { LOOK, ATTACH, ATTACH_AND_TELL };

static int find_device(struct resolved *r, struct bpfstamp_net *net, const char *dev, enum seek seek, int *ifindex,
		       struct bpfstamp_err *err)
{
	struct link_info link;

	if (seek != LOOK)
		return link_index(&net->rtnl, dev, ifindex, seek == ATTACH_AND_TELL ? r->dev : NULL, err);
	if (link_find(&net->rtnl, 0, dev, &link, err))
		return -1;
	*ifindex = link.ifindex;
	memcpy(r->dev, link.name, sizeof(link.name));
	return 0;
}

/* The interface is called what the kernel calls it; where nobody is told, what the caller does. */
static int resolve(struct resolved *r, struct bpfstamp_net *net, const struct bpfstamp_hook *hook, enum seek seek,
		   struct bpfstamp_err *err)
{
	int ifindex = 0;

	if (check_hook(hook, err) || (hook->dev && find_device(r, net, hook->dev, seek, &ifindex, err)))
		return -1;
	r->hook = *hook;
	if (!hook->dev)
		snprintf(r->dev, sizeof(r->dev), "block %u", hook->block);
	r->place = (struct hook_place){
		.hook = &r->hook, .ifindex = ifindex, .dev = hook->dev && seek == ATTACH ? hook->dev : r->dev,
	};
	if (r->hook.type == BPFSTAMP_AUTO)
		r->hook.type = decide(net, r);
	r->ops = ops_of(r->hook.type);
	return 0;
}

/* A kernel before 4.13 does not tell it. */
bool hook_wrong_type(enum bpfstamp_hook_type hook, int fd, const char *name, struct bpfstamp_err *err)
{
	static const char *const hooks[] = {
		[BPFSTAMP_CLSACT] = "clsact", [BPFSTAMP_TCX] = "TCX", [BPFSTAMP_NETKIT] = "netkit",
		[BPFSTAMP_XDP] = "XDP",
	};
	uint32_t wanted = hook == BPFSTAMP_XDP ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS;
	struct bpf_prog_info info;
	const char *type;

	memset(&info, 0, sizeof(info));
	if (sys_prog_info(fd, &info) || info.type == wanted)
		return false;
	type = bpfstamp_prog_type_name(info.type);
	err_set(err, EINVAL, "program %s is of type %s; %s takes %s", name, type ? type : "unknown",
		hooks[hook], bpfstamp_prog_type_name(wanted));
	return true;
}

/* After a failure: where the interface has gone meanwhile, that is the reason. */
static int failed(struct bpfstamp_net *net, const struct resolved *r, struct bpfstamp_err *err)
{
	struct bpfstamp_err why = { 0 };
	struct link_info link;

	if (!r->place.ifindex || (err->code != ENODEV && err->code != EINVAL && err->code != ENOENT) ||
	    !link_find(&net->rtnl, r->place.ifindex, NULL, &link, &why) || why.code != ENODEV)
		return -1;
	return err_set(err, ENODEV, "device %s (index %d) disappeared meanwhile: it was deleted, or moved to another "
		       "network namespace", r->place.dev, r->place.ifindex);
}

int bpfstamp_attach(struct bpfstamp_net *net, const struct bpfstamp_hook *hook, int fd, const char *name,
		    struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct bpfstamp_attachment made;
	struct resolved r;

	if (resolve(&r, net, hook, out ? ATTACH_AND_TELL : ATTACH, err))
		return -1;
	if (r.ops->attach(net, &r.place, fd, name, out ? &made : NULL, err))
		return hook_wrong_type(r.hook.type, fd, name, err) ? -1 : failed(net, &r, err);
	if (out)
		*out = made;
	return 0;
}

int bpfstamp_attach_check(struct bpfstamp_net *net, const struct bpfstamp_hook *hook, const char *name,
			  struct bpfstamp_plan *out, struct bpfstamp_err *err)
{
	struct bpfstamp_plan plan = { 0 };
	struct resolved r;

	if (resolve(&r, net, hook, LOOK, err))
		return -1;
	plan.type = r.hook.type;
	plan.ifindex = r.place.ifindex;
	if (r.ops->check(net, &r.place, name, &plan, err))
		return failed(net, &r, err);
	*out = plan;
	return 0;
}

int bpfstamp_detach(struct bpfstamp_net *net, const struct bpfstamp_hook *hook, bool dry,
		    struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct bpfstamp_attachment gone;
	struct resolved r;

	if (resolve(&r, net, hook, LOOK, err))
		return -1;
	if (r.ops->detach(net, &r.place, dry, &gone, err))
		return failed(net, &r, err);
	if (out)
		*out = gone;
	return 0;
}
