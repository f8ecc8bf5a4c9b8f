// SPDX-License-Identifier: BSD-2-Clause
/*
 * Comparing programs that the kernel has with what would be stamped: every test
 * object is equal to itself, and each kind of difference is found and named.
 * And a stamp that takes over what runs is equal to it.  The objects are
 * compiled, so these tests need clang, and the project's folder as working
 * directory.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loader/stamp.h"
#include "loader/sys.h"
#include "loader/verify.h"
#include "tests/bpffs.h"

Suite *suite_verify_kernel(void);

static struct bpfstamp_err err;

#define OK(call) ck_assert_msg(!(call), "%s: %s", #call, err.text)

struct lines {
	int count;
	char all[8192];		/* a line each */
};

static void take_line(const char *text, void *arg)
{
	struct lines *lines = arg;
	size_t used = strlen(lines->all);

	ck_assert_ptr_null(strchr(text, '\n'));
	lines->count++;
	snprintf(lines->all + used, sizeof(lines->all) - used, "%s\n", text);
}

/* Whether the program of that id is what s would be; *lines: why not.  Nothing is left. */
static bool verify_as(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, uint32_t id, struct lines *lines)
{
	int fds = bpffs_open_fds();
	bool equal = false;

	*lines = (struct lines){ 0 };
	OK(bpfstamp_verify(s, load, id, take_line, lines, &equal, &err));
	ck_assert_msg(equal == !lines->count, "equal %d, but: %s", equal, lines->all);
	/* The template keeps the fd of its BTF from its first load on. */
	ck_assert_int_le(bpffs_open_fds(), fds + 1);
	return equal;
}

static bool verify(struct bpfstamp_stamp *s, uint32_t id, struct lines *lines)
{
	struct bpfstamp_load load = { .prog_type = BPF_PROG_TYPE_SCHED_CLS };

	OK(bpfstamp_find_program(s->t, NULL, 0, &load.program, &err));
	return verify_as(s, &load, id, lines);
}

static uint32_t id_of(int fd)
{
	struct bpfstamp_prog_info info;

	OK(bpfstamp_prog_info(fd, &info, &err));
	return info.id;
}

/* The only program of a stamp. */
static int load_one(struct bpfstamp_stamp *s, bool record)
{
	struct bpfstamp_load load = { .prog_type = BPF_PROG_TYPE_SCHED_CLS, .record = record };
	int fd;

	OK(bpfstamp_find_program(s->t, NULL, 0, &load.program, &err));
	OK(bpfstamp_load(s, &load, &fd, &err));
	return fd;
}

/* ---------------------------------------------------------- every object */

static const char *const objects[] = {
	"atomics", "big", "btf_kinds", "callback_each", "callback_loop", "calls_deep", "calls_global",
	"core_access", "core_config", "core_kinds", "data", "externs_flavor", "externs_kconfig", "externs_kfunc",
	"externs_ksyms", "externs_percpu", "folded", "globals", "hidden", "included", "kptr", "loops", "map_bloom",
	"map_hashes", "map_queue", "map_trie", "maps", "maps_legacy", "maps_of_maps", "maps_types", "names",
	"no_license", "optional", "perf_events", "ping_drop_bss", "ping_drop_rodata", "ping_drop_symbol",
	"ping_drop_tail", "ringbuf", "sk_storage", "spin_lock", "stamps", "strings", "subprogs", "symbols",
	"tail_calls", "timer", "types", "types_5_14", "types_6_7", "xdp_frags", "xdp_redirect",
};

static void set_symbols(struct bpfstamp_stamp *s)
{
	for (uint32_t i = 0; i < s->t->injectable_count; i++)
		if (s->t->injectables[i].kind == BPFSTAMP_SYMBOL && s->t->injectables[i].site_count)
			bpfobj_set(s, s->t->injectables[i].name, "5");
}

static void compare_program(struct bpfstamp_stamp *s, uint32_t program, const char *object)
{
	const struct func *f = &s->t->funcs[program];
	struct bpfstamp_load load = { .program = program };
	struct bpfstamp_loaded *loaded;
	struct lines lines;

	load.prog_type = f->prog_type ? 0 : BPF_PROG_TYPE_SCHED_CLS;
	if (!f->entry || bpfstamp_load_object(s, &load, &loaded, &err))
		return;
	ck_assert_msg(verify_as(s, &load, id_of(bpfstamp_loaded_program(loaded, program)), &lines), "%s, %s: %s",
		      object, f->name, lines.all);
	bpfstamp_unpin(loaded);
	bpfstamp_loaded_free(loaded);
}

static void compare_all(const struct bpfstamp_template *t, const char *object)
{
	struct bpfstamp_stamp *s;

	OK(bpfstamp_stamp_new(&s, t, &err));
	set_symbols(s);
	for (uint32_t i = 0; i < t->func_count; i++)
		compare_program(s, i, object);
	bpfstamp_stamp_free(s);
}

/* As it is, and inlined. */
START_TEST(every_object)
{
	struct bpfstamp_template *t;
	struct bpfobj o;
	char source[64];

	snprintf(source, sizeof(source), "#include \"%s.bpf.c\"\n", objects[_i]);
	if (!bpffs_compile(&o, "", source))
		return;
	compare_all(o.t, objects[_i]);
	OK(bpfstamp_open(&t, o.bytes, o.size, "test.o", &err));
	if (!bpfstamp_inline(t, &err))
		compare_all(t, objects[_i]);
	bpfstamp_close(t);
	bpfobj_free(&o);
}
END_TEST

/* ------------------------------------------------------------ every kind */

static const char kinds[] =
	"#include \"features.h\"\n#include \"bpfstamp.bpf.h\"\n"
	"#define SYMBOL(name) ({ __u64 v; __asm__ volatile(\"%0 = \" #name \" ll\" : \"=r\"(v)); v; })\n"
	"const volatile __u32 ro = 7;\nconst volatile __s16 minus = -7;\n"
	"const volatile struct { __u32 vni; __u16 vlan; __u32 low : 5, high : 9; } cfg = { 1, 2, 3, 4 };\n"
	"volatile __u32 rw = 7;\nvolatile __u64 hits = 1;\nvolatile struct { __u32 vni, hits; } state = { 1, 2 };\n"
	"static NOINLINE __u32 sub(__u32 x) { return x ^ STAMP_BITS(__u32, in_sub, 24, 7); }\n"
	"SEC(\"tc\") int p(struct __sk_buff *skb)\n{\n"
	"	__u64 sum = skb->mark;\n"
	"	hits++;\n	state.hits++;\n"
	"	sum += ro + minus + cfg.vni + cfg.vlan + cfg.low + cfg.high + rw + state.vni;\n"
	"	sum += STAMP(__u32, stamp, 7) + (__u64)STAMP(__s32, negative, -7) + SYMBOL(symbol);\n"
	"	sum ^= 0xFEDCBA98ULL;\n	sum += sub(skb->len);\n	skb->cb[0] = (__u32)sum - 0x13579bdf;\n"
	"	return (int)sum;\n}\nLICENSE;\n";

static const struct { const char *name, *first, *second, *line; bool inlined; } values[] = {
	{ "ro", "7", "42", "ro: runs 0x7, would be 0x2a\n", false },
	{ "minus", "-7", "5", "minus: runs -7, would be 5\n", false },
	{ "cfg.vni", "1", "0x123456", "cfg.vni: runs 0x1, would be 0x123456\n", false },
	{ "cfg.low", "3", "31", "cfg.low: runs 0x3, would be 0x1f\n", false },
	{ "rw", "7", "8", "rw: runs 0x7, would be 0x8\n", false },
	{ "state.vni", "5", "6", "state.vni: runs 0x5, would be 0x6\n", false },
	{ "stamp", "7", "42", "stamp: runs 0x7, would be 0x2a\n", false },
	{ "negative", "-7", "7", "negative: runs -7, would be 7\n", false },
	{ "in_sub", "7", "0xabcdef", "in_sub: runs 0x7, would be 0xabcdef\n", false },
	{ "symbol", "1", "0x123456789abc", "symbol: runs 0x1, would be 0x123456789abc\n", false },
	{ "0xFEDCBA98", "0x11223344", "0x55667788", "0xFEDCBA98: runs 0x11223344, would be 0x55667788\n", false },
	{ "0x13579bdf", "5", "6", "0x13579bdf: instruction ", false },
	{ "ro", "7", "42", "ro: runs 0x7, would be 0x2a\n", true },
	{ "minus", "-7", "5", "minus: runs -7, would be 5\n", true },
	{ "cfg.vni", "1", "2", "cfg.vni: runs 0x1, would be 0x2\n", true },
	{ "cfg.vlan", "1", "2", "cfg.vlan: runs 0x1, would be 0x2\n", true },
	{ "rw", "7", "8", "rw: runs 0x7, would be 0x8\n", true },
};

static bool open_kinds(struct bpfobj *o, bool inlined)
{
	if (!bpffs_kernel(502) || !bpffs_compile(o, "", kinds))
		return false;
	OK(bpfstamp_declare(o->t, "0xFEDCBA98", -1, true, &err));
	OK(bpfstamp_declare(o->t, "0x13579bdf", -1, true, &err));
	if (inlined)
		OK(bpfstamp_inline(o->t, &err));
	return true;
}

START_TEST(one_value)
{
	const char *want = values[_i].line;
	struct bpfstamp_stamp *s;
	struct lines lines;
	struct bpfobj o;
	uint32_t id;
	int fd;

	if (!open_kinds(&o, values[_i].inlined))
		return;
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "symbol", "1");
	bpfobj_set(s, values[_i].name, values[_i].first);
	fd = load_one(s, false);
	id = id_of(fd);
	bpffs_run(fd, 0);
	ck_assert_msg(verify(s, id, &lines), "%s", lines.all);
	bpfobj_set(s, values[_i].name, values[_i].second);
	ck_assert(!verify(s, id, &lines));
	ck_assert_msg(lines.count == 1 && !strncmp(lines.all, want, strlen(want)), "not %s, but %s", want, lines.all);
	bpfobj_set(s, values[_i].name, values[_i].first);
	ck_assert_msg(verify(s, id, &lines), "%s", lines.all);
	close(fd);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

static void set_all(struct bpfstamp_stamp *s)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		bpfobj_set(s, values[i].name, values[i].second);
}

/* All differ: each is told once. */
START_TEST(all_values)
{
	struct bpfstamp_stamp *s;
	struct lines lines;
	struct bpfobj o;
	uint32_t id;
	int fd;

	if (!open_kinds(&o, false))
		return;
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "symbol", "1");
	fd = load_one(s, false);
	id = id_of(fd);
	bpfobj_set(s, "symbol", "1");
	set_all(s);
	ck_assert(!verify(s, id, &lines));
	ck_assert_msg(lines.count == 12, "%d: %s", lines.count, lines.all);
	close(fd);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* A stamp that takes over what runs is equal to it, also where the program has changed its state meanwhile. */
START_TEST(restamped)
{
	struct bpfstamp_running *r;
	struct bpfstamp_stamp *s;
	struct lines lines;
	struct bpfobj o;
	uint32_t id;
	int fd;

	if (!bpfobj_kernel_has("verify", 5, 10, "records of programs") || !open_kinds(&o, _i))
		return;
	s = bpfobj_stamp(&o);
	set_all(s);
	fd = load_one(s, true);
	id = id_of(fd);
	bpffs_run(fd, 0);
	OK(bpfstamp_running_open(&r, id, &err));
	bpfstamp_reset(s);
	OK(bpfstamp_restamp(s, r, &err));
	ck_assert_msg(verify(s, id, &lines), "%s", lines.all);
	bpfobj_set(s, "stamp", "1");
	bpfobj_set(s, "ro", "1");
	ck_assert(!verify(s, id, &lines));
	ck_assert_int_eq(lines.count, 2);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);

	/* The same object, but nobody declared the placeholders. */
	ck_assert(bpffs_compile(&o, "", kinds));
	s = bpfobj_stamp(&o);
	ck_assert_int_eq(bpfstamp_restamp(s, r, &err), -1);
	bpfobj_says(&err, "was stamped with a value for the placeholder 0xFEDCBA98: declare it");
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);

	/* And another one. */
	ck_assert(bpffs_compile(&o, "", "#include \"features.h\"\n" BPFFS_PROGRAM));
	s = bpfobj_stamp(&o);
	ck_assert_int_eq(bpfstamp_restamp(s, r, &err), -1);
	bpfobj_says(&err, "test.o: it has no ");
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
	bpfstamp_running_free(r);
	close(fd);
}
END_TEST

/* -------------------------------------------------------- other programs */

#define ONE(body) "#include \"features.h\"\n" body "\nLICENSE;\n"
#define PROGRAM "SEC(\"tc\") int p(struct __sk_buff *skb)\n"
#define HASH(name, entries) "struct { UINT(type, 1); UINT(key_size, 4); UINT(value_size, 8); UINT(max_entries, " \
	#entries "); } " #name " SEC(\".maps\");\n"
#define LOOK(name) "{ __u32 key = skb->mark; return bpf_map_lookup_elem(&" #name ", &key) ? 1 : 2; }\n"
#define DATA "volatile __u32 a = 1, b = 2;\n"
#define PRUNED "const volatile __u32 ro = "
#define ON_RO ";\n" PROGRAM "{ __u32 x = skb->mark; if (ro == 1) x += skb->len; return x; }"
#define HELPER(name) "static __u64 (*const f)(void) = (void *)BPF_FUNC_" #name ";\n" PROGRAM "{ return (int)f(); }\n"

static const struct { const char *runs, *wants; const char *lines[3]; } others[] = {
	{ ONE(PROGRAM "{ return skb->mark; }"), ONE(PROGRAM "{ return skb->mark + skb->len; }"),
	  { "p: another program of that name runs, or another build of the object: 2 instructions, would be 4, "
	    "and " } },
	{ ONE("SEC(\"tc\") int q(struct __sk_buff *skb) { return skb->mark; }"), ONE(PROGRAM "{ return skb->mark; }"),
	  { "program q runs there, would be p\n" } },
	{ ONE("SEC(\"xdp\") int p(void *ctx) { return 2; }"), ONE(PROGRAM "{ return 2; }"),
	  { "program p: runs as type xdp, would be sched_cls\n" } },
	{ ONE(PROGRAM "{ return skb->mark + 7; }"), ONE(PROGRAM "{ return skb->mark + 8; }"),
	  { "of p, as the kernel translated it: runs `", " += 7`, would be `", " += 8`\n" } },
	{ ONE(HASH(m, 8) PROGRAM LOOK(m)), ONE(HASH(m, 16) PROGRAM LOOK(m)),
	  { "map m: runs with max_entries 8, would be 16\n" } },
	{ ONE(HASH(m, 8) HASH(n, 8) PROGRAM "{ __u32 k = skb->mark; return !bpf_map_lookup_elem(&m, &k) + "
	      "2 * !bpf_map_lookup_elem(&n, &k) + 4 * !bpf_map_lookup_elem(&m, &k); }\n"),
	  ONE(HASH(m, 8) HASH(n, 8) PROGRAM "{ __u32 k = skb->mark; return !bpf_map_lookup_elem(&m, &k) + "
	      "2 * !bpf_map_lookup_elem(&n, &k) + 4 * !bpf_map_lookup_elem(&n, &k); }\n"),
	  { "of p, as the kernel translated it: refers to map m at 0, would be n at 0\n" } },
	{ ONE(DATA PROGRAM "{ return a; }"), ONE(DATA PROGRAM "{ return b; }"),
	  { "as the kernel translated it: refers to map test.data at 0, would be test.data at 4\n" } },
	{ ONE(PRUNED "1" ON_RO), ONE(PRUNED "2" ON_RO),
	  { "ro: runs 0x1, would be 0x2\n", "p: the kernel removed other dead code for these values: " } },
	{ ONE(HELPER(ktime_get_ns)), ONE(HELPER(ktime_get_boot_ns)), { "" } },
	{ ONE("const char text[] = \"one\";\n" PROGRAM "{ return text[skb->mark & 3]; }"),
	  ONE("const char text[] = \"two\";\n" PROGRAM "{ return text[skb->mark & 3]; }"),
	  { "text: runs hex:6f6e6500, would be hex:74776f00\n" } },
};

START_TEST(other_program)
{
	struct bpfobj runs, wants;
	struct bpfstamp_stamp *s;
	struct bpfstamp_load load = { 0 };
	struct lines lines;
	int fd;

	if (!bpffs_kernel(508) || !bpffs_compile(&runs, "", others[_i].runs))
		return;
	s = bpfobj_stamp(&runs);
	OK(bpfstamp_find_program(s->t, NULL, 0, &load.program, &err));
	OK(bpfstamp_load(s, &load, &fd, &err));
	ck_assert_msg(verify_as(s, &load, id_of(fd), &lines), "%s", lines.all);
	bpfstamp_stamp_free(s);
	ck_assert(bpffs_compile(&wants, "", others[_i].wants));
	s = bpfobj_stamp(&wants);
	ck_assert(!verify(s, id_of(fd), &lines));
	for (int i = 0; i < 3 && others[_i].lines[i]; i++)
		ck_assert_msg(strstr(lines.all, others[_i].lines[i]) != NULL, "not '%s', but %s", others[_i].lines[i],
			      lines.all);
	close(fd);
	bpfstamp_stamp_free(s);
	bpfobj_free(&runs);
	bpfobj_free(&wants);
}
END_TEST

static void drop_syslog(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	ck_assert_int_eq((int)syscall(SYS_capget, &header, data), 0);
	data[1].effective &= ~(1u << (CAP_SYSLOG - 32));
	ck_assert_int_eq((int)syscall(SYS_capset, &header, data), 0);
}

/* Who may not see the kernel's addresses sees no call, but can tell by the tag. */
START_TEST(hidden_calls)
{
	struct bpfobj runs, wants;
	struct bpfstamp_stamp *s;
	struct lines lines;
	int fd;

	if (!bpffs_kernel(508) || !bpffs_compile(&runs, "", ONE(HELPER(ktime_get_ns))))
		return;
	drop_syslog();
	s = bpfobj_stamp(&runs);
	fd = load_one(s, false);
	ck_assert_msg(verify(s, id_of(fd), &lines), "%s", lines.all);
	bpfstamp_stamp_free(s);
	ck_assert(bpffs_compile(&wants, "", ONE(HELPER(ktime_get_boot_ns))));
	s = bpfobj_stamp(&wants);
	ck_assert(!verify(s, id_of(fd), &lines));
	ck_assert_int_eq(lines.count, 1);
	close(fd);
	bpfstamp_stamp_free(s);
	bpfobj_free(&runs);
	bpfobj_free(&wants);
}
END_TEST

/*
 * Of a variable that the program may write, what was set is compared, and only
 * that: also where it is what the object has, one part of several, or long.
 */
START_TEST(parts)
{
	static const char source[] =
		"#include \"features.h\"\nvolatile struct { __u32 a, b; __u8 raw[4]; __u32 x : 3, y : 5; } "
		"v = { 1, 2 };\nconst volatile __u32 deep[64][64][64] = { 1 };\n"
		PROGRAM "{ return v.a + v.b + v.raw[1] + v.x + v.y + deep[skb->len & 63][1][2]; }\nLICENSE;\n";
	static const struct { const char *name, *value, *line; } sets[] = {
		{ "v.a", "9", "" }, { "v.a", "1", "v.a: runs 0x9, would be 0x1\n" },
		{ "v.b", "2", "v.b: runs 0x5, would be 0x2\n" }, { "v.b", "5", "" },
		{ "v.raw[1]", "0", "" }, { "v.raw[1]", "1", "v.raw: runs hex:07000000, would be hex:00010000\n" },
		{ "v.y", "4", "" }, { "v.y", "0", "v.y: runs 0x4, would be 0x0\n" },
		{ "deep[63][63][63]", "6", "deep: runs another value, which begins with the same bytes: " },
	};
	struct bpfstamp_stamp *s;
	struct lines lines;
	struct bpfobj o;
	uint32_t id;
	int fd;

	if (!bpffs_kernel(502) || !bpffs_compile(&o, "", source))
		return;
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "v.a", "9");
	bpfobj_set(s, "v.b", "5");
	bpfobj_set(s, "v.raw[0]", "7");
	bpfobj_set(s, "v.x", "1");
	bpfobj_set(s, "v.y", "4");
	fd = load_one(s, false);
	id = id_of(fd);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		bpfstamp_reset(s);
		bpfobj_set(s, "v.a", "9");
		bpfobj_set(s, sets[i].name, sets[i].value);
		verify(s, id, &lines);
		ck_assert_msg(lines.count == !!*sets[i].line &&
			      !strncmp(lines.all, sets[i].line, strlen(sets[i].line)),
			      "%s=%s: %s", sets[i].name, sets[i].value, lines.all);
	}
	close(fd);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* More differences than anybody reads. */
START_TEST(many)
{
	static const char source[] =
		"#include \"features.h\"\nconst volatile __u32 many[40] = { 1 };\n"
		PROGRAM "{ return many[skb->mark & 31]; }\nLICENSE;\n";
	struct bpfstamp_stamp *s;
	struct lines lines;
	struct bpfobj o;
	char name[16];
	int fd;

	if (!bpffs_kernel(502) || !bpffs_compile(&o, "", source))
		return;
	s = bpfobj_stamp(&o);
	fd = load_one(s, false);
	for (int i = 0; i < 33; i++) {
		snprintf(name, sizeof(name), "many[%d]", i);
		bpfobj_set(s, name, "77");
	}
	ck_assert(!verify(s, id_of(fd), &lines));
	ck_assert_int_eq(lines.count, 21);
	ck_assert_ptr_nonnull(strstr(lines.all, "many[19]: runs 0x0, would be 0x4d\nand 13 more differences\n"));
	close(fd);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* What runs has another map than the one that is pinned now. */
START_TEST(pinned_map)
{
	static const char source[] =
		"#include \"features.h\"\nstruct { UINT(type, 1); UINT(key_size, 4); UINT(value_size, 8); "
		"UINT(max_entries, 4); UINT(pinning, 1); } m SEC(\".maps\");\n" PROGRAM LOOK(m) "LICENSE;\n";
	struct bpfstamp_stamp *s;
	struct lines lines;
	struct bpfobj o;
	int fd, other;

	if (!bpffs_kernel(502) || !bpffs_compile(&o, "", source))
		return;
	s = bpfobj_stamp(&o);
	fd = load_one(s, false);
	ck_assert_msg(verify(s, id_of(fd), &lines), "%s", lines.all);
	ck_assert_int_eq(unlink(BPFFS "/m"), 0);
	ck_assert_msg(verify(s, id_of(fd), &lines), "%s", lines.all);
	ck_assert(!bpffs_has(BPFFS "/m"));
	other = load_one(s, false);
	ck_assert(!verify(s, id_of(fd), &lines));
	ck_assert_int_eq(lines.count, 1);
	ck_assert_ptr_nonnull(strstr(lines.all, "map m: runs with the one of id "));
	ck_assert_msg(verify(s, id_of(other), &lines), "%s", lines.all);
	close(fd);
	close(other);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/*
 * What the kernel makes of a constant where it blinds them (net.core.bpf_jit_harden
 * is the whole machine's, and not a test's to change): nothing can be compared.
 */
START_TEST(blinded)
{
	struct bpfinsn plain[] = { MOV64(0, 7), EXIT, { 0 } };
	struct bpfinsn insns[] = { MOV64(11, 0x1234),
				   { .code = BPF_CLASS_ALU64 | BPF_OP_XOR, .dst = 11, .imm = 0x1233 },
				   { .code = BPF_CLASS_ALU64 | BPF_OP_MOV | BPF_SOURCE_X, .src = 11 }, EXIT, { 0 } };
	struct verify v = { .runs = { .insns = plain, .insn_count = 2 },
			    .wants = { .insns = plain, .insn_count = 2 } };

	ck_assert(verify_can_compare(&v));
	v.wants = (struct verify_side){ .insns = insns, .insn_count = 4 };
	ck_assert(!verify_can_compare(&v));
	v.runs = v.wants;
	v.wants = (struct verify_side){ .insns = plain, .insn_count = 2 };
	ck_assert(!verify_can_compare(&v));
	insns[1].dst = 10;
	ck_assert(verify_can_compare(&v));
	v.runs = (struct verify_side){ 0 };
	ck_assert(!verify_can_compare(&v));
}
END_TEST

START_TEST(failures)
{
	const struct bpfstamp_load all = { .program = BPFSTAMP_ALL_PROGRAMS };
	struct bpfstamp_load load = { 0 };
	struct bpfstamp_stamp *s;
	struct lines lines = { 0 };
	bool equal = true;
	struct bpfobj o;
	uint32_t id;
	int fd;

	if (!bpffs_compile(&o, "", "#include \"symbols.bpf.c\"\n"))
		return;
	s = bpfobj_stamp(&o);
	set_symbols(s);
	load.program = bpfobj_program(&o, "again", NULL);
	OK(bpfstamp_load(s, &load, &fd, &err));
	id = id_of(fd);
	ck_assert_int_eq(bpfstamp_verify(s, &all, id, take_line, &lines, &equal, &err), -1);
	bpfobj_says(&err, "test.o: one program runs there: say which it would be");
	bpfstamp_reset(s);
	ck_assert_int_eq(bpfstamp_verify(s, &load, id, take_line, &lines, &equal, &err), -1);
	bpfobj_says(&err, "symbol y_strong has no value");
	close(fd);
	for (int tries = 0; tries < 100 && (fd = sys_prog_by_id(id)) >= 0; tries++) {
		close(fd);
		usleep(10000);
	}
	ck_assert_int_eq(bpfstamp_verify(s, &load, id, take_line, &lines, &equal, &err), -1);
	ck_assert_int_eq(err.code, ENOENT);
	bpfobj_says(&err, "is gone");
	ck_assert(equal && !lines.count);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_verify_kernel(void)
{
	TCase *tcase = tcase_create("verify_kernel");
	Suite *s = suite_create("verify_kernel");

	suite_add_tcase(s, tcase);
	tcase_set_timeout(tcase, 120);
	if (!bpffs_usable("verify"))
		return s;
	tcase_add_checked_fixture(tcase, bpffs_setup, NULL);
	tcase_add_loop_test(tcase, every_object, 0, sizeof(objects) / sizeof(objects[0]));
	tcase_add_loop_test(tcase, one_value, 0, sizeof(values) / sizeof(values[0]));
	tcase_add_test(tcase, all_values);
	tcase_add_loop_test(tcase, restamped, 0, 2);
	tcase_add_loop_test(tcase, other_program, 0, sizeof(others) / sizeof(others[0]));
	tcase_add_test(tcase, hidden_calls);
	tcase_add_test(tcase, parts);
	tcase_add_test(tcase, many);
	tcase_add_test(tcase, pinned_map);
	tcase_add_test(tcase, blinded);
	tcase_add_test(tcase, failures);
	return s;
}
