/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a type of the object and one of the kernel are the same thing to
 * CO-RE.  There are three answers: for what a field holds, for a type that a
 * record names (kinds 6-9), and member by member (kind 12).
 */
#ifndef LOADER_CORE_COMPAT_H
#define LOADER_CORE_COMPAT_H

#include "elf/btf.h"
#include "loader/err.h"

struct core_type {
	const struct btf *btf;
	uint32_t id;
};

/* How many types, members or enumerators one record may look at: BTF can be made to nest exponentially. */
enum { CORE_WORK = 1 << 20 };

struct core_work {
	uint32_t left;
	struct bpfstamp_err *err;
};

/* Before looking at one more; fails when the work is used up. */
int core_work_step(struct core_work *work);

/* Kinds that may stand for each other: the same, or two enums of any size. */
bool core_kinds_compat(enum btf_kind a, enum btf_kind b);

/* Whether two names are one but for the flavor. */
bool core_names_match(const char *a, const char *b);

/* Whether what a field of the object holds can be found in one of the kernel. */
bool core_fields_compat(struct core_type local, struct core_type target);

/* 1 where the types go together, 0 where not; fails where they nest too deep to tell. */
int core_types_compat(struct core_type local, struct core_type target, struct core_work *work);

/* The same for kind 12: all members, enumerators and parameters of the object's type are in the kernel's. */
int core_types_match(struct core_type local, struct core_type target, struct core_work *work);

#endif
