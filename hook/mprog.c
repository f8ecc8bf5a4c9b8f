// SPDX-License-Identifier: BSD-2-Clause
/*
 * TCX (Linux 6.6) and netkit (6.7) keep the programs of a hook in one kind of
 * array (kernel: kernel/bpf/mprog.c, tcx.c, drivers/net/netkit.c).  Every change
 * of it counts up a revision; who adds or removes may name the one that was
 * seen, and is refused with ESTALE where it is another by now.  The update of a
 * link takes no revision: there the kernel compares the program that is to be
 * replaced, and says EPERM.
 *
 * The attributes of bpf(2) as far as the headers here are older, by offset:
 *
 *	BPF_LINK_CREATE   0 program, 4 ifindex, 8 attach type, 12 flags, 16 relative, 24 revision
 *	BPF_PROG_DETACH   0 ifindex, 4 program, 8 attach type, 12 flags, 16 -, 20 relative, 24 revision
 *	BPF_PROG_QUERY    0 ifindex, 4 attach type, 16 programs, 24 count, 40 links, 56 revision
 *	bpf_link_info     0 type, 4 link, 8 program, 16 ifindex, 20 attach type
 *
 * A program stands only once in a hook, so its id names a place in it, with or
 * without a link.  A link of netkit's peer direction is made by the primary
 * interface, but says that it is on the peer: whether a link is on a hook is
 * therefore asked of the hook.
 *
 * bpf(2) takes an ifindex as one of the calling thread's network namespace;
 * what names an interface is called inside the right one.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "hook/mprog.h"
#include "loader/err.h"
#include "loader/sys.h"
#include "netlink/inside.h"

enum { TCX_INGRESS = 46, TCX_EGRESS, NETKIT_PRIMARY = 54, NETKIT_PEER };		/* enum bpf_attach_type */
enum { LINK_TCX = 11, LINK_NETKIT = 13 };						/* enum bpf_link_type */
enum { FLAG_BEFORE = 1 << 3, FLAG_AFTER = 1 << 4, FLAG_ID = 1 << 5 };

struct create_attr {
	uint32_t program, ifindex, attach_type, flags, relative, pad;
	uint64_t revision;
};

struct detach_attr {
	uint32_t ifindex, program, attach_type, flags, replaced, relative;
	uint64_t revision;
};

struct query_attr {
	uint32_t ifindex, attach_type, query_flags, attach_flags;
	uint64_t programs;
	uint32_t count, pad;
	uint64_t program_flags, links, link_flags, revision;
};

_Static_assert(offsetof(struct create_attr, revision) == 24 && offsetof(struct detach_attr, revision) == 24 &&
	       offsetof(struct query_attr, revision) == 56, "as the kernel lays them out");

static void lay_out(union bpf_attr *attr, const void *members, size_t size)
{
	memset(attr, 0, sizeof(*attr));
	memcpy(attr, members, size);
}

const struct mprog_kind mprog_kinds[MPROG_KINDS] = {
	{ BPFSTAMP_TCX, BPFSTAMP_INGRESS, LINK_TCX, TCX_INGRESS },
	{ BPFSTAMP_TCX, BPFSTAMP_EGRESS, LINK_TCX, TCX_EGRESS },
	{ BPFSTAMP_NETKIT, BPFSTAMP_PRIMARY, LINK_NETKIT, NETKIT_PRIMARY },
	{ BPFSTAMP_NETKIT, BPFSTAMP_PEER, LINK_NETKIT, NETKIT_PEER },
};

/* A direction that the hook has not would be one that no kernel takes. */
static uint32_t attach_type(enum bpfstamp_hook_type type, enum bpfstamp_direction direction)
{
	for (size_t i = 0; i < MPROG_KINDS; i++)
		if (mprog_kinds[i].type == type && mprog_kinds[i].direction == direction)
			return mprog_kinds[i].attach_type;
	return UINT32_MAX;
}

const char *mprog_type_name(enum bpfstamp_hook_type type)
{
	static const char *const names[] = { "clsact", "tcx", "netkit", "xdp", "auto" };

	return names[type];
}

const char *mprog_direction_name(enum bpfstamp_direction direction)
{
	static const char *const names[] = { "", "ingress", "egress", "primary", "peer" };

	return names[direction];
}

const char *mprog_name(const struct mprog_hook *hook, char buf[MPROG_NAME_SIZE])
{
	snprintf(buf, MPROG_NAME_SIZE, "%s %s of %s", mprog_type_name(hook->type),
		 mprog_direction_name(hook->direction), hook->dev);
	return buf;
}

/* ---------------------------------------------------------------- errors */

static const char *hint_of(enum bpfstamp_hook_type type, int code)
{
	switch (code) {
	case EINVAL:
		return type == BPFSTAMP_NETKIT ? "the kernel lacks netkit (Linux 6.7, CONFIG_NETKIT)" :
			"the kernel lacks TCX (Linux 6.6, CONFIG_NET_XGRESS)";
	case ENODEV:
		return type == BPFSTAMP_NETKIT ? "it or its peer is gone, or is in another network namespace" :
			"the interface is gone, or is in another network namespace";
	case ENOLINK:
		return "the interface is gone";
	case ENXIO:
		return "it is no netkit interface";
	case EACCES:
		return "it is the peer of a pair: name the primary interface, which has both directions";
	case EEXIST:
		return "this very program is attached there already";
	case ENOENT:
		return "it is not attached there, or no longer";
	case ESTALE:
		return "others attach and detach there all the time: try again";
	case ERANGE:
		return "the kernel takes no more than 63 programs there";
	case EPERM:
		return "needs CAP_BPF and CAP_NET_ADMIN";
	default:
		return NULL;
	}
}

static int fail(const struct mprog_hook *hook, const char *what, int code, struct bpfstamp_err *err)
{
	const char *hint = hint_of(hook->type, code);
	char buf[MPROG_NAME_SIZE];

	err_set(err, code, "%s %s: %s", what, mprog_name(hook, buf), strerror(code));
	return hint ? err_hint(err, "; %s", hint) : -1;
}

/* ---------------------------------------------------------------- inside */

struct call {
	int (*sys)(union bpf_attr *attr);
	union bpf_attr attr;
	int ret, code;
};

static int call_it(void *arg, struct bpfstamp_err *err)
{
	struct call *c = arg;

	(void)err;
	c->ret = c->sys(&c->attr);
	c->code = errno;
	return 0;
}

/* Call bpf(2) in the hook's namespace: what it returns, and *code; a namespace that cannot be entered is *err. */
static int call_inside(const struct mprog_hook *hook, struct call *c, struct bpfstamp_err *err)
{
	if (inside(hook->net->netns_fd, call_it, c, err))
		return err_wrap(err, "%s", hook->dev);
	return 0;
}

/* ----------------------------------------------------------------- calls */

int mprog_query(const struct mprog_hook *hook, struct mprog_list *out, struct bpfstamp_err *err)
{
	struct mprog_list list = { 0 };
	struct query_attr members = {
		.ifindex = (uint32_t)hook->ifindex, .attach_type = attach_type(hook->type, hook->direction),
		.programs = (uintptr_t)list.programs, .links = (uintptr_t)list.links, .count = MPROG_MAX,
	};
	struct call c = { .sys = sys_prog_query };

	lay_out(&c.attr, &members, sizeof(members));
	if (call_inside(hook, &c, err))
		return -1;
	if (c.ret && c.code != ENOENT)	/* 6.6 has no array where nothing is attached */
		return fail(hook, "look at", c.code, err);
	if (!c.ret) {
		memcpy(&members, &c.attr, sizeof(members));
		if (members.count > MPROG_MAX)
			return fail(hook, "look at", EOVERFLOW, err);
		list.count = members.count;
		list.revision = members.revision;
	}
	*out = list;
	return 0;
}

int mprog_link(const struct mprog_hook *hook, int program, const struct mprog_position *position,
	       struct bpfstamp_err *err)
{
	bool before = position->where == BPFSTAMP_FIRST || position->where == BPFSTAMP_BEFORE;
	struct create_attr members = {
		.program = (uint32_t)program, .ifindex = (uint32_t)hook->ifindex,
		.attach_type = attach_type(hook->type, hook->direction),
		.flags = (before ? FLAG_BEFORE : FLAG_AFTER) | (position->relative ? FLAG_ID : 0u),
		.relative = position->relative, .revision = position->revision,
	};
	struct call c = { .sys = sys_link_create };

	lay_out(&c.attr, &members, sizeof(members));
	if (call_inside(hook, &c, err))
		return -1;
	return c.ret >= 0 ? c.ret : fail(hook, "attach to", c.code, err);
}

int mprog_update(const struct mprog_hook *hook, int link, int program, int old, struct bpfstamp_err *err)
{
	return sys_link_update(link, program, old) ? fail(hook, "replace a program on", errno, err) : 0;
}

int mprog_remove(const struct mprog_hook *hook, int program, uint64_t revision, struct bpfstamp_err *err)
{
	struct detach_attr members = {
		.ifindex = (uint32_t)hook->ifindex, .program = (uint32_t)program,
		.attach_type = attach_type(hook->type, hook->direction), .revision = revision,
	};
	struct call c = { .sys = sys_prog_detach };

	lay_out(&c.attr, &members, sizeof(members));
	if (call_inside(hook, &c, err))
		return -1;
	return c.ret ? fail(hook, "detach from", c.code, err) : 0;
}

int mprog_link_info(int link, struct mprog_link *out)
{
	struct bpf_link_info info;
	uint32_t where[2];

	memset(&info, 0, sizeof(info));
	if (sys_link_info(link, &info))
		return -1;
	memcpy(where, (const uint8_t *)&info + offsetof(struct bpf_link_info, netns), sizeof(where));
	*out = (struct mprog_link){
		.type = info.type, .id = info.id, .program = info.prog_id,
		.ifindex = where[0], .attach_type = where[1],
	};
	return 0;
}

bool mprog_link_hook(const struct mprog_link *link, enum bpfstamp_hook_type *type,
		     enum bpfstamp_direction *direction)
{
	*type = BPFSTAMP_XDP;
	*direction = BPFSTAMP_INGRESS;
	if (link->type == BPF_LINK_TYPE_XDP)
		return true;
	for (size_t i = 0; i < MPROG_KINDS; i++) {
		*type = mprog_kinds[i].type;
		*direction = mprog_kinds[i].direction;
		if (link->type == mprog_kinds[i].link_type && link->attach_type == mprog_kinds[i].attach_type)
			return true;
	}
	return false;
}

bool mprog_link_is(const struct mprog_link *link, enum bpfstamp_hook_type type, enum bpfstamp_direction direction)
{
	enum bpfstamp_direction its_direction;
	enum bpfstamp_hook_type its_type;

	return mprog_link_hook(link, &its_type, &its_direction) && its_type == type && its_direction == direction;
}
