// SPDX-License-Identifier: BSD-2-Clause
/*
 * elf64 reads what elfgen wrote, an object written by hand, and real ones; and
 * refuses all of them when cut.  What else it refuses is in
 * test_elf64_faults.c.
 */
#include <check.h>
#include <stdlib.h>

#include "elf/elf64.h"
#include "include/bytes.h"
#include "tests/elfgen.h"
#include "tests/elfsample.h"
#include "tests/realobj.h"
#include "tests/walk.h"

Suite *suite_elf64(void);

static void check_same_section(const struct elf64 *elf, uint32_t index, const struct elf64_section *want)
{
	struct elf64_section got;

	elf64_section(elf, index, &got);
	ck_assert_str_eq(got.name, want->name);
	ck_assert_uint_eq(got.type, want->type);
	ck_assert_uint_eq(got.flags, want->flags);
	ck_assert_uint_eq(got.addr, want->addr);
	ck_assert_uint_eq(got.size, want->size);
	ck_assert_uint_eq(got.link, want->link);
	ck_assert_uint_eq(got.info, want->info);
	ck_assert_uint_eq(got.addralign, want->addralign);
	ck_assert_uint_eq(got.entsize, want->entsize);
	if (want->bytes)
		ck_assert_mem_eq(got.bytes, want->bytes, want->size);
	else
		ck_assert_ptr_null(got.bytes);
	if (got.bytes)
		ck_assert_ptr_eq(got.bytes, elf->data + got.offset);
	ck_assert_uint_eq(elf64_find(elf, want->name), index);
}

static void check_same_symbol(const struct elf64 *elf, uint32_t index, const struct elf64_symbol *want)
{
	struct elf64_symbol got;

	elf64_symbol(elf, index, &got);
	ck_assert_str_eq(got.name, want->name);
	ck_assert_uint_eq(got.type, want->type);
	ck_assert_uint_eq(got.bind, want->bind);
	ck_assert_uint_eq(got.other, want->other);
	ck_assert_uint_eq(got.section, want->section);
	ck_assert_uint_eq(got.value, want->value);
	ck_assert_uint_eq(got.size, want->size);
}

static void check_same_reloc(const struct elf64 *elf, uint32_t index, const struct elf64_reloc *want)
{
	struct elf64_reloc got;

	ck_assert_uint_eq(elf64_reloc_count(elf, index), 1);
	elf64_reloc(elf, index, 0, &got);
	ck_assert_uint_eq(got.offset, want->offset);
	ck_assert_uint_eq(got.type, want->type);
	ck_assert_uint_eq(got.symbol, want->symbol);
	ck_assert_int_eq(got.addend, want->addend);
}

static void check_sample(const struct elf64 *elf, bool big, bool xindex)
{
	uint32_t i;

	ck_assert_int_eq(elf->big, big);
	ck_assert_uint_eq(elf->machine, 247);
	ck_assert_uint_eq(elf->section_count, xindex ? X_SECTIONS : SECTIONS);
	ck_assert_uint_eq(elf->symbol_count, SYMBOLS);
	ck_assert_uint_eq(elf->symtab, SYMTAB);
	for (i = TC; i <= DEBUG; i++)
		check_same_section(elf, i, &elfsample_sections[i]);
	for (i = 0; i < SYMBOLS; i++)
		check_same_symbol(elf, i, &elfsample_symbols[i]);
	check_same_reloc(elf, RELTC, &elfsample_rel);
	check_same_reloc(elf, RELADATA, &elfsample_rela);
	ck_assert_uint_eq(elf64_reloc_count(elf, TC), 0);
	ck_assert_uint_eq(elf64_find(elf, ""), 0);
	ck_assert_uint_eq(elf64_find(elf, ".dat"), 0);
}

/* _i: alignment in bits 0-2, byte order in bit 3, extended indices in bit 4. */
START_TEST(test_sample_at_every_alignment)
{
	bool big = _i & 8, xindex = _i & 16;
	struct elf64 elf;
	uint8_t *object, *moved;
	size_t size;

	object = elfsample(big, xindex, &size);
	moved = malloc(size + 8);
	memcpy(moved + _i % 8, object, size);
	elfsample_open(&elf, moved + _i % 8, size);
	check_sample(&elf, big, xindex);
	free(moved);
	free(object);
}
END_TEST

/* Written by hand from the tables in elf64.h, so that elfgen and elf64 cannot be wrong together. */
START_TEST(test_object_by_hand)
{
	static const uint8_t little[64 + 8 + 128] = {
		0x7f, 'E', 'L', 'F', 2, 1, 1, [16] = 1, 0, 247, 0, 1, [40] = 72, [52] = 64,
		[58] = 64, 0, 2, 0, 1,
		[64] = 0, '.', 's', 0,
		[72 + 64] = 1, 0, 0, 0, 3, 0, 0, 0, [72 + 64 + 24] = 64, [72 + 64 + 32] = 4,
	};
	static const uint8_t big[64 + 8 + 128] = {
		0x7f, 'E', 'L', 'F', 2, 2, 1, [16] = 0, 1, 0, 0, 0, 0, 0, 1, [47] = 72, [53] = 64,
		[58] = 0, 64, 0, 2, 0, 1,
		[64] = 0, '.', 's', 0,
		[72 + 64 + 3] = 1, 0, 0, 0, 3, [72 + 64 + 31] = 64, [72 + 64 + 39] = 4,
	};
	struct elf64_section section;
	struct elf64 elf;

	elfsample_open(&elf, _i ? big : little, sizeof(little));
	ck_assert_int_eq(elf.big, _i);
	ck_assert_uint_eq(elf.machine, _i ? 0 : 247);
	ck_assert_uint_eq(elf.section_count, 2);
	ck_assert_uint_eq(elf.symbol_count, 0);
	ck_assert_uint_eq(elf.symtab, 0);
	ck_assert_uint_eq(elf64_find(&elf, ".s"), 1);
	elf64_section(&elf, 1, &section);
	ck_assert_uint_eq(section.offset, 64);
	ck_assert_mem_eq(section.bytes, "\0.s", 4);
}
END_TEST

/*
 * 0xfeff sections are the last number that e_shnum holds; symbols reach into
 * the last section, but without SHN_XINDEX not into those from 0xff00 on.
 */
START_TEST(test_many_sections)
{
	static const uint32_t numbers[] = { 0xfeff, 0xff00, 0xff01, 0x10005 };
	uint32_t number = numbers[_i / 2], i, last = 0;
	struct elfgen *gen = elfgen_new(_i % 2);
	struct elf64_symbol symbol;
	struct elf64_section section;
	bool xindex = number > 0xff03;
	struct elf64_fault fault;
	struct elf64 elf;
	uint8_t *object;
	size_t size;

	for (i = 0; i < number - 4 - xindex; i++)
		last = elfgen_section(gen, &(struct elf64_section){ .name = "s", .type = 1, .size = 1 });
	elfgen_symbol(gen, &(struct elf64_symbol){ .name = "y", .section = last, .value = 1 });
	object = elfgen_finish(gen, &size);
	elfsample_open(&elf, object, size);
	ck_assert_uint_eq(bytes_get16(object + 60, _i % 2), number < 0xff00 ? number : 0);
	ck_assert_uint_eq(bytes_get16(object + 62, _i % 2), number < 0xff00 ? number - 1 : 0xffff);
	ck_assert_uint_eq(elf.section_count, number);
	ck_assert_uint_eq(elf64_find(&elf, "s"), 1);
	ck_assert_uint_eq(elf64_find(&elf, ".shstrtab"), number - 1);
	elf64_symbol(&elf, 1, &symbol);
	ck_assert_uint_eq(symbol.section, last);
	elf64_section(&elf, last, &section);
	ck_assert_str_eq(section.name, "s");
	ck_assert_int_eq(elf64_find(&elf, ".symtab_shndx") != 0, xindex);
	elfsample_put(object + elf64_symbol_at(&elf, 1) + 6, 2, 0xff00, _i % 2);
	ck_assert_int_eq(elf64_open(&elf, object, size, &fault), -1);
	ck_assert_str_eq(fault.what, "section of a symbol does not exist");
	free(object);
}
END_TEST

/* Of a compressed section, symbols and relocations count the bytes that are not there yet. */
START_TEST(test_compressed_debug_section)
{
	struct elfgen *gen = elfgen_new(_i);
	struct elf64_fault fault;
	struct elf64 elf;
	uint8_t *object;
	uint32_t symbol;
	size_t size;

	elfgen_section(gen, &(struct elf64_section){
		.name = ".debug_str", .type = 1, .flags = ELF64_SHF_COMPRESSED, .size = 3 });
	symbol = elfgen_symbol(gen, &(struct elf64_symbol){
		.name = "s", .type = ELF64_STT_OBJECT, .section = 1, .value = 100, .size = 100 });
	elfgen_rel(gen, 1, &(struct elf64_reloc){ .offset = 1000, .type = 3, .symbol = symbol });
	object = elfgen_finish(gen, &size);
	ck_assert_int_eq(walk_elf64(object, size, &fault), 0);
	elfsample_open(&elf, object, size);
	elfsample_put(object + elf64_section_header_at(&elf, 1) + 8, 8, 0, _i);
	ck_assert_int_eq(elf64_open(&elf, object, size, &fault), -1);
	ck_assert_str_eq(fault.what, "value of a symbol is outside of its section");
	free(object);
}
END_TEST

/* Open copies that end where the memory ends, so that a sanitizer sees any read behind them. */
static void truncate_everywhere(const uint8_t *object, size_t size)
{
	struct elf64_fault fault;
	uint8_t *copy;
	size_t n;

	for (n = 0; n < size; n++) {
		copy = malloc(n + !n);
		memcpy(copy, object, n);
		ck_assert_msg(walk_elf64(copy, n, &fault) == -1, "accepted when cut at %zu", n);
		ck_assert_uint_le(fault.offset, n);
		free(copy);
	}
	for (n = size; n < size + 3; n++) {
		copy = calloc(1, n);
		memcpy(copy, object, size);
		ck_assert_int_eq(walk_elf64(copy, n, &fault), 0);
		free(copy);
	}
}

START_TEST(test_truncated_sample)
{
	uint8_t *object;
	size_t size;

	object = elfsample(_i & 1, _i & 2, &size);
	truncate_everywhere(object, size);
	free(object);
}
END_TEST

START_TEST(test_patch)
{
	struct elf64_fault fault = { "none", 0 };
	struct elf64_section section;
	uint8_t *object, *copy;
	struct elf64 elf;
	size_t size, i;

	object = elfsample(_i, false, &size);
	copy = malloc(size);
	memcpy(copy, object, size);
	elfsample_open(&elf, object, size);
	elf64_section(&elf, DATA, &section);
	ck_assert_int_eq(elf64_patch(&elf, copy, DATA, 5, "xyz", 3, &fault), 0);
	ck_assert_int_eq(elf64_patch(&elf, copy, DATA, 8, NULL, 0, &fault), 0);
	for (i = 0; i < size; i++)
		if (i < section.offset + 5 || i >= section.offset + 8)
			ck_assert_uint_eq(copy[i], object[i]);
	ck_assert_mem_eq(copy + section.offset, "DATAdxyz", 8);

	memcpy(copy, object, size);
	ck_assert_int_eq(elf64_patch(&elf, copy, DATA, 6, "xyz", 3, &fault), -1);
	ck_assert_str_eq(fault.what, "patch reaches past the end of its section");
	ck_assert_uint_eq(fault.offset, elf64_section_header_at(&elf, DATA) + 32);
	ck_assert_int_eq(elf64_patch(&elf, copy, DATA, 9, "", 0, &fault), -1);
	ck_assert_int_eq(elf64_patch(&elf, copy, DATA, UINT64_MAX, "xy", 2, &fault), -1);
	ck_assert_int_eq(elf64_patch(&elf, copy, DATA, 2, "xy", UINT64_MAX, &fault), -1);
	ck_assert_int_eq(elf64_patch(&elf, copy, BSS, 0, "x", 1, &fault), -1);
	ck_assert_str_eq(fault.what, "section to patch has no bytes in the file");
	ck_assert_int_eq(elf64_patch(&elf, copy, 0, 0, "", 0, &fault), -1);
	ck_assert_mem_eq(copy, object, size);
	free(copy);
	free(object);
}
END_TEST

static const char program[] =
	"struct ctx { unsigned int len; };\n"
	"const volatile unsigned int vni = 7;\n"
	"static unsigned long long counter;\n"
	"__attribute__((noinline)) static int helper(struct ctx *c) { return c->len + (int)counter++; }\n"
	"__attribute__((section(\"tc\"))) int prog(struct ctx *c) { return helper(c) + vni; }\n"
	"char gpl[] __attribute__((section(\"license\"))) = \"GPL\";\n";

static void find_symbol(const struct elf64 *elf, const char *name, struct elf64_symbol *symbol)
{
	uint32_t i;

	for (i = 0; i < elf->symbol_count; i++) {
		elf64_symbol(elf, i, symbol);
		if (!strcmp(symbol->name, name))
			return;
	}
	ck_abort_msg("no symbol %s", name);
}

START_TEST(test_real_object)
{
	static const char *const flags[] = { "", "-gz=zlib", "-mcpu=v4" };
	const char *target = _i % 2 ? "bpfeb" : "bpfel";
	struct elf64_section section;
	struct elf64_symbol symbol;
	struct elf64_reloc reloc;
	struct elf64 elf;
	uint8_t *object;
	size_t size;

	object = realobj_compile(target, flags[_i / 2], program, &size);
	if (!object)
		return;
	elfsample_open(&elf, object, size);
	ck_assert_int_eq(elf.big, _i % 2);
	ck_assert_uint_eq(elf.machine, 247);
	find_symbol(&elf, "vni", &symbol);
	ck_assert_uint_eq(symbol.type, ELF64_STT_OBJECT);
	ck_assert_uint_eq(symbol.bind, ELF64_STB_GLOBAL);
	ck_assert_uint_eq(symbol.size, 4);
	ck_assert_uint_eq(symbol.section, elf64_find(&elf, ".rodata"));
	elf64_section(&elf, symbol.section, &section);
	ck_assert_uint_eq(bytes_get32(section.bytes + symbol.value, elf.big), 7);
	elf64_section(&elf, elf64_find(&elf, "license"), &section);
	ck_assert_mem_eq(section.bytes, "GPL", 4);
	ck_assert_uint_eq(elf64_reloc_count(&elf, elf64_find(&elf, ".reltc")), 2);
	elf64_reloc(&elf, elf64_find(&elf, ".reltc"), 1, &reloc);
	elf64_symbol(&elf, reloc.symbol, &symbol);
	ck_assert_str_eq(symbol.name, "vni");
	ck_assert_uint_eq(reloc.type, 1);
	truncate_everywhere(object, size);
	free(object);
}
END_TEST

Suite *suite_elf64(void)
{
	Suite *suite = suite_create("elf64");
	TCase *tcase = tcase_create("elf64");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_sample_at_every_alignment, 0, 32);
	tcase_add_loop_test(tcase, test_object_by_hand, 0, 2);
	tcase_add_loop_test(tcase, test_many_sections, 0, 8);
	tcase_add_loop_test(tcase, test_compressed_debug_section, 0, 2);
	tcase_add_loop_test(tcase, test_truncated_sample, 0, 4);
	tcase_add_loop_test(tcase, test_patch, 0, 2);
	tcase_add_loop_test(tcase, test_real_object, 0, 6);
	suite_add_tcase(suite, tcase);
	return suite;
}
