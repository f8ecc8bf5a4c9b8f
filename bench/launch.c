// SPDX-License-Identifier: BSD-2-Clause
/*
 * launch PROGRAM ARGUMENT…: run it and tell, on standard error, the most memory
 * that it had, in KiB.  A process inherits that figure over exec from whoever
 * launches it, so that a large one cannot ask.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	pid = fork();
	if (!pid) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status)
		return 1;
	fprintf(stderr, "%ld\n", usage.ru_maxrss);
	return 0;
}
