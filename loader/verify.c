// SPDX-License-Identifier: BSD-2-Clause
/* Comparing what runs with what would be stamped. */
#include <errno.h>
#include "loader/err.h"

int bpfstamp_verify(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, uint32_t id,
		    bpfstamp_difference_fn *fn, void *arg, bool *equal, struct bpfstamp_err *err)
{ (void)s; (void)load; (void)id; (void)fn; (void)arg; (void)equal; return err_set(err, ENOSYS, "not yet"); }
int bpfstamp_restamp(struct bpfstamp_stamp *s, const struct bpfstamp_running *r, struct bpfstamp_err *err)
{ (void)s; (void)r; return err_set(err, ENOSYS, "not yet"); }
