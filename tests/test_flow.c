// SPDX-License-Identifier: BSD-2-Clause
/*
 * Registers and the flow of addresses, on functions made by hand.  Events are
 * compared as text: "slot kind object+offset", for loads and stores with their
 * size; addresses that are made and reads of the stack only where asked for.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpfinsn/flow.h"
#include "bpfinsn/regs.h"
#include "tests/rewrite.h"

Suite *suite_flow(void);

enum { SLOTS_MAX = 32 };

#define R(n) (1u << (n))

/* -------------------------------------------------------------- registers */

static const struct {
	struct bpfinsn insn;
	uint8_t args;
	uint32_t read, written;
} registers[] = {
	{ { .code = BPF_CODE_LDDW, .dst = 3 }, 0, 0, R(3) },
	{ LOAD(BPF_SIZE_B, 3, 4, 0), 0, R(4), R(3) }, { LOADSX(BPF_SIZE_W, 3, 4, 0), 0, R(4), R(3) },
	{ LOAD(BPF_SIZE_DW, 4, 4, 0), 0, R(4), R(4) },
	{ STORE(BPF_SIZE_DW, 3, 0, 4), 0, R(3) | R(4), 0 }, { STORE_IMM(BPF_SIZE_W, 3, 0, 4), 0, R(3), 0 },
	{ ALU(BPF_OP_ADD, 3, 4), 0, R(3), R(3) }, { ALUX(BPF_OP_ADD, 3, 4), 0, R(3) | R(4), R(3) },
	{ MOV64(3, 4), 0, 0, R(3) }, { MOV32(3, 4), 0, 0, R(3) }, { MOVX(3, 4), 0, R(4), R(3) },
	{ ALU64(BPF_OP_NEG, 3, 0), 0, R(3), R(3) },
	{ { .code = BPF_CLASS_ALU | BPF_OP_END | BPF_SOURCE_X, .dst = 3, .src = 0, .imm = 16 }, 0, R(3), R(3) },
	{ { .code = BPF_CLASS_ALU64 | BPF_OP_END, .dst = 3, .imm = 64 }, 0, R(3), R(3) },
	{ JUMP(BPF_OP_JEQ, 3, 4, 0), 0, R(3), 0 }, { JUMP32(BPF_OP_JSET, 3, 4, 0), 0, R(3), 0 },
	{ JUMPX(BPF_OP_JLT, 3, 4, 0), 0, R(3) | R(4), 0 }, { GOTO(5), 0, 0, 0 },
	{ { .code = BPF_CLASS_JMP32 | BPF_OP_JA, .imm = 5 }, 0, 0, 0 },
	{ { .code = BPF_CLASS_JMP | BPF_OP_JCOND }, 0, 0, 0 },
	{ EXIT, 0, R(0), 0 }, { HELPER(1), 2, R(1) | R(2), 0x3f }, { HELPER(1), 0, 0, 0x3f },
	{ CALL(1), 5, 0x3e, 0x3f },
	{ { .code = BPF_CLASS_JMP | BPF_OP_CALL | BPF_SOURCE_X, .dst = 7 }, 1, R(1) | R(7), 0x3f },
	{ { .code = BPF_CLASS_LD | BPF_MODE_ABS }, 0, R(6), 0x3f },
	{ { .code = BPF_CLASS_LD | BPF_MODE_IND, .src = 2 }, 0, R(6) | R(2), 0x3f },
	{ ATOMIC(BPF_SIZE_DW, 3, 0, 4, BPF_OP_ADD), 0, R(3) | R(4), 0 },
	{ ATOMIC(BPF_SIZE_DW, 3, 0, 4, BPF_OP_ADD | BPF_ATOMIC_FETCH), 0, R(3) | R(4), R(4) },
	{ ATOMIC(BPF_SIZE_W, 3, 0, 4, BPF_ATOMIC_XCHG), 0, R(3) | R(4), R(4) },
	{ ATOMIC(BPF_SIZE_W, 3, 0, 4, BPF_ATOMIC_CMPXCHG), 0, R(0) | R(3) | R(4), R(0) },
	{ ATOMIC(BPF_SIZE_W, 3, 0, 4, BPF_ATOMIC_LOAD_ACQ), 0, R(4), R(3) },
	{ ATOMIC(BPF_SIZE_W, 3, 0, 4, BPF_ATOMIC_STORE_REL), 0, R(3) | R(4), 0 },
};

START_TEST(reads_and_writes)
{
	ck_assert_uint_eq(regs_read(&registers[_i].insn, registers[_i].args), registers[_i].read);
	ck_assert_uint_eq(regs_written(&registers[_i].insn), registers[_i].written);
}
END_TEST

START_TEST(helper_arguments)
{
	/* map_lookup_elem, map_update_elem, map_delete_elem, ktime, trace_printk, … */
	static const uint8_t expected[][2] = {
		{ 1, 2 }, { 2, 4 }, { 3, 2 }, { 5, 0 }, { 6, 5 }, { 7, 0 }, { 8, 0 }, { 9, 5 }, { 12, 3 }, { 14, 0 },
		{ 23, 2 }, { 25, 5 }, { 26, 4 }, { 51, 3 }, { 69, 4 }, { 112, 3 }, { 119, 4 }, { 181, 4 }, { 255, 5 },
	};

	for (size_t i = 0; i < COUNT(expected); i++)
		ck_assert_msg(regs_helper_args(expected[i][0]) == expected[i][1], "helper %u: %u", expected[i][0],
			      regs_helper_args(expected[i][0]));
	ck_assert_uint_eq(regs_helper_args(UINT32_MAX), 5);
}
END_TEST

/* ------------------------------------------------------------- a function */

#define REF(reg, object, offset) \
	{ .code = BPF_CODE_LDDW, .dst = (reg), .src = 15, .off = (object), .imm = (offset) }, { 0 }

struct function {
	uint8_t raw[SLOTS_MAX * 8], starts[SLOTS_MAX / 8 + 1], args[SLOTS_MAX];
	uint16_t live[SLOTS_MAX];
	struct flow_ref refs[SLOTS_MAX];
	struct flow_function flow;
};

static void make(struct function *f, const struct bpfinsn *code, bool big)
{
	uint32_t at, n = 0;

	memset(f, 0, sizeof(*f));
	f->flow = (struct flow_function){ .raw = f->raw, .big = big, .starts = f->starts, .args = f->args,
					  .live = f->live, .refs = f->refs };
	do {
		struct bpfinsn insn = code[n];

		ck_assert_uint_lt(n, SLOTS_MAX);
		if (insn.src == 15) {
			f->refs[f->flow.ref_count++] = (struct flow_ref){ .slot = n, .object = (uint32_t)insn.off,
									  .offset = (uint32_t)insn.imm };
			insn.src = 0;
			insn.off = 0;
		}
		if (insn.code == (BPF_CLASS_JMP | BPF_OP_CALL))
			f->args[n] = insn.src ? 5 : regs_helper_args((uint32_t)insn.imm);
		bpfinsn_encode(f->raw + 8 * n, big, &insn);
	} while (code[n++].code != (BPF_CLASS_JMP | BPF_OP_EXIT));
	f->flow.count = n;
	ck_assert_ptr_null(bpfinsn_check_all(f->raw, n, big, f->starts, &at));
	regs_liveness(f->raw, n, big, f->starts, 0, f->args, f->live);
}

static const struct { struct bpfinsn code[12]; uint32_t live[12]; } lives[] = {
	{ { MOV64(0, 0), EXIT }, { R(0), 0 } },
	{ { MOVX(2, 1), MOVX(0, 2), EXIT }, { R(2), R(0), 0 } },
	/* a loop: r2 and r3 are read again in it */
	{ { MOV64(2, 9), MOV64(0, 0), ALUX(BPF_OP_ADD, 0, 3), ALU64(BPF_OP_ADD, 2, -1), JUMP(BPF_OP_JNE, 2, 0, -3),
	    EXIT },
	  { R(2) | R(3), R(0) | R(2) | R(3), R(0) | R(2) | R(3), R(0) | R(2) | R(3), R(0) | R(2) | R(3), 0 } },
	/* a loop in a loop: r7 lives through the inner one */
	{ { MOV64(7, 3), MOV64(8, 3), ALU64(BPF_OP_ADD, 8, -1), JUMP(BPF_OP_JNE, 8, 0, -2), ALU64(BPF_OP_ADD, 7, -1),
	    JUMP(BPF_OP_JNE, 7, 0, -5), MOVX(0, 6), EXIT },
	  { R(7) | R(6), R(6) | R(7) | R(8), R(6) | R(7) | R(8), R(6) | R(7) | R(8), R(6) | R(7), R(6) | R(7), R(0),
	    0 } },
	/* a call reads its arguments, and leaves nothing in r0 to r5 */
	{ { MOV64(1, 1), MOV64(2, 1), MOV64(3, 1), HELPER(1), EXIT }, { R(1), R(1) | R(2), R(1) | R(2), R(0), 0 } },
	/* lddw, and a jump over what would write */
	{ { LDDW(4, 1), JUMP(BPF_OP_JEQ, 1, 0, 1), MOV64(4, 0), MOVX(0, 4), EXIT },
	  { R(1) | R(4), 0, R(4), R(4), R(0), 0 } },
};

START_TEST(liveness)
{
	struct function f;

	make(&f, lives[_i / 2].code, _i & 1);
	for (uint32_t i = 0; i < f.flow.count; i++)
		ck_assert_msg(f.live[i] == lives[_i / 2].live[i], "slot %u: %#x, not %#x", i, f.live[i],
			      lives[_i / 2].live[i]);
}
END_TEST

/* --------------------------------------------------------------- events */

struct told {
	bool all;
	char text[1024];
};

static void tell(const struct flow_event *e, void *arg)
{
	struct told *told = arg;
	size_t used = strlen(told->text), room = sizeof(told->text) - used;
	char *to = told->text + used;

	ck_assert_uint_gt(room, 100);
	if (!told->all && (e->kind == FLOW_ADDRESS || e->kind == FLOW_STACK_READ || e->kind == FLOW_SPILL))
		return;
	if (used)
		to += sprintf(to, "; ");
	switch (e->kind) {
	case FLOW_LOAD:
	case FLOW_STORE:
		sprintf(to, "%u %s %u%+d/%u%s", e->slot, e->kind == FLOW_LOAD ? "load" : "store", e->object,
			e->offset, e->size, e->sign_extend ? "s" : "");
		break;
	case FLOW_ESCAPE:
		sprintf(to, "%u %u%+d %s", e->slot, e->object, e->offset, e->why);
		break;
	case FLOW_ADDRESS:
		sprintf(to, "%u address %u%+d", e->slot, e->object, e->offset);
		break;
	case FLOW_SPILL:
		sprintf(to, "%u spill %u @%u", e->slot, e->object, e->stack_slot);
		break;
	default:
		sprintf(to, "%u read @%u%s", e->slot, e->stack_slot, e->to_top ? "^" : "");
		break;
	}
}

#define CALLED "its address is passed to a function"
#define STORED "its address is stored in memory"
#define COMPUTED "its address is computed with"
#define COMPARED "its address is compared"
#define MERGED "two paths bring different addresses"
#define SHOWN "it is spilled to stack that is passed to a function"

static const struct { const char *text; bool all; struct bpfinsn code[16]; } flows[] = {
	{ "0 address 0+8; 2 load 0+12/4", true, { REF(1, 0, 8), LOAD(BPF_SIZE_W, 0, 1, 4), EXIT } },
	{ "2 load 5+6/2s", false, { REF(1, 5, 8), LOADSX(BPF_SIZE_H, 0, 1, -2), EXIT } },
	{ "0 address 0+8; 2 address 0+8; 3 address 0+18; 4 address 0+15; 5 load 0+15/1", true,
	  { REF(1, 0, 8), MOVX(2, 1), ALU64(BPF_OP_ADD, 2, 10), ALU64(BPF_OP_SUB, 2, 3), LOAD(BPF_SIZE_B, 0, 2, 0),
	    EXIT } },
	{ "0 address 1+0; 2 spill 1 @62; 3 address 1+0; 3 read @62; 4 load 1+0/8", true,
	  { REF(1, 1, 0), STORE(BPF_SIZE_DW, 10, -16, 1), LOAD(BPF_SIZE_DW, 2, 10, -16), LOAD(BPF_SIZE_DW, 0, 2, 0),
	    EXIT } },
	/* through a copy of r10, and at the ends of the frame */
	{ "4 load 1+0/8", false, { REF(1, 1, 0), STORE(BPF_SIZE_DW, 10, -512, 1), LOAD(BPF_SIZE_DW, 2, 10, -512),
				   LOAD(BPF_SIZE_DW, 0, 2, 0), EXIT } },
	{ "6 load 1+0/8", false, { REF(1, 1, 0), MOVX(3, 10), ALU64(BPF_OP_ADD, 3, -24), STORE(BPF_SIZE_DW, 3, 16, 1),
				   LOAD(BPF_SIZE_DW, 2, 10, -8), LOAD(BPF_SIZE_DW, 0, 2, 0), EXIT } },
	/* one byte of a spill is overwritten: what is loaded is no address; the address itself was not lost */
	{ "", false, { REF(1, 1, 0), STORE(BPF_SIZE_DW, 10, -16, 1), STORE_IMM(BPF_SIZE_B, 10, -9, 0),
		       LOAD(BPF_SIZE_DW, 2, 10, -16), LOAD(BPF_SIZE_DW, 0, 2, 0), EXIT } },
	{ "5 load 1+0/8", false, { REF(1, 1, 0), STORE(BPF_SIZE_DW, 10, -16, 1), STORE_IMM(BPF_SIZE_B, 10, -17, 0),
				   LOAD(BPF_SIZE_DW, 2, 10, -16), LOAD(BPF_SIZE_DW, 0, 2, 0), EXIT } },
	/* a store that is no spill */
	{ "2 1+0 " STORED, false, { REF(1, 1, 0), STORE(BPF_SIZE_DW, 10, -12, 1), MOV64(0, 0), EXIT } },
	{ "2 1+0 " STORED, false, { REF(1, 1, 0), STORE(BPF_SIZE_W, 10, -16, 1), MOV64(0, 0), EXIT } },
	{ "4 store 2+0/8; 4 1+0 " STORED, false,
	  { REF(1, 1, 0), REF(2, 2, 0), STORE(BPF_SIZE_DW, 2, 0, 1), MOV64(0, 0), EXIT } },
	{ "2 store 1+4/2", false, { REF(1, 1, 0), STORE_IMM(BPF_SIZE_H, 1, 4, 0), MOV64(0, 0), EXIT } },
	/* calls */
	{ "3 1+8 " CALLED, false, { REF(1, 1, 8), MOV64(2, 0), HELPER(6), EXIT } },
	{ "", false, { REF(3, 1, 8), MOV64(1, 0), MOV64(2, 0), HELPER(1), EXIT } },
	{ "5 load 1+8/4", false, { REF(6, 1, 8), MOV64(1, 0), MOV64(2, 0), HELPER(1), LOAD(BPF_SIZE_W, 0, 6, 0),
				   EXIT } },
	{ "6 1+0 " SHOWN, false, { REF(6, 1, 0), STORE(BPF_SIZE_DW, 10, -8, 6), MOV64(1, 0), MOVX(2, 10),
				   ALU64(BPF_OP_ADD, 2, -16), HELPER(1), EXIT } },
	/* below what is passed nobody can reach it */
	{ "8 load 1+0/1", false, { REF(6, 1, 0), STORE(BPF_SIZE_DW, 10, -24, 6), MOV64(1, 0), MOVX(2, 10),
				   ALU64(BPF_OP_ADD, 2, -16), HELPER(1), LOAD(BPF_SIZE_DW, 2, 10, -24),
				   LOAD(BPF_SIZE_B, 0, 2, 0), EXIT } },
	/* returned, compared, computed with */
	{ "2 1+0 its address is returned", false, { REF(0, 1, 0), EXIT } },
	{ "3 1+0 " COMPARED, false, { MOV64(0, 0), REF(1, 1, 0), JUMP(BPF_OP_JEQ, 1, 0, 0), EXIT } },
	{ "4 1+0 " COMPARED, false, { MOV64(0, 0), MOV64(2, 0), REF(1, 1, 0), JUMPX(BPF_OP_JEQ, 2, 1, 0), EXIT } },
	{ "3 1+0 " COMPUTED, false, { MOV64(0, 0), REF(1, 1, 0), ALUX(BPF_OP_ADD, 1, 0), EXIT } },
	{ "3 1+0 " COMPUTED, false, { MOV64(0, 0), REF(1, 1, 0), ALUX(BPF_OP_ADD, 0, 1), EXIT } },
	{ "3 1+0 " COMPUTED, false, { MOV64(0, 0), REF(1, 1, 0), ALU(BPF_OP_ADD, 1, 4), EXIT } },
	{ "3 1+0 " COMPUTED, false, { MOV64(0, 0), REF(1, 1, 0), ALU64(BPF_OP_LSH, 1, 4), EXIT } },
	{ "", false, { REF(1, 1, 0), MOV64(1, 4), MOV64(0, 0), EXIT } },	/* overwritten is not used */
	/* atomics */
	{ "3 store 1+0/4; 3 1+0 it is used by an atomic operation", false,
	  { MOV64(0, 0), REF(1, 1, 0), ATOMIC(BPF_SIZE_W, 1, 0, 0, BPF_OP_ADD), EXIT } },
	{ "3 1+0 " STORED, false, { MOV64(0, 0), REF(1, 1, 0), ATOMIC(BPF_SIZE_DW, 10, -8, 1, BPF_ATOMIC_XCHG),
				    EXIT } },
	/* paths that agree, and that do not */
	{ "6 load 1+0/4", false, { JUMP(BPF_OP_JEQ, 1, 0, 3), REF(2, 1, 0), GOTO(2), REF(2, 1, 0),
				   LOAD(BPF_SIZE_W, 0, 2, 0), EXIT } },
	{ "6 1+0 " MERGED "; 6 1+4 " MERGED, false,
	  { JUMP(BPF_OP_JEQ, 1, 0, 3), REF(2, 1, 0), GOTO(2), REF(2, 1, 4), LOAD(BPF_SIZE_W, 0, 2, 0), EXIT } },
	{ "", false,	/* not read */
	  { JUMP(BPF_OP_JEQ, 1, 0, 3), REF(2, 1, 0), GOTO(2), REF(2, 1, 4), MOV64(0, 0), EXIT } },
	{ "4 1+0 " MERGED, false, { MOV64(2, 0), JUMP(BPF_OP_JEQ, 1, 0, 2), REF(2, 1, 0), LOAD(BPF_SIZE_W, 0, 2, 0),
				    EXIT } },
	/* loops */
	{ "3 load 1+0/4", false, { REF(2, 1, 0), MOV64(0, 0), LOAD(BPF_SIZE_W, 3, 2, 0), ALUX(BPF_OP_ADD, 0, 3),
				   JUMP(BPF_OP_JLT, 0, 9, -3), EXIT } },
	/* the stack pointer is lost: no spill is believed any more */
	{ "5 1+0 " STORED, false, { MOV64(3, 8), MOVX(4, 10), ALUX(BPF_OP_ADD, 4, 3), REF(1, 1, 0),
				    STORE(BPF_SIZE_DW, 10, -16, 1), LOAD(BPF_SIZE_DW, 2, 10, -16),
				    LOAD(BPF_SIZE_W, 0, 2, 0), EXIT } },
	{ "2 store 1+0/8; 3 1+0 " STORED, false,
	  { REF(1, 1, 0), STORE(BPF_SIZE_DW, 1, 0, 10), STORE(BPF_SIZE_DW, 10, -16, 1), MOV64(0, 0), EXIT } },
};

START_TEST(events)
{
	struct told told = { .all = flows[_i / 2].all };
	struct function f;
	void *memory;

	make(&f, flows[_i / 2].code, _i & 1);
	memory = malloc(flow_memory(&f.flow));
	ck_assert_ptr_nonnull(memory);
	flow_run(&f.flow, memory, tell, &told);
	ck_assert_str_eq(told.text, flows[_i / 2].text);
	free(memory);
}
END_TEST

/* A helper that gets a stack address may read all from there up, and nothing below. */
START_TEST(reads_to_top)
{
	static const struct bpfinsn code[] = { MOV64(1, 0), MOVX(2, 10), ALU64(BPF_OP_ADD, 2, -20), HELPER(1), EXIT };
	struct told told = { .all = true };
	struct function f;
	void *memory;

	make(&f, code, _i);
	memory = malloc(flow_memory(&f.flow));
	flow_run(&f.flow, memory, tell, &told);
	ck_assert_str_eq(told.text, "3 read @61^; 3 read @62^; 3 read @63^");
	free(memory);
}
END_TEST

Suite *suite_flow(void)
{
	Suite *suite = suite_create("flow");
	TCase *tcase = tcase_create("registers");

	tcase_add_loop_test(tcase, reads_and_writes, 0, (int)COUNT(registers));
	tcase_add_test(tcase, helper_arguments);
	tcase_add_loop_test(tcase, liveness, 0, 2 * (int)COUNT(lives));
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("addresses");
	tcase_add_loop_test(tcase, events, 0, 2 * (int)COUNT(flows));
	tcase_add_loop_test(tcase, reads_to_top, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
