/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Constants that a compiler made of a constant.
 *
 * A source that uses C leaves other numbers in the code: `x - C` becomes
 * `x += -C`, `x >= C` becomes `x > C-1`, htonl(C) its byte swap, two adjacent
 * stores one wider immediate.  Each such number is a function of C.  Where
 * the function is beyond doubt, setting it to the function of another
 * constant is what compiling with that constant would have done: the site is
 * certain.  Where the number shows C's traces but several functions could
 * have made it (a piece of C, a number near C), the site is reported, and
 * nobody writes to it.
 *
 * What leaves no trace, such as `C > 5`, cannot be found by anybody.
 */
#ifndef BPFINSN_DERIVE_H
#define BPFINSN_DERIVE_H

#include "bpfinsn/imm.h"

enum derive_fn {	/* from a constant to what the instruction means */
	DERIVE_SAME = 0,
	DERIVE_MINUS1,		/* C - 1, in an ordered compare */
	DERIVE_PLUS1,		/* C + 1 likewise */
	DERIVE_NEG32, DERIVE_NEG64,	/* -C, of 32 and of 64 bits */
	DERIVE_NOT32, DERIVE_NOT64,	/* ~C */
	DERIVE_BSWAP16, DERIVE_BSWAP32, DERIVE_BSWAP64,
	DERIVE_SEXT32, DERIVE_SEXT16, DERIVE_SEXT8,	/* an unsigned C of so many bits, sign-extended */
};

struct derived {
	enum imm_form form;
	enum derive_fn fn;
	uint8_t shift, width;	/* the bits of the immediate that hold it; width 0: all */
	bool by_sign;		/* the compiler chose the code around it by the top bit of the constant, */
	uint8_t bits;		/* which has so many bits, */
	bool top;		/* and its top bit set */
	const char *doubt;	/* NULL where the site is certain; else what it looks like */
};

/*
 * Whether insn (and insn[1] for lddw) holds c, or something made of it.
 * by_sign is told for compares; for constants in a register the caller may
 * know more (bpfinsn/uses.h).
 */
bool derive_find(const struct bpfinsn *insn, const struct imm_constant *c, struct derived *out);

/*
 * What a certain site means when the constant is value: *meaning.  old is what
 * the instruction means now.  False where no immediate says it: the form cannot
 * hold it, a compare would turn around at the end of the range, or the code
 * would be another one for a constant with the other top bit.
 */
bool derive_meaning(const struct derived *d, uint64_t old, uint64_t value, uint64_t *meaning);

/* How a function is written: "C - 1"; NULL for the constant itself. */
const char *derive_text(enum derive_fn fn);

/*
 * The first offset from at on where size bytes of data at p hold c, in either
 * byte order; size where there is none.
 */
size_t derive_in_data(const uint8_t *p, size_t size, size_t at, const struct imm_constant *c);

#endif
