/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bpf(2) was called with, by whatever part of this process.
 */
#ifndef BENCH_CAPTURE_H
#define BENCH_CAPTURE_H

#include <linux/bpf.h>
#include <stdbool.h>

/* One load: owned copies of what the attributes point to. */
struct capture {
	union bpf_attr map, prog;	/* map: of the last map that was created */
	bool has_map;
	int map_fd;
	unsigned int calls;
};

/* Note what is called from now on; until capture_end. */
void capture_begin(struct capture *c);
void capture_end(void);

#endif
