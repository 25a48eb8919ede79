#!/usr/bin/env bash
# C, C++ and Node.js as their callers meet them: headers, tests and examples against the sandbox.
#   tests/c/run.sh        all of it, plain, with sanitizers and under valgrind
#   tests/c/run.sh quick  plain only
# ZUS_LIB_DIR: where libzus.so is; ZUS_SANDBOX: the sandbox program. Compilers: gcc and clang.
set -u
mode=${1:-all}
repo=$(cd "$(dirname "$0")/../.." && pwd)
lib_dir=${ZUS_LIB_DIR:-$repo/target/release}
export ZUS_SANDBOX=${ZUS_SANDBOX:-$repo/target/debug/examples/sandbox}
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
# An environment of the caller's own is not to reach the tests.
unset ZOOM_ACCESS_TOKEN ZOOM_ACCOUNT_ID ZOOM_CLIENT_ID ZOOM_CLIENT_SECRET ZOOM_API_URL ZOOM_OAUTH_URL
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
passed=0 failed=0 skipped=0

work=$(mktemp -d)
trap 'exec 8>&- 9>&-; rm -rf "$work"' EXIT
[ -f "$lib_dir/libzus.so" ] || { echo "there is no $lib_dir/libzus.so: cargo build --release"; exit 1; }
[ -x "$ZUS_SANDBOX" ] || { echo "there is no $ZUS_SANDBOX: cargo build --example sandbox"; exit 1; }
# A copy, which no build replaces midway; programs ask the loader for it by its soname.
mkdir "$work/lib"
cp "$lib_dir/libzus.so" "$work/lib/libzus.so"
ln -s libzus.so "$work/lib/libzus.so.0"
export ZUS_LIB_DIR=$work/lib
export LD_LIBRARY_PATH=$work/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

have() { # have COMMAND PACKAGE: installs the package where it can
  command -v "$1" >/dev/null && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$2"; } >"$work/apt" 2>&1
  fi
  command -v "$1" >/dev/null
}
skip() { echo "SKIPPED: $1: $2"; skipped=$((skipped + 1)); }
good() { passed=$((passed + 1)); }
bad() { echo "FAILED: $1"; sed 's/^/    /' "$work/output" | tail -40; failed=$((failed + 1)); }

# step NAME COMMAND...: one test, silent when it passes.
step() {
  local name=$1; shift
  if "$@" >"$work/output" 2>&1; then good; else bad "$name"; fi
}

# suite NAME COMMAND...: a program that counts its own tests.
suite() {
  local name=$1 status line; shift
  timeout 600 "$@" >"$work/output" 2>&1
  status=$?
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$work/output" | tail -1)
  if [ -z "$line" ]; then bad "$name (exit status $status)"; return; fi
  passed=$((passed + ${line%% *}))
  line=${line#*, }
  failed=$((failed + ${line%% *}))
  if [ "$status" != 0 ]; then
    [ "${line%% *}" != 0 ] || failed=$((failed + 1)) # its tests passed, but not its sanitizer, say
    echo "FAILED: $name (exit status $status)"
    sed 's/^/    /' "$work/output" | tail -60
  else
    echo "passed: $name: $(grep -E '^[0-9]+ passed' "$work/output" | tail -1)"
  fi
}

# expect NAME STATUS PATTERN COMMAND...: the exit status, and a Perl regular expression that the output matches; '' for
# no output at all.
expect() {
  local name=$1 status=$2 pattern=$3 got fits=no; shift 3
  timeout 120 "$@" >"$work/output" 2>&1
  got=$?
  if [ -z "$pattern" ]; then [ ! -s "$work/output" ] && fits=yes
  else grep -Pqz -- "$pattern" "$work/output" && fits=yes; fi
  echo "[exit status $got, should be $status; should match: $pattern]" >>"$work/output"
  if [ $got = "$status" ] && [ $fits = yes ]; then good; else bad "$name"; fi
}

have gcc gcc && have g++ g++ && have clang clang && have clang++ clang || true
have gcc gcc && c_compilers="gcc" || { c_compilers=; skip "gcc" "not found"; }
have clang clang && c_compilers="$c_compilers clang" || skip "clang" "not found"
[ -n "$c_compilers" ] || { echo "no C compiler"; exit 1; }
cc=${c_compilers%% *}
cxx=$cc; [ "$cc" = gcc ] && cxx=g++ || cxx=clang++

C_WARNINGS="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Werror"
CXX_WARNINGS="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Werror"
TEST_WARNINGS=${CXX_WARNINGS/-Wold-style-cast /} # the tests share headers with C
INCLUDE="-I$repo/include"

# A certificate for localhost that vouches for itself.
if have openssl openssl && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
  -keyout "$work/tls.key" -out "$work/tls.crt" >"$work/output" 2>&1; then
  export ZUS_TEST_TLS=$work/tls
else
  skip "TLS in answers.c" "no certificate from openssl"
fi

headers() {
  local c x s
  printf '#include "zus.h"\n#include "zus.h"\nint main(void) { return zus_version() == 0; }\n' >"$work/header.c"
  printf '#include "zus.h"\n#include "zus.h"\nint main() { return zus_version() == nullptr; }\n' >"$work/header.cpp"
  printf '#include "zus.hpp"\n#include "zus.hpp"\nint main() { return zus::version().empty(); }\n' >"$work/headerpp.cpp"
  printf '#include "zus.hpp"\nint main() { zus::client(zus::config()).deactivate("ada"); }\n' >"$work/dropped.cpp"
  printf '#include "zus.hpp"\nint main() { zus::client(zus::config()).update_many({"ada"}, zus::action::activate, [](zus::result_view) {}); }\n' >"$work/dropped_many.cpp"
  for c in dropped dropped_many; do
    expect "the compiler warns of a result that is $c" 1 'Werror=unused-result' $cxx -std=c++17 -Wall -Werror=unused-result $INCLUDE -fsyntax-only "$work/$c.cpp"
  done
  for c in $c_compilers; do
    for s in c99 c11 c17 c2x; do
      step "zus.h as $s with $c" "$c" -std=$s $C_WARNINGS $INCLUDE -fsyntax-only "$work/header.c"
    done
    [ "$c" = gcc ] && x=g++ || x=clang++
    for s in c++11 c++14 c++17 c++20 c++2b; do
      step "zus.h as $s with $x" "$x" -std=$s $CXX_WARNINGS $INCLUDE -fsyntax-only "$work/header.cpp"
    done
    for s in c++17 c++20 c++2b; do
      step "zus.hpp as $s with $x" "$x" -std=$s $CXX_WARNINGS $INCLUDE -fsyntax-only "$work/headerpp.cpp"
      step "zus.hpp as $s with $x, no exceptions" "$x" -std=$s -fno-exceptions $CXX_WARNINGS $INCLUDE -fsyntax-only "$work/headerpp.cpp"
      step "C++ tests as $s with $x" "$x" -std=$s $TEST_WARNINGS $INCLUDE -fsyntax-only "$repo/tests/cpp/wrapper.cpp"
    done
    for s in c99 c11 c17 c2x; do
      step "C examples as $s with $c" "$c" -std=$s $C_WARNINGS $INCLUDE -fsyntax-only "$repo"/examples/c/*.c
      step "C tests as $s with $c" "$c" -std=$s -D_POSIX_C_SOURCE=200809L $C_WARNINGS $INCLUDE -fsyntax-only "$repo"/tests/c/*.c
    done
  done
  if have x86_64-w64-mingw32-g++-posix g++-mingw-w64-x86-64-posix; then
    step "C examples for Windows" x86_64-w64-mingw32-gcc-posix -std=c99 $C_WARNINGS $INCLUDE -fsyntax-only "$repo"/examples/c/*.c
    step "C++ examples for Windows" x86_64-w64-mingw32-g++-posix -std=c++17 $CXX_WARNINGS $INCLUDE -fsyntax-only "$repo"/examples/cpp/*.cpp
  else
    skip "C and C++ examples for Windows" "no x86_64-w64-mingw32-g++-posix"
  fi
}

# Each function of the header is reached from C++, and called by a test here.
no_drift() {
  local name number missing=0
  for name in $(grep -oE '\bzus_[a-z_]+\(' "$repo/include/zus.h" | tr -d '(' | sort -u); do
    grep -q "\b$name(" "$repo/include/zus.hpp" || { echo "$name is not in zus.hpp"; missing=1; }
    grep -q "\b$name(" "$repo"/tests/c/*.[ch] || { echo "$name is in no test of tests/c"; missing=1; }
  done
  for name in $(grep -oE '\bZUS_(ERR_[A-Z0-9_]+|OK|ACTIVATE|DEACTIVATE|CLOCK_IN|CLOCK_OUT|BODY_[A-Z]+)\b' "$repo/include/zus.h" | sort -u); do
    grep -q "\b$name\b" "$repo/include/zus.hpp" || { echo "$name is not in zus.hpp"; missing=1; }
  done
  for name in activate deactivate clock_in clock_out; do # the numbers in Node.js
    number=$(sed -n "s/^#define ZUS_${name^^} \([0-9]*\)$/\1/p" "$repo/include/zus.h")
    grep -Eq "ACTIONS = .*\b$name: $number\b" "$repo/examples/node/zus.js" || { echo "$name is not $number in zus.js"; missing=1; }
  done
  return $missing
}

short_snippets() { # what the README shows is under 12 lines
  local file lines
  for file in examples/c/readme.c examples/cpp/readme.cpp; do
    lines=$(sed -n '/\(\/\*\|\/\/\) README/,/\(\/\*\|\/\/\) README/p' "$repo/$file" | sed '1d;$d' | grep -vc '^ *$')
    echo "$file: $lines lines"
    [ "$lines" -gt 3 ] && [ "$lines" -lt 12 ] || return 1
  done
}

# build DIRECTORY FLAGS...: all programs.
build() {
  local dir=$1 name; shift
  mkdir -p "$dir"
  for name in arguments answers calls; do
    step "build $name.c $*" $cc -std=c11 -D_POSIX_C_SOURCE=200809L $C_WARNINGS -gdwarf-4 $INCLUDE "$@" "$repo/tests/c/$name.c" -o "$dir/$name" -L"$work/lib" -lzus -pthread
  done
  for name in update_status offboard readme; do
    step "build $name.c $*" $cc -std=c99 $C_WARNINGS -gdwarf-4 $INCLUDE "$@" "$repo/examples/c/$name.c" -o "$dir/c_$name" -L"$work/lib" -lzus -pthread
    step "build $name.cpp $*" $cxx -std=c++17 $CXX_WARNINGS -gdwarf-4 $INCLUDE "$@" "$repo/examples/cpp/$name.cpp" -o "$dir/cpp_$name" -L"$work/lib" -lzus -pthread
  done
  step "build wrapper.cpp $*" $cxx -std=c++20 $TEST_WARNINGS -gdwarf-4 $INCLUDE "$@" "$repo/tests/cpp/wrapper.cpp" -o "$dir/wrapper" -L"$work/lib" -lzus -pthread
  step "build no_exceptions.cpp $*" $cxx -std=c++17 -fno-exceptions $TEST_WARNINGS -gdwarf-4 $INCLUDE "$@" "$repo/tests/cpp/no_exceptions.cpp" -o "$dir/no_exceptions" -L"$work/lib" -lzus -pthread
}

# A sandbox of this script's: start_sandbox OPTIONS... exports its addresses; it ends when the pipe on 9 does.
start_sandbox() {
  exec 9>&-
  rm -f "$work/pipe"
  mkfifo "$work/pipe"
  "$ZUS_SANDBOX" --until-stdin-closes "$@" <"$work/pipe" >"$work/sandbox" 2>&1 &
  exec 9>"$work/pipe"
  for _ in $(seq 100); do grep -q '^ready' "$work/sandbox" && break; sleep 0.1; done
  zoom_url=$(sed -n 's/^ZOOM_API_URL=//p' "$work/sandbox")
  oauth_url=$(sed -n 's/^ZOOM_OAUTH_URL=//p' "$work/sandbox")
}

# The accounting of an interrupted run: each user on one line, nobody done twice.
accounted() {
  local done left
  done=$(grep -c '^DONE ' "$work/run") left=$(grep -c '^LEFT ' "$work/run")
  echo "$done done, $left left"
  [ "$done" -gt 0 ] && [ "$left" -gt 0 ] && [ $((done + left)) = 200 ] &&
    [ "$(sed -n 's/^\(DONE\|LEFT\) //p' "$work/run" | sort -u | wc -l)" = 200 ]
}

# examples DIRECTORY NAME WRAPPER...: what the programs print, and their exit statuses. The wrapper is valgrind, or none.
examples() {
  local dir=$1 name=$2 lang; shift 2
  start_sandbox --users 200
  local env=(env "ZOOM_ACCESS_TOKEN=sandbox-token" "ZOOM_API_URL=$zoom_url" "ZOOM_OAUTH_URL=$oauth_url")
  local oauth=(env ZOOM_ACCOUNT_ID=sandbox-account ZOOM_CLIENT_ID=sandbox-client ZOOM_CLIENT_SECRET=sandbox-secret "ZOOM_API_URL=$zoom_url" "ZOOM_OAUTH_URL=$oauth_url")
  printf '\xEF\xBB\xBFada@example.com\r\n\r\n  nobody@example.com \t\r\nlinus@example.com' >"$work/list"
  seq -f 'user%05g@example.com' 200 >"$work/users"
  for lang in c cpp; do
    local what="$name, $lang" run=("$@" "$dir/${lang}_update_status")
    expect "update_status: done ($what)" 0 '^HTTP 204\n$' "${env[@]}" "${run[@]}" ada@example.com deactivate
    expect "update_status: with OAuth ($what)" 0 '^HTTP 204\n$' "${oauth[@]}" "${run[@]}" ada@example.com activate
    expect "update_status: refused ($what)" 1 "^HTTP 404\nZUS_ERR_USER_NOT_FOUND: [^\n]*User does not exist[^\n]*\nZoom's code: 1001\ntracking id: v=2.0;[^\n]*\n\$" \
      "${env[@]}" "${run[@]}" nobody@example.com deactivate
    expect "update_status: no answer ($what)" 1 '^ZUS_ERR_CONNECT: [^\n]+\n$' "${env[@]}" ZOOM_API_URL=http://127.0.0.1:1/v2 "${run[@]}" ada@example.com deactivate
    expect "update_status: no arguments ($what)" 2 '^usage: ' "${env[@]}" "${run[@]}"
    expect "update_status: unknown action ($what)" 2 '^usage: ' "${env[@]}" "${run[@]}" ada@example.com erase
    expect "update_status: blank id ($what)" 2 'ZUS_ERR_ARGUMENT: ' "${env[@]}" "${run[@]}" ' ada@example.com' activate
    expect "update_status: no credentials ($what)" 2 '.' "${run[@]}" ada@example.com activate
    expect "update_status: bad URL ($what)" 2 '.' "${env[@]}" ZOOM_API_URL=http://zoom.us "${run[@]}" ada@example.com activate

    run=("$@" "$dir/${lang}_offboard")
    expect "offboard: a list with a failure ($what)" 1 'DONE ada@example.com\n' "${env[@]}" "${run[@]}" "$work/list"
    expect "offboard: says why ($what)" 1 'FAIL nobody@example.com ZUS_ERR_USER_NOT_FOUND 404/1001 [^\n]*User does not exist[^\n]*\[v=2.0' "${env[@]}" "${run[@]}" "$work/list"
    expect "offboard: the summary ($what)" 1 '2 done, 1 failed, 0 left: ' "${env[@]}" "${run[@]}" "$work/list"
    expect "offboard: standard input ($what)" 0 'DONE user00001@example.com\n' sh -c 'head -3 "$0" | "$@"' "$work/users" "${env[@]}" "${run[@]}"
    expect "offboard: ends early ($what)" 3 'LEFT user00200@example.com' "${env[@]}" ZOOM_ACCESS_TOKEN=expired "${run[@]}" "$work/users"
    expect "offboard: no file ($what)" 2 'usage' "${env[@]}" "${run[@]}" "$work/no-such-file"
    timeout -s INT --preserve-status 3 "${env[@]}" "${run[@]}" "$work/users" >"$work/run" 2>"$work/said"
    local status=$?
    expect "offboard: Ctrl-C ($what)" 130 ' left: ' sh -c 'cat "$0"; exit "$1"' "$work/said" $status
    step "offboard: Ctrl-C, everybody accounted for ($what)" accounted
  done
  expect "the README's C ($name)" 0 '' "${env[@]}" "$@" "$dir/c_readme"
  expect "the README's C++ ($name)" 0 'grace@example.com ZUS_OK\n(?s:.*)2 done, 0 failed, 0 not sent\n' "${env[@]}" "$@" "$dir/cpp_readme"
  cp "$work/sandbox" "$work/output"
  if grep -q 'PUT /v2/users/ada@example.com/status  action=deactivate' "$work/sandbox"; then good; else bad "the README's call is on the wire ($name)"; fi
  exec 9>&-
}

node_example() {
  have node nodejs || { skip "Node.js" "not found"; return; }
  have npm npm || { skip "Node.js" "no npm"; return; }
  local want at
  want=$(sed -n 's/.*"koffi": "\(.*\)".*/\1/p' "$repo/examples/node/package.json")
  at=$(sed -n 's/^ *"version": "\(.*\)".*/\1/p' "$repo/examples/node/node_modules/koffi/package.json" 2>/dev/null)
  if [ "$want" != "$at" ] && ! (cd "$repo/examples/node" && npm install --ignore-scripts --no-package-lock --no-audit --no-fund) >"$work/npm" 2>&1; then
    skip "Node.js" "npm install failed: $(tail -1 "$work/npm")"
    return
  fi
  suite "node $(node --version)" node "$repo/tests/node/test.js"
}

# memcheck, not helgrind: that knows pthread's locks only, and takes the futexes of Rust's std for data races.
VALGRIND="valgrind -q --leak-check=full --errors-for-leak-kinds=definite,possible --show-leak-kinds=definite,possible --error-exitcode=99 --suppressions=$repo/tests/c/valgrind.supp"

headers
step "no drift between zus.h, zus.hpp, zus.js and the tests" no_drift
step "the README's snippets are short" short_snippets
build "$work/plain" -O2
step "build panic.c" $cc -std=gnu11 $C_WARNINGS $INCLUDE "$repo/tests/c/panic.c" -o "$work/plain/panic" -L"$work/lib" -lzus -pthread
for name in arguments answers calls panic wrapper no_exceptions; do suite "$name" "$work/plain/$name"; done
examples "$work/plain" plain
node_example
if [ "$mode" != quick ]; then
  build "$work/sanitized" -O1 -fno-omit-frame-pointer -fsanitize=address,undefined
  for name in arguments answers calls wrapper no_exceptions; do suite "$name with sanitizers" "$work/sanitized/$name"; done
  examples "$work/sanitized" "with sanitizers"
  if have valgrind valgrind; then
    for name in arguments answers calls wrapper no_exceptions; do suite "$name under valgrind" $VALGRIND "$work/plain/$name"; done
    examples "$work/plain" "under valgrind" $VALGRIND
  else
    skip "valgrind" "not found"
  fi
fi
[ $skipped = 0 ] && echo "$passed passed, $failed failed" || echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
