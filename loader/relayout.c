// SPDX-License-Identifier: BSD-2-Clause
/*
 * A code section that got shorter stays where it is; one that grew goes to the
 * end of the file.  All that names a place in it is translated by code->moved:
 *
 *   symbols                st_value, st_size
 *   relocations of it      r_offset; gone with their instruction, or where they are R_BPF_NONE
 *   .bpfstamp              the address in each record, where it counts from the section
 *   .BTF.ext               insn_off; a record whose instruction is gone is left to
 *                          the next instruction, or dropped where that has one
 *
 * The relocations of .BTF.ext itself repeat what is in its bytes, and are
 * dropped.  DWARF is not touched: its line numbers are for debuggers of the
 * object, and no loader reads them.
 */
#include <string.h>

#include "include/bytes.h"
#include "loader/records.h"
#include "loader/relayout.h"

enum {	/* offsets in the tables, see elf/elf64.h and elf/btf.h */
	SH_OFFSET = 24, SH_SIZE = 32, ST_VALUE = 8, ST_SIZE = 16,
	EXT_HDR_LEN = 4, EXT_PARTS = 8, EXT_PART = 8, EXT_SECTION = 8,
};

static bool grew(const struct code *c)
{
	return c->moved && c->insns > c->object_insns;
}

static size_t aligned8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

size_t relayout_size(const struct bpfstamp_template *t, size_t end)
{
	for (uint32_t i = 0; i < t->code_count; i++)
		if (grew(&t->codes[i]))
			end = aligned8(end) + (size_t)t->codes[i].insns * BPFINSN_SIZE;
	return end;
}

bool relayout_reloc(const struct bpfstamp_template *t, uint32_t section, const struct elf64_reloc *r, uint64_t *now)
{
	uint32_t code = section < t->elf.section_count ? t->code_of[section] : NO_INDEX, slot;
	struct elf64_section s;

	*now = r->offset;
	if (code == NO_INDEX || !t->codes[code].moved)
		return true;
	if (!r->type)
		return false;	/* it says nothing, so nobody has checked that its place is an instruction */
	elf64_section(&t->elf, section, &s);
	slot = (uint32_t)(r->offset / BPFINSN_SIZE);
	*now = (uint64_t)t->codes[code].moved[slot] * BPFINSN_SIZE;
	return t->codes[code].moved[slot] != t->codes[code].moved[slot + bpfinsn_slots(s.bytes[r->offset])];
}

static size_t write_code(const struct bpfstamp_stamp *s, uint8_t *copy, const struct code *c, size_t end)
{
	const struct bpfstamp_template *t = s->t;
	uint8_t *header = copy + elf64_section_header_at(&t->elf, c->section);
	uint64_t size = (uint64_t)c->insns * BPFINSN_SIZE, at = bytes_get64(header + SH_OFFSET, t->elf.big);

	if (grew(c)) {
		at = aligned8(end);
		end = (size_t)(at + size);
	}
	memcpy(copy + at, s->image + c->image, size);
	bytes_put64(header + SH_OFFSET, at, t->elf.big);
	bytes_put64(header + SH_SIZE, size, t->elf.big);
	return end;
}

static void move_symbols(const struct bpfstamp_template *t, uint8_t *copy)
{
	for (uint32_t i = 1; i < t->elf.symbol_count; i++) {
		uint8_t *raw = copy + elf64_symbol_at(&t->elf, i);
		struct elf64_symbol sym;
		const struct code *c;
		uint64_t slots, start, end;

		elf64_symbol(&t->elf, i, &sym);
		if (sym.section >= t->elf.section_count || t->code_of[sym.section] == NO_INDEX)
			continue;
		c = &t->codes[t->code_of[sym.section]];
		slots = sym.size / BPFINSN_SIZE < c->object_insns ? sym.size / BPFINSN_SIZE : c->object_insns;
		start = object_moved(c, (uint32_t)(sym.value / BPFINSN_SIZE));
		end = object_moved(c, (uint32_t)(sym.value / BPFINSN_SIZE + slots));
		if (!c->moved)
			continue;
		bytes_put64(raw + ST_VALUE, start * BPFINSN_SIZE, t->elf.big);
		bytes_put64(raw + ST_SIZE, (end - start) * BPFINSN_SIZE, t->elf.big);
	}
}

/* Addresses in .bpfstamp: S + A, where S has moved by itself unless it is a section symbol. */
static void move_records(const struct bpfstamp_template *t, uint8_t *copy, uint32_t rel_section,
			 const struct elf64_section *rel, const struct elf64_section *records)
{
	for (uint64_t i = 0; i < elf64_reloc_count(&t->elf, rel_section); i++) {
		struct elf64_symbol sym;
		struct elf64_reloc r;
		const uint32_t *moved;
		uint8_t *addend;
		uint64_t old, now;

		elf64_reloc(&t->elf, rel_section, i, &r);
		elf64_symbol(&t->elf, r.symbol, &sym);
		if (!r.type || sym.section >= t->elf.section_count || t->code_of[sym.section] == NO_INDEX ||
		    r.offset > records->size - 8)
			continue;
		moved = t->codes[t->code_of[sym.section]].moved;
		addend = rel->type == ELF64_SHT_REL ? copy + records->offset + r.offset :
			copy + elf64_reloc_at(&t->elf, rel_section, i) + 16;
		old = bytes_get64(addend, t->elf.big) + sym.value;
		if (!moved || old / BPFINSN_SIZE > t->codes[t->code_of[sym.section]].object_insns)
			continue;
		now = (uint64_t)moved[old / BPFINSN_SIZE] - moved[sym.value / BPFINSN_SIZE];
		if (sym.type == ELF64_STT_SECTION)
			now = moved[old / BPFINSN_SIZE];
		bytes_put64(addend, now * BPFINSN_SIZE, t->elf.big);
	}
}

/* --------------------------------------------------------------- BTF.ext */

/* Translate count records of one section, in place; returns how many are left. */
static uint32_t move_ext_records(const struct bpfstamp_template *t, const struct code *c, uint8_t *from,
				 uint32_t count, uint32_t record_size)
{
	uint32_t kept = 0, last = 0;

	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *record = from + (size_t)i * record_size;
		uint32_t slot = bytes_get32(record, t->elf.big) / BPFINSN_SIZE;
		uint32_t now = object_moved(c, slot) * (uint32_t)BPFINSN_SIZE;

		kept -= kept && now == last;
		memmove(from + (size_t)kept * record_size, record, record_size);
		bytes_put32(from + (size_t)kept++ * record_size, now, t->elf.big);
		last = now;
	}
	return kept;
}

/* One part of .BTF.ext: its sections close up where records were dropped. */
static uint32_t move_ext_part(const struct bpfstamp_template *t, uint8_t *part, uint32_t len)
{
	uint32_t record_size = bytes_get32(part, t->elf.big), from = 4, to = 4;

	while (from < len) {
		uint32_t count = bytes_get32(part + from + 4, t->elf.big), kept = count;
		const char *name = btf_string(&t->btf, bytes_get32(part + from, t->elf.big));
		uint32_t section = elf64_find(&t->elf, name), code = section ? t->code_of[section] : NO_INDEX;
		size_t size = (size_t)count * record_size;

		memmove(part + to, part + from, EXT_SECTION + size);
		if (code != NO_INDEX && t->codes[code].moved)
			kept = move_ext_records(t, &t->codes[code], part + to + EXT_SECTION, count, record_size);
		bytes_put32(part + to + 4, kept, t->elf.big);
		from += EXT_SECTION + (uint32_t)size;
		to += EXT_SECTION + kept * record_size;
	}
	return to;
}

static void move_ext(const struct bpfstamp_template *t, uint8_t *ext)
{
	uint32_t hdr_len = bytes_get32(ext + EXT_HDR_LEN, t->elf.big);

	for (uint32_t at = EXT_PARTS; at < EXT_PARTS + 3 * EXT_PART && at + EXT_PART <= hdr_len; at += EXT_PART) {
		uint32_t off = bytes_get32(ext + at, t->elf.big), len = bytes_get32(ext + at + 4, t->elf.big);

		if (len)
			bytes_put32(ext + at + 4, move_ext_part(t, ext + hdr_len + off, len), t->elf.big);
	}
}

size_t relayout_write(const struct bpfstamp_stamp *s, uint8_t *copy, size_t end)
{
	const struct bpfstamp_template *t = s->t;
	uint32_t records = elf64_find(&t->elf, RECORDS_SECTION), ext = elf64_find(&t->elf, ".BTF.ext");
	struct elf64_section records_section = { 0 };
	bool moved = false;

	for (uint32_t i = 0; i < t->code_count; i++) {
		if (!t->codes[i].moved)
			continue;
		moved = true;
		end = write_code(s, copy, &t->codes[i], end);
	}
	if (!moved)
		return end;
	move_symbols(t, copy);
	if (records)
		elf64_section(&t->elf, records, &records_section);
	if (t->ext.data)
		move_ext(t, copy + (t->ext.data - t->elf.data));
	for (uint32_t i = 1; i < t->elf.section_count; i++) {
		struct elf64_section rel;

		elf64_section(&t->elf, i, &rel);
		if (rel.type != ELF64_SHT_REL && rel.type != ELF64_SHT_RELA)
			continue;
		if (records && rel.info == records)
			move_records(t, copy, i, &rel, &records_section);
		if (ext && rel.info == ext)
			bytes_put64(copy + elf64_section_header_at(&t->elf, i) + SH_SIZE, 0, t->elf.big);
	}
	return end;
}
