// SPDX-License-Identifier: BSD-2-Clause
/*
 * libbpf, as its users load a program with other values: open the object, write the
 * initial value of .rodata, load.  There is nothing to be kept from one pod to the
 * next but the object's bytes.
 *
 * And libelf, with no more around it than any loader needs: the name of every section and
 * symbol, the section that each symbol is in, the symbol, the section and the
 * instruction of each relocation; then, by libbpf, the types (btf__new) and the functions,
 * lines and CO-RE relocations (btf_ext__new).  It keeps nothing of that, where a
 * loader makes programs, maps and variables of it.
 *
 * The fd that is handed back is a duplicate, so that the object can be closed
 * within the time, as bpfstamp closes what it made.
 */
#include <bpf/btf.h>
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

/* An object as libelf has it, while it is read. */
struct reader {
	Elf *elf;
	size_t names;		/* section of the sections' names */
	Elf_Data *symbol_data;
	GElf_Shdr symbol_header;
	Elf_Data *types, *lines;
	uint64_t sum;		/* what came of it, so that it is not left out */
};

static _Noreturn void broken(const char *what)
{
	bench_die("libelf: %s: %s", what, elf_errmsg(-1));
}

static void read_symbols(struct reader *r)
{
	size_t count = r->symbol_header.sh_size / r->symbol_header.sh_entsize;
	GElf_Shdr section;
	GElf_Sym symbol;

	for (size_t i = 0; i < count; i++) {
		const char *name;

		if (!gelf_getsym(r->symbol_data, (int)i, &symbol))
			broken("a symbol");
		name = elf_strptr(r->elf, r->symbol_header.sh_link, symbol.st_name);
		if (!name)
			broken("a symbol's name");
		if (symbol.st_shndx && symbol.st_shndx < SHN_LORESERVE) {
			if (!gelf_getshdr(elf_getscn(r->elf, symbol.st_shndx), &section) ||
			    symbol.st_value > section.sh_size)
				broken(name);
			r->sum += section.sh_type;
		}
	}
}

static void read_relocations(struct reader *r, Elf_Data *data, const GElf_Shdr *header)
{
	GElf_Shdr target, section;
	GElf_Sym symbol;
	GElf_Rel rel;

	if (!gelf_getshdr(elf_getscn(r->elf, header->sh_info), &target))
		broken("the section of relocations");
	for (size_t i = 0; i < header->sh_size / header->sh_entsize; i++) {
		if (!gelf_getrel(data, (int)i, &rel) || rel.r_offset >= target.sh_size ||
		    !gelf_getsym(r->symbol_data, (int)GELF_R_SYM(rel.r_info), &symbol))
			broken("a relocation");
		if (symbol.st_shndx && symbol.st_shndx < SHN_LORESERVE &&
		    !gelf_getshdr(elf_getscn(r->elf, symbol.st_shndx), &section))
			broken("a relocation's section");
		r->sum += symbol.st_value;
	}
}

/* Headers, names and contents of all sections; then what refers to others. */
static void read_sections(struct reader *r, bool refers)
{
	GElf_Shdr header;

	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(r->elf, scn));) {
		Elf_Data *data = elf_getdata(scn, NULL);
		const char *name;

		if (!gelf_getshdr(scn, &header) || !data)
			broken("a section");
		name = elf_strptr(r->elf, r->names, header.sh_name);
		if (!name)
			broken("a section's name");
		if (refers && header.sh_type == SHT_REL)
			read_relocations(r, data, &header);
		if (header.sh_type == SHT_SYMTAB) {
			r->symbol_header = header;
			r->symbol_data = data;
		}
		if (!strcmp(name, ".BTF"))
			r->types = data;
		if (!strcmp(name, ".BTF.ext"))
			r->lines = data;
	}
}

static void read_types(struct reader *r)
{
	struct btf *btf = btf__new(r->types->d_buf, (uint32_t)r->types->d_size);
	struct btf_ext *ext = btf_ext__new(r->lines->d_buf, (uint32_t)r->lines->d_size);

	if (!btf || !ext)
		bench_die("libbpf: cannot read types: %m");
	r->sum += btf__type_cnt(btf);
	btf_ext__free(ext);
	btf__free(btf);
}

static double libelf_mib(bool types)
{
	static volatile uint64_t sum;
	size_t size;
	void *bytes = mib(&size);
	struct reader r = { 0 };
	double start = bench_now();

	elf_version(EV_CURRENT);
	r.elf = elf_memory(bytes, size);
	if (!r.elf || elf_getshdrstrndx(r.elf, &r.names))
		broken("the object");
	read_sections(&r, false);
	if (!r.symbol_data || !r.types || !r.lines)
		bench_die("%s: has no symbols or no types", bench_files.mib);
	read_symbols(&r);
	read_sections(&r, true);
	if (types)
		read_types(&r);
	elf_end(r.elf);
	sum += r.sum;
	return bench_now() - start;
}

static int libelf_open(const struct pod_values *values, double *ns)
{
	(void)values;
	*ns = libelf_mib(false);
	return BENCH_NOTHING;
}

static int libelf_open_types(const struct pod_values *values, double *ns)
{
	(void)values;
	*ns = libelf_mib(true);
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
	bench_add("open 1 MiB", "libelf, without types", libelf_open);
	bench_add("open 1 MiB", "libelf, and types by libbpf", libelf_open_types);
}
