// SPDX-License-Identifier: BSD-2-Clause
/*
 * Words of the command line that were mistyped.  A slip is at most two edits: a
 * letter too much, too few, or another, or two neighbours swapped.  Commands,
 * options and hooks are few and short, so trying every edit is cheap; names of
 * an object are the library's affair, which has a faster way.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "cmd/near.h"

enum { EDITS_MAX = 2 };

static bool is_within(const char *a, const char *b, unsigned int edits)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (!*a && !*b)
		return true;
	if (!edits--)
		return false;
	return (*a && is_within(a + 1, b, edits)) || (*b && is_within(a, b + 1, edits)) ||
	       (*a && *b && is_within(a + 1, b + 1, edits)) ||
	       (*a && *b && a[0] == b[1] && a[1] == b[0] && is_within(a + 2, b + 2, edits));
}

const char *near_word(const char *wanted, const char *const *names)
{
	for (unsigned int edits = 1; edits <= EDITS_MAX && edits < strlen(wanted); edits++)
		for (size_t i = 0; names[i]; i++)
			if (is_within(wanted, names[i], edits))
				return names[i];
	return NULL;
}
