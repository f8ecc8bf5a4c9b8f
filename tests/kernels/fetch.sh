#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# fetch.sh OUT ARCHITECTURE RELEASE METAPACKAGE [PACKAGE…]: leave in OUT
#
#   vmlinuz          the kernel that METAPACKAGE of RELEASE stands for now
#   modules.cpio.gz  of its modules, those in the list below, in /modules, not
#                    compressed and numbered in the order they are to be loaded;
#                    and its configuration, where an installed kernel has it
#   release          what `uname -r` will say
#   root/            the other packages, unpacked
#
# Versions come and go in a mirror, so the packages behind the metapackage are
# looked up.  What names them and where they keep the kernel has changed: up to
# 6.12 all is in linux-image-VERSION, with the kernel in /boot; later there are
# linux-base-VERSION, linux-binary-VERSION and linux-modules-VERSION, with all of
# it below /usr/lib/modules.  An OUT that is there is left alone, whatever a mirror has
# got since; it appears only when it is complete, and else OUT.log tells why
# not.  Release files may be as old
# as they like: these kernels are to be tested, not to be lived with.
set -eu
. "$(dirname "$0")/../../cmd/debian.sh"

# Those that depend on others come after them.  What a kernel has built in is not there as a file.
MODULES="udp_tunnel ip6_udp_tunnel llc stp garp mrp veth vxlan 8021q dummy
	sch_ingress cls_bpf cls_u32 cls_matchall act_gact act_mirred act_bpf"

take_kernel() {		# ROOT RELEASE
	local path
	for path in "$1/boot/vmlinuz-$2" "$1/usr/lib/modules/$2/vmlinuz"; do
		[ ! -e "$path" ] || { mv "$path" "$new/vmlinuz"; return; }
	done
	echo "there is no kernel in $1"
	return 1
}

take_modules() {	# FOLDER RELEASE
	local module path n=10
	mkdir -p "$new/m/modules"
	for path in "boot/config-$2" "usr/lib/modules/$2/config"; do
		[ ! -e "$new/kernel/$path" ] || install -D -m 644 "$new/kernel/$path" "$new/m/$path"
	done
	for module in $MODULES; do
		path=$(find "$1" -name "$module.ko" -o -name "$module.ko.xz")
		case $path in
		*.ko.xz) xz -dc "$path" >"$new/m/modules/$n-$module.ko" ;;
		*.ko) mv "$path" "$new/m/modules/$n-$module.ko" ;;
		esac
		n=$((n + 1))
	done
	chmod 755 "$new/m"
	(cd "$new/m" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$new/modules.cpio.gz"
	rm -r "$new/m"
}

fetch() {	# ARCHITECTURE RELEASE METAPACKAGE [PACKAGE…]
	local packages folder release
	debian_usable
	debian_open "$new/apt" "$1" "$2" check-valid-until=no
	packages=$(debian_depends "$new/apt" "$3" 'linux-(image|base|binary|modules)-[0-9].*[0-9]-.*')
	# One word each.
	# shellcheck disable=SC2086
	debian_unpack "$new/apt" "$new/kernel" $packages
	folder=$(find "$new/kernel" -type d -path '*/lib/modules/*/kernel' -prune)
	release=$(basename "$(dirname "$folder")")
	take_kernel "$new/kernel" "$release"
	take_modules "$folder" "$release"
	rm -r "$new/kernel"
	[ $# = 3 ] || debian_unpack "$new/apt" "$new/root" "${@:4}"
	rm -r "$new/apt"
	echo "$release" >"$new/release"
}

[ $# -ge 4 ] || { echo "usage: fetch.sh OUT ARCHITECTURE RELEASE METAPACKAGE [PACKAGE…]" >&2; exit 2; }
[ ! -d "$1" ] || exit 0
mkdir -p "$1.new"
new=$(cd "$1.new" && pwd)
trap 'rm -rf "$new"' EXIT
exec >"$1.log" 2>&1
fetch "${@:2}"
mv "$new" "$1"
rm "$1.log"
