// SPDX-License-Identifier: BSD-2-Clause
/*
 * cilium/ebpf, in a process of its own (bench/cilium), which times itself: what
 * passes between it and here does not count.  It tells the id of the program that
 * it made and keeps until it is asked again.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <unistd.h>

#include "bench/bench.h"

static FILE *to, *from;

static void start_peer(void)
{
	int in[2], out[2];

	if (pipe(in) || pipe(out))
		bench_die("pipe: %m");
	if (!fork()) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		execl(bench_files.cilium, bench_files.cilium, bench_files.pod, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	to = fdopen(in[1], "w");
	from = fdopen(out[0], "r");
}

static int ask(const char *what, const struct pod_values *values, double *ns)
{
	uint32_t id;
	int fd;

	if (!to)
		start_peer();
	fprintf(to, "%s %u %u %u\n", what, values->vni, values->vlan, values->addr);
	fflush(to);
	if (fscanf(from, "%lf %u", ns, &id) != 2)
		bench_die("cilium/ebpf: no answer");
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		bench_die("cilium/ebpf: cannot open program %u: %m", id);
	return fd;
}

static int copy(const struct pod_values *values, double *ns)
{
	return ask("copy", values, ns);
}

static int parse(const struct pod_values *values, double *ns)
{
	return ask("parse", values, ns);
}

void peer_contenders(void)
{
	bench_add("load", "cilium/ebpf, Copy", copy);
	bench_add("load", "cilium/ebpf, parse", parse);
}
