/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of a constant in a register.
 */
#ifndef BPFINSN_USES_H
#define BPFINSN_USES_H

#include "bpfinsn/bpfinsn.h"

/*
 * Whether what the instruction at slot puts into its register is later ordered,
 * shifted right or divided, where compilers choose the instruction by the
 * constant's top bit.  Follows copies and all paths through the function of
 * count slots at raw, up to where the register is written again.  seen is
 * memory for count entries, zeroed.
 */
bool uses_sign(const void *raw, uint32_t count, bool big, uint32_t slot, uint16_t *seen);

#endif
