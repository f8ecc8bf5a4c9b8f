/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A dump of the kernel, collected whole before anybody sees a part of it.
 */
#ifndef NETLINK_DUMP_H
#define NETLINK_DUMP_H

#include "netlink/rtnl.h"

struct dump {
	size_t size;		/* of an item */
	rtnl_fn *read;		/* reads a message into arg, an item */
	void *items;		/* the owner's to free, also after a failure */
	size_t count, room;
	size_t bytes;		/* of the messages that the items were read from */
};

/*
 * Fill *dump with all that request asks for.  What the kernel interrupts begins
 * anew, 10 times at most.  Errors begin with what and of.
 */
int dump_fill(struct dump *dump, struct rtnl *rtnl, struct nlmsghdr *request, struct bpfstamp_err *err,
	      const char *what, const char *of);

/* Put a copy of *item behind the others. */
int dump_append(struct dump *dump, const void *item, struct bpfstamp_err *err);

#endif
