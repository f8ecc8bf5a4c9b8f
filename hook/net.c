// SPDX-License-Identifier: BSD-2-Clause
/*
 * A network namespace to attach in: a netlink socket that was made there, and
 * the namespace itself, for the calls of bpf(2) that take the index of an
 * interface and must be made by a thread that is inside (netlink/inside.c).
 *
 * A name is a file under /run/netns with a namespace mounted on it, and a
 * number a process or a thread, which may be in another namespace than the rest
 * of its process; who has a namespace of such a name gives its path.  Whatever
 * was opened is looked at before it is used: a name whose mount is gone, or was
 * made in another mount namespace, is an ordinary empty file, and a process that
 * has ended keeps its number until its parent has waited for it, but no
 * namespace.
 */
#define _GNU_SOURCE	/* CLONE_NEWNET */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "hook/hook.h"
#include "loader/err.h"

#define NETNS_DIR "/run/netns"

enum { OWN = -1, FAILED = -2 };

static bool is_number(const char *netns)
{
	return *netns && strspn(netns, "0123456789") == strlen(netns);
}

static int cannot_open(const char *netns, const char *path, struct bpfstamp_err *err)
{
	int code = errno;
	char process[64];

	if (code == ENOENT && is_number(netns)) {
		snprintf(process, sizeof(process), "/proc/%.32s", netns);
		return access(process, F_OK) ? err_set(err, ESRCH, "network namespace %s: there is no such process",
						       netns) :
			err_set(err, ESRCH, "network namespace %s: the process has ended", netns);
	}
	if (code == ENOENT && !strchr(netns, '/'))
		return err_set(err, code, "there is no network namespace '%s' (%s)", netns, path);
	err_set(err, code, "cannot open network namespace %s (%s): %s", netns, path, strerror(code));
	if (code == EACCES && is_number(netns))
		err_hint(err, "; another user's process needs CAP_SYS_PTRACE");
	return -1;
}

/* What is opened may be anything. */
static int check_netns(int fd, const char *netns, const char *path, struct bpfstamp_err *err)
{
	struct statfs fs;
	int type;

	if (fstatfs(fd, &fs))
		return err_set(err, errno, "cannot look at network namespace %s (%s): %s", netns, path,
			       strerror(errno));
	if (fs.f_type != NSFS_MAGIC && !strncmp(path, NETNS_DIR "/", strlen(NETNS_DIR "/")))
		return err_set(err, EINVAL, "no namespace is mounted on %s: it is deleted, or mounted where this "
			       "process does not see it", path);
	if (fs.f_type != NSFS_MAGIC)
		return err_set(err, EINVAL, "%s is no network namespace", path);
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type >= 0 && type != CLONE_NEWNET)
		return err_set(err, EINVAL, "%s is a namespace, but of another kind than network", path);
	return 0;
}

/* NULL: OWN.  Else a descriptor of the namespace, or FAILED with *err. */
static int open_netns(const char *netns, struct bpfstamp_err *err)
{
	char path[4096];
	int fd, n;

	if (!netns)
		return OWN;
	if (strchr(netns, '/'))
		n = snprintf(path, sizeof(path), "%s", netns);
	else if (is_number(netns))
		n = snprintf(path, sizeof(path), "/proc/%s/ns/net", netns);
	else
		n = snprintf(path, sizeof(path), NETNS_DIR "/%s", netns);
	if (!*netns || n >= (int)sizeof(path)) {
		err_set(err, *netns ? ENAMETOOLONG : EINVAL, "the network namespace has %s name",
			*netns ? "too long a" : "no");
		return FAILED;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		cannot_open(netns, path, err);
		return FAILED;
	}
	if (check_netns(fd, netns, path, err)) {
		close(fd);
		return FAILED;
	}
	return fd;
}

int hook_netns(const struct bpfstamp_net *net, ino_t *out, struct bpfstamp_err *err)
{
	struct stat st;

	if (net->netns_fd >= 0 ? fstat(net->netns_fd, &st) : stat("/proc/thread-self/ns/net", &st))
		return err_set(err, errno, "cannot look at the network namespace: %s", strerror(errno));
	*out = st.st_ino;
	return 0;
}

int bpfstamp_net_open(struct bpfstamp_net **out, const char *netns, struct bpfstamp_err *err)
{
	struct bpfstamp_net *net = calloc(1, sizeof(*net));

	if (!net)
		return err_set(err, ENOMEM, "out of memory");
	net->netns_fd = open_netns(netns, err);
	if (net->netns_fd == FAILED) {
		free(net);
		return -1;
	}
	if (rtnl_open(&net->rtnl, net->netns_fd, err)) {
		bpfstamp_net_close(net);
		return netns ? err_wrap(err, "network namespace %s", netns) : -1;
	}
	*out = net;
	return 0;
}

void bpfstamp_net_close(struct bpfstamp_net *net)
{
	if (!net)
		return;
	rtnl_close(&net->rtnl);
	if (net->netns_fd >= 0)
		close(net->netns_fd);
	free(net);
}

int bpfstamp_net_device(struct bpfstamp_net *net, const char *name, int ifindex, struct bpfstamp_device *out,
			struct bpfstamp_err *err)
{
	struct link_info link;

	if (link_find(&net->rtnl, ifindex, name, &link, err))
		return -1;
	out->ifindex = link.ifindex;
	memcpy(out->name, link.name, sizeof(out->name));
	return 0;
}

static int is_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int bpfstamp_netns_each(bpfstamp_netns_fn *fn, void *arg, struct bpfstamp_err *err)
{
	struct dirent **names;
	int count = scandir(NETNS_DIR, &names, is_name, alphasort), stop = 0;

	if (count < 0 && errno == ENOENT)
		return 0;	/* nobody has named one yet */
	if (count < 0)
		return err_set(err, errno, "cannot list %s: %s", NETNS_DIR, strerror(errno));
	for (int i = 0; i < count; i++) {
		stop = stop || fn(names[i]->d_name, arg);
		free(names[i]);
	}
	free(names);
	return stop ? err_set(err, ECANCELED, "stopped by the caller") : 0;
}
