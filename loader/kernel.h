/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The types of the running kernel: the BTF of vmlinux and of its modules, or a
 * file that stands for them.  Nothing is read before it is asked for.  For one
 * thread at a time, lookups included.
 *
 * A type is found by its essential name: what stands in front of the last
 * three underscores that follow a name and are followed by one ("task_struct"
 * of task_struct___v2): the rest is a flavor, which tells declarations of one
 * type apart in a program (kernel: Documentation/bpf/llvm_reloc.rst, libbpf's
 * CO-RE).
 */
#ifndef LOADER_KERNEL_H
#define LOADER_KERNEL_H

#include "elf/btf.h"
#include "include/bpfstamp.h"

struct kernel;

struct kernel_btf {
	struct btf btf;		/* a module's is split: it continues that of vmlinux */
	char name[64];		/* "vmlinux", a module's name, or the file's path */
	int fd;			/* of a module's BTF, for the kernel to know it by; else 0.  Not to be closed */
};

/*
 * The BTF of the running kernel (/sys/kernel/btf/vmlinux, else where vmlinux
 * images are usually found), or of file: raw BTF, or ELF with a section .BTF.
 * A file stands for vmlinux, and has no modules.
 */
int kernel_open(struct kernel **out, const char *file, struct bpfstamp_err *err);
void kernel_close(struct kernel *k);

/*
 * Read the BTF of the modules, once; then kernel_btf_count counts them.  A
 * module that went away meanwhile is left out, and so are all for want of
 * CAP_SYS_ADMIN.  After any other failure none is kept, and the next call starts anew.
 */
int kernel_read_modules(struct kernel *k, struct bpfstamp_err *err);

/* 0 is that of vmlinux. */
uint32_t kernel_btf_count(const struct kernel *k);
const struct kernel_btf *kernel_btf_at(const struct kernel *k, uint32_t i);

/*
 * The types, functions and variables that BTF i itself has (not what it
 * continues) by essential name: the first len bytes of name.  Ascending ids:
 * the first above `after`, or 0.  The first call makes an index of all names.
 */
uint32_t kernel_find(const struct kernel *k, uint32_t i, const char *name, size_t len, uint32_t after);

/* The same without functions and variables, which are most of the names: a quarter of the work. */
uint32_t kernel_find_type(const struct kernel *k, uint32_t i, const char *name, size_t len, uint32_t after);

/*
 * The first type, function or variable of that kind whose whole name is the
 * first len bytes of name: of vmlinux, or else of a module; those are read only
 * then.  *id is it, in BTF *btf, or 0 where there is none.
 */
int kernel_find_first(struct kernel *k, enum btf_kind kind, const char *name, size_t len, uint32_t *btf, uint32_t *id,
		      struct bpfstamp_err *err);

/* How long the essential part of a name is. */
size_t kernel_essential(const char *name);

#endif
