// SPDX-License-Identifier: BSD-2-Clause
/*
 * The scalars of a variable, each with its path: what a manifest lists, what a
 * change is reported by, and what a running program is shown as.
 *
 * Arrays of single bytes, and arrays too long to be read by people, are leaves
 * of their own, as raw bytes.  So is a union, whose members share their bytes
 * and would contradict one another; one without a name is told by its largest
 * member.
 *
 * Types may be nested so that there are many more leaves than bytes: members of
 * a struct may overlap, and elements of an array have no size.  A limit on the
 * parts that are visited ends the walk through what no compiler made.
 */
#include <stdio.h>
#include <string.h>

#include "loader/path.h"

enum { PATH_SIZE = 512, LONGEST_ARRAY = 64 };

struct walk {
	const struct btf *btf;
	char path[PATH_SIZE];
	uint32_t left;		/* parts that may still be visited */
	part_leaf_fn *fn;
	void *arg;
};

static void visit(struct walk *w, const struct part *part);

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

/* Count parts that are looked at. */
static void spend(struct walk *w, uint32_t parts)
{
	w->left -= parts < w->left ? parts : w->left;
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
	uint32_t only = type->kind == BTF_UNION ? largest_member(w->btf, id, type->vlen) : UINT32_MAX;

	spend(w, type->vlen);
	for (uint32_t i = 0; i < type->vlen && w->left; i++) {
		struct btf_member m;
		struct btf_type inner_type;
		struct part inner;
		char step[PATH_SIZE];

		btf_member(w->btf, id, i, &m);
		if ((only != UINT32_MAX && i != only) || !part_member(&inner, part, w->btf, &m))
			continue;
		btf_type(w->btf, btf_resolve(w->btf, m.type), &inner_type);
		if (*m.name && snprintf(step, sizeof(step), ".%s", m.name) < (int)sizeof(step))
			descend(w, &inner, step);
		else if (inner_type.kind == BTF_STRUCT || inner_type.kind == BTF_UNION)
			visit_members(w, &inner, btf_resolve(w->btf, m.type), &inner_type);
	}
}

static bool visit_elements(struct walk *w, const struct part *part, const struct btf_type *array)
{
	uint32_t size;

	if (!array->array_count || array->array_count > LONGEST_ARRAY ||
	    !btf_size(w->btf, array->array_type, 8, &size) || size == 1)
		return false;
	for (uint32_t i = 0; i < array->array_count && w->left; i++) {
		struct part inner = *part;
		char step[16];

		inner.offset += i * size;
		inner.btf = array->array_type;
		inner.type = value_from_btf(w->btf, inner.btf, size);
		snprintf(step, sizeof(step), "[%u]", i);
		descend(w, &inner, step);
	}
	return true;
}

static void visit(struct walk *w, const struct part *part)
{
	uint32_t id = part->btf ? btf_resolve(w->btf, part->btf) : 0;
	struct btf_type type = { .kind = BTF_VOID };

	spend(w, 1);
	if (!w->left)
		return;
	if (id)
		btf_type(w->btf, id, &type);
	if (type.kind == BTF_STRUCT && type.vlen)
		visit_members(w, part, id, &type);
	else if (type.kind != BTF_ARRAY || !visit_elements(w, part, &type))
		w->fn(w->path, part, w->arg);
}

bool part_leaves(const struct part *whole, const struct btf *btf, const char *name, uint32_t limit, part_leaf_fn *fn,
		 void *arg)
{
	struct walk w = { .btf = btf, .left = limit, .fn = fn, .arg = arg };

	snprintf(w.path, sizeof(w.path), "%s", name);
	visit(&w, whole);
	return w.left;
}

struct telling {
	const struct bpfstamp_template *t;
	uint32_t injectable;
	bpfstamp_leaf_fn *fn;
	void *arg;
};

static void tell(const char *path, const struct part *part, void *arg)
{
	const struct telling *telling = arg;
	struct bpfstamp_leaf leaf = { .path = path, .ref = part_ref(part, telling->injectable) };

	value_type_text(&part->type, telling->t->btf.type_count ? &telling->t->btf : NULL, leaf.type,
			sizeof(leaf.type));
	telling->fn(&leaf, telling->arg);
}

void bpfstamp_leaves(const struct bpfstamp_template *t, uint32_t injectable, bpfstamp_leaf_fn *fn, void *arg)
{
	const struct part whole = part_whole(&t->injectables[injectable]);
	struct telling telling = { .t = t, .injectable = injectable, .fn = fn, .arg = arg };

	part_leaves(&whole, &t->btf, t->injectables[injectable].name, PART_LEAVES_MOST, tell, &telling);
}
