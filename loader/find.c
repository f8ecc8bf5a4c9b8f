// SPDX-License-Identifier: BSD-2-Clause
/*
 * Finding injectables and programs by name.  A name that is not there is
 * answered with the nearest that is, where that is near enough to be a slip;
 * a name that several have is answered with all of them.
 */
#include <errno.h>
#include <string.h>

#include "loader/err.h"
#include "loader/load.h"
#include "loader/near.h"
#include "loader/path.h"

static size_t goes_by(const struct injectable *inj, const char *name)
{
	return path_name(name, inj->section, inj->name);
}

/* The longest part of name that an injectable goes by, and how many do. */
static size_t longest(const struct bpfstamp_template *t, const char *name, uint32_t *found, uint32_t *count)
{
	size_t best = 0;

	*count = 0;
	for (uint32_t i = 0; i < t->injectable_count; i++) {
		size_t len = goes_by(&t->injectables[i], name);

		if (len > best) {
			best = len;
			*count = 0;
		}
		if (len && len == best) {
			*found = i;
			(*count)++;
		}
	}
	return best;
}

static int ambiguous(const struct bpfstamp_template *t, const char *name, size_t len, struct bpfstamp_err *err)
{
	const char *comma = "";

	err_set(err, EINVAL, "%s: '%.*s' is ambiguous: ", t->name, (int)len, name);
	for (uint32_t i = 0; i < t->injectable_count; i++) {
		if (goes_by(&t->injectables[i], name) != len)
			continue;
		err_hint(err, "%s%s:%s", comma, t->injectables[i].section, t->injectables[i].name);
		comma = ", ";
	}
	return -1;
}

static int unknown(const struct bpfstamp_template *t, const char *name, struct bpfstamp_err *err)
{
	struct near near = near_to(name, strlen(name));

	for (uint32_t i = 0; i < t->injectable_count; i++)
		near_consider(&near, t->injectables[i].name);
	err_set(err, ENOENT, "%s: nothing called '%s' can be stamped", t->name, name);
	if (!t->injectable_count)
		err_hint(err, ": the object has no global, no STAMP() and no undefined symbol");
	near_suggest(&near, err);
	return -1;
}

int bpfstamp_find(const struct bpfstamp_template *t, const char *name, struct bpfstamp_ref *out,
		  struct bpfstamp_err *err)
{
	uint32_t found = 0, count;
	size_t len = longest(t, name, &found, &count);
	struct part part;

	if (!count)
		return unknown(t, name, err);
	if (count > 1)
		return ambiguous(t, name, len, err);
	part = part_whole(&t->injectables[found]);
	if (part_follow(&part, &t->btf, name + len, err))
		return err_wrap(err, "%s: %s", t->name, name);
	*out = part_ref(&part, found);
	return 0;
}

void bpfstamp_whole(const struct bpfstamp_template *t, uint32_t injectable, struct bpfstamp_ref *out)
{
	const struct part part = part_whole(&t->injectables[injectable]);

	*out = part_ref(&part, injectable);
}

static int find_named_program(const struct bpfstamp_template *t, const char *name, uint32_t *out,
			      struct bpfstamp_err *err)
{
	struct near near = near_to(name, strlen(name));

	for (uint32_t i = 0; i < t->func_count; i++) {
		if (t->funcs[i].entry && !strcmp(t->funcs[i].name, name)) {
			*out = i;
			return 0;
		}
	}
	for (uint32_t i = 0; i < t->func_count; i++)
		if (t->funcs[i].entry)
			near_consider(&near, t->funcs[i].name);
	err_set(err, ENOENT, "%s: no program called '%s'", t->name, name);
	near_suggest(&near, err);
	return -1;
}

int bpfstamp_find_program(const struct bpfstamp_template *t, const char *name, uint32_t prog_type, uint32_t *out,
			  struct bpfstamp_err *err)
{
	uint32_t entries = 0, fitting = 0, entry = 0, fit = 0;
	const char *comma = "";

	if (name)
		return find_named_program(t, name, out, err) || load_check_type(t, *out, prog_type, err) ? -1 : 0;
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
		return load_check_type(t, *out, prog_type, err);
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
