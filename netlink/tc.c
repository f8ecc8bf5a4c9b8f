// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each operation is tried at once in the form that usually succeeds, and looks
 * at what is there only after the kernel said no: one message to create a
 * clsact or a filter, one more to find out whether what is in the way will do.
 *
 * clsact and ingress share one place on an interface and the same handle, so
 * the kernel's EEXIST does not tell which of them is there; and on `ingress` it
 * takes a filter for egress without a word and runs it on ingress.  Only the
 * kind of the qdisc tells, and only clsact is accepted.
 *
 * A place of a filter is (interface, parent, chain, prio, protocol, handle).  A
 * prio belongs to one protocol and one kind of classifier.  RTM_GETTFILTER
 * without a kind answers for any of them; for a handle that is not there it
 * says ENOENT, for a prio of another protocol, a chain or a qdisc that is not
 * there EINVAL.  All of these mean that nothing stands at that place, and
 * become ENOENT.
 *
 * A dump is collected whole before anybody sees a part of it, since a dump that
 * the kernel interrupts begins anew.  It holds what was there at some time
 * during the dump; to keep others from changing it is up to the caller.
 *
 * The hints name what a user can do about the errors that do not explain
 * themselves.  Shared blocks (one set of filters for several interfaces) are
 * not handled.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "loader/err.h"
#include "netlink/tc.h"

#define DUMP_ATTEMPTS 10
#define CLSACT_ATTEMPTS 10

#define NO_CLSACT "the kernel lacks clsact (module sch_ingress, CONFIG_NET_SCH_INGRESS)"
#define NO_CLS_BPF "the kernel lacks bpf filters (module cls_bpf, CONFIG_NET_CLS_BPF)"

/* missing: what ENOENT means for this operation, or NULL. */
static int hint(struct bpfstamp_err *err, const char *missing)
{
	if (err->code == EPERM)
		return err_hint(err, "; needs CAP_NET_ADMIN in the namespace of the interface");
	if (err->code == ENODEV)
		return err_hint(err, "; the interface is gone, or is in another network namespace");
	if (err->code == ENOENT && missing)
		return err_hint(err, "; %s", missing);
	return -1;
}

static const char *direction(uint32_t parent)
{
	if (parent == TC_H_MAKE(TC_H_CLSACT, TC_INGRESS))
		return "ingress";
	return parent == TC_H_MAKE(TC_H_CLSACT, TC_EGRESS) ? "egress" : "in another qdisc";
}

struct answer {
	void *out;
	bool seen;
};

static int take_qdisc(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	struct answer *answer = arg;

	(void)err;
	answer->seen |= tcmsg_parse_qdisc(nlh, answer->out) == 0;
	return 0;
}

static int take_filter(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	struct answer *answer = arg;

	(void)err;
	answer->seen |= tcmsg_parse_filter(nlh, answer->out) == 0;
	return 0;
}

/* What stands in the place of clsact; ENOENT where it is free. */
static int clsact_look(struct rtnl *rtnl, int ifindex, const char *dev, struct tc_qdisc *q,
		       struct bpfstamp_err *err)
{
	struct answer answer = { .out = q };
	uint32_t buf[TCMSG_BUFFER / 4];
	int status = rtnl_talk(rtnl, tcmsg_clsact_get(buf, ifindex), take_qdisc, &answer, err,
			       "look up clsact of %s", dev);

	if (status == 0 && answer.seen)
		return 0;
	if (status == 0 || err->code == EINVAL)
		return err_set(err, ENOENT, "%s has no clsact", dev);
	return -1;
}

/* clsact is already there, or what else is in its place is an error; ENOENT where it is gone again. */
static int clsact_accept(struct rtnl *rtnl, int ifindex, const char *dev, struct bpfstamp_err *err)
{
	struct tc_qdisc q;

	if (clsact_look(rtnl, ifindex, dev, &q, err) < 0)
		return -1;
	if (strcmp(q.kind, "clsact") != 0)
		return err_set(err, EEXIST, "add clsact to %s: a qdisc '%s' is in its place", dev, q.kind);
	return 0;
}

int tc_clsact_ensure(struct rtnl *rtnl, int ifindex, const char *dev, bool *created, struct bpfstamp_err *err)
{
	uint32_t buf[TCMSG_BUFFER / 4];
	struct nlmsghdr *request = tcmsg_clsact_new(buf, ifindex);

	for (unsigned int attempt = 1; attempt <= CLSACT_ATTEMPTS; attempt++) {
		if (rtnl_talk(rtnl, request, NULL, NULL, err, "add clsact to %s", dev) == 0) {
			*created = true;
			return 0;
		}
		if (err->code != EEXIST)
			return hint(err, NO_CLSACT);
		if (clsact_accept(rtnl, ifindex, dev, err) == 0) {
			*created = false;
			return 0;
		}
		if (err->code != ENOENT)
			return hint(err, NULL);
	}
	return err_set(err, EAGAIN, "add clsact to %s: somebody keeps adding and deleting it", dev);
}

/* With EINVAL the kernel may mean another qdisc, or (some kernels) that nothing is there. */
int tc_clsact_delete(struct rtnl *rtnl, int ifindex, const char *dev, struct bpfstamp_err *err)
{
	uint32_t buf[TCMSG_BUFFER / 4];
	struct bpfstamp_err look;
	struct tc_qdisc q;

	if (rtnl_talk(rtnl, tcmsg_clsact_del(buf, ifindex), NULL, NULL, err, "delete clsact of %s", dev) == 0)
		return 0;
	if (err->code == EINVAL && clsact_look(rtnl, ifindex, dev, &q, &look) < 0 && look.code == ENOENT)
		*err = look;
	return hint(err, NULL);
}

static int check_place(const struct tc_filter *f, const char *what, const char *dev, struct bpfstamp_err *err)
{
	if (f->prio && f->protocol && f->handle)
		return 0;
	return err_set(err, EINVAL, "%s %s: a prio, a protocol and a handle must be given", what, dev);
}

/* The kernel's echo is the proof of what it did; where none came, it is asked. */
int tc_filter_set(struct rtnl *rtnl, const struct tc_filter *f, bool exclusive, const char *dev,
		  struct tc_filter *out, struct bpfstamp_err *err)
{
	struct tc_filter echo;
	struct answer answer = { .out = &echo };
	uint32_t buf[TCMSG_BUFFER / 4];

	if (check_place(f, "set the filter of", dev, err) < 0)
		return -1;
	if (rtnl_talk(rtnl, tcmsg_filter_new(buf, f, exclusive), take_filter, &answer, err,
		      "%s filter on %s %s, prio %u handle 0x%x", exclusive ? "add" : "set", dev,
		      direction(f->parent), f->prio, f->handle) < 0)
		return hint(err, NO_CLS_BPF);
	if (!answer.seen && tc_filter_find(rtnl, f, dev, &echo, err) < 0)
		return -1;
	*out = echo;
	return 0;
}

int tc_filter_find(struct rtnl *rtnl, const struct tc_filter *f, const char *dev, struct tc_filter *out,
		   struct bpfstamp_err *err)
{
	struct tc_filter any = *f, found;
	struct answer answer = { .out = &found };
	uint32_t buf[TCMSG_BUFFER / 4];

	any.kind[0] = '\0';
	if (rtnl_talk(rtnl, tcmsg_filter_get(buf, &any), take_filter, &answer, err,
		      "look up filter of %s %s, prio %u handle 0x%x", dev, direction(f->parent), f->prio,
		      f->handle) < 0 && err->code != ENOENT && err->code != EINVAL)
		return hint(err, NULL);
	if (!answer.seen)
		return err_set(err, ENOENT, "%s %s has no filter of prio %u handle 0x%x", dev,
			       direction(f->parent), f->prio, f->handle);
	*out = found;
	return 0;
}

/* With EINVAL the kernel may mean that another kind is there, or that nothing is, not even the qdisc. */
int tc_filter_delete(struct rtnl *rtnl, const struct tc_filter *f, const char *dev, struct bpfstamp_err *err)
{
	uint32_t buf[TCMSG_BUFFER / 4];
	struct bpfstamp_err look;
	struct tc_filter found;

	if (check_place(f, "delete the filter of", dev, err) < 0)
		return -1;
	if (rtnl_talk(rtnl, tcmsg_filter_del(buf, f), NULL, NULL, err,
		      "delete filter of %s %s, prio %u handle 0x%x", dev, direction(f->parent), f->prio,
		      f->handle) == 0)
		return 0;
	if (err->code == EINVAL && tc_filter_find(rtnl, f, dev, &found, &look) < 0 && look.code == ENOENT)
		*err = look;
	return hint(err, NULL);
}

/* What a dump has brought so far. */
struct list {
	void *items;
	size_t count, room;
};

/* Append *item of that size. */
static int list_append(struct list *list, const void *item, size_t size, struct bpfstamp_err *err)
{
	size_t room = list->room ? 2 * list->room : 16;
	void *items;

	if (list->count == list->room) {
		items = realloc(list->items, room * size);
		if (!items)
			return err_set(err, ENOMEM, "no memory for a dump of %zu entries", room);
		list->items = items;
		list->room = room;
	}
	memcpy((char *)list->items + list->count++ * size, item, size);
	return 0;
}

static int list_filter(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	struct tc_filter f;

	if (tcmsg_parse_filter(nlh, &f) < 0)
		return err_set(err, EBADMSG, "malformed filter in the kernel's answer");
	return list_append(arg, &f, sizeof(f), err);
}

static int list_qdisc(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	struct tc_qdisc q;

	if (tcmsg_parse_qdisc(nlh, &q) < 0)
		return err_set(err, EBADMSG, "malformed qdisc in the kernel's answer");
	return list_append(arg, &q, sizeof(q), err);
}

/* Fill *list by a dump that nothing interrupted; list->items is the caller's to free, also after -1. */
static int collect(struct rtnl *rtnl, struct nlmsghdr *request, rtnl_fn *fn, struct list *list,
		   struct bpfstamp_err *err, const char *what, const char *dev)
{
	for (unsigned int attempt = 1;; attempt++) {
		list->count = 0;
		if (rtnl_talk(rtnl, request, fn, list, err, "%s %s", what, dev) == 0)
			return 0;
		if (err->code != EINTR || attempt == DUMP_ATTEMPTS)
			return hint(err, NULL);
	}
}

static int collect_filters(struct rtnl *rtnl, int ifindex, uint32_t parent, const char *dev,
			   struct list *list, struct bpfstamp_err *err)
{
	uint32_t buf[TCMSG_BUFFER / 4];
	struct nlmsghdr *request = tcmsg_filter_dump(buf, ifindex, parent);

	return collect(rtnl, request, list_filter, list, err, "list filters of", dev);
}

/*
 * A prio without filters counts, too: classifiers exist that need none to do
 * something.
 */
int tc_clsact_empty(struct rtnl *rtnl, int ifindex, const char *dev, bool *empty, struct bpfstamp_err *err)
{
	static const enum tc_direction both[] = { TC_INGRESS, TC_EGRESS };
	struct list list = { 0 };
	size_t found = 0;
	int status = 0;

	for (size_t i = 0; i < 2 && status == 0; i++) {
		status = collect_filters(rtnl, ifindex, TC_H_MAKE(TC_H_CLSACT, both[i]), dev, &list, err);
		found += list.count;
	}
	if (status == 0)
		*empty = found == 0;
	free(list.items);
	return status;
}

/* No classifier gives a filter the handle 0; a message with it announces a prio. */
int tc_filter_each(struct rtnl *rtnl, int ifindex, uint32_t parent, const char *dev, tc_filter_fn *fn,
		   void *arg, struct bpfstamp_err *err)
{
	struct list list = { 0 };
	const struct tc_filter *f;
	int status = collect_filters(rtnl, ifindex, parent, dev, &list, err);

	f = list.items;
	for (size_t i = 0; i < list.count && status == 0; i++) {
		if (f[i].handle)
			status = fn(&f[i], arg, err);
	}
	free(list.items);
	return status;
}

/* The kernel dumps the qdiscs of all interfaces, whichever was asked for. */
int tc_qdisc_each(struct rtnl *rtnl, int ifindex, tc_qdisc_fn *fn, void *arg, struct bpfstamp_err *err)
{
	uint32_t buf[TCMSG_BUFFER / 4];
	struct list list = { 0 };
	const struct tc_qdisc *q;
	int status = collect(rtnl, tcmsg_qdisc_dump(buf, ifindex), list_qdisc, &list, err, "list", "qdiscs");

	q = list.items;
	for (size_t i = 0; i < list.count && status == 0; i++) {
		if (ifindex == 0 || q[i].ifindex == ifindex)
			status = fn(&q[i], arg, err);
	}
	free(list.items);
	return status;
}
