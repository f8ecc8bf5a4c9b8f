// SPDX-License-Identifier: BSD-2-Clause
/*
 * What each kind of record gives, and what becomes of each kind of instruction.
 * The kernel's types of these tests differ from the object's in every way that
 * must not matter; numbers are counted by hand.  Comparing types, ambiguity and
 * what makes no sense are in test_core_more.c; real objects in
 * test_core_real.c.
 */
#include <check.h>
#include <string.h>

#include "tests/corepair.h"

Suite *suite_core(void);

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

struct ids {
	uint32_t buff, flavor, word, alias, colors, wide, gone, two;
};

/*
 * struct buff { u32 len; u16 tags[4]; union { struct node *next; u64 raw; }; struct node { u32 a, b; } inner;
 *	s32 mark; u8 tail[]; }
 */
static void object_types(struct btfgen *gen, struct ids *ids)
{
	const struct corepair_value colors[] = { { "RED", 0 }, { "GREEN", 1 }, { "BLUE___old", 2 } };
	const struct corepair_value wide[] = { { "SMALL", 1 }, { "LARGE", 0x100000000 } };
	uint32_t u8 = corepair_int(gen, "u8", 1, 0), u16 = corepair_int(gen, "u16", 2, 0);
	uint32_t u32 = corepair_int(gen, "u32", 4, 0), s32 = corepair_int(gen, "s32", 4, BTF_INT_SIGNED);
	uint32_t u64 = corepair_int(gen, "u64", 8, 0);
	const struct corepair_member node_members[] = { { "a", u32, 0, 0 }, { "b", u32, 32, 0 } };
	uint32_t node = corepair_struct(gen, BTF_STRUCT, "node", 8, node_members, 2);
	uint32_t next = btfgen_type(gen, "", BTF_PTR, 0, node);
	uint32_t tags = corepair_array(gen, u16, 4), tail = corepair_array(gen, u8, 0);
	const struct corepair_member either_members[] = { { "next", next, 0, 0 }, { "raw", u64, 0, 0 } };
	uint32_t either = corepair_struct(gen, BTF_UNION, "", 8, either_members, 2);
	const struct corepair_member buff[] = {
		{ "len", u32, 0, 0 }, { "tags", tags, 32, 0 }, { "", either, 128, 0 }, { "inner", node, 192, 0 },
		{ "mark", s32, 256, 0 }, { "tail", tail, 288, 0 },
	};
	const struct corepair_member two[] = { { "x", u32, 0, 0 } };

	ids->buff = corepair_struct(gen, BTF_STRUCT, "buff", 40, buff, COUNT(buff));
	ids->flavor = corepair_struct(gen, BTF_STRUCT, "buff___new", 40, buff, COUNT(buff));
	ids->word = u32;
	ids->alias = btfgen_type(gen, "buff_t", BTF_TYPEDEF, 0, ids->flavor);
	ids->colors = corepair_enum(gen, BTF_ENUM, "colors", false, 4, colors, COUNT(colors));
	ids->wide = corepair_enum(gen, BTF_ENUM64, "wide", false, 8, wide, COUNT(wide));
	ids->gone = corepair_struct(gen, BTF_STRUCT, "gone", 4, two, 1);
	ids->two = corepair_enum(gen, BTF_ENUM, "gone_enum", false, 4, colors, 1);
}

/*
 * struct buff { u64 pad; struct { struct { u64 len; u64 raw; struct node *next; }; }; u16 tags[6];
 *	struct node { u32 zero, b; } inner; u64 mark; u8 tail[]; }
 */
static void kernel_types(struct btfgen *gen)
{
	const struct corepair_value colors[] = { { "BLUE", 9 }, { "GREEN___2", 5 } };
	const struct corepair_value wide[] = { { "LARGE", 7 }, { "SMALL", 0x123456789 } };
	uint32_t u8 = corepair_int(gen, "u8", 1, 0), u16 = corepair_int(gen, "u16", 2, 0);
	uint32_t u32 = corepair_int(gen, "u32", 4, 0), u64 = corepair_int(gen, "u64", 8, 0);
	const struct corepair_member node_members[] = { { "zero", u32, 0, 0 }, { "b", u32, 32, 0 } };
	uint32_t node = corepair_struct(gen, BTF_STRUCT, "node", 8, node_members, 2);
	uint32_t next = btfgen_type(gen, "", BTF_PTR, 0, node);
	uint32_t tags = corepair_array(gen, u16, 6), tail = corepair_array(gen, u8, 0);
	const struct corepair_member deep_members[] = {
		{ "len", u64, 0, 0 }, { "raw", u64, 64, 0 }, { "next", next, 128, 0 },
	};
	uint32_t deep = corepair_struct(gen, BTF_STRUCT, "", 24, deep_members, 3);
	const struct corepair_member over_members[] = { { "", deep, 0, 0 } };
	uint32_t over = corepair_struct(gen, BTF_STRUCT, "", 24, over_members, 1);
	const struct corepair_member buff[] = {
		{ "pad", u64, 0, 0 }, { "", over, 64, 0 }, { "tags", tags, 256, 0 }, { "inner", node, 352, 0 },
		{ "mark", u64, 448, 0 }, { "tail", tail, 512, 0 },
	};
	uint32_t id = corepair_struct(gen, BTF_STRUCT, "buff", 64, buff, COUNT(buff));

	btfgen_type(gen, "buff_t", BTF_TYPEDEF, 0, id);
	corepair_enum(gen, BTF_ENUM, "colors", false, 4, colors, COUNT(colors));
	corepair_enum(gen, BTF_ENUM64, "wide", false, 8, wide, COUNT(wide));
}

static void open_sample(struct corepair *pair, struct ids *ids)
{
	corepair_begin(pair, false);
	object_types(pair->local, ids);
	kernel_types(pair->target);
	corepair_open(pair);
}

START_TEST(test_offsets)
{
	struct corepair pair;
	struct ids ids;

	open_sample(&pair, &ids);
	corepair_imm(&pair, CORE_FIELD_OFFSET, ids.buff, "0:0", 0, 8);
	corepair_imm(&pair, CORE_FIELD_OFFSET, ids.buff, "0:1:3", 10, 38);
	corepair_imm(&pair, CORE_FIELD_OFFSET, ids.buff, "0:2:0", 16, 24);
	corepair_imm(&pair, CORE_FIELD_OFFSET, ids.buff, "0:2:1", 16, 16);
	corepair_imm(&pair, CORE_FIELD_OFFSET, ids.buff, "0:3:1", 28, 48);
	corepair_imm(&pair, CORE_FIELD_OFFSET, ids.buff, "0:4", 32, 56);
	corepair_imm(&pair, CORE_FIELD_OFFSET, ids.buff, "0:5:11", 47, 75);
	corepair_imm(&pair, CORE_FIELD_OFFSET, ids.buff, "2:4", 112, 184);
	corepair_imm(&pair, CORE_FIELD_OFFSET, ids.buff, "3", 120, 192);
	corepair_imm(&pair, CORE_FIELD_OFFSET, ids.flavor, "0:4", 32, 56);
	corepair_imm(&pair, CORE_FIELD_OFFSET, ids.alias, "0:4", 32, 56);
	corepair_poison(&pair, CORE_FIELD_OFFSET, ids.buff, "0:3:0", 24);
	corepair_poison(&pair, CORE_FIELD_OFFSET, ids.gone, "0:0", 0);
	corepair_close(&pair);
}
END_TEST

START_TEST(test_fields)
{
	struct corepair pair;
	struct ids ids;

	open_sample(&pair, &ids);
	corepair_imm(&pair, CORE_FIELD_SIZE, ids.buff, "0:0", 4, 8);
	corepair_imm(&pair, CORE_FIELD_SIZE, ids.buff, "0:1", 8, 12);
	corepair_imm(&pair, CORE_FIELD_SIZE, ids.buff, "0:1:0", 2, 2);
	corepair_imm(&pair, CORE_FIELD_SIZE, ids.buff, "0", 40, 64);
	corepair_imm(&pair, CORE_FIELD_EXISTS, ids.buff, "0:2:1", 1, 1);
	corepair_imm(&pair, CORE_FIELD_EXISTS, ids.buff, "0:1:0", 1, 1);
	corepair_imm(&pair, CORE_FIELD_EXISTS, ids.buff, "0:3:0", 1, 0);
	corepair_imm(&pair, CORE_FIELD_EXISTS, ids.gone, "0:0", 1, 0);
	corepair_imm(&pair, CORE_FIELD_SIGNED, ids.buff, "0:4", 1, 0);
	corepair_imm(&pair, CORE_FIELD_SIGNED, ids.buff, "0:0", 0, 0);
	corepair_imm(&pair, CORE_FIELD_LSHIFT, ids.buff, "0:0", 32, 0);
	corepair_imm(&pair, CORE_FIELD_RSHIFT, ids.buff, "0:0", 32, 0);
	corepair_poison(&pair, CORE_FIELD_SIZE, ids.gone, "0:0", 4);
	corepair_poison(&pair, CORE_FIELD_SIGNED, ids.gone, "0:0", 0);
	corepair_poison(&pair, CORE_FIELD_LSHIFT, ids.gone, "0:0", 32);
	corepair_poison(&pair, CORE_FIELD_RSHIFT, ids.gone, "0:0", 32);
	corepair_close(&pair);
}
END_TEST

START_TEST(test_types)
{
	struct corepair pair;
	struct ids ids;

	open_sample(&pair, &ids);
	corepair_imm(&pair, CORE_TYPE_ID_LOCAL, ids.flavor, "0", 12345, (int32_t)ids.flavor);
	corepair_imm(&pair, CORE_TYPE_ID_TARGET, ids.buff, "0", 12345, 11);
	corepair_imm(&pair, CORE_TYPE_ID_TARGET, ids.gone, "0", 12345, 0);
	corepair_imm(&pair, CORE_TYPE_EXISTS, ids.flavor, "0", 1, 1);
	corepair_imm(&pair, CORE_TYPE_EXISTS, ids.word, "0", 1, 1);
	corepair_imm(&pair, CORE_TYPE_EXISTS, ids.gone, "0", 1, 0);
	corepair_imm(&pair, CORE_TYPE_SIZE, ids.buff, "0", 40, 64);
	corepair_imm(&pair, CORE_TYPE_SIZE, ids.alias, "0", 40, 64);
	corepair_imm(&pair, CORE_TYPE_SIZE, ids.gone, "0", 4, 0);
	corepair_imm(&pair, CORE_TYPE_MATCHES, ids.word, "0", 1, 1);
	corepair_imm(&pair, CORE_TYPE_MATCHES, ids.buff, "0", 1, 0);
	corepair_imm(&pair, CORE_TYPE_MATCHES, ids.gone, "0", 1, 0);
	corepair_close(&pair);
}
END_TEST

static void check_lddw(const struct corepair *pair, uint32_t type, const char *access, uint64_t old, uint64_t now)
{
	struct bpfinsn insn[2] = {
		{ .code = BPF_CODE_LDDW, .dst = 3, .imm = (int32_t)(uint32_t)old },
		{ .imm = (int32_t)(uint32_t)(old >> 32) },
	};
	struct bpfstamp_err err;

	ck_assert_msg(!corepair_relocate(pair, CORE_ENUM_VALUE, type, access, insn, &err), "%s", err.text);
	ck_assert_uint_eq(insn[0].code, BPF_CODE_LDDW);
	ck_assert_uint_eq(insn[0].dst, 3);
	ck_assert_uint_eq((uint32_t)insn[0].imm | (uint64_t)(uint32_t)insn[1].imm << 32, now);
}

START_TEST(test_enums)
{
	struct corepair pair;
	struct ids ids;

	open_sample(&pair, &ids);
	corepair_imm(&pair, CORE_ENUM_EXISTS, ids.colors, "0", 1, 0);
	corepair_imm(&pair, CORE_ENUM_EXISTS, ids.colors, "1", 1, 1);
	corepair_imm(&pair, CORE_ENUM_EXISTS, ids.two, "0", 1, 0);
	corepair_imm(&pair, CORE_ENUM_VALUE, ids.colors, "1", 1, 5);
	corepair_imm(&pair, CORE_ENUM_VALUE, ids.colors, "2", 2, 9);
	corepair_poison(&pair, CORE_ENUM_VALUE, ids.colors, "0", 0);
	check_lddw(&pair, ids.colors, "2", 2, 9);
	check_lddw(&pair, ids.wide, "0", 1, 0x123456789);
	check_lddw(&pair, ids.wide, "1", 0x100000000, 7);
	corepair_refused(&pair, CORE_ENUM_VALUE, ids.wide, "0", 1, "4886718345 does not fit the immediate");
	corepair_refused(&pair, CORE_ENUM_VALUE, ids.wide, "0", 2, "has 2, where the object's types give 1");
	corepair_close(&pair);
}
END_TEST

/* Old BTF does not say which enums are signed: one of 32 bits follows the object's. */
START_TEST(test_enum_signs)
{
	const struct corepair_value minus[] = { { "V", 0xffffffff } }, other[] = { { "V", 0xfffffffe } };
	uint32_t none, is_signed;
	struct corepair pair;

	corepair_begin(&pair, false);
	none = corepair_enum(pair.local, BTF_ENUM, "old", false, 4, minus, 1);
	is_signed = corepair_enum(pair.local, BTF_ENUM, "new", true, 4, minus, 1);
	corepair_enum(pair.target, BTF_ENUM, "old", false, 4, other, 1);
	corepair_enum(pair.target, BTF_ENUM, "new", false, 4, other, 1);
	corepair_open(&pair);
	check_lddw(&pair, none, "0", 0xffffffff, 0xfffffffe);
	check_lddw(&pair, none, "0", UINT64_MAX, UINT64_MAX - 1);
	check_lddw(&pair, is_signed, "0", UINT64_MAX, UINT64_MAX - 1);
	corepair_imm(&pair, CORE_ENUM_VALUE, none, "0", -1, -2);
	corepair_imm(&pair, CORE_ENUM_VALUE, is_signed, "0", -1, -2);
	corepair_close(&pair);
}
END_TEST

struct bits {
	uint32_t offset, size, lshift, rshift;
};

static void check_bits(const struct corepair *pair, uint32_t type, const char *access, const struct bits *want)
{
	corepair_imm(pair, CORE_FIELD_OFFSET, type, access, 77, (int32_t)want->offset);
	corepair_imm(pair, CORE_FIELD_SIZE, type, access, 77, (int32_t)want->size);
	corepair_imm(pair, CORE_FIELD_LSHIFT, type, access, 77, (int32_t)want->lshift);
	corepair_imm(pair, CORE_FIELD_RSHIFT, type, access, 61, (int32_t)want->rshift);
	corepair_imm(pair, CORE_FIELD_EXISTS, type, access, 1, 1);
}

/*
 * What two's macros read at those bytes, shifted so, is the field: in little-endian order bits count from the least
 * significant, in big-endian from the most.
 */
START_TEST(test_bitfields)
{
	static const struct bits want[2][4] = {
		{ { 4, 4, 64 - 10, 64 - 7 }, { 4, 4, 64 - 32, 60 }, { 0, 8, 64 - 36, 56 }, { 12, 4, 63, 63 } },
		{ { 4, 4, 32 + 3, 64 - 7 }, { 4, 4, 32 + 28, 60 }, { 0, 8, 28, 56 }, { 12, 4, 32, 63 } },
	};
	const bool big = _i;
	struct corepair pair;
	uint32_t s, u32;

	corepair_begin(&pair, big);
	u32 = corepair_int(pair.local, "u32", 4, 0);
	s = corepair_struct(pair.local, BTF_STRUCT, "bits", 8, (const struct corepair_member[]){
		{ "first", u32, 0, 3 }, { "last", u32, 3, 3 }, { "across", u32, 32, 3 }, { "top", u32, 35, 3 } }, 4);
	u32 = corepair_int(pair.target, "u32", 4, BTF_INT_SIGNED);
	corepair_struct(pair.target, BTF_STRUCT, "bits", 16, (const struct corepair_member[]){
		{ "first", u32, 35, 7 }, { "last", u32, 60, 4 }, { "across", u32, 28, 8 },
		{ "top", u32, 96, 1 } }, 4);
	corepair_open(&pair);
	check_bits(&pair, s, "0:0", &want[big][0]);
	check_bits(&pair, s, "0:1", &want[big][1]);
	check_bits(&pair, s, "0:2", &want[big][2]);
	check_bits(&pair, s, "0:3", &want[big][3]);
	corepair_imm(&pair, CORE_FIELD_SIGNED, s, "0:0", 0, 1);
	corepair_refused(&pair, CORE_FIELD_SIGNED, s, "0:0", 1, "has 1, where the object's types give 0");
	corepair_refused(&pair, CORE_FIELD_RSHIFT, s, "0:0", 60, "has 60, where the object's types give 61");
	corepair_close(&pair);
}
END_TEST


/* Fields that change their size, one struct each: "0:0" of it is asked for. */
static void open_sizes(struct corepair *pair, uint32_t *ids)
{
	static const struct { const char *name; uint32_t local, target, encoding; } all[] = {
		{ "grows", 4, 8, 0 }, { "shrinks", 8, 1, 0 }, { "signed", 4, 8, BTF_INT_SIGNED },
		{ "same", 4, 4, BTF_INT_SIGNED }, { "huge", 8, 16, 0 }, { "boolean", 1, 2, BTF_INT_BOOL },
	};
	uint32_t i, j, type, size;

	corepair_begin(pair, false);
	for (j = 0; j < 2; j++) {
		struct btfgen *gen = j ? pair->target : pair->local;

		for (i = 0; i < COUNT(all); i++) {
			size = j ? all[i].target : all[i].local;
			type = corepair_int(gen, "n", size, all[i].encoding);
			ids[i] = corepair_single(gen, BTF_STRUCT, all[i].name, 48, "f", type, j ? 128 : 64);
		}
	}
	corepair_open(pair);
}

static struct bpfinsn access_insn(uint8_t class, uint8_t size)
{
	const bool store = class == BPF_CLASS_ST;

	return (struct bpfinsn){ .code = class | BPF_MODE_MEM | size, .dst = 1, .src = !store, .off = 8,
				 .imm = store ? 5 : 0 };
}

static bool same_insn(const struct bpfinsn *a, const struct bpfinsn *b)
{
	return a->code == b->code && a->dst == b->dst && a->src == b->src && a->off == b->off && a->imm == b->imm;
}

static void check_access(const struct corepair *pair, uint32_t id, uint8_t class, uint8_t size, uint8_t now)
{
	struct bpfinsn insn[2] = { access_insn(class, size), { 0 } }, want = insn[0];
	struct bpfstamp_err err;

	want.code = class | BPF_MODE_MEM | now;
	want.off = 16;
	ck_assert_msg(!corepair_relocate(pair, CORE_FIELD_OFFSET, id, "0:0", insn, &err), "%s", err.text);
	ck_assert(same_insn(&insn[0], &want));
}

static void check_access_refused(const struct corepair *pair, uint32_t id, struct bpfinsn one, const char *text)
{
	struct bpfinsn insn[2] = { one, { 0 } };
	struct bpfstamp_err err;

	ck_assert_int_eq(corepair_relocate(pair, CORE_FIELD_OFFSET, id, "0:0", insn, &err), -1);
	ck_assert_msg(strstr(err.text, text) != NULL, "'%s' has no '%s'", err.text, text);
	ck_assert(same_insn(&insn[0], &one));
}

START_TEST(test_access)
{
	enum { GROWS, SHRINKS, SIGNED, SAME, HUGE_ONE, BOOLEAN, ALL };
	struct bpfinsn insn[2] = { { 0 }, { 0 } };
	struct bpfstamp_err err;
	struct corepair pair;
	uint32_t ids[ALL];

	open_sizes(&pair, ids);
	check_access(&pair, ids[GROWS], BPF_CLASS_LDX, BPF_SIZE_W, BPF_SIZE_DW);
	check_access(&pair, ids[GROWS], BPF_CLASS_STX, BPF_SIZE_W, BPF_SIZE_DW);
	check_access(&pair, ids[GROWS], BPF_CLASS_ST, BPF_SIZE_W, BPF_SIZE_DW);
	check_access(&pair, ids[SHRINKS], BPF_CLASS_LDX, BPF_SIZE_DW, BPF_SIZE_B);
	check_access(&pair, ids[BOOLEAN], BPF_CLASS_LDX, BPF_SIZE_B, BPF_SIZE_H);
	check_access(&pair, ids[SAME], BPF_CLASS_LDX, BPF_SIZE_W, BPF_SIZE_W);
	check_access(&pair, ids[SAME], BPF_CLASS_LDX, BPF_SIZE_B, BPF_SIZE_B);
	check_access_refused(&pair, ids[GROWS], access_insn(BPF_CLASS_LDX, BPF_SIZE_H),
			     "accesses 2 bytes of a field of 4");
	check_access_refused(&pair, ids[HUGE_ONE], access_insn(BPF_CLASS_LDX, BPF_SIZE_DW),
			     "has 16 bytes, which no instruction accesses");
	insn[0] = access_insn(BPF_CLASS_STX, BPF_SIZE_DW);
	insn[0].code = BPF_CLASS_STX | BPF_MODE_ATOMIC | BPF_SIZE_DW;
	insn[0].imm = BPF_OP_ADD;
	check_access_refused(&pair, ids[SHRINKS], insn[0], "has 1 bytes, and its instruction cannot access so many");
	insn[0] = access_insn(BPF_CLASS_LDX, BPF_SIZE_W);
	ck_assert(!corepair_relocate(&pair, CORE_FIELD_OFFSET, ids[SIGNED], "0:0", insn, &err));
	ck_assert_uint_eq(insn->code, BPF_CLASS_JMP | BPF_OP_CALL);
	ck_assert_int_eq(insn->imm, CORE_POISON);
	insn[0] = access_insn(BPF_CLASS_LDX, BPF_SIZE_W);
	insn[0].off = 12;
	check_access_refused(&pair, ids[SAME], insn[0], "has 12, where the object's types give 8");
	corepair_close(&pair);
}
END_TEST

/* A 32-bit kernel's pointers are loaded as such; its long tells their size. */
START_TEST(test_pointers)
{
	const uint32_t size = _i ? 8 : 4;
	struct corepair pair;
	uint32_t id, p;

	corepair_begin(&pair, false);
	p = btfgen_type(pair.local, "", BTF_PTR, 0, 0);
	id = corepair_single(pair.local, BTF_STRUCT, "s", 48, "f", p, 64);
	p = btfgen_type(pair.target, "", BTF_PTR, 0, 0);
	corepair_single(pair.target, BTF_STRUCT, "s", 48, "f", p, 128);
	corepair_int(pair.target, "long unsigned int", size, 0);
	corepair_open(&pair);
	check_access(&pair, id, BPF_CLASS_LDX, BPF_SIZE_DW, size == 8 ? BPF_SIZE_DW : BPF_SIZE_W);
	corepair_imm(&pair, CORE_FIELD_SIZE, id, "0:0", 8, (int32_t)size);
	corepair_close(&pair);
}
END_TEST

/* The last offset that a load holds is 32767, and an immediate holds any. */
START_TEST(test_far)
{
	const uint32_t at = 32767 + (uint32_t)_i;
	struct bpfinsn insn[2] = { access_insn(BPF_CLASS_LDX, BPF_SIZE_B), { 0 } };
	struct bpfstamp_err err;
	struct corepair pair;
	uint32_t id, u8;

	corepair_begin(&pair, false);
	u8 = corepair_int(pair.local, "u8", 1, 0);
	id = corepair_single(pair.local, BTF_STRUCT, "s", 48, "f", u8, 64);
	u8 = corepair_int(pair.target, "u8", 1, 0);
	corepair_single(pair.target, BTF_STRUCT, "s", 65536, "f", u8, at * 8);
	corepair_open(&pair);
	corepair_imm(&pair, CORE_FIELD_OFFSET, id, "0:0", 8, (int32_t)at);
	if (_i) {
		check_access_refused(&pair, id, insn[0], "32768 does not fit the offset of its instruction");
	} else {
		ck_assert(!corepair_relocate(&pair, CORE_FIELD_OFFSET, id, "0:0", insn, &err));
		ck_assert_int_eq(insn->off, 32767);
	}
	corepair_close(&pair);
}
END_TEST

START_TEST(test_instructions)
{
	const struct bpfinsn mov_x = { .code = BPF_CLASS_ALU64 | BPF_OP_MOV | BPF_SOURCE_X };
	const struct bpfinsn jump = { .code = BPF_CLASS_JMP | BPF_OP_JA };
	const struct bpfinsn map = { .code = BPF_CODE_LDDW, .src = BPF_SRC_MAP_FD };
	struct bpfinsn insn[2] = { { .code = BPF_CODE_LDDW, .imm = 1 }, { 0 } };
	struct bpfstamp_err err;
	struct corepair pair;
	struct ids ids;

	open_sample(&pair, &ids);
	check_access_refused(&pair, ids.buff, mov_x, "has no immediate");
	check_access_refused(&pair, ids.buff, jump, "neither has an immediate nor accesses memory");
	check_access_refused(&pair, ids.buff, map, "loads an address");
	ck_assert(!corepair_relocate(&pair, CORE_ENUM_VALUE, ids.two, "0", insn, &err));
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(insn[i].code, BPF_CLASS_JMP | BPF_OP_CALL);
		ck_assert_int_eq(insn[i].imm, CORE_POISON);
	}
	insn[0] = (struct bpfinsn){ .code = BPF_CLASS_ALU | BPF_OP_ADD, .imm = 32 };
	ck_assert(!corepair_relocate(&pair, CORE_FIELD_OFFSET, ids.buff, "0:4", insn, &err));
	ck_assert_uint_eq(insn->code, BPF_CLASS_ALU | BPF_OP_ADD);
	ck_assert_int_eq(insn->imm, 56);
	corepair_close(&pair);
}
END_TEST

/* The id of a type in the object is known without a kernel. */
START_TEST(test_no_kernel)
{
	const struct btf_core_relo local = { .kind = CORE_TYPE_ID_LOCAL }, target = { .kind = CORE_TYPE_ID_TARGET };
	struct kernel *k;
	struct corepair pair;
	struct ids ids;

	ck_assert(!core_needs_kernel(&local));
	ck_assert(core_needs_kernel(&target));
	open_sample(&pair, &ids);
	k = pair.k;
	pair.k = NULL;
	corepair_imm(&pair, CORE_TYPE_ID_LOCAL, ids.buff, "0", 0, (int32_t)ids.buff);
	corepair_refused(&pair, CORE_TYPE_ID_LOCAL, ids.buff, "1", 0, "access is '1', where that of a type is '0'");
	pair.k = k;
	corepair_close(&pair);
}
END_TEST

Suite *suite_core(void)
{
	Suite *suite = suite_create("core");
	TCase *tc = tcase_create("core");

	tcase_add_test(tc, test_offsets);
	tcase_add_test(tc, test_fields);
	tcase_add_test(tc, test_types);
	tcase_add_test(tc, test_enums);
	tcase_add_test(tc, test_enum_signs);
	tcase_add_loop_test(tc, test_bitfields, 0, 2);
	tcase_add_test(tc, test_access);
	tcase_add_loop_test(tc, test_pointers, 0, 2);
	tcase_add_loop_test(tc, test_far, 0, 2);
	tcase_add_test(tc, test_instructions);
	tcase_add_test(tc, test_no_kernel);
	suite_add_tcase(suite, tc);
	return suite;
}
