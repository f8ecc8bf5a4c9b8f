// SPDX-License-Identifier: BSD-2-Clause
/*
 * Programs that another process has loaded: which are taken, told by the kernel's
 * ids; that nothing keeps them; who may not look; and every system call that may fail.
 */
#define _GNU_SOURCE	/* setresuid */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/load.h"
#include "loader/record.h"
#include "loader/sys.h"
#include "tests/bpfcalls.h"
#include "tests/reusebed.h"

Suite *suite_reuse_kernel(void);

static struct bpfstamp_err err;

#define OK(call) ck_assert_msg(!(call), "%s: %s", #call, err.text)

/* ------------------------------------------------------------------- shared */

START_TEST(processes)
{
	struct one one;
	struct stat st;
	int fd, other;

	reusebed_make(&one, "tc");
	fd = reusebed_load(&one, "5", false);
	ck_assert_int_eq(stat(REUSEBED_FOLDER, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(reusebed_elsewhere("tc", "5", fd, true), 0);
	ck_assert_int_eq(reusebed_elsewhere("tc", "0x5", fd, true), 0);
	ck_assert_int_eq(reusebed_elsewhere("tc", "6", fd, false), 0);
	ck_assert_int_eq(reusebed_elsewhere("xdp", "5", fd, false), 0);
	/* That of the process that ended is gone, and its entry does no harm. */
	ck_assert_int_eq(reusebed_elsewhere("tc", "6", fd, false), 0);
	other = reusebed_load(&one, "6", false);
	ck_assert_uint_eq(bpffs_run(fd, 0), 5);
	ck_assert_uint_eq(bpffs_run(other, 0), 6);
	ck_assert_int_eq(reusebed_elsewhere("tc", "6", other, true), 0);
	close(other);
	close(fd);
	reusebed_discard(&one);
}
END_TEST

/* Nothing keeps a program. */
START_TEST(last_one)
{
	struct one one;
	uint32_t id;
	int fd, prog;

	reusebed_make(&one, "tc");
	fd = reusebed_load(&one, "5", false);
	id = reusebed_id(fd);
	close(reusebed_load(&one, "5", true));
	close(fd);
	for (int tries = 0; (prog = sys_prog_by_id(id)) >= 0 && tries < 100; tries++) {
		close(prog);
		usleep(10000);
	}
	ck_assert(prog < 0 && errno == ENOENT);
	fd = reusebed_load(&one, "5", false);
	ck_assert_uint_ne(reusebed_id(fd), id);
	close(reusebed_load(&one, "5", true));
	close(fd);
	reusebed_discard(&one);
}
END_TEST

/* Who wants one of his own, or leaves no record, gets none of others, and tells nobody. */
START_TEST(not_wanted)
{
	struct one one;
	int fd;

	reusebed_make(&one, "tc");
	one.load.reuse = false;
	close(reusebed_load(&one, "5", false));
	ck_assert(!bpffs_has(REUSEBED_FOLDER));
	one.load = (struct bpfstamp_load){ .reuse = true, .reused = &one.reused };
	close(reusebed_load(&one, "5", false));
	ck_assert(!bpffs_has(REUSEBED_FOLDER));
	one.load.record = one.load.dry_run = true;
	close(reusebed_load(&one, "5", false));
	ck_assert(!bpffs_has(REUSEBED_FOLDER));
	one.load.dry_run = false;
	fd = reusebed_load(&one, "5", false);
	ck_assert(bpffs_has(REUSEBED_INDEX));
	close(reusebed_load(&one, "5", true));
	one.load.reuse = false;
	close(reusebed_load(&one, "5", false));
	close(fd);
	reusebed_discard(&one);
}
END_TEST

/* A stamp keeps the index of one bpffs open; each has its own. */
START_TEST(other_folders)
{
	int fds = bpffs_open_fds(), fd;
	struct one one;

	reusebed_make(&one, "tc");
	fd = reusebed_load(&one, "5", false);
	ck_assert_int_eq(bpffs_open_fds(), fds + 2);
	one.load.pin_path = BPFFS "/x";
	close(reusebed_load(&one, "5", false));
	ck_assert(bpffs_has(BPFFS "/x/bpfstamp/programs"));
	ck_assert_int_eq(bpffs_open_fds(), fds + 2);
	one.load.pin_path = BPFFS;
	close(reusebed_load(&one, "5", true));
	close(fd);
	reusebed_discard(&one);
	ck_assert_int_eq(bpffs_open_fds(), fds);
}
END_TEST

/* What a share does not have may be another process's; load->reused tells just that. */
START_TEST(in_a_share)
{
	struct bpfstamp_share *share;
	struct one one, other;
	int fd, fds[2];

	reusebed_make(&one, "tc");
	reusebed_make(&other, "tc");
	fd = reusebed_load(&one, "5", false);
	OK(bpfstamp_share_new(&share, other.o.t, 10, &err));
	bpfobj_set(other.s, "a", "5");
	for (int i = 0; i < 2; i++) {
		bool reused = false;

		other.reused = i;
		OK(bpfstamp_share_load(share, other.s, &other.load, &fds[i], &reused, &err));
		ck_assert(reused);
		ck_assert_int_eq(other.reused, !i);
		ck_assert_uint_eq(reusebed_id(fds[i]), reusebed_id(fd));
	}
	close(fds[0]);
	close(fds[1]);
	bpfstamp_share_free(share);
	close(fd);
	reusebed_discard(&one);
	reusebed_discard(&other);
}
END_TEST

/* --------------------------------------------------------------------- maps */

#define PROGRAM "SEC(\"tc\") int p(struct __sk_buff *skb)\n"
#define LOOK "{ __u32 key = skb->mark; return bpf_map_lookup_elem(&m, &key) ? 1 : 2; }\nLICENSE;\n"
#define MAP(more) \
	"#include \"features.h\"\nstruct { UINT(type, 1); UINT(key_size, 4); UINT(value_size, 8); " \
	"UINT(max_entries, 3); " more "} m SEC(\".maps\");\n" PROGRAM LOOK

/* Read-only data counts with what it holds. */
START_TEST(data)
{
	struct one one;
	int fd, other;

	if (!reusebed_compile(&one, "#include \"features.h\"\nconst volatile __u32 x = 1;\n" PROGRAM
			   "{ return x; }\nLICENSE;\n"))
		return;
	fd = reusebed_load(&one, NULL, false);
	close(reusebed_load(&one, NULL, true));
	bpfobj_set(one.s, "x", "2");
	other = reusebed_load(&one, NULL, false);
	ck_assert_uint_eq(bpffs_run(fd, 0), 1);
	ck_assert_uint_eq(bpffs_run(other, 0), 2);
	close(reusebed_load(&one, NULL, true));
	bpfstamp_reset(one.s);
	close(reusebed_load(&one, NULL, true));
	close(other);
	close(fd);
	reusebed_discard(&one);
}
END_TEST

/* What keeps something of its own is not shared. */
START_TEST(own_maps)
{
	static const char *const sources[] = {
		MAP(""),
		"#include \"features.h\"\nvolatile __u32 x = 1;\n" PROGRAM "{ return x; }\nLICENSE;\n",
	};
	struct one one;
	int fd;

	if (!reusebed_compile(&one, sources[_i]))
		return;
	fd = reusebed_load(&one, NULL, false);
	close(reusebed_load(&one, NULL, false));
	ck_assert(!bpffs_has(REUSEBED_FOLDER));
	close(fd);
	reusebed_discard(&one);
}
END_TEST

/* A map that is pinned by name is one for all, and which one it is counts. */
START_TEST(pinned_maps)
{
	int fds = bpffs_open_fds(), fd, other;
	struct one one;

	if (!reusebed_compile(&one, MAP("UINT(pinning, 1); ")))
		return;
	/* It made the pin, and could take it back. */
	close(reusebed_load(&one, NULL, false));
	ck_assert(bpffs_has(BPFFS "/m") && !bpffs_has(REUSEBED_FOLDER));
	fd = reusebed_load(&one, NULL, false);
	close(reusebed_load(&one, NULL, true));
	bpfstamp_load_undo(one.s);
	ck_assert(bpffs_has(BPFFS "/m"));
	ck_assert_int_eq(unlink(BPFFS "/m"), 0);
	close(reusebed_load(&one, NULL, false));
	other = reusebed_load(&one, NULL, false);
	close(reusebed_load(&one, NULL, true));
	close(other);
	/* What is pinned there now is another thing. */
	ck_assert_int_eq(unlink(BPFFS "/m"), 0);
	ck_assert_int_eq(sys_obj_pin(BPFFS "/m", fd), 0);
	ck_assert_int_eq(bpfstamp_load(one.s, &one.load, &other, &err), -1);
	ck_assert(!one.reused);
	bpfobj_says(&err, BPFFS "/m is not the pin of a map");
	close(fd);
	reusebed_discard(&one);
	ck_assert_int_eq(bpffs_open_fds(), fds);
}
END_TEST

START_TEST(kconfig)
{
	struct one one;
	int fd;

	if (!reusebed_compile(&one, "#include \"features.h\"\nextern int LINUX_KERNEL_VERSION KCONFIG;\n" PROGRAM
			   "{ return LINUX_KERNEL_VERSION > 0; }\nLICENSE;\n"))
		return;
	fd = reusebed_load(&one, NULL, false);
	close(reusebed_load(&one, NULL, true));
	close(fd);
	reusebed_discard(&one);
}
END_TEST

/* ---------------------------------------------------------------- who may */

static void drop(int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];

	ck_assert_int_eq((int)syscall(SYS_capget, &header, caps), 0);
	caps[capability / 32].effective &= ~(1u << capability % 32);
	ck_assert_int_eq((int)syscall(SYS_capset, &header, caps), 0);
}

/* _i: whether there is an index already. */
START_TEST(not_privileged)
{
	struct one one;
	int fd = -1;

	reusebed_make(&one, "tc");
	if (_i)
		fd = reusebed_load(&one, "5", false);
	drop(CAP_SYS_ADMIN);
	close(reusebed_load(&one, "5", false));
	ck_assert_str_eq(reusebed_note, "programs of other processes are not looked for: Operation not permitted: needs the "
			 "capability CAP_SYS_ADMIN");
	/* It is told once, and not tried again. */
	close(reusebed_load(&one, "6", false));
	ck_assert_str_eq(reusebed_note, "");
	ck_assert_int_eq(bpffs_has(REUSEBED_FOLDER), _i);
	if (_i)
		close(fd);
	reusebed_discard(&one);
}
END_TEST

START_TEST(no_bpffs)
{
	struct one one;

	reusebed_make(&one, "tc");
	one.load.pin_path = "/proc";
	close(reusebed_load(&one, "5", false));
	ck_assert_ptr_nonnull(strstr(reusebed_note, "programs of other processes are not looked for: "));
	ck_assert_ptr_nonnull(strstr(reusebed_note, "/proc is not in a bpffs"));
	reusebed_discard(&one);
}
END_TEST

/* Another user's program is not taken, whatever its record says. */
START_TEST(other_user)
{
	struct one one;
	int fd;

	reusebed_make(&one, "tc");
	ck_assert_int_eq(setresuid(12345, 0, 0), 0);
	fd = reusebed_load(&one, "5", false);
	close(reusebed_load(&one, "5", true));
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	close(reusebed_load(&one, "5", false));
	close(fd);
	reusebed_discard(&one);
}
END_TEST

/* ----------------------------------------------------------------- calls */

static bool has_index(const struct bpfstamp_stamp *s)
{
	return s->index_path && s->index_fd >= 0;
}

struct attempt {
	struct one *one;
	int succeeds;	/* 1, 0, or -1: whichever */
};

/* Leaves no fd but the index's, and what comes next succeeds. */
static bool attempt(const void *arg)
{
	const struct attempt *a = arg;
	int fds = bpffs_open_fds() - has_index(a->one->s), fd;
	int ret = bpfstamp_load(a->one->s, &a->one->load, &fd, &err);

	if (a->succeeds >= 0 && a->succeeds != (ret == 0))
		return false;
	if (!ret)
		close(fd);
	return bpffs_open_fds() - has_index(a->one->s) == fds;
}

START_TEST(calls_of_a_hit)
{
	struct bpfcalls calls = { .refuse = NULL };
	struct attempt a = { .succeeds = 1 };
	struct one one, other;
	uint32_t sum = 0;
	int fd;

	reusebed_make(&one, "tc");
	reusebed_make(&other, "tc");
	fd = reusebed_load(&one, "5", false);
	bpfobj_set(other.s, "a", "5");
	a.one = &other;
	if (!bpfcalls_watch(&calls, attempt, &a))
		return;
	for (int i = 0; i < BPFCALLS_COMMANDS; i++)
		sum += calls.count[i];
	ck_assert_uint_eq(sum, 9);
	ck_assert_uint_eq(calls.count[BPF_OBJ_GET], 1);
	ck_assert_uint_eq(calls.count[BPF_OBJ_GET_INFO_BY_FD], 3);
	ck_assert_uint_eq(calls.count[BPF_MAP_LOOKUP_ELEM], 2);
	ck_assert_uint_eq(calls.count[BPF_PROG_GET_FD_BY_ID], 1);
	ck_assert_uint_eq(calls.count[BPF_MAP_GET_FD_BY_ID], 1);
	ck_assert_uint_eq(calls.count[BPF_MAP_UPDATE_ELEM], 1);
	/* With the index open. */
	a.one = &one;
	ck_assert(bpfcalls_watch(&calls, attempt, &a));
	ck_assert_uint_eq(calls.count[BPF_OBJ_GET] + calls.count[BPF_PROG_LOAD], 0);
	ck_assert_uint_eq(calls.count[BPF_OBJ_GET_INFO_BY_FD], 2);
	close(fd);
	reusebed_discard(&one);
	reusebed_discard(&other);
}
END_TEST

struct refusal {
	uint32_t call;	/* from 1, of all */
	int code;
};

static int refuse(const struct bpfcalls *calls, uint32_t command, const uint8_t *attr, uint32_t size)
{
	const struct refusal *refusal = calls->arg;
	uint32_t sum = 0;

	(void)command;
	(void)attr;
	(void)size;
	for (int i = 0; i < BPFCALLS_COMMANDS; i++)
		sum += calls->count[i];
	return sum == refusal->call ? refusal->code : 0;
}

/*
 * Each call of a hit fails, in each way: it is a load then.  Each of a miss: it is
 * one, or an error that leaves nothing.
 */
START_TEST(calls_that_fail)
{
	static const int codes[] = { EPERM, ENOMEM, ENOENT };
	struct attempt hit = { .succeeds = 1 }, miss = { .succeeds = -1 };
	struct refusal refusal;
	struct bpfcalls calls = { .refuse = refuse, .arg = &refusal };
	struct one one, other;
	struct reuse_entry e;
	int fd;

	reusebed_make(&one, "tc");
	reusebed_make(&other, "tc");
	fd = reusebed_load(&one, "5", false);
	e = reusebed_entry(fd);
	hit.one = miss.one = &other;
	for (uint32_t call = 1; call < 24; call++) {
		refusal = (struct refusal){ .call = call, .code = codes[_i] };
		bpfobj_set(one.s, "a", "5");
		reusebed_enter(&one, &e);
		bpfobj_set(other.s, "a", "5");
		if (call <= 9 && !bpfcalls_watch(&calls, attempt, &hit))
			return;
		bpfobj_set(other.s, "a", "7");
		ck_assert(bpfcalls_watch(&calls, attempt, &miss));
	}
	bpfobj_set(one.s, "a", "5");
	reusebed_enter(&one, &e);
	close(reusebed_load(&one, "5", true));
	close(fd);
	reusebed_discard(&one);
	reusebed_discard(&other);
}
END_TEST

/* ------------------------------------------------------------- at the same time */

START_TEST(at_once)
{
	enum { PROCESSES = 8 };
	pid_t pids[PROCESSES];
	int go[2], fd, status;
	struct one one;
	char byte;

	ck_assert_int_eq(pipe(go), 0);
	fflush(stdout);
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i])
			continue;
		reusebed_make(&one, "tc");
		bpfobj_set(one.s, "a", "5");
		close(go[1]);
		if (read(go[0], &byte, 1) || bpfstamp_load(one.s, &one.load, &fd, &err))
			_exit(1);
		_exit(bpffs_run(fd, 0) == 5 && has_index(one.s) ? 0 : 2);
	}
	close(go[1]);
	for (int i = 0; i < PROCESSES; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	reusebed_make(&one, "tc");
	fd = reusebed_load(&one, "5", false);
	ck_assert_int_eq(reusebed_elsewhere("tc", "5", fd, true), 0);
	close(fd);
	close(go[0]);
	reusebed_discard(&one);
}
END_TEST

/* Two loads, each with a record, neither of which takes the other's program. */
static bool load_twice(const void *arg)
{
	const struct one *one = arg;

	for (int i = 0; i < 2; i++) {
		int fd;

		if (bpfstamp_load(one->s, &one->load, &fd, &err) || one->reused || !record_is_there(fd)) {
			fprintf(stderr, "%s\n", err.text);
			return false;
		}
	}
	return true;
}

/* Maps whose one value is as large as that. */
static int refuse_large(const struct bpfcalls *calls, uint32_t command, const uint8_t *attr, uint32_t size)
{
	return command == BPF_MAP_CREATE && size >= 12 &&
	       bytes_get32(attr + 8, BYTES_HOST_BIG) >= *(const uint32_t *)calls->arg ? ENOMEM : 0;
}

/* Every BTF. */
static int refuse_btf(const struct bpfcalls *calls, uint32_t command, const uint8_t *attr, uint32_t size)
{
	(void)calls, (void)attr, (void)size;
	return command == BPF_BTF_LOAD ? ENOMEM : 0;
}

/* A program is not shared where its key finds no room, or where it lacks what its key has; loaded it is. */
START_TEST(not_as_its_key_says)
{
	static int (*const refuse_it[])(const struct bpfcalls *, uint32_t, const uint8_t *, uint32_t) = {
		refuse_large, refuse_btf };
	struct bpfcalls calls = { .refuse = refuse_it[_i] };
	uint32_t size;
	struct one one;

	if (!reusebed_compile(&one, "#include \"features.h\"\n" BPFFS_PROGRAM))
		return;
	ck_assert(reuse_key(one.s, load_link(one.o.t, one.load.program, &err), &one.load));
	size = one.s->key_size;
	calls.arg = &size;
	bpfcalls_watch(&calls, load_twice, &one);
	close(reusebed_load(&one, NULL, false));
	reusebed_discard(&one);
}
END_TEST

Suite *suite_reuse_kernel(void)
{
	TCase *tcase = tcase_create("reuse_kernel");
	Suite *s = suite_create("reuse_kernel");

	suite_add_tcase(s, tcase);
	tcase_set_timeout(tcase, 60);
	if (!reusebed_usable("reuse"))
		return s;
	tcase_add_checked_fixture(tcase, bpffs_setup, NULL);
	tcase_add_test(tcase, processes);
	tcase_add_test(tcase, last_one);
	tcase_add_test(tcase, not_wanted);
	tcase_add_test(tcase, other_folders);
	tcase_add_test(tcase, in_a_share);
	tcase_add_test(tcase, data);
	tcase_add_loop_test(tcase, own_maps, 0, 2);
	tcase_add_test(tcase, pinned_maps);
	tcase_add_test(tcase, kconfig);
	tcase_add_loop_test(tcase, not_privileged, 0, 2);
	tcase_add_test(tcase, no_bpffs);
	tcase_add_test(tcase, other_user);
	tcase_add_test(tcase, calls_of_a_hit);
	tcase_add_loop_test(tcase, calls_that_fail, 0, 3);
	tcase_add_test(tcase, at_once);
	tcase_add_loop_test(tcase, not_as_its_key_says, 0, 2);
	return s;
}
