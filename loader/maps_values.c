// SPDX-License-Identifier: BSD-2-Clause
/*
 * What BTF-defined maps start with.  An initializer `.values = { [k] = &x }`
 * makes the variable longer than its type, and leaves a relocation at element
 * k, 8 bytes each:
 *
 *   variable:  | type | max_entries | … | values[0] | values[1] | …
 *                                          S + A       S + A
 *
 * S + A is the place of another map's variable, or the start of a program;
 * the addend stands in the element where the relocation is REL.  libbpf goes
 * by the symbol's name instead, and cannot have maps that are static.  A map
 * that is declared extern has no place, and is known by its symbol.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdlib.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/maps.h"

enum { POINTER = 8 };

static int by_start(const void *a, const void *b)
{
	const struct maps_variable *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->map < y->map ? -1 : x->map > y->map;
}

/* The variable that a byte of the section belongs to, or NULL. */
static const struct maps_variable *variable_at(const struct maps_variables *vars, uint64_t offset)
{
	uint32_t low = 0, high = vars->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (vars->all[mid].start <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low && offset < vars->all[low - 1].end ? &vars->all[low - 1] : NULL;
}

/* The map, or the program, that a relocation of a map's values means. */
static uint32_t find_target(const struct bpfstamp_template *t, bool programs, uint32_t symbol, uint64_t addend)
{
	uint32_t section, code, f;
	struct elf64_symbol sym;
	uint64_t offset;

	elf64_symbol(&t->elf, symbol, &sym);
	section = sym.section;
	offset = sym.value + addend;
	if (!programs && section == ELF64_SHN_UNDEF && !addend) {
		for (uint32_t i = t->data_count; i < t->map_count; i++)
			if (t->maps[i].symbol == symbol)
				return i;
	} else if (!programs) {
		return maps_at(t, section, offset);
	} else if (section < t->elf.section_count && (code = t->code_of[section]) != NO_INDEX &&
		   offset % BPFINSN_SIZE == 0 && offset / BPFINSN_SIZE < t->codes[code].insns) {
		f = object_func_at(t, code, (uint32_t)(offset / BPFINSN_SIZE));
		if (f != NO_INDEX && t->funcs[f].start == offset / BPFINSN_SIZE)
			return f;
	}
	return NO_INDEX;
}

static int add_value(struct bpfstamp_template *t, const struct maps_variables *vars, const struct elf64_section *maps,
		     const struct elf64_reloc *rel, bool rela, struct bpfstamp_err *err)
{
	const struct maps_variable *v = variable_at(vars, rel->offset);
	uint64_t addend = (uint64_t)rel->addend, at;
	struct elf64_symbol sym;
	const struct map *m;
	uint32_t target;
	bool programs;

	if (!v || !maps->bytes || v->end - rel->offset < POINTER || maps->size - rel->offset < POINTER)
		return err_set(err, EINVAL, "%s: section .maps: a relocation at byte 0x%" PRIx64 ", where no map is",
			       t->name, rel->offset);
	m = &t->maps[v->map];
	at = rel->offset - v->start;
	if (v->values == MAPS_NO_VALUES || at < (uint64_t)v->values)
		return maps_malformed(t, m, "its definition", "has a relocation outside of values", err);
	at -= (uint64_t)v->values;
	if (at % POINTER)
		return maps_malformed(t, m, "values", "have a relocation that is not at an element", err);
	if (at / POINTER > UINT32_MAX)
		return maps_malformed(t, m, "values", "are more than 32 bits can count", err);
	if (!rela)
		addend = bytes_get64(maps->bytes + rel->offset, t->elf.big);
	programs = m->type == BPF_MAP_TYPE_PROG_ARRAY;
	target = find_target(t, programs, rel->symbol, addend);
	elf64_symbol(&t->elf, rel->symbol, &sym);
	if (target == NO_INDEX)
		return err_set(err, EINVAL, "%s: map %s: slot %u holds %s, which is no %s", t->name, m->name,
			       (uint32_t)(at / POINTER), *sym.name ? sym.name : "an address",
			       programs ? "program" : "map");
	return maps_add_slot(t, v->map, (uint32_t)(at / POINTER), target, err);
}

int maps_values_collect(struct bpfstamp_template *t, uint32_t section, struct maps_variables *vars,
			struct bpfstamp_err *err)
{
	struct elf64_section maps, s;

	if (!vars->count)
		return 0;
	qsort(vars->all, vars->count, sizeof(*vars->all), by_start);
	elf64_section(&t->elf, section, &maps);
	for (uint32_t i = 1; i < t->elf.section_count; i++) {
		elf64_section(&t->elf, i, &s);
		if (s.info != section || (s.type != ELF64_SHT_REL && s.type != ELF64_SHT_RELA))
			continue;
		for (uint64_t k = 0; k < elf64_reloc_count(&t->elf, i); k++) {
			struct elf64_reloc rel;

			elf64_reloc(&t->elf, i, k, &rel);
			if (rel.type && add_value(t, vars, &maps, &rel, s.type == ELF64_SHT_RELA, err))
				return -1;
		}
	}
	return 0;
}
