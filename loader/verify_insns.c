// SPDX-License-Identifier: BSD-2-Clause
/*
 * Comparing instructions as the kernel translated them.
 *
 * Two loads of the same program give the same translation but for
 *
 *     lddw of a map          its id, and the offset into its value: the maps must
 *                            stand for each other
 *     lddw of an address     which the kernel put there itself (of the program, for
 *                            a timer; of its types): no such constant was loaded,
 *                            and both are addresses of the kernel
 *
 * Calls of subprograms are relative, those of helpers relative to a symbol of
 * the kernel; who may not see the kernel's addresses gets 0 for all of them,
 * and then the tags must tell.  Where constants are blinded (net.core.bpf_jit_harden),
 * every load has other instructions, and nothing can be compared.
 *
 * An immediate that differs is looked for in what was loaded, to name the
 * injectable whose site it is.  The kernel keeps the order of instructions, and
 * adds and removes some: the n-th of several that are equal is still the n-th,
 * if there are as many of them; else it is a site if all of them are sites of
 * one injectable.  From the first instruction on that differs in more than its
 * immediate, the two programs are no longer in step, and only counted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/err.h"
#include "loader/link.h"
#include "loader/verify.h"

enum { REG_BLINDED = 11, TEXT_SIZE = 128, PATH_SIZE = 512, MOST_PARTS = 1 << 16 };

/* The program as it was loaded. */
struct loaded_code {
	const struct link *link;
	struct bpfinsn *insns;	/* and one zero slot */
	uint32_t count;
};

static bool is_map(const struct bpfinsn *insn)
{
	return insn->code == BPF_CODE_LDDW && (insn->src == BPF_SRC_MAP_FD || insn->src == BPF_SRC_MAP_VALUE);
}

/* Whether two instructions differ in their immediate at most. */
static bool same_shape(const struct bpfinsn *a, const struct bpfinsn *b)
{
	return a->code == b->code && a->dst == b->dst && a->src == b->src && a->off == b->off;
}

static bool same_imm(const struct bpfinsn *a, const struct bpfinsn *b)
{
	return a->imm == b->imm && (a->code != BPF_CODE_LDDW || a[1].imm == b[1].imm);
}

static uint32_t shorter(const struct verify *v)
{
	return v->runs.insn_count < v->wants.insn_count ? v->runs.insn_count : v->wants.insn_count;
}

void verify_pair_by_insns(struct verify *v)
{
	for (uint32_t i = 0; i < shorter(v); i += bpfinsn_slots(v->wants.insns[i].code)) {
		const struct bpfinsn *a = &v->runs.insns[i], *b = &v->wants.insns[i];
		struct verify_map *runs, *wants;

		if (!same_shape(a, b))
			return;
		if (!is_map(b))
			continue;
		runs = verify_map_by_id(&v->runs, (uint32_t)a->imm);
		wants = verify_map_by_id(&v->wants, (uint32_t)b->imm);
		if (!runs || !wants || runs->peer || wants->peer)
			continue;
		runs->peer = wants;
		wants->peer = runs;
	}
}

/* A blinded constant is put together in a register that programs do not have. */
static bool is_blinded(const struct verify_side *side)
{
	for (uint32_t i = 0; i + 1 < side->insn_count; i++) {
		const struct bpfinsn *insn = &side->insns[i];

		if (insn->dst == REG_BLINDED && insn[1].dst == REG_BLINDED &&
		    bpfinsn_class(insn->code) == bpfinsn_class(insn[1].code) &&
		    (insn->code & 0xf8) == (BPF_OP_MOV | BPF_SOURCE_K) &&
		    (insn[1].code & 0xf8) == (BPF_OP_XOR | BPF_SOURCE_K))
			return true;
	}
	return false;
}

bool verify_can_compare(const struct verify *v)
{
	return v->runs.insns && v->wants.insns && !is_blinded(&v->runs) && !is_blinded(&v->wants);
}

/* ------------------------------------------------------------ equal enough */

static bool is_call(const struct bpfinsn *insn)
{
	return insn->code == (BPF_CLASS_JMP | BPF_OP_CALL);
}

/* Whether the kernel has hidden what is called. */
static bool hides_calls(const struct verify_side *side)
{
	bool any = false;

	for (uint32_t i = 0; i < side->insn_count; i += bpfinsn_slots(side->insns[i].code)) {
		if (!is_call(&side->insns[i]))
			continue;
		if (side->insns[i].imm)
			return false;
		any = true;
	}
	return any;
}

static uint64_t lddw_value(const struct bpfinsn *insn)
{
	return (uint64_t)(uint32_t)insn[1].imm << 32 | (uint32_t)insn->imm;
}

static bool was_loaded(const struct loaded_code *code, const struct bpfinsn *lddw)
{
	for (uint32_t i = 0; i < code->count; i += bpfinsn_slots(code->insns[i].code))
		if (code->insns[i].code == BPF_CODE_LDDW && !code->insns[i].src && same_imm(&code->insns[i], lddw))
			return true;
	return false;
}

/* An address of the kernel that the kernel itself put there. */
static bool is_own_address(const struct loaded_code *code, const struct bpfinsn *runs, const struct bpfinsn *wants)
{
	return wants->code == BPF_CODE_LDDW && !wants->src && (int64_t)lddw_value(runs) < 0 &&
	       (int64_t)lddw_value(wants) < 0 && !was_loaded(code, wants);
}

static bool same_map(const struct verify *v, const struct bpfinsn *runs, const struct bpfinsn *wants)
{
	const struct verify_map *a = verify_map_by_id(&v->runs, (uint32_t)runs->imm);
	const struct verify_map *b = verify_map_by_id(&v->wants, (uint32_t)wants->imm);

	return a && b && a->peer == b;
}

static bool is_equal(const struct verify *v, const struct loaded_code *code, const struct bpfinsn *runs,
		     const struct bpfinsn *wants)
{
	if (is_map(wants))
		return same_map(v, runs, wants) && runs[1].imm == wants[1].imm;
	return same_imm(runs, wants) || is_own_address(code, runs, wants);
}

/* ----------------------------------------------------------------- sites */

/* The site of an injectable at a slot of the loaded program, but for references to variables; or NULL. */
static const struct site *site_at(const struct verify *v, const struct link *link, uint32_t at)
{
	const struct bpfstamp_template *t = v->s->t;
	uint32_t code, insn;

	if (!link_origin(link, t, at, &code, &insn))
		return NULL;
	for (uint32_t i = 0; i < t->site_count; i++) {
		const struct site *site = &t->sites[i];

		if (site->code == code && site->insn == insn &&
		    (site->load_size || t->injectables[site->injectable].kind != BPFSTAMP_GLOBAL))
			return site;
	}
	return NULL;
}

/* The same but for where a jump goes, which dead code changes. */
static bool alike(const struct bpfinsn *a, const struct bpfinsn *b)
{
	uint8_t class = bpfinsn_class(a->code);
	bool jumps = class == BPF_CLASS_JMP || class == BPF_CLASS_JMP32;

	return a->code == b->code && a->dst == b->dst && a->src == b->src && same_imm(a, b) &&
	       (jumps || a->off == b->off);
}

static uint32_t count_alike(const struct bpfinsn *insns, uint32_t count, const struct bpfinsn *like)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i += bpfinsn_slots(insns[i].code))
		n += alike(&insns[i], like);
	return n;
}

/* The site in the loaded program that slot i of its translation comes from, or NULL. */
static const struct site *find_site(const struct verify *v, const struct loaded_code *code, uint32_t i)
{
	const struct bpfinsn *like = &v->wants.insns[i];
	uint32_t nth = count_alike(v->wants.insns, i, like), seen = 0;
	bool certain = count_alike(v->wants.insns, v->wants.insn_count, like) ==
		       count_alike(code->insns, code->count, like);
	const struct site *found = NULL;

	for (uint32_t at = 0; at < code->count; at += bpfinsn_slots(code->insns[at].code)) {
		const struct site *site;

		if (!alike(&code->insns[at], like))
			continue;
		site = site_at(v, code->link, at);
		if (certain && seen++ == nth)
			return site;
		if (!certain && (!site || (found && found->injectable != site->injectable)))
			return NULL;
		found = site;
	}
	return certain ? NULL : found;
}

/* ----------------------------------------------------------------- lines */

/* The part of a variable that a load, which is now an immediate, has read. */
struct loaded_part {
	uint32_t offset, size;
	char path[PATH_SIZE];
	struct part part;
	bool found;
};

static void find_part(const char *path, const struct part *part, void *arg)
{
	struct loaded_part *want = arg;

	if (want->found || part->bitfield || part->offset != want->offset || part->type.size != want->size ||
	    strlen(path) >= sizeof(want->path))
		return;
	strcpy(want->path, path);
	want->part = *part;
	want->found = true;
}

/* What a site is called, and its type; false where the immediate is not just the value. */
static bool name_site(const struct verify *v, const struct site *site, struct loaded_part *out)
{
	const struct bpfstamp_template *t = v->s->t;
	const struct injectable *inj = &t->injectables[site->injectable];
	const struct part whole = part_whole(inj);

	memset(out, 0, sizeof(*out));
	out->size = inj->type.size;
	if (site->load_size) {
		out->offset = site->load_image - inj->image;
		out->size = site->load_size;
		part_leaves(&whole, &t->btf, inj->name, MOST_PARTS, find_part, out);
	} else {
		find_part(inj->name, &whole, out);
	}
	out->part.offset = 0;
	return out->found && out->size <= 8 && !site->how.fn && !site->how.width &&
	       site->how.form != IMM_LDDW_LOW && site->how.form != IMM_LDDW_HIGH && site->how.form != IMM_LDDW_BOTH;
}

/* The text of an instruction; the kernel has some that no object can have. */
static void insn_text(char buf[TEXT_SIZE], const struct bpfinsn *insn)
{
	bpfinsn_text(buf, TEXT_SIZE, insn);
	if (!strcmp(buf, "<unknown>"))
		snprintf(buf, TEXT_SIZE, "code 0x%02x, registers %u and %u, off %d, imm %d", insn->code, insn->dst,
			 insn->src, insn->off, insn->imm);
}

static void tell_insns(struct verify *v, const struct site *site, uint32_t i)
{
	const struct bpfstamp_template *t = v->s->t;
	char runs[TEXT_SIZE], wants[TEXT_SIZE];
	struct bpfstamp_site place;

	insn_text(runs, &v->runs.insns[i]);
	insn_text(wants, &v->wants.insns[i]);
	if (!site) {
		verify_tell(v, "instruction %u of %s, as the kernel translated it: runs `%s`, would be `%s`", i,
			    t->funcs[v->func].name, runs, wants);
		return;
	}
	object_locate(t, site->code, site->insn, &place);
	verify_tell(v, "%s: instruction %u of %s: runs `%s`, would be `%s`", t->injectables[site->injectable].name,
		    place.insn, place.program, runs, wants);
}

static void tell_map(struct verify *v, uint32_t i)
{
	const struct bpfinsn *runs = &v->runs.insns[i], *wants = &v->wants.insns[i];
	const struct verify_map *a = verify_map_by_id(&v->runs, (uint32_t)runs->imm);
	const struct verify_map *b = verify_map_by_id(&v->wants, (uint32_t)wants->imm);

	verify_tell(v, "instruction %u of %s, as the kernel translated it: refers to map %s at %d, would be %s at %d",
		    i, v->s->t->funcs[v->func].name, a ? a->info.name : "?", runs[1].imm, b ? b->info.name : "?",
		    wants[1].imm);
}

static void tell_difference(struct verify *v, const struct loaded_code *code, uint32_t i)
{
	const struct bpfinsn *runs = &v->runs.insns[i], *wants = &v->wants.insns[i];
	const struct site *site = find_site(v, code, i);
	bool big = v->s->t->elf.big;
	uint8_t a[8] = { 0 }, b[8] = { 0 };
	struct loaded_part part;
	uint64_t meaning;

	if (is_map(wants)) {
		tell_map(v, i);
		return;
	}
	if (!site || !name_site(v, site, &part)) {
		tell_insns(v, site, i);
		return;
	}
	imm_meaning(runs, &meaning);
	value_store(a, part.size, big, meaning);
	imm_meaning(wants, &meaning);
	value_store(b, part.size, big, meaning);
	if (memcmp(a, b, part.size) != 0)
		verify_tell_part(v, part.path, &part.part, a, b);
	else
		tell_insns(v, site, i);
}

/* --------------------------------------------------------------- compare */

static void compare(struct verify *v, const struct loaded_code *code, bool explained)
{
	uint32_t count = shorter(v), i = 0, told = v->told;

	for (; i < count; i += bpfinsn_slots(v->wants.insns[i].code)) {
		if (!same_shape(&v->runs.insns[i], &v->wants.insns[i]))
			break;
		if (!is_equal(v, code, &v->runs.insns[i], &v->wants.insns[i]))
			tell_difference(v, code, i);
	}
	if (v->runs.insn_count == v->wants.insn_count && i >= count)
		return;
	if (explained || v->told > told)
		verify_tell(v, "%s: the kernel removed other dead code for these values: %u instructions run, would "
			    "be %u", v->s->t->funcs[v->func].name, v->runs.insn_count, v->wants.insn_count);
	else
		verify_tell(v, "%s: another program of that name runs, or another build of the object: %u "
			    "instructions, would be %u, and number %u is another one", v->s->t->funcs[v->func].name,
			    v->runs.insn_count, v->wants.insn_count, i);
}

static int gather(const struct verify *v, struct loaded_code *code)
{
	const struct bpfstamp_template *t = v->s->t;
	uint8_t *raw;

	code->link = atomic_load(&t->cache->links[v->func]);
	code->count = code->link->insns;
	raw = malloc((size_t)code->count * BPFINSN_SIZE);
	code->insns = calloc((size_t)code->count + 1, sizeof(*code->insns));
	if (raw && code->insns) {
		link_gather(code->link, t, v->s->image, raw);
		for (uint32_t i = 0; i < code->count; i++)
			bpfinsn_decode(raw + (size_t)i * BPFINSN_SIZE, t->elf.big, &code->insns[i]);
	}
	free(raw);
	return raw && code->insns ? 0 : -1;
}

int verify_insns(struct verify *v, bool explained, struct bpfstamp_err *err)
{
	struct loaded_code code = { 0 };

	if (gather(v, &code)) {
		free(code.insns);
		return object_no_memory(err);
	}
	compare(v, &code, explained);
	if (!v->told && (hides_calls(&v->runs) || hides_calls(&v->wants)) &&
	    memcmp(v->runs.info.tag, v->wants.info.tag, sizeof(v->wants.info.tag)) != 0)
		verify_tell(v, "%s: calls others: another tag", v->s->t->funcs[v->func].name);
	free(code.insns);
	return 0;
}
