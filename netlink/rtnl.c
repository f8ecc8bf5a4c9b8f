// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel answers rtnetlink while the request is being sent, so an answer
 * is complete or in the making by the time anything can be read.  The socket is
 * connected to the kernel, which gives it a port, and keeps out what other processes
 * may send there (who has CAP_NET_ADMIN may, to others).  Beyond that, only
 * messages from the kernel (a sender of port 0) that bear our port, as its first
 * answer told it, and the number of a request of this talk are looked at.
 *
 * An answer ends with the acknowledgement, with the end of the dump, or with the
 * only message that there is to it; data before goes to the caller's function, and
 * whatever follows is not looked at.  A talk that did not come to such an end, or
 * was a dump, leaves the socket unclean, and the next one begins by emptying it
 * without waiting: that removes what is left, ends a dump that was abandoned (the
 * kernel refuses a second one beside it) and clears a pending ENOBUFS.
 *
 * Whatever makes an answer incomplete is an error, never a shorter answer: a lost
 * message (ENOBUFS), a datagram longer than the buffer (EMSGSIZE) or that is not
 * made of whole messages (EBADMSG), a table that changed under a dump (EINTR).  A
 * request that changes something is never sent twice here, because the kernel may
 * have done it although the answer was lost; one that asks for a single object is,
 * since to ask again is the same as to have asked later.  A dump, half of which the
 * caller may have taken, is the caller's to begin anew.
 *
 * A signal never ends a talk, and neither do others' messages; so that these
 * cannot prolong one for ever, and nothing waits for a kernel that owes an
 * answer (none is known to), it ends with ETIMEDOUT when no message of the answer
 * has come for PATIENCE.  No clock is read, and the socket is not told to wake us
 * up (SO_RCVTIMEO), before there is something to wait for.
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
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int one = 1;

	if (!socket)
		return open_failed(NULL, "open a netlink socket", err);
	if (connect(mnl_socket_get_fd(socket), (const void *)&kernel, sizeof(kernel)) < 0)
		return open_failed(socket, "connect a netlink socket", err);
	mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &one, sizeof(one));
	*out = socket;
	return 0;
}

int rtnl_open(struct rtnl *rtnl, int netns_fd, struct bpfstamp_err *err)
{
	struct mnl_socket *socket;

	if (inside(netns_fd, open_socket, &socket, err))
		return -1;
	*rtnl = (struct rtnl){ .socket = socket };
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

/* What is not there yet, as no answer is known to be, is waited for as long as the socket lets us. */
static ssize_t wait_for(int fd, struct msghdr *msg)
{
	const struct timeval patience = { .tv_sec = PATIENCE };
	ssize_t n = recvmsg(fd, msg, MSG_DONTWAIT);

	if (n >= 0 || errno != EAGAIN)
		return n;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return recvmsg(fd, msg, 0);
}

/* One datagram of the kernel's, whole; its length, or -1 with errno: EAGAIN where none came in time. */
static ssize_t receive(const struct rtnl *rtnl, void *buffer)
{
	struct sockaddr_nl from;
	struct iovec iov = { .iov_base = buffer, .iov_len = RECEIVE_BUFFER };
	struct msghdr msg;
	int64_t start = 0;
	ssize_t n;

	for (;;) {
		msg = (struct msghdr){
			.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
		};
		n = wait_for(mnl_socket_get_fd(rtnl->socket), &msg);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n >= 0 && msg.msg_namelen == sizeof(from) && from.nl_pid == 0)
			break;
		start = start ? start : seconds();
		if (seconds() - start <= PATIENCE)
			continue;
		errno = EAGAIN;
		return -1;
	}
	if (!(msg.msg_flags & MSG_TRUNC))
		return n;
	errno = EMSGSIZE;
	return -1;
}

/* What others keep sending does not keep us here. */
static void discard_old(struct rtnl *rtnl, void *buffer)
{
	int64_t start = seconds();

	while (recv(mnl_socket_get_fd(rtnl->socket), buffer, RECEIVE_BUFFER, MSG_DONTWAIT) >= 0 ||
	       errno == ENOBUFS || errno == EINTR) {
		if (seconds() - start > PATIENCE)
			return;
	}
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

/*
 * What the kernel answers with one message, or with an error.  These are known to; others may be silent where
 * memory is short (RTM_GETQDISC), and need an acknowledgement.
 */
static bool is_single(const struct nlmsghdr *request)
{
	return !is_dump(request) && (request->nlmsg_type == RTM_GETTFILTER || request->nlmsg_type == RTM_GETLINK);
}

/* Requests that were sent together; those that are answered are passed over. */
struct talk {
	struct rtnl *rtnl;
	struct rtnl_request *requests;
	size_t count, left;	/* left: that are not answered */
	uint32_t first;		/* number of the first */
	bool torn;		/* more of the answers may come */
};

static void end(struct talk *talk, struct rtnl_request *r, int status)
{
	r->status = status;
	r->answered = true;
	talk->left--;
}

/* All that are not answered fail. */
__attribute__((format(printf, 3, 4)))
static void fail(struct talk *talk, int code, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	talk->torn = true;
	for (size_t i = 0; i < talk->count; i++) {
		if (!talk->requests[i].answered)
			end(talk, &talk->requests[i], err_set(talk->requests[i].err, code, "%s", text));
	}
}

static void fail_lost(struct talk *talk)
{
	fail(talk, is_dump(talk->requests->message) ? EINTR : ENOBUFS,
	     "the kernel's answer was lost, try again (%s)", strerror(ENOBUFS));
}

static void fail_malformed(struct talk *talk)
{
	fail(talk, EBADMSG, "malformed answer of the kernel");
}

static int refused(const struct rtnl_request *r, int code, const char *text, uint32_t attr_offset)
{
	const char *name = attr_offset ? tcmsg_attr_name(r->message, attr_offset) : NULL;

	if (text)
		err_set(r->err, code, "%s (%s)", text, strerror(code));
	else
		err_set(r->err, code, "%s", strerror(code));
	if (name)
		err_hint(r->err, "; attribute %s", name);
	else if (attr_offset)
		err_hint(r->err, "; attribute at byte %u of the request", attr_offset);
	return -1;
}

static void take_end(struct talk *talk, struct rtnl_request *r, const struct nlmsghdr *nlh)
{
	uint32_t attr_offset;
	const char *text;
	int code;

	if (tcmsg_parse_error(nlh, &code, &text, &attr_offset) < 0)
		fail_malformed(talk);
	else if (code == ENOBUFS && is_dump(r->message))	/* no room for its first part */
		fail_lost(talk);
	else
		end(talk, r, code ? refused(r, code, text, attr_offset) : 0);
}

static void take_data(struct talk *talk, struct rtnl_request *r, const struct nlmsghdr *nlh)
{
	int status = r->fn ? r->fn(nlh, r->arg, r->err) : 0;

	if (status)
		talk->torn = true;
	if (status || is_single(r->message))
		end(talk, r, status);
}

/* Take one message, if it is of an answer that is waited for. */
static void take(struct talk *talk, const struct nlmsghdr *nlh)
{
	uint32_t at = nlh->nlmsg_seq - talk->first;
	struct rtnl *rtnl = talk->rtnl;
	struct rtnl_request *r;

	if (at >= talk->count || talk->requests[at].answered || (rtnl->portid && nlh->nlmsg_pid != rtnl->portid))
		return;
	r = &talk->requests[at];
	rtnl->portid = nlh->nlmsg_pid;
	if (is_dump(r->message) && nlh->nlmsg_flags & NLM_F_DUMP_INTR) {
		fail(talk, EINTR, "the table changed during the dump, try again");
		return;
	}
	switch (nlh->nlmsg_type) {
	case NLMSG_NOOP:
		break;
	case NLMSG_OVERRUN:
		fail_lost(talk);
		break;
	case NLMSG_ERROR:
	case NLMSG_DONE:
		take_end(talk, r, nlh);
		break;
	default:
		take_data(talk, r, nlh);
	}
}

/* A whole message is there; mnl_nlmsg_ok (libmnl 1.0.4) takes 2 GiB and more for less than nothing. */
static bool is_whole(const struct nlmsghdr *nlh, uint32_t left)
{
	return left >= sizeof(*nlh) && nlh->nlmsg_len >= sizeof(*nlh) && nlh->nlmsg_len <= left;
}

/* Take the messages of one datagram, up to the last that is waited for. */
static void take_datagram(struct talk *talk, const char *buffer, uint32_t size)
{
	const struct nlmsghdr *nlh;

	for (uint32_t at = 0; at < size && talk->left; at += NLMSG_ALIGN(nlh->nlmsg_len)) {
		nlh = (const void *)(buffer + at);
		if (!is_whole(nlh, size - at)) {
			fail_malformed(talk);
			return;
		}
		take(talk, nlh);
	}
}

static void take_answers(struct talk *talk, void *buffer)
{
	ssize_t n;

	while (talk->left) {
		n = receive(talk->rtnl, buffer);
		if (n >= 0)
			take_datagram(talk, buffer, (uint32_t)n);
		else if (errno == ENOBUFS)
			fail_lost(talk);
		else if (errno == EAGAIN)
			fail(talk, ETIMEDOUT, "the kernel has not answered for %d seconds", PATIENCE);
		else
			fail(talk, errno, "receive the answer: %s", strerror(errno));
	}
}

/* EINTR is told before the kernel has seen anything. */
static ssize_t send_all(int fd, const struct iovec *iov, size_t count)
{
	const struct msghdr msg = { .msg_iov = (struct iovec *)iov, .msg_iovlen = count };
	ssize_t n;

	do
		n = count == 1 ? sendto(fd, iov->iov_base, iov->iov_len, 0, NULL, 0) : sendmsg(fd, &msg, 0);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Those that are not answered, in their order. */
static ssize_t send_requests(struct talk *talk)
{
	struct iovec iov[RTNL_REQUESTS];
	size_t count = 0;

	for (size_t i = 0; i < talk->count; i++) {
		struct nlmsghdr *message = talk->requests[i].message;

		if (talk->requests[i].answered)
			continue;
		message->nlmsg_seq = talk->first + (uint32_t)i;
		if (!is_dump(message) && !is_single(message))
			message->nlmsg_flags |= NLM_F_ACK;
		iov[count++] = (struct iovec){ .iov_base = message, .iov_len = NLMSG_ALIGN(message->nlmsg_len) };
	}
	return send_all(mnl_socket_get_fd(talk->rtnl->socket), iov, count);
}

static void ask(struct talk *talk)
{
	char buffer[RECEIVE_BUFFER] __attribute__((aligned(4)));
	struct rtnl *rtnl = talk->rtnl;

	if (rtnl->unclean)
		discard_old(rtnl, buffer);
	rtnl->unclean = true;
	talk->first = rtnl->seq + 1;
	rtnl->seq += (uint32_t)talk->count;
	if (send_requests(talk) < 0)
		fail(talk, errno, "send the request: %s", strerror(errno));
	take_answers(talk, buffer);
	rtnl->unclean = talk->torn || is_dump(talk->requests->message);
}

/* Have those asked for again that can be, after a lost answer; how many they are. */
static size_t again(const struct talk *talk)
{
	size_t count = 0;

	for (size_t i = 0; i < talk->count; i++) {
		struct rtnl_request *r = &talk->requests[i];

		if (!r->status || r->err->code != ENOBUFS || !is_get(r->message) || is_dump(r->message))
			continue;
		r->answered = false;
		count++;
	}
	return count;
}

/* So that the kernel leaves out of a dump what was not asked for; nothing else needs it. */
static void be_strict(struct rtnl *rtnl)
{
	int one = 1;

	if (!rtnl->strict)
		mnl_socket_setsockopt(rtnl->socket, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	rtnl->strict = true;
}

int rtnl_talk_all(struct rtnl *rtnl, struct rtnl_request *requests, size_t count)
{
	struct talk talk = { .rtnl = rtnl, .requests = requests, .count = count, .left = count };
	int attempts = GET_ATTEMPTS;

	if (is_dump(requests->message))
		be_strict(rtnl);
	for (size_t i = 0; i < count; i++)
		requests[i].answered = false;
	do {
		talk.torn = false;
		ask(&talk);
		talk.left = again(&talk);
	} while (talk.left && --attempts);
	for (size_t i = 0; i < count; i++) {
		if (requests[i].status)
			return -1;
	}
	return 0;
}

int rtnl_talk(struct rtnl *rtnl, struct nlmsghdr *request, rtnl_fn *fn, void *arg, struct bpfstamp_err *err,
	      const char *what, ...)
{
	struct rtnl_request r = { .message = request, .fn = fn, .arg = arg, .err = err };
	char text[256];
	va_list args;

	if (!rtnl_talk_all(rtnl, &r, 1))
		return 0;
	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	return err_wrap(err, "%s", text);
}
