// SPDX-License-Identifier: BSD-2-Clause
/* CO-RE relocations are refused. */
#include <errno.h>

#include "loader/core.h"
#include "loader/err.h"

bool core_needs_kernel(const struct btf_core_relo *relo)
{
	(void)relo;
	return false;
}

int core_relocate(const struct bpfstamp_template *t, struct kernel *k, const struct btf_core_relo *relo,
		  uint32_t index, struct bpfinsn insn[2], struct bpfstamp_err *err)
{
	(void)k, (void)relo, (void)index, (void)insn;
	return err_set(err, ENOTSUP, "%s: cannot load: a CO-RE relocation, which is not supported", t->name);
}
