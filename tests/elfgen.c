// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sections and symbols are kept as they come, their names already in the
 * string tables.  elfgen_finish adds the sections that ELF itself wants, whose
 * indices it knows only then, encodes the symbols, and writes header, bytes and
 * section headers in one go.
 *
 * An index that a caller was given is the index in the file: nothing is sorted,
 * and no two names share bytes.
 */
#include "tests/elfgen.h"

#include <stdlib.h>

#include "include/bytes.h"

enum { HEADER_SIZE = 64, SECTION_SIZE = 64, SYMBOL_SIZE = 24, SHN_RESERVED = 0xff00, SHN_XINDEX = 0xffff };

struct section {
	struct elf64_section is;
	struct elfgen_buf bytes;	/* none for SHT_NOBITS and SHT_NULL */
	uint32_t name;			/* offset in the section names */
	uint32_t rel[2];		/* its REL and RELA section, or 0 */
};

struct symbol {
	struct elf64_symbol is;
	uint32_t name;			/* offset in the symbol names */
};

static void *resize(void *p, size_t size)
{
	p = realloc(p, size ? size : 1);
	if (!p)
		abort();
	return p;
}

/* Append size bytes, zeros where bytes is NULL; returns where they begin in buf. */
static size_t append(struct elfgen_buf *buf, const void *bytes, size_t size)
{
	size_t at = buf->size;

	buf->size += size;
	if (buf->size > buf->room) {
		buf->room = buf->size * 2;
		buf->bytes = resize(buf->bytes, buf->room);
	}
	if (size && bytes)
		memcpy(buf->bytes + at, bytes, size);
	else if (size)
		memset(buf->bytes + at, 0, size);
	return at;
}

/* The offset of name, appended to a string table; that of none is 0. */
static uint32_t append_name(struct elfgen_buf *buf, const char *name)
{
	if (!buf->size)
		append(buf, "", 1);
	return name && *name ? (uint32_t)append(buf, name, strlen(name) + 1) : 0;
}

static struct section *get_section(struct elfgen *gen, uint32_t index)
{
	return (struct section *)(void *)gen->sections.bytes + index;
}

static const struct symbol *get_symbol(const struct elfgen *gen, uint32_t index)
{
	return (const struct symbol *)(const void *)gen->symbols.bytes + index;
}

static bool has_bytes(uint32_t type)
{
	return type != ELF64_SHT_NOBITS && type != ELF64_SHT_NULL;
}

static bool is_reloc(const struct elf64_section *section)
{
	return section->type == ELF64_SHT_REL || section->type == ELF64_SHT_RELA;
}

struct elfgen *elfgen_new(bool big)
{
	struct elfgen *gen = resize(NULL, sizeof(*gen));

	memset(gen, 0, sizeof(*gen));
	gen->big = big;
	gen->machine = 247;
	elfgen_section(gen, &(struct elf64_section){ .type = ELF64_SHT_NULL });
	return gen;
}

uint32_t elfgen_section(struct elfgen *gen, const struct elf64_section *section)
{
	struct section new = { .is = *section };

	new.name = append_name(&gen->names, section->name);
	if (has_bytes(section->type))
		append(&new.bytes, section->bytes, section->size);
	append(&gen->sections, &new, sizeof(new));
	return gen->section_count++;
}

uint32_t elfgen_symbol(struct elfgen *gen, const struct elf64_symbol *symbol)
{
	struct symbol new = { .is = *symbol };

	if (!gen->symbol_count) {
		append(&gen->symbols, NULL, sizeof(new));
		gen->symbol_count = 1;
	}
	new.name = append_name(&gen->symbol_names, symbol->name);
	append(&gen->symbols, &new, sizeof(new));
	return gen->symbol_count++;
}

static uint32_t add_reloc(struct elfgen *gen, uint32_t target, const struct elf64_reloc *reloc, bool rela)
{
	uint32_t index = get_section(gen, target)->rel[rela];
	uint8_t raw[24];
	char name[256] = ".rel";

	if (!index) {
		if (rela)
			strcat(name, "a");
		strncat(name, (char *)gen->names.bytes + get_section(gen, target)->name, sizeof(name) - 6);
		index = elfgen_section(gen, &(struct elf64_section){
			.name = name, .type = rela ? ELF64_SHT_RELA : ELF64_SHT_REL, .info = target,
			.entsize = rela ? 24 : 16, .addralign = 8 });
		get_section(gen, target)->rel[rela] = index;
	}
	bytes_put64(raw, reloc->offset, gen->big);
	bytes_put64(raw + 8, (uint64_t)reloc->symbol << 32 | reloc->type, gen->big);
	bytes_put64(raw + 16, (uint64_t)reloc->addend, gen->big);
	append(&get_section(gen, index)->bytes, raw, rela ? 24 : 16);
	return index;
}

uint32_t elfgen_rel(struct elfgen *gen, uint32_t target, const struct elf64_reloc *reloc)
{
	return add_reloc(gen, target, reloc, false);
}

uint32_t elfgen_rela(struct elfgen *gen, uint32_t target, const struct elf64_reloc *reloc)
{
	return add_reloc(gen, target, reloc, true);
}

static bool is_real_index(uint32_t section)
{
	return section != ELF64_SHN_UNDEF && section < 0xffffff00;
}

static bool needs_xindex(const struct elfgen *gen, const struct symbol *symbol)
{
	return is_real_index(symbol->is.section) && (gen->xindex || symbol->is.section >= SHN_RESERVED);
}

/* Encode the symbols, and their extended indices into shndx; returns whether these are needed. */
static bool encode_symbols(const struct elfgen *gen, struct elfgen_buf *symtab, struct elfgen_buf *shndx)
{
	bool any = false, extended;
	const struct symbol *symbol;
	uint8_t raw[SYMBOL_SIZE];
	uint32_t i;

	for (i = 0; i < gen->symbol_count; i++) {
		symbol = get_symbol(gen, i);
		extended = needs_xindex(gen, symbol);
		any |= extended;
		bytes_put32(raw, symbol->name, gen->big);
		raw[4] = (uint8_t)(symbol->is.bind << 4 | symbol->is.type);
		raw[5] = symbol->is.other;
		bytes_put16(raw + 6, extended ? SHN_XINDEX : (uint16_t)symbol->is.section, gen->big);
		bytes_put64(raw + 8, symbol->is.value, gen->big);
		bytes_put64(raw + 16, symbol->is.size, gen->big);
		append(symtab, raw, sizeof(raw));
		bytes_put32(raw, extended ? symbol->is.section : 0, gen->big);
		append(shndx, raw, 4);
	}
	return any;
}

/* Add the sections of the symbols and make the relocation sections name the first of them. */
static void add_symtab(struct elfgen *gen)
{
	struct elfgen_buf symtab = { 0 }, shndx = { 0 };
	uint32_t i, index, locals = 1;
	bool extended = encode_symbols(gen, &symtab, &shndx);

	while (locals < gen->symbol_count && get_symbol(gen, locals)->is.bind == ELF64_STB_LOCAL)
		locals++;
	for (i = 0; i < gen->section_count; i++)
		if (is_reloc(&get_section(gen, i)->is) && !get_section(gen, i)->is.link)
			get_section(gen, i)->is.link = gen->section_count;
	index = elfgen_section(gen, &(struct elf64_section){
		.name = ".symtab", .type = ELF64_SHT_SYMTAB, .bytes = symtab.bytes, .size = symtab.size,
		.link = gen->section_count + 1, .info = locals, .entsize = SYMBOL_SIZE, .addralign = 8 });
	elfgen_section(gen, &(struct elf64_section){
		.name = ".strtab", .type = ELF64_SHT_STRTAB, .bytes = gen->symbol_names.bytes,
		.size = gen->symbol_names.size, .addralign = 1 });
	if (extended)
		elfgen_section(gen, &(struct elf64_section){
			.name = ".symtab_shndx", .type = ELF64_SHT_SYMTAB_SHNDX, .bytes = shndx.bytes,
			.size = shndx.size, .link = index, .entsize = 4, .addralign = 4 });
	free(symtab.bytes);
	free(shndx.bytes);
}

static bool has_relocs(struct elfgen *gen)
{
	uint32_t i;

	for (i = 0; i < gen->section_count; i++)
		if (is_reloc(&get_section(gen, i)->is))
			return true;
	return false;
}

static void pad(struct elfgen_buf *out, uint64_t align)
{
	if (align > 1 && out->size % align)
		append(out, NULL, align - out->size % align);
}

/* Append the bytes of all sections, then the section headers; returns where these begin. */
static size_t write_sections(struct elfgen *gen, struct elfgen_buf *out)
{
	struct elfgen_buf headers = { 0 };
	struct section *section;
	uint8_t raw[SECTION_SIZE];
	uint64_t size;
	uint32_t i;
	size_t at;

	for (i = 0; i < gen->section_count; i++) {
		section = get_section(gen, i);
		size = has_bytes(section->is.type) ? section->bytes.size : section->is.size;
		pad(out, section->is.addralign);
		bytes_put32(raw, section->name, gen->big);
		bytes_put32(raw + 4, section->is.type, gen->big);
		bytes_put64(raw + 8, section->is.flags, gen->big);
		bytes_put64(raw + 16, section->is.addr, gen->big);
		bytes_put64(raw + 24, i ? out->size : 0, gen->big);
		bytes_put64(raw + 32, size, gen->big);
		bytes_put32(raw + 40, section->is.link, gen->big);
		bytes_put32(raw + 44, section->is.info, gen->big);
		bytes_put64(raw + 48, section->is.addralign, gen->big);
		bytes_put64(raw + 56, section->is.entsize, gen->big);
		append(&headers, raw, sizeof(raw));
		append(out, section->bytes.bytes, section->bytes.size);
	}
	pad(out, 8);
	at = append(out, headers.bytes, headers.size);
	free(headers.bytes);
	return at;
}

static void write_header(const struct elfgen *gen, uint8_t *out, uint64_t shoff, bool extended)
{
	uint32_t names = gen->section_count - 1;

	memcpy(out, "\177ELF\2", 5);
	out[5] = gen->big ? 2 : 1;
	out[6] = 1;
	bytes_put16(out + 16, 1, gen->big);
	bytes_put16(out + 18, gen->machine, gen->big);
	bytes_put32(out + 20, 1, gen->big);
	bytes_put64(out + 40, shoff, gen->big);
	bytes_put16(out + 52, HEADER_SIZE, gen->big);
	bytes_put16(out + 58, SECTION_SIZE, gen->big);
	bytes_put16(out + 60, extended ? 0 : (uint16_t)gen->section_count, gen->big);
	bytes_put16(out + 62, extended ? SHN_XINDEX : (uint16_t)names, gen->big);
}

static void release(struct elfgen *gen)
{
	uint32_t i;

	for (i = 0; i < gen->section_count; i++)
		free(get_section(gen, i)->bytes.bytes);
	free(gen->sections.bytes);
	free(gen->symbols.bytes);
	free(gen->names.bytes);
	free(gen->symbol_names.bytes);
	free(gen);
}

uint8_t *elfgen_finish(struct elfgen *gen, size_t *size)
{
	struct elfgen_buf out = { 0 };
	bool extended;
	size_t shoff;

	if (!gen->symbol_count && has_relocs(gen))
		elfgen_symbol(gen, &(struct elf64_symbol){ .name = "" });
	if (gen->symbol_count)
		add_symtab(gen);
	append_name(&gen->names, ".shstrtab");
	elfgen_section(gen, &(struct elf64_section){
		.name = "", .type = ELF64_SHT_STRTAB, .bytes = gen->names.bytes, .size = gen->names.size,
		.addralign = 1 });
	get_section(gen, gen->section_count - 1)->name = (uint32_t)(gen->names.size - sizeof(".shstrtab"));
	extended = gen->extended || gen->section_count >= SHN_RESERVED;
	if (extended) {
		get_section(gen, 0)->is.size = gen->section_count;
		get_section(gen, 0)->is.link = gen->section_count - 1;
	}
	append(&out, NULL, HEADER_SIZE);
	shoff = write_sections(gen, &out);
	write_header(gen, out.bytes, shoff, extended);
	release(gen);
	*size = out.size;
	return resize(out.bytes, out.size);
}
