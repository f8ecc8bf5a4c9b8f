#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# bpfstamp-cni as a runtime runs it, with Debian's plugins before it (bridge,
# ptp) and below it (host-local), on pods with real packets: every command in every
# version of the protocol, what goes wrong, and kill -9 after each system call that
# changes something.
#
# The node is this namespace; a pod is a namespace of its own.  $CNI is the
# plugin, $PLUGINS the folder of the others, $LIFE that of tests/life as built.
set -u
. "$(dirname "$0")/lib.sh"
start cni "$@"

CNI=${CNI:-${BPFSTAMP%/*}/bpfstamp-cni}
PLUGINS=${PLUGINS:-/usr/lib/cni}
bpffs=/sys/fs/bpf
conf=$tmp/conf
drop=$tmp/$uniq.o
vxlan=$tmp/vxlan.o

# ------------------------------------------------------------------ a runtime

# Run a plugin as a runtime does: $answer is its stdout, $status its exit status.
plugin() {	# TYPE COMMAND POD [IFNAME]: the configuration is in $conf
	local type=$1 command=$2 pod=$3 path=$PLUGINS/$1
	[ "$type" != bpfstamp-cni ] || path=$CNI
	answer=$(CNI_COMMAND=$command CNI_CONTAINERID=${container:-c-$pod} CNI_NETNS=/run/netns/$pod \
		CNI_IFNAME=${4:-eth0} CNI_PATH=$PLUGINS CNI_ARGS=${cni_args:-} ${under:-} "$path" \
		<"$conf" 2>"$tmp/stderr")
	status=$?
}

cni() {		# COMMAND POD [IFNAME]
	plugin bpfstamp-cni "$@"
}

good() {	# NAME COMMAND POD [IFNAME]: succeeds; ADD says something, and no other command does
	local name=$1
	shift
	cni "$@"
	if [ $status != 0 ] || [ -s "$tmp/stderr" ]; then
		fail "$name" "$1: status $status: $answer $(cat "$tmp/stderr")"
		return 1
	elif [ "$1" != ADD ]; then
		is "$name" "" "$answer"
	else
		is "$name" "$version" "$(jq -r .cniVersion <<<"$answer")"
	fi
}

bad() {		# NAME CODE PATTERN COMMAND POD [IFNAME]: an error of that code and text, in the right form
	local name=$1 code=$2 pattern=$3
	shift 3
	cni "$@"
	is "$name: status" 1 $status
	is "$name: code" "$code" "$(jq .code <<<"$answer")"
	has "$name: text" "$pattern" "$(jq -r .msg <<<"$answer")"
	has "$name: version" '^[01]\.[0-9]\.[0-9]$' "$(jq -r .cniVersion <<<"$answer")"
}

version=1.0.0
write() {	# JQ-EXPRESSION [JQ-OPTION…]: a configuration, of that version and name
	local expression=$1
	shift
	jq -n "$@" --arg drop "$drop" --arg vxlan "$vxlan" "{cniVersion: \"$version\", name: \"${net:-net.1}\",
		type: \"bpfstamp-cni\"} + ($expression)" >"$conf"
}


after() {	# JQ-EXPRESSION [JQ-OPTION…]: with what the plugin before said
	local expression=$1
	shift
	write "($expression) + {prevResult: \$prev}" "$@" --arg from_pod "${uniq:0:8}" \
		--argjson prev "$(jq -c ".cniVersion = \"$version\"" <<<"$prev")"
}

ranges='[[{subnet: "10.22.0.0/24"}], [{subnet: "fd22::/64"}]]'
bridge_conf() {	# ipam and a bridge that is the gateway, in a version that Debian's plugins know
	local version=$version
	[ $version != 1.1.0 ] || version=1.0.0
	write "{type: \"$1\", bridge: \"br0\", isGateway: true, ipam: {type: \"host-local\", dataDir: \"$tmp/ipam\",
		ranges: $ranges}}"
}

new_pod() {	# NAME
	ip netns add "$1" && ip -n "$1" link set lo up
}

# A pod whose interface another plugin made; $prev is what that said.
before_us() {	# PLUGIN POD
	new_pod "$2" || return
	bridge_conf "$1"
	plugin "$1" ADD "$2"
	prev=$answer
	[ $status = 0 ] || { fail "$1 ADD $2" "$answer"; return 1; }
	address=$(jq -r '.ips[].address | select(test("[.]")) | sub("/.*"; "")' <<<"$prev")
	address6=$(jq -r '.ips[].address | select(test(":")) | sub("/.*"; "")' <<<"$prev")
	host=$(jq -r '[.interfaces[] | select((.sandbox // "") == "") | .name | select(test("^veth"))][0]' <<<"$prev")
}

gone_before_us() {	# PLUGIN POD
	bridge_conf "$1"
	plugin "$1" DEL "$2"
	is "$1 DEL $2" 0 $status
	ip netns del "$2"
}

ipam_that() {	# NAME LINE…: an IPAM plugin that does that
	mkdir -p "$tmp/plugins"
	printf '%s\n' '#!/bin/bash' "${@:2}" >"$tmp/plugins/$1" && chmod +x "$tmp/plugins/$1"
}

# ----------------------------------------------------------------- what is there

pinned() {	# but for the index of programs, which stays
	find $bpffs -mindepth 1 ! -name '*.debug' ! -path $bpffs/bpfstamp ! -path $bpffs/bpfstamp/programs | sort
}

answers() {	# ADDRESS [NAMESPACE]: "answered" or "lost"; of who should answer the first packets may be lost
	local patience=(-W 0.3)
	[ "${expect:-answered}" = lost ] || patience=(-i 0.1 -w 3)
	if ${2:+ip netns exec "$2"} ping -n -q -c 1 "${patience[@]}" "$1" >/dev/null 2>&1; then
		echo answered
	else
		echo lost
	fi
}

reaches() {	# NAME answered|lost ADDRESS [NAMESPACE]
	is "$1" "$2" "$(expect=$2 answers "$3" "${4:-}")"
}

attached() {	# JQ FILTER of each attachment here
	"$BPFSTAMP" show --json | jq -rc ".attachments[] | $1"
}

# Of what a test makes nothing is there; what pods share may be.
# Those of a namespace go some time after its name.
interfaces() {
	local list
	for _ in {1..50}; do
		list=$(ip -br link | grep -vE '^(lo|br0|vxlan0|dummy0) ')
		[ "$list" ] || break
		sleep 0.1
	done
	echo "$list"
}

nothing_left() {	# NAME
	is "$1: no program" 0 "$(kernel_objects 0)"
	is "$1: no pin" "" "$(pinned | grep -vE '/vpc_(pods|stats)$')"
	is "$1: no attachment" "" "$(attached 'select(.dev != "vxlan0")')"
	is "$1: no interface" "" "$(interfaces)"
	is "$1: no address is given away" "" "$(find "$tmp/ipam" -name '[1-9f]*' 2>/dev/null)"
}

. "$(dirname "$0")/cni/chained.sh"
. "$(dirname "$0")/cni/standalone.sh"
. "$(dirname "$0")/cni/wrong.sh"
. "$(dirname "$0")/cni/again.sh"
. "$(dirname "$0")/cni/reused.sh"
. "$(dirname "$0")/cni/killed.sh"

[ "$isolated" = yes ] || { skip cni "needs root, to make namespaces and a bpffs"; finish; }
have bpftool && have jq || { skip cni "needs bpftool and jq"; finish; }
[ -x "$PLUGINS/bridge" ] || { skip cni "containernetworking-plugins are not installed"; finish; }
mount -t bpf none $bpffs && unique "$BPF/ping_drop_stamp.bpf.o" || { skip cni "no bpffs"; finish; }
LC_ALL=C sed "s/from_pod/${uniq:0:8}/g" "$BPF/vpc_vxlan.bpf.o" >"$vxlan"
for t in ${TESTS:-chained shared hooks standalone commands wrong again reused killed together}; do
	began=$SECONDS
	test_$t
	[ -z "${VERBOSE:-}" ] || echo "$t took $((SECONDS - began)) s"
done
finish
