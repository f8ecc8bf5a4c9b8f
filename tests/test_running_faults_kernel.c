// SPDX-License-Identifier: BSD-2-Clause
/*
 * What can go wrong with reading programs that the kernel has, and with leaving
 * the record that they are read by: no privilege, maps that only look like
 * records, calls that fail, and a kernel that is too old.  The object is compiled, so these
 * tests need clang, and the project's folder as working directory.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loader/record.h"
#include "loader/sys.h"
#include "tests/bpfcalls.h"
#include "tests/runningbed.h"

Suite *suite_running_faults_kernel(void);

/* A stamp of an object that has values in its instructions, and no map. */
static bool stamp(struct bpfobj *o, struct bpfstamp_stamp **s)
{
	static const char *const sets[][2] = {
		{ "vni", "0xabcdef" }, { "t_s8", "-1" }, { "t_u64", "18446744073709551615" },
		{ "t_s64", "-9223372036854775808" }, { "t_bool", "false" }, { "vlan", "4095" },
	};

	if (!bpffs_compile(o, "", "#include \"stamps.bpf.c\"\n"))
		return false;
	*s = bpfobj_stamp(o);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		bpfobj_set(*s, sets[i][0], sets[i][1]);
	return true;
}

START_TEST(not_privileged)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	struct bpfstamp_running *r;
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	char text[128];
	int fd;

	if (!stamp(&o, &s))
		return;
	fd = runningbed_load(s, true);
	r = runningbed_open(fd);
	ck_assert_int_eq((int)syscall(SYS_capget, &header, data), 0);
	data[CAP_SYS_ADMIN / 32].effective &= ~(1u << CAP_SYS_ADMIN % 32);
	ck_assert_int_eq((int)syscall(SYS_capset, &header, data), 0);
	snprintf(text, sizeof(text), "program %u: to look at it needs the capability CAP_SYS_ADMIN", r->info.prog.id);
	ck_assert_int_eq(bpfstamp_running_refresh(r, &runningbed_err), -1);
	ck_assert_str_eq(runningbed_err.text, text);
	ck_assert_int_eq(bpfstamp_running_open(&r, r->info.prog.id, &runningbed_err), -1);
	ck_assert_str_eq(runningbed_err.text, text);
	ck_assert_int_eq(runningbed_err.code, EPERM);
	ck_assert(!record_is_there(fd));
	runningbed_free(r, fd, s, &o);
}
END_TEST

/* ------------------------------------------------------ records of others */

static int make_map(const char *name, uint32_t type, uint32_t flags, uint32_t entries, const void *raw, uint32_t size,
		    bool freeze)
{
	union bpf_attr attr = { .map_type = type, .key_size = 4, .value_size = size, .max_entries = entries,
				.map_flags = flags };
	const uint32_t key = 0;
	int fd;

	strcpy(attr.map_name, name);
	fd = sys_map_create(&attr);
	ck_assert_int_ge(fd, 0);
	ck_assert(!sys_map_update(fd, &key, raw) && (!freeze || !sys_map_freeze(fd)));
	return fd;
}

/* What only looks like a record is none, nor does it hide a true one. */
START_TEST(hostile)
{
	static const struct {
		const char *name;
		uint32_t type, flags, entries;
		int change;	/* of the record's size, or of no byte (0) */
		bool freeze, is_record;
	} maps[] = {
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 1, 0, true, true },
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 1, 0, false, false },
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, 0, 1, 0, true, false },
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 2, 0, true, false },
		{ "bpfstamp", BPF_MAP_TYPE_HASH, BPF_F_RDONLY_PROG, 1, 0, true, false },
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 1, 1, true, false },
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 1, -1, true, false },
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 1, -100, true, false },
		{ "bpfstamp", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 1, 100000, true, false },
		{ "bpfstampx", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 1, 0, true, false },
	};
	uint8_t *raw = NULL, *padded = calloc(1, 200000);
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	uint32_t room = 0, size;

	if (!stamp(&o, &s))
		return;
	bpffs_raise_memlock();
	OK(record_make(s, NULL, &raw, &room, &size, &runningbed_err));
	ck_assert_ptr_nonnull(padded);
	memcpy(padded, raw, size);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		int prog = runningbed_load(s, false), both = runningbed_load(s, true), fd;
		uint32_t changed = (uint32_t)((int)size + maps[i].change) & 0xfffff;
		struct bpfstamp_running *r;

		fd = make_map(maps[i].name, maps[i].type, maps[i].flags, maps[i].entries, padded, changed,
			      maps[i].freeze);
		ck_assert(!record_is_there(prog) && record_is_there(both));
		ck_assert(!sys_prog_bind_map(prog, fd) && !sys_prog_bind_map(both, fd));
		ck_assert_msg(record_is_there(prog) == maps[i].is_record, "map %zu", i);
		ck_assert(record_is_there(both));
		r = runningbed_open(prog);
		ck_assert_uint_eq(r->info.map_count, 1);
		ck_assert_int_eq(r->record != NULL, maps[i].is_record);
		ck_assert_int_eq(r->value_count > 0, maps[i].is_record);
		bpfstamp_running_free(r);
		close(fd);
		close(prog);
		close(both);
	}
	free(raw);
	free(padded);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* ------------------------------------------------------- calls, and faults */

struct refusal {
	uint32_t command;
	int code;
};

static int refuse(const struct bpfcalls *calls, uint32_t command, const uint8_t *attr, uint32_t size)
{
	const struct refusal *refusal = calls->arg;

	(void)attr;
	(void)size;
	return refusal && command == refusal->command ? refusal->code : 0;
}

static void remember(void *arg, const char *text)
{
	snprintf(arg, 256, "%s", text);
}

struct attempt {
	struct bpfstamp_stamp *s;
	bool record;
	const char *error, *note;	/* or NULL */
};

/* Fails or succeeds as it should; leaves no fd; and succeeds again, now without a note of what is known. */
static bool attempt(const void *arg)
{
	const struct attempt *a = arg;
	char note[256] = "";
	struct bpfstamp_load how = { .record = a->record, .note = remember, .note_arg = note };
	int fd, fds = bpffs_open_fds(), ret;

	ret = bpfstamp_find_program(a->s->t, NULL, 0, &how.program, &runningbed_err) ||
	      bpfstamp_load(a->s, &how, &fd, &runningbed_err);
	if (a->note && strcmp(a->note, note) != 0)
		return false;
	if (!ret != !a->error || (ret && strcmp(runningbed_err.text, a->error) != 0)) {
		fprintf(stderr, "%s\n", ret ? runningbed_err.text : "it succeeds");
		return false;
	}
	if (!ret)
		close(fd);
	return bpffs_open_fds() == fds;
}

START_TEST(calls_of_a_load)
{
	static const struct refusal old = { BPF_PROG_BIND_MAP, EINVAL }, full = { BPF_MAP_CREATE, ENOMEM },
		frozen = { BPF_MAP_FREEZE, EBUSY }, update = { BPF_MAP_UPDATE_ELEM, EPERM },
		bind = { BPF_PROG_BIND_MAP, ENOMEM };
	static const struct {
		const struct refusal *refusal;
		const char *error, *note;
	} cases[] = {
		{ NULL, NULL, "" },
		{ &old, NULL,
		  "this kernel (before 5.10) binds no maps to programs: what was stamped is not recorded" },
		{ &full, "test.o: cannot make the record of what was stamped: Cannot allocate memory", NULL },
		{ &frozen, "test.o: cannot make the record of what was stamped: Device or resource busy", NULL },
		{ &bind, "test.o: cannot make the record of what was stamped: Cannot allocate memory", NULL },
		{ &update, "test.o: cannot make the record of what was stamped: Operation not permitted: needs the "
		  "capabilities CAP_BPF and CAP_NET_ADMIN (or CAP_SYS_ADMIN), and before Linux 5.11 a larger RLIMIT_MEMLOCK "
		  "or CAP_SYS_RESOURCE", NULL },
	};
	struct bpfcalls calls = { .refuse = refuse, .arg = cases[_i].refusal };
	struct attempt a = { .record = true, .error = cases[_i].error, .note = cases[_i].note };
	struct bpfobj o;
	int fd;

	if (!stamp(&o, &a.s))
		return;
	/* The BTF is loaded once a template. */
	fd = runningbed_load(a.s, false);
	close(fd);
	if (!bpfcalls_watch(&calls, attempt, &a))
		return;
	if (!_i) {
		ck_assert_uint_eq(calls.count[BPF_MAP_CREATE], 1);
		ck_assert_uint_eq(calls.count[BPF_MAP_UPDATE_ELEM], 1);
		ck_assert_uint_eq(calls.count[BPF_MAP_FREEZE], 1);
		ck_assert_uint_eq(calls.count[BPF_PROG_BIND_MAP], 1);
		ck_assert_uint_eq(calls.count[BPF_PROG_LOAD], 1);
		a.record = false;
		ck_assert(bpfcalls_watch(&calls, attempt, &a));
		ck_assert_uint_eq(calls.count[BPF_MAP_CREATE] + calls.count[BPF_PROG_BIND_MAP], 0);
	}
	bpfstamp_stamp_free(a.s);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_running_faults_kernel(void)
{
	Suite *suite = suite_create("running_faults_kernel");
	TCase *tcase;

	if (!bpffs_usable("running_faults_kernel"))
		return suite;
	tcase = tcase_create("running");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, bpffs_setup, NULL);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, not_privileged);
	tcase_add_test(tcase, hostile);
	tcase_add_loop_test(tcase, calls_of_a_load, 0, 6);
	return suite;
}
