# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Containers; sourced by cnirun.sh.
#
# podman 4 with its CNI backend starts containers of busybox in three networks, which are
# all of one bridge: red and blue, in which bpfstamp-cni is chained, and plain, in which it is not.  Everything
# that podman keeps is in $tmp, /var/lib and /dev/shm, which are the test's own.  It wants cgroup 2,
# though containers are started without any.

podman() {
	CONTAINERS_CONF=$tmp/containers.conf command podman --root "$tmp/root" --runroot "$tmp/runroot" \
		--storage-driver vfs --cgroup-manager cgroupfs "$@"
}

podman_place() {
	local applet
	mount -t cgroup2 none /sys/fs/cgroup && mount -t tmpfs none /dev/shm || return 1
	mkdir -p "$tmp"/rootfs/{bin,proc,sys,dev,etc,tmp,run} &&
		cp "$(command -v busybox)" "$tmp/rootfs/bin" || return 1
	for applet in sh sleep ping ip; do
		ln -s busybox "$tmp/rootfs/bin/$applet" || return 1
	done
	cat >"$tmp/containers.conf" <<-END
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		[engine]
		runtime = "crun"
		events_logger = "file"
		[network]
		network_backend = "cni"
		cni_plugin_dirs = ["${CNI_PLUGIN%/*}", "$plugins"]
		network_config_dir = "$nets"
		default_network = "red"
	END
}

container() {	# NAME NETWORK ADDRESS
	podman run --detach --name "$1" --network "$2" --ip "$3" --cgroups=disabled \
		--security-opt seccomp=unconfined --stop-signal KILL --rootfs "$tmp/rootfs" sleep 1000
}

field() {	# CONTAINER GO-TEMPLATE
	podman inspect --format "{{$2}}" "$1"
}

# A ping that the container makes: yes or no.
container_reaches() {	# NAME ADDRESS
	local wait=2
	[ "${3:-}" != no ] || wait=1
	if podman exec "$1" ping -q -c 1 -W $wait "$2" >/dev/null 2>&1; then echo yes; else echo no; fi
}

by_libcni() {	# COMMAND CONTAINER LIST: with what libcni keeps for podman
	"$tmp/driver" "$1" "$nets/$3.conflist" "$(field "$2" .NetworkSettings.SandboxKey)" "$(field "$2" .Id)" eth0
}

# Nobody does DEL for it: its monitor dies first, and then its namespace is gone, too.
dies_alone() {	# NAME
	local monitor first netns
	monitor=$(field "$1" .State.ConmonPid) first=$(field "$1" .State.Pid)
	netns=$(field "$1" .NetworkSettings.SandboxKey)
	kill -9 "$monitor" && kill -9 "$first" && umount "$netns" && rm "$netns"
}

alive() {	# CONTAINER…: what GC is told
	local c
	for c; do field "$c" .Id; done | jq -cRn '{ "cni.dev/valid-attachments":
		[inputs | { containerID: ., ifname: "eth0" }] }'
}

test_podman() {
	local c left subnet=10.7.0.0/24
	for c in podman crun busybox; do
		have $c || { skip podman "$c is not installed"; return; }
	done
	podman_place || { skip podman "no cgroup 2, or no /dev/shm"; return; }
	list red 0.4.0 "$(maker bridge $subnet)" "$(ours 710)"
	list blue 0.4.0 "$(maker bridge $subnet)" "$(ours 720)"
	list plain 0.4.0 "$(maker bridge $subnet)"
	left=$(node_has)

	ok "podman: red1" container red1 red 10.7.0.11 || return
	ok "podman: red2" container red2 red 10.7.0.12
	ok "podman: blue1" container blue1 blue 10.7.0.12
	ok "podman: blue2" container blue2 blue 10.7.0.13
	is "podman: the address that was asked for" 10.7.0.11 "$(field red1 .NetworkSettings.Networks.red.IPAddress)"
	is "podman: same network" yes "$(container_reaches red1 10.7.0.12)"
	is "podman: same network, blue" yes "$(container_reaches blue2 10.7.0.12)"
	is "podman: another network" no "$(container_reaches red1 10.7.0.13 no)"
	is "podman: another network, the other way" no "$(container_reaches blue1 10.7.0.11 no)"
	is "podman: entries" "2 2" "$(entries vpc_pods 710) $(entries vpc_pods 720)"

	# Without us they would reach each other: the networks have the same bridge.
	ok "podman: plain1" container plain1 plain 10.7.0.21
	ok "podman: plain2" container plain2 plain 10.7.0.22
	is "podman: control" yes "$(container_reaches plain1 10.7.0.22)"
	ok "podman: plain containers" podman rm --force plain1 plain2

	ok "podman: CHECK red1" by_libcni CHECK red1 red
	ok "podman: CHECK blue1" by_libcni CHECK blue1 blue
	ok "podman: network reload" podman network reload red1
	is "podman: after the reload" yes "$(container_reaches red1 10.7.0.12)"
	is "podman: entries after the reload" "2 2" "$(entries vpc_pods 710) $(entries vpc_pods 720)"
	ok "podman: CHECK after the reload" by_libcni CHECK red1 red
	is "podman: one program a container" 5 "$(programs 5)"

	# The same address in the other network is still there, and nobody in this one has it.
	ok "podman: stop red2" podman stop red2
	is "podman: stopped" "1 2" "$(entries vpc_pods 710) $(entries vpc_pods 720)"
	is "podman: the address of a stopped container" no "$(container_reaches red1 10.7.0.12 no)"
	is "podman: is another's in blue" yes "$(container_reaches blue2 10.7.0.12)"
	ok "podman: start red2" podman start red2
	is "podman: started again" yes "$(container_reaches red1 10.7.0.12)"

	ok "podman: red2 dies alone" dies_alone red2
	is "podman: nobody cleaned up" 2 "$(entries vpc_pods 710)"
	ok "podman: GC" plugin GC "" "$(as_handed red "$(alive red1)" | jq -c '.cniVersion = "1.1.0"')"
	is "podman: GC removed it" "1 2" "$(entries vpc_pods 710) $(entries vpc_pods 720)"
	is "podman: GC left red1" "$(field red1 .Id):eth0" "$(states red)"
	# bridge has no GC, and podman thinks that it has nothing to do: a runtime asks for DEL until it succeeds.
	ok "podman: DEL after GC" by_libcni DEL red2 red
	ok "podman: rm" podman rm --force --time 0 red1 red2 blue1 blue2
	nothing_left podman "$left"
}
