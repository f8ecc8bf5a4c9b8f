// SPDX-License-Identifier: BSD-2-Clause
/*
 * Definitions of maps by BTF, what they start with, and each way in which they
 * contradict themselves: made by hand from tables of members.
 */
#include <check.h>
#include <string.h>

#include "include/bytes.h"
#include "tests/bpfobj.h"
#include "tests/btfgen.h"

Suite *suite_maps(void);

enum { HASH = 1, ARRAY = 2, PROG_ARRAY = 3, ARRAY_OF_MAPS = 12, HASH_OF_MAPS = 13, STRUCT_OPS = 26, RINGBUF = 27 };

/* -------------------------------------------------------- BTF, one map */

enum member {
	M_UINT, M_TYPE, M_INT, M_ENUM, M_ENUM64, M_TWO,	/* M_TWO: an enum of two */
	M_MAPS, M_FUNCS, M_FLAT,			/* M_FLAT: an array of int */
};

struct member_of {
	const char *name;
	enum member is;
	uint64_t value;		/* number; size of the type of __type; of M_MAPS: which of inners */
};

enum { MEMBERS = 7, RAW = 192 };

static const struct member_of inners[][MEMBERS] = {
	{ { "type", M_UINT, ARRAY }, { "key_size", M_UINT, 4 }, { "value_size", M_UINT, 8 },
	  { "max_entries", M_UINT, 5 } },
	{ { "type", M_UINT, ARRAY }, { "values", M_MAPS, 0 } },
	{ { "type", M_UINT, ARRAY }, { "pinning", M_UINT, 1 } },
	{ { "type", M_UINT, ARRAY }, { "colour", M_UINT, 1 } },
	{ { "type", M_UINT, HASH_OF_MAPS }, { "key_size", M_UINT, 4 } },
	{ { "max_entries", M_UINT, 1 } },
	{ { "type", M_UINT, ARRAY }, { "pinning", M_UINT, 0 } },
};

static uint32_t struct_of(struct btfgen *gen, const struct member_of *members);

static uint32_t type_of(struct btfgen *gen, const struct member_of *m)
{
	uint32_t type = btfgen_type(gen, "int", BTF_INT, 0, 4), array;

	btfgen_word(gen, 32);
	switch (m->is) {
	case M_INT:
		return type;
	case M_ENUM:
	case M_TWO:
		type = btfgen_type(gen, "", BTF_ENUM, m->is == M_TWO ? 2 : 1, 4);
		for (int i = 0; i < (m->is == M_TWO ? 2 : 1); i++) {
			btfgen_word(gen, btfgen_string(gen, "e"));
			btfgen_word(gen, (uint32_t)m->value);
		}
		return type;
	case M_ENUM64:
		type = btfgen_type(gen, "", BTF_ENUM64, 1, 8);
		btfgen_words(gen, btfgen_string(gen, "e"), (uint32_t)m->value, (uint32_t)(m->value >> 32));
		return type;
	case M_UINT:
		array = btfgen_type(gen, "", BTF_ARRAY, 0, 0);
		btfgen_words(gen, type, type, (uint32_t)m->value);
		return btfgen_type(gen, "", BTF_PTR, 0, array);
	case M_TYPE:
		if (m->value != 4)
			type = btfgen_type(gen, "t", BTF_STRUCT, 0, (uint32_t)m->value);
		return btfgen_type(gen, "", BTF_PTR, 0, type);
	case M_MAPS:
		type = btfgen_type(gen, "", BTF_PTR, 0, struct_of(gen, inners[m->value]));
		break;
	case M_FUNCS:
		type = btfgen_type(gen, "", BTF_PTR, 0, btfgen_type(gen, "", BTF_FUNC_PROTO, 0, type));
		break;
	case M_FLAT:
		break;
	}
	array = btfgen_type(gen, "", BTF_ARRAY, 0, 0);
	btfgen_words(gen, type, type, 0);
	return array;
}

/* A struct with these members, 8 bytes each, up to one without a name. */
static uint32_t struct_of(struct btfgen *gen, const struct member_of *members)
{
	uint32_t ids[MEMBERS], count = 0, id;

	for (; count < MEMBERS && members[count].name; count++)
		ids[count] = type_of(gen, &members[count]);
	id = btfgen_type(gen, "", BTF_STRUCT, count, 8 * count);
	for (uint32_t i = 0; i < count; i++)
		btfgen_words(gen, btfgen_string(gen, members[i].name), ids[i], 64 * i);
	return id;
}

enum linkage { STATIC, GLOBAL, EXTERN };

struct def {
	const char *name;
	struct member_of members[MEMBERS];
	uint32_t at, size;	/* in .maps */
	enum linkage linkage;
};

/* An object with these maps, up to one without a name, programs p0 and p1 that refer to none, and a function f. */
struct made {
	struct bpfobj o;
	uint32_t section, section_symbol, symbols[6], p0, p1, f, data, tc;
};

static struct made make(bool big, const struct def *defs, const uint8_t *raw)
{
	static const struct bpfinsn code[] = { EXIT, EXIT };
	static const uint8_t zero[RAW], four[4];
	struct btfgen *gen = btfgen_new(big);
	struct made m = { .o = bpfobj_new(big) };
	uint32_t count = 0, vars[6], text;

	m.tc = bpfobj_code(&m.o, "tc", code, 2);
	text = bpfobj_code(&m.o, ".text", code, 1);
	m.section = bpfobj_data(&m.o, ".maps", raw ? raw : zero, RAW);
	m.section_symbol = bpfobj_section_symbol(&m.o, m.section);
	m.p0 = bpfobj_func(&m.o, "p0", m.tc, 0, 1);
	m.p1 = bpfobj_func(&m.o, "p1", m.tc, 1, 1);
	m.f = bpfobj_func(&m.o, "f", text, 0, 1);
	m.data = bpfobj_var(&m.o, "v", bpfobj_data(&m.o, ".data", four, 4), 0, 4);
	for (; defs[count].name; count++) {
		vars[count] = btfgen_type(gen, defs[count].name, BTF_VAR, 0, struct_of(gen, defs[count].members));
		btfgen_word(gen, defs[count].linkage);
		m.symbols[count] = defs[count].linkage == EXTERN ?
			bpfobj_undefined(&m.o, defs[count].name, ELF64_STB_GLOBAL) :
			bpfobj_var(&m.o, defs[count].name, m.section, defs[count].at, defs[count].size);
	}
	btfgen_type(gen, ".maps", BTF_DATASEC, count, 0);
	for (uint32_t i = 0; i < count; i++)
		btfgen_words(gen, vars[i], 0, defs[i].size);
	bpfobj_btf(&m.o, gen, false);
	return m;
}

static void value(struct made *m, uint64_t at, uint32_t symbol)
{
	elfgen_rel(m->o.gen, m->section, &(struct elf64_reloc){ .offset = at, .type = R_BPF_64_ABS64,
								 .symbol = symbol });
}

static const struct {
	struct member_of members[MEMBERS];
	const char *fault, *refused;
	uint32_t key, value, flags;
	uint64_t extra;
} btf_maps[] = {
	{ { { "type", M_UINT, 1 }, { "key", M_TYPE, 4 }, { "value", M_TYPE, 12 }, { "max_entries", M_UINT, 9 } },
	  NULL, NULL, 4, 12, 0, 0 },
	{ { { "type", M_UINT, 1 }, { "key_size", M_UINT, 4 }, { "key", M_TYPE, 4 }, { "value_size", M_UINT, 16 } },
	  NULL, NULL, 4, 16, 0, 0 },
	{ { { "type", M_UINT, 1 }, { "numa_node", M_UINT, 0 }, { "map_flags", M_UINT, 1 } }, NULL, NULL, 0, 0, 5, 0 },
	{ { { "type", M_UINT, 1 }, { "map_flags", M_UINT, 1 }, { "numa_node", M_UINT, 1 } }, NULL, NULL, 0, 0, 5, 0 },
	{ { { "type", M_UINT, 1 }, { "pinning", M_UINT, 0 }, { "map_extra", M_UINT, 7 } }, NULL, NULL, 0, 0, 0, 7 },
	{ { { "type", M_UINT, 1 }, { "map_extra", M_ENUM, 8 } }, NULL, NULL, 0, 0, 0, 8 },
	{ { { "type", M_UINT, 1 }, { "map_extra", M_ENUM64, 0x900000007 } }, NULL, NULL, 0, 0, 0, 0x900000007 },
	{ { { "type", M_ENUM, 1 }, { "map_flags", M_ENUM64, UINT32_MAX } }, NULL, NULL, 0, 0, UINT32_MAX, 0 },
	{ { { "type", M_UINT, RINGBUF }, { "value", M_TYPE, 12 } }, NULL, NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, RINGBUF }, { "value_size", M_UINT, 12 } }, NULL, NULL, 0, 12, 0, 0 },
	{ { { "type", M_UINT, STRUCT_OPS } }, NULL, "it is a struct_ops, which is not supported", 0, 0, 0, 0 },
	{ { { "type", M_UINT, 33 } }, NULL, "it is an arena, which is not supported", 0, 0, 0, 0 },
	{ { { "type", M_UINT, PROG_ARRAY }, { "values", M_FUNCS, 0 } }, NULL, NULL, 0, 4, 0, 0 },
	{ { { "type", M_UINT, HASH_OF_MAPS }, { "values", M_MAPS, 0 } }, NULL, NULL, 0, 4, 0, 0 },
	{ { { "type", M_UINT, HASH_OF_MAPS }, { "value_size", M_UINT, 4 }, { "values", M_MAPS, 6 } },
	  NULL, NULL, 0, 4, 0, 0 },
	{ { { "type", M_UINT, HASH_OF_MAPS } }, NULL, NULL, 0, 0, 0, 0 },

	{ { { "max_entries", M_UINT, 1 } }, "map m: type is missing", NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, 0 } }, "map m: type is missing", NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, 1 }, { "key_size", M_UINT, 8 }, { "key", M_TYPE, 4 } },
	  "map m: key contradicts the size given before", NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, 1 }, { "value", M_TYPE, 4 }, { "value_size", M_UINT, 8 } },
	  "map m: value_size contradicts the size given before", NULL, 0, 0, 0, 0 },
	{ { { "type", M_INT, 4 } }, "map m: type is not a __uint", NULL, 0, 0, 0, 0 },
	{ { { "type", M_TYPE, 4 } }, "map m: type is not a __uint", NULL, 0, 0, 0, 0 },
	{ { { "type", M_TWO, 4 } }, "map m: type is not a __uint", NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, 1 }, { "max_entries", M_ENUM64, 1ull << 32 } },
	  "map m: max_entries is a number of more than 32 bits", NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, 1 }, { "map_flags", M_INT, 4 } }, "map m: map_flags is not a __uint",
	  NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, 1 }, { "numa_node", M_INT, 4 } }, "map m: numa_node is not a __uint",
	  NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, 1 }, { "map_extra", M_INT, 4 } }, "map m: map_extra is neither a __uint nor a __ulong",
	  NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, 1 }, { "key", M_INT, 4 } }, "map m: key is not a __type", NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, 1 }, { "colour", M_UINT, 4 } }, "map m: colour is not a member of a map definition",
	  NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, 1 }, { "pinning", M_UINT, 2 } }, "map m: pinning is neither 0 (none) nor 1 (by name)",
	  NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, 1 }, { "pinning", M_INT, 1 } }, "map m: pinning is not a __uint", NULL, 0, 0, 0, 0 },

	{ { { "type", M_UINT, HASH }, { "values", M_MAPS, 0 } },
	  "map m: values are only for maps of maps and prog arrays", NULL, 0, 0, 0, 0 },
	{ { { "values", M_MAPS, 0 } }, "map m: values are only for maps of maps and prog arrays", NULL, 0, 0, 0, 0 },
	{ { { "values", M_MAPS, 0 }, { "type", M_UINT, HASH_OF_MAPS } }, "map m: values are not the last member",
	  NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, HASH_OF_MAPS }, { "value_size", M_UINT, 8 }, { "values", M_MAPS, 0 } },
	  "map m: values contradict the size given before, which has to be 4", NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, HASH_OF_MAPS }, { "values", M_UINT, 1 } }, "map m: values are not an __array",
	  NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, HASH_OF_MAPS }, { "values", M_FLAT, 1 } }, "map m: values are not an __array",
	  NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, HASH_OF_MAPS }, { "values", M_FUNCS, 1 } }, "map m: values are not map definitions",
	  NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, PROG_ARRAY }, { "values", M_MAPS, 0 } }, "map m: values are not functions",
	  NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, HASH_OF_MAPS }, { "values", M_MAPS, 1 } },
	  "map m.inner: values are one level too many for the kernel", NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, HASH_OF_MAPS }, { "values", M_MAPS, 2 } },
	  "map m.inner: pinning is for a map, which a definition inside another is not", NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, HASH_OF_MAPS }, { "values", M_MAPS, 3 } },
	  "map m.inner: colour is not a member of a map definition", NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, HASH_OF_MAPS }, { "values", M_MAPS, 4 } },
	  "map m.inner: type is that of a map of maps: the kernel allows one level", NULL, 0, 0, 0, 0 },
	{ { { "type", M_UINT, HASH_OF_MAPS }, { "values", M_MAPS, 5 } }, "map m.inner: type is missing",
	  NULL, 0, 0, 0, 0 },
};

enum { BTF_MAPS = sizeof(btf_maps) / sizeof(btf_maps[0]) };

START_TEST(definitions)
{
	struct def defs[2] = { { .name = "m", .size = 64, .linkage = GLOBAL } };
	const size_t i = (size_t)_i % BTF_MAPS;
	const struct map *map;
	struct made m;

	memcpy(defs[0].members, btf_maps[i].members, sizeof(defs[0].members));
	m = make((size_t)_i >= BTF_MAPS, defs, NULL);
	if (btf_maps[i].fault) {
		bpfobj_refused(&m.o, btf_maps[i].fault);
		return;
	}
	bpfobj_open(&m.o);
	ck_assert_uint_eq(m.o.t->map_count, 2);
	map = &m.o.t->maps[1];
	ck_assert_str_eq(map->name, "m");
	ck_assert_str_eq(map->section, ".maps");
	ck_assert_uint_eq(map->symbol, m.symbols[0]);
	ck_assert_uint_eq(map->key_size, btf_maps[i].key);
	ck_assert_uint_eq(map->value_size, btf_maps[i].value);
	ck_assert_uint_eq(map->flags, btf_maps[i].flags);
	ck_assert_uint_eq(map->extra, btf_maps[i].extra);
	ck_assert(map->pinning == MAP_PIN_NONE && !map->external && !map->slot_count && map->inner == NO_INDEX);
	if (btf_maps[i].refused)
		ck_assert_str_eq(map->refused, btf_maps[i].refused);
	else
		ck_assert_ptr_null(map->refused);
	bpfobj_free(&m.o);
}
END_TEST

START_TEST(definition_missing)
{
	static const uint8_t raw[8];
	struct bpfobj o = bpfobj_new(false);

	bpfobj_var(&o, "m", bpfobj_data(&o, ".maps", raw, 8), 0, 8);
	bpfobj_refused(&o, "test.o: map m: its definition is not in the BTF: compile with -g");
}
END_TEST

START_TEST(inner_definition)
{
	static const struct def defs[] = {
		{ "m", { { "type", M_UINT, ARRAY_OF_MAPS }, { "key_size", M_UINT, 4 }, { "pinning", M_UINT, 1 },
			 { "values", M_MAPS, 0 } }, 0, 32, GLOBAL }, { 0 },
	};
	struct made m = make(_i, defs, NULL);
	struct bpfstamp_map public;
	const struct map *inner;

	bpfobj_open(&m.o);
	inner = m.o.t->maps[1].inner_def;
	ck_assert_ptr_nonnull(inner);
	ck_assert_str_eq(inner->name, "m.inner");
	ck_assert(inner->is_inner && inner->type == ARRAY && inner->key_size == 4 && inner->value_size == 8);
	ck_assert_uint_eq(inner->max_entries, 5);
	ck_assert_uint_eq(bpfstamp_map_count(m.o.t), 2);
	bpfstamp_map_at(m.o.t, 0, &public);
	ck_assert(public.data && !public.pin);
	bpfstamp_map_at(m.o.t, 1, &public);
	ck_assert_str_eq(public.name, "m");
	ck_assert_str_eq(public.pin, "name");
	bpfobj_free(&m.o);
}
END_TEST

/* -------------------------------------------------- BTF, what maps hold */

#define ONE(n, a) { n, { { "type", M_UINT, HASH }, { "key_size", M_UINT, 4 } }, a, 16, GLOBAL }

/* outer is at 0, its values at 32; a at 64, b at 80. */
static const struct def of_maps[] = {
	{ "outer", { { "type", M_UINT, ARRAY_OF_MAPS }, { "key_size", M_UINT, 4 }, { "max_entries", M_UINT, 3 },
		     { "value_size", M_UINT, 4 }, { "values", M_MAPS, 0 } }, 0, 64, GLOBAL },
	ONE("a", 64), ONE("b", 80), { 0 },
};

/* Values come back in order, whichever way they are written. */
START_TEST(values_of_maps)
{
	uint8_t raw[RAW] = { 0 };
	const bool big = _i & 1;
	struct made m;

	bytes_put64(raw + 32, 80, big);
	m = make(big, of_maps, raw);
	if (_i & 2) {
		elfgen_rela(m.o.gen, m.section, &(struct elf64_reloc){ .offset = 48, .type = 2,
								       .symbol = m.symbols[1] });
		elfgen_rela(m.o.gen, m.section, &(struct elf64_reloc){ .offset = 32, .type = 2, .addend = 80,
								       .symbol = m.section_symbol });
		elfgen_rela(m.o.gen, m.section, &(struct elf64_reloc){ .offset = 40 });
	} else {
		value(&m, 48, m.symbols[1]);
		value(&m, 32, m.section_symbol);
	}
	bpfobj_open(&m.o);
	ck_assert_uint_eq(m.o.t->map_slot_count, 2);
	ck_assert(m.o.t->maps[1].slot_first == 0 && m.o.t->maps[1].slot_count == 2);
	ck_assert(m.o.t->map_slots[0].map == 1 && m.o.t->map_slots[0].key == 0);
	ck_assert_str_eq(m.o.t->maps[m.o.t->map_slots[0].target].name, "b");
	ck_assert(m.o.t->map_slots[1].map == 1 && m.o.t->map_slots[1].key == 2);
	ck_assert_str_eq(m.o.t->maps[m.o.t->map_slots[1].target].name, "a");
	bpfobj_free(&m.o);
}
END_TEST

enum target { TO_A, TO_OUTER, TO_P0, TO_F, TO_DATA, TO_SECTION };

static uint32_t target_of(const struct made *m, enum target target)
{
	const uint32_t symbols[] = { m->symbols[1], m->symbols[0], m->p0, m->f, m->data, m->section_symbol };

	return symbols[target];
}

static const struct {
	uint64_t at;
	enum target target;
	const char *fault;
	uint64_t again;		/* another one, of a, or 0 */
	uint32_t addend;
} values_of_maps_wrong[] = {
	{ 32, TO_P0, "test.o: map outer: slot 0 holds p0, which is no map", 0, 0 },
	{ 40, TO_DATA, "test.o: map outer: slot 1 holds v, which is no map", 0, 0 },
	{ 48, TO_OUTER, "test.o: map outer: slot 2 holds the map itself", 0, 0 },
	{ 56, TO_A, "test.o: map outer: slot 3 is outside of its 3 entries", 0, 0 },
	{ 32, TO_SECTION, "test.o: map outer: slot 0 holds an address, which is no map", 0, 65 },
	{ 32, TO_SECTION, "test.o: map outer: slot 0 holds an address, which is no map", 0, 79 },
	{ 32, TO_SECTION, "test.o: map outer: slot 0 holds the map itself", 0, 0 },
	{ 33, TO_A, "test.o: map outer: values have a relocation that is not at an element", 0, 0 },
	{ 24, TO_A, "test.o: map outer: its definition has a relocation outside of values", 0, 0 },
	{ 0, TO_A, "test.o: map outer: its definition has a relocation outside of values", 0, 0 },
	{ 57, TO_A, "test.o: section .maps: a relocation at byte 0x39, where no map is", 0, 0 },
	{ 64, TO_A, "test.o: map a: its definition has a relocation outside of values", 0, 0 },
	{ 96, TO_A, "test.o: section .maps: a relocation at byte 0x60, where no map is", 0, 0 },
	{ 48, TO_A, "test.o: map outer: slot 2 is given two values", 48, 0 },
};

enum { VALUES_WRONG = sizeof(values_of_maps_wrong) / sizeof(values_of_maps_wrong[0]) };

START_TEST(wrong_values_of_maps)
{
	uint8_t raw[RAW] = { 0 };
	struct made m;

	bytes_put32(raw + values_of_maps_wrong[_i].at, values_of_maps_wrong[_i].addend, false);
	m = make(false, of_maps, raw);
	value(&m, values_of_maps_wrong[_i].at, target_of(&m, values_of_maps_wrong[_i].target));
	if (values_of_maps_wrong[_i].again)
		value(&m, values_of_maps_wrong[_i].again, m.symbols[1]);
	bpfobj_refused(&m.o, values_of_maps_wrong[_i].fault);
}
END_TEST

/* Two maps of maps, either of which would hold the other. */
START_TEST(cycle)
{
	static const struct def defs[] = {
		{ "one", { { "type", M_UINT, ARRAY_OF_MAPS }, { "key_size", M_UINT, 4 }, { "max_entries", M_UINT, 1 },
			   { "values", M_MAPS, 0 } }, 0, 32, GLOBAL },
		{ "two", { { "type", M_UINT, HASH_OF_MAPS }, { "key_size", M_UINT, 4 }, { "max_entries", M_UINT, 1 },
			   { "values", M_MAPS, 0 } }, 32, 32, GLOBAL }, { 0 },
	};
	struct made m = make(false, defs, NULL);

	value(&m, 24, m.symbols[1]);
	value(&m, 56, m.symbols[0]);
	bpfobj_refused(&m.o, "test.o: map one: slot 0 holds two, which holds maps itself: the kernel allows one "
		       "level");
}
END_TEST

/* A hash has no order, so any number is a key; but it must be a number of 4 bytes. */
START_TEST(values_of_hash)
{
	const struct def defs[] = {
		{ "outer", { { "type", M_UINT, HASH_OF_MAPS }, { "key_size", M_UINT, _i ? 8 : 4 },
			     { "max_entries", M_UINT, 1 }, { "values", M_MAPS, 0 } }, 0, 64, GLOBAL },
		ONE("a", 64), { 0 },
	};
	struct made m = make(false, defs, NULL);

	value(&m, 56, m.symbols[1]);
	if (_i) {
		bpfobj_refused(&m.o, "test.o: map outer: key is not of 4 bytes, although values are given");
		return;
	}
	bpfobj_open(&m.o);
	ck_assert_uint_eq(m.o.t->map_slots[0].key, 4);
	bpfobj_free(&m.o);
}
END_TEST

/* An extern map has a definition and no place, and may be in another. */
START_TEST(extern_map)
{
	static const struct def defs[] = {
		{ "outer", { { "type", M_UINT, ARRAY_OF_MAPS }, { "key_size", M_UINT, 4 },
			     { "max_entries", M_UINT, 3 }, { "values", M_MAPS, 0 } }, 0, 48, GLOBAL },
		{ "hidden", { { "type", M_UINT, HASH }, { "key_size", M_UINT, 4 } }, 48, 16, STATIC },
		{ "there", { { "type", M_UINT, HASH }, { "key_size", M_UINT, 7 } }, 0, 16, EXTERN }, { 0 },
	};
	struct made m = make(_i, defs, NULL);
	const struct map *map;

	value(&m, 24, m.symbols[2]);
	value(&m, 32, m.symbols[1]);
	bpfobj_open(&m.o);
	ck_assert_uint_eq(m.o.t->map_count, 4);
	ck_assert_str_eq(m.o.t->maps[m.o.t->map_slots[0].target].name, "there");
	ck_assert_str_eq(m.o.t->maps[m.o.t->map_slots[1].target].name, "hidden");
	map = &m.o.t->maps[m.o.t->map_slots[0].target];
	ck_assert(map->external && map->pinning == MAP_PIN_NAME && map->symbol == m.symbols[2]);
	ck_assert(map->elf_section == 0 && map->type == HASH && map->key_size == 7);
	ck_assert(!m.o.t->maps[m.o.t->map_slots[1].target].external);
	ck_assert_uint_eq(m.o.t->injectable_count, 1);	/* v: there is nothing to be set */
	bpfobj_free(&m.o);
}
END_TEST

static const struct def jumps[] = {
	{ "jumps", { { "type", M_UINT, PROG_ARRAY }, { "key_size", M_UINT, 4 }, { "max_entries", M_UINT, 2 },
		     { "values", M_FUNCS, 0 } }, 0, 48, GLOBAL }, ONE("a", 64), { 0 },
};

START_TEST(values_of_prog_array)
{
	struct made m = make(_i, jumps, NULL);

	value(&m, 24, m.p1);
	value(&m, 32, m.p0);
	bpfobj_open(&m.o);
	ck_assert_uint_eq(m.o.t->map_slot_count, 2);
	ck_assert_str_eq(m.o.t->funcs[m.o.t->map_slots[0].target].name, "p1");
	ck_assert_str_eq(m.o.t->funcs[m.o.t->map_slots[1].target].name, "p0");
	bpfobj_free(&m.o);
}
END_TEST

START_TEST(wrong_values_of_prog_array)
{
	static const struct { uint64_t at; enum target target; const char *fault; } cases[] = {
		{ 24, TO_A, "test.o: map jumps: slot 0 holds a, which is no program" },
		{ 24, TO_F, "test.o: map jumps: slot 0 holds f, a function that is no program" },
		{ 32, TO_DATA, "test.o: map jumps: slot 1 holds v, which is no program" },
		{ 40, TO_P0, "test.o: map jumps: slot 2 is outside of its 2 entries" },
	};
	struct made m = make(false, jumps, NULL);

	value(&m, cases[_i].at, target_of(&m, cases[_i].target));
	bpfobj_refused(&m.o, cases[_i].fault);
}
END_TEST

Suite *suite_maps(void)
{
	Suite *suite = suite_create("maps");
	TCase *tcase = tcase_create("BTF");

	tcase_add_loop_test(tcase, definitions, 0, 2 * BTF_MAPS);
	tcase_add_test(tcase, definition_missing);
	tcase_add_loop_test(tcase, inner_definition, 0, 2);
	tcase_add_loop_test(tcase, values_of_maps, 0, 4);
	tcase_add_loop_test(tcase, wrong_values_of_maps, 0, VALUES_WRONG);
	tcase_add_test(tcase, cycle);
	tcase_add_loop_test(tcase, values_of_hash, 0, 2);
	tcase_add_loop_test(tcase, extern_map, 0, 2);
	tcase_add_loop_test(tcase, values_of_prog_array, 0, 2);
	tcase_add_loop_test(tcase, wrong_values_of_prog_array, 0, 4);
	suite_add_tcase(suite, tcase);
	return suite;
}
