// SPDX-License-Identifier: BSD-2-Clause
/*
 * An interface has one XDP program, generic or native, and beside it one that is
 * offloaded.  It is put there by netlink, and then stays until it is removed; or by a
 * BPF link, for which the caller gives the path of a pin (hook/xdplink.c).
 *
 * By netlink the kernel is first asked to put the program where none is
 * (XDP_FLAGS_UPDATE_IF_NOEXIST); on a new interface that is all.  What is there is
 * looked at only after a refusal, and then replaced by a request that names it
 * (XDP_FLAGS_REPLACE, _EXPECTED_FD), so that what somebody else put there
 * meanwhile is not replaced in its stead.  Kernels before 5.7 cannot be told so:
 * there it is looked at once more, and somebody who is faster than the
 * next call loses; no packet passes without a program in either case.
 *
 * Ours is what our pin leads to, and a program that has a record.  To see
 * a record takes a file descriptor of the program and so CAP_SYS_ADMIN; without it,
 * nothing but a pinned link is ours.  What is not ours is left alone, and also what is
 * there in another mode, or by netlink where a link is wanted: the kernel
 * exchanges these only by way of no program at all.  With force it is done that
 * way, and if the new program is then refused, the old one is put back;
 * a link of somebody else's stays detached.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hook/links.h"
#include "hook/xdp.h"
#include "hook/xdplink.h"
#include "loader/err.h"
#include "loader/sys.h"

/* ----------------------------------------------------------- what may be */

static int not_ours(struct bpfstamp_net *net, struct xdp_there *t, struct bpfstamp_err *err)
{
	return xdp_taken(net, t, EBUSY, t->prog >= 0 ? ", which bpfstamp did not attach; use --force" :
			 "; whose it is cannot be told without CAP_SYS_ADMIN; use --force", err);
}

/* Whether the program that is there may go. */
static int may_replace(struct bpfstamp_net *net, const struct hook_place *place, struct xdp_there *t,
		       struct bpfstamp_err *err)
{
	const struct bpfstamp_hook *hook = place->hook;

	if (!t->a.id || hook->force)
		return 0;
	if (!t->a.ours)
		return not_ours(net, t, err);
	if (hook->xdp_mode != BPFSTAMP_XDP_ANY && hook->xdp_mode != t->a.xdp_mode)
		return xdp_taken(net, t, EBUSY, "; another mode cannot take its place in one step: detach it first, "
				 "or use --force", err);
	if (hook->pin && !xdp_pinned(t))
		return xdp_taken(net, t, EBUSY, ", but not by this pin; a new link cannot take its place in one "
				 "step: detach it first, or use --force", err);
	return 0;
}

static bool is_kept(const struct hook_place *place, const struct xdp_there *t)
{
	return place->hook->existing == BPFSTAMP_KEEP && t->a.ours;
}

static int held_by_link(struct bpfstamp_net *net, struct xdp_there *t, struct bpfstamp_err *err)
{
	return xdp_taken(net, t, EBUSY, "; what a link holds is replaced by its pin (--link-pin), or with --force",
			 err);
}

static int check(struct bpfstamp_net *net, const struct hook_place *place, const char *name,
		 struct bpfstamp_plan *out, struct bpfstamp_err *err)
{
	struct xdp_there t;
	int ret = 0;

	(void)name;
	if (xdp_look(net, place, &t, err))
		return -1;
	xdp_find_link(net, &t.a);
	if (!is_kept(place, &t)) {
		ret = may_replace(net, place, &t, err);
		if (!ret && t.a.link && !place->hook->pin && !place->hook->force)
			ret = held_by_link(net, &t, err);
	}
	xdp_forget(&t);
	if (ret)
		return -1;
	out->occupied = t.a.id != 0;
	if (out->occupied)
		out->there = t.a;
	return 0;
}

/* --------------------------------------------------------------- netlink */

static int set(struct bpfstamp_net *net, const struct hook_place *place, int fd, uint32_t flags, int expected,
	       struct bpfstamp_err *err)
{
	return link_set_xdp(&net->rtnl, place->ifindex, place->dev, fd, flags, expected, err);
}

/* Put fd (-1: nothing) in the place of what is there; EAGAIN where it is not any more, EBUSY where a link has it. */
static int swap(struct bpfstamp_net *net, const struct hook_place *place, const struct xdp_there *t, int fd,
		struct bpfstamp_err *err)
{
	uint32_t flags = xdp_mode_flag(t->a.xdp_mode);
	struct link_info link;

	if (t->prog >= 0) {
		if (!set(net, place, fd, flags | XDP_FLAGS_REPLACE, t->prog, err))
			return 0;
		if (err->code == EEXIST)
			err->code = EAGAIN;
		if (err->code != EINVAL)
			return -1;
		if (link_find(&net->rtnl, place->ifindex, NULL, &link, err))
			return -1;
		if (xdp_program_of(&link, t->a.xdp_mode) != t->a.id)
			return err_set(err, EAGAIN, "XDP of %s is being changed by somebody else", place->dev);
	}
	return set(net, place, fd, flags, -1, err);
}

/* The pin of a link that somebody made with bpfstamp, wherever it is. */
static void remove_pin(const struct hook_place *place, struct bpfstamp_attachment *a)
{
	struct bpfstamp_err ignored;

	if (linkpin_find(place->hook->pin_path, a->link, a->pin))
		linkpin_remove_link(a->pin, a->link, &ignored);
}

/* Remove what is there, by whatever it is held. */
static int evict(struct bpfstamp_net *net, const struct hook_place *place, struct xdp_there *t,
		 struct bpfstamp_err *err)
{
	int link;

	if (xdp_pinned(t)) {
		if (!xdplink_remove(&t->pin, place->hook->pin, err))
			return 0;
		if (err->code == ENOENT)
			err->code = EAGAIN;
		return -1;
	}
	if (!swap(net, place, t, -1, err))
		return 0;
	if (err->code != EBUSY)
		return -1;
	link = xdplink_find(t->a.id, t->a.ifindex, &t->a.link);
	if (link < 0)
		return xdp_taken(net, t, EBUSY, " by a link that cannot be found: whoever made it must remove it",
				 err);
	if (t->a.ours)
		remove_pin(place, &t->a);
	sys_link_detach(link);
	close(link);
	return 0;
}

/* ---------------------------------------------------------------- attach */

static int make(struct bpfstamp_net *net, const struct hook_place *place, const struct xdp_there *t, int fd,
		struct bpfstamp_err *err)
{
	enum bpfstamp_xdp_mode mode = place->hook->xdp_mode;

	if (place->hook->pin)
		return xdplink_create(net, place, fd, mode, &t->pin, err);
	return set(net, place, fd, XDP_FLAGS_UPDATE_IF_NOEXIST | xdp_mode_flag(mode), -1, err);
}

/* Two steps, with no program between them. */
static int exchange(struct bpfstamp_net *net, const struct hook_place *place, struct xdp_there *t, int fd,
		    struct bpfstamp_err *err)
{
	struct bpfstamp_err ignored;

	if (evict(net, place, t, err))
		return -1;
	if (!make(net, place, t, fd, err))
		return 0;
	if (xdp_pinned(t) && t->prog >= 0)
		xdplink_create(net, place, t->prog, t->a.xdp_mode, &t->pin, &ignored);
	else if (t->a.link)
		err_hint(err, "; link %u, which was there, is detached", t->a.link);
	else if (t->prog >= 0)
		set(net, place, t->prog, XDP_FLAGS_UPDATE_IF_NOEXIST | xdp_mode_flag(t->a.xdp_mode), -1, &ignored);
	return -1;
}

static int replace(struct bpfstamp_net *net, const struct hook_place *place, struct xdp_there *t, int fd,
		   struct bpfstamp_err *err)
{
	const struct bpfstamp_hook *hook = place->hook;
	bool same_mode = hook->xdp_mode == BPFSTAMP_XDP_ANY || hook->xdp_mode == t->a.xdp_mode;

	if (is_kept(place, t))
		return xdp_taken(net, t, EEXIST, " already, which is kept", err);
	if (may_replace(net, place, t, err))
		return -1;
	if (same_mode && hook->pin && xdp_pinned(t))
		return xdplink_update(t->pin.fd, place->dev, fd, t->prog, err);
	if (same_mode && !hook->pin) {
		if (!swap(net, place, t, fd, err))
			return 0;
		if (err->code != EBUSY)
			return -1;
		if (!hook->force)
			return held_by_link(net, t, err);
	}
	return exchange(net, place, t, fd, err);
}

/* EAGAIN where what is there has changed on the way. */
static int attach_once(struct bpfstamp_net *net, const struct hook_place *place, int fd, struct bpfstamp_err *err)
{
	struct xdp_there t = { .prog = -1, .pin = { .fd = -1 } };
	struct bpfstamp_err why;
	int ret;

	if (!place->hook->pin) {
		if (!make(net, place, &t, fd, err))
			return 0;
		if (err->code != EBUSY && err->code != EEXIST)
			return -1;
		why = *err;
	}
	if (xdp_look(net, place, &t, err))
		return -1;
	if (t.a.id) {
		ret = replace(net, place, &t, fd, err);
	} else if (place->hook->pin) {
		ret = make(net, place, &t, fd, err);
	} else {
		*err = why;
		err->code = EAGAIN;
		ret = -1;
	}
	xdp_forget(&t);
	return ret;
}

/* What has been attached; the mode is the kernel's choice, where the caller left it. */
static void describe_new(struct bpfstamp_net *net, const struct hook_place *place, int fd, const char *name,
			 struct bpfstamp_attachment *out)
{
	struct bpfstamp_err ignored;
	struct link_info link;
	struct linkpin pin;

	*out = (struct bpfstamp_attachment){
		.type = BPFSTAMP_XDP, .ifindex = place->ifindex, .direction = BPFSTAMP_INGRESS,
		.xdp_mode = place->hook->xdp_mode,
	};
	snprintf(out->dev, sizeof(out->dev), "%s", place->dev);
	snprintf(out->name, sizeof(out->name), "%s", name);
	out->ours = true;
	links_describe_program(out, fd);
	if (!out->xdp_mode && !link_find(&net->rtnl, place->ifindex, NULL, &link, &ignored))
		out->xdp_mode = xdp_mode_of(&link, out->id);
	if (place->hook->pin && !xdplink_open(place->hook->pin, &pin, &ignored)) {
		if (pin.kind == LINKPIN_LINK)
			xdp_describe_pin(out, place->hook->pin, pin.link.id);
		linkpin_close(&pin);
	}
}

static int attach(struct bpfstamp_net *net, const struct hook_place *place, int fd, const char *name,
		  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	int ret = -1;

	/* Now, because with force room is made before the kernel can say no. */
	if (hook_wrong_type(BPFSTAMP_XDP, fd, name, err))
		return -1;
	for (int attempt = 0; attempt < XDP_ATTEMPTS; attempt++) {
		ret = attach_once(net, place, fd, err);
		if (!ret || err->code != EAGAIN)
			break;
	}
	if (ret) {
		err->code = err->code == EAGAIN ? EBUSY : err->code;
		return -1;
	}
	if (out)
		describe_new(net, place, fd, name, out);
	return 0;
}

/* ---------------------------------------------------------------- detach */

/* The kernel's name of a program is cut and has no dots. */
static bool has_name(const struct bpfstamp_attachment *a, const char *program)
{
	char name[16];

	sys_name(name, program);
	return !strcmp(a->name, program) || !strcmp(a->name, name);
}

/* What is not at an interface any more has no mode either. */
static bool is_meant(const struct bpfstamp_attachment *a, const struct bpfstamp_hook *hook)
{
	return a->id && (hook->xdp_mode == BPFSTAMP_XDP_ANY || !a->ifindex || hook->xdp_mode == a->xdp_mode) &&
	       (!hook->id || hook->id == a->id) && (!hook->program || has_name(a, hook->program));
}

static int none_meant(const struct hook_place *place, const struct link_info *link, struct bpfstamp_err *err)
{
	if (!link->xdp.skb && !link->xdp.drv && !link->xdp.hw)
		return err_set(err, ENOENT, "XDP of %s has no program", place->dev);
	return err_set(err, ENOENT, "XDP of %s has no program of that id, name or mode", place->dev);
}

/* The one program of bpfstamp that is meant or, where none is bpfstamp's, the only one at all. */
static int choose(struct bpfstamp_net *net, const struct hook_place *place, struct xdp_there *t,
		  struct bpfstamp_err *err)
{
	struct xdp_there found = { .prog = -1, .pin = { .fd = -1 } };
	struct link_info link;
	bool several = false;

	if (link_find(&net->rtnl, place->ifindex, NULL, &link, err))
		return err_wrap(err, "%s is gone", place->dev);
	for (enum bpfstamp_xdp_mode mode = BPFSTAMP_XDP_GENERIC; mode <= BPFSTAMP_XDP_OFFLOAD; mode++) {
		struct xdp_there one = { .prog = -1, .pin = { .fd = -1 } };

		xdp_describe(&one, &link, mode);
		if (!is_meant(&one.a, place->hook) || (found.a.id && found.a.ours && !one.a.ours)) {
			xdp_forget(&one);
			continue;
		}
		several = found.a.id && found.a.ours == one.a.ours;
		xdp_forget(&found);
		found = one;
	}
	if (!found.a.id)
		return none_meant(place, &link, err);
	if (several) {
		xdp_forget(&found);
		return err_set(err, ENOTUNIQ, "XDP of %s has several programs: say which one by --xdp-mode or --id",
			       place->dev);
	}
	*t = found;
	return 0;
}

static int detach_once(struct bpfstamp_net *net, const struct hook_place *place, bool dry,
		       struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct xdp_there t;
	int ret = 0;

	if (choose(net, place, &t, err))
		return -1;
	if (!t.a.ours && !place->hook->force)
		ret = not_ours(net, &t, err);
	else if (!dry)
		ret = evict(net, place, &t, err);
	xdp_forget(&t);
	if (!ret)
		*out = t.a;
	return ret;
}

static void describe_defunct(struct xdp_there *t, const char *pin)
{
	t->a = (struct bpfstamp_attachment){ .type = BPFSTAMP_XDP, .direction = BPFSTAMP_INGRESS };
	links_describe_by_id(&t->a, t->pin.link.program);
	xdp_describe_pin(&t->a, pin, t->pin.link.id);
}

static int detach_pinned(struct bpfstamp_net *net, const struct hook_place *place, bool dry,
			 struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct xdp_there t;
	int ret = 0;

	if (xdp_look(net, place, &t, err))
		return -1;
	if (t.pin.kind == LINKPIN_NONE)
		ret = err_set(err, ENOENT, "no link is pinned at %s", place->hook->pin);
	else if (xdp_defunct(&t))
		describe_defunct(&t, place->hook->pin);
	if (!ret && !is_meant(&t.a, place->hook))
		ret = err_set(err, ENOENT, "the link pinned at %s holds program %u '%s' in %s mode, not the one "
			      "asked for", place->hook->pin, t.a.id, t.a.name, xdp_mode_name(t.a.xdp_mode));
	if (!ret && !dry)
		ret = xdplink_remove(&t.pin, place->hook->pin, err);
	xdp_forget(&t);
	if (!ret)
		*out = t.a;
	return ret;
}

static int detach(struct bpfstamp_net *net, const struct hook_place *place, bool dry,
		  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	if (place->hook->pin)
		return detach_pinned(net, place, dry, out, err);
	for (int attempt = 0; attempt < XDP_ATTEMPTS; attempt++) {
		if (!detach_once(net, place, dry, out, err))
			return 0;
		if (err->code != EAGAIN)
			return -1;
	}
	err->code = EBUSY;
	return -1;
}

const struct hook_ops hook_xdp = { .check = check, .attach = attach, .detach = detach };

/* ------------------------------------------------------------------ show */

int hook_xdp_show(const struct hook_show *show, const struct link_info *link, struct bpfstamp_err *err)
{
	static const enum bpfstamp_xdp_mode order[] = {
		BPFSTAMP_XDP_OFFLOAD, BPFSTAMP_XDP_NATIVE, BPFSTAMP_XDP_GENERIC,
	};

	for (int i = 0; i < 3; i++) {
		struct xdp_there t = { .prog = -1, .pin = { .fd = -1 } };

		if (!xdp_program_of(link, order[i]))
			continue;
		xdp_describe(&t, link, order[i]);
		xdp_forget(&t);
		xdp_find_link(show->net, &t.a);
		if (hook_tell(show, &t.a, err))
			return -1;
	}
	return 0;
}
