/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the verifier said, for people.
 */
#ifndef LOADER_LOG_H
#define LOADER_LOG_H

#include "loader/link.h"

/*
 * Append to *err the reason that a verifier's log ends with, what can be done
 * about it where that is known (loader/loghint.h) and, where the log tells the
 * instruction, its function, file and line.  False where it has no reason.
 */
bool log_explain(const char *log, const struct link *link, const struct bpfstamp_template *t, uint32_t prog_type,
		 struct bpfstamp_err *err);

/* Whether the reason is about func_info or line_info, without which the program could be loaded. */
bool log_blames_records(const char *log);

/* Copy the end of log into buf: as many whole lines as fit in size bytes with the NUL. */
void log_tail(const char *log, char *buf, size_t size);

#endif
