// SPDX-License-Identifier: BSD-2-Clause
/*
 * VALUES: placeholders are declared first, because a template is complete
 * before a stamp is made; then all values are set in the order given.
 */
#include <errno.h>
#include <string.h>

#include "cmd/values.h"

/* Setting a value twice is more likely a slip than meant. */
static int check_repeats(const struct options *o, struct bpfstamp_err *err)
{
	for (size_t i = 0; i < o->assignment_count; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(o->assignments[i].name, o->assignments[k].name))
				return bpfstamp_err_set(err, EINVAL, "%s is given two values", o->assignments[i].name);
	return 0;
}

int values_stamp(struct stamped *out, const struct options *o, struct bpfstamp_err *err)
{
	struct stamped made = { 0 };

	if (check_repeats(o, err) || bpfstamp_open_file(&made.t, o->object, err))
		return -1;
	for (size_t i = 0; i < o->assignment_count; i++) {
		const struct assignment *a = &o->assignments[i];

		if (a->replace && bpfstamp_declare(made.t, a->name, a->expect, o->allow_derived, err))
			goto fail;
	}
	for (size_t i = 0; i < o->assignment_count; i++) {
		const struct assignment *a = &o->assignments[i];

		if (a->replace && bpfstamp_widen(made.t, a->name, a->value, err))
			goto fail;
	}
	if (o->inline_globals && bpfstamp_inline(made.t, err))
		goto fail;
	if (bpfstamp_stamp_new(&made.s, made.t, err))
		goto fail;
	for (size_t i = 0; i < o->assignment_count; i++)
		if (bpfstamp_set(made.s, o->assignments[i].name, o->assignments[i].value, err))
			goto fail;
	*out = made;
	return 0;
fail:
	values_free(&made);
	return -1;
}

void values_free(struct stamped *stamped)
{
	bpfstamp_stamp_free(stamped->s);
	bpfstamp_close(stamped->t);
}
