// SPDX-License-Identifier: BSD-2-Clause
/*
 * Making room for a value: an instruction that sign-extends its 32 bits cannot
 * mean 0xFEDCBA98, but an lddw can.
 *
 *     r1 = 305419896           r1 = 0xfedcba98 ll
 *     r1 += 305419896          r3 = 0xfedcba98 ll; r1 += r3
 *     if r1 == 305419896 …     r3 = 0xfedcba98 ll; if r1 == r3 …
 *     *(u64 *)(r2 + 0) = …     r3 = 0xfedcba98 ll; *(u64 *)(r2 + 0) = r3
 *
 * r3 stands for a register that nothing reads before it is written again; if
 * all are in use there, the value is refused.  The site then is the lddw.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bpfinsn/regs.h"
#include "loader/edit.h"
#include "loader/err.h"
#include "loader/regargs.h"
#include "loader/stamp.h"

static int refuse(const struct bpfstamp_template *t, const struct site *site, uint64_t value, const char *why,
		  struct bpfstamp_err *err)
{
	err_set(err, ERANGE, "%s: ", t->name);
	object_hint_place(t, site->code, site->insn, err);
	return err_hint(err, " cannot hold 0x%" PRIx64 ": %s; use STAMP() or a global", value, why);
}

/* A register that is free around an instruction, or -1. */
static int free_register(const struct bpfstamp_template *t, const struct site *site, const struct bpfinsn *insn,
			 const uint8_t *args, uint16_t *live)
{
	uint32_t func = object_func_at(t, site->code, site->insn), first;
	uint16_t used;

	if (func == NO_INDEX)
		return -1;
	first = object_insn_at(t, site->code, t->funcs[func].start) / BPFINSN_SIZE;
	regs_liveness(t->image + (size_t)first * BPFINSN_SIZE, t->funcs[func].insns, t->elf.big, t->starts, first,
		      args + first, live + first);
	used = live[object_insn_at(t, site->code, site->insn) / BPFINSN_SIZE] | regs_read(insn, 0) |
	       regs_written(insn);
	for (int reg = 0; reg < 10; reg++)
		if (!(used >> reg & 1))
			return reg;
	return -1;
}

/* The same instruction with its constant in a register. */
static struct bpfinsn with_register(const struct bpfinsn *insn, uint8_t reg)
{
	struct bpfinsn with = *insn;

	with.imm = 0;
	with.src = reg;
	if (bpfinsn_class(insn->code) == BPF_CLASS_ST)
		with.code = (uint8_t)((insn->code & ~0x07) | BPF_CLASS_STX);
	else
		with.code |= BPF_SOURCE_X;
	return with;
}

static bool is_move(const struct bpfinsn *insn)
{
	return insn->code == (BPF_CLASS_ALU64 | BPF_OP_MOV | BPF_SOURCE_K);
}

static int plan(struct bpfstamp_template *t, const struct site *site, uint64_t value, const uint8_t *args,
		uint16_t *live, struct edit *edit, struct bpfstamp_err *err)
{
	const uint8_t *raw = t->image + object_insn_at(t, site->code, site->insn);
	struct bpfinsn insn, with, load = { .code = BPF_CODE_LDDW };
	int reg;

	bpfinsn_decode(raw, t->elf.big, &insn);
	if (site->how.form != IMM_SEXT32 || site->how.width)
		return refuse(t, site, value, "its constant has no room for it", err);
	*edit = (struct edit){ .code = site->code, .slot = site->insn, .len = 2 };
	if (is_move(&insn)) {
		load.dst = insn.dst;
	} else {
		reg = free_register(t, site, &insn, args, live);
		if (reg < 0)
			return refuse(t, site, value, "no register is free to load it into", err);
		load.dst = (uint8_t)reg;
		with = with_register(&insn, (uint8_t)reg);
		bpfinsn_encode(edit->bytes + 2 * BPFINSN_SIZE, t->elf.big, &with);
		edit->len = 3;
	}
	bpfinsn_encode(edit->bytes, t->elf.big, &load);
	imm_put(edit->bytes, t->elf.big, IMM_LDDW, (uint64_t)(int64_t)insn.imm);
	return 0;
}

/* Plan an edit for each site that needs one; they ascend, as sites do. */
static int plan_all(struct bpfstamp_template *t, const struct injectable *inj, uint64_t value, struct edit *edits,
		    bool *wide, uint32_t *count, struct bpfstamp_err *err)
{
	uint8_t *args = regargs_make(t);
	uint16_t *live = calloc(t->image_size / BPFINSN_SIZE + 1, sizeof(*live));
	int ret = args && live ? 0 : object_no_memory(err);

	for (uint32_t i = 0; !ret && i < inj->site_count; i++) {
		const struct site *site = &t->sites[inj->site_first + i];
		struct site as_lddw = *site;
		uint64_t meaning;

		if (stamp_meaning(t, t->image, site, value, &meaning))
			continue;
		as_lddw.how.form = IMM_LDDW;
		if (!stamp_meaning(t, t->image, &as_lddw, value, &meaning))
			continue;	/* no room helps: setting it will say why */
		ret = plan(t, site, value, args, live, &edits[(*count)++], err);
		wide[i] = true;
	}
	free(args);
	free(live);
	return ret;
}

int bpfstamp_widen(struct bpfstamp_template *t, const char *name, const char *text, struct bpfstamp_err *err)
{
	const struct injectable *inj;
	struct bpfstamp_ref ref;
	struct edit *edits = NULL;
	bool *wide = NULL;
	uint32_t count = 0, index;
	uint8_t bytes[8];
	uint64_t value;
	int ret = -1;

	if (bpfstamp_find(t, name, &ref, err))
		return -1;
	index = ref.injectable;
	inj = &t->injectables[index];
	if (inj->kind != BPFSTAMP_PLACEHOLDER)
		return 0;
	if (value_parse(&inj->type, NULL, t->elf.big, text, bytes, err))
		return err_wrap(err, "%s: %s", t->name, name);
	value = value_load(bytes, inj->type.size, inj->type.is_signed, t->elf.big);
	edits = calloc(inj->site_count + 1, sizeof(*edits));
	wide = calloc(inj->site_count + 1, sizeof(*wide));
	if (!edits || !wide)
		object_no_memory(err);
	else if (!plan_all(t, inj, value, edits, wide, &count, err))
		ret = edit_apply(t, edits, count, err);
	for (uint32_t i = 0; !ret && i < t->injectables[index].site_count; i++)
		if (wide[i])
			t->sites[t->injectables[index].site_first + i].how.form = IMM_LDDW;
	free(edits);
	free(wide);
	return ret;
}
