// SPDX-License-Identifier: BSD-2-Clause
/*
 * Check runs each test in a process of its own; netns_setup moves that process
 * into a new network namespace, and with the process all of it is gone.
 * Whether this works is found out in a child, so that nothing changes here.
 *
 * The recvmsg() below stands before the C library's, for libmnl and for
 * netlink/ alike.  rtnl_talk() empties a socket by recv(), which is never hit: a
 * fault is to meet the answer, and the real answer that a made-up one hides is still
 * there for the next talk to pass over.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include "netlink/link.h"
#include "netlink/tc.h"
#include "tests/netns.h"

struct netns netns;

/* The datagram that netns.fault describes. */
static ssize_t make_up(struct msghdr *msg)
{
	struct netns_fault *fault = &netns.fault;
	struct sockaddr_nl from = { .nl_family = AF_NETLINK, .nl_pid = fault->from };
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr error;
		struct nlattr attr;
		uint32_t attr_offset;
	} refusal = {
		.nlh = { .nlmsg_len = sizeof(refusal), .nlmsg_type = NLMSG_ERROR },
		.error = { .error = fault->codes ? *fault->codes++ : fault->code },
		.attr = { .nla_len = 8, .nla_type = NLMSGERR_ATTR_OFFS },
		.attr_offset = fault->attr_offset,
	};

	refusal.nlh.nlmsg_flags = NLM_F_CAPPED;
	refusal.nlh.nlmsg_seq = netns.rtnl.seq + fault->seq;
	refusal.nlh.nlmsg_pid = netns.rtnl.portid + fault->portid;
	if (fault->attr_offset)
		refusal.nlh.nlmsg_flags |= NLM_F_ACK_TLVS;
	memcpy(msg->msg_iov->iov_base, &refusal, sizeof(refusal));
	memcpy(msg->msg_name, &from, sizeof(from));
	msg->msg_namelen = sizeof(from);
	msg->msg_flags = 0;
	return sizeof(refusal);
}

/* The datagram of netns.fault.say. */
static ssize_t say(struct msghdr *msg)
{
	struct sockaddr_nl from = { .nl_family = AF_NETLINK };
	char *at = msg->msg_iov->iov_base;

	for (const struct netns_message *m = netns.fault.say; m->type; m++) {
		struct {
			struct nlmsghdr nlh;
			int code;
		} one = {
			.nlh = { .nlmsg_len = m->len ? m->len : sizeof(one), .nlmsg_type = m->type,
				 .nlmsg_flags = m->flags, .nlmsg_seq = netns.rtnl.seq,
				 .nlmsg_pid = netns.rtnl.portid },
			.code = m->code,
		};

		memcpy(at, &one, sizeof(one));
		at += sizeof(one);
	}
	memset(at, 0, netns.fault.extra);
	memcpy(msg->msg_name, &from, sizeof(from));
	msg->msg_namelen = sizeof(from);
	msg->msg_flags = 0;
	return at - (char *)msg->msg_iov->iov_base + (ssize_t)netns.fault.extra;
}

static void change(struct msghdr *msg, struct nlmsghdr *nlh)
{
	if (netns.fault.kind == NETNS_INTERRUPT_DUMP)
		nlh->nlmsg_flags |= NLM_F_DUMP_INTR;
	if (netns.fault.kind == NETNS_TRUNCATE)
		msg->msg_flags |= MSG_TRUNC;
	if (netns.fault.kind == NETNS_HIDE_ECHO && nlh->nlmsg_type == RTM_NEWTFILTER)
		nlh->nlmsg_seq--;
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	bool armed = netns.fault.kind != NETNS_NONE && netns.fault.times > 0;
	ssize_t n;

	netns.waits++;
	if (!armed || netns.fault.after-- > 0)
		return syscall(SYS_recvmsg, fd, msg, flags);
	netns.fault.times--;
	if (netns.fault.kind == NETNS_MAKE_UP)
		return make_up(msg);
	if (netns.fault.kind == NETNS_SAY)
		return say(msg);
	if (netns.fault.kind == NETNS_CALL)
		ck_assert(netns.fault.call(netns.fault.arg));
	if (netns.fault.kind == NETNS_FAIL) {
		errno = netns.fault.code;
		return -1;
	}
	n = syscall(SYS_recvmsg, fd, msg, flags);
	if (n >= (ssize_t)sizeof(struct nlmsghdr))
		change(msg, msg->msg_iov->iov_base);
	return n;
}

/* 0, or why not. */
enum { NO_NAMESPACE = 1, NO_TOOLS };

static int enter(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		return NO_NAMESPACE;
	return system("exec ip link add va type veth peer name vb") == 0 ? 0 : NO_TOOLS;
}

bool netns_usable(const char *suite)
{
	const char *fork_mode = getenv("CK_FORK");
	int status = 0;
	pid_t pid;

	if (geteuid() != 0 || (fork_mode && !strcmp(fork_mode, "no"))) {
		printf("SKIP %s: %s\n", suite, geteuid() != 0 ? "not root" : "CK_FORK=no");
		return false;
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		status = enter();
		_exit(!status && system("exec tc -V >/dev/null") != 0 ? NO_TOOLS : status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
		printf("SKIP %s: %s\n", suite, WIFEXITED(status) && WEXITSTATUS(status) == NO_TOOLS ?
		       "no veth, ip or tc" : "no network namespaces");
		return false;
	}
	return true;
}

void netns_setup(void)
{
	ck_assert_int_eq(enter(), 0);
	OK(rtnl_open(&netns.rtnl, -1, &netns.err));
	netns.ifindex = netns_ifindex("va");
}

int netns_another(void)
{
	int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), fd;

	ck_assert_int_ge(own, 0);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setns(own, CLONE_NEWNET), 0);
	close(own);
	return fd;
}

void netns_teardown(void)
{
	rtnl_close(&netns.rtnl);
	rtnl_close(&netns.rtnl);
}

void netns_failed(int status, int code, const char *text)
{
	size_t length = strlen(text), dots = strlen("…");
	bool prefix = length >= dots && !strcmp(text + length - dots, "…");

	ck_assert_int_eq(status, -1);
	ck_assert_msg(netns.err.code == code, "code %d (%s) is not %d", netns.err.code, netns.err.text, code);
	length = prefix ? length - dots : length + 1;
	ck_assert_msg(!strncmp(netns.err.text, text, length), "text: %s", netns.err.text);
}

void netns_failed_with(int status, int code, const char *start, const char *end)
{
	size_t length = strlen(netns.err.text);

	ck_assert_int_eq(status, -1);
	ck_assert_msg(netns.err.code == code, "code %d (%s) is not %d", netns.err.code, netns.err.text, code);
	ck_assert_msg(!strncmp(netns.err.text, start, strlen(start)) && length >= strlen(end) &&
		      !strcmp(netns.err.text + length - strlen(end), end), "text: %s", netns.err.text);
}

void netns_run(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

const char *netns_output(const char *format, ...)
{
	static char text[65536];
	char command[512];
	size_t n = 0, got;
	va_list args;
	FILE *f;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	while ((got = fread(text + n, 1, sizeof(text) - 1 - n, f)) > 0)
		n += got;
	pclose(f);
	text[n] = '\0';
	return text;
}

int netns_program(uint32_t type)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insn_cnt = 2;
	attr.insns = (uintptr_t)insns;
	attr.license = (uintptr_t)"GPL";
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	ck_assert_msg(fd >= 0, "load: %s", strerror(errno));
	return fd;
}

struct tc_filter netns_filter(uint32_t handle)
{
	struct tc_filter f = {
		.ifindex = netns.ifindex, .parent = EGRESS, .handle = handle, .prio = 1,
		.protocol = ETH_P_ALL, .kind = "bpf", .name = "stamped", .direct_action = true,
		.fd = netns_program(BPF_PROG_TYPE_SCHED_CLS),
	};

	return f;
}

int netns_set(const struct tc_filter *f, bool exclusive, struct tc_filter *out)
{
	return tc_filter_set(&netns.rtnl, f, exclusive, "va", out, &netns.err);
}

void netns_clsact(void)
{
	bool created = false;

	OK(tc_clsact_ensure(&netns.rtnl, netns.ifindex, "va", &created, &netns.err));
	ck_assert(created);
}

void netns_filters(uint32_t count)
{
	struct tc_filter f = netns_filter(1), g;

	netns_clsact();
	for (f.handle = 1; f.handle <= count; f.handle++) {
		f.prio = (uint16_t)(1 + f.handle % 8);
		OK(netns_set(&f, true, &g));
	}
}

int netns_see(const struct tc_filter *f, void *arg, struct bpfstamp_err *e)
{
	struct netns_seen *seen = arg;

	seen->filters++;
	seen->handles += f->handle;
	if (strcmp(f->kind, "bpf") != 0) {
		seen->others++;
		seen->other = *f;
	}
	if (seen->filters != seen->stop_at)
		return 0;
	e->code = ECANCELED;
	strcpy(e->text, "enough");
	return -1;
}

int netns_ifindex(const char *name)
{
	struct link_info link;

	OK(link_find(&netns.rtnl, 0, name, &link, &netns.err));
	return link.ifindex;
}

struct netns_seen netns_see_all(void)
{
	struct netns_seen seen = { 0 };

	OK(tc_filter_each(&netns.rtnl, netns.ifindex, EGRESS, "va", netns_see, &seen, &netns.err));
	return seen;
}
