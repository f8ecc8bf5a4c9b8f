# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Part of cni.sh: a number, a name or a path that was a pod's, and is another's by now.  Plugins that make the pair in
# the pod's namespace and move one end to the node give the same numbers again.

# A pod at index 77 of the node; $prev is what a plugin would have said.
moved_pod() {	# POD HOST-END [HOST-MAC POD-MAC]
	new_pod "$1"
	ip -n "$1" link add eth0 index 60 ${4:+address "$4"} type veth peer name "$2" index 77 ${3:+address "$3"}
	ip -n "$1" link set "$2" netns $$
	ip link set "$2" up
	ip -n "$1" link set eth0 up
	is "$1: its number" 77 "$(ip -j link show "$2" | jq '.[0].ifindex')"
	prev='{"cniVersion": "1.0.0", "ips": [{"address": "10.1.0.2/24"}]}'
}

pod_ends() {	# POD HOST-END: which the kernel removes a little later
	ip netns del "$1"
	for _ in {1..200}; do
		ip link show "$2" >/dev/null 2>&1 || return 0
		sleep 0.02
	done
	fail "$1: its interface stays"
}

pod_runs() {	# NAME HOST-END NETWORK
	is "$1: its program" "$2 ${uniq:0:8}" "$(attached 'select(.dev != "vxlan0") | "\(.dev) \(.name)"')"
	is "$1: its address" 1 "$(pods_in_map "$3")"
}

# The second pod differs from the first by nothing but its namespace, or by more; it has the first one's address.
index_again() {	# NAME COMMAND HOST-END1 HOST-END2 [HOST-MAC POD-MAC]
	local name="$1, $2" pod=${second:-pod2}
	moved_pod pod1 "$3" "${@:5}"
	vpc_at
	container=first good "$name: ADD" ADD pod1 || return
	mv "$conf" "$conf.first"
	pod_ends pod1 "$3"
	moved_pod "$pod" "$4" "${@:5}"
	vpc_at
	container=second good "$name: ADD of another" ADD "$pod"
	mv "$conf" "$conf.second"
	cp "$conf.first" "$conf"
	if [ "$2" = GC ]; then
		jq '.cniVersion = "1.1.0" | del(.prevResult) | ."cni.dev/valid-attachments" =
			[{containerID: "second", ifname: "eth0"}]' "$conf.first" >"$conf"
		answer=$(CNI_COMMAND=GC CNI_PATH=$PLUGINS "$CNI" <"$conf" 2>&1)
		is "$name" "0 " "$? $answer"
	else
		container=first good "$name" DEL pod1
	fi
	pod_runs "$name: the other pod" "$4" 100
	cp "$conf.second" "$conf"
	container=second good "$name: CHECK of the other pod" CHECK "$pod"
	container=second good "$name: DEL of the other pod" DEL "$pod"
	is "$name: nothing is attached" "" "$(attached 'select(.dev != "vxlan0") | .dev')"
	is "$name: no entry" 0 "$(pods_in_map 100)"
	pod_ends "$pod" "$4"
}

# What the first left in a network that the second is not in.
entry_left() {
	moved_pod pod1 calia
	vpc_at
	good "an entry is left: ADD" ADD pod1 || return
	mv "$conf" "$conf.first"
	pod_ends pod1 calia
	moved_pod pod2 calib
	vpc_at '.pods.vni = 200 | .attach[0].set.vni = 200'
	good "an entry is left: ADD of another" ADD pod2
	mv "$conf" "$conf.second"
	before_us ptp pod3
	prev=$(jq .prevResult "$conf.first")
	vpc_at
	bad "an entry is left: its address" 101 'calib \(index 77\), or one before it that was not deleted, has it' ADD pod3
	cp "$conf.first" "$conf"
	good "an entry is left: DEL" DEL pod1
	vpc_at
	good "an entry is left: the address after DEL" ADD pod3
	good "an entry is left: DEL of that" DEL pod3
	gone_before_us ptp pod3
	is "an entry is left: it is gone" 0 "$(pods_in_map 100)"
	pod_runs "an entry is left: the other pod" calib 200
	cp "$conf.second" "$conf"
	good "an entry is left: DEL of the other pod" DEL pod2
	pod_ends pod2 calib
}

# A plugin behind us gave the node's end another name, and the pod has another MAC address.
renamed() {
	before_us ptp pod1 || return
	vpc_at
	good "renamed: ADD" ADD pod1 || return
	ip link set "$host" down && ip link set "$host" name other0 && ip link set other0 up
	ip -n pod1 link set eth0 address 02:00:00:00:00:07
	good "renamed: DEL" DEL pod1
	is "renamed: nothing is attached" "" "$(attached 'select(.dev != "vxlan0") | .dev')"
	is "renamed: no clsact" "" "$(tc qdisc show dev other0 | grep clsact)"
	is "renamed: no entry" 0 "$(pods_in_map 100)"
	gone_before_us ptp pod1
}

# A pod that nobody finds any more, but runs, is not stripped; what it has ends with it.
not_found() {
	local runs
	moved_pod pod1 calia
	vpc_at
	good "not found: ADD" ADD pod1 || return
	ip netns exec pod1 sleep 60 &
	runs=$!
	until [ "$(readlink /proc/$runs/ns/net)" = "net:[$(stat -Lc %i /run/netns/pod1)]" ]; do sleep 0.02; done
	ip netns del pod1
	good "not found: DEL" DEL pod1
	is "not found: its program" "calia ${uniq:0:8}" "$(attached 'select(.dev != "vxlan0") | "\(.dev) \(.name)"')"
	kill $runs
	wait $runs 2>/dev/null
	for _ in {1..200}; do
		ip link show calia >/dev/null 2>&1 || break
		sleep 0.02
	done
	bpftool map delete pinned $bpffs/vpc_pods key $(bpftool -j map dump pinned $bpffs/vpc_pods |
		jq -r '.[0].key | join(" ")') || fail "not found: its entry"
}

# The container comes back in a namespace where another pair's end has the name and the number of its own.
foreign_end() {
	local host end
	new_pod pod1
	new_pod pod2
	new_pod third
	write "$drop_ip0 + {ipam: {type: \"static\", addresses: [{address: \"10.1.0.9/24\"}]}}"
	good "a foreign end: ADD" ADD pod1 || return
	host=$(place_of pod1) end=$(ip -n pod1 -j link show eth0 | jq '.[0].ifindex')
	ip -n pod2 link add eth0 index "$end" type veth peer name foreign index "$host" netns third
	container=c-pod1 bad "a foreign end: ADD again" 100 'eth0' ADD pod2
	is "a foreign end: it gets no address" "" "$(ip -n pod2 -4 -br address show eth0 | grep 10.1.0.9)"
	is "a foreign end: it stays" foreign "$(ip -n third -j link show foreign | jq -r '.[0].ifname')"
	good "a foreign end: DEL" DEL pod1
	is "a foreign end: the pod's own" "" "$(ip -n pod1 -br link show eth0 2>/dev/null)"
	ip netns del pod1
	ip netns del pod2
	ip netns del third
	nothing_left "a foreign end"
}

test_reused() {
	local command
	version=1.0.0
	for command in DEL GC; do
		index_again "index again" $command calia calib
		index_again "the same name" $command calia calia ee:ee:ee:ee:ee:ee
		index_again "the same MAC addresses" $command calia calia ee:ee:ee:ee:ee:ee 02:00:00:00:00:05
		second=pod1 index_again "the same path" $command calia calia ee:ee:ee:ee:ee:ee 02:00:00:00:00:05
	done
	entry_left
	renamed
	not_found
	no_more_vxlan
	nothing_left "reused"
	foreign_end
}
