/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The number that a CO-RE record asks for, and how an instruction comes to hold it.
 */
#ifndef LOADER_CORE_VALUE_H
#define LOADER_CORE_VALUE_H

#include "bpfinsn/bpfinsn.h"
#include "loader/core_spec.h"

struct core_value {
	uint64_t number;
	bool missing;		/* there is none: the instruction is poisoned */
	bool unsure;		/* of the object's own: the compiler may have seen it otherwise */
	bool any_sign;		/* 32 bits with the top bit set, of an enum that does not say whether it is signed */
	bool is_signed;		/* of an enumerator, or of the offset of a field: what it is, or holds */
	/* of the offset of a field that is no bitfield: */
	uint32_t size;		/* what a load of it takes, or of an element of it; else 0 */
	enum btf_kind kind;	/* what it holds */
};

/* What a record of that kind is worth where *spec is what it names, or NULL where the kernel has no such thing. */
int core_value(struct core_value *out, uint32_t kind, const struct core_spec *spec, bool big,
	       struct bpfstamp_err *err);

/* Whether an instruction's offset and size are what a record changes, rather than its immediate. */
bool core_is_access(const struct bpfinsn *insn);

/*
 * Change insn[0] (and of an lddw insn[1]) from what the object's types gave to what the kernel's give;
 * poison it where the kernel has no such thing.
 */
int core_patch(struct bpfinsn insn[2], const struct core_value *from, const struct core_value *to,
	       struct bpfstamp_err *err);

#endif
