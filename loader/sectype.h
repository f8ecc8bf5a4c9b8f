/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the name of an ELF section says about the programs in it: the names
 * that libbpf documents in Documentation/bpf/libbpf/program_types.rst.
 */
#ifndef LOADER_SECTYPE_H
#define LOADER_SECTYPE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Find the program and expected attach type for a section name; false, with
 * both 0, where it tells nothing.
 */
bool sectype_find(const char *section, uint32_t *prog_type, uint32_t *attach_type);

#endif
