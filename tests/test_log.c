// SPDX-License-Identifier: BSD-2-Clause
/*
 * From the verifier's log to one line.  First logs in the format of several
 * kernels, short of what does not count; then the running kernel's own, of
 * programs that each are refused for one reason (tests/objects/rejected*.bpf.c).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/core.h"
#include "loader/link.h"
#include "loader/log.h"
#include "tests/bpfobj.h"

Suite *suite_log(void);

enum { SLOTS = 20 };

#define STATS "processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n"

#define TOO_OLD " (this kernel is too old for that instruction: those of -mcpu=v4 came with Linux 6.6, atomic " \
	"ones that return something with 5.12, -mcpu=v3 with 5.1)"

/* What is put behind "refused", for a program "prog" of 20 instructions without line_info, of type sched_cls. */
static const struct {
	const char *log, *expected;	/* NULL: no reason */
} logs[] = {
	/* 4.19 */
	{ "0: (61) r2 = *(u32 *)(r1 +76)\n1: (71) r0 = *(u8 *)(r2 +20)\n"
	  "invalid access to packet, off=20 size=1, R2(id=0,off=20,r=0)\nR2 offset is outside of the packet\n",
	  ": invalid access to packet, off=20 size=1, R2(id=0,off=20,r=0); "
	  "R2 offset is outside of the packet (compare "
	  "the end of the access with data_end first), at instruction 1 of prog" },
	{ "back-edge from insn 7 to 3\n",
	  ": back-edge from insn 7 to 3 (this kernel takes no loops (Linux 5.3 does, with CAP_BPF): unroll them), at "
	  "instruction 7 of prog" },
	{ "unrecognized bpf_ld_imm64 insn\n",
	  ": unrecognized bpf_ld_imm64 insn (this kernel is too old for what the program takes the address of: data "
	  "sections came with Linux 5.2 (--inline needs none), symbols of the kernel with 5.10, functions with "
	  "5.13)" },
	{ "0: (85) call bpf_get_current_comm#16\ncannot call GPL only function from proprietary program\n",
	  ": cannot call GPL only function from proprietary program (the licence of the object is \"BSD\": one such "
	  "as \"GPL\" or \"Dual BSD/GPL\" is needed), at instruction 0 of prog" },
	{ "0: (b7) r1 = 0\n1: (71) r0 = *(u8 *)(r1 +0)\nR1 invalid mem access 'inv'\n",
	  ": R1 invalid mem access 'inv' (to the verifier this is a number, not a pointer; "
	  "the kernel's memory is read with bpf_probe_read_kernel), at instruction 1 of prog" },
	{ "BPF program is too large. Processed 131073 insn\n",
	  ": BPF program is too large. Processed 131073 insn (bound its loops more tightly, or split it with tail "
	  "calls or global functions)" },
	/* 5.10 */
	{ "Unrecognized arg#0 type PTR\n; return bpf_xdp_adjust_head(skb, 0);\n0: (b7) r2 = 0\n"
	  "1: (85) call bpf_xdp_adjust_head#44\nunknown func bpf_xdp_adjust_head#44\n" STATS,
	  ": unknown func bpf_xdp_adjust_head#44 (this kernel does not let programs of type sched_cls call it, or "
	  "only with CAP_PERFMON), at instruction 1 of prog" },
	{ "0: (85) call unknown#181\ninvalid func unknown#181\n" STATS,
	  ": invalid func unknown#181 (this kernel is too old for the helper bpf_loop), at instruction 0 of prog" },
	{ "0: (85) call unknown#4711\ninvalid func unknown#4711\n" STATS,
	  ": invalid func unknown#4711 (this kernel is too old for that helper), at instruction 0 of prog" },
	{ "BPF_CALL uses reserved fields\n" STATS,
	  ": BPF_CALL uses reserved fields (this kernel is too old for calls of kernel functions, which came with "
	  "Linux 5.13)" },
	{ "BPF_STX uses reserved fields\n" STATS, ": BPF_STX uses reserved fields" TOO_OLD },
	{ "unknown opcode 06\n" STATS, ": unknown opcode 06" TOO_OLD },
	{ "Validating sum() func#2...\nArg#0 type PTR in sum() is not supported yet.\n" STATS,
	  ": Arg#0 type PTR in sum() is not supported yet. (a global function is verified by itself; "
	  "one that is static, or of hidden visibility, is not)" },
	{ "0: R1=ctx(id=0,off=0,imm=0) R10=fp0\n0: (bf) r6 = r1\nlast_idx 5 first_idx 0\n"
	  "regs=4 stack=0 before 2: (b7)\n"
	  "3: (05) goto pc+0\nfrom 3 to 4: R0=inv(id=0) R10=fp0\n4: (71) r0 = *(u8 *)(r0 +0)\n"
	  "R0 invalid mem access 'map_value_or_null'\n" STATS,
	  ": R0 invalid mem access 'map_value_or_null' (test the pointer for NULL first), at instruction 4 of prog" },
	/* 6.1 */
	{ "Validating sub() func#1...\n5: R1=scalar() R10=fp0\n5: (95) exit\n"
	  "Func#1 is safe for any args that match its "
	  "prototype\n0: R1=ctx(off=0,imm=0) R10=fp0\n0: (71) r0 = *(u8 *)(r1 +400)\n"
	  "invalid bpf_context access off=400 size=1\n" STATS,
	  ": invalid bpf_context access off=400 size=1 (programs of this type have no such field on this kernel, or "
	  "may not access it like this), at instruction 0 of prog" },
	{ "0: (bf) r0 = r5\nR5 !read_ok\n" STATS,
	  ": R5 !read_ok (on some path it was given no value: a variable is not initialized), at instruction 0 of "
	  "prog" },
	{ "0: (85) call bpf_cgroup_release#1234\ncalling kernel function bpf_cgroup_release is not allowed\n" STATS,
	  ": calling kernel function bpf_cgroup_release is not allowed (this kernel does not let programs of type "
	  "sched_cls call that kernel function), at instruction 0 of prog" },
	/* 6.12, 6.18 */
	{ "0: R1=ctx() R10=fp0\n; return bpf_xdp_adjust_head(skb, 0); @ x.bpf.c:7\n"
	  "0: (85) call bpf_xdp_adjust_head#44\n"
	  "program of this type cannot use helper bpf_xdp_adjust_head#44\n" STATS,
	  ": program of this type cannot use helper bpf_xdp_adjust_head#44 (this kernel does not let programs of "
	  "type sched_cls call it, or only with CAP_PERFMON), at instruction 0 of prog" },
	{ "0: (b4) w1 = 0\n1: (15) if r1 == 0x0 goto pc-1\ninfinite loop detected at insn 1\n"
	  "cur state: R1_w=0 R10=fp0\nold state: R1_w=0 R10=fp0\n" STATS,
	  ": infinite loop detected at insn 1 (the verifier sees nothing change from one round to the next), at "
	  "instruction 1 of prog" },
	{ "0: (95) exit\ncombined stack size of 2 calls is 608. Too large\nverification time 84 usec\n"
	  "stack depth 304+304\n" STATS,
	  ": combined stack size of 2 calls is 608. Too large (the local variables of functions that call each other "
	  "share 512 bytes)" },
	{ "0: (95) exit\nUnreleased reference id=2 alloc_insn=12\nBPF_EXIT instruction in main prog would lead to "
	  "reference leak\n" STATS,
	  ": Unreleased reference id=2 alloc_insn=12; BPF_EXIT instruction in main prog would lead to reference leak "
	  "(what was acquired must be released on every path), at instruction 0 of prog" },
	/* 7.2 */
	{ "3: (85) call bpf_x#77\nPossibly NULL pointer passed to trusted R1\nrequires a non-NULL value\n" STATS,
	  ": Possibly NULL pointer passed to trusted R1; "
	  "requires a non-NULL value (test the pointer for NULL first), at instruction 3 of prog" },
	/* no hint; no instruction; one outside of the program; too many lines; nothing */
	{ "7: (95) exit\nsomething new\n" STATS, ": something new, at instruction 7 of prog" },
	{ "something new\n" STATS, ": something new" },
	{ "20: (95) exit\nsomething new\n", ": something new" },
	{ "99999999999: (95) exit\nsomething new\n", ": something new" },
	{ "unreachable insn 99999999999\n",
	  ": unreachable insn 99999999999 (nothing leads there: often undefined behaviour in the source, such as an "
	  "endless loop)" },
	{ "a\nb\nc\nd\ne\nf\ng\nh\ni\nj", ": a; j" },
	{ "0: (95) exit\n" STATS, NULL },
	{ "", NULL },
	{ "\n\n", NULL },
};

static struct bpfobj program_of(uint32_t slots)
{
	static const char license[] = "BSD";
	struct bpfinsn code[SLOTS];
	struct bpfobj o = bpfobj_new(false);

	for (uint32_t i = 0; i < slots; i++)
		code[i] = (struct bpfinsn)EXIT;
	bpfobj_func(&o, "prog", bpfobj_code(&o, "tc", code, slots), 0, slots);
	bpfobj_data(&o, "license", license, sizeof(license));
	bpfobj_open(&o);
	return o;
}

static struct link *link_of(const struct bpfobj *o)
{
	struct bpfstamp_err err = { 0 };
	struct link *link;

	ck_assert_msg(!link_program(&link, o->t, 0, &err), "%s", err.text);
	return link;
}

START_TEST(logs_of_kernels)
{
	struct bpfobj o = program_of(SLOTS);
	struct link *link = link_of(&o);
	struct bpfstamp_err err = { .text = "refused" };

	ck_assert_int_eq(log_explain(logs[_i].log, link, o.t, BPF_PROG_TYPE_SCHED_CLS, &err),
			 logs[_i].expected != NULL);
	ck_assert_msg(!strncmp(err.text, "refused", 7), "%s", err.text);
	if (logs[_i].expected)
		ck_assert_str_eq(err.text + 7, logs[_i].expected);
	ck_assert_ptr_null(strchr(err.text, '\n'));
	link_free(link);
	bpfobj_free(&o);
}
END_TEST

START_TEST(blame)
{
	static const struct { const char *log; bool blamed; } table[] = {
		{ "func_info BTF section doesn't match subprog layout in BPF program\n" STATS, true },
		{ "invalid type id 7 in func info\n", true },
		{ "Invalid line_info[1].insn_off:99 (prev_offset:0 prog->len:3)\n" STATS, true },
		{ "nonzero tailing record in line_info", true },
		{ "; func_info\n0: (95) exit\nR0 !read_ok\n" STATS, false },
		{ "", false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		ck_assert_msg(log_blames_records(table[i].log) == table[i].blamed, "%s", table[i].log);
}
END_TEST

START_TEST(tail)
{
	static const struct { const char *log; size_t size; const char *tail; } table[] = {
		{ "one\ntwo\n", 9, "one\ntwo\n" }, { "one\ntwo\n", 8, "two\n" }, { "one\ntwo\n", 5, "two\n" },
		{ "one\ntwo\n", 4, "" }, { "one\ntwo\n", 1, "" }, { "one", 3, "" }, { "", 1, "" },
	};
	char buf[16];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		memset(buf, 'x', sizeof(buf));
		log_tail(table[i].log, buf, table[i].size);
		ck_assert_str_eq(buf, table[i].tail);
		ck_assert_int_eq(buf[table[i].size], 'x');
	}
}
END_TEST

/* ------------------------------------------------------ the running kernel */

/* By object and program: parts of the error, in this order. */
static const struct {
	const char *object, *program, *parts[3];
} rejected[] = {
	{ "rejected_reasons", "value_bounds", { "invalid access to map value", "check the offset", ".bpf.c:32)" } },
	{ "rejected_reasons", "null_untested", { "map_value_or_null", "test the pointer for NULL", ".bpf.c:41)" } },
	{ "rejected_reasons", "number_as_pointer", { "invalid mem access '", "not a pointer", ".bpf.c:47)" } },
	{ "rejected_reasons", "no_such_field", { "invalid bpf_context access", "no such field", ".bpf.c:53)" } },
	{ "rejected_reasons", "no_value", { "!read_ok", "not initialized", ".bpf.c:59)" } },
	{ "rejected_reasons", "helper_of_xdp", { "bpf_xdp_adjust_head#44", "programs of type sched_cls", ":66)" } },
	{ "rejected_reasons", "helper_unknown", { "invalid func unknown#100000", "too old", ".bpf.c:72)" } },
	{ "rejected_reasons", "unreachable", { "unreachable insn 2", "nothing leads there", ".bpf.c:78)" } },
	{ "rejected_reasons", "endless", { " insn 1", "(", "instruction 1 of endless (" } },
	{ "rejected_reasons", "too_complex", { "jumps is too complex", "bound its loops", "too_complex (" } },
	{ "rejected_reasons", "unknown_opcode", { "unknown opcode 8d", "-mcpu=v4" } },
	{ "rejected_reasons", "unreleased", { "Unreleased reference", "released on every path" } },
	{ "rejected_reasons", "stack", { "combined stack size of 2 calls", "share 512 bytes)" } },
	{ "rejected_licence", "print", { "from non-GPL compatible program", "\"Proprietary\"", ".bpf.c:10)" } },
	{ "rejected_kernel", "field", { "offset of struct task_struct.bpfstamp_has_no_such_field",
					"does not have" } },
	{ "rejected_kernel", "untested", { "kernel function bpfstamp_no_such_function", "tested before the call" } },
	{ "rejected_kernel", "forbidden", { "calling kernel function bpf_sock_destroy is not", "sched_cls" } },
};

static void expect_rejected(const struct bpfobj *o, int i)
{
	struct bpfstamp_stamp *s = bpfobj_stamp(o);
	struct bpfstamp_load load = { .program = bpfobj_program(o, rejected[i].program, NULL) };
	struct bpfstamp_err err = { 0 };
	char log[128], *at;
	int fd = -1;

	load.log = log;
	load.log_size = sizeof(log);
	log[0] = '\0';
	ck_assert_int_eq(bpfstamp_load(s, &load, &fd, &err), -1);
	ck_assert_int_eq(fd, -1);
	ck_assert_ptr_null(strchr(err.text, '\n'));
	at = err.text;
	for (int part = 0; part < 3 && rejected[i].parts[part]; part++) {
		at = strstr(at, rejected[i].parts[part]);
		ck_assert_msg(at != NULL, "'%s' does not say '%s' there", err.text, rejected[i].parts[part]);
	}
	ck_assert_msg(*log != '\0', "no log: %s", err.text);
	bpfstamp_stamp_free(s);
}

START_TEST(rejected_here)
{
	char source[64];
	struct bpfobj o;

	if (geteuid()) {
		fprintf(stderr, "SKIP programs that the kernel refuses: not root\n");
		return;
	}
	if (!strcmp(rejected[_i].program, "forbidden") &&
	    !(bpfobj_kernel_has("log", 6, 5, "bpf_sock_destroy") && bpfobj_kernel_compiles("log")))
		return;
	snprintf(source, sizeof(source), "#include \"%s.bpf.c\"\n", rejected[_i].object);
	if (!bpfobj_compile(&o, BYTES_HOST_BIG ? "bpfeb" : "bpfel", "-mcpu=v3 " BPFOBJ_FLAGS, source))
		return;
	expect_rejected(&o, _i);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_log(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("log");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, logs_of_kernels, 0, sizeof(logs) / sizeof(logs[0]));
	tcase_add_test(tcase, blame);
	tcase_add_test(tcase, tail);
	tcase_add_loop_test(tcase, rejected_here, 0, sizeof(rejected) / sizeof(rejected[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
