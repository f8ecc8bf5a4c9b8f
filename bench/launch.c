// SPDX-License-Identifier: BSD-2-Clause
/*
 * launch PROGRAM ARGUMENT…: run it and tell, on standard error, the most memory
 * that it had, in KiB, and the nanoseconds that it took.  A process inherits that
 * memory over exec from whoever launches it, so that a large one cannot ask.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1000000000LL * t.tv_sec + t.tv_nsec;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	long long start;
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	start = now();
	pid = fork();
	if (!pid) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status)
		return 1;
	fprintf(stderr, "%ld %lld\n", usage.ru_maxrss, now() - start);
	return 0;
}
