/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the benchmark have in common.
 *
 * A contender brings one pod's values to where its group says, and tells how
 * long that took.  What it hands back shows that it did.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/objects/pod.h"

enum { BENCH_NOTHING = -2 };	/* no fd, because no program is made */

/* The files of the benchmark: those that all loaders get, and that some need. */
struct bench_files {
	const char *pod, *large, *branches, *mib;
	const char *pod_shared, *large_shared, *branches_shared, *jump;
	const char *pod_source;
	const char *bpfstamp;		/* static */
	const char *cilium;		/* the Go peer, or NULL */
	const char *tools;		/* folder of empty, bare and launch */
	const char *tmp;		/* folder for what is made on the way */
};

extern struct bench_files bench_files;

/* A program for these values: its fd, which the caller closes, or BENCH_NOTHING; *ns: what that took. */
typedef int bench_fn(const struct pod_values *values, double *ns);

/* Each part adds its contenders; large: it makes large.bpf.c; same: all its pods have the same values. */
void bench_add(const char *group, const char *name, bench_fn *fn);
void bench_add_large(const char *group, const char *name, bench_fn *fn);
void bench_add_same(const char *group, const char *name, bench_fn *fn, bool large);
void bare_contenders(void);
void stamped_contenders(void);
void libbpf_contenders(void);
void peer_contenders(void);
void process_contenders(void);
void preamble_contenders(void);

/* Write the instructions for bench/bare_process.c. */
void bare_write_program(const char *path);

/* Print to stderr and exit. */
_Noreturn void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

double bench_now(void);			/* nanoseconds */
void *bench_read_file(const char *path, size_t *size);
int bench_ifindex(const char *device);

/* Whether the program does to packets what the values say (bench/check.c); exits where not. */
void check_pod(int fd, const struct pod_values *values, const char *who);
void check_large(int fd, uint32_t first, const char *who);

/* Nanoseconds that the program takes for a packet from that address, which is given to it so many times. */
double check_time(int fd, uint32_t saddr, uint32_t times);

enum { CHECK_MAPS = 16 };

/* What the kernel keeps for a program and its maps. */
struct check_memory {
	uint32_t prog_id, map_ids[CHECK_MAPS], map_count;
	uint32_t maps;
	uint64_t map_bytes, prog_bytes, jited_bytes;
};

/* without: what another pod has, which is not counted again; or NULL. */
void check_memory(int fd, const struct check_memory *without, struct check_memory *out);

/* The fd of the only program at egress of a device. */
int check_attached(const char *device);

/* The same of the filter of a prio; 0: of any. */
int check_attached_at(const char *device, uint32_t prio);

#endif
