// SPDX-License-Identifier: BSD-2-Clause
/*
 * The checks of btf_ext_open, and the walk over what they proved.
 *
 * The three parts differ in nothing but what a record holds: one function
 * checks a record of each, and one loop checks the sections around them.  The
 * same function steps from section to section when checking and later in
 * btf_ext_next, with the difference that the check has proved before each step
 * that the bytes are there.
 *
 * Records may be longer than what is read here, as later compilers may append
 * fields; what is appended is left alone.  A part that is missing is one of
 * length 0, and so has no sections.
 *
 * That insn_off lies inside the ELF section, and that such a section exists,
 * is not checked here, where nothing is known of ELF sections; nor are the
 * access strings and kinds of CO-RE relocations parsed.
 */
#include "elf/btf.h"

#include "include/bytes.h"

enum {
	HEADER_SIZE = 24,	/* without the CO-RE part */
	HEADER_SIZE_CORE = 32,
	SECTION_SIZE = 8,	/* name and count, in front of the records */
};

/* The least size of a record, by enum btf_ext_part. */
static const uint32_t record_least[3] = { 8, 16, 16 };

static uint32_t get32(const struct btf_ext *ext, const uint8_t *p)
{
	return bytes_get32(p, ext->big);
}

static int fail_at(const struct btf_ext *ext, const uint8_t *p, const char *what, struct elf64_fault *fault)
{
	return elf64_fail(fault, what, (uint64_t)(p - ext->data));
}

static int check_string(const struct btf_ext *ext, const uint8_t *p, struct elf64_fault *fault)
{
	if (get32(ext, p) >= ext->btf->str_len)
		return fail_at(ext, p, "name is outside of the strings of BTF", fault);
	return 0;
}

static int check_type(const struct btf_ext *ext, const uint8_t *p, struct elf64_fault *fault)
{
	if (get32(ext, p) >= ext->btf->type_count)
		return fail_at(ext, p, "type is not in BTF", fault);
	return 0;
}

static int check_func(const struct btf_ext *ext, const uint8_t *record, struct elf64_fault *fault)
{
	struct btf_type type;

	if (check_type(ext, record + 4, fault))
		return -1;
	btf_type(ext->btf, get32(ext, record + 4), &type);
	if (type.kind != BTF_FUNC)
		return fail_at(ext, record + 4, "type of a function is no function", fault);
	return 0;
}

static int check_line(const struct btf_ext *ext, const uint8_t *record, struct elf64_fault *fault)
{
	if (check_string(ext, record + 4, fault))
		return -1;
	return check_string(ext, record + 8, fault);
}

static int check_core(const struct btf_ext *ext, const uint8_t *record, struct elf64_fault *fault)
{
	if (check_type(ext, record + 4, fault))
		return -1;
	return check_string(ext, record + 8, fault);
}

static int check_record(const struct btf_ext *ext, enum btf_ext_part part, const uint8_t *record,
			struct elf64_fault *fault)
{
	if (get32(ext, record) % 8)
		return fail_at(ext, record, "record is not of the start of an instruction", fault);
	switch (part) {
	case BTF_EXT_FUNC:
		return check_func(ext, record, fault);
	case BTF_EXT_LINE:
		return check_line(ext, record, fault);
	default:
		return check_core(ext, record, fault);
	}
}

static int check_records(const struct btf_ext *ext, enum btf_ext_part part,
			 const struct btf_ext_section *section, struct elf64_fault *fault)
{
	uint32_t i, insn_off, last = 0;
	const uint8_t *record;

	for (i = 0; i < section->count; i++, last = insn_off) {
		record = btf_ext_record(section, i);
		insn_off = get32(ext, record);
		if (check_record(ext, part, record, fault))
			return -1;
		if (i && insn_off < last)
			return fail_at(ext, record, "records are not in the order of instructions", fault);
		if (i && insn_off == last && part == BTF_EXT_FUNC)
			return fail_at(ext, record, "two functions begin at one instruction", fault);
	}
	return 0;
}

/* Check the sections of a part whose record size is known to be right. */
static int check_sections(const struct btf_ext *ext, enum btf_ext_part part, struct elf64_fault *fault)
{
	uint32_t at = ext->part_off[part] + 4, end = ext->part_off[part] + ext->part_len[part], count;
	struct btf_ext_section section = { 0 };

	for (; at < end; at = section.end) {
		if (end - at < SECTION_SIZE)
			return elf64_fail(fault, "part ends within the head of a section", at);
		if (check_string(ext, ext->data + at, fault))
			return -1;
		count = get32(ext, ext->data + at + 4);
		if (!count)
			return elf64_fail(fault, "section has no records", at + 4);
		if (count > (end - at - SECTION_SIZE) / ext->record_size[part])
			return elf64_fail(fault, "records reach past the end of their part", at + 4);
		btf_ext_next(ext, part, &section);
		if (check_records(ext, part, &section, fault))
			return -1;
	}
	return 0;
}

/* Check the part whose offset and length stand at offset field of the header. */
static int check_part(struct btf_ext *ext, enum btf_ext_part part, uint32_t field, uint32_t hdr_len,
		      struct elf64_fault *fault)
{
	uint32_t off = get32(ext, ext->data + field), len = get32(ext, ext->data + field + 4);
	uint32_t room = ext->size - hdr_len, size;

	if (off > room || len > room - off)
		return elf64_fail(fault, "part reaches past the end of the data", field);
	ext->part_off[part] = hdr_len + off;
	ext->part_len[part] = len;
	if (!len)
		return 0;
	if (len < 4)
		return elf64_fail(fault, "part is too short for the size of its records", field + 4);
	size = get32(ext, ext->data + hdr_len + off);
	if (size < record_least[part] || size % 4)
		return elf64_fail(fault, "size of a record is too small or no multiple of 4", hdr_len + off);
	ext->record_size[part] = size;
	return check_sections(ext, part, fault);
}

int btf_ext_open(struct btf_ext *ext, const struct btf *btf, const void *data, uint64_t size,
		 struct elf64_fault *fault)
{
	uint32_t hdr_len;

	memset(ext, 0, sizeof(*ext));
	ext->data = data;
	ext->btf = btf;
	if (btf_preamble(data, size, HEADER_SIZE, &ext->big, &hdr_len, fault))
		return -1;
	ext->size = (uint32_t)size;
	if (check_part(ext, BTF_EXT_FUNC, 8, hdr_len, fault) ||
	    check_part(ext, BTF_EXT_LINE, 16, hdr_len, fault))
		return -1;
	return hdr_len < HEADER_SIZE_CORE ? 0 : check_part(ext, BTF_EXT_CORE, 24, hdr_len, fault);
}

bool btf_ext_next(const struct btf_ext *ext, enum btf_ext_part part, struct btf_ext_section *section)
{
	uint32_t end = ext->part_off[part] + ext->part_len[part];
	uint32_t at = section->end ? section->end : ext->part_off[part] + 4;

	if (!ext->part_len[part] || at == end)
		return false;
	section->name = btf_string(ext->btf, get32(ext, ext->data + at));
	section->count = get32(ext, ext->data + at + 4);
	section->record_size = ext->record_size[part];
	section->records = ext->data + at + SECTION_SIZE;
	section->end = at + SECTION_SIZE + section->count * section->record_size;
	return true;
}

void btf_ext_func(const struct btf_ext *ext, const struct btf_ext_section *section, uint32_t i,
		  struct btf_func_info *out)
{
	const uint8_t *record = btf_ext_record(section, i);

	out->insn_off = get32(ext, record);
	out->type = get32(ext, record + 4);
}

void btf_ext_line(const struct btf_ext *ext, const struct btf_ext_section *section, uint32_t i,
		  struct btf_line_info *out)
{
	const uint8_t *record = btf_ext_record(section, i);
	uint32_t word = get32(ext, record + 12);

	out->insn_off = get32(ext, record);
	out->file = btf_string(ext->btf, get32(ext, record + 4));
	out->text = btf_string(ext->btf, get32(ext, record + 8));
	out->line = word >> 10;
	out->column = word & 0x3ff;
}

void btf_ext_core(const struct btf_ext *ext, const struct btf_ext_section *section, uint32_t i,
		  struct btf_core_relo *out)
{
	const uint8_t *record = btf_ext_record(section, i);

	out->insn_off = get32(ext, record);
	out->type = get32(ext, record + 4);
	out->access = btf_string(ext->btf, get32(ext, record + 8));
	out->kind = get32(ext, record + 12);
}

const uint8_t *btf_ext_record(const struct btf_ext_section *section, uint32_t i)
{
	return section->records + (size_t)i * section->record_size;
}
