// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes down what a loader asks of the kernel: a library to be loaded before
 * the C library (LD_PRELOAD), which sees each bpf(2) call that goes through
 * syscall(), and appends a line to the file $RECORD for each program that was
 * loaded and each map that was created.
 *
 * It tells what the kernel keeps to itself, such as the expected attach type.
 * Of func_info and line_info there is a checksum.  File descriptors are only
 * "yes" or "no".  Instructions are not here: bpftool shows them.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint32_t checksum(uint64_t address, size_t size)
{
	const uint8_t *bytes = (const uint8_t *)(uintptr_t)address;
	uint32_t sum = 2166136261;

	for (size_t i = 0; bytes && i < size; i++)
		sum = (sum ^ bytes[i]) * 16777619;
	return sum;
}

static const char *yes_no(uint32_t x)
{
	return x ? "yes" : "no";
}

static int describe_program(char *line, size_t size, const union bpf_attr *a)
{
	return snprintf(line, size, "prog %.16s type=%u attach=%u flags=%#x insns=%u license=%s ifindex=%u "
			"btf=%s func_info=%ux%u:%08x line_info=%ux%u:%08x attach_btf_id=%u attach_fd=%s\n",
			a->prog_name, a->prog_type, a->expected_attach_type, a->prog_flags, a->insn_cnt,
			a->license ? (const char *)(uintptr_t)a->license : "", a->prog_ifindex,
			yes_no(a->prog_btf_fd), a->func_info_cnt, a->func_info_rec_size,
			checksum(a->func_info, (size_t)a->func_info_cnt * a->func_info_rec_size),
			a->line_info_cnt, a->line_info_rec_size,
			checksum(a->line_info, (size_t)a->line_info_cnt * a->line_info_rec_size),
			a->attach_btf_id, yes_no(a->attach_prog_fd));
}

static int describe_map(char *line, size_t size, const union bpf_attr *a)
{
	return snprintf(line, size,
			"map %.16s type=%u key=%u value=%u entries=%u flags=%#x inner=%s numa=%u ifindex=%u "
			"btf=%s btf_key=%u btf_value=%u btf_vmlinux=%u extra=%llu\n",
			a->map_name, a->map_type, a->key_size, a->value_size, a->max_entries, a->map_flags,
			yes_no(a->inner_map_fd), a->numa_node, a->map_ifindex, yes_no(a->btf_fd), a->btf_key_type_id,
			a->btf_value_type_id, a->btf_vmlinux_value_type_id, (unsigned long long)a->map_extra);
}

static void record(long command, const void *attributes, size_t size)
{
	const char *path = getenv("RECORD");
	union bpf_attr attr = { 0 };
	char line[512];
	int len, fd;

	if (!path || (command != BPF_PROG_LOAD && command != BPF_MAP_CREATE))
		return;
	memcpy(&attr, attributes, size < sizeof(attr) ? size : sizeof(attr));
	len = (command == BPF_PROG_LOAD ? describe_program : describe_map)(line, sizeof(line), &attr);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, (size_t)len) != len)
		abort();
	close(fd);
}

__attribute__((visibility("default"))) long syscall(long number, ...)
{
	long (*next)(long, ...), args[6], result;
	void *found = dlsym(RTLD_NEXT, "syscall");
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		args[i] = va_arg(list, long);
	va_end(list);
	memcpy(&next, &found, sizeof(next));
	result = next(number, args[0], args[1], args[2], args[3], args[4], args[5]);
	if (number == SYS_bpf && result >= 0)
		record(args[0], (const void *)args[1], (size_t)args[2]);
	return result;
}
