// SPDX-License-Identifier: BSD-2-Clause
/* What is running. */
#include <errno.h>
#include "loader/err.h"

int bpfstamp_running_open(struct bpfstamp_running **out, uint32_t id, struct bpfstamp_err *err)
{ (void)out; (void)id; return err_set(err, ENOSYS, "not yet"); }
int bpfstamp_running_refresh(struct bpfstamp_running *r, struct bpfstamp_err *err)
{ (void)r; return err_set(err, ENOSYS, "not yet"); }
void bpfstamp_running_free(struct bpfstamp_running *r) { (void)r; }
void bpfstamp_running_info(const struct bpfstamp_running *r, struct bpfstamp_running_info *out) { (void)r; (void)out; }
uint32_t bpfstamp_running_value_count(const struct bpfstamp_running *r) { (void)r; return 0; }
void bpfstamp_running_value_at(const struct bpfstamp_running *r, uint32_t i, struct bpfstamp_running_value *out)
{ (void)r; (void)i; (void)out; }
