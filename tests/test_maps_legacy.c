// SPDX-License-Identifier: BSD-2-Clause
/*
 * Legacy maps, how they belong together by number, and sections that stand for
 * maps which cannot be created.
 */
#include <check.h>
#include <string.h>

#include "include/bytes.h"
#include "tests/bpfobj.h"

Suite *suite_maps_legacy(void);

enum { HASH = 1, ARRAY = 2, PROG_ARRAY = 3, ARRAY_OF_MAPS = 12 };

enum { WORDS = 12, LEGACY = 3 };

struct legacy {
	const char *name;
	uint32_t size, words[WORDS];
};

static struct bpfobj legacy_object(bool big, const struct legacy *maps, const char *section)
{
	static const struct bpfinsn code[] = { EXIT };
	struct bpfobj o = bpfobj_new(big);
	uint8_t raw[LEGACY * WORDS * 4];
	uint32_t size = 0, index;

	bpfobj_func(&o, "main", bpfobj_code(&o, "classifier", code, 1), 0, 1);
	if (section)
		bpfobj_func(&o, "tail", bpfobj_code(&o, section, code, 1), 0, 1);
	for (int i = 0; i < LEGACY; size += maps[i++].size)
		for (uint32_t w = 0; w < WORDS && 4 * w + 4 <= maps[i].size; w++)
			bytes_put32(raw + size + 4 * w, maps[i].words[w], big);
	index = bpfobj_data(&o, "maps", raw, size);
	for (int i = 0, at = 0; i < LEGACY; at += (int)maps[i++].size)
		if (maps[i].name)
			bpfobj_var(&o, maps[i].name, index, (uint32_t)at, 0);
	return o;
}

/* Short, plain, longer but zero, and with a number that nobody knows. */
START_TEST(legacy_maps)
{
	static const struct legacy maps[] = {
		{ "min", 16, { 1, 2, 3, 4 } }, { "plain", 20, { 10, 20, 30, 40, 50 } },
		{ "long", 44, { 11, 21, 31, 41, 51 } },
	}, wide[] = {
		{ "wide", 40, { 1, 2, 3, 4, 5, 6, 0, 0, 0, 1 } }, { "scope", 28, { 1, 2, 3, 4, 5, 6, 3 } }, { 0 },
	};
	struct bpfobj o = legacy_object(_i, maps, NULL);
	struct bpfstamp_map map;

	bpfobj_open(&o);
	ck_assert_uint_eq(bpfstamp_map_count(o.t), 3);
	for (uint32_t i = 0; i < 3; i++) {
		bpfstamp_map_at(o.t, i, &map);
		ck_assert_str_eq(map.name, maps[i].name);
		ck_assert_str_eq(map.section, "maps");
		ck_assert(!map.data && !map.readonly && !map.pin);
		ck_assert_uint_eq(map.type, maps[i].words[0]);
		ck_assert_uint_eq(map.key_size, maps[i].words[1]);
		ck_assert_uint_eq(map.value_size, maps[i].words[2]);
		ck_assert_uint_eq(map.max_entries, maps[i].words[3]);
		ck_assert_uint_eq(map.flags, maps[i].words[4]);
		ck_assert_ptr_null(o.t->maps[i].refused);
	}
	bpfobj_free(&o);
	o = legacy_object(_i, wide, NULL);
	bpfobj_open(&o);
	ck_assert_str_eq(o.t->maps[0].refused,
			 "its definition is longer than struct bpf_elf_map of iproute2, which is not supported");
	ck_assert_str_eq(o.t->maps[1].refused,
			 "it wants a pinning scope that is neither 0 (none), 1 (object) nor 2 (global)");
	bpfobj_free(&o);
}
END_TEST

START_TEST(legacy_map_too_short)
{
	static const struct { uint32_t value, size; const char *fault; } cases[] = {
		{ 0, 16, NULL }, { 1, 16, "test.o: map m: its definition is shorter than 16 bytes" },
		{ 0, 15, "is shorter than 16 bytes" }, { 16, 16, "is shorter than 16 bytes" },
	};
	static const struct bpfinsn code[] = { EXIT };
	static const uint8_t raw[16];
	struct bpfobj o = bpfobj_new(false);
	uint32_t maps = bpfobj_data(&o, "maps", raw, cases[_i].size);

	bpfobj_code(&o, "tc", code, 1);
	bpfobj_var(&o, "m", maps, cases[_i].value, 0);
	if (bpfobj_opens(&o, cases[_i].fault))
		bpfobj_free(&o);
}
END_TEST

/* outer holds what looks like the map of id 7: a, which goes into slot 1; b has the id as well, and stays outside. */
START_TEST(legacy_together)
{
	static const struct legacy maps[] = {
		{ "outer", 36, { ARRAY_OF_MAPS, 4, 4, 2, 0, 0, 2, 7, 0 } },
		{ "a", 36, { ARRAY, 4, 8, 1, 0, 7, 1, 0, 1 } },
		{ "b", 36, { ARRAY, 4, 8, 1, 0, 7, 0, 0, UINT32_MAX } },
	};
	struct bpfobj o = legacy_object(_i, maps, "7/0");
	struct bpfstamp_map map;

	bpfobj_refused(&o, "test.o: section 7/0: the map with that id, a, is no prog array");
	o = legacy_object(_i, maps, "8/0");
	bpfobj_open(&o);
	ck_assert_uint_eq(o.t->maps[0].inner, 1);
	ck_assert_uint_eq(o.t->map_slot_count, 1);
	ck_assert(o.t->map_slots[0].map == 0 && o.t->map_slots[0].key == 1 && o.t->map_slots[0].target == 1);
	bpfstamp_map_at(o.t, 0, &map);
	ck_assert_str_eq(map.pin, "global");
	bpfstamp_map_at(o.t, 1, &map);
	ck_assert_str_eq(map.pin, "object");
	bpfobj_free(&o);
}
END_TEST

static const struct {
	struct legacy maps[LEGACY];
	const char *fault;
} legacy_wrong[] = {
	{ { { "outer", 36, { ARRAY_OF_MAPS, 4, 4, 2, 0, 0, 0, 7, 0 } } },
	  "test.o: map outer: no map has its inner_id 7" },
	{ { { "outer", 36, { ARRAY_OF_MAPS, 4, 4, 2, 0, 7, 0, 7, 0 } } },
	  "test.o: map outer: the map of its inner_id 7, outer, holds maps itself: the kernel allows one level" },
	{ { { "outer", 36, { ARRAY_OF_MAPS, 4, 4, 2, 0, 0, 0, 7, 0 } },
	    { "a", 36, { ARRAY, 4, 4, 1, 0, 7, 0, 0, 2 } } },
	  "test.o: map outer: slot 2 is outside of its 2 entries" },
	{ { { "outer", 36, { ARRAY_OF_MAPS, 4, 4, 2, 0, 0, 0, 7, 0 } },
	    { "a", 36, { ARRAY, 4, 4, 1, 0, 7, 0, 0, 1 } }, { "b", 36, { ARRAY, 4, 4, 1, 0, 7, 0, 0, 1 } } },
	  "test.o: map outer: slot 1 is given two values" },
};

START_TEST(legacy_apart)
{
	struct bpfobj o = legacy_object(false, legacy_wrong[_i].maps, NULL);

	bpfobj_refused(&o, legacy_wrong[_i].fault);
}
END_TEST

static const struct {
	const char *section;
	uint32_t slot;		/* or NO_INDEX: it means nothing */
	const char *fault;
} tails[] = {
	{ "7/0", 0, NULL }, { "0x7/1", 1, NULL }, { "07/02", 2, NULL }, { "7/3", 3, NULL },
	{ "7/4", 0, "test.o: map jumps: slot 4 is outside of its 4 entries" },
	{ "7/-1", NO_INDEX, NULL }, { "7/1x", NO_INDEX, NULL }, { "x7/1", NO_INDEX, NULL }, { "7", NO_INDEX, NULL },
	{ "7/", NO_INDEX, NULL }, { "0/1", NO_INDEX, NULL }, { "6/1", NO_INDEX, NULL },
	{ "4294967303/1", NO_INDEX, NULL }, { "7/99999999999999999999", NO_INDEX, NULL },
};

START_TEST(legacy_tails)
{
	static const struct legacy maps[] = { { "jumps", 24, { PROG_ARRAY, 4, 4, 4, 0, 7 } }, { 0 }, { 0 } };
	struct bpfobj o = legacy_object(false, maps, tails[_i].section);

	if (!bpfobj_opens(&o, tails[_i].fault))
		return;
	ck_assert_uint_eq(o.t->map_slot_count, tails[_i].slot != NO_INDEX);
	if (tails[_i].slot != NO_INDEX) {
		ck_assert_uint_eq(o.t->map_slots[0].key, tails[_i].slot);
		ck_assert_str_eq(o.t->funcs[o.t->map_slots[0].target].name, "tail");
	}
	bpfobj_free(&o);
}
END_TEST

/* ------------------------------------------------------------- the rest */

START_TEST(refused_sections)
{
	static const char *const sections[] = {
		".struct_ops", ".struct_ops.link", "?.struct_ops", ".struct_opsx", ".addr_space.1",
	};
	static const struct bpfinsn code[] = { EXIT };
	static const uint8_t raw[16];
	struct bpfobj o = bpfobj_new(false);

	bpfobj_func(&o, "p", bpfobj_code(&o, "tc", code, 1), 0, 1);
	bpfobj_var(&o, "x", bpfobj_data(&o, sections[_i], raw, 16), 0, 16);
	bpfobj_open(&o);
	ck_assert_uint_eq(o.t->map_count, _i != 3);
	if (_i < 3) {
		ck_assert_str_eq(o.t->maps[0].name, "x");
		ck_assert_str_eq(o.t->maps[0].refused, "it is a struct_ops, which is not supported");
	} else if (_i == 4) {
		ck_assert_str_eq(o.t->maps[0].name, ".addr_space.1");
		ck_assert_str_eq(o.t->maps[0].refused, "variables in an arena are not supported");
	}
	bpfobj_free(&o);
}
END_TEST

Suite *suite_maps_legacy(void)
{
	Suite *suite = suite_create("maps_legacy");
	TCase *tcase = tcase_create("legacy maps");

	tcase_add_loop_test(tcase, legacy_maps, 0, 2);
	tcase_add_loop_test(tcase, legacy_map_too_short, 0, 4);
	tcase_add_loop_test(tcase, legacy_together, 0, 2);
	tcase_add_loop_test(tcase, legacy_apart, 0, sizeof(legacy_wrong) / sizeof(legacy_wrong[0]));
	tcase_add_loop_test(tcase, legacy_tails, 0, sizeof(tails) / sizeof(tails[0]));
	tcase_add_loop_test(tcase, refused_sections, 0, 5);
	suite_add_tcase(suite, tcase);
	return suite;
}
