/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of what changes code: instructions by name, code as text, and a
 * small machine that runs a program of a stamp, so that what was rewritten can
 * be compared with what it was by what it does.
 */
#ifndef TESTS_REWRITE_H
#define TESTS_REWRITE_H

#include "loader/stamp.h"
#include "tests/bpfobj.h"

#define LOAD(size, reg, base, offset) \
	{ .code = BPF_CLASS_LDX | BPF_MODE_MEM | (size), .dst = (reg), .src = (base), .off = (offset) }
#define LOADSX(size, reg, base, offset) \
	{ .code = BPF_CLASS_LDX | BPF_MODE_MEMSX | (size), .dst = (reg), .src = (base), .off = (offset) }
#define STORE(size, base, offset, reg) \
	{ .code = BPF_CLASS_STX | BPF_MODE_MEM | (size), .dst = (base), .src = (reg), .off = (offset) }
#define STORE_IMM(size, base, offset, value) \
	{ .code = BPF_CLASS_ST | BPF_MODE_MEM | (size), .dst = (base), .off = (offset), .imm = (int32_t)(value) }
#define ATOMIC(size, base, offset, reg, op) \
	{ .code = BPF_CLASS_STX | BPF_MODE_ATOMIC | (size), .dst = (base), .src = (reg), .off = (offset), \
	  .imm = (op) }
#define ALU(op, reg, value) { .code = BPF_CLASS_ALU | (op), .dst = (reg), .imm = (int32_t)(value) }
#define ALU64(op, reg, value) { .code = BPF_CLASS_ALU64 | (op), .dst = (reg), .imm = (int32_t)(value) }
#define ALUX(op, reg, from) { .code = BPF_CLASS_ALU64 | BPF_SOURCE_X | (op), .dst = (reg), .src = (from) }
#define MOVX(reg, from) ALUX(BPF_OP_MOV, reg, from)
#define JUMP(op, reg, value, to) \
	{ .code = BPF_CLASS_JMP | (op), .dst = (reg), .off = (to), .imm = (int32_t)(value) }
#define JUMP32(op, reg, value, to) \
	{ .code = BPF_CLASS_JMP32 | (op), .dst = (reg), .off = (to), .imm = (int32_t)(value) }
#define JUMPX(op, reg, other, to) \
	{ .code = BPF_CLASS_JMP | BPF_SOURCE_X | (op), .dst = (reg), .src = (other), .off = (to) }
#define GOTO(to) { .code = BPF_CLASS_JMP | BPF_OP_JA, .off = (to) }
#define HELPER(id) { .code = BPF_CLASS_JMP | BPF_OP_CALL, .imm = (id) }
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The instructions of a function of an image must read so: "w1 = 7; exit". */
void rewrite_is(const struct bpfobj *o, const uint8_t *image, const char *func, const char *text);

void rewrite_inline(const struct bpfobj *o);
void rewrite_declare(const struct bpfobj *o, const char *old);
void rewrite_widen(const struct bpfobj *o, const char *name, const char *text);

/* Write a stamp as an object and open that. */
struct bpfobj rewrite_reopen(const struct bpfobj *o, const struct bpfstamp_stamp *s);

/* An injectable must not be inlined wholly, for that reason; kept NULL: it must be. */
void rewrite_kept(const struct bpfobj *o, const char *name, const char *kept);

/*
 * Link and run a program of a stamp; what it returns for arg in r1.  bpf_loop
 * works, other helpers return 0.  Data is as the stamp has it, and written to
 * a copy.
 */
uint64_t rewrite_run(const struct bpfobj *o, const struct bpfstamp_stamp *s, const char *program, uint64_t arg);

#endif
