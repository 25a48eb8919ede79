#!/usr/bin/env bash
# Builds the library for every system that we ship to, links the C program against it both ways, runs that and the Rust
# tests where an emulator can, and prints a table. run.sh [PLATFORM...] takes a part. Needs Debian and root, or that
# everything is there already. The sandbox runs on this machine.
set -uo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
cd "$repo"
. tests/platforms/setup.sh
all="i686 aarch64 armv7 musl-x64 windows-x64 windows-x86 macos-x64 macos-arm64"
[ $# -gt 0 ] || set -- $all
passed=0 failed=0 skipped=0
table=()

# step LOG COMMAND...: yes or NO, and the log says why.
step() {
  local log=$1
  shift
  echo "+ $*" >>"$log"
  if timeout 1800 "$@" >>"$log" 2>&1; then
    passed=$((passed + 1)) result=yes
  else
    failed=$((failed + 1)) result=NO
    echo "FAILED: $platform: $1 ${2-} ...: see $log; it ends:"
    # But for what wine says of fonts, at length.
    grep -vi 'freetype\|truetype fonts\|or equal to 2.0.5' "$log" | tail -n 15 | cut -c 1-300 | sed 's/^/  /'
  fi
  [ $result = yes ]
}

skip() {
  skipped=$((skipped + 1)) result=skipped
  echo "SKIPPED: $platform: $1"
}

# native_libs LOG: what rustc said that the static library needs.
native_libs() { sed -n 's/^note: native-static-libs: //p' "$1" | tail -n 1; }

# run LOG PROGRAM: the C program over HTTP, and over HTTPS with our own CA.
run() {
  step "$1" "${runner[@]}" "$2" "$ZUS_TEST_API" "$ZUS_TEST_OAUTH" &&
    step "$1" "${runner[@]}" "$2" "$ZUS_TEST_TLS_API" "$ZUS_TEST_TLS_OAUTH" "$ZUS_TEST_CA"
}

rust_tests() {
  local log=$1
  if step "$log" env "${test_env[@]}" "$cargo" test --locked --target "$target" "${build_std[@]}" --lib --test outcomes --test platforms; then
    result=$(sed -n 's/^test result: ok. \([0-9]*\) passed.*/\1/p' "$log" | awk '{ n += $1 } END { print n " tests" }')
  fi
}

# A shared library for everybody, and a program that links it.
cross() {
  local log=$logs/$platform.log built=no shared=- static=- ran_shared=- ran_static=- tests=-
  : >"$log"
  if ! setup_"${platform//-/_}" >>"$log" 2>&1; then
    skip "its tools are missing: $(tail -n 1 "$log")"
    table+=("$platform|$target|skipped|-|-|-|-|-")
    return
  fi
  out=target/platforms/$target/release
  work=target/platforms/$target/call
  mkdir -p "$work"
  step "$log" "$cargo" rustc --locked --lib --release --target "$target" "${build_std[@]}" -- --print native-static-libs "${rustc_args[@]}"
  built=$result
  if [ "$built" = yes ]; then
    ln -sf libzus.so "$out/libzus.so.0"
    local c=("${cc[@]}" -std=c99 -O1 -Wall -Wextra -Werror -Iinclude tests/platforms/call.c)
    case $platform in
      windows-*)
        step "$log" "${c[@]}" -o "$work/shared.exe" "$out/libzus.dll.a"
        shared=$result
        cp "$out/zus.dll" "$work/"
        step "$log" "${c[@]}" -DZUS_STATIC -o "$work/static.exe" "$out/libzus.a" $(native_libs "$log")
        static=$result
        ;;
      *)
        step "$log" "${c[@]}" -o "$work/shared" -L"$out" -lzus -Wl,-rpath,"$repo/$out"
        shared=$result
        step "$log" "${c[@]}" "${static_flags[@]}" -o "$work/static" "$out/libzus.a" ${static_libs:-$(native_libs "$log")}
        static=$result
        ;;
    esac
    if [ "${#runner[@]}" = 0 ]; then
      skip "it can't be run here: $runs_not"
      ran_shared=$result ran_static=$result tests=$result
    else
      [ "$shared" = yes ] && run "$log" "$work/shared$exe" && ran_shared=yes || ran_shared=$result
      [ "$static" = yes ] && run "$log" "$work/static$exe" && ran_static=yes || ran_static=$result
      rust_tests "$log"
      tests=$result
    fi
  fi
  table+=("$platform|$target|$built|$shared|$static|$ran_shared|$ran_static|$tests")
}

# There is no Apple linker here: the types are checked, for the library and this system's tests.
check_only() {
  local log=$logs/$platform.log
  : >"$log"
  if setup_macos >>"$log" 2>&1; then
    step "$log" "$cargo" check --locked --lib --target "$target" "${build_std[@]}"
    [ $result = yes ] && result=checked
  else
    skip "its tools are missing: $(tail -n 1 "$log")"
  fi
  table+=("$platform|$target|$result|-|-|-|-|-")
}

logs=target/platforms/logs
mkdir -p "$logs"
trap stop_sandboxes EXIT
start_sandboxes || exit 1
for platform; do
  # What a platform sets is its own: setup.sh's functions fill these.
  runner=() static_flags=() rustc_args=() test_env=() exe='' static_libs='' runs_not='' cc=()
  case $platform in
    i686) target=i686-unknown-linux-gnu ;;
    aarch64) target=aarch64-unknown-linux-gnu ;;
    armv7) target=armv7-unknown-linux-gnueabihf ;;
    musl-x64) target=x86_64-unknown-linux-musl ;;
    windows-x64) target=x86_64-pc-windows-gnu ;;
    windows-x86) target=i686-pc-windows-gnu ;;
    macos-x64) target=x86_64-apple-darwin ;;
    macos-arm64) target=aarch64-apple-darwin ;;
    *) echo "unknown platform $platform; known: $all" >&2; exit 2 ;;
  esac
  started=$SECONDS
  case $platform in
    macos-*) check_only ;;
    *) cross ;;
  esac
  echo "$platform: $((SECONDS - started)) s"
done

echo
{
  echo "platform|target|built|linked shared|linked static|ran shared|ran static|Rust tests"
  printf '%s\n' "${table[@]}"
} | column -t -s '|'
echo
[ $skipped = 0 ] && echo "$passed passed, $failed failed" || echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
