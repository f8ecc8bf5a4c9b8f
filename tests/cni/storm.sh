# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Many at once, and kill -9 at any time; sourced by cnirun.sh.
#
# There are two networks: `chained`, whose pods have interfaces that the test made, and `alone`,
# where the plugin makes them and asks host-local.  In a storm eight runtimes add and delete pods of
# both as they like, also the same pod at the same time.  A command that is not killed succeeds,
# whatever was killed before it.  In the end some pods are added once more, and GC is told of these:
# they stay, and work, and nothing else does.
#
# $LIFE/between (tests/life) kills a command after a time.

storm_pods=24 storm_workers=8

chained_config() {	# POD: the configuration with what a plugin before us would say
	jq -c --arg pod "$1" '. + { prevResult: {
		cniVersion: .cniVersion,
		interfaces: [{ name: "h\($pod)" }, { name: "eth0", sandbox: "/run/netns/\($pod)" }],
		ips: [{ address: "10.5.0.\($pod[1:] | tonumber + 2)/24", interface: 1 }]
	} }' <<<"$chained"
}

# Another program beside it, on a link where the kernel has them.
with_second() {
	jq -c --arg object "$tmp/second.o" '.attach += [{ object: $object, hook: "auto", direction: "egress",
		set: { target_addr: "10.255.0.1" } }]'
}

# Pods cN and aN; $config[POD] is what a runtime hands over.
storm_place() {
	local n
	LC_ALL=C sed "s/filter_out/$uniq/g" "$OBJECTS/ping_drop_stamp.v3.o" >"$tmp/second.o"
	list chained 1.1.0 "$(ours 500 | with_second)"
	list alone 1.1.0 "$(ours 600 "$(ipam 10.6.0.0/24)" | with_second)"
	chained=$(as_handed chained) alone=$(as_handed alone)
	declare -gA config
	pods=()
	for ((n = 0; n < storm_pods / 2; n++)); do
		pod c$n a$n && ip link add hc$n type veth peer name eth0 netns c$n && ip link set hc$n up &&
			ip -n c$n address add 10.5.0.$((n + 2))/24 dev eth0 && ip -n c$n link set eth0 up || return 1
		pods+=(c$n a$n)
		config[c$n]=$(chained_config c$n) config[a$n]=$alone
	done
	empty=$(node_has)
}

storm_ends() {
	local p
	for p in "${pods[@]}"; do ip netns del "$p"; done
}

collect_all() {		# POD…: GC of both networks
	plugin GC "" "$(jq -c ". + $(valid "$@")" <<<"$chained")" &&
		plugin GC "" "$(jq -c ". + $(valid "$@")" <<<"$alone")"
}

how_long() {	# microseconds of an ADD and a DEL that nobody disturbs
	local begin=${EPOCHREALTIME/./}
	plugin ADD a0 "${config[a0]}" >/dev/null && plugin DEL a0 "${config[a0]}" >/dev/null || return 1
	echo $(((${EPOCHREALTIME/./} - begin) / 2))
}

# ------------------------------------------------------------ the storm

storm_worker() {	# NUMBER COMMANDS KILLED-OF-100: writes a line a command
	local i p command said status before
	RANDOM=$((seed + $1))
	for ((i = 0; i < $2; i++)); do
		p=${pods[RANDOM % ${#pods[@]}]} command=ADD before=''
		[ $((RANDOM % 2)) = 0 ] || command=DEL
		[ $((RANDOM % 100)) -ge "$3" ] || before="$LIFE/between kill after $((RANDOM % longest))"
		said=$(plugin $command "$p" "${config[$p]}" 2>&1)
		status=$?
		[ -z "$before" ] || [ $status != 100 ] || status=0
		case $status in
		0) echo "done $command" ;;
		137) echo "killed $command" ;;
		*) echo "failed $command $p ($status): $said" | tr '\n' ' '; echo ;;
		esac
	done
}

live() {	# the odd pods
	printf '%s\n' "${pods[@]}" | grep '[13579]$'
}

# The live ones are added, and GC is told of them.
storm_settles() {	# NAME
	local p result
	for p in $(live); do
		ok "$1: ADD $p" plugin ADD "$p" "${config[$p]}"
		result=$out
		case $p in
		c*) checked[$p]=${config[$p]} ;;
		*) checked[$p]=$(jq -c --argjson result "$result" '.prevResult = $result' <<<"${config[$p]}") ;;
		esac
	done
	# Words.
	# shellcheck disable=SC2046
	ok "$1: GC" collect_all $(live)
	is "$1: GC leaves the states of the live" "$(live | sed 's/$/:eth0/' | sort | paste -sd ' ')" \
		"$( (states chained; states alone) | tr ' ' '\n' | sort | paste -sd ' ')"
	is "$1: GC leaves their entries" "$(live | wc -l)" "$(($(entries vpc_pods 500) + $(entries vpc_pods 600)))"
	is "$1: GC leaves their programs" $((2 * $(live | wc -l) + 1)) "$(programs $((2 * $(live | wc -l) + 1)))"
	is "$1: GC leaves their filters" "$(live | wc -l)" "$(node_has | grep -c "filter .* bpfstamp:$from_pod ")"
	is "$1: GC leaves their addresses" "$(live | grep -c ^a)" \
		"$(find /var/lib/cni/networks/alone -name '10.*' | wc -l)"
	is "$1: GC leaves their interfaces" "$(live | grep -c ^a)" "$(node_has | grep -c '^interface bs')"
	for p in $(live); do
		ok "$1: CHECK $p" plugin CHECK "$p" "${checked[$p]}"
	done
	is "$1: chained pods reach each other" yes "$(reaches c1 10.5.0.5)"
	is "$1: made pods reach each other" yes "$(reaches a1 "$(address_of a3)")"
}

storm() {	# NAME KILLED-OF-100
	local worker commands=${STORM_COMMANDS:-500} killed wrong begin=$SECONDS jobs=()
	local -A checked
	storm_place || { fail "$1" "no pods"; return; }
	longest=$(how_long) || { fail "$1" "no ADD and DEL"; return; }
	seed=${STORM_SEED:-$RANDOM}
	for ((worker = 0; worker < storm_workers; worker++)); do
		storm_worker $worker $(((commands + storm_workers - 1) / storm_workers)) "$2" >"$tmp/worker$worker" &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	cat "$tmp"/worker? >"$tmp/said"
	killed=$(grep -c ^killed "$tmp/said") wrong=$(grep -vE '^(done|killed)' "$tmp/said" | head -n 3)
	is "$1: what is not killed succeeds (seed $seed)" "" "$wrong"
	[ "$killed" -ge $((commands * $2 / 300)) ]
	is "$1: some are killed ($killed)" 0 $?
	storm_settles "$1"
	echo "$1: $(wc -l <"$tmp/said") ADDs and DELs, $killed killed, $((SECONDS - begin)) s"
	for worker in "${pods[@]}"; do
		ok "$1: DEL $worker" plugin DEL "$worker" "${config[$worker]}"
	done
	nothing_left "$1" "$empty"
	storm_ends
}

test_storm() {
	storm "storm" 0
}

test_storm_killed() {
	storm "storm with kill -9" 35
}
