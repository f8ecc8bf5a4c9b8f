/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs of one hook of TCX or netkit: asking which there are, in their
 * order, and adding, changing and removing one.  Interfaces are looked up in
 * the namespace of net, whatever the calling thread's.
 */
#ifndef HOOK_MPROG_H
#define HOOK_MPROG_H

#include "hook/hook.h"

enum { MPROG_MAX = 64 };	/* of one hook; the kernel allows one less */

/* Which hooks there are, and what they are to the kernel. */
struct mprog_kind {
	enum bpfstamp_hook_type type;
	enum bpfstamp_direction direction;
	uint32_t link_type, attach_type;	/* enum bpf_link_type, enum bpf_attach_type */
};

enum { MPROG_KINDS = 4 };
extern const struct mprog_kind mprog_kinds[MPROG_KINDS];

struct mprog_hook {
	const struct bpfstamp_net *net;
	enum bpfstamp_hook_type type;
	enum bpfstamp_direction direction;
	int ifindex;
	const char *dev;
};

struct mprog_list {
	uint64_t revision;		/* changes with everything that changes there */
	uint32_t count;
	uint32_t programs[MPROG_MAX];	/* ids, in the order in which packets meet them */
	uint32_t links[MPROG_MAX];	/* their links' ids, or 0 */
};

struct mprog_position {
	enum bpfstamp_where where;
	uint32_t relative;		/* of BEFORE and AFTER: the id of a program that is attached there */
	uint64_t revision;		/* fail with ESTALE where it has changed; 0: never */
};

/* What the kernel tells of a link. */
struct mprog_link {
	uint32_t type;			/* enum bpf_link_type */
	uint32_t id, program;
	uint32_t ifindex;		/* 0: its interface is gone; of netkit's peer direction: the peer's own */
	uint32_t attach_type;		/* of TCX and netkit */
};

/*
 * Failures are err->code, an errno, with a whole sentence.  A hook that nobody
 * uses has no programs; a kernel that has no such hooks, or an interface that is none of netkit, is an error.
 */
int mprog_query(const struct mprog_hook *hook, struct mprog_list *out, struct bpfstamp_err *err);

/* Make a link: its fd, or -1. */
int mprog_link(const struct mprog_hook *hook, int program, const struct mprog_position *position,
	       struct bpfstamp_err *err);

/*
 * Put another program in a link's place, in one step; where old is not -1, only
 * if it is that program, else EPERM.  ENOLINK where the link's interface is gone.
 */
int mprog_update(const struct mprog_hook *hook, int link, int program, int old, struct bpfstamp_err *err);

/* Remove a program that was attached without a link; ESTALE where the revision has changed. */
int mprog_remove(const struct mprog_hook *hook, int program, uint64_t revision, struct bpfstamp_err *err);

/* -1 with errno. */
int mprog_link_info(int link, struct mprog_link *out);

/* Whether a link is one of that kind of hook. */
bool mprog_link_is(const struct mprog_link *link, enum bpfstamp_hook_type type, enum bpfstamp_direction direction);

/* Of which hook a link is: false where it is of none that bpfstamp knows, XDP included. */
bool mprog_link_hook(const struct mprog_link *link, enum bpfstamp_hook_type *type,
		     enum bpfstamp_direction *direction);

/* "tcx" and "egress", for errors. */
const char *mprog_type_name(enum bpfstamp_hook_type type);
const char *mprog_direction_name(enum bpfstamp_direction direction);

/* "tcx egress of eth0", at buf. */
enum { MPROG_NAME_SIZE = 64 };
const char *mprog_name(const struct mprog_hook *hook, char buf[MPROG_NAME_SIZE]);

#endif
