// SPDX-License-Identifier: BSD-2-Clause
/*
 * Immediates by meaning: for one instruction of each class and operation, what
 * its 32 bits mean, which constants it holds, what can be written to it, and
 * that what was written is found again; in both byte orders.
 */
#include <check.h>
#include <inttypes.h>
#include <string.h>

#include "bpfinsn/imm.h"

Suite *suite_imm(void);

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum { K = 0, X = BPF_SOURCE_X };

/* Codes, and the form of their immediate. */
static const struct { uint8_t code; enum imm_form form; } codes[] = {
	{ BPF_CODE_LDDW, IMM_LDDW },
	{ BPF_CLASS_LD | BPF_MODE_ABS | BPF_SIZE_W, IMM_ZEXT32 },
	{ BPF_CLASS_LD | BPF_MODE_ABS | BPF_SIZE_B, IMM_ZEXT32 },
	{ BPF_CLASS_LD | BPF_MODE_IND | BPF_SIZE_H, IMM_ZEXT32 },
	{ BPF_CLASS_LDX | BPF_MODE_MEM | BPF_SIZE_W, IMM_NONE },
	{ BPF_CLASS_LDX | BPF_MODE_MEMSX | BPF_SIZE_W, IMM_NONE },
	{ BPF_CLASS_STX | BPF_MODE_MEM | BPF_SIZE_W, IMM_NONE },
	{ BPF_CLASS_STX | BPF_MODE_ATOMIC | BPF_SIZE_W, IMM_NONE },
	{ BPF_CLASS_STX | BPF_MODE_ATOMIC | BPF_SIZE_DW, IMM_NONE },
	{ BPF_CLASS_ST | BPF_MODE_MEM | BPF_SIZE_B, IMM_LOW8 },
	{ BPF_CLASS_ST | BPF_MODE_MEM | BPF_SIZE_H, IMM_LOW16 },
	{ BPF_CLASS_ST | BPF_MODE_MEM | BPF_SIZE_W, IMM_ZEXT32 },
	{ BPF_CLASS_ST | BPF_MODE_MEM | BPF_SIZE_DW, IMM_SEXT32 },
	{ BPF_CLASS_ALU | BPF_OP_NEG, IMM_NONE }, { BPF_CLASS_ALU64 | BPF_OP_NEG, IMM_NONE },
	{ BPF_CLASS_ALU | BPF_OP_END, IMM_NONE }, { BPF_CLASS_ALU | BPF_OP_END | X, IMM_NONE },
	{ BPF_CLASS_ALU64 | BPF_OP_END, IMM_NONE },
	{ BPF_CLASS_JMP | BPF_OP_JA, IMM_NONE }, { BPF_CLASS_JMP32 | BPF_OP_JA, IMM_NONE },
	{ BPF_CLASS_JMP | BPF_OP_CALL, IMM_NONE }, { BPF_CLASS_JMP | BPF_OP_CALL | X, IMM_NONE },
	{ BPF_CLASS_JMP | BPF_OP_EXIT, IMM_NONE }, { BPF_CLASS_JMP | BPF_OP_JCOND, IMM_NONE },
};

static void expect_meaning(uint8_t code, enum imm_form form)
{
	static const struct { int32_t imm; uint64_t zext, sext, low16, low8; } imms[] = {
		{ 0x12345678, 0x12345678, 0x12345678, 0x5678, 0x78 },
		{ (int32_t)0xFEDCBA98, 0xFEDCBA98, 0xFFFFFFFFFEDCBA98, 0xBA98, 0x98 },
		{ -1, 0xFFFFFFFF, UINT64_MAX, 0xFFFF, 0xFF }, { 0, 0, 0, 0, 0 },
	};

	for (int i = 0; i < COUNT(imms); i++) {
		const struct bpfinsn insn[2] = { { .code = code, .imm = imms[i].imm }, { .imm = 0x7fffffff } };
		uint64_t expected = form == IMM_LDDW ? imms[i].zext | 0x7fffffffull << 32 :
				    form == IMM_SEXT32 ? imms[i].sext : form == IMM_LOW16 ? imms[i].low16 :
				    form == IMM_LOW8 ? imms[i].low8 : imms[i].zext;
		uint64_t value = 0xa5;

		ck_assert_msg(imm_meaning(insn, &value) == form, "code %#x", code);
		if (form)
			ck_assert_msg(value == expected, "code %#x: %#" PRIx64, code, value);
	}
}

START_TEST(meaning_by_class)
{
	expect_meaning(codes[_i].code, codes[_i].form);
}
END_TEST

START_TEST(meaning_by_operation)
{
	static const uint8_t alu[] = {
		BPF_OP_ADD, BPF_OP_SUB, BPF_OP_MUL, BPF_OP_DIV, BPF_OP_OR, BPF_OP_AND, BPF_OP_LSH, BPF_OP_RSH,
		BPF_OP_MOD, BPF_OP_XOR, BPF_OP_MOV, BPF_OP_ARSH,
	};
	static const uint8_t jump[] = {
		BPF_OP_JEQ, BPF_OP_JGT, BPF_OP_JGE, BPF_OP_JSET, BPF_OP_JNE, BPF_OP_JSGT, BPF_OP_JSGE, BPF_OP_JLT,
		BPF_OP_JLE, BPF_OP_JSLT, BPF_OP_JSLE,
	};

	for (int i = 0; i < COUNT(alu); i++) {
		expect_meaning(BPF_CLASS_ALU | alu[i], IMM_ZEXT32);
		expect_meaning(BPF_CLASS_ALU64 | alu[i], IMM_SEXT32);
		expect_meaning(BPF_CLASS_ALU | alu[i] | X, IMM_NONE);
		expect_meaning(BPF_CLASS_ALU64 | alu[i] | X, IMM_NONE);
	}
	for (int i = 0; i < COUNT(jump); i++) {
		expect_meaning(BPF_CLASS_JMP32 | jump[i], IMM_ZEXT32);
		expect_meaning(BPF_CLASS_JMP | jump[i], IMM_SEXT32);
		expect_meaning(BPF_CLASS_JMP32 | jump[i] | X, IMM_NONE);
		expect_meaning(BPF_CLASS_JMP | jump[i] | X, IMM_NONE);
	}
}
END_TEST

START_TEST(addresses_mean_nothing)
{
	for (uint8_t src = 1; src <= BPF_SRC_MAP_IDX_VALUE; src++) {
		const struct bpfinsn insn[2] = { { .code = BPF_CODE_LDDW, .src = src, .imm = 7 } };
		const struct imm_constant seven = { 7, 32, false };
		uint64_t value;

		ck_assert_int_eq(imm_meaning(insn, &value), IMM_NONE);
		ck_assert_int_eq(imm_match(insn, &seven), IMM_NONE);
	}
}
END_TEST

/* ---------------------------------------------------------------- matches */

enum {
	MOV32_K = BPF_CLASS_ALU | BPF_OP_MOV, MOV64_K = BPF_CLASS_ALU64 | BPF_OP_MOV,
	JEQ32 = BPF_CLASS_JMP32 | BPF_OP_JEQ, JEQ64 = BPF_CLASS_JMP | BPF_OP_JEQ,
	ST_B = BPF_CLASS_ST | BPF_MODE_MEM | BPF_SIZE_B, ST_H = BPF_CLASS_ST | BPF_MODE_MEM | BPF_SIZE_H,
	ST_W = BPF_CLASS_ST | BPF_MODE_MEM | BPF_SIZE_W, ST_DW = BPF_CLASS_ST | BPF_MODE_MEM | BPF_SIZE_DW,
};

#define P 0xFEDCBA98u
#define Q 0x12345678u

static const struct {
	uint8_t code;
	uint64_t imm;		/* 64 bits for lddw */
	struct imm_constant c;
	enum imm_form form;
} matches[] = {
	{ BPF_CODE_LDDW, P, { P, 32, false }, IMM_LDDW },
	{ BPF_CODE_LDDW, 0xCAFED00D00000000 | P, { P, 32, false }, IMM_LDDW_LOW },
	{ BPF_CODE_LDDW, (uint64_t)P << 32 | 0xCAFED00D, { P, 32, false }, IMM_LDDW_HIGH },
	{ BPF_CODE_LDDW, (uint64_t)P << 32, { P, 32, false }, IMM_LDDW_HIGH },
	{ BPF_CODE_LDDW, 0xFFFFFFFF00000000 | P, { P, 32, false }, IMM_NONE },
	{ BPF_CODE_LDDW, 0xFFFFFFFF00000000 | Q, { Q, 32, false }, IMM_LDDW_LOW },
	{ BPF_CODE_LDDW, P + 1ull, { P, 32, false }, IMM_NONE },
	{ BPF_CODE_LDDW, 0xCAFED00D00000000 | P, { 0xCAFED00D00000000 | P, 64, false }, IMM_LDDW },
	{ BPF_CODE_LDDW, 0xCAFED00D00001234, { 0x1234, 16, false }, IMM_NONE },
	{ BPF_CODE_LDDW, 0x1234, { 0x1234, 16, false }, IMM_LDDW },
	{ BPF_CODE_LDDW, UINT64_MAX, { UINT64_MAX, 8, true }, IMM_LDDW },
	{ BPF_CODE_LDDW, 0xFFFFFFFF, { UINT64_MAX, 8, true }, IMM_NONE },
	{ MOV32_K, P, { P, 32, false }, IMM_ZEXT32 }, { JEQ32, P, { P, 32, false }, IMM_ZEXT32 },
	{ ST_W, P, { P, 32, false }, IMM_ZEXT32 }, { MOV32_K, P - 1, { P, 32, false }, IMM_NONE },
	{ MOV32_K, P, { 0xFFFFFFFF00000000 | P, 64, false }, IMM_NONE },
	{ MOV32_K, P, { 0x100000000ull | P, 64, false }, IMM_NONE },
	{ MOV32_K, UINT32_MAX, { UINT64_MAX, 8, true }, IMM_ZEXT32 },
	{ MOV64_K, Q, { Q, 32, false }, IMM_SEXT32 }, { JEQ64, Q, { Q, 32, false }, IMM_SEXT32 },
	{ ST_DW, Q, { Q, 32, false }, IMM_SEXT32 }, { MOV64_K, UINT32_MAX, { UINT64_MAX, 8, true }, IMM_SEXT32 },
	{ MOV64_K, P, { 0xFFFFFFFF00000000 | P, 64, false }, IMM_SEXT32 },
	{ MOV64_K, P, { P, 32, false }, IMM_SEXT32_OF_U32 }, { MOV64_K, P, { P, 64, false }, IMM_NONE },
	{ ST_H, 0x1234, { 0x1234, 16, false }, IMM_LOW16 }, { ST_H, 0xBEE5, { 0xBEE5, 16, false }, IMM_LOW16 },
	{ ST_H, (uint32_t)-0x411b, { 0xBEE5, 16, false }, IMM_LOW16 },
	{ ST_H, 0x12345678, { 0x12345678, 32, false }, IMM_NONE }, { ST_H, 0x1234, { 0x1235, 16, false }, IMM_NONE },
	{ ST_B, 0x7f, { 0x7f, 8, false }, IMM_LOW8 }, { ST_B, (uint32_t)-1, { 0xff, 8, false }, IMM_LOW8 },
	{ ST_B, 0x7f, { 0x7f, 16, false }, IMM_NONE },
	{ BPF_CLASS_JMP | BPF_OP_CALL, 7, { 7, 8, false }, IMM_NONE },
	{ BPF_CLASS_ALU | BPF_OP_END, 16, { 16, 8, false }, IMM_NONE },
	{ MOV32_K | X, 0, { 0, 8, false }, IMM_NONE },
};

static void make(struct bpfinsn insn[2], uint8_t code, uint64_t imm)
{
	insn[0] = (struct bpfinsn){ .code = code, .imm = (int32_t)(uint32_t)imm };
	insn[1] = (struct bpfinsn){ .imm = code == BPF_CODE_LDDW ? (int32_t)(uint32_t)(imm >> 32) : 0 };
}

START_TEST(match)
{
	struct bpfinsn insn[2];

	make(insn, matches[_i].code, matches[_i].imm);
	ck_assert_int_eq(imm_match(insn, &matches[_i].c), matches[_i].form);
}
END_TEST

/* ------------------------------------------------------------------ holds */

static const struct {
	enum imm_form form;
	uint64_t value;
	bool holds;
} held[] = {
	{ IMM_NONE, 0, false }, { IMM_LDDW, 0, true }, { IMM_LDDW, UINT64_MAX, true },
	{ IMM_ZEXT32, UINT32_MAX, true }, { IMM_ZEXT32, UINT32_MAX + 1ull, false },
	{ IMM_ZEXT32, (uint64_t)INT32_MIN, true }, { IMM_ZEXT32, (uint64_t)INT32_MIN - 1, false },
	{ IMM_SEXT32, INT32_MAX, true }, { IMM_SEXT32, INT32_MAX + 1ull, false }, { IMM_SEXT32, P, false },
	{ IMM_SEXT32, UINT64_MAX, true }, { IMM_SEXT32, (uint64_t)INT32_MIN, true },
	{ IMM_SEXT32, (uint64_t)INT32_MIN - 1, false },
	{ IMM_SEXT32_OF_U32, UINT32_MAX, true }, { IMM_SEXT32_OF_U32, UINT32_MAX + 1ull, false },
	{ IMM_LDDW_LOW, UINT32_MAX, true }, { IMM_LDDW_LOW, UINT32_MAX + 1ull, false },
	{ IMM_LDDW_HIGH, UINT32_MAX, true }, { IMM_LDDW_HIGH, UINT32_MAX + 1ull, false },
	{ IMM_LOW16, 0xffff, true }, { IMM_LOW16, 0x10000, false }, { IMM_LOW16, (uint64_t)INT16_MIN, true },
	{ IMM_LOW16, (uint64_t)INT16_MIN - 1, false },
	{ IMM_LOW8, 0xff, true }, { IMM_LOW8, 0x100, false }, { IMM_LOW8, (uint64_t)INT8_MIN, true },
	{ IMM_LOW8, (uint64_t)INT8_MIN - 1, false },
};

START_TEST(holds)
{
	ck_assert_int_eq(imm_holds(held[_i].form, held[_i].value), held[_i].holds);
}
END_TEST

/* -------------------------------------------------------------------- put */

/* The bytes of a slot beside the immediate, and the half of an lddw that is not meant, stay. */
START_TEST(put_leaves_the_rest)
{
	static const struct { enum imm_form form; uint64_t value; uint32_t first, second; } cases[] = {
		{ IMM_LDDW, 0x1122334455667788, 0x55667788, 0x11223344 },
		{ IMM_LDDW_LOW, 0x55667788, 0x55667788, 0xa5a5a5a5 },
		{ IMM_LDDW_HIGH, 0x55667788, 0xa5a5a5a5, 0x55667788 },
		{ IMM_ZEXT32, 0xFEDCBA98, 0xFEDCBA98, 0xa5a5a5a5 },
		{ IMM_SEXT32, UINT64_MAX, 0xFFFFFFFF, 0xa5a5a5a5 },
		{ IMM_SEXT32_OF_U32, 0x80000000, 0x80000000, 0xa5a5a5a5 },
		{ IMM_LOW16, 0xBEE5, 0xFFFFBEE5, 0xa5a5a5a5 }, { IMM_LOW16, 0x7fff, 0x7fff, 0xa5a5a5a5 },
		{ IMM_LOW8, 0x80, 0xFFFFFF80, 0xa5a5a5a5 }, { IMM_LOW8, 0x7f, 0x7f, 0xa5a5a5a5 },
	};
	uint8_t raw[16];
	struct bpfinsn insn[2];
	bool big = _i & 1;

	memset(raw, 0xa5, sizeof(raw));
	imm_put(raw, big, cases[_i / 2].form, cases[_i / 2].value);
	for (int i = 0; i < 2; i++) {
		ck_assert_mem_eq(raw + 8 * i, "\xa5\xa5\xa5\xa5", 4);
		bpfinsn_decode(raw + 8 * i, big, &insn[i]);
	}
	ck_assert_uint_eq((uint32_t)insn[0].imm, cases[_i / 2].first);
	ck_assert_uint_eq((uint32_t)insn[1].imm, cases[_i / 2].second);
}
END_TEST

/* Whatever a match can be set to is found there afterwards. */
START_TEST(round_trip)
{
	static const uint64_t values[] = {
		0, 1, 7, 0x7f, 0x80, 0xff, 0x1234, 0x7fff, 0x8000, 0xBEE5, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
		0xFEDCBA98, 0xffffffff, 0x100000000, 0x123456789abcdef0, INT64_MAX, (uint64_t)INT64_MIN,
	};
	const bool big = _i & 1;
	struct bpfinsn insn[2];
	struct imm_constant c = matches[_i / 2].c;
	enum imm_form form = matches[_i / 2].form;
	uint64_t kept;

	for (int i = 0; i < COUNT(values) && form; i++) {
		uint8_t raw[16];

		c.value = values[i];
		if (c.is_signed)
			c.value = values[i] & 0x7f ? 0 - (values[i] & 0x7f) : 0;
		else if (c.bits < 64 && c.value >> c.bits)
			continue;
		make(insn, matches[_i / 2].code, matches[_i / 2].imm);
		kept = form == IMM_LDDW_LOW ? matches[_i / 2].imm >> 32 : (uint32_t)matches[_i / 2].imm;
		if (!imm_holds(form, c.value))
			continue;
		bpfinsn_encode(raw, big, &insn[0]);
		bpfinsn_encode(raw + 8, big, &insn[1]);
		imm_put(raw, big, form, c.value);
		bpfinsn_decode(raw, big, &insn[0]);
		bpfinsn_decode(raw + 8, big, &insn[1]);
		if (form == IMM_LDDW_LOW && kept == UINT32_MAX && c.value >> 31)
			continue;	/* now looks like a sign-extended number, which is no match */
		ck_assert_msg(imm_match(insn, &c) != IMM_NONE, "%#" PRIx64, c.value);
		if (form == IMM_LDDW_LOW)
			ck_assert_uint_eq((uint32_t)insn[1].imm, kept);
		if (form == IMM_LDDW_HIGH)
			ck_assert_uint_eq((uint32_t)insn[0].imm, kept);
	}
}
END_TEST

/* Writing 0xFEDCBA98 over 0x12345678 in a 64-bit mov would make it 0xFFFFFFFFFEDCBA98. */
START_TEST(sign_extension_is_refused)
{
	const struct imm_constant old = { Q, 32, false };
	struct bpfinsn insn[2];

	make(insn, MOV64_K, Q);
	ck_assert(!imm_holds(imm_match(insn, &old), P));
	ck_assert(imm_holds(imm_match(insn, &old), 0x7fffffff));
	make(insn, MOV32_K, Q);
	ck_assert(imm_holds(imm_match(insn, &old), P));
	make(insn, BPF_CODE_LDDW, Q);
	ck_assert(imm_holds(imm_match(insn, &old), P));
	make(insn, ST_DW, Q);
	ck_assert(!imm_holds(imm_match(insn, &old), P));
}
END_TEST

Suite *suite_imm(void)
{
	Suite *suite = suite_create("imm");
	TCase *tcase = tcase_create("imm");

	tcase_add_loop_test(tcase, meaning_by_class, 0, COUNT(codes));
	tcase_add_test(tcase, meaning_by_operation);
	tcase_add_test(tcase, addresses_mean_nothing);
	tcase_add_loop_test(tcase, match, 0, COUNT(matches));
	tcase_add_loop_test(tcase, holds, 0, COUNT(held));
	tcase_add_loop_test(tcase, put_leaves_the_rest, 0, 20);
	tcase_add_loop_test(tcase, round_trip, 0, 2 * COUNT(matches));
	tcase_add_test(tcase, sign_extension_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
