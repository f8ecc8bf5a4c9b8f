/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading one program.
 */
#ifndef LOADER_PROGLOAD_H
#define LOADER_PROGLOAD_H

#include "loader/link.h"
#include "loader/load.h"
#include "loader/stamp.h"

/* Load a linked program of that type, its maps being in s->map_fds; returns the fd, or -1. */
int progload(struct bpfstamp_stamp *s, const struct link *link, uint32_t type, int btf_fd,
	     const struct bpfstamp_load *load, struct bpfstamp_err *err);

#endif
