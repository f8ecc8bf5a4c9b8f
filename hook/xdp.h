/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What XDP programs are on an interface, in which mode, whose, and held by what.
 */
#ifndef HOOK_XDP_H
#define HOOK_XDP_H

#include "hook/linkpin.h"

enum { XDP_ATTEMPTS = 64 };	/* each that is lost was another process's success */

struct xdp_there {
	struct bpfstamp_attachment a;	/* a.id is 0 where nothing is */
	int prog;			/* fd of that program; -1 where this process may not have it */
	struct linkpin pin;		/* of hook->pin; a does not describe its link where that is defunct */
};

void xdp_forget(struct xdp_there *t);

/* Whether hook->pin leads to what is there. */
static inline bool xdp_pinned(const struct xdp_there *t)
{
	return t->pin.kind == LINKPIN_LINK && t->pin.link.ifindex;
}

/* Whether it leads to a link whose device is gone. */
static inline bool xdp_defunct(const struct xdp_there *t)
{
	return t->pin.kind == LINKPIN_LINK && !t->pin.link.ifindex;
}

/*
 * Look at the program of the link that is pinned at hook->pin or, where there is none, at the one that is in the
 * way of one of mode hook->xdp_mode.
 */
int xdp_look(struct bpfstamp_net *net, const struct hook_place *place, struct xdp_there *t, struct bpfstamp_err *err);

/* Describe the program of that mode; and which pin leads to it. */
void xdp_describe(struct xdp_there *t, const struct link_info *link, enum bpfstamp_xdp_mode mode);
void xdp_describe_pin(struct bpfstamp_attachment *a, const char *pin, uint32_t link);

/* See which link holds the program, where that can be seen. */
void xdp_find_link(struct bpfstamp_net *net, struct bpfstamp_attachment *a);

/* Fail with that code, what is there, and what can be done. */
int xdp_taken(struct bpfstamp_net *net, struct xdp_there *t, int code, const char *advice, struct bpfstamp_err *err);

/* XDP_FLAGS_…_MODE, the same to netlink and to a link; 0 where the kernel chooses. */
uint32_t xdp_mode_flag(enum bpfstamp_xdp_mode mode);
const char *xdp_mode_name(enum bpfstamp_xdp_mode mode);

/* The program that an interface has in that mode, or 0; the mode in which it has that program, or ANY. */
uint32_t xdp_program_of(const struct link_info *link, enum bpfstamp_xdp_mode mode);
enum bpfstamp_xdp_mode xdp_mode_of(const struct link_info *link, uint32_t id);

#endif
