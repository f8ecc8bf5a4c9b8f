#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh NAME COMMAND…: runs a test program, shows what it prints, and counts
# its SKIP lines.  With CI set a skipped test is a failure: the machine there
# has everything.
set -u
name=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT

"$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}

# Whether this kernel tells that it was made without what a test wants.
elsewhere() {	# LINE
	local option
	option=$(sed -n 's/.*(\(CONFIG_[A-Z0-9_]*\)).*/\1/p' <<<"$1")
	[ -n "$option" ] && [ -e /proc/config.gz ] && ! zgrep -q "^$option=[ym]" /proc/config.gz
}

skipped=0 others=0
while read -r line; do
	if elsewhere "$line"; then others=$((others + 1)); else skipped=$((skipped + 1)); fi
done < <(grep '^SKIP' "$log")
[ "$others" -eq 0 ] || echo "$name: $others left to check-kernels, for want of a kernel option"
if [ "$skipped" -gt 0 ]; then
	echo "$name: $skipped skipped"
	[ -z "${CI:-}" ] || status=1
fi
exit "$status"
