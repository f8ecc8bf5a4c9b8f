/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why the kernel's JIT did not compile a program that the verifier accepted
 * (errno 524): what the memory for compiled programs is used for.
 */
#ifndef LOADER_JITLIMIT_H
#define LOADER_JITLIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "include/bpfstamp.h"

enum { JITLIMIT_USERS = 3 };

/* All programs of one name. */
struct jitlimit_user {
	char name[16];		/* as the kernel knows it; "" of nameless ones */
	bool ours;		/* the last of them has a record */
	uint32_t programs;
	uint64_t bytes;		/* of machine code */
};

struct jitlimit_use {
	bool disabled;		/* net.core.bpf_jit_enable is 0 */
	uint64_t limit;		/* net.core.bpf_jit_limit; 0: cannot be read */
	bool counted;		/* whether programs could be looked at: needs CAP_SYS_ADMIN */
	uint32_t programs;
	uint64_t bytes;		/* of machine code */
	uint64_t pages;		/* the same, where each program has whole pages: the most that it can take */
	struct jitlimit_user users[JITLIMIT_USERS];	/* who has most, first */
	uint32_t user_count;
};

/* Ask the kernel; what it does not tell stays 0. */
void jitlimit_measure(struct jitlimit_use *out);

/* Put ": …" behind *err, which says that a program was refused with that errno (524 or ENOMEM); always -1. */
int jitlimit_tell(const struct jitlimit_use *use, int code, struct bpfstamp_err *err);

#endif
