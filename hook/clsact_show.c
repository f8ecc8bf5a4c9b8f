// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looking at filters, and the end of a clsact.
 *
 * Filters of a shared block are shown with every interface that has the block in
 * place of its own filters, since its packets meet them there, and once more
 * where the block is asked for; the kernel answers so.
 *
 * clsact goes only where it is empty.  The kernel would take it away with
 * whatever is on it, and has no means to be told otherwise, so a filter that
 * somebody adds between the count and the deletion goes with it.
 *
 * An `ingress` qdisc, which stands in the place of clsact, has no egress.  Asked
 * for the filters of that, the kernel tells those of ingress once more.
 */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>

#include "hook/clsact.h"
#include "loader/err.h"

bool clsact_is_ours(const struct tc_filter *f)
{
	return !strcmp(f->kind, "bpf") && !strncmp(f->name, CLSACT_OURS, strlen(CLSACT_OURS));
}

uint32_t clsact_parent(enum bpfstamp_direction direction)
{
	return 0xffff0000u | (direction == BPFSTAMP_EGRESS ? TC_EGRESS : TC_INGRESS);
}

void clsact_describe(struct bpfstamp_attachment *out, const struct tc_filter *f, int ifindex, const char *name,
		     enum bpfstamp_direction direction)
{
	bool ours = clsact_is_ours(f);

	*out = (struct bpfstamp_attachment){
		.type = BPFSTAMP_CLSACT, .ifindex = ifindex, .direction = direction, .ours = ours,
		.id = f->id, .has_tag = f->has_tag,
		.prio = f->prio, .protocol = f->protocol, .handle = f->handle, .chain = f->chain, .block = f->block,
		.skip_sw = f->gen_flags & TCA_CLS_FLAGS_SKIP_SW, .skip_hw = f->gen_flags & TCA_CLS_FLAGS_SKIP_HW,
		.in_hw = f->gen_flags & TCA_CLS_FLAGS_IN_HW,
	};
	snprintf(out->dev, sizeof(out->dev), "%s", name);
	memcpy(out->kind, f->kind, sizeof(out->kind));
	memcpy(out->tag, f->tag, sizeof(out->tag));
	snprintf(out->name, sizeof(out->name), "%.255s", f->name + (ours ? strlen(CLSACT_OURS) : 0));
}

int clsact_check_kind(const struct tc_qdisc *q, const char *dev, struct bpfstamp_err *err)
{
	if (!strcmp(q->kind, "clsact"))
		return 0;
	return err_set(err, EEXIST, "%s: the interface has qdisc %s where clsact is wanted", dev, q->kind);
}

struct showing {
	const struct hook_show *show;
	const char *name;
	int ifindex;
	enum bpfstamp_direction direction;
	unsigned int count;
	bool untrue;		/* there is no such direction */
};

static bool is_clsact(const struct showing *s)
{
	struct bpfstamp_err ignored;
	struct tc_qdisc q;

	return tc_clsact_find(&s->show->net->rtnl, s->ifindex, s->name, &q, &ignored) || !strcmp(q.kind, "clsact");
}

static int show_one(const struct tc_filter *f, void *arg, struct bpfstamp_err *err)
{
	struct showing *s = arg;
	struct bpfstamp_attachment a;

	if (!s->count++ && s->direction == BPFSTAMP_EGRESS)
		s->untrue = !is_clsact(s);
	if (s->untrue)
		return 0;
	clsact_describe(&a, f, s->ifindex, s->name, s->direction);
	return hook_tell(s->show, &a, err);
}

int hook_clsact_show(const struct hook_show *show, const struct link_info *link, enum bpfstamp_direction direction,
		     struct bpfstamp_err *err)
{
	struct showing s = { .show = show, .name = link->name, .ifindex = link->ifindex, .direction = direction };

	return tc_filter_each(&show->net->rtnl, link->ifindex, clsact_parent(direction), link->name, show_one, &s,
			      err);
}

/* The kernel says nothing of a block that does not exist, as of one that is empty. */
int bpfstamp_show_block(struct bpfstamp_net *net, uint32_t block, bpfstamp_attachment_fn *fn, void *arg,
			struct bpfstamp_err *err)
{
	struct hook_show show = { .net = net, .fn = fn, .arg = arg };
	struct showing s = { .show = &show, .name = "" };
	bool exists;

	if (tc_block_each(&net->rtnl, block, show_one, &s, err))
		return -1;
	if (s.count)
		return 0;
	if (tc_block_exists(&net->rtnl, block, &exists, err))
		return -1;
	return exists ? 0 : err_set(err, ENOENT, "no interface has the shared block %u", block);
}

int bpfstamp_clsact_delete(struct bpfstamp_net *net, const char *dev, bool dry, struct bpfstamp_err *err)
{
	struct link_info link;
	struct tc_qdisc q;
	size_t count;

	if (link_find(&net->rtnl, 0, dev, &link, err))
		return -1;
	for (int attempt = 1; attempt <= 2; attempt++) {
		if (tc_clsact_find(&net->rtnl, link.ifindex, link.name, &q, err))
			return -1;
		if (strcmp(q.kind, "clsact") != 0)
			return err_set(err, EINVAL, "delete clsact of %s: a qdisc '%s' is in its place, and stays",
				       link.name, q.kind);
		if (tc_clsact_count(&net->rtnl, link.ifindex, link.name, &count, err))
			return -1;
		if (count)
			return err_set(err, EBUSY, "clsact of %s has %zu filter%s: it stays", link.name, count,
				       count == 1 ? "" : "s");
		if (dry || !tc_clsact_delete(&net->rtnl, link.ifindex, link.name, err))
			return 0;
		if (err->code != ENOBUFS)
			break;
	}
	return -1;
}
