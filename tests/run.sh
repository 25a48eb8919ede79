#!/usr/bin/env bash
# run.sh NAME COMMAND...: runs one part of `make test` and keeps what it printed for tests/summary.sh.
# The Rust tests measure time: beside them, the other parts step back.
set -uo pipefail
name=$1
shift
logs=$(dirname "$0")/../target/test-logs
mkdir -p "$logs"
started=$SECONDS
[ "$name" = rust ] || set -- nice "$@"
"$@" 2>&1 | tee "$logs/$name.log"
status=${PIPESTATUS[0]}
times >"$logs/$name.times" # of its children in the second line: in user space, in the system
echo "exit $status, $((SECONDS - started)) s; CPU $(tail -n 1 "$logs/$name.times")" >>"$logs/$name.log"
exit "$status"
