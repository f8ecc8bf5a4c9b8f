// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which lines of --batch mean the same place, of which one would win by chance.
 *
 * A place is a network namespace, an interface, a direction, and behind that
 * what the hook goes by: of a link the program, which is in the name of its
 * pin; of a filter prio and handle.  Hook auto may come to either, so two lines
 * must differ in both.  XDP has one place, as all these are the same there.
 *
 * Namespaces have many names, so they are compared by device and inode.  A name
 * that leads to none is compared as text: its lines will fail by themselves.
 * Each name is looked at once, and none where no line has one.  Another name of
 * an interface, or a namespace that changes its name meanwhile, is not seen.
 *
 * Rows are sorted, so that those of one place are neighbours, the first line in front.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/batch.h"

struct order {
	const struct batch_rows *rows;
	bool links;		/* places of links, or of filters */
};

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* -------------------------------------------------------------- namespaces */

/* "": that of this process. */
static const char *netns_of(const struct batch_rows *rows, const struct batch_row *row)
{
	return batchrows_text(rows, row->netns, rows->o->netns ? rows->o->netns : "");
}

static int compare_netns(const void *one, const void *other, void *arg)
{
	const struct batch_row *a = *(struct batch_row *const *)one, *b = *(struct batch_row *const *)other;

	return strcmp(netns_of(arg, a), netns_of(arg, b));
}

/* What bpfstamp_net_open opens by that name. */
static int look_at_netns(const char *netns, struct stat *st)
{
	const char *form = "/run/netns/%s";
	char path[PATH_MAX];

	if (!*netns)
		return stat("/proc/thread-self/ns/net", st);
	if (strchr(netns, '/'))
		form = "%s";
	else if (strspn(netns, "0123456789") == strlen(netns))
		form = "/proc/%s/ns/net";
	return snprintf(path, sizeof(path), form, netns) < (int)sizeof(path) ? stat(path, st) : -1;
}

static void find_netns(const struct batch_rows *rows, struct batch_row **sorted, size_t count)
{
	qsort_r(sorted, count, sizeof(*sorted), compare_netns, (void *)(uintptr_t)rows);
	for (size_t i = 0; i < count; i++) {
		struct batch_row *row = sorted[i];
		struct stat st;

		if (i && !strcmp(netns_of(rows, row), netns_of(rows, sorted[i - 1]))) {
			row->netns_dev = sorted[i - 1]->netns_dev;
			row->netns_ino = sorted[i - 1]->netns_ino;
		} else if (look_at_netns(netns_of(rows, row), &st)) {
			row->netns_dev = UINT64_MAX;	/* of no file */
			row->netns_ino = i;
		} else {
			row->netns_dev = st.st_dev;
			row->netns_ino = st.st_ino;
		}
	}
}

/* ------------------------------------------------------------------ places */

static int compare_places(const struct order *order, const struct batch_row *a, const struct batch_row *b)
{
	int by_dev = strcmp(order->rows->text + a->dev, order->rows->text + b->dev);

	if (by_dev)
		return by_dev;
	if (a->netns_dev != b->netns_dev || a->netns_ino != b->netns_ino)
		return a->netns_dev == b->netns_dev ? compare_u64(a->netns_ino, b->netns_ino) :
		       compare_u64(a->netns_dev, b->netns_dev);
	if (a->direction != b->direction)
		return compare_u64(a->direction, b->direction);
	if (order->links)
		return compare_u64(a->program, b->program);
	return a->prio == b->prio ? compare_u64(a->handle, b->handle) : compare_u64(a->prio, b->prio);
}

static int compare_rows(const void *one, const void *other, void *arg)
{
	const struct batch_row *a = *(struct batch_row *const *)one, *b = *(struct batch_row *const *)other;
	int by_place = compare_places(arg, a, b);

	return by_place ? by_place : compare_u64(a->line, b->line);
}

static void refuse_repeats(struct batch_rows *rows, struct batch_row **sorted, size_t count, bool links)
{
	struct order order = { .rows = rows, .links = links };
	struct batch_row *first = NULL;
	struct bpfstamp_err why;

	qsort_r(sorted, count, sizeof(*sorted), compare_rows, &order);
	for (size_t i = 0; i < count; i++) {
		if (!first || compare_places(&order, first, sorted[i])) {
			first = sorted[i];
			continue;
		}
		bpfstamp_err_set(&why, EEXIST, "it means the same place as line %u", first->line);
		batchrows_refuse(rows, sorted[i], &why);
	}
}

int batchplaces_check(struct batch_rows *rows, struct bpfstamp_err *err)
{
	enum bpfstamp_hook_type type = rows->o->hook.type;
	struct batch_row **sorted = malloc((rows->count + 1) * sizeof(*sorted));
	bool named = false;
	size_t count = 0;

	if (!sorted)
		return batchrows_no_room(rows, err);
	for (size_t i = 0; i < rows->count; i++) {
		if (rows->rows[i].wrong)
			continue;
		named |= rows->rows[i].netns != 0;
		sorted[count++] = &rows->rows[i];
	}
	if (named)
		find_netns(rows, sorted, count);
	if (type == BPFSTAMP_TCX || type == BPFSTAMP_NETKIT || type == BPFSTAMP_AUTO)
		refuse_repeats(rows, sorted, count, true);
	if (type != BPFSTAMP_TCX && type != BPFSTAMP_NETKIT)
		refuse_repeats(rows, sorted, count, false);
	free(sorted);
	return 0;
}
