/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record that a load leaves with a program: which values were stamped, and
 * those of them that stand in instructions, where nobody could read them back.
 */
#ifndef LOADER_RECORD_H
#define LOADER_RECORD_H

#include "loader/stamp.h"

/* Make the record of what was stamped into s and bind it to the program of function func (BPF_PROG_BIND_MAP). */
int record_bind(const struct bpfstamp_stamp *s, uint32_t func, int prog_fd, const struct bpfstamp_load *load,
		struct bpfstamp_err *err);

struct record_value {
	const char *name;	/* of the injectable */
	const char *type;
	enum bpfstamp_kind kind;
	bool in_map;		/* its bytes are in a data map, else here */
	bool is_signed;
	uint32_t size;
	const uint8_t *bytes;	/* size bytes, or NULL */
};

struct record {
	const char *program, *object;
	bool inlined;
	uint32_t map_id;
	uint32_t count;
	struct record_value *values;
};

/* The record of a program, checked whole: 0 with *out, NULL where it has none.  Freed by record_free. */
int record_read(int prog_fd, struct record **out, struct bpfstamp_err *err);
void record_free(struct record *r);

/* Whether a program has a record, which makes it bpfstamp's. */
bool record_is_there(int prog_fd);

#endif
