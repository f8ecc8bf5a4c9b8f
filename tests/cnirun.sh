#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# bpfstamp-cni run by those who will run it: libcni (tests/cni/driver.go), podman with containers
# (tests/cni/podman.sh), and, for what both are too old for, the specification's own words.  It
# stands behind Debian's bridge and ptp, or makes the interface itself with host-local's
# addresses.  tests/cni/storm.sh has many ADDs and DELs at once, and kill -9.
#
# Whether pods are in one network is asked by ping; that nothing is left, by looking at everything
# that a plugin can leave behind (tests/cni/place.sh).
#
# STORM_COMMANDS is how many ADDs and DELs; STORM_SEED chooses when they are killed.
set -u
. "$(dirname "$0")/lib.sh"
start cnirun "$@"
. "$(dirname "$0")/cni/place.sh"
. "$(dirname "$0")/cni/storm.sh"
. "$(dirname "$0")/cni/podman.sh"

driver_version=1.0.0	# the newest that libcni and Debian's plugins know

# ------------------------------------------------------------ versions

# Two networks of the same addresses, and of the same bridge.
lists() {	# bridge|ptp|alone VERSION
	local subnet=10.1.0.0/24
	case $1 in
	alone)
		list red "$2" "$(ours 100 "$(ipam $subnet)")"
		list blue "$2" "$(ours 200 "$(ipam $subnet)")"
		;;
	*)
		list red "$2" "$(maker "$1" $subnet)" "$(ours 100)"
		list blue "$2" "$(maker "$1" $subnet)" "$(ours 200)"
		;;
	esac
}

result_is_right() {	# NAME VERSION POD RESULT
	local got mac
	is "$1: version" "$2" "$(jq -r .cniVersion <<<"$4")"
	mac=$(ip -n "$3" -j link show dev eth0 | jq -r '.[0].address')
	got=$(jq -r '.interfaces[] | select(.sandbox // "" != "") | "\(.name) \(.sandbox) \(.mac)"' <<<"$4")
	is "$1: the pod's interface" "eth0 /run/netns/$3 $mac" "$got"
	got=$(jq -r '.interfaces[] | select(.sandbox // "" == "").name' <<<"$4")
	has "$1: the node's interface" "(^| )$(host_of "$3")( |$)" "$(paste -sd ' ' <<<"$got")"
	got=$(jq -r '.interfaces as $i | .ips[] | "\($i[.interface].name) \(.address)"' <<<"$4")
	is "$1: its address" "eth0 $(address_of "$3")" "${got%/*}"
	case $2 in
	0.*) is "$1: IPv4 by its name" 4 "$(jq -r '.ips[].version' <<<"$4")" ;;
	*) is "$1: no version of IP" null "$(jq -r '.ips[].version' <<<"$4")" ;;
	esac
}

address_in() {	# RESULT
	jq -r '.ips[0].address' <<<"$1" | cut -d/ -f1
}

as_libcni() {	# bridge|ptp|alone VERSION
	local name="$1 $2" r1 r2 b1 p
	lists "$1" "$2"
	ok "$name: all plugins know the version" "$tmp/driver" VALIDATE "$nets/red.conflist"
	driver_options=$'-args\nIgnoreUnknown=1;IP=10.1.0.11' ok "$name: ADD r1" driver ADD red r1 || return
	r1=$out
	result_is_right "$name" "$2" r1 "$r1"
	is "$name: libcni keeps the result" "$(jq -S . <<<"$r1")" "$(driver RESULT red r1 | jq -S .)"
	ok "$name: ADD r2" driver ADD red r2
	r2=$out
	driver_options=$'-args\nIgnoreUnknown=1;IP=10.1.0.11' ok "$name: ADD b1" driver ADD blue b1
	b1=$out
	is "$name: the address that was asked for" 10.1.0.11 "$(address_in "$r1")"
	is "$name: b1 has the address of r1" 10.1.0.11 "$(address_in "$b1")"
	is "$name: one network" yes "$(reaches r1 "$(address_in "$r2")")"
	is "$name: one network, the other way" yes "$(reaches r2 "$(address_in "$r1")")"
	is "$name: another network" no "$(reaches b1 "$(address_in "$r2")" 0.2)"
	if [ "$2" = 0.3.1 ]; then
		has "$name: no CHECK" 'does not support the CHECK' "$(driver CHECK red r1 2>&1)"
	else
		for p in "red r1" "red r2" "blue b1"; do
			# Words.
			# shellcheck disable=SC2086
			ok "$name: CHECK $p" driver CHECK $p
		done
		[ "$1" != bridge ] || as_libcni_checked "$name"
	fi
	for p in "red r1" "red r2" "blue b1" "red r1" "blue b1"; do
		# Words.
		# shellcheck disable=SC2086
		ok "$name: DEL $p" driver DEL $p
	done
	nothing_left "$name"
}

# CHECK finds what is missing; ADD of our part alone, as a runtime that begins anew may do it, mends it.
as_libcni_checked() {	# NAME
	local dev config
	dev=$(host_of r1)
	config=$(as_handed red "$(driver RESULT red r1 | jq -c '{ prevResult: . }')")
	tc filter del dev "$dev" ingress
	has "$1: CHECK without the program" "$from_pod" "$(driver CHECK red r1 2>&1)"
	ok "$1: ADD mends" plugin ADD r1 "$config"
	ok "$1: CHECK, mended" driver CHECK red r1
	ok "$1: without the entry" bpftool map delete pinned $bpffs/vpc_pods key $(first_key 100)
	has "$1: CHECK without the entry" 'vpc_pods' "$(driver CHECK red r1 2>&1; driver CHECK red r2 2>&1)"
	ok "$1: ADD mends r1" plugin ADD r1 "$config"
	ok "$1: ADD mends r2" plugin ADD r2 "$(as_handed red "$(driver RESULT red r2 | jq -c '{ prevResult: . }')")"
	ok "$1: CHECK r1, mended" driver CHECK red r1
	ok "$1: CHECK r2, mended" driver CHECK red r2
	is "$1: one program a pod" 4 "$(programs 4)"
}

first_key() {	# NETWORK: bytes
	bpftool -j map dump pinned $bpffs/vpc_pods |
		jq -r --argjson network "$1" '[.[] | select(.formatted.key.network == $network)][0].key | join(" ")'
}

test_versions() {
	local how version
	pod r1 r2 b1
	for how in bridge ptp alone; do
		for version in 0.3.1 0.4.0 1.0.0; do
			as_libcni $how $version
		done
	done
	ip netns del r1; ip netns del r2; ip netns del b1
}

# ------------------------------------------------------------ arguments

# The network of a pod comes from the configuration, from CNI_ARGS, from a capability, or from args.cni.
test_arguments() {
	local addresses=() n=0 p
	pod fixed args caps cni
	list fixed $driver_version "$(ours 300 "$(ipam 10.3.0.0/24 10.3.0.10)")"
	list args $driver_version "$(ours '${args.VNI}' "$(ipam 10.3.0.0/24 10.3.0.20)")"
	list caps $driver_version "$(ours '${runtime.vni}' "$(ipam 10.3.0.0/24 10.3.0.30)")"
	list cni $driver_version "$(ours '${cni.tenant.vni:-7}' "$(ipam 10.3.0.0/24 10.3.0.40)")"
	jq '.plugins[-1].capabilities = { bpfstamp: true }' "$nets/caps.conflist" >"$tmp/list" &&
		mv "$tmp/list" "$nets/caps.conflist"
	jq '.plugins[-1].args = { cni: { tenant: { vni: 300 } } }' "$nets/cni.conflist" >"$tmp/list" &&
		mv "$tmp/list" "$nets/cni.conflist"
	ok "arguments: libcni sees the capability" "$tmp/driver" VALIDATE "$nets/caps.conflist"
	is "arguments: the capability" bpfstamp "$out"
	ok "arguments: ADD fixed" driver ADD fixed fixed && addresses+=("$(address_in "$out")")
	driver_options=$'-args\nIgnoreUnknown=1;VNI=300' ok "arguments: CNI_ARGS" driver ADD args args &&
		addresses+=("$(address_in "$out")")
	driver_options=$'-caps\n{"bpfstamp":{"vni":300},"portMappings":[]}' ok "arguments: capability" \
		driver ADD caps caps && addresses+=("$(address_in "$out")")
	ok "arguments: args.cni" driver ADD cni cni && addresses+=("$(address_in "$out")")
	is "arguments: one network" 4 "$(entries vpc_pods 300)"
	for p in args caps cni; do
		n=$((n + 1))
		is "arguments: $p is in it" yes "$(reaches fixed "${addresses[n]:-}")"
		# libcni keeps the arguments of ADD, but not for CHECK and DEL: a runtime gives them again.
		[ $p = cni ] || continue
		ok "arguments: CHECK $p" driver CHECK $p $p
	done
	driver_options=$'-args\nIgnoreUnknown=1;VNI=300' ok "arguments: CHECK args" driver CHECK args args
	out=$(driver_options=$'-args\nIgnoreUnknown=1;VNI=301' driver CHECK args args 2>&1)
	has "arguments: CHECK with another network" 'vni: runs' "$out"
	has "arguments: ADD without" 'CNI_ARGS' "$(pod bare; driver ADD args bare 2>&1)"
	is "arguments: and nothing was made" "" "$(ip -n bare -br link | grep -v ^lo)"
	for p in fixed args caps cni; do
		ok "arguments: DEL $p" driver DEL $p $p
		ip netns del $p
	done
	ip netns del bare
	nothing_left arguments
}

# ------------------------------------------------------------ 1.1.0

# What libcni here does not know yet, by the specification: runtimes give all pods that they know.
test_gc() {
	local config status p
	pod g1 g2 g3 other
	list gc 1.1.0 "$(ours 400 "$(ipam 10.4.0.0/24 10.4.0.10)")"
	list others 1.1.0 "$(ours 400 "$(ipam 10.4.0.0/24 10.4.0.20)")"
	config=$(as_handed gc)
	ok "STATUS" plugin STATUS "" "$config"
	is "STATUS: says nothing" "" "$out"
	out=$(plugin STATUS "" "$(jq -c '.object = "/nowhere/at/all.o"' <<<"$config")")
	is "STATUS: not without the object" 1 $?
	is "STATUS: code" 50 "$(jq .code <<<"$out")"
	for p in g1 g2 g3; do
		ok "GC: ADD $p" plugin ADD $p "$config"
		is "GC: ADD $p: version" 1.1.0 "$(jq -r .cniVersion <<<"$out")"
	done
	ok "GC: ADD other" plugin ADD other "$(as_handed others)"
	ok "GC of nothing" plugin GC "" "$(as_handed gc "$(valid g1 g2 g3)")"
	is "GC of nothing" 4 "$(entries vpc_pods 400)"
	# g3 is dead, and nobody said so.
	ip netns del g3
	ok "GC of g3" plugin GC "" "$(as_handed gc "$(valid g1 g2)")"
	is "GC of g3: entries" 3 "$(entries vpc_pods 400)"
	is "GC of g3: addresses" 2 "$(find /var/lib/cni/networks/gc -name '10.*' | wc -l)"
	is "GC of g3: states" "g1:eth0 g2:eth0" "$(states gc)"
	is "GC of g3: programs" 4 "$(programs 4)"
	is "GC of g3: the others live" yes "$(reaches g1 "$(address_of g2)")"
	# g2 lives, but the runtime does not know it.
	ok "GC of g2" plugin GC "" "$(as_handed gc "$(valid g1)")"
	is "GC of g2: states" "g1:eth0" "$(states gc)"
	is "GC of g2: no interface" "" "$(ip -n g2 -br link | grep -v ^lo)"
	is "GC of g2: another network is let alone" "other:eth0" "$(states others)"
	ok "GC of all" plugin GC "" "$(as_handed gc "$(valid)")"
	is "GC of all: states" "" "$(states gc)"
	out=$(plugin GC "" "$config")
	status=$?
	is "GC without a list of pods" "1 7" "$status $(jq .code <<<"$out")"
	is "GC: another network still is let alone" "other:eth0 1" "$(states others) $(entries vpc_pods 400)"
	ok "GC: DEL other" plugin DEL other "$(as_handed others)"
	nothing_left GC
	for p in g1 g2 other; do ip netns del $p; done
}

address_of() {	# POD
	ip -n "$1" -4 -j address show dev eth0 | jq -r '.[0].addr_info[0].local'
}

states() {	# NETWORK: pods
	ls $bpffs/bpfstamp-cni/"$1" 2>/dev/null | sed 's/%3[aA]/:/' | paste -sd ' '
}

# The first pod of a node makes what all share, which stays.
first_pod() {
	pod first
	list first 1.0.0 "$(ours 99 "$(ipam 10.99.0.0/24)")"
	ok "the first pod: ADD" plugin ADD first "$(as_handed first)" || return 1
	has "the first pod: the VXLAN device" 'vxlan external' "$(ip -d link show dev vx)"
	has "the first pod: its program" "$from_vxlan" "$(tc filter show dev vx ingress)"
	ok "the first pod: DEL" plugin DEL first "$(as_handed first)"
	ip netns del first
	# from_vxlan, whose maps have names of their own.
	shared=1
	nothing_left "the first pod"
}

[ "$isolated" = yes ] || { skip cnirun "needs root, to make namespaces and a bpffs"; finish; }
for program in bpftool jq $plugins/bridge $plugins/ptp $plugins/host-local; do
	have $program || { skip cnirun "$program is not installed"; finish; }
done
place || { skip cnirun "no bpffs, or no plugin"; finish; }
first_pod || finish
for t in ${TESTS:-versions arguments gc storm storm_killed podman}; do
	case $t in
	versions | arguments | podman)
		[ -x "$tmp/driver" ] || build_driver || {
			skip "$t" "no Go, or no libcni: $(head -n 3 "$tmp/go.log" 2>/dev/null)"
			continue
		} ;;
	esac
	began=$SECONDS
	test_$t
	[ -z "${VERBOSE:-}" ] || echo "$t took $((SECONDS - began)) s"
done
finish
