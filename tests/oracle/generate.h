/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random BPF programs for the oracle, the same ones for the same seed.
 *
 * A batch is one C source with programs p0, p1, … in SEC("tc"); subprograms of
 * program 3 are called s3_….  Programs use the constant C, which the compiler
 * is given by -DC=….  With -DONLY=n only program n is compiled, and with
 * -D'ON(k)=…' only those of its uses for which ON is true: that is how a fault
 * is narrowed down.
 */
#ifndef ORACLE_GENERATE_H
#define ORACLE_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct prng {
	uint64_t state;
};

uint64_t prng_next(struct prng *p);
uint32_t prng_below(struct prng *p, uint32_t limit);

enum { GENERATE_USES = 6 }; /* of a program at most */

/* One way to use the constant, see uses.c. */
struct use {
	const char *name;
	uint8_t low, high; /* bits of a constant that this makes sense for */
	uint8_t flags; /* enum use_flag */
	const char *text; /* in the program's body */
	const char *outside; /* in front of the program, or NULL */
};

enum use_flag {
	USE_CONSTANT = 1, /* the language wants a constant expression: not for STAMP() */
	USE_FOLD = 2, /* leaves no immediate that tells of the constant: no tool can find it */
};

extern const struct use generate_uses[];
extern const uint32_t generate_use_count;

struct generate {
	struct prng prng;
	uint8_t bits; /* of the constant */
	bool stamp; /* the constant is STAMP() */
	bool folds; /* also uses that are USE_FOLD */
	uint32_t programs;
	/* what became of it: uses[n][k] is an index of generate_uses */
	uint8_t use_count[256];
	uint8_t uses[256][GENERATE_USES];
};

/* Write the source of a batch. */
void generate_constants(FILE *out, struct generate *g);

/* The text that all sources begin with, and the end of all. */
extern const char generate_prologue[];
extern const char generate_epilogue[];

/* Write text, with each @ and the letter behind it replaced by something random; n and k name things. */
void generate_text(FILE *out, struct prng *prng, const char *text, uint32_t n, uint32_t k);

#endif
