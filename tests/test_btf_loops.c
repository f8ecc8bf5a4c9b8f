// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which types may not contain themselves, how deep they may nest, and that
 * finding out takes time in proportion to their number, whatever they are; and
 * how large is what nests.
 */
#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "elf/btf.h"
#include "tests/btfgen.h"
#include "tests/walk.h"

Suite *suite_btf_loops(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { MANY = 100000 };

static const char loop[] = "type contains itself", deep[] = "types nest too deeply";

/* Walk what was generated; what is the fault's text, or NULL.  Returns the fault's offset. */
static uint64_t finish_and_check(struct btfgen *gen, const char *what)
{
	struct elf64_fault fault = { "none", 0 };
	uint8_t *data;
	size_t size;
	int ret;

	data = btfgen_finish(gen, &size, NULL, NULL);
	ret = walk_btf(data, size, NULL, 0, &fault);
	if (what) {
		ck_assert_int_eq(ret, -1);
		ck_assert_str_eq(fault.what, what);
	} else {
		ck_assert_msg(ret == 0, "%s at %#lx", fault.what, (unsigned long)fault.offset);
	}
	free(data);
	return fault.offset;
}

static uint32_t generate_int(struct btfgen *gen)
{
	uint32_t id = btfgen_type(gen, "int", BTF_INT, 0, 4);

	btfgen_word(gen, 32);
	return id;
}

static void generate_array(struct btfgen *gen, uint32_t of, uint32_t by)
{
	btfgen_type(gen, "", BTF_ARRAY, 0, 0);
	btfgen_words(gen, of, by, 1);
}

/* A struct or union of 8 bytes with one member at its beginning. */
static void generate_struct(struct btfgen *gen, enum btf_kind kind, uint32_t member)
{
	btfgen_type(gen, "s", kind, 1, 8);
	btfgen_words(gen, 0, member, 0);
}

/* In each loop the fault has to name type 2 or a later one: type 1 is an int that others lead to. */
START_TEST(test_modifier_of_itself)
{
	static const enum btf_kind kinds[] = {
		BTF_TYPEDEF, BTF_VOLATILE, BTF_CONST, BTF_RESTRICT, BTF_TYPE_TAG
	};
	struct btfgen *gen = btfgen_new(false);

	generate_int(gen);
	btfgen_type(gen, "", kinds[_i], 0, 2);
	ck_assert_uint_eq(finish_and_check(gen, loop), 24 + 16);
}
END_TEST

START_TEST(test_ring_of_modifiers)
{
	struct btfgen *gen = btfgen_new(false);

	generate_int(gen);
	btfgen_type(gen, "a", BTF_TYPEDEF, 0, 3);
	btfgen_type(gen, "", BTF_CONST, 0, 4);
	btfgen_type(gen, "", BTF_VOLATILE, 0, 2);
	btfgen_type(gen, "into", BTF_TYPEDEF, 0, 3);
	ck_assert_uint_eq(finish_and_check(gen, loop), 24 + 16);
}
END_TEST

START_TEST(test_variable_of_itself)
{
	struct btfgen *gen = btfgen_new(false);

	btfgen_type(gen, "v", BTF_VAR, 0, 2);
	btfgen_word(gen, 0);
	btfgen_type(gen, "t", BTF_TYPEDEF, 0, 1);
	finish_and_check(gen, loop);
}
END_TEST

START_TEST(test_array_of_itself)
{
	struct btfgen *gen = btfgen_new(false);

	generate_int(gen);
	generate_array(gen, 2, 1);
	ck_assert_uint_eq(finish_and_check(gen, loop), 24 + 16);
}
END_TEST

START_TEST(test_struct_of_itself)
{
	struct btfgen *gen = btfgen_new(false);

	generate_int(gen);
	btfgen_type(gen, "s", _i ? BTF_UNION : BTF_STRUCT, 2, 8);
	btfgen_words(gen, 0, 1, 0);
	btfgen_words(gen, 0, 2, 32);
	ck_assert_uint_eq(finish_and_check(gen, loop), 24 + 16);
}
END_TEST

START_TEST(test_struct_of_itself_through_all)
{
	struct btfgen *gen = btfgen_new(false);

	generate_struct(gen, BTF_STRUCT, 2);
	generate_struct(gen, BTF_UNION, 3);
	generate_array(gen, 4, 4);
	btfgen_type(gen, "", BTF_CONST, 0, 5);
	btfgen_type(gen, "t", BTF_TYPEDEF, 0, 1);
	finish_and_check(gen, loop);
}
END_TEST

/* Everything that leads back only through a pointer, a function or an index type is sane. */
START_TEST(test_recursion_through_pointers)
{
	struct btfgen *gen = btfgen_new(false);

	generate_struct(gen, BTF_STRUCT, 2);
	btfgen_type(gen, "", BTF_PTR, 0, 3);
	generate_array(gen, 1, 3);
	btfgen_type(gen, "callback", BTF_TYPEDEF, 0, 5);
	btfgen_type(gen, "", BTF_PTR, 0, 6);
	btfgen_type(gen, "", BTF_FUNC_PROTO, 1, 4);
	btfgen_word(gen, 0);
	btfgen_word(gen, 5);
	btfgen_type(gen, "", BTF_PTR, 0, 7);
	btfgen_type(gen, "f", BTF_FUNC, 0, 6);
	btfgen_type(gen, "tag", BTF_DECL_TAG, 0, 9);
	btfgen_word(gen, 0);
	finish_and_check(gen, NULL);
}
END_TEST

/* length types the last of which is an int; the links go up or down the ids. */
static struct btfgen *generate_chain(uint32_t length, bool down)
{
	struct btfgen *gen = btfgen_new(false);
	uint32_t id;

	if (down)
		generate_int(gen);
	for (id = 1; id < length; id++)
		btfgen_type(gen, "", BTF_TYPEDEF, 0, down ? id : id + 1);
	if (!down)
		generate_int(gen);
	return gen;
}

START_TEST(test_depth_of_typedefs)
{
	finish_and_check(generate_chain(BTF_MAX_DEPTH, _i), NULL);
	finish_and_check(generate_chain(BTF_MAX_DEPTH + 1, _i), deep);
}
END_TEST

START_TEST(test_depth_of_structs)
{
	struct btfgen *gen = btfgen_new(false);
	uint32_t id;

	for (id = 1; id < BTF_MAX_DEPTH + (uint32_t)_i; id++)
		generate_struct(gen, id % 2 ? BTF_STRUCT : BTF_UNION, id + 1);
	generate_int(gen);
	finish_and_check(gen, _i ? deep : NULL);
}
END_TEST

static struct btfgen *generate_ring(uint32_t length)
{
	struct btfgen *gen = btfgen_new(false);
	uint32_t id;

	for (id = 1; id < length; id++)
		btfgen_type(gen, "", BTF_CONST, 0, id + 1);
	btfgen_type(gen, "", BTF_CONST, 0, 1);
	return gen;
}

/* That a longer chain of types is a loop makes no difference to what is wrong with it. */
START_TEST(test_long_rings)
{
	finish_and_check(generate_ring(BTF_MAX_DEPTH), loop);
	finish_and_check(generate_ring(BTF_MAX_DEPTH + 1), deep);
}
END_TEST

/* void is the end of a chain, and no type of it. */
START_TEST(test_depth_over_void)
{
	struct btfgen *gen = btfgen_new(false);
	uint32_t id;

	btfgen_type(gen, "", BTF_CONST, 0, 0);
	for (id = 1; id < BTF_MAX_DEPTH + (uint32_t)_i; id++)
		btfgen_type(gen, "", BTF_CONST, 0, id);
	finish_and_check(gen, _i ? deep : NULL);
}
END_TEST

/* As many ways through the nesting as 2 to the power of its depth. */
static struct btfgen *generate_lattice(void)
{
	struct btfgen *gen = btfgen_new(false);
	uint32_t id;

	for (id = 1; id < BTF_MAX_DEPTH; id++) {
		btfgen_type(gen, "", BTF_STRUCT, 2, 8);
		btfgen_words(gen, 0, id + 1, 0);
		btfgen_words(gen, 0, id + 1, 0);
	}
	generate_int(gen);
	return gen;
}

static struct btfgen *generate_chain_up(void)
{
	return generate_chain(MANY, false);
}

static struct btfgen *generate_chain_down(void)
{
	return generate_chain(MANY, true);
}

static struct btfgen *generate_long_ring(void)
{
	return generate_ring(MANY);
}

/* Each type is a loop of its own. */
static struct btfgen *generate_selves(void)
{
	struct btfgen *gen = btfgen_new(false);
	uint32_t id;

	for (id = 1; id < MANY; id++)
		btfgen_type(gen, "", BTF_CONST, 0, id);
	return gen;
}

static struct btfgen *generate_wide(void)
{
	struct btfgen *gen = btfgen_new(false);
	uint32_t i;

	generate_int(gen);
	btfgen_type(gen, "wide", BTF_STRUCT, 0xffff, 8);
	for (i = 0; i < 0xffff; i++)
		btfgen_words(gen, 0, 1, 0);
	for (i = 0; i < MANY; i++)
		btfgen_type(gen, "", BTF_TYPEDEF, 0, 2);
	return gen;
}

static const struct {
	struct btfgen *(*generate)(void);
	const char *what;
} hostile[] = {
	{ generate_chain_up, deep }, { generate_chain_down, deep }, { generate_long_ring, deep },
	{ generate_selves, loop }, { generate_lattice, NULL }, { generate_wide, NULL },
};

/* An algorithm of the square of the number would take minutes; these take milliseconds. */
START_TEST(test_hostile_graphs_are_quick)
{
	struct elf64_fault fault = { "none", 0 };
	uint32_t *index, count;
	struct btf btf;
	uint8_t *data;
	size_t size;
	clock_t start;
	int ret;

	data = btfgen_finish(hostile[_i].generate(), &size, NULL, NULL);
	start = clock();
	ck_assert_int_eq(btf_count(data, size, &count, &fault), 0);
	index = malloc(count * 2 * sizeof(*index));
	ret = btf_open(&btf, data, size, index, count, &fault);
	ck_assert_int_lt((clock() - start) / (CLOCKS_PER_SEC / 1000), 500);
	ck_assert_int_eq(ret, hostile[_i].what ? -1 : 0);
	if (hostile[_i].what)
		ck_assert_str_eq(fault.what, hostile[_i].what);
	free(index);
	free(data);
}
END_TEST

/* Elements of nested arrays over a type of some bytes, and the size of it all. */
static const struct {
	uint32_t counts[3], bytes;
	bool ok;
	uint32_t size;
} arrays[] = {
	{ { 2, 3, 4 }, 5, true, 120 },
	{ { UINT32_MAX, 1, 1 }, 1, true, UINT32_MAX },
	{ { 0x10000, 0x8000, 1 }, 1, true, 0x80000000 },
	{ { 0x10000, 0x10000, 1 }, 1, false, 0 },
	{ { 0x10000, 0x8000, 1 }, 2, false, 0 },
	{ { UINT32_MAX, UINT32_MAX, UINT32_MAX }, UINT32_MAX, false, 0 },
	{ { UINT32_MAX, UINT32_MAX, 0 }, UINT32_MAX, true, 0 },
	{ { 0, UINT32_MAX, UINT32_MAX }, UINT32_MAX, true, 0 },
	{ { UINT32_MAX, UINT32_MAX, UINT32_MAX }, 0, true, 0 },
};

START_TEST(test_array_sizes)
{
	struct btfgen *gen = btfgen_new(false);
	uint32_t index[2 * 5], size32 = 0, i;
	struct elf64_fault fault;
	struct btf btf;
	uint8_t *data;
	size_t size;

	for (i = 0; i < 3; i++) {
		btfgen_type(gen, "", BTF_ARRAY, 0, 0);
		btfgen_words(gen, i + 2, 4, arrays[_i].counts[i]);
	}
	btfgen_type(gen, "s", BTF_STRUCT, 0, arrays[_i].bytes);
	data = btfgen_finish(gen, &size, NULL, NULL);
	ck_assert_int_eq(btf_open(&btf, data, size, index, COUNT(index) / 2, &fault), 0);
	ck_assert_int_eq(btf_size(&btf, 1, 8, &size32), arrays[_i].ok);
	if (arrays[_i].ok)
		ck_assert_uint_eq(size32, arrays[_i].size);
	free(data);
}
END_TEST

Suite *suite_btf_loops(void)
{
	Suite *suite = suite_create("btf_loops");
	TCase *tcase = tcase_create("btf_loops");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_modifier_of_itself, 0, 5);
	tcase_add_test(tcase, test_ring_of_modifiers);
	tcase_add_test(tcase, test_variable_of_itself);
	tcase_add_test(tcase, test_array_of_itself);
	tcase_add_loop_test(tcase, test_struct_of_itself, 0, 2);
	tcase_add_test(tcase, test_struct_of_itself_through_all);
	tcase_add_test(tcase, test_recursion_through_pointers);
	tcase_add_loop_test(tcase, test_depth_of_typedefs, 0, 2);
	tcase_add_loop_test(tcase, test_depth_of_structs, 0, 2);
	tcase_add_test(tcase, test_long_rings);
	tcase_add_loop_test(tcase, test_depth_over_void, 0, 2);
	tcase_add_loop_test(tcase, test_hostile_graphs_are_quick, 0, (int)COUNT(hostile));
	tcase_add_loop_test(tcase, test_array_sizes, 0, (int)COUNT(arrays));
	suite_add_tcase(suite, tcase);
	return suite;
}
