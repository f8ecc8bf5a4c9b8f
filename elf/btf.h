/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A checked, read-only view of BTF (the .BTF section) and of BTF.ext (the
 * .BTF.ext section), as Documentation/bpf/btf.rst and include/uapi/linux/btf.h
 * of the kernel define them; either byte order, any alignment.
 *
 *   .BTF: header (24 bytes)            a type (12 bytes and what its kind adds)
 *     0  magic 0xeb9f   u16              0  name_off       u32, into the strings
 *     2  version 1      u8               4  info           u32: vlen 0-15, kind 24-28, kind_flag 31
 *     3  flags          u8               8  size or type   u32
 *     4  hdr_len        u32
 *     8  type_off       u32   (from the end of the header, as all *_off)
 *    12  type_len       u32
 *    16  str_off        u32
 *    20  str_len        u32
 *
 *   .BTF.ext: the same first 8 bytes, then off and len of func_info (8), of
 *   line_info (16) and, where hdr_len says so, of CO-RE relocations (24).
 *   Each is: u32 record size; then, for each ELF section, u32 name of the
 *   section, u32 count, and count records:
 *     func_info  u32 insn_off, u32 type_id
 *     line_info  u32 insn_off, u32 file_name_off, u32 line_off, u32 line<<10 | column
 *     core_relo  u32 insn_off, u32 type_id, u32 access_str_off, u32 kind
 *   insn_off counts bytes from the start of the ELF section.
 *
 * Type 0 is void; the first type of the file is 1.  As with elf64, all is
 * proved at open, and accessors cannot fail on an id or index below its count.
 */
#ifndef ELF_BTF_H
#define ELF_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/elf64.h"	/* struct elf64_fault */

enum btf_kind {
	BTF_VOID = 0,
	BTF_INT = 1,
	BTF_PTR = 2,
	BTF_ARRAY = 3,
	BTF_STRUCT = 4,
	BTF_UNION = 5,
	BTF_ENUM = 6,
	BTF_FWD = 7,
	BTF_TYPEDEF = 8,
	BTF_VOLATILE = 9,
	BTF_CONST = 10,
	BTF_RESTRICT = 11,
	BTF_FUNC = 12,
	BTF_FUNC_PROTO = 13,
	BTF_VAR = 14,
	BTF_DATASEC = 15,
	BTF_FLOAT = 16,
	BTF_DECL_TAG = 17,
	BTF_TYPE_TAG = 18,
	BTF_ENUM64 = 19,
};

enum { BTF_TYPE_LEAST = 12 };	/* bytes of the smallest type */

enum { BTF_INT_SIGNED = 1, BTF_INT_CHAR = 2, BTF_INT_BOOL = 4 };	/* encoding of BTF_INT */

struct btf {
	const uint8_t *data;
	uint32_t size;
	bool big;
	uint32_t type_count;	/* ids 0 (void) to type_count - 1, with those of base */
	const struct btf *base;	/* what split BTF continues, or NULL */
	uint32_t first;		/* its own first id: 1, or base's type_count */
	/* private */
	const uint8_t *types, *strings;
	uint32_t type_len, str_len;
	uint32_t str_first;	/* the offset of its own first string: 0, or where base's strings end */
	uint32_t depth;		/* no chain of types, those of base included, is longer */
	const uint32_t *index;	/* offset from types of void and of each own type; the caller's memory */
};

/*
 * The longest chain of types each of which refers to the next as a modifier,
 * typedef, array or variable does, or holds it by value: what a recursion over
 * nested values may count on, also from split BTF into its base.
 */
#define BTF_MAX_DEPTH 256

struct btf_type {
	const char *name;	/* "" where anonymous */
	enum btf_kind kind;
	bool kind_flag;
	uint32_t vlen;		/* how many members, enumerators, parameters or variables follow; else 0 */
	uint32_t size;		/* bytes: INT, ENUM, ENUM64, STRUCT, UNION, FLOAT, DATASEC; else 0 */
	uint32_t type;		/* referred to: PTR, TYPEDEF, …, FUNC, FUNC_PROTO, VAR, DECL_TAG; else 0 */
	/* by kind */
	uint8_t int_encoding, int_offset, int_bits;	/* INT; bits below 8 * size: a bitfield of old BTF */
	uint32_t array_type, array_index_type, array_count;	/* ARRAY */
	uint32_t linkage;	/* VAR: 0 static, 1 global, 2 extern; FUNC: the same, from vlen */
	int32_t component;	/* DECL_TAG: member or parameter, or -1 */
};

struct btf_member {	/* of STRUCT or UNION */
	const char *name;
	uint32_t type;
	uint32_t bit_offset;	/* from the start of the aggregate */
	uint32_t bit_size;	/* 0 where it is no bitfield */
};

struct btf_enumerator {	/* of ENUM or ENUM64; sign-extended where the enum is signed (kind_flag) */
	const char *name;
	uint64_t value;
};

struct btf_param {	/* of FUNC_PROTO */
	const char *name;
	uint32_t type;
};

struct btf_secvar {	/* of DATASEC */
	uint32_t type, offset, size;	/* type: a VAR (or a FUNC: extern functions in .ksyms) */
};

/*
 * The first 8 bytes, which .BTF and .BTF.ext share: check them and that a
 * header of at least `least` bytes is there.  Returns 0 with *big and
 * *hdr_len, or -1 with *fault.
 */
int btf_preamble(const void *data, uint64_t size, uint32_t least, bool *big, uint32_t *hdr_len,
		 struct elf64_fault *fault);

/*
 * How many types the BTF at data, split or not, has of its own, with void.
 * Checks the header and walks the types for it.  Returns 0 and *count, or -1
 * with *fault.
 */
int btf_count(const void *data, uint64_t size, uint32_t *count, struct elf64_fault *fault);

/*
 * Check size bytes at data and make *btf a view of them.  index is memory for
 * 2 * count entries, filled here, where count is at least what btf_count says:
 * where speed matters more than memory, size / BTF_TYPE_LEAST + 1.  Its first
 * half must live as long as the view; the second is scratch of this call.  What
 * is checked:
 *
 *  - the header; types and strings inside the data and apart from each other;
 *    strings begin and end in NUL (split BTF: end in NUL, or there are none);
 *  - every type's kind, no bits of info set that have no meaning, room for
 *    what follows the type;
 *  - every name inside the strings, every type id below the count;
 *  - integers: 1, 2, 4, 8 or 16 bytes, at least one bit, and these inside the
 *    bytes; enums: 1, 2, 4 or 8 bytes; linkage of variables and functions;
 *  - members beginning, bitfields also ending, inside their aggregate;
 *  - DATASEC entries being VAR or FUNC;
 *  - no chain of modifiers, typedefs, arrays and variables, and no nesting by
 *    value of structs, unions and arrays, that returns to itself or is longer
 *    than BTF_MAX_DEPTH; longer loops are called the latter.
 *
 * The sizes and offsets of DATASEC and its variables are not checked: compilers
 * leave them zero for the loader to fill.  Nor is what kind of type another
 * refers to, but for DATASEC.  The work is linear in size.  Returns 0, or -1
 * with *fault.
 */
int btf_open(struct btf *btf, const void *data, uint64_t size, uint32_t *index, uint32_t count,
	     struct elf64_fault *fault);

/*
 * The same for split BTF, such as a kernel module's: its ids and string offsets
 * go on where those of base end, and may refer to base, which must outlive it
 * and have the same byte order.  base may itself be split.  index and count
 * are for the types of its own, and void.
 */
int btf_open_split(struct btf *btf, const struct btf *base, const void *data, uint64_t size, uint32_t *index,
		   uint32_t count, struct elf64_fault *fault);

/* Describe type id (below type_count) in *out; id 0 is BTF_VOID. */
void btf_type(const struct btf *btf, uint32_t id, struct btf_type *out);

/* Only its name and kind, for a search through many types. */
const char *btf_name(const struct btf *btf, uint32_t id, enum btf_kind *kind);

/* Describe entry i (below vlen) of a type of the kind that the result names. */
void btf_member(const struct btf *btf, uint32_t id, uint32_t i, struct btf_member *out);
void btf_enumerator(const struct btf *btf, uint32_t id, uint32_t i, struct btf_enumerator *out);
void btf_param(const struct btf *btf, uint32_t id, uint32_t i, struct btf_param *out);
void btf_secvar(const struct btf *btf, uint32_t id, uint32_t i, struct btf_secvar *out);

/*
 * Where in the BTF bytes a type begins (not for id 0, which is nowhere).  Only
 * for ids of its own: those of base stand in other bytes.
 */
uint32_t btf_type_at(const struct btf *btf, uint32_t id);

/* The type behind CONST, VOLATILE, RESTRICT, TYPEDEF and TYPE_TAG. */
uint32_t btf_resolve(const struct btf *btf, uint32_t id);

/*
 * Size in bytes of a value of type id; pointer_size is what a BTF_PTR has (8
 * for BPF); that of a VAR is its type's.  Returns false where it has none
 * (void, FWD, FUNC, FUNC_PROTO, DECL_TAG) or the number does not fit 32 bits.
 */
bool btf_size(const struct btf *btf, uint32_t id, uint32_t pointer_size, uint32_t *size);

/* The first type of that kind and name, those of base first, or 0. */
uint32_t btf_find(const struct btf *btf, enum btf_kind kind, const char *name);

/* A string by offset (checked at open for every offset in the data), or "" where it is outside. */
const char *btf_string(const struct btf *btf, uint32_t offset);

enum btf_ext_part { BTF_EXT_FUNC = 0, BTF_EXT_LINE = 1, BTF_EXT_CORE = 2 };

struct btf_ext {
	const uint8_t *data;
	uint32_t size;
	bool big;
	const struct btf *btf;
	/* private */
	uint32_t part_off[3], part_len[3], record_size[3];
};

/* The records of one ELF section; made by btf_ext_next. */
struct btf_ext_section {
	const char *name;	/* of the ELF section */
	uint32_t count;
	uint32_t record_size;
	/* private */
	const uint8_t *records;
	uint32_t end;
};

struct btf_func_info {
	uint32_t insn_off, type;	/* type: a FUNC */
};

struct btf_line_info {
	uint32_t insn_off;
	const char *file, *text;	/* text: the source line */
	uint32_t line, column;
};

struct btf_core_relo {
	uint32_t insn_off, type, kind;
	const char *access;
};

/*
 * Check size bytes at data, the .BTF.ext that goes with btf, and make *ext a
 * view of them: header, parts inside the data, record sizes at least what is
 * read here and a multiple of 4, counts not 0 and inside their part, names
 * and type ids inside btf (those of func_info are FUNC), insn_off a multiple
 * of 8 and ascending in a section (equal is a fault for func_info, and allowed
 * for the rest).  btf must outlive *ext.  Returns 0, or -1 with *fault.
 */
int btf_ext_open(struct btf_ext *ext, const struct btf *btf, const void *data, uint64_t size,
		 struct elf64_fault *fault);

/*
 * Iterate over the sections of a part: start from a zeroed *section; returns
 * false at the end.
 */
bool btf_ext_next(const struct btf_ext *ext, enum btf_ext_part part, struct btf_ext_section *section);

/* Describe record i (below count) of a section of the part that the result names. */
void btf_ext_func(const struct btf_ext *ext, const struct btf_ext_section *section, uint32_t i,
		  struct btf_func_info *out);
void btf_ext_line(const struct btf_ext *ext, const struct btf_ext_section *section, uint32_t i,
		  struct btf_line_info *out);
void btf_ext_core(const struct btf_ext *ext, const struct btf_ext_section *section, uint32_t i,
		  struct btf_core_relo *out);

/* Record i of a section as it stands in the data (record_size bytes, the data's byte order). */
const uint8_t *btf_ext_record(const struct btf_ext_section *section, uint32_t i);

#endif
