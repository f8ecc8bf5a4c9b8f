/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON as it can be read in C.
 */
#ifndef TESTS_QUOTED_H
#define TESTS_QUOTED_H

#include <jansson.h>

/* The value that text has with " for each '; it ends the test if that is no JSON. */
json_t *quoted_json(const char *text);

#endif
