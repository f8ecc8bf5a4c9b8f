// SPDX-License-Identifier: BSD-2-Clause
/*
 * Following a constant, see uses.h.  The set of registers that hold it is
 * carried along every path; a slot is entered again only with a register that
 * has not been there, so the work ends.  seen holds, for each slot, the
 * registers that were carried to it in bits 0-9, and that it is to be visited
 * in bit 15.
 */
#include "bpfinsn/uses.h"

#include "bpfinsn/regs.h"

enum { PENDING = 0x8000 };

static bool is_ordered(const struct bpfinsn *insn)
{
	uint8_t class = bpfinsn_class(insn->code), op = bpfinsn_op(insn->code);

	return (class == BPF_CLASS_JMP || class == BPF_CLASS_JMP32) && op != BPF_OP_JA && op != BPF_OP_JEQ &&
		op != BPF_OP_JNE && op != BPF_OP_JSET && op != BPF_OP_CALL && op != BPF_OP_EXIT && op != BPF_OP_JCOND;
}

static bool is_alu(const struct bpfinsn *insn)
{
	return bpfinsn_class(insn->code) == BPF_CLASS_ALU || bpfinsn_class(insn->code) == BPF_CLASS_ALU64;
}

static bool depends_on_sign(const struct bpfinsn *insn, uint16_t holding)
{
	uint8_t op = bpfinsn_op(insn->code);

	if (is_ordered(insn))
		return regs_read(insn, 0) & holding;
	return is_alu(insn) && (op == BPF_OP_RSH || op == BPF_OP_ARSH || op == BPF_OP_DIV || op == BPF_OP_MOD) &&
		regs_read(insn, 0) & holding;
}

static uint16_t carried(const struct bpfinsn *insn, uint16_t holding)
{
	bool copies = is_alu(insn) && bpfinsn_op(insn->code) == BPF_OP_MOV && insn->code & BPF_SOURCE_X &&
		holding >> insn->src & 1;

	holding &= (uint16_t)~regs_written(insn);
	if (copies)
		holding |= (uint16_t)(1u << insn->dst);
	return holding;
}

/* Note that a path with these registers reaches a slot; true where that is news. */
static bool reach(uint16_t *seen, uint32_t count, int64_t slot, uint16_t holding)
{
	if (slot < 0 || slot >= count || !holding || !(holding & ~seen[slot]))
		return false;
	seen[slot] |= holding | PENDING;
	return true;
}

/* Take one instruction; true where it tells. */
static bool visit(const uint8_t *raw, uint32_t count, bool big, uint32_t slot, uint16_t *seen, bool *again)
{
	uint16_t holding = seen[slot] & REGS_ALL;
	struct bpfinsn insn;
	int32_t delta;

	seen[slot] &= (uint16_t)~PENDING;
	bpfinsn_decode(raw + (size_t)slot * BPFINSN_SIZE, big, &insn);
	if (depends_on_sign(&insn, holding))
		return true;
	holding = carried(&insn, holding);
	if (bpfinsn_jump(&insn, &delta)) {
		*again |= reach(seen, count, (int64_t)slot + 1 + delta, holding);
		if (bpfinsn_op(insn.code) == BPF_OP_JA)
			return false;
	}
	if (insn.code != (BPF_CLASS_JMP | BPF_OP_EXIT))
		*again |= reach(seen, count, (int64_t)slot + bpfinsn_slots(insn.code), holding);
	return false;
}

bool uses_sign(const void *raw, uint32_t count, bool big, uint32_t slot, uint16_t *seen)
{
	struct bpfinsn insn;
	bool again;

	bpfinsn_decode((const uint8_t *)raw + (size_t)slot * BPFINSN_SIZE, big, &insn);
	again = reach(seen, count, (int64_t)slot + bpfinsn_slots(insn.code), (uint16_t)(1u << insn.dst));
	while (again) {
		again = false;
		for (uint32_t i = 0; i < count; i++)
			if (seen[i] & PENDING && visit(raw, count, big, i, seen, &again))
				return true;
	}
	return false;
}
