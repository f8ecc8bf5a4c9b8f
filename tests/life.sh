#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The life of programs among packets and other people: traffic that never stops
# while a program is replaced again and again; tc, ip and bpftool that create,
# replace and delete around us; kill -9 at any point of attach and detach;
# interfaces that come and go; and a thousand of them.
#
# $LIFE is the folder of tests/life as built: gate.o, a program that always drops
# UDP to port 4009 and what goes to a port of one's choice; stream, which counts
# the packets that arrive and should not, and the other way round; and between,
# which kills a command, or lets others act, between two of its system calls.
#
# LIFE_ROUNDS scales it: so many replacements and interfaces, half as many
# kills.  LIFE_SEED chooses when they happen.
set -u
. "$(dirname "$0")/lib.sh"
start life "$@"

rounds=${LIFE_ROUNDS:-1000}
seed=${LIFE_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
always=4009 never=4011 one=5001 two=5002	# ports: dropped, never dropped, and chosen by turns
bpffs=/sys/fs/bpf
here=/proc/$$/ns/net there=/run/netns/peer
gate=$tmp/$uniq.o
gone='^bpfstamp: .*(no |not )'		# what detach says where nothing is attached

# ---------------------------------------------------------------- a place

# Every kind of hook, as "NAME OPTION…"; packets meet it on va.
hooks=(
	"clsact_egress --direction egress"
	"clsact_ingress --direction ingress --prio 7 --handle 3"
	"tcx_egress --tcx --direction egress"
	"tcx_ingress --tcx --direction ingress --link-pin $bpffs/links/gate"
	"xdp_native --hook xdp --xdp-mode native --direction ingress"
	"xdp_link --hook xdp --direction ingress --link-pin $bpffs/links/gate"
)

# Take one of them: $hook is its name, $place its options, $program what runs there, $route where packets go.
at_hook() {	# "NAME OPTION…"
	read -ra place <<<"$1"
	hook=${place[0]}
	place=(--dev va "${place[@]:1}")
	program=$uniq
	route=("$there" "$here" 10.0.0.1)
	case $hook in
	xdp*) program=${uniq}_xdp ;;
	*egress) route=("$here" "$there" 10.0.0.2) ;;
	esac
}

attach() {	# PORT OPTION…
	local port=$1
	shift
	"$BPFSTAMP" attach "$gate" --prog "$program" "${place[@]}" --set "port=$port" "$@"
}

detach() {
	"$BPFSTAMP" detach "${place[@]}" "$@"
}

stream() {	# COUNT PASS DROP
	"$LIFE/stream" "$1" "${route[@]}" "$2" "$3"
}

works() {	# NAME PORT: drops that, and passes the other one
	is "$1: drops what it was told last" "sent 20 lost 0 leaked 0 strange 0" "$(stream 20 $((one + two - $2)) "$2")"
}

open_gate() {	# NAME
	is "$1: packets pass" "sent 20 lost 0 leaked 20 strange 0" "$(stream 20 $never $always)"
}

# ------------------------------------------------------------ what is left

# How many programs of ours the kernel has; it frees them a little late.
programs() {	# EXPECTED
	local n
	for _ in {1..50}; do
		n=$(bpftool prog list | grep -cE "name ${uniq}(_xdp)? ")
		[ "$n" = "$1" ] && break
		sleep 0.1
	done
	echo "$n"
}

# Maps called bpfstamp that hold our program's name: its records.
records() {
	local id hex n=0
	hex=$(printf %s "$uniq" | od -An -tx1)
	for id in $(bpftool map list | sed -n 's/^\([0-9]*\): .*name bpfstamp .*/\1/p'); do
		bpftool map dump id "$id" 2>/dev/null | tr -s ' \n' ' ' | grep -qF "${hex# }" && n=$((n + 1))
	done
	echo $n
}

shown() {	# JQ FILTER, of each attachment
	"$BPFSTAMP" show --json | jq -rc ".attachments[] | $1"
}

pins() {
	find "$bpffs" -mindepth 1 -type f ! -name '*.debug' | sort
}

one_left() {	# NAME
	is "$1: one attachment" "$program" "$(shown .name)"
	is "$1: one program" 1 "$(programs 1)"
	is "$1: one record" 1 "$(records)"
	is "$1: pins" "$([[ $hook != tcx* && $hook != *link ]] || echo 1)" "$(pins | grep -c . | grep -v '^0$')"
}

nothing_left() {	# NAME
	is "$1: no attachment is left" "" "$(shown .)"
	is "$1: no program is left" 0 "$(programs 0)"
	is "$1: no record is left" 0 "$(records)"
	is "$1: no pin is left" "" "$(pins)"
	tc qdisc del dev va clsact 2>/dev/null
}

# -------------------------------------------------------------------- flood

# Nothing that should pass is lost, and nothing passes that must be dropped, not even while the program changes.
test_flood() {	# ROUNDS
	local i wrong=0 pid sent count=$1
	ok "flood $hook: attach" attach $one || return
	"$LIFE/stream" 0 "${route[@]}" $never $always >"$tmp/stream" & pid=$!
	sleep 0.1
	for ((i = 1; i <= count; i++)); do
		attach $((i % 2 ? two : one)) >"$tmp/attach" 2>&1 || { wrong=$((wrong + 1)); cat "$tmp/attach" >"$tmp/wrong"; }
	done
	kill -TERM $pid
	wait $pid
	sent=$(sed 's/^sent \([0-9]*\) .*/\1/' "$tmp/stream")
	is "flood $hook: $count replacements" 0 $wrong
	[ $wrong = 0 ] || cat "$tmp/wrong"
	is "flood $hook: nothing lost, nothing leaked" "sent $sent lost 0 leaked 0 strange 0" "$(cat "$tmp/stream")"
	[ "$sent" -gt "$count" ]
	is "flood $hook: packets between replacements ($sent)" 0 $?
	works "flood $hook" $((count % 2 ? two : one))
	one_left "flood $hook"
	ok "flood $hook: detach" detach
	open_gate "flood $hook: detached"
	nothing_left "flood $hook"
}

# ------------------------------------------------------------------ kill -9

# The command that was killed, run again, succeeds, and everything is as if nothing had happened.
repaired_attach() {	# NAME PORT OPTION…
	local name=$1 port=$2
	shift 2
	ok "$name: attach again" attach "$port" "$@" || return
	is "$name: one attachment" "$program" "$(shown .name)"
}

repaired_detach() {	# NAME
	local got
	if ! got=$(detach 2>&1); then
		has "$1: detach again" "$gone" "$got"
	fi
	is "$1: nothing is attached" "" "$(shown .)"
}

# Status 0: it was killed; 1: it ended before.  A command that fails by itself is a failure.
killed() {	# NAME STATUS
	case $2 in
	137) return 0 ;;
	100) return 1 ;;
	*) fail "$1: status $2" "$(cat "$tmp/killed")"; return 1 ;;
	esac
}

kill_attach() {	# NAME call|after NUMBER PORT OPTION…
	local name=$1 when=$2 number=$3 port=$4
	shift 4
	"$LIFE/between" kill "$when" "$number" "$BPFSTAMP" attach "$gate" --prog "$program" "${place[@]}" \
		--set "port=$port" "$@" >"$tmp/killed" 2>&1
	killed "$name: attach" $?
}

kill_detach() {	# NAME call|after NUMBER; what was detached before may be missing
	local status
	"$LIFE/between" kill "$2" "$3" "$BPFSTAMP" detach "${place[@]}" >"$tmp/killed" 2>&1
	status=$?
	[ $status != 1 ] || ! grep -qE "$gone" "$tmp/killed" || return 1
	killed "$1: detach" $status
}

# After every STEPth system call that changes something: the first attach, a replacement, and a detach.
test_kill_each_call() {	# STEP OPTION…
	local n name more step=$1

	shift
	for ((n = 1 + RANDOM % step, more = 1; n < 100 && more; n += step)); do
		name="kill $hook${*:+ $*}, call $n"
		more=
		kill_attach "$name" call $n $one "$@" && more=1
		repaired_attach "$name, first" $one "$@"
		kill_attach "$name" call $n $two "$@" && more=1
		repaired_attach "$name, replacing" $two "$@"
		[ $((n % 2)) = 0 ] || works "$name" $two
		kill_detach "$name" call $n && more=1
		repaired_detach "$name"
		rm -rf "${bpffs:?}/pinned"
	done
	is "kill $hook${*:+ $*}: some calls, not all" 0 "$((n < 4 || n > 90))"
	nothing_left "kill $hook${*:+ $*}"
}

how_long() {	# COMMAND…: microseconds, of the fastest of five
	local i began took fastest=100000
	for i in 1 2 3 4 5; do
		began=${EPOCHREALTIME/[.,]/}
		"$@" >/dev/null 2>&1
		took=$((${EPOCHREALTIME/[.,]/} - began))
		[ $took -gt $fastest ] || fastest=$took
	done
	echo $fastest
}

# At random times.  Nothing is repaired in between but by the commands themselves.
test_kill_random() {	# COUNT OPTION…
	local i count=$1 hit=0 name longest
	shift
	name="kill $hook${*:+ $*} at random"
	ok "$name: attach" attach $one "$@" || return
	longest=$(how_long attach $one "$@")
	for ((i = 0; i < count; i++)); do
		case $((RANDOM % 3)) in
		0) kill_detach "$name" after $((RANDOM % longest)) ;;
		*) kill_attach "$name" after $((RANDOM % longest)) $((RANDOM % 2 ? one : two)) "$@" ;;
		esac && hit=$((hit + 1))
		[ $((i % 10)) != 9 ] || repaired_attach "$name, $i" $one "$@"
	done
	echo "$name: $hit of $count were killed within $longest microseconds"
	repaired_attach "$name" $two "$@"
	works "$name" $two
	one_left "$name"
	ok "$name: detach" detach
	rm -rf "${bpffs:?}/pinned"
	nothing_left "$name"
}

# -------------------------------------------------------------- two owners

foreign() {	# add|replace PRIO HANDLE: a filter of tc's, on egress
	ok "tc filter $1 prio $2 handle $3" tc filter "$1" dev va egress prio "$2" handle "$3" \
		bpf da obj "$LIFE/gate.o" sec tc
}

ours() {
	"$BPFSTAMP" attach "$gate" --prog "$uniq" --dev va "$@" >/dev/null
}

# Filters as "DIRECTION PRIO HANDLE CHAIN NAME ID", and programs as "HOOK NAME ID", as each tool tells them.
filters_of_show() {
	shown 'select(.hook == "clsact" and .kind == "bpf") | [.direction, .prio, .handle, .chain,
		(if .ours then "bpfstamp:" + .name else .name end), .id] | @tsv' |
		while read -r direction prio handle rest; do
			printf '%s %s 0x%x %s\n' "$direction" "$prio" "$handle" "${rest//$'\t'/ }"
		done
}

filters_of_tc() {
	local direction
	for direction in ingress egress; do
		tc -j filter show dev va $direction | jq -r --arg d $direction '.[] | select(.options.prog) |
			"\($d) \(.pref) \(.options.handle) \(.chain) \(.options.bpf_name) \(.options.prog.id)"'
	done
}

programs_of_show() {
	shown 'select(.dev == "va" and .kind == "bpf") |
		"clsact/\(.direction) \(if .ours then "bpfstamp:" + .name else .name end) \(.id)"'
	shown 'select(.dev == "va" and .hook == "xdp") | "xdp \(.id)"'
}

programs_of_bpftool() {
	bpftool -j net show dev va | jq -r '.[0] | (.tc[] | "\(.kind) \(.name) \(.id)"), (.xdp[] | "xdp \(.id)")'
}

agree() {	# NAME FILTERS: all tools tell the same, and so many filters
	local filters
	filters=$(filters_of_tc)
	is "$1: tc agrees" "$filters" "$(filters_of_show)"
	is "$1: bpftool agrees" "$(programs_of_bpftool)" "$(programs_of_show)"
	is "$1: filters" "$2" "$(grep -c . <<<"$filters")"
}

theirs() {
	filters_of_tc | grep -v bpfstamp:
}

test_two_owners() {
	local before mine
	at_hook "${hooks[0]}"
	ok "two owners: attach" ours
	agree "ours" 1
	foreign add 2 1
	agree "tc's behind ours" 2
	foreign add 1 2
	agree "tc's beside ours" 3
	before=$(theirs)
	ok "two owners: replace" ours --set port=1
	agree "ours, replaced" 3
	ok "two owners: the same prio" ours --prio 2 --handle 9
	agree "ours beside tc's" 4
	ok "two owners: append" ours --append
	agree "ours at the end" 5
	has "two owners: append: behind all" '^egress [3-9]' "$(filters_of_show | tail -n 1)"
	ok "two owners: ingress" ours --direction ingress --prio 2
	agree "ours on ingress" 6
	is "two owners: tc's are as before" "$before" "$(theirs)"

	mine=$(filters_of_show | grep bpfstamp:)
	foreign replace 1 2
	foreign add 1 3
	tc filter del dev va egress prio 1 handle 2 bpf
	agree "tc's, replaced and deleted" 6
	is "two owners: ours are as before" "$mine" "$(filters_of_show | grep bpfstamp:)"
	before=$(theirs)
	ok "two owners: detach" "$BPFSTAMP" detach --dev va
	agree "ours, detached" 5
	ok "two owners: detach beside tc's" "$BPFSTAMP" detach --dev va --prio 2 --handle 9
	ok "two owners: detach on ingress" "$BPFSTAMP" detach --dev va --prio 2 --direction ingress
	agree "ours beside tc's, detached" 3
	is "two owners: tc's are as before, again" "$before" "$(theirs)"
	tc filter del dev va egress
	nothing_left "two owners"
}

# ------------------------------------------- others create, replace, delete

refused() {	# NAME PATTERN COMMAND…: with one line, and nothing changed
	local name=$1 pattern=$2 before got
	shift 2
	before=$(traffic_control; bpftool -j net show; pins)
	got=$("$@" 2>&1)
	is "$name: status" 1 $?
	has "$name: text" "$pattern" "$got"
	is "$name: one line" 1 "$(wc -l <<<"$got")"
	is "$name: nothing changed" "$before" "$(traffic_control; bpftool -j net show; pins)"
}

test_others_clsact() {
	at_hook "${hooks[0]}"
	ok "clsact is deleted under us: attach" attach $one
	tc qdisc del dev va clsact
	open_gate "clsact is deleted under us"
	is "clsact is deleted under us: nothing is shown" "" "$(shown .)"
	refused "clsact is deleted under us: detach" "$gone" detach
	ok "clsact is deleted under us: attach again" attach $two
	works "clsact is deleted under us" $two
	one_left "clsact is deleted under us"

	tc filter del dev va egress prio 1
	refused "tc deletes our filter: detach" "$gone" detach
	ok "tc deletes our filter: attach again" attach $one
	foreign replace 1 1
	agree "tc replaces our filter" 1
	refused "tc replaces our filter: attach" 'taken by .*--force' attach $one
	refused "tc replaces our filter: detach" 'taken by .*--force' detach
	ok "tc replaces our filter: attach --force" attach $two --force
	works "tc replaces our filter" $two
	agree "ours by force" 1
	one_left "tc replaces our filter"
	ok "tc replaces our filter: detach" detach
	nothing_left "others at clsact"

	tc qdisc add dev va ingress
	refused "ingress instead of clsact" '^bpfstamp: .*ingress.*' attach $one
	at_hook "${hooks[1]}"
	if attach $one >/dev/null 2>&1; then
		works "ingress instead of clsact" $one
		ok "ingress instead of clsact: detach" detach
	fi
	has "ingress instead of clsact: it stays" "qdisc ingress" "$(tc qdisc show dev va)"
	tc qdisc del dev va ingress
	nothing_left "ingress instead of clsact"
}

test_others_xdp() {
	at_hook "${hooks[4]}"
	ok "bpftool detaches XDP: attach" attach $one
	is "XDP: bpftool agrees" "$(programs_of_bpftool)" "$(programs_of_show)"
	bpftool net detach xdp dev va
	refused "bpftool detaches XDP: detach" "$gone" detach
	ok "bpftool detaches XDP: attach again" attach $one
	one_left "bpftool detaches XDP"
	ok "XDP of another: detach ours" detach
	ok "XDP of another: attach it" ip link set dev va xdpdrv object "$LIFE/gate.o" section xdp
	is "XDP of another: bpftool agrees" "$(programs_of_bpftool)" "$(programs_of_show)"
	refused "XDP of another: attach" '--force' attach $one
	refused "XDP of another: detach" '--force' detach
	ok "XDP of another: attach --force" attach $two --force
	works "XDP of another" $two
	ok "XDP of another: detach" detach
	at_hook "${hooks[5]}"
	ok "XDP by link: attach" attach $one
	ip link set dev va xdp off 2>/dev/null
	works "XDP by link: ip cannot remove it" $one
	ok "XDP by link: detach" detach
	nothing_left "others at XDP"
}

test_others_tcx() {
	at_hook "${hooks[2]}"
	ok "the pin is removed: attach" attach $one
	rm "$(shown .link_pin)"
	[ "$(programs 0)" = 0 ]		# the kernel frees a link a little late
	open_gate "the pin is removed"
	refused "the pin is removed: detach" "$gone" detach
	ok "the pin is removed: attach again" attach $two
	works "the pin is removed" $two
	bpftool link detach id "$(shown .link)"
	open_gate "the link is detached"
	ok "the link is detached: attach again" attach $one
	works "the link is detached" $one
	one_left "others at tcx"
	ok "others at tcx: detach" detach
	nothing_left "others at tcx"
}

# ----------------------------------------- somebody acts between two calls

# "va" anew, as network made it.
again() {
	ip link del va 2>/dev/null
	ip link del vw 2>/dev/null
	ip link add va type veth peer name vb netns peer &&
	ip address add 10.0.0.1/24 dev va && ip -n peer address add 10.0.0.2/24 dev vb &&
	ip -n peer link set vb up && ip link set va up
}

# A command ends well, or with one line that says why.
sane() {	# NAME STATUS TEXT
	case $2 in
	0 | 100) pass "$1" ;;
	1) is "$1: one line" "1 1" "$(wc -l <<<"$3") $(grep -c '^bpfstamp: ' <<<"$3")" ;;
	*) fail "$1: status $2" "$3" ;;
	esac
}

interrupted() {	# NAME ACTION N COMMAND…; status 100: it ended before
	local name=$1 action=$2 n=$3 got status
	shift 3
	got=$("$LIFE/between" "$action" call "$n" "$@" 2>&1)
	status=$?
	sane "$name" $status "$got"
	return $status
}

# ACTION after every STEPth call of attach (the first one and a replacement) and of detach; then mended by attach.
between_calls() {	# STEP NAME ACTION AFTERWARDS
	local n name command status words step=$1

	shift
	for command in attach replace detach; do
		words=(attach "$gate" --prog "$program" "${place[@]}" --set port=$two)
		[ $command != detach ] || words=(detach "${place[@]}")
		for ((n = 1 + RANDOM % step, status = 0; status != 100; n += step)); do
			name="$1, $command $hook, call $n"
			[ $command = attach ] || ok "$name: attach" attach $one
			interrupted "$name" "$2" $n "$BPFSTAMP" "${words[@]}"
			status=$?
			$3 "$name"
			ok "$name: attach after that" attach $two
			is "$name: one attachment" "$program" "$(shown 'select(.dev) | .name')"
			detach >/dev/null 2>&1
			rm -f $bpffs/bpfstamp/* $bpffs/links/*
			[ $n -lt 60 ] || { fail "$1, $command $hook: too many calls"; break; }
		done
	done
	nothing_left "$1, $hook"
}

nothing() {
	:
}

another='i=$(ip -o link show va | cut -d: -f1); ip link del va; ip link add vw index $i type veth peer name vx'

# Nobody else's device got anything, whatever number it has.
not_there() {	# NAME
	[ -z "${LIFE_STRICT:-}" ] || is "$1: nothing on another device" "" "$(shown 'select(.dev == "vw")')"
	again
}

test_between() {
	local attaches
	for each in "${hooks[0]}" "${hooks[2]}" "${hooks[4]}"; do
		at_hook "$each"
		attaches="$BPFSTAMP attach $gate --prog $program ${place[*]} --set port=9 >/dev/null"
		[ $hook != clsact_egress ] ||
			between_calls 1 "clsact is deleted" "tc qdisc del dev va clsact 2>/dev/null || :" nothing
		between_calls 2 "another bpfstamp attaches" "$attaches" nothing
		between_calls 3 "another bpfstamp detaches" "$BPFSTAMP detach ${place[*]} >/dev/null 2>&1 || :" nothing
		between_calls 4 "the device is deleted" "ip link del va" again
		between_calls 4 "the device is another" "$another" not_there
	done
}

# Devices come and go while programs are attached to what has the name just now.
test_recreated() {
	local got status pid i
	for each in "${hooks[0]}" "${hooks[2]}" "${hooks[4]}"; do
		at_hook "$each"
		touch "$tmp/go-on"
		while [ -e "$tmp/go-on" ]; do again; done >/dev/null 2>&1 & pid=$!
		for ((i = 0; i < rounds / 20; i++)); do
			got=$(attach $one 2>&1 >/dev/null)
			sane "recreated, attach $hook" $? "$got"
			got=$(detach 2>&1 >/dev/null)
			sane "recreated, detach $hook" $? "$got"
		done
		rm "$tmp/go-on"
		wait $pid
		again
		ok "recreated, $hook: attach" attach $two
		works "recreated, $hook" $two
		ok "recreated, $hook: detach" detach
		is "recreated, $hook: what is shown has no device" "" "$(shown 'select(.dev)')"
		shown .link_pin | xargs -r rm
		nothing_left "recreated, $hook"
	done
}

# ------------------------------------------------------------ many devices

test_many() {
	local i began=$SECONDS wrong=0
	for ((i = 0; i < rounds / 2; i++)); do
		echo "link add m$i type veth peer name n$i"
	done | ip -batch -
	is "many: interfaces" $((rounds / 2 * 2)) "$(ip -br link | grep -c '^[mn][0-9]')"
	echo "many: made within $((SECONDS - began)) s"; began=$SECONDS
	for ((i = 0; i < rounds / 2; i++)); do
		"$BPFSTAMP" attach "$gate" --prog "$uniq" --dev m$i --set port=$i >/dev/null &&
		"$BPFSTAMP" attach "$gate" --prog "$uniq" --dev n$i --set port=$i --tcx >/dev/null ||
			wrong=$((wrong + 1))
	done
	is "many: attached" 0 $wrong
	echo "many: attached within $((SECONDS - began)) s"; began=$SECONDS
	"$BPFSTAMP" show --json >"$tmp/many"
	echo "many: shown within $((SECONDS - began)) s"; began=$SECONDS
	is "many: each is shown once, with its value" $((rounds / 2 * 2)) "$(jq -r '.attachments[] |
		select(.values[0].value | ltrimstr("0x") | ascii_downcase as $v | $v == $v) |
		"\(.dev) \(.values[0].value)"' "$tmp/many" | sort -u | wc -l)"
	is "many: programs" $((rounds / 2 * 2)) "$(programs $((rounds / 2 * 2)))"
	for ((i = 0; i < rounds / 2; i++)); do
		"$BPFSTAMP" detach --dev m$i >/dev/null && "$BPFSTAMP" detach --dev n$i --tcx >/dev/null ||
			wrong=$((wrong + 1))
	done
	is "many: detached" 0 $wrong
	echo "many: detached within $((SECONDS - began)) s"
	nothing_left "many"
}

# --------------------------------------------------------------------- main

timed() {
	local began=$SECONDS name="$* $hook"
	"$@"
	[ -z "${VERBOSE:-}" ] || echo "$name took $((SECONDS - began)) s"
}

[ "$isolated" = yes ] || { skip life "needs root, to make namespaces and a bpffs"; finish; }
have bpftool && have jq || { skip life "needs bpftool and jq"; finish; }
[ -e "$LIFE/gate.o" ] || { skip life "no clang: gate.o is not built"; finish; }
mount -t bpf none $bpffs && network || { fail "network" "cannot be made"; finish; }
ip -n peer link set lo up
LC_ALL=C sed "s/filter_out/$uniq/g" "$LIFE/gate.o" >"$gate"
echo "life: LIFE_ROUNDS=$rounds LIFE_SEED=$seed"

# The first of each kind gets all, the others a part.
for each in "${hooks[@]}"; do
	at_hook "$each"
	open_gate "$hook, without a program"
	case $hook in
	clsact_egress | tcx_egress) timed test_flood "$rounds"; timed test_kill_each_call 1 ;;
	xdp_native) timed test_flood "$rounds"; timed test_kill_each_call 2 ;;
	*) timed test_flood $((rounds / 10)); timed test_kill_each_call 4 ;;
	esac
	timed test_kill_random $((rounds / 12))
done
for each in "${hooks[0]}" "${hooks[2]}"; do
	at_hook "$each"
	timed test_kill_each_call 3 --pin $bpffs/pinned --repin
done
for t in two_owners others_clsact others_xdp others_tcx between recreated many; do
	hook=
	timed test_$t
done
finish
