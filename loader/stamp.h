/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stamp: a copy of the template's image with values in it, and the memory
 * that loading it needs.
 */
#ifndef LOADER_STAMP_H
#define LOADER_STAMP_H

#include "loader/template.h"

struct map_pins;

struct bpfstamp_stamp {
	const struct bpfstamp_template *t;
	uint8_t *image;
	bool *touched;		/* by injectable: a value was set */
	uint8_t *given;		/* by byte of the image: the bits of globals that were set */
	uint64_t *values;	/* by injectable: of a site kind that was touched */
	uint8_t *linked;	/* a program put together; grows to the largest that was loaded */
	uint32_t linked_size;
	uint8_t *record;	/* the last that was made; grows like that */
	uint32_t record_room;
	int *map_fds, *prog_fds;	/* by map and by function, while being loaded; else -1 */
	struct map_pins *pins;	/* of maps that the last load pinned by name, or NULL */
	bool without_btf;	/* the last load left out the object's BTF */
	uint8_t *key;		/* what the program that is being loaded is found by (loader/reuse_key.c) */
	uint32_t key_size, key_room;	/* key_size 0: it has none */
	char *index_path;	/* where the index of programs was looked for (loader/reuse_index.c), or NULL */
	int index_fd;		/* its fd, or what became of it */
	bool *map_reused;	/* by map that has an fd: it was there before; NULL where none was, yet */
};

/*
 * What a certain site of a placeholder, or any other, means when its injectable
 * is value: false where it cannot mean it.  image is where the instruction is now.
 */
bool stamp_meaning(const struct bpfstamp_template *t, const uint8_t *image, const struct site *site, uint64_t value,
		   uint64_t *meaning);

#endif
