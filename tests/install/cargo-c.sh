#!/usr/bin/env bash
# The real cargo-c, where it is installed (`cargo install cargo-c`, some 20 minutes): what `cargo cinstall` puts in place, and the
# consumer projects against it. Its metadata is checked without it, by crate.sh. And the crate builds from its package alone.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
cd "$repo"
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR CARGO_BUILD_TARGET LD_LIBRARY_PATH PKG_CONFIG_PATH
sandbox=${ZUS_SANDBOX:-$repo/target/debug/examples/sandbox}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
test_() { # test_ NAME COMMAND...
  local name=$1
  shift
  if "$@" >"$work/output" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name"
    tail -n 20 "$work/output" | sed 's/^/  /'
  fi
}
test_ "the crate builds from its package alone" cargo package --locked --allow-dirty --quiet --target-dir target

if cargo cinstall --version >"$work/version" 2>&1; then
  head -1 "$work/version"
  prefix=$work/prefix
  test_ "cargo cinstall" packaging/cargo.sh cinstall --release --locked --target-dir target/cargo-c --prefix "$prefix" --libdir "$prefix/lib"
  version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)
  expected="include/zus.h include/zus.hpp include/zus_fwd.hpp lib/libzus.a lib/libzus.so lib/libzus.so.0 lib/libzus.so.$version lib/pkgconfig/zus.pc
share/cmake/zus/zus-config-version.cmake share/cmake/zus/zus-config.cmake share/licenses/zus/LICENSE-APACHE share/licenses/zus/LICENSE-MIT
share/licenses/zus/THIRD-PARTY-NOTICES.txt share/man/man3/zus.3 share/zus/valgrind.supp"
  test_ "these files and no others" diff <(printf '%s\n' $expected | sort) <(cd "$prefix" && find . ! -type d | sed 's|^\./||' | sort)
  test_ "the soname" sh -c 'readelf -d "$0" | grep -F "soname: [libzus.so.0]"' "$prefix/lib/libzus.so"
  test_ "no path of this machine in the library" sh -c '! strings "$0" | grep -F -e "$1" -e "${CARGO_HOME:-$HOME/.cargo}"' "$prefix/lib/libzus.so" "$repo"
  test_ "CMake: find_package" cmake -S "$here/consumer" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DCALL_C="$repo/tests/platforms/call.c"
  test_ "CMake: build" cmake --build "$work/cmake"
  cp -r "$here/consumer" "$work/make"
  PKG_CONFIG_PATH=$prefix/lib/pkgconfig test_ "pkg-config: make" make -C "$work/make" CALL_C="$repo/tests/platforms/call.c"
  for program in c_shared c_static cpp_shared cpp_static; do
    for by in cmake make; do
      # shellcheck disable=SC2016
      ZUS_SANDBOX=$sandbox test_ "$by: $program runs" "$here/with-sandbox.sh" sh -c '"$0" "$ZOOM_API_URL" "$ZOOM_OAUTH_URL"' "$work/$by/$program"
    done
  done
else
  echo "cargo cinstall was not tried: there is no cargo-c here (cargo install cargo-c)"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
