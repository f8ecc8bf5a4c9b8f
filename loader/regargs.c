// SPDX-License-Identifier: BSD-2-Clause
/*
 * A call reads as many of r1 to r5 as its callee does.  For a helper the
 * kernel's prototypes tell (bpfinsn/regs.c).  A function of the object is asked
 * itself: what is live where it begins.  Its BTF would not do, because
 * compilers pass a large struct in two registers, and change the arguments of
 * static functions.  Calls in a callee count as reading all five, and so
 * does what is not known: that is safe.
 */
#include <stdlib.h>

#include "bpfinsn/regs.h"
#include "loader/regargs.h"

/* How many of r1 to r5, from r1 on, a function reads; live is memory for its slots. */
static uint8_t function_args(const struct bpfstamp_template *t, const struct func *f, const uint8_t *args,
			     uint16_t *live)
{
	uint32_t first = object_insn_at(t, f->code, f->start) / BPFINSN_SIZE;
	const uint8_t *raw = t->image + (size_t)first * BPFINSN_SIZE;
	struct bpfinsn insn;
	uint16_t read;
	uint8_t count = 5;

	regs_liveness(raw, f->insns, t->elf.big, t->starts, first, args + first, live);
	bpfinsn_decode(raw, t->elf.big, &insn);
	read = (uint16_t)((live[0] & ~regs_written(&insn)) | regs_read(&insn, args[first]));
	while (count && !(read >> count & 1))
		count--;
	return count;
}

/* What each function reads; to be freed. */
static uint8_t *functions_args(const struct bpfstamp_template *t, const uint8_t *args)
{
	uint8_t *counts = calloc(t->func_count + 1, sizeof(*counts));
	uint16_t *live = calloc(t->image_size / BPFINSN_SIZE + 1, sizeof(*live));

	for (uint32_t i = 0; counts && live && i < t->func_count; i++)
		counts[i] = function_args(t, &t->funcs[i], args, live);
	if (!live) {
		free(counts);
		counts = NULL;
	}
	free(live);
	return counts;
}

static bool is_call(const struct bpfinsn *insn)
{
	return bpfinsn_class(insn->code) == BPF_CLASS_JMP && bpfinsn_op(insn->code) == BPF_OP_CALL;
}

/* Helpers as they are, every other call as reading all. */
static void count_helpers(const struct bpfstamp_template *t, uint8_t *args)
{
	for (uint32_t code = 0; code < t->code_count; code++) {
		for (uint32_t slot = 0; slot < t->codes[code].insns; slot++) {
			uint32_t at = object_insn_at(t, code, slot);
			struct bpfinsn insn;

			bpfinsn_decode(t->image + at, t->elf.big, &insn);
			if (!is_call(&insn))
				continue;
			args[at / BPFINSN_SIZE] = 5;
			if (!(insn.code & BPF_SOURCE_X) && !insn.src && !object_reloc_at(t, code, slot))
				args[at / BPFINSN_SIZE] = regs_helper_args((uint32_t)insn.imm);
		}
	}
}

uint8_t *regargs_make(const struct bpfstamp_template *t)
{
	uint8_t *args = calloc(t->image_size / BPFINSN_SIZE + 1, sizeof(*args)), *counts;

	if (!args)
		return NULL;
	count_helpers(t, args);
	counts = functions_args(t, args);
	if (!counts) {
		free(args);
		return NULL;
	}
	for (uint32_t i = 0; i < t->reloc_count; i++) {
		const struct reloc *r = &t->relocs[i];

		if (r->kind == RELOC_CALL)
			args[object_insn_at(t, r->code, r->insn) / BPFINSN_SIZE] = counts[r->target];
	}
	free(counts);
	return args;
}
