/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files about clsact share.
 */
#ifndef HOOK_CLSACT_H
#define HOOK_CLSACT_H

#include "hook/hook.h"
#include "netlink/tc.h"

/* What bpfstamp calls its filters begins with this, and goes on with the program's name. */
#define CLSACT_OURS "bpfstamp:"

bool clsact_is_ours(const struct tc_filter *f);

/* The parent of the filters of a direction. */
uint32_t clsact_parent(enum bpfstamp_direction direction);

/*
 * Tell of a filter as it is met at that direction of an interface; ifindex,
 * name and direction are 0 and "" where only the shared block is known.
 */
void clsact_describe(struct bpfstamp_attachment *out, const struct tc_filter *f, int ifindex, const char *name,
		     enum bpfstamp_direction direction);

/* See that the qdisc is clsact; dev is how errors call the interface. */
int clsact_check_kind(const struct tc_qdisc *q, const char *dev, struct bpfstamp_err *err);

#endif
