/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_STAMPED_H
#define BENCH_STAMPED_H

#include "bench/bench.h"

/* What the bare contenders repeat. */
bench_fn stamped_map, stamped_inline, stamped_large, stamped_large_inline;

/* A program that is only there to be attached. */
int stamped_any(const struct pod_values *values);

#endif
