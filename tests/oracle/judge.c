// SPDX-License-Identifier: BSD-2-Clause
/*
 * A program is right if it has the instructions that the compiler makes of the
 * new constant.  Compilers may choose others for it (a shorter form, another
 * order), so that what is not the same is loaded and run, both on the same
 * packets.  What the library refuses is not wrong.
 */
#include "tests/oracle/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const judge_outcomes[OUTCOME_COUNT] = { "exact",	"equal",      "refused", "careful",
						    "rejected", "unloadable", "WRONG" };

static bool open_both(struct bpfstamp_template **t, struct bpfstamp_stamp **s, const struct object *o,
		      struct bpfstamp_err *err)
{
	*s = NULL;
	*t = NULL;
	return !bpfstamp_open(t, o->bytes, o->size, "oracle", err) && !bpfstamp_stamp_new(s, *t, err);
}

static bool complain(struct judge *j, const struct bpfstamp_err *err)
{
	snprintf(j->why, sizeof(j->why), "%s", err->text);
	return false;
}

bool judge_open(struct judge *j)
{
	struct bpfstamp_err err;

	return open_both(&j->meant_t, &j->meant_s, &j->meant, &err) || complain(j, &err);
}

bool judge_open_stamp(struct judge *j)
{
	struct bpfstamp_err err;

	if (!judge_open(j) || !open_both(&j->made_t, &j->made_s, &j->made, &err))
		return complain(j, &err);
	if (bpfstamp_set(j->made_s, "c", j->new_text, &err))
		snprintf(j->refused, sizeof(j->refused), "%.190s", err.text);
	return true;
}

static void close_both(struct bpfstamp_template **t, struct bpfstamp_stamp **s)
{
	bpfstamp_stamp_free(*s);
	if (*t)
		bpfstamp_close(*t);
	*s = NULL;
	*t = NULL;
}

void judge_close(struct judge *j)
{
	close_both(&j->meant_t, &j->meant_s);
	close_both(&j->made_t, &j->made_s);
	object_free(&j->made);
	object_free(&j->meant);
	object_free(&j->patched);
}

int judge_load(struct bpfstamp_stamp *s, const struct bpfstamp_template *t, uint32_t n, char *why,
	       size_t size)
{
	struct bpfstamp_load load = { 0 };
	struct bpfstamp_err err;
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "p%u", n);
	load.prog_type = 3;
	if (bpfstamp_find_program(t, name, 0, &load.program, &err) || bpfstamp_load(s, &load, &fd, &err)) {
		snprintf(why, size, "%s", err.text);
		return -1;
	}
	return fd;
}

/* Load and run program n of a stamp and of what it should be. */
static enum outcome behaviour(struct judge *j, struct bpfstamp_stamp *s, const struct bpfstamp_template *t,
			      uint32_t n)
{
	enum outcome outcome = OUTCOME_UNLOADABLE;
	int meant = judge_load(j->meant_s, j->meant_t, n, j->why, sizeof(j->why)), is = -1;
	enum run_result result;

	if (meant >= 0) {
		outcome = OUTCOME_REJECTED;
		is = judge_load(s, t, n, j->why, sizeof(j->why));
	}
	if (is >= 0) {
		result = run_compare(is, meant, j->packets, j->why, sizeof(j->why));
		outcome = result == RUN_EQUAL	 ? OUTCOME_EQUAL
			  : result == RUN_FAILED ? OUTCOME_UNLOADABLE
						 : OUTCOME_WRONG;
		close(is);
	}
	if (meant >= 0)
		close(meant);
	return outcome;
}

static bool write_patched(struct judge *j, const struct bpfstamp_stamp *s)
{
	struct bpfstamp_err err;

	object_free(&j->patched);
	j->patched.size = bpfstamp_elf_size(s);
	j->patched.bytes = malloc(j->patched.size);
	return j->patched.bytes &&
	       (!bpfstamp_elf(s, j->patched.bytes, j->patched.size, &err) || complain(j, &err));
}

static enum outcome replace(struct judge *j, const struct object *alone, uint32_t n, bool allow_derived)
{
	struct bpfstamp_template *t = NULL;
	struct bpfstamp_stamp *s = NULL;
	struct bpfstamp_err err;
	enum outcome outcome = OUTCOME_REFUSED;

	if (bpfstamp_open(&t, alone->bytes, alone->size, "oracle", &err) ||
	    bpfstamp_declare(t, j->old_text, -1, allow_derived, &err) || bpfstamp_stamp_new(&s, t, &err) ||
	    bpfstamp_set(s, j->old_text, j->new_text, &err))
		complain(j, &err);
	else if (write_patched(j, s))
		outcome = object_same(&j->patched, &j->meant, n) ? OUTCOME_EXACT : behaviour(j, s, t, n);
	close_both(&t, &s);
	return outcome;
}

enum outcome judge_placeholder(struct judge *j, uint32_t n)
{
	struct object alone = object_copy(&j->made);
	enum outcome outcome;
	char why[sizeof(j->why)];

	object_isolate(&alone, n);
	outcome = replace(j, &alone, n, false);
	if (outcome == OUTCOME_REFUSED) {
		memcpy(why, j->why, sizeof(why));
		if (replace(j, &alone, n, true) <= OUTCOME_EQUAL)
			outcome = OUTCOME_CAREFUL;
		memcpy(j->why, why, sizeof(why));
	}
	object_free(&alone);
	return outcome;
}

enum outcome judge_stamped(struct judge *j, uint32_t n)
{
	if (*j->refused) {
		snprintf(j->why, sizeof(j->why), "%s", j->refused);
		return OUTCOME_REFUSED;
	}
	return behaviour(j, j->made_s, j->made_t, n);
}
