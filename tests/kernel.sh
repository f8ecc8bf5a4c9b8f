#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The command line on the kernel that runs: pings tell what each program does,
# tc and bpftool tell what was left behind, and tc, bpftool and cilium/ebpf load
# what `bpfstamp patch` writes.
set -u
. "$(dirname "$0")/lib.sh"
start kernel "$@"

# How a program of each kind is given the address: sets $values.
values_for() {	# KIND ADDRESS
	case $1 in
	const) values=(--replace "0xFEDCBA98=$2" --expect 2) ;;	# in a call and in a comparison
	*) values=(--set "target_addr=$2") ;;
	esac
}

# Filters of a hook, without those that only announce a prio.
filters() {	# [-n NETNS] dev DEV DIRECTION
	local at=()
	[ "$1" != -n ] || { at=(-n "$2"); shift 2; }
	tc "${at[@]}" filter show "$@" | grep handle
}

# ---------------------------------------------------------------- verdicts

life_of_a_filter() {	# KIND CPU DIRECTION
	local name="$1 $2 $3" object=$OBJECTS/ping_drop_$1.$2.o values
	local hook=(--dev va --direction egress) at=()

	[ "$3" = egress ] || { hook=(--dev vb --direction ingress --netns peer); at=(-n peer); }
	values_for "$1" 10.0.0.2
	ok "$name: attach" "$BPFSTAMP" attach "$object" "${hook[@]}" "${values[@]}" || return
	pings "$name: stamped with 10.0.0.2" lost answered
	values_for "$1" 10.0.0.3
	ok "$name: attach again" "$BPFSTAMP" attach "$object" "${hook[@]}" "${values[@]}"
	pings "$name: stamped with 10.0.0.3" answered lost
	is "$name: one filter" 1 "$(filters "${at[@]}" dev "${hook[1]}" "$3" | wc -l)"
	ok "$name: detach" "$BPFSTAMP" detach "${hook[@]}"
	pings "$name: detached" answered answered
	is "$name: no filter is left" "" "$(filters "${at[@]}" dev "${hook[1]}" "$3")"
	has "$name: clsact stays" clsact "$(tc "${at[@]}" qdisc show dev "${hook[1]}")"
}

test_verdicts() {
	local kind cpu direction
	for kind in global const stamp symbol; do
		for cpu in v1 v2 v3 v4; do
			for direction in egress ingress; do
				life_of_a_filter $kind $cpu $direction
			done
		done
	done
	for kind in bss rodata; do
		life_of_a_filter $kind v3 egress
	done
}

test_unset_symbol() {
	local got
	got=$("$BPFSTAMP" attach "$OBJECTS/ping_drop_symbol.v3.o" --dev va 2>&1)
	is "unset symbol: status" 1 $?
	has "unset symbol: text" '^bpfstamp: .*symbol target_addr has no value' "$got"
	is "unset symbol: no filter" "" "$(filters dev va egress)"
}

test_frozen() {
	local kind got
	for kind in rodata global; do
		unique "$OBJECTS/ping_drop_$kind.v3.o"
		ok "$kind: attach" "$BPFSTAMP" attach "$tmp/$uniq.o" --dev va --set target_addr=10.0.0.2
		got=$(bpftool map list | grep -A 3 "name ${uniq:0:7}.*\.${kind/global/data}")
		has "$kind: the map holds the value" 33554442 "$(bpftool map dump id "${got%%:*}")"
		case $kind in
		rodata) has "rodata: the map is frozen" frozen "$got" ;;
		*) is "data: the map is not frozen" 0 "$(grep -c frozen <<<"$got")" ;;
		esac
		ok "$kind: detach" "$BPFSTAMP" detach --dev va
	done
}

# ------------------------------------------------------------ other loaders

# Pin directories and the Go loader; the cache of Go lies beside the objects.
build_cilium() {
	have go || return 1
	GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$OBJECTS/go-cache GOFLAGS="" \
		go build -o "$tmp/cilium" "$(dirname "$0")/cilium/main.go" 2>"$tmp/go.log"
}

load_with() {	# LOADER OBJECT PIN: attached to egress of va, or pinned and then attached
	case $1 in
	tc) tc filter replace dev va egress prio 5 handle 5 bpf da obj "$2" sec egress ;;
	bpftool) bpftool prog load "$2" "$3" type classifier ;;
	cilium) "$tmp/cilium" "$2" filter_out "$3" ;;
	esac
}

loads() {	# LOADER OBJECT NAME: and leaves it attached
	local pin=/sys/fs/bpf/pin
	ok "$3" load_with "$1" "$2" $pin || return
	[ "$1" = tc ] || ok "$3, pinned" tc filter replace dev va egress prio 5 handle 5 bpf da pinned $pin
}

unload() {
	tc filter del dev va egress 2>/dev/null
	rm -f /sys/fs/bpf/pin
}

test_other_loaders() {
	local kind cpu loader name values patched=$tmp/patched.o loaders="tc"

	tc qdisc replace dev va clsact
	if have bpftool; then loaders+=" bpftool"; else skip "load with bpftool" "no bpftool"; fi
	if build_cilium; then loaders+=" cilium"; else skip "load with cilium/ebpf" "no Go or no cilium/ebpf"; fi
	for kind in global const stamp symbol bss rodata; do
		for cpu in v1 v3; do
			values_for $kind 10.0.0.2
			ok "$kind $cpu: patch" "$BPFSTAMP" patch "$OBJECTS/ping_drop_$kind.$cpu.o" \
				--output "$patched" "${values[@]}" || continue
			for loader in $loaders; do
				name="patched $kind $cpu by $loader"
				loads $loader "$patched" "$name" && pings "$name: pings" lost answered
				unload
			done
		done
	done
	for loader in $loaders; do
		name="unpatched stamp by $loader"
		loads $loader "$OBJECTS/ping_drop_stamp.v3.o" "$name" && pings "$name: pings" answered answered
		unload
	done
}

# Globals become immediates: the same verdicts, and no map; also by way of a file.
test_inline() {
	local kind cpu name id patched=$tmp/inlined.o
	for kind in global rodata bss; do
		for cpu in v1 v2 v3 v4; do
			name="inline $kind $cpu"
			ok "$name: attach" "$BPFSTAMP" attach "$OBJECTS/ping_drop_$kind.$cpu.o" --dev va --inline \
				--set target_addr=10.0.0.2 --no-record --json || continue
			id=$(json_field id <<<"$out")
			pings "$name" lost answered
			is "$name: no map" 0 "$(bpftool prog show id "$id" | grep -c map_ids)"
			ok "$name: detach" "$BPFSTAMP" detach --dev va
			ok "$name: patch" "$BPFSTAMP" patch "$OBJECTS/ping_drop_$kind.$cpu.o" --inline \
				--set target_addr=10.0.0.3 --output "$patched"
			loads tc "$patched" "$name: patched, by tc" && pings "$name: patched" answered lost
			unload
		done
	done
}

# ---------------------------------------------------- show, and other filters

attach_stamp() {	# OPTIONS…
	"$BPFSTAMP" attach "$OBJECTS/ping_drop_stamp.v3.o" --dev va --set target_addr=10.0.0.2 "$@"
}

foreign_bpf() {		# prio handle
	tc filter add dev va egress prio "$1" handle "$2" \
		bpf da obj "$OBJECTS/ping_drop_stamp.v1.o" sec egress 2>/dev/null
}

test_show() {
	local attached shown tc_json net field

	attached=$(attach_stamp --prio 7 --handle 9 --json)
	shown=$("$BPFSTAMP" show --dev va --json)
	tc_json=$(tc -j filter show dev va egress)
	net=$(bpftool -j net show dev va)
	is "show: name" "$(json_field program <<<"$attached")" "$(json_field name <<<"$shown")"
	for field in id tag ifindex direction prio handle; do
		is "show: $field is as attach said" \
			"$(json_field $field <<<"$attached")" "$(json_field $field <<<"$shown")"
	done
	is "show: prio" 7 "$(json_field prio <<<"$shown")"
	is "show: handle" 9 "$(json_field handle <<<"$shown")"
	is "show: id is tc's" "$(json_field id <<<"$tc_json")" "$(json_field id <<<"$shown")"
	is "show: tag is tc's" "$(json_field tag <<<"$tc_json")" "$(json_field tag <<<"$shown")"
	is "show: id is bpftool's" "$(json_field id <<<"$net")" "$(json_field id <<<"$shown")"
	is "show: interface is bpftool's" "$(json_field ifindex <<<"$net")" "$(json_field ifindex <<<"$shown")"
	has "show: direct-action" '"direct-action":true' "$tc_json"
	foreign_bpf 8 1
	tc filter add dev va ingress prio 3 u32 match u32 0 0 classid 1:1
	shown=$("$BPFSTAMP" show)
	has "show: ours" '^va clsact egress prio 7 handle 0x9 bpf filter_out id [0-9]+ tag [0-9a-f]{16}$' "$shown"
	has "show: another's bpf" '^va clsact egress prio 8 handle 0x1 bpf .*\(not by bpfstamp\)$' "$shown"
	has "show: another's u32" '^va clsact ingress prio 3 handle 0x80000800 u32 \(not by bpfstamp\)$' "$shown"
	is "show: all, with u32's hash table" 4 "$(grep -c '^va' <<<"$shown")"
	tc qdisc del dev va clsact
	is "show: no clsact" "" "$("$BPFSTAMP" show)"
}

# Attach and detach in a place that another's filter has: refused without damage.
refused() {	# NAME PATTERN COMMAND…
	local name=$1 pattern=$2 before after got
	shift 2
	before=$(tc -j filter show dev va egress)
	got=$("$@" 2>&1)
	is "$name: status" 1 $?
	has "$name: text" "$pattern" "$got"
	after=$(tc -j filter show dev va egress)
	is "$name: nothing changed" "$before" "$after"
}

among_another_kind() {	# KIND HANDLE, at prio 1
	refused "attach over $1" "prio 1 on va is taken by a $1" attach_stamp --handle "$2"
	refused "attach --dry-run over $1" "taken by .*$1" attach_stamp --handle "$2" --dry-run
	refused "attach --force over $1" "taken by a $1" attach_stamp --handle "$2" --force
	refused "attach beside $1, other handle" "taken by a $1" attach_stamp --handle 2
	refused "attach --dry-run beside $1, other handle" "taken by a $1" attach_stamp --handle 2 --dry-run
	refused "attach beside $1, other protocol" "taken by a $1" attach_stamp --protocol ip
	refused "detach $1" "taken by .*$1" "$BPFSTAMP" detach --dev va --handle "$2"
	refused "detach --force $1" "taken by .*$1" "$BPFSTAMP" detach --dev va --handle "$2" --force
	refused "detach beside $1" "no filter at prio 1 handle 0x2" "$BPFSTAMP" detach --dev va --handle 2
}

test_foreign() {
	local before

	tc qdisc add dev va clsact
	foreign_bpf 1 1
	refused "attach over a foreign bpf" "taken by .*bpf 'ping_drop_stamp.*--force" attach_stamp
	refused "attach --dry-run over a foreign bpf" "taken by .*--force" attach_stamp --dry-run
	refused "detach a foreign bpf" "taken by .*--force" "$BPFSTAMP" detach --dev va
	ok "attach --force over a foreign bpf" attach_stamp --force
	pings "attach --force over a foreign bpf" lost answered
	is "attach --force replaces" 1 "$(filters dev va egress | wc -l)"
	ok "detach what was forced" "$BPFSTAMP" detach --dev va
	foreign_bpf 1 1
	ok "detach --force a foreign bpf" "$BPFSTAMP" detach --dev va --force
	is "detach --force removes" "" "$(filters dev va egress)"

	# Every kernel has u32; matchall is a module that may be missing.
	tc filter add dev va egress prio 1 u32 match u32 0 0 classid 1:1
	among_another_kind u32 0x80000800
	tc filter del dev va egress
	if tc filter add dev va egress prio 1 handle 1 matchall classid 1:1 2>/dev/null; then
		among_another_kind matchall 1
		tc filter del dev va egress
	fi

	foreign_bpf 2 1
	foreign_bpf 3 1
	before=$(traffic_control)
	ok "attach among others" attach_stamp --prio 3 --handle 2
	ok "detach among others" "$BPFSTAMP" detach --dev va --prio 3 --handle 2
	ok "attach before others, other protocol" attach_stamp --prio 9 --protocol ip
	ok "detach before others, other protocol" "$BPFSTAMP" detach --dev va --prio 9 --protocol ip
	is "filters of others survive" "$before" "$(traffic_control)"
	tc qdisc del dev va clsact
}

# -------------------------------------------------------------------- leaks

test_no_leaks() {
	local kind values
	for kind in global const stamp symbol; do
		values_for $kind 10.0.0.2
		unique "$OBJECTS/ping_drop_$kind.v3.o"
		"$BPFSTAMP" attach "$tmp/$uniq.o" --dev va "${values[@]}" >/dev/null
		"$BPFSTAMP" attach "$tmp/$uniq.o" --dev va "${values[@]}" >/dev/null
		case $kind in
		global) is "$kind: one program, one map" 2 "$(kernel_objects 2)" ;;
		*) is "$kind: one program, no map" 1 "$(kernel_objects 1)" ;;
		esac
		"$BPFSTAMP" detach --dev va >/dev/null
		is "$kind: nothing is left in the kernel" 0 "$(kernel_objects 0)"
	done
	unique "$OBJECTS/rejected.v3.o"
	"$BPFSTAMP" attach "$tmp/$uniq.o" --dev va >/dev/null 2>&1
	is "rejected: nothing is left in the kernel" 0 "$(kernel_objects 0)"
}

test_valgrind() {
	local valgrind_options="" values kind o
	have valgrind || { skip valgrind "not installed"; return; }
	! grep -q __asan_init "$BPFSTAMP" || { skip valgrind "the binary has ASan"; return; }
	for kind in global const stamp; do
		o=$OBJECTS/ping_drop_$kind.v3.o
		values_for $kind 10.0.0.2
		valgrind_clean "attach $kind" 0 attach "$o" --dev va "${values[@]}"
		valgrind_clean "attach --json $kind again" 0 attach "$o" --dev va --json "${values[@]}"
		valgrind_clean "patch $kind" 0 patch "$o" --output "$tmp/v.o" --json "${values[@]}"
		valgrind_clean "disasm $kind" 0 disasm "$o" "${values[@]}"
		valgrind_clean "inspect $kind" 0 inspect "$o" --json
	done
	# Valgrind does not know what bpf(2) fills when it tells of a program and its BTF.
	valgrind_options=--undef-value-errors=no valgrind_clean "show" 0 show
	valgrind_options=--undef-value-errors=no valgrind_clean "show --json" 0 show --json
	valgrind_clean "detach" 0 detach --dev va --json
	valgrind_clean "detach what is gone" 1 detach --dev va
	# Valgrind does not know that the kernel fills the log of a program that it refuses.
	valgrind_options=--undef-value-errors=no valgrind_clean "attach, rejected" 1 \
		attach "$OBJECTS/rejected.v3.o" --dev va
	valgrind_clean "attach --netns" 1 attach "$OBJECTS/ping_drop_stamp.v3.o" --dev nosuch --netns peer
	valgrind_clean "disasm --json" 0 disasm "$OBJECTS/ping_drop_symbol.v3.o" --json --set target_addr=1
	valgrind_clean "a value that does not fit" 1 \
		disasm "$OBJECTS/ping_drop_stamp.v3.o" --set target_addr=0x100000000
}

# --------------------------------------------------------------- capabilities

as_user() {	# CAPABILITIES COMMAND…
	local caps=$1
	shift
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps "-all$caps" --ambient-caps "-all$caps" "$@"
}

test_capabilities() {
	local both=,+bpf,+net_admin got caps o
	have setpriv || { skip capabilities "no setpriv"; return; }
	mkdir -p "$tmp/user"
	cp "$BPFSTAMP" "$OBJECTS"/ping_drop_{stamp,global}.v3.o "$tmp/user" && chmod -R a+rX "$tmp/user"
	local bin=$tmp/user/bpfstamp
	o=$tmp/user/ping_drop_stamp.v3.o
	tc qdisc del dev va clsact 2>/dev/null
	ok "with both capabilities: attach" as_user $both "$bin" attach "$o" --dev va --set target_addr=10.0.0.2
	has "with both capabilities: id and tag" 'id [1-9][0-9]* tag [0-9a-f]{16}' "$out"
	pings "with both capabilities" lost answered
	ok "with both capabilities: attach again" \
		as_user $both "$bin" attach "$o" --dev va --set target_addr=10.0.0.3
	pings "with both capabilities, again" answered lost
	ok "with both capabilities: show" as_user $both "$bin" show
	has "with both capabilities: shown" 'bpf filter_out id' "$out"
	ok "with both capabilities: detach" as_user $both "$bin" detach --dev va
	is "with both capabilities: nothing is left" "" "$(filters dev va egress)"
	tc qdisc del dev va clsact
	for caps in "" ,+bpf ,+net_admin; do
		got=$(as_user "$caps" "$bin" attach "$o" --dev va --set target_addr=10.0.0.2 2>&1)
		is "with only '$caps': status" 1 $?
		has "with only '$caps': text" "$([ "$caps" = ,+bpf ] && echo CAP_NET_ADMIN || echo CAP_BPF)" "$got"
		is "with only '$caps': one line" 1 "$(grep -c '^bpfstamp: ' <<<"$got")"
		is "with only '$caps': nothing is left" 0 "$(tc qdisc show dev va | grep -c clsact)"
	done
	got=$(as_user $both "$bin" attach "$tmp/user/ping_drop_global.v3.o" --dev va --set target_addr=10.0.0.2 2>&1)
	is "bpf_trace_printk without CAP_PERFMON: status" 1 $?
	has "bpf_trace_printk without CAP_PERFMON: text" 'bpf_trace_printk.*CAP_PERFMON' \
		"$(grep ^bpfstamp: <<<"$got")"
	is "bpf_trace_printk without CAP_PERFMON: nothing is left" 0 "$(tc qdisc show dev va | grep -c clsact)"
	ok "with CAP_PERFMON, too" as_user $both,+perfmon "$bin" attach "$tmp/user/ping_drop_global.v3.o" --dev va \
		--set target_addr=10.0.0.2
	as_user "" "$bin" detach --dev va >/dev/null 2>"$tmp/err"
	is "detach without capabilities: status" 1 $?
	has "detach without capabilities: text" CAP_NET_ADMIN "$(cat "$tmp/err")"
	"$BPFSTAMP" detach --dev va >/dev/null
}

# ------------------------------------------------------------------ namespaces

test_netns() {
	local netns pid
	nsenter --net=/run/netns/peer sleep 100 & pid=$!
	for _ in {1..500}; do
		[ "/proc/$pid/ns/net" -ef /run/netns/peer ] && break
		sleep 0.01
	done
	for netns in peer /run/netns/peer $pid /proc/$pid/ns/net; do
		ok "--netns $netns: attach" "$BPFSTAMP" attach "$OBJECTS/ping_drop_stamp.v3.o" --dev vb \
			--netns "$netns" --direction ingress --set target_addr=10.0.0.3
		pings "--netns $netns" answered lost
		ok "--netns $netns: show" "$BPFSTAMP" show --netns "$netns"
		has "--netns $netns: shown" '^vb clsact ingress prio 1 handle 0x1 bpf filter_out' "$out"
		ok "--netns $netns: detach" "$BPFSTAMP" detach --dev vb --netns "$netns" --direction ingress
	done
	kill $pid
	wait $pid 2>/dev/null
	is "--netns: nothing is left" "" "$(filters -n peer dev vb ingress)"
}

if [ "$isolated" != yes ]; then
	skip "all" "needs root and namespaces"
	finish
fi
mount -t bpf none /sys/fs/bpf && network || { fail "network" "cannot be made"; finish; }
pings "without a filter" answered answered
for t in verdicts unset_symbol frozen other_loaders inline show foreign no_leaks valgrind capabilities netns; do
	began=$SECONDS
	test_$t
	[ -z "${VERBOSE:-}" ] || echo "$t took $((SECONDS - began)) s"
done
finish
