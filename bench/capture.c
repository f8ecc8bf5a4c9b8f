// SPDX-License-Identifier: BSD-2-Clause
/*
 * Notes system calls of bpf(2), by taking the place of the C library's syscall(),
 * through which bpfstamp and libbpf both call it.
 *
 * The bare contenders repeat what was noted: the very calls that a loader made,
 * with nothing between them.  So a loader is compared with its own floor, and
 * no code here has to know how a program is put together.
 *
 * Copies are made once a contender, and not freed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/capture.h"

static struct capture *current;

static uint64_t copy(uint64_t pointer, size_t size)
{
	void *bytes;

	if (!pointer || !size)
		return 0;
	bytes = malloc(size);
	if (!bytes)
		bench_die("out of memory");
	return (uint64_t)(uintptr_t)memcpy(bytes, (const void *)(uintptr_t)pointer, size);
}

static void note_prog(struct capture *c, const union bpf_attr *attr, size_t size)
{
	memset(&c->prog, 0, sizeof(c->prog));
	memcpy(&c->prog, attr, size < sizeof(c->prog) ? size : sizeof(c->prog));
	c->prog.insns = copy(attr->insns, attr->insn_cnt * sizeof(struct bpf_insn));
	c->prog.license = copy(attr->license, strlen((const char *)(uintptr_t)attr->license) + 1);
	c->prog.func_info = copy(attr->func_info, attr->func_info_cnt * attr->func_info_rec_size);
	c->prog.line_info = copy(attr->line_info, attr->line_info_cnt * attr->line_info_rec_size);
	c->prog.fd_array = 0;
}

static void note(long command, const union bpf_attr *attr, size_t size, long result)
{
	current->calls++;
	if (result < 0)
		return;
	if (command == BPF_MAP_CREATE) {
		memset(&current->map, 0, sizeof(current->map));
		memcpy(&current->map, attr, size < sizeof(current->map) ? size : sizeof(current->map));
		current->has_map = true;
		current->map_fd = (int)result;
	} else if (command == BPF_PROG_LOAD) {
		note_prog(current, attr, size);
	}
}

void capture_begin(struct capture *c)
{
	memset(c, 0, sizeof(*c));
	current = c;
}

void capture_end(void)
{
	current = NULL;
}

/* Seen by shared libraries, too. */
__attribute__((visibility("default"))) long syscall(long number, ...)
{
	static long (*real)(long number, ...);
	long arg[6], result;
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	result = real(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	if (current && number == SYS_bpf)
		note(arg[0], (const union bpf_attr *)arg[1], (size_t)arg[2], result);
	return result;
}
