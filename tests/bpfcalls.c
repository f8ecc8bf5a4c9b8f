// SPDX-License-Identifier: BSD-2-Clause
/*
 * Seccomp user notification (Linux 5.5 for "go on").  The process that is
 * watched installs the filter and tells the number of the listener through a
 * pipe; this one gets it by pidfd_getfd, and answers until the process is gone.
 */
#define _GNU_SOURCE	/* process_vm_readv */
#include "tests/bpfcalls.h"

#include <check.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ATTR_MAX = 512 };

static int install_listener(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
}

static void be_watched(int out, int in, bool (*run)(const void *), const void *arg)
{
	int listener = install_listener(), taken;

	if (write(out, &listener, sizeof(listener)) != sizeof(listener) || listener < 0)
		_exit(2);
	if (read(in, &taken, sizeof(taken)) != sizeof(taken) || taken < 0)
		_exit(2);
	_exit(run(arg) ? 0 : 1);
}

/* The listener of the process, which waits for that, or -1. */
static int take_listener(int in, int out, int pid)
{
	int there = -1, pidfd, here;

	if (read(in, &there, sizeof(there)) != sizeof(there) || there < 0)
		return -1;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	here = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, there, 0);
	if (pidfd >= 0)
		close(pidfd);
	if (write(out, &here, sizeof(here)) != sizeof(here))
		return -1;
	return here;
}

bool bpfcalls_read(const struct bpfcalls *calls, uint64_t address, void *buf, size_t size)
{
	struct iovec local = { buf, size }, remote = { (void *)(uintptr_t)address, size };

	return process_vm_readv(calls->pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

static int verdict(struct bpfcalls *calls, const struct seccomp_data *call)
{
	uint32_t command = (uint32_t)call->args[0], size = (uint32_t)call->args[2];
	uint8_t attr[ATTR_MAX];

	if (command < BPFCALLS_COMMANDS)
		calls->count[command]++;
	if (!calls->refuse || size > sizeof(attr) || !bpfcalls_read(calls, call->args[1], attr, size))
		return 0;
	return calls->refuse(calls, command, attr, size);
}

static void answer(struct bpfcalls *calls, int listener)
{
	struct seccomp_notif call = { 0 };
	struct seccomp_notif_resp resp = { 0 };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
		return;
	resp.id = call.id;
	resp.error = -verdict(calls, &call.data);
	resp.flags = resp.error ? 0 : (uint32_t)SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

bool bpfcalls_watch(struct bpfcalls *calls, bool (*run)(const void *), const void *arg)
{
	int status = 0, listener, to[2], back[2];

	ck_assert(!pipe(to) && !pipe(back));
	fflush(stdout);
	calls->pid = fork();
	ck_assert_int_ge(calls->pid, 0);
	if (!calls->pid) {
		close(back[1]);
		be_watched(to[1], back[0], run, arg);
	}
	close(to[1]);
	close(back[0]);
	memset(calls->count, 0, sizeof(calls->count));
	listener = take_listener(to[0], back[1], calls->pid);
	close(to[0]);
	close(back[1]);
	while (listener >= 0 && !waitpid(calls->pid, &status, WNOHANG)) {
		struct pollfd poll_it = { .fd = listener, .events = POLLIN };

		if (poll(&poll_it, 1, 50) > 0 && poll_it.revents & POLLIN)
			answer(calls, listener);
	}
	if (listener < 0) {
		waitpid(calls->pid, &status, 0);
		fprintf(stderr, "SKIP watching bpf(2): no seccomp listener\n");
		return false;
	}
	close(listener);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "the process that was watched failed: 0x%x", status);
	return true;
}
