// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values as text and as numbers: each form against each type, at its limits and
 * one beyond, in both byte orders.  What is refused must leave out untouched.
 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/value.h"
#include "tests/bpfobj.h"
#include "tests/btfgen.h"

Suite *suite_value(void);

enum { OUT = 32 };

static struct value_type integer(uint32_t size, uint8_t bits, bool is_signed)
{
	return (struct value_type){ .form = VALUE_INT, .size = size, .bits = bits, .is_signed = is_signed };
}

static const struct value_type a_register = { .form = VALUE_REGISTER, .size = 8, .bits = 64, .any_sign = true };
static const struct value_type a_bool = { .form = VALUE_BOOL, .size = 1, .bits = 1 };

/* Parse what must be right; bytes behind the value stay. */
static void parse(const struct value_type *type, const struct btf *btf, bool big, const char *text, uint8_t *out)
{
	struct bpfstamp_err err = { 0 };

	memset(out, 0xa5, OUT);
	ck_assert_msg(!value_parse(type, btf, big, text, out, &err), "'%s': %s", text, err.text);
	for (uint32_t i = type->size; i < OUT; i++)
		ck_assert_msg(out[i] == 0xa5, "'%s' writes byte %u", text, i);
}

static void refuse(const struct value_type *type, const struct btf *btf, bool big, const char *text, int code,
		   const char *fault)
{
	struct bpfstamp_err err = { 0 };
	uint8_t out[OUT];

	memset(out, 0xa5, OUT);
	ck_assert_msg(value_parse(type, btf, big, text, out, &err) == -1, "'%s' is accepted", text);
	for (uint32_t i = 0; i < OUT; i++)
		ck_assert_msg(out[i] == 0xa5, "'%s' is refused, but writes", text);
	ck_assert_msg(err.code == code, "'%s': code %d: %s", text, err.code, err.text);
	bpfobj_says(&err, fault);
}

static void expect_number(const struct value_type *type, bool big, const char *text, uint64_t value)
{
	uint8_t out[OUT];
	uint64_t got;

	parse(type, NULL, big, text, out);
	got = value_load(out, type->size, type->is_signed, big);
	ck_assert_msg(got == value, "'%s' is %#" PRIx64 ", not %#" PRIx64, text, got, value);
}

/* ---------------------------------------------------------------- limits */

static uint32_t size_of(uint32_t bits)
{
	return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
}

static void check_u64(const struct value_type *type, bool big, uint64_t value, bool fits)
{
	struct bpfstamp_err err = { 0 };
	uint8_t out[8] = { 0 };

	ck_assert_msg(!value_from_u64(type, big, value, out, &err) == fits, "%#" PRIx64 " in %u bits", value,
		      type->bits);
	if (fits)
		ck_assert_uint_eq(value_load(out, type->size, type->is_signed, big), value);
	else
		bpfobj_says(&err, "does not fit");
}

START_TEST(unsigned_limits)
{
	uint8_t bits = (uint8_t)(_i / 2 + 1);
	struct value_type type = integer(size_of(bits), bits, false);
	uint64_t max = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
	char text[80], fault[192];

	snprintf(text, sizeof(text), "%" PRIu64, max);
	expect_number(&type, _i & 1, text, max);
	snprintf(text, sizeof(text), "0x%" PRIX64, max);
	expect_number(&type, _i & 1, text, max);
	snprintf(text, sizeof(text), "0o%" PRIo64, max);
	expect_number(&type, _i & 1, text, max);
	expect_number(&type, _i & 1, "0", 0);
	check_u64(&type, _i & 1, max, true);
	if (bits < 64) {
		snprintf(text, sizeof(text), "%" PRIu64, max + 1);
		snprintf(fault, sizeof(fault), "%s does not fit: allowed is 0 to %" PRIu64 " (%u bits)", text, max,
			 bits);
		refuse(&type, NULL, _i & 1, text, ERANGE, fault);
		check_u64(&type, _i & 1, max + 1, false);
		check_u64(&type, _i & 1, UINT64_MAX, false);
	}
	refuse(&type, NULL, _i & 1, "-1", ERANGE, "-1 does not fit");
	refuse(&type, NULL, _i & 1, "18446744073709551616", ERANGE, "does not fit 64 bits");
}
END_TEST

START_TEST(signed_limits)
{
	uint8_t bits = (uint8_t)(_i / 2 + 1);
	struct value_type type = integer(size_of(bits), bits, true);
	int64_t min = bits == 64 ? INT64_MIN : -((int64_t)1 << (bits - 1)), max = -(min + 1);
	char text[80], fault[192];

	snprintf(text, sizeof(text), "%" PRId64, min);
	expect_number(&type, _i & 1, text, (uint64_t)min);
	snprintf(text, sizeof(text), "%" PRId64, max);
	expect_number(&type, _i & 1, text, (uint64_t)max);
	check_u64(&type, _i & 1, (uint64_t)min, true);
	check_u64(&type, _i & 1, (uint64_t)max, true);
	snprintf(text, sizeof(text), "%" PRIu64, (uint64_t)max + 1);
	snprintf(fault, sizeof(fault), "%s does not fit: allowed is %" PRId64 " to %" PRId64, text, min, max);
	refuse(&type, NULL, _i & 1, text, ERANGE, fault);
	if (bits < 64) {
		check_u64(&type, _i & 1, (uint64_t)max + 1, false);
		check_u64(&type, _i & 1, (uint64_t)min - 1, false);
		snprintf(text, sizeof(text), "%" PRId64, min - 1);
		refuse(&type, NULL, _i & 1, text, ERANGE, "does not fit: allowed is");
	}
	refuse(&type, NULL, _i & 1, "-9223372036854775809", ERANGE, "does not fit 64 bits");
}
END_TEST

START_TEST(untyped_has_any_sign)
{
	uint32_t size = 1u << (_i / 2), bits = size * 8;
	struct value_type type = value_untyped(size);
	uint64_t max = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
	char text[32];

	ck_assert(type.form == VALUE_INT && type.bits == bits && type.any_sign && !type.is_signed);
	expect_number(&type, _i & 1, "-1", max);
	snprintf(text, sizeof(text), "-%" PRIu64, max / 2 + 1);
	expect_number(&type, _i & 1, text, max / 2 + 1);
	snprintf(text, sizeof(text), "%" PRIu64, max);
	expect_number(&type, _i & 1, text, max);
	snprintf(text, sizeof(text), "-%" PRIu64, max / 2 + 2);
	refuse(&type, NULL, _i & 1, text, ERANGE, "does not fit");
	type = value_untyped(3);
	ck_assert(type.form == VALUE_BYTES && type.size == 3 && !type.bits);
}
END_TEST

/* ----------------------------------------------------------------- forms */

static const struct {
	const char *text;
	uint64_t value;		/* for an int of 64 bits, signed where the text is negative */
} numbers[] = {
	{ "0", 0 }, { "-0", 0 }, { "+7", 7 }, { "007", 7 }, { "0x0", 0 }, { "0xff", 255 }, { "0XfF", 255 },
	{ "0b101", 5 }, { "0B0", 0 }, { "0o17", 15 }, { "0O7", 7 }, { "-0x10", (uint64_t)-16 },
	{ "-9223372036854775808", (uint64_t)INT64_MIN }, { "-0x8000000000000000", (uint64_t)INT64_MIN },
	{ "9223372036854775807", INT64_MAX }, { "true", 1 }, { "false", 0 },
	{ "0b111111111111111111111111111111111111111111111111111111111111111", INT64_MAX },
};

START_TEST(number_forms)
{
	struct value_type type = integer(8, 64, true);

	expect_number(&type, false, numbers[_i].text, numbers[_i].value);
	expect_number(&type, true, numbers[_i].text, numbers[_i].value);
}
END_TEST

static const char *const malformed[] = {
	"", "-", "+", "0x", "0b", "0o", "-0x", "7x", "x7", " 7", "7 ", "0xg", "0b2", "0o8", "--7", "+-7", "1.2.3",
	"1.2.3.4.5",
	"256.0.0.1", "10.0.0.2x", "::g", ":::", "00:11:22:33:44", "00:11:22:33:44:5", "00:11:22:33:44:55:66",
	"0g:11:22:33:44:55", "True", "be8:1", "be32", "nonsense", "RED", "0xFEDCBA98 ", "1e3", "0x-7",
};

START_TEST(malformed_texts)
{
	struct value_type types[] = { integer(4, 32, false), integer(8, 64, true), value_untyped(4), a_register,
				      value_untyped(6), value_untyped(16) };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		refuse(&types[i], NULL, _i & 1, malformed[_i / 2], EINVAL,
		       "is not a value: expected a number, an address, "
									   "be32:…, or hex:…");
}
END_TEST

START_TEST(too_large_for_64_bits)
{
	struct value_type type = integer(8, 64, false);

	refuse(&type, NULL, false, "0x10000000000000000", ERANGE, "does not fit 64 bits");
	refuse(&a_register, NULL, false, "-9223372036854775809", ERANGE, "does not fit 64 bits");
	refuse(&a_register, NULL, false, "99999999999999999999999999999999999999", ERANGE, "does not fit 64 bits");
	expect_number(&a_register, false, "-9223372036854775808", (uint64_t)INT64_MIN);
	expect_number(&a_register, false, "18446744073709551615", UINT64_MAX);
}
END_TEST

START_TEST(booleans)
{
	expect_number(&a_bool, _i, "true", 1);
	expect_number(&a_bool, _i, "false", 0);
	expect_number(&a_bool, _i, "1", 1);
	refuse(&a_bool, NULL, _i, "2", ERANGE, "2 does not fit: allowed is 0 to 1 (1 bits)");
	refuse(&a_bool, NULL, _i, "-1", ERANGE, "-1 does not fit");
	refuse(&a_bool, NULL, _i, "hex:02", ERANGE, "does not fit");
	refuse(&a_bool, NULL, _i, "yes", EINVAL, "'yes' is not a value: expected a number, true, false, an address");
}
END_TEST

/* Memory: bytes as they are in either byte order; the size must be that of the value. */
static const struct {
	const char *text;
	uint32_t size;
	uint8_t bytes[16];
} memories[] = {
	{ "10.0.0.2", 4, { 10, 0, 0, 2 } }, { "255.255.255.255", 4, { 255, 255, 255, 255 } },
	{ "::1", 16, { [15] = 1 } }, { "2001:db8::ff", 16, { 0x20, 0x01, 0x0d, 0xb8, [15] = 0xff } },
	{ "::ffff:1.2.3.4", 16, { [10] = 0xff, 0xff, 1, 2, 3, 4 } },
	{ "00:1A:2b:ff:44:55", 6, { 0, 0x1a, 0x2b, 0xff, 0x44, 0x55 } },
	{ "be16:0x1234", 2, { 0x12, 0x34 } }, { "be32:0x12345678", 4, { 0x12, 0x34, 0x56, 0x78 } },
	{ "be64:0x12345678", 8, { 0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78 } },
	{ "le16:0x1234", 2, { 0x34, 0x12 } }, { "le32:0x12345678", 4, { 0x78, 0x56, 0x34, 0x12 } },
	{ "le64:0x12345678", 8, { 0x78, 0x56, 0x34, 0x12 } }, { "be32:-1", 4, { 255, 255, 255, 255 } },
	{ "be32:255", 4, { 0, 0, 0, 255 } }, { "le32:0xff000000", 4, { 0, 0, 0, 255 } },
	{ "hex:00ff", 2, { 0, 0xff } }, { "hex:0A", 1, { 10 } }, { "hex:000102", 3, { 0, 1, 2 } },
	{ "hex:000102030405060708090a0b0c0d0e0f", 16, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } },
};

START_TEST(memory_forms)
{
	uint32_t size = memories[_i].size;
	struct value_type types[3] = { value_untyped(size), { .form = VALUE_BYTES, .size = size },
				       { .form = VALUE_BYTES, .size = size } };
	char fault[64];
	uint8_t out[OUT];

	if (types[0].bits)
		types[2] = integer(size, (uint8_t)(size * 8), true);
	for (int k = 0; k < 6; k++) {
		parse(&types[k / 2], NULL, k & 1, memories[_i].text, out);
		ck_assert_mem_eq(out, memories[_i].bytes, size);
	}
	types[1].size = size + 1;
	snprintf(fault, sizeof(fault), "has %u byte%s, but the value has %u", size, size > 1 ? "s" : "", size + 1);
	refuse(&types[1], NULL, _i & 1, memories[_i].text, EINVAL, fault);
}
END_TEST

/* A number in a given byte order fills a wider integer as the number that it is in memory. */
START_TEST(ordered_numbers)
{
	struct value_type u32 = integer(4, 32, false), vlan = integer(2, 12, false), u8 = integer(1, 8, false);

	expect_number(&u32, false, "be16:80", 0x5000);
	expect_number(&u32, true, "be16:80", 80);
	expect_number(&u32, false, "le16:80", 80);
	expect_number(&u32, true, "le16:80", 0x5000);
	expect_number(&a_register, false, "be32:1", 0x01000000);
	refuse(&u8, NULL, false, "be16:1", ERANGE, "be16:1 has 2 bytes, but the value has 1");
	refuse(&u32, NULL, false, "be16:65536", ERANGE, "be16:65536 does not fit 16 bits");
	refuse(&u32, NULL, false, "be16:-32769", ERANGE, "does not fit 16 bits");
	refuse(&u32, NULL, false, "be32:", EINVAL, "be32:: what follows the colon is not a number");
	refuse(&u32, NULL, false, "le64:18446744073709551616", ERANGE, "does not fit 64 bits");
	refuse(&vlan, NULL, false, "be16:0x00ff", ERANGE, "does not fit");
	expect_number(&vlan, false, "be16:0xff0f", 0x0fff);
}
END_TEST

START_TEST(hex_faults)
{
	struct value_type u32 = value_untyped(4), vni = integer(4, 24, false);

	refuse(&u32, NULL, _i, "hex:0", EINVAL, "hex:0 is not an even number of hexadecimal digits");
	refuse(&u32, NULL, _i, "hex:0011223g", EINVAL, "is not an even number of hexadecimal digits");
	refuse(&u32, NULL, _i, "hex:", EINVAL, "hex:… has 0 bytes, but the value has 4");
	refuse(&u32, NULL, _i, "hex:001122", EINVAL, "hex:… has 3 bytes, but the value has 4");
	refuse(&u32, NULL, _i, "hex:0011223344", EINVAL, "hex:… has 5 bytes, but the value has 4");
	refuse(&vni, NULL, _i, _i ? "hex:01000000" : "hex:00000001", ERANGE,
	       "does not fit: allowed is 0 to 16777215");
	expect_number(&vni, _i, _i ? "hex:00ffffff" : "hex:ffffff00", 0xffffff);
}
END_TEST

/* A register takes narrower memory as the program would have loaded it. */
START_TEST(registers)
{
	expect_number(&a_register, false, "10.0.0.2", 0x0200000a);
	expect_number(&a_register, true, "10.0.0.2", 0x0a000002);
	expect_number(&a_register, false, "hex:0102", 0x0201);
	expect_number(&a_register, true, "hex:0102", 0x0102);
	expect_number(&a_register, false, "hex:ff", 0xff);
	expect_number(&a_register, true, "hex:0102030405060708", 0x0102030405060708);
	expect_number(&a_register, false, "-1", UINT64_MAX);
	refuse(&a_register, NULL, false, "hex:010203", EINVAL, "has 3 bytes, but the value has 8");
	refuse(&a_register, NULL, false, "00:11:22:33:44:55", EINVAL, "has 6 bytes, but the value has 8");
	refuse(&a_register, NULL, false, "::1", EINVAL, "::1 has 16 bytes, but the value has 8");
}
END_TEST

START_TEST(texts)
{
	struct value_type name = { .form = VALUE_TEXT, .size = 5 };
	uint8_t out[OUT];

	parse(&name, NULL, false, "eth0", out);
	ck_assert_mem_eq(out, "eth0", 5);
	parse(&name, NULL, false, "a", out);
	ck_assert_mem_eq(out, "a\0\0\0", 5);
	parse(&name, NULL, false, "", out);
	ck_assert_mem_eq(out, "\0\0\0\0", 5);
	parse(&name, NULL, false, "7", out);
	ck_assert_mem_eq(out, "7\0\0\0", 5);
	parse(&name, NULL, false, "hex:4142434445", out);
	ck_assert_mem_eq(out, "ABCDE", 5);
	refuse(&name, NULL, false, "wlan0", ERANGE, "the text has 5 bytes, but the value has room for 4 and a NUL");
	refuse(&name, NULL, false, "hex:41", EINVAL, "hex:… has 1 byte, but the value has 5");
}
END_TEST

START_TEST(numbers_are_no_bytes)
{
	const struct value_type bytes = { .form = VALUE_BYTES, .size = 12 }, text = { .form = VALUE_TEXT, .size = 4 };
	struct bpfstamp_err err = { 0 };
	uint8_t out[12] = { 0 };

	refuse(&bytes, NULL, false, "7", EINVAL,
	       "7 is a number, but the value has 12 bytes: use hex:… with 24 digits");
	refuse(&bytes, NULL, false, "true", EINVAL, "is a number");
	ck_assert_int_eq(value_from_u64(&bytes, false, 7, out, &err), -1);
	bpfobj_says(&err, "7 is a number, but the value has 12 bytes");
	ck_assert_int_eq(value_from_u64(&text, false, 7, out, &err), -1);
}
END_TEST

/* ------------------------------------------------------------------ BTF */

struct types {
	uint8_t *bytes;
	uint32_t index[64];
	struct btf btf;
	uint32_t color, wide, plain, few, narrow, u32, s16, boolean, chars, quad, pair, unnamed, pointer, matrix, flag3;
};

static void make_types(struct types *t, bool big)
{
	struct btfgen *gen = btfgen_new(big);
	struct elf64_fault fault;
	uint32_t chr, count;
	size_t size;

	t->color = btfgen_type(gen, "color", BTF_ENUM, 2 | BTFGEN_FLAG, 4);
	btfgen_word(gen, btfgen_string(gen, "RED"));
	btfgen_word(gen, 1);
	btfgen_word(gen, btfgen_string(gen, "GREEN"));
	btfgen_word(gen, (uint32_t)-2);
	t->wide = btfgen_type(gen, "wide", BTF_ENUM64, 2, 8);
	btfgen_words(gen, btfgen_string(gen, "FAR"), 0x55667788, 0x81223344);
	btfgen_words(gen, btfgen_string(gen, "NEAR"), 3, 0);
	t->plain = btfgen_type(gen, "", BTF_ENUM, 1, 4);
	btfgen_word(gen, btfgen_string(gen, "TOP"));
	btfgen_word(gen, 0xfffffffe);
	t->few = btfgen_type(gen, "few", BTF_ENUM, 1, 4);
	btfgen_word(gen, btfgen_string(gen, "MOST"));
	btfgen_word(gen, 0x7fffffff);
	t->narrow = btfgen_type(gen, "narrow", BTF_ENUM, 2, 1);
	btfgen_word(gen, btfgen_string(gen, "ONE"));
	btfgen_word(gen, 1);
	btfgen_word(gen, btfgen_string(gen, "LOW"));
	btfgen_word(gen, (uint32_t)-128);
	t->u32 = btfgen_type(gen, "unsigned int", BTF_INT, 0, 4);
	btfgen_word(gen, 32);
	t->u32 = btfgen_type(gen, "__u32", BTF_TYPEDEF, 0, t->u32);
	t->u32 = btfgen_type(gen, "", BTF_CONST, 0, btfgen_type(gen, "", BTF_VOLATILE, 0, t->u32));
	t->s16 = btfgen_type(gen, "short", BTF_INT, 0, 2);
	btfgen_word(gen, 1u << 24 | 16);
	t->boolean = btfgen_type(gen, "_Bool", BTF_INT, 0, 1);
	btfgen_word(gen, 4u << 24 | 8);
	t->flag3 = btfgen_type(gen, "bits3", BTF_INT, 0, 4);
	btfgen_word(gen, 3);
	chr = btfgen_type(gen, "char", BTF_INT, 0, 1);
	btfgen_word(gen, 1u << 24 | 8);
	t->chars = btfgen_type(gen, "", BTF_ARRAY, 0, 0);
	btfgen_words(gen, chr, chr, 4);
	t->quad = btfgen_type(gen, "", BTF_ARRAY, 0, 0);
	btfgen_words(gen, t->s16, chr, 2);
	t->matrix = btfgen_type(gen, "", BTF_ARRAY, 0, 0);
	btfgen_words(gen, t->quad, chr, 3);
	t->pair = btfgen_type(gen, "pair", BTF_STRUCT, 0, 4);
	t->unnamed = btfgen_type(gen, "", BTF_UNION, 0, 8);
	t->pointer = btfgen_type(gen, "", BTF_PTR, 0, t->s16);
	t->bytes = btfgen_finish(gen, &size, NULL, NULL);
	ck_assert_int_eq(btf_count(t->bytes, size, &count, &fault), 0);
	ck_assert_uint_le(2 * count, 64);
	ck_assert_msg(!btf_open(&t->btf, t->bytes, size, t->index, count, &fault), "%s", fault.what);
}

START_TEST(types_of_btf)
{
	struct types t;

	make_types(&t, _i);
	const struct {
		uint32_t id, size;
		enum value_form form;
		uint8_t bits;
		bool is_signed;
		const char *text;
	} expected[] = {
		{ t.color, 4, VALUE_ENUM, 32, true, "enum color" }, { t.wide, 8, VALUE_ENUM, 64, false, "enum wide" },
		{ t.plain, 4, VALUE_ENUM, 32, false, "enum {…}" }, { t.u32, 4, VALUE_INT, 32, false, "__u32" },
		{ t.s16, 2, VALUE_INT, 16, true, "short" }, { t.boolean, 1, VALUE_BOOL, 1, false, "_Bool" },
		{ t.flag3, 4, VALUE_INT, 3, false, "bits3" }, { t.chars, 4, VALUE_TEXT, 0, false, "char[4]" },
		{ t.quad, 4, VALUE_BYTES, 0, false, "short[2]" },
		{ t.matrix, 12, VALUE_BYTES, 0, false, "short[3][2]" },
		{ t.pair, 4, VALUE_BYTES, 0, false, "struct pair" },
		{ t.unnamed, 8, VALUE_BYTES, 0, false, "union {…}" },
		{ t.pointer, 8, VALUE_BYTES, 0, false, "pointer" },
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct value_type type = value_from_btf(&t.btf, expected[i].id, expected[i].size);
		char text[64], cut[5];

		value_type_text(&type, &t.btf, text, sizeof(text));
		ck_assert_str_eq(text, expected[i].text);
		value_type_text(&type, &t.btf, cut, sizeof(cut));
		ck_assert_uint_lt(strlen(cut), sizeof(cut));
		ck_assert_msg(type.form == expected[i].form, "%s has form %d", text, (int)type.form);
		ck_assert_msg(type.bits == expected[i].bits, "%s has %u bits", text, type.bits);
		ck_assert_int_eq(type.is_signed, expected[i].is_signed);
		ck_assert_uint_eq(type.size, expected[i].size);
	}
	free(t.bytes);
}
END_TEST

START_TEST(types_without_btf)
{
	static const struct { struct value_type type; const char *text; } expected[] = {
		{ { .form = VALUE_INT, .size = 4, .bits = 32 }, "u32" },
		{ { .form = VALUE_INT, .size = 4, .bits = 24 }, "u32:24" },
		{ { .form = VALUE_INT, .size = 2, .bits = 16, .is_signed = true }, "s16" },
		{ { .form = VALUE_INT, .size = 8, .bits = 1, .is_signed = true }, "s64:1" },
		{ { .form = VALUE_BOOL, .size = 1, .bits = 1 }, "bool" },
		{ { .form = VALUE_REGISTER, .size = 8, .bits = 64 }, "u64" },
		{ { .form = VALUE_BYTES, .size = 24 }, "bytes[24]" },
	};
	char text[64];

	value_type_text(&expected[_i].type, NULL, text, sizeof(text));
	ck_assert_str_eq(text, expected[_i].text);
}
END_TEST

START_TEST(enumerators)
{
	struct value_type color, wide, plain;
	struct types t;
	uint8_t out[OUT];

	make_types(&t, _i);
	color = value_from_btf(&t.btf, t.color, 4);
	wide = value_from_btf(&t.btf, t.wide, 8);
	plain = value_from_btf(&t.btf, t.plain, 4);
	parse(&color, &t.btf, _i, "RED", out);
	ck_assert_uint_eq(value_load(out, 4, true, _i), 1);
	parse(&color, &t.btf, _i, "GREEN", out);
	ck_assert_uint_eq(value_load(out, 4, true, _i), (uint64_t)-2);
	parse(&color, &t.btf, _i, "-2147483648", out);
	refuse(&color, &t.btf, _i, "2147483648", ERANGE, "does not fit");
	parse(&wide, &t.btf, _i, "FAR", out);
	ck_assert_uint_eq(value_load(out, 8, false, _i), 0x8122334455667788);
	parse(&wide, &t.btf, _i, "NEAR", out);
	ck_assert_uint_eq(value_load(out, 8, false, _i), 3);
	parse(&plain, &t.btf, _i, "TOP", out);
	ck_assert_uint_eq(value_load(out, 4, false, _i), 0xfffffffe);
	parse(&plain, &t.btf, _i, "7", out);
	refuse(&plain, &t.btf, _i, "RED", EINVAL, "'RED' is not a value: expected a number, one of the enumerators, "
						  "an address");
	refuse(&plain, &t.btf, _i, "red", EINVAL, "is not a value");
	free(t.bytes);
}
END_TEST

/* BTF that does not tell signs: a number below zero is right where an enumerator may be. */
START_TEST(enumerators_of_any_sign)
{
	struct value_type plain, few, narrow;
	struct types t;
	uint8_t out[OUT];

	make_types(&t, _i);
	plain = value_from_btf(&t.btf, t.plain, 4);
	few = value_from_btf(&t.btf, t.few, 4);
	narrow = value_from_btf(&t.btf, t.narrow, 1);
	parse(&plain, &t.btf, _i, "-2", out);
	ck_assert_uint_eq(value_load(out, 4, false, _i), 0xfffffffe);
	parse(&plain, &t.btf, _i, "-2147483648", out);
	parse(&plain, &t.btf, _i, "4294967295", out);
	refuse(&plain, &t.btf, _i, "-2147483649", ERANGE, "allowed is -2147483648 to 4294967295");
	refuse(&plain, NULL, _i, "-2", ERANGE, "allowed is 0 to 4294967295");
	parse(&few, &t.btf, _i, "MOST", out);
	refuse(&few, &t.btf, _i, "-1", ERANGE, "allowed is 0 to 4294967295");
	parse(&narrow, &t.btf, _i, "ONE", out);
	ck_assert_uint_eq(out[0], 1);
	parse(&narrow, &t.btf, _i, "LOW", out);
	ck_assert_uint_eq(out[0], 0x80);
	parse(&narrow, &t.btf, _i, "-128", out);
	refuse(&narrow, &t.btf, _i, "-129", ERANGE, "allowed is -128 to 255");
	free(t.bytes);
}
END_TEST

START_TEST(load_and_store)
{
	static const uint8_t bytes[8] = { 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88 };
	static const struct { uint32_t size; uint64_t little, big; } cases[] = {
		{ 1, 0x81, 0x81 }, { 2, 0x8281, 0x8182 }, { 4, 0x84838281, 0x81828384 },
		{ 8, 0x8887868584838281, 0x8182838485868788 },
	};
	uint32_t size = cases[_i].size;
	uint8_t out[8] = { 0 };

	for (int big = 0; big < 2; big++) {
		uint64_t value = big ? cases[_i].big : cases[_i].little;

		ck_assert_uint_eq(value_load(bytes, size, false, big), value);
		ck_assert_uint_eq(value_load(bytes, size, true, big),
				  size == 8 ? value : value | ~(uint64_t)0 << (size * 8 % 64));
		value_store(out, size, big, value_load(bytes, size, true, big));
		ck_assert_mem_eq(out, bytes, size);
	}
}
END_TEST

Suite *suite_value(void)
{
	Suite *suite = suite_create("value");
	TCase *tcase = tcase_create("value");

	tcase_add_loop_test(tcase, unsigned_limits, 0, 2 * 64);
	tcase_add_loop_test(tcase, signed_limits, 0, 2 * 64);
	tcase_add_loop_test(tcase, untyped_has_any_sign, 0, 2 * 4);
	tcase_add_loop_test(tcase, number_forms, 0, sizeof(numbers) / sizeof(numbers[0]));
	tcase_add_loop_test(tcase, malformed_texts, 0, 2 * (int)(sizeof(malformed) / sizeof(malformed[0])));
	tcase_add_test(tcase, too_large_for_64_bits);
	tcase_add_loop_test(tcase, booleans, 0, 2);
	tcase_add_loop_test(tcase, memory_forms, 0, sizeof(memories) / sizeof(memories[0]));
	tcase_add_test(tcase, ordered_numbers);
	tcase_add_loop_test(tcase, hex_faults, 0, 2);
	tcase_add_test(tcase, registers);
	tcase_add_test(tcase, texts);
	tcase_add_test(tcase, numbers_are_no_bytes);
	tcase_add_loop_test(tcase, types_of_btf, 0, 2);
	tcase_add_loop_test(tcase, types_without_btf, 0, 7);
	tcase_add_loop_test(tcase, enumerators, 0, 2);
	tcase_add_loop_test(tcase, enumerators_of_any_sign, 0, 2);
	tcase_add_loop_test(tcase, load_and_store, 0, 4);
	suite_add_tcase(suite, tcase);
	return suite;
}
