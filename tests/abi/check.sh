#!/usr/bin/env bash
# The ABI against what was released (docs/abi.md):
#   tests/abi/check.sh [COMMIT]     COMMIT: default the last tag v*
#  1. abidiff (Debian: abigail-tools) compares the library as it was at COMMIT with that of today;
#  2. a program compiled against the header of the oldest release, or of COMMIT, runs with the library of today.
# Before the first release there is nothing to break: then there is no part 1, and 2 takes today's header.
set -euo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
cd "$repo"
lib_dir=${ZUS_LIB_DIR:-$repo/target/release}
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
passed=0 failed=0
good() { echo "$1: ok"; passed=$((passed + 1)); }
bad() { echo "$1: FAILED"; failed=$((failed + 1)); }

base=${1:-$(git tag --list 'v*' --sort=-v:refname | head -1)}
oldest=${1:-$(git tag --list 'v*' --sort=v:refname | head -1)}
work=$(mktemp -d)
trap 'git worktree remove --force "$work/tree" 2>/dev/null || true; rm -rf "$work"' EXIT

# The libraries with their debug information, in which abidiff sees types. Each in a folder of its own: Cargo takes two
# versions of one package for the same.
build() { # build FOLDER NAME
  (cd "$1" && cargo build --lib --locked --quiet --target-dir "$repo/target/abi/$2" --config 'profile.dev.debug="full"')
  cp "$repo/target/abi/$2/debug/libzus.so" "$work/$2.so"
}
if [ -z "$base" ]; then
  echo "abidiff: nothing was released yet"
elif tests/tools.sh abidiff && command -v abidiff >/dev/null; then
  git worktree add --quiet --detach "$work/tree" "$base"
  build "$work/tree" then
  build "$repo" now
  # Any status but 0 is a break, also "4: changed", which it gives for another number of a code. What is added is none, and
  # only what the header shows counts, not how Rust lays out what only the library sees.
  status=0
  abidiff --no-added-syms --drop-private-types --headers-dir1 "$work/tree/include" --headers-dir2 include \
    "$work/then.so" "$work/now.so" >"$work/report" || status=$?
  cat "$work/report"
  functions=$(nm -D --defined-only "$work/then.so" | grep -c ' T zus_')
  [ $status = 0 ] && [ "$functions" -gt 30 ] && good "abidiff $base..now, $functions functions" ||
    bad "abidiff $base..now (exit status $status)"
else
  echo "SKIPPED: abidiff: it is not installed (Debian: abigail-tools)"
  [ "${CI:-}" != true ] || failed=$((failed + 1)) # in CI a skipped part is a failure
fi

mkdir "$work/include"
if [ -n "$oldest" ]; then
  git show "$oldest:include/zus.h" >"$work/include/zus.h"
  git show "$oldest:tests/abi/caller.c" >"$work/caller.c" 2>/dev/null || cp tests/abi/caller.c "$work/"
else
  cp include/zus.h "$work/include/"
  cp tests/abi/caller.c "$work/"
fi
cp "$lib_dir/libzus.so" "$work/libzus.so"
ln -s libzus.so "$work/libzus.so.0"
"${CC:-cc}" -std=c99 -Wall -Wextra -Werror -I"$work/include" "$work/caller.c" -o "$work/caller" -L"$work" -lzus
if LD_LIBRARY_PATH=$work "$work/caller"; then
  good "a program of ${oldest:-today (no release yet)} runs with the library of today"
else
  bad "a program of ${oldest:-today (no release yet)} with the library of today"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
