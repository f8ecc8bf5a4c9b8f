// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whole processes, from before exec to after exit.
 *
 * Each contender has an interface of its own, whose clsact qdisc and first
 * filter are there before its time counts: what is timed is always the replacement
 * of a filter.  tc cannot set values: it gets an object that was patched, and
 * the time for patching is not counted.  clang compiles the values into the program.
 *
 * "empty" does nothing, and "bare" makes the bare system calls of one pod
 * (bench/bare_process.c); both are static, as bpfstamp is.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

extern char **environ;

static double run(char *const argv[])
{
	posix_spawn_file_actions_t actions;
	int status, code;
	double start;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	start = bench_now();
	code = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	if (code || waitpid(pid, &status, 0) != pid)
		bench_die("%s: %s", argv[0], strerror(code ? code : errno));
	if (status)
		bench_die("%s: status 0x%x", argv[0], (unsigned int)status);
	start = bench_now() - start;
	posix_spawn_file_actions_destroy(&actions);
	return start;
}

struct words {
	char vni[32], vlan[32], addr[48];
};

static const char *address(const struct pod_values *values)
{
	return inet_ntoa((struct in_addr){ values->addr });
}

static void spell(struct words *w, const char *prefix, const char *middle, const struct pod_values *values)
{
	snprintf(w->vni, sizeof(w->vni), "%s%s%s%u", prefix, *prefix == '-' ? "VNI" : "vni", middle, values->vni);
	snprintf(w->vlan, sizeof(w->vlan), "%s%s%s%u", prefix, *prefix == '-' ? "VLAN" : "vlan", middle,
		 values->vlan);
	if (*prefix == '-')
		snprintf(w->addr, sizeof(w->addr), "%sADDR%s%u", prefix, middle, values->addr);
	else
		snprintf(w->addr, sizeof(w->addr), "addr%s%s", middle, address(values));
}

static char *tool(char *path, size_t size, const char *folder, const char *name)
{
	snprintf(path, size, "%s/%s", folder, name);
	return path;
}

static int empty(const struct pod_values *values, double *ns)
{
	char path[256];

	(void)values;
	*ns = run((char *[]){ tool(path, sizeof(path), bench_files.tools, "empty"), NULL });
	return BENCH_NOTHING;
}

static int bare(const struct pod_values *values, double *ns)
{
	char path[256];
	struct words w;

	snprintf(w.vni, sizeof(w.vni), "%u", values->vni);
	snprintf(w.vlan, sizeof(w.vlan), "%u", values->vlan);
	snprintf(w.addr, sizeof(w.addr), "%u", values->addr);
	*ns = run((char *[]){ tool(path, sizeof(path), bench_files.tools, "bare"), "bench-empty", w.vni, w.vlan,
			      w.addr, NULL });
	return check_attached("bench-empty");
}

enum { OPTIONS = 3 };

static int attach(const char *device, const struct pod_values *values, const char *const options[OPTIONS], double *ns)
{
	struct words w;

	spell(&w, "", "=", values);
	*ns = run((char *[]){ (char *)bench_files.bpfstamp, "attach", (char *)bench_files.pod, "--dev",
			      (char *)device, "--set", w.vni, "--set", w.vlan, "--set", w.addr, (char *)options[0],
			      (char *)options[1], (char *)options[2], NULL });
	return check_attached(device);
}

static int bpfstamp(const struct pod_values *values, double *ns)
{
	return attach("bench-stamp", values, (const char *[OPTIONS]){ NULL }, ns);
}

static int bpfstamp_inlined(const struct pod_values *values, double *ns)
{
	return attach("bench-inline", values, (const char *[OPTIONS]){ "--inline" }, ns);
}

static int bpfstamp_unrecorded(const struct pod_values *values, double *ns)
{
	return attach("bench-norec", values, (const char *[OPTIONS]){ "--inline", "--no-record" }, ns);
}

static int bpfstamp_plain(const struct pod_values *values, double *ns)
{
	return attach("bench-plain", values, (const char *[OPTIONS]){ "--no-debug-info" }, ns);
}

static int bpfstamp_least(const struct pod_values *values, double *ns)
{
	return attach("bench-least", values,
		      (const char *[OPTIONS]){ "--inline", "--no-record", "--no-debug-info" }, ns);
}

/* The same values each time (bench_add_same): but for the first, the program is there already. */
static int bpfstamp_equal(const struct pod_values *values, double *ns)
{
	return attach("bench-equal", values, (const char *[OPTIONS]){ NULL }, ns);
}

static double run_tc(const char *device, const char *object)
{
	return run((char *[]){ "tc", "filter", "replace", "dev", (char *)device, "egress", "prio", "1", "handle", "1",
			       "bpf", "da", "obj", (char *)object, "sec", "tc", NULL });
}

static int tc(const struct pod_values *values, double *ns)
{
	char patched[256];
	struct words w;

	spell(&w, "", "=", values);
	tool(patched, sizeof(patched), bench_files.tmp, "patched.o");
	run((char *[]){ (char *)bench_files.bpfstamp, "patch", (char *)bench_files.pod, "--output", patched, "--set",
			w.vni, "--set", w.vlan, "--set", w.addr, NULL });
	*ns = run_tc("bench-tc", patched);
	return check_attached("bench-tc");
}

static int clang_tc(const struct pod_values *values, double *ns)
{
	char compiled[256];
	struct words w;

	spell(&w, "-D", "=", values);
	tool(compiled, sizeof(compiled), bench_files.tmp, "compiled.o");
	*ns = run((char *[]){ getenv("CLANG") ? getenv("CLANG") : "clang-19", "-target", "bpf", "-O2", "-g",
			      "-iquote", ".", "-isystem", getenv("UAPI") ? getenv("UAPI") : "/usr/include",
			      w.vni, w.vlan, w.addr, "-c", "-o", compiled, (char *)bench_files.pod_source, NULL });
	*ns += run_tc("bench-clang", compiled);
	return check_attached("bench-clang");
}

void process_contenders(void)
{
	bench_add("process", "empty static process", empty);
	bench_add("process", "bare static process", bare);
	bench_add("process", "bpfstamp attach", bpfstamp);
	bench_add("process", "bpfstamp attach --inline", bpfstamp_inlined);
	bench_add("process", "bpfstamp attach --inline --no-record", bpfstamp_unrecorded);
	bench_add("process", "bpfstamp attach --no-debug-info", bpfstamp_plain);
	bench_add("process", "bpfstamp attach --inline --no-record --no-debug-info", bpfstamp_least);
	bench_add_same("process", "bpfstamp attach, equal values", bpfstamp_equal, false);
	bench_add("process", "tc filter replace", tc);
	bench_add("process", "clang, then tc", clang_tc);
}
