#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash disable=SC2046,SC2086
#
# The tests inside a virtual machine; each ends in a line
#
#	guest: NAME: N passed, N failed, N skipped
#
#   unit      the unit tests: the suites of /suites.forking, and those of /suites.others
#   verdicts  each way to stamp an address into a program, and each direction:
#             a ping to that address is lost, and one to another is answered
#   objects   every compiled object loads where the kernel is new enough for it
#             (/objects/list), and only there
#
# The shell is busybox's, which takes ip and ping to be its own.
BPFSTAMP=/bpfstamp
OBJECTS=/objects

report() {	# NAME
	echo "guest: $1: $passed passed, $failed failed, $skipped skipped"
	passed=0 failed=0 skipped=0
}
passed=0 failed=0 skipped=0

pass() {
	passed=$((passed + 1))
}

fail() {	# NAME DETAIL
	failed=$((failed + 1))
	echo "FAIL $1: $2"
}

is() {		# NAME EXPECTED ACTUAL
	if [ "$2" = "$3" ]; then
		pass
	else
		fail "$1" "expected '$2', got '$3'"
	fi
}

ok() {		# NAME COMMAND…
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		pass
	else
		fail "$name" "$* (status $?): $out"
	fi
}

# Whether this kernel is VERSION or newer.
kernel_has() {
	uname -r | awk -v wanted="$1" '{
		split(wanted, w, ".")
		split($0, k, ".")
		exit k[1] + 0 > w[1] + 0 || (k[1] + 0 == w[1] + 0 && k[2] + 0 >= w[2] + 0) ? 0 : 1
	}'
}

# Whether it has what else a program may need.
has() {	# JIT|CONFIG_…
	if [ "$1" = JIT ]; then
		[ "$(cat /proc/sys/net/core/bpf_jit_enable 2>/dev/null || echo 0)" != 0 ]
	else
		cat /boot/config-* /usr/lib/modules/*/config 2>/dev/null | grep -q "^$1=[ym]"
	fi
}

# --------------------------------------------------------------------- unit

# Whether a test had to be skipped: for a kernel that is too old, "(Linux 6.4)", or was made without an option,
# "(CONFIG_BPF_LSM)", or "no JIT"; or a second opinion of bpftool, which is not here.
in_order() {	# LINE
	local what=${1##*(}
	what=${what%%)*}
	case $1 in
	*bpftool*) true ;;
	*"(Linux "*) ! kernel_has "${what#Linux }" ;;
	*"(CONFIG_"*) ! has "$what" ;;
	*"no JIT"*) ! has JIT ;;
	*) false ;;
	esac
}

count_skipped() {
	local line
	grep '^SKIP' /tmp/unit >/tmp/skips
	while read -r line; do
		if in_order "$line"; then
			echo "NOTE $line"
		else
			echo "$line"
			skipped=$((skipped + 1))
		fi
	done </tmp/skips
}

# Check's summary is "100%: Checks: N, Failures: N, Errors: N".
unit() {	# FORK SUITE…
	local sum status fork=$1
	shift
	CK_FORK=$fork CK_DEFAULT_TIMEOUT=60 CK_TIMEOUT_MULTIPLIER=5 \
		CLANG="" REALOBJ=/realobj OBJECTS=$OBJECTS /unit "$@" >/tmp/unit 2>&1
	status=$?
	sum=$(sed -n 's/.*: Checks: \(.*\), Failures: \(.*\), Errors: \(.*\)/\1 \2 \3/p' /tmp/unit)
	grep '^[^ ]*:[0-9]*:[FE]:' /tmp/unit
	set -- $sum
	if [ $# = 3 ] && [ $(($2 + $3 > 0)) = $((status > 0)) ]; then
		passed=$((passed + $1 - $2 - $3)) failed=$((failed + $2 + $3))
	else
		fail unit "status $status, and no summary that fits: $(tail -n 3 /tmp/unit)"
	fi
	count_skipped
}

# A process for each test is what takes the most time here.
test_unit() {
	unit yes $(cat /suites.forking)
	unit no $(cat /suites.others)
}

# ----------------------------------------------------------------- verdicts

# KIND OBJECT: how a program is given the address.  One veth pair for each.
kinds() {
	cat <<-END
		1 global ping_drop_global.v3.o --set target_addr=
		2 const ping_drop_const.v3.o --replace 0xFEDCBA98=
		3 stamp ping_drop_stamp.v3.o --set target_addr=
		4 symbol ping_drop_symbol.v3.o --set target_addr=
		5 bss ping_drop_bss.v3.o --set target_addr=
		6 rodata ping_drop_rodata.v3.o --set target_addr=
		7 inlined ping_drop_global.v1.o --inline --set target_addr=
		8 const-v1 ping_drop_const.v1.o --replace 0xFEDCBA98=
	END
}

peer() {
	nsenter -t "$peer" -n "$@"
}

# va1 10.0.1.1 here, vb1 10.0.1.2 and 10.0.1.3 in another namespace, and so on.
network() {
	local n own
	own=$(readlink /proc/self/ns/net)
	unshare -n sleep 1000 &
	peer=$!
	n=0
	while [ "$(readlink /proc/$peer/ns/net)" = "$own" ] && [ $n -lt 100 ]; do
		sleep 0.1
		n=$((n + 1))
	done
	for n in 1 2 3 4 5 6 7 8; do
		ip link add va$n type veth &&
		ip link set veth0 name vb$n &&
		ip address add 10.0.$n.1/24 dev va$n &&
		ip link set va$n up &&
		ip link set vb$n netns $peer &&
		peer ip address add 10.0.$n.2/24 dev vb$n &&
		peer ip address add 10.0.$n.3/24 dev vb$n &&
		peer ip link set vb$n up || return
	done
}

# Whether a ping is "answered" or "lost".  It is lost only if three are, and has
# ample time where it should be answered: the machine below may have other work.
answer() {	# EXPECTED ADDRESS
	local often="-c 3 -i 0.3 -W 1"
	[ "$1" = lost ] || often="-c 1 -W 20"
	if ping -q $often "$2" | grep -q ' [1-9][0-9]* packets received'; then echo answered; else echo lost; fi
}

# All addresses at once.
pings() {	# NAME EXPECTED2 EXPECTED3
	local n name pids=
	for n in 1 2 3 4 5 6 7 8; do
		answer $2 10.0.$n.2 >/tmp/ping.$n.2 & pids="$pids $!"
		answer $3 10.0.$n.3 >/tmp/ping.$n.3 & pids="$pids $!"
	done
	wait $pids
	while read -r n name _; do
		is "$name $1: to the two addresses" "$2 $3" "$(echo $(cat /tmp/ping.$n.*))"
	done </tmp/kinds
}

attach() {	# DIRECTION ADDRESS: the last byte
	local n name object values
	while read -r n name object values; do
		if [ "$1" = egress ]; then
			hook="--dev va$n"
		else
			hook="--dev vb$n --direction ingress --netns $peer"
		fi
		ok "$name $1: attach" $BPFSTAMP attach $OBJECTS/$object $hook ${values}10.0.$n.$2
	done </tmp/kinds
}

detach() {	# DIRECTION
	local n name
	while read -r n name _; do
		if [ "$1" = egress ]; then
			hook="--dev va$n"
		else
			hook="--dev vb$n --direction ingress --netns $peer"
		fi
		ok "$name $1: detach" $BPFSTAMP detach $hook
	done </tmp/kinds
}

test_verdicts() {
	kinds >/tmp/kinds
	if ! network; then
		fail network "cannot be made"
		return
	fi
	pings "without a filter" answered answered
	for direction in egress ingress; do
		attach $direction 2
		pings "$direction" lost answered
		attach $direction 3
		pings "$direction, attached again" answered lost
		detach $direction
	done
	pings "detached" answered answered
	kill $peer
}

# ------------------------------------------------------------------ objects

# Loading needs a type where the section tells none, and a value for each symbol.
load() {	# OBJECT
	$BPFSTAMP load "$1" --pin /sys/fs/bpf/test --pin-path /sys/fs/bpf/test --type sched_cls \
		--set target_addr=10.0.0.2 --set y_strong=1 --allow-unused
}

test_objects() {
	local name needs from others what lacking old cpu cpus="v1 v3" out status expected
	kernel_has 6.6 && cpus="$cpus v4"
	while read -r name needs from others; do
		old=no lacking=
		kernel_has "$needs" || old=yes
		for what in $others; do
			has $what || lacking=" and $what"
		done
		for cpu in $cpus; do
			expected=loads
			[ $old = no ] || [ ${cpu#v} -lt "$from" ] || expected=refused
			[ ! "$lacking" ] || expected=refused
			if out=$(load $OBJECTS/$name.$cpu.o 2>&1); then status=loads; else status=refused; fi
			rm -rf /sys/fs/bpf/test
			if [ $status = $expected ]; then
				pass
			else
				fail "object $name $cpu (needs Linux $needs$lacking)" \
					"$status: $(echo "$out" | grep ^bpfstamp)"
			fi
		done
	done </objects.list
}

cd /
for t in unit verdicts objects; do
	test_$t
	report $t
done
