// SPDX-License-Identifier: BSD-2-Clause
/*
 * BTF is copied in the one layout that every kernel takes, whatever the layout
 * of the object's:
 *
 *     header (24 bytes) | types | types that were added | strings | a string that was added
 *
 * A type that is changed keeps its size, and so its id and those of all others;
 * added types have the next ids.  What can be added is bounded, so that one
 * allocation, made at the beginning, is enough.
 *
 * The object lies in a file below 4 GiB, whose own headers are larger than what
 * is added: no sum here overflows.
 */
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/btfcopy.h"

enum { HEADER_SIZE = 24, TYPE_SIZE = 12 };

static const char any_name[] = "arg";

static uint32_t header_word(const struct btf *btf, uint32_t at)
{
	return bytes_get32(btf->data + at, btf->big);
}

/* Where the types, and the strings, of the original begin. */
static uint32_t part_at(const struct btf *btf, uint32_t off_at)
{
	return header_word(btf, 4) + header_word(btf, off_at);
}

bool btfcopy_begin(struct btfcopy *c, const struct btf *from)
{
	uint32_t types = header_word(from, 12), strings = header_word(from, 20);

	*c = (struct btfcopy){ .from = from, .types = types, .type_count = from->type_count };
	c->bytes = malloc((size_t)HEADER_SIZE + types + BTFCOPY_ADDED * BTFCOPY_ADDED_SIZE + strings +
			  sizeof(any_name));
	if (!c->bytes)
		return false;
	memcpy(c->bytes, from->data, HEADER_SIZE);
	memcpy(c->bytes + HEADER_SIZE, from->data + part_at(from, 8), types);
	return true;
}

struct btfcopy_type btfcopy_type(const struct btfcopy *c, uint32_t id)
{
	uint32_t at = HEADER_SIZE, info;
	struct btfcopy_type type;

	if (id < c->from->type_count)
		at += btf_type_at(c->from, id) - part_at(c->from, 8);
	else
		at += header_word(c->from, 12) + (id - c->from->type_count) * BTFCOPY_ADDED_SIZE;
	type.at = c->bytes + at;
	info = bytes_get32(type.at + 4, c->from->big);
	type.name = bytes_get32(type.at, c->from->big);
	type.kind = (enum btf_kind)(info >> 24 & 0x1f);
	type.kind_flag = info >> 31;
	type.vlen = info & 0xffff;
	type.third = bytes_get32(type.at + 8, c->from->big);
	return type;
}

void btfcopy_store(struct btfcopy *c, const struct btfcopy_type *type)
{
	bytes_put32(type->at, type->name, c->from->big);
	bytes_put32(type->at + 4, (uint32_t)type->kind_flag << 31 | (uint32_t)type->kind << 24 | type->vlen,
		    c->from->big);
	bytes_put32(type->at + 8, type->third, c->from->big);
}

uint32_t btfcopy_word(const struct btfcopy *c, const struct btfcopy_type *type, uint32_t i)
{
	return bytes_get32(type->at + TYPE_SIZE + (size_t)4 * i, c->from->big);
}

void btfcopy_set_word(struct btfcopy *c, const struct btfcopy_type *type, uint32_t i, uint32_t word)
{
	bytes_put32(type->at + TYPE_SIZE + (size_t)4 * i, word, c->from->big);
}

uint32_t btfcopy_add(struct btfcopy *c, uint32_t name, enum btf_kind kind, uint32_t third, uint32_t word)
{
	struct btfcopy_type type = { .at = c->bytes + HEADER_SIZE + c->types, .name = name, .kind = kind,
				     .third = third };

	btfcopy_store(c, &type);
	btfcopy_set_word(c, &type, 0, word);
	c->types += BTFCOPY_ADDED_SIZE;
	return c->type_count++;
}

uint32_t btfcopy_any_name(struct btfcopy *c)
{
	c->named = true;
	return header_word(c->from, 20);
}

uint8_t *btfcopy_finish(struct btfcopy *c, uint32_t *size)
{
	uint32_t strings = header_word(c->from, 20);
	uint8_t *end = c->bytes + HEADER_SIZE + c->types;

	memcpy(end, c->from->data + part_at(c->from, 16), strings);
	if (c->named) {
		memcpy(end + strings, any_name, sizeof(any_name));
		strings += (uint32_t)sizeof(any_name);
	}
	bytes_put32(c->bytes + 4, HEADER_SIZE, c->from->big);
	bytes_put32(c->bytes + 8, 0, c->from->big);
	bytes_put32(c->bytes + 12, c->types, c->from->big);
	bytes_put32(c->bytes + 16, c->types, c->from->big);
	bytes_put32(c->bytes + 20, strings, c->from->big);
	*size = HEADER_SIZE + c->types + strings;
	return c->bytes;
}
