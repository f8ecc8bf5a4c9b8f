// SPDX-License-Identifier: BSD-2-Clause
/*
 * Turning globals into immediates.
 *
 * bpfinsn/flow tells which loads read a variable through a known address.  Such
 * a load becomes a move of the value, and the move becomes a site of the
 * variable, so that stamping it later is a store like any other:
 *
 *     r6 = target_addr ll            (gone)
 *     w1 = *(u32 *)(r6 + 0)          w1 = -0x1234568       4 bytes or less
 *     r1 = *(u64 *)(r6 + 8)          r1 = 0x… ll           8 bytes: one slot more
 *     r1 = *(s16 *)(r6 + 4)          r1 = -5               sign-extended
 *
 * Read-only data may always be read early.  A variable in .data or .bss only if
 * no function of the object writes it or lets its address escape; a store or
 * an escape outside all variables spoils its whole section.
 *
 * Then the instructions that made addresses nobody uses any more are removed,
 * with the spills of such addresses to stack that nobody reads.  If no lddw
 * refers to a map in the end, no program will create it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpfinsn/flow.h"
#include "bpfinsn/regs.h"
#include "include/bytes.h"
#include "loader/edit.h"
#include "loader/err.h"
#include "loader/regargs.h"

struct finding {	/* an event, and where */
	uint32_t code;
	uint32_t func;
	struct flow_event event;	/* slot: of the code section */
};

struct work {
	struct bpfstamp_template *t;
	struct finding *findings;
	uint32_t finding_count, finding_room;
	bool no_memory;
	uint32_t code, func;		/* being analysed */
	uint8_t *args;			/* by slot of the code part of the image */
	uint16_t *live;
	uint8_t *image, *starts;	/* a copy in which instructions are replaced one for one */
	bool *spoiled;			/* by data: everything in it is kept, if it may be written */
	bool *moving;			/* by data: everything in it is kept, for CO-RE decides what is where */
	struct injectable *injectables;	/* as the template had them before */
	struct site *sites;
	uint32_t site_count;
};

/* ------------------------------------------------------------- analysis */

static void note_event(const struct flow_event *event, void *arg)
{
	struct work *w = arg;

	if (w->finding_count == w->finding_room) {
		uint32_t room = 2 * w->finding_room + 64;
		struct finding *more = realloc(w->findings, room * sizeof(*more));

		if (!more) {
			w->no_memory = true;
			return;
		}
		w->findings = more;
		w->finding_room = room;
	}
	w->findings[w->finding_count] = (struct finding){ .code = w->code, .func = w->func, .event = *event };
	w->findings[w->finding_count++].event.slot += w->t->funcs[w->func].start;
}

static void find_liveness(struct work *w, const struct func *f)
{
	uint32_t first = object_insn_at(w->t, f->code, f->start) / BPFINSN_SIZE;

	regs_liveness(w->image + (size_t)first * BPFINSN_SIZE, f->insns, w->t->elf.big, w->starts, first,
		      w->args + first, w->live + first);
}

static int analyse(struct work *w, struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = w->t;
	const struct func *f = &t->funcs[w->func];
	const struct code *c = &t->codes[f->code];
	uint32_t first = object_insn_at(t, f->code, f->start) / BPFINSN_SIZE;
	struct flow_ref *refs = calloc(c->reloc_count + 1, sizeof(*refs));
	struct flow_function flow = {
		.raw = w->image + (size_t)first * BPFINSN_SIZE, .count = f->insns, .big = t->elf.big,
		.starts = w->starts, .first_start = first, .args = w->args + first, .live = w->live + first,
		.refs = refs,
	};
	void *memory = NULL;
	int ret = -1;

	find_liveness(w, f);
	for (uint32_t i = 0; refs && i < c->reloc_count; i++) {
		const struct reloc *r = &t->relocs[c->reloc_first + i];

		if (r->kind == RELOC_DATA && r->insn >= f->start && r->insn < f->start + f->insns)
			refs[flow.ref_count++] = (struct flow_ref){ .slot = r->insn - f->start, .object = r->target,
								    .offset = r->addend };
	}
	memory = refs ? malloc(flow_memory(&flow)) : NULL;
	if (memory) {
		flow_run(&flow, memory, note_event, w);
		ret = 0;
	}
	if (ret || w->no_memory)
		ret = object_no_memory(err);
	free(memory);
	free(refs);
	return ret;
}

/* -------------------------------------------------------------- decision */

/* Whether an injectable covers some of size bytes at an offset of a data section. */
static bool overlaps(const struct bpfstamp_template *t, const struct injectable *inj, uint32_t data, int64_t offset,
		     uint32_t size)
{
	int64_t at;

	if (inj->data != data)
		return false;
	at = (int64_t)inj->image - t->datas[data].image;
	return at < offset + size && at + inj->type.size > offset;
}

/* Where a variable is written or lost it is kept, and the first reason is remembered. */
static void keep(struct work *w, const struct finding *found, const char *why)
{
	struct bpfstamp_template *t = w->t;
	const struct flow_event *e = &found->event;
	bool any = false;

	for (uint32_t i = 0; i < t->global_count; i++) {
		struct injectable *inj = &t->injectables[i];

		if (!overlaps(t, inj, e->object, e->offset, e->size ? e->size : 1))
			continue;
		any = true;
		if (inj->kept)
			continue;
		inj->kept = why;
		inj->kept_code = found->code;
		inj->kept_insn = e->slot;
	}
	if (!any)
		w->spoiled[e->object] = true;
}

/* Whether an event is about an address in a data section. */
static bool is_address(enum flow_kind kind)
{
	return kind == FLOW_LOAD || kind == FLOW_STORE || kind == FLOW_ADDRESS;
}

static void decide(struct work *w)
{
	for (uint32_t i = 0; i < w->finding_count; i++) {
		const struct finding *found = &w->findings[i];

		if (object_core_at(w->t, found->code, found->event.slot) != NO_INDEX &&
		    is_address(found->event.kind)) {
			keep(w, found, "its place is relocated by CO-RE");
			w->moving[found->event.object] = true;
		} else if (found->event.kind == FLOW_STORE) {
			keep(w, found, "it is written");
		} else if (found->event.kind == FLOW_ESCAPE) {
			keep(w, found, found->event.why);
		}
	}
}

static bool can_inline(const struct work *w, const struct flow_event *e)
{
	const struct bpfstamp_template *t = w->t;
	const struct data *d = &t->datas[e->object];
	bool covered = false;

	if (e->offset < 0 || (uint32_t)e->offset > d->size || e->size > d->size - (uint32_t)e->offset)
		return false;
	if (w->moving[e->object])
		return false;
	if (d->readonly)
		return true;
	if (w->spoiled[e->object])
		return false;
	for (uint32_t i = 0; i < t->global_count; i++) {
		if (!overlaps(t, &t->injectables[i], e->object, e->offset, e->size))
			continue;
		if (t->injectables[i].kept)
			return false;
		covered = true;
	}
	return covered;
}

/* ----------------------------------------------------------- replacement */

struct load {		/* a load that becomes a move */
	uint32_t code, slot;
	enum imm_form form;
	uint32_t data_image;
	uint8_t size, dst;
	bool sign_extend;
};

static struct load plan_load(const struct work *w, const struct finding *found)
{
	const struct flow_event *e = &found->event;
	struct load load = { .code = found->code, .slot = e->slot, .size = e->size, .sign_extend = e->sign_extend,
			     .data_image = w->t->datas[e->object].image + (uint32_t)e->offset };
	struct bpfinsn insn;

	load.form = e->size == 8 ? IMM_LDDW : e->sign_extend ? IMM_SEXT32 : IMM_ZEXT32;
	bpfinsn_decode(w->image + object_insn_at(w->t, found->code, e->slot), w->t->elf.big, &insn);
	load.dst = insn.dst;
	return load;
}

/* The new instruction at raw (16 bytes), its value as in the object. */
static void encode_load(const struct work *w, const struct load *load, uint8_t *raw)
{
	static const uint8_t codes[] = {
		[IMM_LDDW] = BPF_CODE_LDDW,
		[IMM_ZEXT32] = BPF_CLASS_ALU | BPF_OP_MOV | BPF_SOURCE_K,
		[IMM_SEXT32] = BPF_CLASS_ALU64 | BPF_OP_MOV | BPF_SOURCE_K,
	};
	const struct bpfinsn insn = { .code = codes[load->form], .dst = load->dst };
	bool big = w->t->elf.big;

	memset(raw, 0, 2 * BPFINSN_SIZE);
	bpfinsn_encode(raw, big, &insn);
	imm_put(raw, big, load->form, value_load(w->t->image + load->data_image, load->size, load->sign_extend, big));
}

static void put_nop(struct work *w, uint32_t at)
{
	const struct bpfinsn nop = { .code = BPF_CLASS_JMP | BPF_OP_JA };

	bpfinsn_encode(w->image + at, w->t->elf.big, &nop);
	w->starts[at / BPFINSN_SIZE / 8] |= (uint8_t)(1u << (at / BPFINSN_SIZE % 8));
}

static bool is_nop(const struct work *w, uint32_t at)
{
	static const uint8_t nop[BPFINSN_SIZE] = { BPF_CLASS_JMP | BPF_OP_JA };

	return !memcmp(w->image + at, nop, sizeof(nop));
}

/* Replace by one slot for now, so that places stay: an lddw's move stands for it. */
static void replace_load(struct work *w, const struct load *load)
{
	const struct bpfinsn move = { .code = BPF_CLASS_ALU64 | BPF_OP_MOV | BPF_SOURCE_K, .dst = load->dst };

	bpfinsn_encode(w->image + object_insn_at(w->t, load->code, load->slot), w->t->elf.big, &move);
}

/* Whether a spill of an address is read by anything that is still there. */
static bool is_read(const struct work *w, const struct finding *spill)
{
	for (uint32_t i = 0; i < w->finding_count; i++) {
		const struct finding *f = &w->findings[i];

		if (f->event.kind == FLOW_STACK_READ && f->func == spill->func &&
		    f->event.stack_slot == spill->event.stack_slot &&
		    !is_nop(w, object_insn_at(w->t, f->code, f->event.slot)))
			return true;
	}
	return false;
}

/* Remove the instruction of a finding if its result is not used; true if that was done. */
static bool remove_unused(struct work *w, const struct finding *found)
{
	uint32_t at = object_insn_at(w->t, found->code, found->event.slot);
	struct bpfinsn insn;

	if (is_nop(w, at))
		return false;
	bpfinsn_decode(w->image + at, w->t->elf.big, &insn);
	if (found->event.kind == FLOW_ADDRESS ? w->live[at / BPFINSN_SIZE] >> insn.dst & 1 : is_read(w, found))
		return false;
	for (uint32_t i = bpfinsn_slots(insn.code); i-- > 0;)
		put_nop(w, at + i * BPFINSN_SIZE);
	return true;
}

/* Until nothing changes, because an address may be made from another. */
static void remove_addresses(struct work *w)
{
	bool again = true;

	while (again) {
		again = false;
		for (uint32_t f = 0; f < w->t->func_count; f++)
			find_liveness(w, &w->t->funcs[f]);
		for (uint32_t i = 0; i < w->finding_count; i++) {
			enum flow_kind kind = w->findings[i].event.kind;

			if (kind == FLOW_ADDRESS || kind == FLOW_SPILL)
				again |= remove_unused(w, &w->findings[i]);
		}
	}
}

/* ------------------------------------------------------------ application */

/* The edits that turn the template's code into what was worked out. */
static int collect_edits(const struct work *w, const struct load *loads, uint32_t load_count, struct edit **out,
			 uint32_t *count, struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = w->t;
	uint32_t next = 0, n = 0;
	struct edit *edits = calloc((size_t)load_count + w->finding_count + 1, sizeof(*edits));

	if (!edits)
		return object_no_memory(err);
	for (uint32_t code = 0; code < t->code_count; code++) {
		for (uint32_t slot = 0; slot < t->codes[code].insns; slot++) {
			uint32_t at = object_insn_at(t, code, slot);

			if (!bpfinsn_starts(t->starts, at / BPFINSN_SIZE))
				continue;
			if (next < load_count && loads[next].code == code && loads[next].slot == slot) {
				edits[n] = (struct edit){ .code = code, .slot = slot,
							  .len = loads[next].size == 8 ? 2 : 1 };
				encode_load(w, &loads[next++], edits[n++].bytes);
			} else if (is_nop(w, at) && memcmp(w->image + at, t->image + at, BPFINSN_SIZE) != 0) {
				edits[n++] = (struct edit){ .code = code, .slot = slot };
			}
		}
	}
	*out = edits;
	*count = n;
	return 0;
}

/* Each variable that a load read has it as a site now, in place of the address. */
static int add_sites(struct work *w, const struct load *loads, uint32_t load_count, struct bpfstamp_err *err)
{
	struct bpfstamp_template *t = w->t;

	for (uint32_t i = 0; i < load_count; i++) {
		const struct load *load = &loads[i];

		for (uint32_t k = 0; k < t->global_count; k++) {
			struct injectable *inj = &t->injectables[k];
			struct site site = { .injectable = k, .code = load->code, .insn = load->slot,
					     .how.form = load->form, .load_image = load->data_image,
					     .load_size = load->size, .load_signed = load->sign_extend };

			if (inj->image >= load->data_image + load->size ||
			    load->data_image >= inj->image + inj->type.size)
				continue;
			inj->inlined_count++;
			if (sites_add(t, &site, err))
				return -1;
		}
	}
	sites_index(t);
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct load *x = a, *y = b;

	if (x->code != y->code)
		return x->code < y->code ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static int replace_all(struct work *w, struct bpfstamp_err *err)
{
	struct load *loads = calloc(w->finding_count + 1, sizeof(*loads));
	struct edit *edits = NULL;
	uint32_t load_count = 0, edit_count = 0;
	int ret = -1;

	if (!loads)
		return object_no_memory(err);
	for (uint32_t i = 0; i < w->finding_count; i++)
		if (w->findings[i].event.kind == FLOW_LOAD && can_inline(w, &w->findings[i].event))
			loads[load_count++] = plan_load(w, &w->findings[i]);
	qsort(loads, load_count, sizeof(*loads), by_place);
	for (uint32_t i = 0; i < load_count; i++)
		replace_load(w, &loads[i]);
	remove_addresses(w);
	if (!collect_edits(w, loads, load_count, &edits, &edit_count, err) && !add_sites(w, loads, load_count, err))
		ret = edit_apply(w->t, edits, edit_count, err);
	free(edits);
	free(loads);
	return ret;
}

/* What decide and add_sites change in the template, so that a failure leaves it as it was. */
static int save(struct work *w)
{
	const struct bpfstamp_template *t = w->t;

	w->injectables = calloc(t->injectable_count + 1, sizeof(*w->injectables));
	w->sites = calloc((size_t)t->site_count + 1, sizeof(*w->sites));
	if (!w->injectables || !w->sites)
		return -1;
	memcpy(w->injectables, t->injectables, t->injectable_count * sizeof(*w->injectables));
	memcpy(w->sites, t->sites, t->site_count * sizeof(*w->sites));
	w->site_count = t->site_count;
	return 0;
}

static void restore(const struct work *w)
{
	struct bpfstamp_template *t = w->t;

	memcpy(t->injectables, w->injectables, t->injectable_count * sizeof(*w->injectables));
	memcpy(t->sites, w->sites, w->site_count * sizeof(*w->sites));
	t->site_count = w->site_count;
}

int bpfstamp_inline(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	uint32_t slots = t->image_size / BPFINSN_SIZE + 1;
	struct work w = { .t = t };
	int ret = -1;

	w.args = regargs_make(t);
	w.live = calloc(slots, sizeof(*w.live));
	w.starts = malloc(slots / 8 + 1);
	w.image = malloc(t->image_size + 1);
	w.spoiled = calloc(t->data_count + 1, sizeof(*w.spoiled));
	w.moving = calloc(t->data_count + 1, sizeof(*w.moving));
	if (!w.args || !w.live || !w.starts || !w.image || !w.spoiled || !w.moving || save(&w)) {
		object_no_memory(err);
		goto out;
	}
	memcpy(w.starts, t->starts, t->image_size / BPFINSN_SIZE / 8 + 1);
	memcpy(w.image, t->image, t->image_size);
	for (w.func = 0; w.func < t->func_count; w.func++) {
		w.code = t->funcs[w.func].code;
		if (analyse(&w, err))
			goto out;
	}
	decide(&w);
	ret = replace_all(&w, err);
	if (ret)
		restore(&w);
out:
	free(w.findings);
	free(w.args);
	free(w.live);
	free(w.starts);
	free(w.image);
	free(w.spoiled);
	free(w.moving);
	free(w.injectables);
	free(w.sites);
	return ret;
}
