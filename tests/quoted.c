// SPDX-License-Identifier: BSD-2-Clause
/*
 * JSON with ' for ", which needs no \ in C.
 */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/quoted.h"

json_t *quoted_json(const char *text)
{
	char *quoted = strdup(text);
	json_error_t where;
	json_t *json;

	for (char *c = quoted; *c; c++)
		if (*c == '\'')
			*c = '"';
	json = json_loads(quoted, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where);
	ck_assert_msg(json, "%s: %s", text, where.text);
	free(quoted);
	return json;
}
