#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What libbpf loads, bpfstamp loads, and the kernel then has the same.
#
# Each object is loaded and pinned by bpftool, which is libbpf, and by `bpfstamp
# load`.  Two views of either are compared as text:
#
#   the kernel's   bpftool on the pins: types, names, tags, sizes, the translated
#                  instructions with their bytes, functions and lines, what maps
#                  hold, and the types (BTF) that were loaded
#   the caller's   the attributes of BPF_PROG_LOAD and BPF_MAP_CREATE, which
#                  tests/record/record.c writes down: what bpftool does not show,
#                  such as the expected attach type
#
# Numbers that the kernel hands out become names: maps, programs, BTF; kernel
# addresses become ADDRESS; BTF of a map that names no type of it is no BTF.
# Three things may differ: data maps are mmapable only with libbpf, which also
# makes those that no program uses, and binds .rodata to programs that do not use
# it.
#
# Where one of them refuses an object, the table `refusals` must have a row for
# it, with what libbpf says, bpfstamp, or both.  Whatever is not there fails.
#
# The objects are those of the tests for each -mcpu (of the same bytes only one);
# the same sources by clang-14 and bpf-gcc where these are installed; and for
# big-endian machines: those must look the same to inspect, and take a value, but
# not be loaded.  There is a worker for each processor, with a bpffs of its own
# that ends with it.
set -u
shopt -s nullglob extglob
here=$(dirname "$0")
. "$here/lib.sh"
bpffs=/sys/fs/bpf

# OBJECT (a pattern) | what libbpf says | what bpfstamp says; nothing where it loads the object
refusals() {
	cat <<-'END'
		maps|legacy map definitions in 'maps' section are not supported|
		maps_legacy|legacy map definitions in 'maps' section are not supported|
		maps_of_maps|map 'hidden': unsupported map linkage static|
		maps_types|attr 'map_extra': expected PTR, got enum|
		subprogs|program 'beside' is static and not supported|
		symbols|failed to find BTF for extern|has no value
		ping_drop_symbol|failed to find BTF for extern|has no value
		core_access||Tracing programs must provide btf_id
		core_config|BPF program load failed|the kernel refuses program
		core_kinds|BPF program load failed|the kernel refuses program
		externs_percpu|find the address for kernel symbol|find the address for kernel symbol
		rejected*|BPF program load failed|the kernel refuses program
	END
}

# OBJECT | the libbpf that is the first to understand it
newer_libbpf() {
	cat <<-'END'
		types_6_7 1.4
		externs_flavor 1.3
		externs_kfunc 1.2
	END
}

# ---------------------------------------------------------------- loading

libbpf() {	# bpftool prog ARGUMENT…: anew, recorded
	unpin
	rm -f "$work/libbpf.calls"
	mkdir -p $bpffs/libbpf/maps
	RECORD=$work/libbpf.calls LD_PRELOAD=$RECORDER bpftool prog "$@" >"$work/libbpf.said" 2>&1
}

# Sections called egress have no type of their own; and bpftool can pin neither all maps where some
# have a place of their own, nor all programs where some are optional.
with_libbpf() {	# OBJECT
	local type=''
	pin_maps="pinmaps $bpffs/libbpf/maps"
	libbpf loadall "$1" $bpffs/libbpf $pin_maps && return
	if grep -qE "guess program type from ELF section '(egress|ingress|tc/[a-z]+)'" "$work/libbpf.said"; then
		type='type classifier'
	elif grep -q "map .* already has pin path" "$work/libbpf.said"; then
		pin_maps=''
	elif grep -q "can't pin program that wasn't loaded" "$work/libbpf.said"; then
		libbpf load "$1" $bpffs/libbpf/always $pin_maps
		return
	else
		return 1
	fi
	libbpf loadall "$1" $bpffs/libbpf $type $pin_maps
}

with_bpfstamp() {	# OBJECT
	rm -f "$work/bpfstamp.calls"
	RECORD=$work/bpfstamp.calls LD_PRELOAD=$RECORDER "$BPFSTAMP" load "$1" --pin $bpffs/bpfstamp \
		--pin-path $bpffs/by-name --type sched_cls >"$work/bpfstamp.said" 2>&1
}

# ---------------------------------------------------------------- describing

# Reads what `bpftool prog show` and `map show` print.  Writes it without numbers that change, and,
# for each, a line "KIND NAME ID TYPE" to the file ids.
show_without_ids='
function finish(	kind, name, id, btf) {
	if (entry == "")
		return
	id = entry + 0
	kind = entry ~ /  tag [0-9a-f]/ ? "prog" : "map"
	if (kind == "map" && seen[id]++)
		return
	name = match(entry, /  name [^ \t]+/) ? substr(entry, RSTART + 7, RLENGTH - 7) : "-"
	entry = entry " "
	sub(/^[0-9]+: /, "", entry)
	gsub(/loaded_at [^ ]+ +uid [0-9]+|map_ids [0-9,]+|pids .*/, "", entry)
	if (match(entry, /btf_id [0-9]+/)) {
		btf = substr(entry, RSTART + 7, RLENGTH - 7)
		if (!(btf in btfs)) {
			btfs[btf] = ++count
			print "btf", count, btf, "-" >ids
		}
		sub(/btf_id [0-9]+/, "btf " btfs[btf], entry)
	}
	gsub(/[ \t]+/, " ", entry)
	if (name ~ /[.]/) {
		if (!index(used, " " id " "))
			return
		sub(/ memlock [0-9]+B/, "", entry)
		sub(/ flags 0x400 /, " flags 0x0 ", entry)
		sub(/ flags 0x480 /, " flags 0x80 ", entry)
	}
	print kind, name, id, (kind == "map" ? substr(entry, 1, index(entry, " ") - 1) : "-") >ids
	print kind, entry
}
/^[0-9]+: / { finish(); entry = $0; next }
/^\t/ { entry = entry $0 }
END { finish() }'

# Reads ids; writes the sed script that puts names for them, also where bytes of maps show them.
# With code=1 the bytes of an instruction stand in the line below it.
names_for_ids='
function bytes(x) {
	return sprintf("%02x %02x %02x %02x", x % 256, int(x / 256) % 256, int(x / 65536) % 256, int(x / 16777216))
}
BEGIN {
	next_line = code ? "n;s/^( +18 .. 00 00) " : ""
	printf "/0xffff[0-9a-f]{12}/{s//ADDRESS/;%s}\n", code ? next_line ".*/\\1 ADDRESS/" : ""
}
$1 == "map" {
	printf "/map\\[id:%d\\]/{s//map[%s]/;%s}\n", $3, $2, code ? next_line ".. .. .. ../\\1 MAP/" : ""
}
$1 != "btf" {
	printf "s/value: %s *$/value: %s %s/\n", bytes($3), $1, $2
	printf "s/((inner_map_)?id|\"value\"): %d\\>/\\1: %s %s/\n", $3, $1, $2
}'

# The kernel takes no BTF of externs of .ksyms: either loader puts something in its place, with names
# of its own.
stand_ins="s/^\t'(arg|dummy_ksym)' /\t/
	/\] FUNC '/s/linkage=.*//
	s/ \(VAR '[^']*'\)//
	/\] VAR '/s/ '[^']*'//"

# Of hidden variables only newer libbpf say that they are static; without kprobes none sees that system
# calls have wrappers.
versions="/ VAR 'hidden_/s/linkage=.*//"
[ -e /sys/bus/event_source/devices/kprobe ] || versions+='
	s/"LINUX_HAS_SYSCALL_WRAPPER": [01]/"LINUX_HAS_SYSCALL_WRAPPER"/'

# All that the kernel tells of what LOADER pinned, and of the maps that its programs use.  The kernel
# empties a prog array that nobody has pinned or open.
describe() {	# LOADER
	local programs=() maps=($bpffs/$1/maps/*) pin kind name id type used

	for pin in $bpffs/"$1"/*; do
		[ "$pin" = $bpffs/"$1"/maps ] || programs+=("$pin")
	done
	# bpftool reads all of /proc/kallsyms for each dump.
	mount --bind "$tmp/kallsyms" /proc/kallsyms || return
	printf 'prog dump xlated pinned %s opcodes\n' "${programs[@]}" >"$work/batch"
	bpftool batch file "$work/batch" >"$work/code" 2>&1
	used=$(grep -o 'map\[id:[0-9]*' "$work/code" | sort -u | sed 's/.*://' | paste -sd ' ')
	{
		[ ${#maps[@]} = 0 ] || printf 'map show pinned %s\n' "${maps[@]}"
		printf 'prog show pinned %s\n' "${programs[@]}"
		[ -z "$used" ] || printf 'map show id %s\n' $used
	} >"$work/batch"
	: >"$work/ids"
	bpftool batch file "$work/batch" 2>&1 | awk -v ids="$work/ids" -v used=" $used " "$show_without_ids" | sort -u
	awk -v code=1 "$names_for_ids" "$work/ids" >"$work/sed"
	sed -E -f "$work/sed" "$work/code"
	awk "$names_for_ids" "$work/ids" >"$work/sed"
	sort "$work/ids" | while read -r kind name id type; do
		case $kind,$type in
		btf,*) echo "btf dump id $id" ;;
		prog,*) echo "prog dump xlated id $id linum" ;;
		map,prog_array) [ -z "$pin_maps" ] || echo "map dump id $id" ;;
		map,array | map,hash | map,*_of_maps) echo "map dump id $id" ;;
		esac
	done >"$work/batch"
	bpftool batch file "$work/batch" 2>&1 | sed -E -f "$work/sed" >"$work/dumps"
	umount /proc/kallsyms
	if grep -q "DATASEC '.ksyms'" "$work/dumps"; then
		sed -E -i "$stand_ins" "$work/dumps"
	fi
	sed -E "$versions" "$work/dumps"
	# Of calls that were tried again the last one counts; names tell them from those that only probe.
	awk 'NR == FNR { names[$1 " " $2] = 1; next } $1 " " $2 in names { last[$1 " " $2] = $0 }
		END { for (i in last) print last[i] }' "$work/ids" "$work/$1.calls" |
		sed -E '/^map [^ ]*\./{s/flags=0x400 /flags=0 /;s/flags=0x480 /flags=0x80 /}
			s/btf=yes (btf_key=0 btf_value=0 btf_vmlinux=0)/btf=no \1/' | sort
	echo "pinned: ${programs[*]##*/}"
	echo "pinned by name:" \
		$(find $bpffs $bpffs/by-name -maxdepth 1 -type f ! -name '*.debug' -printf '%f\n' 2>&- | sort)
}

unpin() {
	rm -rf $bpffs/libbpf $bpffs/bpfstamp $bpffs/by-name
	find $bpffs -maxdepth 1 -type f ! -name '*.debug' -delete
}

# ---------------------------------------------------------------- comparing

# Whether source $1 needs a newer kernel than this one.
too_new() {
	local needs
	needs=$(sed -n 's,^/\* needs: Linux \([0-9.]*\) .*,\1,p' "$here/objects/$1.bpf.c" 2>/dev/null)
	[ -n "$needs" ] && [ "$(printf '%s\n' "$needs" "$(uname -r)" | sort -V | head -1)" != "$needs" ]
}

# Whether source $1 needs a newer libbpf than bpftool's.
libbpf_too_old() {
	local needs has
	needs=$(newer_libbpf | sed -n "s/^$1 //p")
	has=$(bpftool version | sed -n 's/^using libbpf v//p')
	[ -n "$needs" ] && [ "$(printf '%s\n' "$needs" "${has:-0}" | sort -V | head -1)" != "$needs" ]
}

# One of the two did not load it, or neither: is that what the table says?
refused() {	# NAME SOURCE STATUS-OF-LIBBPF STATUS-OF-BPFSTAMP
	local object said libbpf_says='' bpfstamp_says=''
	while IFS='|' read -r object libbpf_says bpfstamp_says; do
		# shellcheck disable=SC2053
		[[ $2 != $object ]] || break
	done < <(refusals)
	grep -v '^Warning\|^If it used\|supported section(type)' "$work/libbpf.said" |
		head -c 1000 >"$work/libbpf.short"
	if [ "$3" != 0 ] && [ "$4" != 0 ] && too_new "$2"; then
		pass "$1: this kernel is too old for it"
	elif [ -z "$libbpf_says$bpfstamp_says" ]; then
		said="status of libbpf $3: $(cat "$work/libbpf.short")"
		fail "$1" "$said; of bpfstamp $4: $(cat "$work/bpfstamp.said")"
	else
		expect_refusal "$1: libbpf" "$3" "$libbpf_says" "$work/libbpf.said"
		expect_refusal "$1: bpfstamp" "$4" "$bpfstamp_says" "$work/bpfstamp.said"
	fi
}

expect_refusal() {	# NAME STATUS PATTERN FILE: nothing as PATTERN if it is to be loaded
	if [ -z "$3" ]; then
		is "$1 loads it" 0 "$2$([ "$2" = 0 ] || echo "; $(head -c 1000 "$4")")"
	elif [ "$2" = 0 ]; then
		fail "$1" "is expected to say '$3', but loads it"
	else
		has "$1 refuses it" "$3" "$(cat "$4")"
	fi
}

compare() {	# OBJECT
	local name=${1##*/} source libbpf=0 bpfstamp=0
	source=${name%%.*}

	with_libbpf "$1" || libbpf=$?
	with_bpfstamp "$1" || bpfstamp=$?
	if [[ $name == *.@(clang14|gcc).o && $libbpf != 0 ]]; then
		echo "PASSED-OVER $name: libbpf refuses it"
	elif libbpf_too_old "$source"; then
		expect_refusal "$name: bpfstamp" $bpfstamp "" "$work/bpfstamp.said"
	elif [ $libbpf != 0 ] || [ $bpfstamp != 0 ]; then
		refused "$name" "$source" $libbpf $bpfstamp
	else
		describe libbpf >"$work/libbpf"
		describe bpfstamp >"$work/bpfstamp"
		if ! grep -q '^prog .* tag ' "$work/libbpf" || ! grep -q '^ *0: (' "$work/libbpf"; then
			fail "$name" "bpftool shows no program: $(cat "$work/libbpf")"
		elif diff -U 2 --label libbpf --label bpfstamp "$work/libbpf" "$work/bpfstamp" >"$work/diff"; then
			pass "$name: the same"
		else
			fail "$name" "differs:"
			head -${DIFF_LINES:-40} "$work/diff"
		fi
	fi
	unpin
}

# ---------------------------------------------------------------- other compilers, other byte order

compile() {	# COMPILER… OUTPUT SOURCE
	"${@:1:$#-2}" -O2 -iquote "$here/../include" -iquote "$here/../bpf" \
		-isystem "/usr/include/$(uname -m)-linux-gnu" \
		-isystem /usr/include -c -o "${@:$#-1:1}" "${@:$#}" 2>"$work/compiler.said"
}

by_another() {	# SOURCE
	local name=${1##*/}
	name=${name%.bpf.c}
	if have clang-14; then
		if compile clang-14 -target bpf -g -mcpu=v3 "$work/$name.clang14.o" "$1"; then
			compare "$work/$name.clang14.o"
		else
			echo "PASSED-OVER $1: clang-14 cannot compile it"
		fi
	fi
	if have bpf-gcc; then
		if compile bpf-gcc -gbtf -mcpu=v3 "$work/$name.gcc.o" "$1"; then
			compare "$work/$name.gcc.o"
		else
			echo "PASSED-OVER $1: gcc cannot compile it"
		fi
	fi
}

# Without the bytes of aggregates, which .values has one by one.
seen_by_inspect() {	# OBJECT
	"$BPFSTAMP" inspect --json "$1" |
		jq -S 'del(.object, .byte_order, (.. | .file?), (.injectables[] | select(.bits == 0) | .default))'
}

# The first number that can be stamped becomes one whose bytes are not the same in both orders.
big_endian() {	# SOURCE
	local name=${1##*/} little big=$work/eb.o out value global bits
	name=${name%.bpf.c}
	little=$OBJECTS/$name.v3.o
	! grep -q '\.8byte' "$1" || return	# instructions as numbers
	if ! compile "$CLANG" -target bpfeb -g -mcpu=v3 "$big" "$1"; then
		fail "$name for big-endian" "$(cat "$work/compiler.said")"
		return
	fi
	is "$name for big-endian: looks the same" "$(seen_by_inspect "$little")" "$(seen_by_inspect "$big")"
	out=$("$BPFSTAMP" load "$big" --pin $bpffs/bpfstamp --type sched_cls 2>&1)
	is "$name for big-endian: status of load" 1 $?
	has "$name for big-endian: refused" 'the object is big-endian, this machine is not' "$out"
	is "$name for big-endian: nothing is pinned" "" "$(ls -d $bpffs/bpfstamp 2>/dev/null)"
	read -r global bits < <("$BPFSTAMP" inspect --json "$big" |
		jq -r '[.injectables | group_by(.name)[] | select(length == 1)[0] |
			select(.bits >= 8 and .sites != [] and .kind != "symbol")][0] |
			select(. != null) | "\(.name) \(.bits)"')
	[ -n "${global:-}" ] || return
	value=$((0x0123456789abcd & ((1 << (bits < 56 ? bits - 1 : 56)) - 1)))
	ok "$name for big-endian: patch" "$BPFSTAMP" patch "$big" -o "$work/patched.o" --set "$global=$value" ||
		return
	is "$name for big-endian: $global" "$value" "$("$BPFSTAMP" inspect --json "$work/patched.o" |
		jq --arg name "$global" -r '[.injectables[] | select(.name == $name)][0].default' |
		{ read -r got; echo $((got)); })"
}

# ---------------------------------------------------------------- the work

worker() {	# FILE…: objects are compared, sources compiled
	local file
	work=$(mktemp -d -p "$tmp") || exit 1
	mount -t bpf none $bpffs || exit 1
	passed=0 failed=0 skipped=0
	for file; do
		case $file in
		*.o) compare "$file" ;;
		*.c) by_another "$file"; big_endian "$file" ;;
		esac
	done >"$work/out"
	echo "COUNT $passed $failed $skipped" >>"$work/out"
	flock "$tmp" cat "$work/out"
}

if [ "${1:-}" = --worker ]; then
	shift
	worker "$@"
	exit
fi
start compat "$@"
if [ "$isolated" = no ]; then
	skip everything "only root may load programs, in a mount namespace of its own"
	finish
elif ! have bpftool || ! have jq; then
	skip everything "bpftool or jq is not installed"
	finish
fi
export tmp BPFSTAMP OBJECTS
grep -E ' (__bpf_call_base|bpf_[a-z0-9_]+|[a-z0-9_]*map_[a-z0-9_]+)$' /proc/kallsyms >"$tmp/kallsyms"
files=("$@")
if [ ${#files[@]} = 0 ]; then
	mapfile -t files < <(sha1sum "$OBJECTS"/*.o "$BPF"/*.o | awk '!seen[$1]++ { print $2 }')
	files+=("$here"/objects/*.bpf.c)
	for compiler in clang-14 bpf-gcc; do
		have $compiler || echo "compat: no $compiler here, so its objects are not compared"
	done
fi
printf '%s\0' "${files[@]}" | shuf -z --random-source=/dev/zero |
	xargs -0 -P "$(nproc)" -n 16 unshare -m bash "$0" --worker >"$tmp/out" ||
		fail workers "one ended with an error"
grep -v '^COUNT\|^PASSED-OVER' "$tmp/out"
over=$(grep -c '^PASSED-OVER' "$tmp/out")
[ "$over" = 0 ] || echo "compat: $over objects of other compilers passed over, not compiled, or refused by libbpf"
while read -r _ p f s; do
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done < <(grep '^COUNT' "$tmp/out")
[ "$passed" != 0 ] || fail compat "nothing was compared"
finish
