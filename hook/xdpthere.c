// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel says of an interface which programs it has in which mode, and
 * nothing else: not what a program is called, nor whether a link holds it.
 *
 * Its name, its tag and whose it is take a file descriptor of the program, which
 * takes CAP_SYS_ADMIN; without that a program is just a number, and not ours.
 *
 * Which link holds it is known of the pin that the caller gives.  Else the kernel
 * is asked to put nothing where nothing is (XDP_FLAGS_REPLACE): something is there, so it
 * refuses, with EEXIST, or before that with EBUSY because of a link.  In the latter case
 * all links are looked at.
 *
 * A link tells its interface, but not of which namespace.  That it is meant here is
 * seen by its program, which must be the one that the interface has, and has by a
 * link.  Only where links of two namespaces hold one shared program at
 * interfaces of the same index does nothing but the pin say which is meant.
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
#include "loader/record.h"
#include "loader/sys.h"

void xdp_forget(struct xdp_there *t)
{
	if (t->prog >= 0)
		close(t->prog);
	t->prog = -1;
	linkpin_close(&t->pin);
}

/* ----------------------------------------------------------------- modes */

uint32_t xdp_mode_flag(enum bpfstamp_xdp_mode mode)
{
	static const uint32_t flags[] = {
		[BPFSTAMP_XDP_GENERIC] = XDP_FLAGS_SKB_MODE, [BPFSTAMP_XDP_NATIVE] = XDP_FLAGS_DRV_MODE,
		[BPFSTAMP_XDP_OFFLOAD] = XDP_FLAGS_HW_MODE,
	};

	return flags[mode];
}

const char *xdp_mode_name(enum bpfstamp_xdp_mode mode)
{
	static const char *const names[] = { "any", "generic", "native", "offload" };

	return names[mode];
}

uint32_t xdp_program_of(const struct link_info *link, enum bpfstamp_xdp_mode mode)
{
	const uint32_t ids[] = { 0, link->xdp.skb, link->xdp.drv, link->xdp.hw };

	return ids[mode];
}

/* The mode in which an interface has that program; ANY: it has not. */
enum bpfstamp_xdp_mode xdp_mode_of(const struct link_info *link, uint32_t id)
{
	for (enum bpfstamp_xdp_mode mode = BPFSTAMP_XDP_GENERIC; mode <= BPFSTAMP_XDP_OFFLOAD; mode++)
		if (id && xdp_program_of(link, mode) == id)
			return mode;
	return BPFSTAMP_XDP_ANY;
}

/* The mode of the program that is in the way of one of mode wanted; ANY: none is. */
static enum bpfstamp_xdp_mode in_the_way(const struct link_info *link, enum bpfstamp_xdp_mode wanted)
{
	if (wanted == BPFSTAMP_XDP_OFFLOAD)
		return link->xdp.hw ? BPFSTAMP_XDP_OFFLOAD : BPFSTAMP_XDP_ANY;
	if (link->xdp.drv)
		return BPFSTAMP_XDP_NATIVE;
	return link->xdp.skb ? BPFSTAMP_XDP_GENERIC : BPFSTAMP_XDP_ANY;
}

/* ---------------------------------------------------------- what is there */

static void describe_program(struct bpfstamp_attachment *a, int fd)
{
	struct record *record = NULL;
	struct bpfstamp_err ignored;

	links_describe_program(a, fd);
	a->ours = !record_read(fd, &record, &ignored) && record;
	if (a->ours && record->program)
		snprintf(a->name, sizeof(a->name), "%s", record->program);
	record_free(record);
}

/* The program of that mode. */
void xdp_describe(struct xdp_there *t, const struct link_info *link, enum bpfstamp_xdp_mode mode)
{
	t->a = (struct bpfstamp_attachment){
		.type = BPFSTAMP_XDP, .ifindex = link->ifindex, .direction = BPFSTAMP_INGRESS,
		.id = xdp_program_of(link, mode), .xdp_mode = mode,
	};
	snprintf(t->a.dev, sizeof(t->a.dev), "%s", link->name);
	t->prog = t->a.id ? sys_prog_by_id(t->a.id) : -1;
	if (t->prog >= 0)
		describe_program(&t->a, t->prog);
}

void xdp_describe_pin(struct bpfstamp_attachment *a, const char *pin, uint32_t link)
{
	a->ours = true;
	a->link = link;
	snprintf(a->pin, sizeof(a->pin), "%s", pin);
}

static int elsewhere(const struct hook_place *place, const struct mprog_link *pinned, struct bpfstamp_err *err)
{
	return err_set(err, EAGAIN, "%s is the pin of XDP link %u, which is not on %s but on interface %u%s: choose "
		       "another --link-pin", place->hook->pin, pinned->id, place->dev, pinned->ifindex,
		       pinned->ifindex == (uint32_t)place->ifindex ? " of another network namespace" : "");
}

/* Whether a link may hold the program. */
static bool is_held(struct bpfstamp_net *net, const struct bpfstamp_attachment *a)
{
	uint32_t flags = xdp_mode_flag(a->xdp_mode) | XDP_FLAGS_REPLACE;
	struct bpfstamp_err err;

	return link_set_xdp(&net->rtnl, a->ifindex, a->dev, -1, flags, -1, &err) && err.code != EEXIST &&
	       err.code != EINVAL;
}

/* The pinned link's program, or else what is in the way of one of the mode that is wanted. */
static int look_once(struct bpfstamp_net *net, const struct hook_place *place, struct xdp_there *t,
		     struct bpfstamp_err *err)
{
	const struct bpfstamp_hook *hook = place->hook;
	const struct mprog_link *pinned = &t->pin.link;
	enum bpfstamp_xdp_mode mode;
	struct link_info link;
	bool is_here = false;

	*t = (struct xdp_there){ .prog = -1, .pin = { .fd = -1 } };
	if (hook->pin && xdplink_open(hook->pin, &t->pin, err))
		return -1;
	if (link_find(&net->rtnl, place->ifindex, NULL, &link, err)) {
		xdp_forget(t);
		return err_wrap(err, "%s is gone", place->dev);
	}
	mode = in_the_way(&link, hook->xdp_mode);
	if (xdp_pinned(t)) {
		mode = xdp_mode_of(&link, pinned->program);
		is_here = mode != BPFSTAMP_XDP_ANY && pinned->ifindex == (uint32_t)place->ifindex;
	}
	xdp_describe(t, &link, mode);
	if (!xdp_pinned(t))
		return 0;
	if (!is_here || !is_held(net, &t->a)) {
		elsewhere(place, pinned, err);
		xdp_forget(t);
		return -1;
	}
	xdp_describe_pin(&t->a, hook->pin, pinned->id);
	return 0;
}

/* A link may have got another program between the looks at it and at the interface. */
int xdp_look(struct bpfstamp_net *net, const struct hook_place *place, struct xdp_there *t, struct bpfstamp_err *err)
{
	for (int attempt = 0; attempt < XDP_ATTEMPTS; attempt++) {
		if (!look_once(net, place, t, err))
			return 0;
		if (err->code != EAGAIN)
			return -1;
	}
	err->code = EBUSY;
	return -1;
}

void xdp_find_link(struct bpfstamp_net *net, struct bpfstamp_attachment *a)
{
	int fd = a->link || !a->id || !is_held(net, a) ? -1 : xdplink_find(a->id, a->ifindex, &a->link);

	if (fd >= 0)
		close(fd);
}

int xdp_taken(struct bpfstamp_net *net, struct xdp_there *t, int code, const char *advice, struct bpfstamp_err *err)
{
	xdp_find_link(net, &t->a);
	err_set(err, code, "XDP of %s has program %u", t->a.dev, t->a.id);
	if (*t->a.name)
		err_hint(err, " '%s'", t->a.name);
	err_hint(err, " in %s mode", xdp_mode_name(t->a.xdp_mode));
	if (t->a.link)
		err_hint(err, " by link %u", t->a.link);
	return err_hint(err, "%s", advice);
}
