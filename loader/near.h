/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "did you mean": the nearest of many names to one that is not there.
 */
#ifndef LOADER_NEAR_H
#define LOADER_NEAR_H

#include <stddef.h>

#include "include/bpfstamp.h"

struct near {
	const char *wanted, *name;
	size_t len;		/* of wanted, which need not end there */
	unsigned int distance;
};

struct near near_to(const char *wanted, size_t len);
void near_consider(struct near *near, const char *name);

/* Put the nearest name behind *err, where it is near enough to be a slip. */
void near_suggest(const struct near *near, struct bpfstamp_err *err);

#endif
