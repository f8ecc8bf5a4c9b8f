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
 * Find the program type, the expected attach type and the flags of
 * BPF_PROG_LOAD for a section name, which may begin with '?'; false, with all
 * of them 0, where it tells nothing.
 */
bool sectype_find(const char *section, uint32_t *prog_type, uint32_t *attach_type, uint32_t *flags);

#endif
