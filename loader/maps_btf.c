// SPDX-License-Identifier: BSD-2-Clause
/*
 * BTF-defined maps: variables in the section .maps.  Nothing is read of the
 * variable's bytes; its type, a struct, says it all, one member a property:
 *
 *   __uint(name, v)    int (*name)[v]               a pointer to an array of v elements
 *   __ulong(name, v)   enum { unique = v } name     for numbers of 64 bits
 *   __type(name, T)    T *name                      a pointer to T
 *   __array(values, V) V *values[]                  the last member, of maps that hold
 *                                                   maps (V a definition as well) or
 *                                                   programs (V a function)
 *
 * Initializers of values are relocations (maps_values.c).
 *
 * A definition inside another one, which only tells what the maps in a map
 * look like, becomes a struct map outside of t->maps.  A variable that is
 * declared extern has a definition but no place: its symbol is undefined.
 * libbpf refuses definitions that are static; nothing here depends on it.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/err.h"
#include "loader/maps.h"

enum { POINTER = 8, VAR_EXTERN = 2 };

/* ------------------------------------------------------------- members */

/* __uint or __ulong */
static bool number_member(const struct btf *btf, uint32_t type, uint64_t *value)
{
	uint32_t id = btf_resolve(btf, type);
	struct btf_enumerator only;
	struct btf_type t;

	btf_type(btf, id, &t);
	if ((t.kind == BTF_ENUM || t.kind == BTF_ENUM64) && t.vlen == 1) {
		btf_enumerator(btf, id, 0, &only);
		*value = only.value;
		return true;
	}
	if (t.kind != BTF_PTR)
		return false;
	btf_type(btf, btf_resolve(btf, t.type), &t);
	*value = t.array_count;
	return t.kind == BTF_ARRAY;
}

static int u32_member(const struct bpfstamp_template *t, const struct map *m, const struct btf_member *member,
		      uint32_t *to, struct bpfstamp_err *err)
{
	uint64_t value;

	if (!number_member(&t->btf, member->type, &value))
		return maps_malformed(t, m, member->name, "is not a __uint", err);
	if (value > UINT32_MAX)
		return maps_malformed(t, m, member->name, "is a number of more than 32 bits", err);
	*to = (uint32_t)value;
	return 0;
}

/* key, value: id gets the type; key_size, value_size: id is NULL. */
static int size_member(const struct bpfstamp_template *t, const struct map *m, const struct btf_member *member,
		       uint32_t *size, uint32_t *id, struct bpfstamp_err *err)
{
	uint32_t had = *size;
	struct btf_type type;

	if (id) {
		btf_type(&t->btf, btf_resolve(&t->btf, member->type), &type);
		if (type.kind != BTF_PTR || !btf_size(&t->btf, type.type, POINTER, size))
			return maps_malformed(t, m, member->name, "is not a __type", err);
		*id = type.type;
	} else if (u32_member(t, m, member, size, err)) {
		return -1;
	}
	if (had && had != *size)
		return maps_malformed(t, m, member->name, "contradicts the size given before", err);
	return 0;
}

static int pinning_member(const struct bpfstamp_template *t, struct map *m, const struct btf_member *member,
			  struct bpfstamp_err *err)
{
	uint32_t pinning;

	if (u32_member(t, m, member, &pinning, err))
		return -1;
	if (pinning > 1)
		return maps_malformed(t, m, member->name, "is neither 0 (none) nor 1 (by name)", err);
	if (pinning && m->is_inner)
		return maps_malformed(t, m, member->name,
				      "is for a map, which a definition inside another is not", err);
	m->pinning = pinning ? MAP_PIN_NAME : MAP_PIN_NONE;
	return 0;
}

static int map_member(const struct bpfstamp_template *t, struct map *m, const struct btf_member *member,
		      struct bpfstamp_err *err)
{
	const char *name = member->name;
	uint32_t flags;

	if (!strcmp(name, "type"))
		return u32_member(t, m, member, &m->type, err);
	if (!strcmp(name, "key"))
		return size_member(t, m, member, &m->key_size, &m->btf_key, err);
	if (!strcmp(name, "key_size"))
		return size_member(t, m, member, &m->key_size, NULL, err);
	if (!strcmp(name, "value"))
		return size_member(t, m, member, &m->value_size, &m->btf_value, err);
	if (!strcmp(name, "value_size"))
		return size_member(t, m, member, &m->value_size, NULL, err);
	if (!strcmp(name, "max_entries"))
		return u32_member(t, m, member, &m->max_entries, err);
	if (!strcmp(name, "pinning"))
		return pinning_member(t, m, member, err);
	if (!strcmp(name, "map_extra"))
		return number_member(&t->btf, member->type, &m->extra) ? 0 :
			maps_malformed(t, m, name, "is neither a __uint nor a __ulong", err);
	if (!strcmp(name, "map_flags")) {
		if (u32_member(t, m, member, &flags, err))
			return -1;
		m->flags |= flags;
		return 0;
	}
	if (!strcmp(name, "numa_node")) {
		m->flags |= BPF_F_NUMA_NODE;
		return u32_member(t, m, member, &m->numa_node, err);
	}
	return maps_malformed(t, m, name, "is not a member of a map definition", err);
}

/* -------------------------------------------------------------- values */

static int read_definition(const struct bpfstamp_template *t, struct map *m, uint32_t id, struct bpfstamp_err *err);

/* The definition, a struct, of what the maps in m look like. */
static int add_inner(const struct bpfstamp_template *t, struct map *m, uint32_t id, struct bpfstamp_err *err)
{
	size_t size = strlen(m->name) + sizeof(".inner");
	struct map *inner = malloc(sizeof(*inner));
	char *name = malloc(size);

	if (!inner || !name) {
		free(inner);
		free(name);
		return object_no_memory(err);
	}
	snprintf(name, size, "%s.inner", m->name);
	*inner = (struct map){ .name = name, .section = m->section, .elf_section = m->elf_section,
			       .offset = m->offset, .data = NO_INDEX, .inner = NO_INDEX, .is_inner = true };
	m->inner_def = inner;	/* from here on freed with the template */
	if (read_definition(t, inner, id, err))
		return -1;
	if (maps_of_maps(inner->type))
		return maps_malformed(t, inner, "type", "is that of a map of maps: the kernel allows one level", err);
	return 0;
}

static int values_member(const struct bpfstamp_template *t, struct map *m, const struct btf_member *member,
			 struct bpfstamp_err *err)
{
	bool programs = m->type == BPF_MAP_TYPE_PROG_ARRAY;
	struct btf_type type;
	uint32_t id;

	if (!programs && !maps_of_maps(m->type))
		return maps_malformed(t, m, member->name, "are only for maps of maps and prog arrays", err);
	if (m->value_size && m->value_size != 4)
		return maps_malformed(t, m, member->name, "contradict the size given before, which has to be 4", err);
	m->value_size = 4;
	btf_type(&t->btf, btf_resolve(&t->btf, member->type), &type);
	if (type.kind == BTF_ARRAY)
		btf_type(&t->btf, btf_resolve(&t->btf, type.array_type), &type);
	else
		type.kind = BTF_VOID;
	if (type.kind != BTF_PTR)
		return maps_malformed(t, m, member->name, "are not an __array", err);
	id = btf_resolve(&t->btf, type.type);
	btf_type(&t->btf, id, &type);
	if (programs)
		return type.kind == BTF_FUNC_PROTO ? 0 : maps_malformed(t, m, member->name, "are not functions", err);
	if (type.kind != BTF_STRUCT)
		return maps_malformed(t, m, member->name, "are not map definitions", err);
	return add_inner(t, m, id, err);
}

/* ---------------------------------------------------------- definitions */

static void finish_definition(struct map *m)
{
	bool ring = m->type == BPF_MAP_TYPE_RINGBUF || m->type == BPF_MAP_TYPE_USER_RINGBUF;

	if (ring && m->btf_value)	/* only says what is sent through it, for tools that generate code */
		m->value_size = m->btf_value = 0;
	if (m->type == BPF_MAP_TYPE_STRUCT_OPS)
		m->refused = "it is a struct_ops, which is not supported";
	if (m->type == MAP_TYPE_ARENA)
		m->refused = "it is an arena, which is not supported";
}

/* Fill *m from struct id; recurses into a definition inside it, but no deeper. */
static int read_definition(const struct bpfstamp_template *t, struct map *m, uint32_t id, struct bpfstamp_err *err)
{
	struct btf_member member;
	struct btf_type type;

	btf_type(&t->btf, id, &type);
	for (uint32_t i = 0; i < type.vlen; i++) {
		btf_member(&t->btf, id, i, &member);
		if (!strcmp(member.name, "values")) {
			if (m->is_inner)
				return maps_malformed(t, m, "values", "are one level too many for the kernel", err);
			if (i != type.vlen - 1)
				return maps_malformed(t, m, "values", "are not the last member", err);
			if (values_member(t, m, &member, err))
				return -1;
		} else if (map_member(t, m, &member, err)) {
			return -1;
		}
	}
	if (!m->type)
		return maps_malformed(t, m, "type", "is missing", err);
	finish_definition(m);
	return 0;
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
		if (var.kind == BTF_VAR && !strcmp(var.name, name))
			return secvar.type;
	}
	return 0;
}

static int add_map(struct bpfstamp_template *t, uint32_t symbol, uint32_t var, struct maps_variables *vars,
		   struct bpfstamp_err *err)
{
	struct map *m = maps_add(t, symbol, ".maps");
	struct elf64_symbol sym;
	struct btf_member last;
	struct btf_type type;
	struct maps_variable *v;
	uint32_t id;

	if (!var)
		return maps_malformed(t, m, "its definition", "is not in the BTF: compile with -g", err);
	btf_type(&t->btf, var, &type);
	id = btf_resolve(&t->btf, type.type);
	btf_type(&t->btf, id, &type);
	if (type.kind != BTF_STRUCT)
		return maps_malformed(t, m, "its definition", "is not a struct", err);
	if (read_definition(t, m, id, err))
		return -1;
	elf64_symbol(&t->elf, symbol, &sym);
	if (sym.section == ELF64_SHN_UNDEF) {
		m->external = true;
		m->pinning = MAP_PIN_NAME;
		return 0;
	}
	v = &vars->all[vars->count++];
	*v = (struct maps_variable){ .map = t->map_count - 1, .start = sym.value, .end = sym.value + sym.size,
				.values = MAPS_NO_VALUES };
	btf_member(&t->btf, id, type.vlen - 1, &last);	/* there is one: type */
	if (!strcmp(last.name, "values"))
		v->values = last.bit_offset / 8;
	return 0;
}

/* ------------------------------------------------------------------ all */

static bool is_extern(const struct btf *btf, uint32_t var)
{
	struct btf_type type;

	btf_type(btf, var, &type);
	return var && type.linkage == VAR_EXTERN;
}

static int add_maps(struct bpfstamp_template *t, uint32_t section, struct maps_variables *vars,
		    struct bpfstamp_err *err)
{
	uint32_t datasec = t->btf.type_count ? btf_find(&t->btf, BTF_DATASEC, ".maps") : 0;

	for (uint32_t i = 1; (section || datasec) && i < t->elf.symbol_count; i++) {
		struct elf64_symbol sym;
		uint32_t var = 0;

		elf64_symbol(&t->elf, i, &sym);
		if (sym.type == ELF64_STT_SECTION || sym.type == ELF64_STT_FUNC || !*sym.name ||
		    (sym.section != ELF64_SHN_UNDEF && sym.section != section))
			continue;
		if (datasec)
			var = find_var(&t->btf, datasec, sym.name);
		if (sym.section == ELF64_SHN_UNDEF && !is_extern(&t->btf, var))
			continue;
		if (add_map(t, i, var, vars, err))
			return -1;
	}
	return 0;
}

int maps_btf_collect(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	uint32_t section = elf64_find(&t->elf, ".maps");
	struct maps_variables vars = { 0 };
	int ret = -1;

	vars.all = calloc((size_t)t->elf.symbol_count + 1, sizeof(*vars.all));
	if (!vars.all)
		return object_no_memory(err);
	if (add_maps(t, section, &vars, err))
		goto out;
	ret = maps_values_collect(t, section, &vars, err);
out:
	free(vars.all);
	return ret;
}
