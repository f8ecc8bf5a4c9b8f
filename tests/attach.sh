#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Living with what is attached: attach, show, set, verify and detach at every
# kind of hook, in this network namespace and in others, as text and as JSON.
# Pings tell what the program does, tc, ip and bpftool what is really there, and
# after each test no filter, link, pin, program or map may be left.
set -u
. "$(dirname "$0")/lib.sh"
start attach "$@"

bpffs=$tmp/bpf
hex2=0x200000a hex3=0x300000a		# 10.0.0.2 and 10.0.0.3 as numbers of the program
[ "$(printf '\1\0' | od -An -tu2 | tr -d ' ')" = 1 ] || { hex2=0xa000002 hex3=0xa000003; }

stamp() {	# COMMAND ARGUMENT…
	"$BPFSTAMP" "$@" --pin-path "$bpffs"
}

query() {	# NAME EXPECTED FILTER JSON
	is "$1" "$2" "$(jq -r "$3" <<<"$4" 2>&1)"
}

refused() {	# NAME PATTERN COMMAND…: exit status 1, one line, and nothing changed
	local name=$1 pattern=$2 before got
	shift 2
	before=$(traffic_control; pins; attached)
	got=$("$@" 2>&1 >/dev/null)
	is "$name: status" 1 $?
	is "$name: lines" 1 "$(wc -l <<<"$got")"
	has "$name: text" "^bpfstamp: $pattern\$" "$got"
	is "$name: nothing changed" "$before" "$(traffic_control; pins; attached)"
}

pins() {	# without the kernel's own files, and the index of programs, which stays
	find "$bpffs" -type f ! -name '*.debug' ! -path "$bpffs/bpfstamp/programs" | sort
}

attached() {	# what show says of both namespaces, without the time
	stamp show --all-netns --json | jq -c '[.namespaces[].attachments[] | [.hook, .dev, .direction, .id, .link]]'
}

cleared() {	# NAME
	is "$1: no pin is left" "" "$(pins)"
	is "$1: nothing is left in the kernel" 0 "$(kernel_objects 0)"
	tc qdisc del dev va clsact 2>/dev/null
	tc -n peer qdisc del dev vb clsact 2>/dev/null
}

# ------------------------------------------------------------------- a life

# All commands, one after the other, at one hook.  PLACE is "OPTION… --dev DEV".
life() {	# NAME WORDS PLACE…: WORDS begin the line of show
	local name=$1 words=$2 id first
	shift 2
	ok "$name: dry run" stamp attach "$o" "$@" --set target_addr=10.0.0.2 --dry-run || return
	has "$name: dry run says so" "^would attach $program to " "$out"
	is "$name: dry run attaches nothing" "" "$(stamp show "${at[@]}")"
	refused "$name: set, nothing is there" ".*(no |No ).*" stamp set "$@" enabled=0
	refused "$name: verify, nothing is there" "$program is not attached there" stamp verify "$o" "$@"

	ok "$name: attach" stamp attach "$o" "$@" --set target_addr=10.0.0.2 --json || return
	valid_json <<<"$out" || fail "$name: attach: JSON"
	query "$name: attach: attached" true .attached "$out"
	id=$(jq .id <<<"$out")
	objects=$(kernel_objects)
	pings "$name: attached" lost answered
	shows "$name: attached" "$words" "$id" $hex2 1

	ok "$name: if absent" stamp attach "$o" "$@" --set target_addr=10.0.0.3 --if-absent
	has "$name: if absent: says so" "^already attached: $program to .* id $id( |\$)" "$out"
	ok "$name: if absent, JSON" stamp attach "$o" "$@" --set target_addr=10.0.0.3 --if-absent --json
	query "$name: if absent: JSON" "false $id" '"\(.attached) \(.id)"' "$out"
	is "$name: if absent loads nothing" "$objects" "$(kernel_objects "$objects")"
	ok "$name: dry run over ours" stamp attach "$o" "$@" --set target_addr=10.0.0.3 --dry-run
	has "$name: dry run over ours: replaces" \
		"replace the (filter|link|program) that is there: $program id $id\$" "$out"
	ok "$name: dry run over ours, JSON" stamp attach "$o" "$@" --set target_addr=10.0.0.3 --dry-run --json
	query "$name: dry run over ours: JSON" "true false $id" '"\(.dry_run) \(.attached) \(.replaces.id)"' "$out"

	first=$id
	verifies "$name" "$@"
	changes "$name" "$words" "$id" "$@"

	id=$(stamp show "${at[@]}" --json | jq '.attachments[0].id')
	refused "$name: detach, another id" ".*" stamp detach "$@" --id "$first"
	refused "$name: detach, another program" ".*" stamp detach "$@" --prog nosuch
	pings "$name: still attached" answered lost
	ok "$name: detach, dry run" stamp detach "$@" --id "$id" --prog "$program" --dry-run
	has "$name: detach, dry run: says so" "^would detach $program from .* id $id( |\$)" "$out"
	ok "$name: detach" stamp detach "$@" --id "$id" --prog "$program" --json
	query "$name: detach: JSON" "true $id" '"\(.detached) \(.id)"' "$out"
	pings "$name: detached" answered answered
	is "$name: detached: nothing is shown" "" "$(stamp show "${at[@]}")"
	refused "$name: detach again" ".*" stamp detach "$@"
	cleared "$name"
}

# One attachment, with that program, address and value of enabled.
shows() {	# NAME WORDS ID ADDRESS ENABLED
	local got json
	got=$(stamp show "${at[@]}")
	is "$1: show: one attachment" 1 "$(grep -c '^v' <<<"$got")"
	has "$1: show" "^$2 .*$program id $3 tag [0-9a-f]{16}" "$got"
	has "$1: show: loaded" "^    loaded 20..-..-..T..:..:..[-+]..:.. from [^ ]*$uniq.*, maps [0-9 ]+\$" "$got"
	has "$1: show: the stamp" "^    target_addr = $4 \(u32, stamp, stamped\)\$" "$got"
	is "$1: show: only what was stamped" 0 "$(grep -c vni <<<"$got")"
	got=$(stamp show "${at[@]}" --verbose)
	has "$1: show --verbose: the constant" '^    vni = 0x7 \(__u32, \.rodata\)$' "$got"
	has "$1: show --verbose: the variable" "^    enabled = 0x$5 \\(__u32, \\.data" "$got"
	json=$(stamp show "${at[@]}" --json)
	query "$1: show --json: ours" "true $program $3" '.attachments[] | "\(.ours) \(.program) \(.id)"' "$json"
	query "$1: show --json: the stamp" "$4 true false" \
		'.attachments[0].values[] | select(.name == "target_addr") | "\(.value) \(.stamped) \(.writable)"' \
		"$json"
	query "$1: show --json: the variable" "0x$5 .data true" \
		'.attachments[0].values[] | select(.name == "enabled") | "\(.value) \(.section) \(.writable)"' "$json"
	is "$1: show --json: maps are bpftool's" "$(bpftool -j prog show id "$3" | jq -c '.map_ids | sort')" \
		"$(jq -c '.attachments[0].map_ids | sort' <<<"$json")"
	is "$1: show --json: loaded when bpftool says" "$(bpftool -j prog show id "$3" | jq .loaded_at)" \
		"$(date +%s -d "$(jq -r '.attachments[0].loaded_at' <<<"$json")")"
}

verifies() {	# NAME PLACE…
	local name=$1 got
	shift
	ok "$name: verify" stamp verify "$o" "$@" --set target_addr=10.0.0.2
	is "$name: verify: text" equal "$out"
	ok "$name: verify --json" stamp verify "$o" "$@" --set target_addr=10.0.0.2 --json
	query "$name: verify: JSON" 'true []' '"\(.equal) \(.differences)"' "$out"
	got=$(stamp verify "$o" "$@" --set target_addr=10.0.0.3 2>"$tmp/stderr")
	is "$name: verify, different: status" 1 $?
	has "$name: verify, different: text" "target_addr.*$hex2.*$hex3" "$got"
	is "$name: verify, different: no error" "" "$(cat "$tmp/stderr")"
	got=$(stamp verify "$o" "$@" --set target_addr=10.0.0.3 --json)
	is "$name: verify, different, JSON: status" 1 $?
	query "$name: verify, different: JSON" false .equal "$got"
	has "$name: verify, different: JSON, the value" target_addr "$(jq -r '.differences[]' <<<"$got")"
	is "$name: verify leaves nothing" "$objects" "$(kernel_objects "$objects")"
}

changes() {	# NAME WORDS ID PLACE…
	local name=$1 words=$2 id=$3 made value
	shift 3
	ok "$name: set in place, dry run" stamp set "$@" enabled=0 --dry-run
	has "$name: set in place, dry run" "^would change in place $program " "$out"
	ok "$name: set in place" stamp set "$@" enabled=0
	has "$name: set in place: text" "^changed in place $program at .* id $id( |\$)" "$out"
	has "$name: set in place: old and new" '^  enabled: 0x1 -> 0x0$' "$out"
	pings "$name: not enabled" answered answered
	shows "$name: not enabled" "$words" "$id" $hex2 0
	ok "$name: set in place, JSON" stamp set "$@" enabled=1 "ports=hex:05000600" --json
	query "$name: set in place: JSON" "true $id" '"\(.in_place) \(.id)"' "$out"
	query "$name: set in place: JSON, changes" 'enabled 0x0 0x1' '.changes[0] | "\(.name) \(.old) \(.new)"' "$out"
	pings "$name: enabled again" lost answered
	refused "$name: set what is no value" ".*enabled.*" stamp set "$@" ports[0]=9 enabled=x
	has "$name: set what is no value: taken back" 'ports\[0\] = 0x5 ' "$(stamp show "${at[@]}" --verbose)"
	refused "$name: set what is not there" ".*enable.*did you mean 'enabled'.*" stamp set "$@" enable=1
	for value in enabled=x enabled=99999999999 enabled.a=1 enable=1; do
		refused "$name: set $value, dry run" ".*enable.*" stamp set "$@" ports[0]=9 $value --dry-run
		refused "$name: set $value, dry run with the object" ".*enable.*" \
			stamp set "$@" ports[0]=9 $value --object "$o" --dry-run
	done
	refused "$name: set what is read-only" \
		"vni of $program stands in .rodata and cannot be changed in place; .*--object OBJ" \
		stamp set "$@" enabled=0 vni=8
	refused "$name: set what is stamped" \
		"target_addr of $program stands in instructions and cannot .*--object OBJ" \
		stamp set "$@" target_addr=1
	refused "$name: set two values" "enabled is given two values" stamp set "$@" enabled=1 enabled=0

	made=$(count)
	ok "$name: restamp, dry run" stamp set "$@" target_addr=10.0.0.3 --object "$o" --dry-run
	has "$name: restamp, dry run" "^would restamp and replace $program " "$out"
	is "$name: restamp, dry run: nothing changed" "$id" \
		"$(stamp show "${at[@]}" --json | jq '.attachments[0].id')"
	ok "$name: restamp" stamp set "$@" target_addr=10.0.0.3 vni=9 --object "$o"
	has "$name: restamp: text" "^restamped and replaced $program at .* id [0-9]+" "$out"
	has "$name: restamp: old and new" "^  target_addr: $hex2 -> $hex3\$" "$out"
	has "$name: restamp: the constant" "^  vni: 0x7 -> 0x9\$" "$out"
	pings "$name: restamped" answered lost
	has "$name: restamp: other values stay" 'ports\[0\] = 0x5 ' "$(stamp show "${at[@]}" --verbose)"
	is "$name: restamp: the map goes on counting" $((made + 1)) "$(count)"
	is "$name: restamp: one program" "$objects" "$(kernel_objects "$objects")"
	refused "$name: restamp with another object" ".*" stamp set "$@" target_addr=10.0.0.3 \
		--object "$OBJECTS/ping_drop_global.v3.o"
}

count() {	# what the map has counted
	local map
	for map in $(stamp show "${at[@]}" --json | jq '.attachments[0].map_ids[]'); do
		[ "$(bpftool -j map show id "$map" | jq -r .name)" != dropped ] ||
			bpftool -j map dump id "$map" | jq '.[0].formatted.value'
	done
}

object() {	# tc|xdp: the object with its program for that called $uniq
	LC_ALL=C sed "s/filter_${1/tc/out}/$uniq/g" "$OBJECTS/ping_drop_hooks.v3.o" >"$tmp/$uniq.o"
}
o=$tmp/$uniq.o program=$uniq

test_clsact() {
	object tc
	at=()
	life "clsact egress" "va clsact egress prio 1 handle 0x1 bpf" --dev va
	at=(--netns peer)
	life "clsact ingress, netns" "vb clsact ingress prio 3 handle 0x5 bpf" --dev vb --netns peer \
		--direction ingress --prio 3 --handle 5 --protocol ip
}

test_tcx() {
	object tc
	at=()
	life "tcx egress" "va tcx egress link [0-9]+" --dev va --tcx
	life "tcx ingress, pin" "va tcx ingress link [0-9]+" --dev va --hook tcx --direction ingress \
		--link-pin "$bpffs/in"
	life "auto" "va tcx egress link [0-9]+" --dev va --hook auto
	at=(--netns /run/netns/peer)
	life "tcx egress, netns" "vb tcx egress link [0-9]+" --dev vb --tcx --netns peer
}

# --clsact with auto, where that is TCX, is not about a qdisc that is not there.
test_auto() {
	object tc
	ok "auto" stamp attach "$o" --dev va --hook auto
	ok "auto: --clsact, dry run" stamp detach --dev va --hook auto --clsact --dry-run
	is "auto: --clsact, dry run: no clsact" 0 "$(grep -c "clsact of" <<<"$out")"
	ok "auto: --clsact" stamp detach --dev va --hook auto --clsact --json
	query "auto: --clsact: none is removed" "tcx true false" '"\(.hook) \(.detached) \(.clsact_removed)"' "$out"
	cleared auto
}

test_xdp() {
	object xdp
	at=()
	life "xdp" "va xdp ingress native" --dev va --hook xdp
	life "xdp generic" "va xdp ingress generic" --dev va --hook xdp --xdp-mode generic
	life "xdp link" "va xdp ingress native link [0-9]+" --dev va --hook xdp --link-pin "$bpffs/x"
	at=(--netns $peer)
	life "xdp, netns" "vb xdp ingress native" --dev vb --hook xdp --netns $peer
	xdp_kept
	xdp_elsewhere
}

# What is ours stays with --if-absent, whatever else is asked for.
xdp_kept() {
	local place
	ok "xdp kept: attach" stamp attach "$o" --dev va --hook xdp --link-pin "$bpffs/x"
	for place in "" "--link-pin $bpffs/y" "--link-pin $bpffs/x" "--xdp-mode generic"; do
		ok "xdp kept: $place" stamp attach "$o" --dev va --hook xdp --if-absent $place
		has "xdp kept: $place" "^already attached: $uniq to xdp ingress of va: native" "$out"
	done
	ok "xdp kept: detach" stamp detach --dev va --hook xdp --link-pin "$bpffs/x"
	cleared "xdp kept"
}

# Two interfaces of one index have the same program, but the pin is of the other's link.
xdp_elsewhere() {
	local words="$bpffs/x is the pin of XDP link [0-9]+, which is not on ww but on interface 77 of another .*"
	local same=("$OBJECTS/xdp_frags.v3.o" --prog length --dev ww --hook xdp)
	ip link add ww index 77 type veth
	ip -n peer link add ww index 77 type veth
	ok "xdp elsewhere: attach" stamp attach "${same[@]}" --link-pin "$bpffs/x"
	ok "xdp elsewhere: the same there" stamp attach "${same[@]}" --netns peer --json
	query "xdp elsewhere: it is shared" "$(stamp show --dev ww --json | jq '.attachments[0].id')" .id "$out"
	refused "xdp elsewhere: replace" "$words" stamp attach "$o" --dev ww --hook xdp --netns peer --link-pin "$bpffs/x"
	refused "xdp elsewhere: detach" "$words" stamp detach --dev ww --hook xdp --netns peer --link-pin "$bpffs/x"
	ip link del ww
	ip -n peer link del ww
	ok "xdp elsewhere: the pin" stamp detach --defunct --link-pin "$bpffs/x"
	cleared "xdp elsewhere"
}

# ------------------------------------------------------- several in one place

# The object with its TC program called $uniq, but for the last letters, which are WORD.
named() {	# WORD
	LC_ALL=C sed "s/filter_out/${uniq:0:7}$1/g" "$OBJECTS/ping_drop_hooks.v3.o" >"$tmp/$1.o"
	echo "$tmp/$1.o"
}

order() {	# the last letters of what is shown
	stamp show --json | jq -r '.attachments[].name | .[7:]' | paste -sd ' '
}

test_order() {
	local one two six id
	one=$(named one) two=$(named two) six=$(named six)
	ok "order: one" stamp attach "$one" --dev va --tcx --json
	id=$(jq .id <<<"$out")
	ok "order: two" stamp attach "$two" --dev va --tcx
	is "order: another program is another link" "one two" "$(order)"
	ok "order: first" stamp attach "$six" --dev va --tcx --first
	is "order: first" "six one two" "$(order)"
	ok "order: again" stamp attach "$six" --dev va --tcx --last
	is "order: what is replaced stays in its place" "six one two" "$(order)"
	ok "order: append" stamp attach "$six" --dev va --tcx --append --json
	is "order: append" "six one two six" "$(order)"
	has "order: append: a pin of its own" "_egress-${uniq:0:7}six-2\$" "$(jq -r .link_pin <<<"$out")"
	ok "order: before a program's name" stamp attach "$(named bef)" --dev va --tcx --before "${uniq:0:7}two"
	is "order: before a program's name" "six one bef two six" "$(order)"
	ok "order: after a program's id" stamp attach "$(named aft)" --dev va --tcx --after "$id"
	is "order: after a program's id" "six one aft bef two six" "$(order)"
	refused "order: before what is not there" "tcx egress of va: .*'nosuch'.*" \
		stamp attach "$one" --dev va --tcx --append --before nosuch
	refused "order: detach, which" "several programs on tcx egress of va: .*id.*" stamp detach --dev va --tcx
	refused "order: set, which" "several programs on tcx egress of va: .*id.*" stamp set --dev va --tcx enabled=0
	ok "order: set by name" stamp set --dev va --tcx --prog "${uniq:0:7}bef" enabled=0
	ok "order: set by id" stamp set --dev va --tcx --id "$id" enabled=0
	ok "order: verify by name" stamp verify "$two" --dev va --tcx
	stamp attach "$one" --dev va >/dev/null
	is "order: clsact behind TCX" "six one aft bef two six one" "$(order)"
	stamp detach --dev va --clsact >/dev/null
	rm "$bpffs"/bpfstamp/*
	cleared "order"
}

# A link outlives its interface as long as its pin does.
test_defunct() {
	local own=$bpffs/own pin
	object tc
	ip link add dd type veth peer name de
	ok "defunct: attach" stamp attach "$o" --dev dd --tcx --json
	pin=$(jq -r .link_pin <<<"$out")
	object xdp
	ok "defunct: attach, own pin" stamp attach "$o" --dev de --hook xdp --link-pin "$own"
	ok "defunct: nothing is" stamp detach --defunct
	is "defunct: nothing is" "" "$out"
	refused "defunct: is there" "the link of $own is attached to an interface .*--dev.*" \
		stamp detach --defunct --link-pin "$own"
	ip link del dd
	has "defunct: show" "^\\(no device\\) tcx egress .*pin $pin\$" "$(stamp show)"
	ok "defunct: dry run" stamp detach --defunct --dry-run
	has "defunct: dry run" "^would remove $uniq: link .*pin $pin\$" "$out"
	is "defunct: dry run removes nothing" "$pin $own" "$(pins | sort | paste -sd' ')"
	is "defunct: in all namespaces once" 1 "$(stamp show --all-netns | grep -c '^(no device) tcx')"
	ip link add dd type veth peer name de
	refused "defunct: another name" "the link pinned at $pin, .*, holds program [0-9]+ '$uniq', not the one.*" \
		stamp detach --dev dd --tcx --link-pin "$pin" --prog other
	refused "defunct: another id" "the link pinned at $pin, .*, holds program [0-9]+ '$uniq', not the one.*" \
		stamp detach --dev dd --tcx --link-pin "$pin" --id 1
	refused "defunct: XDP, another name" "the link pinned at $own holds program [0-9]+ '$uniq' .* not the one.*" \
		stamp detach --dev de --hook xdp --link-pin "$own" --prog other
	ok "defunct: the name" stamp detach --dev dd --tcx --link-pin "$pin" --prog "$uniq" --dry-run
	ok "defunct: XDP, the name" stamp detach --dev de --hook xdp --link-pin "$own" --prog "$uniq" --dry-run
	has "defunct: XDP, the name" "^would detach $uniq from xdp ingress of \(no device\): .*pin $own\$" "$out"
	ip link del dd
	ok "defunct: all of the folder" stamp detach --defunct --json
	query "defunct: JSON" "false 1 $pin" '"\(.dry_run) \(.removed | length) \(.removed[0].link_pin)"' "$out"
	is "defunct: its pin is gone" "$own" "$(pins)"
	ok "defunct: own pin" stamp detach --defunct --link-pin "$own"
	has "defunct: own pin" "^removed .*pin $own\$" "$out"
	refused "defunct: again" "there is no pin $own" stamp detach --defunct --link-pin "$own"
	cleared "defunct"
}

test_append() {
	local prio
	object tc
	at=()
	ok "append: a filter" stamp attach "$o" --dev va --prio 7
	ok "append" stamp attach "$o" --dev va --append --json
	query "append: behind it" true '.attached and .prio > 7' "$out"
	is "append: tc sees it there" "$(jq .prio <<<"$out")" "$(tc -j filter show dev va egress | jq '.[-1].pref')"
	ok "append: auto, dry run" stamp attach "$o" --dev va --append --hook auto --dry-run
	has "append: auto, dry run" "^would attach $uniq to clsact egress of va: handle 0x1\$" "$out"
	ok "append: auto, dry run, JSON" stamp attach "$o" --dev va --append --hook auto --dry-run --json
	query "append: auto, dry run, JSON" "clsact null" '"\(.hook) \(.prio)"' "$out"
	ok "append: auto, where one is at another prio" stamp attach "$o" --dev va --append --hook auto --json
	query "append: auto: behind both" "clsact true" '"\(.hook) \(.prio > 8)"' "$out"
	ok "append: auto: detach" stamp detach --dev va --prio "$(jq .prio <<<"$out")"
	ok "append: auto, where none is" stamp attach "$o" --dev va --append --hook auto --direction ingress --json
	query "append: auto, where none is" tcx .hook "$out"
	ok "append: auto, where none is: detach" stamp detach --dev va --tcx --direction ingress
	refused "clsact is in use" "$uniq would be detached, but clsact of va has other filters" \
		stamp detach --dev va --prio 7 --clsact --dry-run
	out=$(stamp detach --dev va --prio 7 --clsact 2>"$tmp/stderr")
	is "clsact is in use: status" 1 $?
	has "clsact is in use: the filter is gone all the same" "^detached $uniq from clsact egress of va: prio 7 " \
		"$out"
	has "clsact is in use: text" "^bpfstamp: $uniq is detached, but clsact of va has 1 filter.*" \
		"$(cat "$tmp/stderr")"
	has "clsact is in use: it stays" clsact "$(tc qdisc show dev va)"
	prio=$(stamp show --json | jq '.attachments[0].prio')
	ok "clsact: dry run" stamp detach --dev va --prio "$prio" --clsact --dry-run
	has "clsact: dry run" "^would remove clsact of va\$" "$out"
	has "clsact: dry run removes nothing" clsact "$(tc qdisc show dev va)"
	ok "clsact" stamp detach --dev va --prio "$prio" --clsact --json
	query "clsact: JSON" "true true" '"\(.detached) \(.clsact_removed)"' "$out"
	is "clsact: it is gone" 0 "$(tc qdisc show dev va | grep -c clsact)"
	refused "clsact: nothing is left" "no filter at prio 1 handle 0x1 on egress of va" stamp detach --dev va \
		--clsact
	tc qdisc add dev va clsact
	ok "clsact without a filter" stamp detach --dev va --clsact
	is "clsact without a filter: text" "removed clsact of va" "$out"
	cleared append
}

# ------------------------------------------------------ what else tc can do

test_filters() {
	object tc
	ok "chain" stamp attach "$o" --dev va --chain 3 --prio 4 --set target_addr=10.0.0.2
	has "chain: tc sees it there" 'pref 4 bpf chain 3 handle 0x1 bpfstamp:' "$(tc filter show dev va egress)"
	pings "chain: nothing goes there" answered answered
	if tc filter add dev va egress prio 1 u32 match u32 0 0 action goto chain 3 2>/dev/null; then
		pings "chain: goto" lost answered
		tc filter del dev va egress prio 1
	fi
	has "chain: shown" "^va clsact egress prio 4 handle 0x1 chain 3 bpf $uniq id" "$(stamp show)"
	ok "chain: verify" stamp verify "$o" --dev va --chain 3 --prio 4 --set target_addr=10.0.0.2
	refused "chain: another one" "no filter at prio 4 handle 0x1 on egress of va" stamp detach --dev va --prio 4
	ok "chain: detach" stamp detach --dev va --chain 3 --prio 4 --clsact
	ok "skip-hw" stamp attach "$o" --dev va --skip-hw
	has "skip-hw: tc sees it" skip_hw "$(tc filter show dev va egress)"
	query "skip-hw: shown" true '.attachments[0].skip_hw' "$(stamp show --json)"
	ok "skip-hw: detach" stamp detach --dev va --clsact
	refused "skip-sw of a device without hardware" ".*va.*hardware.*" stamp attach "$o" --dev va --skip-sw
	refused "offload of a device without hardware" ".*va.*hardware.*" \
		stamp attach "$o" --dev va --hook xdp --prog filter_xdp --xdp-mode offload
	refused "skip-sw of a block" ".*block 9.*" stamp attach "$o" --block 9 --netns peer --skip-sw
	refused "skip-sw in another namespace" \
		"a program for hardware has to be loaded in the network namespace of vb: .*" \
		stamp attach "$o" --dev vb --netns peer --skip-sw

	refused "block that is not there" ".*block 9.*" stamp attach "$o" --block 9
	tc -n peer qdisc add dev vb ingress_block 9 clsact
	ok "block" stamp attach "$o" --block 9 --netns peer --set target_addr=10.0.0.2
	has "block: text" "^attached $uniq to clsact of block 9: prio 1 handle 0x1 id" "$out"
	pings "block" lost answered
	has "block: shown" "^block 9 clsact prio 1 handle 0x1 bpf $uniq id" "$(stamp show --block 9 --netns peer)"
	query "block: JSON" "9 null" '.attachments[] | "\(.block) \(.dev)"' \
		"$(stamp show --block 9 --netns peer --json)"
	query "block: all namespaces" "9" '.namespaces[].attachments[].block' \
		"$(stamp show --block 9 --all-netns --json)"
	refused "block: in no namespace" "no interface of any network namespace has the shared block 8" \
		stamp show --block 8 --all-netns
	ok "block: set" stamp set --block 9 --netns peer enabled=0
	pings "block: not enabled" answered answered
	ok "block: verify" stamp verify "$o" --block 9 --netns peer --set target_addr=10.0.0.2
	ok "block: detach" stamp detach --block 9 --netns peer
	cleared filters
}

# --------------------------------------------------- programs that are shared

# What is attached, "DEV DIRECTION PRIO ID VALUE" a line.
instances() {
	stamp show --all-netns --json | jq -r '.namespaces[].attachments[] |
		"\(.dev) \(.direction) \(.prio) \(.id) \(.values[0].value)"' | sort
}

test_reuse() {
	local id other first=(--dev va --set target_addr=10.0.0.2)
	local second=(--dev vb --netns peer --direction ingress)
	unique "$OBJECTS/ping_drop_stamp.v3.o"
	ok "reuse: the first" stamp attach "$o" "${first[@]}" --json
	query "reuse: the first" false .reused "$out"
	id=$(jq .id <<<"$out")
	objects=$(kernel_objects)
	ok "reuse: another process" stamp attach "$o" "${second[@]}" --set target_addr=10.0.0.2
	has "reuse: another process" "^attached again $uniq to clsact ingress of vb: prio 1 handle 0x1 id $id tag" "$out"
	is "reuse: nothing was loaded" "$objects" "$(kernel_objects "$objects")"
	ok "reuse: other values" stamp attach "$o" "${second[@]}" --prio 2 --set target_addr=10.0.0.3 --json
	query "reuse: other values" false .reused "$out"
	other=$(jq .id <<<"$out")
	is "reuse: shown" "va egress 1 $id $hex2 vb ingress 1 $id $hex2 vb ingress 2 $other $hex3" \
		"$(instances | paste -sd ' ')"
	ok "reuse: in the same place" stamp attach "$o" "${first[@]}" --json
	query "reuse: in the same place" "true $id" '"\(.reused) \(.id)"' "$out"
	ok "reuse: verify" stamp verify "$o" "${first[@]}"
	out=$(stamp verify "$o" --dev va --set target_addr=10.0.0.3)
	is "reuse: verify compares" 1 $?
	ok "reuse: set" stamp set "${second[@]}" target_addr=10.0.0.3 --object "$o"
	is "reuse: set changes one" "va egress $hex2 vb ingress $hex3 vb ingress $hex3" \
		"$(instances | cut -d' ' -f1,2,5 | paste -sd ' ')"
	pings "reuse: set" lost lost
	ok "reuse: and back" stamp attach "$o" "${second[@]}" --set target_addr=10.0.0.2 --json
	query "reuse: and back" "true $id" '"\(.reused) \(.id)"' "$out"
	ok "reuse: detach" stamp detach --dev va
	pings "reuse: detach leaves the other" lost answered
	ok "reuse: from the other" stamp attach "$o" "${first[@]}" --tcx --json
	query "reuse: from the other" "true $id" '"\(.reused) \(.id)"' "$out"
	unshared "$id"
	twice
	ok "reuse: detach" stamp detach --dev va --tcx
	ok "reuse: detach" stamp detach "${second[@]}"
	ok "reuse: detach" stamp detach "${second[@]}" --prio 2
	is "reuse: the last one takes it along" 0 "$(kernel_objects 0)"
	ok "reuse: anew" stamp attach "$o" "${first[@]}" --json
	query "reuse: anew" false .reused "$out"
	ok "reuse: detach" stamp detach --dev va
	cleared reuse
}

# TCX takes a program once: beside the one that is there stands an equal one, not the same.
twice() {
	local pin place=(--dev va --tcx) more=(--dev va --tcx --link-pin "$bpffs/more")
	ok "reuse: twice in a place" stamp attach "$o" "${first[@]}" --tcx --append --json
	query "reuse: twice in a place" "false true" "\"\\(.reused) \\(.id != $id)\"" "$out"
	ok "reuse: detach the second" stamp detach "${place[@]}" --link-pin "$(jq -r .link_pin <<<"$out")"
	ok "reuse: another link there" stamp attach "$o" "${more[@]}" --set target_addr=10.0.0.4
	ok "reuse: which gets equal values" stamp attach "$o" "${more[@]}" --set target_addr=10.0.0.2 --json
	query "reuse: which gets equal values" "false true" "\"\\(.reused) \\(.id != $id)\"" "$out"
	ok "reuse: detach the other" stamp detach "${more[@]}"
	printf 'va\nva\n' >"$tmp/lines"
	ok "reuse: lines" stamp attach "$o" --tcx --append --set target_addr=10.0.0.2 --batch "$tmp/lines"
	is "reuse: lines" "3 3" "$(stamp show --dev va --json | jq -r '[.attachments[] |
		select(.hook == "tcx").id] | "\(length) \(unique | length)"')"
	for pin in "$bpffs"/bpfstamp/*-[23]; do
		ok "reuse: detach a line" stamp detach "${place[@]}" --link-pin "$pin"
	done
}

unshared() {	# ID: of what runs with that value; each of these gets one of its own
	local at=(--dev va --prio 3) options
	for options in --no-reuse --no-record "--pin $bpffs/p"; do
		# shellcheck disable=SC2086
		ok "reuse: $options" stamp attach "$o" "${at[@]}" $options --set target_addr=10.0.0.2 --json
		query "reuse: $options" "false true" "\"\\(.reused) \\(.id != $1)\"" "$out"
	done
	rm -r "$bpffs/p"
	have setpriv && without_admin "$BPFSTAMP" attach "$o" "${at[@]}" --pin-path "$bpffs" -v --set \
		target_addr=10.0.0.2 >"$tmp/stdout" 2>"$tmp/stderr"
	has "reuse: no CAP_SYS_ADMIN" "^attached $uniq to" "$(cat "$tmp/stdout")"
	has "reuse: no CAP_SYS_ADMIN: says so" '^note: programs of other processes are not looked for: .*CAP_SYS_ADMIN$' \
		"$(cat "$tmp/stderr")"
	ok "reuse: no bpffs" "$BPFSTAMP" attach "$o" "${at[@]}" --pin-path "$tmp" -v --set target_addr=10.0.0.2
	has "reuse: no bpffs" "^attached $uniq to" "$out"
	has "reuse: no bpffs: says so" 'note: programs of other processes are not looked for: .*not in a bpffs' "$out"
	ok "reuse: detach" stamp detach "${at[@]}"
}

# ------------------------------------------------------- values of other kinds

test_values() {
	local const=$OBJECTS/ping_drop_const.v3.o global=$OBJECTS/ping_drop_global.v3.o
	ok "placeholder" stamp attach "$const" --dev va --replace 0xFEDCBA98=10.0.0.2
	has "placeholder: shown" "^    0xFEDCBA98 = $hex2 \(u32, placeholder, stamped\)\$" "$(stamp show)"
	ok "placeholder: set" stamp set --dev va 0xFEDCBA98=10.0.0.3 --object "$const"
	has "placeholder: set" "^  0xFEDCBA98: $hex2 -> $hex3\$" "$out"
	pings "placeholder: set" answered lost
	ok "placeholder: verify" stamp verify "$const" --dev va --replace 0xFEDCBA98=10.0.0.3

	ok "inlined" stamp attach "$global" --dev va --inline --set target_addr=10.0.0.2
	query "inlined: JSON" true '.attachments[0].inlined' "$(stamp show --json)"
	refused "inlined: set without the object" \
		"target_addr of filter_out .*cannot be changed in place.*--object OBJ" \
		stamp set --dev va target_addr=10.0.0.3
	ok "inlined: set" stamp set --dev va target_addr=10.0.0.3 --object "$global" --json
	query "inlined: set, JSON" "false target_addr $hex2 $hex3" \
		'"\(.in_place) \(.changes[0].name) \(.changes[0].old) \(.changes[0].new)"' "$out"
	pings "inlined: set" answered lost
	query "inlined: still so" true '.attachments[0].inlined' "$(stamp show --json)"
	ok "inlined: verify" stamp verify "$global" --dev va --inline --set target_addr=10.0.0.3

	object tc
	ok "no record" stamp attach "$o" --dev va --no-record --set target_addr=10.0.0.2
	out=$(stamp show)
	has "no record: every global" '^    vni = 0x7 \(__u32, \.rodata\)$' "$out"
	is "no record: no stamp" 0 "$(grep -c target_addr <<<"$out")"
	query "no record: JSON" "false null" '.attachments[0] | "\(.record) \(.object)"' "$(stamp show --json)"
	ok "no record: set in place" stamp set --dev va enabled=0
	pings "no record: set in place" answered answered
	ok "parts: set" stamp set --dev va ports[0]=9 ports[1]=5
	ok "parts: the one that is given is equal" stamp verify "$o" --dev va --set target_addr=10.0.0.2 \
		--set ports[0]=9
	out=$(stamp verify "$o" --dev va --set target_addr=10.0.0.2 --set ports[0]=9 --set ports[1]=2)
	is "parts: another is not, though the object has it" "1 ports[1]: runs 0x5, would be 0x2" "$? $out"
	ok "no record: detach" stamp detach --dev va --clsact

	local rodata=$OBJECTS/ping_drop_rodata.v3.o
	ok "no debug info" stamp attach "$rodata" --dev va --no-debug-info --set target_addr=10.0.0.2
	has "no debug info: shown" "^    target_addr = $hex2 \(__u32, \.rodata, stamped\)\$" "$(stamp show)"
	ok "no debug info: verify" stamp verify "$rodata" --dev va --set target_addr=10.0.0.2
	ok "no debug info: set" stamp set --dev va target_addr=10.0.0.3 --object "$rodata" --no-debug-info
	pings "no debug info: set" answered lost
	ok "no debug info: verify without" stamp verify "$rodata" --dev va --set target_addr=10.0.0.3 --no-debug-info
	ok "no debug info: detach" stamp detach --dev va --clsact

	ok "pinned" stamp attach "$o" --dev va --pin "$bpffs/p"
	has "pinned: shown" "^    pin $bpffs/p/$uniq\$" "$(stamp show)"
	query "pinned: JSON" "$bpffs/p/$uniq" '.attachments[0].pin' "$(stamp show --json)"
	ok "pinned: detach" stamp detach --dev va --clsact
	rm -r "$bpffs/p"
	cleared values
}

# --------------------------------------------------------- others, and rights

test_foreign() {
	local o=$OBJECTS/ping_drop_rodata.v1.o id
	tc qdisc add dev va clsact
	tc filter add dev va egress prio 9 handle 1 bpf da obj "$o" sec egress
	has "foreign: shown with its values" '^    target_addr = 0xfedcba98 \(__u32, \.rodata\)$' "$(stamp show)"
	refused "foreign: set" ".*bpf 'ping_drop_rodata.*--force" stamp set --dev va --prio 9 target_addr=1 \
		--object "$o"
	refused "foreign: verify" ".*bpf 'ping_drop_rodata.*--force" stamp verify "$o" --dev va --prio 9
	ok "foreign: verify --force" stamp verify "$o" --dev va --prio 9 --force
	ok "foreign: set --force" stamp set --dev va --prio 9 target_addr=10.0.0.2 --object "$o" --force
	pings "foreign: set --force" lost answered
	query "foreign: is ours now" true '.attachments[0].ours' "$(stamp show --json)"
	ok "foreign: detach" stamp detach --dev va --prio 9 --clsact

	cp "$o" "$tmp/"$'a\e[31m.o'
	tc qdisc add dev va clsact
	tc filter add dev va egress prio 1 handle 1 bpf da obj "$tmp/"$'a\e[31m.o' sec egress
	has "foreign: its name commands no terminal" "^va clsact egress prio 1 handle 0x1 bpf a\?\[31m\.o:" \
		"$(stamp show)"
	query "foreign: JSON has it as it is" $'a\e[31m.o:[egress]' '.attachments[0].name' "$(stamp show --json)"
	refused "foreign: nor in an error" "prio 1 handle 0x1 on va .*'a\?\[31m\.o:.*" stamp detach --dev va
	ok "foreign: detach --force" stamp detach --dev va --clsact --force

	ip link set va xdpgeneric obj "$OBJECTS/ping_drop_hooks.v3.o" sec xdp
	has "foreign XDP: shown" '^va xdp ingress generic filter_xdp id [0-9]+ tag [0-9a-f]+ \(not by bpfstamp\)$' \
		"$(stamp show)"
	id=$(stamp show --json | jq '.attachments[0].id')
	refused "foreign XDP: attach" "XDP of va has program $id .*--force" \
		stamp attach "$OBJECTS/ping_drop_hooks.v3.o" --dev va --hook xdp
	refused "foreign XDP: detach" "XDP of va has program $id .*--force" stamp detach --dev va --hook xdp
	ok "foreign XDP: detach --force" stamp detach --dev va --hook xdp --force
	is "foreign XDP: gone" "" "$(stamp show)"
	refused "no netkit device" ".*netkit.*" stamp attach "$OBJECTS/ping_drop_hooks.v3.o" --dev va --hook netkit
	cleared foreign
}

test_all_netns() {
	object tc
	stamp attach "$o" --dev va >/dev/null
	stamp attach "$o" --dev vb --netns peer --tcx >/dev/null
	: >/run/netns/dead
	ip netns add 1
	out=$(stamp show --all-netns 2>"$tmp/stderr" | grep -v '^ ' | sed 's/ id .*//; s/link [0-9]*/link N/')
	is "all namespaces" \
		"this netns: va clsact egress prio 1 handle 0x1 bpf $uniq netns peer: vb tcx egress link N $uniq" \
		"$(paste -sd ' ' <<<"$out")"
	has "all namespaces: one that is none" '^note: passed over: .*dead' "$(cat "$tmp/stderr")"
	rm /run/netns/dead
	query "all namespaces: a name that is a number" '[]' \
		'.namespaces[] | select(.netns == "1") | .attachments | tostring' "$(stamp show --all-netns --json)"
	ip netns del 1
	ok "all namespaces: JSON" stamp show --all-netns --json
	query "all namespaces: JSON" "null va, peer vb" \
		'[.namespaces[] | "\(.netns) \(.attachments[0].dev)"] | join(", ")' "$out"
	ok "all namespaces: one device" stamp show --all-netns --dev vb --json
	query "all namespaces: one device" peer '[.namespaces[].netns] | join(" ")' "$out"
	refused "all namespaces: no such device" "no such device 'nosuch' in any network namespace" \
		stamp show --all-netns --dev nosuch
	out=$(ip netns exec peer "$BPFSTAMP" show --all-netns --pin-path "$bpffs" | grep -c '^vb')
	is "all namespaces: the own one once" 1 "$out"
	ok "all namespaces: detach" stamp detach --dev va
	ok "all namespaces: detach there" stamp detach --dev vb --netns peer --tcx
	cleared "all namespaces"
}

without_admin() {
	setpriv --inh-caps -all,+bpf,+net_admin --bounding-set -all,+bpf,+net_admin "$@"
}

test_capabilities() {
	local hook
	have setpriv || { skip capabilities "no setpriv"; return; }
	object tc
	for hook in clsact tcx; do
		ok "no CAP_SYS_ADMIN, $hook: attach" without_admin "$BPFSTAMP" attach "$o" --dev va --hook $hook \
			--pin-path "$bpffs" --set target_addr=10.0.0.2
		pings "no CAP_SYS_ADMIN, $hook" lost answered
		ok "no CAP_SYS_ADMIN, $hook: show" without_admin "$BPFSTAMP" show --pin-path "$bpffs"
		has "no CAP_SYS_ADMIN, $hook: show: one line" \
			"^va $hook egress .*$uniq id [0-9]+( tag .*| pin .*)?\$" "$out"
		is "no CAP_SYS_ADMIN, $hook: show: no values" 1 "$(wc -l <<<"$out")"
		ok "no CAP_SYS_ADMIN, $hook: show --json" without_admin "$BPFSTAMP" show --pin-path "$bpffs" --json
		query "no CAP_SYS_ADMIN, $hook: JSON" "true null null" \
			'.attachments[] | "\(.ours) \(.loaded_at) \(.values)"' "$out"
		refused "no CAP_SYS_ADMIN, $hook: set" ".*CAP_SYS_ADMIN.*" without_admin "$BPFSTAMP" set --dev va \
			--hook $hook --pin-path "$bpffs" enabled=0
		ok "no CAP_SYS_ADMIN, $hook: attach again" without_admin "$BPFSTAMP" attach "$o" --dev va \
			--hook $hook --pin-path "$bpffs" --set target_addr=10.0.0.3
		pings "no CAP_SYS_ADMIN, $hook: again" answered lost
		ok "no CAP_SYS_ADMIN, $hook: detach" without_admin "$BPFSTAMP" detach --dev va --hook $hook \
			--pin-path "$bpffs"
		cleared "no CAP_SYS_ADMIN, $hook"
	done
}

test_valgrind() {
	# Valgrind does not know what bpf(2) fills when it tells of a program, a link or its BTF.
	local hook place valgrind_options="--undef-value-errors=no --suppressions=$tmp/suppressions"
	have valgrind || { skip valgrind "not installed"; return; }
	! grep -q __asan_init "$BPFSTAMP" || { skip valgrind "the binary has ASan"; return; }
	# Nor that BPF_PROG_TEST_RUN need not give the packet back.
	printf '{\nrun\nMemcheck:Param\nbpf(attr->test.data_out)\nfun:syscall\n}\n' >"$tmp/suppressions"
	o=$OBJECTS/ping_drop_hooks.v3.o
	for hook in clsact tcx xdp; do
		place=(--dev va --hook $hook --pin-path "$bpffs")
		valgrind_clean "$hook: attach" 0 attach "$o" "${place[@]}"
		valgrind_clean "$hook: attach --if-absent --json" 0 attach "$o" "${place[@]}" --if-absent --json
		valgrind_clean "$hook: attach --dry-run --json" 0 attach "$o" "${place[@]}" --dry-run --json
		valgrind_clean "$hook: show" 0 show --verbose --pin-path "$bpffs"
		valgrind_clean "$hook: show --all-netns --json" 0 show --all-netns --json --pin-path "$bpffs"
		valgrind_clean "$hook: verify" 0 verify "$o" "${place[@]}"
		valgrind_clean "$hook: verify, different" 1 verify "$o" "${place[@]}" --set vni=1 --json
		valgrind_clean "$hook: set" 0 set "${place[@]}" enabled=0
		valgrind_clean "$hook: set, no value" 1 set "${place[@]}" enabled=1 enabled=x
		valgrind_clean "$hook: restamp" 0 set "${place[@]}" vni=9 --object "$o" --json
		valgrind_clean "$hook: detach" 0 detach "${place[@]}"
		valgrind_clean "$hook: detach again" 1 detach "${place[@]}"
	done
	valgrind_clean "detach --clsact" 0 detach --dev va --clsact
}

[ "$isolated" = yes ] || { skip attach "needs root, to make namespaces and a bpffs"; finish; }
{ have bpftool && have jq; } || { skip attach "bpftool or jq is not installed"; finish; }
mkdir "$bpffs" && mount -t bpf none "$bpffs" || { skip attach "no bpffs"; finish; }
network || { skip attach "no veth devices"; finish; }
nsenter --net=/run/netns/peer sleep 1000 & peer=$!
for t in ${TESTS:-clsact tcx auto xdp order defunct append filters reuse values foreign all_netns capabilities \
	valgrind}; do
	began=$SECONDS
	test_$t
	[ -z "${VERBOSE:-}" ] || echo "$t took $((SECONDS - began)) s"
done
finish
