// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel makes a dump a datagram at a time, and what it lists may change
 * between two of them.  Where it says so, or where a datagram was lost, rtnl_talk
 * fails with EINTR, and what came so far is worth nothing: the dump begins anew.
 * So whoever looks at the items sees only those of a dump that was not
 * interrupted.
 *
 * That is as much as the kernel promises.  For filters it does not even say that
 * they changed; netlink/tcdump.c deals with that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "loader/err.h"
#include "netlink/dump.h"

#define ATTEMPTS 10

/* Where the next item goes, or NULL with *err. */
static void *next(struct dump *dump, struct bpfstamp_err *err)
{
	size_t room = dump->room ? 2 * dump->room : 16;
	void *items;

	if (dump->count == dump->room) {
		items = realloc(dump->items, room * dump->size);
		if (!items) {
			err_set(err, ENOMEM, "no memory for a dump of %zu entries", room);
			return NULL;
		}
		dump->items = items;
		dump->room = room;
	}
	return (char *)dump->items + dump->count * dump->size;
}

int dump_append(struct dump *dump, const void *item, struct bpfstamp_err *err)
{
	void *at = next(dump, err);

	if (!at)
		return -1;
	memcpy(at, item, dump->size);
	dump->count++;
	return 0;
}

static int take(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	struct dump *dump = arg;
	void *at = next(dump, err);

	if (!at || dump->read(nlh, at, err))
		return -1;
	dump->count++;
	dump->bytes += nlh->nlmsg_len;
	return 0;
}

int dump_fill(struct dump *dump, struct rtnl *rtnl, struct nlmsghdr *request, struct bpfstamp_err *err,
	      const char *what, const char *of)
{
	for (unsigned int attempt = 1;; attempt++) {
		dump->count = dump->bytes = 0;
		if (!rtnl_talk(rtnl, request, take, dump, err, "%s%s", what, of))
			return 0;
		if (err->code != EINTR || attempt == ATTEMPTS)
			return -1;
	}
}
