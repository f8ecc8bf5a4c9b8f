/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs and maps that were loaded and are kept, each by its index in the
 * template; -1 for what was not loaded.
 */
#ifndef LOADER_LOADED_H
#define LOADER_LOADED_H

#include "loader/template.h"

enum pin_made { PIN_NONE, PIN_MADE, PIN_REPLACED };

struct bpfstamp_loaded {
	const struct bpfstamp_template *t;
	int *prog_fds, *map_fds;
	uint8_t *prog_pins, *map_pins;	/* enum pin_made */
	struct map_pins *map_name_pins;	/* of maps that were pinned by name, or NULL */
	char *dir;			/* where they are pinned, or NULL */
	size_t made_folder;		/* of DIR/maps, as of pin_make_folders */
};

/* Room for all of a template's; NULL where memory is out. */
struct bpfstamp_loaded *loaded_new(const struct bpfstamp_template *t);

#endif
