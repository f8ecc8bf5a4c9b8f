// SPDX-License-Identifier: BSD-2-Clause
/*
 * btf against BTF from btfgen and some written by hand.  Loops and depth are in
 * test_btf_loops.c; BTF.ext and real objects in test_btf_ext.c.
 *
 * Most tests start from one sample that has a type of every kind; its ids are
 * named below.  A test of a fault changes one word of it and wants the fault's
 * text and the place of that word; next to most of them stands the nearest
 * value that has to be accepted.
 */
#include <check.h>
#include <stdlib.h>

#include "elf/btf.h"
#include "include/bytes.h"
#include "tests/btfgen.h"
#include "tests/walk.h"

Suite *suite_btf(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {	/* ids of the sample, which has them in this order */
	INT = 1, PTR, NODE, ARRAY, UNION, ENUM, ENUM64, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG,
	PROTO, FUNC, VAR, DATASEC, FLOAT, DECL_TAG, UENUM, BITS, TYPES,
};

static struct btfgen *generate_sample(bool big)
{
	struct btfgen *gen = btfgen_new(big);

	btfgen_type(gen, "int", BTF_INT, 0, 4);
	btfgen_word(gen, BTF_INT_SIGNED << 24 | 32);
	btfgen_type(gen, "", BTF_PTR, 0, NODE);
	btfgen_type(gen, "node", BTF_STRUCT, BTFGEN_FLAG | 3, 16);
	btfgen_words(gen, btfgen_string(gen, "next"), PTR, 0);
	btfgen_words(gen, btfgen_string(gen, "v"), INT, 3u << 24 | 64);
	btfgen_words(gen, 0, INT, 61u << 24 | 67);
	btfgen_type(gen, "", BTF_ARRAY, 0, 0);
	btfgen_words(gen, INT, BITS, 5);
	btfgen_type(gen, "u", BTF_UNION, 2, 20);
	btfgen_words(gen, btfgen_string(gen, "all"), ARRAY, 0);
	btfgen_words(gen, btfgen_string(gen, "last"), INT, 128);
	btfgen_type(gen, "signs", BTF_ENUM, BTFGEN_FLAG | 2, 4);
	btfgen_word(gen, btfgen_string(gen, "MINUS"));
	btfgen_word(gen, (uint32_t)-1);
	btfgen_word(gen, btfgen_string(gen, "FIVE"));
	btfgen_word(gen, 5);
	btfgen_type(gen, "large", BTF_ENUM64, 1, 8);
	btfgen_words(gen, btfgen_string(gen, "LARGE"), 2, 0x80000100);
	btfgen_type(gen, "far", BTF_FWD, BTFGEN_FLAG, 0);
	btfgen_type(gen, "alias", BTF_TYPEDEF, 0, VOLATILE);
	btfgen_type(gen, "", BTF_VOLATILE, 0, CONST);
	btfgen_type(gen, "", BTF_CONST, 0, RESTRICT);
	btfgen_type(gen, "", BTF_RESTRICT, 0, TYPE_TAG);
	btfgen_type(gen, "tag", BTF_TYPE_TAG, 0, UNION);
	btfgen_type(gen, "", BTF_FUNC_PROTO, 2, INT);
	btfgen_word(gen, btfgen_string(gen, "arg"));
	btfgen_word(gen, PTR);
	btfgen_word(gen, 0);
	btfgen_word(gen, 0);
	btfgen_type(gen, "prog", BTF_FUNC, 1, PROTO);
	btfgen_type(gen, "counter", BTF_VAR, 0, TYPEDEF);
	btfgen_word(gen, 1);
	btfgen_type(gen, ".ksyms", BTF_DATASEC, 2, 0);
	btfgen_words(gen, VAR, 0, 20);
	btfgen_words(gen, FUNC, 0x01020304, 0x05060708);
	btfgen_type(gen, "double", BTF_FLOAT, 0, 8);
	btfgen_type(gen, "tag", BTF_DECL_TAG, 0, NODE);
	btfgen_word(gen, (uint32_t)-1);
	btfgen_type(gen, "unsigned", BTF_ENUM, 1, 8);
	btfgen_word(gen, btfgen_string(gen, "MAX"));
	btfgen_word(gen, UINT32_MAX);
	btfgen_type(gen, "bits", BTF_INT, 0, 4);
	btfgen_word(gen, BTF_INT_BOOL << 24 | 3 << 16 | 29);
	return gen;
}

static uint8_t *sample(bool big, size_t *size)
{
	return btfgen_finish(generate_sample(big), size, NULL, NULL);
}

/* Open what has to be right; returns the index, which has to be freed. */
static uint32_t *open_ok(struct btf *btf, const void *data, size_t size)
{
	struct elf64_fault fault = { "none", 0 };
	uint32_t *index, count;

	ck_assert_msg(!btf_count(data, size, &count, &fault), "%s", fault.what);
	index = malloc(count * 2 * sizeof(*index));
	ck_assert_msg(!btf_open(btf, data, size, index, count, &fault), "%s at %#lx", fault.what,
		      (unsigned long)fault.offset);
	ck_assert_uint_eq(btf->type_count, count);
	return index;
}

static const struct btf_type sample_types[TYPES] = {
	[0] = { .name = "", .kind = BTF_VOID },
	[INT] = { .name = "int", .kind = BTF_INT, .size = 4, .int_encoding = BTF_INT_SIGNED, .int_bits = 32 },
	[PTR] = { .name = "", .kind = BTF_PTR, .type = NODE },
	[NODE] = { .name = "node", .kind = BTF_STRUCT, .kind_flag = true, .vlen = 3, .size = 16 },
	[ARRAY] = { .name = "", .kind = BTF_ARRAY, .array_type = INT, .array_index_type = BITS,
		    .array_count = 5 },
	[UNION] = { .name = "u", .kind = BTF_UNION, .vlen = 2, .size = 20 },
	[ENUM] = { .name = "signs", .kind = BTF_ENUM, .kind_flag = true, .vlen = 2, .size = 4 },
	[ENUM64] = { .name = "large", .kind = BTF_ENUM64, .vlen = 1, .size = 8 },
	[FWD] = { .name = "far", .kind = BTF_FWD, .kind_flag = true },
	[TYPEDEF] = { .name = "alias", .kind = BTF_TYPEDEF, .type = VOLATILE },
	[VOLATILE] = { .name = "", .kind = BTF_VOLATILE, .type = CONST },
	[CONST] = { .name = "", .kind = BTF_CONST, .type = RESTRICT },
	[RESTRICT] = { .name = "", .kind = BTF_RESTRICT, .type = TYPE_TAG },
	[TYPE_TAG] = { .name = "tag", .kind = BTF_TYPE_TAG, .type = UNION },
	[PROTO] = { .name = "", .kind = BTF_FUNC_PROTO, .vlen = 2, .type = INT },
	[FUNC] = { .name = "prog", .kind = BTF_FUNC, .type = PROTO, .linkage = 1 },
	[VAR] = { .name = "counter", .kind = BTF_VAR, .type = TYPEDEF, .linkage = 1 },
	[DATASEC] = { .name = ".ksyms", .kind = BTF_DATASEC, .vlen = 2 },
	[FLOAT] = { .name = "double", .kind = BTF_FLOAT, .size = 8 },
	[DECL_TAG] = { .name = "tag", .kind = BTF_DECL_TAG, .type = NODE, .component = -1 },
	[UENUM] = { .name = "unsigned", .kind = BTF_ENUM, .vlen = 1, .size = 8 },
	[BITS] = { .name = "bits", .kind = BTF_INT, .size = 4, .int_encoding = BTF_INT_BOOL, .int_offset = 3,
		   .int_bits = 29 },
};

static void check_same_type(const struct btf *btf, uint32_t id, const struct btf_type *want)
{
	struct btf_type got;

	btf_type(btf, id, &got);
	ck_assert_str_eq(got.name, want->name);
	ck_assert_int_eq(got.kind, want->kind);
	ck_assert_int_eq(got.kind_flag, want->kind_flag);
	ck_assert_uint_eq(got.vlen, want->vlen);
	ck_assert_uint_eq(got.size, want->size);
	ck_assert_uint_eq(got.type, want->type);
	ck_assert_uint_eq(got.int_encoding, want->int_encoding);
	ck_assert_uint_eq(got.int_offset, want->int_offset);
	ck_assert_uint_eq(got.int_bits, want->int_bits);
	ck_assert_uint_eq(got.array_type, want->array_type);
	ck_assert_uint_eq(got.array_index_type, want->array_index_type);
	ck_assert_uint_eq(got.array_count, want->array_count);
	ck_assert_uint_eq(got.linkage, want->linkage);
	ck_assert_int_eq(got.component, want->component);
}

static void check_member(const struct btf *btf, uint32_t id, uint32_t i, const struct btf_member *want)
{
	struct btf_member got;

	btf_member(btf, id, i, &got);
	ck_assert_str_eq(got.name, want->name);
	ck_assert_uint_eq(got.type, want->type);
	ck_assert_uint_eq(got.bit_offset, want->bit_offset);
	ck_assert_uint_eq(got.bit_size, want->bit_size);
}

static void check_enumerator(const struct btf *btf, uint32_t id, uint32_t i, const char *name, uint64_t value)
{
	struct btf_enumerator got;

	btf_enumerator(btf, id, i, &got);
	ck_assert_str_eq(got.name, name);
	ck_assert_uint_eq(got.value, value);
}

static void check_entries(const struct btf *btf)
{
	struct btf_secvar secvar;
	struct btf_param param;

	check_member(btf, NODE, 0, &(struct btf_member){ "next", PTR, 0, 0 });
	check_member(btf, NODE, 1, &(struct btf_member){ "v", INT, 64, 3 });
	check_member(btf, NODE, 2, &(struct btf_member){ "", INT, 67, 61 });
	check_member(btf, UNION, 0, &(struct btf_member){ "all", ARRAY, 0, 0 });
	check_member(btf, UNION, 1, &(struct btf_member){ "last", INT, 128, 0 });
	check_enumerator(btf, ENUM, 0, "MINUS", UINT64_MAX);
	check_enumerator(btf, ENUM, 1, "FIVE", 5);
	check_enumerator(btf, ENUM64, 0, "LARGE", 0x8000010000000002);
	check_enumerator(btf, UENUM, 0, "MAX", UINT32_MAX);
	btf_param(btf, PROTO, 0, &param);
	ck_assert_str_eq(param.name, "arg");
	ck_assert_uint_eq(param.type, PTR);
	btf_param(btf, PROTO, 1, &param);
	ck_assert_str_eq(param.name, "");
	ck_assert_uint_eq(param.type, 0);
	btf_secvar(btf, DATASEC, 0, &secvar);
	ck_assert_uint_eq(secvar.type, VAR);
	ck_assert_uint_eq(secvar.size, 20);
	btf_secvar(btf, DATASEC, 1, &secvar);
	ck_assert_uint_eq(secvar.type, FUNC);
	ck_assert_uint_eq(secvar.offset, 0x01020304);
	ck_assert_uint_eq(secvar.size, 0x05060708);
}

static void check_sizes(const struct btf *btf)
{
	static const uint32_t sizes[TYPES] = {	/* 0 where there is none, but for the section */
		[INT] = 4, [PTR] = 8, [NODE] = 16, [ARRAY] = 20, [UNION] = 20, [ENUM] = 4, [ENUM64] = 8,
		[TYPEDEF] = 20, [VOLATILE] = 20, [CONST] = 20, [RESTRICT] = 20, [TYPE_TAG] = 20, [VAR] = 20,
		[FLOAT] = 8, [UENUM] = 8, [BITS] = 4,
	};
	uint32_t id, size;

	for (id = 0; id < TYPES; id++) {
		if (!btf_size(btf, id, 8, &size))
			size = 0;
		ck_assert_uint_eq(size, sizes[id]);
		ck_assert_int_eq(btf_size(btf, id, 8, &size), sizes[id] || id == DATASEC);
		ck_assert_uint_eq(btf_resolve(btf, id), id >= TYPEDEF && id <= TYPE_TAG ? UNION : id);
	}
	ck_assert(btf_size(btf, PTR, 4, &size));
	ck_assert_uint_eq(size, 4);
}

/* _i: alignment in bits 0-2, byte order in bit 3. */
START_TEST(test_sample_at_every_alignment)
{
	uint8_t *data, *moved;
	uint32_t *index, id;
	struct btf btf;
	size_t size;

	data = sample(_i & 8, &size);
	moved = malloc(size + 8);
	memcpy(moved + _i % 8, data, size);
	index = open_ok(&btf, moved + _i % 8, size);
	ck_assert_int_eq(btf.big, !!(_i & 8));
	ck_assert_uint_eq(btf.type_count, TYPES);
	for (id = 0; id < TYPES; id++)
		check_same_type(&btf, id, &sample_types[id]);
	check_entries(&btf);
	check_sizes(&btf);
	ck_assert_uint_eq(btf_find(&btf, BTF_DECL_TAG, "tag"), DECL_TAG);
	ck_assert_uint_eq(btf_find(&btf, BTF_TYPE_TAG, "tag"), TYPE_TAG);
	ck_assert_uint_eq(btf_find(&btf, BTF_PTR, "tag"), 0);
	ck_assert_uint_eq(btf_find(&btf, BTF_INT, "in"), 0);
	ck_assert_str_eq(btf_string(&btf, 1), "int");
	ck_assert_str_eq(btf_string(&btf, btf.str_len), "");
	free(index);
	free(moved);
	free(data);
}
END_TEST

/* Written by hand from the tables in btf.h, so that btfgen and btf cannot be wrong together. */
START_TEST(test_btf_by_hand)
{
	static const uint8_t little[] = {
		0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28, 0, 0, 0, 8, 0, 0, 0,
		1, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 13, 0, 0, 2,
		5, 0, 0, 0, 0, 0, 0, 8, 1, 0, 0, 0,
		0, 'u', '1', '6', 0, 'p', 'q', 0,
	};
	static const uint8_t big[] = {
		0xeb, 0x9f, 1, 0, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28, 0, 0, 0, 8,
		0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 13,
		0, 0, 0, 5, 8, 0, 0, 0, 0, 0, 0, 1,
		0, 'u', '1', '6', 0, 'p', 'q', 0,
	};
	uint32_t *index;
	struct btf btf;

	index = open_ok(&btf, _i ? big : little, sizeof(little));
	ck_assert_int_eq(btf.big, _i);
	ck_assert_uint_eq(btf.type_count, 3);
	check_same_type(&btf, 1, &(struct btf_type){
		.name = "u16", .kind = BTF_INT, .size = 2, .int_encoding = BTF_INT_CHAR, .int_bits = 13 });
	check_same_type(&btf, 2, &(struct btf_type){ .name = "pq", .kind = BTF_TYPEDEF, .type = 1 });
	ck_assert_uint_eq(btf_type_at(&btf, 1), 24);
	ck_assert_uint_eq(btf_type_at(&btf, 2), 40);
	free(index);
}
END_TEST

enum { HEADER = 0, STRINGS = TYPES };	/* for change.id, besides types */

/* Set to value the word at offset field of the header, of a type, or of the strings. */
struct change {
	const char *what;	/* the fault, or NULL to be accepted */
	uint32_t id, field, value;
	bool elsewhere;		/* the fault's offset is another word */
};

enum { STR_LEN = 120 };

#define INFO(kind, vlen) ((uint32_t)(kind) << 24 | (vlen))

static const struct change changes[] = {
	{ "length of the header is too small or too large", HEADER, 4, 23, 0 },
	{ "length of the header is too small or too large", HEADER, 4, UINT32_MAX, 0 },
	{ "types reach past the end of the data", HEADER, 8, UINT32_MAX, 0 },
	{ "types reach past the end of the data", HEADER, 12, UINT32_MAX, 1 },
	{ "strings reach past the end of the data", HEADER, 16, UINT32_MAX, 0 },
	{ "strings reach past the end of the data", HEADER, 20, UINT32_MAX, 1 },
	{ "types and strings overlap", HEADER, 16, 0, 0 },
	{ "strings do not begin and end in NUL", HEADER, 20, 0, 1 },
	{ "strings do not begin and end in NUL", HEADER, 20, 2, 1 },
	{ "strings do not begin and end in NUL", STRINGS, 0, 0x61616161, 1 },
	{ "types end within a type", HEADER, 12, 15, 1 },
	{ "types end within a type", HEADER, 12, 11, 1 },
	{ "types end within a type", BITS, 4, INFO(BTF_ARRAY, 0), 1 },
	{ "types end within a type", BITS, 4, INFO(BTF_STRUCT, 1), 1 },
	{ "types end within a type", VAR, 4, INFO(BTF_STRUCT, 0xffff), 1 },
	{ "unknown kind of type", FWD, 4, INFO(BTF_VOID, 0), 0 },
	{ "unknown kind of type", FWD, 4, INFO(20, 0), 0 },
	{ "unknown kind of type", FWD, 4, INFO(31, 0), 0 },
	{ "unknown bits in the info of a type", FWD, 4, INFO(BTF_FWD, 0x10000), 0 },
	{ "unknown bits in the info of a type", FWD, 4, INFO(BTF_FWD, 0x20000000), 0 },
	{ NULL, FWD, 4, INFO(BTF_FWD, 0xffff), 0 },
	{ "type does not exist", PTR, 8, TYPES, 0 },
	{ NULL, PTR, 8, TYPES - 1, 0 },
	{ "type does not exist", CONST, 8, UINT32_MAX, 0 },
	{ "type does not exist", PROTO, 8, TYPES, 0 },
	{ "type does not exist", DECL_TAG, 8, TYPES, 0 },
	{ "type does not exist", ARRAY, 12, TYPES, 0 },
	{ "type does not exist", ARRAY, 16, TYPES, 0 },
	{ NULL, ARRAY, 16, ARRAY, 0 },
	{ "type does not exist", NODE, 12 + 24 + 4, TYPES, 0 },
	{ "type does not exist", PROTO, 12 + 4, TYPES, 0 },
	{ "type does not exist", DATASEC, 12 + 12, TYPES, 0 },
	{ NULL, FWD, 8, UINT32_MAX, 0 },
	{ NULL, ARRAY, 8, UINT32_MAX, 0 },
	{ "name is outside of the strings", INT, 0, STR_LEN, 0 },
	{ NULL, INT, 0, STR_LEN - 1, 0 },
	{ "name is outside of the strings", DATASEC, 0, UINT32_MAX, 0 },
	{ "name is outside of the strings", UNION, 12 + 12, STR_LEN, 0 },
	{ "name is outside of the strings", ENUM, 12 + 8, STR_LEN, 0 },
	{ "name is outside of the strings", ENUM64, 12, STR_LEN, 0 },
	{ "name is outside of the strings", PROTO, 12 + 8, STR_LEN, 0 },
	{ "no integer has this size", INT, 8, 0, 0 },
	{ "no integer has this size", BITS, 8, 6, 0 },
	{ "no integer has this size", BITS, 8, 32, 0 },
	{ NULL, BITS, 8, 16, 0 },
	{ "bits of an integer are outside of it", BITS, 12, 0, 0 },
	{ "bits of an integer are outside of it", BITS, 12, 4 << 16 | 29, 0 },
	{ "bits of an integer are outside of it", BITS, 12, 33, 0 },
	{ NULL, BITS, 12, 31 << 16 | 1, 0 },
	{ "no enum has this size", ENUM, 8, 3, 0 },
	{ "no enum has this size", ENUM64, 8, 16, 0 },
	{ NULL, ENUM, 8, 1, 0 },
	{ "unknown linkage", FUNC, 4, INFO(BTF_FUNC, 3), 0 },
	{ NULL, FUNC, 4, INFO(BTF_FUNC, 2), 0 },
	{ "unknown linkage", VAR, 12, 3, 0 },
	{ NULL, VAR, 12, 2, 0 },
	{ "member is outside of its aggregate", NODE, 8, 15, 1 },
	{ "member is outside of its aggregate", NODE, 12 + 24 + 8, 62u << 24 | 67, 0 },
	{ "member is outside of its aggregate", NODE, 12 + 24 + 8, 61u << 24 | 68, 0 },
	{ "member is outside of its aggregate", UNION, 12 + 12 + 8, 20 * 8 + 1, 0 },
	{ "member is outside of its aggregate", UNION, 12 + 12 + 8, UINT32_MAX, 0 },
	{ NULL, UNION, 12 + 12 + 8, 20 * 8, 0 },
	{ "a section holds what is no variable", DATASEC, 12, INT, 0 },
	{ "a section holds what is no variable", DATASEC, 12 + 12, 0, 0 },
	{ NULL, DATASEC, 12 + 12, VAR, 0 },
	{ NULL, DATASEC, 8, UINT32_MAX, 0 },
	{ "type contains itself", RESTRICT, 8, RESTRICT, 1 },
	{ "type contains itself", ARRAY, 12, UNION, 1 },
};

START_TEST(test_one_change)
{
	const struct change *change = &changes[_i / 2];
	struct elf64_fault fault = { "none", 0 };
	uint32_t *index, at = change->field;
	bool big = _i % 2;
	struct btf btf;
	uint8_t *data;
	size_t size;

	data = sample(big, &size);
	index = open_ok(&btf, data, size);
	ck_assert_uint_eq(btf.str_len, STR_LEN);
	if (change->id == STRINGS)
		at += (uint32_t)(btf.strings - data);
	else if (change->id)
		at += btf_type_at(&btf, change->id);
	bytes_put32(data + at, change->value, big);
	if (!change->what) {
		ck_assert_msg(!walk_btf(data, size, NULL, 0, &fault), "change %d: %s", _i / 2, fault.what);
	} else {
		ck_assert_msg(walk_btf(data, size, NULL, 0, &fault) == -1, "accepted: %s", change->what);
		ck_assert_str_eq(fault.what, change->what);
		ck_assert_uint_le(fault.offset, size);
		if (!change->elsewhere)
			ck_assert_uint_eq(fault.offset, at);
	}
	free(index);
	free(data);
}
END_TEST

START_TEST(test_preamble)
{
	static const struct {
		const char *what;
		uint8_t at, value;
	} bytes[] = {
		{ "not BTF", 0, 0xea }, { "not BTF", 1, 0 }, { "unknown version of BTF", 2, 2 },
		{ "unknown flags of BTF", 3, 1 },
	};
	struct elf64_fault fault;
	uint32_t count;
	uint8_t *data, old;
	size_t size, i;

	data = sample(_i, &size);
	for (i = 0; i < COUNT(bytes); i++) {
		old = data[bytes[i].at];
		data[bytes[i].at] = bytes[i].value;
		ck_assert_int_eq(btf_count(data, size, &count, &fault), -1);
		ck_assert_str_eq(fault.what, bytes[i].what);
		data[bytes[i].at] = old;
	}
	ck_assert_int_eq(btf_count(data, 23, &count, &fault), -1);
	ck_assert_str_eq(fault.what, "data is shorter than its header");
	ck_assert_int_eq(btf_count(data, 24, &count, &fault), -1);
	ck_assert_str_eq(fault.what, "types reach past the end of the data");
	ck_assert_int_eq(btf_count(data, (uint64_t)UINT32_MAX + 1, &count, &fault), -1);
	ck_assert_str_eq(fault.what, "data is 4 GiB or larger");
	ck_assert_int_eq(btf_count(data, UINT32_MAX, &count, &fault), 0);
	ck_assert_uint_eq(count, TYPES);
	free(data);
}
END_TEST

/*
 * A longer header, types that are not aligned, and these behind the strings:
 * as far from compilers as is allowed.  Checks of a last type that was cut then
 * would read behind the data.
 */
START_TEST(test_unusual_layout)
{
	uint32_t type_len, str_len, cut;
	struct elf64_fault fault;
	uint8_t *data, *moved;
	size_t size;

	data = sample(_i, &size);
	type_len = bytes_get32(data + 12, _i);
	str_len = bytes_get32(data + 20, _i);
	for (cut = 0; cut < 16; cut++) {
		moved = calloc(1, size + 5 - cut);
		memcpy(moved, data, 24);
		bytes_put32(moved + 4, 29, _i);
		bytes_put32(moved + 8, str_len, _i);
		bytes_put32(moved + 12, type_len - cut, _i);
		bytes_put32(moved + 16, 0, _i);
		memcpy(moved + 29, data + 24 + type_len, str_len);
		memcpy(moved + 29 + str_len, data + 24, type_len - cut);
		ck_assert_int_eq(walk_btf(moved, size + 5 - cut, NULL, 0, &fault), cut ? -1 : 0);
		if (cut)
			ck_assert_str_eq(fault.what, "types end within a type");
		bytes_put32(moved + 12, type_len - cut + 1, _i);
		ck_assert_int_eq(walk_btf(moved, size + 5 - cut, NULL, 0, &fault), -1);
		ck_assert_str_eq(fault.what, "types reach past the end of the data");
		free(moved);
	}
	free(data);
}
END_TEST

START_TEST(test_wrong_count)
{
	uint32_t index[2 * TYPES + 2];
	struct elf64_fault fault;
	struct btf btf;
	uint8_t *data;
	size_t size;

	data = sample(false, &size);
	ck_assert_int_eq(btf_open(&btf, data, size, index, TYPES, &fault), 0);
	ck_assert_uint_eq(btf.type_count, TYPES);
	ck_assert_int_eq(btf_open(&btf, data, size, index, TYPES + 1, &fault), 0);
	ck_assert_uint_eq(btf.type_count, TYPES);
	ck_assert_int_eq(btf_open(&btf, data, size, index, TYPES - 1, &fault), -1);
	ck_assert_str_eq(fault.what, "types are more than were counted");
	ck_assert_int_eq(btf_open(&btf, data, size - 1, index, TYPES, &fault), -1);
	ck_assert_str_eq(fault.what, "strings reach past the end of the data");
	bytes_put32(data + 12, bytes_get32(data + 12, false) - 16, false);
	ck_assert_int_eq(btf_open(&btf, data, size, index, TYPES, &fault), -1);
	free(data);
}
END_TEST

START_TEST(test_no_types)
{
	uint8_t *data;
	uint32_t *index, size32;
	struct btf btf;
	size_t size;

	data = btfgen_finish(btfgen_new(_i), &size, NULL, NULL);
	index = open_ok(&btf, data, size);
	ck_assert_uint_eq(btf.type_count, 1);
	ck_assert_uint_eq(btf_resolve(&btf, 0), 0);
	ck_assert(!btf_size(&btf, 0, 8, &size32));
	ck_assert_uint_eq(btf_find(&btf, BTF_VOID, ""), 0);
	free(index);
	free(data);
}
END_TEST

START_TEST(test_truncated)
{
	struct elf64_fault fault;
	uint8_t *data, *copy;
	size_t size, n;

	data = sample(_i, &size);
	for (n = 0; n < size; n++) {
		copy = malloc(n + !n);
		memcpy(copy, data, n);
		ck_assert_int_eq(walk_btf(copy, n, NULL, 0, &fault), -1);
		ck_assert_uint_le(fault.offset, n);
		free(copy);
	}
	free(data);
}
END_TEST

/* Returns how many of the values were accepted. */
static unsigned int set_word(uint8_t *data, size_t size, size_t at, bool big)
{
	const uint32_t values[] = {
		0, 1, UINT32_MAX, (uint32_t)size, (uint32_t)size + 1, (uint32_t)size - 1, 1u << 31, 0xffff
	};
	uint32_t old = bytes_get32(data + at, big);
	struct elf64_fault fault = { NULL, 0 };
	unsigned int accepted = 0;
	size_t i;

	for (i = 0; i < COUNT(values); i++) {
		bytes_put32(data + at, values[i], big);
		accepted += !walk_btf(data, size, NULL, 0, &fault);
		ck_assert_uint_le(fault.offset, size);
	}
	bytes_put32(data + at, old, big);
	return accepted;
}

START_TEST(test_every_word)
{
	unsigned int accepted = 0;
	struct elf64_fault fault;
	uint8_t *data;
	size_t size, at;

	data = sample(_i, &size);
	for (at = 0; at + 4 <= size; at += 4)
		accepted += set_word(data, size, at, _i);
	ck_assert_uint_gt(accepted, 50);
	ck_assert_int_eq(walk_btf(data, size, NULL, 0, &fault), 0);
	free(data);
}
END_TEST

/* The way a loader fills in what compilers leave zero. */
START_TEST(test_section_is_filled_in)
{
	struct btf_secvar secvar;
	uint32_t *index, at;
	struct btf btf;
	uint8_t *data;
	size_t size;

	data = sample(_i, &size);
	index = open_ok(&btf, data, size);
	at = btf_type_at(&btf, DATASEC) + 24;
	bytes_put32(data + at + 4, 0x1234, _i);
	bytes_put32(data + at + 8, 0x5678, _i);
	bytes_put32(data + btf_type_at(&btf, DATASEC) + 8, 0x9abc, _i);
	btf_secvar(&btf, DATASEC, 1, &secvar);
	ck_assert_uint_eq(secvar.offset, 0x1234);
	ck_assert_uint_eq(secvar.size, 0x5678);
	check_same_type(&btf, DATASEC, &(struct btf_type){
		.name = ".ksyms", .kind = BTF_DATASEC, .vlen = 2, .size = 0x9abc });
	free(index);
	free(data);
}
END_TEST

Suite *suite_btf(void)
{
	Suite *suite = suite_create("btf");
	TCase *tcase = tcase_create("btf");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_sample_at_every_alignment, 0, 16);
	tcase_add_loop_test(tcase, test_btf_by_hand, 0, 2);
	tcase_add_loop_test(tcase, test_one_change, 0, (int)COUNT(changes) * 2);
	tcase_add_loop_test(tcase, test_preamble, 0, 2);
	tcase_add_loop_test(tcase, test_unusual_layout, 0, 2);
	tcase_add_test(tcase, test_wrong_count);
	tcase_add_loop_test(tcase, test_no_types, 0, 2);
	tcase_add_loop_test(tcase, test_truncated, 0, 2);
	tcase_add_loop_test(tcase, test_every_word, 0, 2);
	tcase_add_loop_test(tcase, test_section_is_filled_in, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
