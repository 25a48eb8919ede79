#!/usr/bin/env bash
# summary.sh PART...: one line a part of `make test`, and one for all. In CI a skipped part is a failure, but for .NET and
# PowerShell where ZUS_WITHOUT_DOTNET says so.
set -uo pipefail
logs=$(dirname "$0")/../target/test-logs
passed=0 failed=0 skipped=0
echo
for name; do
  log=$logs/$name.log
  [ -f "$log" ] || { echo "  $name did not run"; failed=$((failed + 1)); continue; }
  # cargo: "test result: ok. 3 passed; 0 failed"; ours: "3 passed, 0 failed"
  read -r p f < <(sed -nE 's/^test result: .* ([0-9]+) passed; ([0-9]+) failed.*/\1 \2/p; s/^([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p' "$log" |
    if [ "$name" = rust ]; then cat; else tail -n 1; fi | awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }')
  s=$(grep -c '^SKIPPED' "$log")
  printf '  %-10s %5d passed, %d failed, %d skipped   (%s)\n' "$name" "$p" "$f" "$s" "$(tail -n 1 "$log")"
  grep '^SKIPPED' "$log" | sed 's/^/           /'
  # A part that found no failure, and still ended as one, or that tested nothing.
  tail -n 1 "$log" | grep -q '^exit 0,' && { [ "$p" -gt 0 ] || grep -qE '^SKIPPED: no (\.NET SDK|PowerShell)' "$log"; } || [ "$f" -gt 0 ] || failed=$((failed + 1))
  [ -z "${ZUS_WITHOUT_DOTNET:-}" ] || s=$((s - $(grep -cE '^SKIPPED: .*no (\.NET SDK|PowerShell)' "$log")))
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ] && { [ "${CI:-}" != true ] || [ "$skipped" = 0 ]; }
