#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# boot.sh ARCHITECTURE SECONDS KERNEL INITRAMFS…: boot a kernel in qemu and show
# its console.  Several initramfs overlay each other, in that order.
#
# Instructions are always interpreted by qemu (TCG): what /dev/kvm stands for in
# a virtual machine may not run these kernels.  Power-off and panic both exit
# with 0, so only what is on the console tells what happened.
set -eu

[ $# -ge 4 ] || { echo "usage: boot.sh ARCHITECTURE SECONDS KERNEL INITRAMFS…" >&2; exit 2; }
arch=$1 seconds=$2 kernel=$3
shift 3
initramfs=$(mktemp)
trap 'rm -f "$initramfs"' EXIT
cat "$@" >"$initramfs"

case $arch in
amd64)
	qemu=(qemu-system-x86_64 -M "q35,accel=tcg" -cpu max -m 512M -serial stdio -display none)
	append="console=ttyS0 mitigations=off"
	;;
s390x)
	# qemu 7.2 gets the checksum instruction for vectors wrong, with which new kernels check packets.
	qemu=(qemu-system-s390x -L /usr/share/qemu -M "s390-ccw-virtio,accel=tcg" -cpu "max,vx=off,vxeh=off" -m 1G
		-nographic -chardev "stdio,id=console,mux=off" -device "sclpconsole,chardev=console")
	append="console=ttysclp0"
	;;
*)
	echo "boot: no machine for $arch" >&2
	exit 2
	;;
esac
timeout "$seconds" "${qemu[@]}" -nodefaults -no-user-config -no-reboot \
	-kernel "$kernel" -initrd "$initramfs" -append "$append panic=-1 quiet" </dev/null 2>&1 | sed -u 's,\r$,,'
