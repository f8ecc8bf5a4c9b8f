/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A conversation with rtnetlink: one socket, one request at a time, or some of
 * them in one send, answered in full before the next.  Built on libmnl, which owns
 * framing; this module owns sequence numbers, retries and the kernel's error texts.
 */
#ifndef NETLINK_RTNL_H
#define NETLINK_RTNL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "include/bpfstamp.h"

struct mnl_socket;
struct nlmsghdr;

struct rtnl {
	struct mnl_socket *socket;	/* NULL: closed */
	uint32_t seq;
	uint32_t portid;	/* 0 until the first answer, which tells it */
	bool strict;		/* strict checking of dumps has been asked for */
	bool unclean;		/* what is left of an answer may be in the socket */
};

/*
 * Open a socket in the network namespace of netns_fd, or in the thread's own
 * where it is -1; the calling thread never leaves its own.  Asks for extended
 * acknowledgements; a kernel without them is not an error.
 */
int rtnl_open(struct rtnl *rtnl, int netns_fd, struct bpfstamp_err *err);
void rtnl_close(struct rtnl *rtnl);	/* also of one that is closed or never opened ({0}) */

/* Called with each data message of an answer; returns 0 to go on, or -1 with *err to fail. */
typedef int rtnl_fn(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err);

/*
 * Send request (its seq is set here, and NLM_F_ACK where the end of the answer
 * would not be known without) and take the whole answer; fn may be NULL.  Foreign
 * and stale messages are passed over, and signals end nothing.  A kernel's refusal
 * is returned as -1 with err->code its errno and the text "what: the kernel's own
 * words (strerror); attribute TCA_…"; what says what was being done, e.g. "add
 * clsact to eth0", and is looked at only after a failure.
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

enum { RTNL_REQUESTS = 16 };	/* at most in one send */

struct rtnl_request {
	struct nlmsghdr *message;
	rtnl_fn *fn;
	void *arg;
	struct bpfstamp_err *err;	/* of this request; not that of another one */
	int status;			/* what became of it: 0, or -1 with *err */
	bool answered;			/* while they talk */
};

/*
 * The same with several requests, none of them a dump unless it is the only one, in
 * one send.  The kernel does one behind the other, also behind one that it
 * refused, so a request must not depend on an earlier one.  Each has a status and
 * an error of its own, without "what: "; returns -1 where any failed.  After a lost
 * answer those that are not known to be answered are as if theirs was lost.
 */
int rtnl_talk_all(struct rtnl *rtnl, struct rtnl_request *requests, size_t count);

#endif
