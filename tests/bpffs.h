/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of maps need of a running kernel: an empty bpffs of their own
 * on /sys/fs/bpf, in a mount namespace that ends with the process, and the
 * kernel's answers.  What cannot be done fails the test.
 */
#ifndef TESTS_BPFFS_H
#define TESTS_BPFFS_H

#include <check.h>
#include <linux/bpf.h>

#include "tests/bpfobj.h"

#define BPFFS "/sys/fs/bpf"

/* A program that does nothing, for sources that include "features.h". */
#define BPFFS_PROGRAM "SEC(\"tc\") int p(void) { return 0; }\nLICENSE;\n"

/* Of a test, set by bpffs_setup. */
struct bpffs {
	struct bpfstamp_err err;
	struct bpfstamp_load load;	/* of all programs, with the default folder for pins */
};

extern struct bpffs bpffs;

/* Whether the tests can run; says what they skip, and why, where not. */
bool bpffs_usable(const char *suite);

/* Fixture. */
void bpffs_setup(void);

/* Where it may be: kernels before 5.11 charge programs and maps to RLIMIT_MEMLOCK, also a while after their end. */
void bpffs_raise_memlock(void);

/* Compile and open for this machine; false where there is no compiler. */
bool bpffs_compile(struct bpfobj *o, const char *defines, const char *source);

/* A map by name. */
uint32_t bpffs_find(const struct bpfobj *o, const char *name);

/* Make a map and return its fd; or, where fault is not NULL, fail with that text and leave no fd. */
int bpffs_make(struct bpfstamp_stamp *s, uint32_t map, const char *fault);

struct bpfstamp_loaded *bpffs_load(struct bpfstamp_stamp *s);

/* A program of that section and name that only comes to that verdict, loaded with a record (Linux 5.10). */
int bpffs_recorded(const char *section, const char *name, int32_t verdict);

/* Whether the kernel is that version, as 502 for 5.2, or a later one. */
bool bpffs_kernel(uint32_t version);

int bpffs_call(int command, union bpf_attr *attr);
int bpffs_lookup(int fd, uint32_t key, void *value);
struct bpf_map_info bpffs_info(int fd);

/* What a program for packets returns for one with that mark. */
uint32_t bpffs_run(int fd, uint32_t mark);

/* How many fds this process has open; whether a file is there. */
int bpffs_open_fds(void);
bool bpffs_has(const char *path);

#endif
