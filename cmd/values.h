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

/* The same in two steps: between them the caller may say what else placeholders are to hold (bpfstamp_widen). */
int values_open(struct bpfstamp_template **out, const struct options *o, struct bpfstamp_err *err);
int values_set(struct bpfstamp_stamp **out, struct bpfstamp_template *t, const struct options *o,
	       struct bpfstamp_err *err);

/* Call fn with the path and the text of each value in a JSON object; name is how errors call where it is from. */
typedef int values_fn(const char *path, const char *text, void *arg, struct bpfstamp_err *err);
int values_each(const json_t *object, const char *name, values_fn *fn, void *arg, struct bpfstamp_err *err);
void values_free(struct stamped *stamped);

#endif
