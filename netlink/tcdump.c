// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel makes a dump a datagram at a time, and between two of them others
 * may change the table.  For filters it neither prevents that nor tells it
 * (there is no NLM_F_DUMP_INTR of them): it goes on after as many prios and
 * filters as it has told, by their number.  So where one that was told has been
 * deleted, the next one is passed over; where one was added in front, as bpf
 * filters are, the last one is told twice.
 *
 * A short answer comes in one datagram, and is taken as it is.  A longer one is
 * asked for again.  Three that are equal and tell nothing twice are taken: to be
 * wrong, all would have to pass over the same filters, by the same changes at the
 * same moments.  (Of two that happened: datagrams of one size put the same filters at
 * risk each time.)  Else what was seen in any of them is collected, until dumps bring
 * nothing new any more (QUIET of them, or MOST in all): to stay unseen, a filter
 * would have to be passed over by every one of them.  The last dump is then the
 * list, each filter once; and what only earlier ones told is asked for one by one,
 * which tells whether it was deleted or passed over.  Such a filter is put behind
 * the others of its prio.
 *
 * Reading a table three times that nobody changes costs some milliseconds for
 * thousands of filters, and nothing for those few that an interface has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "loader/err.h"
#include "netlink/dump.h"
#include "netlink/tcdump.h"

#define EQUAL 3
#define QUIET 2
#define MOST 10
#define SHORT 2048	/* bytes: the smallest datagram of a dump is nearly a page, and has had room for more */

static int read_filter(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	if (tcmsg_parse_filter(nlh, arg) < 0)
		return err_set(err, EBADMSG, "malformed filter in the kernel's answer");
	return 0;
}

static struct dump no_filters(void)
{
	return (struct dump){ .size = sizeof(struct tc_filter), .read = read_filter };
}

static struct tc_filter *items(const struct dump *dump)
{
	return dump->items;
}

static int fill(struct dump *dump, struct rtnl *rtnl, struct nlmsghdr *request, const char *dev,
		struct bpfstamp_err *err)
{
	return dump_fill(dump, rtnl, request, err, "list filters of ", dev);
}

/* ---------------------------------------------------------------- compare */

static int order(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* By what names a filter, within one interface and parent. */
static int compare(const void *x, const void *y)
{
	const struct tc_filter *a = x, *b = y;
	int by = order(a->chain, b->chain);

	by = by ? by : order(a->prio, b->prio);
	by = by ? by : order(a->protocol, b->protocol);
	by = by ? by : order(a->handle, b->handle);
	return by ? by : strcmp(a->kind, b->kind);
}

static void sort(struct dump *list)
{
	if (list->count)
		qsort(list->items, list->count, list->size, compare);
}

static bool has(const struct dump *sorted, const struct tc_filter *f)
{
	return sorted->count && bsearch(f, sorted->items, sorted->count, sizeof(*f), compare);
}

static bool equal(const struct dump *a, const struct dump *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (compare(&items(a)[i], &items(b)[i]))
			return false;
	return true;
}

/* ------------------------------------------------------------------ merge */

static int copy(struct dump *to, const struct dump *from, struct bpfstamp_err *err)
{
	to->count = 0;
	for (size_t i = 0; i < from->count; i++)
		if (dump_append(to, &items(from)[i], err))
			return -1;
	return 0;
}

/* Add to all, which is sorted, what of a dump it has not; *added tells whether there was such. */
static int collect(struct dump *all, const struct dump *now, bool *added, struct bpfstamp_err *err)
{
	struct dump sorted = *all;	/* dump_append() changes all, but not its first items */
	size_t known = all->count;

	for (size_t i = 0; i < now->count; i++) {
		sorted.items = all->items;
		if (!has(&sorted, &items(now)[i]) && dump_append(all, &items(now)[i], err))
			return -1;
	}
	*added = all->count > known;
	if (*added)
		sort(all);
	return 0;
}

/* Keep the first of equal filters, in their order. */
static int drop_repeated(struct dump *list, struct bpfstamp_err *err)
{
	struct dump sorted = no_filters();
	size_t kept = 0;
	bool *told;

	if (copy(&sorted, list, err)) {
		free(sorted.items);
		return -1;
	}
	sort(&sorted);
	told = calloc(sorted.count + 1, sizeof(*told));
	for (size_t i = 0; told && i < list->count; i++) {
		const struct tc_filter *f = bsearch(&items(list)[i], sorted.items, sorted.count, sizeof(*f), compare);
		size_t at = (size_t)(f - items(&sorted));

		if (!told[at])
			items(list)[kept++] = items(list)[i];
		told[at] = true;
	}
	free(sorted.items);
	if (!told)
		return err_set(err, ENOMEM, "no memory for a dump of %zu entries", list->count);
	free(told);
	list->count = kept;
	return 0;
}

/* Behind the last of its chain and prio, else at the end. */
static int insert(struct dump *list, const struct tc_filter *f, struct bpfstamp_err *err)
{
	size_t at = list->count;

	while (at > 0 && (items(list)[at - 1].chain != f->chain || items(list)[at - 1].prio != f->prio))
		at--;
	at = at ? at : list->count;
	if (dump_append(list, f, err))
		return -1;
	memmove(&items(list)[at + 1], &items(list)[at], (list->count - 1 - at) * sizeof(*f));
	items(list)[at] = *f;
	return 0;
}

/* What all has and now has not: the kernel tells whether it is still there. */
static int settle(struct rtnl *rtnl, const char *dev, const struct dump *all, struct dump *now,
		  struct bpfstamp_err *err)
{
	struct dump sorted = no_filters();
	uint32_t buf[TCMSG_BUFFER / 4];
	int status = copy(&sorted, now, err);

	sort(&sorted);
	for (size_t i = 0; i < all->count && !status; i++) {
		struct tc_filter f = items(all)[i];

		if (!f.handle || has(&sorted, &f))
			continue;
		status = rtnl_talk(rtnl, tcmsg_filter_get(buf, &f), read_filter, &f, err, "look up a filter of %s",
				   dev);
		if (!status)
			status = insert(now, &f, err);
		else if (err->code == ENOENT || err->code == EINVAL || err->code == ENODEV)
			status = 0;
	}
	free(sorted.items);
	return status;
}

/* A dump that was wrong, or differed from the one before it: go on until what was seen is all. */
static int merge(struct rtnl *rtnl, struct nlmsghdr *request, const char *dev, struct dump *all, struct dump *now,
		 struct bpfstamp_err *err)
{
	unsigned int quiet = 0;
	bool added;

	if (drop_repeated(all, err))
		return -1;
	sort(all);
	for (unsigned int dumps = 2;; dumps++) {
		if (drop_repeated(now, err) || collect(all, now, &added, err))
			return -1;
		quiet = added ? 0 : quiet + 1;
		if (quiet == QUIET || dumps == MOST)
			break;
		if (fill(now, rtnl, request, dev, err))
			return -1;
	}
	return settle(rtnl, dev, all, now, err);
}

int tcdump_filters(struct rtnl *rtnl, struct nlmsghdr *request, const char *dev, struct tc_filter **out,
		   size_t *count, struct bpfstamp_err *err)
{
	struct dump first = no_filters(), now = no_filters();
	int status = fill(&now, rtnl, request, dev, err);
	size_t told;

	if (!status && now.bytes > SHORT) {
		first = now;
		now = no_filters();
	}
	for (int dumps = 1; !status && first.count && dumps < EQUAL; dumps++) {
		status = fill(&now, rtnl, request, dev, err);
		told = now.count;
		if (!status)
			status = drop_repeated(&now, err);
		if (!status && (now.count != told || !equal(&first, &now))) {
			status = merge(rtnl, request, dev, &first, &now, err);
			break;
		}
	}
	free(first.items);
	if (status) {
		free(now.items);
		return -1;
	}
	*out = now.items;
	*count = now.count;
	return 0;
}
