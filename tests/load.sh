#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Loading whole objects: what `bpfstamp load` and `attach --pin` leave in a bpffs
# of this test's own, what they leave after a failure (nothing), and that
# programs which need their prog arrays and shared maps find them.
set -u
. "$(dirname "$0")/lib.sh"
start load "$@"

pins=$tmp/bpf

tree() {	# what is pinned, without the kernel's own files
	(cd "$pins" && find . -mindepth 1 ! -name '*.debug' | sort | paste -sd ' ')
}

load() {	# OBJECT OPTIONS…
	local object=$1
	shift
	"$BPFSTAMP" load "$OBJECTS/$object.o" --pin "$pins/p" --pin-path "$pins" "$@"
}

refused() {	# NAME PATTERN COMMAND…: exit status 1, one line, and no pin more or less than before
	local name=$1 pattern=$2 before got
	shift 2
	before=$(tree)
	got=$("$@" 2>&1 >/dev/null)
	is "$name: status" 1 $?
	has "$name: text" "^bpfstamp: .*$pattern" "$got"
	is "$name: pins are as before" "$before" "$(tree)"
}

id_of() {	# map|prog PIN
	bpftool -j "$1" show pinned "$pins/$2" | json_field id
}

unpin() {
	rm -rf "${pins:?}"/p "$pins"/q "$pins"/dropped
}

# --------------------------------------------------------------------- load

test_load() {
	local first object
	unique "$OBJECTS/ping_drop_global.v3.o"
	object=$tmp/$uniq.o
	ok "load" "$BPFSTAMP" load "$object" --pin "$pins/p" --type sched_cls --set target_addr=10.0.0.2
	has "load: says what it loaded" "^  program +$uniq +sched_cls +id [0-9]+ tag [0-9a-f]{16}\$" "$out"
	is "load: pins" "./p ./p/$uniq ./p/maps ./p/maps/${uniq}_data ./p/maps/${uniq}_rodata_str1_1" "$(tree)"
	has "load: the value is in the map" 33554442 "$(bpftool map dump pinned "$pins/p/maps/${uniq}_data")"
	has "load: the program uses the map" "\"map_ids\":\[$(id_of map "p/maps/${uniq}_data")," \
		"$(bpftool -j prog show pinned "$pins/p/$uniq")"
	first=$(id_of prog "p/$uniq")
	refused "load again" "$pins/p/maps/${uniq}_data: File exists: .*--repin" \
		"$BPFSTAMP" load "$object" --pin "$pins/p" --type sched_cls
	is "load again: the program is as before" "$first" "$(id_of prog "p/$uniq")"
	ok "load --repin" "$BPFSTAMP" load "$object" --pin "$pins/p" --type sched_cls --repin --json
	valid_json <<<"$out"
	is "load --repin: valid JSON" 0 $?
	is "load --repin: id is bpftool's" "$(id_of prog "p/$uniq")" "$(json_field id <<<"$out")"
	is "load --repin: pins" "./p ./p/$uniq ./p/maps ./p/maps/${uniq}_data ./p/maps/${uniq}_rodata_str1_1" \
		"$(tree)"
	[ "$first" != "$(id_of prog "p/$uniq")" ]
	is "load --repin: another program" 0 $?
	# The map of .rodata.str1.1 is not called after the object.
	is "load --repin: the first is gone" 2 "$(kernel_objects 2)"
	unpin
	is "load: nothing is left" 0 "$(kernel_objects 0)"
}

test_one() {
	ok "load --prog" load ping_drop_tail.v3 --prog drop
	is "load --prog: pins" "./dropped ./p ./p/drop ./p/maps ./p/maps/dropped" "$(tree)"
	unpin
	refused "load --prog, misspelt" "did you mean 'drop'" load ping_drop_tail.v3 --prog dorp
	ok "load --prog, optional" load optional.v3 --prog sometimes
	unpin
}

test_dry_run() {
	unique "$OBJECTS/ping_drop_tail.v3.o"
	ok "load --dry-run" "$BPFSTAMP" load "$tmp/$uniq.o" --pin "$pins/p" --pin-path "$pins" --dry-run
	has "load --dry-run: says so" "^could load .*$uniq.o" "$out"
	is "load --dry-run: no pin" "" "$(tree)"
	is "load --dry-run: nothing is left" 0 "$(kernel_objects 0)"
}

# Each test object loads without debug info as it does with it.
test_debug_info() {
	local object with without count=0
	for object in "$OBJECTS"/*.v3.o; do
		object=$(basename "$object" .o)
		with=$(load "$object" --dry-run --type sched_cls 2>&1 >/dev/null)
		without=$(load "$object" --dry-run --type sched_cls --no-debug-info 2>&1 >/dev/null)
		is "load --no-debug-info: $object" "$(grep ^bpfstamp: <<<"$with")" "$(grep ^bpfstamp: <<<"$without")"
		[ -n "$with" ] || count=$((count + 1))
	done
	[ "$count" -gt 20 ]
	is "load --no-debug-info: $count objects load" 0 $?
	ok "load --no-debug-info, without need" load ping_drop_rodata.v3 --type sched_cls --no-debug-info --verbose
	has "load --no-debug-info, without need" '^loaded' "$out"
	is "load --no-debug-info: no BTF" null "$(bpftool -j prog show pinned "$pins/p/filter_out" | jq .btf_id)"
	unpin
	ok "load --no-debug-info, with need" load ping_drop_tail.v3 --no-debug-info --verbose
	has "load --no-debug-info, with need" \
		'^note: .*ping_drop_tail.v3.o: loaded with debug info, which the kernel may need: it has maps' "$out"
	unpin
	refused "load --no-debug-info: lines in errors" 'rejected.bpf.c:[0-9]+\)$' \
		"$BPFSTAMP" load "$OBJECTS/rejected.v3.o" --pin "$pins/p" --type sched_cls --no-debug-info
	load ping_drop_stamp.v3 --debug-info --no-debug-info >/dev/null 2>&1
	is "--debug-info and --no-debug-info: usage" 2 $?
}

test_refused() {
	unique "$OBJECTS/rejected.v3.o"
	refused "verifier" "the kernel refuses program $uniq .*rejected.bpf.c:[0-9]+" \
		"$BPFSTAMP" load "$tmp/$uniq.o" --pin "$pins/p" --type sched_cls
	is "verifier: nothing is left" 0 "$(kernel_objects 0)"
	mkdir "$pins/p"
	bpftool prog load "$OBJECTS/ping_drop_stamp.v3.o" "$pins/p/drop" type classifier 2>/dev/null
	refused "a name is taken" "cannot pin $pins/p/drop: File exists" load ping_drop_tail.v3
	unpin
	refused "no type" "section egress does not tell the type of program filter_out" load ping_drop_global.v3
	refused "not a bpffs" "$tmp/other.*bpffs" \
		"$BPFSTAMP" load "$OBJECTS/ping_drop_global.v3.o" --type sched_cls --pin "$tmp/other/p"
	[ ! -e "$tmp/other" ]
	is "not a bpffs: no folder is left" 0 $?
	refused "unset symbol" "symbol target_addr has no value" load ping_drop_symbol.v3 --type sched_cls
	"$BPFSTAMP" load "$OBJECTS/ping_drop_global.v3.o" >/dev/null 2>&1
	is "no --pin: usage" 2 $?
	load ping_drop_global.v3 --type nosuch >/dev/null 2>&1
	is "unknown --type: usage" 2 $?
}

# -------------------------------------------- maps that programs share by name

test_shared() {
	local first
	ok "shared map: load" load ping_drop_tail.v3
	first=$(id_of map dropped)
	ok "shared map: load elsewhere" "$BPFSTAMP" load "$OBJECTS/ping_drop_tail.v1.o" --pin "$pins/q" \
		--pin-path "$pins"
	is "shared map: it is the same" "$first $first" "$(id_of map p/maps/dropped) $(id_of map q/maps/dropped)"
	unpin
	bpftool map create "$pins/dropped" type array key 4 value 4 entries 1 name dropped
	refused "another map has the name" "pin $pins/dropped has value_size 4, not 8" load ping_drop_tail.v3
	unpin
	bpftool prog load "$OBJECTS/ping_drop_stamp.v3.o" "$pins/dropped" type classifier 2>/dev/null
	refused "a program has the name" "$pins/dropped" load ping_drop_tail.v3
	unpin
}

# ------------------------------------------------------------------- attach

test_attach() {
	local hook=(--dev va --pin-path "$pins")
	refused "attach without --pin" "prog array jumps .*--pin" \
		"$BPFSTAMP" attach "$OBJECTS/ping_drop_tail.v3.o" "${hook[@]}" --prog filter_out
	for cpu in v1 v3; do
		ok "attach --pin $cpu" "$BPFSTAMP" attach "$OBJECTS/ping_drop_tail.$cpu.o" "${hook[@]}" \
			--prog filter_out --pin "$pins/p" --set target_addr=10.0.0.2
		pings "attach --pin $cpu: the tail call drops" lost answered
		has "attach --pin $cpu: and counts" '"value": ?1' \
			"$(bpftool -j map dump pinned "$pins/dropped" | tr -d '[]')"
		ok "attach --repin $cpu" "$BPFSTAMP" attach "$OBJECTS/ping_drop_tail.$cpu.o" "${hook[@]}" \
			--prog filter_out --pin "$pins/p" --repin --set target_addr=10.0.0.3
		pings "attach --repin $cpu: the other address" answered lost
		has "attach --repin $cpu: counts on" '"value": ?2' \
			"$(bpftool -j map dump pinned "$pins/dropped" | tr -d '[]')"
		rm -r "$pins/p"
		pings "$cpu: the kernel empties a prog array without a pin" answered answered
		ok "detach $cpu" "$BPFSTAMP" detach --dev va
		unpin
	done
	tc qdisc replace dev va clsact
	tc filter add dev va egress prio 1 handle 1 bpf da obj "$OBJECTS/ping_drop_stamp.v1.o" sec egress
	refused "attach --pin over a foreign filter" "taken by" "$BPFSTAMP" attach "$OBJECTS/ping_drop_stamp.v3.o" \
		"${hook[@]}" --pin "$pins/p" --set target_addr=1
	refused "attach --pin over a foreign filter, maps by name" "taken by" "$BPFSTAMP" attach \
		"$OBJECTS/ping_drop_tail.v3.o" "${hook[@]}" --prog filter_out --pin "$pins/p"
	refused "attach over a foreign filter, maps by name" "taken by" "$BPFSTAMP" attach \
		"$OBJECTS/ping_drop_tail.v3.o" "${hook[@]}" --prog drop
	tc qdisc del dev va clsact
}

test_valgrind() {
	have valgrind || { skip valgrind "not installed"; return; }
	! grep -q __asan_init "$BPFSTAMP" || { skip valgrind "the binary has ASan"; return; }
	valgrind_clean "load" 0 load "$OBJECTS/ping_drop_tail.v3.o" --pin "$pins/p" --pin-path "$pins"
	valgrind_clean "load again" 1 load "$OBJECTS/ping_drop_tail.v3.o" --pin "$pins/p" --pin-path "$pins"
	valgrind_clean "load --repin --json" 0 load "$OBJECTS/ping_drop_tail.v3.o" --pin "$pins/p" \
		--pin-path "$pins" --repin --json
	unpin
}

[ "$isolated" = yes ] || { skip load "needs root, to make namespaces and a bpffs"; finish; }
have bpftool && have jq || { skip load "needs bpftool and jq"; finish; }
mkdir "$pins" && mount -t bpf none "$pins" || { skip load "no bpffs"; finish; }
network || { skip load "no veth devices"; finish; }
test_load
test_one
test_dry_run
test_debug_info
test_refused
test_shared
test_attach
test_valgrind
finish
