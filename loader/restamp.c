// SPDX-License-Identifier: BSD-2-Clause
/* Giving a stamp what runs. */
#include <errno.h>
#include "loader/err.h"
int bpfstamp_restamp(struct bpfstamp_stamp *s, const struct bpfstamp_running *r, struct bpfstamp_err *err)
{ (void)s; (void)r; return err_set(err, ENOSYS, "not yet"); }
