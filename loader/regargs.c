// SPDX-License-Identifier: BSD-2-Clause
/*
 * A call reads as many of r1 to r5 as its callee has parameters.  For a helper
 * the kernel's prototypes tell (bpfinsn/regs.c), for a function of the object
 * its BTF does.  Where nothing tells, a call reads all five, which is safe.
 */
#include <stdlib.h>

#include "bpfinsn/regs.h"
#include "loader/regargs.h"

static uint8_t call_args(const struct bpfstamp_template *t, uint32_t code, uint32_t slot, const struct bpfinsn *insn)
{
	const struct reloc *r;
	struct btf_type type;

	if (insn->code != (BPF_CLASS_JMP | BPF_OP_CALL))
		return 5;
	r = object_reloc_at(t, code, slot);
	if (!insn->src && !r)
		return regs_helper_args((uint32_t)insn->imm);
	if (!r || r->kind != RELOC_CALL || !t->funcs[r->target].btf)
		return 5;
	btf_type(&t->btf, t->funcs[r->target].btf, &type);
	btf_type(&t->btf, type.type, &type);
	return type.kind == BTF_FUNC_PROTO && type.vlen < 5 ? (uint8_t)type.vlen : 5;
}

uint8_t *regargs_make(const struct bpfstamp_template *t)
{
	uint8_t *args = calloc(t->image_size / BPFINSN_SIZE + 1, sizeof(*args));

	for (uint32_t code = 0; args && code < t->code_count; code++) {
		for (uint32_t slot = 0; slot < t->codes[code].insns; slot++) {
			uint32_t at = object_insn_at(t, code, slot);
			struct bpfinsn insn;

			bpfinsn_decode(t->image + at, t->elf.big, &insn);
			if (bpfinsn_class(insn.code) == BPF_CLASS_JMP && bpfinsn_op(insn.code) == BPF_OP_CALL)
				args[at / BPFINSN_SIZE] = call_args(t, code, slot, &insn);
		}
	}
	return args;
}
