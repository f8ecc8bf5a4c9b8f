// SPDX-License-Identifier: BSD-2-Clause
/*
 * Walking types by a path.
 *
 * Members of anonymous structs and unions belong to the aggregate around them,
 * as in C.  A bitfield counts its bits from the start of its aggregate: from
 * the lowest bit of the first byte on where the object is little-endian, from
 * the highest where it is big-endian; either way its bits are in order, so it
 * is read and written bit by bit, which needs no storage unit and no
 * alignment.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/err.h"
#include "loader/near.h"
#include "loader/path.h"

enum { NESTING = 32 };	/* of anonymous members; BTF was checked not to return to itself */

/* The length of variable, if name begins with it, and with nothing but a path behind it. */
static size_t name_at(const char *name, const char *variable)
{
	size_t len = strlen(variable);
	bool begins = !strncmp(variable, name, len);

	return begins && (!name[len] || name[len] == '.' || name[len] == '[') ? len : 0;
}

size_t path_name(const char *name, const char *section, const char *variable)
{
	size_t len = name_at(name, variable), prefix = strlen(section);

	if (len || strncmp(section, name, prefix) != 0 || name[prefix] != ':')
		return len;
	len = name_at(name + prefix + 1, variable);
	return len ? prefix + 1 + len : 0;
}

struct part part_whole(const struct injectable *inj)
{
	return (struct part){ .btf = inj->type.btf, .type = inj->type };
}

struct bpfstamp_ref part_ref(const struct part *part, uint32_t injectable)
{
	return (struct bpfstamp_ref){ .injectable = injectable, .offset = part->offset, .size = part->type.size,
				      .bit_offset = part->bit_offset, .btf = part->type.btf,
				      .form = (uint8_t)part->type.form, .bits = part->type.bits,
				      .bitfield = part->bitfield, .is_signed = part->type.is_signed,
				      .any_sign = part->type.any_sign };
}

struct part part_from_ref(const struct bpfstamp_ref *ref)
{
	return (struct part){ .offset = ref->offset, .bit_offset = ref->bit_offset, .btf = ref->btf,
			      .bitfield = ref->bitfield,
			      .type = { .form = (enum value_form)ref->form, .size = ref->size, .bits = ref->bits,
					.is_signed = ref->is_signed, .any_sign = ref->any_sign, .btf = ref->btf } };
}

bool part_member(struct part *part, const struct part *outer, const struct btf *btf,
		 const struct btf_member *m)
{
	uint32_t size;

	*part = *outer;
	part->btf = m->type;
	part->bitfield = m->bit_size;
	if (!btf_size(btf, m->type, 8, &size))
		return false;
	part->type = value_from_btf(btf, m->type, size);
	if (!m->bit_size) {
		if (m->bit_offset / 8 > outer->type.size || size > outer->type.size - m->bit_offset / 8)
			return false;	/* btf_open has checked where it begins */
		part->offset += m->bit_offset / 8;
		return true;
	}
	part->bit_offset = m->bit_offset;
	if (!part->type.bits || m->bit_size > part->type.bits)
		return false;
	part->type.bits = (uint8_t)m->bit_size;
	return true;
}

static bool take_member(struct part *part, const struct btf *btf, const char *name, size_t len,
			int nesting)
{
	uint32_t id = btf_resolve(btf, part->btf);
	struct btf_type type;

	btf_type(btf, id, &type);
	if ((type.kind != BTF_STRUCT && type.kind != BTF_UNION) || !nesting)
		return false;
	for (uint32_t i = 0; i < type.vlen; i++) {
		struct btf_member m;
		struct part inner;

		btf_member(btf, id, i, &m);
		if (!part_member(&inner, part, btf, &m))
			continue;
		if ((strlen(m.name) == len && !strncmp(m.name, name, len)) ||
		    (!*m.name && !m.bit_size && take_member(&inner, btf, name, len, nesting - 1))) {
			*part = inner;
			return true;
		}
	}
	return false;
}

static int take_index(struct part *part, const struct btf *btf, const char **path,
		      struct bpfstamp_err *err)
{
	struct btf_type array;
	unsigned long index;
	uint32_t size;
	char *end;

	btf_type(btf, btf_resolve(btf, part->btf), &array);
	if (array.kind != BTF_ARRAY)
		return err_set(err, EINVAL, "%s: what is in front is not an array", *path);
	errno = 0;
	index = strtoul(*path + 1, &end, 0);
	if (end == *path + 1 || *end != ']' || errno)
		return err_set(err, EINVAL, "%s: expected [number]", *path);
	if (index >= array.array_count || !btf_size(btf, array.array_type, 8, &size))
		return err_set(err, ERANGE, "%s: the array has %u elements", *path, array.array_count);
	part->offset += (uint32_t)index * size;
	part->btf = array.array_type;
	part->type = value_from_btf(btf, array.array_type, size);
	*path = end + 1;
	return 0;
}

/* No such member: say which one is near. */
static int no_member(const struct part *part, const struct btf *btf, const char *name, size_t len,
		     struct bpfstamp_err *err)
{
	uint32_t id = btf_resolve(btf, part->btf);
	struct near near = near_to(name, len);
	struct btf_type type;

	err_set(err, ENOENT, "no member .%.*s", (int)len, name);
	btf_type(btf, id, &type);
	for (uint32_t i = 0; (type.kind == BTF_STRUCT || type.kind == BTF_UNION) && i < type.vlen; i++) {
		struct btf_member m;
		struct part inner;

		btf_member(btf, id, i, &m);
		if (part_member(&inner, part, btf, &m))
			near_consider(&near, m.name);
	}
	near_suggest(&near, err);
	return -1;
}

static int step(struct part *part, const struct btf *btf, const char **path, struct bpfstamp_err *err)
{
	size_t len;

	if (part->bitfield)
		return err_set(err, EINVAL, "%s: what is in front is a bitfield", *path);
	if (**path == '[')
		return take_index(part, btf, path, err);
	len = strcspn(*path + 1, ".[");
	if (**path != '.' || !len)
		return err_set(err, ENOENT, "no member %s", *path);
	if (!take_member(part, btf, *path + 1, len, NESTING))
		return no_member(part, btf, *path + 1, len, err);
	*path += 1 + len;
	return 0;
}

int part_follow(struct part *part, const struct btf *btf, const char *path, struct bpfstamp_err *err)
{
	if (!*path)
		return 0;
	if (!part->btf)
		return err_set(err, EINVAL, "%s: the type is not known: compile with -g", path);
	while (*path)
		if (step(part, btf, &path, err))
			return -1;
	return 0;
}

/* Byte and bit of the i-th lowest bit of a bitfield's value. */
static uint8_t *locate(const struct part *part, bool big, uint8_t *bytes, unsigned int i, unsigned int *bit)
{
	uint32_t at = part->bit_offset + (big ? part->type.bits - 1 - i : i);

	*bit = big ? 7 - at % 8 : at % 8;
	return bytes + part->offset + at / 8;
}

void part_put_bits(const struct part *part, bool big, uint8_t *bytes, uint64_t value)
{
	for (unsigned int i = 0; i < part->type.bits; i++) {
		unsigned int bit;
		uint8_t *byte = locate(part, big, bytes, i, &bit);

		*byte = (uint8_t)((*byte & ~(1u << bit)) | (value >> i & 1) << bit);
	}
}

uint64_t part_get_bits(const struct part *part, bool big, const uint8_t *bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < part->type.bits; i++) {
		unsigned int bit;
		const uint8_t *byte = locate(part, big, (uint8_t *)(uintptr_t)bytes, i, &bit);

		value |= (uint64_t)(*byte >> bit & 1) << i;
	}
	if (part->type.is_signed && value >> (part->type.bits - 1) & 1)
		value |= ~(uint64_t)0 << (part->type.bits - 1);
	return value;
}

/* Bytes of a value as text. */
static size_t hex_text(const uint8_t *bytes, uint32_t count, char *buf, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t used = 4;

	snprintf(buf, size, "hex:");
	for (uint32_t i = 0; i < count && used + 2 < size; i++, used += 2) {
		buf[used] = digits[bytes[i] >> 4];
		buf[used + 1] = digits[bytes[i] & 15];
		buf[used + 2] = '\0';
	}
	return 4 + (size_t)2 * count;
}

size_t part_text(const struct part *part, bool big, const uint8_t *bytes, char *buf, size_t size)
{
	uint64_t number;

	if (!part->type.bits)
		return hex_text(bytes + part->offset, part->type.size, buf, size);
	number = part->bitfield ? part_get_bits(part, big, bytes) :
		value_load(bytes + part->offset, part->type.size, part->type.is_signed, big);
	return (size_t)(part->type.is_signed ? snprintf(buf, size, "%" PRId64, (int64_t)number) :
			snprintf(buf, size, "0x%" PRIx64, number));
}
