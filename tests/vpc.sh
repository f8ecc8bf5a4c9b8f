#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# bpf/vpc_vxlan.bpf.c and bpf/vpc_vlan.bpf.c with real packets: the nodes n1 and
# n2 and a stranger on one bridge, and on each node two pods of each of two
# networks, whose pods have the same addresses.
#
#             n1                          n2
#     red     r1 10.1.0.1, r2 10.1.0.2    r3 10.1.0.3, r4 10.1.0.4     the same in IPv6: fd01::1 to fd01::4
#     blue    b1 10.1.0.1, b2 10.1.0.2    b3 10.1.0.3, b4 10.1.0.4
#
# Each pod sends with a hop limit of its own (red 101 to 104, blue 201 to 204),
# which no program changes, so that a ping tells who answered it.  tcpdump on the
# uplinks tells what is on the wire, and vpc_stats why something was dropped.
set -u
. "$(dirname "$0")/lib.sh"
start vpc "$@"

bpffs=$tmp/bpf
[ "$(printf '\1\0' | od -An -tu2 | tr -d ' ')" = 1 ] && little=yes || little=''
python=/usr/bin/python3
[ -x $python ] || python=$(command -v python3)

pods="r1 r2 r3 r4 b1 b2 b3 b4"
declare -A network ifindex mac
node_of() { case $1 in [rb][12]) echo n1 ;; *) echo n2 ;; esac }
number_of() { echo "${1:1}"; }
hops_of() { case $1 in r*) echo 10"${1:1}" ;; b*) echo 20"${1:1}" ;; esac }

# ------------------------------------------------------------------- maps

u32() {		# NUMBER: its bytes as this machine has them
	local b
	b=$(printf '%08x' "$1")
	if [ "$little" ]; then
		echo "0x${b:6:2} 0x${b:4:2} 0x${b:2:2} 0x${b:0:2}"
	else
		echo "0x${b:0:2} 0x${b:2:2} 0x${b:4:2} 0x${b:6:2}"
	fi
}

put() {		# NODE NETWORK ADDRESS MAC [--dev DEV | --node NODE-ADDRESS]
	"$BPFSTAMP" pods --pin-path "$bpffs/$1" --netns "$1" --network "$2" --add "$3" --mac "$4" --force "${@:5}" \
		>/dev/null
}

# Every pod of the network is known on both nodes.
place() {	# POD NETWORK UNDERLAY (4 or 6)
	local pod=$1 node at via=192.0.2. n
	n=$(number_of "$pod")
	[ "$3" = 4 ] || via=fd00::
	for node in n1 n2; do
		at=(--node "$via$(node_of "$pod" | tr -d n)")
		[[ $2 != vlan* ]] || at=()
		[ "$(node_of "$pod")" != $node ] || at=(--dev "$pod")
		put $node "$2" 10.1.0."$n" "${mac[$pod]}" "${at[@]}" &&
		put $node "$2" fd01::"$n" "${mac[$pod]}" "${at[@]}" || return 1
	done
	network[$pod]=$2
}

# Sum over the processors of a field, such as .to_packets or .drops[5].
stat() {	# NODE NETWORK IFINDEX FIELD
	local number=${2#*:}
	case $2 in vlan:*) ((number |= 0x1000000)) ;; vlan-ad:*) ((number |= 0x2000000)) ;; esac
	# Words.
	# shellcheck disable=SC2046
	bpftool -j map lookup pinned "$bpffs/$1/vpc_stats" key $(u32 "$number") $(u32 "$3") 2>/dev/null |
		jq "[.formatted.values[]?.value$4] | add // 0"
}
of_pod() {	# POD FIELD
	stat "$(node_of "$1")" "${network[$1]}" "${ifindex[$1]}" "$2"
}
tagged='.drops[1]' neighbour='.drops[3]' source='.drops[5]' unknown='.drops[6]'

rises() {	# NAME COUNTER… -- COMMAND…: the counter is higher after the command
	local name=$1 counter=() before after
	shift
	while [ "$1" != -- ]; do counter+=("$1"); shift; done
	shift
	before=$("${counter[@]}")
	"$@" >/dev/null 2>&1
	for _ in {1..50}; do
		after=$("${counter[@]}")
		[ "${after:-0}" -gt "${before:-0}" ] && break
		sleep 0.05
	done
	if [ "${after:-0}" -gt "${before:-0}" ]; then
		pass "$name"
	else
		fail "$name" "${counter[*]} was '$before' and is '$after'"
	fi
}

# ------------------------------------------------------------------- devices

in_ns() {
	local ns=$1
	shift
	nsenter --net=/run/netns/"$ns" "$@"
}

pod() {		# NAME
	local pod=$1 node n hops
	node=$(node_of "$pod") n=$(number_of "$pod") hops=$(hops_of "$pod")
	ip netns add "$pod" &&
	ip -n "$node" link add "$pod" mtu 1430 type veth peer name eth0 mtu 1430 netns "$pod" || return 1
	in_ns "$pod" sysctl -qw net.ipv4.ip_default_ttl="$hops" net.ipv6.conf.{eth0,lo}.hop_limit="$hops" &&
	ip -n "$pod" address add 10.1.0."$n"/24 dev eth0 &&
	ip -n "$pod" address add fd01::"$n"/64 dev eth0 &&
	ip -n "$pod" link set lo up && ip -n "$pod" link set eth0 up && ip -n "$node" link set "$pod" up || return 1
	ifindex[$pod]=$(ip -n "$node" -j link show "$pod" | jq '.[0].ifindex')
	mac[$pod]=$(ip -n "$pod" -j link show eth0 | jq -r '.[0].address')
}

machine() {	# NAME NUMBER: on the bridge
	ip netns add "$1" &&
	ip -n wire link add "$1" type veth peer name uplink netns "$1" &&
	ip -n wire link set "$1" master switch up &&
	ip -n "$1" address add 192.0.2."$2"/24 dev uplink &&
	ip -n "$1" address add fd00::"$2"/64 nodad dev uplink &&
	ip -n "$1" link set lo up && ip -n "$1" link set uplink up
}

devices() {
	local node p
	ip netns add wire && ip -n wire link add switch type bridge && ip -n wire link set switch up &&
	machine n1 1 && machine n2 2 && machine stranger 9 || return 1
	for node in n1 n2; do
		ip -n $node link add vxlan type vxlan external dstport 4789 && ip -n $node link set vxlan up &&
		mkdir "$bpffs/$node" || return 1
	done
	for p in $pods; do
		pod "$p" || return 1
	done
	index_of_vxlan=$(ip -n n1 -j link show vxlan | jq '.[0].ifindex')
	index_of_uplink=$(ip -n n1 -j link show uplink | jq '.[0].ifindex')
	[ "$index_of_vxlan $index_of_uplink" = "$(ip -n n2 -j link show vxlan | jq '.[0].ifindex') $(
		ip -n n2 -j link show uplink | jq '.[0].ifindex')" ]
}

attach() {	# NODE DEV OBJECT PROGRAM OPTION…
	local node=$1 dev=$2 object=$3 program=$4
	shift 4
	ok "attach $program to $dev on $node" "$BPFSTAMP" attach "$OBJECTS/$object.v3.o" --prog "$program" \
		--netns "$node" \
		--dev "$dev" --direction ingress --pin-path "$bpffs/$node" "$@"
}

# ------------------------------------------------------------------- who reaches whom

answers() {	# POD ADDRESS [OPTION…]: the pod that answers, or "-"
	local from=$1 got pod
	shift
	got=$(in_ns "$from" ping -n -c 1 -W "${wait_ping:-1}" "$@" 2>/dev/null |
		sed -nE 's/.* (ttl|hlim|hops)=([0-9]+) .*/\2/p')
	for pod in $pods; do
		[ "$(hops_of "$pod")" != "$got" ] || { echo "$pod"; return; }
	done
	echo "-${got:+ $got}"
}

# Each pod finds at each address the pod of its own network that has it.
matrix() {	# NAME
	local pod n to jobs=()
	rm -f "$tmp"/matrix.*
	for pod in $pods; do
		for n in 1 2 3 4; do
			for to in 10.1.0.$n fd01::$n; do
				answers "$pod" "$to" >"$tmp/matrix.$pod.$to" & jobs+=($!)
			done
		done
		wait "${jobs[@]}"
	done
	for pod in $pods; do
		for to in 10.1.0. fd01::; do
			is "$1: $pod finds at $to 1 to 4" "${pod:0:1}1 ${pod:0:1}2 ${pod:0:1}3 ${pod:0:1}4" \
				"$(cat "$tmp/matrix.$pod.$to"{1,2,3,4} | paste -sd ' ')"
		done
	done
}

wire() {	# what tcpdump sees on the uplink of n1 goes to $tmp/wire.pcap
	rm -f "$tmp/wire.pcap"
	nsenter --net=/run/netns/n1 tcpdump -Z root --immediate-mode -i uplink -s 200 -U -w "$tmp/wire.pcap" \
		2>"$tmp/tcpdump" & dump=$!
	for _ in {1..200}; do
		grep -q listening "$tmp/tcpdump" && return
		sleep 0.05
	done
	fail "wire" "tcpdump does not start: $(cat "$tmp/tcpdump")"
}

wire_ends() {
	sleep 0.2
	kill $dump
	wait $dump 2>/dev/null
	decoded=$(tcpdump -nnevr "$tmp/wire.pcap" 2>/dev/null | sed -E '/^[0-9]/!s/^ +//' )
}

# Sends 24 MiB from one pod to the other, which writes their digest; prints the sender's.
bulk() {	# FROM TO ADDRESS
	in_ns "$2" timeout 20 "$python" -c '
import hashlib, socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
s = socket.create_server((sys.argv[1], 5001), family=family)
open(sys.argv[2] + ".ready", "w")
c, _ = s.accept()
h = hashlib.sha256()
while b := c.recv(1 << 16):
    h.update(b)
open(sys.argv[2], "w").write(h.hexdigest() + "\n")' "$3" "$tmp/received" & local receiver=$!
	for _ in {1..100}; do
		[ -e "$tmp/received.ready" ] && break
		sleep 0.05
	done
	in_ns "$1" timeout 20 "$python" -c '
import hashlib, os, socket, sys
c = socket.create_connection((sys.argv[1], 5001))
h = hashlib.sha256()
for _ in range(24):
    b = os.urandom(1 << 20)
    h.update(b)
    c.sendall(b)
c.close()
print(h.hexdigest())' "$3"
	wait $receiver
	rm -f "$tmp/received.ready"
}

# Segments and checksums are made by software before the wire, so that there really are some.
without_offloads() {	# NAMESPACE DEVICE
	in_ns "$1" "$python" -c '
import array, fcntl, socket, struct, sys
s = socket.socket()
for command in (0x17, 0x19, 0x1f, 0x24, 0x2c):
    value = array.array("B", struct.pack("II", command, 0))
    try:
        fcntl.ioctl(s, 0x8946, struct.pack("16sQ", sys.argv[1].encode(), value.buffer_info()[0]) + bytes(16))
    except OSError:
        pass' "$2"
}

transfers() {	# NAME FROM TO
	local to sent
	for to in 10.1.0."$(number_of "$3")" fd01::"$(number_of "$3")"; do
		rm -f "$tmp/received"
		sent=$(bulk "$2" "$3" "$to" 2>"$tmp/bulk")
		is "$1: $2 to $3 at $to: digest" "${sent:-$(cat "$tmp/bulk")}" "$(cat "$tmp/received" 2>&1)"
	done
}

# TCP and UDP checksum errors in NAMESPACE, and packets that it fragmented or put together.
troubles() {
	in_ns "$1" cat /proc/net/snmp /proc/net/snmp6 | awk '
		/^(Ip|Tcp|Udp): [A-Z]/ { split($0, names); next }
		/^(Ip|Tcp|Udp): / { for (i = 2; i <= NF; i++) value[$1 names[i]] = $i }
		/^[IU][a-z]+6/ { value[$1] = $2 }
		END { for (n in value) if (n ~ /Csum|Frag(OK|Creates)|Reasm/ && value[n]) print n, value[n] }' | sort
}

no_troubles() {	# NAME
	local ns
	for ns in n1 n2 $pods; do
		is "$1: no bad checksum and no fragment in $ns" "" "$(troubles $ns)"
	done
}

# ------------------------------------------------------------------- forgers

# Ethernet, IPv4 and UDP by hand; and neighbour advertisements behind an extension header.
forger=$tmp/forger.py
cat >"$forger" <<'END'
import socket, struct, sys

def checksum(b):
    n = sum(struct.unpack(">%dH" % (len(b) // 2), b))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return ~n & 0xffff

def frame(source, destination, tags):
    udp = struct.pack(">4H", 9, 9, 8, 0)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                     socket.inet_aton(source), socket.inet_aton(destination))
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    return bytes.fromhex("027670630001" "020000000099") + b"".join(tags) + struct.pack(">H", 0x800) + ip + udp

def tag(vlan, proto=0x8100):
    return struct.pack(">HH", proto, vlan)

def advertisement(source, destination, target, extension, hops):
    ends = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, destination)
    icmp = struct.pack(">BBHI", 136, 0, 0, 0x20000000) + socket.inet_pton(socket.AF_INET6, target)
    icmp += bytes.fromhex("0201020000000066")
    icmp = icmp[:2] + struct.pack(">H", checksum(ends + struct.pack(">II", len(icmp), 58) + icmp)) + icmp[4:]
    options = bytes([58, 0, 1, 4, 0, 0, 0, 0])
    ip = struct.pack(">IHBB", 0x60000000, len(options) + len(icmp), extension, hops) + ends
    return bytes.fromhex("027670630001" "020000000099" "86dd") + ip + options + icmp

what, source, destination = sys.argv[1:4]
if what == "vxlan":     # VNI NODE
    vni, node = int(sys.argv[4]), sys.argv[5]
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(struct.pack(">II", 0x08000000, vni << 8) + frame(source, destination, []), (node, 4789))
elif what == "advertisement":   # DEVICE TARGET EXTENSION-HEADER HOP-LIMIT
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((sys.argv[4], 0))
    s.send(advertisement(source, destination, sys.argv[5], int(sys.argv[6]), int(sys.argv[7])))
else:                   # DEVICE, and "VLAN" or "PROTO:VLAN" for each tag
    tags = [tag(int(t.split(":")[-1]), int(t.split(":")[0], 16) if ":" in t else 0x8100) for t in sys.argv[5:]]
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((sys.argv[4], 0))
    s.send(frame(source, destination, tags))
END
forge() {	# NAMESPACE vxlan|advertisement|frame ARGUMENT…
	local ns=$1
	shift
	in_ns "$ns" "$python" "$forger" "$@"
}

# ------------------------------------------------------------------- tests

vxlan_pods() {	# UNDERLAY
	local p vni own inline node
	for p in $pods; do
		vni=100 own='' inline=''
		[ "${p:0:1}" = r ] || vni=200
		[ "$(number_of "$p")" -gt 2 ] || inline=--inline
		case $p in
		?[13]) own="--set pod_ipv4=10.1.0.$(number_of "$p") --set pod_ipv6=fd01::$(number_of "$p")" ;;
		esac
		node=$(node_of "$p")
		# Words.
		# shellcheck disable=SC2086
		attach "$node" "$p" vpc_vxlan from_pod $inline $own --set vni=$vni \
			--set vxlan_ifindex="$index_of_vxlan" \
			--set node_ipv4=192.0.2.${node#n} --set node_ipv6=fd00::${node#n}
	done
	for p in $pods; do
		vni=100
		[ "${p:0:1}" = r ] || vni=200
		place "$p" $vni "$1" || fail "vxlan: $p cannot be placed"
	done
}

addresses() {	# tentative|dadfailed: those of all pods and nodes
	local p
	for p in $pods n1 n2; do
		ip -n "$p" -6 -o address show "$1"
	done
}

test_vxlan() {
	local vni tentative is_vxlan='VXLAN, flags \[I\] \(0x08\), vni'
	vxlan_pods 4
	attach n1 vxlan vpc_vxlan from_vxlan --inline
	attach n2 vxlan vpc_vxlan from_vxlan --set redirect_peer=0
	ip -n r1 address del fd01::1/64 dev eth0
	ip -n r1 address add fd01::1/64 dev eth0
	for _ in {1..100}; do
		sleep 0.1
		tentative=$(addresses tentative)
		[ "$tentative" ] || break
	done
	is "vxlan: duplicate address detection is not answered" "" "$tentative$(addresses dadfailed)"
	wire
	matrix "vxlan"
	wire_ends
	for vni in 100 200; do
		has "vxlan: IPv4 in VNI $vni" "192.0.2.1\.[0-9]+ > 192.0.2.2.4789: $is_vxlan $vni" \
			"$decoded"
		has "vxlan: IPv4 back in VNI $vni" "192.0.2.2\.[0-9]+ > 192.0.2.1.4789: $is_vxlan $vni" \
			"$decoded"
	done
	is "vxlan: no other VNI" "100 200" \
		"$(grep -oE 'vni [0-9]+' <<<"$decoded" | sort -u | sed 's/vni //' | paste -sd ' ')"
	has "vxlan: the pod's packet is inside" '10\.1\.0\.1 > 10\.1\.0\.3: ICMP echo request' "$decoded"
	has "vxlan: IPv6 is inside" 'fd01::1 > fd01::3: .*ICMP6, echo request' "$decoded"
	is "vxlan: no ARP or neighbour discovery of pods" "" \
		"$(grep -E 'who-has 10\.|solicitation.*fd01' <<<"$decoded")"
	is "vxlan: may not be fragmented" 0 "$(grep -c 'flags \[none\].*UDP.*length' <<<"$decoded")"
}

test_vxlan_bulk() {
	transfers "vxlan" r1 r3
	without_offloads n1 uplink
	without_offloads n2 uplink
	wire
	transfers "vxlan, no offloads" b2 b4
	wire_ends
	is "vxlan: all segments fit" "" \
		"$(sed -nE 's/.*, length ([0-9]+): 192.*/\1/p' <<<"$decoded" | awk '$1 > 1514' | head -n 3)"
	no_troubles "vxlan"
	# More than fits is not fragmented behind the pod's back.
	pods_mtu 1500 b2 b4
	is "vxlan: the largest packet" b4 "$(answers b2 10.1.0.4 -M "do" -s $((1450 - 28)))"
	rises "vxlan: one byte more" fragments_refused n1 -- in_ns b2 ping -n -c 1 -W 0.2 -s $((1451 - 28)) 10.1.0.4
	is "vxlan: one byte more is lost" - "$(wait_ping=0.2 answers b2 10.1.0.4 -s $((1451 - 28)))"
	pods_mtu 1430 b2 b4
}

pods_mtu() {	# MTU POD…
	local pod mtu=$1
	shift
	for pod; do
		ip -n "$pod" link set eth0 mtu "$mtu" && ip -n "$(node_of "$pod")" link set "$pod" mtu "$mtu"
	done
}

fragments_refused() {	# NODE
	in_ns "$1" awk '/^Ip: [0-9]/ { print $19 }' /proc/net/snmp
}

test_vxlan_isolation() {
	local dropped=(stat n2 0 "$index_of_vxlan")
	rises "vxlan: control: what n1 sends reaches the pod" of_pod r3 .to_packets -- \
		forge n1 vxlan 10.1.0.1 10.1.0.3 100 192.0.2.2
	rises "vxlan: control: in the other network the other pod" of_pod b3 .to_packets -- \
		forge n1 vxlan 10.1.0.1 10.1.0.3 200 192.0.2.2
	rises "vxlan: a stranger's VNI is dropped" "${dropped[@]}" $source -- \
		forge stranger vxlan 10.1.0.1 10.1.0.3 100 192.0.2.2
	rises "vxlan: a pod of that node as source" "${dropped[@]}" $source -- \
		forge n1 vxlan 10.1.0.4 10.1.0.3 100 192.0.2.2
	rises "vxlan: a source that does not exist" "${dropped[@]}" $source -- \
		forge n1 vxlan 10.1.0.77 10.1.0.3 100 192.0.2.2
	rises "vxlan: a VNI that does not exist" "${dropped[@]}" $source -- \
		forge n1 vxlan 10.1.0.1 10.1.0.3 300 192.0.2.2
	rises "vxlan: a pod that does not exist" "${dropped[@]}" $unknown -- \
		forge n1 vxlan 10.1.0.1 10.1.0.78 100 192.0.2.2
	rises "vxlan: a pod of the node that sends" "${dropped[@]}" $unknown -- \
		forge n1 vxlan 10.1.0.1 10.1.0.2 100 192.0.2.2
	isolated_pods "vxlan"
	same_counters "vxlan" vxlan
}

# What show --stats tells is what bpftool finds in the map; pods speak now and then without being asked.
same_counters() {	# NAME DEVICE: where packets come from other nodes
	local pod
	for pod in $pods; do
		same_counters_of "$1" "$(node_of "$pod")" "$pod" "${network[$pod]}" "${ifindex[$pod]}"
	done
	same_counters_of "$1" n2 "$2" null "$(ip -n n2 -j link show "$2" | jq '.[0].ifindex')"
	has "$1: counters as text" "^    network ${network[r1]}: sent [0-9]+ packets .*, dropped .*[0-9] source" \
		"$("$BPFSTAMP" show --stats --netns n1 --dev r1 --pin-path "$bpffs/n1")"
	has "$1: counters of nobody as text" "^    not for a pod: dropped .*[0-9] unknown" \
		"$("$BPFSTAMP" show --stats --netns n2 --dev "$2" --pin-path "$bpffs/n2")"
}

same_counters_of() {	# NAME NODE DEVICE NETWORK IFINDEX
	local before after told
	for _ in 1 2 3 4 5; do
		before=$(counters_by_map "$2" "$4" "$5")
		told=$("$BPFSTAMP" show --json --stats --netns "$2" --dev "$3" --pin-path "$bpffs/$2" |
			jq -cS --arg n "$4" '.attachments[].stats // [] | .[] | select((.network // "null") == $n) |
				del(.network)')
		after=$(counters_by_map "$2" "$4" "$5")
		[ "$before" != "$after" ] || break
	done
	is "$1: counters of $3 on $2" "$after" "$told"
}

counters_by_map() {	# NODE NETWORK IFINDEX
	local field names=(pass tagged protocol neighbour multicast source unknown tunnel) number
	{
		for field in from_packets from_bytes to_packets to_bytes; do
			echo "$field $(stat "$1" "${2/null/0}" "$3" .$field)"
		done
		for field in "${!names[@]}"; do
			number=$(stat "$1" "${2/null/0}" "$3" ".drops[$field]")
			[ "$number" = 0 ] || echo "drops.${names[field]} $number"
		done
	} | jq -cRnS 'reduce (inputs / " ") as [$k, $v] ({drops: {}}; setpath($k / "."; $v | tonumber))'
}

# Nobody tells a pod the MAC address of another, be it a pod of its network, nor behind options (0: hop by hop,
# 60: of the destination), where the receiver's kernel would still look.
no_advertisements() {	# NAME
	local extension
	answers r1 fd01::2 >/dev/null
	for extension in 0 60; do
		rises "$1: a neighbour advertisement behind options ($extension)" of_pod r3 $neighbour -- \
			forge r3 advertisement fd01::3 fd01::1 eth0 fd01::2 $extension 255
		rises "$1: control: a hop limit that no receiver would take ($extension)" of_pod r1 .to_packets -- \
			forge r3 advertisement fd01::3 fd01::1 eth0 fd01::2 $extension 254
	done
	is "$1: the neighbour of r1" 02:76:70:63:00:01 "$(ip -n r1 -j neighbour show fd01::2 | jq -r '.[0].lladdr')"
}

# Of pods, the same for both.
isolated_pods() {	# NAME
	local pod
	local at=(--node 192.0.2.2)
	[[ ${network[r4]} != vlan* ]] || at=()
	put n1 "${network[r4]}" 10.1.0.9 "${mac[r4]}" "${at[@]}" &&
	put n2 "${network[r4]}" 10.1.0.9 "${mac[r4]}" --dev r4 || fail "$1: maps"
	ip -n r4 address replace 10.1.0.9/24 dev eth0
	is "$1: what only red has, red reaches" r4 "$(answers r2 10.1.0.9)"
	for pod in b1 b4; do
		is "$1: what only red has, $pod does not" - "$(wait_ping=0.2 answers $pod 10.1.0.9)"
	done
	rises "$1: and it is counted" of_pod b1 $unknown -- forge b1 frame 10.1.0.1 10.1.0.9 eth0
	for pod in r1 r2; do		# one has a stamped address, the other does not
		rises "$1: $pod with the address of a neighbour" of_pod $pod $source -- \
			forge $pod frame 10.1.0.4 10.1.0.3 eth0
		rises "$1: $pod with an address of nobody" of_pod $pod $source -- \
			forge $pod frame 10.1.0.99 10.1.0.3 eth0
		rises "$1: control: $pod with its own" of_pod r3 .to_packets -- \
			forge $pod frame 10.1.0."${pod:1}" 10.1.0.3 eth0
		rises "$1: $pod with a tag" of_pod $pod $tagged -- \
			forge $pod frame 10.1.0."${pod:1}" 10.1.0.3 eth0 200
		rises "$1: $pod with a service tag" of_pod $pod $tagged -- \
			forge $pod frame 10.1.0."${pod:1}" 10.1.0.3 eth0 88a8:200 100
	done
	no_advertisements "$1"
}

pods_of() {	# NODE ARGUMENT…: standard output, and what went wrong
	"$BPFSTAMP" pods --pin-path "$bpffs/$1" --netns "$1" "${@:2}" 2>&1
}

refused() {	# NAME PATTERN NODE ARGUMENT…: exit status 1 with that line, and the map as it was
	local name=$1 pattern=$2 before got
	shift 2
	before=$(pods_of "$1")
	got=$(pods_of "$@")
	is "$name: status" 1 $?
	has "$name: text" "^bpfstamp: $pattern" "$got"
	is "$name: lines" 1 "$(wc -l <<<"$got")"
	is "$name: changes nothing" "$before" "$(pods_of "$1")"
}

# The command that filled the maps.
test_pods() {
	local at=(--network 100 --add 10.1.0.50 --mac 02:00:00:00:00:50) line before
	local r1="network 100 10.1.0.1 mac ${mac[r1]} dev r1 ifindex ${ifindex[r1]}"
	place r1 100 4 && place r3 100 4 && place b1 200 4 || fail "pods: place"
	before=$(pods_of n1)
	has "pods: one here" "^$r1\$" "$before"
	has "pods: one elsewhere" "^network 100 fd01::3 mac ${mac[r3]} node 192.0.2.2\$" "$before"
	is "pods: of a network" "network 200" "$(pods_of n1 --network 200 | cut -d ' ' -f 1,2 | sort -u)"
	is "pods: at an interface" "$r1" "$(pods_of n1 --dev r1 | grep -w 10.1.0.1)"
	is "pods: as JSON" "r1 ${ifindex[r1]} ${mac[r1]} null" "$(pods_of n1 --json | jq -r '.pods[] |
		select(.address == "10.1.0.1" and .network == "100") | "\(.dev) \(.ifindex) \(.mac) \(.node)"')"
	is "pods: all of them as JSON" "$(wc -l <<<"$before")" "$(pods_of n1 --json | jq '.pods | length')"

	line="network 100 10.1.0.50 mac 02:00:00:00:00:50 dev r1 ifindex ${ifindex[r1]}"
	is "pods: dry run" "would be added: $line" "$(pods_of n1 "${at[@]}" --dev r1 --dry-run)"
	is "pods: dry run adds nothing" "$before" "$(pods_of n1)"
	is "pods: added" "added: $line" "$(pods_of n1 "${at[@]}" --dev r1)"
	is "pods: added again" "added: $line" "$(pods_of n1 "${at[@]}" --dev r1)"
	refused "pods: taken" '10.1.0.50 of network 100 is taken: by the pod at interface .* with MAC .* 02:0.*:50;' \
		n1 "${at[@]}" --dev r2
	refused "pods: taken, dry run" '10.1.0.50 of network 100 is taken: by' \
		n1 "${at[@]}" --node 192.0.2.2 --dry-run
	refused "pods: no such interface" '.*nosuch' n1 "${at[@]}" --dev nosuch
	refused "pods: of another" '.*not at b1: leave out --dev' n1 --network 100 --remove 10.1.0.50 --dev b1
	refused "pods: in another network" 'there is no pod 10.1.0.50 in network 200' \
		n1 --network 200 --remove 10.1.0.50
	is "pods: overwritten" "added: network 100 10.1.0.50 node fd00::2" \
		"$(pods_of n1 --network 100 --add 10.1.0.50 --node fd00::2 --force)"
	is "pods: dry removal" "would be removed: network 100 10.1.0.50 node fd00::2" \
		"$(pods_of n1 --network 100 --remove 10.1.0.50 --dry-run)"
	is "pods: removed, as JSON" "remove fd00::2" \
		"$(pods_of n1 --network 100 --remove 10.1.0.50 --json | jq -r '.action + " " + .pod.node')"
	refused "pods: removed twice" 'there is no pod 10.1.0.50 in network 100' n1 --network 100 --remove 10.1.0.50
	is "pods: as before" "$before" "$(pods_of n1)"
	has "pods: another namespace knows no name" "^network 100 10.1.0.1 mac ${mac[r1]} ifindex ${ifindex[r1]}\$" \
		"$("$BPFSTAMP" pods --pin-path "$bpffs/n1" --netns stranger)"
	is "pods: interfaces of another namespace have no counters" 0 "$(
		"$BPFSTAMP" show --json --stats --netns n2 --pin-path "$bpffs/n1" |
		jq '[.attachments[] | select(.stats)] | length')"
	have valgrind || { skip valgrind "not installed"; return; }
	! grep -q __asan_init "$BPFSTAMP" || { skip valgrind "the binary has ASan"; return; }
	# Valgrind does not know what bpf(2) fills, nor that in front of the first key there is none.
	printf '{\nnext\nMemcheck:Param\nbpf(attr->key)\nfun:syscall\n}\n' >"$tmp/suppressions"
	local valgrind_options="--undef-value-errors=no --suppressions=$tmp/suppressions"
	valgrind_clean "pods" 0 pods --pin-path "$bpffs/n1" --netns n1 --json
	valgrind_clean "pods --add" 1 pods --pin-path "$bpffs/n1" --netns n1 --network 100 --add 10.1.0.1 \
		--node 192.0.2.2
	valgrind_clean "show --stats" 0 show --pin-path "$bpffs/n1" --netns n1 --stats
}

test_vxlan_ipv6() {
	vxlan_pods 6
	wire
	matrix "vxlan over IPv6"
	transfers "vxlan over IPv6" b1 b3
	wire_ends
	has "vxlan over IPv6: VNI 100" 'fd00::1\.[0-9]+ > fd00::2.4789: .*VXLAN, flags \[I\] \(0x08\), vni 100' \
		"$decoded"
	has "vxlan over IPv6: VNI 200" 'fd00::2\.[0-9]+ > fd00::1.4789: .*VXLAN, flags \[I\] \(0x08\), vni 200' \
		"$decoded"
	is "vxlan over IPv6: nothing over IPv4" 0 "$(grep -c '192.0.2.2.4789' <<<"$decoded")"
	no_troubles "vxlan over IPv6"
}

# r2 becomes a pod of the blue network: it gets an address there, and is stamped anew.
test_moved() {
	local from_22=(in_ns r2 ping -n -c 1 -I 10.1.0.22)
	put n1 200 10.1.0.22 "${mac[r2]}" --dev r2 && put n2 200 10.1.0.22 "${mac[r2]}" --node fd00::1 ||
		fail "moved: maps"
	ip -n r2 address add 10.1.0.22/24 dev eth0
	is "moved: before" r3 "$(answers r2 10.1.0.3)"
	is "moved: not yet" "" "$("${from_22[@]}" -W 0.2 10.1.0.3 | grep -o ttl=...)"
	ok "moved: restamp" "$BPFSTAMP" set --netns n1 --dev r2 --direction ingress --pin-path "$bpffs/n1" vni=200 \
		--object "$OBJECTS/vpc_vxlan.v3.o" --prog from_pod
	is "moved: the other side" ttl="$(hops_of b3)" "$("${from_22[@]}" -W 1 10.1.0.3 | grep -o ttl=...)"
	is "moved: its old address is nobody's" - "$(wait_ping=0.2 answers r2 10.1.0.3)"
}

vlan_pods() {	# OPTION…
	local p vlan
	for p in $pods; do
		vlan=100
		[ "${p:0:1}" = r ] || vlan=200
		place "$p" "$kind:$vlan" 4 || fail "vlan: $p cannot be placed"
		pods_mtu 1500 "$p"
		attach "$(node_of "$p")" "$p" vpc_vlan to_uplink "$@" --set vlan=$vlan \
			--set uplink_ifindex="$index_of_uplink"
	done
}

test_vlan() {
	local vlan dropped=(stat n2 0 "$index_of_uplink")
	kind=vlan
	vlan_pods --inline
	attach n1 uplink vpc_vlan from_uplink
	attach n2 uplink vpc_vlan from_uplink --set redirect_peer=0
	wire
	matrix "vlan"
	wire_ends
	for vlan in 100 200; do
		has "vlan: tag $vlan" "ethertype 802.1Q \(0x8100\), length [0-9]+: vlan $vlan, p 0, ethertype IPv4" \
			"$decoded"
		has "vlan: tag $vlan, IPv6" "802.1Q \(0x8100\), length [0-9]+: vlan $vlan, p 0, ethertype IPv6" \
			"$decoded"
	done
	has "vlan: from the pod's address to the other pod's" "${mac[r1]} > ${mac[r3]}, ethertype 802.1Q.*vlan 100" \
		"$decoded"
	is "vlan: no other tag" "100 200" \
		"$(grep -oE 'vlan [0-9]+' <<<"$decoded" | sort -u | sed 's/vlan //' | paste -sd ' ')"
	is "vlan: no tunnel" "" "$(grep VXLAN <<<"$decoded")"
	transfers "vlan" b2 b4
	no_troubles "vlan"
	ok "vlan: untagged frames pass" in_ns n1 ping -n -c 1 -W 1 192.0.2.2
	attach n2 uplink ping_drop_stamp filter_out --prio 2 --set target_addr=192.0.2.2
	is "vlan: untagged frames pass on to the program behind" lost \
		"$(in_ns n1 ping -n -c 1 -W 0.3 192.0.2.2 >/dev/null && echo answered || echo lost)"
	ok "vlan: without the program behind" "$BPFSTAMP" detach --netns n2 --dev uplink --direction ingress --prio 2

	rises "vlan: control: what comes from outside reaches the pod" of_pod r3 .to_packets -- \
		forge stranger frame 10.1.0.77 10.1.0.3 uplink 100
	rises "vlan: another VLAN" "${dropped[@]}" $unknown -- forge stranger frame 10.1.0.77 10.1.0.3 uplink 300
	rises "vlan: no such pod" "${dropped[@]}" $unknown -- forge stranger frame 10.1.0.77 10.1.0.78 uplink 100
	rises "vlan: a service tag" "${dropped[@]}" $unknown -- \
		forge stranger frame 10.1.0.77 10.1.0.3 uplink 88a8:100
	rises "vlan: two tags" "${dropped[@]}" $tagged -- forge stranger frame 10.1.0.77 10.1.0.3 uplink 100 200
	rises "vlan: with the address of a pod of this node" "${dropped[@]}" $source -- \
		forge stranger frame 10.1.0.4 10.1.0.3 uplink 100
	isolated_pods "vlan"
	same_counters "vlan" uplink
}

test_vlan_ad() {
	kind="vlan-ad"
	vlan_pods --set vlan_ad=1
	wire
	matrix "vlan, 802.1ad"
	wire_ends
	has "vlan, 802.1ad: tag" 'ethertype 802.1Q-QinQ \(0x88a8\), length [0-9]+: vlan 200, p 0, ethertype IPv4' \
		"$decoded"
	is "vlan, 802.1ad: no other tag" 0 "$(grep -c '0x8100' <<<"$decoded")"
}

[ "$isolated" = yes ] || { skip vpc "needs root, to make namespaces and a bpffs"; finish; }
for program in bpftool jq tcpdump python3; do
	have $program || { skip vpc "$program is not installed"; finish; }
done
mkdir "$bpffs" && mount -t bpf none "$bpffs" || { skip vpc "no bpffs"; finish; }
devices || { skip vpc "no veth, bridge or vxlan devices"; finish; }
for t in ${TESTS:-vxlan vxlan_bulk vxlan_isolation pods vxlan_ipv6 moved vlan vlan_ad}; do
	began=$SECONDS
	test_$t
	[ -z "${VERBOSE:-}" ] || echo "$t took $((SECONDS - began)) s"
done
finish
