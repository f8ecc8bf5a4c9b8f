// SPDX-License-Identifier: BSD-2-Clause
/*
 * The checks of elf64_open, and accessors that rest on them.
 *
 * A file below 4 GiB bounds everything: a count of entries that lie inside the
 * file fits 32 bits and stays far below the reserved section indices, and no
 * sum of two numbers that were each checked against the file's size overflows
 * 64 bits.  A sum with a number that was not is never formed; such a number is
 * compared with what is left behind a checked one.
 *
 * The order of the checks matters.  The section name table comes first, since
 * the other sections need their names; then all section headers, which finds
 * the symbol table; then the symbols, whose values need the sizes of sections;
 * then relocations, which need the number of symbols.
 *
 * A fault's offset is where in the file the offending field stands, so that
 * it can be looked up in a hex dump.
 *
 * Accessors read the file's bytes anew each time instead of keeping a decoded
 * copy: that takes no memory, and a field costs one load and perhaps a swap.
 *
 * This file gives no meaning to what sections contain, to relocation types, or
 * to symbols' visibility; it does not merge, order or resolve anything.
 */
#include "elf/elf64.h"

#include "include/bytes.h"

enum {
	HEADER_SIZE = 64,
	SECTION_SIZE = 64,
	SYMBOL_SIZE = 24,
	REL_SIZE = 16,
	RELA_SIZE = 24,

	EM_NONE = 0,
	EM_BPF = 247,
	SHT_RELR = 19,
	SHT_CREL = 0x40000014,
	RAW_SHN_RESERVED = 0xff00,
	RAW_SHN_ABS = 0xfff1,
	RAW_SHN_COMMON = 0xfff2,
	RAW_SHN_XINDEX = 0xffff,
};

enum {	/* fields of the header, of a section header, and of a symbol */
	E_TYPE = 16, E_MACHINE = 18, E_VERSION = 20, E_SHOFF = 40, E_SHENTSIZE = 58, E_SHNUM = 60,
	E_SHSTRNDX = 62,
	SH_NAME = 0, SH_TYPE = 4, SH_FLAGS = 8, SH_ADDR = 16, SH_OFFSET = 24, SH_SIZE = 32, SH_LINK = 40,
	SH_INFO = 44, SH_ADDRALIGN = 48, SH_ENTSIZE = 56,
	ST_NAME = 0, ST_INFO = 4, ST_OTHER = 5, ST_SHNDX = 6, ST_VALUE = 8, ST_SIZE = 16,
};

int elf64_fail(struct elf64_fault *fault, const char *what, uint64_t offset)
{
	fault->what = what;
	fault->offset = offset;
	return -1;
}

static uint16_t get16(const struct elf64 *elf, uint64_t at)
{
	return bytes_get16(elf->data + at, elf->big);
}

static uint32_t get32(const struct elf64 *elf, uint64_t at)
{
	return bytes_get32(elf->data + at, elf->big);
}

static uint64_t get64(const struct elf64 *elf, uint64_t at)
{
	return bytes_get64(elf->data + at, elf->big);
}

static uint32_t section_type(const struct elf64 *elf, uint32_t index)
{
	return get32(elf, elf64_section_header_at(elf, index) + SH_TYPE);
}

static bool type_has_bytes(uint32_t type)
{
	return type != ELF64_SHT_NULL && type != ELF64_SHT_NOBITS;
}

static uint64_t reloc_size(uint32_t type)
{
	return type == ELF64_SHT_REL ? REL_SIZE : type == ELF64_SHT_RELA ? RELA_SIZE : 0;
}

static int check_header(struct elf64 *elf, struct elf64_fault *fault)
{
	if (elf->size < HEADER_SIZE)
		return elf64_fail(fault, "file is shorter than an ELF header", elf->size);
	if (elf->size > UINT32_MAX)
		return elf64_fail(fault, "file is 4 GiB or larger", 0);
	if (memcmp(elf->data, "\177ELF", 4))
		return elf64_fail(fault, "not an ELF file", 0);
	if (elf->data[4] != 2)
		return elf64_fail(fault, "not a 64-bit ELF file", 4);
	if (elf->data[5] != 1 && elf->data[5] != 2)
		return elf64_fail(fault, "unknown byte order", 5);
	if (elf->data[6] != 1)
		return elf64_fail(fault, "unknown ELF version", 6);
	elf->big = elf->data[5] == 2;
	elf->machine = get16(elf, E_MACHINE);
	if (get32(elf, E_VERSION) != 1)
		return elf64_fail(fault, "unknown ELF version", E_VERSION);
	if (get16(elf, E_TYPE) != 1)
		return elf64_fail(fault, "not a relocatable object", E_TYPE);
	if (elf->machine != EM_BPF && elf->machine != EM_NONE)
		return elf64_fail(fault, "not an object for BPF", E_MACHINE);
	if (get16(elf, E_SHENTSIZE) != SECTION_SIZE)
		return elf64_fail(fault, "size of a section header is not 64", E_SHENTSIZE);
	return 0;
}

/* Find the section header table and the number of the section name table in it. */
static int check_table(struct elf64 *elf, uint32_t *names, struct elf64_fault *fault)
{
	uint64_t room, count = get16(elf, E_SHNUM);

	elf->shoff = get64(elf, E_SHOFF);
	*names = get16(elf, E_SHSTRNDX);
	if (elf->shoff == 0)
		return elf64_fail(fault, "no section headers", E_SHOFF);
	if (elf->shoff > elf->size || elf->size - elf->shoff < SECTION_SIZE)
		return elf64_fail(fault, "section headers reach past the end of the file", E_SHOFF);
	if (count == 0)
		count = get64(elf, elf->shoff + SH_SIZE);
	if (*names == RAW_SHN_XINDEX)
		*names = get32(elf, elf->shoff + SH_LINK);
	room = (elf->size - elf->shoff) / SECTION_SIZE;
	if (count == 0)
		return elf64_fail(fault, "no section headers", E_SHNUM);
	if (count > room)
		return elf64_fail(fault, "section headers reach past the end of the file", E_SHNUM);
	elf->section_count = (uint32_t)count;
	if (section_type(elf, 0) != ELF64_SHT_NULL)
		return elf64_fail(fault, "section 0 is not SHT_NULL", elf->shoff + SH_TYPE);
	if (*names >= count || section_type(elf, *names) != ELF64_SHT_STRTAB)
		return elf64_fail(fault, "section name table is not a string table", E_SHSTRNDX);
	return 0;
}

/* Check what any section must keep to.  The section name table was checked before all others. */
static int check_section(const struct elf64 *elf, uint32_t index, uint64_t names_size,
			 struct elf64_fault *fault)
{
	uint64_t at = elf64_section_header_at(elf, index);
	uint32_t name = get32(elf, at + SH_NAME), type = get32(elf, at + SH_TYPE);
	uint64_t offset = get64(elf, at + SH_OFFSET), size = get64(elf, at + SH_SIZE);

	if (name >= names_size)
		return elf64_fail(fault, "name of a section is outside of the name table", at + SH_NAME);
	if (!type_has_bytes(type))
		return 0;
	if (offset > elf->size)
		return elf64_fail(fault, "section reaches past the end of the file", at + SH_OFFSET);
	if (size > elf->size - offset)
		return elf64_fail(fault, "section reaches past the end of the file", at + SH_SIZE);
	if (type == ELF64_SHT_STRTAB && size && (elf->data[offset] || elf->data[offset + size - 1]))
		return elf64_fail(fault, "string table does not begin and end in NUL", at + SH_OFFSET);
	if (type == SHT_RELR || type == SHT_CREL)
		return elf64_fail(fault, "relocations are not REL or RELA", at + SH_TYPE);
	return 0;
}

/* Nothing that is loaded may be compressed: places in it would not be bounded by the bytes of it that are there. */
static int check_compressed(const struct elf64 *elf, uint32_t index, struct elf64_fault *fault)
{
	struct elf64_section section;

	elf64_section(elf, index, &section);
	if (section.flags & ELF64_SHF_COMPRESSED &&
	    (section.flags & (ELF64_SHF_ALLOC | ELF64_SHF_EXECINSTR) || strncmp(section.name, ".debug_", 7)))
		return elf64_fail(fault, "section is compressed",
				  elf64_section_header_at(elf, index) + SH_FLAGS);
	return 0;
}

static int check_sections(struct elf64 *elf, uint32_t names, uint32_t *shndx, struct elf64_fault *fault)
{
	uint64_t at = elf64_section_header_at(elf, names), size = get64(elf, at + SH_SIZE);
	uint32_t i, type;

	if (check_section(elf, names, size, fault))
		return -1;
	elf->names = names;
	elf->shstr_off = get64(elf, at + SH_OFFSET);
	elf->symtab = *shndx = 0;
	for (i = 0; i < elf->section_count; i++) {
		if (check_section(elf, i, size, fault) || check_compressed(elf, i, fault))
			return -1;
		at = elf64_section_header_at(elf, i);
		type = get32(elf, at + SH_TYPE);
		if (type == ELF64_SHT_SYMTAB) {
			if (elf->symtab)
				return elf64_fail(fault, "second symbol table", at + SH_TYPE);
			elf->symtab = i;
		} else if (type == ELF64_SHT_SYMTAB_SHNDX) {
			if (*shndx)
				return elf64_fail(fault, "second table of section indices", at + SH_TYPE);
			*shndx = i;
		}
	}
	return 0;
}

/* Check the table of the symbols' extended section indices, where there is one. */
static int check_shndx(struct elf64 *elf, uint32_t shndx, struct elf64_fault *fault)
{
	uint64_t at = elf64_section_header_at(elf, shndx);

	elf->shndx_off = 0;
	if (!shndx)
		return 0;
	if (!elf->symtab || get32(elf, at + SH_LINK) != elf->symtab)
		return elf64_fail(fault, "section indices are not of the symbol table", at + SH_LINK);
	if (get64(elf, at + SH_ENTSIZE) != 4)
		return elf64_fail(fault, "size of a section index is not 4", at + SH_ENTSIZE);
	if (get64(elf, at + SH_SIZE) != (uint64_t)elf->symbol_count * 4)
		return elf64_fail(fault, "not as many section indices as symbols", at + SH_SIZE);
	elf->shndx_off = get64(elf, at + SH_OFFSET);
	return 0;
}

static int check_symtab(struct elf64 *elf, uint64_t *names_size, struct elf64_fault *fault)
{
	uint64_t at = elf64_section_header_at(elf, elf->symtab), size = get64(elf, at + SH_SIZE), strtab;
	uint32_t link = get32(elf, at + SH_LINK);

	elf->symbol_count = 0;
	if (!elf->symtab)
		return 0;
	if (get64(elf, at + SH_ENTSIZE) != SYMBOL_SIZE)
		return elf64_fail(fault, "size of a symbol is not 24", at + SH_ENTSIZE);
	if (size % SYMBOL_SIZE)
		return elf64_fail(fault, "symbol table ends within a symbol", at + SH_SIZE);
	if (link >= elf->section_count || section_type(elf, link) != ELF64_SHT_STRTAB)
		return elf64_fail(fault, "symbol table has no string table", at + SH_LINK);
	strtab = elf64_section_header_at(elf, link);
	elf->symtab_off = get64(elf, at + SH_OFFSET);
	elf->symstr_off = get64(elf, strtab + SH_OFFSET);
	*names_size = get64(elf, strtab + SH_SIZE);
	elf->symbol_count = (uint32_t)(size / SYMBOL_SIZE);
	return 0;
}

/* How far symbols and relocations may reach into a section. */
static uint64_t section_extent(const struct elf64 *elf, uint32_t index)
{
	uint64_t at = elf64_section_header_at(elf, index);

	return get64(elf, at + SH_FLAGS) & ELF64_SHF_COMPRESSED ? UINT64_MAX : get64(elf, at + SH_SIZE);
}

/* The section of a symbol as the file has it, which may be out of range. */
static uint32_t symbol_section(const struct elf64 *elf, uint32_t index)
{
	uint32_t raw = get16(elf, elf64_symbol_at(elf, index) + ST_SHNDX);

	if (raw == RAW_SHN_XINDEX && elf->shndx_off)
		return get32(elf, elf->shndx_off + (uint64_t)index * 4);
	return raw < RAW_SHN_RESERVED ? raw : 0xffff0000u | raw;
}

static int check_symbol(const struct elf64 *elf, uint32_t index, uint64_t names_size,
			struct elf64_fault *fault)
{
	uint64_t at = elf64_symbol_at(elf, index), extent;
	uint32_t section = symbol_section(elf, index), raw = get16(elf, at + ST_SHNDX);
	uint8_t type = elf->data[at + ST_INFO] & 0xf;

	if (get32(elf, at + ST_NAME) >= names_size)
		return elf64_fail(fault, "name of a symbol is outside of its string table", at + ST_NAME);
	if (raw == RAW_SHN_ABS || raw == RAW_SHN_COMMON || section == ELF64_SHN_UNDEF)
		return 0;
	if (raw == RAW_SHN_XINDEX && !elf->shndx_off)
		return elf64_fail(fault, "symbol wants a table of section indices", at + ST_SHNDX);
	if (section >= elf->section_count)
		return elf64_fail(fault, "section of a symbol does not exist", at + ST_SHNDX);
	extent = section_extent(elf, section);
	if (get64(elf, at + ST_VALUE) > extent)
		return elf64_fail(fault, "value of a symbol is outside of its section", at + ST_VALUE);
	if ((type == ELF64_STT_FUNC || type == ELF64_STT_OBJECT) &&
	    get64(elf, at + ST_SIZE) > extent - get64(elf, at + ST_VALUE))
		return elf64_fail(fault, "symbol reaches past the end of its section", at + ST_SIZE);
	return 0;
}

static int check_symbols(struct elf64 *elf, uint32_t shndx, struct elf64_fault *fault)
{
	uint64_t names_size = 0;
	uint32_t i;

	if (check_symtab(elf, &names_size, fault) || check_shndx(elf, shndx, fault))
		return -1;
	for (i = 0; i < elf->symbol_count; i++)
		if (check_symbol(elf, i, names_size, fault))
			return -1;
	return 0;
}

/* Check the header of a relocation section: what it relocates and with which symbols. */
static int check_reloc_section(const struct elf64 *elf, uint64_t at, struct elf64_fault *fault)
{
	uint64_t entry = reloc_size(get32(elf, at + SH_TYPE));
	uint32_t target = get32(elf, at + SH_INFO);

	if (get64(elf, at + SH_ENTSIZE) != entry)
		return elf64_fail(fault, "size of a relocation is not that of its type", at + SH_ENTSIZE);
	if (get64(elf, at + SH_SIZE) % entry)
		return elf64_fail(fault, "section ends within a relocation", at + SH_SIZE);
	if (!elf->symtab || get32(elf, at + SH_LINK) != elf->symtab)
		return elf64_fail(fault, "relocations are not by the symbol table", at + SH_LINK);
	if (target >= elf->section_count || !type_has_bytes(section_type(elf, target)))
		return elf64_fail(fault, "relocations are of a section without bytes", at + SH_INFO);
	return 0;
}

static int check_relocs(const struct elf64 *elf, uint32_t index, struct elf64_fault *fault)
{
	uint64_t at = elf64_section_header_at(elf, index);
	uint64_t entry = reloc_size(get32(elf, at + SH_TYPE)), end, extent;

	if (check_reloc_section(elf, at, fault))
		return -1;
	extent = section_extent(elf, get32(elf, at + SH_INFO));
	end = get64(elf, at + SH_OFFSET) + get64(elf, at + SH_SIZE);
	for (at = get64(elf, at + SH_OFFSET); at < end; at += entry) {
		if (get64(elf, at) >= extent)
			return elf64_fail(fault, "relocation is outside of its section", at);
		if (get64(elf, at + 8) >> 32 >= elf->symbol_count)
			return elf64_fail(fault, "symbol of a relocation does not exist", at + 8);
	}
	return 0;
}

/* No two relocation sections share bytes in a sane file, so all of them fit in it. */
static int check_reloc_sections(const struct elf64 *elf, struct elf64_fault *fault)
{
	uint64_t left = elf->size, size, at;
	uint32_t i;

	for (i = 0; i < elf->section_count; i++) {
		at = elf64_section_header_at(elf, i);
		if (!reloc_size(get32(elf, at + SH_TYPE)))
			continue;
		size = get64(elf, at + SH_SIZE);
		if (size > left)
			return elf64_fail(fault, "relocation sections overlap", at + SH_OFFSET);
		left -= size;
		if (check_relocs(elf, i, fault))
			return -1;
	}
	return 0;
}

int elf64_open(struct elf64 *elf, const void *data, uint64_t size, struct elf64_fault *fault)
{
	uint32_t names, shndx;

	elf->data = data;
	elf->size = size;
	if (check_header(elf, fault) || check_table(elf, &names, fault) ||
	    check_sections(elf, names, &shndx, fault) || check_symbols(elf, shndx, fault))
		return -1;
	return check_reloc_sections(elf, fault);
}

uint64_t elf64_section_header_at(const struct elf64 *elf, uint32_t index)
{
	return elf->shoff + (uint64_t)index * SECTION_SIZE;
}

uint64_t elf64_symbol_at(const struct elf64 *elf, uint32_t index)
{
	return elf->symtab_off + (uint64_t)index * SYMBOL_SIZE;
}

uint64_t elf64_reloc_at(const struct elf64 *elf, uint32_t index, uint64_t i)
{
	uint64_t at = elf64_section_header_at(elf, index);

	return get64(elf, at + SH_OFFSET) + i * reloc_size(get32(elf, at + SH_TYPE));
}

void elf64_section(const struct elf64 *elf, uint32_t index, struct elf64_section *out)
{
	uint64_t at = elf64_section_header_at(elf, index);

	out->name = (const char *)elf->data + elf->shstr_off + get32(elf, at + SH_NAME);
	out->type = get32(elf, at + SH_TYPE);
	out->link = get32(elf, at + SH_LINK);
	out->info = get32(elf, at + SH_INFO);
	out->flags = get64(elf, at + SH_FLAGS);
	out->addr = get64(elf, at + SH_ADDR);
	out->offset = get64(elf, at + SH_OFFSET);
	out->size = get64(elf, at + SH_SIZE);
	out->addralign = get64(elf, at + SH_ADDRALIGN);
	out->entsize = get64(elf, at + SH_ENTSIZE);
	out->bytes = type_has_bytes(out->type) ? elf->data + out->offset : NULL;
}

uint32_t elf64_find(const struct elf64 *elf, const char *name)
{
	const char *names = (const char *)elf->data + elf->shstr_off;
	uint32_t i;

	for (i = 1; i < elf->section_count; i++)
		if (!strcmp(names + get32(elf, elf64_section_header_at(elf, i) + SH_NAME), name))
			return i;
	return 0;
}

void elf64_symbol(const struct elf64 *elf, uint32_t index, struct elf64_symbol *out)
{
	uint64_t at = elf64_symbol_at(elf, index);

	out->name = (const char *)elf->data + elf->symstr_off + get32(elf, at + ST_NAME);
	out->type = elf->data[at + ST_INFO] & 0xf;
	out->bind = elf->data[at + ST_INFO] >> 4;
	out->other = elf->data[at + ST_OTHER];
	out->section = symbol_section(elf, index);
	out->value = get64(elf, at + ST_VALUE);
	out->size = get64(elf, at + ST_SIZE);
}

uint64_t elf64_reloc_count(const struct elf64 *elf, uint32_t index)
{
	uint64_t at = elf64_section_header_at(elf, index), entry = reloc_size(get32(elf, at + SH_TYPE));

	return entry ? get64(elf, at + SH_SIZE) / entry : 0;
}

void elf64_reloc(const struct elf64 *elf, uint32_t index, uint64_t i, struct elf64_reloc *out)
{
	uint64_t at = elf64_reloc_at(elf, index, i), info = get64(elf, at + 8);

	out->offset = get64(elf, at);
	out->type = (uint32_t)info;
	out->symbol = (uint32_t)(info >> 32);
	out->addend = 0;
	if (section_type(elf, index) == ELF64_SHT_RELA)
		out->addend = (int64_t)get64(elf, at + 16);
}

int elf64_patch(const struct elf64 *elf, void *copy, uint32_t index, uint64_t offset,
		const void *bytes, uint64_t len, struct elf64_fault *fault)
{
	uint64_t at = elf64_section_header_at(elf, index), size = get64(elf, at + SH_SIZE);

	if (!type_has_bytes(get32(elf, at + SH_TYPE)))
		return elf64_fail(fault, "section to patch has no bytes in the file", at + SH_TYPE);
	if (offset > size || len > size - offset)
		return elf64_fail(fault, "patch reaches past the end of its section", at + SH_SIZE);
	if (len)
		memcpy((uint8_t *)copy + get64(elf, at + SH_OFFSET) + offset, bytes, len);
	return 0;
}
