// SPDX-License-Identifier: BSD-2-Clause
/*
 * A verifier's log is the walk that led to the refusal, with the reason on one
 * of its last lines:
 *
 *     ; if (iph->daddr == target) @ x.bpf.c:30
 *     12: (61) r1 = *(u32 *)(r2 +16)
 *     invalid access to packet, off=16 size=4, R2(id=0,off=16,r=0)
 *     R2 offset is outside of the packet
 *     processed 13 insns (limit 1000000) …
 *
 * The statistics at the end are no reason, nor are the states of registers.
 * The last line that begins with "N: (" names the instruction, counted in the
 * linked program; the object's own line_info says where that is, also on
 * kernels that print no source.
 */
#define _GNU_SOURCE	/* memmem */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "loader/err.h"
#include "loader/log.h"

static const char *line_end(const char *line)
{
	return line + strcspn(line, "\n");
}

static bool is_instruction(const char *line, uint32_t *insn)
{
	char *end;
	unsigned long n;

	if (!isdigit((unsigned char)*line))
		return false;
	n = strtoul(line, &end, 10);
	if (strncmp(end, ": (", 3) != 0 || n > UINT32_MAX)
		return false;
	*insn = (uint32_t)n;
	return true;
}

/* Statistics, register states, source lines and paths of the walk. */
static bool is_noise(const char *line)
{
	static const char *const noise[] = { "processed ", "verification time ", "stack depth ", "max_states",
					     "total_states", "peak_states", "mark_read", ";", "from ", "R", "Live regs" };
	uint32_t insn;

	if (*line == '\n' || !*line || is_instruction(line, &insn) || isdigit((unsigned char)*line))
		return true;
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		if (!strncmp(line, noise[i], strlen(noise[i])))
			return *noise[i] != 'R' || (isdigit((unsigned char)line[1]) && strchr("=_(", line[2]));
	return false;
}

/* A helper may be refused for more than one reason, of which the kernel names none. */
static void hint_helper(const char *reason, struct bpfstamp_err *err)
{
	size_t len = strcspn(reason, "\n");

	if (memmem(reason, len, "cannot use helper", 17) || !strncmp(reason, "unknown func", 12))
		err_hint(err, " (it may need CAP_PERFMON, a GPL-compatible licence, or a newer kernel)");
}

bool log_explain(const char *log, const struct link *link, const struct bpfstamp_template *t,
		 struct bpfstamp_err *err)
{
	const char *reason = NULL;
	uint32_t insn, where = NO_INDEX, code;

	for (const char *line = log; *line;) {
		if (is_instruction(line, &insn))
			where = insn;
		if (!is_noise(line))
			reason = line;
		line = line_end(line);
		line += *line == '\n';
	}
	if (reason) {
		err_hint(err, ": %.*s", (int)strcspn(reason, "\n"), reason);
		hint_helper(reason, err);
	}
	if (where == NO_INDEX || !link_origin(link, t, where, &code, &insn))
		return reason;
	err_hint(err, ", at ");
	object_hint_place(t, code, insn, err);
	return reason;
}

void log_tail(const char *log, char *buf, size_t size)
{
	size_t len = strlen(log);
	const char *from = log;

	if (len >= size) {
		from = log + (len - size + 1);
		from = line_end(from);
		from += *from == '\n';
	}
	memmove(buf, from, strlen(from) + 1);
}
