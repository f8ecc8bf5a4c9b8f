#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# deps.sh build|bench|all: install the Debian packages that are missing (12 or 13).
#
#   build   what `make` and `make demo` need
#   bench   that, and what `make bench` needs
#   all     what `make`, the tests and `make static` need
#
# The table below is the whole list; each row has a reason.  What another row
# depends on (binutils, the kernel's uapi headers, libsubunit for check) and
# what no Debian is without (util-linux, dpkg) is left out.  The dpkg database
# alone decides what is missing, so where nothing is, this takes milliseconds
# and talks to nobody.  Otherwise the package lists are refreshed, because on a
# fresh machine there are none, and the missing packages are installed without
# what they recommend.  A user who is not root is told the command instead.
set -eu

table() {
	cat <<-END
		build	gcc	the library and the command line
		build	libc6-dev	C library: headers, libc.a; brings linux/bpf.h and linux/pkt_cls.h
		build	make	reads the Makefile
		build	libmnl-dev	netlink messages
		build	libjansson-dev	--json
		build	zlib1g-dev	/proc/config.gz, for programs that ask for the kernel's configuration
		build	clang-19	compiles BPF programs; the tests also compile C with it
		build	iproute2	demo: network namespaces, veth; the tests: tc
		build	iputils-ping	demo: ping
		build	mount	demo: a /run of its own
		test	check	unit tests
		test	libclang-rt-19-dev	libFuzzer, and sanitizers for clang
		test	llvm-19	llvm-objdump and llvm-mc, to compare the disassembly with
		test	bpftool	a second opinion on what the kernel has loaded
		test	procps	sysctl: hop limits of pods
		test	crun	runs the containers of check-deploy, and for podman
		test	python3-yaml	check-deploy: reads the DaemonSet
		test	jq	whether --json is valid JSON
		test	strace	check-syscalls: which system calls are made
		test	time	check-batch: how much memory a run took
		test	tcpdump	what is on the wire between nodes
		test	python3	sends what no tool sends: bulk data, forged packets
		test	valgrind	leaks and uninitialised reads
		test	musl-tools	make static: musl-gcc
		test	qemu-system-x86	check-kernels: boots amd64 kernels
		test	qemu-system-s390x	check-kernels: boots the s390x kernel; in Debian 12, qemu-system-misc
		test	gcc-s390x-linux-gnu	check-kernels: compiles for that one, which is big-endian
		test	busybox-static	check-kernels: the shell and the tools in there, and cpio here; containers
		test	xz-utils	check-kernels: modules are compressed
		test	golang-go	comparison with the Go loader
		test	golang-github-cilium-ebpf-dev	that Go loader
		test	golang-github-appc-cni-dev	libcni: the plugin is run as runtimes do
		test	containernetworking-plugins	bridge, ptp, host-local and static, with which it works together
		test	podman	starts containers with it
		bench	libbpf-dev	make bench: the loader that most programs use, to compare with
		bench	gnuplot-nox	make bench: the picture
		bench	valgrind	make bench: instructions of user space
		bench	musl-tools	make bench: static processes
		bench	llvm-19	make bench: llvm-strip
		bench	golang-go	make bench: cilium/ebpf
		bench	golang-github-cilium-ebpf-dev	make bench: cilium/ebpf
	END
}

# The packages of a group, one a line.
wanted() {
	local group package
	table | while IFS=$'\t' read -r group package _; do
		if [ "$group" = "$1" ] || [ "$group" = build ] || [ "$1$group" = alltest ]; then
			echo "$package"
		fi
	done
}

# Those of the named packages that are not installed for this architecture, not as part of another package either.
missing() {
	local have
	have=$(dpkg-query -W -f='${db:Status-Status} ${Architecture} ${Package} ${Provides}\n' |
		awk -v native="$(dpkg --print-architecture)" '$1 == "installed" && ($2 == native || $2 == "all") {
			gsub(/ *\([^)]*\)|,/, "")
			for (i = 3; i <= NF; i++)
				print $i
		}')
	printf '%s\n' "$@" | grep -vxF "$have" || true
}

install() {
	if [ "$(id -u)" != 0 ]; then
		echo "deps: as root, run: apt-get update && apt-get install --no-install-recommends $*" >&2
		exit 1
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get --quiet update || echo "deps: some package lists could not be refreshed" >&2
	apt-get --quiet --yes --no-install-recommends install "$@"
}

main() {
	local packages
	if [ $# != 1 ] || [[ ! $1 =~ ^(build|bench|all)$ ]]; then
		echo "usage: deps.sh build|bench|all" >&2
		exit 2
	fi
	if ! command -v dpkg-query >/dev/null; then
		echo "deps: not a Debian system; install the equivalents of: $(wanted "$1" | paste -sd ' ')" >&2
		exit 1
	fi
	mapfile -t packages < <(wanted "$1")
	mapfile -t packages < <(missing "${packages[@]}")
	[ ${#packages[@]} = 0 ] || install "${packages[@]}"
}

main "$@"
