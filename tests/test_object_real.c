// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp_open and what clang makes of the sources in tests/objects.  These tests
 * need the project's folder as working directory and are left out where there
 * is no clang; the comparison with llvm-objdump also where that is missing.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/link.h"
#include "tests/bpfobj.h"

Suite *suite_object_real(void);

static const char *const targets[] = { "bpfel", "bpfeb" };
static const char *const cpus[] = { "v1", "v2", "v3", "v4" };

enum { VARIANTS = 8 };

static bool compile(struct bpfobj *o, const char *name, int variant)
{
	char source[64], flags[256];

	snprintf(source, sizeof(source), "#include \"%s.bpf.c\"\n", name);
	snprintf(flags, sizeof(flags), "-mcpu=%s %s", cpus[variant / 2], BPFOBJ_FLAGS);
	return bpfobj_compile(o, targets[variant % 2], flags, source);
}

/* Name, section, type, bits, value as text. */
static const struct {
	const char *name, *section, *type;
	uint32_t size, bits;
	const char *value;
} globals[] = {
	{ "g_u8", ".data", "__u8", 1, 8, "0x8" },
	{ "g_u16", ".data", "__u16", 2, 16, "0x1616" },
	{ "g_u32", ".data", "__u32", 4, 32, "0xfedcba98" },
	{ "g_u64", ".data", "__u64", 8, 64, "0x6464646464646464" },
	{ "g_s8", ".data", "__s8", 1, 8, "-8" },
	{ "g_s16", ".data", "__s16", 2, 16, "-16" },
	{ "g_s32", ".data", "__s32", 4, 32, "-32" },
	{ "g_s64", ".data", "__s64", 8, 64, "-64" },
	{ "g_bool", ".data", "_Bool", 1, 1, "0x1" },
	{ "g_distance", ".data", "enum distance", 8, 64, "0x1122334455667788" },
	{ "g_name", ".data", "char[16]", 16, 0, "hex:65746830000000000000000000000000" },
	{ "g_four", ".data", "char[4]", 4, 0, "hex:61626300" },
	{ "g_peer", ".data", "struct peer", 12, 0, NULL },
	{ "g_pair", ".data", "struct pair", 4, 0, NULL },
	{ "g_array", ".data", "__u32[2][3]", 24, 0, NULL },
	{ "g_ip6", ".data", "__u8[16]", 16, 0, "hex:01000000000000000000000000000000" },
	{ "b_u32", ".bss", "__u32", 4, 32, "0x0" },
	{ "b_u64", ".bss", "__u64", 8, 64, "0x0" },
	{ "b_static", ".bss", "__u32", 4, 32, "0x0" },
	{ "s_first", ".data", "__u32", 4, 32, "0x5" },
	{ "s_second", ".data", "__u32", 4, 32, "0x6" },
	{ "one.count", ".data", "__u32", 4, 32, "0x64" },
	{ "two.count", ".data", "__u32", 4, 32, "0xc8" },
	{ "c_vni", ".rodata", "__u32", 4, 32, "0x7" },
	{ "c_vlan", ".rodata", "__u16", 2, 16, "0xc" },
	{ "d_x", ".data.x", "__u32", 4, 32, "0x15" },
	{ "r_x", ".rodata.x", "__u32", 4, 32, "0x16" },
};

START_TEST(real_globals)
{
	struct bpfstamp_injectable inj;
	struct bpfobj o;
	char text[64];

	if (!compile(&o, "globals", _i))
		return;
	for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++) {
		bpfobj_find(&o, globals[i].name, &inj);
		ck_assert_str_eq(inj.section, globals[i].section);
		ck_assert_str_eq(inj.type, globals[i].type);
		ck_assert_uint_eq(inj.size, globals[i].size);
		ck_assert_msg(inj.bits == globals[i].bits, "%s has %u bits", inj.name, inj.bits);
		ck_assert_msg(inj.site_count > 0, "%s has no site", inj.name);
		bpfobj_get(&o, NULL, inj.name, text, sizeof(text));
		if (globals[i].value)
			ck_assert_str_eq(text, globals[i].value);
	}
	bpfobj_find(&o, "folded", &inj);
	ck_assert_uint_eq(inj.site_count, 0);
	ck_assert_uint_eq(bpfstamp_injectable_count(o.t), sizeof(globals) / sizeof(globals[0]) + 2);
	ck_assert_str_eq(bpfstamp_name(o.t), "test.o");
	ck_assert_str_eq(bpfstamp_license(o.t), "Dual BSD/GPL");
	bpfobj_free(&o);
}
END_TEST

START_TEST(real_stamps)
{
	static const struct { const char *name, *type, *value; uint32_t sites; } stamps[] = {
		{ "t_u8", "u8", "0xf8", 1 }, { "t_u16", "u16", "0xf616", 1 }, { "t_u32", "u32", "0xfedcba98", 1 },
		{ "t_u64", "u64", "0xfedcba9876543210", 1 }, { "t_s8", "s8", "-8", 1 }, { "t_s16", "s16", "-16", 1 },
		{ "t_s32", "s32", "-32", 1 }, { "t_s64", "s64", "-64", 1 }, { "vlan", "u16:12", "0x1", 1 },
		{ "vni", "u32:24", "0x123456", 2 },
	};
	struct bpfstamp_injectable inj;
	struct bpfobj o;
	char text[32];

	if (!compile(&o, "stamps", _i))
		return;
	for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
		bpfobj_find(&o, stamps[i].name, &inj);
		ck_assert_int_eq(inj.kind, BPFSTAMP_STAMP);
		ck_assert_str_eq(inj.type, stamps[i].type);
		ck_assert_uint_eq(inj.site_count, stamps[i].sites);
		bpfobj_get(&o, NULL, inj.name, text, sizeof(text));
		ck_assert_str_eq(text, stamps[i].value);
	}
	bpfobj_find(&o, "t_bool", &inj);
	ck_assert_uint_eq(inj.size, 1);
	bpfobj_free(&o);
}
END_TEST

START_TEST(real_symbols)
{
	struct bpfstamp_injectable inj;
	struct bpfobj o;

	if (!compile(&o, "symbols", _i))
		return;
	bpfobj_find(&o, "y_strong", &inj);
	ck_assert(inj.kind == BPFSTAMP_SYMBOL && !inj.has_value);
	ck_assert_uint_eq(inj.site_count, 2);
	bpfobj_find(&o, "y_weak", &inj);
	ck_assert(inj.kind == BPFSTAMP_SYMBOL && inj.has_value);
	bpfobj_find(&o, "y_data", &inj);
	ck_assert_int_eq(inj.kind, BPFSTAMP_GLOBAL);
	bpfobj_free(&o);
}
END_TEST

START_TEST(real_maps)
{
	struct bpfstamp_err err = { 0 };
	struct bpfstamp_map map;
	struct link *link;
	struct bpfobj o;
	uint32_t seen = 0;

	if (!compile(&o, "maps", _i))
		return;
	for (uint32_t i = 0; i < bpfstamp_map_count(o.t); i++) {
		bpfstamp_map_at(o.t, i, &map);
		if (!strcmp(map.name, "m_hash"))
			seen += map.type == 1 && map.key_size == 12 && map.value_size == 8 &&
				map.max_entries == 1024 && map.flags == 5;
		if (!strcmp(map.name, "m_legacy"))
			seen += map.type == 6 && map.key_size == 4 && map.value_size == 8 && map.max_entries == 2;
		if (!strcmp(map.name, "m_array"))
			seen += map.type == 2 && map.key_size == 4 && map.value_size == 16;
	}
	ck_assert_uint_eq(seen, 3);
	ck_assert_int_eq(link_program(&link, o.t, bpfobj_program(&o, "use_maps", NULL), &err), 0);
	ck_assert_uint_eq(link->map_count, 3);
	link_free(link);
	bpfobj_free(&o);
}
END_TEST

/* Every call and function address of the linked program goes to the start of another function of it. */
static void check_linked(const struct bpfobj *o, const char *name, uint32_t functions)
{
	struct bpfstamp_err err = { 0 };
	struct link *link;

	ck_assert_msg(!link_program(&link, o->t, bpfobj_program(o, name, NULL), &err), "%s", err.text);
	ck_assert_uint_eq(link->chunk_count, functions);
	ck_assert_uint_eq(link->func_info_count, functions);
	for (uint32_t i = 0; i < link->call_count; i++) {
		uint32_t to = link->calls[i].at + 1 + (uint32_t)link->calls[i].imm;
		bool found = false;

		for (uint32_t k = 0; k < link->chunk_count; k++)
			found |= link->chunks[k].at == to;
		ck_assert_msg(found, "call %u goes to %u", i, to);
	}
	link_free(link);
}

START_TEST(real_subprograms)
{
	struct bpfstamp_program p;
	struct bpfobj o;

	if (!compile(&o, "subprogs", _i))
		return;
	bpfobj_program(&o, "beside", &p);
	ck_assert(!p.entry && !strcmp(p.section, "tc"));
	bpfobj_program(&o, "global_add", &p);
	ck_assert(!p.entry && !strcmp(p.section, ".text"));
	bpfobj_program(&o, "first", &p);
	ck_assert(p.entry);
	check_linked(&o, "first", 6);
	check_linked(&o, "second", 2);
	bpfobj_free(&o);
}
END_TEST

/* ----------------------------------------------------------- source lines */

enum { LINES = 256 };

/* The source line of each slot by llvm-objdump -l, 0 where it tells none; false where there is no llvm-objdump. */
static bool objdump_lines(const struct bpfobj *o, uint32_t lines[LINES])
{
	char path[] = "/tmp/bpfstamp-lines-XXXXXX", command[128], text[512];
	uint32_t line = 0, seen = 0;
	int fd = mkstemp(path);
	FILE *pipe;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, o->bytes, o->size), (long)o->size);
	close(fd);
	snprintf(command, sizeof(command), "$(command -v llvm-objdump-19 || command -v llvm-objdump || echo false) "
		 "-d -l -j tc %s 2>/dev/null", path);
	pipe = popen(command, "r");
	while (pipe && fgets(text, sizeof(text), pipe)) {
		unsigned long slot = strtoul(text, NULL, 10);
		const char *colon = strrchr(text, ':');

		if (text[0] == ';' && colon && strstr(text, ".bpf.c:"))
			line = (uint32_t)strtoul(colon + 1, NULL, 10);
		else if (text[0] == ' ' && colon && slot < LINES && ++seen)
			lines[slot] = line;
	}
	if (pipe)
		pclose(pipe);
	unlink(path);
	return seen;
}

START_TEST(real_lines)
{
	static const char *const names[] = { "globals", "stamps", "symbols" };
	uint32_t lines[LINES] = { 0 }, compared = 0;
	struct bpfstamp_injectable inj;
	struct bpfstamp_site site;
	char file[64];
	struct bpfobj o;

	if (!compile(&o, names[_i], 4))
		return;
	snprintf(file, sizeof(file), "/%s.bpf.c", names[_i]);
	if (!objdump_lines(&o, lines)) {
		fprintf(stderr, "no llvm-objdump: source lines are not compared\n");
		bpfobj_free(&o);
		return;
	}
	for (uint32_t i = 0; i < bpfstamp_injectable_count(o.t); i++) {
		bpfstamp_injectable_at(o.t, i, &inj);
		for (uint32_t k = 0; k < inj.site_count; k++) {
			const struct site *at = &o.t->sites[o.t->injectables[i].site_first + k];

			bpfstamp_site_at(o.t, i, k, &site);
			if (strcmp(o.t->codes[at->code].name, "tc") != 0)
				continue;
			ck_assert(at->insn < LINES);
			ck_assert_msg(site.file && strlen(site.file) > strlen(file) &&
				      !strcmp(site.file + strlen(site.file) - strlen(file), file), "%s", site.file);
			ck_assert_msg(site.line == lines[at->insn], "%s slot %u: line %u, llvm-objdump says %u",
				      inj.name, at->insn, site.line, lines[at->insn]);
			compared++;
		}
	}
	ck_assert_uint_ge(compared, 3);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_object_real(void)
{
	Suite *suite = suite_create("object_real");
	TCase *tcase = tcase_create("of clang");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, real_globals, 0, VARIANTS);
	tcase_add_loop_test(tcase, real_stamps, 0, VARIANTS);
	tcase_add_loop_test(tcase, real_symbols, 0, VARIANTS);
	tcase_add_loop_test(tcase, real_maps, 0, VARIANTS);
	tcase_add_loop_test(tcase, real_subprograms, 0, VARIANTS);
	tcase_add_loop_test(tcase, real_lines, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}
