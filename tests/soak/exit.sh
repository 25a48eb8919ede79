#!/usr/bin/env bash
# Programs in C and C++ that end in the middle of 100 started calls: each way RUNS times (default 40). None hangs, none crashes,
# and each has the status that it wanted.
#   tests/soak/exit.sh [RUNS]     ZUS_LIB_DIR, ZUS_SANDBOX: as for the other tests. CFLAGS: more for the compiler.
set -euo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
runs=${1:-40}
lib_dir=${ZUS_LIB_DIR:-$repo/target/release}
sandbox=${ZUS_SANDBOX:-$repo/target/debug/examples/sandbox}
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

work=$(mktemp -d)
trap 'exec 9>&-; rm -rf "$work"' EXIT
cp "$lib_dir/libzus.so" "$work/libzus.so"
ln -s libzus.so "$work/libzus.so.0"
flags=(-O1 -g -Wall -Wextra -Werror -I"$repo/include" ${CFLAGS:-})
link=(-L"$work" -lzus -Wl,-rpath,"$work" -pthread)
"${CC:-cc}" -std=gnu11 "${flags[@]}" "$repo/tests/soak/exit.c" -o "$work/c" "${link[@]}"
"${CXX:-c++}" -std=c++17 "${flags[@]}" "$repo/tests/soak/exit.cpp" -o "$work/cpp" "${link[@]}"

mkfifo "$work/stdin"
"$sandbox" --quiet --until-stdin-closes <"$work/stdin" >"$work/sandbox" &
exec 9>"$work/stdin"
for _ in $(seq 100); do
  grep -q '^ready' "$work/sandbox" && break
  sleep 0.1
done
# shellcheck disable=SC2046
export $(grep -E '^ZOOM_[A-Z_]+=' "$work/sandbox")

failed=0 passed=0
# ends PROGRAM WAY STATUS
ends() {
  local status said i
  for i in $(seq "$runs"); do
    status=0
    # A little longer than the second that a function may take; the kernel is asked to kill it only when it hangs.
    said=$(timeout --signal=KILL 20 "$work/$1" "$2" 2>&1) || status=$?
    if [ "$status" != "$3" ] || [ -n "$said" ]; then
      echo "FAILED: $1 $2, run $i: status $status, should be $3: ${said:0:2000}"
      failed=$((failed + 1))
      return
    fi
  done
  passed=$((passed + 1))
}
ends c return 0
ends c exit 3
ends c interrupt 130
ends c killed 130
ends cpp return 0
ends cpp exit 3
ends cpp exception 4
ends cpp interrupt 130
ends cpp killed 130
ends cpp statics 5
ends cpp function 6
ends cpp log 7
echo "$passed passed, $failed failed"
[ $failed = 0 ]
