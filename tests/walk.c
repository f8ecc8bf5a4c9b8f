// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every result is folded into one sum, so that no compiler drops a read.
 *
 * A hostile object can let many names share one long string, or many sections
 * the same bytes; reading all of each would take the square of its size.  So
 * of a string the first bytes are read and of bytes the first and the last:
 * they suffice for the sanitizer, as ends are where a wrong check shows.  That
 * strings end is proved by the last byte of their table, once.
 */
#include "tests/walk.h"

#include <stdlib.h>
#include <string.h>

static volatile uint64_t sum;

static void require(int condition)
{
	if (!condition)
		abort();
}

/* Strings and bytes must lie in the size bytes at data, or strings in those of base; "" may lie elsewhere. */
struct span {
	const uint8_t *data;
	uint64_t size;
	const struct span *base;
};

static void read_string(const struct span *span, const char *s)
{
	while (span && (uint64_t)((uintptr_t)s - (uintptr_t)span->data) >= span->size)
		span = span->base;
	require(*s == '\0' || span);
	sum += strnlen(s, 64);
}

static void read_bytes(const struct span *span, const uint8_t *bytes, uint64_t size)
{
	uint64_t at = (uint64_t)(bytes - span->data);

	require(at <= span->size && size <= span->size - at);
	if (size)
		sum += bytes[0] + (uint64_t)bytes[size - 1];
}

static void walk_section(const struct elf64 *elf, const struct span *span, uint32_t index)
{
	struct elf64_section section;
	struct elf64_reloc reloc;
	uint64_t i, n;

	elf64_section(elf, index, &section);
	require(elf64_section_header_at(elf, index) <= elf->size - 64);
	read_string(span, section.name);
	sum += section.link + section.info + section.flags + section.addr;
	sum += section.addralign + section.entsize;
	require(!section.bytes == (section.type == ELF64_SHT_NULL || section.type == ELF64_SHT_NOBITS));
	if (section.bytes)
		read_bytes(span, section.bytes, section.size);
	if (section.type == ELF64_SHT_STRTAB && section.size)
		require(!section.bytes[0] && !section.bytes[section.size - 1]);
	n = elf64_reloc_count(elf, index);
	if (section.type != ELF64_SHT_REL && section.type != ELF64_SHT_RELA)
		require(n == 0);
	for (i = 0; i < n; i++) {
		elf64_reloc(elf, index, i, &reloc);
		require(elf64_reloc_at(elf, index, i) <= elf->size - 16);
		require(reloc.symbol < elf->symbol_count);
		sum += reloc.offset + reloc.type + (uint64_t)reloc.addend;
	}
}

static void walk_symbol(const struct elf64 *elf, const struct span *span, uint32_t index)
{
	struct elf64_section section;
	struct elf64_symbol symbol;

	elf64_symbol(elf, index, &symbol);
	require(elf64_symbol_at(elf, index) <= elf->size - 24);
	read_string(span, symbol.name);
	sum += symbol.other;
	if (symbol.section == ELF64_SHN_ABS || symbol.section == ELF64_SHN_COMMON || !symbol.section)
		return;
	require(symbol.section < elf->section_count);
	elf64_section(elf, symbol.section, &section);
	if (section.flags & ELF64_SHF_COMPRESSED)
		return;
	require(symbol.value <= section.size);
	if (symbol.type == ELF64_STT_FUNC || symbol.type == ELF64_STT_OBJECT)
		require(symbol.size <= section.size - symbol.value);
}

/* What is found has that name; 0: nothing. */
static void walk_find(const struct elf64 *elf, const char *name)
{
	uint32_t index = elf64_find(elf, name);
	struct elf64_section section;

	require(index < elf->section_count);
	if (!index)
		return;
	elf64_section(elf, index, &section);
	require(!strcmp(section.name, name));
}

int walk_elf64(const void *data, uint64_t size, struct elf64_fault *fault)
{
	struct span span = { data, size, NULL };
	struct elf64 elf;
	uint32_t i;

	if (elf64_open(&elf, data, size, fault))
		return -1;
	require(elf.section_count > 0 && elf.symtab < elf.section_count);
	for (i = 0; i < elf.section_count; i++)
		walk_section(&elf, &span, i);
	for (i = 0; i < elf.symbol_count; i++)
		walk_symbol(&elf, &span, i);
	walk_find(&elf, ".symtab");
	walk_find(&elf, "hardly any section is called so\n");
	return 0;
}

static void walk_entries(const struct btf *btf, const struct span *span, uint32_t id,
			 const struct btf_type *type)
{
	struct btf_enumerator enumerator;
	struct btf_member member;
	struct btf_secvar secvar;
	struct btf_param param;
	uint32_t i;

	for (i = 0; i < type->vlen; i++) {
		if (type->kind == BTF_STRUCT || type->kind == BTF_UNION) {
			btf_member(btf, id, i, &member);
			read_string(span, member.name);
			require(member.type < btf->type_count);
			require((uint64_t)member.bit_offset + member.bit_size <= (uint64_t)type->size * 8);
		} else if (type->kind == BTF_ENUM || type->kind == BTF_ENUM64) {
			btf_enumerator(btf, id, i, &enumerator);
			read_string(span, enumerator.name);
			sum += enumerator.value;
		} else if (type->kind == BTF_FUNC_PROTO) {
			btf_param(btf, id, i, &param);
			read_string(span, param.name);
			require(param.type < btf->type_count);
		} else {
			require(type->kind == BTF_DATASEC);
			btf_secvar(btf, id, i, &secvar);
			require(secvar.type && secvar.type < btf->type_count);
			require(id < btf->first || btf_type_at(btf, id) + 12 * (i + 2) <= btf->size);
			sum += secvar.offset + secvar.size;
		}
	}
}

/* How deep id nests by value; a loop or too deep a nesting ends the program. */
static void walk_nested(const struct btf *btf, uint32_t id, unsigned int depth, unsigned int *budget)
{
	struct btf_member member;
	struct btf_type type;
	uint32_t i;

	require(!id || depth < BTF_MAX_DEPTH);
	btf_type(btf, id, &type);
	if (type.kind == BTF_ARRAY)
		walk_nested(btf, type.array_type, depth + 1, budget);
	else if (type.kind != BTF_PTR && type.kind != BTF_FUNC && type.kind != BTF_FUNC_PROTO &&
		 type.kind != BTF_DECL_TAG && type.type)
		walk_nested(btf, type.type, depth + 1, budget);
	if (type.kind != BTF_STRUCT && type.kind != BTF_UNION)
		return;
	for (i = 0; i < type.vlen && *budget; i++) {
		--*budget;
		btf_member(btf, id, i, &member);
		walk_nested(btf, member.type, depth + 1, budget);
	}
}

static void walk_type(const struct btf *btf, const struct span *span, uint32_t id)
{
	unsigned int budget = 1000;
	struct btf_type type;
	uint32_t size, resolved;

	btf_type(btf, id, &type);
	read_string(span, type.name);
	require(type.type < btf->type_count);
	require(type.array_type < btf->type_count && type.array_index_type < btf->type_count);
	require(type.linkage <= 2 && type.kind <= BTF_ENUM64);
	require((type.kind == BTF_VOID) == (id == 0));
	sum += type.int_encoding + (uint64_t)type.component;
	if (id >= btf->first)
		require(btf_type_at(btf, id) <= btf->size - 12);
	walk_entries(btf, span, id, &type);
	walk_nested(btf, id, 0, &budget);
	if (btf_size(btf, id, 8, &size))
		sum += size;
	resolved = btf_resolve(btf, id);
	require(resolved < btf->type_count);
	require(btf_resolve(btf, resolved) == resolved);
}

static void walk_ext(const struct btf_ext *ext, const struct span *span)
{
	struct btf_ext_section section;
	struct btf_core_relo core;
	struct btf_func_info func;
	struct btf_line_info line;
	unsigned int part;
	uint32_t i;

	for (part = BTF_EXT_FUNC; part <= BTF_EXT_CORE; part++) {
		memset(&section, 0, sizeof(section));
		while (btf_ext_next(ext, part, &section)) {
			read_string(span, section.name);
			require(section.count > 0);
			for (i = 0; i < section.count; i++) {
				require(btf_ext_record(&section, i) + section.record_size <=
					ext->data + ext->size);
				if (part == BTF_EXT_FUNC) {
					btf_ext_func(ext, &section, i, &func);
					require(func.type < ext->btf->type_count && func.insn_off % 8 == 0);
				} else if (part == BTF_EXT_LINE) {
					btf_ext_line(ext, &section, i, &line);
					read_string(span, line.file);
					read_string(span, line.text);
					require(line.insn_off % 8 == 0 && line.column < 1024);
				} else {
					btf_ext_core(ext, &section, i, &core);
					read_string(span, core.access);
					require(core.type < ext->btf->type_count && core.insn_off % 8 == 0);
				}
			}
		}
	}
}

/* Open and walk BTF; returns its index, which *btf needs, or NULL with *fault. */
static uint32_t *walk_types(struct btf *btf, const struct btf *base, const struct span *span,
			    struct elf64_fault *fault)
{
	uint32_t *index, count, id, i;

	if (btf_count(span->data, span->size, &count, fault))
		return NULL;
	index = malloc((size_t)count * 2 * sizeof(*index));
	require(index != NULL);
	if (btf_open_split(btf, base, span->data, span->size, index, count, fault)) {
		free(index);
		return NULL;
	}
	require(btf->base == base && btf->type_count == btf->first + count - 1);
	for (i = count; i < 2 * count; i++)
		index[i] = UINT32_MAX;
	for (id = 0; id < btf->type_count; id++)
		walk_type(btf, span, id);
	sum += btf_find(btf, BTF_INT, "int");
	require(!*btf_string(btf, UINT32_MAX));
	return index;
}

int walk_btf(const void *data, uint64_t size, const void *ext_data, uint64_t ext_size,
	     struct elf64_fault *fault)
{
	struct span span = { data, size, NULL };
	struct btf_ext ext;
	struct btf btf;
	uint32_t *index;
	int ret = -1;

	index = walk_types(&btf, NULL, &span, fault);
	if (!index)
		return -1;
	if (ext_data && btf_ext_open(&ext, &btf, ext_data, ext_size, fault))
		goto out;
	if (ext_data)
		walk_ext(&ext, &span);
	ret = 0;
out:
	free(index);
	return ret;
}

int walk_btf_split(const void *base_data, uint64_t base_size, const void *data, uint64_t size,
		   struct elf64_fault *fault)
{
	struct span base_span = { base_data, base_size, NULL }, span = { data, size, &base_span };
	uint32_t *base_index, *index;
	struct btf base, btf;
	int ret;

	base_index = walk_types(&base, NULL, &base_span, fault);
	require(base_index != NULL);
	index = walk_types(&btf, &base, &span, fault);
	ret = index ? 0 : -1;
	free(base_index);
	free(index);
	return ret;
}

enum { DISJOINT_SECTIONS = 256 };

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a_size && b_size && a < b + b_size && b < a + a_size;
}

bool walk_disjoint(const struct elf64 *elf)
{
	uint64_t headers = elf64_section_header_at(elf, 0);
	struct elf64_section a, b;

	if (elf->section_count > DISJOINT_SECTIONS || headers < 64)
		return false;
	for (uint32_t i = 0; i < elf->section_count; i++) {
		elf64_section(elf, i, &a);
		if (!a.bytes)
			continue;
		if (overlap(a.offset, a.size, 0, 64) ||
		    overlap(a.offset, a.size, headers, (uint64_t)elf->section_count * 64))
			return false;
		for (uint32_t k = 0; k < i; k++) {
			elf64_section(elf, k, &b);
			if (b.bytes && overlap(a.offset, a.size, b.offset, b.size))
				return false;
		}
	}
	return true;
}
