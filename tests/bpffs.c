// SPDX-License-Identifier: BSD-2-Clause
/*
 * The namespace needs root.  Whether it can be had is found by trying, in a
 * child process, so that the namespace of the test program itself stays as it is.
 */
#define _GNU_SOURCE	/* unshare */
#include "tests/bpffs.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/mapmake.h"
#include "loader/sys.h"

struct bpffs bpffs;

/* ------------------------------------------------------------- the kernel */

bool bpffs_kernel(uint32_t version)
{
	unsigned int major, minor;
	struct utsname name;

	ck_assert_int_eq(uname(&name), 0);
	ck_assert_int_eq(sscanf(name.release, "%u.%u", &major, &minor), 2);
	return 100 * major + minor >= version;
}

int bpffs_call(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int bpffs_lookup(int fd, uint32_t key, void *value)
{
	union bpf_attr attr = { .map_fd = (uint32_t)fd, .key = (uintptr_t)&key, .value = (uintptr_t)value };

	return bpffs_call(BPF_MAP_LOOKUP_ELEM, &attr);
}

struct bpf_map_info bpffs_info(int fd)
{
	struct bpf_map_info info = { 0 };

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sys_map_info(fd, &info), 0);
	return info;
}

uint32_t bpffs_run(int fd, uint32_t mark)
{
	struct __sk_buff skb = { .mark = mark };
	uint8_t packet[64] = { 0 };
	union bpf_attr attr = {
		.test = { .prog_fd = (uint32_t)fd, .data_in = (uintptr_t)packet, .data_size_in = sizeof(packet),
			  .ctx_in = (uintptr_t)&skb, .ctx_size_in = sizeof(skb) },
	};

	ck_assert_int_eq(bpffs_call(BPF_PROG_TEST_RUN, &attr), 0);
	return attr.test.retval;
}

int bpffs_open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

bool bpffs_has(const char *path)
{
	return !access(path, F_OK);
}

/* ------------------------------------------------------------- the tests */

static int enter(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	return mount("bpf", BPFFS, "bpf", 0, "mode=0755");
}

void bpffs_setup(void)
{
	ck_assert_int_eq(enter(), 0);
	bpffs = (struct bpffs){ .load.program = BPFSTAMP_ALL_PROGRAMS };
}

void bpffs_raise_memlock(void)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

bool bpffs_usable(const char *suite)
{
	const char *fork_mode = getenv("CK_FORK");
	int status = 0;
	pid_t pid;

	if (fork_mode && !strcmp(fork_mode, "no")) {
		printf("SKIP %s: CK_FORK=no\n", suite);
		return false;
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(enter() ? 1 : 0);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
		return true;
	printf("SKIP %s: no mount namespace with a bpffs\n", suite);
	return false;
}

bool bpffs_compile(struct bpfobj *o, const char *defines, const char *source)
{
	char flags[320];

	snprintf(flags, sizeof(flags), "-mcpu=v3 %s %s", defines, BPFOBJ_FLAGS);
	return bpfobj_compile(o, BYTES_HOST_BIG ? "bpfeb" : "bpfel", flags, source);
}

uint32_t bpffs_find(const struct bpfobj *o, const char *name)
{
	for (uint32_t i = 0; i < o->t->map_count; i++)
		if (!strcmp(o->t->maps[i].name, name))
			return i;
	ck_abort_msg("no map %s", name);
}

int bpffs_make(struct bpfstamp_stamp *s, uint32_t map, const char *fault)
{
	int before = bpffs_open_fds();

	if (!fault) {
		ck_assert_msg(!mapmake(s, map, -1, &bpffs.load, &bpffs.err), "%s", bpffs.err.text);
		return s->map_fds[map];
	}
	ck_assert_msg(mapmake(s, map, -1, &bpffs.load, &bpffs.err) == -1, "made: %s", fault);
	ck_assert_ptr_null(strchr(bpffs.err.text, '\n'));
	bpfobj_says(&bpffs.err, fault);
	mapmake_close(s);
	ck_assert_int_eq(bpffs_open_fds(), before);
	return -1;
}

struct bpfstamp_loaded *bpffs_load(struct bpfstamp_stamp *s)
{
	struct bpfstamp_loaded *loaded;

	ck_assert_msg(!bpfstamp_load_object(s, &bpffs.load, &loaded, &bpffs.err), "%s", bpffs.err.text);
	return loaded;
}

int bpffs_recorded(const char *section, const char *name, int32_t verdict)
{
	const struct bpfinsn insns[] = { MOV64(0, verdict), EXIT };
	struct bpfstamp_load load = { .record = true };
	struct bpfobj o = bpfobj_new(BYTES_HOST_BIG);
	struct bpfstamp_stamp *s;
	int fd;

	bpfobj_func(&o, name, bpfobj_code(&o, section, insns, 2), 0, 2);
	bpfobj_open(&o);
	s = bpfobj_stamp(&o);
	load.program = bpfobj_program(&o, name, NULL);
	ck_assert_msg(!bpfstamp_load(s, &load, &fd, &bpffs.err), "%s", bpffs.err.text);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
	return fd;
}
