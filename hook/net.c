// SPDX-License-Identifier: BSD-2-Clause
/*
 * A network namespace to attach in: a netlink socket that was made there, and
 * the namespace itself, for the calls of bpf(2) that take the index of an
 * interface and must be made by a thread that is inside (netlink/inside.c).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hook/hook.h"
#include "loader/err.h"

#define NETNS_DIR "/run/netns"

/* NULL: own (-1). Else a descriptor of the namespace, or -2 with *err. */
static int open_netns(const char *netns, struct bpfstamp_err *err)
{
	char path[4096];
	int fd, n;

	if (!netns)
		return -1;
	if (strchr(netns, '/'))
		n = snprintf(path, sizeof(path), "%s", netns);
	else if (*netns && strspn(netns, "0123456789") == strlen(netns))
		n = snprintf(path, sizeof(path), "/proc/%s/ns/net", netns);
	else
		n = snprintf(path, sizeof(path), NETNS_DIR "/%s", netns);
	errno = ENAMETOOLONG;
	fd = n < (int)sizeof(path) ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (fd < 0) {
		err_set(err, errno, "cannot open network namespace %s (%s): %s", netns, path, strerror(errno));
		return -2;
	}
	return fd;
}

/* Note the namespace; the thread's own where netns_fd is -1. */
static int identify(struct bpfstamp_net *net, struct bpfstamp_err *err)
{
	struct stat st;

	if (net->netns_fd >= 0 ? fstat(net->netns_fd, &st) : stat("/proc/thread-self/ns/net", &st))
		return err_set(err, errno, "cannot look at the network namespace: %s", strerror(errno));
	net->netns = st.st_ino;
	return 0;
}

int bpfstamp_net_open(struct bpfstamp_net **out, const char *netns, struct bpfstamp_err *err)
{
	struct bpfstamp_net *net = calloc(1, sizeof(*net));

	if (!net)
		return err_set(err, ENOMEM, "out of memory");
	net->netns_fd = open_netns(netns, err);
	if (net->netns_fd == -2) {
		free(net);
		return -1;
	}
	if (identify(net, err) || rtnl_open(&net->rtnl, net->netns_fd, err)) {
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
