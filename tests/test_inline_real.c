// SPDX-License-Identifier: BSD-2-Clause
/*
 * Turning globals into immediates, in objects that clang makes for each -mcpu
 * and byte order.  The judge is the same object as it was: stamped with the
 * same values, both must compute the same, for many values.
 */
#include <check.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/link.h"
#include "tests/rewrite.h"

Suite *suite_inline_real(void);

enum { VARIANTS = 8, ROUNDS = 20 };

static const char source[] =
	"typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; "
	"typedef unsigned long long u64;\n"
	"#define NOINLINE __attribute__((noinline))\n"
	"static long (*bpf_loop)(u32 nr, void *fn, void *ctx, u64 flags) = (void *)181;\n"
	"static long (*bpf_trace)(const char *fmt, u32 size, ...) = (void *)6;\n"
	"struct cfg {\n"
	"	u8 a; u16 b; u32 c; u64 d; signed char e; short f; int g;\n"
	"	u32 low : 5, mid : 20; int neg : 7; long long h;\n"
	"	struct { u16 x, y; } pt[3]; u8 key[6];\n"
	"};\n"
	"const volatile struct cfg cfg = { 1, 2, 3, 4, -5, -6, -7, 8, 9, -10, -11, "
	"{ { 12, 13 }, { 14, 15 }, { 16, 17 } },\n"
	"				  { 1, 2, 3, 4, 5, 6 } };\n"
	"volatile u32 d32 = 7; volatile long long s64 = -5; volatile u8 b8; volatile u64 b64[4];\n"
	"volatile u32 counter; volatile u32 shared = 3; static volatile u16 local = 99;\n"
	"volatile int indexed[4] = { 1, 2, 3, 4 };\n"
	"static NOINLINE u64 mix(u64 a)\n"
	"{\n"
	"	a = a * 31 + cfg.d;\n"
	"	if (a & 1)\n"
	"		a ^= (u64)cfg.h;\n"
	"	return a * 31 + b64[1] + b64[3];\n"
	"}\n"
	"NOINLINE u64 twice(u64 a)\n"
	"{\n"
	"	return mix(mix(a + cfg.low) + cfg.mid) + (u64)(long long)cfg.neg;\n"
	"}\n"
	"static NOINLINE long visit(u32 i, u64 *sum)\n"
	"{\n"
	"	*sum = *sum * 31 + cfg.pt[2].y + i;\n"
	"	return *sum % 1000 == cfg.pt[1].x;\n"
	"}\n"
	"__attribute__((section(\"tc/all\"), used)) u64 all(void *ctx)\n"
	"{\n"
	"	u64 sum = (u64)ctx;\n"
	"\n"
	"	sum = sum * 31 + cfg.a;\n"
	"	sum = sum * 31 + cfg.b;\n"
	"	sum = sum * 31 + cfg.c;\n"
	"	sum = sum * 31 + (u64)(long long)cfg.e;\n"
	"	sum = sum * 31 + (u64)(long long)cfg.f;\n"
	"	sum = sum * 31 + (u64)(long long)cfg.g;\n"
	"	for (int i = 0; i < 3; i++) {\n"
	"		sum = sum * 31 + cfg.pt[i].x;\n"
	"		if (sum > s64)\n"
	"			sum += cfg.key[i];\n"
	"	}\n"
	"	sum = mix(sum) + d32;\n"
	"	if (b8 > 200)\n"
	"		sum = twice(sum);\n"
	"	sum += local;\n"
	"	bpf_loop(b8 & 7, visit, &sum, 0);\n"
	"	return sum * 31 + (u64)s64;\n"
	"}\n"
	"__attribute__((section(\"tc/keeps\"), used)) int keeps(void *ctx)\n"
	"{\n"
	"	counter += 1;\n"
	"	bpf_trace((const char *)&shared, 4);\n"
	"	return shared + indexed[(u64)ctx & 3];\n"
	"}\n"
	"char _license[] __attribute__((section(\"license\"), used)) = \"GPL\";\n";

static const struct {
	const char *path;
	uint8_t bits;
	bool is_signed;
} paths[] = {
	{ "cfg.a", 8, false }, { "cfg.b", 16, false }, { "cfg.c", 32, false }, { "cfg.d", 64, false },
	{ "cfg.e", 8, true }, { "cfg.f", 16, true }, { "cfg.g", 32, true }, { "cfg.h", 64, true },
	{ "cfg.low", 5, false }, { "cfg.mid", 20, false }, { "cfg.neg", 7, true },
	{ "cfg.pt[0].x", 16, false }, { "cfg.pt[1].x", 16, false }, { "cfg.pt[2].x", 16, false },
	{ "cfg.pt[2].y", 16, false }, { "cfg.key", 0, false },
	{ "d32", 32, false }, { "s64", 64, true }, { "b8", 8, false },
	{ "b64[1]", 64, false }, { "b64[3]", 64, false }, { "local", 16, false },
};

static bool compile(struct bpfobj *o, int variant)
{
	static const char *const targets[] = { "bpfel", "bpfeb" }, *const cpus[] = { "v1", "v2", "v3", "v4" };
	char flags[32];

	snprintf(flags, sizeof(flags), "-mcpu=%s", cpus[variant / 2]);
	return bpfobj_compile(o, targets[variant % 2], flags, source);
}

static uint64_t random64(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A value of so many bits, with the extremes often. */
static void random_text(uint64_t *state, uint8_t bits, bool is_signed, char text[32])
{
	uint64_t v = random64(state), kind = random64(state) % 4;

	v = kind == 0 ? 0 : kind == 1 ? UINT64_MAX : kind == 2 ? (uint64_t)1 << (bits - 1) : v;
	if (is_signed)
		snprintf(text, 32, "%" PRId64, (int64_t)(v << (64 - bits)) >> (64 - bits));
	else
		snprintf(text, 32, "%" PRIu64, v << (64 - bits) >> (64 - bits));
}

START_TEST(computes_the_same)
{
	uint64_t state = 0x9e3779b97f4a7c15;
	struct bpfstamp_stamp *a, *b;
	struct bpfobj before, after;
	char text[32];

	if (!compile(&before, _i))
		return;
	ck_assert(compile(&after, _i));
	rewrite_inline(&after);
	a = bpfobj_stamp(&before);
	b = bpfobj_stamp(&after);
	ck_assert_uint_eq(rewrite_run(&before, a, "all", 5), rewrite_run(&after, b, "all", 5));
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < COUNT(paths); i++) {
			if (paths[i].bits)
				random_text(&state, paths[i].bits, paths[i].is_signed, text);
			else
				snprintf(text, sizeof(text), "hex:%012" PRIx64, random64(&state) >> 16);
			bpfobj_set(a, paths[i].path, text);
			bpfobj_set(b, paths[i].path, text);
		}
		ck_assert_uint_eq(rewrite_run(&before, a, "all", 5), rewrite_run(&after, b, "all", 5));
		ck_assert_uint_eq(rewrite_run(&before, a, "keeps", 1), rewrite_run(&after, b, "keeps", 1));
	}
	bpfstamp_reset(a);
	bpfstamp_reset(b);
	ck_assert_uint_eq(rewrite_run(&before, a, "all", 9), rewrite_run(&after, b, "all", 9));
	bpfstamp_stamp_free(a);
	bpfstamp_stamp_free(b);
	bpfobj_free(&before);
	bpfobj_free(&after);
}
END_TEST

START_TEST(what_is_kept)
{
	static const struct { const char *name, *kept; } expected[] = {
		{ "cfg", NULL }, { "d32", NULL }, { "s64", NULL }, { "b8", NULL }, { "b64", NULL }, { "local", NULL },
		{ "counter", "it is written" }, { "shared", "its address is passed to a function" },
		{ "indexed", "its address is computed with" },
	};
	struct bpfstamp_injectable inj;
	struct bpfstamp_map map;
	struct bpfobj o;

	if (!compile(&o, _i))
		return;
	rewrite_inline(&o);
	for (size_t i = 0; i < COUNT(expected); i++)
		rewrite_kept(&o, expected[i].name, expected[i].kept);
	bpfobj_find(&o, "counter", &inj);
	ck_assert_str_eq(inj.kept_at.program, "keeps");
	ck_assert_ptr_nonnull(inj.kept_at.file);
	ck_assert_uint_eq(inj.kept_at.line, 55);
	for (uint32_t i = 0; i < bpfstamp_map_count(o.t); i++) {
		bpfstamp_map_at(o.t, i, &map);
		ck_assert_int_eq(map.refs == 0, strcmp(map.section, ".rodata") == 0);
	}
	bpfobj_free(&o);
}
END_TEST

/* The source line of a slot by the last of the records that are not behind it. */
static uint32_t line_of_object(const struct bpfobj *o, const struct code *c, uint32_t slot)
{
	uint32_t line = 0;

	for (uint32_t i = 0; i < c->lines.count; i++) {
		const uint8_t *raw = btf_ext_record(&c->lines, i);

		if (bytes_get32(raw, o->big) / BPFINSN_SIZE <= slot)
			line = bytes_get32(raw + 12, o->big) >> 10;
	}
	return line;
}

START_TEST(lines_stay)
{
	struct bpfstamp_err err = { 0 };
	struct link *link;
	struct bpfobj o;

	if (!compile(&o, _i))
		return;
	rewrite_inline(&o);
	ck_assert_msg(!link_program(&link, o.t, bpfobj_program(&o, "all", NULL), &err), "%s", err.text);
	ck_assert_uint_ge(link->line_info_count, 20);
	ck_assert_uint_eq(link->func_info_count, link->chunk_count);
	for (uint32_t i = 1; i < link->func_info_count; i++)
		ck_assert_uint_lt(link->func_info[i - 1].insn_off, link->func_info[i].insn_off);
	for (uint32_t i = 1; i < link->line_info_count; i++)
		ck_assert_uint_lt(link->line_info[i - 1].insn_off, link->line_info[i].insn_off);
	for (uint32_t at = 0, next = 0; at < link->insns; at++) {
		uint32_t code, insn;

		while (next < link->line_info_count && link->line_info[next].insn_off <= at)
			next++;
		ck_assert_uint_ne(next, 0);
		ck_assert(link_origin(link, o.t, at, &code, &insn));
		if (!bpfinsn_starts(o.t->starts, object_insn_at(o.t, code, insn) / BPFINSN_SIZE))
			continue;
		ck_assert_uint_eq(link->line_info[next - 1].line_col >> 10,
				  line_of_object(&o, &o.t->codes[code], object_origin(&o.t->codes[code], insn)));
	}
	link_free(link);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_inline_real(void)
{
	Suite *suite = suite_create("inline_real");
	TCase *tcase = tcase_create("compiled");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, computes_the_same, 0, VARIANTS);
	tcase_add_loop_test(tcase, what_is_kept, 0, VARIANTS);
	tcase_add_loop_test(tcase, lines_stay, 0, VARIANTS);
	suite_add_tcase(suite, tcase);
	return suite;
}
