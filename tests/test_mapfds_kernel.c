// SPDX-License-Identifier: BSD-2-Clause
/*
 * Maps that the caller gives to a load: used as they are, if they are what the
 * object wants; and those of a running program, which a replacement goes on
 * with.  And what a device says that has no hardware for programs.  The objects
 * are compiled, so these tests need clang, and the project's folder as working
 * directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/mapmake.h"
#include "loader/sys.h"
#include "tests/bpffs.h"

Suite *suite_mapfds_kernel(void);

static struct bpfstamp_err err;

#define OK(call) ck_assert_msg(!(call), "%s: %s", #call, err.text)

#define PROGRAM "SEC(\"tc\") int p(struct __sk_buff *skb)\n"
#define LOOK "{ __u32 key = skb->mark; return bpf_map_lookup_elem(&m, &key) ? 1 : 2; }\nLICENSE;\n"

/* Type, size of keys and of values, entries, flags, map_extra. */
#define MAP(t, k, v, n, f, x) "-DT=" #t " -DK=" #k " -DV=" #v " -DN=" #n " -DF=" #f " -DX=" #x

static const char one_map[] =
	"#include \"features.h\"\n"
	"struct { UINT(type, T); UINT(key_size, K); UINT(value_size, V); UINT(max_entries, N); UINT(map_flags, F); "
	"UINT(map_extra, X); UINT(pinning, 1); } m SEC(\".maps\");\n" PROGRAM LOOK;

static uint32_t id_of(int fd)
{
	struct bpfstamp_prog_info info;

	OK(bpfstamp_prog_info(fd, &info, &err));
	return info.id;
}

/* Load the program "p" with these maps: its fd, or -1 with err, and then without a trace. */
static int load(struct bpfstamp_stamp *s, const int *map_fds)
{
	struct bpfstamp_load how = { .map_fds = map_fds };
	int fd = -1, before = bpffs_open_fds();

	OK(bpfstamp_find_program(s->t, "p", 0, &how.program, &err));
	if (bpfstamp_load(s, &how, &fd, &err))
		ck_assert_int_le(bpffs_open_fds(), before + 1);	/* the template's BTF */
	return fd;
}

/* ---------------------------------------------------------- compatibility */

static const struct { const char *given, *fault; } misfits[] = {
	{ MAP(1, 4, 8, 3, 0, 0), NULL },
	{ MAP(2, 4, 8, 3, 0, 0),
	  "test.o: map m: the map given for it has type 2, not 1 as the object wants: give another" },
	{ MAP(1, 8, 8, 3, 0, 0), "map m: the map given for it has key_size 8, not 4 as" },
	{ MAP(1, 4, 4, 3, 0, 0), "map m: the map given for it has value_size 4, not 8 as" },
	{ MAP(1, 4, 8, 4, 0, 0), "map m: the map given for it has max_entries 4, not 3 as" },
	{ MAP(1, 4, 8, 3, 1, 0), "map m: the map given for it has map_flags 1, not 0 as" },
};

START_TEST(misfit)
{
	struct bpfobj given, wants;
	struct bpfstamp_stamp *s;
	uint64_t value = 77;
	uint32_t key = 5;
	int map, fd;

	if (!bpffs_compile(&given, misfits[_i].given, one_map) || !bpffs_compile(&wants, misfits[0].given, one_map))
		return;
	s = bpfobj_stamp(&given);
	map = fcntl(bpffs_make(s, 0, NULL), F_DUPFD_CLOEXEC, 0);
	mapmake_close(s);
	bpfstamp_stamp_free(s);
	bpfobj_free(&given);
	s = bpfobj_stamp(&wants);
	fd = load(s, &map);
	if (misfits[_i].fault) {
		ck_assert_int_eq(fd, -1);
		ck_assert_int_eq(err.code, EINVAL);
		bpfobj_says(&err, misfits[_i].fault);
	} else {
		ck_assert_msg(fd >= 0, "%s", err.text);
		ck_assert_uint_eq(bpffs_run(fd, key), 2);
		ck_assert_int_eq(sys_map_update(map, &key, &value), 0);
		ck_assert_uint_eq(bpffs_run(fd, key), 1);
		/* The caller's fd is still the caller's, and nothing was pinned. */
		ck_assert_int_ne(fcntl(map, F_GETFD), -1);
		ck_assert(!bpffs_has(BPFFS "/m"));
		close(fd);
		/* Without it, the same stamp makes and pins its own. */
		fd = load(s, NULL);
		ck_assert_msg(fd >= 0, "%s", err.text);
		ck_assert_uint_eq(bpffs_run(fd, key), 2);
		ck_assert(bpffs_has(BPFFS "/m"));
		/* What is given goes before what is pinned. */
		close(fd);
		fd = load(s, &map);
		ck_assert_uint_eq(bpffs_run(fd, key), 1);
		close(fd);
	}
	close(map);
	bpfstamp_stamp_free(s);
	bpfobj_free(&wants);
}
END_TEST

START_TEST(no_map)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), closed = 12345;
	struct bpfstamp_stamp *s;
	struct bpfobj o;

	if (!bpffs_compile(&o, misfits[0].given, one_map))
		return;
	s = bpfobj_stamp(&o);
	ck_assert_int_eq(load(s, &null), -1);
	bpfobj_says(&err, "test.o: map m: cannot read the properties of the map given for it: ");
	ck_assert_int_eq(load(s, &closed), -1);
	bpfobj_says(&err, "test.o: map m: cannot read the properties of the map given for it: ");
	close(null);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* ------------------------------------------------------------ replacement */

static const char state[] =
	"#include \"features.h\"\n"
	"struct { UINT(type, 1); UINT(key_size, 4); UINT(value_size, 8); UINT(max_entries, 8); } "
	"counts SEC(\".maps\");\n"
	"struct { UINT(type, 1); UINT(key_size, 4); UINT(value_size, 8); UINT(max_entries, N); } "
	"changed SEC(\".maps\");\n"
	"struct { UINT(type, 2); UINT(key_size, 4); UINT(value_size, 4); UINT(max_entries, 2); } "
	"a_name_of_15_char_one SEC(\".maps\");\n"
	"struct { UINT(type, 2); UINT(key_size, 4); UINT(value_size, 4); UINT(max_entries, 2); } "
	"a_name_of_15_char_two SEC(\".maps\");\n"
	"const volatile __u32 vni = 7;\nvolatile __u32 total = 100;\nvolatile __u32 fresh;\n"
	PROGRAM "{\n	__u32 key = skb->mark;\n"
	"	__u64 one = 1, *count = bpf_map_lookup_elem(&counts, &key);\n\n"
	"	if (count)\n		++*count;\n	else\n"
	"		bpf_map_update_elem(&counts, &key, &one, 0);\n"
	"	bpf_map_update_elem(&changed, &key, &one, 0);\n	total++;\n	fresh++;\n"
	"	if (!bpf_map_lookup_elem(&a_name_of_15_char_one, &key) || "
	"!bpf_map_lookup_elem(&a_name_of_15_char_two, &key))\n"
	"		return 1;\n"
	"	return vni;\n}\nLICENSE;\n";

static void close_all(int *fds, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* The map of the program of an fd that the kernel calls that. */
static int open_map(int prog_fd, const char *name)
{
	uint32_t ids[32] = { 0 };
	struct bpf_prog_info info = { .nr_map_ids = 32, .map_ids = (uintptr_t)ids };

	ck_assert_int_eq(sys_prog_info(prog_fd, &info), 0);
	for (uint32_t i = 0; i < info.nr_map_ids; i++) {
		int fd = sys_map_by_id(ids[i]);

		if (!strcmp(bpffs_info(fd).name, name))
			return fd;
		close(fd);
	}
	ck_abort_msg("no map %s", name);
}

static bool keeps(const int *fds, const struct bpfobj *o, const char *map)
{
	return fds[bpffs_find(o, map)] >= 0;
}

/* A new program with another value, and with all that the old one has counted. */
START_TEST(replacement)
{
	struct bpfstamp_running *r;
	struct bpfobj before, after;
	struct bpfstamp_stamp *s;
	uint32_t three = 3, data[1];
	int fds[16], fd, new_fd, map, open;
	uint64_t count;

	if (!bpffs_kernel(508) || !bpffs_compile(&before, "-DN=4", state) || !bpffs_compile(&after, "-DN=5", state))
		return;
	s = bpfobj_stamp(&before);
	fd = load(s, NULL);
	ck_assert_msg(fd >= 0, "%s", err.text);
	bpfstamp_stamp_free(s);
	for (int i = 0; i < 5; i++)
		ck_assert_uint_eq(bpffs_run(fd, 3), 1);
	OK(bpfstamp_running_open(&r, id_of(fd), &err));
	s = bpfobj_stamp(&after);
	ck_assert_uint_le(after.t->map_count, 16);
	open = bpffs_open_fds();
	OK(bpfstamp_running_maps(r, after.t, fds, &err));
	ck_assert_int_eq(bpffs_open_fds(), open + 3);
	ck_assert(keeps(fds, &after, "counts") && keeps(fds, &after, ".data") && keeps(fds, &after, ".bss"));
	ck_assert(!keeps(fds, &after, "changed") && !keeps(fds, &after, ".rodata"));
	ck_assert(!keeps(fds, &after, "a_name_of_15_char_one") && !keeps(fds, &after, "a_name_of_15_char_two"));
	bpfobj_set(s, "vni", "42");
	new_fd = load(s, fds);
	ck_assert_msg(new_fd >= 0, "%s", err.text);
	close_all(fds, after.t->map_count);
	bpfstamp_running_free(r);
	close(fd);
	ck_assert_uint_eq(bpffs_run(new_fd, 0), 42);
	bpffs_run(new_fd, 3);
	map = open_map(new_fd, "counts");
	ck_assert_int_eq(bpffs_lookup(map, three, &count), 0);
	ck_assert_uint_eq(count, 6);
	close(map);
	map = open_map(new_fd, "changed");
	ck_assert_uint_eq(bpffs_info(map).max_entries, 5);
	close(map);
	map = open_map(new_fd, "test.data");
	ck_assert_int_eq(bpffs_lookup(map, 0, data), 0);
	ck_assert_uint_eq(data[0], 107);
	close(map);
	close(new_fd);
	bpfstamp_stamp_free(s);
	bpfobj_free(&before);
	bpfobj_free(&after);
}
END_TEST

/* Data that is given is not filled, nor frozen, whatever was set. */
START_TEST(given_data)
{
	static const char source[] =
		"#include \"features.h\"\nvolatile __u32 rw = 1;\nconst volatile __u32 ro = 2;\n"
		PROGRAM "{ return rw + ro; }\nLICENSE;\n";
	const struct bpfstamp_load all = { .program = BPFSTAMP_ALL_PROGRAMS };
	struct bpfstamp_loaded *loaded;
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	int fds[8], fd;

	if (!bpffs_kernel(502) || !bpffs_compile(&o, "", source))
		return;
	s = bpfobj_stamp(&o);
	bpfobj_set(s, "rw", "10");
	bpfobj_set(s, "ro", "20");
	OK(bpfstamp_load_object(s, &all, &loaded, &err));
	for (uint32_t i = 0; i < o.t->map_count; i++)
		fds[i] = bpfstamp_loaded_map(loaded, i);
	bpfobj_set(s, "rw", "100");
	bpfobj_set(s, "ro", "200");
	fd = load(s, fds);
	ck_assert_msg(fd >= 0, "%s", err.text);
	ck_assert_uint_eq(bpffs_run(fd, 0), 30);
	close(fd);
	fds[bpffs_find(&o, ".rodata")] = -1;
	fd = load(s, fds);
	ck_assert_uint_eq(bpffs_run(fd, 0), 210);
	close(fd);
	/* One is not the other: .rodata is read-only for programs. */
	fds[bpffs_find(&o, ".rodata")] = fds[bpffs_find(&o, ".data")];
	ck_assert_int_eq(load(s, fds), -1);
	bpfobj_says(&err, "test.o: map .rodata: the map given for it has map_flags 0, not 128 as the object wants");
	bpfstamp_loaded_free(loaded);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* A prog array that the caller keeps needs no pin. */
START_TEST(given_array)
{
	struct bpfstamp_loaded *loaded;
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	int fds[8], fd;

	if (!bpffs_compile(&o, "", "#include \"ping_drop_tail.bpf.c\"\n"))
		return;
	s = bpfobj_stamp(&o);
	ck_assert_uint_le(o.t->map_count, 8);
	loaded = bpffs_load(s);
	for (uint32_t i = 0; i < o.t->map_count; i++)
		fds[i] = bpfstamp_loaded_map(loaded, i);
	fd = -1;
	for (uint32_t i = 0; i < o.t->func_count; i++) {
		struct bpfstamp_load how = { .program = i, .map_fds = fds };

		if (!o.t->funcs[i].entry)
			continue;
		OK(bpfstamp_load(s, &how, &fd, &err));
		close(fd);
	}
	bpfstamp_loaded_free(loaded);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* ---------------------------------------------------------------- offload */

START_TEST(no_hardware)
{
	static const struct { const char *source; uint32_t ifindex; const char *fault; } cases[] = {
		{ "#include \"features.h\"\n" BPFFS_PROGRAM, 1, "the kernel refuses program p (" },
		{ "#include \"features.h\"\n" BPFFS_PROGRAM, 1,
		  "): the driver of device lo cannot do that in hardware" },
		{ "#include \"features.h\"\n" BPFFS_PROGRAM, 999999,
		  "): there is no device of index 999999 in this network namespace" },
		{ "#include \"features.h\"\nvolatile __u32 x = 1;\n" PROGRAM "{ return x; }\nLICENSE;\n", 1,
		  "cannot create map .data (array, key 4, value 4, 1 entries): " },
		{ "#include \"features.h\"\nvolatile __u32 x = 1;\n" PROGRAM "{ return x; }\nLICENSE;\n", 1,
		  ": the driver of device lo cannot do that in hardware" },
	};
	struct bpfstamp_load how = { .ifindex = cases[_i].ifindex };
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	int fd;

	if (!bpffs_kernel(502) || !bpffs_compile(&o, "", cases[_i].source))
		return;
	s = bpfobj_stamp(&o);
	how.program = bpfobj_program(&o, "p", NULL);
	ck_assert_int_eq(bpfstamp_load(s, &how, &fd, &err), -1);
	bpfobj_says(&err, cases[_i].fault);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_mapfds_kernel(void)
{
	TCase *tcase = tcase_create("mapfds_kernel");
	Suite *s = suite_create("mapfds_kernel");

	suite_add_tcase(s, tcase);
	tcase_set_timeout(tcase, 60);
	if (!bpffs_usable("mapfds"))
		return s;
	tcase_add_checked_fixture(tcase, bpffs_setup, NULL);
	tcase_add_loop_test(tcase, misfit, 0, sizeof(misfits) / sizeof(misfits[0]));
	tcase_add_test(tcase, no_map);
	tcase_add_test(tcase, replacement);
	tcase_add_test(tcase, given_data);
	tcase_add_test(tcase, given_array);
	tcase_add_loop_test(tcase, no_hardware, 0, 5);
	return s;
}
