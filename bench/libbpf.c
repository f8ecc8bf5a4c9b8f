// SPDX-License-Identifier: BSD-2-Clause
/*
 * libbpf, as its users load a program with other values: open the object, write the
 * initial value of .rodata, load.  There is nothing to be kept from one pod to the
 * next but the object's bytes.  And libelf, which reads as much of an object as
 * any loader has to: every section, symbol and relocation, but no type.
 *
 * The fd that is handed back is a duplicate, so that the object can be closed
 * within the time, as bpfstamp closes what it made.
 */
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/filter.h"

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static struct bpf_object *open_object(const void *bytes, size_t size)
{
	struct bpf_object *object = bpf_object__open_mem(bytes, size, NULL);

	if (!object)
		bench_die("libbpf: cannot open: %m");
	return object;
}

static int load(const void *bytes, size_t size, const void *values, size_t values_size, double *ns)
{
	double start = bench_now();
	struct bpf_object *object = open_object(bytes, size);
	struct bpf_map *rodata = bpf_object__find_map_by_name(object, ".rodata");
	int fd;

	if (bpf_map__set_initial_value(rodata, values, values_size) || bpf_object__load(object))
		bench_die("libbpf: cannot load: %m");
	fd = fcntl(bpf_program__fd(bpf_object__next_program(object, NULL)), F_DUPFD_CLOEXEC, 0);
	bpf_object__close(object);
	*ns = bench_now() - start;
	return fd;
}

static int load_pod(const struct pod_values *values, double *ns)
{
	static size_t size;
	static void *bytes;

	if (!bytes)
		bytes = bench_read_file(bench_files.pod, &size);
	return load(bytes, size, values, sizeof(*values), ns);
}

static int load_large(const struct pod_values *values, double *ns)
{
	uint32_t words[LARGE_VALUES];
	static size_t size;
	static void *bytes;

	if (!bytes)
		bytes = bench_read_file(bench_files.large, &size);
	for (uint32_t i = 0; i < LARGE_VALUES; i++)
		words[i] = values->vni + i;
	return load(bytes, size, words, sizeof(words), ns);
}

static int attach(const struct pod_values *values, bool fresh, double *ns)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = bench_ifindex("bench-libbpf"), .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1, .flags = fresh ? 0 : BPF_TC_F_REPLACE);
	static int sock = -1;
	double start;
	int fd = load_pod(values, &start);

	if (sock < 0)
		sock = filter_open();
	if (sock < 0 || (fresh ? filter_clsact_delete(sock, hook.ifindex) : filter_clsact(sock, hook.ifindex)))
		bench_die("libbpf: clsact: %m");
	opts.prog_fd = fd;
	start = bench_now();
	if ((fresh && bpf_tc_hook_create(&hook)) || bpf_tc_attach(&hook, &opts))
		bench_die("libbpf: cannot attach: %m");
	*ns = bench_now() - start;
	close(fd);
	return check_attached("bench-libbpf");
}

static int attach_new(const struct pod_values *values, double *ns)
{
	return attach(values, true, ns);
}

static int replace(const struct pod_values *values, double *ns)
{
	return attach(values, false, ns);
}

static void *mib(size_t *size)
{
	static size_t bytes_size;
	static void *bytes;

	if (!bytes)
		bytes = bench_read_file(bench_files.mib, &bytes_size);
	*size = bytes_size;
	return bytes;
}

static int open_mib(const struct pod_values *values, double *ns)
{
	size_t size;
	void *bytes = mib(&size);
	double start = bench_now();

	(void)values;
	bpf_object__close(open_object(bytes, size));
	*ns = bench_now() - start;
	return BENCH_NOTHING;
}

/* Returns what came of it, so that it is not left out. */
static uint64_t read_section(Elf_Scn *scn)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	uint64_t sum = 0;
	GElf_Shdr header;
	GElf_Sym symbol;
	GElf_Rel rel;

	if (!data || !gelf_getshdr(scn, &header) || !header.sh_entsize)
		return sum;
	for (size_t i = 0; i < header.sh_size / header.sh_entsize; i++) {
		if (header.sh_type == SHT_SYMTAB && gelf_getsym(data, (int)i, &symbol))
			sum += symbol.st_value;
		else if (header.sh_type == SHT_REL && gelf_getrel(data, (int)i, &rel))
			sum += rel.r_offset;
	}
	return sum;
}

static int libelf_mib(const struct pod_values *values, double *ns)
{
	static volatile uint64_t sum;
	size_t size;
	void *bytes = mib(&size);
	double start = bench_now();
	Elf *elf;

	(void)values;
	elf_version(EV_CURRENT);
	elf = elf_memory(bytes, size);
	if (!elf)
		bench_die("libelf: %s", elf_errmsg(-1));
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));)
		sum += read_section(scn);
	elf_end(elf);
	*ns = bench_now() - start;
	return BENCH_NOTHING;
}

void libbpf_contenders(void)
{
	libbpf_set_print(quiet);
	bench_add("load", "libbpf", load_pod);
	bench_add_large("load of 4,000 instructions", "libbpf", load_large);
	bench_add("attach", "libbpf, new interface", attach_new);
	bench_add("attach", "libbpf, replace", replace);
	bench_add("open 1 MiB", "libbpf", open_mib);
	bench_add("open 1 MiB", "libelf, without types", libelf_mib);
}
