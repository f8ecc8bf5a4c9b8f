/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bpfstamp does with clsact and bpf filters, each in as few messages as
 * it takes.
 */
#ifndef NETLINK_TC_H
#define NETLINK_TC_H

#include "netlink/rtnl.h"
#include "netlink/tcmsg.h"

/* dev, in all of these, is how errors call the interface. */

/*
 * See that the interface has a clsact qdisc: create it, or accept the one that
 * is there; *created tells which.  Another qdisc in its place (`ingress`) is
 * an error (EEXIST) and stays untouched.
 */
int tc_clsact_ensure(struct rtnl *rtnl, int ifindex, const char *dev, bool *created,
		     struct bpfstamp_err *err);

/*
 * Delete the clsact qdisc, and with it every filter on it; ENOENT where there
 * is none.  Another qdisc in its place is an error and stays untouched.
 */
int tc_clsact_delete(struct rtnl *rtnl, int ifindex, const char *dev, struct bpfstamp_err *err);

/* True in *empty where no filter is on either direction of clsact. */
int tc_clsact_empty(struct rtnl *rtnl, int ifindex, const char *dev, bool *empty, struct bpfstamp_err *err);

/*
 * Create the filter f (exclusive: EEXIST where it exists), or replace it.  *out
 * is the filter as the kernel echoes it; out may be f.  prio, protocol and
 * handle must not be 0 (EINVAL), here and in tc_filter_delete: the kernel would
 * choose them, or take them for all.
 */
int tc_filter_set(struct rtnl *rtnl, const struct tc_filter *f, bool exclusive, const char *dev,
		  struct tc_filter *out, struct bpfstamp_err *err);

/* Delete the filter of f's place and kind; ENOENT where there is none. */
int tc_filter_delete(struct rtnl *rtnl, const struct tc_filter *f, const char *dev, struct bpfstamp_err *err);

/*
 * Find what stands at f's ifindex, parent, prio, protocol, handle and chain,
 * whatever its kind: 0 with *out, or -1 (ENOENT where there is nothing, also
 * where the prio belongs to another protocol, or there is no clsact).
 */
int tc_filter_find(struct rtnl *rtnl, const struct tc_filter *f, const char *dev, struct tc_filter *out,
		   struct bpfstamp_err *err);

typedef int tc_filter_fn(const struct tc_filter *f, void *arg, struct bpfstamp_err *err);
typedef int tc_qdisc_fn(const struct tc_qdisc *q, void *arg, struct bpfstamp_err *err);

/*
 * Call fn with each filter of an interface's parent; with each qdisc of an
 * interface (0: of all).  A dump that the kernel interrupts is started anew
 * before fn has seen any of it.  An interface, or a parent, that does not exist
 * has no filters; that is no error.
 */
int tc_filter_each(struct rtnl *rtnl, int ifindex, uint32_t parent, const char *dev, tc_filter_fn *fn,
		   void *arg, struct bpfstamp_err *err);
int tc_qdisc_each(struct rtnl *rtnl, int ifindex, tc_qdisc_fn *fn, void *arg, struct bpfstamp_err *err);

#endif
