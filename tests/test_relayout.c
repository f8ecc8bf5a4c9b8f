// SPDX-License-Identifier: BSD-2-Clause
/*
 * Objects that are written after their code changed its length.  What was
 * written is opened again and must hold the same code, functions, relocations,
 * stamps and lines as the template it came from, compute the same, and stay
 * the same when it is written once more.
 */
#include <check.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/link.h"
#include "tests/rewrite.h"

Suite *suite_relayout(void);

/* ------------------------------------------------------- the same template */

static void same_code(const struct bpfstamp_stamp *s, const struct bpfstamp_template *b)
{
	const struct bpfstamp_template *a = s->t;

	ck_assert_uint_eq(a->code_count, b->code_count);
	for (uint32_t i = 0; i < a->code_count; i++) {
		ck_assert_str_eq(a->codes[i].name, b->codes[i].name);
		ck_assert_uint_eq(a->codes[i].insns, b->codes[i].insns);
		ck_assert(!memcmp(s->image + a->codes[i].image, b->image + b->codes[i].image,
				  (size_t)a->codes[i].insns * BPFINSN_SIZE));
	}
	ck_assert_uint_eq(a->func_count, b->func_count);
	for (uint32_t i = 0; i < a->func_count; i++) {
		ck_assert_str_eq(a->funcs[i].name, b->funcs[i].name);
		ck_assert_uint_eq(a->funcs[i].code, b->funcs[i].code);
		ck_assert_uint_eq(a->funcs[i].start, b->funcs[i].start);
		ck_assert_uint_eq(a->funcs[i].insns, b->funcs[i].insns);
		ck_assert_uint_eq(a->funcs[i].btf, b->funcs[i].btf);
		ck_assert_int_eq(a->funcs[i].entry, b->funcs[i].entry);
	}
	ck_assert_uint_eq(a->reloc_count, b->reloc_count);
	for (uint32_t i = 0; i < a->reloc_count; i++) {
		ck_assert_uint_eq(a->relocs[i].kind, b->relocs[i].kind);
		ck_assert_uint_eq(a->relocs[i].code, b->relocs[i].code);
		ck_assert_uint_eq(a->relocs[i].insn, b->relocs[i].insn);
		ck_assert_uint_eq(a->relocs[i].target, b->relocs[i].target);
		ck_assert_uint_eq(a->relocs[i].addend, b->relocs[i].addend);
	}
}

/* Sites of stamps are where they were; a load that became a move is a plain move. */
static void same_stamps(const struct bpfstamp_template *a, const struct bpfstamp_template *b)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < a->site_count; i++) {
		const struct injectable *inj = &a->injectables[a->sites[i].injectable];

		if (inj->kind != BPFSTAMP_STAMP)
			continue;
		while (next < b->site_count && b->injectables[b->sites[next].injectable].kind != BPFSTAMP_STAMP)
			next++;
		ck_assert_uint_lt(next, b->site_count);
		ck_assert_str_eq(b->injectables[b->sites[next].injectable].name, inj->name);
		ck_assert_uint_eq(b->sites[next].code, a->sites[i].code);
		ck_assert_uint_eq(b->sites[next].insn, a->sites[i].insn);
		next++;
	}
	while (next < b->site_count)
		ck_assert_int_ne(b->injectables[b->sites[next++].injectable].kind, BPFSTAMP_STAMP);
}

static void same_lines(const struct bpfstamp_template *a, const struct bpfstamp_template *b)
{
	struct bpfstamp_err err = { 0 };
	struct link *x, *y;

	for (uint32_t i = 0; i < a->func_count; i++) {
		ck_assert_msg(!link_program(&x, a, i, &err) && !link_program(&y, b, i, &err), "%s", err.text);
		ck_assert_uint_eq(x->func_info_count, y->func_info_count);
		ck_assert_uint_eq(x->line_info_count, y->line_info_count);
		ck_assert(!x->func_info_count ||
			  !memcmp(x->func_info, y->func_info, x->func_info_count * sizeof(*x->func_info)));
		ck_assert(!x->line_info_count ||
			  !memcmp(x->line_info, y->line_info, x->line_info_count * sizeof(*x->line_info)));
		link_free(x);
		link_free(y);
	}
}

static struct bpfobj check_reopened(const struct bpfobj *o, const struct bpfstamp_stamp *s)
{
	struct bpfobj again = rewrite_reopen(o, s), third;
	struct bpfstamp_stamp *plain = bpfobj_stamp(&again);

	same_code(s, again.t);
	same_stamps(o->t, again.t);
	same_lines(o->t, again.t);
	third = rewrite_reopen(&again, plain);
	ck_assert_uint_eq(third.size, again.size);
	ck_assert(!memcmp(third.bytes, again.bytes, third.size));
	bpfstamp_stamp_free(plain);
	bpfobj_free(&third);
	return again;
}

/* --------------------------------------------------------- made by hand */

enum { BY_SECTION, BY_FUNCTION, WAYS };

/*
 * tc has f and g, which grow where 0x12345678 is widened, each with a stamp behind
 * it; then h, which shrinks where r is inlined.  The records name the stamps
 * through the section's or the function's symbol, in REL or RELA.
 */
static struct bpfobj sample(bool big, int way, bool rela)
{
	static const struct bpfinsn code[] = {
		MOV64(0, 0x12345678), LDDW(2, 7), ALUX(BPF_OP_ADD, 0, 2), EXIT,		/* f at 0 */
		MOV64(0, 0x12345678), LDDW(2, 9), ALUX(BPF_OP_ADD, 0, 2), EXIT,		/* g at 5 */
		{ .code = BPF_CODE_LDDW, .dst = 1 }, { 0 }, LOAD(BPF_SIZE_W, 0, 1, 0), EXIT,	/* h at 10 */
	};
	static const uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	static const char *const names[] = { "x", "y" };
	struct bpfobj o = bpfobj_new(big);
	uint32_t tc = bpfobj_code(&o, "tc", code, COUNT(code)), rodata = bpfobj_data(&o, ".rodata", bytes, 8);
	uint32_t symbols[2], section, records;
	uint8_t raw[48] = { 0 };

	section = bpfobj_section_symbol(&o, tc);
	symbols[0] = bpfobj_func(&o, "f", tc, 0, 5);
	symbols[1] = bpfobj_func(&o, "g", tc, 5, 5);
	bpfobj_func(&o, "h", tc, 10, 4);
	for (uint32_t i = 0; i < 2; i++) {
		memcpy(raw + 24 * i + 16, (uint8_t[]){ 4, 0, 32, 1 }, 4);
		memcpy(raw + 24 * i + 20, names[i], 2);
		bytes_put64(raw + 24 * i + 8, 7 + 2 * i, big);
		if (!rela)
			bytes_put64(raw + 24 * i, way == BY_SECTION && i ? 48 : 8, big);
	}
	records = elfgen_section(o.gen, &(struct elf64_section){
		.name = ".bpfstamp", .type = ELF64_SHT_PROGBITS, .bytes = raw, .size = 48 });
	for (uint32_t i = 0; i < 2; i++) {
		struct elf64_reloc r = { .offset = 24 * i, .type = R_BPF_64_ABS64,
					 .symbol = way == BY_SECTION ? section : symbols[i],
					 .addend = way == BY_SECTION && i ? 48 : 8 };

		if (rela) {
			elfgen_rela(o.gen, records, &r);
		} else {
			r.addend = 0;
			elfgen_rel(o.gen, records, &r);
		}
	}
	bpfobj_var(&o, "r", rodata, 0, 4);
	bpfobj_rel(&o, tc, 10, R_BPF_64_64, bpfobj_section_symbol(&o, rodata));
	bpfobj_open(&o);
	return o;
}

START_TEST(records)
{
	struct bpfobj o = sample(_i & 1, _i / 2 % WAYS, _i / 4), again;
	struct bpfstamp_stamp *s;

	rewrite_declare(&o, "0x12345678");
	rewrite_widen(&o, "0x12345678", "0xFEDCBA98");
	rewrite_inline(&o);
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "0x12345678", "0xFEDCBA98");
	bpfobj_set(s, "y", "10");
	bpfobj_set(s, "r", "0x11223344");
	again = check_reopened(&o, s);
	bpfstamp_stamp_free(s);
	s = bpfobj_stamp(&again);
	rewrite_is(&again, s->image, "f", "r0 = 4275878552 ll; r2 = 7 ll; r0 += r2; exit");
	rewrite_is(&again, s->image, "g", "r0 = 4275878552 ll; r2 = 10 ll; r0 += r2; exit");
	rewrite_is(&again, s->image, "h", "w0 = 287454020; exit");
	bpfobj_set(s, "x", "1");
	bpfobj_set(s, "y", "2");
	ck_assert_uint_eq(rewrite_run(&again, s, "f", 0), 0xFEDCBA99);
	ck_assert_uint_eq(rewrite_run(&again, s, "g", 0), 0xFEDCBA9A);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
	bpfobj_free(&again);
}
END_TEST

/* Code that got shorter stays where it was, and the file as long as it was. */
START_TEST(shorter_stays)
{
	struct bpfobj o = sample(_i, BY_SECTION, false), again;
	struct bpfstamp_stamp *s;
	struct elf64_section before, after;

	rewrite_inline(&o);
	s = bpfobj_stamp(&o);
	ck_assert_uint_eq(bpfstamp_elf_size(s), o.size);
	again = check_reopened(&o, s);
	elf64_section(&o.t->elf, elf64_find(&o.t->elf, "tc"), &before);
	elf64_section(&again.t->elf, elf64_find(&again.t->elf, "tc"), &after);
	ck_assert_uint_eq(after.offset, before.offset);
	ck_assert_uint_eq(after.size, before.size - 2 * BPFINSN_SIZE);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
	bpfobj_free(&again);
}
END_TEST

/*
 * R_BPF_NONE may stand anywhere, here on bytes of the last slot that look like
 * the first of two, and is gone when the code has moved, and only then.
 */
START_TEST(none_relocs)
{
	static const struct bpfinsn code[] = {
		{ .code = BPF_CODE_LDDW, .dst = 1 }, { 0 }, LOAD(BPF_SIZE_W, 0, 1, 0), EXIT, MOV64(0, 0x18181818),
	};
	struct bpfobj o = bpfobj_new(_i & 1), again;
	uint32_t tc = bpfobj_code(&o, "tc", code, COUNT(code)), rodata = bpfobj_data(&o, ".rodata", "\1\2\3\4", 4);
	struct bpfstamp_stamp *s;
	uint32_t rel = 0;

	bpfobj_func(&o, "h", tc, 0, COUNT(code));
	bpfobj_var(&o, "r", rodata, 0, 4);
	bpfobj_rel(&o, tc, 0, R_BPF_64_64, bpfobj_section_symbol(&o, rodata));
	for (uint64_t offset = 4 * BPFINSN_SIZE; offset < 5 * BPFINSN_SIZE; offset++)
		rel = elfgen_rel(o.gen, tc, &(struct elf64_reloc){ .offset = offset });
	bpfobj_open(&o);
	if (_i & 2)
		rewrite_inline(&o);
	s = bpfobj_stamp(&o);
	again = check_reopened(&o, s);
	ck_assert_uint_eq(elf64_reloc_count(&again.t->elf, rel), _i & 2 ? 0 : 1 + BPFINSN_SIZE);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
	bpfobj_free(&again);
}
END_TEST

/* ------------------------------------------------------------- compiled */

static const char source[] =
	"#include \"bpfstamp.bpf.h\"\n"
	"typedef unsigned int u32; typedef unsigned long long u64;\n"
	"const volatile u32 ro = 5; const volatile u64 wide = 6; volatile u32 zero; volatile u64 zeros[3];\n"
	"volatile u32 written;\n"
	"#ifdef DATA\n"
	"volatile u32 initialised = 77;\n"
	"#else\n"
	"#define initialised 77\n"
	"#endif\n"
	"static __attribute__((noinline)) u64 one(u64 a)\n"
	"{\n"
	"	return a * STAMP(u32, factor, 31) + wide + zeros[1];\n"
	"}\n"
	"__attribute__((noinline)) u64 two(u64 a)\n"
	"{\n"
	"	if (a > 100)\n"
	"		a = one(a) ^ 0x12345678;\n"
	"	return one(a) + STAMP(u64, plus, 1);\n"
	"}\n"
	"__attribute__((section(\"tc\"), used)) u64 first(void *ctx)\n"
	"{\n"
	"	u64 a = (u64)ctx;\n"
	"\n"
	"	for (u32 i = 0; i < zero + 3; i++)\n"
	"		a = two(a + 0x12345678) + ro;\n"
	"	return a + initialised + STAMP(u32, factor, 31);\n"
	"}\n"
	"__attribute__((section(\"tc\"), used)) u64 second(void *ctx)\n"
	"{\n"
	"	written = 5;\n"
	"	return one((u64)ctx + wide + wide) + zero;\n"
	"}\n"
	"char _license[] __attribute__((section(\"license\"), used)) = \"GPL\";\n";

static bool compile(struct bpfobj *o, int variant, const char *more)
{
	static const char *const targets[] = { "bpfel", "bpfeb" }, *const cpus[] = { "v1", "v2", "v3", "v4" };
	char flags[256];

	snprintf(flags, sizeof(flags), "-mcpu=%s %s %s", cpus[variant / 2 % 4], more, BPFOBJ_FLAGS);
	return bpfobj_compile(o, targets[variant % 2], flags, source);
}

/* The loop variants are byte order, -mcpu, and whether there is a .data and BTF. */
static const char *const extras[] = { "-DDATA", "", "-DDATA -g0", "-g0" };

static void rewritten(const struct bpfobj *o)
{
	struct bpfstamp_err err = { 0 };

	ck_assert_msg(!bpfstamp_declare(o->t, "0x12345678", -1, true, &err), "%s", err.text);
	rewrite_widen(o, "0x12345678", "0xFEDCBA98");
	rewrite_inline(o);
}

START_TEST(compiled)
{
	struct bpfstamp_stamp *s, *r;
	struct bpfobj o, again;

	if (!compile(&o, _i % 8, extras[_i / 8]))
		return;
	rewritten(&o);
	s = bpfobj_stamp(&o);
	again = check_reopened(&o, s);
	bpfobj_free(&again);
	bpfobj_set(s, "0x12345678", "0xFEDCBA98");
	bpfobj_set(s, "ro", "1000");
	bpfobj_set(s, "wide", "0x123456789abcdef0");
	bpfobj_set(s, "plus", "0xfedcba9876543210");
	again = check_reopened(&o, s);
	r = bpfobj_stamp(&again);
	for (uint64_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(rewrite_run(&o, s, "first", i * 60), rewrite_run(&again, r, "first", i * 60));
		ck_assert_uint_eq(rewrite_run(&o, s, "second", i), rewrite_run(&again, r, "second", i));
	}
	bpfobj_set(s, "factor", "1");
	bpfobj_set(r, "factor", "1");
	ck_assert_uint_eq(rewrite_run(&o, s, "first", 9), rewrite_run(&again, r, "first", 9));
	bpfstamp_stamp_free(s);
	bpfstamp_stamp_free(r);
	bpfobj_free(&o);
	bpfobj_free(&again);
}
END_TEST

static bool has_datasec(const struct bpfobj *o, const char *name)
{
	return o->t->btf.type_count && btf_find(&o->t->btf, BTF_DATASEC, name);
}

/* A .bss that received a value is a .data section, or .data.bss where there is one, by ELF and BTF. */
START_TEST(promoted)
{
	bool has_data = !(_i / 8 & 1), has_btf = _i / 16 == 0, inlines = _i & 1;
	const char *name = has_data ? ".data.bss" : ".data";
	struct bpfstamp_stamp *s, *r;
	struct bpfobj o, again, third;
	struct elf64_section section;
	char text[64];

	if (!compile(&o, _i % 8, extras[_i / 8]))
		return;
	if (inlines)
		rewritten(&o);
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "zero", "2");
	if (has_btf)
		bpfobj_set(s, "zeros[1]", "0x1111222233334444");
	again = rewrite_reopen(&o, s);
	same_code(s, again.t);
	ck_assert_uint_eq(elf64_find(&again.t->elf, ".bss"), 0);
	ck_assert_uint_ne(elf64_find(&again.t->elf, name), 0);
	elf64_section(&again.t->elf, elf64_find(&again.t->elf, name), &section);
	ck_assert_uint_eq(section.type, ELF64_SHT_PROGBITS);
	ck_assert_int_eq(has_datasec(&again, name), has_btf);
	ck_assert(!has_datasec(&again, ".bss"));
	bpfobj_get(&again, NULL, "zero", text, sizeof(text));
	ck_assert_str_eq(text, "0x2");
	if (has_btf) {
		bpfobj_get(&again, NULL, "zeros[1]", text, sizeof(text));
		ck_assert_str_eq(text, "0x1111222233334444");
	}
	r = bpfobj_stamp(&again);
	ck_assert_uint_eq(rewrite_run(&o, s, "first", 5), rewrite_run(&again, r, "first", 5));
	ck_assert_uint_eq(rewrite_run(&o, s, "second", 5), rewrite_run(&again, r, "second", 5));
	third = rewrite_reopen(&again, r);
	ck_assert_uint_eq(third.size, again.size);
	ck_assert(!memcmp(third.bytes, again.bytes, third.size));
	bpfstamp_stamp_free(s);
	bpfstamp_stamp_free(r);
	bpfobj_free(&o);
	bpfobj_free(&again);
	bpfobj_free(&third);
}
END_TEST

Suite *suite_relayout(void)
{
	Suite *suite = suite_create("relayout");
	TCase *tcase = tcase_create("made"), *real = tcase_create("compiled");

	tcase_add_loop_test(tcase, records, 0, 8);
	tcase_add_loop_test(tcase, shorter_stays, 0, 2);
	tcase_add_loop_test(tcase, none_relocs, 0, 4);
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(real, 60);
	tcase_add_loop_test(real, compiled, 0, 8 * (int)COUNT(extras));
	tcase_add_loop_test(real, promoted, 0, 8 * (int)COUNT(extras));
	suite_add_tcase(suite, real);
	return suite;
}
