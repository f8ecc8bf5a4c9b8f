/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stamp: a copy of the template's image with values in it, and the memory
 * that loading it needs.
 */
#ifndef LOADER_STAMP_H
#define LOADER_STAMP_H

#include "loader/template.h"

struct bpfstamp_stamp {
	const struct bpfstamp_template *t;
	uint8_t *image;
	bool *touched;		/* by injectable: a value was set */
	uint8_t *linked;	/* a program put together; grows to the largest that was loaded */
	uint32_t linked_size;
	int *map_fds;		/* by map, while a program is being loaded; else -1 */
};

/* The bytes of an injectable's value in an image, as in memory; for a site kind they are made in scratch (8 bytes). */
const uint8_t *stamp_value(const struct bpfstamp_template *t, const uint8_t *image, const struct injectable *inj,
			   uint8_t *scratch);

#endif
