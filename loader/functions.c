// SPDX-License-Identifier: BSD-2-Clause
/*
 * Functions of an object: which slots of which code section they are, whether
 * they can be loaded by themselves, and where in the source they came from.
 *
 * A function is a symbol of type STT_FUNC.  Functions do not overlap, and begin
 * and end on an instruction; what lies between two of them (padding, dead
 * code) belongs to none.  Kept sorted by place, so that an instruction finds
 * its function, relocation and source line by bisection.
 */
#define _GNU_SOURCE	/* memmem */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/kbtf.h"
#include "loader/sectype.h"
#include "loader/template.h"

static int by_place(const void *a, const void *b)
{
	const struct func *f = a, *g = b;

	if (f->code != g->code)
		return f->code < g->code ? -1 : 1;
	return f->start < g->start ? -1 : f->start > g->start;
}

static bool starts_at(const struct bpfstamp_template *t, uint32_t code, uint64_t slot)
{
	return slot == t->codes[code].insns ||
	       (slot < t->codes[code].insns &&
		bpfinsn_starts(t->starts, (uint32_t)(t->codes[code].image / BPFINSN_SIZE + slot)));
}

static int add_function(struct bpfstamp_template *t, const struct elf64_symbol *sym, uint32_t code,
			struct bpfstamp_err *err)
{
	struct func *f = &t->funcs[t->func_count];
	uint64_t start = sym->value / BPFINSN_SIZE, end = (sym->value + sym->size) / BPFINSN_SIZE;

	if (sym->value % BPFINSN_SIZE || sym->size % BPFINSN_SIZE || !sym->size || !starts_at(t, code, start) ||
	    !starts_at(t, code, end))
		return err_set(err, EINVAL, "%s: function %s does not begin and end on an instruction of section %s",
			       t->name, sym->name, t->codes[code].name);
	*f = (struct func){ .name = sym->name, .code = code, .start = (uint32_t)start,
			    .insns = (uint32_t)(end - start), .entry = sym->bind != ELF64_STB_LOCAL,
			    .exception = NO_INDEX };
	f->optional = t->codes[code].name[0] == '?';
	sectype_find(t->codes[code].name, &f->prog_type, &f->attach_type, &f->prog_flags);
	t->func_count++;
	return 0;
}

/* Compilers before LLVM 9 gave functions no type and no size: the section is the function. */
static int add_sections_without_functions(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	uint32_t found = t->func_count;

	for (uint32_t c = 0; c < t->code_count; c++) {
		struct elf64_symbol whole = { .name = t->codes[c].name, .bind = ELF64_STB_GLOBAL,
					      .size = (uint64_t)t->codes[c].insns * BPFINSN_SIZE };
		bool has = false;

		for (uint32_t i = 0; i < found && !has; i++)
			has = t->funcs[i].code == c;
		for (uint32_t i = 1; i < t->elf.symbol_count && !has; i++) {
			struct elf64_symbol sym;

			elf64_symbol(&t->elf, i, &sym);
			if (sym.section == t->codes[c].section && sym.bind == ELF64_STB_GLOBAL && sym.value == 0)
				whole.name = sym.name;
		}
		if (!has && add_function(t, &whole, c, err))
			return -1;
	}
	return 0;
}

/* Two symbols of one range are one function; the first that can be loaded gives its name. */
static void drop_aliases(struct bpfstamp_template *t)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < t->func_count; i++) {
		struct func *last = kept ? &t->funcs[kept - 1] : NULL;

		if (!last || last->code != t->funcs[i].code || last->start != t->funcs[i].start ||
		    last->insns != t->funcs[i].insns)
			t->funcs[kept++] = t->funcs[i];
		else if (!last->entry)
			*last = t->funcs[i];
	}
	t->func_count = kept;
}

static int check_overlaps(const struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	for (uint32_t i = 1; i < t->func_count; i++) {
		const struct func *a = &t->funcs[i - 1], *b = &t->funcs[i];

		if (a->code == b->code && b->start < a->start + a->insns)
			return err_set(err, EINVAL, "%s: functions %s and %s of section %s overlap", t->name, a->name,
				       b->name, t->codes[a->code].name);
	}
	return 0;
}

/*
 * As in libbpf, what is in .text can be called but is no program by itself,
 * unless the object has nothing else.
 */
static void demote_text(struct bpfstamp_template *t)
{
	bool others = false;

	for (uint32_t i = 0; i < t->func_count; i++)
		others |= t->funcs[i].entry && strcmp(t->codes[t->funcs[i].code].name, ".text") != 0;
	for (uint32_t i = 0; others && i < t->func_count; i++)
		if (!strcmp(t->codes[t->funcs[i].code].name, ".text"))
			t->funcs[i].entry = false;
}

static void note_function_types(struct bpfstamp_template *t)
{
	for (uint32_t c = 0; c < t->code_count; c++) {
		for (uint32_t i = 0; i < t->codes[c].funcs.count; i++) {
			struct btf_func_info info;
			uint32_t f;

			btf_ext_func(&t->ext, &t->codes[c].funcs, i, &info);
			f = object_func_at(t, c, info.insn_off / BPFINSN_SIZE);
			if (f != NO_INDEX && t->funcs[f].start == info.insn_off / BPFINSN_SIZE)
				t->funcs[f].btf = info.type;
		}
	}
}

/*
 * A program names its exception callback, which no instruction refers to, by a
 * DECL_TAG.  The strings tell whether there is any.
 */
static void note_exceptions(struct bpfstamp_template *t)
{
	static const char tag[] = "exception_callback:";
	struct btf_type type, func;

	if (!memmem(t->btf.strings, t->btf.str_len, tag, sizeof(tag) - 1))
		return;
	for (uint32_t id = 1; id < t->btf.type_count; id++) {
		struct func *program = NULL;
		uint32_t callback = NO_INDEX;

		btf_type(&t->btf, id, &type);
		if (type.kind != BTF_DECL_TAG || type.component != -1 ||
		    strncmp(type.name, tag, sizeof(tag) - 1) != 0)
			continue;
		btf_type(&t->btf, type.type, &func);
		for (uint32_t i = 0; i < t->func_count; i++) {
			if (t->funcs[i].btf == type.type)
				program = &t->funcs[i];
			if (!strcmp(t->funcs[i].name, type.name + sizeof(tag) - 1))
				callback = i;
		}
		if (func.kind == BTF_FUNC && program)
			program->exception = callback;
	}
}

static void attach_ext(struct bpfstamp_template *t)
{
	for (int part = BTF_EXT_FUNC; part <= BTF_EXT_CORE; part++) {
		struct btf_ext_section s = { 0 };

		while (btf_ext_next(&t->ext, (enum btf_ext_part)part, &s)) {
			uint32_t section = elf64_find(&t->elf, s.name);
			uint32_t code = section ? t->code_of[section] : NO_INDEX;

			if (code == NO_INDEX)
				continue;
			if (part == BTF_EXT_FUNC)
				t->codes[code].funcs = s;
			else if (part == BTF_EXT_LINE)
				t->codes[code].lines = s;
			else
				t->codes[code].cores = s;
		}
	}
}

int functions_collect(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	t->funcs = calloc((size_t)t->elf.symbol_count + t->code_count + 1, sizeof(*t->funcs));
	if (!t->funcs)
		return object_no_memory(err);
	for (uint32_t i = 1; i < t->elf.symbol_count; i++) {
		struct elf64_symbol sym;

		elf64_symbol(&t->elf, i, &sym);
		if (sym.type != ELF64_STT_FUNC || sym.section >= t->elf.section_count)
			continue;
		if (t->code_of[sym.section] != NO_INDEX && add_function(t, &sym, t->code_of[sym.section], err))
			return -1;
	}
	if (add_sections_without_functions(t, err))
		return -1;
	qsort(t->funcs, t->func_count, sizeof(*t->funcs), by_place);
	drop_aliases(t);
	if (check_overlaps(t, err))
		return -1;
	demote_text(t);
	if (t->ext.data) {
		attach_ext(t);
		note_function_types(t);
		note_exceptions(t);
	}
	t->cache = calloc(1, sizeof(*t->cache) + t->func_count * sizeof(t->cache->links[0]));
	if (!t->cache)
		return object_no_memory(err);
	pthread_mutex_init(&t->cache->lock, NULL);
	t->cache->btf_fd = KBTF_UNTRIED;
	return 0;
}

uint32_t object_func_at(const struct bpfstamp_template *t, uint32_t code, uint32_t insn)
{
	uint32_t low = 0, high = t->func_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct func *f = &t->funcs[mid];

		if (f->code < code || (f->code == code && f->start + f->insns <= insn))
			low = mid + 1;
		else
			high = mid;
	}
	if (low < t->func_count && t->funcs[low].code == code && t->funcs[low].start <= insn)
		return low;
	return NO_INDEX;
}

uint32_t object_moved(const struct code *c, uint32_t object_insn)
{
	if (!c->moved)
		return object_insn;
	return c->moved[object_insn < c->object_insns ? object_insn : c->object_insns];
}

uint32_t object_origin(const struct code *c, uint32_t insn)
{
	uint32_t low = 0, high = c->object_insns;

	if (!c->moved)
		return insn;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (c->moved[mid] <= insn)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? low - 1 : 0;
}

const struct reloc *object_reloc_at(const struct bpfstamp_template *t, uint32_t code, uint32_t insn)
{
	uint32_t low = t->codes[code].reloc_first, end = low + t->codes[code].reloc_count, high = end;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (t->relocs[mid].insn < insn)
			low = mid + 1;
		else
			high = mid;
	}
	return low < end && t->relocs[low].insn == insn ? &t->relocs[low] : NULL;
}

/*
 * The first of the records of BTF.ext for a section that is not in front of a
 * slot, or their number: all begin with the offset that their instruction had
 * in the object.
 */
static uint32_t record_from(const struct code *c, const struct btf_ext_section *s, bool big, uint32_t slot)
{
	uint32_t first = 0, end = s->count;

	while (first < end) {
		uint32_t mid = first + (end - first) / 2;

		if (object_moved(c, bytes_get32(btf_ext_record(s, mid), big) / BPFINSN_SIZE) < slot)
			first = mid + 1;
		else
			end = mid;
	}
	return first;
}

struct object_records object_records(const struct bpfstamp_template *t, const struct func *f,
				     const struct btf_ext_section *of)
{
	const struct code *c = &t->codes[f->code];

	return (struct object_records){ .first = record_from(c, of, t->ext.big, f->start),
					.end = record_from(c, of, t->ext.big, f->start + f->insns) };
}

uint32_t object_core_at(const struct bpfstamp_template *t, uint32_t code, uint32_t insn)
{
	const struct code *c = &t->codes[code];
	uint32_t i = record_from(c, &c->cores, t->ext.big, insn);
	struct btf_core_relo relo;

	if (i == c->cores.count)
		return NO_INDEX;
	btf_ext_core(&t->ext, &c->cores, i, &relo);
	return object_moved(c, relo.insn_off / BPFINSN_SIZE) == insn ? i : NO_INDEX;
}

void object_locate(const struct bpfstamp_template *t, uint32_t code, uint32_t insn, struct bpfstamp_site *out)
{
	const struct code *c = &t->codes[code];
	uint32_t f = object_func_at(t, code, insn), low = 0, high = c->lines.count, origin = object_origin(c, insn);
	struct btf_line_info line;

	*out = (struct bpfstamp_site){ .program = c->name, .insn = insn };
	if (f != NO_INDEX) {
		out->program = t->funcs[f].name;
		out->insn = insn - t->funcs[f].start;
	}
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		btf_ext_line(&t->ext, &c->lines, mid, &line);
		if (line.insn_off / BPFINSN_SIZE <= origin)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return;
	btf_ext_line(&t->ext, &c->lines, low - 1, &line);
	if (f != NO_INDEX && object_moved(c, line.insn_off / BPFINSN_SIZE) < t->funcs[f].start)
		return;
	out->file = line.file;
	out->line = line.line;
}

int object_hint_place(const struct bpfstamp_template *t, uint32_t code, uint32_t insn, struct bpfstamp_err *err)
{
	struct bpfstamp_site at;

	object_locate(t, code, insn, &at);
	err_hint(err, "instruction %u of %s", at.insn, at.program);
	if (at.file)
		err_hint(err, " (%s:%u)", at.file, at.line);
	return -1;
}

void object_decode(const struct bpfstamp_template *t, const uint8_t *image, uint32_t code, uint32_t insn,
		   struct bpfinsn two[2])
{
	const uint8_t *raw = image + object_insn_at(t, code, insn);

	two[1] = (struct bpfinsn){ 0 };
	bpfinsn_decode(raw, t->elf.big, &two[0]);
	if (bpfinsn_slots(two[0].code) == 2)
		bpfinsn_decode(raw + BPFINSN_SIZE, t->elf.big, &two[1]);
}
