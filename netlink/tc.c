// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each operation is tried at once in the form that usually succeeds, and looks
 * at what is there only after the kernel said no: one message to create a
 * clsact or a filter, one more to find out whether what is in the way will do.
 *
 * clsact and ingress share one place on an interface and the same handle, so
 * the kernel's EEXIST does not tell which of them is there; and on `ingress` it
 * takes a filter for egress without a word and runs it on ingress.  Only the
 * kind of the qdisc tells, and only clsact is accepted.
 *
 * A place of a filter is (interface, parent, chain, prio, protocol, handle).  A
 * prio belongs to one protocol and one kind of classifier.  RTM_GETTFILTER
 * without a kind answers for any of them; for a handle that is not there it
 * says ENOENT, for a prio of another protocol, a chain or a qdisc that is not
 * there EINVAL.  All of these mean that nothing stands at that place, and
 * become ENOENT.
 *
 * An answer that was lost (ENOBUFS) tells nothing of what was done, so that is
 * looked at: a filter with the program that was to be there is a success, and so
 * is a place that is empty after a deletion.  Where the kernel had not done it,
 * it is asked once more.
 *
 * The hints name what a user can do about the errors that do not explain
 * themselves.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "loader/err.h"
#include "netlink/tc.h"

#define CLSACT_ATTEMPTS 10

#define NO_CLSACT "the kernel lacks clsact (module sch_ingress, CONFIG_NET_SCH_INGRESS)"
#define NO_CLS_BPF "the kernel lacks bpf filters (module cls_bpf, CONFIG_NET_CLS_BPF)"

int tc_hint(struct bpfstamp_err *err, const char *missing)
{
	if (err->code == EPERM)
		return err_hint(err, "; needs CAP_NET_ADMIN in the namespace of the interface");
	if (err->code == ENODEV)
		return err_hint(err, "; the interface is gone, or is in another network namespace");
	if (err->code == ENOENT && missing)
		return err_hint(err, "; %s", missing);
	return -1;
}

/* How errors call a place: "va egress", "block 22", with ", prio 1 handle 0x1 chain 7". */
struct text {
	char parent[64];
	char place[48];
};

static struct text text_of(const struct tc_filter *f, const char *dev)
{
	const char *direction = "in another qdisc";
	struct text t;
	int n;

	if (f->parent == TC_H_MAKE(TC_H_CLSACT, TC_INGRESS))
		direction = "ingress";
	else if (f->parent == TC_H_MAKE(TC_H_CLSACT, TC_EGRESS))
		direction = "egress";
	if (f->block)
		snprintf(t.parent, sizeof(t.parent), "block %u", f->block);
	else
		snprintf(t.parent, sizeof(t.parent), "%s %s", dev, direction);
	n = snprintf(t.place, sizeof(t.place), "prio %u handle 0x%x", f->prio, f->handle);
	if (f->chain)
		snprintf(t.place + n, sizeof(t.place) - (size_t)n, " chain %u", f->chain);
	return t;
}

struct answer {
	void *out;
	bool seen;
};

static int take_qdisc(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	struct answer *answer = arg;

	(void)err;
	answer->seen |= tcmsg_parse_qdisc(nlh, answer->out) == 0;
	return 0;
}

static int take_filter(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	struct answer *answer = arg;

	(void)err;
	answer->seen |= tcmsg_parse_filter(nlh, answer->out) == 0;
	return 0;
}

/* What became of asking for the qdisc. */
static int qdisc_found(const struct rtnl_request *r, const char *dev)
{
	const struct answer *answer = r->arg;

	if (r->status < 0 && r->err->code != EINVAL && r->err->code != ENOENT) {
		err_wrap(r->err, "look up clsact of %s", dev);
		return tc_hint(r->err, NULL);
	}
	if (r->status < 0 || !answer->seen)
		return err_set(r->err, ENOENT, "%s has no clsact", dev);
	return 0;
}

int tc_clsact_find(struct rtnl *rtnl, int ifindex, const char *dev, struct tc_qdisc *out, struct bpfstamp_err *err)
{
	struct tc_qdisc q;
	struct answer answer = { .out = &q };
	uint32_t buf[TCMSG_BUFFER / 4];
	struct rtnl_request r = {
		.message = tcmsg_clsact_get(buf, ifindex), .fn = take_qdisc, .arg = &answer, .err = err,
	};

	rtnl_talk_all(rtnl, &r, 1);
	if (qdisc_found(&r, dev))
		return -1;
	*out = q;
	return 0;
}

int tc_clsact_create(struct rtnl *rtnl, int ifindex, const char *dev, struct bpfstamp_err *err)
{
	uint32_t buf[TCMSG_BUFFER / 4];

	if (!rtnl_talk(rtnl, tcmsg_clsact_new(buf, ifindex), NULL, NULL, err, "add clsact to %s", dev))
		return 0;
	if (err->code == EOPNOTSUPP)
		return err_hint(err, "; " NO_CLSACT);
	return tc_hint(err, NO_CLSACT);
}

/* ENOENT where it is gone again. */
int tc_clsact_accept(struct rtnl *rtnl, int ifindex, const char *dev, struct bpfstamp_err *err)
{
	struct tc_qdisc q;

	if (tc_clsact_find(rtnl, ifindex, dev, &q, err) < 0)
		return -1;
	if (strcmp(q.kind, "clsact") != 0)
		return err_set(err, EEXIST, "add clsact to %s: a qdisc '%s' is in its place", dev, q.kind);
	return 0;
}

int tc_clsact_ensure(struct rtnl *rtnl, int ifindex, const char *dev, bool *created, struct bpfstamp_err *err)
{
	for (unsigned int attempt = 1; attempt <= CLSACT_ATTEMPTS; attempt++) {
		if (tc_clsact_create(rtnl, ifindex, dev, err) == 0) {
			*created = true;
			return 0;
		}
		if (err->code != EEXIST && err->code != ENOBUFS)
			return -1;
		if (tc_clsact_accept(rtnl, ifindex, dev, err) == 0) {
			*created = false;
			return 0;
		}
		if (err->code != ENOENT)
			return -1;
	}
	return err_set(err, EAGAIN, "add clsact to %s: somebody keeps adding and deleting it", dev);
}

/* With EINVAL the kernel may mean another qdisc, or (some kernels) that nothing is there. */
int tc_clsact_delete(struct rtnl *rtnl, int ifindex, const char *dev, struct bpfstamp_err *err)
{
	uint32_t buf[TCMSG_BUFFER / 4];
	struct bpfstamp_err look;
	struct tc_qdisc q;
	bool gone;

	if (rtnl_talk(rtnl, tcmsg_clsact_del(buf, ifindex), NULL, NULL, err, "delete clsact of %s", dev) == 0)
		return 0;
	if (err->code != EINVAL && err->code != ENOBUFS)
		return tc_hint(err, NULL);
	gone = tc_clsact_find(rtnl, ifindex, dev, &q, &look) < 0 && look.code == ENOENT;
	if (gone && err->code == ENOBUFS)
		return 0;
	if (gone)
		*err = look;
	return -1;
}

static int check_place(const struct tc_filter *f, const char *what, const char *dev, struct bpfstamp_err *err)
{
	if (f->prio && f->protocol && f->handle)
		return 0;
	return err_set(err, EINVAL, "%s %s: a prio, a protocol and a handle must be given", what, dev);
}

uint32_t tc_block_of(const struct tc_qdisc *q, uint32_t parent)
{
	if (parent == TC_H_MAKE(TC_H_CLSACT, TC_INGRESS))
		return q->ingress_block;
	return parent == TC_H_MAKE(TC_H_CLSACT, TC_EGRESS) ? q->egress_block : 0;
}

/* Explain a refusal; missing: what ENOENT means.  Filters of a block are not to be had through an interface. */
static int refused(struct rtnl *rtnl, const struct tc_filter *f, const char *dev, const char *missing,
		   struct bpfstamp_err *err)
{
	struct bpfstamp_err ignored;
	struct tc_qdisc q;
	uint32_t block;

	if (err->code != EOPNOTSUPP || f->block || tc_clsact_find(rtnl, f->ifindex, dev, &q, &ignored))
		return tc_hint(err, missing);
	block = tc_block_of(&q, f->parent);
	return block ? err_hint(err, "; use --block %u instead of --dev %s", block, dev) : -1;
}

/* Say of a failed request about a filter what was being done, and where. */
static int failed(const char *what, const struct tc_filter *f, const char *dev, struct bpfstamp_err *err)
{
	struct text text = text_of(f, dev);

	return err_wrap(err, "%s %s, %s", what, text.parent, text.place);
}

static int ask(struct rtnl *rtnl, struct nlmsghdr *message, struct answer *answer, struct bpfstamp_err *err)
{
	struct rtnl_request r = { .message = message, .fn = answer ? take_filter : NULL, .arg = answer, .err = err };

	return rtnl_talk_all(rtnl, &r, 1);
}

static struct nlmsghdr *ask_for_any(void *buf, const struct tc_filter *f)
{
	struct tc_filter any = *f;

	any.kind[0] = '\0';
	return tcmsg_filter_get(buf, &any);
}

/* What became of asking for a filter. */
static int filter_found(struct rtnl *rtnl, const struct rtnl_request *r, const struct tc_filter *f, const char *dev)
{
	const struct answer *answer = r->arg;
	struct text text;

	if (r->status < 0 && r->err->code != ENOENT && r->err->code != EINVAL) {
		failed("look up filter of", f, dev, r->err);
		return refused(rtnl, f, dev, NULL, r->err);
	}
	if (answer->seen)
		return 0;
	text = text_of(f, dev);
	return err_set(r->err, ENOENT, "%s has no filter of %s", text.parent, text.place);
}

int tc_filter_find(struct rtnl *rtnl, const struct tc_filter *f, const char *dev, struct tc_filter *out,
		   struct bpfstamp_err *err)
{
	struct tc_filter found;
	struct answer answer = { .out = &found };
	uint32_t buf[TCMSG_BUFFER / 4];
	struct rtnl_request r = { .message = ask_for_any(buf, f), .fn = take_filter, .arg = &answer, .err = err };

	rtnl_talk_all(rtnl, &r, 1);
	if (filter_found(rtnl, &r, f, dev))
		return -1;
	*out = found;
	return 0;
}

void tc_find_both(struct rtnl *rtnl, const struct tc_filter *f, const char *dev, struct tc_qdisc *qdisc,
		  struct bpfstamp_err *no_qdisc, struct tc_filter *filter, struct bpfstamp_err *no_filter)
{
	struct answer q = { .out = qdisc }, g = { .out = filter };
	uint32_t qdisc_buf[TCMSG_BUFFER / 4], filter_buf[TCMSG_BUFFER / 4];
	struct rtnl_request r[] = {
		{ .message = tcmsg_clsact_get(qdisc_buf, f->ifindex), .fn = take_qdisc, .arg = &q, .err = no_qdisc },
		{ .message = ask_for_any(filter_buf, f), .fn = take_filter, .arg = &g, .err = no_filter },
	};

	rtnl_talk_all(rtnl, r, 2);
	if (!qdisc_found(&r[0], dev))
		no_qdisc->code = 0;
	if (!filter_found(rtnl, &r[1], f, dev))
		no_filter->code = 0;
}

/* After a lost answer: 0 where f's program is at its place, ENOENT where it is not. */
static int find_program(struct rtnl *rtnl, const struct tc_filter *f, const char *dev, struct tc_filter *out,
			struct bpfstamp_err *err)
{
	uint32_t id = f->id_of ? f->id_of(f->fd) : 0;
	struct tc_filter there;

	if (tc_filter_find(rtnl, f, dev, &there, err) < 0)
		return -1;
	if (!id || there.id != id || strcmp(there.name, f->name) != 0)
		return err_set(err, ENOENT, "another filter is there");
	*out = there;
	return 0;
}

/* The kernel's echo, if it is wanted, tells what it did; where none came, it is asked. */
int tc_filter_set(struct rtnl *rtnl, const struct tc_filter *f, bool exclusive, const char *dev,
		  struct tc_filter *out, struct bpfstamp_err *err)
{
	struct tc_filter echo;
	struct answer answer = { .out = &echo };
	uint32_t buf[TCMSG_BUFFER / 4];
	struct nlmsghdr *message;
	struct bpfstamp_err look;
	int status;

	if (check_place(f, "set the filter of", dev, err) < 0)
		return -1;
	message = tcmsg_filter_new(buf, f, exclusive);
	if (!out)
		message->nlmsg_flags &= (uint16_t)~NLM_F_ECHO;
	for (unsigned int attempt = 1;; attempt++) {
		status = ask(rtnl, message, &answer, err);
		if (status == 0 || err->code != ENOBUFS)
			break;
		if (find_program(rtnl, f, dev, &echo, &look) == 0) {
			answer.seen = true;
			status = 0;
			break;
		}
		if (attempt == 2 || look.code != ENOENT)
			break;
	}
	if (status < 0) {
		failed(exclusive ? "add filter on" : "set filter on", f, dev, err);
		return refused(rtnl, f, dev, NO_CLS_BPF, err);
	}
	if (!out)
		return 0;
	if (!answer.seen && tc_filter_find(rtnl, f, dev, &echo, err) < 0)
		return -1;
	*out = echo;
	return 0;
}

/*
 * After a deletion without a clear answer: whether the filter of f is gone. A
 * filter with another program is somebody's who came after it.
 */
static bool filter_gone(struct rtnl *rtnl, const struct tc_filter *f, const char *dev, struct bpfstamp_err *why)
{
	struct tc_filter there;

	if (tc_filter_find(rtnl, f, dev, &there, why) < 0)
		return why->code == ENOENT;
	return f->id && there.id != f->id;
}

/* With EINVAL the kernel may mean that another kind is there, or that nothing is, not even the qdisc. */
int tc_filter_delete(struct rtnl *rtnl, const struct tc_filter *f, const char *dev, struct bpfstamp_err *err)
{
	uint32_t buf[TCMSG_BUFFER / 4];
	struct bpfstamp_err look;
	struct tc_filter found;

	if (check_place(f, "delete the filter of", dev, err) < 0)
		return -1;
	for (unsigned int attempt = 1; attempt <= 2; attempt++) {
		if (ask(rtnl, tcmsg_filter_del(buf, f), NULL, err) == 0)
			return 0;
		if (err->code != ENOBUFS)
			break;
		if (filter_gone(rtnl, f, dev, &look))
			return 0;
	}
	failed("delete filter of", f, dev, err);
	if (err->code == EINVAL && tc_filter_find(rtnl, f, dev, &found, &look) < 0 && look.code == ENOENT)
		*err = look;
	return refused(rtnl, f, dev, NULL, err);
}
