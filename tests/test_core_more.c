// SPDX-License-Identifier: BSD-2-Clause
/*
 * CO-RE: which types are the same, kernels with several types of one name,
 * records and BTF that make no sense or too much work, and records in words.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/corepair.h"

Suite *suite_core_more(void);

/* Struct s of one member f, in both: types of it are given in the same order, as ids in either BTF. */
struct both {
	uint32_t local[16], target[16];
};

enum { INT, SHORT, POINTER, ARRAY, STRUCT, UNION, ENUM, OTHER_ENUM, NO_ENUM, FORWARD, FLOAT, BITS, PROTO, FUNCTIONS };

static void make_types(struct btfgen *gen, const char *flavor, uint32_t *ids)
{
	const struct corepair_value value = { "V", 1 };
	char name[32];

	ids[INT] = corepair_int(gen, "int", 4, BTF_INT_SIGNED);
	ids[SHORT] = corepair_int(gen, "short", 2, 0);
	ids[POINTER] = btfgen_type(gen, "", BTF_PTR, 0, ids[INT]);
	ids[ARRAY] = corepair_array(gen, ids[SHORT], *flavor ? 2 : 3);
	ids[STRUCT] = corepair_struct(gen, BTF_STRUCT, *flavor ? "in_object" : "in_kernel", 4, NULL, 0);
	ids[UNION] = corepair_struct(gen, BTF_UNION, "either", 4, NULL, 0);
	snprintf(name, sizeof(name), "e%s", flavor);
	ids[ENUM] = corepair_enum(gen, BTF_ENUM, name, false, 4, &value, 1);
	ids[OTHER_ENUM] = corepair_enum(gen, BTF_ENUM64, "e2", false, 8, &value, 1);
	ids[NO_ENUM] = corepair_enum(gen, BTF_ENUM, "", false, 4, &value, 1);
	snprintf(name, sizeof(name), "far%s", flavor);
	ids[FORWARD] = btfgen_type(gen, name, BTF_FWD, 0, 0);
	ids[FLOAT] = btfgen_type(gen, "double", BTF_FLOAT, 0, *flavor ? 8 : 4);
	ids[BITS] = btfgen_type(gen, "bits", BTF_INT, 0, 4);
	btfgen_word(gen, 1 << 16 | 31);
	ids[PROTO] = btfgen_type(gen, "", BTF_FUNC_PROTO, 0, 0);
}

static struct corepair_member member_f(uint32_t type)
{
	return (struct corepair_member){ "f", type, 0, 0 };
}

/* Whether field f of type a in the object is found where the kernel's is of type b. */
static bool compatible(int a, int b)
{
	struct bpfinsn insn[2] = { { .code = BPF_CLASS_ALU64 | BPF_OP_MOV, .imm = 1 }, { 0 } };
	struct corepair_member member;
	struct bpfstamp_err err;
	struct corepair pair;
	struct both both;
	uint32_t id;

	corepair_begin(&pair, false);
	make_types(pair.local, "___x", both.local);
	make_types(pair.target, "", both.target);
	member = member_f(btfgen_type(pair.local, "", BTF_CONST, 0, both.local[a]));
	id = corepair_struct(pair.local, BTF_STRUCT, "s", 8, &member, 1);
	member = member_f(btfgen_type(pair.target, "alias", BTF_TYPEDEF, 0, both.target[b]));
	corepair_struct(pair.target, BTF_STRUCT, "s", 8, &member, 1);
	corepair_open(&pair);
	ck_assert_msg(!corepair_relocate(&pair, CORE_FIELD_EXISTS, id, "0:0", insn, &err), "%s", err.text);
	corepair_close(&pair);
	return insn->imm;
}

START_TEST(test_fields_compat)
{
	static const struct { int a, b; } yes[] = {
		{ INT, SHORT }, { POINTER, POINTER }, { ARRAY, ARRAY }, { STRUCT, STRUCT }, { STRUCT, UNION },
		{ UNION, STRUCT }, { ENUM, ENUM }, { ENUM, NO_ENUM }, { NO_ENUM, OTHER_ENUM }, { FORWARD, FORWARD },
		{ FLOAT, FLOAT },
	};
	static const struct { int a, b; } no[] = {
		{ INT, POINTER }, { INT, ENUM }, { INT, BITS }, { BITS, BITS }, { ARRAY, INT }, { INT, ARRAY },
		{ ENUM, OTHER_ENUM }, { STRUCT, FORWARD }, { FLOAT, INT }, { POINTER, ARRAY },
	};
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		ck_assert_msg(compatible(yes[i].a, yes[i].b), "%d and %d", yes[i].a, yes[i].b);
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		ck_assert_msg(!compatible(no[i].a, no[i].b), "%d and %d", no[i].a, no[i].b);
}
END_TEST

/* A typedef t of each; what kinds 8 and 12 say to it. */
static void check_typedef(uint32_t (*make)(struct btfgen *gen, bool kernel), bool exists, bool matches)
{
	struct corepair pair;
	uint32_t id;

	corepair_begin(&pair, false);
	id = btfgen_type(pair.local, "t", BTF_TYPEDEF, 0, make(pair.local, false));
	btfgen_type(pair.target, "t", BTF_TYPEDEF, 0, make(pair.target, true));
	corepair_open(&pair);
	corepair_imm(&pair, CORE_TYPE_EXISTS, id, "0", 1, exists);
	corepair_imm(&pair, CORE_TYPE_MATCHES, id, "0", 1, matches);
	corepair_close(&pair);
}

static uint32_t make_int(struct btfgen *gen, bool kernel)
{
	return corepair_int(gen, "int", kernel ? 8 : 4, BTF_INT_SIGNED);
}

static uint32_t make_same_int(struct btfgen *gen, bool kernel)
{
	(void)kernel;
	return corepair_int(gen, "int", 4, BTF_INT_SIGNED);
}

static uint32_t make_array(struct btfgen *gen, bool kernel)
{
	return corepair_array(gen, corepair_int(gen, "int", 4, 0), kernel ? 2 : 3);
}

static uint32_t make_enum(struct btfgen *gen, bool kernel)
{
	const struct corepair_value values[] = { { "B___new", 2 }, { "A", 1 } };

	return corepair_enum(gen, kernel ? BTF_ENUM64 : BTF_ENUM, kernel ? "e" : "e___x", false, 8, values,
			     kernel ? 2 : 1);
}

static uint32_t make_less_enum(struct btfgen *gen, bool kernel)
{
	const struct corepair_value values[] = { { "A", 1 }, { "B", 2 } };

	return corepair_enum(gen, BTF_ENUM, "e", false, 4, values, kernel ? 1 : 2);
}

static uint32_t make_pointer_to_forward(struct btfgen *gen, bool kernel)
{
	struct corepair_member member = { "f", corepair_int(gen, "int", 4, 0), 0, 0 };
	uint32_t id;

	id = kernel ? corepair_struct(gen, BTF_STRUCT, "s", 4, &member, 1) : btfgen_type(gen, "s", BTF_FWD, 0, 0);
	return btfgen_type(gen, "", BTF_PTR, 0, id);
}

static uint32_t make_forward_of_union(struct btfgen *gen, bool kernel)
{
	uint32_t id = kernel ? btfgen_type(gen, "s", BTF_FWD, BTFGEN_FLAG, 0)
			     : corepair_struct(gen, BTF_UNION, "s", 0, NULL, 0);

	return btfgen_type(gen, "", BTF_PTR, 0, id);
}

static uint32_t make_struct(struct btfgen *gen, bool kernel)
{
	uint32_t n = corepair_int(gen, "int", 4, 0);
	const struct corepair_member members[] = { { "b", n, 0, 0 }, { kernel ? "a" : "b", n, 32, 0 } };

	return corepair_struct(gen, BTF_STRUCT, "s", 8, kernel ? members : members + 1, kernel ? 2 : 1);
}

static uint32_t make_changed_struct(struct btfgen *gen, bool kernel)
{
	uint32_t n = corepair_int(gen, "int", kernel ? 8 : 4, 0);

	return corepair_single(gen, BTF_STRUCT, "s", 8, "b", n, 0);
}

static uint32_t make_function(struct btfgen *gen, bool kernel)
{
	uint32_t n = corepair_int(gen, "int", kernel ? 8 : 4, 0), p, proto;

	p = btfgen_type(gen, "", BTF_PTR, 0, n);
	proto = btfgen_type(gen, "", BTF_FUNC_PROTO, 1, p);
	btfgen_word(gen, 0);
	btfgen_word(gen, n);
	return btfgen_type(gen, "", BTF_PTR, 0, proto);
}

static uint32_t make_other_function(struct btfgen *gen, bool kernel)
{
	uint32_t n = corepair_int(gen, "int", 4, 0), i;

	n = btfgen_type(gen, "", BTF_FUNC_PROTO, kernel ? 2 : 1, n);
	for (i = 0; i < (kernel ? 2 : 1); i++) {
		btfgen_word(gen, 0);
		btfgen_word(gen, 1);
	}
	return n;
}

static uint32_t make_struct_or_union(struct btfgen *gen, bool kernel)
{
	return corepair_struct(gen, kernel ? BTF_UNION : BTF_STRUCT, "s", 4, NULL, 0);
}

static uint32_t make_float(struct btfgen *gen, bool kernel)
{
	(void)kernel;
	return btfgen_type(gen, "float", BTF_FLOAT, 0, 4);
}

START_TEST(test_types_compat)
{
	check_typedef(make_int, true, false);
	check_typedef(make_same_int, true, true);
	check_typedef(make_array, true, false);
	check_typedef(make_enum, true, true);
	check_typedef(make_less_enum, true, false);
	check_typedef(make_pointer_to_forward, false, true);
	check_typedef(make_forward_of_union, false, true);
	check_typedef(make_struct, true, true);
	check_typedef(make_changed_struct, true, false);
	check_typedef(make_function, true, false);
	check_typedef(make_other_function, false, false);
	check_typedef(make_struct_or_union, false, false);
	check_typedef(make_float, false, false);
}
END_TEST

/* A struct with members x and y at the bits given; NONE: without. */
enum { NONE = UINT32_MAX };

static void add_struct(struct btfgen *gen, const char *name, uint32_t type, uint32_t x, uint32_t y)
{
	struct corepair_member members[2];
	uint32_t count = 0;

	if (x != NONE)
		members[count++] = (struct corepair_member){ "x", type, x, 0 };
	if (y != NONE)
		members[count++] = (struct corepair_member){ "y", type, y, 0 };
	corepair_struct(gen, BTF_STRUCT, name, 16, members, count);
}

START_TEST(test_ambiguous)
{
	struct corepair pair;
	uint32_t id, u32;

	corepair_begin(&pair, false);
	u32 = corepair_int(pair.local, "u32", 4, 0);
	add_struct(pair.local, "s___mine", u32, 0, 32);
	id = 2;
	u32 = corepair_int(pair.target, "u32", 4, 0);
	add_struct(pair.target, "s", u32, 32, NONE);
	add_struct(pair.target, "s", u32, NONE, NONE);
	add_struct(pair.target, "s___2", u32, 64, 96);
	corepair_open(&pair);
	corepair_imm(&pair, CORE_FIELD_OFFSET, id, "0:1", 4, 12);
	corepair_imm(&pair, CORE_TYPE_EXISTS, id, "0", 1, 1);
	corepair_imm(&pair, CORE_TYPE_SIZE, id, "0", 8 + 8, 16);
	corepair_refused(&pair, CORE_FIELD_OFFSET, id, "0:0", 0,
			 "the kernel's types are ambiguous: 4 at bit 32 in type 2, 8 at bit 64 in type 4 "
			 "(type 4 of /tmp/");
	corepair_refused(&pair, CORE_FIELD_EXISTS, id, "0:0", 1,
			 "ambiguous: 1 at bit 32 in type 2, 1 at bit 64 in type 4");
	corepair_refused(&pair, CORE_TYPE_ID_TARGET, id, "0", 1, "ambiguous: 2 in type 2, 3 in type 3");
	corepair_close(&pair);
}
END_TEST

/* At the same offset, but of another size: an address is the same in both, and a load is not. */
START_TEST(test_ambiguous_size)
{
	struct bpfinsn load[2] = { { .code = BPF_CLASS_LDX | BPF_MODE_MEM | BPF_SIZE_W }, { 0 } };
	struct bpfstamp_err err;
	struct corepair pair;

	corepair_begin(&pair, false);
	add_struct(pair.local, "s", corepair_int(pair.local, "u32", 4, 0), 0, NONE);
	add_struct(pair.target, "s", corepair_int(pair.target, "u32", 4, 0), 64, NONE);
	add_struct(pair.target, "s", corepair_int(pair.target, "u16", 2, 0), 64, NONE);
	corepair_open(&pair);
	corepair_imm(&pair, CORE_FIELD_OFFSET, 2, "0:0", 0, 8);
	ck_assert_int_eq(corepair_relocate(&pair, CORE_FIELD_OFFSET, 2, "0:0", load, &err), -1);
	ck_assert_msg(strstr(err.text, "64 with 4 bytes in type 2, 8 at bit 64 with 2 bytes in type 4 ") != NULL,
		      "%s", err.text);
	corepair_close(&pair);
}
END_TEST

/* Other kinds of the same name are not candidates. */
START_TEST(test_kinds)
{
	const struct corepair_value value = { "V", 3 };
	struct corepair pair;
	uint32_t u32, s, e;

	corepair_begin(&pair, false);
	u32 = corepair_int(pair.local, "u32", 4, 0);
	s = corepair_single(pair.local, BTF_STRUCT, "s", 4, "x", u32, 0);
	e = corepair_enum(pair.local, BTF_ENUM, "s", false, 4, &value, 1);
	u32 = corepair_int(pair.target, "u32", 4, 0);
	corepair_single(pair.target, BTF_UNION, "s", 4, "x", u32, 0);
	btfgen_type(pair.target, "s", BTF_TYPEDEF, 0, 2);
	corepair_enum(pair.target, BTF_ENUM64, "s", false, 8, &value, 1);
	corepair_open(&pair);
	corepair_poison(&pair, CORE_FIELD_OFFSET, s, "0:0", 0);
	corepair_imm(&pair, CORE_TYPE_EXISTS, s, "0", 1, 0);
	corepair_imm(&pair, CORE_ENUM_VALUE, e, "0", 3, 3);
	corepair_imm(&pair, CORE_TYPE_SIZE, e, "0", 4, 8);
	corepair_close(&pair);
}
END_TEST

START_TEST(test_malformed)
{
	static const char *const accesses[] = { "", ":", "0:", ":0", "0::0", "x", "0x", "-1", "+1", " 0", "0 ", "0:a",
						"2147483648", "99999999999999999999", "0:4294967296" };
	const struct corepair_value value = { "V", 1 };
	char many[2 * CORE_STEPS + 3];
	struct corepair pair;
	uint32_t u32, s, e, none, fwd, p, list;
	size_t i;

	corepair_begin(&pair, false);
	u32 = corepair_int(pair.local, "u32", 4, 0);
	none = corepair_single(pair.local, BTF_UNION, "", 4, "x", u32, 0);
	p = btfgen_type(pair.local, "", BTF_PTR, 0, u32);
	list = corepair_array(pair.local, u32, 2);
	s = corepair_struct(pair.local, BTF_STRUCT, "s", 40, (const struct corepair_member[]){
		{ "x", u32, 0, 0 }, { "", none, 32, 0 }, { "p", p, 64, 0 },
		{ "list", list, 128, 0 }, { "strange", p, 192, 3 } }, 5);
	e = corepair_enum(pair.local, BTF_ENUM, "e", false, 4, &value, 1);
	fwd = btfgen_type(pair.local, "far", BTF_FWD, 0, 0);
	corepair_open(&pair);
	for (i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++)
		corepair_refused(&pair, CORE_FIELD_OFFSET, s, accesses[i], 0, "is malformed");
	for (i = 0; i < sizeof(many) - 1; i++)
		many[i] = i % 2 ? ':' : '0';
	many[sizeof(many) - 1] = '\0';
	many[2 * CORE_STEPS + 1] = '\0';
	corepair_refused(&pair, CORE_FIELD_OFFSET, s, many, 0, "its access has more than 64 steps");
	many[2 * CORE_STEPS - 1] = '\0';
	corepair_refused(&pair, CORE_FIELD_OFFSET, s, many, 0, "is neither struct, union nor array");
	corepair_refused(&pair, CORE_FIELD_OFFSET, s, "0:5", 0, "has 5 members, and no 5");
	corepair_refused(&pair, CORE_FIELD_OFFSET, s, "0:3:2", 0, "has 2 elements, and no 2");
	corepair_refused(&pair, CORE_FIELD_OFFSET, s, "0:2:0", 0, "type 3 on its path is neither struct");
	corepair_refused(&pair, CORE_FIELD_OFFSET, s, "0:1", 4, "it ends in a member without a name");
	corepair_refused(&pair, CORE_FIELD_OFFSET, s, "2147483647", 0, "its offset is larger than 512 MiB");
	corepair_refused(&pair, CORE_FIELD_OFFSET, s, "13421773", 0, "its offset is larger than 512 MiB");
	corepair_refused(&pair, CORE_FIELD_OFFSET, s, "0:4", 0, "a bitfield of type 3, which is neither");
	corepair_refused(&pair, CORE_FIELD_SIGNED, s, "0:3:0", 0,
			 "an element of an array has an offset and a size only");
	corepair_refused(&pair, CORE_FIELD_SIZE, fwd, "0", 0, "has no size");
	corepair_refused(&pair, CORE_TYPE_SIZE, fwd, "0", 0, "has no size");
	corepair_refused(&pair, CORE_TYPE_SIZE, s, "0:0", 0, "its access is '0:0', where that of a type is '0'");
	corepair_refused(&pair, CORE_TYPE_EXISTS, p, "0", 1, "type 3 has no name to find it by");
	corepair_refused(&pair, CORE_TYPE_EXISTS, 0, "0", 1, "type 0 has no name to find it by");
	corepair_refused(&pair, CORE_ENUM_VALUE, e, "1", 1, "the enum has 1 values, and none 1");
	corepair_refused(&pair, CORE_ENUM_VALUE, e, "0:0", 1, "and none 0:…");
	corepair_refused(&pair, CORE_ENUM_VALUE, s, "0", 1, "is no enum");
	corepair_refused(&pair, CORE_KINDS, s, "0", 1, "its kind 13 is unknown");
	corepair_refused(&pair, UINT32_MAX, s, "0", 1, "its kind 4294967295 is unknown");
	corepair_close(&pair);
}
END_TEST

/* A bitfield that crosses the border of its last eight bytes: seven bits from bit 61 of an aligned integer. */
START_TEST(test_wide_bitfield)
{
	struct corepair pair;
	uint32_t u64;
	int i;

	corepair_begin(&pair, false);
	for (i = 0; i < 2; i++) {
		struct btfgen *gen = i ? pair.target : pair.local;

		u64 = corepair_int(gen, "u64", 8, 0);
		corepair_struct(gen, BTF_STRUCT, "s", 16,
				(const struct corepair_member[]){ { "x", u64, i ? 61 : 0, 7 } }, 1);
	}
	corepair_open(&pair);
	corepair_refused(&pair, CORE_FIELD_SIZE, 2, "0:0", 8,
			 "it is a bitfield that no 64-bit load has whole (type 2 of ");
	corepair_imm(&pair, CORE_FIELD_EXISTS, 2, "0:0", 1, 1);
	corepair_close(&pair);
}
END_TEST

/* Pointers to pointers: 31 levels can be compared, and 32 not, whatever is behind them. */
START_TEST(test_deep)
{
	const int levels = 31 + _i;
	struct corepair pair;
	uint32_t id = 0;
	int i, j;

	corepair_begin(&pair, false);
	for (i = 0; i < 2; i++) {
		struct btfgen *gen = i ? pair.target : pair.local;

		id = corepair_int(gen, "int", 4, 0);
		for (j = 0; j < levels; j++)
			id = btfgen_type(gen, "", BTF_PTR, 0, id);
		id = btfgen_type(gen, "t", BTF_TYPEDEF, 0, id);
	}
	corepair_open(&pair);
	if (_i) {
		corepair_refused(&pair, CORE_TYPE_EXISTS, id, "0", 1, "the types nest deeper than 32 levels");
		corepair_refused(&pair, CORE_TYPE_MATCHES, id, "0", 1, "the types nest deeper than 32 levels");
	} else {
		corepair_imm(&pair, CORE_TYPE_EXISTS, id, "0", 1, 1);
		corepair_imm(&pair, CORE_TYPE_MATCHES, id, "0", 1, 1);
	}
	corepair_close(&pair);
}
END_TEST

/* Structs in structs, two on each level, all without a name but for the last: a search doubles with each. */
static uint32_t add_tower(struct btfgen *gen, uint32_t levels, const char *last)
{
	uint32_t id = corepair_int(gen, "int", 4, 0), i;

	for (i = 0; i <= levels; i++) {
		const char *name = i ? "" : last;
		const struct corepair_member members[] = { { name, id, 0, 0 }, { name, id, 0, 0 } };

		id = corepair_struct(gen, BTF_STRUCT, i < levels ? "" : "s", 4, members, 2);
	}
	return id;
}

START_TEST(test_tower)
{
	static const struct { uint32_t levels; const char *text; } towers[] = {
		{ 30, "comparing the types takes more than 1048576 steps" },
		{ 62, "comparing the types takes more than 1048576 steps" },
		{ 63, "nests deeper than 64 levels" },
	};
	struct corepair pair;
	uint32_t id;

	corepair_begin(&pair, false);
	id = add_tower(pair.local, 3, "wanted");
	add_tower(pair.target, towers[_i].levels, "other");
	corepair_open(&pair);
	corepair_refused(&pair, CORE_FIELD_OFFSET, id, "0:1:1:1:1", 0, towers[_i].text);
	corepair_close(&pair);
}
END_TEST

/* The same of functions, whose parameters are pointers to functions. */
START_TEST(test_tower_of_functions)
{
	struct corepair pair;
	uint32_t id = 0;
	int i, j, k;

	corepair_begin(&pair, false);
	for (i = 0; i < 2; i++) {
		struct btfgen *gen = i ? pair.target : pair.local;

		id = corepair_int(gen, "int", 4, 0);
		for (j = 0; j < 28; j++) {
			id = btfgen_type(gen, "", BTF_FUNC_PROTO, 2, id);
			for (k = 0; k < 2; k++) {
				btfgen_word(gen, 0);
				btfgen_word(gen, j ? id - 1 : 1);
			}
			id = btfgen_type(gen, "", BTF_PTR, 0, id);
		}
		id = btfgen_type(gen, "t", BTF_TYPEDEF, 0, id);
	}
	corepair_open(&pair);
	corepair_refused(&pair, CORE_TYPE_EXISTS, id, "0", 1, "takes more than 1048576 steps");
	corepair_refused(&pair, CORE_TYPE_MATCHES, id, "0", 1, "takes more than 1048576 steps");
	corepair_close(&pair);
}
END_TEST

/* As snprintf: cut, ended, and the length of all. */
static void check_text(const struct corepair *pair, uint32_t kind, uint32_t type, const char *access,
		       const char *want)
{
	const struct btf_core_relo relo = { .type = type, .kind = kind, .access = access };
	char buf[128];
	size_t i, len = strlen(want);

	ck_assert_uint_eq(core_text(NULL, 0, &pair->t, &relo), len);
	for (i = 1; i < sizeof(buf); i++) {
		memset(buf, '~', sizeof(buf));
		ck_assert_uint_eq(core_text(buf, i, &pair->t, &relo), len);
		ck_assert_uint_eq(strlen(buf), i <= len ? i - 1 : len);
		ck_assert(!strncmp(buf, want, i - 1));
		ck_assert_int_eq(buf[i], '~');
	}
}

START_TEST(test_text)
{
	static const char *const kinds[CORE_KINDS] = {
		"offset of struct s.x", "size of struct s.x", "existence of struct s.x", "sign of struct s.x",
		"left shift of struct s.x", "right shift of struct s.x", "id in the object of type struct s",
		"id of type struct s", "existence of type struct s", "size of type struct s",
		"existence of struct s by '0:0'", "number for struct s by '0:0'", "match of type struct s",
	};
	const struct corepair_value value = { "V___1", 1 };
	uint32_t u32, none, s, list, alias, e, u, fwd;
	struct corepair pair;

	corepair_begin(&pair, false);
	u32 = corepair_int(pair.local, "u32", 4, 0);
	none = corepair_single(pair.local, BTF_UNION, "", 4, "y", u32, 0);
	list = corepair_array(pair.local, none, 3);
	s = corepair_struct(pair.local, BTF_STRUCT, "s", 40, (const struct corepair_member[]){
		{ "x", u32, 0, 0 }, { "", none, 32, 0 }, { "list", list, 64, 0 } }, 3);
	alias = btfgen_type(pair.local, "s_t___2", BTF_TYPEDEF, 0, s);
	e = corepair_enum(pair.local, BTF_ENUM64, "e___2", false, 8, &value, 1);
	u = corepair_struct(pair.local, BTF_UNION, "u", 4, NULL, 0);
	fwd = btfgen_type(pair.local, "far", BTF_FWD, BTFGEN_FLAG, 0);
	corepair_open(&pair);
	for (uint32_t i = 0; i < CORE_KINDS; i++)
		check_text(&pair, i, s, core_is_field(i) || core_is_enum(i) ? "0:0" : "0", kinds[i]);
	check_text(&pair, CORE_FIELD_OFFSET, s, "0:1:0", "offset of struct s.y");
	check_text(&pair, CORE_FIELD_OFFSET, alias, "2:2:1:0", "offset of s_t___2[2].list[1].y");
	check_text(&pair, CORE_FIELD_OFFSET, s, "0:9", "offset of struct s by '0:9'");
	check_text(&pair, CORE_FIELD_OFFSET, s, "0", "offset of struct s");
	check_text(&pair, CORE_ENUM_EXISTS, e, "0", "existence of enum e___2 value V___1");
	check_text(&pair, CORE_ENUM_VALUE, e, "0", "number for enum e___2 value V___1");
	check_text(&pair, CORE_TYPE_SIZE, u, "0", "size of type union u");
	check_text(&pair, CORE_TYPE_EXISTS, fwd, "0", "existence of type union far");
	check_text(&pair, CORE_TYPE_ID_LOCAL, none, "0", "id in the object of type union <type 2>");
	check_text(&pair, 99, s, "0", "kind 99 of struct s by '0'");
	corepair_close(&pair);
}
END_TEST

Suite *suite_core_more(void)
{
	Suite *suite = suite_create("core_more");
	TCase *tc = tcase_create("core_more");

	tcase_add_test(tc, test_fields_compat);
	tcase_add_test(tc, test_types_compat);
	tcase_add_test(tc, test_ambiguous);
	tcase_add_test(tc, test_ambiguous_size);
	tcase_add_test(tc, test_kinds);
	tcase_add_test(tc, test_malformed);
	tcase_add_test(tc, test_wide_bitfield);
	tcase_add_loop_test(tc, test_deep, 0, 2);
	tcase_add_loop_test(tc, test_tower, 0, 3);
	tcase_add_test(tc, test_tower_of_functions);
	tcase_add_test(tc, test_text);
	suite_add_tcase(suite, tc);
	return suite;
}
