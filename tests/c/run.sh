#!/usr/bin/env bash
# C and C++ as their callers meet them: headers, tests and examples against the sandbox.
#   tests/c/run.sh            all parts, side by side
#   tests/c/run.sh PART...    headers: what compilers say; sanitizers: every program, with ASan and UBSan; valgrind: the
#                             programs that give the library the most to do, since sanitizers see only what they
#                             compiled; ends: programs that end, or unload the library, in the middle of calls
# ZUS_LIB_DIR: where libzus.so is; ZUS_SANDBOX: the sandbox program. Compilers: gcc and clang.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
lib_dir=${ZUS_LIB_DIR:-$repo/target/release}
export ZUS_SANDBOX=${ZUS_SANDBOX:-$repo/target/debug/examples/sandbox}
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
# An environment of the caller's own is not to reach the tests.
unset ZOOM_ACCESS_TOKEN ZOOM_ACCOUNT_ID ZOOM_CLIENT_ID ZOOM_CLIENT_SECRET ZOOM_API_URL ZOOM_OAUTH_URL
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
passed=0 failed=0 skipped=0
[ $# -gt 0 ] || set -- headers sanitizers valgrind ends

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

have() { "$repo/tests/tools.sh" "$1"; command -v "$1" >/dev/null; }
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

if [ $# -gt 1 ]; then
  "$repo/tests/tools.sh" gcc g++ clang x86_64-w64-mingw32-g++-posix openssl valgrind
  # Each part counts its own; here they are added up, and shown in order.
  set -m # jobs of their own: without it, bash has background programs ignore Ctrl-C, of which there is a test
  for part; do "$0" "$part" >"$work/$part.part" 2>&1 & done
  wait
  for part; do
    sed '$d' "$work/$part.part"
    line=$(tail -n 1 "$work/$part.part")
    echo "$part: $line"
    [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed ]] || { failed=$((failed + 1)); continue; }
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
  done
  echo "$passed passed, $failed failed"
  [ $failed = 0 ]
  exit
fi

have gcc && c_compilers="gcc" || { c_compilers=; skip "gcc" "not found"; }
have clang && c_compilers="$c_compilers clang" || skip "clang" "not found"
[ -n "$c_compilers" ] || { echo "no C compiler"; exit 1; }
cc=${c_compilers%% *}
cxx=$cc; [ "$cc" = gcc ] && cxx=g++ || cxx=clang++

C_WARNINGS="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Werror"
CXX_WARNINGS="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Werror"
TEST_WARNINGS=${CXX_WARNINGS/-Wold-style-cast /} # the tests share headers with C
INCLUDE="-I$repo/include"

# A certificate for localhost that vouches for itself.
if have openssl && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
  -keyout "$work/tls.key" -out "$work/tls.crt" >"$work/output" 2>&1; then
  export ZUS_TEST_TLS=$work/tls
else
  skip "TLS in responses.c" "no certificate from openssl"
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
    done
    # The oldest, and the newest; the programs that run are compiled with others.
    for s in c99 c2x; do
      step "C examples as $s with $c" "$c" -std=$s $C_WARNINGS $INCLUDE -fsyntax-only "$repo"/examples/c/*.c
      step "C tests as $s with $c" "$c" -std=$s -D_POSIX_C_SOURCE=200809L $C_WARNINGS $INCLUDE -fsyntax-only "$repo"/tests/c/*.c
    done
    for s in c++17 c++2b; do
      step "C++ tests as $s with $x" "$x" -std=$s $TEST_WARNINGS $INCLUDE -fsyntax-only "$repo"/tests/cpp/{wrapper,started}.cpp
    done
  done
  if have x86_64-w64-mingw32-g++-posix; then
    step "C examples for Windows" x86_64-w64-mingw32-gcc-posix -std=c99 $C_WARNINGS $INCLUDE -fsyntax-only "$repo"/examples/c/*.c
    step "C++ examples for Windows" x86_64-w64-mingw32-g++-posix -std=c++17 $CXX_WARNINGS $INCLUDE -fsyntax-only "$repo"/examples/cpp/*.cpp
  else
    skip "C and C++ examples for Windows" "no x86_64-w64-mingw32-g++-posix"
  fi
}

# all_called PROGRAM...: together they call each function of the library.
all_called() {
  diff <(nm -D --defined-only "$work/lib/libzus.so" | awk '{ print $3 }' | sort) \
    <(nm -D --undefined-only "$@" | awk '/ zus_/ { print $2 }' | sort -u)
}

short_snippets() { # what the README shows is under 12 lines
  local file lines
  for file in examples/c/readme.c examples/cpp/readme.cpp; do
    lines=$(sed -n '/\(\/\*\|\/\/\) README/,/\(\/\*\|\/\/\) README/p' "$repo/$file" | sed '1d;$d' | grep -vc '^ *$')
    echo "$file: $lines lines"
    [ "$lines" -gt 3 ] && [ "$lines" -lt 12 ] || return 1
  done
}

# build DIRECTORY FLAGS...: the tests.
build() {
  local dir=$1 name; shift
  mkdir -p "$dir"
  for name in arguments responses calls start; do
    step "build $name.c $*" $cc -std=c11 -D_POSIX_C_SOURCE=200809L $C_WARNINGS -gdwarf-4 $INCLUDE "$@" "$repo/tests/c/$name.c" -o "$dir/$name" -L"$work/lib" -lzus -pthread
  done
  for name in wrapper started; do
    step "build $name.cpp $*" $cxx -std=c++20 $TEST_WARNINGS -gdwarf-4 $INCLUDE "$@" "$repo/tests/cpp/$name.cpp" -o "$dir/$name" -L"$work/lib" -lzus -pthread
  done
}

# build_examples DIRECTORY FLAGS...
build_examples() {
  local dir=$1 name; shift
  step "build event_loop.c $*" $cc -std=c99 $C_WARNINGS -gdwarf-4 $INCLUDE "$@" "$repo/examples/c/event_loop.c" -o "$dir/c_event_loop" -L"$work/lib" -lzus
  for name in update_status offboard readme; do
    step "build $name.c $*" $cc -std=c99 $C_WARNINGS -gdwarf-4 $INCLUDE "$@" "$repo/examples/c/$name.c" -o "$dir/c_$name" -L"$work/lib" -lzus -pthread
    step "build $name.cpp $*" $cxx -std=c++17 $CXX_WARNINGS -gdwarf-4 $INCLUDE "$@" "$repo/examples/cpp/$name.cpp" -o "$dir/cpp_$name" -L"$work/lib" -lzus -pthread
  done
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
  local done remaining
  done=$(grep -c '^DONE ' "$work/run") remaining=$(grep -c '^REMAINS ' "$work/run")
  echo "$done done, $remaining remaining"
  [ "$done" -gt 0 ] && [ "$remaining" -gt 0 ] && [ $((done + remaining)) = 200 ] &&
    [ "$(sed -n 's/^\(DONE\|REMAINS\) //p' "$work/run" | sort -u | wc -l)" = 200 ]
}

# examples DIRECTORY: what the programs print, and their exit statuses.
examples() {
  local dir=$1 lang status
  start_sandbox --users 200
  local env=(env "ZOOM_ACCESS_TOKEN=sandbox-token" "ZOOM_API_URL=$zoom_url" "ZOOM_OAUTH_URL=$oauth_url")
  local oauth=(env ZOOM_ACCOUNT_ID=sandbox-account ZOOM_CLIENT_ID=sandbox-client ZOOM_CLIENT_SECRET=sandbox-secret "ZOOM_API_URL=$zoom_url" "ZOOM_OAUTH_URL=$oauth_url")
  printf '\xEF\xBB\xBFada@example.com\r\n\r\n  nobody@example.com \t\r\nlinus@example.com' >"$work/list"
  seq -f 'user%05g@example.com' 200 >"$work/users"
  for lang in c cpp; do
    local what=$lang run=("$dir/${lang}_update_status")
    expect "update_status: done ($what)" 0 '^HTTP 204\n$' "${env[@]}" "${run[@]}" ada@example.com deactivate
    expect "update_status: with OAuth ($what)" 0 '^HTTP 204\n$' "${oauth[@]}" "${run[@]}" ada@example.com activate
    expect "update_status: refused ($what)" 1 "^HTTP 404\nZUS_ERR_USER_NOT_FOUND: [^\n]*User does not exist[^\n]*\nZoom's code: 1001\ntracking ID: v=2.0;[^\n]*\n\$" \
      "${env[@]}" "${run[@]}" nobody@example.com deactivate
    expect "update_status: no response ($what)" 1 '^ZUS_ERR_CONNECT: [^\n]+\n$' "${env[@]}" ZOOM_API_URL=http://127.0.0.1:1/v2 "${run[@]}" ada@example.com deactivate
    expect "update_status: no arguments ($what)" 2 '^usage: ' "${env[@]}" "${run[@]}"
    expect "update_status: unknown action ($what)" 2 '^usage: ' "${env[@]}" "${run[@]}" ada@example.com erase
    expect "update_status: leading whitespace ($what)" 2 'ZUS_ERR_ARGUMENT: ' "${env[@]}" "${run[@]}" ' ada@example.com' activate
    expect "update_status: no credentials ($what)" 2 '.' "${run[@]}" ada@example.com activate
    expect "update_status: bad URL ($what)" 2 '.' "${env[@]}" ZOOM_API_URL=http://zoom.us "${run[@]}" ada@example.com activate

    run=("$dir/${lang}_offboard")
    expect "offboard: a list with a failure ($what)" 1 'DONE ada@example.com\n' "${env[@]}" "${run[@]}" "$work/list"
    expect "offboard: says why ($what)" 1 'FAIL nobody@example.com ZUS_ERR_USER_NOT_FOUND 404/1001 [^\n]*User does not exist[^\n]*\[v=2.0' "${env[@]}" "${run[@]}" "$work/list"
    expect "offboard: the summary ($what)" 1 '2 done, 1 failed, 0 remaining: ' "${env[@]}" "${run[@]}" "$work/list"
    expect "offboard: standard input ($what)" 0 'DONE user00001@example.com\n' sh -c 'head -3 "$0" | "$@"' "$work/users" "${env[@]}" "${run[@]}"
    expect "offboard: ends early ($what)" 3 'REMAINS user00200@example.com' "${env[@]}" ZOOM_ACCESS_TOKEN=expired "${run[@]}" "$work/users"
    expect "offboard: no file ($what)" 2 'usage' "${env[@]}" "${run[@]}" "$work/no-such-file"
    timeout -s INT --preserve-status 2 "${env[@]}" "${run[@]}" "$work/users" >"$work/run" 2>"$work/said"
    status=$?
    expect "offboard: Ctrl-C ($what)" 130 ' remaining: ' sh -c 'cat "$0"; exit "$1"' "$work/said" $status
    step "offboard: Ctrl-C, everybody accounted for ($what)" accounted
  done
  run=("$dir/c_event_loop")
  expect "event_loop: done" 0 '^(DONE (ada|linus)@example.com\n){2}2 done, 0 failed; the loop ran [0-9]+ times\n$' "${env[@]}" "${run[@]}" ada@example.com linus@example.com
  expect "event_loop: a failure" 1 'FAIL nobody@example.com ZUS_ERR_USER_NOT_FOUND [^\n]*User does not exist[^\n]*\n(?s:.*)1 done, 1 failed' "${env[@]}" "${run[@]}" nobody@example.com ada@example.com
  expect "event_loop: a rejected token ends it" 1 '^FAIL ada@example.com ZUS_ERR_UNAUTHORIZED [^\n]*\n(FAIL (linus|grace)@example.com ZUS_ERR_CANCELLED [^\n]*\n){2}0 done, 3 failed' \
    "${env[@]}" ZOOM_ACCESS_TOKEN=expired "${run[@]}" ada@example.com linus@example.com grace@example.com
  expect "event_loop: no arguments" 2 '^usage: ' "${env[@]}" "${run[@]}"
  expect "event_loop: no credentials" 2 'ZOOM_ACCOUNT_ID is not set' "${run[@]}" ada@example.com
  timeout -s INT --preserve-status 2 "${env[@]}" "${run[@]}" ada@example.com answer-never@example.com >"$work/run" 2>&1
  status=$?
  expect "event_loop: Ctrl-C, and the loop was free meanwhile" 130 '^DONE ada@example.com\nFAIL answer-never@example.com ZUS_ERR_CANCELLED [^\n]*\n1 done, 1 failed; the loop ran [0-9]{2,} times\n$' \
    sh -c 'cat "$0"; exit "$1"' "$work/run" $status
  expect "the README's C" 0 '^ZUS_OK \n$' "${env[@]}" "$dir/c_readme"
  expect "the README's C++" 0 'grace@example.com ZUS_OK\n(?s:.*)2 done, 0 failed, 0 not sent\n' "${env[@]}" "$dir/cpp_readme"
  cp "$work/sandbox" "$work/output"
  if grep -q 'PUT /v2/users/ada@example.com/status  action=deactivate' "$work/sandbox"; then good; else bad "the README's call is on the wire"; fi
  exec 9>&-
}

case $1 in
  headers)
    headers
    step "the README's snippets are short" short_snippets
    ;;
  sanitizers)
    sanitize=(-O1 -fno-omit-frame-pointer -fsanitize=address,undefined)
    build "$work/sanitized" "${sanitize[@]}"
    for name in no_exceptions started; do
      step "build $name.cpp without exceptions" $cxx -std=c++17 -fno-exceptions $TEST_WARNINGS $INCLUDE "${sanitize[@]}" "$repo/tests/cpp/$name.cpp" -o "$work/sanitized/${name/#started/no_exceptions_started}" -L"$work/lib" -lzus -pthread
    done
    # Its clock_gettime stands in for libc's: no sanitizer's.
    step "build panic.c" $cc -std=gnu11 $C_WARNINGS $INCLUDE "$repo/tests/c/panic.c" -o "$work/sanitized/panic" -L"$work/lib" -lzus -pthread
    step "the tests call each function of the library" all_called "$work/sanitized"/{arguments,responses,calls,start}
    for name in arguments responses calls start wrapper started no_exceptions no_exceptions_started panic; do suite "$name" "$work/sanitized/$name"; done
    build_examples "$work/sanitized" "${sanitize[@]}"
    examples "$work/sanitized"
    ;;
  valgrind)
    # memcheck, not helgrind: that knows pthread's locks only, and takes the futexes of Rust's std for data races.
    memcheck=(valgrind -q --leak-check=full --errors-for-leak-kinds=definite,possible --show-leak-kinds=definite,possible
      --error-exitcode=99 "--suppressions=$repo/tests/c/valgrind.supp")
    if have valgrind; then
      build "$work/plain" -O2
      export ZUS_TEST_EVENTS=20000
      for name in arguments responses calls start wrapper started; do suite "$name under valgrind" "${memcheck[@]}" "$work/plain/$name"; done
    else
      skip "valgrind" "not found"
    fi
    ;;
  ends)
    suite "programs that end in the middle of started calls" "$repo/tests/soak/exit.sh" 3
    step "build preload.c" $cc -shared -fPIC "$repo/tests/common/preload.c" -o "$work/preload.so" -ldl
    step "build unload.c" $cc -std=gnu11 -Wall -Wextra -Werror $INCLUDE "$repo/tests/soak/unload.c" -o "$work/unload" -ldl -pthread
    slow=(env "LD_PRELOAD=$work/preload.so" "ZUS_TEST_HOSTS=slow.test=sleep:1000,127.0.0.1" "$work/unload" "$work/lib/libzus.so")
    expect "unloaded while a blocking call's look-up hangs, and again" 0 \
      '^a blocking call: ZUS_ERR_CONNECT, then the library is unloaded\na blocking call: ZUS_ERR_TIMEOUT, then[^\n]*\nthe program goes on, and the library is unloaded\n$' "${slow[@]}" blocking
    expect "a library that has started a call stays" 0 \
      '^a blocking call: ZUS_ERR_CONNECT, then the library is unloaded\na started call: ZUS_OK, then the library is loaded\nthe program goes on, and the library is loaded\n$' "${slow[@]}" started
    ;;
  *) echo "there is no part $1"; exit 2 ;;
esac
[ $skipped = 0 ] && echo "$passed passed, $failed failed" || echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
