/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds BTF and BTF.ext for tests, in either byte order.
 *
 *	struct btfgen *gen = btfgen_new(false);
 *	uint32_t u32 = btfgen_type(gen, "u32", BTF_INT, 0, 4);
 *
 *	btfgen_word(gen, 32);			// its bits
 *	btfgen_type(gen, "vni", BTF_VAR, 0, u32);
 *	btfgen_word(gen, 1);			// its linkage
 *	btf = btfgen_finish(gen, &size, NULL, NULL);
 *	…
 *	free(btf);
 *
 * Nothing is checked, so that wrong BTF can be built too.  Types lie directly
 * behind the header, strings behind them; the same string always has the same
 * offset.  Out of memory ends the test program.
 */
#ifndef TESTS_BTFGEN_H
#define TESTS_BTFGEN_H

#include "elf/btf.h"

#define BTFGEN_FLAG (1u << 31)	/* or'ed to vlen: kind_flag */

struct btfgen;

struct btfgen *btfgen_new(bool big);

/* The same for split BTF: ids and offsets of strings begin at those, and there is no string at first. */
struct btfgen *btfgen_new_split(bool big, uint32_t first_id, uint32_t first_string);

/* The offset of a string, which is added if it is new (and, of split BTF, not empty). */
uint32_t btfgen_string(struct btfgen *gen, const char *s);

/* Add the 12 bytes of a type; third is its size or type.  Returns its id. */
uint32_t btfgen_type(struct btfgen *gen, const char *name, enum btf_kind kind, uint32_t vlen, uint32_t third);

/* Add a word behind the last type. */
void btfgen_word(struct btfgen *gen, uint32_t word);

/* Add three words behind the last type: a member, an element of ENUM64 or DATASEC, or what ARRAY has. */
void btfgen_words(struct btfgen *gen, uint32_t first, uint32_t second, uint32_t third);

/* Add a word to a part of BTF.ext: first the size of its records, then its sections. */
void btfgen_ext_word(struct btfgen *gen, enum btf_ext_part part, uint32_t word);

/*
 * Returns the malloc'd BTF, whose size is *size, and where ext is not NULL in
 * *ext the malloc'd BTF.ext of *ext_size bytes; gen is gone.
 */
uint8_t *btfgen_finish(struct btfgen *gen, size_t *size, uint8_t **ext, size_t *ext_size);

#endif
