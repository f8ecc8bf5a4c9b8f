#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Which system calls the static bpfstamp makes to attach a program, counted by
# strace and compared with the list below, which has a reason for each: a call
# more is a failure, and so is one less, for then the list is wrong.  The
# list also has every file that is opened or looked at: the kernel's types
# (/sys/kernel/btf) are read only for an object that needs them.
#
# Four runs are counted: the first attach of all, which makes the index of programs;
# the next one, with another value, which replaces that filter; one with that
# value again, whose program is there; and one without types, record, map and
# index, which is the least there is.  Memory is left to the C library: what it asks the kernel for is
# bounded here, and not listed, since it depends on the length of paths and names.
#
# LIST=1 prints the list as it is now, to be put in place of the one below.
set -u
. "$(dirname "$0")/lib.sh"
start syscalls "$@"

expected() {	# COUNT-FIRST COUNT-NEXT COUNT-AGAIN COUNT-LEAST CALL WHY, separated by tabs
	cat <<-'END'
		1	1	1	1	execve(bpfstamp)	the process
		1	1	1	1	arch_prctl	the C library: where errno of the thread is
		1	1	1	1	set_tid_address	the C library: the thread's number
		1	1	1	1	openat(OBJ)	the object
		1	1	1	1	fstat	it is a regular file, and how large
		1	1	1	1	read	all of it at once
		7	7	5	3	close	the object; maps, which their programs keep; the program, the index, the types and the socket
		1	1	1	1	socket	rtnetlink
		1	1	1	1	connect	nobody but the kernel can write to it
		1	1	1	1	setsockopt(NETLINK_EXT_ACK)	the kernel's reason for a refusal
		1	1	1	0	bpf(BPF_OBJ_GET)	the index of programs
		0	1	2	0	bpf(BPF_MAP_LOOKUP_ELEM)	whether it has an equal one; that one's record
		1	1	1	0	bpf(BPF_PROG_GET_FD_BY_ID)	that program; where there is none, whether this process may ask for any
		1	2	3	0	bpf(BPF_OBJ_GET_INFO_BY_FD)	whether index, program and record are what they should be; the new program's id
		0	0	1	0	bpf(BPF_MAP_GET_FD_BY_ID)	the record
		0	0	1	0	getuid	whether the program is this user's
		2	0	0	0	statfs(/sys/fs/bpf/bpfstamp)	there is no folder for an index
		2	0	0	0	statfs(/sys/fs/bpf)	there is a bpffs to make it in
		1	0	0	0	mkdir(/sys/fs/bpf/bpfstamp)	the folder
		1	0	0	0	bpf(BPF_OBJ_PIN)	the index in it
		1	1	0	0	bpf(BPF_BTF_LOAD)	types and source lines, for logs and dumps
		3	2	0	0	bpf(BPF_MAP_CREATE)	.rodata, the record, the index
		3	3	1	0	bpf(BPF_MAP_UPDATE_ELEM)	what is in them; whether the record is frozen, which it says by refusing
		2	2	0	0	bpf(BPF_MAP_FREEZE)	that nothing else ever is: the verifier may read .rodata
		1	1	0	1	bpf(BPF_PROG_LOAD)	the program
		1	1	0	0	bpf(BPF_PROG_BIND_MAP)	the record lives as long as it
		1	1	1	1	ioctl(SIOCGIFINDEX)	the interface's number
		1	1	1	1	ioctl(SIOCGIFNAME)	its name, where it was asked for by another one
		3	4	4	4	recvmsg	the answer to each request, and what became of the filter
		1	1	1	1	sendto(RTM_NEWQDISC)	clsact, or that it is there
		0	1	1	1	sendto(RTM_GETTFILTER)	whose the filter is that is there
		1	1	1	1	sendto(RTM_NEWTFILTER)	the filter, or in place of the one that is there
		1	1	1	1	writev(1)	the report
		1	1	1	1	exit_group	the end
	END
}

# Each call of a trace as CALL or CALL(DETAIL): of a file its path, of bpf(2) and netlink what is asked for.
calls() {	# TRACE
	sed -E 's/^[0-9]+ +//; /^[+-]/d; s/^<\.\.\. ([a-z0-9_]+) resumed>.*//; /^$/d' "$1" | awk '
	function found(pattern,   text, all) {
		text = $0
		while (match(text, pattern)) {
			all = all (all ? "+" : "") substr(text, RSTART, RLENGTH)
			text = substr(text, RSTART + RLENGTH)
		}
		return all
	}
	{
		call = substr($0, 1, index($0, "(") - 1)
		detail = ""
		if (call == "bpf")
			detail = found("^bpf\\(BPF_[A-Z_]+")
		else if (call ~ /^send/)
			detail = found("nlmsg_type=RTM_[A-Z]+")
		else if (call ~ /^(set|get)sockopt$/)
			detail = found("(NETLINK_[A-Z][A-Z_]+|SO_[A-Z]+)[A-Z_]*, ")
		else if (call == "ioctl" || call == "fcntl")
			detail = found("[FTS][A-Z_]+[A-Z]")
		else if (call ~ /^writev?$/)
			detail = found("^writev?\\([0-9]+")
		else if (match($0, /^[a-z0-9_]+\((AT_FDCWD, )?"[^"]*"/)) {
			detail = substr($0, RSTART, RLENGTH - 1)
			sub(/^[^"]*"/, "", detail)
		}
		gsub(/^bpf\(|^writev?\(|nlmsg_type=|, $/, "", detail)
		print call (detail == "" ? "" : "(" detail ")")
	}'
}

# Attach by strace; the calls go to $tmp/RUN, one a line, the object's path as OBJ.
trace() {	# RUN OPTIONS…
	local run=$1
	shift
	ok "attach ($run)" strace -f -s 4096 -o "$tmp/trace" "$BPFSTAMP" attach "$object" --dev va \
		"$@" || return
	calls "$tmp/trace" | sed "s|$BPFSTAMP|bpfstamp|; s|$object|OBJ|" >"$tmp/all"
	grep -vxE 'brk|mmap|munmap' "$tmp/all" >"$tmp/$run"
	between "$run: calls for memory" 1 30 "$(grep -cxE 'brk|mmap|munmap' "$tmp/all")"
}

between() {	# NAME LEAST MOST NUMBER
	if [ "$4" -ge "$2" ] && [ "$4" -le "$3" ]; then pass; else fail "$1" "$4 is not between $2 and $3"; fi
}

count() {	# RUN CALL
	grep -cxF -- "$2" "$tmp/$1"
}

# All calls that are in the list or were made, in the order of the list and then of the run.
known() {
	{ expected | cut -f 5; cat "$tmp"/{first,next,again,least}; } | awk '!seen[$0]++'
}

list() {
	local call why
	known | while IFS= read -r call; do
		why=$(expected | awk -F '\t' -v call="$call" '$5 == call { print $6 }')
		printf '\t\t%s\t%s\t%s\t%s\t%s\t%s\n' "$(count first "$call")" "$(count next "$call")" \
			"$(count again "$call")" "$(count least "$call")" "$call" "${why:-?}"
	done | awk -F '\t' '$3 + $4 + $5 + $6'
}

compare() {
	local call
	known >"$tmp/known"
	while IFS= read -r call; do
		is "$call: first, next, again, least" \
			"$(expected | awk -F '\t' -v call="$call" '$5 == call { print $1, $2, $3, $4 }' |
				grep . || echo 0 0 0 0)" \
			"$(count first "$call") $(count next "$call") $(count again "$call") $(count least "$call")"
	done <"$tmp/known"
}

main() {
	local object=$OBJECTS/ping_drop_rodata.v3.o

	[ "$isolated" = yes ] || { skip syscalls "no new namespaces"; finish; }
	have strace || { skip syscalls "no strace"; finish; }
	if readelf -lW "$BPFSTAMP" | grep -q INTERP || strings "$BPFSTAMP" | grep -q GLIBC; then
		skip syscalls "the list is for a static program with musl"
		finish
	fi
	network || { fail "network" "cannot be made"; finish; }
	trace first --set target_addr=10.0.0.3 && trace next --set target_addr=10.0.0.4 &&
		trace again --set target_addr=10.0.0.4 &&
		trace least --set target_addr=10.0.0.3 --inline --no-record --no-debug-info --no-reuse || finish
	is "files" "/sys/fs/bpf /sys/fs/bpf/bpfstamp OBJ bpfstamp" "$(cat "$tmp"/{first,next,again,least} |
		sed -nE 's/^[a-z0-9_]+\(((\/.*)|OBJ|bpfstamp)\)$/\1/p' | LC_ALL=C sort -u | paste -sd ' ')"
	if [ -n "${LIST:-}" ]; then
		list
	else
		compare
	fi
	finish
}

main "$@"
