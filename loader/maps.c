// SPDX-License-Identifier: BSD-2-Clause
/*
 * Maps of an object, from the three ways to declare one:
 *
 * - a data section is an array map of one element, whose value is the section;
 * - BTF-defined maps are variables in .maps.  The type of the variable is a
 *   struct without content: __uint(name, v) is a member that points to an
 *   array of v elements, __type(name, T) one that points to T;
 * - legacy maps are variables in the section `maps`, of a struct that begins
 *   with five u32 (type, key and value size, max_entries, flags), as long as
 *   the space between two variables.  A longer struct is accepted where the
 *   rest is zero.
 *
 * A definition that contradicts itself makes the object invalid.  One that
 * asks for what this loader cannot make (inner maps, pinning) is noted, and
 * refused by the load of a program that uses the map.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/template.h"

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

static struct map *add_map(struct bpfstamp_template *t, const struct elf64_symbol *sym, const char *section)
{
	struct map *m = &t->maps[t->map_count++];

	*m = (struct map){ .name = sym->name, .section = section, .elf_section = sym->section,
			   .offset = (uint32_t)sym->value, .data = NO_INDEX, .inner = NO_INDEX };
	return m;
}

/* ----------------------------------------------------------- BTF-defined */

static int malformed(const struct bpfstamp_template *t, const struct map *m, const char *field, const char *why,
		     struct bpfstamp_err *err)
{
	return err_set(err, EINVAL, "%s: map %s: %s %s", t->name, m->name, field, why);
}

/* __uint: a pointer to an array whose number of elements is the value. */
static bool uint_member(const struct btf *btf, uint32_t type, uint32_t *value)
{
	struct btf_type t;

	btf_type(btf, btf_resolve(btf, type), &t);
	if (t.kind != BTF_PTR)
		return false;
	btf_type(btf, btf_resolve(btf, t.type), &t);
	*value = t.array_count;
	return t.kind == BTF_ARRAY;
}

/* __type: a pointer to the type. */
static bool type_member(const struct btf *btf, uint32_t type, uint32_t *id, uint32_t *size)
{
	struct btf_type t;

	btf_type(btf, btf_resolve(btf, type), &t);
	*id = t.type;
	return t.kind == BTF_PTR && btf_size(btf, t.type, 8, size);
}

static int sized_member(const struct bpfstamp_template *t, const struct map *m, const struct btf_member *member,
			uint32_t *size, uint32_t *id, struct bpfstamp_err *err)
{
	uint32_t had = *size;

	if (!type_member(&t->btf, member->type, id, size))
		return malformed(t, m, member->name, "is not a __type", err);
	if (had && had != *size)
		return malformed(t, m, member->name, "contradicts the size given before", err);
	return 0;
}

static int map_member(const struct bpfstamp_template *t, struct map *m, const struct btf_member *member,
		      struct bpfstamp_err *err)
{
	uint32_t flags = 0, extra = 0, pinning = 0;
	const struct { const char *name; uint32_t *to; } uints[] = {
		{ "type", &m->type }, { "max_entries", &m->max_entries }, { "map_flags", &flags },
		{ "numa_node", &m->numa_node }, { "key_size", &m->key_size }, { "value_size", &m->value_size },
		{ "map_extra", &extra }, { "pinning", &pinning },
	};

	if (!strcmp(member->name, "key"))
		return sized_member(t, m, member, &m->key_size, &m->btf_key, err);
	if (!strcmp(member->name, "value"))
		return sized_member(t, m, member, &m->value_size, &m->btf_value, err);
	if (!strcmp(member->name, "values")) {
		m->refused = "it holds other maps or programs, which is not supported";
		return 0;
	}
	for (size_t i = 0; i < sizeof(uints) / sizeof(uints[0]); i++) {
		uint32_t had = *uints[i].to;

		if (strcmp(member->name, uints[i].name) != 0)
			continue;
		if (!uint_member(&t->btf, member->type, uints[i].to))
			return malformed(t, m, member->name, "is not a __uint", err);
		if (had && had != *uints[i].to)
			return malformed(t, m, member->name, "contradicts the size given before", err);
		m->flags |= flags;
		m->extra |= extra;
		if (pinning)
			m->refused = "it wants to be pinned, which is not supported";
		if (uints[i].to == &m->numa_node)
			m->flags |= BPF_F_NUMA_NODE;
		return 0;
	}
	return malformed(t, m, member->name, "is not a member of a map definition", err);
}

/* The VAR of that name in a DATASEC, or 0. */
static uint32_t find_var(const struct btf *btf, uint32_t datasec, const char *name)
{
	struct btf_secvar secvar;
	struct btf_type sec, var;

	btf_type(btf, datasec, &sec);
	for (uint32_t i = 0; i < sec.vlen; i++) {
		btf_secvar(btf, datasec, i, &secvar);
		btf_type(btf, secvar.type, &var);
		if (!strcmp(var.name, name))
			return secvar.type;
	}
	return 0;
}

static int add_btf_map(struct bpfstamp_template *t, const struct elf64_symbol *sym, uint32_t datasec,
		       struct bpfstamp_err *err)
{
	struct map *m = add_map(t, sym, ".maps");
	uint32_t var = datasec ? find_var(&t->btf, datasec, sym->name) : 0, id;
	struct btf_type type;

	if (!var)
		return malformed(t, m, "its definition", "is not in the BTF: compile with -g", err);
	btf_type(&t->btf, var, &type);
	id = btf_resolve(&t->btf, type.type);
	btf_type(&t->btf, id, &type);
	if (type.kind != BTF_STRUCT)
		return malformed(t, m, "its definition", "is not a struct", err);
	for (uint32_t i = 0; i < type.vlen; i++) {
		struct btf_member member;

		btf_member(&t->btf, id, i, &member);
		if (map_member(t, m, &member, err))
			return -1;
	}
	if (!m->type)
		return malformed(t, m, "type", "is missing", err);
	return 0;
}

/* ---------------------------------------------------------------- legacy */

enum { LEGACY_SIZE = 20 };	/* type, key_size, value_size, max_entries, map_flags */

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

static int add_legacy_map(struct bpfstamp_template *t, const struct elf64_symbol *sym, const struct elf64_section *s,
			  struct bpfstamp_err *err)
{
	struct map *m = add_map(t, sym, "maps");
	uint64_t end = next_offset(t, sym, s->size);
	const uint8_t *def;

	if (!s->bytes || end < sym->value || end - sym->value < LEGACY_SIZE)
		return malformed(t, m, "its definition", "is shorter than 20 bytes", err);
	def = s->bytes + sym->value;
	m->type = bytes_get32(def, t->elf.big);
	m->key_size = bytes_get32(def + 4, t->elf.big);
	m->value_size = bytes_get32(def + 8, t->elf.big);
	m->max_entries = bytes_get32(def + 12, t->elf.big);
	m->flags = bytes_get32(def + 16, t->elf.big);
	for (uint64_t i = sym->value + LEGACY_SIZE; i < end; i++)
		if (s->bytes[i])
			m->refused = "its definition has more than five numbers, which is not supported";
	return 0;
}

int maps_collect(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	uint32_t btf_maps = elf64_find(&t->elf, ".maps"), legacy = elf64_find(&t->elf, "maps");
	uint32_t datasec = t->btf.type_count && btf_maps ? btf_find(&t->btf, BTF_DATASEC, ".maps") : 0;
	struct elf64_section s;

	t->maps = calloc((size_t)t->elf.symbol_count + t->data_count + 1, sizeof(*t->maps));
	if (!t->maps)
		return object_no_memory(err);
	add_data_maps(t);
	if (legacy)
		elf64_section(&t->elf, legacy, &s);
	for (uint32_t i = 1; i < t->elf.symbol_count; i++) {
		struct elf64_symbol sym;

		elf64_symbol(&t->elf, i, &sym);
		if (!sym.section || sym.type == ELF64_STT_SECTION || sym.type == ELF64_STT_FUNC || !*sym.name)
			continue;
		if (sym.section == btf_maps && add_btf_map(t, &sym, datasec, err))
			return -1;
		if (sym.section == legacy && add_legacy_map(t, &sym, &s, err))
			return -1;
	}
	return 0;
}
