/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The object that most tests of elf64 start from: some of everything, made by
 * elfgen from what stands in the arrays here.
 */
#ifndef TESTS_ELFSAMPLE_H
#define TESTS_ELFSAMPLE_H

#include "elf/elf64.h"

enum {	/* sections */
	TC = 1, DATA, BSS, DEBUG, RELTC, RELADATA, SYMTAB, STRTAB,
	SHSTRTAB, SECTIONS,			/* without extended section indices */
	SHNDX = 9, X_SHSTRTAB, X_SECTIONS,	/* with them */
};

enum { SYM_TC = 1, SYM_STATIC, SYM_PROG, SYM_BSS, SYM_ABS, SYM_COMMON, SYM_UNDEF, SYMBOLS };	/* symbols */

/* Bytes of TC, and of the names of sections (X: with extended section indices) and symbols. */
enum { INSNS_SIZE = 32, NAMES_SIZE = 71, XNAMES_SIZE = 85, STRINGS_SIZE = 38 };

extern const struct elf64_section elfsample_sections[DEBUG + 1];	/* from TC on */
extern const struct elf64_symbol elfsample_symbols[SYMBOLS];
extern const struct elf64_reloc elfsample_rel, elfsample_rela;	/* of RELTC, of RELADATA */

/* The malloc'd object; extended: with SHT_SYMTAB_SHNDX and counts in section 0. */
uint8_t *elfsample(bool big, bool extended, size_t *size);

/* Open what has to be right; else the test fails. */
void elfsample_open(struct elf64 *elf, const void *data, size_t size);

/* Write the width (1, 2, 4 or 8) low bytes of value. */
void elfsample_put(uint8_t *p, unsigned int width, uint64_t value, bool big);

#endif
