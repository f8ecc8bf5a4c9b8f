/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the VPC programs counted, printed below what is attached to an interface.
 */
#ifndef CMD_COUNTERS_H
#define CMD_COUNTERS_H

#include "cmd/output.h"

struct counters;

/* Read all that is counted by the programs whose maps are pinned in pin_path (NULL: /sys/fs/bpf). */
int counters_open(struct counters **out, const char *pin_path, struct bpfstamp_err *err);
void counters_free(struct counters *c);

/* Whether a program counts there; of one that cannot be looked at (NULL), nobody knows that it does not. */
bool counters_of(const struct counters *c, const struct bpfstamp_running *r);

/* Of an interface, a line of text or an object for each network. */
void counters_lines(const struct counters *c, int ifindex);
json_t *counters_json(const struct counters *c, int ifindex);

#endif
