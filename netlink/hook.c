// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life of a filter on clsact, as bpfstamp.h offers it.
 *
 * Whose a filter is stands in its name: bpfstamp calls its filters
 * "bpfstamp:PROGRAM" (TCA_BPF_NAME is free text), which survives the process
 * that attached it and is seen by every other tool.  Only such filters are
 * replaced or removed, unless the caller forces it.
 *
 * Attaching first asks the kernel to create, exclusively: on a new interface
 * that is all.  Only where something is there is it looked at, and replaced by
 * one message if it is ours, so no packet passes unfiltered.
 *
 * clsact is deleted only if this very call created it, the filter then failed,
 * and nobody has put one of his own on it meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/err.h"
#include "netlink/tc.h"

#define OURS "bpfstamp:"
#define CLSACT_MAJOR 0xffff0000u

struct bpfstamp_net {
	struct rtnl rtnl;
};

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
		n = snprintf(path, sizeof(path), "/run/netns/%s", netns);
	errno = ENAMETOOLONG;
	fd = n < (int)sizeof(path) ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (fd < 0) {
		err_set(err, errno, "cannot open network namespace %s (%s): %s", netns, path, strerror(errno));
		return -2;
	}
	return fd;
}

int bpfstamp_net_open(struct bpfstamp_net **out, const char *netns, struct bpfstamp_err *err)
{
	struct bpfstamp_net *net = calloc(1, sizeof(*net));
	int fd, ret;

	if (!net)
		return err_set(err, ENOMEM, "out of memory");
	fd = open_netns(netns, err);
	ret = fd == -2 ? -1 : rtnl_open(&net->rtnl, fd, err);
	if (fd >= 0) {
		close(fd);
		if (ret)
			err_wrap(err, "network namespace %s", netns);
	}
	if (ret) {
		free(net);
		return -1;
	}
	*out = net;
	return 0;
}

void bpfstamp_net_close(struct bpfstamp_net *net)
{
	if (!net)
		return;
	rtnl_close(&net->rtnl);
	free(net);
}

static bool is_ours(const struct tc_filter *f)
{
	return !strcmp(f->kind, "bpf") && !strncmp(f->name, OURS, strlen(OURS));
}

static void describe(struct bpfstamp_filter *out, const struct tc_filter *f, const char *dev)
{
	bool ours = is_ours(f);

	*out = (struct bpfstamp_filter){
		.ifindex = f->ifindex,
		.direction = (f->parent & 0xffff) == TC_EGRESS ? BPFSTAMP_EGRESS : BPFSTAMP_INGRESS,
		.prio = f->prio, .protocol = f->protocol, .handle = f->handle, .chain = f->chain, .ours = ours,
		.id = f->id, .has_tag = f->has_tag,
	};
	snprintf(out->dev, sizeof(out->dev), "%s", dev);
	memcpy(out->kind, f->kind, sizeof(out->kind));
	memcpy(out->tag, f->tag, sizeof(out->tag));
	snprintf(out->name, sizeof(out->name), "%s", f->name + (ours ? strlen(OURS) : 0));
}

/* The filter that a hook names, on an interface that is there. */
static int place(struct bpfstamp_net *net, const struct bpfstamp_hook *hook, struct tc_filter *f,
		 struct bpfstamp_err *err)
{
	*f = (struct tc_filter){
		.parent = CLSACT_MAJOR | (hook->direction == BPFSTAMP_EGRESS ? TC_EGRESS : TC_INGRESS),
		.handle = hook->handle, .prio = hook->prio, .kind = "bpf",
		.protocol = hook->protocol ? hook->protocol : ETH_P_ALL,
		.direct_action = true,
	};
	if (!hook->prio || !hook->handle)
		return err_set(err, EINVAL, "prio and handle of a filter must not be 0");
	return rtnl_ifindex(&net->rtnl, hook->dev, &f->ifindex, err);
}

static int not_ours(const struct tc_filter *f, const char *dev, struct bpfstamp_err *err)
{
	err_set(err, EEXIST, "prio %u handle 0x%x on %s is taken by a filter of another program: %s", f->prio, f->handle,
		dev, f->kind);
	if (*f->name)
		err_hint(err, " '%s'", f->name);
	return err_hint(err, !strcmp(f->kind, "bpf") ? "; choose another prio or handle, or use --force" :
			"; choose another prio");
}

struct place {
	const struct tc_filter *f;
	const char *dev;
};

static int prio_of_another(const struct tc_filter *there, void *arg, struct bpfstamp_err *err)
{
	const struct place *p = arg;

	if (there->prio != p->f->prio || there->chain != p->f->chain ||
	    (!strcmp(there->kind, p->f->kind) && there->protocol == p->f->protocol))
		return 0;
	return err_set(err, EEXIST, "prio %u on %s is taken by a %s filter of protocol 0x%04x; "
		       "choose another prio", there->prio, p->dev, there->kind, there->protocol);
}

/* A prio belongs to one kind of filter and one protocol, whatever the handle. */
static int check_prio(struct bpfstamp_net *net, const struct tc_filter *f, const char *dev,
		      struct bpfstamp_err *err)
{
	struct place p = { .f = f, .dev = dev };

	return tc_filter_each(&net->rtnl, f->ifindex, f->parent, dev, prio_of_another, &p, err);
}

/* Replace what is there, if it is ours or the caller says so. */
static int replace(struct bpfstamp_net *net, const struct tc_filter *f, const struct bpfstamp_hook *hook,
		   struct tc_filter *made, struct bpfstamp_err *err)
{
	struct tc_filter there;

	if (!hook->force) {
		if (tc_filter_find(&net->rtnl, f, hook->dev, &there, err))
			return -1;
		if (!is_ours(&there))
			return not_ours(&there, hook->dev, err);
	}
	return tc_filter_set(&net->rtnl, f, false, hook->dev, made, err);
}

static void undo_clsact(struct bpfstamp_net *net, int ifindex, const char *dev)
{
	struct bpfstamp_err ignored;
	bool empty;

	if (!tc_clsact_empty(&net->rtnl, ifindex, dev, &empty, &ignored) && empty)
		tc_clsact_delete(&net->rtnl, ifindex, dev, &ignored);
}

int bpfstamp_attach(struct bpfstamp_net *net, const struct bpfstamp_hook *hook, int fd, const char *name,
		    struct bpfstamp_filter *out, struct bpfstamp_err *err)
{
	struct tc_filter f, made;
	struct bpfstamp_err why;
	bool created;
	int ret;

	if (place(net, hook, &f, err))
		return -1;
	f.fd = fd;
	snprintf(f.name, sizeof(f.name), OURS "%s", name);
	if (tc_clsact_ensure(&net->rtnl, f.ifindex, hook->dev, &created, err))
		return -1;
	ret = tc_filter_set(&net->rtnl, &f, true, hook->dev, &made, err);
	if (ret && err->code == EEXIST)
		ret = replace(net, &f, hook, &made, err);
	if (ret && err->code == EINVAL && check_prio(net, &f, hook->dev, &why) && why.code == EEXIST)
		*err = why;
	if (ret) {
		if (created)
			undo_clsact(net, f.ifindex, hook->dev);
		return -1;
	}
	if (out)
		describe(out, &made, hook->dev);
	return 0;
}

static int find_clsact(const struct tc_qdisc *q, void *arg, struct bpfstamp_err *err)
{
	bool *clsact = arg;

	if (q->parent != TC_H_CLSACT)
		return 0;
	if (strcmp(q->kind, "clsact") != 0)
		return err_set(err, EEXIST, "the interface has qdisc %s where clsact is wanted", q->kind);
	*clsact = true;
	return 0;
}

/* Whether clsact is there, and the filter of the place; what is not ours to touch is an error. */
static int look(struct bpfstamp_net *net, const struct bpfstamp_hook *hook, const struct tc_filter *f,
		bool *clsact, bool *filter, struct tc_filter *there, struct bpfstamp_err *err)
{
	*clsact = *filter = false;
	if (tc_qdisc_each(&net->rtnl, f->ifindex, find_clsact, clsact, err))
		return err_wrap(err, "%s", hook->dev);
	if (!*clsact)
		return 0;
	*filter = !tc_filter_find(&net->rtnl, f, hook->dev, there, err);
	if (!*filter)
		return err->code == ENOENT ? 0 : -1;
	if (!is_ours(there) && (!hook->force || strcmp(there->kind, "bpf") != 0))
		return not_ours(there, hook->dev, err);
	return 0;
}

int bpfstamp_attach_check(struct bpfstamp_net *net, const struct bpfstamp_hook *hook, bool *clsact, bool *filter,
			  int *ifindex, struct bpfstamp_err *err)
{
	struct tc_filter f, there;
	bool has_clsact, has_filter;

	if (place(net, hook, &f, err) || look(net, hook, &f, &has_clsact, &has_filter, &there, err))
		return -1;
	if (has_clsact && !has_filter && check_prio(net, &f, hook->dev, err))
		return -1;
	*clsact = has_clsact;
	*filter = has_filter;
	*ifindex = f.ifindex;
	return 0;
}

int bpfstamp_detach(struct bpfstamp_net *net, const struct bpfstamp_hook *hook, bool dry, struct bpfstamp_filter *out,
		    struct bpfstamp_err *err)
{
	struct tc_filter f, there;
	bool clsact, filter;

	if (place(net, hook, &f, err) || look(net, hook, &f, &clsact, &filter, &there, err))
		return -1;
	if (!filter)
		return err_set(err, ENOENT, "no filter at prio %u handle 0x%x on %s of %s", f.prio, f.handle,
			       hook->direction == BPFSTAMP_EGRESS ? "egress" : "ingress", hook->dev);
	if (!dry && tc_filter_delete(&net->rtnl, &there, hook->dev, err))
		return -1;
	if (out)
		describe(out, &there, hook->dev);
	return 0;
}

/* ------------------------------------------------------------------ show */

struct devices {
	int *ifindex;
	size_t count;
};

/* Remember each interface that has clsact. */
static int add_device(const struct tc_qdisc *q, void *arg, struct bpfstamp_err *err)
{
	struct devices *d = arg;
	int *bigger;

	if (q->parent != TC_H_CLSACT || strcmp(q->kind, "clsact") != 0)
		return 0;
	bigger = realloc(d->ifindex, (d->count + 1) * sizeof(*bigger));
	if (!bigger)
		return err_set(err, ENOMEM, "out of memory");
	d->ifindex = bigger;
	d->ifindex[d->count++] = q->ifindex;
	return 0;
}

struct showing {
	const char *dev;
	bpfstamp_filter_fn *fn;
	void *arg;
};

static int show_one(const struct tc_filter *f, void *arg, struct bpfstamp_err *err)
{
	const struct showing *s = arg;
	struct bpfstamp_filter out;

	if (!f->handle)	/* the entry that stands for a whole prio */
		return 0;
	describe(&out, f, s->dev);
	return s->fn(&out, s->arg) ? err_set(err, ECANCELED, "stopped by the caller") : 0;
}

static int show_device(struct bpfstamp_net *net, int ifindex, bpfstamp_filter_fn *fn, void *arg,
		       struct bpfstamp_err *err)
{
	static const enum tc_direction directions[] = { TC_INGRESS, TC_EGRESS };
	char dev[16];
	struct showing s = { .dev = dev, .fn = fn, .arg = arg };

	if (rtnl_ifname(&net->rtnl, ifindex, dev, err))
		return err->code == ENODEV ? 0 : -1;	/* gone since it was listed */
	for (int i = 0; i < 2; i++)
		if (tc_filter_each(&net->rtnl, ifindex, CLSACT_MAJOR | directions[i], dev, show_one, &s, err))
			return -1;
	return 0;
}

int bpfstamp_show(struct bpfstamp_net *net, const char *dev, bpfstamp_filter_fn *fn, void *arg,
		  struct bpfstamp_err *err)
{
	struct devices d = { 0 };
	int ifindex = 0, ret = 0;

	if (dev && rtnl_ifindex(&net->rtnl, dev, &ifindex, err))
		return -1;
	ret = tc_qdisc_each(&net->rtnl, ifindex, add_device, &d, err);
	for (size_t i = 0; !ret && i < d.count; i++)
		ret = show_device(net, d.ifindex[i], fn, arg, err);
	free(d.ifindex);
	return ret;
}
