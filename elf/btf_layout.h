/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What btf_open and the accessors of BTF share: how types are laid out, and
 * where in the memory of a view they stand.  Internal to elf/.
 */
#ifndef ELF_BTF_LAYOUT_H
#define ELF_BTF_LAYOUT_H

#include "elf/btf.h"
#include "include/bytes.h"

enum {	/* what the third word of a type is, where it is no size */
	BTF_REF_NONE,	/* nothing */
	BTF_REF_OTHER,	/* a type */
	BTF_REF_CHAIN,	/* a type, whose size is this one's */
};

struct btf_layout {
	uint8_t once, each;	/* bytes that follow the type, and for each of vlen entries */
	bool sized;		/* the third word is a size */
	uint8_t reference;	/* BTF_REF_* */
};

enum { BTF_KINDS = BTF_ENUM64 + 1 };

extern const struct btf_layout btf_layouts[BTF_KINDS];	/* by kind */

static inline uint32_t btf_get32(const struct btf *btf, const uint8_t *p)
{
	return bytes_get32(p, btf->big);
}

/* 0 for void, and for the types of base. */
static inline uint32_t btf_slot(const struct btf *btf, uint32_t id)
{
	return id < btf->first ? 0 : id - btf->first + 1;
}

/* Which of btf and what it continues has type id; of void, the last of them. */
static inline const struct btf *btf_owner(const struct btf *btf, uint32_t id)
{
	while (id < btf->first && btf->base)
		btf = btf->base;
	return btf;
}

static inline const uint8_t *btf_type_bytes(const struct btf *btf, uint32_t id)
{
	const struct btf *owner = btf_owner(btf, id);

	return owner->types + owner->index[btf_slot(owner, id)];
}

static inline enum btf_kind btf_info_kind(uint32_t info)
{
	return (enum btf_kind)(info >> 24 & 0x1f);
}

static inline uint32_t btf_info_vlen(uint32_t info)
{
	return info & 0xffff;
}

static inline enum btf_kind btf_type_kind(const struct btf *btf, uint32_t id)
{
	return id ? btf_info_kind(btf_get32(btf, btf_type_bytes(btf, id) + 4)) : BTF_VOID;
}

/* Where entry i of a type stands. */
static inline const uint8_t *btf_entry_bytes(const struct btf *btf, uint32_t id, uint32_t i)
{
	return btf_type_bytes(btf, id) + BTF_TYPE_LEAST + (size_t)i * btf_layouts[btf_type_kind(btf, id)].each;
}

/* Where member i lies: the whole word, or 24 bits of it and the width of a bitfield. */
static inline void btf_member_bits(uint32_t word, bool kind_flag, uint32_t *offset, uint32_t *width)
{
	*offset = kind_flag ? word & 0xffffff : word;
	*width = kind_flag ? word >> 24 : 0;
}

#endif
