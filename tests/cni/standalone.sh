# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Part of cni.sh: pods whose interface the plugin makes, in VPCs.

# Each pod's VPC is what CNI_ARGS says, by a table.
vpc_pods='{
	object: $vxlan, mtu: 1430, vxlan: {dev: "vxlan0", mtu: 1430},
	attach: [{program: $from_pod, direction: "ingress",
		set: {vni: "${vpc.vni}", vxlan_ifindex: "${ifindex.vxlan0}"}}],
	node: [{program: "from_vxlan", dev: "vxlan0", direction: "ingress"}],
	pods: {vni: "${vpc.vni}"}, vpcs: $vpcs, vpc: "${args.VPC}", dns: {},
	ipam: {type: "host-local", dataDir: $ipam, ranges: $ranges, routes: [{dst: "0.0.0.0/0"}, {dst: "::/0"}],
		resolvConf: $resolv}}'

standalone_conf() {	# [JQ-EXPRESSION that changes it]
	echo nameserver 10.1.0.53 >"$tmp/resolv.conf"
	write "$vpc_pods ${1:-}" --arg from_pod "${uniq:0:8}" --arg vpcs "$tmp/vpcs" --arg ipam "$tmp/ipam" \
		--arg resolv "$tmp/resolv.conf" \
		--argjson ranges '[[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd01::/64"}]]'
}

checked_conf() {	# [JQ-EXPRESSION]: as a runtime gives it to CHECK, with the result of ADD ($prev)
	standalone_conf "+ {prevResult: $prev} ${1:-}"
}

pods_in_map() {		# NETWORK
	bpftool -j map dump pinned $bpffs/vpc_pods | jq "[.[].formatted | select(.key.network == $1)] | length"
}

place_of() {	# POD: index of its interface on the node
	ip -n "$1" -j link show eth0 | jq '.[0].link_index'
}

# p1 and p2 are red, p3 is blue and has the address of p1.
three_pods() {	# NAME
	local pod
	for pod in p1 p2 p3; do
		new_pod $pod
		net=red cni_args=IgnoreUnknown=1\;VPC=red
		[ $pod != p3 ] || net=blue cni_args=IgnoreUnknown=1\;VPC=blue
		standalone_conf
		good "$1: ADD $pod" ADD $pod || return 1
	done
	net=red cni_args=IgnoreUnknown=1\;VPC=red
	standalone_conf
}

standalone_in() {	# VERSION
	local name="standalone, $1" first pod
	version=$1
	rm -rf "$tmp/ipam"		# host-local remembers what it gave last
	three_pods "$name" || return
	is "$name: DNS is IPAM's" '{"nameservers":["10.1.0.53"]}' "$(jq -c .dns <<<"$answer")"
	is "$name: the pods' addresses" "10.1.0.2/24 10.1.0.3/24 10.1.0.2/24" "$(for pod in p1 p2 p3; do
		ip -n $pod -j address show eth0 | jq -r '.[].addr_info[] | select(.family == "inet") |
		"\(.local)/\(.prefixlen)"'; done | paste -sd ' ')"
	is "$name: a default route" 1 "$(ip -n p1 route show default via 10.1.0.1 | grep -c .)"
	is "$name: a default route, IPv6" 1 "$(ip -n p1 -6 route show default via fd01::1 | grep -c .)"
	is "$name: MTU" 1430 "$(ip -n p1 -j link show eth0 | jq '.[0].mtu')"
	reaches "$name: of the same VPC" answered 10.1.0.3 p1
	reaches "$name: of the same VPC, IPv6" answered fd01::3 p1
	reaches "$name: back" answered 10.1.0.2 p2
	reaches "$name: of another VPC" lost 10.1.0.3 p3
	is "$name: entries" "4 2" "$(pods_in_map 100) $(pods_in_map 200)"
	is "$name: VXLAN device" "true 4789" \
		"$(ip -d -j link show vxlan0 | jq -r '.[0].linkinfo.info_data | "\(.external) \(.port)"')"

	first=$(place_of p1)
	standalone_conf '+ {dns: {search: ["red"]}}'
	cni ADD p1; prev=$answer
	is "$name: ADD again: DNS is the configuration's" '{"search":["red"]}' "$(jq -c .dns <<<"$answer")"
	is "$name: ADD again: the same pair" "$first" "$(place_of p1)"
	is "$name: ADD again: the same addresses" 10.1.0.2/24 "$(jq -r '.ips[0].address' <<<"$answer")"
	is "$name: interfaces of the result" \
		"$(ip -j link | jq -r ".[] | select(.ifindex == $first) | .ifname"),eth0" \
		"$(jq -r '[.interfaces[].name] | join(",")' <<<"$answer")"
	reaches "$name: ADD again" answered 10.1.0.3 p1
	checked_conf
	[ "$version" = 0.3.1 ] || checked "$name"
	another_mtu "$name"
	standalone_conf
	moved "$name"
	three_gone "$name"
	nothing_left "$name"
}

# What ADD gave p1 is taken away piece by piece, and given back; of what a plugin behind changed in the result,
# nothing is said.
checked() {	# NAME
	good "$1: CHECK" CHECK p1
	ip -n p1 route del default
	bad "$1: CHECK: no route" 100 'route to 0.0.0.0/0 through eth0: there is none by 10.1.0.1$' CHECK p1
	ip -n p1 route add default via 10.1.0.9
	bad "$1: CHECK: another route" 100 'route to 0.0.0.0/0 through eth0: there is none by 10.1.0.1$' CHECK p1
	checked_conf '| .prevResult.routes[0].gw = "10.1.0.9"'
	good "$1: CHECK: the result has another" CHECK p1
	checked_conf '| del(.prevResult.routes[0])'
	good "$1: CHECK: the result has none" CHECK p1
	ip -n p1 route replace default via 10.1.0.1
	checked_conf
	good "$1: CHECK: it is there again" CHECK p1
	ip -n p1 -6 route del default
	bad "$1: CHECK: no route, IPv6" 100 'route to ::/0 through eth0: there is none by fd01::1$' CHECK p1
	ip -n p1 address del 10.1.0.2/24 dev eth0
	bad "$1: CHECK: no address" 100 'eth0 of the pod does not have its address 10\.1\.0\.2 any more' CHECK p1
	standalone_conf
	good "$1: ADD gives all back" ADD p1
	checked_conf
	good "$1: CHECK: all is back" CHECK p1
}

# Both ends get it; what a plugin behind made of the pod's is its own.
another_mtu() {		# NAME
	checked_conf '| .mtu = 1400'
	[ "$version" = 0.3.1 ] || bad "$1: CHECK: another MTU" 100 'the MTU of bs[0-9a-f]* is 1430, and .* 1400' CHECK p1
	standalone_conf '| .mtu = 1400'
	good "$1: ADD: another MTU" ADD p1
	is "$1: another MTU" "1400 1400" "$(ip -n p1 -j link show eth0 | jq '.[0].mtu') $(ip -j link |
		jq ".[] | select(.ifindex == $first) | .mtu")"
	[ "$version" != 1.1.0 ] || is "$1: another MTU: the result" 1400 "$(jq '.interfaces[1].mtu' <<<"$answer")"
	is "$1: another MTU: the same pair" "$first" "$(place_of p1)"
	checked_conf '| .mtu = 1400'
	ip -n p1 link set eth0 mtu 1300
	[ "$version" = 0.3.1 ] || good "$1: CHECK: another MTU is there" CHECK p1
	standalone_conf
	good "$1: ADD: the MTU of before" ADD p1
	is "$1: the MTU of before" 1430 "$(ip -n p1 -j link show eth0 | jq '.[0].mtu')"
}

# p1 goes to the other VPC, with another address, because p3 has that.
moved() {	# NAME
	cni_args=IgnoreUnknown=1\;VPC=blue
	standalone_conf
	bad "$1: moved to an address that is taken" 101 '10\.1\.0\.2 of VNI 200 is taken: the pod at bs' ADD p1
	reaches "$1: and nothing has changed" answered 10.1.0.3 p1
	standalone_conf '| .ipam.ranges[0][0].rangeStart = "10.1.0.20" | .ipam.ranges[1][0].rangeStart = "fd01::20"'
	good "$1: moved" ADD p1
	reaches "$1: moved: the other side" answered 10.1.0.2 p1
	reaches "$1: moved: not the side before" lost 10.1.0.3 p1
	is "$1: moved: entries" "2 4" "$(pods_in_map 100) $(pods_in_map 200)"
	cni_args=IgnoreUnknown=1\;VPC=red
	standalone_conf
}

three_gone() {	# NAME
	local pod
	for pod in p1 p2 p3; do
		net=red
		[ $pod != p3 ] || net=blue
		standalone_conf
		[ $pod != p2 ] || ip netns del p2
		good "$1: DEL $pod" DEL $pod
		good "$1: DEL $pod again" DEL $pod
	done
	ip netns del p1
	ip netns del p3
	is "$1: no entry is left" "0 0" "$(pods_in_map 100) $(pods_in_map 200)"
	is "$1: nothing is counted any more" '[]' "$(bpftool -j map dump pinned $bpffs/vpc_stats |
		jq -c '[.[].formatted.key | select(.network != 0)]')"
	is "$1: what pods share is left" "from_vxlan vxlan0" "$(attached '"\(.name) \(.dev)"')"
	"$BPFSTAMP" detach --dev vxlan0 --direction ingress >/dev/null
	ip link del vxlan0
	unset net cni_args
}

test_standalone() {
	local v
	echo '{"red": {"vni": 100}, "blue": {"vni": 200}}' >"$tmp/vpcs"
	for v in 0.3.1 0.4.0 1.0.0 1.1.0; do
		standalone_in $v
	done
}
