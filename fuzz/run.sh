#!/bin/sh
# Runs each fuzz target for SECONDS (default 60), or the targets named after it, as many at a time as there are cores:
#   fuzz/run.sh SECONDS [TARGET...]
# Needs no cargo-fuzz and no nightly: the flags are those that cargo-fuzz gives. New inputs go to fuzz/target/corpus/, not to
# the committed corpus; an input that crashes stays in fuzz/artifacts/TARGET/.
set -eu
cd "$(dirname "$0")"
seconds=${1:-60}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- response outcome retry_after user_id config

host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address -Ccodegen-units=1 --cfg fuzzing"
cargo build --release --locked --quiet --target "$host"
# Without these, an AddressSanitizer of libzus.so's own dependencies would report what lives as long as the process.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_odr_violation=0}"
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY || true

# fuzz TARGET: what it prints is kept for a failure; a line a target is enough otherwise.
fuzz() {
  mkdir -p "target/corpus/$1" "artifacts/$1"
  log="target/$1.log"
  if "target/$host/release/$1" "target/corpus/$1" "corpus/$1" \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="artifacts/$1/" >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
    echo "$1: ok, $runs runs, $cover edges"
  else
    tail -40 "$log"
    echo "$1: FAILED, the input is in fuzz/artifacts/$1/"
  fi
}
all=$# cores=$(nproc 2>/dev/null || echo 1)
said=target/said
: >"$said"
while [ $# -gt 0 ]; do
  n=0
  while [ $# -gt 0 ] && [ $n -lt "$cores" ]; do
    fuzz "$1" >>"$said" &
    n=$((n + 1))
    shift
  done
  wait
done
cat "$said"
passed=$(grep -c ': ok, ' "$said" || true)
echo "$passed passed, $((all - passed)) failed"
[ "$passed" -eq "$all" ]
