// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bare system calls: the floor.
 *
 * A load of bpfstamp is captured (bench/capture.c) with values that occur nowhere
 * else, so that the instructions that hold one are known.  The contenders repeat
 * its calls with other values: create the map, fill it, freeze it, load the
 * program; or only load the program, where values are in instructions.
 *
 * "same calls" are those, to the byte.  "no types" leaves out what the kernel
 * can do without: BTF of map and program, functions and lines.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/bare_process.h"
#include "bench/capture.h"
#include "bench/filter.h"
#include "bench/stamped.h"

enum { SITES = 16 };

static const struct pod_values marks = { .vni = BARE_VNI, .vlan = BARE_VLAN, .addr = BARE_ADDR };

struct bare {
	struct capture c;
	struct bpf_insn *insns;
	uint32_t map_at[SITES];		/* instructions that name the map */
	uint32_t value_at[SITES], value_of[SITES];	/* those that hold a value: its index */
	uint32_t maps, values;
};

static void note_value(struct bare *b, uint32_t at, const uint32_t *values, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if ((uint32_t)b->insns[at].imm != values[i])
			continue;
		if (b->values == SITES)
			bench_die("bare: too many instructions have a value");
		b->value_at[b->values] = at;
		b->value_of[b->values++] = i;
	}
}

static void prepare(struct bare *b, bench_fn *load, const uint32_t *values, uint32_t count, bool types)
{
	double ns;

	if (b->insns)
		return;
	close(load(&marks, &ns));	/* what is made once a template */
	capture_begin(&b->c);
	close(load(&marks, &ns));
	capture_end();
	b->insns = (struct bpf_insn *)(uintptr_t)b->c.prog.insns;
	for (uint32_t i = 0; i < b->c.prog.insn_cnt; i++) {
		if (b->c.has_map && b->insns[i].src_reg == BPF_PSEUDO_MAP_VALUE && b->insns[i].code == 0x18)
			b->map_at[b->maps++] = i;
		else if (!b->c.has_map)
			note_value(b, i, values, count);
	}
	if (types)
		return;
	b->c.map.btf_fd = b->c.map.btf_key_type_id = b->c.map.btf_value_type_id = 0;
	b->c.prog.prog_btf_fd = b->c.prog.func_info_cnt = b->c.prog.line_info_cnt = 0;
	b->c.prog.func_info_rec_size = b->c.prog.line_info_rec_size = 0;
	b->c.prog.func_info = b->c.prog.line_info = 0;
}

static int call(enum bpf_cmd command, union bpf_attr *attr)
{
	int result = (int)syscall(SYS_bpf, command, attr, sizeof(*attr));

	if (result < 0)
		bench_die("bare: command %d: %s", command, strerror(errno));
	return result;
}

static int make_map(struct bare *b, const void *value)
{
	const uint32_t key = 0;
	union bpf_attr attr;
	int fd = call(BPF_MAP_CREATE, &b->c.map);

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.key = (uint64_t)(uintptr_t)&key;
	attr.value = (uint64_t)(uintptr_t)value;
	call(BPF_MAP_UPDATE_ELEM, &attr);
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	call(BPF_MAP_FREEZE, &attr);
	return fd;
}

static int repeat(struct bare *b, const uint32_t *values, double *ns)
{
	double start = bench_now();
	int map = b->c.has_map ? make_map(b, values) : -1, fd;

	for (uint32_t i = 0; i < b->maps; i++)
		b->insns[b->map_at[i]].imm = map;
	for (uint32_t i = 0; i < b->values; i++)
		b->insns[b->value_at[i]].imm = (int32_t)values[b->value_of[i]];
	fd = call(BPF_PROG_LOAD, &b->c.prog);
	if (map >= 0)
		close(map);
	*ns = bench_now() - start;
	return fd;
}

static int load_pod(struct bare *b, bench_fn *load, bool types, const struct pod_values *values, double *ns)
{
	uint32_t words[3];

	memcpy(words, &marks, sizeof(marks));
	prepare(b, load, words, 3, types);
	memcpy(words, values, sizeof(*values));
	return repeat(b, words, ns);
}

static int load_large(struct bare *b, bench_fn *load, const struct pod_values *values, double *ns)
{
	uint32_t words[LARGE_VALUES];

	for (uint32_t i = 0; i < LARGE_VALUES; i++)
		words[i] = BARE_VNI + i;
	prepare(b, load, words, LARGE_VALUES, true);
	for (uint32_t i = 0; i < LARGE_VALUES; i++)
		words[i] = values->vni + i;
	return repeat(b, words, ns);
}

static int same_map(const struct pod_values *values, double *ns)
{
	static struct bare b;

	return load_pod(&b, stamped_map, true, values, ns);
}

static int same_inline(const struct pod_values *values, double *ns)
{
	static struct bare b;

	return load_pod(&b, stamped_inline, true, values, ns);
}

static int untyped_map(const struct pod_values *values, double *ns)
{
	static struct bare b;

	return load_pod(&b, stamped_map, false, values, ns);
}

static int untyped_inline(const struct pod_values *values, double *ns)
{
	static struct bare b;

	return load_pod(&b, stamped_inline, false, values, ns);
}

static int same_large(const struct pod_values *values, double *ns)
{
	static struct bare b;

	return load_large(&b, stamped_large, values, ns);
}

static int same_large_inline(const struct pod_values *values, double *ns)
{
	static struct bare b;

	return load_large(&b, stamped_large_inline, values, ns);
}

static int sock = -1, ifindex;

/* The interface, with clsact and a filter, or with neither. */
static void prepare_device(bool fresh)
{
	if (sock < 0) {
		sock = filter_open();
		ifindex = bench_ifindex("bench-bare");
	}
	if (sock < 0 || (fresh ? filter_clsact_delete(sock, ifindex) : filter_clsact(sock, ifindex)))
		bench_die("bare: clsact: %s", strerror(errno));
}

static int attached(int fd, double start, double *ns)
{
	*ns = bench_now() - start;
	close(fd);
	return check_attached("bench-bare");
}

/* Two messages, each with its answer. */
static int attach_new(const struct pod_values *values, double *ns)
{
	int fd = stamped_any(values);
	double start;

	prepare_device(true);
	start = bench_now();
	if (filter_clsact(sock, ifindex) || filter_create(sock, ifindex, fd))
		bench_die("bare: attach: %s", strerror(errno));
	return attached(fd, start, ns);
}

/* One message and its answer. */
static int replace(const struct pod_values *values, double *ns)
{
	int fd = stamped_any(values);
	double start;

	prepare_device(false);
	start = bench_now();
	if (filter_replace(sock, ifindex, fd))
		bench_die("bare: attach: %s", strerror(errno));
	return attached(fd, start, ns);
}

/* The same by who does not replace what he has not looked at. */
static int look_and_replace(const struct pod_values *values, double *ns)
{
	int fd = stamped_any(values);
	double start;

	prepare_device(false);
	if (filter_look(sock, ifindex) && filter_create(sock, ifindex, fd))
		bench_die("bare: attach: %s", strerror(errno));
	start = bench_now();
	if (filter_look(sock, ifindex) || filter_replace(sock, ifindex, fd))
		bench_die("bare: attach: %s", strerror(errno));
	return attached(fd, start, ns);
}

void bare_write_program(const char *path)
{
	struct bare b = { .insns = NULL };
	uint32_t words[3];
	FILE *file = fopen(path, "w");

	memcpy(words, &marks, sizeof(marks));
	prepare(&b, stamped_inline, words, 3, false);
	if (!file || fwrite(b.insns, sizeof(*b.insns), b.c.prog.insn_cnt, file) != b.c.prog.insn_cnt || fclose(file))
		bench_die("%s: %s", path, strerror(errno));
}

void bare_contenders(void)
{
	bench_add("load", "bare, same calls", same_map);
	bench_add("load", "bare, same calls, inlined", same_inline);
	bench_add("load", "bare, no types", untyped_map);
	bench_add("load", "bare, no types, inlined", untyped_inline);
	bench_add_large("load of 4,000 instructions", "bare, same calls", same_large);
	bench_add_large("load of 4,000 instructions", "bare, same calls, inlined", same_large_inline);
	bench_add("attach", "bare, new interface", attach_new);
	bench_add("attach", "bare, replace", replace);
	bench_add("attach", "bare, look and replace", look_and_replace);
}
