/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which registers hold the address of which variable: a forward dataflow
 * analysis over the instructions of one function.
 *
 * An address is "object + offset": an object is what an lddw refers to (the
 * caller numbers them), or the stack frame.  It is followed through moves,
 * additions of constants, and spills to the stack and back; where paths meet it
 * survives only if all agree.  The result is a stream of events: loads through
 * a known address, and every way in which an address is used otherwise.
 */
#ifndef BPFINSN_FLOW_H
#define BPFINSN_FLOW_H

#include "bpfinsn/bpfinsn.h"

/* The lddw at slot puts the address object + offset into its register. */
struct flow_ref {
	uint32_t slot;
	uint32_t object;	/* below 0xfffffff0 */
	uint32_t offset;
};

enum flow_kind {
	FLOW_LOAD,	/* size bytes are loaded from object + offset */
	FLOW_STORE,	/* something is stored to object + offset */
	FLOW_ESCAPE,	/* the address is used in a way that is not followed; why tells */
	FLOW_ADDRESS,	/* the instruction does nothing but make an address, in a register */
	FLOW_SPILL,	/* the instruction does nothing but store an address at stack_slot */
	FLOW_STACK_READ,	/* stack_slot, or all from it up where to_top, may be read */
};

struct flow_event {
	enum flow_kind kind;
	uint32_t slot;
	uint32_t object;
	int32_t offset;
	uint8_t size;
	bool sign_extend;
	uint8_t stack_slot;	/* 8 bytes each, 0 at the bottom of the frame (r10 - 512), 63 at its top */
	bool to_top;
	const char *why;
};

typedef void flow_fn(const struct flow_event *event, void *arg);

struct flow_function {
	const uint8_t *raw;
	uint32_t count;		/* slots */
	bool big;
	const uint8_t *starts;	/* bpfinsn_starts(starts, first_start + slot) */
	uint32_t first_start;
	const uint8_t *args;	/* by slot: registers that a call reads */
	const uint16_t *live;	/* by slot: regs_liveness */
	const struct flow_ref *refs;	/* ascending by slot */
	uint32_t ref_count;
};

/* Bytes of memory that flow_run wants for a function. */
size_t flow_memory(const struct flow_function *f);

/* Analyse f, and call fn with each event; memory is aligned to 8. */
void flow_run(const struct flow_function *f, void *memory, flow_fn *fn, void *arg);

#endif
