/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of filters that is right although the kernel's dump need not be.
 */
#ifndef NETLINK_TCDUMP_H
#define NETLINK_TCDUMP_H

#include "netlink/rtnl.h"
#include "netlink/tcmsg.h"

/*
 * The filters that request (tcmsg_filter_dump) asks for, and the messages that
 * announce a prio (handle 0), in the kernel's order.  A filter that is there all
 * the time is in the list exactly once, whatever is added and deleted beside
 * it.  *out is the caller's to free; it is untouched on failure.
 */
int tcdump_filters(struct rtnl *rtnl, struct nlmsghdr *request, const char *dev, struct tc_filter **out,
		   size_t *count, struct bpfstamp_err *err);

#endif
