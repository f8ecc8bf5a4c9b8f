# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Part of cni.sh: behind a plugin that makes the pod's interface.

drop_ip0='{object: $drop, attach: [{direction: "egress", set: {target_addr: "${ip.0}"}}]}'

chained_in() {	# PLUGIN VERSION
	local name="$1, $2" pod=pod1 v4
	version=$2
	before_us "$1" $pod || return
	v4=$address
	reaches "$name: before" answered "$v4"
	after "$drop_ip0"
	good "$name: ADD" ADD $pod || return
	is "$name: the result is the one before" "$(jq -S ".cniVersion = \"$version\"" <<<"$prev")" "$(jq -S . <<<"$answer")"
	reaches "$name: the pod's address is dropped" lost "$v4"
	reaches "$name: another is not" answered "$address6"
	is "$name: attached" "clsact $host $uniq" "$(attached '"\(.hook) \(.dev) \(.name)"')"
	good "$name: ADD again" ADD $pod
	is "$name: one attachment" "$uniq" "$(attached .name)"
	[ $version = 0.3.1 ] || good "$name: CHECK" CHECK $pod
	after '{object: $drop, attach: [{set: {target_addr: "10.9.9.9"}}]}'
	[ $version = 0.3.1 ] || bad "$name: CHECK, other values" 100 'is not what ADD would attach' CHECK $pod
	good "$name: ADD with other values" ADD $pod
	reaches "$name: the pod's address passes" answered "$v4"
	is "$name: still one attachment" "$uniq" "$(attached .name)"
	after "$drop_ip0"
	good "$name: DEL" DEL $pod
	good "$name: DEL again" DEL $pod
	is "$name: no attachment" "" "$(attached .)"
	is "$name: no clsact" "" "$(tc qdisc show dev "$host" | grep clsact)"
	reaches "$name: after" answered "$v4"
	gone_before_us "$1" $pod
	nothing_left "$name"
}

test_chained() {
	local v
	for v in 0.3.1 0.4.0 1.0.0 1.1.0; do
		chained_in bridge $v
	done
	chained_in ptp 1.0.0
}
