// SPDX-License-Identifier: BSD-2-Clause
/*
 * Paths into aggregates and the leaves of variables.  Where members and
 * bitfields stand is what clang says: each source initialises a variable, and
 * what is read through its paths must be the initialisers, in both byte orders.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/path.h"
#include "tests/rewrite.h"

Suite *suite_path(void);

enum { LEAVES = 128 };

static const char source[] =
	"typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; "
	"typedef unsigned long long u64;\n"
	"enum color { RED = 1, GREEN = 0x7fffffff, BLUE = -3 };\n"
	"struct bits {\n"
	"	u32 a : 3; u32 b : 13; u32 c : 16; int s : 5; u32 : 3; u64 wide : 40; u8 tail : 1; _Bool flag : 1;\n"
	"	enum color hue : 32; long long neg : 63; u16 last : 9;\n"
	"};\n"
	"struct packed { u8 x; u32 y : 20; u64 z : 44; int w : 7; u32 v; } __attribute__((packed));\n"
	"struct inner { u16 port; u16 grid[2][3]; };\n"
	"union addr { u32 v4; u8 v6[16]; };\n"
	"struct all {\n"
	"	u8 kind; char name[8]; u8 mac[6];\n"
	"	struct { u32 in1; union { u16 half; u32 whole; struct { u8 q[2]; u16 r; }; }; };\n"
	"	struct inner list[2]; union addr addr; const struct bits bits; enum color color; _Bool on; "
	"u32 *pointer;\n"
	"	struct { int x; } named; u64 many[65]; struct { } nothing; u32 flexible[];\n"
	"};\n"
	"volatile struct bits bits = { 5, 0x1234, 0xbeef, -7, 0x123456789a, 1, 1, BLUE, -1234567890123ll, 0x155 };\n"
	"volatile struct packed packed = { 0xaa, 0xabcde, 0xfedcba98765ull, -33, 0x11223344 };\n"
	"volatile struct all all = { .kind = 1, .name = \"eth0\", .mac = { 1, 2, 3, 4, 5, 6 }, .in1 = 77,\n"
	"	.whole = 0x01020304, .list = { { 80, { { 1, 2, 3 }, { 4, 5, 6 } } }, "
	"{ 81, { { 7, 8, 9 }, { 10, 11, 12 } } } },\n"
	"	.addr = { .v4 = 9 }, .bits = { .b = 0x1fff, .neg = 1 }, .color = GREEN, .on = 1, .named = { -5 } };\n"
	"volatile u32 plain = 3; volatile u16 matrix[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };\n"
	"__attribute__((section(\"tc\"), used)) u64 prog(void *ctx)\n"
	"{\n"
	"	return bits.a + packed.x + all.kind + plain + matrix[1][1];\n"
	"}\n"
	"char _license[] __attribute__((section(\"license\"), used)) = \"GPL\";\n";

static bool compile(struct bpfobj *o, int order)
{
	return bpfobj_compile(o, order ? "bpfeb" : "bpfel", "", source);
}

/* ------------------------------------------------------------ what is read */

static const struct { const char *path, *value, *type; } reads[] = {
	{ "bits.a", "0x5", "u32" }, { "bits.b", "0x1234", "u32" }, { "bits.c", "0xbeef", "u32" },
	{ "bits.s", "-7", "int" },
	{ "bits.wide", "0x123456789a", "u64" }, { "bits.tail", "0x1", "u8" }, { "bits.flag", "0x1", "_Bool" },
	{ "bits.hue", "-3", "enum color" }, { "bits.neg", "-1234567890123", "long long" },
	{ "bits.last", "0x155", "u16" },
	{ "packed.x", "0xaa", "u8" }, { "packed.y", "0xabcde", "u32" }, { "packed.z", "0xfedcba98765", "u64" },
	{ "packed.w", "-33", "int" }, { "packed.v", "0x11223344", "u32" },
	{ "all.kind", "0x1", "u8" }, { "all.in1", "0x4d", "u32" }, { "all.whole", "0x1020304", "u32" },
	{ "all.list[0].port", "0x50", "u16" }, { "all.list[1].port", "0x51", "u16" },
	{ "all.list[0].grid[1][2]", "0x6", "u16" }, { "all.list[1].grid[0][0]", "0x7", "u16" },
	{ "all.list[1].grid[1][1]", "0xb", "u16" }, { "all.addr.v4", "0x9", "u32" },
	{ "all.bits.b", "0x1fff", "u32" },
	{ "all.bits.neg", "1", "long long" }, { "all.color", "2147483647", "enum color" },
	{ "all.on", "0x1", "_Bool" },
	{ "all.named.x", "-5", "int" }, { "plain", "0x3", "u32" }, { "matrix[0][0]", "0x1", "u16" },
	{ "matrix[1][2]", "0x6", "u16" }, { "matrix[0x1][1]", "0x5", "u16" },
	{ "all.name", "hex:6574683000000000", "char[8]" }, { "all.mac", "hex:010203040506", "u8[6]" },
	{ "all.mac[5]", "0x6", "u8" }, { "all.many[64]", "0x0", "u64" },
};

START_TEST(reads_what_clang_wrote)
{
	struct bpfstamp_err err = { 0 };
	struct bpfstamp_ref ref;
	struct bpfobj o;
	char text[64];

	if (!compile(&o, _i))
		return;
	for (size_t i = 0; i < COUNT(reads); i++) {
		struct part part;

		ck_assert_msg(!bpfstamp_find(o.t, reads[i].path, &ref, &err), "%s", err.text);
		part = part_from_ref(&ref);
		value_type_text(&part.type, &o.t->btf, text, sizeof(text));
		ck_assert_str_eq(text, reads[i].type);
		bpfobj_get(&o, NULL, reads[i].path, text, sizeof(text));
		ck_assert_msg(strtoll(text, NULL, 0) == strtoll(reads[i].value, NULL, 0) &&
			      (reads[i].value[0] != 'h' || !strcmp(text, reads[i].value)),
			      "%s is %s, not %s", reads[i].path, text, reads[i].value);
	}
	bpfobj_get(&o, NULL, "all.half", text, sizeof(text));
	ck_assert_str_eq(text, _i ? "0x102" : "0x304");
	bpfobj_get(&o, NULL, "all.r", text, sizeof(text));
	ck_assert_str_eq(text, _i ? "0x304" : "0x102");
	bpfobj_get(&o, NULL, "all.q[1]", text, sizeof(text));
	ck_assert_str_eq(text, _i ? "0x2" : "0x3");
	bpfobj_free(&o);
}
END_TEST

/* What is set through a path is what clang would have laid out: two objects, one compiled, one stamped. */
START_TEST(sets_what_clang_would)
{
	static const char *const sets[][2] = {
		{ "bits.a", "2" }, { "bits.b", "1" }, { "bits.c", "0xffff" }, { "bits.s", "15" },
		{ "bits.wide", "0xffffffffff" },
		{ "bits.tail", "0" }, { "bits.flag", "false" }, { "bits.hue", "RED" }, { "bits.neg", "-1" },
		{ "bits.last", "0" },
		{ "packed.x", "1" }, { "packed.y", "0xfffff" }, { "packed.z", "0" }, { "packed.w", "-64" },
		{ "packed.v", "5" },
	};
	static const char *const initialisers[][2] = {
		{ "{ 5, 0x1234, 0xbeef, -7, 0x123456789a, 1, 1, BLUE, -1234567890123ll, 0x155 }",
		  "{ 2, 1, 0xffff, 15, 0xffffffffff, 0, 0, RED, -1, 0 }" },
		{ "{ 0xaa, 0xabcde, 0xfedcba98765ull, -33, 0x11223344 }", "{ 1, 0xfffff, 0, -64, 5 }" },
	};
	char *other = calloc(1, sizeof(source) + 64), *at, *from = strdup(source);
	struct bpfobj o, expected;
	struct bpfstamp_stamp *s;

	ck_assert(other && from);
	for (int i = 0; i < 2; i++) {
		at = strstr(from, initialisers[i][0]);
		ck_assert_ptr_nonnull(at);
		sprintf(other, "%.*s%s%s", (int)(at - from), from, initialisers[i][1],
			at + strlen(initialisers[i][0]));
		free(from);
		from = strdup(other);
	}
	if (compile(&o, _i)) {
		ck_assert(bpfobj_compile(&expected, _i ? "bpfeb" : "bpfel", "", other));
		s = bpfobj_stamp(&o);
		for (size_t i = 0; i < COUNT(sets); i++)
			bpfobj_set(s, sets[i][0], sets[i][1]);
		ck_assert_uint_eq(o.t->image_size, expected.t->image_size);
		ck_assert(!memcmp(s->image, expected.t->image, o.t->image_size));
		bpfstamp_stamp_free(s);
		bpfobj_free(&o);
		bpfobj_free(&expected);
	}
	free(other);
	free(from);
}
END_TEST

/* A bitfield takes what its bits hold, and its neighbours keep theirs. */
START_TEST(bounds_of_bitfields)
{
	static const struct { const char *path, *good, *bad; } bounds[] = {
		{ "bits.a", "7", "8" }, { "bits.a", "0", "-1" }, { "bits.b", "8191", "8192" },
		{ "bits.s", "15", "16" },
		{ "bits.s", "-16", "-17" }, { "bits.tail", "1", "2" }, { "bits.flag", "true", "2" },
		{ "bits.wide", "0xffffffffff", "0x10000000000" }, { "packed.w", "63", "64" },
		{ "bits.neg", "4611686018427387903", "4611686018427387904" },
	};
	struct bpfstamp_stamp *s;
	struct bpfobj o;

	if (!compile(&o, _i))
		return;
	s = bpfobj_stamp(&o);
	for (size_t i = 0; i < COUNT(bounds); i++) {
		bpfobj_set_fails(s, bounds[i].path, bounds[i].bad, "does not fit");
		ck_assert(!memcmp(s->image, o.t->image, o.t->image_size));
		bpfobj_set(s, bounds[i].path, bounds[i].good);
		for (size_t k = 0; k < COUNT(reads); k++) {
			char before[64], after[64];

			bpfobj_get(&o, NULL, reads[k].path, before, sizeof(before));
			bpfobj_get(&o, s, reads[k].path, after, sizeof(after));
			ck_assert(!strcmp(reads[k].path, bounds[i].path) || !strcmp(before, after));
		}
		bpfstamp_reset(s);
	}
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* ----------------------------------------------------------------- errors */

static const struct { const char *path, *fault; int code; } faults[] = {
	{ ".nobody", "no member .nobody", ENOENT }, { ".", "no member .", ENOENT },
	{ "..kind", "no member ..kind", ENOENT },
	{ ".list.port", "no member .port", ENOENT }, { ".kind.x", "no member .x", ENOENT },
	{ ".kin", "no member .kin", ENOENT },
	{ ".kindx", "no member .kindx", ENOENT }, { ".list[2]", "[2]: the array has 2 elements", ERANGE },
	{ ".list[0].grid[2][0]", "[2][0]: the array has 2 elements", ERANGE },
	{ ".list[0].grid[1][3]", "[3]: the array has 3 elements", ERANGE }, { ".list[-1]", "[-1]", ERANGE },
	{ ".list[]", "[]: expected [number]", EINVAL }, { ".list[0", "[0: expected [number]", EINVAL },
	{ ".list[x]", "[x]: expected [number]", EINVAL }, { ".list[0x]", "expected [number]", EINVAL },
	{ ".list[99999999999999999999]", "expected [number]", EINVAL },
	{ ".kind[0]", "[0]: what is in front is not an array", EINVAL },
	{ "[0]", "what is in front is not an array", EINVAL },
	{ ".bits.a.x", "what is in front is a bitfield", EINVAL },
	{ ".bits.a[0]", "what is in front is a bitfield", EINVAL }, { ".pointer[0]", "not an array", EINVAL },
	{ ".flexible[0]", "the array has 0 elements", ERANGE }, { ".list[0]port", "no member port", ENOENT },
	{ ".list[0] ", "no member", ENOENT },
};

START_TEST(wrong_paths)
{
	struct bpfstamp_err err;
	struct bpfobj o;
	uint32_t all;

	if (!compile(&o, _i))
		return;
	all = bpfobj_find(&o, "all", NULL);
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct part part = part_whole(&o.t->injectables[all]);

		ck_assert_msg(part_follow(&part, &o.t->btf, faults[i].path, &err) == -1, "%s is accepted",
			      faults[i].path);
		bpfobj_says(&err, faults[i].fault);
		ck_assert_msg(err.code == faults[i].code, "%s: %d", faults[i].path, err.code);
	}
	bpfobj_free(&o);
}
END_TEST

/* Without BTF there are no paths. */
START_TEST(no_btf)
{
	struct bpfstamp_err err;
	struct part part;
	struct bpfobj o;

	if (!bpfobj_compile(&o, "bpfel", "-g0", source))
		return;
	part = part_whole(&o.t->injectables[bpfobj_find(&o, "all", NULL)]);
	ck_assert_int_eq(part_follow(&part, &o.t->btf, "", &err), 0);
	ck_assert_int_eq(part_follow(&part, &o.t->btf, ".kind", &err), -1);
	bpfobj_says(&err, ".kind: the type is not known: compile with -g");
	bpfobj_free(&o);
}
END_TEST

/* ----------------------------------------------------------------- leaves */

struct leaves {
	uint32_t count;
	char path[LEAVES][64], type[LEAVES][64];
	struct bpfstamp_ref ref[LEAVES];
};

static void see(const struct bpfstamp_leaf *leaf, void *arg)
{
	struct leaves *l = arg;

	ck_assert_uint_lt(l->count, LEAVES);
	snprintf(l->path[l->count], 64, "%s", leaf->path);
	snprintf(l->type[l->count], 64, "%s", leaf->type);
	l->ref[l->count++] = leaf->ref;
}

static const char *const all_leaves[] = {
	"all.kind", "all.name", "all.mac", "all.in1", "all.whole", "all.list[0].port",
	"all.list[0].grid[0][0]", "all.list[0].grid[0][1]", "all.list[0].grid[0][2]",
	"all.list[0].grid[1][0]", "all.list[0].grid[1][1]", "all.list[0].grid[1][2]", "all.list[1].port",
	"all.list[1].grid[0][0]", "all.list[1].grid[0][1]", "all.list[1].grid[0][2]",
	"all.list[1].grid[1][0]", "all.list[1].grid[1][1]", "all.list[1].grid[1][2]", "all.addr",
	"all.bits.a", "all.bits.b", "all.bits.c", "all.bits.s", "all.bits.wide", "all.bits.tail", "all.bits.flag",
	"all.bits.hue", "all.bits.neg", "all.bits.last", "all.color", "all.on", "all.pointer", "all.named.x",
	"all.many",
};

START_TEST(leaves_in_order)
{
	static struct leaves l;
	struct bpfobj o;

	if (!compile(&o, _i))
		return;
	l.count = 0;
	bpfstamp_leaves(o.t, bpfobj_find(&o, "all", NULL), see, &l);
	for (uint32_t i = 0; i < l.count && i < COUNT(all_leaves); i++)
		ck_assert_str_eq(l.path[i], all_leaves[i]);
	ck_assert_uint_ge(l.count, COUNT(all_leaves));
	ck_assert_str_eq(l.type[1], "char[8]");
	ck_assert_str_eq(l.type[19], "union addr");
	l.count = 0;
	bpfstamp_leaves(o.t, bpfobj_find(&o, "plain", NULL), see, &l);
	ck_assert_uint_eq(l.count, 1);
	ck_assert_str_eq(l.path[0], "plain");
	bpfobj_free(&o);
}
END_TEST

/* Each leaf is found by its path as the same part; its text sets it back; all leaves make the variable whole. */
START_TEST(leaves_round_trip)
{
	static const char *const names[] = { "bits", "packed", "all", "plain", "matrix" };
	static struct leaves l;
	struct bpfstamp_err err = { 0 };
	struct bpfstamp_stamp *s;
	char text[4096];
	struct bpfobj o;

	if (!compile(&o, _i % 2))
		return;
	l.count = 0;
	bpfstamp_leaves(o.t, bpfobj_find(&o, names[_i / 2], NULL), see, &l);
	s = bpfobj_stamp(&o);
	for (uint32_t i = 0; i < l.count; i++) {
		struct bpfstamp_ref ref;

		ck_assert_msg(!bpfstamp_find(o.t, l.path[i], &ref, &err), "%s", err.text);
		ck_assert_uint_eq(ref.offset, l.ref[i].offset);
		ck_assert_uint_eq(ref.size, l.ref[i].size);
		ck_assert_uint_eq(ref.bit_offset, l.ref[i].bit_offset);
		ck_assert_uint_eq(ref.bits, l.ref[i].bits);
		ck_assert_uint_eq(ref.btf, l.ref[i].btf);
		ck_assert_int_eq(ref.bitfield, l.ref[i].bitfield);
		if (!ref.size)
			continue;
		bpfobj_get(&o, NULL, l.path[i], text, sizeof(text));
		if (ref.bits)
			ck_assert_msg(!bpfstamp_put(s, &ref, 0, &err), "%s", err.text);
		bpfobj_set(s, l.path[i], text);
		ck_assert_msg(!memcmp(s->image, o.t->image, o.t->image_size), "%s", l.path[i]);
	}
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* Enumerators, text and addresses through paths. */
START_TEST(values_through_paths)
{
	static const struct { const char *path, *set, *get; } values[] = {
		{ "all.color", "BLUE", "-3" }, { "all.color", "GREEN", "2147483647" },
		{ "all.name", "wlan0", "hex:776c616e30000000" },
		{ "all.mac", "02:00:5e:10:00:01", "hex:02005e100001" }, { "all.addr.v6", "2001:db8::1",
		  "hex:20010db8000000000000000000000001" }, { "all.bits.hue", "RED", "1" },
		  { "all.on", "false", "0x0" },
	};
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	char text[64];

	if (!compile(&o, _i))
		return;
	s = bpfobj_stamp(&o);
	for (size_t i = 0; i < COUNT(values); i++) {
		bpfobj_set(s, values[i].path, values[i].set);
		bpfobj_get(&o, s, values[i].path, text, sizeof(text));
		if (values[i].get[0] == 'h')
			ck_assert_str_eq(text, values[i].get);
		else
			ck_assert_int_eq(strtoll(text, NULL, 0), strtoll(values[i].get, NULL, 0));
	}
	bpfobj_set(s, "all.addr.v4", "10.0.0.2");
	bpfobj_get(&o, s, "all.addr.v4", text, sizeof(text));
	ck_assert_str_eq(text, _i ? "0xa000002" : "0x200000a");
	bpfobj_set_fails(s, "all.color", "PURPLE", "all.color: 'PURPLE' is not a value");
	bpfobj_set_fails(s, "all.name", "much too long", "all.name: ");
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_path(void)
{
	Suite *suite = suite_create("path");
	TCase *tcase = tcase_create("compiled");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, reads_what_clang_wrote, 0, 2);
	tcase_add_loop_test(tcase, sets_what_clang_would, 0, 2);
	tcase_add_loop_test(tcase, bounds_of_bitfields, 0, 2);
	tcase_add_loop_test(tcase, wrong_paths, 0, 2);
	tcase_add_test(tcase, no_btf);
	tcase_add_loop_test(tcase, leaves_in_order, 0, 2);
	tcase_add_loop_test(tcase, leaves_round_trip, 0, 10);
	tcase_add_loop_test(tcase, values_through_paths, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
