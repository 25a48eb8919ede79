#!/bin/sh
# cargo, for everything that is shipped: what it builds holds no path of this machine, so the same source and the same
# compiler give the same bytes in every folder and for every user. Takes cargo's arguments and heeds CARGO, RUSTC,
# CARGO_HOME, RUSTFLAGS and CARGO_ENCODED_RUSTFLAGS as cargo does.
set -eu
rustc=${RUSTC:-rustc}
repo=$(cd "$(dirname "$0")/.." && pwd)
home=${CARGO_HOME:-$HOME/.cargo}
library=$("$rustc" --print sysroot)/lib/rustlib/src/rust
if command -v cygpath >/dev/null; then # Windows: paths as rustc writes them
  repo=$(cygpath -w "$repo") home=$(cygpath -w "$home") library=$(cygpath -w "$library")
fi
commit=$("$rustc" -vV | sed -n 's/^commit-hash: //p')

# Flags of the caller's come first. Encoded, since a path may hold a space.
unit=$(printf '\037')
flags=${CARGO_ENCODED_RUSTFLAGS-$(echo ${RUSTFLAGS-} | tr ' ' '\037')}
for map in "$repo=." "$home=cargo" "$library=/rustc/$commit"; do
  flags=${flags:+$flags$unit}--remap-path-prefix=$map
done
CARGO_ENCODED_RUSTFLAGS=$flags exec "${CARGO:-cargo}" "$@"
