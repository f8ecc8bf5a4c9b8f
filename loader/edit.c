// SPDX-License-Identifier: BSD-2-Clause
/*
 * Code that grows and shrinks.
 *
 * Everything that names a place in code does so by code section and slot, so
 * one map from old to new slots for each section moves it all: functions,
 * relocations, sites, jumps.  What the object itself says of its code (line
 * records, CO-RE records, symbols) keeps its old numbers and is translated when
 * it is read, through code->moved.
 *
 * New code is built aside and checked (a jump may have become too long for 16
 * bits) before the template is touched.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/edit.h"
#include "loader/err.h"

struct work {
	struct bpfstamp_template *t;
	const struct edit *edits;
	uint32_t count;
	uint32_t **map;		/* by code: new slot of each old one, and of the end */
	uint32_t *code_image, *data_image;	/* new offsets */
	uint8_t *image, *starts;
	uint32_t size;
};

static uint32_t slots_at(const struct bpfstamp_template *t, uint32_t code, uint32_t slot)
{
	return bpfinsn_slots(t->image[object_insn_at(t, code, slot)]);
}

/* The edits of one code section begin at *next; make its map. */
static int make_map(struct work *w, uint32_t code, uint32_t *next, struct bpfstamp_err *err)
{
	const struct code *c = &w->t->codes[code];
	uint64_t at = 0;
	uint32_t *map = malloc((c->insns + 1) * sizeof(*map));

	if (!map)
		return object_no_memory(err);
	w->map[code] = map;
	for (uint32_t slot = 0; slot < c->insns;) {
		uint32_t slots = slots_at(w->t, code, slot), len = slots;

		if (*next < w->count && w->edits[*next].code == code && w->edits[*next].slot == slot)
			len = w->edits[(*next)++].len;
		map[slot] = (uint32_t)at;
		if (slots == 2 && slot + 1 < c->insns)
			map[slot + 1] = (uint32_t)at + (len == 2);
		at += len;
		slot += slots;
	}
	map[c->insns] = (uint32_t)at;
	if (at * BPFINSN_SIZE > INT32_MAX - w->size)
		return err_set(err, EFBIG, "%s: section %s has become too long", w->t->name, c->name);
	w->code_image[code] = w->size;
	w->size += (uint32_t)at * BPFINSN_SIZE;
	return 0;
}

static int make_maps(struct work *w, struct bpfstamp_err *err)
{
	uint32_t next = 0;

	for (uint32_t code = 0; code < w->t->code_count; code++)
		if (make_map(w, code, &next, err))
			return -1;
	for (uint32_t i = 0; i < w->t->data_count; i++) {
		w->data_image[i] = w->size;
		w->size += (w->t->datas[i].size + 7) & ~7u;
	}
	return 0;
}

/* Aim the jump that stood at old, and stands at new slot at now, again. */
static int aim(struct work *w, uint32_t code, uint32_t old, uint32_t at, struct bpfstamp_err *err)
{
	const uint32_t *map = w->map[code];
	uint8_t *raw = w->image + w->code_image[code] + (size_t)at * BPFINSN_SIZE;
	struct bpfinsn insn;
	int32_t delta;
	int64_t now;

	bpfinsn_decode(raw, w->t->elf.big, &insn);
	if (!bpfinsn_jump(&insn, &delta))
		return 0;
	now = (int64_t)map[(int64_t)old + 1 + delta] - at - 1;
	if (insn.code == (BPF_CLASS_JMP32 | BPF_OP_JA)) {
		insn.imm = (int32_t)now;
	} else {
		if (now != (int16_t)now) {
			struct bpfstamp_site site;

			object_locate(w->t, code, old, &site);
			return err_set(err, ERANGE, "%s: instruction %u of %s: the code grew so much that its jump "
				       "does not fit 16 bits", w->t->name, site.insn, site.program);
		}
		insn.off = (int16_t)now;
	}
	bpfinsn_encode(raw, w->t->elf.big, &insn);
	return 0;
}

static int build_code(struct work *w, uint32_t code, uint32_t *next, struct bpfstamp_err *err)
{
	const struct code *c = &w->t->codes[code];
	uint8_t *base = w->image + w->code_image[code];

	for (uint32_t slot = 0; slot < c->insns;) {
		const uint8_t *from = w->t->image + object_insn_at(w->t, code, slot);
		uint32_t slots = slots_at(w->t, code, slot), len = slots, at = w->map[code][slot];

		if (*next < w->count && w->edits[*next].code == code && w->edits[*next].slot == slot) {
			len = w->edits[*next].len;
			from = w->edits[(*next)++].bytes;
		}
		memcpy(base + (size_t)at * BPFINSN_SIZE, from, (size_t)len * BPFINSN_SIZE);
		if (len && aim(w, code, slot, at + (len == slots ? 0 : len - 1), err))
			return -1;
		slot += slots;
	}
	return 0;
}

static void mark_starts(struct work *w, uint32_t code)
{
	uint32_t first = w->code_image[code] / BPFINSN_SIZE, count = w->map[code][w->t->codes[code].insns];

	for (uint32_t slot = 0; slot < count;) {
		w->starts[(first + slot) / 8] |= (uint8_t)(1u << ((first + slot) % 8));
		slot += bpfinsn_slots(w->image[(size_t)(first + slot) * BPFINSN_SIZE]);
	}
}

static int build(struct work *w, struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = w->t;
	uint32_t next = 0;

	w->image = calloc(1, (size_t)w->size + 1);
	w->starts = calloc(1, w->size / BPFINSN_SIZE / 8 + 1);
	if (!w->image || !w->starts)
		return object_no_memory(err);
	for (uint32_t code = 0; code < t->code_count; code++) {
		if (build_code(w, code, &next, err))
			return -1;
		mark_starts(w, code);
	}
	for (uint32_t i = 0; i < t->data_count; i++)
		memcpy(w->image + w->data_image[i], t->image + t->datas[i].image, t->datas[i].size);
	return 0;
}

static bool is_gone(const struct work *w, uint32_t code, uint32_t slot)
{
	return w->map[code][slot] == w->map[code][slot + slots_at(w->t, code, slot)];
}

static void move_relocs(struct work *w)
{
	struct bpfstamp_template *t = w->t;
	uint32_t kept = 0;

	for (uint32_t code = 0; code < t->code_count; code++) {
		uint32_t first = t->codes[code].reloc_first, count = t->codes[code].reloc_count;

		t->codes[code].reloc_first = kept;
		for (uint32_t i = first; i < first + count; i++) {
			if (is_gone(w, code, t->relocs[i].insn))
				continue;
			t->relocs[kept] = t->relocs[i];
			t->relocs[kept].insn = w->map[code][t->relocs[i].insn];
			kept++;
		}
		t->codes[code].reloc_count = kept - t->codes[code].reloc_first;
	}
	t->reloc_count = kept;
}

static void move_sites(struct work *w)
{
	struct bpfstamp_template *t = w->t;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < t->injectable_count; i++)
		t->injectables[i].site_count = 0;
	for (uint32_t i = 0; i < t->site_count; i++) {
		struct site site = t->sites[i];

		if (is_gone(w, site.code, site.insn))
			continue;
		site.insn = w->map[site.code][site.insn];
		if (site.load_size)
			for (uint32_t d = 0; d < t->data_count; d++)
				if (site.load_image - t->datas[d].image < t->datas[d].size) {
					site.load_image += w->data_image[d] - t->datas[d].image;
					break;
				}
		if (!t->injectables[site.injectable].site_count++)
			t->injectables[site.injectable].site_first = kept;
		t->sites[kept++] = site;
	}
	t->site_count = kept;
}

static void move_doubts(struct work *w)
{
	for (uint32_t i = 0; i < w->t->doubt_count; i++) {
		struct doubt *d = &w->t->doubts[i];

		if (d->code != NO_INDEX)
			d->insn = w->map[d->code][d->insn];
	}
}

static void move_kept(struct work *w)
{
	for (uint32_t i = 0; i < w->t->injectable_count; i++) {
		struct injectable *inj = &w->t->injectables[i];

		if (inj->kept)
			inj->kept_insn = w->map[inj->kept_code][inj->kept_insn];
	}
}

static void move_functions(struct work *w)
{
	for (uint32_t i = 0; i < w->t->func_count; i++) {
		struct func *f = &w->t->funcs[i];
		uint32_t end = w->map[f->code][f->start + f->insns];

		f->start = w->map[f->code][f->start];
		f->insns = end - f->start;
	}
}

static int move_codes(struct work *w, struct bpfstamp_err *err)
{
	struct bpfstamp_template *t = w->t;

	for (uint32_t code = 0; code < t->code_count; code++) {
		struct code *c = &t->codes[code];

		if (c->moved)
			continue;
		c->moved = malloc((c->object_insns + 1) * sizeof(*c->moved));
		if (!c->moved)
			return object_no_memory(err);
		for (uint32_t i = 0; i <= c->object_insns; i++)
			c->moved[i] = i;
	}
	return 0;
}

/* From here on nothing fails. */
static void commit(struct work *w)
{
	struct bpfstamp_template *t = w->t;

	move_relocs(w);
	move_sites(w);
	move_doubts(w);
	move_kept(w);
	move_functions(w);
	for (uint32_t i = 0; i < t->injectable_count; i++)
		if (t->injectables[i].data != NO_INDEX)
			t->injectables[i].image += w->data_image[t->injectables[i].data] -
				t->datas[t->injectables[i].data].image;
	for (uint32_t i = 0; i < t->data_count; i++)
		t->datas[i].image = w->data_image[i];
	for (uint32_t code = 0; code < t->code_count; code++) {
		struct code *c = &t->codes[code];

		for (uint32_t i = 0; i <= c->object_insns; i++)
			c->moved[i] = w->map[code][c->moved[i]];
		c->insns = w->map[code][c->insns];
		c->image = w->code_image[code];
	}
	free(t->image);
	free(t->starts);
	t->image = w->image;
	t->starts = w->starts;
	t->image_size = w->size;
	w->image = w->starts = NULL;
}

/*
 * A call inside a section, or through the section symbol, counts instructions,
 * and so does the address of a function through the section symbol.
 */
static void aim_calls(struct bpfstamp_template *t)
{
	for (uint32_t i = 0; i < t->reloc_count; i++) {
		const struct reloc *r = &t->relocs[i];
		uint8_t *imm = t->image + object_insn_at(t, r->code, r->insn) + 4;
		struct elf64_symbol sym;

		if (r->kind != RELOC_CALL && r->kind != RELOC_FUNC)
			continue;
		elf64_symbol(&t->elf, r->symbol, &sym);
		if (r->symbol && sym.type != ELF64_STT_SECTION)
			continue;
		if (r->kind == RELOC_FUNC)
			bytes_put32(imm, t->funcs[r->target].start * BPFINSN_SIZE, t->elf.big);
		else
			bytes_put32(imm, t->funcs[r->target].start - (r->symbol ? 1 : r->insn + 1), t->elf.big);
	}
}

int edit_apply(struct bpfstamp_template *t, const struct edit *edits, uint32_t count, struct bpfstamp_err *err)
{
	struct work w = { .t = t, .edits = edits, .count = count };
	int ret = -1;

	if (!count)
		return 0;
	w.map = calloc(t->code_count + 1, sizeof(*w.map));
	w.code_image = calloc(t->code_count + 1, sizeof(*w.code_image));
	w.data_image = calloc(t->data_count + 1, sizeof(*w.data_image));
	if (!w.map || !w.code_image || !w.data_image) {
		object_no_memory(err);
		goto out;
	}
	if (make_maps(&w, err) || build(&w, err) || move_codes(&w, err))
		goto out;
	commit(&w);
	aim_calls(t);
	ret = 0;
out:
	for (uint32_t i = 0; w.map && i < t->code_count; i++)
		free(w.map[i]);
	free(w.map);
	free(w.code_image);
	free(w.data_image);
	free(w.image);
	free(w.starts);
	return ret;
}
