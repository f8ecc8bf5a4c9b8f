// SPDX-License-Identifier: BSD-2-Clause
/* Changing a value in place. */
#include <errno.h>
#include "loader/err.h"

int bpfstamp_poke(struct bpfstamp_running *r, const char *name, const char *text, struct bpfstamp_err *err)
{ (void)r; (void)name; (void)text; return err_set(err, ENOSYS, "not yet"); }
