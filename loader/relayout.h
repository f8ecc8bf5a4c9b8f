/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing code that changed its length back into an object.
 */
#ifndef LOADER_RELAYOUT_H
#define LOADER_RELAYOUT_H

#include "loader/stamp.h"

/* Bytes behind the file's end that relayout_write puts code into, when the file ends at end. */
size_t relayout_size(const struct bpfstamp_template *t, size_t end);

/*
 * Bring copy, a copy of the file with room behind it, in line with the code of
 * the stamp: sections, symbols, records of .bpfstamp and .BTF.ext.  Returns the
 * new end.  Relocations of code are the caller's, by relayout_reloc.
 */
size_t relayout_write(const struct bpfstamp_stamp *s, uint8_t *copy, size_t end);

/* Where relocation r of a code section goes; false where its instruction is gone, or it says nothing (R_BPF_NONE). */
bool relayout_reloc(const struct bpfstamp_template *t, uint32_t section, const struct elf64_reloc *r, uint64_t *now);

#endif
