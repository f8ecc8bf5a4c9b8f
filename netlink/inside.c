// SPDX-License-Identifier: BSD-2-Clause
/*
 * A socket belongs to the namespace of the thread that makes it, and bpf(2)
 * takes an interface's index as one of the calling thread's namespace.  To do
 * either elsewhere, a thread is started that enters that namespace, does it,
 * and ends.  The caller's own thread never leaves its namespace, and so cannot
 * fail to return to it (it may lack the right to: a user namespace's root can
 * enter the network namespaces it owns, but not the one it was started in).
 *
 * That thread takes no signals: a handler must not find itself in the other
 * namespace.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "loader/err.h"
#include "netlink/inside.h"

struct visit {
	int netns_fd;
	inside_fn *fn;
	void *arg;
	struct bpfstamp_err *err;
	int ret;
};

static int cannot_enter(struct bpfstamp_err *err)
{
	err_set(err, errno, "enter the network namespace: %s", strerror(errno));
	if (err->code == EPERM)
		err_hint(err, "; needs CAP_SYS_ADMIN here and there");
	return -1;
}

static void *go(void *arg)
{
	struct visit *v = arg;

	if (setns(v->netns_fd, CLONE_NEWNET) < 0)
		v->ret = cannot_enter(v->err);
	else
		v->ret = v->fn(v->arg, v->err);
	return NULL;
}

int inside(int netns_fd, inside_fn *fn, void *arg, struct bpfstamp_err *err)
{
	struct visit v = { .netns_fd = netns_fd, .fn = fn, .arg = arg, .err = err };
	sigset_t all, before;
	pthread_t thread;
	int code;

	if (netns_fd < 0)
		return fn(arg, err);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(&thread, NULL, go, &v);
	if (code)
		v.ret = err_set(err, code, "start a thread for the network namespace: %s", strerror(code));
	else
		pthread_join(thread, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return v.ret;
}
