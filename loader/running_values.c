// SPDX-License-Identifier: BSD-2-Clause
/*
 * The variables of a running program and their scalars.
 *
 *   each data map: its DATASEC's variables  →  scalars (loader/leaves.c)
 *   record: what is in no map that the program has  →  scalars
 *
 * A variable in a map and what a record says of it are brought together by
 * section, offset, size and name.  Where the record has bytes instructions hold
 * them, and what the map has in their place is not what runs.  The type of a variable that only the record
 * has is looked up in the program's BTF by the id that it had in the object's,
 * which loading keeps; where sizes do not agree it goes untaken apart.
 *
 * Paths and texts stand in one block.  A text has room for any value of its
 * type, so that reading anew allocates nothing.  Since the block moves as it
 * grows, pointers into it are set at the end.
 *
 * BTF can make many more scalars out of few bytes than anybody can read, and
 * long arrays that overlap.  There is a limit to their number, and none may have
 * more bytes than there are; variables beyond are told whole, as raw bytes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/running_parts.h"

enum {
	MOST_VARIABLES = 1 << 16, MOST_VALUES = 1 << 16,
	NUMBER_ROOM = 24,	/* the text of any number */
	VAR_EXTERN = 2,		/* linkage: of .kconfig, which the loader fills in */
};

static const struct btf no_btf;

struct building {
	struct bpfstamp_running *r;
	uint32_t variable_room, value_room;
	size_t text_used, text_room;
	uint32_t raw_left;	/* bytes of the variable that may still be told as raw bytes */
	bool overlaps;		/* its parts have more than it */
	bool no_memory;
};

/* The memory with room for one more, or NULL. */
static void *grow(void *memory, uint32_t used, uint32_t *room, size_t each)
{
	uint32_t bigger = *room ? 2 * *room : 16;
	void *more;

	if (used < *room)
		return memory;
	more = realloc(memory, bigger * each);
	if (more)
		*room = bigger;
	return more;
}

/* Room for size bytes in the block; returns where, or sets no_memory. */
static size_t take_text(struct building *b, size_t size)
{
	size_t at = b->text_used, bigger = b->text_room ? b->text_room : 1024;
	char *more;

	while (bigger < at + size)
		bigger *= 2;
	if (bigger != b->text_room) {
		more = realloc(b->r->text, bigger);
		if (!more) {
			b->no_memory = true;
			return 0;
		}
		b->r->text = more;
		b->text_room = bigger;
	}
	b->text_used += size;
	return at;
}

/* ---------------------------------------------------------------- values */

static size_t text_room(const struct part *part)
{
	return part->type.bits ? NUMBER_ROOM : sizeof("hex:") + 2 * (size_t)part->type.size;
}

static void add_value(struct building *b, const char *path, const struct part *part)
{
	struct bpfstamp_running *r = b->r;
	uint32_t index = r->variable_count - 1;
	const struct running_variable *var = &r->variables[index];
	struct running_value *more = grow(r->values, r->value_count, &b->value_room, sizeof(*more)), *v;
	size_t path_at = more ? take_text(b, strlen(path) + 1) : 0;
	size_t text_at = more ? take_text(b, text_room(part)) : 0;

	r->values = more ? more : r->values;
	b->no_memory |= !more;
	if (b->no_memory)
		return;
	memcpy(r->text + path_at, path, strlen(path) + 1);
	v = &r->values[r->value_count++];
	*v = (struct running_value){ .variable = index, .part = *part, .path_at = path_at, .text_at = text_at };
	v->public.section = var->section;
	v->public.kind = var->kind;
	v->public.stamped = var->stamped;
	v->public.allow_derived = var->record && var->record->allow_derived;
	v->public.writable = var->map != NO_INDEX && r->maps[var->map].writable && !var->in_insns;
	if (var->record && !part->type.btf)
		snprintf(v->public.type, sizeof(v->public.type), "%s", var->record->type);
	else
		value_type_text(&part->type, var->btf->type_count ? var->btf : NULL, v->public.type,
				sizeof(v->public.type));
}

static void take_leaf(const char *path, const struct part *part, void *arg)
{
	struct building *b = arg;
	uint32_t raw = part->type.bits ? 0 : part->type.size;

	b->overlaps |= raw > b->raw_left;
	if (b->overlaps || b->no_memory)
		return;
	b->raw_left -= raw;
	add_value(b, path, part);
}

/* The scalars of the last variable, or, where they are too many, all of it. */
static void add_values(struct building *b)
{
	struct bpfstamp_running *r = b->r;
	const struct running_variable *var = &r->variables[r->variable_count - 1];
	const struct part whole = { .btf = var->type.btf, .type = var->type };
	uint32_t values = r->value_count, left = MOST_VALUES - (values < MOST_VALUES ? values : MOST_VALUES);
	size_t used = b->text_used;

	b->raw_left = var->type.size;
	b->overlaps = false;
	if ((part_leaves(&whole, var->btf, var->name, left, take_leaf, b) && !b->overlaps) || b->no_memory)
		return;
	r->value_count = values;
	b->text_used = used;
	add_value(b, var->name, &whole);
}

/* ------------------------------------------------------------- variables */

static void add_variable(struct building *b, const struct running_variable *var)
{
	struct bpfstamp_running *r = b->r;
	struct running_variable *more;

	if (r->variable_count == MOST_VARIABLES)
		return;
	more = grow(r->variables, r->variable_count, &b->variable_room, sizeof(*more));
	if (!more) {
		b->no_memory = true;
		return;
	}
	r->variables = more;
	more[r->variable_count++] = *var;
	add_values(b);
}

static struct value_type type_of(const struct btf *btf, uint32_t id, uint32_t size)
{
	uint32_t btf_bytes;

	if (!id || id >= btf->type_count || !btf_size(btf, id, 8, &btf_bytes) || btf_bytes != size)
		return value_untyped(size);
	return value_from_btf(btf, id, size);
}

static const struct record_value *find_recorded(const struct bpfstamp_running *r, const struct running_variable *var)
{
	for (uint32_t i = 0; r->record && i < r->record->count; i++) {
		const struct record_value *v = &r->record->values[i];

		if (v->kind == BPFSTAMP_GLOBAL && v->offset == var->offset && v->size == var->type.size &&
		    v->in_map && !strcmp(v->name, var->name) && !strcmp(v->section, var->section))
			return v;
	}
	return NULL;
}

static void add_global(struct building *b, uint32_t map, uint32_t entry)
{
	const struct running_map *m = &b->r->maps[map];
	struct running_variable var = { .kind = BPFSTAMP_GLOBAL, .section = m->section, .btf = m->btf, .map = map };
	struct btf_secvar secvar;
	struct btf_type type;

	btf_secvar(m->btf, m->datasec, entry, &secvar);
	btf_type(m->btf, secvar.type, &type);
	if (type.kind != BTF_VAR || type.linkage == VAR_EXTERN || !*type.name || !secvar.size ||
	    secvar.offset > m->value_size || secvar.size > m->value_size - secvar.offset)
		return;
	var.name = type.name;
	var.type = type_of(m->btf, type.type, secvar.size);
	var.offset = secvar.offset;
	var.record = find_recorded(b->r, &var);
	var.stamped = var.record && var.record->stamped;
	var.in_insns = var.record && var.record->bytes;
	var.bytes = var.in_insns ? var.record->bytes : m->content + secvar.offset;
	add_variable(b, &var);
}

static bool has_variable(const struct bpfstamp_running *r, const struct record_value *v)
{
	for (uint32_t i = 0; i < r->variable_count; i++)
		if (r->variables[i].record == v)
			return true;
	return false;
}

static void add_recorded(struct building *b, const struct record_value *v)
{
	const struct btf *btf = b->r->prog_btf ? b->r->prog_btf : &no_btf;
	struct running_variable var = {
		.name = v->name, .kind = v->kind, .section = v->kind == BPFSTAMP_GLOBAL ? v->section : NULL,
		.btf = btf, .map = NO_INDEX, .offset = v->offset, .bytes = v->bytes, .stamped = v->stamped,
		.in_insns = true, .record = v,
	};

	if (v->kind == BPFSTAMP_GLOBAL)
		var.type = type_of(btf, v->btf, v->size);
	if (!var.type.btf)
		var.type = (struct value_type){ .form = v->bits ? VALUE_INT : VALUE_BYTES, .size = v->size,
						.bits = v->bits, .is_signed = v->is_signed };
	add_variable(b, &var);
}

int running_values(struct bpfstamp_running *r)
{
	struct building b = { .r = r };
	struct btf_type sec;

	for (uint32_t i = 0; i < r->map_count; i++) {
		if (r->maps[i].fd < 0)
			continue;
		btf_type(r->maps[i].btf, r->maps[i].datasec, &sec);
		for (uint32_t k = 0; k < sec.vlen && !b.no_memory; k++)
			add_global(&b, i, k);
	}
	for (uint32_t i = 0; r->record && i < r->record->count && !b.no_memory; i++)
		if (r->record->values[i].bytes && !has_variable(r, &r->record->values[i]))
			add_recorded(&b, &r->record->values[i]);
	if (b.no_memory)
		return ENOMEM;
	for (uint32_t i = 0; i < r->value_count; i++) {
		r->values[i].public.path = r->text + r->values[i].path_at;
		r->values[i].public.value = r->text + r->values[i].text_at;
	}
	running_texts(r);
	return 0;
}

void running_texts(struct bpfstamp_running *r)
{
	for (uint32_t i = 0; i < r->value_count; i++) {
		const struct running_value *v = &r->values[i];

		part_text(&v->part, BYTES_HOST_BIG, r->variables[v->variable].bytes, r->text + v->text_at,
			  text_room(&v->part));
	}
}

void running_values_free(struct bpfstamp_running *r)
{
	free(r->variables);
	free(r->values);
	free(r->text);
}
