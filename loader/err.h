/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One error, owned by the caller (struct bpfstamp_err in include/bpfstamp.h):
 * a code and one line of text.  Every fallible function ends in a pointer to
 * one, returns -1 after filling it, and never allocates to do so.
 */
#ifndef LOADER_ERR_H
#define LOADER_ERR_H

#include "include/bpfstamp.h"

/* Fill *err (code: an errno value); always returns -1, for `return err_set(…)`. */
#define err_set bpfstamp_err_set

/* Put "context: " in front of what *err says; always returns -1. */
int err_wrap(struct bpfstamp_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Put text behind what *err says; always returns -1. */
int err_hint(struct bpfstamp_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
