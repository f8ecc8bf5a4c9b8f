/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing a part of a map's value, and no other byte of it (loader/poke_write.c).
 */
#ifndef LOADER_POKE_H
#define LOADER_POKE_H

#include "loader/path.h"

/*
 * Write size bytes at an offset of the only value of an array; in one access
 * where they are 1, 2, 4 or 8 at a multiple of that.  0, or an errno.
 */
int poke_bytes(int map_fd, uint32_t offset, const uint8_t *bytes, uint32_t size);

/*
 * Write the bits of a bitfield, whose aggregate stands at an offset of the value
 * of value_size bytes.  EBUSY where others write to the same word all the time.
 */
int poke_bits(int map_fd, uint32_t value_size, uint32_t offset, const struct part *part, uint64_t value);

#endif
