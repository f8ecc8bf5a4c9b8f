/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that several stamps share (loader/share.c has how; bpfstamp.h what for).
 */
#ifndef LOADER_SHARE_H
#define LOADER_SHARE_H

#include <pthread.h>

#include "loader/stamp.h"

struct share_entry {
	struct share_entry *next;	/* of the same bucket */
	uint64_t hash;
	int fd;				/* -1: somebody is loading it */
	uint32_t size;
	uint8_t key[];
};

typedef uint64_t share_hash_fn(const uint8_t *key, uint32_t size);

struct bpfstamp_share {
	const struct bpfstamp_template *t;
	pthread_mutex_t lock;		/* of all below */
	pthread_cond_t settled;		/* an entry got its fd, or is gone */
	share_hash_fn *hash;		/* only where to look first; two keys may have the same */
	uint32_t count, most;
	uint32_t bucket_mask;
	struct share_entry **buckets;
};

/* Whether what would be loaded can be one program for several, and nothing else is asked for. */
bool share_possible(const struct bpfstamp_template *t, const struct bpfstamp_load *load);

#endif
