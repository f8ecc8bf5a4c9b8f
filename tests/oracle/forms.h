/* SPDX-License-Identifier: BSD-2-Clause */
/* A table of what compilers make of a constant, in Markdown. */
#ifndef ORACLE_FORMS_H
#define ORACLE_FORMS_H

#include "tests/oracle/compile.h"

int forms_print(const struct compiler *compilers, uint32_t count, const char *dir);

#endif
