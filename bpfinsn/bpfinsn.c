// SPDX-License-Identifier: BSD-2-Clause
/*
 * Decode, encode and check BPF instructions.
 *
 * An instruction is valid where three things hold, in this order: its code is
 * defined; each field that it does not use is 0; each field that it does use
 * has a value that means something.  The first two come from one question,
 * "which fields does this code use?", which used_fields answers with a set of
 * FIELD_* bits, empty for an undefined code.  The third is checked_values, for
 * the few instructions whose off, imm or src selects an operation.
 *
 * Only what the encoding itself settles is checked.  Division by a constant
 * zero, shifts by too much, writes to r10, helper numbers, unreachable code and
 * running off the end are for the kernel's verifier to refuse.
 *
 * bpfinsn_check_all makes two passes: the first checks every instruction and
 * learns where each begins, the second can then see that every jump lands on
 * such a start.  Slots and targets are compared as 64-bit numbers, which no
 * 32-bit offset from a 32-bit slot overflows.
 */
#include "bpfinsn/bpfinsn.h"

#include "include/bytes.h"

enum {
	FIELD_CODE = 1,		/* the code is defined */
	FIELD_DST = 2, FIELD_SRC = 4, FIELD_OFF = 8, FIELD_IMM = 16,
};

void bpfinsn_decode(const void *raw, bool big, struct bpfinsn *insn)
{
	const uint8_t *p = raw;
	uint8_t low = p[1] & 0x0f, high = p[1] >> 4;

	insn->code = p[0];
	insn->dst = big ? high : low;
	insn->src = big ? low : high;
	insn->off = (int16_t)bytes_get16(p + 2, big);
	insn->imm = (int32_t)bytes_get32(p + 4, big);
}

void bpfinsn_encode(void *raw, bool big, const struct bpfinsn *insn)
{
	uint8_t *p = raw;
	uint8_t low = (big ? insn->src : insn->dst) & 0x0f, high = (big ? insn->dst : insn->src) & 0x0f;

	p[0] = insn->code;
	p[1] = (uint8_t)(high << 4 | low);
	bytes_put16(p + 2, (uint16_t)insn->off, big);
	bytes_put32(p + 4, (uint32_t)insn->imm, big);
}

static bool source_is_register(uint8_t code)
{
	return code & BPF_SOURCE_X;
}

static unsigned int alu_fields(const struct bpfinsn *insn)
{
	bool reg = source_is_register(insn->code);
	bool wide = bpfinsn_class(insn->code) == BPF_CLASS_ALU64;
	unsigned int binary = FIELD_CODE | FIELD_DST | (reg ? FIELD_SRC : FIELD_IMM);

	switch (bpfinsn_op(insn->code)) {
	case BPF_OP_ADD: case BPF_OP_SUB: case BPF_OP_MUL: case BPF_OP_OR: case BPF_OP_AND:
	case BPF_OP_LSH: case BPF_OP_RSH: case BPF_OP_XOR: case BPF_OP_ARSH:
		return binary;
	case BPF_OP_DIV: case BPF_OP_MOD:
		return binary | FIELD_OFF;
	case BPF_OP_MOV:
		if (!reg)
			return binary;
		if (wide && insn->off == BPF_MOV_ADDR_SPACE_CAST)
			return binary | FIELD_OFF | FIELD_IMM;
		return binary | FIELD_OFF;
	case BPF_OP_NEG:
		return reg ? 0 : FIELD_CODE | FIELD_DST;
	case BPF_OP_END:
		return reg && wide ? 0 : FIELD_CODE | FIELD_DST | FIELD_IMM;
	}
	return 0;
}

static unsigned int jmp_fields(const struct bpfinsn *insn)
{
	bool reg = source_is_register(insn->code);
	bool wide = bpfinsn_class(insn->code) == BPF_CLASS_JMP;

	switch (bpfinsn_op(insn->code)) {
	case BPF_OP_JEQ: case BPF_OP_JGT: case BPF_OP_JGE: case BPF_OP_JSET: case BPF_OP_JNE:
	case BPF_OP_JSGT: case BPF_OP_JSGE: case BPF_OP_JLT: case BPF_OP_JLE: case BPF_OP_JSLT:
	case BPF_OP_JSLE:
		return FIELD_CODE | FIELD_DST | FIELD_OFF | (reg ? FIELD_SRC : FIELD_IMM);
	case BPF_OP_JA:
		return reg ? 0 : FIELD_CODE | (wide ? FIELD_OFF : FIELD_IMM);
	case BPF_OP_CALL:
		if (!wide)
			return 0;
		if (reg)
			return FIELD_CODE | FIELD_DST;
		/* The off of a kfunc call chooses the BTF of its module. */
		return FIELD_CODE | FIELD_SRC | FIELD_IMM | (insn->src == BPF_SRC_KFUNC_CALL ? FIELD_OFF : 0);
	case BPF_OP_EXIT:
		return wide && !reg ? FIELD_CODE : 0;
	case BPF_OP_JCOND:
		return wide && !reg ? FIELD_CODE | FIELD_OFF : 0;
	}
	return 0;
}

/* Loads and stores, by class and mode: the fields used, and the sizes that exist. */
static unsigned int memory_fields(uint8_t code)
{
	enum { W = 1, H = 2, B = 4, DW = 8, MAX_W = B | H | W, ANY = MAX_W | DW };
	enum { ADDRESS = FIELD_CODE | FIELD_DST | FIELD_OFF };
	static const struct { uint8_t fields, sizes; } table[4][8] = {
		[BPF_CLASS_LD] = {
			[BPF_MODE_IMM >> 5] = { FIELD_CODE | FIELD_DST | FIELD_SRC | FIELD_IMM, DW },
			[BPF_MODE_ABS >> 5] = { FIELD_CODE | FIELD_IMM, MAX_W },
			[BPF_MODE_IND >> 5] = { FIELD_CODE | FIELD_SRC | FIELD_IMM, MAX_W },
		},
		[BPF_CLASS_LDX] = {
			[BPF_MODE_MEM >> 5] = { ADDRESS | FIELD_SRC, ANY },
			[BPF_MODE_MEMSX >> 5] = { ADDRESS | FIELD_SRC, MAX_W },
		},
		[BPF_CLASS_ST] = {
			[BPF_MODE_MEM >> 5] = { ADDRESS | FIELD_IMM, ANY },
		},
		[BPF_CLASS_STX] = {
			[BPF_MODE_MEM >> 5] = { ADDRESS | FIELD_SRC, ANY },
			[BPF_MODE_ATOMIC >> 5] = { ADDRESS | FIELD_SRC | FIELD_IMM, ANY },
		},
	};
	uint8_t class = bpfinsn_class(code), mode = code >> 5, size = bpfinsn_size(code) >> 3;

	return table[class][mode].sizes >> size & 1 ? table[class][mode].fields : 0;
}

/* The fields that insn uses, or 0 where its code is undefined. */
static unsigned int used_fields(const struct bpfinsn *insn)
{
	switch (bpfinsn_class(insn->code)) {
	case BPF_CLASS_ALU: case BPF_CLASS_ALU64:
		return alu_fields(insn);
	case BPF_CLASS_JMP: case BPF_CLASS_JMP32:
		return jmp_fields(insn);
	}
	return memory_fields(insn->code);
}

static const char *checked_alu(const struct bpfinsn *insn)
{
	bool wide = bpfinsn_class(insn->code) == BPF_CLASS_ALU64;
	int16_t off = insn->off;
	int32_t imm = insn->imm;

	switch (bpfinsn_op(insn->code)) {
	case BPF_OP_DIV: case BPF_OP_MOD:
		return off == 0 || off == 1 ? NULL : "off of a division is neither 0 nor 1 (signed)";
	case BPF_OP_END:
		return imm == 16 || imm == 32 || imm == 64 ? NULL : "byte swap of neither 16, 32 nor 64 bits";
	case BPF_OP_MOV:
		if (wide && off == BPF_MOV_ADDR_SPACE_CAST)
			return imm == 1 || imm == 1 << 16 ? NULL : "addr_space_cast not between 0 and 1";
		if (off == 0 || off == 8 || off == 16 || (wide && off == 32))
			return NULL;
		return "off of a move is not a width to extend from";
	}
	return NULL;
}

static const char *checked_atomic(const struct bpfinsn *insn)
{
	bool word = bpfinsn_size(insn->code) == BPF_SIZE_W || bpfinsn_size(insn->code) == BPF_SIZE_DW;

	switch (insn->imm) {
	case BPF_ATOMIC_LOAD_ACQ: case BPF_ATOMIC_STORE_REL:
		return NULL;
	case BPF_OP_ADD: case BPF_OP_ADD | BPF_ATOMIC_FETCH:
	case BPF_OP_OR: case BPF_OP_OR | BPF_ATOMIC_FETCH:
	case BPF_OP_AND: case BPF_OP_AND | BPF_ATOMIC_FETCH:
	case BPF_OP_XOR: case BPF_OP_XOR | BPF_ATOMIC_FETCH:
	case BPF_ATOMIC_XCHG: case BPF_ATOMIC_CMPXCHG:
		return word ? NULL : "atomic operation is undefined on 8 and 16 bits";
	}
	return "undefined atomic operation";
}

/* What is wrong with the value of a field that chooses what insn, of a defined code, does. */
static const char *checked_values(const struct bpfinsn *insn)
{
	switch (bpfinsn_class(insn->code)) {
	case BPF_CLASS_ALU: case BPF_CLASS_ALU64:
		return checked_alu(insn);
	case BPF_CLASS_LD:
		if (insn->code == BPF_CODE_LDDW && insn->src > BPF_SRC_MAP_IDX_VALUE)
			return "undefined src of lddw";
		return NULL;
	case BPF_CLASS_STX:
		return bpfinsn_mode(insn->code) == BPF_MODE_ATOMIC ? checked_atomic(insn) : NULL;
	case BPF_CLASS_JMP:
		if (bpfinsn_op(insn->code) == BPF_OP_CALL && insn->src > BPF_SRC_KFUNC_CALL)
			return "undefined src of call";
		return NULL;
	}
	return NULL;
}

const char *bpfinsn_check(const struct bpfinsn *insn)
{
	unsigned int used = used_fields(insn);

	if (!used)
		return "undefined instruction code";
	if (!(used & FIELD_DST) && insn->dst)
		return "reserved dst is not 0";
	if (!(used & FIELD_SRC) && insn->src)
		return "reserved src is not 0";
	if (!(used & FIELD_OFF) && insn->off)
		return "reserved off is not 0";
	if (!(used & FIELD_IMM) && insn->imm)
		return "reserved imm is not 0";
	if (insn->dst > BPF_REG_LAST || insn->src > BPF_REG_LAST)
		return "register above r10";
	return checked_values(insn);
}

bool bpfinsn_jump(const struct bpfinsn *insn, int32_t *delta)
{
	uint8_t class = bpfinsn_class(insn->code), op = bpfinsn_op(insn->code);

	if (class != BPF_CLASS_JMP && class != BPF_CLASS_JMP32)
		return false;
	if (op == BPF_OP_CALL || op == BPF_OP_EXIT || !jmp_fields(insn))
		return false;
	*delta = class == BPF_CLASS_JMP32 && op == BPF_OP_JA ? insn->imm : insn->off;
	return true;
}

/*
 * Check the instruction at slot at.  Of lddw the second slot holds nothing but
 * imm; *at moves to it where that is what is wrong.
 */
static const char *check_one(const uint8_t *raw, uint32_t count, bool big, uint32_t *at)
{
	struct bpfinsn insn;
	const char *what;

	bpfinsn_decode(raw + (size_t)*at * BPFINSN_SIZE, big, &insn);
	what = bpfinsn_check(&insn);
	if (what || insn.code != BPF_CODE_LDDW)
		return what;
	if (*at + 1 == count)
		return "lddw without its second slot";
	bpfinsn_decode(raw + ((size_t)*at + 1) * BPFINSN_SIZE, big, &insn);
	if (!(insn.code | insn.dst | insn.src | insn.off))
		return NULL;
	*at += 1;
	return "second slot of lddw has more than imm";
}

static const char *check_jumps(const uint8_t *raw, uint32_t count, bool big, const uint8_t *starts,
			       uint32_t *at)
{
	struct bpfinsn insn;
	int32_t delta;

	for (uint32_t slot = 0; slot < count; slot++) {
		if (!bpfinsn_starts(starts, slot))
			continue;
		bpfinsn_decode(raw + (size_t)slot * BPFINSN_SIZE, big, &insn);
		if (!bpfinsn_jump(&insn, &delta))
			continue;

		int64_t target = (int64_t)slot + 1 + delta;

		*at = slot;
		if (target < 0 || target >= count)
			return "jump out of the section";
		if (!bpfinsn_starts(starts, (uint32_t)target))
			return "jump into the middle of lddw";
	}
	return NULL;
}

const char *bpfinsn_check_all(const void *raw, uint32_t count, bool big, uint8_t *starts, uint32_t *at)
{
	const uint8_t *p = raw;
	const char *what;

	if (!count)
		return NULL;
	memset(starts, 0, ((size_t)count + 7) / 8);
	for (uint32_t slot = 0; slot < count; slot += bpfinsn_slots(p[(size_t)slot * BPFINSN_SIZE])) {
		*at = slot;
		what = check_one(p, count, big, at);
		if (what)
			return what;
		starts[slot / 8] |= (uint8_t)(1u << slot % 8);
	}
	return check_jumps(p, count, big, starts, at);
}
