/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program as the kernel wants it: the entry function and every function that
 * it calls, one behind the other, with what must be filled in at load.
 */
#ifndef LOADER_LINK_H
#define LOADER_LINK_H

#include "loader/template.h"

struct bpf_func_info;
struct bpf_line_info;

struct link_chunk {	/* a function copied from the image */
	uint32_t func;
	uint32_t at;		/* slot of the linked program */
};

struct link_call {	/* an instruction whose imm (and src) is now known */
	uint32_t at;
	uint8_t src;
	int32_t imm;
};

struct link_map {	/* an lddw that wants a map's fd */
	uint32_t at;
	uint32_t map;
	uint32_t offset;	/* into the value, where value is true */
	bool value;
};

struct link_patch {	/* an instruction that the running kernel decides on: an extern, a CO-RE relocation */
	uint32_t at;
	uint32_t slots;
	struct bpfinsn insn[2];
};

struct link {
	uint32_t insns;
	struct link_chunk *chunks;
	struct link_call *calls;
	struct link_map *maps;
	uint32_t *symbols;	/* injectables whose value the program cannot do without */
	struct link_patch *patches;
	uint32_t chunk_count, call_count, map_count, symbol_count, patch_count;
	int *btf_fds;		/* fd_array of the load: 0, then the BTF, not to be closed, of modules with kfuncs */
	uint32_t btf_fd_count;	/* 0 where there is none */
	uint32_t target_id;	/* of tracing programs: what they attach to, a type of the kernel's, else 0 */
	int target_fd;		/* of the BTF that it is in; 0: vmlinux's */
	struct bpf_func_info *func_info;	/* of linux/bpf.h */
	struct bpf_line_info *line_info;
	uint32_t func_info_count, line_info_count;
};

/*
 * Link the program of function f.  Refuses what cannot be loaded, with the
 * instruction.  Opens the kernel's types where it needs them, and keeps them in
 * t->cache, whose lock the caller holds.
 */
int link_program(struct link **out, const struct bpfstamp_template *t, uint32_t f, struct bpfstamp_err *err);

/* imm of the call that takes the place of a kfunc that is not there; plus the extern's index.  So does libbpf. */
enum { LINK_MISSING_KFUNC = 2002000000 };

/* The part of link_program that asks the kernel (loader/link_kernel.c): fills patches and btf_fds. */
int link_kernel(struct link *link, const struct bpfstamp_template *t, struct bpfstamp_err *err);

/* The relocations of a function. */
void link_relocs(const struct bpfstamp_template *t, uint32_t func, const struct reloc **first,
		 const struct reloc **end);

void link_free(struct link *link);

/* Whether an instruction of it refers to a map of the template. */
bool link_has_map(const struct link *link, uint32_t map);

/* Put the program together from an image into insns (link->insns slots), but for the maps. */
void link_gather(const struct link *link, const struct bpfstamp_template *t, const uint8_t *image, uint8_t *insns);

/* The place in the template of a slot of the linked program; false where there is none. */
bool link_origin(const struct link *link, const struct bpfstamp_template *t, uint32_t at, uint32_t *code,
		 uint32_t *insn);

#endif
