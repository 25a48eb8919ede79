#!/bin/sh
# Writes THIRD-PARTY-NOTICES.txt: what the licenses of the crates in Cargo.lock ask to be shown. It is committed; make it
# again when a dependency changed (tests/install/notices.sh says so). cargo-about is installed into .tools.
set -eu
cd "$(dirname "$0")/.."
version=0.9.3
tools=$PWD/.tools/cargo-about-$version
[ -x "$tools/bin/cargo-about" ] || cargo install --locked --quiet --version "$version" --features cli --root "$tools" cargo-about
made=$(mktemp)
trap 'rm -f "$made"' EXIT
cargo fetch --locked --quiet
# --offline: each crate's own files, and nothing of a server that has them by heart.
"$tools/bin/cargo-about" about generate --locked --offline --fail --config packaging/about.toml packaging/about.hbs --output-file "$made"
# This crate is no third party; the license that it alone is used under would be an empty list.
tr -d '\r' <"$made" | sed -e '/^  zoom-user-status [0-9]/d' -e 's/[ 	]*$//' | cat -s >THIRD-PARTY-NOTICES.txt
echo "$PWD/THIRD-PARTY-NOTICES.txt"
