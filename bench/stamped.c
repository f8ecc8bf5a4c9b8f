// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp, as a library: one template, one stamp, values by handle.
 *
 * What is timed of a load is reset, put and bpfstamp_load; not the opening of the
 * object, which happens once however many pods there are, and not the closing of
 * the program's fd.  The template's BTF, and what linking finds out, are made by the first
 * load, which is not timed either.
 */
#include <string.h>
#include <unistd.h>

#include "bench/filter.h"
#include "bench/stamped.h"
#include "include/bpfstamp.h"

static struct subject {
	struct bpfstamp_template *t;
	struct bpfstamp_stamp *s;
	struct bpfstamp_ref refs[LARGE_VALUES];
	struct bpfstamp_load load;
} pod, pod_inline, large, large_inline;

static struct bpfstamp_err err;

#define MUST(call) do { if (call) bench_die("bpfstamp: %s", err.text); } while (0)

static const char *const pod_names[] = { "vni", "vlan", "addr", NULL };
static const char *const large_names[] = { "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", NULL };

static void prepare(struct subject *u, const char *path, const char *const *names, bool to_inline)
{
	if (u->t)
		return;
	MUST(bpfstamp_open_file(&u->t, path, &err));
	if (to_inline)
		MUST(bpfstamp_inline(u->t, &err));
	for (uint32_t i = 0; names[i]; i++)
		MUST(bpfstamp_find(u->t, names[i], &u->refs[i], &err));
	MUST(bpfstamp_stamp_new(&u->s, u->t, &err));
	MUST(bpfstamp_find_program(u->t, NULL, 0, &u->load.program, &err));
}

/* ------------------------------------------------------------- pod.bpf.c */

static void put_pod(struct subject *u, const struct pod_values *values)
{
	bpfstamp_reset(u->s);
	MUST(bpfstamp_put(u->s, &u->refs[0], values->vni, &err));
	MUST(bpfstamp_put(u->s, &u->refs[1], values->vlan, &err));
	MUST(bpfstamp_put_bytes(u->s, &u->refs[2], &values->addr, sizeof(values->addr), &err));
}

static int load_pod(struct subject *u, const struct pod_values *values, bool record, double *ns)
{
	double start = bench_now();
	int fd;

	u->load.record = record;
	put_pod(u, values);
	MUST(bpfstamp_load(u->s, &u->load, &fd, &err));
	*ns = bench_now() - start;
	return fd;
}

int stamped_map(const struct pod_values *values, double *ns)
{
	prepare(&pod, bench_files.pod, pod_names, false);
	return load_pod(&pod, values, false, ns);
}

int stamped_inline(const struct pod_values *values, double *ns)
{
	prepare(&pod_inline, bench_files.pod, pod_names, true);
	return load_pod(&pod_inline, values, false, ns);
}

static int stamped_record(const struct pod_values *values, double *ns)
{
	prepare(&pod, bench_files.pod, pod_names, false);
	return load_pod(&pod, values, true, ns);
}

static int stamped_inline_record(const struct pod_values *values, double *ns)
{
	prepare(&pod_inline, bench_files.pod, pod_names, true);
	return load_pod(&pod_inline, values, true, ns);
}

int stamped_any(const struct pod_values *values)
{
	double ns;

	return stamped_inline(values, &ns);
}

/* ---------------------------------------------------------------- attach */

static struct bpfstamp_net *net;

static const struct bpfstamp_hook egress = {
	.type = BPFSTAMP_CLSACT, .dev = "bench", .direction = BPFSTAMP_EGRESS, .prio = 1, .handle = 1,
};

/* The interface, without clsact. */
static void prepare_new_device(void)
{
	static int sock = -1;

	if (sock < 0)
		sock = filter_open();
	if (sock < 0 || filter_clsact_delete(sock, bench_ifindex("bench")))
		bench_die("bpfstamp: clsact: %m");
}

static int attach(int fd, double *ns)
{
	double start;

	if (!net)
		MUST(bpfstamp_net_open(&net, NULL, &err));
	start = bench_now();
	MUST(bpfstamp_attach(net, &egress, fd, "pod", NULL, &err));
	*ns = bench_now() - start;
	close(fd);
	return check_attached("bench");
}

/* What the last attach met is what this one meets, as where many pods come one behind the other. */
static int attach_new(const struct pod_values *values, double *ns)
{
	int fd = stamped_any(values);

	prepare_new_device();
	return attach(fd, ns);
}

static int replace(const struct pod_values *values, double *ns)
{
	return attach(stamped_any(values), ns);
}

/* A pod that shares all values with another one. */
static int reuse(const struct pod_values *values, double *ns)
{
	static struct bpfstamp_share *share;
	double start;
	bool reused;
	int fd;

	prepare(&pod_inline, bench_files.pod, pod_names, true);
	bpfstamp_share_free(share);
	MUST(bpfstamp_share_new(&share, pod_inline.t, 16, &err));
	pod_inline.load.record = false;
	put_pod(&pod_inline, values);
	MUST(bpfstamp_share_load(share, pod_inline.s, &pod_inline.load, &fd, &reused, &err));
	close(fd);
	prepare_new_device();
	if (!net)
		MUST(bpfstamp_net_open(&net, NULL, &err));
	start = bench_now();
	put_pod(&pod_inline, values);
	MUST(bpfstamp_share_load(share, pod_inline.s, &pod_inline.load, &fd, &reused, &err));
	MUST(bpfstamp_attach(net, &egress, fd, "pod", NULL, &err));
	close(fd);
	*ns = bench_now() - start;
	if (!reused)
		bench_die("bpfstamp: a program with the same values was loaded anew");
	return check_attached("bench");
}

/* ----------------------------------------------------------- large.bpf.c */

static void put_large(struct subject *u, uint32_t first)
{
	bpfstamp_reset(u->s);
	for (uint32_t i = 0; i < LARGE_VALUES; i++)
		MUST(bpfstamp_put(u->s, &u->refs[i], first + i, &err));
}

static int load_large(struct subject *u, uint32_t first, double *ns)
{
	double start = bench_now();
	int fd;

	put_large(u, first);
	MUST(bpfstamp_load(u->s, &u->load, &fd, &err));
	*ns = bench_now() - start;
	return fd;
}

int stamped_large(const struct pod_values *values, double *ns)
{
	prepare(&large, bench_files.large, large_names, false);
	return load_large(&large, values->vni, ns);
}

int stamped_large_inline(const struct pod_values *values, double *ns)
{
	prepare(&large_inline, bench_files.large, large_names, true);
	return load_large(&large_inline, values->vni, ns);
}

/* The stamp alone; that it has the values is shown by loading it. */
static int restamp(struct subject *u, uint32_t first, double *ns)
{
	const double times = 100;
	double start = bench_now();
	int fd;

	for (int i = 0; i < times; i++)
		put_large(u, first);
	*ns = (bench_now() - start) / times;
	MUST(bpfstamp_load(u->s, &u->load, &fd, &err));
	return fd;
}

static int restamp_map(const struct pod_values *values, double *ns)
{
	prepare(&large, bench_files.large, large_names, false);
	return restamp(&large, values->vni, ns);
}

static int restamp_inline(const struct pod_values *values, double *ns)
{
	prepare(&large_inline, bench_files.large, large_names, true);
	return restamp(&large_inline, values->vni, ns);
}

/* ------------------------------------------------------------------ open */

static int open_mib(const struct pod_values *values, double *ns)
{
	static size_t size;
	static void *bytes;
	struct bpfstamp_template *t;
	double start;

	(void)values;
	if (!bytes)
		bytes = bench_read_file(bench_files.mib, &size);
	start = bench_now();
	MUST(bpfstamp_open(&t, bytes, size, "mib", &err));
	bpfstamp_close(t);
	*ns = bench_now() - start;
	return BENCH_NOTHING;
}

void stamped_contenders(void)
{
	bench_add("load", "bpfstamp", stamped_map);
	bench_add("load", "bpfstamp, inlined", stamped_inline);
	bench_add("load", "bpfstamp, with a record", stamped_record);
	bench_add("load", "bpfstamp, inlined, with a record", stamped_inline_record);
	bench_add_large("load of 4,000 instructions", "bpfstamp", stamped_large);
	bench_add_large("load of 4,000 instructions", "bpfstamp, inlined", stamped_large_inline);
	bench_add_large("restamp of 4,000 instructions", "bpfstamp", restamp_map);
	bench_add_large("restamp of 4,000 instructions", "bpfstamp, inlined", restamp_inline);
	bench_add("attach", "bpfstamp, new interface", attach_new);
	bench_add("attach", "bpfstamp, replace", replace);
	bench_add("attach", "bpfstamp, reuse, new interface", reuse);
	bench_add("open 1 MiB", "bpfstamp", open_mib);
}
