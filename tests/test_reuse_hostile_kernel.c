// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the index of programs, the records of programs and the pin of the index may
 * hold that others have put there: no program is taken that is not equal, and nothing
 * of theirs is touched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/load.h"
#include "loader/sys.h"
#include "tests/reusebed.h"

Suite *suite_reuse_hostile_kernel(void);

static struct bpfstamp_err err;

#define OK(call) ck_assert_msg(!(call), "%s: %s", #call, err.text)

/* Whatever the index says, another program is never taken; the next load puts it right. */
START_TEST(hostile_index)
{
	struct one one, xdp;
	struct reuse_entry e[6];
	int fd, others[3];

	reusebed_make(&one, "tc");
	reusebed_make(&xdp, "xdp");
	fd = reusebed_load(&one, "5", false);
	others[0] = reusebed_load(&one, "6", false);		/* as if both had one digest */
	others[1] = reusebed_load(&xdp, "5", false);
	one.load.record = false;
	others[2] = reusebed_load(&one, "5", false);
	one.load.record = true;
	for (int i = 0; i < 3; i++)
		e[i] = reusebed_entry(others[i]);
	e[3] = e[4] = e[5] = reusebed_entry(fd);
	e[3].load_time++;				/* as if the id had been used again */
	e[4].id = 0;
	e[5].id = UINT32_MAX;
	for (int i = 0; i < 6; i++) {
		int mine;

		bpfobj_set(one.s, "a", "5");
		reusebed_enter(&one, &e[i]);
		mine = reusebed_load(&one, "5", false);
		ck_assert_uint_eq(bpffs_run(mine, 0), 5);
		ck_assert_uint_ne(reusebed_id(mine), reusebed_id(fd));
		close(reusebed_load(&one, "5", true));
		ck_assert_int_eq(reusebed_elsewhere("tc", "5", mine, true), 0);
		close(mine);
	}
	for (int i = 0; i < 3; i++)
		close(others[i]);
	close(fd);
	reusebed_discard(&one);
	reusebed_discard(&xdp);
}
END_TEST

/* A program that is entered as what it is not: its record is not the key, or could change. */
START_TEST(hostile_record)
{
	static const struct {
		const char *name;
		uint32_t type, flags;
		int size, byte;		/* more bytes; the one that is changed, from the end, or 0 */
		bool freeze, taken;
	} records[] = {
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 0, 0, true, true },
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 0, 0, false, false },
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 0, 1, true, false },
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 0, 60, true, false },
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 1, 0, true, false },
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 100000, 0, true, false },
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, -1, 0, true, false },
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, 0, 0, 0, true, false },
		{ "bpfstamp", BPF_MAP_TYPE_HASH, BPF_F_RDONLY_PROG, 0, 0, true, false },
		{ "bpfstamq", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 0, 0, true, false },
	};
	uint8_t *value;
	uint32_t zero = 0, size;
	struct reuse_entry e;
	struct one one;
	int fd, map;

	reusebed_make(&one, "tc");
	close(reusebed_load(&one, "4", false));
	one.load.record = false;
	fd = reusebed_load(&one, "5", false);
	one.load.record = true;
	ck_assert(reuse_key(one.s, load_link(one.o.t, one.load.program, &err), &one.load));
	size = one.s->key_size;
	value = calloc(1, size + 100000);
	ck_assert_ptr_nonnull(value);
	memcpy(value, one.s->key, size);
	if (records[_i].byte)
		value[size - (uint32_t)records[_i].byte] ^= 1;
	map = reusebed_map(records[_i].name, records[_i].type, records[_i].flags, 4,
		       (uint32_t)((int)size + records[_i].size), 1);
	ck_assert(!sys_map_update(map, &zero, value) && (!records[_i].freeze || !sys_map_freeze(map)));
	ck_assert_int_eq(sys_prog_bind_map(fd, map), 0);
	e = reusebed_entry(fd);
	reusebed_enter(&one, &e);
	close(reusebed_load(&one, "5", records[_i].taken));
	/* It is as it was. */
	if (!records[_i].freeze)
		ck_assert_int_eq(sys_map_update(map, &zero, value), 0);
	close(map);
	close(fd);
	free(value);
	reusebed_discard(&one);
}
END_TEST

/* The record is found however many maps somebody binds to the program later. */
START_TEST(more_maps)
{
	struct one one;
	int fd, map;

	reusebed_make(&one, "tc");
	fd = reusebed_load(&one, "5", false);
	for (int i = 0; i < 70; i++) {
		map = reusebed_map("more", BPF_MAP_TYPE_ARRAY, 0, 4, 8, 1);
		ck_assert_int_eq(sys_prog_bind_map(fd, map), 0);
		close(map);
		if (i % 23 == 0)
			close(reusebed_load(&one, "5", true));
	}
	close(reusebed_load(&one, "5", true));
	close(fd);
	reusebed_discard(&one);
}
END_TEST

/* What stands where the index should be, and is none, stays, and is not used. */
START_TEST(hostile_pin)
{
	static const struct {
		uint32_t type, flags, key, value;	/* type 0: a program */
	} pins[] = {
		{ 0, 0, 0, 0 },
		{ BPF_MAP_TYPE_HASH, 0, 16, 16 },
		{ BPF_MAP_TYPE_LRU_HASH, 0, 8, 16 },
		{ BPF_MAP_TYPE_LRU_HASH, 0, 24, 16 },
		{ BPF_MAP_TYPE_LRU_HASH, 0, 16, 8 },
		{ BPF_MAP_TYPE_LRU_HASH, 0, 16, 4096 },
		{ BPF_MAP_TYPE_LRU_PERCPU_HASH, 0, 16, 16 },
		{ BPF_MAP_TYPE_LRU_HASH, BPF_F_RDONLY_PROG, 16, 16 },
	};
	int fds = bpffs_open_fds(), fd, mine;
	struct one one;

	reusebed_make(&one, "tc");
	ck_assert_int_eq(mkdir(REUSEBED_FOLDER, 0700), 0);
	one.load.reuse = false;
	fd = pins[_i].type ? reusebed_map("x", pins[_i].type, pins[_i].flags, pins[_i].key, pins[_i].value, 10) :
	     reusebed_load(&one, "1", false);
	one.load.reuse = true;
	ck_assert_int_eq(sys_obj_pin(REUSEBED_INDEX, fd), 0);
	close(fd);
	mine = reusebed_load(&one, "5", false);
	ck_assert_str_eq(reusebed_note, "programs of other processes are not looked for: cannot use " REUSEBED_INDEX
			 ": it is not the index of programs");
	close(reusebed_load(&one, "5", false));
	ck_assert_str_eq(reusebed_note, "");
	close(mine);
	reusebed_discard(&one);
	ck_assert(bpffs_has(REUSEBED_INDEX));
	ck_assert_int_eq(bpffs_open_fds(), fds);
}
END_TEST

START_TEST(folder_in_the_way)
{
	struct one one;

	reusebed_make(&one, "tc");
	ck_assert(!mkdir(REUSEBED_FOLDER, 0700) && !mkdir(REUSEBED_INDEX, 0700));
	close(reusebed_load(&one, "5", false));
	ck_assert_ptr_nonnull(strstr(reusebed_note, "cannot use " REUSEBED_INDEX));
	reusebed_discard(&one);
}
END_TEST

/* A full index makes room; what was entered last is there. */
START_TEST(full)
{
	enum { ENTRIES = 4, PROGRAMS = 40 };
	int fds[PROGRAMS], map = reusebed_map("x", BPF_MAP_TYPE_LRU_HASH, 0, 16, 16, ENTRIES), again = 0;
	char text[16];
	struct one one;

	reusebed_make(&one, "tc");
	ck_assert(!mkdir(REUSEBED_FOLDER, 0700) && !sys_obj_pin(REUSEBED_INDEX, map));
	close(map);
	for (int i = 0; i < PROGRAMS; i++) {
		snprintf(text, sizeof(text), "%d", i + 1);
		fds[i] = reusebed_load(&one, text, false);
		ck_assert_str_eq(reusebed_note, "");
		close(reusebed_load(&one, text, true));
	}
	for (int i = 0; i < PROGRAMS; i++) {
		int fd;

		snprintf(text, sizeof(text), "%d", i + 1);
		bpfobj_set(one.s, "a", text);
		OK(bpfstamp_load(one.s, &one.load, &fd, &err));
		ck_assert_uint_eq(bpffs_run(fd, 0), (uint32_t)i + 1);
		again += one.reused;
		close(fd);
		close(fds[i]);
	}
	ck_assert_int_lt(again, PROGRAMS);
	reusebed_discard(&one);
}
END_TEST

Suite *suite_reuse_hostile_kernel(void)
{
	TCase *tcase = tcase_create("reuse_hostile_kernel");
	Suite *s = suite_create("reuse_hostile_kernel");

	suite_add_tcase(s, tcase);
	tcase_set_timeout(tcase, 60);
	if (!reusebed_usable("reuse_hostile"))
		return s;
	tcase_add_checked_fixture(tcase, bpffs_setup, NULL);
	tcase_add_test(tcase, hostile_index);
	tcase_add_loop_test(tcase, hostile_record, 0, 10);
	tcase_add_test(tcase, more_maps);
	tcase_add_loop_test(tcase, hostile_pin, 0, 8);
	tcase_add_test(tcase, folder_in_the_way);
	tcase_add_test(tcase, full);
	return s;
}
