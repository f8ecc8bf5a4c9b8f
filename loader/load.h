/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parts of loading that more than one file needs (loader/load.c).
 */
#ifndef LOADER_LOAD_H
#define LOADER_LOAD_H

#include "loader/template.h"

struct link;

/* The linked program of function func, which the template keeps; NULL with *err. */
const struct link *load_link(const struct bpfstamp_template *t, uint32_t func, struct bpfstamp_err *err);

/* Whether each symbol that a linked program refers to has a value: 0, or -1 with *err. */
int load_check_symbols(const struct bpfstamp_stamp *s, const struct link *link, struct bpfstamp_err *err);

/* Whether a program can be of the type that is wanted (0: any): 0, or -1 with *err. */
int load_check_type(const struct bpfstamp_template *t, uint32_t func, uint32_t wanted, struct bpfstamp_err *err);

/* Tell the caller's note of a fallback; load may be NULL. */
void load_note(const struct bpfstamp_load *load, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "needs the capabilities …", as the error of a step. */
int load_no_privilege(const struct bpfstamp_template *t, const char *what, struct bpfstamp_err *err);

/*
 * After EPERM of a creation: raise RLIMIT_MEMLOCK, which kernels before 5.11
 * charge.  True where it is worth to try once more, also where another thread
 * has raised it since; else errno is what it was.
 */
bool load_raise_memlock(const struct bpfstamp_load *load);

/* Put behind *err why a device's hardware (load->ifindex) may have refused what was asked of it; returns -1. */
int load_hint_offload(const struct bpfstamp_load *load, struct bpfstamp_err *err);

#endif
