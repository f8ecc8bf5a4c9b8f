// SPDX-License-Identifier: BSD-2-Clause
/*
 * Maps as the running kernel makes them: what it says of them afterwards, by
 * BPF_OBJ_GET_INFO_BY_FD, look-ups and runs of programs.  The objects are
 * compiled, so these tests need clang, and the project's folder as working
 * directory.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "loader/externs.h"
#include "loader/kbtf.h"
#include "loader/lacks.h"
#include "loader/mapmake.h"
#include "loader/pin.h"
#include "loader/sys.h"
#include "tests/bpfcalls.h"
#include "tests/bpffs.h"

Suite *suite_maps_kernel(void);

static uint32_t cpus(void)
{
	return (uint32_t)sysconf(_SC_NPROCESSORS_CONF);
}

/* Where the kernel's answer is not the definition. */
static const struct {
	const char *name;
	uint32_t key, value, entries;	/* entries 0: one for each CPU */
} adapted[] = {
	{ "perf_default", 4, 4, 0 }, { "cpumap", 4, 8, 0 }, { "ring", 0, 0, 8192 }, { "user_ring", 0, 0, 4096 },
};

/* Types that not every kernel has. */
static const struct { uint32_t type, since; } types[] = {
	{ BPF_MAP_TYPE_QUEUE, 420 }, { BPF_MAP_TYPE_STACK, 420 }, { BPF_MAP_TYPE_SK_STORAGE, 502 },
	{ BPF_MAP_TYPE_DEVMAP_HASH, 504 }, { BPF_MAP_TYPE_RINGBUF, 508 }, { BPF_MAP_TYPE_INODE_STORAGE, 510 },
	{ BPF_MAP_TYPE_TASK_STORAGE, 511 }, { BPF_MAP_TYPE_BLOOM_FILTER, 516 }, { BPF_MAP_TYPE_USER_RINGBUF, 601 },
	{ 32 /* CGRP_STORAGE */, 602 },
};

static bool kernel_has(uint32_t type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type)
			return bpffs_kernel(types[i].since);
	return true;
}

/* What the kernel is expected to say of a map. */
static struct bpf_map_info wanted(const struct map *m)
{
	struct bpf_map_info want = { .key_size = m->key_size, .value_size = m->value_size,
				     .max_entries = m->max_entries };

	for (size_t i = 0; i < sizeof(adapted) / sizeof(adapted[0]); i++) {
		if (strcmp(m->name, adapted[i].name) != 0)
			continue;
		want.key_size = adapted[i].key;
		want.value_size = adapted[i].value;
		want.max_entries = adapted[i].entries ? adapted[i].entries : cpus();
	}
	if (m->flags & BPF_F_NO_COMMON_LRU)
		want.max_entries = (want.max_entries + cpus() - 1) / cpus() * cpus();
	return want;
}

START_TEST(every_type)
{
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	int btf;

	if (!bpffs_compile(&o, "", "#include \"maps_types.bpf.c\"\n"))
		return;
	s = bpfobj_stamp(&o);
	btf = kbtf_load(o.t, &bpffs.load);
	for (uint32_t i = 0; i < o.t->map_count; i++) {
		const struct map *m = &o.t->maps[i];
		struct bpf_map_info want = wanted(m), info;

		if (!kernel_has(m->type))
			continue;
		if (mapmake(s, i, btf, &bpffs.load, &bpffs.err) && m->type == BPF_MAP_TYPE_INODE_STORAGE) {
			printf("SKIP maps: no inode_storage (CONFIG_BPF_LSM)\n");
			continue;
		}
		ck_assert_msg(s->map_fds[i] >= 0, "%s", bpffs.err.text);
		info = bpffs_info(s->map_fds[i]);
		ck_assert_str_eq(info.name, m->name);
		ck_assert_uint_eq(info.type, m->type);
		ck_assert_uint_eq(info.key_size, want.key_size);
		ck_assert_uint_eq(info.value_size, want.value_size);
		ck_assert_msg(info.max_entries == want.max_entries, "%s: %u entries", m->name, info.max_entries);
		ck_assert_uint_eq(info.map_extra, m->extra);
		ck_assert_uint_eq(info.map_flags & ~(uint32_t)BPF_F_RDONLY_PROG, m->flags);
		if (bpffs_kernel(510))
			ck_assert_uint_eq(info.btf_value_type_id, m->btf_value);
	}
	close(btf);
	mapmake_close(s);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

START_TEST(maps_in_maps)
{
	struct bpfstamp_loaded *loaded;
	struct bpfstamp_stamp *s;
	uint32_t id, outer, first;
	uint64_t value;
	struct bpfobj o;

	if (!bpffs_kernel(510) || !bpffs_compile(&o, "", "#include \"maps_of_maps.bpf.c\"\n"))
		return;
	s = bpfobj_stamp(&o);
	loaded = bpffs_load(s);
	outer = (uint32_t)bpfstamp_loaded_map(loaded, bpffs_find(&o, "by_index"));
	first = (uint32_t)bpfstamp_loaded_map(loaded, bpffs_find(&o, "first"));
	for (uint32_t slot = 0; slot < 4; slot++) {
		static const char *const held[] = { "first", NULL, "second", "hidden" };

		if (!held[slot]) {
			ck_assert(bpffs_lookup((int)outer, slot, &id) == -1 && errno == ENOENT);
			continue;
		}
		ck_assert_int_eq(bpffs_lookup((int)outer, slot, &id), 0);
		ck_assert_uint_eq(id, bpffs_info(bpfstamp_loaded_map(loaded, bpffs_find(&o, held[slot]))).id);
	}
	/* The program finds the map in slot 0, and no other. */
	ck_assert_int_eq(bpffs_lookup((int)first, 1, &value), -1);
	ck_assert_uint_eq(bpffs_run(bpfstamp_loaded_program(loaded, bpfobj_program(&o, "count", NULL)), 0), 0);
	ck_assert_int_eq(bpffs_lookup((int)first, 1, &value), 0);
	ck_assert_uint_eq(value, 7);
	ck_assert_int_eq(bpffs_lookup(bpfstamp_loaded_map(loaded, bpffs_find(&o, "second")), 1, &value), -1);
	bpfstamp_loaded_free(loaded);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* Tail calls and inner maps of iproute2; its pins are shared by those who load the object, or by everybody. */
START_TEST(legacy)
{
	static const uint32_t results[] = { 10, 100, 20, 100, 100 };	/* by mark */
	struct bpfstamp_loaded *loaded, *again;
	struct bpfstamp_stamp *s;
	char path[PIN_PATH_SIZE];
	uint32_t id, own;
	struct bpfobj o;
	int entry;

	if (!bpffs_kernel(502) || !bpffs_compile(&o, "", "#include \"maps_legacy.bpf.c\"\n"))
		return;
	s = bpfobj_stamp(&o);
	loaded = bpffs_load(s);
	entry = bpfstamp_loaded_program(loaded, bpfobj_program(&o, "entry", NULL));
	for (uint32_t mark = 0; mark < 5; mark++)
		ck_assert_uint_eq(bpffs_run(entry, mark), results[mark]);
	ck_assert_int_eq(bpffs_lookup(bpfstamp_loaded_map(loaded, bpffs_find(&o, "outer")), 1, &id), 0);
	ck_assert_uint_eq(id, bpffs_info(bpfstamp_loaded_map(loaded, bpffs_find(&o, "inner"))).id);
	own = bpffs_find(&o, "own");
	ck_assert(bpffs_has(BPFFS "/tc/globals/shared"));
	ck_assert_int_eq(pin_map_path(path, sizeof(path), o.t, &o.t->maps[own], NULL, &bpffs.err), 0);
	ck_assert_uint_eq(strlen(path), strlen(BPFFS "/tc/0123456789abcdef/own"));
	ck_assert(bpffs_has(path));
	again = bpffs_load(s);
	ck_assert_uint_eq(bpffs_info(bpfstamp_loaded_map(again, own)).id,
			  bpffs_info(bpfstamp_loaded_map(loaded, own)).id);
	ck_assert_uint_ne(bpffs_info(bpfstamp_loaded_map(again, bpffs_find(&o, "inner"))).id, id);
	bpfstamp_loaded_free(loaded);
	bpfstamp_loaded_free(again);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

#define UINTS(type, entries, key, value) \
	"UINT(type, " #type "); UINT(max_entries, " #entries "); UINT(key_size, " #key "); " \
	"UINT(value_size, " #value ");"
#define M " m SEC(\".maps\")"

/* What is refused, by us or by the kernel, leaves no fd. */
START_TEST(refused)
{
	static const struct { const char *source, *fault; } cases[] = {
		{ "struct { " UINTS(13, 2, 4, 4) " }" M ";\n",
		  "cannot create map m: it does not say what the maps in it look like" },
		{ "struct { " UINTS(26, 2, 4, 4) " }" M ";\n",
		  "cannot create map m: it is a struct_ops, which is not supported" },
		{ "struct { " UINTS(1, 0, 4, 4) " }" M ";\n",
		  "cannot create map m (hash, key 4, value 4, 0 entries): Invalid argument" },
		{ "struct { " UINTS(1000, 1, 2, 3) " }" M ";\n",
		  "cannot create map m (of unknown type, key 2, value 3, 1 entries): " },
		{ "struct { " UINTS(1, 2, 4, 8) " } a SEC(\".maps\");\n"
		  "struct { " UINTS(12, 2, 4, 4) "ARRAY(values, struct { " UINTS(1, 2, 4, 4) " }); }" M
		  " = { .values = { [1] = (void *)&a } };\n",
		  "cannot put a into slot 1 of map m: Invalid argument: it is not of the type, sizes, flags" },
		{ "struct { " UINTS(12, 2, 4, 4) "ARRAY(values, struct { " UINTS(1, 0, 4, 4) " }); }" M ";\n",
		  "cannot create map m.inner (hash, key 4, value 4, 0 entries): Invalid argument" },
	};
	struct bpfstamp_stamp *s;
	char source[1024];
	struct bpfobj o;

	snprintf(source, sizeof(source), "#include \"features.h\"\n%s%s", cases[_i].source, BPFFS_PROGRAM);
	if (!bpffs_compile(&o, "", source))
		return;
	s = bpfobj_stamp(&o);
	bpffs_make(s, bpffs_find(&o, "m"), cases[_i].fault);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

START_TEST(kconfig)
{
	uint32_t key = 0, value = 0;
	struct bpfstamp_stamp *s;
	uint8_t bytes[4];
	struct bpfobj o;
	int fd;

	if (!bpffs_kernel(502) ||
	    !bpffs_compile(&o, "", "#include \"features.h\"\n"
			   "extern int LINUX_KERNEL_VERSION __attribute__((section(\".kconfig\")));\n"
			   "SEC(\"tc\") int p(void) { return LINUX_KERNEL_VERSION; }\nLICENSE;\n"))
		return;
	s = bpfobj_stamp(&o);
	fd = bpffs_make(s, o.t->kconfig, NULL);
	ck_assert_int_eq(externs_kconfig(o.t, NULL, bytes, NULL, &bpffs.err), 0);
	ck_assert_int_eq(bpffs_lookup(fd, 0, &value), 0);
	ck_assert_mem_eq(&value, bytes, 4);
	ck_assert_uint_ge(value, 4u << 16);
	ck_assert_uint_eq(bpffs_info(fd).map_flags, BPF_F_RDONLY_PROG);
	ck_assert(sys_map_update(fd, &key, &value) == -1 && errno == EPERM);
	mapmake_close(s);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* ------------------------------------------------- what a kernel may lack */

/* What a kernel refuses of a map's creation, and what is then known of it. */
static const struct older {
	bool dots, names, btf, unlimited;	/* unlimited: anything, before RLIMIT_MEMLOCK was raised */
	int code;
	const char *notes;
	uint32_t first, again;		/* creations for the first load of two maps and an inner one, and the next */
} older[] = {
	{ .notes = "", .first = 3, .again = 3 },
	{ .dots = true, .code = EINVAL, .notes = "", .first = 5, .again = 3 },
	{ .dots = true, .names = true, .code = E2BIG, .notes = "", .first = 5, .again = 3 },
	{ .btf = true, .code = 524, .first = 5, .again = 5,
	  .notes = "a map was created without its BTF, which the kernel refuses for its type\n" },
	{ .dots = true, .btf = true, .code = EINVAL, .first = 7, .again = 5,
	  .notes = "a map was created without its BTF, which the kernel refuses for its type\n" },
	{ .unlimited = true, .code = EPERM, .first = 4, .again = 3,
	  .notes = "RLIMIT_MEMLOCK was raised: this kernel charges programs and maps to it\n" },
};

static int refuse_older(const struct bpfcalls *calls, uint32_t command, const uint8_t *attr, uint32_t size)
{
	const struct older *old = calls->arg;
	char name[16];
	uint32_t btf;

	if (command != BPF_MAP_CREATE || size < offsetof(union bpf_attr, btf_fd) + sizeof(btf))
		return 0;
	memcpy(name, attr + offsetof(union bpf_attr, map_name), sizeof(name));
	memcpy(&btf, attr + offsetof(union bpf_attr, btf_fd), sizeof(btf));
	if ((old->names && name[0]) || (old->dots && memchr(name, '.', sizeof(name))) || (old->btf && btf) ||
	    (old->unlimited && calls->count[BPF_MAP_CREATE] == 1))
		return old->code;
	return 0;
}

static void take_note(void *arg, const char *text)
{
	char *all = arg;

	if (!strstr(all, text))
		strcat(strcat(all, text), "\n");
}

struct watched {
	const struct bpfobj *o;
	const struct older *older;
	int loads;
};

static bool load_and_check(const void *arg)
{
	const struct watched *w = arg;
	char notes[512] = "";
	struct bpfstamp_stamp *s = bpfobj_stamp(w->o);

	bpffs.load.note = take_note;
	bpffs.load.note_arg = notes;
	for (int i = 0; i < w->loads; i++)
		bpfstamp_loaded_free(bpffs_load(s));
	bpfstamp_stamp_free(s);
	ck_assert_str_eq(notes, w->older->notes);
	return lacks(LACKS_DOTS) == (w->older->dots && !w->older->names) && lacks(LACKS_NAMES) == w->older->names &&
		!lacks(LACKS_MAP_BTF);
}

/* A refusal is learned from; in the good case, each map costs one call. */
START_TEST(older_kernels)
{
	struct bpfcalls calls = { .refuse = refuse_older, .arg = &older[_i] };
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct watched w = { .older = &older[_i] };
	struct bpfobj o;

	if (older[_i].unlimited && setrlimit(RLIMIT_MEMLOCK, &unlimited))
		return;		/* not even root may, in some containers */
	if (!bpffs_compile(&o, "", "#include \"features.h\"\n"
			   "struct { " UINTS(1, 2, 4, 8) " TYPE(key, int); TYPE(value, long); } a SEC(\".maps\");\n"
			   "struct { " UINTS(12, 2, 4, 4) "ARRAY(values, struct { " UINTS(1, 2, 4, 4)
			   "TYPE(key, int); TYPE(value, int); }); }" M ";\n" BPFFS_PROGRAM))
		return;
	w.o = &o;
	for (w.loads = 1; w.loads <= 2; w.loads++)
		if (bpfcalls_watch(&calls, load_and_check, &w))
			ck_assert_uint_eq(calls.count[BPF_MAP_CREATE],
					  older[_i].first + (w.loads == 2 ? older[_i].again : 0));
	bpfobj_free(&o);
}
END_TEST

Suite *suite_maps_kernel(void)
{
	Suite *suite = suite_create("maps_kernel");
	TCase *tcase = tcase_create("maps in the kernel");

	suite_add_tcase(suite, tcase);
	if (!bpffs_usable("maps_kernel"))
		return suite;
	tcase_add_checked_fixture(tcase, bpffs_setup, NULL);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, every_type);
	tcase_add_test(tcase, maps_in_maps);
	tcase_add_test(tcase, legacy);
	tcase_add_loop_test(tcase, refused, 0, 6);
	tcase_add_test(tcase, kconfig);
	tcase_add_loop_test(tcase, older_kernels, 0, sizeof(older) / sizeof(older[0]));
	return suite;
}
