/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What several commands print: values, sites and changes, as text for people and
 * as JSON.
 */
#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

#include <stdio.h>

#include "cmd/cmd.h"

/*
 * A JSON string, or null for NULL.  Names in objects, files and filters need not
 * be UTF-8, but JSON is: there, every byte that is not ASCII becomes a '?'.
 */
json_t *output_text(const char *text);

/*
 * Print a name as text: whoever attaches a program or names an interface chooses
 * it, and must not command the terminal of whoever looks.  Every control
 * character becomes a '?'.
 */
void output_plain(FILE *to, const char *text);

/* The same for what a format makes, of names in objects above all; a newline at its end is one. */
void output_format(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for lines of the verifier's log, which has source lines of the object: newlines and tabs stay. */
void output_log(FILE *to, const char *log);

/* Print an object on stdout and free it; -1 with *err where it could not be made. */
int output_json(json_t *object, struct bpfstamp_err *err);

/* "global", "stamp", … */
const char *output_kind(enum bpfstamp_kind kind);

/* A value of a stamp, or of the template for NULL, as text; to be freed. NULL without memory or value. */
char *output_value(const struct bpfstamp_template *t, const struct bpfstamp_stamp *s, const struct bpfstamp_ref *ref);

/* {"name","program","insn","file","line","old","new"} for each site that was stamped. */
json_t *output_changes(const struct bpfstamp_template *t, const struct bpfstamp_stamp *s);

/* The same as lines of text. */
void output_change_lines(FILE *to, const struct bpfstamp_template *t, const struct bpfstamp_stamp *s);

/* What --inline did: {"name","inlined","kept","program","insn","file","line"} for each variable; and as lines. */
json_t *output_inlined(const struct bpfstamp_template *t);
void output_inlined_lines(FILE *to, const struct bpfstamp_template *t);

/* "instruction N of PROGRAM (FILE:LINE)". */
void output_place(FILE *to, const struct bpfstamp_site *site);

/* 16 hexadecimal digits of a program's tag. */
void output_tag(char out[17], const uint8_t tag[8]);

#endif
