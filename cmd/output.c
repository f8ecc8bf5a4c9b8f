// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shared output.  JSON is built with jansson, whose functions accept NULL for
 * what could not be allocated: one check at the end, in output_json, covers
 * every step before it.
 */
#define _GNU_SOURCE	/* vasprintf */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/output.h"
#include "include/control.h"

json_t *output_text(const char *text)
{
	json_t *string = text ? json_string(text) : json_null();
	char *ascii;

	if (string)
		return string;
	ascii = strdup(text);
	if (!ascii)
		return NULL;
	for (char *c = ascii; *c; c++)
		if (*c & 0x80)
			*c = '?';
	string = json_string(ascii);
	free(ascii);
	return string;
}

/* Those of kept are let through.  Piece by piece, because stderr has no buffer. */
static void print_plain(FILE *to, const char *text, const char *kept)
{
	char piece[512];
	size_t used = 0;

	while (*text) {
		unsigned int size = strchr(kept, *text) ? 0 : control_size(text);

		if (used == sizeof(piece)) {
			fwrite(piece, 1, used, to);
			used = 0;
		}
		piece[used++] = size ? '?' : *text;
		text += size ? size : 1;
	}
	fwrite(piece, 1, used, to);
}

void output_plain(FILE *to, const char *text)
{
	print_plain(to, text, "");
}

void output_log(FILE *to, const char *log)
{
	print_plain(to, log, "\n\t");
}

void output_format(FILE *to, const char *fmt, ...)
{
	bool line = *fmt && fmt[strlen(fmt) - 1] == '\n';
	va_list args;
	char *text;
	int size;

	va_start(args, fmt);
	size = vasprintf(&text, fmt, args);
	va_end(args);
	if (size < 0) {
		fputs("(out of memory)\n", to);
		return;
	}
	if (line)
		text[size - 1] = '\0';
	flockfile(to);
	output_plain(to, text);
	if (line)
		fputc('\n', to);
	funlockfile(to);
	free(text);
}

int output_json(json_t *object, struct bpfstamp_err *err)
{
	int ret = object ? json_dumpf(object, stdout, JSON_INDENT(2)) : -1;

	json_decref(object);
	if (ret)
		return bpfstamp_err_set(err, ENOMEM, "cannot print JSON");
	putchar('\n');
	return 0;
}

const char *output_kind(enum bpfstamp_kind kind)
{
	static const char *const names[] = {
		[BPFSTAMP_GLOBAL] = "global", [BPFSTAMP_STAMP] = "stamp", [BPFSTAMP_SYMBOL] = "symbol",
		[BPFSTAMP_PLACEHOLDER] = "placeholder",
	};

	return names[kind];
}

char *output_value(const struct bpfstamp_template *t, const struct bpfstamp_stamp *s, const struct bpfstamp_ref *ref)
{
	char first[64], *text;
	size_t size = bpfstamp_get(t, s, ref, first, sizeof(first)) + 1;

	text = size > 1 ? malloc(size) : NULL;
	if (text && size <= sizeof(first))
		memcpy(text, first, size);
	else if (text)
		bpfstamp_get(t, s, ref, text, size);
	return text;
}

void output_place(FILE *to, const struct bpfstamp_site *site)
{
	output_format(to, "instruction %u of %s", site->insn, site->program);
	if (site->file)
		output_format(to, " (%s:%u)", site->file, site->line);
}

struct listing {
	const struct bpfstamp_template *t;
	const struct bpfstamp_stamp *s;
	json_t *array;
	FILE *to;
};

static void add_change(const struct bpfstamp_change *change, void *arg)
{
	struct listing *l = arg;
	char *before = output_value(l->t, NULL, &change->ref), *after = output_value(l->t, l->s, &change->ref);

	json_array_append_new(l->array, json_pack("{s:o, s:o, s:i, s:o, s:i, s:s?, s:s?, s:s?}", "name",
						  output_text(change->path), "program",
						  output_text(change->site.program), "insn", (int)change->site.insn,
						  "file", output_text(change->site.file), "line",
						  (int)change->site.line,
						  "derived", change->site.derived, "old", before, "new", after));
	free(before);
	free(after);
}

json_t *output_changes(const struct bpfstamp_template *t, const struct bpfstamp_stamp *s)
{
	struct listing l = { .t = t, .s = s, .array = json_array() };

	bpfstamp_changes(s, add_change, &l);
	return l.array;
}

static void print_change(const struct bpfstamp_change *change, void *arg)
{
	struct listing *l = arg;
	char *before = output_value(l->t, NULL, &change->ref), *after = output_value(l->t, l->s, &change->ref);

	output_format(l->to, "  %s: %s -> %s at ", change->path, before ? before : "(none)", after ? after : "?");
	output_place(l->to, &change->site);
	if (change->site.derived)
		fprintf(l->to, ", which holds %s", change->site.derived);
	fputc('\n', l->to);
	free(before);
	free(after);
}

void output_change_lines(FILE *to, const struct bpfstamp_template *t, const struct bpfstamp_stamp *s)
{
	struct listing l = { .t = t, .s = s, .to = to };
	struct bpfstamp_doubt doubt;

	bpfstamp_changes(s, print_change, &l);
	for (uint32_t i = 0; i < bpfstamp_doubt_count(t); i++) {
		bpfstamp_doubt_at(t, i, &doubt);
		fprintf(to, "  left as it is: ");
		if (doubt.site.program)
			output_place(to, &doubt.site);
		else
			output_format(to, "section %s at byte 0x%x", doubt.section, doubt.offset);
		fprintf(to, ", %s\n", doubt.what);
	}
}

json_t *output_inlined(const struct bpfstamp_template *t)
{
	json_t *array = json_array();
	struct bpfstamp_injectable inj;

	for (uint32_t i = 0; i < bpfstamp_injectable_count(t); i++) {
		bpfstamp_injectable_at(t, i, &inj);
		if (!inj.inlined_count && !inj.kept)
			continue;
		json_array_append_new(array, json_pack("{s:o, s:I, s:s?, s:o, s:I, s:o, s:I}", "name",
						       output_text(inj.name), "inlined",
						       (json_int_t)inj.inlined_count,
						       "kept", inj.kept, "program", output_text(inj.kept_at.program),
						       "insn", (json_int_t)inj.kept_at.insn, "file",
						       output_text(inj.kept_at.file), "line",
						       (json_int_t)inj.kept_at.line));
	}
	return array;
}

void output_inlined_lines(FILE *to, const struct bpfstamp_template *t)
{
	struct bpfstamp_injectable inj;

	for (uint32_t i = 0; i < bpfstamp_injectable_count(t); i++) {
		bpfstamp_injectable_at(t, i, &inj);
		if (inj.inlined_count)
			output_format(to, "  %s: inlined at %u site%s\n", inj.name, inj.inlined_count,
				      inj.inlined_count == 1 ? "" : "s");
		if (!inj.kept)
			continue;
		output_format(to, "  %s: kept: %s, at ", inj.name, inj.kept);
		output_place(to, &inj.kept_at);
		fputc('\n', to);
	}
}

void output_tag(char out[17], const uint8_t tag[8])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 8; i++) {
		out[2 * i] = digits[tag[i] >> 4];
		out[2 * i + 1] = digits[tag[i] & 0xf];
	}
	out[16] = '\0';
}
