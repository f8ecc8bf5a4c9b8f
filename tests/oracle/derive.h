/* SPDX-License-Identifier: BSD-2-Clause */
/* What a compiler made of a constant, told from two objects that differ in it. */
#ifndef ORACLE_DERIVE_H
#define ORACLE_DERIVE_H

#include "tests/oracle/object.h"

/* How a and b come from the constants c and d in the same way: "-C", "bswap32(C)", …; NULL if in no known
 * way. */
const char *derive_name(uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/*
 * What the instructions of program n show: each way in which they hold the
 * constant, once; false where the objects cannot be compared.
 */
bool derive_forms(const struct object *with_c, const struct object *with_d, uint32_t n, uint64_t c,
		  uint64_t d, char *text, size_t size);

/* What stood in the instructions where patched is not as meant, as far as it can be told. */
bool derive_missed(const struct object *made, const struct object *patched, const struct object *meant,
		   uint32_t n, uint64_t c, uint64_t d, char *text, size_t size);

/* Whether data sections (.rodata and .data) of the objects differ. */
bool derive_in_rodata(const struct object *a, const struct object *b);

#endif
