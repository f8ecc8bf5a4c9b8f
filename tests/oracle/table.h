/* SPDX-License-Identifier: BSD-2-Clause */
/* What the oracle counts, in memory that its processes share. */
#ifndef ORACLE_TABLE_H
#define ORACLE_TABLE_H

#include "tests/oracle/compile.h"
#include "tests/oracle/judge.h"

enum { TABLE_TEXTS = 256, TABLE_TEXT_SIZE = 240 };

struct table {
	uint32_t counts[COMPILERS_MAX][OUTCOME_COUNT];
	uint32_t text_count, lost;
	struct {
		uint32_t count;
		char text[TABLE_TEXT_SIZE];
	} texts[TABLE_TEXTS];
	uint32_t failures; /* of the oracle itself */
};

struct table *table_new(uint32_t count);

/* Count a text (the reason of a refusal, what was found): "KIND: TEXT", with what differs from case to case
 * left out. */
void table_reason(struct table *t, const char *kind, const char *text);
void table_text(struct table *t, const char *text, uint32_t count);

void table_add(struct table *sum, const struct table *t);
void table_print(const struct table *t, const struct compiler *compilers, uint32_t count);
uint32_t table_total(const struct table *t, enum outcome outcome);

#endif
