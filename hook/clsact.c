// SPDX-License-Identifier: BSD-2-Clause
/*
 * The life of a filter on clsact or on a shared block, as bpfstamp.h offers it.
 *
 * Whose a filter is stands in its name: bpfstamp calls its filters
 * "bpfstamp:PROGRAM" (TCA_BPF_NAME is free text), which survives the process
 * that attached it and is seen by every other tool.  Only such filters are
 * replaced or removed, unless the caller forces it.
 *
 * Attaching first asks the kernel to create, exclusively, clsact and then the
 * filter: on a new interface that is all.  Where clsact is there already, the place
 * is looked at, and a filter of ours is replaced by one message, so no packet passes
 * unfiltered.  That it is ours also tells that the qdisc is clsact: bpfstamp puts
 * none on another, and a qdisc takes its filters with it when it goes.  In any other
 * case the kernel is asked what qdisc that is (the `ingress` that may be in its
 * place would run a filter for egress on ingress), and the filter is created
 * exclusively; only what is in the way of that is looked at again.  So nothing is
 * put behind the creation of clsact in one send: the kernel would do it on whatever
 * is there.
 *
 * Who replaced a filter last is likely to replace one next: the place is then looked
 * at first, which spares asking for a clsact that is there.  Either order ends
 * the same way on any interface; a wrong guess costs one request.
 *
 * Appending is an exclusive creation, too, at the prio behind the last: whoever is
 * faster makes it look again.
 *
 * Others live on the same interface.  What they change between two messages of
 * ours (a filter or clsact is gone, or is there now) makes a step fail, and is
 * tried again a bounded number of times.  The kernel has no deletion and no
 * replacement of "this filter if it is still that program", so somebody who
 * puts his own in the place of ours within the microseconds between our look
 * and our message loses it.  Nor does it create "this filter if that is still
 * clsact": who puts `ingress` in its place within such microseconds gets our filter on
 * that, where it is then ours to replace as any other.
 *
 * clsact is deleted only if this very call created it, the filter then failed,
 * and nobody has put one of his own on it meanwhile.  A shared block belongs to
 * whoever made it; for one, no qdisc is ever made or removed.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>

#include "hook/clsact.h"
#include "loader/err.h"
#include "loader/sys.h"

#define ATTEMPTS 10		/* at what others change meanwhile */
#define APPEND_ATTEMPTS 100	/* each of them means that another one has appended */

/* Where a filter is, as errors say it. */
static const char *where(const struct hook_place *place)
{
	if (place->hook->block)
		return "";
	return place->hook->direction == BPFSTAMP_EGRESS ? "egress of " : "ingress of ";
}

/* The filter that a hook names. */
static int name_filter(const struct hook_place *place, bool append, struct tc_filter *f, struct bpfstamp_err *err)
{
	const struct bpfstamp_hook *hook = place->hook;

	*f = (struct tc_filter){
		.block = hook->block, .ifindex = place->ifindex,
		.parent = hook->block ? 0 : clsact_parent(hook->direction),
		.handle = hook->handle, .prio = hook->prio, .chain = hook->chain, .kind = "bpf",
		.protocol = hook->protocol ? hook->protocol : ETH_P_ALL,
		.gen_flags = (hook->skip_hw ? TCA_CLS_FLAGS_SKIP_HW : 0) |
			     (hook->skip_sw ? TCA_CLS_FLAGS_SKIP_SW : 0),
		.direct_action = true,
	};
	if ((!hook->prio && !append) || !hook->handle)
		return err_set(err, EINVAL, "prio and handle of a filter must not be 0");
	return 0;
}

static int not_ours(const struct tc_filter *f, const char *dev, struct bpfstamp_err *err)
{
	err_set(err, EEXIST, "prio %u handle 0x%x on %s is taken by a filter of another program: %s", f->prio,
		f->handle, dev, f->kind);
	if (*f->name)
		err_hint(err, " '%s'", f->name);
	return err_hint(err, !strcmp(f->kind, "bpf") ? "; choose another prio or handle, or use --force" :
			"; choose another prio");
}

static int check_owner(const struct tc_filter *there, const struct hook_place *place, struct bpfstamp_err *err)
{
	if (clsact_is_ours(there) || (place->hook->force && !strcmp(there->kind, "bpf")))
		return 0;
	return not_ours(there, place->dev, err);
}

struct seeking {
	const struct tc_filter *f;
	const char *dev;
};

static int prio_of_another(const struct tc_filter *there, void *arg, struct bpfstamp_err *err)
{
	const struct seeking *s = arg;

	if (there->prio != s->f->prio || there->chain != s->f->chain ||
	    (!strcmp(there->kind, s->f->kind) && there->protocol == s->f->protocol))
		return 0;
	return err_set(err, EEXIST, "prio %u on %s is taken by a %s filter of protocol 0x%04x; "
		       "choose another prio", there->prio, s->dev, there->kind, there->protocol);
}

/* A prio belongs to one kind of filter and one protocol, whatever the handle. */
static int check_prio(struct bpfstamp_net *net, const struct tc_filter *f, const char *dev,
		      struct bpfstamp_err *err)
{
	struct seeking s = { .f = f, .dev = dev };

	if (f->block)
		return tc_block_each(&net->rtnl, f->block, prio_of_another, &s, err);
	return tc_filter_each(&net->rtnl, f->ifindex, f->parent, dev, prio_of_another, &s, err);
}

static int check_block(struct bpfstamp_net *net, uint32_t block, struct bpfstamp_err *err)
{
	bool exists;

	if (tc_block_exists(&net->rtnl, block, &exists, err))
		return -1;
	return exists ? 0 : err_set(err, ENOENT, "no interface has the shared block %u; "
				    "'tc qdisc add dev DEV ingress_block %u clsact' makes one", block, block);
}

static int no_prio_left(const struct tc_filter *f, const struct hook_place *place, struct bpfstamp_err *err)
{
	return err_set(err, ENOSPC, "prio 65535 of chain %u on %s%s is taken: nothing can be put behind it; "
		       "remove that filter, or choose a prio", f->chain, where(place), place->dev);
}

static int kept(const struct tc_filter *there, const struct hook_place *place, struct bpfstamp_err *err)
{
	return err_set(err, EEXIST, "prio %u handle 0x%x on %s%s has the program '%s' of bpfstamp already (id %u): "
		       "it stays", there->prio, there->handle, where(place), place->dev,
		       there->name + strlen(CLSACT_OURS), there->id);
}

/* Create the filter, or do with what is there as the hook says. */
static int put(struct bpfstamp_net *net, const struct hook_place *place, const struct tc_filter *f,
	       struct tc_filter *made, struct bpfstamp_err *err)
{
	struct tc_filter there;

	for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
		if (!tc_filter_set(&net->rtnl, f, true, place->dev, made, err))
			return 0;
		if (err->code != EEXIST)
			return -1;
		if (!tc_filter_find(&net->rtnl, f, place->dev, &there, err)) {
			if (place->hook->existing == BPFSTAMP_KEEP && clsact_is_ours(&there))
				return kept(&there, place, err);
			if (check_owner(&there, place, err))
				return -1;
			return tc_filter_set(&net->rtnl, f, false, place->dev, made, err);
		}
		if (err->code != ENOENT)
			return -1;
	}
	return err_set(err, EAGAIN, "prio %u handle 0x%x on %s%s: somebody keeps adding and deleting a filter there",
		       f->prio, f->handle, where(place), place->dev);
}

/* Create the filter behind the last prio.  A refusal is tried again only where somebody else took that prio. */
static int append(struct bpfstamp_net *net, const struct hook_place *place, struct tc_filter *f,
		  struct tc_filter *made, struct bpfstamp_err *err)
{
	struct bpfstamp_err why;
	uint16_t last;

	f->prio = 0;
	for (int attempt = 1; attempt <= APPEND_ATTEMPTS; attempt++) {
		if (tc_prio_last(&net->rtnl, f, place->dev, &last, &why)) {
			*err = why;
			return -1;
		}
		if (f->prio && last < f->prio)
			return -1;
		if (last == UINT16_MAX)
			return no_prio_left(f, place, err);
		f->prio = (uint16_t)(last + 1);
		if (!tc_filter_set(&net->rtnl, f, true, place->dev, made, err))
			return 0;
		if (err->code != EEXIST && err->code != EINVAL)
			return -1;
	}
	return err_hint(err, "; others keep putting filters there");
}

/* Somebody may have deleted the clsact since it was seen; the kernel's words for that vary, and so it is asked. */
static bool clsact_is_gone(struct bpfstamp_net *net, const struct tc_filter *f, const char *dev, int code)
{
	struct bpfstamp_err why;
	struct tc_qdisc q;

	return (code == EINVAL || code == ENOENT) && !f->block &&
	       tc_clsact_find(&net->rtnl, f->ifindex, dev, &q, &why) && why.code == ENOENT;
}

enum { NOT_THERE = 1 };

/* Replace a filter of ours: 0, or -1; NOT_THERE where none was found. */
static int replace_ours(struct bpfstamp_net *net, const struct hook_place *place, const struct tc_filter *f,
			struct tc_filter *made, struct bpfstamp_err *err)
{
	struct tc_filter there;

	net->replacing = !tc_filter_find(&net->rtnl, f, place->dev, &there, err) && clsact_is_ours(&there);
	if (!net->replacing)
		return NOT_THERE;
	if (place->hook->existing == BPFSTAMP_KEEP)
		return kept(&there, place, err);
	return tc_filter_set(&net->rtnl, f, false, place->dev, made, err);
}

/*
 * At the filter's own prio: 0, or -1; NOT_THERE where clsact went meanwhile.
 * *created: clsact, by this call.
 */
static int attach_at(struct bpfstamp_net *net, const struct hook_place *place, const struct tc_filter *f,
		     bool *created, struct tc_filter *made, struct bpfstamp_err *err)
{
	bool look_first = net->replacing;
	int ret = look_first ? replace_ours(net, place, f, made, err) : NOT_THERE;

	if (ret != NOT_THERE)
		return ret;
	if (f->block)
		return put(net, place, f, made, err);
	*created = !tc_clsact_create(&net->rtnl, f->ifindex, place->dev, err);
	if (*created)
		return put(net, place, f, made, err);
	if (err->code != EEXIST && err->code != ENOBUFS)
		return -1;
	ret = look_first ? NOT_THERE : replace_ours(net, place, f, made, err);
	if (ret != NOT_THERE)
		return ret;
	if (tc_clsact_accept(&net->rtnl, f->ifindex, place->dev, err))
		return err->code == ENOENT ? NOT_THERE : -1;
	return put(net, place, f, made, err);
}

/* Behind all others. */
static int attach_behind(struct bpfstamp_net *net, const struct hook_place *place, struct tc_filter *f, bool *created,
			 struct tc_filter *made, struct bpfstamp_err *err)
{
	if (!f->block && tc_clsact_ensure(&net->rtnl, f->ifindex, place->dev, created, err))
		return -1;
	return append(net, place, f, made, err);
}

/* On a clsact that is there, or made; *created: by this call, which may hold for one that is gone again. */
static int attach_filter(struct bpfstamp_net *net, const struct hook_place *place, struct tc_filter *f, bool *created,
			 struct tc_filter *made, struct bpfstamp_err *err)
{
	int ret;

	for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
		*created = false;
		ret = place->hook->existing == BPFSTAMP_APPEND ? attach_behind(net, place, f, created, made, err) :
		      attach_at(net, place, f, created, made, err);
		if (!ret)
			return 0;
		if (ret < 0 && !clsact_is_gone(net, f, place->dev, err->code))
			return -1;
	}
	return err_set(err, EAGAIN, "%s: somebody keeps deleting clsact", place->dev);
}

/* Where the kernel only says EINVAL, find out what it does not like. */
static int explain(struct bpfstamp_net *net, const struct tc_filter *f, const struct hook_place *place,
		   struct bpfstamp_err *err)
{
	struct bpfstamp_err why;

	if (err->code == EINVAL && f->block && check_block(net, f->block, &why) && why.code == ENOENT)
		*err = why;
	else if (err->code == EINVAL && f->prio && check_prio(net, f, place->dev, &why) && why.code == EEXIST)
		*err = why;
	else if ((err->code == EINVAL || err->code == EOPNOTSUPP) && place->hook->skip_sw)
		err_hint(err, "; does the interface offload programs? Without --skip-sw the kernel runs them");
	return -1;
}

static void undo_clsact(struct bpfstamp_net *net, int ifindex, const char *dev)
{
	struct bpfstamp_err ignored;
	size_t count;

	if (!tc_clsact_count(&net->rtnl, ifindex, dev, &count, &ignored) && !count)
		tc_clsact_delete(&net->rtnl, ifindex, dev, &ignored);
}

static void describe(struct bpfstamp_attachment *out, const struct tc_filter *f, const struct hook_place *place)
{
	bool block = place->hook->block;

	clsact_describe(out, f, place->ifindex, block ? "" : place->dev, block ? 0 : place->hook->direction);
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = { 0 };

	return sys_prog_info(fd, &info) ? 0 : info.id;
}

static int attach(struct bpfstamp_net *net, const struct hook_place *place, int fd, const char *name,
		  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct tc_filter f, made;
	bool created = false;

	if (name_filter(place, place->hook->existing == BPFSTAMP_APPEND, &f, err))
		return -1;
	f.fd = fd;
	f.id_of = program_id;
	strcpy(f.name, CLSACT_OURS);
	strncat(f.name, name, sizeof(f.name) - sizeof(CLSACT_OURS));
	if (attach_filter(net, place, &f, &created, out ? &made : NULL, err)) {
		explain(net, &f, place, err);
		if (created)
			undo_clsact(net, f.ifindex, place->dev);
		return -1;
	}
	if (out)
		describe(out, &made, place);
	return 0;
}

/* Whether clsact is there; a qdisc or a block that attaching would not get past is an error. */
static int check_clsact(const struct hook_place *place, const struct tc_filter *f, const struct tc_qdisc *q,
			bool *clsact, struct bpfstamp_err *err)
{
	uint32_t block;

	if (err->code)
		return err->code == ENOENT ? 0 : -1;
	if (clsact_check_kind(q, place->dev, err))
		return -1;
	block = tc_block_of(q, f->parent);
	if (block)
		return err_set(err, EOPNOTSUPP, "%s%s has the shared block %u in place of its own filters; "
			       "use --block %u instead of --dev %s", where(place), place->dev, block, block,
			       place->dev);
	*clsact = true;
	return 0;
}

/* Whether clsact is there, and the filter of the place; what is not ours to touch is an error. */
static int look(struct bpfstamp_net *net, const struct hook_place *place, const struct tc_filter *f, bool *clsact,
		bool *filter, struct tc_filter *there, struct bpfstamp_err *err)
{
	struct bpfstamp_err none = { .code = ENOENT };
	struct tc_qdisc q;

	*filter = *clsact = false;
	err->code = 0;
	if (f->block)
		*clsact = true;
	else if (f->prio)
		tc_find_both(&net->rtnl, f, place->dev, &q, err, there, &none);
	else if (!tc_clsact_find(&net->rtnl, f->ifindex, place->dev, &q, err))
		err->code = 0;
	if (!f->block && check_clsact(place, f, &q, clsact, err))
		return -1;
	if (!*clsact)
		return 0;
	if (f->block && f->prio && !tc_filter_find(&net->rtnl, f, place->dev, there, &none))
		none.code = 0;
	*filter = !none.code;
	if (*filter)
		return check_owner(there, place, err);
	if (none.code == ENOENT)
		return 0;
	*err = none;
	return -1;
}

static int check(struct bpfstamp_net *net, const struct hook_place *place, const char *name,
		 struct bpfstamp_plan *out, struct bpfstamp_err *err)
{
	bool appending = place->hook->existing == BPFSTAMP_APPEND;
	struct tc_filter f, there;
	uint16_t last;

	(void)name;
	if (name_filter(place, appending, &f, err))
		return -1;
	if (appending)
		f.prio = 0;
	if (look(net, place, &f, &out->clsact, &out->occupied, &there, err))
		return -1;
	if (out->occupied)
		describe(&out->there, &there, place);
	if (!out->clsact || out->occupied)
		return 0;
	if (f.block && check_block(net, f.block, err))
		return -1;
	if (!appending)
		return check_prio(net, &f, place->dev, err);
	if (tc_prio_last(&net->rtnl, &f, place->dev, &last, err))
		return -1;
	return last == UINT16_MAX ? no_prio_left(&f, place, err) : 0;
}

static int find_ours(const struct tc_filter *there, void *arg, struct bpfstamp_err *err)
{
	(void)err;
	*(bool *)arg |= clsact_is_ours(there);
	return 0;
}

bool hook_clsact_has_ours(struct bpfstamp_net *net, const struct hook_place *place)
{
	uint32_t parent = clsact_parent(place->hook->direction);
	struct bpfstamp_err ignored;
	bool found = false;

	tc_filter_each(&net->rtnl, place->ifindex, parent, place->dev, find_ours, &found, &ignored);
	return found;
}

/* Whether it is the program that the caller means. */
static int check_guards(const struct tc_filter *there, const struct hook_place *place, struct bpfstamp_err *err)
{
	const struct bpfstamp_hook *hook = place->hook;
	const char *name = there->name + (clsact_is_ours(there) ? strlen(CLSACT_OURS) : 0);

	if ((!hook->id || hook->id == there->id) && (!hook->program || !strcmp(hook->program, name)))
		return 0;
	err_set(err, ESTALE, "prio %u handle 0x%x on %s%s has the program '%s' of id %u, not", there->prio,
		there->handle, where(place), place->dev, name, there->id);
	if (hook->program)
		err_hint(err, " '%s'", hook->program);
	return hook->id ? err_hint(err, " of id %u", hook->id) : -1;
}

static int no_filter(struct bpfstamp_net *net, const struct hook_place *place, const struct tc_filter *f,
		     struct bpfstamp_err *err)
{
	if (f->block && check_block(net, f->block, err))
		return -1;
	err_set(err, ENOENT, "no filter at prio %u handle 0x%x", f->prio, f->handle);
	if (f->chain)
		err_hint(err, " chain %u", f->chain);
	return err_hint(err, " on %s%s", where(place), place->dev);
}

static int detach(struct bpfstamp_net *net, const struct hook_place *place, bool dry,
		  struct bpfstamp_attachment *out, struct bpfstamp_err *err)
{
	struct tc_filter f, there;
	bool clsact, filter;

	if (name_filter(place, false, &f, err) || look(net, place, &f, &clsact, &filter, &there, err))
		return -1;
	if (!filter)
		return no_filter(net, place, &f, err);
	if (check_guards(&there, place, err))
		return -1;
	if (!dry && tc_filter_delete(&net->rtnl, &there, place->dev, err))
		return -1;
	describe(out, &there, place);
	return 0;
}

const struct hook_ops hook_clsact = { .check = check, .attach = attach, .detach = detach };
