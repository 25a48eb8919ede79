#!/usr/bin/env bash
# archive.sh ARCHIVE: unpacks what packaging/dist.sh made, builds the consumer project against it with CMake, and has its
# programs call the sandbox. On Linux, macOS and Windows (Git Bash). ZUS_SANDBOX: the sandbox program. CMAKE_ARGS: more of them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
sandbox=${ZUS_SANDBOX:-$repo/target/debug/examples/sandbox}
archive=$1
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$work"' EXIT

case $archive in
  *.zip) "$(command -v python3 || command -v python)" -m zipfile -e "$archive" "$work" ;;
  *) tar -C "$work" -xzf "$archive" ;;
esac
prefix=$(echo "$work"/libzus-*)
[ -d "$prefix" ]
export PATH=$prefix/bin:$PATH # for zus.dll
native() { if command -v cygpath >/dev/null; then cygpath -m "$1"; else echo "$1"; fi; } # a path as CMake knows it

"$sandbox" --quiet >"$work/sandbox" &
pid=$!
for _ in $(seq 100); do grep -q '^ready' "$work/sandbox" && break; sleep 0.1; done
api=$(sed -n 's/^ZOOM_API_URL=//p' "$work/sandbox" | tr -d '\r')
oauth=$(sed -n 's/^ZOOM_OAUTH_URL=//p' "$work/sandbox" | tr -d '\r')

# shellcheck disable=SC2086
cmake -S "$here/consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$(native "$prefix")" -DCALL_C="$(native "$repo/tests/platforms/call.c")" -DCMAKE_BUILD_TYPE=Release ${CMAKE_ARGS-}
cmake --build "$work/build" --config Release
for program in c_shared c_static cpp_shared cpp_static; do
  file=$work/build/$program
  [ -e "$file" ] || file=$work/build/Release/$program.exe
  echo "$program:"
  ${RUNNER-} "$file" "$api" "$oauth"
done
