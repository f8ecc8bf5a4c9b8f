/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of programs that run need beside a bpffs (tests/bpffs.h):
 * to load one, to open it, and to look for a value of it.
 */
#ifndef TESTS_RUNNINGBED_H
#define TESTS_RUNNINGBED_H

#include "loader/running.h"
#include "tests/bpffs.h"

extern struct bpfstamp_err runningbed_err;

#define OK(call) ck_assert_msg(!(call), "%s: %s", #call, runningbed_err.text)

/* The only program of the object, for packets; its id; and it as it runs. */
int runningbed_load(struct bpfstamp_stamp *s, bool record);
uint32_t runningbed_id(int program);
struct bpfstamp_running *runningbed_open(int program);

/* There is a value of that path, and it is that. */
void runningbed_has(const struct bpfstamp_running *r, const char *path, const char *value, bool stamped,
		    bool writable);

void runningbed_free(struct bpfstamp_running *r, int program, struct bpfstamp_stamp *s, struct bpfobj *o);

#endif
