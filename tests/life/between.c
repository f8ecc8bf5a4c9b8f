// SPDX-License-Identifier: BSD-2-Clause
/*
 * between kill|ACTION after USEC COMMAND…
 * between kill|ACTION call N COMMAND…
 * between ACTION from N COMMAND…
 *
 * Runs COMMAND and interrupts it once: after USEC microseconds, or between two
 * system calls, after the Nth (from 1) of those that may change what others see.
 * There it is killed, or stands still while ACTION, a line of shell, is done.  "from"
 * does it after each call from the Nth on.
 *
 * The exit status is COMMAND's, or 137 where it was killed, and 100 where it
 * ended before it could be interrupted, with success.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/ptrace.h>

enum { EARLY = 100, KILLED = 137 };

/* Calls that ask or change: what may be different after them. */
static bool counts(uint64_t nr)
{
	static const long calls[] = {
		SYS_bpf, SYS_sendto, SYS_sendmsg, SYS_unlinkat, SYS_mkdirat, SYS_renameat2, SYS_setns,
#ifdef SYS_unlink
		SYS_unlink, SYS_mkdir, SYS_rmdir, SYS_rename,
#endif
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (nr == (uint64_t)calls[i])
			return true;
	return false;
}

static pid_t start(char **command, bool traced)
{
	pid_t pid = fork();

	if (pid < 0)
		err(2, "fork");
	if (pid)
		return pid;
	if (traced && ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		err(2, "ptrace");
	execvp(command[0], command);
	err(2, "%s", command[0]);
}

static void wait_for(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			err(2, "waitpid");
}

static int status_of(int status, bool interrupted)
{
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status) || interrupted ? WEXITSTATUS(status) : EARLY;
}

/* Whether the stop is after a call that counts; *nr is of the call that is under way. */
static bool after_call(pid_t pid, int status, uint64_t *nr)
{
	struct ptrace_syscall_info info;

	if (WSTOPSIG(status) != (SIGTRAP | 0x80) ||
	    ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) <= 0)
		return false;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		*nr = info.entry.nr;
	return info.op == PTRACE_SYSCALL_INFO_EXIT && counts(*nr);
}

static void act(pid_t pid, const char *action)
{
	if (!strcmp(action, "kill"))
		kill(pid, SIGKILL);
	else if (system(action))
		warnx("%s failed", action);
}

static int at_call(const char *action, unsigned long n, bool once, char **command)
{
	pid_t pid = start(command, true);
	bool interrupted = false;
	uint64_t nr = 0;
	int status;

	wait_for(pid, &status);
	if (WIFSTOPPED(status))
		ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
	while (WIFSTOPPED(status)) {
		int signal = WSTOPSIG(status);

		if (!(interrupted && once) && after_call(pid, status, &nr) && (interrupted || !--n)) {
			act(pid, action);
			interrupted = true;
		}
		if (signal == SIGTRAP || signal == (SIGTRAP | 0x80))
			signal = 0;
		if (ptrace(interrupted && once ? PTRACE_CONT : PTRACE_SYSCALL, pid, NULL, (void *)(long)signal) &&
		    errno != ESRCH)
			err(2, "ptrace");
		wait_for(pid, &status);
	}
	return status_of(status, interrupted);
}

static int after_time(const char *action, unsigned int usec, char **command)
{
	pid_t pid = start(command, false);
	bool interrupted;
	int status;

	usleep(usec);
	interrupted = waitpid(pid, &status, WNOHANG) == 0;
	if (interrupted) {
		kill(pid, SIGSTOP);
		act(pid, action);
		kill(pid, SIGCONT);
		wait_for(pid, &status);
		interrupted = strcmp(action, "kill") || WIFSIGNALED(status);
	}
	return status_of(status, interrupted);
}

int main(int argc, char **argv)
{
	unsigned long n;

	if (argc < 5)
		errx(2, "usage: between kill|ACTION after|call|from N COMMAND…");
	n = strtoul(argv[3], NULL, 10);
	return !strcmp(argv[2], "after") ? after_time(argv[1], (unsigned int)n, argv + 4) :
	       at_call(argv[1], n, !strcmp(argv[2], "call"), argv + 4);
}
