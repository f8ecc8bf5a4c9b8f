/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bpfstamp does with clsact and bpf filters, each in as few messages as
 * it takes.
 */
#ifndef NETLINK_TC_H
#define NETLINK_TC_H

#include "netlink/rtnl.h"
#include "netlink/tcmsg.h"

/*
 * dev, in all of these, is how errors call the interface.  A lost answer
 * (ENOBUFS) is looked into: it is returned only where it is not known, after a
 * second try, that the change was made.
 */

/*
 * See that the interface has a clsact qdisc: create it, or accept the one that
 * is there; *created tells which.  Another qdisc in its place (`ingress`) is
 * an error (EEXIST) and stays untouched.
 */
int tc_clsact_ensure(struct rtnl *rtnl, int ifindex, const char *dev, bool *created,
		     struct bpfstamp_err *err);

/* The two steps of that: create it (EEXIST where a qdisc is in its place), and see that the one there is clsact. */
int tc_clsact_create(struct rtnl *rtnl, int ifindex, const char *dev, struct bpfstamp_err *err);
int tc_clsact_accept(struct rtnl *rtnl, int ifindex, const char *dev, struct bpfstamp_err *err);

/* What qdisc stands in the place of clsact, be it clsact or another; ENOENT where there is none. */
int tc_clsact_find(struct rtnl *rtnl, int ifindex, const char *dev, struct tc_qdisc *out, struct bpfstamp_err *err);

/*
 * Delete the clsact qdisc, and with it every filter on it; ENOENT where there
 * is none.  Another qdisc in its place is an error and stays untouched.  It is
 * not tried twice: ENOBUFS tells that a clsact is there, and who has to count
 * filters counts again.
 */
int tc_clsact_delete(struct rtnl *rtnl, int ifindex, const char *dev, struct bpfstamp_err *err);

/* How many filters are on both directions of clsact, or at least prios that have none; 0: it is empty. */
int tc_clsact_count(struct rtnl *rtnl, int ifindex, const char *dev, size_t *count, struct bpfstamp_err *err);

/* The shared block that a parent of filters has in place of its own, or 0. */
uint32_t tc_block_of(const struct tc_qdisc *q, uint32_t parent);

/*
 * Create the filter f (exclusive: EEXIST where it exists), or replace it.  *out
 * is the filter as the kernel echoes it; out may be f, or NULL, and then no echo is
 * asked for.  prio, protocol and handle must not be 0 (EINVAL), here and in
 * tc_filter_delete: the kernel would choose them, or take them for all.  The
 * program's id, which f->id_of tells, tells it from others where the answer was lost.
 */
int tc_filter_set(struct rtnl *rtnl, const struct tc_filter *f, bool exclusive, const char *dev,
		  struct tc_filter *out, struct bpfstamp_err *err);

/* Delete the filter of f's place and kind; ENOENT where there is none.  f->id, or 0, is the program's id. */
int tc_filter_delete(struct rtnl *rtnl, const struct tc_filter *f, const char *dev, struct bpfstamp_err *err);

/*
 * Find what stands at f's block, or ifindex and parent, its prio, protocol, handle and chain,
 * whatever its kind: 0 with *out, or -1 (ENOENT where there is nothing, also
 * where the prio belongs to another protocol, or there is no clsact or block).
 */
int tc_filter_find(struct rtnl *rtnl, const struct tc_filter *f, const char *dev, struct tc_filter *out,
		   struct bpfstamp_err *err);

/*
 * tc_clsact_find and tc_filter_find by one send: each has an error of its own,
 * whose code is 0 where it was found.  f is no filter of a block.
 */
void tc_find_both(struct rtnl *rtnl, const struct tc_filter *f, const char *dev, struct tc_qdisc *qdisc,
		  struct bpfstamp_err *no_qdisc, struct tc_filter *filter, struct bpfstamp_err *no_filter);

/* The highest prio of f's block, or ifindex and parent, in f's chain, of whatever kind; 0 where there is none. */
int tc_prio_last(struct rtnl *rtnl, const struct tc_filter *f, const char *dev, uint16_t *prio,
		 struct bpfstamp_err *err);

typedef int tc_filter_fn(const struct tc_filter *f, void *arg, struct bpfstamp_err *err);
typedef int tc_qdisc_fn(const struct tc_qdisc *q, void *arg, struct bpfstamp_err *err);

/*
 * Call fn with each filter of an interface's parent, or of a shared block; with
 * each qdisc of an interface (0: of all).  A dump that the kernel interrupts is
 * started anew before fn has seen any of it.  An interface, a parent or a block
 * that does not exist has no filters; that is no error.  Filters of a shared
 * block are also a parent's that has the block in place of its own.
 */
int tc_filter_each(struct rtnl *rtnl, int ifindex, uint32_t parent, const char *dev, tc_filter_fn *fn,
		   void *arg, struct bpfstamp_err *err);
int tc_block_each(struct rtnl *rtnl, uint32_t block, tc_filter_fn *fn, void *arg, struct bpfstamp_err *err);
int tc_qdisc_each(struct rtnl *rtnl, int ifindex, tc_qdisc_fn *fn, void *arg, struct bpfstamp_err *err);

/* Whether any interface of the namespace has that shared block: the kernel is asked for all qdiscs. */
int tc_block_exists(struct rtnl *rtnl, uint32_t block, bool *exists, struct bpfstamp_err *err);

/*
 * Put behind an error what a user can do about it; missing: what ENOENT means
 * for the operation, or NULL.  Returns -1.
 */
int tc_hint(struct bpfstamp_err *err, const char *missing);

#endif
