// SPDX-License-Identifier: BSD-2-Clause
/*
 * Less for the verifier: a program that all pods share, and a preamble for each of
 * them, which leaves the pod's values where that program reads them and jumps to
 * it by a tail call.  Beside it, the whole program stamped for each pod.
 *
 * Group "preamble" is what loading costs: of the whole program, or of the preamble,
 * where the shared program and the map that leads to it are there already.  Group
 * "packet" is what a packet costs then: one program is run on it again and again by
 * BPF_PROG_TEST_RUN.  That of pod.bpf.c drops that packet, because it would push one
 * tag after the other onto what it lets pass.
 *
 * The shared programs are compiled from the same source with -DSHARED, because they
 * have to read their values from elsewhere: an object as it is cannot be shared so.
 */
#include <bpf/bpf.h>
#include <unistd.h>

#include "bench/stamped.h"
#include "bench/subject.h"

static struct subject branches = { .path = &bench_files.branches };
static struct subject branches_inline = { .path = &bench_files.branches, .to_inline = true };

static int load_branches(const struct pod_values *values, double *ns)
{
	return subject_load(&branches, values, ns);
}

static int load_branches_inline(const struct pod_values *values, double *ns)
{
	return subject_load(&branches_inline, values, ns);
}

/* ------------------------------------------------------------- preambles */

struct preamble {
	struct subject shared, own;
	bool ready;
};

static struct preamble pod = {
	.shared = { .path = &bench_files.pod_shared, .plain = true },
	.own = { .path = &bench_files.jump, .program = "cb" },
};
static struct preamble patched = {
	.shared = { .path = &bench_files.pod_shared, .plain = true },
	.own = { .path = &bench_files.jump, .program = "patched" },
};
static struct preamble large = {
	.shared = { .path = &bench_files.large_shared, .plain = true },
	.own = { .path = &bench_files.jump, .program = "percpu", .large = true },
};
static struct preamble branching = {
	.shared = { .path = &bench_files.branches_shared, .plain = true },
	.own = { .path = &bench_files.jump, .program = "cb" },
};

static int make_map(enum bpf_map_type type, uint32_t value_size)
{
	int fd = bpf_map_create(type, NULL, sizeof(uint32_t), value_size, 1, NULL);

	if (fd < 0)
		bench_die("preamble: cannot create a map: %m");
	return fd;
}

/* The shared program, and the map that leads to it, which stays open: else the kernel would empty it. */
static void make_shared(struct preamble *p)
{
	const uint32_t key = 0;
	int jumps = make_map(BPF_MAP_TYPE_PROG_ARRAY, sizeof(uint32_t)), fd;
	double ns;

	subject_open(&p->shared);
	subject_open(&p->own);
	if (p->own.large) {
		int values = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(struct large_values));

		subject_use(&p->shared, "values", values);
		subject_use(&p->own, "values", values);
	}
	subject_use(&p->own, "jumps", jumps);
	fd = subject_load(&p->shared, &(struct pod_values){ 0 }, &ns);
	if (bpf_map_update_elem(jumps, &key, &fd, BPF_ANY))
		bench_die("preamble: cannot fill the prog array: %m");
	close(fd);
	p->ready = true;
}

static int load_preamble(struct preamble *p, const struct pod_values *values, double *ns)
{
	if (!p->ready)
		make_shared(p);
	return subject_load(&p->own, values, ns);
}

static int preamble_pod(const struct pod_values *values, double *ns)
{
	return load_preamble(&pod, values, ns);
}

static int preamble_patched(const struct pod_values *values, double *ns)
{
	return load_preamble(&patched, values, ns);
}

static int preamble_large(const struct pod_values *values, double *ns)
{
	return load_preamble(&large, values, ns);
}

static int preamble_branches(const struct pod_values *values, double *ns)
{
	return load_preamble(&branching, values, ns);
}

/* --------------------------------------------------------------- packets */

enum { TIMES = 500, SHORT_TIMES = 4000 };

/* One program for all turns (bench_add_same): its fd, and another for the caller; *ns: a packet's. */
static int packet(bench_fn *make, int *kept, const struct pod_values *values, double *ns)
{
	bool dropped = make == stamped_map || make == stamped_inline || make == preamble_pod ||
		       make == preamble_patched;

	if (!*kept)
		*kept = make(values, ns);
	*ns = check_time(*kept, dropped ? ~values->addr : values->addr, dropped ? SHORT_TIMES : TIMES);
	return dup(*kept);
}

#define PACKET(name, make) \
static int name(const struct pod_values *values, double *ns) \
{ \
	static int kept; \
\
	return packet(make, &kept, values, ns); \
}

PACKET(packet_map, stamped_map)
PACKET(packet_inline, stamped_inline)
PACKET(packet_preamble, preamble_pod)
PACKET(packet_patched, preamble_patched)
PACKET(packet_large, stamped_large)
PACKET(packet_large_inline, stamped_large_inline)
PACKET(packet_large_preamble, preamble_large)
PACKET(packet_branches, load_branches)
PACKET(packet_branches_inline, load_branches_inline)
PACKET(packet_branches_preamble, preamble_branches)

/* What running any program costs. */
static int packet_empty(const struct pod_values *values, double *ns)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 }, { .code = BPF_JMP | BPF_EXIT },
	};
	static int fd;

	if (!fd)
		fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "empty", "GPL", insns, 2, NULL);
	if (fd < 0)
		bench_die("cannot load two instructions: %m");
	*ns = check_time(fd, values->addr, SHORT_TIMES);
	return BENCH_NOTHING;
}

void preamble_contenders(void)
{
	bench_add("preamble", "pod.bpf.c, stamped", stamped_map);
	bench_add("preamble", "pod.bpf.c, stamped, inlined", stamped_inline);
	bench_add("preamble", "pod.bpf.c, preamble", preamble_pod);
	bench_add("preamble", "pod.bpf.c, preamble with a patched jump", preamble_patched);
	bench_add_large("preamble", "large.bpf.c, stamped", stamped_large);
	bench_add_large("preamble", "large.bpf.c, stamped, inlined", stamped_large_inline);
	bench_add_large("preamble", "large.bpf.c, preamble", preamble_large);
	bench_add("preamble", "branches.bpf.c, stamped", load_branches);
	bench_add("preamble", "branches.bpf.c, stamped, inlined", load_branches_inline);
	bench_add("preamble", "branches.bpf.c, preamble", preamble_branches);
	bench_add_same("packet", "two instructions", packet_empty, false);
	bench_add_same("packet", "pod.bpf.c, stamped", packet_map, false);
	bench_add_same("packet", "pod.bpf.c, stamped, inlined", packet_inline, false);
	bench_add_same("packet", "pod.bpf.c, preamble", packet_preamble, false);
	bench_add_same("packet", "pod.bpf.c, preamble with a patched jump", packet_patched, false);
	bench_add_same("packet", "large.bpf.c, stamped", packet_large, true);
	bench_add_same("packet", "large.bpf.c, stamped, inlined", packet_large_inline, true);
	bench_add_same("packet", "large.bpf.c, preamble", packet_large_preamble, true);
	bench_add_same("packet", "branches.bpf.c, stamped", packet_branches, false);
	bench_add_same("packet", "branches.bpf.c, stamped, inlined", packet_branches_inline, false);
	bench_add_same("packet", "branches.bpf.c, preamble", packet_branches_preamble, false);
}
