#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# cni.sh: how long ADD and DEL of bpfstamp-cni take, from the start of the
# process to its end, beside Debian's plugins.  From the environment: BUILD (with
# bpfstamp-cni, static/, bpf/ and bench/spawn), ROUNDS (60), PLUGINS (/usr/lib/cni).
# Prints the table, and writes it to bench/CNI.md with what it was measured on; what
# stands there from the first "## " on is kept.
#
# The node is a network namespace, and so is each pod.  Every case has a pod of
# its own, which it adds and deletes in each round, so that the machine's moods
# meet all cases alike; the order of cases is another one in each round.  One
# round before all others makes what pods share: bridge, VXLAN device, maps.
#
# The script starts itself again in namespaces that end with it, and with real-time priority, so
# that what else the machine does takes no part.
set -eu
here=$(dirname "$(realpath "$0")")
BUILD=$(realpath "${BUILD:-build}")
PLUGINS=${PLUGINS:-/usr/lib/cni}
ROUNDS=${ROUNDS:-60}
tmp=/run/bench
bpffs=/sys/fs/bpf
dynamic=$BUILD/bpfstamp-cni static=$BUILD/static/bpfstamp-cni

fail() {
	echo "bench-cni: $*" >&2
	exit 1
}

check_needs() {
	local file
	[ "$(id -u)" = 0 ] || fail "needs root, for network namespaces and BPF"
	for file in "$PLUGINS"/{bridge,ptp,tuning,host-local,static}; do
		[ -x "$file" ] || fail "no $file: install containernetworking-plugins (make deps)"
	done
	for file in "$dynamic" "$static" "$BUILD/bench/spawn" "$BUILD/bpf/vpc_vxlan.bpf.o"; do
		[ -e "$file" ] || fail "no $file: run make bench-cni"
	done
	command -v jq >/dev/null || fail "no jq (make deps)"
}

# ------------------------------------------------------------------ cases

names=() 		# in the table's order
declare -A program config what

# A case, with a pod of that name.  JQ: its configuration, with $n for the third number of its address.
case_of() {	# NAME PROGRAM DESCRIPTION JQ
	local n=${#names[@]}
	names+=("$1")
	program[$1]=$2
	what[$1]=$3
	config[$1]=$tmp/$1.json
	jq -n --argjson n "$n" --arg name "$1" --arg pod "/run/netns/$1" --arg build "$BUILD" --arg tmp "$tmp" \
		--argjson vpc "$vpc" "{cniVersion: \"1.0.0\", name: \$name} + ($4)" >"${config[$1]}"
	ip netns add "$1"
	ip -n "$1" link set lo up
}

host_local='ipam: {type: "host-local", dataDir: ($tmp + "/ipam"), subnet: "10.9.\($n).0/24",
	routes: [{dst: "0.0.0.0/0"}]}'
static_ipam='ipam: {type: "static", addresses: [{address: "10.9.\($n).2/24", gateway: "10.9.\($n).1"}],
	routes: [{dst: "0.0.0.0/0"}]}'

# The veth pair of a chained plugin is always there; what the plugin before said of it:
prev='prevResult: {cniVersion: "1.0.0", interfaces: [{name: "\($name)h"}, {name: "eth0", sandbox: $pod}],
	ips: [{address: "10.9.\($n).2/24", gateway: "10.9.\($n).1", interface: 1}]}'

chained_case() {	# NAME PROGRAM DESCRIPTION JQ
	case_of "$1" "$2" "$3" "$4 + {$prev}"
	ip link add "$1h" up type veth peer name eth0 netns "$1"
	ip -n "$1" link set eth0 up
}

make_cases() {
	local build linked drop='{type: "bpfstamp-cni", object: ($build + "/bpf/ping_drop_stamp.bpf.o"),
		attach: [{set: {target_addr: "${ip.0}"}}]}'
	vpc=$(jq --arg build "$BUILD" --arg tmp "$tmp" '.plugins[0] | del(.ipam, .mtu) |
		.object = $build + "/bpf/vpc_vxlan.bpf.o" | .vpcs = $tmp + "/vpcs.json"' \
		"$here/../deploy/vxlan.conflist")
	cp "$here/../deploy/vpcs.json" $tmp/vpcs.json
	for build in dynamic static; do
		linked="linked ${build}ally"
		chained_case "one-$build" "${!build}" "chained, one program; $linked" "$drop"
		chained_case "vpc-$build" "${!build}" "chained, a VPC; $linked" '$vpc'
	done
	chained_case tuning "$PLUGINS/tuning" '`tuning`, chained, sets the MTU' '{type: "tuning", mtu: 1430}'
	for build in dynamic static; do
		linked="linked ${build}ally"
		case_of "static-$build" "${!build}" "alone, a VPC, addresses by \`static\`; $linked" \
			"\$vpc + {$static_ipam}"
		case_of "local-$build" "${!build}" "alone, a VPC, addresses by \`host-local\`; $linked" \
			"\$vpc + {$host_local}"
	done
	case_of bridge-static "$PLUGINS/bridge" '`bridge`, addresses by `static`' \
		"{type: \"bridge\", bridge: \"br1\", $static_ipam}"
	case_of bridge "$PLUGINS/bridge" '`bridge`, addresses by `host-local`' \
		"{type: \"bridge\", bridge: \"br0\", $host_local}"
	case_of ptp "$PLUGINS/ptp" '`ptp`, addresses by `host-local`' "{type: \"ptp\", $host_local}"
	case_of host-local "$PLUGINS/host-local" '`host-local` by itself' "{type: \"host-local\", $host_local}"
	case_of ipam-static "$PLUGINS/static" '`static` by itself' "{type: \"static\", $static_ipam}"
}

# ------------------------------------------------------------------- rounds

time_one() {	# COMMAND NAME
	CNI_COMMAND=$1 CNI_CONTAINERID=c-$2 CNI_NETNS=/run/netns/$2 CNI_IFNAME=eth0 CNI_PATH=$PLUGINS \
		CNI_ARGS='IgnoreUnknown=1;VPC=red' "$BUILD/bench/spawn" "$tmp/$1.$2" "${program[$2]}" \
		<"${config[$2]}" >$tmp/answer || fail "$1 of $2: $(<$tmp/answer)"
}

one_round() {
	local name
	for name in $(printf '%s\n' "${names[@]}" | shuf); do
		time_one ADD "$name"
		time_one DEL "$name"
	done
}

measure() {
	local i
	one_round
	rm $tmp/ADD.* $tmp/DEL.*
	for ((i = 0; i < ROUNDS; i++)); do
		one_round
	done
}

# ------------------------------------------------------------------- table

# Median and quartiles in milliseconds, and the median's ratio to that of bridge.
summary() {	# COMMAND NAME
	local reference
	reference=$(sort -n "$tmp/$1.bridge" | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }')
	sort -n "$tmp/$1.$2" | awk -v reference="$reference" '{ t[NR] = $1 / 1e6 }
		END { printf "%.1f (%.1f-%.1f) | %.2f", t[int((NR + 1) / 2)], t[int((NR + 3) / 4)],
			t[int((3 * NR + 1) / 4)], t[int((NR + 1) / 2)] * 1e6 / reference }'
}

table() {
	local name
	echo "| | ADD, ms | of \`bridge\` | DEL, ms | of \`bridge\` |"
	echo "| --- | --: | --: | --: | --: |"
	for name in "${names[@]}"; do
		echo "| ${what[$name]} | $(summary ADD "$name") | $(summary DEL "$name") |"
	done
}

machine() {
	echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) processors," \
		"Linux $(uname -r | grep -oE "^[0-9.]+"), $(. /etc/os-release && echo "$PRETTY_NAME")," \
		"containernetworking-plugins" \
		"$(dpkg-query -Wf '${Version}' containernetworking-plugins 2>/dev/null || echo '?')," \
		"$("$BUILD/bpfstamp" --version), load average $(cut -d ' ' -f 1 /proc/loadavg), $(date +%F)."
}

report() {
	cat <<-END
		<!-- SPDX-License-Identifier: BSD-2-Clause -->
		# How long ADD and DEL take

		From the start of the plugin's process to its end, in milliseconds: the median of $ROUNDS rounds, the quartiles,
		and the ratio of the median to that of \`bridge\` with \`host-local\`. All cases are measured in each round, in an
		order by chance, with real-time priority (SCHED_FIFO). Written by \`make bench-cni\`.

		"Chained" is behind a plugin that has made the pod's veth pair, whose time is not in it; "alone" makes the pair
		itself. "A VPC" is [deploy/vxlan.conflist](../deploy/vxlan.conflist); "one program" has an address stamped into
		it, and needs no map. Each pod has one IPv4 address. \`make\` links dynamically, \`make static\` statically.

	END
	machine | fmt -w 118
	echo
	table
	echo
}

kept() {
	[ ! -e "$here/CNI.md" ] || sed -n '/^## /,$p' "$here/CNI.md"
}

main() {
	check_needs
	mount -t tmpfs none /run
	mkdir -p /run/netns $tmp
	mount -t bpf none $bpffs
	ip link set lo up
	make_cases
	measure
	report >$tmp/report
	cat $tmp/report
	kept >>$tmp/report
	cat $tmp/report >"$here/CNI.md"
}

if [ "${1-}" != --inside ]; then
	exec chrt --fifo 1 unshare --mount --net --pid --fork --mount-proc --kill-child "$BASH" "$0" --inside
fi
main
