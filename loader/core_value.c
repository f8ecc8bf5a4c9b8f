// SPDX-License-Identifier: BSD-2-Clause
/*
 * The numbers of all kinds of records.
 *
 * A bitfield is read as the program's macros do it: load `size` bytes at
 * `offset`, an aligned integer that holds all of it; shift left until its top
 * bit is bit 63, then right until its lowest is bit 0, with the sign or
 * without.  The integer is the declared type, or the next larger one, as the
 * field may cross a border of the declared one.
 *
 *     little-endian  bit 63                                  bit 0
 *                      | … | above | field | below |            lshift = 64 - (below + bits)
 *     big-endian       | … | bits in front | field | behind |   lshift = 64 - 8 * size + bits in front
 *     rshift = 64 - bits
 *
 * A field that is no bitfield is one of as many bits as its size has.
 *
 * The object's own number is what the compiler wrote into the instruction, so
 * that a record that does not belong to it is found out.  Of bitfields
 * compilers disagree about the integer to load, and linkers renumber types:
 * there the number is unsure.
 */
#include "loader/core_value.h"

#include <errno.h>

struct field {	/* the integer, or whatever else, that is loaded */
	uint32_t offset, size;	/* bytes */
	uint32_t bit_offset, bit_size;
};

static int bitfield_place(struct field *field, const struct core_spec *spec, const struct btf_type *type,
			  struct bpfstamp_err *err)
{
	uint64_t end = (uint64_t)spec->bit_offset + spec->bit_size;
	uint32_t size = type->size;

	if (type->kind != BTF_INT && type->kind != BTF_ENUM && type->kind != BTF_ENUM64)
		return err_set(err, EINVAL, "it is a bitfield of type %u, which is neither an integer nor an enum",
			       spec->type);
	for (; size && size <= 8; size *= 2) {
		field->size = size;
		field->offset = spec->bit_offset / 8 / size * size;
		field->bit_offset = spec->bit_offset;
		field->bit_size = spec->bit_size;
		if (end - 8 * (uint64_t)field->offset <= 8 * size)
			return 0;
	}
	return err_set(err, E2BIG, "it is a bitfield that no 64-bit load has whole");
}

static int field_place(struct field *field, const struct core_spec *spec, const struct btf_type *type,
		       struct bpfstamp_err *err)
{
	if (spec->bit_size)
		return bitfield_place(field, spec, type, err);
	if (!btf_size(spec->btf, spec->type, spec->pointer_size, &field->size))
		return err_set(err, EINVAL, "type %u has no size", spec->type);
	field->offset = spec->bit_offset / 8;
	field->bit_offset = spec->bit_offset;
	field->bit_size = 0;
	return 0;
}

/* Wraps around for what is larger than 64 bits: the instruction was then as useless as it will be. */
static uint64_t shift_left(const struct field *field, bool big)
{
	uint64_t front = field->bit_offset - 8 * (uint64_t)field->offset;
	uint64_t bits = field->bit_size ? field->bit_size : 8 * (uint64_t)field->size;

	return big ? 64 - 8 * (uint64_t)field->size + front : 64 - (front + bits);
}

static bool is_signed(const struct btf_type *type)
{
	if (type->kind == BTF_ENUM || type->kind == BTF_ENUM64)
		return type->kind_flag;
	return type->kind == BTF_INT && type->int_encoding & BTF_INT_SIGNED;
}

/* What a load or store of the field has to know; an array is loaded an element at a time. */
static int describe_access(struct core_value *out, const struct core_spec *spec, const struct btf_type *type,
			   struct bpfstamp_err *err)
{
	struct btf_type element = *type;
	uint32_t id = spec->type;

	out->kind = type->kind;
	out->is_signed = is_signed(type);
	while (element.kind == BTF_ARRAY) {
		id = btf_resolve(spec->btf, element.array_type);
		btf_type(spec->btf, id, &element);
	}
	if (!btf_size(spec->btf, id, spec->pointer_size, &out->size))
		return err_set(err, EINVAL, "type %u has no size", id);
	return 0;
}

static int field_value(struct core_value *out, uint32_t kind, const struct core_spec *spec, bool big,
		       struct bpfstamp_err *err)
{
	struct field field;
	struct btf_type type;

	btf_type(spec->btf, spec->type, &type);
	if (!spec->steps[spec->count - 1].name && kind != CORE_FIELD_OFFSET && kind != CORE_FIELD_SIZE)
		return err_set(err, EINVAL, "an element of an array has an offset and a size only");
	if (field_place(&field, spec, &type, err))
		return -1;
	out->unsure = field.bit_size && kind != CORE_FIELD_SIGNED && kind != CORE_FIELD_RSHIFT;
	switch (kind) {
	case CORE_FIELD_OFFSET:
		out->number = field.offset;
		return field.bit_size ? 0 : describe_access(out, spec, &type, err);
	case CORE_FIELD_SIZE:
		out->number = field.size;
		return 0;
	case CORE_FIELD_SIGNED:
		out->number = is_signed(&type);
		return 0;
	case CORE_FIELD_LSHIFT:
		out->number = shift_left(&field, big);
		return 0;
	default:
		out->number = 64 - (field.bit_size ? field.bit_size : 8 * (uint64_t)field.size);
		return 0;
	}
}

static void enum_value(struct core_value *out, const struct core_spec *spec)
{
	const struct btf_type *type = &spec->enumeration;

	out->number = spec->enumerator.value;
	out->is_signed = type->kind_flag;
	out->any_sign = type->kind == BTF_ENUM && !type->kind_flag && out->number >> 31;
}

static int type_size(struct core_value *out, const struct core_spec *spec, struct bpfstamp_err *err)
{
	uint32_t size;

	if (!btf_size(spec->btf, spec->root, spec->pointer_size, &size))
		return err_set(err, EINVAL, "type %u has no size", spec->root);
	out->number = size;
	return 0;
}

int core_value(struct core_value *out, uint32_t kind, const struct core_spec *spec, bool big,
	       struct bpfstamp_err *err)
{
	*out = (struct core_value){ .number = spec != NULL };
	switch (kind) {
	case CORE_FIELD_EXISTS:
	case CORE_TYPE_EXISTS:
	case CORE_TYPE_MATCHES:
	case CORE_ENUM_EXISTS:
		return 0;
	case CORE_TYPE_ID_LOCAL:
	case CORE_TYPE_ID_TARGET:
		out->number = spec ? spec->root : 0;
		out->unsure = true;
		return 0;
	case CORE_TYPE_SIZE:
		return spec ? type_size(out, spec, err) : 0;
	default:
		break;
	}
	out->missing = !spec;
	if (!spec)
		return 0;
	if (core_is_field(kind))
		return field_value(out, kind, spec, big, err);
	enum_value(out, spec);
	return 0;
}
