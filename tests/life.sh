#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The life of programs among packets and other people: traffic that never stops
# while a program is replaced again and again; tc, ip and bpftool that create,
# replace and delete around us; kill -9 at any point of attach and detach;
# interfaces that come and go; and a thousand of them.
#
# tests/life/others.sh has what others do.  $LIFE is the folder of tests/life as
# built: gate.o, a program that always drops UDP to port 4009 and what goes to a
# port of one's choice; stream, which counts the packets that arrive and should
# not, and the other way round; and between, which kills a command, or lets others
# act, between two of its system calls.
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
	"$BPFSTAMP" detach "${place[@]}"
}

stream() {	# COUNT PASS DROP
	"$LIFE/stream" "$1" "${route[@]}" "$2" "$3"
}

usable() {	# says what is skipped where the kernel is too old
	out=$(attach $one 2>&1) && detach >/dev/null && return
	[[ $out != *"(Linux "* ]] || { skip "$hook" "$out"; return 1; }
}

works() {	# NAME PORT: drops that, and passes the other one
	is "$1: drops what it was told last" "sent 20 lost 0 leaked 0 strange 0" \
		"$(stream 20 $((one + two - $2)) "$2")"
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
records() {	# EXPECTED
	local id hex n
	hex=$(printf %s "$uniq" | od -An -tx1)
	for _ in {1..50}; do
		n=0
		for id in $(bpftool map list | sed -n 's/^\([0-9]*\): .*name bpfstamp .*/\1/p'); do
			bpftool map dump id "$id" 2>/dev/null | tr -s ' \n' ' ' | grep -qF "${hex# }" && n=$((n + 1))
		done
		[ "$n" = "$1" ] && break
		sleep 0.1
	done
	echo "$n"
}

shown() {	# JQ FILTER, of each attachment
	"$BPFSTAMP" show --json | jq -rc ".attachments[] | $1"
}

pins() {	# without the index of programs, which stays
	find "$bpffs" -mindepth 1 -type f ! -name '*.debug' ! -path "$bpffs/bpfstamp/programs" | sort
}

one_left() {	# NAME
	is "$1: one attachment" "$program" "$(shown .name)"
	is "$1: one program" 1 "$(programs 1)"
	is "$1: one record" 1 "$(records 1)"
	is "$1: pins" "$([[ $hook != tcx* && $hook != *link ]] || echo 1)" "$(pins | grep -c . | grep -v '^0$')"
}

nothing_left() {	# NAME
	is "$1: no attachment is left" "" "$(shown .)"
	is "$1: no program is left" 0 "$(programs 0)"
	is "$1: no record is left" 0 "$(records 0)"
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
		attach $((i % 2 ? two : one)) >"$tmp/attach" 2>&1 ||
			{ wrong=$((wrong + 1)); cat "$tmp/attach" >"$tmp/wrong"; }
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
	[ -z "${VERBOSE:-}" ] || echo "$name: $hit of $count were killed within $longest microseconds"
	[ $hit -gt 0 ] || [ "$count" -lt 20 ]
	is "$name: some were killed" 0 $?
	repaired_attach "$name" $two "$@"
	works "$name" $two
	one_left "$name"
	ok "$name: detach" detach
	rm -rf "${bpffs:?}/pinned"
	nothing_left "$name"
}

# ------------------------------------------------------------ many devices

test_many() {
	local i began wrong=0
	at_hook "${hooks[2]}"
	usable || return
	began=$SECONDS
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
	is "many: each is shown once, with its value" "$(for ((i = 0; i < rounds / 2; i++)); do
		printf 'clsact m%d 0x%x\ntcx n%d 0x%x\n' $i $i $i $i; done | sort)" \
		"$(jq -r '.attachments[] | "\(.hook) \(.dev) \(.values[0].value)"' "$tmp/many" | sort)"
	is "many: programs, each for two" $((rounds / 2)) "$(programs $((rounds / 2)))"
	for ((i = 0; i < rounds / 2; i++)); do
		"$BPFSTAMP" detach --dev m$i >/dev/null && "$BPFSTAMP" detach --dev n$i --tcx >/dev/null ||
			wrong=$((wrong + 1))
	done
	is "many: detached" 0 $wrong
	echo "many: detached within $((SECONDS - began)) s"
	nothing_left "many"
}

. "$(dirname "$0")/life/others.sh"

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
	usable || continue
	case $hook in
	clsact_egress | tcx_egress) timed test_flood "$rounds"; timed test_kill_each_call 1 ;;
	xdp_native) timed test_flood "$rounds"; timed test_kill_each_call 2 ;;
	*) timed test_flood $((rounds / 10)); timed test_kill_each_call 4 ;;
	esac
	timed test_kill_random $((rounds / 12))
done
for each in "${hooks[0]}" "${hooks[2]}"; do
	at_hook "$each"
	usable || continue
	timed test_kill_each_call 3 --pin $bpffs/pinned --repin
done
for t in two_owners others_clsact others_xdp others_tcx between recreated many; do
	hook=
	timed test_$t
done
finish
