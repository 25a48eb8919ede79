#!/usr/bin/env bash
# What the documents say is true: links and anchors exist, code compiles and runs, every code is explained, the API
# reference builds without a warning, and the workflows are valid.
set -uo pipefail
cd "$(dirname "$0")/.."
have() { # have COMMAND PACKAGE
  command -v "$1" >/dev/null && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null &&
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$2"; } >/dev/null 2>&1
}
have doxygen doxygen
have cmake cmake
have pkg-config pkg-config
have node nodejs
have npm npm
exec python3 tests/docs.py
