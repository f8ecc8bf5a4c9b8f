// SPDX-License-Identifier: BSD-2-Clause
/*
 * A verifier's log is the walk that led to the refusal, with the reason on its
 * last lines:
 *
 *     ; if (iph->daddr == target) @ x.bpf.c:30
 *     12: (61) r1 = *(u32 *)(r2 +16)
 *     invalid access to packet, off=16 size=4, R2(id=0,off=16,r=0)
 *     R2 offset is outside of the packet
 *     processed 13 insns (limit 1000000) …
 *
 * The statistics at the end are no reason, nor are the states of registers and
 * the reports on functions.  What is left behind the last instruction is the
 * reason: its first line, which is what most hints are about, and its last.
 *
 * The last line that begins with "N: (" names the instruction, counted in the
 * linked program, where the reason itself does not ("unreachable insn N").  The
 * object's own line_info says where that is, also on kernels that print no
 * source.
 */
#define _GNU_SOURCE	/* memmem */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "loader/err.h"
#include "loader/log.h"
#include "loader/loghint.h"

enum { REASON_LINES = 8 };

struct reason {
	const char *lines[REASON_LINES];	/* the first ones, and the last */
	uint32_t count;
	uint32_t insn;				/* or NO_INDEX */
};

static size_t line_length(const char *line)
{
	return strcspn(line, "\n");
}

static bool is_instruction(const char *line, uint32_t *insn)
{
	char *end;
	unsigned long n;

	if (!isdigit((unsigned char)*line))
		return false;
	n = strtoul(line, &end, 10);
	if (strncmp(end, ": (", 3) != 0 || n >= NO_INDEX)
		return false;
	*insn = (uint32_t)n;
	return true;
}

/* "R1=ctx()", "R10_w=fp0", "R1(id=0,…": what registers hold; but not "R1 offset is …". */
static bool is_state(const char *line)
{
	if (*line != 'R' || !isdigit((unsigned char)line[1]))
		return false;
	line += 1 + strspn(line + 1, "0123456789");
	return *line == '=' || *line == '_' || *line == '(';
}

/* Statistics, states, source lines, paths of the walk, what became of functions. */
static bool is_noise(const char *line)
{
	static const char *const noise[] = {
		"processed ", "verification time ", "stack depth ", "max_states", "total_states", "peak_states",
		"mark_read", "mark_precise", "last_idx ", "parent ", "regs=", "fp-", "frame", "cur state",
		"old state",
		"caller", "callee", "returning from callee", "to caller at", "propagating", "from ", ";", " ", "\t",
		"Live regs", "Validating ", "Func#", "func#", "Global function ", "-- ",
	};

	if (*line == '\n' || !*line || isdigit((unsigned char)*line) || is_state(line))
		return true;
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		if (!strncmp(line, noise[i], strlen(noise[i])))
			return true;
	return false;
}

/* "… insn N", as in reasons that are found without a walk. */
static bool names_instruction(const char *line, uint32_t *insn)
{
	static const char word[] = " insn ";
	const char *found = memmem(line, line_length(line), word, sizeof(word) - 1);
	unsigned long n;

	if (!found || !isdigit((unsigned char)found[sizeof(word) - 1]))
		return false;
	n = strtoul(found + sizeof(word) - 1, NULL, 10);
	*insn = n < NO_INDEX ? (uint32_t)n : NO_INDEX;
	return true;
}

static struct reason find_reason(const char *log)
{
	struct reason r = { .insn = NO_INDEX };

	for (const char *line = log; *line;) {
		if (is_instruction(line, &r.insn)) {
			r.count = 0;
		} else if (!is_noise(line)) {
			r.count -= r.count == REASON_LINES;
			r.lines[r.count++] = line;
		}
		line += line_length(line);
		line += *line == '\n';
	}
	for (uint32_t i = 0; i < r.count; i++)
		if (names_instruction(r.lines[i], &r.insn))
			break;
	return r;
}

static void put_line(const char *before, const char *line, struct bpfstamp_err *err)
{
	err_hint(err, "%s%.*s", before, (int)line_length(line), line);
}

/* Whether the place of the last instruction says anything about this reason. */
static bool put_reason(const struct reason *r, const struct bpfstamp_template *t, uint32_t prog_type, uint32_t code,
		       uint32_t insn, struct bpfstamp_err *err)
{
	enum loghint hint = LOGHINT_NONE;
	uint32_t ignored;

	for (uint32_t i = 0; i < r->count; i++)
		if (loghint_missing(r->lines[i], line_length(r->lines[i]), t, code, insn, err))
			return true;
	put_line(": ", r->lines[0], err);
	if (r->count > 1)
		put_line("; ", r->lines[r->count - 1], err);
	for (uint32_t i = 0; i < r->count && hint == LOGHINT_NONE; i++)
		hint = loghint_tell(r->lines[i], line_length(r->lines[i]), t, prog_type, err);
	return hint != LOGHINT_ELSEWHERE || names_instruction(r->lines[0], &ignored);
}

bool log_explain(const char *log, const struct link *link, const struct bpfstamp_template *t, uint32_t prog_type,
		 struct bpfstamp_err *err)
{
	struct reason r = find_reason(log);
	uint32_t code = NO_INDEX, insn = 0;
	bool here = true;

	if (r.insn != NO_INDEX && !link_origin(link, t, r.insn, &code, &insn))
		code = NO_INDEX;
	if (r.count)
		here = put_reason(&r, t, prog_type, code, insn, err);
	if (here && code != NO_INDEX) {
		err_hint(err, ", at ");
		object_hint_place(t, code, insn, err);
	}
	return r.count;
}

bool log_blames_records(const char *log)
{
	static const char *const words[] = { "func_info", "func info", "line_info", "line info" };
	struct reason r = find_reason(log);

	for (uint32_t i = 0; i < r.count; i++)
		for (size_t word = 0; word < sizeof(words) / sizeof(words[0]); word++)
			if (memmem(r.lines[i], line_length(r.lines[i]), words[word], strlen(words[word])))
				return true;
	return false;
}

void log_tail(const char *log, char *buf, size_t size)
{
	size_t len = strlen(log);
	const char *from = log;

	if (len >= size) {
		from = log + (len - size);	/* the last byte without room: it may be the end of a line */
		from += line_length(from);
		from += *from == '\n';
	}
	memmove(buf, from, strlen(from) + 1);
}
