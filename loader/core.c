// SPDX-License-Identifier: BSD-2-Clause
/*
 * From a record to its answer:
 *
 *     record ──core_spec──► what it names in the object ──core_value──► what the instruction has now
 *                │
 *          candidates: the kernel's types of that name and kind
 *                │
 *                └─core_spec──► the same in each of them ──core_value──► one number ──core_patch──► instruction
 *
 * The kernel may have several types of one name: from source files that do not
 * include each other, or as flavors.  Those that lack what the record names do
 * not count, unless all of them do.  The others have to agree, for nobody knows
 * which of them the program will meet; of a field also in where it is, even if
 * the record only asks whether it exists.
 *
 * Modules are looked into only where vmlinux has no type of that name and
 * kind: reading them takes long, and libbpf finds what it finds in this order.
 *
 * Records do not influence each other.  In libbpf they do: a candidate that
 * one record rules out is not asked by later records of the same type, so
 * that it accepts some objects that are ambiguous here, in one order of their
 * records and not in another.
 */
#include "loader/core.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "loader/core_value.h"
#include "loader/err.h"

struct search {
	const struct btf_core_relo *relo;
	bool big, access;
	uint32_t pointer_size;
	struct core_spec local, target;
	struct core_work work;
	const char *name;	/* of the type, in the object */
	size_t len;		/* of its essential part */
	enum btf_kind kind;
	uint32_t candidates;
	/* the answer of the first candidate that has one */
	bool answered;
	struct core_value value;
	uint32_t id, bit_offset;
};

bool core_needs_kernel(const struct btf_core_relo *relo)
{
	return relo->kind != CORE_TYPE_ID_LOCAL;
}

/* The kernel's pointers are as large as its long. */
static uint32_t kernel_pointer_size(const struct kernel *k)
{
	static const char *const names[] = { "long unsigned int", "unsigned long", "long int", "long" };
	const struct btf *btf = &kernel_btf_at(k, 0)->btf;
	struct btf_type type;
	uint32_t i, id;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		id = kernel_find_type(k, 0, names[i], strlen(names[i]), 0);
		btf_type(btf, id, &type);
		if (type.kind == BTF_INT && (type.size == 4 || type.size == 8))
			return type.size;
	}
	return 8;
}

static bool agrees(const struct search *s, const struct core_value *value)
{
	if (value->number != s->value.number)
		return false;
	if (core_is_field(s->relo->kind) && s->target.bit_offset != s->bit_offset)
		return false;
	return !s->access || value->size == s->value.size;
}

/* An answer in full, as candidates compare it. */
static const char *answer_text(char buf[64], const struct search *s, const struct core_value *value,
			       uint32_t bit_offset)
{
	int64_t number = (int64_t)value->number;

	if (!core_is_field(s->relo->kind))
		snprintf(buf, 64, "%" PRId64, number);
	else if (!s->access)
		snprintf(buf, 64, "%" PRId64 " at bit %u", number, bit_offset);
	else
		snprintf(buf, 64, "%" PRId64 " at bit %u with %u bytes", number, bit_offset, value->size);
	return buf;
}

static int ambiguous(const struct search *s, uint32_t id, const struct core_value *value)
{
	char first[64], second[64];

	return err_set(s->work.err, EINVAL, "the kernel's types are ambiguous: %s in type %u, %s in type %u",
		       answer_text(first, s, &s->value, s->bit_offset), s->id,
		       answer_text(second, s, value, s->target.bit_offset), id);
}

static int try_candidate(struct search *s, const struct btf *btf, uint32_t id)
{
	struct core_value value;
	int same;

	same = core_spec_match(&s->target, (struct core_type){ btf, id }, s->pointer_size, &s->local, s->relo->kind,
			       &s->work);
	if (same <= 0)
		return same;
	if (core_value(&value, s->relo->kind, &s->target, s->big, s->work.err))
		return -1;
	if (s->answered)
		return agrees(s, &value) ? 0 : ambiguous(s, id, &value);
	s->answered = true;
	s->value = value;
	s->id = id;
	s->bit_offset = s->target.bit_offset;
	return 0;
}

static int search_btf(struct search *s, const struct kernel *k, uint32_t i)
{
	const struct kernel_btf *from = kernel_btf_at(k, i);
	struct btf_type type;
	uint32_t id = 0;

	while ((id = kernel_find_type(k, i, s->name, s->len, id))) {
		if (core_work_step(&s->work))
			return -1;
		btf_type(&from->btf, id, &type);
		if (!core_kinds_compat(s->kind, type.kind))
			continue;
		s->candidates++;
		if (try_candidate(s, &from->btf, id))
			return err_hint(s->work.err, " (type %u of %s)", id, from->name);
	}
	return 0;
}

static int search_kernel(struct search *s, struct kernel *k)
{
	uint32_t i;

	s->pointer_size = kernel_pointer_size(k);
	if (search_btf(s, k, 0))
		return -1;
	if (s->candidates)
		return 0;
	if (kernel_read_modules(k, s->work.err))
		return -1;
	for (i = 1; i < kernel_btf_count(k); i++)
		if (search_btf(s, k, i))
			return -1;
	return 0;
}

/* What the kernel's types give for a record whose spec in the object is s->local. */
static int kernel_value(struct search *s, struct kernel *k)
{
	struct btf_type type;

	btf_type(s->local.btf, s->relo->type, &type);
	if (!*type.name)
		return err_set(s->work.err, EINVAL, "type %u has no name to find it by", s->relo->type);
	s->name = type.name;
	s->len = kernel_essential(type.name);
	s->kind = type.kind;
	if (search_kernel(s, k))
		return -1;
	return s->answered ? 0 : core_value(&s->value, s->relo->kind, NULL, s->big, s->work.err);
}

static int relocate(struct search *s, const struct btf *btf, struct kernel *k, struct bpfinsn insn[2])
{
	struct core_value from;

	if (s->relo->kind >= CORE_KINDS)
		return err_set(s->work.err, ENOTSUP, "its kind %u is unknown", s->relo->kind);
	if (core_spec_parse(&s->local, btf, s->relo, s->work.err) ||
	    core_value(&from, s->relo->kind, &s->local, s->big, s->work.err))
		return -1;
	if (!core_needs_kernel(s->relo))
		return core_patch(insn, &from, &from, s->work.err);
	if (kernel_value(s, k))
		return -1;
	return core_patch(insn, &from, &s->value, s->work.err);
}

int core_relocate(const struct bpfstamp_template *t, struct kernel *k, const struct btf_core_relo *relo,
		  uint32_t index, struct bpfinsn insn[2], struct bpfstamp_err *err)
{
	struct search s;
	char text[256];

	s.relo = relo;
	s.big = t->btf.big;
	s.access = core_is_access(insn);
	s.work = (struct core_work){ CORE_WORK, err };
	s.candidates = 0;
	s.answered = false;
	if (!relocate(&s, &t->btf, k, insn))
		return 0;
	core_text(text, sizeof(text), t, relo);
	return err_wrap(err, "CO-RE record %u (%s)", index, text);
}
