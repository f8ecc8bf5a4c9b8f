// SPDX-License-Identifier: BSD-2-Clause
/*
 * What clang makes of the maps in tests/objects.  These tests need the project's
 * folder as working directory and are left out where there is no clang.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/bpfobj.h"

Suite *suite_maps_real(void);

enum { HASH = 1, PROG_ARRAY = 3 };

enum { VARIANTS = 8 };

static bool compile(struct bpfobj *o, const char *name, int variant)
{
	char source[64], flags[256];

	snprintf(source, sizeof(source), "#include \"%s.bpf.c\"\n", name);
	snprintf(flags, sizeof(flags), "-mcpu=v%d %s", variant / 2 + 1, BPFOBJ_FLAGS);
	return bpfobj_compile(o, variant % 2 ? "bpfeb" : "bpfel", flags, source);
}

static uint32_t find(const struct bpfobj *o, const char *name)
{
	for (uint32_t i = 0; i < o->t->map_count; i++)
		if (!strcmp(o->t->maps[i].name, name))
			return i;
	ck_abort_msg("no map %s", name);
}

static const char *held(const struct bpfobj *o, uint32_t map, uint32_t key)
{
	const struct map *m = &o->t->maps[map];

	for (uint32_t i = m->slot_first; i < m->slot_first + m->slot_count; i++)
		if (o->t->map_slots[i].key == key)
			return m->type == PROG_ARRAY ? o->t->funcs[o->t->map_slots[i].target].name :
				o->t->maps[o->t->map_slots[i].target].name;
	return "nothing";
}

START_TEST(clang_maps_of_maps)
{
	const struct map *inner;
	struct bpfobj o;
	uint32_t outer;

	if (!compile(&o, "maps_of_maps", _i))
		return;
	outer = find(&o, "by_index");
	inner = o.t->maps[outer].inner_def;
	ck_assert(inner && inner->type == HASH && inner->max_entries == 8);
	ck_assert(inner->key_size == 4 && inner->value_size == 8);
	ck_assert_uint_eq(o.t->maps[outer].slot_count, 3);
	ck_assert_str_eq(held(&o, outer, 0), "first");
	ck_assert_str_eq(held(&o, outer, 1), "nothing");
	ck_assert_str_eq(held(&o, outer, 2), "second");
	ck_assert_str_eq(held(&o, outer, 3), "hidden");
	outer = find(&o, "by_key");
	ck_assert(o.t->maps[outer].inner_def->flags == 0x1000 && !o.t->maps[outer].slot_count);
	bpfobj_free(&o);
}
END_TEST

START_TEST(clang_legacy)
{
	struct bpfobj o;
	uint32_t jumps_map, outer;

	if (!compile(&o, "maps_legacy", _i))
		return;
	jumps_map = find(&o, "jumps");
	outer = find(&o, "outer");
	ck_assert_uint_eq(o.t->map_slot_count, 3);
	ck_assert_str_eq(held(&o, jumps_map, 0), "zero");
	ck_assert_str_eq(held(&o, jumps_map, 2), "two");
	ck_assert_str_eq(held(&o, outer, 1), "inner");
	ck_assert_uint_eq(o.t->maps[outer].inner, find(&o, "inner"));
	ck_assert_int_eq(o.t->maps[find(&o, "shared")].pinning, MAP_PIN_GLOBAL);
	ck_assert_int_eq(o.t->maps[find(&o, "own")].pinning, MAP_PIN_OBJECT);
	bpfobj_free(&o);
}
END_TEST

START_TEST(clang_types)
{
	struct bpfobj o;

	if (!compile(&o, "maps_types", _i))
		return;
	ck_assert_uint_eq(o.t->map_count, 28);
	ck_assert_uint_eq(o.t->maps[find(&o, "bloom")].extra, 4);
	ck_assert_uint_eq(o.t->maps[find(&o, "ring")].value_size, 0);
	ck_assert_uint_eq(o.t->maps[find(&o, "ring")].max_entries, 5000);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_maps_real(void)
{
	Suite *suite = suite_create("maps_real");
	TCase *tcase = tcase_create("maps by clang");

	tcase_add_loop_test(tcase, clang_maps_of_maps, 0, VARIANTS);
	tcase_add_loop_test(tcase, clang_legacy, 0, VARIANTS);
	tcase_add_loop_test(tcase, clang_types, 0, VARIANTS);
	suite_add_tcase(suite, tcase);
	return suite;
}
