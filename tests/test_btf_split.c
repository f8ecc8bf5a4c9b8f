// SPDX-License-Identifier: BSD-2-Clause
/*
 * Split BTF: what continues other BTF.  Every accessor has to answer for ids of
 * both, what is refused has to be named at its place in the right bytes, and no
 * damage to the bytes may lead outside of them (walk.c, under a sanitizer).
 *
 * The sample's base has the types INT to BASE_TYPES - 1; the split BTF goes on
 * from there.
 */
#include <check.h>
#include <stdlib.h>

#include "elf/btf.h"
#include "include/bytes.h"
#include "tests/btfgen.h"
#include "tests/walk.h"

Suite *suite_btf_split(void);

enum {	/* ids of the sample */
	INT = 1, NODE, ALIAS, BASE_VAR, BASE_TYPES,
	PTR = BASE_TYPES, OWN, CONST, VAR, DATASEC, ENUM, PROTO, FUNC, TYPES,
};

struct pair {
	uint8_t *base_data, *data;
	size_t base_size, size;
	uint32_t base_index[2 * 400], index[2 * 400];
	struct btf base, btf;
	struct elf64_fault fault;
};

/* How many bytes of strings there are. */
static uint32_t strings_of(const uint8_t *data, bool big)
{
	return bytes_get32(data + 20, big);
}

static struct btfgen *generate_base(bool big)
{
	struct btfgen *gen = btfgen_new(big);

	btfgen_type(gen, "int", BTF_INT, 0, 4);
	btfgen_word(gen, BTF_INT_SIGNED << 24 | 32);
	btfgen_type(gen, "node", BTF_STRUCT, 1, 8);
	btfgen_words(gen, btfgen_string(gen, "v"), INT, 32);
	btfgen_type(gen, "alias", BTF_TYPEDEF, 0, NODE);
	btfgen_type(gen, "base_var", BTF_VAR, 0, ALIAS);
	btfgen_word(gen, 1);
	return gen;
}

static struct btfgen *generate_split(bool big, uint32_t first_string)
{
	struct btfgen *gen = btfgen_new_split(big, BASE_TYPES, first_string);

	btfgen_type(gen, "", BTF_PTR, 0, OWN);
	btfgen_type(gen, "own", BTF_STRUCT, 2, 16);
	btfgen_words(gen, btfgen_string(gen, "next"), PTR, 0);
	btfgen_words(gen, 1, ALIAS, 64);	/* called "int", by base's string */
	btfgen_type(gen, "", BTF_CONST, 0, ALIAS);
	btfgen_type(gen, "var", BTF_VAR, 0, CONST);
	btfgen_word(gen, 0);
	btfgen_type(gen, ".data", BTF_DATASEC, 2, 24);
	btfgen_words(gen, BASE_VAR, 0, 8);
	btfgen_words(gen, VAR, 8, 8);
	btfgen_type(gen, "node", BTF_ENUM, 1, 4);	/* a string that base has, too */
	btfgen_word(gen, btfgen_string(gen, "ONE"));
	btfgen_word(gen, 1);
	btfgen_type(gen, "", BTF_FUNC_PROTO, 1, INT);
	btfgen_word(gen, btfgen_string(gen, "arg"));
	btfgen_word(gen, PTR);
	btfgen_type(gen, "func", BTF_FUNC, 1, PROTO);
	return gen;
}

static int open_split(struct pair *p)
{
	uint32_t count;

	if (btf_count(p->data, p->size, &count, &p->fault))
		return -1;
	ck_assert_uint_le(count, 400);
	return btf_open_split(&p->btf, &p->base, p->data, p->size, p->index, count, &p->fault);
}

static void open_base(struct pair *p)
{
	uint32_t count;

	ck_assert_int_eq(btf_count(p->base_data, p->base_size, &count, &p->fault), 0);
	ck_assert_uint_le(count, 400);
	ck_assert_msg(!btf_open(&p->base, p->base_data, p->base_size, p->base_index, count, &p->fault), "%s",
		      p->fault.what);
}

static void set_up(struct pair *p, bool big)
{
	p->base_data = btfgen_finish(generate_base(big), &p->base_size, NULL, NULL);
	p->data = btfgen_finish(generate_split(big, strings_of(p->base_data, big)), &p->size, NULL, NULL);
	open_base(p);
}

static void tear_down(struct pair *p)
{
	free(p->base_data);
	free(p->data);
}

/* The split BTF is refused, for that reason, at that offset of its own bytes. */
static void refused(struct pair *p, const char *what, uint64_t offset)
{
	p->fault = (struct elf64_fault){ "none", 0 };
	ck_assert_int_eq(open_split(p), -1);
	ck_assert_str_eq(p->fault.what, what);
	ck_assert_uint_eq(p->fault.offset, offset);
}

static void accepted(struct pair *p)
{
	ck_assert_msg(!open_split(p), "%s at %#lx", p->fault.what, (unsigned long)p->fault.offset);
	ck_assert_int_eq(walk_btf_split(p->base_data, p->base_size, p->data, p->size, &p->fault), 0);
}

START_TEST(test_ids_go_on)
{
	struct pair p;

	set_up(&p, _i);
	accepted(&p);
	ck_assert_ptr_null(p.base.base);
	ck_assert_uint_eq(p.base.first, 1);
	ck_assert_uint_eq(p.base.type_count, BASE_TYPES);
	ck_assert_ptr_eq(p.btf.base, &p.base);
	ck_assert_uint_eq(p.btf.first, BASE_TYPES);
	ck_assert_uint_eq(p.btf.type_count, TYPES);
	ck_assert(p.btf.big == (_i != 0));
	tear_down(&p);
}
END_TEST

/* Types of base look the same through what continues it. */
START_TEST(test_types_of_both)
{
	struct btf_type type, other;
	enum btf_kind kind;
	struct pair p;

	set_up(&p, _i);
	accepted(&p);
	for (uint32_t id = 0; id < BASE_TYPES; id++) {
		btf_type(&p.btf, id, &type);
		btf_type(&p.base, id, &other);
		ck_assert_int_eq(memcmp(&type, &other, sizeof(type)), 0);
	}
	btf_type(&p.btf, OWN, &type);
	ck_assert_str_eq(type.name, "own");
	ck_assert_int_eq(type.kind, BTF_STRUCT);
	ck_assert_uint_eq(type.size, 16);
	ck_assert_uint_eq(type.vlen, 2);
	btf_type(&p.btf, FUNC, &type);
	ck_assert_str_eq(type.name, "func");
	ck_assert_uint_eq(type.type, PROTO);
	ck_assert_str_eq(btf_name(&p.btf, FUNC, &kind), "func");
	ck_assert_int_eq(kind, BTF_FUNC);
	ck_assert_str_eq(btf_name(&p.btf, NODE, &kind), "node");
	ck_assert_int_eq(kind, BTF_STRUCT);
	ck_assert_str_eq(btf_name(&p.btf, 0, &kind), "");
	ck_assert_int_eq(kind, BTF_VOID);
	tear_down(&p);
}
END_TEST

START_TEST(test_entries_of_both)
{
	struct btf_enumerator enumerator;
	struct btf_member member;
	struct btf_secvar secvar;
	struct btf_param param;
	struct pair p;

	set_up(&p, _i);
	accepted(&p);
	btf_member(&p.btf, NODE, 0, &member);
	ck_assert_str_eq(member.name, "v");
	ck_assert_uint_eq(member.bit_offset, 32);
	btf_member(&p.btf, OWN, 0, &member);
	ck_assert_str_eq(member.name, "next");
	ck_assert_uint_eq(member.type, PTR);
	btf_member(&p.btf, OWN, 1, &member);
	ck_assert_str_eq(member.name, "int");
	ck_assert_uint_eq(member.type, ALIAS);
	btf_enumerator(&p.btf, ENUM, 0, &enumerator);
	ck_assert_str_eq(enumerator.name, "ONE");
	btf_param(&p.btf, PROTO, 0, &param);
	ck_assert_str_eq(param.name, "arg");
	ck_assert_uint_eq(param.type, PTR);
	btf_secvar(&p.btf, DATASEC, 1, &secvar);
	ck_assert_uint_eq(secvar.type, VAR);
	ck_assert_uint_eq(secvar.offset, 8);
	ck_assert_uint_eq(bytes_get32(p.data + btf_type_at(&p.btf, DATASEC) + 12, _i), BASE_VAR);
	ck_assert_uint_eq(btf_type_at(&p.btf, PTR), 24);
	ck_assert_uint_eq(btf_type_at(&p.btf, OWN), 24 + 12);
	tear_down(&p);
}
END_TEST

START_TEST(test_from_own_into_base)
{
	uint32_t size;
	struct pair p;

	set_up(&p, _i);
	accepted(&p);
	ck_assert_uint_eq(btf_resolve(&p.btf, CONST), NODE);
	ck_assert_uint_eq(btf_resolve(&p.btf, ALIAS), NODE);
	ck_assert_uint_eq(btf_resolve(&p.btf, OWN), OWN);
	ck_assert(btf_size(&p.btf, VAR, 8, &size));
	ck_assert_uint_eq(size, 8);
	ck_assert(btf_size(&p.btf, INT, 8, &size));
	ck_assert_uint_eq(size, 4);
	ck_assert(!btf_size(&p.btf, 0, 8, &size));
	ck_assert(!btf_size(&p.btf, FUNC, 8, &size));
	ck_assert_uint_eq(btf_find(&p.btf, BTF_STRUCT, "node"), NODE);
	ck_assert_uint_eq(btf_find(&p.btf, BTF_ENUM, "node"), ENUM);
	ck_assert_uint_eq(btf_find(&p.base, BTF_ENUM, "node"), 0);
	ck_assert_uint_eq(btf_find(&p.btf, BTF_STRUCT, "nod"), 0);
	tear_down(&p);
}
END_TEST

/* Offsets on both sides of the seam, and of the end. */
START_TEST(test_strings_of_both)
{
	struct pair p;
	uint32_t seam, end;

	set_up(&p, _i);
	accepted(&p);
	seam = strings_of(p.base_data, _i);
	end = seam + strings_of(p.data, _i);
	ck_assert_str_eq(btf_string(&p.btf, 0), "");
	ck_assert_str_eq(btf_string(&p.btf, 1), "int");
	ck_assert_str_eq(btf_string(&p.btf, seam - 1), "");
	ck_assert_str_eq(btf_string(&p.btf, seam - 2), "r");	/* of base_var */
	ck_assert_str_eq(btf_string(&p.btf, seam), "own");
	ck_assert_str_eq(btf_string(&p.btf, seam + 1), "wn");
	ck_assert_str_eq(btf_string(&p.btf, end - 2), "c");	/* of func */
	ck_assert_str_eq(btf_string(&p.btf, end - 1), "");
	ck_assert_str_eq(btf_string(&p.btf, end), "");
	ck_assert_str_eq(btf_string(&p.btf, UINT32_MAX), "");
	ck_assert_str_eq(btf_string(&p.base, seam), "");
	tear_down(&p);
}
END_TEST

/* Names and ids just inside and just outside of what both have together. */
START_TEST(test_bounds)
{
	const uint32_t name = 24 + 12, pointed = 24 + 8;	/* of OWN; of PTR */
	struct pair p;
	uint32_t end;

	set_up(&p, _i);
	end = strings_of(p.base_data, _i) + strings_of(p.data, _i);
	bytes_put32(p.data + name, end - 1, _i);
	accepted(&p);
	bytes_put32(p.data + name, end, _i);
	refused(&p, "name is outside of the strings", name);
	bytes_put32(p.data + name, 1, _i);
	bytes_put32(p.data + pointed, TYPES - 1, _i);
	accepted(&p);
	bytes_put32(p.data + pointed, TYPES, _i);
	refused(&p, "type does not exist", pointed);
	bytes_put32(p.data + pointed, UINT32_MAX, _i);
	refused(&p, "type does not exist", pointed);
	tear_down(&p);
}
END_TEST

/* Split BTF alone refers to what is not there; so does base with more types than it has. */
START_TEST(test_neither_is_plain)
{
	struct pair p;
	uint32_t count;

	set_up(&p, false);
	ck_assert_int_eq(btf_count(p.data, p.size, &count, &p.fault), 0);
	ck_assert_uint_eq(count, TYPES - BASE_TYPES + 1);
	ck_assert_int_eq(btf_open(&p.btf, p.data, p.size, p.index, count, &p.fault), -1);
	ck_assert_str_eq(p.fault.what, "strings do not begin and end in NUL");
	bytes_put32(p.base_data + btf_type_at(&p.base, BASE_VAR) + 8, BASE_TYPES, false);
	ck_assert_int_eq(btf_open(&p.base, p.base_data, p.base_size, p.base_index, BASE_TYPES, &p.fault), -1);
	ck_assert_str_eq(p.fault.what, "type does not exist");
	tear_down(&p);
}
END_TEST

/* A module whose names are all those of vmlinux has no strings. */
START_TEST(test_no_strings)
{
	struct btf_type type;
	struct btfgen *gen;
	struct pair p;

	set_up(&p, _i);
	free(p.data);
	gen = btfgen_new_split(_i, BASE_TYPES, strings_of(p.base_data, _i));
	btfgen_words(gen, 1, (uint32_t)BTF_TYPEDEF << 24, NODE);
	p.data = btfgen_finish(gen, &p.size, NULL, NULL);
	ck_assert_uint_eq(strings_of(p.data, _i), 0);
	accepted(&p);
	btf_type(&p.btf, BASE_TYPES, &type);
	ck_assert_str_eq(type.name, "int");
	bytes_put32(p.data + 24, strings_of(p.base_data, _i), _i);
	refused(&p, "name is outside of the strings", 24);
	tear_down(&p);
}
END_TEST

START_TEST(test_no_types)
{
	struct pair p;

	set_up(&p, _i);
	free(p.data);
	p.data = btfgen_finish(btfgen_new_split(_i, BASE_TYPES, strings_of(p.base_data, _i)), &p.size, NULL, NULL);
	accepted(&p);
	ck_assert_uint_eq(p.btf.first, BASE_TYPES);
	ck_assert_uint_eq(p.btf.type_count, BASE_TYPES);
	ck_assert_uint_eq(btf_find(&p.btf, BTF_STRUCT, "node"), NODE);
	tear_down(&p);
}
END_TEST

START_TEST(test_last_string_has_no_end)
{
	struct pair p;

	set_up(&p, _i);
	p.data[p.size - 1] = 'x';
	refused(&p, "strings do not end in NUL", 16);
	tear_down(&p);
}
END_TEST

START_TEST(test_other_byte_order)
{
	struct pair p;

	set_up(&p, _i);
	free(p.data);
	p.data = btfgen_finish(generate_split(!_i, strings_of(p.base_data, _i)), &p.size, NULL, NULL);
	refused(&p, "byte order is not that of the BTF it continues", 0);
	tear_down(&p);
}
END_TEST

START_TEST(test_sections_hold_variables)
{
	struct pair p;
	uint32_t at;

	set_up(&p, _i);
	accepted(&p);
	at = btf_type_at(&p.btf, DATASEC) + 12;
	bytes_put32(p.data + at, NODE, _i);
	refused(&p, "a section holds what is no variable", at);
	bytes_put32(p.data + at, FUNC, _i);
	accepted(&p);
	tear_down(&p);
}
END_TEST

START_TEST(test_loop_of_its_own)
{
	struct pair p;
	uint32_t at;

	set_up(&p, _i);
	accepted(&p);
	at = btf_type_at(&p.btf, CONST);
	bytes_put32(p.data + at + 8, VAR, _i);
	refused(&p, "type contains itself", at);
	tear_down(&p);
}
END_TEST

static struct btfgen *generate_chain(struct btfgen *gen, uint32_t first, uint32_t length)
{
	for (uint32_t id = first; id < first + length; id++)
		btfgen_type(gen, "", BTF_CONST, 0, id - 1);
	return gen;
}

/* A chain that begins in one and ends in the other is as long as both. */
START_TEST(test_depth_of_both)
{
	const uint32_t below = 100, above = BTF_MAX_DEPTH - below + (uint32_t)_i;
	struct pair p;

	p.base_data = btfgen_finish(generate_chain(btfgen_new(false), 1, below), &p.base_size, NULL, NULL);
	open_base(&p);
	p.data = btfgen_finish(generate_chain(btfgen_new_split(false, 1 + below, 1), 1 + below, above), &p.size,
			       NULL, NULL);
	if (_i)
		refused(&p, "types nest too deeply", 24 + 12 * (above - 1));
	else
		accepted(&p);
	tear_down(&p);
}
END_TEST

/* What continues split BTF. */
START_TEST(test_three)
{
	uint32_t index[2 * 2], size;
	struct btf_type type;
	struct btfgen *gen;
	struct btf third;
	struct pair p;
	uint8_t *data;
	size_t length;

	set_up(&p, _i);
	accepted(&p);
	gen = btfgen_new_split(_i, TYPES, strings_of(p.base_data, _i) + strings_of(p.data, _i));
	btfgen_type(gen, "third", BTF_TYPEDEF, 0, CONST);
	data = btfgen_finish(gen, &length, NULL, NULL);
	ck_assert_int_eq(btf_open_split(&third, &p.btf, data, length, index, 2, &p.fault), 0);
	btf_type(&third, TYPES, &type);
	ck_assert_str_eq(type.name, "third");
	btf_type(&third, OWN, &type);
	ck_assert_str_eq(type.name, "own");
	btf_type(&third, NODE, &type);
	ck_assert_str_eq(type.name, "node");
	ck_assert_uint_eq(btf_resolve(&third, TYPES), NODE);
	ck_assert(btf_size(&third, TYPES, 8, &size));
	ck_assert_uint_eq(size, 8);
	ck_assert_uint_eq(third.type_count, TYPES + 1);
	free(data);
	tear_down(&p);
}
END_TEST

/* Whatever is cut off or changed, it is refused or can be walked. */
START_TEST(test_damage)
{
	static const uint8_t values[] = { 0, 1, 4, 0x7f, 0xff };
	struct elf64_fault fault;
	uint8_t *copy;
	struct pair p;

	set_up(&p, _i);
	for (size_t size = 0; size < p.size; size++) {
		copy = malloc(size + !size);
		memcpy(copy, p.data, size);
		ck_assert_int_eq(walk_btf_split(p.base_data, p.base_size, copy, size, &fault), -1);
		ck_assert_uint_le(fault.offset, size);
		free(copy);
	}
	for (size_t at = 0; at < p.size; at++) {
		uint8_t old = p.data[at];

		for (size_t i = 0; i < sizeof(values); i++) {
			p.data[at] = values[i];
			if (walk_btf_split(p.base_data, p.base_size, p.data, p.size, &fault))
				ck_assert_uint_le(fault.offset, p.size);
		}
		p.data[at] = old;
	}
	tear_down(&p);
}
END_TEST

Suite *suite_btf_split(void)
{
	Suite *suite = suite_create("btf_split");
	TCase *tcase = tcase_create("btf_split");

	tcase_add_loop_test(tcase, test_ids_go_on, 0, 2);
	tcase_add_loop_test(tcase, test_types_of_both, 0, 2);
	tcase_add_loop_test(tcase, test_entries_of_both, 0, 2);
	tcase_add_loop_test(tcase, test_from_own_into_base, 0, 2);
	tcase_add_loop_test(tcase, test_strings_of_both, 0, 2);
	tcase_add_loop_test(tcase, test_bounds, 0, 2);
	tcase_add_test(tcase, test_neither_is_plain);
	tcase_add_loop_test(tcase, test_no_strings, 0, 2);
	tcase_add_loop_test(tcase, test_no_types, 0, 2);
	tcase_add_loop_test(tcase, test_last_string_has_no_end, 0, 2);
	tcase_add_loop_test(tcase, test_other_byte_order, 0, 2);
	tcase_add_loop_test(tcase, test_sections_hold_variables, 0, 2);
	tcase_add_loop_test(tcase, test_loop_of_its_own, 0, 2);
	tcase_add_loop_test(tcase, test_depth_of_both, 0, 2);
	tcase_add_loop_test(tcase, test_three, 0, 2);
	tcase_add_loop_test(tcase, test_damage, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
