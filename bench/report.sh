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

# Of a program, as compiled.
slots() {	# OBJECT
	"$BPFSTAMP" inspect "$DIR/$1" | sed -n 's/^program.*, \([0-9]*\) instructions.*/\1/p' | head -n 1
}

# The median of a contender, in nanoseconds: GROUP NAME
median() {
	awk -F '\t' -v group="$1" -v name="$2" '$1 == group && $2 == name { print $3 }' "$DIR/results.tsv"
}

# One median over another, or nothing where one is missing: GROUP NAME GROUP NAME
over() {
	awk -v a="$(median "$1" "$2")" -v b="$(median "$3" "$4")" 'BEGIN {
		if (a && b)
			printf(a < b / 10 ? "%.2f" : a < 10 * b ? "%.1f" : "%.0f", a / b)
	}'
}

short_row() {	# TEXT GROUP NAME REFERENCE
	local ns
	ns=$(median "$2" "$3")
	[ -z "$ns" ] || echo "| $1 | $(awk -v ns="$ns" 'BEGIN { printf ns < 1e4 ? "%.1f" : "%.0f", ns / 1000 }') |" \
		"$(over "$2" "$3" "$2" "$4") × |"
}

# What the README shows.
short() {
	echo "| one pod | µs | beside bpfstamp |"
	echo "| --- | --: | --: |"
	short_row "**in a process that is there:** bpfstamp" load "bpfstamp, inlined" "bpfstamp, inlined"
	short_row "bpfstamp, values in a map" load bpfstamp "bpfstamp, inlined"
	short_row "bpfstamp, a pod with these values is there" load "bpfstamp, inlined, shared" "bpfstamp, inlined"
	short_row "the bare system calls" load "bare, same calls, inlined" "bpfstamp, inlined"
	short_row "cilium/ebpf: copy, set, load" load "cilium/ebpf, Copy" "bpfstamp, inlined"
	short_row "libbpf: open, set, load" load libbpf "bpfstamp, inlined"
	short_row "**a process of its own:** \`bpfstamp attach\`, static" process "bpfstamp attach" "bpfstamp attach"
	short_row "the same, a pod with these values is there" process "bpfstamp attach, equal values" "bpfstamp attach"
	short_row "an empty one, static" process "empty static process" "bpfstamp attach"
	short_row "nothing but the system calls, static" process "bare static process" "bpfstamp attach"
	short_row "\`tc filter replace\` of an object that was patched" process "tc filter replace" "bpfstamp attach"
	short_row "clang, then tc" process "clang, then tc" "bpfstamp attach"
}

# Median and quartiles of numbers, one a line.
spread() {
	sort -g | awk '
		{ v[NR] = $1 }
		END { q = int((NR + 3) / 4); print v[int((NR + 1) / 2)] "\t" v[q] "\t" v[NR + 1 - q] }'
}

# A column, or an expression of columns, of the lines of one name in many.tsv.
of_many() {	# NAME EXPRESSION
	awk -F '\t' -v name="$1" "\$1 == name { print ($2) }" "$DIR/many.tsv"
}

commas() {	# NUMBER
	sed ':again; s/\B[0-9]\{3\}\>/,&/; t again' <<<"$1"
}

many_names() {
	cut -f 1 "$DIR/many.tsv" | awk '!seen[$0]++'
}

# Those of many pods, as lines of ratios.tsv.  Where pods share programs, these are loaded in the first tenth.
many_targets() {
	local name
	for name in "different values" "different values, inlined"; do
		printf '%s\t1.1\tmost\t%s\t×\n' "$(commas "$PODS") pods, $name: last tenth / first, or first / last" \
			"$(of_many "$name" '$3 > $12 ? $3 / $12 : $12 / $3' | spread)"
	done
	many_names | while read -r name; do
		printf '%s\t8192\tmost\t%s\tKiB\n' "$(commas "$PODS") pods, $name: peak RSS" \
			"$(of_many "$name" '$13' | spread)"
	done
}

targets() {
	echo "| what | target | here | quartiles | |"
	echo "| --- | --: | --: | --: | --- |"
	{ cat "$DIR/ratios.tsv"; many_targets; } | awk -F '\t' '
		function short(x) { return sprintf(x >= 100 ? "%.0f" : x >= 10 ? "%.1f" : "%.2f", x) }
		{
			unit = $7 == "ns" ? "µs" : $7
			scale = $7 == "ns" ? 1000 : 1
			least = $3 == "least"
			target = $2 == 0 ? "" : (least ? "at least " : "at most ") $2 / scale " " unit
			missed = $2 != 0 && (least ? $4 < $2 : $4 > $2)
			printf "| %s | %s | %s %s | %s – %s | %s |\n", $1, target, short($4 / scale), unit,
				short($5 / scale), short($6 / scale), missed ? "missed" : ""
		}'
}

# Why, where that does not depend on the day: for those targets that are missed.
reasons() {
	local row
	row=$(targets | grep 'missed |$' || true)
	if grep -qE '^\| (libbpf open \+ set|cilium/ebpf Copy)' <<<"$row"; then
		cat <<-END

		**libbpf and cilium/ebpf in-process**: most of the time is the kernel's, which does the same for all. The bare
		calls, faster than which nobody can be, would be so many times as fast as libbpf:
		$(over load libbpf load "bare, same calls, inlined"), and
		$(over load libbpf load "bare, same calls") where values are in a map; as cilium/ebpf:
		$(over load "cilium/ebpf, Copy" load "bare, same calls, inlined"), and
		$(over load "cilium/ebpf, Copy" load "bare, same calls").
		END
	fi
	if grep -q '^| bpfstamp_attach, replace / bare netlink |' <<<"$row"; then
		cat <<-END

		**bpfstamp_attach, in place of another filter**: bpfstamp looks at what is there before it replaces it,
		because what others have put there stays. Bare netlink that looks first is the row below.
		END
	fi
	if grep -q '^| tc / static' <<<"$row"; then
		cat <<-END

		**tc**: a static process with nothing but the system calls of one pod would be so many times as fast:
		$(over process "tc filter replace" process "bare static process"); one that does nothing:
		$(over process "tc filter replace" process "empty static process").
		END
	fi
	if grep -q '^| open 1 MiB: libelf' <<<"$row"; then
		cat <<-END

		**libelf**: it is handed the object in memory and checks what it is asked for; nothing is kept. bpfstamp
		looks at every instruction, and makes an index of programs, variables, sites and types, so that no pod
		needs any of this again. That is the work that libbpf does, too.
		END
	fi
}

# Calls are those of this process, so only of libraries, and what others make of a pod is no load.
times() {
	echo "| | | µs | quartiles | calls of bpf(2) |"
	echo "| --- | --- | --: | --: | --: |"
	grep -v '^packet' "$DIR/results.tsv" | sort -s -t "$(printf '\t')" -k 1,1 | awk -F '\t' '
		function us(x) { return sprintf(x >= 1e5 ? "%.0f" : x >= 1e4 ? "%.1f" : "%.2f", x / 1000) }
		{
			calls = $1 ~ /^(load|preamble)/ && $2 !~ /^cilium/ ? $6 : ""
			printf "| %s | %s | %s | %s – %s | %s |\n", $1 == last ? "" : $1, $2, us($3), us($4),
				us($5), calls
			last = $1
		}'
}

packets() {
	echo "| | ns a packet | quartiles |"
	echo "| --- | --: | --: |"
	awk -F '\t' '$1 == "packet" { printf "| %s | %.0f | %.0f – %.0f |\n", $2, $3, $4, $5 }' "$DIR/results.tsv"
}

# What one pod has of its own.
memory() {
	echo "| | | maps | map memory | program | machine code |"
	echo "| --- | --- | --: | --: | --: | --: |"
	sort -s -t "$(printf '\t')" -k 1,1 "$DIR/memory.tsv" | awk -F '\t' '
		$2 !~ /^bare/ && $1 ~ /^(load|preamble)/ {
			printf "| %s | %s | %s | %s | %s | %s |\n", $1 == last ? "" : $1, $2, $3, $4, $5, $6
			last = $1
		}'
}

pairs() {	# FILE HEADER
	echo "| | $2 |"
	echo "| --- | --: |"
	awk -F '\t' '{ printf "| %s | %s |\n", $1, $2 }' "$DIR/$1"
}

# Medians.  A batch tells no tenths.
many() {
	local name
	echo "| | µs a pod | first tenth | slowest | last | programs loaded | peak RSS, KiB |"
	echo "| --- | --: | --: | --: | --: | --: | --: |"
	many_names | while read -r name; do
		echo "| $name | $(micro "$name" "\$2 / $PODS") | $(micro "$name" '$3') |" \
			"$(micro "$name" 'most()') | $(micro "$name" '$12') |" \
			"$(of_many "$name" '$14' | spread | cut -f 1) |" \
			"$(of_many "$name" '$13' | spread | cut -f 1) |"
	done
}

micro() {	# NAME EXPRESSION
	awk -F '\t' -v name="$1" "
		function most(i, m) { for (i = 3; i <= 12; i++) if (\$i > m) m = \$i; return m }
		\$1 == name && ($2) > 0 { print ($2) }" "$DIR/many.tsv" | spread |
		awk '$1 { printf "%.1f", $1 / 1000 }'
}

cat <<END
<!-- SPDX-License-Identifier: BSD-2-Clause -->
# What a pod costs

Written by \`make bench\`. $(machine)

The program is [pod.bpf.c](objects/pod.bpf.c): three values, $(slots pod.o) instructions. All contenders load
the same object, and before the time of any of them counts, and for every pod after that, the program that it made is
run on packets with BPF_PROG_TEST_RUN: the pod's must come out with its VNI and VLAN, others' must be dropped. What is
timed ends with the fd of the program, for "attach" and "reuse" with the filter, for processes with their exit. In the
picture, the last of so many pods is checked, and cilium/ebpf, which has nothing for TC in this version, only loads.

![cost against the number of pods](cost.svg)

## In short

$(short)

Medians. What bpfstamp does in-process is from values to the fd of a program with the values in its instructions
(inlined), of an object that is open; what libbpf and cilium/ebpf load has them in a map.

## Targets

Ratios of two contenders in the same round: the median, and the quartiles of the rounds. Without a target: only to
know. "Tenth" is what a pod costs in one tenth of so many.

$(targets)
$(reasons)

## Times

Medians and quartiles of the rounds. "Bare" repeats the calls of bpfstamp with nothing between them; "no types" leaves
out BTF, functions and lines, which the kernel can do without. libbpf opens the object for each pod, because an object
can be loaded only once; cilium/ebpf copies what it parsed, or parses it anew. "Shared" is a pod whose values another
one has, too. libelf reads names of sections and symbols, and resolves symbols and relocations, as any loader has to;
then libbpf reads the types (btf__new, btf_ext__new). It keeps nothing of that.

$(times)

## $(commas "$PODS") pods in one process

From the opening of the object on, on 1,000 interfaces; medians of five times. All have a filter at the beginning,
which is replaced again and again. A batch is one static process from exec to exit, with \`--inline --jobs 1\`, a
record for each program, and new filters, since a batch has each place only once.

$(many)

## Memory

What the kernel keeps for one pod alone, in bytes, as it says itself (memlock in fdinfo, and the size of the machine
code): what it has together with another pod is not counted. libbpf's data maps are mmapable, which costs whole pages.

$(memory)

The most that a process had resident. The kernel (since 6.2) counts in batches for each processor, so that some
hundred KiB may be missing:

$(pairs resident.tsv KiB)

## Less verification

What the verifier does could be done once, for a program that all pods share, if each pod had only a few instructions
of its own: a preamble, which leaves the pod's values where that program finds them, and jumps there by a tail call,
which hands over nothing but the packet. It was tried with three programs: pod.bpf.c,
[large.bpf.c](objects/large.bpf.c) ($(commas "$(slots large.o)") instructions, no branch) and
[branches.bpf.c](objects/branches.bpf.c) ($(commas "$(slots branches.o)"), a loop and 390 rules), with
[jump.bpf.c](objects/jump.bpf.c) before them. "Stamped" is the whole program loaded for each pod. Three values go
through the packet's cb, the ten of large.bpf.c, for which it has no room, through a map for each processor.

Loading takes so many times less, as ratios of the medians above; those among the targets are medians of ratios:

| | stamped, inlined / preamble |
| --- | --: |
| pod.bpf.c | $(over preamble "pod.bpf.c, stamped, inlined" preamble "pod.bpf.c, preamble") |
| large.bpf.c | $(over preamble "large.bpf.c, stamped, inlined" preamble "large.bpf.c, preamble") |
| branches.bpf.c | $(over preamble "branches.bpf.c, stamped, inlined" preamble "branches.bpf.c, preamble") |

A packet takes some nanoseconds more; that of pod.bpf.c is one that the program drops:

$(packets)

A jump that the kernel patches into the machine code, as it does for a constant index, spares a packet the lookup, but
each load has to tell all processors of it, which costs what some ten thousand packets save.

**There is no option for it,** though large programs load so much faster, because no object can stay as it is:

- The shared program has to be written for it. Its values come from the packet: 20 bytes, which are there for TC
  alone, and which the program, whatever it calls, and other programs at the same hook may overwrite. That they are
  still the pod's cannot be proved.
- The verifier no longer knows them. Loops that a value bounds are refused, code that a value turns off is kept, and
  indices have to be checked.
- All pods depend on one map, which the kernel empties when nobody holds it: it has to be pinned, and to outlive them.
- freplace is no other way: an extension replaces a function of one loaded program, and a function has one extension
  at a time. So each pod would have to load the whole program again, and the extension with it.

An object that is written so needs no option. The shared program's object puts it into a prog array that is pinned by
name (\`bpfstamp load\`, once); the preamble's, with STAMP(), names that map (\`bpfstamp attach\`, for each pod), and
\`show\` tells its values as ever. Pods with equal values share what is loaded anyway.

## Instructions of user space

By callgrind.

$(pairs instructions.tsv instructions)
END
