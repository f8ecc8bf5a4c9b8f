/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to do about what the verifier refuses.
 */
#ifndef LOADER_LOGHINT_H
#define LOADER_LOGHINT_H

#include "loader/template.h"

enum loghint {
	LOGHINT_NONE,		/* nothing is known about it */
	LOGHINT_TOLD,		/* " (…)" was put behind *err */
	LOGHINT_ELSEWHERE,	/* likewise; and the last instruction of the log is not the place */
};

/* About len bytes of a line, which a NUL follows sooner or later. */
enum loghint loghint_tell(const char *line, size_t len, const struct bpfstamp_template *t, uint32_t prog_type,
			  struct bpfstamp_err *err);

/*
 * Where the line refuses the call that stands for something that the kernel
 * lacks: put ": it needs …" behind *err.  code and insn are the
 * place of the instruction, or NO_INDEX.  Else false.
 */
bool loghint_missing(const char *line, size_t len, const struct bpfstamp_template *t, uint32_t code,
		     uint32_t insn, struct bpfstamp_err *err);

#endif
