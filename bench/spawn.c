// SPDX-License-Identifier: BSD-2-Clause
/*
 * spawn FILE PROGRAM: run PROGRAM once, and append to FILE how many nanoseconds
 * of the monotonic clock passed from just before it was started to when it had
 * ended and was waited for.  PROGRAM has our environment, stdin, stdout and
 * stderr, and its exit status becomes ours; 125 where it could not be run or
 * timed, 126 where a signal ended it.
 *
 * A shell that measures its children measures much of itself; this program
 * shares its memory with the child until that runs PROGRAM, so nothing is copied.
 */
#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { FAILED = 125, KILLED = 126 };

extern char **environ;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int fail(const char *what, int code)
{
	fprintf(stderr, "spawn: %s: %s\n", what, strerror(code));
	return FAILED;
}

static int note(const char *path, int64_t ns)
{
	FILE *file = fopen(path, "a");

	if (!file)
		return fail(path, errno);
	fprintf(file, "%" PRId64 "\n", ns);
	return fclose(file) ? fail(path, errno) : 0;
}

int main(int argc, char *argv[])
{
	int64_t began, ended;
	int status, code;
	pid_t pid;

	if (argc != 3) {
		fprintf(stderr, "usage: spawn FILE PROGRAM\n");
		return FAILED;
	}
	began = now();
	code = posix_spawn(&pid, argv[2], NULL, NULL, argv + 2, environ);
	if (code)
		return fail(argv[2], code);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail(argv[2], errno);
	ended = now();
	if (note(argv[1], ended - began))
		return FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED;
}
