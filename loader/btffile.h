/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of BTF from a file: raw BTF, or the section .BTF of an ELF64 file
 * of any machine and type (a vmlinux, a module, an object).
 */
#ifndef LOADER_BTFFILE_H
#define LOADER_BTFFILE_H

#include "include/bpfstamp.h"

struct btffile {
	void *bytes;
	size_t size;
	bool mapped;
};

/*
 * Read the BTF of the file at path; whether it is sound is for btf_open to
 * say.  Returns 0, or -1 with *err, whose code is ENOENT where there is no such
 * file.
 */
int btffile_read(struct btffile *out, const char *path, struct bpfstamp_err *err);

/*
 * Map a file that nobody can change or shorten, as those of /sys/kernel/btf;
 * returns -1 with errno where the kernel cannot do that.
 */
int btffile_map(struct btffile *out, const char *path);

void btffile_free(struct btffile *file);

#endif
