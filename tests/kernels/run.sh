#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh OUT [KERNEL…]: boot Debian's kernels in qemu, run the tests of guest.sh in each,
# and print a table of how many passed/failed/were skipped.
#
#   fetch.sh       the kernel, and what another architecture needs to be built for
#   make           static programs, and BPF objects in the machine's byte order
#   initramfs.sh   puts these together, once for each architecture
#   boot.sh        the console goes to OUT/KERNEL.console
#
# Every test in there has to say how it ended, and the last line has to be the
# one that init prints at its end.  There is one kernel more at a time than there
# are processors, because each waits for pings now and then.
#
# What cannot be had (qemu, a mirror, a cross compiler) makes a SKIP line of a
# kernel, and with CI set a failure, as in tests/lib.sh; so does a test that was
# skipped inside.  OUT keeps what was fetched; delete it to fetch again.
#
# The environment: BUILD, CLANG and REALOBJ as the unit tests have them, their
# SUITES, and of these FORKING_SUITES and KERNEL_SUITES, which ask the kernel.
# Where the byte order is this machine's the others would find nothing new.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../cmd/debian.sh"

# NAME ARCHITECTURE RELEASES METAPACKAGE, of the wanted ones; s390x has the most to do, and is first.  Of
# several releases the first that can be fetched is taken: a mirror may have just one of them whole.
table() {
	local line
	while read -r line; do
		[ ! "$wanted" ] || grep -qxF -- "${line%%	*}" <<<"$wanted" && echo "$line"
	done <<-END
		s390x	s390x	trixie|sid	linux-image-s390x
		5.10	amd64	bullseye-security	linux-image-cloud-amd64
		6.1	amd64	bookworm-security	linux-image-cloud-amd64
		6.12	amd64	bookworm-security	linux-image-6.12-cloud-amd64
		sid	amd64	sid	linux-image-cloud-amd64
	END
}
TESTS="unit verdicts objects"

# With s390x comes what its programs are linked with, and what else is in the initramfs.
packages() {	# ARCHITECTURE
	[ "$1" != s390x ] || echo libc6-dev linux-libc-dev check libsubunit-dev libmnl-dev libjansson-dev zlib1g-dev \
		busybox-static dash iproute2 libbpf1 libelf1t64 libmnl0 libcap2 libxtables12 libselinux1 \
		libpcre2-8-0 libc6 zlib1g libzstd1
}

# A mirror that fails for a moment is asked again.
fetch() {	# NAME ARCHITECTURE RELEASES METAPACKAGE
	local release pause
	for pause in 0 10 30; do
		sleep $pause
		for release in ${3//|/ }; do
			# The packages are one word each.
			# shellcheck disable=SC2046
			"$here/fetch.sh" "$OUT/$1" "$2" "$release" "$4" $(packages "$2") && return
		done
	done
	return 1
}

LIMIT=1800	# seconds that a virtual machine gets; with two processors for all of them one needs a third of that

# Whether this machine can run kernels of ARCHITECTURE; says why not.
usable() {	# ARCHITECTURE
	local program programs="busybox xz qemu-system-x86_64"
	[ "$1" = amd64 ] || programs="busybox xz qemu-system-s390x s390x-linux-gnu-gcc"
	debian_usable || return
	for program in $programs; do
		command -v "$program" >/dev/null || { echo "there is no $program (make deps)"; return 1; }
	done
	if [ "$1" = amd64 ] && [ "$(dpkg --print-architecture)" != amd64 ]; then
		echo "it is not this machine's architecture"
		return 1
	fi
}

# NAME VERSION MCPU WHAT…: the oldest kernel that loads the objects of each BPF source, from which -mcpu on it must
# be that new, and what else it must have, JIT or options of its configuration.  The source says so in a line such as
# "needs: Linux 5.12 from v3 on (why), a JIT, CONFIG_BPF_LSM (why)", or "refused: why" where no kernel loads it.
list_objects() {
	local source needs others
	for source in "$here"/../../{bpf,tests/objects}/*.bpf.c; do
		needs=$(sed -nE -e 's,^/\* needs: Linux ([0-9.]+)( from v([0-9]) on)?.*,\1 \3,p' \
			-e 's,^/\* refused: .*,999,p' "$source")
		others=$(sed -nE '/^\/\* needs: /!d; s/\([^)]*\)//g; s/a JIT/JIT/; p' "$source" |
			grep -oE 'JIT|CONFIG_[A-Z_]+')
		# Words.
		# shellcheck disable=SC2086
		set -- ${needs:-0}
		# shellcheck disable=SC2086
		echo "$(basename "$source" .bpf.c) $1 ${2:-1}" $others
	done
}

# Make $OUT/ARCHITECTURE.cpio.gz.
build() {	# ARCHITECTURE
	local dir=$OUT/$1 root=$OUT/s390x/root build=$OUT/s390x/build
	mkdir -p "$dir"
	list_objects >"$dir/objects.list"
	echo "$FORKING_SUITES" >"$dir/suites.forking"
	echo "$KERNEL_SUITES" >"$dir/suites.others"
	if [ "$1" = amd64 ]; then
		$MAKE -s "$BUILD/static/unit" test-objects &&
		"$here/initramfs.sh" "$dir.cpio.gz" / "$BUILD"/static/{bpfstamp,unit} "$dir"/{objects.list,suites.*} \
			"$BUILD/tests/objects" "$REALOBJ"
		return
	fi
	# llvm-objdump is not there to compare with.
	tr ' ' '\n' <<<"$SUITES" | grep -vxF -e "${FORKING_SUITES// /$'\n'}" -e disasm >"$dir/suites.others"
	# The cross compiler has headers and a C library of its own, which are older than what the packages were
	# built for.
	$MAKE -s BUILD="$build" CFLAGS=-O1 OBJCOPY=s390x-linux-gnu-objcopy AR=s390x-linux-gnu-ar \
		CC="s390x-linux-gnu-gcc -isystem $root/usr/include -isystem $root/usr/include/s390x-linux-gnu" \
		LDFLAGS="-static -s --sysroot=$root -B$root/usr/lib/s390x-linux-gnu -L$root/usr/lib/s390x-linux-gnu" \
		BPF_TARGET=bpfeb UAPI="$root/usr/include/s390x-linux-gnu" \
		"$build"/{bpfstamp,unit} test-objects &&
	"$here/initramfs.sh" "$dir.cpio.gz" "$root" "$build"/{bpfstamp,unit} "$dir"/{objects.list,suites.*} \
		"$build/tests/objects" "$REALOBJ"
}

# Leaves $OUT/NAME.console, or $OUT/NAME.skip, which says why there is none.
run() {		# NAME ARCHITECTURE RELEASES METAPACKAGE
	local dir=$OUT/$1
	if ! usable "$2" >"$dir.skip"; then
		return
	elif ! fetch "$@"; then
		echo "it cannot be fetched: see $dir.log" >"$dir.skip"
	elif [ ! -e "$OUT/$2.cpio.gz" ] && { [ "$2" = amd64 ] || ! build "$2" >"$OUT/$2.log" 2>&1; }; then
		echo "its programs cannot be built: see $OUT/$2.log" >"$dir.skip"
	else
		"$here/boot.sh" "$2" $LIMIT "$dir/vmlinuz" "$dir/modules.cpio.gz" "$OUT/$2.cpio.gz" >"$dir.console"
		rm -f "$dir.skip"
	fi
}

# How TEST ended, as three numbers; nothing where it did not.
result() {	# NAME TEST
	sed -n "s/^guest: $2: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped\$/\1 \2 \3/p" "$OUT/$1.console"
}

passed=0 failed=0 skipped=0

skip() {	# NAME WHY
	echo "SKIP kernel $1: $2"
	skipped=$((skipped + 1))
	[ -z "${CI:-}" ] || failed=$((failed + 1))
}

# One line of the table, and what was left out.
judge() {	# NAME ARCHITECTURE
	local t p f s row
	if [ -e "$OUT/$1.skip" ]; then
		skip "$1" "$(cat "$OUT/$1.skip")"
		return
	fi
	row=$(printf '%-36s' "$(cat "$OUT/$1/release") ($2)")
	for t in $TESTS; do
		read -r p f s <<<"$(result "$1" "$t")"
		[ "${s:-}" ] || p=0 f=1 s=0
		row+=$(printf '%16s' "$p/$f/$s")
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
		[ -z "${CI:-}" ] || failed=$((failed + s))
	done
	grep -q '^guest: end' "$OUT/$1.console" || failed=$((failed + 1))
	grep -aE "^(SKIP|NOTE)" "$OUT/$1.console" | sed "s/^/$1: /"
	rows+=$row$'\n'
}

# What went wrong, where anything did.
tell() {	# NAME
	local t console=$OUT/$1.console
	[ ! -e "$OUT/$1.skip" ] || return
	grep -aE "^FAIL|^[^ ]+:[0-9]+:[EF]:|^guest: cannot" "$console" | sed "s/^/$1: /"
	for t in $TESTS; do
		[ "$(result "$1" "$t")" ] || echo "FAIL $1: $t did not come to its end: see $console"
	done
	if ! grep -q '^guest: end' "$console"; then
		tail -n 3 "$console" | sed "s/^/$1: /"
		echo "FAIL $1: it did not come to its end: see $console"
	fi
}

finish() {
	echo "kernels: $passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

main() {
	local name arch rest rows=""
	[ $# -ge 1 ] || { echo "usage: run.sh OUT [KERNEL…]" >&2; exit 2; }
	mkdir -p "$1"
	OUT=$(cd "$1" && pwd)
	wanted=$(printf '%s\n' "${@:2}")
	rm -f "$OUT"/*.{skip,console,cpio.gz}
	[ "$CLANG" ] || { skip "of any kind" "no clang compiles the programs"; finish; }
	! usable amd64 >/dev/null || build amd64 >"$OUT/amd64.log" 2>&1
	while read -r name arch rest; do
		# shellcheck disable=SC2086
		run "$name" "$arch" $rest </dev/null &
		[ "$(jobs -rp | wc -l)" -le "$(nproc)" ] || wait -n
	done < <(table)
	wait
	while read -r name arch rest; do
		judge "$name" "$arch"
	done < <(table)
	printf '%-36s' "kernel: passed/failed/skipped"
	# shellcheck disable=SC2086
	printf '%16s' $TESTS
	printf '\n%s' "$rows"
	while read -r name arch rest; do
		tell "$name"
	done < <(table)
	finish
}

main "$@"
