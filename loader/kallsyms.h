/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/kallsyms: the symbols of the running kernel and of its modules, a line
 * each: the address in hex digits, a letter for the kind, the name and, behind
 * a tab, the module in brackets.
 */
#ifndef LOADER_KALLSYMS_H
#define LOADER_KALLSYMS_H

#include "include/bpfstamp.h"

#define KALLSYMS_PATH "/proc/kallsyms"

/*
 * Whether a symbol of that name is in the file at path.  Where address is not
 * NULL, it gets its address; a name of two addresses is then an error, and so
 * is an address that the kernel keeps to itself.
 */
int kallsyms_find(const char *path, const char *name, bool *found, uint64_t *address, struct bpfstamp_err *err);

#endif
