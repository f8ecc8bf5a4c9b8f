#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh DIR BPFSTAMP ROUNDS PODS: run what is in DIR (bench/bench.mk), and write
# bench/RESULTS.md and bench/cost.svg.
#
# It runs again as the first process of new namespaces, with a bpffs of its own,
# so that no interface, program or pin is left of it.  There, the contenders of
# bench/main.c have an interface each, and 1,000 ends of veth are for those that
# attach many pods.
#
# The instructions of user space are counted by callgrind, which is repeatable
# where times are not: how many there are in a function of the library and in all that
# it calls.
set -euo pipefail
cd "$(dirname "$0")/.."

DIR=$1 BPFSTAMP=$2 ROUNDS=$3 PODS=$4
DEVICES=1000
MANY_TIMES=5

if [ "$(id -u)" != 0 ]; then
	echo "bench: this needs root, to load programs" >&2
	exit 1
fi
if [ -z "${isolated:-}" ]; then
	isolated=yes exec unshare -n -m -p -f --mount-proc --kill-child bash "$0" "$@"
fi

interfaces() {
	local i name
	mount -t bpf none /sys/fs/bpf
	mount -t tmpfs none /run
	for name in bench bench-{bare,libbpf,empty,stamp,inline,norec,plain,least,equal,tc,clang}; do
		echo "link add $name type veth peer name ${name}-p"
		echo "link set $name up"
	done | ip -batch -
	for ((i = 0; i < DEVICES; i += 2)); do
		echo "link add d$i type veth peer name d$((i + 1))"
	done | ip -batch -
	ip -br link show | sed 's/[@ ].*//' | grep -v '^lo$' |
		sed 's/.*/qdisc add dev & clsact/' | tc -batch -
}

# No filter is left on the first interfaces, so that each contender finds them as new pods are.
fresh() {	# COUNT
	local i
	for ((i = 0; i < $1 && i < DEVICES; i++)); do
		echo "filter del dev d$i egress"
	done | tc -force -batch - 2>/dev/null || true
}

say() {
	echo "bench: $SECONDS s: $*" >&2
}

# Microseconds a pod for each number of pods, the median of three times: CONTENDER PODS MICROSECONDS
pods() {
	local n
	for n in 1 3 10 30 100 300 1000; do
		[ "$n" -le "$PODS" ] || break
		say "$n pods by each contender, three times"
		{ pods_once "$n"; pods_once "$n"; pods_once "$n"; } |
			sort -t "$(printf '\t')" -k 1,1 -k 3,3g | awk 'NR % 3 == 2'
	done
}

pods_once() {	# PODS
	local n=$1 spent
	fresh "$n"
	read -r spent _ < <("$DIR/pods" "$DIR/pod.o" "$n" $DEVICES)
	point "bpfstamp, in a map" "$n" "$spent"
	check_last "$n"
	fresh "$n"
	read -r spent _ < <("$DIR/pods" "$DIR/pod.o" "$n" $DEVICES inline)
	point "bpfstamp, inlined" "$n" "$spent"
	check_last "$n"
	fresh "$n"
	read -r spent _ < <("$DIR/pods" "$DIR/pod.o" "$n" $DEVICES inline 1)
	point "bpfstamp, equal values" "$n" "$spent"
	check_pods $((n - 1)) 0
	read -r spent _ < <(batch "$n" "$n")
	point "bpfstamp attach --batch" "$n" "$spent"
	fresh "$n"
	read -r spent _ < <("$DIR/pods_libbpf" "$DIR/pod.o" "$n" $DEVICES)
	point libbpf "$n" "$spent"
	check_last "$n"
	if [ -x "$DIR/cilium" ]; then
		read -r spent _ < <(echo "pods $n" | "$DIR/cilium" "$DIR/pod.o")
		point "cilium/ebpf, load only" "$n" "$spent"
	fi
	processes "bpfstamp attach" "$n" "$BPFSTAMP" attach "$DIR/pod.o" --no-reuse --set vni=7 --set vlan=7 \
		--set addr=0x0700000a --dev
	processes "bpfstamp attach, equal values" "$n" "$BPFSTAMP" attach "$DIR/pod.o" --set vni=7 --set vlan=7 \
		--set addr=0x0700000a --dev
	processes "tc" "$n" replace_by_tc
	[ "$n" -gt 30 ] || processes "clang and tc" "$n" compile_and_replace
}

point() {	# CONTENDER PODS NANOSECONDS
	printf '%s\t%s\t%s\n' "$1" "$2" "$(awk "BEGIN { print $3 / $2 / 1000 }")"
}

replace_by_tc() {	# DEVICE
	tc filter replace dev "$1" egress prio 1 handle 1 bpf da obj "$DIR/patched.o" sec tc
}

compile_and_replace() {	# DEVICE
	"$CLANG" -target bpf -O2 -g -iquote . -isystem "$UAPI" -DVNI=7 -DVLAN=7 -DADDR=0x0700000a -c \
		-o "$DIR/compiled.o" bench/objects/pod.bpf.c
	tc filter replace dev "$1" egress prio 1 handle 1 bpf da obj "$DIR/compiled.o" sec tc
}

processes() {	# CONTENDER PODS COMMAND…, which gets the device
	local i start contender=$1 n=$2
	shift 2
	fresh "$n"
	start=$(date +%s%N)
	for ((i = 0; i < n; i++)); do
		"$@" "d$((i % DEVICES))" >/dev/null
	done
	point "$contender" "$n" $(($(date +%s%N) - start))
	"$DIR/bench" check "d$((n - 1))" 7 7 0x0700000a 0
}

# That the last of so many pods has its values (bench/pods.c).
check_last() {	# PODS
	check_pods $(($1 - 1)) $(($1 - 1))
}

check_pods() {	# DEVICE VALUES [PRIO]
	"$DIR/bench" check "d$1" $(($2 + 1)) $((1 + $2 % 4094)) $((0x0a000000 + $2)) "${3:-0}"
}

# What many pods cost one process: NAME, and what bench/pods.c prints, of which a batch tells all but the
# tenths.  Every interface has a filter already, so that all pods are the same work, which is to replace one.
many() {
	local count=$((10 * PODS)) i
	fresh $DEVICES
	"$DIR/pods" "$DIR/pod.o" $DEVICES $DEVICES inline >/dev/null
	for ((i = 0; i < MANY_TIMES; i++)); do
		say "$count pods in one process, time $((i + 1)) of $MANY_TIMES"
		many_line "different values" $count
		many_line "different values, inlined" $count inline
		many_line "100 different values, inlined, shared" $count inline 100
	done
	for ((i = 0; i < MANY_TIMES; i++)); do
		say "$count pods in a batch, time $((i + 1)) of $MANY_TIMES"
		batch_line "attach --batch" $count $count
		batch_line "attach --batch, 100 different values" $count 100
	done
	fresh $DEVICES
}

many_line() {	# NAME COUNT [inline] [DISTINCT]
	local name=$1 count=$2
	shift 2
	printf '%s\t%s\n' "$name" "$("$DIR/pods" "$DIR/pod.o" "$count" $DEVICES "$@" | tr ' ' '\t')"
	check_pods $(((count - 1) % DEVICES)) $(((count - 1) % ${2:-$count}))
}

batch_line() {	# NAME COUNT DISTINCT
	local ns kib loaded none=-$'\t'
	read -r ns kib loaded < <(batch "$2" "$3")
	printf '%s\t%s\t%s%s\t%s\n' "$1" "$ns" "$none$none$none$none$none$none$none$none$none$none" "$kib" "$loaded"
}

# A batch has one line for each place, so that there are several filters at an interface: NANOSECONDS KIB PROGRAMS
batch() {	# COUNT DISTINCT
	local kib ns
	fresh "$1"
	awk -v count="$1" -v distinct="$2" -v devices=$DEVICES 'BEGIN {
		for (i = 0; i < count; i++)
			printf "d%d prio=%d vni=%d vlan=%d addr=%d\n", i % devices, 1 + int(i / devices),
				1 + i % distinct, 1 + i % distinct % 4094, 167772160 + i % distinct
	}' >"$DIR/batch.txt"
	read -r kib ns < <("$DIR/static/launch" "$BPFSTAMP" attach "$DIR/pod.o" --inline --jobs 1 \
		--batch "$DIR/batch.txt" 2>&1 >"$DIR/batch.out" | tail -n 1)
	check_pods $((($1 - 1) % DEVICES)) $((($1 - 1) % $2)) $((1 + ($1 - 1) / DEVICES))
	echo "$ns $kib $(sed -n 's/.* id \([0-9]*\) .*/\1/p' "$DIR/batch.out" | sort -u | wc -l)"
}

# The most memory of a process, in KiB: NAME KIB
resident() {
	local attach=("$BPFSTAMP" attach "$DIR/pod.o" --dev d0 --set vni=7 --set vlan=7 --set addr=10.0.0.7)
	rss "an empty static process" "$DIR/static/empty"
	rss "static bpfstamp attach" "${attach[@]}"
	rss "static bpfstamp attach --inline" "${attach[@]}" --inline
	fresh 1
	rss "tc filter replace" tc filter replace dev d0 egress prio 1 handle 1 bpf da obj "$DIR/patched.o" sec tc
	rss "libbpf, one pod" "$DIR/pods_libbpf" "$DIR/pod.o" 1 1
	[ ! -x "$DIR/cilium" ] || rss "cilium/ebpf, one pod" "$DIR/cilium" "$DIR/pod.o" <<<"pods 1"
	rss "clang" "$CLANG" -target bpf -O2 -g -iquote . -isystem "$UAPI" -DVNI=7 -DVLAN=7 -DADDR=7 -c \
		-o "$DIR/compiled.o" bench/objects/pod.bpf.c
}

rss() {		# NAME COMMAND…
	printf '%s\t%s\n' "$1" "$("$DIR/static/launch" "${@:2}" 2>&1 >/dev/null | sed -n '$s/ .*//p')"
}

# Instructions in a function and what it calls, of one time that is not the first: NAME INSTRUCTIONS
counted() {	# NAME FUNCTION MODE OBJECT
	local once many
	once=$(collected "$2" "$3" "$4" 1)
	many=$(collected "$2" "$3" "$4" 11)
	printf '%s\t%s\n' "$1" $(((many - once) / 10))
}

collected() {	# FUNCTION MODE OBJECT TIMES
	valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect="$1" \
		"$DIR/user" "$2" "$3" "$4" 2>&1 |
		sed -n 's/.*Collected : //p'
}

instructions() {
	command -v valgrind >/dev/null || return 0
	counted "bpfstamp_open, pod.bpf.c" bpfstamp_open open "$DIR/pod.o"
	counted "libbpf's open, pod.bpf.c" bpf_object__open_file libbpf "$DIR/pod.o"
	counted "bpfstamp_open, 1 MiB" bpfstamp_open open "$DIR/mib.o"
	counted "libbpf's open, 1 MiB" bpf_object__open_file libbpf "$DIR/mib.o"
	counted "bpfstamp_reset, pod.bpf.c" bpfstamp_reset restamp "$DIR/pod.o"
	counted "three times bpfstamp_put, pod.bpf.c" bpfstamp_put restamp "$DIR/pod.o"
	counted "bpfstamp_load, pod.bpf.c" bpfstamp_load load "$DIR/pod.o"
	counted "bpfstamp_load, 4,000 instructions" bpfstamp_load load "$DIR/large.o"
	fresh 1
	"$DIR/user" attach "$DIR/pod.o" 1	# or the first of once would create what the first of many replaces
	counted "bpfstamp_attach, a filter replaced" bpfstamp_attach attach "$DIR/pod.o"
	counted "bpfstamp_reset, 4,000 instructions" bpfstamp_reset restamp "$DIR/large.o"
	counted "ten times bpfstamp_put, 4,000 instructions" bpfstamp_put restamp "$DIR/large.o"
}

main() {
	say "1,000 interfaces, in a namespace that ends with this"
	interfaces
	"$DIR/bench" "$DIR" "$BPFSTAMP" "$ROUNDS"
	"$BPFSTAMP" patch "$DIR/pod.o" --output "$DIR/patched.o" --set vni=7 --set vlan=7 --set addr=0x0700000a \
		>/dev/null
	pods >"$DIR/pods.tsv"
	many >"$DIR/many.tsv"
	say "memory of processes, and instructions"
	resident >"$DIR/resident.tsv"
	instructions >"$DIR/instructions.tsv"
	CLANG=$CLANG bench/report.sh "$DIR" "$BPFSTAMP" "$ROUNDS" $((10 * PODS)) >"$DIR/RESULTS.md"
	gnuplot -e "data='$DIR/pods.tsv'; picture='$DIR/cost.svg'" bench/cost.gp
	sed -i '1a <!-- SPDX-License-Identifier: BSD-2-Clause -->' "$DIR/cost.svg"
	mv "$DIR/RESULTS.md" "$DIR/cost.svg" bench/
	say "bench/RESULTS.md and bench/cost.svg are written, after $((SECONDS / 60)) min $((SECONDS % 60)) s"
	sed -n '/^## In short/,/^## Targets/p' bench/RESULTS.md | sed '$d'
}

main
