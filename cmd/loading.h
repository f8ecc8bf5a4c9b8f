/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading as the command line does it: the verifier's log goes to stderr.  load
 * says which program, and how; its other members are filled in from the options.
 */
#ifndef CMD_LOADING_H
#define CMD_LOADING_H

#include "cmd/values.h"

/* Load one program; *fd is the caller's. */
int loading(int *fd, const struct stamped *stamped, const struct options *o, struct bpfstamp_load load,
	    struct bpfstamp_err *err);

/* Load one program, or all (BPFSTAMP_ALL_PROGRAMS), and keep what was loaded. */
int loading_keep(struct bpfstamp_loaded **out, const struct stamped *stamped, const struct options *o,
		 struct bpfstamp_load load, struct bpfstamp_err *err);

/* Load one program for bpfstamp_verify. */
int loading_verify(const struct stamped *stamped, const struct options *o, struct bpfstamp_load load, uint32_t id,
		   bpfstamp_difference_fn *fn, void *arg, bool *equal, struct bpfstamp_err *err);

/* The type of programs that a hook takes. */
uint32_t loading_type(const struct bpfstamp_hook *hook);

/* The device that a program is loaded for, where the hook asks for its hardware, or 0. */
uint32_t loading_ifindex(const struct bpfstamp_hook *hook, int ifindex);

#endif
