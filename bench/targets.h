/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_TARGETS_H
#define BENCH_TARGETS_H

#include <stdbool.h>

struct target {
	const char *what;
	const char *group, *over, *under;	/* under: "" stands for 1 ns; "GROUP:NAME" for one of another group */
	double wanted;				/* 0: none, only to know */
	bool least;				/* at least so much, else at most */
};

extern const struct target targets[];		/* ends with what NULL */

#endif
