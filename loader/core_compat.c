// SPDX-License-Identifier: BSD-2-Clause
/*
 * Comparing types.  Modifiers and typedefs are looked through everywhere.
 *
 *              fields                  types (kinds 6-9)        match (kind 12)
 *   int        any size and sign       any size and sign        same size and sign
 *   pointer    any                     what they point to       what they point to
 *   array      elements                elements                 elements and their number
 *   struct,    any, and either for     same kind                same kind; each member is in the kernel's,
 *   union      the other                                        by name, and matches; behind a pointer: name
 *   enum       same name, or none      any                      same size; each enumerator by name
 *   forward    same name               any                      same kind; behind a pointer that of its struct
 *   function   never                   parameters and result    parameters and result
 *   float      any                     never                    never
 *
 * "match" wants the same names of all types but typedefs, too.  An int with an
 * offset is a bitfield of old BTF, which has no size to load.
 *
 * BTF has no loops by value, but pointers and functions make some: 32 levels
 * either way are an error, as in libbpf, so that all loaders answer alike.  As
 * one level can have many members and each of them as many again, work counts
 * every comparison besides.
 */
#include "loader/core_compat.h"

#include <errno.h>
#include <string.h>

#include "loader/kernel.h"

enum { LEVELS_MAX = 32 };

struct pair {	/* what is compared, resolved, and described */
	struct core_type local, target;
	struct btf_type l, t;
};

int core_work_step(struct core_work *work)
{
	if (!work->left)
		return err_set(work->err, E2BIG, "comparing the types takes more than %d steps", CORE_WORK);
	work->left--;
	return 0;
}

static int too_deep(const struct core_work *work)
{
	return err_set(work->err, ELOOP, "the types nest deeper than %d levels", LEVELS_MAX);
}

static bool is_composite(enum btf_kind kind)
{
	return kind == BTF_STRUCT || kind == BTF_UNION;
}

static bool is_enum(enum btf_kind kind)
{
	return kind == BTF_ENUM || kind == BTF_ENUM64;
}

bool core_kinds_compat(enum btf_kind a, enum btf_kind b)
{
	return a == b || (is_enum(a) && is_enum(b));
}

bool core_names_match(const char *a, const char *b)
{
	size_t len = kernel_essential(a);

	return len == kernel_essential(b) && !memcmp(a, b, len);
}

static void describe(struct pair *pair, uint32_t local, uint32_t target)
{
	pair->local.id = btf_resolve(pair->local.btf, local);
	pair->target.id = btf_resolve(pair->target.btf, target);
	btf_type(pair->local.btf, pair->local.id, &pair->l);
	btf_type(pair->target.btf, pair->target.id, &pair->t);
}

static bool plain_ints(const struct pair *pair)
{
	return !pair->l.int_offset && !pair->t.int_offset;
}

bool core_fields_compat(struct core_type local, struct core_type target)
{
	struct pair pair = { .local = local, .target = target };

	describe(&pair, local.id, target.id);
	while (pair.l.kind == BTF_ARRAY && pair.t.kind == BTF_ARRAY)
		describe(&pair, pair.l.array_type, pair.t.array_type);
	if (is_composite(pair.l.kind) && is_composite(pair.t.kind))
		return true;
	if (!core_kinds_compat(pair.l.kind, pair.t.kind))
		return false;
	switch (pair.l.kind) {
	case BTF_PTR:
	case BTF_FLOAT:
		return true;
	case BTF_INT:
		return plain_ints(&pair);
	case BTF_FWD:
	case BTF_ENUM:
	case BTF_ENUM64:
		return !*pair.l.name || !*pair.t.name || core_names_match(pair.l.name, pair.t.name);
	default:
		return false;
	}
}

static int compat(struct core_type local, struct core_type target, unsigned int levels, struct core_work *work);

static int params_compat(const struct pair *pair, unsigned int levels, struct core_work *work)
{
	struct core_type local = pair->local, target = pair->target;
	struct btf_param l, t;
	uint32_t i;
	int same;

	if (pair->l.vlen != pair->t.vlen)
		return 0;
	if (pair->l.vlen && !levels)
		return too_deep(work);
	for (i = 0; i < pair->l.vlen; i++) {
		btf_param(pair->local.btf, pair->local.id, i, &l);
		btf_param(pair->target.btf, pair->target.id, i, &t);
		local.id = l.type;
		target.id = t.type;
		same = compat(local, target, levels - 1, work);
		if (same <= 0)
			return same;
	}
	return 1;
}

/* What decides on its own level: 1 or 0; otherwise 2, with the pair's types to look at next. */
static int compat_here(struct pair *pair, unsigned int levels, struct core_work *work)
{
	int same;

	if (!core_kinds_compat(pair->l.kind, pair->t.kind))
		return 0;
	switch (pair->l.kind) {
	case BTF_VOID:
	case BTF_STRUCT:
	case BTF_UNION:
	case BTF_ENUM:
	case BTF_ENUM64:
	case BTF_FWD:
		return 1;
	case BTF_INT:
		return plain_ints(pair);
	case BTF_ARRAY:
		describe(pair, pair->l.array_type, pair->t.array_type);
		return 2;
	case BTF_FUNC_PROTO:
		same = params_compat(pair, levels, work);
		if (same <= 0)
			return same;
		describe(pair, pair->l.type, pair->t.type);
		return 2;
	case BTF_PTR:
		describe(pair, pair->l.type, pair->t.type);
		return 2;
	default:
		return 0;
	}
}

static int compat(struct core_type local, struct core_type target, unsigned int levels, struct core_work *work)
{
	struct pair pair = { .local = local, .target = target };
	int depth, same;

	describe(&pair, local.id, target.id);
	for (depth = 0; depth < LEVELS_MAX; depth++) {
		if (core_work_step(work))
			return -1;
		same = compat_here(&pair, levels, work);
		if (same < 2)
			return same;
	}
	return too_deep(work);
}

int core_types_compat(struct core_type local, struct core_type target, struct core_work *work)
{
	return compat(local, target, LEVELS_MAX, work);
}

static int match(struct core_type local, struct core_type target, bool behind_pointer, unsigned int levels,
		 struct core_work *work);

static bool exact_names_match(const char *local, const char *target)
{
	return *target ? core_names_match(local, target) : !*local;
}

static int find_enumerator(const struct pair *pair, const char *name, struct core_work *work)
{
	struct btf_enumerator t;
	uint32_t i;

	for (i = 0; i < pair->t.vlen; i++) {
		if (core_work_step(work))
			return -1;
		btf_enumerator(pair->target.btf, pair->target.id, i, &t);
		if (exact_names_match(name, t.name))
			return 1;
	}
	return 0;
}

static int enums_match(const struct pair *pair, struct core_work *work)
{
	struct btf_enumerator l;
	uint32_t i;
	int found;

	if (!is_enum(pair->t.kind) || pair->l.size != pair->t.size || pair->l.vlen > pair->t.vlen)
		return 0;
	for (i = 0; i < pair->l.vlen; i++) {
		btf_enumerator(pair->local.btf, pair->local.id, i, &l);
		found = find_enumerator(pair, l.name, work);
		if (found <= 0)
			return found;
	}
	return 1;
}

static int find_matching_member(const struct pair *pair, const struct btf_member *l, bool behind_pointer,
				unsigned int levels, struct core_work *work)
{
	struct core_type local = { pair->local.btf, l->type }, target = pair->target;
	struct btf_member t;
	uint32_t i;
	int same;

	for (i = 0; i < pair->t.vlen; i++) {
		if (core_work_step(work))
			return -1;
		btf_member(pair->target.btf, pair->target.id, i, &t);
		if (!exact_names_match(l->name, t.name))
			continue;
		target.id = t.type;
		same = match(local, target, behind_pointer, levels, work);
		if (same)
			return same;
	}
	return 0;
}

/* A forward declaration stands for a struct or, where its flag says so, for a union. */
static enum btf_kind declared(const struct btf_type *type)
{
	if (type->kind != BTF_FWD)
		return type->kind;
	return type->kind_flag ? BTF_UNION : BTF_STRUCT;
}

static int composites_match(const struct pair *pair, bool behind_pointer, unsigned int levels, struct core_work *work)
{
	struct btf_member l;
	uint32_t i;
	int found;

	if (behind_pointer)
		return declared(&pair->l) == declared(&pair->t);
	if (pair->l.kind != pair->t.kind || pair->l.vlen > pair->t.vlen)
		return 0;
	for (i = 0; i < pair->l.vlen; i++) {
		btf_member(pair->local.btf, pair->local.id, i, &l);
		found = find_matching_member(pair, &l, behind_pointer, levels - 1, work);
		if (found <= 0)
			return found;
	}
	return 1;
}

static int params_match(const struct pair *pair, bool behind_pointer, unsigned int levels, struct core_work *work)
{
	struct core_type local = pair->local, target = pair->target;
	struct btf_param l, t;
	uint32_t i;
	int same;

	if (pair->l.vlen != pair->t.vlen)
		return 0;
	for (i = 0; i < pair->l.vlen; i++) {
		btf_param(pair->local.btf, pair->local.id, i, &l);
		btf_param(pair->target.btf, pair->target.id, i, &t);
		local.id = l.type;
		target.id = t.type;
		same = match(local, target, behind_pointer, levels - 1, work);
		if (same <= 0)
			return same;
	}
	return 1;
}

static bool ints_match(const struct pair *pair)
{
	return pair->l.size == pair->t.size &&
	       (pair->l.int_encoding & BTF_INT_SIGNED) == (pair->t.int_encoding & BTF_INT_SIGNED);
}

/* As compat_here. */
static int match_here(struct pair *pair, bool *behind_pointer, unsigned int levels, struct core_work *work)
{
	int same;

	if (!exact_names_match(pair->l.name, pair->t.name))
		return 0;
	switch (pair->l.kind) {
	case BTF_ENUM:
	case BTF_ENUM64:
		return enums_match(pair, work);
	case BTF_STRUCT:
	case BTF_UNION:
		return composites_match(pair, *behind_pointer, levels, work);
	case BTF_FWD:
		if (*behind_pointer)
			return declared(&pair->l) == declared(&pair->t);
		return pair->t.kind == BTF_FWD && pair->l.kind_flag == pair->t.kind_flag;
	default:
		break;
	}
	if (pair->l.kind != pair->t.kind)
		return 0;
	switch (pair->l.kind) {
	case BTF_VOID:
		return 1;
	case BTF_INT:
		return ints_match(pair);
	case BTF_PTR:
		*behind_pointer = true;
		describe(pair, pair->l.type, pair->t.type);
		return 2;
	case BTF_ARRAY:
		if (pair->l.array_count != pair->t.array_count)
			return 0;
		describe(pair, pair->l.array_type, pair->t.array_type);
		return 2;
	case BTF_FUNC_PROTO:
		same = params_match(pair, *behind_pointer, levels, work);
		if (same <= 0)
			return same;
		describe(pair, pair->l.type, pair->t.type);
		return 2;
	default:
		return 0;
	}
}

static int match(struct core_type local, struct core_type target, bool behind_pointer, unsigned int levels,
		 struct core_work *work)
{
	struct pair pair = { .local = local, .target = target };
	int depth, same;

	if (!levels)
		return too_deep(work);
	describe(&pair, local.id, target.id);
	for (depth = 0; depth < LEVELS_MAX; depth++) {
		if (core_work_step(work))
			return -1;
		same = match_here(&pair, &behind_pointer, levels, work);
		if (same < 2)
			return same;
	}
	return too_deep(work);
}

int core_types_match(struct core_type local, struct core_type target, struct core_work *work)
{
	return match(local, target, false, LEVELS_MAX, work);
}
