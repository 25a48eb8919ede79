#!/usr/bin/env bash
# The same source gives the same bytes elsewhere: it is built again in another folder, with another home and another CARGO_HOME,
# and compared with this folder's build: the library, the static library as it is installed, and the archive.
set -uo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
cd "$repo"
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR CARGO_BUILD_TARGET ZUS_LIB_DIR DESTDIR PREFIX LIBDIR DIST_DIR MAKEFLAGS MAKELEVEL
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
elsewhere="$work/another-folder/than/here/libzus"
mkdir -p "$elsewhere" "$work/a home/.cargo"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
  tar --null -T - -cf - | tar -C "$elsewhere" -xf -
# Its own CARGO_HOME, with the crates that are here already.
for name in registry config.toml; do
  [ ! -e "${CARGO_HOME:-$HOME/.cargo}/$name" ] || ln -s "$(realpath "${CARGO_HOME:-$HOME/.cargo}/$name")" "$work/a home/.cargo/$name"
done
export SOURCE_DATE_EPOCH=1600000000
make -s build && DIST_DIR=$work/here packaging/dist.sh || exit 1
(
  export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup} CARGO_HOME="$work/a home/.cargo" HOME="$work/a home"
  cd "$elsewhere" && make -s build && DIST_DIR=$work/there packaging/dist.sh
) || exit 1
passed=0 failed=0
same() { # same NAME FILE FILE
  if cmp "$2" "$3"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $1"; fi
  sha256sum "$2" "$3"
}
same libzus.so target/release/libzus.so "$elsewhere/target/release/libzus.so"
for here in "$work"/here/*.tar.gz; do
  same "the archive, with the static library" "$here" "$work/there/${here##*/}"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed = 2 ]
