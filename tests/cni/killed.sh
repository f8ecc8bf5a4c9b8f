# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Part of cni.sh: kill -9 after each system call of ADD and DEL that changes
# something, or after each KILL_STEPth of them, beginning anywhere.  By turns the
# next ADD, DEL or GC has to repair what that left.  What one sees who looks between
# these calls; and what comes of a plugin that outlives ADD.

# Status 0: it was killed; 1: it ended before.
cut_short() {	# NAME CALL COMMAND POD
	under="$LIFE/between kill call $2"
	cni "$3" "$4"
	under=
	case $status in
	137) return 0 ;;
	100) return 1 ;;
	*) fail "$1: $3" "status $status: $answer"; return 1 ;;
	esac
}

# After a crash of ADD, or of DEL; $1: its name, $2: which turn it is, $3: the pod, $4: what ADD leads to.
repaired() {
	local name=$1 pod=$3
	case $(($2 % 3)) in
	0)
		good "$name: ADD" ADD "$pod" && $4 "$name: ADD"
		good "$name: DEL" DEL "$pod"
		;;
	1) good "$name: DEL" DEL "$pod" ;;
	2)
		collect "$name: GC" pod2
		good "$name: DEL after GC" DEL "$pod"
		;;
	esac
	is "$name: nothing is left" "" "$(diff <(echo "$before") <(left))"
}

# What is there besides the pod; that a program is gone is seen once, at the end.
left() {
	pinned
	attached '"\(.dev) \(.name)"'
	ip -br link | sed 's/ .*//'
	find "$tmp/ipam" -name '[1-9f]*'
	tc qdisc show | grep clsact
	bpftool -j map dump pinned $bpffs/vpc_pods 2>/dev/null
}

killed_at_each() {	# NAME POD CHECK: with what is in $conf
	local n name more=1 pod=$2 step=${KILL_STEP:-5}
	for ((n = 1 + RANDOM % step; n < 200 && more; n += step)); do
		name="killed: $1, call $n" more=
		cut_short "$name, ADD" $n ADD "$pod" && more=1
		repaired "$name, ADD" $n "$pod" "$3"
		good "$name: ADD to delete" ADD "$pod"
		cut_short "$name, ADD again" $n ADD "$pod" && more=1
		cut_short "$name, DEL" $n DEL "$pod" && more=1
		repaired "$name, DEL" $((n + 1)) "$pod" "$3"
	done
	[ $n -gt 10 ] && [ $n -lt 200 ]
	is "killed: $1: some calls, not all" 0 $?
	[ -z "${VERBOSE:-}" ] || echo "killed: $1: after every ${step}th of $n calls"
}

dropped() {	# NAME
	is "$1: the pod's address is dropped" lost "$(expect=lost answers "$address")"
}

reached() {	# NAME
	reaches "$1: the other pod" answered 10.1.0.2 pod1
}

test_killed() {
	local before
	version=1.0.0
	killed_with_ipam
	never_without
	before_us bridge pod1 || return
	before=$(left)
	after "$drop_ip0"
	killed_at_each "chained" pod1 dropped
	after "{object: \$drop, attach: [{hook: \"tcx\", set: {target_addr: \"\${ip.0}\"}},
		{dev: \"pod\", hook: \"tcx\"}]}"
	killed_at_each "chained, links" pod1 dropped
	gone_before_us bridge pod1

	echo '{"red": {"vni": 100}}' >"$tmp/vpcs"
	net=red cni_args=IgnoreUnknown=1\;VPC=red
	rm -rf "$tmp/ipam"
	new_pod pod2
	standalone_conf
	good "killed: the other pod" ADD pod2
	new_pod pod1
	before=$(left)
	killed_at_each "standalone" pod1 reached
	good "killed: the other pod: DEL" DEL pod2
	unset net cni_args
	ip netns del pod1
	ip netns del pod2
	"$BPFSTAMP" detach --dev vxlan0 --direction ingress >/dev/null
	ip link del vxlan0
	nothing_left "killed"
}

# ADD is killed while IPAM still looks for an address: DEL waits for what that finds, and has it taken back.
killed_with_ipam() {
	local PLUGINS=$tmp/plugins n pid given=$tmp/given
	ipam_that slow 'cat >/dev/null' "[ \$CNI_COMMAND = ADD ] || { rm -f $given; exit; }" \
		"exec >$tmp/slow" 'sleep 0.5' "touch $given"
	new_pod pod1
	write "$drop_ip0 + {ipam: {type: \"slow\"}}"
	rm -f "$tmp/slow"
	CNI_COMMAND=ADD CNI_CONTAINERID=c-pod1 CNI_NETNS=/run/netns/pod1 CNI_IFNAME=eth0 CNI_PATH=$PLUGINS \
		"$CNI" <"$conf" >/dev/null 2>&1 &
	pid=$!
	for ((n = 0; n < 500; n++)); do [ ! -e "$tmp/slow" ] || break; sleep 0.01; done
	kill -9 $pid
	wait $pid 2>/dev/null
	good "killed with IPAM: DEL" DEL pod1
	sleep 0.6
	is "killed with IPAM: no address is given away" "" "$(ls "$given" 2>/dev/null)"
	ip netns del pod1
	nothing_left "killed with IPAM"
}

# Looked at after its system calls, neither ADD nor DEL ever has the node's end up without the program.
never_without() {
	local n command more=1 step=${KILL_STEP:-3}
	printf '%s\n' '#!/bin/bash' 'ip -br link show up | grep -o "^bs[0-9a-f]*" | while read -r dev; do' \
		"tc filter show dev \$dev ingress | grep -q bpf || echo \$dev" \
		"done >>$tmp/heard" >"$tmp/look"
	chmod +x "$tmp/look"
	: >"$tmp/heard"
	new_pod pod1
	write "{object: \$drop, attach: [{direction: \"ingress\"}],
		ipam: {type: \"static\", addresses: [{address: \"10.1.0.9/24\"}]}}"
	for ((n = 1 + RANDOM % step; n < 200 && more; n += step)); do
		more=
		for command in ADD DEL; do
			under="$LIFE/between $tmp/look call $n"
			cni $command pod1
			under=
			case $status in
			0) more=1 ;;
			100) ;;
			*) fail "never without: $command, call $n" "status $status: $answer" ;;
			esac
		done
	done
	is "never without its program" "" "$(sort "$tmp/heard" | uniq -c)"
	[ $n -gt 10 ] && [ $n -lt 200 ]
	is "never without its program: some calls, not all" 0 $?
	ip netns del pod1
	nothing_left "never without its program"
}

# Eight pods at once, each added and deleted again and again, and often killed on the way; the first of them makes
# what all share.
together() {	# POD: its interface is there
	local i command conf=$conf.$1
	RANDOM=$((seed + ${1#t}))
	for ((i = 0; i < ${CNI_ROUNDS:-10}; i++)); do
		command=(ADD ADD DEL)
		under="$LIFE/between kill after $((RANDOM % 12000))"
		cni "${command[RANDOM % 3]}" "$1"
		[[ $status = 0 || $status = 137 || $status = 100 ]] || echo "$1: $status $answer"
	done
	under=
	cni ADD "$1"
	[ $status = 0 ] || echo "$1: ADD: $answer"
}

test_together() {
	local n seed=${LIFE_SEED:-$RANDOM} jobs=()
	version=1.0.0
	for n in 1 2 3 4 5 6 7 8; do
		new_pod t$n
		ip link add h$n type veth peer name eth0 netns t$n
		ip link set h$n up
		ip -n t$n link set eth0 up
		conf=$tmp/conf.t$n write "{object: \$vxlan, vxlan: {dev: \"vxlan0\"}, pods: {vni: 100},
			attach: [{program: \"${uniq:0:8}\", direction: \"ingress\", set: {vni: 100,
				vxlan_ifindex: \"\${ifindex.vxlan0}\"}}, {program: \"${uniq:0:8}\", hook: \"tcx\"}],
			node: [{program: \"from_vxlan\", dev: \"vxlan0\", direction: \"ingress\"}],
			prevResult: {cniVersion: \"1.0.0\", ips: [{interface: 0, address: \"10.1.0.$n/24\"}],
				interfaces: [{name: \"eth0\", sandbox: \"/run/netns/t$n\"}]}}"
		together t$n >"$tmp/together.$n" &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	is "together (seed $seed): every ADD and DEL" "" "$(cat "$tmp"/together.*)"
	# Two each, of which those are shared that were not loaded at the same time.
	n=$(kernel_objects)
	is "together: programs ($n)" 0 $((n < 2 || n > 16))
	is "together: attached" "16 ${uniq:0:8} 1 from_vxlan" "$(attached .name | sort | uniq -c | sort -rn | xargs)"
	is "together: states" 8 "$(pinned | grep -c '/state$')"
	is "together: entries" 8 "$(pods_in_map 100)"
	cp "$tmp/conf.t1" "$conf"
	collect "together: GC" t3 t5
	is "together: GC leaves exactly the others" "c-t3:eth0 c-t5:eth0" \
		"$(pinned | sed -n 's|.*/\(c-.*\)/state$|\1|p' | paste -sd ' ')"
	is "together: their entries" 2 "$(pods_in_map 100)"
	collect "together: GC of the rest"
	"$BPFSTAMP" detach --dev vxlan0 --direction ingress >/dev/null
	for n in 1 2 3 4 5 6 7 8; do
		ip netns del t$n
	done
	ip link del vxlan0
	nothing_left "together"
}
