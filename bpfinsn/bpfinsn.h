/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF instructions (RFC 9669; Documentation/bpf/standardization of the kernel;
 * ISA up to v4): eight bytes a slot,
 *
 *     byte 0      1         2  3     4  5  6  7
 *     code     regs        off         imm
 *
 * regs is dst in the low and src in the high nibble in a little-endian object
 * and the reverse in a big-endian one; off and imm are signed, in the object's
 * byte order.  code is class in bits 0-2, and
 *
 *     ALU, ALU64, JMP, JMP32:  source in bit 3 (0 imm, 1 register), operation in 4-7
 *     LD, LDX, ST, STX:        size in 3-4 (W 0, H 1, B 2, DW 3), mode in 5-7
 *
 * lddw (code 0x18) takes two slots; the second has code 0 and, in imm, the
 * upper 32 bits of the value.
 *
 * Nothing here allocates, needs a C library beyond mem* and str*, or knows of ELF.
 */
#ifndef BPFINSN_BPFINSN_H
#define BPFINSN_BPFINSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPFINSN_SIZE 8u	/* bytes a slot */

enum {	/* class, bits 0-2 of code */
	BPF_CLASS_LD = 0, BPF_CLASS_LDX = 1, BPF_CLASS_ST = 2, BPF_CLASS_STX = 3,
	BPF_CLASS_ALU = 4, BPF_CLASS_JMP = 5, BPF_CLASS_JMP32 = 6, BPF_CLASS_ALU64 = 7,
};

enum { BPF_SIZE_W = 0x00, BPF_SIZE_H = 0x08, BPF_SIZE_B = 0x10, BPF_SIZE_DW = 0x18 };

enum {	/* mode, bits 5-7 of code in LD, LDX, ST, STX */
	BPF_MODE_IMM = 0x00, BPF_MODE_ABS = 0x20, BPF_MODE_IND = 0x40, BPF_MODE_MEM = 0x60,
	BPF_MODE_MEMSX = 0x80, BPF_MODE_ATOMIC = 0xc0,
};

enum { BPF_SOURCE_K = 0x00, BPF_SOURCE_X = 0x08 };

enum {	/* operation, bits 4-7 of code in ALU and ALU64 */
	BPF_OP_ADD = 0x00, BPF_OP_SUB = 0x10, BPF_OP_MUL = 0x20, BPF_OP_DIV = 0x30,
	BPF_OP_OR = 0x40, BPF_OP_AND = 0x50, BPF_OP_LSH = 0x60, BPF_OP_RSH = 0x70,
	BPF_OP_NEG = 0x80, BPF_OP_MOD = 0x90, BPF_OP_XOR = 0xa0, BPF_OP_MOV = 0xb0,
	BPF_OP_ARSH = 0xc0, BPF_OP_END = 0xd0,
};

enum {	/* operation, bits 4-7 of code in JMP and JMP32 */
	BPF_OP_JA = 0x00, BPF_OP_JEQ = 0x10, BPF_OP_JGT = 0x20, BPF_OP_JGE = 0x30,
	BPF_OP_JSET = 0x40, BPF_OP_JNE = 0x50, BPF_OP_JSGT = 0x60, BPF_OP_JSGE = 0x70,
	BPF_OP_CALL = 0x80, BPF_OP_EXIT = 0x90, BPF_OP_JLT = 0xa0, BPF_OP_JLE = 0xb0,
	BPF_OP_JSLT = 0xc0, BPF_OP_JSLE = 0xd0, BPF_OP_JCOND = 0xe0,
};

enum {	/* src of lddw (what its value is) and of call */
	BPF_SRC_MAP_FD = 1, BPF_SRC_MAP_VALUE = 2, BPF_SRC_BTF_ID = 3, BPF_SRC_FUNC = 4,
	BPF_SRC_MAP_IDX = 5, BPF_SRC_MAP_IDX_VALUE = 6,
	BPF_SRC_CALL = 1, BPF_SRC_KFUNC_CALL = 2,
};

enum {	/* imm of STX | ATOMIC: these, or BPF_OP_ADD, OR, AND or XOR with or without FETCH */
	BPF_ATOMIC_FETCH = 0x01, BPF_ATOMIC_XCHG = 0xe1, BPF_ATOMIC_CMPXCHG = 0xf1,
	BPF_ATOMIC_LOAD_ACQ = 0x100, BPF_ATOMIC_STORE_REL = 0x110,
};

enum { BPF_MOV_ADDR_SPACE_CAST = 1 };	/* off of ALU64 | MOV | X; 8, 16 and 32 sign-extend */

#define BPF_CODE_LDDW 0x18	/* LD | IMM | DW */
#define BPF_REG_LAST 10

struct bpfinsn {	/* one slot */
	uint8_t code, dst, src;
	int16_t off;
	int32_t imm;
};

static inline uint8_t bpfinsn_class(uint8_t code) { return code & 0x07; }
static inline uint8_t bpfinsn_size(uint8_t code) { return code & 0x18; }
static inline uint8_t bpfinsn_mode(uint8_t code) { return code & 0xe0; }
static inline uint8_t bpfinsn_op(uint8_t code) { return code & 0xf0; }

/* Slots of the instruction that begins with this code: 2 for lddw, else 1. */
static inline uint32_t bpfinsn_slots(uint8_t code) { return code == BPF_CODE_LDDW ? 2 : 1; }

/* Decode the slot at raw (8 bytes, any alignment), and encode into it; all 64 bits go both ways. */
void bpfinsn_decode(const void *raw, bool big, struct bpfinsn *insn);
void bpfinsn_encode(void *raw, bool big, const struct bpfinsn *insn);

/*
 * The jump target of insn, in slots relative to the slot after it: its off, or
 * its imm for gotol (JMP32 | JA).  Returns false where insn does not jump (a
 * call or exit does not; may_goto does).
 */
bool bpfinsn_jump(const struct bpfinsn *insn, int32_t *delta);

/*
 * NULL where insn is an instruction of ISA v1 to v4 (or may_goto, callx,
 * addr_space_cast, load_acquire or store_release) with its reserved fields as
 * the standard wants them, else what is wrong.  Fields that a relocation will
 * fill (imm of calls and of lddw, src of lddw) may hold anything defined.
 */
const char *bpfinsn_check(const struct bpfinsn *insn);

/*
 * Check count slots at raw as a whole: each instruction by bpfinsn_check,
 * second slots of lddw in place, each jump landing on the start of an
 * instruction of these slots.  Where many functions share a section a jump
 * must stay in the section; that it stays in its function is the verifier's.
 * Returns NULL, or what is wrong with *at the slot.  starts is the caller's
 * memory of (count + 7) / 8 bytes; afterwards bit i tells whether an
 * instruction begins at slot i.
 */
const char *bpfinsn_check_all(const void *raw, uint32_t count, bool big, uint8_t *starts, uint32_t *at);

/* True where bit slot of starts is set. */
static inline bool bpfinsn_starts(const uint8_t *starts, uint32_t slot)
{
	return starts[slot / 8] >> (slot % 8) & 1;
}

/*
 * The text of the instruction at insn[0] (insn[1] is read only for lddw) in
 * the notation of llvm-objdump --mcpu=v4 --no-print-imm-hex (from LLVM 20 on v4
 * is its default), e.g. "if w1 == 7 goto +2 <target>" without the symbolic part,
 * written to buf as strlcpy would (always ended by NUL where size is not 0; buf
 * may be NULL where it is 0).  120 bytes hold any.  Returns the length of the
 * whole text.  What bpfinsn_check refuses gives "<unknown>".
 */
size_t bpfinsn_text(char *buf, size_t size, const struct bpfinsn *insn);

#endif
