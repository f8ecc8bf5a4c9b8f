// SPDX-License-Identifier: BSD-2-Clause
/*
 * Instructions.  A record of BTF.ext may belong to
 *
 *     rD = imm, rD += imm, …          ALU or ALU64 with an immediate
 *     rD = imm64                      lddw
 *     rD = *(T *)(rS + off)           LDX, and ST or STX the other way: off, and the size of T
 *
 * What an instruction holds now has to be what the object's types say, or the
 * record belongs to another one.  What it shall hold has to fit: an immediate
 * means what its instruction makes of it (32 bits as they are in ALU,
 * sign-extended in ALU64).
 *
 * Where the kernel's field has another size a load or store takes that size, if
 * the value stays the same by it: of pointers, and of unsigned integers.
 * Otherwise it is poisoned, as is everything about what the kernel lacks.
 *
 * An enum of 32 bits did not say before Linux 6.0 and LLVM 15 whether it is
 * signed.  A value with its top bit set is then taken as the object's enum is,
 * or as its instruction has the old value.
 */
#include "loader/core_value.h"

#include <errno.h>
#include <inttypes.h>

#include "loader/core.h"

static void poison(struct bpfinsn insn[2])
{
	const struct bpfinsn call = {
		.code = BPF_CLASS_JMP | BPF_OP_CALL,
		.imm = CORE_POISON,
	};

	if (insn[0].code == BPF_CODE_LDDW)
		insn[1] = call;
	insn[0] = call;
}

static int unexpected(int64_t got, const struct core_value *from, struct bpfstamp_err *err)
{
	return err_set(err, EINVAL, "its instruction has %" PRId64 ", where the object's types give %" PRId64, got,
		       (int64_t)from->number);
}

static uint64_t extended(uint64_t number)
{
	return (uint64_t)(int32_t)(uint32_t)number;
}

/* What to put in the place of `now`; fails if that is not what the object's types give. */
static int new_number(uint64_t now, const struct core_value *from, const struct core_value *to, uint64_t *number,
		      struct bpfstamp_err *err)
{
	bool negative = from->any_sign && now == extended(from->number);

	if (!from->unsure && now != from->number && !negative)
		return unexpected((int64_t)now, from, err);
	*number = to->any_sign && (negative || from->is_signed) ? extended(to->number) : to->number;
	return 0;
}

static int patch_imm(struct bpfinsn *insn, const struct core_value *from, const struct core_value *to,
		     struct bpfstamp_err *err)
{
	bool wide = bpfinsn_class(insn->code) == BPF_CLASS_ALU64;
	uint64_t now = (uint64_t)insn->imm, number;
	int64_t n;

	if (insn->code & BPF_SOURCE_X)
		return err_set(err, EINVAL, "its instruction has no immediate");
	if (!wide && from->number <= UINT32_MAX)
		now = (uint32_t)now;
	if (new_number(now, from, to, &number, err))
		return -1;
	n = (int64_t)number;
	if (n < INT32_MIN || n > (wide ? (int64_t)INT32_MAX : (int64_t)UINT32_MAX))
		return err_set(err, ERANGE, "%" PRId64 " does not fit the immediate of its instruction", n);
	insn->imm = (int32_t)(uint32_t)number;
	return 0;
}

static int patch_lddw(struct bpfinsn insn[2], const struct core_value *from, const struct core_value *to,
		      struct bpfstamp_err *err)
{
	uint64_t now = (uint32_t)insn[0].imm | (uint64_t)(uint32_t)insn[1].imm << 32;
	uint64_t number;

	if (insn[0].src || insn[0].off || insn[1].code || insn[1].dst || insn[1].src || insn[1].off)
		return err_set(err, EINVAL, "its instruction loads an address");
	if (new_number(now, from, to, &number, err))
		return -1;
	insn[0].imm = (int32_t)(uint32_t)number;
	insn[1].imm = (int32_t)(uint32_t)(number >> 32);
	return 0;
}

static uint32_t access_size(uint8_t code)
{
	switch (bpfinsn_size(code)) {
	case BPF_SIZE_B: return 1;
	case BPF_SIZE_H: return 2;
	case BPF_SIZE_W: return 4;
	default: return 8;
	}
}

static int resize(struct bpfinsn *insn, uint32_t from, uint32_t to, struct bpfstamp_err *err)
{
	struct bpfinsn resized = *insn;
	uint8_t size;

	if (access_size(insn->code) != from)
		return err_set(err, EINVAL, "its instruction accesses %u bytes of a field of %u",
			       access_size(insn->code), from);
	switch (to) {
	case 1: size = BPF_SIZE_B; break;
	case 2: size = BPF_SIZE_H; break;
	case 4: size = BPF_SIZE_W; break;
	case 8: size = BPF_SIZE_DW; break;
	default: return err_set(err, EINVAL, "the kernel's field has %u bytes, which no instruction accesses", to);
	}
	resized.code = (uint8_t)((insn->code & ~BPF_SIZE_DW) | size);
	if (bpfinsn_check(&resized))
		return err_set(err, EINVAL,
			       "the kernel's field has %u bytes, and its instruction cannot access so many", to);
	*insn = resized;
	return 0;
}

static bool resizable(const struct core_value *from, const struct core_value *to)
{
	return from->kind == to->kind && !from->is_signed && !to->is_signed &&
	       (from->kind == BTF_PTR || from->kind == BTF_INT);
}

static int patch_access(struct bpfinsn insn[2], const struct core_value *from, const struct core_value *to,
			struct bpfstamp_err *err)
{
	if (!from->unsure && (uint64_t)insn->off != from->number)
		return unexpected(insn->off, from, err);
	if (to->number > INT16_MAX)
		return err_set(err, ERANGE, "%" PRIu64 " does not fit the offset of its instruction", to->number);
	if (from->size != to->size && !resizable(from, to)) {
		poison(insn);
		return 0;
	}
	if (from->size != to->size && resize(insn, from->size, to->size, err))
		return -1;
	insn->off = (int16_t)to->number;
	return 0;
}

bool core_is_access(const struct bpfinsn *insn)
{
	uint8_t class = bpfinsn_class(insn->code);

	return class == BPF_CLASS_LDX || class == BPF_CLASS_ST || class == BPF_CLASS_STX;
}

int core_patch(struct bpfinsn insn[2], const struct core_value *from, const struct core_value *to,
	       struct bpfstamp_err *err)
{
	if (to->missing) {
		poison(insn);
		return 0;
	}
	if (core_is_access(insn))
		return patch_access(insn, from, to, err);
	if (bpfinsn_class(insn->code) == BPF_CLASS_ALU || bpfinsn_class(insn->code) == BPF_CLASS_ALU64)
		return patch_imm(insn, from, to, err);
	if (insn->code == BPF_CODE_LDDW)
		return patch_lddw(insn, from, to, err);
	return err_set(err, EINVAL, "its instruction neither has an immediate nor accesses memory");
}
