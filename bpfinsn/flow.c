// SPDX-License-Identifier: BSD-2-Clause
/*
 * Address dataflow, see flow.h.
 *
 * A state says for r0 to r10 and for each aligned 8 bytes of the stack frame
 * what is in it: UNKNOWN, or an address.  States are kept where paths meet (at
 * the targets of jumps, "heads"); in between they are recomputed.  A head's
 * state only ever loses knowledge, so repeating until nothing changes ends.
 *
 * Soundness needs two things beyond following instructions:
 *
 * - An address that becomes UNKNOWN has escaped: whoever uses it later is not
 *   seen.  That happens in instructions, and where two paths bring different
 *   addresses in a register that is still read.
 *
 * - A spilled address is only as good as the stack.  All writes through r10
 *   plus a constant are followed.  A callee that gets a stack address may
 *   write from there upwards.  If a stack address is lost itself (arithmetic,
 *   stored to memory, two paths), anything may be written: the function is
 *   then analysed again without trusting the stack at all.
 */
#include "bpfinsn/flow.h"

#include "bpfinsn/regs.h"
#include "include/bytes.h"

enum { REGS = 11, SLOTS = 64, FRAME = 512 };

/* A value: what in the upper, a signed offset in the lower 32 bits. */
typedef uint64_t value;

#define UNKNOWN ((value)0)
#define WHAT_STACK 1u
#define WHAT_OBJECT 2u		/* and more: object 0, 1, … */

static value make(uint32_t what, int64_t offset)
{
	return offset == (int32_t)offset ? (value)what << 32 | (uint32_t)offset : UNKNOWN;
}

static uint32_t what(value v)
{
	return (uint32_t)(v >> 32);
}

static int32_t offset_of(value v)
{
	return (int32_t)(uint32_t)v;
}

struct state {
	value reg[REGS];
	value stack[SLOTS];
};

struct head {
	struct state state;
	bool visited, dirty;
};

struct run {
	const struct flow_function *f;
	struct head *heads;
	uint32_t *head_of;	/* by slot: index + 1, or 0 */
	uint32_t head_count;
	bool trust_stack, stack_lost;
	flow_fn *fn;		/* NULL until the states have settled */
	void *arg;
};

static void decode(const struct run *r, uint32_t slot, struct bpfinsn *insn)
{
	bpfinsn_decode(r->f->raw + (size_t)slot * BPFINSN_SIZE, r->f->big, insn);
}

static void emit(struct run *r, struct flow_event event)
{
	if (r->fn)
		r->fn(&event, r->arg);
}

/* The address v is lost to the analysis. */
static void escape(struct run *r, uint32_t slot, value v, const char *why)
{
	if (what(v) == WHAT_STACK)
		r->stack_lost = true;
	else if (v != UNKNOWN)
		emit(r, (struct flow_event){ .kind = FLOW_ESCAPE, .slot = slot, .object = what(v) - WHAT_OBJECT,
					     .offset = offset_of(v), .why = why });
}

/* ------------------------------------------------------------- the stack */

/* The stack slot of an 8-byte access at offset, or -1. */
static int stack_slot(int64_t offset)
{
	return offset % 8 == 0 && offset >= -FRAME && offset <= -8 ? (int)((offset + FRAME) / 8) : -1;
}

/* Bytes from offset on are overwritten with something else. */
static void clobber(struct state *s, int64_t offset, int64_t size)
{
	for (int i = 0; i < SLOTS; i++) {
		int64_t at = (int64_t)i * 8 - FRAME;

		if (at < offset + size && at + 8 > offset)
			s->stack[i] = UNKNOWN;
	}
}

static void stack_read(struct run *r, uint32_t slot, int64_t offset, int64_t size, bool to_top)
{
	for (int i = 0; i < SLOTS; i++) {
		int64_t at = (int64_t)i * 8 - FRAME;

		if (at + 8 > offset && (to_top || at < offset + size))
			emit(r, (struct flow_event){ .kind = FLOW_STACK_READ, .slot = slot, .stack_slot = (uint8_t)i,
						     .to_top = to_top });
	}
}

/* -------------------------------------------------------- instructions */

static int64_t bytes_of(uint8_t code)
{
	switch (bpfinsn_size(code)) {
	case BPF_SIZE_B:
		return 1;
	case BPF_SIZE_H:
		return 2;
	case BPF_SIZE_W:
		return 4;
	default:
		return 8;
	}
}

static void address_made(struct run *r, uint32_t slot, value v)
{
	if (what(v) >= WHAT_OBJECT)
		emit(r, (struct flow_event){ .kind = FLOW_ADDRESS, .slot = slot, .object = what(v) - WHAT_OBJECT,
					     .offset = offset_of(v) });
}

static value find_ref(const struct flow_function *f, uint32_t slot)
{
	uint32_t low = 0, high = f->ref_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (f->refs[mid].slot < slot)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == f->ref_count || f->refs[low].slot != slot)
		return UNKNOWN;
	return make(f->refs[low].object + WHAT_OBJECT, f->refs[low].offset);
}

static void do_load(struct run *r, struct state *s, uint32_t slot, const struct bpfinsn *insn)
{
	value base = s->reg[insn->src];
	int64_t at = (int64_t)offset_of(base) + insn->off, size = bytes_of(insn->code);
	int spilled = size == 8 ? stack_slot(at) : -1;

	s->reg[insn->dst] = UNKNOWN;
	if (what(base) == WHAT_STACK) {
		if (spilled >= 0 && r->trust_stack) {
			s->reg[insn->dst] = s->stack[spilled];
			address_made(r, slot, s->stack[spilled]);
		}
		stack_read(r, slot, at, size, false);
	} else if (base != UNKNOWN) {
		emit(r, (struct flow_event){ .kind = FLOW_LOAD, .slot = slot, .object = what(base) - WHAT_OBJECT,
					     .offset = (int32_t)at, .size = (uint8_t)size,
					     .sign_extend = bpfinsn_mode(insn->code) == BPF_MODE_MEMSX });
	}
}

static void do_store(struct run *r, struct state *s, uint32_t slot, const struct bpfinsn *insn, value source)
{
	value base = s->reg[insn->dst];
	int64_t at = (int64_t)offset_of(base) + insn->off, size = bytes_of(insn->code);
	int spill = size == 8 ? stack_slot(at) : -1;

	if (what(base) != WHAT_STACK) {
		if (base != UNKNOWN)
			emit(r, (struct flow_event){ .kind = FLOW_STORE, .slot = slot,
						     .object = what(base) - WHAT_OBJECT, .offset = (int32_t)at,
						     .size = (uint8_t)size });
		escape(r, slot, source, "its address is stored in memory");
		return;
	}
	clobber(s, at, size);
	if (spill < 0 || !r->trust_stack) {
		escape(r, slot, source, "its address is stored in memory");
		return;
	}
	s->stack[spill] = source;
	if (what(source) >= WHAT_OBJECT)
		emit(r, (struct flow_event){ .kind = FLOW_SPILL, .slot = slot, .object = what(source) - WHAT_OBJECT,
					     .stack_slot = (uint8_t)spill });
}

static void do_atomic(struct run *r, struct state *s, uint32_t slot, const struct bpfinsn *insn)
{
	value base = s->reg[insn->imm == BPF_ATOMIC_LOAD_ACQ ? insn->src : insn->dst];
	int64_t at = (int64_t)offset_of(base) + insn->off;
	uint16_t written = regs_written(insn);

	if (insn->imm != BPF_ATOMIC_LOAD_ACQ)
		escape(r, slot, s->reg[insn->src], "its address is stored in memory");
	if (what(base) == WHAT_STACK) {
		clobber(s, at, 8);
		stack_read(r, slot, at, 8, false);
	} else if (base != UNKNOWN) {
		emit(r, (struct flow_event){ .kind = FLOW_STORE, .slot = slot, .object = what(base) - WHAT_OBJECT,
					     .offset = (int32_t)at, .size = (uint8_t)bytes_of(insn->code) });
		escape(r, slot, base, "it is used by an atomic operation");
	}
	for (int i = 0; i < REGS; i++)
		if (written >> i & 1)
			s->reg[i] = UNKNOWN;
}

static void do_alu(struct run *r, struct state *s, uint32_t slot, const struct bpfinsn *insn)
{
	uint8_t op = bpfinsn_op(insn->code);
	bool wide = bpfinsn_class(insn->code) == BPF_CLASS_ALU64, x = insn->code & BPF_SOURCE_X && op != BPF_OP_END;
	value before = s->reg[insn->dst], source = x ? s->reg[insn->src] : UNKNOWN, made = UNKNOWN;

	if (wide && op == BPF_OP_MOV && x && !insn->off)
		made = source;
	else if (wide && !x && before != UNKNOWN && (op == BPF_OP_ADD || op == BPF_OP_SUB))
		made = make(what(before),
			    (int64_t)offset_of(before) + (op == BPF_OP_ADD ? 1 : -1) * (int64_t)insn->imm);
	s->reg[insn->dst] = made;
	address_made(r, slot, made);
	if (made != UNKNOWN)
		return;
	if (op != BPF_OP_MOV)
		escape(r, slot, before, "its address is computed with");
	escape(r, slot, source, "its address is computed with");
}

static void do_call(struct run *r, struct state *s, uint32_t slot, const struct bpfinsn *insn)
{
	for (int i = 1; i <= r->f->args[slot]; i++) {
		value v = s->reg[i];

		if (what(v) != WHAT_STACK) {
			escape(r, slot, v, "its address is passed to a function");
			continue;
		}
		for (int k = 0; k < SLOTS; k++)
			if (k * 8 - FRAME + 8 > offset_of(v))
				escape(r, slot, s->stack[k], "it is spilled to stack that is passed to a function");
		clobber(s, offset_of(v), FRAME);
		stack_read(r, slot, offset_of(v), 0, true);
	}
	if (insn->code & BPF_SOURCE_X)
		escape(r, slot, s->reg[insn->dst], "its address is called");
	for (int i = 0; i <= 5; i++)
		s->reg[i] = UNKNOWN;
}

static void do_jump(struct run *r, struct state *s, uint32_t slot, const struct bpfinsn *insn)
{
	uint16_t read = regs_read(insn, 0);
	bool exits = insn->code == (BPF_CLASS_JMP | BPF_OP_EXIT);

	for (int i = 0; i < REGS; i++)
		if (read >> i & 1 && what(s->reg[i]) != WHAT_STACK)
			escape(r, slot, s->reg[i], exits ? "its address is returned" : "its address is compared");
}

static void step(struct run *r, struct state *s, uint32_t slot, const struct bpfinsn *insn)
{
	uint8_t class = bpfinsn_class(insn->code), mode = bpfinsn_mode(insn->code);

	switch (class) {
	case BPF_CLASS_LD:
		if (insn->code == BPF_CODE_LDDW) {
			s->reg[insn->dst] = find_ref(r->f, slot);
			address_made(r, slot, s->reg[insn->dst]);
			break;
		}
		if (mode == BPF_MODE_IND)
			escape(r, slot, s->reg[insn->src], "its address is computed with");
		for (int i = 0; i <= 5; i++)
			s->reg[i] = UNKNOWN;
		break;
	case BPF_CLASS_LDX:
		do_load(r, s, slot, insn);
		break;
	case BPF_CLASS_ST:
		do_store(r, s, slot, insn, UNKNOWN);
		break;
	case BPF_CLASS_STX:
		if (mode == BPF_MODE_ATOMIC)
			do_atomic(r, s, slot, insn);
		else
			do_store(r, s, slot, insn, s->reg[insn->src]);
		break;
	case BPF_CLASS_ALU:
	case BPF_CLASS_ALU64:
		do_alu(r, s, slot, insn);
		break;
	default:
		if (class == BPF_CLASS_JMP && bpfinsn_op(insn->code) == BPF_OP_CALL)
			do_call(r, s, slot, insn);
		else
			do_jump(r, s, slot, insn);
		break;
	}
}

/* --------------------------------------------------------------- paths */

/* Registers that are read at or behind a slot. */
static uint16_t live_in(const struct run *r, uint32_t slot)
{
	struct bpfinsn insn;

	decode(r, slot, &insn);
	return (uint16_t)((r->f->live[slot] & ~regs_written(&insn)) | regs_read(&insn, r->f->args[slot]));
}

static void meet(struct run *r, uint32_t slot, value *old, value new, bool *changed)
{
	if (*old == new || *old == UNKNOWN) {
		if (*old == UNKNOWN)
			escape(r, slot, new, "two paths bring different addresses");
		return;
	}
	escape(r, slot, *old, "two paths bring different addresses");
	escape(r, slot, new, "two paths bring different addresses");
	*old = UNKNOWN;
	*changed = true;
}

/* A path arrives at a head. */
static void arrive(struct run *r, uint32_t slot, const struct state *s)
{
	struct head *h = &r->heads[r->head_of[slot] - 1];
	uint16_t live = live_in(r, slot);
	bool changed = !h->visited;

	if (!h->visited) {
		h->state = *s;
		for (int i = 0; i < REGS - 1; i++)
			if (!(live >> i & 1))
				h->state.reg[i] = UNKNOWN;
		h->visited = true;
	} else {
		for (int i = 0; i < REGS - 1; i++)
			if (live >> i & 1)
				meet(r, slot, &h->state.reg[i], s->reg[i], &changed);
		for (int i = 0; i < SLOTS; i++)
			meet(r, slot, &h->state.stack[i], s->stack[i], &changed);
	}
	h->dirty |= changed;
}

/* Follow instructions from a head to where other heads begin. */
static void follow(struct run *r, uint32_t slot, struct state s)
{
	bool first = true;

	while (slot < r->f->count) {
		struct bpfinsn insn;
		int32_t delta;
		bool jumps;

		if (!first && r->head_of[slot]) {
			arrive(r, slot, &s);
			return;
		}
		first = false;
		decode(r, slot, &insn);
		step(r, &s, slot, &insn);
		jumps = bpfinsn_jump(&insn, &delta);
		if (jumps && (int64_t)slot + 1 + delta >= 0 && (int64_t)slot + 1 + delta < r->f->count)
			arrive(r, (uint32_t)((int64_t)slot + 1 + delta), &s);
		if ((jumps && bpfinsn_op(insn.code) == BPF_OP_JA) || insn.code == (BPF_CLASS_JMP | BPF_OP_EXIT))
			return;
		slot += bpfinsn_slots(insn.code);
	}
}

static void mark_head(struct run *r, int64_t slot)
{
	if (slot >= 0 && slot < r->f->count && !r->head_of[slot])
		r->head_of[slot] = ++r->head_count;
}

/* Number the heads: the entry, and every target of a jump. */
static void find_heads(struct run *r)
{
	memset(r->head_of, 0, r->f->count * sizeof(*r->head_of));
	r->head_count = 0;
	mark_head(r, 0);
	for (uint32_t slot = 0; slot < r->f->count; slot++) {
		struct bpfinsn insn;
		int32_t delta;

		if (!bpfinsn_starts(r->f->starts, r->f->first_start + slot))
			continue;
		decode(r, slot, &insn);
		if (bpfinsn_jump(&insn, &delta))
			mark_head(r, (int64_t)slot + 1 + delta);
	}
}

static uint32_t count_jumps(const struct flow_function *f)
{
	uint32_t n = 1;

	for (uint32_t slot = 0; slot < f->count; slot++) {
		struct bpfinsn insn;
		int32_t delta;

		if (!bpfinsn_starts(f->starts, f->first_start + slot))
			continue;
		bpfinsn_decode(f->raw + (size_t)slot * BPFINSN_SIZE, f->big, &insn);
		n += bpfinsn_jump(&insn, &delta);
	}
	return n;
}

size_t flow_memory(const struct flow_function *f)
{
	return count_jumps(f) * sizeof(struct head) + f->count * sizeof(uint32_t);
}

/* Repeat until no head changes; then once more, telling. */
static void settle(struct run *r)
{
	bool again = true;

	for (uint32_t i = 0; i < r->head_count; i++)
		r->heads[i].visited = r->heads[i].dirty = false;
	memset(&r->heads[0].state, 0, sizeof(r->heads[0].state));
	r->heads[0].state.reg[10] = make(WHAT_STACK, 0);
	r->heads[0].visited = r->heads[0].dirty = true;
	while (again) {
		again = false;
		for (uint32_t slot = 0; slot < r->f->count; slot++) {
			struct head *h = r->head_of[slot] ? &r->heads[r->head_of[slot] - 1] : NULL;

			if (!h || !h->dirty)
				continue;
			h->dirty = false;
			again = true;
			follow(r, slot, h->state);
		}
	}
}

static void tell(struct run *r, flow_fn *fn, void *arg)
{
	r->fn = fn;
	r->arg = arg;
	for (uint32_t slot = 0; slot < r->f->count; slot++) {
		struct head *h = r->head_of[slot] ? &r->heads[r->head_of[slot] - 1] : NULL;

		if (h && h->visited)
			follow(r, slot, h->state);
	}
}

void flow_run(const struct flow_function *f, void *memory, flow_fn *fn, void *arg)
{
	struct run r = { .f = f, .heads = memory, .trust_stack = true };

	r.head_of = (uint32_t *)(r.heads + count_jumps(f));
	find_heads(&r);
	settle(&r);
	if (r.stack_lost) {
		r.trust_stack = false;
		settle(&r);
	}
	tell(&r, fn, arg);
}
