/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A checked, read-only view of an ELF64 relocatable object (System V gABI,
 * "Object Files"), in either byte order, at any alignment.
 *
 *   offset  ELF header (64 bytes)         offset  section header (64 bytes)
 *     0     e_ident: 7f 45 4c 46            0     sh_name       u32
 *     4     EI_CLASS: 2                     4     sh_type       u32
 *     5     EI_DATA: 1 LSB, 2 MSB           8     sh_flags      u64
 *     6     EI_VERSION: 1                  16     sh_addr       u64
 *    16     e_type: 1 (ET_REL)   u16       24     sh_offset     u64
 *    18     e_machine: 247 or 0  u16       32     sh_size       u64
 *    20     e_version: 1         u32       40     sh_link       u32
 *    40     e_shoff              u64       44     sh_info       u32
 *    52     e_ehsize             u16       48     sh_addralign  u64
 *    58     e_shentsize: 64      u16       56     sh_entsize    u64
 *    60     e_shnum              u16
 *    62     e_shstrndx           u16      symbol (24 bytes)
 *                                           0     st_name       u32
 *   REL (16 bytes), RELA (24 bytes)         4     st_info       u8
 *     0     r_offset             u64        5     st_other      u8
 *     8     r_info               u64        6     st_shndx      u16
 *    16     r_addend (RELA only) i64        8     st_value      u64
 *                                          16     st_size       u64
 *
 * elf64_open proves every table, name, link and index once; after it no
 * accessor can fail, whatever the bytes, as long as an index is below the
 * count that this header names for it.  Nothing is copied or allocated: the
 * caller's bytes must stay unchanged while the view, or a pointer that it
 * gave out, is in use.
 */
#ifndef ELF_ELF64_H
#define ELF_ELF64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is wrong with an input, and at which offset of it. */
struct elf64_fault {
	const char *what;
	uint64_t offset;
};

struct elf64 {
	const uint8_t *data;
	uint64_t size;
	bool big;		/* byte order of the object */
	uint16_t machine;	/* 247 (EM_BPF), or 0 from very old compilers */
	uint32_t section_count;	/* includes section 0 */
	uint32_t symbol_count;	/* includes symbol 0; 0 where there is no symbol table */
	uint32_t symtab;	/* section index of the symbol table, or 0 */
	uint32_t names;		/* section index of the section name table */
	/* private */
	uint64_t shoff, shstr_off, symtab_off, symstr_off;
	uint64_t shndx_off;	/* 0 where there is no SHT_SYMTAB_SHNDX */
};

/* Section types and flags, symbol types and bindings that this project uses. */
enum {
	ELF64_SHT_NULL = 0,
	ELF64_SHT_PROGBITS = 1,
	ELF64_SHT_SYMTAB = 2,
	ELF64_SHT_STRTAB = 3,
	ELF64_SHT_RELA = 4,
	ELF64_SHT_NOBITS = 8,
	ELF64_SHT_REL = 9,
	ELF64_SHT_SYMTAB_SHNDX = 18,

	ELF64_SHF_WRITE = 1,
	ELF64_SHF_ALLOC = 2,
	ELF64_SHF_EXECINSTR = 4,
	ELF64_SHF_COMPRESSED = 0x800,

	ELF64_STT_NOTYPE = 0,
	ELF64_STT_OBJECT = 1,
	ELF64_STT_FUNC = 2,
	ELF64_STT_SECTION = 3,

	ELF64_STB_LOCAL = 0,
	ELF64_STB_GLOBAL = 1,
	ELF64_STB_WEAK = 2,
};

/*
 * Reserved section indices of a symbol, moved out of the way of real indices,
 * which SHN_XINDEX lets reach any 32-bit number below section_count.
 */
#define ELF64_SHN_UNDEF 0u
#define ELF64_SHN_ABS 0xfffffff1u
#define ELF64_SHN_COMMON 0xfffffff2u

struct elf64_section {
	const char *name;
	uint32_t type, link, info;
	uint64_t flags, addr, offset, size, addralign, entsize;
	const uint8_t *bytes;	/* size bytes; NULL for SHT_NOBITS and SHT_NULL */
};

struct elf64_symbol {
	const char *name;	/* "" where it has none, as section symbols */
	uint8_t type, bind, other;
	uint32_t section;	/* index, or ELF64_SHN_* */
	uint64_t value, size;
};

struct elf64_reloc {
	uint64_t offset;	/* from the start of the section that it relocates */
	uint32_t type, symbol;	/* symbol: below symbol_count */
	int64_t addend;		/* 0 for REL, where it is in the instruction */
};

/*
 * Check size bytes at data and make *elf a view of them.  What is checked:
 *
 *  - a file below 4 GiB; identification, class, version, type and machine;
 *  - the section header table, also with e_shnum 0 and e_shstrndx 0xffff
 *    (counts in section 0); section 0 is SHT_NULL;
 *  - every section's bytes inside the file (but SHT_NOBITS and SHT_NULL, whose
 *    size may be any number), every section name inside the section name table;
 *  - string tables that are not empty begin and end in NUL;
 *  - at most one symbol table and one SHT_SYMTAB_SHNDX, their entsize and size;
 *    the sh_link of the symbol table is a string table, every symbol's name is
 *    inside it, and its section index (through SHT_SYMTAB_SHNDX for
 *    SHN_XINDEX) is below the count, SHN_ABS or SHN_COMMON;
 *  - a defined symbol's value within its section's size (one past the end
 *    allowed; not for SHN_ABS and SHN_COMMON), value + size too for STT_FUNC
 *    and STT_OBJECT;
 *  - every REL and RELA section's entsize, its sh_link the symbol table, its
 *    sh_info a section with bytes, each r_offset below the size of that one,
 *    each symbol index below the count; all of them together are not larger
 *    than the file, so that a few bytes cannot pose as endless relocations;
 *    relocations in a format that is not read (RELR, CREL) are refused;
 *  - no SHF_COMPRESSED section except one that is not loaded (SHF_ALLOC,
 *    SHF_EXECINSTR) and whose name begins with ".debug_".
 *    Its bytes are not what its symbols and relocations count, so these are
 *    not held against its size; nothing here reads it.
 *
 * Sections may overlap each other and the headers.  The work is linear in
 * size.  Returns 0, or -1 with *fault; *elf is then unspecified.
 */
int elf64_open(struct elf64 *elf, const void *data, uint64_t size, struct elf64_fault *fault);

/* Describe section index (below section_count) in *out. */
void elf64_section(const struct elf64 *elf, uint32_t index, struct elf64_section *out);

/* The first section of that name, or 0. */
uint32_t elf64_find(const struct elf64 *elf, const char *name);

/* Describe symbol index (below symbol_count) in *out. */
void elf64_symbol(const struct elf64 *elf, uint32_t index, struct elf64_symbol *out);

/* How many relocations section index holds: 0 unless it is SHT_REL or SHT_RELA. */
uint64_t elf64_reloc_count(const struct elf64 *elf, uint32_t index);

/* Describe relocation i (below elf64_reloc_count) of section index in *out. */
void elf64_reloc(const struct elf64 *elf, uint32_t index, uint64_t i, struct elf64_reloc *out);

/* Where in the file an entry stands, for a writer that changes a copy of it. */
uint64_t elf64_section_header_at(const struct elf64 *elf, uint32_t index);
uint64_t elf64_symbol_at(const struct elf64 *elf, uint32_t index);
uint64_t elf64_reloc_at(const struct elf64 *elf, uint32_t index, uint64_t i);

/*
 * Write len bytes at offset of section index into copy, a writable copy of the
 * whole file of elf.  Returns 0, or -1 with *fault (and nothing written) where
 * the section has no bytes in the file or they would not fit in it.
 */
int elf64_patch(const struct elf64 *elf, void *copy, uint32_t index, uint64_t offset,
		const void *bytes, uint64_t len, struct elf64_fault *fault);

/* Fill *fault; always returns -1, for `return elf64_fail(…)`. */
int elf64_fail(struct elf64_fault *fault, const char *what, uint64_t offset);

#endif
