/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a program that runs, printed below its attachment.
 */
#ifndef CMD_RUNNING_H
#define CMD_RUNNING_H

#include "cmd/output.h"

/* Lines of text, indented; all: every value, not only what was stamped.  pins may be NULL. */
void running_lines(const struct bpfstamp_running *r, const struct bpfstamp_pins *pins, bool all);

/*
 * Fields set in object: who loaded what and when, and "values".  r may be NULL,
 * for a program that cannot be looked at: they are null then.
 */
int running_fields(json_t *object, const struct bpfstamp_running *r, const struct bpfstamp_pins *pins);

#endif
