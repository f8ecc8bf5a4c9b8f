/* SPDX-License-Identifier: BSD-2-Clause */
/* What the library makes of an object, held against what it should be. */
#ifndef ORACLE_JUDGE_H
#define ORACLE_JUDGE_H

#include "include/bpfstamp.h"
#include "tests/oracle/object.h"
#include "tests/oracle/run.h"

enum outcome {
	OUTCOME_EXACT, /* the same instructions as the compiler's */
	OUTCOME_EQUAL, /* other instructions, which do the same */
	OUTCOME_REFUSED, /* the library says that it cannot */
	OUTCOME_CAREFUL, /* likewise, where leaving alone what it doubts would have been right */
	OUTCOME_REJECTED, /* the kernel accepts what it should be, but not what it is */
	OUTCOME_UNLOADABLE, /* the kernel does not accept what it should be, either: not judged */
	OUTCOME_WRONG, /* does something else, and nobody said a word */
	OUTCOME_COUNT,
};

extern const char *const judge_outcomes[OUTCOME_COUNT];

struct judge {
	struct object made, meant; /* compiled with the old constant, and with the new one */
	struct bpfstamp_template *made_t, *meant_t; /* made_t: not for placeholders */
	struct bpfstamp_stamp *made_s, *meant_s;
	char old_text[32], new_text[32];
	char refused[200]; /* why made_s could not be set, or "" */
	struct run_packet packets[RUN_PACKETS];
	char why[1100]; /* of the last outcome that is not good */
	struct object patched; /* what was judged last, where the library made it */
};

/* Open meant, and for STAMP and inlining, made with its values; false where that must not fail, but does. */
bool judge_open(struct judge *j);
bool judge_open_stamp(struct judge *j);
void judge_close(struct judge *j);

/* Program n: as a placeholder; or of made_s against meant_s. */
enum outcome judge_placeholder(struct judge *j, uint32_t n);
enum outcome judge_stamped(struct judge *j, uint32_t n);

/* Load program n of a stamp, or -1. */
int judge_load(struct bpfstamp_stamp *s, const struct bpfstamp_template *t, uint32_t n, char *why,
	       size_t size);

#endif
