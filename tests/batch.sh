#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# attach --batch: a thousand interfaces, each with a VNI of its own, read back
# by show; who shares a program and who must not; what lines may say and what is
# wrong with them; failures in the middle; kill -9 in the middle.  Nothing is
# attached before all lines are understood, and what is attached is whole.
set -u
. "$(dirname "$0")/lib.sh"
start batch "$@"

bpffs=$tmp/bpf pairs=500
vpc=$OBJECTS/vpc_vxlan.v3.o

stamp() {	# COMMAND ARGUMENT…
	"$BPFSTAMP" "$@" --pin-path "$bpffs"
}

batch() {	# OPTION…: of lines on stdin; sets $status, $stdout, $stderr
	stdout=$(stamp attach "$@" --batch - 2>"$tmp/stderr")
	status=$?
	stderr=$(cat "$tmp/stderr")
}

attached() {	# JQ-FILTER of each attachment here
	stamp show --json | jq -r ".attachments[] | $1"
}

detached() {	# everything is as before
	local dev
	for dev in $(attached .dev | sort -u); do
		echo "qdisc del dev $dev clsact"
	done | tc -force -batch - 2>/dev/null
	find "$bpffs" -type f ! -name '*.debug' -delete
	is "$1: nothing is left in the kernel" 0 "$(kernel_objects 0)"
}

# ---------------------------------------------------------- a thousand pods

devices() {
	local i
	for ((i = 1; i <= pairs; i++)); do
		echo "va$i"
		echo "vb$i"
	done
}

expected() {	# of each interface its value, sorted
	awk '{ printf "%s 0x%x\n", $1, 1000 + NR }' "$tmp/devices" | sort
}

seen() {	# NAME of the value
	attached "select(.ours) | \"\(.dev) \(.values[] | select(.name == \"$1\") | .value)\"" | sort
}

common_maps() {	# COUNT: how many maps so many programs have
	stamp show --json | jq --argjson n "$1" \
		'[.attachments[].map_ids[]] | group_by(.) | map(select(length == $n)) | length'
}

thousand() {
	local count=$((2 * pairs))
	awk '{ printf "%s vni=%d prog=from_pod direction=ingress\n", $1, 1000 + NR }' "$tmp/devices" >"$tmp/pods"
	ok "thousand" /usr/bin/time -o "$tmp/time" -f %M "$BPFSTAMP" attach "$vpc" --batch "$tmp/pods" \
		--pin-path "$bpffs" --set vxlan_ifindex=77
	is "thousand: a line each" "$count $count" "$(wc -l <<<"$out") $(sort -u <<<"$out" | wc -l)"
	is "thousand: which is the result" 0 \
		"$(grep -cvE "^$tmp/pods:[0-9]+: attached from_pod to clsact ingress of v[ab][0-9]+: " <<<"$out")"
	is "thousand: VNIs" "$(expected)" "$(seen vni)"
	is "thousand: the option's value" "$count" "$(attached '.values[] | select(.name == "vxlan_ifindex" and
		.value == "0x4d") | .value' | wc -l)"
	is "thousand: two maps are the same for all" 2 "$(common_maps "$count")"
	if [ "$(cat "$tmp/time")" -lt 8192 ]; then
		pass "thousand: less than 8 MiB"
	else
		fail "thousand: memory" "$(cat "$tmp/time") KiB"
	fi
}

# The run is killed while most of its output waits to be read, and so before its end.
killed() {
	local count=$((2 * pairs)) pid line i whole wrong before o=$tmp/$uniq.o
	unique "$OBJECTS/ping_drop_stamp.v3.o"
	mkfifo "$tmp/fifo"
	awk '{ printf "{\"dev\": \"%s\", \"set\": {\"target_addr\": %d}}\n", $1, 1000 + NR }' "$tmp/devices" \
		>"$tmp/pods"
	"$BPFSTAMP" attach "$o" --batch "$tmp/pods" --json >"$tmp/fifo" 2>/dev/null &
	pid=$!
	exec 7<"$tmp/fifo"
	for i in 1 2 3 4 5 6 7 8 9 10; do
		read -r line <&7
	done
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	exec 7<&-
	has "killed: in the middle" '"attached":true' "$line"
	seen target_addr >"$tmp/seen"
	whole=$(wc -l <"$tmp/seen")
	wrong=$(comm -23 "$tmp/seen" <(expected))
	is "killed: what is attached is right" "" "$wrong"
	[ "$whole" -ge 10 ] && [ "$whole" -lt "$count" ] || fail "killed" "$whole of $count were attached"
	before=$(attached 'select(.dev == "va1") | .id')
	ok "killed: once more" stamp attach "$o" --batch "$tmp/pods" --if-absent --json
	is "killed: values" "$(expected)" "$(seen target_addr)"
	is "killed: what was there stays" "$before $whole" \
		"$(attached 'select(.dev == "va1") | .id') $(jq -c 'select(.attached | not)' <<<"$out" | wc -l)"
	ok "killed: in place of all" stamp attach "$o" --batch "$tmp/pods" --json
	is "killed: values again" "$(expected)" "$(seen target_addr)"
	is "killed: one filter each" "$count" "$(attached .dev | wc -l)"
}

# ------------------------------------------------------------------- sharing

programs() {	# how many different ones are attached
	attached .id | sort -u | wc -l
}

sharing() {
	local count=$((2 * pairs)) o=$tmp/$uniq.o
	awk '{ printf "%s target_addr=10.0.0.%d\n", $1, NR % 7 }' "$tmp/devices" >"$tmp/pods"
	unique "$OBJECTS/ping_drop_stamp.v3.o"
	for jobs in 1 4; do
		ok "shared, $jobs jobs" stamp attach "$o" --batch "$tmp/pods" --jobs $jobs --json
		is "shared, $jobs jobs: programs" 7 "$(programs)"
		# The programs of the first run are those of the second, too.
		is "shared, $jobs jobs: told" $((count - (jobs == 1 ? 7 : 0))) \
			"$(jq -c 'select(.reused)' <<<"$out" | wc -l)"
		is "shared, $jobs jobs: values" "$(awk '{ print $1, NR % 7 }' "$tmp/devices" | sort)" "$(
			attached '"\(.dev) \(.values[0].value)"' | while read -r dev value; do
				echo "$dev $(((value & 255) == 10 ? value >> 24 : value & 255))"
			done | sort)"
	done
	ok "shared, --inline" stamp attach "$OBJECTS/ping_drop_rodata.v3.o" --inline --batch "$tmp/pods" --prio 2
	has "shared, --inline: told" ': attached again filter_out to clsact egress of v' "$out"
	detached "shared"

	head -n 50 "$tmp/pods" >"$tmp/some"
	ok "--no-reuse" stamp attach "$o" --batch "$tmp/some" --no-reuse --json
	is "--no-reuse: programs" 50 "$(programs)"
	is "--no-reuse: told" 50 "$(jq -c 'select(.reused == false)' <<<"$out" | wc -l)"
	detached "--no-reuse"
	unique "$OBJECTS/ping_drop_global.v3.o"
	ok "writable data" stamp attach "$o" --batch "$tmp/some" --verbose
	has "writable data: says so" "note: .*program $uniq cannot be shared: .data can be written" "$out"
	is "writable data: programs" 50 "$(programs)"
	"$BPFSTAMP" set --dev va1 target_addr=10.9.9.9 >/dev/null
	is "writable data: set changes one" 1 \
		"$(attached '.values[] | select(.value | test("9090[9a]")) | .value' | wc -l)"
	detached "writable data"
}

# --------------------------------------------------------------------- lines

lines() {
	local o=$tmp/$uniq.o
	unique "$OBJECTS/ping_drop_stamp.v3.o"
	batch "$o" --json <<-END
		# a comment, and lines of blanks

		  	
		va1 target_addr=1
		  vb1	direction=ingress   prio=7 handle=0x9
		{"dev": "lo", "netns": "pod", "set": {"target_addr": "0.0.0.3"}}
		{"dev": "va2", "prio": 8, "handle": "10", "direction": "ingress"}
		va1 netns=pod prog=$uniq target_addr=4
	END
	is "forms: status" 0 "$status"
	is "forms: stderr" "" "$stderr"
	is "forms: results" "4 va1 null egress 1 1
5 vb1 null ingress 7 9
6 lo pod egress 1 1
7 va2 null ingress 8 10
8 va1 pod egress 1 1" "$(jq -r '"\(.line) \(.dev) \(.netns) \(.direction) \(.prio) \(.handle)"' <<<"$stdout" | sort)"
	has "forms: tc says the same" 'pref 7 .*handle 0x9 bpfstamp:' "$(tc filter show dev vb1 ingress)"
	is "forms: values" "va1 0x1" "$(attached '"\(.dev) \(.values[] | select(.stamped) | .value)"')"
	has "forms: in the namespace" 'bpfstamp:' "$(tc -n pod filter show dev lo egress)"
	tc -n pod qdisc del dev lo clsact
	tc -n pod qdisc del dev va1 clsact

	batch "$o" --dry-run --set target_addr=5 <<<'va3 prio=3'
	is "dry run" "0 stdin:1: would attach $uniq to clsact egress of va3: prio 3 handle 0x1" "$status $stdout"
	is "dry run attaches nothing" "" "$(tc filter show dev va3 egress)"
	batch "$o" --append <<<$'va3\nva3'
	is "append" "0 1 2" "$status $(attached 'select(.dev == "va3") | .prio' | paste -sd ' ')"
	batch "$o" </dev/null
	is "no line" "0 " "$status $stdout$stderr"
	printf 'va4' >"$tmp/unended"
	ok "a line without an end" stamp attach "$o" --batch "$tmp/unended"
	printf 'va5 target_addr=1\r\n' | stamp attach "$o" --batch - >/dev/null
	is "a line that ends in CR" 0 $?
	printf 'va6 target_addr=1\r\n\r\nva7 target_addr=1\r' | stamp attach "$o" --batch - --dry-run >"$tmp/told"
	is "the last line ends in CR alone" "0 2" "$? $(wc -l <"$tmp/told")"
	batch "$OBJECTS/ping_drop_const.v3.o" --replace 0xFEDCBA98=10.0.0.2 \
		<<<$'va6\nva7 0xFEDCBA98=10.0.0.3'
	is "placeholder" "0 2" "$status $(attached 'select(.dev == "va6" or .dev == "va7") | .values[0].value' |
		sort -u | wc -l)"
	batch "$o" --allow-unused <<<'va8 nosuch=1 target_addr=2'
	is "--allow-unused" "0 " "$status $stderr"
	batch "$o" --hook tcx <<<$'va9 target_addr=1\nva9 direction=ingress target_addr=1'
	if [ $status = 0 ]; then
		is "tcx" "egress ingress" "$(attached 'select(.dev == "va9" and .hook == "tcx") | .direction' |
			sort | paste -sd ' ')"
	else
		skip "tcx" "$stderr"
	fi
	detached "lines"
}

wrong() {	# NAME LINE PATTERN [OPTION…]: told with file and line, and the good line before is not attached
	local name=$1 line=$2 pattern=$3
	shift 3
	batch "$tmp/$uniq.o" "$@" < <(printf 'va1\n%b\n' "$line")
	is "wrong: $name: status" 2 "$status"
	is "wrong: $name: stdout" "" "$stdout"
	has "wrong: $name: text" "^bpfstamp: stdin:2: $pattern\$" "$(head -n 1 <<<"$stderr")"
	is "wrong: $name: the rest" "bpfstamp: stdin: 1 line is wrong: nothing was attached" \
		"$(tail -n +2 <<<"$stderr")"
	is "wrong: $name: nothing is attached" "" "$(tc filter show dev va1 egress)"
}

wrong_lines() {
	local many line
	unique "$OBJECTS/ping_drop_stamp.v3.o"
	wrong "a word alone" 'va2 target_addr' "'target_addr' is no NAME=VALUE"
	wrong "no name" 'va2 =1' "'=1' is no NAME=VALUE"
	wrong "no interface" 'target_addr=1' "the first word has to be the interface, and is 'target_addr=1'"
	wrong "key twice" 'va2 prio=2 prio=2' 'prio is given twice'
	wrong "dev twice" 'va2 dev=va3' 'dev is given twice'
	wrong "value twice" 'va2 target_addr=1 target_addr=1' 'target_addr is given two values'
	wrong "prio" 'va2 prio=65536' "prio does not take '65536'"
	wrong "handle" 'va2 handle=0' "handle does not take '0'"
	wrong "direction" 'va2 direction=egres' "direction does not take 'egres' \(did you mean 'egress'\?\)"
	wrong "direction of another hook" 'va2 direction=peer' 'direction peer does not go with clsact'
	wrong "prio of no hook" 'va2 prio=2' 'prio 2 does not go with tcx' --hook tcx
	wrong "prio and --append" 'va2 prio=2' 'prio 2 does not go with --append' --append
	wrong "empty netns" 'va2 netns=' 'netns is empty'
	wrong "no such value" 'va2 nosuch=1' ".*nothing called 'nosuch' can be stamped"
	wrong "value of no number" 'va2 target_addr=x' ".*target_addr: 'x' is not a value: .*"
	wrong "value too large" 'va2 target_addr=0x100000000' '.*target_addr: .*'
	wrong "no such program" 'va2 prog=nosuch' ".*no program called 'nosuch'"
	wrong "the same place" 'va1 target_addr=2' 'it means the same place as line 1'
	for line in "va1 netns=/proc/self/ns/net" "va1 netns=$$"; do
		wrong "the same namespace: $line" "$line" 'it means the same place as line 1'
	done
	wrong "a filter or a link" 'va1 prio=2' 'it means the same place as line 1' --hook auto
	batch "$tmp/$uniq.o" --dry-run <<<$'va1\nva1 prio=2\nva1 handle=2\nva1 netns=pod\nva1 direction=ingress'
	is "five places" "0 5" "$status $(wc -l <<<"$stdout")"
	batch "$tmp/$uniq.o" <<<$'va1 netns=nosuch\nva2\nva1\nva1 netns=1\nva2\nva1 netns=nosuch\nva2'
	is "the same places: lines and those before" \
		"4 3 5 2 6 1 7 2 bpfstamp: stdin: 4 lines are wrong: nothing was attached" \
		"$(sed -n 's/^bpfstamp: stdin:\([0-9]\): it means the same place as line \(.\)$/\1 \2/p' <<<"$stderr" |
		sort | paste -sd ' ') $(tail -n 1 <<<"$stderr")"
	wrong "no JSON" '{"dev": "va2"' '.* at character [0-9]+'
	wrong "a key of JSON twice" '{"dev": "va2", "dev": "va2"}' 'duplicate object key .*'
	wrong "unknown key" '{"dev": "va2", "vni": 7}' "there is no key 'vni'; values to stamp go into \"set\""
	wrong "no dev" '{"set": {"target_addr": 1}}' 'dev is missing'
	wrong "dev of another type" '{"dev": 1}' 'dev is not a string'
	wrong "prio of another type" '{"dev": "va2", "prio": 1.5}' 'prio is not a string or an integer'
	wrong "set of another type" '{"dev": "va2", "set": 1}' '"set" is no object of names and values'
	wrong "value of another type" '{"dev": "va2", "set": {"target_addr": null}}' \
		'set: target_addr: expected a string, an integer or a boolean'
	wrong "a CR" 'va2\rva3' 'there is a CR in it: lines end in LF or CR LF'
	wrong "a CR behind a comment" '# va2\rva3' 'there is a CR in it: lines end in LF or CR LF'
	wrong "two CR" 'va2\r\r' 'there is a CR in it: lines end in LF or CR LF'
	wrong "a NUL byte" 'va2\0x' 'there is a NUL byte in it'
	wrong "a control character" 'va2 target\0033=1' ".*nothing called 'target\?' can be stamped"
	wrong "one of UTF-8" "va2 target\\0302\\0233\\0303\\0233=1" ".*nothing called 'target\?Û' can be stamped"

	many=$(for _ in {1..30}; do echo x=1; done)
	batch "$tmp/$uniq.o" <<<"$many"
	is "wrong: many: told" "2 21 bpfstamp: stdin: 30 lines are wrong: nothing was attached" \
		"$status $(wc -l <<<"$stderr") $(tail -n 1 <<<"$stderr")"
	batch "$OBJECTS/ping_drop_const.v3.o" --replace 0xFEDCBA98=10.0.0.2 <<-END
		va1 0xFEDCBA98=x
		va2 0xFEDCBA98=y
		va1 0xFEDCBA98=3
		va3 nosuch=1
		va1 0xFEDCBA98=4
		va1 0xFEDCBA98=z
	END
	is "wrong: each line once" "1 2 4 5 6 bpfstamp: stdin: 5 lines are wrong: nothing was attached" \
		"$(sed -n 's/^bpfstamp: stdin:\([0-9]*\):.*/\1/p' <<<"$stderr" | sort -n | paste -sd ' ') $(
		tail -n 1 <<<"$stderr")"
	stdout=$(stamp attach "$tmp/$uniq.o" --batch "$tmp/nosuch" 2>&1)
	is "no such file" "1 bpfstamp: cannot open $tmp/nosuch: No such file or directory" "$? $stdout"
	stdout=$(stamp attach "$tmp/$uniq.o" --batch "$tmp" 2>&1)
	is "a folder" "1 bpfstamp: cannot read $tmp: Is a directory" "$? $stdout"
	stdout=$(stamp attach "$tmp/$uniq.o" --batch - 2>&1 >&- <<<va1)
	is "no standard output" "1 bpfstamp: standard output or standard error is closed, and there is nowhere to tell \
results: open it, if only to /dev/null" "$? $stdout"
	stdout=$(stamp attach "$tmp/$uniq.o" --batch - 2>&- <<<va1)
	is "no standard error" "1 " "$? $stdout"
	detached "wrong"
}

# ------------------------------------------------------------------ failures

failures() {
	local o=$tmp/$uniq.o
	unique "$OBJECTS/ping_drop_stamp.v3.o"
	batch "$o" --jobs 1 <<<$'va1\nnosuch\nva2\nva3'
	is "failure" "1 1" "$status $(wc -l <<<"$stdout")"
	is "failure: told" "bpfstamp: stdin:2: no such device 'nosuch'
bpfstamp: stdin: 1 of 4 lines failed, and 2 were not tried (--keep-going)" "$stderr"
	is "failure: va2" "" "$(tc qdisc show dev va2 clsact)"

	tc qdisc add dev va4 clsact
	tc filter add dev va4 egress prio 1 u32 match u32 0 0 classid 1:1
	batch "$o" --jobs 3 --keep-going --json <<<$'nosuch\nva2\nva3 netns=nosuch\nva4\nva5'
	is "--keep-going" "1 bpfstamp: stdin: 3 of 5 lines failed" "$status $stderr"
	is "--keep-going: results" "1 nosuch no such device 'nosuch'
2 va2 true
3 va3 there is no network namespace 'nosuch' (/run/netns/nosuch)
4 va4 prio 1 on va4 is taken by a u32 filter of protocol 0x0003; choose another prio
5 va5 true" "$(jq -r '"\(.line) \(.dev) \(.error // .attached)"' <<<"$stdout" | sort)"
	is "--keep-going: others' filters" 1 "$(tc filter show dev va4 egress | grep -c 'match 0')"
	tc qdisc del dev va4 clsact
	detached "failures"

	# Pins of maps stay where a line has succeeded, and only there.
	batch "$vpc" --prog from_pod --keep-going <<<$'nosuch\nnosuch2'
	is "pins: all failed" "1 " "$status $(find "$bpffs" -type f ! -name '*.debug')"
	batch "$vpc" --prog from_pod --keep-going <<<$'nosuch\nva1\nnosuch2\nva2'
	is "pins: some failed" "1 2" "$status $(common_maps 2)"
	is "pins: some failed: they are there" 2 "$(find "$bpffs" -name 'vpc_*' -type f | wc -l)"
	detached "pins"
	batch "$OBJECTS/rejected.v3.o" --keep-going <<<$'va1\nva2'
	is "rejected" "1 2" "$status $(grep -c '^bpfstamp: stdin:[12]: .*refuses program' <<<"$stderr")"
	is "rejected: nothing is left" "" "$(tc qdisc show dev va1 clsact)"
}

log_lines() {	# of the verifier's logs on stdin, without addresses and times
	grep -v '^bpfstamp: ' | sed -E 's/0xffff[0-9a-f]+/ADDRESS/; s/[0-9]+ usec/TIME/'
}

single_log() {	# PROGRAM [OPTION]: the log that attach by itself prints
	stamp attach "$OBJECTS/rejected_reasons.v3.o" --dev va1 --prog "$@" 2>&1 | log_lines
}

# The log is that of attach by itself, in front of the first line of each program that fails.
logs() {
	local o=$OBJECTS/rejected_reasons.v3.o first verbose=() count
	for option in "" --verbose; do
		verbose=($option)
		batch "$o" "${verbose[@]}" --prog value_bounds --jobs 1 <<<$'va1\nva2'
		is "log$option" "$(single_log value_bounds "${verbose[@]}")" \
			"$(grep -v '^note: ' <<<"$stderr" | log_lines)"
	done
	is "log: in front" "processed bpfstamp: bpfstamp:" "$(grep -v ^note: <<<"$stderr" | tail -n 3 |
		awk '{ print $1 }' | paste -sd ' ')"

	count=$((2 * pairs))
	sed 's/$/ prog=value_bounds/; 7s/value_bounds/null_untested/; 900s/value_bounds/no_value/' "$tmp/devices" \
		>"$tmp/pods"
	stdout=$(stamp attach "$o" --batch "$tmp/pods" --keep-going --jobs 4 2>"$tmp/stderr")
	is "logs: many" "1 $count 3" "$? $(grep -c '^bpfstamp: .*:[0-9]*: .*refuses' "$tmp/stderr") \
$(grep -c '^processed ' "$tmp/stderr")"
	for program in value_bounds null_untested no_value; do
		first=$(grep -n "^bpfstamp: .*refuses program $program" "$tmp/stderr" | head -n 1 | cut -d : -f 1)
		is "logs: $program: whole, in front of its first" "$(single_log $program)" \
			"$(head -n $((first - 1)) "$tmp/stderr" | tail -n "$(single_log $program | wc -l)" | log_lines)"
	done
	batch "$o" --json --keep-going --prog value_bounds <<<$'va1\nva2'
	is "logs: --json" "$(single_log value_bounds)" "$(log_lines <<<"$stderr")"
	is "logs: --json: stdout" "1 true
2 true" "$(jq -r '"\(.line) \(.error | contains("refuses program value_bounds"))"' <<<"$stdout" | sort)"
	printf 'va1\nva2\n' >"$tmp/pods"
	have valgrind && valgrind_options=--undef-value-errors=no valgrind_clean "rejected" 1 \
		attach "$o" --prog value_bounds --batch "$tmp/pods" --keep-going --jobs 2
	detached "logs"
}

# ------------------------------------------------------------- on a terminal

terminal() {
	local shown
	have script || { skip terminal "there is no script"; return; }
	shown=$(TERM=xterm script -qec \
		"'$BPFSTAMP' attach '$tmp/$uniq.o' --batch '$tmp/pods' --keep-going >/dev/null" \
		/dev/null </dev/null | tr '\r' '\n')
	has "terminal: the last" '^\[#{30}\] 1000/1000  [0-9]+/s  ETA 0:00' "$shown"
	shown=$(TERM=dumb script -qec "'$BPFSTAMP' attach '$tmp/$uniq.o' --batch '$tmp/pods' >/dev/null" /dev/null \
		</dev/null)
	is "terminal: dumb" "" "$shown"
	printf 'va1\nnosuch\n' >"$tmp/pods"
	shown=$(TERM=xterm script -qec "'$BPFSTAMP' attach '$tmp/$uniq.o' --batch '$tmp/pods' --keep-going" \
		/dev/null </dev/null | tr '\r' '\n')
	has "terminal: failures" '\] 2/2 .*  1 failed' "$shown"
	detached "terminal"
}

memory() {
	have valgrind || { skip "valgrind" "there is no valgrind"; return; }
	printf 'va1\nnosuch\nva2 netns=pod\nva3 target_addr=1\nva5 netns=nosuch\n' >"$tmp/pods"
	valgrind_clean "batch" 1 attach "$tmp/$uniq.o" --batch "$tmp/pods" --keep-going --json --jobs 2
	printf 'va1\nx\nva2 prio=0\n{"dev": "va3", "set": {"target_addr": "x"}}\nva4 nosuch=1\n' >"$tmp/pods"
	valgrind_clean "wrong lines" 2 attach "$tmp/$uniq.o" --batch "$tmp/pods"
	printf 'va1\nva2 target_addr=x\n' >"$tmp/pods"
	valgrind_clean "wrong values" 2 attach "$tmp/$uniq.o" --batch "$tmp/pods"
	detached "valgrind"
}

[ "$isolated" = yes ] || { skip batch "needs root, to make namespaces and a bpffs"; finish; }
have jq && have bpftool || { skip batch "needs jq and bpftool"; finish; }
mkdir "$bpffs" && mount -t bpf none "$bpffs" || { skip batch "no bpffs"; finish; }
devices >"$tmp/devices"
for ((i = 1; i <= pairs; i++)); do
	echo "link add va$i type veth peer name vb$i"
done | ip -batch - && ip netns add pod && ip -n pod link add va1 type veth peer name vb1 ||
	{ skip batch "no veth"; finish; }
lines
wrong_lines
failures
logs
sharing
thousand
detached "thousand"
killed
detached "killed"
awk '{ print $1 }' "$tmp/devices" >"$tmp/pods"
terminal
memory
finish
