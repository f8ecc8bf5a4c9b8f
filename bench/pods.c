// SPDX-License-Identifier: BSD-2-Clause
/*
 * pods OBJECT COUNT DEVICES [inline] [DISTINCT]: what a CNI plugin or an agent does, from
 * the opening of the object to the last of COUNT pods: stamp, load, attach to egress
 * of d0, d1, … in turn.  Prints the nanoseconds of all, those of a pod in each
 * tenth of them, the most memory that the process had, in KiB, and how many
 * programs were loaded.
 *
 * No two pods have equal values, and each gets a program of its own; or there are as
 * many different values as DISTINCT says, and pods with the same share a program.
 *
 * Nothing else is in this process, so that its memory is that of the library.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "include/bpfstamp.h"

static struct bpfstamp_err err;

#define MUST(call) do { if (call) { fprintf(stderr, "pods: %s\n", err.text); exit(1); } } while (0)

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

enum { TENTHS = 10 };

struct agent {
	uint32_t devices;
	uint32_t distinct;		/* sets of values, 0: as many as pods */
	uint32_t loaded;
	struct bpfstamp_share *share;
	struct bpfstamp_template *t;
	struct bpfstamp_stamp *s;
	struct bpfstamp_ref vni, vlan, addr;
	struct bpfstamp_load load;
	struct bpfstamp_net *net;
};

static void open_agent(struct agent *a, const char *object, int to_inline)
{
	MUST(bpfstamp_open_file(&a->t, object, &err));
	if (to_inline)
		MUST(bpfstamp_inline(a->t, &err));
	MUST(bpfstamp_find(a->t, "vni", &a->vni, &err));
	MUST(bpfstamp_find(a->t, "vlan", &a->vlan, &err));
	MUST(bpfstamp_find(a->t, "addr", &a->addr, &err));
	MUST(bpfstamp_stamp_new(&a->s, a->t, &err));
	MUST(bpfstamp_find_program(a->t, NULL, 0, &a->load.program, &err));
	MUST(bpfstamp_net_open(&a->net, NULL, &err));
	if (a->distinct)
		MUST(bpfstamp_share_new(&a->share, a->t, a->distinct, &err));
}

static void close_agent(struct agent *a)
{
	bpfstamp_net_close(a->net);
	bpfstamp_share_free(a->share);
	bpfstamp_stamp_free(a->s);
	bpfstamp_close(a->t);
}

static int load(struct agent *a)
{
	bool reused = false;
	int fd;

	if (a->share)
		MUST(bpfstamp_share_load(a->share, a->s, &a->load, &fd, &reused, &err));
	else
		MUST(bpfstamp_load(a->s, &a->load, &fd, &err));
	a->loaded += !reused;
	return fd;
}

static void add_pod(struct agent *a, uint32_t pod)
{
	char device[16];
	const struct bpfstamp_hook hook = {
		.type = BPFSTAMP_CLSACT, .dev = device, .direction = BPFSTAMP_EGRESS, .prio = 1, .handle = 1,
	};
	uint32_t values = a->distinct ? pod % a->distinct : pod;
	int fd;

	snprintf(device, sizeof(device), "d%u", pod % a->devices);
	bpfstamp_reset(a->s);
	MUST(bpfstamp_put(a->s, &a->vni, 1 + values, &err));
	MUST(bpfstamp_put(a->s, &a->vlan, 1 + values % 4094, &err));
	MUST(bpfstamp_put(a->s, &a->addr, 0x0a000000 + values, &err));
	fd = load(a);
	MUST(bpfstamp_attach(a->net, &hook, fd, "pod", NULL, &err));
	close(fd);
}

/* Nanoseconds since start, a tenth at a time: ends[i] is when tenth i was done. */
static void add_pods(struct agent *a, uint32_t count, double start, double ends[TENTHS])
{
	uint32_t pod = 0;

	for (uint32_t i = 0; i < TENTHS; i++) {
		for (; pod < (uint64_t)count * (i + 1) / TENTHS; pod++)
			add_pod(a, pod);
		ends[i] = now() - start;
	}
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 3 ? (uint32_t)atoi(argv[2]) : 0;
	struct agent a = { .devices = argc > 3 ? (uint32_t)atoi(argv[3]) : 0 };
	bool to_inline = argc > 4 && !strcmp(argv[4], "inline");
	double start, opened, ends[TENTHS];
	struct rusage usage;

	if (!count || !a.devices)
		return 2;
	if (argc > 4 + to_inline)
		a.distinct = (uint32_t)atoi(argv[4 + to_inline]);
	start = now();
	open_agent(&a, argv[1], to_inline);
	opened = now() - start;
	add_pods(&a, count, start, ends);
	close_agent(&a);
	getrusage(RUSAGE_SELF, &usage);
	printf("%.0f", ends[TENTHS - 1]);
	for (int i = 0; i < TENTHS; i++)
		printf(" %.0f", (ends[i] - (i ? ends[i - 1] : opened)) / (count / (double)TENTHS));
	printf(" %ld %u\n", usage.ru_maxrss, a.loaded);
	return 0;
}
