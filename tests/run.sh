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
skipped=$(grep -c '^SKIP' "$log")
if [ "$skipped" -gt 0 ]; then
	echo "$name: $skipped skipped"
	[ -z "${CI:-}" ] || status=1
fi
exit "$status"
