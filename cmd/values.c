// SPDX-License-Identifier: BSD-2-Clause
/*
 * VALUES: placeholders are declared first, because a template is complete
 * before a stamp is made; then all values are set in the order given.
 *
 * A file of values is a JSON object of paths and values, or one that has such an
 * object as "values", as `inspect --json` prints it.  Objects and arrays inside
 * are paths, too: {"cfg": {"vni": 7}} is cfg.vni.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/values.h"

int values_check_repeats(const struct options *o, struct bpfstamp_err *err)
{
	for (size_t i = 0; i < o->assignment_count; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(o->assignments[i].name, o->assignments[k].name))
				return bpfstamp_err_set(err, EINVAL, "%s is given two values",
							o->assignments[i].name);
	return 0;
}

/* Set one value; with --allow-unused, pass over what the object does not have or use. */
static int set(struct bpfstamp_stamp *s, const struct options *o, const char *name, const char *text,
	       struct bpfstamp_err *err)
{
	if (!bpfstamp_set(s, name, text, err))
		return 0;
	if (!o->allow_unused || (err->code != ENOENT && err->code != ENODATA))
		return -1;
	if (o->verbose)
		fprintf(stderr, "note: %s\n", err->text);
	return 0;
}

/* ------------------------------------------------------------------ file */

struct walk {
	const char *name;	/* of the file, for errors */
	values_fn *fn;
	void *arg;
	char path[1024];
};

static int walk_json(struct walk *f, const json_t *value, struct bpfstamp_err *err);

/* What is one step further inside. */
static int walk_inner(struct walk *f, const char *step, const json_t *value, struct bpfstamp_err *err)
{
	size_t used = strlen(f->path);
	int ret;

	if (used + strlen(step) + 2 > sizeof(f->path))
		return bpfstamp_err_set(err, ENAMETOOLONG, "%s: a path is too long", f->name);
	sprintf(f->path + used, "%s%s", used && *step != '[' ? "." : "", step);
	ret = walk_json(f, value, err);
	f->path[used] = '\0';
	return ret;
}

static int walk_elements(struct walk *f, const json_t *array, struct bpfstamp_err *err)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		char step[32];

		snprintf(step, sizeof(step), "[%zu]", i);
		if (walk_inner(f, step, json_array_get(array, i), err))
			return -1;
	}
	return 0;
}

static int walk_json(struct walk *f, const json_t *value, struct bpfstamp_err *err)
{
	const json_t *inner;
	const char *key;
	char number[32];

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		json_object_foreach((json_t *)(uintptr_t)value, key, inner)
			if (walk_inner(f, key, inner, err))
				return -1;
		return 0;
	case JSON_ARRAY:
		return walk_elements(f, value, err);
	case JSON_STRING:
		return f->fn(f->path, json_string_value(value), f->arg, err);
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return f->fn(f->path, number, f->arg, err);
	case JSON_TRUE:
	case JSON_FALSE:
		return f->fn(f->path, json_is_true(value) ? "true" : "false", f->arg, err);
	default:
		return bpfstamp_err_set(err, EINVAL, "%s: %s: expected a string, an integer or a boolean", f->name,
					f->path);
	}
}

int values_each(const json_t *object, const char *name, values_fn *fn, void *arg, struct bpfstamp_err *err)
{
	struct walk f = { .name = name, .fn = fn, .arg = arg };

	return walk_json(&f, object, err);
}

struct setting {
	struct bpfstamp_stamp *s;
	const struct options *o;
};

static int set_one(const char *path, const char *text, void *arg, struct bpfstamp_err *err)
{
	struct setting *to = arg;

	return set(to->s, to->o, path, text, err);
}

static int set_file(struct bpfstamp_stamp *s, const struct options *o, const char *name, struct bpfstamp_err *err)
{
	struct setting to = { .s = s, .o = o };
	json_error_t error;
	json_t *root = json_load_file(name, JSON_REJECT_DUPLICATES, &error), *values;
	int ret;

	if (!root)
		return bpfstamp_err_set(err, EINVAL, "cannot read %s: line %d: %s", name, error.line, error.text);
	values = json_object_get(root, "values");
	if (!json_is_object(root))
		ret = bpfstamp_err_set(err, EINVAL, "%s: expected a JSON object of names and values", name);
	else
		ret = values_each(json_is_object(values) ? values : root, name, set_one, &to, err);
	json_decref(root);
	return ret;
}

/* ------------------------------------------------------------------ all */

static int declare(struct bpfstamp_template *t, const struct options *o, struct bpfstamp_err *err)
{
	for (size_t i = 0; i < o->assignment_count; i++) {
		const struct assignment *a = &o->assignments[i];

		if (a->kind == ASSIGN_REPLACE && bpfstamp_declare(t, a->name, a->expect, o->allow_derived, err))
			return -1;
	}
	for (size_t i = 0; i < o->assignment_count; i++) {
		const struct assignment *a = &o->assignments[i];

		if (a->kind == ASSIGN_REPLACE && bpfstamp_widen(t, a->name, a->value, err))
			return -1;
	}
	return 0;
}

int values_open(struct bpfstamp_template **out, const struct options *o, struct bpfstamp_err *err)
{
	struct bpfstamp_template *t;

	if (values_check_repeats(o, err) || bpfstamp_open_file(&t, o->object, err))
		return -1;
	if ((o->btf && bpfstamp_target_btf(t, o->btf, err)) || declare(t, o, err)) {
		bpfstamp_close(t);
		return -1;
	}
	*out = t;
	return 0;
}

int values_set(struct bpfstamp_stamp **out, struct bpfstamp_template *t, const struct options *o,
	       struct bpfstamp_err *err)
{
	struct bpfstamp_stamp *s;

	if ((o->inline_globals && bpfstamp_inline(t, err)) || bpfstamp_stamp_new(&s, t, err))
		return -1;
	for (size_t i = 0; i < o->assignment_count; i++) {
		const struct assignment *a = &o->assignments[i];

		if (a->kind == ASSIGN_FILE ? set_file(s, o, a->name, err) : set(s, o, a->name, a->value, err)) {
			bpfstamp_stamp_free(s);
			return -1;
		}
	}
	*out = s;
	return 0;
}

int values_stamp(struct stamped *out, const struct options *o, struct bpfstamp_err *err)
{
	struct stamped made;

	if (values_open(&made.t, o, err))
		return -1;
	if (values_set(&made.s, made.t, o, err)) {
		bpfstamp_close(made.t);
		return -1;
	}
	*out = made;
	return 0;
}

void values_free(struct stamped *stamped)
{
	bpfstamp_stamp_free(stamped->s);
	bpfstamp_close(stamped->t);
}
