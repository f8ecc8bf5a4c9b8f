# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Part of cni.sh: behind a plugin that makes the pod's interface.

drop_ip0='{object: $drop, attach: [{direction: "egress", set: {target_addr: "${ip.0}"}}]}'

chained_in() {	# PLUGIN VERSION
	local name="$1, $2" pod=pod1 v4
	version=$2
	before_us "$1" $pod || return
	v4=$address
	reaches "$name: before" answered "$v4"
	after "$drop_ip0"
	good "$name: ADD" ADD $pod || return
	is "$name: the result is the one before" "$(jq -S ".cniVersion = \"$version\"" <<<"$prev")" \
		"$(jq -S . <<<"$answer")"
	reaches "$name: the pod's address is dropped" lost "$v4"
	reaches "$name: another is not" answered "$address6"
	is "$name: attached" "clsact $host $uniq" "$(attached '"\(.hook) \(.dev) \(.name)"')"
	good "$name: ADD again" ADD $pod
	is "$name: one attachment" "$uniq" "$(attached .name)"
	[ $version = 0.3.1 ] || good "$name: CHECK" CHECK $pod
	after '{object: $drop, attach: [{set: {target_addr: "10.9.9.9"}}]}'
	[ $version = 0.3.1 ] || bad "$name: CHECK, other values" 100 'is not what ADD would attach' CHECK $pod
	good "$name: ADD with other values" ADD $pod
	reaches "$name: the pod's address passes" answered "$v4"
	is "$name: still one attachment" "$uniq" "$(attached .name)"
	after "$drop_ip0"
	good "$name: DEL" DEL $pod
	good "$name: DEL again" DEL $pod
	is "$name: no attachment" "" "$(attached .)"
	is "$name: no clsact" "" "$(tc qdisc show dev "$host" | grep clsact)"
	reaches "$name: after" answered "$v4"
	gone_before_us "$1" $pod
	nothing_left "$name"
}

test_chained() {
	local v
	for v in 0.3.1 0.4.0 1.0.0 1.1.0; do
		chained_in bridge $v
	done
	chained_in ptp 1.0.0
}

# Pods whose programs are equal share one, and none of them notices.
test_shared() {
	local set='{object: $drop, attach: [{set: {target_addr: "10.9.9.9"}}]' host1 conf1=$tmp/conf.1 ids
	version=1.0.0
	before_us bridge pod1 || return
	host1=$host
	after "$set}"
	cp "$conf" "$conf1"
	good "shared: ADD pod1" ADD pod1
	before_us bridge pod2 || return
	after "$set}"
	good "shared: ADD pod2" ADD pod2
	ids=$(attached .id)
	is "shared: one program for two pods" "2 1" "$(wc -l <<<"$ids") $(sort -u <<<"$ids" | wc -l)"
	good "shared: CHECK" CHECK pod2
	cp "$conf1" "$conf"
	good "shared: DEL pod1" DEL pod1
	is "shared: the other has it still" "$host ${ids%%$'\n'*}" "$(attached '"\(.dev) \(.id)"')"
	good "shared: ADD pod1 again" ADD pod1
	is "shared: again" "$ids" "$(attached .id)"
	jq '.reuse = false' "$conf1" >"$conf"
	good "shared: one of its own" ADD pod1
	is "shared: two programs" 2 "$(attached .id | sort -u | wc -l)"
	is "shared: those of pod1 and pod2" "$(printf '%s\n' "$host1" "$host" | sort)" "$(attached .dev | sort)"
	good "shared: DEL pod1 again" DEL pod1
	good "shared: DEL pod2" DEL pod2
	gone_before_us bridge pod2
	swapped
	gone_before_us bridge pod1
	nothing_left "shared"
}

# One link gets what another in its place still has: TCX takes no program twice.
swapped() {
	local two='{object: $drop, attach: [("10.9.9.9", "10.9.9.8") as $a | {hook: "tcx", set: {target_addr: $a}}]'
	cp "$conf1" "$conf"
	prev=$(jq .prevResult "$conf1")
	after "$two}"
	good "swapped: ADD" ADD pod1
	after "$two } | .attach |= reverse"
	good "swapped: ADD, the other way round" ADD pod1
	good "swapped: CHECK" CHECK pod1
	after "$two } | .attach |= [.[0], .[0]]"
	good "swapped: ADD, twice the same" ADD pod1
	is "swapped: two programs" 2 "$(attached .id | sort -u | wc -l)"
	good "swapped: DEL" DEL pod1
}

# On every hook at both ends, of which an ADD that is repeated keeps some, in another order.
test_hooks() {
	local all some ids
	version=1.0.0
	before_us ptp pod1 || return
	all='{object: $gate, attach: [("host", "pod") as $dev | {program: "filter_out", dev: $dev} + (
		{hook: "clsact"}, {hook: "clsact", direction: "ingress", prio: 7, handle: 3}, {hook: "tcx"},
		{hook: "tcx", direction: "ingress"}, {hook: "xdp", program: "filter_out_xdp"})]}'
	some="$all | .attach |= [.[8], .[4], .[0],
		{dev: \"pod\", program: \"filter_out\", hook: \"tcx\", inline: true},
		{program: \"filter_out\", hook: \"auto\", direction: \"ingress\"}]"
	after "$all" --arg gate "$LIFE/gate.o"
	good "hooks: ADD" ADD pod1 || return
	is "hooks: all" "xdp tcx clsact tcx clsact" "$(attached .hook | paste -sd ' ')"
	is "hooks: all, of the pod" "xdp tcx clsact tcx clsact" \
		"$("$BPFSTAMP" show --netns pod1 --json | jq -r '.attachments[].hook' | paste -sd ' ')"
	is "hooks: pins of links" 6 "$(pinned | grep -c '/link[0-9]*$')"
	good "hooks: CHECK" CHECK pod1
	ids=$(attached 'select(.hook == "tcx") | .link // .id' | paste -sd ' ')
	good "hooks: ADD again" ADD pod1
	is "hooks: ADD again: replaced in place" "xdp tcx clsact tcx clsact" "$(attached .hook | paste -sd ' ')"
	is "hooks: ADD again: the same links" "$ids" \
		"$(attached 'select(.hook == "tcx") | .link // .id' | paste -sd ' ')"
	after "$some" --arg gate "$LIFE/gate.o"
	good "hooks: ADD of some" ADD pod1
	is "hooks: some" "xdp tcx clsact" "$(attached .hook | paste -sd ' ')"
	is "hooks: some, of the pod" "tcx tcx" \
		"$("$BPFSTAMP" show --netns pod1 --json | jq -r '.attachments[].hook' | paste -sd ' ')"
	good "hooks: CHECK of some" CHECK pod1
	"$BPFSTAMP" detach --dev "$host" --direction egress >/dev/null
	bad "hooks: CHECK, one was detached" 100 "filter_out is not attached to $host" CHECK pod1
	good "hooks: DEL" DEL pod1
	is "hooks: nothing is attached" "" "$(attached .hook)"
	is "hooks: nothing is attached in the pod" "" \
		"$("$BPFSTAMP" show --netns pod1 --json | jq -r '.attachments[].hook')"
	after "$all" --arg gate "$LIFE/gate.o"
	good "hooks: ADD, and the pod goes" ADD pod1
	gone_before_us ptp pod1
	after "$all" --arg gate "$LIFE/gate.o"
	good "hooks: DEL of a pod that is gone" DEL pod1
	nothing_left "hooks"
}
