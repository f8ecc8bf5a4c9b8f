/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches of programs with globals, with and without bpfstamp_inline. */
#ifndef ORACLE_GLOBALS_H
#define ORACLE_GLOBALS_H

#include "tests/oracle/batch.h"

void globals_batch(const struct batch_options *o, uint32_t i, struct table *t);

#endif
