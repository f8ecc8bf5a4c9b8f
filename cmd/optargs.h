/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking one option (cmd/optargs.c) of the table (cmd/options.c).
 */
#ifndef CMD_OPTARGS_H
#define CMD_OPTARGS_H

#include "cmd/cmd.h"

enum option_id {
	OPT_SET = 256, OPT_SET_FILE, OPT_REPLACE, OPT_EXPECT, OPT_ALLOW_DERIVED, OPT_ALLOW_UNUSED, OPT_INLINE,
	OPT_OUTPUT, OPT_DEV, OPT_BLOCK, OPT_HOOK, OPT_TCX, OPT_DIRECTION, OPT_PROG, OPT_ID, OPT_IF_ABSENT,
	OPT_APPEND, OPT_PRIO, OPT_HANDLE, OPT_PROTOCOL, OPT_CHAIN, OPT_SKIP_SW, OPT_SKIP_HW, OPT_FIRST, OPT_LAST,
	OPT_BEFORE, OPT_AFTER, OPT_LINK_PIN, OPT_XDP_MODE, OPT_CLSACT, OPT_DEFUNCT, OPT_PIN, OPT_REPIN, OPT_PIN_PATH,
	OPT_NO_RECORD, OPT_DEBUG_INFO, OPT_NO_DEBUG_INFO, OPT_TYPE, OPT_BTF, OPT_OBJECT, OPT_FORCE, OPT_NETNS,
	OPT_ALL_NETNS, OPT_DRY_RUN, OPT_JSON, OPT_STATS, OPT_NETWORK, OPT_ADD, OPT_REMOVE, OPT_MAC, OPT_NODE, OPT_BATCH,
	OPT_JOBS, OPT_KEEP_GOING, OPT_NO_REUSE, OPT_VERBOSE, OPT_HELP,
};

enum { OPTARGS_JOBS_MOST = 64 };

/* Take one option; false where its argument is none. */
bool optargs_take(struct options *o, enum option_id id, const char *arg);

/* What the argument of an option was meant to be, or NULL. */
const char *optargs_near(enum option_id id, const char *arg);

/* Options of pods (cmd/podargs.c): take one, and what its argument has to be; false and NULL for any other. */
bool podargs_take(struct pod_options *pod, enum option_id id, const char *arg);
const char *podargs_wanted(enum option_id id);

/* Names of hooks, directions and modes of XDP, as they are given and printed. */
const char *optargs_hook_name(enum bpfstamp_hook_type type);
const char *optargs_direction_name(enum bpfstamp_direction direction);
const char *optargs_xdp_mode_name(enum bpfstamp_xdp_mode mode);

#endif
