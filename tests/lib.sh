# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# For the test scripts, which source it and begin with `start NAME "$@"`.
#
# Where that is allowed, start runs the script again as the first process of
# new network, mount and process namespaces, with an empty bpffs: whatever happens to it,
# kill -9 included, no interface, pin, process or file of it is left.  $isolated tells.
# $tmp is a folder for its files.
#
# $BPFSTAMP is the binary, $OBJECTS the folder with NAME.v1.o to NAME.v4.o.
# A test ends in one of pass, fail and skip; a script ends in finish, whose
# last line is "NAME: N passed, N failed, N skipped".  With CI set a skipped
# test is a failure.  VERBOSE=1 prints what passed, too.

start() {
	suite=$1
	shift
	if [ -z "${isolated:-}" ]; then
		if unshare -n -m -p -f --mount-proc true 2>/dev/null; then
			isolated=yes exec unshare -n -m -p -f --mount-proc --kill-child bash "$0" "$@"
		fi
		isolated=no
	fi
	if [ "$isolated" = yes ]; then
		mount -t tmpfs -o mode=755 none /run && mkdir -p /run/netns /run/test || exit 1
		[ ! -d /sys/fs/bpf ] || mount -t bpf none /sys/fs/bpf || exit 1
		tmp=/run/test
		ip link set lo up
	else
		tmp=$(mktemp -d) || exit 1
		trap 'rm -rf "$tmp"' EXIT
	fi
	passed=0 failed=0 skipped=0
	BPFSTAMP=$(realpath -e "${BPFSTAMP:?}") && OBJECTS=$(realpath -e "${OBJECTS:?}") || exit 1
}

pass() {
	passed=$((passed + 1))
	[ -z "${VERBOSE:-}" ] || echo "PASS $1"
}

fail() {	# NAME [DETAIL]
	failed=$((failed + 1))
	echo "FAIL $1${2:+: $2}"
}

skip() {	# NAME WHY
	skipped=$((skipped + 1))
	echo "SKIP $1: $2"
	[ -z "${CI:-}" ] || fail "$1" "skipped, which CI forbids"
}

finish() {
	echo "$suite: $passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

is() {		# NAME EXPECTED ACTUAL
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "expected '$2', got '$3'"
	fi
}

has() {		# NAME PATTERN TEXT
	if grep -qE -- "$2" <<<"$3"; then
		pass "$1"
	else
		fail "$1" "no '$2' in '$3'"
	fi
}

ok() {		# NAME COMMAND…: succeeds; its output goes to $out
	local name=$1
	shift
	if out=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "$* (status $?): $out"
		return 1
	fi
}

have() {
	command -v "$1" >/dev/null
}

valid_json() {
	if have jq; then
		jq -e . >/dev/null
	else
		python3 -m json.tool >/dev/null
	fi
}

# A network of two namespaces: va 10.0.0.1 here, vb 10.0.0.2 and 10.0.0.3 in "peer".
network() {
	ip netns add peer &&
	ip link add va type veth peer name vb netns peer &&
	ip address add 10.0.0.1/24 dev va &&
	ip -n peer address add 10.0.0.2/24 dev vb &&
	ip -n peer address add 10.0.0.3/24 dev vb &&
	ip -n peer link set vb up &&
	ip link set va up
}

# The kernel's lists of programs and maps belong to everybody, so a test knows
# its own by name.  Copy object $1 to $tmp/$uniq.o, with filter_out renamed to
# $uniq; the names of its maps begin with the first letters of $uniq.
printf -v uniq 'f%04x%02xxyz' $((RANDOM * 2)) $((RANDOM % 256))
unique() {
	LC_ALL=C sed "s/filter_out/$uniq/g" "$1" >"$tmp/$uniq.o"
}

# How many programs and maps of $uniq the kernel has; it frees them a little late.
kernel_objects() {	# [EXPECTED]: waits 10 s for that at most
	local n
	for _ in {1..100}; do
		n=$({ bpftool prog list; bpftool map list; } | grep -c "name ${uniq:0:7}")
		[ "$n" = "${1:-$n}" ] && break
		sleep 0.1
	done
	echo "$n"
}

# Qdiscs and filters here and, where there is one, in "peer".
traffic_control() {
	local at dev
	for at in "" "-n peer"; do
		[ -z "$at" ] || [ -e /run/netns/peer ] || continue
		tc $at qdisc show
		for dev in $(ip $at -br link | sed 's/[@ ].*//'); do
			tc $at filter show dev "$dev" ingress 2>/dev/null
			tc $at filter show dev "$dev" egress 2>/dev/null
		done
	done
}

# Pings to both addresses at once are each "answered" or "lost".
pings() {	# NAME EXPECTED2 EXPECTED3
	local wait2=2 wait3=2 got2=lost got3=lost ping2 ping3
	[ "$2" = answered ] || wait2=0.3
	[ "$3" = answered ] || wait3=0.3
	ping -q -c 1 -W $wait2 10.0.0.2 >/dev/null 2>&1 & ping2=$!
	ping -q -c 1 -W $wait3 10.0.0.3 >/dev/null 2>&1 & ping3=$!
	wait $ping2 && got2=answered
	wait $ping3 && got3=answered
	is "$1" "$2 $3" "$got2 $got3"
}

# The first field of that name in JSON on stdin.
json_field() {		# NAME: of the first that is there
	grep -oE "\"$1\": ?(\"[^\"]*\"|[0-9a-z]+)" | head -n 1 | sed 's/^[^:]*: *//; s/"//g'
}

# Exit status, open fds and memory of bpfstamp COMMAND…, by valgrind; $valgrind_options are for it.
valgrind_clean() {	# NAME STATUS COMMAND…
	local name=$1 status=$2 log=$tmp/valgrind got
	shift 2
	valgrind --log-file="$log" --error-exitcode=99 --leak-check=full --show-leak-kinds=all \
		--errors-for-leak-kinds=all --track-fds=yes ${valgrind_options:-} "$BPFSTAMP" "$@" >/dev/null 2>&1
	is "valgrind $name: status" "$status" $?
	got=$(grep -A 1 'Open file descriptor' "$log" |
		grep -v -e '^--' -e 'Open file desc' -e 'inherited from parent')
	is "valgrind $name: descriptors" "" "$got"
	has "valgrind $name: no error" 'ERROR SUMMARY: 0 errors' "$(grep SUMMARY "$log")"
}
