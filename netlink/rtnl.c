// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel answers rtnetlink while the request is being sent, so an answer
 * is complete or in the making by the time anything can be read.  Every talk
 * therefore begins by emptying the socket without waiting: that removes what
 * an earlier talk left when it failed half-way, ends its dump (the kernel
 * refuses a second one beside it) and clears a pending ENOBUFS.  After that,
 * only messages from the kernel (a sender of port 0; who has CAP_NET_ADMIN may
 * write to our port) that bear our port and the number of this request are
 * looked at.
 *
 * A talk ends with the acknowledgement, which is always asked for, or with the
 * end of the dump; data before it goes to the caller's function, and whatever
 * follows it is not looked at.  Whatever makes an answer incomplete is an
 * error, never a shorter answer: a lost message (ENOBUFS), a datagram longer
 * than the buffer (EMSGSIZE) or that is not made of whole messages (EBADMSG), a
 * table that changed under a dump (EINTR).  A request that changes something is
 * never sent twice here, because the kernel may have done it although the answer
 * was lost; one that asks for a single object is, since to ask again is the same
 * as to have asked later.  A dump, half of which the caller may have taken, is
 * the caller's to begin anew.
 *
 * A signal never ends a talk, and neither do others' messages; so that these
 * cannot prolong one for ever, and nothing waits for a kernel that owes an
 * answer (none is known to), it ends with ETIMEDOUT when no message of the answer
 * has come for PATIENCE.  The socket wakes us up then (SO_RCVTIMEO), which
 * costs nothing as long as answers come.
 *
 * The buffer is 32 KiB: the kernel makes the parts of a dump as large as the
 * reader's buffer but no larger than that, and the answer to a single request
 * about a filter, a qdisc or a link is a page or two.  To peek at the size
 * first would cost one more system call a datagram and gain nothing.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "loader/err.h"
#include "netlink/inside.h"
#include "netlink/rtnl.h"
#include "netlink/tcmsg.h"

#define RECEIVE_BUFFER 32768
#define PATIENCE 10		/* seconds */
#define GET_ATTEMPTS 10

static int open_failed(struct mnl_socket *socket, const char *what, struct bpfstamp_err *err)
{
	err_set(err, errno, "%s: %s", what, strerror(errno));
	if (socket)
		mnl_socket_close(socket);
	return -1;
}

static int open_socket(void *arg, struct bpfstamp_err *err)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC), **out = arg;
	const struct timeval patience = { .tv_sec = PATIENCE };
	int one = 1;

	if (!socket)
		return open_failed(NULL, "open a netlink socket", err);
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return open_failed(socket, "bind a netlink socket", err);
	mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	*out = socket;
	return 0;
}

int rtnl_open(struct rtnl *rtnl, int netns_fd, struct bpfstamp_err *err)
{
	struct mnl_socket *socket;

	if (inside(netns_fd, open_socket, &socket, err))
		return -1;
	*rtnl = (struct rtnl){ .socket = socket, .portid = mnl_socket_get_portid(socket) };
	return 0;
}

void rtnl_close(struct rtnl *rtnl)
{
	if (rtnl->socket)
		mnl_socket_close(rtnl->socket);
	rtnl->socket = NULL;
}

static int64_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* One datagram of the kernel's, whole; its length, or -1 with errno: EAGAIN where none came in time. */
static ssize_t receive(const struct rtnl *rtnl, void *buffer, int flags)
{
	int64_t start = seconds();
	struct sockaddr_nl from;
	struct iovec iov = { .iov_base = buffer, .iov_len = RECEIVE_BUFFER };
	struct msghdr msg;
	ssize_t n;

	while (seconds() - start <= PATIENCE) {
		msg = (struct msghdr){
			.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
		};
		n = recvmsg(mnl_socket_get_fd(rtnl->socket), &msg, flags);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0)
			continue;
		if (!(msg.msg_flags & MSG_TRUNC))
			return n;
		errno = EMSGSIZE;
		return -1;
	}
	errno = EAGAIN;
	return -1;
}

/* What others keep sending does not keep us here. */
static void discard_old(const struct rtnl *rtnl, void *buffer)
{
	while (receive(rtnl, buffer, MSG_DONTWAIT) >= 0 || errno == ENOBUFS || errno == EMSGSIZE)
		;
}

/* EINTR is told before the kernel has seen the request. */
static int send_request(const struct rtnl *rtnl, const struct nlmsghdr *request)
{
	while (mnl_socket_sendto(rtnl->socket, request, request->nlmsg_len) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return 0;
}

static bool is_get(const struct nlmsghdr *request)
{
	return (request->nlmsg_type & 3) == 2;
}

/* The bits of NLM_F_DUMP mean something else in other than GET requests, whose types are 2 modulo 4. */
static bool is_dump(const struct nlmsghdr *request)
{
	return is_get(request) && request->nlmsg_flags & NLM_F_DUMP;
}

struct talk {
	const struct rtnl *rtnl;
	const struct nlmsghdr *request;
	rtnl_fn *fn;
	void *arg;
	bool dump;
	char what[256];
};

static int lost(const struct talk *talk, struct bpfstamp_err *err)
{
	return err_set(err, talk->dump ? EINTR : ENOBUFS, "%s: the kernel's answer was lost, try again (%s)",
		       talk->what, strerror(ENOBUFS));
}

static int refused(const struct talk *talk, int code, const char *text, uint32_t attr_offset,
		   struct bpfstamp_err *err)
{
	const char *name = attr_offset ? tcmsg_attr_name(talk->request, attr_offset) : NULL;

	if (text)
		err_set(err, code, "%s: %s (%s)", talk->what, text, strerror(code));
	else
		err_set(err, code, "%s: %s", talk->what, strerror(code));
	if (name)
		err_hint(err, "; attribute %s", name);
	else if (attr_offset)
		err_hint(err, "; attribute at byte %u of the request", attr_offset);
	return -1;
}

static int malformed(const struct talk *talk, struct bpfstamp_err *err)
{
	return err_set(err, EBADMSG, "%s: malformed answer of the kernel", talk->what);
}

/* Take one message of the answer: 1 where it is the last, 0 where more follow, -1 with *err. */
static int take(const struct talk *talk, const struct nlmsghdr *nlh, struct bpfstamp_err *err)
{
	uint32_t attr_offset;
	const char *text;
	int code;

	if (nlh->nlmsg_seq != talk->rtnl->seq || nlh->nlmsg_pid != talk->rtnl->portid)
		return 0;
	if (talk->dump && nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		return err_set(err, EINTR, "%s: the table changed during the dump, try again", talk->what);
	switch (nlh->nlmsg_type) {
	case NLMSG_NOOP:
		return 0;
	case NLMSG_OVERRUN:
		return lost(talk, err);
	case NLMSG_ERROR:
	case NLMSG_DONE:
		if (tcmsg_parse_error(nlh, &code, &text, &attr_offset) < 0)
			return malformed(talk, err);
		return code ? refused(talk, code, text, attr_offset, err) : 1;
	default:
		return talk->fn ? talk->fn(nlh, talk->arg, err) : 0;
	}
}

/* A whole message is there; mnl_nlmsg_ok (libmnl 1.0.4) takes 2 GiB and more for less than nothing. */
static bool is_whole(const struct nlmsghdr *nlh, uint32_t left)
{
	return left >= sizeof(*nlh) && nlh->nlmsg_len >= sizeof(*nlh) && nlh->nlmsg_len <= left;
}

/* Take the messages of one datagram, as take() does each. */
static int take_datagram(const struct talk *talk, const char *buffer, uint32_t size, struct bpfstamp_err *err)
{
	const struct nlmsghdr *nlh;
	int status;

	for (uint32_t at = 0; at < size; at += NLMSG_ALIGN(nlh->nlmsg_len)) {
		nlh = (const void *)(buffer + at);
		if (!is_whole(nlh, size - at))
			return malformed(talk, err);
		status = take(talk, nlh, err);
		if (status)
			return status;
	}
	return 0;
}

static int take_answer(const struct talk *talk, void *buffer, struct bpfstamp_err *err)
{
	int status = 0;
	ssize_t n;

	while (!status) {
		n = receive(talk->rtnl, buffer, 0);
		if (n < 0 && errno == ENOBUFS)
			return lost(talk, err);
		if (n < 0 && errno == EAGAIN)
			return err_set(err, ETIMEDOUT, "%s: the kernel has not answered for %d seconds", talk->what,
				       PATIENCE);
		if (n < 0)
			return err_set(err, errno, "%s: receive the answer: %s", talk->what, strerror(errno));
		status = take_datagram(talk, buffer, (uint32_t)n, err);
	}
	return status < 0 ? -1 : 0;
}

static int ask(struct talk *talk, struct rtnl *rtnl, struct nlmsghdr *request, struct bpfstamp_err *err)
{
	char buffer[RECEIVE_BUFFER] __attribute__((aligned(4)));

	discard_old(rtnl, buffer);
	request->nlmsg_seq = ++rtnl->seq;
	request->nlmsg_pid = rtnl->portid;
	if (send_request(rtnl, request) < 0)
		return err_set(err, errno, "%s: send the request: %s", talk->what, strerror(errno));
	return take_answer(talk, buffer, err);
}

int rtnl_talk(struct rtnl *rtnl, struct nlmsghdr *request, rtnl_fn *fn, void *arg, struct bpfstamp_err *err,
	      const char *what, ...)
{
	struct talk talk = { .rtnl = rtnl, .request = request, .fn = fn, .arg = arg, .dump = is_dump(request) };
	int attempts = is_get(request) && !talk.dump ? GET_ATTEMPTS : 1, status;
	va_list args;

	va_start(args, what);
	vsnprintf(talk.what, sizeof(talk.what), what, args);
	va_end(args);
	if (!talk.dump)
		request->nlmsg_flags |= NLM_F_ACK;
	do
		status = ask(&talk, rtnl, request, err);
	while (status && err->code == ENOBUFS && --attempts);
	return status;
}
