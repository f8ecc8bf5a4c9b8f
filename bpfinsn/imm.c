// SPDX-License-Identifier: BSD-2-Clause
/*
 * The meaning of immediates, see imm.h.
 *
 * imm_meaning is the one table of which instruction extends its immediate how;
 * all else derives from it.  A match is exact: a site is named only where
 * setting it to another constant is what compiling with that other constant
 * would have done.  Two cases want care:
 *
 * - Compilers put two adjacent 32-bit stores, or the two halves of a 64-bit
 *   product of constants, into one lddw.  A 32-bit constant is then one half
 *   of it, and the other half is not ours.  Where the other half is all zeros
 *   the lddw is the constant as a whole; where it is all ones under a
 *   constant with its top bit set, the lddw is its sign extension, which
 *   compilers write as a mov: no match.
 *
 * - A sign-extending instruction can hold an unsigned constant with its top bit
 *   set only as another 64-bit number.  That is what the program meant by it
 *   (`(int)C`, or only the low half of the result is used), and it holds for
 *   every other 32-bit constant in the same way: IMM_SEXT32_OF_U32.
 */
#include "bpfinsn/imm.h"
#include "include/bytes.h"

static enum imm_form store_form(uint8_t size)
{
	switch (size) {
	case BPF_SIZE_B:
		return IMM_LOW8;
	case BPF_SIZE_H:
		return IMM_LOW16;
	case BPF_SIZE_W:
		return IMM_ZEXT32;
	default:
		return IMM_SEXT32;
	}
}

static enum imm_form alu_form(const struct bpfinsn *insn)
{
	uint8_t op = bpfinsn_op(insn->code);

	if ((insn->code & BPF_SOURCE_X) || op == BPF_OP_NEG || op == BPF_OP_END)
		return IMM_NONE;
	return bpfinsn_class(insn->code) == BPF_CLASS_ALU ? IMM_ZEXT32 : IMM_SEXT32;
}

static enum imm_form jump_form(const struct bpfinsn *insn)
{
	uint8_t op = bpfinsn_op(insn->code);

	if ((insn->code & BPF_SOURCE_X) || op == BPF_OP_JA || op == BPF_OP_CALL || op == BPF_OP_EXIT ||
	    op == BPF_OP_JCOND)
		return IMM_NONE;
	return bpfinsn_class(insn->code) == BPF_CLASS_JMP32 ? IMM_ZEXT32 : IMM_SEXT32;
}

static enum imm_form form_of(const struct bpfinsn *insn)
{
	uint8_t mode = bpfinsn_mode(insn->code);

	switch (bpfinsn_class(insn->code)) {
	case BPF_CLASS_LD:
		if (insn->code == BPF_CODE_LDDW)
			return insn->src ? IMM_NONE : IMM_LDDW;
		return mode == BPF_MODE_ABS || mode == BPF_MODE_IND ? IMM_ZEXT32 : IMM_NONE;
	case BPF_CLASS_ST:
		return mode == BPF_MODE_MEM ? store_form(bpfinsn_size(insn->code)) : IMM_NONE;
	case BPF_CLASS_ALU:
	case BPF_CLASS_ALU64:
		return alu_form(insn);
	case BPF_CLASS_JMP:
	case BPF_CLASS_JMP32:
		return jump_form(insn);
	default:
		return IMM_NONE;
	}
}

enum imm_form imm_meaning(const struct bpfinsn *insn, uint64_t *value)
{
	enum imm_form form = form_of(insn);
	uint32_t imm = (uint32_t)insn->imm;

	switch (form) {
	case IMM_LDDW:
		*value = (uint64_t)(uint32_t)insn[1].imm << 32 | imm;
		break;
	case IMM_SEXT32:
		*value = (uint64_t)(int64_t)insn->imm;
		break;
	case IMM_LOW16:
		*value = imm & 0xffff;
		break;
	case IMM_LOW8:
		*value = imm & 0xff;
		break;
	default:
		*value = imm;
		break;
	}
	return form;
}

static enum imm_form match_lddw(uint64_t value, const struct imm_constant *c)
{
	uint32_t low = (uint32_t)value, high = (uint32_t)(value >> 32), c32 = (uint32_t)c->value;

	if (value == c->value)
		return IMM_LDDW;
	if (c->bits != 32)
		return IMM_NONE;
	if (high == c32 && low == c32)
		return IMM_LDDW_BOTH;
	if (high == c32)
		return IMM_LDDW_HIGH;
	if (low == c32 && !(high == UINT32_MAX && low >> 31))
		return IMM_LDDW_LOW;
	return IMM_NONE;
}

enum imm_form imm_match(const struct bpfinsn *insn, const struct imm_constant *c)
{
	uint64_t value;
	enum imm_form form = imm_meaning(insn, &value);
	bool fits32 = c->value <= UINT32_MAX || (c->is_signed && (int64_t)c->value >= INT32_MIN);

	switch (form) {
	case IMM_LDDW:
		return match_lddw(value, c);
	case IMM_SEXT32:
		if (value == c->value)
			return form;
		return c->bits == 32 && (uint32_t)value == c->value ? IMM_SEXT32_OF_U32 : IMM_NONE;
	case IMM_ZEXT32:
		return fits32 && value == (uint32_t)c->value ? form : IMM_NONE;
	case IMM_LOW16:
		return c->bits <= 16 && value == (uint16_t)c->value ? form : IMM_NONE;
	case IMM_LOW8:
		return c->bits == 8 && value == (uint8_t)c->value ? form : IMM_NONE;
	default:
		return IMM_NONE;
	}
}

static bool fits_bits(uint64_t value, unsigned int bits)
{
	int64_t s = (int64_t)value;

	return value >> bits == 0 || (s < 0 && s >= -((int64_t)1 << (bits - 1)));
}

bool imm_holds(enum imm_form form, uint64_t value)
{
	switch (form) {
	case IMM_LDDW:
		return true;
	case IMM_SEXT32:
		return (int64_t)value == (int32_t)value;
	case IMM_LDDW_LOW:
	case IMM_LDDW_HIGH:
	case IMM_LDDW_BOTH:
	case IMM_ZEXT32:
	case IMM_SEXT32_OF_U32:
		return fits_bits(value, 32);
	case IMM_LOW16:
		return fits_bits(value, 16);
	case IMM_LOW8:
		return fits_bits(value, 8);
	default:
		return false;
	}
}

void imm_put(void *raw, bool big, enum imm_form form, uint64_t value)
{
	uint8_t *imm = (uint8_t *)raw + 4;
	uint32_t low = (uint32_t)value;

	switch (form) {
	case IMM_LDDW:
		bytes_put32(imm, low, big);
		bytes_put32(imm + BPFINSN_SIZE, (uint32_t)(value >> 32), big);
		break;
	case IMM_LDDW_BOTH:
		bytes_put32(imm, low, big);
		bytes_put32(imm + BPFINSN_SIZE, low, big);
		break;
	case IMM_LDDW_HIGH:
		bytes_put32(imm + BPFINSN_SIZE, low, big);
		break;
	case IMM_LOW16:
		bytes_put32(imm, (uint32_t)(int16_t)low, big);
		break;
	case IMM_LOW8:
		bytes_put32(imm, (uint32_t)(int8_t)low, big);
		break;
	default:
		bytes_put32(imm, low, big);
		break;
	}
}
