/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving a .bss section bytes in a patched object.
 */
#ifndef LOADER_PROMOTE_H
#define LOADER_PROMOTE_H

#include "loader/stamp.h"

/* Where the file ends when it ended at end, once each .bss that was set has its bytes. */
size_t promote_size(const struct bpfstamp_stamp *s, size_t end);

/* Do that in copy, which has the room; returns the new end. */
size_t promote_write(const struct bpfstamp_stamp *s, uint8_t *copy, size_t end);

#endif
