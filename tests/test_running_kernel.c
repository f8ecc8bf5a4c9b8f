// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is read of programs that the kernel has: everything that is told must be
 * what the stamp has that was loaded, scalar for scalar; and nothing may be
 * missing.  Programs of libbpf are read as well.  What goes wrong is in
 * tests/test_running_faults_kernel.c.  The objects are compiled, so these tests need
 * clang, and the project's folder as working directory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loader/sys.h"
#include "tests/runningbed.h"

Suite *suite_running_kernel(void);

/* A value as it runs is that of the stamp, in text, type and all. */
static void is_same(const struct bpfstamp_stamp *s, const struct bpfstamp_running_value *v, bool record)
{
	static char text[16384];
	struct bpfstamp_injectable inj;
	struct bpfstamp_ref ref;
	struct part part;
	char name[600], type[64];

	snprintf(name, sizeof(name), "%s%s%s", v->section ? v->section : "", v->section ? ":" : "", v->path);
	OK(bpfstamp_find(s->t, name, &ref, &runningbed_err));
	bpfstamp_injectable_at(s->t, ref.injectable, &inj);
	part = part_from_ref(&ref);
	ck_assert_int_eq(v->kind, inj.kind);
	ck_assert_msg(v->stamped == (record && s->touched[ref.injectable]), "%s: stamped %d", name, v->stamped);
	/* BTF of an older kernel knows no sign of enums, nor those of 64 bits. */
	if (part.type.form == VALUE_ENUM && !bpffs_kernel(600))
		return;
	ck_assert_uint_lt(bpfstamp_get(s->t, s, &ref, text, sizeof(text)), sizeof(text));
	ck_assert_msg(!strcmp(text, v->value), "%s is %s, not %s", name, v->value, text);
	value_type_text(&part.type, s->t->btf.type_count ? &s->t->btf : NULL, type, sizeof(type));
	ck_assert_msg(!strcmp(type, v->type), "%s is a %s, not a %s", name, v->type, type);
}

static void count_leaf(const struct bpfstamp_leaf *leaf, void *arg)
{
	(void)leaf;
	++*(uint32_t *)arg;
}

/* All that the program holds is told, once, and as it is. */
static void is_all(const struct bpfstamp_running *r, const struct bpfstamp_stamp *s, bool record)
{
	const struct bpfstamp_template *t = s->t;
	uint32_t want = 0;

	for (uint32_t i = 0; i < t->injectable_count; i++) {
		const struct injectable *inj = &t->injectables[i];
		struct bpfstamp_map map = { .refs = 0 };
		uint32_t leaves = 0;

		bpfstamp_leaves(t, i, count_leaf, &leaves);
		if (inj->kind == BPFSTAMP_GLOBAL)
			bpfstamp_map_at(t, t->datas[inj->data].map, &map);
		if (map.refs || (record && (s->touched[i] || (inj->kind == BPFSTAMP_GLOBAL ? inj->inlined_count :
								   inj->has_value && inj->site_count))))
			want += leaves;
	}
	ck_assert_uint_eq(bpfstamp_running_value_count(r), want);
	for (uint32_t i = 0; i < want; i++) {
		struct bpfstamp_running_value v;

		bpfstamp_running_value_at(r, i, &v);
		is_same(s, &v, record);
	}
}

/* ------------------------------------------------------------ every kind */

#define SOURCE(name) "#include \"" name ".bpf.c\"\n"

static const char aggregates[] =
	"#include \"features.h\"\n"
	"struct cfg { __u8 a; __u32 low : 5, mid : 20; int neg : 7; long long h; struct { __u16 x, y; } pt[3]; "
	"__u8 key[6];\n"
	"	union { __u32 v4; __u8 v6[16]; } addr; };\n"
	"const volatile struct cfg r_cfg = { 1, 2, 3, -4, -5, { { 6, 7 }, { 8, 9 }, { 10, 11 } }, "
	"{ 1, 2, 3, 4, 5, 6 }, { 12 } };\n"
	"struct cfg d_cfg = { 1, 2, 3, -4, -5, { { 6, 7 }, { 8, 9 }, { 10, 11 } }, { 1, 2, 3, 4, 5, 6 }, { 12 } };\n"
	"const volatile int r_indexed[4] = { 1, 2, 3, 4 };\n"
	"static const volatile __s16 r_static = -3;\n"
	"SEC(\"tc\") int a_program_whose_name_is_long(struct __sk_buff *skb)\n"
	"{\n"
	"	d_cfg.pt[skb->mark & 1].y++;\n"
	"	return (int)(r_cfg.a + r_cfg.low + r_cfg.mid + r_cfg.neg + r_cfg.h + r_cfg.pt[2].y + d_cfg.mid + "
	"r_static +\n"
	"		     r_indexed[0] + READ);\n"
	"}\n"
	"LICENSE;\n";

static const struct {
	const char *source, *defines;
	const char *sets[8][2];
	bool inlines;
	const char *placeholder;
} objects[] = {
	{ .source = SOURCE("globals"),
	  .sets = { { "g_u32", "0x11223344" }, { "g_s64", "-9000000000" }, { "g_bool", "false" },
	  { "g_color", "BLUE" }, { "g_name", "veth7" }, { "g_peer.addr", "10.0.0.1" }, { "b_static", "9" },
	  { "c_vni", "4711" } } },
	{ .source = SOURCE("globals"), .inlines = true,
	  .sets = { { "g_u32", "7" }, { "c_vni", "4711" }, { "c_vlan", "5" }, { "r_x", "1" },
		    { "g_peer.mac", "02:00:00:00:00:01" } } },
	{ .source = SOURCE("data"), .sets = { { "d_number", "1" }, { "r_number", "2" }, { "r_text", "other" },
	  { "d_custom_static", "3" }, { "b_array[4098]", "4" }, { "d_odd", "hex:0504030201" } } },
	{ .source = SOURCE("stamps"), .sets = { { "vni", "0xabcdef" }, { "t_s8", "-1" },
						{ "t_u64", "18446744073709551615" },
	  { "t_s64", "-9223372036854775808" }, { "t_bool", "false" }, { "vlan", "4095" } } },
	{ .source = "#include \"../../bpf/ping_drop_const.bpf.c\"\n", .placeholder = "0xFEDCBA98",
	  .sets = { { "0xFEDCBA98", "10.0.0.2" } } },
	{ .source = aggregates, .defines = "-DREAD=0", .sets = { { "r_cfg.mid", "0xabcde" }, { "r_cfg.neg", "-64" },
	  { "d_cfg.pt[1].x", "77" }, { "r_indexed[3]", "-1" } } },
	{ .source = aggregates, .defines = "-DREAD=0", .inlines = true, .sets = { { "r_cfg.mid", "0xabcde" },
	  { "r_cfg.neg", "-64" }, { "r_cfg.h", "1" }, { "r_cfg.pt[2].y", "65535" }, { "r_static", "-9" } } },
	{ .source = aggregates, .defines = "-D'READ=r_indexed[skb->mark&3]'", .inlines = true,
	  .sets = { { "r_indexed[0]", "100" }, { "r_cfg.a", "5" } } },
};

static bool stamp(struct bpfobj *o, struct bpfstamp_stamp **s, int i)
{
	if (!bpffs_compile(o, objects[i].defines ? objects[i].defines : "", objects[i].source))
		return false;
	if (objects[i].placeholder)
		OK(bpfstamp_declare(o->t, objects[i].placeholder, -1, false, &runningbed_err));
	if (objects[i].inlines)
		OK(bpfstamp_inline(o->t, &runningbed_err));
	*s = bpfobj_stamp(o);
	for (int k = 0; k < 8 && objects[i].sets[k][0]; k++)
		bpfobj_set(*s, objects[i].sets[k][0], objects[i].sets[k][1]);
	return true;
}

START_TEST(as_stamped)
{
	bool record = _i % 2;
	struct bpfstamp_running_info info;
	struct bpfstamp_running *r;
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	int fd, fds;

	if (!stamp(&o, &s, _i / 2))
		return;
	fds = bpffs_open_fds();
	fd = runningbed_load(s, record);
	ck_assert_int_eq(record_is_there(fd), record);
	r = runningbed_open(fd);
	is_all(r, s, record);
	bpfstamp_running_info(r, &info);
	ck_assert_int_eq(info.inlined, record && objects[_i / 2].inlines);
	ck_assert_int_eq(info.object != NULL, record);
	if (record)
		ck_assert_str_eq(info.object, "test.o");
	OK(bpfstamp_running_refresh(r, &runningbed_err));
	is_all(r, s, record);
	bpfstamp_running_free(r);
	close(fd);
	/* The BTF is the template's, and stays. */
	ck_assert_int_eq(bpffs_open_fds() - (atomic_load(&o.t->cache->btf_fd) >= 0), fds);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

START_TEST(symbols)
{
	struct bpfstamp_load how = { .record = true };
	struct bpfstamp_running *r;
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	int fd;

	if (!bpffs_compile(&o, "", SOURCE("symbols")))
		return;
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "y_strong", "-5");
	OK(bpfstamp_find_program(o.t, "symbols", 0, &how.program, &runningbed_err));
	OK(bpfstamp_load(s, &how, &fd, &runningbed_err));
	r = runningbed_open(fd);
	is_all(r, s, true);
	runningbed_has(r, "y_strong", "0xfffffffffffffffb", true, false);
	runningbed_has(r, "y_weak", "0x0", false, false);
	runningbed_has(r, "y_data", "0x3", false, true);
	runningbed_free(r, fd, s, &o);
}
END_TEST

/* What instructions hold cannot be changed in the map, where it may stand as well. */
START_TEST(in_instructions)
{
	static const char source[] =
		"#include \"features.h\"\n"
		"volatile __u8 some[4] = { 5, 6, 7, 8 }; volatile int counter; "
		"static volatile int all = 10, set = 11;\n"
		"SEC(\"tc\") int p(struct __sk_buff *skb)\n"
		"{ int i = skb->mark & 3; some[1]++; counter++; return some[i] + all + set; }\nLICENSE;\n";
	struct bpfstamp_injectable inj;
	struct bpfstamp_running *r;
	struct bpfstamp_stamp *s;
	const uint32_t key = 0;
	struct bpfobj o;
	uint8_t *zeros;
	int fd;

	if (!bpffs_compile(&o, "", source))
		return;
	OK(bpfstamp_inline(o.t, &runningbed_err));
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "some", "hex:01020304");
	bpfobj_set(s, "set", "12");
	fd = runningbed_load(s, true);
	r = runningbed_open(fd);
	bpfobj_find(&o, "all", &inj);
	ck_assert(inj.inlined_count && !inj.kept);
	runningbed_has(r, "some", "hex:01020304", true, true);
	runningbed_has(r, "all", "10", false, false);
	runningbed_has(r, "set", "12", true, false);
	runningbed_has(r, "counter", "0", false, true);
	for (uint32_t i = 0; i < r->map_count; i++) {
		if (r->maps[i].fd < 0 || strcmp(r->maps[i].section, ".data") != 0)
			continue;
		zeros = calloc(1, r->maps[i].value_size);
		ck_assert_int_eq(sys_map_update(r->maps[i].fd, &key, zeros), 0);
		free(zeros);
	}
	OK(bpfstamp_running_refresh(r, &runningbed_err));
	runningbed_has(r, "some", "hex:00000000", true, true);
	runningbed_has(r, "all", "10", false, false);
	runningbed_has(r, "set", "12", true, false);
	runningbed_free(r, fd, s, &o);
}
END_TEST

/* ------------------------------------------------------- info, and changes */

START_TEST(info)
{
	struct bpfstamp_prog_info prog;
	struct bpfstamp_running_info got;
	struct bpfstamp_running *r;
	struct bpfstamp_stamp *s;
	struct timespec now;
	struct bpfobj o;
	int64_t age;
	int fd;

	if (!bpffs_compile(&o, _i == 2 ? "-g0 -DREAD=0" : "-DREAD=0", aggregates))
		return;
	s = bpfobj_stamp(&o);
	fd = runningbed_load(s, _i == 0);
	OK(bpfstamp_prog_info(fd, &prog, &runningbed_err));
	r = runningbed_open(fd);
	bpfstamp_running_info(r, &got);
	ck_assert_str_eq(got.name, _i == 2 ? "a_program_whose" : "a_program_whose_name_is_long");
	ck_assert_int_eq(memcmp(&got.prog, &prog, sizeof(prog)), 0);
	ck_assert_uint_eq(got.map_count, 2 + !_i);
	for (uint32_t i = 0; i < got.map_count; i++)
		ck_assert_uint_ne(got.map_ids[i], 0);
	ck_assert_uint_gt(got.xlated_size, 8);
	ck_assert(got.memlock && got.memlock % 1024 == 0);
	clock_gettime(CLOCK_REALTIME, &now);
	age = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - got.loaded_at;
	ck_assert_msg(age > 0 && age < 60000000000, "loaded %lld ns ago", (long long)age);
	ck_assert_int_eq(bpfstamp_running_value_count(r) > 0, _i < 2);
	runningbed_free(r, fd, s, &o);
}
END_TEST

START_TEST(refresh)
{
	struct bpfstamp_running *r;
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	char text[128];
	uint32_t id;
	int fd;

	if (!bpffs_compile(&o, "", "#include \"features.h\"\nvolatile __u64 count; volatile __s8 sign = 127;\n"
			   "SEC(\"tc\") int p(struct __sk_buff *skb) { count += skb->mark; sign++; return 0; }\n"
			   "LICENSE;\n"))
		return;
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "count", "1");
	fd = runningbed_load(s, true);
	id = runningbed_id(fd);
	r = runningbed_open(fd);
	bpffs_run(fd, 0x7fffffff);
	runningbed_has(r, "count", "0x1", true, true);
	runningbed_has(r, "sign", "127", false, true);
	OK(bpfstamp_running_refresh(r, &runningbed_err));
	runningbed_has(r, "count", "0x80000000", true, true);
	runningbed_has(r, "sign", "-128", false, true);
	close(fd);
	usleep(10000);
	ck_assert_int_eq(bpfstamp_running_refresh(r, &runningbed_err), -1);
	ck_assert_int_eq(runningbed_err.code, ENOENT);
	snprintf(text, sizeof(text), "program %u: it is gone", id);
	ck_assert_str_eq(runningbed_err.text, text);
	runningbed_has(r, "count", "0x80000000", true, true);
	bpfstamp_running_free(r);
	ck_assert_int_eq(bpfstamp_running_open(&r, id, &runningbed_err), -1);
	ck_assert_str_eq(runningbed_err.text, text);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* One record for all programs of an object, and its name for each. */
START_TEST(whole_object)
{
	static const char source[] =
		"#include \"features.h\"\n#include \"bpfstamp.bpf.h\"\nvolatile __u32 shared = 1, alone = 2;\n"
		"SEC(\"tc\") int fifteen_letters_first(void) { return (int)shared + (int)STAMP(__u32, vni, 7); }\n"
		"SEC(\"tc\") int fifteen_letters_second(void) { return (int)shared; }\n"
		"SEC(\"tc\") int third(void) { return (int)STAMP(__u32, vni, 7); }\nLICENSE;\n";
	static const char *const names[] = { "fifteen_letters_first", "fifteen_letters_second", "third" };
	uint32_t record_map = 0;
	struct bpfstamp_loaded *loaded;
	struct bpfstamp_stamp *s;
	struct bpfobj o;

	if (!bpffs_compile(&o, "", source))
		return;
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "vni", "9");
	bpfobj_set(s, "shared", "10");
	bpffs.load.record = true;
	loaded = bpffs_load(s);
	for (uint32_t i = 0; i < 3; i++) {
		int fd = bpfstamp_loaded_program(loaded, bpfobj_program(&o, names[i], NULL));
		struct bpfstamp_running *r = runningbed_open(fd);

		ck_assert(r->record && (!record_map || record_map == r->record->map_id));
		record_map = r->record->map_id;
		ck_assert_str_eq(r->info.name, names[i]);
		runningbed_has(r, "vni", "0x9", true, false);
		ck_assert_uint_eq(r->value_count, i == 2 ? 1 : 3);
		if (i < 2)
			runningbed_has(r, "shared", "0xa", true, true);
		bpfstamp_running_free(r);
	}
	bpfstamp_loaded_free(loaded);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* -------------------------------------------------------- other loaders */

START_TEST(of_libbpf)
{
	struct bpfstamp_running_value v;
	struct bpfstamp_running *r;
	char path[64], command[192];
	struct bpfobj o;
	FILE *file;
	int fd;

	if (system("bpftool version >/dev/null 2>&1")) {
		printf("SKIP running: no bpftool\n");
		return;
	}
	if (!bpffs_compile(&o, "", SOURCE("globals")))
		return;
	snprintf(path, sizeof(path), "/tmp/bpfstamp-%d.o", (int)getpid());
	snprintf(command, sizeof(command), "bpftool prog load %s " BPFFS "/p type classifier", path);
	file = fopen(path, "wb");
	ck_assert(file && fwrite(o.bytes, 1, o.size, file) == o.size && !fclose(file));
	ck_assert_int_eq(system(command), 0);
	unlink(path);
	fd = sys_obj_get(BPFFS "/p");
	ck_assert_int_ge(fd, 0);
	r = runningbed_open(fd);
	ck_assert(!r->record && !r->info.object);
	ck_assert_str_eq(r->info.name, "all");
	for (uint32_t i = 0; i < bpfstamp_running_value_count(r); i++) {
		char text[256];
		char name[64];

		bpfstamp_running_value_at(r, i, &v);
		snprintf(name, sizeof(name), "%s:%s", v.section, v.path);
		bpfobj_get(&o, NULL, name, text, sizeof(text));
		ck_assert_msg(!strcmp(text, v.value), "%s is %s, not %s", name, v.value, text);
	}
	runningbed_has(r, "g_u32", "0xfedcba98", false, true);
	runningbed_has(r, "c_vni", "0x7", false, false);
	runningbed_has(r, "b_static", "0x0", false, true);
	runningbed_has(r, "g_peer.mac", "hex:030405060708", false, true);
	bpfstamp_running_free(r);
	close(fd);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_running_kernel(void)
{
	Suite *suite = suite_create("running_kernel");
	TCase *tcase;

	if (!bpffs_usable("running_kernel"))
		return suite;
	tcase = tcase_create("running");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, bpffs_setup, NULL);
	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, as_stamped, 0, 2 * sizeof(objects) / sizeof(objects[0]));
	tcase_add_test(tcase, symbols);
	tcase_add_test(tcase, in_instructions);
	tcase_add_loop_test(tcase, info, 0, 3);
	tcase_add_test(tcase, refresh);
	tcase_add_test(tcase, whole_object);
	tcase_add_test(tcase, of_libbpf);
	return suite;
}
