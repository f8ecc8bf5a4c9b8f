/* SPDX-License-Identifier: BSD-2-Clause */
/* A batch: one source, one compiler, two constants. */
#ifndef ORACLE_BATCH_H
#define ORACLE_BATCH_H

#include "tests/oracle/table.h"

enum mode { MODE_PLACEHOLDER, MODE_STAMP, MODE_INLINE };

struct batch_options {
	enum mode mode;
	uint64_t seed;
	uint32_t programs; /* in a batch */
	bool folds;
	uint32_t narrow; /* how many faults a process narrows down */
	const char *scratch; /* folder for files of the run */
	const char *keep; /* folder for faults */
	const struct compiler *compilers;
	uint32_t compiler_count;
};

/* Do batch number i, and count in *t; *narrowed counts the faults that were narrowed down. */
void batch_run(const struct batch_options *o, uint32_t i, struct table *t, uint32_t *narrowed);

#endif
