/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the immediate of an instruction means, and giving it another meaning.
 *
 * The same 32 bits mean different numbers in different instructions:
 *
 *     lddw                      the 64 bits of both slots
 *     ALU, JMP32, ST W, LD abs  the 32 bits as they are
 *     ALU64, JMP, ST DW         the 32 bits, sign-extended to 64
 *     ST H, ST B                the low 16 or 8 bits
 *
 * so a constant is looked for, and written, by meaning and never by bits.
 * Immediates that are no constants of the program (helper numbers, jump
 * distances, widths of byte swaps, kinds of atomic operations) have no meaning
 * here.
 */
#ifndef BPFINSN_IMM_H
#define BPFINSN_IMM_H

#include "bpfinsn/bpfinsn.h"

enum imm_form {
	IMM_NONE = 0,		/* holds no constant, or not the one asked for */
	IMM_LDDW,		/* lddw, whole */
	IMM_LDDW_LOW,		/* the low half of an lddw whose other half is another constant */
	IMM_LDDW_HIGH,		/* the high half likewise */
	IMM_LDDW_BOTH,		/* each half of an lddw by itself */
	IMM_ZEXT32,		/* 32 bits as they are */
	IMM_SEXT32,		/* 32 bits, sign-extended; the constant is the 64-bit result */
	IMM_SEXT32_OF_U32,	/* 32 bits, sign-extended; the constant is unsigned and had its top bit set */
	IMM_LOW16,		/* 16 bits of a ST H */
	IMM_LOW8,		/* 8 bits of a ST B */
};

/* A constant as the source has it: a number of 8, 16, 32 or 64 bits. */
struct imm_constant {
	uint64_t value;		/* sign-extended where is_signed */
	uint8_t bits;
	bool is_signed;
};

/*
 * What insn[0] (and, for lddw, insn[1]) means: its form (IMM_LDDW, _ZEXT32,
 * _SEXT32, _LOW16, _LOW8) with *value, or IMM_NONE where it has no constant.
 * An lddw that loads an address (src not 0) has none.
 */
enum imm_form imm_meaning(const struct bpfinsn *insn, uint64_t *value);

/* How the instruction holds exactly the constant c, or IMM_NONE. */
enum imm_form imm_match(const struct bpfinsn *insn, const struct imm_constant *c);

/* True where an immediate of that form can be made to mean value. */
bool imm_holds(enum imm_form form, uint64_t value);

/* Make the instruction at raw (8 bytes, 16 for lddw) mean value, which its form must hold. */
void imm_put(void *raw, bool big, enum imm_form form, uint64_t value);

#endif
