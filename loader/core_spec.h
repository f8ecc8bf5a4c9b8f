/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CO-RE record names: a type, an enumerator of it, or a field of it by
 * a path; in the object as the record says, and in the kernel by its names.
 */
#ifndef LOADER_CORE_SPEC_H
#define LOADER_CORE_SPEC_H

#include "loader/core_compat.h"

enum core_kind {	/* bpf_core_relo_kind of linux/bpf.h */
	CORE_FIELD_OFFSET, CORE_FIELD_SIZE, CORE_FIELD_EXISTS, CORE_FIELD_SIGNED, CORE_FIELD_LSHIFT,
	CORE_FIELD_RSHIFT, CORE_TYPE_ID_LOCAL, CORE_TYPE_ID_TARGET, CORE_TYPE_EXISTS, CORE_TYPE_SIZE,
	CORE_ENUM_EXISTS, CORE_ENUM_VALUE, CORE_TYPE_MATCHES, CORE_KINDS,
};

static inline bool core_is_field(uint32_t kind)
{
	return kind <= CORE_FIELD_RSHIFT;
}

static inline bool core_is_enum(uint32_t kind)
{
	return kind == CORE_ENUM_EXISTS || kind == CORE_ENUM_VALUE;
}

enum { CORE_STEPS = 64 };

struct core_step {	/* a named member, or the element of an array (or of the pointer that the path starts from) */
	uint32_t type;	/* whose member it is, resolved; of an element, its own */
	uint32_t index;
	const char *name;	/* NULL for an element */
};

struct core_spec {
	const struct btf *btf;
	uint32_t pointer_size;
	uint32_t root;		/* not resolved */
	/* of a field: */
	struct core_step steps[CORE_STEPS];	/* members without a name are left out */
	uint32_t count;
	uint32_t type;		/* of the field, resolved */
	uint32_t bit_offset;	/* from where the pointer points to */
	uint32_t bit_size;	/* 0 where it is no bitfield */
	/* of an enumerator: */
	struct btf_enumerator enumerator;
	struct btf_type enumeration;
};

/* What the record names in the object; *local is filled by it. */
int core_spec_parse(struct core_spec *local, const struct btf *btf, const struct btf_core_relo *relo,
		    struct bpfstamp_err *err);

/*
 * The same in type `root` of the kernel's BTF *btf: 1 with *target, or 0 where
 * it has no such field or enumerator, or the type is another.
 */
int core_spec_match(struct core_spec *target, struct core_type root, uint32_t pointer_size,
		    const struct core_spec *local, uint32_t kind, struct core_work *work);

#endif
