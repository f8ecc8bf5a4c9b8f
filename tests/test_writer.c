// SPDX-License-Identifier: BSD-2-Clause
/*
 * The patched ELF: every byte that is not a value's is as it was, what was set
 * is the default of the object that comes out, and writing twice changes
 * nothing.  By hand for each kind of value, then for what clang makes.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/stamp.h"
#include "tests/bpfobj.h"

Suite *suite_writer(void);

enum { SLOTS = 12 };

struct indices {
	uint32_t tc, data, bss, wide_bss, rel, symbol, data_symbol;
};

/*
 * tc: lddws of g (.data), r (.rodata), b (.bss), w (.bss.x, aligned 64), y
 * (symbol, weak), a mov32 of 0x12345678, then exit; the relocation of y stands
 * between others.
 */
static struct bpfobj sample(bool big, struct indices *at)
{
	static const struct bpfinsn code[SLOTS] = {
		LDDW(1, 0), LDDW(2, 0), LDDW(3, 0), LDDW(4, 0), LDDW(5, 0), MOV32(0, 0x12345678), EXIT,
	};
	static const uint8_t raw[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct bpfobj o = bpfobj_new(big);
	uint32_t rodata, r, b, w;

	at->tc = bpfobj_code(&o, "tc", code, SLOTS);
	at->data = bpfobj_data(&o, ".data", raw, 8);
	rodata = bpfobj_data(&o, ".rodata", raw, 8);
	at->bss = bpfobj_data(&o, ".bss", NULL, 12);
	at->wide_bss = elfgen_section(o.gen, &(struct elf64_section){
		.name = ".bss.x", .type = ELF64_SHT_NOBITS, .flags = ELF64_SHF_ALLOC | ELF64_SHF_WRITE, .size = 4,
		.addralign = 64 });
	bpfobj_func(&o, "prog", at->tc, 0, SLOTS);
	at->data_symbol = bpfobj_var(&o, "g", at->data, 4, 4);
	r = bpfobj_var(&o, "r", rodata, 2, 2);
	b = bpfobj_var(&o, "b", at->bss, 8, 4);
	w = bpfobj_var(&o, "w", at->wide_bss, 0, 4);
	at->symbol = bpfobj_undefined(&o, "y", ELF64_STB_WEAK);
	bpfobj_rel(&o, at->tc, 0, R_BPF_64_64, at->data_symbol);
	bpfobj_rel(&o, at->tc, 2, R_BPF_64_64, r);
	bpfobj_rel(&o, at->tc, 8, R_BPF_64_64, at->symbol);
	bpfobj_rel(&o, at->tc, 4, R_BPF_64_64, b);
	at->rel = elfgen_rel(o.gen, at->tc, &(struct elf64_reloc){ .offset = 48, .type = 1, .symbol = w });
	bpfobj_open(&o);
	return o;
}

static uint8_t *written(const struct bpfstamp_stamp *s, size_t *size)
{
	struct bpfstamp_err err = { 0 };
	uint8_t *bytes;

	*size = bpfstamp_elf_size(s);
	bytes = malloc(*size);
	ck_assert_ptr_nonnull(bytes);
	memset(bytes, 0xa5, *size);
	ck_assert_msg(!bpfstamp_elf(s, bytes, *size, &err), "%s", err.text);
	return bytes;
}

/* Bytes that may differ. */
struct region {
	uint64_t at, size;
};

static void same_but(const struct bpfobj *o, const uint8_t *bytes, const struct region *regions, size_t count)
{
	for (size_t i = 0; i < o->size; i++) {
		bool allowed = false;

		for (size_t k = 0; k < count; k++)
			allowed |= i >= regions[k].at && i - regions[k].at < regions[k].size;
		ck_assert_msg(allowed || bytes[i] == o->bytes[i], "byte %zu is %#x, was %#x", i, bytes[i],
			      o->bytes[i]);
	}
}

static uint64_t section_at(const struct bpfobj *o, uint32_t index)
{
	struct elf64_section section;

	elf64_section(&o->t->elf, index, &section);
	return section.offset;
}

/* Open what was written; its bytes become the object's. */
static struct bpfobj reopen(const struct bpfobj *o, uint8_t *bytes, size_t size)
{
	struct bpfobj again = { .big = o->big, .bytes = bytes, .size = size };

	bpfobj_open(&again);
	return again;
}

static void expect_value(const struct bpfobj *o, const char *name, uint64_t value)
{
	struct bpfstamp_injectable inj;

	bpfobj_find(o, name, &inj);
	ck_assert_msg(value_load(inj.value, inj.size, false, o->big) == value, "%s is %#llx", name,
		      (unsigned long long)value_load(inj.value, inj.size, false, o->big));
}

START_TEST(nothing_set)
{
	struct indices at;
	struct bpfobj o = sample(_i, &at);
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	size_t size;
	uint8_t *bytes = written(s, &size);

	ck_assert_uint_eq(size, o.size);
	same_but(&o, bytes, NULL, 0);
	free(bytes);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

START_TEST(initialised_data)
{
	struct indices at;
	struct bpfobj o = sample(_i, &at), again;
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	uint8_t raw[4], *bytes;
	size_t size;

	bpfobj_set(s, "g", "0xA1B2C3D4");
	bpfobj_set(s, "r", "0x1234");
	bytes = written(s, &size);
	ck_assert_uint_eq(size, o.size);
	same_but(&o, bytes, (struct region[]){ { section_at(&o, at.data) + 4, 4 },
					       { section_at(&o, at.data + 1) + 2, 2 } },
		 2);
	bytes_put32(raw, 0xA1B2C3D4, _i);
	ck_assert_mem_eq(bytes + section_at(&o, at.data) + 4, raw, 4);
	again = reopen(&o, bytes, size);
	expect_value(&again, "g", 0xA1B2C3D4);
	expect_value(&again, "r", 0x1234);
	bpfobj_free(&again);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

static void expect_promoted(const struct bpfobj *o, const struct bpfobj *again, uint32_t index, const char *name,
			    uint64_t size, uint64_t align)
{
	struct elf64_section section;

	elf64_section(&again->t->elf, index, &section);
	ck_assert_str_eq(section.name, name);
	ck_assert_uint_eq(section.type, ELF64_SHT_PROGBITS);
	ck_assert_uint_eq(section.size, size);
	ck_assert_uint_ge(section.offset, o->size);
	ck_assert_uint_eq(section.offset % align, 0);
}

/*
 * .bss becomes data behind the file, at its alignment and with another name; in
 * front only its header and that of the section names change.
 */
START_TEST(bss)
{
	struct indices at;
	struct bpfobj o = sample(_i, &at), again;
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	uint64_t header = elf64_section_header_at(&o.t->elf, at.bss);
	uint64_t names = elf64_section_header_at(&o.t->elf, o.t->elf.section_count - 1);
	struct elf64_section section;
	size_t size;
	uint8_t *bytes;

	bpfobj_set(s, "b", "0x01020304");
	bytes = written(s, &size);
	same_but(&o, bytes, (struct region[]){ { header, 8 }, { header + 24, 8 }, { names + 24, 16 } }, 3);
	again = reopen(&o, bytes, size);
	expect_promoted(&o, &again, at.bss, ".data.bss", 12, 4);
	elf64_section(&again.t->elf, at.wide_bss, &section);
	ck_assert_uint_eq(section.type, ELF64_SHT_NOBITS);
	ck_assert_str_eq(section.name, ".bss.x");
	expect_value(&again, "b", 0x01020304);
	bpfobj_free(&again);

	bpfobj_set(s, "w", "0x55667788");
	bytes = written(s, &size);
	again = reopen(&o, bytes, size);
	expect_promoted(&o, &again, at.bss, ".data.bss", 12, 4);
	expect_promoted(&o, &again, at.wide_bss, ".data.x", 4, 64);
	expect_value(&again, "b", 0x01020304);
	expect_value(&again, "w", 0x55667788);
	ck_assert_uint_eq(bpfstamp_map_count(again.t), bpfstamp_map_count(o.t));
	bpfobj_free(&again);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

START_TEST(symbol)
{
	struct indices at;
	struct bpfobj o = sample(_i, &at), again;
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	struct elf64_section rel, was;
	struct elf64_symbol sym;
	struct elf64_reloc r;
	struct bpfinsn insn;
	size_t size;
	uint8_t *bytes;

	bpfobj_set(s, "y", "0xFEDCBA9876543210");
	bytes = written(s, &size);
	ck_assert_uint_eq(size, o.size);
	elf64_section(&o.t->elf, at.rel, &was);
	same_but(&o, bytes, (struct region[]){
		{ section_at(&o, at.tc) + 8 * 8 + 4, 4 }, { section_at(&o, at.tc) + 9 * 8 + 4, 4 },
		{ was.offset + 2 * 16, 3 * 16 }, { elf64_section_header_at(&o.t->elf, at.rel) + 32, 8 },
		{ elf64_symbol_at(&o.t->elf, at.symbol) + 6, 2 }, { elf64_symbol_at(&o.t->elf, at.symbol) + 8, 8 } },
		6);
	again = reopen(&o, bytes, size);
	elf64_symbol(&again.t->elf, at.symbol, &sym);
	ck_assert_uint_eq(sym.section, ELF64_SHN_ABS);
	ck_assert_uint_eq(sym.value, 0xFEDCBA9876543210);
	elf64_section(&again.t->elf, at.rel, &rel);
	ck_assert_uint_eq(rel.size, 4 * 16);
	for (uint32_t i = 0; i < 4; i++) {
		elf64_reloc(&again.t->elf, at.rel, i, &r);
		ck_assert_uint_eq(r.offset, 16 * i);
		ck_assert_uint_eq(r.symbol, at.data_symbol + i);
	}
	ck_assert_mem_eq(bytes + was.offset + 64, (uint8_t[16]){ 0 }, 16);
	bpfinsn_decode(again.t->image + 64, _i, &insn);
	ck_assert_int_eq(insn.imm, 0x76543210);
	bpfinsn_decode(again.t->image + 72, _i, &insn);
	ck_assert_int_eq(insn.imm, (int32_t)0xFEDCBA98);
	ck_assert_uint_eq(bpfstamp_injectable_count(again.t), bpfstamp_injectable_count(o.t) - 1);
	bpfobj_free(&again);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

START_TEST(placeholder)
{
	struct bpfstamp_err err = { 0 };
	struct indices at;
	struct bpfobj o = sample(_i, &at), again;
	struct bpfstamp_stamp *s;
	size_t size;
	uint8_t *bytes;

	ck_assert_int_eq(bpfstamp_declare(o.t, "0x12345678", 1, false, &err), 0);
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "0x12345678", "0xFEDCBA98");
	bytes = written(s, &size);
	same_but(&o, bytes, (struct region[]){ { section_at(&o, at.tc) + 10 * 8 + 4, 4 } }, 1);
	again = reopen(&o, bytes, size);
	ck_assert_int_eq(bpfstamp_declare(again.t, "0xFEDCBA98", 1, false, &err), 0);
	ck_assert_int_eq(bpfstamp_declare(again.t, "0x12345678", -1, false, &err), -1);
	bpfobj_free(&again);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

START_TEST(buffer_sizes)
{
	struct indices at;
	struct bpfobj o = sample(_i, &at);
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	struct bpfstamp_err err = { 0 };
	uint8_t *bytes = malloc(o.size + 7), *before = malloc(o.size);

	memset(bytes, 0x5a, o.size + 7);
	memset(before, 0x5a, o.size);
	ck_assert_int_eq(bpfstamp_elf(s, bytes, o.size - 1, &err), -1);
	ck_assert_int_eq(err.code, ENOSPC);
	bpfobj_says(&err, "test.o: the patched object has ");
	ck_assert_mem_eq(bytes, before, o.size);
	ck_assert_int_eq(bpfstamp_elf(s, bytes, o.size + 7, &err), 0);
	ck_assert_mem_eq(bytes + o.size, "\0\0\0\0\0\0\0", 7);
	free(before);
	free(bytes);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* ------------------------------------------------------------ of clang */

static const struct {
	const char *source, *name, *text;
} values[] = {
	{ "globals", "g_u8", "0x12" }, { "globals", "g_u32", "10.0.0.2" }, { "globals", "g_s64", "-5" },
	{ "globals", "g_bool", "false" }, { "globals", "g_color", "RED" }, { "globals", "g_distance", "NEAR" },
	{ "globals", "g_name", "wlan0" }, { "globals", "g_four", "xyz" }, { "globals", "g_pair", "hex:01020304" },
	{ "globals", "g_ip6", "2001:db8::1" }, { "globals", "b_u64", "0x1122334455667788" },
	{ "globals", "b_static", "9" }, { "globals", "s_second", "0x77" }, { "globals", "two.count", "0x88" },
	{ "globals", "c_vlan", "4095" }, { "globals", "d_x", "1" }, { "globals", "r_x", "2" },
	{ "stamps", "t_u8", "1" }, { "stamps", "t_s16", "-2" }, { "stamps", "t_u64", "0x8000000000000001" },
	{ "stamps", "vni", "0xabcdef" }, { "stamps", "vlan", "4095" },
};

/* Set all values of a source, write, open: the values are there, and setting them again writes the same bytes. */
static void round_trip(const struct bpfobj *o, const char *source)
{
	struct bpfstamp_stamp *s = bpfobj_stamp(o), *second;
	struct bpfobj again;
	size_t size, size_again;
	uint8_t *bytes, *twice;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (!strcmp(values[i].source, source))
			bpfobj_set(s, values[i].name, values[i].text);
	bytes = written(s, &size);
	again = reopen(o, bytes, size);
	second = bpfobj_stamp(&again);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char is[64], wanted[64];

		if (strcmp(values[i].source, source) != 0)
			continue;
		bpfobj_get(o, s, values[i].name, wanted, sizeof(wanted));
		bpfobj_get(&again, NULL, values[i].name, is, sizeof(is));
		ck_assert_str_eq(is, wanted);
		bpfobj_set(second, values[i].name, values[i].text);
	}
	twice = written(second, &size_again);
	ck_assert_uint_eq(size_again, size);
	ck_assert_mem_eq(twice, bytes, size);
	free(twice);
	bpfstamp_stamp_free(second);
	bpfstamp_stamp_free(s);
	bpfobj_free(&again);
}

START_TEST(real_round_trip)
{
	static const char *const sources[] = { "globals", "stamps" };
	const char *source = sources[_i % 2];
	char text[64], flags[256];
	struct bpfobj o;

	snprintf(text, sizeof(text), "#include \"%s.bpf.c\"\n", source);
	snprintf(flags, sizeof(flags), "-mcpu=v%d %s", _i / 4 + 1, BPFOBJ_FLAGS);
	if (!bpfobj_compile(&o, _i & 2 ? "bpfeb" : "bpfel", flags, text))
		return;
	round_trip(&o, source);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_writer(void)
{
	Suite *suite = suite_create("writer");
	TCase *tcase = tcase_create("patched ELF");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, nothing_set, 0, 2);
	tcase_add_loop_test(tcase, initialised_data, 0, 2);
	tcase_add_loop_test(tcase, bss, 0, 2);
	tcase_add_loop_test(tcase, symbol, 0, 2);
	tcase_add_loop_test(tcase, placeholder, 0, 2);
	tcase_add_loop_test(tcase, buffer_sizes, 0, 2);
	tcase_add_loop_test(tcase, real_round_trip, 0, 16);
	suite_add_tcase(suite, tcase);
	return suite;
}
