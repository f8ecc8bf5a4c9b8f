// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loading without debug info: which programs go without BTF, told by the kernel,
 * and which keep it, and why; and that what such a program runs with is told,
 * compared and taken over as that of any other.  The objects are compiled, so
 * these tests need clang, and the project's folder as working directory.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader/stamp.h"
#include "tests/runningbed.h"

Suite *suite_debuginfo_kernel(void);

#define START "#include \"features.h\"\nLICENSE;\n"
#define PROGRAM "SEC(\"tc\") int p(struct __sk_buff *skb) "
#define MAP(key_and_value) \
	"struct { UINT(type, BPF_MAP_TYPE_ARRAY); UINT(max_entries, 1); " key_and_value " } m SEC(\".maps\");\n"
#define TYPED MAP("TYPE(key, __u32); TYPE(value, __u64);")
#define SIZED MAP("UINT(key_size, 4); UINT(value_size, 8);")
#define LOOK_UP "{ __u32 key = 0; return bpf_map_lookup_elem(&m, &key) ? 7 : 8; }\n"

static const struct { const char *defines, *source, *why; } cases[] = {
	{ "", START PROGRAM "{ return 7; }\n", NULL },
	{ "-g0", START PROGRAM "{ return 7; }\n", NULL },
	{ "", START "const volatile struct { int a, *b; } cfg = { 7 };\n" PROGRAM "{ return cfg.a; }\n", NULL },
	{ "", START "enum e { E = 7 }; volatile enum e a = E; volatile __u16 b[2][3]; volatile float f;\n"
	  PROGRAM "{ return a + b[skb->mark & 1][0]; }\n", NULL },
	{ "", START SIZED PROGRAM LOOK_UP, NULL },
	{ "", START "volatile struct { int a; } cfg = { 7 };\n" PROGRAM "{ return cfg.a; }\n",
	  "it can write to variables that are not just numbers" },
	{ "", START "struct s { int a; }; volatile struct s cfg[2] = { { 7 } };\n" PROGRAM "{ return cfg->a; }\n",
	  "it can write to variables that are not just numbers" },
	{ "", START "void *volatile there;\n" PROGRAM "{ return there ? 8 : 7; }\n",
	  "it can write to variables that are not just numbers" },
	{ "", START TYPED PROGRAM LOOK_UP, "it has maps that are declared with types or contents" },
	{ "", START "static NOINLINE int f(int x) { OPAQUE(x); return x; }\n" PROGRAM "{ return f(7); }\n",
	  "it has more than one function" },
	{ "", START "extern const int CONFIG_NR_CPUS KCONFIG;\n" PROGRAM "{ return CONFIG_NR_CPUS ? 7 : 8; }\n",
	  "it refers to symbols or functions of the kernel" },
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static void take_line(const char *text, void *arg)
{
	(void)arg;
	ck_abort_msg("%s", text);
}

static void take_note(void *arg, const char *text)
{
	snprintf(arg, 256, "%s", text);
}

static struct bpf_prog_info info_of(int fd)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd, .info = (uintptr_t)&info, .info_len = sizeof(info) } };

	ck_assert_int_eq(bpffs_call(BPF_OBJ_GET_INFO_BY_FD, &attr), 0);
	return info;
}

/* _i: a case; each is loaded as one program, and with all that the object has. */
START_TEST(needed)
{
	char note[256] = "";
	struct bpfstamp_load load = { .no_debug_info = true, .note = take_note, .note_arg = note };
	struct bpfstamp_loaded *loaded;
	struct bpfstamp_stamp *s;
	bool with = cases[_i].why;
	struct bpfobj o;
	uint32_t p;
	int fd;

	if (!bpffs_compile(&o, cases[_i].defines, cases[_i].source))
		return;
	s = bpfobj_stamp(&o);
	OK(bpfstamp_find_program(o.t, "p", 0, &load.program, &runningbed_err));
	OK(bpfstamp_load(s, &load, &fd, &runningbed_err));
	ck_assert_uint_eq(bpffs_run(fd, 0), 7);
	ck_assert_int_eq(info_of(fd).btf_id > 0, with);
	ck_assert_int_eq(info_of(fd).nr_line_info > 0, with);
	ck_assert_int_eq(o.t->cache->btf_fd >= 0, with);
	ck_assert_str_eq(strrchr(note, ':') ? strrchr(note, ':') + 2 : "", with ? cases[_i].why : "");
	close(fd);

	p = load.program;
	load.program = BPFSTAMP_ALL_PROGRAMS;
	OK(bpfstamp_load_object(s, &load, &loaded, &runningbed_err));
	ck_assert_int_eq(info_of(bpfstamp_loaded_program(loaded, p)).btf_id > 0, with);
	for (uint32_t i = 0; i < o.t->map_count; i++)
		ck_assert(with || !bpffs_info(bpfstamp_loaded_map(loaded, i)).btf_id);
	bpfstamp_loaded_free(loaded);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* Read-only values are told by the record; the stamp that they make is equal, with debug info and without. */
START_TEST(values)
{
	static const char source[] = START
		"const volatile struct { __u32 vni; __u16 vlan; } cfg = { 1, 2 };\nvolatile __u32 counter = 5;\n"
		PROGRAM "{ return counter++ ? cfg.vni + cfg.vlan : 0; }\n";
	struct bpfstamp_load load = { .no_debug_info = true, .record = true };
	struct bpfstamp_stamp *s, *again;
	struct bpfstamp_running *r;
	struct bpfobj o;
	bool equal;
	int fd;

	if (!bpffs_compile(&o, "", source))
		return;
	s = bpfobj_stamp(&o);
	again = bpfobj_stamp(&o);
	bpfobj_set(s, "cfg.vni", "40");
	bpfobj_set(s, "counter", "6");
	OK(bpfstamp_find_program(o.t, "p", 0, &load.program, &runningbed_err));
	OK(bpfstamp_load(s, &load, &fd, &runningbed_err));
	ck_assert_uint_eq(info_of(fd).btf_id, 0);
	r = runningbed_open(fd);
	/* One that was set, and no type to take it apart by. */
	ck_assert_uint_eq(bpfstamp_running_value_count(r), 1);
	runningbed_has(r, "cfg", o.big ? "hex:0000002800020000" : "hex:2800000002000000", true, false);
	ck_assert_int_eq(bpfstamp_poke(r, "cfg", "hex:0000000000000000", false, &runningbed_err), -1);
	bpfobj_says(&runningbed_err, "cfg: its section is read-only, and its map has no BTF: stamp it anew");
	ck_assert_int_eq(bpfstamp_poke(r, "counter", "1", false, &runningbed_err), -1);
	bpfobj_says(&runningbed_err, "counter: it has no variable of that name");

	for (int without = 0; without < 2; without++) {
		load.no_debug_info = without;
		OK(bpfstamp_verify(s, &load, runningbed_id(fd), take_line, NULL, &equal, &runningbed_err));
		ck_assert(equal);
	}
	ck_assert_int_eq(bpfstamp_restamp(again, r, &runningbed_err), -1);
	bpfobj_says(&runningbed_err, "was stamped with a value for counter that nobody can read back: set it");
	bpfstamp_stamp_free(again);
	runningbed_free(r, fd, s, &o);
}
END_TEST

/* A program with debug info is not the one without. */
START_TEST(shared)
{
	struct bpfstamp_load load = { 0 };
	struct bpfstamp_share *share;
	struct bpfstamp_stamp *s;
	struct bpfobj o;

	if (!bpffs_compile(&o, "", START PROGRAM "{ return 7; }\n"))
		return;
	s = bpfobj_stamp(&o);
	OK(bpfstamp_find_program(o.t, "p", 0, &load.program, &runningbed_err));
	OK(bpfstamp_share_new(&share, o.t, 10, &runningbed_err));
	for (int i = 0; i < 4; i++) {
		bool reused = i < 2;
		int fd;

		load.no_debug_info = i % 2;
		OK(bpfstamp_share_load(share, s, &load, &fd, &reused, &runningbed_err));
		ck_assert_int_eq(reused, i >= 2);
		ck_assert_int_eq(info_of(fd).btf_id > 0, !load.no_debug_info);
		close(fd);
	}
	bpfstamp_share_free(share);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* The kernel knows nothing of lines, and the error does. */
START_TEST(refusal)
{
	static const char source[] = START PROGRAM "{\n\treturn *(volatile char *)(long)skb->data;\n}\n";
	static char log[1 << 16];
	struct bpfstamp_load load = { .no_debug_info = true, .log = log, .log_size = sizeof(log) };
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	int fd;

	if (!bpffs_compile(&o, "", source))
		return;
	s = bpfobj_stamp(&o);
	OK(bpfstamp_find_program(o.t, "p", 0, &load.program, &runningbed_err));
	ck_assert_int_eq(bpfstamp_load(s, &load, &fd, &runningbed_err), -1);
	bpfobj_says(&runningbed_err, "invalid access to packet");
	bpfobj_says(&runningbed_err, ":4)");
	ck_assert_ptr_nonnull(strstr(log, "invalid access to packet"));
	ck_assert_ptr_null(strstr(log, "volatile char"));
	load.no_debug_info = false;
	ck_assert_int_eq(bpfstamp_load(s, &load, &fd, &runningbed_err), -1);
	ck_assert_ptr_nonnull(strstr(log, "volatile char"));
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_debuginfo_kernel(void)
{
	TCase *tcase = tcase_create("debuginfo_kernel");
	Suite *s = suite_create("debuginfo_kernel");

	suite_add_tcase(s, tcase);
	tcase_set_timeout(tcase, 60);
	if (!bpffs_usable("debuginfo"))
		return s;
	tcase_add_checked_fixture(tcase, bpffs_setup, NULL);
	tcase_add_loop_test(tcase, needed, 0, CASES);
	tcase_add_test(tcase, values);
	tcase_add_test(tcase, shared);
	tcase_add_test(tcase, refusal);
	return s;
}
