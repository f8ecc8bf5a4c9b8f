/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A conversation with rtnetlink: one socket, one request at a time, each
 * answered in full before the next.  Built on libmnl, which owns framing; this
 * module owns sequence numbers, retries and the kernel's error texts.
 */
#ifndef NETLINK_RTNL_H
#define NETLINK_RTNL_H

#include <stdbool.h>
#include <stdint.h>

#include "include/bpfstamp.h"

struct mnl_socket;
struct nlmsghdr;

struct rtnl {
	struct mnl_socket *socket;	/* NULL: closed */
	uint32_t seq, portid;
};

/*
 * Open a socket in the network namespace of netns_fd, or in the thread's own
 * where it is -1; the calling thread never leaves its own.  Asks for extended acknowledgements and strict
 * checking; a kernel without them is not an error.
 */
int rtnl_open(struct rtnl *rtnl, int netns_fd, struct bpfstamp_err *err);
void rtnl_close(struct rtnl *rtnl);	/* also of one that is closed or never opened ({0}) */

/* Called with each data message of an answer; returns 0 to go on, or -1 with *err to fail. */
typedef int rtnl_fn(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err);

/*
 * Send request (its seq and pid are set here; NLM_F_ACK is added where it is no
 * dump) and take the whole answer; fn may be NULL.  Foreign and stale messages
 * are passed over, and signals end nothing.  A kernel's refusal is returned as
 * -1 with err->code its errno and the text "what: the kernel's own words
 * (strerror); attribute TCA_…"; what says what was being done, e.g. "add clsact
 * to eth0".
 *
 * A dump that the kernel reports as interrupted (NLM_F_DUMP_INTR) or that lost
 * messages fails with EINTR, so that the caller, who may have consumed half of
 * it, starts anew.  Where the answer to a GET that is no dump was lost, it is
 * sent again, 10 times at most, so that fn may see the object again.  Any other
 * request whose answer was lost fails with ENOBUFS: it may or may not have been
 * done.  A datagram that is longer than the buffer fails with EMSGSIZE, one that
 * is not made of whole messages with EBADMSG, and ETIMEDOUT means that nothing
 * of the answer has come for 10 seconds: the request may have been done.
 */
int rtnl_talk(struct rtnl *rtnl, struct nlmsghdr *request, rtnl_fn *fn, void *arg,
	      struct bpfstamp_err *err, const char *what, ...)
	__attribute__((format(printf, 6, 7)));

#endif
