#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# deploy/: the image's root is made as the Dockerfile's last stage says, and its
# containers are run by crun as daemonset.yaml says: the same commands, mounts
# and capabilities, and nothing else.  What the node would have is in $host.
set -u
. "$(dirname "$0")/lib.sh"
start deploy "$@"

deploy=$(cd "$(dirname "$0")/../deploy" && pwd)
top=$(dirname "$deploy")
image=$tmp/image host=$tmp/host bundle=$tmp/bundle
python=/usr/bin/python3
[ -x $python ] || python=$(command -v python3)

# --------------------------------------------------------------------- image

# COPY lines, /src/build/ being $BUILD; what else the last stage says changes no file.
make_image() {
	local word words from to
	mkdir -p "$image"
	while read -r -a words; do
		to=$image/${words[-1]}
		for word in "${words[@]:2:${#words[@]}-3}"; do
			from=$top/${word#/src/}
			[ "${word#/src/build/}" = "$word" ] || from=$BUILD/${word#/src/build/}
			mkdir -p "$to" && cp "$from" "$to" || return 1
		done
	done < <(sed '1,/^FROM scratch$/d' "$deploy/Dockerfile" | grep '^COPY')
}

test_image() {
	local got
	is "Dockerfile: what the last stage does" "COPY ENTRYPOINT" \
		"$(sed '1,/^FROM scratch$/d' "$deploy/Dockerfile" | awk '{print $1}' | sort -u | paste -sd ' ')"
	got="/LICENSE /bpfstamp /bpfstamp-cni /install /objects/vpc_vlan.bpf.o /objects/vpc_vxlan.bpf.o"
	is "image: files" "$got" "$(cd "$image" && find . -type f | sed 's/^\.//' | LC_ALL=C sort | paste -sd ' ')"
	ok "image: less than a megabyte" test "$(du -sb "$image" | cut -f 1)" -lt 1048576
	ok "bpfstamp in it" chroot "$image" /bpfstamp inspect /objects/vpc_vxlan.bpf.o
	has "bpfstamp in it: output" '^program from_pod: ' "$out"
	got=$(echo '{"cniVersion": "1.0.0"}' | CNI_COMMAND=VERSION chroot "$image" /bpfstamp-cni)
	has "bpfstamp-cni in it" '"1.1.0"' "$got"
	got=$(chroot "$image" /install 2>&1 /bpfstamp)
	has "install in it" '^usage: install FILE' "$got"
}

# ---------------------------------------------------------------- containers

# The pod's template with one container, as JSON, on which the path of each volume on the node is laid.
container_spec() {	# NAME CAPABILITIES COMMAND…: where empty, as the DaemonSet says
	local command=null
	[ $# = 2 ] || command=$(printf '%s\n' "${@:3}" | jq -Rnc '[inputs]')
	jq --arg name "$1" --arg caps "$2" --argjson command "$command" --arg image "$image" --arg host "$host" '
		.spec.template.spec as $pod |
		($pod.initContainers + $pod.containers | .[] | select(.name == $name)) as $c |
		(if $caps == "" then $c.securityContext.capabilities.add // [] | map("CAP_" + .)
			else $caps | split(",") | map(select(. != "none")) end) as $caps |
		{
			ociVersion: "1.0.0",
			root: { path: $image, readonly: $c.securityContext.readOnlyRootFilesystem },
			process: {
				user: { uid: $c.securityContext.runAsUser, gid: 0 }, cwd: "/", env: [],
				args: ($command // $c.command),
				capabilities: { bounding: $caps, effective: $caps, permitted: $caps },
				noNewPrivileges: ($c.securityContext.allowPrivilegeEscalation | not)
			},
			mounts: ([{ destination: "/proc", type: "proc", source: "proc" },
				  { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["mode=755"] },
				  { destination: "/sys", type: "sysfs", source: "sysfs", options: ["ro"] }] +
				[$c.volumeMounts[] as $m | $pod.volumes[] | select(.name == $m.name) |
				{ destination: $m.mountPath, type: "none", options: ["rbind"],
				  source: (if .configMap then $host + "/configmap"
					elif .hostPath.path == "/sys/fs/bpf" then .hostPath.path
					else $host + .hostPath.path end) }]),
			linux: { namespaces: [{ type: "mount" }, { type: "pid" }, { type: "ipc" }] }
		}' "$tmp/daemonset.json"
}

container() {	# NAME CAPABILITIES COMMAND…
	container_spec "$@" >"$bundle/config.json" &&
	crun --root "$tmp/crun" --cgroup-manager=disabled run -b "$bundle" test 2>&1
}

test_daemonset() {
	local folder kind
	is "DaemonSet: capabilities" '[["ALL"],null] [["ALL"],["BPF","NET_ADMIN"]] ' "$(jq -c '.spec.template.spec |
		.initContainers + .containers | .[].securityContext.capabilities |
		[.drop, .add]' "$tmp/daemonset.json" | tr '\n' ' ')"
	is "DaemonSet: every mount has its volume" "" "$(jq -r '.spec.template.spec | .volumes as $volumes |
		[.initContainers + .containers | .[].volumeMounts[].name] - [$volumes[].name] |
		.[]' "$tmp/daemonset.json")"
	is "DaemonSet: labels" true \
		"$(jq '.spec.selector.matchLabels == .spec.template.metadata.labels' "$tmp/daemonset.json")"
	for folder in /opt/cni/bin /usr/local/lib/bpfstamp /etc/bpfstamp /etc/cni/net.d; do
		kind=$(jq -r --arg path $folder '.spec.template.spec.volumes[].hostPath |
			select(.path == $path).type' "$tmp/daemonset.json")
		is "DaemonSet: $folder" DirectoryOrCreate "$kind"
		mkdir -p "$host$folder"
	done
}

same_files() {	# NAME: what is on the node is what is in the image
	local left right
	while read -r left right; do
		ok "$1: $right" cmp "$left" "$host$right"
	done <<-END
		$image/bpfstamp-cni /opt/cni/bin/bpfstamp-cni
		$image/objects/vpc_vxlan.bpf.o /usr/local/lib/bpfstamp/vpc_vxlan.bpf.o
		$image/objects/vpc_vlan.bpf.o /usr/local/lib/bpfstamp/vpc_vlan.bpf.o
		$deploy/vpcs.json /etc/bpfstamp/vpcs.json
		$deploy/vxlan-ptp.conflist /etc/cni/net.d/90-vpc.conflist
	END
	is "$1: nothing else" 5 "$(find "$host/opt" "$host/usr" "$host/etc" -type f | wc -l)"
}

# A ConfigMap's files are links, and change all at once.
test_install() {
	local got
	mkdir -p "$host/configmap/..data"
	cp "$deploy/vpcs.json" "$host/configmap/..data/"
	cp "$deploy/vxlan-ptp.conflist" "$host/configmap/..data/90-vpc.conflist"
	ln -s ..data/vpcs.json ..data/90-vpc.conflist "$host/configmap/"
	ok "install without capabilities" container install ""
	same_files "installed"
	is "installed: mode of the plugin" 755 "$(stat -c %a "$host/opt/cni/bin/bpfstamp-cni")"
	is "installed: mode of the network" 644 "$(stat -c %a "$host/etc/cni/net.d/90-vpc.conflist")"
	echo old >"$host/opt/cni/bin/bpfstamp-cni"
	echo half >"$host/opt/cni/bin/.bpfstamp-cni.new"
	ok "install again, after a crash" container install ""
	same_files "installed again"
	rm "$host/configmap/vpcs.json"
	mkdir "$host/configmap/vpcs.json"
	got=$(container install "")
	is "install of a folder: status" 1 $?
	has "install of a folder: text" '^install: cannot copy what is no file: /network/vpcs.json: Invalid' "$got"
	rm -d "$host/configmap/vpcs.json"
	got=$(container install "")
	has "install of nothing: text" '^install: cannot open /network/vpcs.json: No such file' "$got"
	same_files "still installed"
	got=$(container install "" /install /bpfstamp /nowhere)
	has "install to nowhere: text" '^install: cannot use the folder /nowhere: No such file' "$got"
}

# Waits as the first process of a pid namespace, and ends when it is asked to.
test_wait() {
	local pid state waits
	container node "" & pid=$!
	# It waits for the signal once it has blocked it (bit 14); before that the first process of a namespace gets none.
	for _ in {1..100}; do
		state=$(crun --root "$tmp/crun" state test 2>/dev/null)
		waits=$(sed -n 's/^SigBlk:\t//p' "/proc/$(jq .pid <<<"$state")/status" 2>/dev/null)
		((0x${waits:-0} & 0x4000)) && break
		sleep 0.1
	done
	is "the container that stays" running "$(jq -r .status <<<"$state")"
	ok "the container that stays: SIGTERM" crun --root "$tmp/crun" kill test TERM
	wait $pid
	is "the container that stays: status" 0 $?
}

# OBJECT PROGRAM VALUE…
programs() {
	cat <<-END
		vpc_vxlan from_pod --set vni=100 --set vxlan_ifindex=1
		vpc_vxlan from_vxlan
		vpc_vlan to_uplink --set vlan=100 --set uplink_ifindex=1
		vpc_vlan from_uplink
	END
}

test_capabilities() {
	local object program values hook got caps
	ip link add va type veth peer name vb || { fail "capabilities" "no veth"; return; }
	while read -r object program values; do
		for hook in clsact auto; do
			# Words.
			# shellcheck disable=SC2086
			ok "attach $program to $hook with the DaemonSet's" container node "" /bpfstamp attach \
				/objects/$object.bpf.o --prog $program --dev va --hook $hook --direction ingress \
				$values </dev/null
			ok "show $program with the DaemonSet's" container node "" /bpfstamp show --dev va </dev/null
			has "show $program with the DaemonSet's: output" "^va (clsact|tcx) ingress .*$program" "$out"
			is "$program: without CAP_SYS_ADMIN no more than that" 0 "$(grep -c 'loaded' <<<"$out")"
			ok "show $program with CAP_SYS_ADMIN" container node CAP_BPF,CAP_NET_ADMIN,CAP_SYS_ADMIN \
				/bpfstamp show --dev va </dev/null
			has "show $program with CAP_SYS_ADMIN: output" "loaded .* from $object.bpf.o" "$out"
			ok "detach $program with the DaemonSet's" container node "" /bpfstamp detach --dev va \
				--direction ingress --hook $hook </dev/null
		done
	done < <(programs)
	for caps in CAP_BPF CAP_NET_ADMIN none; do
		got=$(container node $caps /bpfstamp attach /objects/vpc_vxlan.bpf.o --prog from_vxlan --dev va)
		is "attach with $caps: status" 1 $?
		has "attach with $caps: text" 'CAP_(BPF|NET_ADMIN)' "$got"
	done
	got=$(container node "" /bpfstamp show --netns 1)
	has "--netns with the DaemonSet's" 'CAP_SYS_ADMIN|Operation not permitted' "$got"
	ip link del va
}

# ------------------------------------------------------------------ networks

# What bpfstamp-cni gets of a list when a runtime asks for STATUS; then what it answers.
status_of() {	# LIST FILTER
	jq -c --arg bpffs /sys/fs/bpf '. as $list | .plugins[] | select(.type == "bpfstamp-cni") |
		{ cniVersion: "1.1.0", name: $list.name } + . | '"$2" "$1" |
		CNI_COMMAND=STATUS CNI_PATH=/usr/lib/cni "$BUILD/static/bpfstamp-cni"
}

# The plugins that a list names and this machine has not, if it has any.
no_plugins() {	# LIST
	local plugin
	jq -r '.plugins[].type, .plugins[].ipam.type // empty' "$1" | while read -r plugin; do
		[ $plugin = bpfstamp-cni ] || [ ! -d /usr/lib/cni ] || [ -x /usr/lib/cni/$plugin ] || echo $plugin
	done
}

# Codes below 10 are about the configuration.
test_networks() {
	local list name code
	for list in "$deploy"/*.conflist; do
		name=${list##*/}
		ok "$name: JSON" jq -e '.name and .cniVersion and (.plugins | length)' "$list"
		code=$(status_of "$list" . | jq '.code // 0')
		ok "$name: its own check: code ${code:=0}" test "$code" = 0 -o "$code" -ge 10
		has "$name: with a key that nobody knows" '"code": *[267],.*atach' \
			"$(status_of "$list" '.atach = .attach')"
		is "$name: plugins" "" "$(no_plugins "$list")"
	done
	is "vpcs.json: numbers in range, and each its own" true "$(jq '[.[].vni] as $v | [.[].vlan] as $l |
		($v | all(. > 0 and . < 16777216)) and ($l | all(. > 0 and . < 4095)) and
		($v | unique | length) == ($v | length) and
		($l | unique | length) == ($l | length)' "$deploy/vpcs.json")"
}

# One plugin's part of a list, for a command, with its paths as they are here.
call() {	# COMMAND LIST PLUGIN POD [RESULT OF THE ONE BEFORE]
	local plugin=/usr/lib/cni/$3
	[ "$3" != bpfstamp-cni ] || plugin=$host/opt/cni/bin/$3
	jq -c --arg host "$host" --arg data "$tmp/ipam/$2" --arg type "$3" --argjson before "${5:-null}" '
		. as $list | .plugins[] | select(.type == $type) |
		{ cniVersion: $list.cniVersion, name: $list.name } + . |
		if .ipam then .ipam.dataDir = $data else . end |
		if .object then .object = $host + .object | .vpcs = $host + .vpcs else . end |
		if $before then .prevResult = $before else . end' "$deploy/$2.conflist" |
		CNI_COMMAND=$1 CNI_CONTAINERID=$4 CNI_NETNS=/run/netns/$4 CNI_IFNAME=eth0 \
		CNI_ARGS="IgnoreUnknown=1;VPC=${vpc:-red}" CNI_PATH=/usr/lib/cni "$plugin"
}

plugins_of() {	# LIST
	jq -r '.plugins[].type' "$deploy/$1.conflist"
}

# As runtimes do: each plugin gets the result of the one before; to delete, the last is the first.
add_pod() {	# LIST POD: its result in $result
	local plugin
	result=''
	for plugin in $(plugins_of "$1"); do
		result=$(call ADD "$1" "$plugin" "$2" "$result") && continue
		fail "$1: ADD $2 by $plugin" "$result"
		return 1
	done
	pass "$1: ADD $2"
}

delete_pod() {	# LIST POD RESULT
	local plugin
	for plugin in $(plugins_of "$1" | tac); do
		is "$1: DEL $2 by $plugin" "" "$(call DEL "$1" "$plugin" "$2" "$3")"
	done
}

reaches() {	# POD ADDRESS SECONDS
	if ip netns exec "$1" ping -n -q -c 1 -W "$3" "$2" >/dev/null 2>&1; then echo yes; else echo no; fi
}

dump_pods() {
	bpftool -j map dump pinned /sys/fs/bpf/vpc_pods
}

# What is attached to interfaces that pods have, and what is kept of pods.
left_of_pods() {
	"$BPFSTAMP" show --json | jq -r '.attachments[] | select(.dev != "vpc0" and .dev != "eth0").dev'
	find /sys/fs/bpf/bpfstamp-cni 2>/dev/null
	ip -j link show type veth | jq -r '.[].ifname | select(. != "eth0" and . != "wire")'
}

# The plugin and the objects that the installer put there, by each list alone or behind the plugin that it names.
pods_of_list() {	# LIST NETWORK VALUE
	local first second third to
	add_pod "$1" pod || return
	first=$result
	is "$1: addresses" '["10.1.1.2/24","fd01:0:0:1::2/64"]' "$(jq -c '[.ips[]?.address]' <<<"$first")"
	has "$1: the pod's value" " = $3 " "$("$BPFSTAMP" show)"
	is "$1: the pod's addresses" 2 "$(dump_pods | jq length)"
	is "$1: network" "$2" "$(dump_pods | jq '.[0].formatted.key.network')"
	add_pod "$1" pod2 || return
	second=$result
	for to in 10.1.1.3 fd01:0:0:1::3; do
		is "$1: one pod reaches the other at $to" yes "$(reaches pod $to 2)"
	done
	vpc=blue add_pod "$1" pod3 || return
	third=$result
	for to in 10.1.1.2 fd01:0:0:1::2; do
		is "$1: a pod of another VPC does not reach $to" no "$(reaches pod3 $to 0.3)"
	done
	delete_pod "$1" pod3 "$third"
	delete_pod "$1" pod2 "$second"
	is "$1: the other one is still there" 2 "$(dump_pods | jq length)"
	delete_pod "$1" pod "$first"
	is "$1: no address is left" 0 "$(dump_pods | jq length)"
	is "$1: nothing of the pods is left" "" "$(left_of_pods)"
}

test_pods() {	# after test_install
	local list network value plugin pod
	for pod in pod pod2 pod3; do
		ip netns add $pod
	done
	ip link add eth0 type veth peer name wire
	while read -r list network value; do
		for plugin in host-local $(plugins_of $list | grep -v bpfstamp-cni); do
			[ -x /usr/lib/cni/$plugin ] || { skip "$list" "no $plugin"; continue 2; }
		done
		pods_of_list $list $network $value
	done <<-END
		vxlan 4711 0x1267
		vlan $((0x01000000 + 101)) 0x65
		vxlan-ptp 4711 0x1267
		vlan-bridge $((0x01000000 + 101)) 0x65
	END
}

BUILD=$(realpath -e "${BUILD:?}") || exit 1
make_image || { fail "image" "cannot be made"; finish; }
"$python" -c 'import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), open(sys.argv[2], "w"))' \
	"$deploy/daemonset.yaml" "$tmp/daemonset.json" ||
	{ fail "daemonset.yaml" "no YAML, or no python3-yaml"; finish; }
test_daemonset
test_networks
if [ "$isolated" != yes ]; then
	skip "containers" "needs root and namespaces"
	finish
fi
test_image
if ! have crun; then
	skip "containers" "no crun"
	finish
fi
mkdir -p "$bundle" && mount -t bpf none /sys/fs/bpf && mount -t cgroup2 none /sys/fs/cgroup ||
	{ fail "containers" "no bpffs or no cgroup2"; finish; }
test_install
test_wait
test_capabilities
test_pods
finish
