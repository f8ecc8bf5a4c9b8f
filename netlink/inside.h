/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doing something inside another network namespace.
 */
#ifndef NETLINK_INSIDE_H
#define NETLINK_INSIDE_H

#include "include/bpfstamp.h"

typedef int inside_fn(void *arg, struct bpfstamp_err *err);

/*
 * Call fn where the network namespace is netns_fd's; -1: the calling thread's
 * own, in which case it is simply called.  Returns what fn returns, or -1 with
 * *err where the namespace cannot be entered.
 */
int inside(int netns_fd, inside_fn *fn, void *arg, struct bpfstamp_err *err);

#endif
