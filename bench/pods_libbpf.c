// SPDX-License-Identifier: BSD-2-Clause
/*
 * pods_libbpf OBJECT COUNT DEVICES: the same as bench/pods.c, with libbpf: for
 * each pod, open, set, load, attach, close.  Prints the nanoseconds and the memory.
 */
#include <bpf/libbpf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "bench/objects/pod.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static int add_pod(const char *path, unsigned int pod, unsigned int devices)
{
	const struct pod_values values = { .vni = 1 + pod, .vlan = 1 + pod % 4094, .addr = 0x0a000000 + pod };
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1, .flags = BPF_TC_F_REPLACE);
	char device[16];
	int ret;

	snprintf(device, sizeof(device), "d%u", pod % devices);
	hook.ifindex = (int)if_nametoindex(device);
	if (!object ||
	    bpf_map__set_initial_value(bpf_object__find_map_by_name(object, ".rodata"), &values, sizeof(values)) ||
	    bpf_object__load(object))
		return -1;
	opts.prog_fd = bpf_program__fd(bpf_object__next_program(object, NULL));
	ret = bpf_tc_attach(&hook, &opts);
	bpf_object__close(object);
	return ret;
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 3 ? (unsigned int)atoi(argv[2]) : 0;
	unsigned int devices = argc > 3 ? (unsigned int)atoi(argv[3]) : 0;
	struct rusage usage;
	double start;

	if (!count || !devices)
		return 2;
	start = now();
	for (unsigned int i = 0; i < count; i++)
		if (add_pod(argv[1], i, devices))
			return 1;
	start = now() - start;
	getrusage(RUSAGE_SELF, &usage);
	printf("%.0f %ld\n", start, usage.ru_maxrss);
	return 0;
}
