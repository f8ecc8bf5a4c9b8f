// SPDX-License-Identifier: BSD-2-Clause
/*
 * The bytes of records: exactly what a stamp's are, that they read back, and
 * that nothing else is read.  Every copy that is parsed has its own allocation,
 * so that a sanitizer sees each byte too much.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/record.h"
#include "tests/bpfobj.h"

Suite *suite_record(void);

enum { BIG_SIZE = 4097 };

/* An object with a symbol, a weak one, a variable of 4 bytes, one of 4096, and one of 4097. */
static struct bpfobj make_object(void)
{
	static const struct bpfinsn code[] = { LDDW(1, 0), LDDW(2, 0), LDDW(3, 0), LDDW(4, 0), LDDW(5, 0), EXIT };
	static uint8_t bytes[4 + 4096 + BIG_SIZE];
	struct bpfobj o = bpfobj_new(BYTES_HOST_BIG);
	uint32_t tc = bpfobj_code(&o, "tc", code, 11), data = bpfobj_data(&o, ".data", bytes, sizeof(bytes));

	bpfobj_func(&o, "a_program_of_a_long_name", tc, 0, 11);
	bpfobj_rel(&o, tc, 0, R_BPF_64_64, bpfobj_undefined(&o, "sym", ELF64_STB_GLOBAL));
	bpfobj_rel(&o, tc, 2, R_BPF_64_64, bpfobj_undefined(&o, "weak", ELF64_STB_WEAK));
	bpfobj_rel(&o, tc, 4, R_BPF_64_64, bpfobj_var(&o, "var", data, 0, 4));
	bpfobj_rel(&o, tc, 6, R_BPF_64_64, bpfobj_var(&o, "page", data, 4, 4096));
	bpfobj_rel(&o, tc, 8, R_BPF_64_64, bpfobj_var(&o, "large", data, 4100, BIG_SIZE));
	bpfobj_open(&o);
	return o;
}

static uint8_t *make(const struct bpfstamp_stamp *s, uint32_t *size)
{
	struct bpfstamp_err err = { 0 };
	uint8_t *raw = NULL;
	uint32_t room = 0;

	ck_assert_msg(!record_make(s, NULL, &raw, &room, size, &err), "%s", err.text);
	return raw;
}

/* A copy of the size bytes is read; NULL where it is refused. */
static struct record *parse(const uint8_t *raw, uint32_t size, const char *name)
{
	uint8_t *copy = malloc(size + !size);
	struct record *r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, raw, size);
	r = record_parse(copy, size, name);
	if (!r) {
		ck_assert_int_eq(errno, EBADMSG);
		free(copy);
	}
	return r;
}

/* Bytes to compare with, in the machine's order. */
struct bytes {
	uint8_t at[512];
	uint32_t size;
};

static void u32(struct bytes *b, uint32_t value)
{
	bytes_put32(b->at + b->size, value, BYTES_HOST_BIG);
	b->size += 4;
}

static void u64(struct bytes *b, uint64_t value)
{
	bytes_put64(b->at + b->size, value, BYTES_HOST_BIG);
	b->size += 8;
}

static void text(struct bytes *b, const char *value)
{
	strcpy((char *)b->at + b->size, value);
	b->size += (uint32_t)strlen(value) + 1;
}

static void value(struct bytes *b, const uint32_t fields[7], uint8_t kind, uint8_t flags, uint8_t bits)
{
	for (int i = 0; i < 7; i++)
		u32(b, fields[i]);
	memcpy(b->at + b->size, (uint8_t[]){ kind, flags, bits, 0 }, 4);
	b->size += 4;
}

/* What make_object's with sym, var and one program must come to. */
static struct bytes golden(void)
{
	struct bytes b = { .size = 0 };

	u32(&b, 0x62707374);
	bytes_put16(b.at + 4, 1, BYTES_HOST_BIG);
	b.size = 8;
	u32(&b, 213);
	u32(&b, 1);
	u32(&b, 3);
	u32(&b, 124);
	u32(&b, 131);
	value(&b, (uint32_t[]){ 156, 160, 164, 0, 4, 0, 170 }, BPFSTAMP_GLOBAL, 1, 32);
	value(&b, (uint32_t[]){ 174, 178, 182, 0, 8, 0, 188 }, BPFSTAMP_SYMBOL, 1, 64);
	value(&b, (uint32_t[]){ 196, 201, 182, 0, 8, 0, 205 }, BPFSTAMP_SYMBOL, 0, 64);
	text(&b, "test.o");
	text(&b, "a_program_of_a_long_name");
	text(&b, "var");
	text(&b, "u32");
	text(&b, ".data");
	u32(&b, 0x99aabbcc);
	text(&b, "sym");
	text(&b, "u64");
	text(&b, "*UND*");
	u64(&b, 0x1122334455667788);
	text(&b, "weak");
	text(&b, "u64");
	u64(&b, 0);
	return b;
}

static uint8_t *make_golden(uint32_t *size)
{
	struct bpfobj o = make_object();
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	uint8_t *raw;

	bpfobj_set(s, "var", "0x99aabbcc");
	bpfobj_set(s, "sym", "0x1122334455667788");
	s->prog_fds[0] = 0;
	raw = make(s, size);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
	return raw;
}

START_TEST(is_golden)
{
	struct bytes want = golden();
	uint32_t size;
	uint8_t *raw = make_golden(&size);

	for (uint32_t i = 0; i < size && i < want.size; i++)
		ck_assert_msg(raw[i] == want.at[i], "byte %u is 0x%02x, not 0x%02x", i, raw[i], want.at[i]);
	ck_assert_uint_eq(size, want.size);
	free(raw);
}
END_TEST

START_TEST(reads_back)
{
	struct bytes raw = golden();
	struct record *r = parse(raw.at, raw.size, "a_program_of_a_");

	ck_assert_ptr_nonnull(r);
	ck_assert_str_eq(r->object, "test.o");
	ck_assert_str_eq(r->program, "a_program_of_a_long_name");
	ck_assert(!r->inlined);
	ck_assert_uint_eq(r->count, 3);
	ck_assert_str_eq(r->values[0].name, "var");
	ck_assert_str_eq(r->values[0].type, "u32");
	ck_assert_str_eq(r->values[0].section, ".data");
	ck_assert(r->values[0].kind == BPFSTAMP_GLOBAL && r->values[0].stamped && !r->values[0].in_map);
	ck_assert_uint_eq(value_load(r->values[0].bytes, 4, false, BYTES_HOST_BIG), 0x99aabbcc);
	ck_assert_str_eq(r->values[1].name, "sym");
	ck_assert(r->values[1].kind == BPFSTAMP_SYMBOL && r->values[1].stamped && r->values[1].bits == 64);
	ck_assert_uint_eq(value_load(r->values[1].bytes, 8, false, BYTES_HOST_BIG), 0x1122334455667788);
	ck_assert_str_eq(r->values[2].name, "weak");
	ck_assert(!r->values[2].stamped && !r->values[2].is_signed && !r->values[2].allow_derived);
	record_free(r);
	r = parse(raw.at, raw.size, "a_program_of_an");
	ck_assert_ptr_nonnull(r);
	ck_assert_ptr_null(r->program);
	record_free(r);
}
END_TEST

/* One field wrong. */
static const struct {
	uint32_t at, size, value;
} faults[] = {
	{ 0, 4, 0x74737062 }, { 4, 2, 0 }, { 4, 2, 2 }, { 6, 2, 2 }, { 8, 4, 212 }, { 8, 4, 214 },
	{ 12, 4, UINT32_MAX },
	{ 12, 4, 0x40000001 }, { 16, 4, UINT32_MAX }, { 16, 4, 7 }, { 16, 4, 0x08000003 }, { 20, 4, 123 },
	{ 20, 4, 213 }, { 20, 4, UINT32_MAX }, { 24, 4, 0 }, { 24, 4, 213 },
	{ 28, 4, 0 }, { 28, 4, 163 }, { 32, 4, 27 }, { 36, 4, 500 }, { 40, 4, UINT32_MAX - 3 }, { 44, 4, 0 },
	{ 44, 4, 3 }, { 44, 4, UINT32_MAX }, { 52, 4, 0 }, { 52, 4, 123 }, { 52, 4, 210 }, { 52, 4, UINT32_MAX },
	{ 56, 1, 0 }, { 56, 1, 5 }, { 56, 1, BPFSTAMP_SYMBOL + 4 }, { 57, 1, 16 }, { 57, 1, 128 }, { 58, 1, 33 },
	{ 58, 1, 255 },
	{ 59, 1, 1 }, { 76, 4, 16 }, { 84, 4, 0 }, { 84, 4, 206 }, { 89, 1, 3 }, { 90, 1, 0 }, { 90, 1, 65 },
	{ 124, 1, 27 }, { 131, 1, '\n' }, { 156, 1, 0x7f }, { 161, 1, 0x1b },
};

START_TEST(refuses)
{
	struct bytes raw = golden();

	if (faults[_i].size == 4)
		bytes_put32(raw.at + faults[_i].at, faults[_i].value, BYTES_HOST_BIG);
	else if (faults[_i].size == 2)
		bytes_put16(raw.at + faults[_i].at, (uint16_t)faults[_i].value, BYTES_HOST_BIG);
	else
		raw.at[faults[_i].at] = (uint8_t)faults[_i].value;
	ck_assert_msg(!parse(raw.at, raw.size, "a"), "0x%x at %u is accepted", faults[_i].value, faults[_i].at);
}
END_TEST

static void walk(const struct record *r)
{
	uint32_t sum = (uint32_t)strlen(r->object) + (r->program ? (uint32_t)strlen(r->program) : 0);

	for (uint32_t i = 0; i < r->count; i++) {
		const struct record_value *v = &r->values[i];

		sum += (uint32_t)(strlen(v->name) + strlen(v->type) + strlen(v->section));
		for (uint32_t k = 0; v->bytes && k < v->size; k++)
			sum += v->bytes[k];
	}
	ck_assert_uint_ne(sum, 0);
}

/* Every byte, changed in every bit and to its extremes, is refused or read without harm; so is every other length. */
START_TEST(survives)
{
	struct bytes raw = golden();
	uint32_t accepted = 0;

	for (uint32_t i = 0; i < raw.size; i++) {
		for (int k = 0; k < 10; k++) {
			struct bytes changed = raw;
			struct record *r;

			changed.at[i] = (uint8_t)(k < 8 ? raw.at[i] ^ 1 << k : k == 8 ? 0 : 0xff);
			r = parse(changed.at, changed.size, "a_program_of_a_");
			if (r)
				walk(r);
			accepted += r != NULL;
			record_free(r);
		}
	}
	ck_assert_uint_gt(accepted, 0);
	for (uint32_t size = 0; size < raw.size; size++) {
		struct bytes shorter = raw;

		ck_assert_ptr_null(parse(shorter.at, size, "a"));
		bytes_put32(shorter.at + 8, size, BYTES_HOST_BIG);
		ck_assert_ptr_null(parse(shorter.at, size, "a"));
	}
}
END_TEST

/* The names of several programs begin alike, or one is shorter than the kernel's. */
START_TEST(names)
{
	static const struct { const char *first, *second, *kernel; int want; } cases[] = {
		{ "fifteen_letters", "other", "fifteen_letters", 1 }, { "fifteen_letters_a", "fifteen_letters_b",
		  "fifteen_letters", 0 }, { "fifteen_letters_a", "fifteen_lettre", "fifteen_lettre", 2 },
		{ "a-b", "x", "a_b", 1 }, { "a", "b", "", 0 }, { "a", "b", "ab", 0 },
	};
	struct bytes b = { .size = 0 };
	uint32_t at;
	struct record *r;

	u32(&b, 0x62707374);
	bytes_put16(b.at + 4, 1, BYTES_HOST_BIG);
	bytes_put16(b.at + 6, 1, BYTES_HOST_BIG);
	b.size = 12;
	u32(&b, 2);
	u32(&b, 0);
	u32(&b, 32);
	u32(&b, 32);
	at = b.size + 4 + (uint32_t)strlen(cases[_i].first) + 1;
	u32(&b, at);
	text(&b, cases[_i].first);
	text(&b, cases[_i].second);
	bytes_put32(b.at + 8, b.size, BYTES_HOST_BIG);
	r = parse(b.at, b.size, cases[_i].kernel);
	ck_assert_ptr_nonnull(r);
	ck_assert(r->inlined);
	if (cases[_i].want)
		ck_assert_str_eq(r->program, cases[_i].want == 1 ? cases[_i].first : cases[_i].second);
	else
		ck_assert_ptr_null(r->program);
	record_free(r);
}
END_TEST

static const struct record_value *find(const struct record *r, const char *name)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (!strcmp(r->values[i].name, name))
			return &r->values[i];
	return NULL;
}

/* A variable of a map is there without bytes, and so is one that is too long; a page still has them. */
START_TEST(bytes_where_needed)
{
	struct bpfobj o = make_object();
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	struct bpfstamp_ref page, large;
	struct bpfstamp_err err;
	uint8_t bytes[BIG_SIZE], *raw;
	struct record *r;
	uint32_t size;

	memset(bytes, 0x5a, sizeof(bytes));
	bpfobj_set(s, "var", "7");
	bpfstamp_whole(o.t, bpfobj_find(&o, "page", NULL), &page);
	bpfstamp_whole(o.t, bpfobj_find(&o, "large", NULL), &large);
	ck_assert(!bpfstamp_put_bytes(s, &page, bytes, 4096, &err) &&
		  !bpfstamp_put_bytes(s, &large, bytes, BIG_SIZE, &err));
	s->map_fds[0] = _i ? 0 : -1;
	raw = make(s, &size);
	s->map_fds[0] = -1;
	r = parse(raw, size, "");
	ck_assert(r && find(r, "var") && find(r, "page") && find(r, "large"));
	ck_assert_int_eq(find(r, "var")->in_map, _i);
	ck_assert_int_eq(find(r, "large")->in_map, _i);
	ck_assert_int_eq(find(r, "var")->bytes == NULL, _i);
	ck_assert_int_eq(find(r, "page")->bytes == NULL, _i);
	ck_assert_ptr_null(find(r, "large")->bytes);
	ck_assert_uint_eq(find(r, "large")->size, BIG_SIZE);
	ck_assert_uint_eq(find(r, "large")->offset, 4100);
	ck_assert(_i || !memcmp(find(r, "page")->bytes, bytes, 4096));
	record_free(r);
	free(raw);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

enum { SYMBOLS = 300, NAME_SIZE = 250 };

/* Too much: first what was not set is left out, then there is no record. */
START_TEST(too_large)
{
	struct bpfobj o = bpfobj_new(BYTES_HOST_BIG);
	struct bpfinsn code[2 * SYMBOLS + 1] = { { 0 } };
	struct bpfstamp_err err = { 0 };
	struct bpfstamp_stamp *s;
	char name[NAME_SIZE + 1];
	struct record *r;
	uint32_t tc, size, room = 0;
	uint8_t *raw;

	for (int i = 0; i < SYMBOLS; i++)
		code[2 * i] = (struct bpfinsn){ .code = BPF_CODE_LDDW, .dst = 1 };
	code[2 * SYMBOLS] = (struct bpfinsn)EXIT;
	tc = bpfobj_code(&o, "tc", code, 2 * SYMBOLS + 1);
	bpfobj_func(&o, "p", tc, 0, 2 * SYMBOLS + 1);
	for (uint32_t i = 0; i < SYMBOLS; i++) {
		snprintf(name, sizeof(name), "s%0*u", NAME_SIZE - 1, i);
		bpfobj_rel(&o, tc, 2 * i, R_BPF_64_64, bpfobj_undefined(&o, name, ELF64_STB_WEAK));
	}
	bpfobj_open(&o);
	s = bpfobj_stamp(&o);
	bpfobj_set(s, name, "1");
	raw = make(s, &size);
	r = parse(raw, size, "");
	ck_assert(r && r->count == 1);
	ck_assert_str_eq(r->values[0].name, name);
	record_free(r);
	free(raw);
	for (uint32_t i = 0; i < SYMBOLS; i++) {
		struct bpfstamp_ref ref;

		bpfstamp_whole(o.t, i, &ref);
		ck_assert_int_eq(bpfstamp_put(s, &ref, i, &err), 0);
	}
	raw = NULL;
	ck_assert_int_eq(record_make(s, NULL, &raw, &room, &size, &err), -1);
	free(raw);
	ck_assert_int_eq(err.code, E2BIG);
	ck_assert_str_eq(err.text,
			 "test.o: the record of what was stamped would have more than 65536 bytes: load without "
			 "one (--no-record)");
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* The bytes of a value are no more than the maker puts in, however long the record is. */
START_TEST(too_many_bytes)
{
	struct bpfobj o = make_object();
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	uint8_t bytes[4096] = { 1 }, *raw, longer[2 * 4096] = { 0 };
	struct bpfstamp_ref page;
	struct bpfstamp_err err;
	struct record *r;
	uint32_t size;

	bpfstamp_whole(o.t, bpfobj_find(&o, "page", NULL), &page);
	ck_assert_int_eq(bpfstamp_put_bytes(s, &page, bytes, 4096, &err), 0);
	raw = make(s, &size);
	ck_assert_uint_lt(size, sizeof(longer));
	memcpy(longer, raw, size);
	bytes_put32(longer + 8, sizeof(longer), BYTES_HOST_BIG);
	ck_assert_uint_eq(bytes_get32(longer + 24 + 16, BYTES_HOST_BIG), 4096);
	r = parse(longer, sizeof(longer), "");
	ck_assert(r && find(r, "page") == r->values && r->values[0].bytes);
	record_free(r);
	bytes_put32(longer + 24 + 16, 4097, BYTES_HOST_BIG);
	ck_assert_ptr_null(parse(longer, sizeof(longer), ""));
	free(raw);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* The record, read back, of the object in a file of that name. */
static struct record *record_of(const struct bpfobj *o, const char *name, uint32_t *size)
{
	struct bpfstamp_template *t;
	struct bpfstamp_stamp *s;
	struct bpfstamp_err err;
	struct record *r;
	uint8_t *raw;

	ck_assert_int_eq(bpfstamp_open(&t, o->bytes, o->size, name, &err), 0);
	ck_assert_int_eq(bpfstamp_stamp_new(&s, t, &err), 0);
	raw = make(s, size);
	r = parse(raw, *size, "");
	ck_assert_ptr_nonnull(r);
	free(raw);
	bpfstamp_stamp_free(s);
	bpfstamp_close(t);
	return r;
}

/* The name of a file is anybody's: a control character in it is none in the record, and other text is as it was. */
static const struct {
	const char *name, *object;
} file_names[] = {
	{ "/tmp/\033[2Jé\n.o", "?[2Jé?.o" }, { "\x7f.o", "?.o" }, { "\xc2\x80\xc2\x9f\xc2\x9b.o", "??????.o" },
	{ "\xc2\xa0\xc3\x9b\xe2\x80\x99\xdf\xbf.o", "\xc2\xa0\xc3\x9b\xe2\x80\x99\xdf\xbf.o" },
	{ "\xc2\xc2\x9b\xc2", "\xc2??\xc2" }, { "\xc2\n", "\xc2?" },
};

START_TEST(no_control_characters)
{
	struct bpfobj o = make_object();
	uint32_t size;
	struct record *r = record_of(&o, file_names[_i].name, &size);

	ck_assert_str_eq(r->object, file_names[_i].object);
	record_free(r);
	bpfobj_free(&o);
}
END_TEST

/* Nor are they read: U+0080 to U+009F are, in UTF-8, 0xc2 and a byte. */
START_TEST(refuses_long_control_characters)
{
	struct bytes raw = golden();
	struct record *r;

	raw.at[124] = 0xc2;	/* of the object's name */
	raw.at[125] = (uint8_t)_i;
	r = parse(raw.at, raw.size, "");
	ck_assert_int_eq(r != NULL, _i >= 0xa0);
	record_free(r);
}
END_TEST

/* Whatever room is tried first, a record has the bytes that it needs, and is the same but for the name that grows. */
START_TEST(every_size)
{
	enum { LONGEST = 2048 };
	struct bpfobj o = make_object();
	char name[LONGEST + 1];
	uint32_t size, least = 0;

	memset(name, 'n', LONGEST);
	name[LONGEST] = '\0';
	for (uint32_t length = 1; length <= LONGEST; length++) {
		struct record *r = record_of(&o, name + LONGEST - length, &size);

		least = length == 1 ? size : least;
		ck_assert_uint_eq(size, least + length - 1);
		ck_assert_str_eq(r->object, name + LONGEST - length);
		ck_assert_uint_gt(r->count, 0);
		record_free(r);
	}
	bpfobj_free(&o);
}
END_TEST

Suite *suite_record(void)
{
	TCase *tcase = tcase_create("record");
	Suite *suite = suite_create("record");

	tcase_add_test(tcase, is_golden);
	tcase_add_test(tcase, reads_back);
	tcase_add_loop_test(tcase, refuses, 0, sizeof(faults) / sizeof(faults[0]));
	tcase_add_test(tcase, survives);
	tcase_add_loop_test(tcase, names, 0, 6);
	tcase_add_loop_test(tcase, bytes_where_needed, 0, 2);
	tcase_add_test(tcase, too_large);
	tcase_add_test(tcase, every_size);
	tcase_add_test(tcase, too_many_bytes);
	tcase_add_loop_test(tcase, no_control_characters, 0, sizeof(file_names) / sizeof(file_names[0]));
	tcase_add_loop_test(tcase, refuses_long_control_characters, 0x80, 0xc0);
	suite_add_tcase(suite, tcase);
	return suite;
}
