// SPDX-License-Identifier: BSD-2-Clause
/*
 * The scalars of an injectable, each with its path: what a manifest lists, and
 * what a change is reported by.
 *
 * Arrays of single bytes, and arrays too long to be read by people, are leaves
 * of their own, as raw bytes.  So is a union, whose members share their bytes
 * and would contradict one another; one without a name is told by its largest
 * member.
 */
#include <stdio.h>
#include <string.h>

#include "loader/path.h"

enum { PATH_SIZE = 512, LONGEST_ARRAY = 64 };

struct walk {
	const struct bpfstamp_template *t;
	uint32_t injectable;
	char path[PATH_SIZE];
	bpfstamp_leaf_fn *fn;
	void *arg;
};

static void visit(struct walk *w, const struct part *part);

static void tell(struct walk *w, const struct part *part)
{
	struct bpfstamp_leaf leaf = { .path = w->path, .ref = part_ref(part, w->injectable) };

	value_type_text(&part->type, w->t->btf.type_count ? &w->t->btf : NULL, leaf.type, sizeof(leaf.type));
	w->fn(&leaf, w->arg);
}

/* Visit a part whose path is one step longer; one that is too long to write is passed over. */
static void descend(struct walk *w, const struct part *part, const char *step)
{
	size_t used = strlen(w->path);

	if (used + strlen(step) + 1 > sizeof(w->path))
		return;
	strcpy(w->path + used, step);
	visit(w, part);
	w->path[used] = '\0';
}

/* Which member stands for an anonymous union: the first of the largest. */
static uint32_t largest_member(const struct btf *btf, uint32_t id, uint32_t count)
{
	uint32_t best = 0, best_size = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct btf_member m;
		uint32_t size;

		btf_member(btf, id, i, &m);
		if (!m.bit_size && btf_size(btf, m.type, 8, &size) && size > best_size) {
			best = i;
			best_size = size;
		}
	}
	return best;
}

static void visit_members(struct walk *w, const struct part *part, uint32_t id, const struct btf_type *type)
{
	uint32_t only = type->kind == BTF_UNION ? largest_member(&w->t->btf, id, type->vlen) : UINT32_MAX;

	for (uint32_t i = 0; i < type->vlen; i++) {
		struct btf_member m;
		struct btf_type inner_type;
		struct part inner;
		char step[PATH_SIZE];

		btf_member(&w->t->btf, id, i, &m);
		if ((only != UINT32_MAX && i != only) || !part_member(&inner, part, w->t, &m))
			continue;
		btf_type(&w->t->btf, btf_resolve(&w->t->btf, m.type), &inner_type);
		if (*m.name && snprintf(step, sizeof(step), ".%s", m.name) < (int)sizeof(step))
			descend(w, &inner, step);
		else if (inner_type.kind == BTF_STRUCT || inner_type.kind == BTF_UNION)
			visit_members(w, &inner, btf_resolve(&w->t->btf, m.type), &inner_type);
	}
}

static bool visit_elements(struct walk *w, const struct part *part, const struct btf_type *array)
{
	uint32_t size;

	if (!array->array_count || array->array_count > LONGEST_ARRAY ||
	    !btf_size(&w->t->btf, array->array_type, 8, &size) || size == 1)
		return false;
	for (uint32_t i = 0; i < array->array_count; i++) {
		struct part inner = *part;
		char step[16];

		inner.offset += i * size;
		inner.btf = array->array_type;
		inner.type = value_from_btf(&w->t->btf, inner.btf, size);
		snprintf(step, sizeof(step), "[%u]", i);
		descend(w, &inner, step);
	}
	return true;
}

static void visit(struct walk *w, const struct part *part)
{
	uint32_t id = part->btf ? btf_resolve(&w->t->btf, part->btf) : 0;
	struct btf_type type = { .kind = BTF_VOID };

	if (id)
		btf_type(&w->t->btf, id, &type);
	if (type.kind == BTF_STRUCT && type.vlen)
		visit_members(w, part, id, &type);
	else if (type.kind != BTF_ARRAY || !visit_elements(w, part, &type))
		tell(w, part);
}

void bpfstamp_leaves(const struct bpfstamp_template *t, uint32_t injectable, bpfstamp_leaf_fn *fn, void *arg)
{
	const struct part whole = part_whole(&t->injectables[injectable]);
	struct walk w = { .t = t, .injectable = injectable, .fn = fn, .arg = arg };

	snprintf(w.path, sizeof(w.path), "%s", t->injectables[injectable].name);
	visit(&w, &whole);
}
