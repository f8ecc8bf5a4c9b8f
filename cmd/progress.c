// SPDX-License-Identifier: BSD-2-Clause
/*
 * The line is written over itself, ten times a second at most:
 *
 *     [############..................]  412/1000  8312/s  ETA 0:01  2 failed
 *
 * It goes to stderr and is taken away before a result is printed, because both
 * may be the same terminal.  Nothing is drawn where stderr is a file, a pipe, or a
 * terminal without cursor movement (TERM=dumb).  Callers take turns.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/progress.h"

enum { WIDTH = 30 };

#define SECOND UINT64_C(1000000000)

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

void progress_start(struct progress *p, uint64_t total)
{
	const char *term = getenv("TERM");

	*p = (struct progress){ .total = total, .started = now() };
	p->last = p->started;
	p->on = total && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

void progress_clear(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

static void draw(struct progress *p, uint64_t done, uint64_t failed)
{
	uint64_t elapsed = p->last - p->started, rate = elapsed ? done * SECOND / elapsed : 0;
	uint64_t left = rate ? (p->total - done + rate - 1) / rate : 0;
	int filled = (int)(done * WIDTH / p->total);

	fprintf(stderr, "\r[%.*s%.*s] %" PRIu64 "/%" PRIu64 "  %" PRIu64 "/s  ETA %" PRIu64 ":%02" PRIu64, filled,
		"##############################", WIDTH - filled, "..............................", done, p->total,
		rate, left / 60, left % 60);
	if (failed)
		fprintf(stderr, "  %" PRIu64 " failed", failed);
	fputs("\033[K", stderr);
	p->drawn = true;
}

void progress_draw(struct progress *p, uint64_t done, uint64_t failed)
{
	uint64_t t;

	if (!p->on)
		return;
	t = now();
	if (t - p->last < SECOND / 10)
		return;
	p->last = t;
	draw(p, done, failed);
}

void progress_end(struct progress *p, uint64_t done, uint64_t failed)
{
	if (!p->on)
		return;
	p->last = now();
	draw(p, done, failed);
	fputc('\n', stderr);
	p->drawn = false;
}
