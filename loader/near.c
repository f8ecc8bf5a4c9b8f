// SPDX-License-Identifier: BSD-2-Clause
/*
 * Damerau's distance of two names: how many insertions, deletions, changes and
 * swaps of neighbours make one of the other.  Three rows of the table are
 * enough, on the stack; names that are too long to have been typed are far.
 */
#include <string.h>

#include "loader/err.h"
#include "loader/near.h"

enum { DISTANCE_MAX = 3, LEN_MAX = 63 };

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static unsigned int distance(const char *a, size_t la, const char *b)
{
	unsigned int rows[3][LEN_MAX + 1];
	unsigned int *before = rows[0], *last = rows[1], *row = rows[2];
	size_t lb = strlen(b);

	if (la > LEN_MAX || lb > LEN_MAX)
		return DISTANCE_MAX + 1;
	for (unsigned int j = 0; j <= lb; j++)
		last[j] = j;
	for (unsigned int i = 1; i <= la; i++) {
		unsigned int *spare = before;

		row[0] = i;
		for (unsigned int j = 1; j <= lb; j++) {
			row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[lb];
}

struct near near_to(const char *wanted, size_t len)
{
	return (struct near){ .wanted = wanted, .len = len, .distance = DISTANCE_MAX + 1 };
}

void near_consider(struct near *near, const char *name)
{
	unsigned int d = *name ? distance(near->wanted, near->len, name) : DISTANCE_MAX + 1;

	if (d < near->distance) {
		near->distance = d;
		near->name = name;
	}
}

void near_suggest(const struct near *near, struct bpfstamp_err *err)
{
	if (near->name && near->distance <= DISTANCE_MAX && near->distance < near->len)
		err_hint(err, "; did you mean '%s'?", near->name);
}
