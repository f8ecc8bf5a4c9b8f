// SPDX-License-Identifier: BSD-2-Clause
/* An index of a bpffs. */
#include <errno.h>
#include "loader/err.h"

int bpfstamp_pins_open(struct bpfstamp_pins **out, const char *path, struct bpfstamp_err *err)
{ (void)out; (void)path; return err_set(err, ENOSYS, "not yet"); }
void bpfstamp_pins_free(struct bpfstamp_pins *pins) { (void)pins; }
const char *bpfstamp_pins_program(const struct bpfstamp_pins *pins, uint32_t id) { (void)pins; (void)id; return NULL; }
const char *bpfstamp_pins_link(const struct bpfstamp_pins *pins, uint32_t id) { (void)pins; (void)id; return NULL; }
