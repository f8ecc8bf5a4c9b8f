/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A copy of BTF whose types are being changed.
 */
#ifndef LOADER_BTFCOPY_H
#define LOADER_BTFCOPY_H

#include "elf/btf.h"

enum { BTFCOPY_ADDED = 3, BTFCOPY_ADDED_SIZE = 16 };	/* the most types that can be added, and what each takes */

struct btfcopy {
	const struct btf *from;
	uint8_t *bytes;		/* header and types, with room for all that can be added */
	uint32_t types;		/* bytes of types, with those added */
	uint32_t type_count;	/* void included */
	bool named;		/* btfcopy_any_name was asked for */
};

/* One type of a copy: what is in its 12 bytes. */
struct btfcopy_type {
	uint8_t *at;
	uint32_t name;		/* offset in the strings */
	enum btf_kind kind;
	bool kind_flag;
	uint32_t vlen;		/* as in the bits: the linkage of a FUNC, too */
	uint32_t third;		/* size or type */
};

/* False where memory is out.  btfcopy_finish ends it. */
bool btfcopy_begin(struct btfcopy *c, const struct btf *from);

struct btfcopy_type btfcopy_type(const struct btfcopy *c, uint32_t id);

/* Store name, kind, kind_flag, vlen and third of a type; its size must stay as it is. */
void btfcopy_store(struct btfcopy *c, const struct btfcopy_type *type);

/* Word i behind the 12 bytes of a type. */
uint32_t btfcopy_word(const struct btfcopy *c, const struct btfcopy_type *type, uint32_t i);
void btfcopy_set_word(struct btfcopy *c, const struct btfcopy_type *type, uint32_t i, uint32_t word);

/* Add an INT or a VAR, which have one more word; returns its id. */
uint32_t btfcopy_add(struct btfcopy *c, uint32_t name, enum btf_kind kind, uint32_t third, uint32_t word);

/* The offset of a string that is an identifier, for what must have a name and has none. */
uint32_t btfcopy_any_name(struct btfcopy *c);

/* Put the strings behind the types: the whole BTF, to be freed, and its size. */
uint8_t *btfcopy_finish(struct btfcopy *c, uint32_t *size);

#endif
