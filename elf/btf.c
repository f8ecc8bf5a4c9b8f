// SPDX-License-Identifier: BSD-2-Clause
/*
 * The accessors of BTF, and the table of layouts that they and btf_open go by.
 * They rest on what btf_open has proved, and check nothing again: an id below
 * type_count has a place in the index of the BTF that has it, the type there is
 * whole, its names and the ids that it refers to exist, and what follows them
 * from type to type comes to an end.
 *
 * Of split BTF an id or the offset of a string belongs to the last BTF of the
 * chain of bases that begins at or below it; a loop finds that, which for plain
 * BTF ends before its first round.
 *
 * All bytes are read through bytes_get*, so that neither the alignment of the
 * data nor of what its offsets name matters.
 */
#include "elf/btf_layout.h"

const struct btf_layout btf_layouts[BTF_KINDS] = {
	[BTF_INT] = { 4, 0, true, BTF_REF_NONE },
	[BTF_PTR] = { 0, 0, false, BTF_REF_OTHER },
	[BTF_ARRAY] = { 12, 0, false, BTF_REF_NONE },
	[BTF_STRUCT] = { 0, 12, true, BTF_REF_NONE },
	[BTF_UNION] = { 0, 12, true, BTF_REF_NONE },
	[BTF_ENUM] = { 0, 8, true, BTF_REF_NONE },
	[BTF_FWD] = { 0, 0, false, BTF_REF_NONE },
	[BTF_TYPEDEF] = { 0, 0, false, BTF_REF_CHAIN },
	[BTF_VOLATILE] = { 0, 0, false, BTF_REF_CHAIN },
	[BTF_CONST] = { 0, 0, false, BTF_REF_CHAIN },
	[BTF_RESTRICT] = { 0, 0, false, BTF_REF_CHAIN },
	[BTF_FUNC] = { 0, 0, false, BTF_REF_OTHER },
	[BTF_FUNC_PROTO] = { 0, 8, false, BTF_REF_OTHER },
	[BTF_VAR] = { 4, 0, false, BTF_REF_CHAIN },
	[BTF_DATASEC] = { 0, 12, true, BTF_REF_NONE },
	[BTF_FLOAT] = { 0, 0, true, BTF_REF_NONE },
	[BTF_DECL_TAG] = { 4, 0, false, BTF_REF_OTHER },
	[BTF_TYPE_TAG] = { 0, 0, false, BTF_REF_CHAIN },
	[BTF_ENUM64] = { 0, 12, true, BTF_REF_NONE },
};

static void describe_tail(const struct btf *btf, const uint8_t *tail, struct btf_type *out)
{
	uint32_t word;

	switch (out->kind) {
	case BTF_INT:
		word = btf_get32(btf, tail);
		out->int_encoding = word >> 24 & 0xf;
		out->int_offset = word >> 16 & 0xff;
		out->int_bits = word & 0xff;
		break;
	case BTF_ARRAY:
		out->array_type = btf_get32(btf, tail);
		out->array_index_type = btf_get32(btf, tail + 4);
		out->array_count = btf_get32(btf, tail + 8);
		break;
	case BTF_VAR:
		out->linkage = btf_get32(btf, tail);
		break;
	case BTF_DECL_TAG:
		out->component = (int32_t)btf_get32(btf, tail);
		break;
	default:
		break;
	}
}

void btf_type(const struct btf *btf, uint32_t id, struct btf_type *out)
{
	const struct btf_layout *kind;
	const uint8_t *type;
	uint32_t info;

	memset(out, 0, sizeof(*out));
	out->name = "";
	if (!id)
		return;
	type = btf_type_bytes(btf, id);
	info = btf_get32(btf, type + 4);
	kind = &btf_layouts[btf_info_kind(info)];
	out->name = btf_string(btf, btf_get32(btf, type));
	out->kind = btf_info_kind(info);
	out->kind_flag = info >> 31;
	if (kind->each)
		out->vlen = btf_info_vlen(info);
	else if (out->kind == BTF_FUNC)
		out->linkage = btf_info_vlen(info);
	if (kind->sized)
		out->size = btf_get32(btf, type + 8);
	else if (kind->reference != BTF_REF_NONE)
		out->type = btf_get32(btf, type + 8);
	describe_tail(btf, type + BTF_TYPE_LEAST, out);
}

const char *btf_name(const struct btf *btf, uint32_t id, enum btf_kind *kind)
{
	const uint8_t *type;

	*kind = BTF_VOID;
	if (!id)
		return "";
	type = btf_type_bytes(btf, id);
	*kind = btf_info_kind(btf_get32(btf, type + 4));
	return btf_string(btf, btf_get32(btf, type));
}

void btf_member(const struct btf *btf, uint32_t id, uint32_t i, struct btf_member *out)
{
	const uint8_t *entry = btf_entry_bytes(btf, id, i);

	out->name = btf_string(btf, btf_get32(btf, entry));
	out->type = btf_get32(btf, entry + 4);
	btf_member_bits(btf_get32(btf, entry + 8), btf_get32(btf, btf_type_bytes(btf, id) + 4) >> 31,
			&out->bit_offset,
		    &out->bit_size);
}

void btf_enumerator(const struct btf *btf, uint32_t id, uint32_t i, struct btf_enumerator *out)
{
	uint32_t info = btf_get32(btf, btf_type_bytes(btf, id) + 4);
	const uint8_t *entry = btf_entry_bytes(btf, id, i);

	out->name = btf_string(btf, btf_get32(btf, entry));
	out->value = btf_get32(btf, entry + 4);
	if (btf_info_kind(info) == BTF_ENUM64)
		out->value |= (uint64_t)btf_get32(btf, entry + 8) << 32;
	else if (info >> 31)
		out->value = (uint64_t)(int64_t)(int32_t)out->value;
}

void btf_param(const struct btf *btf, uint32_t id, uint32_t i, struct btf_param *out)
{
	const uint8_t *entry = btf_entry_bytes(btf, id, i);

	out->name = btf_string(btf, btf_get32(btf, entry));
	out->type = btf_get32(btf, entry + 4);
}

void btf_secvar(const struct btf *btf, uint32_t id, uint32_t i, struct btf_secvar *out)
{
	const uint8_t *entry = btf_entry_bytes(btf, id, i);

	out->type = btf_get32(btf, entry);
	out->offset = btf_get32(btf, entry + 4);
	out->size = btf_get32(btf, entry + 8);
}

uint32_t btf_type_at(const struct btf *btf, uint32_t id)
{
	return (uint32_t)(btf_type_bytes(btf, id) - btf->data);
}

uint32_t btf_resolve(const struct btf *btf, uint32_t id)
{
	enum btf_kind kind;

	for (;;) {
		kind = btf_type_kind(btf, id);
		if (kind == BTF_VAR || btf_layouts[kind].reference != BTF_REF_CHAIN)
			return id;
		id = btf_get32(btf, btf_type_bytes(btf, id) + 8);
	}
}

bool btf_size(const struct btf *btf, uint32_t id, uint32_t pointer_size, uint32_t *size)
{
	const uint64_t too_many = (uint64_t)UINT32_MAX + 1;
	uint64_t total = 1;	/* elements of the arrays so far; stays at too_many until times 0 */
	const uint8_t *type;
	enum btf_kind kind;

	for (;;) {
		type = btf_type_bytes(btf, id);
		kind = btf_type_kind(btf, id);
		if (kind == BTF_ARRAY) {
			id = btf_get32(btf, type + BTF_TYPE_LEAST);
			total *= btf_get32(btf, type + BTF_TYPE_LEAST + 8);
			total = total < too_many ? total : too_many;
		} else if (btf_layouts[kind].reference == BTF_REF_CHAIN) {
			id = btf_get32(btf, type + 8);
		} else {
			break;
		}
	}
	if (kind != BTF_PTR && !btf_layouts[kind].sized)
		return false;
	total *= kind == BTF_PTR ? pointer_size : btf_get32(btf, type + 8);
	*size = (uint32_t)total;
	return total < too_many;
}

uint32_t btf_find(const struct btf *btf, enum btf_kind kind, const char *name)
{
	enum btf_kind other;
	uint32_t id;

	for (id = 1; id < btf->type_count; id++)
		if (!strcmp(btf_name(btf, id, &other), name) && other == kind)
			return id;
	return 0;
}

const char *btf_string(const struct btf *btf, uint32_t offset)
{
	if (offset >= btf->str_len)
		return "";
	while (offset < btf->str_first)
		btf = btf->base;
	return (const char *)btf->strings + (offset - btf->str_first);
}
