// SPDX-License-Identifier: BSD-2-Clause
/*
 * Externs of .ksyms in hand-made BTF of a kernel, in all ways in which types can
 * agree or not; and in the running one, whose verifier then tells whether what
 * was found is what was meant.
 */
#include <check.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/sys.h"
#include "tests/externobj.h"

Suite *suite_externs_kernel(void);

/* ----------------------------------------------------- a hand-made kernel */

static const struct decl kernels[] = {
	{ .name = "counter", .type = INT },
	{ .name = "function", .type = PROTO_LONG, .func = true },
	{ .name = "function", .type = PROTO_TWO, .func = true },
	{ .name = "flavored___here", .type = INT },
	{ .name = "function___here", .type = PROTO_TWO, .func = true },
};

static struct kernel *open_kernel(bool big)
{
	struct btfgen *gen = btfgen_new(big);
	struct bpfstamp_err err;
	struct kernel *k;
	uint8_t *bytes;
	size_t size;

	externobj_types(gen);
	externobj_decls(gen, kernels, sizeof(kernels) / sizeof(kernels[0]));
	bytes = btfgen_finish(gen, &size, NULL, NULL);
	externobj_write(bytes, size);
	free(bytes);
	ck_assert_msg(!kernel_open(&k, externobj_path, &err), "%s", err.text);
	return k;
}

#define MISSING "is not in this kernel's BTF, nor in that of a loaded module"
#define OTHER_TYPE ": the object declares it with another type than "

static const struct {
	struct decl decl;
	uint32_t id;		/* of kernels, from 1; 0: not found */
	const char *error;
} finds[] = {
	{ { .name = "counter", .type = LONG }, 1, NULL },
	{ { .name = "counter", .type = CONST_INT, .weak = true }, 1, NULL },
	{ { .name = "counter", .type = STRUCT }, 0, "extern counter" OTHER_TYPE },
	{ { .name = "counter", .type = STRUCT, .weak = true }, 0, "extern counter" OTHER_TYPE },
	{ { .name = "counter___two", .type = INT }, 0, "extern counter___two: it " MISSING },
	{ { .name = "count", .type = INT }, 0,
	  "extern count: it " MISSING " (which have no variables but per-CPU ones)" },
	{ { .name = "count", .type = INT, .weak = true }, 0, NULL },
	{ { .name = "flavored___here", .type = INT }, 4, NULL },
	{ { .name = "flavored", .type = INT }, 0, "extern flavored: it " MISSING },
	{ { .name = "function", .type = INT }, 0, "extern function: it " MISSING },
	{ { .name = "function", .type = PROTO_INT, .func = true }, 2, NULL },
	{ { .name = "function___flavor", .type = PROTO_INT, .func = true, .weak = true }, 2, NULL },
	{ { .name = "function___flavor", .type = PROTO_TWO, .func = true, .weak = true }, 0, NULL },
	{ { .name = "function", .type = PROTO_TWO, .func = true }, 0, "kfunc function" OTHER_TYPE },
	{ { .name = "function", .type = INT, .func = true }, 0, "kfunc function" OTHER_TYPE },
	{ { .name = "no_function", .type = PROTO_INT, .func = true }, 0, "kfunc no_function: it " MISSING },
	{ { .name = "no_function", .type = PROTO_INT, .func = true, .weak = true }, 0, NULL },
	{ { .name = "counter", .type = PROTO_INT, .func = true }, 0, "kfunc counter: it " MISSING },
};

START_TEST(typed)
{
	struct decl decl = finds[_i].decl;
	struct extern_value value = { .btf_id = 7777 };
	struct bpfstamp_err err = { 0 };
	struct kernel *k = open_kernel(BYTES_HOST_BIG);
	struct bpfobj o;
	int ret;

	decl.ksym = true;
	o = externobj(BYTES_HOST_BIG, &decl, 1);
	bpfobj_open(&o);
	ret = externs_find(o.t, k, &o.t->externs[0], &value, &err);
	if (finds[_i].error) {
		ck_assert_int_eq(ret, -1);
		bpfobj_says(&err, finds[_i].error);
		ck_assert_int_eq(strncmp(err.text, "test.o: ", 8), 0);
		ck_assert_uint_eq(value.btf_id, 7777);
	} else {
		ck_assert_msg(!ret, "%s", err.text);
		ck_assert_int_eq(value.found, finds[_i].id != 0);
		ck_assert_uint_eq(value.btf_id, finds[_i].id ? TYPES - 1 + finds[_i].id : 0);
		ck_assert_uint_eq(value.btf, 0);
	}
	kernel_close(k);
	bpfobj_free(&o);
}
END_TEST

/* ---------------------------------------------------- the running kernel */

/* Ask the verifier; whether it takes the program, else what it says. */
static bool loads(const struct bpfinsn *insns, uint32_t count, char *log, uint32_t size)
{
	uint8_t raw[16 * BPFINSN_SIZE];
	union bpf_attr attr;
	int fd;

	for (uint32_t i = 0; i < count; i++)
		bpfinsn_encode(raw + i * BPFINSN_SIZE, BYTES_HOST_BIG, &insns[i]);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uintptr_t)raw;
	attr.insn_cnt = count;
	attr.license = (uintptr_t)"GPL";
	attr.log_buf = (uintptr_t)log;
	attr.log_size = size;
	attr.log_level = 1;
	log[0] = '\0';
	fd = sys_prog_load(&attr);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/*
 * The verifier takes the id for that per-CPU variable, even if it then finds no
 * address for it, because the kernel was built without CONFIG_KALLSYMS_ALL.
 */
static bool is_percpu(uint32_t id, const char *name)
{
	const struct bpfinsn insns[] = {
		{ .code = BPF_CODE_LDDW, .dst = 1, .src = BPF_SRC_BTF_ID, .imm = (int32_t)id }, { 0 }, MOV64(2, 0),
		{ .code = BPF_CLASS_JMP | BPF_OP_CALL, .imm = BPF_FUNC_per_cpu_ptr }, MOV64(0, 0), EXIT,
	};
	char log[4096], missing[128];

	snprintf(missing, sizeof(missing), "failed to find the address for kernel symbol '%s'", name);
	return loads(insns, 6, log, sizeof(log)) || strstr(log, missing);
}

/* The verifier takes the id for a kfunc that makes a dynptr of an skb. */
static bool makes_dynptr(uint32_t id)
{
	const struct bpfinsn insns[] = {
		MOV64(2, 0), { .code = BPF_CLASS_ALU64 | BPF_OP_MOV | BPF_SOURCE_X, .dst = 3, .src = 10 },
		{ .code = BPF_CLASS_ALU64 | BPF_OP_ADD, .dst = 3, .imm = -16 },
		{ .code = BPF_CLASS_JMP | BPF_OP_CALL, .src = BPF_SRC_KFUNC_CALL, .imm = (int32_t)id },
		MOV64(0, 0), EXIT,
	};
	char log[4096];

	return loads(insns, 6, log, sizeof(log));
}

static struct extern_value value_of(const struct bpfobj *o, struct kernel *k, const char *name)
{
	struct bpfstamp_err err;
	struct extern_value value;

	ck_assert_msg(!externs_find(o->t, k, externobj_find(o, name), &value, &err), "%s", err.text);
	return value;
}

/* The running kernel's types, and an object; false where the tests of both cannot run. */
static bool start(struct kernel **k, struct bpfobj *o, const char *name)
{
	struct bpfstamp_err err;

	if (geteuid() != 0 || kernel_open(k, NULL, &err)) {
		printf("SKIP externs: not root, or no BTF of the kernel\n");
		return false;
	}
	if (externobj_compile(o, name))
		return true;
	kernel_close(*k);
	return false;
}

static void stop(struct kernel *k, struct bpfobj *o)
{
	kernel_close(k);
	bpfobj_free(o);
}

START_TEST(percpu)
{
	struct kernel *k;
	struct bpfobj o;
	uint32_t id;

	if (!bpfobj_kernel_has("externs", 5, 12, "per-CPU variables in its BTF") || !start(&k, &o, "externs_percpu"))
		return;
	id = value_of(&o, k, "bpf_prog_active").btf_id;
	ck_assert(is_percpu(id, "bpf_prog_active"));
	ck_assert(!is_percpu(id - 1, "bpf_prog_active"));
	ck_assert(is_percpu(value_of(&o, k, "runqueues").btf_id, "runqueues"));
	ck_assert(!value_of(&o, k, "y_no_such_variable").found);
	stop(k, &o);
}
END_TEST

START_TEST(kfunc)
{
	struct kernel *k;
	struct bpfobj o;
	uint32_t id;

	if (!start(&k, &o, "externs_flavor"))
		return;
	ck_assert(!value_of(&o, k, "bpf_dynptr_from_skb___two").found);
	id = value_of(&o, k, "bpf_dynptr_from_skb___three").btf_id;
	bpfobj_free(&o);
	if (!id) {
		printf("SKIP externs: no bpf_dynptr_from_skb (Linux 6.4)\n");
		kernel_close(k);
		return;
	}
	ck_assert(!bpfobj_kernel_compiles("externs") || makes_dynptr(id));
	ck_assert(!makes_dynptr(id - 1));
	if (externobj_compile(&o, "externs_kfunc")) {
		ck_assert_uint_eq(value_of(&o, k, "bpf_dynptr_from_skb").btf_id, id);
		ck_assert(!value_of(&o, k, "y_no_such_kfunc").found);
	}
	stop(k, &o);
}
END_TEST

START_TEST(address)
{
	static const struct decl decls[] = {
		{ .name = "schedule", .type = CONST_VOID, .ksym = true },
		{ .name = "no_such_symbol", .type = VOID, .ksym = true },
	};
	struct bpfobj o = externobj(BYTES_HOST_BIG, decls, 2);
	struct extern_value value = { 0 };
	struct bpfstamp_err err;
	uint64_t want = 0;
	FILE *grep;

	bpfobj_open(&o);
	ck_assert_int_eq(externs_find(o.t, NULL, externobj_find(&o, "no_such_symbol"), &value, &err), -1);
	ck_assert_str_eq(err.text,
			 "test.o: extern no_such_symbol: this kernel has no symbol of that name (/proc/kallsyms)");
	grep = popen("grep ' T schedule$' /proc/kallsyms", "r");
	ck_assert_ptr_nonnull(grep);
	ck_assert_int_eq(fscanf(grep, "%" SCNx64, &want), 1);
	pclose(grep);
	if (want) {
		value = value_of(&o, NULL, "schedule");
		ck_assert(value.found);
		ck_assert_uint_eq(value.address, want);
	} else {
		ck_assert_int_eq(externs_find(o.t, NULL, externobj_find(&o, "schedule"), &value, &err), -1);
		bpfobj_says(&err, "test.o: extern schedule: /proc/kallsyms hides the address of schedule");
	}
	bpfobj_free(&o);
}
END_TEST

Suite *suite_externs_kernel(void)
{
	TCase *tcase = tcase_create("externs_kernel");
	Suite *s = suite_create("externs_kernel");

	tcase_add_checked_fixture(tcase, externobj_setup, externobj_teardown);
	tcase_add_loop_test(tcase, typed, 0, sizeof(finds) / sizeof(finds[0]));
	tcase_add_test(tcase, percpu);
	tcase_add_test(tcase, kfunc);
	tcase_add_test(tcase, address);
	suite_add_tcase(s, tcase);
	return s;
}
