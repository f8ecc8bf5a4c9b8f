/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of programs of other processes need beside a bpffs
 * (tests/bpffs.h): a program with one value, loaded here and elsewhere, and what
 * the index says of it.  What cannot be done fails the test.
 */
#ifndef TESTS_REUSEBED_H
#define TESTS_REUSEBED_H

#include "loader/reuse.h"
#include "tests/bpffs.h"

#define REUSEBED_FOLDER BPFFS "/bpfstamp"
#define REUSEBED_INDEX REUSEBED_FOLDER "/programs"

/* Whether the tests can run; says what they skip, and why, where not. */
bool reusebed_usable(const char *suite);

/* A program that returns the symbol "a"; or whatever was compiled. */
struct one {
	struct bpfobj o;
	struct bpfstamp_stamp *s;
	struct bpfstamp_load load;
	bool reused;
};

extern char reusebed_note[256];		/* of the last load, or "" */

void reusebed_make(struct one *one, const char *section);
bool reusebed_compile(struct one *one, const char *source);	/* false where there is no compiler */
void reusebed_discard(struct one *one);

/* Load, with that value where it is not NULL, and see whether a program that is there was taken. */
int reusebed_load(struct one *one, const char *a, bool reused);
uint32_t reusebed_id(int fd);

/*
 * The same in another process, with an object of its own: 0 where it gets the
 * program of fd, or, where reused is false, another.
 */
int reusebed_elsewhere(const char *section, const char *a, int fd, bool reused);

/*
 * What the index should have of a program; and to put an entry there under the
 * digest of *one, whose key is in one->s->key then.
 */
struct reuse_entry reusebed_entry(int fd);
void reusebed_enter(struct one *one, const struct reuse_entry *e);

int reusebed_map(const char *name, uint32_t type, uint32_t flags, uint32_t key, uint32_t value, uint32_t entries);

#endif
