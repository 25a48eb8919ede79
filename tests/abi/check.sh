#!/usr/bin/env bash
# The ABI against what was released (docs/abi.md):
#   tests/abi/check.sh [COMMIT]     COMMIT: default the last tag v*
#  1. abidiff (Debian: abigail-tools) compares the library as it was at COMMIT with that of today;
#  2. a program compiled against the header of the oldest release, or of COMMIT, runs with the library of today.
# Before the first release there is nothing to break: then part 1 takes today's library for both, and 2 today's header.
set -euo pipefail
repo=$(cd "$(dirname "$0")/../.." && pwd)
cd "$repo"
lib_dir=${ZUS_LIB_DIR:-$repo/target/release}
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
passed=0 failed=0
good() { echo "$1: ok"; passed=$((passed + 1)); }
bad() { echo "$1: FAILED"; failed=$((failed + 1)); }

tests/tools.sh abidiff
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
if command -v abidiff >/dev/null; then
  build "$repo" now
  if [ -n "$base" ]; then
    git worktree add --quiet --detach "$work/tree" "$base"
    build "$work/tree" then
  else
    cp "$work/now.so" "$work/then.so"
  fi
  # Any status but 0 is a break, also "4: changed", which it gives for another number of a code. What is added is none, and
  # only what the header shows counts, not how Rust lays out what only the library sees.
  status=0
  abidiff --no-added-syms --drop-private-types --headers-dir1 include --headers-dir2 include \
    "$work/then.so" "$work/now.so" >"$work/report" || status=$?
  cat "$work/report"
  functions=$(nm -D --defined-only "$work/then.so" | grep -c ' T zus_')
  [ $status = 0 ] && [ "$functions" -gt 30 ] && good "abidiff ${base:-(no release yet)}..now, $functions functions" ||
    bad "abidiff ${base:-(no release yet)}..now (exit status $status)"
else
  echo "SKIPPED: abidiff: it is not installed (Debian: abigail-tools)"
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
command -v abidiff >/dev/null || [ "${CI:-}" != true ] || failed=$((failed + 1)) # in CI a skipped part is a failure
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
