/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an object file and VALUES to a stamp.
 */
#ifndef CMD_VALUES_H
#define CMD_VALUES_H

#include "cmd/cmd.h"

struct stamped {
	struct bpfstamp_template *t;
	struct bpfstamp_stamp *s;
};

/* Setting a value twice is more likely a slip than meant, and an error. */
int values_check_repeats(const struct options *o, struct bpfstamp_err *err);

/* Open the object, declare the placeholders, and set every value. */
int values_stamp(struct stamped *out, const struct options *o, struct bpfstamp_err *err);
void values_free(struct stamped *stamped);

#endif
