#!/bin/sh
# Prints what a program that links the static library must link too, as rustc says for this target.
# CARGO_BUILD_TARGET chooses another target, CARGO_RUSTC another `cargo rustc` (cargo-zigbuild's). The answer is kept
# in target/ until Cargo.lock or rustc changes.
set -eu
cd "$(dirname "$0")/.."
rustc=${RUSTC:-rustc}
out=${CARGO_TARGET_DIR:-target}
kept=$out/native-static-libs${CARGO_BUILD_TARGET:+-$CARGO_BUILD_TARGET}
key=$("$rustc" -V 2>/dev/null || echo "no rustc")\ $(cksum <Cargo.lock)
if [ -f "$kept" ] && { [ "$key" = "$(head -1 "$kept")" ] || ! command -v cargo >/dev/null; }; then
  sed 1d "$kept"
  exit
fi
# In a folder of its own, and the debug profile: the same list, without disturbing or repeating the release build.
said=$(${CARGO_RUSTC:-cargo rustc} -q --locked --lib --crate-type staticlib --target-dir "$out/native-libs" -- --print native-static-libs 2>&1) || {
  echo "$said" >&2
  exit 1
}
libs=$(printf '%s\n' "$said" | sed -n 's/^note: native-static-libs: //p' | tail -1)
[ -n "$libs" ] || { echo "native-libs.sh: rustc named no libraries" >&2; exit 1; }
mkdir -p "$out"
printf '%s\n%s\n' "$key" "$libs" >"$kept"
echo "$libs"
