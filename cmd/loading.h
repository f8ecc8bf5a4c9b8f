/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading as the command line does it: the verifier's log goes to stderr.  load
 * says which program, and how; its other members are filled in from the options.
 */
#ifndef CMD_LOADING_H
#define CMD_LOADING_H

#include "cmd/values.h"

/* What prints the notes of a load: nothing without --verbose. */
typedef void loading_note_fn(void *arg, const char *text);
loading_note_fn *loading_note(const struct options *o);

enum { LOADING_LOG_SIZE = 1 << 20 };

/* Print the last lines of the verifier's log; with --verbose, all of it. */
void loading_log(const char *log, const struct options *o);

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

/* Whether an attempt failed as it does where TCX or netkit has that very program already, by another link. */
bool loading_again_helps(const struct bpfstamp_hook *hook, const struct bpfstamp_err *err);

/* Whether a program is to run in the hardware of a device. */
bool loading_for_hardware(const struct bpfstamp_hook *hook);

/*
 * Say in load->ifindex for which device a program is loaded, whose index in the
 * network namespace of the options is ifindex.  The kernel looks it up in the
 * thread's own, so that another is refused.
 */
int loading_device(struct bpfstamp_load *load, const struct options *o, const struct bpfstamp_hook *hook, int ifindex,
		   struct bpfstamp_err *err);

#endif
