// SPDX-License-Identifier: BSD-2-Clause
/*
 * Linking one program.
 *
 * The kernel takes a program and its subprograms as one array.  The entry
 * function comes first; a function that is called, or whose address is taken,
 * is appended when it is first met, and its own calls are followed at once,
 * depth first, which is libbpf's order.  Once all have a place, every
 * relocation in them becomes a store of a known number (calls) or a note of
 * the map whose fd goes there.
 *
 * Nothing here depends on the values of a stamp: a link is made once for a
 * template, and a stamp's program is then some memcpy and a few stores.
 * It does read the instructions' BTF.ext records: func_info only where all
 * functions have it, because the kernel wants it for all or for none.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/link.h"

enum { LINKED_MAX = 1000000 };	/* instructions: BPF_COMPLEXITY_LIMIT_INSNS, the most any kernel takes */

struct walk {		/* a function whose relocations are being followed */
	uint32_t func;
	const struct reloc *next, *end;
};

/* The first of some relocations that is not in front of a slot. */
static const struct reloc *reloc_from(const struct reloc *first, const struct reloc *end, uint32_t slot)
{
	while (first < end) {
		const struct reloc *mid = first + (end - first) / 2;

		if (mid->insn < slot)
			first = mid + 1;
		else
			end = mid;
	}
	return first;
}

void link_relocs(const struct bpfstamp_template *t, uint32_t func, const struct reloc **first,
		 const struct reloc **end)
{
	const struct func *f = &t->funcs[func];
	const struct code *c = &t->codes[f->code];
	const struct reloc *all = t->relocs + c->reloc_first;

	*first = reloc_from(all, all + c->reloc_count, f->start);
	*end = reloc_from(*first, all + c->reloc_count, f->start + f->insns);
}

static struct walk walk_of(const struct bpfstamp_template *t, uint32_t func)
{
	struct walk w = { .func = func };

	link_relocs(t, func, &w.next, &w.end);
	return w;
}

static int refuse_at(const struct bpfstamp_template *t, uint32_t code, uint32_t insn, const char *why,
		     struct bpfstamp_err *err)
{
	err_set(err, ENOTSUP, "%s: cannot load: ", t->name);
	object_hint_place(t, code, insn, err);
	return err_hint(err, ": %s", why);
}

static int check_function(const struct bpfstamp_template *t, uint32_t func, struct bpfstamp_err *err)
{
	for (struct walk w = walk_of(t, func); w.next < w.end; w.next++)
		if (w.next->kind == RELOC_REFUSED)
			return refuse_at(t, t->funcs[func].code, w.next->insn, w.next->why, err);
	return 0;
}

static int place(struct link *link, const struct bpfstamp_template *t, uint32_t func, uint32_t *at_of,
		 struct bpfstamp_err *err)
{
	if (check_function(t, func, err))
		return -1;
	if (t->funcs[func].insns > LINKED_MAX - link->insns)
		return err_set(err, E2BIG, "%s: program %s has more than %u instructions with what it calls", t->name,
			       t->funcs[link->chunks[0].func].name, LINKED_MAX);
	at_of[func] = link->insns;
	link->chunks[link->chunk_count++] = (struct link_chunk){ .func = func, .at = link->insns };
	link->insns += t->funcs[func].insns;
	return 0;
}

static bool names_function(const struct reloc *r)
{
	return r->kind == RELOC_CALL || r->kind == RELOC_FUNC;
}

/* Place a function and all that it reaches; stack has room for every function. */
static int place_reached(struct link *link, const struct bpfstamp_template *t, uint32_t func, uint32_t *at_of,
			 struct walk *stack, struct bpfstamp_err *err)
{
	uint32_t depth = 0;

	if (place(link, t, func, at_of, err))
		return -1;
	stack[depth++] = walk_of(t, func);
	while (depth) {
		struct walk *w = &stack[depth - 1];
		const struct reloc *r = w->next;

		if (r == w->end) {
			depth--;
			continue;
		}
		w->next++;
		if (!names_function(r) || at_of[r->target] != NO_INDEX)
			continue;
		if (place(link, t, r->target, at_of, err))
			return -1;
		stack[depth++] = walk_of(t, r->target);
	}
	return 0;
}

/* An exception callback is reached by no instruction, and comes last. */
static int place_all(struct link *link, const struct bpfstamp_template *t, uint32_t func, uint32_t *at_of,
		     struct walk *stack, struct bpfstamp_err *err)
{
	uint32_t exception = t->funcs[func].exception;

	if (place_reached(link, t, func, at_of, stack, err))
		return -1;
	if (exception == NO_INDEX || at_of[exception] != NO_INDEX)
		return 0;
	return place_reached(link, t, exception, at_of, stack, err);
}

static void resolve(struct link *link, const struct bpfstamp_template *t, const struct link_chunk *chunk,
		    const uint32_t *at_of)
{
	uint32_t start = t->funcs[chunk->func].start;

	for (struct walk w = walk_of(t, chunk->func); w.next < w.end; w.next++) {
		const struct reloc *r = w.next;
		uint32_t at = chunk->at + r->insn - start;

		if (names_function(r))
			link->calls[link->call_count++] = (struct link_call){
				.at = at, .src = r->kind == RELOC_CALL ? BPF_SRC_CALL : BPF_SRC_FUNC,
				.imm = (int32_t)at_of[r->target] - (int32_t)at - 1,
			};
		else if (r->kind == RELOC_MAP)
			link->maps[link->map_count++] = (struct link_map){ .at = at, .map = r->target };
		else if (r->kind == RELOC_DATA)
			link->maps[link->map_count++] = (struct link_map){
				.at = at, .map = t->datas[r->target].map, .offset = r->addend, .value = true,
			};
		else if (r->kind == RELOC_EXTERN && t->externs[r->target].kind == EXTERN_KCONFIG)
			link->maps[link->map_count++] = (struct link_map){
				.at = at, .map = t->kconfig, .offset = t->externs[r->target].offset + r->addend,
				.value = true,
			};
		else if (r->kind == RELOC_SYMBOL && !t->injectables[r->target].has_value)
			link->symbols[link->symbol_count++] = r->target;
	}
}

static int resolve_all(struct link *link, const struct bpfstamp_template *t, const uint32_t *at_of,
		       struct bpfstamp_err *err)
{
	size_t relocs = 0;

	for (uint32_t i = 0; i < link->chunk_count; i++) {
		struct walk w = walk_of(t, link->chunks[i].func);

		relocs += (size_t)(w.end - w.next);
	}
	link->calls = calloc(relocs + 1, sizeof(*link->calls));
	link->maps = calloc(relocs + 1, sizeof(*link->maps));
	link->symbols = calloc(relocs + 1, sizeof(*link->symbols));
	if (!link->calls || !link->maps || !link->symbols)
		return object_no_memory(err);
	for (uint32_t i = 0; i < link->chunk_count; i++)
		resolve(link, t, &link->chunks[i], at_of);
	return 0;
}

static int make_func_info(struct link *link, const struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	for (uint32_t i = 0; i < link->chunk_count; i++)
		if (!t->funcs[link->chunks[i].func].btf)
			return 0;
	link->func_info = calloc(link->chunk_count, sizeof(*link->func_info));
	if (!link->func_info)
		return object_no_memory(err);
	for (uint32_t i = 0; i < link->chunk_count; i++)
		link->func_info[i] = (struct bpf_func_info){ .insn_off = link->chunks[i].at,
							     .type_id = t->funcs[link->chunks[i].func].btf };
	link->func_info_count = link->chunk_count;
	return 0;
}

/* Copy the line records of one function, moved to where it stands now. */
static void add_lines(struct link *link, const struct bpfstamp_template *t, const struct link_chunk *chunk)
{
	const struct func *f = &t->funcs[chunk->func];
	const struct code *c = &t->codes[f->code];
	struct object_records lines = object_records(t, f, &c->lines);
	struct bpf_line_info *last = NULL;

	for (uint32_t i = lines.first; i < lines.end; i++) {
		const uint8_t *raw = btf_ext_record(&c->lines, i);
		uint32_t insn = object_moved(c, bytes_get32(raw, t->ext.big) / BPFINSN_SIZE) - f->start + chunk->at;

		if (!last || last->insn_off != insn)	/* else its instruction is gone, and this one stands there */
			last = &link->line_info[link->line_info_count++];
		*last = (struct bpf_line_info){
			.insn_off = insn,
			.file_name_off = bytes_get32(raw + 4, t->ext.big),
			.line_off = bytes_get32(raw + 8, t->ext.big),
			.line_col = bytes_get32(raw + 12, t->ext.big),
		};
	}
}

static int make_line_info(struct link *link, const struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	size_t room = 0;

	for (uint32_t i = 0; i < link->chunk_count; i++) {
		const struct func *f = &t->funcs[link->chunks[i].func];
		struct object_records lines = object_records(t, f, &t->codes[f->code].lines);

		room += lines.end - lines.first;
	}
	link->line_info = calloc(room + 1, sizeof(*link->line_info));
	if (!link->line_info)
		return object_no_memory(err);
	for (uint32_t i = 0; i < link->chunk_count; i++)
		add_lines(link, t, &link->chunks[i]);
	return 0;
}

int link_program(struct link **out, const struct bpfstamp_template *t, uint32_t f, struct bpfstamp_err *err)
{
	struct link *link = calloc(1, sizeof(*link));
	struct walk *stack = calloc(t->func_count, sizeof(*stack));
	uint32_t *at_of = malloc(t->func_count * sizeof(*at_of));
	int ret = -1;

	if (!link || !stack || !at_of || !(link->chunks = calloc(t->func_count, sizeof(*link->chunks)))) {
		object_no_memory(err);
		goto out;
	}
	memset(at_of, 0xff, t->func_count * sizeof(*at_of));
	if (place_all(link, t, f, at_of, stack, err) || resolve_all(link, t, at_of, err) ||
	    link_kernel(link, t, err))
		goto out;
	if (t->ext.data && (make_func_info(link, t, err) || make_line_info(link, t, err)))
		goto out;
	*out = link;
	ret = 0;
out:
	free(stack);
	free(at_of);
	if (ret)
		link_free(link);
	return ret;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	free(link->chunks);
	free(link->calls);
	free(link->maps);
	free(link->symbols);
	free(link->patches);
	free(link->btf_fds);
	free(link->func_info);
	free(link->line_info);
	free(link);
}

bool link_has_map(const struct link *link, uint32_t map)
{
	for (uint32_t i = 0; i < link->map_count; i++)
		if (link->maps[i].map == map)
			return true;
	return false;
}

void link_gather(const struct link *link, const struct bpfstamp_template *t, const uint8_t *image, uint8_t *insns)
{
	for (uint32_t i = 0; i < link->chunk_count; i++) {
		const struct func *f = &t->funcs[link->chunks[i].func];

		memcpy(insns + (size_t)link->chunks[i].at * BPFINSN_SIZE,
		       image + object_insn_at(t, f->code, f->start), (size_t)f->insns * BPFINSN_SIZE);
	}
	for (uint32_t i = 0; i < link->call_count; i++) {
		uint8_t *raw = insns + (size_t)link->calls[i].at * BPFINSN_SIZE;
		struct bpfinsn insn;

		bpfinsn_decode(raw, t->elf.big, &insn);
		insn.src = link->calls[i].src;
		insn.imm = link->calls[i].imm;
		bpfinsn_encode(raw, t->elf.big, &insn);
	}
	for (uint32_t i = 0; i < link->patch_count; i++)
		for (uint32_t slot = 0; slot < link->patches[i].slots; slot++)
			bpfinsn_encode(insns + ((size_t)link->patches[i].at + slot) * BPFINSN_SIZE, t->elf.big,
				       &link->patches[i].insn[slot]);
}

bool link_origin(const struct link *link, const struct bpfstamp_template *t, uint32_t at, uint32_t *code,
		 uint32_t *insn)
{
	for (uint32_t i = 0; i < link->chunk_count; i++) {
		const struct func *f = &t->funcs[link->chunks[i].func];

		if (at >= link->chunks[i].at && at - link->chunks[i].at < f->insns) {
			*code = f->code;
			*insn = at - link->chunks[i].at + f->start;
			return true;
		}
	}
	return false;
}
