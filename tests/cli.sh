#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the command line says: every bad input is refused with one line on
# stderr, exit 1, and no trace; wrong usage exits 2; --help, --json, --dry-run
# and the output file of patch are as the manual page has them.
set -u
here=$(dirname "$(realpath "$0")")
. "$(dirname "$0")/lib.sh"
start cli "$@"

mkdir -p "$tmp/work" && cd "$tmp/work" || exit 1
cp "$OBJECTS"/{ping_drop_{global,const,stamp,symbol},folded,rejected}.v3.o .
stamp=ping_drop_stamp.v3.o const=ping_drop_const.v3.o

# Everything that a command could leave behind.
state() {
	find . -type f -printf '%p %m ' -exec cksum {} \;
	[ "$isolated" != yes ] || traffic_control
}

run() {		# COMMAND…: sets $status, $stdout, $stderr
	stdout=$("$BPFSTAMP" "$@" 2>"$tmp/stderr")
	status=$?
	stderr=$(cat "$tmp/stderr")
}

# One line, or with log=yes one behind the verifier's.
one_line() {	# NAME PATTERN STATUS
	is "$1: status" "$3" "$status"
	is "$1: stdout" "" "$stdout"
	if [ "${log:-}" = yes ]; then
		is "$1: messages" 1 "$(grep -c '^bpfstamp' <<<"$stderr")"
		stderr=$(tail -n 1 <<<"$stderr")
	else
		is "$1: lines" 1 "$(wc -l <"$tmp/stderr")"
	fi
	has "$1: text" "$2" "$stderr"
}

bad() {		# NAME PATTERN COMMAND…
	local name=$1 pattern=$2 before
	shift 2
	before=$(state)
	run "$@"
	one_line "$name" "^bpfstamp: .*($pattern)" 1
	is "$name: leaves nothing" "$before" "$(state)"
}

misused() {	# NAME PATTERN COMMAND…
	local name=$1 pattern=$2
	shift 2
	run "$@"
	one_line "$name" "^bpfstamp.*: .*($pattern).*--help" 2
}

# ------------------------------------------------------------------- objects

poke() {	# FILE OFFSET OCTAL: a copy of the stamp object with one byte changed
	cp $stamp "$1"
	printf "\\$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

test_objects() {
	: >empty.o
	echo "int main(void) { return 0; } /* long enough to be an ELF header */ /* padding */" >text.o
	poke class.o 4 1
	poke order.o 5 3
	poke type.o 16 2
	poke machine.o 18 76
	local command args
	for command in inspect "patch --output out.o" disasm "attach --dev lo"; do
		read -ra args <<<"${command#* }"
		[ "${args[0]}" != "$command" ] || args=()
		command=${command%% *}
		bad "$command: empty file" 'empty.o' "$command" empty.o "${args[@]}"
		bad "$command: not an ELF" 'text.o.*ELF' "$command" text.o "${args[@]}"
		bad "$command: a folder" 'not a regular file' "$command" . "${args[@]}"
		bad "$command: missing file" 'No such file' "$command" nosuch.o "${args[@]}"
		bad "$command: 32-bit" 'class.o.*64-bit' "$command" class.o "${args[@]}"
		bad "$command: byte order" 'order.o' "$command" order.o "${args[@]}"
		bad "$command: executable" 'type.o' "$command" type.o "${args[@]}"
		bad "$command: x86" 'machine.o' "$command" machine.o "${args[@]}"
	done
}

plain() {	# NAME PATTERN COMMAND…: where names hold control characters, each is printed as '?'
	local name=$1 pattern=$2
	shift 2
	run "$@"
	has "control characters: $name" "$pattern" "$stdout$stderr"
	is "control characters: $name: none" "" "$(LC_ALL=C tr -d '\n\t -~' <<<"$stdout$stderr" | od -An -c)"
}

test_control() {
	LC_ALL=C sed 's/limit/l\x1b\xc2\x9bt/g' rejected.v3.o >control.o
	plain inspect '^global l[?][?]t: ' inspect control.o
	plain "inspect --inline" '^global l[?][?]t: ' inspect control.o --inline
	plain disasm '<l[?][?]t>$' disasm control.o
	plain patch '^  l[?][?]t: 0x7 -> 0x3 at ' patch control.o --output out.o --set $'l\e\u009bt=3'
	plain "patch --inline" '^  l[?][?]t: inlined at 1 site$' patch control.o --output out.o --inline --dry-run
	[ "$isolated" = yes ] || return
	LC_ALL=C sed 's/return data/r\x1b\xc2\x9brn\tdata/g' rejected.v3.o >control.o
	plain "the verifier's log" "^; r[?][?]rn"$'\t'"data" load control.o --type sched_cls --pin /sys/fs/bpf/x \
		--dry-run
	rm control.o out.o
}

# A sample of lengths; every byte is the unit tests' affair.
test_truncated() {
	local size length wrong=""
	size=$(stat -c %s $stamp)
	for ((length = 0; length < size; length += 1 + size / 300)); do
		head -c $length $stamp >short.o
		run inspect short.o
		[ "$status" = 1 ] && [ -z "$stdout" ] && [ "$(wc -l <"$tmp/stderr")" = 1 ] &&
			[ "${stderr#bpfstamp: }" != "$stderr" ] || wrong+=" $length"
	done
	is "truncated at these lengths" "" "$wrong"
	rm short.o
}

# -------------------------------------------------------------------- values

bad_value() {	# VALUE PATTERN
	bad "target_addr=$1" "target_addr.*($2)" patch $stamp --output out.o --set "target_addr=$1"
}

test_values() {
	bad_value abc 'abc.* not a value'
	bad_value "" 'not a value'
	bad_value 0x 'not a value'
	bad_value 1.5 'not a value'
	bad_value "12 " 'not a value'
	bad_value 10.0.0.256 'not a value'
	bad_value 10.0.0.2.3 'not a value'
	bad_value 0x100000000 '4294967295'
	bad_value 99999999999999999999999 'does not fit'
	bad_value -1 '-1 does not fit'
	bad_value be64:5 'be64'
	bad_value be16:65536 'be16'
	bad_value hex:00 '1 byte.*4'
	bad_value hex:0g000000 'hex'
	bad_value ::1 '16 bytes.*4'
	bad_value 02:00:00:00:00:01 '6 bytes.*4'
	bad "two values for one name" 'target_addr is given two values' \
		patch $stamp --output out.o --set target_addr=1 --set target_addr=2
	bad "unknown name" "target_adr'.*did you mean 'target_addr'" patch $stamp --output out.o --set target_adr=1
	bad "unknown name, far from any" "nothing called 'zzz'" patch $stamp --output out.o --set zzz=1
	bad "ambiguous name" 'twin.* ambiguous.*\.data:twin.*\.bpfstamp:twin' disasm folded.v3.o --set twin=3
	bad "folded variable" 'folded.*volatile' patch folded.v3.o --output out.o --set folded=3
	bad "placeholder without site" 'no instruction has the constant 0x7E57AB1E' \
		patch $const --output out.o --replace 0x7E57AB1E=1
	bad "placeholder that is none" 'nonsense' patch $const --output out.o --replace nonsense=1
	bad "--expect of another number" '2 sites, but 3 are expected' \
		patch $const --output out.o --replace 0xFEDCBA98=1 --expect 3
	bad "value that an encoding cannot hold" '0xFEDCBA98.*0x100000000 does not fit' \
		patch $const --output out.o --replace 0xFEDCBA98=0x100000000
	bad "unset symbol" 'symbol target_addr has no value' attach ping_drop_symbol.v3.o --dev lo
	bad "unknown program" "filter_ou'.*did you mean 'filter_out'" disasm $stamp --prog filter_ou
	bad "which program" 'more than one program.*filter_out.*filter_in' attach folded.v3.o --dev lo
	run disasm folded.v3.o --set .data:twin=3 --set .bpfstamp:twin=4
	is "section:name" 0 "$status"
}

# -------------------------------------------------------------------- output

test_output() {
	local before mode

	bad "OUT in no folder" 'cannot write nosuch/out.o: No such file' patch $stamp --output nosuch/out.o
	bad "OUT is a folder" 'cannot write \.: Is a directory' patch $stamp --output .
	bad "OUT with a long name" 'cannot write 0000' patch $stamp --output "$(printf '%05000d' 1)"
	bad "OUT is full" 'cannot write /dev/full: No space' patch $stamp --output /dev/full
	if [ "$isolated" = yes ]; then
		mkdir readonly small
		mount -t tmpfs -o ro none readonly && mount -t tmpfs -o size=4k none small
		bad "OUT is read-only" 'cannot write readonly/out.o: Read-only' patch $stamp --output readonly/out.o
		bad "OUT on a full disk" 'cannot write small/out.o: No space' patch $stamp --output small/out.o
		umount readonly small
	fi
	"$BPFSTAMP" inspect $stamp >/dev/full 2>"$tmp/stderr"
	is "stdout is full: status" 1 $?
	has "stdout is full: text" '^bpfstamp: cannot write to standard output$' "$(cat "$tmp/stderr")"

	for mode in 022:644 027:640 077:600; do
		(umask ${mode%:*} && "$BPFSTAMP" patch $stamp --output out.o >/dev/null)
		is "umask ${mode%:*}" ${mode#*:} "$(stat -c %a out.o)"
	done
	ok "nothing set: the same bytes" cmp $stamp out.o
	"$BPFSTAMP" patch $stamp --output out.o --set target_addr=10.0.0.2 >/dev/null
	is "set: the same size" "$(stat -c %s $stamp)" "$(stat -c %s out.o)"
	is "set: four bytes differ" 4 "$(cmp -l $stamp out.o | wc -l)"
	cp $stamp self.o
	ok "OUT is OBJ" "$BPFSTAMP" patch self.o --output self.o --set target_addr=10.0.0.2
	ok "OUT is OBJ: same result" cmp out.o self.o
	cp $stamp self.o
	ln -s self.o link.o
	ok "OUT is a link" "$BPFSTAMP" patch $stamp --output link.o --set target_addr=10.0.0.2
	is "OUT is a link: it stays" self.o "$(readlink link.o)"
	ok "OUT is a link: what it points to" cmp out.o self.o
	"$BPFSTAMP" patch $stamp --output /dev/stdout --set target_addr=10.0.0.2 |
		head -c "$(stat -c %s out.o)" >pipe.o
	ok "OUT is a pipe" cmp out.o pipe.o
	is "nothing else was written" "" "$(find . -mindepth 1 -name '*.o.*' ! -name '*.v3.o')"
}

# --------------------------------------------------------------------- usage

test_usage() {
	local command

	run
	is "no command" 2 "$status"
	misused "unknown command" "unknown command 'inject'" inject
	misused "unknown command, near one" "unknown command 'atach' \(did you mean attach\?\)" atach
	for command in inspect patch attach verify disasm; do
		misused "$command without OBJ" 'object file is missing|--[a-z]+ .* is missing' $command
	done
	misused "patch without OUT" '--output OUT is missing' patch $stamp
	misused "attach --repin without DIR" '--repin wants --pin' attach $stamp --dev lo --repin
	misused "attach without DEV" '--dev DEV is missing' attach $stamp
	for command in detach "set vni=1" "verify $stamp"; do
		misused "$command without DEV" '--dev DEV is missing' $command
	done
	misused "show with OBJ" 'one word too many' show $stamp
	misused "two objects" 'one word too many' inspect $stamp $stamp
	misused "unknown option" 'unknown or ambiguous option' show --nosuch
	misused "unknown letter" 'unknown or ambiguous option' show -x
	misused "option of another command" 'unknown or ambiguous option' patch $stamp --output out.o --prio 1
	misused "option without argument" 'wants an argument' show --dev
	misused "--dev ''" 'does not take' show --dev ''
	misused "--netns ''" 'does not take' show --netns ''
	misused "--set without =" 'does not take' disasm $stamp --set target_addr
	misused "--set without name" 'does not take' disasm $stamp --set =1
	misused "--replace without =" 'does not take' disasm $stamp --replace 0x1
	misused "--expect alone" 'does not take' disasm $stamp --expect 1
	misused "--expect behind --set" 'does not take' disasm $stamp --set target_addr=1 --expect 1
	misused "--expect of no number" 'does not take' disasm $const --replace 0xFEDCBA98=1 --expect many
	for value in 0 65536 -1 x 1x '' ' 1' 99999999999999999999; do
		misused "--prio '$value'" 'does not take' detach --dev lo --prio "$value"
	done
	for value in 0 4294967296 -1 x; do
		misused "--handle $value" 'does not take' detach --dev lo --handle "$value"
	done
	misused "--direction" 'does not take' detach --dev lo --direction up
	misused "--protocol" 'does not take' detach --dev lo --protocol nosuch
	misused "unknown option, near one" "'--derv' \(did you mean --dev\?\)" show --derv lo
	misused "unknown letter among others" "unknown or ambiguous option '-x'" show -jx
	misused "argument where there is none" '--json takes no argument' show --json=yes
	misused "hook, near one" "--hook does not take 'tcxx' \(did you mean 'tcx'\?\)" detach --dev lo --hook tcxx
	misused "hook, far from any" "--hook does not take 'nosuch'; see" detach --dev lo --hook nosuch
	misused "direction, near one" "'egres' \(did you mean 'egress'\?\)" detach --dev lo --direction egres
	misused "type, near one" "'shed_cls' \(did you mean 'sched_cls'\?\)" load $stamp --pin x --type shed_cls
	for value in 0 4294967296 x; do
		misused "--id $value" 'does not take' detach --dev lo --id "$value"
		misused "--block $value" 'does not take' detach --block "$value"
	done
	misused "--chain" 'does not take' detach --dev lo --chain 0x10000000
	misused "--xdp-mode" "did you mean 'native'" detach --dev lo --hook xdp --xdp-mode nativ
	misused "set without values" 'NAME=VALUE is missing' set --dev lo
	misused "set, no value" "'vni' is no NAME=VALUE" set --dev lo vni
}

test_pods_usage() {
	local mac="--mac 02:00:00:00:00:01" value
	for value in 0 16777216 -1 0x5 5x '' vlan: vlan:0 vlan:4095 vlan-ad:0 vlan-ad:4095 vlan:5x VLAN:5 vlan:-1 \
			4294967297 vlan:00000000000000000001; do
		misused "pods --network '$value'" \
			"--network does not take '$value', but a VNI from 1 to 16777215, or .*4094" \
			pods --network "$value"
	done
	for value in '' 10.0.0 10.0.0.256 host 10.0.0.1/24 :: 0.0.0.0 224.0.0.1 255.255.255.255 ff02::1 fe80::1%lo; do
		misused "pods --add '$value'" "--add does not take '$value', but the IPv4 or IPv6 address" \
			pods --network 5 --dev lo $mac --add "$value"
		misused "pods --node '$value'" "--node does not take '$value'" pods --node "$value"
	done
	for value in '' 02:00:00:00:00 02:00:00:00:00:1 2:0:0:0:0:1 02:00:00:00:00:01:02 02-00-00-00-00-01 \
			02:00:00:00:00:0g 00:00:00:00:00:00 01:00:5e:00:00:01 ff:ff:ff:ff:ff:ff +2:00:00:00:00:01; do
		misused "pods --mac '$value'" "--mac does not take '.*', but the MAC address of one interface" \
			pods --mac "$value"
	done
	misused "pods --add, any network" '--add wants --network' pods --add 10.0.0.1 --dev lo $mac
	misused "pods --remove, any network" '--remove wants --network' pods --remove 10.0.0.1
	misused "pods --add without MAC" '--add wants --mac or --node' pods --network 5 --add 10.0.0.1 --dev lo
	misused "pods --add, no place" 'a pod of a VNI has a --dev on this node, or a --node' \
		pods --network 5 --add 10.0.0.1 $mac
	misused "pods --add, two places" '--dev and --node exclude each other' \
		pods --network 5 --add 10.0.0.1 --dev lo --node 10.0.0.2
	misused "pods --add, a node of a VLAN" '--node does not go with it' \
		pods --network vlan-ad:5 --add 10.0.0.1 --node 10.0.0.2
	misused "pods --add and --remove" 'exclude each other' pods --network 5 --add 10.0.0.1 --remove 10.0.0.1
	for value in "--node 10.0.0.1" "$mac" --force; do
		misused "pods ${value% *} alone" 'wants --add' pods $value
		misused "pods --remove ${value% *}" 'wants --add' pods --network 5 --remove 10.0.0.1 $value
	done
	misused "pods --dry-run alone" '--dry-run wants --add or --remove' pods --dry-run
	misused "pods, option near one" "'--netwrok' \(did you mean --network\?\)" pods --netwrok 5
	misused "pods, command near it" 'did you mean pods' pod
	misused "pods with OBJ" 'one word too many' pods $stamp
	misused "show --stats --all-netns" 'exclude each other' show --stats --all-netns
	misused "show --stats --block" 'exclude each other' show --stats --block 1
	misused "--stats elsewhere" 'unknown or ambiguous option' detach --dev lo --stats
}

# Where there are no maps of the VPC programs.
test_no_pods() {
	bad "pods, no maps" "there is no vpc_pods in $tmp/work: attach a VPC program first" \
		pods --pin-path "$tmp/work"
	bad "pods --add, no maps" "there is no vpc_pods in" pods --pin-path "$tmp/work" --network vlan:4094 \
		--add fd00::1 --mac 02:00:00:00:00:01
	bad "pods, no such namespace" "there is no network namespace 'nosuch'" pods --netns nosuch
	bad "show --stats, no maps" "there is no vpc_pods in $tmp/work" show --stats --pin-path "$tmp/work"
	: >vpc_pods
	bad "pods, no pin" "$tmp/work/vpc_pods is no pin: it is not in a bpffs" pods --pin-path "$tmp/work"
	rm -f vpc_pods
}

# Options that exclude each other, or say nothing about the hook that is chosen.
test_together() {
	local pair hook option
	for pair in "dev lo:block 1" "hook tcx:tcx" "prio 1:append" "handle 1:append" "if-absent:append" \
		"first:last" "first:before x" "before x:after x" "skip-sw:skip-hw"; do
		misused "--${pair/:/ and --}" 'exclude each other' attach $stamp --dev lo --${pair%:*} --${pair#*:}
	done
	for pair in "batch -:dev lo" "batch -:block 1" "batch -:pin x" "batch -:link-pin x" "batch -:skip-sw"; do
		misused "--${pair/:/ and --}" 'exclude each other' attach $stamp --${pair%:*} --${pair#*:}
	done
	bad "--pin goes with --link-pin" 'cannot pin in x/maps' attach $stamp --dev nosuch --hook tcx --pin x --link-pin y
	bad "--pin goes with --skip-sw" 'no such device' attach $stamp --dev nosuch --pin x --skip-sw
	misused "--batch, XDP in hardware" '--batch does not go with --xdp-mode offload: hardware runs programs' \
		attach $stamp --batch - --hook xdp --xdp-mode offload
	for option in "jobs 2" keep-going; do
		misused "--$option without --batch" "--${option% *} wants --batch" attach $stamp --dev lo --$option
	done
	for option in 0 65 x; do
		misused "--jobs $option" "--jobs does not take '$option'" attach $stamp --batch - --jobs $option
	done
	misused "--batch ''" "--batch does not take ''" attach $stamp --batch ''
	misused "--batch elsewhere" 'unknown or ambiguous option' detach --batch -
	misused "--netns and --all-netns" '--netns and --all-netns exclude each other' show --netns x --all-netns
	misused "--defunct and --dev" 'exclude each other' detach --defunct --dev lo
	misused "--defunct and --prio" 'does not go with --defunct' detach --defunct --prio 1
	misused "--clsact and --block" 'exclude each other' detach --clsact --block 1
	for hook in tcx netkit xdp auto; do
		for option in protocol=ip chain=1 block=1; do
			misused "--$option with $hook" "--${option%=*} does not go with hook $hook" \
				detach --hook $hook --$option
		done
		misused "--skip-sw with $hook" "does not go with hook $hook" attach $stamp --dev lo --hook $hook \
			--skip-sw
	done
	for hook in tcx netkit xdp; do
		for option in prio=1 handle=1 clsact; do
			misused "--$option with $hook" "does not go with hook $hook" detach --dev lo --hook $hook \
				--$option
		done
	done
	for option in first last before=x after=x; do
		for hook in clsact xdp; do
			misused "--$option with $hook" "does not go with hook $hook" attach $stamp --dev lo \
				--hook $hook --$option
		done
	done
	misused "--link-pin with clsact" 'does not go with hook clsact' attach $stamp --dev lo \
		--link-pin /sys/fs/bpf/x
	misused "--append with xdp" 'does not go with hook xdp' attach $stamp --dev lo --hook xdp --append
	misused "--xdp-mode with tcx" 'does not go with hook tcx' attach $stamp --dev lo --tcx --xdp-mode any
	for pair in xdp:egress netkit:egress netkit:ingress clsact:peer tcx:primary auto:peer; do
		misused "--direction ${pair#*:} with ${pair%:*}" \
			"--direction ${pair#*:} does not go with hook ${pair%:*}" \
			detach --dev lo --hook "${pair%:*}" --direction "${pair#*:}"
	done
}

help_lists() {	# COMMAND OPTION…
	local command=$1
	shift
	run "$command" --help
	is "$command --help: status" 0 "$status"
	is "$command --help: stderr" "" "$stderr"
	in_manual "$command" "$@"
	is "$command --help: options" "$(printf -- '--%s\n' "$@" json verbose help | sort)" \
		"$(grep '^  ' <<<"$stdout" | grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- '--.*' | sort)"
	run "$command" -h
	is "$command -h" 0 "$status"
}

# Values from a file, what an object has no use for, and what --inline says.
test_file() {
	local globals=$OBJECTS/globals.v3.o

	"$BPFSTAMP" inspect "$globals" --json >manifest.json
	ok "a manifest is read back" "$BPFSTAMP" patch "$globals" --set-file manifest.json --output same.o
	ok "a manifest changes nothing" cmp "$globals" same.o
	echo '{"target_addr": "10.0.0.9"}' >values.json
	ok "--set-file" "$BPFSTAMP" patch $stamp --set-file values.json --output file.o
	"$BPFSTAMP" patch $stamp --set target_addr=10.0.0.9 --output set.o >/dev/null
	ok "--set-file does what --set does" cmp file.o set.o
	echo '{"target_addr": "10.0.0.9", "no_such": 1}' >unknown.json
	bad "file with an unknown name" "nothing called 'no_such' can be stamped" \
		patch $stamp --output out.o --set-file unknown.json
	ok "--allow-unused passes it over" "$BPFSTAMP" patch $stamp --allow-unused --set-file unknown.json \
		--output file.o
	ok "--allow-unused sets the rest" cmp file.o set.o
	ok "--allow-unused of a folded variable" "$BPFSTAMP" patch folded.v3.o --allow-unused \
		--set target_addr=10.0.0.9 --output out.o
	echo '{' >broken.json
	bad "file that is no JSON" 'cannot read broken.json: line' patch $stamp --output out.o --set-file broken.json
	echo '[1]' >list.json
	bad "file that is no object" 'expected a JSON object' patch $stamp --output out.o --set-file list.json
	echo '{"target_addr": 1.5}' >real.json
	bad "file with a fraction" 'target_addr: expected a string, an integer or a boolean' \
		patch $stamp --output out.o --set-file real.json
	bad "file that is not there" 'cannot read nosuch.json' patch $stamp --output out.o --set-file nosuch.json
	run patch "$OBJECTS/ping_drop_global.v3.o" --inline --dry-run --output out.o --set target_addr=1
	has "--inline --dry-run says what it did" 'target_addr: inlined at 2 sites' "$stdout"
	bad "unknown member" "no member .adr; did you mean 'addr'" patch "$globals" --output out.o --set g_peer.adr=1
	run inspect "$OBJECTS/ping_drop_global.v3.o" --inline
	has "inspect --inline: no map is left" '^map .data: .*, not used$' "$stdout"
	rm -f ./*.json same.o file.o set.o out.o
}

# What the kernel's types decide is no constant of the program.
test_core() {
	local object=$OBJECTS/core_config.v3.o
	run inspect "$object" --inline
	has "CO-RE: relocations are counted" '^program relocated: .*, [45] CO-RE relocations$' "$stdout"
	has "CO-RE: a relocated variable is kept" 'kept: its place is relocated by CO-RE, at instruction' "$stdout"
	has "CO-RE: another variable is inlined" '^map .rodata.plain: .*, not used$' "$stdout"
	run patch "$object" --output out.o --replace 0xBEE4=0xCAFD --expect 1 --json
	is "CO-RE: an offset is no placeholder" 0 "$status"
	run disasm out.o
	has "CO-RE: the offset is as it was" '= 48868 +<CO-RE: offset of struct far.field>' "$stdout"
	has "CO-RE: the placeholder is replaced" '51965' "$stdout"
	json "CO-RE: JSON" "core_relocs externs" inspect "$object"
	rm -f out.o
}

# The manual page has every option that a command lists.
in_manual() {	# COMMAND OPTION…
	local command=$1 option
	for option in "${@:2}"; do
		if grep -qE -- "^[.]It Fl (. , )?-$option( |\$)" "$here/../man/bpfstamp.8"; then
			pass "manual: $command --$option"
		else
			fail "manual: $command --$option" "is not in man/bpfstamp.8"
		fi
	done
}

in_cni_manual() {	# WHAT PATTERN
	if grep -qE -- "$2" "$here/../man/bpfstamp-cni.8"; then
		pass "manual of the plugin: $1"
	else
		fail "manual of the plugin: $1" "is not in man/bpfstamp-cni.8"
	fi
}

# It has each key and word that the plugin takes, each value that can be put in, and each code of an error.
test_cni_manual() {
	local word keys words values codes cni=$here/../cni
	keys=$(sed -n '/const char \*const [a-z]*\[\] = {/,/NULL/p' "$cni"/config*.c |
		grep -oE '"[A-Za-z]+"' | tr -d '"')
	words=$(grep -oE '\{ "[a-z]+", BPFSTAMP_' "$cni/config_attach.c" | grep -oE '[a-z]+')
	values=$(grep -E '^ \*	\$\{' "$cni/values.h" | grep -oE '\$\{[^}]+\}')
	codes=$(sed -n '/^enum cni_code/,/^}/p' "$cni/cni.h" |
		awk '/^\tCNI_/ { n = $2 == "=" ? $3 + 0 : n + 1; print n }')
	for word in $keys; do
		in_cni_manual "key $word" "^[.](It )?Cm ([A-Za-z]+ , )*$word( |\$)"
	done
	for word in $words; do
		in_cni_manual "$word" "^[.]Li (.* , )?$word( |\$)"
	done
	for word in $values; do
		in_cni_manual "$word" "^[.]It Li (.* , )?$(sed 's/[${}.]/[&]/g' <<<"$word")( |\$)"
	done
	for word in $codes; do
		in_cni_manual "code $word" "^[.]It $word\$"
	done
	has "manual of the plugin: how much was looked for" '^[1-9][0-9]( [1-9][0-9]){3}$' \
		"$(wc -w <<<"$keys") $(wc -w <<<"$words") $(wc -w <<<"$values") $(wc -w <<<"$codes")"
}

test_help() {
	help_lists inspect inline
	help_lists patch set set-file allow-unused inline replace expect allow-derived output dry-run
	local values="set set-file allow-unused inline replace expect allow-derived"
	local place="dev block hook tcx direction prog prio handle protocol chain link-pin xdp-mode"
	place+=" pin-path force netns"
	help_lists attach $values $place if-absent append skip-sw skip-hw first last before after pin repin \
		batch jobs keep-going no-reuse no-record debug-info no-debug-info btf dry-run
	help_lists load set set-file allow-unused inline replace expect allow-derived prog pin repin pin-path type \
		debug-info no-debug-info btf dry-run
	help_lists detach $place id clsact defunct dry-run
	help_lists show dev block netns all-netns pin-path stats
	help_lists pods network add remove mac node dev netns pin-path force dry-run
	help_lists set $place id object btf allow-derived no-record debug-info no-debug-info dry-run
	help_lists verify $values $place debug-info no-debug-info btf
	help_lists disasm set set-file allow-unused inline replace expect allow-derived prog
	run --help
	is "--help: status" 0 "$status"
	for command in inspect patch attach detach show set verify load disasm pods; do
		has "--help: $command" "^  $command " "$stdout"
	done
	run --version
	is "--version: status" 0 "$status"
	has "--version: text" '^bpfstamp [0-9]+\.[0-9]+\.[0-9]+$' "$stdout"
}

# ---------------------------------------------------------------------- JSON

json() {	# NAME "FIELD…" COMMAND…: one valid object that has these fields
	local name=$1 fields=$2 field
	shift 2
	run "$@" --json
	is "$name: status" 0 "$status"
	is "$name: stderr" "" "$stderr"
	ok "$name: valid JSON" valid_json <<<"$stdout"
	is "$name: an object" '{' "${stdout:0:1}"
	for field in $fields; do
		has "$name: $field" "\"$field\": " "$stdout"
	done
}

test_json() {
	local sites="sites name program insn file line old new"

	json "inspect" "object programs maps injectables kind section type size bits signed default sites" \
		inspect $stamp
	json "patch" "object output size dry_run $sites" patch $stamp --output out.o --set target_addr=1
	json "patch, symbol" "$sites" patch ping_drop_symbol.v3.o --output out.o --set target_addr=1
	has "patch, symbol: had no value" '"old": null' "$stdout"
	json "patch, global" "$sites" patch ping_drop_global.v3.o --output out.o --set target_addr=10.0.0.2
	has "patch, global: new" '"new": "0x200000a"' "$stdout"
	json "patch, placeholder" "$sites" patch $const --output out.o --replace 0xFEDCBA98=10.0.0.2
	is "patch, placeholder: two sites" 2 "$(grep -c '"insn"' <<<"$stdout")"
	has "patch, placeholder: file" '"file": "[^"]*ping_drop_const.bpf.c"' "$stdout"
	has "patch, placeholder: line" '"line": [1-9]' "$stdout"
	json "disasm" "object programs insns insn text changed before $sites" disasm $const --replace 0xFEDCBA98=1
	cp $stamp 'quote".o'
	json 'a name with a quote' object inspect 'quote".o'
	cp $stamp $'latin\xe9.o'
	json 'a name that is no UTF-8' object inspect $'latin\xe9.o'
	rm 'quote".o' $'latin\xe9.o'
}

# -------------------------------------------------------------------- kernel

# The rest needs a network; the kernel's objects of $uniq are counted.
test_kernel() {
	local before

	unique "$stamp"
	mv "$tmp/$uniq.o" .
	bad "no such device" "no such device 'nosuch'" attach $uniq.o --dev nosuch
	bad "device with a long name" 'no such device' attach $uniq.o --dev thisnameismuchtoolong
	bad "detach, no such device" "no such device 'nosuch'" detach --dev nosuch
	bad "show, no such device" "no such device 'nosuch'" show --dev nosuch
	bad "no such namespace" "there is no network namespace 'nosuch'" show --netns nosuch
	bad "no such process" 'network namespace 999999999: there is no such process' show --netns 999999999
	bad "a namespace that is none" 'folded.v3.o is no network namespace' show --netns ./folded.v3.o
	bad "device in another namespace" "no such device 'va'" attach $uniq.o --dev va --netns peer
	bad "nothing to detach, no clsact" 'no filter at prio 1 handle 0x1' detach --dev va
	LC_ALL=C sed -i "s/filter_out/$uniq/g" rejected.v3.o
	log=yes bad "rejected by the verifier" \
		"refuses.*R1 offset is outside.*at instruction 4 of $uniq .*rejected\.bpf\.c:1[0-9]\)\$" \
		attach rejected.v3.o --dev va
	has "rejected: log" 'invalid access to packet' "$(cat "$tmp/stderr")"
	log=yes bad "rejected, --verbose" 'refuses' attach rejected.v3.o --dev va --verbose

	tc qdisc add dev va ingress
	bad "ingress where clsact is wanted" "'?ingress'? .*clsact|ingress.*in its place" attach $uniq.o --dev va
	bad "ingress, --dry-run" 'qdisc ingress where clsact is wanted' attach $uniq.o --dev va --dry-run
	bad "ingress, detach" 'qdisc ingress where clsact is wanted' detach --dev va
	bad "another type, --dry-run" "program redirect is of type xdp by its section xdp, but sched_cls is wanted" \
		attach "$OBJECTS/xdp_redirect.v3.o" --prog redirect --dev va --dry-run
	tc qdisc del dev va ingress
	tc qdisc add dev va clsact
	tc filter add dev va egress prio 5 u32 match u32 0 0 classid 1:1
	bad "prio of another kind" 'prio 5 .*u32' attach $uniq.o --dev va --prio 5
	bad "prio of another kind, --dry-run" 'prio 5 .*u32' attach $uniq.o --dev va --prio 5 --dry-run
	"$BPFSTAMP" attach $uniq.o --dev va --prio 6 --protocol ip >/dev/null
	bad "prio of another protocol" 'prio 6 .*0x0800' attach $uniq.o --dev va --prio 6 --handle 2
	bad "detach, another protocol" 'no filter' detach --dev va --prio 6
	"$BPFSTAMP" detach --dev va --prio 6 --protocol ip >/dev/null
	bad "nothing to detach" 'no filter at prio 1 handle 0x1' detach --dev va
	tc qdisc del dev va clsact
	! have bpftool || is "nothing is left in the kernel" 0 "$(kernel_objects 0)"
}

unchanged() {	# NAME PATTERN COMMAND…: succeeds, says what it would do, and does nothing
	local name=$1 pattern=$2 before
	shift 2
	before=$(state; kernel_objects)
	run "$@" --dry-run
	is "$name: status" 0 "$status"
	has "$name: text" "$pattern" "$stdout"
	run "$@" --dry-run --json
	ok "$name: valid JSON" valid_json <<<"$stdout"
	has "$name: dry_run" '"dry_run": true' "$stdout"
	is "$name: changes nothing" "$before" "$(state; kernel_objects)"
}

test_dry_run() {
	rm -f out.o
	unchanged "patch --dry-run" 'would write out.o' patch $stamp --output out.o --set target_addr=1
	unchanged "attach --dry-run" 'would create a clsact qdisc, and create a filter' \
		attach $uniq.o --dev va --set target_addr=1
	has "attach --dry-run: sites" '"insn": ' "$stdout"
	json "attach" "object program dev ifindex direction prio handle id tag sites insn old new dry_run" \
		attach $uniq.o --dev va --set target_addr=1
	unchanged "attach --dry-run, again" 'would use the clsact qdisc that is there, and replace the filter' \
		attach $uniq.o --dev va --set target_addr=1
	unchanged "detach --dry-run" 'would detach' detach --dev va
	json "show" "netns attachments hook dev ifindex direction prio handle protocol chain kind ours name id tag" \
		show
	json "detach" "dry_run dev ifindex direction prio handle id tag" detach --dev va
	json "show, nothing" "netns attachments" show
	json "show --all-netns" "namespaces netns attachments" show --all-netns
}

for t in objects control truncated values output file core usage together pods_usage help cni_manual json; do
	test_$t
done
if [ "$isolated" = yes ] && network; then
	test_kernel
	test_dry_run
	test_no_pods
else
	skip "attach, detach, show" "needs root and namespaces"
fi
finish
