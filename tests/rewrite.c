// SPDX-License-Identifier: BSD-2-Clause
/*
 * The machine runs what clang makes of plain C: all of ALU, jumps, loads and
 * stores, calls and callbacks, each function with a frame of its own.  Addresses
 * are those of this process, so that ASan sees an access outside of data or
 * frame; numbers in memory have the byte order of the object.  It is slow
 * and simple: it shares the decoder with the library, and nothing else that is
 * under test.
 */
#include "tests/rewrite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/link.h"

enum { TEXT = 8192, STEPS = 1000000, BPF_LOOP = 181 };

struct machine {
	uint8_t *insns, *data;	/* data: a copy of the image */
	uint32_t count;
	uint32_t steps;
	bool big;
};

void rewrite_is(const struct bpfobj *o, const uint8_t *image, const char *func, const char *text)
{
	const struct func *f = &o->t->funcs[bpfobj_program(o, func, NULL)];
	char all[TEXT] = "";
	size_t used = 0;

	for (uint32_t slot = 0; slot < f->insns;) {
		const uint8_t *raw = image + object_insn_at(o->t, f->code, f->start + slot);
		struct bpfinsn two[2] = { 0 };

		bpfinsn_decode(raw, o->big, &two[0]);
		if (bpfinsn_slots(two[0].code) == 2)
			bpfinsn_decode(raw + BPFINSN_SIZE, o->big, &two[1]);
		ck_assert_uint_lt(used + 130, TEXT);
		if (slot)
			used += (size_t)sprintf(all + used, "; ");
		used += bpfinsn_text(all + used, TEXT - used, two);
		slot += bpfinsn_slots(two[0].code);
	}
	ck_assert_str_eq(all, text);
}

void rewrite_inline(const struct bpfobj *o)
{
	struct bpfstamp_err err = { 0 };

	ck_assert_msg(!bpfstamp_inline(o->t, &err), "%s", err.text);
}

void rewrite_declare(const struct bpfobj *o, const char *old)
{
	struct bpfstamp_err err = { 0 };

	ck_assert_msg(!bpfstamp_declare(o->t, old, -1, false, &err), "%s", err.text);
}

void rewrite_widen(const struct bpfobj *o, const char *name, const char *text)
{
	struct bpfstamp_err err = { 0 };

	ck_assert_msg(!bpfstamp_widen(o->t, name, text, &err), "%s", err.text);
}

struct bpfobj rewrite_reopen(const struct bpfobj *o, const struct bpfstamp_stamp *s)
{
	struct bpfobj again = { .big = o->big, .size = bpfstamp_elf_size(s) };
	struct bpfstamp_err err = { 0 };

	again.bytes = malloc(again.size);
	ck_assert_ptr_nonnull(again.bytes);
	ck_assert_msg(!bpfstamp_elf(s, again.bytes, again.size, &err), "%s", err.text);
	bpfobj_open(&again);
	return again;
}

void rewrite_kept(const struct bpfobj *o, const char *name, const char *kept)
{
	struct bpfstamp_injectable inj;

	bpfobj_find(o, name, &inj);
	if (kept) {
		ck_assert_msg(inj.kept != NULL, "%s is not kept", name);
		ck_assert_str_eq(inj.kept, kept);
		ck_assert_ptr_nonnull(inj.kept_at.program);
		return;
	}
	ck_assert_msg(!inj.kept, "%s: %s", name, inj.kept);
	ck_assert_msg(inj.inlined_count == inj.site_count && inj.site_count, "%s: %u of %u sites are inlined", name,
		      inj.inlined_count, inj.site_count);
}

/* ------------------------------------------------------------ the machine */

static uint64_t alu64(uint8_t op, uint64_t a, uint64_t b, bool wide)
{
	switch (op) {
	case BPF_OP_ADD: return a + b;
	case BPF_OP_SUB: return a - b;
	case BPF_OP_MUL: return a * b;
	case BPF_OP_DIV: return b ? a / b : 0;
	case BPF_OP_MOD: return b ? a % b : a;
	case BPF_OP_OR: return a | b;
	case BPF_OP_AND: return a & b;
	case BPF_OP_XOR: return a ^ b;
	case BPF_OP_NEG: return -a;
	case BPF_OP_MOV: return b;
	case BPF_OP_LSH: return a << (b & (wide ? 63 : 31));
	case BPF_OP_RSH: return a >> (b & (wide ? 63 : 31));
	case BPF_OP_ARSH: return wide ? (uint64_t)((int64_t)a >> (b & 63)) : (uint64_t)((int32_t)a >> (b & 31));
	default: ck_abort_msg("operation %#x", op);
	}
}

static uint64_t swap(const struct machine *m, const struct bpfinsn *insn, uint64_t v)
{
	bool swaps = bpfinsn_class(insn->code) == BPF_CLASS_ALU64 || !(insn->code & BPF_SOURCE_X) == m->big;

	switch (insn->imm) {
	case 16: return swaps ? __builtin_bswap16((uint16_t)v) : (uint16_t)v;
	case 32: return swaps ? __builtin_bswap32((uint32_t)v) : (uint32_t)v;
	default: return swaps ? __builtin_bswap64(v) : v;
	}
}

static uint64_t do_alu(const struct machine *m, const struct bpfinsn *insn, const uint64_t *r)
{
	bool wide = bpfinsn_class(insn->code) == BPF_CLASS_ALU64;
	uint64_t a = r[insn->dst], b = insn->code & BPF_SOURCE_X ? r[insn->src] : (uint64_t)(int64_t)insn->imm;
	uint8_t op = bpfinsn_op(insn->code);

	if (op == BPF_OP_END)
		return swap(m, insn, a);
	if (op == BPF_OP_MOV && insn->off)
		b = (uint64_t)((int64_t)(b << (64 - insn->off)) >> (64 - insn->off));
	else
		ck_assert_int_eq(insn->off, 0);
	return wide ? alu64(op, a, b, true) : (uint32_t)alu64(op, (uint32_t)a, (uint32_t)b, false);
}

static bool compare(uint8_t op, uint64_t a, uint64_t b)
{
	int64_t sa = (int64_t)a, sb = (int64_t)b;

	switch (op) {
	case BPF_OP_JEQ: return a == b;
	case BPF_OP_JNE: return a != b;
	case BPF_OP_JGT: return a > b;
	case BPF_OP_JGE: return a >= b;
	case BPF_OP_JLT: return a < b;
	case BPF_OP_JLE: return a <= b;
	case BPF_OP_JSET: return a & b;
	case BPF_OP_JSGT: return sa > sb;
	case BPF_OP_JSGE: return sa >= sb;
	case BPF_OP_JSLT: return sa < sb;
	case BPF_OP_JSLE: return sa <= sb;
	case BPF_OP_JA: return true;
	default: ck_abort_msg("jump %#x", op);
	}
}

static bool jumps(const struct bpfinsn *insn, const uint64_t *r)
{
	uint64_t a = r[insn->dst], b = insn->code & BPF_SOURCE_X ? r[insn->src] : (uint64_t)(int64_t)insn->imm;
	bool is_signed = bpfinsn_op(insn->code) >= BPF_OP_JSLT || bpfinsn_op(insn->code) == BPF_OP_JSGT ||
		bpfinsn_op(insn->code) == BPF_OP_JSGE;

	if (bpfinsn_class(insn->code) == BPF_CLASS_JMP)
		return compare(bpfinsn_op(insn->code), a, b);
	if (is_signed)
		return compare(bpfinsn_op(insn->code), (uint64_t)(int32_t)a, (uint64_t)(int32_t)b);
	return compare(bpfinsn_op(insn->code), (uint32_t)a, (uint32_t)b);
}

static uint32_t access_size(uint8_t code)
{
	static const uint8_t sizes[] = { 4, 2, 1, 8 };

	return sizes[bpfinsn_size(code) >> 3];
}

static uint64_t call(struct machine *m, uint32_t at, const uint64_t *args);

static uint64_t helper(struct machine *m, int32_t id, const uint64_t *r)
{
	for (uint64_t i = 0; id == BPF_LOOP && i < r[1]; i++)
		if (call(m, (uint32_t)r[2], (const uint64_t[5]){ i, r[3] }))
			return i + 1;
	return id == BPF_LOOP ? r[1] : 0;
}

static void step(struct machine *m, uint32_t *at, const struct bpfinsn *insn, uint64_t *r)
{
	uint8_t *base = (uint8_t *)(uintptr_t)(r[insn->dst]) + insn->off;
	int32_t distance = insn->code == (BPF_CLASS_JMP32 | BPF_OP_JA) ? insn->imm : insn->off;
	struct bpfinsn second;

	switch (bpfinsn_class(insn->code)) {
	case BPF_CLASS_LD:
		ck_assert_uint_eq(insn->code, BPF_CODE_LDDW);
		bpfinsn_decode(m->insns + (size_t)(*at + 1) * BPFINSN_SIZE, m->big, &second);
		r[insn->dst] = (uint64_t)(uint32_t)second.imm << 32 | (uint32_t)insn->imm;
		if (insn->src == BPF_SRC_FUNC)
			r[insn->dst] = *at + 1 + (uint32_t)insn->imm;
		(*at)++;
		break;
	case BPF_CLASS_LDX:
		r[insn->dst] = value_load((const uint8_t *)(uintptr_t)r[insn->src] + insn->off,
					  access_size(insn->code),
					  bpfinsn_mode(insn->code) == BPF_MODE_MEMSX, m->big);
		break;
	case BPF_CLASS_ST:
		value_store(base, access_size(insn->code), m->big, (uint64_t)(int64_t)insn->imm);
		break;
	case BPF_CLASS_STX:
		ck_assert_uint_eq(bpfinsn_mode(insn->code), BPF_MODE_MEM);
		value_store(base, access_size(insn->code), m->big, r[insn->src]);
		break;
	case BPF_CLASS_ALU:
	case BPF_CLASS_ALU64:
		r[insn->dst] = do_alu(m, insn, r);
		break;
	default:
		if (insn->code == (BPF_CLASS_JMP | BPF_OP_CALL))
			r[0] = insn->src == BPF_SRC_CALL ? call(m, *at + 1 + (uint32_t)insn->imm, r + 1) :
				helper(m, insn->imm, r);
		else if (jumps(insn, r))
			*at += (uint32_t)distance;
		break;
	}
}

static uint64_t call(struct machine *m, uint32_t at, const uint64_t *args)
{
	_Alignas(8) uint8_t frame[512] = { 0 };
	uint64_t r[11] = { 0 };

	memcpy(r + 1, args, 5 * sizeof(*r));
	r[10] = (uintptr_t)(frame + sizeof(frame));
	for (;; at++) {
		struct bpfinsn insn;

		ck_assert_uint_lt(at, m->count);
		ck_assert_msg(m->steps-- > 0, "it does not end");
		bpfinsn_decode(m->insns + (size_t)at * BPFINSN_SIZE, m->big, &insn);
		if (insn.code == (BPF_CLASS_JMP | BPF_OP_EXIT))
			return r[0];
		step(m, &at, &insn, r);
	}
}

uint64_t rewrite_run(const struct bpfobj *o, const struct bpfstamp_stamp *s, const char *program, uint64_t arg)
{
	struct machine m = { .steps = STEPS, .big = o->big };
	struct bpfstamp_err err = { 0 };
	struct link *link;
	uint64_t result;

	ck_assert_msg(!link_program(&link, o->t, bpfobj_program(o, program, NULL), &err), "%s", err.text);
	m.count = link->insns;
	m.insns = malloc((size_t)m.count * BPFINSN_SIZE);
	m.data = malloc(o->t->image_size);
	ck_assert(m.insns && m.data);
	memcpy(m.data, s->image, o->t->image_size);
	link_gather(link, o->t, s->image, m.insns);
	for (uint32_t i = 0; i < link->map_count; i++) {
		const struct link_map *map = &link->maps[i];
		uint8_t *imm = m.insns + (size_t)map->at * BPFINSN_SIZE + 4;
		uint64_t address = 0;

		if (map->value)
			address = (uintptr_t)(m.data + o->t->datas[o->t->maps[map->map].data].image + map->offset);
		bytes_put32(imm, (uint32_t)address, o->big);
		bytes_put32(imm + BPFINSN_SIZE, (uint32_t)(address >> 32), o->big);
	}
	result = call(&m, 0, (const uint64_t[5]){ arg });
	link_free(link);
	free(m.insns);
	free(m.data);
	return result;
}
