// SPDX-License-Identifier: BSD-2-Clause
/*
 * What keeps a load from going without BTF (struct bpfstamp_load, no_debug_info).
 *
 * For most programs BTF is there for people only.  The verifier itself goes by
 * it where functions are global or callbacks, for kfuncs, for what tracing
 * programs attach to, and for locks, timers, lists and kernel pointers in the
 * values of maps, and in variables, which are values of maps, too.  New kernels
 * add to that, so nothing here looks for one of these: what is not known to do
 * without types keeps them.
 *
 *     functions        one alone does without, for nobody has to know how it is called
 *     externs          none does without
 *     maps             do without where they are declared without, and hold no maps or programs
 *     read-only data   does without: a program changes nothing there
 *     other data       does without where all of it is numbers, or arrays of them
 *
 * CO-RE is done with when a program is loaded, and needs no BTF in the kernel.
 */
#include "loader/debuginfo.h"
#include "loader/maps.h"

/* Whether a type is a number, or an array of them. */
static bool is_numbers(const struct btf *btf, uint32_t id)
{
	struct btf_type type;

	btf_type(btf, btf_resolve(btf, id), &type);
	while (type.kind == BTF_ARRAY)
		btf_type(btf, btf_resolve(btf, type.array_type), &type);
	return type.kind == BTF_INT || type.kind == BTF_ENUM || type.kind == BTF_ENUM64 || type.kind == BTF_FLOAT;
}

static bool is_all_numbers(const struct bpfstamp_template *t, uint32_t data)
{
	for (uint32_t i = 0; i < t->global_count; i++)
		if (t->injectables[i].data == data && !is_numbers(&t->btf, t->injectables[i].type.btf))
			return false;
	return true;
}

const char *debuginfo_map_needed(const struct bpfstamp_template *t, const struct map *m)
{
	if (!t->btf.type_count || m->kconfig)
		return NULL;
	if (m->data == NO_INDEX)
		return m->btf_key || m->btf_value || m->slot_count || maps_of_maps(m->type) ?
		       "it has maps that are declared with types or contents" : NULL;
	return t->datas[m->data].readonly || is_all_numbers(t, m->data) ? NULL :
	       "it can write to variables that are not just numbers";
}

static bool has_externs(const struct bpfstamp_template *t, uint32_t func)
{
	const struct reloc *r, *end;

	link_relocs(t, func, &r, &end);
	while (r < end && r->kind != RELOC_EXTERN)
		r++;
	return r < end;
}

const char *debuginfo_needed(const struct bpfstamp_template *t, const struct link *link)
{
	const char *why = NULL;

	if (!t->btf.type_count)
		return NULL;
	if (link->chunk_count > 1)
		return "it has more than one function";
	if (link->target_id)
		return "it attaches to what the kernel's types tell of";
	if (has_externs(t, link->chunks[0].func))
		return "it refers to symbols or functions of the kernel";
	for (uint32_t i = 0; i < link->map_count && !why; i++)
		why = debuginfo_map_needed(t, &t->maps[link->maps[i].map]);
	return why;
}
