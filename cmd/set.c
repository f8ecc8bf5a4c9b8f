// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp set: change values of a program that is attached.
 *
 * Variables of .data and .bss are changed where they are, in the map of the
 * running program.  Anything else stands in read-only data or in instructions:
 * given the object (--object), it is stamped anew (cmd/restamp.c).
 *
 * All or nothing: where a change in place fails, those before it are taken back.
 * What is reported is read from the kernel afterwards.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/attachment.h"
#include "cmd/set.h"
#include "cmd/values.h"

/* ----------------------------------------------------------------- names */

static bool is_part(const char *path, const char *whole)
{
	size_t len = strlen(whole);

	return !strncmp(path, whole, len) && (!path[len] || path[len] == '.' || path[len] == '[');
}

bool set_names_value(const char *name, const struct bpfstamp_running_value *v)
{
	size_t len = v->section ? strlen(v->section) : 0;

	if (len && !strncmp(name, v->section, len) && name[len] == ':')
		name += len + 1;
	return is_part(v->path, name) || is_part(name, v->path);
}

enum set_found set_look_up(const struct bpfstamp_running *r, const char *name, struct bpfstamp_running_value *out)
{
	enum set_found found = SET_UNKNOWN;

	for (uint32_t i = 0; i < bpfstamp_running_value_count(r) && found != SET_READ_ONLY; i++) {
		bpfstamp_running_value_at(r, i, out);
		if (set_names_value(name, out))
			found = out->writable ? SET_WRITABLE : SET_READ_ONLY;
	}
	return found;
}

/* -------------------------------------------------------------- in place */

/* Write back a value; its path alone may be that of another section's, too. */
static void take_back(struct bpfstamp_running *r, const struct bpfstamp_running_value *was)
{
	struct bpfstamp_err ignored;
	char name[1024];

	if (snprintf(name, sizeof(name), "%s:%s", was->section, was->path) < (int)sizeof(name))
		bpfstamp_poke(r, name, was->value, false, &ignored);
}

/* Write back what was there, of the first count values that were given. */
void set_take_back(const struct setting *s, struct bpfstamp_running *r, size_t count)
{
	struct bpfstamp_running_value v;

	for (uint32_t i = 0; i < bpfstamp_running_value_count(s->before); i++) {
		bpfstamp_running_value_at(s->before, i, &v);
		for (size_t k = 0; k < count; k++)
			if (v.writable && set_names_value(s->o->assignments[k].name, &v))
				take_back(r, &v);
	}
}

/* A name that is not known is an error here, unless it may be one of what is stamped anew. */
int set_in_place(const struct setting *s, struct bpfstamp_running *r, struct bpfstamp_err *err)
{
	struct bpfstamp_running_value v;

	for (size_t i = 0; i < s->o->assignment_count; i++) {
		const struct assignment *a = &s->o->assignments[i];

		if (s->restamp && set_look_up(s->before, a->name, &v) != SET_WRITABLE)
			continue;
		if (bpfstamp_poke(r, a->name, a->value, s->o->dry_run, err)) {
			if (!s->o->dry_run)
				set_take_back(s, r, i);
			return -1;
		}
	}
	return 0;
}

static int change_running(const struct setting *s, struct bpfstamp_err *err)
{
	struct bpfstamp_running *r;
	int ret;

	if (bpfstamp_running_open(&r, s->there.id, err))
		return -1;
	ret = set_in_place(s, r, err);
	bpfstamp_running_free(r);
	return ret;
}

/* ---------------------------------------------------------------- report */

static bool is_same_section(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* What a value was before, or NULL. */
static const char *value_before(const struct bpfstamp_running *before, const struct bpfstamp_running_value *now)
{
	struct bpfstamp_running_value v;

	for (uint32_t i = 0; i < bpfstamp_running_value_count(before); i++) {
		bpfstamp_running_value_at(before, i, &v);
		if (v.kind == now->kind && !strcmp(v.path, now->path) && is_same_section(v.section, now->section))
			return v.value;
	}
	return NULL;
}

/* Each value that an assignment names: what it was, and what the kernel has now. */
static json_t *list_changes(const struct setting *s, const struct bpfstamp_running *now)
{
	json_t *array = json_array();
	struct bpfstamp_running_value v;

	for (uint32_t i = 0; i < bpfstamp_running_value_count(now); i++) {
		bpfstamp_running_value_at(now, i, &v);
		for (size_t k = 0; k < s->o->assignment_count; k++) {
			if (!set_names_value(s->o->assignments[k].name, &v))
				continue;
			json_array_append_new(array, json_pack("{s:o, s:o, s:o}", "name", output_text(v.path),
							       "old", output_text(value_before(s->before, &v)),
							       "new", output_text(v.value)));
			break;
		}
	}
	return array;
}

static void print_changes(const json_t *changes)
{
	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *change = json_array_get(changes, i);
		const char *old = json_string_value(json_object_get(change, "old"));

		output_format(stdout, "  %s: %s -> %s\n", json_string_value(json_object_get(change, "name")),
			      old ? old : "(none)", json_string_value(json_object_get(change, "new")));
	}
}

static int report(const struct setting *s, const struct bpfstamp_running *now, struct bpfstamp_err *err)
{
	bool dry = s->o->dry_run;
	json_t *changes = dry ? json_array() : list_changes(s, now), *object;

	if (s->o->json) {
		object = json_pack("{s:b, s:b, s:o}", "dry_run", (int)dry, "in_place", (int)!s->restamp,
				   "changes", changes);
		if (object && attachment_fields(object, &s->there)) {
			json_decref(object);
			object = NULL;
		}
		return output_json(object, err);
	}
	attachment_line(stdout, dry ? s->restamp ? "would restamp and replace" : "would change in place" :
			s->restamp ? "restamped and replaced" : "changed in place", "at", &s->there);
	print_changes(changes);
	json_decref(changes);
	return 0;
}

/* ------------------------------------------------------------------- set */

/* In place, or anew?  Without an object, what cannot be changed in place is an error. */
static int decide(struct setting *s, struct bpfstamp_err *err)
{
	struct bpfstamp_running_value v;

	for (size_t i = 0; i < s->o->assignment_count; i++) {
		const char *name = s->o->assignments[i].name;
		enum set_found found = set_look_up(s->before, name, &v);

		if (s->o->source)
			s->restamp |= found != SET_WRITABLE;
		else if (found == SET_READ_ONLY)
			return bpfstamp_err_set(err, EROFS, "%s of %s stands in %s and cannot be changed in place; "
						"give the object that it was attached from by --object OBJ", v.path,
						s->there.name, v.section ? v.section : "instructions");
	}
	return 0;
}

static int find(struct setting *s, struct bpfstamp_err *err)
{
	struct bpfstamp_hook hook = s->o->hook;

	hook.program = s->o->prog;
	if (bpfstamp_detach(s->net, &hook, true, &s->there, err))
		return -1;
	if (!s->there.id)
		return bpfstamp_err_set(err, ENOENT, "the kernel does not tell the id of %s", s->there.name);
	return bpfstamp_running_open(&s->before, s->there.id, err);
}

static int change(struct setting *s, struct bpfstamp_err *err)
{
	struct bpfstamp_running *now = NULL;
	int ret;

	if (find(s, err) || decide(s, err))
		return -1;
	if (s->restamp ? set_restamp(s, err) :
	    s->o->dry_run ? set_in_place(s, s->before, err) : change_running(s, err))
		return -1;
	if (!s->o->dry_run && bpfstamp_running_open(&now, s->there.id, err))
		return -1;
	ret = report(s, now, err);
	bpfstamp_running_free(now);
	return ret;
}

int cmd_set(const struct options *o, struct bpfstamp_err *err)
{
	struct setting s = { .o = o };
	int ret;

	if (values_check_repeats(o, err) || bpfstamp_net_open(&s.net, o->netns, err))
		return -1;
	ret = change(&s, err);
	bpfstamp_running_free(s.before);
	bpfstamp_net_close(s.net);
	return ret;
}
