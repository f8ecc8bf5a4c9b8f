// SPDX-License-Identifier: BSD-2-Clause
/*
 * netlink/rtnl.h against the running kernel, and against faults in its answers:
 * what is ours and what is not, lost and interrupted answers, the kernel's words,
 * interfaces by name and by index, and sockets in other network namespaces.  Each test has a network namespace
 * of its own (tests/netns.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/bpf.h>
#include <linux/rtnetlink.h>

#include "netlink/link.h"
#include "netlink/tc.h"
#include "tests/netns.h"

Suite *suite_rtnl_kernel(void);

static int index_of(const char *name, int *ifindex)
{
	struct link_info link = { 0 };
	int status = link_find(&netns.rtnl, 0, name, &link, &netns.err);

	*ifindex = link.ifindex;
	return status;
}

/* By the short way, which must say the same. */
static int short_index_of(const char *name, int *ifindex, char canonical[16])
{
	return link_index(&netns.rtnl, name, ifindex, canonical, &netns.err);
}

static int name_of(int ifindex, struct link_info *link)
{
	return link_find(&netns.rtnl, ifindex, NULL, link, &netns.err);
}

static int say(unsigned int number)
{
	uint32_t buf[TCMSG_BUFFER / 4];

	return rtnl_talk(&netns.rtnl, tcmsg_clsact_get(buf, netns.ifindex), NULL, NULL, &netns.err,
			 "say %u", number);
}

START_TEST(names)
{
	struct link_info link;
	int i;

	OK(name_of(netns.ifindex, &link));
	ck_assert_str_eq(link.name, "va");
	ck_assert_str_eq(link.kind, "veth");
	FAILS(index_of("vc", &i), ENODEV, "no such device 'vc'");
	FAILS(index_of("", &i), ENODEV, "no such device ''");
	FAILS(index_of("exactly15chars_", &i), ENODEV, "no such device 'exactly15chars_'");
	FAILS(index_of("exactly_16_chars", &i), ENODEV, "no such device 'exactly_16_chars'");
	FAILS(name_of(4242, &link), ENODEV, "no interface has the index 4242");
	FAILS(name_of(0, &link), ENODEV, "no interface has the index 0");
	FAILS(name_of(-1, &link), ENODEV, "no interface has the index -1");
}
END_TEST

/* 127 characters are the longest alternative name. */
START_TEST(alternative_names)
{
	char longest[129], command[256];
	int other = 0;

	memset(longest, 'n', 128);
	longest[128] = '\0';
	FAILS(index_of(longest, &other), ENODEV, "no such device 'nnn…");
	longest[127] = '\0';
	FAILS(index_of(longest, &other), ENODEV, "no such device 'nnn…");
	snprintf(command, sizeof(command), "ip link property add dev va altname %s altname short", longest);
	if (system(command) != 0) {
		printf("SKIP alternative names: not known to this kernel or ip\n");
		return;
	}
	OK(index_of(longest, &other));
	ck_assert_int_eq(other, netns.ifindex);
	OK(index_of("short", &other));
	ck_assert_int_eq(other, netns.ifindex);
}
END_TEST

/* An index without a description; nothing is received where it is there. */
START_TEST(indexes)
{
	char canonical[16] = "?", longest[128], command[256];
	unsigned int waits = netns.waits;
	int i = 0;

	OK(short_index_of("va", &i, canonical));
	ck_assert_int_eq(i, netns.ifindex);
	ck_assert_str_eq(canonical, "va");
	ck_assert_uint_eq(netns.waits, waits);
	FAILS(short_index_of("vc", &i, canonical), ENODEV, "no such device 'vc'");
	FAILS(short_index_of("", &i, canonical), ENODEV, "no such device ''");
	FAILS(short_index_of("va:1", &i, canonical), ENODEV, "no such device 'va:1'");
	FAILS(short_index_of("exactly15chars_", &i, canonical), ENODEV, "no such device 'exactly15chars_'");
	FAILS(short_index_of("exactly_16_chars", &i, canonical), ENODEV, "no such device 'exactly_16_chars'");
	memset(longest, 'n', 127);
	longest[127] = '\0';
	snprintf(command, sizeof(command), "ip link property add dev va altname %s altname fifteen_letters", longest);
	if (system(command) != 0) {
		printf("SKIP indexes of alternative names: not known to this kernel or ip\n");
		return;
	}
	for (int n = 0; n < 2; n++) {
		strcpy(canonical, "?");
		OK(short_index_of(n ? longest : "fifteen_letters", &i, canonical));
		ck_assert_int_eq(i, netns.ifindex);
		ck_assert_str_eq(canonical, "va");
	}
}
END_TEST

/* Before 5.5, a long name is no name to the kernel; a short one is never refused so. */
START_TEST(no_alternative_names)
{
	int i;

	netns.fault = (struct netns_fault){ .kind = NETNS_MAKE_UP, .times = 2, .code = -EINVAL };
	FAILS(index_of("exactly_16_chars", &i), ENODEV, "no such device 'exactly_16_chars'");
	FAILS(index_of("exactly15chars_", &i), EINVAL, "look up an interface: Invalid argument");
}
END_TEST

/* An acknowledgement alone is no interface. */
START_TEST(no_name_in_answer)
{
	int i;

	netns.fault = (struct netns_fault){ .kind = NETNS_MAKE_UP, .times = 1 };
	FAILS(index_of("va", &i), EBADMSG, "look up an interface: the kernel's answer tells of none");
}
END_TEST

/* The same refusal by sockets that asked for words or not, and for the whole request or not. */
START_TEST(words)
{
	int wanted = _i & 1, capped = _i >> 1;
	struct tc_filter f = netns_filter(1);

	mnl_socket_setsockopt(netns.rtnl.socket, NETLINK_EXT_ACK, &wanted, sizeof(wanted));
	mnl_socket_setsockopt(netns.rtnl.socket, NETLINK_CAP_ACK, &capped, sizeof(capped));
	netns_clsact();
	OK(netns_set(&f, true, &f));
	f.fd = netns_program(BPF_PROG_TYPE_SCHED_CLS);
	FAILS(netns_set(&f, true, &f), EEXIST,
	      wanted ? "add filter on va egress, prio 1 handle 0x1: Filter already exists (File exists)" :
		       "add filter on va egress, prio 1 handle 0x1: File exists");
}
END_TEST

/* A refusal that is made up: by which numbers it is ours. */
static const struct {
	uint32_t seq, portid, from;
	bool ours;
} made_up[] = {
	{ 0, 0, 0, true },
	{ UINT32_MAX, 0, 0, false }, { 1, 0, 0, false }, { 0, 1, 0, false }, { 0, 0, 1, false },
};

START_TEST(not_our_answer)
{
	struct tc_filter f = netns_filter(1);

	netns_clsact();
	netns.fault = (struct netns_fault){
		.kind = NETNS_MAKE_UP, .times = 2, .code = -EXDEV,
		.seq = made_up[_i].seq, .portid = made_up[_i].portid, .from = made_up[_i].from,
	};
	if (made_up[_i].ours) {
		FAILS(netns_set(&f, true, &f), EXDEV,
		      "add filter on va egress, prio 1 handle 0x1: Invalid cross-device link");
		return;
	}
	OK(netns_set(&f, true, &f));
	ck_assert_int_eq(netns.fault.times, 0);
}
END_TEST

START_TEST(offending_attribute)
{
	netns.fault = (struct netns_fault){
		.kind = NETNS_MAKE_UP, .times = 1, .code = -ERANGE, .attr_offset = 36,
	};
	FAILS(say(1), ERANGE,
	      "say 1: Numerical result out of range; attribute at byte 36 of the request");
}
END_TEST

START_TEST(offending_attribute_by_name)
{
	struct tc_filter f = netns_filter(1);

	netns_clsact();
	netns.fault = (struct netns_fault){
		.kind = NETNS_MAKE_UP, .times = 1, .code = -ERANGE, .attr_offset = 36,
	};
	FAILS(netns_set(&f, true, &f), ERANGE, "add filter on va egress, prio 1 handle 0x1: "
	      "Numerical result out of range; attribute TCA_KIND");
}
END_TEST

START_TEST(malformed_answer)
{
	netns.fault = (struct netns_fault){ .kind = NETNS_MAKE_UP, .times = 1, .code = 1 };
	FAILS(say(2), EBADMSG,
	      "say 2: malformed answer of the kernel");
}
END_TEST

/* 10 attempts: the tenth succeeds, or else the error is the caller's. */
START_TEST(dump_starts_anew)
{
	struct netns_seen seen = { 0 };

	netns_filters(3);
	netns.fault.kind = _i ? NETNS_INTERRUPT_DUMP : NETNS_FAIL;
	netns.fault.code = ENOBUFS;
	netns.fault.times = 9;
	ck_assert_uint_eq(netns_see_all().filters, 3);
	ck_assert_int_eq(netns.fault.times, 0);
	netns.fault.times = 100;
	FAILS(tc_filter_each(&netns.rtnl, netns.ifindex, EGRESS, "va", netns_see, &seen, &netns.err), EINTR,
	      _i ? "list filters of va: the table changed during the dump, try again" :
		   "list filters of va: the kernel's answer was lost, try again (No buffer …");
	ck_assert_int_eq(netns.fault.times, 90);
	ck_assert_uint_eq(seen.filters, 0);
	netns.fault.times = 0;
	ck_assert_uint_eq(netns_see_all().filters, 3);
}
END_TEST

/* Interrupted at its end, when all of it has been collected once. */
START_TEST(dump_starts_from_nothing)
{
	netns_filters(3);
	netns.fault = (struct netns_fault){ .kind = NETNS_INTERRUPT_DUMP, .after = 1, .times = 1 };
	ck_assert_uint_eq(netns_see_all().filters, 3);
	ck_assert_int_eq(netns.fault.times, 0);
}
END_TEST

START_TEST(receive_fails)
{
	struct tc_filter f = netns_filter(1), g;

	netns_clsact();
	netns.fault.kind = NETNS_FAIL;
	netns.fault.code = EINTR;
	netns.fault.times = 5;
	OK(netns_set(&f, true, &g));
	netns.fault.code = ENOBUFS;
	netns.fault.times = 100;
	FAILS(netns_set(&f, false, &g), ENOBUFS,
	      "set filter on va egress, prio 1 handle 0x1: the kernel's answer was lost, try again …");
	netns.fault.kind = NETNS_TRUNCATE;
	netns.fault.times = 1;
	FAILS(netns_set(&f, false, &g), EMSGSIZE,
	      "set filter on va egress, prio 1 handle 0x1: receive the answer: Message too long");
	OK(netns_set(&f, false, &g));
}
END_TEST

/* Of a GET; what changes something is never asked for twice. */
START_TEST(lost_answer_of_get)
{
	netns_clsact();
	netns.fault = (struct netns_fault){ .kind = NETNS_FAIL, .code = ENOBUFS, .times = 9 };
	OK(say(3));
	ck_assert_int_eq(netns.fault.times, 0);
	netns.fault.times = 100;
	FAILS(say(4), ENOBUFS, "say 4: the kernel's answer was lost, try again (No buffer …");
	ck_assert_int_eq(netns.fault.times, 90);
}
END_TEST

/* What is not there at once is waited for; the socket bounds the wait, and what one in vain becomes. */
START_TEST(no_answer)
{
	struct timeval patience = { 0 };
	socklen_t size = sizeof(patience);
	int fd = mnl_socket_get_fd(netns.rtnl.socket);

	netns_clsact();
	netns.fault = (struct netns_fault){ .kind = NETNS_FAIL, .code = EAGAIN, .times = 1 };
	OK(say(5));
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, &size), 0);
	ck_assert_int_eq((int)patience.tv_sec, 10);
	netns.fault.times = 2;
	FAILS(say(5), ETIMEDOUT, "say 5: the kernel has not answered for 10 seconds");
}
END_TEST

/* ------------------------------------------------ what a datagram may hold */

enum { ACK = NLMSG_DONE };	/* which has room for its number in an int, and is taken for one */

#define MALFORMED "list filters of va: malformed answer of the kernel"

static const struct {
	struct netns_message say[4];
	size_t extra;
	int code;		/* 0: what is said is passed over, or is the answer */
	const char *text;
} datagrams[] = {
	{ { { .type = ACK } }, 0, 0, NULL },
	{ { { .type = NLMSG_NOOP }, { .type = ACK } }, 0, 0, NULL },
	{ { { .type = NLMSG_NOOP } }, 0, 0, NULL },
	{ { { .type = ACK, .code = -EPERM } }, 0, EPERM, "list filters of va: Operation not permitted…" },
	{ { { .type = ACK }, { .type = RTM_NEWTFILTER } }, 7, 0, NULL },
	{ { { .type = RTM_NEWTFILTER } }, 0, EBADMSG, "list filters of va: malformed filter in the kernel's answer" },
	{ { { .type = RTM_NEWQDISC } }, 0, EBADMSG, "list filters of va: malformed filter in the kernel's answer" },
	{ { { .type = NLMSG_NOOP, .len = 15 } }, 0, EBADMSG, MALFORMED },
	{ { { .type = NLMSG_NOOP, .len = 21 } }, 0, EBADMSG, MALFORMED },
	{ { { .type = NLMSG_NOOP, .len = 0x80000010 } }, 0, EBADMSG, MALFORMED },
	{ { { .type = NLMSG_NOOP, .len = UINT32_MAX } }, 0, EBADMSG, MALFORMED },
	{ { { .type = NLMSG_NOOP } }, 1, EBADMSG, MALFORMED },
	{ { { .type = NLMSG_NOOP } }, 15, EBADMSG, MALFORMED },
	{ { { .type = NLMSG_ERROR } }, 0, EBADMSG, MALFORMED },
	{ { { .type = ACK, .code = 1 } }, 0, EBADMSG, MALFORMED },
	{ { { .type = NLMSG_OVERRUN } }, 0, 0, NULL },
	{ { { .type = ACK, .flags = NLM_F_DUMP_INTR } }, 0, 0, NULL },
	{ { { 0 } }, 0, 0, NULL },
};

START_TEST(datagram)
{
	struct netns_seen seen = { 0 };
	int status;

	netns_filters(3);
	netns.fault = (struct netns_fault){
		.kind = NETNS_SAY, .times = 1, .say = datagrams[_i].say, .extra = datagrams[_i].extra,
	};
	status = tc_filter_each(&netns.rtnl, netns.ifindex, EGRESS, "va", netns_see, &seen, &netns.err);
	ck_assert_int_eq(netns.fault.times, 0);
	if (datagrams[_i].code)
		FAILS(status, datagrams[_i].code, datagrams[_i].text);
	else
		OK(status);
	ck_assert_uint_eq(netns_see_all().filters, 3);
}
END_TEST

/* ----------------------------------------------------------- disturbances */

static void interrupted(int number)
{
	(void)number;
}

/* Some of everything; how many microseconds it took, at most a second. */
static suseconds_t talk_of_all(const struct tc_filter *f)
{
	struct tc_filter made;
	struct timespec start, end;
	int other;
	long us;

	clock_gettime(CLOCK_MONOTONIC, &start);
	OK(netns_set(f, false, &made));
	OK(index_of("vb", &other));
	ck_assert_uint_eq(netns_see_all().filters, 200);
	OK(say(6));
	clock_gettime(CLOCK_MONOTONIC, &end);
	us = (end.tv_sec - start.tv_sec) * 1000000 + (end.tv_nsec - start.tv_nsec) / 1000;
	return us < 1000000 ? us : 999999;
}

/*
 * A signal every 50 µs, by handlers that have system calls go on (SA_RESTART) or not; where that would leave an
 * emulated machine no time for anything else, twenty in each round.
 */
START_TEST(signals)
{
	struct sigaction action = { .sa_handler = interrupted, .sa_flags = _i ? SA_RESTART : 0 };
	struct itimerval every = { 0 }, never = { 0 };
	struct tc_filter f = netns_filter(8);
	suseconds_t undisturbed;

	netns_filters(200);
	undisturbed = talk_of_all(&f);
	every.it_interval.tv_usec = undisturbed / 20 > 50 ? undisturbed / 20 : 50;
	every.it_value = every.it_interval;
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &every, NULL), 0);
	for (int i = 0; i < 50; i++)
		talk_of_all(&f);
	setitimer(ITIMER_REAL, &never, NULL);
}
END_TEST

/* Refusals of what is asked for, by another process; it ends where the socket takes none from it. */
static void forge(uint32_t portid, uint32_t seq)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_pid = portid };
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr error;
	} refusal = {
		.nlh = { .nlmsg_len = sizeof(refusal), .nlmsg_type = NLMSG_ERROR, .nlmsg_pid = portid,
			 .nlmsg_flags = NLM_F_CAPPED },
		.error = { .error = -EXDEV },
	};

	for (uint32_t i = 0;; i++) {
		refusal.nlh.nlmsg_seq = seq + i % 2000;
		if (sendto(fd, &refusal, sizeof(refusal), 0, (void *)&to, sizeof(to)) < 0)
			_exit(errno == ECONNREFUSED ? 2 : 1);
		if (i % 16 == 0)
			usleep(10);
	}
}

START_TEST(forged)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		forge(netns.rtnl.portid, netns.rtnl.seq);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 2);
}
END_TEST

/* Nor are they believed where they get in: the socket is made to take them from anybody. */
START_TEST(forged_and_taken)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	int status;
	pid_t pid;

	netns_filters(3);
	ck_assert_int_eq(connect(mnl_socket_get_fd(netns.rtnl.socket), &nobody, sizeof(struct sockaddr_nl)), 0);
	pid = fork();
	if (pid == 0)
		forge(netns.rtnl.portid, netns.rtnl.seq);
	usleep(1000);
	for (int i = 0; i < 400; i++) {
		OK(say(7));
		ck_assert_uint_eq(netns_see_all().filters, 3);
	}
	ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}
END_TEST

/* A process that lives in another network namespace with an interface `pod0` until its input ends. */
static pid_t start_pod(int *hold)
{
	int ready[2], stay[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(stay, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(stay[1]);
		if (unshare(CLONE_NEWNET) == 0 && system("ip link add pod0 type veth peer name pod1") == 0 &&
		    write(ready[1], "", 1) == 1 && read(stay[0], &byte, 1) == 0)
			_exit(0);
		_exit(1);
	}
	close(ready[1]);
	close(stay[0]);
	*hold = stay[1];
	ck_assert_int_eq((int)read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static int open_netns(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = write(fd, text, strlen(text));

	close(fd);
	return n == (ssize_t)strlen(text);
}

static bool enter_user_namespace(void)
{
	return unshare(CLONE_NEWUSER) == 0 && write_file("/proc/self/setgroups", "deny") &&
	       write_file("/proc/self/uid_map", "0 0 1") && write_file("/proc/self/gid_map", "0 0 1");
}

/*
 * From here into the pod, while this thread stays: as root, and as root of a
 * user namespace that owns the pod only and could not come back from it.
 */
START_TEST(other_namespace)
{
	struct stat before, after;
	int fd, hold, other;
	bool created;
	char name[16];
	pid_t pid;

	if (_i == 1 && !enter_user_namespace()) {
		printf("SKIP user namespace: %s\n", strerror(errno));
		return;
	}
	pid = start_pod(&hold);
	fd = open_netns(pid);
	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &before), 0);
	rtnl_close(&netns.rtnl);
	OK(rtnl_open(&netns.rtnl, fd, &netns.err));
	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	OK(short_index_of("pod0", &other, name));
	ck_assert_str_eq(name, "pod0");
	FAILS(short_index_of("va", &netns.ifindex, name), ENODEV, "no such device 'va'");
	OK(index_of("pod0", &other));
	FAILS(index_of("va", &netns.ifindex), ENODEV, "no such device 'va'");
	OK(tc_clsact_ensure(&netns.rtnl, other, "pod0", &created, &netns.err));
	ck_assert_ptr_null(strstr(netns_output("tc qdisc show"), "clsact"));
	ck_assert_ptr_nonnull(strstr(netns_output("nsenter -t %d -n tc qdisc show", (int)pid), "clsact"));
	close(hold);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(fd);
}
END_TEST

START_TEST(no_namespace)
{
	struct rtnl unopened = { 0 };
	int fd = open("/dev/null", O_RDONLY);

	FAILS(rtnl_open(&unopened, fd, &netns.err), EINVAL, "enter the network namespace: …");
	FAILS(rtnl_open(&unopened, 999, &netns.err), EBADF, "enter the network namespace: …");
	ck_assert_ptr_null(unopened.socket);
	rtnl_close(&unopened);
	close(fd);
}
END_TEST

Suite *suite_rtnl_kernel(void)
{
	Suite *s = suite_create("rtnl_kernel");
	TCase *tc;

	if (!netns_usable("test_rtnl_kernel"))
		return s;
	tc = tcase_create("rtnl");
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, netns_setup, netns_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, names);
	tcase_add_test(tc, alternative_names);
	tcase_add_test(tc, indexes);
	tcase_add_test(tc, no_alternative_names);
	tcase_add_test(tc, no_name_in_answer);
	tcase_add_loop_test(tc, words, 0, 4);
	tcase_add_test(tc, offending_attribute);
	tcase_add_test(tc, offending_attribute_by_name);
	tcase_add_loop_test(tc, not_our_answer, 0, 5);
	tcase_add_test(tc, malformed_answer);
	tcase_add_loop_test(tc, dump_starts_anew, 0, 2);
	tcase_add_test(tc, dump_starts_from_nothing);
	tcase_add_test(tc, receive_fails);
	tcase_add_test(tc, lost_answer_of_get);
	tcase_add_test(tc, no_answer);
	tcase_add_loop_test(tc, datagram, 0, sizeof(datagrams) / sizeof(datagrams[0]));
	tcase_add_loop_test(tc, signals, 0, 2);
	tcase_add_test(tc, forged);
	tcase_add_test(tc, forged_and_taken);
	tcase_add_loop_test(tc, other_namespace, 0, 2);
	tcase_add_test(tc, no_namespace);
	return s;
}
