// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the kernel may hold of a program, all of it hostile: a record, the BTF of
 * a data map, and the map's bytes.
 *
 *     0  size of the record   u16, little-endian, as all numbers here
 *     2  size of the map      u16
 *     4  id of its DATASEC    u16
 *     6  record, map, BTF
 *
 * What is accepted can be read to the last byte.  Every value of the program has
 * a path that leads to it in the map's types, inside the map; and its text is
 * one that bpfstamp_set takes, and that makes the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/running_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 6, TEXT_MOST = 4096 };

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void *copy(const void *bytes, size_t size)
{
	void *to = malloc(size + !size);

	require(to != NULL);
	if (size)
		memcpy(to, bytes, size);
	return to;
}

static void check_string(const char *text)
{
	for (; *text; text++) {
		require((unsigned char)*text >= ' ' && *text != 0x7f);
		require((unsigned char)text[0] != 0xc2 || (text[1] & 0xe0) != 0x80);
	}
}

static void check_record(const struct record *r)
{
	volatile uint8_t sink;

	check_string(r->object);
	if (r->program)
		check_string(r->program);
	for (uint32_t i = 0; i < r->count; i++) {
		const struct record_value *v = &r->values[i];

		check_string(v->name);
		check_string(v->type);
		check_string(v->section);
		require(v->kind >= BPFSTAMP_GLOBAL && v->kind <= BPFSTAMP_PLACEHOLDER && v->size);
		require(v->bytes || (v->kind == BPFSTAMP_GLOBAL && (v->in_map || v->size > RECORD_VALUE_MOST)));
		for (uint32_t k = 0; v->bytes && k < v->size; k++)
			sink = v->bytes[k];
	}
	(void)sink;
}

/*
 * Text of the value makes the same bytes again; not of a number that its type
 * could not have.  Without BTF, where an enumerator may be called 7.
 */
static void check_text(const struct running_variable *var, const struct running_value *v)
{
	const struct part *part = &v->part;
	uint8_t bytes[TEXT_MOST];
	struct bpfstamp_err err;

	if (part->type.size > sizeof(bytes) ||
	    value_parse(&part->type, NULL, BYTES_HOST_BIG, v->public.value, bytes, &err)) {
		require(part->type.size > sizeof(bytes) || part->type.bits);
		return;
	}
	if (part->bitfield)
		require(value_load(bytes, part->type.size, part->type.is_signed, BYTES_HOST_BIG) ==
			part_get_bits(part, BYTES_HOST_BIG, var->bytes));
	else
		require(!memcmp(bytes, var->bytes + part->offset, part->type.size));
}

static void check_values(const struct bpfstamp_running *r)
{
	for (uint32_t i = 0; i < r->value_count; i++) {
		const struct running_value *v = &r->values[i];
		const struct running_variable *var = &r->variables[v->variable];

		require(!strncmp(v->public.path, var->name, strlen(var->name)) || strlen(var->name) > 500);
		require(v->part.bitfield || (v->part.offset <= var->type.size &&
					     v->part.type.size <= var->type.size - v->part.offset));
		require(var->map == NO_INDEX || var->in_insns || var->bytes == r->maps[0].content + var->offset);
		require(memchr(v->public.type, 0, sizeof(v->public.type)) != NULL);
		check_text(var, v);
	}
}

/* A map like those of running_maps.c, of the DATASEC of that id where there is one. */
static bool make_map(struct running_map *m, const struct btf *btf, uint32_t id)
{
	struct btf_type type;

	if (!id || id >= btf->type_count)
		return false;
	btf_type(btf, id, &type);
	m->section = type.name;
	m->btf = btf;
	m->datasec = id;
	m->writable = true;
	m->fd = 0;
	return type.kind == BTF_DATASEC;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t record_size, map_size, id, count;
	struct bpfstamp_running r = { .map_count = 1 };
	struct running_map map = { .fd = -1 };
	struct elf64_fault fault;
	uint8_t *record, *btf_bytes;
	struct btf btf = { .type_count = 0 };
	uint32_t *index;
	size_t btf_bytes_size;

	if (size < HEADER)
		return 0;
	record_size = bytes_get16(data, false);
	map_size = bytes_get16(data + 2, false);
	id = bytes_get16(data + 4, false);
	if (size - HEADER < record_size || size - HEADER - record_size < map_size)
		return 0;
	btf_bytes_size = size - HEADER - record_size - map_size;
	record = copy(data + HEADER, record_size);
	r.record = record_parse(record, record_size, "program");
	if (r.record)
		check_record(r.record);
	else
		free(record);
	btf_bytes = copy(data + size - btf_bytes_size, btf_bytes_size);
	count = (uint32_t)btf_bytes_size / BTF_TYPE_LEAST + 1;
	index = malloc(2 * (size_t)count * sizeof(*index));
	require(index != NULL);
	if (btf_open(&btf, btf_bytes, btf_bytes_size, index, count, &fault) || btf.big != BYTES_HOST_BIG)
		memset(&btf, 0, sizeof(btf));
	r.maps = &map;
	r.prog_btf = &btf;
	map.content = copy(data + HEADER + record_size, map_size);
	map.value_size = map_size;
	if (!make_map(&map, &btf, id))
		map.fd = -1;
	require(!running_values(&r));
	check_values(&r);
	running_values_free(&r);
	record_free(r.record);
	free(map.content);
	free(btf_bytes);
	free(index);
	return 0;
}
