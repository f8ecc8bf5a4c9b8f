# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Part of cni.sh: commands that are not for a pod, and whatever is wrong: an error of
# the specification's form, and nothing left behind.

collect() {	# NAME [POD…]: GC, with these pods valid
	local name=$1 valid=[]
	shift
	[ $# = 0 ] || valid=$(printf '{"containerID":"c-%s","ifname":"eth0"}\n' "$@" | jq -cs .)
	jq -c ".cniVersion = \"1.1.0\" | .\"cni.dev/valid-attachments\" = $valid | del(.prevResult)" "$conf" \
		>"$conf.gc"
	answer=$(CNI_COMMAND=GC CNI_PATH=$PLUGINS ${under:-} "$CNI" <"$conf.gc" 2>&1)
	status=$?
	[ -n "${under:-}" ] || is "$name" "0 " "$status $answer"
}

status_of_ipam() {	# CODE EXPECTED
	local PLUGINS=$tmp/plugins
	ipam_that says "echo '{\"cniVersion\": \"1.1.0\", \"code\": $1, \"msg\": \"no pool\"}'; exit 1"
	write "$drop_ip0 + {ipam: {type: \"says\"}}"
	bad "STATUS, IPAM says $1" "$2" 'says: no pool' STATUS none
}

test_commands() {
	local v
	version=1.1.0
	for v in 0.3.1 0.4.0 1.0.0 1.1.0 7.0.0; do
		answer=$(echo "{\"cniVersion\": \"$v\"}" | CNI_COMMAND=VERSION "$CNI")
		is "VERSION, $v" "$v 0.3.1,0.4.0,1.0.0,1.1.0" \
			"$(jq -r '"\(.cniVersion) \(.supportedVersions | join(","))"' <<<"$answer")"
	done

	answer=$(CNI_COMMAND=VERSION "$CNI" </dev/null)
	is "VERSION of nothing" "0 1.1.0 0.3.1" "$? $(jq -r '"\(.cniVersion) \(.supportedVersions[0])"' <<<"$answer")"
	: >"$conf"
	bad "ADD of nothing" 6 'no JSON' ADD none

	write "$drop_ip0"
	good "STATUS" STATUS none
	write '{object: "/no/such.o", attach: [{}]}'
	bad "STATUS without an object" 50 '/no/such\.o' STATUS none
	write "$drop_ip0 + {pinPath: \"$tmp/none\"}"
	bad "STATUS without a bpffs" 50 'mount -t bpf bpf' STATUS none
	write "$drop_ip0 + {ipam: {type: \"host-local\", dataDir: \"$tmp/ipam\", ranges: $ranges}}"
	good "STATUS, IPAM knows none" STATUS none
	write "$drop_ip0 + {ipam: {type: \"no-such-ipam\"}}"
	bad "STATUS without the IPAM plugin" 50 "no IPAM plugin 'no-such-ipam'" STATUS none
	status_of_ipam 51 51
	status_of_ipam 50 50
	status_of_ipam 999 50

	echo '{"red": {"vni": 100}, "blue": {"vni": 200}}' >"$tmp/vpcs"
	rm -rf "$tmp/ipam"
	three_pods "GC" || return
	collect "GC: all are valid" p1 p2
	reaches "GC: all are valid: of the same VPC" answered 10.1.0.3 p1
	collect "GC: one is not" p1
	is "GC: one is not: its interface" "" "$(ip -n p2 -br link show eth0 2>/dev/null)"
	is "GC: one is not: entries" "2 2" "$(pods_in_map 100) $(pods_in_map 200)"
	is "GC: one is not: the other's interface" 1 "$(ip -n p1 -br link show eth0 | grep -c .)"
	is "GC: one is not: addresses" 4 "$(find "$tmp/ipam" -name '[1-9f]*' | wc -l)"
	ip netns del p1
	collect "GC: none is valid"
	is "GC: another network's stay" "0 2" "$(pods_in_map 100) $(pods_in_map 200)"
	net=blue
	standalone_conf
	collect "GC: the other network"
	unset net cni_args
	ip netns del p2
	ip netns del p3
	nothing_left "GC"
}

# ------------------------------------------------------------------ bad input

wrong() {	# NAME CODE PATTERN: ADD of pod1 with what is in $conf
	bad "$1" "$2" "$3" ADD pod1
	nothing_but_pod1 "$1"
}

nothing_but_pod1() {	# NAME
	is "$1: nothing is left" "" "$(diff <(echo "$before") <(state_of_node))"
}

state_of_node() {
	kernel_objects "${expected_objects:-0}"
	pinned
	attached '"\(.dev) \(.id) \(.values)"'
	ip -br link | sed 's/ .*//'
	find "$tmp/ipam" -name '[1-9f]*'
	tc qdisc show | grep clsact
}

vpc_with() {	# JQ-EXPRESSION that changes it
	after "{object: \$vxlan, vxlan: {dev: \"vxlan1\"}, attach: [{program: \$from_pod, direction: \"ingress\",
		set: {vni: 100, vxlan_ifindex: \"\${ifindex.vxlan1}\"}}], pods: {vni: 100}} | $1" 
}
test_wrong() {
	local before
	version=1.0.0
	rm -f $bpffs/vpc_{pods,stats}
	before_us bridge pod1 || return
	before=$(state_of_node)

	echo '{"cniVersion": "1.0.0",' >"$conf"
	wrong "malformed JSON" 6 'no JSON: line'
	after "$drop_ip0"; sed -i 's/"1.0.0"/"1.2.0"/' "$conf"
	wrong "unknown version" 1 '1\.2\.0'
	after "$drop_ip0 + {object: \"/no/such.o\"}"
	wrong "no object" 7 '/no/such\.o'
	after "$drop_ip0 + {object: \"$conf\"}"
	wrong "no ELF" 7 'ELF'
	after "$drop_ip0 | .attach[0].program = \"nobody\""
	wrong "no such program" 7 'nobody'
	after '{object: $drop, attach: [{set: {targetaddr: "${ip.0}"}}]}'
	wrong "no such value" 7 'targetaddr'
	after '{object: $drop, attach: [{set: {target_addr: "${ip.9}"}}]}'
	wrong "no such address" 7 'ip\.9'
	after '{object: $drop, attach: [{set: {target_addr: "red"}}]}'
	wrong "no such form" 7 'target_addr'
	after "$drop_ip0 + {atach: []}"
	wrong "unknown key" 2 'atach'
	write "$drop_ip0"
	wrong "no prevResult" 7 'prevResult'
	after "$drop_ip0 + {pinPath: \"$tmp/none\"}"
	wrong "no bpffs" 100 "mount -t bpf bpf"
	after "$drop_ip0 + {name: \"../etc\"}"
	wrong "name of the network" 7 'name'

	vpc_with '.attach[0].set.vni = 16777216'
	wrong "VNI of 25 bits" 7 'vni'
	vpc_with '.pods.vni = 16777216'
	wrong "VNI of 25 bits, of pods" 7 'vni'
	vpc_with '.pods = {vlan: 0}'
	wrong "VLAN 0" 7 'vlan'
	vpc_with '.pods = {vlan: 4095}'
	wrong "VLAN 4095" 7 'vlan'
	vpc_with '.pods = {vlan: "${args.vlan:-4095}"}'
	wrong "VLAN 4095, expanded" 7 'vlan'
	vpc_with '.vxlan.dev = "br0"'
	wrong "a VXLAN device that is none" 100 'br0 is there, but is no VXLAN device'
	after "$drop_ip0 + {pods: {vni: 100}}"
	wrong "pods without a map" 7 'none of the programs has the map vpc_pods'
	after "$drop_ip0 | .attach += [{dev: \"pod\", hook: \"tcx\"}, {program: \"nobody\", hook: \"xdp\"}]"
	wrong "the third of three" 7 'XDP|xdp|nobody'

	after "$drop_ip0"
	bad "no such namespace" 4 'CNI_NETNS' ADD pod7
	nothing_but_pod1 "no such namespace"
	bad "no such interface" 100 'eth7' ADD pod1 eth7
	nothing_but_pod1 "no such interface"
	bad "CHECK of a pod that was not added" 3 'not added' CHECK pod1
	good "DEL of a pod that was not added" DEL pod1
	good "DEL of a pod whose namespace is gone" DEL pod7
	nothing_but_pod1 "DEL of a pod whose namespace is gone"

	tc qdisc add dev "$host" clsact
	tc filter add dev "$host" egress prio 1 handle 1 bpf da obj "$BPF/ping_drop_const.bpf.o" sec egress
	rm -rf "${bpffs:?}"/{ip,tc,xdp}		# which tc made
	before=$(state_of_node)
	after '{object: $drop, attach: [{direction: "ingress"}, {}]}'
	wrong "the place is another's" 100 'taken by a filter of another program'
	tc qdisc del dev "$host" clsact
	gone_before_us bridge pod1
	ipam_wrong
	same_address
}

route_with_more() {	# KEY VALUE
	local PLUGINS=$tmp/plugins
	ipam_that routes '[ $CNI_COMMAND = ADD ] || exit 0' "cat <<'END'" "{\"cniVersion\": \"1.0.0\",
		\"ips\": [{\"address\": \"10.1.0.9/24\"}], \"routes\": [{\"dst\": \"10.2.0.0/16\"},
		{\"dst\": \"10.3.0.0/16\", \"$1\": $2}]}" END
	write "$drop_ip0 + {ipam: {type: \"routes\"}}"
	wrong "a route with $1" 7 "ipam: routes\[1\]\.$1 of its result is not supported"
}

ipam_wrong() {
	local before
	new_pod pod1
	before=$(state_of_node)
	write "$drop_ip0 + {ipam: {type: \"no-such-ipam\"}}"
	wrong "no such IPAM plugin" 7 "no IPAM plugin 'no-such-ipam'"
	write "$drop_ip0 + {ipam: {type: \"host-local\", dataDir: \"$tmp/ipam\",
		ranges: [[{subnet: \"10.5.0.0/33\"}]]}}"
	wrong "IPAM is configured wrong" 999 'host-local: '
	write "$drop_ip0 + {ipam: {type: \"host-local\", dataDir: \"$tmp/ipam\", ranges: $ranges}}
		| .attach[0].set.target_addr = \"\${ip.5}\""
	wrong "after IPAM" 7 'ip\.5'
	route_with_more table 100
	route_with_more mtu 1400
	ip -n pod1 link add eth0 type veth peer name other
	write "$drop_ip0 + {ipam: {type: \"host-local\", dataDir: \"$tmp/ipam\", ranges: $ranges}}"
	wrong "the pod has an interface of that name" 100 'eth0'
	ip netns del pod1
}

# Of two pods of a VPC, the second has the address of the first: by static addresses.
same_address() {
	local before fixed
	fixed="{object: \$vxlan, vxlan: {dev: \"vxlan0\"}, attach: [{program: \"${uniq:0:8}\", direction: \"ingress\",
		set: {vni: 100}}], pods: {vni: 100},
		ipam: {type: \"static\", addresses: [{address: \"10.1.0.9/24\"}]}}"
	new_pod pod1
	new_pod pod2
	write "$fixed"
	good "the same address: the first" ADD pod2
	expected_objects=1
	before=$(state_of_node)
	wrong "the same address" 101 \
		'10\.1\.0\.9 of VNI 100 is taken: the pod at bs[0-9a-f]{13} \(index [0-9]+\) has it'
	is "the same address: the first has it" 1 "$(pods_in_map 100)"
	prev=$answer
	# What is left of a pod whose interface is gone is nobody's.
	ip netns del pod2
	good "the address of a pod that is gone" ADD pod1
	is "the address of a pod that is gone: one entry" 1 "$(pods_in_map 100)"
	good "the address of a pod that is gone: DEL of the old one" DEL pod2
	is "the address of a pod that is gone: the new one keeps it" 1 "$(pods_in_map 100)"
	good "the same address: DEL" DEL pod1
	is "the same address: no entry" 0 "$(pods_in_map 100)"
	ip netns del pod1
	ip link del vxlan0
	expected_objects=
	nothing_left "the same address"
}
