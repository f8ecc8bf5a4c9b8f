/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A running program as bpfstamp_running_open read it, for those who change it
 * or compare with it (loader/poke.c, loader/verify.c).
 *
 *	maps		of the program, in the order of the kernel's ids
 *	variables	globals in data maps, then what only a record tells of
 *	values		their scalars, in the order of the variables
 *
 * No fd of the program is kept: it may go away meanwhile, as its id then tells.
 * The fds of data maps are kept.
 */
#ifndef LOADER_RUNNING_H
#define LOADER_RUNNING_H

#include "loader/path.h"
#include "loader/record.h"

struct running_map {
	uint32_t id, type, flags, value_size;
	char name[16];
	bool frozen;
	/* of a data map, an array of one value whose type is a DATASEC; else fd is -1 and the rest is 0 */
	int fd;
	uint32_t datasec;	/* type id */
	const struct btf *btf;
	const char *section;	/* the DATASEC's name */
	bool writable;		/* neither frozen nor read-only for programs */
	uint8_t *content;	/* value_size bytes, as last read */
};

struct running_variable {
	const char *name;
	const char *section;	/* of a global, else NULL: only the record tells of it */
	enum bpfstamp_kind kind;
	struct value_type type;
	const struct btf *btf;	/* that type.btf is an id of; of no types where there is none (never NULL) */
	uint32_t map;		/* index of maps; NO_INDEX: the record has the bytes */
	uint32_t offset;	/* in the map's value */
	const uint8_t *bytes;	/* type.size, as the program sees them: in the map as last read, or in instructions */
	bool stamped;		/* the record says so */
	bool in_insns;		/* instructions hold it, or parts of it, and do not see what a map holds */
	const struct record_value *record;	/* what the record has of it, or NULL */
};

struct running_value {
	struct bpfstamp_running_value public;
	uint32_t variable;
	struct part part;	/* of the variable */
	size_t path_at, text_at;	/* private: in text */
};

struct running_btf;

struct bpfstamp_running {
	struct bpfstamp_running_info info;
	struct record *record;	/* or NULL */
	struct running_map *maps;
	struct running_variable *variables;
	struct running_value *values;
	uint32_t map_count, variable_count, value_count;
	/* private to running.c */
	struct running_btf *btfs;	/* list of those that maps and variables refer to */
	const struct btf *prog_btf;
	uint32_t *map_ids;
	char *text;		/* of all paths and values */
};

#endif
