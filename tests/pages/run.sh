#!/usr/bin/env bash
# Every piece of code on the languages' pages (docs/c.md and so on) is extracted and run against the sandbox; see pages.py.
#   ZUS_LIB_DIR   where libzus.so is (default <repo>/target/release)
#   ZUS_SANDBOX   the sandbox program (default <repo>/target/debug/examples/sandbox)
#   run.sh PAGE...  only these, e.g. `run.sh python csharp`
set -uo pipefail
cd "$(dirname "$0")/../.."
have() { # have COMMAND PACKAGE
  command -v "$1" >/dev/null && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null &&
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$2"; } >/dev/null 2>&1
}
have openssl openssl
have pkg-config pkg-config
have node nodejs
have npm npm
exec python3 -B tests/pages/pages.py "$@"
