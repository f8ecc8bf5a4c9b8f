/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Externs: what an object wants from the kernel by name.  The object's BTF
 * declares them in the DATASECs .kconfig and .ksyms; the symbol is undefined.
 */
#ifndef LOADER_EXTERNS_H
#define LOADER_EXTERNS_H

#include "loader/kernel.h"
#include "loader/load.h"
#include "loader/template.h"

/*
 * Bytes of the map of .kconfig (t->maps[t->kconfig].value_size of them), in the
 * object's byte order.  What is not set and weak is zero; strong, an error.
 * file: a configuration that stands for that of the running kernel, or NULL.
 */
int externs_kconfig(const struct bpfstamp_template *t, const char *file, uint8_t *bytes,
		    const struct bpfstamp_load *load, struct bpfstamp_err *err);

struct extern_value {
	bool found;		/* false: weak, and the kernel has none */
	uint64_t address;	/* of EXTERN_ADDRESS */
	uint32_t btf_id;	/* of EXTERN_VARIABLE and EXTERN_FUNCTION: a VAR or FUNC of btf */
	uint32_t btf;		/* which BTF of *k: 0 is vmlinux's */
};

/*
 * Find an extern of .ksyms in the kernel; k may be NULL for EXTERN_ADDRESS,
 * which needs no types.  A strong one that is not there is an error, and so is
 * one whose type in the kernel is not compatible with that in the object, but
 * for a weak function: a program declares one twice, as f___old and f___new
 * (what follows the name is a flavor, see loader/kernel.h), and calls the one
 * that is found.
 */
int externs_find(const struct bpfstamp_template *t, struct kernel *k, const struct external *ext,
		 struct extern_value *out, struct bpfstamp_err *err);

#endif
