// SPDX-License-Identifier: BSD-2-Clause
/*
 * Finding injectables and programs by name.  A name that is not there is
 * answered with the nearest that is (Damerau's distance: insertions, deletions,
 * changes, neighbours swapped), where that is near enough to be a slip; a
 * name that several have is answered with all of them.
 */
#include <errno.h>
#include <string.h>

#include "loader/err.h"
#include "loader/template.h"

enum { DISTANCE_MAX = 3, NAME_MAX_LEN = 63 };

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Damerau's distance of two names, or more than DISTANCE_MAX where one is too long to care. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int rows[3][NAME_MAX_LEN + 1];
	unsigned int *before = rows[0], *last = rows[1], *row = rows[2];
	size_t la = strlen(a), lb = strlen(b);

	if (la > NAME_MAX_LEN || lb > NAME_MAX_LEN)
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

struct nearest {
	const char *wanted, *name;
	unsigned int distance;
};

static void consider(struct nearest *n, const char *name)
{
	unsigned int d = distance(n->wanted, name);

	if (d < n->distance) {
		n->distance = d;
		n->name = name;
	}
}

static void suggest(const struct nearest *n, struct bpfstamp_err *err)
{
	if (n->name && n->distance <= DISTANCE_MAX && n->distance < strlen(n->wanted))
		err_hint(err, "; did you mean '%s'?", n->name);
}

/* Whether an injectable goes by "name" or "section:name". */
static bool goes_by(const struct injectable *inj, const char *name)
{
	size_t len = strlen(inj->section);

	if (!strcmp(inj->name, name))
		return true;
	return !strncmp(inj->section, name, len) && name[len] == ':' && !strcmp(inj->name, name + len + 1);
}

static int ambiguous(const struct bpfstamp_template *t, const char *name, struct bpfstamp_err *err)
{
	const char *comma = "";

	err_set(err, EINVAL, "%s: '%s' is ambiguous: ", t->name, name);
	for (uint32_t i = 0; i < t->injectable_count; i++) {
		if (!goes_by(&t->injectables[i], name))
			continue;
		err_hint(err, "%s%s:%s", comma, t->injectables[i].section, t->injectables[i].name);
		comma = ", ";
	}
	return -1;
}

int bpfstamp_find(const struct bpfstamp_template *t, const char *name, struct bpfstamp_ref *out,
		  struct bpfstamp_err *err)
{
	struct nearest near = { .wanted = name, .distance = DISTANCE_MAX + 1 };
	uint32_t found = NO_INDEX;

	for (uint32_t i = 0; i < t->injectable_count; i++) {
		if (!goes_by(&t->injectables[i], name))
			continue;
		if (found != NO_INDEX)
			return ambiguous(t, name, err);
		found = i;
	}
	if (found != NO_INDEX) {
		*out = (struct bpfstamp_ref){ .injectable = found, .size = t->injectables[found].type.size };
		return 0;
	}
	for (uint32_t i = 0; i < t->injectable_count; i++)
		consider(&near, t->injectables[i].name);
	err_set(err, ENOENT, "%s: nothing called '%s' can be stamped", t->name, name);
	if (!t->injectable_count)
		err_hint(err, ": the object has no global, no STAMP() and no undefined symbol");
	suggest(&near, err);
	return -1;
}

static int find_named_program(const struct bpfstamp_template *t, const char *name, uint32_t *out,
			      struct bpfstamp_err *err)
{
	struct nearest near = { .wanted = name, .distance = DISTANCE_MAX + 1 };

	for (uint32_t i = 0; i < t->func_count; i++) {
		if (t->funcs[i].entry && !strcmp(t->funcs[i].name, name)) {
			*out = i;
			return 0;
		}
	}
	for (uint32_t i = 0; i < t->func_count; i++)
		if (t->funcs[i].entry)
			consider(&near, t->funcs[i].name);
	err_set(err, ENOENT, "%s: no program called '%s'", t->name, name);
	suggest(&near, err);
	return -1;
}

int bpfstamp_find_program(const struct bpfstamp_template *t, const char *name, uint32_t prog_type, uint32_t *out,
			  struct bpfstamp_err *err)
{
	uint32_t entries = 0, fitting = 0, entry = 0, fit = 0;
	const char *comma = "";

	if (name)
		return find_named_program(t, name, out, err);
	for (uint32_t i = 0; i < t->func_count; i++) {
		const struct func *f = &t->funcs[i];

		if (!f->entry)
			continue;
		entries++;
		entry = i;
		if (f->prog_type == prog_type || !f->prog_type || !prog_type) {
			fitting++;
			fit = i;
		}
	}
	if (entries == 1 || fitting == 1) {
		*out = fitting == 1 ? fit : entry;
		return 0;
	}
	if (!entries)
		return err_set(err, ENOENT, "%s: the object has no program", t->name);
	err_set(err, EINVAL, "%s: %s program fits; choose one by name: ", t->name, fitting ? "more than one" : "no");
	for (uint32_t i = 0; i < t->func_count; i++) {
		if (!t->funcs[i].entry)
			continue;
		err_hint(err, "%s%s (section %s)", comma, t->funcs[i].name, t->codes[t->funcs[i].code].name);
		comma = ", ";
	}
	return -1;
}
