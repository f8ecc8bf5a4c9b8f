// SPDX-License-Identifier: BSD-2-Clause
/*
 * Legacy maps: variables in the section `maps`, of a struct of u32, as long as
 * the space up to the next one.  Two structs are in use, of which one is the
 * beginning of the other; iproute2 takes any beginning of at least four
 * numbers, and reads the rest as zero:
 *
 *   struct bpf_map_def   struct bpf_elf_map (iproute2)
 *    0  type              0  type
 *    4  key_size          4  size_key
 *    8  value_size        8  size_value
 *   12  max_entries      12  max_elem
 *   16  map_flags        16  flags
 *                        20  id         0, or a number for others to name it
 *                        24  pinning    0 none, 1 for this object, 2 for everybody
 *                        28  inner_id   of a map of maps: what they look like
 *                        32  inner_idx  where to put this one into each map whose inner_id
 *                                       is its id, or -1
 *
 * The functions of a section that is named ID/IDX (both as strtol reads them
 * with base 0) are programs for slot IDX of the prog array with that id;
 * where no map has it, the name means nothing.
 *
 * A definition with more behind that, other than zeros, is for another loader.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/maps.h"

enum word {
	W_TYPE, W_KEY, W_VALUE, W_ENTRIES, W_FLAGS, W_ID, W_PINNING, W_INNER_ID, W_INNER_IDX, WORDS,
	WORDS_MIN = W_FLAGS,
};

struct legacy {
	uint32_t map, id, inner_id, inner_idx;
};

struct legacies {
	struct legacy *all;
	uint32_t count;
};

/* Where the next variable of the section begins, or the section ends. */
static uint64_t next_offset(const struct bpfstamp_template *t, const struct elf64_symbol *sym, uint64_t end)
{
	for (uint32_t i = 1; i < t->elf.symbol_count; i++) {
		struct elf64_symbol other;

		elf64_symbol(&t->elf, i, &other);
		if (other.section == sym->section && other.value > sym->value && other.value < end)
			end = other.value;
	}
	return end;
}

static bool is_zero(const uint8_t *bytes, uint64_t size)
{
	while (size && !*bytes)
		bytes++, size--;
	return !size;
}

static void take_pinning(struct map *m, uint32_t pinning)
{
	static const enum map_pinning scopes[] = { MAP_PIN_NONE, MAP_PIN_OBJECT, MAP_PIN_GLOBAL };

	if (pinning < sizeof(scopes) / sizeof(scopes[0]))
		m->pinning = scopes[pinning];
	else
		m->refused = "it wants a pinning scope that is neither 0 (none), 1 (object) nor 2 (global)";
}

static int add_map(struct bpfstamp_template *t, uint32_t symbol, const struct elf64_section *s,
		   struct legacies *legacies, struct bpfstamp_err *err)
{
	struct map *m = maps_add(t, symbol, "maps");
	uint32_t words[WORDS] = { 0 }, count = 0;
	struct elf64_symbol sym;
	uint64_t size;

	elf64_symbol(&t->elf, symbol, &sym);
	size = s->bytes ? next_offset(t, &sym, s->size) - sym.value : 0;
	while (count < WORDS && (count + 1) * sizeof(words[0]) <= size) {
		words[count] = bytes_get32(s->bytes + sym.value + count * sizeof(words[0]), t->elf.big);
		count++;
	}
	if (count < WORDS_MIN)
		return maps_malformed(t, m, "its definition", "is shorter than 16 bytes", err);
	m->type = words[W_TYPE];
	m->key_size = words[W_KEY];
	m->value_size = words[W_VALUE];
	m->max_entries = words[W_ENTRIES];
	m->flags = words[W_FLAGS];
	take_pinning(m, words[W_PINNING]);
	if (!is_zero(s->bytes + sym.value + count * sizeof(words[0]), size - count * sizeof(words[0])))
		m->refused = "its definition is longer than struct bpf_elf_map of iproute2, which is not supported";
	legacies->all[legacies->count++] = (struct legacy){ .map = t->map_count - 1, .id = words[W_ID],
		.inner_id = words[W_INNER_ID], .inner_idx = words[W_INNER_IDX] };
	return 0;
}

/* ------------------------------------------------- what belongs together */

/* The first map with that id, or NO_INDEX. */
static uint32_t find_id(const struct legacies *legacies, uint32_t id)
{
	for (uint32_t i = 0; i < legacies->count; i++)
		if (legacies->all[i].id == id)
			return legacies->all[i].map;
	return NO_INDEX;
}

static int find_inner(struct bpfstamp_template *t, const struct legacies *legacies, const struct legacy *l,
		      struct bpfstamp_err *err)
{
	struct map *m = &t->maps[l->map];

	if (!l->inner_id || !maps_of_maps(m->type))
		return 0;
	m->inner = find_id(legacies, l->inner_id);
	if (m->inner == NO_INDEX)
		return err_set(err, EINVAL, "%s: map %s: no map has its inner_id %u", t->name, m->name, l->inner_id);
	if (maps_of_maps(t->maps[m->inner].type))
		return err_set(err, EINVAL, "%s: map %s: the map of its inner_id %u, %s, holds maps itself: the "
			       "kernel allows one level", t->name, m->name, l->inner_id, t->maps[m->inner].name);
	return 0;
}

/* Enter a map into the slots that its id and inner_idx say. */
static int enter_map(struct bpfstamp_template *t, const struct legacies *legacies, const struct legacy *l,
		     struct bpfstamp_err *err)
{
	if (!l->id || l->inner_id || l->inner_idx == UINT32_MAX)
		return 0;
	for (uint32_t i = 0; i < legacies->count; i++) {
		const struct legacy *outer = &legacies->all[i];

		if (outer->inner_id == l->id && maps_of_maps(t->maps[outer->map].type) &&
		    maps_add_slot(t, outer->map, l->inner_idx, l->map, err))
			return -1;
	}
	return 0;
}

static bool read_number(const char **text, char end, uint32_t *number)
{
	char *rest;
	unsigned long value;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	value = strtoul(*text, &rest, 0);
	if (errno || *rest != end || value > UINT32_MAX)
		return false;
	*text = rest + 1;
	*number = (uint32_t)value;
	return true;
}

/* Enter the program of a section that is named ID/IDX. */
static int enter_program(struct bpfstamp_template *t, const struct legacies *legacies, uint32_t code,
			 struct bpfstamp_err *err)
{
	const char *name = t->codes[code].name;
	uint32_t id, key, map, func;

	if (!read_number(&name, '/', &id) || !read_number(&name, '\0', &key) || !id)
		return 0;
	map = find_id(legacies, id);
	if (map == NO_INDEX)
		return 0;
	if (t->maps[map].type != BPF_MAP_TYPE_PROG_ARRAY)
		return err_set(err, EINVAL, "%s: section %s: the map with that id, %s, is no prog array", t->name,
			       t->codes[code].name, t->maps[map].name);
	func = object_func_at(t, code, 0);
	if (func == NO_INDEX)
		return err_set(err, EINVAL, "%s: section %s does not begin with a program", t->name,
			       t->codes[code].name);
	return maps_add_slot(t, map, key, func, err);
}

static int join(struct bpfstamp_template *t, const struct legacies *legacies, struct bpfstamp_err *err)
{
	for (uint32_t i = 0; i < legacies->count; i++)
		if (find_inner(t, legacies, &legacies->all[i], err) || enter_map(t, legacies, &legacies->all[i], err))
			return -1;
	for (uint32_t code = 0; legacies->count && code < t->code_count; code++)
		if (enter_program(t, legacies, code, err))
			return -1;
	return 0;
}

int maps_legacy_collect(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	uint32_t section = elf64_find(&t->elf, "maps");
	struct legacies legacies = { 0 };
	struct elf64_section s;
	int ret = -1;

	if (!section)
		return 0;
	legacies.all = calloc((size_t)t->elf.symbol_count + 1, sizeof(*legacies.all));
	if (!legacies.all)
		return object_no_memory(err);
	elf64_section(&t->elf, section, &s);
	for (uint32_t i = 1; i < t->elf.symbol_count; i++) {
		struct elf64_symbol sym;

		elf64_symbol(&t->elf, i, &sym);
		if (sym.section != section || sym.type == ELF64_STT_SECTION || sym.type == ELF64_STT_FUNC ||
		    !*sym.name)
			continue;
		if (add_map(t, i, &s, &legacies, err))
			goto out;
	}
	ret = join(t, &legacies, err);
out:
	free(legacies.all);
	return ret;
}
