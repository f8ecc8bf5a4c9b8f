/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files share that read a running program (loader/running.c).
 * Functions return 0 or an errno.
 */
#ifndef LOADER_RUNNING_PARTS_H
#define LOADER_RUNNING_PARTS_H

#include "loader/running.h"

/* Fill r->maps from r->map_ids; what fails leaves it for running_maps_free. */
int running_maps(struct bpfstamp_running *r);
void running_maps_free(struct bpfstamp_running *r);

/* Read the contents of the data maps anew: all or none. */
int running_reread(struct bpfstamp_running *r);

/* The BTF of an id: of no types where there is none, or it is refused.  r owns it. */
int running_btf(struct bpfstamp_running *r, uint32_t id, const struct btf **out);

/* Fill r->variables and r->values from the maps and the record; what fails leaves it for running_values_free. */
int running_values(struct bpfstamp_running *r);
void running_values_free(struct bpfstamp_running *r);

/* Write the texts of all values anew, after the bytes of the variables have changed. */
void running_texts(struct bpfstamp_running *r);

#endif
