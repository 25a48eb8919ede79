#!/bin/sh
# Prints what a program that links the static library must link too, as rustc says of the release build. The list is
# kept beside the build, so that installing it needs no Rust.
#
#   ZUS_LIB_DIR, CARGO_TARGET_DIR, CARGO_BUILD_TARGET  where the build is, as for install.sh
#   RUSTFLAGS                                          with which it was built
set -eu
cd "$(dirname "$0")/.."
target_dir=${CARGO_TARGET_DIR:-target}
built=${ZUS_LIB_DIR:-}
[ -e "$built/libzus.rlib" ] || built=$target_dir/${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}release
kept=$built/native-static-libs
if [ ! -s "$kept" ] || [ "$built/libzus.rlib" -nt "$kept" ]; then
  [ -e "$built/libzus.rlib" ] || { echo "native-libs.sh: no $built/libzus.rlib: run make build first" >&2; exit 1; }
  # A library of nothing but this one: rustc names the same libraries, without compiling anything again.
  # shellcheck disable=SC2086
  said=$(echo 'extern crate zus;' | "${RUSTC:-rustc}" ${RUSTFLAGS-} ${CARGO_BUILD_TARGET:+--target "$CARGO_BUILD_TARGET"} --edition 2024 \
    --crate-name probe --crate-type staticlib --print native-static-libs -o "$kept.a" --extern "zus=$built/libzus.rlib" \
    -L "dependency=$built/deps" -L "dependency=$target_dir/release/deps" - 2>&1) || {
    echo "$said" >&2
    exit 1
  }
  rm -f "$kept.a"
  libs=$(printf '%s\n' "$said" | sed -n 's/^note: native-static-libs: //p' | tail -1)
  [ -n "$libs" ] || { echo "native-libs.sh: rustc named no libraries" >&2; exit 1; }
  echo "$libs" >"$kept"
fi
cat "$kept"
