#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# demo.sh: stamp an address into each of two compiled programs, and see on real
# pings that packets to this address are lost, and no others.  From the
# environment: TARGET, an IPv4 address (10.99.0.2); BPFSTAMP, the binary; BPF, the
# folder with ping_drop_global.bpf.o and ping_drop_const.bpf.o.  Exit status: 0, 1
# where a ping does not fare as it should, 2 for a bad TARGET.
#
# The script starts itself again in a mount and a network namespace of its own,
# which end with its last process, however that dies.  There /run is a new tmpfs,
# so the second network namespace, made in it by name, ends with them.  Thus there
# is nothing to clean up and nothing that could clash with what the machine has.
#
# This namespace sends, "peer" answers, a veth pair joins them.  The other
# address and the sender's have TARGET's first three bytes: they are the first two
# of .1, .2 and .3 that are not TARGET, so a program that compares less than
# all four bytes loses both.  Addresses are /32 with a route to each: no
# address of the /24, .0 and .255 neither, is then one of a network.
set -eu

TARGET=${TARGET:-10.99.0.2}
DEV=uplink
wrong=0

fail() {
	echo "demo: $*" >&2
	exit 1
}

# An address that a host can have: not 0/8, 127/8, multicast or above.
check_target() {
	local byte='(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
	if [[ ! $TARGET =~ ^$byte(\.$byte){3}$ ]] || [[ $TARGET =~ ^(0|127|22[4-9]|2[345][0-9])\. ]]; then
		echo "demo: TARGET=$TARGET is not the IPv4 address of a host" >&2
		exit 2
	fi
}

check_needs() {
	local tool object
	[ "$(id -u)" = 0 ] || fail "needs root, for network namespaces and BPF"
	[ -x "${BPFSTAMP:=build/bpfstamp}" ] || fail "no $BPFSTAMP: run make"
	for object in global const; do
		object=${BPF:=build/bpf}/ping_drop_$object.bpf.o
		[ -e "$object" ] || fail "no $object: run make, with clang (make deps)"
	done
	for tool in ip ping unshare mount; do
		command -v "$tool" >/dev/null || fail "no $tool (make deps)"
	done
}

choose_addresses() {
	local net=${TARGET%.*} host free=()
	for host in 1 2 3; do
		[ "$net.$host" = "$TARGET" ] || free+=("$net.$host")
	done
	sender=${free[0]}
	other=${free[1]}
}

make_network() {
	local address
	mount -t tmpfs demo /run
	ip netns add peer
	ip link add "$DEV" type veth peer name eth0 netns peer
	ip address add "$sender/32" dev "$DEV"
	ip link set "$DEV" up
	ip -n peer link set eth0 up
	ip -n peer route add "$sender/32" dev eth0
	for address in "$TARGET" "$other"; do
		ip -n peer address add "$address/32" dev eth0
		ip route add "$address/32" dev "$DEV"
	done
}

# Ping the address $1 until it answers, five times at most: what came of it in $got; $2 is what should.
cell() {
	got=lost
	! ping -q -n -c 1 -i 0.2 -w 1 "$1" >/dev/null 2>&1 || got=answers
	if [ "$got" != "$2" ]; then
		wrong=1
		got+=" (!)"
	fi
}

# One line of the table: method, state, what should come of a ping to the target and to the other.
row() {
	printf '%-10s%-11s' "$1" "$2"
	cell "$TARGET" "$3"
	printf '%-24s' "$got"
	cell "$other" "$4"
	echo "$got"
}

attach() {
	"$BPFSTAMP" attach "$@" --dev "$DEV" >/dev/null || fail "cannot attach: bpfstamp attach $* --dev $DEV"
}

# $1: the method's name. $2: the object. $3, $4: how it is stamped, up to the address.
try_method() {
	row "$1" before answers answers
	attach "$2" "$3" "$4=$TARGET"
	row "$1" stamped lost answers
	attach "$2" "$3" "$4=$other"
	row "$1" restamped answers lost
	"$BPFSTAMP" detach --dev "$DEV" >/dev/null || fail "cannot detach"
	row "$1" detached answers answers
}

main() {
	check_target
	check_needs
	if [ "${1-}" != --inside ]; then
		exec unshare --mount --net "$BASH" "$0" --inside
	fi
	trap 'exit 130' INT # ping dies of ^C in its own way, after which bash would go on
	choose_addresses
	make_network
	printf '%-10s%-11s%-24s%s\n' method state "target $TARGET" "other $other"
	try_method global "$BPF/ping_drop_global.bpf.o" --set target_addr
	try_method constant "$BPF/ping_drop_const.bpf.o" --replace 0xFEDCBA98
	[ $wrong = 0 ] || fail "what is marked (!) should be the other way round"
}

main "$@"
