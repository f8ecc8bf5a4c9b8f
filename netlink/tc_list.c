// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is there: dumps of filters and of qdiscs.
 *
 * A dump is collected whole before anybody sees a part of it, since a dump that
 * the kernel interrupts begins anew (of filters: netlink/tcdump.h).  It holds what
 * was there at some time during the dump; to keep others from changing it is up
 * to the caller.
 *
 * A dump of filters tells of each prio first, by a message of handle 0 (no
 * classifier gives a filter that handle), and then of its filters.  The prios
 * alone count where a place is to be empty or a free one is looked for, because
 * classifiers exist that need no filter to do something.
 *
 * The filters of a shared block are dumped for every interface that has the
 * block in place of its own filters.
 */
#include <errno.h>
#include <stdlib.h>

#include <linux/pkt_sched.h>

#include "loader/err.h"
#include "netlink/dump.h"
#include "netlink/tc.h"
#include "netlink/tcdump.h"

static int read_qdisc(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	if (tcmsg_parse_qdisc(nlh, arg) < 0)
		return err_set(err, EBADMSG, "malformed qdisc in the kernel's answer");
	return 0;
}

struct filters {
	struct tc_filter *items;
	size_t count;
};

/* Fill *list, whose items are the caller's to free, and NULL after -1. */
static int collect_filters(struct rtnl *rtnl, int ifindex, uint32_t parent, const char *dev,
			   struct filters *list, struct bpfstamp_err *err)
{
	uint32_t buf[TCMSG_BUFFER / 4];
	struct nlmsghdr *request = tcmsg_filter_dump(buf, ifindex, parent);

	*list = (struct filters){ 0 };
	return tcdump_filters(rtnl, request, dev, &list->items, &list->count, err) ? tc_hint(err, NULL) : 0;
}

static int collect_block(struct rtnl *rtnl, uint32_t block, struct filters *list, struct bpfstamp_err *err)
{
	uint32_t buf[TCMSG_BUFFER / 4];
	struct nlmsghdr *request = tcmsg_block_dump(buf, block);

	*list = (struct filters){ 0 };
	return tcdump_filters(rtnl, request, "a shared block", &list->items, &list->count, err) ?
	       tc_hint(err, NULL) : 0;
}

int tc_clsact_count(struct rtnl *rtnl, int ifindex, const char *dev, size_t *count, struct bpfstamp_err *err)
{
	static const enum tc_direction both[] = { TC_INGRESS, TC_EGRESS };
	size_t filters = 0, prios = 0;
	struct filters list;

	for (size_t i = 0; i < 2; i++) {
		if (collect_filters(rtnl, ifindex, TC_H_MAKE(TC_H_CLSACT, both[i]), dev, &list, err))
			return -1;
		for (size_t j = 0; j < list.count; j++)
			*(list.items[j].handle ? &filters : &prios) += 1;
		free(list.items);
	}
	*count = filters ? filters : prios;
	return 0;
}

int tc_prio_last(struct rtnl *rtnl, const struct tc_filter *place, const char *dev, uint16_t *prio,
		 struct bpfstamp_err *err)
{
	struct filters list;
	uint16_t last = 0;
	int status = place->block ? collect_block(rtnl, place->block, &list, err) :
		     collect_filters(rtnl, place->ifindex, place->parent, dev, &list, err);

	for (size_t i = 0; i < list.count; i++) {
		const struct tc_filter *f = &list.items[i];

		if (f->chain == place->chain && f->prio > last)
			last = f->prio;
	}
	free(list.items);
	if (status == 0)
		*prio = last;
	return status;
}

/* Call fn with each filter of a list, which is freed; status: of collecting it. */
static int each(struct filters *list, int status, tc_filter_fn *fn, void *arg, struct bpfstamp_err *err)
{
	const struct tc_filter *f = list->items;

	for (size_t i = 0; i < list->count && status == 0; i++) {
		if (f[i].handle)
			status = fn(&f[i], arg, err);
	}
	free(list->items);
	return status;
}

int tc_filter_each(struct rtnl *rtnl, int ifindex, uint32_t parent, const char *dev, tc_filter_fn *fn,
		   void *arg, struct bpfstamp_err *err)
{
	struct filters list;
	int status = collect_filters(rtnl, ifindex, parent, dev, &list, err);

	return each(&list, status, fn, arg, err);
}

int tc_block_each(struct rtnl *rtnl, uint32_t block, tc_filter_fn *fn, void *arg, struct bpfstamp_err *err)
{
	struct filters list;
	int status = collect_block(rtnl, block, &list, err);

	return each(&list, status, fn, arg, err);
}

/* The kernel dumps the qdiscs of all interfaces, whichever was asked for. */
int tc_qdisc_each(struct rtnl *rtnl, int ifindex, tc_qdisc_fn *fn, void *arg, struct bpfstamp_err *err)
{
	uint32_t buf[TCMSG_BUFFER / 4];
	struct dump dump = { .size = sizeof(struct tc_qdisc), .read = read_qdisc };
	int status = dump_fill(&dump, rtnl, tcmsg_qdisc_dump(buf, ifindex), err, "list qdiscs", "");
	const struct tc_qdisc *q = dump.items;

	if (status)
		tc_hint(err, NULL);
	for (size_t i = 0; i < dump.count && status == 0; i++) {
		if (ifindex == 0 || q[i].ifindex == ifindex)
			status = fn(&q[i], arg, err);
	}
	free(dump.items);
	return status;
}

struct search {
	uint32_t block;
	bool found;
};

static int compare_block(const struct tc_qdisc *q, void *arg, struct bpfstamp_err *err)
{
	struct search *search = arg;

	(void)err;
	search->found |= q->ingress_block == search->block || q->egress_block == search->block;
	return 0;
}

int tc_block_exists(struct rtnl *rtnl, uint32_t block, bool *exists, struct bpfstamp_err *err)
{
	struct search search = { .block = block };

	if (tc_qdisc_each(rtnl, 0, compare_block, &search, err))
		return -1;
	*exists = search.found;
	return 0;
}
