// SPDX-License-Identifier: BSD-2-Clause
/*
 * Linking: which functions follow the entry in which order, what their calls
 * become, where func_info and line_info go; call graphs that are deep or round;
 * and what an object may hold but a program may not use.
 */
#include <check.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/link.h"
#include "tests/bpfobj.h"
#include "tests/btfgen.h"

Suite *suite_link(void);

static struct link *link_of(const struct bpfobj *o, const char *name)
{
	struct bpfstamp_err err = { 0 };
	struct link *link;

	ck_assert_msg(!link_program(&link, o->t, bpfobj_program(o, name, NULL), &err), "%s", err.text);
	return link;
}

/* func_info of tc (main) and .text (a, b, c), and a line for each second instruction. */
static void add_ext(struct btfgen *gen, uint32_t proto)
{
	static const char *const names[] = { "main", "a", "b", "c" };
	static const uint32_t start[] = { 0, 0, 3, 6 };
	uint32_t file = btfgen_string(gen, "f.c"), id[4];

	for (int i = 0; i < 4; i++)
		id[i] = btfgen_type(gen, names[i], BTF_FUNC, 1, proto);
	btfgen_ext_word(gen, BTF_EXT_FUNC, 8);
	btfgen_ext_word(gen, BTF_EXT_LINE, 16);
	for (int part = 0; part < 2; part++) {
		for (int section = 0; section < 2; section++) {
			btfgen_ext_word(gen, (enum btf_ext_part)part, btfgen_string(gen, section ? ".text" : "tc"));
			btfgen_ext_word(gen, (enum btf_ext_part)part, section ? 3 : 1);
			for (int i = section; i < (section ? 4 : 1); i++) {
				btfgen_ext_word(gen, (enum btf_ext_part)part, start[i] * 8);
				btfgen_ext_word(gen, (enum btf_ext_part)part, part ? file : id[i]);
				if (!part)
					continue;
				btfgen_ext_word(gen, BTF_EXT_LINE, file);
				btfgen_ext_word(gen, BTF_EXT_LINE, (uint32_t)(i + 1) << 10 | 7);
			}
		}
	}
}

/* main calls c (global, by its symbol) and a (through the section); c calls b, b calls c; a takes b's address. */
static struct bpfobj sample(bool big)
{
	static const struct bpfinsn main_code[] = { CALL(-1), CALL(-1), EXIT };
	static const struct bpfinsn text_code[] = {
		LDDW(2, 24), EXIT,			/* a at 0 */
		CALL(2), MOV64(0, 2), EXIT,		/* b at 3 */
		CALL(-4), MOV64(0, 3), EXIT,		/* c at 6 */
		EXIT,					/* d at 9, called by nobody */
	};
	struct btfgen *gen = btfgen_new(big);
	struct bpfobj o = bpfobj_new(big);
	uint32_t tc = bpfobj_code(&o, "tc", main_code, 3), text = bpfobj_code(&o, ".text", text_code, 10);
	uint32_t section = bpfobj_section_symbol(&o, text), c, proto;

	proto = btfgen_type(gen, "", BTF_FUNC_PROTO, 0, 0);
	add_ext(gen, proto);
	bpfobj_btf(&o, gen, true);
	bpfobj_func(&o, "main", tc, 0, 3);
	bpfobj_func(&o, "a", text, 0, 3);
	bpfobj_func(&o, "b", text, 3, 3);
	c = bpfobj_func(&o, "c", text, 6, 3);
	bpfobj_func(&o, "d", text, 9, 1);
	bpfobj_rel(&o, tc, 0, R_BPF_64_32, c);
	bpfobj_rel(&o, tc, 1, R_BPF_64_32, section);
	bpfobj_rel(&o, text, 0, R_BPF_64_64, section);
	bpfobj_open(&o);
	return o;
}

static void expect_chunk(const struct bpfobj *o, const struct link *link, uint32_t i, const char *name, uint32_t at)
{
	ck_assert_uint_eq(link->chunks[i].func, bpfobj_program(o, name, NULL));
	ck_assert_uint_eq(link->chunks[i].at, at);
	ck_assert_uint_eq(link->func_info[i].insn_off, at);
	ck_assert_uint_eq(link->func_info[i].type_id, o->t->funcs[link->chunks[i].func].btf);
	ck_assert_uint_eq(link->line_info[i].insn_off, at);
	ck_assert_uint_eq(link->line_info[i].line_col & 0x3ff, 7);
	ck_assert_str_eq(btf_string(&o->t->btf, link->line_info[i].file_name_off), "f.c");
}

START_TEST(order_and_calls)
{
	static const struct bpfinsn expected[12] = {
		CALL(2), CALL(7), EXIT,			/* main at 0: c at 3, a at 9 */
		CALL(2), MOV64(0, 3), EXIT,		/* c at 3: b at 6 */
		CALL(-4), MOV64(0, 2), EXIT,		/* b at 6: c */
		{ .code = BPF_CODE_LDDW, .dst = 2, .src = BPF_PSEUDO_FUNC, .imm = -4 }, { 0 }, EXIT,
	};
	struct bpfobj o = sample(_i);
	struct link *link = link_of(&o, "main");
	uint32_t code, insn;
	uint8_t insns[12 * 8], raw[8];

	ck_assert_uint_eq(link->insns, 12);
	ck_assert_uint_eq(link->chunk_count, 4);
	ck_assert_uint_eq(link->func_info_count, 4);
	ck_assert_uint_eq(link->line_info_count, 4);
	expect_chunk(&o, link, 0, "main", 0);
	expect_chunk(&o, link, 1, "c", 3);
	expect_chunk(&o, link, 2, "b", 6);
	expect_chunk(&o, link, 3, "a", 9);
	ck_assert_uint_eq(link->line_info[1].line_col >> 10, 4);
	link_gather(link, o.t, o.t->image, insns);
	for (uint32_t i = 0; i < 12; i++) {
		bpfinsn_encode(raw, _i, &expected[i]);
		ck_assert_msg(!memcmp(raw, insns + 8 * i, 8), "instruction %u", i);
		ck_assert(link_origin(link, o.t, i, &code, &insn));
		ck_assert_str_eq(o.t->codes[code].name, i < 3 ? "tc" : ".text");
		ck_assert_uint_eq(insn, i < 3 ? i : i < 6 ? i + 3 : i < 9 ? i - 3 : i - 9);
	}
	ck_assert(!link_origin(link, o.t, 12, &code, &insn));
	link_free(link);
	bpfobj_free(&o);
}
END_TEST

/* func_info is for all functions or for none: d has no BTF. */
START_TEST(func_info_of_all)
{
	struct bpfobj o = sample(false);
	struct link *link = link_of(&o, "d");

	ck_assert_uint_eq(link->func_info_count, 0);
	ck_assert_uint_eq(link->insns, 1);
	link_free(link);
	bpfobj_free(&o);
}
END_TEST

enum { DEEP = 20000 };

/* Function i calls i + 1, and the last one calls the first where round. */
START_TEST(deep_calls)
{
	struct bpfinsn *code = calloc(2 * DEEP, sizeof(*code));
	struct bpfobj o = bpfobj_new(false);
	struct link *link;
	char name[16];
	uint32_t tc;

	for (uint32_t i = 0; i < DEEP; i++) {
		code[2 * i] = (struct bpfinsn)CALL(i + 1 < DEEP ? 1 : _i ? -(2 * DEEP - 1) : -1);
		code[2 * i + 1] = (struct bpfinsn)EXIT;
	}
	tc = bpfobj_code(&o, "tc", code, 2 * DEEP);
	free(code);
	for (uint32_t i = 0; i < DEEP; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		bpfobj_func(&o, name, tc, 2 * i, 2);
	}
	bpfobj_open(&o);
	link = link_of(&o, "f0");
	ck_assert_uint_eq(link->insns, 2 * DEEP);
	ck_assert_uint_eq(link->chunk_count, DEEP);
	for (uint32_t i = 0; i < DEEP; i++)
		ck_assert_uint_eq(link->chunks[i].func, i);
	ck_assert_int_eq(link->calls[DEEP - 1].imm, _i ? -(2 * DEEP - 1) : -1);
	link_free(link);
	bpfobj_free(&o);
}
END_TEST

START_TEST(too_long)
{
	const uint32_t slots = 1000000 - (uint32_t)_i;
	struct bpfinsn *code = calloc(slots, sizeof(*code));
	static const struct bpfinsn text_code[] = { EXIT };
	struct bpfobj o = bpfobj_new(false);
	struct bpfstamp_err err = { 0 };
	uint32_t tc, text;
	struct link *link;

	for (uint32_t i = 1; i < slots; i++)
		code[i] = (struct bpfinsn)EXIT;
	code[0] = (struct bpfinsn)CALL(-1);
	tc = bpfobj_code(&o, "tc", code, slots);
	text = bpfobj_code(&o, ".text", text_code, 1);
	free(code);
	bpfobj_func(&o, "main", tc, 0, slots);
	bpfobj_rel(&o, tc, 0, R_BPF_64_32, bpfobj_func(&o, "sub", text, 0, 1));
	bpfobj_open(&o);
	if (_i) {
		link = link_of(&o, "main");
		ck_assert_uint_eq(link->insns, 1000000);
		link_free(link);
	} else {
		ck_assert_int_eq(link_program(&link, o.t, bpfobj_program(&o, "main", NULL), &err), -1);
		ck_assert_str_eq(err.text,
				 "test.o: program main has more than 1000000 instructions with what it calls");
	}
	bpfobj_free(&o);
}
END_TEST

/* A symbol without a value is named by the link of the program that loads it, and of no other. */
START_TEST(symbols_and_maps)
{
	static const struct bpfinsn code[] = { LDDW(1, 0), LDDW(2, 0), LDDW(3, 4), EXIT, EXIT };
	static const uint8_t raw[8];
	struct bpfobj o = bpfobj_new(_i);
	uint32_t tc = bpfobj_code(&o, "tc", code, 8), data = bpfobj_data(&o, ".data", raw, 8);
	struct link *link;

	bpfobj_func(&o, "prog", tc, 0, 7);
	bpfobj_func(&o, "none", tc, 7, 1);
	bpfobj_rel(&o, tc, 0, R_BPF_64_64, bpfobj_undefined(&o, "strong", ELF64_STB_GLOBAL));
	bpfobj_rel(&o, tc, 2, R_BPF_64_64, bpfobj_undefined(&o, "weak", ELF64_STB_WEAK));
	bpfobj_rel(&o, tc, 4, R_BPF_64_64, bpfobj_section_symbol(&o, data));
	bpfobj_open(&o);
	link = link_of(&o, "prog");
	ck_assert_uint_eq(link->symbol_count, 1);
	ck_assert_uint_eq(link->symbols[0], bpfobj_find(&o, "strong", NULL));
	ck_assert_uint_eq(link->map_count, 1);
	ck_assert_uint_eq(link->maps[0].at, 4);
	ck_assert_uint_eq(link->maps[0].offset, 4);
	ck_assert(link->maps[0].value);
	ck_assert_ptr_null(link->func_info);
	link_free(link);
	link = link_of(&o, "none");
	ck_assert_uint_eq(link->symbol_count + link->map_count, 0);
	link_free(link);
	bpfobj_free(&o);
}
END_TEST

/* ------------------------------------------------------- refused at load */

enum target { T_DATA, T_DEBUG, T_HUGE, T_ABS, T_TEXT, T_UNDEF, T_NONE };

/* One instruction (an lddw or a call) with a relocation to a target: what the link says. */
static const struct {
	struct bpfinsn insn[2];
	enum target target;
	uint64_t value;
	const char *why;
} at_load[] = {
	{ { LDDW(1, 7) }, T_DATA, 0, NULL },
	{ { LDDW(1, 8) }, T_DATA, 0, "it refers to an address outside its data section" },
	{ { LDDW(1, 0) }, T_DATA, 8, "it refers to an address outside its data section" },
	{ { LDDW(1, (uint32_t)-1) }, T_DATA, 0, "it refers to an address outside its data section" },
	{ { LDDW(1, (uint32_t)-1) }, T_DATA, 1, NULL },
	{ { LDDW(1, 0) }, T_DEBUG, 0, "it refers to a section that is neither data, nor maps, nor code" },
	{ { LDDW(1, 1) }, T_HUGE, INT64_MAX, "it refers to a section that is neither data, nor maps, nor code" },
	{ { LDDW(1, 0) }, T_ABS, 0, "it refers to an absolute or common symbol" },
	{ { LDDW(1, 0) }, T_TEXT, 0, NULL },
	{ { LDDW(1, 8) }, T_TEXT, 8, NULL },
	{ { LDDW(1, 8) }, T_TEXT, 0, "it takes the address of code that is not the start of a function" },
	{ { LDDW(1, 1) }, T_TEXT, 0, "it takes the address of code that is not the start of a function" },
	{ { LDDW(1, 24) }, T_TEXT, 0, "it takes the address of code that is not the start of a function" },
	{ { LDDW(1, 1) }, T_UNDEF, 0, "it adds a number to an undefined symbol, which is not supported" },
	{ { CALL(-1), MOV64(0, 0) }, T_TEXT, 0, NULL },
	{ { CALL(1), MOV64(0, 0) }, T_TEXT, 0, NULL },
	{ { CALL(-1), MOV64(0, 0) }, T_TEXT, 16, NULL },
	{ { CALL(0), MOV64(0, 0) }, T_TEXT, 0, "it calls code that is not the start of a function" },
	{ { CALL(2), MOV64(0, 0) }, T_TEXT, 0, "it calls code that is not the start of a function" },
	{ { CALL(-2), MOV64(0, 0) }, T_TEXT, 0, "it calls code that is not the start of a function" },
	{ { CALL(INT32_MIN), MOV64(0, 0) }, T_TEXT, 0, "it calls code that is not the start of a function" },
	{ { CALL(-1), MOV64(0, 0) }, T_DATA, 0, "it calls code that is not the start of a function" },
	{ { CALL(-1), MOV64(0, 0) }, T_UNDEF, 0,
	  "it calls a function that neither the object defines, nor its BTF declares as one of the kernel's" },
	{ { { .code = 0x85, .src = 2, .imm = -1 }, MOV64(0, 0) }, T_UNDEF, 0,
	  "it calls a function that neither the object defines, nor its BTF declares as one of the kernel's" },
	{ { CALL(1), MOV64(0, 0) }, T_NONE, 0, "it calls code that is not the start of a function" },
	{ { CALL(-1), MOV64(0, 0) }, T_NONE, 0, NULL },
};

/* Function prog (3 slots) with that instruction; .text has functions at slots 0 and 2. */
static struct bpfobj with_target(int i, bool big)
{
	static const struct bpfinsn text_code[] = { MOV64(0, 0), EXIT, EXIT };
	struct bpfinsn code[3] = { at_load[i].insn[0], at_load[i].insn[1], EXIT };
	struct bpfobj o = bpfobj_new(big);
	uint32_t tc = bpfobj_code(&o, "tc", code, 3), text = bpfobj_code(&o, ".text", text_code, 3), section[7];
	uint8_t raw[8] = { 0 };

	section[T_DATA] = bpfobj_data(&o, ".data", raw, 8);
	section[T_DEBUG] = elfgen_section(o.gen, &(struct elf64_section){
		.name = ".debug", .type = ELF64_SHT_PROGBITS, .bytes = raw, .size = 8 });
	section[T_HUGE] = elfgen_section(o.gen, &(struct elf64_section){
		.name = "huge", .type = ELF64_SHT_NOBITS, .size = UINT64_MAX });
	section[T_ABS] = ELF64_SHN_ABS;
	section[T_TEXT] = text;
	section[T_UNDEF] = ELF64_SHN_UNDEF;
	bpfobj_func(&o, "prog", tc, 0, 3);
	bpfobj_func(&o, "sub", text, 0, 2);
	bpfobj_func(&o, "last", text, 2, 1);
	if (at_load[i].target != T_NONE)
		bpfobj_rel(&o, tc, 0, R_BPF_64_64, elfgen_symbol(o.gen, &(struct elf64_symbol){
			.name = "target", .bind = ELF64_STB_GLOBAL, .section = section[at_load[i].target],
			.value = at_load[i].value }));
	bpfobj_open(&o);
	return o;
}

START_TEST(refused_at_load)
{
	struct bpfobj o = with_target(_i / 2, _i & 1);
	struct link *untouched = (struct link *)(void *)&o, *link = untouched;
	struct bpfstamp_err err = { 0 };
	char text[256];

	if (at_load[_i / 2].why) {
		ck_assert_msg(link_program(&link, o.t, bpfobj_program(&o, "prog", NULL), &err) == -1, "%s",
			      at_load[_i / 2].why);
		ck_assert_ptr_eq(link, untouched);
		snprintf(text, sizeof(text), "test.o: cannot load: instruction 0 of prog: %s", at_load[_i / 2].why);
		ck_assert_str_eq(err.text, text);
	} else {
		ck_assert_msg(!link_program(&link, o.t, bpfobj_program(&o, "prog", NULL), &err), "%s", err.text);
		link_free(link);
	}
	bpfobj_free(&o);
}
END_TEST

Suite *suite_link(void)
{
	Suite *suite = suite_create("link");
	TCase *tcase = tcase_create("link");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, order_and_calls, 0, 2);
	tcase_add_test(tcase, func_info_of_all);
	tcase_add_loop_test(tcase, deep_calls, 0, 2);
	tcase_add_loop_test(tcase, too_long, 0, 2);
	tcase_add_loop_test(tcase, symbols_and_maps, 0, 2);
	tcase_add_loop_test(tcase, refused_at_load, 0, 2 * (int)(sizeof(at_load) / sizeof(at_load[0])));
	suite_add_tcase(suite, tcase);
	return suite;
}
