// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is told about the JIT's memory (loader/jitlimit.h): the texts for made-up
 * numbers; what is measured of the running kernel; and a load that the kernel
 * refuses, which a listener does for it (tests/bpfcalls.h), since the limit does
 * not bind root.  The limit itself is really lowered for that moment, and a
 * process that outlives the test puts it back however the test ends.
 */
#define _GNU_SOURCE	/* setresuid */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/jitlimit.h"
#include "loader/sys.h"
#include "tests/bpfcalls.h"
#include "tests/bpfobj.h"

Suite *suite_jitlimit(void);

/* ------------------------------------------------------------------ texts */

#define USERS { { "filter_out", true, 812, 13631488 }, { "", false, 1, 2 << 20 }, { "x", false, 2, 1025 } }
#define UNTOLD ": its JIT cannot compile something that the program does"

static const struct {
	struct jitlimit_use use;
	int code;
	const char *text;
} cases[] = {
	{ { .limit = 64 << 20, .counted = true, .programs = 900, .bytes = 16 << 20, .pages = 54 << 20, .users = USERS,
	    .user_count = 3 }, SYS_ENOTSUPP,
	  ": the memory for compiled programs is used up: net.core.bpf_jit_limit is 64.0 MB, and 900 programs have "
	  "16.0 MB of machine code, 54.0 MB in whole pages (bpfstamp's filter_out: 812 programs, 13.0 MB; without a "
	  "name: 1 program, 2.0 MB; x: 2 programs, 2 KB); detach what is not needed any more, or raise the limit" },
	{ { .limit = 64 << 20, .counted = true, .programs = 900, .bytes = 16 << 20, .pages = 53 << 20, .users = USERS,
	    .user_count = 3 }, SYS_ENOTSUPP,
	  UNTOLD "; its memory is not the reason: 900 programs have 16.0 MB of 64.0 MB" },
	{ { .limit = 64 << 20, .counted = true, .programs = 900, .bytes = 16 << 20, .pages = 53 << 20, .users = USERS,
	    .user_count = 3 }, ENOMEM, "" },
	{ { .limit = 4096, .counted = true, .programs = 1, .bytes = 1535, .pages = 4096,
	    .users = { { "p", false, 1, 1535 } }, .user_count = 1 }, ENOMEM,
	  ": the memory for compiled programs is used up: net.core.bpf_jit_limit is 4 KB, and 1 program has 2 KB of "
	  "machine code, 4 KB in whole pages (p: 1 program, 2 KB); detach what is not needed any more, or raise the "
	  "limit" },
	{ { .limit = 64 << 20 }, SYS_ENOTSUPP,
	  UNTOLD ", or has no memory left for it (net.core.bpf_jit_limit); to tell what uses that memory needs "
	  "CAP_SYS_ADMIN" },
	{ { .counted = true, .programs = 1, .bytes = 5 }, SYS_ENOTSUPP,
	  UNTOLD ", or has no memory left for it (net.core.bpf_jit_limit); to tell what uses that memory needs "
	  "CAP_SYS_ADMIN" },
	{ { .disabled = true, .limit = 64 << 20, .counted = true }, SYS_ENOTSUPP,
	  ": its JIT is off, and the program cannot do without: set net.core.bpf_jit_enable to 1" },
};

START_TEST(texts)
{
	struct bpfstamp_err err = { 0 };

	ck_assert_int_eq(jitlimit_tell(&cases[_i].use, cases[_i].code, &err), -1);
	ck_assert_str_eq(err.text, cases[_i].text);
}
END_TEST

/* ---------------------------------------------------------------- measure */

/* A loaded program of count instructions. */
static int load_named(const char *name, unsigned int count)
{
	struct bpf_insn insns[count];
	union bpf_attr attr;

	for (unsigned int i = 0; i < count; i++)
		insns[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = (int)i };
	insns[count - 1] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insn_cnt = count;
	attr.insns = (uintptr_t)insns;
	attr.license = (uintptr_t)"GPL";
	strcpy(attr.prog_name, name);
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* Programs count as locked memory before 5.11; newer kernels do without. */
static bool usable(void)
{
	const struct rlimit any = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_MEMLOCK, &any);
	if (!geteuid())
		return true;
	fprintf(stderr, "SKIP measuring programs: not root\n");
	return false;
}

static bool is_jited(int fd)
{
	struct bpf_prog_info info;

	memset(&info, 0, sizeof(info));
	ck_assert_int_eq(sys_prog_info(fd, &info), 0);
	if (!info.jited_prog_len)
		fprintf(stderr, "SKIP measuring programs: no JIT\n");
	return info.jited_prog_len;
}

/* So large that they have most: three of one name, and one more of another. */
START_TEST(measured)
{
	struct jitlimit_use before, after;

	if (!usable())
		return;
	jitlimit_measure(&before);
	for (int i = 0; i < 3; i++)
		ck_assert_int_ge(load_named("jit_most", 20000), 0);
	if (!is_jited(load_named("jit_second", 20000)))
		return;
	jitlimit_measure(&after);
	ck_assert(after.counted);
	ck_assert_uint_gt(after.limit, 0);
	ck_assert_uint_ge(after.programs, 4);
	ck_assert_uint_ge(after.pages, after.bytes);
	ck_assert_uint_gt(after.bytes, 4 * 20000);
	ck_assert_uint_ge(after.user_count, 2);
	ck_assert_str_eq(after.users[0].name, "jit_most");
	ck_assert_uint_eq(after.users[0].programs, 3);
	ck_assert_str_eq(after.users[1].name, "jit_second");
	ck_assert_uint_eq(after.users[1].programs, 1);
	ck_assert_uint_lt(after.users[1].bytes, after.users[0].bytes);
}
END_TEST

/* ------------------------------------------------------------------- load */

#define LIMIT "/proc/sys/net/core/bpf_jit_limit"

static bool set_limit(const char *text)
{
	int fd = open(LIMIT, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text);
}

/* Lower the limit until *hold is closed, which also the end of the process does; the pid of who puts it back. */
static pid_t lower_limit(const char *text, int *hold)
{
	char before[32] = "", byte;
	int fd = open(LIMIT, O_RDONLY | O_CLOEXEC), life[2];
	pid_t pid;

	if (fd < 0 || read(fd, before, sizeof(before) - 1) <= 0)
		return -1;
	close(fd);
	ck_assert_int_eq(pipe(life), 0);
	pid = fork();
	if (pid == 0) {
		close(life[1]);
		setsid();
		signal(SIGTERM, SIG_IGN);
		if (read(life[0], &byte, 1) == 0)
			set_limit(before);
		_exit(0);
	}
	close(life[0]);
	*hold = life[1];
	ck_assert(set_limit(text));
	return pid;
}

static int refuse_load(const struct bpfcalls *calls, uint32_t command, const uint8_t *attr, uint32_t size)
{
	(void)attr; (void)size;
	return command == BPF_PROG_LOAD ? *(const int *)calls->arg : 0;
}

/* "prog": r0 = 1, so often that count instructions are there; exit. */
static struct bpfobj object(uint32_t count)
{
	struct bpfobj o = bpfobj_new(BYTES_HOST_BIG);
	struct bpfinsn code[count];

	for (uint32_t i = 0; i < count; i++)
		code[i] = i + 1 < count ? (struct bpfinsn)MOV64(0, 1) : (struct bpfinsn)EXIT;
	bpfobj_func(&o, "prog", bpfobj_code(&o, "tc", code, count), 0, count);
	bpfobj_open(&o);
	return o;
}

/* Known by its record. */
START_TEST(ours)
{
	struct bpfstamp_load load = { .record = true };
	struct bpfstamp_err err = { 0 };
	struct bpfobj o = object(9000);
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	struct jitlimit_use use;
	int fd = -1;

	if (usable() && is_jited(load_named("jit_one", 4))) {
		load.program = bpfobj_program(&o, "prog", NULL);
		ck_assert_msg(!bpfstamp_load(s, &load, &fd, &err), "%s", err.text);
		jitlimit_measure(&use);
		ck_assert_uint_ge(use.user_count, 1);
		ck_assert_str_eq(use.users[0].name, "prog");
		ck_assert(use.users[0].ours);
	}
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

struct refusal {
	struct bpfobj object;
	const char *begin, *part;
};

static bool run_refused(const void *arg)
{
	const struct refusal *r = arg;
	const struct bpfstamp_load load = { .program = bpfobj_program(&r->object, "prog", NULL) };
	struct bpfstamp_stamp *s = bpfobj_stamp(&r->object);
	struct bpfstamp_err err = { 0 };
	int fd = -1;

	if (bpfstamp_load(s, &load, &fd, &err) == 0 || !strstr(err.text, r->begin) || !strstr(err.text, r->part)) {
		fprintf(stderr, "text: %s\n", err.text);
		return false;
	}
	bpfstamp_stamp_free(s);
	return true;
}

static void refused_load(int code, const char *begin, const char *part)
{
	struct refusal r = { .object = object(2), .begin = begin, .part = part };
	struct bpfcalls calls = { .refuse = refuse_load, .arg = &code };

	bpfcalls_watch(&calls, run_refused, &r);
	bpfobj_free(&r.object);
}

START_TEST(not_the_memory)
{
	if (usable() && is_jited(load_named("jit_one", 4)))
		refused_load(SYS_ENOTSUPP, "the kernel refuses program prog (Operation not supported)" UNTOLD
			     "; its memory is not the reason: ", " of ");
}
END_TEST

START_TEST(memory_used_up)
{
	int hold = -1;
	pid_t pid;

	if (!usable() || !is_jited(load_named("jit_one", 4000)))
		return;
	pid = lower_limit("65536", &hold);
	ck_assert_int_gt(pid, 0);
	refused_load(_i ? ENOMEM : SYS_ENOTSUPP, _i ? "the kernel refuses program prog (Cannot allocate memory): " :
		     "the kernel refuses program prog (Operation not supported): ",
		     ": the memory for compiled programs is used up: net.core.bpf_jit_limit is 64 KB, and ");
	close(hold);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

Suite *suite_jitlimit(void)
{
	Suite *s = suite_create("jitlimit");
	TCase *tc = tcase_create("jitlimit");

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, texts, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, measured);
	tcase_add_test(tc, ours);
	tcase_add_test(tc, not_the_memory);
	tcase_add_loop_test(tc, memory_used_up, 0, 2);
	return s;
}
