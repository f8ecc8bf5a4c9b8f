// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shared output.  JSON is built with jansson, whose functions accept NULL for
 * what could not be allocated: one check at the end, in output_json, covers
 * every step before it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/output.h"

int output_json(json_t *object, struct bpfstamp_err *err)
{
	int ret = object ? json_dumpf(object, stdout, JSON_INDENT(2)) : -1;

	json_decref(object);
	if (ret)
		return bpfstamp_err_set(err, ENOMEM, "cannot print JSON");
	putchar('\n');
	return 0;
}

char *output_value(const struct bpfstamp_template *t, const struct bpfstamp_injectable *inj, const void *bytes)
{
	size_t size = bpfstamp_value_text(t, inj, bytes, NULL, 0) + 1;
	char *text = malloc(size);

	if (text)
		bpfstamp_value_text(t, inj, bytes, text, size);
	return text;
}

struct listing {
	const struct bpfstamp_template *t;
	json_t *array;
	FILE *to;
};

static void add_change(const struct bpfstamp_change *change, void *arg)
{
	struct listing *l = arg;
	struct bpfstamp_injectable inj;
	char *before, *after;

	bpfstamp_injectable_at(l->t, change->injectable, &inj);
	before = change->old_value ? output_value(l->t, &inj, change->old_value) : NULL;
	after = output_value(l->t, &inj, change->new_value);
	json_array_append_new(l->array, json_pack("{s:s, s:s, s:i, s:s?, s:i, s:s?, s:s?}", "name", inj.name,
						  "program", change->site.program, "insn", (int)change->site.insn,
						  "file", change->site.file, "line", (int)change->site.line,
						  "old", before, "new", after));
	free(before);
	free(after);
}

json_t *output_changes(const struct bpfstamp_template *t, const struct bpfstamp_stamp *s)
{
	struct listing l = { .t = t, .array = json_array() };

	bpfstamp_changes(s, add_change, &l);
	return l.array;
}

static void print_change(const struct bpfstamp_change *change, void *arg)
{
	struct listing *l = arg;
	struct bpfstamp_injectable inj;
	char *before, *after;

	bpfstamp_injectable_at(l->t, change->injectable, &inj);
	before = change->old_value ? output_value(l->t, &inj, change->old_value) : NULL;
	after = output_value(l->t, &inj, change->new_value);
	fprintf(l->to, "  %s: %s -> %s at instruction %u of %s", inj.name, before ? before : "(none)",
		after ? after : "?", change->site.insn, change->site.program);
	if (change->site.file)
		fprintf(l->to, " (%s:%u)", change->site.file, change->site.line);
	fputc('\n', l->to);
	free(before);
	free(after);
}

void output_change_lines(FILE *to, const struct bpfstamp_template *t, const struct bpfstamp_stamp *s)
{
	struct listing l = { .t = t, .to = to };

	bpfstamp_changes(s, print_change, &l);
}

void output_tag(char out[17], const uint8_t tag[8])
{
	for (int i = 0; i < 8; i++)
		snprintf(out + 2 * i, 3, "%02x", tag[i]);
}

const char *output_direction(enum bpfstamp_direction direction)
{
	return direction == BPFSTAMP_EGRESS ? "egress" : "ingress";
}

int output_filter(json_t *object, const struct bpfstamp_filter *f)
{
	char tag[17];
	json_t *fields;

	output_tag(tag, f->tag);
	fields = json_pack("{s:s, s:i, s:s, s:i, s:I, s:i, s:I, s:s, s:b, s:s, s:I, s:s?}", "dev", f->dev, "ifindex",
			   f->ifindex, "direction", output_direction(f->direction), "prio", (int)f->prio,
			   "handle", (json_int_t)f->handle, "protocol", (int)f->protocol, "chain",
			   (json_int_t)f->chain, "kind", f->kind, "ours", (int)f->ours, "name", f->name,
			   "id", (json_int_t)f->id, "tag", f->has_tag ? tag : NULL);
	if (!fields)
		return -1;
	json_object_update(object, fields);
	json_decref(fields);
	return 0;
}
