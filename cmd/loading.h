/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading as the command line does it: the verifier's log goes to stderr.
 */
#ifndef CMD_LOADING_H
#define CMD_LOADING_H

#include "cmd/values.h"

/* Load one program; *fd is the caller's. */
int loading(int *fd, const struct stamped *stamped, const struct options *o, uint32_t program, uint32_t prog_type,
	    struct bpfstamp_err *err);

/* Load one program, or all (BPFSTAMP_ALL_PROGRAMS), and keep what was loaded. */
int loading_keep(struct bpfstamp_loaded **out, const struct stamped *stamped, const struct options *o,
		 uint32_t program, uint32_t prog_type, struct bpfstamp_err *err);

#endif
