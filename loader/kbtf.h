/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The object's BTF as the kernel accepts it.
 */
#ifndef LOADER_KBTF_H
#define LOADER_KBTF_H

#include "loader/load.h"

/*
 * A copy of the template's BTF with what compilers leave to the loader filled
 * in: sizes of DATASECs, and offsets of their variables, ascending; functions
 * of hidden visibility are static; externs are defined.  Kinds that the kernel
 * is known to lack (loader/lacks.h) are replaced by older ones of the same
 * size.  Ids and offsets of strings stay as they are; a few types may be added
 * behind.  out->bytes is to be freed.
 */
int kbtf_make(struct kbtf *out, const struct bpfstamp_template *t, struct bpfstamp_err *err);

enum {
	KBTF_UNTRIED = -1,	/* or it was tried, and failed for want of memory or fds: later it may succeed */
	KBTF_NONE = -2,		/* the object has none, or the kernel takes it in no form */
};

/*
 * Load it: the fd, or one of these, and *load's note is told why.  The one that
 * the template keeps is taken if it fits; the template's lock is held.
 */
int kbtf_load(const struct bpfstamp_template *t, const struct bpfstamp_load *load);

#endif
