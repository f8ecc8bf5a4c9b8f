// SPDX-License-Identifier: BSD-2-Clause
/*
 * pods OBJECT COUNT DEVICES [inline]: what a CNI plugin or an agent does, from
 * the opening of the object to the last of COUNT pods: stamp, load, attach to egress
 * of d0, d1, … in turn.  Prints the nanoseconds of all, those of a pod in the first
 * and in the last tenth, and the most memory that the process had, in KiB.
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

struct agent {
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
}

static void close_agent(struct agent *a)
{
	bpfstamp_net_close(a->net);
	bpfstamp_stamp_free(a->s);
	bpfstamp_close(a->t);
}

static void add_pod(struct agent *a, uint32_t pod, uint32_t devices)
{
	char device[16];
	const struct bpfstamp_hook hook = {
		.type = BPFSTAMP_CLSACT, .dev = device, .direction = BPFSTAMP_EGRESS, .prio = 1, .handle = 1,
	};
	int fd;

	snprintf(device, sizeof(device), "d%u", pod % devices);
	bpfstamp_reset(a->s);
	MUST(bpfstamp_put(a->s, &a->vni, 1 + pod, &err));
	MUST(bpfstamp_put(a->s, &a->vlan, 1 + pod % 4094, &err));
	MUST(bpfstamp_put(a->s, &a->addr, 0x0a000000 + pod, &err));
	MUST(bpfstamp_load(a->s, &a->load, &fd, &err));
	MUST(bpfstamp_attach(a->net, &hook, fd, "pod", NULL, &err));
	close(fd);
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 3 ? (uint32_t)atoi(argv[2]) : 0, devices = argc > 3 ? (uint32_t)atoi(argv[3]) : 0;
	uint32_t tenth = count < 10 ? 1 : count / 10;
	double start, first = 0, last, end;
	struct agent a = { 0 };
	struct rusage usage;

	if (!count || !devices)
		return 2;
	start = now();
	open_agent(&a, argv[1], argc > 4);
	last = now();
	for (uint32_t i = 0; i < count; i++) {
		if (i == tenth)
			first = now() - last;
		if (i == count - tenth)
			last = now();
		add_pod(&a, i, devices);
	}
	end = now();
	close_agent(&a);
	getrusage(RUSAGE_SELF, &usage);
	printf("%.0f %.0f %.0f %ld\n", end - start, first / tenth, (end - last) / tenth, usage.ru_maxrss);
	return 0;
}
