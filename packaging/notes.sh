#!/bin/sh
# Prints the section of CHANGELOG.md for a version: notes.sh 0.1.0
set -eu
cd "$(dirname "$0")/.."
notes=$(awk -v version="$1" '
  /^## / { inside = index($2, version) && ($2 == version || $2 == "[" version "]"); next }
  /^\[[^]]*\]: / { next }
  inside { print }' CHANGELOG.md | sed '/./,$!d')
[ -n "$notes" ] || { echo "CHANGELOG.md has nothing on $1" >&2; exit 1; }
printf '%s\n' "$notes"
