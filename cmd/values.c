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

struct file {
	struct bpfstamp_stamp *s;
	const struct options *o;
	const char *name;
	char path[1024];
};

static int set_json(struct file *f, const json_t *value, struct bpfstamp_err *err);

/* Set what is one step further inside. */
static int set_inner(struct file *f, const char *step, const json_t *value, struct bpfstamp_err *err)
{
	size_t used = strlen(f->path);
	int ret;

	if (used + strlen(step) + 2 > sizeof(f->path))
		return bpfstamp_err_set(err, ENAMETOOLONG, "%s: a path is too long", f->name);
	sprintf(f->path + used, "%s%s", used && *step != '[' ? "." : "", step);
	ret = set_json(f, value, err);
	f->path[used] = '\0';
	return ret;
}

static int set_elements(struct file *f, const json_t *array, struct bpfstamp_err *err)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		char step[32];

		snprintf(step, sizeof(step), "[%zu]", i);
		if (set_inner(f, step, json_array_get(array, i), err))
			return -1;
	}
	return 0;
}

static int set_json(struct file *f, const json_t *value, struct bpfstamp_err *err)
{
	const json_t *inner;
	const char *key;
	char number[32];

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		json_object_foreach((json_t *)(uintptr_t)value, key, inner)
			if (set_inner(f, key, inner, err))
				return -1;
		return 0;
	case JSON_ARRAY:
		return set_elements(f, value, err);
	case JSON_STRING:
		return set(f->s, f->o, f->path, json_string_value(value), err);
	case JSON_INTEGER:
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return set(f->s, f->o, f->path, number, err);
	case JSON_TRUE:
	case JSON_FALSE:
		return set(f->s, f->o, f->path, json_is_true(value) ? "true" : "false", err);
	default:
		return bpfstamp_err_set(err, EINVAL, "%s: %s: expected a string, an integer or a boolean", f->name,
					f->path);
	}
}

static int set_file(struct bpfstamp_stamp *s, const struct options *o, const char *name, struct bpfstamp_err *err)
{
	struct file f = { .s = s, .o = o, .name = name };
	json_error_t error;
	json_t *root = json_load_file(name, JSON_REJECT_DUPLICATES, &error), *values;
	int ret;

	if (!root)
		return bpfstamp_err_set(err, EINVAL, "cannot read %s: line %d: %s", name, error.line, error.text);
	values = json_object_get(root, "values");
	if (!json_is_object(root))
		ret = bpfstamp_err_set(err, EINVAL, "%s: expected a JSON object of names and values", name);
	else
		ret = set_json(&f, json_is_object(values) ? values : root, err);
	json_decref(root);
	return ret;
}

/* ------------------------------------------------------------------ all */

static int prepare(struct bpfstamp_template *t, const struct options *o, struct bpfstamp_err *err)
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
	return o->inline_globals ? bpfstamp_inline(t, err) : 0;
}

int values_stamp(struct stamped *out, const struct options *o, struct bpfstamp_err *err)
{
	struct stamped made = { 0 };

	if (values_check_repeats(o, err) || bpfstamp_open_file(&made.t, o->object, err))
		return -1;
	if ((o->btf && bpfstamp_target_btf(made.t, o->btf, err)) || prepare(made.t, o, err) ||
	    bpfstamp_stamp_new(&made.s, made.t, err))
		goto fail;
	for (size_t i = 0; i < o->assignment_count; i++) {
		const struct assignment *a = &o->assignments[i];

		if (a->kind == ASSIGN_FILE ? set_file(made.s, o, a->name, err) :
		    set(made.s, o, a->name, a->value, err))
			goto fail;
	}
	*out = made;
	return 0;
fail:
	values_free(&made);
	return -1;
}

void values_free(struct stamped *stamped)
{
	bpfstamp_stamp_free(stamped->s);
	bpfstamp_close(stamped->t);
}
