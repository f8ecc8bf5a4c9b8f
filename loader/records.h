/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records that STAMP() leaves in an object; include/bpfstamp.bpf.h has
 * their format.
 */
#ifndef LOADER_RECORDS_H
#define LOADER_RECORDS_H

#include "loader/template.h"

#define RECORDS_SECTION ".bpfstamp"

struct record {
	const char *name;
	uint64_t value;		/* that the instruction has now */
	uint32_t code, insn;
	uint8_t size, bits;
	bool is_signed;
};

struct records {
	struct record *record;	/* ascending by name, code, insn */
	uint32_t count;
};

/*
 * Read and check them all: each names an lddw, those of one name agree in type,
 * bits and value.  An object without the section has none.
 */
int records_read(struct records *out, const struct bpfstamp_template *t, struct bpfstamp_err *err);
void records_free(struct records *records);

#endif
