#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# report.sh DIR BPFSTAMP ROUNDS PODS: print bench/RESULTS.md from what was measured
# (bench/main.c and bench/run.sh), and on what.
set -eu

DIR=$1 BPFSTAMP=$2 ROUNDS=$3 PODS=$4

package() {
	dpkg-query -W -f='${Version}' "$1" 2>/dev/null || echo "unknown"
}

machine() {
	local cpu tc clang
	cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
	tc=$(tc -V | sed 's/.*\(iproute2\)-\([0-9.]*\).*/\1 \2/')
	clang=$("$CLANG" --version | head -n 1 | sed 's/.*version \([0-9.]*\).*/clang \1/')
	echo "$(nproc) processors ($cpu), Linux $(uname -r | sed 's/-.*//') on $(uname -m)."
	echo "$("$BPFSTAMP" --version), static; libbpf $(package libbpf-dev), cilium/ebpf" \
		"$(package golang-github-cilium-ebpf-dev) with $(go version 2>/dev/null | cut -d ' ' -f 3), $tc," \
		"$clang."
	echo "$ROUNDS rounds; load average at the end: $(cut -d ' ' -f 1 /proc/loadavg)."
}

# Of the program, as compiled.
slots() {
	"$BPFSTAMP" inspect "$DIR/pod.o" | sed -n 's/^program.*, \([0-9]*\) instructions.*/\1/p'
}

targets() {
	echo "| what | target | here | quartiles | |"
	echo "| --- | --: | --: | --: | --- |"
	awk -F '\t' '
		function short(x) { return sprintf(x >= 100 ? "%.0f" : x >= 10 ? "%.1f" : "%.2f", x) }
		{
			ns = sub(/: 2 µs$/, "", $1)
			unit = ns ? " µs" : " ×"
			scale = ns ? 1000 : 1
			least = $3 == "least"
			target = $2 == 0 ? "" : (least ? "at least " : "at most ") $2 / scale unit
			missed = $2 != 0 && (least ? $4 < $2 : $4 > $2)
			printf "| %s | %s | %s%s | %s – %s | %s |\n", $1, target, short($4 / scale), unit,
				short($5 / scale), short($6 / scale), missed ? "missed" : ""
		}' "$DIR/ratios.tsv"
}

# Calls are those of this process, so only of libraries, and what others make of a pod is no load.
times() {
	echo "| | | µs | quartiles | calls of bpf(2) |"
	echo "| --- | --- | --: | --: | --: |"
	sort -s -t "$(printf '\t')" -k 1,1 "$DIR/results.tsv" | awk -F '\t' '
		function us(x) { return sprintf(x >= 1e5 ? "%.0f" : x >= 1e4 ? "%.1f" : "%.2f", x / 1000) }
		{
			calls = $1 ~ /^load/ && $2 !~ /^cilium/ ? $6 : ""
			printf "| %s | %s | %s | %s – %s | %s |\n", $1 == last ? "" : $1, $2, us($3), us($4),
				us($5), calls
			last = $1
		}'
}

memory() {
	echo "| | maps | map memory | program | machine code |"
	echo "| --- | --: | --: | --: | --: |"
	awk -F '\t' '$1 == "load" { printf "| %s | %s | %s | %s | %s |\n", $2, $3, $4, $5, $6 }' "$DIR/memory.tsv"
}

pairs() {	# FILE HEADER
	echo "| | $2 |"
	echo "| --- | --: |"
	awk -F '\t' '{ printf "| %s | %s |\n", $1, $2 }' "$DIR/$1"
}

many() {
	echo "| | µs a pod | in the first tenth | in the last | peak RSS, KiB |"
	echo "| --- | --: | --: | --: | --: |"
	awk -v pods="$PODS" '{ printf "| %s | %.1f | %.1f | %.1f | %s |\n",
		NR == 1 ? "bpfstamp" : "bpfstamp, inlined",
		$1 / pods / 1000, $2 / 1000, $3 / 1000, $4 }' "$DIR/many.tsv"
}

cat <<END
<!-- SPDX-License-Identifier: BSD-2-Clause -->
# What a pod costs

Written by \`make bench\`. $(machine)

The program is [pod.bpf.c](objects/pod.bpf.c): three values, $(slots) instructions. All contenders load
the same object, and before the time of any of them counts, and for every pod after that, the program that it made is
run on packets with BPF_PROG_TEST_RUN: the pod's must come out with its VNI and VLAN, others' must be dropped. What is
timed ends with the fd of the program, for "attach" with the filter, for processes with their exit. In the picture, the
last of so many pods is checked, and cilium/ebpf, which has nothing for TC in this version, only loads.

![cost against the number of pods](cost.svg)

## Targets

Ratios of two contenders in the same round: the median, and the quartiles of the rounds.

$(targets)

Left out, and not measured here yet: reuse of loaded programs, and \`attach --batch\`. libelf reads sections,
symbols and relocations, but no types, which are a third of the object, and proves nothing.

## Times

Medians and quartiles of the rounds. "Bare" repeats the calls of bpfstamp with nothing between them; "no types" leaves
out BTF, functions and lines, which the kernel can do without. libbpf opens the object for each pod, because an object
can be loaded only once; cilium/ebpf copies what it parsed, or parses it anew.

$(times)

## $PODS pods in one process

From the opening of the object on, on 1,000 interfaces, whose filters are replaced again and again.

$(many)

## Memory

What the kernel keeps for one pod, in bytes, as it says itself (memlock in fdinfo, and the size of the machine code).
libbpf's data maps are mmapable, which costs whole pages.

$(memory)

The most that a process had resident. The kernel (since 6.2) counts in batches for each processor, so that some
hundred KiB may be missing:

$(pairs resident.tsv KiB)

## Instructions of user space

By callgrind.

$(pairs instructions.tsv instructions)
END
