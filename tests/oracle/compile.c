// SPDX-License-Identifier: BSD-2-Clause
/*
 * Compilers are tried with each -mcpu on a program of one line; what fails is
 * not here.  They run as children without a shell, so that two can run at a
 * time, and what they have to say goes to a file beside the object.
 */
#include "tests/oracle/compile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 40 };

static void arguments(const struct compiler *c, const char *source, const char *object,
		      const char *const *flags, const char *args[ARGS_MAX])
{
	static const char *const clang[] = { "-target", "bpf", "-g", "-w", NULL };
	static const char *const gcc[] = { "-gbtf", "-w", "-fno-ipa-icf", NULL };
	uint32_t n = 0;

	args[n++] = c->command;
	for (const char *const *f = c->gcc ? gcc : clang; *f; f++)
		args[n++] = *f;
	args[n++] = c->cpu;
	for (; *flags && n < ARGS_MAX - 5; flags++)
		args[n++] = *flags;
	args[n++] = "-c";
	args[n++] = source;
	args[n++] = "-o";
	args[n++] = object;
	args[n] = NULL;
}

pid_t compile_start(const struct compiler *c, const char *source, const char *object,
		    const char *const *flags)
{
	const char *args[ARGS_MAX];
	char log[512];
	pid_t pid;
	int fd;

	arguments(c, source, object, flags, args);
	snprintf(log, sizeof(log), "%s.log", object);
	pid = fork();
	if (pid)
		return pid;
	fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	dup2(fd, STDERR_FILENO);
	execvp(args[0], (char *const *)args);
	_exit(127);
}

bool compile_wait(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

void compile_text(const struct compiler *c, const char *source, const char *object, const char *const *flags,
		  char *text, size_t size)
{
	const char *args[ARGS_MAX];
	size_t at = 0;

	arguments(c, source, object, flags, args);
	for (uint32_t i = 0; args[i] && at < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%s'%s'", i ? " " : "", args[i]);
}

uint32_t compile_find(struct compiler found[COMPILERS_MAX], const char *dir)
{
	static const char *const commands[] = { "clang-14", "clang-16", "clang-19",
						"clang-21", "bpf-gcc",	"bpf-unknown-none-gcc" };
	static const char *const cpus[] = { "-mcpu=v1", "-mcpu=v2", "-mcpu=v3", "-mcpu=v4" };
	static const char *const flags[] = { "-O2", NULL };
	char source[256], object[256];
	uint32_t count = 0;
	FILE *file;

	snprintf(source, sizeof(source), "%s/try.c", dir);
	snprintf(object, sizeof(object), "%s/try.o", dir);
	file = fopen(source, "w");
	if (!file)
		return 0;
	fputs("int f(int x) { return x == 7; }\n", file);
	fclose(file);
	for (uint32_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		for (uint32_t k = 0; k < sizeof(cpus) / sizeof(*cpus) && count < COMPILERS_MAX; k++) {
			struct compiler c = { commands[i], cpus[k], strstr(commands[i], "gcc") != NULL };

			/* gcc 12 takes `r &= -1` for a zero extension there. */
			if (c.gcc && !strcmp(cpus[k], "-mcpu=v2"))
				continue;
			if (compile_wait(compile_start(&c, source, object, flags)))
				found[count++] = c;
		}
	}
	return count;
}
