// SPDX-License-Identifier: BSD-2-Clause
/*
 * Making room for values: what each instruction becomes, which register is
 * taken, and where jumps land; what is refused leaves the template as it was.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rewrite.h"

Suite *suite_widen(void);

#define OLD 0x12345678
#define OLD_TEXT "0x12345678"
#define NEW_TEXT "0xFEDCBA98"
#define LDDW_NEW(reg) reg " = 4275878552 ll"

static struct bpfobj sample(bool big, const struct bpfinsn *code, uint32_t slots)
{
	struct bpfobj o = bpfobj_new(big);

	bpfobj_func(&o, "f", bpfobj_code(&o, "tc", code, slots), 0, slots);
	bpfobj_open(&o);
	rewrite_declare(&o, OLD_TEXT);
	return o;
}

/* Widened for NEW, and stamped with it, f reads as text; with OLD again it does what it did. */
static const struct {
	const char *text;
	struct bpfinsn code[12];
	uint32_t slots;
} forms[] = {
	{ LDDW_NEW("r0") "; exit", { MOV64(0, OLD), EXIT }, 2 },
	{ "w0 = -19088744; exit", { MOV32(0, OLD), EXIT }, 2 },
	{ "r2 = r1; " LDDW_NEW("r0") "; r2 += r0; r0 = r2; exit",
	  { MOVX(2, 1), ALU64(BPF_OP_ADD, 2, OLD), MOVX(0, 2), EXIT }, 4 },
	{ "r0 = r1; " LDDW_NEW("r1") "; r0 ^= r1; exit", { MOVX(0, 1), ALU64(BPF_OP_XOR, 0, OLD), EXIT }, 3 },
	{ "r0 = r1; " LDDW_NEW("r1") "; r0 &= r1; r0 |= 1; exit",
	  { MOVX(0, 1), ALU64(BPF_OP_AND, 0, OLD), ALU64(BPF_OP_OR, 0, 1), EXIT }, 4 },
	{ "r0 = r1; " LDDW_NEW("r2") "; if r1 == r2 goto +1; r0 = r1; exit",
	  { MOVX(0, 1), JUMP(BPF_OP_JEQ, 1, OLD, 1), MOVX(0, 1), EXIT }, 4 },
	{ "r0 = 0; " LDDW_NEW("r2") "; if r1 != r2 goto +1; exit; r0 = 1; exit",
	  { MOV64(0, 0), JUMP(BPF_OP_JNE, 1, OLD, 1), EXIT, MOV64(0, 1), EXIT }, 5 },
	{ "r0 = 0; if w1 == -19088744 goto +0; exit",
	  { MOV64(0, 0), JUMP32(BPF_OP_JEQ, 1, OLD, 0), EXIT }, 3 },
	{ LDDW_NEW("r0") "; *(u64 *)(r10 - 8) = r0; r0 = *(u64 *)(r10 - 8); exit",
	  { STORE_IMM(BPF_SIZE_DW, 10, -8, OLD), LOAD(BPF_SIZE_DW, 0, 10, -8), EXIT }, 3 },
	{ "*(u32 *)(r10 - 8) = -19088744; w0 = *(u32 *)(r10 - 8); exit",
	  { STORE_IMM(BPF_SIZE_W, 10, -8, OLD), LOAD(BPF_SIZE_W, 0, 10, -8), EXIT }, 3 },
};

/* All of r0 to r9 are read behind the instruction, but spare (or none where it is 10). */
static uint32_t crowd(struct bpfinsn code[32], const struct bpfinsn *insn, uint8_t spare)
{
	uint32_t n = 0;

	for (uint8_t reg = 0; reg < 10; reg++)
		if (reg != 1 && reg != spare)
			code[n++] = (struct bpfinsn)MOVX(reg, 1);
	code[n++] = *insn;
	for (uint8_t reg = 0; reg < 10; reg++)
		if (reg != 0 && reg != spare)
			code[n++] = (struct bpfinsn)ALUX(BPF_OP_ADD, 0, reg);
	code[n++] = (struct bpfinsn)EXIT;
	return n;
}

START_TEST(each_form)
{
	uint32_t i = (uint32_t)_i / 2;
	struct bpfobj o = sample(_i & 1, forms[i].code, forms[i].slots);
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	uint64_t before = rewrite_run(&o, s, "f", OLD), other = rewrite_run(&o, s, "f", 77);

	bpfstamp_stamp_free(s);
	rewrite_widen(&o, OLD_TEXT, NEW_TEXT);
	s = bpfobj_stamp(&o);
	ck_assert_uint_eq(rewrite_run(&o, s, "f", OLD), before);
	ck_assert_uint_eq(rewrite_run(&o, s, "f", 77), other);
	bpfobj_set(s, OLD_TEXT, NEW_TEXT);
	rewrite_is(&o, s->image, "f", forms[i].text);
	bpfobj_set(s, OLD_TEXT, OLD_TEXT);
	ck_assert_uint_eq(rewrite_run(&o, s, "f", OLD), before);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* Each register in turn is the only free one, and is the one that is taken. */
START_TEST(the_free_register)
{
	static const struct bpfinsn insn = ALU64(BPF_OP_ADD, 1, OLD);
	struct bpfinsn code[32], first, second;
	uint32_t n = crowd(code, &insn, (uint8_t)_i);
	struct bpfobj o = sample(false, code, n);
	uint32_t at = 0;

	rewrite_widen(&o, OLD_TEXT, NEW_TEXT);
	while (code[at].imm != OLD)
		at++;
	bpfinsn_decode(o.t->image + at * 8, false, &first);
	bpfinsn_decode(o.t->image + (at + 2) * 8, false, &second);
	ck_assert_uint_eq(first.code, BPF_CODE_LDDW);
	ck_assert_uint_eq(first.dst, (uint8_t)_i);
	ck_assert_uint_eq(second.src, (uint8_t)_i);
	ck_assert_uint_eq(second.dst, 1);
	ck_assert_uint_eq(o.t->codes[0].insns, n + 2);
	bpfobj_free(&o);
}
END_TEST

/* The template as it is, to see that nothing changes. */
static void check_refused(struct bpfobj *o, const char *value, const char *text)
{
	const struct bpfstamp_template *t = o->t;
	uint8_t *image = malloc(t->image_size);
	uint32_t size = t->image_size, sites = t->site_count, insns = t->funcs[0].insns;
	struct bpfstamp_err err = { 0 };

	ck_assert_ptr_nonnull(image);
	memcpy(image, t->image, size);
	ck_assert_int_eq(bpfstamp_widen(o->t, OLD_TEXT, value, &err), -1);
	ck_assert_int_eq(err.code, ERANGE);
	bpfobj_says(&err, text);
	ck_assert_uint_eq(t->image_size, size);
	ck_assert_uint_eq(t->site_count, sites);
	ck_assert_uint_eq(t->funcs[0].insns, insns);
	ck_assert_ptr_null(t->codes[0].moved);
	ck_assert(!memcmp(image, t->image, size));
	free(image);
}

START_TEST(no_register_is_free)
{
	static const struct bpfinsn insns[] = { ALU64(BPF_OP_ADD, 1, OLD), JUMP(BPF_OP_JEQ, 1, OLD, 0),
						STORE_IMM(BPF_SIZE_DW, 10, -8, OLD) };
	struct bpfinsn code[32];
	struct bpfobj o = sample(_i & 1, code, crowd(code, &insns[_i / 2], 10));

	check_refused(&o, NEW_TEXT, "test.o: instruction 9 of f cannot hold 0xfedcba98: "
		      "no register is free to load it into; use STAMP() or a global");
	bpfobj_free(&o);
}
END_TEST

/* Arguments of a call that follows are not free. */
START_TEST(arguments_are_in_use)
{
	static const struct bpfinsn code[] = {
		MOVX(6, 1), MOV64(1, 1), MOV64(2, 2), MOV64(3, 3), ALU64(BPF_OP_ADD, 6, OLD), HELPER(1), MOVX(0, 6),
		EXIT,
	};
	struct bpfobj o = sample(false, code, COUNT(code));
	struct bpfstamp_stamp *s;

	rewrite_widen(&o, OLD_TEXT, NEW_TEXT);
	s = bpfobj_stamp(&o);
	bpfobj_set(s, OLD_TEXT, NEW_TEXT);
	rewrite_is(&o, s->image, "f", "r6 = r1; r1 = 1; r2 = 2; r3 = 3; " LDDW_NEW("r0")
		   "; r6 += r0; call 1; r0 = r6; exit");
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* Jumps to it land on its lddw, from both sides, and all that cross it are longer. */
START_TEST(jumps)
{
	static const struct bpfinsn code[] = {
		MOV64(0, 0), JUMP(BPF_OP_JEQ, 1, 1, 2), JUMP(BPF_OP_JEQ, 1, 2, 2), GOTO(0),
		ALU64(BPF_OP_ADD, 0, OLD), ALU64(BPF_OP_ADD, 1, 1), JUMP(BPF_OP_JLT, 1, 4, -3),
		JUMP(BPF_OP_JLT, 1, 0, -8), JUMP(BPF_OP_JEQ, 0, OLD, -6), EXIT,
	};
	struct bpfobj o = sample(_i, code, COUNT(code));
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	uint64_t before[5];

	for (uint64_t i = 0; i < 5; i++)
		before[i] = rewrite_run(&o, s, "f", i + 1);
	bpfstamp_stamp_free(s);
	rewrite_widen(&o, OLD_TEXT, NEW_TEXT);
	s = bpfobj_stamp(&o);
	for (uint64_t i = 0; i < 5; i++)
		ck_assert_uint_eq(rewrite_run(&o, s, "f", i + 1), before[i]);
	bpfobj_set(s, OLD_TEXT, NEW_TEXT);
	rewrite_is(&o, s->image, "f", "r0 = 0; if r1 == 1 goto +2; if r1 == 2 goto +4; goto +0; " LDDW_NEW("r2")
		   "; r0 += r2; r1 += 1; if r1 < 4 goto -5; if r1 < 0 goto -10; " LDDW_NEW("r2")
		   "; if r0 == r2 goto -10; exit");
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/*
 * A jump of 32766 slots over one that grows by two has 32768, which 16 bits do
 * not hold; over one that fits it works.
 */
START_TEST(jump_becomes_too_long)
{
	enum { SLOTS = 32770 };
	struct bpfinsn *code = calloc(SLOTS, sizeof(*code));
	struct bpfstamp_stamp *s;
	struct bpfobj o;

	ck_assert_ptr_nonnull(code);
	for (uint32_t i = 0; i < SLOTS; i++)
		code[i] = (struct bpfinsn)MOV64(0, 0);
	code[0] = (struct bpfinsn)JUMP(BPF_OP_JEQ, 1, 0, _i ? 32766 : 32765);
	code[5] = (struct bpfinsn)ALU64(BPF_OP_ADD, 1, OLD);
	code[SLOTS - 1] = (struct bpfinsn)EXIT;
	o = sample(false, code, SLOTS);
	if (_i) {
		check_refused(&o, NEW_TEXT,
			      "test.o: instruction 0 of f: the code grew so much that its jump does not fit 16 bits");
		s = bpfobj_stamp(&o);
		bpfobj_set(s, OLD_TEXT, "0x7FFFFFFF");
	} else {
		rewrite_widen(&o, OLD_TEXT, NEW_TEXT);
		s = bpfobj_stamp(&o);
		bpfobj_set(s, OLD_TEXT, NEW_TEXT);
	}
	ck_assert_uint_eq(rewrite_run(&o, s, "f", 0), 0);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
	free(code);
}
END_TEST

/* -C and ~C have room for their own meaning; a site that has it already does not change. */
START_TEST(derived_sites)
{
	static const struct bpfinsn code[] = {
		MOVX(0, 1), ALU64(BPF_OP_ADD, 0, -OLD), ALU64(BPF_OP_XOR, 0, ~OLD), MOV32(2, OLD),
		ALUX(BPF_OP_ADD, 0, 2), EXIT,
	};
	struct bpfobj o = sample(_i, code, COUNT(code));
	struct bpfstamp_stamp *s;

	rewrite_widen(&o, OLD_TEXT, NEW_TEXT);
	s = bpfobj_stamp(&o);
	bpfobj_set(s, OLD_TEXT, NEW_TEXT);
	rewrite_is(&o, s->image, "f", "r0 = r1; r1 = -4275878552 ll; r0 += r1; r1 = -4275878553 ll; r0 ^= r1; "
		   "w2 = -19088744; r0 += r2; exit");
	ck_assert_uint_eq(rewrite_run(&o, s, "f", 5), ((5 - 0xFEDCBA98ull) ^ ~0xFEDCBA98ull) + 0xFEDCBA98ull);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* A value that fits everywhere changes nothing, nor does widening what is no placeholder, nor a second time. */
START_TEST(nothing_to_do)
{
	static const struct bpfinsn code[] = { MOV64(0, OLD), EXIT };
	struct bpfobj o = sample(_i, code, COUNT(code));
	struct bpfstamp_err err = { 0 };

	rewrite_widen(&o, OLD_TEXT, "0x7FFFFFFF");
	ck_assert_ptr_null(o.t->codes[0].moved);
	rewrite_is(&o, o.t->image, "f", "r0 = 305419896; exit");
	rewrite_widen(&o, OLD_TEXT, "0x80000000");
	rewrite_is(&o, o.t->image, "f", "r0 = 305419896 ll; exit");
	rewrite_widen(&o, OLD_TEXT, NEW_TEXT);
	rewrite_is(&o, o.t->image, "f", "r0 = 305419896 ll; exit");
	ck_assert_int_eq(bpfstamp_widen(o.t, "nobody", "1", &err), -1);
	ck_assert_int_eq(err.code, ENOENT);
	ck_assert_int_eq(bpfstamp_widen(o.t, OLD_TEXT, "0x100000000", &err), -1);
	bpfobj_says(&err, "does not fit");
	bpfobj_free(&o);
}
END_TEST

Suite *suite_widen(void)
{
	Suite *suite = suite_create("widen");
	TCase *tcase = tcase_create("widen");

	tcase_add_loop_test(tcase, each_form, 0, 2 * (int)COUNT(forms));
	tcase_add_loop_test(tcase, the_free_register, 2, 10);
	tcase_add_loop_test(tcase, no_register_is_free, 0, 6);
	tcase_add_test(tcase, arguments_are_in_use);
	tcase_add_loop_test(tcase, jumps, 0, 2);
	tcase_add_loop_test(tcase, jump_becomes_too_long, 0, 2);
	tcase_add_loop_test(tcase, derived_sites, 0, 2);
	tcase_add_loop_test(tcase, nothing_to_do, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
