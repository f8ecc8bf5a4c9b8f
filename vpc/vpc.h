/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the functions of include/bpfstamp_vpc.h share.
 */
#ifndef VPC_VPC_H
#define VPC_VPC_H

#include "bpf/vpc.h"
#include "include/bpfstamp_vpc.h"

struct vpc_map {
	const char *name;
	uint32_t type, key_size, value_size;
	int fd;
	uint32_t id;
	uint32_t room;		/* entries that it takes */
};

struct bpfstamp_vpc {
	struct vpc_map pods, stats;
	uint32_t cpus;		/* values that vpc_stats has for each key */
};

enum { VPC_KEY_MAX = 32 };

typedef int vpc_compare(const void *a, const void *b);

/* All keys of a hash, ordered by compare and each but once; *keys is malloc'd.  One may be gone by now. */
int vpc_keys(const struct vpc_map *map, vpc_compare *compare, void **keys, size_t *count, struct bpfstamp_err *err);

/* "cannot DOING" by errno. */
int vpc_failed(const char *doing, struct bpfstamp_err *err);

#endif
