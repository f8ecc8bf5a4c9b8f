// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is wanted, as ratios of two contenders: at most, where bpfstamp is
 * compared with a floor; at least, where it is compared with others.
 */
#include "bench/targets.h"

#define LARGE "load of 4,000 instructions"
#define RESTAMP "restamp of 4,000 instructions"

const struct target targets[] = {
	{ "restamp + load / the same bare calls", "load", "bpfstamp", "bare, same calls", 1.03, false },
	{ "restamp + load, inlined / the same bare calls", "load", "bpfstamp, inlined", "bare, same calls, inlined",
	  1.03, false },
	{ "restamp + load / bare calls without types", "load", "bpfstamp", "bare, no types", 0, false },
	{ "libbpf open + set + load / bpfstamp", "load", "libbpf", "bpfstamp", 3, true },
	{ "libbpf open + set + load / bpfstamp, inlined", "load", "libbpf", "bpfstamp, inlined", 3, true },
	{ "cilium/ebpf Copy + set + load / bpfstamp", "load", "cilium/ebpf, Copy", "bpfstamp", 3, true },
	{ "cilium/ebpf Copy + set + load / bpfstamp, inlined", "load", "cilium/ebpf, Copy", "bpfstamp, inlined",
	  3, true },
	{ "inlined / map", "load", "bpfstamp, inlined", "bpfstamp", 1, false },
	{ "the same calls, with types / without, map", "load", "bare, same calls", "bare, no types", 0, false },
	{ "the same calls, with types / without, inlined", "load", "bare, same calls, inlined",
	  "bare, no types, inlined", 0, false },
	{ "with a record / without", "load", "bpfstamp, with a record", "bpfstamp", 0, false },
	{ "4,000 instructions: restamp + load / bare calls", LARGE, "bpfstamp", "bare, same calls", 1.03, false },
	{ "4,000 instructions: libbpf / bpfstamp", LARGE, "libbpf", "bpfstamp", 0, false },
	{ "restamp alone, 4,000 instructions, 10 values", RESTAMP, "bpfstamp", "", 2000, false },
	{ "the same, inlined", RESTAMP, "bpfstamp, inlined", "", 2000, false },
	{ "bpfstamp_attach, new interface / bare netlink", "attach", "bpfstamp, new interface", "bare, new interface",
	  1.1, false },
	{ "reuse and bpfstamp_attach, new interface / bare netlink", "attach", "bpfstamp, reuse, new interface",
	  "bare, new interface", 1.1, false },
	{ "bpfstamp_attach, replace / bare netlink", "attach", "bpfstamp, replace", "bare, replace", 1.1, false },
	{ "bpfstamp_attach, replace / bare netlink that looks first", "attach", "bpfstamp, replace",
	  "bare, look and replace", 0, false },
	{ "libbpf, new interface / bpfstamp_attach", "attach", "libbpf, new interface", "bpfstamp, new interface", 0,
	  false },
	{ "libbpf, replace / bpfstamp_attach", "attach", "libbpf, replace", "bpfstamp, replace", 0, false },
	{ "tc / static bpfstamp attach", "process", "tc filter replace", "bpfstamp attach", 8, true },
	{ "tc / static bpfstamp attach --inline --no-record", "process", "tc filter replace",
	  "bpfstamp attach --inline --no-record", 8, true },
	{ "static bpfstamp attach / bare static process", "process", "bpfstamp attach", "bare static process",
	  1.3, false },
	{ "static bpfstamp attach --inline --no-record / bare", "process", "bpfstamp attach --inline --no-record",
	  "bare static process", 1.3, false },
	{ "clang and tc / static bpfstamp attach", "process", "clang, then tc", "bpfstamp attach", 0, true },
	{ "clang and tc / restamp + load in-process", "process", "clang, then tc", "load:bpfstamp", 100, true },
	{ "open 1 MiB: libbpf / bpfstamp", "open 1 MiB", "libbpf", "bpfstamp", 3, true },
	{ "open 1 MiB: libelf, and types by libbpf / bpfstamp", "open 1 MiB", "libelf, and types by libbpf",
	  "bpfstamp", 3, true },
	{ "pod.bpf.c: stamped, inlined / preamble", "preamble", "pod.bpf.c, stamped, inlined",
	  "pod.bpf.c, preamble", 0, true },
	{ "large.bpf.c: stamped, inlined / preamble", "preamble", "large.bpf.c, stamped, inlined",
	  "large.bpf.c, preamble", 0, true },
	{ "branches.bpf.c: stamped, inlined / preamble", "preamble", "branches.bpf.c, stamped, inlined",
	  "branches.bpf.c, preamble", 0, true },
	{ 0 },
};
