#!/usr/bin/env bash
# package.sh FOLDER: the npm tarball, with the library that ZUS_LIBRARY names (or, for a release, with those in ZUS_NATIVE_DIR).
set -euo pipefail
folder=$(cd "${1:?package.sh FOLDER}" && pwd)
cd "$(dirname "$0")"
./build.sh
# Beside the tests, which use this folder.
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cp -R package.json tsconfig.json pack.mjs README.md src dist "$stage/"
ln -s "$PWD/node_modules" "$stage/node_modules"
ZUS_REPOSITORY=$(cd ../.. && pwd)
export ZUS_REPOSITORY
cd "$stage"
npm pack --silent --pack-destination "$folder"
