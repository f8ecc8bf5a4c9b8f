/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kinds of BTF that a kernel may be too old for.
 */
#ifndef LOADER_BTFKINDS_H
#define LOADER_BTFKINDS_H

#include "loader/btfcopy.h"
#include "loader/lacks.h"

/* Sets of enum lack, those of BTF only: bit 1 << lack. */

/* What a kernel must know for this BTF. */
uint32_t btfkinds_of(const struct btfcopy *c);

/* Replace what a kernel lacks by older kinds of the same size.  Wants DATASECs that are filled in. */
void btfkinds_replace(struct btfcopy *c, uint32_t lacking);

/* Which of a set the running kernel refuses, each asked about by itself. */
uint32_t btfkinds_lacking(uint32_t set);

/* The one of a lack for people: "BTF_KIND_ENUM64 and signed enums (Linux 6.0)". */
const char *btfkinds_name(enum lack lack);

#endif
