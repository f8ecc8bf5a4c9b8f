/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How what is attached is printed: in words and as JSON, by every command in
 * the same way.
 */
#ifndef CMD_ATTACHMENT_H
#define CMD_ATTACHMENT_H

#include <stdio.h>

#include "cmd/output.h"

/* " prio 1 handle 0x1 id 7 tag …", " link 3 id 7 tag … pin …": where in the place, and what. */
void attachment_position(FILE *to, const struct bpfstamp_attachment *a);
void attachment_program(FILE *to, const struct bpfstamp_attachment *a);

/* "detached filter_out from tcx egress of eth0: link 3 id 7 …", a whole line. */
void attachment_line(FILE *to, const char *verb, const char *preposition, const struct bpfstamp_attachment *a);

/* Its fields, set in object; -1 where they cannot be made. */
int attachment_fields(json_t *object, const struct bpfstamp_attachment *a);

/* An object of its own. */
json_t *attachment_json(const struct bpfstamp_attachment *a);

/* The id and tag of program fd, where the kernel's answer did not tell them. */
int attachment_complete(struct bpfstamp_attachment *a, int fd, struct bpfstamp_err *err);

#endif
