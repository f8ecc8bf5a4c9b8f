/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing the length of code in a template, before stamps are made of it.
 */
#ifndef LOADER_EDIT_H
#define LOADER_EDIT_H

#include "loader/template.h"

enum { EDIT_SLOTS = 4 };

/*
 * The instruction at a slot becomes len slots (0: it goes).  A jump to it lands
 * on the first of them, or on what follows; where it jumps itself, the last
 * of the new slots is the jump, and is aimed again.  A relocation and sites of
 * the instruction go with it or stay at the first new slot.
 */
struct edit {
	uint32_t code, slot;
	uint32_t len;
	uint8_t bytes[EDIT_SLOTS * BPFINSN_SIZE];
};

/*
 * Apply edits, ascending by code and slot, to the image and to all that names a
 * place in it.  On failure the template is as it was.
 */
int edit_apply(struct bpfstamp_template *t, const struct edit *edits, uint32_t count, struct bpfstamp_err *err);

#endif
