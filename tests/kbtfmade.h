/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kbtf_make makes of an object, and what the running kernel says to it.
 */
#ifndef TESTS_KBTFMADE_H
#define TESTS_KBTFMADE_H

#include "tests/bpfobj.h"
#include "tests/btfgen.h"

enum { KBTFMADE_INDEX = 256 };

struct kbtfmade {
	uint8_t *bytes;		/* to be freed */
	uint32_t size, index[KBTFMADE_INDEX];
	struct btf btf;		/* refers to index */
};

/* Make it; it must open. */
void kbtfmade_make(struct kbtfmade *m, const struct bpfobj *o);

/* The kernel must take it; of the other byte order, nobody is asked. */
void kbtfmade_accepted(const struct kbtfmade *m, const char *what);

struct btf_type kbtfmade_type(const struct kbtfmade *m, uint32_t id);

/* Add an unsigned integer, or a variable, to BTF; returns its id. */
uint32_t kbtfmade_add_int(struct btfgen *gen, const char *name, uint32_t size);
uint32_t kbtfmade_add_var(struct btfgen *gen, const char *name, uint32_t type, uint32_t linkage);

#endif
