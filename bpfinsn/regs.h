/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which registers an instruction reads and writes, and which are read again
 * behind it.  A set of registers is a mask: bit n is rn.
 */
#ifndef BPFINSN_REGS_H
#define BPFINSN_REGS_H

#include "bpfinsn/bpfinsn.h"

enum { REGS_SCRATCH = 0x3f, REGS_ALL = 0x3ff };	/* r0-r5, r0-r9 */

/*
 * Registers that insn reads; args is how many a call reads, from r1 on (see
 * regs_helper_args), and is not looked at for anything else.
 */
uint16_t regs_read(const struct bpfinsn *insn, uint8_t args);

/* Registers that insn writes. A call leaves r0 to r5 changed. */
uint16_t regs_written(const struct bpfinsn *insn);

/* How many arguments helper id (enum bpf_func_id) has; 5 where that is not known. */
uint8_t regs_helper_args(uint32_t id);

/*
 * Liveness over one function of count slots at raw: live[i] gets the registers
 * that may be read after the instruction that begins at slot i before they are
 * written.  args[i] is how many registers a call at slot i reads.  Jumps that
 * leave the function count as reading all.
 */
void regs_liveness(const void *raw, uint32_t count, bool big, const uint8_t *starts, uint32_t first_start,
		   const uint8_t *args, uint16_t *live);

#endif
