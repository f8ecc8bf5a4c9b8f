// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loading a program: how many system calls it takes, and what is done without
 * where the kernel refuses something.  What no kernel at hand refuses is
 * refused by a listener (tests/bpfcalls.h), by the rule of the kernels that did.
 */
#include <check.h>
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/lacks.h"
#include "loader/sys.h"
#include "tests/bpfcalls.h"
#include "tests/bpfobj.h"
#include "tests/btfgen.h"

Suite *suite_progload(void);

struct notes {
	int count;
	char all[2048];		/* a line each */
};

static void take_note(void *arg, const char *text)
{
	struct notes *notes = arg;
	size_t used = strlen(notes->all);

	notes->count++;
	snprintf(notes->all + used, sizeof(notes->all) - used, "%s\n", text);
}

/* Load program "prog" of an object; the fd, or -1 with *err. */
static int load(const struct bpfobj *o, struct notes *notes, struct bpfstamp_err *err)
{
	const struct bpfstamp_load load = { .program = bpfobj_program(o, "prog", NULL), .note = take_note,
					    .note_arg = notes };
	struct bpfstamp_stamp *s = bpfobj_stamp(o);
	int fd = -1;

	*notes = (struct notes){ 0 };
	*err = (struct bpfstamp_err){ 0 };
	bpfstamp_load(s, &load, &fd, err);
	bpfstamp_stamp_free(s);
	return fd;
}

static bool may_load(void)
{
	if (!geteuid())
		return true;
	fprintf(stderr, "SKIP loading programs: not root\n");
	return false;
}

/* Whether something holds, with what was said where it does not. */
static bool that(bool holds, const char *what, const struct notes *notes, const struct bpfstamp_err *err)
{
	if (!holds)
		fprintf(stderr, "%s: %s; notes: %s\n", what, err->text, notes->all);
	return holds;
}

/* ----------------------------------------------------------------- objects */

/* "prog": r1 = 7 ll; r0 = 1; exit.  With func_info, and line_info of the first and of slot `second`. */
static struct bpfobj object(const char *section, uint32_t second)
{
	static const struct bpfinsn code[] = { LDDW(1, 7), MOV64(0, 1), EXIT };
	struct btfgen *gen = btfgen_new(BYTES_HOST_BIG);
	struct bpfobj o = bpfobj_new(BYTES_HOST_BIG);
	uint32_t func, file = btfgen_string(gen, "f.c"), i32;

	i32 = btfgen_type(gen, "int", BTF_INT, 0, 4);
	btfgen_word(gen, BTF_INT_SIGNED << 24 | 32);
	func = btfgen_type(gen, "prog", BTF_FUNC, 0, btfgen_type(gen, "", BTF_FUNC_PROTO, 0, i32));
	btfgen_ext_word(gen, BTF_EXT_FUNC, 8);
	btfgen_ext_word(gen, BTF_EXT_FUNC, btfgen_string(gen, section));
	btfgen_ext_word(gen, BTF_EXT_FUNC, 1);
	btfgen_ext_word(gen, BTF_EXT_FUNC, 0);
	btfgen_ext_word(gen, BTF_EXT_FUNC, func);
	btfgen_ext_word(gen, BTF_EXT_LINE, 16);
	btfgen_ext_word(gen, BTF_EXT_LINE, btfgen_string(gen, section));
	btfgen_ext_word(gen, BTF_EXT_LINE, 2);
	for (uint32_t i = 0; i < 2; i++) {
		btfgen_ext_word(gen, BTF_EXT_LINE, i * second * 8);
		btfgen_ext_word(gen, BTF_EXT_LINE, file);
		btfgen_ext_word(gen, BTF_EXT_LINE, file);
		btfgen_ext_word(gen, BTF_EXT_LINE, (i + 1) << 10);
	}
	bpfobj_btf(&o, gen, true);
	bpfobj_func(&o, "prog", bpfobj_code(&o, section, code, 4), 0, 4);
	bpfobj_open(&o);
	return o;
}

/* ------------------------------------------------------- the running kernel */

static bool run_good(const void *arg)
{
	const struct bpfobj *o = arg;
	struct bpfstamp_err err;
	struct notes notes;

	return that(load(o, &notes, &err) >= 0 && !notes.count, "good", &notes, &err);
}

START_TEST(one_call)
{
	struct bpfobj o = object("tc", 2);
	struct bpfcalls calls = { 0 };

	if (may_load() && bpfcalls_watch(&calls, run_good, &o)) {
		ck_assert_uint_eq(calls.count[BPF_BTF_LOAD], 1);
		ck_assert_uint_eq(calls.count[BPF_PROG_LOAD], 1);
	}
	bpfobj_free(&o);
}
END_TEST

static bool run_rejected(const void *arg)
{
	const struct bpfobj *o = arg;
	struct bpfstamp_err err;
	struct notes notes;

	return that(load(o, &notes, &err) < 0 && strstr(err.text, "!read_ok") && !notes.count, "rejected", &notes,
		    &err);
}

/* The second call is for the log; there is no third, whatever the program could be loaded without. */
START_TEST(rejected_in_two)
{
	struct bpfobj o = object("xdp", 2);
	struct bpfcalls calls = { 0 };
	uint8_t *mov = o.t->image + object_insn_at(o.t, 0, 2);

	bpfinsn_encode(mov, BYTES_HOST_BIG, &(struct bpfinsn){ .code = 0xbf, .dst = 0, .src = 5 });
	if (may_load() && bpfcalls_watch(&calls, run_rejected, &o))
		ck_assert_uint_eq(calls.count[BPF_PROG_LOAD], 2);
	bpfobj_free(&o);
}
END_TEST

/* A line that begins within an instruction. */
START_TEST(records_refused)
{
	struct bpfobj o = object("tc", 1);
	struct bpfstamp_err err;
	struct notes notes;

	for (int round = 0; may_load() && round < 2; round++) {
		int fd = load(&o, &notes, &err);

		ck_assert_msg(fd >= 0, "%s", err.text);
		ck_assert_str_eq(notes.all, "the kernel refuses the function and line records of the object: loading "
				 "without\n");
		ck_assert(!lacks(LACKS_PROG_BTF));
		close(fd);
	}
	bpfobj_free(&o);
}
END_TEST

static const struct {
	const char *section;
	uint32_t attach_type, flags;
	const char *note, *error;
} around[] = {
	{ "cgroup_skb/egress", 200, 0, "the kernel refuses the expected attach type: loading without\n", NULL },
	{ "cgroup/connect4", 200, 0, "",
	  "test.o: the kernel refuses program prog (Invalid argument): it may be too old for programs of type "
	  "cgroup_sock_addr, for attach type 200" },
	{ "tc", 0, 1u << 30, "",
	  "test.o: the kernel refuses program prog (Invalid argument): it may be too old for programs of type "
	  "sched_cls, for flags 0x40000000" },
};

START_TEST(refused_around_the_program)
{
	struct bpfobj o = object(around[_i].section, 2);
	struct bpfstamp_err err;
	struct notes notes;
	int fd;

	o.t->funcs[0].attach_type = around[_i].attach_type;
	o.t->funcs[0].prog_flags = around[_i].flags;
	if (may_load()) {
		fd = load(&o, &notes, &err);
		ck_assert_msg((fd < 0) == !!around[_i].error, "%s", err.text);
		if (around[_i].error)
			ck_assert_str_eq(err.text, around[_i].error);
		ck_assert_str_eq(notes.all, around[_i].note);
		ck_assert(!lacks(LACKS_ATTACH_TYPE));
		if (fd >= 0)
			close(fd);
	}
	bpfobj_free(&o);
}
END_TEST

/* What is known to be lacking is left out at once. */
START_TEST(known_lacks)
{
	static const char *const names[] = { "a.b", "a_b", "" };
	struct bpfobj o = object("tc", 2);
	struct bpf_prog_info info;
	struct bpfstamp_err err;
	struct notes notes;

	o.t->funcs[0].name = "a.b";
	for (int i = 0; may_load() && i < 3; i++) {
		const struct bpfstamp_load load = { .note = take_note, .note_arg = &notes };
		struct bpfstamp_stamp *s = bpfobj_stamp(&o);
		int fd = -1;

		notes = (struct notes){ 0 };
		if (i)
			lacks_note(i == 1 ? LACKS_DOTS : LACKS_NAMES);
		if (i == 2)
			lacks_note(LACKS_PROG_BTF);
		ck_assert_msg(!bpfstamp_load(s, &load, &fd, &err), "%s", err.text);
		memset(&info, 0, sizeof(info));
		ck_assert_int_eq(sys_prog_info(fd, &info), 0);
		ck_assert_str_eq(info.name, names[i]);
		ck_assert_int_eq(info.nr_func_info, i < 2);
		ck_assert_int_eq(notes.count, 0);
		close(fd);
		bpfstamp_stamp_free(s);
	}
	bpfobj_free(&o);
}
END_TEST

/* ------------------------------------------------------------ older kernels */

/* A kernel refuses what it does not know of an attribute: bytes behind its own that are not zero. */
static int refuse_behind(const struct bpfcalls *calls, uint32_t command, const uint8_t *attr, uint32_t size)
{
	const size_t *known = calls->arg;

	for (size_t i = *known; command == BPF_PROG_LOAD && i < size; i++)
		if (attr[i])
			return E2BIG;
	return 0;
}

static const struct {
	size_t known;
	const char *notes;
	bool without[LACKS_PROG_BTF + 1];
	uint32_t calls;		/* of the first load and of the second */
} old[] = {
	{ sizeof(union bpf_attr), "", { 0 }, 2 },
	{ offsetof(union bpf_attr, prog_btf_fd),
	  "this kernel (before 5.0) takes no function and line records: loading without\n",
	  { [LACKS_PROG_BTF] = true }, 4 },
	{ offsetof(union bpf_attr, expected_attach_type),
	  "this kernel (before 5.0) takes no function and line records: loading without\n"
	  "this kernel (before 4.17) takes no expected attach type: loading without\n",
	  { [LACKS_PROG_BTF] = true, [LACKS_ATTACH_TYPE] = true }, 5 },
	{ offsetof(union bpf_attr, prog_name),
	  "this kernel (before 5.0) takes no function and line records: loading without\n"
	  "this kernel (before 4.17) takes no expected attach type: loading without\n"
	  "this kernel (before 4.15) takes no names of programs: loading without\n",
	  { [LACKS_PROG_BTF] = true, [LACKS_ATTACH_TYPE] = true, [LACKS_NAMES] = true }, 6 },
};

struct old_case {
	const struct bpfobj *o;
	int i;
};

static bool run_old(const void *arg)
{
	const struct old_case *c = arg;
	struct bpfstamp_err err;
	struct notes notes;

	if (!that(load(c->o, &notes, &err) >= 0 && !strcmp(notes.all, old[c->i].notes), "old", &notes, &err))
		return false;
	for (int lack = 0; lack <= LACKS_PROG_BTF; lack++)
		if (!that(lacks((enum lack)lack) == old[c->i].without[lack], "noted", &notes, &err))
			return false;
	return that(load(c->o, &notes, &err) >= 0 && !notes.count, "again", &notes, &err);
}

START_TEST(unknown_fields)
{
	struct bpfobj o = object("xdp", 2);
	struct bpfcalls calls = { .refuse = refuse_behind, .arg = &old[_i].known };

	if (may_load() && bpfcalls_watch(&calls, run_old, &(struct old_case){ &o, _i }))
		ck_assert_uint_eq(calls.count[BPF_PROG_LOAD], old[_i].calls);
	bpfobj_free(&o);
}
END_TEST

/* The verifier of the old kernel has the last word: its log is told, and what it lacks is noted. */
static bool run_old_rejected(const void *arg)
{
	struct bpfstamp_err err;
	struct notes notes;

	return that(load(arg, &notes, &err) < 0 && strstr(err.text, "!read_ok") && err.code == EACCES &&
		    notes.count == 1 && lacks(LACKS_PROG_BTF), "old, rejected", &notes, &err);
}

START_TEST(unknown_fields_rejected)
{
	struct bpfobj o = object("xdp", 2);
	struct bpfcalls calls = { .refuse = refuse_behind, .arg = &old[1].known };
	uint8_t *mov = o.t->image + object_insn_at(o.t, 0, 2);

	bpfinsn_encode(mov, BYTES_HOST_BIG, &(struct bpfinsn){ .code = 0xbf, .dst = 0, .src = 5 });
	if (may_load() && bpfcalls_watch(&calls, run_old_rejected, &o))
		ck_assert_uint_eq(calls.count[BPF_PROG_LOAD], 3);
	bpfobj_free(&o);
}
END_TEST

/* E2BIG to the end is not about fields. */
static bool run_too_big(const void *arg)
{
	struct bpfstamp_err err;
	struct notes notes;

	return that(load(arg, &notes, &err) < 0 && err.code == E2BIG && !notes.count && !lacks(LACKS_PROG_BTF) &&
		    !lacks(LACKS_ATTACH_TYPE) && !lacks(LACKS_NAMES), "too big", &notes, &err);
}

START_TEST(too_big)
{
	static const size_t nothing;
	struct bpfobj o = object("xdp", 2);
	struct bpfcalls calls = { .refuse = refuse_behind, .arg = &nothing };

	if (may_load())
		bpfcalls_watch(&calls, run_too_big, &o);
	bpfobj_free(&o);
}
END_TEST

/* Before 5.2. */
static int refuse_dots(const struct bpfcalls *calls, uint32_t command, const uint8_t *attr, uint32_t size)
{
	(void)calls;
	return command == BPF_PROG_LOAD && size > offsetof(union bpf_attr, prog_name) + BPF_OBJ_NAME_LEN &&
	       memchr(attr + offsetof(union bpf_attr, prog_name), '.', BPF_OBJ_NAME_LEN) ? EINVAL : 0;
}

static bool run_dots(const void *arg)
{
	const struct bpfobj *o = arg;
	struct bpfstamp_stamp *s = bpfobj_stamp(o);
	struct bpfstamp_err err = { 0 };
	struct notes notes = { 0 };
	const struct bpfstamp_load load_it = { .note = take_note, .note_arg = &notes };
	int fd;

	for (int round = 0; round < 2; round++)
		if (bpfstamp_load(s, &load_it, &fd, &err))
			return that(false, "dots", &notes, &err);
	return that(notes.count == 1 && strstr(notes.all, "dots") && lacks(LACKS_DOTS), "dots", &notes, &err);
}

START_TEST(dots)
{
	struct bpfobj o = object("tc", 2);
	struct bpfcalls calls = { .refuse = refuse_dots };

	o.t->funcs[0].name = "a.b";
	if (may_load() && bpfcalls_watch(&calls, run_dots, &o))
		ck_assert_uint_eq(calls.count[BPF_PROG_LOAD], 4);
	bpfobj_free(&o);
}
END_TEST

/* Of all loads by their numbers those whose bit is set: before 5.11, until RLIMIT_MEMLOCK is raised. */
static int refuse_some(const struct bpfcalls *calls, uint32_t command, const uint8_t *attr, uint32_t size)
{
	(void)attr, (void)size;
	return command == BPF_PROG_LOAD && *(const uint32_t *)calls->arg >> calls->count[BPF_PROG_LOAD] & 1 ? EPERM : 0;
}

/* Whether this process may raise it at all, which wants CAP_SYS_RESOURCE. */
static bool may_raise(void)
{
	struct rlimit before, unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	return !getrlimit(RLIMIT_MEMLOCK, &before) && !setrlimit(RLIMIT_MEMLOCK, &unlimited) &&
	       !setrlimit(RLIMIT_MEMLOCK, &before);
}

static bool run_memlock(const void *arg)
{
	const bool raised = may_raise();
	struct bpfstamp_err err;
	struct notes notes;
	int fd = load(arg, &notes, &err);

	if (raised)
		return that(fd >= 0 && strstr(notes.all, "RLIMIT_MEMLOCK"), "memlock", &notes, &err);
	return that(fd < 0 && err.code == EPERM && !notes.count, "memlock that cannot be raised", &notes, &err);
}

/* Refused again after it was raised, as threads are that began to load before another one raised it. */
static bool run_memlock_twice(const void *arg)
{
	struct bpfstamp_err err;
	struct notes notes;

	if (!may_raise())
		return true;
	return that(load(arg, &notes, &err) >= 0, "memlock", &notes, &err) &&
	       that(load(arg, &notes, &err) >= 0 && !notes.count, "memlock that was raised", &notes, &err);
}

static bool run_no_privilege(const void *arg)
{
	struct bpfstamp_err err;
	struct notes notes;

	return that(load(arg, &notes, &err) < 0 && err.code == EPERM && strstr(err.text, "needs the capabilities"),
		    "no privilege", &notes, &err);
}

START_TEST(not_permitted)
{
	static const struct {
		bool (*run)(const void *arg);
		uint32_t refused, most;		/* loads: bits, and how many there are */
	} cases[] = {
		{ run_memlock, 1u << 1 | 1u << 2, 3 },
		{ run_memlock_twice, 1u << 1 | 1u << 2 | 1u << 4 | 1u << 5, 6 },
		{ run_no_privilege, UINT32_MAX, 3 },
	};
	struct bpfobj o = object("tc", 2);
	struct bpfcalls calls = { .refuse = refuse_some, .arg = &cases[_i].refused };

	if (may_load() && bpfcalls_watch(&calls, cases[_i].run, &o))
		ck_assert_uint_le(calls.count[BPF_PROG_LOAD], cases[_i].most);
	bpfobj_free(&o);
}
END_TEST

/* ------------------------------------------------------- no BTF for a while */

struct want {
	int code;
	bool passes;
};

/* The attempt, and the question why. */
static int refuse_btf(const struct bpfcalls *calls, uint32_t command, const uint8_t *attr, uint32_t size)
{
	const struct want *want = calls->arg;

	(void)attr, (void)size;
	return command == BPF_BTF_LOAD && calls->count[BPF_BTF_LOAD] <= 2 ? want->code : 0;
}

struct want_case {
	const struct bpfobj *o;
	const struct want *want;
};

static bool run_without_btf(const void *arg)
{
	const struct want_case *c = arg;
	struct bpfstamp_err err;
	struct notes notes;

	for (int round = 0; round < 2; round++) {
		const bool has = round && c->want->passes;
		struct bpf_prog_info info = { 0 };
		int fd = load(c->o, &notes, &err);

		if (!that(fd >= 0 && !sys_prog_info(fd, &info) && (info.btf_id != 0) == has && notes.count == !round,
			  "without BTF", &notes, &err))
			return false;
	}
	return true;
}

/* A want of memory or fds is not held against the BTF of the template. */
START_TEST(want_passes)
{
	static const struct want wants[] = { { ENOMEM, true }, { EMFILE, true }, { E2BIG, false } };
	struct bpfobj o = object("tc", 2);
	struct bpfcalls calls = { .refuse = refuse_btf, .arg = &wants[_i] };

	if (may_load())
		bpfcalls_watch(&calls, run_without_btf, &(struct want_case){ &o, &wants[_i] });
	bpfobj_free(&o);
}
END_TEST

/* --------------------------------------------------------------- signals */

static void interrupted(int number)
{
	(void)number;
}

static uint64_t microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Load a program of many instructions while a signal comes each so many microseconds (0: none); how long it took. */
static uint64_t load_under_signals(uint64_t each)
{
	struct timeval interval = { (time_t)(each / 1000000), (suseconds_t)(each % 1000000) };
	struct itimerval every = { interval, interval }, never = { 0 };
	struct bpf_insn insns[5000] = { 0 };
	const uint32_t count = sizeof(insns) / sizeof(*insns);
	uint64_t start;
	union bpf_attr attr;
	int fd;

	for (uint32_t i = 0; i < count; i++)
		insns[i].code = BPF_ALU64 | BPF_MOV | BPF_K;
	insns[count - 1].code = BPF_JMP | BPF_EXIT;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insn_cnt = count;
	attr.insns = (uintptr_t)insns;
	attr.license = (uintptr_t)"GPL";
	start = microseconds();
	ck_assert_int_eq(setitimer(ITIMER_REAL, &every, NULL), 0);
	fd = sys_prog_load(&attr);
	setitimer(ITIMER_REAL, &never, NULL);
	ck_assert_msg(fd >= 0, "%s", strerror(errno));
	close(fd);
	return microseconds() - start;
}

START_TEST(signals)
{
	const struct rlimit any = { RLIM_INFINITY, RLIM_INFINITY };	/* for kernels before 5.11 */
	struct sigaction action = { .sa_handler = interrupted };
	uint64_t undisturbed;
	sigset_t blocked;

	if (!may_load())
		return;
	setrlimit(RLIMIT_MEMLOCK, &any);
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	undisturbed = load_under_signals(0);
	/* More often than it can be verified, and not so often that an emulated machine does nothing else. */
	for (int i = 0; i < 3; i++)
		load_under_signals(undisturbed / 4 + 1);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &blocked), 0);
	ck_assert(!sigismember(&blocked, SIGALRM));
}
END_TEST

Suite *suite_progload(void)
{
	Suite *suite = suite_create("progload");
	TCase *tcase = tcase_create("progload");

	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, one_call);
	tcase_add_test(tcase, rejected_in_two);
	tcase_add_test(tcase, records_refused);
	tcase_add_loop_test(tcase, refused_around_the_program, 0, sizeof(around) / sizeof(around[0]));
	tcase_add_test(tcase, known_lacks);
	tcase_add_loop_test(tcase, unknown_fields, 0, sizeof(old) / sizeof(old[0]));
	tcase_add_test(tcase, unknown_fields_rejected);
	tcase_add_test(tcase, too_big);
	tcase_add_test(tcase, dots);
	tcase_add_loop_test(tcase, not_permitted, 0, 3);
	tcase_add_loop_test(tcase, want_passes, 0, 3);
	tcase_add_test(tcase, signals);
	suite_add_tcase(suite, tcase);
	return suite;
}
