// SPDX-License-Identifier: BSD-2-Clause
/*
 * install FILE… DIR [-- FILE… DIR]…: copy files into folders; without arguments,
 * wait for SIGTERM.
 *
 * An image FROM scratch has no shell and no cp, and a DaemonSet needs both: a
 * container that puts the plugin and what it reads onto the node, in the order of
 * the arguments, and one that runs on as long as the pod does.
 *
 * A file appears under its name only when it is complete and on the disk
 * (rename): a runtime that looks at any time finds the old one or the new one.
 * It is written as .NAME.new, under a lock of the folder; what an installer that was
 * killed left there is replaced.  Folders are never made: that they exist, and
 * are the node's, is for the DaemonSet to say.  Nothing is ever removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *what, const char *path)
{
	fprintf(stderr, "install: cannot %s %s: %s\n", what, path, strerror(errno));
	return -1;
}

static int fill(int to, int from, const char *path)
{
	struct stat st;
	ssize_t n;

	if (fstat(from, &st))
		return failed("look at", path);
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return failed("copy what is no file:", path);
	}
	while ((n = sendfile(to, from, NULL, 1u << 20)) > 0)
		;
	if (n || fchmod(to, st.st_mode & 0755) || fsync(to))
		return failed("copy", path);
	return 0;
}

/* The folder is locked. */
static int copy(int dir, const char *path, const char *name)
{
	char temporary[NAME_MAX + 1];
	int from, to, ret;

	if (snprintf(temporary, sizeof(temporary), ".%s.new", name) >= (int)sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return failed("copy", path);
	}
	from = open(path, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return failed("open", path);
	unlinkat(dir, temporary, 0);
	to = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ret = to < 0 ? failed("make the copy of", path) : fill(to, from, path);
	if (!ret && renameat(dir, temporary, dir, name))
		ret = failed("put in place the copy of", path);
	if (ret && to >= 0)
		unlinkat(dir, temporary, 0);
	if (to >= 0)
		close(to);
	close(from);
	return ret;
}

/* FILE… DIR */
static int install(char **args, int count)
{
	char path[PATH_MAX];
	const char *folder;
	int dir, ret = 0;

	if (count < 2) {
		fprintf(stderr, "usage: install FILE… DIR [-- FILE… DIR]…\n");
		return -1;
	}
	folder = args[count - 1];
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || flock(dir, LOCK_EX))
		ret = failed("use the folder", folder);
	for (int i = 0; !ret && i < count - 1; i++) {
		snprintf(path, sizeof(path), "%s", args[i]);
		ret = copy(dir, args[i], basename(path));
		if (!ret)
			printf("installed %s in %s\n", args[i], folder);
	}
	if (!ret && fsync(dir))
		ret = failed("write the folder", folder);
	if (dir >= 0)
		close(dir);
	return ret;
}

/* The first process of a container gets only those signals that it asks for. */
static int wait_for_the_end(void)
{
	sigset_t signals;
	int signal;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return sigwait(&signals, &signal) ? 1 : 0;
}

int main(int argc, char **argv)
{
	int begin = 1;

	if (argc == 1)
		return wait_for_the_end();
	for (int i = 1; i <= argc; i++) {
		if (i < argc && strcmp(argv[i], "--") != 0)
			continue;
		if (install(argv + begin, i - begin))
			return 1;
		begin = i + 1;
	}
	return 0;
}
