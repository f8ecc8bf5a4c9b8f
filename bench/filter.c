// SPDX-License-Identifier: BSD-2-Clause
/*
 * Filters by netlink without any library, because the bare contenders have none.
 *
 * A message is made anew for each call, as anybody has to do, and its answer is
 * waited for.  Answers are the kernel's: an error code and nothing else.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/filter.h"

struct message {
	struct nlmsghdr header;
	struct tcmsg tc;
	char attributes[128];
};

static void *put(struct message *m, unsigned short type, const void *bytes, unsigned short size)
{
	struct rtattr *attr = (struct rtattr *)((char *)m + NLMSG_ALIGN(m->header.nlmsg_len));

	attr->rta_type = type;
	attr->rta_len = (unsigned short)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attr), bytes, size);
	m->header.nlmsg_len = NLMSG_ALIGN(m->header.nlmsg_len) + RTA_ALIGN(attr->rta_len);
	return attr;
}

static void begin(struct message *m, unsigned short type, unsigned short flags, int ifindex)
{
	memset(m, 0, sizeof(*m));
	m->header.nlmsg_len = NLMSG_LENGTH(sizeof(m->tc));
	m->header.nlmsg_type = type;
	m->header.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | flags);
	m->tc.tcm_ifindex = ifindex;
}

static int ask(int sock, const struct message *m)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char text[256];
	} answer;

	if (send(sock, m, m->header.nlmsg_len, 0) < 0 || recv(sock, &answer, sizeof(answer), 0) < 0)
		return -1;
	errno = -answer.error.error;
	return answer.error.error ? -1 : 0;
}

int filter_open(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

int filter_clsact(int sock, int ifindex)
{
	struct message m;

	begin(&m, RTM_NEWQDISC, NLM_F_EXCL, ifindex);
	m.tc.tcm_parent = TC_H_CLSACT;
	m.tc.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	put(&m, TCA_KIND, "clsact", sizeof("clsact"));
	return ask(sock, &m) && errno != EEXIST ? -1 : 0;
}

int filter_clsact_delete(int sock, int ifindex)
{
	struct message m;

	begin(&m, RTM_DELQDISC, 0, ifindex);
	m.tc.tcm_parent = TC_H_CLSACT;
	m.tc.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	return ask(sock, &m) && errno != ENOENT && errno != EINVAL ? -1 : 0;
}

/* A message about the filter at prio 1, handle 1 of egress. */
static void begin_filter(struct message *m, unsigned short type, unsigned short flags, int ifindex)
{
	begin(m, type, flags, ifindex);
	m->tc.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS);
	m->tc.tcm_handle = 1;
	m->tc.tcm_info = TC_H_MAKE(1 << 16, __builtin_bswap16(ETH_P_ALL));
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		m->tc.tcm_info = TC_H_MAKE(1 << 16, ETH_P_ALL);
}

static int set(int sock, unsigned short flags, int ifindex, int prog_fd)
{
	const unsigned int direct = TCA_BPF_FLAG_ACT_DIRECT;
	struct rtattr *options;
	struct message m;

	begin_filter(&m, RTM_NEWTFILTER, flags, ifindex);
	put(&m, TCA_KIND, "bpf", sizeof("bpf"));
	options = put(&m, TCA_OPTIONS, NULL, 0);
	put(&m, TCA_BPF_FD, &prog_fd, sizeof(prog_fd));
	put(&m, TCA_BPF_NAME, "pod", sizeof("pod"));
	put(&m, TCA_BPF_FLAGS, &direct, sizeof(direct));
	options->rta_len = (unsigned short)((char *)&m + m.header.nlmsg_len - (char *)options);
	return ask(sock, &m);
}

int filter_replace(int sock, int ifindex, int prog_fd)
{
	return set(sock, NLM_F_REPLACE, ifindex, prog_fd);
}

int filter_create(int sock, int ifindex, int prog_fd)
{
	return set(sock, NLM_F_EXCL, ifindex, prog_fd);
}

/* The kernel answers with one message. */
int filter_look(int sock, int ifindex)
{
	char answer[4096] __attribute__((aligned(4)));
	struct message m;

	begin_filter(&m, RTM_GETTFILTER, 0, ifindex);
	m.header.nlmsg_flags = NLM_F_REQUEST;
	if (send(sock, &m, m.header.nlmsg_len, 0) < 0 || recv(sock, answer, sizeof(answer), 0) < 0)
		return -1;
	return ((const struct nlmsghdr *)(const void *)answer)->nlmsg_type == RTM_NEWTFILTER ? 0 : -1;
}
