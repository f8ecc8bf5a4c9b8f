// SPDX-License-Identifier: BSD-2-Clause
/*
 * What bpfstamp makes of one pod, as a library (bench/subject.c).
 *
 * "Shared" is a load where a program with these values is there already: no call of
 * bpf(2).
 */
#include <string.h>
#include <unistd.h>

#include "bench/filter.h"
#include "bench/stamped.h"
#include "bench/subject.h"

static struct subject pod = { .path = &bench_files.pod };
static struct subject pod_inline = { .path = &bench_files.pod, .to_inline = true };
static struct subject large = { .path = &bench_files.large, .large = true };
static struct subject large_inline = { .path = &bench_files.large, .large = true, .to_inline = true };

static struct bpfstamp_err err;

#define MUST(call) do { if (call) bench_die("bpfstamp: %s", err.text); } while (0)

int stamped_map(const struct pod_values *values, double *ns)
{
	pod.load.record = false;
	return subject_load(&pod, values, ns);
}

int stamped_inline(const struct pod_values *values, double *ns)
{
	pod_inline.load.record = false;
	return subject_load(&pod_inline, values, ns);
}

static int stamped_record(const struct pod_values *values, double *ns)
{
	pod.load.record = true;
	return subject_load(&pod, values, ns);
}

static int stamped_inline_record(const struct pod_values *values, double *ns)
{
	pod_inline.load.record = true;
	return subject_load(&pod_inline, values, ns);
}

/* Values alone: no BTF, functions or lines. */
static int stamped_plain(const struct pod_values *values, double *ns)
{
	static struct subject u = { .path = &bench_files.pod, .load.no_debug_info = true };

	return subject_load(&u, values, ns);
}

static int stamped_inline_plain(const struct pod_values *values, double *ns)
{
	static struct subject u = { .path = &bench_files.pod, .to_inline = true, .load.no_debug_info = true };

	return subject_load(&u, values, ns);
}

/* The same values each time (bench_add_same), so that a program is loaded for the first pod only. */
static int load_shared(const struct pod_values *values, double *ns)
{
	static struct bpfstamp_share *share;
	bool first = !share, reused;
	double start;
	int fd;

	subject_open(&pod_inline);
	pod_inline.load.record = false;
	if (first)
		MUST(bpfstamp_share_new(&share, pod_inline.t, 1, &err));
	start = bench_now();
	subject_put(&pod_inline, values);
	MUST(bpfstamp_share_load(share, pod_inline.s, &pod_inline.load, &fd, &reused, &err));
	*ns = bench_now() - start;
	if (reused == first)
		bench_die("bpfstamp: the program of equal values is %s", first ? "there already" : "loaded again");
	return fd;
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

	subject_open(&pod_inline);
	bpfstamp_share_free(share);
	MUST(bpfstamp_share_new(&share, pod_inline.t, 16, &err));
	pod_inline.load.record = false;
	subject_put(&pod_inline, values);
	MUST(bpfstamp_share_load(share, pod_inline.s, &pod_inline.load, &fd, &reused, &err));
	close(fd);
	prepare_new_device();
	if (!net)
		MUST(bpfstamp_net_open(&net, NULL, &err));
	start = bench_now();
	subject_put(&pod_inline, values);
	MUST(bpfstamp_share_load(share, pod_inline.s, &pod_inline.load, &fd, &reused, &err));
	MUST(bpfstamp_attach(net, &egress, fd, "pod", NULL, &err));
	close(fd);
	*ns = bench_now() - start;
	if (!reused)
		bench_die("bpfstamp: a program with the same values was loaded anew");
	return check_attached("bench");
}

/* ----------------------------------------------------------- large.bpf.c */

int stamped_large(const struct pod_values *values, double *ns)
{
	return subject_load(&large, values, ns);
}

int stamped_large_inline(const struct pod_values *values, double *ns)
{
	return subject_load(&large_inline, values, ns);
}

/* The stamp alone; that it has the values is shown by loading it. */
static int restamp(struct subject *u, const struct pod_values *values, double *ns)
{
	const double times = 100;
	double start;
	int fd;

	subject_open(u);
	start = bench_now();
	for (int i = 0; i < times; i++)
		subject_put(u, values);
	*ns = (bench_now() - start) / times;
	MUST(bpfstamp_load(u->s, &u->load, &fd, &err));
	return fd;
}

static int restamp_map(const struct pod_values *values, double *ns)
{
	return restamp(&large, values, ns);
}

static int restamp_inline(const struct pod_values *values, double *ns)
{
	return restamp(&large_inline, values, ns);
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
	bench_add("load", "bpfstamp, no debug info", stamped_plain);
	bench_add("load", "bpfstamp, inlined, no debug info", stamped_inline_plain);
	bench_add_same("load", "bpfstamp, inlined, shared", load_shared, false);
	bench_add_large("load of 4,000 instructions", "bpfstamp", stamped_large);
	bench_add_large("load of 4,000 instructions", "bpfstamp, inlined", stamped_large_inline);
	bench_add_large("restamp of 4,000 instructions", "bpfstamp", restamp_map);
	bench_add_large("restamp of 4,000 instructions", "bpfstamp, inlined", restamp_inline);
	bench_add("attach", "bpfstamp, new interface", attach_new);
	bench_add("attach", "bpfstamp, replace", replace);
	bench_add("attach", "bpfstamp, reuse, new interface", reuse);
	bench_add("open 1 MiB", "bpfstamp", open_mib);
}
