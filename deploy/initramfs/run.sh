#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh OUT KERNEL BPFSTAMP OBJECT: make OUT/initramfs.cpio.gz, boot it, and show
# what it says; fails unless the verdict is good.
#
# In it are init (of this folder), /bin/busybox, /bin/bpfstamp, which is static,
# OBJECT as /ping_drop.o, and the kernel's modules in /modules: two archives, one
# after the other, as the kernel takes them.  KERNEL is a folder with Debian's
# kernel and modules, fetched if it is not there (tests/kernels/fetch.sh).
#
# What this machine has not got makes a SKIP line; with MAY_SKIP set, and CI not,
# that is no failure.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../../tests/kernels

lacks() {
	echo "SKIP initramfs: $*"
	[ "${MAY_SKIP:-}" ] && [ -z "${CI:-}" ]
	exit
}

make_archive() {	# OUT BPFSTAMP OBJECT
	local new
	new=$(mktemp -d)
	chmod 755 "$new"
	mkdir "$new/bin"
	cp "$here/init" "$new/init"
	cp "$(command -v busybox)" "$new/bin/busybox"
	cp "$2" "$new/bin/bpfstamp"
	cp "$3" "$new/ping_drop.o"
	(cd "$new" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -9) >"$1"
	rm -r "$new"
}

[ $# = 4 ] || { echo "usage: run.sh OUT KERNEL BPFSTAMP OBJECT" >&2; exit 2; }
out=$1 kernel=$2
[ "$(uname -m)" = x86_64 ] || lacks "there is no recipe for $(uname -m)"
for program in busybox xz qemu-system-x86_64; do
	command -v $program >/dev/null || lacks "there is no $program (make deps)"
done
mkdir -p "$out" "$(dirname "$kernel")"
"$kernels/fetch.sh" "$kernel" amd64 bookworm-security linux-image-6.12-cloud-amd64 ||
	lacks "the kernel cannot be fetched: see $kernel.log"
make_archive "$out/own.cpio.gz" "$3" "$4"
cat "$kernel/modules.cpio.gz" "$out/own.cpio.gz" >"$out/initramfs.cpio.gz"
rm "$out/own.cpio.gz"
"$kernels/boot.sh" amd64 300 "$kernel/vmlinuz" "$out/initramfs.cpio.gz" | tee "$out/console"
grep -q '^verdict: good' "$out/console" || { echo "initramfs: the verdict is not good" >&2; exit 1; }
echo "initramfs: $out/initramfs.cpio.gz, $(($(stat -c %s "$out/initramfs.cpio.gz") / 1024)) KiB"
