# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# The part of tests/life.sh, which sources this, that is about others: tc, ip,
# bpftool and a second bpfstamp work on the interface that we work on.
#
# test_two_owners: each touches its own only, and all tools tell the same.
# test_others_*: what we attached is deleted or replaced, and how we get it back.
# test_between: somebody acts between two system calls of a command of ours.
# test_recreated: interfaces come and go beside commands.
#
# An interface that takes the number of the one that was named, between look-up
# and attach, gets the program (hook/attach.c says why); nothing else may happen.

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
	usable || return
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
		words=(attach "$gate" --prog "$program" "${place[@]}" --set "port=$two")
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

test_between() {
	local attaches
	for each in "${hooks[0]}" "${hooks[2]}" "${hooks[4]}"; do
		at_hook "$each"
		usable || continue
		attaches="$BPFSTAMP attach $gate --prog $program ${place[*]} --set port=9 >/dev/null"
		[ $hook != clsact_egress ] ||
			between_calls 1 "clsact is deleted" "tc qdisc del dev va clsact 2>/dev/null || :" nothing
		between_calls 2 "another bpfstamp attaches" "$attaches" nothing
		between_calls 3 "another bpfstamp detaches" "$BPFSTAMP detach ${place[*]} >/dev/null 2>&1 || :" \
			nothing
		between_calls 4 "the device is deleted" "ip link del va" again
		between_calls 4 "the device is another" "$another" again
	done
}

# Devices come and go while programs are attached to what has the name just now.
test_recreated() {
	local got status pid i
	for each in "${hooks[0]}" "${hooks[2]}" "${hooks[4]}"; do
		at_hook "$each"
		usable || continue
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
		ok "recreated, $hook: detach --defunct" "$BPFSTAMP" detach --defunct
		nothing_left "recreated, $hook"
	done
}
