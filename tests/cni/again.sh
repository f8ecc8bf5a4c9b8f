# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Part of cni.sh: pods that are not any more as they were added, and what stands in the way.

vpc_at() {	# MORE: chained, in VNI 100
	after "{object: \$vxlan, vxlan: {dev: \"vxlan0\"}, attach: [{program: \$from_pod, direction: \"ingress\",
		set: {vni: 100, vxlan_ifindex: \"\${ifindex.vxlan0}\"}}], pods: {vni: 100}} | ${1:-.}"
}

macs_in_map() {
	bpftool -j map dump pinned $bpffs/vpc_pods | jq -r '.[].formatted.value.mac | map(tostring) | join(":")' |
		sort -u
}

no_more_vxlan() {
	ip link del vxlan0
	rm -f $bpffs/vpc_{pods,stats}
}

another_mac() {
	before_us ptp pod1 || return
	vpc_at
	good "another MAC: ADD" ADD pod1 || return
	ip -n pod1 link set eth0 address 02:00:00:00:00:07
	bad "another MAC: CHECK" 100 'MAC' CHECK pod1
	good "another MAC: ADD again" ADD pod1
	is "another MAC: the entries" 2:0:0:0:0:7 "$(macs_in_map)"
	good "another MAC: CHECK after ADD" CHECK pod1
	good "another MAC: DEL" DEL pod1
	is "another MAC: no entry" 0 "$(pods_in_map 100)"
	gone_before_us ptp pod1
	no_more_vxlan
	nothing_left "another MAC"
}

ipam_conf() {	# RANGES
	write "$drop_ip0 + {ipam: {type: \"host-local\", dataDir: \"$tmp/ipam\", ranges: $1}}"
}

inside() {	# POD: what is attached in it
	"$BPFSTAMP" show --netns "$1" --json | jq -r '.attachments[] | "\(.hook) \(.direction)"' | paste -sd ' '
}

# The same container in another namespace, while that before is still there.
another_netns() {
	before_us ptp pod1 && before_us ptp pod2 || return
	after '{object: $drop, attach: [{dev: "pod", hook: "tcx"}, {dev: "pod", hook: "clsact", direction: "ingress"},
		{dev: "host", hook: "tcx"}]}'
	good "another namespace: ADD" ADD pod1 || return
	is "another namespace: before" "clsact ingress tcx egress" "$(inside pod1)"
	container=c-pod1 good "another namespace: ADD again" ADD pod2
	is "another namespace: in the new one" "clsact ingress tcx egress" "$(inside pod2)"
	is "another namespace: in the old one" "" "$(inside pod1)"
	is "another namespace: here" "$host" "$(attached .dev)"
	container=c-pod1 good "another namespace: DEL" DEL pod2
	is "another namespace: after" " " "$(inside pod1) $(inside pod2)"
	gone_before_us ptp pod1
	gone_before_us ptp pod2
	nothing_left "another namespace"
}

# DEL is told of a namespace that the container did not have when it was added.
deleted_elsewhere() {
	before_us ptp pod1 || return
	after '{object: $drop, attach: [{dev: "pod"}]}'
	good "deleted elsewhere: ADD" ADD pod1 || return
	new_pod pod2
	container=c-pod1 good "deleted elsewhere: DEL" DEL pod2
	is "deleted elsewhere: after" "" "$(inside pod1)"
	ip netns del pod2
	gone_before_us ptp pod1
	nothing_left "deleted elsewhere"
}

# IPAM is configured otherwise and has no address, and then as it was: what it took back is not used again.
other_addresses() {
	local small='[[{subnet: "10.5.0.0/30"}]]' all=$ranges
	new_pod pod1
	new_pod pod2
	ipam_conf "$small"
	good "other addresses: the only one" ADD pod2
	ipam_conf "$all"
	good "other addresses: ADD" ADD pod1 || return
	ipam_conf "$small"
	bad "other addresses: there is none" 999 'host-local: ' ADD pod1
	ipam_conf "$all"
	good "other addresses: ADD as before" ADD pod1
	has "other addresses: it is the pod's" c-pod1 \
		"$(cat "$tmp/ipam/net.1/$(jq -r '.ips[0].address | sub("/.*"; "")' <<<"$answer")" 2>&1)"
	good "other addresses: DEL" DEL pod1
	good "other addresses: DEL of the other" DEL pod2
	ip netns del pod1
	ip netns del pod2
	nothing_left "other addresses"
}

given_by() {	# FOLDER: how many addresses host-local has given away there
	find "$1" -name '[1-9f]*' | wc -l
}

# Another IPAM: that of before takes its addresses back, whenever an ADD is cut short on the way; or it is gone.
other_ipam() {
	local n more=1 step=${KILL_STEP:-5} to="$drop_ip0 + {ipam: {type: \"host-local\", dataDir: \"$tmp/ipam.2\",
		ranges: $ranges}}"
	new_pod pod1
	for ((n = 1 + RANDOM % step; n < 200 && more; n += step)); do
		ipam_conf "$ranges"
		good "other IPAM: ADD" ADD pod1 || return
		write "$to"
		more=
		cut_short "other IPAM, call $n" $n ADD pod1 && more=1
		good "other IPAM, call $n: ADD again" ADD pod1
		is "other IPAM, call $n: addresses" "0 2" "$(given_by "$tmp/ipam") $(given_by "$tmp/ipam.2")"
		good "other IPAM: DEL" DEL pod1
		is "other IPAM, call $n: addresses, after" 0 "$(given_by "$tmp/ipam.2")"
	done
	ipam_that gone "sed 's/\"gone\"/\"static\"/' | $PLUGINS/static"
	write "$drop_ip0 + {ipam: {type: \"gone\", addresses: [{address: \"10.1.0.9/24\"}]}}"
	PLUGINS=$tmp/plugins good "other IPAM: ADD of one" ADD pod1
	write "$to"
	good "other IPAM: that is gone" ADD pod1
	good "other IPAM: DEL" DEL pod1
	ip netns del pod1
	nothing_left "other IPAM"
}

# A network whose interfaces were made here gets them from another plugin.
made_then_chained() {
	new_pod pod1
	ipam_conf "$ranges"
	good "made, then chained: ADD" ADD pod1 || return
	mv "$conf" "$conf.made"
	ip netns del pod1
	net=net.2 before_us ptp pod1
	after "$drop_ip0"
	bad "made, then chained: ADD again" 7 'DEL' ADD pod1
	mv "$conf.made" "$conf"
	good "made, then chained: DEL" DEL pod1
	is "made, then chained: the other's interface" 1 "$(ip -n pod1 -br link show eth0 | grep -c .)"
	after "$drop_ip0"
	good "made, then chained: ADD after DEL" ADD pod1
	good "made, then chained: DEL of that" DEL pod1
	net=net.2 gone_before_us ptp pod1
	nothing_left "made, then chained"
}

vxlan_flags() {
	ip -j link show vxlan0 | jq -r '.[0].flags | join(" ")'
}

# Filters go from one place to another; clsact, which was missing before them, goes with the last of them.
other_places() {
	local places
	before_us ptp pod1 || return
	for places in '[{prio: 2}]' '[{}, {direction: "ingress"}]' '[{direction: "ingress"}]' '[{hook: "tcx"}]'; do
		after "$drop_ip0"
		good "other places: ADD" ADD pod1
		after "{object: \$drop, attach: $places}"
		good "other places: ADD of $places" ADD pod1
		[ "$places" = '[{}, {direction: "ingress"}]' ] || after '{object: $drop, attach: [{prio: 3}]}'
		good "other places: ADD again" ADD pod1
		good "other places: DEL" DEL pod1
		is "other places, $places: no clsact" "" "$(tc qdisc show dev "$host" | grep clsact)"
	done
	tc qdisc add dev "$host" clsact
	after "$drop_ip0"
	good "other places: ADD where there is clsact" ADD pod1
	after '{object: $drop, attach: [{prio: 2}]}'
	good "other places: ADD again where there is clsact" ADD pod1
	good "other places: DEL where there is clsact" DEL pod1
	has "other places: it stays" clsact "$(tc qdisc show dev "$host")"
	gone_before_us ptp pod1
	nothing_left "other places"
}

# Somebody removed the pin of vpc_stats: the pod's addresses are removed without it, and the next ADD makes another.
no_stats() {
	before_us ptp pod1 || return
	vpc_at
	good "no vpc_stats: ADD" ADD pod1 || return
	rm $bpffs/vpc_stats
	good "no vpc_stats: CHECK" CHECK pod1
	good "no vpc_stats: DEL" DEL pod1
	is "no vpc_stats: no entry" 0 "$(pods_in_map 100)"
	good "no vpc_stats: ADD again" ADD pod1
	is "no vpc_stats: there is one" 1 "$(pinned | grep -c '/vpc_stats$')"
	good "no vpc_stats: DEL again" DEL pod1
	gone_before_us ptp pod1
	no_more_vxlan
	nothing_left "no vpc_stats"
}

# Debian's sbr moves all routes of the interface to a table of its own, and does not say so.
behind_sbr() {
	local conf1=$tmp/conf.1
	[ -x "$PLUGINS/sbr" ] || return
	new_pod pod1
	write "$drop_ip0 + {ipam: {type: \"static\", addresses: [{address: \"10.1.0.9/24\", gateway: \"10.1.0.1\"},
		{address: \"fd01::9/64\", gateway: \"fd01::1\"}], routes: [{dst: \"0.0.0.0/0\"}, {dst: \"::/0\"}]}}"
	good "behind sbr: ADD" ADD pod1 || return
	jq --argjson prev "$answer" '.prevResult = $prev' "$conf" >"$conf1"
	jq 'del(.ipam, .attach, .object) | .type = "sbr"' "$conf1" >"$conf"
	plugin sbr ADD pod1
	is "behind sbr: sbr ADD" 0 $status
	is "behind sbr: it moves the routes" "" "$(ip -n pod1 route; ip -n pod1 -6 route show default)"
	cp "$conf1" "$conf"
	good "behind sbr: CHECK" CHECK pod1
	ip -n pod1 route flush table 100
	bad "behind sbr: CHECK: no route" 100 'route to 0.0.0.0/0 through eth0: there is none by 10.1.0.1$' CHECK pod1
	good "behind sbr: DEL" DEL pod1
	ip netns del pod1
	nothing_left "behind sbr"
}

# The VXLAN device is not up before its program is attached; the next ADD uses what is left of one that could not.
vxlan_down() {
	before_us ptp pod1 || return
	vpc_at '.node = [{dev: "vxlan0", program: "from_vxlan", hook: "netkit"}]'
	bad "VXLAN device without a program: ADD" 100 'from_vxlan' ADD pod1
	is "VXLAN device without a program" "BROADCAST MULTICAST" "$(vxlan_flags)"
	vpc_at '.node = [{dev: "vxlan0", program: "from_vxlan", direction: "ingress"}]'
	good "VXLAN device with a program: ADD" ADD pod1
	has "VXLAN device with a program" '(^| )UP( |$)' "$(vxlan_flags)"
	ip link set vxlan0 down
	good "VXLAN device that was set down: ADD" ADD pod1
	has "VXLAN device that was set down" '(^| )UP( |$)' "$(vxlan_flags)"
	good "VXLAN device with a program: DEL" DEL pod1
	gone_before_us ptp pod1
	"$BPFSTAMP" detach --dev vxlan0 --direction ingress >/dev/null
	no_more_vxlan
	nothing_left "VXLAN device"
}

# A program of the node that is there is left as it is; one of another name is not taken for it.
node_of_another() {
	local hook name
	before_us ptp pod1 || return
	ip link add dummy0 type veth peer name dummy1
	for name in filter_out filter_out_xdp; do
		hook=$([ $name = filter_out ] && echo clsact || echo xdp)
		LC_ALL=C sed "s/filter_out/wanted_out/g" "$LIFE/gate.o" >"$tmp/wanted.o"
		after "$drop_ip0 + {node: [{object: \$wanted, dev: \"dummy0\", hook: \"$hook\",
			program: \"${name/filter/wanted}\"}]}" --arg wanted "$tmp/wanted.o"
		in_place "$LIFE/gate.o" $hook $name
		bad "node, $hook: ADD" 100 "dummy0 has the program $name already" ADD pod1
		is "node, $hook: that stays" $name "$(attached 'select(.dev == "dummy0") | .name')"
		"$BPFSTAMP" detach --dev dummy0 --hook $hook >/dev/null
		good "node, $hook: ADD after it is detached" ADD pod1
		in_place "$tmp/wanted.o" $hook "${name/filter/wanted}"
		good "node, $hook: ADD, it is there" ADD pod1
		good "node, $hook: CHECK" CHECK pod1
		in_place "$LIFE/gate.o" $hook $name
		bad "node, $hook: CHECK of another" 100 "dummy0 has the program $name already" CHECK pod1
		good "node, $hook: DEL" DEL pod1
		"$BPFSTAMP" detach --dev dummy0 --hook $hook >/dev/null
	done
	gone_before_us ptp pod1
	ip link del dummy0
	nothing_left "node"
}

in_place() {	# OBJECT HOOK PROGRAM
	ok "in place: $3" "$BPFSTAMP" attach "$1" --dev dummy0 --hook "$2" --prog "$3"
}

# Somebody made clsact anew, with a shared block, in which the pod's filter cannot be: it is that one's.
clsact_of_another() {
	before_us ptp pod1 || return
	after "$drop_ip0"
	good "clsact of another: ADD" ADD pod1 || return
	tc qdisc del dev "$host" clsact
	tc qdisc add dev "$host" egress_block 7 clsact
	good "clsact of another: DEL" DEL pod1
	has "clsact of another: it stays" 'egress_block 7' "$(tc qdisc show dev "$host")"
	gone_before_us ptp pod1
	nothing_left "clsact of another"
}

# Somebody removed the pins: the pair is known by its name.
state_lost() {
	new_pod pod1
	ipam_conf "$ranges"
	good "state lost: ADD" ADD pod1 || return
	rm -rf "$bpffs/bpfstamp-cni"
	good "state lost: DEL" DEL pod1
	is "state lost: the interface" "" "$(ip -n pod1 -br link show eth0 2>/dev/null)"
	ip netns del pod1
	nothing_left "state lost"
}

# What stands in the place of the state is somebody else's: the pod runs on.
state_of_another() {
	local pod=$bpffs/bpfstamp-cni/net%2e1/c-pod1:eth0 programs
	before_us ptp pod1 || return
	after '{object: $drop, attach: [{hook: "tcx", set: {target_addr: "${ip.0}"}}]}'
	good "state of another: ADD" ADD pod1 || return
	programs=$(attached '"\(.dev) \(.id)"')
	mv "$pod/state" $bpffs/aside
	ok "state of another: a map" bpftool map create "$pod/state" type array key 4 value 4 entries 1 name another
	bad "state of another: ADD again" 100 'is not the pin of a state' ADD pod1
	bad "state of another: DEL" 100 'is not the pin of a state' DEL pod1
	is "state of another: it stays" another "$(bpftool -j map show pinned "$pod/state" | jq -r .name)"
	is "state of another: the pod's programs" "$programs" "$(attached '"\(.dev) \(.id)"')"
	rm "$pod/state"
	mv $bpffs/aside "$pod/state"
	good "state of another: DEL with the state" DEL pod1
	gone_before_us ptp pod1
	nothing_left "state of another"
}

# An IPAM plugin that knows no 1.1.0 and reads prevResult.
old_ipam() {
	version=1.1.0
	new_pod pod1
	write "$drop_ip0 + {ipam: {type: \"static\", addresses: [{address: \"10.1.0.9/24\"}]}}"
	good "old IPAM: ADD" ADD pod1 || return
	jq --argjson prev "$answer" '.prevResult = $prev' "$conf" >"$conf.check"
	mv "$conf.check" "$conf"
	good "old IPAM: CHECK" CHECK pod1
	jq 'del(.ipam)' "$conf" >"$conf.none"
	mv "$conf" "$conf.whole"
	mv "$conf.none" "$conf"
	bad "old IPAM: CHECK without ipam" 100 'was made with ipam, and the configuration has none$' CHECK pod1
	mv "$conf.whole" "$conf"
	good "old IPAM: DEL" DEL pod1
	ip netns del pod1
	nothing_left "old IPAM"
	version=1.0.0
}

# What ADD refuses for its length or place, DEL does not mind.
nowhere_to_look() {
	local name container
	write "$drop_ip0 + {prevResult: {cniVersion: \"1.0.0\"}}"
	new_pod pod1
	container=$(printf 'c%0220d' 0)
	bad "a name too long: ADD" 7 'more than' ADD pod1
	good "a name too long: DEL" DEL pod1
	unset container
	write "$drop_ip0 + {prevResult: {cniVersion: \"1.0.0\"}, pinPath: \"$conf/x\"}"
	bad "pinPath below a file: ADD" 100 'x' ADD pod1
	good "pinPath below a file: DEL" DEL pod1
	write "$drop_ip0 + {prevResult: {cniVersion: \"1.0.0\"}, pinPath: \"$bpffs/$(printf '%0300d' 0)\"}"
	bad "pinPath too long: ADD" 100 '' ADD pod1
	good "pinPath too long: DEL" DEL pod1
	ip netns del pod1
	nothing_left "nowhere to look"
}

read_only() {
	before_us ptp pod1 || return
	after "$drop_ip0"
	mount -o remount,ro $bpffs
	bad "a bpffs to read: ADD" 100 'Read-only' ADD pod1
	good "a bpffs to read: DEL of none" DEL pod1
	mount -o remount,rw $bpffs
	good "a bpffs to read: ADD before" ADD pod1
	mount -o remount,ro $bpffs
	bad "a bpffs to read: DEL" 100 'Read-only' DEL pod1
	mount -o remount,rw $bpffs
	good "a bpffs to read: DEL after" DEL pod1
	under="setpriv --bounding-set -all --inh-caps -all --ambient-caps -all"
	bad "without capabilities: ADD" 100 '' ADD pod1
	good "without capabilities: DEL of none" DEL pod1
	under=
	gone_before_us ptp pod1
	nothing_left "a bpffs to read"
}

# The pod's interface leads to a third namespace, and here something has the same numbers.
other_node() {
	local index
	new_pod pod1
	new_pod third
	new_pod pod2
	ip -n third link add name far index 50 type veth peer name eth0 index 60 netns pod1
	ip link add name near index 50 type veth peer name eth0 index 60 netns pod2
	prev='{"cniVersion": "1.0.0", "ips": [{"address": "10.1.0.2/24"}]}'
	after "$drop_ip0"
	bad "the other end elsewhere" 100 'not on the node' ADD pod1
	good "the other end here" ADD pod2
	good "the other end here: DEL" DEL pod2
	ip netns del pod1
	ip netns del pod2
	ip netns del third
	nothing_left "the other end"
}

# Two pods take an address over that nobody has any more: one of them gets it.  The second comes while the
# first stands still, and may have to wait for it.
taken_at_once() {
	local n step=${KILL_STEP:-2}
	rivals 'asks ADD pod3 & sleep 0.05'
	for ((n = 40 + RANDOM % step; n < 200; n += step)); do
		both_want_it "taken at once, call $n" call $n || break
	done
	no_rivals
}

# The same while the one before is deleted: between what the first sees and what it does, which is some calls later,
# because it looks for the entry several times.
deleted_meanwhile() {
	local n later=8
	rivals "echo >>$tmp/calls" "case \$(wc -l <$tmp/calls) in" "1) timeout 0.2 bash -c 'asks DEL pod2' ;;" \
		"$((later + 1))) asks ADD pod3 & for _ in {1..20}; do [ ! -s $tmp/second ] || break; sleep 0.01; done ;;" \
		esac
	for ((n = 40; n < 200; n++)); do
		rm -f "$tmp/calls"
		both_want_it "deleted meanwhile, call $n" from $n || break
	done
	no_rivals
}

# What is done while pod1 stands still: $tmp/rival.
rivals() {	# LINE…
	write "{object: \$vxlan, vxlan: {dev: \"vxlan0\"}, attach: [{program: \"${uniq:0:8}\", direction: \"ingress\",
		set: {vni: 100}}], pods: {vni: 100},
		ipam: {type: \"static\", addresses: [{address: \"10.1.0.9/24\"}]}}"
	printf '%s\n' '#!/bin/bash' 'asks() {' "[ \$1 = DEL ] || : >$tmp/began" \
		"CNI_COMMAND=\$1 CNI_CONTAINERID=c-\$2 CNI_NETNS=/run/netns/\$2 CNI_IFNAME=eth0 CNI_PATH=$PLUGINS \
		$CNI >/dev/null <$conf" "echo \$? >$tmp/status" "[ \$1 = DEL ] || mv $tmp/status $tmp/second" '}' \
		'export -f asks' "$@" >"$tmp/rival"
	chmod +x "$tmp/rival"
	new_pod pod1
	new_pod pod3
}

both_want_it() {	# NAME HOW N: pod1 stands still at or from call N
	local first second
	new_pod pod2
	good "$1: the one before" ADD pod2
	ip netns del pod2
	for _ in {1..1000}; do
		ip -br link | grep -q '^bs' || break
		sleep 0.01
	done
	rm -f "$tmp"/{second,began}
	under="$LIFE/between $tmp/rival $2 $3"
	cni ADD pod1
	under= first=$status
	[ $first != 100 ] || return
	for _ in {1..1000}; do
		[ -e "$tmp/began" ] && [ ! -s "$tmp/second" ] || break
		sleep 0.01
	done
	second=$(cat "$tmp/second" 2>/dev/null || echo 1)
	is "$1: one has it" 1 $(((first == 0) + (second == 0)))
	is "$1: its entry" "$(place_of $([ "$first" = 0 ] && echo pod1 || echo pod3))" \
		"$(bpftool -j map dump pinned $bpffs/vpc_pods | jq '.[].formatted.value.ifindex')"
	good "$1: DEL" DEL pod1
	good "$1: DEL of the other" DEL pod3
	good "$1: DEL of the one before" DEL pod2
	is "$1: no entry" 0 "$(pods_in_map 100)"
}

no_rivals() {
	good "taken at once: DEL" DEL pod1
	good "taken at once: DEL of the one before" DEL pod2
	ip netns del pod1
	ip netns del pod3
	no_more_vxlan
	nothing_left "taken at once"
}

test_again() {
	local t
	version=1.0.0
	for t in ${AGAIN:-another_mac vxlan_down node_of_another another_netns deleted_elsewhere other_addresses other_ipam \
		made_then_chained other_places behind_sbr no_stats state_lost state_of_another clsact_of_another \
		old_ipam nowhere_to_look read_only other_node \
		taken_at_once deleted_meanwhile}; do
		$t
	done
}
