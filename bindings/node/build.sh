#!/usr/bin/env bash
# build.sh: what the package is built and tested with, as package-lock.json says, and its JavaScript, where they are not there yet.
# Several may run at once.
set -euo pipefail
cd "$(dirname "$0")"
if command -v flock >/dev/null; then
  exec 9>.lock
  flock 9
fi
if ! cmp -s package-lock.json node_modules/.zus-lock; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.zus-lock
fi
npm run --silent build
