/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of clsact need: a namespace with a pair of veth (tests/netns.h),
 * a place on va, and what `tc` tells of it.
 */
#ifndef TESTS_CLSACTBED_H
#define TESTS_CLSACTBED_H

#include "hook/hook.h"
#include "tests/netns.h"

/* Of a test, set by clsactbed_setup. */
struct clsactbed {
	struct bpfstamp_net *net;
	struct bpfstamp_hook hook;	/* prio 1 handle 1 on egress of va */
	struct bpfstamp_attachment a;	/* of the last attach or detach */
};

extern struct clsactbed clsactbed;

/* Fixture. */
void clsactbed_setup(void);
void clsactbed_teardown(void);

/* Attach a new program to the hook, or only look; detach what is there; and delete clsact of va. */
int clsactbed_attach(const char *name);
int clsactbed_check(const char *name, struct bpfstamp_plan *plan);
int clsactbed_detach(void);
int clsactbed_delete(bool dry);

/* Whether `tc -j WHAT` tells that text; and how many filters `tc filter show WHERE` tells. */
bool clsactbed_tells(const char *text, const char *what);
unsigned int clsactbed_filters(const char *where);

#endif
