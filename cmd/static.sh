#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# static.sh OUT [OBJ…]: build OUT/bpfstamp, OUT/bpfstamp-cni and OUT/install without
# a dynamic section, and try them: the first on each BPF object OBJ, and on what is
# attached on this machine, the second by asking which versions it speaks.
#
# With musl-gcc (MUSL_GCC; set it empty for CC and its own C library), because
# that is a third of the size with glibc.  musl-gcc searches nothing below
# /usr/include, so the few headers that are not the C library's are handed to it
# in a folder of links.  The libraries are the system's libmnl.a, libjansson.a and
# libz.a, built for glibc; cmd/musl_compat.c gives musl what they lack.  They lose
# their unwind tables, which no C program reads.
#
# Debian 12 has no libmnl.a.  There, Debian 13's libmnl-dev is fetched once and
# unpacked below OUT (cmd/debian.sh), and not installed.  Whatever fails leaves
# no program in OUT and says why in one line.
set -eu

SUITE=trixie
. "$(dirname "$0")/debian.sh"

fail() {
	echo "static: $*" >&2
	exit 1
}

# Debian's libmnl-dev in $OUT/deb.
fetch() {
	local why
	[ ! -d "$OUT/deb" ] || return 0
	why=$(debian_usable) || fail "no libmnl.a, and none can be fetched: $why"
	if ! {
		debian_open "$OUT/apt" "$(dpkg --print-architecture)" "$SUITE" &&
		debian_unpack "$OUT/apt" "$OUT/apt/root" libmnl-dev
	} >"$OUT/apt.log" 2>&1; then
		rm -rf "$OUT/apt"
		fail "no libmnl.a, and no source of apt gives libmnl-dev of $SUITE: see $OUT/apt.log"
	fi
	mv "$OUT/apt/root" "$OUT/deb"
	rm -rf "$OUT/apt" "$OUT/apt.log"
}

# Where the compiler finds the library lib$1.a; nothing where it does not.
library() {
	local path
	path=$("$CC" -print-file-name="lib$1.a")
	[ "$path" = "lib$1.a" ] || echo "$path"
}

# Put lib$1.a, from the file $2, into $OUT without its unwind tables.
take_library() {
	"${OBJCOPY:-objcopy}" -R .eh_frame -R .rela.eh_frame "$2" "$OUT/lib$1.a"
}

take_libraries() {
	local jansson mnl z
	jansson=$(library jansson)
	[ "$jansson" ] || fail "no libjansson.a: install libjansson-dev (make deps)"
	z=$(library z)
	[ "$z" ] || fail "no libz.a: install zlib1g-dev (make deps)"
	mnl=$(library mnl)
	if [ ! "$mnl" ]; then
		fetch
		mnl=$(echo "$OUT"/deb/usr/lib/*/libmnl.a)
	fi
	take_library jansson "$jansson"
	take_library mnl "$mnl"
	take_library z "$z"
}

# Links in $OUT/include to the headers that are not the C library's.
link_headers() {
	local header path
	rm -rf "$OUT/include"
	mkdir "$OUT/include"
	for header in linux/bpf.h asm/types.h asm-generic/types.h libmnl/libmnl.h jansson.h jansson_config.h \
			zlib.h zconf.h; do
		path=$(echo "#include <$header>" | "$CC" -isystem "$OUT/deb/usr/include" -M -x c - 2>/dev/null |
			grep -o "/[^ ]*/$header" | head -n 1)
		[ "$path" ] || fail "no header <$header> (make deps)"
		ln -s "${path%"$header"}${header%%/*}" "$OUT/include/${header%%/*}"
	done
}

# noseparate-code, norelro, common-page-size: no padding to whole pages in the file.  Without jump tables, and
# without registers saved around calls or tail calls, the code of each program is some kilobytes smaller.
build() {	# PROGRAM SOURCE|ARCHIVE…: $OUT/PROGRAM.new
	local size=(-Oz -fno-jump-tables -fno-caller-saves -fno-optimize-sibling-calls
		-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
		"-Wl,--gc-sections,--build-id=none,-z,noseparate-code,-z,norelro,-z,common-page-size=64")
	[ "$STATIC_CC" = "$CC" ] || size+=(-flto -flto-partition=one)
	"$STATIC_CC" -std=gnu11 -fvisibility=hidden -iquote . -idirafter "$OUT/include" "${size[@]}" \
		-static -fno-pie -s -o "$OUT/$1.new" "${@:2}" || fail "$STATIC_CC cannot build $1: see above"
}

is_static() {	# PROGRAM
	local segments
	segments=$(readelf -lW "$1") || fail "cannot read the program headers of $1"
	! grep -qwE 'INTERP|DYNAMIC' <<<"$segments" || fail "$1 is not static"
}

# That each part that came from elsewhere works with this C library.
try_bpfstamp() {	# PROGRAM [OBJ…]
	local object
	"$1" --version | grep -q '^bpfstamp ' || fail "$1 does not run"
	for object in "${@:2}"; do
		"$1" inspect --json "$object" | grep -q '"programs"' || fail "$1 cannot inspect $object"
	done
	"$1" show --json | grep -q '"attachments"' || fail "$1 cannot ask the kernel what is attached"
}

try_bpfstamp_cni() {	# PROGRAM
	(echo '{"cniVersion": "1.0.0"}' | CNI_COMMAND=VERSION "$1") | grep -q '"supportedVersions"' ||
		fail "$1 does not tell its versions"
}

libc_name() {
	if echo '#include <stdio.h>' | "$STATIC_CC" -E -dM -x c - | grep -q '__GLIBC__'; then
		echo glibc
	else
		echo musl
	fi
}

main() {
	local program library archives
	[ $# -ge 1 ] || { echo "usage: static.sh OUT [OBJ…]" >&2; exit 2; }
	mkdir -p "$1"
	OUT=$(cd "$1" && pwd)
	rm -f "$OUT"/{bpfstamp,bpfstamp-cni,install}
	trap 'rm -f "$OUT"/*.new' EXIT
	CC=${CC:-cc}
	STATIC_CC=${MUSL_GCC-musl-gcc}
	command -v "$CC" >/dev/null || fail "no compiler $CC (make deps)"
	command -v "$STATIC_CC" >/dev/null || STATIC_CC=$CC
	take_libraries
	shift
	(
		cd "$(dirname "$0")/.."
		link_headers
		library=({elf,bpfinsn,netlink,loader,hook,vpc}/*.c) archives=("$OUT"/lib{mnl,jansson,z}.a)
		build bpfstamp cmd/*.c "${library[@]}" "${archives[@]}" &
		build bpfstamp-cni cni/*.c cmd/musl_compat.c "${library[@]}" "${archives[@]}"
		wait $!
		build install deploy/install.c
	)
	for program in bpfstamp bpfstamp-cni install; do
		is_static "$OUT/$program.new"
	done
	try_bpfstamp "$OUT/bpfstamp.new" "$@"
	try_bpfstamp_cni "$OUT/bpfstamp-cni.new"
	for program in bpfstamp bpfstamp-cni install; do
		mv "$OUT/$program.new" "$OUT/$program"
		echo "$OUT/$program: $((($(stat -c %s "$OUT/$program") + 1023) / 1024)) KiB, static, $(libc_name)"
	done
}

main "$@"
