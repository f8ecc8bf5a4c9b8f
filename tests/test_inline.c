// SPDX-License-Identifier: BSD-2-Clause
/*
 * Turning globals into immediates, in objects made by hand: each kind of load
 * in each byte order, addresses that travel, what keeps a variable where it
 * is, and jumps, calls and line records around code that grew or shrank.
 * Compiled objects are in test_inline_real.c.
 */
#include <check.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/link.h"
#include "tests/btfgen.h"
#include "tests/rewrite.h"

Suite *suite_inline(void);

enum { DATA = 32 };

static const uint8_t bytes[DATA] = { 0x81, 0x02, 0x83, 0x04, 0xf5, 0xf6, 0xf7, 0xf8, 0x11, 0x22, 0x33, 0x44,
				     0x55, 0x66, 0x77, 0x88, 0x00, 0x00, 0x00, 0x80 };

/*
 * Function f in tc, whose lddw instructions with src 15 refer to a section that
 * has a (bytes 0 to 7), b (8 to 15) and c (16 to 23), but nothing in 24 to 31.
 */
static struct bpfobj sample(bool big, const char *section, const struct bpfinsn *code, uint32_t slots)
{
	struct bpfobj o = bpfobj_new(big);
	struct bpfinsn *copy = malloc(slots * sizeof(*copy));
	uint32_t tc, data, symbol;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, code, slots * sizeof(*code));
	for (uint32_t i = 0; i < slots; i++)
		copy[i].src = code[i].code == BPF_CODE_LDDW ? 0 : code[i].src;
	tc = bpfobj_code(&o, "tc", copy, slots);
	free(copy);
	data = bpfobj_data(&o, section, strncmp(section, ".bss", 4) ? bytes : NULL, DATA);
	symbol = bpfobj_section_symbol(&o, data);
	for (uint32_t i = 0; i < slots; i++)
		if (code[i].code == BPF_CODE_LDDW && code[i].src)
			bpfobj_rel(&o, tc, i, R_BPF_64_64, symbol);
	bpfobj_var(&o, "a", data, 0, 8);
	bpfobj_var(&o, "b", data, 8, 8);
	bpfobj_var(&o, "c", data, 16, 8);
	bpfobj_func(&o, "f", tc, 0, slots);
	bpfobj_open(&o);
	return o;
}

#define ADDRESS(reg, offset) { .code = BPF_CODE_LDDW, .dst = (reg), .src = 15, .imm = (offset) }, { 0 }

static uint32_t data_refs(const struct bpfobj *o)
{
	struct bpfstamp_map map;

	ck_assert_uint_eq(bpfstamp_map_count(o->t), 1);
	bpfstamp_map_at(o->t, 0, &map);
	return map.refs;
}

/* ------------------------------------------------------------- each load */

static const struct {
	uint8_t size, bytes;
	bool sx;
	int16_t off;
} loads[] = {
	{ BPF_SIZE_B, 1, false, 0 }, { BPF_SIZE_B, 1, false, 1 }, { BPF_SIZE_B, 1, false, 31 },
	{ BPF_SIZE_H, 2, false, 0 }, { BPF_SIZE_H, 2, false, 6 }, { BPF_SIZE_H, 2, false, 30 },
	{ BPF_SIZE_W, 4, false, 4 }, { BPF_SIZE_W, 4, false, 0 }, { BPF_SIZE_W, 4, false, 28 },
	{ BPF_SIZE_DW, 8, false, 0 }, { BPF_SIZE_DW, 8, false, 16 }, { BPF_SIZE_DW, 8, false, 24 },
	{ BPF_SIZE_B, 1, true, 0 }, { BPF_SIZE_B, 1, true, 1 }, { BPF_SIZE_H, 2, true, 2 },
	{ BPF_SIZE_H, 2, true, 4 }, { BPF_SIZE_W, 4, true, 4 }, { BPF_SIZE_W, 4, true, 8 },
};

/* The number that a load reads, by shifting. */
static uint64_t read_as(const uint8_t *p, uint32_t size, bool sx, bool big)
{
	uint64_t v = 0;

	for (uint32_t i = 0; i < size; i++)
		v = v << 8 | p[big ? i : size - 1 - i];
	if (sx)
		v = (uint64_t)((int64_t)(v << (64 - 8 * size)) >> (64 - 8 * size));
	return v;
}

START_TEST(each_load)
{
	bool big = _i & 1;
	const struct bpfinsn code[] = {
		ADDRESS(1, 0), LOAD(loads[_i / 2].size, 3, 1, loads[_i / 2].off), MOVX(0, 3), EXIT,
	};
	struct bpfinsn copy[COUNT(code)];
	uint64_t value = read_as(bytes + loads[_i / 2].off, loads[_i / 2].bytes, loads[_i / 2].sx, big);
	char text[128];
	struct bpfobj o;
	struct bpfstamp_stamp *s;

	memcpy(copy, code, sizeof(code));
	if (loads[_i / 2].sx)
		copy[2].code = BPF_CLASS_LDX | BPF_MODE_MEMSX | loads[_i / 2].size;
	o = sample(big, ".rodata", copy, COUNT(code));
	ck_assert_uint_eq(data_refs(&o), 1);
	rewrite_inline(&o);
	ck_assert_uint_eq(data_refs(&o), 0);
	if (loads[_i / 2].size == BPF_SIZE_DW)
		snprintf(text, sizeof(text), "r3 = %" PRId64 " ll; r0 = r3; exit", (int64_t)value);
	else if (loads[_i / 2].sx)
		snprintf(text, sizeof(text), "r3 = %" PRId64 "; r0 = r3; exit", (int64_t)value);
	else
		snprintf(text, sizeof(text), "w3 = %" PRId32 "; r0 = r3; exit", (int32_t)(uint32_t)value);
	rewrite_is(&o, o.t->image, "f", text);
	s = bpfobj_stamp(&o);
	ck_assert_uint_eq(rewrite_run(&o, s, "f", 0), value);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* A load that covers a and b has both as injectables, and follows either. */
START_TEST(load_of_two_variables)
{
	const struct bpfinsn code[] = { ADDRESS(1, 4), LOAD(BPF_SIZE_DW, 0, 1, 0), EXIT };
	struct bpfobj o = sample(_i, ".rodata", code, COUNT(code));
	struct bpfstamp_stamp *s;

	rewrite_inline(&o);
	rewrite_kept(&o, "b", NULL);
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "b", "0x0102030405060708");
	ck_assert_uint_eq(rewrite_run(&o, s, "f", 0), _i ? 0xf5f6f7f801020304 : 0x05060708f8f7f6f5);
	bpfobj_set(s, "a", "0xa1a2a3a4a5a6a7a8");
	ck_assert_uint_eq(rewrite_run(&o, s, "f", 0), _i ? 0xa5a6a7a801020304 : 0x05060708a1a2a3a4);
	bpfstamp_reset(s);
	ck_assert_uint_eq(rewrite_run(&o, s, "f", 0), _i ? 0xf5f6f7f811223344 : 0x44332211f8f7f6f5);
	bpfobj_set_fails(s, "c", "1", "test.o: c: no instruction refers to it");
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* ------------------------------------------------- addresses that travel */

static const struct {
	const char *what, *text;
	uint32_t slots;
	struct bpfinsn code[24];
} travels[] = {
	{ "one lddw, many loads", "w2 = 129; w3 = 17; w0 = 34; exit", 6,
	  { ADDRESS(1, 0), LOAD(BPF_SIZE_B, 2, 1, 0), LOAD(BPF_SIZE_B, 3, 1, 8), LOAD(BPF_SIZE_B, 0, 1, 9), EXIT } },
	{ "over the register itself", "w1 = 129; r0 = r1; exit", 5,
	  { ADDRESS(1, 0), LOAD(BPF_SIZE_B, 1, 1, 0), MOVX(0, 1), EXIT } },
	{ "moved and added to", "w0 = 51; exit", 7,
	  { ADDRESS(1, 0), MOVX(2, 1), ALU64(BPF_OP_ADD, 2, 16), ALU64(BPF_OP_SUB, 2, 4),
	    LOAD(BPF_SIZE_B, 0, 2, -2), EXIT } },
	{ "added a negative number", "w0 = 4; exit", 5,
	  { ADDRESS(1, 8), ALU64(BPF_OP_ADD, 1, -8), LOAD(BPF_SIZE_B, 0, 1, 3), EXIT } },
	{ "spilled and back", "call 5; w0 = 17; exit", 7,
	  { ADDRESS(1, 8), STORE(BPF_SIZE_DW, 10, -16, 1), HELPER(5), LOAD(BPF_SIZE_DW, 3, 10, -16),
	    LOAD(BPF_SIZE_B, 0, 3, 0), EXIT } },
	{ "in a register that calls keep", "call 5; w0 = 17; exit", 5,
	  { ADDRESS(6, 8), HELPER(5), LOAD(BPF_SIZE_B, 0, 6, 0), EXIT } },
	{ "one address on both paths", "if r1 == 0 goto +2; r3 = 1; goto +0; w0 = 17; exit", 9,
	  { JUMP(BPF_OP_JEQ, 1, 0, 4), ADDRESS(2, 8), MOV64(3, 1), GOTO(2), ADDRESS(2, 8),
	    LOAD(BPF_SIZE_B, 0, 2, 0), EXIT } },
	{ "in a loop", "r6 = 0; w2 = 17; r6 += r2; if r6 < 100 goto -3; r0 = r6; exit", 8,
	  { ADDRESS(1, 8), MOV64(6, 0), LOAD(BPF_SIZE_B, 2, 1, 0), ALUX(BPF_OP_ADD, 6, 2),
	    JUMP(BPF_OP_JLT, 6, 100, -3), MOVX(0, 6), EXIT } },
};

START_TEST(travelling_address)
{
	uint32_t slots = travels[_i].slots;
	struct bpfobj o;

	/* ends with exit */
	while (slots < 24 && travels[_i].code[slots - 1].code != (BPF_CLASS_JMP | BPF_OP_EXIT))
		slots++;
	o = sample(false, ".rodata", travels[_i].code, slots);
	rewrite_inline(&o);
	rewrite_is(&o, o.t->image, "f", travels[_i].text);
	ck_assert_uint_eq(data_refs(&o), 0);
	bpfobj_free(&o);
}
END_TEST

/* ------------------------------------------------------------ what is kept */

/* Each loads b and, in .data, must keep it for that reason at that instruction. */
static const struct {
	const char *kept;
	uint32_t at;
	struct bpfinsn code[16];
} keeps[] = {
	{ "it is written", 3, { ADDRESS(1, 8), LOAD(BPF_SIZE_W, 0, 1, 0), STORE(BPF_SIZE_B, 1, 7, 0), EXIT } },
	{ "it is written", 3, { ADDRESS(1, 8), LOAD(BPF_SIZE_W, 0, 1, 0), STORE_IMM(BPF_SIZE_DW, 1, 0, 7), EXIT } },
	{ "it is written", 3, { ADDRESS(1, 8), LOAD(BPF_SIZE_W, 0, 1, 0), STORE_IMM(BPF_SIZE_DW, 1, -7, 7), EXIT } },
	{ "it is written", 4, { ADDRESS(1, 8), LOAD(BPF_SIZE_W, 0, 1, 0), MOV64(2, 1),
				ATOMIC(BPF_SIZE_W, 1, 0, 2, BPF_OP_ADD), EXIT } },
	{ "its address is passed to a function", 3, { ADDRESS(1, 8), LOAD(BPF_SIZE_W, 0, 1, 0), HELPER(6), EXIT } },
	{ "its address is returned", 4, { ADDRESS(1, 8), LOAD(BPF_SIZE_W, 2, 1, 0), MOVX(0, 1), EXIT } },
	{ "its address is compared", 3, { ADDRESS(1, 8), LOAD(BPF_SIZE_W, 0, 1, 0), JUMP(BPF_OP_JEQ, 1, 0, 0),
					  EXIT } },
	{ "its address is compared", 4, { ADDRESS(1, 8), LOAD(BPF_SIZE_W, 0, 1, 0), MOV64(2, 0),
					  JUMPX(BPF_OP_JGT, 2, 1, 0), EXIT } },
	{ "its address is computed with", 3, { ADDRESS(1, 8), LOAD(BPF_SIZE_W, 0, 1, 0), ALU64(BPF_OP_AND, 1, -8),
					       EXIT } },
	{ "its address is computed with", 4, { ADDRESS(1, 8), LOAD(BPF_SIZE_W, 0, 1, 0), MOV64(2, 4),
					       ALUX(BPF_OP_ADD, 1, 2), EXIT } },
	{ "its address is stored in memory", 4, { ADDRESS(1, 8), LOAD(BPF_SIZE_W, 0, 1, 0), MOV64(2, 4),
						  STORE(BPF_SIZE_DW, 2, 0, 1), EXIT } },
	{ "it is spilled to stack that is passed to a function", 6,
	  { ADDRESS(1, 8), LOAD(BPF_SIZE_W, 0, 1, 0), STORE(BPF_SIZE_DW, 10, -8, 1), MOVX(1, 10),
	    ALU64(BPF_OP_ADD, 1, -16), HELPER(119), EXIT } },
	{ "two paths bring different addresses", 6,
	  { JUMP(BPF_OP_JEQ, 1, 0, 3), ADDRESS(2, 8), GOTO(2), ADDRESS(2, 0), LOAD(BPF_SIZE_W, 0, 2, 0), EXIT } },
};

static uint32_t length(const struct bpfinsn *code)
{
	uint32_t n = 1;

	while (code[n - 1].code != (BPF_CLASS_JMP | BPF_OP_EXIT))
		n++;
	return n;
}

START_TEST(kept)
{
	struct bpfobj o = sample(false, _i & 1 ? ".bss" : ".data", keeps[_i / 2].code,
				  length(keeps[_i / 2].code));
	struct bpfstamp_injectable inj;

	rewrite_inline(&o);
	rewrite_kept(&o, "b", keeps[_i / 2].kept);
	bpfobj_find(&o, "b", &inj);
	ck_assert_str_eq(inj.kept_at.program, "f");
	ck_assert_uint_eq(inj.kept_at.insn, keeps[_i / 2].at);
	ck_assert_uint_eq(inj.inlined_count, 0);
	ck_assert_uint_ne(data_refs(&o), 0);
	bpfobj_free(&o);
}
END_TEST

START_TEST(nobody_writes)
{
	static const char *const sections[] = { ".data", ".data.x", ".bss", ".bss.x" };
	const struct bpfinsn code[] = { ADDRESS(1, 8), LOAD(BPF_SIZE_W, 0, 1, 0), EXIT };
	struct bpfobj o = sample(_i & 1, sections[_i / 2], code, COUNT(code));
	struct bpfstamp_stamp *s;

	rewrite_inline(&o);
	rewrite_kept(&o, "b", NULL);
	ck_assert_uint_eq(data_refs(&o), 0);
	s = bpfobj_stamp(&o);
	ck_assert_uint_eq(rewrite_run(&o, s, "f", 0), _i / 2 > 1 ? 0 : read_as(bytes + 8, 4, false, _i & 1));
	bpfobj_set(s, "b", "0x1234567887654321");
	ck_assert_uint_eq(rewrite_run(&o, s, "f", 0), _i & 1 ? 0x12345678 : 0x87654321);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/*
 * The neighbour of a variable that is written is inlined;
 * a store between variables keeps all of the section.
 */
START_TEST(only_what_is_written)
{
	const struct bpfinsn store_b[] = { ADDRESS(1, 0), LOAD(BPF_SIZE_W, 0, 1, 0), LOAD(BPF_SIZE_B, 2, 1, 8),
					   STORE(BPF_SIZE_W, 1, 12, 0), EXIT };
	const struct bpfinsn store_hole[] = { ADDRESS(1, 0), LOAD(BPF_SIZE_W, 0, 1, 0), STORE(BPF_SIZE_W, 1, 24, 0),
					      EXIT };
	struct bpfobj o = sample(false, ".data", store_b, COUNT(store_b));

	rewrite_inline(&o);
	rewrite_is(&o, o.t->image, "f",
		   "r1 = 0 ll; w0 = 75694721; w2 = *(u8 *)(r1 + 8); *(u32 *)(r1 + 12) = w0; exit");
	rewrite_kept(&o, "b", "it is written");
	bpfobj_free(&o);
	o = sample(false, ".data", store_hole, COUNT(store_hole));
	rewrite_inline(&o);
	rewrite_is(&o, o.t->image, "f", "r1 = 0 ll; w0 = *(u32 *)(r1 + 0); *(u32 *)(r1 + 24) = w0; exit");
	bpfobj_free(&o);
}
END_TEST

/* Reads outside of all variables: of .rodata nobody can have written them, of .data one cannot know. */
START_TEST(reads_outside)
{
	const struct bpfinsn code[] = { ADDRESS(1, 0), LOAD(BPF_SIZE_W, 2, 1, 24), LOAD(BPF_SIZE_W, 3, 1, 29),
					LOAD(BPF_SIZE_B, 0, 1, -1), EXIT };
	struct bpfobj o = sample(false, _i ? ".data" : ".rodata", code, COUNT(code));

	rewrite_inline(&o);
	rewrite_is(&o, o.t->image, "f", _i ?
		   "r1 = 0 ll; w2 = *(u32 *)(r1 + 24); w3 = *(u32 *)(r1 + 29); w0 = *(u8 *)(r1 - 1); exit" :
		   "r1 = 0 ll; w2 = 0; w3 = *(u32 *)(r1 + 29); w0 = *(u8 *)(r1 - 1); exit");
	bpfobj_free(&o);
}
END_TEST

/* Read-only data whose address escapes is inlined where it is read; the rest still refers to the map. */
START_TEST(readonly_escapes)
{
	const struct bpfinsn code[] = { ADDRESS(1, 8), LOAD(BPF_SIZE_DW, 7, 1, 0), HELPER(6), MOVX(0, 7), EXIT };
	struct bpfobj o = sample(_i, ".rodata", code, COUNT(code));
	struct bpfstamp_injectable inj;
	struct bpfstamp_stamp *s;

	rewrite_inline(&o);
	bpfobj_find(&o, "b", &inj);
	ck_assert_uint_eq(inj.site_count, 2);
	ck_assert_uint_eq(inj.inlined_count, 1);
	ck_assert_str_eq(inj.kept, "its address is passed to a function");
	ck_assert_uint_eq(inj.kept_at.insn, 4);	/* behind the load, which has two slots now */
	ck_assert_uint_eq(data_refs(&o), 1);
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "b", "-2");
	rewrite_is(&o, s->image, "f", "r1 = 8 ll; r7 = -2 ll; call 6; r0 = r7; exit");
	ck_assert_uint_eq(rewrite_run(&o, s, "f", 0), (uint64_t)-2);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* -------------------------------------------------------- places in code */

/*
 * tc: main; .text: a (static, called through the section) and g (global). Every
 * function has an 8-byte load, so that it grows by nothing (lddw and load are
 * three slots, lddw alone two), or two loads of one address, so that it
 * grows by one; jumps over each.
 */
static struct bpfobj calls_sample(bool big)
{
	static const struct bpfinsn main_code[] = {
		{ .code = BPF_CODE_LDDW, .dst = 6 }, { 0 }, JUMP(BPF_OP_JEQ, 1, 5, 2),
		LOAD(BPF_SIZE_DW, 2, 6, 0), LOAD(BPF_SIZE_DW, 3, 6, 8), CALL(-1), MOVX(7, 0), CALL(4),
		ALUX(BPF_OP_ADD, 0, 7), MOVX(9, 0), MOV64(1, 1), { .code = BPF_CODE_LDDW, .dst = 2, .imm = 5 * 8 },
		{ 0 }, MOV64(3, 0), MOV64(4, 0), HELPER(181), ALUX(BPF_OP_ADD, 0, 9), EXIT,
	};
	static const struct bpfinsn text_code[] = {	/* g at 0, a at 5 */
		{ .code = BPF_CODE_LDDW, .dst = 1 }, { 0 }, LOAD(BPF_SIZE_W, 0, 1, 0), MOVX(0, 0), EXIT,
		{ .code = BPF_CODE_LDDW, .dst = 1 }, { 0 }, LOAD(BPF_SIZE_DW, 0, 1, 8), LOAD(BPF_SIZE_DW, 2, 1, 8),
		LOAD(BPF_SIZE_DW, 3, 1, 8), GOTO(0), EXIT,
	};
	struct bpfobj o = bpfobj_new(big);
	uint32_t tc = bpfobj_code(&o, "tc", main_code, COUNT(main_code));
	uint32_t text = bpfobj_code(&o, ".text", text_code, COUNT(text_code));
	uint32_t data = bpfobj_data(&o, ".rodata", bytes, DATA), g, section = bpfobj_section_symbol(&o, text);

	bpfobj_func(&o, "main", tc, 0, COUNT(main_code));
	g = bpfobj_func(&o, "g", text, 0, 5);
	bpfobj_func(&o, "a", text, 5, COUNT(text_code) - 5);
	bpfobj_var(&o, "x", data, 0, 8);
	bpfobj_var(&o, "y", data, 8, 8);
	bpfobj_rel(&o, tc, 0, R_BPF_64_64, bpfobj_section_symbol(&o, data));
	bpfobj_rel(&o, tc, 5, R_BPF_64_32, g);
	bpfobj_rel(&o, tc, 7, R_BPF_64_32, section);
	bpfobj_rel(&o, tc, 11, R_BPF_64_64, section);
	bpfobj_rel(&o, text, 0, R_BPF_64_64, bpfobj_section_symbol(&o, data));
	bpfobj_rel(&o, text, 5, R_BPF_64_64, bpfobj_section_symbol(&o, data));
	bpfobj_open(&o);
	return o;
}

START_TEST(calls)
{
	struct bpfobj o = calls_sample(_i);
	uint64_t y = read_as(bytes + 8, 8, false, _i), x = read_as(bytes, 4, false, _i);
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	char text[512];

	ck_assert_uint_eq(rewrite_run(&o, s, "main", 5), x + y + 1);
	bpfstamp_stamp_free(s);
	rewrite_inline(&o);
	snprintf(text, sizeof(text), "if r1 == 5 goto +4; r2 = %" PRId64 " ll; r3 = %" PRId64 " ll; call -1; "
		 "r7 = r0; call 2; r0 += r7; r9 = r0; r1 = 1; r2 = 24 ll; r3 = 0; r4 = 0; call 181; r0 += r9; exit",
		 (int64_t)read_as(bytes, 8, false, _i), (int64_t)y);
	rewrite_is(&o, o.t->image, "main", text);
	snprintf(text, sizeof(text), "w0 = %" PRId32 "; r0 = r0; exit", (int32_t)(uint32_t)x);
	rewrite_is(&o, o.t->image, "g", text);
	snprintf(text, sizeof(text), "r0 = %" PRId64 " ll; r2 = %" PRId64 " ll; r3 = %" PRId64 " ll; goto +0; exit",
		 (int64_t)y, (int64_t)y, (int64_t)y);
	rewrite_is(&o, o.t->image, "a", text);
	s = bpfobj_stamp(&o);
	ck_assert_uint_eq(rewrite_run(&o, s, "main", 5), x + y + 1);
	ck_assert_uint_eq(rewrite_run(&o, s, "main", 0), x + y + 1);
	bpfobj_set(s, "y", "0xfffffffffffffff0");
	ck_assert_uint_eq(rewrite_run(&o, s, "main", 0), x - 0x10 + 1);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* A call inside of .text that the compiler resolved, with a callee that moves. */
START_TEST(call_without_relocation)
{
	static const struct bpfinsn code[] = {
		{ .code = BPF_CODE_LDDW, .dst = 6 }, { 0 }, LOAD(BPF_SIZE_DW, 2, 6, 0), LOAD(BPF_SIZE_DW, 3, 6, 8),
		CALL(3), EXIT, MOV64(0, 1), EXIT,	/* never called */
		{ .code = BPF_CODE_LDDW, .dst = 6 }, { 0 }, LOAD(BPF_SIZE_B, 0, 6, 8), EXIT,
	};
	struct bpfobj o = bpfobj_new(_i);
	uint32_t tc = bpfobj_code(&o, "tc", code, COUNT(code)), data = bpfobj_data(&o, ".rodata", bytes, DATA);
	uint32_t symbol = bpfobj_section_symbol(&o, data);
	struct bpfstamp_stamp *s;

	bpfobj_func(&o, "main", tc, 0, 6);
	bpfobj_func(&o, "other", tc, 6, 2);
	bpfobj_func(&o, "callee", tc, 8, 4);
	bpfobj_var(&o, "x", data, 8, 1);
	bpfobj_rel(&o, tc, 0, R_BPF_64_64, symbol);
	bpfobj_rel(&o, tc, 8, R_BPF_64_64, symbol);
	bpfobj_open(&o);
	rewrite_inline(&o);
	rewrite_is(&o, o.t->image, "callee", "w0 = 17; exit");
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "x", "99");
	ck_assert_uint_eq(rewrite_run(&o, s, "main", 0), 99);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* Lines 1, 2, … for each instruction of two functions; after inlining each that is left has the same line. */
static struct bpfobj lines_sample(bool big)
{
	static const struct bpfinsn code[] = {
		ADDRESS(6, 0), LOAD(BPF_SIZE_DW, 2, 6, 0), MOVX(7, 6), LOAD(BPF_SIZE_B, 0, 7, 8), EXIT,
		ADDRESS(1, 8), MOVX(2, 1), LOAD(BPF_SIZE_DW, 0, 1, 0), LOAD(BPF_SIZE_DW, 0, 2, 0), MOV64(0, 0), EXIT,
	};
	struct btfgen *gen = btfgen_new(big);
	struct bpfobj o = bpfobj_new(big);
	uint32_t proto = btfgen_type(gen, "", BTF_FUNC_PROTO, 0, 0), file = btfgen_string(gen, "f.c");
	uint32_t tc, data, symbol;
	struct bpfinsn copy[COUNT(code)];

	btfgen_ext_word(gen, BTF_EXT_FUNC, 8);
	btfgen_ext_word(gen, BTF_EXT_FUNC, btfgen_string(gen, "tc"));
	btfgen_ext_word(gen, BTF_EXT_FUNC, 2);
	for (uint32_t i = 0; i < 2; i++) {
		btfgen_ext_word(gen, BTF_EXT_FUNC, i * 6 * 8);
		btfgen_ext_word(gen, BTF_EXT_FUNC, btfgen_type(gen, i ? "two" : "one", BTF_FUNC, 1, proto));
	}
	btfgen_ext_word(gen, BTF_EXT_LINE, 16);
	btfgen_ext_word(gen, BTF_EXT_LINE, btfgen_string(gen, "tc"));
	btfgen_ext_word(gen, BTF_EXT_LINE, 11);
	for (uint32_t i = 0; i < 13; i++) {
		if (i == 1 || i == 7)
			continue;
		btfgen_ext_word(gen, BTF_EXT_LINE, i * 8);
		btfgen_ext_word(gen, BTF_EXT_LINE, file);
		btfgen_ext_word(gen, BTF_EXT_LINE, file);
		btfgen_ext_word(gen, BTF_EXT_LINE, (i + 1) << 10);
	}
	memcpy(copy, code, sizeof(code));
	for (size_t i = 0; i < COUNT(code); i++)
		copy[i].src = code[i].src == 15 ? 0 : code[i].src;
	bpfobj_btf(&o, gen, true);
	tc = bpfobj_code(&o, "tc", copy, COUNT(code));
	data = bpfobj_data(&o, ".rodata", bytes, DATA);
	symbol = bpfobj_section_symbol(&o, data);
	bpfobj_func(&o, "one", tc, 0, 6);
	bpfobj_func(&o, "two", tc, 6, 7);
	bpfobj_var(&o, "a", data, 0, 16);
	bpfobj_rel(&o, tc, 0, R_BPF_64_64, symbol);
	bpfobj_rel(&o, tc, 6, R_BPF_64_64, symbol);
	bpfobj_open(&o);
	return o;
}

START_TEST(lines)
{
	static const uint32_t slots[2][4] = { { 0, 2, 3 }, { 0, 2, 4, 5 } };
	static const uint32_t numbers[2][4] = { { 3, 5, 6 }, { 10, 11, 12, 13 } };
	static const uint32_t counts[] = { 3, 4 };
	struct bpfobj o = lines_sample(_i & 1);
	struct bpfstamp_err err = { 0 };
	struct bpfstamp_site site;
	uint32_t f = (uint32_t)_i / 2;
	struct link *link;

	rewrite_inline(&o);
	ck_assert_msg(!link_program(&link, o.t, f, &err), "%s", err.text);
	ck_assert_uint_eq(link->func_info_count, 1);
	ck_assert_uint_eq(link->func_info[0].insn_off, 0);
	ck_assert_uint_eq(link->line_info_count, counts[f]);
	for (uint32_t i = 0; i < counts[f]; i++) {
		ck_assert_uint_eq(link->line_info[i].insn_off, slots[f][i]);
		ck_assert_uint_eq(link->line_info[i].line_col >> 10, numbers[f][i]);
		object_locate(o.t, 0, o.t->funcs[f].start + slots[f][i], &site);
		ck_assert_uint_eq(site.line, numbers[f][i]);
	}
	link_free(link);
	bpfobj_free(&o);
}
END_TEST

/* Inlining finds nothing to do the second time, and nothing in an object without data. */
START_TEST(again)
{
	const struct bpfinsn code[] = { ADDRESS(1, 8), LOAD(BPF_SIZE_DW, 0, 1, 0), EXIT };
	const struct bpfinsn none[] = { MOV64(0, 0), EXIT };
	struct bpfobj o = sample(_i, ".rodata", code, COUNT(code));
	struct bpfstamp_injectable inj;

	rewrite_inline(&o);
	rewrite_inline(&o);
	bpfobj_find(&o, "b", &inj);
	ck_assert_uint_eq(inj.site_count, 1);
	ck_assert_uint_eq(inj.inlined_count, 1);
	bpfobj_free(&o);
	o = bpfobj_new(_i);
	bpfobj_func(&o, "f", bpfobj_code(&o, "tc", none, 2), 0, 2);
	bpfobj_open(&o);
	rewrite_inline(&o);
	rewrite_is(&o, o.t->image, "f", "r0 = 0; exit");
	bpfobj_free(&o);
}
END_TEST

/* Two loads grow by a slot each under a jump: one slot too many, and all of the template is as it was. */
START_TEST(far_jump)
{
	const struct bpfinsn head[] = { ADDRESS(6, 0), LOAD(BPF_SIZE_DW, 0, 6, 0), LOAD(BPF_SIZE_DW, 0, 6, 8),
					STORE_IMM(BPF_SIZE_W, 6, 16, 5) };
	const struct bpfinsn nothing = MOV64(0, 0), exit_insn = EXIT;
	int16_t far = (int16_t)(INT16_MAX - 2 + _i / 2);
	uint32_t slots = (uint32_t)far + 2;
	struct bpfinsn *code = calloc(slots, sizeof(*code));
	struct injectable injs[3];
	struct bpfstamp_err err;
	struct site sites[8];
	struct bpfobj o;

	ck_assert_ptr_nonnull(code);
	code[0] = (struct bpfinsn)JUMP(BPF_OP_JEQ, 1, 0, far);
	memcpy(code + 1, head, sizeof(head));
	for (uint32_t i = 1 + COUNT(head); i < slots; i++)
		code[i] = i == slots - 1 ? exit_insn : nothing;
	o = sample(_i & 1, ".data", code, slots);
	ck_assert_uint_eq(o.t->injectable_count, COUNT(injs));
	ck_assert_uint_le(o.t->site_count, COUNT(sites));
	memcpy(injs, o.t->injectables, sizeof(injs));
	memcpy(sites, o.t->sites, o.t->site_count * sizeof(*sites));
	if (_i / 2) {
		uint32_t count = o.t->site_count;

		ck_assert_int_ne(bpfstamp_inline(o.t, &err), 0);
		bpfobj_says(&err, "the code grew so much that its jump does not fit 16 bits");
		ck_assert(!memcmp(injs, o.t->injectables, sizeof(injs)));
		ck_assert_uint_eq(o.t->site_count, count);
		ck_assert(!memcmp(sites, o.t->sites, count * sizeof(*sites)));
	} else {
		rewrite_inline(&o);
		rewrite_kept(&o, "b", NULL);
		rewrite_kept(&o, "c", "it is written");
	}
	free(code);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_inline(void)
{
	Suite *suite = suite_create("inline");
	TCase *values = tcase_create("values"), *places = tcase_create("places");

	tcase_add_loop_test(values, each_load, 0, 2 * (int)COUNT(loads));
	tcase_add_loop_test(values, load_of_two_variables, 0, 2);
	tcase_add_loop_test(values, travelling_address, 0, (int)COUNT(travels));
	tcase_add_loop_test(values, kept, 0, 2 * (int)COUNT(keeps));
	tcase_add_loop_test(values, nobody_writes, 0, 8);
	tcase_add_test(values, only_what_is_written);
	tcase_add_loop_test(values, reads_outside, 0, 2);
	tcase_add_loop_test(values, readonly_escapes, 0, 2);
	tcase_add_loop_test(values, again, 0, 2);
	suite_add_tcase(suite, values);
	tcase_add_loop_test(places, calls, 0, 2);
	tcase_add_loop_test(places, call_without_relocation, 0, 2);
	tcase_add_loop_test(places, lines, 0, 4);
	tcase_add_loop_test(places, far_jump, 0, 4);
	suite_add_tcase(suite, places);
	return suite;
}
