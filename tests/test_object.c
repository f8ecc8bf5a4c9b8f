// SPDX-License-Identifier: BSD-2-Clause
/*
 * What bpfstamp_open makes of objects: functions, data, variables, symbols and
 * the sites of each, in hand-made objects, where every byte is known, of both
 * byte orders.  Maps, records, refused objects and those of compilers are in
 * test_object_more.c and
 * test_object_real.c.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "tests/bpfobj.h"

Suite *suite_object(void);

static void expect_program(const struct bpfobj *o, const char *name, const char *section, bool entry, uint32_t type,
			   uint32_t insns)
{
	struct bpfstamp_program p;

	bpfobj_program(o, name, &p);
	ck_assert_str_eq(p.section, section);
	ck_assert_int_eq(p.entry, entry);
	ck_assert_uint_eq(p.type, type);
	ck_assert_uint_eq(p.insns, insns);
}

static void expect_site(const struct bpfobj *o, const char *name, uint32_t site, const char *program, uint32_t insn)
{
	struct bpfstamp_injectable inj;
	struct bpfstamp_site at;
	uint32_t i = bpfobj_find(o, name, &inj);

	ck_assert_msg(site < inj.site_count, "%s has %u sites", name, inj.site_count);
	bpfstamp_site_at(o->t, i, site, &at);
	ck_assert_str_eq(at.program, program);
	ck_assert_uint_eq(at.insn, insn);
}

/* ------------------------------------------------------------- functions */

START_TEST(functions_and_types)
{
	static const struct bpfinsn code[] = { MOV64(0, 0), EXIT, MOV64(0, 1), EXIT, MOV64(0, 2), EXIT };
	struct bpfobj o = bpfobj_new(_i);
	uint32_t tc = bpfobj_code(&o, "tc", code, 6), xdp = bpfobj_code(&o, "xdp", code, 2);
	uint32_t text = bpfobj_code(&o, ".text", code, 2), egress = bpfobj_code(&o, "egress", code, 2);
	struct bpfstamp_err err;
	uint32_t found;

	elfgen_symbol(o.gen, &(struct elf64_symbol){ .name = "local", .type = ELF64_STT_FUNC, .section = tc,
						     .value = 16, .size = 16 });
	bpfobj_func(&o, "third", tc, 4, 2);
	bpfobj_func(&o, "first", tc, 0, 2);
	bpfobj_func(&o, "sub", text, 0, 2);
	bpfobj_func(&o, "on_xdp", xdp, 0, 2);
	bpfobj_func(&o, "out", egress, 0, 2);
	bpfobj_open(&o);
	ck_assert_int_eq(bpfstamp_big_endian(o.t), _i);
	ck_assert_uint_eq(bpfstamp_program_count(o.t), 6);
	ck_assert_uint_eq(bpfobj_program(&o, "first", NULL), 0);
	expect_program(&o, "first", "tc", true, 3, 2);
	expect_program(&o, "local", "tc", false, 3, 2);
	expect_program(&o, "third", "tc", true, 3, 2);
	expect_program(&o, "on_xdp", "xdp", true, 6, 2);
	expect_program(&o, "sub", ".text", false, 0, 2);
	expect_program(&o, "out", "egress", true, 0, 2);

	ck_assert_int_eq(bpfstamp_find_program(o.t, NULL, 6, &found, &err), -1);
	bpfobj_says(&err, "more than one program fits; choose one by name: first (section tc), third (section tc), "
			  "on_xdp (section xdp), out (section egress)");
	ck_assert_int_eq(bpfstamp_find_program(o.t, "third", 0, &found, &err), 0);
	ck_assert_uint_eq(found, bpfobj_program(&o, "third", NULL));
	ck_assert_int_eq(bpfstamp_find_program(o.t, "thrid", 0, &found, &err), -1);
	bpfobj_says(&err, "test.o: no program called 'thrid'; did you mean 'third'?");
	ck_assert_int_eq(err.code, ENOENT);
	ck_assert_int_eq(bpfstamp_find_program(o.t, "local", 0, &found, &err), -1);
	bpfobj_free(&o);
}
END_TEST

START_TEST(program_by_type)
{
	static const struct bpfinsn code[] = { MOV64(0, 0), EXIT };
	struct bpfobj o = bpfobj_new(false);
	uint32_t tc = bpfobj_code(&o, "tc", code, 2), xdp = bpfobj_code(&o, "xdp", code, 2), found;
	struct bpfstamp_err err;

	bpfobj_func(&o, "t", tc, 0, 2);
	bpfobj_func(&o, "x", xdp, 0, 2);
	bpfobj_open(&o);
	ck_assert_int_eq(bpfstamp_find_program(o.t, NULL, 3, &found, &err), 0);
	ck_assert_uint_eq(found, 0);
	ck_assert_int_eq(bpfstamp_find_program(o.t, NULL, 6, &found, &err), 0);
	ck_assert_uint_eq(found, 1);
	ck_assert_int_eq(bpfstamp_find_program(o.t, NULL, 2, &found, &err), -1);
	bpfobj_says(&err, "no program fits");
	ck_assert_int_eq(bpfstamp_find_program(o.t, NULL, 0, &found, &err), -1);
	bpfobj_says(&err, "more than one program fits");
	bpfobj_free(&o);
}
END_TEST

START_TEST(text_alone_is_a_program)
{
	static const struct bpfinsn code[] = { MOV64(0, 0), EXIT };
	struct bpfobj o = bpfobj_new(false);
	uint32_t text = bpfobj_code(&o, ".text", code, 2);

	bpfobj_func(&o, "main", text, 0, 2);
	bpfobj_open(&o);
	expect_program(&o, "main", ".text", true, 0, 2);
	bpfobj_free(&o);
}
END_TEST

/* Without function symbols the section is the function, called as a global symbol at its start or as the section. */
START_TEST(no_function_symbols)
{
	static const struct bpfinsn code[] = { MOV64(0, 0), EXIT };
	struct bpfobj o = bpfobj_new(_i);
	uint32_t tc = bpfobj_code(&o, "tc", code, 2);

	bpfobj_code(&o, "xdp", code, 2);
	elfgen_symbol(o.gen, &(struct elf64_symbol){ .name = "old", .bind = ELF64_STB_GLOBAL, .section = tc });
	bpfobj_open(&o);
	expect_program(&o, "old", "tc", true, 3, 2);
	expect_program(&o, "xdp", "xdp", true, 6, 2);
	bpfobj_free(&o);
}
END_TEST

/* Not even a symbol table: nothing may be read through one. */
START_TEST(no_symbols)
{
	static const struct bpfinsn code[] = { CALL(7), EXIT };
	struct bpfobj o = bpfobj_new(_i);
	struct bpfstamp_insn insn;
	struct bpfstamp_stamp *s;

	bpfobj_code(&o, "tc", code, 2);
	bpfobj_open(&o);
	ck_assert_uint_eq(o.t->elf.symbol_count, 0);
	ck_assert_uint_eq(bpfstamp_injectable_count(o.t), 0);
	s = bpfobj_stamp(&o);
	bpfstamp_insn_at(s, 0, 0, &insn);
	ck_assert_ptr_null(insn.refers);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* ------------------------------------------------------------- variables */

static const uint8_t bytes16[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static void expect_global(const struct bpfobj *o, const char *name, const char *section, const char *type,
			  const void *value, uint32_t size)
{
	struct bpfstamp_injectable inj;

	bpfobj_find(o, name, &inj);
	ck_assert_int_eq(inj.kind, BPFSTAMP_GLOBAL);
	ck_assert_str_eq(inj.section, section);
	ck_assert_str_eq(inj.type, type);
	ck_assert_uint_eq(inj.size, size);
	ck_assert(inj.has_value);
	ck_assert_mem_eq(inj.value, value, size);
}

START_TEST(data_sections)
{
	static const char *const names[] = { ".data", ".rodata", ".bss", ".data.x", ".rodata.x", ".bss.x" };
	static const uint8_t zeros[16];
	static const struct bpfinsn code[] = { MOV64(0, 0), EXIT };
	struct bpfobj o = bpfobj_new(_i);
	uint32_t section[6];
	struct bpfstamp_map map;
	char name[8];

	bpfobj_code(&o, "tc", code, 2);
	for (int i = 0; i < 6; i++)
		section[i] = bpfobj_data(&o, names[i], i % 3 == 2 ? NULL : bytes16, 16);
	bpfobj_data(&o, ".database", bytes16, 16);
	for (uint32_t i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "v%u", i);
		bpfobj_var(&o, name, section[i], 4 * (i % 3), 4);
	}
	bpfobj_open(&o);
	ck_assert_uint_eq(bpfstamp_injectable_count(o.t), 6);
	ck_assert_uint_eq(bpfstamp_map_count(o.t), 6);
	for (uint32_t i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "v%u", i);
		expect_global(&o, name, names[i], "u32", i % 3 == 2 ? zeros : bytes16 + 4 * (i % 3), 4);
		bpfstamp_map_at(o.t, i, &map);
		ck_assert_str_eq(map.name, names[i]);
		ck_assert(map.data);
		ck_assert_int_eq(map.readonly, i % 3 == 1);
		ck_assert_uint_eq(map.value_size, 16);
		ck_assert_uint_eq(map.key_size, 4);
		ck_assert_uint_eq(map.max_entries, 1);
		ck_assert_uint_eq(map.flags, i % 3 == 1 ? 0x80 : 0);
	}
	bpfobj_free(&o);
}
END_TEST

/*
 * .data: a at 0, b at 4, b_alias at 4 (size 2), table at 8 (8 bytes).  Globals
 * are referred to by name, statics through the section symbol with the offset
 * in the first imm.
 */
static struct bpfobj variables(bool big, uint64_t through_section, bool rela)
{
	const struct bpfinsn code[] = { LDDW(1, 0), LDDW(2, rela ? 0 : through_section), LDDW(3, 0), EXIT };
	struct bpfobj o = bpfobj_new(big);
	uint32_t tc = bpfobj_code(&o, "tc", code, 7), data = bpfobj_data(&o, ".data", bytes16, 16);
	uint32_t section = bpfobj_section_symbol(&o, data), a;

	elfgen_symbol(o.gen, &(struct elf64_symbol){ .name = "f.x", .type = ELF64_STT_OBJECT, .section = data,
						     .value = 8, .size = 8 });
	elfgen_symbol(o.gen, &(struct elf64_symbol){ .name = ".Lstr", .type = ELF64_STT_OBJECT, .section = data,
						     .size = 16 });
	a = bpfobj_var(&o, "a", data, 0, 4);
	bpfobj_var(&o, "b", data, 4, 4);
	bpfobj_var(&o, "b_alias", data, 4, 2);
	bpfobj_func(&o, "prog", tc, 0, 7);
	if (rela) {
		elfgen_rela(o.gen, tc, &(struct elf64_reloc){ .offset = 0, .type = 1, .symbol = a });
		elfgen_rela(o.gen, tc, &(struct elf64_reloc){ .offset = 16, .type = 1, .symbol = section,
							      .addend = (int64_t)through_section });
		elfgen_rela(o.gen, tc, &(struct elf64_reloc){ .offset = 32, .type = 1, .symbol = a });
	} else {
		bpfobj_rel(&o, tc, 4, R_BPF_64_64, a);
		bpfobj_rel(&o, tc, 2, R_BPF_64_64, section);
		bpfobj_rel(&o, tc, 0, R_BPF_64_64, a);
	}
	bpfobj_open(&o);
	return o;
}

START_TEST(sites_of_variables)
{
	static const struct { uint32_t addend; const char *name; } cases[] = {
		{ 0, "a" }, { 3, "a" }, { 4, "b" }, { 5, "b_alias" }, { 6, "b" }, { 8, "f.x" }, { 15, "f.x" },
	};
	const char *name = cases[_i / 4].name;
	struct bpfobj o = variables(_i & 1, cases[_i / 4].addend, _i & 2);
	struct bpfstamp_injectable inj;

	ck_assert_uint_eq(bpfstamp_injectable_count(o.t), 4);
	expect_site(&o, "a", 0, "prog", 0);
	if (!strcmp(name, "a")) {
		expect_site(&o, "a", 1, "prog", 2);
		expect_site(&o, "a", 2, "prog", 4);
	} else {
		expect_site(&o, "a", 1, "prog", 4);
		expect_site(&o, name, 0, "prog", 2);
	}
	bpfobj_find(&o, "b", &inj);
	ck_assert_uint_eq(inj.site_count, cases[_i / 4].addend >= 4 && cases[_i / 4].addend < 8);
	bpfobj_find(&o, "b_alias", &inj);
	ck_assert_uint_eq(inj.site_count, cases[_i / 4].addend >= 4 && cases[_i / 4].addend < 6);
	bpfobj_free(&o);
}
END_TEST

START_TEST(unused_variable)
{
	struct bpfobj o = variables(false, 8, false);
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);

	bpfobj_set_fails(s, "b", "1", "test.o: b: no instruction refers to it: its reads were folded away by the "
				      "compiler; declare it volatile");
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* ----------------------------------------------------------------- names */

START_TEST(ambiguous_names)
{
	static const struct bpfinsn code[] = { LDDW(1, 0), LDDW(2, 0), LDDW(3, 0), EXIT };
	struct bpfobj o = bpfobj_new(false);
	uint32_t tc = bpfobj_code(&o, "tc", code, 7);
	uint32_t data = bpfobj_data(&o, ".data", bytes16, 16), bss = bpfobj_data(&o, ".bss", NULL, 8), symbol;
	struct bpfstamp_err err = { 0 };
	struct bpfstamp_injectable inj;
	struct bpfstamp_ref ref;

	bpfobj_var(&o, "vni", data, 0, 4);
	bpfobj_var(&o, "vni", bss, 0, 8);
	symbol = bpfobj_undefined(&o, "vni", ELF64_STB_GLOBAL);
	bpfobj_var(&o, "vlan", data, 4, 2);
	bpfobj_func(&o, "prog", tc, 0, 7);
	bpfobj_rel(&o, tc, 0, R_BPF_64_64, symbol);
	bpfobj_open(&o);
	ck_assert_int_eq(bpfstamp_find(o.t, "vni", &ref, &err), -1);
	ck_assert_str_eq(err.text, "test.o: 'vni' is ambiguous: .data:vni, .bss:vni, *UND*:vni");
	ck_assert_int_eq(err.code, EINVAL);
	bpfobj_find(&o, ".data:vni", &inj);
	ck_assert_uint_eq(inj.size, 4);
	bpfobj_find(&o, ".bss:vni", &inj);
	ck_assert_uint_eq(inj.size, 8);
	bpfobj_find(&o, "*UND*:vni", &inj);
	ck_assert_int_eq(inj.kind, BPFSTAMP_SYMBOL);
	ck_assert_int_eq(bpfstamp_find(o.t, ".data:vln", &ref, &err), -1);
	ck_assert_int_eq(bpfstamp_find(o.t, "valn", &ref, &err), -1);
	ck_assert_str_eq(err.text, "test.o: nothing called 'valn' can be stamped; did you mean 'vlan'?");
	ck_assert_int_eq(err.code, ENOENT);
	ck_assert_int_eq(bpfstamp_find(o.t, "something else", &ref, &err), -1);
	ck_assert_str_eq(err.text, "test.o: nothing called 'something else' can be stamped");
	ck_assert_int_eq(bpfstamp_find(o.t, "", &ref, &err), -1);
	bpfobj_free(&o);
}
END_TEST

START_TEST(nothing_to_stamp)
{
	static const struct bpfinsn code[] = { EXIT };
	struct bpfobj o = bpfobj_new(false);
	struct bpfstamp_ref ref;
	struct bpfstamp_err err;

	bpfobj_func(&o, "prog", bpfobj_code(&o, "tc", code, 1), 0, 1);
	bpfobj_open(&o);
	ck_assert_int_eq(bpfstamp_find(o.t, "vni", &ref, &err), -1);
	ck_assert_str_eq(err.text, "test.o: nothing called 'vni' can be stamped: the object has no global, no "
				   "STAMP() and no undefined symbol");
	bpfobj_free(&o);
}
END_TEST

/* --------------------------------------------------------------- symbols */

START_TEST(undefined_symbols)
{
	static const struct bpfinsn code[] = { LDDW(1, 0), LDDW(2, 0), LDDW(3, 0), LDDW(4, 4), EXIT };
	struct bpfobj o = bpfobj_new(_i);
	uint32_t tc = bpfobj_code(&o, "tc", code, 9), strong, weak, added;
	struct bpfstamp_injectable inj;

	strong = bpfobj_undefined(&o, "strong", ELF64_STB_GLOBAL);
	weak = bpfobj_undefined(&o, "weak", ELF64_STB_WEAK);
	added = bpfobj_undefined(&o, "added", ELF64_STB_GLOBAL);
	bpfobj_func(&o, "prog", tc, 0, 9);
	bpfobj_rel(&o, tc, 0, R_BPF_64_64, strong);
	bpfobj_rel(&o, tc, 2, R_BPF_64_64, weak);
	bpfobj_rel(&o, tc, 4, R_BPF_64_64, strong);
	bpfobj_rel(&o, tc, 6, R_BPF_64_64, added);
	bpfobj_open(&o);
	bpfobj_find(&o, "strong", &inj);
	ck_assert_int_eq(inj.kind, BPFSTAMP_SYMBOL);
	ck_assert_str_eq(inj.section, "*UND*");
	ck_assert_str_eq(inj.type, "u64");
	ck_assert(!inj.has_value);
	ck_assert_uint_eq(inj.site_count, 2);
	expect_site(&o, "strong", 1, "prog", 4);
	bpfobj_find(&o, "weak", &inj);
	ck_assert(inj.has_value);
	ck_assert_uint_eq(inj.site_count, 1);
	bpfobj_find(&o, "added", &inj);
	ck_assert_uint_eq(inj.site_count, 0);
	bpfobj_free(&o);
}
END_TEST

/* ---------------------------------------------------------- placeholders */

/* Uses of 0xFEDCBA98 of each form, one of 7, and what looks like either but is none. */
static struct bpfobj placeholders(bool big)
{
	static const struct bpfinsn code[] = {
		LDDW(1, 0xFEDCBA98),			/* 0: whole */
		LDDW(1, 0xFEDCBA9811223344),		/* 2: high half */
		LDDW(1, 0x11223344FEDCBA98),		/* 4: low half */
		MOV64(2, 7),				/* 6 */
		CALL(7),				/* 7: no constant */
		MOV32(2, 0xFEDCBA98),			/* 8 */
		MOV64(2, 0xFEDCBA98),			/* 9: sign-extended, of an unsigned one */
		{ .code = BPF_CLASS_JMP32 | BPF_OP_JEQ, .imm = (int32_t)0xFEDCBA98 },			/* 10 */
		{ .code = BPF_CLASS_ST | BPF_MODE_MEM | BPF_SIZE_W, .imm = (int32_t)0xFEDCBA98 },	/* 11 */
		MOV32(2, 0x70),				/* 12 */
		LDDW(3, 0xFEDCBA98),			/* 13: a symbol's */
		EXIT,
	};
	struct bpfobj o = bpfobj_new(big);
	uint32_t tc = bpfobj_code(&o, "tc", code, 16), symbol = bpfobj_undefined(&o, "symbol", ELF64_STB_WEAK);

	bpfobj_func(&o, "prog", tc, 0, 16);
	bpfobj_rel(&o, tc, 13, R_BPF_64_64, symbol);
	bpfobj_open(&o);
	return o;
}

START_TEST(declare_sites)
{
	static const uint32_t at[] = { 0, 2, 4, 8, 9, 10, 11 };
	struct bpfobj o = placeholders(_i);
	struct bpfstamp_err err = { 0 };
	struct bpfstamp_injectable inj;
	uint8_t bytes[4];

	ck_assert_int_eq(bpfstamp_declare(o.t, "0xFEDCBA98", -1, false, &err), 0);
	bpfobj_find(&o, "0xFEDCBA98", &inj);
	ck_assert_int_eq(inj.kind, BPFSTAMP_PLACEHOLDER);
	ck_assert_uint_eq(inj.size, 4);
	bytes_put32(bytes, 0xFEDCBA98, _i);
	ck_assert_mem_eq(inj.value, bytes, 4);
	ck_assert_uint_eq(inj.site_count, 7);
	for (uint32_t k = 0; k < 7; k++)
		expect_site(&o, "0xFEDCBA98", k, "prog", at[k]);
	bpfobj_free(&o);
}
END_TEST

START_TEST(declare_faults)
{
	struct bpfobj o = placeholders(false);
	uint32_t sites = o.t->site_count;
	struct bpfstamp_err err = { 0 };

	ck_assert_int_eq(bpfstamp_declare(o.t, "7", 2, false, &err), -1);
	ck_assert_str_eq(err.text, "test.o: constant 7 has 1 sites, but 2 are expected");
	ck_assert_int_eq(bpfstamp_declare(o.t, "7", 0, false, &err), -1);
	ck_assert_int_eq(bpfstamp_declare(o.t, "9", -1, false, &err), -1);
	bpfobj_says(&err, "test.o: no instruction has the constant 9: it may be folded into another");
	ck_assert_int_eq(err.code, ENOENT);
	ck_assert_int_eq(bpfstamp_declare(o.t, "nine", -1, false, &err), -1);
	bpfobj_says(&err, "placeholder nine: 'nine' is not a value");
	ck_assert_uint_eq(o.t->site_count, sites);
	ck_assert_uint_eq(bpfstamp_injectable_count(o.t), 1);
	ck_assert_int_eq(bpfstamp_declare(o.t, "7", 1, false, &err), 0);
	expect_site(&o, "7", 0, "prog", 6);
	ck_assert_int_eq(bpfstamp_declare(o.t, "0x7", -1, false, &err), -1);
	ck_assert_str_eq(err.text, "test.o: placeholder 0x7 is given twice");
	ck_assert_uint_eq(bpfstamp_injectable_count(o.t), 2);
	bpfobj_free(&o);
}
END_TEST

/* ----------------------------------------------------------------- suite */

Suite *suite_object(void)
{
	Suite *suite = suite_create("object");
	TCase *tcase = tcase_create("made by hand");

	tcase_add_loop_test(tcase, functions_and_types, 0, 2);
	tcase_add_test(tcase, program_by_type);
	tcase_add_test(tcase, text_alone_is_a_program);
	tcase_add_loop_test(tcase, no_function_symbols, 0, 2);
	tcase_add_loop_test(tcase, no_symbols, 0, 2);
	tcase_add_loop_test(tcase, data_sections, 0, 2);
	tcase_add_loop_test(tcase, sites_of_variables, 0, 7 * 4);
	tcase_add_test(tcase, unused_variable);
	tcase_add_test(tcase, ambiguous_names);
	tcase_add_test(tcase, nothing_to_stamp);
	tcase_add_loop_test(tcase, undefined_symbols, 0, 2);
	tcase_add_loop_test(tcase, declare_sites, 0, 2);
	tcase_add_test(tcase, declare_faults);
	suite_add_tcase(suite, tcase);
	return suite;
}
