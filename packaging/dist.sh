#!/bin/sh
# Puts what install.sh installs, with licenses and docs, into dist/libzus-VERSION-TARGET.tar.gz (.zip for Windows), and its
# SHA-256 into dist/SHA256SUMS. The same build gives the same archive, byte for byte, where tar is GNU's.
#
#   CARGO_BUILD_TARGET  what was built (default: this machine)
#   DIST_TARGET         what to call it in the archive's name (default: the same)
#   DIST_DIR            where it goes (default: dist)
set -eu
cd "$(dirname "$0")/.."
PREFIX=/usr/local LIBDIR=lib . packaging/names.sh
name=libzus-$version-${DIST_TARGET:-${target:?there is no rustc to name it: set DIST_TARGET}}
dist=${DIST_DIR:-dist}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$dist"

DESTDIR=$stage PREFIX=/$name LIBDIR=/$name/lib packaging/install.sh
cp README.md LICENSE-MIT LICENSE-APACHE THIRD-PARTY-NOTICES.txt CHANGELOG.md "$stage/$name/"
cp -R docs "$stage/$name/docs"

# The time of the commit, not of the build.
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
case $os in
  windows*)
    file=$name.zip
    rm -f "$dist/$file"
    python=$(command -v python3 || command -v python)
    "$python" -m zipfile -c "$dist/$file" "$stage/$name"
    ;;
  *)
    file=$name.tar.gz
    if tar --version | grep -q GNU; then
      tar -C "$stage" --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner -cf - "$name" | gzip -9n >"$dist/$file"
    else
      tar -C "$stage" -cf - "$name" | gzip -9n >"$dist/$file"
    fi
    ;;
esac

sha256() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi; }
(
  cd "$dist"
  touch SHA256SUMS
  { grep -v "  $file\$" SHA256SUMS || true; sha256 "$file" | tr -d '*'; } | sort -k 2 >SHA256SUMS.new
  mv SHA256SUMS.new SHA256SUMS
)
echo "$dist/$file"
