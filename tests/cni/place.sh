# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# A node where bpfstamp-cni runs among real plugins; sourced behind lib.sh and started.
#
# place makes it: a bpffs, and a /var/lib for what libcni, host-local and podman
# keep, all of which end with the test.  $nets is the folder of its network configuration lists.
#
# The kernel's lists of programs and maps belong to everybody, so the test's object is a copy of
# vpc_vxlan.bpf.o in which names begin with $uniq (lib.sh): $from_pod and $from_vxlan are its
# programs.  Who holds a map or a program of a plugin that has ended is a pin, an interface or
# another program; all three are looked at.
#
# node_has tells what there is that a plugin may have made, one thing a line, without what the
# pods of a node share, which stays: the VXLAN device, its program and the maps of the VPC programs.

plugins=/usr/lib/cni
nets=$tmp/nets
bpffs=/sys/fs/bpf
from_pod=${uniq:0:8} from_vxlan=$uniq
object=$tmp/$uniq.o

place() {
	mount -t bpf none $bpffs && mount -t tmpfs none /var/lib && mkdir -p /var/lib/cni "$nets" || return 1
	# With an address of its own: else it takes one of its ports', which CHECK of the bridge plugin resents.
	ip link add cni0 address 02:00:00:00:00:01 type bridge && ip link set cni0 up || return 1
	CNI_PLUGIN=$(realpath -e "${CNI_PLUGIN:-$(dirname "$BPFSTAMP")/bpfstamp-cni}") || return 1
	export CNI_PATH=${CNI_PLUGIN%/*}:$plugins
	LC_ALL=C sed "s/from_pod/$from_pod/g; s/from_vxlan/$from_vxlan/g" "$OBJECTS/vpc_vxlan.v3.o" >"$object"
}

build_driver() {
	have go || return 1
	GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$OBJECTS/go-cache GOFLAGS="" \
		go build -o "$tmp/driver" "$(dirname "$0")/cni/driver.go" 2>"$tmp/go.log"
}

# ------------------------------------------------------------ configurations

# Our part of a list: a pod of network VNI, which may be a text with ${…}; with programs that can be counted.
ours() {	# VNI [JSON that it has as well]
	local vni=$1 more=${2:-null}
	[[ $vni =~ ^[0-9]+$ ]] || vni="\"$vni\""
	jq -cn --arg object "$object" --arg pod "$from_pod" --arg node "$from_vxlan" --argjson vni "$vni" \
		--argjson more "$more" '{
			type: "bpfstamp-cni", object: $object, vxlan: { dev: "vx" }, pods: { vni: $vni }, reuse: false,
			attach: [{ program: $pod, direction: "ingress",
				   set: { vni: $vni, vxlan_ifindex: "${ifindex.vx}" } }],
			node: [{ program: $node, direction: "ingress", dev: "vx" }]
		} + $more'
}

ipam() {	# SUBNET [FIRST]
	jq -cn --arg subnet "$1" --arg first "${2:-}" '{ ipam: { type: "host-local",
		ranges: [[{ subnet: $subnet } + if $first == "" then {} else { rangeStart: $first } end]] } }'
}

maker() {	# bridge|ptp SUBNET
	jq -cn --arg type "$1" --argjson ipam "$(ipam "$2")" \
		'{ type: $type } + if $type == "bridge" then { bridge: "cni0" } else {} end + $ipam'
}

list() {	# NAME VERSION PLUGIN…: writes it to $nets/NAME.conflist
	local name=$1 version=$2
	shift 2
	printf '%s\n' "$@" | jq -s --arg name "$name" --arg version "$version" \
		'{ cniVersion: $version, name: $name, plugins: . }' >"$nets/$name.conflist"
}

# Of a list: our part, as a runtime hands it to us.
as_handed() {	# NAME [JSON of the runtime's]
	local more=${2:-null}
	jq -c --argjson more "$more" \
		'. as $l | .plugins[-1] + { name: $l.name, cniVersion: $l.cniVersion } + $more' "$nets/$1.conflist"
}

# ------------------------------------------------------------ runtimes

pod() {		# NAME…: namespaces
	local name
	for name; do
		ip netns add "$name" && ip -n "$name" link set lo up || return 1
	done
}

in_pod() {	# POD COMMAND…
	local name=$1
	shift
	nsenter --net=/run/netns/"$name" "$@"
}

# By libcni; $driver_options are for it.
driver() {	# COMMAND LIST POD
	local options=()
	[ -z "${driver_options:-}" ] || mapfile -t options <<<"$driver_options"
	"$tmp/driver" "${options[@]}" "$1" "$nets/$2.conflist" /run/netns/"$3" "$3" eth0
}

# By the letter of the specification: CONFIG on stdin.  $before is put before the plugin.
plugin() {	# COMMAND POD CONFIG [VARIABLE=VALUE…]
	local command=$1 pod=$2 config=$3 attachment=()
	shift 3
	[ -z "$pod" ] || attachment=(CNI_CONTAINERID="$pod" CNI_NETNS=/run/netns/"$pod" CNI_IFNAME=eth0)
	# Words.
	# shellcheck disable=SC2086
	env CNI_COMMAND="$command" "${attachment[@]}" "$@" ${before:-} "$CNI_PLUGIN" <<<"$config"
}

valid() {	# POD…: what GC is told
	printf '%s\n' "$@" | jq -cRn '{ "cni.dev/valid-attachments":
		[inputs | select(. != "") | { containerID: ., ifname: "eth0" }] }'
}

# ------------------------------------------------------------ what there is

reaches() {	# POD ADDRESS: yes or no
	local wait=${3:-1}
	if in_pod "$1" ping -q -n -c 1 -W "$wait" "$2" >/dev/null 2>&1; then echo yes; else echo no; fi
}

entries() {	# vpc_pods|vpc_stats [NETWORK]: how many, of pods
	[ -e $bpffs/"$1" ] || { echo 0; return; }
	bpftool -j map dump pinned $bpffs/"$1" | jq --argjson network "${2:-0}" \
		'[.[].formatted.key | select(.network != 0 and ($network == 0 or .network == $network))] | length'
}

# The host's end of the pod's interface.
host_of() {	# POD
	local index
	index=$(ip -n "$1" -j link show dev eth0 2>/dev/null | jq -r '.[0].link_index') && [ -n "$index" ] || return 1
	ip -j link | jq -r --argjson index "$index" '.[] | select(.ifindex == $index).ifname'
}

# How many programs the kernel has of the object; it frees them a little late.
programs() {	# [EXPECTED]
	local n
	for _ in {1..100}; do
		n=$(bpftool prog list | grep -c "name ${uniq:0:7}")
		[ "$n" = "${1:-$n}" ] && break
		sleep 0.1
	done
	echo "$n"
}

node_has() {
	local dev name
	for dev in $(ip -br link | sed 's/[@ ].*//'); do
		case $dev in lo | cni0 | vx) continue ;; esac
		echo "interface $dev"
		tc qdisc show dev "$dev" | grep clsact | sed "s/^/$dev /"
		tc filter show dev "$dev" ingress | grep bpf | sed "s/^/$dev /"
		tc filter show dev "$dev" egress | grep bpf | sed "s/^/$dev /"
	done
	for name in $(ls /run/netns); do
		ip -n "$name" -br link | sed "/^lo /d; s/@.*//; s/^/$name /"
	done
	find $bpffs -mindepth 1 ! -name 'vpc_[ps]*' ! -name '*.debug' ! -path $bpffs/bpfstamp/programs \
		! -path $bpffs/bpfstamp -printf 'pin %P\n'
	find /var/lib/cni -type f ! -name lock ! -name 'last_reserved_ip.*' -printf 'file %P\n'
	echo "entries $(entries vpc_pods) counted $(entries vpc_stats)"
}

# Nothing but what was there; of programs and maps, what all pods of the node share: $shared.
nothing_left() {	# NAME [AS node_has SAID]
	is "$1: nothing is left" "${2:-entries 0 counted 0}" "$(node_has)"
	is "$1: no program and no map is left" "$shared" "$(kernel_objects "$shared")"
}
