/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps as the kernel has them: created, taken from a pin, or given by the caller.
 */
#ifndef LOADER_MAPMAKE_H
#define LOADER_MAPMAKE_H

#include "loader/load.h"
#include "loader/stamp.h"

/*
 * Enter the fd of map index in s->map_fds: that of load->map_fds, or the pin of
 * one that wants to be pinned, where it is compatible; or create the map with what it holds (a data
 * section's bytes, frozen where read-only; maps, which are made first).
 * btf_fd is that of the object, or negative.  A failure leaves fds in
 * s->map_fds, for mapmake_close.
 */
int mapmake(struct bpfstamp_stamp *s, uint32_t index, int btf_fd, const struct bpfstamp_load *load,
	    struct bpfstamp_err *err);

/* Put the programs that a prog array starts with into it; prog_fds is by function. */
int mapmake_programs(const struct bpfstamp_stamp *s, uint32_t index, const int *prog_fds, struct bpfstamp_err *err);

/*
 * Pin the maps that were created and want it: when everything else has
 * succeeded.  Where another process has pinned one meanwhile, fails with
 * EEXIST: the caller closes all and starts again.  A failure removes the pins
 * that this call made; else s->pins knows them, where there are any.
 */
int mapmake_pin(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, struct bpfstamp_err *err);

/* Remove these pins (NULL: none), and the folders that were made for them. */
void mapmake_unpin(const struct bpfstamp_template *t, const struct map_pins *pins);

/* Let them be: free *pins, and make it NULL. */
void mapmake_forget_pins(struct map_pins **pins);

/* Whether a map was there already: taken from its pin, or given by the caller. */
bool mapmake_is_reused(const struct bpfstamp_stamp *s, uint32_t index);

/* Whether the map of an fd has the properties that map index would be created with. */
bool mapmake_fits(const struct bpfstamp_template *t, uint32_t index, int fd);

/* The name that a map gets in the kernel: that of a data map begins with the object's, as libbpf's do. */
void mapmake_name(char out[16], const struct bpfstamp_template *t, const struct map *m);

/* Close all map fds of a stamp. */
void mapmake_close(struct bpfstamp_stamp *s);

#endif
