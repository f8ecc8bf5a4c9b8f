// SPDX-License-Identifier: BSD-2-Clause
/*
 * More of what bpfstamp_open does with hand-made objects: STAMP records and
 * each way in which they can contradict themselves, and what is refused.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/link.h"
#include "tests/bpfobj.h"
#include "tests/btfgen.h"

Suite *suite_object_more(void);

/* --------------------------------------------------------------- records */

struct stamp {		/* a record; slot: of the lddw it points at */
	uint32_t slot;
	uint8_t size, is_signed, bits, version;
	const char *name;
};

/* Write records one behind the other; returns their size. */
static uint32_t put_records(uint8_t *to, const struct stamp *stamps, uint32_t count, bool big, bool rela)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint8_t head[4] = { stamps[i].size, stamps[i].is_signed, stamps[i].bits, stamps[i].version };
		size_t len = strlen(stamps[i].name) + 1;

		bytes_put64(to + at, rela ? 0 : stamps[i].slot * 8, big);
		memcpy(to + at + 16, head, 4);
		memcpy(to + at + 20, stamps[i].name, len);
		at += (20 + (uint32_t)len + 7) & ~7u;
	}
	return at;
}

enum { SLOTS = 10 };

/* Functions first (slots 0 to 5) and second (6 to 9) of section tc, and the records that count instructions there. */
static struct bpfobj stamped(bool big, bool rela, const struct stamp *stamps, uint32_t count)
{
	static const struct bpfinsn code[SLOTS] = {
		LDDW(1, 7), LDDW(1, 7), MOV64(0, 0), EXIT, LDDW(1, 8), { .code = BPF_CODE_LDDW, .src = 1 }, { 0 },
	};
	uint8_t raw[256] = { 0 };
	struct bpfobj o = bpfobj_new(big);
	uint32_t tc = bpfobj_code(&o, "tc", code, SLOTS), size = put_records(raw, stamps, count, big, rela), at = 0;
	uint32_t section = bpfobj_section_symbol(&o, tc);
	uint32_t records = elfgen_section(o.gen, &(struct elf64_section){
		.name = ".bpfstamp", .type = ELF64_SHT_PROGBITS, .bytes = raw, .size = size });

	bpfobj_func(&o, "first", tc, 0, 6);
	bpfobj_func(&o, "second", tc, 6, 4);
	for (uint32_t i = 0; i < count; i++) {
		const struct elf64_reloc rel = { .offset = at, .type = R_BPF_64_ABS64, .symbol = section,
						 .addend = (int64_t)stamps[i].slot * 8 };

		if (rela)
			elfgen_rela(o.gen, records, &rel);
		else
			elfgen_rel(o.gen, records, &rel);
		at += (20 + (uint32_t)strlen(stamps[i].name) + 1 + 7) & ~7u;
	}
	return o;
}

START_TEST(good_records)
{
	static const struct stamp stamps[] = {
		{ 6, 4, 1, 32, 1, "vlan_of_the_pod" }, { 2, 4, 0, 24, 1, "vni" }, { 0, 4, 0, 24, 1, "vni" },
	};
	struct bpfobj o = stamped(_i & 1, _i & 2, stamps, 3);
	struct bpfstamp_injectable inj;
	struct bpfstamp_site site;
	uint8_t seven[4];
	uint32_t i;

	bpfobj_open(&o);
	ck_assert_uint_eq(bpfstamp_injectable_count(o.t), 2);
	i = bpfobj_find(&o, "vni", &inj);
	ck_assert_int_eq(inj.kind, BPFSTAMP_STAMP);
	ck_assert_str_eq(inj.section, ".bpfstamp");
	ck_assert_str_eq(inj.type, "u32:24");
	ck_assert_uint_eq(inj.bits, 24);
	bytes_put32(seven, 7, _i & 1);
	ck_assert_mem_eq(inj.value, seven, 4);
	ck_assert_uint_eq(inj.site_count, 2);
	for (uint32_t k = 0; k < 2; k++) {
		bpfstamp_site_at(o.t, i, k, &site);
		ck_assert_str_eq(site.program, "first");
		ck_assert_uint_eq(site.insn, 2 * k);
		ck_assert_ptr_null(site.file);
		ck_assert_uint_eq(site.line, 0);
	}
	i = bpfobj_find(&o, ".bpfstamp:vlan_of_the_pod", &inj);
	ck_assert_str_eq(inj.type, "s32");
	bpfstamp_site_at(o.t, i, 0, &site);
	ck_assert_str_eq(site.program, "second");
	ck_assert_uint_eq(site.insn, 0);
	bpfobj_free(&o);
}
END_TEST

/* Each contradiction, by its text, beside the nearest record that is right. */
static const struct {
	struct stamp a, b;
	const char *fault;
} contradictions[] = {
	{ { 0, 4, 0, 32, 1, "v" }, { 2, 4, 0, 32, 1, "v" }, NULL },
	{ { 0, 4, 0, 32, 2, "v" }, { 2, 4, 0, 32, 1, "v" }, "record at byte 0x0 has a format version" },
	{ { 0, 4, 0, 32, 1, "v" }, { 2, 4, 0, 32, 0, "v" }, "record at byte 0x18 has a format version" },
	{ { 0, 3, 0, 24, 1, "v" }, { 2, 3, 0, 24, 1, "v" }, "has an impossible type" },
	{ { 0, 16, 0, 64, 1, "v" }, { 2, 16, 0, 64, 1, "v" }, "has an impossible type" },
	{ { 0, 0, 0, 1, 1, "v" }, { 2, 0, 0, 1, 1, "v" }, "has an impossible type" },
	{ { 0, 4, 2, 32, 1, "v" }, { 2, 4, 2, 32, 1, "v" }, "has an impossible type" },
	{ { 0, 4, 0, 0, 1, "v" }, { 2, 4, 0, 0, 1, "v" }, "has an impossible type" },
	{ { 0, 4, 0, 33, 1, "v" }, { 2, 4, 0, 33, 1, "v" }, "has an impossible type" },
	{ { 0, 1, 0, 1, 1, "v" }, { 2, 1, 0, 1, 1, "v" }, NULL },
	{ { 0, 8, 1, 64, 1, "v" }, { 2, 8, 1, 64, 1, "v" }, NULL },
	{ { 0, 4, 0, 32, 1, "" }, { 2, 4, 0, 32, 1, "v" }, "has no name" },
	{ { SLOTS, 4, 0, 32, 1, "v" }, { 2, 4, 0, 32, 1, "v" }, "does not point at an instruction" },
	{ { 4, 4, 0, 32, 1, "v" }, { 2, 4, 0, 32, 1, "v" }, "does not point at an lddw" },
	{ { 1, 4, 0, 32, 1, "v" }, { 2, 4, 0, 32, 1, "v" }, "does not point at an lddw" },
	{ { 8, 4, 0, 32, 1, "v" }, { 2, 4, 0, 32, 1, "v" }, "does not point at an lddw" },
	{ { 0, 4, 0, 32, 1, "v" }, { 2, 8, 0, 32, 1, "v" }, "STAMP v is declared with different types" },
	{ { 0, 4, 0, 32, 1, "v" }, { 2, 4, 0, 31, 1, "v" }, "STAMP v is declared with different types" },
	{ { 0, 4, 0, 32, 1, "v" }, { 2, 4, 1, 32, 1, "v" }, "STAMP v is declared with different types" },
	{ { 0, 4, 0, 32, 1, "v" }, { 6, 4, 0, 32, 1, "v" }, "STAMP v has different defaults" },
	{ { 0, 4, 0, 32, 1, "v" }, { 6, 4, 0, 32, 1, "w" }, NULL },
	{ { 0, 4, 0, 32, 1, "v" }, { 0, 4, 0, 32, 1, "v" }, "STAMP v and STAMP v name one instruction" },
	{ { 0, 4, 0, 32, 1, "v" }, { 0, 4, 0, 32, 1, "w" }, "name one instruction" },
};

START_TEST(record_contradictions)
{
	for (int variant = 0; variant < 4; variant++) {
		const struct stamp stamps[] = { contradictions[_i].a, contradictions[_i].b };
		struct bpfobj o = stamped(variant & 1, variant & 2, stamps, 2);

		if (bpfobj_opens(&o, contradictions[_i].fault))
			bpfobj_free(&o);
	}
}
END_TEST

/* The section cut behind size bytes, and its relocation at an offset. */
static struct bpfobj cut_record(uint32_t size, uint64_t offset, uint32_t type, bool elsewhere)
{
	static const struct bpfinsn code[] = { LDDW(1, 7), EXIT };
	static const struct stamp one = { 0, 4, 0, 32, 1, "abc" };	/* 24 bytes */
	uint8_t raw[64] = { 0 };
	struct bpfobj o = bpfobj_new(false);
	uint32_t tc = bpfobj_code(&o, "tc", code, 3), data = bpfobj_data(&o, ".data", raw, 8), records, symbol;

	put_records(raw, &one, 1, false, false);
	symbol = bpfobj_section_symbol(&o, elsewhere ? data : tc);
	records = elfgen_section(o.gen, &(struct elf64_section){
		.name = ".bpfstamp", .type = ELF64_SHT_PROGBITS, .bytes = raw, .size = size });
	if (size)
		elfgen_rel(o.gen, records, &(struct elf64_reloc){ .offset = offset, .type = type, .symbol = symbol });
	bpfobj_func(&o, "prog", tc, 0, 3);
	return o;
}

START_TEST(records_cut_short)
{
	static const struct { uint32_t size; const char *fault; } cases[] = {
		{ 0, NULL }, { 1, "record at byte 0x0 is cut short" }, { 7, "is cut short" }, { 20, "is cut short" },
		{ 21, "is cut short" }, { 23, "is cut short" }, { 24, NULL },
		{ 25, "record at byte 0x18 is cut short" }, { 48, "record at byte 0x18 has no relocation" },
	};
	struct bpfobj o = cut_record(cases[_i].size, 0, R_BPF_64_ABS64, false);

	if (!bpfobj_opens(&o, cases[_i].fault))
		return;
	ck_assert_uint_eq(bpfstamp_injectable_count(o.t), cases[_i].size != 0);
	bpfobj_free(&o);
}
END_TEST

START_TEST(record_relocations)
{
	struct bpfobj o = cut_record(24, 8, R_BPF_64_ABS64, false);

	bpfobj_refused(&o, "test.o: section .bpfstamp: record at byte 0x0 has no relocation");
	o = cut_record(24, 0, 0, false);
	bpfobj_refused(&o, "record at byte 0x0 has no relocation");
	o = cut_record(24, 0, R_BPF_64_ABS64, true);
	bpfobj_refused(&o, "record at byte 0x0 does not point at an instruction");
}
END_TEST

/* ---------------------------------------------------------------- faults */

/* A member that reaches past the end of its struct cannot be named; one that ends there can. */
START_TEST(member_past_the_end)
{
	static const struct bpfinsn code[] = { EXIT };
	static const uint8_t raw[16];
	struct btfgen *gen = btfgen_new(_i);
	struct bpfobj o = bpfobj_new(_i);
	uint32_t u64, s, var;
	struct bpfstamp_err err = { 0 };
	struct bpfstamp_ref ref;

	u64 = btfgen_type(gen, "u64", BTF_INT, 0, 8);
	btfgen_word(gen, 64);
	s = btfgen_type(gen, "s", BTF_STRUCT, 2, 12);
	btfgen_words(gen, btfgen_string(gen, "fits"), u64, 32);
	btfgen_words(gen, btfgen_string(gen, "past"), u64, 40);
	var = btfgen_type(gen, "g", BTF_VAR, 0, s);
	btfgen_word(gen, 1);
	btfgen_type(gen, ".data", BTF_DATASEC, 1, 0);
	btfgen_words(gen, var, 0, 12);
	bpfobj_btf(&o, gen, false);
	bpfobj_func(&o, "prog", bpfobj_code(&o, "tc", code, 1), 0, 1);
	bpfobj_var(&o, "g", bpfobj_data(&o, ".data", raw, 12), 0, 12);
	bpfobj_open(&o);
	ck_assert_msg(!bpfstamp_find(o.t, "g.fits", &ref, &err), "%s", err.text);
	ck_assert_uint_eq(ref.offset, 4);
	ck_assert_int_eq(bpfstamp_find(o.t, "g.past", &ref, &err), -1);
	bpfobj_says(&err, "no member .past");
	bpfobj_free(&o);
}
END_TEST

/* -------------------------------------------------------- refused at once */

START_TEST(wrong_functions)
{
	static const struct { uint32_t value, size; const char *fault; } cases[] = {
		{ 0, 32, NULL }, { 0, 0, "function f does not begin and end on an instruction of section tc" },
		{ 4, 8, "does not begin and end" }, { 0, 12, "does not begin and end" },
		{ 8, 8, "does not begin and end" }, { 0, 8, "does not begin and end" }, { 16, 16, NULL },
		{ 8, 24, "does not begin and end" },
	};
	static const struct bpfinsn code[] = { LDDW(1, 0), MOV64(0, 0), EXIT };
	struct bpfobj o = bpfobj_new(false);
	uint32_t tc = bpfobj_code(&o, "tc", code, 4);

	elfgen_symbol(o.gen, &(struct elf64_symbol){ .name = "f", .type = ELF64_STT_FUNC, .section = tc,
						     .value = cases[_i].value, .size = cases[_i].size });
	if (bpfobj_opens(&o, cases[_i].fault))
		bpfobj_free(&o);
}
END_TEST

START_TEST(overlapping_functions)
{
	static const struct bpfinsn code[] = { MOV64(0, 0), MOV64(0, 0), EXIT };
	struct bpfobj o = bpfobj_new(false);
	uint32_t tc = bpfobj_code(&o, "tc", code, 3);

	bpfobj_func(&o, "f", tc, 0, 2);
	bpfobj_func(&o, "g", tc, 1, 2);
	bpfobj_refused(&o, "test.o: functions f and g of section tc overlap");
}
END_TEST

START_TEST(wrong_sections)
{
	static const uint8_t raw[12] = { 0x95 }, bad[8] = { 0xff };
	const struct elf64_section code = { .name = "tc", .type = ELF64_SHT_PROGBITS, .bytes = raw,
					    .flags = ELF64_SHF_ALLOC | ELF64_SHF_EXECINSTR, .size = 12 };
	struct elf64_section section = code;
	struct bpfobj o = bpfobj_new(false);

	elfgen_section(o.gen, &section);
	bpfobj_refused(&o, "test.o: section tc: 12 bytes are no whole number of instructions");
	section.size = 8;
	section.bytes = bad;
	o = bpfobj_new(false);
	elfgen_section(o.gen, &section);
	bpfobj_refused(&o, "test.o: section tc: instruction 0: ");
	o = bpfobj_new(false);
	bpfobj_data(&o, ".bss", NULL, 256 << 20);
	bpfobj_data(&o, ".bss.x", NULL, 1);
	bpfobj_refused(&o, "test.o: section .bss.x: more than 256 MiB of code and data");
}
END_TEST

/* A section that is executable is code, whatever its name. */
START_TEST(executable_data)
{
	static const uint8_t raw[16] = { 0x95, [8] = 0x95 };
	struct bpfobj o = bpfobj_new(false);

	elfgen_section(o.gen, &(struct elf64_section){
		.name = ".data", .type = ELF64_SHT_PROGBITS, .bytes = raw, .size = 16,
		.flags = ELF64_SHF_ALLOC | ELF64_SHF_EXECINSTR });
	bpfobj_open(&o);
	ck_assert_uint_eq(o.t->code_count, 1);
	ck_assert_uint_eq(o.t->data_count, 0);
	bpfobj_free(&o);
}
END_TEST

START_TEST(wrong_relocations)
{
	static const struct { uint32_t offset; const char *fault; } cases[] = {
		{ 0, NULL }, { 4, "section tc: relocation 0 is not at an instruction" },
		{ 8, "instruction 1: a relocation of what is neither lddw nor call" },
		{ 16, "instruction 2: a relocation of what is neither lddw nor call" },
	};
	static const struct bpfinsn code[] = { LDDW(1, 0), EXIT };
	struct bpfobj o = bpfobj_new(false);
	uint32_t tc = bpfobj_code(&o, "tc", code, 3), symbol = bpfobj_undefined(&o, "v", ELF64_STB_GLOBAL);

	elfgen_rel(o.gen, tc, &(struct elf64_reloc){ .offset = cases[_i].offset, .type = 1, .symbol = symbol });
	if (bpfobj_opens(&o, cases[_i].fault))
		bpfobj_free(&o);
}
END_TEST

START_TEST(two_relocations)
{
	static const struct bpfinsn code[] = { LDDW(1, 0), EXIT };
	struct bpfobj o = bpfobj_new(false);
	uint32_t tc = bpfobj_code(&o, "tc", code, 3), symbol = bpfobj_undefined(&o, "v", ELF64_STB_GLOBAL);

	bpfobj_rel(&o, tc, 0, R_BPF_64_64, symbol);
	elfgen_rela(o.gen, tc, &(struct elf64_reloc){ .type = 1, .symbol = symbol });
	bpfobj_refused(&o, "test.o: section tc: instruction 0: two relocations of one instruction");
}
END_TEST

/* BTF or, beside a right BTF, BTF.ext of the other byte order: who reads one by the other's runs wild. */
START_TEST(other_byte_order)
{
	const bool big = _i % 2, ext_only = _i / 2;
	static const char *const sections[] = { ".BTF", ".BTF.ext" };
	struct btfgen *gen = btfgen_new(!big), *right = btfgen_new(big);
	struct bpfobj o = bpfobj_new(big);
	uint8_t *bytes, *ext;
	size_t size, ext_size;
	char text[128];

	btfgen_ext_word(gen, BTF_EXT_LINE, 16);
	btfgen_ext_word(gen, BTF_EXT_LINE, 1);
	btfgen_ext_word(gen, BTF_EXT_LINE, 1);
	btfgen_string(gen, "tc");
	for (int i = 0; i < 4; i++)
		btfgen_ext_word(gen, BTF_EXT_LINE, 0);
	btfgen_string(right, "tc");
	if (ext_only)
		bpfobj_btf(&o, right, false);
	bytes = btfgen_finish(gen, &size, &ext, &ext_size);
	elfgen_section(o.gen, &(struct elf64_section){ .name = sections[ext_only], .type = ELF64_SHT_PROGBITS,
						       .bytes = ext_only ? ext : bytes,
						       .size = ext_only ? ext_size : size });
	free(bytes);
	free(ext);
	if (!ext_only)
		free(btfgen_finish(right, &size, NULL, NULL));
	snprintf(text, sizeof(text), "test.o: section %s is %s-endian, the object itself is not", sections[ext_only],
		 big ? "little" : "big");
	bpfobj_refused(&o, text);
}
END_TEST

Suite *suite_object_more(void)
{
	Suite *suite = suite_create("object_more");
	TCase *tcase = tcase_create("records and faults");

	tcase_add_loop_test(tcase, good_records, 0, 4);
	tcase_add_loop_test(tcase, record_contradictions, 0, sizeof(contradictions) / sizeof(contradictions[0]));
	tcase_add_loop_test(tcase, records_cut_short, 0, 9);
	tcase_add_test(tcase, record_relocations);
	tcase_add_loop_test(tcase, member_past_the_end, 0, 2);
	tcase_add_loop_test(tcase, wrong_functions, 0, 8);
	tcase_add_test(tcase, overlapping_functions);
	tcase_add_test(tcase, wrong_sections);
	tcase_add_test(tcase, executable_data);
	tcase_add_loop_test(tcase, wrong_relocations, 0, 4);
	tcase_add_test(tcase, two_relocations);
	tcase_add_loop_test(tcase, other_byte_order, 0, 4);
	suite_add_tcase(suite, tcase);
	return suite;
}
