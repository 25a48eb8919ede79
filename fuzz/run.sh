#!/bin/sh
# Runs each fuzz target for SECONDS (default 60), or the targets named after it: fuzz/run.sh SECONDS [TARGET...]
# Needs no cargo-fuzz and no nightly: the flags are those that cargo-fuzz gives. New inputs go to fuzz/target/corpus/, not to
# the committed corpus; an input that crashes stays in fuzz/artifacts/TARGET/.
set -eu
cd "$(dirname "$0")"
seconds=${1:-60}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- answer outcome retry_after user_id config

host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address -Ccodegen-units=1 --cfg fuzzing"
cargo build --release --locked --quiet --target "$host"
# Without these, an AddressSanitizer of libzus.so's own dependencies would report what lives as long as the process.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_odr_violation=0}"
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY || true

passed=0 failed=0
for target; do
  mkdir -p "target/corpus/$target" "artifacts/$target"
  # What it prints is kept for a failure; a line a target is enough otherwise.
  log="target/$target.log"
  if "target/$host/release/$target" "target/corpus/$target" "corpus/$target" \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="artifacts/$target/" >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
    echo "$target: ok, $runs runs, $cover edges"
    passed=$((passed + 1))
  else
    tail -40 "$log"
    echo "$target: FAILED, the input is in fuzz/artifacts/$target/"
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
