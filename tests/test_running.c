// SPDX-License-Identifier: BSD-2-Clause
/*
 * Variables of a data map as hostile BTF and records describe them, without a
 * kernel, which refuses most of this.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/running_parts.h"
#include "tests/btfgen.h"

Suite *suite_running(void);

enum { MAP_SIZE = 16, NESTING = 6, OVERLAP = 50 };

struct fake {
	struct bpfstamp_running r;
	struct running_map map;
	struct btf btf;
	uint8_t *bytes;
	uint32_t *index;
	uint8_t content[MAP_SIZE];
	struct record record;
	struct record_value recorded[2];
};

static uint32_t var(struct btfgen *gen, const char *name, uint32_t type, uint32_t linkage)
{
	uint32_t id = btfgen_type(gen, name, BTF_VAR, 0, type);

	btfgen_word(gen, linkage);
	return id;
}

/* A struct of 4 bytes, all of whose members overlap, each such a struct again: 50^6 leaves. */
static uint32_t overlapping(struct btfgen *gen, uint32_t u32)
{
	uint32_t inner = u32;

	for (int i = 0; i < NESTING; i++) {
		uint32_t outer = btfgen_type(gen, "s", BTF_STRUCT, OVERLAP, 4);

		for (int k = 0; k < OVERLAP; k++)
			btfgen_words(gen, btfgen_string(gen, "m"), inner, 0);
		inner = outer;
	}
	return inner;
}

/* Arrays of arrays of what has no size: 64^6 leaves. */
static uint32_t sizeless(struct btfgen *gen, uint32_t u32)
{
	uint32_t inner = btfgen_type(gen, "nothing", BTF_STRUCT, 0, 0);

	for (int i = 0; i < NESTING; i++) {
		uint32_t outer = btfgen_type(gen, "", BTF_ARRAY, 0, 0);

		btfgen_words(gen, inner, u32, 64);
		inner = outer;
	}
	return inner;
}

static void finish(struct fake *f, struct btfgen *gen, uint32_t datasec)
{
	struct elf64_fault fault;
	uint32_t count;
	size_t size;

	f->bytes = btfgen_finish(gen, &size, NULL, NULL);
	ck_assert_int_eq(btf_count(f->bytes, size, &count, &fault), 0);
	f->index = malloc(2 * count * sizeof(*f->index));
	ck_assert_msg(!btf_open(&f->btf, f->bytes, size, f->index, count, &fault), "%s", fault.what);
	for (uint8_t i = 0; i < MAP_SIZE; i++)
		f->content[i] = i;
	f->map = (struct running_map){ .fd = 0, .btf = &f->btf, .datasec = datasec, .section = ".data",
				       .writable = true, .value_size = MAP_SIZE, .content = f->content };
	f->r = (struct bpfstamp_running){ .maps = &f->map, .map_count = 1, .prog_btf = &f->btf };
}

static void is_value(const struct fake *f, uint32_t i, const char *path, const char *type, const char *value,
		     bool stamped, bool writable)
{
	struct bpfstamp_running_value v;

	ck_assert_uint_lt(i, bpfstamp_running_value_count(&f->r));
	bpfstamp_running_value_at(&f->r, i, &v);
	ck_assert_str_eq(v.path, path);
	ck_assert_str_eq(v.type, type);
	ck_assert_str_eq(v.value, value);
	ck_assert(v.stamped == stamped && v.writable == writable);
}

static void stop(struct fake *f)
{
	running_values_free(&f->r);
	free(f->bytes);
	free(f->index);
}

static void count_leaf(const char *path, const struct part *part, void *arg)
{
	(void)path;
	(void)part;
	++*(uint32_t *)arg;
}

/* A struct of 16 bytes, all of whose members are all of it, as raw bytes. */
START_TEST(too_much)
{
	struct btfgen *gen = btfgen_new(BYTES_HOST_BIG);
	uint32_t u8 = btfgen_type(gen, "u8", BTF_INT, 0, 1), array, outer, id, datasec;
	struct fake f;

	btfgen_word(gen, 8);
	array = btfgen_type(gen, "", BTF_ARRAY, 0, 0);
	btfgen_words(gen, u8, u8, MAP_SIZE);
	outer = btfgen_type(gen, "s", BTF_STRUCT, _i ? OVERLAP : 1, MAP_SIZE);
	for (int k = 0; k < (_i ? OVERLAP : 1); k++)
		btfgen_words(gen, btfgen_string(gen, "m"), array, 0);
	id = var(gen, "x", outer, 1);
	datasec = btfgen_type(gen, ".data", BTF_DATASEC, 1, 0);
	btfgen_words(gen, id, 0, MAP_SIZE);
	finish(&f, gen, datasec);
	ck_assert_int_eq(running_values(&f.r), 0);
	ck_assert_uint_eq(f.r.value_count, 1);
	is_value(&f, 0, _i ? "x" : "x.m", _i ? "struct s" : "u8[16]", "hex:000102030405060708090a0b0c0d0e0f", false,
		 true);
	stop(&f);
}
END_TEST

/* What no compiler makes ends the walk, and is told whole; what comes behind it is told as ever. */
START_TEST(too_many)
{
	struct btfgen *gen = btfgen_new(BYTES_HOST_BIG);
	uint32_t u8 = btfgen_type(gen, "u8", BTF_INT, 0, 1), nested, first, second, datasec, leaves = 0;
	struct fake f;
	struct part whole;

	btfgen_word(gen, 8);
	nested = _i ? sizeless(gen, u8) : overlapping(gen, u8);
	first = var(gen, "first", nested, 1);
	second = var(gen, "second", u8, 1);
	datasec = btfgen_type(gen, ".data", BTF_DATASEC, 2, 0);
	btfgen_words(gen, first, 0, 4);
	btfgen_words(gen, second, 4, 1);
	finish(&f, gen, datasec);
	whole = (struct part){ .btf = nested, .type = value_from_btf(&f.btf, nested, _i ? 0 : 4) };
	ck_assert(!part_leaves(&whole, &f.btf, "x", 1000, count_leaf, &leaves));
	ck_assert_uint_le(leaves, 1000);
	ck_assert_int_eq(running_values(&f.r), 0);
	ck_assert_uint_eq(f.r.value_count, 2);
	/* Of no size in BTF but some in the map: a number of which nobody knows the type. */
	is_value(&f, 0, "first", _i ? "u32" : "struct s",
		 _i ? BYTES_HOST_BIG ? "0x10203" : "0x3020100" : "hex:00010203", false, true);
	is_value(&f, 1, "second", "u8", "0x4", false, true);
	stop(&f);
}
END_TEST

START_TEST(hostile_sections)
{
	static const uint32_t places[][2] = { { 0, 0 }, { MAP_SIZE, 1 }, { MAP_SIZE - 3, 4 }, { UINT32_MAX, 4 },
					      { 4, UINT32_MAX - 3 }, { 8, 2 }, { MAP_SIZE - 4, 4 } };
	struct btfgen *gen = btfgen_new(BYTES_HOST_BIG);
	uint32_t u32 = btfgen_type(gen, "u32", BTF_INT, 0, 4), good, external, datasec;
	struct fake f;

	btfgen_word(gen, 32);
	good = var(gen, "v", u32, 0);
	external = var(gen, "e", u32, 2);
	datasec = btfgen_type(gen, ".data", BTF_DATASEC, 8, 0);
	btfgen_words(gen, external, 0, 4);
	for (int i = 0; i < 7; i++)
		btfgen_words(gen, good, places[i][0], places[i][1]);
	finish(&f, gen, datasec);
	ck_assert_int_eq(running_values(&f.r), 0);
	ck_assert_uint_eq(f.r.value_count, 2);
	is_value(&f, 0, "v", "u16", BYTES_HOST_BIG ? "0x809" : "0x908", false, true);
	is_value(&f, 1, "v", "u32", BYTES_HOST_BIG ? "0xc0d0e0f" : "0xf0e0d0c", false, true);
	stop(&f);
}
END_TEST

/*
 * What a record says is brought together with a map's variable only where all
 * agrees; types by ids only where sizes do.
 */
START_TEST(recorded)
{
	static const uint8_t bytes[8] = { 9, 9, 9, 9, 9, 9, 9, 9 };
	struct btfgen *gen = btfgen_new(BYTES_HOST_BIG);
	uint32_t u32 = btfgen_type(gen, "u32", BTF_INT, 0, 4), v, pair, datasec;
	struct record_value *first, *second;
	struct fake f;

	btfgen_word(gen, 32);
	pair = btfgen_type(gen, "pair", BTF_STRUCT, 2, 8);
	btfgen_words(gen, btfgen_string(gen, "a"), u32, 0);
	btfgen_words(gen, btfgen_string(gen, "b"), u32, 32);
	v = var(gen, "v", u32, 1);
	datasec = btfgen_type(gen, ".data", BTF_DATASEC, 1, 0);
	btfgen_words(gen, v, 4, 4);
	finish(&f, gen, datasec);
	f.record = (struct record){ .count = 2, .values = f.recorded };
	f.r.record = &f.record;
	first = &f.recorded[0];
	second = &f.recorded[1];
	*first = (struct record_value){ .name = "v", .type = "its type", .section = ".data", .kind = BPFSTAMP_GLOBAL,
					.stamped = true, .in_map = true, .bits = 32, .size = 4, .offset = 4 };
	*second = (struct record_value){ .name = "p", .type = "struct pair", .section = ".data",
					 .kind = BPFSTAMP_GLOBAL, .stamped = true, .size = 8, .btf = pair,
					 .bytes = bytes };
	switch (_i) {
	case 1:
		first->name = "w";
		break;
	case 2:
		first->section = ".bss";
		break;
	case 3:
		first->offset = 5;
		break;
	case 4:
		first->size = 2;
		break;
	case 5:
		first->in_map = false;
		break;
	case 6:
		first->bytes = bytes;
		break;
	case 7:
		second->btf = u32;
		break;
	case 8:
		second->btf = UINT32_MAX;
		break;
	default:
		break;
	}
	ck_assert_int_eq(running_values(&f.r), 0);
	is_value(&f, 0, "v", "u32", _i == 6 ? "0x9090909" : BYTES_HOST_BIG ? "0x4050607" : "0x7060504", !_i || _i > 5,
		 _i != 6);
	if (_i > 6) {
		ck_assert_uint_eq(f.r.value_count, 2);
		is_value(&f, 1, "p", "struct pair", "hex:0909090909090909", true, false);
	} else {
		ck_assert_uint_eq(f.r.value_count, 3);
		is_value(&f, 1, "p.a", "u32", "0x9090909", true, false);
		is_value(&f, 2, "p.b", "u32", "0x9090909", true, false);
	}
	stop(&f);
}
END_TEST

Suite *suite_running(void)
{
	TCase *tcase = tcase_create("running");
	Suite *suite = suite_create("running");

	tcase_add_loop_test(tcase, too_many, 0, 2);
	tcase_add_loop_test(tcase, too_much, 0, 2);
	tcase_add_test(tcase, hostile_sections);
	tcase_add_loop_test(tcase, recorded, 0, 9);
	suite_add_tcase(suite, tcase);
	return suite;
}
