// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel answers rtnetlink while the request is being sent, so an answer
 * is complete or in the making by the time anything can be read.  Every talk
 * therefore begins by emptying the socket without waiting: that removes what
 * an earlier talk left when it failed half-way, ends its dump (the kernel
 * refuses a second one beside it) and clears a pending ENOBUFS.  After that,
 * only messages from the kernel (a sender of port 0; any process may write to
 * our port) that bear our port and the number of this request are looked at.
 *
 * A talk ends with the acknowledgement, which is always asked for, or with the
 * end of the dump; data before it goes to the caller's function.  Whatever
 * makes an answer incomplete is an error, never a shorter answer: a lost
 * message (ENOBUFS), a datagram longer than the buffer (EMSGSIZE), a table that
 * changed under a dump (EINTR).  Nothing is sent twice here, because the kernel
 * may have done what was asked although its answer was lost.
 *
 * The buffer is 32 KiB: the kernel makes the parts of a dump as large as the
 * reader's buffer but no larger than that, and the answer to a single request
 * about a filter, a qdisc or a link is a page or two.  To peek at the size
 * first would cost one more system call a datagram and gain nothing.
 *
 * A socket belongs to the namespace of the thread that makes it.  To make one
 * elsewhere, a thread is started that enters that namespace, makes the socket
 * and ends.  The caller's own thread never leaves its namespace, and so cannot
 * fail to return to it (it may lack the right to: a user namespace's root can
 * enter the network namespaces it owns, but not the one it was started in).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "loader/err.h"
#include "netlink/rtnl.h"
#include "netlink/tcmsg.h"

#define RECEIVE_BUFFER 32768
#define ALTERNATIVE_NAME_SIZE 128	/* ALTIFNAMSIZ in the kernel's include/linux/if.h */

struct opening {
	int netns_fd;
	int code;	/* errno, 0: socket is open */
	const char *failed;
	struct mnl_socket *socket;
};

static void open_failed(struct opening *o, const char *what)
{
	o->code = errno;
	o->failed = what;
	if (o->socket)
		mnl_socket_close(o->socket);
}

static void open_socket(struct opening *o)
{
	int one = 1;

	o->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!o->socket) {
		open_failed(o, "open a netlink socket");
		return;
	}
	if (mnl_socket_bind(o->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		open_failed(o, "bind a netlink socket");
		return;
	}
	mnl_socket_setsockopt(o->socket, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(o->socket, NETLINK_CAP_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(o->socket, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
}

static void *open_there(void *arg)
{
	struct opening *o = arg;

	if (setns(o->netns_fd, CLONE_NEWNET) < 0)
		open_failed(o, "enter the network namespace");
	else
		open_socket(o);
	return NULL;
}

/* The thread takes no signals: a handler must not find itself in the other namespace. */
static void open_in_thread(struct opening *o)
{
	sigset_t all, before;
	pthread_t thread;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&thread, NULL, open_there, o);
	if (errno)
		open_failed(o, "start a thread for the network namespace");
	else
		pthread_join(thread, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int rtnl_open(struct rtnl *rtnl, int netns_fd, struct bpfstamp_err *err)
{
	struct opening o = { .netns_fd = netns_fd };

	if (netns_fd < 0)
		open_socket(&o);
	else
		open_in_thread(&o);
	if (o.code)
		return err_set(err, o.code, "%s: %s", o.failed, strerror(o.code));
	*rtnl = (struct rtnl){ .socket = o.socket, .portid = mnl_socket_get_portid(o.socket) };
	return 0;
}

void rtnl_close(struct rtnl *rtnl)
{
	if (rtnl->socket)
		mnl_socket_close(rtnl->socket);
	rtnl->socket = NULL;
}

/* One datagram of the kernel's, whole; its length, or -1 with errno. */
static ssize_t receive(const struct rtnl *rtnl, void *buffer, int flags)
{
	struct sockaddr_nl from;
	struct iovec iov = { .iov_base = buffer, .iov_len = RECEIVE_BUFFER };
	struct msghdr msg;
	ssize_t n;

	for (;;) {
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
}

static void discard_old(const struct rtnl *rtnl, void *buffer)
{
	while (receive(rtnl, buffer, MSG_DONTWAIT) >= 0 || errno == ENOBUFS || errno == EMSGSIZE)
		;
}

static int send_request(const struct rtnl *rtnl, const struct nlmsghdr *request)
{
	while (mnl_socket_sendto(rtnl->socket, request, request->nlmsg_len) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return 0;
}

/* The bits of NLM_F_DUMP mean something else in other than GET requests, whose types are 2 modulo 4. */
static bool is_dump(const struct nlmsghdr *request)
{
	return (request->nlmsg_type & 3) == 2 && request->nlmsg_flags & NLM_F_DUMP;
}

struct talk {
	const struct rtnl *rtnl;
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
	if (text)
		return err_set(err, code, "%s: %s (%s)", talk->what, text, strerror(code));
	err_set(err, code, "%s: %s", talk->what, strerror(code));
	if (attr_offset)
		err_hint(err, " (attribute at byte %u of the request)", attr_offset);
	return -1;
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
			return err_set(err, EBADMSG, "%s: malformed answer of the kernel", talk->what);
		return code ? refused(talk, code, text, attr_offset, err) : 1;
	default:
		return talk->fn ? talk->fn(nlh, talk->arg, err) : 0;
	}
}

static int take_answer(const struct talk *talk, void *buffer, struct bpfstamp_err *err)
{
	const struct nlmsghdr *nlh;
	int left, status;
	ssize_t n;

	for (;;) {
		n = receive(talk->rtnl, buffer, 0);
		if (n < 0 && errno == ENOBUFS)
			return lost(talk, err);
		if (n < 0)
			return err_set(err, errno, "%s: receive the answer: %s", talk->what, strerror(errno));
		left = (int)n;
		for (nlh = buffer; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			status = take(talk, nlh, err);
			if (status)
				return status < 0 ? -1 : 0;
		}
	}
}

int rtnl_talk(struct rtnl *rtnl, struct nlmsghdr *request, rtnl_fn *fn, void *arg, struct bpfstamp_err *err,
	      const char *what, ...)
{
	struct talk talk = { .rtnl = rtnl, .fn = fn, .arg = arg, .dump = is_dump(request) };
	char buffer[RECEIVE_BUFFER] __attribute__((aligned(4)));
	va_list args;

	va_start(args, what);
	vsnprintf(talk.what, sizeof(talk.what), what, args);
	va_end(args);
	if (!talk.dump)
		request->nlmsg_flags |= NLM_F_ACK;
	discard_old(rtnl, buffer);
	request->nlmsg_seq = ++rtnl->seq;
	request->nlmsg_pid = rtnl->portid;
	if (send_request(rtnl, request) < 0)
		return err_set(err, errno, "%s: send the request: %s", talk.what, strerror(errno));
	return take_answer(&talk, buffer, err);
}

struct link {
	int index;
	char name[IFNAMSIZ];
};

static int take_link_name(const struct nlattr *attr, void *arg)
{
	struct link *link = arg;

	if (mnl_attr_get_type(attr) != IFLA_IFNAME)
		return MNL_CB_OK;
	if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0 ||
	    mnl_attr_get_payload_len(attr) > sizeof(link->name))
		return MNL_CB_ERROR;
	strcpy(link->name, mnl_attr_get_str(attr));
	return MNL_CB_STOP;
}

static int take_link(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	struct link *link = arg;
	struct ifinfomsg info;

	if (nlh->nlmsg_type != RTM_NEWLINK || nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(info) ||
	    mnl_attr_parse(nlh, sizeof(info), take_link_name, link) != MNL_CB_STOP)
		return err_set(err, EBADMSG, "malformed description of an interface");
	memcpy(&info, mnl_nlmsg_get_payload(nlh), sizeof(info));
	link->index = info.ifi_index;
	return 0;
}

/* Ask for the link of that index, or where it is 0, of that name. */
static int get_link(struct rtnl *rtnl, int ifindex, const char *name, struct link *link,
		    struct bpfstamp_err *err)
{
	char buf[NLMSG_SPACE(sizeof(struct ifinfomsg)) + sizeof(struct nlattr) + ALTERNATIVE_NAME_SIZE]
		__attribute__((aligned(4))) = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));

	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_REQUEST;
	info->ifi_index = ifindex;
	if (!ifindex)
		mnl_attr_put_strz(request, strlen(name) < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME, name);
	return rtnl_talk(rtnl, request, take_link, link, err, "look up an interface");
}

static int no_such_device(struct bpfstamp_err *err, const char *name)
{
	return err_set(err, ENODEV, "no such device '%s'", name);
}

/*
 * The kernel looks for a short name among the alternative ones too.  Before 5.5
 * it has none, and a request by a long name names nothing: EINVAL.
 */
int rtnl_ifindex(struct rtnl *rtnl, const char *name, int *ifindex, struct bpfstamp_err *err)
{
	size_t length = strlen(name);
	struct link link = { 0 };

	if (length == 0 || length >= ALTERNATIVE_NAME_SIZE)
		return no_such_device(err, name);
	if (get_link(rtnl, 0, name, &link, err) < 0) {
		if (err->code == ENODEV || (err->code == EINVAL && length >= IFNAMSIZ))
			return no_such_device(err, name);
		return -1;
	}
	*ifindex = link.index;
	return 0;
}

int rtnl_ifname(struct rtnl *rtnl, int ifindex, char name[16], struct bpfstamp_err *err)
{
	struct link link = { 0 };

	if (ifindex <= 0)
		return err_set(err, ENODEV, "no interface has the index %d", ifindex);
	if (get_link(rtnl, ifindex, NULL, &link, err) < 0) {
		if (err->code == ENODEV)
			return err_set(err, ENODEV, "no interface has the index %d", ifindex);
		return -1;
	}
	memcpy(name, link.name, sizeof(link.name));
	return 0;
}
