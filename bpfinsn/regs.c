// SPDX-License-Identifier: BSD-2-Clause
/*
 * Registers, see regs.h.
 *
 * Liveness goes backwards: what is live behind an instruction is what is live
 * in front of each that may follow it.  A pass from the last slot to the first
 * settles everything but loops; it is repeated until nothing changes, which
 * takes as many passes as loops are nested, and few.
 */
#include "bpfinsn/regs.h"

#include "include/bytes.h"

/*
 * Arguments of helpers by their id, from the prototypes in
 * include/uapi/linux/bpf.h; a printf-like one counts as five.
 */
static const char helper_args[] =
	"02423050055533002131442215435333231032322103231125"
	"43442435224224325454444443414102425513224431111115"
	"54333444215533332104451130531243222211111444342335"
	"41421242020315453413231111341454332101144533231442"
	"2553332204";

uint8_t regs_helper_args(uint32_t id)
{
	return id < sizeof(helper_args) - 1 ? (uint8_t)(helper_args[id] - '0') : 5;
}

static uint16_t bit(uint8_t reg)
{
	return (uint16_t)(1u << reg);
}

static uint16_t read_by_alu(const struct bpfinsn *insn)
{
	uint16_t source = insn->code & BPF_SOURCE_X && bpfinsn_op(insn->code) != BPF_OP_END ? bit(insn->src) : 0;

	return bpfinsn_op(insn->code) == BPF_OP_MOV ? source : source | bit(insn->dst);
}

static uint16_t read_by_jump(const struct bpfinsn *insn, uint8_t args)
{
	switch (bpfinsn_op(insn->code)) {
	case BPF_OP_JA:
	case BPF_OP_JCOND:
		return 0;
	case BPF_OP_EXIT:
		return bit(0);
	case BPF_OP_CALL:
		return (uint16_t)((((1u << args) - 1) << 1) | (insn->code & BPF_SOURCE_X ? bit(insn->dst) : 0));
	default:
		return bit(insn->dst) | (insn->code & BPF_SOURCE_X ? bit(insn->src) : 0);
	}
}

uint16_t regs_read(const struct bpfinsn *insn, uint8_t args)
{
	switch (bpfinsn_class(insn->code)) {
	case BPF_CLASS_LD:
		if (insn->code == BPF_CODE_LDDW)
			return 0;
		return bit(6) | (bpfinsn_mode(insn->code) == BPF_MODE_IND ? bit(insn->src) : 0);
	case BPF_CLASS_LDX:
		return bit(insn->src);
	case BPF_CLASS_ST:
		return bit(insn->dst);
	case BPF_CLASS_STX:
		if (bpfinsn_mode(insn->code) != BPF_MODE_ATOMIC)
			return bit(insn->dst) | bit(insn->src);
		if (insn->imm == BPF_ATOMIC_LOAD_ACQ)
			return bit(insn->src);
		return bit(insn->dst) | bit(insn->src) | (insn->imm == BPF_ATOMIC_CMPXCHG ? bit(0) : 0);
	case BPF_CLASS_ALU:
	case BPF_CLASS_ALU64:
		return read_by_alu(insn);
	default:
		return read_by_jump(insn, args);
	}
}

uint16_t regs_written(const struct bpfinsn *insn)
{
	switch (bpfinsn_class(insn->code)) {
	case BPF_CLASS_LD:
		return insn->code == BPF_CODE_LDDW ? bit(insn->dst) : REGS_SCRATCH;
	case BPF_CLASS_LDX:
	case BPF_CLASS_ALU:
	case BPF_CLASS_ALU64:
		return bit(insn->dst);
	case BPF_CLASS_ST:
		return 0;
	case BPF_CLASS_STX:
		if (bpfinsn_mode(insn->code) != BPF_MODE_ATOMIC)
			return 0;
		if (insn->imm == BPF_ATOMIC_LOAD_ACQ)
			return bit(insn->dst);
		if (insn->imm == BPF_ATOMIC_CMPXCHG)
			return bit(0);
		return insn->imm & BPF_ATOMIC_FETCH ? bit(insn->src) : 0;
	case BPF_CLASS_JMP:
		return bpfinsn_op(insn->code) == BPF_OP_CALL ? REGS_SCRATCH : 0;
	default:
		return 0;
	}
}

struct function {
	const uint8_t *raw;
	uint32_t count, first_start;
	const uint8_t *starts, *args;
	bool big;
};

static uint16_t live_before(const struct function *f, uint32_t slot, const uint16_t *live)
{
	struct bpfinsn insn;

	bpfinsn_decode(f->raw + (size_t)slot * BPFINSN_SIZE, f->big, &insn);
	return (uint16_t)((live[slot] & ~regs_written(&insn)) | regs_read(&insn, f->args[slot]));
}

/* What is live in front of a slot that may lie outside. */
static uint16_t live_at(const struct function *f, int64_t slot, const uint16_t *live)
{
	return slot < 0 || slot >= f->count ? REGS_ALL : live_before(f, (uint32_t)slot, live);
}

static uint16_t live_behind(const struct function *f, uint32_t slot, const uint16_t *live)
{
	struct bpfinsn insn;
	uint8_t op;
	int32_t delta;
	uint16_t set = 0;
	bool jumps;

	bpfinsn_decode(f->raw + (size_t)slot * BPFINSN_SIZE, f->big, &insn);
	op = bpfinsn_op(insn.code);
	jumps = bpfinsn_jump(&insn, &delta);
	if (jumps)
		set = live_at(f, (int64_t)slot + 1 + delta, live);
	if (jumps && op == BPF_OP_JA)
		return set;
	if (insn.code == (BPF_CLASS_JMP | BPF_OP_EXIT))
		return 0;
	return set | live_at(f, (int64_t)slot + bpfinsn_slots(insn.code), live);
}

void regs_liveness(const void *raw, uint32_t count, bool big, const uint8_t *starts, uint32_t first_start,
		   const uint8_t *args, uint16_t *live)
{
	const struct function f = { .raw = raw, .count = count, .first_start = first_start, .starts = starts,
				    .args = args, .big = big };
	bool changed = true;

	memset(live, 0, count * sizeof(*live));
	while (changed) {
		changed = false;
		for (uint32_t slot = count; slot-- > 0;) {
			uint16_t set;

			if (!bpfinsn_starts(starts, first_start + slot))
				continue;
			set = live_behind(&f, slot, live);
			changed |= set != live[slot];
			live[slot] = set;
		}
	}
}
