// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stamps: values of each kind into a hand-made object of each byte order, with
 * the whole image compared, so that a value reaches all of its places and
 * nothing else; and what a stamp tells of itself.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/stamp.h"
#include "tests/bpfobj.h"

Suite *suite_stamp(void);

enum { SLOTS = 16, IMAGE = SLOTS * 8 + 24 };

/*
 * tc: an lddw of variable g (.data, 4 of 8 bytes), one of text (bytes 8 to 15
 * of .data), two of the stamp vni (24 bits of u32), one of symbol y, an lddw of
 * which both halves are constants, a 64-bit and a 32-bit mov of 0x12345678.
 */
static struct bpfobj sample(bool big)
{
	static const struct bpfinsn code[SLOTS] = {
		LDDW(1, 0), LDDW(2, 7), LDDW(3, 7), LDDW(4, 0), LDDW(5, 0xCAFED00D00C0FFEE), LDDW(1, 8),
		MOV64(6, 0x12345678), MOV32(7, 0x12345678), MOV64(0, 0), EXIT,
	};
	static const uint8_t data_bytes[24] = { 1, 2, 3, 4, 5, 6, 7, 8, 't', 'e', 'x', 't' };
	struct bpfobj o = bpfobj_new(big);
	uint32_t tc = bpfobj_code(&o, "tc", code, SLOTS), data = bpfobj_data(&o, ".data", data_bytes, 24), section;
	uint8_t raw[48] = { [16] = 4, 0, 24, 1, 'v', 'n', 'i', 0, [40] = 4, 0, 24, 1, 'v', 'n', 'i', 0 };
	uint32_t records;

	bytes_put64(raw, 2 * 8, big);
	bytes_put64(raw + 24, 4 * 8, big);
	records = elfgen_section(o.gen, &(struct elf64_section){
		.name = ".bpfstamp", .type = ELF64_SHT_PROGBITS, .bytes = raw, .size = 48 });
	section = bpfobj_section_symbol(&o, tc);
	bpfobj_rel(&o, records, 0, R_BPF_64_ABS64, section);
	bpfobj_rel(&o, records, 3, R_BPF_64_ABS64, section);
	bpfobj_func(&o, "prog", tc, 0, SLOTS);
	bpfobj_rel(&o, tc, 0, R_BPF_64_64, bpfobj_var(&o, "g", data, 0, 4));
	bpfobj_rel(&o, tc, 6, R_BPF_64_64, bpfobj_undefined(&o, "y", ELF64_STB_GLOBAL));
	bpfobj_rel(&o, tc, 10, R_BPF_64_64, bpfobj_section_symbol(&o, data));
	bpfobj_var(&o, "bytes", data, 8, 12);
	bpfobj_var(&o, "unused", data, 4, 4);
	bpfobj_open(&o);
	ck_assert_uint_eq(o.t->image_size, IMAGE);
	return o;
}

static void declare(const struct bpfobj *o, const char *old)
{
	struct bpfstamp_err err = { 0 };

	ck_assert_msg(!bpfstamp_declare(o->t, old, -1, false, &err), "%s", err.text);
}

/* An expected image: that of the object, with stores. */
struct expected {
	bool big;
	uint8_t image[IMAGE];
};

static struct expected expect(const struct bpfobj *o)
{
	struct expected e = { .big = o->big };

	memcpy(e.image, o->t->image, IMAGE);
	return e;
}

static void imm_is(struct expected *e, uint32_t slot, uint32_t imm)
{
	bytes_put32(e->image + slot * 8 + 4, imm, e->big);
}

static void check_image(const struct bpfstamp_stamp *s, const struct expected *e)
{
	for (uint32_t i = 0; i < IMAGE; i++)
		ck_assert_msg(s->image[i] == e->image[i], "byte %u is %#x, not %#x", i, s->image[i], e->image[i]);
}

START_TEST(set_each_kind)
{
	struct bpfobj o = sample(_i);
	struct expected e = expect(&o);
	struct bpfstamp_stamp *s;

	declare(&o, "0xCAFED00D");
	s = bpfobj_stamp(&o);
	check_image(s, &e);

	bpfobj_set(s, "g", "0xA1B2C3D4");
	bytes_put32(e.image + SLOTS * 8, 0xA1B2C3D4, _i);
	check_image(s, &e);
	bpfobj_set(s, "bytes", "hex:0102030405060708090a0b0c");
	for (uint8_t i = 0; i < 12; i++)
		e.image[SLOTS * 8 + 8 + i] = (uint8_t)(i + 1);
	check_image(s, &e);
	bpfobj_set(s, "vni", "0xFFFFFF");
	imm_is(&e, 2, 0xffffff);
	imm_is(&e, 4, 0xffffff);
	check_image(s, &e);
	bpfobj_set(s, "y", "0xFEDCBA9876543210");
	imm_is(&e, 6, 0x76543210);
	imm_is(&e, 7, 0xFEDCBA98);
	check_image(s, &e);
	bpfobj_set(s, "0xCAFED00D", "10.0.0.2");
	imm_is(&e, 9, _i ? 0x0a000002 : 0x0200000a);
	check_image(s, &e);

	e = expect(&o);
	bpfstamp_reset(s);
	check_image(s, &e);
	for (uint32_t i = 0; i < bpfstamp_injectable_count(o.t); i++)
		ck_assert(!s->touched[i]);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* The other half of the lddw stays. */
START_TEST(set_low_half)
{
	struct bpfobj o = sample(_i);
	struct expected e = expect(&o);
	struct bpfstamp_stamp *s;

	declare(&o, "0x00C0FFEE");
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "0x00C0FFEE", "0xFFFFFFFF");
	imm_is(&e, 8, 0xffffffff);
	check_image(s, &e);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

START_TEST(put_each_kind)
{
	struct bpfobj o = sample(_i);
	struct expected e = expect(&o);
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	struct bpfstamp_err err = { 0 };
	struct bpfstamp_ref ref;
	uint8_t raw[12];

	ck_assert_int_eq(bpfstamp_find(o.t, "g", &ref, &err), 0);
	ck_assert_int_eq(bpfstamp_put(s, &ref, 0x01020304, &err), 0);
	bytes_put32(e.image + SLOTS * 8, 0x01020304, _i);
	check_image(s, &e);
	bytes_put32(raw, 0x99887766, _i);
	ck_assert_int_eq(bpfstamp_put_bytes(s, &ref, raw, 4, &err), 0);
	bytes_put32(e.image + SLOTS * 8, 0x99887766, _i);
	check_image(s, &e);
	ck_assert_int_eq(bpfstamp_find(o.t, "vni", &ref, &err), 0);
	bytes_put32(raw, 0xABCDEF, _i);
	ck_assert_int_eq(bpfstamp_put_bytes(s, &ref, raw, 4, &err), 0);
	imm_is(&e, 2, 0xABCDEF);
	imm_is(&e, 4, 0xABCDEF);
	check_image(s, &e);
	ck_assert_int_eq(bpfstamp_find(o.t, "bytes", &ref, &err), 0);
	memset(raw, 0x5a, 12);
	ck_assert_int_eq(bpfstamp_put_bytes(s, &ref, raw, 12, &err), 0);
	memset(e.image + SLOTS * 8 + 8, 0x5a, 12);
	check_image(s, &e);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* What is refused leaves the image and what was set before as they were. */
static const struct {
	const char *name, *value, *fault;
} refused[] = {
	{ "g", "0x100000000", "test.o: g: 0x100000000 does not fit" },
	{ "g", "nonsense", "test.o: g: 'nonsense' is not a value" },
	{ "bytes", "7", "test.o: bytes: 7 is a number, but the value has 12 bytes" },
	{ "bytes", "hex:01", "test.o: bytes: hex:… has 1 byte, but the value has 12" },
	{ "vni", "0x1000000", "test.o: vni: 0x1000000 does not fit: allowed is 0 to 16777215 (24 bits)" },
	{ "vni", "-1", "test.o: vni: -1 does not fit" },
	{ "y", "0x10000000000000000", "test.o: y: 0x10000000000000000 does not fit 64 bits" },
	{ "unused", "1", "test.o: unused: no instruction refers to it" },
	{ "0x12345678", "0x100000000", "test.o: 0x12345678: 0x100000000 does not fit" },
	{ "0x12345678", "0xFEDCBA98", "test.o: 0x12345678: instruction 12 of prog" },
	{ "gg", "1", "test.o: nothing called 'gg' can be stamped; did you mean 'g'?" },
};

START_TEST(refused_changes_nothing)
{
	struct bpfobj o = sample(_i & 1);
	struct expected e = expect(&o);
	struct bpfstamp_stamp *s;

	declare(&o, "0x12345678");
	s = bpfobj_stamp(&o);
	bpfobj_set_fails(s, refused[_i / 2].name, refused[_i / 2].value, refused[_i / 2].fault);
	check_image(s, &e);
	for (uint32_t i = 0; i < bpfstamp_injectable_count(o.t); i++)
		ck_assert(!s->touched[i]);
	bpfobj_set(s, "0x12345678", "0x7FFFFFFF");
	imm_is(&e, 12, 0x7fffffff);
	imm_is(&e, 13, 0x7fffffff);
	check_image(s, &e);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

START_TEST(put_refuses)
{
	struct bpfobj o = sample(_i);
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	struct expected e = expect(&o);
	struct bpfstamp_err err = { 0 };
	struct bpfstamp_ref ref;
	uint8_t raw[16] = { 0xff, 0xff, 0xff, 0xff };

	ck_assert_int_eq(bpfstamp_find(o.t, "g", &ref, &err), 0);
	ck_assert_int_eq(bpfstamp_put(s, &ref, 0x100000000, &err), -1);
	bpfobj_says(&err, "test.o: g: 4294967296 does not fit");
	ck_assert_int_eq(err.code, ERANGE);
	ck_assert_int_eq(bpfstamp_put_bytes(s, &ref, raw, 3, &err), -1);
	bpfobj_says(&err, "test.o: g: 3 bytes given, but the value has 4");
	ck_assert_int_eq(bpfstamp_find(o.t, "vni", &ref, &err), 0);
	ck_assert_int_eq(bpfstamp_put(s, &ref, 0x1000000, &err), -1);
	ck_assert_int_eq(bpfstamp_put_bytes(s, &ref, raw, 4, &err), -1);
	bpfobj_says(&err, "test.o: vni: 4294967295 does not fit");
	ck_assert_int_eq(bpfstamp_find(o.t, "bytes", &ref, &err), 0);
	ck_assert_int_eq(bpfstamp_put(s, &ref, 1, &err), -1);
	bpfobj_says(&err, "test.o: bytes: 1 is a number");
	ck_assert_int_eq(bpfstamp_find(o.t, "unused", &ref, &err), 0);
	ck_assert_int_eq(bpfstamp_put(s, &ref, 1, &err), -1);
	bpfobj_says(&err, "folded away");
	check_image(s, &e);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* ------------------------------------------------------ what a stamp tells */

struct seen {
	const struct bpfobj *o;
	const struct bpfstamp_stamp *s;
	uint32_t count;
	char text[8][64];
};

/* Writes "path insn old new" of each change. */
static void see(const struct bpfstamp_change *change, void *arg)
{
	struct seen *seen = arg;
	char old[32], new[32];

	ck_assert_uint_lt(seen->count, 8);
	ck_assert_str_eq(change->site.program, "prog");
	bpfstamp_get(seen->o->t, NULL, &change->ref, old, sizeof(old));
	bpfstamp_get(seen->o->t, seen->s, &change->ref, new, sizeof(new));
	snprintf(seen->text[seen->count++], 64, "%.10s %u %.12s %.12s", change->path, change->site.insn, old, new);
}

START_TEST(changes)
{
	static const char *const expected[][5] = {
		{ "g 0 0x4030201 0x5", "vni 2 0x7 0x6", "vni 4 0x7 0x6", "y 6  0x9", "0xCAFED00D 8 0xcafed00d 0x11" },
		{ "g 0 0x1020304 0x5", "vni 2 0x7 0x6", "vni 4 0x7 0x6", "y 6  0x9", "0xCAFED00D 8 0xcafed00d 0x11" },
	};
	struct bpfobj o = sample(_i);
	struct seen seen = { .o = &o };
	struct bpfstamp_stamp *s;

	declare(&o, "0xCAFED00D");
	s = bpfobj_stamp(&o);
	seen.s = s;
	bpfstamp_changes(s, see, &seen);
	ck_assert_uint_eq(seen.count, 0);
	bpfobj_set(s, "0xCAFED00D", "0x11");
	bpfobj_set(s, "y", "9");
	bpfobj_set(s, "vni", "6");
	bpfobj_set(s, "g", "5");
	bpfstamp_changes(s, see, &seen);
	ck_assert_uint_eq(seen.count, 5);
	for (uint32_t i = 0; i < 5; i++)
		ck_assert_str_eq(seen.text[i], expected[_i][i]);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

START_TEST(instructions)
{
	static const struct { uint32_t slot, slots; const char *refers, *before, *text; } expected[] = {
		{ 0, 2, "g", "", "r1 = 0 ll" }, { 2, 2, NULL, "r2 = 7 ll", "r2 = 6 ll" },
		{ 6, 2, "y", "", "r4 = 0 ll" },
		{ 10, 2, "bytes", "", "r1 = 8 ll" }, { 14, 1, NULL, "", "r0 = 0" }, { 15, 1, NULL, "", "exit" },
	};
	struct bpfobj o = sample(_i);
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	struct bpfstamp_insn insn;

	bpfobj_set(s, "vni", "6");
	bpfobj_set(s, "g", "6");
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		bpfstamp_insn_at(s, 0, expected[i].slot, &insn);
		ck_assert_uint_eq(insn.slots, expected[i].slots);
		if (expected[i].refers)
			ck_assert_str_eq(insn.refers, expected[i].refers);
		else
			ck_assert_ptr_null(insn.refers);
		ck_assert_str_eq(insn.text, expected[i].text);
		ck_assert_str_eq(insn.before, expected[i].before);
		ck_assert_int_eq(insn.changed, *expected[i].before != '\0');
		ck_assert_str_eq(insn.site.program, "prog");
		ck_assert_uint_eq(insn.site.insn, expected[i].slot);
	}
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_stamp(void)
{
	Suite *suite = suite_create("stamp");
	TCase *tcase = tcase_create("values");

	tcase_add_loop_test(tcase, set_each_kind, 0, 2);
	tcase_add_loop_test(tcase, set_low_half, 0, 2);
	tcase_add_loop_test(tcase, put_each_kind, 0, 2);
	tcase_add_loop_test(tcase, refused_changes_nothing, 0, 2 * (int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_loop_test(tcase, put_refuses, 0, 2);
	tcase_add_loop_test(tcase, changes, 0, 2);
	tcase_add_loop_test(tcase, instructions, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
