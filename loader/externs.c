// SPDX-License-Identifier: BSD-2-Clause
/* Externs are refused. */
#include <errno.h>

#include "loader/err.h"
#include "loader/externs.h"

int externs_find(const struct bpfstamp_template *t, struct kernel *k, const struct external *ext,
		 struct extern_value *out, struct bpfstamp_err *err)
{
	(void)k, (void)out;
	return err_set(err, ENOTSUP, "%s: cannot load: %s is an extern, which is not supported", t->name, ext->name);
}
