// SPDX-License-Identifier: BSD-2-Clause
/*
 * Constants made of constants.  What must be certain is tried with random
 * constants: an instruction that holds f(C1), computed here, must be found, and
 * must mean f(C2) when C2 takes the place of C1.  What is doubtful or must
 * not match at all is listed one by one.
 */
#include <check.h>
#include <inttypes.h>
#include <string.h>

#include "bpfinsn/derive.h"
#include "include/bytes.h"
#include "tests/rewrite.h"

Suite *suite_derive(void);

enum { ROUNDS = 200 };

/* ---------------------------------------------------------------- certain */

enum kind { K_MOV32, K_MOV64, K_LDDW, K_ST_W, K_ST_H, K_JEQ32, K_ADD64, K_ST_DW, KINDS };

/* An instruction of that kind that means m. */
static void build(struct bpfinsn insn[2], enum kind kind, uint64_t m)
{
	static const struct bpfinsn kinds[KINDS] = {
		[K_MOV32] = MOV32(1, 0), [K_MOV64] = MOV64(1, 0), [K_LDDW] = { .code = BPF_CODE_LDDW },
		[K_ST_W] = STORE_IMM(BPF_SIZE_W, 1, 0, 0), [K_ST_H] = STORE_IMM(BPF_SIZE_H, 1, 0, 0),
		[K_JEQ32] = JUMP32(BPF_OP_JEQ, 1, 0, 5), [K_ADD64] = ALU64(BPF_OP_ADD, 1, 0),
		[K_ST_DW] = STORE_IMM(BPF_SIZE_DW, 1, 0, 0),
	};

	memset(insn, 0, 2 * sizeof(*insn));
	insn[0] = kinds[kind];
	insn[0].imm = (int32_t)(uint32_t)m;
	if (kind == K_LDDW)
		insn[1].imm = (int32_t)(uint32_t)(m >> 32);
}

static uint64_t model(enum derive_fn fn, uint64_t c)
{
	uint64_t swapped = 0;
	unsigned int bytes = fn == DERIVE_BSWAP16 ? 2 : fn == DERIVE_BSWAP32 ? 4 : 8;

	for (unsigned int i = 0; i < bytes; i++)
		swapped = swapped << 8 | (c >> (8 * i) & 0xff);
	switch (fn) {
	case DERIVE_MINUS1: return c - 1;
	case DERIVE_PLUS1: return c + 1;
	case DERIVE_NEG32: return (0 - c) & 0xffffffff;
	case DERIVE_NEG64: return 0 - c;
	case DERIVE_NOT32: return c ^ 0xffffffff;
	case DERIVE_NOT64: return c ^ UINT64_MAX;
	case DERIVE_SEXT8: return c & 0x80 ? c | ~(uint64_t)0xff : c;
	case DERIVE_SEXT16: return c & 0x8000 ? c | ~(uint64_t)0xffff : c;
	case DERIVE_SEXT32: return c & 0x80000000 ? c | ~(uint64_t)0xffffffff : c;
	case DERIVE_SAME: return c;
	default: return swapped;
	}
}

/* Constants are random & mask | set. */
static const struct {
	enum derive_fn fn;
	enum kind kind;
	uint8_t bits;
	uint64_t mask, set, set2;	/* set2 of the second constant */
} certain[] = {
	{ DERIVE_SAME, K_MOV32, 32, 0xffffffff, 0x10000, 0 },
	{ DERIVE_SAME, K_MOV64, 32, 0x7fffffff, 0x10000, 0 },
	{ DERIVE_SAME, K_MOV64, 32, 0xffffffff, 0x80010000, 0 },	/* IMM_SEXT32_OF_U32 */
	{ DERIVE_SAME, K_LDDW, 64, UINT64_MAX, 0x100000000, 0 },
	{ DERIVE_SAME, K_LDDW, 32, 0xffffffff, 0x10000, 0 },
	{ DERIVE_SAME, K_ST_W, 32, 0xffffffff, 0x10000, 0 },
	{ DERIVE_SAME, K_ST_H, 16, 0xffff, 0x100, 0 },
	{ DERIVE_SAME, K_ST_DW, 32, 0x7fffffff, 0x10000, 0 },
	{ DERIVE_SAME, K_JEQ32, 32, 0xffffffff, 0x10000, 0 },
	{ DERIVE_NEG32, K_MOV32, 32, 0xffffffff, 0x10001, 0 },
	{ DERIVE_NEG32, K_ST_W, 16, 0xffff, 0x101, 0 },
	{ DERIVE_NEG32, K_JEQ32, 32, 0xffffffff, 0x10001, 0 },
	{ DERIVE_NEG64, K_ADD64, 32, 0x7fffffff, 0x10001, 1 },
	{ DERIVE_NEG64, K_ADD64, 16, 0xffff, 0x101, 0 },
	{ DERIVE_NEG64, K_ADD64, 8, 0xff, 0x81, 0 },
	{ DERIVE_NEG64, K_LDDW, 64, UINT64_MAX, 0x100000001, 0 },
	{ DERIVE_NEG64, K_LDDW, 32, 0xffffffff, 0x80010001, 0 },
	{ DERIVE_NOT32, K_MOV32, 32, 0xffffffff, 0x10000, 0 },
	{ DERIVE_NOT32, K_JEQ32, 16, 0xffff, 0x100, 0 },
	{ DERIVE_NOT64, K_MOV64, 32, 0x7fffffff, 0x10000, 0 },
	{ DERIVE_NOT64, K_LDDW, 64, UINT64_MAX, 0x100000000, 0 },
	{ DERIVE_BSWAP16, K_MOV32, 16, 0xffff, 0x100, 0 },
	{ DERIVE_BSWAP16, K_MOV64, 16, 0xffff, 0x100, 0 },
	{ DERIVE_BSWAP16, K_ST_H, 16, 0xffff, 0x100, 0 },
	{ DERIVE_BSWAP32, K_MOV32, 32, 0xffffffff, 0x1000000, 0 },
	{ DERIVE_BSWAP32, K_MOV64, 32, 0xffffff7f, 0x1000000, 0 },
	{ DERIVE_BSWAP32, K_JEQ32, 32, 0xffffffff, 0x1000000, 0 },
	{ DERIVE_BSWAP64, K_LDDW, 64, UINT64_MAX, 0x100000000000000, 0 },
	{ DERIVE_SEXT8, K_MOV32, 8, 0xff, 0x80, 0 }, { DERIVE_SEXT8, K_MOV64, 8, 0xff, 0x80, 0 },
	{ DERIVE_SEXT16, K_MOV32, 16, 0xffff, 0x8000, 0 }, { DERIVE_SEXT16, K_MOV64, 16, 0xffff, 0x8000, 0 },
	{ DERIVE_SEXT16, K_LDDW, 16, 0xffff, 0x8000, 0 }, { DERIVE_SEXT32, K_LDDW, 32, 0xffffffff, 0x80000000, 0 },
};

static uint64_t random64(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* After the instruction was made to mean what derive_meaning says, it does. */
static void check_meaning(const struct bpfinsn *insn, const struct derived *d, uint64_t c2, uint64_t expected,
			  bool big)
{
	uint64_t old, meaning, now;
	uint8_t raw[16];
	struct bpfinsn two[2];

	imm_meaning(insn, &old);
	ck_assert_msg(derive_meaning(d, old, c2, &meaning), "%#" PRIx64 " is refused", c2);
	bpfinsn_encode(raw, big, &insn[0]);
	bpfinsn_encode(raw + 8, big, &insn[1]);
	imm_put(raw, big, d->form, meaning);
	bpfinsn_decode(raw, big, &two[0]);
	bpfinsn_decode(raw + 8, big, &two[1]);
	imm_meaning(two, &now);
	ck_assert_msg(now == expected, "%#" PRIx64 " becomes %#" PRIx64 ", not %#" PRIx64, c2, now, expected);
	ck_assert(two[0].code == insn->code && two[0].dst == insn->dst && two[0].src == insn->src &&
		  two[0].off == insn->off);
}

static uint64_t as_meant(enum kind kind, uint64_t m)
{
	switch (kind) {
	case K_LDDW: return m;
	case K_MOV64:
	case K_ADD64:
	case K_ST_DW: return (uint64_t)(int64_t)(int32_t)(uint32_t)m;
	case K_ST_H: return m & 0xffff;
	default: return m & 0xffffffff;
	}
}

START_TEST(certain_functions)
{
	uint64_t state = 0x2545f4914f6cdd1d + (uint64_t)_i;
	enum derive_fn fn = certain[_i].fn;
	enum kind kind = certain[_i].kind;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t c1 = (random64(&state) & certain[_i].mask) | certain[_i].set;
		uint64_t c2 = (random64(&state) & certain[_i].mask) | certain[_i].set2;
		const struct imm_constant c = { .value = c1, .bits = certain[_i].bits };
		struct bpfinsn insn[2];
		struct derived d;

		if (fn == DERIVE_NOT32 && certain[_i].bits == 16 && (c1 >> 8 ^ c1 % 256) == 0xff)
			continue;	/* its complement is its byte swap */
		if (fn == DERIVE_NEG32 || fn == DERIVE_NEG64)
			c2 &= ~(uint64_t)0x8000;	/* not near the end, see wrapping */
		build(insn, kind, model(fn, c1));
		ck_assert_msg(derive_find(insn, &c, &d), "%#" PRIx64 " is not found", c1);
		if (d.doubt && (fn == DERIVE_SAME || certain[_i].bits <= 16))
			continue;	/* its own byte swap, for instance */
		ck_assert_msg(!d.doubt, "%#" PRIx64 ": %s", c1, d.doubt);
		ck_assert_msg(d.fn == fn, "%#" PRIx64 ": %s", c1, derive_text(d.fn));
		ck_assert_uint_eq(d.width, 0);
		check_meaning(insn, &d, c2, as_meant(kind, model(fn, c2)), round & 1);
	}
}
END_TEST

/* C16, C32 and their byte swaps at each byte of a wider number. */
static const struct { enum kind kind; uint8_t bits, width; } lanes[] = {
	{ K_MOV32, 16, 32 }, { K_ST_W, 16, 32 }, { K_LDDW, 16, 64 }, { K_LDDW, 32, 64 }, { K_MOV64, 16, 31 },
};

START_TEST(certain_lanes)
{
	uint64_t state = 0x2545f4914f6cdd1d + (uint64_t)_i;
	unsigned int bits = lanes[_i].bits;
	enum derive_fn swap = bits == 16 ? DERIVE_BSWAP16 : DERIVE_BSWAP32;
	uint64_t ones = ((uint64_t)1 << bits) - 1;

	for (unsigned int shift = 0; shift + bits <= lanes[_i].width; shift += 8) {
		for (int swapped = 0; swapped < 2; swapped++) {
			uint64_t c1 = 0xBEE51234 & ones, c2 = random64(&state) & ones, lane = ones << shift;
			uint64_t m, expected;
			const struct imm_constant c = { .value = c1, .bits = lanes[_i].bits };
			enum derive_fn fn = swapped ? swap : DERIVE_SAME;
			struct bpfinsn insn[2];
			struct derived d;

			m = (0x7172737475767778 & ~lane) | model(fn, c1) << shift;
			if (lanes[_i].width < 64)
				m &= ((uint64_t)1 << lanes[_i].width) - 1;
			build(insn, lanes[_i].kind, m);
			ck_assert(derive_find(insn, &c, &d));
			ck_assert_msg(!d.doubt, "%s", d.doubt);
			ck_assert_uint_eq(d.fn, fn);
			expected = (m & ~lane) | model(fn, c2) << shift;
			check_meaning(insn, &d, c2, as_meant(lanes[_i].kind, expected), swapped);
		}
	}
}
END_TEST

/* Each ordered compare folds in one direction only. */
static const struct { uint8_t op; int delta; bool is_signed; } compares[] = {
	{ BPF_OP_JGT, -1, false }, { BPF_OP_JLE, -1, false }, { BPF_OP_JSGT, -1, true }, { BPF_OP_JSLE, -1, true },
	{ BPF_OP_JGE, 1, false }, { BPF_OP_JLT, 1, false }, { BPF_OP_JSGE, 1, true }, { BPF_OP_JSLT, 1, true },
	{ BPF_OP_JEQ, 0, false }, { BPF_OP_JNE, 0, false }, { BPF_OP_JSET, 0, false },
};

START_TEST(neighbours)
{
	const struct imm_constant c = { .value = 0x12345678, .bits = 32 };
	int delta = compares[_i / 2].delta;

	for (int by = -1; by <= 1; by += 2) {
		struct bpfinsn insn[2] = { JUMP(compares[_i / 2].op, 1, 0x12345678 + by, 3) };
		struct derived d;

		if (_i & 1)
			insn[0].code = (uint8_t)((insn[0].code & ~7) | BPF_CLASS_JMP32);
		ck_assert(derive_find(insn, &c, &d));
		if (by != delta) {
			ck_assert_str_eq(d.doubt, "a number near it");
			continue;
		}
		ck_assert_ptr_null(d.doubt);
		ck_assert_uint_eq(d.fn, by < 0 ? DERIVE_MINUS1 : DERIVE_PLUS1);
		check_meaning(insn, &d, 0x7000, (uint64_t)(0x7000 + by), false);
		check_meaning(insn, &d, 1000000, (uint64_t)(1000000 + by), true);
	}
}
END_TEST

/* Where a compare turns around, and one more and one less. */
static const struct { enum derive_fn fn; uint64_t value; bool holds; } turns[] = {
	{ DERIVE_MINUS1, 0, false }, { DERIVE_MINUS1, 1, true }, { DERIVE_MINUS1, UINT64_MAX, true },
	{ DERIVE_MINUS1, 0x80000000, false }, { DERIVE_MINUS1, 0x7fffffff, true },
	{ DERIVE_MINUS1, 0x80000001, true },
	{ DERIVE_MINUS1, 0x8000000000000000, false }, { DERIVE_MINUS1, 0x7fffffffffffffff, true },
	{ DERIVE_MINUS1, 0x8000000000000001, true },
	{ DERIVE_PLUS1, 0xffffffff, false }, { DERIVE_PLUS1, 0xfffffffe, true }, { DERIVE_PLUS1, 0x100000001, true },
	{ DERIVE_PLUS1, 0x7fffffff, false }, { DERIVE_PLUS1, 0x7ffffffe, true }, { DERIVE_PLUS1, 0x80000000, true },
	{ DERIVE_PLUS1, UINT64_MAX, false }, { DERIVE_PLUS1, UINT64_MAX - 1, true },
	{ DERIVE_PLUS1, 0x7fffffffffffffff, false }, { DERIVE_PLUS1, 0x7ffffffffffffffe, true },
	{ DERIVE_PLUS1, 0x8000000000000000, true }, { DERIVE_PLUS1, 0, true },
	{ DERIVE_SAME, 0, true }, { DERIVE_SAME, 0x80000000, true }, { DERIVE_NEG64, 0, true },
};

START_TEST(turning_around)
{
	const struct derived d = { .form = IMM_LDDW, .fn = turns[_i].fn };
	uint64_t meaning;

	ck_assert_int_eq(derive_meaning(&d, 5, turns[_i].value, &meaning), turns[_i].holds);
	if (turns[_i].holds)
		ck_assert_uint_eq(meaning, model(turns[_i].fn, turns[_i].value));
}
END_TEST

/* A subtraction may be half of a range check, which must not wrap. */
START_TEST(wrapping)
{
	struct derived d = { .form = IMM_LDDW, .fn = _i ? DERIVE_NEG64 : DERIVE_NEG32, .bits = 32 };
	uint64_t meaning;

	ck_assert(derive_meaning(&d, 5, 0xfff00000, &meaning));
	ck_assert(!derive_meaning(&d, 5, 0xffffffff, &meaning));
	d.bits = 8;
	ck_assert(derive_meaning(&d, 5, 0xff, &meaning));
	d = (struct derived){ .form = IMM_LDDW, .fn = DERIVE_NOT32, .bits = 32 };
	ck_assert(derive_meaning(&d, 5, 0xffffffff, &meaning));
}
END_TEST

/* Where the compiler chose the code by the top bit, a constant with the other one is refused. */
START_TEST(by_sign)
{
	struct bpfinsn insn[2] = { JUMP32(_i ? BPF_OP_JEQ : BPF_OP_JGT, 1, 0x12345678, 3) };
	const struct imm_constant c = { .value = 0x12345678, .bits = 32 };
	struct derived d;
	uint64_t meaning;

	ck_assert(derive_find(insn, &c, &d));
	ck_assert_int_eq(d.by_sign, !_i);
	ck_assert(derive_meaning(&d, 5, 0x7fffffff, &meaning));
	ck_assert_int_eq(derive_meaning(&d, 5, 0x80000000, &meaning), _i);
}
END_TEST

/* What the form cannot hold is refused. */
START_TEST(meaning_that_does_not_fit)
{
	struct derived d = { .form = IMM_SEXT32, .fn = DERIVE_NEG64 };
	uint64_t meaning;

	ck_assert(derive_meaning(&d, 0, 0x80000000, &meaning));
	ck_assert_uint_eq(meaning, 0xffffffff80000000);
	ck_assert(!derive_meaning(&d, 0, 0x80000001, &meaning));
	d.fn = DERIVE_NOT64;
	ck_assert(derive_meaning(&d, 0, 0x7fffffff, &meaning));
	ck_assert(!derive_meaning(&d, 0, 0x80000000, &meaning));
	d.fn = DERIVE_BSWAP32;
	ck_assert(derive_meaning(&d, 0, 0x1234567f, &meaning));
	ck_assert(!derive_meaning(&d, 0, 0x12345680, &meaning));
	d.form = IMM_ZEXT32;
	ck_assert(derive_meaning(&d, 0, 0x12345680, &meaning));
}
END_TEST

/* The halves of an lddw. */
START_TEST(lddw_halves)
{
	static const struct { uint64_t m; enum imm_form form; } halves[] = {
		{ 0xCAFE123400000007, IMM_LDDW_HIGH }, { 0x00000007CAFE1234, IMM_LDDW_LOW },
		{ 0xCAFE1234CAFE1234, IMM_LDDW_BOTH }, { 0x00000000CAFE1234, IMM_LDDW },
	};
	const struct imm_constant c = { .value = 0xCAFE1234, .bits = 32 };
	struct bpfinsn insn[2];
	struct derived d;

	build(insn, K_LDDW, halves[_i].m);
	ck_assert(derive_find(insn, &c, &d));
	ck_assert_ptr_null(d.doubt);
	ck_assert_uint_eq(d.form, halves[_i].form);
	ck_assert_uint_eq(d.fn, DERIVE_SAME);
}
END_TEST

/* --------------------------------------------------------------- doubtful */

#define NEAR "a number near it"
#define PART "a part of it"
#define TIMES "a multiple or a fraction of it"
#define SPLIT "a part of it, merged"

static const struct {
	uint64_t c;
	uint8_t bits;
	enum kind kind;
	uint64_t m;
	const char *doubt;	/* NULL: must not match */
} others[] = {
	{ 0x12345678, 32, K_MOV32, 0x5678, PART }, { 0x12345678, 32, K_MOV32, 0x1234, PART },
	{ 0x12345678, 32, K_MOV32, 0x3456, PART }, { 0x123456F8, 32, K_MOV32, 0xF8, PART },
	{ 0x12345678, 32, K_ST_H, 0x5678, PART }, { 0x12345678, 32, K_ST_H, 0x7856, PART },
	{ 0x12345678, 32, K_MOV32, 0x12340000, PART }, { 0x12345678, 32, K_MOV32, 0x00345600, PART },
	{ 0x12345678, 32, K_MOV32, 0x12005600, PART },
	{ 0x12345678, 32, K_MOV32, 0x12345678u << 3, TIMES }, { 0x12345678, 32, K_MOV32, 0x12345678u >> 3, TIMES },
	{ 0x12345678, 32, K_LDDW, 0x12345678ull << 5, PART }, { 0x12345678, 32, K_MOV32, 0x12345678u >> 6, PART },
	{ 0x12345678, 32, K_MOV32, 0x12345678u << 12, PART },
	{ 0xCAFE1234, 32, K_MOV32, 0xF95FC246, PART },		/* (s32)C >> 3 */
	{ 0x12345678, 32, K_MOV32, 0x12345678u * 3, TIMES }, { 0x12345678, 32, K_MOV32, 0x12345678u / 7, TIMES },
	{ 0x12345678, 32, K_MOV32, 0x12345678u * 13, TIMES },
	{ 0x1234, 16, K_MOV32, 0x1234 * 5, TIMES }, { 0xCAFE1234, 32, K_LDDW, 0xCAFE1234ull * 6, TIMES },
	{ 0x12345678, 32, K_MOV32, 0xAABBCC12, NULL },
	{ 0xCAFE1234, 32, K_MOV32, 0xAABBCCCA, SPLIT }, { 0x1234FEED, 32, K_MOV32, 0xFEED7777, SPLIT },
	{ 0xCAFE123456789ABC, 64, K_LDDW, 0x111111111111CAFE, SPLIT },
	{ 0x12345678, 32, K_MOV32, 0x12345679, NEAR }, { 0x12345678, 32, K_MOV32, 0x12345678 - 1, NEAR },
	{ 0x12345678, 32, K_MOV32, 0x12345678 + 4096, NEAR }, { 0x12345678, 32, K_MOV32, 0x12345678 - 4096, NEAR },
	{ 0x12345678, 32, K_MOV32, 0x12345678 + 5000, NULL }, { 0x12345678, 32, K_MOV32, 0x12345678 - 5000, NULL },
	{ 0x1234, 16, K_MOV32, 0x1234 + 32, NEAR }, { 0x1234, 16, K_MOV32, 0x1234 + 40, NULL },
	{ 0xA7, 8, K_MOV32, 0xA9, NEAR }, { 0xA7, 8, K_MOV32, 0xC4, NULL }, { 0xA7, 8, K_MOV32, 0xA5, NEAR },
	{ 0xA7, 8, K_MOV32, 0xA700, "one byte of a wider number" },
	{ 0xA7, 8, K_LDDW, 0x11A7222233334444, "one byte of a wider number" },
	{ 0xA7, 8, K_MOV32, 0x1A70, NULL },
	{ 0x1234, 16, K_MOV32, 0x12341234, "it more than once, merged" },
	{ 0x1234, 16, K_LDDW, 0x1234000000341234, "it more than once, merged" },
	{ 0x1234, 16, K_MOV32, 0x12343412, "it more than once, merged" },
	{ 0x3434, 16, K_MOV32, 0x3434, "the constant, or its byte swap, which is the same" },
	{ 0x12343412, 32, K_MOV32, 0x12343412, "the constant, or its byte swap, which is the same" },
	{ 0x8000, 16, K_ST_H, 0x8000, "the constant, or its negation, which is the same" },
	{ 0x80000000, 32, K_MOV32, 0x80000000, "the constant, or its negation, which is the same" },
	{ 0x80, 8, K_MOV32, 0x80, "the constant, or its negation, which is the same" },
	{ 0x12345678, 32, K_MOV32, 7, NULL }, { 0x12345678, 32, K_MOV32, 0x61, NULL },
	{ 0x12345678, 32, K_MOV32, 0, NULL },
	{ 0x12345678, 32, K_MOV64, 0xffffffff, NULL }, { 0x12345678, 32, K_LDDW, 0x7777777788888888, NULL },
	{ 0x12345678, 32, K_ST_H, 0x9999, NULL }, { 0x1234, 16, K_MOV32, 0x4321, NULL },
	{ 0xA7, 8, K_MOV32, 5, NULL },
};

START_TEST(doubtful)
{
	const struct imm_constant c = { .value = others[_i].c, .bits = others[_i].bits };
	struct bpfinsn insn[2];
	struct derived d;
	bool found;

	build(insn, others[_i].kind, others[_i].m);
	found = derive_find(insn, &c, &d);
	if (!others[_i].doubt) {
		ck_assert_msg(!found, "%#" PRIx64 " in %#" PRIx64 ": %s", others[_i].c, others[_i].m,
			      d.doubt ? d.doubt : "certain");
		return;
	}
	ck_assert_msg(found && d.doubt, "%#" PRIx64 " in %#" PRIx64 ": %s", others[_i].c, others[_i].m,
		      found ? "certain" : "not found");
	ck_assert_msg(!strncmp(d.doubt, others[_i].doubt, strlen(others[_i].doubt)),
		      "%#" PRIx64 " in %#" PRIx64 ": %s", others[_i].c, others[_i].m, d.doubt);
}
END_TEST

/* Negation and complement fold in more than one way in an ordered compare. */
START_TEST(negated_in_compares)
{
	const struct imm_constant c = { .value = 0x12345678, .bits = 32 };
	uint32_t m = _i & 1 ? (uint32_t)-0x12345678 : ~0x12345678u;
	struct bpfinsn insn[2] = { JUMP32(compares[_i / 2].op, 1, m, 3) };
	struct derived d;

	ck_assert(derive_find(insn, &c, &d));
	if (compares[_i / 2].delta)
		ck_assert_ptr_nonnull(d.doubt);
	else
		ck_assert_ptr_null(d.doubt);
}
END_TEST

/* ---------------------------------------------------------- must not match */

START_TEST(no_constants)
{
	static const struct bpfinsn none[][2] = {
		{ HELPER(0x1234) }, { CALL(0x1234) }, { GOTO(0x1234) },
		{ { .code = BPF_CLASS_JMP32 | BPF_OP_JA, .imm = 0x1234 } }, { JUMP(BPF_OP_JEQ, 1, 0, 0x1234) },
		{ LOAD(BPF_SIZE_W, 1, 2, 0x1234) }, { STORE(BPF_SIZE_W, 2, 0x1234, 1) },
		{ STORE_IMM(BPF_SIZE_W, 2, 0x1234, 0) }, { MOVX(1, 2) },
		{ { .code = BPF_CLASS_ALU64 | BPF_SOURCE_X | BPF_OP_ADD, .imm = 0x1234 } },
		{ { .code = BPF_CLASS_JMP | BPF_SOURCE_X | BPF_OP_JGT, .imm = 0x1234 } },
		{ { .code = BPF_CODE_LDDW, .src = BPF_SRC_MAP_FD, .imm = 0x1234 } },
		{ { .code = BPF_CODE_LDDW, .src = BPF_SRC_MAP_VALUE, .imm = 0x1234 }, { .imm = 0x1234 } },
		{ { .code = BPF_CLASS_ALU64 | BPF_OP_NEG, .imm = 0x1234 } },
		{ { .code = BPF_CLASS_ALU | BPF_OP_END, .imm = 0x1234 } },
		{ ATOMIC(BPF_SIZE_W, 1, 0, 2, 0x1234) }, { { .code = BPF_CLASS_JMP | BPF_OP_EXIT, .imm = 0x1234 } },
	};
	const struct imm_constant c = { .value = 0x1234, .bits = 16 };
	struct derived d;

	for (size_t i = 0; i < COUNT(none); i++)
		ck_assert_msg(!derive_find(none[i], &c, &d), "%zu", i);
}
END_TEST

START_TEST(data)
{
	static const uint8_t bytes[] = { 9, 0x12, 0x34, 0x56, 0x78, 9, 0x78, 0x56, 0x34, 0x12, 9 };
	struct imm_constant c = { .value = 0x12345678, .bits = 32 };

	ck_assert_uint_eq(derive_in_data(bytes, sizeof(bytes), 0, &c), 1);
	ck_assert_uint_eq(derive_in_data(bytes, sizeof(bytes), 1, &c), 1);
	ck_assert_uint_eq(derive_in_data(bytes, sizeof(bytes), 2, &c), 6);
	ck_assert_uint_eq(derive_in_data(bytes, 10, 6, &c), 6);
	ck_assert_uint_eq(derive_in_data(bytes, 9, 2, &c), 9);
	ck_assert_uint_eq(derive_in_data(bytes, sizeof(bytes), 7, &c), sizeof(bytes));
	ck_assert_uint_eq(derive_in_data(bytes, 3, 0, &c), 3);
	ck_assert_uint_eq(derive_in_data(bytes, 0, 0, &c), 0);
	c = (struct imm_constant){ .value = 0x5678, .bits = 16 };
	ck_assert_uint_eq(derive_in_data(bytes, sizeof(bytes), 0, &c), 3);
	ck_assert_uint_eq(derive_in_data(bytes, sizeof(bytes), 4, &c), 6);
	ck_assert_uint_eq(derive_in_data(bytes, sizeof(bytes), 7, &c), sizeof(bytes));
}
END_TEST

START_TEST(texts)
{
	ck_assert_ptr_null(derive_text(DERIVE_SAME));
	for (int fn = DERIVE_MINUS1; fn <= DERIVE_SEXT8; fn++)
		ck_assert_ptr_nonnull(derive_text((enum derive_fn)fn));
	ck_assert_str_eq(derive_text(DERIVE_MINUS1), "C - 1");
	ck_assert_str_eq(derive_text(DERIVE_BSWAP32), "bswap32(C)");
}
END_TEST

Suite *suite_derive(void)
{
	Suite *suite = suite_create("derive");
	TCase *tcase = tcase_create("certain");

	tcase_add_loop_test(tcase, certain_functions, 0, (int)COUNT(certain));
	tcase_add_loop_test(tcase, certain_lanes, 0, (int)COUNT(lanes));
	tcase_add_loop_test(tcase, neighbours, 0, 2 * (int)COUNT(compares));
	tcase_add_loop_test(tcase, turning_around, 0, (int)COUNT(turns));
	tcase_add_loop_test(tcase, wrapping, 0, 2);
	tcase_add_loop_test(tcase, by_sign, 0, 2);
	tcase_add_test(tcase, meaning_that_does_not_fit);
	tcase_add_loop_test(tcase, lddw_halves, 0, 4);
	tcase_add_test(tcase, texts);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("others");
	tcase_add_loop_test(tcase, doubtful, 0, (int)COUNT(others));
	tcase_add_loop_test(tcase, negated_in_compares, 0, 2 * (int)COUNT(compares));
	tcase_add_test(tcase, no_constants);
	tcase_add_test(tcase, data);
	suite_add_tcase(suite, tcase);
	return suite;
}
