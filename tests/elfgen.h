/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds ELF64 objects for tests, in either byte order: what elf64.h reads,
 * written from the same structs.
 *
 *	struct elfgen *gen = elfgen_new(false);
 *	uint32_t tc = elfgen_section(gen, &(struct elf64_section){
 *		.name = "tc", .type = ELF64_SHT_PROGBITS, .bytes = insns, .size = sizeof(insns) });
 *	uint32_t map = elfgen_symbol(gen, &(struct elf64_symbol){
 *		.name = "map", .bind = ELF64_STB_GLOBAL, .section = ELF64_SHN_UNDEF });
 *
 *	elfgen_rel(gen, tc, &(struct elf64_reloc){ .offset = 8, .type = 1, .symbol = map });
 *	object = elfgen_finish(gen, &size);
 *	…
 *	free(object);
 *
 * Nothing is checked, so that wrong objects can be built too.  The file is laid
 * out as header, bytes of the sections in the order of their indices, section
 * headers; no byte lies behind these.  Out of memory ends the test program.
 */
#ifndef TESTS_ELFGEN_H
#define TESTS_ELFGEN_H

#include "elf/elf64.h"

struct elfgen_buf {
	uint8_t *bytes;
	size_t size, room;
};

struct elfgen {
	/* Options, to be set before elfgen_finish. */
	uint16_t machine;	/* e_machine; 247 (EM_BPF) unless set */
	bool xindex;		/* give every defined symbol SHN_XINDEX; else where it must have it */
	bool extended;		/* put the counts in section 0; else where they must be there */
	/* private */
	bool big;
	uint32_t section_count, symbol_count;
	struct elfgen_buf sections, symbols, names, symbol_names;
};

/* A generator whose object has only section 0 so far; big: most significant byte first. */
struct elfgen *elfgen_new(bool big);

/*
 * Add a section and return its index.  Its name and bytes are copied; offset is
 * ignored.  Where bytes is NULL and the type has bytes, they are zero.
 */
uint32_t elfgen_section(struct elfgen *gen, const struct elf64_section *section);

/*
 * Add a symbol and return its index (the first one gets 1).  The order is kept:
 * add locals first.  .section may be ELF64_SHN_*.
 */
uint32_t elfgen_symbol(struct elfgen *gen, const struct elf64_symbol *symbol);

/*
 * Add a relocation of section target to its ".rel" or ".rela" section, which
 * the first one makes.  Returns the index of that section.
 */
uint32_t elfgen_rel(struct elfgen *gen, uint32_t target, const struct elf64_reloc *reloc);
uint32_t elfgen_rela(struct elfgen *gen, uint32_t target, const struct elf64_reloc *reloc);

/*
 * Put the object together, with .symtab, .symtab_shndx and .strtab where there
 * are symbols or relocations, and .shstrtab.  Returns malloc'd bytes, whose
 * number is *size; gen is gone.
 */
uint8_t *elfgen_finish(struct elfgen *gen, size_t *size);

#endif
