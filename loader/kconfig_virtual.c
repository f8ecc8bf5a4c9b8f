// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a program can ask for among the values of .kconfig although no
 * configuration has it; the names are libbpf's.
 *
 * The version is the one that the kernel was compiled as (LINUX_VERSION_CODE).
 * Distributions keep the release of uname(2) at the version that they started
 * from, so that modules stay in one folder: Ubuntu tells the other one in a file
 * of its own, Debian in the version of uname(2).
 *
 * Whether bpf_get_attach_cookie is there cannot be told from a version, as it
 * is carried back to older kernels: a program that calls it is loaded, and
 * thrown away.  Whether system calls have wrappers is told by the name of one.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bpfinsn/bpfinsn.h"
#include "include/bytes.h"
#include "loader/err.h"
#include "loader/kallsyms.h"
#include "loader/kconfig.h"
#include "loader/sys.h"

/* KERNEL_VERSION of a text that begins with three numbers, else 0. */
static uint32_t three_numbers(const char *text)
{
	unsigned long n[3];
	char *end = (char *)text;

	for (int i = 0; i < 3; i++) {
		if (i && *end++ != '.')
			return 0;
		if (*end < '0' || *end > '9')
			return 0;
		n[i] = strtoul(end, &end, 10);
	}
	if (n[0] > 255 || n[1] > 255)
		return 0;
	return (uint32_t)(n[0] << 16 | n[1] << 8 | (n[2] > 255 ? 255 : n[2]));
}

uint32_t kconfig_version(const char *release, const char *version, const char *signature)
{
	const char *debian = strstr(version, "Debian ");
	uint32_t number = 0;

	for (int word = 0; signature && word < 2; word++) {	/* "Ubuntu 5.4.0-12.15-generic 5.4.8" */
		signature = strchr(signature, ' ');
		signature = signature ? signature + 1 : NULL;
	}
	if (signature)
		number = three_numbers(signature);
	if (!number && debian)
		number = three_numbers(debian + strlen("Debian "));
	return number ? number : three_numbers(release);
}

static int running_version(uint64_t *number, struct bpfstamp_err *err)
{
	FILE *file = fopen("/proc/version_signature", "re");
	struct utsname uts;
	char line[256];
	bool signature = file && fgets(line, sizeof(line), file);

	if (file)
		fclose(file);
	uname(&uts);
	*number = kconfig_version(uts.release, uts.version, signature ? line : NULL);
	if (!*number)
		return err_set(err, EINVAL, "the version of this kernel, %s, is not three numbers", uts.release);
	return 0;
}

/* The one question to the kernel that only a program answers. */
static bool has_cookie(void)
{
	static const struct bpfinsn program[] = {
		{ .code = BPF_CLASS_JMP | BPF_OP_CALL, .imm = BPF_FUNC_get_attach_cookie },
		{ .code = BPF_CLASS_JMP | BPF_OP_EXIT },
	};
	uint8_t insns[sizeof(program) / sizeof(program[0]) * BPFINSN_SIZE];
	union bpf_attr attr;
	int fd;

	for (size_t i = 0; i < sizeof(program) / sizeof(program[0]); i++)
		bpfinsn_encode(insns + i * BPFINSN_SIZE, BYTES_HOST_BIG, &program[i]);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_TRACEPOINT;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = sizeof(program) / sizeof(program[0]);
	attr.license = (uintptr_t)"GPL";
	fd = sys_prog_load(&attr);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* What the kernel of this machine calls bpf(2), where system calls have wrappers. */
static const char *wrapped_bpf(void)
{
#if defined(__x86_64__)
	return "__x64_sys_bpf";
#elif defined(__aarch64__)
	return "__arm64_sys_bpf";
#elif defined(__s390x__)
	return "__s390x_sys_bpf";
#elif defined(__riscv)
	return "__riscv_sys_bpf";
#elif defined(__powerpc__)
	return "__powerpc_sys_bpf";
#else
	return NULL;
#endif
}

int kconfig_virtual(const char *name, bool *known, uint64_t *number, struct bpfstamp_err *err)
{
	bool wrapped = false;

	*known = true;
	if (!strcmp(name, "LINUX_KERNEL_VERSION"))
		return running_version(number, err);
	if (!strcmp(name, "LINUX_HAS_BPF_COOKIE")) {
		*number = has_cookie();
		return 0;
	}
	*known = !strcmp(name, "LINUX_HAS_SYSCALL_WRAPPER");
	if (*known && wrapped_bpf() && kallsyms_find(KALLSYMS_PATH, wrapped_bpf(), &wrapped, NULL, err))
		return -1;
	*number = wrapped;
	return 0;
}
