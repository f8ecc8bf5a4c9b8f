// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is told where something is not as it should be: network namespaces that
 * are none, programs of the wrong type, interfaces that go while something is
 * attached to them.  Each test has a network namespace of its own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "hook/hook.h"
#include "tests/netns.h"

Suite *suite_errors_kernel(void);

static struct bpfstamp_net *net;

static int open_net(const char *name)
{
	return bpfstamp_net_open(&net, name, &netns.err);
}

static ino_t netns_of_net(void)
{
	ino_t inode;

	OK(hook_netns(net, &inode, &netns.err));
	return inode;
}

static ino_t own_netns(void)
{
	struct stat st;

	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &st), 0);
	return st.st_ino;
}

/* ------------------------------------------------------------ namespaces */

/* An empty /run/netns that only this process sees. */
static void private_names(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("none", "/run", "tmpfs", 0, NULL), 0);
}

static void touch(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

/* A name for the network namespace of that process. */
static void name_netns(const char *name, const char *process)
{
	char path[64], of[64];

	mkdir("/run/netns", 0755);
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	snprintf(of, sizeof(of), "/proc/%s/ns/net", process);
	touch(path);
	ck_assert_int_eq(mount(of, path, NULL, MS_BIND, NULL), 0);
}

START_TEST(no_such_name)
{
	char longest[5000];

	FAILS(open_net("nope"), ENOENT, "there is no network namespace 'nope' (/run/netns/nope)");
	FAILS(open_net("/nope/net"), ENOENT,
	      "cannot open network namespace /nope/net (/nope/net): No such file or directory");
	FAILS(open_net(""), EINVAL, "the network namespace has no name");
	memset(longest, 'n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	FAILS(open_net(longest), ENAMETOOLONG, "the network namespace has too long a name");
	FAILS(open_net("4194305"), ESRCH, "network namespace 4194305: there is no such process");
}
END_TEST

START_TEST(not_a_namespace)
{
	FAILS(open_net("/dev/null"), EINVAL, "/dev/null is no network namespace");
	FAILS(open_net("/"), EINVAL, "/ is no network namespace");
	FAILS(open_net("/proc/self/ns/mnt"), EINVAL,
	      "/proc/self/ns/mnt is a namespace, but of another kind than network");
	private_names();
	mkdir("/run/netns", 0755);
	touch("/run/netns/left");
	FAILS(open_net("left"), EINVAL, "no namespace is mounted on /run/netns/left: it is deleted, or mounted where "
	      "this process does not see it");
}
END_TEST

/* A name outlives the processes, until it is deleted; what is open stays. */
START_TEST(deleted_name)
{
	struct bpfstamp_net *before;
	int other;

	private_names();
	name_netns("pod", "self");
	OK(open_net("pod"));
	before = net;
	ck_assert_uint_eq(netns_of_net(), own_netns());
	OK(open_net("/run/netns/pod"));
	ck_assert_uint_eq(netns_of_net(), own_netns());
	bpfstamp_net_close(net);
	ck_assert_int_eq(umount2("/run/netns/pod", MNT_DETACH), 0);
	FAILS(open_net("pod"), EINVAL, "no namespace is mounted on /run/netns/pod: …");
	ck_assert_int_eq(unlink("/run/netns/pod"), 0);
	FAILS(open_net("pod"), ENOENT, "there is no network namespace 'pod' (/run/netns/pod)");
	other = netns_ifindex("va");
	ck_assert_int_gt(other, 0);
	bpfstamp_net_close(before);
}
END_TEST

static int note_name(const char *name, void *arg)
{
	char *all = arg;

	strcat(strcat(all, name), " ");
	return !strcmp(name, "stop");
}

START_TEST(each_name)
{
	char all[256] = "";

	private_names();
	OK(bpfstamp_netns_each(note_name, all, &netns.err));
	name_netns("pod2", "self");
	name_netns("pod10", "self");
	name_netns("a", "self");
	touch("/run/netns/.hidden");
	OK(bpfstamp_netns_each(note_name, all, &netns.err));
	ck_assert_str_eq(all, "a pod10 pod2 ");
	name_netns("stop", "self");
	name_netns("zzz", "self");
	all[0] = '\0';
	FAILS(bpfstamp_netns_each(note_name, all, &netns.err), ECANCELED, "stopped by the caller");
	ck_assert_str_eq(all, "a pod10 pod2 stop ");
}
END_TEST

/* A process that has ended has a number until somebody waits for it. */
START_TEST(ended_process)
{
	char number[32], text[256];
	siginfo_t ended;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
	snprintf(number, sizeof(number), "%d", (int)pid);
	snprintf(text, sizeof(text), "network namespace %d: the process has ended", (int)pid);
	FAILS(open_net(number), ESRCH, text);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	snprintf(text, sizeof(text), "network namespace %d: there is no such process", (int)pid);
	FAILS(open_net(number), ESRCH, text);
}
END_TEST

struct pod {
	pthread_t thread;
	pthread_barrier_t ready, done;
	pid_t tid;
	ino_t netns;
	bool moved;
};

static void *live_elsewhere(void *arg)
{
	struct pod *pod = arg;

	pod->tid = (pid_t)syscall(SYS_gettid);
	pod->moved = unshare(CLONE_NEWNET) == 0 && system("ip link add pod0 type veth peer name pod1") == 0;
	pod->netns = own_netns();
	pthread_barrier_wait(&pod->ready);
	pthread_barrier_wait(&pod->done);
	return NULL;
}

/*
 * By the number of a thread, which is in another namespace than the rest of
 * its process; whoever opens it, attaches there and shows it stays in his own.
 */
START_TEST(namespace_of_a_thread)
{
	struct bpfstamp_hook hook = { .dev = "pod0", .direction = BPFSTAMP_INGRESS, .prio = 1, .handle = 1 };
	struct bpfstamp_attachment a;
	struct pod pod = { 0 };
	ino_t own = own_netns();
	char number[32];

	pthread_barrier_init(&pod.ready, NULL, 2);
	pthread_barrier_init(&pod.done, NULL, 2);
	ck_assert_int_eq(pthread_create(&pod.thread, NULL, live_elsewhere, &pod), 0);
	pthread_barrier_wait(&pod.ready);
	ck_assert(pod.moved);
	snprintf(number, sizeof(number), "%d", (int)pod.tid);
	OK(open_net(number));
	ck_assert_uint_eq(netns_of_net(), pod.netns);
	ck_assert_uint_ne(netns_of_net(), own);
	ck_assert_uint_eq(own_netns(), own);
	OK(bpfstamp_attach(net, &hook, netns_program(BPF_PROG_TYPE_SCHED_CLS), "prog", &a, &netns.err));
	ck_assert_uint_eq(own_netns(), own);
	ck_assert_str_eq(a.dev, "pod0");
	ck_assert_ptr_null(strstr(netns_output("tc qdisc show"), "clsact"));
	hook.dev = "va";
	FAILS(bpfstamp_detach(net, &hook, false, NULL, &netns.err), ENODEV, "no such device 'va'");
	pthread_barrier_wait(&pod.done);
	pthread_join(pod.thread, NULL);
	bpfstamp_net_close(net);
}
END_TEST

/* Who may not enter another namespace may still be in his own. */
START_TEST(without_privilege)
{
	char number[32], text[256];
	pid_t pid = getpid();

	private_names();
	name_netns("pod", "self");
	ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	FAILS(open_net("pod"), EPERM, "network namespace pod: enter the network namespace: Operation not permitted; "
	      "needs CAP_SYS_ADMIN here and there");
	snprintf(number, sizeof(number), "%d", (int)getppid());
	snprintf(text, sizeof(text), "cannot open network namespace %s (/proc/%s/ns/net): Permission denied; "
		 "another user's process needs CAP_SYS_PTRACE", number, number);
	FAILS(open_net(number), EACCES, text);
	ck_assert_int_eq(pid, getpid());
	OK(open_net(NULL));
	bpfstamp_net_close(net);
}
END_TEST

/* ------------------------------------------------------------ wrong types */

static const struct {
	enum bpfstamp_hook_type hook;
	uint32_t program;
	const char *text;
} types[] = {
	{ BPFSTAMP_CLSACT, BPF_PROG_TYPE_XDP, "program prog is of type xdp; clsact takes sched_cls" },
	{ BPFSTAMP_CLSACT, BPF_PROG_TYPE_SOCKET_FILTER,
	  "program prog is of type socket_filter; clsact takes sched_cls" },
	{ BPFSTAMP_TCX, BPF_PROG_TYPE_XDP, "program prog is of type xdp; TCX takes sched_cls" },
	{ BPFSTAMP_AUTO, BPF_PROG_TYPE_XDP, "program prog is of type xdp; …" },
	{ BPFSTAMP_NETKIT, BPF_PROG_TYPE_XDP, "program prog is of type xdp; netkit takes sched_cls" },
	{ BPFSTAMP_XDP, BPF_PROG_TYPE_SCHED_CLS, "program prog is of type sched_cls; XDP takes xdp" },
};

START_TEST(wrong_type)
{
	struct bpfstamp_hook hook = {
		.type = types[_i].hook, .dev = "va", .prio = 1, .handle = 1,
		.direction = types[_i].hook == BPFSTAMP_NETKIT ? BPFSTAMP_PRIMARY : BPFSTAMP_INGRESS,
	};

	OK(open_net(NULL));
	FAILS(bpfstamp_attach(net, &hook, netns_program(types[_i].program), "prog", NULL, &netns.err), EINVAL,
	      types[_i].text);
	ck_assert_ptr_null(strstr(netns_output("tc qdisc show dev va"), "clsact"));
	bpfstamp_net_close(net);
}
END_TEST

/* -------------------------------------------------------- gone meanwhile */

static bool delete_va(void *arg)
{
	(void)arg;
	return system("exec ip link del va") == 0;
}

static bool move_va(void *arg)
{
	(void)arg;
	return system("ip netns add away 2>/dev/null; exec ip link set va netns away") == 0;
}

/* Just when the kernel has created clsact, or has said that one is there. */
START_TEST(gone_while_attaching)
{
	struct bpfstamp_hook hook = { .dev = "va", .direction = BPFSTAMP_INGRESS, .prio = 1, .handle = 1 };
	int fd = netns_program(BPF_PROG_TYPE_SCHED_CLS);
	char text[160];

	private_names();
	snprintf(text, sizeof(text), "device va (index %d) disappeared meanwhile: it was deleted, or moved to "
		 "another network namespace", netns.ifindex);
	OK(open_net(NULL));
	if (_i % 2)
		OK(bpfstamp_attach(net, &hook, fd, "prog", NULL, &netns.err));
	netns.fault = (struct netns_fault){
		.kind = NETNS_CALL, .times = 1, .call = _i / 2 ? move_va : delete_va,
	};
	FAILS(bpfstamp_attach(net, &hook, fd, "prog", NULL, &netns.err), ENODEV, text);
	ck_assert_int_eq(netns.fault.times, 0);
	FAILS(bpfstamp_attach(net, &hook, fd, "prog", NULL, &netns.err), ENODEV, "no such device 'va'");
	bpfstamp_net_close(net);
}
END_TEST

START_TEST(gone_while_detaching)
{
	struct bpfstamp_hook hook = { .dev = "va", .direction = BPFSTAMP_INGRESS, .prio = 1, .handle = 1 };
	struct bpfstamp_plan plan;
	char text[160];
	int status;

	snprintf(text, sizeof(text), "device va (index %d) disappeared meanwhile: …", netns.ifindex);
	OK(open_net(NULL));
	OK(bpfstamp_attach(net, &hook, netns_program(BPF_PROG_TYPE_SCHED_CLS), "prog", NULL, &netns.err));
	netns.fault = (struct netns_fault){ .kind = NETNS_CALL, .times = 1, .call = delete_va };
	status = _i ? bpfstamp_attach_check(net, &hook, "prog", &plan, &netns.err) :
		 bpfstamp_detach(net, &hook, false, NULL, &netns.err);
	ck_assert_int_eq(netns.fault.times, 0);
	if (status || !_i)
		FAILS(status, ENODEV, text);
	bpfstamp_net_close(net);
}
END_TEST

Suite *suite_errors_kernel(void)
{
	Suite *s = suite_create("errors_kernel");
	TCase *tc;

	if (!netns_usable("test_errors_kernel"))
		return s;
	tc = tcase_create("errors");
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, netns_setup, netns_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, no_such_name);
	tcase_add_test(tc, not_a_namespace);
	tcase_add_test(tc, deleted_name);
	tcase_add_test(tc, each_name);
	tcase_add_test(tc, ended_process);
	tcase_add_test(tc, namespace_of_a_thread);
	tcase_add_test(tc, without_privilege);
	tcase_add_loop_test(tc, wrong_type, 0, sizeof(types) / sizeof(types[0]));
	tcase_add_loop_test(tc, gone_while_attaching, 0, 4);
	tcase_add_loop_test(tc, gone_while_detaching, 0, 2);
	return s;
}
