// SPDX-License-Identifier: BSD-2-Clause
/*
 * loader/kernel.h against the running kernel: what it finds there is compared
 * with what bpftool reads from the same bytes, and with what /sys/kernel/btf
 * shows.  BTF from files is in test_btffile.c.
 */
#define _GNU_SOURCE
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/kernel.h"
#include "loader/sys.h"
#include "tests/bpfcalls.h"
#include "tests/bpffs.h"
#include "tests/btfgen.h"

Suite *suite_kernel_btf(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct bpfstamp_err err;

static bool has_btf(void)
{
	if (!access("/sys/kernel/btf/vmlinux", R_OK))
		return true;
	printf("SKIP kernel_btf: this kernel shows no BTF\n");
	return false;
}

static struct kernel *open_kernel(const char *file)
{
	struct kernel *k = NULL;

	ck_assert_msg(!kernel_open(&k, file, &err), "%s", err.text);
	return k;
}

/* The first type of that kind with exactly that name; 0 where there is none. */
static uint32_t find(const struct kernel *k, enum btf_kind kind, const char *name)
{
	const struct btf *btf = &kernel_btf_at(k, 0)->btf;
	struct btf_type type;
	uint32_t id = 0;

	while ((id = kernel_find(k, 0, name, strlen(name), id))) {
		btf_type(btf, id, &type);
		if (type.kind == kind && !strcmp(type.name, name))
			break;
	}
	return id;
}

START_TEST(test_vmlinux)
{
	struct kernel *k = open_kernel(NULL);
	const struct kernel_btf *vmlinux = kernel_btf_at(k, 0);
	struct btf_member member;
	struct btf_type type;
	uint32_t id, i;

	ck_assert_uint_eq(kernel_btf_count(k), 1);
	ck_assert_str_eq(vmlinux->name, "vmlinux");
	ck_assert_int_eq(vmlinux->fd, 0);
	ck_assert_uint_eq(vmlinux->btf.first, 1);
	ck_assert_ptr_null(vmlinux->btf.base);
	id = find(k, BTF_STRUCT, "sk_buff");
	ck_assert_uint_ne(id, 0);
	btf_type(&vmlinux->btf, id, &type);
	ck_assert_uint_gt(type.size, 100);
	ck_assert_uint_lt(type.size, 1000);
	id = find(k, BTF_STRUCT, "net_device");
	btf_type(&vmlinux->btf, id, &type);
	for (i = 0; i < type.vlen; i++) {
		btf_member(&vmlinux->btf, id, i, &member);
		if (!strcmp(member.name, "ifindex"))
			break;
	}
	ck_assert_uint_lt(i, type.vlen);
	btf_type(&vmlinux->btf, member.type, &type);
	ck_assert_str_eq(type.name, "int");
	ck_assert_uint_ne(find(k, BTF_FUNC, "bpf_prog_put"), 0);
	ck_assert_uint_ne(find(k, BTF_INT, "int"), 0);
	ck_assert_uint_ne(find(k, BTF_TYPEDEF, "pid_t"), 0);
	kernel_close(k);
}
END_TEST

/* The same ids, names and sizes as bpftool finds. */
START_TEST(test_as_bpftool_reads_it)
{
	struct kernel *k = open_kernel(NULL);
	const struct btf *btf = &kernel_btf_at(k, 0)->btf;
	unsigned int id, size, seen = 0;
	char line[512], name[256];
	struct btf_type type;
	FILE *bpftool;

	bpftool = popen("bpftool btf dump file /sys/kernel/btf/vmlinux format raw 2>/dev/null", "r");
	ck_assert_ptr_nonnull(bpftool);
	while (fgets(line, sizeof(line), bpftool)) {
		if (sscanf(line, "[%u] STRUCT '%255[^']' size=%u", &id, name, &size) != 3)
			continue;
		ck_assert_uint_lt(id, btf->type_count);
		btf_type(btf, id, &type);
		ck_assert_int_eq(type.kind, BTF_STRUCT);
		ck_assert_uint_eq(type.size, size);
		if (strcmp(name, "(anon)")) {
			ck_assert_str_eq(type.name, name);
			ck_assert_uint_eq(kernel_find(k, 0, name, kernel_essential(name), id - 1), id);
		}
		seen++;
	}
	if (pclose(bpftool) || !seen)
		printf("SKIP kernel_btf: bpftool does not read this kernel's BTF\n");
	kernel_close(k);
}
END_TEST

/* Every name of an indexed kind is found, at each of its types in turn, and nothing else is. */
START_TEST(test_index_is_whole)
{
	struct kernel *k = open_kernel(NULL);
	const struct btf *btf = &kernel_btf_at(k, 0)->btf;
	uint32_t id, types = 0, symbols = 0;

	for (id = 1; id < btf->type_count; id++) {
		enum btf_kind kind;
		const char *name = btf_name(btf, id, &kind);
		bool symbol = kind == BTF_FUNC || kind == BTF_VAR;
		size_t len = kernel_essential(name);

		if (!*name || kind == BTF_DATASEC || kind == BTF_DECL_TAG || kind == BTF_TYPE_TAG) {
			if (*name)
				ck_assert_uint_ne(kernel_find(k, 0, name, len, id - 1), id);
			continue;
		}
		ck_assert_uint_eq(kernel_find(k, 0, name, len, id - 1), id);
		if (symbol)
			ck_assert_uint_ne(kernel_find_type(k, 0, name, len, id - 1), id);
		else
			ck_assert_uint_eq(kernel_find_type(k, 0, name, len, id - 1), id);
		*(symbol ? &symbols : &types) += 1;
	}
	ck_assert_uint_gt(types, 1000);
	ck_assert_uint_gt(symbols, 1000);
	ck_assert_uint_eq(kernel_find(k, 0, "no such type is known", 21, 0), 0);
	ck_assert_uint_eq(kernel_find(k, 0, "", 0, 0), 0);
	ck_assert_uint_eq(kernel_find(k, 0, "int", 3, UINT32_MAX), 0);
	kernel_close(k);
}
END_TEST

static int load_btf(void)
{
	struct btfgen *gen = btfgen_new(BYTES_HOST_BIG);
	uint8_t *bytes;
	size_t size;
	int fd;

	btfgen_type(gen, "of_a_program", BTF_INT, 0, 4);
	btfgen_word(gen, 32);
	bytes = btfgen_finish(gen, &size, NULL, NULL);
	fd = sys_btf_load(bytes, (uint32_t)size, NULL, 0);
	free(bytes);
	return fd;
}

static uint32_t shown_by_sysfs(void)
{
	DIR *btfs = opendir("/sys/kernel/btf");
	const struct dirent *entry;
	uint32_t n = 0;

	while (btfs && (entry = readdir(btfs)))
		n += entry->d_name[0] != '.';
	if (btfs)
		closedir(btfs);
	return n;
}

/*
 * The modules that the kernel has, each continuing vmlinux by types of its own;
 * no program's BTF.  None gets 0 for its fd, also where that is free.
 */
START_TEST(test_modules)
{
	struct kernel *k = open_kernel(NULL);
	int fd = load_btf(), fds;
	char shown[128];

	if (_i)
		close(0);
	fds = bpffs_open_fds();
	ck_assert_msg(!kernel_read_modules(k, &err), "%s", err.text);
	if (fd >= 0)
		ck_assert_uint_eq(kernel_btf_count(k), shown_by_sysfs());
	for (uint32_t i = 1; i < kernel_btf_count(k); i++) {
		const struct kernel_btf *module = kernel_btf_at(k, i);

		ck_assert_ptr_eq(module->btf.base, &kernel_btf_at(k, 0)->btf);
		ck_assert_uint_eq(module->btf.first, kernel_btf_at(k, 0)->btf.type_count);
		ck_assert_uint_gt(module->btf.type_count, module->btf.first);
		ck_assert_int_gt(module->fd, 0);
		snprintf(shown, sizeof(shown), "/sys/kernel/btf/%s", module->name);
		ck_assert_int_eq(access(shown, R_OK), 0);
		for (uint32_t id = module->btf.first; id < module->btf.type_count; id++) {
			enum btf_kind kind;
			const char *name = btf_name(&module->btf, id, &kind);

			if (*name && kind == BTF_FUNC)
				ck_assert_uint_eq(kernel_find(k, i, name, kernel_essential(name), id - 1), id);
		}
	}
	ck_assert_int_eq(kernel_read_modules(k, &err), 0);
	kernel_close(k);
	ck_assert_int_eq(bpffs_open_fds(), fds);
	close(fd);
}
END_TEST

/* What fails once, and with which text; without one, always, and it means that there are no modules. */
static const struct refusal {
	uint32_t command;
	int code;
	const char *fault;
} refusals[] = {
	{ BPF_BTF_GET_FD_BY_ID, EMFILE,
	  "BTF of the kernel's modules: cannot open one: Too many open files: raise RLIMIT_NOFILE (ulimit -n)" },
	{ BPF_BTF_GET_FD_BY_ID, ENFILE,
	  "BTF of the kernel's modules: cannot open one: Too many open files in system" },
	{ BPF_BTF_GET_FD_BY_ID, ENOMEM, "BTF of the kernel's modules: cannot open one: Cannot allocate memory" },
	{ BPF_OBJ_GET_INFO_BY_FD, ENOMEM,
	  "BTF of the kernel's modules: cannot ask what it is of: Cannot allocate memory" },
	{ BPF_BTF_GET_NEXT_ID, ENOMEM, "BTF of the kernel's modules: cannot list it: Cannot allocate memory" },
	{ BPF_BTF_GET_FD_BY_ID, ENOENT, NULL },		/* unloaded meanwhile */
	{ BPF_BTF_GET_FD_BY_ID, EPERM, NULL },
	{ BPF_BTF_GET_NEXT_ID, EPERM, NULL },
	{ BPF_BTF_GET_NEXT_ID, EINVAL, NULL },		/* before 5.4 */
	{ BPF_OBJ_GET_INFO_BY_FD, E2BIG, NULL },	/* before 5.11 */
};

static int refuse(const struct bpfcalls *calls, uint32_t command, const uint8_t *attr, uint32_t size)
{
	const struct refusal *refusal = calls->arg;

	(void)attr;
	(void)size;
	return command == refusal->command && (!refusal->fault || calls->count[command] == 1) ? refusal->code : 0;
}

static bool read_refused(const void *arg)
{
	const struct refusal *refusal = arg;
	struct kernel *k = open_kernel(NULL);
	int fds = bpffs_open_fds(), ret = kernel_read_modules(k, &err);
	bool right = kernel_btf_count(k) == 1 && bpffs_open_fds() == fds;

	if (refusal->fault) {
		right = right && ret == -1 && err.code == refusal->code && !strcmp(err.text, refusal->fault);
		ret = kernel_read_modules(k, &err);
		right = right && kernel_btf_count(k) == shown_by_sysfs();
	}
	kernel_close(k);
	return right && !ret;
}

/* What stands in the way of reading modules is told, and kept by nobody: the next call reads them. */
START_TEST(test_modules_fault)
{
	struct bpfcalls calls = { .refuse = refuse, .arg = &refusals[_i] };
	int fd = load_btf();
	uint32_t id;

	if (fd >= 0 && !sys_btf_next(0, &id))
		bpfcalls_watch(&calls, read_refused, &refusals[_i]);
	else
		printf("SKIP kernel_btf: faults of modules: no BTF is listed (Linux 5.4, CAP_SYS_ADMIN)\n");
	close(fd);
}
END_TEST

/* Types can be looked up by anybody; modules are left out. */
START_TEST(test_without_privilege)
{
	struct kernel *k;

	ck_assert(geteuid() != 0 || !setresuid(65534, 65534, 65534));
	k = open_kernel(NULL);
	ck_assert_uint_ne(find(k, BTF_STRUCT, "sk_buff"), 0);
	ck_assert_msg(!kernel_read_modules(k, &err), "%s", err.text);
	ck_assert_uint_eq(kernel_btf_count(k), 1);
	kernel_close(k);
}
END_TEST

/* The same bytes, read from a file. */
START_TEST(test_copy_of_vmlinux)
{
	struct kernel *k = open_kernel(NULL), *copy;
	const struct btf *btf = &kernel_btf_at(k, 0)->btf;
	char path[] = "/tmp/bpfstamp-kernel-btf.XXXXXX";
	int fd = mkstemp(path);
	uint32_t id;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, btf->data, btf->size), btf->size);
	close(fd);
	copy = open_kernel(path);
	unlink(path);
	ck_assert_uint_eq(kernel_btf_at(copy, 0)->btf.type_count, btf->type_count);
	id = find(k, BTF_STRUCT, "task_struct");
	ck_assert_uint_ne(id, 0);
	ck_assert_uint_eq(find(copy, BTF_STRUCT, "task_struct"), id);
	kernel_close(copy);
	kernel_close(k);
}
END_TEST

static const struct {
	const char *name;
	size_t len;
} names[] = {
	{ "", 0 }, { "a", 1 }, { "a___b", 1 }, { "a___b___c", 5 }, { "___a", 4 }, { "a___", 4 }, { "a____b", 6 },
	{ "a__b", 4 }, { "___", 3 }, { "_____", 5 }, { "_a___b", 2 }, { "a_b___c_d", 3 }, { "a___b____c", 1 },
	{ "task_struct___v2", 11 }, { "a___b_", 1 }, { "_____b", 6 }, { "long unsigned int", 17 },
};

START_TEST(test_essential)
{
	ck_assert_uint_eq(kernel_essential(names[_i].name), names[_i].len);
}
END_TEST

Suite *suite_kernel_btf(void)
{
	Suite *suite = suite_create("kernel_btf");
	TCase *tcase = tcase_create("kernel_btf");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_essential, 0, (int)COUNT(names));
	suite_add_tcase(suite, tcase);
	if (!has_btf())
		return suite;
	tcase_add_test(tcase, test_vmlinux);
	tcase_add_test(tcase, test_as_bpftool_reads_it);
	tcase_add_test(tcase, test_index_is_whole);
	tcase_add_loop_test(tcase, test_modules, 0, 2);
	tcase_add_loop_test(tcase, test_modules_fault, 0, (int)COUNT(refusals));
	tcase_add_test(tcase, test_without_privilege);
	tcase_add_test(tcase, test_copy_of_vmlinux);
	return suite;
}
