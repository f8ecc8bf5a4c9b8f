/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is attached to a hook of TCX or netkit, whoever attached it.
 */
#ifndef HOOK_LINKS_H
#define HOOK_LINKS_H

#include "hook/mprog.h"

enum { LINKS_TRIES = 64 };	/* each that is lost was another process's success */
enum { LINKS_AGAIN = 1 };	/* beside 0 and -1: somebody else was faster, as *err says; to be tried again */

struct mprog_hook links_hook(const struct bpfstamp_net *net, const struct hook_place *place);

struct links {
	uint64_t revision;
	uint32_t count;
	struct bpfstamp_attachment *list;	/* in the order in which packets meet them */
};

/*
 * List them.  Names, tags and records of programs need CAP_SYS_ADMIN; without it
 * programs are known by the pins that bpfstamp made below pin_path.
 */
int links_list(const struct mprog_hook *hook, const char *pin_path, struct links *out, struct bpfstamp_err *err);
void links_free(struct links *links);

/* An attachment on a hook, with nothing known but that. */
struct bpfstamp_attachment links_blank(const struct mprog_hook *hook);

/* Tell of a program what the kernel tells. */
void links_describe_program(struct bpfstamp_attachment *a, int program);

/*
 * The same by its id, and whether it is bpfstamp's.  False where the program is
 * gone; that it may not be looked at is no reason to tell nothing of it.
 */
bool links_describe_by_id(struct bpfstamp_attachment *a, uint32_t id);

/* The one of a link's or a program's id, or NULL. */
const struct bpfstamp_attachment *links_by_link(const struct links *links, uint32_t id);
const struct bpfstamp_attachment *links_by_program(const struct links *links, uint32_t id);

/* Whether a program is called so, as far as is known. */
bool links_is_named(const struct bpfstamp_attachment *a, const char *name);

/* Append "name (program 12)" to *err, after "; there are: " or ", ". */
void links_append(const struct bpfstamp_attachment *a, bool first, struct bpfstamp_err *err);

/* Where a new link goes. */
int links_position(const struct mprog_hook *hook, const struct bpfstamp_hook *wanted,
		   struct mprog_position *out, struct bpfstamp_err *err);

/* Of struct hook_ops. */
int links_detach(struct bpfstamp_net *net, const struct hook_place *place, bool dry,
		 struct bpfstamp_attachment *out, struct bpfstamp_err *err);

#endif
