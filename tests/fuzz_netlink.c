// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every parser of netlink/ over arbitrary bytes, as one message in a heap block
 * of exactly its size.  A length that does not fit becomes the size of the
 * input, and the input is tried as each type of message, so that no run is
 * wasted.  Asserted: strings of an accepted message end inside their fields and
 * inside the message, an error is an errno, what is refused is not written, and
 * attributes have names of attributes.
 *
 * Then the same bytes as the kernel's side of a conversation: one byte says which
 * (enum talk), and datagrams follow, a 16-bit length in front of each, in the
 * host's byte order, whose highest bit says that it is as it is; otherwise the
 * number and the port of its messages are made those of the request, so that they are
 * looked at.  recvmsg(), recv(), sendto() and sendmsg() below stand before the C library's, also
 * for libmnl: nothing is asked of a kernel.  Asserted: a conversation ends, with an
 * error that has a code and a text or with names that end.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "netlink/linkmake.h"
#include "netlink/tc.h"
#include "netlink/tcmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int condition)
{
	if (!condition)
		abort();
}

static void qdisc(const struct nlmsghdr *nlh)
{
	struct tc_qdisc q, before;

	memset(&q, 0x5a, sizeof(q));
	before = q;
	if (tcmsg_parse_qdisc(nlh, &q) == 0)
		expect(strnlen(q.kind, sizeof(q.kind)) < sizeof(q.kind));
	else
		expect(!memcmp(&q, &before, sizeof(q)));
}

static void filter(const struct nlmsghdr *nlh)
{
	struct tc_filter f, before;

	memset(&f, 0x5a, sizeof(f));
	before = f;
	if (tcmsg_parse_filter(nlh, &f) == 0) {
		expect(strnlen(f.kind, sizeof(f.kind)) < sizeof(f.kind));
		expect(strnlen(f.name, sizeof(f.name)) < sizeof(f.name));
		expect(f.fd == -1);
		expect(!strcmp(f.kind, "bpf") || (!f.id && !f.has_tag && !f.name[0]));
	} else {
		expect(!memcmp(&f, &before, sizeof(f)));
	}
}

static void error(const struct nlmsghdr *nlh)
{
	const char *start = (const char *)nlh, *text = start;
	uint32_t offset = 1;
	int number = -1;

	if (tcmsg_parse_error(nlh, &number, &text, &offset) == 0) {
		expect(number >= 0 && number <= 4095);
		expect(!text || (text > start && text + strlen(text) < start + nlh->nlmsg_len));
	} else {
		expect(number == -1 && text == start && offset == 1);
	}
}

static void link(const struct nlmsghdr *nlh)
{
	struct link_info link, before;

	memset(&link, 0x5a, sizeof(link));
	before = link;
	if (link_parse(nlh, &link) == 0) {
		expect(*link.name && strnlen(link.name, sizeof(link.name)) < sizeof(link.name));
		expect(strnlen(link.kind, sizeof(link.kind)) < sizeof(link.kind));
		expect(!link.peer || !strcmp(link.kind, "veth") || !strcmp(link.kind, "netkit"));
		expect((!link.external && !link.port) || !strcmp(link.kind, "vxlan"));
	} else {
		expect(!memcmp(&link, &before, sizeof(link)));
	}
}

/* Every offset, and some behind the end. */
static void attributes(const struct nlmsghdr *nlh)
{
	for (uint32_t at = 0; at < nlh->nlmsg_len + 8 && at < 256; at++) {
		const char *name = tcmsg_attr_name(nlh, at);

		expect(!name || (at < nlh->nlmsg_len && !strncmp(name, "TCA_", 4)));
	}
	expect(!tcmsg_attr_name(nlh, UINT32_MAX));
}

static void parse(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {
		RTM_NEWQDISC, RTM_NEWTFILTER, NLMSG_ERROR, NLMSG_DONE, RTM_NEWLINK, RTM_GETTFILTER,
	};
	struct nlmsghdr *nlh;

	if (size < sizeof(*nlh))
		return;
	nlh = malloc(size);
	expect(nlh != NULL);
	memcpy(nlh, data, size);
	if (nlh->nlmsg_len < sizeof(*nlh) || nlh->nlmsg_len > size)
		nlh->nlmsg_len = (uint32_t)size;
	for (size_t i = 0; i <= sizeof(types) / sizeof(types[0]); i++) {
		qdisc(nlh);
		filter(nlh);
		error(nlh);
		link(nlh);
		attributes(nlh);
		if (i < sizeof(types) / sizeof(types[0]))
			nlh->nlmsg_type = types[i];
	}
	free(nlh);
}

/* ---------------------------------------------------------- conversations */

enum talk { FILTERS, QDISCS, LINKS, FIND_LINK, SET, DELETE, FIND, FIND_BOTH, ENSURE, DELETE_CLSACT, EMPTY, VETH,
	    VXLAN, ADDRESS, ROUTE, TALKS };
enum { AS_IT_IS = 0x8000, SAID_AT_MOST = 32768 };

static struct {
	const uint8_t *at;
	size_t left;
	uint32_t seq, portid;	/* of the last request */
} kernel;

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
	const struct nlmsghdr *nlh = buf;

	(void)fd; (void)flags; (void)to; (void)to_len;
	expect(len >= sizeof(*nlh) && nlh->nlmsg_len == len && len <= TCMSG_BUFFER);
	kernel.seq = nlh->nlmsg_seq;
	kernel.portid = nlh->nlmsg_pid;
	return (ssize_t)len;
}

/* Answers are to the last of them. */
ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t sent = 0;

	expect(msg->msg_iovlen > 1 && msg->msg_iovlen <= RTNL_REQUESTS);
	for (size_t i = 0; i < msg->msg_iovlen; i++)
		sent += sendto(fd, msg->msg_iov[i].iov_base, msg->msg_iov[i].iov_len, flags, NULL, 0);
	return sent;
}

ssize_t recv(int fd, void *buf, size_t size, int flags)
{
	(void)fd; (void)buf; (void)size;
	expect(flags == MSG_DONTWAIT);
	errno = EAGAIN;
	return -1;
}

/* As far as its messages are whole. */
static void make_ours(uint8_t *datagram, size_t size)
{
	struct nlmsghdr nlh;

	for (size_t at = 0; size - at >= sizeof(nlh); at += NLMSG_ALIGN(nlh.nlmsg_len)) {
		memcpy(&nlh, datagram + at, sizeof(nlh));
		nlh.nlmsg_seq = kernel.seq;
		nlh.nlmsg_pid = kernel.portid;
		memcpy(datagram + at, &nlh, sizeof(nlh));
		if (nlh.nlmsg_len < sizeof(nlh) || nlh.nlmsg_len > size - at ||
		    NLMSG_ALIGN(nlh.nlmsg_len) > size - at)
			return;
	}
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct sockaddr_nl from = { .nl_family = AF_NETLINK };
	uint16_t head;
	size_t size;

	(void)fd; (void)flags;
	errno = EAGAIN;
	if (kernel.left < sizeof(head))
		return -1;
	memcpy(&head, kernel.at, sizeof(head));
	kernel.at += sizeof(head);
	kernel.left -= sizeof(head);
	size = head & (AS_IT_IS - 1u);
	size = size < kernel.left ? size : kernel.left;
	expect(msg->msg_iov->iov_len >= SAID_AT_MOST && msg->msg_namelen == sizeof(from));
	memcpy(msg->msg_iov->iov_base, kernel.at, size);
	if (!(head & AS_IT_IS))
		make_ours(msg->msg_iov->iov_base, size);
	kernel.at += size;
	kernel.left -= size;
	memcpy(msg->msg_name, &from, sizeof(from));
	msg->msg_flags = 0;
	return (ssize_t)size;
}

static int see_filter(const struct tc_filter *f, void *arg, struct bpfstamp_err *err)
{
	(void)arg; (void)err;
	expect(strnlen(f->kind, sizeof(f->kind)) < sizeof(f->kind));
	expect(strnlen(f->name, sizeof(f->name)) < sizeof(f->name));
	return 0;
}

static int see_qdisc(const struct tc_qdisc *q, void *arg, struct bpfstamp_err *err)
{
	(void)arg; (void)err;
	expect(strnlen(q->kind, sizeof(q->kind)) < sizeof(q->kind));
	return 0;
}

static int see_link(const struct link_info *l, void *arg, struct bpfstamp_err *err)
{
	(void)arg; (void)err;
	expect(strnlen(l->name, sizeof(l->name)) < sizeof(l->name));
	return 0;
}

static int hold(struct rtnl *rtnl, enum talk which, struct bpfstamp_err *err)
{
	struct tc_filter f = {
		.ifindex = 2, .parent = 0xfffffff3, .handle = 1, .prio = 1, .protocol = 3, .kind = "bpf", .fd = 4,
		.direct_action = true, .name = "bpfstamp:prog",
	}, out;
	static const uint8_t address[16] = { 0x20, 1, 0x0d, 0xb8 };
	struct bpfstamp_err second;
	struct link_info l;
	struct tc_qdisc q;
	size_t count;
	bool flag;

	switch (which) {
	case FILTERS:
		return tc_filter_each(rtnl, 2, f.parent, "va", see_filter, NULL, err);
	case QDISCS:
		return tc_qdisc_each(rtnl, 2, see_qdisc, NULL, err);
	case LINKS:
		return link_each(rtnl, see_link, NULL, err);
	case FIND_LINK:
		return link_find(rtnl, 0, "va", &l, err);
	case SET:
		return tc_filter_set(rtnl, &f, true, "va", &out, err);
	case DELETE:
		return tc_filter_delete(rtnl, &f, "va", err);
	case FIND:
		return tc_filter_find(rtnl, &f, "va", &out, err);
	case FIND_BOTH:
		tc_find_both(rtnl, &f, "va", &q, err, &out, &second);
		expect(second.code >= 0 && (!second.code || *second.text));
		return err->code ? -1 : 0;
	case ENSURE:
		return tc_clsact_ensure(rtnl, 2, "va", &flag, err);
	case DELETE_CLSACT:
		return tc_clsact_delete(rtnl, 2, "va", err);
	case VETH:
		return linkmake_veth(rtnl, "va", "vb", -1, 0, err);
	case VXLAN:
		return linkmake_vxlan(rtnl, "va", 4789, 0, err);
	case ADDRESS:
		return linkmake_address(rtnl, 2, "va", AF_INET6, address, 64, err);
	case ROUTE:
		return linkmake_route(rtnl, 2, "va", AF_INET6, address, 32, address, err);
	default:
		return tc_clsact_count(rtnl, 2, "va", &count, err);
	}
}

static void converse(const uint8_t *data, size_t size)
{
	struct bpfstamp_err err;
	static struct rtnl rtnl;

	if (!size)
		return;
	if (!rtnl.socket)
		expect(!rtnl_open(&rtnl, -1, &err));
	kernel.at = data + 1;
	kernel.left = size - 1;
	memset(&err, 0, sizeof(err));
	if (hold(&rtnl, data[0] % TALKS, &err)) {
		expect(err.code > 0 && *err.text);
		expect(strnlen(err.text, sizeof(err.text)) < sizeof(err.text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse(data, size);
	converse(data, size);
	return 0;
}
