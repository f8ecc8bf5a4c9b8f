// SPDX-License-Identifier: BSD-2-Clause
/*
 * Paths.  The access string counts in the object's own types: "0:2:1" is
 * element 0 of what the pointer points to, its third member, and of that the
 * second member or element.  Only the names of the members and the numbers of
 * the elements mean something elsewhere, so these are what a path consists of;
 * members without a name are walked through here, and looked through there.
 *
 * A field keeps its name wherever it moves: into or out of anonymous structs
 * and unions, and to another size.  If what the name means became another kind
 * of thing it counts as missing (core_fields_compat).
 *
 * The last member of a struct may be an array of no elements, of which any
 * exists.  Offsets are summed up in 64 bits, and may not exceed 32.
 *
 * The work at hand bounds the search through anonymous members: sixty-four
 * levels of them, two on each, would outlast us all.
 */
#include "loader/core_spec.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

/* The next number of an access string, with the colon in front of all but the first. */
static bool next_index(const char **access, bool first, uint32_t *index)
{
	const char *s = *access;
	uint64_t n = 0;

	if (!first && *s++ != ':')
		return false;
	if (!isdigit((unsigned char)*s))
		return false;
	for (; isdigit((unsigned char)*s) && n <= INT_MAX; s++)
		n = n * 10 + (unsigned int)(*s - '0');
	*access = s;
	*index = (uint32_t)n;
	return n <= INT_MAX;
}

static int parse_access(const char *access, uint32_t *indexes, uint32_t *count, struct bpfstamp_err *err)
{
	const char *s = access;

	for (*count = 0; *s || !*count; ++*count) {
		if (*count == CORE_STEPS)
			return err_set(err, E2BIG, "its access has more than %d steps", CORE_STEPS);
		if (!next_index(&s, !*count, &indexes[*count]))
			return err_set(err, EINVAL, "its access '%.80s' is malformed", access);
	}
	return 0;
}

static int add_bits(struct core_spec *spec, uint64_t bits, struct bpfstamp_err *err)
{
	if (bits > UINT32_MAX - spec->bit_offset)
		return err_set(err, EOVERFLOW, "its offset is larger than 512 MiB");
	spec->bit_offset += (uint32_t)bits;
	return 0;
}

static void add_step(struct core_spec *spec, uint32_t type, uint32_t index, const char *name)
{
	spec->steps[spec->count++] = (struct core_step){ .type = type, .index = index, .name = name };
}

/* Go on to element index of things of type id. */
static int add_element(struct core_spec *spec, uint32_t id, uint32_t index, struct bpfstamp_err *err)
{
	uint32_t size;

	spec->type = btf_resolve(spec->btf, id);
	spec->bit_size = 0;
	add_step(spec, spec->type, index, NULL);
	if (!btf_size(spec->btf, id, spec->pointer_size, &size))
		return err_set(err, EINVAL, "type %u on its path has no size", id);
	if (size && index > UINT32_MAX / size)
		return err_set(err, EOVERFLOW, "its offset is larger than 512 MiB");
	return add_bits(spec, (uint64_t)index * size * 8, err);
}

/* Whether an array at the end of the path has an element of that index. */
static bool has_element(const struct core_spec *spec, const struct btf_type *array, uint32_t index)
{
	const struct core_step *last = &spec->steps[spec->count - 1];
	struct btf_type outer;

	if (index < array->array_count)
		return true;
	if (array->array_count || !last->name)
		return false;
	btf_type(spec->btf, last->type, &outer);
	return last->index == outer.vlen - 1;
}

static int parse_member(struct core_spec *spec, const struct btf_type *type, uint32_t index, struct bpfstamp_err *err)
{
	struct btf_member member;

	if (index >= type->vlen)
		return err_set(err, EINVAL, "type %u on its path has %u members, and no %u", spec->type, type->vlen,
			       index);
	btf_member(spec->btf, spec->type, index, &member);
	if (*member.name)
		add_step(spec, spec->type, index, member.name);
	spec->type = btf_resolve(spec->btf, member.type);
	spec->bit_size = member.bit_size;
	return add_bits(spec, member.bit_offset, err);
}

static int parse_step(struct core_spec *spec, uint32_t index, struct bpfstamp_err *err)
{
	struct btf_type type;

	btf_type(spec->btf, spec->type, &type);
	if (type.kind == BTF_STRUCT || type.kind == BTF_UNION)
		return parse_member(spec, &type, index, err);
	if (type.kind != BTF_ARRAY)
		return err_set(err, EINVAL, "type %u on its path is neither struct, union nor array", spec->type);
	if (!has_element(spec, &type, index))
		return err_set(err, EINVAL, "type %u on its path has %u elements, and no %u", spec->type,
			       type.array_count, index);
	return add_element(spec, type.array_type, index, err);
}

static int parse_field(struct core_spec *spec, const uint32_t *indexes, uint32_t count, struct bpfstamp_err *err)
{
	uint32_t i, steps;

	if (add_element(spec, spec->root, indexes[0], err))
		return -1;
	for (i = 1; i < count; i++) {
		steps = spec->count;
		if (parse_step(spec, indexes[i], err))
			return -1;
		if (i == count - 1 && spec->count == steps)
			return err_set(err, EINVAL, "it ends in a member without a name");
	}
	return 0;
}

static int parse_enumerator(struct core_spec *spec, const uint32_t *indexes, uint32_t count, struct bpfstamp_err *err)
{
	uint32_t id = btf_resolve(spec->btf, spec->root);

	btf_type(spec->btf, id, &spec->enumeration);
	if (spec->enumeration.kind != BTF_ENUM && spec->enumeration.kind != BTF_ENUM64)
		return err_set(err, EINVAL, "type %u is no enum", spec->root);
	if (count > 1 || indexes[0] >= spec->enumeration.vlen)
		return err_set(err, EINVAL, "the enum has %u values, and none %u%s", spec->enumeration.vlen,
			       indexes[0], count > 1 ? ":…" : "");
	btf_enumerator(spec->btf, id, indexes[0], &spec->enumerator);
	return 0;
}

int core_spec_parse(struct core_spec *local, const struct btf *btf, const struct btf_core_relo *relo,
		    struct bpfstamp_err *err)
{
	uint32_t indexes[CORE_STEPS], count;

	local->btf = btf;
	local->pointer_size = 8;
	local->root = relo->type;
	local->count = local->bit_offset = 0;
	if (parse_access(relo->access, indexes, &count, err))
		return -1;
	if (core_is_field(relo->kind))
		return parse_field(local, indexes, count, err);
	if (core_is_enum(relo->kind))
		return parse_enumerator(local, indexes, count, err);
	if (count > 1 || indexes[0])
		return err_set(err, EINVAL, "its access is '%.80s', where that of a type is '0'", relo->access);
	return 0;
}

static int too_deep(const struct core_spec *target, struct bpfstamp_err *err)
{
	return err_set(err, E2BIG, "type %u of the kernel nests deeper than %d levels", target->root, CORE_STEPS);
}

/* Step to member i of composite id of the kernel, if it can be what the object's is. */
static int step_to_member(struct core_spec *target, uint32_t id, uint32_t i, const struct core_spec *local,
			  const struct core_step *step, struct bpfstamp_err *err)
{
	struct core_type from = { local->btf, 0 }, to = { target->btf, 0 };
	struct btf_member ours, theirs;

	btf_member(local->btf, step->type, step->index, &ours);
	btf_member(target->btf, id, i, &theirs);
	from.id = ours.type;
	to.id = theirs.type;
	if (!core_fields_compat(from, to))
		return 0;
	add_step(target, id, i, theirs.name);
	target->type = btf_resolve(target->btf, theirs.type);
	target->bit_size = theirs.bit_size;
	return add_bits(target, theirs.bit_offset, err) ? -1 : 1;
}

/*
 * Look for a member by name in type id, which is depth anonymous levels below
 * the path's end: 1 having stepped to it, 0 where there is none, or -1.
 */
static int match_member(struct core_spec *target, uint32_t id, uint32_t depth, const struct core_spec *local,
			const struct core_step *step, struct core_work *work)
{
	struct btf_member member;
	struct btf_type type;
	uint32_t i;
	int found;

	btf_type(target->btf, id, &type);
	if (type.kind != BTF_STRUCT && type.kind != BTF_UNION)
		return 0;
	if (target->count + depth >= CORE_STEPS)
		return too_deep(target, work->err);
	for (i = 0; i < type.vlen; i++) {
		if (core_work_step(work))
			return -1;
		btf_member(target->btf, id, i, &member);
		if (!strcmp(member.name, step->name))
			return step_to_member(target, id, i, local, step, work->err);
		if (*member.name)
			continue;
		found = match_member(target, btf_resolve(target->btf, member.type), depth + 1, local, step, work);
		if (found < 0 || (found && add_bits(target, member.bit_offset, work->err)))
			return -1;
		if (found)
			return 1;
	}
	return 0;
}

static int match_element(struct core_spec *target, const struct core_step *step, struct core_work *work)
{
	struct btf_type type;

	btf_type(target->btf, target->type, &type);
	if (type.kind != BTF_ARRAY || !has_element(target, &type, step->index))
		return 0;
	if (target->count == CORE_STEPS)
		return too_deep(target, work->err);
	return add_element(target, type.array_type, step->index, work->err) ? -1 : 1;
}

static int match_field(struct core_spec *target, const struct core_spec *local, struct core_work *work)
{
	uint32_t i;
	int found;

	if (add_element(target, target->root, local->steps[0].index, work->err))
		return -1;
	for (i = 1; i < local->count; i++) {
		if (local->steps[i].name)
			found = match_member(target, target->type, 0, local, &local->steps[i], work);
		else
			found = match_element(target, &local->steps[i], work);
		if (found <= 0)
			return found;
	}
	return 1;
}

static int match_enumerator(struct core_spec *target, const struct core_spec *local, struct core_work *work)
{
	uint32_t id = btf_resolve(target->btf, target->root);
	uint32_t i;

	btf_type(target->btf, id, &target->enumeration);
	if (target->enumeration.kind != BTF_ENUM && target->enumeration.kind != BTF_ENUM64)
		return 0;
	for (i = 0; i < target->enumeration.vlen; i++) {
		if (core_work_step(work))
			return -1;
		btf_enumerator(target->btf, id, i, &target->enumerator);
		if (core_names_match(local->enumerator.name, target->enumerator.name))
			return 1;
	}
	return 0;
}

int core_spec_match(struct core_spec *target, struct core_type root, uint32_t pointer_size,
		    const struct core_spec *local, uint32_t kind, struct core_work *work)
{
	struct core_type from = { local->btf, local->root };

	target->btf = root.btf;
	target->pointer_size = pointer_size;
	target->root = root.id;
	target->count = target->bit_offset = 0;
	if (core_is_field(kind))
		return match_field(target, local, work);
	if (core_is_enum(kind))
		return match_enumerator(target, local, work);
	if (kind == CORE_TYPE_MATCHES)
		return core_types_match(from, root, work);
	return core_types_compat(from, root, work);
}
