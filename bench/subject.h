/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An object that bpfstamp makes programs of: one template, one stamp.
 */
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

#include "bench/bench.h"
#include "include/bpfstamp.h"

enum { SUBJECT_MAPS = 4 };

struct subject {
	const char *const *path;	/* one of bench_files */
	const char *program;		/* NULL: the only one */
	bool to_inline;
	bool large;			/* has ten values, not three */
	bool plain;			/* has no values that are set */

	/* Since the first use: */
	struct bpfstamp_template *t;
	struct bpfstamp_stamp *s;
	struct bpfstamp_ref refs[LARGE_VALUES];
	struct bpfstamp_load load;
	int map_fds[SUBJECT_MAPS];
};

#define SUBJECT_MUST(call) do { if (call) bench_die("bpfstamp: %s", subject_err.text); } while (0)

extern struct bpfstamp_err subject_err;

/* Open the object, unless that was done. */
void subject_open(struct subject *u);

/* Have its programs use this map, instead of one of their own. */
void subject_use(struct subject *u, const char *map, int fd);

void subject_put(struct subject *u, const struct pod_values *values);

/* Put values and load, which is timed, and nothing else is. */
int subject_load(struct subject *u, const struct pod_values *values, double *ns);

#endif
