// SPDX-License-Identifier: BSD-2-Clause
/*
 * Relocations of code: which instruction refers to what.
 *
 * The BPF ABI (llvm: docs/BPF relocations; kernel: Documentation/bpf/
 * llvm_reloc.rst) has few of them, and S + A means:
 *
 *   lddw          A is the imm of its first slot (REL), S + A an offset into
 *                 the section of S: a variable, a map definition, a function
 *   call          S + A counts instructions: S / 8 + imm + 1, where a call of
 *                 a global function has imm -1, and one of a static function
 *                 goes through the section symbol and has its place in imm
 *
 * Whether a relocation is of the one or of the other kind is told by the
 * instruction, not by its type, of which compilers have used several.  A call
 * inside one section needs no relocation: it is entered here as well, so that
 * the linker meets all calls in one list.
 *
 * What cannot be loaded becomes RELOC_REFUSED with the reason.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "loader/err.h"
#include "loader/template.h"

static bool is_lddw(const struct bpfinsn *insn)
{
	return insn->code == BPF_CODE_LDDW;
}

static bool is_call(const struct bpfinsn *insn)
{
	return insn->code == (BPF_CLASS_JMP | BPF_OP_CALL);
}

static void refuse(struct reloc *r, const char *why)
{
	r->kind = RELOC_REFUSED;
	r->why = why;
}

/* The function that begins at a slot. */
static bool find_start(const struct bpfstamp_template *t, uint32_t code, int64_t slot, uint32_t *func)
{
	if (slot < 0 || slot >= t->codes[code].insns)
		return false;
	*func = object_func_at(t, code, (uint32_t)slot);
	return *func != NO_INDEX && t->funcs[*func].start == slot;
}

/* What the object's BTF declares: a map that is pinned already, or something of the kernel's. */
static bool resolve_extern(struct bpfstamp_template *t, struct reloc *r, const struct bpfinsn *insn, int64_t addend)
{
	for (uint32_t i = t->data_count; i < t->map_count; i++) {
		if (t->maps[i].external && t->maps[i].symbol == r->symbol) {
			*r = (struct reloc){ .kind = RELOC_MAP, .code = r->code, .insn = r->insn, .target = i,
					     .symbol = r->symbol };
			return true;
		}
	}
	for (uint32_t i = 0; i < t->extern_count; i++) {
		const struct external *ext = &t->externs[i];

		if (ext->symbol != r->symbol)
			continue;
		r->kind = RELOC_EXTERN;
		r->target = i;
		r->addend = (uint32_t)addend;
		if (is_call(insn) && ext->kind != EXTERN_FUNCTION)
			refuse(r, "it calls a variable of the kernel");
		else if (!is_call(insn) && addend &&
			 (ext->kind != EXTERN_KCONFIG || addend < 0 || addend >= ext->size))
			refuse(r, "it adds a number to the address of a kernel symbol, which is not supported");
		return true;
	}
	return false;
}

static void resolve_undefined(struct bpfstamp_template *t, struct reloc *r, const struct bpfinsn *insn,
			      int64_t addend)
{
	if (resolve_extern(t, r, insn, addend))
		return;
	if (is_call(insn)) {
		refuse(r, "it calls a function that neither the object defines, nor its BTF declares as one of the "
		       "kernel's");
		return;
	}
	if (addend) {
		refuse(r, "it adds a number to an undefined symbol, which is not supported");
		return;
	}
	for (uint32_t i = t->global_count; i < t->injectable_count; i++) {
		if (t->injectables[i].kind == BPFSTAMP_SYMBOL && t->injectables[i].symbol == r->symbol) {
			r->kind = RELOC_SYMBOL;
			r->target = i;
			return;
		}
	}
	refuse(r, "it refers to an undefined symbol that is not declared in the object's BTF");
}

static void resolve_map(struct bpfstamp_template *t, struct reloc *r, uint32_t section, int64_t offset)
{
	struct elf64_section s;

	for (uint32_t i = t->data_count; i < t->map_count; i++) {
		if (t->maps[i].elf_section == section && t->maps[i].offset == offset) {
			r->kind = RELOC_MAP;
			r->target = i;
			return;
		}
	}
	elf64_section(&t->elf, section, &s);
	refuse(r, !strncmp(s.name, ".addr_space.", 12) ?
	       "it refers to a variable in an arena, which is not supported" :
		  "it refers to a section that is neither data, nor maps, nor code");
}

static void resolve_lddw(struct bpfstamp_template *t, struct reloc *r, const struct elf64_symbol *sym, int64_t addend)
{
	int64_t offset = (int64_t)(sym->value + (uint64_t)addend);	/* no data: any size */
	uint32_t data = t->data_of[sym->section], code = t->code_of[sym->section];

	if (data != NO_INDEX) {
		if (offset < 0 || offset >= t->datas[data].size) {
			refuse(r, "it refers to an address outside its data section");
			return;
		}
		r->kind = RELOC_DATA;
		r->target = data;
		r->addend = (uint32_t)offset;
	} else if (code != NO_INDEX) {
		r->kind = RELOC_FUNC;
		if (offset % BPFINSN_SIZE || !find_start(t, code, offset / BPFINSN_SIZE, &r->target))
			refuse(r, "it takes the address of code that is not the start of a function");
	} else {
		/* A map's own symbol says it all: gcc's assembler writes its value into the instruction as well. */
		resolve_map(t, r, sym->section, sym->type == ELF64_STT_SECTION ? offset : (int64_t)sym->value);
	}
}

static void resolve_call(struct bpfstamp_template *t, struct reloc *r, const struct elf64_symbol *sym, int64_t imm)
{
	uint32_t code = t->code_of[sym->section];

	r->kind = RELOC_CALL;
	if (code == NO_INDEX || sym->value % BPFINSN_SIZE ||
	    !find_start(t, code, (int64_t)(sym->value / BPFINSN_SIZE) + imm + 1, &r->target))
		refuse(r, "it calls code that is not the start of a function");
}

static int add_reloc(struct bpfstamp_template *t, uint32_t code, uint32_t rel_section, uint32_t rel_type,
		     uint64_t index, struct bpfstamp_err *err)
{
	struct reloc *r = &t->relocs[t->reloc_count];
	struct elf64_symbol sym;
	struct elf64_reloc rel;
	struct bpfinsn insn;
	uint32_t at;
	int64_t addend;

	elf64_reloc(&t->elf, rel_section, index, &rel);
	if (!rel.type)
		return 0;
	if (rel.offset % BPFINSN_SIZE || rel.offset / BPFINSN_SIZE >= t->codes[code].insns)
		return err_set(err, EINVAL, "%s: section %s: relocation %" PRIu64 " is not at an instruction",
			       t->name, t->codes[code].name, index);
	*r = (struct reloc){ .code = code, .insn = (uint32_t)(rel.offset / BPFINSN_SIZE), .symbol = rel.symbol };
	at = object_insn_at(t, code, r->insn);
	bpfinsn_decode(t->image + at, t->elf.big, &insn);
	if (!bpfinsn_starts(t->starts, at / BPFINSN_SIZE) || (!is_lddw(&insn) && !is_call(&insn)))
		return err_set(err, EINVAL, "%s: section %s: instruction %u: a relocation of what is neither lddw "
			       "nor call", t->name, t->codes[code].name, r->insn);
	t->reloc_count++;

	addend = rel_type == ELF64_SHT_RELA ? rel.addend : insn.imm;
	if (addend != (int32_t)addend) {
		refuse(r, "its relocation has an addend of more than 32 bits");
		return 0;
	}
	elf64_symbol(&t->elf, rel.symbol, &sym);
	if (sym.section == ELF64_SHN_UNDEF)
		resolve_undefined(t, r, &insn, addend);
	else if (sym.section >= t->elf.section_count)
		refuse(r, "it refers to an absolute or common symbol");
	else if (is_call(&insn))
		resolve_call(t, r, &sym, addend);
	else
		resolve_lddw(t, r, &sym, addend);
	return 0;
}

static int by_insn(const void *a, const void *b)
{
	const struct reloc *x = a, *y = b;

	return x->insn < y->insn ? -1 : x->insn > y->insn;
}

/* Enter the calls of a section that need no relocation. */
static void add_resolved_calls(struct bpfstamp_template *t, uint32_t code)
{
	uint32_t known = t->codes[code].reloc_count;

	for (uint32_t i = 0; i < t->codes[code].insns; i++) {
		uint32_t at = object_insn_at(t, code, i);
		struct bpfinsn insn;
		struct reloc *r;

		bpfinsn_decode(t->image + at, t->elf.big, &insn);
		if (!is_call(&insn) || insn.src != BPF_SRC_CALL || !bpfinsn_starts(t->starts, at / BPFINSN_SIZE) ||
		    (known && object_reloc_at(t, code, i)))
			continue;
		r = &t->relocs[t->reloc_count++];
		*r = (struct reloc){ .kind = RELOC_CALL, .code = code, .insn = i };
		if (!find_start(t, code, (int64_t)i + insn.imm + 1, &r->target))
			refuse(r, "it calls code that is not the start of a function");
	}
	t->codes[code].reloc_count = t->reloc_count - t->codes[code].reloc_first;
}

static void sort_relocs(struct bpfstamp_template *t, struct code *c)
{
	c->reloc_count = t->reloc_count - c->reloc_first;
	qsort(t->relocs + c->reloc_first, c->reloc_count, sizeof(*t->relocs), by_insn);
}

static int collect_code(struct bpfstamp_template *t, uint32_t code, struct bpfstamp_err *err)
{
	struct code *c = &t->codes[code];

	c->reloc_first = t->reloc_count;
	for (uint32_t i = 1; i < t->elf.section_count; i++) {
		struct elf64_section s;

		elf64_section(&t->elf, i, &s);
		if (s.info != c->section || (s.type != ELF64_SHT_REL && s.type != ELF64_SHT_RELA))
			continue;
		for (uint64_t k = 0; k < elf64_reloc_count(&t->elf, i); k++)
			if (add_reloc(t, code, i, s.type, k, err))
				return -1;
	}
	sort_relocs(t, c);
	for (uint32_t i = 1; i < c->reloc_count; i++)
		if (t->relocs[c->reloc_first + i].insn == t->relocs[c->reloc_first + i - 1].insn)
			return err_set(err, EINVAL, "%s: section %s: instruction %u: two relocations of one "
				       "instruction", t->name, c->name, t->relocs[c->reloc_first + i].insn);
	add_resolved_calls(t, code);
	sort_relocs(t, c);
	return 0;
}

int relocs_collect(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	uint64_t room = t->image_size / BPFINSN_SIZE + 1;	/* calls that need no relocation */

	for (uint32_t i = 1; i < t->elf.section_count; i++)
		room += elf64_reloc_count(&t->elf, i);
	t->relocs = calloc(room, sizeof(*t->relocs));
	if (!t->relocs)
		return object_no_memory(err);
	for (uint32_t code = 0; code < t->code_count; code++)
		if (collect_code(t, code, err))
			return -1;
	return 0;
}
