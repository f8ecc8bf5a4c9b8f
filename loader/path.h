/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths into aggregates, by BTF: `.member` and `[index]` behind the name of a
 * variable.
 */
#ifndef LOADER_PATH_H
#define LOADER_PATH_H

#include "loader/template.h"

/* A part of a variable. */
struct part {
	uint32_t offset;		/* bytes from the start of the variable */
	uint32_t bit_offset;		/* of a bitfield, bits from there as BTF counts them */
	uint32_t btf;			/* type id */
	struct value_type type;		/* bits: of the bitfield, where it is one */
	bool bitfield;
};

/*
 * How much of name means that variable, as "variable" or "section:variable":
 * all of it, or as much as stands in front of a path.  0 where it means another.
 */
size_t path_name(const char *name, const char *section, const char *variable);

/* The whole of an injectable as a part. */
struct part part_whole(const struct injectable *inj);

/*
 * Follow path ("" or what begins with '.' or '[') from *part, a part of inj.
 * On failure *part is unspecified.
 */
int part_follow(struct part *part, const struct btf *btf, const char *path, struct bpfstamp_err *err);

/* The member m of the aggregate outer; false where it has no size, or is a bitfield of no integer. */
bool part_member(struct part *part, const struct part *outer, const struct btf *btf,
		 const struct btf_member *m);

/* A part of an injectable as bpfstamp.h passes it around, and back. */
struct bpfstamp_ref part_ref(const struct part *part, uint32_t injectable);
struct part part_from_ref(const struct bpfstamp_ref *ref);

enum { PART_LEAVES_MOST = 1 << 20 };	/* a limit that no sensible object comes to */

/*
 * Call fn with each scalar of a whole variable, or what cannot be taken apart;
 * its path begins with name.  False where the walk ended at limit parts, of
 * which some may have been told.
 */
typedef void part_leaf_fn(const char *path, const struct part *part, void *arg);
bool part_leaves(const struct part *whole, const struct btf *btf, const char *name, uint32_t limit, part_leaf_fn *fn,
		 void *arg);

/*
 * The value of a part in the bytes of its variable, as text that bpfstamp_set
 * reads back.  Always ended by NUL where size is not 0; returns the length of
 * the whole text.
 */
size_t part_text(const struct part *part, bool big, const uint8_t *bytes, char *buf, size_t size);

/* Put value, which fits, into the bits of a bitfield in the bytes of its variable; and get it. */
void part_put_bits(const struct part *part, bool big, uint8_t *bytes, uint64_t value);
uint64_t part_get_bits(const struct part *part, bool big, const uint8_t *bytes);

#endif
