/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that other processes have loaded (loader/reuse.c has how; bpfstamp.h
 * what for).
 */
#ifndef LOADER_REUSE_H
#define LOADER_REUSE_H

#include "loader/link.h"
#include "loader/stamp.h"

enum { REUSE_DIGEST = 16 };

/* Between reuse_begin and reuse_end. */
struct reuse {
	bool wanted;		/* what is loaded now is for others, too: s->key is its key */
	uint8_t digest[REUSE_DIGEST];
};

/*
 * An fd of an equal program that is there; or -1: load one, and then reuse_end.  Maps that
 * want to be pinned by name and are there have been opened then, in s->map_fds.
 */
int reuse_begin(struct reuse *r, struct bpfstamp_stamp *s, const struct bpfstamp_load *load);

/* fd: what was loaded, for others to find; -1: nothing was. */
void reuse_end(const struct reuse *r, struct bpfstamp_stamp *s, const struct bpfstamp_load *load, int fd);

/* ---------------------------------------------------------- parts of it */

/* Write the key of a program into s->key; false where it can have none (loader/reuse_key.c). */
bool reuse_key(struct bpfstamp_stamp *s, const struct link *link, const struct bpfstamp_load *load);
void reuse_digest(uint8_t digest[REUSE_DIGEST], const uint8_t *key, uint32_t size);

/* What load->prog_type comes to, and the attach type that is told to the kernel with it. */
uint32_t reuse_prog_type(const struct bpfstamp_template *t, const struct bpfstamp_load *load);

/* The index, a pinned map (loader/reuse_index.c). */
struct reuse_entry {
	uint64_t load_time;	/* nanoseconds since the machine started */
	uint32_t id;
	uint32_t zero;
};

enum { REUSE_NOT_YET = -1, REUSE_REFUSED = -2 };

/*
 * Open it in s->index_fd, where it stays open for the next load; or REUSE_NOT_YET: it
 * could be made.  False where it cannot be used, which load->note is told once: it is not
 * tried again.
 */
bool reuse_index_open(struct bpfstamp_stamp *s, const struct bpfstamp_load *load);

/* Make it where it is not there, or open the one that another process has made meanwhile. */
bool reuse_index_make(struct bpfstamp_stamp *s, const struct bpfstamp_load *load);

/* It is of no use to this process. */
void reuse_index_refuse(struct bpfstamp_stamp *s);
void reuse_index_close(struct bpfstamp_stamp *s);

#endif
