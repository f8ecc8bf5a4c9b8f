/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line on a terminal that tells how far a long command has come.
 */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool on, drawn;
	uint64_t total, started, last;	/* times in nanoseconds */
};

/* It is only drawn where stderr is a terminal that can go back in a line. */
void progress_start(struct progress *p, uint64_t total);

/* Take the line away, before something else is printed. */
void progress_clear(struct progress *p);

/* Draw it, if the last time is long enough ago, or at the end. */
void progress_draw(struct progress *p, uint64_t done, uint64_t failed);
void progress_end(struct progress *p, uint64_t done, uint64_t failed);

#endif
