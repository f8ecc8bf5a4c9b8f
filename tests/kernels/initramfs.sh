#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# initramfs.sh OUT ROOT BPFSTAMP UNIT FOLDER…: make OUT, a cpio.gz of what the
# virtual machine has beside its kernel's modules:
#
#   /init, /guest.sh        what it does
#   /bpfstamp, /unit        what is tested, both static
#   /bin/busybox            static; it is init's shell, and its other tools
#   /opt/{ip,tc,sh}         the unit tests' second opinion and its shell, with
#                           libraries: busybox's shell knows no tc, and only its own ip
#   /FOLDER                 objects, each folder under its own name
#
# Busybox, ip, tc and dash come from ROOT: of this machine, or of packages of
# another architecture.  Which libraries they need is read from their dynamic
# sections, as ldd cannot run foreign programs.  The C library's loader finds
# them in /lib on every architecture.
set -eu

find_in_root() {	# NAME…: the first that ROOT has
	local name path
	for name in "$@"; do
		# A pattern.
		# shellcheck disable=SC2086
		for path in "$root"/{,usr/}$name; do
			[ ! -e "$path" ] || { echo "$path"; return; }
		done
	done
	echo "initramfs: no $* in $root" >&2
	return 1
}

take_libraries() {	# PROGRAM
	local name path
	for name in $(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		[ ! -e "$new/lib/$name" ] || continue
		path=$(find_in_root "lib/*-linux-gnu*/$name" "lib64/$name" "lib/$name")
		cp -L "$path" "$new/lib/$name"
		take_libraries "$path"
	done
}

take_program() {	# NAME PATH…
	local path loader
	path=$(find_in_root "${@:2}")
	cp -L "$path" "$new/opt/$1"
	take_libraries "$path"
	loader=$(readelf -lW "$path" | sed -n 's/.*program interpreter: \/\(.*\)\]/\1/p')
	mkdir -p "$new/$(dirname "$loader")"
	cp -L "$(find_in_root "$loader")" "$new/$loader"
}

[ $# -ge 4 ] || { echo "usage: initramfs.sh OUT ROOT BPFSTAMP UNIT FOLDER…" >&2; exit 2; }
out=$1 root=${2%/}
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
chmod 755 "$new"
mkdir -p "$new"/{bin,lib,opt}
cp -L "$(find_in_root bin/busybox)" "$new/bin/busybox"
take_program ip bin/ip sbin/ip
take_program tc sbin/tc bin/tc
take_program sh bin/dash
cp "$3" "$new/bpfstamp"
cp "$4" "$new/unit"
cp "$(dirname "$0")"/{init,guest.sh} "$new/"
cp -r "${@:5}" "$new/"
(cd "$new" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$out"
