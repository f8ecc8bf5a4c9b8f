/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record that a load leaves with a program: which values were stamped, and
 * those that stand in instructions, where nobody could read them back.
 */
#ifndef LOADER_RECORD_H
#define LOADER_RECORD_H

#include "loader/link.h"
#include "loader/stamp.h"

enum {
	RECORD_LEAST = 24, RECORD_MOST = 1 << 16,	/* bytes of a record */
	RECORD_KEY_MOST = 1 << 20,	/* bytes of a record with the key behind it */
	RECORD_VALUE_MOST = 4096,	/* bytes of a value in it; of a longer one it is only told that it was set */
};

/*
 * Make the record of what was stamped into s, or take s->key, which begins with
 * one, and bind it to each of the programs that s->prog_fds has.  A kernel before 5.10 cannot do that: then
 * there is none, and load->note is told.
 */
int record_bind(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, struct bpfstamp_err *err);

struct record_value {
	const char *name;	/* of the injectable; of a placeholder, its old text */
	const char *type;	/* as in C */
	const char *section;	/* as of struct bpfstamp_injectable */
	enum bpfstamp_kind kind;
	bool stamped;		/* it was set; else instructions hold it as the object has it */
	bool in_map;		/* a global: in a data map; where there are bytes, in instructions, too */
	bool allow_derived;	/* of a placeholder: bpfstamp_declare left what it doubted */
	bool is_signed;
	uint8_t bits;		/* 0 where it is no integer */
	uint32_t size;
	uint32_t offset;	/* of a global: in its section */
	uint32_t btf;		/* type id in the program's BTF, or 0; any number */
	const uint8_t *bytes;	/* size bytes as in memory, or NULL where only a map has them, or they are too many */
};

struct record {
	const char *program;	/* whole name, or NULL where the names of several begin like the kernel's */
	const char *object;
	bool inlined;
	uint32_t map_id;
	uint32_t count;
	struct record_value *values;
	uint8_t *raw;		/* private: what all strings and bytes are in */
};

/*
 * The record of a program, checked whole: 0 with *out, NULL where it has none,
 * or one that bpfstamp did not make.  Needs CAP_SYS_ADMIN.  Freed by record_free.
 */
int record_read(int prog_fd, struct record **out, struct bpfstamp_err *err);
void record_free(struct record *r);

/* Whether a program has a record, which makes it bpfstamp's. */
bool record_is_there(int prog_fd);

/*
 * Whether a map is that of a record that cannot change, and holds just these size
 * bytes (the whole value, with a key).  buf is as large, for what it holds.
 */
bool record_equals(int map_fd, const uint8_t *raw, uint32_t size, uint8_t *buf);

/*
 * Make the size bytes of a record in *buf, which has *room and gets more where that
 * is too little; NULL and 0 to begin with, and to be freed in any case.  It is of all
 * programs that are loaded, or, where link is not NULL, of its program only, loaded
 * or not; then it says that a key follows.
 */
int record_make(const struct bpfstamp_stamp *s, const struct link *link, uint8_t **buf, uint32_t *room,
		uint32_t *size, struct bpfstamp_err *err);

/*
 * What size bytes, malloc'd, tell of a program that the kernel has under that
 * name: the record, which then owns them; or NULL with errno, EBADMSG where
 * they are malformed.
 */
struct record *record_parse(uint8_t *raw, uint32_t size, const char *kernel_name);

#endif
