#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# demo_vpc.sh: two nodes, two VPCs, and pods of both VPCs with the same addresses,
# which a CNI runtime (libcni) makes with bpfstamp-cni: first by VXLAN, then by
# VLAN.  Prints which pod answers at which address, what is on the wire, and what
# becomes of a pod that moves to the other VPC while it runs.  From the environment:
# BUILD, the folder of bpfstamp, bpfstamp-cni and bpf/.  Exit status: 0, 1 where
# anything is not as it should be.
#
#             n1                                      n2
#     red     red1 10.1.0.1, red2 10.1.0.2            red3 10.1.0.3, red4 10.1.0.4        and fd01::1 to fd01::4
#     blue    blue1 10.1.0.1, blue2 10.1.0.2          blue3 10.1.0.3, blue4 10.1.0.4      the same
#
# Each node is a network namespace with its own bpffs; a bridge joins them.  The
# plugin makes each pod's veth pair, has Debian's IPAM plugin "static" give it its
# addresses, attaches the program with the pod's VNI or VLAN id, and enters the
# addresses into the map of its node.  The other node is told where the pod is by
# `bpfstamp pods`, as a cluster's controller would.
#
# A pod sends with a hop limit of its own, which nothing on the way changes:
# so an answer tells whose it is.
#
# The script starts itself again in namespaces that end with it, however it dies.
set -eu

BUILD=$(realpath "${BUILD:-build}")
BPFSTAMP=$BUILD/bpfstamp
PLUGINS=/usr/lib/cni
PODS="red1 red2 red3 red4 blue1 blue2 blue3 blue4"
wrong=0
declare -A vpc device mac		# of each pod

fail() {
	echo "demo-vpc: $*" >&2
	exit 1
}

check_needs() {
	local tool
	[ "$(id -u)" = 0 ] || fail "needs root, for network namespaces and BPF"
	[ -x "$BUILD/bpfstamp-cni" ] || fail "no $BUILD/bpfstamp-cni: run make"
	[ -e "$BUILD/bpf/vpc_vxlan.bpf.o" ] || fail "no $BUILD/bpf/vpc_vxlan.bpf.o: run make, with clang (make deps)"
	[ -x $PLUGINS/static ] || fail "no $PLUGINS/static: install containernetworking-plugins (make deps)"
	for tool in go ip jq nsenter ping tcpdump unshare; do
		command -v $tool >/dev/null || fail "no $tool (make deps)"
	done
}

build_driver() {
	driver=$BUILD/cni-driver
	GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS='' GOCACHE=$BUILD/go-cache \
		go build -o "$driver" "$(dirname "$0")/cni/driver.go" || fail "cannot build the runtime (make deps)"
}

node_of() { case $1 in *[12]) echo n1 ;; *) echo n2 ;; esac }
other_node() { case $1 in n1) echo n2 ;; *) echo n1 ;; esac }
number_of() { echo "${1: -1}"; }
hops_of() { case $1 in red*) echo 10"${1: -1}" ;; *) echo 20"${1: -1}" ;; esac }
id_of() { case $1 in red) echo 100 ;; *) echo 200 ;; esac }
in_ns() { nsenter --net=/run/netns/"$1" "${@:2}"; }

# ------------------------------------------------------------------- nodes

node() {	# NAME NUMBER
	ip netns add "$1"
	ip -n wire link add "$1" type veth peer name uplink netns "$1"
	ip -n wire link set "$1" master switch up
	ip -n "$1" address add 192.0.2."$2"/24 dev uplink
	ip -n "$1" link set lo up
	ip -n "$1" link set uplink up
	mkdir "/run/bpf.$1"
	mount -t bpf bpf "/run/bpf.$1"
}

make_nodes() {
	local pod
	mount -t tmpfs demo /run
	mkdir /run/netns
	ip netns add wire
	ip -n wire link add switch type bridge
	ip -n wire link set switch up
	node n1 1
	node n2 2
	for pod in $PODS; do
		ip netns add "$pod"
		ip -n "$pod" link set lo up	# as runtimes do
		in_ns "$pod" sysctl -qw net.ipv4.ip_default_ttl="$(hops_of "$pod")" \
			net.ipv6.conf.{default,lo}.hop_limit="$(hops_of "$pod")"
	done
	echo '{ "red": { "id": 100 }, "blue": { "id": 200 } }' >/run/vpcs.json
}

# What differs between the two ways: the programs, and how networks are called.
list() {	# vxlan|vlan NODE: the network configuration list
	local shared pods mtu
	if [ "$1" = vxlan ]; then
		mtu=1450
		pods='"vni": "${vpc.id}"'
		shared='"vxlan": { "dev": "vxlan0" },
			"node": [ { "program": "from_vxlan", "dev": "vxlan0", "direction": "ingress" } ],
			"attach": [ { "program": "from_pod", "direction": "ingress", "set": {
				"vni": "${vpc.id}", "vxlan_ifindex": "${ifindex.vxlan0}", "redirect_peer": 1 } } ]'
	else
		mtu=1500
		pods='"vlan": "${vpc.id}"'
		shared='"node": [ { "program": "from_uplink", "dev": "uplink", "direction": "ingress" } ],
			"attach": [ { "program": "to_uplink", "direction": "ingress", "set": {
				"vlan": "${vpc.id}", "uplink_ifindex": "${ifindex.uplink}", "redirect_peer": 1 } } ]'
	fi
	cat <<-END
		{ "cniVersion": "1.0.0", "name": "$1", "plugins": [ {
			"type": "bpfstamp-cni",
			"object": "$BUILD/bpf/vpc_$1.bpf.o",
			"pinPath": "/run/bpf.$2",
			"mtu": $mtu,
			"vpcs": "/run/vpcs.json", "vpc": "\${args.VPC}",
			$shared,
			"pods": { $pods },
			"ipam": { "type": "static" }
		} ] }
	END
}

# ------------------------------------------------------------------- pods

cni() {		# ADD|DEL WAY POD VPC
	local node
	node=$(node_of "$3")
	CNI_PATH=$BUILD:$PLUGINS in_ns "$node" "$driver" -cache /run/cni \
		-args "IgnoreUnknown=1;VPC=$4;IP=10.1.0.$(number_of "$3")/24,fd01::$(number_of "$3")/64" \
		"$1" "/run/$node.conflist" "/run/netns/$3" "$3" eth0
}

network_of() {	# WAY VPC: as `bpfstamp pods` has it
	[ "$1" = vxlan ] || echo -n vlan:
	id_of "$2"
}

pods() {	# NODE WAY VPC OPTION…
	in_ns "$1" "$BPFSTAMP" pods --pin-path "/run/bpf.$1" --network "$(network_of "$2" "$3")" "${@:4}" >/dev/null
}

# Tell the other node where a pod is, or that it is no longer there.
announce() {	# WAY POD
	local address there=(--mac "${mac[$2]}") other
	other=$(other_node "$(node_of "$2")")
	[ "$1" = vlan ] || there+=(--node 192.0.2."$(node_of "$2" | tr -d n)")
	for address in 10.1.0. fd01::; do
		pods "$other" "$1" "${vpc[$2]}" --add "$address$(number_of "$2")" "${there[@]}"
	done
}

withdraw() {	# WAY POD
	local address other
	other=$(other_node "$(node_of "$2")")
	for address in 10.1.0. fd01::; do
		pods "$other" "$1" "${vpc[$2]}" --remove "$address$(number_of "$2")"
	done
}

start_pod() {	# WAY POD
	local result
	vpc[$2]=${2%?}
	result=$(cni ADD "$1" "$2" "${vpc[$2]}") || fail "the runtime cannot add $2"
	device[$2]=$(jq -r '.interfaces[] | select((.sandbox // "") == "") | .name' <<<"$result")
	mac[$2]=$(jq -r '.interfaces[] | select((.sandbox // "") != "") | .mac' <<<"$result")
}

stop_pod() {	# WAY POD
	withdraw "$1" "$2"
	cni DEL "$1" "$2" "${vpc[$2]}" >/dev/null || fail "the runtime cannot delete $2"
	unset "vpc[$2]"
}

# The same program with another value, in place; and the addresses in the other network.
move_pod() {	# WAY POD VPC
	local node address value=vni
	node=$(node_of "$2")
	[ "$1" = vxlan ] || value=vlan
	withdraw "$1" "$2"
	"$BPFSTAMP" set --netns "$node" --dev "${device[$2]}" --direction ingress --pin-path "/run/bpf.$node" \
		--object "$BUILD/bpf/vpc_$1.bpf.o" "$value=$(id_of "$3")" >/dev/null || fail "cannot restamp $2"
	for address in 10.1.0. fd01::; do
		pods "$node" "$1" "${vpc[$2]}" --remove "$address$(number_of "$2")"
		pods "$node" "$1" "$3" --add "$address$(number_of "$2")" --mac "${mac[$2]}" --dev "${device[$2]}"
	done
	vpc[$2]=$3
	announce "$1" "$2"
}

# ------------------------------------------------------------------- who reaches whom

answers() {	# POD ADDRESS: the pod that answers, or "-"
	local got pod try
	for try in 1 2 3; do
		got=$(in_ns "$1" ping -n -c 1 -W 0.5 "$2" 2>/dev/null |
			sed -nE 's/.* (ttl|hlim|hops)=([0-9]+) .*/\2/p')
		[ -z "$got" ] || break
	done
	for pod in $PODS; do
		[ "$(hops_of "$pod")" != "$got" ] || { echo "$pod"; return; }
	done
	echo "-"
}

# The pod of that VPC that has the address, or "-".
should_answer() {	# VPC NUMBER
	local pod
	for pod in $PODS; do
		if [ "${vpc[$pod]-}" = "$1" ] && [ "$(number_of "$pod")" = "$2" ]; then
			echo "$pod"
			return
		fi
	done
	echo "-"
}

cell() {	# POD NUMBER: who answered by IPv4 and IPv6, in $line
	local four six
	four=$(<"/run/answer.$1.4.$2") six=$(<"/run/answer.$1.6.$2")
	[ "$four" = "$six" ] || four+="|$six"
	[ "$four" = "$(should_answer "${vpc[$1]}" "$2")" ] || { four+="(!)" wrong=1; }
	printf -v line '%s%-12s' "$line" "$four"
}

row() {		# POD
	local n jobs=() line
	for n in 1 2 3 4; do
		answers "$1" "10.1.0.$n" >"/run/answer.$1.4.$n" & jobs+=($!)
		answers "$1" "fd01::$n" >"/run/answer.$1.6.$n" & jobs+=($!)
	done
	wait "${jobs[@]}"
	printf -v line '%-8s%-6s%-6s' "$1" "$(node_of "$1")" "${vpc[$1]}"
	for n in 1 2 3 4; do
		cell "$1" $n
	done
	echo "${line%"${line##*[! ]}"}"
}

matrix() {
	local pod
	echo "pod     node  VPC   10.1.0.1    10.1.0.2    10.1.0.3    10.1.0.4"
	for pod in $PODS; do
		[ -z "${vpc[$pod]-}" ] || row "$pod"
	done
}

# ------------------------------------------------------------------- the wire

listen() {
	in_ns n1 tcpdump -Z root --immediate-mode -i uplink -s 128 -U -w /run/wire.pcap 2>/run/tcpdump & dump=$!
	for _ in {1..100}; do
		! grep -q listening /run/tcpdump || return 0
		sleep 0.05
	done
	fail "tcpdump does not start: $(</run/tcpdump)"
}

# "COUNT ID" of what was heard since: packets with a pod's address inside, by their VNI or VLAN id.
heard() {	# WAY
	local id='vni'
	[ "$1" = vxlan ] || id='vlan'
	sleep 0.3
	kill $dump
	wait $dump 2>/dev/null || true
	tcpdump -nner /run/wire.pcap 2>/dev/null | paste -sd ' ' |
		grep -oE "$id [0-9]+" | sort | uniq -c | awk '{ print $1, $3 }'
}

report_wire() {	# WAY
	local count id ids='' what=VNI
	[ "$1" = vxlan ] || what="VLAN id"
	echo "on the wire between n1 and n2:"
	while read -r count id; do
		echo "  $what $id: $count packets"
		ids+="$id "
	done < <(heard "$1")
	[ "$ids" = "100 200 " ] || { echo "  (!) should be 100 and 200"; wrong=1; }
}

# ------------------------------------------------------------------- all of it

show() {	# vxlan|vlan
	local pod
	list "$1" n1 >/run/n1.conflist
	list "$1" n2 >/run/n2.conflist
	echo "$1: who answers at which address, by IPv4 and by IPv6"
	for pod in $PODS; do
		start_pod "$1" "$pod"
	done
	for pod in $PODS; do
		announce "$1" "$pod"
	done
	listen
	matrix
	report_wire "$1"
	stop_pod "$1" blue2
	move_pod "$1" red2 blue
	echo "$1: blue2 is deleted; red2 is given its VPC, while it runs"
	matrix
	for pod in $PODS; do
		[ -z "${vpc[$pod]-}" ] || stop_pod "$1" "$pod"
	done
	for pod in n1 n2; do
		[ -z "$(find "/run/bpf.$pod" -path '*bpfstamp-cni*')" ] ||
			{ echo "(!) $pod: something is left"; wrong=1; }
	done
	echo
}

main() {
	check_needs
	build_driver
	make_nodes
	show vxlan
	show vlan
	[ $wrong = 0 ] || fail "what is marked (!) should be otherwise"
	echo "every pod found its own VPC's pods, and no other"
}

if [ "${1-}" != --inside ]; then
	exec unshare --mount --net --pid --fork --mount-proc --kill-child "$BASH" "$0" --inside
fi
main
