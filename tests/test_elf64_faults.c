// SPDX-License-Identifier: BSD-2-Clause
/*
 * What elf64 refuses.  Most tests change one field of the sample and want the
 * fault's text and the place of that field; next to most of them stands the
 * nearest value that has to be accepted.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "elf/elf64.h"
#include "tests/elfgen.h"
#include "tests/elfsample.h"
#include "tests/walk.h"

Suite *suite_elf64_faults(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum where { HEADER, SECTION, SYMBOL, RELOC, BYTES };

/* Set to value the field of that width at offset field of what where and index name. */
struct change {
	const char *what;	/* the fault, or NULL to be accepted */
	bool xindex;		/* which sample */
	enum where where;
	uint32_t index, field;
	unsigned int width;
	uint64_t value;
	bool elsewhere;		/* the fault's offset is another field */
};

static uint64_t place(const struct elf64 *elf, const struct change *change)
{
	struct elf64_section section;

	switch (change->where) {
	case HEADER:
		return change->field;
	case SECTION:
		return elf64_section_header_at(elf, change->index) + change->field;
	case SYMBOL:
		return elf64_symbol_at(elf, change->index) + change->field;
	case RELOC:
		return elf64_reloc_at(elf, change->index, 0) + change->field;
	default:
		elf64_section(elf, change->index, &section);
		return section.offset + change->field;
	}
}

static const struct change changes[] = {
	{ "not an ELF file", 0, HEADER, 0, 0, 1, 0x7e, 0 },
	{ "not an ELF file", 0, HEADER, 0, 3, 1, 'f', 1 },
	{ "not a 64-bit ELF file", 0, HEADER, 0, 4, 1, 1, 0 },
	{ "unknown byte order", 0, HEADER, 0, 5, 1, 0, 0 },
	{ "unknown byte order", 0, HEADER, 0, 5, 1, 3, 0 },
	{ "unknown ELF version", 0, HEADER, 0, 6, 1, 2, 0 },
	{ "unknown ELF version", 0, HEADER, 0, 20, 4, 2, 0 },
	{ "not a relocatable object", 0, HEADER, 0, 16, 2, 2, 0 },
	{ "not an object for BPF", 0, HEADER, 0, 18, 2, 62, 0 },
	{ NULL, 0, HEADER, 0, 18, 2, 0, 0 },
	{ "size of a section header is not 64", 0, HEADER, 0, 58, 2, 40, 0 },
	{ "no section headers", 0, HEADER, 0, 40, 8, 0, 0 },
	{ "no section headers", 0, HEADER, 0, 60, 2, 0, 0 },
	{ "no section headers", 1, SECTION, 0, 32, 8, 0, 1 },
	{ "section headers reach past the end of the file", 0, HEADER, 0, 40, 8, UINT64_MAX - 63, 0 },
	{ "section headers reach past the end of the file", 0, HEADER, 0, 60, 2, SECTIONS + 1, 0 },
	{ "section headers reach past the end of the file", 1, SECTION, 0, 32, 8, X_SECTIONS + 1, 1 },
	{ "section headers reach past the end of the file", 1, SECTION, 0, 32, 8, UINT64_MAX, 1 },
	{ "section 0 is not SHT_NULL", 0, SECTION, 0, 4, 4, 1, 0 },
	{ "section name table is not a string table", 0, HEADER, 0, 62, 2, 0, 0 },
	{ "section name table is not a string table", 0, HEADER, 0, 62, 2, TC, 0 },
	{ "section name table is not a string table", 0, HEADER, 0, 62, 2, SECTIONS, 0 },
	{ "section name table is not a string table", 0, HEADER, 0, 62, 2, 0xffff, 0 },
	{ "section name table is not a string table", 1, SECTION, 0, 40, 4, X_SECTIONS, 1 },
	{ "name of a section is outside of the name table", 0, SECTION, TC, 0, 4, NAMES_SIZE, 0 },
	{ "name of a section is outside of the name table", 1, SECTION, TC, 0, 4, XNAMES_SIZE, 0 },
	{ "name of a section is outside of the name table", 0, SECTION, 0, 0, 4, UINT32_MAX, 0 },
	{ NULL, 0, SECTION, TC, 0, 4, NAMES_SIZE - 1, 0 },
	{ NULL, 1, SECTION, TC, 0, 4, XNAMES_SIZE - 1, 0 },
	{ "section reaches past the end of the file", 0, SECTION, DEBUG, 24, 8, UINT64_MAX, 0 },
	{ "section reaches past the end of the file", 0, SECTION, DEBUG, 32, 8, UINT64_MAX, 0 },
	{ NULL, 0, SECTION, BSS, 24, 8, UINT64_MAX, 0 },
	{ NULL, 0, SECTION, BSS, 32, 8, UINT64_MAX, 0 },
	{ "string table does not begin and end in NUL", 0, BYTES, STRTAB, 0, 1, 'x', 1 },
	{ "string table does not begin and end in NUL", 0, BYTES, STRTAB, STRINGS_SIZE - 1, 1, 'x', 1 },
	{ "string table does not begin and end in NUL", 0, BYTES, SHSTRTAB, NAMES_SIZE - 1, 1, 'x', 1 },
	{ NULL, 0, BYTES, STRTAB, STRINGS_SIZE - 2, 1, 0, 0 },
	{ "relocations are not REL or RELA", 0, SECTION, DEBUG, 4, 4, 19, 0 },
	{ "relocations are not REL or RELA", 0, SECTION, DEBUG, 4, 4, 0x40000014, 0 },
	{ "section is compressed", 0, SECTION, DATA, 8, 8, ELF64_SHF_COMPRESSED, 0 },
	{ "section is compressed", 0, SECTION, BSS, 8, 8, UINT64_MAX, 0 },
	{ "section is compressed", 0, SECTION, SHSTRTAB, 8, 8, ELF64_SHF_COMPRESSED, 0 },
	{ NULL, 0, SECTION, DEBUG, 8, 8, ELF64_SHF_COMPRESSED, 0 },
	{ "section is compressed", 0, SECTION, DEBUG, 8, 8, ELF64_SHF_COMPRESSED | ELF64_SHF_ALLOC, 0 },
	{ "section is compressed", 0, SECTION, DEBUG, 8, 8, ELF64_SHF_COMPRESSED | ELF64_SHF_EXECINSTR, 0 },
	{ "second symbol table", 0, SECTION, DATA, 4, 4, 2, 1 },
	{ "second table of section indices", 1, SECTION, DATA, 4, 4, 18, 1 },
	{ "section indices are not of the symbol table", 1, SECTION, SHNDX, 40, 4, STRTAB, 0 },
	{ "section indices are not of the symbol table", 0, SECTION, DEBUG, 4, 4, 18, 1 },
	{ "size of a section index is not 4", 1, SECTION, SHNDX, 56, 8, 8, 0 },
	{ "not as many section indices as symbols", 1, SECTION, SHNDX, 32, 8, 4 * SYMBOLS - 4, 0 },
	{ "not as many section indices as symbols", 1, SECTION, SHNDX, 32, 8, 4 * SYMBOLS + 4, 0 },
	{ "size of a symbol is not 24", 0, SECTION, SYMTAB, 56, 8, 25, 0 },
	{ "symbol table ends within a symbol", 0, SECTION, SYMTAB, 32, 8, 24 * SYMBOLS - 1, 0 },
	{ "symbol table has no string table", 0, SECTION, SYMTAB, 40, 4, 0, 0 },
	{ "symbol table has no string table", 0, SECTION, SYMTAB, 40, 4, SECTIONS, 0 },
	{ "name of a symbol is outside of its string table", 0, SYMBOL, SYM_BSS, 0, 4, STRINGS_SIZE, 0 },
	{ NULL, 0, SYMBOL, SYM_BSS, 0, 4, STRINGS_SIZE - 1, 0 },
	{ "symbol wants a table of section indices", 0, SYMBOL, SYM_BSS, 6, 2, 0xffff, 0 },
	{ "section of a symbol does not exist", 0, SYMBOL, SYM_TC, 6, 2, SECTIONS, 0 },
	{ "section of a symbol does not exist", 0, SYMBOL, SYM_TC, 6, 2, 0xff00, 0 },
	{ "section of a symbol does not exist", 0, SYMBOL, SYM_TC, 6, 2, 0xfff0, 0 },
	{ "section of a symbol does not exist", 1, BYTES, SHNDX, 4 * SYM_TC, 4, X_SECTIONS, 1 },
	{ "section of a symbol does not exist", 1, BYTES, SHNDX, 4 * SYM_TC, 4, ELF64_SHN_ABS, 1 },
	{ NULL, 0, SYMBOL, SYM_TC, 6, 2, SECTIONS - 1, 0 },
	{ NULL, 1, BYTES, SHNDX, 4 * SYM_TC, 4, X_SECTIONS - 1, 0 },
	{ NULL, 1, BYTES, SHNDX, 4 * SYM_ABS, 4, X_SECTIONS, 0 },
	{ "value of a symbol is outside of its section", 0, SYMBOL, SYM_TC, 8, 8, INSNS_SIZE + 1, 0 },
	{ NULL, 0, SYMBOL, SYM_TC, 8, 8, INSNS_SIZE, 0 },
	{ NULL, 0, SYMBOL, SYM_TC, 16, 8, UINT64_MAX, 0 },
	{ "symbol reaches past the end of its section", 0, SYMBOL, SYM_STATIC, 16, 8, 5, 0 },
	{ "symbol reaches past the end of its section", 0, SYMBOL, SYM_STATIC, 16, 8, UINT64_MAX, 0 },
	{ "symbol reaches past the end of its section", 0, SYMBOL, SYM_PROG, 8, 8, 1, 1 },
	{ NULL, 0, SYMBOL, SYM_STATIC, 16, 8, 3, 0 },
	{ "size of a relocation is not that of its type", 0, SECTION, RELTC, 56, 8, 24, 0 },
	{ "size of a relocation is not that of its type", 0, SECTION, RELADATA, 56, 8, 16, 0 },
	{ "section ends within a relocation", 0, SECTION, RELADATA, 32, 8, 16, 0 },
	{ NULL, 0, SECTION, RELADATA, 32, 8, 0, 0 },
	{ "relocations are not by the symbol table", 0, SECTION, RELTC, 40, 4, STRTAB, 0 },
	{ "relocations are of a section without bytes", 0, SECTION, RELTC, 44, 4, 0, 0 },
	{ "relocations are of a section without bytes", 0, SECTION, RELTC, 44, 4, BSS, 0 },
	{ "relocations are of a section without bytes", 0, SECTION, RELTC, 44, 4, SECTIONS, 0 },
	{ "relocation is outside of its section", 0, RELOC, RELTC, 0, 8, INSNS_SIZE, 0 },
	{ "relocation is outside of its section", 0, RELOC, RELADATA, 0, 8, UINT64_MAX, 0 },
	{ NULL, 0, RELOC, RELTC, 0, 8, INSNS_SIZE - 1, 0 },
	{ "symbol of a relocation does not exist", 0, RELOC, RELTC, 8, 8, (uint64_t)SYMBOLS << 32, 0 },
	{ NULL, 0, RELOC, RELTC, 8, 8, (uint64_t)(SYMBOLS - 1) << 32 | UINT32_MAX, 0 },
};

START_TEST(test_one_change)
{
	const struct change *change = &changes[_i / 2];
	struct elf64_fault fault = { "none", 0 };
	bool big = _i % 2;
	struct elf64 elf;
	uint8_t *object;
	uint64_t at;
	size_t size;

	object = elfsample(big, change->xindex, &size);
	elfsample_open(&elf, object, size);
	at = place(&elf, change);
	elfsample_put(object + at, change->width, change->value, big);
	if (!change->what) {
		ck_assert_msg(!walk_elf64(object, size, &fault), "change %d: %s", _i / 2, fault.what);
	} else {
		ck_assert_msg(walk_elf64(object, size, &fault) == -1, "accepted: %s", change->what);
		ck_assert_str_eq(fault.what, change->what);
		ck_assert_uint_le(fault.offset, size);
		if (!change->elsewhere)
			ck_assert_uint_eq(fault.offset, at);
	}
	free(object);
}
END_TEST

START_TEST(test_size_of_file)
{
	struct elf64_fault fault;
	struct elf64 elf;
	uint8_t *object;
	size_t size;

	object = elfsample(false, false, &size);
	ck_assert_int_eq(elf64_open(&elf, NULL, 0, &fault), -1);
	ck_assert_int_eq(elf64_open(&elf, object, 63, &fault), -1);
	ck_assert_str_eq(fault.what, "file is shorter than an ELF header");
	ck_assert_int_eq(elf64_open(&elf, object, 64, &fault), -1);
	ck_assert_str_eq(fault.what, "section headers reach past the end of the file");
	ck_assert_int_eq(elf64_open(&elf, object, (uint64_t)UINT32_MAX + 1, &fault), -1);
	ck_assert_str_eq(fault.what, "file is 4 GiB or larger");
	elfsample_open(&elf, object, UINT32_MAX);
	free(object);
}
END_TEST

static void check_fault(const uint8_t *object, size_t size, const char *what)
{
	struct elf64_fault fault = { "none", 0 };

	ck_assert_int_eq(walk_elf64(object, size, &fault), what ? -1 : 0);
	if (what)
		ck_assert_str_eq(fault.what, what);
}

/* Room for one section header suffices until more are wanted. */
START_TEST(test_headers_at_the_end)
{
	uint8_t *object;
	size_t size;

	object = elfsample(_i, false, &size);
	elfsample_put(object + 60, 2, 1, _i);
	elfsample_put(object + 40, 8, size - 64, _i);
	check_fault(object, size, "section 0 is not SHT_NULL");
	elfsample_put(object + 40, 8, size - 63, _i);
	check_fault(object, size, "section headers reach past the end of the file");
	elfsample_put(object + 40, 8, size, _i);
	check_fault(object, size, "section headers reach past the end of the file");
	free(object);
}
END_TEST

START_TEST(test_section_at_the_end)
{
	struct elf64 elf;
	uint8_t *object;
	uint64_t at;
	size_t size;

	object = elfsample(_i, false, &size);
	elfsample_open(&elf, object, size);
	at = elf64_section_header_at(&elf, DEBUG);
	elfsample_put(object + at + 24, 8, size - 5, _i);
	check_fault(object, size, NULL);
	elfsample_put(object + at + 32, 8, 6, _i);
	check_fault(object, size, "section reaches past the end of the file");
	elfsample_put(object + at + 24, 8, size, _i);
	elfsample_put(object + at + 32, 8, 0, _i);
	check_fault(object, size, NULL);
	elfsample_put(object + at + 24, 8, size + 1, _i);
	check_fault(object, size, "section reaches past the end of the file");
	free(object);
}
END_TEST

/* Three sections of relocations of the same bytes: larger than the file only when taken together. */
START_TEST(test_relocations_that_overlap)
{
	const uint64_t length = 16 * 64;
	struct elfgen *gen = elfgen_new(_i);
	struct elf64_fault fault;
	struct elf64_section all;
	struct elf64 elf;
	uint8_t *object;
	uint32_t i;
	size_t size;

	elfgen_section(gen, &(struct elf64_section){ .name = "r", .type = 1, .size = length });
	for (i = 2; i < 5; i++)
		elfgen_section(gen, &(struct elf64_section){
			.type = ELF64_SHT_REL, .info = 1, .entsize = 16 });
	elfgen_section(gen, &(struct elf64_section){ .name = "other", .type = 1, .size = length / 2 });
	object = elfgen_finish(gen, &size);
	elfsample_open(&elf, object, size);
	ck_assert_uint_ge(size, 2 * length);
	ck_assert_uint_lt(size, 3 * length);
	elf64_section(&elf, 1, &all);
	for (i = 2; i < 5; i++) {
		ck_assert_int_eq(walk_elf64(object, size, &fault), 0);
		elfsample_put(object + elf64_section_header_at(&elf, i) + 24, 8, all.offset, _i);
		elfsample_put(object + elf64_section_header_at(&elf, i) + 32, 8, all.size, _i);
	}
	ck_assert_int_eq(elf64_open(&elf, object, size, &fault), -1);
	ck_assert_str_eq(fault.what, "relocation sections overlap");
	free(object);
}
END_TEST

START_TEST(test_relocations_without_symbols)
{
	struct elfgen *gen = elfgen_new(false);
	struct elf64_fault fault;
	struct elf64 elf;
	uint8_t *object;
	size_t size;

	elfgen_section(gen, &(struct elf64_section){ .name = "a", .type = 1, .size = 1 });
	elfgen_rel(gen, 1, &(struct elf64_reloc){ .offset = 0 });
	object = elfgen_finish(gen, &size);
	elfsample_open(&elf, object, size);
	elfsample_put(object + elf64_section_header_at(&elf, elf.symtab) + 4, 4, ELF64_SHT_PROGBITS, false);
	ck_assert_int_eq(elf64_open(&elf, object, size, &fault), -1);
	ck_assert_str_eq(fault.what, "relocations are not by the symbol table");
	free(object);
}
END_TEST

struct tally {
	unsigned int accepted, refused;
};

static void set_field(uint8_t *object, size_t size, uint64_t at, unsigned int width, bool big,
		      struct tally *tally)
{
	const uint64_t values[] = { 0, 1, UINT64_MAX, size, size + 1, size - 1 };
	struct elf64_fault fault = { NULL, 0 };
	uint8_t old[8];
	size_t i;

	memcpy(old, object + at, width);
	for (i = 0; i < COUNT(values); i++) {
		elfsample_put(object + at, width, values[i], big);
		if (!walk_elf64(object, size, &fault)) {
			tally->accepted++;
			continue;
		}
		tally->refused++;
		ck_assert_ptr_nonnull(fault.what);
		ck_assert_uint_le(fault.offset, size);
	}
	memcpy(object + at, old, width);
}

/* Fields one after another, by their widths. */
static void set_fields(uint8_t *object, size_t size, uint64_t at, const char *widths, bool big,
		       struct tally *tally)
{
	for (; *widths; widths++) {
		set_field(object, size, at, (unsigned int)(*widths - '0'), big, tally);
		at += (uint64_t)(*widths - '0');
	}
}

START_TEST(test_every_field)
{
	struct tally tally = { 0, 0 };
	struct elf64_fault fault;
	bool big = _i & 1;
	struct elf64 elf;
	uint8_t *object;
	uint32_t i;
	size_t size;

	object = elfsample(big, _i & 2, &size);
	elfsample_open(&elf, object, size);
	set_fields(object, size, 0, "1111111", big, &tally);
	set_fields(object, size, 16, "224888422222", big, &tally);
	for (i = 0; i < elf.section_count; i++)
		set_fields(object, size, elf64_section_header_at(&elf, i), "4488884488", big, &tally);
	for (i = 0; i < elf.symbol_count; i++)
		set_fields(object, size, elf64_symbol_at(&elf, i), "411288", big, &tally);
	set_fields(object, size, elf64_reloc_at(&elf, RELTC, 0), "844", big, &tally);
	set_fields(object, size, elf64_reloc_at(&elf, RELADATA, 0), "8448", big, &tally);
	ck_assert_uint_gt(tally.accepted, 100);
	ck_assert_uint_gt(tally.refused, 100);
	ck_assert_int_eq(walk_elf64(object, size, &fault), 0);
	free(object);
}
END_TEST

Suite *suite_elf64_faults(void)
{
	Suite *suite = suite_create("elf64_faults");
	TCase *tcase = tcase_create("elf64_faults");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_one_change, 0, (int)COUNT(changes) * 2);
	tcase_add_test(tcase, test_size_of_file);
	tcase_add_loop_test(tcase, test_headers_at_the_end, 0, 2);
	tcase_add_loop_test(tcase, test_section_at_the_end, 0, 2);
	tcase_add_loop_test(tcase, test_relocations_that_overlap, 0, 2);
	tcase_add_test(tcase, test_relocations_without_symbols);
	tcase_add_loop_test(tcase, test_every_field, 0, 4);
	suite_add_tcase(suite, tcase);
	return suite;
}
