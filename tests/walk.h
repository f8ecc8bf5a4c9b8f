/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads of an ELF or BTF view all that its accessors give, for tests and
 * fuzzers: what an open accepted must be walkable to the last byte under a
 * sanitizer.  What the headers promise of the results is asserted; a broken
 * promise ends the program.
 */
#ifndef TESTS_WALK_H
#define TESTS_WALK_H

#include "elf/btf.h"
#include "elf/elf64.h"

/* Open and walk; returns 0, or -1 with *fault where the open refused. */
int walk_elf64(const void *data, uint64_t size, struct elf64_fault *fault);

/* The same for BTF and, where ext is not NULL and the BTF was accepted, for BTF.ext. */
int walk_btf(const void *data, uint64_t size, const void *ext, uint64_t ext_size, struct elf64_fault *fault);

/* The same for split BTF that continues base, which walk_btf accepts. */
int walk_btf_split(const void *base, uint64_t base_size, const void *data, uint64_t size, struct elf64_fault *fault);

/* Whether every byte of the file has one use; false where it has too many sections to tell. */
bool walk_disjoint(const struct elf64 *elf);

#endif
