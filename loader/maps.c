// SPDX-License-Identifier: BSD-2-Clause
/*
 * Maps of an object, from the three ways to declare one:
 *
 * - a data section is an array map of one element, whose value is the section;
 * - BTF-defined maps are variables in .maps (maps_btf.c);
 * - legacy maps are variables in the section `maps` (maps_legacy.c).
 *
 * A definition that contradicts itself makes the object invalid.  One that
 * asks for what this loader cannot make is noted (map->refused), and refused
 * by the load of what uses the map: the object can still be inspected and
 * patched.  Among these are what stands in the sections .struct_ops*, where
 * each variable is a map of its own, and .addr_space.1, whose variables live
 * in an arena.
 *
 * Maps that hold maps, and prog arrays, may start with values (map_slots).
 * Whichever way they are declared, the rules are those of the kernel: a key
 * is a u32 below the number of entries, or any for a hash; and what a map of
 * maps holds are not such maps themselves, which also rules out cycles.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "loader/err.h"
#include "loader/maps.h"

int maps_malformed(const struct bpfstamp_template *t, const struct map *m, const char *field, const char *why,
		   struct bpfstamp_err *err)
{
	return err_set(err, EINVAL, "%s: map %s: %s %s", t->name, m->name, field, why);
}

bool maps_of_maps(uint32_t type)
{
	return type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

struct map *maps_add(struct bpfstamp_template *t, uint32_t symbol, const char *section)
{
	struct map *m = &t->maps[t->map_count++];
	struct elf64_symbol sym;

	elf64_symbol(&t->elf, symbol, &sym);
	*m = (struct map){ .name = sym.name, .section = section, .elf_section = sym.section, .symbol = symbol,
			   .offset = (uint32_t)sym.value, .data = NO_INDEX, .inner = NO_INDEX };
	return m;
}

uint32_t maps_at(const struct bpfstamp_template *t, uint32_t section, uint64_t offset)
{
	for (uint32_t i = t->data_count; section && i < t->map_count; i++)
		if (t->maps[i].elf_section == section && t->maps[i].offset == offset)
			return i;
	return NO_INDEX;
}

static void add_data_maps(struct bpfstamp_template *t)
{
	for (uint32_t i = 0; i < t->data_count; i++) {
		struct data *d = &t->datas[i];

		d->map = t->map_count;
		t->maps[t->map_count++] = (struct map){
			.name = d->name, .section = d->name, .elf_section = d->section, .data = i, .inner = NO_INDEX,
			.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = d->size, .max_entries = 1,
			.flags = d->readonly ? BPF_F_RDONLY_PROG : 0,
			.btf_value = t->btf.type_count ? btf_find(&t->btf, BTF_DATASEC, d->name) : 0,
		};
	}
}

/* ------------------------------------------------- what cannot be created */

static bool is_struct_ops(const char *section)
{
	section += *section == '?';
	return !strcmp(section, ".struct_ops") || !strncmp(section, ".struct_ops.", 12);
}

static void add_struct_ops(struct bpfstamp_template *t, uint32_t section, const char *name)
{
	for (uint32_t i = 1; i < t->elf.symbol_count; i++) {
		struct elf64_symbol sym;
		struct map *m;

		elf64_symbol(&t->elf, i, &sym);
		if (sym.section != section || sym.type != ELF64_STT_OBJECT || !*sym.name)
			continue;
		m = maps_add(t, i, name);
		m->type = BPF_MAP_TYPE_STRUCT_OPS;
		m->key_size = 4;
		m->value_size = (uint32_t)sym.size;
		m->max_entries = 1;
		m->refused = "it is a struct_ops, which is not supported";
	}
}

static void add_refused(struct bpfstamp_template *t)
{
	for (uint32_t i = 1; i < t->elf.section_count; i++) {
		struct elf64_section s;

		elf64_section(&t->elf, i, &s);
		if (is_struct_ops(s.name))
			add_struct_ops(t, i, s.name);
		else if (!strcmp(s.name, ".addr_space.1") && s.size)
			t->maps[t->map_count++] = (struct map){
				.name = s.name, .section = s.name, .elf_section = i, .data = NO_INDEX,
				.inner = NO_INDEX, .type = MAP_TYPE_ARENA,
				.refused = "variables in an arena are not supported",
			};
	}
}

/* ------------------------------------------------- what maps start with */

int maps_add_slot(struct bpfstamp_template *t, uint32_t map, uint32_t key, uint32_t target, struct bpfstamp_err *err)
{
	uint32_t n = t->map_slot_count;

	if (!(n & (n - 1))) {	/* full: room is always the next power of two */
		struct map_slot *more = realloc(t->map_slots, (n ? 2 * (size_t)n : 1) * sizeof(*more));

		if (!more)
			return object_no_memory(err);
		t->map_slots = more;
	}
	t->map_slots[t->map_slot_count++] = (struct map_slot){ .map = map, .key = key, .target = target };
	return 0;
}

static int by_map_and_key(const void *a, const void *b)
{
	const struct map_slot *x = a, *y = b;

	if (x->map != y->map)
		return x->map < y->map ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

/* The beginning of an error; the caller appends what is wrong with the slot. */
static struct bpfstamp_err *bad_slot(const struct bpfstamp_template *t, const struct map_slot *slot,
				     struct bpfstamp_err *err)
{
	err_set(err, EINVAL, "%s: map %s: slot %u ", t->name, t->maps[slot->map].name, slot->key);
	return err;
}

static int check_target(const struct bpfstamp_template *t, const struct map_slot *slot, struct bpfstamp_err *err)
{
	const struct map *m = &t->maps[slot->map];

	if (m->type == BPF_MAP_TYPE_PROG_ARRAY) {
		if (!t->funcs[slot->target].entry)
			return err_hint(bad_slot(t, slot, err), "holds %s, a function that is no program",
					t->funcs[slot->target].name);
	} else if (slot->target == slot->map) {
		return err_hint(bad_slot(t, slot, err), "holds the map itself");
	} else if (maps_of_maps(t->maps[slot->target].type)) {
		return err_hint(bad_slot(t, slot, err), "holds %s, which holds maps itself: the kernel allows one "
				"level", t->maps[slot->target].name);
	}
	return 0;
}

static int check_slot(const struct bpfstamp_template *t, const struct map_slot *slot, struct bpfstamp_err *err)
{
	const struct map *m = &t->maps[slot->map];

	if (m->key_size != 4)
		return maps_malformed(t, m, "key", "is not of 4 bytes, although values are given", err);
	if (m->type != BPF_MAP_TYPE_HASH_OF_MAPS && slot->key >= m->max_entries)
		return err_hint(bad_slot(t, slot, err), "is outside of its %u entries", m->max_entries);
	return check_target(t, slot, err);
}

static int index_slots(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	if (t->map_slot_count)
		qsort(t->map_slots, t->map_slot_count, sizeof(*t->map_slots), by_map_and_key);
	for (uint32_t i = 0; i < t->map_slot_count; i++) {
		const struct map_slot *slot = &t->map_slots[i];
		struct map *m = &t->maps[slot->map];

		if (!m->slot_count)
			m->slot_first = i;
		else if (slot[-1].key == slot->key)
			return err_hint(bad_slot(t, slot, err), "is given two values");
		m->slot_count++;
		if (check_slot(t, slot, err))
			return -1;
	}
	return 0;
}

int maps_collect(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	/* At most one of each symbol; one of each section that holds data, or is called .addr_space.1. */
	t->maps = calloc((size_t)t->elf.symbol_count + t->elf.section_count, sizeof(*t->maps));
	if (!t->maps)
		return object_no_memory(err);
	add_data_maps(t);
	if (maps_btf_collect(t, err) || maps_legacy_collect(t, err))
		return -1;
	add_refused(t);
	return index_slots(t, err);
}

void maps_free(struct bpfstamp_template *t)
{
	for (uint32_t i = 0; i < t->map_count; i++) {
		if (!t->maps[i].inner_def)
			continue;
		free((char *)(uintptr_t)t->maps[i].inner_def->name);
		free(t->maps[i].inner_def);
	}
	free(t->maps);
}
