/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The object's BTF as the kernel accepts it.
 */
#ifndef LOADER_KBTF_H
#define LOADER_KBTF_H

#include "loader/template.h"

/*
 * A copy of the template's BTF with what compilers leave to the loader filled
 * in: sizes of DATASECs, and offsets of their variables, ascending; functions
 * of hidden visibility are static.  *out (t->btf.size bytes) is to be freed.
 */
int kbtf_make(uint8_t **out, const struct bpfstamp_template *t, struct bpfstamp_err *err);

#endif
