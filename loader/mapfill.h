/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Steps of making maps (loader/mapmake.c).
 */
#ifndef LOADER_MAPFILL_H
#define LOADER_MAPFILL_H

#include "loader/load.h"
#include "loader/stamp.h"

struct bpf_map_info;

/* The properties that a map is created with: what the definition leaves to the machine is filled in. */
int mapmake_describe(const struct bpfstamp_template *t, const struct map *m, struct bpf_map_info *want,
		     struct bpfstamp_err *err);

/* "cannot DOING map …", by errno. */
int mapmake_failed(const struct bpfstamp_template *t, const struct map *m, const char *doing,
		   struct bpfstamp_err *err);

/* The number of CPUs that may ever be online. */
int mapmake_cpus(uint32_t *count, struct bpfstamp_err *err);

/* The same; asked once a template. */
int mapmake_cpus_of(const struct bpfstamp_template *t, uint32_t *count, struct bpfstamp_err *err);

/* Take map index from its pin, if there is one; else s->map_fds[index] stays -1. */
int mapmake_reuse(struct bpfstamp_stamp *s, uint32_t index, const struct bpfstamp_load *load,
		  struct bpfstamp_err *err);

/* Take as map index the map of fd given, which stays the caller's. */
int mapmake_given(struct bpfstamp_stamp *s, uint32_t index, int given, struct bpfstamp_err *err);

/* Put into a new map what it starts with; maps among this are made first. */
int mapfill(struct bpfstamp_stamp *s, uint32_t index, int btf_fd, const struct bpfstamp_load *load,
	    struct bpfstamp_err *err);

/* What the map of .kconfig holds; the configuration of the kernel is read once a template.  NULL with *err. */
const uint8_t *mapfill_kconfig(const struct bpfstamp_template *t, const struct bpfstamp_load *load,
			       struct bpfstamp_err *err);

#endif
